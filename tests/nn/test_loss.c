/* SPDX-License-Identifier: MIT */
/* tests/nn/test_loss.c - losses by hand, and their gradients by differences. */
#include "testing.h"

#include "base/rng.h"
#include "nn/loss.h"

static const am_loss_options cross_entropy = {.kind = AM_LOSS_CROSS_ENTROPY, .gamma = 2};

static void close_to(double got, double wanted, double bound) {
  if (!(fabs(got - wanted) <= bound)) fail_msg("got %.17g, wanted %.17g", got, wanted);
}

static void cross_entropy_of_known_logits(void **state) {
  (void)state;
  const am_real z[4] = {0, (am_real)0.6931471805599453, 1, 1}, t[4] = {0, 1, 0.25f, 0.75f}, w[2] = {3, 0.5f};
  am_real dz[4], each[2];
  /* probabilities (1/3, 2/3) and (1/2, 1/2) */
  double sum = am_loss(&cross_entropy, z, t, NULL, 2, 2, dz, each);
  close_to(sum, log(1.5) + log(2), 1e-7);
  close_to(each[0], log(1.5), 1e-7);
  close_to(each[1], log(2), 1e-7);
  const am_real wanted[4] = {(am_real)(1.0 / 3), (am_real)(-1.0 / 3), 0.25f, -0.25f};
  assert_allclose_f(dz, wanted, 4, 1e-6, 1e-7);
  sum = am_loss(&cross_entropy, z, t, w, 2, 2, dz, each);
  close_to(sum, 3 * log(1.5) + 0.5 * log(2), 1e-6);
  close_to(each[0], log(1.5), 1e-7); /* unweighted */
  close_to(dz[0], 1, 1e-6);
  close_to(dz[2], 0.125, 1e-7);
}

static void label_smoothing_mixes_with_uniform(void **state) {
  (void)state;
  am_loss_options o = cross_entropy;
  o.label_smoothing = 0.3;
  const am_real z[3] = {1, -2, 0.5f}, t[3] = {0, 0, 1}, soft[3] = {0.1f, 0.1f, 0.8f};
  am_real a[3], b[3];
  double x = am_loss(&o, z, t, NULL, 1, 3, a, NULL), y = am_loss(&cross_entropy, z, soft, NULL, 1, 3, b, NULL);
  close_to(x, y, 1e-7);
  assert_allclose_f(a, b, 3, 1e-6, 1e-7);
}

static void extreme_logits_stay_finite_and_nan_passes(void **state) {
  (void)state;
  const am_real z[3] = {1000, -1000, 0}, t[3] = {1, 0, 0}, wrong[3] = {0, 1, 0};
  am_real dz[3];
  for (int kind = AM_LOSS_CROSS_ENTROPY; kind <= AM_LOSS_FOCAL; kind++) {
    am_loss_options o = {.kind = kind, .gamma = 2};
    close_to(am_loss(&o, z, t, NULL, 1, 3, dz, NULL), 0, 0);
    for (int k = 0; k < 3; k++) close_to(dz[k], 0, 0);
    close_to(am_loss(&o, z, wrong, NULL, 1, 3, dz, NULL), 2000, 1e-3);
    close_to(dz[1], -1, 1e-6);
    const am_real bad[3] = {1, NAN, 0};
    assert_true(isnan(am_loss(&o, bad, t, NULL, 1, 3, dz, NULL)));
    assert_true(isnan(dz[0]) && isnan(dz[1]) && isnan(dz[2]));
  }
  const am_real closed[3] = {1, -INFINITY, 1};
  close_to(am_loss(&cross_entropy, closed, t, NULL, 1, 3, dz, NULL), log(2), 1e-7);
  am_real p[6];
  const am_real rows[6] = {1000, 1000, -INFINITY, NAN, 0, 0};
  am_softmax_rows(rows, 2, 3, p);
  close_to(p[0], 0.5, 1e-7);
  close_to(p[2], 0, 0);
  assert_true(isnan(p[3]) && isnan(p[4]) && isnan(p[5]));
}

static void focal_weighs_easy_clips_down(void **state) {
  (void)state;
  am_loss_options o = {.kind = AM_LOSS_FOCAL, .gamma = 2};
  const am_real z[2] = {0, (am_real)1.0986122886681098}, t[2] = {0, 1}; /* p = 1/4, 3/4 */
  am_real dz[2], plain[2];
  close_to(am_loss(&o, z, t, NULL, 1, 2, dz, NULL), 0.0625 * log(4.0 / 3), 1e-8);
  o.gamma = 0;
  close_to(am_loss(&o, z, t, NULL, 1, 2, dz, NULL), am_loss(&cross_entropy, z, t, NULL, 1, 2, plain, NULL), 1e-8);
  assert_allclose_f(dz, plain, 2, 1e-6, 1e-8);
}

