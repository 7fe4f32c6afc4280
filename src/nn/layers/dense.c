/* SPDX-License-Identifier: MIT */
/* nn/layers/dense.c - y = x W + b over the last dimension; kernel (in, out).
 *
 * A rank-1 input is one row a clip; of rank 2 and 3 every frame (and bin) is a
 * row, and rows from the clip's length to the longest clip's stay zero.
 *
 * Few rows meet W in place; many meet a packed copy of it, which gives the same bits.  After a flatten W has tens of
 * millions of elements and is multiplied by 32 rows: reading it takes nearly all of the time.  Forward then cuts `in`
 * into slices, each of which reads its part of W once, in place, into a partial sum that is added in order; backward
 * cuts the rows of W the same way, and a slice does dW and dx in one pass.
 *
 * A row of y and dx does not depend on the rows beside it.  Gradients of weights are summed by groups of clips
 * (nn/groups.h): few rows of each in the registers of a tile; frames in a partial gradient of each group where the kernel
 * is small, else piece by piece of the kernel, groups one after the other. */
#include <limits.h>
#include <string.h>

#include "nn/groups.h"
#include "nn/layer.h"

enum {
  SLICE = 4096,      /* inputs a slice of a large kernel */
  SMALL_SLICE = 256, /* the same of a small one, backward only */
  FEW_ROWS = 32,     /* so many meet W in place */
  ROWS = 256,        /* rows of a clip in a piece */
  MANY_ROWS = 96,    /* the same of rank-1 inputs: whole tiles of the kernels */
  HALF_ROWS = 16,    /* the same of few rows by few columns, which gave too few pieces */
  PANEL = 256,       /* columns of W packed together: a whole number of the kernels' blocks */
  COLUMNS = 128,     /* the same in place */
  TILE_ROWS = 128,   /* rows and columns of a gradient in a piece */
  TILE_COLUMNS = 256,
  SUMMED = 128,         /* rows of a group that one chain sums (am_kernels.outer_product) */
  FOLDED = 1 << 14,     /* elements of partial gradients in a piece of their sum */
  PARTIAL_MAX = 1 << 18 /* kernel elements up to which partial gradients are worth their memory */
};

typedef struct dense_options {
  int64_t units;
  bool bias;
  int initialiser;
} dense_options;

static const am_option table[] = {
    {"units", AM_OPT_INT, offsetof(dense_options, units), "0", 0, INT_MAX, .help = "outputs; 0: one a class"},
    {"bias", AM_OPT_BOOL, offsetof(dense_options, bias), "true", .help = "adds a learned offset"},
    {"initialiser", AM_OPT_CHOICE, offsetof(dense_options, initialiser), "glorot_uniform",
     .choices = AM_WORDS(AM_INITIALISERS), .help = "of the kernel"},
    AM_OPTION_END};

static bool is_large(const am_layer *layer) { return layer->in[0].rank == 1 && layer->in[0].c >= 2 * SLICE; }
bool am_dense_is_large(const am_layer *layer) { return layer->cls == &am_dense && is_large(layer); }
static bool sums_partials(const am_layer *layer) {
  return layer->in[0].rank > 1 && layer->weights[0].count <= PARTIAL_MAX;
}

static size_t pieces_of(size_t n, size_t step) { return (n + step - 1) / step; }
static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Packed B (k, n) by panels of PANEL columns, each by itself: reals of all, and of those before column `at`. */
static size_t panels_before(const am_kernels *k, size_t terms, size_t at) {
  return am_mul(at / PANEL, k->packed_count((int)terms, PANEL));
}
static size_t panels_count(const am_kernels *k, size_t terms, size_t n) {
  const size_t rest = n % PANEL;
  return am_add(panels_before(k, terms, n), rest ? k->packed_count((int)terms, (int)rest) : 0);
}

