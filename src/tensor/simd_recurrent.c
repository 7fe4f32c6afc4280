/* SPDX-License-Identifier: MIT */
/* tensor/simd_recurrent.c - the recurrence of LSTM and GRU: the loop over time, the product with what was before and
 * the cell in one kernel.
 *
 * U is packed by blocks of LANES units, each (H, gates, LANES).  A tile makes all gates of a block for a few rows, which the
 * cell then takes from L1.  Every gate is one chain of multiply-adds over H, whatever the tile, so it does not depend on the
 * rows around it. */
#include "tensor/simd_math.h"

#if AM_LANES == 8
enum { LSTM_ROWS = 3, GRU_ROWS = 4 }; /* 12 sums in 16 registers */
#define EACH_LSTM(M) M(4, 1) M(4, 2) M(4, 3)
#define EACH_GRU(M) M(3, 1) M(3, 2) M(3, 3) M(3, 4)
#else
enum { LSTM_ROWS = 6, GRU_ROWS = 8 }; /* 24 sums in 32 registers */
#define EACH_LSTM(M) M(4, 1) M(4, 2) M(4, 3) M(4, 4) M(4, 5) M(4, 6)
#define EACH_GRU(M) M(3, 1) M(3, 2) M(3, 3) M(3, 4) M(3, 5) M(3, 6) M(3, 7) M(3, 8)
#endif
enum { MOST_GATES = 4 };

size_t AM_SIMD(am_recurrent_count)(int gates, int h) {
  return (size_t)(h / LANES + (h % LANES != 0)) * LANES * (size_t)h * (size_t)gates;
}

void AM_SIMD(am_recurrent_pack)(int gates, int h, const float *u, float *packed) {
  for (int j = 0; j < h; j += LANES) {
    const int n = h - j < LANES ? h - j : LANES;
    for (int k = 0; k < h; k++)
      for (int g = 0; g < gates; g++, packed += LANES) {
        const float *from = u + ((ptrdiff_t)k * gates + g) * h + j;
        for (int l = 0; l < LANES; l++) packed[l] = l < n ? from[l] : 0;
      }
  }
}

/* A few rows of h by a block of units: sums (rows, gates, LANES) = h U. */
typedef struct tile {
  int k;
  const float *h;
  ptrdiff_t row; /* from row to row of h */
  const float *u;
} tile;

AM_INLINE void run_tile(const int G, const int P, const tile *t, float *sums) {
  vf sum[GRU_ROWS][MOST_GATES];
  AM_UNROLL for (int p = 0; p < P; p++) { AM_UNROLL for (int g = 0; g < G; g++) sum[p][g] = (vf){0}; }
  const float *u = t->u, *h = t->h;
  const ptrdiff_t row = t->row;
  for (int k = 0; k < t->k; k++, u += G * LANES, h++) {
    vf weight[MOST_GATES];
    AM_UNROLL for (int g = 0; g < G; g++) weight[g] = load(u + g * LANES);
    AM_UNROLL for (int p = 0; p < P; p++) {
      vf value = splat(h[p * row]);
      AM_UNROLL for (int g = 0; g < G; g++) sum[p][g] += value * weight[g];
    }
  }
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int g = 0; g < G; g++) store(sums + (p * G + g) * LANES, sum[p][g]);
  }
}

#define TILE_FUNCTION(G, P) \
  static void tile_##G##_##P(const tile *t, float *sums) { run_tile(G, P, t, sums); }
#define TILE_NAME(G, P) tile_##G##_##P,
EACH_LSTM(TILE_FUNCTION)
EACH_GRU(TILE_FUNCTION)
typedef void tile_function(const tile *t, float *sums);
static tile_function *const lstm_tiles[] = {NULL, EACH_LSTM(TILE_NAME)};
static tile_function *const gru_tiles[] = {NULL, EACH_GRU(TILE_NAME)};

/* One row of a frame at one block of units; what was before is NULL where the clip starts here. */
typedef struct cell {
  size_t h, n; /* H, and units of the block that exist */
  float *sums; /* (gates, LANES); first makes room in it for what second needs */
  const float *bias;
  const float *h_before, *extra_before;
  float *gates, *extra, *h_out;
  bool keep;
} cell;

/* A cell ends with a tanh of what its gates made, a long chain: so first all rows make their gates, then all end. */

/* c = f c_before + i g */
AM_INLINE void lstm_first(const cell *c) {
  const size_t h = c->h, n = c->n;
  vf pre[4];
  AM_UNROLL for (int g = 0; g < 4; g++) {
    const size_t at = (size_t)g * h;
    pre[g] = get(c->gates + at, n) + get(c->bias + at, n) + load(c->sums + g * LANES);
  }
  vf i = sigmoid_of(pre[0]), f = sigmoid_of(pre[1]), g = tanh_of(pre[2]), o = sigmoid_of(pre[3]);
  vf state = i * g;
  if (c->extra_before) state += f * get(c->extra_before, n);
  if (c->keep) {
    put(c->gates, i, n);
    put(c->gates + h, f, n);
    put(c->gates + 2 * h, g, n);
    put(c->gates + 3 * h, o, n);
  }
  put(c->extra, state, n);
  store(c->sums, state);
  store(c->sums + LANES, o);
}

/* h = o tanh(c) */
AM_INLINE void lstm_second(const cell *c) { put(c->h_out, load(c->sums + LANES) * tanh_of(load(c->sums)), c->n); }

