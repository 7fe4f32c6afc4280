/* SPDX-License-Identifier: MIT */
/* Which frames and bins moved an answer, of nets that are known to look at some alone. */
#include "testing.h"

#include "model/config.h"
#include "model/why.h"

enum { T = 40, F = 16, T0 = 10, T1 = 20, F0 = 4, F1 = 8 };

static int begin(void **state) {
  *state = am_test_context(2, NULL);
  return 0;
}

static int end(void **state) {
  am_context_free(*state);
  return 0;
}

static am_model *net(am_context *ctx, const char *layers, bool variable) {
  am_error err = AM_ERROR_INIT;
  am_config *config = NULL;
  am_model *model = NULL;
  char yaml[512];
  snprintf(yaml, sizeof yaml, "data: {corpus: ravdess, root: nowhere}\nmodel: {layers: %s}\n", layers);
  am_test_ok(am_config_from_text(ctx, yaml, "net.yaml", NULL, 0, &config, &err), &err);
  am_test_ok(am_config_model(config, T, F, variable, 2, &model, &err), &err);
  am_model_initialise(model, 1);
  am_config_free(config);
  return model;
}

/* Numbers without a pattern, and a loud patch. */
static void fill(float *x, int length) {
  uint32_t seed = 7;
  memset(x, 0, sizeof(float) * T * F);
  for (int t = 0; t < length; t++)
    for (int f = 0; f < F; f++) {
      seed = seed * 1664525U + 1013904223U;
      x[t * F + f] = (float)(seed >> 8) / (1 << 24) - 0.5F;
      if (t >= T0 && t < T1 && f >= F0 && f < F1) x[t * F + f] += 2;
    }
}

/* The kernel (T*F,K) of a dense layer that sees the patch alone: for class 0, and against class 1. */
static void look_at_patch(am_model *model) {
  size_t n;
  am_real *w = am_model_weights(model, &n);
  memset(w, 0, n * sizeof *w);
  for (int t = T0; t < T1; t++)
    for (int f = F0; f < F1; f++) w[(t * F + f) * 2] = (am_real)0.1;
}

/* Two cells of 2 frames and 1 bin reach so far beyond the patch. */
static bool near_patch(int t, int f) { return t >= T0 - 4 && t < T1 + 4 && f >= F0 - 2 && f < F1 + 2; }

static void a_net_that_sees_a_patch_is_moved_by_it(void **state) {
  static float x[T * F];
  am_error err = AM_ERROR_INIT;
  am_why w, other;
  am_model *model = net(*state, "[flatten, dense: {bias: false}]", false);
  look_at_patch(model);
  fill(x, T);
  am_test_ok(am_why_scan(*state, model, x, T, &(am_why_question){0, 1, NULL}, &w, &err), &err);
  am_test_ok(am_why_scan(*state, model, x, T, &(am_why_question){1, 1, NULL}, &other, &err), &err);
  assert_int_equal(w.t, T);
  assert_int_equal(w.f, F);
  double z = 0, mean[F] = {0};
  for (int t = T0; t < T1; t++)
    for (int f = F0; f < F1; f++) z += 0.1 * (double)x[t * F + f];
  assert_true(fabs(w.figure - z) < 1e-4);
  for (int f = 0; f < F; f++)
    for (int t = 0; t < T; t++) mean[f] += (double)x[t * F + f] / T;
  for (int t = 0; t < T; t++)
    for (int f = 0; f < F; f++) {
      const double e = (double)w.effect[t * F + f];
      assert_true(fabs(e + (double)other.effect[t * F + f]) < 1e-4);
      if (!near_patch(t, f)) assert_true(fabs(e) < 1e-5);
      if (t >= T0 && t < T1 && f >= F0 && f < F1) assert_true(e > 0.1);
    }
  /* Of two classes the log-odds are the difference of the logits, so of this net they are a sum over the patch: what patches of all
   * bins take is known. */
  for (int t = 0; t < T; t += 2) {
    double taken = 0;
    for (int i = t - 2; i < t + 4; i++) /* in both patches, or in one */
      for (int f = F0; f < F1 && i >= T0 && i < T1; f++)
        taken += 0.1 * ((double)x[i * F + f] - mean[f]) * (i >= t && i < t + 2 ? 1 : 0.5);
    assert_true(fabs((double)w.by_frame[t] - taken) < 1e-4);
    assert_true(w.by_frame[t] == w.by_frame[t + 1]);
  }
  for (int f = 0; f < F; f++) assert_true((fabs((double)w.by_bin[f]) > 1e-4) <= (f >= F0 - 1 && f <= F1));
  am_why_free(*state, &w);
  am_why_free(*state, &other);
  am_model_free(model);
}

