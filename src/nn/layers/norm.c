/* SPDX-License-Identifier: MIT */
/* nn/layers/norm.c - batch and layer normalisation.
 *
 * batch_norm (Ioffe and Szegedy 2015): per channel over all positions of all
 * clips of the batch, padding excluded.  Conventions that differ:
 *   Keras    epsilon 1e-3, momentum 0.99: moving = 0.99 moving + 0.01 new, biased variance
 *            (its fused kernel, used for maps, keeps the unbiased one: unbiased: true)
 *   PyTorch  epsilon 1e-5, momentum 0.1 means the new part: write 0.9 here; unbiased: true
 * The variance that normalises is always the biased one.
 *
 * Both begin at mean 0 and variance 1, of which m^t is left after t steps of momentum m: a network trained for few
 * steps is evaluated as another one than was trained.  `statistics: corrected` takes the start out, as Adam does from
 * its means (Kingma and Ba 2015, section 3): the moving value s_t is the sum of (1-m) m^(t-i) x_i over the batches
 * i = 1 to t, divided by the sum of these weights, 1 - m^t.  Then
 *   s_t = (1-a) s_(t-1) + a x_t,   a = (1-m)/(1-m^t);   m = 1: a = 1/t, the mean of all batches
 * which needs no start (a = 1 at t = 1) and is the plain step where m^t vanishes.  t is a statistic, too, of each channel
 * as the others are, so that they are kept and taken over together; exact to 2^24 in float, where it stays, long after a
 * has come to rest.  A training that begins from plain statistics (--init; an older checkpoint, a Keras model) has no count
 * to take over, as it is not known what part of them is a start: they are used until the first batch, at which t is 1 again.
 * `statistics: plain` goes on with them as they are.
 *
 * layer_norm (Ba, Kiros and Hinton 2016): per position over its channels.
 * Keras's epsilon is 1e-3, PyTorch's 1e-5. */
#include <math.h>
#include <string.h>

#include "nn/groups.h"
#include "nn/layers/norm.h"

#define STATISTICS(X) X(CORRECTED, "corrected") X(PLAIN, "plain")
typedef enum norm_statistics { STATISTICS(AM_WORD_NAME) } norm_statistics;

typedef struct norm_options {
  double epsilon, momentum;
  bool unbiased;
  int statistics; /* norm_statistics */
  bool relu;      /* batch norm: a ReLU that follows is taken in; set by build and fuse */
} norm_options;

enum { GAMMA, BETA };             /* weights (C) */
enum { MEAN, VARIANCE, UPDATES }; /* statistics (C); the last of a corrected one only */

/* Positions of clip b: rows of C numbers. */
static size_t clip_rows(const am_layer *layer, const am_pass *pass, size_t b) {
  if (layer->in[0].rank < 2) return 1;
  return (size_t)pass->x_len[0][b] * (size_t)layer->in[0].f;
}

static void declare_scale_and_shift(am_layer *layer) {
  const int c = layer->in[0].c;
  am_layer_weight(layer, "gamma", AM_INIT_ONE, 1, &c, c, c, false);
  am_layer_weight(layer, "beta", AM_INIT_ZERO, 1, &c, c, c, false);
  layer->out = layer->in[0];
  layer->backward_needs_x = true;
  layer->scratch_per_group = 2 * (size_t)c * sizeof(am_real);
}

/* (G,2C), after the rest of the scratch. */
static am_real *group_sums(const am_layer *layer, const am_pass *pass) {
  return (am_real *)(void *)((char *)pass->scratch + layer->scratch_once +
                             (size_t)pass->batch * layer->scratch_per_clip);
}

/* Zeros from row `rows` to the end of the longest clip, in clip b of a tensor shaped like the input. */
static void clear_padding(const am_layer *layer, const am_pass *pass, am_real *clip, size_t rows) {
  const size_t c = (size_t)layer->in[0].c;
  if (layer->in[0].rank < 2) return;
  memset(clip + rows * c, 0, ((size_t)pass->x_most[0] * (size_t)layer->in[0].f - rows) * c * sizeof *clip);
}

