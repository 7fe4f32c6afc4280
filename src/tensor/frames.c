/* SPDX-License-Identifier: MIT */
/* tensor/frames.c - the tables of transforms of frames; which kernels a context uses. */
#include <math.h>

#include "tensor/frames_tables.h"

static bool has_form(int n) { return n >= AM_FRAME_FFT_LEAST && n <= AM_FRAME_FFT_MOST && !(n & (n - 1)); }

static float *put(float *to, double turn) { /* of a turn: exp(-2 pi i turn) */
  const double pi = 3.14159265358979323846;
  to[0] = (float)cos(2 * pi * turn);
  to[1] = (float)-sin(2 * pi * turn);
  return to + 2;
}

/* Passes of radix 4 over blocks of n/2, n/8, ... complex values, and one of radix 2 where 2 are left.  Value k of quarter c
 * of a block is multiplied by exp(-2 pi i c k / length); the quarter is then a block of its own, of every fourth frequency
 * from c on. */
static void fill(am_frame_fft *fft) {
  const int half = fft->n / 2;
  float *w = fft->twiddle;
  for (int length = half; length > 4; length /= 4)
    for (int k = 0; k < length / 4; k++)
      for (int c = 1; c < 4; c++) w = put(w, (double)c * k / length);
  for (int k = 0; k < half / 2; k++) w = put(w, (double)k / fft->n);
  for (int at = 0; at < half; at++) {
    int frequency = 0, step = 1, rest = at, length = half;
    for (; length > 2; length /= 4, step *= 4) {
      frequency += rest / (length / 4) * step;
      rest %= length / 4;
    }
    fft->order[frequency + rest * step] = at; /* the last two, if there are */
  }
}

am_status am_frame_fft_create(am_context *ctx, int n, const float *window, am_frame_fft **out, am_error *err) {
  *out = NULL;
  if (!has_form(n)) return AM_OK;
  am_frame_fft *fft = am_alloc(ctx, 1, sizeof *fft);
  if (!fft) return am_no_memory(err);
  *fft = (am_frame_fft){.ctx = ctx, .n = n};
  fft->window = am_alloc(ctx, (size_t)n, sizeof *fft->window);
  fft->twiddle =
      am_alloc(ctx, 2 * (size_t)n, sizeof *fft->twiddle); /* 2 n/4 + 6 (n/8 + n/32 + ...) and a little less */
  fft->order = am_alloc(ctx, (size_t)n / 2, sizeof *fft->order);
  if (!fft->window || !fft->twiddle || !fft->order) {
    am_frame_fft_free(fft);
    return am_no_memory(err);
  }
  for (int i = 0; i < n; i++) fft->window[i] = window[i] / 2;
  fill(fft);
  *out = fft;
  return AM_OK;
}

void am_frame_fft_free(am_frame_fft *fft) {
  if (!fft) return;
  am_free(fft->ctx, fft->window);
  am_free(fft->ctx, fft->twiddle);
  am_free(fft->ctx, fft->order);
  am_free(fft->ctx, fft);
}

const am_frame_kernels *am_frame_kernels_plain(void) { return &am_frame_table_plain; }

const am_frame_kernels *am_frame_kernels_of(const am_context *ctx) {
  switch (am_context_cpu_id(ctx)) {
#ifdef AM_HAVE_X86
    case AM_CPU_AVX2: return &am_frame_table_avx2;
    case AM_CPU_AVX512: return &am_frame_table_avx512;
#endif
#ifdef AM_HAVE_NEON
    case AM_CPU_NEON: return &am_frame_table_neon;
#endif
    default: return &am_frame_table_plain;
  }
}