static void temperature_divides_effects_of_two_classes(void **state) {
  static float x[T * F];
  am_error err = AM_ERROR_INIT;
  am_why one, two;
  am_model *model = net(*state, "[flatten, dense: {bias: false}]", false);
  look_at_patch(model);
  fill(x, T);
  am_test_ok(am_why_scan(*state, model, x, T, &(am_why_question){0, 1, NULL}, &one, &err), &err);
  am_test_ok(am_why_scan(*state, model, x, T, &(am_why_question){0, 2, NULL}, &two, &err), &err);
  for (int i = 0; i < T * F; i++) assert_true(fabs((double)one.effect[i] - 2 * (double)two.effect[i]) < 1e-4);
  am_why_free(*state, &one);
  am_why_free(*state, &two);
  am_model_free(model);
}

/* Of dimensions it is the value that moves: the output times half of the scale, whatever the others say. */
static void values_move_on_their_scale(void **state) {
  static float x[T * F];
  const am_scale one = {1, 7}, *scale = &one;
  am_error err = AM_ERROR_INIT;
  am_why odds, value, other;
  am_model *model = net(*state, "[flatten, dense: {bias: false}]", false);
  look_at_patch(model);
  fill(x, T);
  am_test_ok(am_why_scan(*state, model, x, T, &(am_why_question){0, 1, NULL}, &odds, &err), &err);
  am_test_ok(am_why_scan(*state, model, x, T, &(am_why_question){0, 1, scale}, &value, &err), &err);
  am_test_ok(am_why_scan(*state, model, x, T, &(am_why_question){1, 1, scale}, &other, &err), &err);
  assert_true(fabs(value.figure - (4 + 3 * odds.figure)) < 1e-4 && other.figure == 4);
  for (int i = 0; i < T * F; i++) { /* the second output is 0, so the log-odds are the first */
    assert_true(fabs((double)value.effect[i] - 3 * (double)odds.effect[i]) < 1e-4);
    assert_true(other.effect[i] == 0);
  }
  am_why_free(*state, &odds);
  am_why_free(*state, &value);
  am_why_free(*state, &other);
  am_model_free(model);
}

/* A shorter sound, through layers that pool: only its frames, and of its bins only those that are passed on. */
static void bins_that_are_not_passed_on_have_no_effect(void **state) {
  static float x[T * F];
  am_error err = AM_ERROR_INIT;
  am_why w;
  const int length = 30;
  am_model *model =
      net(*state,
          "[bins: {first: 4, count: 4}, conv2d: {filters: 4, kernel: 3, padding: same, activation: relu}, batch_norm, "
          "dropout: {rate: 0.5}, global_average_pool, dense]",
          true);
  fill(x, length);
  am_test_ok(am_why_scan(*state, model, x, length, &(am_why_question){0, 1, NULL}, &w, &err), &err);
  assert_int_equal(w.t, length);
  double most = 0;
  for (int t = 0; t < length; t++)
    for (int f = 0; f < F; f++) {
      const double e = fabs((double)w.effect[t * F + f]);
      if (f >= F0 && f < F1) most = fmax(most, e);
      if (f < F0 - 1 || f > F1) assert_true(e == 0);
    }
  assert_true(most > 1e-3);
  am_why_free(*state, &w);
  am_model_free(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_net_that_sees_a_patch_is_moved_by_it, begin, end),
      cmocka_unit_test_setup_teardown(values_move_on_their_scale, begin, end),
      cmocka_unit_test_setup_teardown(temperature_divides_effects_of_two_classes, begin, end),
      cmocka_unit_test_setup_teardown(bins_that_are_not_passed_on_have_no_effect, begin, end)};
  return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
