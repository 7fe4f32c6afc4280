/* SPDX-License-Identifier: MIT */
/* audio/lld.c - the low-level descriptors of the ComParE set and some of the GeMAPS, from their published definitions. */
#include "audio/lld.h"

#include "audio/periods.h"
#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct group {
  const char *name;
  int n, from; /* from: number of the first, where there are several */
} groups[] = {
    {"loudness", 1, 0},
    {"loudness_rasta", 1, 0},
    {"rms", 1, 0},
    {"zero_crossings", 1, 0},
    {"sharpness", 1, 0},
    {"band_250_650", 1, 0},
    {"band_1000_4000", 1, 0},
    {"rolloff25", 1, 0},
    {"rolloff50", 1, 0},
    {"rolloff75", 1, 0},
    {"rolloff90", 1, 0},
    {"flux", 1, 0},
    {"centroid", 1, 0},
    {"entropy", 1, 0},
    {"variance", 1, 0},
    {"skewness", 1, 0},
    {"kurtosis", 1, 0},
    {"slope", 1, 0},
    {"slope_0_500", 1, 0},
    {"slope_500_1500", 1, 0},
    {"harmonicity", 1, 0},
    {"alpha_ratio", 1, 0},
    {"hammarberg", 1, 0},
    {"rasta", AM_AUDITORY_BANDS, 0},
    {"band", AM_AUDITORY_BANDS, 0},
    {"mfcc", AM_AUDITORY_CEPSTRA, 1},
    {"voicing", 1, 0},
    {"f0", 1, 0},
    {"jitter", 1, 0},
    {"jitter_ddp", 1, 0},
    {"shimmer", 1, 0},
    {"hnr", 1, 0},
};

void am_lld_name(int i, char name[AM_LLD_NAME]) {
  const struct group *g = groups;
  while (i >= g->n) i -= g++->n;
  if (g->n == 1) snprintf(name, AM_LLD_NAME, "%s", g->name);
  else snprintf(name, AM_LLD_NAME, "%s%d", g->name, g->from + i);
}

am_status am_lld_init(am_context *ctx, am_lld *l, double rate, am_error *err) {
  *l = (am_lld){.ctx = ctx, .rate = rate};
  int hop = (int)(0.01 * rate + 0.5), window = (int)(0.025 * rate + 0.5), n_fft = 16;
  while (n_fft < window) n_fft *= 2;
  am_status status = am_stft_init(ctx, &l->stft, n_fft, hop, window, true, err);
  if (!status) status = am_auditory_init(ctx, &l->auditory, rate, n_fft, err);
  if (!status) status = am_pitch_init(ctx, &l->pitch, rate, err);
  if (status) am_lld_free(l);
  return status;
}

void am_lld_free(am_lld *l) {
  am_stft_free(&l->stft);
  am_auditory_free(&l->auditory);
  am_pitch_free(&l->pitch);
}

size_t am_lld_frames(const am_lld *l, size_t n) {
  size_t hops = n / (size_t)l->stft.hop;
  return hops > 2 ? hops - 1 : 1;
}

enum { BLOCK = 8 }; /* frames whose filters are applied side by side: lanes of the plain kernels */

typedef struct work {
  float *frame, *spectrum, *power, *level; /* power: of this frame and the one before, (2, bins) */
  float *block;                            /* (bins, BLOCK), as the mel filters want them */
  float *mel;                              /* (BLOCK, 26) */
  am_period *periods;
} work;

static void place(const am_lld *l, am_arena *a, size_t n, work *w) {
  size_t bins = (size_t)l->stft.bins;
  w->frame = am_arena_take(a, (size_t)l->stft.n_fft, sizeof(float));
  w->spectrum = am_arena_take(a, 2 * bins, sizeof(float));
  w->power = am_arena_take(a, 2 * bins, sizeof(float));
  w->level = am_arena_take(a, bins, sizeof(float));
  w->block = am_arena_take(a, bins * BLOCK, sizeof(float));
  w->mel = am_arena_take(a, BLOCK * AM_AUDITORY_BANDS, sizeof(float));
  w->periods = am_arena_take(a, am_periods_room(n, l->rate), sizeof(am_period));
}

/* Root mean square and share of zero crossings of the samples that frame t covers. */
static void waveform(const am_lld *l, const float *x, size_t n, size_t t, float *rms, float *crossings) {
  size_t hop = (size_t)l->stft.hop, from = t * hop, to = from + 2 * hop < n ? from + 2 * hop : n;
  double sum = 0;
  int changes = 0;
  for (size_t i = from; i < to; i++) sum += (double)x[i] * x[i];
  for (size_t i = from + 1; i < to; i++) changes += (x[i] < 0) != (x[i - 1] < 0);
  *rms = to > from ? (float)sqrt(sum / (double)(to - from)) : 0;
  *crossings = to > from ? (float)changes / (float)(to - from) : 0;
}

