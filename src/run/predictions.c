/* SPDX-License-Identifier: MIT */
/* run/predictions.c - predictions.csv: a row a clip, written and read. */
#include "run/predictions.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

static const char PROBABILITY[] = "p_", TRUE_VALUE[] = "true_", VALUE[] = "predicted_";

/* What follows a prefix; NULL: the name does not begin with it. */
static const char *after(const char *name, const char *prefix) {
  const size_t n = strlen(prefix);
  return strncmp(name, prefix, n) ? NULL : name + n;
}

/* ---- writing ---- */

static void write_class(am_csv_writer *w, const am_predicted_rows *r, const am_clip *clip, const float *p) {
  am_csv_put(w, clip->label >= 0 ? r->d->labels[clip->label] : "");
  am_csv_put(w, r->names[am_largest(p, r->classes)]);
  for (int k = 0; k < r->classes; k++) am_csv_put_real(w, am_float_decimal(p[k]));
}

/* Not a number is an empty field. */
static void write_values(am_csv_writer *w, const am_predicted_rows *r, const float *truth, const float *told) {
  for (int k = 0; k < r->classes; k++) am_csv_put_real(w, am_float_decimal(truth[k]));
  for (int k = 0; k < r->classes; k++) am_csv_put_real(w, am_float_decimal(told[k]));
}

static void write_row(am_csv_writer *w, const am_predicted_rows *r, size_t i) {
  const am_dataset *d = r->d;
  const am_clip *clip = &d->clips[r->clips[i]];
  const size_t at = i * (size_t)r->classes;
  am_csv_put(w, clip->name);
  am_csv_put(w, clip->speaker >= 0 ? d->speakers[clip->speaker] : "");
  if (clip->fold >= 0) am_csv_put_int(w, clip->fold);
  else am_csv_put(w, "");
  if (r->seeds) am_csv_put_int(w, r->seeds[i]);
  if (r->truth) write_values(w, r, r->truth + at, r->told + at);
  else write_class(w, r, clip, r->told + at);
  for (size_t t = 0; t < d->n_traits; t++) {
    int value = d->traits[t].of[r->clips[i]];
    am_csv_put(w, value < 0 ? "" : d->traits[t].values[value]);
  }
  am_csv_end_row(w);
}

static const char BEFORE[] = "group_";

static bool is_taken(const char *name, bool values) {
  static const char *const taken[] = {"clip", "speaker", "fold", "seed", "true", "predicted"};
  bool is = values ? after(name, TRUE_VALUE) || after(name, VALUE) : after(name, PROBABILITY) != NULL;
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) is = is || !strcmp(name, taken[i]);
  return is;
}

const char *am_predictions_trait(const am_predictions *p, const char *column) {
  const char *own = after(column, BEFORE);
  return own && is_taken(own, p->values != NULL) ? own : column;
}

/* A trait's own name, unless a column has a meaning by that name already. */
static am_status put_name(am_csv_writer *w, const char *prefix, const char *name, am_error *err) {
  char *own = am_format(w->ctx, "%s%s", prefix, name);
  if (!own) return am_no_memory(err);
  am_csv_put(w, own);
  am_free(w->ctx, own);
  return AM_OK;
}

static am_status put_names(am_csv_writer *w, const am_predicted_rows *r, const char *prefix, am_error *err) {
  am_status status = AM_OK;
  for (int k = 0; k < r->classes && !status; k++) status = put_name(w, prefix, r->names[k], err);
  return status;
}

am_status am_predictions_write(am_context *ctx, am_whose whose, const char *path, const am_predicted_rows *r,
                               am_error *err) {
  const bool values = r->truth != NULL;
  am_buffer text = {0};
  am_csv_writer w = {.ctx = ctx, .out = &text};
  am_csv_put(&w, "clip");
  am_csv_put(&w, "speaker");
  am_csv_put(&w, "fold");
  if (r->seeds) am_csv_put(&w, "seed");
  if (!values) am_csv_put(&w, "true");
  if (!values) am_csv_put(&w, "predicted");
  am_status status = put_names(&w, r, values ? TRUE_VALUE : PROBABILITY, err);
  if (!status && values) status = put_names(&w, r, VALUE, err);
  for (size_t t = 0; t < r->d->n_traits && !status; t++) {
    const char *name = r->d->traits[t].name;
    status = put_name(&w, is_taken(name, values) ? BEFORE : "", name, err);
  }
  am_csv_end_row(&w);
  for (size_t i = 0; i < r->n; i++) write_row(&w, r, i);
  if (!status && text.failed) status = am_no_memory(err);
  if (!status) status = am_file_write_as(ctx, whose, path, text.data, text.used, err);
  am_buffer_free(ctx, &text);
  return status;
}

/* ---- reading ---- */

enum { CLIP, SPEAKER, TRUTH, PREDICTED, NAMED };

typedef struct columns {
  int named[NAMED], fold, seed; /* fold, seed: -1 for none */
  int p[AM_MAX_CLASSES];        /* probabilities, or predicted values */
  int truth[AM_MAX_CLASSES];    /* true values */
  bool values;                  /* the table is of dimensions */
} columns;

