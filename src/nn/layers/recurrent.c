/* SPDX-License-Identifier: MIT */
/* nn/layers/recurrent.c - building the layers that LSTM and GRU share, and their forward pass.
 *
 * A piece is one direction of one group, which makes the input product of a few frames, walks over them while their gates
 * are in the cache, and hands on what came out; where there are more threads than such pieces, the input products come
 * first, in pieces of their own.  For inference the gates of those frames are all that is kept. */
#include "nn/layers/recurrent_inside.h"

static const char *const names[2][3][MAX_LEVELS] = {
    {{"kernel", "kernel_2", "kernel_3", "kernel_4", "kernel_5"},
     {"recurrent_kernel", "recurrent_kernel_2", "recurrent_kernel_3", "recurrent_kernel_4", "recurrent_kernel_5"},
     {"bias", "bias_2", "bias_3", "bias_4", "bias_5"}},
    {{"backward_kernel", "backward_kernel_2", "backward_kernel_3", "backward_kernel_4", "backward_kernel_5"},
     {"backward_recurrent_kernel", "backward_recurrent_kernel_2", "backward_recurrent_kernel_3",
      "backward_recurrent_kernel_4", "backward_recurrent_kernel_5"},
     {"backward_bias", "backward_bias_2", "backward_bias_3", "backward_bias_4", "backward_bias_5"}},
};

static size_t width_of(const run *r, size_t level) { return level ? r->D * r->H : (size_t)r->layer->in[0].c; }

static void place_cache(run *r, am_arena *arena) {
  const size_t rows = r->batch * r->T;
  r->order = am_arena_take(arena, r->batch, sizeof *r->order);
  r->length = am_arena_take(arena, r->batch, sizeof *r->length);
  for (size_t l = 0; l < r->levels; l++) {
    r->x[l] = am_arena_take(arena, rows * width_of(r, l), sizeof(am_real));
    for (size_t d = 0; d < r->D; d++) {
      r->gates[l][d] = am_arena_take(arena, rows * r->G * r->H, sizeof(am_real));
      r->extra[l][d] = am_arena_take(arena, rows * r->H, sizeof(am_real));
      r->h[l][d] = am_arena_take(arena, rows * r->H, sizeof(am_real));
    }
    if (l + 1 < r->levels) r->sequence[l] = am_arena_take(arena, rows * r->D * r->H, sizeof(am_real));
  }
}

