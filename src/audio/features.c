/* SPDX-License-Identifier: MIT */
/* audio/features.c - from samples to the matrix (T,F). */
#include "audio/features.h"

#include "audio/decibel.h"
#include "audio/functionals.h"
#include "audio/level.h"
#include "audio/mel.h"
#include "audio/prosody.h"
#include "audio/stft.h"
#include "audio/trim.h"
#include "base/arena.h"
#include "base/file.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(am_feature_options, member)
/* An option that shapes the features is in their key by being here.  A new one goes to the end, so that what is cached by others
 * keeps its key (am_feature_options_key). */
const am_option am_feature_table[] = {
    {"kind", AM_OPT_CHOICE, AT(kind), "log_mel", 0, 0, AM_WORDS(AM_FEATURE_KINDS), "what the model sees"},
    {"sample_rate", AM_OPT_REAL, AT(sample_rate), "22050", 1000, 384000, NULL, "Hz the sound is resampled to"},
    {"mel_rate", AM_OPT_REAL, AT(mel_rate), "0", 0, 384000, NULL,
     "Hz the mel filters are laid out for; 0: sample_rate"},
    {"n_fft", AM_OPT_INT, AT(n_fft), "2048", 16, 65536, NULL, "samples of a Fourier transform, even"},
    {"hop", AM_OPT_INT, AT(hop), "512", 1, 65536, NULL, "samples from frame to frame"},
    {"window", AM_OPT_INT, AT(window), "0", 0, 65536, NULL, "samples of the Hann window; 0: n_fft"},
    {"mels", AM_OPT_INT, AT(mels), "128", 1, 1024, NULL, "mel filters"},
    {"f_min", AM_OPT_REAL, AT(f_min), "0", 0, 192000, NULL, "Hz, lower edge of the filters"},
    {"f_max", AM_OPT_REAL, AT(f_max), "0", 0, 192000, NULL, "Hz, upper edge of the filters; 0: half of mel_rate"},
    {"mel_scale", AM_OPT_CHOICE, AT(mel_scale), "slaney", 0, 0, AM_WORDS(AM_MEL_SCALES), "definition of the mel scale"},
    {"mel_norm", AM_OPT_CHOICE, AT(mel_norm), "slaney", 0, 0, AM_WORDS(AM_MEL_NORMS), "slaney: filters of equal area"},
    {"center", AM_OPT_BOOL, AT(center), "true", 0, 0, NULL, "frames centred on their sample, zeros beyond the ends"},
    {"log", AM_OPT_CHOICE, AT(log), "decibel", 0, 0, AM_WORDS(AM_FEATURE_LOGS), "logarithm of log_mel"},
    {"ref", AM_OPT_CHOICE, AT(ref), "max", 0, 0, AM_WORDS(AM_FEATURE_REFS),
     "decibels relative to the clip's maximum or to 1.0"},
    {"top_db", AM_OPT_REAL, AT(top_db), "80", 0, 300, NULL, "dB below the clip's maximum to cut at; 0: never"},
    {"amin", AM_OPT_REAL, AT(amin), "1e-10", 1e-30, 1, NULL, "smallest power that a logarithm sees"},
    {"mfcc", AM_OPT_INT, AT(mfcc), "40", 1, 1024, NULL, "cepstral coefficients of kind mfcc"},
    {"deltas", AM_OPT_CHOICE, AT(deltas), "none", 0, 0, AM_WORDS(AM_FEATURE_DELTAS),
     "slopes over 9 frames as further bins"},
    {"mean_over_time", AM_OPT_BOOL, AT(mean_over_time), "false", 0, 0, NULL, "one vector of means a clip"},
    {"samples", AM_OPT_INT, AT(samples), "0", 0, 1000000000, NULL,
     "zero-pad or cut clips to this many; 0: as they are"},
    {"max_frames", AM_OPT_INT, AT(max_frames), "0", 0, 10000000, NULL, "frames kept from the start of a clip; 0: all"},
    {"trim_db", AM_OPT_REAL, AT(trim_db), "0", 0, 300, NULL,
     "dB below the peak that counts as silence at both ends; 0: keep"},
    {"pre_emphasis", AM_OPT_REAL, AT(pre_emphasis), "0", 0, 0.9999, NULL, "x[t] - c x[t-1] before the frames; 0: none"},
    {"divide", AM_OPT_REAL, AT(divide), "1", 1e-9, 1e9, NULL, "every value is divided by this at the end"},
    {"normalise", AM_OPT_CHOICE, AT(normalise), "none", 0, 0, AM_WORDS(AM_NORMALISES),
     "statistics for zero mean and unit deviation: of the clip, the training part, all clips of a corpus, or of a "
     "speaker (which needs speakers when predicting)"},
    {"normalise_by", AM_OPT_CHOICE, AT(normalise_by), "bin", 0, 0, AM_WORDS(AM_NORMALISE_BYS),
     "statistics per bin, or one pair for all bins"},
    {"shrink", AM_OPT_REAL, AT(shrink), "12.8", 0, 1e9, NULL,
     "seconds of the training part that count beside those of an enrolled voice; 0: none"},
    {"prosody", AM_OPT_BOOL, AT(prosody), "false", 0, 0, NULL,
     "further bins of each frame: f0, voicing, voiced, hnr, energy"},
    {"n_fft_also", AM_OPT_INT, AT(n_fft_also), "0", 0, 65536, NULL,
     "bins of a second Fourier transform of this length after those of the first; 0: none"},
    {"level", AM_OPT_REAL, AT(level), "0", -100, 0, NULL,
     "dB of full scale that the voice of each clip is brought to, as -25; 0: as it is"},
    AM_OPTION_END};
