/* SPDX-License-Identifier: MIT */
/* exchange/onnx_write_features.c - from samples to features as nodes of ONNX, in the order of audio/features.h.
 *
 * The Fourier transform is a convolution: windows times cosines and sines, a stride of `hop`.  ONNX Runtime makes it in less time
 * than its operator STFT (docs/onnx.md), and every other runtime has it.  Clips of a batch differ in length: what is past a clip's
 * end is made zero first, and counts in no maximum, mean or slope. */
#include <float.h>
#include <math.h>

#include "exchange/onnx_write.h"

typedef am_onnx_writer writer;

/* A clip's samples, and how many. */
typedef struct sound {
  const char *x; /* (B,N), zeros past n */
  const char *n; /* (B) int64 */
} sound;

const char *am_onnx_features_refused(const am_feature_options *o) {
  if (o->kind == AM_FEATURE_FUNCTIONALS)
    return "kind is functionals, whose periods of the voice and sums over its stretches are no operators of ONNX";
  if (o->prosody) return "prosody is true, and the path of F0 through the frames is no operator of ONNX";
  return NULL;
}

static const char *node(writer *w, const char *op, const char *a, const char *b) {
  return am_onnx_call(w->m, op, a, b);
}

static const char *unsqueeze(writer *w, const char *x, int64_t axis) {
  return node(w, "Unsqueeze", x, am_onnx_k(w, axis));
}

static const char *cast(writer *w, const char *x, am_onnx_type to) {
  const char *y = am_onnx_call(w->m, "Cast", x);
  am_onnx_set_int(w->m, "to", to);
  return y;
}

/* Kept dimensions. */
static const char *reduce(writer *w, const char *op, const char *x, size_t n, const int64_t *axes) {
  const char *y = am_onnx_call(w->m, op, x);
  am_onnx_set_ints(w->m, "axes", n, axes);
  am_onnx_set_int(w->m, "keepdims", 1);
  return y;
}

static const char *sum(writer *w, const char *x, size_t n, const int64_t *axes) {
  const char *y = node(w, "ReduceSum", x, am_onnx_k_ints(w, n, axes));
  am_onnx_set_int(w->m, "keepdims", 1);
  return y;
}

static const char *slice(writer *w, const char *x, const char *from, const char *to, int64_t axis) {
  return am_onnx_call(w->m, "Slice", x, from, to, am_onnx_k(w, axis));
}

static const char *pad(writer *w, const char *x, size_t n, const int64_t *pads) {
  return am_onnx_call(w->m, "Pad", x, am_onnx_k_ints(w, n, pads), am_onnx_k_float(w, 0));
}

static const char *own_array(writer *w, const char *name, int rank, const int64_t *dims, const float *data) {
  return data ? am_onnx_floats(w->m, am_onnx_text(w->m, "%sfeatures/%s", w->prefix, name), rank, dims, data) : "";
}

static sound cut(writer *w, const char *x, const char *n) {
  return (sound){am_onnx_call(w->m, "Where", am_onnx_before(w, x, 1, n), x, am_onnx_k_float(w, 0)), n};
}

