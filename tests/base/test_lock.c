/* SPDX-License-Identifier: MIT */
/* Locks: who has one, waiting for it, and file systems without any. */
#include "testing.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/system.h"
#include "folder_fixture.h"

/* A second name of a file is as good as a link to it: what is written is a new file, and a lock is none of ours. */
static void locks_empty_no_other_file(void **state) {
  fixture *f = *state;
  am_error err;
  am_lock *lock;
  const char *victim = "victim", *path = "lock";
  am_test_file(victim, "precious", 8);
  assert_int_equal(symlink("victim", path), 0);
  am_test_fails(am_lock_take(f->ctx, path, &lock, &err), AM_E_IO, &err, "lock is a link");
  assert_int_equal(unlink(path) || link(victim, path), 0);
  am_test_fails(am_lock_take(f->ctx, path, &lock, &err), AM_E_IO, &err, "the file has another name, too");
  check_content(f, victim, "precious");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_write_own(f->ctx, path, NULL, "new", 3, &err), &err);
  check_content(f, victim, "precious");
  assert_int_equal(unlink(path) || mkfifo(path, 0600), 0);
  am_test_fails(am_lock_take(f->ctx, path, &lock, &err), AM_E_IO, &err, "not an ordinary file");
}

static void locks_name_their_holder(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, ".lock");
  am_lock *lock, *other;
  am_error err = AM_ERROR_INIT;
  char holder[64];
  am_test_ok(am_lock_take(f->ctx, path, &lock, &err), &err);
  snprintf(holder, sizeof holder, "in use by process %ld", (long)getpid());
  am_test_fails(am_lock_take(f->ctx, path, &other, &err), AM_E_IO, &err, holder);
  assert_null(other);
  am_lock_release(lock);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_lock_take(f->ctx, path, &lock, &err), &err);
  am_lock_release(lock);
  am_lock_release(NULL);
  am_test_fails(am_lock_take(f->ctx, am_test_path(f->folder, "no/lock"), &lock, &err), AM_E_IO, &err, "No such file");
  fflush(NULL);         /* or the child writes what is buffered a second time, under a thread sanitizer */
  pid_t child = fork(); /* a lock dies with its process */
  if (!child) {
    am_lock *mine;
    _exit(am_lock_take(f->ctx, path, &mine, NULL) != AM_OK);
  }
  int result = -1;
  waitpid(child, &result, 0);
  assert_int_equal(result, 0);
  am_test_ok(am_lock_take(f->ctx, path, &lock, &err), &err);
  am_lock_release(lock);
}

/* A child that takes the lock and says so, touches it `touches` times, 0.1 s apart, and lets go. */
static pid_t hold_lock(fixture *f, const char *path, int touches) {
  int ready[2];
  char byte;
  assert_int_equal(pipe(ready), 0);
  fflush(NULL);
  const pid_t child = fork();
  if (!child) {
    am_lock *mine;
    const struct timespec moment = {.tv_nsec = 100000000};
    if (am_lock_take(f->ctx, path, &mine, NULL) || write(ready[1], "x", 1) != 1) _exit(1);
    for (int i = 0; i < touches; i++) {
      nanosleep(&moment, NULL);
      am_lock_touch(mine);
    }
    am_lock_remove(mine);
    _exit(0);
  }
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  close(ready[1]);
  return child;
}

static void locks_are_waited_for_while_their_holder_lives(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, ".lock");
  am_lock *lock, *other;
  am_error err = AM_ERROR_INIT;
  int result = -1;
  am_test_ok(am_lock_wait(f->ctx, path, 0, &lock, &err), &err); /* free: at once */
  double began = am_now();
  am_test_fails(am_lock_wait(f->ctx, path, 0.3, &other, &err), AM_E_IO, &err, "wait for it or stop it");
  assert_true(am_now() - began >= 0.3);
  assert_null(other);
  am_context_stop(f->ctx);
  am_test_fails(am_lock_wait(f->ctx, path, 1e9, &other, &err), AM_E_STOPPED, &err, "stopped while waiting for ");
  am_context_resume(f->ctx);
  am_lock_release(lock);
  began = am_now();
  const pid_t child = hold_lock(f, path, 20);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_lock_wait(f->ctx, path, 60, &lock, &err), &err);
  assert_true(am_now() - began >= 2); /* when it let go, and not before */
  waitpid(child, &result, 0);
  assert_int_equal(result, 0);
  am_lock_touch(NULL);
  am_test_ok(am_lock_check(lock, &err),
             &err); /* of the file that has the name now, and not of the one that was removed */
  am_lock_remove(lock);
  am_lock_remove(NULL);
  assert_false(am_file_exists(path));
}

static int flock_code;
static int failing_flock(int fd, int operation) {
  (void)fd, (void)operation;
  errno = flock_code;
  return -1;
}

/* File systems without locks give them to all, which is known; other failures are failures. */
static void locks_that_do_not_work_are_known(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, ".lock");
  static const int lacks[] = {ENOLCK, ENOSYS, EOPNOTSUPP};
  am_system system = am_system_real;
  am_lock *lock, *other;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_lock_take(f->ctx, path, &lock, &err), &err);
  assert_null(am_lock_doubt(lock));
  assert_false(am_lock_is_free(f->ctx, path));
  am_lock_release(lock);
  assert_true(am_lock_is_free(f->ctx, path));
  system.flock = failing_flock;
  am_context_set_system(f->ctx, &system);
  for (size_t i = 0; i < 3; i++) {
    flock_code = lacks[i];
    am_test_ok(am_lock_take(f->ctx, path, &lock, &err), &err);
    assert_non_null(strstr(am_lock_doubt(lock), strerror(lacks[i])));
    assert_null(strstr(am_lock_doubt(lock), "process"));
    am_test_ok(am_lock_wait(f->ctx, path, 0, &other, &err), &err);
    assert_non_null(strstr(am_lock_doubt(other), "may have it still: process "));
    am_test_ok(am_lock_check(lock, &err), &err);
    am_lock_release(lock);
    am_lock_remove(other);
  }
  flock_code = EIO;
  am_test_fails(am_lock_take(f->ctx, path, &lock, &err), AM_E_IO, &err, "cannot lock ");
  assert_false(am_lock_is_free(f->ctx, path));
  am_context_set_system(f->ctx, &am_system_real);
}

/* One of another machine is named with it; what steers a terminal is not shown. */
static void locks_name_another_host(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, ".lock");
  am_lock *lock, *other;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_lock_take(f->ctx, path, &lock, &err), &err);
  static const char elsewhere[] = "12 n3.else\x1b[1mwhere\n";
  am_test_file(path, elsewhere, sizeof elsewhere - 1);
  am_test_fails(am_lock_take(f->ctx, path, &other, &err), AM_E_IO, &err,
                "in use by process 12 on n3.else [1mwhere; wait");
  am_test_file(path, "12\n", 3); /* of an earlier version */
  am_test_fails(am_lock_take(f->ctx, path, &other, &err), AM_E_IO, &err, "in use by process 12; wait");
  am_test_file(path, "", 0);
  am_test_fails(am_lock_take(f->ctx, path, &other, &err), AM_E_IO, &err, "in use by another process; wait");
  am_lock_release(lock);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(locks_empty_no_other_file, begin_inside, end_inside),
      cmocka_unit_test_setup_teardown(locks_name_their_holder, begin, end),
      cmocka_unit_test_setup_teardown(locks_are_waited_for_while_their_holder_lives, begin, end),
      cmocka_unit_test_setup_teardown(locks_that_do_not_work_are_known, begin, end),
      cmocka_unit_test_setup_teardown(locks_name_another_host, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