#undef AT

/* Power mel spectra of one length of transform; all have the same frames. */
typedef struct resolution {
  am_mel_options mel_options;
  am_stft stft;
  am_mel mel; /* without warp */
} resolution;
enum { RESOLUTIONS = 2 };

struct am_features {
  am_context *ctx;
  am_feature_options options;
  resolution at[RESOLUTIONS];  /* resolutions(options) of them */
  double *dct;                 /* (mels, mfcc), kind mfcc only */
  am_functionals *functionals; /* its kind only */
  am_lld lld;                  /* with prosody only */
};

static int resolutions(const am_feature_options *o) { return o->n_fft_also > 0 ? 2 : 1; }

static am_status check_also(const am_feature_options *o, am_error *err) {
  if (o->n_fft_also == 0) return AM_OK;
  if (o->n_fft_also < 0 || o->n_fft_also % 2)
    return am_fail(err, AM_E_CONFIG, "features.n_fft_also: %lld must be even", (long long)o->n_fft_also);
  if (o->n_fft_also == o->n_fft)
    return am_fail(err, AM_E_CONFIG, "features.n_fft_also: %lld is n_fft itself", (long long)o->n_fft_also);
  if (!o->center)
    return am_fail(err, AM_E_CONFIG,
                   "features.n_fft_also: frames of two lengths have the centre in common; set center: true");
  return AM_OK;
}

