/* SPDX-License-Identifier: MIT */
/* Errors, context, memory, buffers, arenas, nearest names, checksums. */
#include "testing.h"

#include <errno.h>
#include <signal.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/file.h"
#include "base/number.h"
#include "base/processors.h"

static void errors_keep_the_first(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  assert_int_equal(am_fail(&err, AM_E_DATA, "first %d", 1), AM_E_DATA);
  assert_int_equal(am_fail(&err, AM_E_IO, "second"), AM_E_IO);
  assert_int_equal(err.status, AM_E_DATA);
  assert_string_equal(err.message, "first 1");
  assert_int_equal(am_error_prefix(&err, "run %s", "7"), AM_E_DATA);
  assert_string_equal(err.message, "run 7: first 1");
  assert_int_equal(am_fail(NULL, AM_E_SHAPE, "nobody reads this"), AM_E_SHAPE);
  assert_int_not_equal(am_error_prefix(NULL, "x"), AM_OK);
}

/* ---- processors ---- */

static void put(const char *root, const char *name, const char *text) {
  char *folder = strdup(am_test_path(root, name)), *last = strrchr(folder, '/');
  char command[1024];
  *last = '\0';
  snprintf(command, sizeof command, "mkdir -p '%s'", folder);
  assert_int_equal(system(command), 0);
  free(folder);
  am_test_file(am_test_path(root, name), text, strlen(text));
}

static void as_many_threads_as_slurm_and_the_affinity_allow(void **state) {
  (void)state;
  char *root = am_test_folder(); /* without control groups */
  assert_int_equal(am_processors_of(6, root, NULL), 6);
  assert_int_equal(am_processors_of(6, root, "4"), 4);
  assert_int_equal(am_processors_of(2, root, "4"), 2); /* the task was bound to fewer */
  assert_int_equal(am_processors_of(6, root, "0"), 6);
  assert_int_equal(am_processors_of(6, root, "4 or so"), 6);
  assert_int_equal(am_processors_of(6, root, ""), 6);
  assert_int_equal(am_processors_of(0, root, NULL), 1);
  assert_int_equal(am_processors_of(5000, root, NULL), 1024);
  am_test_folder_remove(root);
  free(root);
}

