/* SPDX-License-Identifier: MIT */
/* audio/sound_read.c - the ways in: files and memory, read here or by a child (sound_child.c). */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio/decoder_media.h"
#include "audio/sound_inside.h"
#include "base/file.h"

static const double default_seconds = 600;
/* What is decoded here is decoded from memory; this is ten times 600 s of 48 kHz stereo. */
static const size_t largest_file = (size_t)1 << 30;
static const size_t least_sound = offsetof(am_sound, file_rate);

/* Only `size` is promised to be set; the rest may be left over on the stack. */
static am_status empty(am_sound *out, double rate, am_error *err) {
  static const am_sound nothing;
  am_status status = am_size_check(out, SIZE_MAX, least_sound, "am_sound", err);
  if (status) return status;
  am_size_give(out, &nothing, sizeof nothing);
  return rate >= 0 && rate <= 1e7
             ? AM_OK
             : am_fail(err, AM_E_USAGE, "a sound at %g Hz; wanted 1 Hz to 10 MHz, or 0: its own", rate);
}

static am_sound_want wanted(double rate, double max_seconds) {
  return (am_sound_want){.rate = rate, .max_seconds = max_seconds > 0 ? max_seconds : default_seconds};
}

static am_status check_track(const am_sound_want *want, const char *name, am_error *err) {
  if (!want->track || am_media_is_built()) return AM_OK;
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: its tracks are read through libavformat, which this build is without (docs/build.md)", name);
}

/* Of a track that was asked for. */
static am_status hear_track(am_container *c, const am_sound_want *want, am_sound *out, am_sound_info *info,
                            am_error *err) {
  if (!am_context_reads_in_child(c->ctx))
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: films and their like are decoded in a process of its own, which am_settings.read_in_child allows",
        c->name);
  return am_sound_hear_in_child(c, -1, c->bytes, want, out, info, err);
}

/* What is in memory. */
static am_status hear(am_container *c, const am_sound_want *want, am_sound *out, am_sound_info *info, am_error *err) {
  const bool in_child = am_context_reads_in_child(c->ctx);
  if (want->track) return hear_track(c, want, out, info, err);
  if (in_child && want->each) return am_sound_hear_in_child(c, -1, c->bytes, want, out, info, err);
  am_error why = AM_ERROR_INIT;
  am_container again = *c;
  am_status status = AM_OK;
  if (want->check) {
    am_sound_want count = *want;
    count.count = true;
    again.quiet = true;
    status = am_sound_hear(&again, &count, out, info, &why);
    again = *c;
  }
  if (!status) status = am_sound_hear(&again, want, out, info, &why);
  if (status && again.unread && again.parts == 1 && in_child && am_media_is_built())
    return am_sound_hear_in_child(c, -1, c->bytes, want, out, info, err);
  return status ? am_fail(err, status, "%s", why.message) : AM_OK;
}

/* A file that a child reads as it is there. */
static am_status hear_open(am_container *c, int file, size_t bytes, const am_sound_want *want, am_sound *out,
                           am_sound_info *info, am_error *err) {
  am_status status = am_sound_hear_in_child(c, file, bytes, want, out, info, err);
  close(file);
  return status;
}

/* -1: one that is to be read into memory. */
static int open_large(am_context *ctx, const char *path, const am_sound_want *want, size_t *bytes) {
  struct stat about;
  if (!am_context_reads_in_child(ctx) || am_file_is_special(path)) return -1;
  if (!want->each && !want->count && !want->track) return -1;
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return -1;
  if (!fstat(file, &about) && S_ISREG(about.st_mode) && about.st_size > 0) return *bytes = (size_t)about.st_size, file;
  close(file);
  return -1;
}

/* `clip`: one among thousands, an ordinary file that is not worth a child. */
static am_status read_by(am_context *ctx, bool clip, bool quiet, const char *path, const am_sound_want *want,
                         am_sound *out, am_sound_info *info, am_error *err) {
  am_sound sound = {.size = sizeof sound};
  am_container c = {.ctx = ctx, .name = path, .is_path = true, .quiet = quiet};
  char *data;
  int file;
  am_status status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, path);
  if (!status) status = check_track(want, path, err);
  if (status) return status;
  if (!clip && (file = open_large(ctx, path, want, &c.bytes)) >= 0) {
    status = hear_open(&c, file, c.bytes, want, &sound, info, err);
  } else {
    status = clip ? am_file_read_ordinary(ctx, path, "a sound file", largest_file, &data, &c.bytes, err)
                  : am_file_read(ctx, path, largest_file, &data, &c.bytes, err);
    if (status) return status;
    c.data = (unsigned char *)data;
    status = hear(&c, want, &sound, info, err);
    am_free(ctx, data);
  }
  if (out) am_size_give(out, &sound, sizeof sound);
  return status;
}

