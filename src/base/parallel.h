/* SPDX-License-Identifier: MIT */
/* base/parallel.h - the pool of threads of am_parallel_for; for base/ only. */
#ifndef AM_PARALLEL_H
#define AM_PARALLEL_H

#include "base/context.h"

/* Starts `threads` - 1 workers; the caller of am_parallel_for is worker 0. */
am_status am_pool_create(am_context *ctx, int threads, am_pool **out, am_error *err);
void am_pool_free(am_context *ctx, am_pool *pool);
unsigned am_pool_pieces(const am_pool *pool); /* that were done, modulo 2^32 */

#endif
