/* SPDX-License-Identifier: MIT */
/* base/parallel.c - the small thread pool of am_parallel_for.
 *
 * The caller is worker 0; workers 1.. sleep on a condition until a job opens.
 * Pieces are handed out by an atomic counter.  A worker joins a job only while
 * it is open, and the caller closes it when the pieces have run out, so it
 * waits for those that joined and never for one that is slow to wake.
 *
 * Jobs follow each other closely: a forward pass of one clip is some thirty, of a
 * few hundred microseconds each, and waking a thread takes tens of them.  So
 * both sides look for a moment before they sleep. */
#include "base/parallel.h"
#include "base/context.h"

#include <errno.h>
#include <signal.h>

typedef struct am_worker {
  am_pool *pool;
  int index;
  pthread_t thread;
  atomic_uint pieces; /* that it has done */
  char apart[64];     /* from the next one's, which another thread writes */
} am_worker;

struct am_pool {
  pthread_mutex_t turn;  /* held by the outside caller whose job runs */
  pthread_key_t running; /* the am_worker whose piece this thread is in, for nested calls */
  pthread_mutex_t lock;  /* guards all below but `next` */
  pthread_cond_t wake, done;
  bool open;
  atomic_bool quit;
  atomic_ullong job; /* number of the current job: a worker joins each once */
  atomic_int joined; /* workers inside the current job */
  am_piece_fn fn;
  void *arg;
  size_t n;
  atomic_size_t next;
  int threads, started;
  am_worker workers[]; /* `threads` of them */
};

/* No other thread writes it. */
static void count_piece(am_worker *worker) {
  const unsigned n = atomic_load_explicit(&worker->pieces, memory_order_relaxed);
  atomic_store_explicit(&worker->pieces, n + 1, memory_order_relaxed);
}

unsigned am_pool_pieces(const am_pool *pool) {
  unsigned n = 0;
  for (int i = 0; i < pool->threads; i++) n += atomic_load_explicit(&pool->workers[i].pieces, memory_order_relaxed);
  return n;
}

static void run_pieces(am_pool *pool, am_piece_fn fn, void *arg, size_t n, am_worker *worker) {
  pthread_setspecific(pool->running, worker);
  for (size_t i; (i = atomic_fetch_add(&pool->next, 1)) < n;) {
    fn(arg, i, worker->index);
    count_piece(worker);
  }
  pthread_setspecific(pool->running, NULL);
}

enum { LOOKS = 1000 }; /* each a pause, of 40 to 140 cycles by processor: some tens of microseconds */

static inline void rest(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void look_for_job(am_pool *pool, unsigned long long seen) {
  for (int i = 0; i < LOOKS && atomic_load(&pool->job) == seen && !atomic_load(&pool->quit); i++) rest();
}

static void look_for_end(am_pool *pool) {
  for (int i = 0; i < LOOKS && atomic_load(&pool->joined); i++) rest();
}

static void *work(void *self) {
  am_worker *worker = self;
  am_pool *pool = worker->pool;
  unsigned long long seen = 0;
  pthread_mutex_lock(&pool->lock);
  for (;;) {
    pthread_mutex_unlock(&pool->lock);
    look_for_job(pool, seen);
    pthread_mutex_lock(&pool->lock);
    while (!pool->quit && !(pool->open && pool->job != seen)) pthread_cond_wait(&pool->wake, &pool->lock);
    if (pool->quit) break;
    seen = pool->job;
    pool->joined++;
    am_piece_fn fn = pool->fn;
    void *arg = pool->arg;
    size_t n = pool->n;
    pthread_mutex_unlock(&pool->lock);
    run_pieces(pool, fn, arg, n, worker);
    pthread_mutex_lock(&pool->lock);
    if (--pool->joined == 0) pthread_cond_signal(&pool->done);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

/* Workers block all signals, so handlers run in the program's own threads. */
static int start_workers(am_pool *pool) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int failed = 0;
  while (!failed && pool->started < pool->threads) {
    am_worker *worker = &pool->workers[pool->started];
    failed = pthread_create(&worker->thread, NULL, work, worker);
    if (!failed) pool->started++;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return failed;
}

am_status am_pool_create(am_context *ctx, int threads, am_pool **out, am_error *err) {
  *out = NULL;
  am_pool *pool = am_alloc(ctx, 1, am_add(sizeof *pool, am_mul((size_t)threads, sizeof pool->workers[0])));
  if (!pool) return am_no_memory(err);
  int failed = pthread_key_create(&pool->running, NULL);
  if (failed) {
    am_free(ctx, pool);
    return am_fail_errno(err, failed, "cannot create a thread pool: too many contexts are alive");
  }
  pthread_mutex_init(&pool->turn, NULL);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->done, NULL);
  atomic_init(&pool->next, 0);
  atomic_init(&pool->job, 0);
  atomic_init(&pool->joined, 0);
  atomic_init(&pool->quit, false);
  pool->threads = threads;
  for (int i = 0; i < threads; i++) {
    pool->workers[i].pool = pool;
    pool->workers[i].index = i;
    atomic_init(&pool->workers[i].pieces, 0);
  }
  pool->started = 1; /* worker 0 is the caller */
  failed = start_workers(pool);
  if (failed) {
    am_status status =
        am_fail_errno(err, failed, "cannot start thread %d of %d; ask for fewer threads", pool->started + 1, threads);
    am_pool_free(ctx, pool);
    return status;
  }
  *out = pool;
  return AM_OK;
}

void am_pool_free(am_context *ctx, am_pool *pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->lock);
  pool->quit = true;
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 1; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  pthread_mutex_destroy(&pool->turn);
  pthread_key_delete(pool->running);
  am_free(ctx, pool);
}

void am_context_set_apart(am_context *ctx) { ctx->apart = true; }

void am_parallel_for(am_context *ctx, size_t n, am_piece_fn fn, void *arg) {
  if (!ctx || !fn || !n) return;
  if (ctx->apart) {
    for (size_t i = 0; i < n; i++) fn(arg, i, 0);
    return;
  }
  am_pool *pool = ctx->pool;
  am_worker *nested = pthread_getspecific(pool->running);
  if (nested) {
    for (size_t i = 0; i < n; i++) {
      fn(arg, i, nested->index);
      count_piece(nested);
    }
    return;
  }
  pthread_mutex_lock(&pool->turn);
  atomic_store(&pool->next, 0);
  size_t helpers = (size_t)pool->threads - 1;
  if (n - 1 < helpers) helpers = n - 1;
  if (helpers) {
    pthread_mutex_lock(&pool->lock);
    pool->fn = fn;
    pool->arg = arg;
    pool->n = n;
    pool->job++;
    pool->open = true;
    for (size_t i = 0; i < helpers; i++) pthread_cond_signal(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
  }
  run_pieces(pool, fn, arg, n, &pool->workers[0]);
  if (helpers) {
    pthread_mutex_lock(&pool->lock);
    pool->open = false;
    pthread_mutex_unlock(&pool->lock);
    look_for_end(pool);
    pthread_mutex_lock(&pool->lock);
    while (pool->joined) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
  }
  pthread_mutex_unlock(&pool->turn);
}
