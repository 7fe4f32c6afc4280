/* SPDX-License-Identifier: MIT */
/* audio/prosody.c - contours of the low-level descriptors at the frames of a spectrogram. */
#include "audio/prosody.h"

#include <math.h>

const char *am_prosody_name(int bin) {
  static const char *const names[] = {AM_PROSODIES(AM_WORD_ITEM)};
  return names[bin];
}

/* F0 of the unvoiced frames from the voiced ones around them. */
static void fill_gaps(float *f0, const bool *voiced, size_t frames) {
  size_t before = SIZE_MAX; /* the last voiced frame */
  for (size_t t = 0; t <= frames; t++) {
    if (t < frames && !voiced[t]) continue;
    size_t gap = before == SIZE_MAX ? 0 : before + 1;
    for (size_t i = gap; i < t; i++) {
      if (before == SIZE_MAX) f0[i] = t < frames ? f0[t] : AM_PROSODY_F0_UNKNOWN;
      else if (t == frames) f0[i] = f0[before];
      else f0[i] = f0[before] + (f0[t] - f0[before]) * (float)(i - before) / (float)(t - before);
    }
    before = t;
  }
}

/* Row t (stride) of out from the contours (AM_PROSODY_BINS), on the line between frames `at` and at + 1. */
static void between(const float *const *contours, size_t frames, double at, float *out) {
  size_t low = at > 0 ? (size_t)at : 0;
  if (low > frames - 1) low = frames - 1;
  const size_t high = low + 1 < frames ? low + 1 : low;
  const float share = at > (double)low ? (float)fmin(1, at - (double)low) : 0;
  for (int k = 0; k < AM_PROSODY_BINS; k++) {
    const float *c = contours[k];
    out[k] = c[low] + (c[high] - c[low]) * share;
  }
}

static void silence(float f0, float *out) {
  for (int k = 0; k < AM_PROSODY_BINS; k++) out[k] = 0;
  out[AM_PROSODY_F0] = f0;
}

am_status am_prosody_compute(const am_lld *l, const float *x, size_t n, size_t first, size_t hop, size_t t, float *out,
                             size_t stride, am_error *err) {
  const size_t frames = am_lld_frames(l, n);
  float *lld = am_alloc(l->ctx, am_mul(AM_LLDS + 1, frames), sizeof *lld);
  bool *voiced = am_alloc(l->ctx, frames, sizeof *voiced);
  am_status status = lld && voiced ? am_lld_compute(l, x, n, lld, voiced, err) : am_no_memory(err);
  if (!status) {
    float *f0 = lld + AM_LLD_F0 * frames, *energy = lld + AM_LLD_RMS * frames, *indicator = lld + AM_LLDS * frames;
    const float *const contours[] = {[AM_PROSODY_F0] = f0,
                                     [AM_PROSODY_VOICING] = lld + AM_LLD_VOICING * frames,
                                     [AM_PROSODY_VOICED] = indicator,
                                     [AM_PROSODY_HNR] = lld + AM_LLD_HNR * frames,
                                     [AM_PROSODY_ENERGY] = energy};
    fill_gaps(f0, voiced, frames);
    for (size_t i = 0; i < frames; i++) {
      indicator[i] = voiced[i];
      energy[i] *= energy[i];
    }
    for (size_t i = 0; i < t; i++) {
      const size_t centre = first + i * hop;
      if (centre > n) silence(f0[frames - 1], out + i * stride);
      else between(contours, frames, (double)centre / l->stft.hop - 1, out + i * stride);
    }
  }
  am_free(l->ctx, voiced);
  am_free(l->ctx, lld);
  return status;
}
