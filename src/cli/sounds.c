/* SPDX-License-Identifier: MIT */
/* cli/sounds.c - the sounds that predict and enrol are given: files, what is below folders, standard input. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audio/decoder_media.h"
#include "audio/endings.h"
#include "audio/sound.h"
#include "base/file.h"
#include "base/trail.h"
#include "cli/cli.h"

static am_status add_sound(cli *c, cli_sounds *s, const char *path, am_error *err) {
  if (am_grow(c->ctx, &s->at, &s->room, s->n + 1, sizeof *s->at, err)) return AM_E_NOMEM;
  s->at[s->n] = am_strdup(c->ctx, path);
  return s->at[s->n] ? (s->n++, AM_OK) : am_no_memory(err);
}

static am_status add_below(cli *c, cli_sounds *s, am_trail *trail, const char *folder, int depth, am_error *err);

/* A hidden file or folder is none of the user's sounds (macOS leaves "._voice.wav" beside each of a copied folder). */
static bool is_hidden(const char *name) { return name[0] == '.'; }

static bool wanted(const char *name) {
  return am_sound_ending_known(name) || (am_media_is_built() && am_sound_ending_unread(name));
}

/* Not one that was searched already, by another name. */
static am_status add_folder(cli *c, cli_sounds *s, am_trail *trail, const char *folder, int depth, am_error *err) {
  am_trail_step step;
  am_status st = am_trail_enter(trail, folder, depth, &step, err);
  return st || step != AM_TRAIL_NEW ? st : add_below(c, s, trail, folder, depth, err);
}

/* All sounds below a folder, in byte order of their names.  Pipes and devices are passed over, whatever their names:
 * no sound was put there, and waiting for one might never end.  One named on the command line is read. */
static am_status add_below(cli *c, cli_sounds *s, am_trail *trail, const char *folder, int depth, am_error *err) {
  am_names names;
  if (depth > 32) return am_fail(err, AM_E_IO, "%s: folders nested more than 32 deep", folder);
  am_status st = am_folder_list(c->ctx, folder, &names, err);
  if (st) return st;
  for (size_t i = 0; i < names.n && !st; i++) {
    char *path = am_path_join(c->ctx, folder, names.at[i]);
    if (!path) st = am_no_memory(err);
    else if (is_hidden(names.at[i])) s->hidden++;
    else if (am_folder_exists(path)) st = add_folder(c, s, trail, path, depth + 1, err);
    else if (wanted(names.at[i]) && !am_file_is_special(path)) st = add_sound(c, s, path, err);
    else if (am_sound_ending_unread(names.at[i])) cli_tally_add(c, &s->unread, "%s", path);
    else s->others++;
    am_free(c->ctx, path);
  }
  am_names_free(c->ctx, &names);
  return st;
}

static am_status search_folder(cli *c, cli_sounds *s, const char *folder, am_error *err) {
  am_trail trail;
  am_status st = am_trail_begin(c->ctx, folder, &trail, err);
  if (!st) st = add_below(c, s, &trail, folder, 0, err);
  am_trail_end(&trail);
  return st;
}

/* Whoever has sounds of other kinds in the folder takes them to be heard. */
static void say_unread(cli *c, cli_sounds *s) {
  if (s->unread.n)
    am_log(c->ctx, AM_LOG_WARNING,
           "%zu %s left out, as sounds of %s kind are not read (to convert %s: ffmpeg -i FILE FILE.wav): %s",
           s->unread.n, am_count(s->unread.n, "file is", "files are"), am_count(s->unread.n, "its", "their"),
           am_count(s->unread.n, "it", "them"), cli_tally_names(c, &s->unread));
  if (s->hidden || s->others)
    am_log(c->ctx, AM_LOG_INFO, "%zu %s found; passed over: %zu other %s and %zu hidden", s->n,
           am_count(s->n, "sound", "sounds"), s->others, am_count(s->others, "file", "files"), s->hidden);
}

static am_status no_sound(cli *c, cli_sounds *s, const char *folder, size_t unread, am_error *err) {
  if (!unread)
    return am_fail(err, AM_E_DATA, "%s: no sound file (.wav, .flac, .ogg, .mp3, .aiff, ...) in this folder", folder);
  return am_fail(err, AM_E_DATA,
                 "%s: no sound file (.wav, .flac, .ogg, .mp3, .aiff, ...) in this folder; %zu %s left out, "
                 "as sounds of %s kind are not read (to convert %s: ffmpeg -i FILE FILE.wav): %s",
                 folder, unread, am_count(unread, "file is", "files are"), am_count(unread, "its", "their"),
                 am_count(unread, "it", "them"), cli_tally_names(c, &s->unread));
}

