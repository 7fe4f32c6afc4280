/* data/order.c - shuffled, balanced and bucketed epochs. */
#include "data/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { BUCKET_BATCHES = 16 }; /* batches whose clips are sorted by length together */

/* Streams of AM_FOR_ORDER, so that the choices of one do not move another. */
enum { SHUFFLE, CLASSES, WITHIN, BATCHES };

/* Every position draws a class at random, and takes the next clip of that class's own shuffled list, which
 * starts again when it is used up: classes are equally likely, and no clip returns before all of its class were seen. */
static am_status balanced(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n, uint64_t seed,
                          uint64_t epoch, uint32_t *order, am_error *err) {
  size_t k = (size_t)d->n_labels, used = 0;
  uint32_t *members = am_alloc(ctx, n, sizeof *members);
  size_t *first = am_alloc(ctx, am_mul(3, k + 1), sizeof *first);
  if (!members || !first) {
    am_free(ctx, members);
    am_free(ctx, first);
    return am_no_memory(err);
  }
  size_t *count = first + (k + 1), *at = count + (k + 1), classes = 0, filled = 0;
  for (size_t label = 0; label < k; label++) { /* classes without clips take no part */
    used = filled;
    for (size_t i = 0; i < n; i++)
      if ((size_t)d->clips[clips[i]].label == label) members[filled++] = clips[i];
    if (filled == used) continue;
    first[classes] = used;
    count[classes++] = filled - used;
  }
  am_rng draw = am_rng_stream(seed, AM_FOR_ORDER, epoch, CLASSES, 0);
  for (size_t c = 0; c < classes; c++) at[c] = count[c];
  for (size_t i = 0, round = 0; i < n; i++) {
    size_t c = (size_t)am_rng_below(&draw, classes);
    if (at[c] == count[c]) {
      am_rng rng = am_rng_stream(seed, AM_FOR_ORDER, epoch, WITHIN, round++);
      am_rng_shuffle(&rng, members + first[c], count[c]);
      at[c] = 0;
    }
    order[i] = members[first[c] + at[c]++];
  }
  am_free(ctx, first);
  am_free(ctx, members);
  return AM_OK;
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
  for (size_t i = 0; i < n; i++) s[i] = (sized){order[i], am_store_frames(store, order[i]), i};
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
  if (o->balanced) {
    status = balanced(ctx, d, clips, n, o->seed, epoch, order, err);
  } else {
    memcpy(order, clips, n * sizeof *order);
    am_rng rng = am_rng_stream(o->seed, AM_FOR_ORDER, epoch, SHUFFLE, 0);
    if (o->shuffle) am_rng_shuffle(&rng, order, n);
  }
  if (!status && o->bucket) status = bucket(ctx, store, n, o, epoch, order, err);
  return status;
}
