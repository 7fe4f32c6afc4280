/* SPDX-License-Identifier: MIT */
/* tests/nn/net.h - a whole model run on a golden case: nets and loss curves of tools/golden-nn.py. */
#ifndef AM_TESTS_NET_H
#define AM_TESTS_NET_H

#include "harness.h"
#include "nn/contrastive.h"
#include "nn/loss.h"
#include "nn/model.h"

typedef struct net {
  am_tree *tree;
  am_model *model;
  am_session *session;
  am_real *x, *weights, *gradients;
  size_t x_count, n_weights; /* n_weights: of the flat buffers, padding included */
  uint64_t draws[MAX_CLIPS];
  am_batch batch;
} net;

/* Array i of a net is stream 64 + i times its scale; statistics start at 0 and 1. */
static inline void net_weights(net *n, const golden_case *c) {
  assert_int_equal(am_model_weight_count(n->model), c->n_weights);
  for (int i = 0; i < c->n_weights; i++) {
    const am_array_info info = *am_model_weight_info(n->model, (size_t)i);
    const size_t length = strlen(info.name);
    assert_string_equal(info.name, c->weights[i]);
    assert_int_equal(info.count, c->weight_counts[i]);
    const bool gamma = length > 5 && !strcmp(info.name + length - 5, "gamma");
    am_real *w = n->weights + info.offset;
    numbers(c->seed, 64 + (uint64_t)i, info.count, w);
    for (size_t k = 0; k < info.count; k++) w[k] = w[k] * (am_real)c->scales[i] + (gamma ? 1 : 0);
  }
}

static inline void net_input(net *n, const golden_case *c, uint64_t stream) {
  numbers(c->seed, stream, n->x_count, n->x);
  mask_tensor(c->in[0], c->masked ? c->lengths : NULL, c->clips, n->x);
}

static inline void net_create(net *n, am_context *ctx, const golden_case *c, bool fusion) {
  am_error err = AM_ERROR_INIT;
  *n = (net){0};
  am_shape in = c->in[0];
  in.variable = c->masked;
  am_test_ok(am_tree_create(ctx, &n->tree, &err), &err);
  am_test_ok(am_model_create(ctx, flow_parse(n->tree, c->text), in, c->classes, &n->model, &err), &err);
  am_model_set_fusion(n->model, fusion);
  am_model_initialise(n->model, 1); /* statistics */
  n->weights = am_model_weights(n->model, &n->n_weights);
  net_weights(n, c);
  am_test_ok(am_session_create(n->model, c->clips + 1, true, &n->session, &err), &err);
  n->gradients = am_session_gradients(n->session);
  n->x_count = (size_t)c->clips * am_shape_count(in);
  n->x = aligned(n->x_count * sizeof *n->x);
  net_input(n, c, 0);
  for (int b = 0; b < c->clips; b++) n->draws[b] = 11 + 2 * (uint64_t)b;
  n->batch = (am_batch){sizeof(am_batch), c->clips, n->x, c->masked ? c->lengths : NULL, c->seed, 3, n->draws};
}

static inline void net_free(net *n) {
  am_session_free(n->session);
  am_model_free(n->model);
  am_tree_free(n->tree);
  free(n->x);
}

/* The loop of curve() in tools/nn_reference.py: two batches in turn, cross-entropy, Keras's Adam. */
enum { STEPS = 20, BATCHES = 2 };

typedef struct curve {
  net n;
  am_real *m, *v;
  int step;
} curve;

static inline void curve_create(curve *u, am_context *ctx, const golden_case *c) {
  *u = (curve){0};
  net_create(&u->n, ctx, c, true);
  u->m = calloc(u->n.n_weights, sizeof *u->m);
  u->v = calloc(u->n.n_weights, sizeof *u->v);
}

static inline void curve_free(curve *u) {
  free(u->m);
  free(u->v);
  net_free(&u->n);
}

