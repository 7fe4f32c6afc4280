/* SPDX-License-Identifier: MIT */
/* model/detector.c - windows of a sound, one a step, and what a model, or the level, says of each. */
#include "model/detector.h"

#include <math.h>
#include <string.h>

#include "audio/activity.h"
#include "audio/resample.h"
#include "model/checkpoint.h"

enum { PART = 4096 }; /* samples resampled at a time */

struct am_detector {
  am_context *ctx;
  am_activity *level;   /* NULL: a model's */
  am_checkpoint *model; /* borrowed */
  int speech;           /* its class */
  double rate, own;     /* Hz, of the sound and of what hears it */
  size_t window, look;  /* samples at that rate */
  am_resampler *resampler;
  float *kept; /* at that rate, from `window` before the beginning on */
  size_t n, room;
  uint64_t base; /* of kept[0] */
  uint64_t step; /* the next one */
  uint64_t came; /* samples of the sound */
};

am_status am_detector_check(const am_checkpoint *m, am_error *err) {
  if (m->classes != 2 || am_checkpoint_class(m, AM_DETECTOR_SPEECH) < 0 ||
      am_checkpoint_class(m, AM_DETECTOR_OTHER) < 0)
    return am_fail(
        err, AM_E_USAGE,
        "this is no speech detector: it has %d classes, \"%s\" among them; wanted the two classes \"%s\" and "
        "\"%s\"",
        m->classes, am_checkpoint_label(m, 0), AM_DETECTOR_OTHER, AM_DETECTOR_SPEECH);
  if (am_checkpoint_members(m) != 1 || m->config->features.samples < 1 || am_checkpoint_wants_speaker(m))
    return am_fail(
        err, AM_E_USAGE,
        "this model cannot detect speech as it comes: wanted a single one whose features.samples says how much "
        "it hears, and that does not normalise by speaker");
  return AM_OK;
}

void am_detector_free(am_detector *d) {
  if (!d) return;
  am_activity_free(d->level);
  am_resampler_free(d->resampler);
  am_free(d->ctx, d->kept);
  am_free(d->ctx, d);
}

static am_status by_model(am_detector *d, am_checkpoint *model, am_error *err) {
  am_status status = am_detector_check(model, err);
  if (status) return status;
  d->model = model;
  d->own = am_checkpoint_rate(model);
  d->speech = am_checkpoint_class(model, AM_DETECTOR_SPEECH);
  d->window = (size_t)model->config->features.samples;
  d->look = (size_t)llround(AM_DETECTOR_LOOK * d->own);
  return d->rate == d->own ? AM_OK : am_resampler_create(d->ctx, d->rate, d->own, &d->resampler, err);
}

static am_status by_level(am_detector *d, am_error *err) {
  am_status status = am_activity_create(d->ctx, d->rate, &d->level, err);
  if (status) return status;
  d->own = d->rate;
  d->window = am_activity_hop(d->level);
  return AM_OK;
}

am_status am_detector_create(am_context *ctx, am_checkpoint *model, double rate, am_detector **out, am_error *err) {
  *out = NULL;
  am_detector *d = am_alloc(ctx, 1, sizeof *d);
  if (!d) return am_no_memory(err);
  *d = (am_detector){.ctx = ctx, .rate = rate};
  am_status status = model ? by_model(d, model, err) : by_level(d, err);
  if (!status) status = am_grow(ctx, &d->kept, &d->room, d->window + PART, sizeof *d->kept, err);
  if (!status) memset(d->kept, 0, (d->n = d->window) * sizeof *d->kept);
  if (status) am_detector_free(d);
  else *out = d;
  return status;
}

/* Where step k ends, in samples. */
static uint64_t end_of(const am_detector *d, uint64_t k, double rate) {
  return d->level ? (k + 1) * d->window : (uint64_t)llround((double)(k + 1) * AM_DETECTOR_STEP * rate);
}

/* Where the window of the next step ends, counted as `base` is. */
static uint64_t window_end(const am_detector *d) { return d->window + end_of(d, d->step, d->own) + d->look; }

/* x NULL: silence. */
static am_status keep(am_detector *d, const float *x, size_t n, am_error *err) {
  const uint64_t from = window_end(d) - d->window;
  const size_t gone = from <= d->base ? 0 : from - d->base < d->n ? (size_t)(from - d->base) : d->n;
  d->n -= gone;
  d->base += gone;
  memmove(d->kept, d->kept + gone, d->n * sizeof *d->kept);
  am_status status = am_grow(d->ctx, &d->kept, &d->room, am_add(d->n, n), sizeof *d->kept, err);
  if (status) return status;
  if (x) memcpy(d->kept + d->n, x, n * sizeof *x);
  else memset(d->kept + d->n, 0, n * sizeof *d->kept);
  d->n += n;
  return AM_OK;
}

/* x NULL: the end of what the resampler takes. */
static am_status resample(am_detector *d, const float *x, size_t n, am_error *err) {
  float made[PART];
  size_t used, some;
  am_status status;
  do {
    status = am_resampler_run(d->resampler, x, n, &used, made, PART, &some, err);
    if (!status && some) status = keep(d, made, some, err);
    if (x) x += used, n -= used;
  } while (!status && (x ? n > 0 : some > 0));
  return status;
}

am_status am_detector_push(am_detector *d, const float *samples, size_t n, am_error *err) {
  d->came += n;
  return d->resampler ? resample(d, samples, n, err) : keep(d, samples, n, err);
}

am_status am_detector_end(am_detector *d, am_error *err) {
  am_status status = d->resampler ? resample(d, NULL, 0, err) : AM_OK;
  return status ? status : keep(d, NULL, d->look + PART, err);
}

bool am_detector_due(const am_detector *d, uint64_t *end) {
  *end = end_of(d, d->step, d->rate);
  return d->base + d->n >= window_end(d) && *end <= d->came;
}

am_status am_detector_next(am_detector *d, float *score, am_error *err) {
  float p[2];
  am_heard heard = {.size = sizeof heard};
  const float *x = d->kept + (window_end(d) - d->window - d->base);
  d->step++;
  if (d->level) *score = am_activity_hear(d->level, x);
  if (d->level) return AM_OK;
  am_status status = am_predict_heard(d->model, x, d->window, p, &heard, err);
  *score = status || heard.unheard ? 0 : p[d->speech];
  return status;
}
