/* SPDX-License-Identifier: MIT */
/* tests/model/test_metrics.c - figures against scikit-learn, and what intervals must do. */
#include "testing.h"

#include "golden_metrics.h"
#include "model/metrics.h"

static const char *const names_of[] = {"a", "b", "c", "d", "e", "f", "g"};

static float *probabilities(void) {
  static float p[GOLDEN_N * GOLDEN_K];
  for (int i = 0; i < GOLDEN_N * GOLDEN_K; i++) p[i] = (float)golden_probabilities[i];
  return p;
}

static void equal_scikit_learn(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  am_test_ok(am_metrics_compute(ctx, probabilities(), golden_truth, NULL, GOLDEN_N, names_of, GOLDEN_K, 1, &m, &err),
             &err);
  for (int k = 0; k < GOLDEN_K; k++) {
    assert_string_equal(m->labels[k], names_of[k]);
    assert_int_equal(m->support[k], golden_support[k]);
    if (!golden_support[k]) assert_true(isnan(m->recall[k]));
    else assert_true(fabs(m->recall[k] - golden_recall[k]) < 1e-15);
    assert_true(fabs(m->precision[k] - golden_precision[k]) < 1e-15);
    assert_true(fabs(m->f1[k] - golden_f1[k]) < 1e-15);
    for (int j = 0; j < GOLDEN_K; j++)
      assert_int_equal(m->confusion[k * GOLDEN_K + j], golden_confusion[k * GOLDEN_K + j]);
  }
  assert_int_equal(m->n, GOLDEN_N);
  assert_true(fabs(m->accuracy - golden_accuracy) < 1e-15);
  assert_true(fabs(m->uar - golden_uar) < 1e-15);
  assert_true(fabs(m->macro_f1 - golden_macro_f1) < 1e-15);
  assert_true(fabs(m->loss - golden_loss) < 1e-12);
  assert_true(fabs(m->ece - golden_ece) < 1e-12);
  assert_string_equal(m->interval, "Wilson");
  assert_true(fabs(m->low - golden_low) < 1e-12 && fabs(m->high - golden_high) < 1e-12);
  assert_true(m->uar_low < m->uar && m->uar < m->uar_high);
  am_metrics_free(m);
  am_context_free(ctx);
}

/* n clips of 2 classes, alternating; `right` says which are predicted right. */
static am_metrics *compute(am_context *ctx, int n, const bool *right, const int *speakers, uint64_t seed) {
  float p[256];
  int labels[128];
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  for (int i = 0; i < n; i++) {
    labels[i] = i % 2;
    int guess = right[i] ? labels[i] : 1 - labels[i];
    p[2 * i + guess] = 0.75f;
    p[2 * i + 1 - guess] = 0.25f;
  }
  am_test_ok(am_metrics_compute(ctx, p, labels, speakers, (size_t)n, names_of, 2, seed, &m, &err), &err);
  return m;
}

/* Recall and F1 are means over the same classes: those that occur, whatever else is predicted. */
static void means_are_over_the_classes_that_occur(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  const float always[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0};
  const int two[] = {0, 1, 0, 1};
  am_test_ok(am_metrics_compute(ctx, always, two, NULL, 3, names_of, 4, 1, &m, &err), &err); /* one answer for all */
  assert_int_equal(m->scored, 2);
  assert_true(m->uar == 0.5 && am_metrics_chance(m) == 0.5);
  assert_true(fabs(m->macro_f1 - 0.4) < 1e-15); /* (4/5 + 0) / 2 */
  am_metrics_free(m);
  am_test_ok(am_metrics_compute(ctx, always, two, NULL, 4, names_of, 4, 1, &m, &err),
             &err); /* and one of a class without clips */
  assert_int_equal(m->scored, 2);
  assert_true(m->f1[2] == 0 && isnan(m->recall[2]) && isnan(m->f1[3]));
  assert_true(fabs(m->macro_f1 - 0.4) < 1e-15);
  am_metrics_free(m);
  am_test_ok(am_metrics_compute(ctx, always, two, NULL, 0, names_of, 4, 1, &m, &err), &err);
  assert_int_equal(m->scored, 0);
  assert_true(isnan(m->uar) && isnan(m->macro_f1) && isnan(am_metrics_chance(m)));
  am_metrics_free(m);
  am_context_free(ctx);
}

