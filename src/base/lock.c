/* base/lock.c - a kernel lock on a file, gone when its process is. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct am_lock {
  am_context *ctx;
  char *path;
  int fd;
};

/* The holder wrote its process id into the file. */
static am_status fail_taken(am_error *err, int fd, const char *path) {
  char text[32];
  ssize_t n = pread(fd, text, sizeof text - 1, 0);
  text[n > 0 ? n : 0] = '\0';
  long holder = strtol(text, NULL, 10);
  if (holder > 0) return am_fail(err, AM_E_IO, "%s is in use by process %ld; wait for it or stop it", path, holder);
  return am_fail(err, AM_E_IO, "%s is in use by another process; wait for it or stop it", path);
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

am_status am_lock_take(am_context *ctx, const char *path, am_lock **out, am_error *err) {
  *out = NULL;
  am_lock *lock = am_alloc(ctx, 1, sizeof *lock);
  if (!lock) return am_no_memory(err);
  am_status status = AM_OK;
  lock->ctx = ctx;
  lock->path = am_strdup(ctx, path);
  lock->fd = lock->path ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666) : -1;
  if (!lock->path) {
    status = am_no_memory(err);
  } else if (lock->fd < 0 && errno == ELOOP) {
    status = am_fail(err, AM_E_IO, "%s is a link, which a lock may not be; remove it", path);
  } else if (lock->fd < 0) {
    status = am_fail_errno(err, errno, "cannot open %s", path);
  } else if ((status = check_kind(lock->fd, path, err))) {
    close(lock->fd);
  } else if (flock(lock->fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) status = fail_taken(err, lock->fd, path);
    else status = am_fail_errno(err, errno, "cannot lock %s", path);
    close(lock->fd);
  }
  if (status) {
    am_free(ctx, lock->path);
    am_free(ctx, lock);
    return status;
  }
  /* Only for the other's message: the lock holds without it, so failures do not matter. */
  char text[32];
  int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
  if (ftruncate(lock->fd, 0) || pwrite(lock->fd, text, (size_t)n, 0) < 0) errno = 0;
  *out = lock;
  return AM_OK;
}

am_status am_lock_check(const am_lock *lock, am_error *err) {
  struct stat held, named;
  if (fstat(lock->fd, &held) < 0) return am_fail_errno(err, errno, "cannot look at %s", lock->path);
  if (lstat(lock->path, &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev) return AM_OK;
  return am_fail(err, AM_E_IO, "%s is gone: its folder was removed, moved or replaced meanwhile; nothing was written",
                 lock->path);
}

void am_lock_release(am_lock *lock) {
  if (!lock) return;
  if (ftruncate(lock->fd, 0)) errno = 0;
  close(lock->fd); /* the file stays: removing it would let two processes lock two files of one name */
  am_free(lock->ctx, lock->path);
  am_free(lock->ctx, lock);
}
