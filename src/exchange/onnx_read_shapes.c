/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_shapes.c - known numbers that are moved: what graphs do with shapes. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "exchange/onnx_read.h"

/* One probe of a node. */
typedef struct work {
  am_onnx_reader *r;
  am_onnx_known *const *in;
  size_t n;
  int p;
  am_onnx_known *out;
} work;

static const double *numbers(const work *w, size_t i) { return am_onnx_numbers(w->r, w->in[i], w->p); }
static const int64_t *dims(const work *w, size_t i) { return w->in[i]->dims[am_onnx_probe(w->in[i], w->p)]; }
static size_t count(const work *w, size_t i) { return w->in[i]->count[am_onnx_probe(w->in[i], w->p)]; }
static bool has(const work *w, size_t i) { return i < w->n && w->in[i]; }
static int64_t *to(const work *w) { return w->out->dims[w->p]; }

/* Whole numbers of input `i`, or of an attribute of that name; false: neither, or too many. */
static bool list(const work *w, size_t i, const char *name, int64_t at[AM_ONNX_RANK], size_t *n) {
  const int64_t *ints;
  if (name && am_onnx_attribute_ints(w->r, name, &ints, n)) {
    memcpy(at, ints, *n * sizeof *at);
    return true;
  }
  const double *from = has(w, i) ? numbers(w, i) : NULL;
  if (!from || count(w, i) > AM_ONNX_RANK) return false;
  *n = count(w, i);
  for (size_t k = 0; k < *n; k++) at[k] = am_onnx_whole_of(from[k]);
  return true;
}

static am_status odd(const work *w, const char *what) {
  return am_onnx_refuse(w->r, AM_E_FORMAT, "its %s cannot be", what);
}

static am_status begin(const work *w, size_t n, const int64_t *sizes) {
  if (n > AM_ONNX_RANK) return odd(w, "number of axes");
  w->out->rank = (int)n;
  if (n) memmove(to(w), sizes, n * sizeof *sizes);
  return am_onnx_known_room(w->r, w->out, w->p);
}

static size_t product(const int64_t *at, int from, int until) {
  size_t n = 1;
  for (int i = from; i < until; i++) n = am_mul(n, (size_t)at[i]);
  return n;
}

/* The numbers of input 0 in another shape. */
static am_status reshaped(const work *w, size_t n, const int64_t *sizes) {
  const double *from = numbers(w, 0);
  if (!from) return AM_E_FORMAT;
  am_status status = begin(w, n, sizes);
  if (status) return status;
  if (w->out->count[w->p] != count(w, 0)) return odd(w, "shape");
  memcpy(w->out->at[w->p], from, count(w, 0) * sizeof *from);
  return AM_OK;
}

static am_status do_reshape(const work *w) {
  int64_t sizes[AM_ONNX_RANK] = {0};
  size_t n;
  if (!list(w, 1, "shape", sizes, &n)) return odd(w, "shape");
  int64_t *rest = NULL;
  size_t known = 1;
  for (size_t i = 0; i < n; i++) {
    if (!sizes[i] && !am_onnx_attribute_int(w->r, "allowzero", 0))
      sizes[i] = (int)i < w->in[0]->rank ? dims(w, 0)[i] : 0;
    if (sizes[i] == -1 && !rest) rest = &sizes[i];
    else if (sizes[i] < 0) return odd(w, "shape");
    else known = am_mul(known, (size_t)sizes[i]);
  }
  if (rest) *rest = known ? (int64_t)(count(w, 0) / known) : 0;
  return reshaped(w, n, sizes);
}

static am_status do_squeeze(const work *w) {
  int64_t axes[AM_ONNX_RANK] = {0}, sizes[AM_ONNX_RANK] = {0};
  size_t n = 0, kept = 0;
  const bool given = list(w, 1, "axes", axes, &n);
  for (int i = 0; i < w->in[0]->rank; i++) {
    bool out = !given && dims(w, 0)[i] == 1;
    for (size_t k = 0; given && k < n; k++) out |= axes[k] == i || axes[k] == i - w->in[0]->rank;
    if (out && dims(w, 0)[i] != 1) return odd(w, "axes");
    if (!out) sizes[kept++] = dims(w, 0)[i];
  }
  return reshaped(w, kept, sizes);
}

