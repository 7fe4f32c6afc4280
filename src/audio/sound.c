/* SPDX-License-Identifier: MIT */
/* audio/sound.c - files become mono sounds: part by part, block by block, resampled as they come. */
#include "audio/sound_inside.h"

#include "audio/decoder.h"
#include "audio/decoder_media.h"
#include "audio/resample.h"
#include "base/hash.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* A decoded sound takes no more than so many seconds at this rate, whatever rate its header says, or than its file
 * justifies (16 and 24 bits a sample become 32, at most 20 times are left to the codec). */
static const double largest_rate = 48000;
enum { SPARE = 32 << 20, EXPANSION = 16 };

enum { BLOCK = 65536 }; /* floats: 120 ms of Opus in 8 channels, or 64 samples of the most channels libsndfile knows */

typedef struct hearing {
  am_context *ctx;
  const char *name;
  am_sound *out;
  bool count;       /* only what there is: nothing is kept */
  int channel;      /* that is heard, from 1 on; 0: the mean of all */
  am_sound_fn feed; /* gets the samples instead of `out`; NULL: they are kept */
  void *user;
  double rate; /* Hz wanted; 0: that of what comes first */
  double max_seconds;
  size_t most;     /* samples that may be kept */
  size_t capacity; /* of out->samples */
  float *block, *mono, *resampled;
  am_resampler *resampler; /* from .now Hz, where it is not .rate */
  double now;              /* Hz of what is read */
  double seconds;          /* of all before it */
  uint64_t stretch;        /* samples at this rate so far */
  uint64_t part;           /* samples of this part so far */
  uint64_t frames;         /* of all parts */
  uint32_t crc[2];         /* of their mean samples, by turns (note) */
} hearing;

/* Header values that no recording has would only make us allocate. */
static am_status check_header(const hearing *h, const am_decoder *d, am_error *err) {
  if (d->rate < 1000 || d->rate > 1000000)
    return am_fail(err, AM_E_FORMAT, "%s: its header says %.0f Hz; wanted 1 kHz to 1 MHz", h->name, d->rate);
  if (d->channels < 1 || d->channels > BLOCK)
    return am_fail(err, AM_E_FORMAT, "%s: its header says %d channels", h->name, d->channels);
  if (h->channel > d->channels)
    return am_fail(err, AM_E_USAGE, "%s: has %d channel%s; there is no channel %d", h->name, d->channels,
                   am_count((size_t)d->channels, "", "s"), h->channel);
  if (d->early && (double)d->promised > h->max_seconds * d->rate)
    return am_fail(err, AM_E_FORMAT, "%s: %.1f s long, more than the limit of %g s; cut it", h->name,
                   (double)d->promised / d->rate, h->max_seconds);
  return AM_OK;
}

static am_status fail_not_finite(const hearing *h, const am_decoder *d, size_t frame, int channel, float x,
                                 am_error *err) {
  return am_fail(err, AM_E_NUMERIC, "%s: sample %zu (%.4f s), channel %d of %d, is %s; the file is damaged", h->name,
                 (size_t)h->stretch + frame, h->seconds + (double)(h->stretch + frame) / d->rate, channel + 1,
                 d->channels, isnan(x) ? "NaN" : "infinite");
}

/* Whether all of x are numbers: without a branch in the loop, which compilers make vectors of. */
static bool all_finite(const float *x, size_t n) {
  int bad = 0;
  for (size_t i = 0; i < n; i++) bad |= !(fabsf(x[i]) <= FLT_MAX);
  return !bad;
}

