/* audio/channel_mp3.c - through an MP3 encoder: libsndfile 1.1 and later write MP3 where they were built with LAME. */
#include "audio/channel.h"

#include "audiomood/audio.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

/* Of libsndfile 1.1's header; an older library refuses the format. */
enum { MP3 = 0x230000 | 0x0082, SET_BITRATE_MODE = 0x1305, CONSTANT = 0 };

/* LAME's 576 samples and a decoder's 529 come before the sound, unless the file says so and they are left out. */
enum { DELAY = 576 + 529 };

/* What is written, in memory. */
typedef struct memory {
  am_context *ctx;
  unsigned char *data;
  sf_count_t bytes, room, at;
  bool failed; /* libsndfile does not always tell */
} memory;

static sf_count_t length(void *user) { return ((memory *)user)->bytes; }
static sf_count_t tell(void *user) { return ((memory *)user)->at; }

static sf_count_t seek(sf_count_t offset, int whence, void *user) {
  memory *m = user;
  const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m->at : m->bytes;
  if (offset < -from || offset > m->bytes - from) return -1;
  return m->at = from + offset;
}

static sf_count_t get(void *to, sf_count_t count, void *user) {
  memory *m = user;
  if (count > m->bytes - m->at) count = m->bytes - m->at;
  memcpy(to, m->data + m->at, (size_t)count);
  m->at += count;
  return count;
}

static sf_count_t put(const void *from, sf_count_t count, void *user) {
  memory *m = user;
  if (m->at + count > m->room) {
    const sf_count_t room = 2 * m->room + count + 4096;
    unsigned char *more = am_resize(m->ctx, m->data, (size_t)room, 1);
    if (!more) return m->failed = true, 0;
    m->data = more, m->room = room;
  }
  memcpy(m->data + m->at, from, (size_t)count);
  m->at += count;
  if (m->at > m->bytes) m->bytes = m->at;
  return count;
}

/* libsndfile takes a share of the range of bit rates that MPEG gives the sample rate. */
static double compression(int kbits, double rate) {
  const double least = rate >= 32000 ? 32 : 8, most = rate >= 32000 ? 320 : rate >= 16000 ? 160 : 64;
  return fmin(1, fmax(0, (most - kbits) / (most - least)));
}

static am_status encode(memory *m, int kbits, double rate, const float *x, size_t n, am_error *err) {
  static SF_VIRTUAL_IO io = {length, seek, get, put, tell};
  SF_INFO info = {.samplerate = (int)lrint(rate), .channels = 1, .format = MP3};
  SNDFILE *file = sf_format_check(&info) ? sf_open_virtual(&io, SFM_WRITE, &info, m) : NULL;
  if (!file)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "MP3 at %g Hz cannot be written by %s: libsndfile 1.1 with LAME can, at the "
                   "rates of MPEG (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)",
                   rate, sf_version_string());
  int mode = CONSTANT;
  double share = compression(kbits, rate);
  sf_command(file, SET_BITRATE_MODE, &mode, sizeof mode);
  sf_command(file, SFC_SET_COMPRESSION_LEVEL, &share, sizeof share);
  const bool written = sf_writef_float(file, x, (sf_count_t)n) == (sf_count_t)n;
  return sf_close(file) == 0 && written && !m->failed ? AM_OK : am_no_memory(err);
}

am_status am_mp3(am_context *ctx, int kbits, double rate, float *x, size_t n, am_error *err) {
  memory m = {.ctx = ctx};
  am_sound sound = AM_SOUND_INIT;
  am_status status = n ? encode(&m, kbits, rate, x, n, err) : AM_OK;
  if (!status && n) status = am_sound_decode(ctx, m.data, (size_t)m.bytes, "MP3", rate, 0, &sound, err);
  const size_t late = sound.n == n ? 0 : DELAY;
  for (size_t i = 0; !status && i < n; i++) x[i] = i + late < sound.n ? sound.samples[i + late] : 0;
  am_sound_free(&sound);
  am_free(ctx, m.data);
  return status;
}
