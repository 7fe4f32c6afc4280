/* nn/layers/dense.c - y = x W + b over the last dimension; kernel (in, out).
 *
 * A rank-1 input is one row a clip; of rank 2 and 3 every frame (and bin) is a
 * row, and rows from the clip's length to the longest clip's stay zero.
 *
 * After a flatten W has tens of millions of elements and is multiplied by 32 rows:
 * reading it takes nearly all of the time.  Forward then cuts `in` into slices, each of
 * which reads its part of W once, in place, into a partial sum that is added in
 * order; backward cuts the rows of W the same way, and a slice does dW and dx
 * in one pass. */
#include "nn/layer.h"

#include <limits.h>
#include <string.h>

enum {
  SLICE = 4096,         /* inputs a slice of a large kernel */
  SMALL_SLICE = 256,    /* the same of a small one, backward only */
  ROWS = 256,           /* rows of a clip in a piece */
  GROUPS = 8,           /* partial gradients summed over clips */
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
static size_t slices_of(size_t in) { return (in + SLICE - 1) / SLICE; }
static bool sums_partials(const am_layer *layer) {
  return layer->in[0].rank > 1 && layer->weights[0].count <= PARTIAL_MAX;
}

/* Forward: a partial sum a slice.  Backward: dy packed both ways, each a whole number of blocks. */
static void place_large(am_layer *layer) {
  const am_kernels *k = am_kernels_of(layer->ctx);
  const size_t in = (size_t)layer->in[0].c, out = (size_t)layer->out.c;
  const size_t partials = am_mul(slices_of(in), out), packed = k->packed_count(1, (int)out);
  const size_t across = k->packed_count((int)out, 1);
  layer->scratch_per_clip = am_mul(partials > packed + out ? partials : packed + out, sizeof(am_real));
  layer->scratch_once = am_mul(across, sizeof(am_real));
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
  if (is_large(layer)) place_large(layer);
  if (sums_partials(layer))
    layer->scratch_once = am_mul(am_mul(GROUPS, am_add(layer->weights[0].count, (size_t)units)), sizeof(am_real));
  return AM_OK;
}

typedef struct job {
  const am_layer *layer;
  const am_pass *pass;
  size_t in, out, batch;
  size_t rows;                    /* of a clip at full length */
  size_t used;                    /* of the longest clip */
  size_t pieces;                  /* of a clip */
  am_real *dy_packed, *dy_across; /* large kernel */
} job;

static job job_of(const am_layer *layer, const am_pass *pass) {
  am_shape s = layer->in[0];
  return (job){.layer = layer,
               .pass = pass,
               .in = (size_t)s.c,
               .out = (size_t)layer->out.c,
               .batch = (size_t)pass->batch,
               .rows = (size_t)s.t * (size_t)s.f,
               .used = am_frames_count(s, pass->x_most[0]) / (size_t)s.c};
}

static size_t rows_of(const job *j, size_t b) {
  return j->layer->in[0].rank == 1 ? 1 : (size_t)j->pass->x_len[0][b] * (size_t)j->layer->in[0].f;
}

static const am_real *bias_of(const job *j) { return j->layer->n_weights > 1 ? j->pass->w[1] : NULL; }

static void start_rows(const am_real *bias, size_t rows, size_t out, am_real *y) {
  if (!bias) memset(y, 0, rows * out * sizeof *y);
  else
    for (size_t r = 0; r < rows; r++) memcpy(y + r * out, bias, out * sizeof *y);
}

/* Large kernel: partial(slice)(B,out) = x(:,slice) W(slice,:) */
static void forward_slice(void *arg, size_t slice, int worker) {
  (void)worker;
  const job *j = arg;
  size_t at = slice * SLICE, n = j->in - at < SLICE ? j->in - at : SLICE;
  am_real *partial = (am_real *)j->pass->scratch + slice * j->batch * j->out;
  memset(partial, 0, j->batch * j->out * sizeof *partial);
  am_kernels_of(j->layer->ctx)
      ->wide_product((int)j->batch, (int)n, (int)j->out, j->pass->x[0] + at, (int)j->in, j->pass->w[0] + at * j->out,
                     partial, (int)j->out);
}

static void forward_sum(void *arg, size_t b, int worker) {
  (void)worker;
  const job *j = arg;
  const am_kernels *k = am_kernels_of(j->layer->ctx);
  am_real *y = j->pass->y + b * j->out;
  start_rows(bias_of(j), 1, j->out, y);
  for (size_t s = 0; s < slices_of(j->in); s++)
    k->add(j->out, (const am_real *)j->pass->scratch + (s * j->batch + b) * j->out, y);
}

/* ROWS rows of one clip: y = x W + b */
static void forward_rows(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  size_t b = piece / j->pieces, first = piece % j->pieces * ROWS, length = rows_of(j, b);
  size_t last = first + ROWS < j->used ? first + ROWS : j->used;
  size_t until = length < first ? first : length < last ? length : last, row = b * j->rows + first;
  am_real *y = j->pass->y + row * j->out;
  start_rows(bias_of(j), until - first, j->out, y);
  if (until > first)
    am_gemm_one(false, false, (int)(until - first), (int)j->out, (int)j->in, 1, j->pass->x[0] + row * j->in, (int)j->in,
                j->pass->w[0], (int)j->out, 1, y, (int)j->out);
  memset(y + (until - first) * j->out, 0, (last - until) * j->out * sizeof *y);
}

static void forward(const am_layer *layer, const am_pass *pass) {
  job j = job_of(layer, pass);
  if (is_large(layer)) {
    am_parallel_for(layer->ctx, slices_of(j.in), forward_slice, &j);
    am_parallel_for(layer->ctx, j.batch, forward_sum, &j);
  } else if (layer->in[0].rank == 1) {
    start_rows(bias_of(&j), j.batch, j.out, pass->y);
    am_gemm(layer->ctx, false, false, pass->batch, (int)j.out, (int)j.in, 1, pass->x[0], (int)j.in, pass->w[0],
            (int)j.out, 1, pass->y, (int)j.out);
  } else {
    j.pieces = (j.used + ROWS - 1) / ROWS;
    am_parallel_for(layer->ctx, j.batch * j.pieces, forward_rows, &j);
  }
}

/* Large kernel, a slice of its rows. */
static void backward_wide(void *arg, size_t slice, int worker) {
  (void)worker;
  const job *j = arg;
  const am_pass *pass = j->pass;
  size_t at = slice * SLICE, n = j->in - at < SLICE ? j->in - at : SLICE;
  am_kernels_of(j->layer->ctx)
      ->wide_back((int)j->batch, (int)n, (int)j->out, pass->x[0] + at, (int)j->in, pass->w[0] + at * j->out,
                  j->dy_packed, j->dy_across, pass->dw[0] + at * j->out, pass->dx[0] ? pass->dx[0] + at : NULL,
                  (int)j->in);
}

static void backward_large(job *j) {
  const am_kernels *k = am_kernels_of(j->layer->ctx);
  const int batch = (int)j->batch, out = (int)j->out;
  j->dy_packed = j->pass->scratch;
  j->dy_across = j->dy_packed + k->packed_count(batch, out);
  k->pack(false, batch, out, j->pass->dy, out, j->dy_packed);
  k->pack(true, out, batch, j->pass->dy, out, j->dy_across);
  am_parallel_for(j->layer->ctx, slices_of(j->in), backward_wide, j);
}

/* Rank 1, a slice of the kernel's rows.  y = x W: dW += x^T dy, dx = dy W^T */
static void backward_slice(void *arg, size_t slice, int worker) {
  (void)worker;
  const job *j = arg;
  const am_pass *pass = j->pass;
  size_t at = slice * SMALL_SLICE, n = j->in - at < SMALL_SLICE ? j->in - at : SMALL_SLICE;
  am_gemm_one(true, false, (int)n, (int)j->out, (int)j->batch, 1, pass->x[0] + at, (int)j->in, pass->dy, (int)j->out, 1,
              pass->dw[0] + at * j->out, (int)j->out);
  if (pass->dx[0])
    am_gemm_one(false, true, (int)j->batch, (int)n, (int)j->out, 1, pass->dy, (int)j->out, pass->w[0] + at * j->out,
                (int)j->out, 0, pass->dx[0] + at, (int)j->in);
}

/* ROWS rows of one clip: dx = dy W^T */
static void backward_rows(void *arg, size_t piece, int worker) {
  (void)worker;
  const job *j = arg;
  size_t b = piece / j->pieces, first = piece % j->pieces * ROWS, length = rows_of(j, b);
  size_t last = first + ROWS < j->used ? first + ROWS : j->used;
  size_t until = length < first ? first : length < last ? length : last, row = b * j->rows + first;
  am_real *dx = j->pass->dx[0] + row * j->in;
  if (until > first)
    am_gemm_one(false, true, (int)(until - first), (int)j->in, (int)j->out, 1, j->pass->dy + row * j->out, (int)j->out,
                j->pass->w[0], (int)j->out, 0, dx, (int)j->in);
  memset(dx + (until - first) * j->in, 0, (last - until) * j->in * sizeof *dx);
}

/* Kernel rows [at, at + n) of the gradient summed over clips [b0, b1): dw += x^T dy */
static void add_clips(const job *j, size_t at, size_t n, size_t b0, size_t b1, am_real *dw) {
  for (size_t b = b0; b < b1; b++)
    if (rows_of(j, b))
      am_gemm_one(true, false, (int)n, (int)j->out, (int)rows_of(j, b), 1, j->pass->x[0] + b * j->rows * j->in + at,
                  (int)j->in, j->pass->dy + b * j->rows * j->out, (int)j->out, 1, dw, (int)j->out);
}

static void backward_kernel_slice(void *arg, size_t slice, int worker) {
  (void)worker;
  const job *j = arg;
  size_t at = slice * SMALL_SLICE, n = j->in - at < SMALL_SLICE ? j->in - at : SMALL_SLICE;
  add_clips(j, at, n, 0, j->batch, j->pass->dw[0] + at * j->out);
}

/* One group's partial gradient, kernel then bias. */
static am_real *partial_of(const job *j, size_t group) {
  return (am_real *)j->pass->scratch + group * (j->layer->weights[0].count + j->out);
}

static void backward_group(void *arg, size_t group, int worker) {
  (void)worker;
  const job *j = arg;
  am_real *partial = partial_of(j, group);
  size_t b0 = group * j->batch / GROUPS, b1 = (group + 1) * j->batch / GROUPS, kernel = j->layer->weights[0].count;
  memset(partial, 0, (kernel + j->out) * sizeof *partial);
  add_clips(j, 0, j->in, b0, b1, partial);
  for (size_t b = b0; b < b1; b++)
    am_kernels_of(j->layer->ctx)
        ->column_sums(rows_of(j, b), j->out, j->pass->dy + b * j->rows * j->out, partial + kernel);
}

static void backward_frames(const job *rows) {
  job j = *rows;
  const am_layer *layer = j.layer;
  const am_kernels *k = am_kernels_of(layer->ctx);
  if (j.pass->dx[0]) {
    j.pieces = (j.used + ROWS - 1) / ROWS;
    am_parallel_for(layer->ctx, j.batch * j.pieces, backward_rows, &j);
  }
  if (sums_partials(layer)) {
    am_parallel_for(layer->ctx, GROUPS, backward_group, &j);
    for (size_t g = 0; g < GROUPS; g++) {
      k->add(layer->weights[0].count, partial_of(&j, g), j.pass->dw[0]);
      if (layer->n_weights > 1) k->add(j.out, partial_of(&j, g) + layer->weights[0].count, j.pass->dw[1]);
    }
  } else {
    am_parallel_for(layer->ctx, (j.in + SMALL_SLICE - 1) / SMALL_SLICE, backward_kernel_slice, &j);
    for (size_t b = 0; b < j.batch && layer->n_weights > 1; b++)
      k->column_sums(rows_of(&j, b), j.out, j.pass->dy + b * j.rows * j.out, j.pass->dw[1]);
  }
}

static void backward(const am_layer *layer, const am_pass *pass) {
  job j = job_of(layer, pass);
  if (layer->in[0].rank > 1) {
    backward_frames(&j);
    return;
  }
  if (is_large(layer)) backward_large(&j);
  else am_parallel_for(layer->ctx, (j.in + SMALL_SLICE - 1) / SMALL_SLICE, backward_slice, &j);
  if (layer->n_weights > 1) am_kernels_of(layer->ctx)->column_sums(j.batch, j.out, pass->dy, pass->dw[1]);
}

static double operations(const am_layer *layer) { return (double)am_shape_count(layer->in[0]) * (double)layer->out.c; }

const am_layer_class am_dense = {.type = "dense",
                                 .help = "x W + b over the last dimension",
                                 .table = table,
                                 .options_size = sizeof(dense_options),
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .build = build,
                                 .forward = forward,
                                 .backward = backward,
                                 .operations = operations};
