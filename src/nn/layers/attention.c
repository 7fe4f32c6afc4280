/* SPDX-License-Identifier: MIT */
/* nn/layers/attention.c - attention pooling over time: x (T,C) -> (heads*C), or
 * (heads*2C) with statistics: mean_std, means of a head before its deviations.
 *
 *   score[t][h] = v[h] . tanh(x[t] W + b)     units D > 0: W (C,D), b (D), v (D,heads)
 *   score[t][h] = v[h] . x[t]                 units 0: v (C,heads)
 *   a[.][h] = softmax over the clip's own frames,  mean[h] = sum_t a[t][h] x[t]
 *   deviation[h] = sqrt(sum_t a[t][h] (x[t] - mean[h])^2 + epsilon)
 * Additive form: Bahdanau et al. 2015; with deviations: Okabe et al. 2018.
 * A clip without frames gives zeros and receives a zero gradient. */
#include <math.h>
#include <string.h>

#include "nn/groups.h"
#include "nn/layer.h"

#define STATISTICS(X) X(MEAN, "mean") X(MEAN_STD, "mean_std")
typedef enum attention_statistics { STATISTICS(AM_WORD_NAME) } attention_statistics;

typedef struct attention_options {
  int64_t units, heads;
  int statistics; /* attention_statistics */
  double epsilon;
} attention_options;

static const am_option attention_table[] = {
    {"units", AM_OPT_INT, offsetof(attention_options, units), "0", 0, 65536, NULL,
     "width D of the hidden layer that scores a frame; 0: the score is linear in the frame"},
    {"heads", AM_OPT_INT, offsetof(attention_options, heads), "1", 1, 1024, NULL, "attentions side by side"},
    {"statistics", AM_OPT_CHOICE, offsetof(attention_options, statistics), "mean", 0, 0, AM_WORDS(STATISTICS),
     "what is taken under the attention: the mean, or also the standard deviation"},
    {"epsilon", AM_OPT_REAL, offsetof(attention_options, epsilon), "1e-5", 0, 1, NULL,
     "added to the variance before its root, with mean_std"},
    AM_OPTION_END,
};

typedef struct attention {
  const am_layer *layer;
  const am_pass *pass;
  size_t T, C, D, heads, out; /* out: numbers per clip */
  bool deviations;
  double epsilon;
  const am_real *scorer_input; /* (B,T,D) hidden, or x (B,T,C) */
  size_t scorer_width;         /* D or C */
  am_real *hidden;             /* cache (B,T,D): tanh(x W + b) */
  am_real *weight;             /* cache (B,T,heads): a */
  am_real *moments;            /* cache (B,2,heads*C): mean, deviation */
  am_real *dhidden;            /* scratch (B,T,D) */
  am_real *dscore;             /* scratch (B,T,heads) */
  am_real *gradients;          /* scratch, backward: those of each group */
  const am_real *kernel, *bias, *v;
} attention;

static void place_cache(attention *a, size_t batch, am_arena *arena) {
  a->hidden = am_arena_take(arena, batch * a->T * a->D, sizeof(am_real));
  a->weight = am_arena_take(arena, batch * a->T * a->heads, sizeof(am_real));
  a->moments = am_arena_take(arena, batch * 2 * a->heads * a->C, sizeof(am_real));
}

static void place_scratch(attention *a, size_t batch, am_arena *arena) {
  a->dhidden = am_arena_take(arena, batch * a->T * a->D, sizeof(am_real));
  a->dscore = am_arena_take(arena, batch * a->T * a->heads, sizeof(am_real));
}

static attention sizes_of(const am_layer *layer) {
  const attention_options *o = layer->options;
  attention a = {
      .layer = layer,
      .T = (size_t)layer->in[0].t,
      .C = (size_t)layer->in[0].c,
      .D = (size_t)o->units,
      .heads = (size_t)o->heads,
      .deviations = o->statistics == MEAN_STD,
      .epsilon = o->epsilon,
  };
  a.out = a.heads * a.C * (a.deviations ? 2 : 1);
  a.scorer_width = a.D ? a.D : a.C;
  return a;
}

/* The weight gradients of a group, one after the other: dW, db, dv. */
static size_t gradient_reals(const attention *a) { return (a->C + 1) * a->D + a->scorer_width * a->heads; }

static attention attention_prepare(const am_layer *layer, const am_pass *pass) {
  attention a = sizes_of(layer);
  am_arena cache = {pass->cache, SIZE_MAX / 2, 0}, scratch = {pass->scratch, SIZE_MAX / 2, 0};
  place_cache(&a, (size_t)pass->batch, &cache);
  place_scratch(&a, (size_t)pass->batch, &scratch);
  a.gradients = am_arena_take(&scratch, 0, sizeof(am_real));
  a.pass = pass;
  a.kernel = a.D ? pass->w[0] : NULL;
  a.bias = a.D ? pass->w[1] : NULL;
  a.v = pass->w[a.D ? 2 : 0];
  a.scorer_input = a.D ? a.hidden : pass->x[0];
  return a;
}

