/* SPDX-License-Identifier: MIT */
/* nn/layers/glu.c - one half of the channels times the other: x (..,2C) -> (..,C), a gated linear unit.
 *
 * Of a row of channels a, b:  y = a g,  g = sigmoid(b), or b itself where there is no gate (Dauphin et al. 2017, "Language
 * modeling with gated convolutional networks", also for the product without a gate).  PyTorch's GLU has the same halves.
 * Past a clip's end x is zero, and so are y and dx. */
#include "nn/layer.h"

enum { PIECE = 1 << 14 }; /* outputs */

#define GATES(X) X(GATE_SIGMOID, "sigmoid") X(GATE_NONE, "none")
typedef enum gate { GATES(AM_WORD_NAME) } gate;

typedef struct glu_options {
  int gate;
} glu_options;

static const am_option glu_table[] = {{"gate", AM_OPT_CHOICE, offsetof(glu_options, gate), "sigmoid", 0, 0,
                                       AM_WORDS(GATES), "what the second half of the channels goes through"},
                                      AM_OPTION_END};

bool am_glu_has_gate(const am_layer *layer) { return ((const glu_options *)layer->options)->gate == GATE_SIGMOID; }

static am_status build(am_layer *layer, am_error *err) {
  const int channels = layer->in[0].c;
  if (channels % 2)
    return am_layer_fail(layer, err, AM_E_SHAPE, "wanted an even number of channels, two halves, and there are %d",
                         channels);
  layer->out = layer->in[0];
  layer->out.c = channels / 2;
  layer->backward_needs_x = true;
  return AM_OK;
}

typedef struct job {
  const am_layer *layer;
  const am_kernels *kernels;
  const am_pass *pass;
  bool gated;
  size_t c, rows, rows_per_piece, pieces; /* rows in use of a clip */
} job;

/* Where a piece begins among all rows, and how many it has. */
static size_t part_of(const job *j, size_t piece, size_t *rows) {
  const size_t b = piece / j->pieces, first = piece % j->pieces * j->rows_per_piece;
  *rows = j->rows - first < j->rows_per_piece ? j->rows - first : j->rows_per_piece;
  return b * (am_shape_count(j->layer->out) / j->c) + first;
}

static void forward_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const size_t c = j->c;
  size_t rows, at = part_of(j, piece, &rows);
  const am_real *x = j->pass->x[0] + at * 2 * c;
  am_real *y = j->pass->y + at * c;
  for (size_t r = 0; r < rows; r++, x += 2 * c, y += c) {
    const am_real *g = x + c;
    if (j->gated) j->kernels->sigmoid(c, x + c, y), g = y;
    for (size_t k = 0; k < c; k++) y[k] = x[k] * g[k];
  }
}

/* y = a g:  da = dy g,  db = dy a,  with a gate times g (1 - g). */
static void backward_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const size_t c = j->c;
  size_t rows, at = part_of(j, piece, &rows);
  const am_real *x = j->pass->x[0] + at * 2 * c, *dy = j->pass->dy + at * c;
  am_real *dx = j->pass->dx[0] + at * 2 * c;
  for (size_t r = 0; r < rows; r++, x += 2 * c, dx += 2 * c, dy += c) {
    am_real *da = dx, *db = dx + c;
    if (j->gated) j->kernels->sigmoid(c, x + c, da);
    for (size_t k = 0; k < c; k++) {
      const am_real g = j->gated ? da[k] : x[c + k];
      db[k] = dy[k] * x[k] * (j->gated ? g * (1 - g) : 1);
      da[k] = dy[k] * g;
    }
  }
}

static void run(const am_layer *layer, const am_pass *pass, am_piece_fn fn) {
  const size_t c = (size_t)layer->out.c;
  job j = {.layer = layer,
           .kernels = am_kernels_of(layer->ctx),
           .pass = pass,
           .gated = am_glu_has_gate(layer),
           .c = c,
           .rows = am_frames_count(layer->out, pass->x_most[0]) / c,
           .rows_per_piece = PIECE / c ? PIECE / c : 1};
  j.pieces = (j.rows + j.rows_per_piece - 1) / j.rows_per_piece;
  am_parallel_for(layer->ctx, (size_t)pass->batch * j.pieces, fn, &j);
}

static void forward(const am_layer *layer, const am_pass *pass) { run(layer, pass, forward_piece); }
static void backward(const am_layer *layer, const am_pass *pass) {
  if (pass->dx[0]) run(layer, pass, backward_piece);
}

const am_layer_class am_glu = {
    .type = "glu",
    .help = "the first half of the channels times sigmoid of the second, or times the second",
    .table = glu_table,
    .options_size = sizeof(glu_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
    .forward = forward,
    .backward = backward};
