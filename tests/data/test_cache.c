/* The feature cache and the store: nothing decoded twice, nothing stale, nothing lost by damage. */
#include "corpora.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/system.h"
#include "data/cache.h"
#include "data/loader.h"
#include "io/h5.h"

enum { CLIPS = 6 };

typedef struct fixture {
  am_context *ctx;
  kept_log log;
  am_error err;
  char *folder;
  char cache[1024];
  am_tree *tree[2];
  am_data_options data;
  am_feature_options fo;
  am_features *fx;
  am_dataset *d;
} fixture;

static fixture f;

static const char *in(const char *name) { return am_test_path(f.folder, name); }

/* `count` short tones listed by a manifest, and small features. */
static int setup(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  f.ctx = logging_context(&f.log, 2);
  f.err = (am_error)AM_ERROR_INIT;
  f.folder = am_test_folder();
  snprintf(f.cache, sizeof f.cache, "%s/cache", f.folder);
  am_buffer csv = {0};
  am_buffer_printf(f.ctx, &csv, "path,label,speaker\n");
  for (int i = 0; i < CLIPS; i++) {
    char name[32];
    snprintf(name, sizeof name, "%d.wav", i);
    write_tone(f.ctx, in(name), 200 + 100 * i, 0.3 + 0.05 * i, 8000);
    am_buffer_printf(f.ctx, &csv, "%s,%s,s%d\n", name, i % 2 ? "b" : "a", i % 3);
  }
  am_test_file(in("manifest.csv"), csv.data, csv.used);
  am_buffer_free(f.ctx, &csv);
  f.tree[0] = read_section(f.ctx, am_data_table, "{corpus: manifest}", &f.data);
  f.tree[1] = read_section(f.ctx, am_feature_table, "{sample_rate: 8000, n_fft: 256, hop: 128, mels: 20}", &f.fo);
  f.data.root = f.folder;
  am_test_ok(am_features_create(f.ctx, &f.fo, &f.fx, &f.err), &f.err);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  am_dataset_free(f.d);
  am_features_free(f.fx);
  am_tree_free(f.tree[0]);
  am_tree_free(f.tree[1]);
  am_test_folder_remove(f.folder);
  free(f.folder);
  am_context_free(f.ctx);
  return 0;
}

static am_store *make_store(bool sound) {
  am_store *s = NULL;
  am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, sound, &s, &f.err), &f.err);
  return s;
}

/* The features that no cache had a hand in. */
static am_store *make_fresh(void) {
  am_store *s = NULL;
  am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, true, &s, &f.err), &f.err);
  return s;
}

static void assert_same(const am_store *a, const am_store *b, bool sound) {
  assert_int_equal(am_store_max_frames(a), am_store_max_frames(b));
  for (uint32_t i = 0; i < f.d->n; i++) {
    assert_int_equal(am_store_frames(a, i), am_store_frames(b, i));
    assert_memory_equal(am_store_features(a, i), am_store_features(b, i),
                        (size_t)am_store_frames(a, i) * (size_t)am_store_bins(a) * sizeof(float));
    assert_true(am_store_seconds(a, i) == am_store_seconds(b, i));
    size_t n, m;
    const float *x = am_store_sound(a, i, &n), *y = am_store_sound(b, i, &m);
    if (!sound) continue;
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n * sizeof *x);
  }
}

static void assert_counts(const am_store *s, size_t from_cache, size_t computed) {
  am_store_counts c = am_store_counted(s);
  if (c.from_cache != from_cache || c.computed != computed)
    fail_msg("%zu from the cache and %zu computed, wanted %zu and %zu; %s", c.from_cache, c.computed, from_cache,
             computed, f.log.text);
}

static void the_second_run_decodes_nothing(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  for (int again = 0; again < 2; again++) {
    am_store *s = make_store(false);
    assert_counts(s, again ? CLIPS : 0, again ? 0 : CLIPS);
    assert_same(s, fresh, false);
    am_store_free(s);
  }
  assert_int_equal(f.log.lines, 0);
  am_store_free(fresh);
}

