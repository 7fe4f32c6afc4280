/* SPDX-License-Identifier: MIT */
/* Fast convolution and pooling kernels against the plain ones. */
#include "convs.h"

/* Terms are about 1, so partial sums are about sqrt(terms) and each of `terms` additions rounds by 6e-8 of that: the
 * rounding of two orders of summation differs by 6e-8 terms, a few times that at worst of so many. */
static void same(const char *what, const am_conv *c, const float *got, const float *wanted, size_t n, double terms) {
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)got[i] - (double)wanted[i]) <= 2.5e-7 * (terms + 16)))
      fail_msg("%s of %s: [%zu] is %.9g, wanted %.9g", what, describe(c), i, (double)got[i], (double)wanted[i]);
}

static void check_forward(const am_kernels *k, const am_conv *c, am_rng *rng) {
  float *x = random_reals(rng, x_count(c)), *w = random_reals(rng, w_count(c)),
        *bias = random_reals(rng, (size_t)c->co);
  float *y = random_reals(rng, y_count(c)), *wanted = copy_reals(y, y_count(c));
  float *packed = malloc(k->conv_packed_count(c) * sizeof *packed);
  k->conv_pack(c, w, packed);
  am_epilogue epilogue = draw(rng, 0, 1) ? AM_EPILOGUE_RELU : AM_EPILOGUE_NONE;
  const float *use = draw(rng, 0, 3) ? bias : NULL;
  int t0 = draw(rng, 0, c->to), t1 = draw(rng, t0, c->to), cut = draw(rng, t0, t1);
  float *scratch = malloc(k->conv_scratch_count(c) * sizeof *scratch + 1);
  am_kernels_plain()->conv_forward(c, x, w, use, epilogue, t0, t1, wanted, NULL);
  k->conv_forward(c, x, packed, use, epilogue, t0, t1, y, scratch); /* rows outside [t0,t1) must stay */
  same("forward", c, y, wanted, y_count(c), c->kt * c->kf * c->ci);
  /* Cut anywhere, every output has the same bits. */
  float *again = copy_reals(y, y_count(c));
  memset(again + (size_t)t0 * (size_t)c->fo * (size_t)c->co, 0,
         (size_t)(t1 - t0) * (size_t)c->fo * (size_t)c->co * sizeof *again);
  k->conv_forward(c, x, packed, use, epilogue, t0, cut, again, scratch);
  k->conv_forward(c, x, packed, use, epilogue, cut, t1, again, scratch);
  assert_memory_equal(again, y, y_count(c) * sizeof *y);
  free(x), free(w), free(bias), free(y), free(wanted), free(packed), free(again), free(scratch);
}

static void check_backward_x(const am_kernels *k, const am_conv *c, am_rng *rng) {
  float *dy = random_reals(rng, y_count(c)), *w = random_reals(rng, w_count(c));
  float *dx = random_reals(rng, x_count(c)), *wanted = copy_reals(dx, x_count(c));
  float *packed = malloc(k->conv_packed_back_count(c) * sizeof *packed);
  k->conv_pack_back(c, w, packed);
  int t0 = draw(rng, 0, c->ti), t1 = draw(rng, t0, c->ti);
  float *scratch = malloc(k->conv_scratch_count(c) * sizeof *scratch + 1);
  am_kernels_plain()->conv_backward_x(c, dy, w, t0, t1, wanted, NULL);
  k->conv_backward_x(c, dy, packed, t0, t1, dx, scratch);
  same("backward to x", c, dx, wanted, x_count(c), c->kt * c->kf * c->co);
  free(dy), free(w), free(dx), free(wanted), free(packed), free(scratch);
}

static void check_backward_w(const am_kernels *k, const am_conv *c, am_rng *rng) {
  float *x = random_reals(rng, x_count(c)), *dy = random_reals(rng, y_count(c));
  float *dw = random_reals(rng, w_count(c)), *wanted = copy_reals(dw, w_count(c));
  int t0 = draw(rng, 0, c->to), t1 = draw(rng, t0, c->to);
  float *scratch = malloc(k->conv_scratch_count(c) * sizeof *scratch + 1);
  am_kernels_plain()->conv_backward_w(c, x, dy, t0, t1, wanted, NULL);
  k->conv_backward_w(c, x, dy, t0, t1, dw, scratch);
  same("backward to the kernel", c, dw, wanted, w_count(c), c->to * c->fo);
  free(x), free(dy), free(dw), free(wanted), free(scratch);
}