/* Power spectra, and what is made of each: out (AM_LLDS, frames), and the bands' power in the rows of AM_LLD_LOG_BAND. */
static void spectra(const am_lld *l, const float *x, size_t n, size_t frames, work *w, float *out) {
  size_t bins = (size_t)l->stft.bins, wide = BLOCK;
  const double hertz = l->rate / l->stft.n_fft;
  float scale = 0; /* a sine of amplitude 1 has power 1 */
  for (int i = 0; i < l->stft.n_fft; i++) scale += l->stft.window[i];
  scale = 4 / (scale * scale);
  for (size_t t = 0; t < frames; t++) {
    float *power = w->power + (t % 2) * bins, *before = w->power + (1 - t % 2) * bins;
    if (am_stft_frame(&l->stft, x, n, t + 1, w->frame)) am_stft_power(&l->stft, w->frame, w->spectrum, power, 1);
    else memset(power, 0, bins * sizeof *power);
    for (size_t k = 0; k < bins; k++) w->block[k * wide + t % wide] = power[k] *= scale;
    am_spectrum_describe(power, t ? before : power, (int)bins, hertz, w->level, out + AM_LLD_SPECTRAL * frames + t,
                         (int)frames);
    waveform(l, x, n, t, out + AM_LLD_RMS * frames + t, out + AM_LLD_ZERO_CROSSINGS * frames + t);
    if (t % wide != wide - 1 && t + 1 != frames) continue;
    int done = (int)(t % wide) + 1;
    am_mel_apply(&l->auditory.mel, am_frame_kernels_plain(), w->block, done, w->mel);
    for (int i = 0; i < done; i++)
      for (size_t b = 0; b < AM_AUDITORY_BANDS; b++)
        out[(AM_LLD_LOG_BAND + b) * frames + t + 1 - (size_t)(done - i)] = w->mel[(size_t)i * AM_AUDITORY_BANDS + b];
  }
}

/* Harmonics to noise in dB from the normalised autocorrelation at the period (Boersma 1993, eq. 4). */
static double harmonics_to_noise(double r) {
  r = fmax(1e-4, fmin(0.9999, r));
  return 10 * log10(r / (1 - r));
}

static am_status voice(const am_lld *l, const float *x, size_t n, size_t frames, work *w, float *out, bool *voiced,
                       am_error *err) {
  float *f0 = out + AM_LLD_F0 * frames, *voicing = out + AM_LLD_VOICING * frames, *hnr = out + AM_LLD_HNR * frames;
  am_status status = am_pitch_track(&l->pitch, x, n, l->stft.hop, frames, f0, voicing, err);
  if (status) return status;
  size_t periods = am_periods_find(x, n, l->rate, f0, frames, l->stft.hop, w->periods);
  am_periods_vary(w->periods, periods, l->rate, frames, l->stft.hop, out + AM_LLD_JITTER * frames,
                  out + AM_LLD_JITTER_DDP * frames, out + AM_LLD_SHIMMER * frames);
  for (size_t t = 0; t < frames; t++) {
    voiced[t] = f0[t] > 0;
    if (voiced[t]) f0[t] = (float)(12 * log2(f0[t] / 27.5));
    hnr[t] = voiced[t] ? (float)harmonics_to_noise(voicing[t]) : 0;
    for (int i = AM_LLD_JITTER; i <= AM_LLD_SHIMMER; i++)
      if (!voiced[t]) out[(size_t)i * frames + t] = 0;
  }
  return AM_OK;
}

am_status am_lld_compute(const am_lld *l, const float *x, size_t n, float *out, bool *voiced, am_error *err) {
  size_t frames = am_lld_frames(l, n);
  am_arena arena = {0};
  work w;
  place(l, &arena, n, &w);
  arena = (am_arena){.base = am_alloc_aligned(l->ctx, arena.used), .size = arena.used};
  if (!arena.base) return am_no_memory(err);
  place(l, &arena, n, &w);
  spectra(l, x, n, frames, &w, out);
  const am_auditory_out heard = {.loudness = out + AM_LLD_LOUDNESS * frames,
                                 .loudness_rasta = out + AM_LLD_LOUDNESS_RASTA * frames,
                                 .sharpness = out + AM_LLD_SHARPNESS * frames,
                                 .rasta = out + AM_LLD_RASTA * frames,
                                 .mfcc = out + AM_LLD_MFCC * frames};
  am_auditory_describe(&l->auditory, out + AM_LLD_LOG_BAND * frames, frames, &heard);
  am_status status = voice(l, x, n, frames, &w, out, voiced, err);
  am_free_aligned(l->ctx, arena.base);
  return status;
}
