/* SPDX-License-Identifier: MIT */
/* What AudioMood answers, beside what it exports: the C side of tools/compare-onnx.
 *
 *   onnx_outputs nets FOLDER                              of each net of onnx_nets.h NAME.onnx, and of a batch
 *                                                         NAME.features.npy, NAME.lengths.npy, NAME.logits.npy
 *   onnx_outputs sounds FOLDER CHECKPOINT... -- SOUND...  probabilities.npy (n,K) of the mean of the models, samples.npy (n,N)
 *                                                         at their rate, lengths.npy, and of each different features
 *                                                         features_1.npy, lengths_1.npy, ... in the order of the export's */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "exchange/onnx.h"
#include "model/fusion.h"
#include "onnx_nets.h"

static am_context *ctx;
static am_error err = AM_ERROR_INIT;
static const char *folder;

static void need(am_status status) {
  if (!status) return;
  fprintf(stderr, "%s\n", err.message);
  exit(1);
}

static void *room(size_t count, size_t bytes) {
  void *at = calloc(count ? count : 1, bytes);
  if (!at) exit(1);
  return at;
}

/* type: "<f4" or "<i8" */
static void npy(const char *name, const char *type, int rank, const size_t *dims, const void *data) {
  char path[600], shape[200] = "", head[400];
  size_t count = 1, used = 0;
  for (int i = 0; i < rank; i++) {
    count *= dims[i];
    used += (size_t)snprintf(shape + used, sizeof shape - used, "%zu,", dims[i]);
  }
  snprintf(path, sizeof path, "%s/%s.npy", folder, name);
  int n = snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
  const int all = (10 + n + 1 + 63) / 64 * 64 - 10;
  FILE *file = fopen(path, "wb");
  if (!file) exit(1);
  fprintf(file, "%cNUMPY%c%c%c%c%-*s\n", 0x93, 1, 0, all % 256, all / 256, all - 1, head);
  fwrite(data, type[1] == 'f' ? 4 : 8, count, file);
  if (fclose(file)) exit(1);
}

static void net_outputs(const net *n) {
  char path[600], out[600], name[200];
  am_checkpoint *c;
  snprintf(path, sizeof path, "%s/net.h5", folder);
  snprintf(out, sizeof out, "%s/%s.onnx", folder, n->name);
  need(net_save(ctx, n, (n - nets) % 3 == 1 ? 1.7 : 0, path, &err));
  need(am_onnx_export(ctx, (const char *const[]){path}, 1, &(am_exchange_options){0}, out, &err));
  need(am_checkpoint_load(ctx, path, &c, &err));
  const size_t clip = (size_t)NET_FRAMES * NET_BINS;
  float *x = room(NET_CLIPS * clip, sizeof *x), *raw = room(NET_CLIPS * clip, sizeof *raw),
        *z = room(NET_CLIPS * NET_CLASSES, sizeof *z);
  int64_t lengths[NET_CLIPS];
  uint32_t state = 77;
  for (size_t b = 0; b < NET_CLIPS; b++) {
    lengths[b] = n->fixed ? NET_FRAMES : net_lengths[b];
    for (size_t i = 0; i < (size_t)lengths[b] * NET_BINS; i++)
      raw[b * clip + i] = x[b * clip + i] = i % NET_BINS == 3 ? -80 : net_number(&state); /* a bin that is flat */
    am_normaliser_apply(&c->normaliser, -1, x + b * clip, (int)lengths[b]);
    /* What is not the clip's is not to be seen. */
    for (size_t i = (size_t)lengths[b] * NET_BINS; i < clip; i++) raw[b * clip + i] = 1000 * net_number(&state);
  }
  am_session *session;
  need(am_session_create(c->model, NET_CLIPS, false, &session, &err));
  need(am_session_forward(
      session, &(am_batch){.size = sizeof(am_batch), .n = NET_CLIPS, .x = x, .lengths = n->fixed ? NULL : net_lengths},
      false, &err));
  for (size_t i = 0; i < NET_CLIPS * NET_CLASSES; i++)
    z[i] = (float)(am_session_output(session)[i] / c->any.temperature);
  am_session_free(session);
  am_checkpoint_free(c);
  snprintf(name, sizeof name, "%s.features", n->name);
  npy(name, "<f4", 4, (size_t[]){NET_CLIPS, NET_FRAMES, NET_BINS, 1}, raw);
  snprintf(name, sizeof name, "%s.lengths", n->name);
  npy(name, "<i8", 1, (size_t[]){NET_CLIPS}, lengths);
  snprintf(name, sizeof name, "%s.logits", n->name);
  npy(name, "<f4", 2, (size_t[]){NET_CLIPS, NET_CLASSES}, z);
  free(x), free(raw), free(z);
  remove(path);
}

/* ---- sounds ---- */

typedef struct clips {
  size_t n, longest;
  float **samples;
  int64_t *lengths;
  double rate;
} clips;

