/* SPDX-License-Identifier: MIT */
/* More features and sounds than data.memory allows: they are read from the cache, and are the same numbers. */
#include "cache_fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "base/system.h"

static void allow_nothing(void) { f.data.memory = 1; }

/* The clip's features, and sound, read as training reads them. */
static void assert_read(const am_store *s, const am_store *fresh, uint32_t clip) {
  const size_t cells = (size_t)am_store_frames(fresh, clip) * (size_t)am_store_bins(fresh);
  size_t n;
  const float *sound = am_store_sound(fresh, clip, &n);
  float *x = malloc(cells * sizeof *x), *y = malloc(n * sizeof *y);
  assert_int_equal(am_store_frames(s, clip), am_store_frames(fresh, clip));
  am_test_ok(am_store_read(s, clip, x, &f.err), &f.err);
  assert_memory_equal(x, am_store_features(fresh, clip), cells * sizeof *x);
  assert_true(am_store_seconds(s, clip) == am_store_seconds(fresh, clip));
  assert_true(am_store_digest(s, clip) == am_store_digest(fresh, clip));
  assert_true(am_store_file_rate(s, clip) == am_store_file_rate(fresh, clip));
  if (am_store_has_sound(s)) {
    assert_int_equal(am_store_samples(s, clip), n);
    am_test_ok(am_store_read_sound(s, clip, y, &f.err), &f.err);
    assert_memory_equal(y, sound, n * sizeof *y);
  }
  free(x);
  free(y);
}

static void assert_all_read(const am_store *s, const am_store *fresh) {
  for (int round = 0; round < 2; round++)
    for (uint32_t i = 0; i < CLIPS; i++) assert_read(s, fresh, i);
}

static void nothing_stays_and_nothing_changes(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  allow_nothing();
  for (int sound = 0; sound < 2; sound++)
    for (int round = 0; round < 2; round++) { /* computed, then from the cache */
      am_store *s = make_store(sound);
      assert_counts(s, round ? CLIPS : 0, round ? 0 : CLIPS);
      assert_int_equal(am_store_held(s), 0);
      assert_null(am_store_features(s, 0));
      assert_int_equal(am_store_max_frames(s), am_store_max_frames(fresh));
      assert_all_read(s, fresh);
      am_store_free(s);
    }
  assert_int_equal(f.log.lines, 0);
  am_store_free(fresh);
}

/* 16 MiB are for shards as they are written; one more has room for three of six sounds of 320 kB. */
static void some_stay(void **state) {
  (void)state;
  for (int i = 0; i < CLIPS; i++) {
    char name[32];
    snprintf(name, sizeof name, "%d.wav", i);
    write_tone(f.ctx, in(name), 200 + 100 * i, 10, 8000); /* 320 kB as samples */
  }
  am_store *fresh = make_fresh();
  f.data.memory = (16 << 20) + (1 << 20);
  am_store_free(make_store(true));
  am_store *s = make_store(true);
  assert_counts(s, CLIPS, 0);
  assert_in_range(am_store_held(s), 600000, 1 << 20);
  size_t n;
  assert_non_null(am_store_sound(s, 0, &n));
  assert_null(am_store_sound(s, CLIPS - 1, &n));
  assert_int_equal(n, 80000);
  assert_all_read(s, fresh);
  am_store_free(s);
  f.data.memory = 0; /* all */
  s = make_store(true);
  assert_same(s, fresh, true);
  am_store_free(s);
  am_store_free(fresh);
}

static void copies_do_not_stay_either(void **state) {
  (void)state;
  static const uint32_t clips[] = {1, 3, 5};
  am_augment_options o;
  am_tree *tree = read_section(f.ctx, am_augment_table, "{copies: 2, copies_probability: 1, speed: [0.5, 0.8]}", &o);
  am_store *fresh = make_fresh();
  am_test_ok(am_store_add_copies(fresh, f.d, f.fx, &f.data, NULL, &o, clips, 3, &f.err), &f.err);
  allow_nothing();
  for (int round = 0; round < 2; round++) {
    am_store *s = make_store(false);
    am_test_ok(am_store_add_copies(s, f.d, f.fx, &f.data, f.cache, &o, clips, 3, &f.err), &f.err);
    assert_int_equal(am_store_held(s), 0);
    for (int k = 1; k <= 2; k++)
      for (size_t i = 0; i < 3; i++) {
        const am_store *a = am_store_copy(s, k), *b = am_store_copy(fresh, k);
        const size_t cells = (size_t)am_store_frames(b, clips[i]) * (size_t)am_store_bins(b);
        float *x = malloc(cells * sizeof *x);
        assert_int_equal(am_store_frames(a, clips[i]), am_store_frames(b, clips[i]));
        am_test_ok(am_store_read(a, clips[i], x, &f.err), &f.err);
        assert_memory_equal(x, am_store_features(b, clips[i]), cells * sizeof *x);
        free(x);
      }
    am_store_free(s);
  }
  am_store_free(fresh);
  am_tree_free(tree);
}

