/* SPDX-License-Identifier: MIT */
/* cli/cmd_manifest.c - audiomood manifest: references of recordings become a list of clips to train with. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/over_time.h"
#include "io/csv.h"
#include "subtitle/reference.h"

typedef struct job {
  cli *c;
  am_csv_writer to;
  am_buffer out;
  size_t recordings, clips;
} job;

/* "talk" of "talks/talk.wav": who speaks, and what stays together, where nothing else is known. */
static char *stem_of(cli *c, const char *path) {
  const char *name = am_path_base(path), *dot = strrchr(name, '.');
  return am_format(c->ctx, "%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name);
}

static int by_start(const void *a, const void *b) {
  const am_rttm_turn *x = a, *y = b;
  return (x->start > y->start) - (x->start < y->start);
}

static am_status put_recording(job *j, const char *path, const am_rttm *r, am_error *err) {
  const char *speaker = cli_value(j->c, "speaker", NULL);
  const char *out = cli_value(j->c, "out", "");
  char *stem = stem_of(j->c, path),
       *full = strchr(out, '/') ? realpath(path, NULL) : NULL; /* paths are by the list's folder */
  if (!stem) {
    free(full);
    return am_no_memory(err);
  }
  if (r->n) qsort(r->turns, r->n, sizeof *r->turns, by_start);
  for (size_t i = 0; i < r->n; i++) {
    am_csv_put(&j->to, full ? full : path);
    am_csv_put(&j->to, r->turns[i].speaker);
    am_csv_put(&j->to, speaker ? speaker : stem);
    am_csv_put(&j->to, stem);
    am_csv_put_real(&j->to, r->turns[i].start);
    am_csv_put_real(&j->to, r->turns[i].end - r->turns[i].start);
    am_csv_end_row(&j->to);
  }
  free(full);
  am_free(j->c->ctx, stem);
  j->recordings++;
  j->clips += r->n;
  return j->out.failed ? am_no_memory(err) : AM_OK;
}

static am_status add_recording(job *j, const char *path, am_error *err) {
  am_rttm r = {.ctx = j->c->ctx};
  char *source = cli_reference_beside(j->c, path);
  am_status st = source ? am_reference_read(j->c->ctx, source, &r, err) : am_no_memory(err);
  if (!st) st = am_rttm_choose(&r, source, path, err);
  if (!st) st = put_recording(j, path, &r, err);
  am_rttm_free(&r);
  am_free(j->c->ctx, source);
  return st;
}

static am_status run(cli *c, am_error *err) {
  static const char *const names[] = {"path", "label", "speaker", "group", "start", "seconds"};
  job j = {.c = c, .to = {.ctx = c->ctx, .out = &j.out}};
  cli_sounds sounds = {0};
  const char *out = cli_value(c, "out", NULL);
  am_status st = cli_sounds_list(c, c->arguments, (size_t)c->n_arguments, &sounds, err);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) am_csv_put(&j.to, names[i]);
  am_csv_end_row(&j.to);
  for (size_t i = 0; i < sounds.n && !st; i++)
    st = strcmp(sounds.at[i], "-") ? add_recording(&j, sounds.at[i], err)
                                   : am_fail(err, AM_E_USAGE, "a list names files; standard input has no name");
  if (!st && out) st = am_file_write(c->ctx, out, j.out.data, j.out.used, err);
  else if (!st) cli_put_data(j.out.data, j.out.used);
  if (!st) am_log(c->ctx, AM_LOG_INFO, "%zu clips of %zu recordings", j.clips, j.recordings);
  am_buffer_free(c->ctx, &j.out);
  cli_sounds_free(c, &sounds);
  return st;
}

static const cli_flag flags[] = {
    {"out", "FILE.csv", "where the list goes (default: standard output)"},
    {"speaker", "NAME", "who speaks in all of them (default: in each somebody else, named as the recording)"},
    {0},
};

const cli_command cli_manifest = {
    .name = "manifest",
    .summary = "makes a list of clips of recordings that are labelled over time",
    .usage = "AUDIO|DIR... [--out FILE.csv] [--speaker NAME]",
    .details =
        "Beside each recording stands its reference, of the same name: RTTM, TextGrid (Praat), EAF (ELAN), CSV with "
        "start, end\nand label, or a label track of Audacity. Each labelled stretch becomes a row of the list, which "
        "is "
        "a corpus to train with:\n--set data.corpus=manifest --set data.manifest=FILE.csv.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run,
};
