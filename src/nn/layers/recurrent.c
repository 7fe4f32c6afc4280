/* nn/layers/recurrent.c - the run over time that LSTM and GRU share.
 *
 * Clips are sorted by length, longest first, and cut into groups of GROUP.  In
 * the cache a group of R clips is time-major, frame t holding its R rows side
 * by side, so that the recurrent product of a step is one contiguous matrix
 * product; clips that have ended are a suffix of the rows and are left out.
 * Rows are in frame order for both directions: the backward one walks down
 * from the longest clip's last frame, and a shorter clip joins, from zeros, at
 * its own.  A piece is one direction of one group, which makes the input product of a
 * few frames and walks over them while their gates are in the cache; where there are
 * more threads than such pieces, the input products come first, in pieces of their own.
 *
 * Weights of each level and direction: kernel (C,G*H), recurrent_kernel (H,G*H),
 * bias (G*H) or (2,G*H).  A level above the first reads the sequence of the one
 * below, both directions side by side (T,2H).  A clip without frames gives zeros. */
#include "nn/layers/recurrent.h"

#include <string.h>

enum {
  GROUP = 16,    /* clips side by side in the recurrence */
  BLOCK = 8,     /* frames of a group whose gates stay in the cache between input product and recurrence */
  FRAMES = 64,   /* of a clip in a piece of an input's gradient */
  COLUMNS = 256, /* of a weight gradient in a piece */
  MAX_LEVELS = 5
};

static const char *const names[2][3][MAX_LEVELS] = {
    {{"kernel", "kernel_2", "kernel_3", "kernel_4", "kernel_5"},
     {"recurrent_kernel", "recurrent_kernel_2", "recurrent_kernel_3", "recurrent_kernel_4", "recurrent_kernel_5"},
     {"bias", "bias_2", "bias_3", "bias_4", "bias_5"}},
    {{"backward_kernel", "backward_kernel_2", "backward_kernel_3", "backward_kernel_4", "backward_kernel_5"},
     {"backward_recurrent_kernel", "backward_recurrent_kernel_2", "backward_recurrent_kernel_3",
      "backward_recurrent_kernel_4", "backward_recurrent_kernel_5"},
     {"backward_bias", "backward_bias_2", "backward_bias_3", "backward_bias_4", "backward_bias_5"}},
};

/* Everything a call needs, by level where it has one. */
typedef struct run {
  const am_layer *layer;
  const am_pass *pass;
  const am_cell *cell;
  size_t T, H, G, D; /* frames, units, gates, directions */
  size_t levels, batch, groups;
  /* cache */
  int *order, *length;           /* (B): clip and frames at each sorted place */
  am_real *x[MAX_LEVELS];        /* (groups: T,R,width): the input side by side, zero where a clip has ended */
  am_real *gates[MAX_LEVELS][2]; /* (groups: T,R,G*H) */
  am_real *extra[MAX_LEVELS][2]; /* (groups: T,R,H) */
  am_real *h[MAX_LEVELS][2];     /* (groups: T,R,H) */
  am_real *sequence[MAX_LEVELS]; /* (B,T,D*H), of every level that another one reads */
  /* scratch */
  am_real *dgates[2];                   /* (groups: T,R,4H) */
  am_real *work[2], *dh[2], *dstate[2]; /* (B,3H), (B,H), (B,H) */
  am_real *sums[2];                     /* (groups: 4H): of dgates over all rows */
  am_real *packed_w[2], *packed_u[2];   /* of the level at work, by runs of gates; backward: transposed */
  size_t second_part;                   /* where the second part of packed_u starts */
  am_real *dsequence;                   /* (B,T,D*H): gradient of a level's output */
  /* the level at work */
  size_t level, width;       /* width: channels of its input */
  const am_real *input, *dy; /* (B,T,width), (B,T,D*H) or (B,D*H) */
  bool together;             /* input products within the recurrence */
  bool dy_last;              /* dy is of the last states */
  am_real *dinput;
} run;

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
    r->work[d] = am_arena_take(arena, r->batch * 3 * r->H, sizeof(am_real));
    r->dh[d] = am_arena_take(arena, r->batch * r->H, sizeof(am_real));
    r->dstate[d] = am_arena_take(arena, r->batch * r->H, sizeof(am_real));
    r->sums[d] = am_arena_take(arena, r->batch * 4 * r->H, sizeof(am_real));
  }
  if (r->levels > 1) r->dsequence = am_arena_take(arena, rows * r->D * r->H, sizeof(am_real));
}

