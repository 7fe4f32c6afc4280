/* SPDX-License-Identifier: MIT */
/* base/lock.c - a kernel lock on a file, gone when its process is. */
#include "base/file.h"
#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct am_lock {
  am_context *ctx;
  char *path;
  int fd;
  char *doubt; /* NULL: it holds */
};

enum { HOLDER_ROOM = 320, HOST_ROOM = 256 };

static void get_host(char out[HOST_ROOM]) {
  if (gethostname(out, HOST_ROOM)) *out = '\0';
  out[HOST_ROOM - 1] = '\0';
}

/* The holder wrote its process id and its host into the file: "process 12", with " on n3" when that is another one. */
static void name_holder(int fd, char out[HOLDER_ROOM]) {
  char text[HOLDER_ROOM], host[HOST_ROOM], *end;
  ssize_t n = pread(fd, text, sizeof text - 1, 0);
  text[n > 0 ? n : 0] = '\0';
  text[strcspn(text, "\n")] = '\0';
  const long holder = strtol(text, &end, 10);
  end += *end == ' ';
  am_text_one_line(end); /* anybody may have written there */
  get_host(host);
  if (holder <= 0) snprintf(out, HOLDER_ROOM, "another process");
  else if (!*end || !strcmp(end, host)) snprintf(out, HOLDER_ROOM, "process %ld", holder);
  else snprintf(out, HOLDER_ROOM, "process %ld on %.256s", holder, end);
}

/* The name may have been put there by whoever made the folder, to have us empty what it leads to: neither a link nor a second
 * name of some file is a lock of ours. */
static am_status check_kind(int fd, const char *path, am_error *err) {
  struct stat info;
  if (fstat(fd, &info) < 0) return am_fail_errno(err, errno, "cannot look at %s", path);
  if (S_ISREG(info.st_mode) && info.st_nlink <= 1) return AM_OK;
  return am_fail(err, AM_E_IO, "%s is not a lock of audiomood (%s); remove it", path,
                 S_ISREG(info.st_mode) ? "the file has another name, too" : "not an ordinary file");
}

static void end(am_lock *lock) {
  if (lock && lock->fd >= 0) close(lock->fd);
  if (lock) am_free(lock->ctx, lock->path);
  if (lock) am_free(lock->ctx, lock->doubt);
  if (lock) am_free(lock->ctx, lock);
}

/* Only for the other's message: the lock holds without it, so failures do not matter. */
static void sign(const am_lock *lock) {
  char text[HOLDER_ROOM], host[HOST_ROOM];
  get_host(host);
  const int n = snprintf(text, sizeof text, "%ld %s\n", (long)getpid(), host);
  if (ftruncate(lock->fd, 0) || pwrite(lock->fd, text, (size_t)n, 0) < 0) errno = 0;
}

/* Opens the file, without the lock. */
static am_status begin(am_context *ctx, const char *path, am_lock **out, am_error *err) {
  *out = NULL;
  am_lock *lock = am_alloc(ctx, 1, sizeof *lock);
  if (!lock) return am_no_memory(err);
  am_status status = AM_OK;
  lock->ctx = ctx;
  lock->path = am_strdup(ctx, path);
  lock->fd = lock->path ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666) : -1;
  if (!lock->path) status = am_no_memory(err);
  else if (lock->fd < 0 && errno == ELOOP)
    status = am_fail(err, AM_E_IO, "%s is a link, which a lock may not be; remove it", path);
  else if (lock->fd < 0) status = am_fail_errno(err, errno, "cannot open %s", path);
  else status = check_kind(lock->fd, path, err);
  if (!status) *out = lock;
  else end(lock);
  return status;
}

static int lock_file(const am_lock *lock) {
  return am_context_system(lock->ctx)->flock(lock->fd, LOCK_EX | LOCK_NB) ? errno : 0;
}

/* What file systems without locks, or without a server for them, answer. */
static bool is_lack(int code) { return code == ENOLCK || code == ENOSYS || code == EOPNOTSUPP || code == ENOTSUP; }

static am_status doubt(am_lock *lock, int code, am_error *err) {
  char holder[HOLDER_ROOM];
  struct stat info;
  name_holder(lock->fd, holder);
  const bool has = fstat(lock->fd, &info) == 0 && info.st_size > 0;
  lock->doubt = am_format(lock->ctx, "locks do not work there (%s)%s%s", strerror(code),
                          has ? "; whoever took it last and may have it still: " : "", has ? holder : "");
  return lock->doubt ? AM_OK : am_no_memory(err);
}

