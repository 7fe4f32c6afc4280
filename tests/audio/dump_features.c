/* SPDX-License-Identifier: MIT */
/* tests/audio/dump_features.c - what our code makes of sound files, for tools/golden-audio.py to compare.
 *
 *   dump_features OUT MODE key=value... < list of files, one a line
 *
 * MODE: features (keys of the config section), lld (rate=; contours of low-level descriptors), resample (rate=), trim (top_db=), stretch (factor=),
 * pitch (semitones=).  OUT gets, for each file, two int32 (rows, columns) and the float32 values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/features.h"
#include "audio/lld.h"
#include "audio/vocoder.h"

typedef struct job {
  am_context *ctx;
  am_tree *tree;
  const char *mode;
  am_features *fx; /* mode features */
  double number;   /* the other modes' one number */
  double seconds;  /* spent in am_features_compute */
} job;

static void emit(FILE *out, int rows, int columns, const float *x) {
  int32_t head[2] = {rows, columns};
  fwrite(head, sizeof head, 1, out);
  fwrite(x, sizeof *x, (size_t)rows * (size_t)columns, out);
}

static am_status emit_features(job *j, const am_sound *sound, FILE *out, am_error *err) {
  int t, f;
  am_features_shape(j->fx, sound->n, &t, &f);
  float *x = am_alloc(j->ctx, (size_t)t * (size_t)f, sizeof *x);
  if (!x) return am_no_memory(err);
  double start = am_now();
  am_status status = am_features_compute(j->fx, sound->samples, sound->n, 1, x, &t, err);
  j->seconds += am_now() - start;
  if (!status) emit(out, t, f, x);
  am_free(j->ctx, x);
  return status;
}

static am_status emit_contours(job *j, const am_sound *sound, FILE *out, am_error *err) {
  am_lld lld;
  am_status status = am_lld_init(j->ctx, &lld, sound->rate, err);
  if (status) return status;
  size_t frames = am_lld_frames(&lld, sound->n);
  float *x = am_alloc(j->ctx, AM_LLDS * frames, sizeof *x);
  bool *voiced = am_alloc(j->ctx, frames, sizeof *voiced);
  status = x && voiced ? am_lld_compute(&lld, sound->samples, sound->n, x, voiced, err) : am_no_memory(err);
  if (!status) emit(out, AM_LLDS, (int)frames, x);
  am_free(j->ctx, x);
  am_free(j->ctx, voiced);
  am_lld_free(&lld);
  return status;
}

static am_status emit_file(job *j, const char *path, FILE *out, am_error *err) {
  am_sound sound = {.size = sizeof(am_sound)};
  bool at_rate = strcmp(j->mode, "resample") == 0 || strcmp(j->mode, "lld") == 0;
  double rate = j->fx ? am_features_options(j->fx)->sample_rate : at_rate ? j->number : 0;
  am_status status = am_sound_read(j->ctx, path, rate, 0, &sound, err);
  if (!status && j->fx) {
    status = emit_features(j, &sound, out, err);
  } else if (!status && strcmp(j->mode, "lld") == 0) {
    status = emit_contours(j, &sound, out, err);
  } else if (!status) {
    float *y = NULL;
    size_t n = sound.n;
    if (strcmp(j->mode, "trim") == 0) status = am_sound_trim(j->ctx, &sound, j->number, err);
    else if (strcmp(j->mode, "stretch") == 0)
      status = am_time_stretch(j->ctx, sound.samples, n, j->number, &y, &n, err);
    else if (strcmp(j->mode, "pitch") == 0)
      status = am_pitch_shift(j->ctx, sound.samples, n, sound.rate, j->number, &y, err);
    if (!status) emit(out, 1, (int)(y ? n : sound.n), y ? y : sound.samples);
    am_free(j->ctx, y);
  }
  am_sound_free(&sound);
  return status;
}

static am_status prepare(job *j, int argc, char **argv, am_error *err) {
  am_value *map = am_value_new(j->tree, AM_MAP);
  for (int i = 3; i < argc; i++) {
    char *equals = strchr(argv[i], '=');
    if (!equals) return am_fail(err, AM_E_USAGE, "%s: wanted key=value", argv[i]);
    *equals = 0;
    j->number = atof(equals + 1);
    am_status status = am_value_add(j->tree, map, argv[i], am_value_text(j->tree, equals + 1, false), err);
    if (status) return status;
  }
  if (strcmp(j->mode, "features") != 0) return AM_OK;
  am_feature_options options;
  am_status status = am_options_read(j->tree, am_feature_table, map, "features", &options, err);
  return status ? status : am_features_create(j->ctx, &options, &j->fx, err);
}

int main(int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_settings settings = {.size = sizeof settings, .threads = 1};
  job j = {.mode = argc > 2 ? argv[2] : ""};
  if (argc < 3 || am_context_create(&settings, &j.ctx, &err))
    return fprintf(stderr, "usage: dump_features OUT MODE key=value... < files: %s\n", err.message), 2;
  FILE *out = fopen(argv[1], "wb");
  char line[4096];
  am_status status = am_tree_create(j.ctx, &j.tree, &err);
  if (!status) status = prepare(&j, argc, argv, &err);
  while (out && !status && fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    status = emit_file(&j, line, out, &err);
  }
  am_features_free(j.fx);
  am_tree_free(j.tree);
  am_context_free(j.ctx);
  if (!out || fclose(out) || status) return fprintf(stderr, "dump_features: %s\n", err.message), 1;
  return fprintf(stderr, "features took %.3f s\n", j.seconds), 0;
}
