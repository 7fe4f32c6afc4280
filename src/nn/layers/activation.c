/* SPDX-License-Identifier: MIT */
/* nn/layers/activation.c - elementwise nonlinearities, and softmax over channels.
 *
 * Work is cut by clip and by pieces of PIECE elements (whole rows for softmax),
 * and stops at the clip's last frame; what follows, up to the longest clip's, is zero. */
#include "nn/layer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { PIECE = 1 << 15 };

static am_status build_from_y(am_layer *layer, am_error *err) {
  (void)err;
  layer->out = layer->in[0];
  layer->in_place = layer->backward_needs_y = true;
  return AM_OK;
}

static am_status build_from_x(am_layer *layer, am_error *err) {
  (void)err;
  layer->out = layer->in[0];
  layer->backward_needs_x = true;
  return AM_OK;
}

/* One part of one clip. */
typedef struct part {
  const am_layer *layer;
  const am_kernels *kernels;
  size_t n;                     /* elements */
  const am_real *x, *y_in, *dy; /* what the direction needs */
  am_real *out;                 /* y, or dx */
} part;
typedef void (*part_fn)(const part *p);

typedef struct job {
  const am_layer *layer;
  const am_kernels *kernels;
  const am_pass *pass;
  part_fn fn;
  bool backward;
  size_t rows, pieces, rows_per_piece; /* rows in use of a clip */
} job;

static void run_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const am_pass *pass = j->pass;
  am_shape s = j->layer->in[0];
  size_t b = piece / j->pieces, row = (size_t)s.c, rows = j->rows;
  size_t length = s.rank == 1 ? rows : (size_t)pass->x_len[0][b] * (size_t)s.f;
  size_t first = piece % j->pieces * j->rows_per_piece;
  size_t last = first + j->rows_per_piece < rows ? first + j->rows_per_piece : rows;
  size_t until = length < first ? first : length < last ? length : last; /* rows of the clip itself */
  size_t at = b * am_shape_count(s) + first * row;
  am_real *out = (j->backward ? pass->dx[0] : pass->y) + at;
  assert(j->backward ? pass->dx[0] : pass->y);
  part p = {j->layer,
            j->kernels,
            (until - first) * row,
            pass->x[0] ? pass->x[0] + at : NULL,
            pass->y ? pass->y + at : NULL,
            pass->dy ? pass->dy + at : NULL,
            out};
  if (p.n) j->fn(&p);
  if (last > until) memset(out + p.n, 0, (last - until) * row * sizeof *out);
}

static void run(const am_layer *layer, const am_pass *pass, bool backward, part_fn fn) {
  am_shape s = layer->in[0];
  size_t row = (size_t)s.c, rows = am_frames_count(s, pass->x_most[0]) / row;
  size_t per_piece = PIECE / row ? PIECE / row : 1;
  job j = {.layer = layer,
           .kernels = am_kernels_of(layer->ctx),
           .pass = pass,
           .fn = fn,
           .backward = backward,
           .rows = rows,
           .pieces = (rows + per_piece - 1) / per_piece,
           .rows_per_piece = per_piece};
  if (backward && !pass->dx[0]) return;
  am_parallel_for(layer->ctx, (size_t)pass->batch * j.pieces, run_piece, &j);
}

/* relu: y = max(x, 0); dx = y > 0 ? dy : 0 */
static void relu_part(const part *p) { p->kernels->relu(p->n, p->x, p->out); }
static void relu_back_part(const part *p) { p->kernels->relu_back(p->n, p->y_in, p->dy, p->out); }

/* leaky_relu: y = x > 0 ? x : a x with a > 0, so y and x have one sign; dx = y > 0 ? dy : a dy */
typedef struct leaky_options {
  double alpha;
} leaky_options;

static const am_option leaky_table[] = {{"alpha", AM_OPT_REAL, offsetof(leaky_options, alpha), "0.01", 1e-6, 1,
                                         .help = "slope below zero (PyTorch 0.01; Keras 0.3)"},
                                        AM_OPTION_END};

static void leaky_part(const part *p) {
  am_real a = (am_real)((const leaky_options *)p->layer->options)->alpha;
  for (size_t i = 0; i < p->n; i++) p->out[i] = p->x[i] > 0 ? p->x[i] : a * p->x[i];
}
static void leaky_back_part(const part *p) {
  am_real a = (am_real)((const leaky_options *)p->layer->options)->alpha;
  for (size_t i = 0; i < p->n; i++) p->out[i] = p->y_in[i] > 0 ? p->dy[i] : a * p->dy[i];
}