static void squared_error_is_the_mean_over_dimensions(void **state) {
  (void)state;
  am_loss_options o = {.kind = AM_LOSS_MSE};
  const am_real y[4] = {1, 2, 3, 4}, t[4] = {0, 0, 3, 2}, w[2] = {2, 1};
  am_real dy[4], each[2];
  close_to(am_loss(&o, y, t, w, 2, 2, dy, each), 2 * 2.5 + 2, 1e-7);
  close_to(each[0], 2.5, 1e-7);
  const am_real wanted[4] = {2, 4, 0, 2};
  assert_allclose_f(dy, wanted, 4, 0, 1e-7);
}

static void concordance_of_known_values(void **state) {
  (void)state;
  am_loss_options o = {.kind = AM_LOSS_CCC};
  /* y = t + 1: means 2 and 1, variance 2/3 each, covariance 2/3: c = (4/3) / (4/3 + 1) = 4/7 */
  const am_real y[3] = {1, 2, 3}, t[3] = {0, 1, 2};
  am_real dy[3], each[3];
  close_to(am_loss(&o, y, t, NULL, 3, 1, dy, each), 3 * 3.0 / 7, 1e-6);
  close_to(each[2], 3.0 / 7, 1e-6);
  close_to(am_loss(&o, t, t, NULL, 3, 1, dy, NULL), 0, 1e-7);
  const am_real same[3] = {2, 2, 2};
  close_to(am_loss(&o, same, same, NULL, 3, 1, dy, NULL), 0, 0);
  close_to(dy[0], 0, 0);
  close_to(am_loss(&o, same, t, NULL, 3, 1, dy, NULL), 3, 1e-6);
  const am_real none[3] = {0, 0, 0};
  close_to(am_loss(&o, y, t, none, 3, 1, dy, NULL), 0, 0);
  /* A clip of weight 2 counts like the clip twice. */
  const am_real w[3] = {1, 2, 1}, y4[4] = {1, 2, 2, 5}, t4[4] = {0, 1, 1, 2}, y3[3] = {1, 2, 5};
  am_real d3[3], d4[4];
  close_to(am_loss(&o, y3, t, w, 3, 1, d3, NULL), am_loss(&o, y4, t4, NULL, 4, 1, d4, NULL), 1e-6);
  close_to(d3[1], 2 * d4[1], 1e-6);
}

/* A target that is not a number is not known: the rest gives what it gives without the clip, and no gradient comes from it. */
static void unknown_targets_are_left_out(void **state) {
  (void)state;
  const am_real y[8] = {1, 7, 2, 1, 9, 2, 3, 3}, t[8] = {0, NAN, 1, 0, NAN, 1, 2, 2};
  const am_real first_y[3] = {1, 2, 3}, first_t[3] = {0, 1, 2}, second_y[3] = {1, 2, 3}, second_t[3] = {0, 1, 2};
  am_real dy[8], d1[3], d2[3];
  am_loss_options o = {.kind = AM_LOSS_CCC};
  const double one = am_loss(&o, first_y, first_t, NULL, 3, 1, d1, NULL) / 3,
               two = am_loss(&o, second_y, second_t, NULL, 3, 1, d2, NULL) / 3;
  close_to(am_loss(&o, y, t, NULL, 4, 2, dy, NULL), 4 * (one + two) / 2, 1e-6);
  assert_true(dy[1] == 0 && dy[4] == 0);
  close_to(dy[0], 4.0 / 3 * d1[0] / 2, 1e-6); /* the loss is of four clips, and three have a say in the column */
  close_to(dy[2], 4.0 / 3 * d1[1] / 2, 1e-6);
  close_to(dy[7], 4.0 / 3 * d2[2] / 2, 1e-6);
  const am_real none[8] = {0, NAN, 1, NAN, NAN, NAN, 2, NAN}; /* a column of which nothing is known does not count */
  close_to(am_loss(&o, y, none, NULL, 4, 2, dy, NULL), 4 * one, 1e-6);
  assert_true(dy[1] == 0 && dy[3] == 0 && dy[5] == 0 && dy[7] == 0);
  const am_real all[8] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  close_to(am_loss(&o, y, all, NULL, 4, 2, dy, NULL), 0, 0);
  o.kind = AM_LOSS_MSE;
  am_real each[4];
  close_to(am_loss(&o, y, t, NULL, 4, 2, dy, each), 0.5 + (0.5 + 0.5) + 0.5 + (0.5 + 0.5), 1e-6);
  close_to(each[0], 0.5, 1e-7); /* one of two values is known */
  assert_true(dy[1] == 0 && dy[4] == 0 && dy[0] == 1);
  const am_real lost[2] = {NAN, 1}, unknown[2] = {NAN, 1}; /* an output that is lost is told all the same */
  assert_true(isnan(am_loss(&o, lost, unknown, NULL, 1, 2, dy, NULL)));
}

