/* run/predictions.c - predictions.csv: a row a clip, written and read. */
#include "run/predictions.h"

#include <string.h>

#include "base/number.h"

/* ---- writing ---- */

static void write_row(am_csv_writer *w, const am_dataset *d, uint32_t index, const int64_t *seed, char *const *labels,
                      int classes, const float *p) {
  const am_clip *clip = &d->clips[index];
  am_csv_put(w, clip->name);
  am_csv_put(w, clip->speaker >= 0 ? d->speakers[clip->speaker] : "");
  if (clip->fold >= 0) am_csv_put_int(w, clip->fold);
  else am_csv_put(w, "");
  if (seed) am_csv_put_int(w, *seed);
  am_csv_put(w, clip->label >= 0 ? d->labels[clip->label] : "");
  am_csv_put(w, labels[am_largest(p, classes)]);
  for (int k = 0; k < classes; k++) am_csv_put_real(w, am_float_decimal(p[k]));
  for (size_t t = 0; t < d->n_traits; t++) {
    int value = d->traits[t].of[index];
    am_csv_put(w, value < 0 ? "" : d->traits[t].values[value]);
  }
  am_csv_end_row(w);
}

static const char BEFORE[] = "group_";

static bool is_taken(const char *name) {
  static const char *const taken[] = {"clip", "speaker", "fold", "seed", "true", "predicted"};
  bool is = !strncmp(name, "p_", 2);
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) is = is || !strcmp(name, taken[i]);
  return is;
}

const char *am_predictions_trait(const char *column) {
  const size_t n = sizeof BEFORE - 1;
  return !strncmp(column, BEFORE, n) && is_taken(column + n) ? column + n : column;
}

/* A trait's own name, unless a column has a meaning by that name already. */
static am_status put_trait(am_csv_writer *w, const char *name, am_error *err) {
  char *own = am_format(w->ctx, "%s%s", is_taken(name) ? BEFORE : "", name);
  if (!own) return am_no_memory(err);
  am_csv_put(w, own);
  am_free(w->ctx, own);
  return AM_OK;
}

am_status am_predictions_write_seeds(am_context *ctx, am_whose whose, const char *path, const am_dataset *d,
                                     const uint32_t *clips, const int64_t *seeds, size_t n, char *const *labels,
                                     int classes, const float *probabilities, am_error *err) {
  static const char *const columns[] = {"clip", "speaker", "fold", "seed", "true", "predicted"};
  am_buffer text = {0};
  am_csv_writer w = {.ctx = ctx, .out = &text};
  for (int i = 0; i < 6; i++)
    if (i != 3 || seeds) am_csv_put(&w, columns[i]);
  am_status status = AM_OK;
  for (int k = 0; k < classes && !status; k++) {
    char *name = am_format(ctx, "p_%s", labels[k]);
    if (name) am_csv_put(&w, name);
    else status = am_no_memory(err);
    am_free(ctx, name);
  }
  for (size_t t = 0; t < d->n_traits && !status; t++) status = put_trait(&w, d->traits[t].name, err);
  am_csv_end_row(&w);
  for (size_t i = 0; i < n; i++)
    write_row(&w, d, clips[i], seeds ? &seeds[i] : NULL, labels, classes, probabilities + i * (size_t)classes);
  if (!status && text.failed) status = am_no_memory(err);
  if (!status) status = am_file_write_as(ctx, whose, path, text.data, text.used, err);
  am_buffer_free(ctx, &text);
  return status;
}

am_status am_predictions_write(am_context *ctx, am_whose whose, const char *path, const am_dataset *d,
                               const uint32_t *clips, size_t n, char *const *labels, int classes,
                               const float *probabilities, am_error *err) {
  return am_predictions_write_seeds(ctx, whose, path, d, clips, NULL, n, labels, classes, probabilities, err);
}

/* ---- reading ---- */

enum { CLIP, SPEAKER, TRUTH, PREDICTED, NAMED };

typedef struct columns {
  int named[NAMED], fold, seed; /* fold, seed: -1 for none */
  int p[AM_MAX_CLASSES];
} columns;

