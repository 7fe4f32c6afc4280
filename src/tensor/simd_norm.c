/* SPDX-License-Identifier: MIT */
/* tensor/simd_norm.c - batch and layer norm, half a vector of floats at a time as doubles.
 *
 * In double neither the number of positions nor a mean far from zero costs accuracy, and the
 * sums of x and x^2 need no second pass; memory is what bounds these loops all the same. */
#include <math.h>

#include "tensor/simd.h"

enum {
  HALF = LANES / 2,
  BLOCK = 2048 /* floats of a block of rows whose columns are summed one vector after the other */
};

typedef float vh __attribute__((vector_size(AM_LANES * 2)));
typedef int32_t vhi __attribute__((vector_size(AM_LANES * 2)));
typedef double vd __attribute__((vector_size(AM_LANES * 4)));
typedef float vh_anywhere __attribute__((vector_size(AM_LANES * 2), aligned(4), may_alias));
typedef double vd_anywhere __attribute__((vector_size(AM_LANES * 4), aligned(8), may_alias));

AM_INLINE vd widen(vh v) { return __builtin_convertvector(v, vd); }
AM_INLINE vh narrow(vd v) { return __builtin_convertvector(v, vh); }
AM_INLINE vh load_h(const float *p) { return *(const vh_anywhere *)p; }
AM_INLINE void store_h(float *p, vh v) { *(vh_anywhere *)p = v; }
AM_INLINE vd load_d(const double *p) { return *(const vd_anywhere *)p; }
AM_INLINE void store_d(double *p, vd v) { *(vd_anywhere *)p = v; }
AM_INLINE double total(vd v) {
  double sum = 0;
  for (int l = 0; l < HALF; l++) sum += v[l];
  return sum;
}

/* v where the mask (of a comparison) is set, else 0 */
AM_INLINE vh keep(vhi mask, vh v) { return (vh)(mask & (vhi)v); }
AM_INLINE vh relu_h(vh y) { return keep(~(y < (vh){0}), y); } /* NaN stays */
AM_INLINE vh slope_h(vh y, vh dy) { return (vh)((vhi)keep(y > (vh){0}, dy) | (vhi)keep(y != y, y)); }
AM_INLINE float slope_1(float y, float dy) { return y > 0 ? dy : isnan(y) ? y : 0; }

static size_t block_rows(size_t columns) { return columns < BLOCK / 2 ? BLOCK / columns : 2; }

/* sum += x, squares += x^2, column by column */
static void sum_block(size_t rows, size_t columns, const float *x, double *sum, double *squares) {
  size_t c = 0;
  for (; c + HALF <= columns; c += HALF) {
    vd s0 = load_d(sum + c), q0 = load_d(squares + c), s1 = {0}, q1 = {0};
    const float *p = x + c;
    size_t r = 0;
    for (; r + 1 < rows; r += 2, p += 2 * columns) {
      vd even = widen(load_h(p)), odd = widen(load_h(p + columns));
      s0 += even;
      s1 += odd;
      q0 += even * even;
      q1 += odd * odd;
    }
    if (r < rows) {
      vd last = widen(load_h(p));
      s0 += last;
      q0 += last * last;
    }
    store_d(sum + c, s0 + s1);
    store_d(squares + c, q0 + q1);
  }
  for (; c < columns; c++)
    for (size_t r = 0; r < rows; r++) {
      double v = (double)x[r * columns + c];
      sum[c] += v;
      squares[c] += v * v;
    }
}

void AM_SIMD(am_column_moments)(size_t rows, size_t columns, const float *x, double *mean, double *squares) {
  const size_t step = block_rows(columns);
  memset(mean, 0, columns * sizeof *mean);
  memset(squares, 0, columns * sizeof *squares);
  for (size_t r = 0; r < rows; r += step)
    sum_block(rows - r < step ? rows - r : step, columns, x + r * columns, mean, squares);
  for (size_t c = 0; rows && c < columns; c++) {
    mean[c] /= (double)rows;
    double left = squares[c] - (double)rows * mean[c] * mean[c];
    squares[c] = left < 0 ? 0 : left;
  }
}

void AM_SIMD(am_norm_forward)(size_t rows, size_t columns, const am_norm *n, const float *x, float *y) {
  for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
    size_t c = 0;
    for (; c + HALF <= columns; c += HALF) {
      vh v = narrow(widen(load_h(x + c)) * load_d(n->scale + c) + load_d(n->shift + c));
      store_h(y + c, n->relu ? relu_h(v) : v);
    }
    for (; c < columns; c++) {
      float v = (float)((double)x[c] * n->scale[c] + n->shift[c]);
      y[c] = n->relu && v < 0 ? 0 : v;
    }
  }
}

/* The gradient that passes the ReLU, if there is one: y is made again, from the same numbers as forward. */
AM_INLINE vh passed(const am_norm *n, vd scale, vd shift, vd x, vh dy) {
  return n->relu ? slope_h(narrow(x * scale + shift), dy) : dy;
}
AM_INLINE float passed_1(const am_norm *n, size_t c, float x, float dy) {
  return n->relu ? slope_1((float)((double)x * n->scale[c] + n->shift[c]), dy) : dy;
}

static void back_sum_block(size_t rows, size_t columns, const am_norm *n, const float *x, const float *dy, double *sum,
                           double *product) {
  size_t c = 0;
  for (; c + HALF <= columns; c += HALF) {
    vd s = load_d(sum + c), p = load_d(product + c), mean = load_d(n->mean + c);
    vd scale = load_d(n->scale + c), shift = load_d(n->shift + c);
    for (size_t i = c; i < rows * columns; i += columns) {
      vd v = widen(load_h(x + i)), d = widen(passed(n, scale, shift, v, load_h(dy + i)));
      s += d;
      p += d * (v - mean);
    }
    store_d(sum + c, s);
    store_d(product + c, p);
  }
  for (; c < columns; c++)
    for (size_t i = c; i < rows * columns; i += columns) {
      double d = (double)passed_1(n, c, x[i], dy[i]);
      sum[c] += d;
      product[c] += d * ((double)x[i] - n->mean[c]);
    }
}