/* One channel, or the mean of each frame's; *mono is the block itself where there is one channel. */
static am_status mix(const hearing *h, const am_decoder *d, size_t frames, float **mono, am_error *err) {
  size_t channels = (size_t)d->channels;
  const float *x = h->block;
  float *out = *mono = channels > 1 ? h->mono : h->block;
  for (size_t i = 0; channels > 1 && h->channel && i < frames; i++) out[i] = x[i * channels + (size_t)h->channel - 1];
  for (size_t i = 0; channels > 1 && !h->channel && i < frames; i++) {
    float sum = 0;
    for (size_t c = 0; c < channels; c++) sum += x[i * channels + c];
    out[i] = sum / (float)channels;
  }
  if (all_finite(out, frames)) return AM_OK;
  size_t i = 0;
  while (isfinite(out[i])) i++;
  for (size_t c = 0; c < channels && !h->channel; c++)
    if (!isfinite(x[i * channels + c])) return fail_not_finite(h, d, i, (int)c, x[i * channels + c], err);
  return fail_not_finite(h, d, i, h->channel ? h->channel - 1 : 0, out[i], err);
}

/* Room for n more samples.  The array grows with what is really there: a header can lie. */
static am_status make_room(hearing *h, size_t n, am_error *err) {
  am_sound *out = h->out;
  size_t want = out->n + n;
  if (want <= h->capacity) return AM_OK;
  if (out->n > h->most)
    return am_fail(err, AM_E_FORMAT,
                   "%s: more than %zu samples at %.0f Hz, which take more memory than %g s at 48 kHz; "
                   "convert it to 48 kHz or less",
                   h->name, h->most, h->rate, h->max_seconds);
  size_t capacity = out->n + out->n / 2 + n;
  if (capacity > h->most + n) capacity = h->most + n;
  if (capacity < want) capacity = want;
  float *grown = am_resize(h->ctx, out->samples, capacity, sizeof *grown);
  if (!grown) return am_no_memory(err);
  out->samples = grown;
  h->capacity = capacity;
  return AM_OK;
}

/* x NULL: the end of what the resampler takes. */
static am_status keep_resampled(hearing *h, const float *x, size_t n, am_error *err) {
  size_t used, made;
  do {
    am_status status = h->feed ? AM_OK : make_room(h, BLOCK, err);
    float *to = h->feed ? h->resampled : h->out->samples + h->out->n;
    if (!status) status = am_resampler_run(h->resampler, x, n, &used, to, BLOCK, &made, err);
    if (status) return status;
    if (!all_finite(to, made))
      return am_fail(err, AM_E_NUMERIC, "%s: its samples are too large to be resampled, near 1e38; the file is damaged",
                     h->name);
    h->out->n += made;
    if (h->feed && made && (status = h->feed(h->user, to, made, err))) return status;
    if (x) x += used, n -= used;
  } while (x ? n > 0 : made > 0);
  return AM_OK;
}

static am_status keep(hearing *h, const float *x, size_t n, am_error *err) {
  if (h->count) return AM_OK;
  if (h->resampler) return keep_resampled(h, x, n, err);
  if (h->feed) {
    h->out->n += n;
    return n ? h->feed(h->user, x, n, err) : AM_OK;
  }
  am_status status = make_room(h, n, err);
  if (status) return status;
  memcpy(h->out->samples + h->out->n, x, n * sizeof *x);
  h->out->n += n;
  return AM_OK;
}

/* What was read at one rate is complete. */
static am_status end_stretch(hearing *h, am_error *err) {
  am_status status = h->resampler ? keep_resampled(h, NULL, 0, err) : AM_OK;
  am_resampler_free(h->resampler);
  h->resampler = NULL;
  if (h->now > 0) h->seconds += (double)h->stretch / h->now;
  h->stretch = 0;
  return status;
}

static am_status begin_stretch(hearing *h, const am_decoder *d, am_error *err) {
  am_status status = end_stretch(h, err);
  if (!status) status = check_header(h, d, err);
  if (status) return status;
  h->now = d->rate;
  if (!h->out->file_channels) {
    h->out->file_rate = d->rate;
    h->out->file_channels = d->channels;
    if (h->rate <= 0) h->rate = d->rate;
    double most = h->max_seconds * fmax(largest_rate, h->rate > d->rate ? h->rate : 0);
    h->most = most > (double)h->most ? most < 1e15 ? (size_t)most : (size_t)1e15 : h->most;
  }
  if (h->count || h->rate == d->rate) return AM_OK;
  return am_resampler_create(h->ctx, d->rate, h->rate, &h->resampler, err);
}

