/* SPDX-License-Identifier: MIT */
/* cli/voice.c - what is heard of a voice: sounds, and profiles that were kept of it. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "model/profile.h"

/* Less than this says little about a voice (docs/protocols.md), s. */
static const double enough = 60;

bool cli_is_hdf5(const char *path) {
  static const char signature[8] = "\x89HDF\r\n\x1a\n";
  char found[sizeof signature];
  if (am_file_is_special(path)) return false;
  FILE *file = fopen(path, "rb");
  bool is = file && fread(found, 1, sizeof found, file) == sizeof found && !memcmp(found, signature, sizeof found);
  if (file) fclose(file);
  return is;
}

static am_status merge(cli *c, const char *path, am_profile *p, am_error *err) {
  am_profile *kept = NULL;
  am_status st = am_profile_load(c->ctx, path, &kept, err);
  if (!st) st = am_profile_check_all(kept, p, "the model", err);
  if (!st) st = am_profile_merge(p, kept, err);
  am_profile_free(kept);
  return st;
}

/* *unheard: none of its pieces was heard. */
static am_status add_sound(am_profile *p, const am_sound *sound, double window, bool *unheard, am_error *err) {
  const size_t whole = am_size_of(window * sound->rate), length = whole && whole < sound->n ? whole : sound->n;
  *unheard = true;
  for (size_t at = 0; at < sound->n; at += length) {
    const size_t n = sound->n - at < length ? sound->n - at : length;
    if (am_sound_unheard(sound->samples + at, n, sound->rate)) continue;
    am_status st = am_profile_add(p, sound->samples + at, n, err);
    if (st) return st;
    *unheard = false;
  }
  return AM_OK;
}

static am_status add(cli *c, const cli_voice *v, const char *path, am_profile *p, cli_tally *silent, am_error *err) {
  am_sound sound;
  bool unheard;
  if (v->profiles && cli_is_hdf5(path)) return merge(c, path, p, err);
  am_status st = cli_sound_read(c, path, am_profile_rate(p), &sound, err);
  if (st) return st;
  st = add_sound(p, &sound, v->window, &unheard, err);
  if (st) (void)am_error_prefix(err, "%s", cli_sound_shown(path));
  else if (unheard) cli_tally_add(c, silent, "%s", cli_sound_shown(path));
  am_sound_free(&sound);
  return st;
}

am_status cli_voice_add(cli *c, const cli_voice *v, am_profile *p, am_error *err) {
  const double before = am_profile_seconds(p);
  cli_tally silent = {0};
  am_status st = AM_OK;
  for (size_t i = 0; i < v->sounds->n && !st; i++) {
    am_error why = AM_ERROR_INIT;
    if (am_context_stopping(c->ctx)) st = am_fail(&why, AM_E_STOPPED, "stopped before %s was heard", v->sounds->at[i]);
    else st = add(c, v, v->sounds->at[i], p, &silent, &why);
    if (st && v->skip && cli_sound_is_bad(st)) {
      am_log(c->ctx, AM_LOG_WARNING, "skipped: %s", why.message);
      st = AM_OK;
    }
    if (st) st = am_fail(err, st, "%s", why.message);
  }
  if (!st && am_profile_seconds(p) <= before)
    st = am_fail(err, AM_E_DATA, "nothing was heard of this voice%s%s",
                 silent.n ? ": silent or shorter than 0.1 s: " : "",
                 silent.n ? cli_tally_names(c, &silent) : "; no sound could be read");
  else if (!st && silent.n)
    am_log(c->ctx, AM_LOG_WARNING, "%zu of %zu sounds of this voice %s silent or shorter than 0.1 s: %s", silent.n,
           v->sounds->n, am_count(silent.n, "is", "are"), cli_tally_names(c, &silent));
  cli_tally_free(c, &silent);
  return st;
}

void cli_voice_say_short(cli *c, const am_profile *p) {
  if (am_profile_seconds(p) < enough)
    am_log(c->ctx, AM_LOG_WARNING, "%.1f s of this voice were heard; a minute of it, in any emotions, is better",
           am_profile_seconds(p));
}

am_status cli_shrink(const cli *c, const cli_models *models, am_error *err) {
  double seconds;
  if (!cli_has(c, "shrink")) return AM_OK;
  am_status st = cli_real(c, "shrink", 0, 1e9, 0, &seconds, err);
  for (size_t i = 0; i < models->n && !st; i++)
    for (size_t j = 0; j < am_checkpoint_members(models->at[i]); j++)
      am_checkpoint_member(models->at[i], j)->config->features.shrink = seconds;
  return st;
}
