/* SPDX-License-Identifier: MIT */
/* cli/cmd_fuse.c - audiomood fuse: several trained models become one checkpoint. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "io/json.h"
#include "study/fuse.h"

typedef struct job {
  cli *c;
  am_fuse_group groups[AM_MOST_MEMBERS];
  am_fuse_job fuse;
  am_names texts; /* of names that were cut out of arguments, and of paths */
  size_t room;
} job;

/* Kept until the end. */
static am_status keep(job *j, char *text, const char **out, am_error *err) {
  *out = text;
  if (!text) return am_no_memory(err);
  if (am_grow(j->c->ctx, &j->texts.at, &j->room, j->texts.n + 1, sizeof *j->texts.at, err)) {
    am_free(j->c->ctx, text);
    return AM_E_NOMEM;
  }
  j->texts.at[j->texts.n++] = text;
  return AM_OK;
}

static am_status add_model(job *j, am_fuse_group *g, const char *given, const char *out, am_error *err) {
  char *path = NULL;
  if (g->n == AM_MOST_MEMBERS) return am_fail(err, AM_E_USAGE, "more than %d models", (int)AM_MOST_MEMBERS);
  am_status st = cli_checkpoint_path(j->c, given, &path, err);
  if (!st) st = keep(j, path, &g->files[g->n], err);
  if (!st) st = cli_keep_input(out, path, err);
  if (!st) g->runs[g->n++] = am_folder_exists(given) ? given : NULL;
  return st;
}

/* "RUN" or "RUN,RUN": a name with a comma that is there is one. */
static am_status add_group(job *j, const char *given, const char *out, am_error *err) {
  am_context *ctx = j->c->ctx;
  am_fuse_group *g = &j->groups[j->fuse.n++];
  *g = (am_fuse_group){.given = given, .loss = NAN, .uar = NAN};
  if (am_file_exists(given) || am_folder_exists(given)) return add_model(j, g, given, out, err);
  am_status st = AM_OK;
  for (size_t n; *given && !st; given += n + (given[n] != '\0')) {
    const char *name;
    n = strcspn(given, ",");
    st = keep(j, am_format(ctx, "%.*s", (int)n, given), &name, err);
    if (!st) st = add_model(j, g, name, out, err);
  }
  return st;
}

static am_status read_weights(job *j, const char *flag, const char *text, am_error *err) {
  const bool known = !strcmp(flag, "known-weights");
  size_t n = 0;
  for (const char *at = text;; n++) {
    char *end;
    const double w = strtod(at, &end);
    if (end == at || (*end && *end != ',') || !(w >= 0 && w <= 1))
      return am_fail(err, AM_E_USAGE, "--%s %s: wanted numbers from 0 to 1, separated by commas", flag, text);
    if (n < j->fuse.n && known) j->groups[n].known_weight = w;
    else if (n < j->fuse.n) j->groups[n].weight = w;
    if (!*end) break;
    at = end + 1;
  }
  if (n + 1 != j->fuse.n)
    return am_fail(err, AM_E_USAGE, "--%s %s: %zu weights for %zu models", flag, text, n + 1, j->fuse.n);
  return AM_OK;
}

static am_status read_out_of_fold(job *j, am_error *err) {
  const char *at[CLI_MAX_FLAGS];
  const size_t n = cli_values(j->c, "out-of-fold", at);
  if (!n) return AM_OK;
  if (n != j->fuse.n)
    return am_fail(err, AM_E_USAGE,
                   "--out-of-fold: %zu cross-validations for %zu models; wanted one for each, in order", n, j->fuse.n);
  for (size_t i = 0; i < n; i++) j->groups[i].crossval = at[i];
  return AM_OK;
}

/* --known-weights: a second set beside that of --weights. */
static am_status read_known(job *j, bool given, am_error *err) {
  const char *weights = cli_value(j->c, "known-weights", NULL);
  if (!given && weights)
    return am_fail(err, AM_E_USAGE,
                   "--known-weights are beside --weights, for a voice that is not known, which is missing");
  if (!weights && cli_has(j->c, "known-temperature"))
    return am_fail(err, AM_E_USAGE, "--known-temperature is of --known-weights, which is missing");
  am_status st = cli_real(j->c, "known-temperature", 0.01, 100, 1, &j->fuse.known_temperature, err);
  j->fuse.two_sets = weights != NULL;
  return st || !weights ? st : read_weights(j, "known-weights", weights, err);
}

