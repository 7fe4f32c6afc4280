/* SPDX-License-Identifier: MIT */
/* exchange/keras_read.h - from the JSON of a Keras model to our list of layers: shared by keras_read_graph.c (which layers there
 * are, and what each is called with), keras_read_order.c (in what order, and which of them are blocks), keras_read_blocks.c
 * (blocks), keras_read_keys.c (the keys of a layer), keras_read_layers.c, keras_read_padding.c, keras_read_recurrent.c (one
 * layer) and keras_import.c. */
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
  const char *part; /* of an archive: "cell/", the part of the layer that has it; "": the layer itself */
  int number;       /* and its place among the variables of that part */
} am_keras_array;

typedef struct am_keras_layer {
  const char *name;  /* ours, with the blocks that it is in; two of Keras's may be one of ours */
  const char *keras; /* Keras's, which may hold other characters */
  const char
      *holder; /* the layer of the outermost model that has it, itself but in a nested model: its group in a .h5 */
  const char *store; /* "layers/dense_1", its group in an archive */
  size_t place;      /* in the file's list of layers, those of nested models among them */
  bool frozen;       /* its weights are not trained: in a .h5 they come after those of the holder that are */
  bool cudnn;        /* its arrays are laid out for CuDNN */
  int n_arrays;
  am_keras_array arrays[AM_KERAS_ARRAYS];
  bool turned;        /* conv2d over a turned map */
  const char *flat;   /* name of the flatten of a turned map that its input comes from; NULL: none */
  int64_t reshape[2]; /* (T, F*C) that to_sequence must give, -1: anything; 0: nothing to check */
  float merge;        /* of a dense layer that lays both directions over each other: its weight of each; 0: none such */
} am_keras_layer;

/* A Keras model taken apart. */
typedef struct am_keras_model {
  am_tree *tree;      /* owns all strings */
  am_buffer layers;   /* our list of layers, as JSON */
  am_keras_layer *at; /* layers with weights, or something to check; am_free */
  size_t n;
  int rank;            /* of the input without the batch: 1 to 3 */
  int64_t dims[3];     /* -1: any */
  int64_t units;       /* outputs; 0 unknown */
  const char *softmax; /* the layer that makes probabilities; NULL: outputs are logits, or values */
  const char *inside;  /* the layer whose softmax stands before others without weights: our list then ends in
                          log_probabilities; NULL: there is none */
  const char *masked;  /* the layer that leaves out frames (Masking); NULL: none */
} am_keras_model;

/* From the JSON, layer by layer. `file` is for messages. */
typedef struct am_keras_reader {
  am_context *ctx;
  const char *file;
  am_keras_model *model;
  am_json json;
  const char *prefix;     /* "add/" inside a block of that name; "": outside */
  bool turned;            /* maps are (F,T,C) in Keras */
  int rank;               /* of the tensor between layers: 1 (C), 2 (T,C), 3 map */
  const char *flat;       /* the flatten of a turned map after which we are */
  const char *activation; /* that nothing with weights has followed yet; "" none */
  const char *made;       /* the layer that has it */
  const char *behind;     /* the last layer after that one; NULL: it is itself the last */
  const char *spoiled;    /* a layer after it that does not keep the sum of softmax's outputs; NULL: none */
  bool masked;            /* frames are left out, up to here */
  const char *padded;     /* the ZeroPadding after which we are; NULL: none */
  int64_t zeros[2][2];    /* and what it puts before and after, [0] frames, [1] bins */
  bool narrow;            /* it was said that Keras computes in half precision */
} am_keras_reader;

/* One layer of the model, whose name here is known. */
typedef struct am_keras_source {
  const char *type, *name; /* of Keras */
  const char *ours;        /* name that our config allows, and no other layer has */
  const am_value *config;
  const am_value *build; /* the shape that it was built with; NULL: not said */
  const char *holder, *store;
  size_t place;
  bool frozen;
  bool timed; /* inside a TimeDistributed, which takes its input apart along the first axis */
} am_keras_source;

