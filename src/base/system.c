/* SPDX-License-Identifier: MIT */
/* base/system.c - see system.h. */
#include "base/system.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context.h"

static int real_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

const am_system am_system_real = {real_open, write, fsync, close, rename, unlink, mkdir, flock, ftruncate};

const am_system *am_context_system(const am_context *ctx) { return ctx->system; }
void am_context_set_system(am_context *ctx, const am_system *system) { ctx->system = system; }
