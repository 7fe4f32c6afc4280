/* SPDX-License-Identifier: MIT */
/* audio/vocoder.c - phase vocoder: Flanagan & Golden 1966, in the form of Ellis's pvoc (2002) that librosa
 * follows. */
#include "audio/vocoder.h"

#include "audio/resample.h"
#include "audio/stft.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { N_FFT = 2048, HOP = 512, BINS = N_FFT / 2 + 1 };

static const double pi = 3.14159265358979323846;

typedef struct vocoder {
  am_stft stft;
  am_fft *back;
  float *frame;        /* (N_FFT) */
  float *spectrum;     /* (BINS) pairs */
  double *column[2];   /* magnitudes then phases (2*BINS) of input frames `at` and `at` + 1 */
  size_t at;           /* SIZE_MAX: nothing loaded */
  double *phase;       /* (BINS) accumulated */
  float *sum, *square; /* (padded length): overlapped output, overlapped squared windows */
} vocoder;

static void vocoder_free(am_context *ctx, vocoder *v) {
  am_stft_free(&v->stft);
  am_fft_free(v->back);
  am_free_aligned(ctx, v->frame);
  am_free_aligned(ctx, v->spectrum);
  am_free(ctx, v->column[0]);
  am_free(ctx, v->column[1]);
  am_free(ctx, v->phase);
  am_free(ctx, v->sum);
  am_free(ctx, v->square);
}

static am_status vocoder_init(am_context *ctx, vocoder *v, size_t padded, am_error *err) {
  *v = (vocoder){.at = SIZE_MAX};
  am_status status = am_stft_init(ctx, &v->stft, N_FFT, HOP, N_FFT, true, err);
  if (!status) status = am_fft_create_inverse(ctx, N_FFT, &v->back, err);
  if (status) {
    vocoder_free(ctx, v);
    return status;
  }
  v->frame = am_alloc_aligned(ctx, N_FFT * sizeof *v->frame);
  v->spectrum = am_alloc_aligned(ctx, 2 * BINS * sizeof *v->spectrum);
  v->column[0] = am_alloc(ctx, 2 * BINS, sizeof(double));
  v->column[1] = am_alloc(ctx, 2 * BINS, sizeof(double));
  v->phase = am_alloc(ctx, BINS, sizeof(double));
  v->sum = am_alloc(ctx, padded, sizeof(float));
  v->square = am_alloc(ctx, padded, sizeof(float));
  if (v->frame && v->spectrum && v->column[0] && v->column[1] && v->phase && v->sum && v->square) return AM_OK;
  vocoder_free(ctx, v);
  return am_no_memory(err);
}

/* Magnitudes and phases of input frame t; zeros after the last. */
static void load_column(vocoder *v, const float *x, size_t n, size_t t, double *column) {
  if (t >= am_stft_frames(&v->stft, n) || !am_stft_frame(&v->stft, x, n, t, v->frame)) {
    memset(column, 0, 2 * BINS * sizeof *column);
    return;
  }
  am_fft_forward(v->stft.fft, v->frame, v->spectrum);
  for (int k = 0; k < BINS; k++) {
    double re = v->spectrum[2 * k], im = v->spectrum[2 * k + 1];
    column[k] = sqrt(re * re + im * im);
    column[BINS + k] = atan2(im, re);
  }
}

/* Has frames t and t + 1 in column[0] and [1]; going on by one frame analyses one. */
static void load_columns(vocoder *v, const float *x, size_t n, size_t t) {
  if (v->at == t) return;
  if (v->at != SIZE_MAX && v->at + 1 == t) {
    double *next = v->column[0];
    v->column[0] = v->column[1];
    v->column[1] = next;
  } else {
    load_column(v, x, n, t, v->column[0]);
  }
  load_column(v, x, n, t + 1, v->column[1]);
  v->at = t;
}

/* One output frame: magnitudes between the two columns, accumulated phase; then advances the phase. */
static void synthesise(vocoder *v, double alpha) {
  const double *a = v->column[0], *b = v->column[1];
  for (int k = 0; k < BINS; k++) {
    double magnitude = (1 - alpha) * a[k] + alpha * b[k];
    v->spectrum[2 * k] = (float)(magnitude * cos(v->phase[k]));
    v->spectrum[2 * k + 1] = (float)(magnitude * sin(v->phase[k]));
    double expected = 2 * pi * HOP * k / N_FFT, change = b[BINS + k] - a[BINS + k] - expected;
    v->phase[k] += expected + change - 2 * pi * nearbyint(change / (2 * pi));
  }
  am_fft_inverse(v->back, v->spectrum, v->frame);
}

static void overlap_add(vocoder *v, size_t at, size_t padded) {
  const float *window = v->stft.window;
  for (size_t i = 0; i < N_FFT && at + i < padded; i++) {
    v->sum[at + i] += v->frame[i] * (1.0f / N_FFT) * window[i];
    v->square[at + i] += window[i] * window[i];
  }
}

am_status am_time_stretch(am_context *ctx, const float *x, size_t n, double factor, float **out, size_t *out_n,
                          am_error *err) {
  assert(factor >= 0.25 && factor <= 4);
  size_t wanted = (size_t)nearbyint((double)n / factor), padded = wanted + N_FFT;
  *out_n = wanted;
  *out = am_alloc(ctx, wanted + 1, sizeof **out);
  if (!*out) return am_no_memory(err);
  vocoder v;
  am_status status = vocoder_init(ctx, &v, padded, err);
  if (status) {
    am_free(ctx, *out);
    *out = NULL;
    return status;
  }
  size_t frames = am_stft_frames(&v.stft, n);
  for (size_t t = 0; (double)t * factor < (double)frames && t * HOP < padded; t++) {
    double step = (double)t * factor, whole = floor(step);
    load_columns(&v, x, n, (size_t)whole);
    if (t == 0) memcpy(v.phase, v.column[0] + BINS, BINS * sizeof *v.phase);
    synthesise(&v, step - whole);
    overlap_add(&v, t * HOP, padded);
  }
  for (size_t i = 0; i < wanted; i++) {
    float square = v.square[i + N_FFT / 2], sum = v.sum[i + N_FFT / 2];
    (*out)[i] = square > 1e-30f ? sum / square : sum;
  }
  vocoder_free(ctx, &v);
  return AM_OK;
}

am_status am_pitch_shift(am_context *ctx, const float *x, size_t n, double rate, double semitones, float **out,
                         am_error *err) {
  double factor = pow(2, -semitones / 12);
  float *slow, *y;
  size_t slow_n, y_n;
  *out = NULL;
  am_status status = am_time_stretch(ctx, x, n, factor, &slow, &slow_n, err);
  if (status) return status;
  status = am_resample(ctx, slow, slow_n, rate / factor, rate, &y, &y_n, err);
  am_free(ctx, slow);
  if (status) return status;
  *out = am_alloc(ctx, n + 1, sizeof **out);
  if (*out) memcpy(*out, y, (n < y_n ? n : y_n) * sizeof *y);
  else status = am_no_memory(err);
  am_free(ctx, y);
  return status;
}
