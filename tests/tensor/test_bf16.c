/* SPDX-License-Identifier: MIT */
/* Convolutions in bfloat16: the twin against definitions and the plain kernels, the instruction against the twin. */
#include "convs.h"

#include <float.h>

#include "tensor/tables.h"

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The instruction's, or NULL; then the test that wants it is skipped. */
static const am_bf16_kernels *instruction(void) {
#ifdef AM_HAVE_BF16
  if (am_context_has_bf16()) return &am_bf16_instruction;
#endif
  print_message("# skipped: no AVX512-BF16\n");
  return NULL;
}

static uint16_t rounded(float x) {
  uint16_t y;
  am_bf16_twin.round(1, &x, &y);
  return y;
}

static void numbers_are_rounded_to_the_nearest_even(void **state) {
  (void)state;
  assert_int_equal(rounded(1.0f), 0x3f80);
  assert_int_equal(rounded(-2.5f), 0xc020);
  assert_int_equal(rounded(1.0f + 0x1p-8f), 0x3f80); /* a tie, to even */
  assert_int_equal(rounded(1.0f + 0x3p-8f), 0x3f82); /* a tie, to even: up */
  assert_int_equal(rounded(1.0f + 0x1p-8f + 0x1p-23f), 0x3f81);
  assert_int_equal(rounded(1.0f + 0x1p-8f - 0x1p-23f), 0x3f80);
  assert_int_equal(rounded(FLT_MAX), 0x7f80); /* beyond the largest: infinite */
  assert_int_equal(rounded(-INFINITY), 0xff80);
  assert_int_equal(rounded(float_of(0x007fffff)), 0); /* subnormal, though the nearest is not */
  assert_int_equal(rounded(float_of(0x80000001)), 0x8000);
  assert_int_equal(rounded(FLT_MIN), 0x0080);
  assert_int_equal(rounded(float_of(0x7f800001)), 0x7fc0); /* NaN stays one */
}

/* One pair on one sum. */
static float pair(float s, uint32_t a, uint32_t b) {
  uint32_t row[32] = {b};
  am_bf16_twin.dot_pairs(1, 1, 1, &a, row, &s);
  return s;
}
static uint32_t two(float low, float high) { return bits_of(high) | bits_of(low) >> 16; }

static void a_pair_is_two_fused_steps_the_upper_first(void **state) {
  (void)state;
  assert_true(pair(1, two(2, 3), two(5, 7)) == 32);
  /* 2^24 + 1 is lost, 1 + 1 is not: which comes first can be told. */
  assert_true(pair(0, two(1, 4096), two(1, 4096)) == 16777216);
  assert_true(pair(1, two(4096, 1), two(4096, 1)) == 16777218);
  assert_true(pair(1, two(1, 4096), two(1, 4096)) == 16777216);
  /* Fused: 3 x 2^-24 in a product would be rounded off before the sum, were the product not exact. */
  assert_true(pair(-1, two(0, 1.0f + 0x1p-7f), two(0, 1.0f - 0x1p-8f)) == 0x1p-8f - 0x1p-15f);
  /* Subnormal: what comes in, what goes out, and the sum that stood there. */
  assert_true(pair(0, 0x00400000, two(0, 0x1p100f)) == 0);
  assert_true(pair(0, two(0, 0x1p-64f), two(0, 0x1p-64f)) == 0);
  assert_true(pair(float_of(0x00400000), two(0, 1), two(0, 0)) == 0);
  assert_true(bits_of(pair(0, two(-0.0f, -0x1p-64f), two(0, 0x1p-64f))) == 0x80000000u);
  /* A product too small for a float: it tells below the smallest normal number where that would be another number. */
  assert_true(pair(FLT_MIN, two(0, -0x1p-75f), two(0, 0x1p-75f)) == 0);
  assert_true(pair(FLT_MIN, two(0, -0x1p-76f), two(0, 0x1p-75f)) == FLT_MIN);
  /* A product too large is finite until it is summed. */
  assert_true(pair(-FLT_MAX, two(0, 0x1p64f), two(0, 0x1p64f)) == 0x1p104f);
  assert_true(pair(INFINITY, two(0, -0x1p100f), two(0, 0x1p100f)) == INFINITY);
  assert_true(isnan(pair(INFINITY, two(0, -INFINITY), two(0, 1))));
  assert_true(isnan(pair(0, two(0, INFINITY), two(0, 0))));
}