static am_status check(const am_feature_options *o, am_error *err) {
  if (o->kind != AM_FEATURE_LOG_MEL && o->kind != AM_FEATURE_MEL && o->kind != AM_FEATURE_MFCC &&
      o->kind != AM_FEATURE_FUNCTIONALS)
    return am_fail(err, AM_E_CONFIG,
                   "features.kind: waveforms are read directly; choose log_mel, mel, mfcc or functionals");
  if (o->n_fft < 2 || o->n_fft % 2)
    return am_fail(err, AM_E_CONFIG, "features.n_fft: %lld must be even", (long long)o->n_fft);
  if (o->hop < 1) return am_fail(err, AM_E_CONFIG, "features.hop: %lld must be at least 1", (long long)o->hop);
  if (o->window < 0 || o->window > o->n_fft)
    return am_fail(err, AM_E_CONFIG, "features.window: %lld samples do not fit into n_fft %lld; make n_fft larger",
                   (long long)o->window, (long long)o->n_fft);
  if (o->kind == AM_FEATURE_MFCC && (o->mfcc < 1 || o->mfcc > o->mels))
    return am_fail(err, AM_E_CONFIG, "features.mfcc: %lld coefficients need at least as many mels, which are %lld",
                   (long long)o->mfcc, (long long)o->mels);
  if (o->kind == AM_FEATURE_FUNCTIONALS &&
      (o->deltas || o->mean_over_time || o->max_frames > 0 || o->prosody || o->n_fft_also))
    return am_fail(err, AM_E_CONFIG,
                   "features.%s: functionals are one vector a clip, with prosody and deltas of their own; leave it out",
                   o->deltas           ? "deltas"
                   : o->mean_over_time ? "mean_over_time"
                   : o->prosody        ? "prosody"
                   : o->n_fft_also     ? "n_fft_also"
                                       : "max_frames");
  return check_also(o, err);
}

static am_status resolution_init(am_context *ctx, resolution *r, const am_feature_options *o, int n_fft, int window,
                                 am_error *err) {
  double rate = o->mel_rate > 0 ? o->mel_rate : o->sample_rate;
  r->mel_options = (am_mel_options){.rate = rate,
                                    .n_fft = n_fft,
                                    .mels = (int)o->mels,
                                    .f_min = o->f_min,
                                    .f_max = o->f_max > 0 ? o->f_max : rate / 2,
                                    .htk = o->mel_scale == AM_MEL_HTK,
                                    .slaney_norm = o->mel_norm == AM_MEL_NORM_SLANEY};
  am_status status = am_mel_check(&r->mel_options, 1, err);
  if (!status) status = am_stft_init(ctx, &r->stft, n_fft, (int)o->hop, window, o->center, err);
  return status ? status : am_mel_init(ctx, &r->mel, &r->mel_options, 1, err);
}

am_status am_features_create(am_context *ctx, const am_feature_options *options, am_features **out, am_error *err) {
  *out = NULL;
  am_status status = check(options, err);
  if (status) return status;
  am_features *fx = am_alloc(ctx, 1, sizeof *fx);
  if (!fx) return am_no_memory(err);
  fx->ctx = ctx;
  fx->options = *options;
  const am_feature_options *o = &fx->options;
  int window = (int)(o->window > 0 ? o->window : o->n_fft), also = (int)o->n_fft_also;
  if ((status = resolution_init(ctx, &fx->at[0], o, (int)o->n_fft, window, err))) goto fail;
  if (also && (status = resolution_init(ctx, &fx->at[1], o, also, also, err))) goto fail;
  if (o->kind == AM_FEATURE_MFCC) {
    fx->dct = am_alloc(ctx, am_mul((size_t)o->mels, (size_t)o->mfcc), sizeof *fx->dct);
    if (!fx->dct) {
      status = am_no_memory(err);
      goto fail;
    }
    am_dct2_table(fx->dct, (int)o->mels, (int)o->mfcc);
  }
  if (o->kind == AM_FEATURE_FUNCTIONALS && (status = am_functionals_create(ctx, o->sample_rate, &fx->functionals, err)))
    goto fail;
  if (o->prosody && (status = am_lld_init(ctx, &fx->lld, o->sample_rate, err))) goto fail;
  *out = fx;
  return AM_OK;
fail:
  am_features_free(fx);
  return status;
}

void am_features_free(am_features *fx) {
  if (!fx) return;
  am_context *ctx = fx->ctx;
  for (int i = 0; i < resolutions(&fx->options); i++) {
    am_stft_free(&fx->at[i].stft);
    am_mel_free(&fx->at[i].mel);
  }
  am_functionals_free(fx->functionals);
  am_lld_free(&fx->lld);
  am_free(ctx, fx->dct);
  am_free(ctx, fx);
}