static am_status read_given(job *j, am_error *err) {
  const char *weights = cli_value(j->c, "weights", NULL);
  const bool folds = cli_has(j->c, "out-of-fold");
  if (weights && folds)
    return am_fail(err, AM_E_USAGE, "--weights or --out-of-fold, not both: they are given, or fitted");
  if (!weights && cli_has(j->c, "temperature"))
    return am_fail(err, AM_E_USAGE, "--temperature is of --weights, which is missing");
  am_status st = cli_real(j->c, "temperature", 0.01, 100, 1, &j->fuse.temperature, err);
  if (!st && weights) st = read_weights(j, "weights", weights, err);
  if (!st) st = read_known(j, weights != NULL, err);
  j->fuse.given = weights != NULL;
  if (!st && weights && cli_has(j->c, "wanted-precision"))
    return am_fail(err, AM_E_USAGE, "--wanted-precision fits thresholds to clips held out, and --weights needs none");
  if (!st) st = cli_real(j->c, "wanted-precision", 0.01, 0.999, 0, &j->fuse.precision, err);
  return st ? st : read_out_of_fold(j, err);
}

static void print_fused(const job *j, int width, const char *name, double loss, double uar) {
  cli_print("%-*s %8s", width, name, "");
  if (j->fuse.two_sets) cli_print(" %8s", "");
  cli_print(" %14.4f %6.1f %%\n", loss, 100 * uar);
}

/* What is below the table. */
static void print_end(const job *j) {
  const am_fuse_job *f = &j->fuse;
  if (f->values) cli_print("values are the mean of the models', by these weights");
  else cli_print("temperature %.4f", f->temperature);
  if (f->two_sets && !f->values) cli_print(", of a voice that is known %.4f", f->known_temperature);
  if (!f->given)
    cli_print("; weights and figures by %zu clips that %s", f->clips,
              j->groups[0].crossval ? "the models of the folds were not trained on"
                                    : "no model was trained on (the validation part)");
  cli_print("\n%s\n", f->out);
}

static void print_table(const job *j) {
  const am_fuse_job *f = &j->fuse;
  int width = 24;
  for (size_t i = 0; i < f->n; i++)
    if (cli_width(j->groups[i].given) > width) width = cli_width(j->groups[i].given);
  cli_print("%-*s %8s", width, "model", "weight");
  if (f->two_sets) cli_print(" %8s", "known");
  if (!f->given) cli_print(" %14s %8s", "cross-entropy", "UAR");
  cli_print("\n");
  for (size_t i = 0; i < f->n; i++) {
    const am_fuse_group *g = &j->groups[i];
    cli_print("%-*s %8.4f", width, g->given, g->weight);
    if (f->two_sets) cli_print(" %8.4f", g->known_weight);
    if (!f->given) cli_print(" %14.4f %6.1f %%", g->loss, 100 * g->uar);
    cli_print("\n");
  }
  if (!f->given) print_fused(j, width, f->two_sets ? "fused, voice not known" : "fused", f->loss, f->uar);
  if (!f->given && f->two_sets) print_fused(j, width, "fused, voice known", f->known_loss, f->known_uar);
  if (!f->given) cli_print("\n");
  print_end(j);
}

static void write_known(am_json *w, const am_fuse_job *f) {
  am_json_open(w, "known", '{');
  am_json_real(w, "temperature", f->known_temperature);
  am_json_real(w, "cross_entropy", f->given ? NAN : f->known_loss);
  am_json_real(w, "uar", f->given ? NAN : f->known_uar);
  am_json_close(w);
}

