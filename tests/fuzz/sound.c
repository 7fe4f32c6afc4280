/* SPDX-License-Identifier: MIT */
/* tests/fuzz/sound.c - a sound file in any format that is read: decoded as training does (resampled, with
 * features made of it), at its own rate, and counted. */
#include "audio/features.h"
#include "audiomood/audio.h"
#include "fuzz/fuzz.h"

#include <math.h>

/* What every input is made into, once; the context's allocator counts from then on. */
static am_features *features(void) {
  static am_features *fx;
  if (fx) return fx;
  am_context *ctx = fuzz_begin(0, false);
  am_error err = AM_ERROR_INIT;
  am_feature_options options;
  am_tree *tree;
  fuzz_require(!am_tree_create(ctx, &tree, &err));
  fuzz_require(!am_options_read(tree, am_feature_table, am_value_new(tree, AM_MAP), "features", &options, &err));
  fuzz_require(!am_features_create(ctx, &options, &fx, &err));
  am_tree_free(tree);
  return fx;
}

static void check_sound(am_status status, const am_sound *sound, const am_error *err) {
  fuzz_check(status, err);
  fuzz_require(!status == (sound->samples != NULL) && !status == (sound->n > 0));
  for (size_t i = 0; i < sound->n; i++) fuzz_require(isfinite(sound->samples[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  const am_features *fx = features();
  const double rate = am_features_options(fx)->sample_rate;
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT, own = AM_ERROR_INIT, other = AM_ERROR_INIT;
  am_sound sound = {.size = sizeof(am_sound)};
  am_sound_info info = {.size = sizeof info};
  am_status status = am_sound_decode(ctx, data, bytes, "fuzz", rate, 2, &sound, &err);
  check_sound(status, &sound, &err);
  int rows, columns;
  if (!status) {
    am_features_shape(fx, sound.n, &rows, &columns);
    float *out = am_alloc(ctx, (size_t)rows * (size_t)columns, sizeof *out);
    fuzz_require(out);
    fuzz_check(am_features_compute(fx, sound.samples, sound.n, 1, out, &rows, &err),
               &err); /* samples of 1e30 overflow */
    am_free(ctx, out);
  }
  am_sound_free(&sound);
  status = am_sound_decode(ctx, data, bytes, "fuzz", 0, 0.5, &sound, &own);
  check_sound(status, &sound, &own);
  am_sound_free(&sound);
  am_status counted = am_sound_inspect(ctx, fuzz_file("sound", data, bytes), &info, &other);
  fuzz_check(counted, &other);
  fuzz_require(status || (!counted && info.frames > 0 && info.seconds <= 0.5));
  fuzz_end();
  return 0;
}
