/* Files, folders and locks; every system call that changes a file made to fail. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/system.h"

typedef struct fixture {
  am_context *ctx;
  char *folder;
} fixture;

static int begin(void **state) {
  fixture *f = calloc(1, sizeof *f);
  f->ctx = am_test_context(1, NULL);
  f->folder = am_test_folder();
  *state = f;
  return 0;
}

static int end(void **state) {
  fixture *f = *state;
  am_test_folder_remove(f->folder);
  am_context_free(f->ctx);
  free(f->folder);
  free(f);
  return 0;
}

static void check_content(fixture *f, const char *path, const char *wanted) {
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(f->ctx, path, 1000, &data, &bytes, &err), &err);
  assert_string_equal(data, wanted);
  assert_int_equal(bytes, strlen(wanted));
  am_free(f->ctx, data);
}

static size_t files_in(fixture *f, const char *path) {
  am_names names;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_folder_list(f->ctx, path, &names, &err), &err);
  size_t n = names.n;
  am_names_free(f->ctx, &names);
  return n;
}

static void files_are_written_and_read(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, "x.txt");
  am_error err = AM_ERROR_INIT;
  assert_false(am_file_exists(path));
  am_test_ok(am_file_write(f->ctx, path, "hello", 5, &err), &err);
  assert_true(am_file_exists(path));
  check_content(f, path, "hello");
  am_test_ok(am_file_write(f->ctx, path, "", 0, &err), &err);
  check_content(f, path, "");
  assert_int_equal(files_in(f, f->folder), 1); /* nothing left aside */
  char big[40000];
  memset(big, 'z', sizeof big);
  am_test_ok(am_file_write(f->ctx, path, big, sizeof big, &err), &err);
  char *data;
  size_t bytes;
  am_test_ok(am_file_read(f->ctx, path, sizeof big, &data, &bytes, &err), &err);
  assert_int_equal(bytes, sizeof big);
  assert_memory_equal(data, big, sizeof big);
  am_free(f->ctx, data);
  am_test_fails(am_file_read(f->ctx, path, sizeof big - 1, &data, &bytes, &err), AM_E_FORMAT, &err, "larger than");
  assert_null(data);
}

static void only_ordinary_files_are_read(void **state) {
  fixture *f = *state;
  const char *file = am_test_path(f->folder, "x.txt"), *fifo = am_test_path(f->folder, "fifo"),
             *link_name = am_test_path(f->folder, "link");
  am_error err = AM_ERROR_INIT;
  char *data;
  size_t bytes;
  am_test_file(file, "hello", 5);
  assert_int_equal(symlink("x.txt", link_name), 0);
  am_test_ok(am_file_read_ordinary(f->ctx, link_name, "a text", 10, &data, &bytes, &err), &err);
  assert_int_equal(bytes, 5);
  assert_string_equal(data, "hello");
  am_free(f->ctx, data);
  am_test_fails(am_file_read_ordinary(f->ctx, file, "a text", 4, &data, &bytes, &err), AM_E_FORMAT, &err, "larger than");
  assert_int_equal(mkfifo(fifo, 0600), 0);
  am_test_fails(am_file_read_ordinary(f->ctx, fifo, "a text", 10, &data, &bytes, &err), AM_E_FORMAT, &err,
                "fifo is a device or a pipe; wanted a text");
  assert_null(data);
  am_test_fails(am_file_read_ordinary(f->ctx, "/dev/null", "a text", 10, &data, &bytes, &err), AM_E_FORMAT, &err,
                "/dev/null is a device or a pipe; wanted a text");
  am_test_fails(am_file_read_ordinary(f->ctx, f->folder, "a text", 10, &data, &bytes, &err), AM_E_IO, &err,
                "Is a directory");
  am_test_fails(am_file_read_ordinary(f->ctx, am_test_path(f->folder, "none"), "a text", 10, &data, &bytes, &err),
                AM_E_IO, &err, "none: No such file");
}