/* Clips of a confusion matrix (K,K), row by row; speakers in turn of four, but `own` for those of class `of`. */
static am_metrics *diagnosed(am_context *ctx, const int *counts, int K, int of, int own) {
  static const char *const names[] = {"ann", "ben", "cleo", "dan"};
  static const char *const labels[] = {"calm", "happy", "sad", "angry"};
  float p[4 * 256];
  int truth[256], speakers[256], n = 0;
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  for (int i = 0; i < K * K; i++)
    for (int c = 0; c < counts[i]; c++, n++) {
      truth[n] = i / K;
      speakers[n] = i / K == of && c % 4 ? own : n % 4;
      for (int k = 0; k < K; k++) p[n * K + k] = k == i % K;
    }
  am_test_ok(am_metrics_compute(ctx, p, truth, speakers, (size_t)n, labels, K, 1, &m, &err), &err);
  am_test_ok(am_metrics_diagnose(m, truth, speakers, names, &err), &err);
  return m;
}

static bool has(const am_metrics *m, const char *kind, double figure, const char *words) {
  for (size_t i = 0; i < m->n_diagnoses; i++)
    if (!strcmp(m->diagnoses[i].kind, kind) && strstr(m->diagnoses[i].text, words))
      return fabs(m->diagnoses[i].figure - figure) < 1e-12;
  return false;
}

static void what_a_person_would_notice_is_said(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const int good[] = {8, 1, 1, 0, 1, 7, 1, 1, 0, 2, 8, 0, 1, 0, 1, 8},
            all[] = {0, 10, 0, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0, 10, 0, 0},
            nearly[] = {0, 10, 0, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0, 8, 0, 2},
            bad[] = {1, 3, 3, 3, 3, 2, 3, 2, 3, 3, 1, 3, 2, 3, 3, 2},
            swapped[] = {8, 1, 1, 0, 0, 2, 8, 0, 1, 7, 1, 1, 0, 1, 1, 8}, mostly[] = {0, 10, 0, 90};
  am_metrics *m = diagnosed(ctx, good, 4, -1, 0);
  assert_int_equal(m->n_diagnoses, 0);
  am_metrics_free(m);
  m = diagnosed(ctx, all, 4, -1, 0);
  assert_int_equal(m->n_diagnoses, 1);
  assert_true(has(m, "one_answer", 1,
                  "one answer for everything: 100.0 % of the clips are called \"happy\", and 25.0 % are it"));
  am_metrics_free(m);
  m = diagnosed(ctx, nearly, 4, -1, 0);
  assert_int_equal(m->n_diagnoses, 1);
  assert_true(has(m, "one_answer", 0.95, "one answer for nearly everything"));
  am_metrics_free(m);
  m = diagnosed(ctx, bad, 4, -1, 0);
  assert_int_equal(m->n_diagnoses, 1);
  assert_true(
      has(m, "below_chance", 0.15, "the average recall is 15.0 %, and guessing among the 4 classes gives 25.0 %"));
  am_metrics_free(m);
  m = diagnosed(ctx, swapped, 4, -1, 0);
  assert_int_equal(m->n_diagnoses, 1);
  assert_true(has(m, "exchanged_labels", 0.775, "\"happy\" and \"sad\" look exchanged"));
  assert_true(has(m, "exchanged_labels", 0.775, "would be 77.5 % instead of 47.5 %"));
  am_metrics_free(m);
  m = diagnosed(ctx, good, 4, 3, 2);
  assert_int_equal(m->n_diagnoses, 1);
  assert_true(has(m, "one_speaker", 0.7, "\"angry\" is mostly one speaker's: 7 of its 10 clips (70.0 %) are of cleo"));
  am_metrics_free(m);
  m = diagnosed(ctx, mostly, 2, -1, 0); /* nine of ten clips are it: no wonder that all are called so */
  assert_int_equal(m->n_diagnoses, 0);
  am_metrics_free(m);
  am_context_free(ctx);
}

/* Five clips of three sentences in two rooms; one room is not said, and a third trait has one value here. */
static am_status group(am_context *ctx, am_metrics **out, am_error *err) {
  static const char *rooms[] = {"hall", "yard", "lane"}, *texts[] = {"a", "b", "c"};
  static int room[] = {0, 1, 0, -1, 1}, text[] = {0, 1, 2, 0, 1}, place[] = {2, 2, 2, 2, 2};
  static am_trait traits[] = {{"room", 3, rooms, room}, {"text", 3, texts, text}, {"place", 3, rooms, place}};
  const am_dataset d = {.ctx = ctx, .n = 5, .n_traits = 3, .traits = traits};
  const float p[] = {0.9f, 0.1f, 0.2f, 0.8f, 0.4f, 0.6f, 0.7f, 0.3f, 0.6f, 0.4f};
  const int truth[] = {0, 1, 0, 0, 1};
  const uint32_t clips[] = {0, 1, 2, 3, 4};
  am_status status = am_metrics_compute(ctx, p, truth, NULL, 5, names_of, 2, 1, out, err);
  return status ? status : am_metrics_add_groups(*out, &d, clips, p, truth, err);
}

