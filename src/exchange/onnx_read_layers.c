/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_layers.c - dense layers, normalisation, softmax, attention, and what is taken over frames, bins or channels. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/onnx_read_expression.h"

/* What a node makes as a tensor of ours, along the axes of `out`. */
static am_status made(am_onnx_reader *r, int tensor, am_onnx_thing *out) {
  if (tensor < 0) return AM_E_UNSUPPORTED;
  out->is = AM_ONNX_IS_CLIP;
  out->frame = AM_ONNX_FRAMES_ALL;
  out->picked = -1;
  out->expression = am_onnx_expression_of(r, tensor);
  return out->expression < 0 ? AM_E_NOMEM : AM_OK;
}

/* ---- dense ---- */

/* Along axis `axis` of x: kernel (I, O), where number (i, o) is at i * down + o * across of the weights. */
static am_status add_dense(am_onnx_reader *r, am_onnx_thing *x, int axis, am_onnx_known *weights, int64_t units,
                           int64_t down, int64_t across, double scale, am_onnx_thing *bias, double bias_scale) {
  const bool first = axis != x->n_axes - 1;
  int tensor = am_onnx_settle(r, x);
  if (tensor < 0) return AM_E_UNSUPPORTED;
  const int64_t inputs = am_onnx_size(r, &x->axes[axis], 0);
  if (units < 1 || weights->count[0] != am_mul((size_t)inputs, (size_t)units))
    return am_onnx_refuse(r, AM_E_SHAPE, "its %zu weights do not fit an axis of %lld", weights->count[0],
                          (long long)inputs);
  tensor = am_onnx_over(r, tensor, &x->axes[axis], "its product");
  if (tensor < 0) return AM_E_UNSUPPORTED;
  am_onnx_step *s = am_onnx_step_new(r, "dense", tensor);
  const float *from = s ? am_onnx_floats_of(r, weights, "weights") : NULL;
  const int64_t *at = from ? am_onnx_places(r, &r->made[tensor]->c, &x->axes[axis]) : NULL;
  float *to = at ? am_onnx_step_array(r, s, "kernel", false, 2, (int64_t[]){inputs, units}) : NULL;
  if (!to) return AM_E_UNSUPPORTED;
  for (int64_t i = 0; i < inputs; i++)
    for (int64_t o = 0; o < units; o++) *to++ = (float)(scale * (double)from[at[i] * down + o * across]);
  am_onnx_step_named(r, s, r->node->inputs[first ? 0 : 1]);
  if (bias) {
    if (bias->is != AM_ONNX_IS_KNOWN)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "what is added to its product is no constant");
    const size_t n = bias->known->count[0];
    if (n != 1 && n != (size_t)units)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "what is added to its product is not one number for each output");
    from = am_onnx_floats_of(r, bias->known, "bias");
    to = from ? am_onnx_step_array(r, s, "bias", false, 1, &units) : NULL;
    if (!to) return AM_E_UNSUPPORTED;
    for (int64_t o = 0; o < units; o++) to[o] = (float)(bias_scale * (double)from[n == 1 ? 0 : o]);
  }
  if (am_onnx_set(r, s, "units", am_value_int(r->tree, units))) return AM_E_NOMEM;
  am_onnx_made *y = am_onnx_step_makes(r, s);
  if (!y || !am_onnx_axis_fixed(r, units, &y->c)) return am_onnx_no_memory(r);
  x->axes[axis] = y->c;
  return made(r, s->out, x);
}

static am_status read_gemm(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  *out = *in[0];
  if (am_onnx_attribute_int(r, "transA", 0))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute transA is 1; only 0 can be imported");
  if (n < 2 || in[1]->is != AM_ONNX_IS_KNOWN || in[1]->known->rank != 2 || out->n_axes != 2)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it is no product of two axes with constant weights");
  const int64_t *dims = in[1]->known->dims[0];
  const bool turned = am_onnx_attribute_int(r, "transB", 0) != 0;
  return add_dense(r, out, 1, in[1]->known, turned ? dims[0] : dims[1], turned ? 1 : dims[1], turned ? dims[1] : 1,
                   am_onnx_attribute_real(r, "alpha", 1), n > 2 && in[2]->is ? in[2] : NULL,
                   am_onnx_attribute_real(r, "beta", 1));
}

/* ---- attention over frames ---- */

