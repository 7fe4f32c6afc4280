/* SPDX-License-Identifier: MIT */
/* audio/decoder_media.c - libavformat and libavcodec, the only file that knows them: one track of sound of a film or the like.
 *
 * They are loaded when the first such file is met, in the child that reads it (sound_child.c): linked, they and what they use
 * would be 28 MB of memory and 50 ms of every start.  Nothing but the bytes of the file is opened by them, and no decoder of
 * pictures is run. */
#include "audio/decoder_media.h"
#include "audio/container.h"
#include "audio/decoder.h"
#include "base/library.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LIBAVCODEC_VERSION_INT < AV_VERSION_INT(59, 24, 100)
#error "FFmpeg 5.1 or newer: the number of channels is not where older ones have it"
#endif

/* ---- the libraries ---- */

#define FORMAT_CALLS(X) \
  X(avformat_alloc_context) \
  X(avformat_open_input) \
  X(avformat_find_stream_info) X(avformat_close_input) X(av_read_frame) X(avio_alloc_context) X(avio_context_free)
#define CODEC_CALLS(X) \
  X(avcodec_find_decoder) \
  X(avcodec_get_name) \
  X(avcodec_alloc_context3) \
  X(avcodec_parameters_to_context) \
  X(avcodec_open2) \
  X(avcodec_send_packet) \
  X(avcodec_receive_frame) \
  X(avcodec_free_context) \
  X(av_packet_alloc) X(av_packet_free) X(av_packet_unref) X(av_codec_iterate) X(av_codec_is_decoder)
#define UTIL_CALLS(X) \
  X(av_frame_alloc) \
  X(av_frame_free) \
  X(av_malloc) X(av_freep) X(av_max_alloc) X(av_log_set_level) X(av_strerror) X(av_dict_get) X(av_version_info)

typedef struct calls {
  FORMAT_CALLS(AM_LIBRARY_MEMBER)
  CODEC_CALLS(AM_LIBRARY_MEMBER)
  UTIL_CALLS(AM_LIBRARY_MEMBER)
} calls;

#define TEXT(x) #x
#define NAME_OF(library, number) "lib" library ".so." TEXT(number)

static am_status load(calls *to, am_error *err) {
  static const char *const format[] = {FORMAT_CALLS(AM_LIBRARY_NAME) NULL},
                           *const codec[] = {CODEC_CALLS(AM_LIBRARY_NAME) NULL},
                           *const util[] = {UTIL_CALLS(AM_LIBRARY_NAME) NULL};
  static const am_library libraries[] = {{NAME_OF("avformat", LIBAVFORMAT_VERSION_MAJOR), format},
                                         {NAME_OF("avcodec", LIBAVCODEC_VERSION_MAJOR), codec},
                                         {NAME_OF("avutil", LIBAVUTIL_VERSION_MAJOR), util}};
  return am_library_load(libraries, sizeof libraries / sizeof *libraries, to, sizeof *to, err);
}

bool am_media_is_built(void) {
  const char *which = getenv("AM_MEDIA");
  return !which || strcmp(which, "none");
}

bool am_media_is_there(am_error *why) {
  calls c;
  return am_media_is_built() && !load(&c, why);
}

am_status am_media_library(char *out, size_t room, am_error *err) {
  calls c;
  const am_status status = load(&c, err);
  if (!status) snprintf(out, room, "%s", c.av_version_info());
  return status;
}

/* ---- the file ---- */

enum { IO_BYTES = 32768, MOST_CHANNELS = 1024, MOST_ALLOCATED = 256 << 20 };

typedef struct stream {
  calls f;
  const am_part *part;
  size_t at;
  AVIOContext *io;
  AVFormatContext *format;
  AVCodecContext *codec;
  AVPacket *packet;
  AVFrame *frame;
  char *decoders; /* of sound: no others are to be tried */
  int index;      /* of the track among all */
  int used;       /* samples of the frame that were given on */
  bool over;      /* there are no more packets */
  uint64_t given; /* samples */
  double wanted;  /* s that the file says it has; 0: it does not say */
  char why[200];
} stream;

static int file_read(void *user, uint8_t *to, int n) {
  stream *s = user;
  size_t left = s->part->bytes - s->at;
  if (n > 0 && (size_t)n < left) left = (size_t)n;
  if (!left || n <= 0) return AVERROR_EOF;
  am_part_copy(s->part, s->at, to, left);
  s->at += left;
  return (int)left;
}

static int64_t file_seek(void *user, int64_t offset, int whence) {
  stream *s = user;
  const int64_t bytes = (int64_t)s->part->bytes;
  if (whence & AVSEEK_SIZE) return bytes;
  whence &= ~AVSEEK_FORCE;
  const int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)s->at : bytes;
  if (offset < -from || offset > bytes - from) return AVERROR(EINVAL);
  s->at = (size_t)(from + offset);
  return from + offset;
}

