/* SPDX-License-Identifier: MIT */
/* cli/cmd_tune.c - audiomood tune: which settings are best, by the validation part. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "ranks/ranks.h"
#include "report/report.h"
#include "run/folder.h"
#include "study/tune.h"

/* ---- tables ---- */

static void print_trials(const am_tune *t, const size_t *order) {
  cli_print("%5s%9s%12s  %-*s", "trial", "epochs", "best epoch", 19, am_tune_monitor(t));
  for (size_t k = 0; k < t->n_keys; k++) cli_print("  %s", t->keys[k]);
  cli_print("\n");
  for (size_t n = 0; n < t->n_trials; n++) {
    const am_trial *x = &t->trials[order[n]];
    cli_print("%5zu%9llu%12llu  ", order[n] + 1, (unsigned long long)x->epochs, (unsigned long long)x->best_epoch);
    if (x->failed) cli_print("%-19s", "failed");
    else cli_print("%-19.4f", am_tune_last(x));
    for (size_t k = 0; k < t->n_keys; k++) cli_print("  %-*s", cli_width(t->keys[k]), x->settings[k]);
    cli_print("\n");
  }
}

static void print_part(const char *what, const am_part_results *p) {
  if (p->metrics->dimensions) {
    cli_print("%-11s mean concordance (CCC) %.3f, of %zu clips\n", what, p->metrics->ccc, p->metrics->n);
    return;
  }
  cli_print("%-11s accuracy %.1f %%, unweighted average recall %.1f %%, of %zu clips\n", what,
            100 * p->metrics->accuracy, 100 * p->metrics->uar, p->metrics->n);
}

/* What the figures mean, since the better one of the two is the one that should not be reported. */
static void print_winner(const am_tune *t) {
  const am_part_results *test = am_tune_part(t, "test"), *validation = am_tune_part(t, "validation");
  cli_print("\nTrial %zu has won:", t->winner + 1);
  for (size_t k = 0; k < t->n_keys; k++)
    cli_print("%s %s=%s", k ? "," : "", t->keys[k], t->trials[t->winner].settings[k]);
  cli_print("\n");
  if (validation) print_part("validation", validation);
  if (test) print_part("test", test);
  if (validation && test)
    cli_print(
        "The validation figure is the best of %zu trials, so luck has a part in it and it is too good. The test part "
        "was\n"
        "evaluated once, for this trial alone: report that figure. If you search on because of it, it is no test any "
        "more.\n",
        t->n_trials);
  else
    cli_print(
        "There is no test part: this figure is the best of %zu trials, so luck has a part in it and it is too good.\n",
        t->n_trials);
  cli_print("\nits config: %s/%s; its run: %s; all trials: %s/%s\n", t->folder, am_run_file_name(AM_FILE_TUNE_BEST),
            t->trials[t->winner].folder, t->folder, am_run_file_name(AM_FILE_TUNE_TABLE));
}

static am_status print_tables(cli *c, const am_tune *t, am_error *err) {
  size_t *order = am_alloc(c->ctx, t->n_trials, sizeof *order);
  if (!order) return am_no_memory(err);
  am_tune_order(t, order);
  cli_print("\n%s: %zu trials in %zu rungs\n\n", t->config->name, t->n_trials, t->n_rungs);
  print_trials(t, order);
  print_winner(t);
  am_free(c->ctx, order);
  return AM_OK;
}

static am_status print_json(cli *c, const am_tune *t, am_error *err) {
  am_buffer text = {0};
  am_status st = am_tune_json(t, &text, err);
  if (!st) cli_put_lines(stdout, text.data);
  am_buffer_free(c->ctx, &text);
  return st;
}

/* ---- the command ---- */

/* The results are complete without it.  Of several jobs all end with the same; the page of one is enough. */
static void write_page(cli *c, const char *folder, bool is_job) {
  am_error why = AM_ERROR_INIT;
  if (is_job && am_run_file_there(c->ctx, folder, AM_FILE_REPORT)) return;
  if (am_report_write(c->ctx, folder, NULL, &why))
    am_log(c->ctx, AM_LOG_WARNING, "the page of %s was not written: %s", folder, why.message);
}