static void assert_same_bits(const float *got, const float *wanted, size_t n, const char *what) {
  for (size_t i = 0; i < n; i++)
    if (bits_of(got[i]) != bits_of(wanted[i]) && !(isnan(got[i]) && isnan(wanted[i])))
      fail_msg("%s: [%zu] is %a, the twin says %a", what, i, (double)got[i], (double)wanted[i]);
}

/* Any bits: exponents near 0, near each other, or all there are. */
static uint32_t any_bits(am_rng *rng, int kind) {
  const uint32_t bits = (uint32_t)am_rng_below(rng, (uint64_t)1 << 32);
  const uint32_t exponents[] = {bits >> 23 & 0xff, 120 + (bits >> 23) % 8, (bits >> 23) % 3, 60 + (bits >> 23) % 6};
  return (bits & 0x807fffffu) | exponents[kind] << 23;
}

static void the_instruction_gives_the_bits_of_the_twin(void **state) {
  (void)state;
  const am_bf16_kernels *fast = instruction();
  if (!fast) skip();
  am_rng rng = am_rng_stream(6, AM_FOR_SYNTH, 0, 0, 0);
  enum { ROWS = 14, COLUMNS = 32, PAIRS = 9 };
  for (int i = 0; i < 8000; i++) {
    uint32_t a[ROWS * PAIRS], b[PAIRS * COLUMNS];
    float c[ROWS * COLUMNS], wanted[ROWS * COLUMNS];
    int rows = draw(&rng, 1, ROWS), columns = draw(&rng, 1, COLUMNS), pairs = draw(&rng, 0, PAIRS),
        kind = draw(&rng, 0, 3);
    for (int k = 0; k < rows * pairs; k++) a[k] = any_bits(&rng, kind) >> 16 | (any_bits(&rng, kind) & 0xffff0000u);
    for (int k = 0; k < pairs * COLUMNS; k++) b[k] = any_bits(&rng, kind) >> 16 | (any_bits(&rng, kind) & 0xffff0000u);
    for (int k = 0; k < rows * columns; k++) wanted[k] = c[k] = float_of(any_bits(&rng, kind));
    am_bf16_twin.dot_pairs(rows, columns, pairs, a, b, wanted);
    fast->dot_pairs(rows, columns, pairs, a, b, c);
    assert_same_bits(c, wanted, (size_t)(rows * columns), "pairs");
    float x[33];
    uint16_t y[33], z[33];
    for (int k = 0; k < 33; k++) x[k] = float_of(any_bits(&rng, kind));
    const size_t n = (size_t)draw(&rng, 1, 33);
    am_bf16_twin.round(n, x, z);
    fast->round(n, x, y);
    assert_memory_equal(y, z, n * sizeof *y);
  }
}

static void round_all(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = float_of((uint32_t)rounded(x[i]) << 16);
}

typedef struct results {
  float *y, *dx, *dw;
} results;

static void free_results(results r) { free(r.y), free(r.dx), free(r.dw); }

/* Some rows of each; the others stay as they are. */
static results compute(const am_bf16_kernels *k, const am_conv *c, const float *x, const float *dy, const float *w,
                       const float *bias, bool relu, const int *t) {
  results r = {calloc(y_count(c), sizeof(float)), calloc(x_count(c), sizeof(float)), calloc(w_count(c), sizeof(float))};
  float *packed = malloc(k->packed_count(c) * sizeof *packed), *back = malloc(k->packed_back_count(c) * sizeof *back);
  float *scratch = malloc(k->scratch_count(c) * sizeof *scratch);
  k->pack(c, w, packed);
  k->pack_back(c, w, back);
  k->forward(c, x, packed, bias, relu ? AM_EPILOGUE_RELU : AM_EPILOGUE_NONE, t[0], t[1], r.y, scratch);
  k->backward_x(c, dy, back, t[2], t[3], r.dx, scratch);
  k->backward_w(c, x, dy, t[0], t[1], r.dw, scratch);
  free(packed), free(back), free(scratch);
  return r;
}

/* As in test_conv.c: the order of the sums is another. */
static void same(const char *what, const am_conv *c, const float *got, const float *wanted, size_t n, double terms) {
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)got[i] - (double)wanted[i]) <= 2.5e-7 * (terms + 16)))
      fail_msg("%s of %s: [%zu] is %.9g, wanted %.9g", what, describe(c), i, (double)got[i], (double)wanted[i]);
}

