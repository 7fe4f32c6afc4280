/* base/lock.h - locks on files. */
#ifndef AM_LOCK_H
#define AM_LOCK_H

#include "base/base.h"

/* A kernel lock (flock) on a file: AM_E_IO with who holds it in the message when taken. */
typedef struct am_lock am_lock;
am_status am_lock_take(am_context *ctx, const char *path, am_lock **out, am_error *err);
/* AM_E_IO when the file is gone or another one has its name: then its folder was removed or exchanged, and someone
 * else may hold a lock on what is there now. */
am_status am_lock_check(const am_lock *lock, am_error *err);
void am_lock_release(am_lock *lock);

#endif
