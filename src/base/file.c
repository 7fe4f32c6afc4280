/* SPDX-License-Identifier: MIT */
/* base/file.c - files written aside, synced and renamed; folders; paths. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"

static am_status write_all(const am_system *sys, int fd, const char *path, const char *data, size_t bytes,
                           am_error *err) {
  while (bytes) {
    ssize_t n = sys->write(fd, data, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return am_fail_errno(err, errno, "cannot write %s", path);
    if (n == 0) return am_fail_errno(err, ENOSPC, "cannot write %s", path);
    data += n;
    bytes -= (size_t)n;
  }
  return AM_OK;
}

/* Without memory of the context: what was renamed is there, and is not to be told as a failure because there is none. */
static am_status sync_folder(const am_system *sys, const char *path, am_error *err) {
  const char *slash = strrchr(path, '/');
  const size_t n = slash ? (size_t)(slash - path) : 0;
  char folder[4096] = "."; /* no longer name was opened */
  if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(n ? n : 1), path);
  am_status status = AM_OK;
  int fd = sys->open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) {
    status = am_fail_errno(err, errno, "cannot open folder %s to sync it", folder);
  } else {
    /* Some file systems cannot sync folders and say EINVAL; there is nothing more to do there. */
    if (sys->fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
      status = am_fail_errno(err, errno, "cannot sync folder %s", folder);
    sys->close(fd);
  }
  return status;
}

am_status am_file_remove(am_context *ctx, const char *path, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  if (sys->unlink(path) == 0) return sync_folder(sys, path, err);
  return errno == ENOENT ? AM_OK : am_fail_errno(err, errno, "cannot remove %s", path);
}

static am_status rename_and_sync(am_context *ctx, const char *aside, const char *path, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  if (sys->rename(aside, path) < 0) {
    int code = errno;
    sys->unlink(aside);
    return am_fail_errno(err, code, "cannot rename %s to %s", aside, path);
  }
  return sync_folder(sys, path, err);
}

/* The mode and group that the file `like` has, for the open file that takes its place: who may not read it now must not be
 * able to then.  NULL, or not an ordinary file: nothing is done.  Where a file system has no modes this fails, and is as
 * good as it can be. */
static void take_mode(int fd, const char *like) {
  struct stat old, now;
  if (!like || lstat(like, &old) < 0 || !S_ISREG(old.st_mode) || fstat(fd, &now) < 0) return;
  mode_t mode = old.st_mode & 0777;
  if (now.st_gid != old.st_gid && fchown(fd, (uid_t)-1, old.st_gid) < 0)
    mode &= ~(mode_t)070 | (mode & 07) << 3; /* another group: no more than all others may */
  if (mode != (now.st_mode & 0777) && fchmod(fd, mode) < 0) errno = 0;
}

