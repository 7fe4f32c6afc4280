/* SPDX-License-Identifier: MIT */
/* exchange/onnx_write_layers.c - layers without windows or memory as nodes of ONNX, and the table of all. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "exchange/onnx_write.h"

typedef am_onnx_writer writer;
typedef am_onnx_step step;

/* Numbers by themselves: in the order and as clean as x is, where f(0) = 0. */
static am_onnx_order order_of(const writer *w, int tensor) {
  return w->at[tensor].name[AM_ONNX_LAST][0] || w->at[tensor].name[AM_ONNX_LAST][1] ? AM_ONNX_LAST : AM_ONNX_FIRST;
}

static void pass_on(writer *w, const step *s, const char *(*make)(writer *, const char *), bool keeps_zero) {
  const am_onnx_order order = order_of(w, s->in[0]);
  am_onnx_out(w, s->out, order, make(w, am_onnx_in(w, s->in[0], order, false)),
              keeps_zero && am_onnx_is_clean(w, s->in[0]) && w->at[s->in[0]].name[order][1]);
}

#define ELEMENTWISE(name, op, keeps) \
  static const char *name##_of(writer *w, const char *x) { return am_onnx_call(w->m, op, x); } \
  static void name(writer *w, const step *s) { pass_on(w, s, name##_of, keeps); }
ELEMENTWISE(relu, "Relu", true)
ELEMENTWISE(tangent, "Tanh", true)
ELEMENTWISE(sigmoid, "Sigmoid", false)

static const char *leaky_of(writer *w, const char *x) {
  const char *y = am_onnx_call(w->m, "LeakyRelu", x);
  am_onnx_set_float(w->m, "alpha", (float)am_onnx_option_real(w, "alpha"));
  return y;
}
static void leaky(writer *w, const step *s) { pass_on(w, s, leaky_of, true); }

/* x/2 (1 + erf(x / sqrt 2)) */
static const char *gelu_of(writer *w, const char *x) {
  const char *erf = am_onnx_call(w->m, "Erf", am_onnx_call(w->m, "Mul", x, am_onnx_k_float(w, sqrt(0.5))));
  const char *half = am_onnx_call(w->m, "Mul", x, am_onnx_k_float(w, 0.5));
  return am_onnx_call(w->m, "Mul", half, am_onnx_call(w->m, "Add", erf, am_onnx_k_float(w, 1)));
}
static void gelu(writer *w, const step *s) { pass_on(w, s, gelu_of, true); }

static const char *silu_of(writer *w, const char *x) {
  return am_onnx_call(w->m, "Mul", x, am_onnx_call(w->m, "Sigmoid", x));
}
static void silu(writer *w, const step *s) { pass_on(w, s, silu_of, true); }

static const char *log_of(writer *w, const char *x) {
  return am_onnx_call(w->m, "Log", am_onnx_call(w->m, "Max", x, am_onnx_k_float(w, FLT_MIN)));
}
static void log_probabilities(writer *w, const step *s) { pass_on(w, s, log_of, false); }

static void softmax(writer *w, const step *s) {
  const char *y = am_onnx_call(w->m, "Softmax", am_onnx_in(w, s->in[0], AM_ONNX_LAST, false));
  am_onnx_set_int(w->m, "axis", -1);
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, false);
}

/* Nothing is dropped but in training. */
static void dropout(writer *w, const step *s) {
  am_onnx_times *times = w->at[s->out].times;
  w->at[s->out] = w->at[s->in[0]];
  w->at[s->out].times = times;
}

static void dense(writer *w, const step *s) {
  const char *x = am_onnx_in(w, s->in[0], AM_ONNX_LAST, false), *kernel = am_onnx_weight_put(w, 0, NULL);
  const char *bias = s->layer->n_weights > 1 ? am_onnx_weight_put(w, 1, NULL) : NULL, *y;
  const bool clean = !bias && w->at[s->in[0]].name[AM_ONNX_LAST][1];
  if (s->layer->in[0].rank == 1) y = am_onnx_call(w->m, "Gemm", x, kernel, bias);
  else {
    y = am_onnx_call(w->m, "MatMul", x, kernel);
    if (bias) y = am_onnx_call(w->m, "Add", y, bias);
  }
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, clean);
}