/* librosa.effects.trim: frames of 2048 samples every 512, those louder than so many dB below the loudest (audio/trim.c). */
static sound trim(writer *w, sound s, double top_db) {
  const char *squares = node(w, "Mul", s.x, s.x);
  const char *power = am_onnx_call(w->m, "AveragePool", unsqueeze(w, squares, 1));
  am_onnx_set_ints(w->m, "kernel_shape", 1, (int64_t[]){2048});
  am_onnx_set_ints(w->m, "strides", 1, (int64_t[]){512});
  am_onnx_set_ints(w->m, "pads", 2, (int64_t[]){1024, 1024});
  am_onnx_set_int(w->m, "count_include_pad", 1);
  power = node(w, "Max", node(w, "Squeeze", power, am_onnx_k(w, 1)), am_onnx_k_float(w, 1e-10)); /* (B,T) */
  const char *frames = node(w, "Add", node(w, "Div", s.n, am_onnx_k_int(w, 512)), am_onnx_k_int(w, 1));
  power = am_onnx_call(w->m, "Where", am_onnx_before(w, power, 1, frames), power, am_onnx_k_float(w, 0));
  const char *threshold =
      node(w, "Mul", reduce(w, "ReduceMax", power, 1, (int64_t[]){1}), am_onnx_k_float(w, pow(10, -top_db / 10)));
  const char *loud = cast(w, node(w, "Greater", power, threshold), AM_ONNX_FLOAT), *edge[2];
  for (int last = 0; last < 2; last++) {
    const char *frame = am_onnx_call(w->m, "ArgMax", loud);
    am_onnx_set_int(w->m, "axis", 1);
    am_onnx_set_int(w->m, "keepdims", 0);
    am_onnx_set_int(w->m, "select_last_index", last);
    if (last) frame = node(w, "Add", frame, am_onnx_k_int(w, 1));
    edge[last] = node(w, "Min", node(w, "Mul", frame, am_onnx_k_int(w, 512)), s.n);
  }
  const char *samples = am_onnx_extent(w, s.x, 1);
  const char *range = am_onnx_call(w->m, "Range", am_onnx_k_int(w, 0), samples, am_onnx_k_int(w, 1));
  const char *index = node(w, "Add", unsqueeze(w, range, 0), unsqueeze(w, edge[0], 1));
  index = node(w, "Min", index, node(w, "Sub", samples, am_onnx_k_int(w, 1)));
  const char *moved = node(w, "GatherElements", s.x, index);
  am_onnx_set_int(w->m, "axis", 1);
  return cut(w, moved, node(w, "Sub", edge[1], edge[0]));
}

/* The sound at a level of so many dB, by the mean power of its blocks that are less than 10 dB below the mean of all
 * (audio/level.c). */
static sound bring_to_level(writer *w, sound s, double rate, double level) {
  const int64_t block = rate > 100 ? (int64_t)(0.02 * rate) : 1;
  const char *squares = pad(w, node(w, "Mul", s.x, s.x), 4, (int64_t[]){0, 0, 0, block - 1});
  const char *power = am_onnx_call(w->m, "AveragePool", unsqueeze(w, squares, 1));
  am_onnx_set_ints(w->m, "kernel_shape", 1, &block);
  am_onnx_set_ints(w->m, "strides", 1, &block);
  power =
      node(w, "Mul", node(w, "Squeeze", power, am_onnx_k(w, 1)), am_onnx_k_float(w, (double)block)); /* (B,blocks) */
  /* samples of each block: the last one may be short, and those behind it have none */
  const char *first =
      am_onnx_call(w->m, "Range", am_onnx_k_int(w, 0), am_onnx_extent(w, s.x, 1), am_onnx_k_int(w, block));
  const char *count = node(w, "Sub", unsqueeze(w, s.n, 1), unsqueeze(w, first, 0));
  count = cast(w, node(w, "Max", node(w, "Min", count, am_onnx_k_int(w, block)), am_onnx_k_int(w, 0)), AM_ONNX_FLOAT);
  const int64_t time[] = {1};
  const char *n = unsqueeze(w, cast(w, s.n, AM_ONNX_FLOAT), 1);
  const char *gate = node(w, "Div", node(w, "Div", sum(w, power, 1, time), n), am_onnx_k_float(w, 10));
  const char *loud = cast(w, node(w, "GreaterOrEqual", power, node(w, "Mul", gate, count)), AM_ONNX_FLOAT);
  const char *kept = sum(w, node(w, "Mul", loud, count), 1, time);
  const char *mean = node(w, "Div", sum(w, node(w, "Mul", loud, power), 1, time), kept);
  const char *heard = node(w, "Greater", mean, am_onnx_k_float(w, 1e-20)); /* -200 dB: silence stays what it is */
  const char *factor = am_onnx_call(w->m, "Sqrt", node(w, "Div", am_onnx_k_float(w, pow(10, level / 10)), mean));
  factor = am_onnx_call(w->m, "Where", heard, factor, am_onnx_k_float(w, 1));
  return (sound){node(w, "Mul", s.x, factor), s.n};
}