static const am_onnx_step *maker(const am_onnx_reader *r, int tensor, const char *type) {
  const am_onnx_step *s = r->made[tensor]->step < 0 ? NULL : r->steps[r->made[tensor]->step];
  return s && !strcmp(s->type, type) ? s : NULL;
}

static const am_onnx_array *array_of(const am_onnx_step *s, const char *name) {
  for (int i = 0; i < s->n_arrays; i++)
    if (!strcmp(s->arrays[i].name, name)) return &s->arrays[i];
  return NULL;
}

/* Without the taps of a convolution over one frame. */
static bool copy_array(am_onnx_reader *r, am_onnx_step *to, const char *name, const am_onnx_array *from) {
  const int rank = from->rank > 2 ? 2 : from->rank;
  float *at = am_onnx_step_array(r, to, name, false, rank, &from->dims[from->rank - rank]);
  if (at) memcpy(at, from->at, from->count * sizeof *at);
  return at;
}

/* A dense layer over each frame; NULL: the tensor comes from something else. */
static const am_onnx_step *dense_over(const am_onnx_reader *r, int tensor) {
  const am_onnx_step *s = maker(r, tensor, "dense"), *one = maker(r, tensor, "conv1d");
  if (s || !one) return s;
  return array_of(one, "kernel")->dims[0] == 1 && r->made[one->in[0]]->t.n == r->made[tensor]->t.n ? one : NULL;
}

/* The step that stands for the sum of frames under their weights: scores are dense, over a tanh of another dense or over the
 * frames themselves.  A shift of scores (their bias) falls out of the softmax. */
static am_status attend(am_onnx_reader *r, int scores, int frames, am_onnx_step **out) {
  const am_onnx_step *score = dense_over(r, scores), *hidden = NULL;
  const int from = score ? score->in[0] : -1;
  const am_onnx_step *tanh = score && from != frames ? maker(r, from, "tanh") : NULL;
  if (tanh) hidden = dense_over(r, tanh->in[0]);
  if (!score || (from != frames && (!hidden || hidden->in[0] != frames)))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "the weights of frames do not come from the frames by a dense layer, or by two with tanh "
                          "between them; only such attention can be imported");
  am_onnx_step *s = *out = am_onnx_step_new(r, "attention_pool", frames);
  if (!s) return AM_E_NOMEM;
  const am_onnx_array *kernel = array_of(score, "kernel");
  const int64_t *dims = &kernel->dims[kernel->rank - 2];
  if (hidden) {
    const am_onnx_array *bias = array_of(hidden, "bias"), *inner = array_of(hidden, "kernel");
    if (!copy_array(r, s, "kernel", inner)) return AM_E_NOMEM;
    if (bias ? !copy_array(r, s, "bias", bias) : !am_onnx_step_array(r, s, "bias", false, 1, &dims[0]))
      return AM_E_NOMEM;
    if (am_onnx_set(r, s, "units", am_value_int(r->tree, dims[0]))) return AM_E_NOMEM;
  }
  if (!copy_array(r, s, "score", kernel) || am_onnx_set(r, s, "heads", am_value_int(r->tree, dims[1])))
    return AM_E_NOMEM;
  return AM_OK;
}

/* The vector (heads, channels) that it makes; axes of heads and channels get their factors. */
static am_status attended(am_onnx_reader *r, am_onnx_step *s, int frames, int scores, am_onnx_axis *heads,
                          am_onnx_axis *channels) {
  am_onnx_made *y = am_onnx_step_makes(r, s);
  if (!y) return AM_E_NOMEM;
  y->rank = 1;
  y->t = y->f = (am_onnx_axis){0};
  if (!am_onnx_axis_fixed(r, am_onnx_size(r, &r->made[scores]->c, 0), heads)) return am_onnx_no_memory(r);
  *channels = r->made[frames]->c;
  y->c = *heads;
  if (am_onnx_axis_add(&y->c, channels)) return AM_OK;
  return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes consist of too many parts");
}

