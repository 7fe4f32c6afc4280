/* SPDX-License-Identifier: MIT */
/* io/safetensors.c - see safetensors.h. */
#include "io/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "io/json.h"
#include "tensor/tensor.h"

#define METADATA "__metadata__"
enum { LENGTH = 8 /* bytes of the length */, BLOCK = 1024 /* numbers that are converted at a time */ };

struct am_safetensors {
  am_context *ctx;
  char *path;
  int descriptor;
  am_tree *header;
  const am_value *texts; /* of METADATA; NULL: there are none */
  am_tensor *at;
  size_t n;
};

/* ---- reading: bytes ---- */

static am_status read_bytes(const am_safetensors *f, uint64_t at, void *to, size_t bytes, am_error *err) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = pread(f->descriptor, (char *)to + done, bytes - done, (off_t)(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return am_fail_errno(err, errno, "cannot read %s", f->path);
    if (got == 0) return am_fail(err, AM_E_FORMAT, "%s: the file ends while it is read", f->path);
    done += (size_t)got;
  }
  return AM_OK;
}

static am_status open_file(am_safetensors *f, uint64_t *size, am_error *err) {
  struct stat info;
  if (am_file_is_special(f->path))
    return am_fail(err, AM_E_FORMAT, "%s is a device or a pipe; wanted a safetensors file", f->path);
  f->descriptor = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (f->descriptor < 0) return am_fail_errno(err, errno, "cannot open %s", f->path);
  if (fstat(f->descriptor, &info) < 0) return am_fail_errno(err, errno, "cannot read %s", f->path);
  if (!S_ISREG(info.st_mode)) return am_fail(err, AM_E_FORMAT, "%s is no file; wanted a safetensors file", f->path);
  *size = (uint64_t)info.st_size;
  return AM_OK;
}

/* ---- reading: the header ---- */

static const struct {
  const char *name;
  am_tensor_type type;
  size_t bytes;
} types[] = {{"F64", AM_TENSOR_F64, 8},          {"F32", AM_TENSOR_F32, 4},       {"F16", AM_TENSOR_F16, 2},
             {"BF16", AM_TENSOR_BF16, 2},        {"I64", AM_TENSOR_OTHER, 8},     {"I32", AM_TENSOR_OTHER, 4},
             {"I16", AM_TENSOR_OTHER, 2},        {"I8", AM_TENSOR_OTHER, 1},      {"U64", AM_TENSOR_OTHER, 8},
             {"U32", AM_TENSOR_OTHER, 4},        {"U16", AM_TENSOR_OTHER, 2},     {"U8", AM_TENSOR_OTHER, 1},
             {"BOOL", AM_TENSOR_OTHER, 1},       {"F8_E4M3", AM_TENSOR_OTHER, 1}, {"F8_E5M2", AM_TENSOR_OTHER, 1},
             {"C64", AM_TENSOR_OTHER, 8},        {"F8_E8M0", AM_TENSOR_OTHER, 1}, {"F8_E4M3FNUZ", AM_TENSOR_OTHER, 1},
             {"F8_E5M2FNUZ", AM_TENSOR_OTHER, 1}};
enum { TYPES = sizeof types / sizeof *types };

static am_status fail_tensor(const am_safetensors *f, const am_tensor *t, const char *what, am_error *err) {
  return am_fail(err, AM_E_FORMAT, "%s: tensor %s: %s", f->path, t->name, what);
}

/* A whole number of 0 or more in a list. */
static bool take_size(const am_value *v, uint64_t *out) {
  int64_t number;
  if (!v || v->quoted || !am_value_to_int(v, &number) || number < 0) return false;
  *out = (uint64_t)number;
  return true;
}

static am_status take_shape(const am_safetensors *f, am_tensor *t, const am_value *shape, am_error *err) {
  if (!shape || shape->kind != AM_LIST) return fail_tensor(f, t, "it has no shape", err);
  if (shape->count > AM_SAFETENSORS_RANK)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: tensor %s has %zu dimensions; at most %d are read", f->path, t->name,
                   shape->count, AM_SAFETENSORS_RANK);
  t->count = 1;
  for (const am_value *v = shape->first; v; v = v->next) {
    uint64_t size;
    if (!take_size(v, &size) || size > SIZE_MAX)
      return fail_tensor(f, t, "its shape is not a list of whole numbers", err);
    t->dims[t->rank++] = (size_t)size;
  }
  /* of a shape with a 0 anywhere there is nothing, however large the rest */
  for (int i = 0; i < t->rank; i++) t->count = t->dims[i] && t->count ? am_mul(t->count, t->dims[i]) : 0;
  return AM_OK;
}

