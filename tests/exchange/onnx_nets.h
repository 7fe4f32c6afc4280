/* SPDX-License-Identifier: MIT */
/* Nets of every layer that ONNX gets, with random weights: what test_onnx_export.c looks into, and what onnx_outputs.c gives to
 * tools/compare-onnx.  Axes all differ in length, so that no wrong order can pass. */
#ifndef ONNX_NETS_H
#define ONNX_NETS_H

#include "exchange/import.h"
#include "io/json.h"

enum { NET_FRAMES = 23, NET_BINS = 7, NET_CLASSES = 4, NET_CLIPS = 5 };
/* Of a batch: the longest, one frame, and what strides meet differently.  Nets with windows over more frames have none of a clip. */
static const int net_lengths[NET_CLIPS] = {NET_FRAMES, 1, 16, 9, 4};

typedef struct net {
  const char *name, *layers; /* YAML in flow style, of a map (T,F,1) */
  bool fixed;                /* clips have one length */
  const char *set;           /* of the features, or NULL */
} net;

#define SEQUENCE "to_sequence, "
#define POOLED ", global_average_pool, dense]"
static const net nets[] = {
    {"dense_fixed", "[flatten, {dense: {units: 9}}, relu, dense]", true, NULL},
    {"dense_ranks", "[{dense: {units: 5}}, tanh, " SEQUENCE "{dense: {units: 6, bias: false}}, sigmoid" POOLED, false,
     NULL},
    {"conv1d_valid", "[" SEQUENCE "{conv1d: {filters: 5, kernel: 4}}, relu" POOLED, false, NULL},
    {"conv1d_same",
     "[" SEQUENCE
     "{conv1d: {filters: 5, kernel: 4, padding: same}}, relu, {conv1d: {filters: 3, kernel: 3, padding: same}}" POOLED,
     false, NULL},
    {"conv1d_same_dilated",
     "[" SEQUENCE "{conv1d: {filters: 5, kernel: 3, dilation: 3, padding: same, bias: false}}" POOLED, false, NULL},
    {"conv1d_same_strides",
     "[" SEQUENCE "{conv1d: {filters: 5, kernel: 5, stride: 2, padding: same}}, relu, {conv1d: {filters: 6, kernel: 4, "
     "stride: 3, padding: same}}" POOLED,
     false, NULL},
    {"conv1d_explicit",
     "[" SEQUENCE "{conv1d: {filters: 5, kernel: 5, stride: 2, padding: explicit, pad: 2}}, relu" POOLED, false, NULL},
    {"conv1d_causal",
     "[" SEQUENCE
     "{conv1d: {filters: 5, kernel: 3, dilation: 4, padding: causal}}, relu, {conv1d: {filters: 6, kernel: 4, "
     "stride: 3, padding: causal}}, {residual: {layers: [{conv1d: {filters: 6, kernel: 2, padding: causal}}]}}" POOLED,
     false, NULL},
    {"conv1d_stride_only",
     "[" SEQUENCE
     "{conv1d: {filters: 5, kernel: 1, stride: 3, padding: same}}, {conv1d: {filters: 4, kernel: 1, stride: 2}}" POOLED,
     false, NULL},
    {"conv2d_valid",
     "[{conv2d: {filters: 3, kernel: [3, 2]}}, relu, {conv2d: {filters: 4, kernel: [2, 3], stride: [2, 1]}}" POOLED,
     false, NULL},
    {"conv2d_same",
     "[{conv2d: {filters: 3, kernel: [3, 4], padding: same}}, relu, {conv2d: {filters: 4, kernel: 2, padding: same, "
     "bias: false}}" POOLED,
     false, NULL},
    {"conv2d_same_strides",
     "[{conv2d: {filters: 3, kernel: [4, 3], stride: [3, 2], padding: same}}, relu, {conv2d: {filters: 4, kernel: 3, "
     "stride: 2, padding: same}}" POOLED,
     false, NULL},
    {"conv2d_explicit", "[{conv2d: {filters: 3, kernel: 3, stride: [2, 3], padding: explicit, pad: [1, 2]}}" POOLED,
     false, NULL},
    {"conv2d_fixed",
     "[{conv2d: {filters: 3, kernel: [4, 3], stride: [3, 2], padding: same}}, relu, {conv2d: {filters: 2, kernel: 2, "
     "dilation: [2, 1], padding: same}}, flatten, dense]",
     true, NULL},
    {"max_pool1d", "[" SEQUENCE "{max_pool1d: {size: 3}}, {max_pool1d: {size: 2, stride: 1}}" POOLED, false, NULL},
    {"max_pool1d_same",
     "[" SEQUENCE "{conv1d: {filters: 4, kernel: 1}}, {max_pool1d: {size: 3, stride: 2, padding: same}}, {max_pool1d: "
     "{size: 2, stride: 1, padding: same}}" POOLED,
     false, NULL},
    {"max_pool2d", "[{max_pool2d: {size: [3, 2], stride: [2, 1]}}" POOLED, false, NULL},
    {"max_pool2d_same",
     "[{conv2d: {filters: 3, kernel: 1}}, {max_pool2d: {size: [4, 3], stride: [3, 2], padding: same}}" POOLED, false,
     NULL},
    {"max_pool2d_explicit",
     "[{conv2d: {filters: 3, kernel: 1}}, {max_pool2d: {size: 3, stride: 2, padding: explicit, pad: 1}}" POOLED, false,
     NULL},
    {"max_pool2d_fixed", "[{max_pool2d: {size: [4, 3], stride: [3, 2], padding: same}}, flatten, dense]", true, NULL},
    {"average_pool1d", "[" SEQUENCE "{average_pool1d: {size: 3}}, {average_pool1d: {size: 2, stride: 1}}" POOLED, false,
     NULL},
    {"average_pool1d_same",
     "[" SEQUENCE "{dense: {units: 4}}, {average_pool1d: {size: 4, stride: 3, padding: same}}, {average_pool1d: {size: "
     "3, stride: 1, padding: same}}" POOLED,
     false, NULL},
    {"average_pool1d_all",
     "[" SEQUENCE
     "{dense: {units: 4}}, {average_pool1d: {size: 4, stride: 3, padding: same, count_include_pad: true}}" POOLED,
     false, NULL},
    {"average_pool2d", "[{average_pool2d: {size: [3, 2], stride: [2, 1]}}" POOLED, false, NULL},
    {"average_pool2d_same",
     "[{conv2d: {filters: 3, kernel: 1}}, {average_pool2d: {size: [4, 3], stride: [3, 2], padding: same}}" POOLED,
     false, NULL},
    {"average_pool2d_explicit",
     "[{conv2d: {filters: 3, kernel: 1}}, {average_pool2d: {size: [3, 4], stride: 2, padding: explicit, pad: [1, "
     "2]}}" POOLED,
     false, NULL},
    {"average_pool2d_fixed",
     "[{average_pool2d: {size: [4, 3], stride: [3, 2], padding: same}}, {average_pool2d: {size: 2, stride: 1, padding: "
     "explicit, pad: 1}}, flatten, dense]",
     true, NULL},
    {"average_pool2d_fixed_all",
     "[{average_pool2d: {size: [4, 3], stride: [3, 2], padding: same, count_include_pad: true}}, flatten, dense]", true,
     NULL},
    {"global_average_time", "[{conv2d: {filters: 3, kernel: 1}}, {global_average_pool: {over: time}}, dense]", false,
     NULL},
    {"global_max", "[{conv2d: {filters: 3, kernel: 1}}, global_max_pool, dense]", false, NULL},
    {"global_max_time", "[{conv2d: {filters: 3, kernel: [4, 1]}}, {global_max_pool: {over: time}}, dense]", false,
     NULL},
    {"global_fixed",
     "[{conv2d: {filters: 3, kernel: 2}}, {parallel: {branches: [[global_average_pool], [global_max_pool], "
     "[{global_average_pool: {over: time}}]]}}, dense]",
     true, NULL},
    {"activations",
     "[{dense: {units: 5}}, {leaky_relu: {alpha: 0.3}}, {dense: {units: 6}}, gelu, {dense: {units: 5}}, silu, {dense: "
     "{units: 6}}, softmax, {dense: {units: 3}}, tanh" POOLED,
     false, NULL},
    {"norms",
     "[{conv2d: {filters: 5, kernel: 3, padding: same}}, batch_norm, relu, {conv2d: {filters: 4, kernel: 3, padding: "
     "same}}, layer_norm, " SEQUENCE "batch_norm, layer_norm, global_average_pool, batch_norm, layer_norm, dense]",
     false, NULL},
    {"log_probabilities", "[" SEQUENCE "{dense: {units: 4}}, softmax, global_average_pool, log_probabilities]", false,
     NULL},
    {"softmax_end", "[" SEQUENCE "global_average_pool, {dense: {activation: softmax}}]", false, NULL},
    {"lstm", "[" SEQUENCE "{lstm: {units: 5}}" POOLED, false, NULL},
    {"lstm_last", "[" SEQUENCE "{lstm: {units: 5, layers: 3, return: last}}, dense]", false, NULL},
    {"lstm_both",
     "[" SEQUENCE "{lstm: {units: 5, layers: 2, bidirectional: true}}, {lstm: {units: 4, bidirectional: true, return: "
     "last}}, dense]",
     false, NULL},
    {"lstm_fixed", "[" SEQUENCE "{lstm: {units: 5, bidirectional: true}}, {lstm: {units: 3, return: last}}, dense]",
     true, NULL},
    {"gru", "[" SEQUENCE "{gru: {units: 5}}" POOLED, false, NULL},
    {"gru_before",
     "[" SEQUENCE "{gru: {units: 5, reset_after: false, layers: 2}}, {gru: {units: 4, reset_after: false, "
     "bidirectional: true, return: last}}, dense]",
     false, NULL},
    {"gru_both",
     "[" SEQUENCE
     "{gru: {units: 5, layers: 2, bidirectional: true}}, {gru: {units: 4, bidirectional: true, return: last}}, dense]",
     false, NULL},
    {"gru_after_conv",
     "[{conv2d: {filters: 4, kernel: 3, padding: same}}, batch_norm, relu, {max_pool2d: {size: [3, 2]}}, " SEQUENCE
     "{gru: {units: 5, bidirectional: true}}, attention_pool, dense]",
     false, NULL},
    {"attention", "[" SEQUENCE "attention_pool, dense]", false, NULL},
    {"attention_hidden",
     "[" SEQUENCE "{conv1d: {filters: 6, kernel: 4}}, {attention_pool: {units: 5, heads: 3}}, dense]", false, NULL},
    {"attention_deviations",
     "[" SEQUENCE
     "{conv1d: {filters: 6, kernel: 4}}, {attention_pool: {units: 5, heads: 2, statistics: mean_std}}, dense]",
     false, NULL},
    {"attention_fixed", "[" SEQUENCE "{attention_pool: {heads: 2, statistics: mean_std}}, dense]", true, NULL},
    {"residual",
     "[{conv2d: {filters: 3, kernel: 3, padding: same}}, {residual: {layers: [{conv2d: {filters: 3, kernel: 3, "
     "padding: same}}, batch_norm, relu, {conv2d: {filters: 3, kernel: 3, padding: same}}]}}, {residual: {layers: "
     "[{conv2d: {filters: 5, kernel: 3, stride: 2, padding: same}}, batch_norm]}}" POOLED,
     false, NULL},
    {"residual_ranks",
     "[" SEQUENCE "{residual: {layers: [{conv1d: {filters: 5, kernel: 3, padding: same}}], activation: gelu}}, "
     "global_average_pool, {residual: {layers: [{dense: {units: 6}}, tanh, {dense: {units: 5}}]}}, "
     "{residual: {layers: [{dense: {units: 3}}]}}, dense]",
     false, NULL},
    {"squeeze_excite",
     "[{conv2d: {filters: 6, kernel: 3, padding: same}}, {squeeze_excite: {reduction: 2}}, {conv2d: {filters: 5, "
     "kernel: 3, padding: same}}, " SEQUENCE "{squeeze_excite: {reduction: 3}}" POOLED,
     false, NULL},
    {"parallel",
     "[{parallel: {branches: [[{bins: {count: 4}}, {conv2d: {filters: 3, kernel: 3, padding: same}}, {max_pool2d: "
     "{size: 2}}, "
     "to_sequence], [{bins: {first: 4}}, to_sequence, {average_pool1d: {size: 2}}]]}}, dropout, {conv1d: {filters: 4, "
     "kernel: 3, padding: same}}" POOLED,
     false, NULL},
    {"parallel_maps",
     "[{conv2d: {filters: 3, kernel: 1}}, {parallel: {branches: [[], [{conv2d: {filters: 2, kernel: 3, padding: "
     "same}}], [{dense: {units: 4}}]]}}, {bins: {first: 2, count: 3}}, {conv2d: {filters: 4, kernel: 3, padding: "
     "same}}" POOLED,
     false, NULL},
    {"too_short",
     "[" SEQUENCE "{conv1d: {filters: 5, kernel: 6}}, {max_pool1d: {size: 3}}, {parallel: {branches: "
     "[[global_average_pool], [global_max_pool], [{attention_pool: {statistics: mean_std}}], [{lstm: "
     "{units: 3, return: last}}], [{gru: {units: 3}}, global_max_pool]]}}, dense]",
     false, NULL},
    {"glu",
     "[{conv2d: {filters: 6, kernel: 3, padding: same}}, glu, " SEQUENCE "{conv1d: {filters: 10, kernel: 3, padding: "
     "same}}, glu, global_average_pool, {dense: {units: 12}}, glu, dense]",
     false, NULL},
    {"glu_product",
     "[" SEQUENCE
     "{lstm: {units: 6, bidirectional: true}}, {glu: {gate: none}}, {conv1d: {filters: 8, kernel: 3, padding: "
     "same}}, {glu: {gate: none}}" POOLED,
     false, NULL},
    {"by_clip", "[" SEQUENCE "{gru: {units: 5, return: last}}, dense]", false, "features.normalise=clip"},
    {"by_clip_all", "[" SEQUENCE "{gru: {units: 5, return: last}}, dense]", false,
     "features={kind: log_mel, sample_rate: 16000, n_fft: 64, hop: 32, mels: 7, max_frames: 23, normalise: clip, "
     "normalise_by: all}"},
    {"by_clip_fixed", "[flatten, {dense: {units: 9}}, relu, dense]", true, "features.normalise=clip"},
};
enum { NETS = sizeof nets / sizeof *nets };

