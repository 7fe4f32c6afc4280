/* nn/norm.c - batch and layer normalisation.
 *
 * batch_norm (Ioffe and Szegedy 2015): per channel over all positions of all
 * clips of the batch, padding excluded.  Conventions that differ:
 *   Keras    epsilon 1e-3, momentum 0.99: moving = 0.99 moving + 0.01 new, biased variance
 *            (its fused kernel, used for maps, keeps the unbiased one: unbiased: true)
 *   PyTorch  epsilon 1e-5, momentum 0.1 means the new part: write 0.9 here; unbiased: true
 * The variance that normalises is always the biased one.
 *
 * layer_norm (Ba, Kiros and Hinton 2016): per position over its channels.
 * Keras's epsilon is 1e-3, PyTorch's 1e-5. */
#include <math.h>
#include <string.h>

#include "nn/layer.h"

typedef struct norm_options {
  double epsilon, momentum;
  bool unbiased;
} norm_options;

enum { GAMMA, BETA };   /* weights (C) */
enum { MEAN, VARIANCE }; /* statistics (C) */

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
}

/* Zeros from row `rows` to the end of clip b of a tensor shaped like the input. */
static void clear_padding(const am_layer *layer, am_real *clip, size_t rows) {
  const size_t used = rows * (size_t)layer->in[0].c;
  memset(clip + used, 0, (am_shape_count(layer->in[0]) - used) * sizeof *clip);
}

/* Batch norm */

static const am_option batch_table[] = {
  {"epsilon", AM_OPT_REAL, offsetof(norm_options, epsilon), "1e-3", 0, 1, NULL,
   "added to the variance (Keras 1e-3, PyTorch 1e-5)"},
  {"momentum", AM_OPT_REAL, offsetof(norm_options, momentum), "0.99", 0, 1, NULL,
   "part of the moving statistics kept each step (Keras 0.99; PyTorch's 0.1 is 0.9 here)"},
  {"unbiased", AM_OPT_BOOL, offsetof(norm_options, unbiased), "false", 0, 0, NULL,
   "the moving variance takes n/(n-1) of the batch's (PyTorch; Keras's fused kernel)"},
  AM_OPTION_END,
};

/* Cache: what the batch was normalised by. Sums per clip are doubles, so that
 * neither the number of positions nor their mean costs accuracy. */
typedef struct batch_job {
  const am_layer *layer;
  const am_pass *pass;
  double *mean, *inverse; /* (C), inverse = 1/sqrt(variance + epsilon) */
  double *first, *second; /* (B,C) partial sums per clip */
  double positions;
  const double *dgamma, *dbeta; /* (C), backward: of this batch alone */
} batch_job;

static batch_job batch_prepare(const am_layer *layer, const am_pass *pass) {
  const size_t c = (size_t)layer->in[0].c, n = (size_t)pass->batch;
  batch_job job = {.layer = layer, .pass = pass};
  if (pass->training) {
    job.mean = pass->cache;
    job.inverse = job.mean + c;
    job.first = (double *)pass->scratch + 2 * c;
    job.second = job.first + n * c;
    for (size_t b = 0; b < n; b++) job.positions += (double)clip_rows(layer, pass, b);
  } else {
    job.mean = pass->scratch;
    job.inverse = job.mean + c;
  }
  return job;
}

static am_status batch_build(am_layer *layer, am_error *err) {
  (void)err;
  const int c = layer->in[0].c;
  declare_scale_and_shift(layer);
  am_layer_statistic(layer, "mean", AM_INIT_ZERO, 1, &c);
  am_layer_statistic(layer, "variance", AM_INIT_ONE, 1, &c);
  layer->cache_once = 2 * (size_t)c * sizeof(double);
  layer->scratch_once = 2 * (size_t)c * sizeof(double);
  layer->scratch_per_clip = 2 * (size_t)c * sizeof(double);
  return AM_OK;
}

/* Mean and sum of squared deviations of one clip, two passes. */
static void batch_clip_moments(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const size_t c = (size_t)job->layer->in[0].c, rows = clip_rows(job->layer, job->pass, b);
  const am_real *x = job->pass->x[0] + b * am_shape_count(job->layer->in[0]);
  double *mean = job->first + b * c, *squares = job->second + b * c;
  memset(mean, 0, c * sizeof *mean);
  memset(squares, 0, c * sizeof *squares);
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < c; k++) mean[k] += (double)x[r * c + k];
  for (size_t k = 0; rows && k < c; k++) mean[k] /= (double)rows;
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < c; k++) {
      const double d = (double)x[r * c + k] - mean[k];
      squares[k] += d * d;
    }
}