/* Batch norm */

static const am_option batch_table[] = {
    {"epsilon", AM_OPT_REAL, offsetof(norm_options, epsilon), "1e-3", 0, 1, NULL,
     "added to the variance (Keras 1e-3, PyTorch 1e-5)"},
    {"momentum", AM_OPT_REAL, offsetof(norm_options, momentum), "0.99", 0, 1, NULL,
     "part of the moving statistics kept each step (Keras 0.99; PyTorch's 0.1 is 0.9 here)"},
    {"unbiased", AM_OPT_BOOL, offsetof(norm_options, unbiased), "false", 0, 0, NULL,
     "the moving variance takes n/(n-1) of the batch's (PyTorch; Keras's fused kernel)"},
    {"statistics", AM_OPT_CHOICE, offsetof(norm_options, statistics), "corrected", 0, 0, AM_WORDS(STATISTICS),
     "moving statistics: corrected: of the batches alone; plain: of these and a start at 0 and 1 (Keras, PyTorch)",
     .before = "plain"},
    AM_OPTION_END,
};

/* Cache: what the batch was normalised by, y = x scale + shift. Sums per clip are doubles, so that
 * neither the number of positions nor their mean costs accuracy. */
typedef struct batch_job {
  const am_layer *layer;
  const am_pass *pass;
  const am_kernels *kernels;
  double *mean, *inverse, *scale, *shift; /* (C), inverse = 1/sqrt(variance + epsilon), scale = gamma inverse */
  double *first, *second;                 /* (B,C) partial sums per clip */
  double *totals;                         /* (B,2C+1) what is summed over the batch */
  double *constant, *of_x;                /* (C), backward: dx = dy scale + x of_x + constant */
  double *positions;                      /* of the whole batch; kept */
} batch_job;

enum { KEPT = 4, SUMS = 2 }; /* arrays (C) in the cache; in the scratch */

static batch_job batch_prepare(const am_layer *layer, const am_pass *pass) {
  const size_t c = (size_t)layer->in[0].c, n = (size_t)pass->batch;
  double *kept = pass->training ? pass->cache : pass->scratch;
  batch_job job = {.layer = layer, .pass = pass, .kernels = am_kernels_of(layer->ctx)};
  job.mean = kept;
  job.inverse = kept + c;
  job.scale = kept + 2 * c;
  job.shift = kept + 3 * c;
  job.positions = kept + KEPT * c; /* of training alone */
  if (!pass->training) return job;
  job.constant = pass->scratch;
  job.of_x = job.constant + c;
  job.first = job.constant + SUMS * c;
  job.second = job.first + n * c;
  job.totals = job.second + n * c;
  return job;
}

static am_norm norm_of(const batch_job *job) {
  const norm_options *o = job->layer->options;
  return (am_norm){.mean = job->mean, .scale = job->scale, .shift = job->shift, .relu = o->relu};
}

static am_status batch_build(am_layer *layer, am_error *err) {
  (void)err;
  ((norm_options *)layer->options)->relu = false;
  const int c = layer->in[0].c;
  declare_scale_and_shift(layer);
  am_layer_statistic(layer, "mean", AM_INIT_ZERO, 1, &c);
  am_layer_statistic(layer, "variance", AM_INIT_ONE, 1, &c);
  if (((norm_options *)layer->options)->statistics == CORRECTED)
    am_layer_statistic(layer, "updates", AM_INIT_ZERO, 1, &c);
  layer->cache_once = (KEPT * (size_t)c + 1) * sizeof(double);
  layer->scratch_once = KEPT * (size_t)c * sizeof(double); /* in inference; in training SUMS of them are enough */
  layer->scratch_per_clip = (4 * (size_t)c + 1) * sizeof(double);
  return AM_OK;
}

/* Mean and sum of squared deviations of one clip. */
static void batch_clip_moments(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const size_t c = (size_t)job->layer->in[0].c, rows = clip_rows(job->layer, job->pass, b);
  const am_real *x = job->pass->x[0] + b * am_shape_count(job->layer->in[0]);
  job->kernels->column_moments(rows, c, x, job->first + b * c, job->second + b * c);
}

