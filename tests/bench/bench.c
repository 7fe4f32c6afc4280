/* SPDX-License-Identifier: MIT */
/* tests/bench/bench.c - the figures of our side, for tools/bench.  Not a test.
 *
 *   bench peak                          sgemm and copying on all cores
 *   bench quick SOURCE_ROOT             the fastest path beside the plain kernels, some seconds a model
 *   bench model CONFIG FRAMES BINS CLASSES [KEY=VALUE]...
 *       answers requests: a line "train 32 5" (or "forward 32 5") on stdin makes five steps of 32 made-up clips
 *       of full length and prints their seconds as a JSON list; "forward16" keeps large dense kernels as float16; "layers 32 5" times five training steps layer by
 *       layer; the end of stdin ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/rng.h"
#include "model/config.h"
#include "nn/flops.h"
#include "optim/optimiser.h"

typedef struct net {
  am_context *ctx;
  am_config *config;
  am_model *model;
  am_optimiser *optimiser; /* made by the first training step */
  am_session *session;     /* for `batch` clips, `training` or not */
  int batch, classes;
  bool training, half;
  float *x, *targets, *dlogits;
  uint64_t *draws;
} net;

static void stop(const am_error *err) {
  fprintf(stderr, "bench: %s\n", err->message);
  exit(1);
}

static am_context *context(const char *cpu) {
  am_error err = AM_ERROR_INIT;
  am_settings settings = {.size = sizeof settings, .cpu = cpu};
  am_context *ctx;
  if (am_context_create(&settings, &ctx, &err)) stop(&err);
  return ctx;
}

/* ---- a model ---- */

static void open_net(net *n, am_context *ctx, const char *config, int frames, int bins, int classes,
                     const char *const *settings, size_t n_settings) {
  am_error err = AM_ERROR_INIT;
  *n = (net){.ctx = ctx, .classes = classes};
  if (am_config_load(ctx, config, settings, n_settings, &n->config, &err) ||
      am_config_model(n->config, frames, bins, false, classes, &n->model, &err))
    stop(&err);
  am_model_initialise(n->model, 1);
}

static void close_session(net *n) {
  if (n->session) am_session_free(n->session);
  n->session = NULL;
  am_free_aligned(n->ctx, n->x);
  am_free(n->ctx, n->targets);
  am_free(n->ctx, n->dlogits);
  am_free(n->ctx, n->draws);
  n->x = n->targets = n->dlogits = NULL;
  n->draws = NULL;
}

static void close_net(net *n) {
  close_session(n);
  am_optimiser_free(n->optimiser);
  am_model_free(n->model);
  am_config_free(n->config);
}

/* Clips like log-mel after division by 255, labels in turn. */
static void fill(net *n) {
  am_shape in = am_model_input(n->model);
  size_t count = (size_t)n->batch * am_shape_count(in), outputs = (size_t)(n->batch * n->classes);
  am_rng rng = am_rng_stream(1, AM_FOR_INIT, 0, 0, 0);
  n->x = am_alloc_aligned(n->ctx, count * sizeof *n->x);
  n->targets = am_alloc(n->ctx, outputs, sizeof *n->targets);
  n->dlogits = am_alloc(n->ctx, outputs, sizeof *n->dlogits);
  n->draws = am_alloc(n->ctx, (size_t)n->batch, sizeof *n->draws);
  if (!n->x || !n->targets || !n->dlogits || !n->draws) exit(1);
  for (size_t i = 0; i < count; i++) n->x[i] = (float)am_rng_range(&rng, -0.3, 0);
  for (int i = 0; i < n->batch; i++) {
    n->targets[i * n->classes + i % n->classes] = 1;
    n->draws[i] = (uint64_t)i;
  }
}

static double step(net *n) {
  double begun = am_now();
  am_batch batch = {.size = sizeof batch, .n = n->batch, .x = n->x, .seed = 1, .epoch = 1, .draws = n->draws};
  am_session_forward(n->session, &batch, n->training, NULL);
  if (n->training) {
    am_loss(&n->config->loss, am_session_output(n->session), n->targets, NULL, n->batch, n->classes, n->dlogits, NULL);
    am_session_backward(n->session, n->dlogits, NULL);
    am_optimiser_step(n->optimiser, am_model_weights(n->model, NULL), am_session_gradients(n->session), n->batch, 1e-4);
  }
  return am_now() - begun;
}