/* Reals of a kernel (n, G*H) packed by gates or runs of them, or transposed. */
static size_t packed_most(const run *r, size_t n) {
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const size_t forward = k->packed_count((int)n, (int)r->H), back = k->packed_count((int)r->H, (int)n);
  return am_mul(r->G, forward > back ? forward : back);
}

/* Once a call, whatever the batch. */
static void place_packed(run *r, am_arena *arena) {
  const size_t width = (size_t)r->layer->in[0].c, above = r->levels > 1 ? r->D * r->H : 0;
  for (size_t d = 0; d < r->D; d++) {
    r->packed_w[d] = am_arena_take(arena, packed_most(r, width > above ? width : above), sizeof(am_real));
    r->packed_u[d] = am_arena_take(arena, packed_most(r, r->H), sizeof(am_real));
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

static run run_prepare(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
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

/* A group: its first place, its rows R, and the row of frame t in the cache. */
typedef struct group {
  size_t first, rows, frames; /* frames of the longest clip */
} group;

static group group_of(const run *r, size_t q) {
  const size_t first = q * GROUP, rows = r->batch - first < GROUP ? r->batch - first : GROUP;
  return (group){first, rows, (size_t)r->length[first]};
}

static size_t row_of(const run *r, const group *g, size_t t) { return g->first * r->T + t * g->rows; }

/* Clips of the group that have a frame t: a prefix. */
static size_t active_rows(const run *r, const group *g, size_t t) {
  if (t >= g->frames) return 0; /* also for t = -1, which is beyond */
  size_t n = g->rows;
  while (n > 0 && (size_t)r->length[g->first + n - 1] <= t) n--;
  return n;
}

static const am_real *weight_of(const run *r, size_t d, int part) {
  return r->pass->w[(r->level * r->D + d) * 3 + (size_t)part];
}

static am_real *dweight_of(const run *r, size_t d, int part) {
  return r->pass->dw[(r->level * r->D + d) * 3 + (size_t)part];
}

static bool last_level(const run *r) { return r->level + 1 == r->levels; }

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

/* The kernels of one direction for the forward products: W whole, U by the cell's parts. */
static void pack_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const size_t d = piece / 2, wide = r->G * r->H;
  if (piece % 2 == 0) {
    k->pack(false, (int)r->width, (int)wide, weight_of(r, d, 0), (int)wide, r->packed_w[d]);
    return;
  }
  am_real *to = r->packed_u[d];
  for (int part = 0, gate = 0; part < 2; gate += r->cell->parts[part++]) {
    const int columns = r->cell->parts[part] * (int)r->H;
    k->pack(false, (int)r->H, columns, weight_of(r, d, 1) + (size_t)gate * r->H, (int)wide, to);
    to += k->packed_count((int)r->H, columns);
  }
}

/* The same transposed for backward: W by runs of gates. */
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

static size_t most_frames(const run *r) { return (size_t)r->pass->x_most[0]; }
static size_t blocks_of(const run *r) { return (most_frames(r) + BLOCK - 1) / BLOCK; }
static size_t spans_of(const run *r) { return (most_frames(r) + FRAMES - 1) / FRAMES; }

static span span_of(const run *r, size_t piece) {
  span s = {.p = piece / spans_of(r), .first = piece % spans_of(r) * FRAMES};
  const size_t length = (size_t)r->length[s.p], left = length > s.first ? length - s.first : 0;
  s.n = left < FRAMES ? left : FRAMES;
  return s;
}

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

/* gates = x W + b of frames [first, first + n) of a group in direction d. */
static void input_product(const run *r, const group *g, size_t d, size_t first, size_t n) {
  const size_t wide = r->G * r->H, rows = n * g->rows, row = row_of(r, g, first);
  const am_real *bias = weight_of(r, d, 2);
  am_real *gates = r->gates[r->level][d] + row * wide;
  for (size_t i = 0; i < rows; i++) memcpy(gates + i * wide, bias, wide * sizeof *gates);
  am_kernels_of(r->layer->ctx)
      ->product((int)rows, (int)r->width, (int)wide, r->x[r->level] + row * r->width, (int)r->width, r->packed_w[d],
                true, gates, (int)wide);
}

static void input_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t most = blocks_of(r), first = piece % most * BLOCK, d = piece / most / r->groups;
  const group g = group_of(r, piece / most % r->groups);
  if (first < g.frames) input_product(r, &g, d, first, g.frames - first < BLOCK ? g.frames - first : BLOCK);
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
      .bias = weight_of(r, d, 2),
      .gates = r->gates[l][d] + row * r->G * H,
      .h_before = rows_before ? r->h[l][d] + row_before * H : NULL,
      .extra_before = rows_before ? r->extra[l][d] + row_before * H : NULL,
      .extra = r->extra[l][d] + row * H,
      .h_out = r->h[l][d] + row * H,
      .work = r->work[d] + g->first * 3 * H,
      .dh = r->dh[d] + g->first * H,
      .dstate = r->dstate[d] + g->first * H,
      .dgates = r->dgates[d] + row * 4 * H,
  };
}

