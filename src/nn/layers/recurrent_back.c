/* SPDX-License-Identifier: MIT */
/* nn/layers/recurrent_back.c - the backward pass of the recurrent layers.
 *
 * A piece is one direction of one group of rows, which walks back over the frames and leaves dgates of all; from these come the
 * gradients of the weights, each as one product over time for each clip, and of the input. */
#include "nn/layers/recurrent_inside.h"

enum { FRAMES = 64 }; /* of a clip in a piece of an input's gradient */

/* A run of gates: neighbours in the kernel, whose gradients are neighbours in dgates. */
typedef struct gate_run {
  size_t from, end, block; /* gates [from, end), the first in block `block` of dgates */
} gate_run;

static bool next_run(const run *r, const int blocks[4], gate_run *at) {
  if (at->end == r->G) return false;
  at->from = at->end++;
  at->block = (size_t)blocks[at->from];
  while (at->end < r->G && blocks[at->end] == blocks[at->end - 1] + 1) at->end++;
  return true;
}

/* Transposed for backward: W by runs of gates, U by the cell's parts. */
static void pack_piece_back(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const size_t d = piece / 2, H = r->H, wide = r->G * H;
  am_real *to = piece % 2 ? r->packed_u[d] : r->packed_w[d];
  if (piece % 2 == 0) {
    for (gate_run at = {0}; next_run(r, r->cell->input_from, &at);) {
      const int terms = (int)((at.end - at.from) * H);
      k->pack(true, terms, (int)r->width, weight_of(r, d, 0) + at.from * H, (int)wide, to);
      to += k->packed_count(terms, (int)r->width);
    }
    return;
  }
  for (int part = 0, gate = 0; part < 2; gate += r->cell->parts[part++]) {
    const int terms = r->cell->parts[part] * (int)H;
    k->pack(true, terms, (int)H, weight_of(r, d, 1) + (size_t)gate * H, (int)wide, to);
    to += k->packed_count(terms, (int)H);
  }
}

/* Frames [first, first + n) of a clip: piece FRAMES long of the clip at place p. */
typedef struct span {
  size_t p, first, n;
} span;

static size_t spans_of(const run *r) { return (most_frames(r) + FRAMES - 1) / FRAMES; }

static span span_of(const run *r, size_t piece) {
  span s = {.p = piece / spans_of(r), .first = piece % spans_of(r) * FRAMES};
  const size_t length = (size_t)r->length[s.p], left = length > s.first ? length - s.first : 0;
  s.n = left < FRAMES ? left : FRAMES;
  return s;
}

/* Frame t of direction d; the frame before it in that direction is t-1 or t+1. */
static am_cell_step step_at(const run *r, const group *g, size_t d, size_t t) {
  const size_t l = r->level, H = r->H, before = d ? t + 1 : t - 1;
  const size_t row = row_of(r, g, t), row_before = row_of(r, g, before);
  const size_t rows = active_rows(r, g, t), known = active_rows(r, g, before);
  const size_t rows_before = known < rows ? known : rows;
  return (am_cell_step){
      .kernels = am_kernels_of(r->layer->ctx),
      .u = {r->packed_u[d], r->packed_u[d] + r->second_part},
      .h = (int)H,
      .rows = (int)rows,
      .rows_before = (int)rows_before,
      .gates = r->gates[l][d] + row * r->G * H,
      .h_before = rows_before ? r->h[l][d] + row_before * H : NULL,
      .extra_before = rows_before ? r->extra[l][d] + row_before * H : NULL,
      .extra = r->extra[l][d] + row * H,
      .work = r->work[d] + g->first * H,
      .dh = r->dh[d] + g->first * H,
      .dstate = r->dstate[d] + g->first * H,
      .dgates = r->dgates[d] + row * 4 * H,
  };
}

/* Adds the gradient that enters frame t from the output to each row's dh. */
static void add_dy(const run *r, const group *g, size_t d, size_t t, const am_cell_step *step) {
  const size_t H = r->H, wide = r->D * H;
  for (size_t row = 0; row < (size_t)step->rows; row++) {
    const size_t p = g->first + row, b = (size_t)r->order[p];
    if (!r->dy_last) step->kernels->add(H, r->dy + (b * r->T + t) * wide + d * H, step->dh + row * H);
    else if (t == (d ? 0 : (size_t)r->length[p] - 1))
      step->kernels->add(H, r->dy + b * wide + d * H, step->dh + row * H);
  }
}

/* The recurrence walked against its direction; dgates of every frame are kept. */
static void recurrence_piece_back(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t d = piece / r->groups, H = r->H;
  const group g = group_of(r, piece % r->groups);
  memset(r->dh[d] + g.first * H, 0, g.rows * H * sizeof(am_real));
  memset(r->dstate[d] + g.first * H, 0, g.rows * H * sizeof(am_real));
  am_real *sums = r->sums[d] + g.first * 4 * H;
  memset(sums, 0, g.rows * 4 * H * sizeof *sums);
  for (size_t s = g.frames; s-- > 0;) {
    const size_t t = d ? g.frames - 1 - s : s;
    const am_cell_step step = step_at(r, &g, d, t);
    const size_t used = (size_t)step.rows * 4 * H;
    memset(step.dgates + used, 0, (g.rows * 4 * H - used) * sizeof(am_real));
    add_dy(r, &g, d, t, &step);
    r->cell->backward(&step);
    step.kernels->add((size_t)step.rows * 4 * H, step.dgates, sums);
  }
}

/* Columns [from, to) of a kernel, inside a run of gates; in dgates they start at `column`. */
typedef struct columns {
  size_t from, to, column;
  bool extra;
} columns;

