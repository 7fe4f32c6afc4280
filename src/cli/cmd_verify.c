/* SPDX-License-Identifier: MIT */
/* cli/cmd_verify.c - audiomood verify: the first steps of a run trained again, and whether the weights agree. */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "train/verify.h"

static const am_verify_row *first_different(const am_verify_report *r) {
  for (size_t i = 0; i < r->n; i++)
    if (r->rows[i].recorded != r->rows[i].found) return &r->rows[i];
  return NULL;
}

static void print_rows(const am_verify_report *r) {
  cli_print("%8s %8s   %-8s   %-8s\n", "step", "epochs", "recorded", "now");
  for (size_t i = 0; i < r->n; i++) {
    const am_verify_row *row = &r->rows[i];
    cli_print("%8" PRIu64 " %8" PRIu64 "   %08" PRIx32 "   %08" PRIx32 "   %s\n", row->step, row->epoch, row->recorded,
              row->found, row->recorded == row->found ? "equal" : "differs");
  }
}

static void print_changes(const am_verify_report *r) {
  if (!r->changes.used) {
    cli_print("version, processor path%s are those of the run\n",
              r->recordings_known ? ", libraries and recordings" : " and libraries");
    return;
  }
  cli_print("not as in the run:\n");
  for (const char *line = r->changes.data; *line;) {
    size_t n = strcspn(line, "\n");
    cli_print("  %.*s\n", (int)n, line);
    line += n + (line[n] == '\n');
  }
}

/* Bits may differ for a reason that is no fault; without one, something is wrong. */
static am_status judge(const char *run, const am_verify_report *r, am_error *err) {
  const am_verify_row *bad = first_different(r);
  if (!bad) return AM_OK;
  const char *same = r->recordings_known ? "version, processor path, libraries and recordings"
                                         : "version, processor path and libraries";
  const char *epochs =
      r->epochs_unknown ? "was the run resumed with another train.epochs, which its run.json does not say, " : "";
  const char *recordings = r->recordings_known ? "" : "were the recordings changed, ";
  if (r->changes.used)
    return am_fail(err, AM_E_DATA,
                   "%s: the weights differ from step %" PRIu64 " on, which the changes listed may explain", run,
                   bad->step);
  if (!bad->step)
    return am_fail(err, AM_E_DATA,
                   "%s: the weights differ from step 0 on, before the first step: was the --init file changed?", run);
  return am_fail(err, AM_E_DATA,
                 "%s: the weights differ from step %" PRIu64
                 " on, though %s are the same: %s%s%sis this machine at fault?",
                 run, bad->step, same, epochs, recordings, *epochs || *recordings ? "or " : "");
}

static am_status run(cli *c, am_error *err) {
  const char *folder = c->arguments[0];
  cli_overrides over;
  am_verify_report report;
  int64_t epochs;
  am_status st = cli_overrides_get(c, &over, err);
  if (!st) st = cli_int(c, "epochs", 1, INT64_MAX, 0, &epochs, err);
  if (!st) st = am_run_verify(c->ctx, folder, over.at, over.n, (uint64_t)epochs, &report, err);
  if (st) return st;
  cli_sink_clear();
  print_rows(&report);
  print_changes(&report);
  cli_print("%zu of %zu digests of the weights agree\n", report.n_equal, report.n);
  st = judge(folder, &report, err);
  am_verify_report_free(c->ctx, &report);
  return st;
}

static const cli_flag flags[] = {
    {"epochs", "N", "trains to the end of epoch N (default: to step 10)"},
    {"set", "KEY=VALUE",
     "where things are now: data.root, data.manifest, data.description, data.corpora.0.root ... or cache (repeatable)"},
    {0},
};

const cli_command cli_verify = {
    .name = "verify",
    .summary = "trains the first steps of a run again and compares the weights",
    .usage = "RUN [--epochs N] [--set KEY=VALUE]...",
    .details =
        "A run keeps digests of its weights before the first step, after step 10 and at the end of each epoch\n"
        "(digests.csv). This trains again from its config and seed, writes nothing, and ends with 0 when all\n"
        "digests up to there agree. When they do not it says which step was the first, and what has changed of\n"
        "version, processor path and libraries, on which the last bits depend. Of a run that was resumed with\n"
        "another train.epochs each step is trained with the value that it had then (run.json).",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
