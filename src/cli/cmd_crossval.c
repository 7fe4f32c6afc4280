/* SPDX-License-Identifier: MIT */
/* cli/cmd_crossval.c - audiomood crossval: every fold of a config's split, and their results together. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "ranks/ranks.h"
#include "report/report.h"
#include "run/folder.h"
#include "study/crossval.h"

/* ---- arguments ---- */

static am_status bad_numbers(const char *flag, const char *text, am_error *err) {
  return am_fail(err, AM_E_USAGE, "--%s %s: wanted numbers of %s from 0, such as 0,2 or 0-3", flag, text,
                 strcmp(flag, "job") ? "folds" : "runs");
}

/* "0,2-4" -> 0 2 3 4 */
static am_status read_numbers(cli *c, const char *flag, int **out, size_t *n, am_error *err) {
  enum { MOST = 100000 };
  const char *text = cli_value(c, flag, NULL);
  *out = NULL;
  *n = 0;
  if (!text) return AM_OK;
  for (const char *at = text;;) {
    char *end;
    if (*at < '0' || *at > '9') return bad_numbers(flag, text, err);
    long first = strtol(at, &end, 10), last = first;
    if (*end == '-') {
      at = end + 1;
      if (*at < '0' || *at > '9') return bad_numbers(flag, text, err);
      last = strtol(at, &end, 10);
    }
    if (first > MOST || last > MOST || last < first) return bad_numbers(flag, text, err);
    int *moved = am_resize(c->ctx, *out, *n + (size_t)(last - first) + 1, sizeof *moved);
    if (!moved) return am_no_memory(err);
    *out = moved;
    for (long number = first; number <= last; number++) moved[(*n)++] = (int)number;
    if (!*end) return AM_OK;
    if (*end != ',') return bad_numbers(flag, text, err);
    at = end + 1;
  }
}

/* What may differ between the runs of one cross-validation: where things are, not what is trained. */
static am_status check_going_on(const cli *c, const char *flag, am_error *err) {
  static const char *const free_keys[] = {"train.save_minutes=", "train.save_seconds=", "train.max_steps="};
  const char *given[CLI_MAX_FLAGS];
  size_t n = cli_values(c, "set", given);
  if (c->n_arguments)
    return am_fail(err, AM_E_USAGE, "--%s takes its config from the folder; leave out '%s'", flag, c->arguments[0]);
  if (cli_has(c, "out") || cli_has(c, "seeds") || cli_has(c, "seed"))
    return am_fail(err, AM_E_USAGE, "--%s goes on as it began: leave out --out, --seed and --seeds", flag);
  for (size_t i = 0; i < n; i++) {
    bool free = am_config_is_place(given[i]);
    for (size_t k = 0; k < sizeof free_keys / sizeof *free_keys; k++)
      free = free || !strncmp(given[i], free_keys[k], strlen(free_keys[k]));
    if (!free)
      return am_fail(err, AM_E_USAGE,
                     "--set %s: the folds of one cross-validation are trained alike; to train otherwise "
                     "start a new one",
                     given[i]);
  }
  return AM_OK;
}

/* ---- tables ---- */

static void print_spread(const am_crossval *x, const char *name, am_over over, int figure) {
  const am_spread s = am_crossval_spread(x, over, figure);
  cli_print("%-25s  %5.1f %%", name, 100 * s.mean);
  if (s.n > 1) cli_print("  +- %.1f", 100 * s.sd);
  cli_print("\n");
}

static bool tells_values(const am_crossval *x) { return x->dataset->target == AM_TARGET_DIMENSIONS; }

/* A figure that is no share, such as a concordance. */
static void print_number_spread(const am_crossval *x, const char *name, am_over over, int figure) {
  const am_spread s = am_crossval_spread(x, over, figure);
  cli_print("%-25s  %6.3f", name, s.mean);
  if (s.n > 1) cli_print("  +- %.3f", s.sd);
  cli_print("\n");
}