/* The losses take am_real, so the step is one that float holds exactly and the bound is that of float. */
static void gradients_agree_with_differences(void **state) {
  (void)state;
  enum { B = 5, K = 4 };
  static const am_loss_options all[] = {{.kind = AM_LOSS_CROSS_ENTROPY},
                                        {.kind = AM_LOSS_CROSS_ENTROPY, .label_smoothing = 0.1},
                                        {.kind = AM_LOSS_FOCAL, .gamma = 2},
                                        {.kind = AM_LOSS_FOCAL, .gamma = 0.5, .label_smoothing = 0.2},
                                        {.kind = AM_LOSS_MSE},
                                        {.kind = AM_LOSS_CCC}};
  am_rng rng = am_rng_stream(1, AM_FOR_SYNTH, 0, 0, 0);
  am_real y[B * K], t[B * K], w[B], dy[B * K];
  for (int b = 0; b < B; b++) {
    double total = 0;
    w[b] = (am_real)am_rng_range(&rng, 0.5, 2);
    for (int k = 0; k < K; k++) {
      y[b * K + k] = (am_real)(round(am_rng_range(&rng, -3, 3) * 256) / 256);
      total += t[b * K + k] = (am_real)am_rng_range(&rng, 0, 1);
    }
    for (int k = 0; k < K; k++) t[b * K + k] = (am_real)(t[b * K + k] / total);
  }
  am_real some[B * K]; /* the same targets, but that some are not known */
  for (int i = 0; i < B * K; i++) some[i] = i % 3 ? t[i] : (am_real)NAN;
  const double h = 1.0 / 4096;
  const size_t n = sizeof all / sizeof *all;
  for (size_t j = 0; j < n + 2; j++) {
    const size_t o = j < n ? j : j - 2; /* mse and ccc once more */
    const am_real *to = j < n ? t : some;
    am_loss(&all[o], y, to, w, B, K, dy, NULL);
    for (int i = 0; i < B * K; i++) {
      am_real kept = y[i];
      double f[4];
      for (int s = 0; s < 4; s++) {
        y[i] = (am_real)(kept + (s < 2 ? s - 2 : s - 1) * h);
        f[s] = am_loss(&all[o], y, to, w, B, K, NULL, NULL);
      }
      y[i] = kept;
      double wanted = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
      if (!(fabs(wanted - dy[i]) < 1e-6 * (1 + fabs(wanted))))
        fail_msg("loss %zu, element %d: gradient %.9g, differences %.9g", j, i, (double)dy[i], wanted);
    }
  }
}

/* The best logits of clips that all look alike: the classes' shares p without adjustment, p^(1 - tau) scaled to 1 with it. */
static void prior_adjustment_takes_the_shares_out(void **state) {
  (void)state;
  enum { N = 8 };
  const size_t counts[3] = {5, 2, 1};
  for (int half = 0; half <= 2; half++) {
    const double tau = half / 2.0;
    am_real shift[3], z[N * 3] = {0}, adjusted[N * 3], t[N * 3] = {0}, dz[N * 3], p[3];
    double sum = 0;
    for (int k = 0, b = 0; k < 3; k++) {
      shift[k] = am_loss_prior(tau, counts[k], N);
      sum += pow((double)counts[k] / N, 1 - tau);
      for (size_t i = 0; i < counts[k]; i++) t[b++ * 3 + k] = 1;
    }
    for (int step = 0; step < 2000; step++) {
      am_loss_adjusted(z, shift, N, 3, adjusted);
      am_loss(&cross_entropy, adjusted, t, NULL, N, 3, dz, NULL);
      for (int k = 0; k < 3; k++) {
        am_real slope = 0;
        for (int b = 0; b < N; b++) slope += dz[b * 3 + k];
        for (int b = 0; b < N; b++) z[b * 3 + k] -= slope / N; /* one bias for all */
      }
    }
    am_softmax_rows(z, 1, 3, p);
    for (int k = 0; k < 3; k++) close_to((double)p[k], pow((double)counts[k] / N, 1 - tau) / sum, 1e-5);
  }
  close_to((double)am_loss_prior(1, 0, 8), log(1.0 / 8), 1e-6); /* finite for a class that is absent */
}

static void options_have_names(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_tree *tree = NULL;
  am_loss_options o;
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  am_test_ok(am_options_read(tree, am_loss_table, NULL, "train.loss", &o, &err), &err);
  assert_int_equal(o.kind, AM_LOSS_CROSS_ENTROPY);
  assert_true(o.label_smoothing == 0 && o.gamma == 2 && o.divide_by == 0);
  assert_int_equal(am_choice_index(am_loss_table[0].choices, "ccc"), AM_LOSS_CCC);
  am_tree_free(tree);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cross_entropy_of_known_logits),
      cmocka_unit_test(label_smoothing_mixes_with_uniform),
      cmocka_unit_test(extreme_logits_stay_finite_and_nan_passes),
      cmocka_unit_test(focal_weighs_easy_clips_down),
      cmocka_unit_test(squared_error_is_the_mean_over_dimensions),
      cmocka_unit_test(concordance_of_known_values),
      cmocka_unit_test(unknown_targets_are_left_out),
      cmocka_unit_test(gradients_agree_with_differences),
      cmocka_unit_test(prior_adjustment_takes_the_shares_out),
      cmocka_unit_test(options_have_names),
  };
  return cmocka_run_group_tests_name("nn loss", tests, NULL, NULL);
}
