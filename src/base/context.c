/* SPDX-License-Identifier: MIT */
/* base/context.c - settings, processor path, stop flag, log and progress sinks. */
#include "base/context.h"
#include "base/parallel.h"
#include "base/processors.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 1024 };

static const char *const cpu_names[] = {"plain", "avx2", "avx512", "neon"};
enum { PATHS = sizeof cpu_names / sizeof cpu_names[0] };

const char *am_version(void) { return AM_VERSION; }

#if defined(__x86_64__)
/* For these two clang 14 knows no name. */
static bool has_f16c(void) {
  unsigned a, b, c = 0, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
static bool has_bf16(void) {
  unsigned a = 0, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & bit_AVX512BF16);
}
#endif

static bool cpu_has(am_cpu cpu) {
  if (cpu == AM_CPU_PLAIN) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (cpu == AM_CPU_AVX2) return avx2;
  return cpu == AM_CPU_AVX512 && avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
  return cpu == AM_CPU_NEON; /* part of every processor that runs such a program */
#else
  return false;
#endif
}

bool am_context_has_bf16(void) {
#if defined(__x86_64__)
  return cpu_has(AM_CPU_AVX512) && has_bf16();
#else
  return false;
#endif
}

/* The setting wins over AM_CPU, which wins over the best there is. */
static am_status choose_cpu(const char *setting, am_cpu *out, am_error *err) {
  const char *asked = setting, *from = "setting cpu";
  if (!asked) {
    asked = getenv("AM_CPU");
    from = "AM_CPU";
  }
  char has[64] = "";
  for (int i = 0; i < PATHS; i++) {
    if (!cpu_has((am_cpu)i)) continue;
    *out = (am_cpu)i;
    snprintf(has + strlen(has), sizeof has - strlen(has), "%s%s", *has ? ", " : "", cpu_names[i]);
  }
  if (!asked || !*asked) return AM_OK;
  for (int i = 0; i < PATHS; i++) {
    if (strcmp(asked, cpu_names[i])) continue;
    *out = (am_cpu)i;
    if (cpu_has(*out)) return AM_OK;
    return am_fail(err, AM_E_USAGE, "%s: this machine lacks %s; it has %s", from, asked, has);
  }
  return am_fail(err, AM_E_USAGE, "%s: no processor path \"%s\"; this machine has %s", from, asked, has);
}

/* The allocator until there is a context to ask. */
static void *default_resize(void *user, void *pointer, size_t bytes) {
  (void)user;
  if (bytes) return realloc(pointer, bytes);
  free(pointer);
  return NULL;
}

am_status am_context_create(const am_settings *settings, am_context **out, am_error *err) {
  am_settings mine = {.size = sizeof mine};
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  if (settings) status = am_size_take(&mine, sizeof mine, settings, sizeof settings->size, "am_settings", err);
  if (status) return status;
  if (mine.threads < 0 || mine.threads > MAX_THREADS)
    return am_fail(err, AM_E_USAGE, "threads is %d; wanted 1 to %d, or 0 for one per processor", mine.threads,
                   MAX_THREADS);
  am_cpu cpu = AM_CPU_PLAIN;
  status = choose_cpu(mine.cpu, &cpu, err);
  if (status) return status;
  void *(*resize)(void *, void *, size_t) = mine.resize ? mine.resize : default_resize;
  am_context *ctx = resize(mine.memory_user, NULL, sizeof *ctx);
  if (!ctx) return am_no_memory(err);
  *ctx = (am_context){.settings = mine, .cpu = cpu, .system = &am_system_real};
  ctx->threads = mine.threads ? mine.threads : am_processors();
  atomic_init(&ctx->stop, 0);
  atomic_init(&ctx->asked, 0);
  atomic_init(&ctx->taken, 0);
  atomic_init(&ctx->added, NULL);
  pthread_mutex_init(&ctx->sink_lock, NULL);
  status = am_pool_create(ctx, ctx->threads, &ctx->pool, err);
  if (status) {
    am_context_free(ctx);
    return status;
  }
  *out = ctx;
  return AM_OK;
}