static void print_value_runs(const am_crossval *x) {
  cli_print("%6s%6s%8s%10s", "seed", "fold", "clips", "mean CCC");
  for (int k = 0; k < x->dataset->n_dimensions; k++) cli_print("%14.12s", x->dataset->dimensions[k]);
  cli_print("%12s%10s\n", "best epoch", "minutes");
  for (size_t i = 0; i < x->n_seeds * x->n_folds; i++) {
    const am_crossval_run *r = &x->runs[i];
    if (!r->finished) continue;
    cli_print("%6llu%6d%8zu%10.3f", (unsigned long long)r->seed, r->fold, r->n, r->metrics->ccc);
    for (int k = 0; k < r->metrics->dimensions; k++) cli_print("%14.3f", r->metrics->dimension[k].is.ccc);
    cli_print("%5llu of %-4llu%9.1f\n", (unsigned long long)r->best_epoch, (unsigned long long)r->epochs,
              r->seconds / 60);
  }
}

static void print_runs(const am_crossval *x) {
  if (tells_values(x)) {
    print_value_runs(x);
    return;
  }
  cli_print("%6s%6s%8s%10s%8s%10s%9s%8s%12s%10s\n", "seed", "fold", "clips", "accuracy", "UAR", "macro F1", "classes",
            "chance", "best epoch", "minutes");
  for (size_t i = 0; i < x->n_seeds * x->n_folds; i++) {
    const am_crossval_run *r = &x->runs[i];
    if (!r->finished) continue;
    const am_metrics *m = r->metrics;
    char classes[32];
    snprintf(classes, sizeof classes, "%d of %d", m->scored, m->classes);
    cli_print("%6llu%6d%8zu%10.1f%8.1f%10.1f%9s%8.1f%5llu of %-4llu%9.1f\n", (unsigned long long)r->seed, r->fold, r->n,
              100 * m->accuracy, 100 * m->uar, 100 * m->macro_f1, classes, 100 * am_metrics_chance(m),
              (unsigned long long)r->best_epoch, (unsigned long long)r->epochs, r->seconds / 60);
  }
}

/* The classes that the means above are over: "4 of 4", or "2 to 4 of 4" where folds lack some. */
static void print_scored(const am_crossval *x, am_over over) {
  const am_spread scored = am_crossval_spread(x, over, AM_FIGURE_SCORED);
  cli_print("%-25s  ", "UAR and F1 are over");
  if (scored.least < scored.most) cli_print("%.0f to ", scored.least);
  cli_print("%.0f of %d classes; chance %.1f %%\n", scored.most, x->dataset->n_labels,
            100 * am_crossval_spread(x, over, AM_FIGURE_CHANCE).mean);
}

static void print_value_spreads(const am_crossval *x, const char *what, am_over over) {
  cli_print("\nMean and standard deviation over %zu %s\n", am_crossval_spread(x, over, AM_FIGURE_CCC).n, what);
  print_number_spread(x, "mean concordance (CCC)", over, AM_FIGURE_CCC);
  if (am_crossval_has_chunks(x)) print_number_spread(x, "utterances: mean CCC", over, AM_FIGURE_UTTERANCE_CCC);
  for (int k = 0; k < x->dataset->n_dimensions; k++) {
    char name[80];
    snprintf(name, sizeof name, "CCC of %.60s", x->dataset->dimensions[k]);
    print_number_spread(x, name, over, k);
  }
}

static void print_spreads(const am_crossval *x, const char *what, am_over over) {
  if (tells_values(x)) {
    print_value_spreads(x, what, over);
    return;
  }
  cli_print("\nMean and standard deviation over %zu %s\n", am_crossval_spread(x, over, AM_FIGURE_ACCURACY).n, what);
  print_spread(x, "accuracy", over, AM_FIGURE_ACCURACY);
  print_spread(x, "unweighted average recall", over, AM_FIGURE_UAR);
  print_spread(x, "macro F1", over, AM_FIGURE_MACRO_F1);
  print_scored(x, over);
  if (am_crossval_has_chunks(x)) {
    print_spread(x, "utterances: accuracy", over, AM_FIGURE_UTTERANCE_ACCURACY);
    print_spread(x, "utterances: UAR", over, AM_FIGURE_UTTERANCE_UAR);
  }
  for (int k = 0; k < x->dataset->n_labels; k++) {
    char name[80];
    snprintf(name, sizeof name, "recall of %.60s", x->dataset->labels[k]);
    print_spread(x, name, over, k);
  }
}

