/* SPDX-License-Identifier: MIT */
/* Vector maths, cells, sweeps and sums: fast against double libm and the plain kernels. */
#include <float.h>

#include "compare.h"

typedef void map(size_t n, const float *x, float *y);
typedef void map_back(size_t n, const float *x, const float *dy, float *dx);

static double exact_sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double exact_cdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }
static double exact_gelu(double x) { return x * exact_cdf(x); }
static double exact_silu(double x) { return x * exact_sigmoid(x); }
static double exact_gelu_slope(double x) { return exact_cdf(x) + x * 0.39894228040143267794 * exp(-x * x / 2); }
static double exact_silu_slope(double x) { return exact_sigmoid(x) * (1 + x * (1 - exact_sigmoid(x))); }

/* Distance between two floats of one sign, in steps of the smaller exponent's spacing. */
static double ulps(float got, double wanted) {
  float near = (float)wanted;
  if (got == near || (isnan(got) && isnan(near))) return 0;
  if (isinf(near) || isinf(got) || isnan(near) || isnan(got)) return INFINITY;
  double step = (double)nextafterf(fabsf(near), INFINITY) - (double)fabsf(near);
  return fabs((double)got - wanted) / step;
}

enum { DENSE = 400003 }; /* odd, so that the tail of a vector is met */

/* Evenly over [low, high], then over all exponents. */
static void fill_dense(float *x, double low, double high) {
  for (int i = 0; i < DENSE; i++) {
    x[i] = (float)(low + (high - low) * i / (DENSE - 1));
    if (i % 4 == 3) x[i] = ldexpf(1 + (float)(i % 1024) / 1024, i / 16 % 150 - 140) * (i & 4 ? -1 : 1);
    if ((double)x[i] < low || (double)x[i] > high) x[i] = 0;
  }
}

static void check_ulps(const char *name, map *f, double (*exact)(double), double low, double high, double bound) {
  float *x = malloc(DENSE * sizeof *x), *y = malloc(DENSE * sizeof *y);
  fill_dense(x, low, high);
  f(DENSE, x, y);
  for (int i = 0; i < DENSE; i++)
    if (!(ulps(y[i], exact((double)x[i])) <= bound))
      fail_msg("%s(%.9g) is %.9g, wanted %.9g: %.3g ulp", name, (double)x[i], (double)y[i], exact((double)x[i]),
               ulps(y[i], exact((double)x[i])));
  free(x), free(y);
}

/* |error| <= bound * max(1, |x|) */
static void check_absolute(const char *name, map *f, double (*exact)(double), double bound) {
  float *x = malloc(DENSE * sizeof *x), *y = malloc(DENSE * sizeof *y);
  fill_dense(x, -30, 30);
  f(DENSE, x, y);
  for (int i = 0; i < DENSE; i++)
    if (!(fabs((double)y[i] - exact((double)x[i])) <= bound * fmax(1, fabs((double)x[i]))))
      fail_msg("%s(%.9g) is %.9g, wanted %.9g", name, (double)x[i], (double)y[i], exact((double)x[i]));
  free(x), free(y);
}

static void check_slope(const char *name, map_back *f, double (*exact)(double), double bound) {
  float *x = malloc(DENSE * sizeof *x), *dy = malloc(DENSE * sizeof *dy), *dx = malloc(DENSE * sizeof *dx);
  fill_dense(x, -30, 30);
  for (int i = 0; i < DENSE; i++) dy[i] = i & 1 ? -1.5f : 0.75f;
  f(DENSE, x, dy, dx);
  for (int i = 0; i < DENSE; i++)
    if (!(fabs((double)dx[i] - (double)dy[i] * exact((double)x[i])) <= bound * fmax(1, fabs((double)x[i]))))
      fail_msg("%s(%.9g) is %.9g, wanted %.9g", name, (double)x[i], (double)dx[i], (double)dy[i] * exact((double)x[i]));
  free(x), free(dy), free(dx);
}

