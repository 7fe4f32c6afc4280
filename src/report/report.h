/* SPDX-License-Identifier: MIT */
/* report/report.h - the page of a run, of a cross-validation, or of a search: one HTML file that needs nothing else. */
#ifndef AM_REPORT_H
#define AM_REPORT_H

#include "base/base.h"

/* Writes `out` (NULL: <run>/report.html) and its pictures as files in <run>/plots/, from the run folder's
 * config.yaml, history.csv, metrics.json, predictions.csv and run.json; one of them missing or damaged is an
 * error that names it.  Clip lengths and the example come from the corpus; without it the page says that they
 * are left out.
 *
 * `run` may be the folder of a cross-validation (it holds crossval.json), finished or not: then from
 * crossval.yaml, crossval.json, predictions.csv and each finished run's history.csv and run.json; the corpus
 * is not looked at.  The page in that folder points at the pages of its runs, as far as they are there.
 *
 * Or the folder of a search over settings (it holds tune.json), finished or not: then from tune.yaml, tune.json, each trial's
 * history.csv as far as it is there, and the winner's results; the corpus is asked who speaks in which part. */
am_status am_report_write(am_context *ctx, const char *run, const char *out, am_error *err);

/* Version of the library that draws, which is loaded by this. AM_E_UNSUPPORTED: it is missing, here or in the build. */
am_status am_report_library(char *out, size_t room, am_error *err);

#endif
