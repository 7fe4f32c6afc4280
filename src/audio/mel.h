/* SPDX-License-Identifier: MIT */
/* audio/mel.h - mel filters kept as each filter's nonzero run of bins. */
#ifndef AM_MEL_H
#define AM_MEL_H

#include "tensor/frames.h"

typedef struct am_mel_options {
  double rate; /* Hz the bins are laid out for */
  int n_fft, mels;
  double f_min, f_max; /* Hz */
  bool htk, slaney_norm;
} am_mel_options;

typedef struct am_mel {
  am_context *ctx;
  int mels, bins;
  int *first, *count; /* (mels): the run of bins a filter touches */
  float *weights;     /* the runs, one after another */
} am_mel;

/* Ranges; what is wrong and what is wanted in the message. */
am_status am_mel_check(const am_mel_options *o, double warp, am_error *err);
/* After am_mel_check. warp: vocal-tract-length factor on the filters' frequencies, 1 for none. */
am_status am_mel_init(am_context *ctx, am_mel *m, const am_mel_options *o, double warp, am_error *err);
void am_mel_free(am_mel *m);
/* Where each filter peaks, in Hz (mels), for axes. */
void am_mel_centres(const am_mel_options *o, double *hertz);
/* power (bins, lanes of the kernels) -> out (frames, mels), of the first `frames` of the block */
void am_mel_apply(const am_mel *m, const am_frame_kernels *kernels, const float *power, int frames, float *out);

/* The same as a whole matrix, librosa-equal: filters (mels, n_fft/2+1). */
am_status am_mel_filters(double rate, int n_fft, int mels, double f_min, double f_max, bool htk, bool slaney_norm,
                         double warp, float *filters, am_error *err);

#endif