static void bad_paths_are_named(void **state) {
  fixture *f = *state;
  char *data;
  size_t bytes;
  am_error err;
  am_test_fails(am_file_read(f->ctx, am_test_path(f->folder, "none"), 10, &data, &bytes, &err), AM_E_IO, &err,
                "none: No such file");
  am_test_fails(am_file_read(f->ctx, f->folder, 10, &data, &bytes, &err), AM_E_IO, &err, "Is a directory");
  am_test_fails(am_file_write(f->ctx, am_test_path(f->folder, "a/b"), "x", 1, &err), AM_E_IO, &err, "No such file");
  am_file_id id;
  am_test_fails(am_file_identify(am_test_path(f->folder, "none"), &id, &err), AM_E_IO, &err, "none");
  am_names names;
  am_test_fails(am_folder_list(f->ctx, am_test_path(f->folder, "none"), &names, &err), AM_E_IO, &err, "none");
}

/* A table whose n-th call of one kind fails. */
static struct {
  const char *call;
  int code, skip, short_writes;
} trap;

static bool trapped(const char *call) {
  if (!trap.call || strcmp(trap.call, call) || trap.skip-- > 0) return false;
  errno = trap.code;
  return true;
}

static int trap_open(const char *path, int flags, mode_t mode) {
  return trapped("open") ? -1 : am_system_real.open(path, flags, mode);
}
static ssize_t trap_write(int fd, const void *data, size_t bytes) {
  if (trap.short_writes && bytes > 3) bytes = 3;
  if (trap.short_writes && trap.short_writes++ % 2) {
    errno = EINTR;
    return -1;
  }
  return trapped("write") ? -1 : am_system_real.write(fd, data, bytes);
}
static int trap_fsync(int fd) { return trapped("fsync") ? -1 : am_system_real.fsync(fd); }
static int trap_close(int fd) {
  int result = am_system_real.close(fd);
  return trapped("close") ? -1 : result;
}
static int trap_rename(const char *from, const char *to) {
  return trapped("rename") ? -1 : am_system_real.rename(from, to);
}
static int trap_unlink(const char *path) { return trapped("unlink") ? -1 : am_system_real.unlink(path); }
static int trap_mkdir(const char *path, mode_t mode) {
  return trapped("mkdir") ? -1 : am_system_real.mkdir(path, mode);
}
static const am_system traps = {trap_open, trap_write, trap_fsync, trap_close, trap_rename, trap_unlink, trap_mkdir};

static void set_trap(const char *call, int code, int skip) {
  trap.call = call;
  trap.code = code;
  trap.skip = skip;
  trap.short_writes = 0;
}

static void failed_saves_leave_the_old_file(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, "x");
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_write(f->ctx, path, "old", 3, &err), &err);
  am_context_set_system(f->ctx, &traps);
  static const struct {
    const char *call;
    int code;
    const char *message;
  } cases[] = {{"open", EACCES, "Permission denied"}, {"write", ENOSPC, "disk is full"}, {"write", EIO, "cannot write"},
               {"fsync", EIO, "cannot sync"},         {"close", EIO, "cannot close"},    {"rename", EXDEV, "cannot rename"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    set_trap(cases[i].call, cases[i].code, 0);
    am_test_fails(am_file_write(f->ctx, path, "newer", 5, &err), AM_E_IO, &err, cases[i].message);
    check_content(f, path, "old");
    assert_int_equal(files_in(f, f->folder), 1);
  }
  set_trap("fsync", EIO, 1); /* the folder's: the file is there already, and the caller is told */
  am_test_fails(am_file_write(f->ctx, path, "newer", 5, &err), AM_E_IO, &err, "cannot sync folder");
  check_content(f, path, "newer");
  set_trap("fsync", EINVAL, 1); /* a file system that cannot sync folders */
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_write(f->ctx, path, "newest", 6, &err), &err);
  set_trap(NULL, 0, 0);
  trap.short_writes = 1;
  am_test_ok(am_file_write(f->ctx, path, "in short pieces", 15, &err), &err);
  check_content(f, path, "in short pieces");
  trap.short_writes = 0;
}

