/* SPDX-License-Identifier: MIT */
/* data/split_balance.c - whole speakers divided so that every part resembles the corpus.
 *
 * A table (G,C) counts the clips of each group (speaker) and class: a label, or a label of one corpus.  Folds are those of
 * scikit-learn's StratifiedGroupKFold with shuffle (BSD licence), whose means and deviations are summed in NumPy's order, so
 * that ties fall alike.  Golden values: tools/golden-split.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/rng.h"
#include "data/split.h"
#include "data/split_balance.h"

/* ---- folds ---- */

/* NumPy's pairwise sum of n contiguous numbers. */
static double sum_of(const double *a, size_t n) {
  if (n < 8) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i];
    return sum;
  }
  if (n > 128) {
    size_t half = n / 2 - n / 2 % 8;
    return sum_of(a, half) + sum_of(a + half, n - half);
  }
  double r[8];
  size_t i = 8;
  memcpy(r, a, sizeof r);
  for (; i < n - n % 8; i += 8)
    for (int k = 0; k < 8; k++) r[k] += a[i + (size_t)k];
  double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; i++) sum += a[i];
  return sum;
}

typedef struct folds {
  const uint32_t *table;
  size_t groups, classes, k;
  double *all;     /* (C) clips of each class */
  double *count;   /* (k,C) clips of each fold */
  double *scratch; /* (C) */
} folds;

/* numpy.std of a group's counts. */
static double spread_of(folds *f, size_t group) {
  const uint32_t *row = f->table + group * f->classes;
  for (size_t c = 0; c < f->classes; c++) f->scratch[c] = row[c];
  double mean = sum_of(f->scratch, f->classes) / (double)f->classes;
  for (size_t c = 0; c < f->classes; c++) f->scratch[c] = (row[c] - mean) * (row[c] - mean);
  return sqrt(sum_of(f->scratch, f->classes) / (double)f->classes);
}

/* How uneven the folds are: numpy.mean over classes of numpy.std over folds of a class's share in each. */
static double unevenness(folds *f) {
  for (size_t c = 0; c < f->classes; c++) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < f->k; i++) mean += f->count[i * f->classes + c] / f->all[c];
    mean /= (double)f->k;
    for (size_t i = 0; i < f->k; i++) {
      double x = f->count[i * f->classes + c] / f->all[c] - mean;
      squares += x * x;
    }
    f->scratch[c] = sqrt(squares / (double)f->k);
  }
  return sum_of(f->scratch, f->classes) / (double)f->classes;
}

static void put(folds *f, size_t fold, size_t group, double sign) {
  const uint32_t *row = f->table + group * f->classes;
  for (size_t c = 0; c < f->classes; c++) f->count[fold * f->classes + c] += sign * row[c];
}

/* numpy.isclose, which knows no infinity here: the first fold is taken without it. */
static bool is_close(double a, double b) { return fabs(a - b) <= 1e-8 + 1e-5 * fabs(b); }

static size_t best_fold(folds *f, size_t group) {
  size_t best = 0;
  double least = INFINITY, fewest = INFINITY;
  for (size_t i = 0; i < f->k; i++) {
    put(f, i, group, 1);
    double value = unevenness(f), clips = 0;
    put(f, i, group, -1);
    for (size_t c = 0; c < f->classes; c++) clips += f->count[i * f->classes + c];
    if (!(value < least || (isfinite(least) && is_close(value, least) && clips < fewest))) continue;
    best = i;
    least = value;
    fewest = clips;
  }
  return best;
}

typedef struct turn {
  double spread;
  uint32_t group;
  size_t drawn;
} turn;

static int widest_first(const void *a, const void *b) {
  const turn *x = a, *y = b;
  if (x->spread != y->spread) return x->spread > y->spread ? -1 : 1;
  return x->drawn < y->drawn ? -1 : x->drawn > y->drawn;
}

am_status am_stratified_folds(am_context *ctx, const uint32_t *table, size_t groups, size_t classes, size_t k,
                              uint32_t seed, int *fold_of, am_error *err) {
  folds f = {.table = table, .groups = groups, .classes = classes, .k = k};
  am_mt19937 *mt = am_alloc(ctx, 1, sizeof *mt);
  uint32_t *order = am_alloc(ctx, groups, sizeof *order);
  turn *turns = am_alloc(ctx, groups, sizeof *turns);
  f.all = am_alloc(ctx, am_mul(k + 2, classes), sizeof *f.all);
  am_status status = mt && order && turns && f.all ? AM_OK : am_no_memory(err);
  if (!status) {
    f.scratch = f.all + classes;
    f.count = f.scratch + classes;
    for (size_t i = 0; i < groups * classes; i++) f.all[i % classes] += table[i];
    am_mt_seed(mt, seed);
    am_mt_permutation(mt, order, groups);
    for (size_t i = 0; i < groups; i++) turns[i] = (turn){spread_of(&f, order[i]), order[i], i};
    qsort(turns, groups, sizeof *turns, widest_first);
  }
  for (size_t i = 0; i < groups && !status; i++) {
    size_t fold = best_fold(&f, turns[i].group);
    put(&f, fold, turns[i].group, 1);
    fold_of[turns[i].group] = (int)fold;
    if (am_context_stopping(ctx)) status = am_fail(err, AM_E_STOPPED, "stopped while the folds were drawn");
  }
  am_free(ctx, f.all);
  am_free(ctx, turns);
  am_free(ctx, order);
  am_free(ctx, mt);
  return status;
}

