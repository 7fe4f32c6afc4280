/* SPDX-License-Identifier: MIT */
/* audio/stft.h - frames, windows and power spectra (librosa.stft, pad_mode "constant"). */
#ifndef AM_STFT_H
#define AM_STFT_H

#include "audio/fft.h"
#include "tensor/frames.h"

typedef struct am_stft {
  am_context *ctx;
  int n_fft, hop, bins; /* n_fft even; bins = n_fft/2+1 */
  bool center;          /* frame t is centred on sample t*hop; else it begins there */
  float *window;        /* (n_fft): periodic Hann, zero-padded on both sides when shorter */
  am_fft *fft;
  const am_frame_kernels *kernels;
  am_frame_fft *block; /* the same transform of a block of frames; NULL: there is none */
} am_stft;

am_status am_stft_init(am_context *ctx, am_stft *s, int n_fft, int hop, int window, bool center, am_error *err);
void am_stft_free(am_stft *s);
/* Frames of n samples: 1 + n/hop centred, else 1 + (n - n_fft)/hop; at least 1. */
size_t am_stft_frames(const am_stft *s, size_t n);
/* Windowed frame t of x (n), zeros outside, into frame (n_fft). False when it lies wholly outside x. */
bool am_stft_frame(const am_stft *s, const float *x, size_t n, size_t t, float *frame);
/* Squared magnitudes of `frame`, bin k into power[k * stride]; spectrum is work of 2*bins floats. Aligned as
 * am_fft_forward wants. */
void am_stft_power(const am_stft *s, const float *frame, float *spectrum, float *power, size_t stride);

/* Power spectra of frames [t, t + frames), at most kernels->lanes, into power (bins, lanes), zeros for the rest of the block.
 * False when no frame hears anything of x.  work: am_stft_work floats, aligned like power to 64 bytes. */
size_t am_stft_work(const am_stft *s);
bool am_stft_powers(const am_stft *s, const float *x, size_t n, size_t t, size_t frames, float *work, float *power);

void am_hann(float *window, size_t n); /* periodic */

#endif
