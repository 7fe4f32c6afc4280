/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read.h - from the graph of an ONNX model to our list of layers: shared by the files onnx_read_*.c and
 * onnx_import.c.
 *
 * ONNX knows tensors with axes in any order; ours are (T,F,C).  So nothing is looked for by patterns of operators.  Each
 * value of the graph that comes from the clip is one of our tensors and, for each of its axes there, what it consists of:
 * a list of factors, the outermost first.  A factor is the batch, the frames, the bins, or channels.  (B,C,F,T) has four
 * axes of one factor each; flattened, it has [B] and [C,F,T], while ours is still (T,F,C).  Transpose, Reshape, Flatten,
 * Squeeze and Unsqueeze change these lists alone; a layer that mixes an axis takes its weights by the order of
 * both sides (am_onnx_places).
 *
 * Lengths are not known, yet shapes are computed from them in the graph.  So everything that does not depend on the clip's
 * numbers is computed for AM_ONNX_PROBES lengths and batch sizes at once.  What is equal for all of them is taken to be equal.
 * An input that gives the lengths of clips is the length itself: a clip alone is what is imported, since padding never
 * counts here.
 *
 * What is computed of single numbers, or along the channels, is kept as an expression until a layer needs it (am_onnx_settle).  It is
 * then recognised by what it computes, not by how it is written: GELU by its values, layer normalisation and softmax by theirs. */
#ifndef AM_ONNX_READ_H
#define AM_ONNX_READ_H

#include "exchange/import.h"
#include "exchange/onnx_model.h"

enum {
  AM_ONNX_PROBES = 3,
  AM_ONNX_FACTORS = 8, /* of an axis */
  AM_ONNX_ARRAYS = 8,  /* of a layer */
  AM_ONNX_STEPS = 2000,
  AM_ONNX_JOIN = 8,     /* inputs of a step */
  AM_ONNX_MOST_IN = 64, /* of a node */
  AM_ONNX_MOST_OUT = 3  /* of a node that are read */
};

/* ---- axes ---- */

typedef struct am_onnx_axis {
  int n;
  int at[AM_ONNX_FACTORS]; /* factors, outermost first; none: the axis has size 1 */
} am_onnx_axis;

typedef struct am_onnx_factor {
  int64_t size[AM_ONNX_PROBES];
  int parts[2]; /* what it was cut into; 0: whole, as factor 0 is the batch, which is never cut */
} am_onnx_factor;

/* ---- what the graph's names stand for ---- */

/* Numbers that do not depend on the clip's. */
typedef struct am_onnx_known {
  enum { AM_KNOWN_REAL, AM_KNOWN_INT, AM_KNOWN_BOOL } type;
  bool same; /* for all probes: only [0] is there */
  int rank;
  int64_t dims[AM_ONNX_PROBES][AM_ONNX_RANK];
  size_t count[AM_ONNX_PROBES];
  double *at[AM_ONNX_PROBES];   /* NULL: still in `tensor` */
  const am_onnx_tensor *tensor; /* NULL: computed */
} am_onnx_known;

typedef enum am_onnx_is {
  AM_ONNX_IS_NOTHING,
  AM_ONNX_IS_KNOWN,
  AM_ONNX_IS_CLIP,     /* of the clip: an expression over a tensor of ours */
  AM_ONNX_IS_WEIGHTS,  /* softmax over the frames of scores, a tensor of ours */
  AM_ONNX_IS_WEIGHTED, /* frames times such weights, not summed yet */
  AM_ONNX_IS_PARTS,    /* values side by side along an axis */
  AM_ONNX_IS_PADDED    /* a tensor with zeros around it, which only windows take */
} am_onnx_is;

typedef struct am_onnx_thing {
  am_onnx_is is;
  am_onnx_known *known;
  int n_axes;
  am_onnx_axis axes[AM_ONNX_RANK];
  int expression;     /* of the clip */
  int scores, frames; /* tensors, of weights */
  int frame;          /* of a clip's: AM_ONNX_FRAME, one frame only was taken */
  int picked, pick;   /* one of `picked` directions, or halves of the channels (a factor; -1: all) */
  size_t n_parts;
  const struct am_onnx_thing *parts;
  int along;                      /* axis of parts */
  int64_t zeros[AM_ONNX_RANK][2]; /* before and after each axis, of what is padded */
} am_onnx_thing;
enum { AM_ONNX_FRAMES_ALL, AM_ONNX_FRAME_FIRST, AM_ONNX_FRAME_LAST };

