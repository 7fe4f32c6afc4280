/* SPDX-License-Identifier: MIT */
/* The file for TensorBoard: the bytes of its own writer, and what is kept of a file that is there. */
#include "testing.h"

#include "golden_events.h"
#include "run/events.h"

static am_context *ctx;
static char *folder;

/* The epochs of tools/golden-events.py. */
static const am_epoch golden[] = {{.epoch = 1,
                                   .train_loss = 2.25,
                                   .validation_loss = 1.75,
                                   .train_accuracy = 0.125,
                                   .validation_accuracy = 0.1,
                                   .validation_uar = 1.0 / 3,
                                   .validation_ccc = NAN,
                                   .learning_rate = 1e-3,
                                   .seconds = 1.5,
                                   .clips_per_second = 812.0625},
                                  {.epoch = 300,
                                   .train_loss = 1e-12,
                                   .validation_loss = NAN,
                                   .train_accuracy = 1,
                                   .validation_accuracy = NAN,
                                   .validation_uar = NAN,
                                   .validation_ccc = NAN,
                                   .learning_rate = 5e-324,
                                   .seconds = 0.01,
                                   .clips_per_second = INFINITY}};

static void bytes_are_those_of_tensorboard(void **state) {
  (void)state;
  am_buffer out = {0};
  am_events_record(ctx, &out, NULL, 1790000000.5);
  am_events_record(ctx, &out, &golden[0], 1790000001.25);
  am_events_record(ctx, &out, &golden[1], 1790000002.5);
  assert_false(out.failed);
  assert_int_equal(out.used, sizeof golden_events);
  assert_memory_equal(out.data, golden_events, sizeof golden_events);
  am_buffer_free(ctx, &out);
}

/* ---- the file of a run ---- */

enum { EPOCHS = 130 }; /* from 128 on a step has two bytes */
static am_epoch epochs[EPOCHS];

typedef struct content {
  char *data;
  size_t bytes;
} content;

static content file_now(void) {
  content c;
  am_error err = AM_ERROR_INIT;
  am_test_ok(
      am_file_read_own(ctx, am_test_path(folder, "events.out.tfevents.audiomood"), 1 << 20, &c.data, &c.bytes, &err),
      &err);
  return c;
}

static uint64_t number(const char *at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value |= (uint64_t)(unsigned char)at[i] << 8 * i;
  return value;
}

/* That the file has `n` epochs, each once and in order, with times that do not run backwards; *times gets these. */
static void check_file(size_t n, double *times) {
  content c = file_now();
  const char *at = c.data, *end = c.data + c.bytes;
  for (size_t i = 0; i <= n; i++) {
    am_buffer record = {0};
    double when;
    assert_true(end - at > 21);
    const uint64_t bits = number(at + 13);
    memcpy(&when, &bits, sizeof when);
    am_events_record(ctx, &record, i ? &epochs[i - 1] : NULL, when);
    assert_true((size_t)(end - at) >= record.used);
    assert_memory_equal(at, record.data, record.used);
    at += record.used;
    am_buffer_free(ctx, &record);
    times[i] = when;
    if (i) assert_true(times[i] >= times[i - 1]);
  }
  assert_ptr_equal(at, end);
  am_free(ctx, c.data);
}

static am_status write_into(am_run_folder *f, size_t n, am_error *err) {
  am_status status = am_run_folder_open(f, err);
  if (!status) status = am_events_write(f, epochs, n, err);
  am_run_folder_end(f);
  return status;
}

static void write_epochs(size_t n) {
  am_error err = AM_ERROR_INIT;
  am_test_ok(write_into(&(am_run_folder){.ctx = ctx, .path = folder}, n, &err), &err);
}

static void epochs_are_added(void **state) {
  (void)state;
  double first[EPOCHS + 1], then[EPOCHS + 1];
  am_file_id before, after;
  am_error err = AM_ERROR_INIT;
  const char *path = am_test_path(folder, "events.out.tfevents.audiomood");
  write_epochs(0);
  check_file(0, first);
  am_test_ok(am_file_identify(path, &before, &err), &err);
  write_epochs(3);
  check_file(3, first);
  assert_true(fabs(first[3] - first[2] - epochs[2].seconds) < 1e-3); /* as far apart as they took */
  write_epochs(3);
  write_epochs(EPOCHS);
  check_file(EPOCHS, then);
  assert_memory_equal(then, first, 4 * sizeof *first); /* what was there stays, */
  am_test_ok(am_file_identify(path, &after, &err), &err);
  assert_int_equal(before.inode, after.inode); /* in the file that a TensorBoard has open */
}