static void place_scratch(run *r, am_arena *arena) {
  const size_t rows = r->batch * r->T;
  for (size_t d = 0; d < r->D; d++) {
    r->dgates[d] = am_arena_take(arena, rows * 4 * r->H, sizeof(am_real));
    r->work[d] = am_arena_take(arena, r->batch * r->H, sizeof(am_real));
    r->dh[d] = am_arena_take(arena, r->batch * r->H, sizeof(am_real));
    r->dstate[d] = am_arena_take(arena, r->batch * r->H, sizeof(am_real));
    r->sums[d] = am_arena_take(arena, r->batch * 4 * r->H, sizeof(am_real));
  }
  if (r->levels > 1) r->dsequence = am_arena_take(arena, rows * r->D * r->H, sizeof(am_real));
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Reals of W of a level, and of U, packed for forward or backward. */
static size_t packed_w_count(const run *r, size_t width, bool back) {
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  return back ? am_mul(r->G, k->packed_count((int)r->H, (int)width)) : k->packed_count((int)width, (int)(r->G * r->H));
}
static size_t packed_u_count(const run *r, bool back) {
  return back ? packed_w_count(r, r->H, true) : r->cell->packed_count(am_kernels_of(r->layer->ctx), (int)r->H);
}

/* Those of one level at a time, whatever the batch. */
static void place_packed(run *r, am_arena *arena) {
  size_t w = 0;
  for (size_t l = 0; l < r->levels; l++)
    for (int back = 0; back < 2; back++) w = larger(w, packed_w_count(r, width_of(r, l), back));
  for (size_t d = 0; d < r->D; d++) {
    r->packed_w[d] = am_arena_take(arena, w, sizeof(am_real));
    r->packed_u[d] = am_arena_take(arena, larger(packed_u_count(r, false), packed_u_count(r, true)), sizeof(am_real));
  }
  size_t tree = 0;
  for (size_t l = 0; l < r->levels; l++) tree = larger(tree, tree_reals(r, width_of(r, l)));
  r->trees = am_arena_take(arena, am_mul((size_t)am_context_threads(r->layer->ctx), tree), sizeof(am_real));
}

/* Those of a level for forward, once for all passes (nn/packs.h). */
static void place_frozen(run *r, size_t level, am_arena *arena) {
  for (size_t d = 0; d < r->D; d++) {
    r->packed_w[d] = am_arena_take(arena, packed_w_count(r, width_of(r, level), false), sizeof(am_real));
    r->packed_u[d] = am_arena_take(arena, packed_u_count(r, false), sizeof(am_real));
  }
}

static run run_of(const am_layer *layer, const am_pass *pass, const am_cell *cell, size_t batch) {
  const am_recurrent_options *o = layer->options;
  return (run){
      .layer = layer,
      .pass = pass,
      .cell = cell,
      .batch = batch,
      .groups = (batch + GROUP - 1) / GROUP,
      .T = (size_t)layer->in[0].t,
      .H = (size_t)o->units,
      .G = (size_t)cell->gates,
      .D = o->bidirectional ? 2 : 1,
      .levels = (size_t)o->layers,
  };
}

run am_recurrent_prepare(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
  run r = run_of(layer, pass, cell, (size_t)pass->batch);
  am_arena cache = {pass->cache, SIZE_MAX / 2, 0}, scratch = {pass->scratch, SIZE_MAX / 2, 0};
  place_cache(&r, &cache);
  place_scratch(&r, &scratch);
  place_packed(&r, &scratch);
  return r;
}

am_status am_recurrent_build(am_layer *layer, const am_cell *cell, am_error *err) {
  const am_recurrent_options *o = layer->options;
  const am_shape in = layer->in[0];
  if (in.rank != 2)
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         "wanted (T,C), frames of one vector each; put to_sequence before this layer");
  const int directions = o->bidirectional ? 2 : 1, h = (int)o->units, wide = cell->gates * h;
  if (o->layers * directions * 3 > AM_MAX_ARRAYS)
    return am_layer_fail(layer, err, AM_E_CONFIG,
                         "layers: %d with bidirectional: true: wanted at most %d; repeat the layer for more",
                         (int)o->layers, AM_MAX_ARRAYS / 6);
  for (int level = 0; level < o->layers; level++)
    for (int d = 0; d < directions; d++) {
      const int c = level ? directions * h : in.c;
      am_layer_weight(layer, names[d][0][level], AM_INIT_GLOROT_UNIFORM, 2, (int[]){c, wide}, c, wide, true);
      am_layer_weight(layer, names[d][1][level], AM_INIT_ORTHOGONAL, 2, (int[]){h, wide}, h, wide, true);
      if (cell->second_bias)
        am_layer_weight(layer, names[d][2][level], AM_INIT_ZERO, 2, (int[]){2, wide}, wide, wide, false);
      else am_layer_weight(layer, names[d][2][level], AM_INIT_ZERO, 1, (int[]){wide}, wide, wide, false);
    }
  layer->out = o->returns == AM_RETURN_LAST ? (am_shape){.rank = 1, .t = 1, .f = 1, .c = directions * h}
                                            : (am_shape){2, in.t, 1, directions * h, in.variable};
  layer->backward_needs_x = true;
  /* Every piece is rounded up to whole cache lines, so one clip's count times B is enough for B. */
  run r = run_of(layer, NULL, cell, 1);
  am_arena cache = {0}, scratch = {0}, packed = {0};
  place_cache(&r, &cache);
  place_scratch(&r, &scratch);
  place_packed(&r, &packed);
  layer->cache_per_clip = cache.used;
  layer->scratch_per_clip = scratch.used;
  layer->scratch_once = packed.used;
  return AM_OK;
}

double am_recurrent_operations(const am_layer *layer, const am_cell *cell) {
  const run r = run_of(layer, NULL, cell, 1);
  double width = (double)layer->in[0].c, sum = 0;
  for (size_t l = 0; l < r.levels; l++, width = (double)(r.D * r.H))
    sum += (double)(r.T * r.D * r.G * r.H) * (width + (double)r.H);
  return sum;
}

/* Longest first; equal lengths keep the order of the batch. */
static void sort_clips(run *r) {
  for (size_t b = 0; b < r->batch; b++) {
    const int length = r->pass->x_len[0][b];
    size_t p = b;
    for (; p > 0 && r->length[p - 1] < length; p--) {
      r->length[p] = r->length[p - 1];
      r->order[p] = r->order[p - 1];
    }
    r->length[p] = length;
    r->order[p] = (int)b;
  }
}

