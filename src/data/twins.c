/* data/twins.c - recordings that are in a corpus twice: a model is trained on one and tested on the other. */
#include "data/twins.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/check.h"

/* One clip: its file, whatever it is called, and which part of it.  Size and time go with the inode, whose number is no
 * more than a hash on some network file systems. */
typedef struct place {
  uint64_t device, inode, size, mtime;
  double start, seconds;
  uint32_t clip;
} place;

static int compare(const place *a, const place *b) {
  if (a->device != b->device) return a->device < b->device ? -1 : 1;
  if (a->inode != b->inode) return a->inode < b->inode ? -1 : 1;
  if (a->size != b->size) return a->size < b->size ? -1 : 1;
  if (a->mtime != b->mtime) return a->mtime < b->mtime ? -1 : 1;
  if (a->start < b->start || a->start > b->start) return a->start < b->start ? -1 : 1;
  if (a->seconds < b->seconds || a->seconds > b->seconds) return a->seconds < b->seconds ? -1 : 1;
  return 0;
}

static int by_place(const void *a, const void *b) {
  const place *x = a, *y = b;
  const int order = compare(x, y);
  return order ? order : x->clip < y->clip ? -1 : x->clip > y->clip;
}

/* Those that are gone again are left to the decoder, which will say so. */
static size_t find_places(const am_dataset *d, place *at) {
  size_t n = 0;
  for (uint32_t i = 0; i < d->n; i++) {
    const am_clip *c = &d->clips[i];
    am_file_id id;
    if (am_file_identify(c->path, &id, NULL)) continue;
    at[n++] = (place){id.device, id.inode, id.size, id.mtime_ns, c->start, c->seconds, i};
  }
  return n;
}

am_status am_dataset_check_files(const am_dataset *d, am_error *err) {
  place *at = am_alloc(d->ctx, d->n + 1, sizeof *at);
  if (!at) return am_no_memory(err);
  const size_t n = find_places(d, at);
  size_t twice = 0, first = 0;
  if (n) qsort(at, n, sizeof *at, by_place);
  for (size_t i = 1; i < n; i++)
    if (!compare(&at[i - 1], &at[i]) && (!twice++ || at[i - 1].clip < at[first - 1].clip)) first = i;
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
typedef struct shape {
  double seconds, mean, energy; /* energy: of the features around their mean */
  size_t n;
  const float *x;
  const sound *sound;
} shape;

static int by_shape(const void *a, const void *b) {
  const shape *x = a, *y = b;
  if (x->seconds < y->seconds || x->seconds > y->seconds) return x->seconds < y->seconds ? -1 : 1;
  if (x->mean < y->mean || x->mean > y->mean) return x->mean < y->mean ? -1 : 1;
  return x->sound->clip < y->sound->clip ? -1 : x->sound->clip > y->sound->clip;
}

static size_t find_shapes(const am_dataset *d, const am_store *store, const sound *at, size_t n, shape *shapes) {
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    const am_clip *c = &d->clips[at[i].clip];
    if (c->start > 0 || c->seconds > 0) continue;
    shape *s = &shapes[used++];
    *s = (shape){.seconds = am_store_seconds(store, at[i].clip),
                 .x = am_store_features(store, at[i].clip),
                 .sound = &at[i],
                 .n = (size_t)am_store_frames(store, at[i].clip) * (size_t)am_store_bins(store)};
    for (size_t k = 0; k < s->n; k++) s->mean += (double)s->x[k];
    s->mean /= (double)(s->n ? s->n : 1);
    for (size_t k = 0; k < s->n; k++) s->energy += ((double)s->x[k] - s->mean) * ((double)s->x[k] - s->mean);
  }
  return used;
}

/* Whether features differ by little; the sounds themselves decide then. */
static bool are_near(const shape *a, const shape *b) {
  const double bound = NEAR * a->energy;
  double difference = 0;
  for (size_t k = 0; k < a->n && difference <= bound; k++) {
    const double d = (double)a->x[k] - (double)b->x[k];
    difference += d * d;
  }
  return difference <= bound;
}

/* The next WINDOW in the order of the mean are enough: sounds that differ by dither have nearly the same. */
static am_status find_close(am_context *ctx, const am_dataset *d, const shape *s, size_t n, double max_seconds,
                            am_twins *out, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0, asked = 0; i < n && !status; i++)
    for (size_t k = i + 1; k < n && k <= i + WINDOW && s[k].seconds - s[i].seconds <= 0 && !status; k++) {
      const sound *a = s[i].sound, *b = s[k].sound;
      bool same = false;
      if (a->part == b->part || a->digest == b->digest || s[k].n != s[i].n || asked == ASKED || !are_near(&s[i], &s[k]))
        continue;
      asked++;
      status = am_check_same(ctx, d->clips[a->clip].path, d->clips[b->clip].path, max_seconds, &same, err);
      if (same) found(out, a->part < b->part ? a : b, a->part < b->part ? b : a);
    }
  return status;
}

am_status am_split_find_twins(am_context *ctx, const am_dataset *d, const am_store *store, const am_split *split,
                              double max_seconds, am_twins *out, am_error *err) {
  *out = (am_twins){0};
  const size_t all = split->n[0] + split->n[1] + split->n[2];
  sound *at = am_alloc(ctx, all + 1, sizeof *at);
  shape *shapes = am_alloc(ctx, all + 1, sizeof *shapes);
  am_status status = at && shapes ? AM_OK : am_no_memory(err);
  if (!status) {
    const size_t n = find_sounds(store, split, at);
    find_equal(at, n, out);
    const size_t files = find_shapes(d, store, at, n, shapes);
    if (files) qsort(shapes, files, sizeof *shapes, by_shape);
    status = find_close(ctx, d, shapes, files, max_seconds, out, err);
  }
  am_free(ctx, shapes);
  am_free(ctx, at);
  return status;
}
