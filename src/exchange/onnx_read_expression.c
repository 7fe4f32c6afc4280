/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_expression.c - what a graph computes of single numbers, or along a row of channels, by several operators:
 * kept as an expression, and recognised by its values as one of our layers.
 *
 * Exporters write GELU as five operators and layer normalisation as nine, each in its own way.  Here an expression is evaluated
 * at a few points, and compared with what our layers give there. */
#include <math.h>
#include <string.h>

#include "exchange/onnx_read_expression.h"

enum { MOST_NODES = 64 /* of an expression; a larger one is settled in parts */, MOST_ROW = 4096, POINTS = 33 };

/* ---- building ---- */

static int add(am_onnx_reader *r, const am_onnx_expression *e) {
  if (am_grow(r->import->ctx, &r->expressions, &r->room_expressions, r->n_expressions + 1, sizeof *r->expressions,
              r->err))
    return -1;
  r->expressions[r->n_expressions] = *e;
  r->expressions[r->n_expressions].by = r->node;
  return (int)r->n_expressions++;
}

int am_onnx_expression_of(am_onnx_reader *r, int tensor) {
  return add(
      r, &(am_onnx_expression){.op = AM_E_TENSOR, .a = -1, .b = -1, .tensor = tensor, .settled = tensor, .nodes = 1});
}

int am_onnx_constant_of(am_onnx_reader *r, const double value[AM_ONNX_PROBES]) {
  am_onnx_expression e = {.op = AM_E_CONSTANT, .a = -1, .b = -1, .tensor = -1, .settled = -1, .nodes = 1};
  memcpy(e.value, value, sizeof e.value);
  return add(r, &e);
}

int am_onnx_number_of(am_onnx_reader *r, double value) {
  double all[AM_ONNX_PROBES];
  for (int p = 0; p < AM_ONNX_PROBES; p++) all[p] = value;
  return am_onnx_constant_of(r, all);
}

/* One that has grown large becomes a tensor. */
static int small(am_onnx_reader *r, int e) {
  if (e < 0 || r->expressions[e].nodes < MOST_NODES || r->expressions[e].op == AM_E_CONSTANT) return e;
  const int tensor = am_onnx_settle_expression(r, e);
  return tensor < 0 ? -1 : am_onnx_expression_of(r, tensor);
}

int am_onnx_combine(am_onnx_reader *r, int op, int a, int b) {
  a = small(r, a);
  const bool two = op > AM_E_LAST_SINGLE;
  if (two) b = small(r, b);
  if (a < 0 || (two && b < 0)) return -1;
  const am_onnx_expression *x = &r->expressions[a], *y = two ? &r->expressions[b] : x;
  am_onnx_expression e = {.op = op, .a = a, .b = two ? b : -1, .settled = -1};
  e.tensor = x->tensor >= 0 ? x->tensor : y->tensor;
  e.nodes = 1 + x->nodes + (two ? y->nodes : 0);
  e.rows = x->rows || y->rows;
  e.row = x->rows ? x->row : y->row;
  /* a constant takes part in any row */
  e.reduced = (x->reduced || x->tensor < 0) && (y->reduced || y->tensor < 0);
  return add(r, &e);
}

int am_onnx_reduce(am_onnx_reader *r, int op, int a, const am_onnx_axis *row) {
  a = small(r, a);
  if (a < 0) return -1;
  const am_onnx_expression *x = &r->expressions[a];
  return add(r, &(am_onnx_expression){.op = op,
                                      .a = a,
                                      .b = -1,
                                      .tensor = x->tensor,
                                      .nodes = x->nodes + 1,
                                      .rows = true,
                                      .reduced = true,
                                      .row = *row,
                                      .settled = -1});
}

/* ---- evaluating ---- */

static double single(int op, double x) {
  switch (op) {
    case AM_E_RELU: return x > 0 ? x : 0;
    case AM_E_SIGMOID: return 1 / (1 + exp(-x));
    case AM_E_TANH: return tanh(x);
    case AM_E_ERF: return erf(x);
    case AM_E_EXP: return exp(x);
    case AM_E_LOG: return log(x);
    case AM_E_SQRT: return sqrt(x);
    case AM_E_NEG: return -x;
    case AM_E_ABS: return fabs(x);
    case AM_E_RECIPROCAL: return 1 / x;
    case AM_E_GELU: return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
    default: return log1p(exp(x)); /* AM_E_SOFTPLUS */
  }
}