void AM_SIMD(am_norm_back_sums)(size_t rows, size_t columns, const am_norm *n, const float *x, const float *dy,
                                double *sum, double *product) {
  const size_t step = block_rows(columns);
  memset(sum, 0, columns * sizeof *sum);
  memset(product, 0, columns * sizeof *product);
  for (size_t r = 0; r < rows; r += step)
    back_sum_block(rows - r < step ? rows - r : step, columns, n, x + r * columns, dy + r * columns, sum, product);
}

void AM_SIMD(am_norm_back)(size_t rows, size_t columns, const am_norm *n, const double *of_x, const double *constant,
                           const float *x, const float *dy, float *dx) {
  for (size_t r = 0; r < rows; r++, x += columns, dy += columns, dx += columns) {
    size_t c = 0;
    for (; c + HALF <= columns; c += HALF) {
      vd v = widen(load_h(x + c)), scale = load_d(n->scale + c);
      vd d = widen(passed(n, scale, load_d(n->shift + c), v, load_h(dy + c)));
      store_h(dx + c, narrow(scale * d + load_d(of_x + c) * v + load_d(constant + c)));
    }
    for (; c < columns; c++)
      dx[c] = (float)(n->scale[c] * (double)passed_1(n, c, x[c], dy[c]) + of_x[c] * (double)x[c] + constant[c]);
  }
}

/* Layer norm: mean and 1/sqrt(variance + epsilon) of one row. */
static void row_moments(size_t columns, double epsilon, const float *x, double *mean, double *inverse) {
  vd s = {0}, q = {0};
  size_t c = 0;
  for (; c + HALF <= columns; c += HALF) {
    vd v = widen(load_h(x + c));
    s += v;
    q += v * v;
  }
  double sum = total(s), squares = total(q), n = (double)columns;
  for (; c < columns; c++) {
    sum += (double)x[c];
    squares += (double)x[c] * (double)x[c];
  }
  double variance = (squares - sum * sum / n) / n;
  *mean = sum / n;
  *inverse = 1 / sqrt((variance < 0 ? 0 : variance) + epsilon);
}

void AM_SIMD(am_norm_rows)(size_t rows, size_t columns, const float *gamma, const float *beta, double epsilon,
                           const float *x, double *moments, float *y) {
  for (size_t r = 0; r < rows; r++, x += columns, y += columns, moments += 2) {
    row_moments(columns, epsilon, x, &moments[0], &moments[1]);
    const double inverse = moments[1], shift = -moments[0] * inverse;
    size_t c = 0;
    for (; c + HALF <= columns; c += HALF) {
      vd xhat = widen(load_h(x + c)) * inverse + shift;
      store_h(y + c, narrow(xhat * widen(load_h(gamma + c)) + widen(load_h(beta + c))));
    }
    for (; c < columns; c++) y[c] = (float)(((double)x[c] * inverse + shift) * (double)gamma[c] + (double)beta[c]);
  }
}

/* Adds one row's part of dgamma and dbeta; *sum and *product get sum of g and of g xhat, g = dy gamma. */
static void row_back_sums(size_t columns, const float *gamma, double inverse, double shift, const float *x,
                          const float *dy, double *dgamma, double *dbeta, double *sum, double *product) {
  vd s = {0}, p = {0};
  size_t c = 0;
  for (; c + HALF <= columns; c += HALF) {
    vd xhat = widen(load_h(x + c)) * inverse + shift, d = widen(load_h(dy + c)), g = d * widen(load_h(gamma + c));
    store_d(dgamma + c, load_d(dgamma + c) + d * xhat);
    store_d(dbeta + c, load_d(dbeta + c) + d);
    s += g;
    p += g * xhat;
  }
  *sum = total(s);
  *product = total(p);
  for (; c < columns; c++) {
    double xhat = (double)x[c] * inverse + shift, d = (double)dy[c], g = d * (double)gamma[c];
    dgamma[c] += d * xhat;
    dbeta[c] += d;
    *sum += g;
    *product += g * xhat;
  }
}

void AM_SIMD(am_norm_rows_back)(size_t rows, size_t columns, const float *gamma, const double *moments, const float *x,
                                const float *dy, double *dgamma, double *dbeta, float *dx) {
  const double n = (double)columns;
  for (size_t r = 0; r < rows; r++, x += columns, dy += columns, moments += 2) {
    const double inverse = moments[1], shift = -moments[0] * inverse;
    double sum, product;
    row_back_sums(columns, gamma, inverse, shift, x, dy, dgamma, dbeta, &sum, &product);
    if (!dx) continue;
    const double constant = -inverse * sum / n, of_xhat = -inverse * product / n;
    size_t c = 0;
    for (; c + HALF <= columns; c += HALF) {
      vd xhat = widen(load_h(x + c)) * inverse + shift, g = widen(load_h(dy + c)) * widen(load_h(gamma + c));
      store_h(dx + c, narrow(inverse * g + xhat * of_xhat + constant));
    }
    for (; c < columns; c++) {
      double xhat = (double)x[c] * inverse + shift;
      dx[c] = (float)(inverse * (double)dy[c] * (double)gamma[c] + xhat * of_xhat + constant);
    }
    dx += columns;
  }
}