/* A file may name others, on this machine or elsewhere. */
static int open_no_other(AVFormatContext *f, AVIOContext **io, const char *url, int flags, AVDictionary **options) {
  (void)f, (void)io, (void)url, (void)flags, (void)options;
  return AVERROR(EPERM);
}

/* Names of all decoders of sound, with commas. */
static bool list_decoders(am_decoder *d, stream *s) {
  am_buffer all = {0};
  void *at = NULL;
  const AVCodec *c;
  while ((c = s->f.av_codec_iterate(&at)))
    if (c->type == AVMEDIA_TYPE_AUDIO && s->f.av_codec_is_decoder(c))
      am_buffer_printf(d->ctx, &all, "%s%s", all.used ? "," : "", c->name);
  s->decoders = all.failed || !all.used ? NULL : s->f.av_malloc(all.used + 1);
  if (s->decoders) memcpy(s->decoders, all.data, all.used + 1);
  am_buffer_free(d->ctx, &all);
  return s->decoders != NULL;
}

static am_status fail_by(am_decoder *d, const char *what, int code, am_error *err) {
  char words[128] = "";
  stream *s = d->state;
  if (code == AVERROR(ENOMEM)) return am_no_memory(err);
  s->f.av_strerror(code, words, sizeof words);
  return am_fail(err, AM_E_FORMAT, "%s: damaged or truncated: %s (%s); copy or download it again", d->name, what,
                 words);
}

static am_status open_file(am_decoder *d, stream *s, am_error *err) {
  uint8_t *block = s->f.av_malloc(IO_BYTES);
  s->io = block ? s->f.avio_alloc_context(block, IO_BYTES, 0, s, file_read, NULL, file_seek) : NULL;
  if (!s->io) s->f.av_freep(&block);
  s->format = s->io && list_decoders(d, s) ? s->f.avformat_alloc_context() : NULL;
  if (!s->format) return am_no_memory(err);
  s->format->pb = s->io;
  s->format->io_open = open_no_other;
  s->format->codec_whitelist = s->decoders; /* and owns it */
  s->decoders = NULL;
  int code = s->f.avformat_open_input(&s->format, NULL, NULL, NULL);
  if (code < 0) return fail_by(d, "it has no complete header", code, err);
  code = s->f.avformat_find_stream_info(s->format, NULL);
  return code < 0 ? fail_by(d, "what is in it cannot be told", code, err) : AM_OK;
}

/* ---- the track ---- */

static const char *language_of(const stream *s, const AVStream *track) {
  const AVDictionaryEntry *e = s->f.av_dict_get(track->metadata, "language", NULL, 0);
  return e && strcmp(e->value, "und") ? e->value : "";
}

static void warn_tracks(am_decoder *d, const stream *s, int heard) {
  am_buffer all = {0};
  int n = 0;
  for (unsigned i = 0; i < s->format->nb_streams; i++) {
    const AVStream *t = s->format->streams[i];
    if (t->codecpar->codec_type != AVMEDIA_TYPE_AUDIO) continue;
    const char *language = language_of(s, t);
    am_buffer_printf(d->ctx, &all, "%s%d (%s%s%s, %d channel%s)", n ? ", " : "", n + 1,
                     s->f.avcodec_get_name(t->codecpar->codec_id), *language ? ", " : "", language,
                     t->codecpar->ch_layout.nb_channels, t->codecpar->ch_layout.nb_channels == 1 ? "" : "s");
    n++;
  }
  if (!all.failed && n > 1)
    am_log(d->ctx, AM_LOG_WARNING, "%s: has %d tracks of sound; track %d is heard of %s", d->name, n, heard, all.data);
  am_buffer_free(d->ctx, &all);
}

/* The one that was asked for; else the first that the file marks as its default; else the first. */
static am_status choose_track(am_decoder *d, stream *s, am_error *err) {
  int n = 0, chosen = 0;
  bool by_default = false;
  for (unsigned i = 0; i < s->format->nb_streams; i++) {
    AVStream *t = s->format->streams[i];
    t->discard = AVDISCARD_ALL;
    if (t->codecpar->codec_type != AVMEDIA_TYPE_AUDIO) continue;
    n++;
    const bool better = !by_default && (t->disposition & AV_DISPOSITION_DEFAULT);
    if (d->part->track ? n != d->part->track : chosen && !better) continue;
    by_default |= better;
    chosen = n;
    s->index = (int)i;
  }
  const char *what = am_container_foreign(d->part->data, d->part->bytes);
  if (!n) return am_fail(err, AM_E_FORMAT, "%s: is %s without a track of sound", d->name, what ? what : "a file");
  if (!chosen)
    return am_fail(err, AM_E_USAGE, "%s: has %d track%s of sound; there is no track %d", d->name, n,
                   am_count((size_t)n, "", "s"), d->part->track);
  s->format->streams[s->index]->discard = AVDISCARD_DEFAULT;
  if (!d->quiet && !d->part->track) warn_tracks(d, s, chosen);
  return AM_OK;
}