static am_status do_unsqueeze(const work *w) {
  int64_t axes[AM_ONNX_RANK] = {0}, sizes[AM_ONNX_RANK] = {0};
  size_t n = 0;
  if (!list(w, 1, "axes", axes, &n) || n + (size_t)w->in[0]->rank > AM_ONNX_RANK) return odd(w, "axes");
  const int rank = w->in[0]->rank + (int)n;
  int from = 0;
  for (int i = 0; i < rank; i++) {
    bool new = false;
    for (size_t k = 0; k < n; k++) new |= axes[k] == i || axes[k] == i - rank;
    if (!new &&from == w->in[0]->rank) return odd(w, "axes");
    sizes[i] = new ? 1 : dims(w, 0)[from++];
  }
  return reshaped(w, (size_t)rank, sizes);
}

static am_status do_flatten(const work *w) {
  int64_t axis = am_onnx_attribute_int(w->r, "axis", 1);
  const int rank = w->in[0]->rank;
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) return odd(w, "axis");
  const int64_t sizes[2] = {(int64_t)product(dims(w, 0), 0, (int)axis), (int64_t)product(dims(w, 0), (int)axis, rank)};
  return reshaped(w, 2, sizes);
}

static am_status do_shape(const work *w) {
  const int rank = w->in[0]->rank;
  int64_t first = am_onnx_attribute_int(w->r, "start", 0), last = am_onnx_attribute_int(w->r, "end", rank);
  if (first < 0) first += rank;
  if (last < 0) last += rank;
  first = first < 0 ? 0 : first > rank ? rank : first;
  last = last < first ? first : last > rank ? rank : last;
  w->out->type = AM_KNOWN_INT;
  am_status status = begin(w, 1, (int64_t[]){last - first});
  for (int64_t i = first; !status && i < last; i++) w->out->at[w->p][i - first] = (double)dims(w, 0)[i];
  return status;
}

static am_status do_size(const work *w) {
  w->out->type = AM_KNOWN_INT;
  am_status status = begin(w, 0, NULL);
  if (!status) w->out->at[w->p][0] = (double)count(w, 0);
  return status;
}

static am_status do_gather(const work *w) {
  const double *from = numbers(w, 0), *which = has(w, 1) ? numbers(w, 1) : NULL;
  const int rank = w->in[0]->rank;
  int64_t axis = am_onnx_attribute_int(w->r, "axis", 0), sizes[2 * AM_ONNX_RANK];
  if (axis < 0) axis += rank;
  if (!from || !which) return AM_E_FORMAT;
  if (axis < 0 || axis >= rank) return odd(w, "axis");
  size_t n = 0;
  for (int i = 0; i < axis; i++) sizes[n++] = dims(w, 0)[i];
  for (int i = 0; i < w->in[1]->rank; i++) sizes[n++] = dims(w, 1)[i];
  for (int i = (int)axis + 1; i < rank; i++) sizes[n++] = dims(w, 0)[i];
  am_status status = begin(w, n, sizes);
  if (status) return status;
  const size_t outer = product(dims(w, 0), 0, (int)axis), inner = product(dims(w, 0), (int)axis + 1, rank);
  const int64_t size = dims(w, 0)[axis];
  for (size_t o = 0, at = 0; o < outer; o++)
    for (size_t k = 0; k < count(w, 1); k++) {
      int64_t i = am_onnx_whole_of(which[k]);
      if (i < 0) i += size;
      if (i < 0 || i >= size) return odd(w, "index");
      for (size_t x = 0; x < inner; x++) w->out->at[w->p][at++] = from[(o * (size_t)size + (size_t)i) * inner + x];
    }
  return AM_OK;
}

/* A place of a slice, from the end where it is negative, between two others. */
static int64_t place(int64_t at, int64_t size, int64_t low, int64_t high) {
  if (at < 0) at += size;
  return at < low ? low : at > high ? high : at;
}

/* One axis of a slice: the first, and how many. */
static void cut(int64_t size, int64_t step, int64_t *first, int64_t last, int64_t *n) {
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  *first = place(*first, size, low, high);
  last = place(last, size, low, high);
  const int64_t distance = step > 0 ? last - *first : *first - last, by = step > 0 ? step : -step;
  *n = distance > 0 ? (distance - 1) / by + 1 : 0;
}

