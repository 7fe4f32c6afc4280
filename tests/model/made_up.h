/* SPDX-License-Identifier: MIT */
/* tests/model/made_up.h - a corpus of sines in a folder, and configs for it. */
#ifndef AM_TEST_MADE_UP_H
#define AM_TEST_MADE_UP_H

#include "testing.h"

#include "audiomood/audio.h"
#include "model/checkpoint.h"
#include "model/metrics.h"

/* `speakers` x 3 classes x `takes` clips of a quarter second: low, middle and high tones, with a pitch that
 * depends on speaker and take, as 16 kHz WAV files named in manifest.csv. */
static inline void made_up_corpus(am_context *ctx, const char *folder, int speakers, int takes) {
  static const char *const labels[] = {"low", "middle", "high"};
  static const double pitch[] = {250, 900, 3000};
  enum { RATE = 16000, LONGEST = RATE / 4 };
  static float samples[LONGEST];
  am_error err = AM_ERROR_INIT;
  FILE *manifest = fopen(am_test_path(folder, "manifest.csv"), "w");
  assert_non_null(manifest);
  fprintf(manifest, "path,label,speaker\n");
  for (int s = 0; s < speakers; s++)
    for (int k = 0; k < 3; k++)
      for (int take = 0; take < takes; take++) {
        char name[64];
        int n = LONGEST - 400 * ((s + take) % 3);
        double hertz = pitch[k] * (1 + 0.03 * s + 0.05 * take);
        for (int i = 0; i < n; i++) {
          double noise = sin(12.9898 * (i + 31 * s + 17 * take) + 78.233 * k) * 43758.5453;
          samples[i] = (float)(0.3 * sin(6.283185307179586 * hertz * i / RATE) + 0.02 * (noise - floor(noise) - 0.5));
        }
        snprintf(name, sizeof name, "s%d_%s_%d.wav", s, labels[k], take);
        am_test_ok(am_sound_write(ctx, am_test_path(folder, name), samples, (size_t)n, RATE, true, &err), &err);
        fprintf(manifest, "%s,%s,speaker%d\n", name, labels[k], s);
      }
  fclose(manifest);
}

/* The next allocation to fail in a long piece of work: each in turn where AM_ALL_ALLOCATIONS is set (tools/check-full),
 * else ever fewer. */
static inline long made_up_next_failure(long n) { return getenv("AM_ALL_ALLOCATIONS") ? n + 1 : n + 1 + n / 6; }

/* A small convolution over log-mel; `more` replaces settings, "key=value" each. */
static inline am_config *made_up_config(am_context *ctx, const char *corpus, const char *const *more, size_t n) {
  char yaml[2048];
  snprintf(yaml, sizeof yaml,
           "name: made-up\n"
           "cache: \"\"\n"
           "data: {corpus: manifest, root: \"%s\"}\n"
           "split: {kind: speaker, test: 0.25, validation: 0.25}\n"
           "features: {sample_rate: 16000, n_fft: 512, hop: 256, mels: 20, divide: 40}\n"
           "model:\n"
           "  layers:\n"
           "    - conv2d: {filters: 4, kernel: [3, 3], padding: same, activation: relu}\n"
           "    - batch_norm: {momentum: 0.8}\n"
           "    - max_pool2d: {size: [2, 2]}\n"
           "    - dropout: {rate: 0.1}\n"
           "    - to_sequence\n"
           "    - global_average_pool\n"
           "    - dense: {units: 0}\n"
           "train: {epochs: 3, batch: 5, optimiser: {learning_rate: 0.02}}\n",
           corpus);
  am_config *config = NULL;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_config_from_text(ctx, yaml, "made-up.yaml", more, n, &config, &err), &err);
  return config;
}

/* Each of them of a file by itself. */
static inline am_status made_up_origin(am_context *ctx, const char *path, am_origin *out, am_error *err) {
  am_h5 *file;
  *out = (am_origin){0};
  am_status status = am_checkpoint_open(ctx, path, &file, err);
  if (status) return status;
  status = am_checkpoint_origin(ctx, file, out, err);
  am_h5_close(file);
  return status;
}

static inline am_status made_up_resume(am_context *ctx, const char *path, am_model *model, am_optimiser *optimiser,
                                       am_training_state *state, am_error *err) {
  am_h5 *file;
  *state = (am_training_state){0};
  am_status status = am_checkpoint_open(ctx, path, &file, err);
  if (status) return status;
  status = am_checkpoint_resume(ctx, file, model, optimiser, NULL, 0, state, err);
  am_h5_close(file);
  return status;
}

static inline am_status made_up_init(am_context *ctx, const char *path, am_model *model, am_init_report *report,
                                     am_error *err) {
  am_h5 *file;
  *report = (am_init_report){0};
  am_status status = am_checkpoint_open(ctx, path, &file, err);
  if (status) return status;
  status = am_checkpoint_init(ctx, file, model, report, err);
  am_h5_close(file);
  return status;
}

#endif