static am_status print_json(const job *j, am_error *err) {
  const am_fuse_job *f = &j->fuse;
  am_buffer text = {0};
  am_json w = am_json_begin(j->c->ctx, &text, 2);
  am_json_open(&w, NULL, '{');
  am_json_text(&w, "file", f->out);
  am_json_real(&w, "temperature", f->temperature);
  am_json_int(&w, "clips", (int64_t)f->clips);
  am_json_real(&w, "cross_entropy", f->given ? NAN : f->loss);
  am_json_real(&w, "uar", f->given ? NAN : f->uar);
  am_json_open(&w, "models", '[');
  for (size_t i = 0; i < f->n; i++) {
    am_json_open(&w, NULL, '{');
    am_json_text(&w, "model", j->groups[i].given);
    am_json_real(&w, "weight", j->groups[i].weight);
    if (f->two_sets) am_json_real(&w, "known_weight", j->groups[i].known_weight);
    am_json_real(&w, "cross_entropy", j->groups[i].loss);
    am_json_real(&w, "uar", j->groups[i].uar);
    am_json_close(&w);
  }
  am_json_close(&w);
  if (f->two_sets) write_known(&w, f);
  am_json_close(&w);
  am_status st = text.failed ? am_no_memory(err) : AM_OK;
  if (!st) cli_put_lines(stdout, text.data);
  am_buffer_free(j->c->ctx, &text);
  return st;
}

static am_status work(job *j, am_error *err) {
  cli *c = j->c;
  const char *out = cli_value(c, "out", NULL);
  if (!out) return am_fail(err, AM_E_USAGE, "wanted --out FILE.h5, where the fused model goes");
  if (c->n_arguments > AM_MOST_MEMBERS) return am_fail(err, AM_E_USAGE, "more than %d models", (int)AM_MOST_MEMBERS);
  am_status st = am_file_can_be_made(c->ctx, out, err);
  for (int i = 0; i < c->n_arguments && !st; i++) st = add_group(j, c->arguments[i], out, err);
  if (!st) st = read_given(j, err);
  if (st) return st;
  j->fuse.groups = j->groups;
  j->fuse.out = out;
  am_file_clean_beside(c->ctx, out);
  st = am_fuse(c->ctx, &j->fuse, err);
  if (!st && cli_has(c, "json")) return print_json(j, err);
  if (!st) print_table(j);
  return st;
}

static am_status run(cli *c, am_error *err) {
  job *j = am_alloc(c->ctx, 1, sizeof *j);
  if (!j) return am_no_memory(err);
  j->c = c;
  am_status st = work(j, err);
  am_names_free(c->ctx, &j->texts);
  am_free(c->ctx, j);
  return st;
}

static const cli_flag flags[] = {
    {"out", "FILE.h5", "where the fused model goes"},
    {"out-of-fold", "CROSSVAL",
     "fit the weights to what the runs of this cross-validation said of the clips held out of them (once for each "
     "model, in their order)"},
    {"weights", "W,W,...", "take these weights, one for each model, of sum 1, instead of fitting them"},
    {"temperature", "T", "of --weights: divide the weighted logarithms by it (1)"},
    {"known-weights", "W,W,...",
     "beside --weights: those for a voice that is known; a model that normalises by speaker then has the weight 0 "
     "there"},
    {"known-temperature", "T", "of --known-weights (1)"},
    {"wanted-precision", "P",
     "thresholds, fitted to the same clips, below which the answer is uncertain: P of the others are right"},
    {"json", NULL, "print one JSON object"},
    {0},
};

const cli_command cli_fuse = {
    .name = "fuse",
    .summary = "makes one checkpoint of several trained models, of any inputs",
    .usage =
        "RUN|FILE.h5[,RUN|FILE.h5]... --out FILE.h5 [--out-of-fold CROSSVAL]... [--weights W,W,... [--temperature T] "
        "[--known-weights W,W,... [--known-temperature T]]] [--wanted-precision P] [--json]",
    .details =
        "The fused model's probabilities are the product of the members', each to the power of its weight. predict, "
        "evaluate,\nenrol and inspect take it as any other model. Members may hear different features; they name the "
        "same emotions.\n"
        "Of models of dimensions the values are the mean, by --weights or by equal ones.\n"
        "Weights and temperature are those of least cross-entropy on clips that no member was trained on: the "
        "validation part\n"
        "of the runs, which has to be the same, or --out-of-fold. RUN,RUN,... (as the seeds of one config) share one "
        "weight.\n"
        "Where some models normalise by speaker and others do not, the file gets two sets of weights: of the others "
        "for a "
        "voice\nthat is not known, of all for one that is (predict --enrol).",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run,
};
