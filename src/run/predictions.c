/* run/predictions.c - predictions.csv: a row a clip. */
#include "run/predictions.h"

#include <string.h>

#include "io/csv.h"

static void write_row(am_csv_writer *w, const am_dataset *d, uint32_t index, const int64_t *seed,
                      char *const *labels, int classes, const float *p) {
  const am_clip *clip = &d->clips[index];
  int best = 0;
  for (int k = 1; k < classes; k++)
    if (p[k] > p[best]) best = k;
  am_csv_put(w, clip->name);
  am_csv_put(w, clip->speaker >= 0 ? d->speakers[clip->speaker] : "");
  if (clip->fold >= 0) am_csv_put_int(w, clip->fold);
  else am_csv_put(w, "");
  if (seed) am_csv_put_int(w, *seed);
  am_csv_put(w, clip->label >= 0 ? d->labels[clip->label] : "");
  am_csv_put(w, labels[best]);
  for (int k = 0; k < classes; k++) am_csv_put_real(w, am_float_decimal(p[k]));
  for (size_t t = 0; t < d->n_traits; t++) {
    int value = d->traits[t].of[index];
    am_csv_put(w, value < 0 ? "" : d->traits[t].values[value]);
  }
  am_csv_end_row(w);
}

/* A trait's own name, unless a column has a meaning by that name already. */
static am_status put_trait(am_csv_writer *w, const char *name, am_error *err) {
  static const char *const taken[] = {"clip", "speaker", "fold", "seed", "true", "predicted"};
  bool plain = strncmp(name, "p_", 2) != 0;
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) plain = plain && strcmp(name, taken[i]) != 0;
  char *own = am_format(w->ctx, "%s%s", plain ? "" : "group_", name);
  if (!own) return am_no_memory(err);
  am_csv_put(w, own);
  am_free(w->ctx, own);
  return AM_OK;
}

am_status am_predictions_write_seeds(am_context *ctx, am_whose whose, const char *path, const am_dataset *d,
                                     const uint32_t *clips, const int64_t *seeds, size_t n,
                                     char *const *labels, int classes, const float *probabilities,
                                     am_error *err) {
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
    write_row(&w, d, clips[i], seeds ? &seeds[i] : NULL, labels, classes,
              probabilities + i * (size_t)classes);
  if (!status && text.failed) status = am_no_memory(err);
  if (!status) status = am_file_write_as(ctx, whose, path, text.data, text.used, err);
  am_buffer_free(ctx, &text);
  return status;
}

am_status am_predictions_write(am_context *ctx, am_whose whose, const char *path, const am_dataset *d,
                               const uint32_t *clips, size_t n, char *const *labels, int classes, const float *probabilities,
                               am_error *err) {
  return am_predictions_write_seeds(ctx, whose, path, d, clips, NULL, n, labels, classes, probabilities, err);
}