/* The seeds as one model. */
static void print_together(const am_crossval *x) {
  if (!x->together) return;
  if (tells_values(x)) {
    cli_print("\nMean of the %zu seeds' values, one model of %zu\n", x->n_seeds, x->n_seeds);
    print_number_spread(x, "mean CCC over folds", AM_OVER_FOLDS_TOGETHER, AM_FIGURE_CCC);
    cli_print("%-25s  %6.3f\n", "mean CCC, pooled", x->together->ccc);
    return;
  }
  cli_print("\nMean of the %zu seeds' probabilities, one model of %zu\n", x->n_seeds, x->n_seeds);
  print_spread(x, "accuracy over folds", AM_OVER_FOLDS_TOGETHER, AM_FIGURE_ACCURACY);
  print_spread(x, "UAR over folds", AM_OVER_FOLDS_TOGETHER, AM_FIGURE_UAR);
  print_scored(x, AM_OVER_FOLDS_TOGETHER);
  cli_print("%-25s  %5.1f %%\n%-25s  %5.1f %% over %d of %d classes; chance %.1f %%\n", "accuracy, pooled",
            100 * x->together->accuracy, "UAR, pooled", 100 * x->together->uar, x->together->scored,
            x->together->classes, 100 * am_metrics_chance(x->together));
}

static void print_tables(const am_crossval *x, bool speakers) {
  cli_print("\n%s: %zu of %d folds%s\n", x->config->name, x->n_folds, x->split->n_folds,
            x->n_seeds > 1 ? ", several seeds" : "");
  if (x->dataset->synthetic) cli_print("This corpus is synthetic: its figures say nothing about real speech.\n");
  cli_print("\n");
  print_runs(x);
  if (x->n_seeds * x->n_folds > 1) print_spreads(x, x->n_seeds > 1 ? "folds of all seeds" : "folds", AM_OVER_FOLDS);
  if (x->n_seeds > 1) print_spreads(x, "seeds (folds pooled)", AM_OVER_SEEDS);
  print_together(x);
  cli_print("\nAll test clips pooled%s\n\n", x->n_seeds > 1 ? ", once a seed" : "");
  cli_print_metrics(stdout, x->pooled, speakers);
  if (!x->split->speaker_independent)
    cli_print(
        "\nNot speaker-independent: speakers of these clips are also in the training part (or are not "
        "known).\n");
  cli_print("\nresults in %s\n", x->folder);
}

static am_status print_json(const am_crossval *x, am_error *err) {
  am_buffer text = {0};
  am_status st = am_crossval_json(x, &text, err);
  if (!st) cli_put_lines(stdout, text.data);
  am_buffer_free(x->ctx, &text);
  return st;
}

/* ---- the command ---- */

/* The page of the whole, with the folds that are finished; the results are complete without it. */
static void write_page(cli *c, const char *folder) {
  am_error why = AM_ERROR_INIT;
  char *results = am_run_file_path(c->ctx, folder, AM_FILE_CROSSVAL_RESULTS);
  if (results && am_file_exists(results) && am_report_write(c->ctx, folder, NULL, &why))
    am_log(c->ctx, AM_LOG_WARNING, "the page of %s was not written: %s", folder, why.message);
  am_free(c->ctx, results);
}

/* The page of each finished run that has none yet; others may be what other jobs are at. */
static void write_pages(const am_crossval *x) {
  for (size_t i = 0; i < x->n_seeds * x->n_folds; i++) {
    if (!x->runs[i].finished) continue;
    am_error why = AM_ERROR_INIT;
    char *page = am_run_file_path(x->ctx, x->runs[i].folder, AM_FILE_REPORT);
    if (page && !am_file_exists(page) && am_report_write(x->ctx, x->runs[i].folder, NULL, &why))
      am_log(x->ctx, AM_LOG_WARNING, "the page of %s was not written: %s", x->runs[i].folder, why.message);
    am_free(x->ctx, page);
  }
}

