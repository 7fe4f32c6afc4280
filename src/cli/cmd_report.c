/* SPDX-License-Identifier: MIT */
/* cli/cmd_report.c - audiomood report: the page of a run, of a cross-validation, or of a search. */
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "cli/cli.h"
#include "report/report.h"
#include "run/folder.h"

/* Whoever asks for a PDF would not look for HTML in it. */
static am_status check_ending(const char *out, am_error *err) {
  const char *dot = strrchr(am_path_base(out), '.');
  if (!dot || !strcasecmp(dot, ".html") || !strcasecmp(dot, ".htm") || !strcasecmp(dot, ".xhtml")) return AM_OK;
  return am_fail(err, AM_E_USAGE,
                 "--out %s: the page is HTML; wanted a name that ends in .html (a browser prints it as PDF)", out);
}

static am_status run(cli *c, am_error *err) {
  const char *out = cli_value(c, "out", NULL);
  am_status fits = out ? check_ending(out, err) : AM_OK;
  if (fits) return fits;
  char *path = out ? am_strdup(c->ctx, out) : am_run_file_path(c->ctx, c->arguments[0], AM_FILE_REPORT);
  if (!path) return am_no_memory(err);
  am_log(c->ctx, AM_LOG_INFO, "reading %s", c->arguments[0]);
  am_status st = am_report_write(c->ctx, c->arguments[0], out, err);
  if (!st) cli_print("%s\n", path);
  am_free(c->ctx, path);
  return st;
}

static const cli_flag flags[] = {
    {"out", "FILE.html", "where the page goes (default: report.html in that folder)"},
    {0},
};

const cli_command cli_report = {
    .name = "report",
    .summary = "writes the page of a run, a cross-validation or a search: one HTML file with figures and pictures",
    .usage = "RUN|CROSSVAL|SEARCH [--out FILE.html]",
    .details =
        "The page needs nothing else and can be read offline. Its pictures are also written into\n"
        "the folder's plots/. Of a run, lengths of clips and the example are left out without the corpus.\n"
        "Of a cross-validation, finished or not: all folds together, from the files in its folder alone;\n"
        "written there, it points at the pages of the folds. Of a search ('audiomood tune'), finished or not: its\n"
        "trials, what each setting did, and the winner.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
