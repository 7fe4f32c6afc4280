/* SPDX-License-Identifier: MIT */
/* base/append.c - see append.h. */
#include "base/append.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"

struct am_append {
  am_context *ctx;
  char *path;
  int fd;
  uint64_t bytes;
  double synced; /* s, of am_now */
};

static const double sync_every = 1; /* s */

void am_append_close(am_append *a) {
  if (!a) return;
  if (a->fd >= 0) am_context_system(a->ctx)->close(a->fd);
  am_free(a->ctx, a->path);
  am_free(a->ctx, a);
}

/* Where locks do not work, nobody is kept away. */
static am_status take(am_append *a, am_error *err) {
  const am_system *sys = am_context_system(a->ctx);
  struct stat info;
  if ((a->fd = sys->open(a->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666)) < 0)
    return errno == EISDIR ? am_fail(err, AM_E_USAGE, "%s: a folder; wanted a file", a->path)
                           : am_fail_errno(err, errno, "cannot open %s to append to it", a->path);
  if (fstat(a->fd, &info) < 0) return am_fail_errno(err, errno, "cannot look at %s", a->path);
  if (!S_ISREG(info.st_mode))
    return am_fail(err, AM_E_USAGE, "%s: a device or a pipe, to which nothing can be appended later; wanted a file",
                   a->path);
  a->bytes = (uint64_t)info.st_size;
  if (sys->flock(a->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
    return am_fail(err, AM_E_IO, "%s: another process appends to it", a->path);
  return AM_OK;
}

am_status am_append_open(am_context *ctx, const char *path, am_append **out, am_error *err) {
  am_append *a = *out = am_alloc(ctx, 1, sizeof *a);
  if (!a) return am_no_memory(err);
  *a = (am_append){.ctx = ctx, .path = am_strdup(ctx, path), .fd = -1, .synced = am_now()};
  am_status status = a->path ? take(a, err) : am_no_memory(err);
  if (!status) return AM_OK;
  am_append_close(a);
  *out = NULL;
  return status;
}

uint64_t am_append_bytes(const am_append *a) { return a->bytes; }

am_status am_append_read(const am_append *a, uint64_t offset, void *data, size_t room, size_t *got, am_error *err) {
  *got = 0;
  while (*got < room) {
    const ssize_t n = pread(a->fd, (char *)data + *got, room - *got, (off_t)(offset + *got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return am_fail_errno(err, errno, "cannot read %s", a->path);
    if (!n) break;
    *got += (size_t)n;
  }
  return AM_OK;
}

am_status am_append_cut(am_append *a, uint64_t bytes, am_error *err) {
  if (am_context_system(a->ctx)->ftruncate(a->fd, (off_t)bytes) < 0)
    return am_fail_errno(err, errno, "cannot cut %s to its whole rows", a->path);
  a->bytes = bytes;
  return AM_OK;
}

am_status am_append_put(am_append *a, const void *data, size_t bytes, am_error *err) {
  const am_system *sys = am_context_system(a->ctx);
  const char *at = data;
  size_t left = bytes;
  int code = lseek(a->fd, (off_t)a->bytes, SEEK_SET) < 0 ? errno : 0;
  while (left && !code) {
    const ssize_t n = sys->write(a->fd, at, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) code = n ? errno : ENOSPC;
    else at += n, left -= (size_t)n;
  }
  if (code) {
    (void)am_append_cut(a, a->bytes, NULL);
    return am_fail_errno(err, code, "cannot write %s", a->path);
  }
  a->bytes += bytes;
  return am_now() - a->synced < sync_every ? AM_OK : am_append_sync(a, err);
}

am_status am_append_sync(am_append *a, am_error *err) {
  a->synced = am_now();
  /* Some file systems cannot, and say EINVAL. */
  if (am_context_system(a->ctx)->fsync(a->fd) < 0 && errno != EINVAL && errno != ENOTSUP)
    return am_fail_errno(err, errno, "cannot sync %s", a->path);
  return AM_OK;
}