static am_status do_slice(const work *w) {
  int64_t first[AM_ONNX_RANK] = {0}, last[AM_ONNX_RANK] = {0}, axes[AM_ONNX_RANK] = {0}, steps[AM_ONNX_RANK] = {0};
  int64_t begins[AM_ONNX_RANK] = {0}, by[AM_ONNX_RANK] = {0}, sizes[AM_ONNX_RANK] = {0};
  size_t n, m;
  const double *from = numbers(w, 0);
  const int rank = w->in[0]->rank;
  if (!from) return AM_E_FORMAT;
  if (!list(w, 1, "starts", first, &n) || !list(w, 2, "ends", last, &m) || n != m) return odd(w, "ends");
  if (!list(w, 3, "axes", axes, &m))
    for (m = 0; m < n; m++) axes[m] = (int64_t)m;
  if (m != n) return odd(w, "axes");
  if (!list(w, 4, NULL, steps, &m))
    for (m = 0; m < n; m++) steps[m] = 1;
  if (m != n) return odd(w, "steps");
  for (int i = 0; i < rank; i++) sizes[i] = dims(w, 0)[i], by[i] = 1;
  for (size_t k = 0; k < n; k++) {
    const int64_t i = axes[k] < 0 ? axes[k] + rank : axes[k];
    if (i < 0 || i >= rank || !steps[k] || steps[k] < -INT32_MAX || steps[k] > INT32_MAX) return odd(w, "axes");
    begins[i] = first[k];
    by[i] = steps[k];
    cut(dims(w, 0)[i], steps[k], &begins[i], last[k], &sizes[i]);
  }
  am_status status = begin(w, (size_t)rank, sizes);
  assert(status || rank <= AM_ONNX_RANK);
  for (size_t i = 0; !status && i < w->out->count[w->p]; i++) {
    size_t rest = i, step = 1, at = 0;
    for (int d = rank - 1; d >= 0; d--) {
      assert(sizes[d]); /* there is a number i */
      at += (size_t)(begins[d] + (int64_t)(rest % (size_t)sizes[d]) * by[d]) * step;
      rest /= (size_t)sizes[d];
      step *= (size_t)dims(w, 0)[d];
    }
    w->out->at[w->p][i] = from[at];
  }
  return status;
}

static am_status do_concat(const work *w) {
  const int rank = w->in[0]->rank;
  int64_t axis = am_onnx_attribute_int(w->r, "axis", 0), sizes[AM_ONNX_RANK] = {0};
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return odd(w, "axis");
  memcpy(sizes, dims(w, 0), sizeof sizes);
  for (size_t k = 1; k < w->n; k++) {
    if (!has(w, k) || w->in[k]->rank != rank) return odd(w, "inputs");
    for (int i = 0; i < rank; i++)
      if (i == axis) sizes[i] += dims(w, k)[i];
      else if (sizes[i] != dims(w, k)[i]) return odd(w, "inputs");
  }
  am_status status = begin(w, (size_t)rank, sizes);
  if (status) return status;
  const size_t outer = product(sizes, 0, (int)axis), all = product(sizes, (int)axis, rank);
  size_t before = 0;
  for (size_t k = 0; k < w->n; k++) {
    const double *from = numbers(w, k);
    const size_t piece = product(dims(w, k), (int)axis, rank);
    if (!from) return AM_E_FORMAT;
    for (size_t o = 0; o < outer && piece; o++)
      memcpy(w->out->at[w->p] + o * all + before, from + o * piece, piece * sizeof *from);
    before += piece;
  }
  return AM_OK;
}

