/* SPDX-License-Identifier: MIT */
/* base/base.h - what every room uses: failing, logging, memory, strings.
 * Thread-safety: all functions here may be called from any thread. */
#ifndef AM_BASE_H
#define AM_BASE_H

#include "audiomood/base.h"

/* Fills *err (if not NULL and still AM_OK) and returns `status`, so that a
 * caller can write `return am_fail(err, AM_E_IO, "%s: ...", path);`. */
am_status am_fail(am_error *err, am_status status, const char *format, ...) AM_PRINTF(3, 4);
/* The same with strerror(errno_value) appended as ": No such file or directory". */
am_status am_fail_errno(am_error *err, int errno_value, const char *format, ...) AM_PRINTF(3, 4);
/* Puts "text: " before the message of an error on its way up; returns err's status.
 * With err NULL the kind is lost and it returns AM_E_FORMAT: keep the status yourself where that matters. */
am_status am_error_prefix(am_error *err, const char *format, ...) AM_PRINTF(2, 3);

/* Public structs begin with `size`, which the caller sets to sizeof; their members are only ever added at the end.  What an
 * older, shorter struct lacks is zero, its default; what a newer, longer one has more must be zero, for it asks for what this
 * library cannot do (one that is only filled in may hold anything there: `known` is SIZE_MAX).  `name` is the type's, `known` its sizeof here, `least` what the first release had.  AM_E_USAGE. */