/* Every path, the plain one too: what layers may rely on. */
static size_t all_kernels(const am_kernels *kernels[AM_TEST_CPUS]) {
  kernels[0] = am_kernels_plain();
  return 1 + fast_kernels(kernels + 1);
}

static void test_accuracy(void **state) {
  (void)state;
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t n = all_kernels(kernels);
  for (size_t i = 0; i < n; i++) {
    const am_kernels *k = kernels[i];
    check_ulps("exp", k->exp, exp, -110, 95, 3); /* zero, denormals, overflow */
    check_ulps("tanh", k->tanh, tanh, -20, 20, 3);
    check_ulps("sigmoid", k->sigmoid, exact_sigmoid, -87, 40, 4);
    check_absolute("gelu", k->gelu, exact_gelu, 3e-7);
    check_absolute("silu", k->silu, exact_silu, 3e-7);
    check_slope("gelu_back", k->gelu_back, exact_gelu_slope, 6e-7);
    check_slope("silu_back", k->silu_back, exact_silu_slope, 6e-7);
  }
}

static void test_special_values(void **state) {
  (void)state;
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t n = all_kernels(kernels);
  const float x[6] = {NAN, INFINITY, -INFINITY, 0, -0.0f, -NAN};
  for (size_t i = 0; i < n; i++) {
    const am_kernels *k = kernels[i];
    map *maps[] = {k->relu, k->sigmoid, k->tanh, k->exp, k->gelu, k->silu};
    const float at_infinity[] = {INFINITY, 1, 1, INFINITY, INFINITY, INFINITY};
    const float at_zero[] = {0, 0.5f, 0, 1, 0, 0};
    for (size_t j = 0; j < 6; j++) {
      float y[6];
      maps[j](6, x, y);
      assert_true(isnan(y[0]) && isnan(y[5]));
      assert_true(y[1] == at_infinity[j]);
      assert_true(y[3] == at_zero[j] && y[4] == at_zero[j]);
    }
    float y[6];
    k->relu(6, x, y);
    assert_true(y[2] == 0);
    k->exp(6, x, y);
    assert_true(y[2] == 0);
    k->sigmoid(6, x, y);
    assert_true(y[2] == 0);
    k->tanh(6, x, y);
    assert_true(y[2] == -1);
    const float out[4] = {1, 0, NAN, 2}, dy[4] = {3, 4, 5, NAN};
    float dx[4];
    k->relu_back(4, out, dy, dx);
    assert_true(dx[0] == 3 && dx[1] == 0 && isnan(dx[2]) && isnan(dx[3]));
  }
}

