/* SPDX-License-Identifier: MIT */
/* tensor/plain_recurrent.c - the reference of the recurrences: LSTM (Hochreiter and Schmidhuber 1997, with the forget
 * gate of Gers et al. 2000) and GRU (Cho et al. 2014, the reset gate after the product). */
#include <math.h>
#include <string.h>

#include "tensor/tables.h"

#ifdef AM_REAL_DOUBLE
#define M(name) name
#else
#define M(name) name##f
#endif

size_t am_recurrent_count_plain(int gates, int h) { return (size_t)gates * (size_t)h * (size_t)h; }

void am_recurrent_pack_plain(int gates, int h, const am_real *u, am_real *packed) {
  memcpy(packed, u, am_recurrent_count_plain(gates, h) * sizeof *packed);
}

/* gates += h U, some columns of it. */
static void add_product(size_t h, size_t wide, size_t columns, const am_real *before, const am_real *u,
                        am_real *gates) {
  for (size_t k = 0; k < h; k++)
    for (size_t j = 0; j < columns; j++) gates[j] += before[k] * u[k * wide + j];
}

static const am_kernels *const plain = &am_kernels_table_plain;

/* One clip at one frame; known: it exists in the frame before, too. */
typedef void one_clip(const am_recurrence *r, bool known, am_real *gates, am_real *extra, am_real *out);

static void lstm_clip(const am_recurrence *r, bool known, am_real *gates, am_real *c, am_real *out) {
  const size_t h = (size_t)r->h;
  const ptrdiff_t back = -r->step * r->h;
  am_real *gi = gates, *gf = gates + h, *gg = gates + 2 * h, *go = gates + 3 * h;
  for (size_t j = 0; j < 4 * h; j++) gates[j] += r->bias[j];
  if (known) add_product(h, 4 * h, 4 * h, out + back, r->u, gates);
  plain->sigmoid(2 * h, gi, gi);
  plain->tanh(h, gg, gg);
  plain->sigmoid(h, go, go);
  for (size_t j = 0; j < h; j++) {
    c[j] = gf[j] * (known ? c[back + (ptrdiff_t)j] : 0) + gi[j] * gg[j];
    out[j] = go[j] * M(tanh)(c[j]);
  }
}

static void gru_clip(const am_recurrence *r, bool known, am_real *gates, am_real *extra, am_real *out) {
  const size_t h = (size_t)r->h;
  const ptrdiff_t back = -r->step * r->h;
  am_real *z = gates, *reset = gates + h, *n = gates + 2 * h;
  const am_real *second = r->bias + 3 * h;
  for (size_t j = 0; j < 2 * h; j++) gates[j] += r->bias[j] + second[j];
  memcpy(extra, second + 2 * h, h * sizeof *extra);
  if (known) {
    add_product(h, 3 * h, 2 * h, out + back, r->u, gates);
    add_product(h, 3 * h, h, out + back, r->u + 2 * h, extra);
  }
  plain->sigmoid(2 * h, z, z);
  for (size_t j = 0; j < h; j++) {
    n[j] = M(tanh)(n[j] + r->bias[2 * h + j] + reset[j] * extra[j]);
    out[j] = (known ? z[j] * out[back + (ptrdiff_t)j] : 0) + (1 - z[j]) * n[j];
  }
}

static void walk(const am_recurrence *r, int gates, one_clip *clip) {
  int before = r->rows_before;
  for (ptrdiff_t s = 0; s < r->frames; before = r->rows[s++])
    for (ptrdiff_t row = 0; row < r->rows[s]; row++) {
      const ptrdiff_t at = (s * r->step + row) * r->h;
      clip(r, row < before, r->gates + at * gates, r->extra + at, r->out + at);
    }
}

void am_lstm_plain(const am_recurrence *r) { walk(r, 4, lstm_clip); }
void am_gru_plain(const am_recurrence *r) { walk(r, 3, gru_clip); }

void am_lstm_cell_back_plain(int h, const am_real *gates, const am_real *c_prev, const am_real *c, const am_real *dh,
                             am_real *dc, am_real *dgates) {
  size_t n = (size_t)h;
  for (size_t j = 0; j < n; j++) {
    am_real i = gates[j], f = gates[n + j], g = gates[2 * n + j], o = gates[3 * n + j];
    am_real tc = M(tanh)(c[j]);
    am_real dct = dc[j] + dh[j] * o * (1 - tc * tc); /* h = o tanh(c) */
    dgates[j] = dct * g * i * (1 - i);               /* c = f c_prev + i g */
    dgates[n + j] = dct * (c_prev ? c_prev[j] : 0) * f * (1 - f);
    dgates[2 * n + j] = dct * i * (1 - g * g);
    dgates[3 * n + j] = dh[j] * tc * o * (1 - o);
    dc[j] = dct * f;
  }
}