static am_status attention_build(am_layer *layer, am_error *err) {
  if (layer->in[0].rank != 2)
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         "wanted (T,C), frames of one vector each; put to_sequence before this layer");
  attention a = sizes_of(layer);
  const int c = (int)a.C, d = (int)a.D, heads = (int)a.heads, width = (int)a.scorer_width;
  if (d) {
    am_layer_weight(layer, "kernel", AM_INIT_GLOROT_UNIFORM, 2, (int[]){c, d}, c, d, true);
    am_layer_weight(layer, "bias", AM_INIT_ZERO, 1, &d, c, d, false);
  }
  am_layer_weight(layer, "score", AM_INIT_GLOROT_UNIFORM, 2, (int[]){width, heads}, width, heads, true);
  layer->out = (am_shape){.rank = 1, .t = 1, .f = 1, .c = (int)a.out};
  layer->backward_needs_x = true;
  am_arena cache = {0}, scratch = {0};
  place_cache(&a, 1, &cache);
  place_scratch(&a, 1, &scratch);
  layer->cache_per_clip = cache.used;
  layer->scratch_per_clip = scratch.used;
  layer->scratch_per_group = gradient_reals(&a) * sizeof(am_real);
  return AM_OK;
}

static double attention_operations(const am_layer *layer) {
  const attention a = sizes_of(layer);
  return (double)a.T * ((double)(a.C * a.D) + (double)(a.heads * (a.scorer_width + a.C)));
}

static size_t frames_of(const attention *a, size_t b) { return (size_t)a->pass->x_len[0][b]; }

/* In place over the n rows of (n,heads), column by column. */
static void softmax_columns(size_t n, size_t heads, am_real *score) {
  for (size_t h = 0; h < heads; h++) {
    double largest = -INFINITY, sum = 0;
    for (size_t t = 0; t < n; t++) largest = fmax(largest, (double)score[t * heads + h]);
    for (size_t t = 0; t < n; t++) sum += exp((double)score[t * heads + h] - largest);
    for (size_t t = 0; t < n; t++) score[t * heads + h] = (am_real)(exp((double)score[t * heads + h] - largest) / sum);
  }
}

/* Mean and deviation (C) of head h under its weights. */
static void head_moments(const attention *a, size_t n, const am_real *x, const am_real *weight, am_real *mean,
                         am_real *deviation) {
  for (size_t t = 0; t < n; t++)
    for (size_t c = 0; c < a->C; c++) mean[c] += weight[t * a->heads] * x[t * a->C + c];
  if (!a->deviations) return;
  for (size_t t = 0; t < n; t++)
    for (size_t c = 0; c < a->C; c++) {
      const am_real d = x[t * a->C + c] - mean[c];
      deviation[c] += weight[t * a->heads] * d * d;
    }
  for (size_t c = 0; c < a->C; c++) deviation[c] = (am_real)sqrt((double)deviation[c] + a->epsilon);
}

static void attention_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const attention *a = arg;
  const size_t n = frames_of(a, b), heads = a->heads, C = a->C, D = a->D, width = heads * C;
  const am_real *x = a->pass->x[0] + b * a->T * C;
  am_real *weight = a->weight + b * a->T * heads, *moments = a->moments + b * 2 * width;
  am_real *y = a->pass->y + b * a->out;
  memset(moments, 0, 2 * width * sizeof *moments);
  memset(y, 0, a->out * sizeof *y);
  if (!n) return;
  if (D) {
    am_real *hidden = a->hidden + b * a->T * D;
    for (size_t t = 0; t < n; t++) memcpy(hidden + t * D, a->bias, D * sizeof *hidden);
    am_gemm_one(false, false, (int)n, (int)D, (int)C, 1, x, (int)C, a->kernel, (int)D, 1, hidden, (int)D);
    am_kernels_of(a->layer->ctx)->tanh(n * D, hidden, hidden);
  }
  am_gemm_one(false, false, (int)n, (int)heads, (int)a->scorer_width, 1, a->scorer_input + b * a->T * a->scorer_width,
              (int)a->scorer_width, a->v, (int)heads, 0, weight, (int)heads);
  softmax_columns(n, heads, weight);
  for (size_t h = 0; h < heads; h++) {
    am_real *mean = moments + h * C, *deviation = moments + width + h * C;
    head_moments(a, n, x, weight + h, mean, deviation);
    am_real *out = y + h * (a->out / heads);
    memcpy(out, mean, C * sizeof *out);
    if (a->deviations) memcpy(out + C, deviation, C * sizeof *out);
  }
}

static void attention_forward(const am_layer *layer, const am_pass *pass) {
  attention a = attention_prepare(layer, pass);
  am_parallel_for(layer->ctx, (size_t)pass->batch, attention_clip, &a);
}

/* Of one head: d/da[t] = sum_c dmean x + ddeviation (x - mean)^2 / (2 deviation), then through the softmax
 * ds = a (da - sum a da); and dx += a (dmean + ddeviation (x - mean) / deviation).  The deviation's part
 * through the mean is zero, since sum_t a (x - mean) is. */
