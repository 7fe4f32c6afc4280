/* SPDX-License-Identifier: MIT */
/* Files and folders; every system call that changes a file made to fail. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/system.h"
#include "folder_fixture.h"

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
  am_test_fails(am_file_read_ordinary(f->ctx, file, "a text", 4, &data, &bytes, &err), AM_E_FORMAT, &err,
                "larger than");
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
  } cases[] = {{"open", EACCES, "Permission denied"}, {"write", ENOSPC, "disk is full"},
               {"write", EIO, "cannot write"},        {"fsync", EIO, "cannot sync"},
               {"close", EIO, "cannot close"},        {"rename", EXDEV, "cannot rename"}};
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
    am_test_fails(am_file_write(f->ctx, fifo, "x", 1, &err), AM_E_IO, &err, strerror(EIO));
  }
  set_trap(NULL, 0, 0);
  close(reader);
}

/* ---- names of our own, in a folder that somebody else may have made ---- */

static void our_names_are_not_followed(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  struct stat info;
  const char *victim = "victim", *ours = "ours", *fifo = "fifo";
  char *data;
  size_t bytes;
  am_test_file(victim, "precious", 8);
  assert_int_equal(symlink("victim", ours), 0);
  am_test_fails(am_file_read_own(f->ctx, ours, 100, &data, &bytes, &err), AM_E_FORMAT, &err, "ours is a link");
  am_test_fails(am_file_read_own(f->ctx, f->folder, 100, &data, &bytes, &err), AM_E_FORMAT, &err,
                "not an ordinary file");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_write_own(f->ctx, ours, NULL, "new", 3, &err), &err);
  check_content(f, victim, "precious");
  check_content(f, ours, "new");
  assert_true(lstat(ours, &info) == 0 && S_ISREG(info.st_mode));
  am_test_ok(am_file_read_own(f->ctx, ours, 100, &data, &bytes, &err), &err);
  am_free(f->ctx, data);
  assert_int_equal(unlink(ours) || symlink("victim", ours), 0);
  am_test_ok(am_file_write_as(f->ctx, AM_OURS, ours, "new", 3, &err), &err);
  check_content(f, victim, "precious");
  assert_int_equal(unlink(ours) || symlink("victim", ours), 0);
  am_test_ok(am_file_write_as(f->ctx, AM_GIVEN, ours, "new", 3, &err), &err);
  check_content(f, victim, "new");
  assert_int_equal(mkfifo(fifo, 0600), 0);
  am_test_fails(am_file_write_own(f->ctx, fifo, NULL, "x", 1, &err), AM_E_IO, &err, "fifo is a device or a pipe");
  am_test_fails(am_file_read_own(f->ctx, fifo, 100, &data, &bytes, &err), AM_E_FORMAT, &err, "not an ordinary file");
}

static void what_is_added_follows_what_is_kept(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_file_id before, after;
  am_test_fails(am_file_append_own(f->ctx, "none", 0, "x", 1, &err), AM_E_IO, &err, "cannot open none");
  am_test_file("ours", "kept and lost", 13);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_identify("ours", &before, &err), &err);
  am_test_ok(am_file_append_own(f->ctx, "ours", 4, " and new", 8, &err), &err);
  check_content(f, "ours", "kept and new");
  am_test_ok(am_file_append_own(f->ctx, "ours", 4, "", 0, &err), &err);
  check_content(f, "ours", "kept");
  am_test_ok(am_file_identify("ours", &after, &err), &err);
  assert_int_equal(before.inode, after.inode);
  am_test_fails(am_file_append_own(f->ctx, "ours", 5, "x", 1, &err), AM_E_FORMAT, &err, "of 5 bytes or more");
  assert_int_equal(symlink("ours", "link"), 0);
  am_test_fails(am_file_append_own(f->ctx, "link", 0, "x", 1, &err), AM_E_FORMAT, &err, "link is a link");
  static const struct {
    const char *call, *message;
  } cases[] = {{"open", "cannot open"}, {"write", "cannot write"}, {"fsync", "cannot sync"}, {"close", "cannot close"}};
  am_context_set_system(f->ctx, &traps);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    set_trap(cases[i].call, EIO, 0);
    am_test_fails(am_file_append_own(f->ctx, "ours", 4, " more", 5, &err), AM_E_IO, &err, cases[i].message);
  }
  set_trap(NULL, 0, 0);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_file_append_own(f->ctx, "ours", 4, " still", 6, &err), &err);
  check_content(f, "ours", "kept still");
}