am_status am_size_check(const void *given, size_t known, size_t least, const char *name, am_error *err);
/* The same, and a copy of `known` bytes in `mine`. */
am_status am_size_take(void *mine, size_t known, const void *given, size_t least, const char *name, am_error *err);
/* Fills a struct that was checked: as much as it has room for; its size stays, and what is beyond `known` becomes zero. */
void am_size_give(void *given, const void *mine, size_t known);
/* The refusal of an argument of a public call that may not be NULL. */
#define AM_NEED(err, argument) \
  ((argument) ? AM_OK : (am_fail)(err, AM_E_USAGE, "%s: %s may not be NULL", __func__, #argument))

/* What may not be shown is replaced (am_text_stand_in in base/utf8.h): names of files and labels may hold anything, and a
 * message is one line.  The text gets no longer. */
void am_text_one_line(char *text);
/* The words of a message that go by a number: `one` of a single thing, `more` otherwise. */
static inline const char *am_count(size_t n, const char *one, const char *more) { return n == 1 ? one : more; }
void am_log(am_context *ctx, am_log_level level, const char *format, ...) AM_PRINTF(3, 4);
void am_progress_emit(am_context *ctx, const am_progress *progress);
/* How often work has asked am_context_stopping: what asked twice has done a step in between, and will ask again.
 * Async-signal-safe. */
unsigned am_context_asked(const am_context *ctx);
/* A number that grows while anything is at work with the context: it asks whether to stop, takes memory, tells the log, does pieces
 * of am_parallel_for.  Any thread. */
unsigned am_context_worked(const am_context *ctx);
bool am_context_reads_in_child(const am_context *ctx); /* am_settings.read_in_child */
/* From now on each thread that calls am_parallel_for runs all pieces itself, beside the other threads, in place of taking turns with
 * them: of a program whose threads share no working memory.  Before other threads use the context. */
void am_context_set_apart(am_context *ctx);
/* Monotonic clock in seconds. */
double am_now(void);

/* Memory from the context's allocator.  `am_alloc` zeroes.  Sizes are
 * count * bytes, checked against overflow; NULL on failure (no message). */
void *am_alloc(am_context *ctx, size_t count, size_t bytes);
void *am_resize(am_context *ctx, void *pointer, size_t count, size_t bytes); /* not zeroed */
/* The one growing array: room for `needed` elements of so many bytes in *(T **)array, which has *room; it doubles. */
am_status am_grow(am_context *ctx, void *array, size_t *room, size_t needed, size_t bytes, am_error *err);
void am_free(am_context *ctx, void *pointer); /* NULL is allowed */
char *am_strdup(am_context *ctx, const char *text);
char *am_format(am_context *ctx, const char *format, ...) AM_PRINTF(2, 3); /* NULL: no memory */
/* 64-byte aligned, zeroed (large ones by fresh pages); free with am_free_aligned. */
void *am_alloc_aligned(am_context *ctx, size_t bytes);
void am_free_aligned(am_context *ctx, void *pointer);
/* The one message for failed allocations. */
am_status am_no_memory(am_error *err);

/* A static analyzer sees one file at a time and would take a failure for AM_OK; this tells it what the
 * functions above return.  The program itself is compiled without these lines. */
#ifdef __clang_analyzer__
#define am_fail(err, status, ...) (am_fail(err, status, __VA_ARGS__), (status))
#define am_fail_errno(err, ...) (am_fail_errno(err, __VA_ARGS__) == AM_E_NOMEM ? AM_E_NOMEM : AM_E_IO)
#define am_no_memory(err) (am_no_memory(err), AM_E_NOMEM)
#endif
/* Sizes of what a file or a config says: a * b, a + b, and the product of a shape, or SIZE_MAX where that overflows, which no
 * allocator grants and no array has.  Every size whose factors come from outside is made by these. */
static inline size_t am_mul(size_t a, size_t b) {
  size_t product;
  return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}
static inline size_t am_add(size_t a, size_t b) {
  size_t sum;
  return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}
static inline size_t am_product(int rank, const size_t *dims) {
  size_t count = 1;
  for (int i = 0; i < rank; i++) count = am_mul(count, dims[i]);
  return count;
}
/* A size from a number that may be anything, cut towards 0: NaN and what is below 0 give 0, what no size_t holds SIZE_MAX.  A
 * plain cast of those is undefined. */
static inline size_t am_size_of(double number) {
  if (!(number > 0)) return 0;
  return number < 2.0 * (double)(SIZE_MAX / 2 + 1) ? (size_t)number : SIZE_MAX;
}

/* A growing string or byte buffer.  Zero-initialise; after a failed append
 * `failed` stays set and later appends do nothing, so one check at the end is enough. */
typedef struct am_buffer {
  char *data; /* terminated when not NULL */
  size_t used, capacity;
  bool failed;
} am_buffer;
void am_buffer_append(am_context *ctx, am_buffer *b, const void *data, size_t bytes);
void am_buffer_printf(am_context *ctx, am_buffer *b, const char *format, ...) AM_PRINTF(3, 4);
void am_buffer_free(am_context *ctx, am_buffer *b);

/* The head of a row that a program adds to a registry: a piece of am_alloc, the context's from then on, and never changed. */
typedef struct am_added {
  struct am_added *next;
} am_added;
const am_added *am_context_added(const am_context *ctx); /* the last one; NULL: there is none */
/* Adds a row, but only while `seen` is the last one: else another thread was faster, and the caller looks again. */
bool am_context_add(am_context *ctx, am_added *row, const am_added *seen);

/* Tables chosen by processor path; filled by am_context_create. */
typedef enum am_cpu { AM_CPU_PLAIN, AM_CPU_AVX2, AM_CPU_AVX512, AM_CPU_NEON } am_cpu;
am_cpu am_context_cpu_id(const am_context *ctx);
/* The paths that this program has for such processors, the slower first, and whether this machine runs it; NULL: no more. */
const char *am_cpu_path(size_t i, bool *runs);
/* The processes that work as one with this one (ranks/ranks.h); NULL: it is alone. The caller keeps them. */
struct am_ranks *am_context_ranks(const am_context *ctx);
void am_context_set_ranks(am_context *ctx, struct am_ranks *ranks);
/* Whether this machine has instructions for products of bfloat16 numbers beside those of the path avx512. */
bool am_context_has_bf16(void);

/* Closest of `n` names to `word` by edit distance, or NULL if none is near:
 * for "did you mean". `names` is read as an array of char pointers `stride` bytes apart. */
const char *am_nearest(const char *word, const char *const *names, size_t n, size_t stride);

#endif
