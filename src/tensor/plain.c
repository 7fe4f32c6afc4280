/* SPDX-License-Identifier: MIT */
/* tensor/plain.c - the reference kernels: straightforward loops over am_real.
 * The fast kernels are compared with these, the gradient tests run on them in
 * double, and machines without a fast path use them. */
#include <math.h>
#include <string.h>

#include "tensor/tables.h"

#ifdef AM_REAL_DOUBLE
#define M(name) name
#else
#define M(name) name##f
#endif

/* Convolution. Row of x that output row t meets at tap k. */
static int row_of(const am_conv *c, int t, int k) { return t * c->st + k * c->dt - c->pt; }
static int bin_of(const am_conv *c, int f, int k) { return f * c->sf + k * c->df - c->pf; }

static size_t kernel_count(const am_conv *c) { return (size_t)c->kt * (size_t)c->kf * (size_t)c->ci * (size_t)c->co; }

static void copy_kernel(const am_conv *c, const am_real *kernel, am_real *packed) {
  memcpy(packed, kernel, kernel_count(c) * sizeof *packed);
}

static size_t no_scratch(const am_conv *c) {
  (void)c;
  return 0;
}

/* The `n` channels of x (rows, bins, n) at (t, f), and of a kernel at tap (kt, kf). */
static size_t at(int t, int f, int bins, int n) { return ((size_t)t * (size_t)bins + (size_t)f) * (size_t)n; }
static size_t tap_at(const am_conv *c, int kt, int kf) { return at(kt, kf, c->kf, c->ci * c->co); }

/* y(co) += x(ci) kernel(ci,co) */
static void forward_tap(const am_conv *c, const am_real *x, const am_real *kernel, am_real *y) {
  for (int i = 0; i < c->ci; i++)
    for (int o = 0; o < c->co; o++) y[o] += x[i] * kernel[(size_t)i * (size_t)c->co + (size_t)o];
}

static void conv_forward(const am_conv *c, const am_real *x, const am_real *kernel, const am_real *bias,
                         am_epilogue epilogue, int t0, int t1, am_real *y, am_real *scratch) {
  (void)scratch;
  for (int t = t0; t < t1; t++)
    for (int f = 0; f < c->fo; f++) {
      am_real *out = y + at(t, f, c->fo, c->co);
      for (int o = 0; o < c->co; o++) out[o] = bias ? bias[o] : 0;
      for (int kt = 0; kt < c->kt; kt++)
        for (int kf = 0; kf < c->kf; kf++) {
          int row = row_of(c, t, kt), bin = bin_of(c, f, kf);
          if (row < 0 || row >= c->ti || bin < 0 || bin >= c->fi) continue;
          forward_tap(c, x + at(row, bin, c->fi, c->ci), kernel + tap_at(c, kt, kf), out);
        }
      if (epilogue == AM_EPILOGUE_RELU)
        for (int o = 0; o < c->co; o++) out[o] = out[o] < 0 ? 0 : out[o];
    }
}

/* dx(ci) += kernel(ci,co) dy(co) */
static void backward_x_tap(const am_conv *c, const am_real *dy, const am_real *kernel, am_real *dx) {
  for (int i = 0; i < c->ci; i++) {
    am_real sum = 0;
    for (int o = 0; o < c->co; o++) sum += kernel[(size_t)i * (size_t)c->co + (size_t)o] * dy[o];
    dx[i] += sum;
  }
}

/* From the side of dx: row = t st + kt dt - pt, so t = (row + pt - kt dt) / st where that is whole. */
static void conv_backward_x(const am_conv *c, const am_real *dy, const am_real *kernel, int t0, int t1, am_real *dx,
                            am_real *scratch) {
  (void)scratch;
  for (int row = t0; row < t1; row++)
    for (int bin = 0; bin < c->fi; bin++) {
      am_real *out = dx + at(row, bin, c->fi, c->ci);
      memset(out, 0, (size_t)c->ci * sizeof *out);
      for (int kt = 0; kt < c->kt; kt++)
        for (int kf = 0; kf < c->kf; kf++) {
          int t = row + c->pt - kt * c->dt, f = bin + c->pf - kf * c->df;
          if (t < 0 || t % c->st || t / c->st >= c->to || f < 0 || f % c->sf || f / c->sf >= c->fo) continue;
          backward_x_tap(c, dy + at(t / c->st, f / c->sf, c->fo, c->co), kernel + tap_at(c, kt, kf), out);
        }
    }
}

