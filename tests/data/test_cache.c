/* SPDX-License-Identifier: MIT */
/* The feature cache and the store: nothing decoded twice, nothing stale. */
#include "cache_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

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

/* Processes that begin together: each leaves in a pipe how many clips it computed. */
static void together_they_compute_a_clip_once(void **state) {
  (void)state;
  enum { MOST = 4 };
  int computed[2], sum = 0, result = -1;
  pid_t children[MOST];
  assert_int_equal(pipe(computed), 0);
  am_store *fresh = make_fresh(); /* so that the files are not too young for the cache */
  fflush(NULL);
  for (int i = 0; i < MOST; i++) {
    children[i] = fork();
    if (children[i]) continue;
    am_context *ctx = am_test_context(1, NULL); /* the threads of the other one are not here */
    am_features *fx;
    am_store *s;
    am_error err = AM_ERROR_INIT;
    if (am_features_create(ctx, &f.fo, &fx, &err) || am_store_create(ctx, f.d, fx, &f.data, f.cache, false, &s, &err))
      _exit(1);
    const unsigned char n = (unsigned char)am_store_counted(s).computed;
    _exit(write(computed[1], &n, 1) != 1);
  }
  for (int i = 0; i < MOST; i++) {
    unsigned char n;
    assert_int_equal(read(computed[0], &n, 1), 1);
    sum += n;
    assert_true(n == 0 || n == CLIPS);
  }
  for (int i = 0; i < MOST; i++) {
    waitpid(children[i], &result, 0);
    assert_int_equal(result, 0);
  }
  assert_int_equal(sum, CLIPS);
  close(computed[0]);
  close(computed[1]);
  am_store *s = make_store(false);
  assert_same(s, fresh, false);
  am_store_free(s);
  am_store_free(fresh);
}

/* Where locks are not to be had, the cache is used without. */
static void without_a_lock_features_are_computed_all_the_same(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  char path[1100];
  snprintf(path, sizeof path, "%s/computing-%016llx.lock", f.cache, (unsigned long long)am_features_key(f.fx));
  assert_int_equal(mkdir(f.cache, 0777), 0);
  assert_int_equal(mkdir(path, 0777), 0);
  for (int again = 0; again < 2; again++) {
    am_store *s = make_store(false);
    assert_counts(s, again ? CLIPS : 0, again ? 0 : CLIPS);
    assert_same(s, fresh, false);
    am_store_free(s);
  }
  assert_non_null(strstr(f.log.text, "is computed here, perhaps a second time"));
  am_store_free(fresh);
}

/* Stamps of whole seconds are of a file system that keeps no others: young, they tell nothing.  A key is never odd: those
 * of older programs that knew a file by its content are, and must not be taken for another file's. */
static void coarse_times_are_trusted_when_they_are_old(void **state) {
  (void)state;
  const uint64_t second = 1000000000, now = (uint64_t)time(NULL) * second;
  am_cache_folder last = {.ctx = f.ctx};
  am_file_id id;
  uint64_t key, other;
  am_test_ok(am_file_identify(in("0.wav"), &id, &f.err), &f.err);
  assert_true(am_cache_file_key(&last, in("0.wav"), &id, &key));
  id.mtime_ns = id.ctime_ns = now;
  assert_false(am_cache_file_key(&last, in("0.wav"), &id, &other));
  id.ctime_ns++;
  assert_true(am_cache_file_key(&last, in("0.wav"), &id, &other));
  assert_true(other != key);
  id.ctime_ns = now - 10 * second;
  assert_false(am_cache_file_key(&last, in("0.wav"), &id, &other)); /* its mtime is young */
  id.mtime_ns = now - 10 * second;
  for (int i = 0; i < 64; i++) {
    id.size++;
    assert_true(am_cache_file_key(&last, in("0.wav"), &id, &key));
    assert_true(key != other);
    assert_int_equal(key & 1, 0);
    assert_int_equal(am_cache_entry_key(key, i, 0, 1) & 1, 0);
    other = key;
  }
  am_cache_folder_end(&last);
}

/* A file has one key, by whichever way it is come to. */
static void a_file_has_one_key(void **state) {
  (void)state;
  am_cache_folder last = {.ctx = f.ctx};
  am_file_id id;
  uint64_t key, other;
  am_test_ok(am_file_identify(in("0.wav"), &id, &f.err), &f.err);
  assert_int_equal(mkdir(in("below"), 0777), 0);
  assert_int_equal(symlink("0.wav", in("link.wav")), 0);
  assert_int_equal(symlink(".", in("round")), 0);
  assert_true(am_cache_file_key(&last, in("0.wav"), &id, &key));
  static const char *const ways[] = {"./0.wav", "below/../0.wav", "link.wav", "round/0.wav", "round/link.wav", "0.wav"};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    assert_true(am_cache_file_key(&last, in(ways[i]), &id, &other));
    assert_true(other == key);
  }
  assert_true(am_cache_file_key(&last, in("1.wav"), &id, &other)); /* of the same size and times, for once */
  assert_true(other != key);
  assert_false(am_cache_file_key(&last, in("nowhere/0.wav"), &id, &other));
  am_cache_folder_end(&last);
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
  size_t n = 0;
  for (size_t i = 0; i < names.n; i++) n += !strncmp(names.at[i], "features-", 9);
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

