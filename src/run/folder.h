/* run/folder.h - the folder of a run: its lock, its log, and how its files are written.
 *
 * A run's folder holds
 *   config.yaml       the effective config; with it there is a run to resume
 *   run.json          facts (facts.h)
 *   clips.csv         digests of the recordings (recordings.h)
 *   digests.csv       digests of the weights (digests.h)
 *   history.csv       a row an epoch (history.h)
 *   log.txt           what was said, with the time
 *   last.h5, last-1.h5, best.h5
 *   metrics.json, predictions.csv, predictions-validation.csv when it is finished (results.h)
 *   report.html, plots/
 *   lock */
#ifndef AM_RUN_FOLDER_H
#define AM_RUN_FOLDER_H

#include "base/file.h"
#include "base/value.h"

typedef struct am_run_folder {
  am_context *ctx;
  const char *path; /* borrowed */
  const char *init; /* file the weights of this process come from (--init); NULL: none */
  bool resume;      /* go on with the run that is there */
  am_lock *lock;
  am_tree *before;  /* run.json as the process before this one left it; NULL: none */
  am_buffer log;    /* all of log.txt */
  char *last, *previous, *best; /* paths of last.h5, last-1.h5, best.h5 */
  bool ready;       /* opened: from here on things are written, before nothing is */
  char started[32];
} am_run_folder;

/* Refuses a folder that holds a run, or lacks one to resume. */
am_status am_run_folder_check(am_run_folder *f, am_error *err);
/* Creates it, locks it, reads the old log and run.json. */
am_status am_run_folder_open(am_run_folder *f, am_error *err);
/* A file of the folder, whole or not at all; AM_E_IO when the lock was lost. */
am_status am_run_folder_write(am_run_folder *f, const char *name, const am_buffer *text, am_error *err);
/* The file the weights came from, of this process or of the first one; NULL: none. */
const char *am_run_folder_init(const am_run_folder *f);
void am_run_folder_end(am_run_folder *f);

/* To the log sink and to log.txt. */
void am_run_log(am_run_folder *f, am_log_level level, const char *format, ...) AM_PRINTF(3, 4);
/* To log.txt alone: what the results that the caller is given say themselves. */
void am_run_note(am_run_folder *f, am_log_level level, const char *format, ...) AM_PRINTF(3, 4);
/* Now, "2026-11-28T12:00:00Z". */
void am_time_text(char out[32]);

/* The first file found that makes `folder` the folder of a run, or of a cross-validation: what another run must not write
 * over; NULL: there is none. */
const char *am_run_folder_holds(am_context *ctx, const char *folder);
const char *am_crossval_folder_holds(am_context *ctx, const char *folder);

#endif