static void our_folders_are_not_left(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const char *run = "run", *other = "other";
  am_test_ok(am_folder_check_own(f->ctx, run, "seed-1/fold-2", &err), &err); /* nothing is there yet */
  am_test_ok(am_folder_own(f->ctx, run, "seed-1/fold-2", &err), &err);
  assert_true(am_folder_exists("run/seed-1/fold-2"));
  am_test_ok(am_folder_own(f->ctx, run, "seed-1/fold-2", &err), &err);
  assert_int_equal(rmdir("run/seed-1/fold-2"), 0);
  assert_int_equal(rmdir("run/seed-1"), 0);
  am_test_ok(am_folder_create(f->ctx, other, &err), &err);
  assert_int_equal(symlink("../other", "run/seed-1"), 0);
  am_test_fails(am_folder_own(f->ctx, run, "seed-1/fold-2", &err), AM_E_IO, &err, "run/seed-1 is a link");
  am_test_fails(am_folder_check_own(f->ctx, run, "seed-1", &err), AM_E_IO, &err, "run/seed-1 is a link");
  assert_int_equal(files_in(f, other), 0);
  const char *same = "same"; /* the folder itself is the user's word */
  assert_int_equal(symlink("run", same), 0);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_folder_own(f->ctx, same, "plots", &err), &err);
  assert_true(am_folder_exists("run/plots"));
}

static mode_t mode_of(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  return info.st_mode & 0777;
}

static void replaced_files_keep_their_mode(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  const char *path = "x", *fresh = "x.new";
  mode_t before = umask(022);
  am_test_ok(am_file_write(f->ctx, path, "new", 3, &err), &err);
  assert_int_equal(mode_of(path), 0644);
  static const mode_t modes[] = {0600, 0640, 0664, 0444};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(chmod(path, modes[i]), 0);
    am_test_ok(am_file_write(f->ctx, path, "old", 3, &err), &err);
    assert_int_equal(mode_of(path), modes[i]);
    am_test_ok(am_file_write_own(f->ctx, path, NULL, "old", 3, &err), &err);
    assert_int_equal(mode_of(path), modes[i]);
    am_test_ok(am_file_write_own(f->ctx, fresh, path, "new", 3, &err), &err);
    assert_int_equal(mode_of(fresh), modes[i]);
    assert_int_equal(chmod(fresh, 0644), 0);
    am_test_ok(am_file_commit(f->ctx, fresh, path, &err), &err);
    assert_int_equal(mode_of(path), modes[i]);
  }
  umask(before);
}

/* ---- what is written aside ---- */

static int opened_flags;
static char opened_path[1024];
static int watch_open(const char *path, int flags, mode_t mode) {
  if (flags & O_CREAT) {
    opened_flags = flags;
    snprintf(opened_path, sizeof opened_path, "%s", path);
  }
  return am_system_real.open(path, flags, mode);
}

static void names_aside_cannot_be_guessed(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_system watching = am_system_real;
  char first[sizeof opened_path], ours[64];
  watching.open = watch_open;
  am_context_set_system(f->ctx, &watching);
  am_test_ok(am_file_write(f->ctx, "x", "x", 1, &err), &err);
  assert_true(opened_flags & O_EXCL && opened_flags & O_NOFOLLOW);
  snprintf(first, sizeof first, "%s", opened_path);
  snprintf(ours, sizeof ours, "x.%ld.", (long)getpid());
  assert_non_null(strstr(first, ours));
  am_test_ok(am_file_write(f->ctx, "x", "x", 1, &err), &err);
  assert_string_not_equal(first, opened_path);
  char longest[256]; /* as long as a name may be */
  memset(longest, 'n', 255);
  longest[255] = '\0';
  am_test_ok(am_file_write(f->ctx, longest, "x", 1, &err), &err);
  check_content(f, longest, "x");
  am_context_set_system(f->ctx, &am_system_real);
}