/* The classes are the columns p_<label>. */
static am_status find_columns(am_predictions *p, columns *at, am_error *err) {
  static const char *const names[NAMED] = {"clip", "speaker", "true", "predicted"};
  am_status status = AM_OK;
  for (int i = 0; i < NAMED && !status; i++) status = am_csv_need(p->table, names[i], &at->named[i], err);
  at->fold = am_csv_column(p->table, "fold");
  at->seed = am_csv_column(p->table, "seed");
  p->seeded = at->seed >= 0;
  for (size_t i = 0; i < am_csv_columns(p->table) && !status; i++) {
    const char *name = am_csv_name(p->table, i);
    if (strncmp(name, "p_", 2) || p->classes == AM_MAX_CLASSES) continue;
    at->p[p->classes] = (int)i;
    p->labels[p->classes++] = name + 2;
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

static am_status read_row(am_predictions *p, size_t i, const columns *at, am_error *err) {
  am_prediction *to = &p->at[i];
  *to = (am_prediction){.clip = am_csv_get(p->table, i, (size_t)at->named[CLIP]),
                        .speaker = am_csv_get(p->table, i, (size_t)at->named[SPEAKER]),
                        .fold = at->fold >= 0 ? am_csv_get(p->table, i, (size_t)at->fold) : ""};
  const char *seed = p->seeded ? am_csv_get(p->table, i, (size_t)at->seed) : "0";
  if (!am_text_to_int(seed, &to->seed))
    return am_csv_fail(p->table, i, err, "seed is '%s', wanted a whole number", seed);
  am_status status = read_class(p, i, at->named[TRUTH], &to->truth, err);
  if (!status) status = read_class(p, i, at->named[PREDICTED], &to->predicted, err);
  float *row = p->probabilities + i * (size_t)p->classes;
  for (int k = 0; k < p->classes && !status; k++) status = read_probability(p, i, at->p[k], &row[k], err);
  if (status) return status;
  to->confidence = am_float_decimal(row[to->predicted]);
  to->of_truth = am_float_decimal(row[to->truth]);
  return AM_OK;
}

am_status am_predictions_read(am_context *ctx, const char *path, am_predictions *out, am_error *err) {
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
    if (!out->at || !out->probabilities) status = am_no_memory(err);
  }
  for (size_t i = 0; i < out->n && !status; i++) status = read_row(out, i, &at, err);
  if (status) am_predictions_free(out);
  return status;
}

/* Class k of `labels` is class of[k] of the file. */
static am_status move_rows(am_predictions *p, float *to, const char *const *labels, int classes, const int *of,
                           const char *whose, am_error *err) {
  for (size_t i = 0; i < p->n; i++) {
    am_prediction *row = &p->at[i];
    const int stood[2] = {row->truth, row->predicted};
    row->truth = class_of(labels, classes, p->labels[stood[0]]);
    row->predicted = class_of(labels, classes, p->labels[stood[1]]);
    if (row->truth < 0 || row->predicted < 0)
      return am_csv_fail(p->table, i, err, "'%s' is no label of %s", p->labels[stood[row->truth >= 0]], whose);
    for (int k = 0; k < classes; k++)
      to[i * (size_t)classes + (size_t)k] = p->probabilities[i * (size_t)p->classes + (size_t)of[k]];
  }
  return AM_OK;
}

am_status am_predictions_order(am_predictions *p, const char *const *labels, int classes, const char *whose,
                               am_error *err) {
  size_t K = (size_t)classes;
  const char **named = am_alloc(p->ctx, K, sizeof *named);
  int *of = am_alloc(p->ctx, K, sizeof *of);
  float *moved = am_alloc(p->ctx, am_mul(p->n + 1, K), sizeof *moved);
  am_status status = named && of && moved ? AM_OK : am_no_memory(err);
  for (int k = 0, column; k < classes && !status; k++) {
    of[k] = class_of(p->labels, p->classes, labels[k]);
    if (of[k] >= 0) {
      named[k] = p->labels[of[k]];
      continue;
    }
    char *name = am_format(p->ctx, "p_%s", labels[k]);
    status = name ? am_csv_need(p->table, name, &column, err) : am_no_memory(err);
    am_free(p->ctx, name);
  }
  if (!status) status = move_rows(p, moved, labels, classes, of, whose, err);
  am_free(p->ctx, of);
  if (status) {
    am_free(p->ctx, named);
    am_free(p->ctx, moved);
    return status;
  }
  am_free(p->ctx, p->labels);
  am_free(p->ctx, p->probabilities);
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
  *p = (am_predictions){0};
}
