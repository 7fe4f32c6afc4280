/* SPDX-License-Identifier: MIT */
/* tests/model/test_dimensions.c - figures of dimensions against audmetric and scipy, and what intervals must do. */
#include "testing.h"

#include "golden_dimensions.h"
#include "model/metrics.h"

static const char *const names_of[] = {"valence", "arousal", "dominance"};
static float predicted[GOLDEN_N * GOLDEN_K], truth[GOLDEN_N * GOLDEN_K];

static int make(void **state) {
  (void)state;
  for (int i = 0; i < GOLDEN_N * GOLDEN_K; i++) {
    predicted[i] = (float)golden_predicted[i];
    truth[i] = (float)golden_truth[i];
  }
  return 0;
}

static bool near(double a, double b) { return fabs(a - b) < 1e-12; }

static am_metrics *compute(am_context *ctx, const int *speakers, size_t n, uint64_t seed) {
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  am_test_ok(am_metrics_compute_dimensions(ctx, predicted, truth, speakers, n, names_of, GOLDEN_K, seed, &m, &err),
             &err);
  return m;
}

/* audmetric takes variances over n, too; what is not known is left out of each dimension by itself. */
static void equal_audmetric(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_metrics *m = compute(ctx, golden_speakers, GOLDEN_N, 1);
  double mean = 0;
  assert_int_equal(am_metrics_dimensions(m), GOLDEN_K);
  assert_int_equal(am_metrics_classes(m), 0);
  assert_int_equal(am_metrics_clips(m), GOLDEN_N);
  for (int k = 0; k < GOLDEN_K; k++) {
    double low, high;
    assert_string_equal(am_metrics_dimension(m, k), names_of[k]);
    assert_int_equal(am_metrics_dimension_clips(m, k), golden_known[k]);
    assert_true(near(am_metrics_dimension_ccc(m, k, &low, &high), golden_ccc[k]));
    assert_true(low < golden_ccc[k] && golden_ccc[k] < high);
    assert_true(near(am_metrics_dimension_pearson(m, k, &low, &high), golden_pearson[k]));
    assert_true(low < golden_pearson[k] && golden_pearson[k] < high);
    assert_true(near(am_metrics_dimension_rmse(m, k, &low, &high), golden_rmse[k]));
    assert_true(low < golden_rmse[k] && golden_rmse[k] < high);
    assert_true(near(am_metrics_dimension_mae(m, k, &low, &high), golden_mae[k]));
    assert_true(low < golden_mae[k] && golden_mae[k] < high);
    mean += golden_ccc[k] / GOLDEN_K;
  }
  double low, high;
  assert_true(near(am_metrics_ccc(m, &low, &high), mean));
  assert_true(low < mean && mean < high);
  assert_string_equal(m->interval, "bootstrap over 6 speakers");
  assert_true(isnan(am_metrics_accuracy(m)) && isnan(am_metrics_uar(m)) && isnan(am_metrics_loss(m)));
  assert_null(am_metrics_label(m, 0));
  assert_null(am_metrics_dimension(m, GOLDEN_K));
  assert_true(isnan(am_metrics_dimension_ccc(m, -1, NULL, NULL)));
  am_metrics_free(m);
  am_context_free(ctx);
}

/* The same seed gives the same interval; without speakers it is over clips, and narrower or not another one. */
static void intervals_follow_seed_and_speakers(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_metrics *a = compute(ctx, golden_speakers, GOLDEN_N, 1), *b = compute(ctx, golden_speakers, GOLDEN_N, 1),
             *c = compute(ctx, golden_speakers, GOLDEN_N, 2), *d = compute(ctx, NULL, GOLDEN_N, 1);
  assert_true(a->ccc_low == b->ccc_low && a->ccc_high == b->ccc_high);
  assert_true(a->ccc_low != c->ccc_low);
  assert_string_equal(d->interval, "bootstrap over 48 clips");
  assert_true(a->ccc_low != d->ccc_low);
  am_metrics_free(a);
  am_metrics_free(b);
  am_metrics_free(c);
  am_metrics_free(d);
  am_context_free(ctx);
}

