/* SPDX-License-Identifier: MIT */
/* data/sklearn.c - scikit-learn's train_test_split, number for number.
 *
 * Follows sklearn.model_selection (BSD licence): ShuffleSplit,
 * StratifiedShuffleSplit and utils.extmath._approximate_mode, over NumPy's
 * legacy RandomState.  Golden values: tools/golden-split.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/rng.h"
#include "data/groups.h"
#include "data/sklearn.h"
#include "data/split.h"

size_t am_share_count(double share, size_t n) { return (size_t)ceil(share * (double)n); }

/* RandomState.permutation of an array: `items` become items[permutation]. */
static void permute(am_mt19937 *mt, uint32_t *items, uint32_t *scratch, size_t n) {
  am_mt_permutation(mt, scratch, n);
  for (size_t i = 0; i < n; i++) scratch[i] = items[scratch[i]];
  if (n) memcpy(items, scratch, n * sizeof *items);
}

static int descending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* How a stratified draw works through its classes. */
typedef struct strata {
  am_mt19937 *mt;
  size_t k;             /* classes */
  size_t *count;        /* clips of each class still to give */
  size_t *train, *test; /* how many of each class go there */
  double *rest, *sorted;
  uint32_t *ties, *scratch;
} strata;

/* _approximate_mode: draws shared out in proportion to count, the largest remainders rounded up, ties by lot. */
static void share_out(strata *s, size_t draws, size_t *out) {
  size_t sum = 0, given = 0;
  for (size_t i = 0; i < s->k; i++) sum += s->count[i];
  for (size_t i = 0; i < s->k; i++) {
    double exact = (double)s->count[i] / (double)sum * (double)draws, whole = floor(exact);
    out[i] = (size_t)whole;
    given += out[i];
    s->sorted[i] = s->rest[i] = exact - whole;
  }
  qsort(s->sorted, s->k, sizeof *s->sorted, descending);
  for (size_t v = 0; v < s->k && given < draws; v++) {
    if (v && s->sorted[v] == s->sorted[v - 1]) continue;
    size_t ties = 0;
    for (size_t i = 0; i < s->k; i++)
      if (s->rest[i] == s->sorted[v]) s->ties[ties++] = (uint32_t)i;
    permute(s->mt, s->ties, s->scratch, ties); /* RandomState.choice without replacement */
    for (size_t i = 0; i < ties && given < draws; i++, given++) out[s->ties[i]]++;
  }
}

/* Class by class: a permutation of its clips, the first to train, the next to test; then both lists are shuffled. */
static void draw_classes(strata *s, const uint32_t *members, const size_t *first, uint32_t *train, uint32_t *test,
                         uint32_t *scratch) {
  size_t n_train = 0, n_test = 0;
  for (size_t c = 0; c < s->k; c++) {
    size_t n = first[c + 1] - first[c];
    am_mt_permutation(s->mt, scratch, n);
    for (size_t i = 0; i < s->train[c]; i++) train[n_train++] = members[first[c] + scratch[i]];
    for (size_t i = 0; i < s->test[c]; i++) test[n_test++] = members[first[c] + scratch[s->train[c] + i]];
  }
  permute(s->mt, train, scratch, n_train);
  permute(s->mt, test, scratch, n_test);
}

/* Items by class, in order within each: members[first[c] .. first[c+1]).  Classes without items take no part. */
static am_status group_by_class(am_context *ctx, const int *labels, size_t n, am_groups *out, size_t *k_out,
                                am_error *err) {
  int top = 0;
  for (size_t i = 0; i < n; i++)
    if (labels[i] > top) top = labels[i];
  const size_t groups = (size_t)top + 1;
  am_status status = am_groups_make(ctx, labels, n, groups, out, err);
  if (status) return status;
  size_t k = 0;
  for (size_t g = 0; g < groups; g++)
    if (out->first[g + 1] > out->first[g]) out->first[k++] = out->first[g];
  out->first[k] = n;
  *k_out = k;
  return AM_OK;
}

static am_status check_strata(const size_t *first, size_t k, size_t n_train, size_t n_test, am_error *err) {
  for (size_t c = 0; c < k; c++)
    if (first[c + 1] - first[c] < 2)
      return am_fail(err, AM_E_DATA,
                     "a stratified split needs at least 2 clips of every class, one has %zu; "
                     "leave the class out or use split.kind random",
                     first[c + 1] - first[c]);
  if (n_train < k || n_test < k)
    return am_fail(err, AM_E_CONFIG,
                   "a stratified split of %zu classes needs as many clips on each side, found %zu and %zu", k, n_train,
                   n_test);
  return AM_OK;
}

static am_status draw_stratified(am_context *ctx, am_mt19937 *mt, size_t n, size_t n_test, const int *labels,
                                 uint32_t *train, uint32_t *test, am_error *err) {
  uint32_t *scratch = am_alloc(ctx, n, sizeof *scratch);
  am_groups by_class = {0};
  size_t k = 0;
  am_status status = scratch ? group_by_class(ctx, labels, n, &by_class, &k, err) : am_no_memory(err);
  if (!status) status = check_strata(by_class.first, k, n - n_test, n_test, err);
  size_t *counts = status ? NULL : am_alloc(ctx, am_mul(3, k), sizeof *counts);
  double *reals = counts ? am_alloc(ctx, am_mul(2, k), sizeof *reals) : NULL;
  uint32_t *ties = reals ? am_alloc(ctx, k, sizeof *ties) : NULL;
  if (!status && !ties) status = am_no_memory(err);
  if (!status) {
    strata s = {.mt = mt,
                .k = k,
                .count = counts,
                .train = counts + k,
                .test = counts + 2 * k,
                .rest = reals,
                .sorted = reals + k,
                .ties = ties,
                .scratch = scratch};
    for (size_t c = 0; c < k; c++) s.count[c] = by_class.first[c + 1] - by_class.first[c];
    share_out(&s, n - n_test, s.train);
    for (size_t c = 0; c < k; c++) s.count[c] -= s.train[c];
    share_out(&s, n_test, s.test);
    draw_classes(&s, by_class.members, by_class.first, train, test, scratch);
  }
  am_free(ctx, ties);
  am_free(ctx, reals);
  am_free(ctx, counts);
  am_free(ctx, scratch);
  am_groups_free(ctx, &by_class);
  return status;
}

am_status am_draw_test(am_context *ctx, size_t n, size_t n_test, uint32_t seed, const int *labels, uint32_t *train,
                       uint32_t *test, am_error *err) {
  if (!n_test || n_test >= n)
    return am_fail(err, AM_E_CONFIG,
                   "a split of %zu into %zu and %zu leaves one side empty; change split.test or "
                   "split.validation",
                   n, n_test < n ? n - n_test : 0, n_test);
  if (n > UINT32_MAX) return am_fail(err, AM_E_DATA, "more than %u clips", UINT32_MAX);
  am_mt19937 *mt = am_alloc(ctx, 1, sizeof *mt);
  uint32_t *order = am_alloc(ctx, n, sizeof *order);
  am_status status = mt && order ? AM_OK : am_no_memory(err);
  if (!status) am_mt_seed(mt, seed);
  if (!status && labels) {
    status = draw_stratified(ctx, mt, n, n_test, labels, train, test, err);
  } else if (!status) {
    am_mt_permutation(mt, order, n);
    memcpy(test, order, n_test * sizeof *test);
    memcpy(train, order + n_test, (n - n_test) * sizeof *train);
  }
  am_free(ctx, order);
  am_free(ctx, mt);
  return status;
}
