/* SPDX-License-Identifier: MIT */
/* tensor/simd_maps.c - vector maths, the LSTM cell, optimiser sweeps, sums; and
 * the table of this processor path. */
#include <math.h>

#include "tensor/simd_math.h"

typedef double vd __attribute__((vector_size(AM_LANES * 8)));

/* P(Z <= x) of a standard normal Z and its density.  The tail P(Z > a), a >= 0, is exp(-a^2/2) q(a), with
 * q(a) = erfcx(a / sqrt 2) / 2 a polynomial of u = 1 / (1 + 0.32 a): least squares on Chebyshev nodes, reweighted to
 * even out the relative error, 3e-8 before rounding; exact at both ends to that. */
AM_INLINE vf normal_cdf(vf x, vf *density) {
  vf a = magnitude(x), u = 1.0f / (1.0f + 0.32f * a);
  vf bell = exp_of(-0.5f * x * x);
  vf q = u * -2.107830904e-02f + 9.540788084e-02f;
  q = q * u - 1.467086226e-01f;
  q = q * u + 6.532917917e-02f;
  q = q * u - 9.378228337e-03f;
  q = q * u + 5.865417793e-02f;
  q = q * u + 8.782906830e-02f;
  q = q * u + 1.146223620e-01f;
  q = q * u + 1.276609451e-01f;
  q = q * u + 1.276615262e-01f;
  vf tail = bell * q * u;
  *density = bell * 0.3989422804f;
  return pick(x < (vf){0}, tail, 1.0f - tail);
}

AM_INLINE vf relu_of(vf x) { return (vf)((vi)x & ~(x < (vf){0})); }
AM_INLINE vf gelu_of(vf x) {
  vf density;
  return x * normal_cdf(x, &density);
}
AM_INLINE vf silu_of(vf x) { return x * sigmoid_of(x); }

/* Back: from x (or y) and dy. */
AM_INLINE vf relu_slope(vf y, vf dy) { return pick(y == y, (vf)((vi)dy & (y > (vf){0})), y); }
AM_INLINE vf gelu_slope(vf x, vf dy) {
  vf density, cdf = normal_cdf(x, &density);
  return dy * (cdf + x * density);
}
AM_INLINE vf silu_slope(vf x, vf dy) {
  vf s = sigmoid_of(x);
  return dy * s * (1.0f + x * (1.0f - s));
}

#define MAP(name, of) \
  static void name(size_t n, const float *x, float *y) { \
    size_t i = 0; \
    for (; i + LANES <= n; i += LANES) store(y + i, of(load(x + i))); \
    if (i < n) store_some(y + i, of(load_some(x + i, n - i)), n - i); \
  }
MAP(relu_map, relu_of)
MAP(sigmoid_map, sigmoid_of)
MAP(tanh_map, tanh_of)
MAP(exp_map, exp_of)
MAP(gelu_map, gelu_of)
MAP(silu_map, silu_of)

#define MAP_BACK(name, of) \
  static void name(size_t n, const float *x, const float *dy, float *dx) { \
    size_t i = 0; \
    for (; i + LANES <= n; i += LANES) store(dx + i, of(load(x + i), load(dy + i))); \
    if (i < n) store_some(dx + i, of(load_some(x + i, n - i), load_some(dy + i, n - i)), n - i); \
  }
MAP_BACK(relu_back, relu_slope)
MAP_BACK(gelu_back, gelu_slope)
MAP_BACK(silu_back, silu_slope)

static void add(size_t n, const float *x, float *y) {
  for (size_t i = 0; i < n; i++) y[i] += x[i];
}

AM_INLINE vf add_relu_of(vf x, vf z) { return relu_of(x + z); }
MAP_BACK(add_relu, add_relu_of)

static void sum(size_t n, const float *x, const float *z, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] + z[i];
}

static void scale_add(size_t n, float a, const float *x, float *y) {
  for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

static double sum_squares(size_t n, const float *x) {
  vd sum = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    vd v = __builtin_convertvector(load(x + i), vd);
    sum += v * v;
  }
  double total = 0;
  for (int l = 0; l < LANES; l++) total += sum[l];
  for (; i < n; i++) total += (double)x[i] * (double)x[i];
  return total;
}

/* A vector of columns, summed in double: a map has 70,000 positions. */
static void sum_columns(size_t rows, size_t columns, const float *x, float *out) {
  vd even = {0}, odd = {0};
  size_t r = 0;
  for (; r + 1 < rows; r += 2, x += 2 * columns) {
    even += __builtin_convertvector(load(x), vd);
    odd += __builtin_convertvector(load(x + columns), vd);
  }
  if (r < rows) even += __builtin_convertvector(load(x), vd);
  store(out, load(out) + __builtin_convertvector(even + odd, vf));
}

static void column_sums(size_t rows, size_t columns, const float *x, float *out) {
  size_t c = 0;
  for (; c + LANES <= columns; c += LANES) sum_columns(rows, columns, x + c, out + c);
  for (; c < columns; c++) {
    double sum = 0;
    for (size_t r = 0; r < rows; r++) sum += (double)x[r * columns + c];
    out[c] += (float)sum;
  }
}

/* LSTM cell, backward; units [j, j+n) */