static am_status check(cli *c, const char *resume, am_error *err) {
  c->silent = !am_ranks_started_first();
  if (am_ranks_started() > 1)
    return am_fail(err, AM_E_USAGE, "tune trains in one process, and %d were started; start it without mpirun",
                   am_ranks_started());
  const bool job = cli_has(c, "job");
  if (job && resume)
    return am_fail(err, AM_E_USAGE,
                   "--resume and --job: wanted one of them; a job that is started again goes on by itself");
  if (job && (!c->n_arguments || !cli_has(c, "out")))
    return am_fail(err, AM_E_USAGE,
                   "--job wants a config file, the same for all jobs, and --out DIR, the folder that they share");
  if (!resume && !c->n_arguments) return am_fail(err, AM_E_USAGE, "wanted a config file, or --resume DIR");
  if (resume && c->n_arguments)
    return am_fail(err, AM_E_USAGE, "--resume takes its config from the folder; leave out '%s'", c->arguments[0]);
  if (!resume) return AM_OK;
  const char *given[CLI_MAX_FLAGS];
  const size_t n = cli_values(c, "set", given);
  if (cli_has(c, "out") || cli_has(c, "seed"))
    return am_fail(err, AM_E_USAGE, "--resume goes on as it began: leave out --out and --seed");
  for (size_t i = 0; i < n; i++)
    if (!am_config_is_place(given[i]))
      return am_fail(err, AM_E_USAGE,
                     "--set %s: the trials of one search are trained alike; to search otherwise start a new one",
                     given[i]);
  return AM_OK;
}

static am_status run(cli *c, am_error *err) {
  const char *resume = cli_value(c, "resume", NULL), *out = resume ? resume : cli_value(c, "out", NULL);
  cli_run_folder made = {0};
  am_config *config = NULL;
  am_tune *t = NULL;
  int64_t wait;
  am_status st = cli_int(c, "wait", 0, 86400, 120, &wait, err);
  if (!st) st = check(c, resume, err);
  if (!st) st = cli_config_load(c, resume, "search", am_run_file_name(AM_FILE_TUNE), &config, err);
  if (!st && !out) st = cli_run_folder_make(c, config->name, "-tune", &made, err);
  if (!out) out = made.path;
  if (!st) {
    const am_tune_run_options o = {out, resume != NULL, (double)wait, cli_has(c, "job")};
    st = am_tune_run(config, &o, &t, err);
  }
  cli_sink_clear();
  if (!st) st = cli_has(c, "json") ? print_json(c, t, err) : print_tables(c, t, err);
  if (!st) write_page(c, t->trials[t->winner].folder, t->is_job);
  if (!st) write_page(c, t->folder, t->is_job); /* last: it points at that one */
  am_tune_free(t);
  am_config_free(config);
  cli_run_folder_end(c, &made);
  return st;
}

static const cli_flag flags[] = {
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable), e.g. tune.trials=30"},
    {"seed", "N", "replaces the config's seed, by which trials are drawn and trained"},
    {"out", "DIR", "folder of the search (default: runs/<name>-tune-<time>)"},
    {"resume", "DIR", "goes on with a search that was stopped or killed"},
    {"job", NULL,
     "one of several processes that search in --out together: each trains the trials that no other one has; it begins "
     "the search, joins it, or goes on with it"},
    {"wait", "SECONDS", "how long to wait for a search that another process has (default 120)"},
    {"json", NULL, "prints DIR/tune.json instead of the table"},
    {0},
};

const cli_command cli_tune = {
    .name = "tune",
    .summary = "tries settings of a config and keeps the best by the validation part",
    .usage =
        "CONFIG [--set KEY=VALUE]... [--seed N] [--out DIR] [--json] | --resume DIR [--wait SECONDS] [--json] | "
        "CONFIG --out DIR --job",
    .details =
        "The section tune of the config says which settings are tried: lists of values, and ranges on a linear or a "
        "log\n"
        "scale ('audiomood help tune'). All trials train for a few epochs, the best third of them goes on to three "
        "times\n"
        "as many, and so on up to train.epochs. train.monitor, which is of the validation part, decides. The test part "
        "is\n"
        "evaluated once, at the end, for the winner. DIR/best.yaml is its config, DIR/tune.csv and DIR/tune.json have "
        "all\n"
        "trials, each of which is a run folder, and DIR/report.html shows them ('audiomood report DIR' also before the "
        "end).\n\n"
        "Several machines, or terminals, share the work by --job: start the same command in each. The trials and "
        "their\n"
        "figures are those of one process. A job that is killed leaves its trial to the others (docs/cluster.md).",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .resumes = true,
    .run = run,
};