/* Joins the clips' moments in batch order (Chan, Golub and LeVeque 1979). */
static void batch_join_moments(batch_job *job) {
  const am_pass *pass = job->pass;
  const norm_options *o = job->layer->options;
  const size_t c = (size_t)job->layer->in[0].c;
  double *mean = job->mean, *inverse = job->inverse, seen = 0;
  memset(mean, 0, c * sizeof *mean);
  memset(inverse, 0, c * sizeof *inverse);
  for (size_t b = 0; b < (size_t)pass->batch; b++) {
    const double rows = (double)clip_rows(job->layer, pass, b);
    if (rows == 0) continue;
    for (size_t k = 0; k < c; k++) {
      const double d = job->first[b * c + k] - mean[k];
      mean[k] += d * rows / (seen + rows);
      inverse[k] += job->second[b * c + k] + d * d * seen * rows / (seen + rows);
    }
    seen += rows;
  }
  const double n = job->positions;
  for (size_t k = 0; k < c; k++) {
    const double squares = inverse[k];
    inverse[k] = 1 / sqrt((n > 0 ? squares / n : 0) + o->epsilon);
    if (n == 0) continue; /* a batch of empty clips says nothing */
    const double kept = o->momentum, variance = squares / (o->unbiased && n > 1 ? n - 1 : n);
    am_real *moving_mean = pass->statistics[MEAN], *moving_variance = pass->statistics[VARIANCE];
    moving_mean[k] = (am_real)(kept * (double)moving_mean[k] + (1 - kept) * mean[k]);
    moving_variance[k] = (am_real)(kept * (double)moving_variance[k] + (1 - kept) * variance);
  }
}

/* y = (x - mean) * inverse * gamma + beta */
static void batch_clip(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const am_pass *pass = job->pass;
  const size_t c = (size_t)job->layer->in[0].c, rows = clip_rows(job->layer, pass, b);
  const size_t all = am_shape_count(job->layer->in[0]);
  const am_real *x = pass->x[0] + b * all, *gamma = pass->w[GAMMA], *beta = pass->w[BETA];
  am_real *y = pass->y + b * all;
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < c; k++) {
      const size_t i = r * c + k;
      y[i] = (am_real)(((double)x[i] - job->mean[k]) * job->inverse[k]) * gamma[k] + beta[k];
    }
  clear_padding(job->layer, y, rows);
}

static void batch_forward(const am_layer *layer, const am_pass *pass) {
  batch_job job = batch_prepare(layer, pass);
  const norm_options *o = layer->options;
  if (pass->training) {
    am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip_moments, &job);
    batch_join_moments(&job);
  } else {
    for (int k = 0; k < layer->in[0].c; k++) {
      job.mean[k] = (double)pass->statistics[MEAN][k];
      job.inverse[k] = 1 / sqrt((double)pass->statistics[VARIANCE][k] + o->epsilon);
    }
  }
  am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip, &job);
}

/* first = sum dy, second = sum dy * xhat of one clip, xhat = (x - mean) * inverse */
static void batch_clip_sums(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const size_t c = (size_t)job->layer->in[0].c, rows = clip_rows(job->layer, job->pass, b);
  const size_t all = am_shape_count(job->layer->in[0]);
  const am_real *x = job->pass->x[0] + b * all, *dy = job->pass->dy + b * all;
  double *dbeta = job->first + b * c, *dgamma = job->second + b * c;
  memset(dbeta, 0, c * sizeof *dbeta);
  memset(dgamma, 0, c * sizeof *dgamma);
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < c; k++) {
      const double d = (double)dy[r * c + k];
      dbeta[k] += d;
      dgamma[k] += d * ((double)x[r * c + k] - job->mean[k]);
    }
  for (size_t k = 0; k < c; k++) dgamma[k] *= job->inverse[k];
}

/* Of y = xhat * gamma + beta, where mean and inverse depend on every x:
 * dx = gamma * inverse * (dy - mean(dy) - xhat * mean(dy * xhat)) */
static void batch_clip_back(void *arg, size_t b, int worker) {
  (void)worker;
  const batch_job *job = arg;
  const am_pass *pass = job->pass;
  const size_t c = (size_t)job->layer->in[0].c, rows = clip_rows(job->layer, pass, b);
  const size_t all = am_shape_count(job->layer->in[0]);
  const am_real *x = pass->x[0] + b * all, *dy = pass->dy + b * all, *gamma = pass->w[GAMMA];
  am_real *dx = pass->dx[0] + b * all;
  const double n = job->positions;
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < c; k++) {
      const size_t i = r * c + k;
      const double xhat = ((double)x[i] - job->mean[k]) * job->inverse[k];
      dx[i] = (am_real)((double)gamma[k] * job->inverse[k] *
                        ((double)dy[i] - (job->dbeta[k] + xhat * job->dgamma[k]) / n));
    }
  clear_padding(job->layer, dx, rows);
}

