/* SPDX-License-Identifier: MIT */
/* audio/normalise.c - mean and deviation of features, gathered in one pass
 * (Welford 1962; merging by Chan, Golub & LeVeque 1979), in double. */
#include "audio/features.h"

#include <assert.h>
#include <math.h>
#include <string.h>

am_status am_norm_init(am_context *ctx, am_norm_stats *s, int f, am_error *err) {
  assert(f > 0);
  *s = (am_norm_stats){.f = f};
  s->mean = am_alloc(ctx, (size_t)f, sizeof *s->mean);
  s->m2 = am_alloc(ctx, (size_t)f, sizeof *s->m2);
  if (s->mean && s->m2) return AM_OK;
  am_norm_free(ctx, s);
  return am_no_memory(err);
}

void am_norm_free(am_context *ctx, am_norm_stats *s) {
  am_free(ctx, s->mean);
  am_free(ctx, s->m2);
  *s = (am_norm_stats){0};
}

void am_norm_add(am_norm_stats *s, const float *x, int t) {
  for (int i = 0; i < t; i++) {
    s->count += 1;
    const float *row = x + (size_t)i * (size_t)s->f;
    for (int j = 0; j < s->f; j++) {
      double d = row[j] - s->mean[j];
      s->mean[j] += d / s->count;
      s->m2[j] += d * (row[j] - s->mean[j]);
    }
  }
}

void am_norm_merge(am_norm_stats *into, const am_norm_stats *from) {
  assert(into->f == from->f);
  double count = into->count + from->count;
  if (count == 0) return;
  if (into->count == 0) { /* to the bit */
    memcpy(into->mean, from->mean, (size_t)into->f * sizeof *into->mean);
    memcpy(into->m2, from->m2, (size_t)into->f * sizeof *into->m2);
    into->count = count;
    return;
  }
  for (int j = 0; j < into->f; j++) {
    double d = from->mean[j] - into->mean[j];
    into->mean[j] += d * from->count / count;
    into->m2[j] += from->m2[j] + d * d * into->count * from->count / count;
  }
  into->count = count;
}

static float inverse_deviation(double m2, double count) {
  double deviation = count > 0 ? sqrt(m2 / count) : 0;
  return deviation < 1e-6 ? 1.0f : (float)(1 / deviation);
}

typedef struct moments {
  double count, mean, m2;
} moments;

/* Bin j with `frames` frames of the prior (am_norm_merge of as many). */
static moments shrunk(const am_norm_stats *s, const am_norm_stats *prior, double frames, int j) {
  moments out = {s->count, s->mean[j], s->m2[j]};
  if (!prior || !(prior->count > 0) || !(frames > 0)) return out;
  const double d = prior->mean[j] - s->mean[j], share = frames / (s->count + frames);
  out.count += frames;
  out.mean += d * share;
  out.m2 += prior->m2[j] / prior->count * frames + d * d * s->count * share;
  return out;
}

void am_norm_shrink(const am_norm_stats *s, const am_norm_stats *prior, double frames, bool by_all, float *mean,
                    float *inverse) {
  double all = 0, all_m2 = 0, count = s->count;
  for (int j = 0; j < s->f; j++) all += shrunk(s, prior, frames, j).mean / s->f;
  for (int j = 0; j < s->f; j++) {
    const moments bin = shrunk(s, prior, frames, j);
    all_m2 += bin.m2 + bin.count * (bin.mean - all) * (bin.mean - all);
    count = bin.count;
  }
  for (int j = 0; j < s->f; j++) {
    const moments bin = shrunk(s, prior, frames, j);
    mean[j] = (float)(by_all ? all : bin.mean);
    inverse[j] = by_all ? inverse_deviation(all_m2, count * s->f) : inverse_deviation(bin.m2, count);
  }
}

void am_norm_finish(const am_norm_stats *s, bool by_all, float *mean, float *inverse) {
  am_norm_shrink(s, NULL, 0, by_all, mean, inverse);
}

void am_norm_apply(float *x, int t, int f, const float *mean, const float *inverse) {
  for (int i = 0; i < t; i++)
    for (int j = 0; j < f; j++) {
      float *at = &x[(size_t)i * (size_t)f + (size_t)j];
      *at = (*at - mean[j]) * inverse[j];
    }
}
