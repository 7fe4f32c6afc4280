/* SPDX-License-Identifier: MIT */
/* audio/fft.c - FFTW3, the only file that knows it.
 *
 * FFTW's planner is one object for the whole process and not thread-safe, its
 * execution is: plans are made and destroyed under a lock and executed on the
 * caller's arrays.  FFTW_ESTIMATE never measures, so the same machine makes
 * the same plan, and the same numbers, every time. */
#include "audio/fft.h"

#include <fftw3.h>
#include <sched.h>
#include <stdatomic.h>

struct am_fft {
  am_context *ctx;
  fftwf_plan plan;
};

/* Guards FFTW's planner, which is itself process-wide: a lock inside a context would not do. */
static atomic_flag planner = ATOMIC_FLAG_INIT;

static void planner_lock(void) {
  while (atomic_flag_test_and_set_explicit(&planner, memory_order_acquire)) sched_yield();
}

static void planner_unlock(void) { atomic_flag_clear_explicit(&planner, memory_order_release); }

const char *am_fft_library(void) { return fftwf_version; }

/* A plan takes a millisecond or two to make, so only the way that is asked for is planned. */
static am_status create(am_context *ctx, int n, bool inverse, am_fft **out, am_error *err) {
  *out = NULL;
  size_t bins = (size_t)n / 2 + 1;
  am_fft *fft = am_alloc(ctx, 1, sizeof *fft);
  /* The planner wants arrays with the alignment of those used later; ESTIMATE does not touch them. */
  float *real = am_alloc_aligned(ctx, (size_t)n * sizeof *real);
  fftwf_complex *half = am_alloc_aligned(ctx, bins * sizeof *half);
  if (fft) fft->ctx = ctx;
  if (fft && real && half) {
    planner_lock();
    fft->plan = inverse ? fftwf_plan_dft_c2r_1d(n, half, real, FFTW_ESTIMATE | FFTW_DESTROY_INPUT)
                        : fftwf_plan_dft_r2c_1d(n, real, half, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    planner_unlock();
    if (fft->plan) *out = fft;
  }
  am_free_aligned(ctx, real);
  am_free_aligned(ctx, half);
  if (*out) return AM_OK;
  am_fft_free(fft);
  return am_no_memory(err);
}

am_status am_fft_create(am_context *ctx, int n, am_fft **out, am_error *err) { return create(ctx, n, false, out, err); }

am_status am_fft_create_inverse(am_context *ctx, int n, am_fft **out, am_error *err) {
  return create(ctx, n, true, out, err);
}

void am_fft_free(am_fft *fft) {
  if (!fft) return;
  planner_lock();
  if (fft->plan) fftwf_destroy_plan(fft->plan);
  planner_unlock();
  am_free(fft->ctx, fft);
}

void am_fft_forward(const am_fft *fft, const float *in, float *out) {
  /* FFTW takes a non-const pointer; FFTW_PRESERVE_INPUT promises not to write. */
  fftwf_execute_dft_r2c(fft->plan, (float *)in, (fftwf_complex *)out);
}

void am_fft_inverse(const am_fft *fft, float *in, float *out) {
  fftwf_execute_dft_c2r(fft->plan, (fftwf_complex *)in, out);
}
