/* SPDX-License-Identifier: MIT */
/* tests/testing.h - what every test program shares.  Header only: include it
 * after nothing else, it pulls in cmocka in the order cmocka wants. */
#ifndef AM_TESTING_H
#define AM_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audiomood/base.h"

/* What leak checkers find in outside libraries and we cannot free: libhdf5 forgets pieces when it refuses a damaged
 * file (1.10.8), fontconfig keeps some 600 bytes, however many pictures are drawn (2.14, beneath Cairo). */
const char *__lsan_default_suppressions(void);
__attribute__((weak)) const char *__lsan_default_suppressions(void) {
  return "leak:libhdf5\nleak:^H5\nleak:libfontconfig\n";
}

/* cmocka 1.1 reports a skipped test as "not ok N # SKIP name", which meson counts as failed.  It prints through
 * this function of its own, which a program may replace; weak, since several files of a program include this. */
__attribute__((weak)) void print_message(const char *const format, ...) {
  static const char wrong[] = "not ok %u # SKIP";
  va_list args;
  va_start(args, format);
  vprintf(strncmp(format, wrong, sizeof wrong - 1) == 0 ? format + 4 : format, args);
  va_end(args);
}

/* Whole lines at once: a forked child may write what is still buffered a second time (under a thread sanitizer). */
__attribute__((constructor)) static void am_test_line_buffered(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

#if defined(__SANITIZE_THREAD__)
#define AM_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define AM_UNDER_TSAN 1
#endif
#endif
#ifndef AM_UNDER_TSAN
#define AM_UNDER_TSAN 0
#endif

/* Contexts */

static inline am_context *am_test_context(int threads, const char *cpu) {
  am_settings settings = {.size = sizeof settings, .threads = threads, .cpu = cpu, .read_in_child = true};
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  if (am_context_create(&settings, &ctx, &err)) fail_msg("context: %s", err.message);
  return ctx;
}

/* The processor paths of this machine, best last: a test loops over them. */
enum { AM_TEST_CPUS = 4 }; /* as many as there may be */
static inline size_t am_test_cpus(const char *names[AM_TEST_CPUS]) {
  static const char *const all[AM_TEST_CPUS] = {"plain", "avx2", "avx512", "neon"};
  size_t n = 0;
  for (size_t i = 0; i < AM_TEST_CPUS; i++) {
    am_settings settings = {.size = sizeof settings, .threads = 1, .cpu = all[i]};
    am_context *ctx = NULL;
    if (am_context_create(&settings, &ctx, NULL) == AM_OK) names[n++] = all[i];
    am_context_free(ctx);
  }
  return n;
}

/* Fails with the message of the error when a call that should succeed did not. */
#define am_test_ok(call, err) \
  do { \
    if ((call) != AM_OK) fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #call, (err)->message); \
  } while (0)

/* The call must fail with `wanted`, and its message must hold `words`. */
#define am_test_fails(call, wanted, err, words) \
  do { \
    am_error am_test_fresh = AM_ERROR_INIT; \
    *(err) = am_test_fresh; \
    am_status am_test_got = (call); \
    if (am_test_got != (wanted)) \
      fail_msg("%s:%d: %s gave %d (%s), wanted %d", __FILE__, __LINE__, #call, (int)am_test_got, (err)->message, \
               (int)(wanted)); \
    if (!strstr((err)->message, (words))) \
      fail_msg("%s:%d: message \"%s\" lacks \"%s\"", __FILE__, __LINE__, (err)->message, (words)); \
  } while (0)

/* An allocator that fails at the n-th allocation (from 1; 0: never) and counts
 * what is still alive, so a test can run a piece of work for every n:
 *
 *   for (long n = 1;; n++) {
 *     am_test_memory m; am_context *ctx = am_test_memory_context(&m, 1);
 *     am_test_memory_arm(&m, n);
 *     status = work(ctx);
 *     bool fired = am_test_memory_fired(&m);
 *     ... free everything ...; am_context_free(ctx);
 *     assert_int_equal(atomic_load(&m.alive), 0);
 *     if (!fired) break;
 *   }
 */
typedef struct am_test_memory {
  atomic_long count, fail_at, alive;
} am_test_memory;

static inline void *am_test_resize(void *user, void *pointer, size_t bytes) {
  am_test_memory *m = user;
  if (!bytes) {
    if (pointer) atomic_fetch_sub(&m->alive, 1);
    free(pointer);
    return NULL;
  }
  long count = atomic_fetch_add(&m->count, 1) + 1;
  if (count == atomic_load(&m->fail_at)) return NULL;
  void *moved = realloc(pointer, bytes);
  if (moved && !pointer) atomic_fetch_add(&m->alive, 1);
  return moved;
}

static inline am_context *am_test_memory_context(am_test_memory *m, int threads) {
  atomic_init(&m->count, 0);
  atomic_init(&m->fail_at, 0);
  atomic_init(&m->alive, 0);
  am_settings settings = {
      .size = sizeof settings, .threads = threads, .resize = am_test_resize, .memory_user = m, .read_in_child = true};
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  if (am_context_create(&settings, &ctx, &err)) fail_msg("context: %s", err.message);
  return ctx;
}

/* From now on the n-th allocation fails (0: none does). */
static inline void am_test_memory_arm(am_test_memory *m, long n) {
  atomic_store(&m->count, 0);
  atomic_store(&m->fail_at, n);
}

/* Did the armed failure happen? */
static inline bool am_test_memory_fired(am_test_memory *m) {
  long at = atomic_load(&m->fail_at);
  return at && atomic_load(&m->count) >= at;
}

/* Runs a piece of work with each of its allocations failing in turn, until none does: it then gives AM_OK, and AM_E_NOMEM before.
 * It frees all that it makes. */
static inline void am_test_each_allocation(am_status (*work)(am_context *ctx, am_error *err)) {
  bool fired = true;
  for (long n = 1; fired; n++) {
    am_test_memory memory;
    am_context *ctx = am_test_memory_context(&memory, 1);
    am_error err = AM_ERROR_INIT;
    if (n == 100000) fail_msg("never done");
    am_test_memory_arm(&memory, n);
    const am_status status = work(ctx, &err);
    fired = am_test_memory_fired(&memory);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&memory.alive), 0);
  }
}

