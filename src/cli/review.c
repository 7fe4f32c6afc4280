/* SPDX-License-Identifier: MIT */
/* cli/review.c - predict --uncertain-first: the table that a person corrects.
 *
 * Its columns path, speaker, label and corrected are those of a manifest, so training reads it as it comes back; the others tell how
 * sure the model was. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "cli/cli.h"
#include "io/csv.h"

typedef struct sound {
  const char *file; /* borrowed */
  size_t order;     /* in which they were added */
  float margin;     /* of the largest probability over the next one */
  float p[];
} sound;

struct cli_review {
  cli *c;
  const am_checkpoint *m;
  const char *out;
  sound **at;
  size_t n, room;
};

am_status cli_review_open(cli *c, const char *out, const am_checkpoint *m, cli_review **review, am_error *err) {
  cli_review *r = *review = am_alloc(c->ctx, 1, sizeof *r);
  if (!r) return am_no_memory(err);
  *r = (cli_review){.c = c, .m = m, .out = out};
  am_status st = am_checkpoint_need_classes(m, "--uncertain-first", err);
  if (st || !out) return st;
  if (am_file_exists(out))
    return am_fail(err, AM_E_USAGE, "--out %s is there already, and may hold corrections; name another file", out);
  return am_file_can_be_made(c->ctx, out, err);
}

void cli_review_free(cli_review *r) {
  if (!r) return;
  for (size_t i = 0; i < r->n; i++) am_free(r->c->ctx, r->at[i]);
  am_free(r->c->ctx, r->at);
  am_free(r->c->ctx, r);
}

am_status cli_review_add(cli_review *r, const char *file, const float *p, am_error *err) {
  const size_t classes = (size_t)r->m->classes;
  if (am_grow(r->c->ctx, &r->at, &r->room, r->n + 1, sizeof *r->at, err)) return AM_E_NOMEM;
  sound *s = am_alloc(r->c->ctx, 1, am_add(sizeof *s, classes * sizeof *s->p));
  if (!s) return am_no_memory(err);
  memcpy(s->p, p, classes * sizeof *s->p);
  float most = 0, next = 0;
  for (size_t k = 0; k < classes; k++) {
    if (p[k] > most) next = most, most = p[k];
    else if (p[k] > next) next = p[k];
  }
  s->file = file;
  s->order = r->n;
  s->margin = most - next;
  r->at[r->n++] = s;
  return AM_OK;
}

static int least_sure_first(const void *a, const void *b) {
  const sound *x = *(const sound *const *)a, *y = *(const sound *const *)b;
  if (x->margin != y->margin) return x->margin < y->margin ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

/* Of a uniform distribution 1. */
static double entropy(const sound *s, int classes) {
  double sum = 0;
  for (int k = 0; k < classes; k++)
    if (s->p[k] > 0) sum -= (double)s->p[k] * log((double)s->p[k]);
  return classes > 1 ? sum / log(classes) : 0;
}

/* As it is found from where the table is: beside it, or from anywhere. */
static char *path_for(const cli_review *r, const char *file) {
  char *real = r->out && strchr(r->out, '/') ? realpath(file, NULL) : NULL;
  char *path = am_strdup(r->c->ctx, real ? real : file);
  free(real);
  return path;
}

static am_status put_row(cli_review *r, am_csv_writer *w, const sound *s, am_error *err) {
  const int classes = r->m->classes, top = am_largest(s->p, classes);
  char *path = path_for(r, s->file);
  if (!path) return am_no_memory(err);
  am_csv_put(w, path);
  am_csv_put(w, "");
  am_csv_put(w, r->m->labels[top]);
  am_csv_put(w, "");
  am_csv_put_real(w, am_float_decimal(roundf(s->p[top] * 1e4F) / 1e4F));
  am_csv_put_real(w, am_float_decimal(roundf(s->margin * 1e4F) / 1e4F));
  am_csv_put_real(w, round(entropy(s, classes) * 1e4) / 1e4);
  am_csv_end_row(w);
  am_free(r->c->ctx, path);
  return AM_OK;
}

am_status cli_review_end(cli_review *r, am_error *err) {
  static const char *const columns[] = {"path", "speaker", "label", "corrected", "probability", "margin", "entropy"};
  am_context *ctx = r->c->ctx;
  am_buffer text = {0};
  am_csv_writer w = {.ctx = ctx, .out = &text};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) am_csv_put(&w, columns[i]);
  am_csv_end_row(&w);
  if (r->n) qsort(r->at, r->n, sizeof(sound *), least_sure_first);
  am_status st = AM_OK;
  for (size_t i = 0; i < r->n && !st; i++) st = put_row(r, &w, r->at[i], err);
  if (!st && text.failed) st = am_no_memory(err);
  if (!st && r->out) st = am_file_write(ctx, r->out, text.data, text.used, err);
  else if (!st) cli_put_data(text.data, text.used);
  am_buffer_free(ctx, &text);
  if (!st && r->out)
    am_log(ctx, AM_LOG_INFO, "%zu %s in %s, the least sure first; correct them in the column corrected", r->n,
           am_count(r->n, "sound", "sounds"), r->out);
  return st;
}
