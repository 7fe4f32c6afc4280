/* SPDX-License-Identifier: MIT */
/* exchange/registry.c - every format there is.  A new one adds one line here. */
#include <string.h>

#include "exchange/registry.h"

#define FORMATS(X) X(am_exchange_keras) X(am_exchange_onnx) X(am_exchange_safetensors)

#define DECLARE(format) extern const am_exchange format;
#define HEAD(format) &(format).is,
FORMATS(DECLARE)

const am_variant *const am_exchanges[] = {FORMATS(HEAD) NULL};

const am_exchange *am_exchange_find(const char *name) {
  for (const am_variant *const *f = am_exchanges; *f; f++)
    if (!strcmp((*f)->name, name)) return (const am_exchange *)*f; /* a head is the first member of its row */
  return NULL;
}

const am_exchange *am_exchange_of_file(const char *path) {
  for (const am_variant *const *f = am_exchanges; *f; f++) {
    const am_exchange *format = (const am_exchange *)*f;
    if (format->ending && am_text_ends(path, format->ending)) return format;
  }
  return (const am_exchange *)am_exchanges[0];
}

const am_exchange *am_exchange_holding(am_context *ctx, const char *path) {
  for (const am_variant *const *f = am_exchanges; *f; f++) {
    const am_exchange *format = (const am_exchange *)*f;
    if (format->is_of ? format->is_of(ctx, path) : am_text_ends(path, format->ending)) return format;
  }
  return NULL;
}
