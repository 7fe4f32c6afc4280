/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_known.c - numbers of the graph that do not depend on the clip's: weights, and what the graph computes of
 * them, of shapes and of lengths, for each probe. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "exchange/onnx_read.h"
#include "tensor/tensor.h"

am_onnx_known *am_onnx_known_new(am_onnx_reader *r, int type, int rank, bool same) {
  am_onnx_known *k = am_tree_take(r->tree, 1, sizeof *k);
  if (!k) {
    am_onnx_no_memory(r);
    return NULL;
  }
  k->type = type;
  k->rank = rank;
  k->same = same;
  for (int p = 0; p < AM_ONNX_PROBES; p++)
    for (int i = 0; i < AM_ONNX_RANK; i++) k->dims[p][i] = 1;
  return k;
}

am_status am_onnx_known_room(am_onnx_reader *r, am_onnx_known *k, int probe) {
  size_t count = 1;
  for (int i = 0; i < k->rank; i++) {
    if (k->dims[probe][i] < 0) return am_onnx_refuse(r, AM_E_FORMAT, "what it gives has a negative size");
    count = am_mul(count, (size_t)k->dims[probe][i]);
  }
  if (count > r->budget)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "it computes more numbers beside those of the clip than are followed here");
  r->budget -= count;
  k->count[probe] = count;
  k->at[probe] = am_tree_take(r->tree, count + 1, sizeof(double));
  return k->at[probe] ? AM_OK : am_onnx_no_memory(r);
}

am_onnx_known *am_onnx_known_of(am_onnx_reader *r, const am_onnx_tensor *tensor) {
  const int type = tensor->type;
  const bool real =
      type == AM_ONNX_FLOAT || type == AM_ONNX_DOUBLE || type == AM_ONNX_FLOAT16 || type == AM_ONNX_BFLOAT16;
  am_onnx_known *k = am_onnx_known_new(r,
                                       real                   ? AM_KNOWN_REAL
                                       : type == AM_ONNX_BOOL ? AM_KNOWN_BOOL
                                                              : AM_KNOWN_INT,
                                       tensor->rank, true);
  if (!k) return NULL;
  k->tensor = tensor;
  k->count[0] = tensor->count;
  memcpy(k->dims[0], tensor->dims, sizeof k->dims[0]);
  return k;
}

/* ---- tensors ---- */

/* Data in another file: a name in the model's own folder, nothing else. */
static const void *outside(am_onnx_reader *r, const am_onnx_tensor *t) {
  const char *file = r->import->file, *base = am_path_base(file);
  const size_t bytes = am_mul(t->count, am_onnx_type_bytes(t->type)), offset = t->offset < 0 ? 0 : (size_t)t->offset;
  if (strchr(t->location, '/') || strchr(t->location, '\\') || !strcmp(t->location, "..") ||
      !strcmp(t->location, ".")) {
    am_fail(r->err, AM_E_UNSUPPORTED,
            "%s: tensor \"%s\" is in the file \"%s\"; only files in the model's own folder are read", file, t->name,
            t->location);
    return NULL;
  }
  if (!r->outside_name || strcmp(r->outside_name, t->location) != 0) {
    char *path = am_format(r->import->ctx, "%.*s%s", (int)(base - file), file, t->location);
    am_free(r->import->ctx, r->outside);
    r->outside = NULL;
    r->outside_name = NULL;
    am_status status =
        path ? am_file_read_own(r->import->ctx, path, AM_ONNX_MOST, &r->outside, &r->outside_bytes, r->err)
             : am_onnx_no_memory(r);
    am_free(r->import->ctx, path);
    if (status) return NULL;
    r->outside_name = t->location;
  }
  if (offset > r->outside_bytes || bytes > r->outside_bytes - offset ||
      (t->length >= 0 && (size_t)t->length != bytes)) {
    am_fail(r->err, AM_E_FORMAT, "%s: tensor \"%s\" has %zu bytes from byte %zu of %s, which has %zu", file, t->name,
            bytes, offset, t->location, r->outside_bytes);
    return NULL;
  }
  return r->outside + offset;
}

static const void *data_of(am_onnx_reader *r, const am_onnx_tensor *t) {
  if (t->data) return t->data;
  if (t->location && am_onnx_type_bytes(t->type)) return outside(r, t);
  am_fail(r->err, AM_E_UNSUPPORTED, "%s: tensor \"%s\" holds numbers of a type (%d) that is not read here",
          r->import->file, t->name, t->type);
  return NULL;
}