static void as_many_threads_as_control_groups_allow(void **state) {
  (void)state;
  char *root = am_test_folder();
  put(root, "proc/self/cgroup", "0::/job/step\n");
  put(root, "sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  assert_int_equal(am_processors_of(8, root, NULL), 8);
  put(root, "sys/fs/cgroup/job/cpu.max", "250000 100000\n"); /* of the one above */
  assert_int_equal(am_processors_of(8, root, NULL), 3);
  put(root, "sys/fs/cgroup/job/step/cpu.max", "50000 100000\n");
  assert_int_equal(am_processors_of(8, root, NULL), 1);
  put(root, "sys/fs/cgroup/job/step/cpu.max", "nonsense\n");
  put(root, "sys/fs/cgroup/job/cpu.max", "x y\n");
  put(root, "sys/fs/cgroup/cpu.max", "400000 100000\n"); /* of the container */
  assert_int_equal(am_processors_of(8, root, "6"), 4);
  put(root, "proc/self/cgroup", "0::/named/by/the/host\n");
  assert_int_equal(am_processors_of(8, root, NULL), 4);
  am_test_folder_remove(root);
  free(root);
}

static void as_many_threads_as_old_control_groups_allow(void **state) {
  (void)state;
  char *root = am_test_folder();
  put(root, "proc/self/cgroup", "9:memory:/other\n4:cpuset,cpuacct:/other\n3:cpuacct,cpu:/job\nbroken\n0::/\n");
  put(root, "sys/fs/cgroup/cpu/other/cpu.cfs_quota_us", "100000\n");
  put(root, "sys/fs/cgroup/cpu/other/cpu.cfs_period_us", "100000\n");
  put(root, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
  put(root, "sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  assert_int_equal(am_processors_of(8, root, NULL), 8);
  put(root, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "300000\n");
  assert_int_equal(am_processors_of(8, root, NULL), 3);
  am_test_folder_remove(root);
  free(root);
}

/* Each kind of character that steers a terminal, and its neighbours, which do not. */
static void texts_that_are_shown_steer_no_terminal(void **state) {
  (void)state;
  static const struct {
    const char *text, *shown;
  } cases[] = {
      {"a\x1b[31m\a\t\n\x7f~", "a [31m    ~"},
      {"\xc2\x80\xc2\x84\xc2\x85\xc2\x9b\xc2\x9f\xc2\xa0", "?? ??\xc2\xa0"},
      {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf", "\xe2\x80\xa7  ??\xe2\x80\xaf"},
      {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5??\xe2\x81\xaa"},
      {"\xff\x9b\xc3\xe2\x80", "?????"},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\xd7\x90", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\xd7\x90"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[64];
    snprintf(text, sizeof text, "%s", cases[i].text);
    am_text_one_line(text);
    assert_string_equal(text, cases[i].shown);
    am_error err = AM_ERROR_INIT;
    am_fail(&err, AM_E_IO, "%s", cases[i].text);
    assert_string_equal(err.message, cases[i].shown);
  }
}

static void errors_are_one_line_of_utf8(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  am_fail(&err, AM_E_IO, "a\nb\tc\r");
  assert_string_equal(err.message, "a b c ");
  char text[1100];
  for (size_t shift = 0; shift < 3; shift++) { /* a euro sign (3 bytes) falls on the cut in every way */
    size_t n = shift;
    memset(text, 'x', shift);
    while (n + 3 < sizeof text) {
      memcpy(text + n, "\xe2\x82\xac", 3);
      n += 3;
    }
    text[n] = '\0';
    am_error cut = AM_ERROR_INIT;
    am_fail(&cut, AM_E_IO, "%s", text);
    size_t length = strlen(cut.message);
    assert_true(length <= 1023 && length > 1019);
    assert_int_equal((length - shift) % 3, 0);
  }
  struct {
    am_error err;
    char guard[8];
  } small = {.err = {.size = offsetof(am_error, message) + 8}};
  am_fail(&small.err, AM_E_IO, "longer than eight");
  assert_string_equal(small.err.message, "longer ");
}

static void errors_say_why_by_errno(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  assert_int_equal(am_fail_errno(&err, ENOENT, "cannot open %s", "x.wav"), AM_E_IO);
  assert_string_equal(err.message, "cannot open x.wav: No such file or directory");
  am_error full = AM_ERROR_INIT;
  am_fail_errno(&full, ENOSPC, "cannot write x");
  assert_non_null(strstr(full.message, "disk is full"));
  for (int s = AM_OK; s >= AM_E_UNSUPPORTED; s--) assert_string_not_equal(am_status_name(s), "unknown status");
  assert_string_equal(am_status_name(-99), "unknown status");
}

static void context_refuses_bad_settings(void **state) {
  (void)state;
  am_error err;
  am_context *ctx = (am_context *)&err;
  am_settings s = {.size = sizeof s, .threads = -1};
  am_test_fails(am_context_create(&s, &ctx, &err), AM_E_USAGE, &err, "threads is -1");
  assert_null(ctx);
  s.threads = 5000;
  am_test_fails(am_context_create(&s, &ctx, &err), AM_E_USAGE, &err, "1 to 1024");
  s = (am_settings){.size = sizeof s, .cpu = "sse9"};
  am_test_fails(am_context_create(&s, &ctx, &err), AM_E_USAGE, &err, "this machine has plain");
  s = (am_settings){.size = 0};
  am_test_fails(am_context_create(&s, &ctx, &err), AM_E_USAGE, &err, "sizeof(am_settings)");
  s = (am_settings){.size = offsetof(am_settings, cpu), .threads = 3, .cpu = "beyond what size covers"};
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_context_create(&s, &ctx, &err), &err);
  assert_int_equal(am_context_threads(ctx), 3);
  am_context_free(ctx);
  am_context_free(NULL);
}

static void context_chooses_a_processor_path(void **state) {
  (void)state;
  const char *names[AM_TEST_CPUS];
  size_t n = am_test_cpus(names);
  assert_true(n >= 1);
  char *kept = getenv("AM_CPU") ? strdup(getenv("AM_CPU")) : NULL;
  unsetenv("AM_CPU");
  am_context *ctx = am_test_context(1, NULL);
  assert_string_equal(am_context_cpu(ctx), names[n - 1]);
  am_context_free(ctx);
  setenv("AM_CPU", "plain", 1);
  ctx = am_test_context(1, NULL);
  assert_string_equal(am_context_cpu(ctx), "plain");
  assert_int_equal(am_context_cpu_id(ctx), AM_CPU_PLAIN);
  am_context_free(ctx);
  ctx = am_test_context(1, names[n - 1]); /* the setting wins */
  assert_string_equal(am_context_cpu(ctx), names[n - 1]);
  am_context_free(ctx);
  setenv("AM_CPU", "fast", 1);
  am_error err;
  am_test_fails(am_context_create(NULL, &ctx, &err), AM_E_USAGE, &err, "AM_CPU: no processor path \"fast\"");
  if (kept) setenv("AM_CPU", kept, 1);
  else unsetenv("AM_CPU");
  free(kept);
  /* No machine has the paths of two processors. */
  const bool is_arm = !strcmp(names[n - 1], "neon");
  assert_true(!is_arm || n == 2);
  am_settings s = {.size = sizeof s, .cpu = is_arm ? "avx512" : "neon"};
  am_test_fails(am_context_create(&s, &ctx, &err), AM_E_USAGE, &err,
                is_arm ? "this machine lacks avx512; it has plain, neon" : "this machine lacks neon; it has plain");
}

static am_context *signalled;
static void on_signal(int number) {
  (void)number;
  am_context_stop(signalled);
}

static void stop_works_from_a_signal(void **state) {
  (void)state;
  signalled = am_test_context(2, NULL);
  assert_false(am_context_stopping(signalled));
  signal(SIGUSR1, on_signal);
  raise(SIGUSR1);
  signal(SIGUSR1, SIG_DFL);
  assert_true(am_context_stopping(signalled));
  am_context_free(signalled);
}

typedef struct heard {
  int lines, progress;
  am_log_level level;
  char last[4096];
} heard;

static void hear(void *user, am_log_level level, const char *line) {
  heard *h = user;
  h->lines++;
  h->level = level;
  snprintf(h->last, sizeof h->last, "%s", line);
}

static void hear_progress(void *user, const am_progress *p) { ((heard *)user)->progress += (int)p->done; }

static void log_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  am_log(arg, AM_LOG_INFO, "piece %zu", piece);
}

static void sinks_hear_one_call_at_a_time(void **state) {
  (void)state;
  heard h = {0};
  am_settings s = {.size = sizeof s, .threads = 4, .log = hear, .progress = hear_progress, .user = &h};
  am_context *ctx;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_context_create(&s, &ctx, &err), &err);
  am_log(ctx, AM_LOG_WARNING, "%s %d", "hello", 5);
  assert_string_equal(h.last, "hello 5");
  assert_int_equal(h.level, AM_LOG_WARNING);
  char longer[3000];
  memset(longer, 'y', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  am_log(ctx, AM_LOG_INFO, "%s", longer);
  assert_string_equal(h.last, longer);
  am_progress_emit(ctx, &(am_progress){.size = sizeof(am_progress), .done = 3});
  assert_int_equal(h.progress, 3);
  h.lines = 0;
  am_parallel_for(ctx, 200, log_piece, ctx);
  assert_int_equal(h.lines, 200);
  am_context_free(ctx);
  ctx = am_test_context(1, NULL); /* without sinks nothing happens */
  am_log(ctx, AM_LOG_INFO, "nobody");
  am_progress_emit(ctx, &(am_progress){.size = sizeof(am_progress)});
  am_context_free(ctx);
}

static void sizes_do_not_overflow(void **state) {
  (void)state;
  assert_true(am_mul(SIZE_MAX / 2, 3) == SIZE_MAX);
  assert_true(am_mul(7, 6) == 42);
  assert_true(am_mul(SIZE_MAX, 0) == 0);
  assert_true(am_add(SIZE_MAX, 1) == SIZE_MAX);
  am_context *ctx = am_test_context(1, NULL);
  assert_null(am_alloc(ctx, SIZE_MAX / 4, 8));
  assert_null(am_resize(ctx, NULL, SIZE_MAX, 1));
  assert_null(am_alloc_aligned(ctx, SIZE_MAX - 8));
  am_context_free(ctx);
}

static void check_memory(am_context *ctx) {
  char *a = am_alloc(ctx, 100, 3);
  for (int i = 0; i < 300; i++) assert_int_equal(a[i], 0);
  memset(a, 1, 300);
  a = am_resize(ctx, a, 1000, 10);
  assert_int_equal(a[299], 1);
  am_free(ctx, a);
  am_free(ctx, NULL);
  void *empty = am_alloc(ctx, 0, 8);
  assert_non_null(empty);
  am_free(ctx, empty);
  const size_t sizes[] = {0, 1, 63, 64, 65, 4096, (1 << 20) - 1, 1 << 20, (5 << 20) + 3};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    unsigned char *p = am_alloc_aligned(ctx, sizes[i]);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (size_t k = 0; k < sizes[i]; k += 1 + sizes[i] / 97) assert_int_equal(p[k], 0);
    if (sizes[i]) p[0] = p[sizes[i] - 1] = 9;
    am_free_aligned(ctx, p);
  }
  am_free_aligned(ctx, NULL);
  char *text = am_format(ctx, "%s-%03d", "clip", 7);
  assert_string_equal(text, "clip-007");
  char *copy = am_strdup(ctx, text);
  assert_string_equal(copy, text);
  am_free(ctx, copy);
  am_free(ctx, text);
}

static void arrays_grow(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  uint64_t *at = NULL;
  size_t room = 0, moves = 0, before;
  for (size_t n = 0; n < 1000; n++) {
    before = room;
    am_test_ok(am_grow(ctx, &at, &room, n + 1, sizeof *at, &err), &err);
    moves += room != before;
    assert_true(room > n);
    at[n] = n;
  }
  assert_true(moves < 10); /* it doubles */
  for (size_t n = 0; n < 1000; n++) assert_true(at[n] == n);
  before = room;
  am_test_ok(am_grow(ctx, &at, &room, 5000, sizeof *at, &err), &err);
  assert_true(room >= 5000);
  uint64_t *kept = at;
  before = room;
  am_test_fails(am_grow(ctx, &at, &room, SIZE_MAX / 4, sizeof *at, &err), AM_E_NOMEM, &err, "memory");
  assert_true(at == kept && room == before && at[999] == 999);
  am_free(ctx, at);
  am_context_free(ctx);
}

static void the_largest_is_the_first_of_equals(void **state) {
  (void)state;
  assert_int_equal(am_largest((const float[]){0.25f}, 1), 0);
  assert_int_equal(am_largest((const float[]){-3, -1, -2, -1}, 4), 1);
  assert_int_equal(am_largest((const float[]){0, 0, 1}, 3), 2);
}

static void memory_is_zeroed_and_aligned(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  check_memory(ctx);
  am_context_free(ctx);
  am_test_memory m;
  ctx = am_test_memory_context(&m, 1);
  check_memory(ctx);
  am_context_free(ctx);
  assert_int_equal(atomic_load(&m.alive), 0);
}

static void context_survives_failed_allocation(void **state) {
  (void)state;
  for (long n = 1; n <= 2; n++) {
    am_test_memory m;
    atomic_init(&m.count, 0);
    atomic_init(&m.fail_at, n);
    atomic_init(&m.alive, 0);
    am_settings s = {.size = sizeof s, .threads = 2, .resize = am_test_resize, .memory_user = &m};
    am_context *ctx;
    am_error err;
    am_test_fails(am_context_create(&s, &ctx, &err), AM_E_NOMEM, &err, "out of memory");
    assert_int_equal(atomic_load(&m.alive), 0);
  }
}

static void buffers_grow_and_remember_failure(void **state) {
  (void)state;
  am_test_memory m;
  am_context *ctx = am_test_memory_context(&m, 1);
  am_buffer b = {0};
  for (int i = 0; i < 1000; i++) am_buffer_printf(ctx, &b, "%d,", i);
  assert_false(b.failed);
  assert_int_equal(b.used, strlen(b.data));
  assert_non_null(strstr(b.data, ",998,999,"));
  am_buffer_append(ctx, &b, "a\0b", 3);
  assert_memory_equal(b.data + b.used - 3, "a\0b", 4);
  am_test_memory_arm(&m, 1);
  size_t used = b.used;
  am_buffer_printf(ctx, &b, "lost");
  assert_true(b.failed);
  am_buffer_append(ctx, &b, "also lost", 9);
  assert_int_equal(b.used, used);
  am_buffer_free(ctx, &b);
  assert_null(b.data);
  am_context_free(ctx);
  assert_int_equal(atomic_load(&m.alive), 0);
}

static size_t place(am_arena *a, char *pieces[3]) {
  pieces[0] = am_arena_take(a, 3, 4);
  pieces[1] = am_arena_take(a, 100, 8);
  pieces[2] = am_arena_take(a, 1, 1);
  return a->used;
}

static void arenas_count_then_assign(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  char *pieces[3];
  am_arena count = {0};
  assert_int_equal(place(&count, pieces), 64 + 832 + 64);
  assert_null(pieces[0]);
  char *slab = am_alloc_aligned(ctx, count.used);
  am_arena real = {slab, count.used, 0};
  place(&real, pieces);
  assert_ptr_equal(pieces[0], slab);
  assert_ptr_equal(pieces[1], slab + 64);
  assert_ptr_equal(pieces[2], slab + 896);
  assert_int_equal(real.used, count.used);
  am_free_aligned(ctx, slab);
  am_arena huge = {0};
  am_arena_take(&huge, SIZE_MAX / 2, 4);
  am_arena_take(&huge, 1, 4);
  assert_true(huge.used == SIZE_MAX);
  am_context_free(ctx);
}

static void nearest_finds_slips_of_the_pen(void **state) {
  (void)state;
  static const char *const names[] = {"filters", "kernel", "stride", "padding", "use_bias", "activation", "lr"};
  struct {
    const char *word, *wanted;
  } cases[] = {{"filers", "filters"},
               {"fliters", "filters"},
               {"Kernel", "kernel"},
               {"activaton", "activation"},
               {"usebias", "use_bias"},
               {"kernel_sizes", NULL},
               {"xyz", NULL},
               {"", NULL},
               {"l", NULL},
               {"rl", "lr"},
               {"ab", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *found = am_nearest(cases[i].word, names, 7, sizeof *names);
    if (!cases[i].wanted) assert_null(found);
    else assert_string_equal(found ? found : "nothing", cases[i].wanted);
  }
  struct row {
    int a;
    const char *name;
    double b;
  } rows[] = {{1, "alpha", 0}, {2, "beta", 0}};
  assert_string_equal(am_nearest("bata", &rows[0].name, 2, sizeof rows[0]), "beta");
  char longer[200];
  memset(longer, 'a', sizeof longer - 1);
  longer[199] = '\0';
  assert_null(am_nearest(longer, names, 7, sizeof *names));
}

static void crc32c_gives_the_known_answers(void **state) {
  (void)state;
  unsigned char data[32] = {0}; /* RFC 3720, B.4 */
  assert_int_equal(am_crc32c(0, data, 32), 0x8a9136aa);
  memset(data, 0xff, 32);
  assert_int_equal(am_crc32c(0, data, 32), 0x62a8ab43);
  for (int i = 0; i < 32; i++) data[i] = (unsigned char)i;
  assert_int_equal(am_crc32c(0, data, 32), 0x46dd794e);
  assert_int_equal(am_crc32c(0, "123456789", 9), 0xe3069283);
  assert_int_equal(am_crc32c(am_crc32c(0, data, 13), data + 13, 19), 0x46dd794e);
  assert_int_equal(am_crc32c(0, "", 0), 0);
  for (size_t n = 0; n <= 32; n++)
    assert_int_equal(am_crc32c_join(am_crc32c(0, data, n), am_crc32c(0, data + n, 32 - n), 32 - n), 0x46dd794e);
  assert_true(am_hash64(1, data, 32) != am_hash64(2, data, 32));
  assert_true(am_hash64(1, data, 32) != am_hash64(1, data, 31));
  assert_true(am_hash64(1, data, 32) == am_hash64(1, data, 32));
}

static void crc32c_of_much_equals_that_of_its_bytes(void **state) {
  (void)state;
  enum { MOST = (1 << 16) + 1000 };
  static unsigned char data[MOST];
  for (size_t i = 0; i < MOST; i++) data[i] = (unsigned char)(i * 2654435761u >> 24);
  for (size_t n = (1 << 16) - 3; n <= MOST; n += 97) {
    uint32_t crc = 0x12345678;
    for (size_t i = 0; i < n; i++) crc = am_crc32c(crc, data + i, 1);
    assert_int_equal(am_crc32c(0x12345678, data, n), crc);
  }
}

static void version_is_three_numbers(void **state) {
  (void)state;
  int major, minor, patch, end = 0;
  assert_int_equal(sscanf(am_version(), "%d.%d.%d%n", &major, &minor, &patch, &end), 3);
  assert_int_equal(am_version()[end], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_keep_the_first),
      cmocka_unit_test(as_many_threads_as_slurm_and_the_affinity_allow),
      cmocka_unit_test(as_many_threads_as_control_groups_allow),
      cmocka_unit_test(as_many_threads_as_old_control_groups_allow),
      cmocka_unit_test(texts_that_are_shown_steer_no_terminal),
      cmocka_unit_test(errors_are_one_line_of_utf8),
      cmocka_unit_test(errors_say_why_by_errno),
      cmocka_unit_test(context_refuses_bad_settings),
      cmocka_unit_test(context_chooses_a_processor_path),
      cmocka_unit_test(stop_works_from_a_signal),
      cmocka_unit_test(sinks_hear_one_call_at_a_time),
      cmocka_unit_test(sizes_do_not_overflow),
      cmocka_unit_test(memory_is_zeroed_and_aligned),
      cmocka_unit_test(arrays_grow),
      cmocka_unit_test(the_largest_is_the_first_of_equals),
      cmocka_unit_test(context_survives_failed_allocation),
      cmocka_unit_test(buffers_grow_and_remember_failure),
      cmocka_unit_test(arenas_count_then_assign),
      cmocka_unit_test(nearest_finds_slips_of_the_pen),
      cmocka_unit_test(crc32c_gives_the_known_answers),
      cmocka_unit_test(crc32c_of_much_equals_that_of_its_bytes),
      cmocka_unit_test(version_is_three_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
