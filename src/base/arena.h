/* SPDX-License-Identifier: MIT */
/* base/arena.h - one slab a lifetime.  An arena without memory only counts,
 * so the same placing code first sizes a slab and then assigns it:
 *
 *   am_arena count = {0};            place(&count, ...);
 *   am_arena real = {slab, bytes};   place(&real, ...);     slab has count.used bytes
 */
#ifndef AM_ARENA_H
#define AM_ARENA_H

#include <stddef.h>

typedef struct am_arena {
  char *base; /* NULL: only count */
  size_t size;
  size_t used;
} am_arena;

/* 64-byte aligned piece of count * bytes; NULL when the arena only counts.
 * A counting arena saturates at SIZE_MAX on overflow. */
void *am_arena_take(am_arena *arena, size_t count, size_t bytes);

#endif
