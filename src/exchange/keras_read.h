/* exchange/keras_read.h - from the JSON of a Keras model to our list of layers: shared by keras_read_graph.c (which layers, in
 * what order), keras_read_keys.c (the keys of a layer), keras_read_layers.c (one layer) and keras_import.c. */
#ifndef AM_KERAS_READ_H
#define AM_KERAS_READ_H

#include "exchange/keras.h"
#include "io/json.h"

/* The weights of one Keras layer, in Keras's order. */
enum { AM_KERAS_ARRAYS = 6 };
typedef struct am_keras_array {
  const char *keras; /* "moving_mean" */
  const char *ours;  /* "mean", of our layer */
  bool statistic;
} am_keras_array;

typedef struct am_keras_layer {
  const char *name;  /* ours; two of Keras's may be one of ours */
  const char *keras; /* Keras's, which may hold other characters */
  int n_arrays;
  am_keras_array arrays[AM_KERAS_ARRAYS];
  bool turned;        /* conv2d over a turned map */
  const char *flat;   /* name of the flatten of a turned map that its input comes from; NULL: none */
  int64_t reshape[2]; /* (T, F*C) that to_sequence must give, -1: anything; 0: nothing to check */
} am_keras_layer;

/* A Keras model taken apart. */
typedef struct am_keras_model {
  am_tree *tree;      /* owns all strings */
  am_buffer layers;   /* our list of layers, as JSON */
  am_keras_layer *at; /* layers with weights, or something to check; am_free */
  size_t n;
  int rank;           /* of the input without the batch: 1 to 3 */
  int64_t dims[3];    /* -1: any */
  int64_t units;      /* outputs; 0 unknown */
  const char *inside; /* the layer whose softmax stands before others without weights: our list then ends in
                          log_probabilities; NULL: there is none */
} am_keras_model;

/* From the JSON, layer by layer. `file` is for messages. */
typedef struct am_keras_reader {
  am_context *ctx;
  const char *file;
  am_keras_model *model;
  am_json json;
  bool turned;            /* maps are (F,T,C) in Keras */
  int rank;               /* of the tensor between layers: 1 (C), 2 (T,C), 3 map */
  const char *flat;       /* the flatten of a turned map after which we are */
  const char *activation; /* that nothing with weights has followed yet; "" none */
  const char *made;       /* the layer that has it */
  const char *behind;     /* the last layer after that one; NULL: it is itself the last */
  bool narrow;            /* it was said that Keras computes in half precision */
  const char *spoiled;    /* a layer after it that does not keep the sum of softmax's outputs; NULL: none */
} am_keras_reader;

/* One layer of the model, whose name here is known. */
typedef struct am_keras_source {
  const char *type, *name; /* of Keras */
  const char *ours;        /* name that our config allows, and no other layer has */
  const am_value *config;
} am_keras_source;

/* keras_read_graph.c: the whole model, into r->model. */
am_status am_keras_read_model(am_keras_reader *r, const am_value *root, am_error *err);

/* keras_read_layers.c: one layer, appended to r->model. */
am_status am_keras_read_layer(am_keras_reader *r, const am_keras_source *s, am_error *err);
/* Attention over frames, taken apart by Keras: scores (with a hidden layer or, hidden->config NULL, without), softmax over
 * time, and the product with the frames, whose name becomes ours. */
am_status am_keras_read_attention(am_keras_reader *r, const am_keras_source *hidden, const am_keras_source *score,
                                  const am_keras_source *softmax, const am_keras_source *dot, am_error *err);
/* A layer of ours that Keras does not have, without options. */
void am_keras_add(am_keras_reader *r, const char *type, const char *name);

/* keras_read_keys.c: every key of s->config is one of `options`, or does not touch what the layer computes, or has the one
 * value that is computed here.  Anything else is AM_E_UNSUPPORTED by name.  What was passed over goes to the log. */
am_status am_keras_check_keys(am_keras_reader *r, const am_keras_source *s, const char *options, am_error *err);
const char *am_keras_text(const am_value *v);            /* NULL: no scalar */
bool am_keras_is(const am_value *v, const char *wanted); /* NULL: null */
am_status am_keras_refuse(const am_keras_reader *r, const am_keras_source *s, const char *key, const char *wanted,
                          am_error *err);
am_status am_keras_int(const am_keras_reader *r, const am_keras_source *s, const char *key, int64_t *out,
                       am_error *err);
am_status am_keras_real(const am_keras_reader *r, const am_keras_source *s, const char *key, double fallback,
                        double *out, am_error *err);
am_status am_keras_bool(const am_keras_reader *r, const am_keras_source *s, const char *key, bool fallback, bool *out,
                        am_error *err);

#endif