static clips read_sounds(char **paths, size_t n, double rate) {
  clips s = {.n = n, .samples = room(n, sizeof *s.samples), .lengths = room(n, sizeof *s.lengths), .rate = rate};
  for (size_t i = 0; i < n; i++) {
    am_sound sound = {.size = sizeof sound};
    need(am_sound_read(ctx, paths[i], rate, 0, &sound, &err));
    s.samples[i] = room(sound.n, sizeof(float));
    memcpy(s.samples[i], sound.samples, sound.n * sizeof(float));
    s.lengths[i] = (int64_t)sound.n;
    if (sound.n > s.longest) s.longest = sound.n;
    am_sound_free(&sound);
  }
  return s;
}

/* Features before normalisation, cut to the model's frames. */
static void write_features(const am_checkpoint *c, const clips *s, int number) {
  const am_shape in = c->input;
  const size_t clip = (size_t)in.t * (size_t)in.f * (size_t)in.c;
  am_features *fx;
  char name[64];
  float *all = room(s->n * clip, sizeof *all);
  int64_t *lengths = room(s->n, sizeof *lengths);
  need(am_features_create(ctx, &c->config->features, &fx, &err));
  for (size_t i = 0; i < s->n; i++) {
    int t, f;
    am_features_shape(fx, (size_t)s->lengths[i], &t, &f);
    float *x = room((size_t)t * (size_t)f, sizeof *x);
    need(am_features_compute(fx, s->samples[i], (size_t)s->lengths[i], 1, x, &t, &err));
    lengths[i] = t < in.t ? t : in.t;
    memcpy(all + i * clip, x, (size_t)lengths[i] * (size_t)f * sizeof *x);
    free(x);
  }
  snprintf(name, sizeof name, "features_%d", number);
  npy(name, "<f4", in.rank + 1, (size_t[]){s->n, (size_t)in.t, (size_t)(in.rank == 3 ? in.f : in.c), (size_t)in.c},
      all);
  snprintf(name, sizeof name, "lengths_%d", number);
  npy(name, "<i8", 1, (size_t[]){s->n}, lengths);
  am_features_free(fx);
  free(all), free(lengths);
}

/* Members of all models in order, each set of features once. */
static void all_features(am_checkpoint **models, size_t n, const clips *s) {
  uint64_t seen[64];
  int found = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < (models[i]->n_members ? models[i]->n_members : 1); k++) {
      const am_checkpoint *c = models[i]->n_members ? models[i]->members[k] : models[i];
      if (models[i]->n_members && !(models[i]->any.weights[k] > 0)) continue;
      const uint64_t key = am_feature_key(&c->config->features) + (uint64_t)c->input.t;
      int j = 0;
      while (j < found && seen[j] != key) j++;
      if (j < found || found == 64) continue;
      seen[found++] = key;
      write_features(c, s, found);
    }
}

static void sound_outputs(int argc, char **argv) {
  int n = 0;
  while (n < argc && strcmp(argv[n], "--")) n++;
  if (!n || n + 1 >= argc) {
    fprintf(stderr, "wanted checkpoints, --, and sounds\n");
    exit(2);
  }
  am_checkpoint **models = room((size_t)n, sizeof *models);
  for (int i = 0; i < n; i++) need(am_checkpoint_load(ctx, argv[i], &models[i], &err));
  const int k = models[0]->classes;
  const clips s = read_sounds(argv + n + 1, (size_t)(argc - n - 1), am_checkpoint_rate(models[0]));
  float *padded = room(s.n * s.longest, sizeof *padded), *p = room(s.n * (size_t)k, sizeof *p);
  for (size_t i = 0; i < s.n; i++) {
    memcpy(padded + i * s.longest, s.samples[i], (size_t)s.lengths[i] * sizeof *padded);
    for (int m = 0; m < n; m++) {
      float one[AM_MAX_CLASSES];
      need(am_predict_sound(models[m], s.samples[i], (size_t)s.lengths[i], one, &err));
      for (int j = 0; j < k; j++) p[i * (size_t)k + (size_t)j] += one[j] / (float)n;
    }
  }
  npy("samples", "<f4", 2, (size_t[]){s.n, s.longest}, padded);
  npy("lengths", "<i8", 1, (size_t[]){s.n}, s.lengths);
  npy("probabilities", "<f4", 2, (size_t[]){s.n, (size_t)k}, p);
  all_features(models, (size_t)n, &s);
}

int main(int argc, char **argv) {
  if (argc < 3 || (strcmp(argv[1], "nets") && (strcmp(argv[1], "sounds") || argc < 6))) {
    fprintf(stderr, "usage: onnx_outputs nets FOLDER | onnx_outputs sounds FOLDER CHECKPOINT... -- SOUND...\n");
    return 2;
  }
  folder = argv[2];
  need(am_context_create(NULL, &ctx, &err));
  if (!strcmp(argv[1], "nets"))
    for (size_t i = 0; i < NETS; i++) {
      puts(nets[i].name);
      net_outputs(&nets[i]);
    }
  else sound_outputs(argc - 3, argv + 3);
  am_context_free(ctx);
  return 0;
}
