/* audio/sound.c - libsndfile, the only file that knows it. */
#include "audio/sound.h"

#include "audio/container.h"
#include "audio/libraries.h"
#include "base/file.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>

const char *am_sound_library(void) { return sf_version_string(); }

static const double default_seconds = 600;
/* A file is decoded from memory; this is ten times 600 s of 48 kHz stereo. */
static const size_t largest_file = (size_t)1 << 30;

/* libsndfile reads through these from memory. */
typedef struct memory_file {
  const unsigned char *data;
  sf_count_t bytes, at;
} memory_file;

static sf_count_t memory_length(void *user) { return ((memory_file *)user)->bytes; }

static sf_count_t memory_seek(sf_count_t offset, int whence, void *user) {
  memory_file *f = user;
  sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->at : f->bytes;
  if (offset < -from || offset > f->bytes - from) return -1;
  return f->at = from + offset;
}

static sf_count_t memory_read(void *to, sf_count_t count, void *user) {
  memory_file *f = user;
  if (count > f->bytes - f->at) count = f->bytes - f->at;
  memcpy(to, f->data + f->at, (size_t)count);
  f->at += count;
  return count;
}

static sf_count_t memory_write(const void *from, sf_count_t count, void *user) {
  (void)from, (void)count, (void)user;
  return 0;
}

static sf_count_t memory_tell(void *user) { return ((memory_file *)user)->at; }

/* A length that the header does not know comes as 0 or as the largest count. */
static bool known_length(const SF_INFO *info) { return info->frames > 0 && info->frames < SF_COUNT_MAX / 2; }

/* Header values that no recording has would only make us allocate. */
static am_status check_info(const SF_INFO *info, const char *name, double max_seconds, am_error *err) {
  if (info->samplerate < 1000 || info->samplerate > 1000000)
    return am_fail(err, AM_E_FORMAT, "%s: its header says %d Hz; wanted 1 kHz to 1 MHz", name,
                   info->samplerate);
  if (info->channels < 1)
    return am_fail(err, AM_E_FORMAT, "%s: its header says %d channels", name, info->channels);
  if (known_length(info) && (double)info->frames > max_seconds * info->samplerate)
    return am_fail(err, AM_E_FORMAT,
                   "%s: %.1f s long, more than the limit of %g s; cut it or raise the limit", name,
                   (double)info->frames / info->samplerate, max_seconds);
  return AM_OK;
}

static am_status fail_not_finite(const char *name, const SF_INFO *info, size_t frame, int channel, float x,
                                 am_error *err) {
  return am_fail(err, AM_E_NUMERIC, "%s: sample %zu (%.4f s), channel %d of %d, is %s; the file is damaged",
                 name, frame, (double)frame / info->samplerate, channel + 1, info->channels,
                 isnan(x) ? "NaN" : "infinite");
}

/* Whether all of x are numbers: without a branch in the loop, which compilers make vectors of. */
static bool all_finite(const float *x, size_t n) {
  int bad = 0;
  for (size_t i = 0; i < n; i++) bad |= !(fabsf(x[i]) <= FLT_MAX);
  return !bad;
}

/* Mean of each frame's channels into out; x (frames, channels), which for one channel may be out. */
static am_status mix(const float *x, size_t frames, size_t done, const SF_INFO *info, const char *name,
                     float *out, am_error *err) {
  size_t channels = (size_t)info->channels;
  for (size_t i = 0; channels > 1 && i < frames; i++) {
    float sum = 0;
    for (size_t c = 0; c < channels; c++) sum += x[i * channels + c];
    out[i] = sum / (float)channels;
  }
  if (all_finite(out, frames)) return AM_OK;
  size_t i = 0;
  while (isfinite(out[i])) i++;
  for (size_t c = 0; c < channels; c++)
    if (!isfinite(x[i * channels + c]))
      return fail_not_finite(name, info, done + i, (int)c, x[i * channels + c], err);
  return fail_not_finite(name, info, done + i, 0, out[i], err);
}

