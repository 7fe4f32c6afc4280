/* SPDX-License-Identifier: MIT */
/* exchange/onnx_write.h - a model of ours as nodes of ONNX: shared by onnx_write.c (tensors, lengths, constants),
 * onnx_write_layers.c, onnx_write_windows.c, onnx_write_recurrent.c (the layers), onnx_write_features.c (from sound to features) and
 * onnx_export.c (the file).
 *
 * Tensors.  Ours are (B,T,F,C), ONNX's convolutions want (B,C,T,F).  Each tensor is made in the order in which its layer
 * gives it, and in the other one when a layer first asks for it.
 *
 * Lengths.  Where clips differ in length, each tensor has lengths (B).  Ours is zero past them; here that is made so only
 * where a layer would see it (`clean`): of most layers what stands there is nobody's. */
#ifndef AM_ONNX_WRITE_H
#define AM_ONNX_WRITE_H

#include "exchange/onnx_model.h"
#include "model/checkpoint.h"

typedef enum am_onnx_order {
  AM_ONNX_LAST,
  AM_ONNX_FIRST
} am_onnx_order; /* where the channels are: (B,T,F,C), (B,C,T,F) */

/* Lengths that several tensors may share, and what was made of them. */
typedef struct am_onnx_times {
  const char *lengths;  /* (B) int64 */
  const char *mask;     /* (B,T) bool: t < length */
  const char *at[2][2]; /* for tensors of rank 2 and 3, in both orders: (B,T,1), (B,1,T), ... */
  const char *some;     /* (B,1) bool: length > 0 */
} am_onnx_times;

typedef struct am_onnx_made {
  am_shape shape;
  const char *name[2][2]; /* [order][clean]; of rank 1 all are one */
  am_onnx_times *times;   /* NULL: clips have one length, or rank 1 */
} am_onnx_made;

typedef struct am_onnx_writer {
  am_context *ctx;
  const char *file; /* the checkpoint, for messages */
  am_onnx_model *m;
  am_model *model;
  am_tree *tree;
  const char *prefix;    /* of names: "", or "member_1/" */
  am_onnx_made *at;      /* tensors of the model, by number */
  const am_layer *layer; /* that is being written */
  const am_value *options;
} am_onnx_writer;

/* ---- onnx_write.c ---- */

/* The layers from `features`, (B,T,F,C) or of a lower rank as the model's input is, to logits (B,K), whose name *out gets.  lengths:
 * (B) frames, or NULL where the model has clips of one length. */
am_status am_onnx_write_model(am_onnx_writer *w, const char *features, const char *lengths, const char **out,
                              am_error *err);
/* Input i of the layer. */
const char *am_onnx_in(am_onnx_writer *w, int tensor, am_onnx_order order, bool clean);
/* Its output. */
void am_onnx_out(am_onnx_writer *w, int tensor, am_onnx_order order, const char *name, bool clean);
/* Whether what is past the lengths is zero already. */
bool am_onnx_is_clean(const am_onnx_writer *w, int tensor);
/* Past the lengths there is `value` (a scalar's name). */
const char *am_onnx_fill(am_onnx_writer *w, int tensor, am_onnx_order order, const char *value);
const char *am_onnx_mask(am_onnx_writer *w, int tensor, am_onnx_order order); /* bool, with ones for F and C */
const char *am_onnx_some(am_onnx_writer *w, am_onnx_times *times);
am_onnx_times *am_onnx_times_new(am_onnx_writer *w, const char *lengths);
/* bool (B,T) of lengths (B) and the T of tensor x, whose axis 1 or so it is. */
const char *am_onnx_before(am_onnx_writer *w, const char *x, int axis, const char *lengths);
const char *am_onnx_extent(am_onnx_writer *w, const char *x, int axis); /* () int64 */

/* Constants that have no name of their own: one of each. */
const char *am_onnx_k_ints(am_onnx_writer *w, size_t n, const int64_t *values);
const char *am_onnx_k_int(am_onnx_writer *w, int64_t value);
const char *am_onnx_k_float(am_onnx_writer *w, double value);
#define am_onnx_k(w, ...) \
  am_onnx_k_ints(w, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

/* Weight or statistic i of the layer, and as a constant: as it is, or turned to the dimensions in `order`. */
const am_real *am_onnx_weight(const am_onnx_writer *w, int i);
const am_real *am_onnx_statistic(const am_onnx_writer *w, int i);
const char *am_onnx_weight_put(am_onnx_writer *w, int i, const int *order);
const char *am_onnx_array_put(am_onnx_writer *w, const char *name, int rank, const int64_t *dims, const float *data);
float *am_onnx_room(am_onnx_writer *w, size_t count); /* of the tree; NULL: no memory, and w->m->failed */

/* Options of the layer. */
const char *am_onnx_option(const am_onnx_writer *w, const char *key);
int64_t am_onnx_option_int(const am_onnx_writer *w, const char *key);
double am_onnx_option_real(const am_onnx_writer *w, const char *key);
bool am_onnx_option_yes(const am_onnx_writer *w, const char *key);
/* One number, or [time, frequency]; an empty list is `fallback`'s. */
void am_onnx_option_pair(const am_onnx_writer *w, const char *key, const char *fallback, int64_t out[2]);

/* ---- the layers ---- */

typedef struct am_onnx_step {
  const am_layer *layer;
  const int *in; /* tensors */
  int out;
} am_onnx_step;
typedef void am_onnx_layer_fn(am_onnx_writer *w, const am_onnx_step *s);
/* NULL: it is not known here. */
am_onnx_layer_fn *am_onnx_layer_of(const am_layer_class *cls);
am_onnx_layer_fn am_onnx_conv, am_onnx_max_pool, am_onnx_average_pool; /* onnx_write_windows.c */
am_onnx_layer_fn am_onnx_lstm, am_onnx_gru, am_onnx_attention;         /* onnx_write_recurrent.c */

/* ---- onnx_write_features.c ---- */

/* What of the features no graph can have, for a message; NULL: all can be. */
const char *am_onnx_features_refused(const am_feature_options *o);
/* Features (B,T,F) of samples (B,N), whose lengths are (B); *lengths gets frames, which are at most `most`. */
am_status am_onnx_write_features(am_onnx_writer *w, const am_feature_options *o, const char *samples,
                                 const char *lengths, int most, const char **features, const char **frames,
                                 am_error *err);
/* Features (B,T,F) as the model sees them; lengths NULL: clips have one length. */
const char *am_onnx_write_normalise(am_onnx_writer *w, const am_normaliser *nz, const char *features,
                                    const char *lengths);

#endif