/* The classes are the columns p_<label>, dimensions the columns predicted_<dimension>. */
static am_status find_columns(am_predictions *p, columns *at, am_error *err) {
  static const char *const names[NAMED] = {"clip", "speaker", "true", "predicted"};
  am_status status = AM_OK;
  at->values = am_csv_column(p->table, names[PREDICTED]) < 0;
  for (size_t i = 0; i < am_csv_columns(p->table) && at->values; i++)
    if (after(am_csv_name(p->table, i), VALUE)) break;
    else if (i + 1 == am_csv_columns(p->table)) at->values = false;
  for (int i = 0; i < (at->values ? TRUTH : NAMED) && !status; i++)
    status = am_csv_need(p->table, names[i], &at->named[i], err);
  at->fold = am_csv_column(p->table, "fold");
  at->seed = am_csv_column(p->table, "seed");
  p->seeded = at->seed >= 0;
  for (size_t i = 0; i < am_csv_columns(p->table) && !status; i++) {
    const char *own = after(am_csv_name(p->table, i), at->values ? VALUE : PROBABILITY);
    if (!own || p->classes == AM_MAX_CLASSES) continue;
    at->p[p->classes] = (int)i;
    p->labels[p->classes++] = own;
  }
  for (int k = 0; k < p->classes && at->values && !status; k++) {
    char *name = am_format(p->ctx, "%s%s", TRUE_VALUE, p->labels[k]);
    status = name ? am_csv_need(p->table, name, &at->truth[k], err) : am_no_memory(err);
    am_free(p->ctx, name);
  }
  return status || p->classes ? status : am_csv_need(p->table, "p_<label>", &at->p[0], err);
}

static int class_of(const char *const *labels, int classes, const char *label) {
  for (int k = 0; k < classes; k++)
    if (!strcmp(labels[k], label)) return k;
  return -1;
}

static am_status read_class(const am_predictions *p, size_t row, int column, int *out, am_error *err) {
  const char *label = am_csv_get(p->table, row, (size_t)column);
  *out = class_of(p->labels, p->classes, label);
  if (*out >= 0) return AM_OK;
  return am_csv_fail(p->table, row, err, "'%s' is not one of the labels of the columns p_...", label);
}

static am_status read_probability(const am_predictions *p, size_t row, int column, float *out, am_error *err) {
  const char *text = am_csv_get(p->table, row, (size_t)column);
  double number;
  if (!am_text_to_real(text, &number) || !(number >= 0 && number <= 1 + 1e-6))
    return am_csv_fail(p->table, row, err, "%s is '%s', wanted a probability from 0 to 1",
                       am_csv_name(p->table, (size_t)column), text);
  *out = (float)number;
  return AM_OK;
}

/* `empty`: may be so, and is not known. */
static am_status read_value(const am_predictions *p, size_t row, int column, bool empty, float *out, am_error *err) {
  const char *text = am_csv_get(p->table, row, (size_t)column);
  double number = NAN;
  if (!(empty && !*text) && !(am_text_to_real(text, &number) && fabs(number) <= 1e9))
    return am_csv_fail(p->table, row, err, "%s is '%s', wanted a number", am_csv_name(p->table, (size_t)column), text);
  *out = (float)number;
  return AM_OK;
}

static am_status read_values(am_predictions *p, size_t i, const columns *at, am_error *err) {
  am_prediction *to = &p->at[i];
  const size_t first = i * (size_t)p->classes;
  am_status status = AM_OK;
  to->truth = to->predicted = -1;
  to->confidence = to->of_truth = NAN;
  for (int k = 0; k < p->classes && !status; k++) {
    status = read_value(p, i, at->truth[k], true, &p->values[first + (size_t)k], err);
    if (!status) status = read_value(p, i, at->p[k], false, &p->probabilities[first + (size_t)k], err);
  }
  return status;
}

static am_status read_row(am_predictions *p, size_t i, const columns *at, am_error *err) {
  am_prediction *to = &p->at[i];
  *to = (am_prediction){.clip = am_csv_get(p->table, i, (size_t)at->named[CLIP]),
                        .speaker = am_csv_get(p->table, i, (size_t)at->named[SPEAKER]),
                        .fold = at->fold >= 0 ? am_csv_get(p->table, i, (size_t)at->fold) : ""};
  const char *seed = p->seeded ? am_csv_get(p->table, i, (size_t)at->seed) : "0";
  if (!am_text_to_int(seed, &to->seed))
    return am_csv_fail(p->table, i, err, "seed is '%s', wanted a whole number", seed);
  if (at->values) return read_values(p, i, at, err);
  am_status status = read_class(p, i, at->named[TRUTH], &to->truth, err);
  if (!status) status = read_class(p, i, at->named[PREDICTED], &to->predicted, err);
  float *row = p->probabilities + i * (size_t)p->classes;
  for (int k = 0; k < p->classes && !status; k++) status = read_probability(p, i, at->p[k], &row[k], err);
  if (status) return status;
  to->confidence = am_float_decimal(row[to->predicted]);
  to->of_truth = am_float_decimal(row[to->truth]);
  return AM_OK;
}