/* The kernels of one direction for forward: W or U. */
static void pack_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const size_t d = piece / 2, wide = r->G * r->H;
  if (piece % 2) r->cell->pack(k, (int)r->H, weight_of(r, d, 1), r->packed_u[d]);
  else k->pack(false, (int)r->width, (int)wide, weight_of(r, d, 0), (int)wide, r->packed_w[d]);
}

static size_t blocks_of(const run *r) { return (most_frames(r) + BLOCK - 1) / BLOCK; }

static void gather_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t most = blocks_of(r), first = piece % most * BLOCK, width = r->width;
  const group g = group_of(r, piece / most);
  am_real *to = r->x[r->level] + row_of(r, &g, first) * width;
  for (size_t t = first; t < g.frames && t < first + BLOCK; t++, to += g.rows * width) {
    const size_t rows = active_rows(r, &g, t);
    for (size_t row = 0; row < rows; row++)
      memcpy(to + row * width, r->input + ((size_t)r->order[g.first + row] * r->T + t) * width, width * sizeof *to);
    memset(to + rows * width, 0, (g.rows - rows) * width * sizeof *to);
  }
}

/* Frames [first, first + n) of a group in a direction. */
typedef struct block {
  size_t d, first, n;
} block;

/* Where the gates of its frame t are. */
static am_real *gates_at(const run *r, const group *g, const block *b, size_t t) {
  return r->gates[r->level][b->d] + row_of(r, g, r->whole ? t : t - b->first) * r->G * r->H;
}

/* Of them the clip at place p has so many. */
static size_t frames_in(const run *r, const block *b, size_t p) {
  const size_t length = (size_t)r->length[p], left = length > b->first ? length - b->first : 0;
  return left < b->n ? left : b->n;
}

/* gates = x W of all rows, or of each clip where it lies. */
static void input_product(const run *r, const group *g, const block *b) {
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const int width = (int)r->width, wide = (int)(r->G * r->H);
  am_real *gates = gates_at(r, g, b, b->first);
  if (r->pass->training) {
    k->product((int)(b->n * g->rows), width, wide, r->x[r->level] + row_of(r, g, b->first) * r->width, width,
               r->packed_w[b->d], false, gates, wide);
    return;
  }
  for (size_t row = 0; row < g->rows; row++) {
    const size_t p = g->first + row;
    k->product((int)frames_in(r, b, p), width, wide, r->input + ((size_t)r->order[p] * r->T + b->first) * r->width,
               width, r->packed_w[b->d], false, gates + row * (size_t)wide, (int)g->rows * wide);
  }
}

static void input_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t most = blocks_of(r), first = piece % most * BLOCK, d = piece / most / r->groups;
  const group g = group_of(r, piece / most % r->groups);
  if (first >= g.frames) return;
  input_product(r, &g, &(block){d, first, g.frames - first < BLOCK ? g.frames - first : BLOCK});
}

/* Rows of clips that have ended stay zero: backward multiplies whole frames. */
static void clear_ended(const run *r, const group *g, size_t d, size_t t, size_t rows) {
  const size_t at = (row_of(r, g, t) + rows) * r->H, ended = (g->rows - rows) * r->H;
  memset(r->h[r->level][d] + at, 0, ended * sizeof(am_real));
  memset(r->extra[r->level][d] + at, 0, ended * sizeof(am_real));
}

static void recurrence_block(const run *r, const group *g, const block *b) {
  const size_t l = r->level, d = b->d, start = d ? b->first + b->n - 1 : b->first, row = row_of(r, g, start);
  int rows[BLOCK];
  for (size_t s = 0; s < b->n; s++) {
    const size_t t = d ? start - s : start + s;
    rows[s] = (int)active_rows(r, g, t);
    if (r->pass->training) clear_ended(r, g, d, t, (size_t)rows[s]);
  }
  const am_recurrence recurrence = {
      .h = (int)r->H,
      .frames = (int)b->n,
      .rows = rows,
      .rows_before = (int)active_rows(r, g, d ? start + 1 : start - 1),
      .step = d ? -(ptrdiff_t)g->rows : (ptrdiff_t)g->rows,
      .u = r->packed_u[d],
      .bias = weight_of(r, d, 2),
      .gates = gates_at(r, g, b, start),
      .extra = r->extra[l][d] + row * r->H,
      .out = r->h[l][d] + row * r->H,
      .keep = r->pass->training,
  };
  r->cell->forward(am_kernels_of(r->layer->ctx), &recurrence);
}

