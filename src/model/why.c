/* SPDX-License-Identifier: MIT */
/* model/why.c - see why.h. */
#include "model/why.h"

#include <math.h>
#include <string.h>

#include "audio/mel.h"
#include "audio/trim.h"
#include "model/predict.h"

/* Cells along both axes: as many as can be told apart in a picture, and as are worth a prediction each. */
enum { CELLS_T = 32, CELLS_F = 16, BATCH = 16 };

void am_why_free(am_context *ctx, am_why *w) {
  am_free(ctx, w->x);
  am_free(ctx, w->effect);
  am_free(ctx, w->by_frame);
  am_free(ctx, w->by_bin);
  am_free(ctx, w->hertz);
  *w = (am_why){0};
}

/* A scan with one session. */
typedef struct scan {
  am_context *ctx;
  am_model *model;
  am_session *session;
  am_why *out;
  const float *x;
  float *mean;  /* (F) over the frames with sound */
  float *batch; /* (BATCH, input) */
  size_t count; /* numbers of an input */
  int classes;
  am_why_question of;
  int *lengths; /* (BATCH) or NULL */
} scan;

/* Of logits (K): log p - log (1 - p). */
static double log_odds(const scan *s, const am_real *z) {
  double most = -INFINITY, sum = 0;
  for (int k = 0; k < s->classes; k++)
    if (k != s->of.output) most = fmax(most, (double)z[k] / s->of.temperature);
  for (int k = 0; k < s->classes; k++)
    if (k != s->of.output) sum += exp((double)z[k] / s->of.temperature - most);
  if (sum == 0) return INFINITY; /* a class alone */
  return (double)z[s->of.output] / s->of.temperature - most - log(sum);
}

static double figure_of(const scan *s, const am_real *z) {
  if (!s->of.scale) return log_odds(s, z);
  return (double)(am_real)am_scale_value(*s->of.scale, (double)z[s->of.output]);
}

typedef struct patch {
  int t0, t1, f0, f1; /* frames and bins, the ends not included */
} patch;

static void put_clip(scan *s, int i, const patch *p) {
  const int f = s->out->f;
  float *to = s->batch + (size_t)i * s->count;
  memcpy(to, s->x, s->count * sizeof *to);
  for (int t = p ? p->t0 : 0; p && t < p->t1; t++)
    for (int j = p->f0; j < p->f1; j++) to[(size_t)t * (size_t)f + (size_t)j] = s->mean[j];
}

static am_status ask(scan *s, int n, am_error *err) {
  const am_batch batch = {.size = sizeof batch, .n = n, .x = s->batch, .lengths = s->lengths};
  am_status status = am_session_forward(s->session, &batch, false, err);
  const am_real *z = status ? NULL : am_session_output(s->session);
  for (int i = 0; i < n * s->classes && !status; i++)
    if (!isfinite((double)z[i]))
      status = am_fail(err, AM_E_NUMERIC, "the model's output for this sound is not a number");
  return status;
}

/* A grid of patches: two cells of `size` along an axis, from a cell before its beginning on; 0: all of the axis. */
static int patches_along(int n, int size) { return size ? (n + size - 1) / size + 1 : 1; }

static void range(int n, int size, int i, int *from, int *to) {
  *from = size && i ? (i - 1) * size : 0;
  *to = size && (i + 1) * size < n ? (i + 1) * size : n;
}

/* The mean over the patches of each frame and bin, into sum (t,f); `many` counts them. */
static am_status scan_grid(scan *s, int cell_t, int cell_f, double *sum, int *many, am_error *err) {
  const int t = s->out->t, f = s->out->f, along = patches_along(t, cell_t), up = patches_along(f, cell_f);
  patch at[BATCH];
  am_status status = AM_OK;
  for (int first = 0; first < along * up && !status; first += BATCH) {
    const int n = along * up - first < BATCH ? along * up - first : BATCH;
    for (int i = 0; i < n; i++) {
      range(t, cell_t, (first + i) / up, &at[i].t0, &at[i].t1);
      range(f, cell_f, (first + i) % up, &at[i].f0, &at[i].f1);
      put_clip(s, i, &at[i]);
    }
    status = ask(s, n, err);
    for (int i = 0; i < n && !status; i++) {
      const double lost = s->out->figure - figure_of(s, am_session_output(s->session) + i * s->classes);
      for (int y = at[i].t0; y < at[i].t1; y++)
        for (int j = at[i].f0; j < at[i].f1; j++) sum[y * f + j] += lost, many[y * f + j]++;
    }
  }
  return status;
}

/* The grid of cells, that of whole frames, and that of whole bins. */
static am_status scan_all(scan *s, double *sum, int *many, am_error *err) {
  am_why *w = s->out;
  const int cell_t = (w->t + CELLS_T - 1) / CELLS_T, cell_f = (w->f + CELLS_F - 1) / CELLS_F;
  const size_t n = (size_t)w->t * (size_t)w->f;
  for (int pass = 0; pass < 3; pass++) {
    memset(sum, 0, n * sizeof *sum);
    memset(many, 0, n * sizeof *many);
    am_status status = scan_grid(s, pass == 2 ? 0 : cell_t, pass == 1 ? 0 : cell_f, sum, many, err);
    if (status) return status;
    if (pass == 0)
      for (size_t i = 0; i < n; i++) w->effect[i] = (float)(sum[i] / many[i]);
    for (int i = 0; pass == 1 && i < w->t; i++) w->by_frame[i] = (float)(sum[i * w->f] / many[i * w->f]);
    for (int j = 0; pass == 2 && j < w->f; j++) w->by_bin[j] = (float)(sum[j] / many[j]);
  }
  return AM_OK;
}