/* librosa.effects.preemphasis (audio/features.c): its first value continues the line through the first two. */
static sound pre_emphasise(writer *w, sound s, double c) {
  const char *before = pad(w, s.x, 4, (int64_t[]){0, 1, 0, 0}); /* (B,N+1): x[t-1] at t */
  const char *shifted = slice(w, before, am_onnx_k(w, 0), am_onnx_k(w, -1), 1);
  const char *y = node(w, "Sub", s.x, node(w, "Mul", shifted, am_onnx_k_float(w, c)));
  const char *two = pad(w, s.x, 4, (int64_t[]){0, 0, 0, 1}); /* there is a second sample, or 0 */
  const char *first = slice(w, two, am_onnx_k(w, 0), am_onnx_k(w, 1), 1),
             *second = slice(w, two, am_onnx_k(w, 1), am_onnx_k(w, 2), 1);
  const char *line = node(w, "Sub", node(w, "Mul", first, am_onnx_k_float(w, 3)), second);
  const char *many = node(w, "Greater", unsqueeze(w, s.n, 1), am_onnx_k_int(w, 1));
  const char *start = am_onnx_call(w->m, "Where", many, line, first);
  const char *rest = slice(w, y, am_onnx_k(w, 1), am_onnx_k(w, INT64_MAX), 1);
  const char *all = node(w, "Concat", start, rest);
  am_onnx_set_int(w->m, "axis", 1);
  return cut(w, all, s.n);
}

/* Of each clip, and at least 1. */
static const char *frames_of(writer *w, const am_feature_options *o, const char *n) {
  const int fixed = o->samples > 0 ? o->center               ? (int)(1 + o->samples / o->hop)
                                     : o->samples < o->n_fft ? 1
                                                             : (int)(1 + (o->samples - o->n_fft) / o->hop)
                                   : 0;
  const char *t;
  if (fixed) t = node(w, "Add", node(w, "Mul", n, am_onnx_k_int(w, 0)), am_onnx_k_int(w, fixed));
  else {
    if (!o->center) n = node(w, "Max", node(w, "Sub", n, am_onnx_k_int(w, o->n_fft)), am_onnx_k_int(w, 0));
    t = node(w, "Add", node(w, "Div", n, am_onnx_k_int(w, o->hop)), am_onnx_k_int(w, 1));
  }
  return o->max_frames > 0 ? node(w, "Min", t, am_onnx_k_int(w, o->max_frames)) : t;
}

/* cos and -sin of each bin times the window: (2 bins, 1, n_fft). */
static const char *transform(writer *w, int64_t n_fft, int64_t window, const char *name) {
  const int64_t all = n_fft / 2 + 1;
  float *kernel = am_onnx_room(w, am_mul(2 * (size_t)all, (size_t)n_fft)), *hann = am_onnx_room(w, (size_t)n_fft);
  if (!kernel || !hann) return "";
  am_hann(hann + (n_fft - window) / 2, (size_t)window);
  const double turn = 2 * 3.14159265358979323846 / (double)n_fft;
  for (int64_t k = 0; k < all; k++)
    for (int64_t i = 0; i < n_fft; i++) {
      const double angle = turn * (double)(k * i % n_fft);
      kernel[k * n_fft + i] = (float)(cos(angle) * (double)hann[i]);
      kernel[(all + k) * n_fft + i] = (float)(-sin(angle) * (double)hann[i]);
    }
  return own_array(w, name, 3, (int64_t[]){2 * all, 1, n_fft}, kernel);
}

/* (mels, bins) */
static am_status mel_filters(writer *w, const am_feature_options *o, int64_t n_fft, const char *name, const char **out,
                             am_error *err) {
  const double rate = o->mel_rate > 0 ? o->mel_rate : o->sample_rate;
  const int64_t dims[2] = {o->mels, n_fft / 2 + 1};
  float *filters = am_onnx_room(w, am_mul((size_t)dims[0], (size_t)dims[1]));
  if (!filters) return am_no_memory(err);
  am_status status = am_mel_filters(rate, (int)n_fft, (int)o->mels, o->f_min, o->f_max > 0 ? o->f_max : rate / 2,
                                    o->mel_scale == AM_MEL_HTK, o->mel_norm == AM_MEL_NORM_SLANEY, 1, filters, err);
  *out = own_array(w, name, 2, dims, filters);
  return status;
}