static inline uint32_t net_random(uint32_t *state) { return *state = *state * 1664525U + 1013904223U; }
/* -1 to 1 */
static inline float net_number(uint32_t *state) { return (float)(net_random(state) >> 8) / (float)(1 << 23) - 1; }

/* Random numbers everywhere: a bias of 0 or a variance of 1 would hide that it is left out. */
static inline void net_fill(am_model *model, uint32_t seed) {
  am_model_initialise(model, seed);
  for (size_t i = 0; i < am_model_weight_count(model); i++) {
    const am_array_info *info = am_model_weight_info(model, i);
    for (size_t k = 0; k < info->count; k++)
      am_model_weights(model, NULL)[info->offset + k] += 0.3F * net_number(&seed);
  }
  for (size_t i = 0; i < am_model_statistic_count(model); i++) {
    const am_array_info *info = am_model_statistic_info(model, i);
    const char *name = strrchr(info->name, '/');
    float *at = am_model_statistics(model, NULL) + info->offset;
    for (size_t k = 0; k < info->count; k++)
      at[k] = !strcmp(name, "/mean") ? net_number(&seed) : !strcmp(name, "/variance") ? 1.5F + net_number(&seed) : 9;
  }
}

/* A checkpoint of the net; temperature 0: not calibrated. */
static inline am_status net_save(am_context *ctx, const net *n, double temperature, const char *path, am_error *err) {
  const char *set[4] = {"name=net", n->fixed ? "features.samples=704" : "features.max_frames=23",
                        n->fixed ? "features.max_frames=0" : "features.samples=0", n->set};
  am_import_source source = {
      .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = set, .n_overrides = n->set ? 4 : 3};
  am_import j = {.ctx = ctx,
                 .file = n->name,
                 .program = "nets",
                 .source = &source,
                 .temperature = temperature,
                 .input = {.rank = 3, .t = NET_FRAMES, .f = NET_BINS, .c = 1, .variable = !n->fixed}};
  am_status status = am_import_config(&j, n->layers, err);
  if (!status) status = am_import_labels(&j, NET_CLASSES, err);
  if (!status) status = am_model_create(ctx, j.config->layers, j.input, NET_CLASSES, &j.model, err);
  if (!status) net_fill(j.model, (uint32_t)(n - nets) + 1);
  if (!status) status = am_import_save(&j, path, err);
  am_import_free(&j);
  return status;
}

#endif