/* extra = h Un + cn, and x Wn + bn + r extra */
AM_INLINE void gru_first(const cell *c) {
  const size_t h = c->h, n = c->n;
  const float *second = c->bias + 3 * h;
  vf pre[2];
  AM_UNROLL for (int g = 0; g < 2; g++) {
    const size_t at = (size_t)g * h;
    pre[g] = get(c->gates + at, n) + get(c->bias + at, n) + get(second + at, n) + load(c->sums + g * LANES);
  }
  vf z = sigmoid_of(pre[0]), r = sigmoid_of(pre[1]), extra = get(second + 2 * h, n) + load(c->sums + 2 * LANES);
  if (c->keep) {
    put(c->gates, z, n);
    put(c->gates + h, r, n);
    put(c->extra, extra, n);
  }
  store(c->sums, get(c->gates + 2 * h, n) + get(c->bias + 2 * h, n) + r * extra);
  store(c->sums + LANES, z);
}

/* h' = z h + (1 - z) n */
AM_INLINE void gru_second(const cell *c) {
  vf candidate = tanh_of(load(c->sums)), z = load(c->sums + LANES), out = (1.0f - z) * candidate;
  if (c->h_before) out += z * get(c->h_before, c->n);
  if (c->keep) put(c->gates + 2 * c->h, candidate, c->n);
  put(c->h_out, out, c->n);
}

/* The memory of one frame. */
typedef struct frame {
  const float *h_before, *extra_before;
  float *gates, *extra, *h_out;
} frame;

/* Row `row` at the block of units at j, of which n exist. */
AM_INLINE cell cell_at(const int G, const am_recurrence *r, const frame *f, int row, bool known, int j, size_t n,
                       float *sums) {
  const size_t h = (size_t)r->h, at = (size_t)row * h + (size_t)j;
  return (cell){.h = h,
                .n = n,
                .sums = sums,
                .bias = r->bias + j,
                .h_before = known ? f->h_before + at : NULL,
                .extra_before = known ? f->extra_before + at : NULL,
                .gates = f->gates + (size_t)row * G * h + (size_t)j,
                .extra = f->extra + at,
                .h_out = f->h_out + at,
                .keep = r->keep};
}

AM_INLINE void both_halves(const int G, const am_recurrence *r, const frame *f, int from, int rows, bool known, int j,
                           size_t n, float *sums) {
  for (int p = 0; p < rows; p++) {
    const cell c = cell_at(G, r, f, from + p, known, j, n, sums + p * G * LANES);
    if (G == 4) lstm_first(&c);
    else gru_first(&c);
  }
  for (int p = 0; p < rows; p++) {
    const cell c = cell_at(G, r, f, from + p, known, j, n, sums + p * G * LANES);
    if (G == 4) lstm_second(&c);
    else gru_second(&c);
  }
}

/* The cells of rows [from, from + rows) at the block of units at j. */
AM_INLINE void run_cells(const int G, const am_recurrence *r, const frame *f, int from, int rows, bool known, int j,
                         float *sums) {
  if (r->h - j >= LANES) both_halves(G, r, f, from, rows, known, j, LANES, sums); /* a constant: no masks */
  else both_halves(G, r, f, from, rows, known, j, (size_t)(r->h - j), sums);
}

/* Rows [from, to) of a frame at the block of units at j, in tiles of even size. */
AM_INLINE void run_rows(const int G, const am_recurrence *r, const frame *f, int from, int to, bool known, int j) {
  float sums[GRU_ROWS * MOST_GATES * LANES];
  const int h = r->h, most = G == 4 ? LSTM_ROWS : GRU_ROWS, all = to - from, count = (all + most - 1) / most;
  for (int i = 0; i < count; i++) {
    const int first = from + all * i / count, rows = from + all * (i + 1) / count - first;
    const tile t = {.k = known ? h : 0,
                    .h = known ? f->h_before + (ptrdiff_t)first * h : NULL,
                    .row = h,
                    .u = r->u + (ptrdiff_t)j * h * G};
    (G == 4 ? lstm_tiles : gru_tiles)[rows](&t, sums);
    run_cells(G, r, f, first, rows, known, j, sums);
  }
}

/* U is met from its start and from its end by turns: what was met last is still in L1. */
AM_INLINE void walk(const int G, const am_recurrence *r) {
  const int h = r->h, blocks = (h + LANES - 1) / LANES;
  int before = r->rows_before;
  for (int s = 0; s < r->frames; s++) {
    const ptrdiff_t at = s * r->step * h, back = at - r->step * h;
    const int rows = r->rows[s], known = before < rows ? before : rows;
    const frame f = {.h_before = known ? r->out + back : NULL,
                     .extra_before = known ? r->extra + back : NULL,
                     .gates = r->gates + at * G,
                     .extra = r->extra + at,
                     .h_out = r->out + at};
    for (int b = 0; b < blocks; b++) {
      const int j = (s & 1 ? blocks - 1 - b : b) * LANES;
      run_rows(G, r, &f, 0, known, true, j);
      run_rows(G, r, &f, known, rows, false, j);
    }
    before = rows;
  }
}

void AM_SIMD(am_lstm)(const am_recurrence *r) { walk(4, r); }
void AM_SIMD(am_gru)(const am_recurrence *r) { walk(3, r); }
