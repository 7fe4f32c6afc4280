/* nn/layers/gru.c - gated recurrent unit (Cho et al. 2014).
 *
 * Gates in the order z (update), r (reset), n (candidate; Keras calls it h), as Keras; PyTorch's is r, z, n.
 * kernel (C,3H), recurrent_kernel (H,3H).
 *   z = sigmoid(x Wz + h Uz + bz)   r likewise   h' = z h + (1 - z) n
 * reset_after: true (Keras 2's default, PyTorch, cuDNN):
 *   n = tanh(x Wn + bn + r (h Un + cn)), bias (2,3H): b of the input, then c of the recurrent product
 * reset_after: false (the paper, Keras 1):
 *   n = tanh(x Wn + bn + (r h) Un), bias (3H)
 * The cell's `extra` is h Un + cn in the first case and r h in the second.
 * dgates hold [dz, dr, dn of the recurrent product, dn of the input]. */
#include <assert.h>
#include <string.h>

#include "nn/layers/recurrent.h"

static void after_step(const am_cell_step *s) {
  const int h = s->h;
  const size_t H = (size_t)h;
  const am_real *recurrent_bias = s->bias + 3 * H;
  for (int r = 0; r < s->rows; r++) memcpy(s->work + (size_t)r * 3 * H, recurrent_bias, 3 * H * sizeof *s->work);
  if (s->rows_before) s->kernels->product(s->rows_before, h, 3 * h, s->h_before, h, s->u[0], true, s->work, 3 * h);
  for (int r = 0; r < s->rows; r++) {
    const am_real *before = r < s->rows_before ? s->h_before + (size_t)r * H : NULL;
    const am_real *product = s->work + (size_t)r * 3 * H;
    am_real *z = s->gates + (size_t)r * 3 * H, *reset = z + H, *n = reset + H;
    am_real *extra = s->extra + (size_t)r * H, *out = s->h_out + (size_t)r * H;
    s->kernels->add(2 * H, product, z);
    s->kernels->sigmoid(2 * H, z, z);
    for (size_t k = 0; k < H; k++) {
      extra[k] = product[2 * H + k];
      n[k] += reset[k] * extra[k];
    }
    s->kernels->tanh(H, n, n);
    for (size_t k = 0; k < H; k++) out[k] = (before ? z[k] * before[k] : 0) + (1 - z[k]) * n[k];
  }
}

static void after_step_back(const am_cell_step *s) {
  const int h = s->h;
  const size_t H = (size_t)h;
  for (int r = 0; r < s->rows; r++) {
    const am_real *before = r < s->rows_before ? s->h_before + (size_t)r * H : NULL;
    const am_real *z = s->gates + (size_t)r * 3 * H, *reset = z + H, *n = reset + H;
    const am_real *extra = s->extra + (size_t)r * H;
    am_real *dh = s->dh + (size_t)r * H, *d = s->dgates + (size_t)r * 4 * H;
    for (size_t k = 0; k < H; k++) {
      const am_real dn = dh[k] * (1 - z[k]) * (1 - n[k] * n[k]);
      d[k] = dh[k] * ((before ? before[k] : 0) - n[k]) * z[k] * (1 - z[k]);
      d[H + k] = dn * extra[k] * reset[k] * (1 - reset[k]);
      d[2 * H + k] = dn * reset[k];
      d[3 * H + k] = dn;
      dh[k] *= z[k];
    }
  }
  if (s->rows_before) s->kernels->product(s->rows_before, 3 * h, h, s->dgates, 4 * h, s->u[0], true, s->dh, h);
}

static void inside_step(const am_cell_step *s) {
  const int h = s->h;
  const size_t H = (size_t)h;
  if (s->rows_before) s->kernels->product(s->rows_before, h, 2 * h, s->h_before, h, s->u[0], true, s->gates, 3 * h);
  for (int r = 0; r < s->rows; r++) {
    const am_real *before = r < s->rows_before ? s->h_before + (size_t)r * H : NULL;
    am_real *z = s->gates + (size_t)r * 3 * H, *reset = z + H, *extra = s->extra + (size_t)r * H;
    s->kernels->sigmoid(2 * H, z, z);
    for (size_t k = 0; k < H; k++) extra[k] = before ? reset[k] * before[k] : 0;
  }
  if (s->rows_before) s->kernels->product(s->rows_before, h, h, s->extra, h, s->u[1], true, s->gates + 2 * H, 3 * h);
  for (int r = 0; r < s->rows; r++) {
    const am_real *before = r < s->rows_before ? s->h_before + (size_t)r * H : NULL;
    am_real *z = s->gates + (size_t)r * 3 * H, *n = z + 2 * H, *out = s->h_out + (size_t)r * H;
    s->kernels->tanh(H, n, n);
    for (size_t k = 0; k < H; k++) out[k] = (before ? z[k] * before[k] : 0) + (1 - z[k]) * n[k];
  }
}

