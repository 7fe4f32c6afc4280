/* SPDX-License-Identifier: MIT */
/* audio/decoder_sndfile.c - libsndfile, which channel_mp3.c alone uses besides: WAV and its relatives, AIFF, AU, CAF, FLAC and
 * rarer formats. */
#include "audio/decoder.h"

#include <assert.h>
#include <sndfile.h>

const char *am_sound_library(void) { return sf_version_string(); }

/* libsndfile reads through these from memory. */
typedef struct memory_file {
  const am_part *part;
  sf_count_t at;
  int error; /* the first: libsndfile forgets it when it reads on */
} memory_file;

static sf_count_t memory_length(void *user) { return (sf_count_t)((memory_file *)user)->part->bytes; }

static sf_count_t memory_seek(sf_count_t offset, int whence, void *user) {
  memory_file *f = user;
  sf_count_t bytes = memory_length(user), from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->at : bytes;
  if (offset < -from || offset > bytes - from) return -1;
  return f->at = from + offset;
}

static sf_count_t memory_read(void *to, sf_count_t count, void *user) {
  memory_file *f = user;
  if (count > memory_length(user) - f->at) count = memory_length(user) - f->at;
  if (count <= 0) return 0;
  am_part_copy(f->part, (size_t)f->at, to, (size_t)count);
  f->at += count;
  return count;
}

static sf_count_t memory_write(const void *from, sf_count_t count, void *user) {
  (void)from, (void)count, (void)user;
  return 0;
}

static sf_count_t memory_tell(void *user) { return ((memory_file *)user)->at; }

/* Most samples of a channel that a byte of a file can stand for.  Lossless and perceptual codecs write
 * silence as next to nothing: a frame of FLAC, 65,535 samples, takes some fourteen bytes.  All others take
 * bits for each sample, the smallest one (DWVW).  libsndfile gives what a header promises, also when nothing
 * comes after it. */
static size_t samples_a_byte(const SF_INFO *info) {
  switch (info->format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_FLAC:
    case SF_FORMAT_OGG:
    case SF_FORMAT_MPEG: return 8192;
    default: break;
  }
  switch (info->format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_ALAC_16:
    case SF_FORMAT_ALAC_20:
    case SF_FORMAT_ALAC_24:
    case SF_FORMAT_ALAC_32:
    case SF_FORMAT_MPEG_LAYER_I:
    case SF_FORMAT_MPEG_LAYER_II:
    case SF_FORMAT_MPEG_LAYER_III: return 8192;
    default: return 16;
  }
}

static am_status read_block(am_decoder *d, float *to, size_t floats, size_t *frames, am_error *err) {
  (void)err;
  memory_file *file = d->state;
  *frames = 0;
  if (file->error) return AM_OK;
  sf_count_t got = sf_readf_float(d->library, to, (sf_count_t)(floats / (size_t)d->channels));
  *frames = got > 0 ? (size_t)got : 0;
  file->error = sf_error(d->library);
  return AM_OK;
}

static const char *trouble(am_decoder *d) {
  int error = ((memory_file *)d->state)->error;
  return error ? sf_error_number(error) : NULL;
}

static void close_file(am_decoder *d) {
  sf_close(d->library);
  am_free(d->ctx, d->state);
}

am_status am_sndfile_open(am_decoder *d, am_error *err) {
  static SF_VIRTUAL_IO io = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
  memory_file *file = am_alloc(d->ctx, 1, sizeof *file);
  if (!file) return am_no_memory(err);
  *file = (memory_file){.part = d->part};
  SF_INFO info = {0};
  SNDFILE *library = sf_open_virtual(&io, SFM_READ, &info, file);
  if (!library) { /* the number, not the text: sf_strerror(NULL) shares one buffer between threads */
    d->refusal = sf_error_number(sf_error(NULL));
    am_free(d->ctx, file);
    return am_fail(err, AM_E_FORMAT, "%s: %s", d->name, d->refusal);
  }
  d->library = library, d->state = file;
  d->rate = info.samplerate, d->channels = info.channels;
  /* A length that the header does not know comes as 0 or as the largest count. */
  bool known = info.frames > 0 && info.frames < SF_COUNT_MAX / 2;
  d->promised = known ? (uint64_t)info.frames : d->part->promised;
  d->exact = true;
  d->early = known;
  d->samples_a_byte = samples_a_byte(&info);
  d->read = read_block, d->trouble = trouble, d->close = close_file;
  return AM_OK;
}
