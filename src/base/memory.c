/* SPDX-License-Identifier: MIT */
/* base/memory.c - memory from the context's allocator, strings, buffers. */
#include "base/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Objects above PTRDIFF_MAX cannot be indexed, so they are refused. */
static bool too_large(size_t bytes) { return bytes > PTRDIFF_MAX; }

void *am_resize(am_context *ctx, void *pointer, size_t count, size_t bytes) {
  size_t size = am_mul(count, bytes);
  if (too_large(size)) return NULL;
  if (!size) size = 1; /* so that NULL always means failure */
  atomic_fetch_add_explicit(&ctx->taken, 1, memory_order_relaxed);
  const am_settings *s = &ctx->settings;
  return s->resize ? s->resize(s->memory_user, pointer, size) : realloc(pointer, size);
}

am_status am_grow(am_context *ctx, void *array, size_t *room, size_t needed, size_t bytes, am_error *err) {
  enum { FIRST = 16 };
  if (needed <= *room) return AM_OK;
  size_t more = am_mul(*room, 2);
  if (more < FIRST) more = FIRST;
  if (more < needed) more = needed;
  void *old; /* copied: a T * is no void * to a compiler that reasons by types */
  memcpy(&old, array, sizeof old);
  void *moved = am_resize(ctx, old, more, bytes);
  if (!moved) return am_no_memory(err);
  memcpy(array, &moved, sizeof moved);
  *room = more;
  return AM_OK;
}

void *am_alloc(am_context *ctx, size_t count, size_t bytes) {
  size_t size = am_mul(count, bytes);
  if (too_large(size)) return NULL;
  if (!ctx->settings.resize) {
    atomic_fetch_add_explicit(&ctx->taken, 1, memory_order_relaxed);
    return calloc(1, size ? size : 1);
  }
  void *pointer = am_resize(ctx, NULL, 1, size);
  return pointer ? memset(pointer, 0, size) : NULL;
}

void am_free(am_context *ctx, void *pointer) {
  if (!pointer) return;
  const am_settings *s = &ctx->settings;
  if (s->resize) s->resize(s->memory_user, pointer, 0);
  else free(pointer);
}

/* What is in the 64 bytes before an aligned block. */
typedef struct block_header {
  void *start;   /* what the allocator or mmap returned */
  size_t mapped; /* bytes mapped, 0 when it came from the allocator */
} block_header;
enum { ALIGN = 64, MAP_FROM = 1 << 20, HUGE_PAGE = 1 << 21 };

static char *align_up(void *pointer, size_t to) {
  const size_t over = (uintptr_t)pointer % to;
  return (char *)pointer + (over ? to - over : 0);
}

/* Fresh pages are zero already and cost nothing until touched, by the thread that uses them.  Large blocks
 * ask for huge ones, as far as whole ones fit: a sweep over 100 MB of weights then waits less for addresses
 * to be translated, and not for 30,000 page faults. */
static char *map_block(size_t bytes, block_header *header) {
  const bool huge = bytes >= 2 * (size_t)HUGE_PAGE;
  /* For the alignment; what of it is not touched is never there. */
  const size_t size = bytes + 2 * ALIGN, spare = huge ? HUGE_PAGE : 0;
  header->start = mmap(NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (header->start == MAP_FAILED) return NULL;
  header->mapped = size + spare;
  if (!huge) return (char *)header->start + ALIGN;
  char *first = align_up(header->start, HUGE_PAGE);
#ifdef MADV_HUGEPAGE
  madvise(first, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish: all works the same without */
#endif
  return first + ALIGN;
}

void *am_alloc_aligned(am_context *ctx, size_t bytes) {
  if (too_large(am_add(bytes, 2 * ALIGN + HUGE_PAGE))) return NULL;
  block_header header = {0};
  char *block;
  if (!ctx->settings.resize && bytes >= MAP_FROM) {
    block = map_block(bytes, &header);
    if (!block) return NULL;
  } else {
    header.start = am_alloc(ctx, 1, bytes + 2 * ALIGN);
    if (!header.start) return NULL;
    block = align_up((char *)header.start + sizeof header, ALIGN);
  }
  memcpy(block - sizeof header, &header, sizeof header);
  return block;
}

void am_free_aligned(am_context *ctx, void *pointer) {
  if (!pointer) return;
  block_header header;
  memcpy(&header, (char *)pointer - sizeof header, sizeof header);
  if (header.mapped) munmap(header.start, header.mapped);
  else am_free(ctx, header.start);
}

char *am_strdup(am_context *ctx, const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = am_resize(ctx, NULL, bytes, 1);
  return copy ? memcpy(copy, text, bytes) : NULL;
}

static char *format_list(am_context *ctx, const char *format, va_list args, size_t *used) {
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  char *text = n < 0 ? NULL : am_resize(ctx, NULL, (size_t)n + 1, 1);
  if (text) vsnprintf(text, (size_t)n + 1, format, again);
  va_end(again);
  *used = text ? (size_t)n : 0;
  return text;
}

char *am_format(am_context *ctx, const char *format, ...) {
  va_list args;
  size_t used;
  va_start(args, format);
  char *text = format_list(ctx, format, args, &used);
  va_end(args);
  return text;
}

void am_buffer_append(am_context *ctx, am_buffer *b, const void *data, size_t bytes) {
  if (b->failed) return;
  size_t needed = am_add(am_add(b->used, bytes), 1);
  if (needed > b->capacity) {
    size_t capacity = needed < 64 ? 64 : am_add(needed, needed / 2);
    char *moved = am_resize(ctx, b->data, capacity, 1);
    if (!moved) {
      b->failed = true;
      return;
    }
    b->data = moved;
    b->capacity = capacity;
  }
  if (bytes) memcpy(b->data + b->used, data, bytes);
  b->used += bytes;
  b->data[b->used] = '\0';
}

void am_buffer_printf(am_context *ctx, am_buffer *b, const char *format, ...) {
  if (b->failed) return;
  va_list args;
  size_t used;
  va_start(args, format);
  char *text = format_list(ctx, format, args, &used);
  va_end(args);
  if (!text) b->failed = true;
  else am_buffer_append(ctx, b, text, used);
  am_free(ctx, text);
}

void am_buffer_free(am_context *ctx, am_buffer *b) {
  am_free(ctx, b->data);
  *b = (am_buffer){0};
}