void am_context_free(am_context *ctx) {
  if (!ctx) return;
  am_pool_free(ctx, ctx->pool);
  for (am_added *row = atomic_load(&ctx->added), *next; row; row = next) {
    next = row->next;
    am_free(ctx, row);
  }
  pthread_mutex_destroy(&ctx->sink_lock);
  void *(*resize)(void *, void *, size_t) = ctx->settings.resize ? ctx->settings.resize : default_resize;
  resize(ctx->settings.memory_user, ctx, 0);
}

struct am_ranks *am_context_ranks(const am_context *ctx) {
  return ctx->ranks;
}
void am_context_set_ranks(am_context *ctx, struct am_ranks *ranks) { ctx->ranks = ranks; }

void am_context_stop(am_context *ctx) {
  if (ctx) atomic_store(&ctx->stop, 1);
}
void am_context_resume(am_context *ctx) {
  if (ctx) atomic_store(&ctx->stop, 0);
}
bool am_context_stopping(const am_context *ctx) {
  if (!ctx) return false;
  atomic_fetch_add_explicit(&((am_context *)ctx)->asked, 1, memory_order_relaxed);
  return atomic_load(&ctx->stop) != 0;
}
unsigned am_context_asked(const am_context *ctx) { return atomic_load_explicit(&ctx->asked, memory_order_relaxed); }
unsigned am_context_worked(const am_context *ctx) {
  return am_context_asked(ctx) + atomic_load_explicit(&ctx->taken, memory_order_relaxed) + am_pool_pieces(ctx->pool);
}
int am_context_threads(const am_context *ctx) { return ctx ? ctx->threads : 0; }
const char *am_context_cpu(const am_context *ctx) { return ctx ? cpu_names[ctx->cpu] : ""; }
bool am_context_reads_in_child(const am_context *ctx) { return ctx->settings.read_in_child; }
const char *am_cpu_path(size_t i, bool *runs) {
#if defined(__x86_64__) || defined(__i386__)
  static const am_cpu has[] = {AM_CPU_PLAIN, AM_CPU_AVX2, AM_CPU_AVX512};
#elif defined(__aarch64__)
  static const am_cpu has[] = {AM_CPU_PLAIN, AM_CPU_NEON};
#else
  static const am_cpu has[] = {AM_CPU_PLAIN};
#endif
  const bool there = i < sizeof has / sizeof *has;
  *runs = there && cpu_has(has[i]);
  return there ? cpu_names[has[i]] : NULL;
}

am_cpu am_context_cpu_id(const am_context *ctx) { return ctx->cpu; }

const am_added *am_context_added(const am_context *ctx) { return atomic_load(&((am_context *)ctx)->added); }
bool am_context_add(am_context *ctx, am_added *row, const am_added *seen) {
  am_added *last = (am_added *)seen;
  row->next = last;
  return atomic_compare_exchange_strong(&ctx->added, &last, row);
}

void am_log(am_context *ctx, am_log_level level, const char *format, ...) {
  atomic_fetch_add_explicit(&ctx->taken, 1, memory_order_relaxed);
  if (!ctx->settings.log) return;
  char line[512];
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  char *whole = NULL;
  if (n >= (int)sizeof line) { /* a long line loses its tail only when memory is out */
    whole = am_resize(ctx, NULL, (size_t)n + 1, 1);
    if (whole) vsnprintf(whole, (size_t)n + 1, format, again);
  }
  va_end(again);
  am_text_one_line(whole ? whole : line);
  pthread_mutex_lock(&ctx->sink_lock);
  ctx->settings.log(ctx->settings.user, level, whole ? whole : line);
  pthread_mutex_unlock(&ctx->sink_lock);
  am_free(ctx, whole);
}

void am_progress_emit(am_context *ctx, const am_progress *progress) {
  if (!ctx->settings.progress) return;
  pthread_mutex_lock(&ctx->sink_lock);
  ctx->settings.progress(ctx->settings.user, progress);
  pthread_mutex_unlock(&ctx->sink_lock);
}

double am_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