/* A link stays a link, a pipe stays a pipe: what was asked for is written to, not its name. */
static void links_and_pipes_stay_what_they_are(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  struct stat info;
  const char *real = am_test_path(f->folder, "real/x"), *link = am_test_path(f->folder, "link"),
             *nowhere = am_test_path(f->folder, "nowhere"), *fifo = am_test_path(f->folder, "fifo");
  am_test_ok(am_folder_create(f->ctx, am_test_path(f->folder, "real"), &err), &err);
  am_test_file(real, "old", 3);
  assert_int_equal(symlink("real/x", link), 0);
  am_test_ok(am_file_write(f->ctx, link, "new", 3, &err), &err);
  check_content(f, real, "new");
  assert_true(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
  assert_int_equal(symlink("gone/x", nowhere), 0);
  am_test_ok(am_file_write(f->ctx, nowhere, "new", 3, &err), &err);
  check_content(f, nowhere, "new");

  char back[8] = "";
  assert_int_equal(mkfifo(fifo, 0600), 0);
  int reader = open(fifo, O_RDONLY | O_NONBLOCK);
  am_test_ok(am_file_write(f->ctx, fifo, "through", 7, &err), &err);
  assert_int_equal(read(reader, back, sizeof back), 7);
  assert_string_equal(back, "through");
  assert_true(lstat(fifo, &info) == 0 && S_ISFIFO(info.st_mode));
  am_context_set_system(f->ctx, &traps);
  const char *calls[] = {"open", "write", "close"};
  for (int i = 0; i < 3; i++) {
    set_trap(calls[i], EIO, 0);
    am_test_fails(am_file_write(f->ctx, fifo, "x", 1, &err), AM_E_IO, &err, "fifo: Input/output error");
  }
  set_trap(NULL, 0, 0);
  close(reader);
}

static void failed_commits_leave_the_old_file(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, "x");
  am_error err = AM_ERROR_INIT;
  char *aside = am_file_aside(f->ctx, path);
  assert_true(strncmp(aside, path, strlen(path)) == 0 && strstr(aside, ".tmp"));
  am_test_file(path, "old", 3);
  am_context_set_system(f->ctx, &traps);
  const char *calls[] = {"open", "fsync", "close", "rename"};
  for (int i = 0; i < 4; i++) {
    am_test_file(aside, "new", 3);
    set_trap(calls[i], EIO, 0);
    am_test_fails(am_file_commit(f->ctx, aside, path, &err), AM_E_IO, &err, "Input/output error");
    check_content(f, path, "old");
    unlink(aside);
  }
  set_trap(NULL, 0, 0);
  am_test_fails(am_file_commit(f->ctx, aside, path, &err), AM_E_IO, &err, "No such file");
  am_test_file(aside, "new", 3);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_commit(f->ctx, aside, path, &err), &err);
  check_content(f, path, "new");
  am_free(f->ctx, aside);
}

static void files_are_removed_for_good(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, "x");
  am_error err = AM_ERROR_INIT;
  am_context_set_system(f->ctx, &traps);
  am_test_file(path, "old", 3);
  set_trap("unlink", EACCES, 0);
  am_test_fails(am_file_remove(f->ctx, path, &err), AM_E_IO, &err, "cannot remove");
  assert_true(am_file_exists(path));
  set_trap("fsync", EIO, 0);
  am_test_fails(am_file_remove(f->ctx, path, &err), AM_E_IO, &err, "cannot sync folder");
  assert_false(am_file_exists(path));
  set_trap(NULL, 0, 0);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_remove(f->ctx, path, &err), &err); /* it is not there */
}

static void relative_names_sync_their_folder(void **state) {
  fixture *f = *state;
  char *before = getcwd(NULL, 0);
  am_error err = AM_ERROR_INIT;
  assert_int_equal(chdir(f->folder), 0);
  am_test_ok(am_file_write(f->ctx, "here", "x", 1, &err), &err);
  check_content(f, "here", "x");
  assert_int_equal(chdir(before), 0);
  free(before);
}

static void folders_are_made_with_parents(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const char *deep = am_test_path(f->folder, "a/b//c/");
  am_test_ok(am_folder_create(f->ctx, deep, &err), &err);
  assert_true(am_folder_exists(deep));
  assert_false(am_file_exists(deep));
  am_test_ok(am_folder_create(f->ctx, deep, &err), &err);
  am_test_file(am_test_path(f->folder, "a/file"), "x", 1);
  am_test_fails(am_folder_create(f->ctx, am_test_path(f->folder, "a/file/x"), &err), AM_E_IO, &err, "a/file is a file");
  bool made;
  am_test_ok(am_folder_claim(f->ctx, am_test_path(f->folder, "mine"), &made, &err), &err);
  assert_true(made && am_folder_exists(am_test_path(f->folder, "mine")));
  am_test_ok(am_folder_claim(f->ctx, am_test_path(f->folder, "mine"), &made, &err), &err);
  assert_false(made);
  am_test_fails(am_folder_claim(f->ctx, am_test_path(f->folder, "no/mine"), &made, &err), AM_E_IO, &err, "no/mine");
  am_context_set_system(f->ctx, &traps);
  set_trap("mkdir", ENOSPC, 0);
  am_test_fails(am_folder_create(f->ctx, am_test_path(f->folder, "q"), &err), AM_E_IO, &err, "disk is full");
  set_trap(NULL, 0, 0);
}

