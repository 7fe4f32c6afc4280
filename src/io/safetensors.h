/* SPDX-License-Identifier: MIT */
/* io/safetensors.h - named tensors and texts in safetensors files.
 *
 * A file is 8 bytes (the length N of the header, low byte first), N bytes of JSON, and the numbers of all tensors, one after
 * another.  The header says for each tensor its type, its shape and where its numbers are; "__metadata__" holds texts.
 * The format is described at https://github.com/huggingface/safetensors.
 *
 * A file is untrusted.  Nothing is allocated for a tensor before it is read.  Opening checks that the header is no longer than the
 * file and AM_SAFETENSORS_HEADER, that each tensor has as many bytes as its type and shape say, and that the tensors fill the
 * rest of the file, without holes and without sharing a byte.
 *
 * Thread-safety: one thread at a time for each object. */
#ifndef AM_SAFETENSORS_H
#define AM_SAFETENSORS_H

#include "io/json.h"

typedef struct am_safetensors am_safetensors;

/* A header of 100 MB, which the format allows, would take gigabytes as JSON; that of a model with 100,000 tensors has 10 MB. */
enum { AM_SAFETENSORS_HEADER = 16 << 20, AM_SAFETENSORS_RANK = 8 };

typedef enum am_tensor_type {
  AM_TENSOR_F64,
  AM_TENSOR_F32,
  AM_TENSOR_F16,
  AM_TENSOR_BF16,
  AM_TENSOR_OTHER /* whole numbers, truth values, float8: they are known, and not read */
} am_tensor_type;

typedef struct am_tensor {
  const char *name, *dtype; /* "F32"; owned by the file */
  am_tensor_type type;
  int rank; /* 0: one number */
  size_t dims[AM_SAFETENSORS_RANK];
  size_t count;        /* product of dims */
  uint64_t begin, end; /* bytes of the file */
} am_tensor;

/* AM_E_FORMAT: not such a file, cut, or damaged; AM_E_UNSUPPORTED: a type or a rank that is not known here. */
am_status am_safetensors_open(am_context *ctx, const char *path, am_safetensors **out, am_error *err);
void am_safetensors_close(am_safetensors *file); /* NULL is allowed */
const char *am_safetensors_path(const am_safetensors *file);
/* In the order of the header. */
size_t am_safetensors_count(const am_safetensors *file);
const am_tensor *am_safetensors_at(const am_safetensors *file, size_t i);
const am_tensor *am_safetensors_find(const am_safetensors *file, const char *name); /* NULL: there is none */
const char *am_safetensors_text(const am_safetensors *file, const char *key); /* of __metadata__; NULL: there is none */
/* All of these, a map of texts by their keys; NULL: there are none. */
const am_value *am_safetensors_texts(const am_safetensors *file);
/* Its numbers as float32.  AM_E_NUMERIC: one is not finite, or too large for float32; AM_E_UNSUPPORTED: AM_TENSOR_OTHER. */
am_status am_safetensors_read(const am_safetensors *file, const am_tensor *tensor, float *out, am_error *err);
/* "(64, 1, 3, 3)", "()" of one number. */
enum { AM_TENSOR_TEXT = 24 * AM_SAFETENSORS_RANK };
const char *am_tensor_shape(int rank, const size_t *dims, char text[AM_TENSOR_TEXT]);

/* A file that is written: all texts and tensors first, then the file. */
typedef struct am_safetensors_writer {
  am_context *ctx;
  am_buffer head, data; /* shown by `failed` when memory was out */
  am_json *json;
  bool in_texts;
} am_safetensors_writer;
void am_safetensors_begin(am_context *ctx, am_safetensors_writer *w);
/* Texts come before tensors. */
void am_safetensors_put_text(am_safetensors_writer *w, const char *key, const char *text);
/* The place for `count` numbers of a tensor of type F32, until the next call; NULL: no memory. */
float *am_safetensors_put(am_safetensors_writer *w, const char *name, int rank, const size_t *dims);
/* Once, as the last. */
am_status am_safetensors_write(am_safetensors_writer *w, const char *path, am_error *err);
void am_safetensors_end(am_safetensors_writer *w);

#endif