static double pair(int op, double a, double b) {
  switch (op) {
    case AM_E_ADD: return a + b;
    case AM_E_SUB: return a - b;
    case AM_E_MUL: return a * b;
    case AM_E_DIV: return a / b;
    case AM_E_POW: return pow(a, b);
    case AM_E_MIN: return a < b ? a : b;
    default: return a > b ? a : b;
  }
}

static void reduce(int op, size_t n, double *y) {
  double sum = y[0];
  for (size_t i = 1; i < n; i++)
    sum = op == AM_E_ROW_MAX ? (y[i] > sum ? y[i] : sum) : op == AM_E_ROW_MIN ? (y[i] < sum ? y[i] : sum) : sum + y[i];
  if (op == AM_E_ROW_MEAN) sum /= (double)n;
  for (size_t i = 0; i < n; i++) y[i] = sum;
}

/* y (n) of the tensor's x (n), for the lengths of a probe; `room` is n numbers for each node that may be nested. */
static void evaluate(const am_onnx_reader *r, int e, int p, size_t n, const double *x, double *y, double *room) {
  const am_onnx_expression *at = &r->expressions[e];
  if (at->op == AM_E_TENSOR) {
    memcpy(y, x, n * sizeof *y);
    return;
  }
  if (at->op == AM_E_CONSTANT) {
    for (size_t i = 0; i < n; i++) y[i] = at->value[p];
    return;
  }
  evaluate(r, at->a, p, n, x, y, room);
  if (at->op >= AM_E_ROW_MEAN) {
    reduce(at->op, n, y);
    return;
  }
  if (at->b >= 0) {
    evaluate(r, at->b, p, n, x, room, room + n);
    for (size_t i = 0; i < n; i++) y[i] = pair(at->op, y[i], room[i]);
    return;
  }
  for (size_t i = 0; i < n; i++) y[i] = single(at->op, y[i]);
}

/* ---- recognising ---- */

static bool near(double a, double b) { return fabs(a - b) <= 1e-6 * (1 + fabs(b)); } /* false for NaN */

typedef struct found {
  const char *type; /* of a layer; "": none is needed; NULL: not recognised */
  double scale, shift, alpha, epsilon;
} found;

static double as_silu(double x) { return x / (1 + exp(-x)); }
static double as_relu(double x) { return x > 0 ? x : 0; }
static double as_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double as_gelu(double x) { return single(AM_E_GELU, x); }

static bool all_near(size_t n, const double *x, const double *y, double (*of)(double)) {
  for (size_t i = 0; i < n; i++)
    if (!near(y[i], of(x[i]))) return false;
  return true;
}

static found recognise_points(size_t n, const double *x, const double *y) {
  static const struct {
    const char *type;
    double (*of)(double);
  } known[] = {{"relu", as_relu}, {"sigmoid", as_sigmoid}, {"tanh", tanh}, {"gelu", as_gelu}, {"silu", as_silu}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (all_near(n, x, y, known[i].of)) return (found){.type = known[i].type};
  found f = {.type = "affine"};
  f.scale = (y[n - 1] - y[0]) / (x[n - 1] - x[0]);
  f.shift = y[0] - f.scale * x[0];
  bool line = true;
  for (size_t i = 0; i < n; i++) line = line && near(y[i], f.scale * x[i] + f.shift);
  if (line && near(f.scale, 1) && near(f.shift, 0)) return (found){.type = ""};
  if (line) return f;
  f = (found){.type = "leaky_relu", .alpha = y[0] / x[0]}; /* x[0] < 0 */
  for (size_t i = 0; i < n; i++)
    if (!near(y[i], x[i] > 0 ? x[i] : f.alpha * x[i])) return (found){0};
  return f.alpha >= 1e-6 && f.alpha <= 1 ? f : (found){0};
}

static void moments(size_t n, const double *x, double *mean, double *variance) {
  *mean = *variance = 0;
  for (size_t i = 0; i < n; i++) *mean += x[i] / (double)n;
  for (size_t i = 0; i < n; i++) *variance += (x[i] - *mean) * (x[i] - *mean) / (double)n;
}

static bool is_norm(size_t n, const double *x, const double *y, double epsilon) {
  double mean, variance;
  moments(n, x, &mean, &variance);
  for (size_t i = 0; i < n; i++)
    if (!near(y[i], (x[i] - mean) / sqrt(variance + epsilon))) return false;
  return true;
}

static bool is_softmax(size_t n, const double *x, const double *y) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += exp(x[i]);
  for (size_t i = 0; i < n; i++)
    if (!near(y[i], exp(x[i]) / sum)) return false;
  return true;
}

