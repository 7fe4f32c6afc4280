/* SPDX-License-Identifier: MIT */
/* audio/sound_write.c - WAV files as we write them: one format chunk, one data chunk.
 * Written through am_file_write, so a crash leaves the old file or the new one. */
#include "audio/sound.h"
#include "audiomood/audio.h"

#include "base/file.h"

#include <math.h>
#include <string.h>

enum { HEADER = 44, PCM = 1, IEEE_FLOAT = 3 };

static void put(unsigned char *at, int bytes, uint32_t x) {
  for (int i = 0; i < bytes; i++) at[i] = (unsigned char)(x >> 8 * i);
}

static void put_header(unsigned char *h, uint32_t data_bytes, uint32_t rate, bool pcm16) {
  uint32_t width = pcm16 ? 2 : 4;
  memcpy(h, "RIFF....WAVEfmt ", 16);
  put(h + 4, 4, data_bytes + HEADER - 8);
  put(h + 16, 4, 16);
  put(h + 20, 2, pcm16 ? PCM : IEEE_FLOAT);
  put(h + 22, 2, 1); /* channels */
  put(h + 24, 4, rate);
  put(h + 28, 4, rate * width);
  put(h + 32, 2, width);
  put(h + 34, 2, 8 * width);
  memcpy(h + 36, "data", 4);
  put(h + 40, 4, data_bytes);
}

am_status am_sound_write_as(am_context *ctx, am_whose whose, const char *path, const float *samples, size_t n,
                            double rate, bool pcm16, am_error *err) {
  size_t width = pcm16 ? 2 : 4;
  if (!(rate >= 1 && rate <= 1e6))
    return am_fail(err, AM_E_USAGE, "%s: cannot write a sound of %g Hz; wanted 1 Hz to 1 MHz", path, rate);
  if (n > (UINT32_MAX - HEADER) / width / 2)
    return am_fail(err, AM_E_USAGE, "%s: %zu samples are too many for a WAV file", path, n);
  unsigned char *file = am_alloc(ctx, HEADER + n * width, 1);
  if (!file) return am_no_memory(err);
  put_header(file, (uint32_t)(n * width), (uint32_t)lrint(rate), pcm16);
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    if (pcm16) {
      float x = samples[i] < -1 ? -1 : samples[i] > 1 ? 1 : samples[i];
      long level = lrintf(x * 32768.0f);
      bits = (uint32_t)(isnan(x) ? 0 : level > 32767 ? 32767 : level);
    } else {
      memcpy(&bits, &samples[i], sizeof bits);
    }
    put(file + HEADER + i * width, (int)width, bits);
  }
  am_status status = am_file_write_as(ctx, whose, path, file, HEADER + n * width, err);
  am_free(ctx, file);
  return status;
}

am_status am_sound_write(am_context *ctx, const char *path, const float *samples, size_t n, double rate, bool pcm16,
                         am_error *err) {
  am_status status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, path);
  if (!status && n) status = AM_NEED(err, samples);
  if (status) return status;
  return am_sound_write_as(ctx, AM_GIVEN, path, samples, n, rate, pcm16, err);
}
