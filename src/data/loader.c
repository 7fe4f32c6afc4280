/* SPDX-License-Identifier: MIT */
/* data/loader.c - batches, one made ahead of the one in use.
 *
 * A thread of its own makes the rows of the next batch one after another
 * while training keeps the pool busy: it never takes the pool, so training does
 * not wait for it.  When the caller is faster and would have to wait, it lends the
 * pool: caller and workers take rows of the same batch, each the next that
 * nobody has.  A row depends on its draw only, not on who makes it. */
#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "data/batch.h"
#include "data/order.h"

enum { AHEAD = 2 }; /* batches between the one that is made and the one that the disk is told of */

typedef enum slot_state { SLOT_FREE, SLOT_MAKING, SLOT_READY, SLOT_TAKEN } slot_state;

typedef struct slot {
  am_batch_memory m;
  am_loader_batch batch;
  slot_state state;
  int next, done; /* rows given out, rows finished */
  int bad;        /* first row that failed; n: none */
  am_status status;
  am_error err;
} slot;

struct am_loader {
  am_batch_source source;
  am_loader_options o;
  am_augment_options augment;
  uint32_t *clips, *order; /* (n) */
  size_t n, batches;
  pthread_t thread;
  bool started;
  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t change;
  bool running, quit;
  size_t next_make, next_take; /* batches */
  slot slots[2];
};

/* Takes rows of a batch until none is left; who finishes the last one completes the batch. Called with the lock. */
static void make_rows(am_loader *l, slot *s) {
  while (s->state == SLOT_MAKING && s->next < s->m.n) {
    int i = s->next++;
    am_error err = AM_ERROR_INIT;
    pthread_mutex_unlock(&l->lock);
    am_status status = s->m.made[i] ? am_batch_row(&l->source, &s->m, i, &err) : AM_OK;
    pthread_mutex_lock(&l->lock);
    if (status && i < s->bad) {
      s->bad = i;
      s->status = status;
      s->err = err;
    }
    if (++s->done < s->m.n) continue;
    pthread_mutex_unlock(&l->lock);
    am_batch_finish(&l->source, &s->m);
    pthread_mutex_lock(&l->lock);
    s->state = SLOT_READY;
    pthread_cond_broadcast(&l->change);
    return;
  }
}

static void open_batch(am_loader *l, slot *s, size_t batch) {
  size_t first = batch * (size_t)l->o.batch, left = l->n - first;
  s->m.n = left < (size_t)l->o.batch ? (int)left : l->o.batch;
  for (int i = 0; i < s->m.n; i++) {
    s->m.draws[i] = first + (size_t)i;
    s->m.clips[i] = l->order[first + (size_t)i];
  }
  s->m.first = 0;
  s->m.count = s->m.n;
  if (l->o.share) l->o.share(l->o.share_arg, s->m.n, &s->m.first, &s->m.count);
  am_batch_choose(&l->source, &s->m);
  s->next = s->done = 0;
  s->bad = s->m.n;
  s->status = AM_OK;
  s->state = SLOT_MAKING;
}

/* The disk may bring a later batch while this one is made. */
static void expect(const am_loader *l, size_t batch) {
  const am_batch_source *s = &l->source;
  for (size_t i = batch * (size_t)l->o.batch; i < (batch + 1) * (size_t)l->o.batch && i < l->n; i++) {
    const int copy = s->augment ? am_order_copy(s->store, s->seed, s->epoch, l->order[i]) : 0;
    am_store_expect(am_store_copy(s->store, copy), l->order[i], s->needs_sound);
  }
}

