/* SPDX-License-Identifier: MIT */
/* tests/model/made_up_voice.h - bursts that are somewhat like a voice, and a speech detector trained on them. */
#ifndef AM_TEST_MADE_UP_VOICE_H
#define AM_TEST_MADE_UP_VOICE_H

#include "testing.h"

#include "audiomood/audiomood.h"
#include "model/config.h"
#include "model/detector.h"

static inline float voice_noise(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return (float)(*seed >> 8) / 8388608.0f - 1;
}

static const double voice_plan[] = {0.7, 1.9, 1.0, 0.15, 0.9,  4.6,
                                    0.3, 0.4, 0.8, 7.5,  0.12, 2.1}; /* pause, burst, ... s */
enum { VOICE_PARTS = sizeof voice_plan / sizeof *voice_plan };

/* Voice-like bursts of several lengths and pauses over soft noise. */
static inline float *voice_speech(double rate, double seconds, size_t *n) {
  *n = (size_t)(seconds * rate);
  float *x = calloc(*n + 1, sizeof *x);
  uint32_t seed = 3;
  double until = voice_plan[0];
  size_t p = 0;
  for (size_t i = 0; i < *n; i++) {
    const double t = (double)i / rate;
    if (t >= until) until += voice_plan[++p % VOICE_PARTS];
    const double f = 120 + 40 * sin(0.9 * t) + 20 * (double)(p % 5), phase = 6.283185307179586 * f * t;
    x[i] = 0.001f * voice_noise(&seed);
    if (p % 2 && fmod(t, 0.25) > 0.04)
      x[i] += 0.2f * /* syllables */ (float)(sin(phase) + 0.6 * sin(2 * phase) + 0.4 * sin(5 * phase));
  }
  return x;
}

/* Whether second t is in a burst. */
static inline bool voice_at(double t) {
  size_t p = 0;
  for (double until = voice_plan[0]; t >= until;) until += voice_plan[++p % VOICE_PARTS];
  return p % 2;
}

/* Makes a detector of 0.2 s at 16 kHz, FOLDER/run/best.h5. */
static inline const char *voice_detector(am_context *ctx, const char *folder) {
  const double window = 0.2;
  size_t n;
  char yaml[1024];
  am_error err = AM_ERROR_INIT;
  am_config *config = NULL;
  am_run_result result = {.size = sizeof result};
  float *x = voice_speech(16000, 42, &n);
  am_test_ok(am_sound_write(ctx, am_test_path(folder, "voice.wav"), x, n, 16000, true, &err), &err);
  free(x);
  FILE *manifest = fopen(am_test_path(folder, "manifest.csv"), "w");
  assert_non_null(manifest);
  fprintf(manifest, "path,label,speaker,start,seconds\n");
  for (int k = 0; k < 700; k++) {
    const double start = 0.05 * k, asked = start + window - AM_DETECTOR_LOOK - AM_DETECTOR_STEP / 2;
    fprintf(manifest, "voice.wav,%s,%d,%.2f,%.2f\n", voice_at(asked) ? AM_DETECTOR_SPEECH : AM_DETECTOR_OTHER, k % 7,
            start, window);
  }
  fclose(manifest);
  snprintf(
      yaml, sizeof yaml,
      "name: voice\ncache: \"\"\ndata: {corpus: manifest, root: \"%s\"}\n"
      "split: {kind: fixed, validation_speakers: [\"6\"]}\n"
      "features: {sample_rate: 16000, n_fft: 512, hop: 256, mels: 10, ref: one, top_db: 0, amin: 1e-9, center: false, "
      "samples: 3200, normalise: train}\n"
      "model: {layers: [flatten, {dense: {units: 8, activation: relu}}, {dense: {}}]}\n"
      "train: {epochs: 6, monitor: last, optimiser: {learning_rate: 0.01}}\n",
      folder);
  am_test_ok(am_config_from_text(ctx, yaml, "voice.yaml", NULL, 0, &config, &err), &err);
  const am_run_options options = {.size = sizeof options, .out = am_test_path(folder, "run")};
  am_test_ok(am_train_run(config, &options, &result, &err), &err);
  am_run_result_free(&result);
  am_config_free(config);
  return am_test_path(folder, "run/best.h5");
}

#endif