/* A session for these steps; its first step, which touches fresh memory, is made here and not counted. */
static void prepare(net *n, bool training, bool half, int batch) {
  am_error err = AM_ERROR_INIT;
  if (n->session && n->training == training && n->half == half && n->batch == batch) return;
  close_session(n);
  n->training = training;
  n->half = half;
  n->batch = batch;
  fill(n);
  if (am_model_set_half(n->model, half, &err)) stop(&err);
  if (!training) am_model_freeze(n->model); /* as of a checkpoint */
  if (am_session_create(n->model, batch, training, &n->session, &err)) stop(&err);
  if (training && !n->optimiser && am_optimiser_create(n->ctx, &n->config->optimiser, 0, n->model, &n->optimiser, &err))
    stop(&err);
  if (training) am_session_zero_gradients(n->session);
  step(n);
}

static long peak_kb(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* Seconds a training step spends in each layer that computes, beside its operations. */
static void answer_layers(net *n, int batch, int steps) {
  prepare(n, true, false, batch);
  am_session_profile(n->session, true);
  for (int i = 0; i < steps; i++) step(n);
  const am_step_time *times = am_session_times(n->session);
  const char *comma = "";
  printf("{\"layers\": [");
  for (size_t i = 0; i < am_model_steps(n->model); i++) {
    const am_layer *layer = &am_model_step(n->model, i)->layer;
    am_flops w = am_flops_of_step(n->model, i, batch, 1, true);
    if (w.forward_flops == 0) continue;
    printf(
        "%s{\"name\": \"%s\", \"type\": \"%s\", \"channels\": %d, \"forward_flops\": %.0f, \"backward_flops\": %.0f, "
        "\"forward\": %.6f, \"backward\": %.6f}",
        comma, layer->name, layer->cls->type, layer->in[0].c, w.forward_flops, w.backward_flops,
        times[i].forward / steps, times[i].backward / steps);
    comma = ", ";
  }
  printf("]}\n");
  am_session_profile(n->session, false);
}

static am_flops flops_of_model(const am_model *model, double clips, double calls, bool training) {
  am_flops all = {0};
  for (size_t i = 0; i < am_model_steps(model); i++) {
    am_flops w = am_flops_of_step(model, i, clips, calls, training);
    all.forward_flops += w.forward_flops;
    all.backward_flops += w.backward_flops;
    all.forward_bytes += w.forward_bytes;
    all.backward_bytes += w.backward_bytes;
  }
  return all;
}

static int answer_requests(int argc, char **argv) {
  net n;
  char line[64], word[16];
  int batch, steps;
  if (argc < 6) return 2;
  am_context *ctx = context(NULL);
  open_net(&n, ctx, argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), (const char *const *)argv + 6,
           (size_t)(argc - 6));
  size_t weights = 0;
  for (size_t i = 0; i < am_model_weight_count(n.model); i++) weights += am_model_weight_info(n.model, i)->count;
  am_flops one = flops_of_model(n.model, 1, 1, true);
  printf(
      "{\"threads\": %d, \"version\": \"%s, %s path\", \"parameters\": %zu, \"forward_flops\": %.0f, "
      "\"backward_flops\": %.0f}\n",
      am_context_threads(ctx), am_version(), am_context_cpu(ctx), weights, one.forward_flops, one.backward_flops);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%15s %d %d", word, &batch, &steps) != 3) return 2;
    if (strcmp(word, "layers") == 0) {
      answer_layers(&n, batch, steps);
    } else {
      prepare(&n, strcmp(word, "train") == 0, strcmp(word, "forward16") == 0, batch);
      printf("{\"seconds\": [");
      for (int i = 0; i < steps; i++) printf("%s%.6f", i ? ", " : "", step(&n));
      printf("], \"peak_kb\": %ld}\n", peak_kb());
    }
    fflush(stdout);
  }
  close_net(&n);
  am_context_free(ctx);
  return 0;
}

/* ---- what the machine can do ---- */

enum { SIDE = 2048, COPY_PIECES = 64 };
static const size_t copy_bytes = (size_t)256 << 20;

typedef struct copy {
  char *to;
  const char *from;
  size_t piece;
} copy;

static void copy_piece(void *arg, size_t i, int worker) {
  const copy *c = arg;
  (void)worker;
  memcpy(c->to + i * c->piece, c->from + i * c->piece, c->piece);
}

static double best_gemm(am_context *ctx) {
  size_t count = (size_t)SIDE * SIDE;
  float *a = am_alloc_aligned(ctx, 3 * count * sizeof *a), *b = a + count, *c = b + count;
  double best = 1e9, total = 0;
  if (!a || am_gemm_begin(NULL)) exit(1);
  for (size_t i = 0; i < 2 * count; i++) a[i] = (float)(i * 2654435761u % 1000) / 1000 - 0.5f;
  for (int i = 0; i < 50 && (i < 4 || total < 1); i++) {
    double begun = am_now();
    am_gemm(ctx, false, false, SIDE, SIDE, SIDE, 1, a, SIDE, b, SIDE, 0, c, SIDE);
    double took = am_now() - begun;
    total += took;
    if (took < best) best = took;
  }
  am_free_aligned(ctx, a);
  return 2.0 * SIDE * SIDE * SIDE / best;
}