/* Most samples of a channel that a byte of a file can stand for.  Lossless and perceptual codecs write silence as next to
 * nothing: a frame of FLAC, 65,535 samples, takes some fourteen bytes.  All others take bits for each sample, the smallest
 * one (DWVW).  libsndfile gives what a header promises, also when nothing comes after it. */
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

/* All frames as mono into out->samples.  The array grows with what is really there: a header can lie. */
static am_status read_frames(am_context *ctx, SNDFILE *file, const SF_INFO *info, const char *name, size_t bytes,
                             double max_seconds, am_sound *out, am_error *err) {
  assert(info->channels > 0 && info->samplerate > 0); /* check_info */
  const size_t possible = am_add(65536, am_mul(bytes, samples_a_byte(info)));
  size_t channels = (size_t)info->channels, block = 1 + 65536 / channels, capacity = 0;
  size_t limit = (size_t)(max_seconds * info->samplerate);
  float *frames = channels > 1 ? am_alloc(ctx, am_mul(block, channels), sizeof *frames) : NULL;
  am_status status = frames || channels == 1 ? AM_OK : am_no_memory(err);
  while (!status) {
    if (out->n + block > capacity) {
      capacity = out->n + out->n / 2 + block;
      float *grown = am_resize(ctx, out->samples, capacity, sizeof *grown);
      if (!grown) {
        status = am_no_memory(err);
        break;
      }
      out->samples = grown;
    }
    float *mono = out->samples + out->n, *to = frames ? frames : mono;
    sf_count_t got = sf_readf_float(file, to, (sf_count_t)block);
    if (got <= 0) break;
    if (out->n + (size_t)got > limit) {
      status = am_fail(err, AM_E_FORMAT, "%s: longer than the limit of %g s; cut it or raise the limit", name,
                       max_seconds);
      break;
    }
    if (out->n + (size_t)got > possible) {
      status = am_fail(err, AM_E_FORMAT, "%s: damaged: more than %zu samples come out of %zu bytes", name, possible, bytes);
      break;
    }
    status = mix(to, (size_t)got, out->n, info, name, mono, err);
    out->n += (size_t)got;
  }
  am_free(ctx, frames);
  return status;
}

/* What was decoded against what the header promised. */
static am_status check_complete(SNDFILE *file, const SF_INFO *info, const char *name, size_t n,
                                am_error *err) {
  int error = sf_error(file);
  if (error)
    return am_fail(err, AM_E_FORMAT, "%s: damaged after %zu samples (%.2f s): %s", name, n,
                   (double)n / info->samplerate, sf_error_number(error));
  if (n == 0)
    return am_fail(err, AM_E_FORMAT,
                   "%s: holds no samples: a header of %d Hz, %d channels, and nothing after it", name,
                   info->samplerate, info->channels);
  if (known_length(info) && (sf_count_t)n < info->frames)
    return am_fail(
        err, AM_E_FORMAT,
        "%s: truncated: its header promises %lld samples and %zu could be read; copy or download it again",
        name, (long long)info->frames, n);
  return AM_OK;
}

/* Opens what lies in memory, after the checks that libsndfile does not make. */
static am_status open_memory(memory_file *memory, const char *name, double max_seconds, SF_INFO *info,
                             SNDFILE **out, am_error *err) {
  static SF_VIRTUAL_IO io = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
  *info = (SF_INFO){0};
  *out = NULL;
  if (memory->bytes == 0) return am_container_describe(memory->data, 0, name, "", err);
  am_status status = am_container_check(memory->data, (size_t)memory->bytes, name, err);
  if (status) return status;
  *out = sf_open_virtual(&io, SFM_READ, info, memory);
  if (!*out) /* the number, not the text: sf_strerror(NULL) shares one buffer between threads */
    return am_container_describe(memory->data, (size_t)memory->bytes, name, sf_error_number(sf_error(NULL)),
                                 err);
  status = check_info(info, name, max_seconds, err);
  if (status) {
    sf_close(*out);
    *out = NULL;
  }
  return status;
}

