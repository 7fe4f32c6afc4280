/* SPDX-License-Identifier: MIT */
/* A run on a file system whose locks do not work, by one process and by several: it goes on, and says so once. */
#include "../ranks/mesh.h"
#include "base/system.h"
#include "run_world.h"

static int refused(int fd, int operation) {
  (void)fd, (void)operation;
  errno = ENOLCK;
  return -1;
}

/* As of a host that keeps its locks to itself. */
static int granted(int fd, int operation) {
  (void)fd, (void)operation;
  return 0;
}

static const overrides short_run = {{"train.epochs=1"}};

static void need_line(world *w, const char *words, int times) {
  char *log;
  size_t bytes;
  int n = 0;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(w->ctx, file_in(w, "run", "log.txt"), 1 << 20, &log, &bytes, &err), &err);
  for (const char *at = log; (at = strstr(at, words)); at++) n++;
  if (n != times) fail_msg("\"%s\" is %d times in:\n%s", words, n, log);
  am_free(w->ctx, log);
}

static void one_process_says_it_and_goes_on(void **state) {
  (void)state;
  world w = world_make(1);
  am_system system = am_system_real;
  system.flock = refused;
  am_context_set_system(w.ctx, &system);
  train_ok(&w, "run", short_run);
  need_line(&w, "run/lock: locks do not work there (No locks available): nothing keeps two processes", 1);
  world_free(&w);
}

typedef struct job {
  world *w;
  const am_system *system;
} job;

static am_status train_together(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  const job *j = arg;
  world mine = *j->w;
  am_run_result r = {.size = sizeof r};
  (void)shared;
  mine.ctx = ctx;
  am_context_set_ranks(ctx, ranks);
  if (j->system) am_context_set_system(ctx, j->system);
  const am_status status = train_with(&mine, "run", (am_run_options){0}, short_run, &r, err);
  am_run_result_free(&r);
  am_context_set_ranks(ctx, NULL);
  return status;
}

static void two_say_what_their_locks_do(void **state) {
  (void)state;
  static int (*const ways[])(int, int) = {NULL, refused, granted};
  for (int i = 0; i < 3; i++) {
    int codes[2];
    world w = world_make(1);
    am_system system = am_system_real;
    system.flock = ways[i];
    job j = {.w = &w, .system = ways[i] ? &system : NULL};
    mesh_shared *shared = mesh_run(2, train_together, &j, codes);
    for (int r = 0; r < 2; r++)
      if (codes[r]) fail_msg("rank %d: %x, %s", r, (unsigned)codes[r], shared->message[r]);
    need_line(&w, "locks do not work there (No locks available)", ways[i] == refused);
    need_line(&w, "another process of this job could lock it, too", ways[i] == granted);
    mesh_end(shared);
    world_free(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_process_says_it_and_goes_on),
      cmocka_unit_test(two_say_what_their_locks_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