static am_status do_transpose(const work *w) {
  const int64_t *order;
  int64_t reversed[AM_ONNX_RANK] = {0}, sizes[AM_ONNX_RANK] = {0};
  size_t n;
  const int rank = w->in[0]->rank;
  const double *from = numbers(w, 0);
  if (!from) return AM_E_FORMAT;
  if (!am_onnx_attribute_ints(w->r, "perm", &order, &n)) {
    for (int i = 0; i < rank; i++) reversed[i] = rank - 1 - i;
    order = reversed;
    n = (size_t)rank;
  }
  unsigned seen = 0;
  for (size_t i = 0; i < n; i++) {
    if (n != (size_t)rank || order[i] < 0 || order[i] >= rank || seen >> order[i] & 1) return odd(w, "perm");
    seen |= 1u << order[i];
    sizes[i] = dims(w, 0)[order[i]];
  }
  if (n != (size_t)rank) return odd(w, "perm");
  am_status status = begin(w, n, sizes);
  assert(status || rank <= AM_ONNX_RANK);
  for (size_t i = 0; !status && i < w->out->count[w->p]; i++) {
    size_t rest = i, at = 0;
    for (int d = rank - 1; d >= 0; d--) {
      assert(sizes[d]);
      at += rest % (size_t)sizes[d] * product(dims(w, 0), (int)order[d] + 1, rank);
      rest /= (size_t)sizes[d];
    }
    w->out->at[w->p][i] = from[at];
  }
  return status;
}

static am_status do_expand(const work *w) {
  int64_t sizes[AM_ONNX_RANK] = {0};
  size_t n;
  const double *from = numbers(w, 0);
  if (!from) return AM_E_FORMAT;
  if (!list(w, 1, "shape", sizes, &n)) return odd(w, "shape");
  const int rank = w->in[0]->rank, wide = (int)n > rank ? (int)n : rank;
  int64_t all[AM_ONNX_RANK] = {0};
  for (int i = 0; i < wide; i++) {
    const int a = i - (wide - rank), b = i - (wide - (int)n);
    const int64_t here = a < 0 ? 1 : dims(w, 0)[a], wanted = b < 0 ? 1 : sizes[b];
    if (here != wanted && here != 1 && wanted != 1) return odd(w, "shape");
    all[i] = here == 1 ? wanted : here;
  }
  am_status status = begin(w, (size_t)wide, all);
  assert(status || (wide >= rank && wide <= AM_ONNX_RANK));
  for (size_t i = 0; !status && i < w->out->count[w->p]; i++) {
    size_t rest = i, at = 0, step = 1;
    for (int d = wide - 1, e = rank - 1; e >= 0; d--, e--) {
      assert(all[d]);
      if (dims(w, 0)[e] != 1) at += rest % (size_t)all[d] * step;
      rest /= (size_t)all[d];
      step *= (size_t)dims(w, 0)[e];
    }
    w->out->at[w->p][i] = from[at];
  }
  return status;
}

static am_status do_constant_of_shape(const work *w) {
  const am_onnx_attribute *a = am_onnx_attribute_find(w->r->node, "value");
  int64_t sizes[AM_ONNX_RANK] = {0};
  size_t n;
  if (!list(w, 0, NULL, sizes, &n)) return odd(w, "shape");
  double value = 0;
  w->out->type = AM_KNOWN_REAL;
  if (a && a->tensor) {
    am_onnx_known *k = am_onnx_known_of(w->r, a->tensor);
    const double *at = k ? am_onnx_numbers(w->r, k, 0) : NULL;
    if (!at) return AM_E_FORMAT;
    if (!k->count[0]) return odd(w, "value");
    value = at[0];
    w->out->type = k->type;
  }
  am_status status = begin(w, n, sizes);
  for (size_t i = 0; !status && i < w->out->count[w->p]; i++) w->out->at[w->p][i] = value;
  return status;
}

static am_status do_range(const work *w) {
  double at[3];
  for (size_t i = 0; i < 3; i++) {
    const double *from = has(w, i) ? numbers(w, i) : NULL;
    if (!from || count(w, i) != 1) return odd(w, "inputs");
    at[i] = from[0];
  }
  const double n = ceil((at[1] - at[0]) / at[2]);
  if (!(at[2] != 0) || !(n < 1e9)) return odd(w, "step");
  am_status status = begin(w, 1, (int64_t[]){n > 0 ? (int64_t)n : 0});
  for (size_t i = 0; !status && i < w->out->count[w->p]; i++) w->out->at[w->p][i] = at[0] + (double)i * at[2];
  return status;
}

static double reduce_two(const char *op, double a, double b) {
  if (!strcmp(op, "ReduceProd")) return a * b;
  if (!strcmp(op, "ReduceMax")) return a > b ? a : b;
  if (!strcmp(op, "ReduceMin")) return a < b ? a : b;
  return a + b;
}