/* dkernel(ci,co) += x(ci) dy(co) */
static void backward_w_tap(const am_conv *c, const am_real *x, const am_real *dy, am_real *dkernel) {
  for (int i = 0; i < c->ci; i++)
    for (int o = 0; o < c->co; o++) dkernel[(size_t)i * (size_t)c->co + (size_t)o] += x[i] * dy[o];
}

static void conv_backward_w(const am_conv *c, const am_real *x, const am_real *dy, int t0, int t1, am_real *dkernel,
                            am_real *scratch) {
  (void)scratch;
  for (int t = t0; t < t1; t++)
    for (int f = 0; f < c->fo; f++)
      for (int kt = 0; kt < c->kt; kt++)
        for (int kf = 0; kf < c->kf; kf++) {
          int row = row_of(c, t, kt), bin = bin_of(c, f, kf);
          if (row < 0 || row >= c->ti || bin < 0 || bin >= c->fi) continue;
          backward_w_tap(c, x + at(row, bin, c->fi, c->ci), dy + at(t, f, c->fo, c->co), dkernel + tap_at(c, kt, kf));
        }
}

static void scale_add(size_t n, am_real a, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

/* Products: packed is (k,n). */

static size_t packed_count(int k, int n) { return (size_t)k * (size_t)n; }

static void pack(bool trans, int k, int n, const am_real *b, int ldb, am_real *packed) {
  for (ptrdiff_t i = 0; i < k; i++)
    for (ptrdiff_t j = 0; j < n; j++) packed[i * n + j] = trans ? b[j * ldb + i] : b[i * ldb + j];
}

static void product(int rows, int k, int n, const am_real *a, int lda, const am_real *packed, bool add, am_real *c,
                    int ldc) {
  for (ptrdiff_t r = 0; r < rows; r++) {
    am_real *out = c + r * ldc;
    if (!add) memset(out, 0, (size_t)n * sizeof *out);
    for (ptrdiff_t i = 0; i < k; i++) scale_add((size_t)n, a[r * lda + i], packed + i * n, out);
  }
}

static void wide_product(int rows, int k, int n, const am_real *x, int ldx, const am_real *w, int ldw, am_real *y,
                         int ldy) {
  for (ptrdiff_t r = 0; r < rows; r++)
    for (ptrdiff_t i = 0; i < k; i++) scale_add((size_t)n, x[r * ldx + i], w + i * ldw, y + r * ldy);
}

/* Sum of x dy over the rows, the groups in pairs: a node of level l waits in nodes[l] for its neighbour. */
static am_real grouped_sum(int rows, int group, const am_real *x, int ldx, const am_real *dy, int n) {
  am_real nodes[16];
  for (int g = 0, first = 0;; g++, first += group) {
    const int left = rows - first, some = left < group ? left : group;
    am_real sum = 0;
    for (ptrdiff_t r = first; r < first + some; r++) sum += x[r * ldx] * dy[r * n];
    const bool last = left <= group;
    int level = 0;
    for (int there = g; last ? there > 0 : there & 1; there >>= 1, level++)
      if (there & 1) sum += nodes[level]; /* without one the last is alone on this level */
    if (last) return sum;
    nodes[level] = sum;
  }
}

static void wide_back(int rows, int k, int n, int group, const am_real *x, int ldx, const am_real *w,
                      const am_real *dy_packed, const am_real *dy_across, am_real *dw, am_real *dx, int lddx) {
  (void)dy_across;
  for (ptrdiff_t i = 0; i < k; i++)
    for (ptrdiff_t j = 0; j < n; j++) dw[i * n + j] += grouped_sum(rows, group, x + i, ldx, dy_packed + j, n);
  for (ptrdiff_t r = 0; dx && r < rows; r++)
    for (ptrdiff_t i = 0; i < k; i++) {
      am_real sum = 0;
      for (ptrdiff_t j = 0; j < n; j++) sum += dy_packed[r * n + j] * w[i * n + j];
      dx[r * lddx + i] = sum;
    }
}

static void outer_product(int rows, int m, int n, const am_real *a, int lda, const am_real *b, int ldb, am_real *c,
                          int ldc) {
  for (ptrdiff_t r = 0; r < rows; r++)
    for (ptrdiff_t i = 0; i < m; i++) scale_add((size_t)n, a[r * lda + i], b + r * ldb, c + i * ldc);
}

/* Elementwise */

static am_real sigmoid_of(am_real x) {
  am_real e = M(exp)(-M(fabs)(x)); /* never overflows */
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static const am_real half_root = (am_real)0.70710678118654752440;      /* 1/sqrt(2) */
static const am_real normal_density = (am_real)0.39894228040143267794; /* 1/sqrt(2 pi) */

static am_real normal_cdf(am_real x) { return (am_real)0.5 * M(erfc)(-x * half_root); }

static void relu(size_t n, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i];
}
/* dx = dy where y = max(x, 0) was positive */
static void relu_back(size_t n, const am_real *y, const am_real *dy, am_real *dx) {
  for (size_t i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : isnan(y[i]) ? y[i] : 0;
}
static void sigmoid_map(size_t n, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = sigmoid_of(x[i]);
}
static void tanh_map(size_t n, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = M(tanh)(x[i]);
}
static void exp_map(size_t n, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = M(exp)(x[i]);
}
/* y = x P(Z <= x), Z standard normal: Hendrycks and Gimpel 2016, exact */
static void gelu(size_t n, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] * normal_cdf(x[i]);
}
static void gelu_back(size_t n, const am_real *x, const am_real *dy, am_real *dx) {
  for (size_t i = 0; i < n; i++) {
    am_real density = normal_density * M(exp)(-x[i] * x[i] / 2);
    dx[i] = dy[i] * (normal_cdf(x[i]) + x[i] * density);
  }
}
/* y = x s(x) */
static void silu(size_t n, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] * sigmoid_of(x[i]);
}
static void silu_back(size_t n, const am_real *x, const am_real *dy, am_real *dx) {
  for (size_t i = 0; i < n; i++) {
    am_real s = sigmoid_of(x[i]);
    dx[i] = dy[i] * s * (1 + x[i] * (1 - s));
  }
}
static void add(size_t n, const am_real *x, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] += x[i];
}
static void sum(size_t n, const am_real *x, const am_real *z, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] + z[i];
}
static void add_relu(size_t n, const am_real *x, const am_real *z, am_real *y) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] + z[i] < 0 ? 0 : x[i] + z[i];
}
static double sum_squares(size_t n, const am_real *x) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}
static void column_sums(size_t rows, size_t columns, const am_real *x, am_real *out) {
  for (size_t c = 0; c < columns; c++) {
    double sum = 0;
    for (size_t r = 0; r < rows; r++) sum += (double)x[r * columns + c];
    out[c] += (am_real)sum;
  }
}