/* `data`: where the numbers of all begin, `size`: of the file. */
static am_status take_place(const am_safetensors *f, am_tensor *t, const am_value *place, size_t bytes, uint64_t data,
                            uint64_t size, am_error *err) {
  uint64_t begin, end;
  if (!place || place->kind != AM_LIST || place->count != 2 || !take_size(place->first, &begin) ||
      !take_size(place->last, &end))
    return fail_tensor(f, t, "its data_offsets are not two whole numbers", err);
  if (begin > end || end > size - data)
    return am_fail(err, AM_E_FORMAT,
                   "%s: tensor %s: its data_offsets, %llu to %llu, are not within the %llu bytes there are", f->path,
                   t->name, (unsigned long long)begin, (unsigned long long)end, (unsigned long long)(size - data));
  if (am_mul(t->count, bytes) != end - begin) {
    char shape[AM_TENSOR_TEXT];
    return am_fail(err, AM_E_FORMAT, "%s: tensor %s: %s of shape %s does not take the %llu bytes of its data_offsets",
                   f->path, t->name, t->dtype, am_tensor_shape(t->rank, t->dims, shape),
                   (unsigned long long)(end - begin));
  }
  t->begin = data + begin;
  t->end = data + end;
  return AM_OK;
}

static am_status take_tensor(const am_safetensors *f, const am_value *v, uint64_t data, uint64_t size, am_tensor *t,
                             am_error *err) {
  const am_value *dtype = am_value_get(v, "dtype");
  int k = 0;
  *t = (am_tensor){.name = v->key};
  if (v->kind != AM_MAP || !dtype || dtype->kind != AM_SCALAR || !dtype->quoted)
    return fail_tensor(f, t, "it has no dtype", err);
  if (v->count != 3) return fail_tensor(f, t, "wanted dtype, shape and data_offsets alone", err);
  while (k < TYPES && strcmp(types[k].name, dtype->text)) k++;
  if (k == TYPES)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: tensor %s is of type %s, which is not known here", f->path, t->name,
                   dtype->text);
  t->dtype = types[k].name;
  t->type = types[k].type;
  am_status status = take_shape(f, t, am_value_get(v, "shape"), err);
  if (!status) status = take_place(f, t, am_value_get(v, "data_offsets"), types[k].bytes, data, size, err);
  return status;
}

static int by_place(const void *a, const void *b) {
  const am_tensor *x = *(const am_tensor *const *)a, *y = *(const am_tensor *const *)b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end); /* empty ones first */
}

/* No byte belongs to two tensors, or to none. */
static am_status check_places(const am_safetensors *f, uint64_t data, uint64_t size, am_error *err) {
  const am_tensor **order = am_alloc(f->ctx, f->n + 1, sizeof *order);
  am_status status = order ? AM_OK : am_no_memory(err);
  uint64_t end = data;
  for (size_t i = 0; i < f->n && order; i++) order[i] = &f->at[i];
  if (order) qsort(order, f->n, sizeof *order, by_place);
  for (size_t i = 0; i < f->n && !status; i++) {
    if (order[i]->begin < end)
      status =
          am_fail(err, AM_E_FORMAT, "%s: tensors %s and %s share bytes", f->path, order[i - 1]->name, order[i]->name);
    else if (order[i]->begin > end)
      status = fail_tensor(f, order[i], "there are bytes before it that belong to no tensor", err);
    end = order[i]->end;
  }
  if (!status && end != size)
    status = am_fail(err, AM_E_FORMAT, "%s: its last %llu bytes belong to no tensor", f->path,
                     (unsigned long long)(size - end));
  am_free(f->ctx, order);
  return status;
}

static am_status take_texts(am_safetensors *f, const am_value *v, am_error *err) {
  bool texts = v->kind == AM_MAP;
  for (const am_value *t = v->first; t && texts; t = t->next) texts = t->kind == AM_SCALAR && t->quoted;
  f->texts = v;
  return texts ? AM_OK : am_fail(err, AM_E_FORMAT, "%s: " METADATA " is not a map of texts", f->path);
}

static am_status take_header(am_safetensors *f, const am_value *root, uint64_t data, uint64_t size, am_error *err) {
  am_status status = root->kind == AM_MAP ? AM_OK : am_fail(err, AM_E_FORMAT, "%s: its header is no map", f->path);
  if (!status && !(f->at = am_alloc(f->ctx, root->count + 1, sizeof *f->at))) status = am_no_memory(err);
  for (const am_value *v = root->first; v && !status; v = v->next)
    if (!strcmp(v->key, METADATA)) status = take_texts(f, v, err);
    else status = take_tensor(f, v, data, size, &f->at[f->n++], err);
  return status ? status : check_places(f, data, size, err);
}