/* For the digest, a crc32c of every second stretch of 32768 samples each, wherever the blocks end: two of them tell sounds
 * apart that one would not, at a twentieth of the time of a 64-bit hash. */
static void note(hearing *h, const float *x, size_t n) {
  enum { TURN = 32768 };
  for (uint64_t at = h->frames; n;) {
    const size_t left = (size_t)(TURN - at % TURN), some = n < left ? n : left;
    uint32_t *crc = &h->crc[at / TURN % 2];
    *crc = am_crc32c(*crc, x, some * sizeof *x);
    x += some, at += some, n -= some;
  }
}

static am_status take(hearing *h, const am_decoder *d, size_t frames, am_error *err) {
  float *mono;
  am_status status = d->rate == h->now ? AM_OK : begin_stretch(h, d, err);
  if (status) return status;
  if (h->channel > d->channels) return check_header(h, d, err);
  const double possible = 65536 + (double)d->part->bytes * (double)d->samples_a_byte;
  if ((double)(h->stretch + frames) > (h->max_seconds - h->seconds) * d->rate)
    return am_fail(err, AM_E_FORMAT, "%s: longer than the limit of %g s; cut it", h->name, h->max_seconds);
  if ((double)(h->part + frames) > possible)
    return am_fail(err, AM_E_FORMAT, "%s: damaged: more than %.0f samples come out of %zu bytes", h->name, possible,
                   d->part->bytes);
  status = mix(h, d, frames, &mono, err);
  if (!status && !h->count) note(h, mono, frames);
  if (!status) status = keep(h, mono, frames, err);
  h->stretch += frames, h->part += frames, h->frames += frames;
  return status;
}

/* What was decoded against what the header promised. */
static am_status check_complete(const hearing *h, am_decoder *d, am_error *err) {
  const char *trouble = d->trouble(d);
  const unsigned long long promised = d->promised, found = h->part, at = d->part->promised;
  if (trouble && (d->early || !d->promised || found < promised))
    return am_fail(err, AM_E_FORMAT, "%s: damaged after %llu samples (%.2f s): %s", h->name, found,
                   (double)found / d->rate, trouble);
  if (d->exact && found && found < promised)
    return am_fail(err, AM_E_FORMAT,
                   "%s: truncated: its header promises %llu samples and %llu could be read; copy or download it again",
                   h->name, promised, found);
  if (d->quiet) return AM_OK;
  if (trouble)
    am_log(h->ctx, AM_LOG_WARNING, "%s: what follows its %llu samples is no sound; it is left out", h->name, found);
  if (promised && found > promised)
    am_log(h->ctx, AM_LOG_WARNING, "%s: its header promises %llu samples and %llu are there; all are read", h->name,
           promised, found);
  if (d->early && found < at)
    am_log(h->ctx, AM_LOG_WARNING, "%s: its pages count %llu samples, its header %llu; the rest is left out", h->name,
           at, found);
  if (d->holes)
    am_log(h->ctx, AM_LOG_WARNING, "%s: %d gap%s in the sound, where parts of the file are missing or damaged", h->name,
           d->holes, d->holes == 1 ? "" : "s");
  return AM_OK;
}

static am_status open_part(am_container *c, am_decoder *d, am_error *err) {
  static am_status (*const open[])(am_decoder *, am_error *) = {am_sndfile_open, am_mpeg_open, am_vorbis_open,
                                                                am_opus_open, am_media_open};
  am_error why = AM_ERROR_INIT;
  am_status status = open[d->part->codec](d, &why);
  if (!status) return AM_OK;
  if (!d->refusal) return am_fail(err, status, "%s", why.message);
  return am_container_refused(c, d->part, d->refusal, err);
}

