/* SPDX-License-Identifier: MIT */
/* exchange/keras_import_weights.c - the arrays of a Keras file become the weights of our model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "exchange/keras_import.h"

typedef struct job {
  am_import *is;
  const am_keras_file *from;
  const am_keras_model *keras;
} job;

void am_keras_turn(const float *from, int a, int b, size_t block, float *to) {
  for (int i = 0; i < a; i++)
    for (int k = 0; k < b; k++)
      memcpy(to + ((size_t)k * (size_t)a + (size_t)i) * block, from + ((size_t)i * (size_t)b + (size_t)k) * block,
             block * sizeof *to);
}

/* "lstm/lstm_cell/kernel:0" ends in "kernel". */
static bool ends_in(const char *path, const char *wanted) {
  const char *base = am_path_base(path);
  size_t n = strcspn(base, ":");
  return strlen(wanted) == n && !memcmp(base, wanted, n);
}

/* Numbers of any width, as float. */
static am_status read_numbers(const job *j, const char *path, am_h5_type type, float *values, size_t count,
                              am_error *err) {
  if (type != AM_H5_PAIRS) return am_h5_read(j->from->h5, path, AM_H5_F32, values, count, err);
  /* bfloat16, which HDF5 has no type for: the upper half of a float32. In place, from the end. */
  unsigned char *pairs = (unsigned char *)values;
  am_status status = am_h5_read(j->from->h5, path, AM_H5_PAIRS, pairs, count, err);
  for (size_t i = count; i-- > 0 && !status;) {
    uint32_t bits = (uint32_t)(pairs[2 * i] | pairs[2 * i + 1] << 8) << 16;
    memcpy(&values[i], &bits, sizeof bits);
  }
  return status;
}

static am_status check_finite(const job *j, const char *path, const float *values, size_t count, am_error *err) {
  for (size_t i = 0; i < count; i++)
    if (!isfinite(values[i]))
      return am_fail(err, AM_E_NUMERIC, "%s: %s: number %zu of %zu is %s; a model with such weights answers nothing",
                     j->from->path, path, i + 1, count,
                     isnan(values[i]) ? "not a number" : "infinite, or too large for float32");
  return AM_OK;
}

/* ---- one array ---- */

/* How an array lies in the file. */
typedef struct layout {
  int a, b;    /* outer dimensions that are exchanged; 1 and 1: none */
  bool kernel; /* they are dimensions of the array itself */
  int gates;   /* of a recurrent layer as CuDNN has it; 0: not so */
  bool bias;
} layout;

/* Gates stand side by side, here and for CuDNN, whose matrices have the outputs first: (H,C) and (H,H).  CuDNNLSTM and CuDNNGRU
 * keep the bytes of the first in an array that claims to be (C,H).  Of the two biases an LSTM needs the sum. */
static void from_cudnn(const am_array_info *info, const layout *as, const float *from, am_real *to) {
  if (as->bias) {
    for (size_t k = 0; k < info->count; k++) to[k] = info->rank == 1 ? from[k] + from[info->count + k] : from[k];
    return;
  }
  const size_t rows = (size_t)info->dims[0], wide = (size_t)info->dims[1], h = wide / (size_t)as->gates;
  for (size_t g = 0; g < (size_t)as->gates; g++)
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < h; c++) {
        const size_t n = c * rows + r; /* place of (c, r) in a matrix (H, rows) */
        to[r * wide + g * h + c] = from[n / h * wide + g * h + n % h];
      }
}

/* The shape that it must have there. */
static am_array_info shape_there(const am_array_info *info, const layout *as) {
  am_array_info there = *info;
  if (as->kernel) there.dims[0] = info->dims[1], there.dims[1] = info->dims[0];
  if (as->gates && as->bias) {
    there.count = info->rank == 1 ? am_mul(2, info->count) : info->count;
    there.rank = 1;
    there.dims[0] = (int)there.count;
  }
  return there;
}

static am_status read_array(const job *j, const char *path, const am_array_info *info, const layout *as, am_real *to,
                            am_error *err) {
  am_h5_info found;
  am_status status = am_h5_get_info(j->from->h5, path, &found, err);
  if (status) return status;
  if (found.type != AM_H5_F16 && found.type != AM_H5_F32 && found.type != AM_H5_F64 && found.type != AM_H5_PAIRS)
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: %s does not hold floating-point numbers (float16, bfloat16, float32, float64); quantized models "
        "cannot be imported",
        j->from->path, path);
  const am_array_info there = shape_there(info, as);
  bool same = found.rank == there.rank;
  for (int i = 0; i < there.rank; i++) same = same && found.dims[i] == (size_t)there.dims[i];
  if (!same)
    return am_fail(err, AM_E_SHAPE, "%s: %s does not have the shape that its layer wants (%zu numbers, found %zu)",
                   j->from->path, path, there.count, found.count);
  float *values = am_alloc_aligned(j->is->ctx, am_mul(there.count, sizeof *values));
  if (!values) return am_no_memory(err);
  status = read_numbers(j, path, found.type, values, there.count, err);
  if (!status) status = check_finite(j, path, values, there.count, err);
  if (!status && as->gates) from_cudnn(info, as, values, to);
  else if (!status) am_keras_turn(values, as->a, as->b, info->count / ((size_t)as->a * (size_t)as->b), to);
  am_free_aligned(j->is->ctx, values);
  return status;
}