/* sigmoid: y = 1/(1+exp(-x)); dx = dy y (1-y) */
static void sigmoid_part(const part *p) { p->kernels->sigmoid(p->n, p->x, p->out); }
static void sigmoid_back_part(const part *p) {
  for (size_t i = 0; i < p->n; i++) p->out[i] = p->dy[i] * p->y_in[i] * (1 - p->y_in[i]);
}

/* tanh: dx = dy (1 - y^2) */
static void tanh_part(const part *p) { p->kernels->tanh(p->n, p->x, p->out); }
static void tanh_back_part(const part *p) {
  for (size_t i = 0; i < p->n; i++) p->out[i] = p->dy[i] * (1 - p->y_in[i] * p->y_in[i]);
}

/* gelu: y = x Phi(x), the exact form; silu: y = x sigmoid(x) */
static void gelu_part(const part *p) { p->kernels->gelu(p->n, p->x, p->out); }
static void gelu_back_part(const part *p) { p->kernels->gelu_back(p->n, p->x, p->dy, p->out); }
static void silu_part(const part *p) { p->kernels->silu(p->n, p->x, p->out); }
static void silu_back_part(const part *p) { p->kernels->silu_back(p->n, p->x, p->dy, p->out); }

/* softmax over channels: y_c = exp(x_c - m) / sum; dx_c = y_c (dy_c - sum_k dy_k y_k) */
static void softmax_part(const part *p) {
  size_t c = (size_t)p->layer->in[0].c;
  for (size_t at = 0; at < p->n; at += c) {
    const am_real *x = p->x + at;
    am_real *y = p->out + at, most = x[0];
    double sum = 0;
    for (size_t k = 1; k < c; k++) most = x[k] > most || isnan(x[k]) ? x[k] : most;
    for (size_t k = 0; k < c; k++) sum += y[k] = (am_real)exp((double)(x[k] - most));
    for (size_t k = 0; k < c; k++) y[k] = (am_real)(y[k] / sum);
  }
}
static void softmax_back_part(const part *p) {
  size_t c = (size_t)p->layer->in[0].c;
  for (size_t at = 0; at < p->n; at += c) {
    const am_real *y = p->y_in + at, *dy = p->dy + at;
    double dot = 0;
    for (size_t k = 0; k < c; k++) dot += (double)dy[k] * y[k];
    for (size_t k = 0; k < c; k++) p->out[at + k] = (am_real)(y[k] * (dy[k] - dot));
  }
}

/* log: y = log(max(x, SMALLEST)); dx = dy / x, 0 below.  The loss's softmax gives back x / sum(x), so a model whose output
 * is probabilities trains and predicts as any other. */
#define SMALLEST 1.1754944e-38f /* of the normal floats */
static void log_probabilities_part(const part *p) {
  for (size_t i = 0; i < p->n; i++) p->out[i] = (am_real)log(p->x[i] < SMALLEST ? SMALLEST : p->x[i]);
}
static void log_probabilities_back_part(const part *p) {
  for (size_t i = 0; i < p->n; i++) p->out[i] = p->x[i] < SMALLEST ? 0 : p->dy[i] / p->x[i];
}

/* The functions of one activation, and its entry in the registry. */
#define ACTIVATION(NAME, TYPE, HELP, BUILD, ...) \
  static void NAME##_forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, false, NAME##_part); } \
  static void NAME##_backward(const am_layer *layer, const am_pass *pass) { \
    run(layer, pass, true, NAME##_back_part); \
  } \
  const am_layer_class am_##TYPE = {.type = #TYPE, \
                                    .help = HELP, \
                                    .min_inputs = 1, \
                                    .max_inputs = 1, \
                                    .build = BUILD, \
                                    .forward = NAME##_forward, \
                                    .backward = NAME##_backward, \
                                    __VA_ARGS__}

ACTIVATION(relu, relu, "max(x, 0)", build_from_y, .table = NULL);
ACTIVATION(leaky, leaky_relu, "x above zero, alpha x below", build_from_y, .table = leaky_table,
           .options_size = sizeof(leaky_options));
ACTIVATION(sigmoid, sigmoid, "1 / (1 + exp(-x))", build_from_y, .table = NULL);
ACTIVATION(tanh, tanh, "hyperbolic tangent", build_from_y, .table = NULL);
ACTIVATION(gelu, gelu, "x Phi(x), exact", build_from_x, .table = NULL);
ACTIVATION(silu, silu, "x sigmoid(x)", build_from_x, .table = NULL);
ACTIVATION(log_probabilities, log_probabilities,
           "log(x) of probabilities, for the end of a model that makes them further in", build_from_x, .table = NULL);
ACTIVATION(softmax, softmax, "exp(x) / sum exp(x) over channels; at the very end it is taken into the loss",
           build_from_y, .table = NULL);
