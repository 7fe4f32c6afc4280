/* nn/recurrent.c - the run over time that LSTM and GRU share.
 *
 * Clips are sorted by length, longest first, and cut into groups of GROUP.  In
 * the cache a group of R clips is time-major, frame t holding its R rows side
 * by side, so that the recurrent product of a step is one contiguous matrix
 * product; clips that have ended are a suffix of the rows and are left out.
 * Rows are in frame order for both directions: the backward one walks down
 * from the longest clip's last frame, and a shorter clip joins, from zeros, at
 * its own.  A piece is one direction of one group.
 *
 * Weights of each level and direction: kernel (C,G*H), recurrent_kernel (H,G*H),
 * bias (G*H) or (2,G*H).  A level above the first reads the sequence of the one
 * below, both directions side by side (T,2H).  A clip without frames gives zeros. */
#include "nn/recurrent.h"

#include <string.h>

enum { GROUP = 16, MAX_LEVELS = 5, RETURN_SEQUENCE = 0, RETURN_LAST = 1 };

static const char *const names[2][3][MAX_LEVELS] = {
  {{"kernel", "kernel_2", "kernel_3", "kernel_4", "kernel_5"},
   {"recurrent_kernel", "recurrent_kernel_2", "recurrent_kernel_3", "recurrent_kernel_4",
    "recurrent_kernel_5"},
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
  int *order, *length;              /* (B): clip and frames at each sorted place */
  am_real *gates[MAX_LEVELS][2];    /* (groups: T,R,G*H) */
  am_real *extra[MAX_LEVELS][2];    /* (groups: T,R,H) */
  am_real *h[MAX_LEVELS][2];        /* (groups: T,R,H) */
  am_real *sequence[MAX_LEVELS];    /* (B,T,D*H), of every level that another one reads */
  /* scratch */
  am_real *dgates[2];               /* (groups: T,R,4H) */
  am_real *work[2], *dh[2], *dstate[2]; /* (B,3H), (B,H), (B,H) */
  am_real *dsequence;               /* (B,T,D*H): gradient of a level's output */
  /* the level at work */
  size_t level, width;              /* width: channels of its input */
  const am_real *input, *dy;        /* (B,T,width), (B,T,D*H) or (B,D*H) */
  bool dy_last;                     /* dy is of the last states */
  am_real *dinput;
} run;

static void place_cache(run *r, am_arena *arena) {
  const size_t rows = r->batch * r->T;
  r->order = am_arena_take(arena, r->batch, sizeof *r->order);
  r->length = am_arena_take(arena, r->batch, sizeof *r->length);
  for (size_t l = 0; l < r->levels; l++) {
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
  }
  if (r->levels > 1) r->dsequence = am_arena_take(arena, rows * r->D * r->H, sizeof(am_real));
}

static run run_of(const am_layer *layer, const am_pass *pass, const am_cell *cell, size_t batch) {
  const am_recurrent_options *o = layer->options;
  return (run){
    .layer = layer, .pass = pass, .cell = cell, .batch = batch, .groups = (batch + GROUP - 1) / GROUP,
    .T = (size_t)layer->in[0].t, .H = (size_t)o->units, .G = (size_t)cell->gates,
    .D = o->bidirectional ? 2 : 1, .levels = (size_t)o->layers,
  };
}

static run run_prepare(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
  run r = run_of(layer, pass, cell, (size_t)pass->batch);
  am_arena cache = {pass->cache, SIZE_MAX / 2, 0}, scratch = {pass->scratch, SIZE_MAX / 2, 0};
  place_cache(&r, &cache);
  place_scratch(&r, &scratch);
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
      else
        am_layer_weight(layer, names[d][2][level], AM_INIT_ZERO, 1, (int[]){wide}, wide, wide, false);
    }
  layer->out = o->returns == RETURN_LAST ? (am_shape){.rank = 1, .t = 1, .f = 1, .c = directions * h}
                                         : (am_shape){2, in.t, 1, directions * h, in.variable};
  layer->backward_needs_x = true;
  /* Every piece is rounded up to whole cache lines, so one clip's count times B is enough for B. */
  run r = run_of(layer, NULL, cell, 1);
  am_arena cache = {0}, scratch = {0};
  place_cache(&r, &cache);
  place_scratch(&r, &scratch);
  layer->cache_per_clip = cache.used;
  layer->scratch_per_clip = scratch.used;
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

/* gates = x W + b, one direction of one clip: its rows lie R apart. */
static void input_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t d = piece / r->batch, p = piece % r->batch, wide = r->G * r->H, n = (size_t)r->length[p];
  const group g = group_of(r, p / GROUP);
  const am_real *bias = weight_of(r, d, 2);
  am_real *gates = r->gates[r->level][d] + (row_of(r, &g, 0) + p % GROUP) * wide;
  if (!n) return;
  for (size_t t = 0; t < n; t++) memcpy(gates + t * g.rows * wide, bias, wide * sizeof *gates);
  am_gemm_one(false, false, (int)n, (int)wide, (int)r->width, 1,
              r->input + (size_t)r->order[p] * r->T * r->width, (int)r->width, weight_of(r, d, 0), (int)wide,
              1, gates, (int)(g.rows * wide));
}