/* MatMul of weights and frames, in either order. */
static am_status read_attention(am_onnx_reader *r, const am_onnx_thing *weights, const am_onnx_thing *x,
                                bool weights_first, am_onnx_thing *out) {
  am_onnx_thing frames_thing = *x;
  int frames = am_onnx_settle(r, &frames_thing);
  if (frames >= 0) frames = am_onnx_as_sequence(r, frames);
  if (frames < 0) return AM_E_UNSUPPORTED;
  const int rank = x->n_axes;
  const int w_time = weights_first ? rank - 1 : rank - 2, x_time = weights_first ? rank - 2 : rank - 1;
  const int w_head = weights_first ? rank - 2 : rank - 1, x_channels = weights_first ? rank - 1 : rank - 2;
  const am_onnx_made *f = r->made[frames], *s = r->made[weights->scores];
  if (rank < 2 || weights->n_axes != rank || !am_onnx_same_factors(r, &x->axes[x_time], &f->t) ||
      !am_onnx_equal_sizes(r, &weights->axes[w_time], &x->axes[x_time]) ||
      !am_onnx_same_factors(r, &weights->axes[w_head], &s->c) || !am_onnx_same_factors(r, &x->axes[x_channels], &f->c))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it is no product of frames and a weight for each frame");
  am_onnx_step *step = NULL;
  am_onnx_axis heads, channels;
  am_status status = attend(r, weights->scores, frames, &step);
  assert(status || step);
  if (!status) status = attended(r, step, frames, weights->scores, &heads, &channels);
  if (status) return status;
  *out = *x;
  out->axes[rank - 2] = weights_first ? heads : x->axes[x_channels];
  out->axes[rank - 1] = weights_first ? x->axes[x_channels] : heads;
  return made(r, step->out, out);
}

static am_status read_matmul(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  (void)n;
  if (in[0]->is == AM_ONNX_IS_WEIGHTS && in[1]->is == AM_ONNX_IS_CLIP)
    return read_attention(r, in[0], in[1], true, out);
  if (in[1]->is == AM_ONNX_IS_WEIGHTS && in[0]->is == AM_ONNX_IS_CLIP)
    return read_attention(r, in[1], in[0], false, out);
  const bool first = in[0]->is == AM_ONNX_IS_KNOWN;
  am_onnx_thing *constant = in[first ? 0 : 1];
  am_onnx_known *weights = constant->is == AM_ONNX_IS_KNOWN ? constant->known : NULL;
  *out = *in[first ? 1 : 0];
  if (!weights)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "it multiplies two results of the clip; only constant weights, and attention "
                          "over frames, can be imported");
  const int64_t *dims = &weights->dims[0][weights->rank < 2 ? 0 : weights->rank - 2];
  bool two = weights->rank >= 2 && out->n_axes >= 2;
  for (int i = 0; i + 2 < weights->rank && two; i++) two = weights->dims[0][i] == 1;
  if (!two) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its weights do not have two axes");
  return first ? add_dense(r, out, out->n_axes - 2, weights, dims[0], 1, dims[1], 1, NULL, 0)
               : add_dense(r, out, out->n_axes - 1, weights, dims[1], dims[1], 1, 1, NULL, 0);
}

/* ---- normalisation ---- */

/* Numbers of a channel in our order. */
static float *by_channel(am_onnx_reader *r, am_onnx_thing *from, const char *what, const am_onnx_axis *ours,
                         const am_onnx_axis *theirs, float fallback) {
  const int64_t n = am_onnx_size(r, ours, 0);
  const bool given = from && from->is == AM_ONNX_IS_KNOWN;
  const float *values = given ? am_onnx_floats_of(r, from->known, what) : NULL;
  if (given && !values) return NULL;
  if ((from && from->is && !given) || (given && from->known->count[0] != (size_t)n)) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED, "its %s is not %lld constants", what, (long long)n);
    return NULL;
  }
  const int64_t *at = am_onnx_places(r, ours, theirs);
  float *to = at ? am_tree_take(r->tree, (size_t)n, sizeof *to) : NULL;
  if (at && !to) am_onnx_no_memory(r);
  for (int64_t i = 0; to && i < n; i++) to[i] = given ? values[at[i]] : fallback;
  return to;
}

static am_status put_array(am_onnx_reader *r, am_onnx_step *s, const char *name, bool statistic, int64_t n,
                           const float *from) {
  float *to = from ? am_onnx_step_array(r, s, name, statistic, 1, &n) : NULL;
  if (!to) return AM_E_UNSUPPORTED;
  memcpy(to, from, (size_t)n * sizeof *to);
  return AM_OK;
}

/* The number in few digits that a float32 attribute was made of. */
static am_value *real_value(am_onnx_reader *r, double x) { return am_value_real(r->tree, am_float_decimal((float)x)); }