const am_feature_options *am_features_options(const am_features *fx) { return &fx->options; }

/* Frames before the mean over time, for n samples after trimming. */
static size_t frames_kept(const am_stft *stft, const am_feature_options *o, size_t n) {
  size_t t = am_stft_frames(stft, o->samples > 0 ? (size_t)o->samples : n);
  return o->max_frames > 0 && t > (size_t)o->max_frames ? (size_t)o->max_frames : t;
}

/* One vector a clip, however long it is. */
static bool one_vector(const am_feature_options *o) { return o->mean_over_time || o->kind == AM_FEATURE_FUNCTIONALS; }

static size_t frames_of(const am_features *fx, size_t n) { return frames_kept(&fx->at[0].stft, &fx->options, n); }

/* Of one resolution. */
static int spectral_bins(const am_feature_options *o) { return (int)(o->kind == AM_FEATURE_MFCC ? o->mfcc : o->mels); }

static int base_bins(const am_feature_options *o) {
  if (o->kind == AM_FEATURE_FUNCTIONALS) return am_functionals_count();
  return spectral_bins(o) * resolutions(o) + (o->prosody ? (int)AM_PROSODY_BINS : 0);
}

/* Bins with deltas, before the mean over time. */
static int all_bins(const am_feature_options *o) { return base_bins(o) * (1 + o->deltas); }

int am_feature_bins(const am_feature_options *o) { return o->mean_over_time ? 1 : all_bins(o); }

int am_feature_fixed_frames(const am_feature_options *o) {
  const am_stft stft = {.n_fft = (int)o->n_fft, .hop = (int)o->hop, .center = o->center};
  if (o->mean_over_time) return all_bins(o);
  if (o->kind == AM_FEATURE_FUNCTIONALS) return 1;
  return o->samples > 0 ? (int)frames_kept(&stft, o, (size_t)o->samples) : 0;
}

double am_feature_rows(const am_feature_options *o, double seconds) {
  const double clip = 3.2; /* s */
  if (one_vector(o)) return seconds / clip * am_feature_fixed_frames(o);
  return seconds * o->sample_rate / (double)o->hop;
}

void am_feature_name(const am_feature_options *o, int i, char name[AM_FEATURE_NAME]) {
  static const char *const orders[] = {"", "_delta", "_delta_delta"};
  static_assert((int)AM_FEATURE_NAME >= (int)AM_FUNCTIONALS_NAME, "functionals have names of their own");
  if (o->kind == AM_FEATURE_FUNCTIONALS) {
    am_functionals_name(i, name);
    return;
  }
  const int bin = i % base_bins(o), spectral = spectral_bins(o), all = spectral * resolutions(o);
  const char *order = orders[i / base_bins(o)], *word = o->kind == AM_FEATURE_MFCC ? "mfcc" : "mel";
  if (bin >= all) snprintf(name, AM_FEATURE_NAME, "%s%s", am_prosody_name(bin - all), order);
  else if (bin < spectral) snprintf(name, AM_FEATURE_NAME, "%s%d%s", word, bin, order);
  else snprintf(name, AM_FEATURE_NAME, "%s%d_fft%lld%s", word, bin - spectral, (long long)o->n_fft_also, order);
}

void am_features_shape(const am_features *fx, size_t n, int *t, int *f) {
  int fixed = one_vector(&fx->options) ? am_feature_fixed_frames(&fx->options) : 0;
  *t = fixed ? fixed : (int)frames_of(fx, n);
  *f = am_feature_bins(&fx->options);
}

int am_features_fixed_frames(const am_features *fx) { return am_feature_fixed_frames(&fx->options); }

double am_features_rate_needed(const am_feature_options *o) {
  /* With filters laid out for another rate, f_max is a frequency of that one. */
  return o->f_max > 0 && o->mel_rate <= 0 && 2 * o->f_max < o->sample_rate ? 2 * o->f_max : o->sample_rate;
}