/* Power mel spectra (B,T,mels) of the frames of the longest clip: frame t is about sample t hop of x, or begins there. */
static am_status power_mel(writer *w, const am_feature_options *o, sound s, const char *frames, int64_t n_fft,
                           bool also, const char **out, am_error *err) {
  const char *filters = "";
  am_status status = mel_filters(w, o, n_fft, also ? "mel_also" : "mel", &filters, err);
  if (status) return status;
  const int64_t window = !also && o->window > 0 ? o->window : n_fft, bins = n_fft / 2 + 1,
                begin = o->center ? n_fft / 2 : 0;
  const char *padded = pad(w, s.x, 4, (int64_t[]){0, begin, 0, n_fft + o->samples});
  const char *most = reduce(w, "ReduceMax", frames, 1, (int64_t[]){0}); /* (1) */
  const char *needed = node(w, "Mul", node(w, "Sub", most, am_onnx_k_int(w, 1)), am_onnx_k_int(w, o->hop));
  needed = node(w, "Add", needed, am_onnx_k_int(w, n_fft));
  const char *used = slice(w, padded, am_onnx_k(w, 0), needed, 1);
  const char *spectrum =
      am_onnx_call(w->m, "Conv", unsqueeze(w, used, 1), transform(w, n_fft, window, also ? "fourier_also" : "fourier"));
  am_onnx_set_ints(w->m, "kernel_shape", 1, &n_fft);
  am_onnx_set_ints(w->m, "strides", 1, &o->hop);
  const char *part[2], *square[2];
  am_onnx_node_many(w->m, "Split", (const char *const[]){spectrum, am_onnx_k(w, bins, bins), NULL}, 2, part);
  am_onnx_set_int(w->m, "axis", 1);
  for (int i = 0; i < 2; i++) square[i] = node(w, "Mul", part[i], part[i]);
  const char *mel = node(w, "MatMul", filters, node(w, "Add", square[0], square[1])); /* (B,mels,T) */
  *out = am_onnx_call(w->m, "Transpose", mel);
  am_onnx_set_ints(w->m, "perm", 3, (int64_t[]){0, 2, 1});
  return AM_OK;
}

/* librosa.power_to_db of the frames that count (audio/decibel.c). */
static const char *decibels(writer *w, const am_feature_options *o, const char *x, const char *mask) {
  const char *y = node(w, "Max", x, am_onnx_k_float(w, o->amin));
  y = node(w, "Mul", am_onnx_call(w->m, "Log", y), am_onnx_k_float(w, 10 / log(10)));
  if (o->ref != AM_REF_MAX && !(o->top_db > 0)) return y;
  const char *heard = am_onnx_call(w->m, "Where", mask, y, am_onnx_k_float(w, -FLT_MAX));
  const char *top = reduce(w, "ReduceMax", heard, 2, (int64_t[]){1, 2});
  if (o->ref == AM_REF_MAX) {
    y = node(w, "Sub", y, top);
    return o->top_db > 0 ? node(w, "Max", y, am_onnx_k_float(w, -o->top_db)) : y;
  }
  return node(w, "Max", y, node(w, "Sub", top, am_onnx_k_float(w, o->top_db)));
}

static const char *compress(writer *w, const am_feature_options *o, const char *x, const char *mask, bool also) {
  const int log = o->kind == AM_FEATURE_MFCC ? AM_DECIBEL : o->kind == AM_FEATURE_MEL ? AM_NO_LOG : o->log;
  if (log == AM_DECIBEL) x = decibels(w, o, x, mask);
  if (log == AM_NATURAL_LOG) x = am_onnx_call(w->m, "Log", node(w, "Max", x, am_onnx_k_float(w, o->amin)));
  if (o->kind != AM_FEATURE_MFCC) return x;
  const size_t count = am_mul((size_t)o->mels, (size_t)o->mfcc);
  double *table = w->m->failed ? NULL : am_tree_take(w->tree, count, sizeof *table);
  float *dct = am_onnx_room(w, count);
  if (!table || !dct) {
    w->m->failed = true;
    return "";
  }
  am_dct2_table(table, (int)o->mels, (int)o->mfcc);
  for (size_t i = 0; i < count; i++) dct[i] = (float)table[i];
  return node(w, "MatMul", x, own_array(w, also ? "dct_also" : "dct", 2, (int64_t[]){o->mels, o->mfcc}, dct));
}