static am_status run(scan *s, am_error *err) {
  am_why *w = s->out;
  const size_t n = (size_t)w->t * (size_t)w->f;
  double *sum = am_alloc(s->ctx, n, sizeof *sum);
  int *many = am_alloc(s->ctx, n, sizeof *many);
  am_status status = sum && many ? am_session_create(s->model, BATCH, false, &s->session, err) : am_no_memory(err);
  if (!status) {
    put_clip(s, 0, NULL);
    status = ask(s, 1, err);
  }
  if (!status) {
    w->figure = figure_of(s, am_session_output(s->session));
    status = scan_all(s, sum, many, err);
  }
  am_session_free(s->session);
  am_free(s->ctx, sum);
  am_free(s->ctx, many);
  return status;
}

am_status am_why_scan(am_context *ctx, am_model *model, const float *x, int length, const am_why_question *of,
                      am_why *w, am_error *err) {
  const am_shape in = am_model_input(model);
  const int f = in.f * in.c, lengths = in.variable ? BATCH : 0;
  const size_t n = am_mul((size_t)length, (size_t)f);
  *w = (am_why){.t = length, .f = f};
  scan s = {.ctx = ctx,
            .model = model,
            .out = w,
            .x = x,
            .count = am_shape_count(in),
            .classes = am_model_output(model).c,
            .of = *of};
  w->x = am_alloc(ctx, n, sizeof *w->x);
  w->effect = am_alloc(ctx, n, sizeof *w->effect);
  w->by_frame = am_alloc(ctx, (size_t)length, sizeof *w->by_frame);
  w->by_bin = am_alloc(ctx, (size_t)f, sizeof *w->by_bin);
  s.mean = am_alloc(ctx, (size_t)f, sizeof *s.mean);
  s.batch = am_alloc_aligned(ctx, am_mul(am_mul(BATCH, s.count), sizeof *s.batch));
  s.lengths = lengths ? am_alloc(ctx, (size_t)lengths, sizeof *s.lengths) : NULL;
  const bool had = w->x && w->effect && w->by_frame && w->by_bin && s.mean && s.batch && (!lengths || s.lengths);
  am_status status = had ? AM_OK : am_no_memory(err);
  for (int i = 0; i < lengths && had; i++) s.lengths[i] = length;
  if (had) memcpy(w->x, x, n * sizeof *x);
  for (int j = 0; j < f && had; j++) {
    double sum = 0;
    for (int t = 0; t < length; t++) sum += (double)x[(size_t)t * (size_t)f + (size_t)j];
    s.mean[j] = (float)(sum / length);
  }
  if (!status) status = run(&s, err);
  am_free(ctx, s.mean);
  am_free_aligned(ctx, s.batch);
  am_free(ctx, s.lengths);
  if (status) am_why_free(ctx, w);
  return status;
}

/* ---- of a sound ---- */

/* Where bins are mel bands and nothing else. */
static am_status take_hertz(am_context *ctx, const am_feature_options *o, am_why *w, am_error *err) {
  if ((o->kind != AM_FEATURE_LOG_MEL && o->kind != AM_FEATURE_MEL) || w->f != (int)o->mels) return AM_OK;
  if (!(w->hertz = am_alloc(ctx, (size_t)w->f, sizeof *w->hertz))) return am_no_memory(err);
  const am_mel_options mel = {.rate = o->sample_rate,
                              .n_fft = (int)o->n_fft,
                              .mels = (int)o->mels,
                              .f_min = o->f_min,
                              .f_max = o->f_max > 0 ? o->f_max : o->sample_rate / 2,
                              .htk = o->mel_scale == AM_MEL_HTK};
  am_mel_centres(&mel, w->hertz);
  return AM_OK;
}

am_status am_why_sound(am_checkpoint *m, const float *samples, size_t n, int output, am_why *w, am_error *err) {
  const am_why_question of = {output, m->any.temperature, m->values ? &m->scale[output] : NULL};
  const am_feature_options *o = &m->config->features;
  const double rate = (double)o->sample_rate;
  int length;
  *w = (am_why){0};
  if (m->input.t < 2)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s hears one vector of numbers for a whole sound, so there is no time to be shown",
                   m->config->name);
  const am_unheard unheard = am_sound_unheard(samples, n, rate);
  if (unheard)
    return am_fail(err, AM_E_DATA, "there is nothing to hear in this sound: it is %s", am_unheard_name(unheard));
  float *x = am_alloc_aligned(m->ctx, am_mul(am_shape_count(m->input), sizeof *x));
  am_status status = x ? am_predict_input(m, samples, n, x, &length, err) : am_no_memory(err);
  if (!status) status = am_why_scan(m->ctx, m->model, x, length, &of, w, err);
  am_free_aligned(m->ctx, x);
  if (status) return status;
  size_t from = 0, to = n;
  if (o->trim_db > 0) am_trim_range(samples, n, o->trim_db, &from, &to);
  w->start = (double)from / rate;
  w->seconds = fmin((double)w->t * (double)o->hop / rate, (double)n / rate - w->start);
  status = take_hertz(m->ctx, o, w, err);
  if (status) am_why_free(m->ctx, w);
  return status;
}
