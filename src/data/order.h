/* data/order.h - in which order an epoch goes through its clips; for data/ only. */
#ifndef AM_ORDER_H
#define AM_ORDER_H

#include "data/loader.h"

/* order (n) of clip indices: a pure function of the clips, options, seed and epoch. */
am_status am_order_make(am_context *ctx, const am_store *store, const am_dataset *d, const uint32_t *clips, size_t n,
                        const am_loader_options *o, uint64_t epoch, uint32_t *order, am_error *err);

#endif
