/* SPDX-License-Identifier: MIT */
/* cli/cmd_stitch.c - audiomood stitch: recordings of which it is known what is said when. */
#include <math.h>
#include <string.h>

#include "audio/sound.h"
#include "base/file.h"
#include "cli/cli.h"
#include "subtitle/segments.h"
#include "subtitle/stitch.h"

static am_status write_text(cli *c, const char *path, const am_stitched *s, const am_dataset *d, const char *name,
                            am_error *err) {
  am_segment_writer w;
  am_status st = am_segment_writer_begin(&w, c->ctx, am_segment_format_find("rttm"), d->labels, d->n_labels, NULL, err);
  w.file = name;
  for (size_t i = 0; i < s->n_truth && !st; i++) {
    const am_stretch *t = &s->truth[i];
    st = am_segment_writer_put(
        &w, &(am_segment_row){.start = t->start, .end = t->end, .label = t->label, .top = t->label}, err);
  }
  if (!st) st = am_file_write_as(c->ctx, AM_OURS, path, w.out.data, w.out.used, err);
  am_segment_writer_free(&w);
  return st;
}

static am_status write_one(cli *c, const char *folder, size_t number, const am_stitched *s, const am_dataset *d,
                           double rate, am_error *err) {
  char name[32], file[48];
  snprintf(name, sizeof name, "recording-%03zu", number + 1);
  snprintf(file, sizeof file, "%s.wav", name);
  char *sound = am_path_join(c->ctx, folder, file);
  snprintf(file, sizeof file, "%s.rttm", name);
  char *text = am_path_join(c->ctx, folder, file);
  am_status st = sound && text ? AM_OK : am_no_memory(err);
  if (!st) st = am_sound_write_as(c->ctx, AM_OURS, sound, s->samples, s->n, rate, true, err);
  if (!st) st = write_text(c, text, s, d, name, err);
  am_free(c->ctx, sound);
  am_free(c->ctx, text);
  return st;
}

static am_status stitch_all(cli *c, const am_config *config, am_dataset *d, const am_stitch_options *o,
                            size_t recordings, am_error *err) {
  const char *folder = cli_value(c, "out", NULL);
  const uint32_t *clips = NULL;
  am_split *split = NULL;
  size_t n = 0;
  double seconds = 0;
  am_status st = cli_split_part(c, config, d, &split, &clips, &n, err);
  if (!st && am_folder_has(c->ctx, folder, "recording-001.wav"))
    st = am_fail(err, AM_E_USAGE, "%s holds recordings already; choose another folder", folder);
  if (!st) st = am_folder_create(c->ctx, folder, err);
  for (size_t i = 0; i < recordings && !st; i++) {
    am_stitched s;
    if (am_context_stopping(c->ctx))
      st = am_fail(err, AM_E_STOPPED, "stopped after %zu of %zu recordings", i, recordings);
    if (!st) st = am_stitch(c->ctx, d, clips, n, o, i, &s, err);
    if (st) break;
    st = write_one(c, folder, i, &s, d, o->rate, err);
    seconds += (double)s.n / o->rate;
    am_stitched_free(c->ctx, &s);
  }
  if (!st)
    cli_print("%zu recording%s of %.0f s together in %s: %s, clips of one speaker each in a row (seed %llu)\n",
              recordings, am_count(recordings, "", "s"), seconds, folder, d->synthetic ? "SYNTHETIC SPEECH" : d->title,
              (unsigned long long)o->seed);
  am_split_free(c->ctx, split);
  return st;
}

static am_status run(cli *c, am_error *err) {
  am_stitch_options o = {.snr = NAN};
  cli_overrides over = {0};
  am_config *config = NULL;
  am_dataset *d = NULL;
  int64_t recordings, seed;
  if (!cli_has(c, "out")) return am_fail(err, AM_E_USAGE, "--out DIR is missing: where the recordings go");
  am_status st = cli_int(c, "recordings", 1, 999, 10, &recordings, err);
  if (!st) st = cli_int(c, "seed", 0, INT64_MAX, 1, &seed, err);
  if (!st) st = cli_real(c, "seconds", 1, 3600, 60, &o.seconds, err);
  if (!st) st = cli_real(c, "rate", 8000, 48000, 16000, &o.rate, err);
  if (!st && cli_has(c, "snr")) st = cli_real(c, "snr", -20, 100, 20, &o.snr, err);
  if (!st) st = cli_overrides_get(c, &over, err);
  if (!st) st = am_config_load(c->ctx, c->arguments[0], over.at, over.n, &config, err);
  if (!st) st = am_dataset_load(c->ctx, &config->data, &d, err);
  if (!st) {
    o.seed = (uint64_t)seed;
    o.max_seconds = config->data.max_seconds;
    cli_warn_left_out(c, d);
    st = stitch_all(c, config, d, &o, (size_t)recordings, err);
  }
  am_dataset_free(d);
  am_config_free(config);
  return st;
}

static const cli_flag flags[] = {
    {"out", "DIR", "where recording-NNN.wav and .rttm go"},
    {"split", "train|validation|test", "whose clips (test)"},
    {"recordings", "N", "how many, 1 to 999 (10); speakers take turns"},
    {"seconds", "S", "each is at least so long (60)"},
    {"snr", "DB", "noise between white and pink over all, so many dB below the sound (none)"},
    {"rate", "HZ", "sample rate (16000)"},
    {"seed", "N", "of what is drawn: the same seed gives the same files (1)"},
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {0},
};

const cli_command cli_stitch = {
    .name = "stitch",
    .summary = "puts recordings together from clips, with a reference of what is said when",
    .usage =
        "CONFIG --out DIR [--split PART] [--recordings N] [--seconds S] [--snr DB] [--rate HZ] [--seed N] [--set "
        "KEY=VALUE]...",
    .details =
        "Each recording is of one speaker of a part of the corpus: moods of one to three clips, with and without "
        "emotion,\n"
        "pauses of 0.3 to 1.5 s between clips. evaluate --over-time says how well a model finds them again. They are "
        "no\n"
        "conversation, and emotions change at once.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
