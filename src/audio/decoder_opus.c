/* SPDX-License-Identifier: MIT */
/* audio/decoder_opus.c - libopusfile, the only file that knows it: one link of an Ogg file, at 48 kHz. */
#include "audio/decoder.h"

#include <opusfile.h>

typedef struct stream {
  OggOpusFile *file;
  const am_part *part;
  size_t at;
  int failure;
} stream;

static int memory_read(void *user, unsigned char *to, int n) {
  stream *s = user;
  size_t left = s->part->bytes - s->at, want = n > 0 ? (size_t)n : 0;
  if (want > left) want = left;
  am_part_copy(s->part, s->at, to, want);
  s->at += want;
  return (int)want;
}

static am_status read_block(am_decoder *d, float *to, size_t floats, size_t *frames, am_error *err) {
  stream *s = d->state;
  int got;
  while ((got = op_read_float(s->file, to, floats < 1 << 20 ? (int)floats : 1 << 20, NULL)) == OP_HOLE) d->holes++;
  *frames = got > 0 ? (size_t)got : 0;
  if (got == OP_EFAULT) return am_no_memory(err);
  if (got < 0) s->failure = got;
  return AM_OK;
}

static const char *trouble(am_decoder *d) {
  const stream *s = d->state;
  return s->failure ? "its Opus packets are damaged" : NULL;
}

static void close_stream(am_decoder *d) {
  stream *s = d->state;
  op_free(s->file);
  am_free(d->ctx, s);
}

am_status am_opus_open(am_decoder *d, am_error *err) {
  stream *s = am_alloc(d->ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  s->part = d->part;
  int failure = 0;
  /* without a way to seek it reads page after page and believes no length */
  s->file = op_open_callbacks(s, &(OpusFileCallbacks){.read = memory_read}, NULL, 0, &failure);
  if (!s->file) {
    am_free(d->ctx, s);
    if (failure == OP_EFAULT) return am_no_memory(err);
    return am_fail(err, AM_E_FORMAT, "%s: damaged: its Opus headers are incomplete (%d)", d->name, failure);
  }
  d->library = NULL, d->state = s;
  d->rate = 48000, d->channels = op_channel_count(s->file, -1);
  d->samples_a_byte = 8192;
  d->read = read_block, d->trouble = trouble, d->close = close_stream;
  return AM_OK;
}