static bool last_alone(const run *r) { return last_level(r) && r->layer->out.rank == 1; }

/* Where the clip at place p goes: y of the layer, or the sequence the next level reads. */
static am_real *output_of(const run *r, size_t p) {
  const size_t wide = r->D * r->H, b = (size_t)r->order[p];
  if (last_alone(r)) return r->pass->y + b * wide;
  return (last_level(r) ? r->pass->y : r->sequence[r->level]) + b * r->T * wide;
}

/* h to the clips' own places. */
static void output_block(const run *r, const group *g, const block *b) {
  const size_t H = r->H, wide = r->D * H;
  for (size_t row = 0; row < g->rows; row++) {
    const size_t p = g->first + row, n = frames_in(r, b, p), last = b->d ? 0 : (size_t)r->length[p] - 1;
    const am_real *h = r->h[r->level][b->d] + (row_of(r, g, b->first) + row) * H;
    am_real *y = output_of(r, p) + b->d * H;
    if (!last_alone(r))
      for (size_t t = 0; t < n; t++) memcpy(y + (b->first + t) * wide, h + t * g->rows * H, H * sizeof *y);
    else if (n && last >= b->first && last < b->first + n)
      memcpy(y, h + (last - b->first) * g->rows * H, H * sizeof *y);
  }
}

/* Past a clip's frames, and of a clip without any. */
static void output_zeros(const run *r, const group *g) {
  const size_t wide = r->D * r->H;
  for (size_t p = g->first; p < g->first + g->rows; p++) {
    const size_t n = (size_t)r->length[p];
    if (!last_alone(r)) memset(output_of(r, p) + n * wide, 0, (most_frames(r) - n) * wide * sizeof(am_real));
    else if (!n) memset(output_of(r, p), 0, wide * sizeof(am_real));
  }
}

static void recurrence_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t d = piece / r->groups;
  const group g = group_of(r, piece % r->groups);
  for (size_t s = 0; s < g.frames; s += BLOCK) {
    const size_t left = g.frames - s, n = left < BLOCK ? left : BLOCK;
    const block b = {d, d ? left - n : s, n};
    if (r->together) input_product(r, &g, &b);
    recurrence_block(r, &g, &b);
    output_block(r, &g, &b);
  }
  if (d == 0) output_zeros(r, &g);
}

void am_recurrent_enter(run *r, size_t level) {
  r->level = level;
  r->width = width_of(r, level);
  r->input = level ? r->sequence[level - 1] : r->pass->x[0];
}

void am_recurrent_forward(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
  run r = am_recurrent_prepare(layer, pass, cell);
  am_arena frozen = {(void *)(uintptr_t)pass->packed, SIZE_MAX / 2, 0};
  sort_clips(&r);
  r.together = (size_t)am_context_threads(layer->ctx) <= r.D * r.groups;
  r.whole = pass->training || !r.together;
  for (size_t level = 0; level < r.levels; level++) {
    am_recurrent_enter(&r, level);
    if (pass->packed) place_frozen(&r, level, &frozen);
    else am_parallel_for(layer->ctx, r.D * 2, pack_piece, &r);
    if (pass->training) am_parallel_for(layer->ctx, r.groups * blocks_of(&r), gather_piece, &r);
    if (!r.together) am_parallel_for(layer->ctx, r.D * r.groups * blocks_of(&r), input_piece, &r);
    am_parallel_for(layer->ctx, r.D * r.groups, recurrence_piece, &r);
  }
}

size_t am_recurrent_packed_bytes(const am_layer *layer, const am_cell *cell) {
  run r = run_of(layer, NULL, cell, 1);
  am_arena count = {0};
  for (size_t level = 0; level < r.levels; level++) place_frozen(&r, level, &count);
  return count.used;
}

void am_recurrent_pack(const am_layer *layer, const am_pass *pass, const am_cell *cell, void *packed) {
  run r = run_of(layer, pass, cell, 1);
  am_arena arena = {packed, SIZE_MAX / 2, 0};
  for (r.level = 0; r.level < r.levels; r.level++) {
    r.width = width_of(&r, r.level);
    place_frozen(&r, r.level, &arena);
    am_parallel_for(layer->ctx, r.D * 2, pack_piece, &r);
  }
}