/* Frame t of direction d; the frame before it in that direction is t-1 or t+1. */
static am_cell_step step_at(const run *r, const group *g, size_t d, size_t t) {
  const size_t l = r->level, H = r->H, before = d ? t + 1 : t - 1;
  const size_t row = row_of(r, g, t), row_before = row_of(r, g, before);
  const size_t rows = active_rows(r, g, t), known = active_rows(r, g, before);
  const size_t rows_before = known < rows ? known : rows;
  return (am_cell_step){
    .kernels = am_kernels_of(r->layer->ctx),
    .h = (int)H, .rows = (int)rows, .rows_before = (int)rows_before,
    .u = weight_of(r, d, 1), .bias = weight_of(r, d, 2),
    .gates = r->gates[l][d] + row * r->G * H,
    .h_before = rows_before ? r->h[l][d] + row_before * H : NULL,
    .extra_before = rows_before ? r->extra[l][d] + row_before * H : NULL,
    .extra = r->extra[l][d] + row * H, .h_out = r->h[l][d] + row * H,
    .work = r->work[d] + g->first * 3 * H,
    .dh = r->dh[d] + g->first * H, .dstate = r->dstate[d] + g->first * H,
    .dgates = r->dgates[d] + row * 4 * H,
  };
}

/* Rows of clips that have ended stay zero: backward multiplies whole frames. */
static void recurrence_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t d = piece / r->groups, H = r->H;
  const group g = group_of(r, piece % r->groups);
  for (size_t s = 0; s < g.frames; s++) {
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
    if (last && !n)
      memset(y + d * H, 0, H * sizeof *y);
    else if (last)
      memcpy(y + d * H, h + (d ? 0 : n - 1) * g.rows * H, H * sizeof *y);
    else
      for (size_t t = 0; t < n; t++) memcpy(y + t * wide + d * H, h + t * g.rows * H, H * sizeof *y);
  }
  if (!last) memset(y + n * wide, 0, ((size_t)r->pass->x_most[0] - n) * wide * sizeof *y);
}

static void enter_level(run *r, size_t level) {
  r->level = level;
  r->width = level ? r->D * r->H : (size_t)r->layer->in[0].c;
  r->input = level ? r->sequence[level - 1] : r->pass->x[0];
}

void am_recurrent_forward(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
  run r = run_prepare(layer, pass, cell);
  sort_clips(&r);
  for (size_t level = 0; level < r.levels; level++) {
    enter_level(&r, level);
    am_parallel_for(layer->ctx, r.D * r.batch, input_piece, &r);
    am_parallel_for(layer->ctx, r.D * r.groups, recurrence_piece, &r);
    am_parallel_for(layer->ctx, r.batch, output_piece, &r);
  }
}