am_status am_file_commit(am_context *ctx, const char *aside, const char *path, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  int fd = sys->open(aside, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open %s to sync it", aside);
  take_mode(fd, path);
  int code = sys->fsync(fd) < 0 ? errno : 0;
  if (sys->close(fd) < 0 && !code && errno != EINTR) code = errno;
  if (code) {
    sys->unlink(aside);
    return am_fail_errno(err, code, "cannot sync %s; %s is left as it was", aside, path);
  }
  return rename_and_sync(ctx, aside, path, err);
}

enum { TRIES = 16 };

/* A new file with a unique name: *aside is am_free's, also after a failure.  Others may not read what takes
 * the place of a file that they may not read, or (`like` NULL) is private. */
static int create_aside(am_context *ctx, const char *target, const char *like, char **aside) {
  struct stat info;
  mode_t mode = !like || (lstat(like, &info) == 0 && S_ISREG(info.st_mode)) ? 0600 : 0666;
  int fd = -1;
  for (int i = 0; i < TRIES; i++) {
    am_free(ctx, *aside);
    if (!(*aside = am_file_aside(ctx, target))) return -1;
    fd = am_context_system(ctx)->open(*aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0 || errno != EEXIST) break;
  }
  if (fd >= 0) take_mode(fd, like);
  return fd;
}

/* Writes and closes a file beside `target`; what could not be finished is removed. */
static am_status write_aside(am_context *ctx, const char *target, const char *path, const char *like, const void *data,
                             size_t bytes, char **aside, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  int fd = create_aside(ctx, target, like, aside);
  if (!*aside) return am_no_memory(err);
  if (fd < 0) return am_fail_errno(err, errno, "cannot create %s", path);
  am_status status = write_all(sys, fd, path, data, bytes, err);
  if (!status && sys->fsync(fd) < 0) status = am_fail_errno(err, errno, "cannot sync %s", path);
  if (sys->close(fd) < 0 && !status && errno != EINTR) status = am_fail_errno(err, errno, "cannot close %s", path);
  if (status) sys->unlink(*aside);
  return status;
}

char *am_file_target(am_context *ctx, const char *path) {
  char *real = am_file_is_link(path) ? realpath(path, NULL) : NULL;
  char *target = am_strdup(ctx, real ? real : path);
  free(real); /* NULL too where the link leads nowhere: then the link is replaced */
  return target;
}

bool am_file_is_special(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/* Of the name itself: a link is not. */
static bool is_special_name(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && !S_ISLNK(info.st_mode);
}

bool am_file_is_link(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

am_status am_file_can_be_made(am_context *ctx, const char *path, am_error *err) {
  char *folder = am_format(ctx, "%.*s.", (int)(am_path_base(path) - path), path);
  if (!folder) return am_no_memory(err);
  int code = access(am_file_is_special(path) ? path : folder, W_OK) ? errno : 0;
  if (!code && am_folder_exists(path)) code = EISDIR;
  am_free(ctx, folder);
  return code ? am_fail_errno(err, code, "cannot create %s", path) : AM_OK;
}

/* A device or pipe is written to: renamed over, /dev/null would be a file for the whole machine. */
static am_status write_through(am_context *ctx, const char *path, const void *data, size_t bytes, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  int fd = sys->open(path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open %s", path);
  am_status status = write_all(sys, fd, path, data, bytes, err);
  if (sys->close(fd) < 0 && !status && errno != EINTR) status = am_fail_errno(err, errno, "cannot close %s", path);
  return status;
}

static am_status replace(am_context *ctx, const char *target, const char *path, const char *like, const void *data,
                         size_t bytes, am_error *err) {
  char *aside = NULL;
  am_status status = write_aside(ctx, target, path, like, data, bytes, &aside, err);
  if (!status) status = rename_and_sync(ctx, aside, target, err);
  am_free(ctx, aside);
  return status;
}

static am_status write_given(am_context *ctx, const char *path, bool private, const void *data, size_t bytes,
                             am_error *err) {
  if (am_file_is_special(path)) return write_through(ctx, path, data, bytes, err);
  char *target = am_file_target(ctx, path);
  const char *like = target && private && !am_file_exists(target) ? NULL : target;
  am_status status = target ? replace(ctx, target, path, like, data, bytes, err) : am_no_memory(err);
  am_free(ctx, target);
  return status;
}

am_status am_file_write(am_context *ctx, const char *path, const void *data, size_t bytes, am_error *err) {
  return write_given(ctx, path, false, data, bytes, err);
}

am_status am_file_write_own(am_context *ctx, const char *path, const char *like, const void *data, size_t bytes,
                            am_error *err) {
  if (is_special_name(path))
    return am_fail(err, AM_E_IO, "%s is a device or a pipe; wanted an ordinary file: remove it", path);
  return replace(ctx, path, path, like ? like : path, data, bytes, err);
}

am_status am_file_write_as(am_context *ctx, am_whose whose, const char *path, const void *data, size_t bytes,
                           am_error *err) {
  if (whose == AM_OURS) return am_file_write_own(ctx, path, NULL, data, bytes, err);
  return write_given(ctx, path, whose == AM_PRIVATE, data, bytes, err);
}

/* Cuts the open file, and writes from there on. */
static am_status append(const am_system *sys, int fd, const char *path, size_t keep, const void *data, size_t bytes,
                        am_error *err) {
  struct stat info;
  if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || (uint64_t)info.st_size < keep)
    return am_fail(err, AM_E_FORMAT, "%s is not an ordinary file of %zu bytes or more", path, keep);
  if (ftruncate(fd, (off_t)keep) < 0 || lseek(fd, 0, SEEK_END) < 0)
    return am_fail_errno(err, errno, "cannot write %s", path);
  am_status status = write_all(sys, fd, path, data, bytes, err);
  return !status && sys->fsync(fd) < 0 ? am_fail_errno(err, errno, "cannot sync %s", path) : status;
}

am_status am_file_append_own(am_context *ctx, const char *path, size_t keep, const void *data, size_t bytes,
                             am_error *err) {
  const am_system *sys = am_context_system(ctx);
  int fd = sys->open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0 && errno == ELOOP) return am_fail(err, AM_E_FORMAT, "%s is a link; wanted an ordinary file", path);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open %s", path);
  am_status status = append(sys, fd, path, keep, data, bytes, err);
  if (sys->close(fd) < 0 && !status && errno != EINTR) status = am_fail_errno(err, errno, "cannot close %s", path);
  return status;
}

/* Reads to the end; the size that fstat gave is only a first guess (pipes, /proc, growing files). */
static am_status read_all(am_context *ctx, int fd, const char *path, size_t limit, am_buffer *b, am_error *err) {
  char piece[16384];
  struct stat what;
  bool may_wait = fstat(fd, &what) == 0 && !S_ISREG(what.st_mode);
  for (;;) {
    if (may_wait && am_context_stopping(ctx)) return am_fail(err, AM_E_STOPPED, "stopped while %s was read", path);
    ssize_t n = read(fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR && am_context_stopping(ctx)) /* a pipe may have nothing to say for ever */
      return am_fail(err, AM_E_STOPPED, "stopped while %s was read", path);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return am_fail_errno(err, errno, "cannot read %s", path);
    am_buffer_append(ctx, b, piece, (size_t)n);
    if (b->failed) return am_no_memory(err);
    if (b->used > limit)
      return am_fail(err, AM_E_FORMAT, "%s: larger than the %zu bytes allowed for such a file", path, limit);
    if (n == 0) return AM_OK;
  }
}

/* Reads and closes `fd`. */
static am_status read_open(am_context *ctx, int fd, const char *path, size_t limit, char **data, size_t *bytes,
                           am_error *err) {
  am_buffer b = {0};
  am_status status = read_all(ctx, fd, path, limit, &b, err);
  close(fd);
  if (status) {
    am_buffer_free(ctx, &b);
    return status;
  }
  *data = b.data;
  *bytes = b.used;
  return AM_OK;
}

am_status am_file_read(am_context *ctx, const char *path, size_t limit, char **data, size_t *bytes, am_error *err) {
  am_log(ctx, AM_LOG_DEBUG, "reading %s", path);
  *data = NULL;
  *bytes = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open %s", path);
  return read_open(ctx, fd, path, limit, data, bytes, err);
}

static am_status fail_special(const char *path, const char *wanted, am_error *err) {
  return am_fail(err, AM_E_FORMAT, "%s is a device or a pipe; wanted %s", path, wanted);
}

/* Looked at first, for opening a pipe wakes whoever waits to write into it, and opening a device may do anything; and
 * looked at again once it is open, without waiting, in case something else was given its name meanwhile. */
am_status am_file_read_ordinary(am_context *ctx, const char *path, const char *wanted, size_t limit, char **data,
                                size_t *bytes, am_error *err) {
  *data = NULL;
  *bytes = 0;
  if (am_file_is_special(path)) return fail_special(path, wanted, err);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open %s", path);
  struct stat info;
  if (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) { /* of a folder reading fails */
    close(fd);
    return fail_special(path, wanted, err);
  }
  return read_open(ctx, fd, path, limit, data, bytes, err);
}

am_status am_file_read_own(am_context *ctx, const char *path, size_t limit, char **data, size_t *bytes, am_error *err) {
  am_log(ctx, AM_LOG_DEBUG, "reading %s", path);
  *data = NULL;
  *bytes = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  struct stat info;
  if (fd < 0 && errno == ELOOP) return am_fail(err, AM_E_FORMAT, "%s is a link; wanted an ordinary file", path);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open %s", path);
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return read_open(ctx, fd, path, limit, data, bytes, err);
  close(fd);
  return am_fail(err, AM_E_FORMAT, "%s is not an ordinary file", path);
}

/* One folder of `path`.  Its name is synced too: what is synced in a folder whose name is lost is lost. */
static am_status make_folder(am_context *ctx, const char *path, const char *part, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  if (sys->mkdir(part, 0777) == 0) return sync_folder(sys, part, err);
  if (errno != EEXIST) return am_fail_errno(err, errno, "cannot create folder %s", part);
  if (am_folder_exists(part)) return AM_OK; /* another process was faster */
  return am_fail(err, AM_E_IO, "cannot create folder %s: %s is a file", path, part);
}

am_status am_folder_claim(am_context *ctx, const char *path, bool *made, am_error *err) {
  const am_system *sys = am_context_system(ctx);
  *made = sys->mkdir(path, 0777) == 0;
  if (*made) return sync_folder(sys, path, err);
  return errno == EEXIST ? AM_OK : am_fail_errno(err, errno, "cannot create folder %s", path);
}

am_status am_folder_create(am_context *ctx, const char *path, am_error *err) {
  char *part = am_strdup(ctx, path);
  if (!part) return am_no_memory(err);
  am_status status = AM_OK;
  for (char *c = part; !status; c++) {
    if (*c != '/' && *c) continue;
    char kept = *c;
    *c = '\0';
    if (*part && !am_folder_exists(part)) status = make_folder(ctx, path, part, err);
    *c = kept;
    if (!kept) break;
  }
  am_free(ctx, part);
  return status;
}

/* Whether the folders of `below`, one after another, are real ones, as far as they are there; and with `make` they are
 * made. */
static am_status own_folder(am_context *ctx, const char *folder, const char *below, bool make, am_error *err) {
  char *path = am_path_join(ctx, folder, below);
  if (!path) return am_no_memory(err);
  am_status status = AM_OK;
  for (char *c = path + (strlen(path) - strlen(below)); !status; c++) {
    if (*c != '/' && *c) continue;
    char kept = *c;
    *c = '\0';
    if (am_file_is_link(path))
      status = am_fail(err, AM_E_IO,
                       "%s is a link; it is not followed out of %s: remove the link, or put the "
                       "folder itself there",
                       path, folder);
    else if (make && !am_folder_exists(path)) status = make_folder(ctx, path, path, err);
    *c = kept;
    if (!kept) break;
  }
  am_free(ctx, path);
  return status;
}

am_status am_folder_own(am_context *ctx, const char *folder, const char *below, am_error *err) {
  am_status status = own_folder(ctx, folder, below, false, err);
  if (!status) status = am_folder_create(ctx, folder, err);
  return status ? status : own_folder(ctx, folder, below, true, err);
}

am_status am_folder_check_own(am_context *ctx, const char *folder, const char *below, am_error *err) {
  return own_folder(ctx, folder, below, false, err);
}

bool am_file_exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

bool am_folder_exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *am_path_join(am_context *ctx, const char *folder, const char *name) {
  size_t n = strlen(folder);
  if (*name == '/' || !n) return am_strdup(ctx, name);
  const size_t more = strlen(name) + 1,
               gap = folder[n - 1] != '/'; /* called for each clip: without printf, which is slow */
  char *path = am_resize(ctx, NULL, n + gap + more, 1);
  if (!path) return NULL;
  memcpy(path, folder, n);
  path[n] = '/';
  memcpy(path + n + gap, name, more);
  return path;
}

char *am_path_from_program(am_context *ctx, const char *relative) {
  char self[4096];
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self);
  if (n <= 0 || (size_t)n == sizeof self) return NULL;
  self[n] = '\0';
  char *slash = strrchr(self, '/');
  if (!slash) return NULL;
  *slash = '\0';
  char *path = am_path_join(ctx, self, relative), *real = path ? realpath(path, NULL) : NULL;
  char *out = real ? am_strdup(ctx, real) : NULL;
  free(real);
  am_free(ctx, path);
  return out;
}

bool am_folder_has(am_context *ctx, const char *folder, const char *name) {
  char *path = am_path_join(ctx, folder, name);
  bool found = path && am_file_exists(path);
  am_free(ctx, path);
  return found;
}

bool am_text_ends(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && !strcmp(text + n - m, end);
}

const char *am_path_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static am_status list_open(am_context *ctx, DIR *folder, const char *path, am_names *out, am_error *err) {
  size_t room = 0;
  for (;;) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    if (!entry) break;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (am_grow(ctx, &out->at, &room, out->n + 1, sizeof *out->at, err)) return AM_E_NOMEM;
    if (!(out->at[out->n] = am_strdup(ctx, entry->d_name))) return am_no_memory(err);
    out->n++;
  }
  if (errno) return am_fail_errno(err, errno, "cannot list folder %s", path);
  am_names_sort(out);
  return AM_OK;
}