am_status am_predictions_read_any(am_context *ctx, const char *path, am_predictions *out, am_error *err) {
  columns at;
  *out = (am_predictions){.ctx = ctx};
  am_status status = am_csv_read_file(ctx, path, 0, &out->table, err);
  if (status) return status;
  out->labels = am_alloc(ctx, am_csv_columns(out->table), sizeof *out->labels);
  status = out->labels ? find_columns(out, &at, err) : am_no_memory(err);
  if (!status) {
    out->n = am_csv_rows(out->table);
    out->at = am_alloc(ctx, out->n + 1, sizeof *out->at);
    out->probabilities = am_alloc(ctx, am_mul(out->n + 1, (size_t)out->classes), sizeof *out->probabilities);
    if (at.values) out->values = am_alloc(ctx, am_mul(out->n + 1, (size_t)out->classes), sizeof *out->values);
    if (!out->at || !out->probabilities || (at.values && !out->values)) status = am_no_memory(err);
  }
  for (size_t i = 0; i < out->n && !status; i++) status = read_row(out, i, &at, err);
  if (status) am_predictions_free(out);
  return status;
}

am_status am_predictions_read(am_context *ctx, const char *path, am_predictions *out, am_error *err) {
  am_status status = am_predictions_read_any(ctx, path, out, err);
  if (status || !out->values) return status;
  am_predictions_free(out);
  return am_fail(err, AM_E_FORMAT, "%s: values of dimensions; wanted predictions of emotions", path);
}

static void move_row(const am_predictions *p, const float *from, size_t i, float *to, int classes, const int *of) {
  for (int k = 0; k < classes; k++) to[i * (size_t)classes + (size_t)k] = from[i * (size_t)p->classes + (size_t)of[k]];
}

/* Class k of `labels` is class of[k] of the file. */
static am_status move_rows(am_predictions *p, float *to, const char *const *labels, int classes, const int *of,
                           const char *whose, am_error *err) {
  for (size_t i = 0; i < p->n; i++) {
    am_prediction *row = &p->at[i];
    if (p->values) {
      move_row(p, p->probabilities, i, to, classes, of);
      continue;
    }
    const int stood[2] = {row->truth, row->predicted};
    row->truth = class_of(labels, classes, p->labels[stood[0]]);
    row->predicted = class_of(labels, classes, p->labels[stood[1]]);
    if (row->truth < 0 || row->predicted < 0)
      return am_csv_fail(p->table, i, err, "'%s' is no label of %s", p->labels[stood[row->truth >= 0]], whose);
    move_row(p, p->probabilities, i, to, classes, of);
  }
  return AM_OK;
}

am_status am_predictions_order(am_predictions *p, const char *const *labels, int classes, const char *whose,
                               am_error *err) {
  size_t K = (size_t)classes;
  const char **named = am_alloc(p->ctx, K, sizeof *named);
  int *of = am_alloc(p->ctx, K, sizeof *of);
  float *moved = am_alloc(p->ctx, am_mul(p->n + 1, K), sizeof *moved);
  float *truth = p->values ? am_alloc(p->ctx, am_mul(p->n + 1, K), sizeof *truth) : NULL;
  am_status status = named && of && moved && (truth || !p->values) ? AM_OK : am_no_memory(err);
  for (int k = 0, column; k < classes && !status; k++) {
    of[k] = class_of(p->labels, p->classes, labels[k]);
    if (of[k] >= 0) {
      named[k] = p->labels[of[k]];
      continue;
    }
    char *name = am_format(p->ctx, "%s%s", p->values ? VALUE : PROBABILITY, labels[k]);
    status = name ? am_csv_need(p->table, name, &column, err) : am_no_memory(err);
    am_free(p->ctx, name);
  }
  if (!status) status = move_rows(p, moved, labels, classes, of, whose, err);
  for (size_t i = 0; i < p->n && truth && !status; i++) move_row(p, p->values, i, truth, classes, of);
  am_free(p->ctx, of);
  if (status) {
    am_free(p->ctx, truth);
    am_free(p->ctx, named);
    am_free(p->ctx, moved);
    return status;
  }
  am_free(p->ctx, p->labels);
  am_free(p->ctx, p->probabilities);
  am_free(p->ctx, p->values);
  p->values = truth;
  p->labels = named;
  p->classes = classes;
  p->probabilities = moved;
  return AM_OK;
}

int am_predictions_class(const am_predictions *p, const char *label) { return class_of(p->labels, p->classes, label); }

void am_predictions_free(am_predictions *p) {
  if (!p->ctx) return;
  am_csv_free(p->table);
  am_free(p->ctx, p->labels);
  am_free(p->ctx, p->at);
  am_free(p->ctx, p->probabilities);
  am_free(p->ctx, p->values);
  *p = (am_predictions){0};
}
