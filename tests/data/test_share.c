/* SPDX-License-Identifier: MIT */
/* A store that several processes fill together: each computes a share, and all have the bits of one alone. */
#define CACHE_THREADS 1 /* the thread sanitizer wants that of a process that forks others with threads */
#include "cache_fixture.h"

#include "../ranks/mesh.h"
#include "base/system.h"

enum { RANKS = 3 };

/* What the ranks do, and what they say of it. */
typedef struct filling {
  const am_store *fresh;
  bool sound, copies, other_cache, other_files, stops;
  const am_system *system; /* NULL: the real one */
  atomic_size_t *here;     /* (RANKS) clips that the rank computed */
  size_t from_cache, computed;
} filling;

static am_status differs(const char *what, uint32_t clip, am_error *err) {
  return am_fail(err, AM_E_USAGE, "%s of clip %u differ", what, clip);
}

static am_status compare(const am_store *s, const am_store *fresh, uint32_t i, bool sound, am_error *err) {
  static float x[1 << 16], y[1 << 16];
  const size_t cells = (size_t)am_store_frames(fresh, i) * (size_t)am_store_bins(fresh);
  if (am_store_ok(s, i) != am_store_ok(fresh, i) || am_store_frames(s, i) != am_store_frames(fresh, i))
    return differs("frames", i, err);
  if (am_store_seconds(s, i) != am_store_seconds(fresh, i) || am_store_digest(s, i) != am_store_digest(fresh, i) ||
      am_store_file_rate(s, i) != am_store_file_rate(fresh, i))
    return differs("facts", i, err);
  if (!am_store_ok(s, i)) return AM_OK;
  am_status status = am_store_read(s, i, x, err);
  if (!status) status = am_store_read(fresh, i, y, err);
  if (!status && memcmp(x, y, cells * sizeof *x) != 0) return differs("features", i, err);
  if (status || !sound) return status;
  if (am_store_samples(s, i) != am_store_samples(fresh, i)) return differs("samples", i, err);
  status = am_store_read_sound(s, i, x, err);
  if (!status) status = am_store_read_sound(fresh, i, y, err);
  if (!status && memcmp(x, y, am_store_samples(s, i) * sizeof *x) != 0) return differs("sounds", i, err);
  return status;
}

static const double snr[] = {10, 20};
static const am_augment_options two_copies = {
    .copies = 2, .copies_seed = 5, .copies_probability = 1, .noise_snr = {2, snr}};
static const uint32_t odd[] = {1, 3, 5};

static am_status check(const filling *t, const am_store *s, am_error *err) {
  const am_store_counts c = am_store_counted(s);
  am_status status = AM_OK;
  if (c.from_cache != t->from_cache || c.computed != t->computed)
    return am_fail(err, AM_E_USAGE, "%zu from the cache and %zu computed", c.from_cache, c.computed);
  if (f.data.memory == 1 && !t->other_cache && am_store_held(s))
    return am_fail(err, AM_E_USAGE, "%zu bytes held", am_store_held(s));
  for (uint32_t i = 0; i < CLIPS && !status; i++) status = compare(s, t->fresh, i, t->sound, err);
  for (int k = 1; k <= (t->copies ? 2 : 0); k++)
    for (size_t i = 0; i < 3 && !status; i++)
      status = compare(am_store_copy(s, k), am_store_copy(t->fresh, k), odd[i], false, err);
  return status;
}