/* Interrupted, or a fold's loss became NaN: what was finished before is worth a page. */
static bool ended_early(am_status st) { return st == AM_E_STOPPED || st == AM_E_NUMERIC; }

/* The one flag of these that is given, or NULL. */
static am_status check_kind(const cli *c, const char **kind, am_error *err) {
  static const char *const kinds[] = {"resume", "collect", "job"};
  *kind = NULL;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!cli_has(c, kinds[i])) continue;
    if (*kind) return am_fail(err, AM_E_USAGE, "--%s and --%s: wanted one of them", *kind, kinds[i]);
    *kind = kinds[i];
  }
  const bool job = *kind && !strcmp(*kind, "job"), collect = *kind && !strcmp(*kind, "collect");
  if (job && !cli_has(c, "out"))
    return am_fail(err, AM_E_USAGE, "--job wants --out DIR, the folder that all jobs of the cross-validation share");
  if (job && (cli_has(c, "json") || cli_has(c, "speakers")))
    return am_fail(err, AM_E_USAGE, "--json and --speakers are of all folds: wanted with --collect, not with --job");
  if (cli_has(c, "wait") && !job) return am_fail(err, AM_E_USAGE, "--wait is of --job, which is missing");
  if (collect && cli_has(c, "folds"))
    return am_fail(err, AM_E_USAGE, "--collect is of all folds that the jobs were to train: leave out --folds");
  if (!job && !collect && !*kind && !c->n_arguments)
    return am_fail(err, AM_E_USAGE, "wanted a config file, or --resume DIR");
  if (job && !c->n_arguments) return am_fail(err, AM_E_USAGE, "--job wants a config file, the same for all jobs");
  return job || !*kind ? AM_OK : check_going_on(c, *kind, err);
}

static void print_job(const am_crossval *x) {
  cli_print("\n");
  print_runs(x);
  cli_print("\nwhen all jobs are done: audiomood crossval --collect %s\n", x->folder);
}

static am_status print_results(cli *c, const am_crossval *x, am_error *err) {
  if (cli_has(c, "job")) print_job(x);
  else if (cli_has(c, "json")) return print_json(x, err);
  else if (x->n_finished) print_tables(x, cli_has(c, "speakers"));
  return AM_OK;
}

/* What was collected is no cross-validation until it is whole. */
static am_status check_whole(const am_crossval *x, am_error *err) {
  const size_t n = x->n_seeds * x->n_folds;
  if (x->n_finished == n) return AM_OK;
  return am_fail(err, AM_E_DATA, "%s: %zu of %zu runs are finished; collect again when the others are", x->folder,
                 x->n_finished, n);
}

/* Where the results go; *own: a name that was made for it. */
static am_status choose_folder(cli *c, const char *kind, const am_config *config, cli_run_folder *made, char **own,
                               const char **out, am_error *err) {
  *out = cli_value(c, kind && strcmp(kind, "job") ? kind : "out", NULL);
  if (*out) return AM_OK;
  const am_status st = cli_ranks_folder_make(c, config->name, "-crossval", made, own, err);
  *out = *own;
  return st;
}

