/* SPDX-License-Identifier: MIT */
/* data/order.h - in which order an epoch goes through its clips; for data/ only. */
#ifndef AM_ORDER_H
#define AM_ORDER_H

#include "data/loader.h"

/* order (n) of clip indices: a pure function of the clips, options, seed and epoch. */
am_status am_order_make(am_context *ctx, const am_store *store, const am_dataset *d, const uint32_t *clips, size_t n,
                        const am_loader_options *o, uint64_t epoch, uint32_t *order, am_error *err);
/* Which copy of a clip an epoch has, 0 the clip itself (am_store_copy): each as likely as the others.  A clip that is balanced by
 * coming twice comes twice as the same one. */
int am_order_copy(const am_store *store, uint64_t seed, uint64_t epoch, uint32_t clip);

#endif