static void batch_norm(writer *w, const step *s) {
  const int64_t c = s->layer->in[0].c;
  const char *mean = am_onnx_array_put(w, "mean", 1, &c, am_onnx_statistic(w, 0));
  const char *variance = am_onnx_array_put(w, "variance", 1, &c, am_onnx_statistic(w, 1));
  const char *x = am_onnx_in(w, s->in[0], AM_ONNX_FIRST, false);
  const char *y = am_onnx_call(w->m, "BatchNormalization", x, am_onnx_weight_put(w, 0, NULL),
                               am_onnx_weight_put(w, 1, NULL), mean, variance);
  am_onnx_set_float(w->m, "epsilon", (float)am_onnx_option_real(w, "epsilon"));
  am_onnx_out(w, s->out, AM_ONNX_FIRST, y, false);
}

static void layer_norm(writer *w, const step *s) {
  const char *y = am_onnx_call(w->m, "LayerNormalization", am_onnx_in(w, s->in[0], AM_ONNX_LAST, false),
                               am_onnx_weight_put(w, 0, NULL), am_onnx_weight_put(w, 1, NULL));
  am_onnx_set_int(w->m, "axis", -1);
  am_onnx_set_float(w->m, "epsilon", (float)am_onnx_option_real(w, "epsilon"));
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, false);
}

/* ---- shapes ---- */

static void flatten(writer *w, const step *s) {
  const char *y = am_onnx_call(w->m, "Flatten", am_onnx_in(w, s->in[0], AM_ONNX_LAST, false));
  am_onnx_set_int(w->m, "axis", 1);
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, true);
}

static void to_sequence(writer *w, const step *s) {
  const char *x = am_onnx_in(w, s->in[0], AM_ONNX_LAST, false);
  const char *y = am_onnx_call(w->m, "Reshape", x, am_onnx_k(w, 0, 0, s->layer->out.c));
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, w->at[s->in[0]].name[AM_ONNX_LAST][1]);
}

static void bins(writer *w, const step *s) {
  const am_shape in = s->layer->in[0], out = s->layer->out;
  const am_onnx_order order = order_of(w, s->in[0]);
  const int64_t first = am_onnx_option_int(w, "first"), count = in.rank == 3 ? out.f : out.c;
  const int axis = in.rank == 3 ? order == AM_ONNX_LAST ? 2 : 3 : order == AM_ONNX_LAST ? 2 : 1;
  const char *y = am_onnx_call(w->m, "Slice", am_onnx_in(w, s->in[0], order, false), am_onnx_k(w, first),
                               am_onnx_k(w, first + count), am_onnx_k(w, axis));
  am_onnx_out(w, s->out, order, y, w->at[s->in[0]].name[order][1]);
}

/* Both halves of the channels, one the gate of the other. */
static void glu(writer *w, const step *s) {
  const am_onnx_order order = order_of(w, s->in[0]);
  const char *half[2], *x[] = {am_onnx_in(w, s->in[0], order, false), NULL};
  am_onnx_node_many(w->m, "Split", x, 2, half);
  am_onnx_set_int(w->m, "axis", order == AM_ONNX_LAST ? s->layer->in[0].rank : 1);
  if (!strcmp(am_onnx_option(w, "gate"), "sigmoid")) half[1] = am_onnx_call(w->m, "Sigmoid", half[1]);
  am_onnx_out(w, s->out, order, am_onnx_call(w->m, "Mul", half[0], half[1]), w->at[s->in[0]].name[order][1]);
}

/* ---- joins ---- */

static void add(writer *w, const step *s) {
  const am_onnx_order order = order_of(w, s->in[0]);
  const char *y =
      am_onnx_call(w->m, "Add", am_onnx_in(w, s->in[0], order, false), am_onnx_in(w, s->in[1], order, false));
  am_onnx_out(w, s->out, order, y, w->at[s->in[0]].name[order][1] && w->at[s->in[1]].name[order][1]);
}

static void concat(writer *w, const step *s) {
  const am_onnx_order order = order_of(w, s->in[0]);
  const char *all[AM_MAX_INPUTS + 1] = {NULL};
  bool clean = true;
  for (int i = 0; i < s->layer->n_in; i++) {
    all[i] = am_onnx_in(w, s->in[i], order, false);
    clean = clean && w->at[s->in[i]].name[order][1];
  }
  const char *y = am_onnx_node_add(w->m, "Concat", all);
  am_onnx_set_int(w->m, "axis", order == AM_ONNX_LAST ? s->layer->in[0].rank : 1);
  am_onnx_out(w, s->out, order, y, clean);
}

static void scale(writer *w, const step *s) {
  const am_onnx_order order = order_of(w, s->in[0]);
  const bool map = s->layer->in[0].rank == 3;
  const char *axes = order == AM_ONNX_LAST ? map ? am_onnx_k(w, 1, 2) : am_onnx_k(w, 1)
                     : map ? am_onnx_k(w, 2, 3)
                                           : am_onnx_k(w, 2);
  const char *factor = am_onnx_call(w->m, "Unsqueeze", am_onnx_in(w, s->in[1], AM_ONNX_LAST, false), axes);
  const char *y = am_onnx_call(w->m, "Mul", am_onnx_in(w, s->in[0], order, false), factor);
  am_onnx_out(w, s->out, order, y, w->at[s->in[0]].name[order][1]);
}