/* Stamps of whole seconds are of a file system that keeps no others: young, they tell nothing.  A key is never odd: those
 * of older programs that knew a file by its content are, and must not be taken for another file's. */
static void coarse_times_are_trusted_when_they_are_old(void **state) {
  (void)state;
  const uint64_t second = 1000000000, now = (uint64_t)time(NULL) * second;
  am_file_id id;
  uint64_t key, other;
  am_test_ok(am_file_identify(in("0.wav"), &id, &f.err), &f.err);
  assert_true(am_cache_file_key(in("0.wav"), &id, &key));
  id.mtime_ns = id.ctime_ns = now;
  assert_false(am_cache_file_key(in("0.wav"), &id, &other));
  id.ctime_ns++;
  assert_true(am_cache_file_key(in("0.wav"), &id, &other));
  assert_true(other != key);
  id.ctime_ns = now - 10 * second;
  assert_false(am_cache_file_key(in("0.wav"), &id, &other)); /* its mtime is young */
  id.mtime_ns = now - 10 * second;
  for (int i = 0; i < 64; i++) {
    id.size++;
    assert_true(am_cache_file_key(in("0.wav"), &id, &key));
    assert_true(key != other);
    assert_int_equal(key & 1, 0);
    assert_int_equal(am_cache_entry_key(key, i, 0, 1) & 1, 0);
    other = key;
  }
}

static void sound_is_kept_when_wanted(void **state) {
  (void)state;
  am_store *fresh = make_fresh(), *s = make_store(false);
  size_t n;
  assert_null(am_store_sound(s, 0, &n));
  am_store_free(s);
  s = make_store(true); /* features are there and the sound is not */
  assert_counts(s, 0, CLIPS);
  assert_same(s, fresh, true);
  am_store_free(s);
  s = make_store(true);
  assert_counts(s, CLIPS, 0);
  assert_same(s, fresh, true);
  am_store_free(s);
  am_store_free(fresh);
}

static void other_settings_are_other_entries(void **state) {
  (void)state;
  am_store_free(make_store(false));
  am_features_free(f.fx);
  f.fo.hop = 64;
  am_test_ok(am_features_create(f.ctx, &f.fo, &f.fx, &f.err), &f.err);
  am_store *s = make_store(false), *fresh = make_fresh();
  assert_counts(s, 0, CLIPS);
  assert_same(s, fresh, false);
  am_store_free(s);
  am_store_free(fresh);
}

/* Rewritten with the same size and the times set back, as soon as it is read: the change time tells, which nobody can set. */
static void changed_files_are_never_stale(void **state) {
  (void)state;
  am_store_free(make_store(false));
  for (int i = 0; i < 20; i++) {
    struct stat before, after;
    assert_int_equal(stat(in("2.wav"), &before), 0);
    write_tone(f.ctx, in("new.wav"), 1234 + 50 * i, 0.4, 8000);
    FILE *from = fopen(in("new.wav"), "rb"), *to = fopen(in("2.wav"), "r+b"); /* in place: the same inode */
    for (int c; (c = fgetc(from)) != EOF;) fputc(c, to);
    fclose(from);
    fclose(to);
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, in("2.wav"), times, 0), 0);
    assert_int_equal(stat(in("2.wav"), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    am_store *s = make_store(false), *fresh = make_fresh();
    assert_counts(s, CLIPS - 1, 1);
    assert_same(s, fresh, false);
    am_store_free(s);
    am_store_free(fresh);
  }
}

