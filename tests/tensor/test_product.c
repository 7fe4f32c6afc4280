/* SPDX-License-Identifier: MIT */
/* Packed and wide products: fast against the plain kernels, which are held against loops in double. */
#include "compare.h"

/* x(rows, spare columns beside it) */
typedef struct matrix {
  float *at;
  int ld;
} matrix;

static matrix random_matrix(am_rng *rng, int rows, int columns, int spare) {
  int ld = columns + spare;
  /* exact size: the last row ends at its last column */
  return (matrix){random_reals(rng, rows ? (size_t)(rows - 1) * (size_t)ld + (size_t)columns : 0), ld};
}

static size_t count_of(matrix m, int rows, int columns) {
  return rows ? (size_t)(rows - 1) * (size_t)m.ld + (size_t)columns : 0;
}

/* c by loops in double; what stands between the rows stays. */
static float *loops(int rows, int k, int n, matrix a, bool trans, matrix b, bool add, matrix c) {
  float *out = copy_reals(c.at, count_of(c, rows, n));
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < n; j++) {
      double sum = 0;
      for (int i = 0; i < k; i++) {
        float other = trans ? b.at[(ptrdiff_t)j * b.ld + i] : b.at[(ptrdiff_t)i * b.ld + j];
        sum += (double)a.at[(ptrdiff_t)r * a.ld + i] * (double)other;
      }
      float *to = out + (ptrdiff_t)r * c.ld + j;
      *to = (float)(sum + (add ? (double)*to : 0));
    }
  return out;
}

static float *packed_of(const am_kernels *kernels, bool trans, int k, int n, const float *b, int ldb) {
  float *packed = malloc(kernels->packed_count(k, n) * sizeof *packed + 1);
  assert_non_null(packed);
  kernels->pack(trans, k, n, b, ldb, packed);
  return packed;
}

static void check_product(const am_kernels *kernels, am_rng *rng, int rows, int k, int n, bool trans, bool add) {
  matrix a = random_matrix(rng, rows, k, draw(rng, 0, 3)), c = random_matrix(rng, rows, n, draw(rng, 0, 3));
  matrix b = trans ? random_matrix(rng, n, k, draw(rng, 0, 3)) : random_matrix(rng, k, n, draw(rng, 0, 3));
  float *wanted = loops(rows, k, n, a, trans, b, add, c);
  float *packed = packed_of(kernels, trans, k, n, b.at, b.ld);
  size_t count = count_of(c, rows, n);
  kernels->product(rows, k, n, a.at, a.ld, packed, add, c.at, c.ld);
  assert_allclose_f(c.at, wanted, count, 1e-6, 2.5e-7 * (k + 16)); /* as in test_gemm */
  /* A row alone has the same bits. */
  if (rows && !add) {
    int r = draw(rng, 0, rows - 1);
    float *alone = random_reals(rng, (size_t)n);
    kernels->product(1, k, n, a.at + (ptrdiff_t)r * a.ld, a.ld, packed, false, alone, n);
    assert_memory_equal(alone, c.at + (ptrdiff_t)r * c.ld, (size_t)n * sizeof *alone);
    free(alone);
  }
  free(a.at), free(b.at), free(c.at), free(wanted), free(packed);
}

static void test_product(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(1, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS] = {am_kernels_plain()};
  size_t count = 1 + fast_kernels(kernels + 1);
  for (size_t i = 0; i < count; i++) {
    for (int rows = 0; rows < 40; rows++)
      check_product(kernels[i], &rng, rows, draw(&rng, 1, 40), draw(&rng, 1, 140), rows & 1, rows & 2);
    for (int round = 0; round < 8; round++)
      check_product(kernels[i], &rng, draw(&rng, 1, 130), draw(&rng, 200, 600), draw(&rng, 1, 200), round & 1,
                    round & 2);
    check_product(kernels[i], &rng, 3, 0, 20, false, false);
    check_product(kernels[i], &rng, 3, 0, 20, false, true);
    check_product(kernels[i], &rng, 1, 300, 256, false, true);
  }
}

