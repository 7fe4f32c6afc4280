/* cli/cmd_evaluate.c - audiomood evaluate: how good a checkpoint is, per emotion. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "io/json.h"

typedef struct job {
  cli *c;
  am_checkpoint *checkpoint;
  am_config *other;      /* --data CONFIG, or NULL: the run's own corpus */
  am_config *reloaded;   /* the checkpoint's config with --set applied, or NULL */
  am_config *config;     /* the one whose data section is read: borrowed */
  am_dataset *d;
  am_split *split;
  const char *part_name; /* "test" */
  bool speaker_independent;
  uint32_t *clips;
  size_t n;
  int *label_of;         /* corpus label -> model class, or -1 */
} job;

/* Which part of the split to score: what was asked, else test, else validation. */
static am_status choose_part(job *j, am_error *err) {
  const char *asked = cli_value(j->c, "split", NULL);
  am_part part = AM_PART_TEST;
  /* Another corpus was never trained on: all of it counts, and it need not have the parts of its config's split. */
  const bool all = asked ? strcmp(asked, "all") == 0 : j->other != NULL;
  if (!all || !j->other) {
    am_status st = am_split_make(j->c->ctx, j->d, &j->config->split, &j->split, err);
    if (st) return st;
  }
  if (all) {
    part = AM_PART_NONE;
  } else if (asked) {
    for (part = AM_PART_TRAIN; part <= AM_PART_TEST && strcmp(asked, am_part_name(part)) != 0; part++) {}
    if (part > AM_PART_TEST)
      return am_fail(err, AM_E_USAGE, "--split %s: wanted train, validation, test or all", asked);
    if (!j->split->n[part]) return am_fail(err, AM_E_DATA, "this run has no %s part", asked);
  } else if (!j->split->n[AM_PART_TEST]) {
    part = j->split->n[AM_PART_VALIDATION] ? AM_PART_VALIDATION : AM_PART_TRAIN;
    am_log(j->c->ctx, AM_LOG_WARNING, "this run has no test part; evaluating its %s part", am_part_name(part));
  }
  j->part_name = part == AM_PART_NONE ? "all" : am_part_name(part);
  j->speaker_independent = j->other ? true : j->split->speaker_independent && part > AM_PART_TRAIN;
  j->clips = am_alloc(j->c->ctx, j->d->n, sizeof *j->clips);
  if (!j->clips) return am_no_memory(err);
  if (part == AM_PART_NONE)
    for (size_t i = 0; i < j->d->n; i++) j->clips[j->n++] = (uint32_t)i;
  else
    for (size_t i = 0; i < j->split->n[part]; i++) j->clips[j->n++] = j->split->at[part][i];
  return AM_OK;
}

/* Labels go by name; clips whose label the model does not know are left out and counted. */
static am_status map_labels(job *j, am_error *err) {
  int unmapped = 0;
  j->label_of = am_alloc(j->c->ctx, (size_t)j->d->n_labels, sizeof *j->label_of);
  if (!j->label_of) return am_no_memory(err);
  for (int k = 0; k < j->d->n_labels; k++) {
    j->label_of[k] = -1;
    for (int m = 0; m < j->checkpoint->classes; m++)
      if (strcmp(j->d->labels[k], j->checkpoint->labels[m]) == 0) j->label_of[k] = m;
    unmapped += j->label_of[k] < 0;
    if (j->other)
      am_log(j->c->ctx, AM_LOG_INFO, "label map: %s -> %s", j->d->labels[k],
             j->label_of[k] < 0 ? "(left out: the model has no such class)" : j->checkpoint->labels[j->label_of[k]]);
  }
  if (unmapped == j->d->n_labels)
    return am_fail(err, AM_E_DATA, "no label of this corpus (%s, ...) is a class of the model (%s, ...); map them with "
                   "data.merge in the config given to --data", j->d->labels[0], j->checkpoint->labels[0]);
  size_t kept = 0;
  for (size_t i = 0; i < j->n; i++)
    if (j->label_of[j->d->clips[j->clips[i]].label] >= 0) j->clips[kept++] = j->clips[i];
  if (kept < j->n)
    am_log(j->c->ctx, AM_LOG_WARNING, "%zu of %zu clips left out: their label is no class of the model", j->n - kept, j->n);
  j->n = kept;
  return kept ? AM_OK : am_fail(err, AM_E_DATA, "no clip is left to evaluate");
}

static am_status open_data(job *j, am_error *err) {
  const char *data = cli_value(j->c, "data", NULL);
  cli_overrides over;
  am_status st = cli_overrides_get(j->c, &over, err);
  if (st) return st;
  j->config = j->checkpoint->config;
  if (data) {
    st = am_config_load(j->c->ctx, data, over.at, over.n, &j->other, err);
    j->config = j->other;
  } else if (over.n) {
    am_buffer text = {0};
    st = am_config_text(j->checkpoint->config, &text, err);
    if (!st) st = am_config_from_text(j->c->ctx, text.data, "config of the checkpoint", over.at, over.n, &j->reloaded, err);
    am_buffer_free(j->c->ctx, &text);
    j->config = j->reloaded;
  }
  if (!st) st = am_dataset_load(j->c->ctx, &j->config->data, &j->d, err);
  if (st) return st;
  cli_warn_left_out(j->c, j->d);
  st = choose_part(j, err);
  if (!st) st = map_labels(j, err);
  return st;
}

