/* SPDX-License-Identifier: MIT */
/* data/store_compute.c - a clip's features, from its sound. */
#include <math.h>
#include <string.h>

#include "audio/sound.h"
#include "data/store_inside.h"

bool am_clip_is_part(const am_clip *c) { return c->start > 0 || c->seconds > 0; }

/* The stretch of the file that is the clip: sound->samples[*from .. *from + *n). */
static am_status cut_part(const am_clip *c, const am_sound *sound, size_t *from, size_t *n, am_error *err) {
  double length = (double)sound->n / sound->rate, slack = 0.01;
  if (c->start + c->seconds > length + slack || (c->start > 0 && c->start >= length))
    return am_fail(err, AM_E_DATA, "%s: the clip from %g s to %g s lies outside the file, which has %.3f s", c->path,
                   c->start, c->start + c->seconds, length);
  *from = am_size_of(round(c->start * sound->rate));
  if (*from >= sound->n) *from = sound->n - 1;
  *n = sound->n - *from;
  size_t wanted = am_size_of(round(c->seconds * sound->rate));
  if (c->seconds > 0 && wanted < *n) *n = wanted ? wanted : 1;
  return AM_OK;
}

static am_status compute_warped(am_context *ctx, const recipe *how, const float *samples, size_t n, double warp,
                                computed *out, am_error *err) {
  int t, f;
  am_features_shape(how->fx, n, &t, &f);
  float *x = am_alloc(ctx, am_mul((size_t)t, (size_t)f), sizeof *x);
  if (!x) return am_no_memory(err);
  int bound = t;
  am_status status = am_features_compute(how->fx, samples, n, warp, x, &t, err);
  if (status) {
    am_free(ctx, x);
    return status;
  }
  if (t < bound) { /* trimmed: give back what is not used */
    float *less = am_resize(ctx, x, (size_t)t * (size_t)f, sizeof *x);
    if (less) x = less;
  }
  out->x = x;
  out->t = t;
  return AM_OK;
}

static am_status compute_features(am_context *ctx, const recipe *how, const float *samples, size_t n, computed *out,
                                  am_error *err) {
  return compute_warped(ctx, how, samples, n, 1, out, err);
}

static am_status compute_copy(am_context *ctx, const recipe *how, const float *samples, size_t n, computed *out,
                              am_error *err) {
  float *changed;
  size_t n_changed;
  double warp;
  am_status status =
      am_augment_copy(ctx, how->augment, out->facts.digest, how->number, am_features_options(how->fx)->sample_rate,
                      samples, n, &changed, &n_changed, &warp, err);
  if (!status) {
    status = compute_warped(ctx, how, changed, n_changed, warp, out, err);
    am_free(ctx, changed);
  }
  return status ? am_error_prefix(err, "copy %d", how->number) : AM_OK;
}

/* By the digest, so that a clip becomes the same in every corpus. */
static am_status compute_under(am_context *ctx, const recipe *how, const float *samples, size_t n, computed *out,
                               am_error *err) {
  float *changed;
  size_t n_changed;
  am_status status = am_condition_apply(ctx, how->under, out->facts.digest, am_features_options(how->fx)->sample_rate,
                                        samples, n, &changed, &n_changed, err);
  if (status) return status;
  status = compute_features(ctx, how, changed, n_changed, out, err);
  am_free(ctx, changed);
  return status;
}

/* Of the samples that are the clip. */
static uint64_t digest_of(const am_clip *c, const am_sound *sound) {
  const double part[2] = {c->start, c->seconds};
  return am_clip_is_part(c) ? am_hash64(sound->digest, part, sizeof part) : sound->digest;
}

static am_status keep_sound(am_context *ctx, const float *samples, size_t n, computed *out, am_error *err) {
  out->sound = am_alloc(ctx, n, sizeof *out->sound);
  if (!out->sound) {
    am_free(ctx, out->x);
    out->x = NULL;
    return am_no_memory(err);
  }
  memcpy(out->sound, samples, n * sizeof *out->sound);
  out->n = n;
  return AM_OK;
}

am_status am_store_compute(am_context *ctx, const recipe *how, uint32_t clip, computed *out, am_error *err) {
  const am_clip *c = &how->d->clips[clip];
  am_sound sound = {.size = sizeof sound};
  size_t from = 0, n = 0;
  *out = (computed){0};
  am_status status =
      am_sound_read_clip(ctx, c->path, am_features_options(how->fx)->sample_rate, how->max_seconds, &sound, err);
  if (status) return status;
  status = cut_part(c, &sound, &from, &n, err);
  out->facts.digest = digest_of(c, &sound);
  if (!status) {
    am_status (*const compute)(am_context *, const recipe *, const float *, size_t, computed *, am_error *) =
        how->under     ? compute_under
        : how->augment ? compute_copy
                       : compute_features;
    status = compute(ctx, how, sound.samples + from, n, out, err);
    if (status && err) am_error_prefix(err, "%s", c->path);
  }
  if (!status && how->keep_sound) status = keep_sound(ctx, sound.samples + from, n, out, err);
  out->facts = (am_cache_facts){.seconds = (double)n / sound.rate,
                                .file_rate = sound.file_rate,
                                .digest = out->facts.digest,
                                .unheard = status ? AM_HEARD : am_sound_unheard(sound.samples + from, n, sound.rate)};
  am_sound_free(&sound);
  return status;
}
