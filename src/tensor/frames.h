/* SPDX-License-Identifier: MIT */
/* tensor/frames.h - spectra of many frames side by side, their bands, logarithms and cosine transforms.
 *
 * A block is `lanes` frames side by side: value k of frame l is at [k * lanes + l].  So vectors run over frames, no kernel
 * needs to know how long a filter or a transform is, and a frame's numbers do not depend on the frames beside it.
 * Single precision only, unlike tensor.h.  None of the kernels allocates or fails. */
#ifndef AM_TENSOR_FRAMES_H
#define AM_TENSOR_FRAMES_H

#include "base/base.h"

/* The transform of windowed real frames of one length: a power of two from AM_FRAME_FFT_LEAST to AM_FRAME_FFT_MOST.
 * Read-only after creation, shared by threads. */
enum { AM_FRAME_FFT_LEAST = 64, AM_FRAME_FFT_MOST = 8192 };
typedef struct am_frame_fft {
  am_context *ctx;
  int n;
  float *window;  /* (n), halved: the split of two interleaved real spectra divides by 2 */
  float *twiddle; /* cos, -sin: of each pass, three an index; then of the split */
  int *order;     /* (n/2): where the passes leave each frequency */
} am_frame_fft;
/* *out NULL: this length has no such transform. */
am_status am_frame_fft_create(am_context *ctx, int n, const float *window, am_frame_fft **out, am_error *err);
void am_frame_fft_free(am_frame_fft *fft);

/* Filters over the bins of a spectrum, each with its run of nonzero weights; the runs lie one after another. */
typedef struct am_bands {
  int n;
  const int *first, *count; /* (n) */
  const float *weights;
} am_bands;

typedef struct am_frame_kernels {
  /* Of what a path rounds otherwise than the plain kernels, which have 0.  It is in the key of cached features: another
   * number when any result changes. */
  uint64_t rounding;
  int lanes;
  /* Squared magnitudes of a block: frame l is x[l * stride .. + n), power (n/2+1, lanes), work (n, lanes), both aligned to 64
   * bytes.  NULL: this path has none, and audio/fft.h is used. */
  void (*power)(const am_frame_fft *fft, const float *x, size_t stride, float *work, float *power);
  /* power (bins, lanes) -> out (frames, n), of the first `frames` of the block. */
  void (*bands)(const am_bands *b, const float *power, int frames, float *out);
  /* The largest of n values and of `least`. */
  float (*largest)(size_t n, const float *x, float least);
  /* x = max(10 log10(max(x, least)) - ref, low), and x = ln(max(x, least)); `least` a positive normal float. */
  void (*decibel)(size_t n, float least, float ref, float low, float *x);
  void (*ln)(size_t n, float least, float *x);
  /* y (rows, keep) at stride `wide` = x (rows, n) table (n, keep), summed in double in the order of n. */
  void (*cosines)(size_t rows, int n, int keep, const double *table, const float *x, float *y, size_t wide);
} am_frame_kernels;

const am_frame_kernels *am_frame_kernels_of(const am_context *ctx);
const am_frame_kernels *am_frame_kernels_plain(void);

#endif
