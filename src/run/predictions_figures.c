/* SPDX-License-Identifier: MIT */
/* run/predictions_figures.c - what a table of predictions comes to, by the same functions as the clips themselves. */
#include <string.h>

#include "data/names.h"
#include "model/metrics.h"
#include "run/predictions.h"

/* One column as numbers: the names that occur, in natural order as those of a corpus, and whose of them a row has, -1 where it
 * is empty. */
typedef struct numbered {
  am_name_set names;
  int *of; /* (n) */
} numbered;

static void numbered_free(am_context *ctx, numbered *c) {
  am_name_set_free(&c->names);
  am_free(ctx, c->of);
  *c = (numbered){0};
}

/* `column` -1: the speakers. */
static const char *text_at(const am_predictions *p, size_t row, int column) {
  return column < 0 ? p->at[row].speaker : am_csv_get(p->table, row, (size_t)column);
}

static am_status number(const am_predictions *p, int column, numbered *out, am_error *err) {
  *out = (numbered){.names = {.ctx = p->ctx}, .of = am_alloc(p->ctx, p->n + 1, sizeof *out->of)};
  am_status status = out->of ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < p->n && !status; i++) {
    const char *text = text_at(p, i, column);
    if (*text && am_name_set_add(&out->names, text) < 0) status = am_no_memory(err);
  }
  if (!status) status = am_name_set_sort(&out->names, am_natural_order, err);
  for (size_t i = 0; i < p->n && !status; i++) {
    const char *text = text_at(p, i, column);
    out->of[i] = *text ? am_name_set_find(&out->names, text) : -1;
  }
  return status;
}

static int *truths(const am_predictions *p) {
  int *truth = am_alloc(p->ctx, p->n + 1, sizeof *truth);
  for (size_t i = 0; truth && i < p->n; i++) truth[i] = p->at[i].truth;
  return truth;
}

am_status am_predictions_add_speakers(const am_predictions *p, am_metrics *m, am_error *err) {
  numbered speakers;
  int *truth = truths(p);
  am_status status = number(p, -1, &speakers, err);
  if (!status && !truth) status = am_no_memory(err);
  const am_scored_clips of = {.probabilities = p->probabilities, .truth = p->values, .speakers = speakers.of};
  if (!status && p->values) status = am_metrics_add_value_speakers(m, &of, speakers.names.at, err);
  else if (!status) status = am_metrics_add_speakers(m, p->probabilities, truth, speakers.of, speakers.names.at, err);
  numbered_free(p->ctx, &speakers);
  am_free(p->ctx, truth);
  return status;
}

/* The columns of the corpus's traits: those after the probabilities. */
static int first_trait(const am_predictions *p) {
  const int columns = (int)am_csv_columns(p->table);
  int first = columns;
  const char *last = p->values ? "predicted_" : "p_";
  while (first > 0 && strncmp(am_csv_name(p->table, (size_t)first - 1), last, strlen(last))) first--;
  return first;
}

static am_status read_traits(const am_predictions *p, numbered *columns, am_dataset *d, am_error *err) {
  const int first = first_trait(p), all = (int)am_csv_columns(p->table);
  am_status status = AM_OK;
  for (int i = first; i < all && d->n_traits < AM_MOST_TRAITS && !status; i++) {
    numbered *column = &columns[d->n_traits];
    status = number(p, i, column, err);
    d->traits[d->n_traits++] = (am_trait){.name = am_predictions_trait(p, am_csv_name(p->table, (size_t)i)),
                                          .n = (int)column->names.n,
                                          .values = column->names.at,
                                          .of = column->of};
  }
  return status;
}

am_status am_predictions_metrics(const am_predictions *p, uint64_t seed, am_metrics **out, am_error *err) {
  numbered speakers, columns[AM_MOST_TRAITS] = {0};
  am_trait traits[AM_MOST_TRAITS];
  int *truth = truths(p);
  uint32_t *clips = am_alloc(p->ctx, p->n + 1, sizeof *clips);
  *out = NULL;
  am_status status = number(p, -1, &speakers, err);
  am_dataset d = {.ctx = p->ctx, .n = p->n, .traits = traits, .speakers = speakers.names.at};
  if (!status && (!truth || !clips)) status = am_no_memory(err);
  for (size_t i = 0; i < p->n && !status; i++) clips[i] = (uint32_t)i;
  if (!status) status = read_traits(p, columns, &d, err);
  const am_scored_clips of = {.clips = clips,
                              .probabilities = p->probabilities,
                              .truth = p->values,
                              .labels = truth,
                              .speakers = speakers.of,
                              .n = p->n,
                              .names = p->labels,
                              .classes = p->classes};
  if (!status) status = am_metrics_of_clips(&d, &of, false, seed, out, err);
  for (size_t i = 0; i < d.n_traits; i++) numbered_free(p->ctx, &columns[i]);
  numbered_free(p->ctx, &speakers);
  am_free(p->ctx, clips);
  am_free(p->ctx, truth);
  return status;
}