/* The part a of the moving statistics that their batch t makes. */
static double corrected_share(double momentum, double t) {
  return momentum == 1 ? 1 / t : (1 - momentum) / (1 - pow(momentum, t));
}

/* The batch's mean and variance (C) into the moving ones. */
static void batch_move(const norm_options *o, const am_pass *pass, size_t c, const double *mean, const double *squares,
                       double n) {
  am_real *moving_mean = pass->statistics[MEAN], *moving_variance = pass->statistics[VARIANCE];
  const double of_variance = o->unbiased && n > 1 ? n - 1 : n;
  double kept = o->momentum, share = 1 - kept, counted = 0;
  for (size_t k = 0; k < c; k++) {
    if (o->statistics == CORRECTED) {
      const double t = (double)(pass->statistics[UPDATES][k] += 1);
      if (t != counted) share = corrected_share(o->momentum, t), kept = 1 - share; /* one power for all channels */
      counted = t;
    }
    moving_mean[k] = (am_real)(kept * (double)moving_mean[k] + share * mean[k]);
    moving_variance[k] = (am_real)(kept * (double)moving_variance[k] + share * (squares[k] / of_variance));
  }
}

/* The moments of the batch from those of its clips, in two sums over clips (groups.h): n and n mean; then the squared
 * deviations from the batch's mean, m2 + n (mean - mean of the batch)^2. */
static void batch_join_moments(batch_job *job) {
  const am_pass *pass = job->pass;
  const norm_options *o = job->layer->options;
  const size_t c = (size_t)job->layer->in[0].c, wide = c + 1, clips = (size_t)pass->batch;
  double *mean = job->mean, *inverse = job->inverse, *totals = job->totals;
  for (size_t b = 0; b < clips; b++) {
    const double rows = totals[b * wide + c] = (double)clip_rows(job->layer, pass, b);
    for (size_t k = 0; k < c; k++) totals[b * wide + k] = rows * job->first[b * c + k];
  }
  am_groups_sum(pass, wide, totals);
  const double n = *job->positions = totals[c];
  for (size_t k = 0; k < c; k++) mean[k] = n > 0 ? totals[k] / n : 0;
  for (size_t b = 0; b < clips; b++) {
    const double rows = (double)clip_rows(job->layer, pass, b);
    for (size_t k = 0; k < c; k++) {
      const double d = job->first[b * c + k] - mean[k];
      totals[b * c + k] = rows > 0 ? job->second[b * c + k] + rows * d * d : 0;
    }
  }
  am_groups_sum(pass, c, totals);
  if (n > 0) batch_move(o, pass, c, mean, totals, n); /* a batch of empty clips says nothing */
  for (size_t k = 0; k < c; k++) inverse[k] = 1 / sqrt((n > 0 ? totals[k] / n : 0) + o->epsilon);
}

static void batch_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const am_pass *pass = job->pass;
  const size_t rows = clip_rows(job->layer, pass, b), all = am_shape_count(job->layer->in[0]);
  const am_norm norm = norm_of(job);
  job->kernels->norm_forward(rows, (size_t)job->layer->in[0].c, &norm, pass->x[0] + b * all, pass->y + b * all);
  clear_padding(job->layer, pass, pass->y + b * all, rows);
}

/* y = (x - mean) * inverse * gamma + beta = x * scale + shift */
static void find_line(size_t c, const am_real *gamma, const am_real *beta, const double *mean, const double *inverse,
                      double *scale, double *shift) {
  for (size_t k = 0; k < c; k++) {
    scale[k] = (double)gamma[k] * inverse[k];
    shift[k] = (double)beta[k] - mean[k] * scale[k];
  }
}

void am_batch_norm_line(const am_layer *norm, const am_real *gamma, const am_real *beta,
                        const am_real *const statistics[2], double *scale, double *shift) {
  const norm_options *o = norm->options;
  for (int k = 0; k < norm->in[0].c; k++) {
    const double inverse = 1 / sqrt((double)statistics[VARIANCE][k] + o->epsilon), mean = (double)statistics[MEAN][k];
    find_line(1, gamma + k, beta + k, &mean, &inverse, scale + k, shift + k);
  }
}

