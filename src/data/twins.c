/* SPDX-License-Identifier: MIT */
/* data/twins.c - recordings that are in a corpus twice: a model is trained on one and tested on the other. */
#include "data/twins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/check.h"
#include "data/places.h"

typedef struct placed {
  am_place place;
  uint32_t clip;
} placed;

static int by_place(const void *a, const void *b) {
  const placed *x = a, *y = b;
  const int order = am_place_compare(&x->place, &y->place);
  return order ? order : x->clip < y->clip ? -1 : x->clip > y->clip;
}

/* Those that are gone again are left to the decoder, which will say so. */
static size_t find_places(const am_dataset *d, placed *at) {
  size_t n = 0;
  for (uint32_t i = 0; i < d->n; i++) {
    const am_clip *c = &d->clips[i];
    at[n].clip = i;
    n += am_place_of(c->path, c->start, c->seconds, &at[n].place);
  }
  return n;
}

am_status am_dataset_check_files(const am_dataset *d, am_error *err) {
  placed *at = am_alloc(d->ctx, d->n + 1, sizeof *at);
  if (!at) return am_no_memory(err);
  const size_t n = find_places(d, at);
  size_t twice = 0, first = 0;
  if (n) qsort(at, n, sizeof *at, by_place);
  for (size_t i = 1; i < n; i++)
    if (!am_place_compare(&at[i - 1].place, &at[i].place) && (!twice++ || at[i - 1].clip < at[first - 1].clip))
      first = i;
  const am_clip *a = twice ? &d->clips[at[first - 1].clip] : NULL, *b = twice ? &d->clips[at[first].clip] : NULL;
  am_free(d->ctx, at);
  if (!twice) return AM_OK;
  return am_fail(err, AM_E_DATA,
                 "%zu of %zu clips %s there twice, the first %s and %s, which are one file (%s); one would be "
                 "trained on and the other tested%s",
                 twice, d->n, am_count(twice, "is", "are"), a->name, b->name, a->path,
                 a->corpus != b->corpus ? ": leave one of the corpora out, or give them different speakers or labels"
                                        : ": leave the links out (data.exclude, or `unique: true` in a description)");
}

/* Sounds */

enum { WINDOW = 200, ASKED = 1000 }; /* neighbours looked at; pairs that are decoded once more, at most */
static const double NEAR = 0.05;     /* of the energy of a clip's features */

typedef struct sound {
  uint64_t digest;
  uint32_t clip;
  int part;
} sound;

static int by_digest(const void *a, const void *b) {
  const sound *x = a, *y = b;
  if (x->digest != y->digest) return x->digest < y->digest ? -1 : 1;
  if (x->part != y->part) return x->part < y->part ? -1 : 1;
  return x->clip < y->clip ? -1 : x->clip > y->clip;
}

/* All silences are equal, and say nothing. */
static size_t find_sounds(const am_store *store, const am_split *split, sound *at) {
  size_t n = 0;
  for (int part = 0; part < 3; part++)
    for (size_t i = 0; i < split->n[part]; i++) {
      const uint32_t clip = split->at[part][i];
      if (am_store_ok(store, clip) && !am_store_unheard(store, clip))
        at[n++] = (sound){am_store_digest(store, clip), clip, part};
    }
  return n;
}

static void found(am_twins *out, const sound *a, const sound *b) {
  /* of several the one whose clip comes first, so that the same is named wherever it runs */
  const bool trained = out->trained || a->part == AM_PART_TRAIN; /* a's part comes before b's */
  if (!out->sounds++ || a->clip < out->clip[0])
    *out = (am_twins){out->sounds, trained, {a->clip, b->clip}, {(am_part)a->part, (am_part)b->part}};
  out->trained = trained;
}

static void find_equal(sound *at, size_t n, am_twins *out) {
  if (n) qsort(at, n, sizeof *at, by_digest);
  for (size_t i = 0, end; i < n; i = end) {
    size_t other = 0; /* the first of another part */
    for (end = i + 1; end < n && at[end].digest == at[i].digest; end++)
      if (!other && at[end].part != at[i].part) other = end;
    if (other) found(out, &at[i], &at[other]);
  }
}