/* Adds the gradient that enters frame t from the output to each row's dh. */
static void add_dy(const run *r, const group *g, size_t d, size_t t, const am_cell_step *step) {
  const size_t H = r->H, wide = r->D * H;
  for (size_t row = 0; row < (size_t)step->rows; row++) {
    const size_t p = g->first + row, b = (size_t)r->order[p];
    if (!r->dy_last)
      step->kernels->add(H, r->dy + (b * r->T + t) * wide + d * H, step->dh + row * H);
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
  for (size_t s = g.frames; s-- > 0;) {
    const size_t t = d ? g.frames - 1 - s : s;
    const am_cell_step step = step_at(r, &g, d, t);
    const size_t used = (size_t)step.rows * 4 * H;
    memset(step.dgates + used, 0, (g.rows * 4 * H - used) * sizeof(am_real));
    add_dy(r, &g, d, t, &step);
    r->cell->backward(&step);
  }
}

/* dW += x^T dgates and db += column sums, one gate of one direction, clips in sorted order. */
static void input_weight_back(const run *r, size_t d, size_t gate) {
  const size_t H = r->H, wide = r->G * H, column = (size_t)r->cell->input_from[gate] * H;
  am_real *dw = dweight_of(r, d, 0) + gate * H;
  for (size_t p = 0; p < r->batch && r->length[p]; p++) {
    const group g = group_of(r, p / GROUP);
    const am_real *dgates = r->dgates[d] + (row_of(r, &g, 0) + p % GROUP) * 4 * H + column;
    const am_real *x = r->input + (size_t)r->order[p] * r->T * r->width;
    am_gemm_one(true, false, (int)r->width, (int)H, r->length[p], 1, x, (int)r->width, dgates,
                (int)(g.rows * 4 * H), 1, dw, (int)wide);
  }
}

/* dU += h_before^T dgates, whole frames of a group at once: rows without an
 * earlier frame meet a zero h. */
static void recurrent_weight_back(const run *r, size_t d, size_t gate) {
  const size_t H = r->H, l = r->level, wide = r->G * H, column = (size_t)r->cell->recurrent_from[gate] * H;
  const bool extra = (int)gate == r->cell->extra_gate;
  am_real *du = dweight_of(r, d, 1) + gate * H;
  for (size_t q = 0; q < r->groups; q++) {
    const group g = group_of(r, q);
    if (g.frames < 2) continue;
    /* frames 1.. of the forward direction follow 0..; frames 0.. of the backward one follow 1.. */
    const size_t later = row_of(r, &g, d ? 0 : 1), earlier = row_of(r, &g, d ? 1 : 0);
    const am_real *h = extra ? r->extra[l][d] + later * H : r->h[l][d] + earlier * H;
    am_gemm_one(true, false, (int)H, (int)H, (int)((g.frames - 1) * g.rows), 1, h, (int)H,
                r->dgates[d] + later * 4 * H + column, (int)(4 * H), 1, du, (int)wide);
  }
}

/* Column by column in double, groups and frames in order. */
static void bias_back(const run *r, size_t d, size_t block, am_real *db) {
  enum { TILE = 64 };
  const size_t H = r->H;
  for (size_t k0 = 0; k0 < H; k0 += TILE) {
    const size_t tile = H - k0 < TILE ? H - k0 : TILE;
    double sum[TILE] = {0};
    for (size_t q = 0; q < r->groups; q++) {
      const group g = group_of(r, q);
      const am_real *row = r->dgates[d] + row_of(r, &g, 0) * 4 * H + block * H + k0;
      for (size_t i = 0; i < g.frames * g.rows; i++, row += 4 * H)
        for (size_t k = 0; k < tile; k++) sum[k] += (double)row[k];
    }
    for (size_t k = 0; k < tile; k++) db[k0 + k] += (am_real)sum[k];
  }
}

static void weight_piece_back(void *arg, size_t piece, int worker) {
  (void)worker;
  const run *r = arg;
  const size_t gate = piece / 2 % r->G, d = piece / 2 / r->G;
  am_real *db = dweight_of(r, d, 2) + gate * r->H;
  if (piece % 2 == 0) {
    input_weight_back(r, d, gate);
    bias_back(r, d, (size_t)r->cell->input_from[gate], db);
  } else {
    recurrent_weight_back(r, d, gate);
    if (r->cell->second_bias) bias_back(r, d, (size_t)r->cell->recurrent_from[gate], db + r->G * r->H);
  }
}

/* dx = sum over directions of dgates W^T, one clip; neighbouring blocks of gates in one product. */
static void input_piece_back(void *arg, size_t p, int worker) {
  (void)worker;
  const run *r = arg;
  const group g = group_of(r, p / GROUP);
  const size_t H = r->H, wide = r->G * H, n = (size_t)r->length[p];
  am_real *dx = r->dinput + (size_t)r->order[p] * r->T * r->width;
  memset(dx + n * r->width, 0, ((size_t)r->pass->x_most[0] - n) * r->width * sizeof *dx);
  bool first = true;
  for (size_t d = 0; n && d < r->D; d++)
    for (size_t gate = 0, end; gate < r->G; gate = end, first = false) {
      const int *from = r->cell->input_from;
      for (end = gate + 1; end < r->G && from[end] == from[end - 1] + 1;) end++;
      const am_real *dgates = r->dgates[d] + (row_of(r, &g, 0) + p % GROUP) * 4 * H + (size_t)from[gate] * H;
      am_gemm_one(false, true, (int)n, (int)r->width, (int)((end - gate) * H), 1, dgates,
                  (int)(g.rows * 4 * H), weight_of(r, d, 0) + gate * H, (int)wide, first ? 0 : 1, dx,
                  (int)r->width);
    }
}

void am_recurrent_backward(const am_layer *layer, const am_pass *pass, const am_cell *cell) {
  run r = run_prepare(layer, pass, cell);
  for (size_t level = r.levels; level-- > 0;) {
    enter_level(&r, level);
    r.dy = last_level(&r) ? pass->dy : r.dsequence;
    r.dy_last = last_level(&r) && layer->out.rank == 1;
    /* dsequence is read by the recurrence alone, so the next level's may replace it. */
    r.dinput = level ? r.dsequence : pass->dx[0];
    am_parallel_for(layer->ctx, r.D * r.groups, recurrence_piece_back, &r);
    am_parallel_for(layer->ctx, r.D * r.G * 2, weight_piece_back, &r);
    if (r.dinput) am_parallel_for(layer->ctx, r.batch, input_piece_back, &r);
  }
}
