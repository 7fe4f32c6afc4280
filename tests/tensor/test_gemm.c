/* SPDX-License-Identifier: MIT */
/* Matrix products against three loops. */
#include "compare.h"

typedef struct shape {
  int m, n, k;
} shape;

static double element(const float *a, bool trans, int ld, int i, int j) {
  return (double)(trans ? a[(size_t)j * (size_t)ld + (size_t)i] : a[(size_t)i * (size_t)ld + (size_t)j]);
}

static void naive(bool ta, bool tb, shape s, double alpha, const float *a, int lda, const float *b, int ldb,
                  double beta, float *c, int ldc) {
  for (int i = 0; i < s.m; i++)
    for (int j = 0; j < s.n; j++) {
      double sum = 0;
      for (int l = 0; l < s.k; l++) sum += element(a, ta, lda, i, l) * element(b, tb, ldb, l, j);
      float *out = c + (size_t)i * (size_t)ldc + j;
      *out = (float)(alpha * sum + (beta != 0 ? beta * (double)*out : 0));
    }
}

static void check(am_context *ctx, am_rng *rng, shape s, bool ta, bool tb, float alpha, float beta, int spare) {
  int lda = (ta ? s.m : s.k) + spare, ldb = (tb ? s.k : s.n) + spare, ldc = s.n + spare;
  size_t na = (size_t)(ta ? s.k : s.m) * (size_t)lda, nb = (size_t)(tb ? s.n : s.k) * (size_t)ldb;
  size_t nc = (size_t)s.m * (size_t)ldc;
  float *a = random_reals(rng, na), *b = random_reals(rng, nb), *c = random_reals(rng, nc), *wanted = copy_reals(c, nc);
  if (beta == 0) c[0] = wanted[0] = NAN; /* beta 0 does not read C */
  naive(ta, tb, s, (double)alpha, a, lda, b, ldb, (double)beta, wanted, ldc);
  float *one = copy_reals(c, nc);
  am_gemm(ctx, ta, tb, s.m, s.n, s.k, alpha, a, lda, b, ldb, beta, c, ldc);
  assert_allclose_f(c, wanted, nc, 1e-6, 2.5e-7 * (s.k + 16)); /* as in test_conv */
  am_gemm_one(ta, tb, s.m, s.n, s.k, alpha, a, lda, b, ldb, beta, one, ldc);
  assert_allclose_f(one, wanted, nc, 1e-6, 2.5e-7 * (s.k + 16));
  free(a), free(b), free(c), free(wanted), free(one);
}

static const shape shapes[] = {{1, 1, 1},   {3, 5, 7},      {17, 33, 65},   {32, 128, 300},  {130, 70, 40},
                               {8, 6, 128}, {1, 600, 50},   {600, 1, 50},   {32, 20, 16400}, {600, 530, 9},
                               {6, 32, 1},  {33, 1030, 64}, {1500, 10, 12}, {2, 3, 20000}};

static void test_shapes(void **state) {
  (void)state;
  am_context *ctx = am_test_context(2, NULL);
  am_rng rng = am_rng_stream(1, AM_FOR_SYNTH, 0, 0, 0);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int t = 0; t < 4; t++) {
      check(ctx, &rng, shapes[i], t & 1, t & 2, 1, 0, 0);
      check(ctx, &rng, shapes[i], t & 1, t & 2, -0.5f, 1, 3);
      check(ctx, &rng, shapes[i], t & 1, t & 2, 2, 0.25f, 1);
    }
  am_context_free(ctx);
}

static void test_threads_do_not_matter(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(2, AM_FOR_SYNTH, 0, 0, 0);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    shape s = shapes[i];
    size_t nc = (size_t)s.m * (size_t)s.n;
    float *a = random_reals(&rng, (size_t)s.m * (size_t)s.k), *b = random_reals(&rng, (size_t)s.k * (size_t)s.n);
    float *first = random_reals(&rng, nc);
    for (int threads = 1; threads <= 4; threads++) {
      am_context *ctx = am_test_context(threads, NULL);
      float *c = random_reals(&rng, nc);
      am_gemm(ctx, false, false, s.m, s.n, s.k, 1, a, s.k, b, s.n, 0, threads == 1 ? first : c, s.n);
      if (threads > 1) assert_memory_equal(c, first, nc * sizeof *c);
      free(c);
      am_context_free(ctx);
    }
    free(a), free(b), free(first);
  }
}

static void test_empty(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  float a[4] = {1, 2, 3, 4}, c[4] = {5, 6, 7, 8};
  am_gemm(ctx, false, false, 0, 2, 2, 1, a, 2, a, 2, 0, c, 2);
  am_gemm(ctx, false, false, 2, 0, 2, 1, a, 2, a, 2, 0, c, 2);
  assert_true(c[0] == 5 && c[3] == 8);
  am_gemm(ctx, false, false, 2, 2, 0, 1, a, 1, a, 2, 0.5f, c, 2); /* nothing to add */
  assert_true(c[0] == 2.5f && c[3] == 4);
  am_context_free(ctx);
}

int main(void) {
  if (am_gemm_begin(NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_threads_do_not_matter),
      cmocka_unit_test(test_empty),
  };
  return cmocka_run_group_tests_name("tensor_gemm", tests, NULL, NULL);
}
