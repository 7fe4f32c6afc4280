/* SPDX-License-Identifier: MIT */
/* base/system.h - the system calls that change and lock files, as a table, so tests
 * can make any of them fail.  A context starts with the real ones. */
#ifndef AM_SYSTEM_H
#define AM_SYSTEM_H

#include <sys/types.h>

#include "base/base.h"

typedef struct am_system {
  int (*open)(const char *path, int flags, mode_t mode);
  ssize_t (*write)(int fd, const void *data, size_t bytes);
  int (*fsync)(int fd);
  int (*close)(int fd);
  int (*rename)(const char *from, const char *to);
  int (*unlink)(const char *path);
  int (*mkdir)(const char *path, mode_t mode);
  int (*flock)(int fd, int operation);
  int (*ftruncate)(int fd, off_t bytes);
} am_system;

extern const am_system am_system_real;

const am_system *am_context_system(const am_context *ctx);
/* For tests, before other threads use the context; the table is borrowed. */
void am_context_set_system(am_context *ctx, const am_system *system);

#endif
