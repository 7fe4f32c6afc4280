/* SPDX-License-Identifier: MIT */
/* cli/inspect_augment.c - audiomood inspect --augment: a sound as a model is trained on it, before and after augmentation. */
#include <string.h>

#include "audio/sound.h"
#include "base/file.h"
#include "cli/inspect.h"
#include "data/batch.h"
#include "report/plot.h"

/* Its normalised features (T,F) and its samples, owned. */
typedef struct version {
  const char *name; /* "before", "after" */
  am_batch_made made;
  int f;
  double seconds;
} version;

static am_status write_matrix(cli *c, const char *folder, const char *name, const version *v, am_error *err) {
  am_buffer text = {0};
  for (int i = 0; i < v->made.t; i++)
    for (int j = 0; j < v->f; j++)
      am_buffer_printf(c->ctx, &text, "%.9g%c", (double)v->made.x[(size_t)i * (size_t)v->f + (size_t)j],
                       j + 1 < v->f ? ',' : '\n');
  char *path = am_path_join(c->ctx, folder, name);
  am_status st =
      text.failed || !path ? am_no_memory(err) : am_file_write_own(c->ctx, path, NULL, text.data, text.used, err);
  am_free(c->ctx, path);
  am_buffer_free(c->ctx, &text);
  return st;
}

static am_status write_version(cli *c, const char *folder, const version *v, double rate, am_error *err) {
  char file[64];
  snprintf(file, sizeof file, "%s.wav", v->name);
  char *path = am_path_join(c->ctx, folder, file);
  am_status st =
      path ? am_sound_write_as(c->ctx, AM_OURS, path, v->made.sound, v->made.n, rate, true, err) : am_no_memory(err);
  snprintf(file, sizeof file, "%s.csv", v->name);
  if (!st) st = write_matrix(c, folder, file, v, err);
  if (!st)
    cli_print("%s: %.2f s, features (%d, %d) in %s/%s.wav and .csv\n", v->name, v->seconds, v->made.t, v->f, folder,
              v->name);
  am_free(c->ctx, path);
  return st;
}

/* Both on one time axis and one scale of colours, so that what a mask or a warp did shows. */
static am_status write_picture(cli *c, const am_config *config, const char *folder, const version *both,
                               am_error *err) {
  char title[2][80];
  bool over_time = !config->features.mean_over_time;
  double hop = over_time ? (double)config->features.hop / config->features.sample_rate : 0;
  am_spectrogram_view views[2];
  for (int i = 0; i < 2; i++) {
    const version *v = &both[i];
    snprintf(title[i], sizeof title[i], "%s augmentation (%.2f s, %d frames of %d bins)", i ? "After" : "Before",
             v->seconds, v->made.t, v->f);
    views[i] = (am_spectrogram_view){title[i], v->made.x, v->made.t, v->f, v->made.t * hop};
  }
  am_error why = AM_ERROR_INIT;
  am_buffer picture = {0};
  am_plot_style style = {.image = AM_IMAGE_PNG};
  char *path = am_path_join(c->ctx, folder, "augmented.png");
  am_status st = path ? am_plot_spectrograms(c->ctx, &style, views, 2, &picture, &why) : am_no_memory(&why);
  if (!st) st = am_plot_save(c->ctx, path, &picture, &why);
  if (!st) cli_print("both as pictures: %s\n", path);
  am_buffer_free(c->ctx, &picture);
  am_free(c->ctx, path);
  if (st != AM_E_UNSUPPORTED) return st ? am_fail(err, st, "%s", why.message) : AM_OK;
  am_log(c->ctx, AM_LOG_WARNING, "no picture of both: %s", why.message); /* sounds and features are there */
  return AM_OK;
}

/* Statistics of a training part, or of a speaker, that are not there: those of this sound stand in. */
static am_normaliser stand_in(cli *c, const am_config *config, int f) {
  const am_feature_options *o = &config->features;
  const bool of_run = o->normalise == AM_NORMALISE_TRAIN || o->normalise == AM_NORMALISE_CORPUS;
  if (of_run || o->normalise == AM_NORMALISE_SPEAKER)
    am_log(
        c->ctx, AM_LOG_WARNING, "features.normalise: the statistics of this sound take the place of those of the %s%s",
        of_run ? "training part" : "speaker", of_run ? ", which a run has: audiomood inspect RUN --augment FILE" : "");
  return (am_normaliser){.kind = o->normalise == AM_NORMALISE_NONE ? AM_NORMALISE_NONE : AM_NORMALISE_CLIP,
                         .by_all = o->normalise_by == AM_NORMALISE_BY_ALL,
                         .f = f};
}