/* float16: the bits of wide_product with the rounded w. */
static void check_half(const am_kernels *kernels, int rows, int k, int n, matrix x, matrix w, matrix y) {
  const size_t count = (size_t)k * (size_t)n;
  uint16_t *half = malloc(count * sizeof *half + 1), *plain = malloc(count * sizeof *plain + 1);
  float *rounded = malloc(count * sizeof *rounded + 1), *one = copy_reals(y.at, count_of(y, rows, n));
  float *two = copy_reals(y.at, count_of(y, rows, n));
  kernels->halve(count, w.at, half);
  am_kernels_plain()->halve(count, w.at, plain);
  assert_memory_equal(half, plain, count * sizeof *half);
  for (size_t i = 0; i < count; i++) rounded[i] = am_half_to(half[i]);
  kernels->wide_product(rows, k, n, x.at, x.ld, rounded, n, one, y.ld);
  kernels->half_product(rows, k, n, x.at, x.ld, half, two, y.ld);
  assert_memory_equal(two, one, count_of(y, rows, n) * sizeof *one);
  free(half), free(plain), free(rounded), free(one), free(two);
}

static void check_wide(const am_kernels *kernels, am_rng *rng, int rows, int k, int n, bool wanted_dx) {
  matrix x = random_matrix(rng, rows, k, draw(rng, 0, 3)), w = random_matrix(rng, k, n, 0);
  matrix y = random_matrix(rng, rows, n, draw(rng, 0, 3)), dx = random_matrix(rng, rows, k, draw(rng, 0, 3));
  float *wanted = loops(rows, k, n, x, false, w, true, y);
  kernels->wide_product(rows, k, n, x.at, x.ld, w.at, n, y.at, y.ld);
  assert_allclose_f(y.at, wanted, count_of(y, rows, n), 1e-6, 2.5e-7 * (k + 16));
  free(wanted);
  check_half(kernels, rows, k, n, x, w, y);
  const int group = draw(rng, 1, rows);
  matrix dy = random_matrix(rng, rows, n, 0), dw = random_matrix(rng, k, n, 0);
  matrix across = {malloc((size_t)rows * (size_t)k * sizeof(float) + 1), rows};
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < k; i++) across.at[(ptrdiff_t)i * rows + r] = x.at[(ptrdiff_t)r * x.ld + i];
  float *wanted_dw = loops(k, rows, n, across, false, dy, true, dw);
  float *wanted_x = loops(rows, n, k, dy, true, w, false, dx);
  float *before = copy_reals(dx.at, count_of(dx, rows, k));
  float *packed = packed_of(kernels, false, rows, n, dy.at, n);
  float *turned = packed_of(kernels, true, n, rows, dy.at, n);
  kernels->wide_back(rows, k, n, group, x.at, x.ld, w.at, packed, turned, dw.at, wanted_dx ? dx.at : NULL, dx.ld);
  assert_allclose_f(dw.at, wanted_dw, count_of(dw, k, n), 1e-6, 2.5e-7 * (rows + 16));
  if (wanted_dx) assert_allclose_f(dx.at, wanted_x, count_of(dx, rows, k), 1e-6, 2.5e-7 * (n + 16));
  else assert_memory_equal(dx.at, before, count_of(dx, rows, k) * sizeof(float));
  free(x.at), free(w.at), free(y.at), free(dx.at), free(dy.at), free(dw.at), free(across.at);
  free(wanted_dw), free(wanted_x), free(before), free(packed), free(turned);
}