/* AM_OK with *taken: another process has it. */
static am_status try(am_lock *lock, bool *taken, am_error *err) {
  const int code = lock_file(lock);
  *taken = code == EWOULDBLOCK;
  if (*taken) return AM_OK;
  if (code && !is_lack(code)) return am_fail_errno(err, code, "cannot lock %s", lock->path);
  const am_status status = code ? doubt(lock, code, err) : AM_OK;
  if (!status) sign(lock);
  return status;
}

static am_status fail_taken(const am_lock *lock, am_error *err) {
  char holder[HOLDER_ROOM];
  name_holder(lock->fd, holder);
  return am_fail(err, AM_E_IO, "%s is in use by %s; wait for it or stop it", lock->path, holder);
}

am_status am_lock_take(am_context *ctx, const char *path, am_lock **out, am_error *err) {
  bool taken;
  am_status status = begin(ctx, path, out, err);
  if (status) return status;
  status = try(*out, &taken, err);
  if (!status && taken) status = fail_taken(*out, err);
  if (!status) return AM_OK;
  end(*out);
  *out = NULL;
  return status;
}

/* What changes when the lock has a new holder, or its holder shows that it is at work. */
static int64_t sign_of_life(const am_lock *lock) {
  struct stat info;
  return fstat(lock->fd, &info) ? 0 : (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
}

static am_status wait_for(am_lock *lock, double patience, am_error *err) {
  am_context *ctx = lock->ctx;
  const struct timespec moment = {.tv_nsec = 100000000};
  int64_t seen = sign_of_life(lock);
  double since = am_now();
  bool taken, said = false;
  for (;;) {
    am_status status = try(lock, &taken, err);
    if (status || !taken) return status;
    const int64_t now = sign_of_life(lock);
    if (now != seen) seen = now, since = am_now();
    if (am_now() - since >= patience) return fail_taken(lock, err);
    if (am_context_stopping(ctx)) return am_fail(err, AM_E_STOPPED, "stopped while waiting for %s", lock->path);
    if (!said) {
      char holder[HOLDER_ROOM];
      name_holder(lock->fd, holder);
      am_log(ctx, AM_LOG_INFO, "%s is in use by %s; waiting for it", lock->path, holder);
      said = true;
    }
    nanosleep(&moment, NULL);
  }
}

/* A file that was removed with its lock has no name any more: the next one is waited for. */
am_status am_lock_wait(am_context *ctx, const char *path, double patience, am_lock **out, am_error *err) {
  am_status status = AM_OK;
  *out = NULL;
  for (bool gone = true; gone && !status;) {
    end(*out);
    status = begin(ctx, path, out, err);
    if (!status) status = wait_for(*out, patience, err);
    gone = !status && am_lock_check(*out, NULL);
  }
  if (!status) return AM_OK;
  end(*out);
  *out = NULL;
  return status;
}

void am_lock_touch(const am_lock *lock) {
  if (lock && futimens(lock->fd, NULL)) errno = 0;
}

am_status am_lock_check(const am_lock *lock, am_error *err) {
  struct stat held, named;
  if (fstat(lock->fd, &held) < 0) return am_fail_errno(err, errno, "cannot look at %s", lock->path);
  if (lstat(lock->path, &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev) return AM_OK;
  return am_fail(err, AM_E_IO, "%s is gone: its folder was removed, moved or replaced meanwhile; nothing was written",
                 lock->path);
}

const char *am_lock_doubt(const am_lock *lock) { return lock ? lock->doubt : NULL; }

bool am_lock_is_free(am_context *ctx, const char *path) {
  am_lock *lock;
  if (begin(ctx, path, &lock, NULL)) return false;
  const bool is_free = lock_file(lock) == 0;
  end(lock);
  return is_free;
}

void am_lock_release(am_lock *lock) {
  if (!lock) return;
  if (ftruncate(lock->fd, 0)) errno = 0;
  end(lock); /* the file stays: removing it would let two processes lock two files of one name */
}

void am_lock_remove(am_lock *lock) {
  if (!lock) return;
  if (!am_lock_check(lock, NULL)) am_context_system(lock->ctx)->unlink(lock->path);
  end(lock);
}