static double number_at(int type, const unsigned char *at) {
#define AS(T) \
  { \
    T value; \
    memcpy(&value, at, sizeof value); \
    return (double)value; \
  }
  uint16_t pair;
  uint32_t bits;
  float wide;
  switch (type) {
    case AM_ONNX_FLOAT: AS(float)
    case AM_ONNX_DOUBLE: AS(double)
    case AM_ONNX_INT8: AS(int8_t)
    case AM_ONNX_INT16: AS(int16_t)
    case AM_ONNX_UINT16: AS(uint16_t)
    case AM_ONNX_INT32: AS(int32_t)
    case AM_ONNX_UINT32: AS(uint32_t)
    case AM_ONNX_INT64: AS(int64_t)
    case AM_ONNX_UINT64: AS(uint64_t)
    case AM_ONNX_FLOAT16: memcpy(&pair, at, sizeof pair); return (double)am_half_to(pair);
    case AM_ONNX_BFLOAT16:
      memcpy(&pair, at, sizeof pair);
      bits = (uint32_t)pair << 16;
      memcpy(&wide, &bits, sizeof wide);
      return (double)wide;
    default: return (double)*at; /* uint8, bool */
  }
#undef AS
}

const double *am_onnx_numbers(am_onnx_reader *r, am_onnx_known *k, int probe) {
  probe = am_onnx_probe(k, probe);
  if (k->at[probe]) return k->at[probe];
  const unsigned char *data = data_of(r, k->tensor);
  if (!data || am_onnx_known_room(r, k, probe)) return NULL;
  const size_t bytes = am_onnx_type_bytes(k->tensor->type);
  double *at = k->at[probe];
  for (size_t i = 0; at && i < k->count[probe]; i++) at[i] = number_at(k->tensor->type, data + i * bytes);
  return at;
}

bool am_onnx_is_scalar(am_onnx_reader *r, am_onnx_known *k, double value[AM_ONNX_PROBES]) {
  for (int p = 0; p < AM_ONNX_PROBES; p++) {
    const double *at = am_onnx_numbers(r, k, p);
    const size_t n = k->count[am_onnx_probe(k, p)];
    if (!at || !n) return false;
    for (size_t i = 1; i < n; i++)
      if (at[i] != at[0] && !(isnan(at[i]) && isnan(at[0]))) return false;
    value[p] = at[0];
  }
  return true;
}

float *am_onnx_floats_of(am_onnx_reader *r, am_onnx_known *k, const char *what) {
  if (!k->same || k->type != AM_KNOWN_REAL) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED, "its %s %s; only constant floating-point numbers can be imported", what,
                   k->same ? "are whole numbers" : "depend on the length of the clip");
    return NULL;
  }
  const unsigned char *data = k->at[0] ? NULL : data_of(r, k->tensor);
  float *to = k->at[0] || data ? am_tree_take(r->tree, k->count[0] + 1, sizeof *to) : NULL;
  if (!to) {
    if (k->at[0] || data) am_onnx_no_memory(r);
    return NULL;
  }
  const size_t bytes = data ? am_onnx_type_bytes(k->tensor->type) : 0;
  for (size_t i = 0; i < k->count[0]; i++) {
    to[i] = (float)(data ? number_at(k->tensor->type, data + i * bytes) : k->at[0][i]);
    if (isfinite(to[i])) continue;
    am_onnx_refuse(r, AM_E_NUMERIC, "number %zu of its %s is %s; a model with such weights answers nothing", i + 1,
                   what, isnan(to[i]) ? "not a number" : "infinite, or too large for float32");
    return NULL;
  }
  return to;
}

bool am_onnx_ints_of(am_onnx_reader *r, am_onnx_known *k, const char *what, int64_t *out, size_t most, size_t *n) {
  const double *first = am_onnx_numbers(r, k, 0);
  if (!first) return false;
  *n = k->count[0];
  bool good = *n <= most && k->type == AM_KNOWN_INT;
  for (int p = 1; p < AM_ONNX_PROBES && good; p++) {
    const double *at = am_onnx_numbers(r, k, p);
    if (!at) return false;
    good = k->count[am_onnx_probe(k, p)] == *n;
    for (size_t i = 0; i < *n && good; i++) good = at[i] == first[i];
  }
  for (size_t i = 0; i < *n && good; i++) out[i] = am_onnx_whole_of(first[i]);
  if (!good) am_onnx_refuse(r, AM_E_UNSUPPORTED, "its %s are not at most %zu constant whole numbers", what, most);
  return good;
}

/* ---- one number of one or two ---- */

/* Of a double that may be beyond int64 (the end of a slice is often the largest of all). */
int64_t am_onnx_whole_of(double x) {
  return isnan(x) ? 0 : x >= 9.2e18 ? INT64_MAX : x <= -9.2e18 ? INT64_MIN : (int64_t)x;
}

typedef struct pair_op {
  const char *name;
  bool truth; /* the result is one */
  double (*real)(double a, double b);
  double (*whole)(double a, double b); /* NULL: the same */
} pair_op;