/* Reals of working memory.  Packed W or its transpose; of each thread, what am_pair_sum needs for a tile of the gradient; of
 * each group its gradients, kernel then bias; dy of rank-1 inputs, packed both ways. */
static size_t packed_count(const am_layer *layer) {
  const am_kernels *k = am_kernels_of(layer->ctx);
  const size_t in = (size_t)layer->in[0].c, out = (size_t)layer->out.c;
  return is_large(layer) ? 0 : larger(panels_count(k, in, out), panels_count(k, out, in));
}
static size_t pair_count(const am_layer *layer) {
  if (is_large(layer) || sums_partials(layer)) return 0;
  const size_t tile = least((size_t)layer->in[0].c, TILE_ROWS) * least((size_t)layer->out.c, TILE_COLUMNS);
  return AM_PAIR_LEVELS * tile;
}
static size_t partial_count(const am_layer *layer) {
  return (sums_partials(layer) ? layer->weights[0].count : 0) + (size_t)layer->out.c;
}
static size_t dy_count(const am_layer *layer) {
  return layer->in[0].rank == 1 ? am_kernels_of(layer->ctx)->packed_count(1, layer->out.c) : 0;
}

static void place(am_layer *layer) {
  const am_kernels *k = am_kernels_of(layer->ctx);
  const size_t in = (size_t)layer->in[0].c, out = (size_t)layer->out.c;
  const size_t pairs = am_mul(pair_count(layer), (size_t)am_context_threads(layer->ctx));
  size_t once = am_add(packed_count(layer), pairs), clip = 0;
  if (layer->in[0].rank == 1) { /* across: (out, batch) takes no more than (out, 1) and batch x out */
    once = am_add(once, k->packed_count((int)out, 1));
    clip = am_add(dy_count(layer), out);
  }
  if (is_large(layer)) clip = larger(clip, am_mul(pieces_of(in, SLICE), out));
  layer->scratch_once = am_mul(once, sizeof(am_real));
  layer->scratch_per_clip = am_mul(clip, sizeof(am_real));
  layer->scratch_per_group = am_mul(partial_count(layer), sizeof(am_real));
}

static am_status build(am_layer *layer, am_error *err) {
  const dense_options *o = layer->options;
  am_shape in = layer->in[0];
  int units = o->units ? (int)o->units : layer->classes;
  if (units < 1) return am_layer_fail(layer, err, AM_E_SHAPE, "units: 0 means one a class, and there are no classes");
  layer->out = in;
  layer->out.c = units;
  am_layer_weight(layer, "kernel", (am_initialiser)o->initialiser, 2, (const int[]){in.c, units}, in.c, units, true);
  if (o->bias) am_layer_weight(layer, "bias", AM_INIT_ZERO, 1, &units, in.c, units, false);
  layer->backward_needs_x = true;
  place(layer);
  return AM_OK;
}

typedef struct job {
  const am_layer *layer;
  const am_pass *pass;
  const am_kernels *k;
  size_t in, out, batch, groups;
  size_t rows;   /* of a clip at full length; of a rank-1 input all are one clip's */
  size_t used;   /* of the longest clip */
  size_t clips;  /* batch; of a rank-1 input 1 */
  size_t step;   /* rows of a piece */
  size_t pieces; /* of a clip */
  /* scratch */
  am_real *packed, *pairs;        /* of W or its transpose; (threads) */
  am_real *dy_packed, *dy_across; /* rank 1 */
  am_real *partials;              /* (groups) */
} job;

