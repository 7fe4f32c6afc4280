/* SPDX-License-Identifier: MIT */
/* tests/bench/many_clips.c FOLDER CLIPS [SETTING=VALUE...] - a corpus of as many clips as one likes, for tools/scaling: a list of
 * empty sound files, a config, and a cache that has features of every one, so that nothing is ever decoded.
 *
 * Settings are of the made-up corpus (frames, speakers, classes, folders) or, with a dot, of the config that is written.  The
 * features of a clip are noise around a level of its class, one for each bin; a speaker has 100 clips unless `speakers` says. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audio/features.h"
#include "base/rng.h"
#include "data/cache.h"
#include "data/dataset.h"
#include "model/config.h"

enum { SHARD_BYTES = 64 << 20, IN_FOLDER = 1000 };

typedef struct made {
  const char *folder;
  long clips, frames, speakers, classes;
  const char *settings[32]; /* of the config */
  size_t n_settings;
} made;

static void need(bool good, const char *what, const am_error *err) {
  if (good) return;
  fprintf(stderr, "many_clips: %s%s%s\n", what, err ? ": " : "", err ? err->message : "");
  exit(1);
}

static const char *in(const made *m, const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", m->folder, name);
  return path;
}

/* Labels go round with the clips, speakers have theirs one after another. */
static void write_list(const made *m) {
  FILE *list = fopen(in(m, "manifest.csv"), "w");
  need(list != NULL, "cannot write the list", NULL);
  fprintf(list, "path,label,speaker\n");
  for (long i = 0; i < m->clips; i++) {
    char name[64];
    snprintf(name, sizeof name, "%04ld", i / IN_FOLDER);
    if (i % IN_FOLDER == 0) mkdir(in(m, name), 0777);
    snprintf(name, sizeof name, "%04ld/%07ld.wav", i / IN_FOLDER, i);
    const int file = open(in(m, name), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    need(file >= 0, "cannot make a file", NULL);
    close(file);
    fprintf(list, "%s,class%04ld,s%ld\n", name, i % m->classes, i * m->speakers / m->clips);
  }
  need(fclose(list) == 0, "cannot write the list", NULL);
}

static void write_config(const made *m) {
  FILE *file = fopen(in(m, "config.yaml"), "w");
  need(file != NULL, "cannot write the config", NULL);
  fprintf(file,
          "name: many\n"
          "cache: \"%s/cache\"\n"
          "data: {corpus: manifest, root: \"%s\"}\n"
          "split: {kind: speaker, test: 0.1, validation: 0.1}\n"
          "features: {sample_rate: 16000, n_fft: 512, hop: 400, mels: 40, normalise: train}\n"
          "model:\n"
          "  layers:\n"
          "    - conv2d: {filters: 16, kernel: [3, 3], padding: same, activation: relu}\n"
          "    - max_pool2d: {size: [1, 2]}\n"
          "    - conv2d: {filters: 32, kernel: [3, 3], padding: same, activation: relu}\n"
          "    - max_pool2d: {size: [1, 2]}\n"
          "    - to_sequence\n"
          "    - global_average_pool\n"
          "    - dense: {units: 0}\n"
          "train: {epochs: 1, batch: 32, optimiser: {kind: adam, learning_rate: 0.001}}\n",
          m->folder, m->folder);
  need(fclose(file) == 0, "cannot write the config", NULL);
}

static void fill_features(float *x, long frames, int bins, long clip, int class) {
  am_rng level = am_rng_stream(1, AM_FOR_SYNTH, (uint64_t) class, 1, 0);
  am_rng noise = am_rng_stream(1, AM_FOR_SYNTH, (uint64_t)clip, 2, 0);
  for (int b = 0; b < bins; b++) x[b] = (float)(20 * am_rng_uniform(&level) - 40);
  for (long t = frames - 1; t >= 0; t--)
    for (int b = 0; b < bins; b++) x[t * bins + b] = x[b] + (float)(am_rng_u32(&noise) >> 8) * (20.0f / (1 << 24));
}

static void write_cache(am_context *ctx, const made *m, const am_config *config, const am_dataset *d) {
  am_error err = AM_ERROR_INIT;
  am_features *fx;
  am_cache *cache;
  am_cache_folder last = {.ctx = ctx};
  int t, bins;
  need(am_features_create(ctx, &config->features, &fx, &err) == AM_OK, "features", &err);
  need(am_cache_open(ctx, config->cache, &cache, &err) == AM_OK, "cache", &err);
  am_features_shape(fx, 1, &t, &bins);
  const size_t cells = (size_t)m->frames * (size_t)bins, most = SHARD_BYTES / sizeof(float) / cells + 1;
  float *x = malloc(most * cells * sizeof *x);
  need(x != NULL, "memory", NULL);
  for (size_t i = 0, k = 0; i < d->n; i++, k++) {
    const am_clip *clip = &d->clips[i];
    am_file_id id;
    uint64_t file = 0;
    const uint64_t number = i + 1;
    const am_cache_facts facts = {
        .seconds = (double)m->frames * (double)config->features.hop / config->features.sample_rate,
        .file_rate = config->features.sample_rate,
        .digest = am_hash64(0, &number, sizeof number)};
    if (k == most) {
      need(am_cache_flush(cache, &err) == AM_OK, "cache", &err);
      k = 0;
    }
    need(am_file_identify(clip->path, &id, &err) == AM_OK && am_cache_file_key(&last, clip->path, &id, &file), "file",
         &err);
    fill_features(x + k * cells, m->frames, bins, (long)i, clip->label);
    const uint64_t key = am_cache_entry_key(file, 0, 0, am_features_key(fx));
    need(am_cache_add(cache, key, m->frames, bins, &facts, x + k * cells, &err) == AM_OK, "cache", &err);
  }
  need(am_cache_flush(cache, &err) == AM_OK, "cache", &err);
  am_cache_folder_end(&last);
  am_cache_close(cache);
  am_features_free(fx);
  free(x);
}

static void read_arguments(made *m, int argc, char **argv) {
  const struct {
    const char *name;
    long *to;
  } own[] = {{"frames=", &m->frames}, {"speakers=", &m->speakers}, {"classes=", &m->classes}};
  need(argc > 2, "many_clips FOLDER CLIPS [SETTING=VALUE...]", NULL);
  m->folder = argv[1];
  m->clips = strtol(argv[2], NULL, 10);
  for (int i = 3; i < argc; i++) {
    size_t k = 0;
    while (k < 3 && strncmp(argv[i], own[k].name, strlen(own[k].name)) != 0) k++;
    if (k < 3) *own[k].to = strtol(argv[i] + strlen(own[k].name), NULL, 10);
    else if (m->n_settings < sizeof m->settings / sizeof *m->settings) m->settings[m->n_settings++] = argv[i];
  }
  if (!m->speakers) m->speakers = (m->clips + 99) / 100;
  need(m->clips > 0 && m->frames > 0 && m->speakers > 0 && m->classes > 0, "numbers of at least 1", NULL);
}

int main(int argc, char **argv) {
  made m = {.frames = 20, .classes = 8};
  am_settings settings = {.size = sizeof settings, .threads = 1};
  am_context *ctx;
  am_config *config;
  am_dataset *d;
  am_error err = AM_ERROR_INIT;
  read_arguments(&m, argc, argv);
  mkdir(m.folder, 0777);
  write_list(&m);
  write_config(&m);
  nanosleep(&(struct timespec){.tv_nsec = 100000000},
            NULL); /* or each key would wait for the clock (am_cache_file_key) */
  need(am_context_create(&settings, &ctx, &err) == AM_OK, "context", &err);
  need(am_config_load(ctx, in(&m, "config.yaml"), m.settings, m.n_settings, &config, &err) == AM_OK, "config", &err);
  need(am_dataset_load(ctx, &config->data, &d, &err) == AM_OK, "corpus", &err);
  write_cache(ctx, &m, config, d);
  am_dataset_free(d);
  am_config_free(config);
  am_context_free(ctx);
  return 0;
}
