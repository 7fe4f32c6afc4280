/* SPDX-License-Identifier: MIT */
/* The feature cache when something goes wrong: damage, kills, other processes, no space, no memory. */
#include "cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/system.h"
#include "io/h5.h"

/* Calls `change` with the path of every shard. */
static int each_shard(void (*change)(const char *path, long size)) {
  am_names names;
  int n = 0;
  am_test_ok(am_folder_list(f.ctx, f.cache, &names, &f.err), &f.err);
  for (size_t i = 0; i < names.n; i++) {
    struct stat info;
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", f.cache, names.at[i]);
    assert_int_equal(stat(path, &info), 0);
    change(path, (long)info.st_size);
    n++;
  }
  am_names_free(f.ctx, &names);
  return n;
}

static long flip_at;

static void flip(const char *path, long size) {
  FILE *file = fopen(path, "r+b");
  long at = flip_at < 0 ? size + flip_at : flip_at;
  fseek(file, at, SEEK_SET);
  int c = fgetc(file);
  fseek(file, at, SEEK_SET);
  fputc(c ^ 0x10, file);
  fclose(file);
}

static void cut(const char *path, long size) { assert_int_equal(truncate(path, size / 2), 0); }
static void empty(const char *path, long size) {
  (void)size;
  assert_int_equal(truncate(path, 0), 0);
}

static void only_shard(char *path, size_t size) {
  am_names names;
  am_test_ok(am_folder_list(f.ctx, f.cache, &names, &f.err), &f.err);
  assert_int_equal(names.n, 1);
  snprintf(path, size, "%s/%s", f.cache, names.at[0]);
  am_names_free(f.ctx, &names);
}

/* Those beside `path` go. */
static void keep_shard(const char *path) {
  am_names names;
  am_test_ok(am_folder_list(f.ctx, f.cache, &names, &f.err), &f.err);
  for (size_t i = 0; i < names.n; i++)
    if (strcmp(am_test_path(f.cache, names.at[i]), path)) unlink(am_test_path(f.cache, names.at[i]));
  am_names_free(f.ctx, &names);
}

/* Whatever byte is flipped, the features are right, and what was lost is computed again and kept. */
static void damage_is_noticed_and_mended(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  am_store_free(make_store(false));
  struct stat info;
  char path[2048];
  only_shard(path, sizeof path);
  assert_int_equal(stat(path, &info), 0);
  size_t noticed = 0;
  for (flip_at = 0; flip_at < info.st_size; flip_at += 97) {
    flip(path, info.st_size);
    f.log.lines = 0;
    am_store *s = make_store(false);
    assert_same(s, fresh, false);
    am_store_counts c = am_store_counted(s);
    assert_int_equal(c.from_cache + c.computed, CLIPS);
    if (c.computed) {
      noticed++;
      if (!f.log.lines) fail_msg("a flip at %ld was not said", flip_at);
      am_store_free(s);
      s = make_store(false); /* the mended entries are found although the damaged ones are still there */
      assert_counts(s, CLIPS, 0);
      keep_shard(path);
    }
    am_store_free(s);
    flip(path, info.st_size);
  }
  assert_true(noticed > 20);
  am_store_free(fresh);
}

static void cut_and_empty_shards_are_ignored(void **state) {
  (void)state;
  void (*const changes[])(const char *, long) = {cut, empty};
  am_store *fresh = make_fresh();
  for (int i = 0; i < 2; i++) {
    am_store_free(make_store(false));
    assert_true(each_shard(changes[i]) > 0);
    f.log.lines = 0;
    am_store *s = make_store(false);
    assert_counts(s, 0, CLIPS);
    assert_true(f.log.lines > 0);
    assert_non_null(strstr(f.log.text, "the shard is ignored and may be deleted"));
    assert_same(s, fresh, false);
    am_store_free(s);
  }
  am_store_free(fresh);
}