static job job_of(const am_layer *layer, const am_pass *pass) {
  const am_shape s = layer->in[0];
  const size_t batch = (size_t)pass->batch;
  job j = {.layer = layer,
           .pass = pass,
           .k = am_kernels_of(layer->ctx),
           .in = (size_t)s.c,
           .out = (size_t)layer->out.c,
           .batch = batch,
           .rows = (size_t)s.t * (size_t)s.f,
           .used = am_frames_count(s, pass->x_most[0]) / (size_t)s.c,
           .clips = batch,
           .step = ROWS,
           .packed = pass->scratch};
  if (s.rank == 1) {
    j.rows = j.used = batch;
    j.clips = 1;
    j.step = batch > FEW_ROWS ? MANY_ROWS : j.out > COLUMNS ? FEW_ROWS : HALF_ROWS;
  }
  j.pieces = pieces_of(j.used, j.step);
  j.pairs = j.packed + packed_count(layer);
  return j;
}

/* The rest of the scratch, and the groups: backward only. */
static void prepare_back(job *j) {
  const am_layer *layer = j->layer;
  j->groups = am_groups_of(j->pass);
  j->dy_packed = j->pairs + pair_count(layer) * (size_t)am_context_threads(layer->ctx);
  j->dy_across = j->dy_packed + j->batch * dy_count(layer);
  j->partials = j->dy_packed;
  if (layer->in[0].rank == 1) j->partials = j->dy_across + j->k->packed_count((int)j->out, (int)j->batch);
}

static bool is_vector(const job *j) { return j->layer->in[0].rank == 1; }
static bool has_bias(const job *j) { return j->layer->n_weights > 1; }

static size_t rows_of(const job *j, size_t clip) {
  return is_vector(j) ? j->batch : (size_t)j->pass->x_len[0][clip] * (size_t)j->layer->in[0].f;
}

static void start_rows(const job *j, size_t rows, am_real *y) {
  const am_real *bias = has_bias(j) ? j->pass->w[1] : NULL;
  if (!bias) memset(y, 0, rows * j->out * sizeof *y);
  else
    for (size_t r = 0; r < rows; r++) memcpy(y + r * j->out, bias, j->out * sizeof *y);
}

/* Large kernel: partial(slice)(B,out) = x(:,slice) W(slice,:) */
static void forward_slice(void *arg, size_t slice, int worker) {
  (void)worker;
  const job *j = arg;
  size_t at = slice * SLICE, n = least(j->in - at, SLICE);
  am_real *partial = (am_real *)j->pass->scratch + slice * j->batch * j->out;
  memset(partial, 0, j->batch * j->out * sizeof *partial);
  const int batch = (int)j->batch, in = (int)j->in, out = (int)j->out;
  const uint16_t *half = j->pass->packed;
  if (half) j->k->half_product(batch, (int)n, out, j->pass->x[0] + at, in, half + at * j->out, partial, out);
  else j->k->wide_product(batch, (int)n, out, j->pass->x[0] + at, in, j->pass->w[0] + at * j->out, out, partial, out);
}

static void forward_sum(void *arg, size_t b, int worker) {
  (void)worker;
  const job *j = arg;
  am_real *y = j->pass->y + b * j->out;
  start_rows(j, 1, y);
  for (size_t s = 0; s < pieces_of(j->in, SLICE); s++)
    j->k->add(j->out, (const am_real *)j->pass->scratch + (s * j->batch + b) * j->out, y);
}

/* Few rows: some rows and columns of y = x W + b */
static void forward_block(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const size_t row = piece % j->pieces * j->step, rows = least(j->batch - row, j->step);
  const size_t at = piece / j->pieces * COLUMNS, n = least(j->out - at, COLUMNS);
  j->k->wide_product((int)rows, (int)j->in, (int)n, j->pass->x[0] + row * j->in, (int)j->in, j->pass->w[0] + at,
                     (int)j->out, j->pass->y + row * j->out + at, (int)j->out);
}

/* Packed by panels */

typedef struct packing {
  const job *j;
  const am_real *w;
  bool across;
  am_real *to;
} packing;

static void pack_panel(void *arg, size_t panel, int worker) {
  (void)worker;
  const packing *p = arg;
  const job *j = p->j;
  const size_t terms = p->across ? j->out : j->in, all = p->across ? j->in : j->out;
  const size_t at = panel * PANEL, n = least(all - at, PANEL);
  j->k->pack(p->across, (int)terms, (int)n, p->w + (p->across ? at * j->out : at), (int)j->out,
             p->to + panels_before(j->k, terms, at));
}