static void groups_are_scored_apart(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  am_test_ok(group(ctx, &m, &err), &err);
  assert_int_equal(m->n_groups, 5); /* not the place that all have, nor the room that none has */
  const am_group *hall = &m->groups[0], *yard = &m->groups[1], *b = &m->groups[3];
  assert_string_equal(hall->trait, "room");
  assert_string_equal(hall->value, "hall");
  assert_true(hall->n == 2 && hall->accuracy == 0.5 && hall->uar == 0.5 && hall->scored == 1);
  assert_string_equal(yard->value, "yard");
  assert_true(yard->n == 2 && yard->accuracy == 0.5 && yard->uar == 0.5 && yard->scored == 1);
  assert_string_equal(b->trait, "text");
  assert_true(b->n == 2 && b->scored == 1 && m->groups[2].n == 2 && m->groups[2].accuracy == 1);
  am_metrics_free(m);
  am_context_free(ctx);
  for (long n = 1;; n++) {
    am_test_memory memory;
    ctx = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    m = NULL;
    am_test_memory_arm(&memory, n);
    am_status status = group(ctx, &m, &err);
    bool fired = am_test_memory_fired(&memory);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_metrics_free(m);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(ctx);
    if (!fired) break;
  }
}

/* Six clips of three speakers and one of nobody that is known; "dan" has none here, "f10" comes after "f2". */
static am_status by_speaker(am_context *ctx, am_metrics **out, am_error *err) {
  static const char *const names[] = {"f10", "f2", "dan", "ann"};
  const float p[] = {0.9f, 0.1f, 0.8f, 0.2f, 0.3f, 0.7f, 0.6f, 0.4f, 0.2f, 0.8f, 0.9f, 0.1f, 0.9f, 0.1f};
  const int truth[] = {0, 1, 0, 1, 1, 0, 1}, speakers[] = {3, 3, 0, 1, 3, 3, -1};
  am_status status = am_metrics_compute(ctx, p, truth, NULL, 7, names_of, 2, 1, out, err);
  return status ? status : am_metrics_add_speakers(*out, p, truth, speakers, names, err);
}

static void speakers_are_scored_apart(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_metrics *m;
  am_test_ok(by_speaker(ctx, &m, &err), &err);
  assert_int_equal(m->n_speakers, 3);
  const am_speaker *s = m->speakers;
  assert_string_equal(s[0].name, "f2"); /* neither has any right: in natural order */
  assert_string_equal(s[1].name, "f10");
  assert_true(s[0].n == 1 && s[0].uar == 0 && s[0].scored == 1 && s[1].uar == 0);
  assert_string_equal(s[2].name, "ann");
  assert_true(s[2].n == 4 && s[2].accuracy == 0.75 && s[2].uar == 0.75 && s[2].scored == 2);
  assert_true(am_metrics_median_speaker(m) == 0);
  m->n_speakers = 2, m->speakers[1].uar = 0.5; /* of two the mean */
  assert_true(am_metrics_median_speaker(m) == 0.25);
  m->n_speakers = 3;
  am_metrics_free(m);
  am_test_ok(am_metrics_compute(ctx, (const float[]){1, 0}, (const int[]){0}, NULL, 1, names_of, 2, 1, &m, &err), &err);
  am_test_ok(am_metrics_add_speakers(m, (const float[]){1, 0}, (const int[]){0}, (const int[]){-1}, NULL, &err), &err);
  assert_true(m->n_speakers == 0 && isnan(am_metrics_median_speaker(m)));
  am_metrics_free(m);
  am_context_free(ctx);
  for (long n = 1;; n++) {
    am_test_memory memory;
    ctx = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    m = NULL;
    am_test_memory_arm(&memory, n);
    am_status status = by_speaker(ctx, &m, &err);
    bool fired = am_test_memory_fired(&memory);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_metrics_free(m);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(ctx);
    if (!fired) break;
  }
}