/* Every shard, changed by `change` with checksums that are right, is ignored by one line that holds `why`. */
static void changed_shards_are_ignored(void (*change)(am_h5 *), const char *why) {
  am_store_free(make_store(false));
  am_names names;
  am_test_ok(am_folder_list(f.ctx, f.cache, &names, &f.err), &f.err);
  assert_true(names.n > 0);
  for (size_t i = 0; i < names.n; i++) {
    am_h5 *file;
    am_test_ok(am_h5_open(f.ctx, am_test_path(f.cache, names.at[i]), AM_H5_UPDATE, &file, &f.err), &f.err);
    change(file);
    am_test_ok(am_h5_commit(file, &f.err), &f.err);
  }
  am_names_free(f.ctx, &names);
  f.log.lines = 0;
  am_store *s = make_store(false);
  assert_counts(s, 0, CLIPS);
  assert_int_equal(f.log.lines, 1);
  assert_non_null(strstr(f.log.text, why));
  am_store_free(s);
}

static void shorten_rows(am_h5 *file) {
  const size_t one = 1;
  const int64_t rows = 1;
  am_test_ok(am_h5_write(file, "rows", AM_H5_I64, 1, &one, &rows, &f.err), &f.err);
}

static void fold_values(am_h5 *file) {
  am_h5_info info;
  void *values;
  am_test_ok(am_h5_read_new(file, "values", AM_H5_F32, &info, &values, &f.err), &f.err);
  const size_t dims[] = {info.count / 20, 20};
  assert_int_equal(dims[0] * dims[1], info.count);
  am_test_ok(am_h5_write(file, "values", AM_H5_F32, 2, dims, values, &f.err), &f.err);
  am_free_aligned(f.ctx, values);
}

static void lengthen_values(am_h5 *file) {
  am_h5_info info;
  am_test_ok(am_h5_get_info(file, "values", &info, &f.err), &f.err);
  const size_t more = info.count + 1;
  float *values = calloc(more, sizeof *values);
  am_test_ok(am_h5_write(file, "values", AM_H5_F32, 1, &more, values, &f.err), &f.err);
  free(values);
}

/* A shard whose every array is sound, and one of them too short. */
static void shards_that_contradict_themselves_are_ignored(void **state) {
  (void)state;
  changed_shards_are_ignored(shorten_rows, "6 keys and 1 of rows; the shard is ignored and may be deleted");
}

/* The same values in two dimensions: their rows are 20 times what an entry says, and would be read into its memory. */
static void shards_of_other_dimensions_are_ignored(void **state) {
  (void)state;
  changed_shards_are_ignored(fold_values, "values are not one row of float32; the shard is ignored and may be deleted");
}

/* One value more than the sizes of its entries add up to. */
static void shards_with_more_values_are_ignored(void **state) {
  (void)state;
  changed_shards_are_ignored(lengthen_values, "values, its entries want");
}

/* 4194304 is the largest process id of Linux plus one. */
static void what_killed_processes_left_goes(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int age;
    bool stays;
  } files[] = {{"features-1.h5.4194305.audiomood.tmp", 7200, false},
               {"features-2.h5.4194305.audiomood.tmp", 60, true}, /* it may be another machine's, which is writing it */
               {"thesis.4194305.tmp", 7200, true}};               /* not ours */
  am_test_ok(am_folder_create(f.ctx, f.cache, &f.err), &f.err);
  for (int i = 0; i < 3; i++) {
    const struct timespec then = {.tv_sec = time(NULL) - files[i].age}, times[2] = {then, then};
    am_test_file(am_test_path(f.cache, files[i].name), "half", 4);
    assert_int_equal(utimensat(AT_FDCWD, am_test_path(f.cache, files[i].name), times, 0), 0);
  }
  am_store_free(make_store(false));
  for (int i = 0; i < 3; i++) assert_int_equal(am_file_exists(am_test_path(f.cache, files[i].name)), files[i].stays);
}