static double best_copy(am_context *ctx) {
  char *from = am_alloc_aligned(ctx, copy_bytes), *to = am_alloc_aligned(ctx, copy_bytes);
  copy c = {to, from, copy_bytes / COPY_PIECES};
  double best = 1e9, total = 0;
  if (!from || !to) exit(1);
  memset(from, 1, copy_bytes);
  for (int i = 0; i < 50 && (i < 4 || total < 0.7); i++) {
    double begun = am_now();
    am_parallel_for(ctx, COPY_PIECES, copy_piece, &c);
    double took = am_now() - begun;
    total += took;
    if (took < best) best = took;
  }
  am_free_aligned(ctx, from);
  am_free_aligned(ctx, to);
  return 2.0 * (double)copy_bytes / best; /* read and written */
}

static int peak(void) {
  am_context *ctx = context(NULL);
  printf("{\"threads\": %d, \"path\": \"%s\", \"sgemm_flops\": %.0f, \"copy_bytes\": %.0f}\n", am_context_threads(ctx),
         am_context_cpu(ctx), best_gemm(ctx), best_copy(ctx));
  am_context_free(ctx);
  return 0;
}

/* ---- quick ---- */

typedef struct quick_case {
  const char *name, *config;
  int frames, bins, classes, batch;
} quick_case;

static double best_step(net *n, bool training, int batch) {
  prepare(n, training, false, batch);
  double best = 1e9, total = 0;
  for (int i = 0; i < 20 && (i < 2 || total < 0.5); i++) {
    double took = step(n);
    total += took;
    if (took < best) best = took;
  }
  return best;
}

static int quick(const char *root) {
  static const quick_case cases[] = {
      {"RAVDESS CNN 1", "configs/ravdess_cnn1.yaml", 549, 128, 6, 2},
      {"IEMOCAP CNN 2", "configs/iemocap_cnn2.yaml", 156, 128, 7, 4},
      {"CNN+LSTM", "configs/ravdess_cnn_lstm.yaml", 330, 64, 8, 2},
      {"2-layer BiLSTM", "tests/bench/bilstm.yaml", 256, 128, 8, 8},
  };
  am_context *ctx = context(NULL), *plain = context("plain");
  double sgemm = best_gemm(ctx);
  printf("%d threads, %s path; sgemm %.1f GFLOP/s, copying %.1f GB/s; seconds, best of several\n",
         am_context_threads(ctx), am_context_cpu(ctx), sgemm * 1e-9, best_copy(ctx) * 1e-9);
  printf("%-16s %5s %-8s %9s %9s %6s %9s %9s\n", "model", "batch", "", "plain", am_context_cpu(ctx), "ratio", "GFLOP/s",
         "of sgemm");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const quick_case *c = &cases[i];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", root, c->config);
    for (int training = 0; training < 2; training++) {
      net fast, slow;
      open_net(&fast, ctx, path, c->frames, c->bins, c->classes, NULL, 0);
      open_net(&slow, plain, path, c->frames, c->bins, c->classes, NULL, 0);
      am_flops w = flops_of_model(fast.model, c->batch, 1, training);
      double theirs = best_step(&slow, training, c->batch), ours = best_step(&fast, training, c->batch);
      double rate = (w.forward_flops + w.backward_flops) / ours;
      printf("%-16s %5d %-8s %9.4f %9.4f %6.1f %9.1f %8.0f%%\n", c->name, c->batch, training ? "train" : "forward",
             theirs, ours, theirs / ours, rate * 1e-9, 100 * rate / sgemm);
      fflush(stdout);
      close_net(&fast);
      close_net(&slow);
    }
  }
  am_context_free(plain);
  am_context_free(ctx);
  return 0;
}

int main(int argc, char **argv) {
  int code = 2;
  if (argc == 2 && strcmp(argv[1], "peak") == 0) code = peak();
  else if (argc == 3 && strcmp(argv[1], "quick") == 0) code = quick(argv[2]);
  else if (argc >= 2 && strcmp(argv[1], "model") == 0) code = answer_requests(argc, argv);
  if (code == 2) fprintf(stderr, "bench peak | quick SOURCE_ROOT | model CONFIG FRAMES BINS CLASSES [KEY=VALUE]...\n");
  return code;
}