/* A run that was killed goes on from its last save, which may be older than the file. */
static void later_epochs_go(void **state) {
  (void)state;
  double first[EPOCHS + 1], then[EPOCHS + 1];
  write_epochs(5);
  check_file(5, first);
  write_epochs(2);
  check_file(2, then);
  assert_memory_equal(then, first, 3 * sizeof *first);
  write_epochs(6);
  check_file(6, then);
  assert_memory_equal(then, first, 3 * sizeof *first);
}

static void as_text(const char *data, size_t bytes) {
  am_test_file(am_test_path(folder, "events.out.tfevents.audiomood"), data, bytes);
}

/* Cut at any byte, or with any byte changed: what is whole before it stays, the rest is written again. */
static void damage_is_mended(void **state) {
  (void)state;
  double times[EPOCHS + 1];
  write_epochs(0);
  write_epochs(4);
  content whole = file_now();
  for (size_t i = 0; i < whole.bytes; i += i % 7 + 1) {
    as_text(whole.data, i);
    write_epochs(4);
    check_file(4, times);
    content hurt = {am_alloc(ctx, whole.bytes, 1), whole.bytes};
    assert_non_null(hurt.data);
    memcpy(hurt.data, whole.data, whole.bytes);
    hurt.data[i] ^= 0x55;
    as_text(hurt.data, hurt.bytes);
    am_free(ctx, hurt.data);
    write_epochs(4);
    content now = file_now();
    assert_int_equal(now.bytes, whole.bytes);
    assert_int_equal(number(now.data), number(whole.data));
    am_free(ctx, now.data);
  }
  am_free(ctx, whole.data);
}

static void other_runs_leave_nothing(void **state) {
  (void)state;
  double times[EPOCHS + 1];
  const am_epoch kept = epochs[1];
  write_epochs(3);
  epochs[1].train_loss += 1; /* another run was here */
  write_epochs(3);
  check_file(3, times);
  epochs[1] = kept;
  as_text("something else, longer than the head of a record", 48);
  write_epochs(3);
  check_file(3, times);
}

static void links_are_not_followed(void **state) {
  (void)state;
  double times[EPOCHS + 1];
  char *path = strdup(am_test_path(folder, "events.out.tfevents.audiomood")),
       *victim = strdup(am_test_path(folder, "v"));
  write_epochs(2);
  content before = file_now();
  assert_int_equal(rename(path, victim), 0);
  assert_int_equal(symlink("v", path), 0);
  write_epochs(3);
  check_file(3, times);
  struct stat info;
  assert_true(lstat(path, &info) == 0 && S_ISREG(info.st_mode));
  assert_true(stat(victim, &info) == 0 && (size_t)info.st_size == before.bytes);
  am_free(ctx, before.data);
  free(path);
  free(victim);
}

/* Processes beside the first one write nothing. */
static void a_folder_that_is_not_open_is_left_alone(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  am_test_ok(write_into(&(am_run_folder){.ctx = ctx, .path = folder, .follows = true}, 3, &err), &err);
  assert_false(am_file_exists(am_test_path(folder, "events.out.tfevents.audiomood")));
}

static am_run_folder *open_one;

static am_status twice(am_context *small, am_error *err) {
  am_run_folder f = *open_one;
  f.ctx = small;
  am_status status = am_events_write(&f, epochs, 2, err);
  if (!status) status = am_events_write(&f, epochs, 4, err);
  return status;
}

static void survives_failed_allocations(void **state) {
  (void)state;
  am_run_folder f = {.ctx = ctx, .path = folder};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_run_folder_open(&f, &err), &err);
  open_one = &f;
  am_test_each_allocation(twice);
  am_run_folder_end(&f);
}

static int begin(void **state) {
  (void)state;
  folder = am_test_folder();
  return 0;
}

static int end(void **state) {
  (void)state;
  am_test_folder_remove(folder);
  free(folder);
  return 0;
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_are_those_of_tensorboard),
      IN_A_FOLDER(epochs_are_added),
      IN_A_FOLDER(later_epochs_go),
      IN_A_FOLDER(damage_is_mended),
      IN_A_FOLDER(other_runs_leave_nothing),
      IN_A_FOLDER(links_are_not_followed),
      IN_A_FOLDER(a_folder_that_is_not_open_is_left_alone),
      IN_A_FOLDER(survives_failed_allocations),
  };
  for (int i = 0; i < EPOCHS; i++)
    epochs[i] = (am_epoch){.epoch = (uint64_t)i + 1,
                           .train_loss = 1.0 / (i + 1),
                           .validation_loss = i % 3 ? 2 : NAN,
                           .train_accuracy = 0.5,
                           .validation_accuracy = 0.25,
                           .validation_uar = NAN,
                           .learning_rate = 0.001,
                           .seconds = 2.5,
                           .clips_per_second = 100};
  ctx = am_test_context(1, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  am_context_free(ctx);
  return failed;
}