/* Two rows: one of usual numbers, and one of small ones, which shows what is added to a variance. */
static found recognise_rows(size_t n, const double *x, const double *y, const double *small_x, const double *small_y) {
  if (is_softmax(n, x, y) && is_softmax(n, small_x, small_y)) return (found){.type = "softmax"};
  double mean, variance;
  moments(n, small_x, &mean, &variance);
  const double ratio = (small_x[0] - mean) / small_y[0];
  double epsilon = ratio * ratio - variance;
  if (!isfinite(epsilon) || epsilon < -1e-9 || epsilon > 1) return (found){0};
  epsilon = epsilon < 1e-14 ? 0 : am_float_decimal((float)epsilon);
  if (!is_norm(n, x, y, epsilon) || !is_norm(n, small_x, small_y, epsilon)) return (found){0};
  return (found){.type = "layer_norm", .epsilon = epsilon};
}

/* Of all probes alike. */
static bool same_at_all(const am_onnx_reader *r, int e, size_t n, const double *x, double *y, double *room) {
  evaluate(r, e, 0, n, x, y, room + n);
  for (int p = 1; p < AM_ONNX_PROBES; p++) {
    evaluate(r, e, p, n, x, room, room + n);
    for (size_t i = 0; i < n; i++)
      if (fabs(room[i] - y[i]) > 1e-9 * (1 + fabs(y[i]))) return false;
  }
  return true;
}

static am_status recognise(am_onnx_reader *r, int e, found *out) {
  const bool rows = r->expressions[e].rows;
  const int64_t row = rows ? am_onnx_size(r, &r->expressions[e].row, 0) : POINTS;
  *out = (found){0};
  if (row > MOST_ROW || row < 2) return AM_OK;
  const size_t n = (size_t)row;
  double *all = am_alloc(r->import->ctx, (MOST_NODES * 2 + 6) * n, sizeof *all);
  if (!all) return am_onnx_no_memory(r);
  double *x = all, *y = x + n, *tiny = y + n, *tiny_y = tiny + n, *room = tiny_y + n;
  for (size_t i = 0; i < n; i++) {
    x[i] = rows ? 0.3 + 2 * sin(3 * (double)i + 1) : -8 + 16 * (double)i / (POINTS - 1) + 0.01;
    tiny[i] = 1e-3 * sin(2 * (double)i + 0.5);
  }
  if (same_at_all(r, e, n, x, y, room)) {
    if (!rows) *out = recognise_points(n, x, y);
    else if (same_at_all(r, e, n, tiny, tiny_y, room)) *out = recognise_rows(n, x, y, tiny, tiny_y);
  }
  am_free(r->import->ctx, all);
  return AM_OK;
}

/* ---- settling ---- */

static am_status refuse(am_onnx_reader *r, int e, const char *what) {
  r->node = r->expressions[e].by ? r->expressions[e].by : r->node;
  return am_onnx_refuse(r, AM_E_UNSUPPORTED, "%s", what);
}

