/* SPDX-License-Identifier: MIT */
/* run/folder.h - the folder of a run, or of a cross-validation: what it holds, its lock and log, how its files are written. */
#ifndef AM_RUN_FOLDER_H
#define AM_RUN_FOLDER_H

#include "base/file.h"
#include "base/value.h"

/* All that these folders hold, by the names in am_run_file_name's table: who names such a file does it by this list. */
typedef enum am_run_file {
  AM_FILE_CONFIG,      /* config.yaml: the effective config; with it there is a run to resume */
  AM_FILE_LAST,        /* last.h5: the newest checkpoint (model/checkpoint.h) */
  AM_FILE_PREVIOUS,    /* last-1.h5: the one before, until the run has finished */
  AM_FILE_BEST,        /* best.h5: weights of the best epoch */
  AM_FILE_METRICS,     /* metrics.json: figures of the held-out parts (results.h), when it has finished */
  AM_FILE_FACTS,       /* run.json: facts (facts.h); written before config.yaml, so alone it marks no run */
  AM_FILE_TARGETS,     /* targets.csv: what other models say of the training clips (train/targets.h); predictions.h */
  AM_FILE_CLIPS,       /* clips.csv: digests of the recordings (recordings.h) */
  AM_FILE_DIGESTS,     /* digests.csv: digests of the weights (digests.h) */
  AM_FILE_HISTORY,     /* history.csv: a row an epoch (history.h) */
  AM_FILE_EVENTS,      /* events.out.tfevents.audiomood: the same for TensorBoard (events.h) */
  AM_FILE_LOG,         /* log.txt: what was said, with the time */
  AM_FILE_PREDICTIONS, /* predictions.csv: of the test part, else of validation; of all folds (predictions.h) */
  AM_FILE_VALIDATION,  /* predictions-validation.csv: of the validation part beside those of a test part */
  AM_FILE_REPORT,      /* report.html: the page (report/report.h), of a search, too */
  AM_FILE_PLOTS,       /* plots: a folder with its pictures */
  AM_FILE_LOCK,        /* lock: held while it is written to */
  AM_FILE_JOB,         /* job: held by the one of several processes that trains a trial of a search */
  AM_FILE_CROSSVAL,    /* crossval.yaml: the effective config of a cross-validation */
  AM_FILE_CROSSVAL_RESULTS, /* crossval.json: its plan and results, written again after every run */
  AM_FILE_TUNE,             /* tune.yaml: the effective config that a search began from (study/tune.h) */
  AM_FILE_TUNE_RESULTS,     /* tune.json: its plan and results, written again after every step of a trial */
  AM_FILE_TUNE_TABLE,       /* tune.csv: a row a trial */
  AM_FILE_TUNE_BEST,        /* best.yaml: the config of the winner */
  AM_RUN_FILES
} am_run_file;
const char *am_run_file_name(am_run_file file);
/* FOLDER/NAME, to be freed; NULL: no memory. */
char *am_run_file_path(am_context *ctx, const char *folder, am_run_file file);
bool am_run_file_there(am_context *ctx, const char *folder, am_run_file file);

typedef struct am_run_folder {
  am_context *ctx;
  const char *path; /* borrowed */
  const char *init; /* file the weights of this process come from (--init); NULL: none */
  bool resume;      /* go on with the run that is there */
  double patience;  /* s to wait for it while another process has it */
  bool quiet;       /* only warnings and errors are said; log.txt has all */
  bool follows;     /* another process has the folder: this one reads its checkpoints, and writes nothing */
  am_lock *lock;
  am_tree *before;              /* run.json as the process before this one left it; NULL: none */
  am_buffer log;                /* all of log.txt */
  char *last, *previous, *best; /* paths of last.h5, last-1.h5, best.h5 */
  bool ready;                   /* opened: from here on things are written, before nothing is */
  char started[32];
} am_run_folder;

/* Refuses a folder that holds a run, or lacks one to resume. */
am_status am_run_folder_check(am_run_folder *f, am_error *err);
/* Creates it, locks it, reads the old log and run.json. */
am_status am_run_folder_open(am_run_folder *f, am_error *err);
/* Whether this process, which follows, could have the lock that the first one has, too: locks do not reach from host to host. */
bool am_run_folder_unguarded(const am_run_folder *f);
/* Writes a file of the folder, completely or not at all; AM_E_IO when the lock was lost. */
am_status am_run_folder_write(am_run_folder *f, am_run_file file, const am_buffer *text, am_error *err);
/* The file the weights came from, of this process or of the first one; NULL: none. */
const char *am_run_folder_init(const am_run_folder *f);
void am_run_folder_end(am_run_folder *f);
/* AM_E_IO when the lock was lost; AM_OK where there is none, as nothing is written. */
am_status am_run_folder_held(const am_run_folder *f, am_error *err);

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
const char *am_tune_folder_holds(am_context *ctx, const char *folder); /* the same of a search */

#endif