static am_status fill_store(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  const filling *t = arg;
  const int rank = am_ranks_rank(ranks);
  char cache[1100];
  am_features *fx = NULL;
  am_store *s = NULL;
  (void)shared;
  snprintf(cache, sizeof cache, "%s%s", f.cache, t->other_cache && rank ? "-other" : "");
  if (t->other_files && rank == 1) f.d->clips[2].path = f.d->clips[3].path;
  if (t->stops && rank == 1) am_context_stop(ctx);
  am_context_set_ranks(ctx, ranks);
  if (t->system) am_context_set_system(ctx, t->system);
  am_status status = am_features_create(ctx, &f.fo, &fx, err);
  if (!status) status = am_store_create(ctx, f.d, fx, &f.data, *f.cache ? cache : NULL, t->sound, &s, err);
  if (!status && t->copies)
    status = am_store_add_copies(s, f.d, fx, &f.data, *f.cache ? cache : NULL, &two_copies, odd, 3, err);
  if (!status) t->here[rank] = am_store_counted(s).here + am_store_counted_copies(s).here;
  if (!status && t->fresh) status = check(t, s, err);
  am_store_free(s);
  am_features_free(fx);
  am_context_set_ranks(ctx, NULL);
  return am_ranks_agree(ranks, status, err);
}