am_status am_folder_list(am_context *ctx, const char *path, am_names *out, am_error *err) {
  *out = (am_names){0};
  DIR *folder = opendir(path);
  if (!folder) return am_fail_errno(err, errno, "cannot list folder %s", path);
  am_status status = list_open(ctx, folder, path, out, err);
  closedir(folder);
  if (status) am_names_free(ctx, out);
  return status;
}

void am_names_sort(am_names *names) {
  if (names->n) qsort(names->at, names->n, sizeof *names->at, by_bytes);
}

void am_names_free(am_context *ctx, am_names *names) {
  for (size_t i = 0; i < names->n; i++) am_free(ctx, names->at[i]);
  am_free(ctx, names->at);
  *names = (am_names){0};
}

static am_file_id id_of(const struct stat *info) {
  return (am_file_id){.size = (uint64_t)info->st_size,
                      .mtime_ns = (uint64_t)info->st_mtim.tv_sec * 1000000000u + (uint64_t)info->st_mtim.tv_nsec,
                      .ctime_ns = (uint64_t)info->st_ctim.tv_sec * 1000000000u + (uint64_t)info->st_ctim.tv_nsec,
                      .inode = (uint64_t)info->st_ino,
                      .device = (uint64_t)info->st_dev};
}

am_status am_file_identify(const char *path, am_file_id *out, am_error *err) {
  struct stat info;
  if (stat(path, &info) < 0) return am_fail_errno(err, errno, "cannot look at %s", path);
  *out = id_of(&info);
  return AM_OK;
}

bool am_file_exists_as(const char *path, am_file_id *out) {
  struct stat info;
  if (stat(path, &info) < 0 || S_ISDIR(info.st_mode)) return false;
  *out = id_of(&info);
  return true;
}