/* ---- what goes wrong after the store was made ---- */

/* The path of each shard in turn. */
static void each_shard(void (*change)(const char *path)) {
  am_names names;
  am_test_ok(am_folder_list(f.ctx, f.cache, &names, &f.err), &f.err);
  assert_true(names.n > 0);
  for (size_t i = 0; i < names.n; i++) change(am_test_path(f.cache, names.at[i]));
  am_names_free(f.ctx, &names);
}

/* All values that are not in the first or last kilobyte. */
static void spoil(const char *path) {
  struct stat info;
  char zeros[64] = {0};
  const int file = open(path, O_WRONLY);
  assert_int_equal(fstat(file, &info), 0);
  for (off_t at = 1024; at < info.st_size - 1024; at += (off_t)sizeof zeros)
    assert_int_equal(pwrite(file, zeros, sizeof zeros, at), sizeof zeros);
  close(file);
}

static void cut(const char *path) { assert_int_equal(truncate(path, 100), 0); }
static void take_away(const char *path) { assert_int_equal(unlink(path), 0); }

static void damage_is_mended_when_it_is_met(void **state) {
  (void)state;
  void (*const changes[])(const char *) = {spoil, cut};
  am_store *fresh = make_fresh();
  allow_nothing();
  for (int i = 0; i < 2; i++) {
    am_store *s = make_store(true);
    each_shard(changes[i]);
    f.log.lines = 0;
    assert_all_read(s, fresh);
    assert_true(f.log.lines >= 6 && f.log.lines <= 7); /* five by name, and that there are more */
    assert_non_null(strstr(f.log.text, i ? "cut off" : "damaged"));
    am_store_free(s);
    s = make_store(true); /* found damaged from the start, computed and kept */
    assert_all_read(s, fresh);
    am_store_free(s);
    each_shard(take_away);
  }
  am_store_free(fresh);
}

/* With room for it a clip is computed once. */
static void what_was_mended_stays(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  allow_nothing();
  am_store *s = make_store(false);
  each_shard(spoil);
  f.log.lines = 0;
  assert_read(s, fresh, 2);
  assert_read(s, fresh, 2);
  assert_int_equal(f.log.lines, 2);
  assert_int_equal(am_store_held(s), 0);
  am_store_free(s);
  f.data.memory = 16 << 20; /* all for shards: nothing stays at first */
  each_shard(take_away);
  s = make_store(false);
  assert_int_equal(am_store_held(s), 0);
  each_shard(spoil);
  f.log.lines = 0;
  assert_read(s, fresh, 2);
  assert_read(s, fresh, 2);
  assert_int_equal(f.log.lines, 1);
  assert_true(am_store_held(s) > 0);
  am_store_free(s);
  am_store_free(fresh);
}

static void a_removed_cache_is_still_read(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  allow_nothing();
  am_store *s = make_store(true);
  each_shard(take_away);
  assert_int_equal(rmdir(f.cache), 0);
  assert_all_read(s, fresh);
  assert_int_equal(f.log.lines, 0);
  am_store_free(s);
  am_store_free(fresh);
}

/* Neither the entry nor the sound it was of. */
static void what_is_lost_is_said(void **state) {
  (void)state;
  float x[8192];
  allow_nothing();
  am_store *s = make_store(false);
  each_shard(spoil);
  write_tone(f.ctx, in("1.wav"), 777, 0.35, 8000);
  unlink(in("2.wav"));
  am_test_fails(am_store_read(s, 1, x, &f.err), AM_E_DATA, &f.err, "is another recording than when this began");
  am_test_fails(am_store_read(s, 2, x, &f.err), AM_E_IO, &f.err, "2.wav");
  am_store_free(s);
}

/* ---- no cache to read from ---- */

static int full_fsync(int fd) {
  (void)fd;
  errno = ENOSPC;
  return -1;
}

static void assert_all_stay(am_store *s, const am_store *fresh) {
  assert_same(s, fresh, true);
  assert_non_null(strstr(f.log.text, "more memory than data.memory allows (1)"));
  am_store_free(s);
}

static void without_a_cache_all_stay(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  allow_nothing();
  assert_all_stay(make_fresh(), fresh);
  assert_int_equal(f.log.lines, 1);
  am_system broken = am_system_real;
  broken.fsync = full_fsync;
  am_context_set_system(f.ctx, &broken);
  am_store *s = make_store(true);
  am_context_set_system(f.ctx, &am_system_real);
  assert_non_null(strstr(f.log.text, "No space left"));
  assert_all_stay(s, fresh);
  am_store_free(fresh);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(nothing_stays_and_nothing_changes),
      TEST(some_stay),
      TEST(copies_do_not_stay_either),
      TEST(damage_is_mended_when_it_is_met),
      TEST(what_was_mended_stays),
      TEST(a_removed_cache_is_still_read),
      TEST(what_is_lost_is_said),
      TEST(without_a_cache_all_stay),
  };
  return cmocka_run_group_tests_name("larger than memory", tests, NULL, NULL);
}