size_t am_features_heard(const am_features *fx, const float *samples, size_t n, int frames, bool *cut) {
  const am_feature_options *o = &fx->options;
  size_t from = 0, to = n, most = SIZE_MAX;
  if (o->trim_db > 0) am_trim_range(samples, n, o->trim_db, &from, &to);
  if (!one_vector(o)) most = (size_t)frames;
  if (o->max_frames > 0 && most > (size_t)o->max_frames) most = (size_t)o->max_frames;
  size_t left = to - from, heard = left;
  if (o->samples > 0 && heard > (size_t)o->samples) heard = (size_t)o->samples;
  if (am_stft_frames(&fx->at[0].stft, heard) > most) /* as long as a sound may be without one frame more */
    heard = most * (size_t)o->hop - 1 + (o->center ? 0 : (size_t)(o->n_fft - o->hop));
  *cut = heard < left;
  return heard < left ? heard : left;
}

/* Work memory of one clip: placed twice, to count and to assign (base/arena.h). */
typedef struct work {
  float *block;        /* am_stft_work */
  float *power;        /* (bins, lanes) */
  float *samples;      /* with pre-emphasis, else NULL */
  float *mel;          /* (T,mels), where base is not that, else NULL */
  float *energy;       /* (T), with prosody, else NULL */
  float *base, *delta; /* (T,F) before and one order of deltas, when wanted */
  float *all;          /* (T, all bins), before the mean over time, when wanted */
} work;

/* Rows of mel bands are not rows of the base: they are transformed, or others stand beside them. */
static bool mel_apart(const am_feature_options *o) { return o->kind == AM_FEATURE_MFCC || o->prosody || o->n_fft_also; }

static void place(const am_features *fx, am_arena *a, size_t n, size_t t, work *w) {
  const am_feature_options *o = &fx->options;
  size_t f = (size_t)base_bins(o), room = 0, values = 0;
  for (int i = 0; i < resolutions(o); i++) {
    const am_stft *s = &fx->at[i].stft;
    const size_t need = am_stft_work(s), wanted = (size_t)s->bins * (size_t)s->kernels->lanes;
    room = need > room ? need : room;
    values = wanted > values ? wanted : values;
  }
  *w = (work){0};
  w->block = am_arena_take(a, room, sizeof(float));
  w->power = am_arena_take(a, values, sizeof(float));
  if (o->pre_emphasis > 0) w->samples = am_arena_take(a, n, sizeof(float));
  if (mel_apart(o)) w->mel = am_arena_take(a, am_mul(t, (size_t)o->mels), sizeof(float));
  if (o->prosody) w->energy = am_arena_take(a, t, sizeof(float));
  if (o->deltas) {
    w->base = am_arena_take(a, am_mul(t, f), sizeof(float));
    w->delta = am_arena_take(a, am_mul(t, f), sizeof(float));
  }
  if (o->mean_over_time) w->all = am_arena_take(a, am_mul(t, (size_t)all_bins(o)), sizeof(float));
}

/* Large enough for any sound, and small enough that no power overflows. */
static am_status check_samples(const float *x, size_t n, am_error *err) {
  const float limit = 1e12f;
  int bad = 0;
  for (size_t i = 0; i < n; i++) bad |= !(fabsf(x[i]) <= limit);
  if (!bad) return AM_OK;
  size_t i = 0;
  while (fabsf(x[i]) <= limit) i++;
  return am_fail(err, AM_E_NUMERIC, "features: sample %zu is %g; wanted finite samples of full scale 1", i,
                 (double)x[i]);
}

/* librosa.effects.preemphasis, whose first value continues the line through the first two. */
static void pre_emphasise(const float *x, size_t n, double c, float *out) {
  const float coefficient = (float)c;
  for (size_t i = n; i-- > 1;) out[i] = x[i] - coefficient * x[i - 1];
  if (n > 0) out[0] = x[0] + (n > 1 ? 2 * x[0] - x[1] : 0);
}

