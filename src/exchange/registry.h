/* SPDX-License-Identifier: MIT */
/* exchange/registry.h - all formats of other programs that there are. */
#ifndef AM_FORMAT_REGISTRY_H
#define AM_FORMAT_REGISTRY_H

#include "exchange/format.h"

/* The heads of their rows; NULL ends.  The first is the default. */
extern const am_variant *const am_exchanges[];
const am_exchange *am_exchange_find(const char *name); /* NULL: there is none */
/* The one whose ending the file has; else the default. */
const am_exchange *am_exchange_of_file(const char *path);
/* The one that a file that exists is of, by its ending or its content; NULL: none. */
const am_exchange *am_exchange_holding(am_context *ctx, const char *path);

#endif