/* Of the clip at place p, which has frames: dW += x^T dgates, or dU += h_before^T dgates, where the frames but the first in
 * the direction follow one.  `dw` (width or H, columns). */
static void add_clip(const run *r, size_t d, bool recurrent, columns c, size_t p, am_real *dw) {
  const group g = group_of(r, p / GROUP);
  const size_t H = r->H, l = r->level, frames = (size_t)r->length[p] - recurrent, n = c.to - c.from;
  const size_t to = row_of(r, &g, recurrent && !d ? 1 : 0) + p % GROUP;  /* rows of dgates from here on, */
  const size_t from = row_of(r, &g, recurrent && d ? 1 : 0) + p % GROUP; /* and of what they met */
  const size_t width = recurrent ? H : r->width;
  const am_real *x = !recurrent ? r->x[l] + from * width : c.extra ? r->extra[l][d] + to * H : r->h[l][d] + from * H;
  am_kernels_of(r->layer->ctx)
      ->outer_product((int)frames, (int)width, (int)n, x, (int)(g.rows * width), r->dgates[d] + to * 4 * H + c.column,
                      (int)(g.rows * 4 * H), dw, (int)n);
}

/* The columns of dW or dU, and below them those of db: clips in order, groups in pairs. */
static void columns_back(const run *r, size_t d, bool recurrent, columns c, int worker) {
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const size_t H = r->H, width = recurrent ? H : r->width, n = c.to - c.from, wide = r->G * H;
  am_pair_sum sum = am_pair_begin(k, (width + 1) * n, r->trees + (size_t)worker * tree_reals(r, r->width));
  for (size_t g = 0; g < am_groups_of(r->pass); g++) {
    am_real *dw = am_pair_next(&sum);
    memset(dw, 0, (width + 1) * n * sizeof *dw);
    for (size_t p = 0; p < r->batch && r->length[p]; p++) {
      if ((size_t)(r->order[p] / r->pass->group) != g) continue;
      add_clip(r, d, recurrent, c, p, dw);
      k->add(n, r->sums[d] + p * 4 * H + c.column, dw + width * n);
    }
    am_pair_add(&sum);
  }
  const am_real *root = am_pair_root(&sum);
  am_real *dw = dweight_of(r, d, recurrent) + c.from, *db = dweight_of(r, d, 2) + c.from;
  for (size_t i = 0; i < width; i++) k->add(n, root + i * n, dw + i * wide);
  if (!recurrent) k->add(n, root + width * n, db);
  else if (r->cell->second_bias) k->add(n, root + width * n, db + wide);
}

static size_t column_pieces(const run *r) { return (r->G * r->H + COLUMNS - 1) / COLUMNS; }

/* Some columns of W and its bias, or of U and its own. */
static void weight_piece_back(void *arg, size_t piece, int worker) {
  const run *r = arg;
  const size_t H = r->H, d = piece / 2 / column_pieces(r), first = piece / 2 % column_pieces(r) * COLUMNS;
  const bool recurrent = piece % 2;
  for (gate_run at = {0}; next_run(r, recurrent ? r->cell->recurrent_from : r->cell->input_from, &at);) {
    columns c = {at.from * H, at.end * H, at.block * H, (int)at.from == r->cell->extra_gate};
    if (c.from < first) {
      c.column += first - c.from;
      c.from = first;
    }
    if (c.to > first + COLUMNS) c.to = first + COLUMNS;
    if (c.from < c.to) columns_back(r, d, recurrent, c, worker);
  }
}

/* dx = sum over directions of dgates W^T, some frames of a clip. */
static void input_piece_back(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const span s = span_of(r, piece);
  const group g = group_of(r, s.p / GROUP);
  const size_t H = r->H, left = most_frames(r) - s.first, all = left < FRAMES ? left : FRAMES;
  am_real *dx = r->dinput + ((size_t)r->order[s.p] * r->T + s.first) * r->width;
  memset(dx + s.n * r->width, 0, (all - s.n) * r->width * sizeof *dx);
  bool add = false;
  for (size_t d = 0; s.n && d < r->D; d++) {
    const am_real *dgates = r->dgates[d] + (row_of(r, &g, s.first) + s.p % GROUP) * 4 * H;
    const am_real *packed = r->packed_w[d];
    for (gate_run at = {0}; next_run(r, r->cell->input_from, &at); add = true) {
      const int terms = (int)((at.end - at.from) * H);
      k->product((int)s.n, terms, (int)r->width, dgates + at.block * H, (int)(g.rows * 4 * H), packed, add, dx,
                 (int)r->width);
      packed += k->packed_count(terms, (int)r->width);
    }
  }
}

void am_recurrent_backward(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
  run r = am_recurrent_prepare(layer, pass, cell);
  r.second_part = am_kernels_of(layer->ctx)->packed_count(cell->parts[0] * (int)r.H, (int)r.H);
  for (size_t level = r.levels; level-- > 0;) {
    am_recurrent_enter(&r, level);
    r.dy = last_level(&r) ? pass->dy : r.dsequence;
    r.dy_last = last_level(&r) && layer->out.rank == 1;
    /* dsequence is read by the recurrence alone, so the next level's may replace it. */
    r.dinput = level ? r.dsequence : pass->dx[0];
    am_parallel_for(layer->ctx, r.D * 2, pack_piece_back, &r);
    am_parallel_for(layer->ctx, r.D * r.groups, recurrence_piece_back, &r);
    am_parallel_for(layer->ctx, r.D * column_pieces(&r) * 2, weight_piece_back, &r);
    if (r.dinput) am_parallel_for(layer->ctx, r.batch * spans_of(&r), input_piece_back, &r);
  }
}