/* ---- our side ---- */

typedef struct am_onnx_made {
  int step; /* that makes it; -1: the model's input */
  int rank; /* 0: the input, which is not decided yet: a map of one channel, or a sequence */
  am_onnx_axis t, f, c;
  int sequence, flat; /* the same as sequence, as vector; 0: not made */
  int last;           /* of a recurrent layer that gives all frames: the same layer, giving the last; 0: it is none */
  bool both;          /* it has two directions, the outermost factor of c */
  int half[2];        /* a sequence: its first and last channels as tensors; 0: not made */
} am_onnx_made;

typedef struct am_onnx_array {
  const char *name; /* "kernel" */
  bool statistic;
  int rank;
  int64_t dims[4];
  size_t count;
  float *at;
} am_onnx_array;

typedef struct am_onnx_step {
  const char *type;       /* of a layer; "add", "concat", "scale": joins */
  const char *name;       /* wanted; NULL: any */
  const am_onnx_node *by; /* for messages */
  int n_in, in[AM_ONNX_JOIN], out;
  am_value *options;
  int n_arrays;
  am_onnx_array arrays[AM_ONNX_ARRAYS];
  bool affine; /* a batch_norm that only scales and shifts */
  /* onnx_read_emit.c: */
  bool written;                   /* among the layers */
  am_value *item;                 /* its entry there */
  struct am_onnx_step *inside[2]; /* of a block: layers that it makes by itself */
  const char *path;               /* its name in the model, with those of blocks */
} am_onnx_step;

typedef struct am_onnx_expression {
  int op;     /* onnx_read_expression.c */
  int a, b;   /* operands */
  int tensor; /* that it is over; -1: a constant */
  double value[AM_ONNX_PROBES];
  bool rows, reduced; /* mixes the channels of a row; has made one number of them */
  am_onnx_axis row;
  int nodes;   /* with those of its operands */
  int settled; /* the tensor that it became; -1: not yet */
  const am_onnx_node *by;
} am_onnx_expression;

typedef struct am_onnx_reader {
  am_import *import;
  am_onnx_model *model;
  am_tree *tree; /* owns all that is made here */
  am_error *err;
  const am_onnx_node *node; /* that is being read */
  size_t budget;            /* numbers that may still be computed */
  am_onnx_factor *factors;
  size_t n_factors, room_factors;
  am_onnx_made **made;  /* our tensors; 0 is the input, n the output of step n - 1 */
  am_onnx_step **steps; /* room for AM_ONNX_STEPS */
  size_t n_steps;
  am_onnx_expression *expressions;
  size_t n_expressions, room_expressions;
  struct am_onnx_names *names; /* onnx_read_graph.c */
  char *outside;               /* the other file whose data was read last, and its name */
  size_t outside_bytes;
  const char *outside_name;
  int batch; /* its factor; -1: clips come one by one */
} am_onnx_reader;

/* ---- onnx_read_known.c: numbers that are known ---- */

am_onnx_known *am_onnx_known_new(am_onnx_reader *r, int type, int rank, bool same);
/* The dims of a probe are set: takes memory for its numbers. */
am_status am_onnx_known_room(am_onnx_reader *r, am_onnx_known *k, int probe);
am_onnx_known *am_onnx_known_of(am_onnx_reader *r, const am_onnx_tensor *tensor);
/* Its numbers at a probe; NULL: they cannot be had, and r->err says why. */
const double *am_onnx_numbers(am_onnx_reader *r, am_onnx_known *k, int probe);
static inline int am_onnx_probe(const am_onnx_known *k, int probe) { return k->same ? 0 : probe; }
/* One number for all of it, at each probe. */
bool am_onnx_is_scalar(am_onnx_reader *r, am_onnx_known *k, double value[AM_ONNX_PROBES]);
/* As float32, the same for all lengths and finite.  NULL: r->err. */
float *am_onnx_floats_of(am_onnx_reader *r, am_onnx_known *k, const char *what);
/* Whole numbers that are the same for all lengths, at most `most`; false: r->err. */
bool am_onnx_ints_of(am_onnx_reader *r, am_onnx_known *k, const char *what, int64_t *out, size_t most, size_t *n);
/* The node, of inputs that are all known; those left out are NULL. */
am_status am_onnx_compute(am_onnx_reader *r, am_onnx_thing *const *in, size_t n_in, am_onnx_thing *out);