static double add(double a, double b) { return a + b; }
static double sub(double a, double b) { return a - b; }
static double mul(double a, double b) { return a * b; }
static double quotient(double a, double b) { return a / b; }
static double whole_quotient(double a, double b) { return b != 0 ? trunc(a / b) : 0; }
static double modulo(double a, double b) { return b != 0 ? a - b * floor(a / b) : 0; }
static double least(double a, double b) { return isnan(a) || isnan(b) ? NAN : a < b ? a : b; }
static double most(double a, double b) { return isnan(a) || isnan(b) ? NAN : a > b ? a : b; }
static double equal(double a, double b) { return a == b; }
static double less(double a, double b) { return a < b; }
static double greater(double a, double b) { return a > b; }
static double at_most(double a, double b) { return a <= b; }
static double at_least(double a, double b) { return a >= b; }
static double both(double a, double b) { return a != 0 && b != 0; }
static double either(double a, double b) { return a != 0 || b != 0; }
static double one_of(double a, double b) { return (a != 0) != (b != 0); }

static const pair_op pairs[] = {{"Add", false, add, NULL},
                                {"Sub", false, sub, NULL},
                                {"Mul", false, mul, NULL},
                                {"Div", false, quotient, whole_quotient},
                                {"Mod", false, modulo, NULL},
                                {"Pow", false, pow, NULL},
                                {"Min", false, least, NULL},
                                {"Max", false, most, NULL},
                                {"Equal", true, equal, NULL},
                                {"Less", true, less, NULL},
                                {"Greater", true, greater, NULL},
                                {"LessOrEqual", true, at_most, NULL},
                                {"GreaterOrEqual", true, at_least, NULL},
                                {"And", true, both, NULL},
                                {"Or", true, either, NULL},
                                {"Xor", true, one_of, NULL}};

static double minus(double x) { return -x; }
static double reciprocal(double x) { return 1 / x; }
static double no(double x) { return x == 0; }
static double relu(double x) { return x > 0 ? x : isnan(x) ? x : 0; }
static double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
static double same(double x) { return x; }

static const struct {
  const char *name;
  double (*of)(double);
} singles[] = {{"Neg", minus},
               {"Abs", fabs},
               {"Floor", floor},
               {"Ceil", ceil},
               {"Round", rint},
               {"Sqrt", sqrt},
               {"Exp", exp},
               {"Log", log},
               {"Not", no},
               {"Relu", relu},
               {"Tanh", tanh},
               {"Erf", erf},
               {"Reciprocal", reciprocal},
               {"Sign", sign},
               {"Identity", same},
               {"Cast", same},
               {"CastLike", same},
               {"Dropout", same}};

/* Dims of all inputs, broadcast. */
static am_status broadcast(am_onnx_reader *r, am_onnx_known *const *in, size_t n, int p, am_onnx_known *out) {
  for (int i = 0; i < out->rank; i++) {
    int64_t size = 1;
    for (size_t k = 0; k < n; k++) {
      const int at = i - (out->rank - in[k]->rank);
      const int64_t here = at < 0 ? 1 : in[k]->dims[am_onnx_probe(in[k], p)][at];
      if (here != 1 && size != 1 && here != size)
        return am_onnx_refuse(r, AM_E_SHAPE, "its inputs have %lld and %lld along one axis", (long long)size,
                              (long long)here);
      if (here != 1) size = here;
    }
    out->dims[p][i] = size;
  }
  return am_onnx_known_room(r, out, p);
}

/* Where number `i` of `out` is in an input that is broadcast to it. */
static size_t broadcast_at(const am_onnx_known *out, int p, size_t i, const am_onnx_known *in) {
  size_t at = 0, step = 1;
  const int q = am_onnx_probe(in, p);
  for (int d = out->rank - 1, e = in->rank - 1; e >= 0; d--, e--) {
    assert(out->dims[p][d]); /* there is a number i */
    const size_t size = (size_t)out->dims[p][d], index = i % size;
    i /= size;
    if (in->dims[q][e] != 1) at += index * step;
    step *= (size_t)in->dims[q][e];
  }
  return at;
}

static am_status compute_pair(am_onnx_reader *r, const pair_op *op, am_onnx_known *const *in, size_t n, int p,
                              am_onnx_known *out) {
  am_status status = broadcast(r, in, n, p, out);
  double (*of)(double, double) = op->whole && in[0]->type == AM_KNOWN_INT ? op->whole : op->real;
  for (size_t k = 0; k < n && !status; k++) {
    const double *at = am_onnx_numbers(r, in[k], p);
    if (!at) return AM_E_FORMAT;
    for (size_t i = 0; i < out->count[p]; i++) {
      const double here = at[broadcast_at(out, p, i, in[k])];
      out->at[p][i] = k ? of(out->at[p][i], here) : here;
    }
  }
  return status;
}