static am_status take_array(const job *j, const am_keras_layer *l, int i, const char *path, am_error *err) {
  const am_keras_array *array = &l->arrays[i];
  am_array_info info;
  am_real *to;
  if (!am_import_array(j->is, l->name, array->ours, array->statistic, &info, &to))
    return am_fail(err, AM_E_SHAPE, "%s: layer %s has no %s here", j->from->path, l->name, array->ours);
  layout as = {.a = 1, .b = 1, .kernel = l->turned && info.rank == 4, .bias = !strcmp(array->keras, "bias")};
  if (as.kernel) as.a = info.dims[1], as.b = info.dims[0];
  if (l->flat && !as.bias) {
    const am_shape map = am_import_layer(j->is, l->flat)->in[0];
    as.a = map.f, as.b = map.t;
  }
  if (l->cudnn) as.gates = am_import_layer(j->is, l->name)->cls == &am_gru ? 3 : 4;
  if (am_h5_find(j->from->h5, path) == AM_H5_ARRAY) return read_array(j, path, &info, &as, to, err);
  return am_fail(err, AM_E_FORMAT, "%s: the array %s is missing", j->from->path, path);
}

/* ---- an archive: layers/<class>_<n>/<part>vars/<number> ---- */

static am_status take_stored(const job *j, const am_keras_layer *l, am_error *err) {
  am_status status = AM_OK;
  for (int i = 0; i < l->n_arrays && !status; i++) {
    const am_keras_array *array = &l->arrays[i];
    const bool last = i + 1 == l->n_arrays || strcmp(array->part, array[1].part) != 0;
    char *group = am_format(j->is->ctx, "%s/%svars", l->store, array->part), *path = NULL;
    if (group) path = am_format(j->is->ctx, "%s/%d", group, array->number);
    am_names all = {0};
    status = path ? take_array(j, l, i, path, err) : am_no_memory(err);
    if (!status && last) status = am_h5_children(j->from->h5, group, &all, err);
    if (!status && last && all.n != (size_t)array->number + 1)
      status = am_fail(err, AM_E_FORMAT, "%s: layer %s has %zu weights in %s, wanted %d", j->from->path, l->keras,
                       all.n, group, array->number + 1);
    am_names_free(j->is->ctx, &all);
    am_free(j->is->ctx, group);
    am_free(j->is->ctx, path);
  }
  return status;
}

/* ---- a .h5: <layer>/<a name of its weight_names> ---- */

/* A layer of the outermost model lists all weights that are trained, and then all that are not, each in the order of the layers
 * inside of it.  So it has one list whatever it is made of. */
static bool is_late(const am_keras_layer *l, int i) { return l->frozen || l->arrays[i].statistic; }

static size_t place_of(const job *j, const am_keras_layer *l, int i) {
  const bool late = is_late(l, i);
  size_t n = 0;
  for (size_t m = 0; m < j->keras->n; m++) {
    const am_keras_layer *other = &j->keras->at[m];
    if (strcmp(other->holder, l->holder) != 0) continue;
    for (int k = 0; k < other->n_arrays; k++)
      if (is_late(other, k) != late) n += late;
      else if (other->place != l->place) n += other->place < l->place;
      else n += k < i;
  }
  return n;
}

static size_t arrays_of(const job *j, const char *holder) {
  size_t n = 0;
  for (size_t m = 0; m < j->keras->n; m++)
    if (!strcmp(j->keras->at[m].holder, holder)) n += (size_t)j->keras->at[m].n_arrays;
  return n;
}

static am_status take_named(const job *j, const am_keras_layer *l, const char *group, const am_names *saved,
                            am_error *err) {
  am_status status = AM_OK;
  for (int i = 0; i < l->n_arrays && !status; i++) {
    const char *name = saved->at[place_of(j, l, i)];
    if (!ends_in(name, l->arrays[i].keras))
      return am_fail(err, AM_E_FORMAT, "%s: weight %d of layer %s is %s, wanted %s", j->from->path, i + 1, l->keras,
                     name, l->arrays[i].keras);
    char *path = am_format(j->is->ctx, "%s/%s", group, name);
    status = path ? take_array(j, l, i, path, err) : am_no_memory(err);
    am_free(j->is->ctx, path);
  }
  return status;
}