/* ---- over all frames ---- */

/* Of (B,T,..) in which what does not count is `nothing`: axes that are pooled, time alone or also bins. */
static const char *reduce(writer *w, const step *s, const char *op, const char *x, bool over_bins) {
  const char *y;
  if (!strcmp(op, "ReduceSum")) y = am_onnx_call(w->m, op, x, over_bins ? am_onnx_k(w, 1, 2) : am_onnx_k(w, 1));
  else {
    y = am_onnx_call(w->m, op, x);
    am_onnx_set_ints(w->m, "axes", over_bins ? 2 : 1, (int64_t[]){1, 2});
  }
  am_onnx_set_int(w->m, "keepdims", 0);
  return s->layer->in[0].rank == 3 && !over_bins ? am_onnx_call(w->m, "Flatten", y) : y;
}

static void global_average(writer *w, const step *s) {
  const am_shape in = s->layer->in[0];
  const bool over_bins = in.rank == 3 && !strcmp(am_onnx_option(w, "over"), "all");
  am_onnx_times *times = w->at[s->in[0]].times;
  const char *x = am_onnx_in(w, s->in[0], AM_ONNX_LAST, true);
  if (!times) {
    am_onnx_out(w, s->out, AM_ONNX_LAST, reduce(w, s, "ReduceMean", x, over_bins), true);
    return;
  }
  const char *sum = reduce(w, s, "ReduceSum", x, over_bins);
  const char *n = am_onnx_call(w->m, "Max", times->lengths, am_onnx_k_int(w, 1));
  if (over_bins && in.f > 1) n = am_onnx_call(w->m, "Mul", n, am_onnx_k_int(w, in.f));
  const char *count = am_onnx_call(w->m, "Cast", n);
  am_onnx_set_int(w->m, "to", AM_ONNX_FLOAT);
  const char *y = am_onnx_call(w->m, "Div", sum, am_onnx_call(w->m, "Unsqueeze", count, am_onnx_k(w, 1)));
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, true);
}

static void global_max(writer *w, const step *s) {
  const bool over_bins = s->layer->in[0].rank == 3 && !strcmp(am_onnx_option(w, "over"), "all");
  am_onnx_times *times = w->at[s->in[0]].times;
  const char *x = times ? am_onnx_fill(w, s->in[0], AM_ONNX_LAST, am_onnx_k_float(w, -FLT_MAX))
                        : am_onnx_in(w, s->in[0], AM_ONNX_LAST, false);
  const char *y = reduce(w, s, "ReduceMax", x, over_bins);
  if (times) y = am_onnx_call(w->m, "Where", am_onnx_some(w, times), y, am_onnx_k_float(w, 0));
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, true);
}

/* ---- the table ---- */

am_onnx_layer_fn *am_onnx_layer_of(const am_layer_class *cls) {
  static const struct {
    const am_layer_class *cls;
    am_onnx_layer_fn *write;
  } all[] = {{&am_conv1d, am_onnx_conv},
             {&am_conv2d, am_onnx_conv},
             {&am_max_pool1d, am_onnx_max_pool},
             {&am_max_pool2d, am_onnx_max_pool},
             {&am_average_pool1d, am_onnx_average_pool},
             {&am_average_pool2d, am_onnx_average_pool},
             {&am_global_average_pool, global_average},
             {&am_global_max_pool, global_max},
             {&am_dense, dense},
             {&am_flatten, flatten},
             {&am_to_sequence, to_sequence},
             {&am_bins, bins},
             {&am_glu, glu},
             {&am_dropout, dropout},
             {&am_relu, relu},
             {&am_leaky_relu, leaky},
             {&am_gelu, gelu},
             {&am_silu, silu},
             {&am_tanh, tangent},
             {&am_sigmoid, sigmoid},
             {&am_softmax, softmax},
             {&am_log_probabilities, log_probabilities},
             {&am_batch_norm, batch_norm},
             {&am_layer_norm, layer_norm},
             {&am_lstm, am_onnx_lstm},
             {&am_gru, am_onnx_gru},
             {&am_attention_pool, am_onnx_attention},
             {&am_join_add, add},
             {&am_join_concat, concat},
             {&am_join_scale, scale}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i].cls == cls) return all[i].write;
  return NULL;
}