/* Files */

/* A new empty folder; the caller frees the name after am_test_folder_remove. */
static inline char *am_test_folder(void) {
  const char *root = getenv("TMPDIR");
  char *path = malloc(1024);
  assert_non_null(path);
  snprintf(path, 1024, "%s/am-test-XXXXXX", root && *root ? root : "/tmp");
  if (!mkdtemp(path)) fail_msg("cannot make a folder like %s", path);
  return path;
}

/* Removes a folder made by am_test_folder with all that is in it. Never follows links. */
static inline void am_test_folder_remove(const char *path) {
  DIR *folder = opendir(path);
  if (folder) {
    for (struct dirent *entry; (entry = readdir(folder));) {
      if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
      char *child = malloc(strlen(path) + strlen(entry->d_name) + 2);
      struct stat info;
      if (!child) break;
      sprintf(child, "%s/%s", path, entry->d_name);
      if (lstat(child, &info) == 0 && S_ISDIR(info.st_mode)) {
        chmod(child, 0700);
        am_test_folder_remove(child);
      } else {
        unlink(child);
      }
      free(child);
    }
    closedir(folder);
  }
  rmdir(path);
}

/* "<folder>/<name>" in one of 8 turning buffers, so several fit in one call. Not thread-safe. */
static inline const char *am_test_path(const char *folder, const char *name) {
  static char buffers[8][2048];
  static int turn;
  turn = (turn + 1) % 8;
  snprintf(buffers[turn], sizeof buffers[turn], "%s/%s", folder, name);
  return buffers[turn];
}

static inline void am_test_file(const char *path, const void *data, size_t bytes) {
  FILE *file = fopen(path, "wb");
  if (!file) fail_msg("cannot write %s", path);
  size_t written = bytes ? fwrite(data, 1, bytes, file) : 0;
  int closed = fclose(file);
  if (written != bytes || closed) fail_msg("cannot write %s", path);
}

/* A file of the source tree ("tests/data/golden.h5"), in am_test_path's buffers. */
#ifdef AM_SOURCE_ROOT
static inline const char *am_test_source(const char *name) { return am_test_path(AM_SOURCE_ROOT, name); }