static void what_dead_writers_left_is_removed(void **state) {
  fixture *f = *state;
  char *mine = am_file_aside(f->ctx, "x"), *of_dead = NULL;
  int ends[2];
  char name[1024] = "";
  assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  pid_t child = fork();
  if (!child) {
    of_dead = am_file_aside(f->ctx, "x");
    _exit(write(ends[1], of_dead, strlen(of_dead)) < 0);
  }
  assert_true(read(ends[0], name, sizeof name - 1) > 0);
  waitpid(child, NULL, 0);
  close(ends[0]);
  close(ends[1]);
  const char *before = "x.4194305.audiomood.tmp"; /* by an earlier version */
  const char *elsewhere = "x.4194305.00000000aaaaaaaa.audiomood.tmp";
  const char *not_ours[] = {"4194305.audiomood.tmp", "x.audiomood.tmp", "x.4194305.tmp"};
  am_test_file(mine, "half", 4);
  am_test_file(name, "half", 4);
  am_test_file(before, "half", 4);
  am_test_file(elsewhere, "half", 4);
  for (int i = 0; i < 3; i++) am_test_file(not_ours[i], "mine", 4);
  am_file_clean_beside(f->ctx, "x");
  assert_false(am_file_exists(name)); /* its writer was on this machine, and is dead */
  assert_true(am_file_exists(mine) && am_file_exists(before) && am_file_exists(elsewhere));
  am_folder_clean(f->ctx, f->folder, 0);
  assert_true(am_file_exists(mine));
  assert_false(am_file_exists(before) || am_file_exists(elsewhere));
  for (int i = 0; i < 3; i++) assert_true(am_file_exists(not_ours[i]));
  am_free(f->ctx, mine);
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
    am_test_fails(am_file_commit(f->ctx, aside, path, &err), AM_E_IO, &err, strerror(EIO));
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
    if (!status) status = am_file_write_own(ctx, path, NULL, "x", 1, &err);
    if (!status) status = am_folder_create(ctx, sub, &err);
    if (!status) status = am_folder_own(ctx, sub, "below/that", &err);
    if (!status) status = am_folder_list(ctx, f->folder, &names, &err);
    if (!status) status = am_lock_take(ctx, path, &lock, &err);
    am_lock_release(lock);
    lock = NULL;
    if (!status) status = am_lock_wait(ctx, path, 0, &lock, &err);
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
      cmocka_unit_test_setup_teardown(our_names_are_not_followed, begin_inside, end_inside),
      cmocka_unit_test_setup_teardown(what_is_added_follows_what_is_kept, begin_inside, end_inside),
      cmocka_unit_test_setup_teardown(our_folders_are_not_left, begin_inside, end_inside),
      cmocka_unit_test_setup_teardown(replaced_files_keep_their_mode, begin_inside, end_inside),
      cmocka_unit_test_setup_teardown(names_aside_cannot_be_guessed, begin_inside, end_inside),
      cmocka_unit_test_setup_teardown(what_dead_writers_left_is_removed, begin_inside, end_inside),
      cmocka_unit_test_setup_teardown(failed_commits_leave_the_old_file, begin, end),
      cmocka_unit_test_setup_teardown(files_are_removed_for_good, begin, end),
      cmocka_unit_test_setup_teardown(relative_names_sync_their_folder, begin, end),
      cmocka_unit_test_setup_teardown(folders_are_made_with_parents, begin, end),
      cmocka_unit_test_setup_teardown(folders_are_listed_by_byte_order, begin, end),
      cmocka_unit_test_setup_teardown(paths_are_joined, begin, end),
      cmocka_unit_test_setup_teardown(files_have_an_identity, begin, end),
      cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
