/* SPDX-License-Identifier: MIT */
/* tests/crash/long_run.c EPOCHS - whether a long training grows: memory in use and open HDF5 objects, after every tenth
 * of its epochs (TAP).  Every epoch is saved. */
#include <hdf5.h>
#include <malloc.h>

#include "model/made_up.h"

typedef struct sample {
  long epoch;
  size_t heap, resident; /* bytes */
  long handles;
} sample;

static struct {
  long epochs, seen;
  sample at[11];
  size_t n;
} run;

static size_t resident_bytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A line of the log after each epoch is the clock. HDF5 is not in use then: the lock is ours to ignore. */
static void on_line(void *user, am_log_level level, const char *line) {
  (void)user, (void)level;
  if (strncmp(line, "epoch ", 6) || ++run.seen % (run.epochs / 10)) return;
  if (run.n == sizeof run.at / sizeof *run.at) return;
  struct mallinfo2 heap = mallinfo2();
  sample s = {run.seen, heap.uordblks + heap.hblkhd, resident_bytes(),
              (long)H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL)};
  run.at[run.n++] = s;
  printf("# epoch %6ld: %8.1f kB of heap in use, %8.1f kB resident, %ld HDF5 objects open\n", s.epoch,
         (double)s.heap / 1024, (double)s.resident / 1024, s.handles);
  fflush(stdout);
}

static void train(const char *folder, long epochs) {
  am_settings settings = {.size = sizeof settings, .threads = 2, .log = on_line};
  am_error err = AM_ERROR_INIT;
  am_context *ctx;
  am_run_result r = {.size = sizeof r};
  char limit[64], *corpus = strdup(am_test_path(folder, "corpus")), *out = strdup(am_test_path(folder, "run"));
  am_test_ok(am_context_create(&settings, &ctx, &err), &err);
  mkdir(corpus, 0777);
  made_up_corpus(ctx, corpus, 3, 1);
  snprintf(limit, sizeof limit, "train.epochs=%ld", epochs);
  const char *const more[] = {limit,           "train.save_seconds=0",
                              "train.ema=0.9", "train.optimiser.learning_rate=0.001",
                              "train.batch=2", "split={kind: speaker, test: 0.3, validation: 0.3}"};
  am_config *config = made_up_config(ctx, corpus, more, sizeof more / sizeof *more);
  am_run_options options = {.size = sizeof options, .out = out};
  am_test_ok(am_train_run(config, &options, &r, &err), &err);
  am_run_result_free(&r);
  am_config_free(config);
  am_context_free(ctx);
  free(corpus);
  free(out);
}

/* A row of history and a line of the log belong to each epoch; they are all that may grow. */
enum { BYTES_AN_EPOCH = 600, SLACK = 64 << 10 };

static void memory_stays_flat(void **state) {
  (void)state;
  char *folder = am_test_folder();
  train(folder, run.epochs);
  am_test_folder_remove(folder);
  free(folder);
  assert_int_equal(run.n, 10);
  const sample *first = &run.at[0], *last = &run.at[run.n - 1];
  for (size_t i = 0; i < run.n; i++) assert_int_equal(run.at[i].handles, 0);
  size_t allowed = (size_t)(last->epoch - first->epoch) * BYTES_AN_EPOCH + SLACK;
  if (last->heap > first->heap + allowed)
    fail_msg("%zu bytes of heap after %ld epochs, %zu after %ld", first->heap, first->epoch, last->heap, last->epoch);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(memory_stays_flat)};
  run.epochs = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
  if (run.epochs < 10) return 2;
  return cmocka_run_group_tests_name("long", tests, NULL, NULL);
}