static am_status read_header(am_safetensors *f, uint64_t size, am_error *err) {
  static const char wanted[] = "wanted a safetensors file: 8 bytes of length, then a header of JSON";
  unsigned char head[LENGTH];
  uint64_t length = 0;
  am_value *root;
  if (size < LENGTH) return am_fail(err, AM_E_FORMAT, "%s: it has %d bytes; %s", f->path, (int)size, wanted);
  am_status status = read_bytes(f, 0, head, LENGTH, err);
  for (int i = 0; i < LENGTH && !status; i++) length |= (uint64_t)head[i] << 8 * i;
  if (!status && length > size - LENGTH)
    status = am_fail(err, AM_E_FORMAT, "%s: its header would be longer than the file; %s", f->path, wanted);
  if (!status && length > AM_SAFETENSORS_HEADER)
    status = am_fail(err, AM_E_FORMAT, "%s: its header has %llu bytes; at most %d are read", f->path,
                     (unsigned long long)length, AM_SAFETENSORS_HEADER);
  char *text = status ? NULL : am_alloc(f->ctx, (size_t)length + 1, 1);
  if (!status && !text) status = am_no_memory(err);
  if (!status) status = read_bytes(f, LENGTH, text, (size_t)length, err);
  if (!status && text[0] != '{') /* the format says so */
    status = am_fail(err, AM_E_FORMAT, "%s: its header does not begin with '{'; %s", f->path, wanted);
  if (!status) status = am_tree_create(f->ctx, &f->header, err);
  if (!status) {
    am_error why = AM_ERROR_INIT;
    status = am_json_read_text(f->header, text, (size_t)length, "its header", &root, &why);
    if (status) status = am_fail(err, status == AM_E_NOMEM ? status : AM_E_FORMAT, "%s: %s", f->path, why.message);
  }
  am_free(f->ctx, text);
  if (status) return status;
  am_tree_set_root(f->header, root);
  return take_header(f, root, LENGTH + length, size, err);
}

am_status am_safetensors_open(am_context *ctx, const char *path, am_safetensors **out, am_error *err) {
  uint64_t size = 0;
  *out = NULL;
  am_safetensors *f = am_alloc(ctx, 1, sizeof *f);
  if (!f) return am_no_memory(err);
  *f = (am_safetensors){.ctx = ctx, .path = am_strdup(ctx, path), .descriptor = -1};
  am_status status = f->path ? open_file(f, &size, err) : am_no_memory(err);
  if (!status) status = read_header(f, size, err);
  if (status) am_safetensors_close(f);
  else *out = f;
  return status;
}

void am_safetensors_close(am_safetensors *f) {
  if (!f) return;
  if (f->descriptor >= 0) close(f->descriptor);
  am_tree_free(f->header);
  am_free(f->ctx, f->at);
  am_free(f->ctx, f->path);
  am_free(f->ctx, f);
}

const char *am_safetensors_path(const am_safetensors *f) { return f->path; }
size_t am_safetensors_count(const am_safetensors *f) { return f->n; }
const am_tensor *am_safetensors_at(const am_safetensors *f, size_t i) { return &f->at[i]; }

const am_tensor *am_safetensors_find(const am_safetensors *f, const char *name) {
  /* A tensor has its place in the map of the header: that map finds names by a hash. */
  const am_value *v = am_value_get(am_tree_root(f->header), name);
  for (size_t i = 0; i < f->n && v; i++)
    if (f->at[i].name == v->key) return &f->at[i];
  return NULL;
}

const char *am_safetensors_text(const am_safetensors *f, const char *key) {
  const am_value *v = am_value_get(f->texts, key);
  return v ? v->text : NULL;
}

const am_value *am_safetensors_texts(const am_safetensors *f) { return f->texts; }

/* ---- reading: numbers ---- */

static uint64_t low_first(const unsigned char *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint64_t)at[i] << 8 * i;
  return value;
}

static float number_of(const unsigned char *at, am_tensor_type type) {
  const uint64_t bits = low_first(at, type == AM_TENSOR_F64 ? 8 : type == AM_TENSOR_F32 ? 4 : 2);
  const uint32_t half = (uint32_t)bits << (type == AM_TENSOR_BF16 ? 16 : 0); /* bfloat16: the upper half of a float32 */
  double wide;
  float x;
  if (type == AM_TENSOR_F16) return am_half_to((uint16_t)bits);
  memcpy(&wide, &bits, sizeof wide);
  if (type == AM_TENSOR_F64) return isfinite(wide) && fabs(wide) > 3.4028234663852886e38 ? INFINITY : (float)wide;
  memcpy(&x, &half, sizeof x);
  return x;
}

