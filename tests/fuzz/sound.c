/* tests/fuzz/sound.c - a sound file in any format that libsndfile knows, from memory and by its header. */
#include "audiomood/audio.h"
#include "fuzz/fuzz.h"

#include <math.h>

/* Lossless and perceptual codecs rightly make minutes of silence of little; all other formats take bits for a sample. */
static bool writes_silence_short(const uint8_t *data, size_t bytes) {
  return bytes >= 4 && (!memcmp(data, "fLaC", 4) || !memcmp(data, "OggS", 4) || !memcmp(data, "caff", 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(writes_silence_short(data, bytes) ? 256 * bytes : bytes, true);
  am_error err = AM_ERROR_INIT, other = AM_ERROR_INIT;
  am_sound sound = {.size = AM_SOUND_INIT_SIZE};
  am_sound_info info = {.size = sizeof info};
  am_status status = am_sound_decode(ctx, data, bytes, "fuzz", 0, 2, &sound, &err);
  fuzz_check(status, &err);
  fuzz_require(!status == (sound.samples != NULL) && !status == (sound.n > 0));
  for (size_t i = 0; i < sound.n; i++) fuzz_require(isfinite(sound.samples[i]));
  am_sound_free(ctx, &sound);
  fuzz_check(am_sound_inspect(ctx, fuzz_file("sound", data, bytes), &info, &other), &other);
  fuzz_end();
  return 0;
}