/* The group of a layer: of weights only, whose names may be others, the one that comes as late among those that have weights. */
static am_status find_group(const job *j, const am_keras_layer *l, char **out, am_error *err) {
  if (!j->from->bare) {
    *out = am_format(j->is->ctx, "%s%s", j->from->root, l->holder);
    return *out ? AM_OK : am_no_memory(err);
  }
  size_t before = 0;
  for (size_t m = 0; m < j->keras->n; m++) before += j->keras->at[m].n_arrays && j->keras->at[m].place < l->place;
  am_names layers = {0};
  am_status status = am_h5_get_texts(j->from->h5, "/", "layer_names", &layers, err);
  for (size_t i = 0; i < layers.n && !status && !*out; i++) {
    am_names saved = {0}; /* of a layer without weights it may be an empty list of numbers */
    status = am_h5_get_texts(j->from->h5, layers.at[i], "weight_names", &saved, NULL);
    if (!status && saved.n && !before--) status = (*out = am_strdup(j->is->ctx, layers.at[i])) ? AM_OK : AM_E_NOMEM;
    if (status == AM_E_NOMEM) am_no_memory(err);
    else status = AM_OK;
    am_names_free(j->is->ctx, &saved);
  }
  am_names_free(j->is->ctx, &layers);
  if (status || *out) return status;
  return am_fail(err, AM_E_SHAPE, "%s: it has no weights for layer %s (%s)", j->from->path, l->keras, l->name);
}

static am_status take_layer(const job *j, const am_keras_layer *l, am_error *err) {
  am_names saved = {0};
  char *group = NULL;
  am_status status = find_group(j, l, &group, err);
  if (!status) status = am_h5_get_texts(j->from->h5, group, "weight_names", &saved, err);
  const size_t wanted = arrays_of(j, l->holder);
  if (!status && saved.n != wanted)
    status = am_fail(err, AM_E_FORMAT, "%s: layer %s has %zu weights, wanted %zu", j->from->path, l->holder, saved.n,
                     wanted);
  if (!status) status = take_named(j, l, group, &saved, err);
  am_names_free(j->is->ctx, &saved);
  am_free(j->is->ctx, group);
  return status;
}

/* Layers of a config are only those that weights are of when they take all of them. */
static am_status check_all(const job *j, am_error *err) {
  size_t wanted = 0, found = 0;
  am_names all = {0};
  for (size_t m = 0; m < j->keras->n; m++) wanted += (size_t)j->keras->at[m].n_arrays;
  am_status status = am_h5_arrays(j->from->h5, j->from->store ? "layers" : "/", &all, err);
  for (size_t i = 0; i < all.n; i++) found += !strstr(all.at[i], "seed_generator");
  am_names_free(j->is->ctx, &all);
  if (status || found == wanted) return status;
  return am_fail(err, AM_E_SHAPE,
                 "%s: weights only, %zu arrays, and the layers of %s take %zu; wanted those that it is of",
                 j->from->path, found, j->is->source->config, wanted);
}

static am_status check_reshape(const job *j, const am_keras_layer *l, am_error *err) {
  const am_shape out = am_import_layer(j->is, l->name)->out;
  if ((l->reshape[0] == -1 || l->reshape[0] == out.t) && (l->reshape[1] == -1 || l->reshape[1] == out.c)) return AM_OK;
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: layer %s (Reshape): target_shape is (%lld, %lld); only frames and what each "
                 "holds, (%d, %d), can be imported",
                 j->from->path, l->keras, (long long)l->reshape[0], (long long)l->reshape[1], out.t, out.c);
}

/* (2H,H): two unit matrices, one below the other, times the weight. */
static am_status fill_merge(const job *j, const am_keras_layer *l, am_error *err) {
  am_array_info info;
  am_real *to;
  if (!am_import_array(j->is, l->name, "kernel", false, &info, &to) || info.dims[0] != 2 * info.dims[1])
    return am_fail(err, AM_E_SHAPE, "%s: layer %s does not give two directions", j->from->path, l->keras);
  const size_t h = (size_t)info.dims[1];
  memset(to, 0, info.count * sizeof *to);
  for (size_t k = 0; k < 2 * h; k++) to[k * h + k % h] = (am_real)l->merge;
  return AM_OK;
}

am_status am_keras_take_weights(am_import *is, const am_keras_file *from, const am_keras_model *keras, am_error *err) {
  const job j = {is, from, keras};
  am_status status = from->bare ? check_all(&j, err) : AM_OK;
  for (size_t i = 0; i < keras->n && !status; i++) {
    const am_keras_layer *l = &keras->at[i];
    if (l->merge > 0) status = fill_merge(&j, l, err);
    else if (l->reshape[0]) status = check_reshape(&j, l, err);
    else if (l->n_arrays) status = from->store ? take_stored(&j, l, err) : take_layer(&j, l, err);
  }
  return status;
}