static am_status hear_part(hearing *h, am_container *c, const am_part *part, am_error *err) {
  am_decoder d = {.ctx = h->ctx, .part = part, .name = h->name, .quiet = c->quiet};
  am_status status = open_part(c, &d, err);
  if (status) return status;
  h->part = 0;
  status = check_header(h, &d, err);
  if (!status && !h->out->file_channels) status = begin_stretch(h, &d, err);
  for (size_t frames = 1; !status && frames > 0;) {
    status = d.read(&d, h->block, BLOCK, &frames, err);
    if (!status && frames) status = take(h, &d, frames, err);
  }
  if (!status) status = check_complete(h, &d, err);
  d.close(&d);
  return status;
}

/* A sound that grew in steps gives back what it does not need. */
static am_status fit(hearing *h, am_error *err) {
  if (h->count || h->feed || h->capacity - h->out->n <= h->capacity / 8) return AM_OK;
  float *fitting = am_resize(h->ctx, h->out->samples, h->out->n, sizeof *fitting);
  if (!fitting) return am_no_memory(err);
  h->out->samples = fitting;
  return AM_OK;
}

static am_status hear_all(hearing *h, am_container *c, am_error *err) {
  am_part part;
  bool more = true;
  h->block = am_alloc(h->ctx, h->feed ? 3 * BLOCK : 2 * BLOCK, sizeof *h->block);
  am_status status = h->block ? AM_OK : am_no_memory(err);
  h->mono = h->block ? h->block + BLOCK : NULL;
  h->resampled = h->block && h->feed ? h->mono + BLOCK : NULL;
  h->most = (SPARE + am_mul(EXPANSION, c->bytes)) / sizeof(float);
  while (!status) {
    status = am_container_next(c, &part, &more, err);
    if (status || !more) break;
    status = hear_part(h, c, &part, err);
    am_free(h->ctx, part.own);
  }
  am_error lost = AM_ERROR_INIT; /* the first failure is the one that is told */
  am_status ended = end_stretch(h, status ? &lost : err);
  if (!status) status = ended;
  am_free(h->ctx, h->block);
  if (!status && !h->frames)
    status = am_fail(err, AM_E_FORMAT, "%s: holds no samples: a header of %.0f Hz, %d channels, and nothing after it",
                     h->name, h->out->file_rate, h->out->file_channels);
  return status ? status : fit(h, err);
}

static am_status hear_once(am_container *c, const am_sound_want *want, am_sound *out, am_sound_info *info,
                           am_error *err) {
  *out = (am_sound){.size = sizeof *out, .context = c->ctx};
  hearing h = {.ctx = c->ctx,
               .name = c->name,
               .out = out,
               .count = want->count,
               .channel = want->channel,
               .feed = want->each,
               .user = want->user,
               .rate = want->rate,
               .max_seconds = want->max_seconds};
  am_status status = hear_all(&h, c, err);
  out->rate = h.rate;
  const uint64_t digest[4] = {(uint64_t)out->file_rate, h.frames, h.crc[0], h.crc[1]};
  out->digest = am_hash64(0, digest, sizeof digest);
  info->frames = h.frames;
  info->rate = out->file_rate;
  info->channels = out->file_channels;
  info->seconds = h.seconds;
  if (status) am_sound_free(out);
  return status;
}

am_status am_sound_hear(am_container *c, const am_sound_want *want, am_sound *out, am_sound_info *info, am_error *err) {
  am_error why = AM_ERROR_INIT, missing = AM_ERROR_INIT;
  c->media |= want->track > 0;
  c->track = want->track;
  am_status status = hear_once(c, want, out, info, &why);
  if (status && c->unread && c->parts == 1 && c->may_be_media && !c->media && am_media_is_there(&missing)) {
    c->media = true;
    c->at = 0;
    c->parts = 0;
    return hear_once(c, want, out, info, err);
  }
  if (missing.status) return am_fail(err, status, "%s; or FFmpeg would read it: %s", why.message, missing.message);
  return status ? am_fail(err, status, "%s", why.message) : AM_OK;
}

void am_sound_free(am_sound *sound) {
  if (!sound) return;
  if (sound->context) am_free(sound->context, sound->samples);
  sound->context = NULL;
  sound->samples = NULL;
  sound->n = 0;
}