static void folders_are_listed_by_byte_order(void **state) {
  fixture *f = *state;
  const char *wanted[] = {".hidden", "B", "a", "a1", "\xc3\xa4"};
  for (int i = 4; i >= 0; i--) am_test_file(am_test_path(f->folder, wanted[i]), "", 0);
  am_names names;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_folder_list(f->ctx, f->folder, &names, &err), &err);
  assert_int_equal(names.n, 5);
  for (int i = 0; i < 5; i++) assert_string_equal(names.at[i], wanted[i]);
  am_names_free(f->ctx, &names);
  assert_null(names.at);
}

static void paths_are_joined(void **state) {
  fixture *f = *state;
  const char *cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
  for (int i = 0; i < 5; i++) {
    char *joined = am_path_join(f->ctx, cases[i][0], cases[i][1]);
    assert_string_equal(joined, cases[i][2]);
    am_free(f->ctx, joined);
  }
  assert_string_equal(am_path_base("a/b/c.wav"), "c.wav");
  assert_string_equal(am_path_base("c.wav"), "c.wav");
}

static void files_have_an_identity(void **state) {
  fixture *f = *state;
  const char *a = am_test_path(f->folder, "a"), *b = am_test_path(f->folder, "b");
  am_file_id x, y;
  am_error err = AM_ERROR_INIT;
  am_test_file(a, "123", 3);
  am_test_file(b, "123", 3);
  am_test_ok(am_file_identify(a, &x, &err), &err);
  am_test_ok(am_file_identify(b, &y, &err), &err);
  assert_int_equal(x.size, 3);
  assert_true(x.inode != y.inode && x.device == y.device && x.mtime_ns > 0);
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
  fflush(NULL); /* or the child writes what is buffered a second time, under a thread sanitizer */
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

static void every_failed_allocation_is_survived(void **state) {
  fixture *f = *state;
  const char *path = am_test_path(f->folder, "x"), *sub = am_test_path(f->folder, "sub/sub");
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_error err = AM_ERROR_INIT;
    am_names names = {0};
    char *data = NULL;
    size_t bytes;
    am_lock *lock = NULL;
    am_status status = am_file_write(ctx, path, "x", 1, &err);
    if (!status) status = am_file_read(ctx, path, 10, &data, &bytes, &err);
    if (!status) status = am_folder_create(ctx, sub, &err);
    if (!status) status = am_folder_list(ctx, f->folder, &names, &err);
    if (!status) status = am_lock_take(ctx, path, &lock, &err);
    bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_lock_release(lock);
    am_names_free(ctx, &names);
    am_free(ctx, data);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(files_are_written_and_read, begin, end),
      cmocka_unit_test_setup_teardown(only_ordinary_files_are_read, begin, end),
      cmocka_unit_test_setup_teardown(bad_paths_are_named, begin, end),
      cmocka_unit_test_setup_teardown(failed_saves_leave_the_old_file, begin, end),
      cmocka_unit_test_setup_teardown(links_and_pipes_stay_what_they_are, begin, end),
      cmocka_unit_test_setup_teardown(failed_commits_leave_the_old_file, begin, end),
      cmocka_unit_test_setup_teardown(files_are_removed_for_good, begin, end),
      cmocka_unit_test_setup_teardown(relative_names_sync_their_folder, begin, end),
      cmocka_unit_test_setup_teardown(folders_are_made_with_parents, begin, end),
      cmocka_unit_test_setup_teardown(folders_are_listed_by_byte_order, begin, end),
      cmocka_unit_test_setup_teardown(paths_are_joined, begin, end),
      cmocka_unit_test_setup_teardown(files_have_an_identity, begin, end),
      cmocka_unit_test_setup_teardown(locks_name_their_holder, begin, end),
      cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