static void *read_ahead(void *self) {
  am_loader *l = self;
  pthread_mutex_lock(&l->lock);
  while (!l->quit) {
    slot *s = &l->slots[l->next_make % 2];
    if (!l->running || l->next_make >= l->batches || s->state != SLOT_FREE) {
      pthread_cond_wait(&l->change, &l->lock);
      continue;
    }
    open_batch(l, s, l->next_make++);
    expect(l, l->next_make + AHEAD);
    pthread_cond_broadcast(&l->change); /* who waits for it can help */
    make_rows(l, s);
  }
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

typedef struct lend {
  am_loader *l;
  slot *s;
} lend;

static void help(void *arg, size_t piece, int worker) {
  (void)piece;
  (void)worker;
  lend *h = arg;
  pthread_mutex_lock(&h->l->lock);
  make_rows(h->l, h->s);
  pthread_mutex_unlock(&h->l->lock);
}

static void publish(am_loader *l, slot *s) {
  const am_batch_memory *m = &s->m;
  s->batch = (am_loader_batch){.n = m->n,
                               .x = m->mixed,
                               .lengths = m->lengths,
                               .targets = m->targets,
                               .weights = l->source.class_weights ? m->weights : NULL,
                               .draws = m->draws,
                               .clips = m->clips,
                               .partners = m->mixed != m->raw ? m->partners : NULL,
                               .shares = m->mixed != m->raw ? m->shares : NULL};
}

am_status am_loader_next(am_loader *l, const am_loader_batch **batch, am_error *err) {
  *batch = NULL;
  pthread_mutex_lock(&l->lock);
  for (int i = 0; i < 2; i++)
    if (l->slots[i].state == SLOT_TAKEN) l->slots[i].state = SLOT_FREE;
  pthread_cond_broadcast(&l->change);
  if (!l->running || l->next_take >= l->batches) {
    pthread_mutex_unlock(&l->lock);
    return AM_OK;
  }
  slot *s = &l->slots[l->next_take % 2];
  while (s->state != SLOT_READY) {
    if (s->state == SLOT_MAKING && s->next < s->m.n) {
      lend h = {l, s};
      pthread_mutex_unlock(&l->lock);
      am_parallel_for(l->source.ctx, (size_t)am_context_threads(l->source.ctx), help, &h);
      pthread_mutex_lock(&l->lock);
    } else {
      pthread_cond_wait(&l->change, &l->lock);
    }
  }
  s->state = SLOT_TAKEN;
  l->next_take++;
  am_status status = s->status;
  if (status) am_fail(err, status, "%s", s->err.message);
  pthread_mutex_unlock(&l->lock);
  if (status) return status;
  publish(l, s);
  *batch = &s->batch;
  return AM_OK;
}

am_status am_loader_start(am_loader *l, uint64_t epoch, size_t first, am_error *err) {
  pthread_mutex_lock(&l->lock);
  l->running = false;
  for (int i = 0; i < 2; i++)
    while (l->slots[i].state == SLOT_MAKING) pthread_cond_wait(&l->change, &l->lock);
  for (int i = 0; i < 2; i++) l->slots[i].state = SLOT_FREE;
  am_status status =
      am_order_make(l->source.ctx, l->source.store, l->source.d, l->clips, l->n, &l->o, epoch, l->order, err);
  if (!status) {
    l->source.epoch = epoch;
    l->next_make = l->next_take = first;
    l->running = true;
    pthread_cond_broadcast(&l->change);
  }
  pthread_mutex_unlock(&l->lock);
  return status;
}

size_t am_loader_batches(const am_loader *l) { return l->batches; }

static am_status keep_readable(am_loader *l, const uint32_t *clips, size_t n, am_error *err) {
  l->clips = am_alloc(l->source.ctx, n + 1, sizeof *l->clips);
  l->order = am_alloc(l->source.ctx, n + 1, sizeof *l->order);
  if (!l->clips || !l->order) return am_no_memory(err);
  for (size_t i = 0; i < n; i++)
    if (am_store_ok(l->source.store, clips[i])) l->clips[l->n++] = clips[i];
  if (!l->n) return am_fail(err, AM_E_DATA, "no clip of this part of the split could be read (%zu were asked for)", n);
  l->batches = (l->n + (size_t)l->o.batch - 1) / (size_t)l->o.batch;
  return AM_OK;
}

/* Signals go to the program's own threads. */
static int start_thread(am_loader *l) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int failed = pthread_create(&l->thread, NULL, read_ahead, l);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return failed;
}

static am_status set_up(am_loader *l, const am_augment_options *augment, const uint32_t *clips, size_t n,
                        am_error *err) {
  am_batch_source *s = &l->source;
  if (l->o.batch < 1) return am_fail(err, AM_E_USAGE, "a batch of %d clips; wanted at least 1", l->o.batch);
  if (augment && l->o.augment && am_augment_any(augment)) {
    l->augment = *augment;
    s->augment = &l->augment;
    s->needs_sound = am_augment_in_epochs(augment);
  }
  am_status status = keep_readable(l, clips, n, err);
  if (status) return status;
  if (s->needs_sound && !am_store_has_sound(s->store))
    return am_fail(err, AM_E_USAGE, "augmentation changes the sound, and the store was made without it");
  const int copies = s->augment ? (int)s->augment->copies : 0;
  if (copies && am_store_copies(s->store) != copies)
    return am_fail(err, AM_E_USAGE, "augmentation draws %d copies, and the store has %d", copies,
                   am_store_copies(s->store));
  s->t = l->o.max_frames > 0 ? l->o.max_frames : am_store_max_frames(s->store);
  s->batch = l->o.batch;
  for (int i = 0; i < 2 && !status; i++) status = am_batch_alloc(s, &l->slots[i].m, err);
  if (status) return status;
  int failed = start_thread(l);
  if (failed) return am_fail_errno(err, failed, "cannot start the thread that reads batches ahead");
  l->started = true;
  return AM_OK;
}

am_status am_loader_create(am_context *ctx, const am_store *store, const am_dataset *d, const am_normaliser *nz,
                           const am_features *fx, const am_augment_options *augment, const uint32_t *clips, size_t n,
                           const am_loader_options *options, am_loader **out, am_error *err) {
  *out = NULL;
  am_loader *l = am_alloc(ctx, 1, sizeof *l);
  if (!l) return am_no_memory(err);
  l->o = *options;
  l->source = (am_batch_source){.ctx = ctx,
                                .store = store,
                                .d = d,
                                .nz = nz,
                                .fx = fx,
                                .seed = options->seed,
                                .class_weights = options->class_weights,
                                .f = am_store_bins(store),
                                .k = am_dataset_outputs(d)};
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->change, NULL);
  am_status status = set_up(l, augment, clips, n, err);
  if (status) am_loader_free(l);
  else *out = l;
  return status;
}

void am_loader_free(am_loader *l) {
  if (!l) return;
  am_context *ctx = l->source.ctx;
  if (l->started) {
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_broadcast(&l->change);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
  }
  for (int i = 0; i < 2; i++) am_batch_free(ctx, &l->slots[i].m);
  am_free(ctx, l->clips);
  am_free(ctx, l->order);
  pthread_cond_destroy(&l->change);
  pthread_mutex_destroy(&l->lock);
  am_free(ctx, l);
}