/* Every half, and floats around every half and between: the plain twin by what rounding means, the kernels by the twin. */
static void test_halves(void **state) {
  (void)state;
  const am_kernels *kernels[AM_TEST_CPUS] = {am_kernels_plain()};
  const size_t count = 1 + fast_kernels(kernels + 1);
  assert_true(am_half_to(0x3c00) == 1 && am_half_to(0xc000) == -2 && am_half_to(0x7bff) == 65504);
  assert_true(am_half_to(0x0001) == ldexpf(1, -24) && am_half_to(0x0400) == ldexpf(1, -14) &&
              isinf(am_half_to(0xfc00)));
  for (uint32_t h = 0; h < 0x7c00; h++) { /* finite, from 0 up */
    const float at = am_half_to((uint16_t)h), next = h == 0x7bff ? 65536 : am_half_to((uint16_t)(h + 1));
    const float middle = at + (next - at) / 2; /* exact */
    const float x[] = {at, nextafterf(middle, 0), middle, nextafterf(middle, INFINITY), -at, -middle};
    const uint16_t even = (uint16_t)(h + (h & 1));
    const uint16_t wanted[] = {
        (uint16_t)h, (uint16_t)h, even, (uint16_t)(h + 1), (uint16_t)(h | 0x8000), (uint16_t)(even | 0x8000)};
    enum { N = sizeof x / sizeof *x };
    float wide[4 * N];
    uint16_t half[4 * N];
    for (int i = 0; i < 4 * N; i++) wide[i] = x[i % N];
    for (size_t k = 0; k < count; k++) {
      kernels[k]->halve(4 * N, wide, half);
      for (int i = 0; i < 4 * N; i++)
        if (half[i] != wanted[i % N])
          fail_msg("%s: %a is %04x, wanted %04x", kernels[k]->name, (double)wide[i], half[i], wanted[i % N]);
    }
  }
  for (size_t k = 0; k < count; k++) {
    const float special[16] = {NAN, INFINITY, -INFINITY, 1e30f, -65520, 65519.99f};
    uint16_t half[16];
    kernels[k]->halve(16, special, half);
    assert_true(isnan(am_half_to(half[0])));
    const uint16_t wanted[5] = {0x7c00, 0xfc00, 0x7c00, 0xfc00, 0x7bff};
    assert_memory_equal(half + 1, wanted, sizeof wanted);
  }
}

static void test_wide(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(2, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS] = {am_kernels_plain()};
  size_t count = 1 + fast_kernels(kernels + 1);
  for (size_t i = 0; i < count; i++) {
    for (int rows = 1; rows < 70; rows += rows < 36 ? 1 : 11)
      check_wide(kernels[i], &rng, rows, draw(&rng, 1, 300), draw(&rng, 1, 140), rows % 5);
    check_wide(kernels[i], &rng, 32, 384, 128, true);
    check_wide(kernels[i], &rng, 1, 500, 128, true);
    check_wide(kernels[i], &rng, 1, 130, 290, true);
  }
}

static void check_outer(const am_kernels *kernels, am_rng *rng, int rows, int m, int n) {
  matrix a = random_matrix(rng, rows, m, draw(rng, 0, 3)), b = random_matrix(rng, rows, n, draw(rng, 0, 3));
  matrix c = random_matrix(rng, m, n, draw(rng, 0, 3)),
         across = {malloc((size_t)rows * (size_t)m * sizeof(float) + 1), rows};
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < m; i++) across.at[(ptrdiff_t)i * rows + r] = a.at[(ptrdiff_t)r * a.ld + i];
  float *wanted = loops(m, rows, n, across, false, b, true, c);
  kernels->outer_product(rows, m, n, a.at, a.ld, b.at, b.ld, c.at, c.ld);
  assert_allclose_f(c.at, wanted, count_of(c, m, n), 1e-6, 2.5e-7 * (rows + 16));
  free(a.at), free(b.at), free(c.at), free(across.at), free(wanted);
}