am_status cli_sounds_list(cli *c, const char *const *paths, size_t n, cli_sounds *s, am_error *err) {
  for (size_t i = 0; i < n; i++) {
    size_t before = s->n, unread = s->unread.n;
    bool folder = am_folder_exists(paths[i]);
    am_status st = folder ? search_folder(c, s, paths[i], err) : add_sound(c, s, paths[i], err);
    if (st) return st;
    if (s->n == before) return no_sound(c, s, paths[i], s->unread.n - unread, err);
  }
  say_unread(c, s);
  return AM_OK;
}

void cli_sounds_free(cli *c, cli_sounds *s) {
  for (size_t i = 0; i < s->n; i++) am_free(c->ctx, s->at[i]);
  am_free(c->ctx, s->at);
  cli_tally_free(c, &s->unread);
  *s = (cli_sounds){0};
}

/* ---- reading one ---- */

/* Longest sound, s.  data.max_seconds is about a corpus, where a long clip is there by mistake. */
const double cli_longest_sound = 4 * 3600;
/* And of what is handed on as it is read. */
static const double longest_fed = 48 * 3600;
/* Standard input is read up to this size: a sound of 10 minutes in float32 stereo at 192 kHz. */
static const size_t stdin_limit = (size_t)1 << 30;

/* All of it: am_buffer_free. */
static am_status take_stdin(cli *c, am_buffer *all, am_error *err) {
  char block[65536];
  ssize_t got;
  while ((got = read(STDIN_FILENO, block, sizeof block)) != 0) {
    if (got < 0 && errno == EINTR && !am_context_stopping(c->ctx)) continue;
    if (got < 0) return am_fail_errno(err, errno, "standard input");
    am_buffer_append(c->ctx, all, block, (size_t)got);
    if (all->failed) return am_no_memory(err);
    if (all->used > stdin_limit) return am_fail(err, AM_E_FORMAT, "standard input: more than 1 GiB");
  }
  return AM_OK;
}

static am_status read_sound(cli *c, const char *path, const am_sound_want *want, am_sound *sound, am_error *err) {
  const bool from_stdin = strcmp(path, "-") == 0;
  const char *shown = from_stdin ? "standard input" : path;
  am_error why = AM_ERROR_INIT;
  am_buffer all = {0};
  *sound = (am_sound){.size = sizeof *sound};
  /* A wait that Ctrl-C ends with a message, and not the program (cli/signals.c). */
  if ((from_stdin || am_file_is_special(path)) && am_context_stopping(c->ctx))
    return am_fail(err, AM_E_STOPPED, "stopped before %s was read", shown);
  am_status st = from_stdin ? take_stdin(c, &all, &why) : am_sound_stream(c->ctx, path, want, sound, &why);
  if (!st && from_stdin) st = am_sound_stream_decoded(c->ctx, all.data, all.used, shown, want, sound, &why);
  am_buffer_free(c->ctx, &all);
  /* Ctrl-C ends the wait for a pipe; to the reader that is a failure like any other. */
  if (st == AM_E_IO && am_context_stopping(c->ctx))
    return am_fail(err, AM_E_STOPPED, "stopped while %s was read", shown);
  return st ? am_fail(err, st, "%s", why.message) : AM_OK;
}

static am_status get_track(const cli *c, int *track, am_error *err) {
  int64_t given = 0;
  am_status st = cli_has(c, "track") ? cli_int(c, "track", 1, 1000, 1, &given, err) : AM_OK;
  *track = (int)given;
  return st;
}

am_status cli_sound_read(cli *c, const char *path, double rate, am_sound *sound, am_error *err) {
  return read_sound(c, path, &(am_sound_want){.rate = rate, .max_seconds = cli_longest_sound}, sound, err);
}

am_status cli_sound_read_track(cli *c, const char *path, double rate, am_sound *sound, am_error *err) {
  am_sound_want want = {.rate = rate, .max_seconds = cli_longest_sound};
  am_status st = get_track(c, &want.track, err);
  return st ? st : read_sound(c, path, &want, sound, err);
}

am_status cli_sound_feed(cli *c, const char *path, double rate, int channel, am_sound_fn each, void *user,
                         am_sound *sound, am_error *err) {
  am_sound_want want = {.rate = rate, .max_seconds = longest_fed, .channel = channel, .check = true};
  want.each = each;
  want.user = user;
  am_status st = get_track(c, &want.track, err);
  if (st) return st;
  if (channel && (strcmp(path, "-") == 0 || am_file_is_special(path)))
    return am_fail(err, AM_E_USAGE, "%s: is read once; its channels apart want a file", cli_sound_shown(path));
  return read_sound(c, path, &want, sound, err);
}

const char *cli_sound_shown(const char *path) { return strcmp(path, "-") == 0 ? "(standard input)" : path; }

bool cli_sound_is_bad(am_status st) { return st && st != AM_E_STOPPED && st != AM_E_NOMEM; }