static void check_all(const am_conv *c, am_rng *rng) {
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t n = fast_kernels(kernels);
  for (size_t i = 0; i < n; i++) {
    check_forward(kernels[i], c, rng);
    check_backward_x(kernels[i], c, rng);
    check_backward_w(kernels[i], c, rng);
  }
}

static void test_random_shapes(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(1, AM_FOR_SYNTH, 0, 0, 0);
  static const int channels[] = {1, 2, 3, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 40, 64};
  for (int i = 0; i < 400; i++) {
    int ci = channels[draw(&rng, 0, 14)], co = channels[draw(&rng, 0, 14)];
    bool sequence = draw(&rng, 0, 3) == 0;
    int fi = sequence ? 1 : draw(&rng, 1, 24), kf = sequence ? 1 : draw(&rng, 1, 5);
    am_conv c =
        conv_of(draw(&rng, 1, 20), fi, ci, co, draw(&rng, 1, 5), kf, draw(&rng, 1, 3), sequence ? 1 : draw(&rng, 1, 3),
                draw(&rng, 1, 3), sequence ? 1 : draw(&rng, 1, 3), (am_padding)draw(&rng, 0, 2), draw(&rng, 0, 4));
    if (c.to > 0 && c.fo > 0) check_all(&c, &rng);
  }
}

/* Shapes of the published nets and of what the kernels treat apart. */
static void test_chosen_shapes(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(2, AM_FOR_SYNTH, 0, 0, 0);
  const am_conv chosen[] = {
      conv_of(9, 128, 1, 32, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0), /* RAVDESS CNN 1, a few frames */
      conv_of(7, 64, 32, 64, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0),
      conv_of(150, 14, 1, 24, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0), /* one channel: rows of a tile, several parts */
      conv_of(4, 2100, 1, 8, 3, 3, 1, 1, 1, 1, AM_PAD_VALID, 0), /* rows cut into parts */
      conv_of(5, 15, 1, 49, 3, 3, 1, 1, 1, 1, AM_PAD_EXPLICIT, 4),
      conv_of(40, 1, 1, 32, 5, 1, 1, 1, 1, 1, AM_PAD_SAME, 0), /* RAVDESS model 2 */
      conv_of(10, 1, 32, 64, 5, 1, 1, 1, 1, 1, AM_PAD_SAME, 0),
      conv_of(4, 8, 600, 70, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0), /* many terms */
      conv_of(3, 9, 64, 256, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0), /* weights beyond the cache */
      conv_of(12, 3, 16, 48, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0), /* rows shorter than a tile */
      conv_of(40, 8, 24, 48, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0), /* short rows, all in tiles along time */
      conv_of(9, 13, 24, 40, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0), /* Winograd's: odd sizes, partial vectors */
      conv_of(6, 7, 130, 33, 3, 3, 1, 1, 1, 1, AM_PAD_VALID, 0),
      conv_of(40, 12, 25, 24, 3, 3, 1, 1, 1, 1, AM_PAD_EXPLICIT, 3),
      conv_of(1, 2, 48, 96, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0),
      conv_of(12, 2, 16, 16, 3, 3, 2, 2, 1, 1, AM_PAD_SAME, 0),
      conv_of(300, 1, 8, 16, 3, 1, 1, 1, 1, 1, AM_PAD_VALID, 0), /* long sequence: several chunks */
      conv_of(5, 150, 2, 20, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0),  /* long rows */
      conv_of(2, 2, 1, 1, 1, 1, 1, 1, 1, 1, AM_PAD_VALID, 0),
      conv_of(6, 17, 33, 35, 1, 1, 1, 1, 1, 1, AM_PAD_VALID, 0),
      conv_of(8, 16, 32, 32, 1, 1, 2, 2, 1, 1, AM_PAD_SAME, 0),  /* projection of a residual block */
      conv_of(3, 40, 2, 5, 9, 30, 1, 1, 1, 1, AM_PAD_SAME, 0),   /* kernel larger than the clip */
      conv_of(5, 6, 4, 4, 2, 2, 1, 1, 1, 1, AM_PAD_EXPLICIT, 4), /* windows of nothing but padding */
  };
  for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) check_all(&chosen[i], &rng);
}