static void test_outer(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(3, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS] = {am_kernels_plain()};
  size_t count = 1 + fast_kernels(kernels + 1);
  for (size_t i = 0; i < count; i++) {
    for (int m = 1; m < 40; m++) check_outer(kernels[i], &rng, draw(&rng, 0, 40), m, draw(&rng, 1, 140));
    for (int round = 0; round < 8; round++)
      check_outer(kernels[i], &rng, draw(&rng, 100, 400), draw(&rng, 40, 260), draw(&rng, 1, 200));
  }
}

/* How the bits of a row may depend on what stands beside it: not at all, whichever kernel makes it. */

static void same_row(const am_kernels *k, const char *what, int rows, int row, const float *a, const float *b, int n) {
  if (memcmp(a, b, (size_t)n * sizeof *a))
    fail_msg("%s: row %d of %d has other bits alone: %s", k->name, row, rows, what);
}

/* y += x w of all rows at once, of each alone, and of a packed w. */
static void check_forward_rows(const am_kernels *kernels, am_rng *rng, int rows, int k, int n) {
  matrix x = random_matrix(rng, rows, k, draw(rng, 0, 3)), w = random_matrix(rng, k, n, draw(rng, 0, 300));
  matrix y = random_matrix(rng, rows, n, 0);
  const size_t count = (size_t)rows * (size_t)n;
  float *packed = packed_of(kernels, false, k, n, w.at, w.ld);
  float *wide = copy_reals(y.at, count), *product = copy_reals(y.at, count), *half = copy_reals(y.at, count);
  float *alone = copy_reals(y.at, count), *tight = malloc((size_t)k * (size_t)n * sizeof *tight);
  uint16_t *halves = malloc((size_t)k * (size_t)n * sizeof *halves);
  for (int i = 0; i < k; i++) memcpy(tight + (ptrdiff_t)i * n, w.at + (ptrdiff_t)i * w.ld, (size_t)n * sizeof *tight);
  kernels->halve((size_t)k * (size_t)n, tight, halves);
  kernels->wide_product(rows, k, n, x.at, x.ld, w.at, w.ld, wide, n);
  kernels->half_product(rows, k, n, x.at, x.ld, halves, half, n);
  kernels->product(rows, k, n, x.at, x.ld, packed, true, product, n);
  for (int r = 0; r < rows; r++) {
    const float *row = x.at + (ptrdiff_t)r * x.ld;
    const ptrdiff_t at = (ptrdiff_t)r * n;
    float *one = alone + at;
    kernels->wide_product(1, k, n, row, x.ld, w.at, w.ld, one, n);
    same_row(kernels, "wide_product", rows, r, wide + at, one, n);
    same_row(kernels, "product", rows, r, product + at, one, n);
    memcpy(one, y.at + at, (size_t)n * sizeof *one);
    kernels->product(1, k, n, row, x.ld, packed, true, one, n);
    same_row(kernels, "product, one row", rows, r, product + at, one, n);
    memcpy(one, y.at + at, (size_t)n * sizeof *one);
    kernels->half_product(1, k, n, row, x.ld, halves, one, n);
    same_row(kernels, "half_product", rows, r, half + at, one, n);
  }
  free(x.at), free(w.at), free(y.at), free(packed), free(wide), free(product), free(half), free(alone), free(tight);
  free(halves);
}