double am_batch_norm_start(const am_layer *norm, uint64_t updates) {
  const norm_options *o = norm->options;
  return norm->cls == &am_batch_norm && o->statistics == PLAIN ? pow(o->momentum, (double)updates) : 0;
}

bool am_batch_norm_counts(const char *statistic) {
  const char *last = strrchr(statistic, '/');
  return !strcmp(last ? last + 1 : statistic, "updates");
}

static void batch_forward(const am_layer *layer, const am_pass *pass) {
  batch_job job = batch_prepare(layer, pass);
  const size_t c = (size_t)layer->in[0].c;
  if (pass->training) {
    am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip_moments, &job);
    batch_join_moments(&job);
    find_line(c, pass->w[GAMMA], pass->w[BETA], job.mean, job.inverse, job.scale, job.shift);
  } else {
    const am_real *const statistics[2] = {pass->statistics[MEAN], pass->statistics[VARIANCE]};
    am_batch_norm_line(layer, pass->w[GAMMA], pass->w[BETA], statistics, job.scale, job.shift);
  }
  am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip, &job);
}

/* first = sum dy, second = sum dy * (x - mean) of one clip */
static void batch_clip_sums(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const size_t c = (size_t)job->layer->in[0].c, all = am_shape_count(job->layer->in[0]);
  const am_norm norm = norm_of(job);
  job->kernels->norm_back_sums(clip_rows(job->layer, job->pass, b), c, &norm, job->pass->x[0] + b * all,
                               job->pass->dy + b * all, job->first + b * c, job->second + b * c);
}

static void batch_clip_back(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const am_pass *pass = job->pass;
  const size_t rows = clip_rows(job->layer, pass, b), all = am_shape_count(job->layer->in[0]);
  const am_norm norm = norm_of(job);
  job->kernels->norm_back(rows, (size_t)job->layer->in[0].c, &norm, job->of_x, job->constant, pass->x[0] + b * all,
                          pass->dy + b * all, pass->dx[0] + b * all);
  clear_padding(job->layer, pass, pass->dx[0] + b * all, rows);
}

/* (B,2C) sums of each clip: of dy xhat, which are dgamma, and of dy, dbeta. */
static void batch_totals(batch_job *job) {
  const size_t c = (size_t)job->layer->in[0].c;
  for (size_t b = 0; b < (size_t)job->pass->batch; b++)
    for (size_t k = 0; k < c; k++) {
      job->totals[b * 2 * c + k] = job->second[b * c + k] * job->inverse[k];
      job->totals[b * 2 * c + c + k] = job->first[b * c + k];
    }
}

/* Of y = xhat * gamma + beta, xhat = (x - mean) * inverse, where mean and inverse depend on every x:
 * dx = gamma * inverse * (dy - mean(dy) - xhat * mean(dy * xhat)) */
static void batch_backward(const am_layer *layer, const am_pass *pass) {
  batch_job job = batch_prepare(layer, pass);
  const size_t c = (size_t)layer->in[0].c;
  const double n = *job.positions;
  am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip_sums, &job);
  batch_totals(&job);
  am_groups_gradient(layer, pass, 2 * c, job.totals, group_sums(layer, pass));
  am_groups_sum(pass, 2 * c, job.totals);
  for (size_t k = 0; k < c && n > 0; k++) {
    const double dgamma = job.totals[k], dbeta = job.totals[c + k];
    job.of_x[k] = -job.scale[k] * job.inverse[k] * dgamma / n;
    job.constant[k] = -job.scale[k] * dbeta / n - job.of_x[k] * job.mean[k];
  }
  if (pass->dx[0]) am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip_back, &job);
}

static bool batch_fuse(am_layer *layer, const am_layer *next, bool training) {
  (void)training;
  norm_options *o = layer->options;
  if (next->cls != &am_relu || o->relu) return false;
  return o->relu = true;
}