static void bootstrap_draws_speakers(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  enum { N = 48 };
  bool right[N];
  int speakers[N];
  /* Speakers who are all alike: drawing among them changes nothing. */
  for (int i = 0; i < N; i++) speakers[i] = i / 8, right[i] = i % 8 < 6;
  am_metrics *m = compute(ctx, N, right, speakers, 1);
  assert_string_equal(m->interval, "bootstrap over 6 speakers");
  assert_true(m->low == 0.75 && m->high == 0.75 && m->uar_low == 0.75 && m->uar_high == 0.75);
  am_metrics_free(m);

  /* Two speakers, one always right, one always wrong: half of the draws have one of them only. */
  for (int i = 0; i < N; i++) speakers[i] = 3 + 4 * (i / 24), right[i] = i < 24;
  m = compute(ctx, N, right, speakers, 1);
  assert_string_equal(m->interval, "bootstrap over 2 speakers");
  assert_true(m->low == 0 && m->high == 1);
  am_metrics_free(m);

  /* Many speakers, each right or wrong as a whole: the normal approximation of a share holds. */
  for (int i = 0; i < N; i++) speakers[i] = i / 2, right[i] = speakers[i] % 3 != 0;
  m = compute(ctx, N, right, speakers, 1);
  double half = 1.96 * sqrt(m->accuracy * (1 - m->accuracy) / 24);
  assert_true(fabs(m->low - (m->accuracy - half)) < 0.03 && fabs(m->high - (m->accuracy + half)) < 0.03);
  am_metrics *again = compute(ctx, N, right, speakers, 1);
  assert_true(m->low == again->low && m->uar_high == again->uar_high);
  am_metrics_free(m);
  am_metrics_free(again);

  /* One unknown speaker: nothing is known about who resembles whom. */
  speakers[5] = -1;
  m = compute(ctx, N, right, speakers, 1);
  assert_string_equal(m->interval, "Wilson");
  am_metrics_free(m);
  am_context_free(ctx);
}

static void refuses_what_is_no_number(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err;
  am_metrics *m;
  float p[] = {0.5f, 0.5f, NAN, 0.5f};
  int labels[] = {0, 1}, outside[] = {0, 2};
  am_test_fails(am_metrics_compute(ctx, p, labels, NULL, 2, names_of, 2, 1, &m, &err), AM_E_NUMERIC, &err,
                "class 0 for clip 1 is nan");
  assert_null(m);
  p[2] = 0.5f;
  am_test_fails(am_metrics_compute(ctx, p, outside, NULL, 2, names_of, 2, 1, &m, &err), AM_E_DATA, &err,
                "clip 1 has label 2");
  am_context_free(ctx);
}

/* Training asks of every epoch: the same bits as those of the end, from logits, too. */
static void scores_are_those_of_all_figures(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  static float logits[GOLDEN_N * GOLDEN_K];
  for (int i = 0; i < GOLDEN_N * GOLDEN_K; i++) logits[i] = 40 * probabilities()[i] - 20;
  am_metrics *all, *m;
  am_test_ok(am_metrics_compute(ctx, probabilities(), golden_truth, NULL, GOLDEN_N, names_of, GOLDEN_K, 1, &all, &err),
             &err);
  am_test_ok(am_metrics_score(ctx, logits, golden_truth, GOLDEN_N, names_of, GOLDEN_K, &m, &err), &err);
  assert_memory_equal(&m->accuracy, &all->accuracy, sizeof m->accuracy);
  assert_memory_equal(&m->uar, &all->uar, sizeof m->uar);
  assert_memory_equal(&m->macro_f1, &all->macro_f1, sizeof m->macro_f1);
  assert_int_equal(m->scored, all->scored);
  am_metrics_free(m);
  am_metrics_free(all);
  am_context_free(ctx);
}

static void survives_every_failed_allocation(void **state) {
  (void)state;
  int speakers[GOLDEN_N];
  for (int i = 0; i < GOLDEN_N; i++)
    speakers[i] = golden_truth[i] == 1 ? 6 : i % 7; /* so that there is something to say */
  for (long n = 1;; n++) {
    am_test_memory memory;
    am_context *ctx = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    am_metrics *m = NULL;
    am_error err = AM_ERROR_INIT;
    am_test_memory_arm(&memory, n);
    am_status status =
        am_metrics_compute(ctx, probabilities(), golden_truth, speakers, GOLDEN_N, names_of, GOLDEN_K, 1, &m, &err);
    if (!status) status = am_metrics_diagnose(m, golden_truth, speakers, names_of, &err);
    bool fired = am_test_memory_fired(&memory);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_metrics_free(m);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(ctx);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_scikit_learn),
      cmocka_unit_test(means_are_over_the_classes_that_occur),
      cmocka_unit_test(what_a_person_would_notice_is_said),
      cmocka_unit_test(groups_are_scored_apart),
      cmocka_unit_test(speakers_are_scored_apart),
      cmocka_unit_test(bootstrap_draws_speakers),
      cmocka_unit_test(refuses_what_is_no_number),
      cmocka_unit_test(scores_are_those_of_all_figures),
      cmocka_unit_test(survives_every_failed_allocation),
  };
  return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