static am_status print_results(job *j, const am_metrics *m, am_error *err) {
  bool transductive = j->checkpoint->normaliser.kind == AM_NORMALISE_SPEAKER;
  if (!cli_has(j->c, "json")) {
    printf("%s on %s, %s part%s\n\n", j->checkpoint->config->name, j->d->title, j->part_name,
           j->d->synthetic ? " (synthetic speech)" : "");
    cli_print_metrics(stdout, m, j->checkpoint->labels);
    printf("speaker-independent        %s\n", j->speaker_independent ? "yes" : "no: the same speakers are in the training part");
    if (transductive)
      printf("transductive               yes: each speaker's clips are normalised by the statistics of all of them\n");
    return AM_OK;
  }
  am_buffer text = {0};
  am_protocol protocol = {.split = j->part_name,
                          .speaker_independent = j->speaker_independent,
                          .synthetic = j->d->synthetic,
                          .transductive = transductive};
  am_status st = am_metrics_json(j->c->ctx, m, j->checkpoint->labels, &protocol, &text, err);
  if (!st) printf("%s\n", text.data);
  am_buffer_free(j->c->ctx, &text);
  return st;
}

/* predictions.csv stands in the run's folder, or in --out. */
static am_status write_predictions(job *j, const float *probabilities, const char *run, am_error *err) {
  const char *out = cli_value(j->c, "out", NULL);
  char *path = NULL;
  if (out) path = am_strdup(j->c->ctx, out);
  else if (am_folder_exists(run))
    path = am_format(j->c->ctx, "%s/predictions-%s%s.csv", run, j->other ? "other-" : "", j->part_name);
  else return AM_OK;
  if (!path) return am_no_memory(err);
  am_status st = am_predictions_write(j->c->ctx, path, j->d, j->clips, j->n, j->checkpoint->labels, j->checkpoint->classes,
                                      probabilities, err);
  if (!st) am_log(j->c->ctx, AM_LOG_INFO, "predictions in %s", path);
  am_free(j->c->ctx, path);
  return st;
}

static am_status score(job *j, am_error *err) {
  am_context *ctx = j->c->ctx;
  am_features *fx = NULL;
  am_store *store = NULL;
  am_metrics *m = NULL;
  size_t classes = (size_t)j->checkpoint->classes;
  float *probabilities = am_alloc(ctx, am_mul(j->n, classes), sizeof *probabilities);
  int *labels = am_alloc(ctx, j->n, sizeof *labels), *speakers = am_alloc(ctx, j->n, sizeof *speakers);
  am_status st = probabilities && labels && speakers ? AM_OK : am_no_memory(err);
  /* Features as the model was trained on, whatever the other config says. */
  if (!st) st = am_features_create(ctx, &j->checkpoint->config->features, &fx, err);
  if (!st) st = am_store_create(ctx, j->d, fx, &j->config->data, j->config->cache, false, &store, err);
  if (!st) {
    size_t readable = 0;
    for (size_t i = 0; i < j->n; i++)
      if (am_store_ok(store, j->clips[i])) j->clips[readable++] = j->clips[i];
    j->n = readable;
    st = am_evaluate(ctx, j->checkpoint, j->d, store, j->clips, j->n, probabilities, err);
  }
  for (size_t i = 0; !st && i < j->n; i++) {
    labels[i] = j->label_of[j->d->clips[j->clips[i]].label];
    speakers[i] = j->d->clips[j->clips[i]].speaker;
  }
  if (!st) st = am_metrics_compute(ctx, probabilities, labels, speakers, j->n, (int)classes, j->checkpoint->config->seed, &m, err);
  if (!st) st = am_metrics_add_utterances(m, j->d, j->clips, probabilities, labels, j->checkpoint->config->seed, err);
  if (!st) st = print_results(j, m, err);
  if (!st) st = write_predictions(j, probabilities, j->c->arguments[0], err);
  am_metrics_free(m);
  am_store_free(store);
  am_features_free(fx);
  am_free(ctx, speakers);
  am_free(ctx, labels);
  am_free(ctx, probabilities);
  return st;
}

static am_status run(cli *c, am_error *err) {
  job j = {.c = c};
  char *path = NULL;
  am_status st = cli_checkpoint_path(c, c->arguments[0], &path, err);
  if (!st) st = am_checkpoint_load(c->ctx, path, &j.checkpoint, err);
  if (!st) st = open_data(&j, err);
  if (!st) st = score(&j, err);
  am_free(c->ctx, j.label_of);
  am_free(c->ctx, j.clips);
  am_split_free(c->ctx, j.split);
  am_dataset_free(j.d);
  am_config_free(j.other);
  am_config_free(j.reloaded);
  am_checkpoint_free(c->ctx, j.checkpoint);
  am_free(c->ctx, path);
  return st;
}

static const cli_flag flags[] = {
  {"data", "CONFIG", "another corpus: the data section of this config; labels are matched by name"},
  {"split", "PART", "train, validation, test or all (default: test, else validation; all of another corpus)"},
  {"set", "KEY=VALUE", "replaces one setting, e.g. data.root=DIR (repeatable)"},
  {"out", "FILE.csv", "where predictions go (default: predictions-<part>.csv in the run's folder)"},
  {"json", NULL, "print one JSON object"},
  {0},
};

const cli_command cli_evaluate = {
  .name = "evaluate",
  .summary = "says how accurate a run or checkpoint is, per emotion",
  .usage = "RUN|FILE.h5 [--data CONFIG] [--split PART] [--set KEY=VALUE]... [--json] [--out FILE.csv]",
  .details = "Prints accuracy, unweighted average recall, macro F1, precision, recall and F1 per emotion, the\n"
             "confusion matrix, calibration error and a 95 % confidence interval.",
  .flags = flags,
  .min_arguments = 1,
  .max_arguments = 1,
  .run = run,
};
