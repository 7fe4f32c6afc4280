/* SPDX-License-Identifier: MIT */
/* audio/encoder_sndfile.c - sounds as FLAC and MP3 in memory, by libsndfile (encoder.h). */
#include "audio/encoder.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

/* Of libsndfile 1.1's header; an older library refuses the format. */
enum { MP3 = 0x230000 | 0x0082, SET_BITRATE_MODE = 0x1305, CONSTANT = 0 };

typedef struct target {
  am_context *ctx;
  am_buffer *out;
  sf_count_t at;
} target;

static sf_count_t length(void *user) { return (sf_count_t)((target *)user)->out->used; }

static sf_count_t tell(void *user) { return ((target *)user)->at; }

static sf_count_t seek(sf_count_t offset, int whence, void *user) {
  target *t = user;
  const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? t->at : length(t);
  if (offset < -from || offset > length(t) - from) return -1;
  return t->at = from + offset;
}

static sf_count_t get(void *to, sf_count_t bytes, void *user) {
  target *t = user;
  if (bytes > length(t) - t->at) bytes = length(t) - t->at;
  if (bytes > 0) memcpy(to, t->out->data + t->at, (size_t)bytes);
  t->at += bytes;
  return bytes;
}

/* The head is written anew at the end. */
static sf_count_t put(const void *data, sf_count_t bytes, void *user) {
  target *t = user;
  const size_t at = (size_t)t->at, n = (size_t)bytes, over = t->out->used - at < n ? t->out->used - at : n;
  if (over) memcpy(t->out->data + at, data, over);
  am_buffer_append(t->ctx, t->out, (const char *)data + over, n - over);
  if (t->out->failed) return 0;
  t->at += bytes;
  return bytes;
}

/* libsndfile takes a share of the range of bit rates that MPEG gives the sample rate. */
static double compression(int kbits, double rate) {
  const double least = rate >= 32000 ? 32 : 8, most = rate >= 32000 ? 320 : rate >= 16000 ? 160 : 64;
  return fmin(1, fmax(0, (most - kbits) / (most - least)));
}

/* NULL: the library does not write this. */
static SNDFILE *start(target *t, int format, double rate) {
  static SF_VIRTUAL_IO io = {length, seek, get, put, tell};
  SF_INFO info = {.samplerate = (int)lrint(rate), .channels = 1, .format = format};
  return sf_format_check(&info) ? sf_open_virtual(&io, SFM_WRITE, &info, t) : NULL;
}

/* libsndfile does not always tell that memory ran out: the buffer does. */
static am_status write_all(SNDFILE *file, const target *t, const float *x, size_t n, const char *name, am_error *err) {
  const bool whole = sf_writef_float(file, x, (sf_count_t)n) == (sf_count_t)n;
  const int closed = sf_close(file);
  if (t->out->failed) return am_no_memory(err);
  return whole && !closed ? AM_OK : am_fail(err, AM_E_UNSUPPORTED, "the sound cannot be written as %s", name);
}

am_status am_encode_flac(am_context *ctx, const float *x, size_t n, double rate, am_buffer *out, am_error *err) {
  target t = {.ctx = ctx, .out = out};
  SNDFILE *file = start(&t, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, rate);
  if (!file && out->failed) return am_no_memory(err);
  if (!file) return am_fail(err, AM_E_UNSUPPORTED, "the sound cannot be written as FLAC: %s", sf_strerror(NULL));
  sf_command(file, SFC_SET_CLIPPING, NULL, SF_TRUE);
  return write_all(file, &t, x, n, "FLAC", err);
}

am_status am_encode_mp3(am_context *ctx, int kbits, const float *x, size_t n, double rate, am_buffer *out,
                        am_error *err) {
  target t = {.ctx = ctx, .out = out};
  SNDFILE *file = start(&t, MP3, rate);
  if (!file && out->failed) return am_no_memory(err);
  if (!file)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "MP3 at %g Hz cannot be written by %s: libsndfile 1.1 with LAME can, at the "
                   "rates of MPEG (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)",
                   rate, sf_version_string());
  int mode = CONSTANT;
  double share = compression(kbits, rate);
  sf_command(file, SET_BITRATE_MODE, &mode, sizeof mode);
  sf_command(file, SFC_SET_COMPRESSION_LEVEL, &share, sizeof share);
  return write_all(file, &t, x, n, "MP3", err);
}