/* dx of rows at once and by `product`; dw of groups at once and of each alone, added in pairs. */
static void check_backward_rows(const am_kernels *kernels, am_rng *rng, int rows, int k, int n, int group) {
  enum { MOST_GROUPS = 128 };
  matrix x = random_matrix(rng, rows, k, draw(rng, 0, 3)), dy = random_matrix(rng, rows, n, 0);
  matrix w = random_matrix(rng, k, n, 0), dw = random_matrix(rng, k, n, 0), dx = random_matrix(rng, rows, k, 0);
  float *before = copy_reals(dw.at, (size_t)k * (size_t)n), *parts[MOST_GROUPS],
        *wanted = copy_reals(dx.at, (size_t)rows * (size_t)k);
  float *packed = packed_of(kernels, false, rows, n, dy.at, n), *across = packed_of(kernels, true, n, rows, dy.at, n);
  float *turned = packed_of(kernels, true, n, k, w.at, n);
  kernels->wide_back(rows, k, n, group, x.at, x.ld, w.at, packed, across, dw.at, dx.at, dx.ld);
  kernels->product(rows, n, k, dy.at, n, turned, false, wanted, k);
  for (int r = 0; r < rows; r++)
    same_row(kernels, "dx", rows, r, dx.at + (ptrdiff_t)r * k, wanted + (ptrdiff_t)r * k, k);
  const int groups = (rows + group - 1) / group;
  for (int g = 0; g < groups; g++) {
    const int first = g * group, some = rows - first < group ? rows - first : group;
    float *mine = packed_of(kernels, false, some, n, dy.at + (ptrdiff_t)first * n, n);
    parts[g] = calloc((size_t)k * (size_t)n, sizeof *parts[g]);
    kernels->wide_back(some, k, n, some, x.at + (ptrdiff_t)first * x.ld, x.ld, w.at, mine, NULL, parts[g], NULL, k);
    free(mine);
  }
  for (int step = 1; step < groups; step *= 2)
    for (int g = 0; g + step < groups; g += 2 * step)
      for (int i = 0; i < k * n; i++) parts[g][i] += parts[g + step][i];
  for (int i = 0; i < k * n; i++) before[i] += parts[0][i];
  if (memcmp(before, dw.at, (size_t)k * (size_t)n * sizeof *before))
    fail_msg("%s: dw of %d rows in groups of %d is not the sum of the groups in pairs", kernels->name, rows, group);
  for (int g = 0; g < groups; g++) free(parts[g]);
  free(x.at), free(dy.at), free(w.at), free(dw.at), free(dx.at), free(before), free(wanted), free(packed), free(across);
  free(turned);
}

static void test_rows(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(4, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS] = {am_kernels_plain()};
  const size_t count = 1 + fast_kernels(kernels + 1);
  for (size_t i = 0; i < count; i++) {
    for (int rows = 1; rows <= 40; rows++) {
      check_forward_rows(kernels[i], &rng, rows, draw(&rng, 1, 300), draw(&rng, 1, 300));
      check_backward_rows(kernels[i], &rng, rows, draw(&rng, 1, 150), draw(&rng, 1, 300), draw(&rng, 1, rows));
    }
    check_forward_rows(kernels[i], &rng, 67, 260, 128);
    check_backward_rows(kernels[i], &rng, 127, 40, 33, 1);
    check_backward_rows(kernels[i], &rng, 700, 29, 40, 90);
    check_backward_rows(kernels[i], &rng, 6000, 17, 18, 100); /* x where it stands */
  }
}

/* A NaN in A or B reaches the sums it belongs to and no other. */
static void test_nan(void **state) {
  (void)state;
  const am_kernels *kernels[AM_TEST_CPUS] = {am_kernels_plain()};
  size_t count = 1 + fast_kernels(kernels + 1);
  for (size_t i = 0; i < count; i++) {
    float a[5 * 3] = {0}, b[3 * 37] = {0}, c[5 * 37];
    a[2 * 3 + 1] = NAN;
    b[2 * 37 + 36] = NAN;
    float *packed = packed_of(kernels[i], false, 3, 37, b, 37);
    kernels[i]->product(5, 3, 37, a, 3, packed, false, c, 37);
    for (int r = 0; r < 5; r++)
      for (int j = 0; j < 37; j++) assert_true((r == 2 || j == 36) == (isnan(c[r * 37 + j]) != 0));
    free(packed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_product), cmocka_unit_test(test_wide),
                                     cmocka_unit_test(test_halves),  cmocka_unit_test(test_outer),
                                     cmocka_unit_test(test_rows),    cmocka_unit_test(test_nan)};
  return cmocka_run_group_tests_name("tensor_product", tests, NULL, NULL);
}