/* W, or its transpose. */
static void pack_panels(const job *j, bool across, am_real *to) {
  packing p = {j, j->pass->w[0], across, to};
  am_parallel_for(j->layer->ctx, pieces_of(across ? j->in : j->out, PANEL), pack_panel, &p);
}

/* y(rows, n) = x(rows, terms) B, or += */
static void panels_product(const job *j, size_t rows, size_t terms, size_t n, const am_real *x, const am_real *packed,
                           bool add, am_real *y) {
  for (size_t at = 0; at < n; at += PANEL)
    j->k->product((int)rows, (int)terms, (int)least(n - at, PANEL), x, (int)terms,
                  packed + panels_before(j->k, terms, at), add, y + at, (int)n);
}

/* Rows [first, first + live) of the batch's are a clip's; up to `until` there are zeros. */
typedef struct span {
  size_t first, live, until;
} span;

static span span_of(const job *j, size_t piece) {
  const size_t clip = piece / j->pieces, first = piece % j->pieces * j->step, length = rows_of(j, clip);
  const size_t last = least(first + j->step, j->used), until = length < first ? first : least(length, last);
  return (span){clip * j->rows + first, until - first, last - first};
}

/* y = x W + b */
static void forward_rows(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const span s = span_of(j, piece);
  am_real *y = j->pass->y + s.first * j->out;
  start_rows(j, s.live, y);
  if (s.live) panels_product(j, s.live, j->in, j->out, j->pass->x[0] + s.first * j->in, j->packed, true, y);
  memset(y + s.live * j->out, 0, (s.until - s.live) * j->out * sizeof *y);
}

static void forward(const am_layer *layer, const am_pass *pass) {
  job j = job_of(layer, pass);
  if (is_large(layer)) {
    am_parallel_for(layer->ctx, pieces_of(j.in, SLICE), forward_slice, &j);
    am_parallel_for(layer->ctx, j.batch, forward_sum, &j);
    return;
  }
  if (is_vector(&j) && j.batch <= FEW_ROWS) {
    start_rows(&j, j.batch, pass->y);
    am_parallel_for(layer->ctx, j.pieces * pieces_of(j.out, COLUMNS), forward_block, &j);
    return;
  }
  if (pass->packed) j.packed = (am_real *)(uintptr_t)pass->packed; /* read only */
  else pack_panels(&j, false, j.packed);
  am_parallel_for(layer->ctx, j.clips * j.pieces, forward_rows, &j);
}

/* What a frozen model keeps: a large kernel as float16 where that is wanted (am_model_set_half), that of frames in panels. */
static size_t packed_bytes(const am_layer *layer) {
  if (layer->half) return am_mul(layer->weights[0].count, sizeof(uint16_t));
  if (layer->in[0].rank == 1) return 0;
  const size_t in = (size_t)layer->in[0].c, out = (size_t)layer->out.c;
  return am_mul(panels_count(am_kernels_of(layer->ctx), in, out), sizeof(am_real));
}

typedef struct halving {
  const am_layer *layer;
  const am_real *w;
  uint16_t *half;
} halving;

static void halve_slice(void *arg, size_t slice, int worker) {
  (void)worker;
  const halving *h = arg;
  const size_t in = (size_t)h->layer->in[0].c, out = (size_t)h->layer->out.c, at = slice * SLICE;
  am_kernels_of(h->layer->ctx)->halve(least(in - at, SLICE) * out, h->w + at * out, h->half + at * out);
}

