/* SPDX-License-Identifier: MIT */
/* cli/cmd_train.c - audiomood train: a config becomes a run folder. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "ranks/ranks.h"
#include "report/report.h"
#include "run/folder.h"

static void print_part(const am_config *config, const am_metrics *m, const char *part) {
  if (!m) return;
  cli_print("\n%s: %s part\n\n", config->name, part);
  cli_print_metrics(stdout, m, false);
}

static void report_result(const am_config *config, const char *out, const am_run_result *result) {
  if (result->synthetic) cli_print("\nThis corpus is synthetic: its figures say nothing about real speech.\n");
  print_part(config, result->validation, "validation");
  print_part(config, result->test, "test");
  if (!result->speaker_independent && (result->validation || result->test))
    cli_print("\nNot speaker-independent: speakers of these clips were also heard in training, or may have been.\n");
  cli_print("\nbest epoch %llu of %llu; results in %s\n", (unsigned long long)result->best_epoch,
            (unsigned long long)result->epochs_run, out);
}

/* The run is complete without its page. */
static void write_page(cli *c, const char *out) {
  am_error why = AM_ERROR_INIT;
  am_status st = am_report_write(c->ctx, out, NULL, &why);
  if (st)
    am_log(c->ctx, AM_LOG_WARNING, "the page of this run was not written: %s",
           why.message[0] ? why.message : am_status_name(st));
  else am_log(c->ctx, AM_LOG_INFO, "page of this run: %s/report.html", out);
}

void cli_train_report(cli *c, const am_config *config, const char *out, const am_run_result *result) {
  report_result(config, out, result);
  write_page(c, out);
}

static am_status train(cli *c, am_error *err) {
  const char *resume = cli_value(c, "resume", NULL);
  if (resume && c->n_arguments)
    return am_fail(err, AM_E_USAGE, "--resume takes its config from the run; leave out '%s'", c->arguments[0]);
  if (!resume && !c->n_arguments) return am_fail(err, AM_E_USAGE, "wanted a config file, or --resume RUN");
  if (!resume && cli_has(c, "wait")) return am_fail(err, AM_E_USAGE, "--wait is of --resume, which is missing");
  am_config *config = NULL;
  int64_t wait;
  am_status st = cli_int(c, "wait", 0, 86400, 120, &wait, err);
  if (!st) st = cli_config_load(c, resume, "run", am_run_file_name(AM_FILE_CONFIG), &config, err);
  if (st) return st;

  const char *given = resume ? resume : cli_value(c, "out", NULL);
  cli_run_folder chosen = {0};
  char *path = NULL;
  if (!given && !cli_has(c, "dry-run")) st = cli_ranks_folder_make(c, config->name, "", &chosen, &path, err);
  const char *out = given ? given : path; /* NULL: a dry run needs none */
  am_run_options options = {.size = sizeof options,
                            .out = out,
                            .init = cli_value(c, "init", NULL),
                            .resume = resume != NULL,
                            .profile = cli_has(c, "profile"),
                            .dry_run = cli_has(c, "dry-run"),
                            .patience = (double)wait};
  am_run_result result = {.size = sizeof result};
  if (!st) st = am_train_run(config, &options, &result, err);
  cli_sink_clear();
  if (!st && !options.dry_run && am_ranks_first(am_context_ranks(c->ctx))) cli_train_report(c, config, out, &result);
  am_run_result_free(&result);
  cli_run_folder_end(c, &chosen);
  am_free(c->ctx, path);
  am_config_free(config);
  return st;
}

static am_status run(cli *c, am_error *err) {
  am_status st = cli_ranks_join(c, "train together", err);
  return cli_ranks_leave(c, st ? st : train(c, err), err);
}

static const cli_flag flags[] = {
    {"set", "KEY=VALUE", "replaces one setting of the config, e.g. train.epochs=3 (repeatable)"},
    {"out", "DIR", "folder of the run (default: runs/<name>-<time>)"},
    {"seed", "N", "replaces the config's seed: of weights, order, dropout and augmentation"},
    {"init", "FILE.h5", "starts from the weights of a checkpoint, matched by name"},
    {"resume", "RUN", "goes on with an interrupted run, whose config it takes"},
    {"wait", "SECONDS", "with --resume: how long to wait for a run that another process has (default 120)"},
    {"dry-run", NULL, "checks all and times a step; writes no run, but may add to a feature cache"},
    {"profile", NULL, "prints where the time goes, layer by layer"},
    {0},
};

const cli_command cli_train = {
    .name = "train",
    .summary = "trains a model as a config file says",
    .usage =
        "CONFIG [--set KEY=VALUE]... [--seed N] [--out DIR] [--init FILE.h5] [--dry-run] [--profile] | "
        "--resume RUN [--set KEY=VALUE]... [--wait SECONDS]",
    .details =
        "Writes a run folder: effective config, log, history.csv, last.h5, best.h5, metrics, predictions.csv,\n"
        "and its page, report.html. Ctrl-C finishes the step, saves, and says how to resume.\n\n"
        "With --resume, --set may change data.root, data.manifest, data.description (of several corpora, too:\n"
        "data.corpora.0.root), train.targets, train.epochs, train.max_steps,\n"
        "train.save_minutes, train.save_seconds, train.early_stopping, train.split_slots and cache; all other "
        "settings\n"
        "that the weights depend on stay as the run has them.\n\n"
        "'audiomood help config' lists the keys of a config, 'audiomood help train' also those of its section\n"
        "train, 'audiomood help layers' the layers of a model.",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .resumes = true,
    .run = run,
};