/* One step; the mean loss before it. */
static inline double curve_step(curve *u, am_context *ctx, const golden_case *c) {
  static const am_loss_options options = {.kind = AM_LOSS_CROSS_ENTROPY};
  net *n = &u->n;
  am_real targets[MAX_CLIPS * 16] = {0}, dy[MAX_CLIPS * 16];
  const int which = u->step % BATCHES;
  net_input(n, c, (uint64_t)which);
  for (int b = 0; b < c->clips; b++) {
    n->draws[b] = (uint64_t)(which * c->clips + b);
    targets[b * c->classes + (5 * (which * c->clips + b) + 2) % c->classes] = 1;
  }
  n->batch.epoch = (uint64_t)(u->step++ / BATCHES);
  am_session_zero_gradients(n->session);
  am_session_forward(n->session, &n->batch, true, NULL);
  const am_real *logits = am_session_output(n->session);
  const double loss = am_loss(&options, logits, targets, NULL, c->clips, c->classes, dy, NULL);
  am_session_backward(n->session, dy, NULL);
  const double rate = c->rate * sqrt(1 - pow(0.999, u->step)) / (1 - pow(0.9, u->step));
  am_kernels_of(ctx)->adam(n->n_weights, n->weights, n->gradients, u->m, u->v, (am_real)(1.0 / c->clips), (am_real)rate,
                           (am_real)0.9, (am_real)0.999, (am_real)1e-7, 0, false);
  return loss / c->clips;
}

/* One case of losses.txt. */
typedef struct loss_case {
  am_loss_options options;
  int batch, classes;
  am_real y[64], targets[64], weights[16];
  bool weighted;
} loss_case;

static inline void loss_read(loss_case *l, am_context *ctx, const golden_case *c) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree = NULL;
  *l = (loss_case){.batch = c->clips, .classes = c->classes, .weighted = strstr(c->type, "weighted") != NULL};
  const size_t n = (size_t)(l->batch * l->classes);
  assert_true(n <= 64);
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  am_test_ok(am_options_read(tree, am_loss_table, flow_parse(tree, c->text), "loss", &l->options, &err), &err);
  am_tree_free(tree);
  numbers(c->seed, 0, n, l->y);
  for (size_t i = 0; i < n; i++) l->y[i] *= 4;
  if (!strncmp(c->type, "soft", 4)) numbers(c->seed, 1, n, l->targets);
  for (int b = 0; b < l->batch; b++) {
    am_real *t = l->targets + b * l->classes;
    double sum = 0;
    for (int k = 0; k < l->classes; k++) sum += fabs((double)t[k]);
    if (sum > 0) /* to float on both sides, so that the targets are the very same */
      for (int k = 0; k < l->classes; k++) t[k] = (am_real)(float)(fabs((double)t[k]) / sum);
    else t[(7 * b + 3) % l->classes] = 1;
  }
  numbers(c->seed, 2, (size_t)l->batch, l->weights);
  for (int b = 0; b < l->batch; b++) l->weights[b] = l->weights[b] / 2 + 1;
}

/* One case of contrastive.txt; in a case `zero` the third embedding is zero. */
typedef struct contrastive_case {
  double temperature, memory[512];
  int batch, width, labels[MAX_CLIPS];
  am_real x[128];
} contrastive_case;

static inline void contrastive_read(contrastive_case *l, am_context *ctx, const golden_case *c) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree = NULL;
  am_loss_options options;
  *l = (contrastive_case){.batch = c->clips, .width = c->in[0].c};
  const size_t n = (size_t)(l->batch * l->width);
  assert_true(n <= 128 && am_contrastive_memory(l->batch, l->width) <= 512);
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  am_test_ok(am_options_read(tree, am_loss_table, flow_parse(tree, c->text), "loss", &options, &err), &err);
  am_tree_free(tree);
  l->temperature = options.contrastive_temperature;
  numbers(c->seed, 0, n, l->x);
  for (int i = 0; i < l->width && !strcmp(c->type, "zero"); i++) l->x[2 * l->width + i] = 0;
  for (int b = 0; b < l->batch; b++) l->labels[b] = (7 * b + 3) % c->classes;
}

/* Its gradient, times `factor`, is added to dx. */
static inline double contrastive_run(contrastive_case *l, double factor, am_real *dx) {
  return am_contrastive_loss(l->x, l->labels, l->batch, l->width, l->temperature, factor, l->memory, dx);
}

static inline double loss_run(const loss_case *l, am_real *dy, am_real *each) {
  return am_loss(&l->options, l->y, l->targets, l->weighted ? l->weights : NULL, l->batch, l->classes, dy, each);
}

#endif