/* The input product of the frames from step s on, in the direction's order. */
static void input_ahead(const run *r, const group *g, size_t d, size_t s) {
  const size_t left = g->frames - s, n = left < BLOCK ? left : BLOCK;
  input_product(r, g, d, d ? left - n : s, n);
}

/* Rows of clips that have ended stay zero: backward multiplies whole frames. */
static void recurrence_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t d = piece / r->groups, H = r->H;
  const group g = group_of(r, piece % r->groups);
  for (size_t s = 0; s < g.frames; s++) {
    if (r->together && s % BLOCK == 0) input_ahead(r, &g, d, s);
    const am_cell_step step = step_at(r, &g, d, d ? g.frames - 1 - s : s);
    const size_t used = (size_t)step.rows * H, ended = g.rows * H - used;
    memset(step.h_out + used, 0, ended * sizeof(am_real));
    memset(step.extra + used, 0, ended * sizeof(am_real));
    r->cell->forward(&step);
  }
}

/* h to the clip's own place: y of the layer, or the sequence the next level reads. */
static void output_piece(void *arg, size_t p, int worker) {
  (void)worker;
  const run *r = arg;
  const group g = group_of(r, p / GROUP);
  const size_t H = r->H, wide = r->D * H, b = (size_t)r->order[p], n = (size_t)r->length[p], l = r->level;
  const bool last = last_level(r) && r->layer->out.rank == 1;
  am_real *y = last ? r->pass->y + b * wide : (last_level(r) ? r->pass->y : r->sequence[l]) + b * r->T * wide;
  for (size_t d = 0; d < r->D; d++) {
    const am_real *h = r->h[l][d] + (row_of(r, &g, 0) + p % GROUP) * H;
    if (last && !n) memset(y + d * H, 0, H * sizeof *y);
    else if (last) memcpy(y + d * H, h + (d ? 0 : n - 1) * g.rows * H, H * sizeof *y);
    else
      for (size_t t = 0; t < n; t++) memcpy(y + t * wide + d * H, h + t * g.rows * H, H * sizeof *y);
  }
  if (!last) memset(y + n * wide, 0, (most_frames(r) - n) * wide * sizeof *y);
}

static void enter_level(run *r, size_t level, bool back) {
  const am_kernels *k = am_kernels_of(r->layer->ctx);
  const int h = (int)r->H, first = r->cell->parts[0] * h;
  r->second_part = back ? k->packed_count(first, h) : k->packed_count(h, first);
  r->level = level;
  r->width = width_of(r, level);
  r->input = level ? r->sequence[level - 1] : r->pass->x[0];
}