static am_status read_layer_norm(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  *out = *in[0];
  const int first = am_onnx_axis_number(r, am_onnx_attribute_int(r, "axis", -1), out->n_axes);
  int tensor = first < 0 ? -1 : am_onnx_settle(r, out);
  am_onnx_axis row = {0};
  if (tensor < 0) return AM_E_UNSUPPORTED;
  for (int i = first; i < out->n_axes; i++)
    if (!am_onnx_axis_add(&row, &out->axes[i]))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes cannot be put together");
  tensor = am_onnx_over(r, tensor, &row, "normalisation");
  if (tensor < 0) return AM_E_UNSUPPORTED;
  const am_onnx_axis *c = &r->made[tensor]->c;
  const int64_t count = am_onnx_size(r, c, 0);
  am_onnx_step *s = am_onnx_step_new(r, "layer_norm", tensor);
  if (!s) return AM_E_NOMEM;
  if (n > 1) am_onnx_step_named(r, s, r->node->inputs[1]);
  am_status status = put_array(r, s, "gamma", false, count, by_channel(r, n > 1 ? in[1] : NULL, "scale", c, &row, 1));
  if (!status) status = put_array(r, s, "beta", false, count, by_channel(r, n > 2 ? in[2] : NULL, "shift", c, &row, 0));
  if (!status) status = am_onnx_set(r, s, "epsilon", real_value(r, am_onnx_attribute_real(r, "epsilon", 1e-5)));
  return !status && am_onnx_step_makes(r, s) ? made(r, s->out, out) : AM_E_UNSUPPORTED;
}

/* Keras's layer normalisation, as its exporter writes it: batch normalisation by means and variances that are computed of the
 * clip.  The same by single operators. */
static am_status norm_by_clip(am_onnx_reader *r, am_onnx_thing **in, am_onnx_thing *out) {
  int64_t after[AM_ONNX_RANK];
  am_onnx_thing x = *in[0], moments[2] = {*in[3], *in[4]}, epsilon = {.is = AM_ONNX_IS_KNOWN}, y;
  for (int i = 0; i < x.n_axes - 2; i++) after[i] = i + 1;
  for (int i = 0; i < 2; i++) {
    if (moments[i].is != AM_ONNX_IS_CLIP)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "one of its mean and variance is constant, and the other is not");
    am_status status = am_onnx_unsqueeze(r, &moments[i], after, (size_t)(x.n_axes - 2));
    if (status) return status;
  }
  epsilon.known = am_onnx_known_new(r, AM_KNOWN_REAL, 0, true);
  if (!epsilon.known || am_onnx_known_room(r, epsilon.known, 0)) return AM_E_NOMEM;
  epsilon.known->at[0][0] = am_onnx_attribute_real(r, "epsilon", 1e-5);
  am_onnx_thing variance, root, centred, scaled, scale = *in[1], shift = *in[2];
  am_status status = am_onnx_two(r, AM_E_SUB, &x, &moments[0], &centred);
  if (!status) status = am_onnx_two(r, AM_E_ADD, &moments[1], &epsilon, &variance);
  if (!status) status = am_onnx_one(r, AM_E_SQRT, &variance, &root);
  if (!status) status = am_onnx_two(r, AM_E_DIV, &centred, &root, &y);
  for (int i = 0; i < 2 && !status; i++) {
    am_onnx_thing *k = i ? &shift : &scale;
    double value[AM_ONNX_PROBES];
    if (k->is != AM_ONNX_IS_KNOWN || !am_onnx_is_scalar(r, k->known, value))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                            "its mean and variance are of the clip, and its scale or shift is not one "
                            "number");
    am_onnx_known *one = am_onnx_known_new(r, AM_KNOWN_REAL, 0, false);
    for (int p = 0; one && p < AM_ONNX_PROBES; p++) {
      if (am_onnx_known_room(r, one, p)) return AM_E_NOMEM;
      one->at[p][0] = value[p];
    }
    if (!one) return AM_E_NOMEM;
    k->known = one;
  }
  if (!status) status = am_onnx_two(r, AM_E_MUL, &y, &scale, &scaled);
  return status ? status : am_onnx_two(r, AM_E_ADD, &scaled, &shift, out);
}