static void test_in_place_and_bounds(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(1, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t count = all_kernels(kernels);
  for (size_t i = 0; i < count; i++)
    for (size_t n = 0; n < 70; n++) {
      const am_kernels *k = kernels[i];
      map *maps[] = {k->relu, k->sigmoid, k->tanh, k->exp, k->gelu, k->silu};
      map_back *backs[] = {k->relu_back, k->gelu_back, k->silu_back};
      float *x = random_reals(&rng, n), *y = random_reals(&rng, n), *same = malloc(n * sizeof *same + 1);
      for (size_t j = 0; j < 6; j++) {
        maps[j](n, x, y);
        memcpy(same, x, n * sizeof *same);
        maps[j](n, same, same);
        assert_memory_equal(same, y, n * sizeof *y);
      }
      float *dx = random_reals(&rng, n);
      for (size_t j = 0; j < 3; j++) {
        backs[j](n, x, y, dx);
        memcpy(same, y, n * sizeof *same);
        backs[j](n, x, same, same); /* dx may be dy */
        assert_memory_equal(same, dx, n * sizeof *dx);
      }
      free(x), free(y), free(same), free(dx);
    }
}

static void test_sums(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(2, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS], *plain = am_kernels_plain();
  size_t count = fast_kernels(kernels);
  for (int round = 0; round < 100; round++) {
    size_t rows = (size_t)draw(&rng, 0, 700), columns = (size_t)draw(&rng, 1, 100), n = rows * columns;
    float *x = random_reals(&rng, n), *out = random_reals(&rng, columns), *wanted = copy_reals(out, columns);
    float *y = random_reals(&rng, n), *wanted_y = copy_reals(y, n);
    plain->column_sums(rows, columns, x, wanted);
    plain->scale_add(n, -1.25f, x, wanted_y);
    plain->add(n, x, wanted_y);
    for (size_t i = 0; i < count; i++) {
      float *sums = copy_reals(out, columns), *y2 = copy_reals(y, n);
      kernels[i]->column_sums(rows, columns, x, sums);
      assert_allclose_f(sums, wanted, columns, 2e-7, 1e-6);
      kernels[i]->scale_add(n, -1.25f, x, y2);
      kernels[i]->add(n, x, y2);
      assert_allclose_f(y2, wanted_y, n, 1e-6, 1e-6);
      double squares = plain->sum_squares(n, x);
      assert_true(fabs(kernels[i]->sum_squares(n, x) - squares) <= 1e-12 * squares);
      free(sums), free(y2);
    }
    free(x), free(out), free(wanted), free(y), free(wanted_y);
  }
}

static void test_add_relu(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(7, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t count = all_kernels(kernels);
  for (size_t i = 0; i < count; i++)
    for (size_t n = 0; n < 70; n++) {
      float *x = random_reals(&rng, n), *z = random_reals(&rng, n), *y = random_reals(&rng, n);
      float *plus = random_reals(&rng, n);
      if (n > 3) x[3] = NAN;
      kernels[i]->sum(n, x, z, plus);
      kernels[i]->add_relu(n, x, z, y);
      for (size_t e = 0; e < n; e++) {
        if (e == 3) assert_true(isnan(plus[e]) && isnan(y[e]));
        else assert_true(plus[e] == x[e] + z[e] && y[e] == (plus[e] < 0 ? 0 : plus[e]));
      }
      kernels[i]->add_relu(n, z, x, z); /* over an input */
      kernels[i]->sum(n, x, x, x);
      assert_memory_equal(z, y, n * sizeof *y);
      free(x), free(z), free(y), free(plus);
    }
}

/* Largest difference over largest value. */
static void check_doubles(const char *what, const double *got, const double *wanted, size_t n, double bound) {
  double largest = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(wanted[i]));
  for (size_t i = 0; i < n; i++)
    if (!(fabs(got[i] - wanted[i]) <= bound * largest))
      fail_msg("%s[%zu] is %.12g, wanted %.12g", what, i, got[i], wanted[i]);
}

static double *doubles(am_rng *rng, size_t n) {
  double *values = malloc(n * sizeof *values + 1);
  for (size_t i = 0; i < n; i++) values[i] = am_rng_normal(rng);
  return values;
}

/* Batch norm of columns whose mean is `offset` deviations from zero. */
static void check_norm(const am_kernels *k, am_rng *rng, size_t rows, size_t columns, bool relu, double offset) {
  const am_kernels *plain = am_kernels_plain();
  size_t n = rows * columns;
  float *x = random_reals(rng, n), *dy = random_reals(rng, n), *a = random_reals(rng, n), *b = random_reals(rng, n);
  double *d[10];
  for (int i = 0; i < 10; i++) d[i] = doubles(rng, columns);
  for (size_t i = 0; i < n; i++) x[i] += (float)offset;
  plain->column_moments(rows, columns, x, d[0], d[1]);
  k->column_moments(rows, columns, x, d[2], d[3]);
  check_doubles("mean", d[2], d[0], columns, 1e-13);
  check_doubles("squares", d[3], d[1], columns, 1e-13 * (1 + offset * offset));
  am_norm norm = {.mean = d[0], .scale = d[4], .shift = d[5], .relu = relu};
  for (size_t c = 0; c < columns; c++) d[5][c] -= d[0][c] * d[4][c];
  plain->norm_forward(rows, columns, &norm, x, a);
  k->norm_forward(rows, columns, &norm, x, b);
  assert_allclose_f(b, a, n, 1e-6, 1e-9);
  plain->norm_back_sums(rows, columns, &norm, x, dy, d[6], d[7]);
  k->norm_back_sums(rows, columns, &norm, x, dy, d[8], d[9]);
  check_doubles("sum", d[8], d[6], columns, 1e-13);
  check_doubles("product", d[9], d[7], columns, 1e-13);
  plain->norm_back(rows, columns, &norm, d[7], d[6], x, dy, a);
  k->norm_back(rows, columns, &norm, d[7], d[6], x, dy, b);
  assert_allclose_f(b, a, n, 1e-6, 1e-6);
  for (int i = 0; i < 10; i++) free(d[i]);
  free(x), free(dy), free(a), free(b);
}

static void check_norm_rows(const am_kernels *k, am_rng *rng, size_t rows, size_t columns) {
  const am_kernels *plain = am_kernels_plain();
  size_t n = rows * columns;
  float *x = random_reals(rng, n), *dy = random_reals(rng, n), *a = random_reals(rng, n), *b = random_reals(rng, n);
  float *gamma = random_reals(rng, columns), *beta = random_reals(rng, columns);
  double *moments = doubles(rng, 2 * rows), *other = doubles(rng, 2 * rows), *sums = doubles(rng, 2 * columns);
  double *same = doubles(rng, 2 * columns);
  memcpy(same, sums, 2 * columns * sizeof *same);
  plain->norm_rows(rows, columns, gamma, beta, 1e-5, x, moments, a);
  k->norm_rows(rows, columns, gamma, beta, 1e-5, x, other, b);
  check_doubles("moments", other, moments, 2 * rows, 1e-12);
  assert_allclose_f(b, a, n, 1e-6, 1e-6);
  plain->norm_rows_back(rows, columns, gamma, moments, x, dy, sums, sums + columns, a);
  k->norm_rows_back(rows, columns, gamma, moments, x, dy, same, same + columns, b);
  check_doubles("sums", same, sums, 2 * columns, 1e-13);
  assert_allclose_f(b, a, n, 1e-6, 1e-6);
  k->norm_rows_back(rows, columns, gamma, moments, x, dy, same, same + columns, NULL);
  free(x), free(dy), free(a), free(b), free(gamma), free(beta), free(moments), free(other), free(sums), free(same);
}

static void test_norms(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(5, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t count = fast_kernels(kernels);
  for (size_t i = 0; i < count; i++)
    for (int round = 0; round < 100; round++) {
      size_t rows = (size_t)draw(&rng, 0, 400), columns = (size_t)draw(&rng, 1, 70);
      if (round % 10 == 0) rows = (size_t)draw(&rng, 0, 3), columns = (size_t)draw(&rng, 1, 2500);
      check_norm(kernels[i], &rng, rows, columns, round & 1, round % 3 ? 0 : 300);
      check_norm_rows(kernels[i], &rng, rows, columns + 1);
    }
}

/* A NaN spoils its own column or row and no other. */
static void test_norms_pass_nan(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(6, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  enum { ROWS = 5, COLUMNS = 37, SPOILT = 2 * COLUMNS + 3 };
  size_t count = all_kernels(kernels);
  for (size_t i = 0; i < count; i++) {
    float *x = random_reals(&rng, ROWS * COLUMNS), *dy = random_reals(&rng, ROWS * COLUMNS), y[ROWS * COLUMNS];
    double *d = doubles(&rng, 4 * COLUMNS);
    x[SPOILT] = NAN;
    kernels[i]->column_moments(ROWS, COLUMNS, x, d, d + COLUMNS);
    for (int c = 0; c < 2 * COLUMNS; c++) assert_true(isnan(d[c]) == (c % COLUMNS == 3));
    am_norm norm = {.mean = d + COLUMNS, .scale = d + 2 * COLUMNS, .shift = d + 3 * COLUMNS, .relu = true};
    kernels[i]->norm_forward(ROWS, COLUMNS, &norm, x, y);
    for (int e = 0; e < ROWS * COLUMNS; e++) assert_true(isnan(y[e]) == (e == SPOILT));
    norm.mean = norm.scale;
    kernels[i]->norm_back(ROWS, COLUMNS, &norm, norm.scale, norm.shift, x, dy, y);
    for (int e = 0; e < ROWS * COLUMNS; e++) assert_true(isnan(y[e]) == (e == SPOILT));
    kernels[i]->norm_back_sums(ROWS, COLUMNS, &norm, x, dy, d, d + COLUMNS);
    for (int c = 0; c < 2 * COLUMNS; c++) assert_true(isnan(d[c]) == (c % COLUMNS == 3));
    kernels[i]->norm_rows(ROWS, COLUMNS, dy, dy, 1e-5, x, d, y);
    for (int e = 0; e < ROWS * COLUMNS; e++) assert_true(isnan(y[e]) == (e / COLUMNS == 2));
    free(x), free(dy), free(d);
  }
}

/* Two steps by hand (PyTorch's definitions), then every path against the plain one. */
static void test_sweeps(void **state) {
  (void)state;
  float w = 1, v = 0;
  am_kernels_plain()->sgd(1, &w, &(float){2}, &v, 0.5f, 0.1f, 0.9f, false, 0.25f); /* g' = 1.25, v = 1.25 */
  assert_true(fabsf(w - 0.875f) < 1e-6f && v == 1.25f);
  am_kernels_plain()->sgd(1, &w, &(float){0}, &v, 1, 0.1f, 0.9f, true, 0); /* v = 1.125, step 0.9 v */
  assert_true(fabsf(w - (0.875f - 0.10125f)) < 1e-6f && fabsf(v - 1.125f) < 1e-6f);
  float m = 0, s = 0;
  w = 1;
  am_kernels_plain()->adam(1, &w, &(float){3}, &m, &s, 1, 0.01f, 0.9f, 0.999f, 0, 0.5f, true);
  assert_true(fabsf(m - 0.3f) < 1e-6f && fabsf(s - 0.009f) < 1e-6f);
  assert_true(fabsf(w - (0.5f - 0.01f * 0.3f / sqrtf(0.009f))) < 1e-6f);

  am_rng rng = am_rng_stream(4, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS], *plain = am_kernels_plain();
  size_t count = fast_kernels(kernels);
  for (size_t i = 0; i < count; i++)
    for (int option = 0; option < 12; option++) {
      size_t n = 1000 + (size_t)option;
      float *w1 = random_reals(&rng, n), *w2 = copy_reals(w1, n), *g = random_reals(&rng, n);
      float *m1 = random_reals(&rng, n), *m2 = copy_reals(m1, n), *v1 = random_reals(&rng, n);
      for (size_t j = 0; j < n; j++) v1[j] = fabsf(v1[j]);
      float *v2 = copy_reals(v1, n), decay = option & 1 ? 0.1f : 0;
      bool flag = option & 2, velocity = option & 4;
      plain->sgd(n, w1, g, velocity ? m1 : NULL, 0.7f, 0.1f, 0.9f, flag, decay);
      kernels[i]->sgd(n, w2, g, velocity ? m2 : NULL, 0.7f, 0.1f, 0.9f, flag, decay);
      plain->adam(n, w1, g, m1, v1, 0.7f, 0.01f, 0.9f, 0.99f, 1e-7f, decay, flag);
      kernels[i]->adam(n, w2, g, m2, v2, 0.7f, 0.01f, 0.9f, 0.99f, 1e-7f, decay, flag);
      assert_allclose_f(m2, m1, n, 1e-6, 1e-6);
      assert_allclose_f(v2, v1, n, 1e-6, 1e-6);
      assert_allclose_f(w2, w1, n, 1e-5, 1e-6);
      free(w1), free(w2), free(g), free(m1), free(m2), free(v1), free(v2);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accuracy),
      cmocka_unit_test(test_special_values),
      cmocka_unit_test(test_in_place_and_bounds),
      cmocka_unit_test(test_norms),
      cmocka_unit_test(test_norms_pass_nan),
      cmocka_unit_test(test_add_relu),
      cmocka_unit_test(test_sums),
      cmocka_unit_test(test_sweeps),
  };
  return cmocka_run_group_tests_name("tensor_maps", tests, NULL, NULL);
}