static am_status empty(am_sound *out, am_error *err) {
  if (out->size < sizeof *out)
    return am_fail(err, AM_E_USAGE, "am_sound: set size to AM_SOUND_INIT_SIZE before the call");
  *out = (am_sound){.size = out->size};
  return AM_OK;
}

am_status am_sound_decode(am_context *ctx, const void *data, size_t bytes, const char *name, double rate,
                          double max_seconds, am_sound *out, am_error *err) {
  am_status status = empty(out, err);
  if (status) return status;
  memory_file memory = {data, (sf_count_t)bytes, 0};
  max_seconds = max_seconds > 0 ? max_seconds : default_seconds;
  SF_INFO info;
  SNDFILE *file;
  status = open_memory(&memory, name, max_seconds, &info, &file, err);
  if (status) return status;
  status = read_frames(ctx, file, &info, name, bytes, max_seconds, out, err);
  if (!status) status = check_complete(file, &info, name, out->n, err);
  sf_close(file);
  out->rate = out->file_rate = info.samplerate;
  out->file_channels = info.channels;
  if (!status && rate > 0) status = am_sound_resample(ctx, out, rate, err);
  if (status) am_sound_free(ctx, out);
  return status;
}

am_status am_sound_load_clip(am_context *ctx, const char *path, char **data, size_t *bytes, am_error *err) {
  return am_file_read_ordinary(ctx, path, "a sound file", largest_file, data, bytes, err);
}

static am_status load_any(am_context *ctx, const char *path, char **data, size_t *bytes, am_error *err) {
  return am_file_read(ctx, path, largest_file, data, bytes, err);
}

typedef am_status loader(am_context *ctx, const char *path, char **data, size_t *bytes, am_error *err);

static am_status read_by(am_context *ctx, loader *load, const char *path, double rate, double max_seconds,
                         am_sound *out, am_error *err) {
  char *data;
  size_t bytes;
  am_status status = empty(out, err);
  if (!status) status = load(ctx, path, &data, &bytes, err);
  if (status) return status;
  status = am_sound_decode(ctx, data, bytes, path, rate, max_seconds, out, err);
  am_free(ctx, data);
  return status;
}

am_status am_sound_read(am_context *ctx, const char *path, double rate, double max_seconds, am_sound *out,
                        am_error *err) {
  return read_by(ctx, load_any, path, rate, max_seconds, out, err);
}

am_status am_sound_read_clip(am_context *ctx, const char *path, double rate, double max_seconds, am_sound *out,
                             am_error *err) {
  return read_by(ctx, am_sound_load_clip, path, rate, max_seconds, out, err);
}

static am_status inspect_by(am_context *ctx, loader *load, const char *path, am_sound_info *out, am_error *err) {
  if (out->size < sizeof *out)
    return am_fail(err, AM_E_USAGE, "am_sound_info: set size to sizeof(am_sound_info) before the call");
  char *data;
  size_t bytes;
  am_status status = load(ctx, path, &data, &bytes, err);
  if (status) return status;
  memory_file memory = {(unsigned char *)data, (sf_count_t)bytes, 0};
  SF_INFO info;
  SNDFILE *file;
  status = open_memory(&memory, path, HUGE_VAL, &info, &file, err);
  if (!status) {
    sf_close(file);
    out->frames = known_length(&info) ? (uint64_t)info.frames : 0;
    out->rate = info.samplerate;
    out->channels = info.channels;
    out->seconds = (double)out->frames / out->rate;
  }
  am_free(ctx, data);
  return status;
}

am_status am_sound_inspect(am_context *ctx, const char *path, am_sound_info *out, am_error *err) {
  return inspect_by(ctx, load_any, path, out, err);
}

am_status am_sound_inspect_clip(am_context *ctx, const char *path, am_sound_info *out, am_error *err) {
  return inspect_by(ctx, am_sound_load_clip, path, out, err);
}

void am_sound_free(am_context *ctx, am_sound *sound) {
  if (!sound) return;
  am_free(ctx, sound->samples);
  sound->samples = NULL;
  sound->n = 0;
}