/* A file or folder of the shared data ("data/ravdess"): AM_SHARED of the
 * environment, else ../shared beside the source tree.  NULL when absent. */
static inline const char *am_test_shared(const char *name) {
  const char *root = getenv("AM_SHARED");
  const char *path = am_test_path(root && *root ? root : AM_SOURCE_ROOT "/../shared", name);
  struct stat info;
  return stat(path, &info) == 0 ? path : NULL;
}

/* Sets `path`, or skips the test with a message that says what was looked for. */
#define am_test_need_shared(path, name) \
  do { \
    (path) = am_test_shared(name); \
    if (!(path)) { \
      print_message("# skipped: no %s in AM_SHARED or ../shared\n", (name)); \
      skip(); \
    } \
  } while (0)
#endif

/* Numbers.  A NaN in either side is a difference unless it is in both. */

typedef struct am_test_worst {
  size_t index;
  double got, wanted, excess; /* excess: |got - wanted| over the bound; above 1 fails */
} am_test_worst;

static inline void am_test_compare(am_test_worst *worst, size_t i, double got, double wanted, double bound) {
  if ((isnan(got) && isnan(wanted)) || got == wanted) return;
  double excess = bound > 0 ? fabs(got - wanted) / bound : INFINITY;
  if (!(excess <= worst->excess)) { /* true for NaN as well */
    if (isnan(excess)) excess = INFINITY;
    *worst = (am_test_worst){i, got, wanted, excess};
  }
}

static inline void am_test_close_report(const char *file, int line, const char *name, size_t n,
                                        const am_test_worst *worst) {
  if (worst->excess > 1)
    fail_msg("%s:%d: %s: worst of %zu is [%zu] = %.9g, wanted %.9g, difference %.3g is %.3g times the bound", file,
             line, name, n, worst->index, worst->got, worst->wanted, fabs(worst->got - worst->wanted), worst->excess);
}

/* |got - wanted| <= absolute + relative * |wanted| for each element. */
static inline void am_test_allclose_f(const char *file, int line, const char *name, const float *got,
                                      const float *wanted, size_t n, double relative, double absolute) {
  am_test_worst worst = {0};
  for (size_t i = 0; i < n; i++)
    am_test_compare(&worst, i, got[i], wanted[i], absolute + relative * fabs((double)wanted[i]));
  am_test_close_report(file, line, name, n, &worst);
}

static inline void am_test_allclose_d(const char *file, int line, const char *name, const double *got,
                                      const double *wanted, size_t n, double relative, double absolute) {
  am_test_worst worst = {0};
  for (size_t i = 0; i < n; i++) am_test_compare(&worst, i, got[i], wanted[i], absolute + relative * fabs(wanted[i]));
  am_test_close_report(file, line, name, n, &worst);
}

/* Largest difference over largest wanted value, per tensor, at most `bound`. */
static inline void am_test_tensor_f(const char *file, int line, const char *name, const float *got, const float *wanted,
                                    size_t n, double bound) {
  double largest = 0;
  for (size_t i = 0; i < n; i++)
    if (fabs((double)wanted[i]) > largest) largest = fabs((double)wanted[i]);
  am_test_allclose_f(file, line, name, got, wanted, n, 0, bound * (largest > 0 ? largest : 1));
}

static inline void am_test_tensor_d(const char *file, int line, const char *name, const double *got,
                                    const double *wanted, size_t n, double bound) {
  double largest = 0;
  for (size_t i = 0; i < n; i++)
    if (fabs(wanted[i]) > largest) largest = fabs(wanted[i]);
  am_test_allclose_d(file, line, name, got, wanted, n, 0, bound * (largest > 0 ? largest : 1));
}

#define assert_allclose_f(got, wanted, n, relative, absolute) \
  am_test_allclose_f(__FILE__, __LINE__, #got, got, wanted, n, relative, absolute)
#define assert_allclose_d(got, wanted, n, relative, absolute) \
  am_test_allclose_d(__FILE__, __LINE__, #got, got, wanted, n, relative, absolute)
#define assert_tensor_f(got, wanted, n, bound) am_test_tensor_f(__FILE__, __LINE__, #got, got, wanted, n, bound)
#define assert_tensor_d(got, wanted, n, bound) am_test_tensor_d(__FILE__, __LINE__, #got, got, wanted, n, bound)

#endif
