/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_steps.c - our tensors and the layers between them, as they are found in the graph. */
#include <string.h>

#include "base/file.h"
#include "exchange/onnx_read.h"

am_onnx_step *am_onnx_step_new(am_onnx_reader *r, const char *type, int in) {
  if (r->n_steps == AM_ONNX_STEPS) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED, "the model has more than %d layers", AM_ONNX_STEPS);
    return NULL;
  }
  am_onnx_step *s = am_tree_take(r->tree, 1, sizeof *s);
  if (s) s->options = am_value_new(r->tree, AM_MAP);
  if (!s || !s->options) {
    am_onnx_no_memory(r);
    return NULL;
  }
  s->type = type;
  s->by = r->node;
  s->n_in = 1;
  s->in[0] = in;
  r->steps[r->n_steps] = s;
  return s;
}

am_onnx_made *am_onnx_step_makes(am_onnx_reader *r, am_onnx_step *s) {
  am_onnx_made *made = am_tree_take(r->tree, 1, sizeof *made);
  if (!made) {
    am_onnx_no_memory(r);
    return NULL;
  }
  am_onnx_as_map(r, s->in[0]); /* where that is still open */
  *made = *r->made[s->in[0]];
  made->sequence = made->flat = made->last = made->half[0] = made->half[1] = 0;
  made->both = false;
  made->step = (int)r->n_steps++;
  s->out = (int)r->n_steps;
  r->made[s->out] = made;
  return made;
}

float *am_onnx_step_array(am_onnx_reader *r, am_onnx_step *s, const char *name, bool statistic, int rank,
                          const int64_t *dims) {
  am_onnx_array *a = &s->arrays[s->n_arrays];
  *a = (am_onnx_array){.name = name, .statistic = statistic, .rank = rank, .count = 1};
  for (int i = 0; i < rank; i++) {
    a->dims[i] = dims[i];
    a->count = am_mul(a->count, (size_t)dims[i]);
  }
  a->at = am_tree_take(r->tree, am_add(a->count, 1), sizeof *a->at);
  if (!a->at) {
    am_onnx_no_memory(r);
    return NULL;
  }
  s->n_arrays++;
  return a->at;
}

am_status am_onnx_set(am_onnx_reader *r, am_onnx_step *s, const char *key, am_value *value) {
  return am_value_add(r->tree, s->options, key, value, r->err);
}

am_status am_onnx_set_pair(am_onnx_reader *r, am_onnx_step *s, const char *key, const int64_t *pair, int n) {
  am_value *list = am_value_new(r->tree, AM_LIST);
  if (!list) return am_onnx_no_memory(r);
  am_status status = AM_OK;
  for (int i = 0; i < n && !status; i++)
    status = am_value_add(r->tree, list, NULL, am_value_int(r->tree, pair[i]), r->err);
  return status ? status : am_onnx_set(r, s, key, n == 1 || pair[0] == pair[1] ? list->first : list);
}

/* ---- the same tensor in another shape of ours ---- */

static bool join_axes(am_onnx_axis *to, const am_onnx_axis *more) {
  am_onnx_axis all = *more;
  if (!am_onnx_axis_add(&all, to)) return false;
  *to = all;
  return true;
}

void am_onnx_as_map(am_onnx_reader *r, int tensor) {
  if (r->made[tensor]->rank) return;
  r->made[tensor]->rank = 3;
}

int am_onnx_as_sequence(am_onnx_reader *r, int tensor) {
  am_onnx_made *x = r->made[tensor];
  if (x->sequence) return x->sequence;
  if (!x->rank) { /* the input: of bins as channels */
    x->c = x->f;
    x->f = (am_onnx_axis){0};
    x->rank = 2;
  }
  if (x->rank == 2) return tensor;
  if (x->rank == 1) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED,
                   "its input has no frames any more; layers over frames come before pooling and "
                   "flattening");
    return -1;
  }
  am_onnx_step *s = am_onnx_step_new(r, "to_sequence", tensor);
  am_onnx_made *y = s ? am_onnx_step_makes(r, s) : NULL;
  if (!y) return -1;
  y->rank = 2;
  y->f = (am_onnx_axis){0};
  if (!join_axes(&y->c, &x->f)) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes consist of more than %d parts", AM_ONNX_FACTORS);
    return -1;
  }
  return x->sequence = s->out;
}

int am_onnx_as_flat(am_onnx_reader *r, int tensor) {
  am_onnx_made *x = r->made[tensor];
  if (x->flat) return x->flat;
  if (!x->rank) am_onnx_as_sequence(r, tensor);
  if (x->rank == 1) return tensor;
  am_onnx_step *s = am_onnx_step_new(r, "flatten", tensor);
  am_onnx_made *y = s ? am_onnx_step_makes(r, s) : NULL;
  if (!y) return -1;
  y->rank = 1;
  y->t = y->f = (am_onnx_axis){0};
  if (!join_axes(&y->c, &x->f) || !join_axes(&y->c, &x->t)) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes consist of more than %d parts", AM_ONNX_FACTORS);
    return -1;
  }
  return x->flat = s->out;
}

