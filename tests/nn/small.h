/* SPDX-License-Identifier: MIT */
/* tests/nn/small.h - models from a few lines of YAML, and batches of made-up numbers. */
#ifndef AM_TEST_SMALL_H
#define AM_TEST_SMALL_H

#include "testing.h"

#include "base/rng.h"
#include "io/yaml.h"
#include "nn/model.h"

/* A plain CNN, and one with every kind of block, lengths and recurrence. */
#define CNN \
  "[{conv2d: {filters: 4, padding: same, activation: relu}}, {max_pool2d: {size: 2}}, " \
  "{conv2d: {filters: 6, padding: same, activation: relu}}, {dropout: {rate: 0.25}}, " \
  "{max_pool2d: {size: 2}}, flatten, {dense: {units: 9, activation: relu}}, " \
  "{dropout: {rate: 0.5}}, {dense: {}}, softmax]"

#define CRNN \
  "[{conv2d: {filters: 4, padding: same}}, {batch_norm: {activation: relu}}, " \
  "{max_pool2d: {size: 2}}, {residual: {layers: [{conv2d: {filters: 5, padding: same, " \
  "stride: [2, 1], activation: gelu}}, {conv2d: {filters: 5, padding: same}}]}}, " \
  "{squeeze_excite: {reduction: 2}}, to_sequence, {lstm: {units: 6, bidirectional: true}}, " \
  "{layer_norm: {}}, {parallel: {branches: [[{dense: {units: 4, activation: tanh}}], " \
  "[{conv1d: {filters: 3, padding: same}}], []]}}, attention_pool, {dense: {}}]"

/* A context and an error to go with it. */
typedef struct world {
  am_context *ctx;
  am_error err;
} world;

static inline world begin(int threads) {
  am_error err = AM_ERROR_INIT;
  return (world){am_test_context(threads, NULL), err};
}

static inline am_status net_precise(am_context *ctx, const char *yaml, am_shape input, int classes,
                                    am_precision precision, am_model **out, am_error *err) {
  am_tree *tree = NULL;
  am_value *layers = NULL;
  *out = NULL;
  am_status status = am_tree_create(ctx, &tree, err);
  if (!status) status = am_yaml_read_text(tree, yaml, strlen(yaml), "net.yaml", &layers, err);
  if (!status) status = am_model_create_precise(ctx, layers, input, classes, precision, out, err);
  am_tree_free(tree);
  return status;
}

static inline am_status net_try(am_context *ctx, const char *yaml, am_shape input, int classes, am_model **out,
                                am_error *err) {
  return net_precise(ctx, yaml, input, classes, AM_PRECISION_FLOAT32, out, err);
}

static inline am_model *net(am_context *ctx, const char *yaml, am_shape input, int classes) {
  am_error err = AM_ERROR_INIT;
  am_model *model = NULL;
  am_test_ok(net_try(ctx, yaml, input, classes, &model, &err), &err);
  am_model_initialise(model, 7);
  return model;
}

static inline am_session *net_session(am_model *model, int batch, bool training) {
  am_error err = AM_ERROR_INIT;
  am_session *session = NULL;
  am_test_ok(am_session_create(model, batch, training, &session, &err), &err);
  return session;
}

/* Normal numbers that depend on the seed alone. */
static inline am_real *net_numbers(size_t n, uint64_t seed) {
  am_real *x = malloc((n ? n : 1) * sizeof *x);
  assert_non_null(x);
  am_rng rng = am_rng_stream(seed, AM_FOR_SYNTH, 1, 2, 3);
  for (size_t i = 0; i < n; i++) x[i] = (am_real)am_rng_normal(&rng);
  return x;
}

/* (B,T,F,C) with zeros past each length. */
static inline am_real *net_input(am_shape s, int batch, const int *lengths, uint64_t seed) {
  size_t frame = (size_t)s.f * (size_t)s.c, clip = frame * (size_t)s.t;
  am_real *x = net_numbers((size_t)batch * clip, seed);
  for (int b = 0; lengths && b < batch; b++)
    for (size_t i = (size_t)lengths[b] * frame; i < clip; i++) x[(size_t)b * clip + i] = 0;
  return x;
}

/* Weights away from their defaults, so that biases and norms count as well; padding stays zero. */
static inline void net_shake(am_model *model, uint64_t seed) {
  am_real *w = am_model_weights(model, NULL);
  for (size_t i = 0; i < am_model_weight_count(model); i++) {
    am_array_info info = *am_model_weight_info(model, i);
    am_real *noise = net_numbers(info.count, seed + i);
    for (size_t k = 0; k < info.count; k++) w[info.offset + k] += (am_real)0.05 * noise[k];
    free(noise);
  }
}

static inline am_shape net_map(int t, int f, int c, bool variable) {
  return (am_shape){.rank = 3, .t = t, .f = f, .c = c, .variable = variable};
}
static inline am_shape net_sequence(int t, int c, bool variable) {
  return (am_shape){.rank = 2, .t = t, .f = 1, .c = c, .variable = variable};
}
static inline am_shape net_vector(int c) { return (am_shape){.rank = 1, .t = 1, .f = 1, .c = c}; }

#endif