/* How many clips each of them computed is in t->here afterwards. */
static mesh_shared *fill_together(filling *t) {
  int codes[RANKS];
  static atomic_size_t *here;
  if (!here) here = mmap(NULL, sizeof *here * RANKS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(here != MAP_FAILED);
  t->here = here;
  for (int r = 0; r < RANKS; r++) here[r] = 0;
  mesh_shared *shared = mesh_run(RANKS, fill_store, t, codes);
  for (int r = 0; r < RANKS; r++)
    if (!WIFEXITED(codes[r]) || WEXITSTATUS(codes[r]) > 1) fail_msg("rank %d ended by %x", r, codes[r]);
  return shared;
}

/* `all` were computed, by all of them as many. */
static void fill_well(filling *t, size_t all, int warnings) {
  mesh_shared *shared = fill_together(t);
  for (int r = 0; r < RANKS; r++)
    if (shared->status[r]) fail_msg("rank %d: %s", r, shared->message[r]);
  size_t sum = 0;
  for (int r = 0; r < RANKS; r++) {
    assert_in_range(t->here[r], all / RANKS, (all + RANKS - 1) / RANKS);
    sum += t->here[r];
  }
  assert_int_equal(sum, all);
  if (shared->warned != warnings) fail_msg("%d warnings, the last: %s", shared->warned, shared->warning);
  mesh_end(shared);
}

/* All ranks tell the same. */
static void fill_badly(filling *t, am_status wanted, const char *words) {
  mesh_shared *shared = fill_together(t);
  for (int r = 0; r < RANKS; r++) {
    assert_int_equal(shared->status[r], wanted);
    if (!strstr(shared->message[r], words)) fail_msg("rank %d: \"%s\" lacks \"%s\"", r, shared->message[r], words);
    assert_string_equal(shared->message[r], shared->message[0]);
  }
  mesh_end(shared);
}

static void each_computes_a_share(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  am_test_ok(am_store_add_copies(fresh, f.d, f.fx, &f.data, NULL, &two_copies, odd, 3, &f.err), &f.err);
  for (int round = 0; round < 3; round++) { /* computed, from the cache, and without one */
    filling t = {.fresh = fresh, .sound = true, .copies = true};
    if (round == 1) t.from_cache = CLIPS;
    else t.computed = CLIPS;
    if (round == 2) *f.cache = '\0';
    fill_well(&t, round == 1 ? 0 : CLIPS + 2 * 3, 0);
  }
  am_store_free(fresh);
}

/* What one process finds in the cache is what several put there. */
static void one_goes_on_with_their_cache(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  fill_well(&(filling){.fresh = fresh, .computed = CLIPS}, CLIPS, 0);
  am_store *s = make_store(false);
  assert_counts(s, CLIPS, 0);
  assert_same(s, fresh, false);
  am_store_free(s);
  am_store_free(fresh);
}

static void what_memory_does_not_hold_is_read_by_all(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  f.data.memory = 1;
  fill_well(&(filling){.fresh = fresh, .sound = true, .computed = CLIPS}, CLIPS, 0);
  fill_well(&(filling){.fresh = fresh, .sound = true, .from_cache = CLIPS}, 0, 0);
  am_store_free(fresh);
}

/* A cache on a disk of each host's own, or a folder that looks older there. */
static void what_one_has_is_given_to_the_others(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  for (int held = 0; held < 2; held++) {
    am_store_free(make_store(true));
    f.data.memory = held; /* given from memory, then from the file */
    fill_well(&(filling){.fresh = fresh, .sound = true, .other_cache = true, .from_cache = CLIPS}, 0, 0);
  }
  am_store_free(fresh);
}

static int no_locks(int fd, int operation) {
  (void)fd, (void)operation;
  errno = ENOLCK;
  return -1;
}

static int no_rename(const char *from, const char *to) {
  (void)from, (void)to;
  errno = EIO;
  return -1;
}

/* Rank 0 says so, once. */
static void without_locks_none_is_computed_twice(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  am_system system = am_system_real;
  system.flock = no_locks;
  filling t = {.fresh = fresh, .system = &system, .computed = CLIPS};
  mesh_shared *shared = fill_together(&t);
  for (int r = 0; r < RANKS; r++)
    if (shared->status[r]) fail_msg("rank %d: %s", r, shared->message[r]);
  assert_int_equal(shared->warned, 1);
  assert_non_null(strstr(shared->warning, "locks do not work there (No locks available)"));
  mesh_end(shared);
  fill_well(&(filling){.fresh = fresh, .system = &system, .from_cache = CLIPS}, 0, 0);
  am_store_free(fresh);
}

/* What cannot be written stays in memory, of all. */
static void a_cache_that_fails_is_given_up(void **state) {
  (void)state;
  am_store *fresh = make_fresh();
  am_system system = am_system_real;
  system.rename = no_rename;
  fill_well(&(filling){.fresh = fresh, .system = &system, .sound = true, .computed = CLIPS}, CLIPS, 1);
  am_store_free(fresh);
}

static void those_with_other_files_fill_alone(void **state) {
  (void)state;
  mesh_shared *shared = fill_together(&(filling){.other_files = true});
  for (int r = 0; r < RANKS; r++) assert_int_equal(shared->status[r], AM_OK);
  assert_non_null(strstr(shared->warning, "rank 1 on "));
  assert_non_null(strstr(shared->warning, " does not read the same files as rank 0"));
  mesh_end(shared);
}

static void a_clip_that_cannot_be_read_ends_all_alike(void **state) {
  (void)state;
  char words[1200];
  am_store *s;
  am_test_file(in("4.wav"), "RIFF, perhaps", 13);
  am_test_fails(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, false, &s, &f.err), AM_E_FORMAT, &f.err, "4.wav");
  char host[256] = "";
  assert_int_equal(gethostname(host, sizeof host - 1), 0);
  snprintf(words, sizeof words, "rank 1 on %s: %.900s", host, f.err.message); /* the second turn goes backwards */
  fill_badly(&(filling){0}, AM_E_FORMAT, words);
  f.data.skip_unreadable = true;
  am_store *fresh = make_fresh();
  fill_well(&(filling){.fresh = fresh, .from_cache = CLIPS - 2, .computed = 1}, 2, RANKS);
  am_store_free(fresh);
}

static void all_stop_when_one_does(void **state) {
  (void)state;
  fill_badly(&(filling){.stops = true}, AM_E_STOPPED, "stopped while computing features");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(each_computes_a_share),
      TEST(one_goes_on_with_their_cache),
      TEST(what_memory_does_not_hold_is_read_by_all),
      TEST(what_one_has_is_given_to_the_others),
      TEST(without_locks_none_is_computed_twice),
      TEST(a_cache_that_fails_is_given_up),
      TEST(those_with_other_files_fill_alone),
      TEST(a_clip_that_cannot_be_read_ends_all_alike),
      TEST(all_stop_when_one_does),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