void am_recurrent_forward(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
  run r = run_prepare(layer, pass, cell);
  sort_clips(&r);
  r.together = (size_t)am_context_threads(layer->ctx) <= r.D * r.groups;
  for (size_t level = 0; level < r.levels; level++) {
    enter_level(&r, level, false);
    am_parallel_for(layer->ctx, r.D * 2, pack_piece, &r);
    am_parallel_for(layer->ctx, r.groups * blocks_of(&r), gather_piece, &r);
    if (!r.together) am_parallel_for(layer->ctx, r.D * r.groups * blocks_of(&r), input_piece, &r);
    am_parallel_for(layer->ctx, r.D * r.groups, recurrence_piece, &r);
    am_parallel_for(layer->ctx, r.batch, output_piece, &r);
  }
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

static am_real *sums_of(const run *r, size_t d, size_t q) { return r->sums[d] + q * 4 * r->H; }

/* The recurrence walked against its direction; dgates of every frame are kept. */
static void recurrence_piece_back(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t d = piece / r->groups, H = r->H;
  const group g = group_of(r, piece % r->groups);
  memset(r->dh[d] + g.first * H, 0, g.rows * H * sizeof(am_real));
  memset(r->dstate[d] + g.first * H, 0, g.rows * H * sizeof(am_real));
  am_real *sums = sums_of(r, d, piece % r->groups);
  memset(sums, 0, 4 * H * sizeof *sums);
  for (size_t s = g.frames; s-- > 0;) {
    const size_t t = d ? g.frames - 1 - s : s;
    const am_cell_step step = step_at(r, &g, d, t);
    const size_t used = (size_t)step.rows * 4 * H;
    memset(step.dgates + used, 0, (g.rows * 4 * H - used) * sizeof(am_real));
    add_dy(r, &g, d, t, &step);
    r->cell->backward(&step);
    step.kernels->column_sums((size_t)step.rows, 4 * H, step.dgates, sums);
  }
}

/* Columns [from, to) of a kernel, inside a run of gates; in dgates they start at `column`. */
typedef struct columns {
  size_t from, to, column;
  bool extra;
} columns;

/* dW += x^T dgates, whole frames of a group at once, groups in order. */
static void input_weight_back(const run *r, size_t d, columns c) {
  const size_t H = r->H, wide = r->G * H;
  for (size_t q = 0; q < r->groups; q++) {
    const group g = group_of(r, q);
    const size_t row = row_of(r, &g, 0);
    am_gemm_one(true, false, (int)r->width, (int)(c.to - c.from), (int)(g.frames * g.rows), 1,
                r->x[r->level] + row * r->width, (int)r->width, r->dgates[d] + row * 4 * H + c.column, (int)(4 * H), 1,
                dweight_of(r, d, 0) + c.from, (int)wide);
  }
}

/* dU += h_before^T dgates, whole frames of a group at once: rows without an
 * earlier frame meet a zero h. */
static void recurrent_weight_back(const run *r, size_t d, columns c) {
  const size_t H = r->H, l = r->level, wide = r->G * H;
  for (size_t q = 0; q < r->groups; q++) {
    const group g = group_of(r, q);
    if (g.frames < 2) continue;
    /* frames 1.. of the forward direction follow 0..; frames 0.. of the backward one follow 1.. */
    const size_t later = row_of(r, &g, d ? 0 : 1), earlier = row_of(r, &g, d ? 1 : 0);
    const am_real *h = c.extra ? r->extra[l][d] + later * H : r->h[l][d] + earlier * H;
    am_gemm_one(true, false, (int)H, (int)(c.to - c.from), (int)((g.frames - 1) * g.rows), 1, h, (int)H,
                r->dgates[d] + later * 4 * H + c.column, (int)(4 * H), 1, dweight_of(r, d, 1) + c.from, (int)wide);
  }
}

/* db += sums of dgates, groups in order. */
static void bias_back(const run *r, size_t d, columns c, am_real *db) {
  for (size_t q = 0; q < r->groups; q++)
    am_kernels_of(r->layer->ctx)->add(c.to - c.from, sums_of(r, d, q) + c.column, db + c.from);
}

static size_t column_pieces(const run *r) { return (r->G * r->H + COLUMNS - 1) / COLUMNS; }

/* Some columns of W and its bias, or of U and its own. */
static void weight_piece_back(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t H = r->H, d = piece / 2 / column_pieces(r), first = piece / 2 % column_pieces(r) * COLUMNS;
  const bool recurrent = piece % 2;
  am_real *db = dweight_of(r, d, 2);
  for (gate_run at = {0}; next_run(r, recurrent ? r->cell->recurrent_from : r->cell->input_from, &at);) {
    columns c = {at.from * H, at.end * H, at.block * H, (int)at.from == r->cell->extra_gate};
    if (c.from < first) {
      c.column += first - c.from;
      c.from = first;
    }
    if (c.to > first + COLUMNS) c.to = first + COLUMNS;
    if (c.from >= c.to) continue;
    if (recurrent) recurrent_weight_back(r, d, c);
    else input_weight_back(r, d, c);
    if (!recurrent) bias_back(r, d, c, db);
    else if (r->cell->second_bias) bias_back(r, d, c, db + r->G * H);
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
  run r = run_prepare(layer, pass, cell);
  for (size_t level = r.levels; level-- > 0;) {
    enter_level(&r, level, true);
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