AM_INLINE void cell_back(size_t h, size_t j, size_t n, const float *gates, const float *c_prev, const float *c,
                         const float *dh, float *dc, float *dgates) {
  const float *at = gates + j;
  float *to = dgates + j;
  vf i = get(at, n), f = get(at + h, n), g = get(at + 2 * h, n), o = get(at + 3 * h, n);
  vf tc = tanh_of(get(c + j, n)), dhv = get(dh + j, n), before = c_prev ? get(c_prev + j, n) : (vf){0};
  vf dct = get(dc + j, n) + dhv * o * (1.0f - tc * tc); /* h = o tanh(c) */
  put(to, dct * g * i * (1.0f - i), n);                 /* c = f c_prev + i g */
  put(to + h, dct * before * f * (1.0f - f), n);
  put(to + 2 * h, dct * i * (1.0f - g * g), n);
  put(to + 3 * h, dhv * tc * o * (1.0f - o), n);
  put(dc + j, dct * f, n);
}

static void lstm_cell_back(int h, const float *gates, const float *c_prev, const float *c, const float *dh, float *dc,
                           float *dgates) {
  size_t n = (size_t)h, j = 0;
  for (; j + LANES <= n; j += LANES) cell_back(n, j, LANES, gates, c_prev, c, dh, dc, dgates);
  if (j < n) cell_back(n, j, n - j, gates, c_prev, c, dh, dc, dgates);
}

/* Optimiser sweeps: bound by memory, so the compiler's own vectors do. */

static void sgd(size_t n, float *restrict w, const float *restrict g, float *restrict velocity, float scale, float rate,
                float momentum, bool nesterov, float decay) {
  if (!velocity) {
    for (size_t i = 0; i < n; i++) w[i] -= rate * (scale * g[i] + decay * w[i]);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    float step = scale * g[i] + decay * w[i];
    velocity[i] = momentum * velocity[i] + step;
    w[i] -= rate * (nesterov ? step + momentum * velocity[i] : velocity[i]);
  }
}

static void adam(size_t n, float *restrict w, const float *restrict g, float *restrict m, float *restrict v,
                 float scale, float rate, float beta1, float beta2, float epsilon, float decay, bool decoupled) {
  const float into = decoupled ? 0 : decay, off = decoupled ? decay : 0;
  for (size_t i = 0; i < n; i++) {
    float step = scale * g[i] + into * w[i];
    float kept = w[i] - off * w[i];
    m[i] = beta1 * m[i] + (1 - beta1) * step;
    v[i] = beta2 * v[i] + (1 - beta2) * (step * step);
    w[i] = kept - rate * m[i] / (sqrtf(v[i]) + epsilon);
  }
}

#define AM_NAME_(path) #path
#define AM_NAME(path) AM_NAME_(path)

const am_kernels AM_SIMD(am_kernels_table) = {
    .name = AM_NAME(AM_PATH),
    .conv_packed_count = AM_SIMD(am_conv_packed_count),
    .conv_pack = AM_SIMD(am_conv_pack),
    .conv_packed_back_count = AM_SIMD(am_conv_packed_back_count),
    .conv_pack_back = AM_SIMD(am_conv_pack_back),
    .conv_scratch_count = AM_SIMD(am_conv_scratch_count),
    .conv_forward = AM_SIMD(am_conv_forward),
    .conv_backward_x = AM_SIMD(am_conv_backward_x),
    .conv_backward_w = AM_SIMD(am_conv_backward_w),
    .conv_pools = AM_SIMD(am_conv_pools),
    .conv_pool_forward = AM_SIMD(am_conv_pool_forward),
    .conv_pool_backward_w = AM_SIMD(am_conv_pool_backward_w),
    .packed_count = AM_SIMD(am_packed_count),
    .pack = AM_SIMD(am_pack),
    .product = AM_SIMD(am_product),
    .wide_product = AM_SIMD(am_wide_product),
    .half_product = AM_SIMD(am_half_product),
    .halve = AM_SIMD(am_halve),
    .wide_back = AM_SIMD(am_wide_back),
    .outer_product = AM_SIMD(am_outer_product),
    .relu = relu_map,
    .relu_back = relu_back,
    .sigmoid = sigmoid_map,
    .tanh = tanh_map,
    .exp = exp_map,
    .gelu = gelu_map,
    .gelu_back = gelu_back,
    .silu = silu_map,
    .silu_back = silu_back,
    .add = add,
    .sum = sum,
    .add_relu = add_relu,
    .scale_add = scale_add,
    .sum_squares = sum_squares,
    .column_sums = column_sums,
    .column_moments = AM_SIMD(am_column_moments),
    .norm_forward = AM_SIMD(am_norm_forward),
    .norm_back_sums = AM_SIMD(am_norm_back_sums),
    .norm_back = AM_SIMD(am_norm_back),
    .norm_rows = AM_SIMD(am_norm_rows),
    .norm_rows_back = AM_SIMD(am_norm_rows_back),
    .max_pool = AM_SIMD(am_max_pool),
    .max_pool_back = AM_SIMD(am_max_pool_back),
    .recurrent_count = AM_SIMD(am_recurrent_count),
    .recurrent_pack = AM_SIMD(am_recurrent_pack),
    .lstm = AM_SIMD(am_lstm),
    .gru = AM_SIMD(am_gru),
    .lstm_cell_back = lstm_cell_back,
    .sgd = sgd,
    .adam = adam,
};
