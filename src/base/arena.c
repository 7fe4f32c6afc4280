/* SPDX-License-Identifier: MIT */
/* base/arena.c - placing pieces in a slab, or only counting them. */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>

#include "base/base.h"

enum { ALIGN = 64 }; /* a cache line, and the widest vector register */

void *am_arena_take(am_arena *arena, size_t count, size_t bytes) {
  size_t start = arena->used;
  size_t end = am_add(am_add(start, am_mul(count, bytes)), ALIGN - 1);
  arena->used = end == SIZE_MAX ? SIZE_MAX : end / ALIGN * ALIGN;
  if (!arena->base) return NULL;
  assert(arena->used <= arena->size && "the placing code took more than it counted");
  return arena->used <= arena->size ? arena->base + start : NULL;
}