static void parts_of_files_have_entries_of_their_own(void **state) {
  (void)state;
  const char *csv = "path,label,start,seconds\n0.wav,a,0,0.1\n0.wav,b,0.1,0.1\n0.wav,b,0.2,\n1.wav,a,,\n";
  am_test_file(in("manifest.csv"), csv, strlen(csv));
  am_dataset_free(f.d);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
  am_store *fresh = make_fresh(), *s = make_store(false);
  assert_counts(s, 0, 4);
  size_t n;
  am_store_sound(fresh, 1, &n);
  assert_int_equal(n, 800);
  am_store_sound(fresh, 2, &n);
  assert_int_equal(n, 800);
  assert_true(am_store_seconds(s, 0) == 0.1);
  am_store_free(s);
  s = make_store(false);
  assert_counts(s, 4, 0);
  assert_same(s, fresh, false);
  am_store_free(s);
  am_store_free(fresh);
  const char *late = "path,label,start,seconds\n0.wav,a,0.2,0.2\n1.wav,b,,\n";
  am_test_file(in("manifest.csv"), late, strlen(late));
  am_dataset_free(f.d);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
  am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, false, &s, &f.err), AM_E_DATA, &f.err,
                "0.wav: the clip from 0.2 s to 0.4 s lies outside the file, which has 0.300 s");
}

static size_t count_shards(void) {
  am_names names;
  am_test_ok(am_folder_list(f.ctx, f.cache, &names, &f.err), &f.err);
  size_t n = names.n;
  am_names_free(f.ctx, &names);
  return n;
}

/* Refused, and with skip_unreadable the same number left out, whatever the cache holds. */
static void assert_too_long(double limit, size_t from_cache, const char *name) {
  f.data.max_seconds = limit;
  for (int cached = 0; cached < 2; cached++) {
    am_store *s = NULL;
    const char *cache = cached ? f.cache : NULL;
    f.data.skip_unreadable = false;
    am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, cache, false, &s, &f.err), AM_E_FORMAT, &f.err, name);
    assert_non_null(strstr(f.err.message, "more than the limit of"));
    f.err = (am_error)AM_ERROR_INIT;
    f.data.skip_unreadable = true;
    am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, cache, false, &s, &f.err), &f.err);
    assert_counts(s, cached ? from_cache : 0, cached ? 0 : from_cache);
    assert_int_equal(am_store_counted(s).skipped, f.d->n - from_cache);
    for (uint32_t i = 0; i < f.d->n; i++) assert_int_equal(am_store_ok(s, i), i < from_cache);
    am_store_free(s);
  }
}

static void the_limit_of_length_holds_with_a_cache(void **state) {
  (void)state;
  am_store_free(make_store(false)); /* six files of 0.3 to 0.55 s */
  assert_too_long(0.42, 3, "3.wav");
  f.data.max_seconds = 0.55; /* the longest, exactly */
  am_store *s = make_store(false);
  assert_counts(s, CLIPS, 0);
  am_store_free(s);
  assert_int_equal(count_shards(), 1);
}

static void load_manifest(const char *csv) {
  am_test_file(in("manifest.csv"), csv, strlen(csv));
  am_dataset_free(f.d);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
}

static void the_limit_is_of_the_file_and_not_of_its_part(void **state) {
  (void)state;
  load_manifest("path,label,start,seconds\n0.wav,a,0.1,0.1\n0.wav,b,,0.1\n5.wav,a,0,0.1\n5.wav,b,0.45,\n");
  am_store_free(make_store(false));
  am_store *s = make_store(false);
  assert_counts(s, 4, 0);
  am_store_free(s);
  f.data.max_seconds = 0.4;
  f.data.skip_unreadable = true;
  s = make_store(false); /* what was decoded under another limit is decoded again */
  assert_counts(s, 0, 2);
  am_store_free(s);
  assert_too_long(0.4, 2, "5.wav");
}

/* 3674 samples at 11025 Hz are 0.33324 s and become 2666 at 8000 Hz, 0.33325 s. */
static void a_length_that_resampling_rounds_over_the_limit(void **state) {
  (void)state;
  write_tone(f.ctx, in("r.wav"), 300, 3674.5 / 11025, 11025);
  load_manifest("path,label\nr.wav,a\n");
  f.data.max_seconds = 0.333245;
  for (int i = 0; i < 3; i++) {
    am_store *s = make_store(false);
    assert_counts(s, 0, 1);
    assert_true(am_store_seconds(s, 0) == 2666 / 8000.);
    am_store_free(s);
  }
  assert_int_equal(count_shards(), 0);
}

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

