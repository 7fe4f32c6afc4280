/* SPDX-License-Identifier: MIT */
/* tests/model/test_fusion_fit.c - several models as one: the weights that suit clips best. */
#include "testing.h"

#include <math.h>

#include "base/rng.h"
#include "model/calibration.h"
#include "model/fusion.h"

enum { CLIPS = 3000, K = 4, MOST = 3 };
static double logs[MOST * CLIPS * K];
static int truth[CLIPS];

/* Log-probabilities that have nothing to do with each other, and labels drawn by their weighted sum. */
static void make_up(size_t n_members, const double *b, uint64_t seed) {
  am_rng rng = am_rng_stream(seed, AM_FOR_BOOTSTRAP, 0, 0, 0);
  for (size_t i = 0; i < n_members * CLIPS; i++) {
    double all = 0;
    for (int k = 0; k < K; k++) all += exp(logs[i * K + (size_t)k] = 2 * am_rng_normal(&rng));
    for (int k = 0; k < K; k++) logs[i * K + (size_t)k] -= log(all);
  }
  for (size_t i = 0; i < CLIPS; i++) {
    double p[K], all = 0, draw = am_rng_uniform(&rng);
    for (size_t k = 0; k < K; k++) {
      double z = 0;
      for (size_t m = 0; m < n_members; m++) z += b[m] * logs[(m * CLIPS + i) * K + k];
      all += p[k] = exp(z);
    }
    truth[i] = K - 1;
    for (int k = K - 1; k >= 0; k--)
      if ((draw -= p[k] / all) < 0) truth[i] = k, k = -1;
  }
}

static void weights_are_found_again(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b[3] = {0.75, 0.45, 0};
  double w[3], temperature;
  make_up(3, b, 5);
  assert_true(am_fusion_fit(ctx, logs, truth, 3, CLIPS, K, w, &temperature));
  assert_true(fabs(w[0] + w[1] + w[2] - 1) < 1e-12);
  assert_true(fabs(w[0] - 0.625) < 0.03 && fabs(w[1] - 0.375) < 0.03 && w[2] < 0.03);
  assert_true(fabs(temperature - 1 / 1.2) < 0.05);
  /* Nothing near is better, whatever is changed. */
  const double best = am_fusion_loss(logs, truth, 3, CLIPS, K, w, temperature);
  for (int m = 0; m < 4; m++)
    for (int sign = -1; sign < 2; sign += 2) {
      double near[3] = {w[0], w[1], w[2]}, t = temperature;
      if (m < 3) near[m] = fmax(0, near[m] + 0.01 * sign);
      else t *= 1 + 0.01 * sign;
      if (m < 3 && near[m] == w[m]) continue;
      assert_true(am_fusion_loss(logs, truth, 3, CLIPS, K, near, t) > best);
    }
  am_context_free(ctx);
}

static void a_member_that_misleads_has_no_weight(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b[2] = {1, -0.5};
  double w[2], temperature;
  make_up(2, b, 6);
  assert_true(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  assert_true(w[0] == 1 && w[1] == 0);
  am_context_free(ctx);
}

/* One member alone is temperature scaling. */
static void one_member_is_calibrated(void **state) {
  (void)state;
  static float z[CLIPS * K];
  am_context *ctx = am_test_context(1, NULL);
  const double b = 0.4;
  double w, temperature, other;
  make_up(1, &b, 7);
  for (size_t i = 0; i < CLIPS * K; i++) z[i] = (float)logs[i];
  assert_true(am_fusion_fit(ctx, logs, truth, 1, CLIPS, K, &w, &temperature));
  assert_true(am_calibration_fit(z, truth, CLIPS, K, &other));
  assert_true(w == 1);
  assert_true(fabs(temperature - other) < 1e-4 * other);
  am_context_free(ctx);
}

static void members_that_say_the_same_share(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b = 1;
  double w[2], temperature;
  make_up(1, &b, 8);
  memcpy(logs + CLIPS * K, logs, CLIPS * K * sizeof *logs);
  assert_true(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  assert_true(fabs(w[0] - 0.5) < 1e-6);
  am_context_free(ctx);
}

/* All right, at whatever temperature: the lowest.  Worse than guessing, or no numbers: nothing. */
static void ends_of_the_scale(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b[2] = {1, 1};
  double w[2], temperature;
  make_up(2, b, 9);
  for (size_t i = 0; i < CLIPS; i++)
    for (int k = 0; k < K; k++) logs[i * K + (size_t)k] = log(k == truth[i] ? 0.97 : 0.01);
  assert_true(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  assert_true(temperature >= AM_LOWEST_TEMPERATURE && temperature < 0.5 && w[0] > 0.9);
  for (size_t i = 0; i < CLIPS * K; i++) logs[i] = -logs[i];
  for (size_t i = 0; i < CLIPS * K; i++) logs[CLIPS * K + i] = -logs[CLIPS * K + i];
  assert_false(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  logs[7] = NAN;
  assert_false(am_fusion_fit(ctx, logs, truth, 1, CLIPS, K, w, &temperature));
  assert_false(am_fusion_fit(ctx, logs, truth, 1, 0, K, w, &temperature));
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_are_found_again),  cmocka_unit_test(a_member_that_misleads_has_no_weight),
      cmocka_unit_test(one_member_is_calibrated), cmocka_unit_test(members_that_say_the_same_share),
      cmocka_unit_test(ends_of_the_scale),
  };
  return cmocka_run_group_tests_name("fusion_fit", tests, NULL, NULL);
}
