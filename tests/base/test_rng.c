/* SPDX-License-Identifier: MIT */
/* Philox and NumPy's MT19937 against known answers, and the shapes of the distributions. */
#include "testing.h"

#include "base/rng.h"

/* Random123 1.14, tests/kat_vectors, "philox4x32 10". */
static void philox_gives_the_known_answers(void **state) {
  (void)state;
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < 3; i++) {
    uint32_t out[4];
    am_philox(cases[i].counter, cases[i].key, out);
    assert_memory_equal(out, cases[i].out, sizeof out);
  }
}

static void streams_differ_and_repeat(void **state) {
  (void)state;
  am_rng streams[] = {
      am_rng_stream(1, AM_FOR_INIT, 0, 0, 0),    am_rng_stream(2, AM_FOR_INIT, 0, 0, 0),
      am_rng_stream(1, AM_FOR_DROPOUT, 0, 0, 0), am_rng_stream(1, AM_FOR_INIT, 1, 0, 0),
      am_rng_stream(1, AM_FOR_INIT, 0, 1, 0),    am_rng_stream(1, AM_FOR_INIT, 0, 0, 1),
      am_rng_stream(0, AM_FOR_INIT, 0, 0, 0),
  };
  enum { N = sizeof streams / sizeof *streams };
  for (int i = 0; i < N; i++)
    for (int j = 0; j < i; j++) {
      am_rng a = streams[i], b = streams[j];
      uint32_t x[4], y[4];
      am_rng_fill(&a, x, 4);
      am_rng_fill(&b, y, 4);
      assert_memory_not_equal(x, y, sizeof x);
    }
  am_rng again = am_rng_stream(1, AM_FOR_INIT, 0, 0, 0);
  for (int i = 0; i < 9; i++) assert_int_equal(am_rng_u32(&streams[0]), am_rng_u32(&again));
}

static void fill_equals_one_by_one(void **state) {
  (void)state;
  for (size_t start = 0; start < 5; start++)
    for (size_t n = 0; n < 14; n++) {
      am_rng a = am_rng_stream(9, AM_FOR_DROPOUT, 1, 2, 3), b = a;
      a.position = b.position = start;
      uint32_t out[14];
      am_rng_fill(&a, out, n);
      for (size_t i = 0; i < n; i++) assert_int_equal(out[i], am_rng_u32(&b));
      assert_int_equal(a.position, b.position);
    }
}

static void distributions_have_their_moments(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(42, AM_FOR_SYNTH, 0, 0, 0);
  enum { N = 200000 };
  double sum = 0, squares = 0, normal = 0, normal2 = 0, normal4 = 0;
  for (int i = 0; i < N; i++) {
    double u = am_rng_uniform(&rng), z = am_rng_normal(&rng);
    assert_true(u >= 0 && u < 1);
    assert_true(isfinite(z));
    sum += u;
    squares += u * u;
    normal += z;
    normal2 += z * z;
    normal4 += z * z * z * z;
  }
  /* five standard errors */
  assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
  assert_true(fabs(squares / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
  assert_true(fabs(normal / N) < 5 / sqrt(N));
  assert_true(fabs(normal2 / N - 1) < 5 * sqrt(2.0 / N));
  assert_true(fabs(normal4 / N - 3) < 5 * sqrt(96.0 / N));
  double r = am_rng_range(&rng, -3, -2);
  assert_true(r >= -3 && r < -2);
}

static void below_is_even(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(3, AM_FOR_ORDER, 0, 0, 0);
  int counts[7] = {0};
  for (int i = 0; i < 70000; i++) counts[am_rng_below(&rng, 7)]++;
  for (int i = 0; i < 7; i++) assert_true(abs(counts[i] - 10000) < 5 * 93); /* sqrt(70000 * 6/49) = 92.6 */
  assert_int_equal(am_rng_below(&rng, 1), 0);
  uint64_t large = (UINT64_C(1) << 40) + 12345, most = 0;
  for (int i = 0; i < 1000; i++) {
    uint64_t x = am_rng_below(&rng, large);
    assert_true(x < large);
    if (x > most) most = x;
  }
  assert_true(most > large - large / 50);
  for (int i = 0; i < 100; i++) assert_true(am_rng_below(&rng, UINT64_C(0x100000000)) <= UINT32_MAX);
}

static void shuffle_is_a_permutation(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(5, AM_FOR_ORDER, 1, 0, 0);
  int first_place[5] = {0};
  for (int round = 0; round < 5000; round++) {
    uint32_t items[5] = {0, 1, 2, 3, 4}, seen = 0;
    am_rng_shuffle(&rng, items, 5);
    for (int i = 0; i < 5; i++) seen |= 1u << items[i];
    assert_int_equal(seen, 31);
    first_place[items[0]]++;
  }
  for (int i = 0; i < 5; i++) assert_true(abs(first_place[i] - 1000) < 5 * 29);
  am_rng_shuffle(&rng, NULL, 0);
}

/* The 10000th number of the reference implementation seeded with 5489 (ISO C++ [rand.predef]). */
static void mt19937_gives_the_known_answer(void **state) {
  (void)state;
  am_mt19937 mt;
  am_mt_seed(&mt, 5489);
  uint32_t x = 0;
  for (int i = 0; i < 10000; i++) x = am_mt_u32(&mt);
  assert_int_equal(x, 4123659995u);
}

/* numpy.random.RandomState(42).permutation(n), NumPy 2.4. */
static void permutations_equal_numpy(void **state) {
  (void)state;
  am_mt19937 mt;
  uint32_t out[1440], wanted1[] = {0}, wanted2[] = {1, 0}, wanted10[] = {8, 1, 5, 0, 7, 2, 9, 4, 3, 6};
  const uint32_t wanted20[] = {0, 17, 15, 1, 8, 5, 11, 3, 18, 16, 13, 2, 9, 19, 4, 12, 7, 10, 14, 6};
  struct {
    const uint32_t *wanted;
    size_t n;
  } cases[] = {{wanted1, 1}, {wanted2, 2}, {wanted10, 10}, {wanted20, 20}};
  for (size_t i = 0; i < 4; i++) {
    am_mt_seed(&mt, 42);
    am_mt_permutation(&mt, out, cases[i].n);
    assert_memory_equal(out, cases[i].wanted, cases[i].n * sizeof *out);
  }
  am_mt_seed(&mt, 42);
  am_mt_permutation(&mt, out, 1440);
  const uint32_t head[] = {168, 605, 548, 65, 628, 964, 1390, 1422, 1199, 244};
  const uint32_t tail[] = {1095, 1130, 1294, 860, 1126};
  assert_memory_equal(out, head, sizeof head);
  assert_memory_equal(out + 1435, tail, sizeof tail);
  uint32_t *large = malloc(100000 * sizeof *large);
  uint64_t sum = 0;
  am_mt_seed(&mt, 7);
  am_mt_permutation(&mt, large, 100000);
  for (uint64_t i = 0; i < 100000; i++) sum += i * large[i];
  assert_true(sum == UINT64_C(250316905599413));
  free(large);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_gives_the_known_answers),
      cmocka_unit_test(streams_differ_and_repeat),
      cmocka_unit_test(fill_equals_one_by_one),
      cmocka_unit_test(distributions_have_their_moments),
      cmocka_unit_test(below_is_even),
      cmocka_unit_test(shuffle_is_a_permutation),
      cmocka_unit_test(mt19937_gives_the_known_answer),
      cmocka_unit_test(permutations_equal_numpy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
