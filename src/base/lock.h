/* SPDX-License-Identifier: MIT */
/* base/lock.h - locks on files. */
#ifndef AM_LOCK_H
#define AM_LOCK_H

#include "base/base.h"

/* A kernel lock (flock) on a file: AM_E_IO with who holds it in the message when taken.  Some network file systems have no locks:
 * there it is had by all who want it, and am_lock_doubt says so. */
typedef struct am_lock am_lock;
am_status am_lock_take(am_context *ctx, const char *path, am_lock **out, am_error *err);
/* The same, but waits while another process has it, and says so in the log.  AM_E_IO when that one has shown no sign of life for
 * `patience` seconds: to get the lock is one, am_lock_touch another.  AM_E_STOPPED when asked to stop. */
am_status am_lock_wait(am_context *ctx, const char *path, double patience, am_lock **out, am_error *err);
/* Shows those who wait that its holder is at work; NULL is allowed. */
void am_lock_touch(const am_lock *lock);
/* AM_E_IO when the file is gone or another one has its name: then its folder was removed or exchanged, and someone
 * else may hold a lock on what is there now. */
am_status am_lock_check(const am_lock *lock, am_error *err);
/* "locks do not work there (No locks available)", and who has it by what stands in the file; NULL: it holds, or is NULL. */
const char *am_lock_doubt(const am_lock *lock);
/* Whether the lock of that file could be had, which another process is known to have: then locks do not reach to this one. */
bool am_lock_is_free(am_context *ctx, const char *path);
void am_lock_release(am_lock *lock);
/* The same, and the file goes.  Only where all others take it by am_lock_wait, which notices. */
void am_lock_remove(am_lock *lock);

#endif