static void two_processes_share_a_folder(void **state) {
  (void)state;

  enum { RUNS = 4 };
  pid_t child[RUNS];
  for (int i = 0; i < RUNS; i++) {
    fflush(NULL); /* or the child may write what is buffered a second time */
    child[i] = fork();
    assert_true(child[i] >= 0);
    if (child[i]) continue;
    /* the parent's pool threads do not live here: a context of its own */
    am_settings settings = {.size = sizeof settings, .threads = 1};
    am_context *ctx;
    am_features *fx;
    am_store *s;
    if (am_context_create(&settings, &ctx, NULL) || am_features_create(ctx, &f.fo, &fx, NULL)) _exit(2);
    for (int k = 0; k < 3; k++) {
      if (am_store_create(ctx, f.d, fx, &f.data, f.cache, i % 2, &s, NULL)) _exit(3);
      am_store_free(s);
    }
    am_features_free(fx);
    am_context_free(ctx);
    _exit(0);
  }
  for (int i = 0; i < RUNS; i++) {
    int how;
    assert_int_equal(waitpid(child[i], &how, 0), child[i]);
    assert_int_equal(how, 0);
  }
  am_store *fresh = make_fresh(), *s = make_store(true);
  assert_counts(s, CLIPS, 0);
  assert_same(s, fresh, true);
  assert_int_equal(f.log.lines, 0);
  am_store_free(s);
  am_store_free(fresh);
}

static void a_cache_that_cannot_be_written_is_done_without(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  am_test_file(f.cache, "x", 1); /* a file where the folder should be */
  am_store *s = make_store(false);
  assert_counts(s, 0, CLIPS);
  assert_same(s, fresh, false);
  assert_non_null(strstr(f.log.text, "continuing without it"));
  am_store_free(s);
  am_store_free(fresh);
}

static int full_fsync(int fd) {
  (void)fd;
  errno = ENOSPC;
  return -1;
}

static void a_full_disk_is_said_and_survived(void **state) {
  (void)state;
  am_system broken = am_system_real;
  broken.fsync = full_fsync;
  am_context_set_system(f.ctx, &broken);
  am_store *s = make_store(false);
  am_context_set_system(f.ctx, &am_system_real);
  assert_counts(s, 0, CLIPS);
  assert_non_null(strstr(f.log.text, "No space left"));
  am_store_free(s);
  am_names names;
  am_test_ok(am_folder_list(f.ctx, f.cache, &names, &f.err), &f.err);
  assert_int_equal(names.n, 0); /* nothing half-written */
  am_names_free(f.ctx, &names);
}

static void memory_runs_out_cleanly(void **state) {
  (void)state;
  char path[2048];
  am_store_free(make_store(true)); /* so that reading runs out as well */
  only_shard(path, sizeof path);
  const double louder[] = {3};
  const uint32_t clips[] = {0, 4};
  const am_augment_options o = {.copies_probability = 1, .copies = 2, .gain = {1, louder}};
  for (int cached = 0; cached < 2; cached++)
    for (long n = 1;; n++) {
      am_test_memory m;
      am_context *small = am_test_memory_context(&m, 1);
      am_features *fx;
      am_test_ok(am_features_create(small, &f.fo, &fx, &f.err), &f.err);
      am_store *s = NULL;
      am_error err = AM_ERROR_INIT;
      am_test_memory_arm(&m, n);
      am_status status = am_store_create(small, f.d, fx, &f.data, cached ? f.cache : NULL, true, &s, &err);
      const bool made = !status;
      if (!status) status = am_store_add_copies(s, f.d, fx, &f.data, cached ? f.cache : NULL, &o, clips, 2, &err);
      bool fired = am_test_memory_fired(&m);
      am_test_memory_arm(&m, 0);
      if (status) assert_int_equal(status, AM_E_NOMEM); /* the cache running out is survived */
      if (!made) assert_null(s);
      if (made) assert_int_equal(am_store_copies(s), status ? 0 : 2);
      am_store_free(s);
      am_features_free(fx);
      am_context_free(small);
      assert_int_equal(atomic_load(&m.alive), 0);
      keep_shard(path); /* or each would have more to read than the one before */
      if (!fired) break;
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(damage_is_noticed_and_mended),
      TEST(cut_and_empty_shards_are_ignored),
      TEST(shards_that_contradict_themselves_are_ignored),
      TEST(shards_of_other_dimensions_are_ignored),
      TEST(shards_with_more_values_are_ignored),
      TEST(what_killed_processes_left_goes),
      TEST(two_processes_share_a_folder),
      TEST(a_cache_that_cannot_be_written_is_done_without),
      TEST(a_full_disk_is_said_and_survived),
      TEST(memory_runs_out_cleanly),
  };
  return cmocka_run_group_tests_name("cache damage", tests, NULL, NULL);
}