static am_status read_batch_norm(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  static const char *const names[] = {"gamma", "beta", "mean", "variance"};
  *out = *in[0];
  if (n < 5 || out->n_axes < 2) return am_onnx_refuse(r, AM_E_FORMAT, "it does not have five inputs");
  if (in[3]->is == AM_ONNX_IS_CLIP || in[4]->is == AM_ONNX_IS_CLIP) return norm_by_clip(r, in, out);
  if (am_onnx_attribute_int(r, "training_mode", 0))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute training_mode is 1; export the model for inference");
  int tensor = am_onnx_settle(r, out);
  if (tensor >= 0) tensor = am_onnx_over(r, tensor, &out->axes[1], "normalisation");
  am_onnx_step *s = tensor < 0 ? NULL : am_onnx_step_new(r, "batch_norm", tensor);
  if (!s) return AM_E_UNSUPPORTED;
  am_onnx_step_named(r, s, r->node->inputs[1]);
  const am_onnx_axis *c = &r->made[tensor]->c;
  am_status status = AM_OK;
  for (int i = 0; i < 4 && !status; i++)
    status = put_array(r, s, names[i], i > 1, am_onnx_size(r, c, 0),
                       by_channel(r, in[i + 1], names[i], c, &out->axes[1], (float)(i == 0 || i == 3)));
  if (!status) status = am_onnx_set(r, s, "epsilon", real_value(r, am_onnx_attribute_real(r, "epsilon", 1e-5)));
  if (!status) status = am_onnx_set(r, s, "momentum", real_value(r, am_onnx_attribute_real(r, "momentum", 0.9)));
  if (!status) status = am_onnx_set(r, s, "statistics", am_value_text(r->tree, "plain", false));
  if (!status && !strcmp(r->model->producer, "pytorch"))
    status = am_onnx_set(r, s, "unbiased", am_value_bool(r->tree, true));
  return !status && am_onnx_step_makes(r, s) ? made(r, s->out, out) : AM_E_UNSUPPORTED;
}

/* ---- softmax ---- */

static am_status add_plain(am_onnx_reader *r, const char *type, int tensor, am_onnx_thing *out) {
  am_onnx_step *s = am_onnx_step_new(r, type, tensor);
  return s && am_onnx_step_makes(r, s) ? made(r, s->out, out) : AM_E_UNSUPPORTED;
}

static am_status read_softmax(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  (void)n;
  const bool early = r->model->opset < 13, logarithm = !strcmp(r->node->op, "LogSoftmax");
  *out = *in[0];
  const int first = am_onnx_axis_number(r, am_onnx_attribute_int(r, "axis", early ? 1 : -1), out->n_axes);
  int tensor = first < 0 ? -1 : am_onnx_settle(r, out);
  if (tensor < 0) return AM_E_UNSUPPORTED;
  am_onnx_axis row = {0};
  for (int i = first; i < (early ? out->n_axes : first + 1); i++)
    if (!am_onnx_axis_add(&row, &out->axes[i]))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes cannot be put together");
  if (!logarithm && r->made[tensor]->rank == 2 && row.n && am_onnx_same_factors(r, &row, &r->made[tensor]->t)) {
    out->is = AM_ONNX_IS_WEIGHTS;
    out->scores = tensor;
    return AM_OK;
  }
  tensor = am_onnx_over(r, tensor, &row, "softmax");
  if (tensor < 0) return AM_E_UNSUPPORTED;
  am_status status = add_plain(r, "softmax", tensor, out);
  if (!status && logarithm) status = add_plain(r, "log_probabilities", r->expressions[out->expression].tensor, out);
  return status;
}

/* ---- over frames, bins, channels ---- */

static bool is(const char *op, const char *other) { return !strcmp(op, other); }

