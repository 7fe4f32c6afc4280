/* SPDX-License-Identifier: MIT */
/* nn/check.c - gradients of a model against differences of its forward pass.
 *
 * What is differentiated is L = sum(r * logits) with r random, whose gradient by the logits is r.  The numbers of an
 * array are moved in groups, each by its own sign: the slope of L along a group is the sum of its signed gradients.
 * Four values of L give the slope with an error of the fourth power of the step, so that the step may be long, and the
 * rounding of float matters little. */
#include "nn/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CLIPS = 3, GROUPS = 64 };
#define STEP 0.02

/* Purposes of the random numbers below. */
enum { FOR_INPUT = 1, FOR_LOGITS, FOR_SIGNS };

typedef struct checker {
  am_model *model;
  am_session *session;
  uint64_t seed;
  am_real *input, *dlogits; /* (B, input), (B, K) */
  int lengths[CLIPS];
  am_real *statistics;       /* as they were */
  am_real *kept, *gradients; /* of the array at hand: its numbers, and what backward gave */
  am_gradient_report report;
} checker;

/* Uniform in -1 to 1. */
static void draw(uint64_t seed, int purpose, am_real *out, size_t n) {
  am_rng rng = am_rng_stream(seed, AM_FOR_INIT, (uint32_t)purpose, 1, 0);
  for (size_t i = 0; i < n; i++) {
    uint32_t word;
    am_rng_fill(&rng, &word, 1);
    out[i] = (am_real)((word + 0.5) * 0x1p-31 - 1);
  }
}

static am_status forward(checker *c, double *sum, am_error *err) {
  const size_t numbers = CLIPS * (size_t)c->model->classes;
  am_batch batch = {.size = sizeof batch, .n = CLIPS, .x = c->input, .lengths = c->lengths, .seed = c->seed};
  am_status status = am_session_forward(c->session, &batch, true, err);
  const am_real *logits = am_session_output(c->session);
  *sum = 0;
  for (size_t i = 0; i < numbers && !status; i++) *sum += (double)c->dlogits[i] * (double)logits[i];
  if (!status && !isfinite(*sum)) status = am_fail(err, AM_E_NUMERIC, "an output of the model is not finite");
  return status;
}

/* L with the numbers of a group moved by `step` times their signs. */
static am_status moved(checker *c, am_real *array, size_t n, size_t group, const am_real *signs, double step,
                       double *sum, am_error *err) {
  for (size_t i = group; i < n; i += GROUPS) array[i] = (am_real)(c->kept[i] + (signs[i] < 0 ? -step : step));
  am_status status = forward(c, sum, err);
  for (size_t i = group; i < n; i += GROUPS) array[i] = c->kept[i];
  return status;
}

/* Compares one array, whose gradients are in c->gradients. */
static am_status check_array(checker *c, const char *name, am_real *array, size_t n, am_real *signs, am_error *err) {
  double back[GROUPS] = {0}, differences[GROUPS] = {0}, power = 0;
  const size_t groups = n < GROUPS ? n : GROUPS;
  am_status status = AM_OK;
  memcpy(c->kept, array, n * sizeof *array);
  draw(c->seed, FOR_SIGNS, signs, n);
  for (size_t g = 0; g < groups && !status; g++) {
    double at[4] = {0};
    for (size_t i = g; i < n; i += GROUPS) back[g] += (double)(signs[i] < 0 ? -c->gradients[i] : c->gradients[i]);
    for (int k = 0; k < 4 && !status; k++)
      status = moved(c, array, n, g, signs, (const double[]){-2, -1, 1, 2}[k] * STEP, &at[k], err);
    differences[g] = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * STEP);
    power += fmax(back[g] * back[g], differences[g] * differences[g]) / (double)groups;
    if (!status && !isfinite(back[g])) status = am_fail(err, AM_E_NUMERIC, "a gradient of %s is not finite", name);
  }
  /* Below this all slopes are rounding: the array does not matter. */
  const double usual = fmax(sqrt(power), 1e-4);
  for (size_t g = 0; g < groups && !status; g++) {
    const double off = fabs(back[g] - differences[g]) / usual;
    if (off <= c->report.worst && *c->report.array) continue;
    c->report.worst = off;
    c->report.backward = back[g];
    c->report.differences = differences[g];
    snprintf(c->report.array, sizeof c->report.array, "%s", name);
  }
  return status;
}