const am_layer_class am_batch_norm = {
    .type = "batch_norm",
    .help = "normalises each channel over the batch, then scales and shifts",
    .table = batch_table,
    .options_size = sizeof(norm_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = batch_build,
    .forward = batch_forward,
    .backward = batch_backward,
    .fuse = batch_fuse,
    .joins = true,
};

/* Layer norm */

static const am_option layer_table[] = {
    {"epsilon", AM_OPT_REAL, offsetof(norm_options, epsilon), "1e-5", 0, 1, NULL,
     "added to the variance (PyTorch 1e-5, Keras 1e-3)"},
    AM_OPTION_END,
};

typedef struct layer_job {
  const am_layer *layer;
  const am_pass *pass;
} layer_job;

/* Cache: mean and 1/sqrt(variance + epsilon) per position, (B,T*F,2). */
static double *position_moments(const layer_job *job, size_t b) {
  const am_shape in = job->layer->in[0];
  return (double *)job->pass->cache + b * (size_t)in.t * (size_t)in.f * 2;
}

static am_status layer_build(am_layer *layer, am_error *err) {
  if (layer->in[0].c < 2)
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         "one channel normalised by itself is always zero: wanted at least 2 channels");
  declare_scale_and_shift(layer);
  layer->cache_per_clip = (size_t)layer->in[0].t * (size_t)layer->in[0].f * 2 * sizeof(double);
  layer->scratch_per_clip = 2 * (size_t)layer->in[0].c * sizeof(double);
  return AM_OK;
}

/* y = (x - mean) * inverse * gamma + beta, mean and inverse of each row */
static void layer_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const layer_job *job = arg;
  const am_pass *pass = job->pass;
  const norm_options *o = job->layer->options;
  const size_t rows = clip_rows(job->layer, pass, b), at = b * am_shape_count(job->layer->in[0]);
  am_kernels_of(job->layer->ctx)
      ->norm_rows(rows, (size_t)job->layer->in[0].c, pass->w[GAMMA], pass->w[BETA], o->epsilon, pass->x[0] + at,
                  position_moments(job, b), pass->y + at);
  clear_padding(job->layer, pass, pass->y + at, rows);
}

static void layer_forward(const am_layer *layer, const am_pass *pass) {
  layer_job job = {layer, pass};
  am_parallel_for(layer->ctx, (size_t)pass->batch, layer_clip, &job);
}

/* With g = dy * gamma and means over the row:
 * dx = inverse * (g - mean(g) - xhat * mean(g * xhat)) */
static void layer_clip_back(void *arg, size_t b, int worker) {
  (void)worker;
  const layer_job *job = arg;
  const am_pass *pass = job->pass;
  const size_t c = (size_t)job->layer->in[0].c, rows = clip_rows(job->layer, pass, b);
  const size_t at = b * am_shape_count(job->layer->in[0]);
  double *dgamma = (double *)pass->scratch + b * 2 * c, *dbeta = dgamma + c;
  am_real *dx = pass->dx[0] ? pass->dx[0] + at : NULL;
  memset(dgamma, 0, 2 * c * sizeof *dgamma);
  am_kernels_of(job->layer->ctx)
      ->norm_rows_back(rows, c, pass->w[GAMMA], position_moments(job, b), pass->x[0] + at, pass->dy + at, dgamma, dbeta,
                       dx);
  if (dx) clear_padding(job->layer, pass, dx, rows);
}

static void layer_backward(const am_layer *layer, const am_pass *pass) {
  layer_job job = {layer, pass};
  const size_t c = (size_t)layer->in[0].c;
  am_parallel_for(layer->ctx, (size_t)pass->batch, layer_clip_back, &job);
  am_groups_gradient(layer, pass, 2 * c, pass->scratch, group_sums(layer, pass)); /* (B,2,C) */
}

const am_layer_class am_layer_norm = {
    .type = "layer_norm",
    .help = "normalises each position over its channels, then scales and shifts",
    .table = layer_table,
    .options_size = sizeof(norm_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = layer_build,
    .forward = layer_forward,
    .backward = layer_backward,
};