/* onnx_read_shapes.c: those of them that move numbers: out->dims, numbers and type of probe p. */
am_status am_onnx_compute_shape(am_onnx_reader *r, am_onnx_known *const *in, size_t n, int p, am_onnx_known *out);
int64_t am_onnx_whole_of(double x); /* cut to what an int64_t holds */

/* ---- onnx_read_axes.c ---- */

int am_onnx_factor_new(am_onnx_reader *r, const int64_t size[AM_ONNX_PROBES]); /* -1: no memory */
/* With a factor of that size, or none where it is 1.  False: no memory. */
bool am_onnx_axis_of(am_onnx_reader *r, const int64_t size[AM_ONNX_PROBES], am_onnx_axis *out);
bool am_onnx_axis_fixed(am_onnx_reader *r, int64_t size, am_onnx_axis *out);
void am_onnx_whole(const am_onnx_reader *r, am_onnx_axis *axis); /* factors that were cut become their parts */
int64_t am_onnx_size(const am_onnx_reader *r, const am_onnx_axis *axis, int probe);
bool am_onnx_axis_add(am_onnx_axis *axis, const am_onnx_axis *more); /* false: too many */
bool am_onnx_within(am_onnx_reader *r, const am_onnx_axis *few, const am_onnx_axis *many);
bool am_onnx_same_factors(am_onnx_reader *r, const am_onnx_axis *a, const am_onnx_axis *b); /* in any order */
bool am_onnx_equal_sizes(am_onnx_reader *r, const am_onnx_axis *a,
                         const am_onnx_axis *b); /* in order, of any factors */
bool am_onnx_has(const am_onnx_axis *axis, int factor);
/* Places (n) of the channels of ours along the axes of a thing: for each number of `ours`, in its order, its place in
 * `theirs`, all of whose factors are in `ours`. NULL: r->err. */
int64_t *am_onnx_places(am_onnx_reader *r, const am_onnx_axis *ours, const am_onnx_axis *theirs);
am_status am_onnx_reshape(am_onnx_reader *r, am_onnx_thing *x, int rank, int64_t dims[][AM_ONNX_PROBES], int rest);
am_status am_onnx_transpose(am_onnx_reader *r, am_onnx_thing *x, const int64_t *order, size_t n);
am_status am_onnx_squeeze(am_onnx_reader *r, am_onnx_thing *x, const int64_t *axes, size_t n);
am_status am_onnx_unsqueeze(am_onnx_reader *r, am_onnx_thing *x, const int64_t *axes, size_t n);

/* ---- onnx_read_steps.c: our tensors and layers ---- */

am_onnx_step *am_onnx_step_new(am_onnx_reader *r, const char *type, int in); /* NULL: r->err */
/* A copy of the tensor that the step reads, as what it makes. */
am_onnx_made *am_onnx_step_makes(am_onnx_reader *r, am_onnx_step *s);
float *am_onnx_step_array(am_onnx_reader *r, am_onnx_step *s, const char *name, bool statistic, int rank,
                          const int64_t *dims);
am_status am_onnx_set(am_onnx_reader *r, am_onnx_step *s, const char *key, am_value *value);
am_status am_onnx_set_pair(am_onnx_reader *r, am_onnx_step *s, const char *key, const int64_t *pair, int n);
void am_onnx_step_named(am_onnx_reader *r, am_onnx_step *s, const char *weight);
int am_onnx_as_sequence(am_onnx_reader *r, int tensor); /* -1: r->err */
int am_onnx_as_flat(am_onnx_reader *r, int tensor);
void am_onnx_as_map(am_onnx_reader *r, int tensor); /* the input is one, where that is open */
/* The tensor as one whose channels are the factors of `axis`: itself, as sequence, or as vector.  -1: r->err names `what`. */
int am_onnx_over(am_onnx_reader *r, int tensor, const am_onnx_axis *axis, const char *what);
/* y = scale x + shift for each channel (C of the tensor); NULL: 1, 0. */
int am_onnx_affine(am_onnx_reader *r, int tensor, const float *scale, const float *shift);