static void pack(const am_layer *layer, const am_pass *pass, void *packed) {
  const size_t in = (size_t)layer->in[0].c, out = (size_t)layer->out.c;
  if (layer->half) {
    halving h = {layer, pass->w[0], packed};
    am_parallel_for(layer->ctx, pieces_of(in, SLICE), halve_slice, &h);
    return;
  }
  const job j = {.layer = layer, .pass = pass, .k = am_kernels_of(layer->ctx), .in = in, .out = out};
  pack_panels(&j, false, packed);
}

/* Backward */

/* Rank 1, a slice of the kernel's rows.  y = x W: dW += x^T dy, dx = dy W^T */
static void backward_slice(const job *j, size_t at, size_t n) {
  const am_pass *pass = j->pass;
  j->k->wide_back((int)j->batch, (int)n, (int)j->out, pass->group, pass->x[0] + at, (int)j->in,
                  pass->w[0] + at * j->out, j->dy_packed, j->dy_across, pass->dw[0] + at * j->out,
                  pass->dx[0] ? pass->dx[0] + at : NULL, (int)j->in);
}

static void backward_large(void *arg, size_t slice, int worker) {
  (void)worker;
  const job *j = arg;
  backward_slice(j, slice * SLICE, least(j->in - slice * SLICE, SLICE));
}

static void backward_small(void *arg, size_t slice, int worker) {
  (void)worker;
  const job *j = arg;
  backward_slice(j, slice * SMALL_SLICE, least(j->in - slice * SMALL_SLICE, SMALL_SLICE));
}

static void backward_vectors(job *j) {
  const int batch = (int)j->batch, out = (int)j->out;
  j->k->pack(false, batch, out, j->pass->dy, out, j->dy_packed);
  j->k->pack(true, out, batch, j->pass->dy, out, j->dy_across);
  if (is_large(j->layer)) am_parallel_for(j->layer->ctx, pieces_of(j->in, SLICE), backward_large, j);
  else am_parallel_for(j->layer->ctx, pieces_of(j->in, SMALL_SLICE), backward_small, j);
}

/* dx = dy W^T */
static void backward_rows(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const span s = span_of(j, piece);
  am_real *dx = j->pass->dx[0] + s.first * j->in;
  if (s.live) panels_product(j, s.live, j->out, j->in, j->pass->dy + s.first * j->out, j->packed, false, dx);
  memset(dx + s.live * j->in, 0, (s.until - s.live) * j->in * sizeof *dx);
}

/* A part of the kernel: rows and columns from (row, column). */
typedef struct tile {
  size_t row, column, rows, columns;
} tile;

static size_t tiles_of(const job *j) { return pieces_of(j->in, TILE_ROWS) * pieces_of(j->out, TILE_COLUMNS); }

static tile tile_at(const job *j, size_t piece) {
  const size_t across = pieces_of(j->out, TILE_COLUMNS);
  const size_t row = piece / across * TILE_ROWS, column = piece % across * TILE_COLUMNS;
  return (tile){row, column, least(j->in - row, TILE_ROWS), least(j->out - column, TILE_COLUMNS)};
}

/* dw += x^T dy over `rows` rows from the batch's row `first`. */
static void add_rows(const job *j, const tile *t, size_t first, size_t rows, am_real *dw, size_t stride) {
  j->k->outer_product((int)rows, (int)t->rows, (int)t->columns, j->pass->x[0] + first * j->in + t->row, (int)j->in,
                      j->pass->dy + first * j->out + t->column, (int)j->out, dw, (int)stride);
}

static void add_group(const job *j, const tile *t, size_t g, am_real *dw, size_t stride) {
  const size_t from = am_group_first(j->pass, g), to = am_group_end(j->pass, g);
  if (is_vector(j)) add_rows(j, t, from, to - from, dw, stride);
  else
    for (size_t b = from; b < to; b++)
      if (rows_of(j, b)) add_rows(j, t, b * j->rows, rows_of(j, b), dw, stride);
}

