/* SPDX-License-Identifier: MIT */
/* ranks/ over sockets: ranks that fail, die, stop and are another's. All others end, and one message tells why. */
#include "mesh.h"

typedef struct fault {
  int rank, at; /* which rank, and at which of its calls */
  enum { FAILS, DIES, STOPS, BUSY, LEAVES, OTHER_TEXT, TWO_STOP, HANGS, LONG } kind;
} fault;

enum { LARGE = 200000, SMALL = 40, CALLS = 24 };

static void sleep_for(double seconds) {
  const double until = am_now() + seconds;
  while (am_now() < until) nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* Longer than a rank may stand still: one rank works, the next one waits in the kernel as for a disk. */
/* The thread sanitizer makes a fork of a vfork, and who waits for that one is in the state S. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NO_VFORK 1
#endif
#endif
#ifndef NO_VFORK
#define NO_VFORK 0
#endif

static void take_long(const fault *f, am_context *ctx, am_ranks *ranks) {
  const double seconds = 2.5;
  if (am_ranks_rank(ranks) == f->rank)
    for (double until = am_now() + seconds; am_now() < until;) {
      am_free(ctx, am_alloc(ctx, 1, 1));
      sleep_for(0.02);
    }
  if (am_ranks_rank(ranks) != f->rank + 1 || NO_VFORK) return;
  const pid_t child = vfork(); /* who waits for it is in the state D */
  if (!child) {
    sleep_for(seconds);
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static am_status happen(const fault *f, am_context *ctx, am_ranks *ranks, mesh_shared *shared, am_error *err) {
  if (f->kind == LONG) take_long(f, ctx, ranks);
  const bool second = f->kind == TWO_STOP && am_ranks_rank(ranks) == f->rank + 1;
  if (am_ranks_rank(ranks) != f->rank && !second) return AM_OK;
  if (f->kind == FAILS) return am_fail(err, AM_E_DATA, "no clip of the class calm");
  if (f->kind == DIES) raise(SIGKILL);
  if (f->kind == STOPS || f->kind == TWO_STOP) raise(SIGSTOP);
  if (f->kind == BUSY) atomic_store(&shared->busy, 1);
  while (f->kind == BUSY || f->kind == HANGS) pause();
  return AM_OK;
}

/* The calls of a training, over and over; memory of this rank alone, which is freed when a call fails. */
static am_status train(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  const fault *f = arg;
  am_real *large = am_alloc(ctx, LARGE, sizeof *large), *other = am_alloc(ctx, LARGE, sizeof *other);
  double small[SMALL] = {0};
  size_t ends[MESH_MOST];
  am_status status = large && other ? AM_OK : am_no_memory(err);
  for (int call = 0; call < CALLS && !status; call++) {
    void *all = NULL;
    bool any = false;
    if (call == f->at) status = happen(f, ctx, ranks, shared, err);
    /* One that was told of another's failure, and fails as well in a way of its own. */
    if (f->kind == BUSY && am_ranks_rank(ranks) == (f->rank + 1) % am_ranks_size(ranks) && call == f->at) {
      while (!atomic_load(&shared->busy)) usleep(1000); /* else it might hear of it in the call before */
      status = am_fail(err, AM_E_DATA, "no clip of the class calm");
    }
    if (status) break;
    if (f->kind == LEAVES && call == f->at && am_ranks_rank(ranks) == f->rank) break;
    switch (call % 6) {
      case 0: status = am_ranks_batch(ranks, 8, 1 + (size_t)call % 8, NULL, NULL, err); break;
      case 1:
        status = am_ranks_sum(ranks, large, LARGE, err);
        if (!status) status = am_ranks_sum(ranks, other, LARGE, err);
        break;
      case 2: status = am_ranks_sum_doubles(ranks, small, SMALL, err); break;
      case 3: status = am_ranks_finish(ranks, err); break;
      case 4:
        status = am_ranks_gather(ranks, ctx, large, 100 + (size_t)am_ranks_rank(ranks), &all, ends, err);
        am_free(ctx, all);
        if (!status) status = am_ranks_broadcast(ranks, other, LARGE, err);
        break;
      default:
        status = am_ranks_any(ranks, &any, err);
        if (!status)
          status =
              am_ranks_same(ranks, "text",
                            f->kind == OTHER_TEXT && call == f->at && am_ranks_rank(ranks) == f->rank ? "one\nmine\n"
                                                                                                      : "one\ntheirs\n",
                            err);
        status = am_ranks_agree(ranks, status, err);
    }
  }
  if (!status && f->at == CALLS) status = happen(f, ctx, ranks, shared, err); /* others believe that all is done */
  const am_status ended = am_ranks_leave(ranks, status, err);
  am_free(ctx, large);
  am_free(ctx, other);
  return ended;
}

/* Runs it; all have ended. How often it was told: by rank 0's main, or by the log of whoever saw to it. */
static int told(mesh_shared *shared) { return atomic_load(&shared->told) + (shared->status[0] != AM_OK); }

static mesh_shared *run(int size, fault f, int *codes) {
  fflush(NULL);
  return mesh_run(size, train, &f, codes);
}

static void need_words(const mesh_shared *shared, const char *words) {
  const char *line = shared->status[0] ? shared->message[0] : shared->line;
  if (!strstr(line, words)) fail_msg("\"%s\" lacks \"%s\"", line, words);
}

static void one_that_fails_ends_all(void **state) {
  (void)state;
  for (int at = 0; at < CALLS; at += 5)
    for (int rank = 0; rank < 4; rank++) {
      int codes[MESH_MOST];
      char words[80];
      mesh_shared *shared = run(4, (fault){rank, at, FAILS}, codes);
      for (int r = 0; r < 4; r++) {
        if (!WIFEXITED(codes[r]) || WEXITSTATUS(codes[r]) != 1)
          fail_msg("call %d, rank %d: %x, %s", at, r, (unsigned)codes[r], shared->line);
        assert_int_equal(shared->status[r], AM_E_DATA);
        assert_string_equal(shared->message[r], shared->message[0]);
        assert_int_equal(shared->end[r], AM_LINK_FAILED);
      }
      snprintf(words, sizeof words, "rank %d on ", rank);
      assert_int_equal(strncmp(shared->message[0], words, strlen(words)), 0);
      need_words(shared, ": no clip of the class calm");
      assert_int_equal(told(shared), 1);
      mesh_end(shared);
    }
}

static void one_with_another_text_is_named(void **state) {
  (void)state;
  int codes[MESH_MOST];
  mesh_shared *shared = run(3, (fault){2, 5, OTHER_TEXT}, codes);
  for (int r = 0; r < 3; r++) {
    assert_int_equal(shared->status[r], AM_E_USAGE);
    assert_int_equal(strncmp(shared->message[r], "rank 2 on ", 10), 0);
    assert_non_null(strstr(shared->message[r], " has another text than rank 0 on "));
    assert_non_null(strstr(shared->message[r], ": mine, not theirs"));
  }
  assert_int_equal(told(shared), 1);
  mesh_end(shared);
}

static void one_that_dies_ends_all(void **state) {
  (void)state;
  for (int at = 1; at < CALLS; at += 4)
    for (int rank = 0; rank < 3; rank++) {
      int codes[MESH_MOST];
      char words[80];
      mesh_shared *shared = run(3, (fault){rank, at, DIES}, codes);
      for (int r = 0; r < 3; r++)
        if (r != rank) {
          if (!WIFEXITED(codes[r]) || WEXITSTATUS(codes[r]) != 1)
            fail_msg("call %d, rank %d: %x, %s", at, r, (unsigned)codes[r], shared->line);
          assert_int_equal(shared->status[r], AM_E_IO);
          assert_int_equal(shared->end[r], AM_LINK_LOST);
        }
      snprintf(words, sizeof words, "rank %d on ", rank);
      need_words(shared, words);
      need_words(shared, "the connection to it is lost");
      assert_int_equal(told(shared), 1);
      mesh_end(shared);
    }
}

/* Who is stopped is killed at the end, as a launcher would. */
static void one_that_stops_ends_all(void **state) {
  (void)state;
  for (int rank = 0; rank < 3; rank++) {
    int codes[MESH_MOST];
    char words[80];
    mesh_shared *shared = run(3, (fault){rank, 7 + rank, STOPS}, codes);
    assert_true(WIFSIGNALED(codes[rank]));
    snprintf(words, sizeof words, "rank %d on ", rank);
    need_words(shared, words);
    need_words(shared, "not heard of for ");
    assert_int_equal(told(shared), 1);
    mesh_end(shared);
  }
  int codes[MESH_MOST];
  mesh_shared *shared = run(4, (fault){0, 3, TWO_STOP}, codes);
  need_words(shared, "rank 0 on ");
  assert_int_equal(told(shared), 1);
  mesh_end(shared);
}

/* A rank fails, and another one computes on and on without hearing of it. */
static void one_that_is_busy_is_not_waited_for(void **state) {
  (void)state;
  for (int rank = 0; rank < 3; rank++) {
    int codes[MESH_MOST];
    mesh_shared *shared = run(3, (fault){rank, 8, BUSY}, codes);
    if (!WIFSIGNALED(codes[rank])) fail_msg("rank %d: %x, %s", rank, (unsigned)codes[rank], shared->line);
    need_words(shared, ": no clip of the class calm");
    assert_int_equal(told(shared), 1);
    mesh_end(shared);
  }
}

/* It is alive, and its program does nothing; who works, or waits for a disk, is waited for. */
static void one_that_hangs_ends_all(void **state) {
  (void)state;
  setenv("AM_RANKS_HANG", "1", 1);
  for (int rank = 0; rank < 2; rank++) {
    int codes[MESH_MOST];
    char words[80];
    mesh_shared *shared = run(3, (fault){rank, rank ? CALLS : 10, HANGS}, codes);
    assert_true(WIFSIGNALED(codes[rank]));
    snprintf(words, sizeof words, "rank %d on ", rank);
    need_words(shared, words);
    need_words(shared, ": no progress for ");
    assert_int_equal(told(shared), 1);
    mesh_end(shared);
  }
  int codes[MESH_MOST];
  mesh_shared *shared = run(3, (fault){1, 8, LONG}, codes);
  for (int r = 0; r < 3; r++)
    if (!WIFEXITED(codes[r]) || WEXITSTATUS(codes[r])) fail_msg("rank %d: %x, %s", r, (unsigned)codes[r], shared->line);
  mesh_end(shared);
  unsetenv("AM_RANKS_HANG");
}

/* One believes that all is done, and others wait for it. */
static void one_that_leaves_too_early_ends_all(void **state) {
  (void)state;
  int codes[MESH_MOST];
  mesh_shared *shared = run(3, (fault){1, 8, LEAVES}, codes);
  for (int r = 0; r < 3; r++) assert_int_equal(shared->status[r], AM_E_IO);
  need_words(shared, "rank 1 on ");
  need_words(shared, "ended while others wait for it");
  assert_int_equal(told(shared), 1);
  mesh_end(shared);
}

/* Ranks that know the same after a call may fail by it at once; whoever is a little later in the same call has its own answer. */
static am_status stop_after_a_call(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  const bool last = am_ranks_rank(ranks) == am_ranks_size(ranks) - 1;
  bool stop = last;
  (void)ctx, (void)shared, (void)arg;
  if (last) nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* the others sleep between two looks by then */
  const am_status status = am_ranks_any(ranks, &stop, err);
  if (status) return status;
  return am_fail(err, AM_E_STOPPED, "%s", am_ranks_first(ranks) ? "stopped; all is saved" : "stopped");
}

static void what_a_call_told_is_not_lost_when_others_leave(void **state) {
  (void)state;
  for (int turn = 0; turn < 5; turn++) {
    int codes[MESH_MOST];
    mesh_shared *shared = mesh_run(2, stop_after_a_call, NULL, codes);
    need_words(shared, "stopped; all is saved");
    mesh_end(shared);
  }
}

static void any_of_them_at_any_call(void **state) {
  (void)state;
  const int turns = getenv("AM_RANKS_TURNS") ? (int)strtol(getenv("AM_RANKS_TURNS"), NULL, 10) : 10;
  uint32_t x = 12345;
  for (int turn = 0; turn < turns; turn++) {
    int codes[MESH_MOST];
    x = x * 1664525u + 1013904223u;
    const int size = 2 + (int)(x >> 24) % 6, rank = (int)(x >> 16 & 255) % size, at = (int)(x >> 8 & 255) % CALLS;
    const bool dies = x >> 5 & 1;
    fault f = {rank, at, dies ? DIES : FAILS};
    mesh_shared *shared = run(size, f, codes);
    for (int r = 0; r < size; r++)
      if (!(r == rank && dies) && (!WIFEXITED(codes[r]) || WEXITSTATUS(codes[r]) != 1))
        fail_msg("turn %d, rank %d of %d: %d, %s", turn, r, size, codes[r], shared->message[r]);
    if (told(shared) != 1) fail_msg("turn %d: told %d times", turn, told(shared));
    mesh_end(shared);
  }
}

/* A rank without memory fails as any other. */
static am_status work_without_memory(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  const fault *f = arg;
  if (am_ranks_rank(ranks) == f->rank) am_test_memory_arm(mesh_memory, f->at);
  const am_status status = train(ctx, ranks, shared, &(fault){-1, -1, FAILS}, err);
  am_test_memory_arm(mesh_memory, 0);
  return status;
}

static void one_without_memory_ends_all(void **state) {
  (void)state;
  for (int at = 1; at < 12; at++) {
    int codes[MESH_MOST];
    fault f = {at % 3, at, FAILS};
    mesh_shared *shared = mesh_run(3, work_without_memory, &f, codes);
    for (int r = 0; r < 3; r++)
      if (!WIFEXITED(codes[r]) || WEXITSTATUS(codes[r]) != 1 || shared->status[r] != AM_E_NOMEM)
        fail_msg("allocation %d, rank %d: %d, %s", at, r, codes[r], shared->message[r]);
    assert_int_equal(told(shared), 1);
    mesh_end(shared);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_that_fails_ends_all),
      cmocka_unit_test(one_with_another_text_is_named),
      cmocka_unit_test(one_that_dies_ends_all),
      cmocka_unit_test(one_that_stops_ends_all),
      cmocka_unit_test(one_that_is_busy_is_not_waited_for),
      cmocka_unit_test(one_that_hangs_ends_all),
      cmocka_unit_test(one_that_leaves_too_early_ends_all),
      cmocka_unit_test(what_a_call_told_is_not_lost_when_others_leave),
      cmocka_unit_test(any_of_them_at_any_call),
      cmocka_unit_test(one_without_memory_ends_all),
  };
  setenv("AM_RANKS_PATIENCE", "3", 1);
  if (getenv("AM_ONLY")) cmocka_set_test_filter(getenv("AM_ONLY"));
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