static void undefined_figures_are_nan(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  const float one[] = {2, 2, 2, 2, 2, 2}, right[] = {2, NAN, 2, NAN, 2, NAN}, bad[] = {1, 2, INFINITY, 1, 1, 1};
  am_metrics *m;
  am_test_ok(am_metrics_compute_dimensions(ctx, one, right, NULL, 3, names_of, 2, 1, &m, &err), &err);
  assert_true(isnan(m->dimension[0].is.ccc) && isnan(m->dimension[0].is.pearson)); /* one constant, and the right one */
  assert_true(m->dimension[0].is.rmse == 0);
  assert_int_equal(m->dimension[1].is.n, 0); /* never known */
  assert_true(isnan(m->dimension[1].is.rmse) && isnan(m->ccc));
  am_metrics_free(m);
  const float varied[] = {1, 0, 2, 0, 3, 0};
  am_test_ok(am_metrics_compute_dimensions(ctx, one, varied, NULL, 3, names_of, 2, 1, &m, &err), &err);
  assert_true(m->dimension[0].is.ccc == 0); /* one answer for all agrees with nothing */
  am_metrics_free(m);
  am_test_ok(am_metrics_compute_dimensions(ctx, NULL, NULL, NULL, 0, names_of, 2, 1, &m, &err), &err);
  assert_true(isnan(am_metrics_ccc(m, NULL, NULL)));
  am_metrics_free(m);
  am_test_fails(am_metrics_compute_dimensions(ctx, bad, varied, NULL, 3, names_of, 2, 1, &m, &err), AM_E_NUMERIC, &err,
                "the valence of clip 1 is inf");
  am_test_fails(am_metrics_compute_dimensions(ctx, one, varied, NULL, 3, names_of, 0, 1, &m, &err), AM_E_USAGE, &err,
                "wanted 1 to");
  am_context_free(ctx);
}

static void speakers_and_groups_apart(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  uint32_t clips[GOLDEN_N];
  int half[GOLDEN_N];
  const char *halves[] = {"first", "second"};
  for (int i = 0; i < GOLDEN_N; i++) clips[i] = (uint32_t)i, half[i] = i < GOLDEN_N / 2 ? 0 : i == 40 ? -1 : 1;
  am_trait trait = {.name = "half", .n = 2, .values = halves, .of = half};
  const char *speakers[] = {"01", "02", "03", "04", "05", "06"};
  am_dataset d = {.ctx = ctx, .n = GOLDEN_N, .traits = &trait, .n_traits = 1, .speakers = speakers};
  const am_scored_clips of = {.clips = clips,
                              .probabilities = predicted,
                              .truth = truth,
                              .scale = (const am_scale[]){{1, 5}, {1, 5}, {1, 5}},
                              .speakers = golden_speakers,
                              .n = GOLDEN_N,
                              .names = names_of,
                              .classes = GOLDEN_K};
  am_metrics *m;
  am_test_ok(am_metrics_of_clips(&d, &of, false, 1, &m, &err), &err);
  assert_int_equal(m->n_speakers, GOLDEN_SPEAKERS);
  double before = INFINITY;
  for (size_t i = 0; i < m->n_speakers; i++) { /* the worst first */
    const am_speaker *s = &m->speakers[i];
    const int number = atoi(s->name) - 1;
    const double error = am_metrics_mean_rmse(s->of, GOLDEN_K);
    assert_int_equal(s->n, GOLDEN_N / GOLDEN_SPEAKERS);
    assert_true(error <= before);
    before = error;
    for (int k = 0; k < GOLDEN_K; k++) {
      assert_true(near(s->of[k].rmse, golden_speaker_rmse[number * GOLDEN_K + k]));
      assert_true(near(s->of[k].ccc, golden_speaker_ccc[number * GOLDEN_K + k]));
    }
  }
  assert_int_equal(m->n_groups, 2);
  assert_int_equal(m->groups[0].n + m->groups[1].n, GOLDEN_N - 1);
  am_buffer text = {0};
  const am_protocol protocol = {.split = "test", .corpus = "made up"};
  am_test_ok(am_metrics_json(ctx, m, &protocol, &text, &err), &err);
  assert_non_null(strstr(text.data, "\"scale\": [1, 5]"));
  assert_non_null(strstr(text.data, "\"dimensions\": {\n    \"valence\": {"));
  assert_null(strstr(text.data, "accuracy"));
  text.used = 0;
  m->dimension[1].scale = (am_scale){-3, 3};
  am_test_ok(am_metrics_json(ctx, m, &protocol, &text, &err), &err);
  assert_null(strstr(text.data, "\"scale\""));
  assert_non_null(strstr(text.data, "\"scales\": {\n    \"valence\": [1, 5],\n    \"arousal\": [-3, 3],"));
  am_buffer_free(ctx, &text);
  am_metrics_free(m);
  am_context_free(ctx);
}

static void survives_failed_allocations(void **state) {
  (void)state;
  bool fired = true;
  for (long n = 1; fired; n++) {
    am_test_memory memory;
    am_context *small = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    am_error err = AM_ERROR_INIT;
    am_metrics *m = NULL;
    am_test_memory_arm(&memory, n);
    am_status status =
        am_metrics_compute_dimensions(small, predicted, truth, golden_speakers, 6, names_of, GOLDEN_K, 1, &m, &err);
    fired = am_test_memory_fired(&memory);
    if (status) assert_true(status == AM_E_NOMEM && fired);
    am_metrics_free(m);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(small);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_audmetric),
      cmocka_unit_test(intervals_follow_seed_and_speakers),
      cmocka_unit_test(undefined_figures_are_nan),
      cmocka_unit_test(speakers_and_groups_apart),
      cmocka_unit_test(survives_failed_allocations),
  };
  return cmocka_run_group_tests_name("dimensions", tests, make, NULL);
}
