/* SPDX-License-Identifier: MIT */
/* cli/cmd_distil.c - audiomood distil: one model learns from what several others say. */
#include "base/file.h"
#include "cli/cli.h"
#include "ranks/ranks.h"
#include "study/distil.h"

static am_status run(cli *c, am_error *err) {
  const char *into = cli_value(c, "into", NULL);
  cli_overrides over;
  cli_run_folder chosen = {0};
  am_config *config = NULL;
  c->silent = !am_ranks_started_first();
  if (am_ranks_started() > 1)
    return am_fail(err, AM_E_USAGE, "distil trains in one process, and %d were started; start it without mpirun",
                   am_ranks_started());
  if (!into) return am_fail(err, AM_E_USAGE, "wanted --into CONFIG, which says what is trained");
  am_status st = cli_overrides_get(c, &over, err);
  if (!st) st = am_config_load(c->ctx, into, over.at, over.n, &config, err);
  const char *out = cli_value(c, "out", NULL);
  if (!st && !out) st = cli_run_folder_make(c, config->name, "", &chosen, err);
  if (!out) out = chosen.path;
  am_run_result result = {.size = sizeof result};
  if (!st) st = am_distil(config, c->arguments, (size_t)c->n_arguments, out, &result, err);
  cli_sink_clear();
  if (!st) cli_train_report(c, config, out, &result);
  am_run_result_free(&result);
  cli_run_folder_end(c, &chosen);
  am_config_free(config);
  return st;
}

static const cli_flag flags[] = {
    {"into", "CONFIG", "the config of the model that learns"},
    {"set", "KEY=VALUE", "replaces one of its settings, e.g. train.targets_share=0.7 (repeatable)"},
    {"out", "DIR", "folder of the run (default: runs/<name>-<time>)"},
    {"seed", "N", "replaces the config's seed"},
    {0},
};

const cli_command cli_distil = {
    .name = "distil",
    .summary = "trains one model on what several others say of its clips",
    .usage = "CROSSVAL... --into CONFIG [--set KEY=VALUE]... [--seed N] [--out DIR]",
    .details =
        "CROSSVAL is a finished cross-validation: each clip of the training part gets the mean of what those models\n"
        "say that were not trained on it. They may know nobody who is not in the training part, so that what is held\n"
        "out stays new. train.targets_share of a target is theirs, the rest is the label; targets_temperature softens\n"
        "them. The table stays in the run's folder as targets.csv; train --resume and verify go on as with any run.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = -1,
    .resumes = true,
    .run = run,
};
