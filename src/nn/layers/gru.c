/* SPDX-License-Identifier: MIT */
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

#include "nn/layers/recurrent.h"

static size_t after_count(const am_kernels *kernels, int h) { return kernels->recurrent_count(3, h); }

static void after_pack(const am_kernels *kernels, int h, const am_real *u, am_real *packed) {
  kernels->recurrent_pack(3, h, u, packed);
}

static void after_frames(const am_kernels *kernels, const am_recurrence *r) { kernels->gru(r); }

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

/* U in two parts: of z and r, and of n, which multiplies r h. */
static size_t inside_count(const am_kernels *kernels, int h) {
  return kernels->packed_count(h, 2 * h) + kernels->packed_count(h, h);
}

static void inside_pack(const am_kernels *kernels, int h, const am_real *u, am_real *packed) {
  kernels->pack(false, h, 2 * h, u, 3 * h, packed);
  kernels->pack(false, h, h, u + 2 * (size_t)h, 3 * h, packed + kernels->packed_count(h, 2 * h));
}

/* One frame: `known` of its rows have one before. */
static void inside_frame(const am_kernels *kernels, const am_recurrence *r, int rows, int known, const am_real *before,
                         am_real *gates, am_real *extra, am_real *out) {
  const int h = r->h;
  const size_t H = (size_t)h;
  for (int row = 0; row < rows; row++) kernels->add(3 * H, r->bias, gates + (size_t)row * 3 * H);
  if (known) kernels->product(known, h, 2 * h, before, h, r->u, true, gates, 3 * h);
  for (int row = 0; row < rows; row++) {
    am_real *z = gates + (size_t)row * 3 * H, *reset = z + H;
    kernels->sigmoid(2 * H, z, z);
    for (size_t k = 0; k < H; k++)
      extra[(size_t)row * H + k] = row < known ? reset[k] * before[(size_t)row * H + k] : 0;
  }
  if (known)
    kernels->product(known, h, h, extra, h, r->u + kernels->packed_count(h, 2 * h), true, gates + 2 * H, 3 * h);
  for (int row = 0; row < rows; row++) {
    am_real *z = gates + (size_t)row * 3 * H, *n = z + 2 * H, *to = out + (size_t)row * H;
    kernels->tanh(H, n, n);
    for (size_t k = 0; k < H; k++) to[k] = (row < known ? z[k] * before[(size_t)row * H + k] : 0) + (1 - z[k]) * n[k];
  }
}

static void inside_frames(const am_kernels *kernels, const am_recurrence *r) {
  int before = r->rows_before;
  for (ptrdiff_t s = 0; s < r->frames; before = r->rows[s++]) {
    const ptrdiff_t at = s * r->step * r->h;
    const int known = before < r->rows[s] ? before : r->rows[s];
    inside_frame(kernels, r, r->rows[s], known, known ? r->out + at - r->step * r->h : NULL, r->gates + 3 * at,
                 r->extra + at, r->out + at);
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
    .packed_count = after_count,
    .pack = after_pack,
    .forward = after_frames,
    .backward = after_step_back,
};

static const am_cell inside_cell = {
    .gates = 3,
    .input_from = {0, 1, 3},
    .recurrent_from = {0, 1, 3},
    .parts = {2, 1},
    .extra_gate = 2,
    .packed_count = inside_count,
    .pack = inside_pack,
    .forward = inside_frames,
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

static size_t gru_packed_bytes(const am_layer *layer) { return am_recurrent_packed_bytes(layer, gru_cell(layer)); }

static void gru_pack(const am_layer *layer, const am_pass *pass, void *packed) {
  am_recurrent_pack(layer, pass, gru_cell(layer), packed);
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
    .packed_bytes = gru_packed_bytes,
    .pack = gru_pack,
    .operations = gru_operations,
};