/* Power mel spectrogram of x (n) into out (T,mels). */
static void power_mel(const am_stft *stft, const am_mel *mel, const float *x, size_t n, size_t t, work *w, float *out) {
  const size_t lanes = (size_t)stft->kernels->lanes, mels = (size_t)mel->mels;
  for (size_t i = 0; i < t; i += lanes, out += lanes * mels) {
    const size_t frames = t - i < lanes ? t - i : lanes;
    if (am_stft_powers(stft, x, n, i, frames, w->block, w->power))
      am_mel_apply(mel, stft->kernels, w->power, (int)frames, out);
    else memset(out, 0, frames * mels * sizeof *out); /* padding */
  }
}

/* The logarithm (and the cosine transform) of m (T,mels) into rows of base (T, base_bins); they may be the same. */
static void compress(const am_features *fx, float *m, size_t t, float *base) {
  const am_feature_options *o = &fx->options;
  size_t mels = (size_t)o->mels, wide = (size_t)base_bins(o);
  int log = o->kind == AM_FEATURE_MFCC ? AM_DECIBEL : o->kind == AM_FEATURE_MEL ? AM_NO_LOG : o->log;
  const am_frame_kernels *kernels = fx->at[0].stft.kernels;
  if (log == AM_DECIBEL) am_power_to_db(kernels, m, t * mels, o->ref == AM_REF_MAX, o->amin, o->top_db);
  else if (log == AM_NATURAL_LOG) kernels->ln(t * mels, (float)o->amin, m);
  if (o->kind == AM_FEATURE_MFCC) kernels->cosines(t, (int)o->mels, (int)o->mfcc, fx->dct, m, base, wide);
  else
    for (size_t i = 0; i < t && m != base; i++) memcpy(base + i * wide, m + i * mels, mels * sizeof *base);
}

/* Into the last of base (T, base_bins), of sound without pre-emphasis; energy in decibels like those of log_mel. */
static am_status append_prosody(const am_features *fx, const float *x, size_t n, size_t t, float *energy, float *base,
                                am_error *err) {
  const am_feature_options *o = &fx->options;
  size_t wide = (size_t)base_bins(o), first = o->center ? 0 : (size_t)o->n_fft / 2;
  float *rows = base + spectral_bins(o) * resolutions(o);
  am_status status = am_prosody_compute(&fx->lld, x, n, first, (size_t)o->hop, t, rows, wide, err);
  if (status) return status;
  for (size_t i = 0; i < t; i++) energy[i] = rows[i * wide + AM_PROSODY_ENERGY];
  am_power_to_db(fx->at[0].stft.kernels, energy, t, o->ref == AM_REF_MAX, o->amin, o->top_db);
  for (size_t i = 0; i < t; i++) rows[i * wide + AM_PROSODY_ENERGY] = energy[i];
  return AM_OK;
}

/* base (T,F) and its deltas side by side into out (T, F*(1+orders)). */
static void append_deltas(const float *base, size_t t, size_t f, int orders, float *delta, float *out) {
  size_t wide = f * (size_t)(1 + orders);
  for (int order = 0; order <= orders; order++) {
    const float *from = base;
    if (order > 0) {
      am_delta(base, (int)t, (int)f, order, delta);
      from = delta;
    }
    for (size_t i = 0; i < t; i++) memcpy(out + i * wide + (size_t)order * f, from + i * f, f * sizeof *out);
  }
}

static void mean_over_time(const float *x, size_t t, size_t f, float *out) {
  for (size_t j = 0; j < f; j++) {
    double sum = 0;
    for (size_t i = 0; i < t; i++) sum += x[i * f + j];
    out[j] = (float)(sum / (double)t);
  }
}