static void check(const am_conv *c, am_rng *rng, const am_bf16_kernels *fast) {
  float *x = random_reals(rng, x_count(c)), *w = random_reals(rng, w_count(c)), *dy = random_reals(rng, y_count(c));
  float *bias = random_reals(rng, (size_t)c->co);
  const bool relu = draw(rng, 0, 1);
  const float *use = draw(rng, 0, 3) ? bias : NULL;
  int t[4];
  t[0] = draw(rng, 0, c->to), t[1] = draw(rng, t[0], c->to), t[2] = draw(rng, 0, c->ti), t[3] = draw(rng, t[2], c->ti);
  results twin = compute(&am_bf16_twin, c, x, dy, w, use, relu, t);
  if (fast) {
    results r = compute(fast, c, x, dy, w, use, relu, t);
    assert_same_bits(r.y, twin.y, y_count(c), describe(c));
    assert_same_bits(r.dx, twin.dx, x_count(c), describe(c));
    assert_same_bits(r.dw, twin.dw, w_count(c), describe(c));
    free_results(r);
  }
  /* Of numbers that are rounded already, products are exact: what is left is the order of the sum. */
  round_all(x, x_count(c)), round_all(w, w_count(c)), round_all(dy, y_count(c));
  results of_rounded = compute(&am_bf16_twin, c, x, dy, w, use, relu, t);
  assert_memory_equal(of_rounded.y, twin.y, y_count(c) * sizeof *twin.y);
  const am_kernels *plain = am_kernels_plain();
  results p = {calloc(y_count(c), sizeof(float)), calloc(x_count(c), sizeof(float)), calloc(w_count(c), sizeof(float))};
  plain->conv_forward(c, x, w, use, relu ? AM_EPILOGUE_RELU : AM_EPILOGUE_NONE, t[0], t[1], p.y, NULL);
  plain->conv_backward_x(c, dy, w, t[2], t[3], p.dx, NULL);
  plain->conv_backward_w(c, x, dy, t[0], t[1], p.dw, NULL);
  same("forward", c, twin.y, p.y, y_count(c), c->kt * c->kf * c->ci);
  same("backward to x", c, twin.dx, p.dx, x_count(c), c->kt * c->kf * c->co);
  same("backward to the kernel", c, twin.dw, p.dw, w_count(c), c->to * c->fo);
  free_results(twin), free_results(of_rounded), free_results(p);
  free(x), free(w), free(dy), free(bias);
}

static void convolutions_are_those_of_rounded_numbers(void **state) {
  (void)state;
  const am_bf16_kernels *fast = instruction();
  am_rng rng = am_rng_stream(7, AM_FOR_SYNTH, 0, 0, 0);
  static const int channels[] = {1, 3, 8, 16, 17, 31, 32, 33, 40, 65};
  for (int i = 0; i < 120; i++) {
    bool sequence = draw(&rng, 0, 3) == 0;
    int fi = sequence ? 1 : draw(&rng, 1, 12), kf = sequence ? 1 : draw(&rng, 1, 4);
    am_conv c = conv_of(draw(&rng, 1, 12), fi, channels[draw(&rng, 0, 9)], channels[draw(&rng, 0, 9)], draw(&rng, 1, 4),
                        kf, draw(&rng, 1, 3), sequence ? 1 : draw(&rng, 1, 3), draw(&rng, 1, 3),
                        sequence ? 1 : draw(&rng, 1, 3), (am_padding)draw(&rng, 0, 2), draw(&rng, 0, 4));
    if (c.to > 0 && c.fo > 0) check(&c, &rng, fast);
  }
}

/* The twin where the path has no instruction, and the rest as it was. */
static void a_path_gets_its_kernels_exchanged(void **state) {
  (void)state;
  const char *names[AM_TEST_CPUS];
  const size_t n = am_test_cpus(names);
  for (size_t i = 0; i < n; i++) {
    am_context *ctx = am_test_context(1, names[i]);
    const am_kernels *before = am_kernels_of(ctx), k = am_kernels_bf16(ctx);
    const bool by_processor = am_context_has_bf16() && !strcmp(names[i], "avx512");
    assert_int_equal(am_bf16_by_processor(ctx), by_processor);
    assert_int_equal(k.conv_forward == am_bf16_twin.forward, !by_processor);
    assert_true(k.product == before->product && k.conv_backward_w != before->conv_backward_w);
    am_context_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_rounded_to_the_nearest_even),
      cmocka_unit_test(a_pair_is_two_fused_steps_the_upper_first),
      cmocka_unit_test(the_instruction_gives_the_bits_of_the_twin),
      cmocka_unit_test(convolutions_are_those_of_rounded_numbers),
      cmocka_unit_test(a_path_gets_its_kernels_exchanged),
  };
  return cmocka_run_group_tests_name("bf16", tests, NULL, NULL);
}
