/* SPDX-License-Identifier: MIT */
/* exchange/torch.h - the arrays of our layers as PyTorch's modules have them.
 *
 * A layer with weights is a module, or, of attention_pool, two:
 *   conv2d, conv1d      Conv2d, Conv1d      weight (out, in, height, width), bias
 *   dense               Linear              weight (out, in), bias
 *   batch_norm          BatchNorm1d, 2d     weight, bias, running_mean, running_var
 *   layer_norm          LayerNorm           weight, bias
 *   lstm, gru           LSTM, GRU           weight_ih_l0 (gates, in), weight_hh_l0, bias_ih_l0, bias_hh_l0, ..._l0_reverse
 *   attention_pool      Linear hidden, Linear score without a bias
 * An LSTM has its gates in our order, a GRU as r, z, n where ours are z, r, n.  Of an LSTM's two biases we have the sum.
 *
 * PyTorch's pictures are (channels, height, width).  What a Flatten lays side by side is therefore in another order, and so
 * are the inputs of all that reads it, up to the next layer that mixes its inputs.  Where (T,F,C) becomes frames of F*C numbers,
 * PyTorch's (channels, mel, frames) usually become frames of C*F (permute and flatten(2)); option sequence says which. */
#ifndef AM_TORCH_H
#define AM_TORCH_H

#include "nn/model.h"

#define AM_TORCH_SEQUENCES(X) X(AM_TORCH_CHANNELS_MEL, "channels_mel") X(AM_TORCH_MEL_CHANNELS, "mel_channels")
typedef enum am_torch_sequence { AM_TORCH_SEQUENCES(AM_WORD_NAME) } am_torch_sequence;

typedef enum am_torch_kind {
  AM_TORCH_CONV2D,
  AM_TORCH_CONV1D,
  AM_TORCH_LINEAR,
  AM_TORCH_BATCH_NORM,
  AM_TORCH_LAYER_NORM,
  AM_TORCH_RECURRENT
} am_torch_kind;
const char *am_torch_kind_name(am_torch_kind kind); /* "Conv2d"; "LSTM or GRU" */

/* A tensor of a module, and the part of one of our arrays that it is. */
typedef struct am_torch_tensor {
  char name[40]; /* "weight_ih_l0" */
  bool optional; /* a module without it is one without a bias, or without scale and shift */
  bool added;    /* to what the tensor before it gave: an LSTM's second bias */
  int rank;
  size_t dims[4]; /* as PyTorch has them */
  /* Ours: an array of the layer, from `offset` on, of rank `rank`; axis k of theirs is axis[k] of ours, and index i of our axis
   * a is theirs[a][i] (NULL: i) there. */
  const am_array *array;
  bool statistic;
  size_t offset;
  int ours[4], axis[4];
  const int *theirs[4];
} am_torch_tensor;

enum { AM_TORCH_TENSORS = 20 };
typedef struct am_torch_module {
  const am_layer *layer;
  const char *sub; /* "hidden", "score" of a layer with two; NULL: the layer is the module */
  am_torch_kind kind;
  int n;
  am_torch_tensor at[AM_TORCH_TENSORS];
} am_torch_module;

typedef struct am_torch {
  am_context *ctx;
  am_model *model;
  const char *file;    /* for messages */
  bool turned;         /* pictures are (channels, mel, frames), not (channels, frames, mel) */
  bool channels_first; /* frames made of a picture are channels, and mel within them */
  int **orders;        /* by tensor of the model: where each of our channels is in theirs; NULL: the same */
  size_t n_orders;
  struct am_torch_gates { /* likewise, of the gates of GRUs of so many units */
    int units, *theirs;
  } * gates;
  size_t n_gates, gate_room;
} am_torch;

/* AM_E_UNSUPPORTED names a layer whose numbers have no known order in PyTorch. */
am_status am_torch_begin(am_torch *t, am_error *err);
void am_torch_end(am_torch *t);
/* The modules of a step, 0 to 2. */
am_status am_torch_modules(am_torch *t, const am_step *step, am_torch_module out[2], int *n, am_error *err);
/* "residual_1.conv2d_1", "attention_pool_1.hidden": am_free; NULL: no memory. */
char *am_torch_name(am_context *ctx, const am_torch_module *module);
/* From theirs, (count) numbers, into ours, and back. */
void am_torch_take(const am_torch *t, const am_torch_tensor *tensor, const float *theirs);
void am_torch_give(const am_torch *t, const am_torch_tensor *tensor, float *theirs);

#endif