/* Max pooling: `c` with ci = co channels. */

static void max_pool(const am_conv *c, const am_real *x, am_real *y, uint8_t *index) {
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++)
      for (int i = 0; i < c->ci; i++) {
        am_real best = 0;
        int which = -1;
        for (int kt = 0; kt < c->kt; kt++)
          for (int kf = 0; kf < c->kf; kf++) {
            int row = row_of(c, t, kt), bin = bin_of(c, f, kf);
            if (row < 0 || row >= c->ti || bin < 0 || bin >= c->fi) continue;
            am_real v = x[at(row, bin, c->fi, c->ci) + (size_t)i];
            if (which >= 0 && !(v > best) && !(isnan(v) && !isnan(best))) continue;
            best = v;
            which = kt * c->kf + kf;
          }
        size_t o = at(t, f, c->fo, c->ci) + (size_t)i;
        y[o] = best;
        if (index) index[o] = (uint8_t)(which < 0 ? 0 : which);
      }
}

static void max_pool_back(const am_conv *c, const am_real *dy, const uint8_t *index, am_real *dx) {
  memset(dx, 0, at(c->ti, 0, c->fi, c->ci) * sizeof *dx);
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++)
      for (int i = 0; i < c->ci; i++) {
        size_t o = at(t, f, c->fo, c->ci) + (size_t)i;
        int row = row_of(c, t, index[o] / c->kf), bin = bin_of(c, f, index[o] % c->kf);
        if (row < 0 || row >= c->ti || bin < 0 || bin >= c->fi) continue; /* a window of padding only */
        dx[at(row, bin, c->fi, c->ci) + (size_t)i] += dy[o];
      }
}

