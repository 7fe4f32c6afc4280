/* SPDX-License-Identifier: MIT */
/* exchange/safetensors_describe.c - what a safetensors file holds, for `inspect`. */
#include <string.h>

#include "exchange/safetensors.h"

am_status am_safetensors_describe(am_context *ctx, const char *path, am_described *d, am_error *err) {
  am_safetensors *f = NULL;
  am_status status = am_safetensors_open(ctx, path, &f, err);
  if (status) return status;
  const char *config = am_safetensors_text(f, AM_TEXT_CONFIG);
  am_describe_fact(d, "format", "safetensors%s", config ? ", with a config of AudioMood" : "");
  const am_value *texts = am_safetensors_texts(f);
  for (const am_value *v = texts ? texts->first : NULL; v; v = v->next)
    if (strcmp(v->key, "format") != 0) am_describe_text(d, v->key, v->text);
    else am_describe_text(d, "names", v->text);
  d->import = config ? AM_IMPORT_ALONE : AM_IMPORT_LAYERS;
  am_describe_table(d, "tensor", "type", "dimensions", "numbers");
  for (size_t i = 0; i < am_safetensors_count(f); i++) {
    const am_tensor *t = am_safetensors_at(f, i);
    char shape[AM_TENSOR_TEXT];
    am_describe_row(d, t->name, t->dtype, am_tensor_shape(t->rank, t->dims, shape), (double)t->count);
  }
  am_safetensors_close(f);
  return AM_OK;
}