/* Over all of one of our axes, or over frames and bins: what stays of the tensor. -1: r->err. */
static int pool_over(am_onnx_reader *r, int tensor, const am_onnx_axis *over, bool max) {
  const am_onnx_made *x = r->made[tensor];
  am_onnx_axis both = x->t;
  am_onnx_step *s = NULL;
  am_onnx_axis_add(&both, &x->f);
  const bool time = am_onnx_same_factors(r, over, &x->t), all = am_onnx_same_factors(r, over, &both);
  const bool bins = x->f.n && am_onnx_same_factors(r, over, &x->f);
  if (x->rank == 1 || (!time && !all && !bins)) return -2;
  if (bins && !all) { /* a window over all bins */
    const int64_t size[2] = {1, am_onnx_size(r, &x->f, 0)};
    am_onnx_as_map(r, tensor);
    s = am_onnx_step_new(r, max ? "max_pool2d" : "average_pool2d", tensor);
    if (!s || am_onnx_set_pair(r, s, "size", size, 2) || !am_onnx_step_makes(r, s)) return -1;
    r->made[s->out]->f = (am_onnx_axis){0};
    return s->out;
  }
  if (!x->rank && !all) tensor = am_onnx_as_sequence(r, tensor);
  else am_onnx_as_map(r, tensor);
  x = r->made[tensor];
  s = am_onnx_step_new(r, max ? "global_max_pool" : "global_average_pool", tensor);
  if (!s || (!all && x->rank == 3 && am_onnx_set(r, s, "over", am_value_text(r->tree, "time", false)))) return -1;
  am_onnx_made *y = am_onnx_step_makes(r, s);
  if (!y) return -1;
  if (!all && x->rank == 3) {
    am_onnx_axis c = x->f;
    if (!am_onnx_axis_add(&c, &x->c))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes consist of too many parts"), -1;
    y->c = c;
  }
  y->rank = 1;
  y->t = y->f = (am_onnx_axis){0};
  return s->out;
}

/* Sum of frames under their weights. */
static am_status sum_weighted(am_onnx_reader *r, const am_onnx_thing *x, const am_onnx_axis *over, am_onnx_thing *out) {
  am_onnx_step *s = NULL;
  am_onnx_axis heads, channels;
  if (strcmp(r->node->op, "ReduceSum") != 0 || !am_onnx_same_factors(r, over, &r->made[x->frames]->t))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "frames times their weights are only imported when they are summed over the "
                          "frames");
  am_status status = attend(r, x->scores, x->frames, &s);
  assert(status || s);
  if (!status) status = attended(r, s, x->frames, x->scores, &heads, &channels);
  return status ? status : made(r, s->out, out);
}

/* What was a mean over n places becomes a sum: the number of places may depend on the length. */
static am_status times_count(am_onnx_reader *r, const am_onnx_axis *over, am_onnx_thing *out) {
  double n[AM_ONNX_PROBES];
  for (int p = 0; p < AM_ONNX_PROBES; p++) n[p] = (double)am_onnx_size(r, over, p);
  const int c = am_onnx_constant_of(r, n);
  out->expression = c < 0 ? -1 : am_onnx_combine(r, AM_E_MUL, out->expression, c);
  return out->expression < 0 ? AM_E_NOMEM : AM_OK;
}

/* Over the channels: a number of an expression. */
static am_status reduce_row(am_onnx_reader *r, am_onnx_thing *out, const am_onnx_axis *over) {
  const char *op = r->node->op;
  const bool square = is(op, "ReduceSumSquare");
  const int kind = is(op, "ReduceMax")    ? AM_E_ROW_MAX
                   : is(op, "ReduceMin")  ? AM_E_ROW_MIN
                   : is(op, "ReduceMean") ? AM_E_ROW_MEAN
                                          : AM_E_ROW_SUM;
  int e = out->expression;
  if (square) e = am_onnx_combine(r, AM_E_MUL, e, e);
  const am_onnx_expression *x = e < 0 ? NULL : &r->expressions[e];
  if (!x) return AM_E_UNSUPPORTED;
  if (x->rows && !am_onnx_same_factors(r, &x->row, over)) {
    const int tensor = am_onnx_settle_expression(r, e);
    e = tensor < 0 ? -1 : am_onnx_expression_of(r, tensor);
  }
  out->expression = e < 0 ? -1 : am_onnx_reduce(r, kind, e, over);
  return out->expression < 0 ? AM_E_UNSUPPORTED : AM_OK;
}