static am_status compute_where(am_onnx_reader *r, am_onnx_known *const *in, int p, am_onnx_known *out) {
  am_status status = broadcast(r, in, 3, p, out);
  const double *at[3];
  for (int k = 0; k < 3; k++)
    if (!status && !(at[k] = am_onnx_numbers(r, in[k], p))) status = AM_E_FORMAT;
  if (status) return status;
  for (size_t i = 0; i < out->count[p]; i++) {
    const int k = at[0][broadcast_at(out, p, i, in[0])] != 0 ? 1 : 2;
    out->at[p][i] = at[k][broadcast_at(out, p, i, in[k])];
  }
  return AM_OK;
}

static void cast(const am_onnx_reader *r, am_onnx_known *out, int p) {
  const int64_t to = am_onnx_attribute_int(r, "to", AM_ONNX_FLOAT);
  const bool real = to == AM_ONNX_FLOAT || to == AM_ONNX_DOUBLE || to == AM_ONNX_FLOAT16 || to == AM_ONNX_BFLOAT16;
  out->type = real ? AM_KNOWN_REAL : to == AM_ONNX_BOOL ? AM_KNOWN_BOOL : AM_KNOWN_INT;
  for (size_t i = 0; i < out->count[p] && !real; i++)
    out->at[p][i] = to == AM_ONNX_BOOL ? out->at[p][i] != 0 : trunc(out->at[p][i]);
}

static am_status compute_single(am_onnx_reader *r, double (*of)(double), am_onnx_known *in, int p, am_onnx_known *out) {
  const double *at = am_onnx_numbers(r, in, p);
  if (!at) return AM_E_FORMAT;
  memcpy(out->dims[p], in->dims[am_onnx_probe(in, p)], sizeof out->dims[p]);
  am_status status = am_onnx_known_room(r, out, p);
  for (size_t i = 0; !status && i < out->count[p]; i++) out->at[p][i] = of(at[i]);
  return status;
}

/* ---- the node ---- */

static const pair_op *find_pair(const char *name) {
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (!strcmp(pairs[i].name, name)) return &pairs[i];
  return NULL;
}

static am_status compute_at(am_onnx_reader *r, am_onnx_known *const *in, size_t n, int p, am_onnx_known *out) {
  const char *op = r->node->op;
  const pair_op *pair = find_pair(op);
  for (size_t k = 0; k < n; k++)
    if (in[k] && in[k]->rank > out->rank) out->rank = in[k]->rank;
  if (n && in[0]) out->type = in[0]->type;
  bool all = n > 0;
  for (size_t k = 0; k < n; k++) all = all && in[k];
  if (pair && all && n >= (strcmp(op, "Min") && strcmp(op, "Max") ? 2u : 1u)) {
    if (pair->truth) out->type = AM_KNOWN_BOOL;
    return compute_pair(r, pair, in, n, p, out);
  }
  if (!strcmp(op, "Where") && all && n == 3) {
    out->type = in[1]->type;
    return compute_where(r, in, p, out);
  }
  for (size_t i = 0; all && i < sizeof singles / sizeof *singles; i++) {
    if (strcmp(singles[i].name, op) != 0) continue;
    am_status status = compute_single(r, singles[i].of, in[0], p, out);
    if (!status && !strcmp(op, "Cast")) cast(r, out, p);
    if (!status && !strcmp(op, "CastLike") && n > 1) out->type = in[1]->type;
    return status;
  }
  return am_onnx_compute_shape(r, in, n, p, out);
}

am_status am_onnx_compute(am_onnx_reader *r, am_onnx_thing *const *in, size_t n_in, am_onnx_thing *out) {
  am_onnx_known *known[AM_ONNX_MOST_IN];
  bool all_same = true;
  if (n_in > AM_ONNX_MOST_IN)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it has %zu inputs; at most %d are read", n_in, AM_ONNX_MOST_IN);
  for (size_t i = 0; i < n_in; i++) {
    known[i] = in[i] ? in[i]->known : NULL;
    all_same = all_same && (!known[i] || known[i]->same);
  }
  am_onnx_known *k = am_onnx_known_new(r, AM_KNOWN_REAL, 0, all_same);
  if (!k) return AM_E_NOMEM;
  for (int p = 0; p < (all_same ? 1 : AM_ONNX_PROBES); p++) {
    const int before = k->rank;
    k->rank = 0;
    am_status status = compute_at(r, known, n_in, p, k);
    if (status) return status;
    if (p && k->rank != before)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "what it gives has %d axes for one length and %d for another", before,
                            k->rank);
  }
  *out = (am_onnx_thing){.is = AM_ONNX_IS_KNOWN, .known = k};
  return AM_OK;
}