/* Copies of the clips of an odd number. */
static am_store *make_copies(const char *augment, bool cached) {
  static const uint32_t odd[] = {1, 3, 5};
  am_augment_options o;
  am_tree *tree = read_section(f.ctx, am_augment_table, augment, &o);
  am_store *s = cached ? make_store(false) : make_fresh();
  am_test_ok(am_store_add_copies(s, f.d, f.fx, &f.data, cached ? f.cache : NULL, &o, odd, 3, &f.err), &f.err);
  am_tree_free(tree);
  return s;
}

static void assert_copies(const am_store *s, size_t from_cache, size_t computed) {
  am_store_counts c = am_store_counted_copies(s);
  if (c.from_cache != from_cache || c.computed != computed)
    fail_msg("copies: %zu from the cache and %zu computed, wanted %zu and %zu; %s", c.from_cache, c.computed,
             from_cache, computed, f.log.text);
}

static bool same_features(const am_store *a, const am_store *b, uint32_t clip) {
  const int t = am_store_frames(a, clip);
  return t == am_store_frames(b, clip) && !memcmp(am_store_features(a, clip), am_store_features(b, clip),
                                                  (size_t)t * (size_t)am_store_bins(a) * sizeof(float));
}

static void copies_are_computed_once(void **state) {
  (void)state;
  static const char
      *const noisy = "{copies: 2, copies_probability: 1, noise_snr: [0, 20], speed: [0.5, 0.8]}",
             *const more = "{copies: 3, copies_probability: 1, noise_snr: [0, 20], speed: [0.5, 0.8]}",
             *const other = "{copies: 2, copies_probability: 1, noise_snr: [0, 20], speed: [0.5, 0.8], copies_seed: 2}";
  am_store *fresh = make_copies(noisy, false), *plain = make_store(false);
  assert_copies(fresh, 0, 6);
  assert_int_equal(am_store_copies(plain), 0);
  assert_ptr_equal(am_store_copy(plain, 0), plain);
  for (int again = 0; again < 2; again++) {
    am_store *s = make_copies(noisy, true);
    assert_counts(s, CLIPS, 0);
    assert_copies(s, again ? 6 : 0, again ? 0 : 6);
    assert_int_equal(am_store_copies(s), 2);
    assert_int_equal(am_store_max_frames(s), am_store_max_frames(fresh));
    assert_true(am_store_max_frames(s) > am_store_max_frames(plain));
    for (uint32_t i = 0; i < CLIPS; i++) {
      assert_true(same_features(s, plain, i));
      for (int k = 1; k <= 2; k++) {
        const am_store *copy = am_store_copy(s, k);
        assert_int_equal(am_store_ok(copy, i), i % 2);
        if (!(i % 2)) continue;
        assert_true(same_features(copy, am_store_copy(fresh, k), i));
        assert_false(same_features(copy, s, i));
        assert_int_equal(am_store_digest(copy, i), am_store_digest(s, i));
      }
      if (i % 2) assert_false(same_features(am_store_copy(s, 1), am_store_copy(s, 2), i));
    }
    am_store_free(s);
  }
  am_store *s = make_copies(more, true);
  assert_copies(s, 6, 3);
  assert_true(same_features(am_store_copy(s, 2), am_store_copy(fresh, 2), 5));
  am_store_free(s);
  s = make_copies(other, true);
  assert_copies(s, 0, 6);
  assert_false(same_features(am_store_copy(s, 1), am_store_copy(fresh, 1), 1));
  am_store_free(s);
  assert_int_equal(f.log.lines, 0);
  am_store_free(plain);
  am_store_free(fresh);
}

/* Who could be read once, and then not, is no clip to leave out quietly: the copies of the others are there. */
static void copies_of_a_lost_file(void **state) {
  (void)state;
  static const uint32_t all[] = {0, 1, 2};
  am_augment_options o;
  am_tree *tree = read_section(f.ctx, am_augment_table, "{copies: 2, copies_probability: 1, gain: [1, 3]}", &o);
  am_store *s = make_store(false);
  f.data.skip_unreadable = true;
  unlink(in("1.wav"));
  am_test_fails(am_store_add_copies(s, f.d, f.fx, &f.data, f.cache, &o, all, 3, &f.err), AM_E_IO, &f.err, "1.wav");
  assert_int_equal(am_store_copies(s), 0);
  assert_true(am_store_ok(s, 1));
  am_store_free(s);
  am_tree_free(tree);
}

static void stopping_stops(void **state) {
  (void)state;
  am_store *s = NULL;
  am_context_stop(f.ctx);
  am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, f.cache, false, &s, &f.err), AM_E_STOPPED, &f.err,
                "stopped");
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

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_second_run_decodes_nothing),
      TEST(together_they_compute_a_clip_once),
      TEST(without_a_lock_features_are_computed_all_the_same),
      TEST(coarse_times_are_trusted_when_they_are_old),
      TEST(a_file_has_one_key),
      TEST(sound_is_kept_when_wanted),
      TEST(other_settings_are_other_entries),
      TEST(changed_files_are_never_stale),
      TEST(parts_of_files_have_entries_of_their_own),
      TEST(the_limit_of_length_holds_with_a_cache),
      TEST(the_limit_is_of_the_file_and_not_of_its_part),
      TEST(a_length_that_resampling_rounds_over_the_limit),
      TEST(the_first_bad_file_is_named),
      TEST(pipes_and_devices_are_no_clips),
      TEST(nothing_to_hear),
      TEST(copies_are_computed_once),
      TEST(copies_of_a_lost_file),
      TEST(stopping_stops),
      TEST(the_real_recordings),
  };
  return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
