/* SPDX-License-Identifier: MIT */
/* nn/layers/lstm.c - long short-term memory (Hochreiter and Schmidhuber 1997, with
 * forget gates: Gers et al. 2000).
 *
 * Gates in the order i, f, g, o (Keras calls them i, f, c, o; PyTorch uses the same order).
 * kernel (C,4H), recurrent_kernel (H,4H), bias (4H): PyTorch's matrices are the
 * transposes, and its two biases are summed here.
 *   i = sigmoid(x Wi + h Ui + bi)   f, o likewise   g = tanh(x Wg + h Ug + bg)
 *   c' = f c + i g    h' = o tanh(c')
 * The cell's `extra` is c. */
#include "nn/layers/recurrent.h"

static size_t packed_count(const am_kernels *kernels, int h) { return kernels->recurrent_count(4, h); }

static void pack(const am_kernels *kernels, int h, const am_real *u, am_real *packed) {
  kernels->recurrent_pack(4, h, u, packed);
}

static void lstm_frames(const am_kernels *kernels, const am_recurrence *r) { kernels->lstm(r); }

/* dh_before = dgates U^T; dstate is dc. */
static void lstm_step_back(const am_cell_step *s) {
  const int h = s->h;
  const size_t H = (size_t)h;
  for (int r = 0; r < s->rows; r++) {
    const size_t at = (size_t)r * H;
    const am_real *before = r < s->rows_before ? s->extra_before + at : NULL;
    s->kernels->lstm_cell_back(h, s->gates + 4 * at, before, s->extra + at, s->dh + at, s->dstate + at,
                               s->dgates + 4 * at);
  }
  if (s->rows_before) s->kernels->product(s->rows_before, 4 * h, h, s->dgates, 4 * h, s->u[0], false, s->dh, h);
}

static const am_cell lstm_cell = {
    .gates = 4,
    .input_from = {0, 1, 2, 3},
    .recurrent_from = {0, 1, 2, 3},
    .parts = {4, 0},
    .extra_gate = -1,
    .packed_count = packed_count,
    .pack = pack,
    .forward = lstm_frames,
    .backward = lstm_step_back,
};

static const am_option lstm_table[] = {
    AM_RECURRENT_OPTIONS,
    {"unit_forget_bias", AM_OPT_BOOL, offsetof(am_recurrent_options, unit_forget_bias), "true", 0, 0, NULL,
     "the forget gate's bias starts at 1 (Keras; Jozefowicz et al. 2015)"},
    AM_OPTION_END,
};

static am_status lstm_build(am_layer *layer, am_error *err) { return am_recurrent_build(layer, &lstm_cell, err); }

static void lstm_initialise(const am_layer *layer, am_real *const *w, uint64_t seed) {
  (void)seed;
  const am_recurrent_options *o = layer->options;
  for (int i = 2; o->unit_forget_bias && i < layer->n_weights; i += 3)
    for (int64_t k = o->units; k < 2 * o->units; k++) w[i][k] = 1;
}

static void lstm_forward(const am_layer *layer, const am_pass *pass) { am_recurrent_forward(layer, pass, &lstm_cell); }

static void lstm_backward(const am_layer *layer, const am_pass *pass) {
  am_recurrent_backward(layer, pass, &lstm_cell);
}

static size_t lstm_packed_bytes(const am_layer *layer) { return am_recurrent_packed_bytes(layer, &lstm_cell); }

static void lstm_pack(const am_layer *layer, const am_pass *pass, void *packed) {
  am_recurrent_pack(layer, pass, &lstm_cell, packed);
}

static double lstm_operations(const am_layer *layer) { return am_recurrent_operations(layer, &lstm_cell); }

const am_layer_class am_lstm = {
    .type = "lstm",
    .help = "long short-term memory over the frames (T,C)",
    .table = lstm_table,
    .options_size = sizeof(am_recurrent_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = lstm_build,
    .initialise = lstm_initialise,
    .forward = lstm_forward,
    .backward = lstm_backward,
    .packed_bytes = lstm_packed_bytes,
    .pack = lstm_pack,
    .operations = lstm_operations,
};