/* ---- files ---- */

static am_status read_sound(am_context *ctx, bool clip, const char *path, double rate, double max_seconds,
                            am_sound *out, am_error *err) {
  const am_sound_want want = wanted(rate, max_seconds);
  am_sound_info info = {.size = sizeof info};
  am_status status = empty(out, rate, err);
  return status ? status : read_by(ctx, clip, false, path, &want, out, &info, err);
}

am_status am_sound_read(am_context *ctx, const char *path, double rate, double max_seconds, am_sound *out,
                        am_error *err) {
  return read_sound(ctx, false, path, rate, max_seconds, out, err);
}

am_status am_sound_read_clip(am_context *ctx, const char *path, double rate, double max_seconds, am_sound *out,
                             am_error *err) {
  return read_sound(ctx, true, path, rate, max_seconds, out, err);
}

am_status am_sound_stream(am_context *ctx, const char *path, const am_sound_want *want, am_sound *out, am_error *err) {
  am_sound_info info = {.size = sizeof info};
  am_status status = empty(out, want->rate, err);
  return status ? status : read_by(ctx, false, false, path, want, out, &info, err);
}

static am_status check_feeding(int channel, am_sound_fn each, am_error *err) {
  am_status status = (each) ? AM_OK : am_fail(err, AM_E_USAGE, "am_sound_feed: each may not be NULL");
  if (!status && channel < 0)
    status = am_fail(err, AM_E_USAGE, "channel %d; wanted 0 (the mean of all), 1, 2 ...", channel);
  return status;
}

am_status am_sound_feed(am_context *ctx, const char *path, double rate, double max_seconds, int channel,
                        am_sound_fn each, void *user, am_sound *out, am_error *err) {
  am_sound_want want = wanted(rate, max_seconds);
  want.channel = channel;
  want.each = each;
  want.user = user;
  am_status status = check_feeding(channel, each, err);
  return status ? status : am_sound_stream(ctx, path, &want, out, err);
}

static am_status inspect_by(am_context *ctx, bool clip, bool quiet, const char *path, am_sound_info *out,
                            am_error *err) {
  const am_sound_want want = {.count = true, .max_seconds = HUGE_VAL};
  am_sound_info info = {.size = sizeof info};
  am_status status = am_size_check(out, SIZE_MAX, sizeof *out, "am_sound_info", err);
  if (!status) status = read_by(ctx, clip, quiet, path, &want, NULL, &info, err);
  if (!status) *out = info;
  return status;
}

am_status am_sound_inspect(am_context *ctx, const char *path, am_sound_info *out, am_error *err) {
  return inspect_by(ctx, false, false, path, out, err);
}

am_status am_sound_inspect_clip(am_context *ctx, const char *path, am_sound_info *out, am_error *err) {
  return inspect_by(ctx, true, true, path, out, err);
}

/* ---- memory ---- */

am_status am_sound_stream_decoded(am_context *ctx, const void *data, size_t bytes, const char *name,
                                  const am_sound_want *want, am_sound *out, am_error *err) {
  am_sound sound = {.size = sizeof sound};
  am_sound_info info = {.size = sizeof info};
  am_status status = empty(out, want->rate, err);
  if (!status) status = AM_NEED(err, ctx);
  if (!status && bytes) status = AM_NEED(err, data);
  if (status) return status;
  am_container c = {.ctx = ctx, .data = data, .bytes = bytes, .name = name ? name : "(a sound in memory)"};
  status = check_track(want, c.name, err);
  if (!status) status = hear(&c, want, &sound, &info, err);
  am_size_give(out, &sound, sizeof sound);
  return status;
}

am_status am_sound_feed_decoded(am_context *ctx, const void *data, size_t bytes, const char *name, double rate,
                                double max_seconds, int channel, am_sound_fn each, void *user, am_sound *out,
                                am_error *err) {
  am_sound_want want = wanted(rate, max_seconds);
  want.channel = channel;
  want.each = each;
  want.user = user;
  am_status status = check_feeding(channel, each, err);
  return status ? status : am_sound_stream_decoded(ctx, data, bytes, name, &want, out, err);
}

am_status am_sound_decode(am_context *ctx, const void *data, size_t bytes, const char *name, double rate,
                          double max_seconds, am_sound *out, am_error *err) {
  const am_sound_want want = wanted(rate, max_seconds);
  return am_sound_stream_decoded(ctx, data, bytes, name, &want, out, err);
}