static void inside_step_back(const am_cell_step *s) {
  const int h = s->h;
  const size_t H = (size_t)h;
  for (int r = 0; r < s->rows; r++) {
    const am_real *before = r < s->rows_before ? s->h_before + (size_t)r * H : NULL;
    const am_real *z = s->gates + (size_t)r * 3 * H, *n = z + 2 * H;
    am_real *dh = s->dh + (size_t)r * H, *d = s->dgates + (size_t)r * 4 * H;
    for (size_t k = 0; k < H; k++) {
      d[k] = dh[k] * ((before ? before[k] : 0) - n[k]) * z[k] * (1 - z[k]);
      d[H + k] = 0;
      d[2 * H + k] = 0;
      d[3 * H + k] = dh[k] * (1 - z[k]) * (1 - n[k] * n[k]);
      dh[k] *= z[k];
    }
  }
  if (!s->rows_before) return;
  assert(s->h_before);
  /* work = d loss/d(r h) */
  s->kernels->product(s->rows_before, h, h, s->dgates + 3 * H, 4 * h, s->u[1], false, s->work, h);
  for (int r = 0; r < s->rows_before; r++) {
    const am_real *before = s->h_before + (size_t)r * H, *reset = s->gates + (size_t)r * 3 * H + H;
    const am_real *dproduct = s->work + (size_t)r * H;
    am_real *dh = s->dh + (size_t)r * H, *dreset = s->dgates + (size_t)r * 4 * H + H;
    for (size_t k = 0; k < H; k++) {
      dreset[k] = dproduct[k] * before[k] * reset[k] * (1 - reset[k]);
      dh[k] += dproduct[k] * reset[k];
    }
  }
  s->kernels->product(s->rows_before, 2 * h, h, s->dgates, 4 * h, s->u[0], true, s->dh, h);
}

static const am_cell after_cell = {
    .gates = 3,
    .second_bias = true,
    .input_from = {0, 1, 3},
    .recurrent_from = {0, 1, 2},
    .parts = {3, 0},
    .extra_gate = -1,
    .forward = after_step,
    .backward = after_step_back,
};

static const am_cell inside_cell = {
    .gates = 3,
    .input_from = {0, 1, 3},
    .recurrent_from = {0, 1, 3},
    .parts = {2, 1},
    .extra_gate = 2,
    .forward = inside_step,
    .backward = inside_step_back,
};

static const am_cell *gru_cell(const am_layer *layer) {
  const am_recurrent_options *o = layer->options;
  return o->reset_after ? &after_cell : &inside_cell;
}

static const am_option gru_table[] = {
    AM_RECURRENT_OPTIONS,
    {"reset_after", AM_OPT_BOOL, offsetof(am_recurrent_options, reset_after), "true", 0, 0, NULL,
     "the reset gate acts after the recurrent product (Keras 2, PyTorch), with a bias of its own"},
    AM_OPTION_END,
};

static am_status gru_build(am_layer *layer, am_error *err) { return am_recurrent_build(layer, gru_cell(layer), err); }

static void gru_forward(const am_layer *layer, const am_pass *pass) {
  am_recurrent_forward(layer, pass, gru_cell(layer));
}

static void gru_backward(const am_layer *layer, const am_pass *pass) {
  am_recurrent_backward(layer, pass, gru_cell(layer));
}

static double gru_operations(const am_layer *layer) { return am_recurrent_operations(layer, gru_cell(layer)); }

const am_layer_class am_gru = {
    .type = "gru",
    .help = "gated recurrent unit over the frames (T,C)",
    .table = gru_table,
    .options_size = sizeof(am_recurrent_options),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = gru_build,
    .forward = gru_forward,
    .backward = gru_backward,
    .operations = gru_operations,
};