/* A layer among those of its model, and what it is called with. */
typedef struct am_keras_node {
  am_keras_source s;
  struct am_keras_node **in;
  int n_in;
  struct am_keras_graph *inner; /* it is a model; NULL: a layer */
  struct am_keras_node *fork;   /* the last one that all ways to it pass */
  size_t order;                 /* behind all that it is called with */
  bool reached, seen;
} am_keras_node;

typedef struct am_keras_graph {
  const char *name;
  const am_value *config;
  am_keras_node *nodes, *first, *last;
  size_t n;
  bool functional;
} am_keras_graph;

/* What stands in our list: one layer, attention (whose product is `at`), a join of branches, or a model's chain. */
typedef struct am_keras_element {
  const am_keras_node *at, *hidden, *score, *softmax;
  struct am_keras_element **branches, *inner, *next;
  int n_branches;
} am_keras_element;

/* keras_read_graph.c: the whole model, into r->model. */
am_status am_keras_read_model(am_keras_reader *r, const am_value *root, am_error *err);

/* keras_read_order.c: what is on the way from input to output, as a list. */
am_status am_keras_order(am_keras_reader *r, am_keras_graph *g, am_keras_element **out, am_error *err);

/* keras_read_blocks.c: a list, appended to r->model; `depth` of blocks around it. */
am_status am_keras_read_list(am_keras_reader *r, const am_keras_element *list, int depth, am_error *err);

/* keras_read_layers.c: one layer, appended to r->model. */
am_status am_keras_read_layer(am_keras_reader *r, const am_keras_source *s, am_error *err);
/* A layer of ours that Keras does not have, without options. */
void am_keras_add(am_keras_reader *r, const char *type, const char *name);
/* What the readers of a layer share: an entry of our list from begin to end, and what came of it. */
void am_keras_begin(am_keras_reader *r, const am_keras_source *s, const char *type);
void am_keras_end(am_keras_reader *r);
void am_keras_made(am_keras_reader *r, const am_keras_source *s, const char *activation);
void am_keras_passes(am_keras_reader *r, const am_keras_source *s, bool keeps);
/* A layer with weights: `more` is put behind its name here, or NULL; then its arrays in their order. */
am_status am_keras_record(am_keras_reader *r, const am_keras_source *s, const char *more, am_keras_layer **out,
                          am_error *err);
void am_keras_array_add(am_keras_layer *l, const char *part, const char *keras, const char *ours, bool statistic);
am_status am_keras_need_rank(const am_keras_reader *r, const am_keras_source *s, int rank, am_error *err);
/* Our name of a Keras activation; "" for linear. */
am_status am_keras_activation(const am_keras_reader *r, const am_keras_source *s, const char **out, am_error *err);
/* Keys that the layer of this type carries over; NULL: there is none. */
const char *am_keras_options(const char *type);

/* keras_read_padding.c: a ZeroPadding, which the next layer takes in; whether a layer of this type can; and the padding of a
 * convolution or pooling. */
am_status am_keras_read_zeros(am_keras_reader *r, const am_keras_source *s, am_error *err);
am_status am_keras_check_padded(const am_keras_reader *r, const char *type, const char *name, am_error *err);
am_status am_keras_padding(am_keras_reader *r, const am_keras_source *s, am_error *err);

/* keras_read_recurrent.c */
am_status am_keras_read_recurrent(am_keras_reader *r, const am_keras_source *s, am_error *err);
am_status am_keras_read_bidirectional(am_keras_reader *r, const am_keras_source *s, am_error *err);

/* keras_read_keys.c: every key of s->config is one of `options`, or does not touch what the layer computes, or has the one
 * value that is computed here.  Anything else is AM_E_UNSUPPORTED by name.  What was passed over goes to the log. */
am_status am_keras_check_keys(am_keras_reader *r, const am_keras_source *s, const char *options, am_error *err);
char *am_keras_join(am_tree *tree, const char *a, const char *b,
                    const char *c);                      /* three texts as one; NULL: no memory */
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