am_status am_safetensors_read(const am_safetensors *f, const am_tensor *t, float *out, am_error *err) {
  unsigned char block[8 * BLOCK] = {0};
  if (t->type == AM_TENSOR_OTHER)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: tensor %s holds %s; wanted floating-point numbers (F16, BF16, F32, F64): quantized models "
                   "cannot be imported",
                   f->path, t->name, t->dtype);
  const size_t bytes = t->count ? (size_t)(t->end - t->begin) / t->count : 0;
  for (size_t done = 0; done < t->count;) {
    const size_t n = t->count - done < BLOCK ? t->count - done : BLOCK;
    am_status status = read_bytes(f, t->begin + done * bytes, block, n * bytes, err);
    if (status) return status;
    for (size_t i = 0; i < n; i++) {
      const float x = number_of(block + i * bytes, t->type);
      if (!isfinite(x))
        return am_fail(
            err, AM_E_NUMERIC, "%s: tensor %s: number %zu of %zu is %s; a model with such weights answers nothing",
            f->path, t->name, done + i + 1, t->count, isnan(x) ? "not a number" : "infinite, or too large for float32");
      out[done + i] = x;
    }
    done += n;
  }
  return AM_OK;
}

const char *am_tensor_shape(int rank, const size_t *dims, char text[AM_TENSOR_TEXT]) {
  size_t used = 0;
  text[used++] = '(';
  for (int i = 0; i < rank; i++)
    used += (size_t)snprintf(text + used, AM_TENSOR_TEXT - used, "%s%zu", i ? ", " : "", dims[i]);
  snprintf(text + used, AM_TENSOR_TEXT - used, ")");
  return text;
}

/* ---- writing ---- */

void am_safetensors_begin(am_context *ctx, am_safetensors_writer *w) {
  *w = (am_safetensors_writer){.ctx = ctx, .json = am_alloc(ctx, 1, sizeof *w->json)};
  w->head.failed = !w->json;
  if (!w->json) return;
  *w->json = am_json_begin(ctx, &w->head, 0);
  am_json_open(w->json, NULL, '{');
}

static void leave_texts(am_safetensors_writer *w) {
  if (w->in_texts) am_json_close(w->json);
  w->in_texts = false;
}

void am_safetensors_put_text(am_safetensors_writer *w, const char *key, const char *text) {
  if (!w->json) return;
  if (!w->in_texts) am_json_open(w->json, METADATA, '{');
  w->in_texts = true;
  am_json_text(w->json, key, text);
}

/* With some to spare, since there may be many small tensors; twice as much would be much for large ones. */
static void make_room(am_safetensors_writer *w, size_t bytes) {
  if (w->data.failed || bytes <= w->data.capacity) return;
  const size_t room = am_add(bytes, bytes / 8);
  char *moved = am_resize(w->ctx, w->data.data, room, 1);
  w->data.failed = !moved;
  if (moved) w->data.data = moved, w->data.capacity = room;
}

float *am_safetensors_put(am_safetensors_writer *w, const char *name, int rank, const size_t *dims) {
  const size_t bytes = am_mul(am_product(rank, dims), sizeof(float)), begin = w->data.used;
  int64_t at[AM_SAFETENSORS_RANK];
  if (!w->json) return NULL;
  leave_texts(w);
  if (bytes > (size_t)INT64_MAX / 2 - begin) w->data.failed = true;
  make_room(w, begin + bytes + 1);
  if (w->data.failed) return NULL;
  memset(w->data.data + begin, 0, bytes + 1);
  w->data.used += bytes;
  am_json_open(w->json, name, '{');
  am_json_text(w->json, "dtype", "F32");
  for (int i = 0; i < rank; i++) at[i] = (int64_t)dims[i];
  am_json_ints(w->json, "shape", at, (size_t)rank);
  am_json_ints(w->json, "data_offsets", (const int64_t[]){(int64_t)begin, (int64_t)w->data.used}, 2);
  am_json_close(w->json);
  return (float *)(void *)(w->data.data + begin);
}

/* Spaces behind the header let the numbers begin at a multiple of 8 bytes, which readers that map the file want. */
am_status am_safetensors_write(am_safetensors_writer *w, const char *path, am_error *err) {
  const size_t bytes = w->data.used;
  if (w->json) {
    leave_texts(w);
    am_json_close(w->json);
  }
  while (!w->head.failed && w->head.used % LENGTH) am_buffer_append(w->ctx, &w->head, " ", 1);
  const size_t before = LENGTH + w->head.used;
  make_room(w, am_add(before, bytes));
  if (w->head.failed || w->data.failed) return am_no_memory(err);
  char *file = w->data.data; /* a second copy of all numbers may be too much */
  memmove(file + before, file, bytes);
  for (int i = 0; i < LENGTH; i++) file[i] = (char)((uint64_t)w->head.used >> 8 * i);
  memcpy(file + LENGTH, w->head.data, w->head.used);
  return am_file_write(w->ctx, path, file, before + bytes, err);
}

void am_safetensors_end(am_safetensors_writer *w) {
  am_buffer_free(w->ctx, &w->head);
  am_buffer_free(w->ctx, &w->data);
  am_free(w->ctx, w->json);
}