static am_status compute(const am_features *fx, const am_mel *mel, const float *x, size_t n, size_t t, work *w,
                         float *out, am_error *err) {
  const am_feature_options *o = &fx->options;
  size_t f = (size_t)base_bins(o), cut = o->samples > 0 && n > (size_t)o->samples ? (size_t)o->samples : n;
  float *all = w->all ? w->all : out, *base = w->base ? w->base : all, *m = w->mel ? w->mel : base;
  am_status status = o->prosody ? append_prosody(fx, x, cut, t, w->energy, base, err) : AM_OK;
  if (status) return status;
  if (o->pre_emphasis > 0) {
    pre_emphasise(x, n, o->pre_emphasis, w->samples);
    x = w->samples;
  }
  n = cut;
  for (int i = 0; i < resolutions(o); i++) {
    power_mel(&fx->at[i].stft, &mel[i], x, n, t, w, m);
    compress(fx, m, t, base + i * spectral_bins(o));
  }
  if (o->deltas) append_deltas(base, t, f, o->deltas, w->delta, all);
  if (o->mean_over_time) mean_over_time(all, t, (size_t)all_bins(o), out);
  if (o->divide != 1) {
    size_t count = (size_t)all_bins(o) * (o->mean_over_time ? 1 : t);
    const float divide = (float)o->divide;
    for (size_t i = 0; i < count; i++) out[i] /= divide;
  }
  return AM_OK;
}

/* What kind functionals makes of a clip after trimming. */
static am_status vector(const am_features *fx, const float *x, size_t n, double warp, float *out, int *t,
                        am_error *err) {
  const am_feature_options *o = &fx->options;
  if (warp != 1)
    return am_fail(err, AM_E_CONFIG,
                   "augment.vtlp: it warps the mel filters of log_mel, mel and mfcc, and features.kind is functionals");
  size_t kept = o->samples > 0 ? (size_t)o->samples : n;
  float *own = NULL;
  if (kept > n || o->pre_emphasis > 0) {
    own = am_alloc(fx->ctx, kept > n ? kept : n, sizeof *own);
    if (!own) return am_no_memory(err);
    if (o->pre_emphasis > 0) pre_emphasise(x, n, o->pre_emphasis, own);
    else if (n > 0) memcpy(own, x, n * sizeof *x);
  }
  am_status status = am_functionals_compute(fx->functionals, own ? own : x, kept, out, err);
  am_free(fx->ctx, own);
  const float divide = (float)o->divide;
  for (int i = 0, bins = all_bins(o); !status && i < bins; i++) out[i] /= divide;
  *t = 1;
  return status;
}

/* Of a clip after trimming, at the level that is wanted. */
static am_status matrix(const am_features *fx, const float *samples, size_t n, double warp, float *out, int *t,
                        am_error *err) {
  am_status status = AM_OK;
  if (fx->functionals) return vector(fx, samples, n, warp, out, t, err);
  size_t frames = frames_of(fx, n);
  am_mel mel[RESOLUTIONS] = {fx->at[0].mel, fx->at[1].mel}, warped[RESOLUTIONS] = {0};
  for (int i = 0; i < resolutions(&fx->options) && warp != 1 && !status; i++) {
    status = am_mel_check(&fx->at[i].mel_options, warp, err);
    if (!status) status = am_mel_init(fx->ctx, &warped[i], &fx->at[i].mel_options, warp, err);
    mel[i] = warped[i];
  }
  work w;
  am_arena arena = {0};
  place(fx, &arena, n, frames, &w);
  arena = (am_arena){.base = status ? NULL : am_alloc_aligned(fx->ctx, arena.used), .size = arena.used};
  if (arena.base) {
    place(fx, &arena, n, frames, &w);
    status = compute(fx, mel, samples, n, frames, &w, out, err);
    int f;
    am_features_shape(fx, n, t, &f);
  } else if (!status) {
    status = am_no_memory(err);
  }
  am_free_aligned(fx->ctx, arena.base);
  for (int i = 0; i < RESOLUTIONS; i++) am_mel_free(&warped[i]);
  return status;
}