/* Windows of a clip, as the fused layer asks: rows counted from the block, `before` negative or large. */
static void test_windows_of_rows(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(3, AM_FOR_SYNTH, 0, 0, 0);
  for (int i = 0; i < 100; i++) {
    am_conv c = conv_of(draw(&rng, 3, 12), draw(&rng, 1, 20), 4, 20, 3, 3, draw(&rng, 1, 2), 1, 1, 1, AM_PAD_SAME, 0);
    int r0 = draw(&rng, 0, c.to - 1), r1 = draw(&rng, r0, c.to);
    c.pt -= r0 * c.st;
    c.to = r1 - r0;
    check_all(&c, &rng);
  }
}

static void test_nan_stays_in_its_reach(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(4, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  am_conv c = conv_of(5, 30, 3, 18, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0);
  size_t count = fast_kernels(kernels);
  for (size_t i = 0; i < count; i++) {
    float *x = random_reals(&rng, x_count(&c)), *w = random_reals(&rng, w_count(&c)),
          *y = random_reals(&rng, y_count(&c));
    float *packed = malloc(kernels[i]->conv_packed_count(&c) * sizeof *packed);
    x[(2 * 30 + 17) * 3 + 1] = NAN;
    kernels[i]->conv_pack(&c, w, packed);
    kernels[i]->conv_forward(&c, x, packed, NULL, AM_EPILOGUE_RELU, 0, c.to, y,
                             NULL); /* too few channels for scratch */
    for (int t = 0; t < c.to; t++)
      for (int f = 0; f < c.fo; f++)
        for (int o = 0; o < c.co; o++)
          assert_int_equal(isnan(y[(t * 30 + f) * 18 + o]) != 0, t >= 1 && t <= 3 && f >= 16 && f <= 18);
    free(x), free(w), free(y), free(packed);
  }
}

/* Where a tile of 4 x 4 outputs shares its products, three pixels further at most. */
static void test_nan_stays_near(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(6, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  am_conv c = conv_of(9, 20, 32, 24, 3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0);
  size_t count = fast_kernels(kernels);
  for (size_t i = 0; i < count; i++) {
    float *x = random_reals(&rng, x_count(&c)), *w = random_reals(&rng, w_count(&c)),
          *y = random_reals(&rng, y_count(&c));
    float *packed = malloc(kernels[i]->conv_packed_count(&c) * sizeof *packed);
    float *scratch = malloc(kernels[i]->conv_scratch_count(&c) * sizeof *scratch + 1);
    x[(4 * 20 + 9) * 32 + 7] = NAN;
    kernels[i]->conv_pack(&c, w, packed);
    kernels[i]->conv_forward(&c, x, packed, NULL, AM_EPILOGUE_RELU, 0, c.to, y, scratch);
    for (int t = 0; t < c.to; t++)
      for (int f = 0; f < c.fo; f++)
        for (int o = 0; o < c.co; o++) {
          bool is_nan = isnan(y[(t * 20 + f) * 24 + o]) != 0;
          if (abs(t - 4) <= 1 && abs(f - 9) <= 1) assert_true(is_nan);
          if (abs(t - 4) > 4 || abs(f - 9) > 4) assert_false(is_nan);
        }
    free(x), free(w), free(y), free(packed), free(scratch);
  }
}

/* Max pooling */

static void check_pool(const am_kernels *k, const am_conv *c, am_rng *rng) {
  size_t nx = x_count(c), ny = y_count(c);
  float *x = random_reals(rng, nx), *y = random_reals(rng, ny), *wanted = random_reals(rng, ny);
  uint8_t *index = malloc(ny), *wanted_index = malloc(ny);
  for (size_t i = 0; i < nx; i++) {
    x[i] = roundf(2 * x[i]) - 3; /* ties, and maxima below zero */
    if (draw(rng, 0, 30) == 0) x[i] = NAN;
  }
  am_kernels_plain()->max_pool(c, x, wanted, wanted_index);
  k->max_pool(c, x, y, index);
  assert_memory_equal(index, wanted_index, ny);
  for (size_t i = 0; i < ny; i++)
    if (!(y[i] == wanted[i] || (isnan(y[i]) && isnan(wanted[i]))))
      fail_msg("max_pool of %s: [%zu] is %g, wanted %g", describe(c), i, (double)y[i], (double)wanted[i]);
  float *no_index = random_reals(rng, ny);
  k->max_pool(c, x, no_index, NULL);
  assert_memory_equal(no_index, y, ny * sizeof *y);
  float *dy = random_reals(rng, ny), *dx = random_reals(rng, nx), *wanted_dx = random_reals(rng, nx);
  am_kernels_plain()->max_pool_back(c, dy, index, wanted_dx);
  k->max_pool_back(c, dy, index, dx);
  same("max_pool_back", c, dx, wanted_dx, nx, 9);
  free(x), free(y), free(wanted), free(index), free(wanted_index), free(no_index), free(dy), free(dx), free(wanted_dx);
}

static void test_max_pool(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(5, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t count = fast_kernels(kernels);
  for (int i = 0; i < 300; i++) {
    int n = draw(&rng, 1, 40), kt = draw(&rng, 1, 4), kf = draw(&rng, 1, 4), tiles = draw(&rng, 0, 1);
    int smallest = kt < kf ? kt : kf;
    am_conv c = conv_of(draw(&rng, 1, 9), draw(&rng, 1, 9), n, n, kt, kf, tiles ? kt : draw(&rng, 1, 5),
                        tiles ? kf : draw(&rng, 1, 5), 1, 1, (am_padding)draw(&rng, 0, 2), smallest / 2);
    for (size_t j = 0; j < count && c.to > 0 && c.fo > 0; j++) check_pool(kernels[j], &c, &rng);
  }
}

/* Keras and PyTorch rules, worked by hand. */
static void test_window_lengths(void **state) {
  (void)state;
  assert_int_equal(am_window_length(549, 2, 2, 1, AM_PAD_VALID, 0), 274);
  assert_int_equal(am_window_length(549, 3, 1, 1, AM_PAD_SAME, 0), 549);
  assert_int_equal(am_window_length(7, 3, 2, 1, AM_PAD_SAME, 0), 4);
  assert_int_equal(am_window_length(8, 3, 2, 1, AM_PAD_SAME, 0), 4);
  assert_int_equal(am_window_length(8, 3, 2, 2, AM_PAD_VALID, 0), 2);
  assert_int_equal(am_window_length(4, 3, 1, 2, AM_PAD_VALID, 0), 0);
  assert_int_equal(am_window_length(4, 3, 1, 1, AM_PAD_EXPLICIT, 2), 6);
  assert_int_equal(am_window_length(0, 3, 1, 1, AM_PAD_SAME, 0), 0);
  assert_int_equal(am_window_length(0, 1, 1, 1, AM_PAD_EXPLICIT, 3), 0);
  assert_int_equal(am_window_before(7, 3, 2, 1, AM_PAD_SAME, 0), 1);
  assert_int_equal(am_window_before(8, 3, 2, 1, AM_PAD_SAME, 0), 0);
  assert_int_equal(am_window_before(8, 4, 1, 1, AM_PAD_SAME, 0), 1);
  assert_int_equal(am_window_before(8, 1, 3, 1, AM_PAD_SAME, 0), 0);
  assert_int_equal(am_window_before(8, 3, 1, 1, AM_PAD_VALID, 0), 0);
  assert_int_equal(am_window_before(8, 3, 1, 1, AM_PAD_EXPLICIT, 2), 2);
  assert_int_equal(am_window_length(8, 3, 3, 2, AM_PAD_CAUSAL, 0), 3);
  assert_int_equal(am_window_before(8, 3, 3, 2, AM_PAD_CAUSAL, 0), 4);
  assert_int_equal(am_window_before(0, 3, 3, 2, AM_PAD_CAUSAL, 0), 0);
}

/* A convolution with the pooling of its map: forward the same bits as one after the other. */
static void check_pooled(const am_kernels *k, const am_conv *c, const am_conv *pool, am_rng *rng) {
  size_t nx = x_count(c), ny = y_count(pool), nw = w_count(c);
  float *x = random_reals(rng, nx), *w = random_reals(rng, nw), *bias = random_reals(rng, (size_t)c->co);
  float *map = random_reals(rng, y_count(c)), *y = random_reals(rng, ny), *wanted = random_reals(rng, ny);
  uint8_t *index = malloc(ny + 1), *wanted_index = malloc(ny + 1);
  float *packed = malloc(k->conv_packed_count(c) * sizeof *packed);
  float *scratch = malloc(k->conv_scratch_count(c) * sizeof *scratch + 1);
  const float *use = draw(rng, 0, 3) ? bias : NULL;
  am_epilogue epilogue = draw(rng, 0, 1) ? AM_EPILOGUE_RELU : AM_EPILOGUE_NONE;
  if (draw(rng, 0, 1)) x[draw(rng, 0, (int)nx - 1)] = NAN;
  k->conv_pack(c, w, packed);
  k->conv_forward(c, x, packed, use, epilogue, 0, c->to, map, scratch);
  am_kernels_plain()->max_pool(pool, map, wanted, wanted_index);
  k->conv_pool_forward(c, pool, x, packed, use, epilogue, y, index);
  assert_memory_equal(y, wanted, ny * sizeof *y);
  assert_memory_equal(index, wanted_index, ny);
  memset(y, 0, ny * sizeof *y);
  k->conv_pool_forward(c, pool, x, packed, use, epilogue, y, NULL);
  assert_memory_equal(y, wanted, ny * sizeof *y);
  for (size_t i = 0; i < nx; i++) x[i] = (float)am_rng_normal(rng);
  float *dy = random_reals(rng, ny), *dw = random_reals(rng, nw), *wanted_dw = copy_reals(dw, nw);
  am_kernels_plain()->max_pool_back(pool, dy, index, map);
  am_kernels_plain()->conv_backward_w(c, x, map, 0, c->to, wanted_dw, NULL);
  k->conv_pool_backward_w(c, pool, x, dy, index, dw);
  same("pooled backward to the kernel", c, dw, wanted_dw, nw, pool->to * pool->fo);
  free(x), free(w), free(bias), free(map), free(y), free(wanted), free(index), free(wanted_index), free(packed);
  free(scratch), free(dy), free(dw), free(wanted_dw);
}

static void test_pooled(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(7, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  size_t count = fast_kernels(kernels), checked = 0;
  for (int i = 0; i < 200; i++) {
    int bins = i == 0 ? 2300 : draw(&rng, 1, i % 10 ? 60 : 400);
    am_conv c = conv_of(draw(&rng, 1, 40), bins, 1, draw(&rng, 1, 70), 3, 3, 1, 1, 1, 1, (am_padding)draw(&rng, 0, 2),
                        draw(&rng, 0, 3));
    int r0 = c.to > 0 ? draw(&rng, 0, c.to - 1) : 0;
    c.pt -= r0, c.to -= r0; /* rows of a block */
    am_conv pool = conv_of(c.to, c.fo, c.co, c.co, 2, 2, 2, 2, 1, 1, AM_PAD_VALID, 0);
    for (size_t j = 0; j < count; j++) {
      if (c.to <= 0 || c.fo <= 0 || !kernels[j]->conv_pools(&c, &pool)) continue;
      check_pooled(kernels[j], &c, &pool, &rng);
      checked++;
    }
    assert_false(am_kernels_plain()->conv_pools(&c, &pool));
  }
  assert_true(checked >= 50 * count);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_shapes),   cmocka_unit_test(test_chosen_shapes),
      cmocka_unit_test(test_windows_of_rows), cmocka_unit_test(test_nan_stays_in_its_reach),
      cmocka_unit_test(test_nan_stays_near),  cmocka_unit_test(test_max_pool),
      cmocka_unit_test(test_window_lengths),  cmocka_unit_test(test_pooled),
  };
  return cmocka_run_group_tests_name("tensor_conv", tests, NULL, NULL);
}
