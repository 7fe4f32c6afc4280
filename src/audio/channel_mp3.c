/* SPDX-License-Identifier: MIT */
/* audio/channel_mp3.c - through an MP3 encoder: libsndfile 1.1 and later write MP3 where they were built with LAME. */
#include "audio/channel.h"
#include "audio/encoder.h"
#include "audiomood/audio.h"

/* LAME's 576 samples and a decoder's 529 come before the sound, unless the file says so and they are left out. */
enum { DELAY = 576 + 529 };

am_status am_mp3(am_context *ctx, int kbits, double rate, float *x, size_t n, am_error *err) {
  am_buffer file = {0};
  am_sound sound = AM_SOUND_INIT;
  am_status status = n ? am_encode_mp3(ctx, kbits, x, n, rate, &file, err) : AM_OK;
  if (!status && n) status = am_sound_decode(ctx, file.data, file.used, "MP3", rate, 0, &sound, err);
  const size_t late = sound.n == n ? 0 : DELAY;
  for (size_t i = 0; !status && i < n; i++) x[i] = i + late < sound.n ? sound.samples[i + late] : 0;
  am_sound_free(&sound);
  am_buffer_free(ctx, &file);
  return status;
}