static am_status do_reduce(const work *w) {
  int64_t axes[AM_ONNX_RANK] = {0}, sizes[AM_ONNX_RANK] = {0}, kept[AM_ONNX_RANK] = {0};
  size_t n = 0, rank = 0;
  const double *from = numbers(w, 0);
  if (!from) return AM_E_FORMAT;
  const bool some = list(w, 1, "axes", axes, &n) && n, keep = am_onnx_attribute_int(w->r, "keepdims", 1) != 0;
  for (int i = 0; i < w->in[0]->rank; i++) {
    bool out = !some;
    for (size_t k = 0; some && k < n; k++) out |= axes[k] == i || axes[k] == i - w->in[0]->rank;
    kept[i] = out ? 1 : dims(w, 0)[i];
    if (!out || keep) sizes[rank++] = kept[i];
  }
  am_status status = begin(w, rank, sizes);
  if (status) return status;
  assert(w->in[0]->rank <= AM_ONNX_RANK);
  if (!count(w, 0)) return odd(w, "input, which is empty,");
  const size_t each = count(w, 0) / w->out->count[w->p];
  bool *seen = am_tree_take(w->r->tree, w->out->count[w->p] + 1, sizeof *seen);
  if (!seen) return am_onnx_no_memory(w->r);
  for (size_t i = 0; i < count(w, 0); i++) {
    size_t rest = i, at = 0, step = 1;
    for (int d = w->in[0]->rank - 1; d >= 0; d--) {
      if (kept[d] != 1) at += rest % (size_t)dims(w, 0)[d] * step;
      rest /= (size_t)dims(w, 0)[d];
      step *= (size_t)kept[d];
    }
    double *y = &w->out->at[w->p][at];
    *y = seen[at] ? reduce_two(w->r->node->op, *y, from[i]) : from[i];
    seen[at] = true;
  }
  for (size_t i = 0; !strcmp(w->r->node->op, "ReduceMean") && i < w->out->count[w->p]; i++)
    w->out->at[w->p][i] /= (double)each;
  return AM_OK;
}

static am_status do_clip(const work *w) {
  const double *from = numbers(w, 0), *low = has(w, 1) ? numbers(w, 1) : NULL, *high = has(w, 2) ? numbers(w, 2) : NULL;
  if (!from || (has(w, 1) && (!low || !count(w, 1))) || (has(w, 2) && (!high || !count(w, 2)))) return AM_E_FORMAT;
  const double least = low ? low[0] : am_onnx_attribute_real(w->r, "min", -INFINITY);
  const double most = high ? high[0] : am_onnx_attribute_real(w->r, "max", INFINITY);
  am_status status = begin(w, (size_t)w->in[0]->rank, dims(w, 0));
  for (size_t i = 0; !status && i < w->out->count[w->p]; i++)
    w->out->at[w->p][i] = from[i] < least ? least : from[i] > most ? most : from[i];
  return status;
}

static const struct {
  const char *name;
  am_status (*compute)(const work *w);
} operators[] = {{"Reshape", do_reshape},
                 {"Squeeze", do_squeeze},
                 {"Unsqueeze", do_unsqueeze},
                 {"Flatten", do_flatten},
                 {"Shape", do_shape},
                 {"Size", do_size},
                 {"Gather", do_gather},
                 {"Slice", do_slice},
                 {"Concat", do_concat},
                 {"Transpose", do_transpose},
                 {"Expand", do_expand},
                 {"Range", do_range},
                 {"ReduceSum", do_reduce},
                 {"ReduceMean", do_reduce},
                 {"ReduceProd", do_reduce},
                 {"ReduceMin", do_reduce},
                 {"ReduceMax", do_reduce},
                 {"Clip", do_clip},
                 {"ConstantOfShape", do_constant_of_shape}};

am_status am_onnx_compute_shape(am_onnx_reader *r, am_onnx_known *const *in, size_t n, int p, am_onnx_known *out) {
  work w = {r, in, n, p, out};
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    if (strcmp(operators[i].name, r->node->op) != 0) continue;
    if (!has(&w, 0)) return am_onnx_refuse(r, AM_E_FORMAT, "it has no input");
    return operators[i].compute(&w);
  }
  return am_onnx_refuse_operator(r);
}