static double start_of(const AVStream *t) {
  return t->start_time == AV_NOPTS_VALUE ? 0 : (double)t->start_time * av_q2d(t->time_base);
}

/* Matroska's files have the end of each track as text: hours:minutes:seconds.  0: it says nothing that is understood. */
static double seconds_of_text(const char *text) {
  double seconds = 0;
  for (int part = 0; part < 3; part++) {
    char *end;
    const double x = strtod(text, &end);
    if (end == text || !(x >= 0) || *end != (part < 2 ? ':' : 0)) return 0;
    seconds = 60 * seconds + x;
    text = end + 1;
  }
  return seconds;
}

/* What the file says of this track alone: that of the whole may be the picture's. */
static double said_length(const stream *s) {
  const AVStream *t = s->format->streams[s->index];
  const AVDictionaryEntry *e = s->f.av_dict_get(t->metadata, "DURATION", NULL, AV_DICT_IGNORE_SUFFIX);
  const bool own = strstr(s->format->iformat->name, "mp4") != NULL || s->format->nb_streams == 1;
  if (e) return seconds_of_text(e->value) - start_of(t);
  if (!own || t->duration <= 0 || s->format->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return 0;
  return (double)t->duration * av_q2d(t->time_base);
}

static am_status open_codec(am_decoder *d, stream *s, am_error *err) {
  AVStream *t = s->format->streams[s->index];
  const AVCodec *codec = s->f.avcodec_find_decoder(t->codecpar->codec_id);
  if (!codec)
    return am_fail(err, AM_E_FORMAT, "%s: its sound is %s, which this machine's libavcodec does not decode", d->name,
                   s->f.avcodec_get_name(t->codecpar->codec_id));
  s->codec = s->f.avcodec_alloc_context3(codec);
  s->packet = s->f.av_packet_alloc();
  s->frame = s->f.av_frame_alloc();
  if (!s->codec || !s->packet || !s->frame) return am_no_memory(err);
  int code = s->f.avcodec_parameters_to_context(s->codec, t->codecpar);
  s->codec->pkt_timebase = t->time_base; /* by which delay and padding are taken off */
  s->codec->thread_count = 1;
  if (code >= 0) code = s->f.avcodec_open2(s->codec, codec, NULL);
  if (code < 0) return fail_by(d, "its sound cannot be decoded", code, err);
  s->wanted = said_length(s);
  const double begins = start_of(t),
               film = s->format->start_time == AV_NOPTS_VALUE ? 0 : (double)s->format->start_time / AV_TIME_BASE;
  if (!d->quiet && fabs(begins - film) > 0.1)
    am_log(d->ctx, AM_LOG_WARNING, "%s: its sound begins %.2f s after the film; times are those of the sound", d->name,
           begins - film);
  return AM_OK;
}

/* ---- samples ---- */

/* The next packet of the track into the decoder, or the end. */
static am_status feed(am_decoder *d, stream *s, am_error *err) {
  int code = s->f.av_read_frame(s->format, s->packet);
  const bool ours = code >= 0 && s->packet->stream_index == s->index;
  if (code == AVERROR(ENOMEM)) return am_no_memory(err);
  if (code < 0) {
    s->over = true;
    if (code != AVERROR_EOF) s->f.av_strerror(code, s->why, sizeof s->why);
    s->f.avcodec_send_packet(s->codec, NULL);
    return AM_OK;
  }
  code = ours ? s->f.avcodec_send_packet(s->codec, s->packet) : 0;
  s->f.av_packet_unref(s->packet);
  if (code == AVERROR(ENOMEM)) return am_no_memory(err);
  d->holes += code < 0 && code != AVERROR(EAGAIN) && code != AVERROR_EOF;
  return AM_OK;
}

/* A frame of samples into s->frame; *more false: there are none. */
static am_status next_frame(am_decoder *d, stream *s, bool *more, am_error *err) {
  *more = true;
  s->used = 0;
  for (;;) {
    const int code = s->f.avcodec_receive_frame(s->codec, s->frame);
    if (code == AVERROR(ENOMEM)) return am_no_memory(err);
    if (code >= 0 && s->frame->nb_samples > 0) {
      d->rate = s->frame->sample_rate;
      d->channels = s->frame->ch_layout.nb_channels;
      if (d->channels >= 1 && d->channels <= MOST_CHANNELS && d->rate >= 1) return AM_OK;
      return am_fail(err, AM_E_FORMAT, "%s: damaged: %.0f Hz, %d channels", d->name, d->rate, d->channels);
    }
    if (code < 0 && s->over) return *more = false, AM_OK;
    d->holes += code < 0 && code != AVERROR(EAGAIN);
    am_status status = code < 0 ? feed(d, s, err) : AM_OK;
    if (status) return status;
  }
}

/* n frames from `from` on; planes[c] has every `step`-th value of a channel. */
#define COPY(type, value) \
  for (size_t c = 0; c < channels; c++) { \
    const type *x = (const type *)f->extended_data[planar ? c : 0] + (planar ? from : from * channels + c); \
    for (size_t i = 0; i < n; i++, x += planar ? 1 : channels) to[i * channels + c] = (float)(value); \
  }

static bool copy(const AVFrame *f, size_t from, size_t n, float *to) {
  const size_t channels = (size_t)f->ch_layout.nb_channels;
  bool planar = true;
  switch (f->format) {
    case AV_SAMPLE_FMT_U8: planar = false; /* fall through */
    case AV_SAMPLE_FMT_U8P: COPY(uint8_t, (*x - 128) / 128.0f) return true;
    case AV_SAMPLE_FMT_S16: planar = false; /* fall through */
    case AV_SAMPLE_FMT_S16P: COPY(int16_t, *x / 32768.0f) return true;
    case AV_SAMPLE_FMT_S32: planar = false; /* fall through */
    case AV_SAMPLE_FMT_S32P: COPY(int32_t, *x / 2147483648.0) return true;
    case AV_SAMPLE_FMT_FLT: planar = false; /* fall through */
    case AV_SAMPLE_FMT_FLTP: COPY(float, *x) return true;
    case AV_SAMPLE_FMT_DBL: planar = false; /* fall through */
    case AV_SAMPLE_FMT_DBLP: COPY(double, *x) return true;
    default: return false;
  }
}

static am_status read_block(am_decoder *d, float *to, size_t floats, size_t *frames, am_error *err) {
  stream *s = d->state;
  *frames = 0;
  if (s->used >= s->frame->nb_samples) {
    bool more;
    am_status status = next_frame(d, s, &more, err);
    if (status || !more) return status;
  }
  size_t n = (size_t)(s->frame->nb_samples - s->used), room = floats / (size_t)d->channels;
  if (n > room) n = room;
  if (!copy(s->frame, (size_t)s->used, n, to))
    return am_fail(err, AM_E_FORMAT, "%s: its samples are of a kind that is not known (%d)", d->name, s->frame->format);
  s->used += (int)n;
  s->given += n;
  *frames = n;
  return AM_OK;
}

/* Half a second is left to delays, padding and the last frame. */
static const char *trouble(am_decoder *d) {
  stream *s = d->state;
  const double found = (double)s->given / d->rate;
  if (!*s->why && s->over && s->wanted - found > 0.5)
    snprintf(s->why, sizeof s->why, "its header promises %.2f s of sound; copy or download it again", s->wanted);
  return *s->why ? s->why : NULL;
}

static void close_stream(am_decoder *d) {
  stream *s = d->state;
  s->f.avcodec_free_context(&s->codec);
  s->f.av_packet_free(&s->packet);
  s->f.av_frame_free(&s->frame);
  if (s->format) s->f.avformat_close_input(&s->format);
  if (s->io) s->f.av_freep(&s->io->buffer);
  s->f.avio_context_free(&s->io);
  s->f.av_freep(&s->decoders);
  am_free(d->ctx, s);
}

am_status am_media_open(am_decoder *d, am_error *err) {
  stream *s = am_alloc(d->ctx, 1, sizeof *s);
  bool more = true;
  if (!s) return am_no_memory(err);
  if (load(&s->f, err)) {
    am_free(d->ctx, s);
    return am_error_prefix(err, "%s: its tracks are read through FFmpeg", d->name);
  }
  s->f.av_log_set_level(AV_LOG_QUIET);
  s->f.av_max_alloc(MOST_ALLOCATED);
  s->part = d->part;
  d->state = s;
  am_status status = open_file(d, s, err);
  if (!status) status = choose_track(d, s, err);
  if (!status) status = open_codec(d, s, err);
  if (!status) status = next_frame(d, s, &more, err); /* whose rate and channels are the true ones */
  if (!status && !more)
    status = am_fail(err, AM_E_FORMAT, "%s: damaged or truncated: no samples come out of its sound (%s)", d->name,
                     s->f.avcodec_get_name(s->codec->codec_id));
  if (status) return close_stream(d), status;
  d->samples_a_byte = 8192;
  d->read = read_block, d->trouble = trouble, d->close = close_stream;
  return AM_OK;
}