/* A whole file, by its length and what its features are like. */
enum { STRETCHES = 8 };
typedef struct shape {
  double seconds, mean, energy; /* energy: of the features around their mean */
  double stretch[STRETCHES];    /* sums of as many parts of the features, each over the root of its length */
  size_t n;
  sound sound;
} shape;

static int by_shape(const void *a, const void *b) {
  const shape *x = a, *y = b;
  if (x->seconds < y->seconds || x->seconds > y->seconds) return x->seconds < y->seconds ? -1 : 1;
  if (x->mean < y->mean || x->mean > y->mean) return x->mean < y->mean ? -1 : 1;
  return x->sound.clip < y->sound.clip ? -1 : x->sound.clip > y->sound.clip;
}

static size_t stretch_begin(size_t n, int k) {
  return n / STRETCHES * (size_t)k + n % STRETCHES * (size_t)k / STRETCHES;
}

static void describe(shape *s, const float *x) {
  for (int i = 0; i < STRETCHES; i++) {
    const size_t from = stretch_begin(s->n, i), to = stretch_begin(s->n, i + 1);
    double sum = 0;
    for (size_t k = from; k < to; k++) {
      sum += (double)x[k];
      s->mean += (double)x[k];
    }
    s->stretch[i] = to > from ? sum / sqrt((double)(to - from)) : 0;
  }
  s->mean /= (double)(s->n ? s->n : 1);
  for (size_t k = 0; k < s->n; k++) s->energy += ((double)x[k] - s->mean) * ((double)x[k] - s->mean);
}

/* Features of the last shapes that were looked at, as many as MEMORY holds: of those near to each other each is read about once. */
enum { MEMORY = 64 << 20 };
typedef struct window {
  const am_store *store;
  const shape *shapes;
  float *one;  /* of the shape that the others are compared with */
  float *x;    /* (slots, cells) */
  size_t *has; /* (slots) shape + 1 */
  size_t slots, cells;
} window;

static am_status open_window(am_context *ctx, const am_store *store, const shape *shapes, window *w, am_error *err) {
  *w = (window){.store = store, .shapes = shapes};
  w->cells = am_mul((size_t)am_store_max_frames(store), (size_t)am_store_bins(store));
  const size_t fit = MEMORY / sizeof(float) / (w->cells ? w->cells : 1);
  w->slots = fit < 1 ? 1 : fit > WINDOW + 1 ? WINDOW + 1 : fit;
  w->one = am_resize(ctx, NULL, w->cells, sizeof *w->one);
  w->x = am_resize(ctx, NULL, am_mul(w->slots, w->cells), sizeof *w->x); /* what is not used is never there */
  w->has = am_alloc(ctx, w->slots, sizeof *w->has);
  return w->one && w->x && w->has ? AM_OK : am_no_memory(err);
}

static void close_window(am_context *ctx, window *w) {
  am_free(ctx, w->one);
  am_free(ctx, w->x);
  am_free(ctx, w->has);
}

static am_status look(window *w, size_t i, const float **x, am_error *err) {
  const size_t slot = i % w->slots;
  float *at = w->x + slot * w->cells;
  *x = at;
  if (w->has[slot] == i + 1) return AM_OK;
  w->has[slot] = 0;
  am_status status = am_store_read(w->store, w->shapes[i].sound.clip, at, err);
  if (!status) w->has[slot] = i + 1;
  return status;
}

static am_status find_shapes(const am_dataset *d, const am_store *store, const sound *at, size_t n, float *x,
                             shape *shapes, size_t *used, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < n && !status; i++) {
    const am_clip *c = &d->clips[at[i].clip];
    if (c->start > 0 || c->seconds > 0) continue;
    shape *s = &shapes[(*used)++];
    *s = (shape){.seconds = am_store_seconds(store, at[i].clip),
                 .sound = at[i],
                 .n = (size_t)am_store_frames(store, at[i].clip) * (size_t)am_store_bins(store)};
    status = am_store_read(store, at[i].clip, x, err);
    if (!status) describe(s, x);
  }
  return status;
}

