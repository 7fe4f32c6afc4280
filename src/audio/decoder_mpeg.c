/* SPDX-License-Identifier: MIT */
/* audio/decoder_mpeg.c - libmpg123, the only file that knows it: MP3, MP2 and MP1.  Each stretch of a joined
 * file is decoded for itself, so that each loses the delay and padding that its own table states. */
#include "audio/decoder.h"
#include "audio/mpeg.h"

#include <mpg123.h>
#include <stdio.h>

#if MPG123_API_VERSION < 46
#error "libmpg123 1.27 or newer: older ones must be initialised, which no thread can do safely here"
#endif

typedef struct stream {
  am_mpeg_stretch now;
  size_t next; /* where the next stretch is searched */
  size_t at;   /* in the stretch, of what libmpg123 reads */
  const am_part *part;
  bool open, changed; /* changed: rate and channels are to be asked for */
  uint64_t decoded;   /* samples of this stretch */
  char why[120];
} stream;

static mpg123_ssize_t memory_read(void *user, void *to, size_t n) {
  stream *s = user;
  size_t left = s->now.to - s->now.from - s->at;
  if (n > left) n = left;
  am_part_copy(s->part, s->now.from + s->at, to, n);
  s->at += n;
  return (mpg123_ssize_t)n;
}

static off_t memory_seek(void *user, off_t offset, int whence) {
  stream *s = user;
  off_t bytes = (off_t)(s->now.to - s->now.from);
  off_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (off_t)s->at : bytes;
  if (offset < -from || offset > bytes - from) return -1;
  s->at = (size_t)(from + offset);
  return from + offset;
}

/* What the headers say of a stretch against each other. */
static void look_at(am_decoder *d, const stream *s) {
  const am_mpeg_stretch *m = &s->now;
  if (d->quiet) return;
  if (m->odd)
    am_log(d->ctx, AM_LOG_WARNING, "%s: %zu bytes between its MPEG frames are no sound; they are left out", d->name,
           m->odd);
  if (m->cut_of)
    am_log(d->ctx, AM_LOG_WARNING,
           "%s: its last MPEG frame has %zu of %zu bytes and is left out; the end may be missing", d->name, m->cut,
           m->cut_of);
  if (m->table_frames > m->frames + 1 && m->frames)
    am_log(d->ctx, AM_LOG_WARNING, "%s: its table promises %llu MPEG frames and %llu are there; those are read",
           d->name, (unsigned long long)m->table_frames, (unsigned long long)m->frames);
}

/* Opens the next stretch; false: there is none, or an error. */
static bool next_stretch(am_decoder *d, am_status *status, am_error *err) {
  stream *s = d->state;
  mpg123_handle *mh = d->library;
  const am_part *p = s->part;
  if (!am_mpeg_next(p->data, p->bytes, p->passing, &s->next, &s->now)) return false;
  s->at = 0, s->decoded = 0;
  if (s->now.table_bytes > p->bytes - s->now.from) {
    *status = am_fail(err, AM_E_FORMAT,
                      "%s: truncated: its 'Xing' header promises %llu bytes of sound and %llu are there; "
                      "copy or download it again",
                      d->name, (unsigned long long)s->now.table_bytes, (unsigned long long)(p->bytes - s->now.from));
    return false;
  }
  look_at(d, s);
  /* Frames that tell their length are confirmed already; reading ahead again would print where a stretch ends early. */
  mpg123_param(mh, s->now.frames ? MPG123_ADD_FLAGS : MPG123_REMOVE_FLAGS, MPG123_NO_READAHEAD, 0);
  if (mpg123_open_handle(mh, s) != MPG123_OK) {
    *status = mpg123_errcode(mh) == MPG123_OUT_OF_MEM
                  ? am_no_memory(err)
                  : am_fail(err, AM_E_FORMAT, "%s: %s", d->name, mpg123_strerror(mh));
    return false;
  }
  d->rate = s->now.rate, d->channels = s->now.channels;
  s->changed = true;
  return s->open = true;
}

/* Rate and channels of what comes now. */
static bool ask_format(am_decoder *d) {
  long rate;
  int channels, encoding;
  if (mpg123_getformat(d->library, &rate, &channels, &encoding) != MPG123_OK) return false;
  if (encoding != MPG123_ENC_FLOAT_32 || rate <= 0 || channels < 1) return false;
  d->rate = (double)rate, d->channels = channels;
  ((stream *)d->state)->changed = false;
  return true;
}

static am_status read_block(am_decoder *d, float *to, size_t floats, size_t *frames, am_error *err) {
  stream *s = d->state;
  mpg123_handle *mh = d->library;
  am_status status = AM_OK;
  *frames = 0;
  for (;;) {
    if (!s->open && !next_stretch(d, &status, err)) return status;
    if (s->changed && s->decoded && !ask_format(d)) break;
    size_t done = 0;
    int result = mpg123_read(mh, (unsigned char *)to, floats * sizeof *to, &done);
    if (done) {
      if (!s->decoded && !ask_format(d)) break;
      *frames = done / sizeof *to / (size_t)d->channels;
      s->decoded += *frames;
    }
    s->changed |= result == MPG123_NEW_FORMAT;
    if (result == MPG123_DONE) s->open = false;
    else if (result == MPG123_ERR && mpg123_errcode(mh) == MPG123_OUT_OF_MEM) return am_no_memory(err);
    else if (result != MPG123_OK && result != MPG123_NEW_FORMAT) break;
    if (done) return AM_OK;
  }
  snprintf(s->why, sizeof s->why, "%s", mpg123_strerror(mh));
  s->open = false;
  s->next = s->part->bytes;
  return AM_OK;
}

static const char *trouble(am_decoder *d) {
  const stream *s = d->state;
  return *s->why ? s->why : NULL;
}

static void close_stream(am_decoder *d) {
  mpg123_delete(d->library);
  am_free(d->ctx, d->state);
}

am_status am_mpeg_open(am_decoder *d, am_error *err) {
  int failure = MPG123_OK;
  mpg123_handle *mh = NULL;
  stream *s = am_alloc(d->ctx, 1, sizeof *s);
  if (s) mh = mpg123_new(NULL, &failure);
  if (!mh) {
    am_free(d->ctx, s);
    return am_no_memory(err);
  }
  *s = (stream){.part = d->part};
  /* It resyncs on its own over anything between frames; how long that is am_mpeg_next has bounded. */
  mpg123_param(mh, MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_SKIP_ID3V2, 0);
  mpg123_param(mh, MPG123_RESYNC_LIMIT, -1, 0);
  mpg123_replace_reader_handle(mh, memory_read, memory_seek, NULL);
  d->library = mh, d->state = s;
  d->samples_a_byte = 8192;
  d->read = read_block, d->trouble = trouble, d->close = close_stream;
  am_status status = AM_OK;
  if (next_stretch(d, &status, err)) return AM_OK;
  if (!status)
    status = am_fail(err, AM_E_FORMAT, "%s: truncated: an MP3 file that ends before its first frame", d->name);
  close_stream(d);
  return status;
}