/* The Savitzky-Golay derivative over 2 half + 1 frames (audio/cepstrum.c), of half 1 to 4 in (4,1,9,1). */
static const char *slopes(writer *w, int order) {
  float *all = am_onnx_room(w, 4 * 9);
  for (int half = 1; all && half <= 4; half++) {
    double squares = 0, fourth = 0, width = 2 * half + 1;
    for (int k = -half; k <= half; k++) squares += k * k;
    const double mean = squares / width;
    for (int k = -half; k <= half; k++) fourth += (k * k - mean) * (k * k - mean);
    for (int k = -half; k <= half; k++)
      all[(half - 1) * 9 + 4 + k] = (float)(order == 1 ? k / squares : 2 * (k * k - mean) / fourth);
  }
  return own_array(w, order == 1 ? "delta" : "delta_delta", 4, (int64_t[]){4, 1, 9, 1}, all);
}

/* Of x (B,T,F), zeros past the frames: as wide as the clip is long, at most 9; the slopes at the edges are those of the outermost
 * whole window. */
static const char *delta(writer *w, const char *x, const char *frames, int order) {
  const char *all = am_onnx_call(w->m, "Conv", unsqueeze(w, x, 1), slopes(w, order)); /* (B,4,T,F) */
  am_onnx_set_ints(w->m, "pads", 4, (int64_t[]){4, 0, 4, 0});
  const char *half = node(w, "Div", node(w, "Sub", frames, am_onnx_k_int(w, 1)), am_onnx_k_int(w, 2));
  half = unsqueeze(w, node(w, "Min", half, am_onnx_k_int(w, 4)), 1); /* (B,1) */
  const char *chosen = cast(w, node(w, "Equal", half, am_onnx_k(w, 1, 2, 3, 4)), AM_ONNX_FLOAT);
  const char *weighted = node(w, "Mul", all, node(w, "Unsqueeze", chosen, am_onnx_k(w, 2, 3)));
  const char *y = node(w, "ReduceSum", weighted, am_onnx_k(w, 1));
  am_onnx_set_int(w->m, "keepdims", 0);
  const char *range = am_onnx_call(w->m, "Range", am_onnx_k_int(w, 0), am_onnx_extent(w, x, 1), am_onnx_k_int(w, 1));
  const char *last = node(w, "Sub", node(w, "Sub", unsqueeze(w, frames, 1), am_onnx_k_int(w, 1)), half);
  const char *at = node(w, "Max", node(w, "Min", unsqueeze(w, range, 0), last), half);
  at = node(w, "Max", at, am_onnx_k_int(w, 0));
  const char *gathered = node(w, "GatherND", y, unsqueeze(w, at, 2));
  am_onnx_set_int(w->m, "batch_dims", 1);
  return gathered;
}

static const char *append(writer *w, const char *a, const char *b) {
  const char *y = node(w, "Concat", a, b);
  am_onnx_set_int(w->m, "axis", 2);
  return y;
}

static const char *append_deltas(writer *w, const am_feature_options *o, const char *base, const char *frames,
                                 const char *mask) {
  const char *all = base, *heard = am_onnx_call(w->m, "Where", mask, base, am_onnx_k_float(w, 0));
  for (int order = 1; order <= o->deltas; order++) all = append(w, all, delta(w, heard, frames, order));
  return all;
}

/* (B,T,F) to (B,F,1) */
static const char *mean_over_time(writer *w, const char *x, const char *frames, const char *mask) {
  const char *heard = am_onnx_call(w->m, "Where", mask, x, am_onnx_k_float(w, 0));
  const char *total = sum(w, heard, 1, (int64_t[]){1});
  const char *n = node(w, "Unsqueeze", cast(w, frames, AM_ONNX_FLOAT), am_onnx_k(w, 1, 2));
  const char *mean = am_onnx_call(w->m, "Transpose", node(w, "Div", total, n));
  am_onnx_set_ints(w->m, "perm", 3, (int64_t[]){0, 2, 1});
  return mean;
}