static double bound_of(const shape *a) { return NEAR * a->energy; }

/* Sums of stretches differ by no more than what is in them: what is far by these need not be read.  The difference that
 * are_near finds is at least this one, but for rounding. */
static bool may_be_near(const shape *a, const shape *b) {
  double square[STRETCHES];
  for (int i = 0; i < STRETCHES; i++) {
    const double d = a->stretch[i] - b->stretch[i];
    square[i] = d * d;
  }
  for (int width = STRETCHES / 2; width; width /= 2)
    for (int i = 0; i < width; i++) square[i] += square[i + width];
  return square[0] <= bound_of(a) * (1 + 1e-6);
}

/* Whether features (n) differ by little; the sounds themselves decide then. */
static bool are_near(const shape *a, const float *x, const float *y) {
  enum { AT_ONCE = 16 };
  const double bound = bound_of(a);
  double difference = 0;
  size_t k = 0;
  for (; k + AT_ONCE <= a->n && difference <= bound; k += AT_ONCE) {
    double sum[4] = {0};
    for (size_t i = 0; i < AT_ONCE; i++) {
      const double d = (double)x[k + i] - (double)y[k + i];
      sum[i % 4] += d * d;
    }
    difference += (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  for (; k < a->n && difference <= bound; k++) {
    const double d = (double)x[k] - (double)y[k];
    difference += d * d;
  }
  return difference <= bound;
}

/* Of two that may be the same. */
static am_status compare_shapes(window *w, size_t i, size_t k, bool *first, bool *near, am_error *err) {
  const float *y = NULL;
  am_status status = AM_OK;
  if (*first) status = am_store_read(w->store, w->shapes[i].sound.clip, w->one, err);
  *first = false;
  if (!status) status = look(w, k, &y, err);
  *near = !status && are_near(&w->shapes[i], w->one, y);
  return status;
}

/* The next WINDOW in the order of the mean are enough: sounds that differ by dither have nearly the same. */
static am_status find_close(am_context *ctx, const am_dataset *d, window *w, size_t n, double max_seconds,
                            am_twins *out, am_error *err) {
  const shape *s = w->shapes;
  am_status status = AM_OK;
  for (size_t i = 0, asked = 0; i < n && asked < ASKED && !status; i++) {
    bool first = true;
    for (size_t k = i + 1; k < n && k <= i + WINDOW && s[k].seconds - s[i].seconds <= 0 && !status; k++) {
      const sound *a = &s[i].sound, *b = &s[k].sound;
      bool same = false, near = false;
      if (a->part == b->part || a->digest == b->digest || s[k].n != s[i].n || asked == ASKED ||
          !may_be_near(&s[i], &s[k]))
        continue;
      status = compare_shapes(w, i, k, &first, &near, err);
      if (status || !near) continue;
      asked++;
      status = am_check_same(ctx, d->clips[a->clip].path, d->clips[b->clip].path, max_seconds, &same, err);
      if (same) found(out, a->part < b->part ? a : b, a->part < b->part ? b : a);
    }
  }
  return status;
}

am_status am_split_find_twins(am_context *ctx, const am_dataset *d, const am_store *store, const am_split *split,
                              double max_seconds, am_twins *out, am_error *err) {
  *out = (am_twins){0};
  const size_t all = split->n[0] + split->n[1] + split->n[2];
  sound *at = am_alloc(ctx, all + 1, sizeof *at);
  shape *shapes = am_alloc(ctx, all + 1, sizeof *shapes);
  window w = {0};
  size_t files = 0;
  am_status status = at && shapes ? open_window(ctx, store, shapes, &w, err) : am_no_memory(err);
  if (!status) {
    const size_t n = find_sounds(store, split, at);
    find_equal(at, n, out);
    status = find_shapes(d, store, at, n, w.one, shapes, &files, err);
  }
  if (!status) {
    if (files) qsort(shapes, files, sizeof *shapes, by_shape);
    status = find_close(ctx, d, &w, files, max_seconds, out, err);
  }
  close_window(ctx, &w);
  am_free(ctx, shapes);
  am_free(ctx, at);
  return status;
}
