/* SPDX-License-Identifier: MIT */
/* cli/cmd_features.c - audiomood features: fills the feature cache, or gives the features as a table. */
#include <string.h>

#include "base/number.h"
#include "cli/cli.h"
#include "io/csv.h"

/* A row a clip where a clip is one vector, else a row a frame. */
typedef struct table {
  const am_feature_options *options;
  const am_dataset *d;
  const am_store *store;
  bool one_vector; /* of mean_over_time it lies along T */
  float *x;        /* of the longest clip */
  am_csv_writer w;
  am_buffer text;
} table;

static am_status put_out(table *t, am_error *err) {
  am_csv_end_row(&t->w);
  if (t->text.failed) return am_no_memory(err);
  cli_put_data(t->text.data, t->text.used);
  t->text.used = 0;
  return AM_OK;
}

static am_status put_head(table *t, int wide, am_error *err) {
  static const char *const columns[] = {"clip", "speaker", "label", "frame"};
  char name[AM_FEATURE_NAME];
  for (int i = 0; i < (t->one_vector ? 3 : 4); i++) am_csv_put(&t->w, columns[i]);
  for (int i = 0; i < wide; i++) {
    am_feature_name(t->options, i, name);
    am_csv_put(&t->w, name);
  }
  return put_out(t, err);
}

static am_status put_clip(table *t, uint32_t index, int wide, am_error *err) {
  const am_clip *clip = &t->d->clips[index];
  const float *x = t->x;
  int rows = t->one_vector ? 1 : am_store_frames(t->store, index);
  am_status st = am_store_read(t->store, index, t->x, err);
  for (int i = 0; i < rows && !st; i++, x += wide) {
    am_csv_put(&t->w, clip->name);
    am_csv_put(&t->w, clip->speaker >= 0 ? t->d->speakers[clip->speaker] : "");
    am_csv_put(&t->w, clip->label >= 0 ? t->d->labels[clip->label] : "");
    if (!t->one_vector) am_csv_put_int(&t->w, i);
    for (int k = 0; k < wide; k++) am_csv_put_real(&t->w, am_float_decimal(x[k]));
    st = put_out(t, err);
  }
  return st;
}

static am_status put_table(cli *c, const am_config *config, const am_dataset *d, const am_store *store, am_error *err) {
  const am_feature_options *o = &config->features;
  bool vector = o->mean_over_time || o->kind == AM_FEATURE_FUNCTIONALS;
  table t = {.options = o, .d = d, .store = store, .one_vector = vector};
  t.w = (am_csv_writer){.ctx = c->ctx, .out = &t.text};
  int wide = o->mean_over_time ? am_feature_fixed_frames(o) : am_store_bins(store);
  t.x = am_alloc(c->ctx, am_mul((size_t)am_store_max_frames(store), (size_t)am_store_bins(store)), sizeof *t.x);
  am_status st = t.x ? put_head(&t, wide, err) : am_no_memory(err);
  for (size_t i = 0; i < d->n && !st; i++)
    if (am_store_ok(store, (uint32_t)i)) st = put_clip(&t, (uint32_t)i, wide, err);
  am_buffer_free(c->ctx, &t.text);
  am_free(c->ctx, t.x);
  return st;
}

static am_status fill(cli *c, am_config *config, const am_dataset *d, am_error *err) {
  am_features *fx = NULL;
  am_store *store = NULL;
  am_status st = am_features_create(c->ctx, &config->features, &fx, err);
  if (!st)
    st = am_store_create(c->ctx, d, fx, &config->data, config->cache, am_augment_in_epochs(&config->augment), &store,
                         err);
  if (!st) {
    am_store_counts n = am_store_counted(store);
    FILE *to = cli_has(c, "csv") ? stderr : stdout;
    if (to == stderr) st = put_table(c, config, d, store, err);
    cli_fprint(to,
               "%zu clips of %s: %zu from the cache, %zu computed, %zu skipped, %zu with nothing to hear, in %.2f s "
               "(%.0f clips/s, %d threads)\n",
               d->n, d->title, n.from_cache, n.computed, n.skipped, n.unheard, n.seconds,
               n.seconds > 0 ? (double)d->n / n.seconds : 0.0, am_context_threads(c->ctx));
    cli_fprint(to, "features (T,F): F = %d, T at most %d\n", am_store_bins(store), am_store_max_frames(store));
  }
  am_store_free(store);
  am_features_free(fx);
  return st;
}

static am_status run(cli *c, am_error *err) {
  cli_overrides over;
  am_config *config = NULL;
  am_dataset *d = NULL;
  am_status st = cli_overrides_get(c, &over, err);
  if (!st) st = am_config_load(c->ctx, c->arguments[0], over.at, over.n, &config, err);
  if (!st) st = am_dataset_load(c->ctx, &config->data, &d, err);
  if (!st) {
    cli_warn_left_out(c, d);
    st = fill(c, config, d, err);
  }
  am_dataset_free(d);
  am_config_free(config);
  return st;
}

static const cli_flag flags[] = {
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {"csv", NULL, "the features as a table on standard output, with clip, speaker and label, before normalisation"},
    {0},
};

const cli_command cli_features = {
    .name = "features",
    .summary = "computes the features of a corpus into the cache, or as a table",
    .usage = "CONFIG [--csv] [--set KEY=VALUE]...",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