am_status am_onnx_write_features(writer *w, const am_feature_options *o, const char *samples, const char *lengths,
                                 int most, const char **features, const char **frames, am_error *err) {
  am_onnx_scope(w->m, am_onnx_text(w->m, "%sfeatures", w->prefix));
  sound s = cut(w, samples, node(w, "Min", lengths, am_onnx_extent(w, samples, 1)));
  if (o->trim_db > 0) s = trim(w, s, o->trim_db);
  if (o->level < 0) s = bring_to_level(w, s, o->sample_rate, o->level);
  if (o->pre_emphasis > 0) s = pre_emphasise(w, s, o->pre_emphasis);
  if (o->samples > 0) s = cut(w, s.x, node(w, "Min", s.n, am_onnx_k_int(w, o->samples)));
  *frames = frames_of(w, o, s.n);
  const char *x = NULL, *mask = NULL;
  for (int i = 0; i < (o->n_fft_also ? 2 : 1); i++) {
    const char *mel;
    am_status status = power_mel(w, o, s, *frames, i ? o->n_fft_also : o->n_fft, i, &mel, err);
    if (status) return status;
    if (!mask) mask = unsqueeze(w, am_onnx_before(w, mel, 1, *frames), 2);
    mel = compress(w, o, mel, mask, i);
    x = x ? append(w, x, mel) : mel;
  }
  if (o->deltas) x = append_deltas(w, o, x, *frames, mask);
  if (o->mean_over_time) x = mean_over_time(w, x, *frames, mask);
  if (o->divide != 1) x = node(w, "Div", x, am_onnx_k_float(w, o->divide));
  if (!am_feature_fixed_frames(o)) { /* what is longer than what the model hears is cut */
    x = slice(w, x, am_onnx_k(w, 0), am_onnx_k(w, most), 1);
    *frames = node(w, "Min", *frames, am_onnx_k_int(w, most));
  }
  *features = x;
  return w->m->failed ? am_no_memory(err) : AM_OK;
}

/* ---- normalisation ---- */

/* By the clip's own mean and deviation, of which one below 1e-6 counts as 1.  The first frame is taken off before: so a bin that
 * stays as it is has a deviation of exactly 0. */
static const char *by_clip(writer *w, bool all, const char *x, const char *lengths) {
  const int64_t axes[] = {1, 2};
  const size_t n = all ? 2 : 1;
  const char *mask = lengths ? unsqueeze(w, am_onnx_before(w, x, 1, lengths), 2) : NULL,
             *zero = lengths ? am_onnx_k_float(w, 0) : NULL;
  const char *first = slice(w, x, am_onnx_k(w, 0), am_onnx_k(w, 1), 1);
  if (all) first = slice(w, first, am_onnx_k(w, 0), am_onnx_k(w, 1), 2);
  const char *apart = node(w, "Sub", x, first), *count = NULL, *mean, *variance;
  if (!mask) mean = reduce(w, "ReduceMean", apart, n, axes);
  else {
    count =
        node(w, "Unsqueeze", cast(w, node(w, "Max", lengths, am_onnx_k_int(w, 1)), AM_ONNX_FLOAT), am_onnx_k(w, 1, 2));
    if (all) count = node(w, "Mul", count, cast(w, am_onnx_extent(w, x, 2), AM_ONNX_FLOAT));
    mean = node(w, "Div", sum(w, am_onnx_call(w->m, "Where", mask, apart, zero), n, axes), count);
  }
  const char *centred = node(w, "Sub", apart, mean);
  const char *heard = mask ? am_onnx_call(w->m, "Where", mask, centred, zero) : centred;
  const char *squares = node(w, "Mul", heard, heard);
  variance = mask ? node(w, "Div", sum(w, squares, n, axes), count) : reduce(w, "ReduceMean", squares, n, axes);
  const char *deviation = am_onnx_call(w->m, "Sqrt", variance);
  const char *flat = node(w, "Less", deviation, am_onnx_k_float(w, 1e-6));
  return node(w, "Div", centred, am_onnx_call(w->m, "Where", flat, am_onnx_k_float(w, 1), deviation));
}

const char *am_onnx_write_normalise(writer *w, const am_normaliser *nz, const char *x, const char *lengths) {
  am_onnx_scope(w->m, am_onnx_text(w->m, "%snormalise", w->prefix));
  if (nz->kind == AM_NORMALISE_CLIP) return by_clip(w, nz->by_all, x, lengths);
  if (nz->kind != AM_NORMALISE_TRAIN && nz->kind != AM_NORMALISE_CORPUS) return x;
  const int64_t f = nz->f;
  const char *mean = am_onnx_floats(w->m, am_onnx_text(w->m, "%snormalise/mean", w->prefix), 1, &f, nz->mean);
  const char *inverse = am_onnx_floats(w->m, am_onnx_text(w->m, "%snormalise/inverse", w->prefix), 1, &f, nz->inverse);
  return node(w, "Mul", node(w, "Sub", x, mean), inverse);
}