/* ---- parts of given shares ---- */

enum { MOST_SWAPPED = 1000, ROUNDS = 50 };

typedef struct parts {
  const am_balance *b;
  double *all;   /* (C) clips of each class among the groups that take part */
  double *count; /* (3,C) */
} parts;

/* A part without a class is worse than any unevenness. */
typedef struct quality {
  int missing;
  double uneven;
} quality;

static bool better(quality a, quality b) {
  return a.missing < b.missing || (a.missing == b.missing && a.uneven < b.uneven - 1e-12);
}

static quality judge(const parts *p) {
  quality q = {0, 0};
  double clips = 0, of[3] = {0};
  for (size_t c = 0; c < p->b->classes; c++) {
    if (!(p->all[c] > 0)) continue;
    clips += p->all[c];
    for (int part = 0; part < 3; part++) {
      if (!(p->b->share[part] > 0)) continue;
      double count = p->count[(size_t)part * p->b->classes + c], off = count / p->all[c] - p->b->share[part];
      q.missing += !(count > 0);
      q.uneven += off * off / p->b->share[part];
      of[part] += count;
    }
  }
  for (int part = 0; part < 3; part++) /* the clips together, as much as all classes */
    if (p->b->share[part] > 0 && clips > 0) {
      double off = of[part] / clips - p->b->share[part];
      q.uneven += (double)p->b->classes * off * off / p->b->share[part];
    }
  return q;
}

static void move(parts *p, size_t group, am_part to) {
  const uint32_t *row = p->b->table + group * p->b->classes;
  am_part from = p->b->role[group];
  for (size_t c = 0; c < p->b->classes; c++) {
    if (from != AM_PART_NONE) p->count[(size_t)from * p->b->classes + c] -= row[c];
    if (to != AM_PART_NONE) p->count[(size_t)to * p->b->classes + c] += row[c];
  }
  p->b->role[group] = to;
}

/* The first part that makes things better for a group to be in. */
static bool try_moves(parts *p, size_t group, quality *now) {
  am_part at = p->b->role[group];
  for (int part = 0; part < 3; part++) {
    if (part == (int)at || !(p->b->share[part] > 0)) continue;
    move(p, group, (am_part)part);
    quality q = judge(p);
    if (better(q, *now)) {
      *now = q;
      return true;
    }
    move(p, group, at);
  }
  return false;
}

static bool try_swaps(parts *p, const uint32_t *order, size_t n, size_t i, quality *now) {
  for (size_t j = i + 1; j < n; j++) {
    uint32_t a = order[i], b = order[j];
    am_part x = p->b->role[a], y = p->b->role[b];
    if (x == y || x == AM_PART_NONE || y == AM_PART_NONE) continue;
    move(p, a, y);
    move(p, b, x);
    quality q = judge(p);
    if (better(q, *now)) {
      *now = q;
      return true;
    }
    move(p, a, x);
    move(p, b, y);
  }
  return false;
}

am_status am_balance_parts(am_context *ctx, const am_balance *b, const uint32_t *order, size_t n, am_error *err) {
  parts p = {.b = b, .all = am_alloc(ctx, am_mul(4, b->classes), sizeof *p.all)};
  if (!p.all) return am_no_memory(err);
  p.count = p.all + b->classes;
  for (size_t i = 0; i < n; i++) {
    am_part at = b->role[order[i]];
    for (size_t c = 0; c < b->classes; c++) p.all[c] += b->table[order[i] * b->classes + c];
    b->role[order[i]] = AM_PART_NONE;
    move(&p, order[i], at);
  }
  quality now = judge(&p);
  bool again = true;
  am_status status = AM_OK;
  for (int round = 0; round < ROUNDS && again && !status; round++) {
    again = false;
    for (size_t i = 0; i < n; i++) {
      again |= b->moves && try_moves(&p, order[i], &now);
      again |= n <= MOST_SWAPPED && try_swaps(&p, order, n, i, &now);
    }
    if (am_context_stopping(ctx)) status = am_fail(err, AM_E_STOPPED, "stopped while the parts were drawn");
  }
  am_free(ctx, p.all);
  return status;
}
