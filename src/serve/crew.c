/* SPDX-License-Identifier: MIT */
/* serve/crew.c - see crew.h. */
#include "serve/crew.h"

#include <pthread.h>
#include <signal.h>

typedef struct member {
  am_crew *crew;
  am_ears *ears;
  pthread_t thread;
} member;

struct am_crew {
  am_context *ctx;
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t wake;
  am_task *first, **last;
  size_t waiting;
  bool quit;
  int started;
  member members[];
};

static am_task *next_task(am_crew *crew, bool wait) {
  pthread_mutex_lock(&crew->lock);
  while (wait && !crew->first && !crew->quit) pthread_cond_wait(&crew->wake, &crew->lock);
  am_task *task = crew->first;
  if (task) {
    crew->first = task->next;
    crew->waiting--;
    if (!crew->first) crew->last = &crew->first;
  }
  pthread_mutex_unlock(&crew->lock);
  return task;
}

static void *work(void *self) {
  member *m = self;
  for (am_task *task; (task = next_task(m->crew, true));) task->run(task, m->ears);
  return NULL;
}

static am_status start(am_crew *crew, const am_ensemble *model, am_error *err) {
  member *m = &crew->members[crew->started];
  m->crew = crew;
  am_status st = am_ears_create(model, &m->ears, err);
  if (st) return st;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const int failed = pthread_create(&m->thread, NULL, work, m);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (failed) {
    am_ears_free(m->ears);
    return am_fail_errno(err, failed, "cannot start thread %d of the server", crew->started + 1);
  }
  crew->started++;
  return AM_OK;
}

am_status am_crew_create(am_context *ctx, const am_ensemble *model, int threads, am_crew **out, am_error *err) {
  am_crew *crew = *out = am_alloc(ctx, 1, sizeof *crew + (size_t)threads * sizeof crew->members[0]);
  if (!crew) return am_no_memory(err);
  crew->ctx = ctx;
  crew->last = &crew->first;
  pthread_mutex_init(&crew->lock, NULL);
  pthread_cond_init(&crew->wake, NULL);
  am_status st = AM_OK;
  while (crew->started < threads && !st) st = start(crew, model, err);
  if (!st) return AM_OK;
  am_crew_free(crew);
  *out = NULL;
  return st;
}

void am_crew_add(am_crew *crew, am_task *task) {
  task->next = NULL;
  pthread_mutex_lock(&crew->lock);
  *crew->last = task;
  crew->last = &task->next;
  crew->waiting++;
  pthread_cond_signal(&crew->wake);
  pthread_mutex_unlock(&crew->lock);
}

void am_crew_help(am_crew *crew, am_ears *ears) {
  for (am_task *task; (task = next_task(crew, false));) task->run(task, ears);
}

size_t am_crew_waiting(am_crew *crew) {
  pthread_mutex_lock(&crew->lock);
  const size_t n = crew->waiting;
  pthread_mutex_unlock(&crew->lock);
  return n;
}

void am_crew_free(am_crew *crew) {
  if (!crew) return;
  pthread_mutex_lock(&crew->lock);
  crew->quit = true;
  pthread_cond_broadcast(&crew->wake);
  pthread_mutex_unlock(&crew->lock);
  for (int i = 0; i < crew->started; i++) {
    pthread_join(crew->members[i].thread, NULL);
    am_ears_free(crew->members[i].ears);
  }
  pthread_cond_destroy(&crew->wake);
  pthread_mutex_destroy(&crew->lock);
  am_free(crew->ctx, crew);
}
