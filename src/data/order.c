/* SPDX-License-Identifier: MIT */
/* data/order.c - shuffled, balanced and bucketed epochs. */
#include "data/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/groups.h"

enum { BUCKET_BATCHES = 16 }; /* batches whose clips are sorted by length together */

/* Streams of AM_FOR_ORDER, so that the choices of one do not move another. */
enum { SHUFFLE, CLASSES, WITHIN, BATCHES };

/* The clips by what is balanced: those of a cell stand side by side, and so do the cells of a corpus. */
typedef struct cells {
  am_groups of;               /* members: of all cells, also of those without any */
  size_t *first, *count, *at; /* (cells) of members; the next one to be taken */
  size_t *group;              /* (groups+1) first cell of each */
  size_t groups;
} cells;

static void free_cells(am_context *ctx, cells *c) {
  am_groups_free(ctx, &c->of);
  am_free(ctx, c->first);
}

/* The number of each clip's cell: a label's, of a corpus's. */
static am_status number_cells(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n, uint64_t balance,
                              size_t labels, int *cell_of, int *corpora, am_error *err) {
  int *whole = am_alloc(ctx, (size_t)d->n_corpora + 1, sizeof *whole);
  am_status status = whole ? am_dataset_corpora(ctx, d, whole, corpora, err) : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) {
    const am_clip *clip = &d->clips[clips[i]];
    const size_t corpus = balance & AM_BALANCE_CORPUS ? (size_t)whole[clip->corpus] : 0;
    cell_of[i] = (int)(corpus * labels + (balance & AM_BALANCE_LABEL ? (size_t)clip->label : 0));
  }
  am_free(ctx, whole);
  return status;
}

/* A group for each corpus, or one of all; in it a cell for each label, or one of all.  Empty ones take no part. */
static am_status find_cells(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n, uint64_t balance,
                            cells *out, am_error *err) {
  const size_t labels = balance & AM_BALANCE_LABEL ? (size_t)d->n_labels : 1;
  int *cell_of = am_alloc(ctx, n + 1, sizeof *cell_of), corpora = 1;
  am_status status =
      cell_of ? number_cells(ctx, d, clips, n, balance, labels, cell_of, &corpora, err) : am_no_memory(err);
  if (!(balance & AM_BALANCE_CORPUS)) corpora = 1;
  const size_t all = am_mul(labels, (size_t)corpora);
  if (!status) status = am_groups_make(ctx, cell_of, n, all, &out->of, err);
  am_free(ctx, cell_of);
  out->first = status ? NULL : am_alloc(ctx, am_mul(4, all + 1), sizeof *out->first);
  if (status || !out->first) return status ? status : am_no_memory(err);
  out->count = out->first + (all + 1);
  out->at = out->count + (all + 1);
  out->group = out->at + (all + 1);
  for (size_t i = 0; i < n; i++) out->of.members[i] = clips[out->of.members[i]];
  size_t used = 0;
  for (size_t cell = 0; cell < all; cell++) {
    if (cell % labels == 0) out->group[out->groups] = used;
    const size_t begun = out->of.first[cell], filled = out->of.first[cell + 1];
    if (filled > begun) {
      out->first[used] = begun;
      out->at[used] = out->count[used] = filled - begun;
      used++;
    }
    if (cell % labels == labels - 1 && used > out->group[out->groups]) out->groups++;
  }
  out->group[out->groups] = used;
  return AM_OK;
}

/* Every position draws a corpus at random, of it a class, and takes the next clip of their own shuffled list, which starts again
 * when it is used up: all are equally likely, and no clip returns before all of its list were seen. */
