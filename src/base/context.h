/* SPDX-License-Identifier: MIT */
/* base/context.h - what a context holds; for base/ only. */
#ifndef AM_CONTEXT_H
#define AM_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"
#include "base/system.h"

typedef struct am_pool am_pool;

struct am_context {
  am_settings settings;
  am_cpu cpu;
  int threads;
  atomic_int stop;   /* lock-free, so a signal handler may set it */
  atomic_uint asked; /* how often am_context_stopping was; so may it look at this */
  atomic_uint taken; /* pieces of memory, and lines of the log */
  pthread_mutex_t sink_lock;
  _Atomic(am_added *) added;
  const am_system *system;
  am_pool *pool;
  bool apart; /* am_context_set_apart */
  struct am_ranks *ranks;
};

#endif
