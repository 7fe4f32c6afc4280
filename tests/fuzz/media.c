/* SPDX-License-Identifier: MIT */
/* tests/fuzz/media.c - a film or the like: its first track of sound, or its second, decoded in this process as a child would do. */
#include "audio/sound_inside.h"
#include "fuzz/fuzz.h"

#include <math.h>

static am_status take(void *user, const float *samples, size_t n, am_error *err) {
  (void)err;
  fuzz_require(n > 0);
  for (size_t i = 0; i < n; i++) fuzz_require(isfinite(samples[i]));
  *(size_t *)user += n;
  return AM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, true);
  for (int track = 0; track <= 2; track += 2) {
    am_error err = AM_ERROR_INIT;
    am_sound sound = {.size = sizeof sound};
    am_sound_info info = {.size = sizeof info};
    size_t n = 0;
    am_container c = {.ctx = ctx, .data = data, .bytes = bytes, .name = "fuzz", .may_be_media = true, .media = true};
    const am_sound_want want = {.rate = 16000, .max_seconds = 2, .track = track, .each = take, .user = &n};
    am_status status = am_sound_hear(&c, &want, &sound, &info, &err);
    fuzz_check(status, &err);
    fuzz_require(status || (n == sound.n && info.frames > 0));
    fuzz_require(!sound.samples);
  }
  fuzz_end();
  return 0;
}