/* Optimiser sweeps */

static void sgd(size_t n, am_real *w, const am_real *g, am_real *velocity, am_real scale, am_real rate,
                am_real momentum, bool nesterov, am_real decay) {
  for (size_t i = 0; i < n; i++) {
    am_real step = scale * g[i] + decay * w[i];
    if (velocity) {
      velocity[i] = momentum * velocity[i] + step;
      step = nesterov ? step + momentum * velocity[i] : velocity[i];
    }
    w[i] -= rate * step;
  }
}

static void adam(size_t n, am_real *w, const am_real *g, am_real *m, am_real *v, am_real scale, am_real rate,
                 am_real beta1, am_real beta2, am_real epsilon, am_real decay, bool decoupled) {
  for (size_t i = 0; i < n; i++) {
    am_real step = scale * g[i];
    if (decoupled) w[i] -= decay * w[i];
    else step += decay * w[i];
    m[i] = beta1 * m[i] + (1 - beta1) * step;
    v[i] = beta2 * v[i] + (1 - beta2) * step * step;
    w[i] -= rate * m[i] / (M(sqrt)(v[i]) + epsilon);
  }
}

static bool conv_pools(const am_conv *c, const am_conv *pool) {
  (void)c, (void)pool;
  return false;
}

const am_kernels am_kernels_table_plain = {
    .name = "plain",
    .conv_packed_count = kernel_count,
    .conv_pack = copy_kernel,
    .conv_packed_back_count = kernel_count,
    .conv_pack_back = copy_kernel,
    .conv_scratch_count = no_scratch,
    .conv_forward = conv_forward,
    .conv_backward_x = conv_backward_x,
    .conv_backward_w = conv_backward_w,
    .conv_pools = conv_pools, /* never, and so without the two that follow */
    .packed_count = packed_count,
    .pack = pack,
    .product = product,
    .wide_product = wide_product,
    .half_product = am_half_product_plain,
    .halve = am_halve_plain,
    .wide_back = wide_back,
    .outer_product = outer_product,
    .relu = relu,
    .relu_back = relu_back,
    .sigmoid = sigmoid_map,
    .tanh = tanh_map,
    .exp = exp_map,
    .gelu = gelu,
    .gelu_back = gelu_back,
    .silu = silu,
    .silu_back = silu_back,
    .add = add,
    .sum = sum,
    .add_relu = add_relu,
    .scale_add = scale_add,
    .sum_squares = sum_squares,
    .column_sums = column_sums,
    .column_moments = am_column_moments_plain,
    .norm_forward = am_norm_forward_plain,
    .norm_back_sums = am_norm_back_sums_plain,
    .norm_back = am_norm_back_plain,
    .norm_rows = am_norm_rows_plain,
    .norm_rows_back = am_norm_rows_back_plain,
    .max_pool = max_pool,
    .max_pool_back = max_pool_back,
    .recurrent_count = am_recurrent_count_plain,
    .recurrent_pack = am_recurrent_pack_plain,
    .lstm = am_lstm_plain,
    .gru = am_gru_plain,
    .lstm_cell_back = am_lstm_cell_back_plain,
    .sgd = sgd,
    .adam = adam,
};