static void the_first_bad_file_is_named(void **state) {
  (void)state;
  am_test_file(in("4.wav"), "not a sound\n", 12);
  am_test_file(in("3.wav"), "", 0);
  am_store *s = NULL;
  for (int i = 0; i < 3; i++)
    am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, false, &s, &f.err), AM_E_FORMAT, &f.err, "3.wav");
  assert_non_null(strstr(f.err.message, "data.skip_unreadable"));
  f.data.skip_unreadable = true;
  s = make_store(false);
  assert_int_equal(am_store_counted(s).skipped, 2);
  assert_int_equal(am_store_counted(s).from_cache + am_store_counted(s).computed, CLIPS - 2);
  assert_true(am_store_ok(s, 2));
  assert_false(am_store_ok(s, 3));
  assert_false(am_store_ok(s, 4));
  assert_non_null(strstr(f.log.text, "left out 3.wav"));
  assert_non_null(strstr(f.log.text, "left out 4.wav"));
  am_store_free(s);
  for (int i = 0; i < CLIPS; i++) {
    char name[32];
    snprintf(name, sizeof name, "%d.wav", i);
    am_test_file(in(name), "", 0);
  }
  am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, false, &s, &f.err), AM_E_DATA, &f.err,
                "none of the 6 files could be read");
}

/* One that nobody writes into, an endless device, and a link to a file, which is as good as the file. */
static void pipes_and_devices_are_no_clips(void **state) {
  (void)state;
  alarm(60); /* a reader of the pipe would wait for ever */
  unlink(in("2.wav"));
  unlink(in("3.wav"));
  unlink(in("4.wav"));
  assert_int_equal(mkfifo(in("2.wav"), 0666), 0);
  assert_int_equal(symlink("/dev/zero", in("3.wav")), 0);
  assert_int_equal(symlink("5.wav", in("4.wav")), 0);
  am_store *s = NULL;
  am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, false, &s, &f.err), AM_E_FORMAT, &f.err,
                "2.wav is a device or a pipe; wanted a sound file (data.skip_unreadable: true");
  f.data.skip_unreadable = true;
  s = make_store(false);
  assert_int_equal(am_store_counted(s).skipped, 2);
  for (uint32_t i = 0; i < CLIPS; i++) assert_int_equal(am_store_ok(s, i), i != 2 && i != 3);
  am_store_free(s);
  assert_non_null(strstr(f.log.text, "left out 3.wav"));
  alarm(0);
}

static void write_level(const char *name, float level, size_t n) {
  float *x = calloc(n, sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = level;
  am_test_ok(am_sound_write(f.ctx, in(name), x, n, 8000, true, &f.err), &f.err);
  free(x);
}

/* Put aside, named and counted, whether they come from the cache or not; kept when asked to. */
static void nothing_to_hear(void **state) {
  (void)state;
  write_level("1.wav", 0, 4000);
  write_level("3.wav", 0.25f, 4000);
  write_tone(f.ctx, in("5.wav"), 300, 0.05, 8000);
  for (int cached = 0; cached < 2; cached++) {
    am_store *s = make_store(true);
    assert_int_equal(am_store_counted(s).from_cache, cached ? CLIPS : 0);
    assert_int_equal(am_store_counted(s).unheard, 3);
    assert_int_equal(am_store_counted(s).skipped, 0);
    for (uint32_t i = 0; i < CLIPS; i++) {
      assert_int_equal(am_store_unheard(s, i), i == 5 ? AM_UNHEARD_TOO_SHORT : i % 2 ? AM_UNHEARD_SILENT : AM_HEARD);
      assert_int_equal(am_store_ok(s, i), i % 2 == 0);
      assert_true(am_store_readable(s, i));
      assert_true(am_store_file_rate(s, i) == 8000);
    }
    assert_int_equal(am_store_max_frames(s), am_store_frames(s, 4));
    assert_non_null(strstr(f.log.text, "left out 1.wav: it is silent"));
    assert_non_null(strstr(f.log.text, "left out 5.wav: it is too short"));
    am_store_free(s);
  }
  f.data.unheard = AM_UNHEARD_KEEP;
  am_store *s = make_store(true), *fresh = make_fresh();
  assert_int_equal(am_store_counted(s).unheard, 3);
  for (uint32_t i = 0; i < CLIPS; i++) assert_true(am_store_ok(s, i));
  assert_same(s, fresh, true);
  assert_non_null(strstr(f.log.text, "kept 3.wav: it is silent"));
  am_store_free(s);
  am_store_free(fresh);
  f.data.unheard = AM_UNHEARD_LEAVE_OUT;
  for (int i = 0; i < CLIPS; i += 2) write_level(i ? i == 2 ? "2.wav" : "4.wav" : "0.wav", 0, 800);
  am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, false, &s, &f.err), AM_E_DATA, &f.err,
                "none of the 6 clips has anything to hear");
}

