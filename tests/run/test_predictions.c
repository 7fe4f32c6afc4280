/* SPDX-License-Identifier: MIT */
/* The table of predictions: what is written is read back, and what is wrong in it is named with its line. */
#include "testing.h"

#include "run/predictions.h"

static am_context *ctx;
static char *folder;

static const char *written(const char *text) {
  const char *path = am_test_path(folder, "predictions.csv");
  am_test_file(path, text, strlen(text));
  return path;
}

static const char rows[] =
    "clip,speaker,fold,seed,true,predicted,p_sad,p_calm,p_glad,gender\n"
    "a.wav,01,2,7,calm,calm,0.1,0.6,0.3,female\n"
    "\"b,c.wav\",,,8,glad,sad,0.5,0.25,0.25,\n";

static void what_it_holds(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  am_predictions p;
  am_test_ok(am_predictions_read(ctx, written(rows), &p, &err), &err);
  assert_true(p.n == 2 && p.classes == 3 && p.seeded);
  assert_string_equal(p.labels[0], "sad");
  assert_string_equal(p.labels[2], "glad");
  assert_string_equal(p.at[0].speaker, "01");
  assert_string_equal(p.at[0].fold, "2");
  assert_string_equal(p.at[1].clip, "b,c.wav");
  assert_string_equal(p.at[1].speaker, "");
  assert_true(p.at[0].seed == 7 && p.at[1].seed == 8);
  assert_true(p.at[0].truth == 1 && p.at[0].predicted == 1 && p.at[1].truth == 2 && p.at[1].predicted == 0);
  assert_true(p.at[0].confidence == 0.6 && p.at[0].of_truth == 0.6 && p.at[1].confidence == 0.5 &&
              p.at[1].of_truth == 0.25);
  assert_true(p.probabilities[0] == 0.1f && p.probabilities[2] == 0.3f && p.probabilities[3] == 0.5f);
  assert_int_equal(am_predictions_class(&p, "glad"), 2);
  assert_int_equal(am_predictions_class(&p, "angry"), -1);
  am_predictions_free(&p);
  am_predictions_free(&p);
}

static void other_order(void **state) {
  (void)state;
  static const char *const all[] = {"calm", "glad", "sad"}, *const fewer[] = {"calm", "glad"},
                           *const more[] = {"calm", "angry"};
  am_error err = AM_ERROR_INIT;
  am_predictions p;
  am_test_ok(am_predictions_read(ctx, written(rows), &p, &err), &err);
  am_test_ok(am_predictions_order(&p, all, 3, "the corpus", &err), &err);
  assert_string_equal(p.labels[2], "sad");
  assert_true(p.at[0].truth == 0 && p.at[0].predicted == 0 && p.at[1].truth == 1 && p.at[1].predicted == 2);
  assert_true(p.probabilities[0] == 0.6f && p.probabilities[2] == 0.1f && p.probabilities[5] == 0.5f);
  assert_true(p.at[1].confidence == 0.5);
  am_test_fails(am_predictions_order(&p, more, 2, "the corpus", &err), AM_E_FORMAT, &err, "no column \"p_angry\"");
  am_test_fails(am_predictions_order(&p, fewer, 2, "the corpus", &err), AM_E_FORMAT, &err,
                "predictions.csv:3: 'sad' is no label of the corpus");
  am_predictions_free(&p);
}

static void what_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"clip,speaker,true,p_a\nx,,a,1\n", "no column \"predicted\""},
      {"clip,speaker,true,predicted\nx,,a,a\n", "no column \"p_<label>\""},
      {"clip,speaker,true,predicted,p_a\nx,,b,a,1\n",
       "predictions.csv:2: 'b' is not one of the labels of the columns p_..."},
      {"clip,speaker,true,predicted,p_a\nx,,a,b,1\n", "predictions.csv:2: 'b' is not one of the labels"},
      {"clip,speaker,true,predicted,p_a\nx,,a,a,1.5\n",
       "predictions.csv:2: p_a is '1.5', wanted a probability from 0 to 1"},
      {"clip,speaker,true,predicted,p_a\nx,,a,a,-0.1\n", "p_a is '-0.1', wanted"},
      {"clip,speaker,true,predicted,p_a\nx,,a,a,\n", "p_a is '', wanted a probability"},
      {"clip,speaker,true,predicted,p_a\nx,,a,a,nan\n", "p_a is 'nan', wanted a probability"},
      {"clip,speaker,seed,true,predicted,p_a\nx,,1.5,a,a,1\n", "seed is '1.5', wanted a whole number"},
      {"clip,speaker,seed,true,predicted,p_a\nx,,,a,a,1\n", "seed is '', wanted a whole number"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_error err = AM_ERROR_INIT;
    am_predictions p;
    am_test_fails(am_predictions_read(ctx, written(cases[i].text), &p, &err), AM_E_FORMAT, &err, cases[i].says);
    assert_null(p.table);
  }
}

static void survives_failed_allocations(void **state) {
  (void)state;
  static const char *const labels[] = {"glad", "calm", "sad"};
  const char *path = written(rows);
  bool fired = true;
  for (long n = 1; fired; n++) {
    am_test_memory memory;
    am_context *small = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    am_error err = AM_ERROR_INIT;
    am_predictions p;
    am_test_memory_arm(&memory, n);
    am_status status = am_predictions_read(small, path, &p, &err);
    if (!status) status = am_predictions_order(&p, labels, 3, "the corpus", &err);
    fired = am_test_memory_fired(&memory);
    if (status) assert_true(status == AM_E_NOMEM && fired);
    am_predictions_free(&p);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(small);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_it_holds),
      cmocka_unit_test(other_order),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(survives_failed_allocations),
  };
  ctx = am_test_context(1, NULL);
  folder = am_test_folder();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
  return failed;
}
