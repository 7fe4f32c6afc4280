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

static void check_wide(const am_kernels *kernels, am_rng *rng, int rows, int k, int n, bool wanted_dx) {
  matrix x = random_matrix(rng, rows, k, draw(rng, 0, 3)), w = random_matrix(rng, k, n, 0);
  matrix y = random_matrix(rng, rows, n, draw(rng, 0, 3)), dx = random_matrix(rng, rows, k, draw(rng, 0, 3));
  float *wanted = loops(rows, k, n, x, false, w, true, y);
  kernels->wide_product(rows, k, n, x.at, x.ld, w.at, y.at, y.ld);
  assert_allclose_f(y.at, wanted, count_of(y, rows, n), 1e-6, 2.5e-7 * (k + 16));
  free(wanted);
  matrix dy = random_matrix(rng, rows, n, 0), dw = random_matrix(rng, k, n, 0);
  matrix across = {malloc((size_t)rows * (size_t)k * sizeof(float) + 1), rows};
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < k; i++) across.at[(ptrdiff_t)i * rows + r] = x.at[(ptrdiff_t)r * x.ld + i];
  float *wanted_dw = loops(k, rows, n, across, false, dy, true, dw);
  float *wanted_x = loops(rows, n, k, dy, true, w, false, dx);
  float *before = copy_reals(dx.at, count_of(dx, rows, k));
  float *packed = packed_of(kernels, false, rows, n, dy.at, n);
  float *turned = packed_of(kernels, true, n, rows, dy.at, n);
  kernels->wide_back(rows, k, n, x.at, x.ld, w.at, packed, turned, dw.at, wanted_dx ? dx.at : NULL, dx.ld);
  assert_allclose_f(dw.at, wanted_dw, count_of(dw, k, n), 1e-6, 2.5e-7 * (rows + 16));
  if (wanted_dx) assert_allclose_f(dx.at, wanted_x, count_of(dx, rows, k), 1e-6, 2.5e-7 * (n + 16));
  else assert_memory_equal(dx.at, before, count_of(dx, rows, k) * sizeof(float));
  free(x.at), free(w.at), free(y.at), free(dx.at), free(dy.at), free(dw.at), free(across.at);
  free(wanted_dw), free(wanted_x), free(before), free(packed), free(turned);
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
                                     cmocka_unit_test(test_nan)};
  return cmocka_run_group_tests_name("tensor_product", tests, NULL, NULL);
}