/* Of several processes the first one has all results. */
static am_status cross_validate(cli *c, am_error *err) {
  const char *kind, *folder = NULL;
  int64_t seeds, wait;
  int *folds = NULL, *jobs = NULL;
  size_t n_folds = 0, n_jobs = 0;
  am_config *config = NULL;
  am_crossval *x = NULL;
  cli_run_folder made = {0};
  char *own = NULL;
  const bool first = am_ranks_first(am_context_ranks(c->ctx));
  am_status st = cli_int(c, "seeds", 1, 1000, 1, &seeds, err);
  if (!st) st = cli_int(c, "wait", 0, 86400, 120, &wait, err);
  if (!st) st = check_kind(c, &kind, err);
  if (!st) st = read_numbers(c, "folds", &folds, &n_folds, err);
  if (!st) st = read_numbers(c, "job", &jobs, &n_jobs, err);
  const char *from = st ? NULL : cli_value(c, "resume", cli_value(c, "collect", NULL));
  if (!st) st = cli_config_load(c, from, "cross-validation", am_run_file_name(AM_FILE_CROSSVAL), &config, err);
  if (!st) st = choose_folder(c, kind, config, &made, &own, &folder, err);
  if (!st && !cli_has(c, "collect")) {
    am_crossval_options o = {folder, cli_has(c, "resume"), seeds, folds, n_folds, jobs, n_jobs, (double)wait};
    st = am_crossval_train(config, &o, &x, err);
  } else if (!st && first) {
    st = am_crossval_collect(config, folder, &x, err);
  }
  cli_sink_clear();
  const bool whole = !st && !n_jobs;
  if (!st && first) st = print_results(c, x, err);
  if (!st && first) write_pages(x); /* first: the page of the whole points at those that are there */
  if (folder && first && (whole || (ended_early(st) && !n_jobs))) write_page(c, folder);
  if (!st && first && !n_jobs) st = check_whole(x, err);
  am_crossval_free(x);
  am_config_free(config);
  am_free(c->ctx, folds);
  am_free(c->ctx, jobs);
  am_free(c->ctx, own);
  cli_run_folder_end(c, &made);
  return st;
}

/* Jobs are processes of their own, whoever started them. */
static am_status run(cli *c, am_error *err) {
  if (cli_has(c, "job")) return cross_validate(c, err);
  am_status st = cli_ranks_join(c, "share the runs", err);
  return cli_ranks_leave(c, st ? st : cross_validate(c, err), err);
}

static const cli_flag flags[] = {
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {"seed", "N", "replaces the config's seed, the first that a fold is trained with"},
    {"seeds", "N", "trains every fold N times, with seed, seed + 1, ... (default 1)"},
    {"folds", "LIST", "only these folds, numbered from 0: 0,2 or 0-3"},
    {"out", "DIR", "folder of the cross-validation (default: runs/<name>-crossval-<time>)"},
    {"resume", "DIR", "goes on: finished folds are kept, an interrupted one is resumed; --folds adds some"},
    {"job", "LIST", "one of several processes that fill --out: trains only these runs, numbered from 0, seed by seed"},
    {"wait", "SECONDS", "with --job: how long to wait for a run that another process has (default 120)"},
    {"collect", "DIR", "tables and page of what jobs have trained; says which folds are missing"},
    {"speakers", NULL, "the table of all speakers, the worst first (crossval.json has it anyway)"},
    {"json", NULL, "prints DIR/crossval.json instead of tables"},
    {0},
};

const cli_command cli_crossval = {
    .name = "crossval",
    .summary = "trains every fold of a split and pools the results",
    .usage =
        "CONFIG [--set KEY=VALUE]... [--seed N] [--seeds N] [--folds LIST] [--out DIR] [--speakers] [--json] | "
        "--resume DIR | CONFIG --out DIR --job LIST | --collect DIR",
    .details =
        "For split.kind kfold (by speaker), leave_one_speaker_out, leave_one_group_out, and fixed with\n"
        "fold_lists. Each fold is a run folder of its own, DIR/fold-K (DIR/seed-S/fold-K with several\n"
        "seeds); DIR/crossval.json and DIR/predictions.csv hold the results together, DIR/report.html\n"
        "shows them. Ctrl-C saves, and says how to go on.\n\n"
        "Several machines share the work by --job: every process has the same config, seeds and folds, and its own\n"
        "runs. A job that is started again goes on. When all are done, --collect writes what one process would\n"
        "have written. Processes that mpirun or srun started share the runs by themselves (docs/cluster.md).",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .resumes = true,
    .run = run,
};
