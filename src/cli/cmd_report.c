/* cli/cmd_report.c - audiomood report: the page of a run. */
#include "base/file.h"
#include "cli/cli.h"
#include "report/report.h"

static am_status run(cli *c, am_error *err) {
  const char *out = cli_value(c, "out", NULL);
  char *path = out ? am_strdup(c->ctx, out) : am_path_join(c->ctx, c->arguments[0], "report.html");
  if (!path) return am_no_memory(err);
  am_log(c->ctx, AM_LOG_INFO, "reading %s and the lengths of its clips", c->arguments[0]);
  am_status st = am_report_write(c->ctx, c->arguments[0], path, err);
  if (!st) printf("%s\n", path);
  am_free(c->ctx, path);
  return st;
}

static const cli_flag flags[] = {
  {"out", "FILE.html", "where the page goes (default: report.html in the run's folder)"},
  {0},
};

const cli_command cli_report = {
  .name = "report",
  .summary = "writes the page of a run: one HTML file with its figures and pictures",
  .usage = "RUN [--out FILE.html]",
  .details = "The page needs nothing else and can be read offline. Its pictures are also written into\n"
             "the run's folder, plots/. Lengths of clips and the example are left out without the corpus.",
  .flags = flags,
  .min_arguments = 1,
  .max_arguments = 1,
  .run = run,
};
