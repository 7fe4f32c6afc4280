/* SPDX-License-Identifier: MIT */
/* serve/crew.h - threads that do tasks, each with ears of its own (model/share.h). */
#ifndef AM_CREW_H
#define AM_CREW_H

#include "base/base.h"
#include "model/share.h"

typedef struct am_task am_task;
struct am_task {
  am_task *next;
  void (*run)(am_task *task, am_ears *ears); /* the task is the callee's from then on */
};

typedef struct am_crew am_crew;
/* Threads that block all signals. */
am_status am_crew_create(am_context *ctx, const am_ensemble *model, int threads, am_crew **out, am_error *err);
/* Tasks begin in this order. */
void am_crew_add(am_crew *crew, am_task *task);
/* The calling thread does the tasks that wait: of a crew without threads. */
void am_crew_help(am_crew *crew, am_ears *ears);
size_t am_crew_waiting(am_crew *crew);
/* All tasks that were added are run before it returns. */
void am_crew_free(am_crew *crew);

#endif
