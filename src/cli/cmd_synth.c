/* SPDX-License-Identifier: MIT */
/* cli/cmd_synth.c - audiomood synth: the embedded demo corpus. */
#include <string.h>

#include "cli/cli.h"
#include "synth/iemocap.h"
#include "synth/synth.h"

static am_status run_iemocap(cli *c, int64_t seed, am_error *err) {
  static const char *const fixed[] = {"actors", "repetitions", "rate"};
  for (int i = 0; i < 3; i++)
    if (cli_has(c, fixed[i]))
      return am_fail(err, AM_E_USAGE,
                     "--%s: the iemocap layout is always 5 sessions of 2 voices at 16 kHz; "
                     "leave it out",
                     fixed[i]);
  am_log(c->ctx, AM_LOG_INFO, "writing synthetic speech in the shape of IEMOCAP to %s", c->arguments[0]);
  size_t clips = 0;
  am_status st = am_synth_iemocap(c->ctx, c->arguments[0], (uint64_t)seed, &clips, err);
  if (!st)
    cli_print("%zu synthetic clips of 10 voices in %s (IEMOCAP's layout, seed %lld)\n", clips, c->arguments[0],
              (long long)seed);
  return st;
}

static am_status run(cli *c, am_error *err) {
  int64_t seed, actors, repetitions, rate;
  am_status st = cli_int(c, "seed", 0, INT64_MAX, 1, &seed, err);
  const char *layout = cli_value(c, "layout", "ravdess");
  if (!st && strcmp(layout, "iemocap") == 0) return run_iemocap(c, seed, err);
  if (!st && strcmp(layout, "ravdess") != 0)
    st = am_fail(err, AM_E_USAGE, "--layout %s: wanted ravdess or iemocap", layout);
  if (!st) st = cli_int(c, "actors", 1, 24, 24, &actors, err);
  if (!st) st = cli_int(c, "repetitions", 1, 2, 2, &repetitions, err);
  if (!st) st = cli_int(c, "rate", 8000, 48000, 16000, &rate, err);
  if (st) return st;
  am_synth_options o = {
      .seed = (uint64_t)seed, .actors = (int)actors, .repetitions = (int)repetitions, .rate = (double)rate};
  am_log(c->ctx, AM_LOG_INFO, "writing synthetic speech of %d voices to %s", o.actors, c->arguments[0]);
  size_t clips = 0;
  st = am_synth_corpus(c->ctx, c->arguments[0], &o, &clips, err);
  if (st) return st;
  cli_print("%zu synthetic clips of %d voices in %s (RAVDESS naming, seed %lld)\n", clips, o.actors, c->arguments[0],
            (long long)seed);
  return AM_OK;
}

static const cli_flag flags[] = {
    {"layout", "ravdess|iemocap", "iemocap: sessions, dialogues and label files of that corpus (ravdess)"},
    {"actors", "N", "number of voices, 1 to 24 (24)"},
    {"repetitions", "N", "takes of each sentence, 1 or 2 (2)"},
    {"rate", "HZ", "sample rate, 8000 to 48000 (16000)"},
    {"seed", "N", "of the corpus: the same seed gives the same files (1)"},
    {0},
};

const cli_command cli_synth = {
    .name = "synth",
    .summary = "writes a small corpus of synthetic emotional speech, to try everything without a data set",
    .usage = "DIR [--layout NAME] [--actors N] [--repetitions N] [--rate HZ] [--seed N]",
    .details =
        "The corpus has RAVDESS file names, or with --layout iemocap the whole tree of IEMOCAP (about 9 MB).\n"
        "It is made by a seeded voice synthesiser: the same seed gives the same files. It is synthetic\n"
        "speech; results on it say nothing about people.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
