/* SPDX-License-Identifier: MIT */
/* audio/decoder_vorbis.c - libvorbisfile, the only file that knows it: one link of an Ogg file. */
#include "audio/decoder.h"

#define OV_EXCLUDE_STATIC_CALLBACKS
#include <vorbis/vorbisfile.h>

typedef struct stream {
  OggVorbis_File file;
  const am_part *part;
  size_t at;
  long failure;
} stream;

static size_t memory_read(void *to, size_t size, size_t count, void *user) {
  stream *s = user;
  size_t n = size ? size * count : 0;
  if (n > s->part->bytes - s->at) n = s->part->bytes - s->at;
  am_part_copy(s->part, s->at, to, n);
  s->at += n;
  return size ? n / size : 0;
}

static am_status read_block(am_decoder *d, float *to, size_t floats, size_t *frames, am_error *err) {
  (void)err;
  stream *s = d->state;
  float **planes;
  int link;
  long got;
  *frames = 0;
  size_t room = floats / (size_t)d->channels;
  while ((got = ov_read_float(&s->file, &planes, room < 4096 ? (int)room : 4096, &link)) == OV_HOLE) d->holes++;
  if (got < 0) s->failure = got;
  if (got <= 0) return AM_OK;
  for (int c = 0; c < d->channels; c++)
    for (long i = 0; i < got; i++) to[i * d->channels + c] = planes[c][i];
  *frames = (size_t)got;
  return AM_OK;
}

static const char *trouble(am_decoder *d) {
  const stream *s = d->state;
  return s->failure ? "its Vorbis packets are damaged" : NULL;
}

static void close_stream(am_decoder *d) {
  stream *s = d->state;
  ov_clear(&s->file);
  am_free(d->ctx, s);
}

am_status am_vorbis_open(am_decoder *d, am_error *err) {
  stream *s = am_alloc(d->ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  s->part = d->part;
  /* without a way to seek it reads page after page and believes no length */
  int failure = ov_open_callbacks(s, &s->file, NULL, 0, (ov_callbacks){.read_func = memory_read});
  if (failure) {
    am_free(d->ctx, s);
    return am_fail(err, AM_E_FORMAT, "%s: damaged: its Vorbis headers are incomplete (%d)", d->name, failure);
  }
  const vorbis_info *info = ov_info(&s->file, -1);
  d->library = NULL, d->state = s;
  d->rate = (double)info->rate, d->channels = info->channels;
  d->samples_a_byte = 8192;
  d->read = read_block, d->trouble = trouble, d->close = close_stream;
  return AM_OK;
}