/* One tile of a small kernel's gradient by one group. */
static void backward_partial(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const tile t = tile_at(j, piece % tiles_of(j));
  const size_t g = piece / tiles_of(j);
  am_real *partial = j->partials + g * partial_count(j->layer) + t.row * j->out + t.column;
  for (size_t i = 0; i < t.rows; i++) memset(partial + i * j->out, 0, t.columns * sizeof *partial);
  add_group(j, &t, g, partial, j->out);
}

static void fold_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  const size_t at = piece * FOLDED, n = least(j->layer->weights[0].count - at, FOLDED);
  am_groups_fold(j->k, j->groups, partial_count(j->layer), n, j->partials + at);
  j->k->add(n, j->partials + at, j->pass->dw[0] + at);
}

/* One tile of a gradient by all groups. */
static void backward_tile(void *arg, size_t piece, int worker) {
  const job *j = arg;
  const tile t = tile_at(j, piece);
  am_pair_sum sum = am_pair_begin(j->k, t.rows * t.columns, j->pairs + (size_t)worker * pair_count(j->layer));
  for (size_t g = 0; g < j->groups; g++) {
    am_real *next = memset(am_pair_next(&sum), 0, sum.n * sizeof *next);
    add_group(j, &t, g, next, t.columns);
    am_pair_add(&sum);
  }
  const am_real *root = am_pair_root(&sum);
  for (size_t i = 0; i < t.rows; i++)
    j->k->add(t.columns, root + i * t.columns, j->pass->dw[0] + (t.row + i) * j->out + t.column);
}

static am_real *bias_partial(const job *j, size_t g) {
  return j->partials + (g + 1) * partial_count(j->layer) - j->out;
}

static void backward_bias(void *arg, size_t g, int worker) {
  (void)worker;
  const job *j = arg;
  const size_t from = am_group_first(j->pass, g), to = am_group_end(j->pass, g);
  am_real *partial = memset(bias_partial(j, g), 0, j->out * sizeof *partial);
  if (is_vector(j)) j->k->column_sums(to - from, j->out, j->pass->dy + from * j->out, partial);
  else
    for (size_t b = from; b < to; b++)
      j->k->column_sums(rows_of(j, b), j->out, j->pass->dy + b * j->rows * j->out, partial);
}

static void backward_rest(job *j) {
  am_context *ctx = j->layer->ctx;
  if (j->pass->dx[0]) {
    pack_panels(j, true, j->packed);
    am_parallel_for(ctx, j->clips * j->pieces, backward_rows, j);
  }
  if (!sums_partials(j->layer)) {
    am_parallel_for(ctx, tiles_of(j), backward_tile, j);
    return;
  }
  am_parallel_for(ctx, j->groups * tiles_of(j), backward_partial, j);
  am_parallel_for(ctx, pieces_of(j->layer->weights[0].count, FOLDED), fold_piece, j);
}

static void backward(const am_layer *layer, const am_pass *pass) {
  job j = job_of(layer, pass);
  prepare_back(&j);
  /* By the group, not by the batch: a group of more rows is summed in several chains. */
  if (is_large(layer) || (is_vector(&j) && pass->group <= SUMMED)) backward_vectors(&j);
  else backward_rest(&j);
  if (!has_bias(&j)) return;
  am_parallel_for(layer->ctx, j.groups, backward_bias, &j);
  am_groups_fold(j.k, j.groups, partial_count(layer), j.out, bias_partial(&j, 0));
  j.k->add(j.out, bias_partial(&j, 0), pass->dw[1]);
}

static double operations(const am_layer *layer) { return (double)am_shape_count(layer->in[0]) * (double)layer->out.c; }

const am_layer_class am_dense = {.type = "dense",
                                 .help = "x W + b over the last dimension",
                                 .table = table,
                                 .options_size = sizeof(dense_options),
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .build = build,
                                 .packed_bytes = packed_bytes,
                                 .pack = pack,
                                 .forward = forward,
                                 .backward = backward,
                                 .operations = operations};