am_status am_features_compute(const am_features *fx, const float *samples, size_t n, double warp, float *out, int *t,
                              am_error *err) {
  float *own = NULL;
  am_status status = check_samples(samples, n, err);
  if (status) return status;
  if (fx->options.trim_db > 0 && n > 0) {
    size_t from, to;
    am_trim_range(samples, n, fx->options.trim_db, &from, &to);
    samples += from;
    n = to - from;
  }
  if (fx->options.level < 0)
    status = am_level_bring(fx->ctx, samples, n, fx->options.sample_rate, fx->options.level, &own, err);
  if (!status) status = matrix(fx, own ? own : samples, n, warp, out, t, err);
  am_free(fx->ctx, own);
  return status;
}

static uint64_t mix_real(uint64_t key, double x) { return am_hash64(key, &x, sizeof x); }

static uint64_t audio_key(const am_feature_options *o) {
  return mix_real(mix_real(0x617564696fu, AM_FEATURES_VERSION), o->sample_rate);
}

uint64_t am_features_audio_key(const am_features *fx) { return audio_key(&fx->options); }

static bool is_one_of(const am_option *o, const size_t *offsets, size_t n) {
  size_t i = 0;
  while (i < n && offsets[i] != o->offset) i++;
  return i < n;
}

/* As keys have always said it: 0 and its meaning share a key, and of mel_norm, whether filters are of equal area. */
static double key_number(const am_option *option, const am_feature_options *o) {
  const double rate = o->mel_rate > 0 ? o->mel_rate : o->sample_rate;
  switch (option->offset) {
    case offsetof(am_feature_options, mel_rate): return rate;
    case offsetof(am_feature_options, window): return (double)(o->window > 0 ? o->window : o->n_fft);
    case offsetof(am_feature_options, f_max): return o->f_max > 0 ? o->f_max : rate / 2;
    case offsetof(am_feature_options, mel_norm): return o->mel_norm == AM_MEL_NORM_SLANEY;
    default: return am_option_number(option, o);
  }
}

/* What is done with the features afterwards. */
static bool is_of_use(const am_option *o) {
  static const size_t use[] = {offsetof(am_feature_options, normalise), offsetof(am_feature_options, normalise_by),
                               offsetof(am_feature_options, shrink)};
  return is_one_of(o, use, sizeof use / sizeof *use);
}

uint64_t am_feature_options_key(const am_option *table, const am_feature_options *o, uint64_t key) {
  bool first = true; /* those of the first version are in every key */
  if (o->kind == AM_FEATURE_FUNCTIONALS || o->prosody) key = mix_real(key, AM_FUNCTIONALS_VERSION);
  for (; table->name; table++) {
    /* The rate is in the key of the sound. */
    if (table->offset == offsetof(am_feature_options, sample_rate) || is_of_use(table)) continue;
    key = first ? mix_real(key, key_number(table, o)) : am_option_mix(key, table, o);
    if (table->offset == offsetof(am_feature_options, divide)) first = false;
  }
  /* Of these, earlier versions had the second transform in the wrong rows. */
  if (o->n_fft_also && !o->prosody && o->kind != AM_FEATURE_MFCC) key = mix_real(key, 2);
  return key;
}

uint64_t am_feature_key(const am_feature_options *o) {
  return am_feature_options_key(am_feature_table, o, audio_key(o));
}

uint64_t am_features_key(const am_features *fx) {
  const uint64_t key = am_feature_key(&fx->options), rounding = fx->at[0].stft.kernels->rounding;
  return rounding && !fx->functionals ? am_hash64(key, &rounding, sizeof rounding) : key;
}

const am_option *am_feature_difference(const am_feature_options *a, const am_feature_options *b) {
  for (const am_option *o = am_feature_table; o->name; o++)
    if (!is_of_use(o) && key_number(o, a) != key_number(o, b)) return o;
  return NULL;
}