/* onnx_read_join.c: what an operator of one or of two gives, where at most one of two is known; `a` and `b` may change. */
am_status am_onnx_one(am_onnx_reader *r, int op, am_onnx_thing *a, am_onnx_thing *out);
am_status am_onnx_two(am_onnx_reader *r, int op, am_onnx_thing *a, am_onnx_thing *b, am_onnx_thing *out);
/* onnx_read_join.c: of the clip, where one frame, one direction or a half becomes a tensor of its own. */
am_status am_onnx_alone(am_onnx_reader *r, am_onnx_thing *x);
/* onnx_read_layout.c: the first or the last half of the channels as a tensor, pick 0 or 1; -1: r->err. */
int am_onnx_half(am_onnx_reader *r, int tensor, int pick);
/* onnx_read_join.c: a layer that adds two tensors; -1: r->err. */
int am_onnx_join_add(am_onnx_reader *r, int a, int b);
/* onnx_read_join.c: the tensor that a thing of the clip is; -1: r->err. */
int am_onnx_settle(am_onnx_reader *r, const am_onnx_thing *x);

/* ---- operators ---- */

typedef am_status am_onnx_read_fn(am_onnx_reader *r, am_onnx_thing **in, size_t n_in, am_onnx_thing *out);
typedef struct am_onnx_operator {
  const char *name;
  am_onnx_read_fn *read;
  const char *attributes; /* "|axis|keepdims|", those that `read` knows */
  int least, most;        /* inputs */
} am_onnx_operator;
/* Those of the lists of each file; a name of NULL ends. */
extern const am_onnx_operator am_onnx_layer_operators[], am_onnx_window_operators[], am_onnx_recurrent_operators[],
    am_onnx_single_operators[], am_onnx_join_operators[], am_onnx_shape_operators[];

/* onnx_read_graph.c: begins with the constants; then the inputs are given; then all of the graph that an output needs is
 * read, and *out is that. */
am_status am_onnx_begin_graph(am_onnx_reader *r);
am_status am_onnx_give(am_onnx_reader *r, const char *name, const am_onnx_thing *thing);
am_status am_onnx_read_graph(am_onnx_reader *r, const char *output, am_onnx_thing *out);
/* Fails by the name of the node: `file: node "name" (Conv): ...`. */
am_status am_onnx_refuse(am_onnx_reader *r, am_status status, const char *format, ...) AM_PRINTF(3, 4);
am_status am_onnx_no_memory(am_onnx_reader *r);
am_status am_onnx_refuse_operator(am_onnx_reader *r); /* there is no layer for it */
bool am_onnx_ours(const am_onnx_node *node);          /* an operator of ONNX itself */
/* Attributes of the node that is being read, or what they are where there is none. */
int64_t am_onnx_attribute_int(const am_onnx_reader *r, const char *name, int64_t fallback);
double am_onnx_attribute_real(const am_onnx_reader *r, const char *name, double fallback);
const char *am_onnx_attribute_text(const am_onnx_reader *r, const char *name, const char *fallback);
/* A list of whole numbers, at most AM_ONNX_RANK; false: there is none, or it is too long. */
bool am_onnx_attribute_ints(const am_onnx_reader *r, const char *name, const int64_t **at, size_t *n);
/* An axis that counts from the end where it is negative; -1: r->err. */
int am_onnx_axis_number(am_onnx_reader *r, int64_t axis, int rank);
/* Axes as attribute or, in later versions, as input; *given false: neither. */
am_status am_onnx_axes_of(am_onnx_reader *r, am_onnx_thing **in, size_t n_in, size_t input, int rank, int64_t *axes,
                          size_t *n, bool *given);

/* ---- onnx_read_emit.c: steps to the list of layers, into a tree ---- */

am_status am_onnx_emit(am_onnx_reader *r, int output, am_value **layers);

#endif