/* The layer that was found, over a tensor. */
static int add_layer(am_onnx_reader *r, int e, const found *f, int tensor) {
  if (!*f->type) return tensor;
  r->node = r->expressions[e].by ? r->expressions[e].by : r->node;
  if (r->expressions[e].rows) tensor = am_onnx_over(r, tensor, &r->expressions[e].row, r->node->op);
  else am_onnx_as_map(r, tensor);
  if (tensor < 0) return -1;
  const int64_t n = am_onnx_size(r, &r->made[tensor]->c, 0);
  if (!strcmp(f->type, "affine")) {
    float *scale = am_tree_take(r->tree, 2 * (size_t)n, sizeof *scale);
    if (!scale) return am_onnx_no_memory(r), -1;
    for (int64_t i = 0; i < n; i++) scale[i] = (float)f->scale, scale[n + i] = (float)f->shift;
    return am_onnx_affine(r, tensor, scale, scale + n);
  }
  am_onnx_step *s = am_onnx_step_new(r, f->type, tensor);
  am_status status = s ? AM_OK : AM_E_NOMEM;
  if (!status && !strcmp(f->type, "leaky_relu"))
    status = am_onnx_set(r, s, "alpha", am_value_real(r->tree, am_float_decimal((float)f->alpha)));
  if (!status && !strcmp(f->type, "layer_norm")) {
    float *gamma = am_onnx_step_array(r, s, "gamma", false, 1, &n);
    if (!gamma || !am_onnx_step_array(r, s, "beta", false, 1, &n)) return -1;
    for (int64_t i = 0; i < n; i++) gamma[i] = 1;
    status = am_onnx_set(r, s, "epsilon", am_value_real(r->tree, f->epsilon));
  }
  return !status && am_onnx_step_makes(r, s) ? s->out : -1;
}

bool am_onnx_makes_probabilities(const am_onnx_reader *r, int tensor) {
  static const char *const keeps[] = {"global_average_pool", "average_pool1d", "average_pool2d", "flatten",
                                      "attention_pool"};
  for (int at = tensor; at > 0;) {
    const am_onnx_step *s = r->steps[r->made[at]->step];
    if (!strcmp(s->type, "softmax")) return true;
    bool kept = false;
    for (size_t i = 0; i < sizeof keeps / sizeof *keeps; i++) kept |= !strcmp(s->type, keeps[i]);
    if (!kept) return false;
    at = s->in[0];
  }
  return false;
}

/* The last operator alone, over what its operands have become; -2: that is nothing that is known. */
static int settle_last(am_onnx_reader *r, int e) {
  am_onnx_expression top = r->expressions[e];
  int parts[2] = {top.a, top.b}, tensor = -1;
  bool changed = false;
  for (int i = 0; i < 2 && parts[i] >= 0; i++) {
    const am_onnx_expression part = r->expressions[parts[i]];
    if (part.tensor < 0) continue;
    if (part.reduced) return -2;
    changed |= part.op != AM_E_TENSOR;
    const int here = am_onnx_settle_expression(r, parts[i]);
    if (here < 0) return -1;
    if (tensor >= 0 && tensor != here) return top.op == AM_E_ADD ? am_onnx_join_add(r, tensor, here) : -2;
    tensor = here;
    if ((parts[i] = am_onnx_expression_of(r, here)) < 0) return -1;
  }
  if (top.op == AM_E_LOG && am_onnx_makes_probabilities(r, tensor))
    return add_layer(r, e, &(found){.type = "log_probabilities"}, tensor);
  if (!changed || top.op >= AM_E_ROW_MEAN) return -2;
  r->node = top.by ? top.by : r->node;
  const int again = am_onnx_combine(r, top.op, parts[0], parts[1]);
  return again < 0 ? -1 : am_onnx_settle_expression(r, again);
}

int am_onnx_settle_expression(am_onnx_reader *r, int e) {
  const am_onnx_node *node = r->node;
  if (r->expressions[e].settled >= 0) return r->expressions[e].settled;
  if (r->expressions[e].tensor < 0) return refuse(r, e, "what it gives does not depend on the clip"), -1;
  if (r->expressions[e].reduced)
    return refuse(r, e,
                  "it takes one number of all channels; there is no layer for that but normalisation and softmax"),
           -1;
  found f;
  if (recognise(r, e, &f)) return -1;
  int tensor = f.type ? add_layer(r, e, &f, r->expressions[e].tensor) : settle_last(r, e);
  if (tensor == -2) {
    refuse(r, e,
           "it ends a computation that is none of relu, leaky_relu, sigmoid, tanh, gelu (exact), silu, softmax, layer "
           "normalisation, or a scale and a shift");
    return -1;
  }
  r->node = node;
  if (tensor >= 0) r->expressions[e].settled = tensor;
  return tensor;
}
