/* cli/cmd_crossval.c - audiomood crossval: every fold of a config's split, and their results together. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "report/report.h"
#include "run/folder.h"
#include "study/crossval.h"

/* ---- arguments ---- */

static am_status bad_folds(const char *text, am_error *err) {
  return am_fail(err, AM_E_USAGE, "--folds %s: wanted numbers of folds from 0, such as 0,2 or 0-3", text);
}

/* "0,2-4" -> 0 2 3 4 */
static am_status read_folds(cli *c, const char *text, int **out, size_t *n, am_error *err) {
  enum { MOST = 100000 };
  *out = NULL;
  *n = 0;
  if (!text) return AM_OK;
  for (const char *at = text;;) {
    char *end;
    if (*at < '0' || *at > '9') return bad_folds(text, err);
    long first = strtol(at, &end, 10), last = first;
    if (*end == '-') {
      at = end + 1;
      if (*at < '0' || *at > '9') return bad_folds(text, err);
      last = strtol(at, &end, 10);
    }
    if (first > MOST || last > MOST || last < first) return bad_folds(text, err);
    int *moved = am_resize(c->ctx, *out, *n + (size_t)(last - first) + 1, sizeof *moved);
    if (!moved) return am_no_memory(err);
    *out = moved;
    for (long fold = first; fold <= last; fold++) moved[(*n)++] = (int)fold;
    if (!*end) return AM_OK;
    if (*end != ',') return bad_folds(text, err);
    at = end + 1;
  }
}

/* What may differ between the runs of one cross-validation: where things are, not what is trained. */
static am_status check_resume(const cli *c, am_error *err) {
  static const char *const free_keys[] = {"train.save_minutes=", "train.save_seconds=", "train.max_steps="};
  const char *given[CLI_MAX_FLAGS];
  size_t n = cli_values(c, "set", given);
  if (c->n_arguments)
    return am_fail(err, AM_E_USAGE, "--resume takes its config from the folder; leave out '%s'", c->arguments[0]);
  if (cli_has(c, "out") || cli_has(c, "seeds") || cli_has(c, "seed"))
    return am_fail(err, AM_E_USAGE, "--resume goes on as it began: leave out --out, --seed and --seeds");
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

static void print_runs(const am_crossval *x) {
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

static void print_spreads(const am_crossval *x, const char *what, am_over over) {
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

/* The page of each run that has none yet. */
static void write_pages(const am_crossval *x) {
  for (size_t i = 0; i < x->n_seeds * x->n_folds; i++) {
    am_error why = AM_ERROR_INIT;
    char *page = am_run_file_path(x->ctx, x->runs[i].folder, AM_FILE_REPORT);
    if (page && !am_file_exists(page) && am_report_write(x->ctx, x->runs[i].folder, NULL, &why))
      am_log(x->ctx, AM_LOG_WARNING, "the page of %s was not written: %s", x->runs[i].folder, why.message);
    am_free(x->ctx, page);
  }
}

/* Interrupted, or a fold's loss became NaN: what was finished before is worth a page. */
static bool ended_early(am_status st) { return st == AM_E_STOPPED || st == AM_E_NUMERIC; }

static am_status run(cli *c, am_error *err) {
  const char *resume = cli_value(c, "resume", NULL), *out = cli_value(c, "out", NULL);
  int64_t seeds;
  int *folds = NULL;
  size_t n_folds = 0;
  am_config *config = NULL;
  am_crossval *x = NULL;
  cli_run_folder chosen = {0};
  am_status st = cli_int(c, "seeds", 1, 1000, 1, &seeds, err);
  if (!st && !resume && !c->n_arguments) st = am_fail(err, AM_E_USAGE, "wanted a config file, or --resume DIR");
  if (!st && resume) st = check_resume(c, err);
  if (!st) st = read_folds(c, cli_value(c, "folds", NULL), &folds, &n_folds, err);
  if (!st) st = cli_config_load(c, resume, "cross-validation", am_run_file_name(AM_FILE_CROSSVAL), &config, err);
  if (!st && !resume && !out) st = cli_run_folder_make(c, config->name, "-crossval", &chosen, err);
  const char *folder = resume ? resume : out ? out : chosen.path;
  am_crossval_options options = {folder, resume != NULL, seeds, folds, n_folds};
  if (!st) st = am_crossval_train(config, &options, &x, err);
  cli_sink_clear();
  if (!st && cli_has(c, "json")) st = print_json(x, err);
  else if (!st) print_tables(x, cli_has(c, "speakers"));
  if (!st) write_pages(x); /* first: the page of the whole points at those that are there */
  if (folder && (!st || ended_early(st))) write_page(c, folder);
  am_crossval_free(x);
  am_config_free(config);
  am_free(c->ctx, folds);
  cli_run_folder_end(c, &chosen);
  return st;
}

static const cli_flag flags[] = {
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {"seed", "N", "replaces the config's seed, the first that a fold is trained with"},
    {"seeds", "N", "trains every fold N times, with seed, seed + 1, ... (default 1)"},
    {"folds", "LIST", "only these folds, numbered from 0: 0,2 or 0-3"},
    {"out", "DIR", "folder of the cross-validation (default: runs/<name>-crossval-<time>)"},
    {"resume", "DIR", "goes on: finished folds are kept, an interrupted one is resumed; --folds adds some"},
    {"speakers", NULL, "the table of all speakers, the worst first (crossval.json has it anyway)"},
    {"json", NULL, "prints DIR/crossval.json instead of tables"},
    {0},
};

const cli_command cli_crossval = {
    .name = "crossval",
    .summary = "trains every fold of a split and pools the results",
    .usage =
        "CONFIG [--set KEY=VALUE]... [--seed N] [--seeds N] [--folds LIST] [--out DIR] [--speakers] [--json] | "
        "--resume DIR",
    .details =
        "For split.kind kfold (by speaker), leave_one_speaker_out, leave_one_group_out, and fixed with\n"
        "fold_lists. Each fold is a run folder of its own, DIR/fold-K (DIR/seed-S/fold-K with several\n"
        "seeds); DIR/crossval.json and DIR/predictions.csv hold the results together, DIR/report.html\n"
        "shows them. Ctrl-C saves, and says how to go on.",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run,
};