static am_status make(cli *c, const am_batch_source *source, const am_batch_clip *clip, double rate, uint64_t draw,
                      version *v, am_error *err) {
  am_status st = am_batch_make(source, clip, draw, &v->made, err);
  v->f = source->f;
  if (!st && !v->made.sound) { /* the sound is as it was */
    v->made.sound = am_alloc(c->ctx, clip->n, sizeof *v->made.sound);
    v->made.n = clip->n;
    if (!v->made.sound) return am_no_memory(err);
    memcpy(v->made.sound, clip->sound, clip->n * sizeof *v->made.sound);
  }
  v->seconds = (double)v->made.n / rate;
  return st;
}

/* The features and sound of a copy, which are given back by am_free, as am_store_add_copies makes them. */
typedef struct copy {
  float *x, *sound;
} copy;

static am_status make_copy(cli *c, const am_augment_options *o, const am_features *fx, const am_sound *sound,
                           int number, copy *own, am_batch_clip *clip, am_error *err) {
  double warp;
  int f;
  am_status st = am_augment_copy(c->ctx, o, sound->digest, number, sound->rate, sound->samples, sound->n, &own->sound,
                                 &clip->n, &warp, err);
  if (st) return st;
  am_features_shape(fx, clip->n, &clip->t, &f);
  own->x = am_alloc(c->ctx, am_mul((size_t)clip->t, (size_t)f), sizeof *own->x);
  clip->sound = own->sound;
  clip->features = own->x;
  return own->x ? am_features_compute(fx, own->sound, clip->n, warp, own->x, &clip->t, err) : am_no_memory(err);
}

static am_status show(cli *c, const am_config *config, const am_normaliser *nz, const am_features *fx,
                      const am_sound *sound, am_error *err) {
  const char *folder = cli_value(c, "out", "augmented");
  int64_t draw, epoch, seed;
  int t, f;
  am_features_shape(fx, 1, &t, &f);
  am_status st = cli_int(c, "draw", 0, INT64_MAX, 0, &draw, err);
  if (!st) st = cli_int(c, "epoch", 1, INT64_MAX, 1, &epoch, err);
  if (!st) st = cli_int(c, "seed", 0, INT64_MAX, (int64_t)config->seed, &seed, err);
  if (!st) st = am_folder_create(c->ctx, folder, err);
  if (st) return st;
  am_folder_clean(c->ctx, folder, AM_OLD_ASIDE);
  const am_normaliser own = nz ? *nz : stand_in(c, config, f);
  am_batch_source source = {
      .ctx = c->ctx, .nz = &own, .fx = fx, .seed = (uint64_t)seed, .epoch = (uint64_t)epoch, .f = f};
  version both[2] = {{.name = "before"}, {.name = "after"}};
  copy changed = {0};
  for (int i = 0; i < 2 && !st; i++) {
    am_batch_clip clip = {.name = both[i].name, .whose = -1, .sound = sound->samples, .n = sound->n};
    source.augment = i ? &config->augment : NULL;
    source.needs_sound = i && am_augment_in_epochs(&config->augment);
    if (i && config->augment.copies)
      st = make_copy(c, &config->augment, fx, sound, (int)(draw % config->augment.copies) + 1, &changed, &clip, err);
    if (!st) st = make(c, &source, &clip, sound->rate, (uint64_t)draw, &both[i], err);
    if (!st) st = write_version(c, folder, &both[i], sound->rate, err);
  }
  if (!st) st = write_picture(c, config, folder, both, err);
  if (!st && config->augment.mixup > 0) cli_print("mixup, of two clips of a batch, is not shown\n");
  am_free(c->ctx, changed.x);
  am_free(c->ctx, changed.sound);
  for (int i = 0; i < 2; i++) {
    am_free(c->ctx, both[i].made.x);
    am_free(c->ctx, both[i].made.sound);
  }
  return st;
}

am_status inspect_augment(cli *c, const am_config *config, const am_normaliser *nz, const char *file, am_error *err) {
  am_sound sound = {.size = sizeof sound};
  am_features *fx = NULL;
  if (!am_augment_any(&config->augment))
    return am_fail(err, AM_E_CONFIG, "%s: its augment section changes nothing", config->file);
  am_status st = am_features_create(c->ctx, &config->features, &fx, err);
  if (!st) st = am_sound_read(c->ctx, file, config->features.sample_rate, config->data.max_seconds, &sound, err);
  if (!st) st = show(c, config, nz, fx, &sound, err);
  am_sound_free(&sound);
  am_features_free(fx);
  return st;
}