static am_status balanced(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n,
                          const am_loader_options *o, uint64_t epoch, uint32_t *order, am_error *err) {
  cells c = {0};
  am_status status = find_cells(ctx, d, clips, n, o->balance, &c, err);
  am_rng draw = am_rng_stream(o->seed, AM_FOR_ORDER, epoch, CLASSES, 0);
  for (size_t i = 0, round = 0; i < n && !status; i++) {
    const size_t g = (size_t)am_rng_below(&draw, c.groups);
    const size_t k = c.group[g] + (size_t)am_rng_below(&draw, c.group[g + 1] - c.group[g]);
    if (c.at[k] == c.count[k]) {
      am_rng rng = am_rng_stream(o->seed, AM_FOR_ORDER, epoch, WITHIN, round++);
      am_rng_shuffle(&rng, c.of.members + c.first[k], c.count[k]);
      c.at[k] = 0;
    }
    order[i] = c.of.members[c.first[k] + c.at[k]++];
  }
  free_cells(ctx, &c);
  return status;
}

int am_order_copy(const am_store *store, uint64_t seed, uint64_t epoch, uint32_t clip) {
  const int copies = am_store_copies(store);
  if (!copies) return 0;
  am_rng rng = am_rng_stream(seed, AM_FOR_COPY_DRAWN, epoch, clip, 0);
  return (int)am_rng_below(&rng, (uint64_t)copies + 1);
}

typedef struct sized {
  uint32_t clip;
  int frames;
  size_t drawn;
} sized;

static int by_frames(const void *a, const void *b) {
  const sized *x = a, *y = b;
  if (x->frames != y->frames) return x->frames < y->frames ? -1 : 1;
  return x->drawn < y->drawn ? -1 : x->drawn > y->drawn;
}

/* Sorts each stretch of the drawn order by length, cuts batches, and shuffles the full ones; the short one stays last. */
static am_status bucket(am_context *ctx, const am_store *store, size_t n, const am_loader_options *o, uint64_t epoch,
                        uint32_t *order, am_error *err) {
  size_t batch = (size_t)o->batch, full = n / batch;
  sized *s = am_alloc(ctx, n, sizeof *s);
  uint32_t *turn = am_alloc(ctx, full + 1, sizeof *turn);
  if (!s || !turn) {
    am_free(ctx, s);
    am_free(ctx, turn);
    return am_no_memory(err);
  }
  for (size_t i = 0; i < n; i++) {
    const am_store *from = am_store_copy(store, o->augment ? am_order_copy(store, o->seed, epoch, order[i]) : 0);
    s[i] = (sized){order[i], am_store_frames(from, order[i]), i};
  }
  for (size_t i = 0; i < full * batch; i += BUCKET_BATCHES * batch) {
    size_t left = full * batch - i;
    qsort(s + i, left < BUCKET_BATCHES * batch ? left : BUCKET_BATCHES * batch, sizeof *s, by_frames);
  }
  for (size_t b = 0; b < full; b++) turn[b] = (uint32_t)b;
  am_rng rng = am_rng_stream(o->seed, AM_FOR_ORDER, epoch, BATCHES, 0);
  if (o->shuffle) am_rng_shuffle(&rng, turn, full);
  for (size_t b = 0; b < full; b++)
    for (size_t i = 0; i < batch; i++) order[b * batch + i] = s[turn[b] * batch + i].clip;
  am_free(ctx, turn);
  am_free(ctx, s);
  return AM_OK;
}

am_status am_order_make(am_context *ctx, const am_store *store, const am_dataset *d, const uint32_t *clips, size_t n,
                        const am_loader_options *o, uint64_t epoch, uint32_t *order, am_error *err) {
  am_status status = AM_OK;
  if (o->balance) {
    status = balanced(ctx, d, clips, n, o, epoch, order, err);
  } else {
    memcpy(order, clips, n * sizeof *order);
    am_rng rng = am_rng_stream(o->seed, AM_FOR_ORDER, epoch, SHUFFLE, 0);
    if (o->shuffle) am_rng_shuffle(&rng, order, n);
  }
  if (!status && o->bucket) status = bucket(ctx, store, n, o, epoch, order, err);
  return status;
}
