/* SPDX-License-Identifier: MIT */
/* tensor/plain_norm.c - batch and layer norm, the reference: sums in double, moments in two passes. */
#include <math.h>
#include <string.h>

#include "tensor/tables.h"

void am_column_moments_plain(size_t rows, size_t columns, const am_real *x, double *mean, double *squares) {
  memset(mean, 0, columns * sizeof *mean);
  memset(squares, 0, columns * sizeof *squares);
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) mean[c] += (double)x[r * columns + c];
  for (size_t c = 0; rows && c < columns; c++) mean[c] /= (double)rows;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      const double d = (double)x[r * columns + c] - mean[c];
      squares[c] += d * d;
    }
}

/* x scale + shift, before the ReLU */
static am_real normal(const am_norm *n, size_t c, am_real x) {
  return (am_real)((double)x * n->scale[c] + n->shift[c]);
}

void am_norm_forward_plain(size_t rows, size_t columns, const am_norm *n, const am_real *x, am_real *y) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      const am_real v = normal(n, c, x[r * columns + c]);
      y[r * columns + c] = n->relu && v < 0 ? 0 : v;
    }
}

/* y = max(x scale + shift, 0): dy where y was positive; without the ReLU dy itself. */
static double passed(const am_norm *n, size_t c, am_real x, am_real dy) {
  if (!n->relu) return (double)dy;
  const am_real y = normal(n, c, x);
  return (double)(y > 0 ? dy : isnan(y) ? y : 0);
}

void am_norm_back_sums_plain(size_t rows, size_t columns, const am_norm *n, const am_real *x, const am_real *dy,
                             double *sum, double *product) {
  memset(sum, 0, columns * sizeof *sum);
  memset(product, 0, columns * sizeof *product);
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      const size_t i = r * columns + c;
      const double d = passed(n, c, x[i], dy[i]);
      sum[c] += d;
      product[c] += d * ((double)x[i] - n->mean[c]);
    }
}

void am_norm_back_plain(size_t rows, size_t columns, const am_norm *n, const double *of_x, const double *constant,
                        const am_real *x, const am_real *dy, am_real *dx) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      const size_t i = r * columns + c;
      dx[i] = (am_real)(n->scale[c] * passed(n, c, x[i], dy[i]) + of_x[c] * (double)x[i] + constant[c]);
    }
}

void am_norm_rows_plain(size_t rows, size_t columns, const am_real *gamma, const am_real *beta, double epsilon,
                        const am_real *x, double *moments, am_real *y) {
  for (size_t r = 0; r < rows; r++, x += columns, y += columns, moments += 2) {
    double mean = 0, squares = 0;
    for (size_t c = 0; c < columns; c++) mean += (double)x[c];
    mean /= (double)columns;
    for (size_t c = 0; c < columns; c++) squares += ((double)x[c] - mean) * ((double)x[c] - mean);
    const double inverse = 1 / sqrt(squares / (double)columns + epsilon);
    for (size_t c = 0; c < columns; c++)
      y[c] = (am_real)(((double)x[c] - mean) * inverse * (double)gamma[c] + (double)beta[c]);
    moments[0] = mean;
    moments[1] = inverse;
  }
}

/* With g = dy gamma and means over the row: dx = inverse (g - mean(g) - xhat mean(g xhat)) */
void am_norm_rows_back_plain(size_t rows, size_t columns, const am_real *gamma, const double *moments, const am_real *x,
                             const am_real *dy, double *dgamma, double *dbeta, am_real *dx) {
  for (size_t r = 0; r < rows; r++, x += columns, dy += columns, moments += 2) {
    const double mean = moments[0], inverse = moments[1];
    double sum = 0, product = 0;
    for (size_t c = 0; c < columns; c++) {
      const double xhat = ((double)x[c] - mean) * inverse, g = (double)dy[c] * (double)gamma[c];
      dgamma[c] += (double)dy[c] * xhat;
      dbeta[c] += (double)dy[c];
      sum += g;
      product += g * xhat;
    }
    if (!dx) continue;
    for (size_t c = 0; c < columns; c++) {
      const double xhat = ((double)x[c] - mean) * inverse, g = (double)dy[c] * (double)gamma[c];
      dx[c] = (am_real)(inverse * (g - (sum + xhat * product) / (double)columns));
    }
    dx += columns;
  }
}