/* `gone`: axes that are reduced. */
static am_status reduce(am_onnx_reader *r, am_onnx_thing *x, unsigned gone, bool keep, am_onnx_thing *out) {
  const char *op = r->node->op;
  const bool max = is(op, "ReduceMax") || !strncmp(op, "GlobalMax", 9);
  const bool sum = is(op, "ReduceSum"), mean = is(op, "ReduceMean") || !strncmp(op, "GlobalAv", 8);
  am_onnx_axis over = {0};
  bool fits = true;
  if (x->is == AM_ONNX_IS_CLIP && (x->frame || x->picked >= 0)) {
    am_status settled = made(r, am_onnx_settle(r, x), x);
    if (settled) return settled;
  }
  *out = *x;
  for (int i = 0; i < x->n_axes; i++)
    if (gone >> i & 1) fits = fits && am_onnx_axis_add(&over, &x->axes[i]);
  am_onnx_whole(r, &over);
  if (!fits) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes cannot be put together");
  am_status status = AM_OK;
  if (x->is == AM_ONNX_IS_WEIGHTED) status = sum_weighted(r, x, &over, out);
  else if (x->is != AM_ONNX_IS_CLIP) return am_onnx_settle(r, x), AM_E_UNSUPPORTED;
  else if (over.n) {
    int tensor = -2;
    const am_onnx_expression *e = &r->expressions[x->expression];
    am_onnx_axis channels = r->made[e->tensor]->c, bins = channels;
    am_onnx_axis_add(&bins, &r->made[e->tensor]->f);
    const bool row = e->rows ? am_onnx_same_factors(r, &e->row, &over)
                             : am_onnx_same_factors(r, &over, &channels) ||
                                   (r->made[e->tensor]->rank != 3 && am_onnx_same_factors(r, &over, &bins));
    if (row) status = reduce_row(r, out, &over);
    else if (max || sum || mean) {
      const int settled = am_onnx_settle(r, x);
      if (settled < 0) return AM_E_UNSUPPORTED;
      tensor = pool_over(r, settled, &over, max);
      if (tensor == -1) return AM_E_UNSUPPORTED;
      if (tensor == -2) status = reduce_row(r, out, &over); /* refused later, unless it is a row */
      else status = made(r, tensor, out);
      if (!status && tensor >= 0 && sum) status = times_count(r, &over, out);
    } else return am_onnx_refuse(r, AM_E_UNSUPPORTED, "only mean, sum and maximum over frames or bins can be imported");
  }
  int kept = 0;
  for (int i = 0; i < x->n_axes; i++) {
    if (gone >> i & 1) out->axes[i] = (am_onnx_axis){0};
    if (keep || !(gone >> i & 1)) out->axes[kept++] = out->axes[i];
  }
  out->n_axes = kept;
  return status;
}

static am_status read_reduce(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  int64_t axes[AM_ONNX_RANK];
  size_t count;
  bool given;
  unsigned gone = 0;
  am_status status = am_onnx_axes_of(r, in, n, 1, in[0]->n_axes, axes, &count, &given);
  if (status) return status;
  if ((!given || !count) && am_onnx_attribute_int(r, "noop_with_empty_axes", 0)) {
    *out = *in[0];
    return AM_OK;
  }
  for (size_t i = 0; i < count && given; i++) {
    const int axis = am_onnx_axis_number(r, axes[i], in[0]->n_axes);
    if (axis < 0) return AM_E_FORMAT;
    gone |= 1u << axis;
  }
  if (!given || !count) gone = (1u << in[0]->n_axes) - 1;
  return reduce(r, in[0], gone, am_onnx_attribute_int(r, "keepdims", 1) != 0, out);
}

static am_status read_global(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  (void)n;
  if (in[0]->n_axes < 3) return am_onnx_refuse(r, AM_E_SHAPE, "its input has %d axes; wanted 3 or 4", in[0]->n_axes);
  return reduce(r, in[0], ((1u << in[0]->n_axes) - 1) & ~3u, true, out);
}

const am_onnx_operator am_onnx_layer_operators[] = {
    {"Gemm", read_gemm, "|alpha|beta|transA|transB|", 2, 3},
    {"MatMul", read_matmul, "|", 2, 2},
    {"LayerNormalization", read_layer_norm, "|axis|epsilon|stash_type|", 1, 3},
    {"BatchNormalization", read_batch_norm, "|epsilon|momentum|spatial|training_mode|", 1, 5},
    {"Softmax", read_softmax, "|axis|", 1, 1},
    {"LogSoftmax", read_softmax, "|axis|", 1, 1},
    {"ReduceMean", read_reduce, "|axes|keepdims|noop_with_empty_axes|", 1, 2},
    {"ReduceSum", read_reduce, "|axes|keepdims|noop_with_empty_axes|", 1, 2},
    {"ReduceMax", read_reduce, "|axes|keepdims|noop_with_empty_axes|", 1, 2},
    {"ReduceMin", read_reduce, "|axes|keepdims|noop_with_empty_axes|", 1, 2},
    {"ReduceSumSquare", read_reduce, "|axes|keepdims|noop_with_empty_axes|", 1, 2},
    {"GlobalAveragePool", read_global, "|", 1, 1},
    {"GlobalMaxPool", read_global, "|", 1, 1},
    {0}};