/* The gradients of all, then array by array. */
static am_status compare(checker *c, am_real *gradients, am_real *signs, am_error *err) {
  am_model *m = c->model;
  double sum;
  am_session_want_input_gradient(c->session, true);
  am_session_zero_gradients(c->session);
  am_status status = forward(c, &sum, err);
  if (!status) status = am_session_backward(c->session, c->dlogits, err);
  if (status) return status;
  memcpy(gradients, am_session_gradients(c->session), m->n_weights * sizeof *gradients);
  const size_t clip = am_shape_count(m->input);
  for (int b = 0; b < CLIPS; b++) { /* each clip's own frames: those after them stay zero */
    const size_t at = (size_t)b * clip, n = am_frames_count(m->input, m->input.rank < 2 ? 1 : c->lengths[b]);
    memcpy(c->gradients + at, am_session_input_gradient(c->session) + at, n * sizeof *gradients);
  }
  am_real *given = c->gradients;
  for (int b = 0; b < CLIPS && !status; b++) {
    const size_t at = (size_t)b * clip, n = am_frames_count(m->input, m->input.rank < 2 ? 1 : c->lengths[b]);
    c->gradients = given + at;
    status = check_array(c, "input", c->input + at, n, signs, err);
  }
  for (size_t i = 0; i < m->n_weight_infos && !status; i++) {
    const am_array_info *w = &m->weight_infos[i];
    c->gradients = gradients + w->offset;
    status = check_array(c, w->name, m->weights + w->offset, w->count, signs, err);
  }
  return status;
}

/* Clips of full length, of a half and of a third; all full where clips do not differ. */
static void make_batch(checker *c) {
  const am_shape in = c->model->input;
  const size_t clip = am_shape_count(in);
  draw(c->seed, FOR_INPUT, c->input, CLIPS * clip);
  draw(c->seed, FOR_LOGITS, c->dlogits, CLIPS * (size_t)c->model->classes);
  for (int b = 0; b < CLIPS; b++) {
    c->lengths[b] = in.variable ? (in.t + b) / (b + 1) : in.t;
    const size_t used = am_frames_count(in, in.rank < 2 ? 1 : c->lengths[b]);
    memset(c->input + (size_t)b * clip + used, 0, (clip - used) * sizeof *c->input);
  }
}

am_status am_model_check_gradients(am_model *model, uint64_t seed, am_gradient_report *report, am_error *err) {
  am_status status = AM_NEED(err, model);
  if (!status) status = am_size_check(report, SIZE_MAX, sizeof *report, "am_gradient_report", err);
  if (status) return status;
  checker c = {.model = model, .seed = seed, .report = {.size = sizeof *report}};
  const size_t input = am_mul(CLIPS, am_shape_count(model->input)), weights = model->n_weights;
  size_t most = weights > input ? weights : input;
  status = am_session_create(model, CLIPS, true, &c.session, err);
  if (status) return status;
  am_context *ctx = model->ctx;
  am_real *all =
      am_alloc(ctx, am_add(am_mul(2, input), am_add(am_mul(3, most), CLIPS * (size_t)model->classes)), sizeof *all);
  c.statistics = am_alloc(ctx, model->n_statistics + 1, sizeof *c.statistics);
  if (all && c.statistics) {
    am_real *signs = all + 2 * input, *gradients = signs + most;
    c.input = all;
    c.gradients = all + input;
    c.kept = gradients + most;
    c.dlogits = c.kept + most;
    memcpy(c.statistics, model->statistics, model->n_statistics * sizeof *c.statistics);
    make_batch(&c);
    status = compare(&c, gradients, signs, err);
    memcpy(model->statistics, c.statistics, model->n_statistics * sizeof *c.statistics);
  } else {
    status = am_no_memory(err);
  }
  am_free(ctx, c.statistics);
  am_free(ctx, all);
  am_session_free(c.session);
  if (!status) am_size_give(report, &c.report, sizeof c.report);
  return status;
}