static void head_back(const attention *a, size_t n, size_t h, const am_real *x, const am_real *weight,
                      const am_real *moments, const am_real *dy, am_real *dscore, am_real *dx) {
  const size_t C = a->C, heads = a->heads;
  const am_real *mean = moments + h * C, *deviation = moments + (heads + h) * C;
  const am_real *dmean = dy + h * (a->out / heads), *ddeviation = a->deviations ? dmean + C : NULL;
  double inner = 0;
  for (size_t t = 0; t < n; t++) {
    double da = 0;
    for (size_t c = 0; c < C; c++) {
      const double d = (double)x[t * C + c] - (double)mean[c];
      da += (double)dmean[c] * (double)x[t * C + c];
      if (ddeviation) da += (double)ddeviation[c] * d * d / (2 * (double)deviation[c]);
      if (dx && ddeviation)
        dx[t * C + c] += weight[t * heads + h] * (dmean[c] + ddeviation[c] * (am_real)d / deviation[c]);
      else if (dx) dx[t * C + c] += weight[t * heads + h] * dmean[c];
    }
    dscore[t * heads + h] = (am_real)da;
    inner += (double)weight[t * heads + h] * da;
  }
  for (size_t t = 0; t < n; t++) {
    const size_t i = t * heads + h;
    dscore[i] = (am_real)((double)weight[i] * ((double)dscore[i] - inner));
  }
}

/* dscore and dhidden (before its tanh) of one clip, and its dx. */
static void attention_clip_back(void *arg, size_t b, int worker) {
  (void)worker;
  const attention *a = arg;
  const am_pass *pass = a->pass;
  const size_t n = frames_of(a, b), heads = a->heads, C = a->C, D = a->D;
  const am_real *x = pass->x[0] + b * a->T * C;
  am_real *dscore = a->dscore + b * a->T * heads, *dx = pass->dx[0] ? pass->dx[0] + b * a->T * C : NULL;
  if (dx) memset(dx, 0, (size_t)pass->x_most[0] * C * sizeof *dx);
  if (!n) return;
  for (size_t h = 0; h < heads; h++)
    head_back(a, n, h, x, a->weight + b * a->T * heads, a->moments + b * 2 * heads * C, pass->dy + b * a->out, dscore,
              dx);
  if (!D) {
    /* score = x v */
    if (dx)
      am_gemm_one(false, true, (int)n, (int)C, (int)heads, 1, dscore, (int)heads, a->v, (int)heads, 1, dx, (int)C);
    return;
  }
  /* score = hidden v, hidden = tanh(x W + b) */
  const am_real *hidden = a->hidden + b * a->T * D;
  am_real *dhidden = a->dhidden + b * a->T * D;
  am_gemm_one(false, true, (int)n, (int)D, (int)heads, 1, dscore, (int)heads, a->v, (int)heads, 0, dhidden, (int)D);
  for (size_t i = 0; i < n * D; i++) dhidden[i] *= 1 - hidden[i] * hidden[i];
  if (dx) am_gemm_one(false, true, (int)n, (int)C, (int)D, 1, dhidden, (int)D, a->kernel, (int)D, 1, dx, (int)C);
}

/* The weight gradients of one group, clips in order. */
static void attention_group_back(void *arg, size_t g, int worker) {
  (void)worker;
  const attention *a = arg;
  const am_pass *pass = a->pass;
  const size_t heads = a->heads, C = a->C, D = a->D, width = a->scorer_width;
  am_real *dw = a->gradients + g * gradient_reals(a), *db = dw + C * D, *dv = db + D;
  memset(dw, 0, gradient_reals(a) * sizeof *dw);
  for (size_t b = am_group_first(pass, g); b < am_group_end(pass, g); b++) {
    const size_t n = frames_of(a, b);
    if (!n) continue;
    am_gemm_one(true, false, (int)width, (int)heads, (int)n, 1, a->scorer_input + b * a->T * width, (int)width,
                a->dscore + b * a->T * heads, (int)heads, 1, dv, (int)heads);
    if (!D) continue;
    const am_real *dhidden = a->dhidden + b * a->T * D;
    am_gemm_one(true, false, (int)C, (int)D, (int)n, 1, pass->x[0] + b * a->T * C, (int)C, dhidden, (int)D, 1, dw,
                (int)D);
    for (size_t k = 0; k < D; k++) {
      double sum = 0;
      for (size_t t = 0; t < n; t++) sum += (double)dhidden[t * D + k];
      db[k] += (am_real)sum;
    }
  }
}

static void attention_backward(const am_layer *layer, const am_pass *pass) {
  attention a = attention_prepare(layer, pass);
  am_parallel_for(layer->ctx, (size_t)pass->batch, attention_clip_back, &a);
  am_parallel_for(layer->ctx, am_groups_of(pass), attention_group_back, &a);
  am_groups_add(layer, pass, gradient_reals(&a), a.gradients);
}

const am_layer_class am_attention_pool = {
    .type = "attention_pool",
    .help = "mean of the frames under learnt weights",
    .table = attention_table,
    .options_size = sizeof(attention_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = attention_build,
    .forward = attention_forward,
    .backward = attention_backward,
    .operations = attention_operations,
};