int am_onnx_over(am_onnx_reader *r, int tensor, const am_onnx_axis *axis, const char *what) {
  const am_onnx_made *x = r->made[tensor];
  am_onnx_axis bins = x->c, all;
  if (x->rank && am_onnx_same_factors(r, axis, &x->c) && (x->t.n || x->rank == 1)) return tensor;
  if (join_axes(&bins, &x->f)) {
    all = bins;
    if ((x->t.n || x->rank < 2) && am_onnx_same_factors(r, axis, &bins)) return am_onnx_as_sequence(r, tensor);
    if (join_axes(&all, &x->t) && am_onnx_same_factors(r, axis, &all)) return am_onnx_as_flat(r, tensor);
  }
  if (am_onnx_same_factors(r, axis, &x->c)) {
    am_onnx_as_map(r, tensor);
    return tensor;
  }
  am_onnx_refuse(r, AM_E_UNSUPPORTED,
                 "%s runs along %s; only along the channels of a frame, its bins and channels, "
                 "or all of the clip can it be imported",
                 what,
                 am_onnx_has(axis, r->batch) && r->batch >= 0 ? "the batch"
                 : x->t.n && am_onnx_has(axis, x->t.at[0])    ? "the frames"
                                                              : "some of the bins or channels");
  return -1;
}

/* The layer before, with scale and shift in its weights; 0: it is none that can have them.  A layer of its own: whatever else reads
 * the one before is not changed. */
static int fold(am_onnx_reader *r, int tensor, int64_t n, const float *scale, const float *shift) {
  static const char *const linear[] = {"dense", "conv1d", "conv2d", "batch_norm", "layer_norm"};
  const am_onnx_step *from = r->made[tensor]->step < 0 ? NULL : r->steps[r->made[tensor]->step];
  size_t kind = 0;
  while (from && kind < 5 && strcmp(linear[kind], from->type) != 0) kind++;
  if (!from || kind == 5) return 0;
  const char *gain = kind < 3 ? "kernel" : "gamma", *offset = kind < 3 ? "bias" : "beta";
  am_onnx_step *s = am_onnx_step_new(r, from->type, from->in[0]);
  if (!s) return -1;
  s->name = from->name;
  s->by = from->by;
  for (size_t i = 0; !s->name && shift && i < r->node->n_inputs; i++)
    if (am_text_ends(r->node->inputs[i], ".bias")) am_onnx_step_named(r, s, r->node->inputs[i]);
  s->options = from->options;
  s->affine = from->affine;
  float *old_offset = NULL;
  for (int i = 0; i < from->n_arrays; i++) {
    const am_onnx_array *a = &from->arrays[i];
    if (!strcmp(a->name, offset)) {
      old_offset = a->at;
      continue;
    }
    s->arrays[s->n_arrays] = *a;
    if (strcmp(a->name, gain) != 0 || !scale) {
      s->n_arrays++;
      continue;
    }
    float *to = am_onnx_step_array(r, s, a->name, false, a->rank, a->dims);
    if (!to) return -1;
    for (size_t k = 0; k < a->count; k++) to[k] = a->at[k] * scale[k % (size_t)n];
  }
  if (old_offset || shift) {
    float *to = am_onnx_step_array(r, s, offset, false, 1, &n);
    if (!to) return -1;
    for (int64_t k = 0; k < n; k++)
      to[k] = (old_offset ? old_offset[k] * (scale ? scale[k] : 1) : 0) + (shift ? shift[k] : 0);
  }
  am_onnx_made *made = am_onnx_step_makes(r, s);
  if (!made) return -1;
  const int step = made->step;
  *made = *r->made[tensor];
  made->step = step;
  made->sequence = made->flat = made->half[0] = made->half[1] = 0;
  return s->out;
}

int am_onnx_affine(am_onnx_reader *r, int tensor, const float *scale, const float *shift) {
  const int64_t n = am_onnx_size(r, &r->made[tensor]->c, 0);
  const int folded = fold(r, tensor, n, scale, shift);
  if (folded) return folded;
  am_onnx_step *s = am_onnx_step_new(r, "batch_norm", tensor);
  float *gamma = s ? am_onnx_step_array(r, s, "gamma", false, 1, &n) : NULL;
  float *beta = gamma ? am_onnx_step_array(r, s, "beta", false, 1, &n) : NULL;
  float *mean = beta ? am_onnx_step_array(r, s, "mean", true, 1, &n) : NULL;
  float *variance = mean ? am_onnx_step_array(r, s, "variance", true, 1, &n) : NULL;
  if (!variance) return -1;
  for (int64_t i = 0; i < n; i++) {
    gamma[i] = scale ? scale[i] : 1;
    beta[i] = shift ? shift[i] : 0;
    variance[i] = 1;
  }
  s->affine = true;
  if (am_onnx_set(r, s, "epsilon", am_value_int(r->tree, 0)) ||
      am_onnx_set(r, s, "statistics", am_value_text(r->tree, "plain", false)))
    return -1;
  return am_onnx_step_makes(r, s) ? s->out : -1;
}

/* ---- names ---- */

/* What is left of "features.0.weight", "/rnn/lstm/LSTM", "model/dense/MatMul/ReadVariableOp:0": the last part that says
 * which layer it is. */
void am_onnx_step_named(am_onnx_reader *r, am_onnx_step *s, const char *weight) {
  static const char *const ends[] = {".weight", ".kernel", "/kernel", "/weight", ".bias"};
  char text[96];
  size_t n = 0, length = strlen(weight);
  const char *from = NULL;
  for (size_t i = 0; i < sizeof ends / sizeof *ends && !from; i++) {
    const size_t m = strlen(ends[i]);
    if (length > m && !strcmp(weight + length - m, ends[i])) from = weight, length -= m;
  }
  if (!from && *s->by->name == '/') { /* PyTorch's: the modules, then the operator */
    const char *last = strrchr(s->by->name, '/'), *before = last;
    while (before > s->by->name && before[-1] != '/') before--;
    from = before;
    length = (size_t)(last - before);
  }
  for (size_t i = 0; from && i < length && n + 1 < sizeof text; i++) {
    const char c = from[i];
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (good || n) text[n++] = good ? c : '_';
  }
  text[n] = 0;
  if (n && !(text[0] >= '0' && text[0] <= '9' && n < 3)) s->name = am_tree_string(r->tree, text);
}