static void stopping_stops(void **state) {
  (void)state;
  am_store *s = NULL;
  am_context_stop(f.ctx);
  am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, false, &s, &f.err), AM_E_STOPPED, &f.err,
                "stopped");
}

static void memory_runs_out_cleanly(void **state) {
  (void)state;
  char path[2048];
  am_store_free(make_store(true)); /* so that reading runs out as well */
  only_shard(path, sizeof path);
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
      bool fired = am_test_memory_fired(&m);
      am_test_memory_arm(&m, 0);
      if (status) assert_int_equal(status, AM_E_NOMEM); /* the cache running out is survived */
      if (status) assert_null(s);
      am_store_free(s);
      am_features_free(fx);
      am_context_free(small);
      assert_int_equal(atomic_load(&m.alive), 0);
      keep_shard(path); /* or each would have more to read than the one before */
      if (!fired) break;
    }
}

static void the_real_recordings(void **state) {
  (void)state;
  const char *root;
  am_test_need_shared(root, "data/ravdess");
  am_tree *tree[2] = {
      read_section(f.ctx, am_data_table, "{corpus: ravdess, intensity: strong, speakers: [1, 20]}", &f.data),
      read_section(f.ctx, am_feature_table, "{n_fft: 512, hop: 256, samples: 140526, divide: 255}", &f.fo)};
  f.data.root = root;
  am_features_free(f.fx);
  am_dataset_free(f.d);
  am_test_ok(am_features_create(f.ctx, &f.fo, &f.fx, &f.err), &f.err);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
  am_store *s = make_store(false);
  assert_counts(s, 0, 56);
  assert_int_equal(am_store_max_frames(s), 549);
  assert_int_equal(am_store_bins(s), 128);
  am_store_free(s);
  s = make_store(false);
  assert_counts(s, 56, 0);
  am_store_free(s);
  am_tree_free(tree[0]);
  am_tree_free(tree[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_second_run_decodes_nothing),
      TEST(coarse_times_are_trusted_when_they_are_old),
      TEST(sound_is_kept_when_wanted),
      TEST(other_settings_are_other_entries),
      TEST(changed_files_are_never_stale),
      TEST(parts_of_files_have_entries_of_their_own),
      TEST(the_limit_of_length_holds_with_a_cache),
      TEST(the_limit_is_of_the_file_and_not_of_its_part),
      TEST(a_length_that_resampling_rounds_over_the_limit),
      TEST(damage_is_noticed_and_mended),
      TEST(cut_and_empty_shards_are_ignored),
      TEST(shards_that_contradict_themselves_are_ignored),
      TEST(shards_of_other_dimensions_are_ignored),
      TEST(shards_with_more_values_are_ignored),
      TEST(what_killed_processes_left_goes),
      TEST(two_processes_share_a_folder),
      TEST(a_cache_that_cannot_be_written_is_done_without),
      TEST(a_full_disk_is_said_and_survived),
      TEST(the_first_bad_file_is_named),
      TEST(pipes_and_devices_are_no_clips),
      TEST(nothing_to_hear),
      TEST(stopping_stops),
      TEST(memory_runs_out_cleanly),
      TEST(the_real_recordings),
  };
  return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