static void batch_backward(const am_layer *layer, const am_pass *pass) {
  batch_job job = batch_prepare(layer, pass);
  const size_t c = (size_t)layer->in[0].c;
  am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip_sums, &job);
  double *dbeta = pass->scratch, *dgamma = dbeta + c;
  memset(dbeta, 0, 2 * c * sizeof *dbeta);
  for (size_t b = 0; b < (size_t)pass->batch; b++)
    for (size_t k = 0; k < c; k++) {
      dbeta[k] += job.first[b * c + k];
      dgamma[k] += job.second[b * c + k];
    }
  for (size_t k = 0; k < c; k++) {
    pass->dw[GAMMA][k] += (am_real)dgamma[k];
    pass->dw[BETA][k] += (am_real)dbeta[k];
  }
  job.dgamma = dgamma;
  job.dbeta = dbeta;
  if (pass->dx[0]) am_parallel_for(layer->ctx, (size_t)pass->batch, batch_clip_back, &job);
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
  const size_t c = (size_t)job->layer->in[0].c, rows = clip_rows(job->layer, pass, b);
  const size_t all = am_shape_count(job->layer->in[0]);
  const am_real *gamma = pass->w[GAMMA], *beta = pass->w[BETA];
  double *moments = position_moments(job, b);
  for (size_t r = 0; r < rows; r++) {
    const am_real *x = pass->x[0] + b * all + r * c;
    am_real *y = pass->y + b * all + r * c;
    double mean = 0, squares = 0;
    for (size_t k = 0; k < c; k++) mean += (double)x[k];
    mean /= (double)c;
    for (size_t k = 0; k < c; k++) squares += ((double)x[k] - mean) * ((double)x[k] - mean);
    const double inverse = 1 / sqrt(squares / (double)c + o->epsilon);
    for (size_t k = 0; k < c; k++) y[k] = (am_real)(((double)x[k] - mean) * inverse) * gamma[k] + beta[k];
    moments[2 * r] = mean;
    moments[2 * r + 1] = inverse;
  }
  clear_padding(job->layer, pass->y + b * all, rows);
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
  const size_t all = am_shape_count(job->layer->in[0]);
  const am_real *gamma = pass->w[GAMMA];
  const double *moments = position_moments(job, b);
  double *dgamma = (double *)pass->scratch + b * 2 * c, *dbeta = dgamma + c;
  memset(dgamma, 0, 2 * c * sizeof *dgamma);
  for (size_t r = 0; r < rows; r++) {
    const am_real *x = pass->x[0] + b * all + r * c, *dy = pass->dy + b * all + r * c;
    const double mean = moments[2 * r], inverse = moments[2 * r + 1];
    double sum = 0, product = 0;
    for (size_t k = 0; k < c; k++) {
      const double xhat = ((double)x[k] - mean) * inverse, g = (double)dy[k] * (double)gamma[k];
      dgamma[k] += (double)dy[k] * xhat;
      dbeta[k] += (double)dy[k];
      sum += g;
      product += g * xhat;
    }
    if (!pass->dx[0]) continue;
    am_real *dx = pass->dx[0] + b * all + r * c;
    for (size_t k = 0; k < c; k++) {
      const double xhat = ((double)x[k] - mean) * inverse, g = (double)dy[k] * (double)gamma[k];
      dx[k] = (am_real)(inverse * (g - (sum + xhat * product) / (double)c));
    }
  }
  if (pass->dx[0]) clear_padding(job->layer, pass->dx[0] + b * all, rows);
}

static void layer_backward(const am_layer *layer, const am_pass *pass) {
  layer_job job = {layer, pass};
  const size_t c = (size_t)layer->in[0].c;
  am_parallel_for(layer->ctx, (size_t)pass->batch, layer_clip_back, &job);
  const double *sums = pass->scratch; /* (B,2,C) */
  for (size_t k = 0; k < c; k++) {
    double dgamma = 0, dbeta = 0;
    for (size_t b = 0; b < (size_t)pass->batch; b++) {
      dgamma += sums[b * 2 * c + k];
      dbeta += sums[b * 2 * c + c + k];
    }
    pass->dw[GAMMA][k] += (am_real)dgamma;
    pass->dw[BETA][k] += (am_real)dbeta;
  }
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
