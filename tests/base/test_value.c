/* SPDX-License-Identifier: MIT */
/* The value tree, numbers as text, defaults in flow syntax. */
#include "tree_fixture.h"

#include <float.h>
#include <locale.h>

#include "base/value.h"

static am_value *add(am_tree *t, am_value *parent, const char *key, am_value *item) {
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_value_add(t, parent, key, item, &err), &err);
  return item;
}

/* {train: {epochs: 5, lr: 0.1}, layers: [{kind: dense}, relu], empty: null} */
static am_value *sample(am_tree *t) {
  am_value *root = am_value_new(t, AM_MAP);
  am_value *train = add(t, root, "train", am_value_new(t, AM_MAP));
  add(t, train, "epochs", am_value_int(t, 5));
  add(t, train, "lr", am_value_real(t, 0.1));
  am_value *layers = add(t, root, "layers", am_value_new(t, AM_LIST));
  am_value *dense = add(t, layers, NULL, am_value_new(t, AM_MAP));
  add(t, dense, "kind", am_value_text(t, "dense", true));
  add(t, layers, NULL, am_value_text(t, "relu", false));
  add(t, root, "empty", am_value_new(t, AM_NULL));
  am_tree_set_root(t, root);
  return root;
}

static void values_are_found_by_path(void **state) {
  fixture *f = *state;
  assert_null(am_tree_root(f->tree));
  am_value *root = sample(f->tree);
  assert_ptr_equal(am_tree_root(f->tree), root);
  assert_int_equal(root->count, 3);
  assert_string_equal(am_value_find(root, "train.epochs")->text, "5");
  assert_string_equal(am_value_find(root, "layers.0.kind")->text, "dense");
  assert_string_equal(am_value_find(root, "layers.1")->text, "relu");
  assert_ptr_equal(am_value_find(root, ""), root);
  const char *absent[] = {"layers.2", "layers.x", "layers.-1", "train.epochs.x", "trai", "layers.99999999999"};
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) assert_null(am_value_find(root, absent[i]));
  assert_null(am_value_get(root, "epochs"));
  assert_null(am_value_get(NULL, "epochs"));
  assert_null(am_value_get(am_value_get(root, "layers"), "0"));
}

static void values_are_set_by_path(void **state) {
  fixture *f = *state;
  am_tree *t = f->tree;
  am_value *root = sample(t);
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_value_set(t, "train.epochs", am_value_int(t, 9), &err), &err);
  assert_string_equal(am_value_find(root, "train.epochs")->text, "9");
  assert_string_equal(am_value_find(root, "train")->first->key, "epochs"); /* in its old place */
  assert_string_equal(am_value_find(root, "train.lr")->text, "0.1");
  am_test_ok(am_value_set(t, "layers.1", am_value_text(t, "gelu", false), &err), &err);
  assert_string_equal(am_value_find(root, "layers.1")->text, "gelu");
  am_test_ok(am_value_set(t, "layers.0.filters", am_value_int(t, 3), &err), &err);
  am_test_ok(am_value_set(t, "a.b.c", am_value_bool(t, true), &err), &err);
  assert_string_equal(am_value_find(root, "a.b.c")->text, "true");
  am_test_ok(am_value_set(t, "empty.x", am_value_int(t, 1), &err), &err);
  assert_string_equal(am_value_find(root, "empty.x")->text, "1");
  am_test_fails(am_value_set(t, "layers.2", am_value_int(t, 1), &err), AM_E_CONFIG, &err,
                "layers.2: no such item; \"layers\" is a list of 2");
  am_test_fails(am_value_set(t, "train.lr.x", am_value_int(t, 1), &err), AM_E_CONFIG, &err,
                "\"train.lr\" is a single value (0.1)");
  am_test_fails(am_value_set(t, "", am_value_int(t, 1), &err), AM_E_CONFIG, &err, "dotted path");
  am_test_fails(am_value_set(t, "a..b", am_value_int(t, 1), &err), AM_E_CONFIG, &err, "dotted path");
  am_test_fails(am_value_set(t, "a", NULL, &err), AM_E_NOMEM, &err, "out of memory");
  am_value *from = am_value_int(t, 1);
  from->source = am_tree_string(t, "--set");
  am_test_fails(am_value_set(t, "train.lr.x", from, &err), AM_E_CONFIG, &err, "--set: train.lr.x");
}

static void set_makes_a_root(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_value_set(f->tree, "x.y", am_value_int(f->tree, 1), &err), &err);
  assert_string_equal(am_value_find(am_tree_root(f->tree), "x.y")->text, "1");
}

static void copies_are_deep_and_equal(void **state) {
  fixture *f = *state;
  am_value *root = sample(f->tree);
  am_tree *other;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_tree_create(f->ctx, &other, &err), &err);
  root->first->line = 7;
  root->first->source = am_tree_string(f->tree, "x.yaml");
  am_value *copy = am_value_copy(other, root);
  assert_true(am_value_equal(root, copy));
  assert_int_equal(copy->first->line, 7);
  assert_true(copy->first->source != root->first->source);
  assert_string_equal(copy->first->source, "x.yaml");
  add(other, am_value_get(copy, "train"), "more", am_value_int(other, 1));
  assert_false(am_value_equal(root, copy));
  assert_int_equal(am_value_get(root, "train")->count, 2);
  am_tree_free(other);
  assert_true(am_value_equal(NULL, NULL));
  assert_false(am_value_equal(root, NULL));
  am_value *a = am_value_flow(f->tree, "[1, 2]"), *b = am_value_flow(f->tree, "[2, 1]");
  assert_false(am_value_equal(a, b));
}

static void messages_say_the_place(void **state) {
  fixture *f = *state;
  am_value v = {.kind = AM_SCALAR, .source = "c.yaml", .line = 3, .column = 9, .key_line = 3, .key_column = 2};
  am_error err;
  am_test_fails(am_fail_at(&err, &v, "bad %d", 1), AM_E_CONFIG, &err, "c.yaml:3:9: bad 1");
  am_test_fails(am_fail_at_key(&err, &v, "bad"), AM_E_CONFIG, &err, "c.yaml:3:2: bad");
  v.line = v.key_line = 0;
  am_test_fails(am_fail_at(&err, &v, "bad"), AM_E_CONFIG, &err, "c.yaml: bad");
  am_test_fails(am_fail_at(&err, NULL, "bad"), AM_E_CONFIG, &err, "bad");
  (void)f;
}

static void scalars_are_read_whole_or_not_at_all(void **state) {
  fixture *f = *state;
  struct {
    const char *text;
    bool good;
    int64_t wanted;
  } ints[] = {{"0", true, 0},
              {"-12", true, -12},
              {"+7", true, 7},
              {"9223372036854775807", true, INT64_MAX},
              {"-9223372036854775808", true, INT64_MIN},
              {"9223372036854775808", false, 0},
              {"1e3", false, 0},
              {"12x", false, 0},
              {"", false, 0},
              {"-", false, 0},
              {" 1", false, 0},
              {"1 ", false, 0},
              {"0x10", false, 0},
              {"1.0", false, 0},
              {"007", true, 7}};
  for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
    int64_t got = -99;
    assert_int_equal(am_value_to_int(am_value_text(f->tree, ints[i].text, false), &got), ints[i].good);
    if (ints[i].good) assert_true(got == ints[i].wanted);
    assert_false(am_value_to_int(am_value_text(f->tree, ints[i].text, true), &got));
  }
  struct {
    const char *text;
    bool good;
    double wanted;
  } reals[] = {{"0.5", true, 0.5},
               {".5", true, 0.5},
               {"5.", true, 5},
               {"-1e-3", true, -1e-3},
               {"1E+2", true, 100},
               {"inf", true, INFINITY},
               {"-.inf", true, -INFINITY},
               {"1e999", false, 0},
               {"1e-999", true, 0},
               {"0x1p3", false, 0},
               {"1,5", false, 0},
               {"1e", false, 0},
               {".", false, 0},
               {"", false, 0},
               {"1.2.3", false, 0},
               {"3 dB", false, 0},
               {"12", true, 12},
               {"infinit", false, 0}};
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    double got = -99;
    bool good = am_value_to_real(am_value_text(f->tree, reals[i].text, false), &got);
    if (good != reals[i].good) fail_msg("\"%s\" read as a number: %d", reals[i].text, good);
    if (good) assert_true(got == reals[i].wanted);
  }
  double nan = 0;
  assert_true(am_text_to_real(".NaN", &nan) && isnan(nan));
  const char *yes[] = {"true", "yes", "on", "True", "ON"}, *no[] = {"false", "no", "off", "FALSE"};
  bool truth = false;
  for (int i = 0; i < 5; i++) assert_true(am_value_to_bool(am_value_text(f->tree, yes[i], false), &truth) && truth);
  for (int i = 0; i < 4; i++) assert_true(am_value_to_bool(am_value_text(f->tree, no[i], false), &truth) && !truth);
  assert_false(am_value_to_bool(am_value_text(f->tree, "true", true), &truth));
  assert_false(am_value_to_bool(am_value_text(f->tree, "1", false), &truth));
  assert_false(am_value_to_bool(NULL, &truth));
}

static void check_round_trips(void) {
  const double numbers[] = {0,
                            1,
                            -1,
                            0.1,
                            1.0 / 3,
                            1e-5,
                            1e300,
                            123456789.123,
                            5e-324,
                            2.2250738585072014e-308,
                            1e22,
                            DBL_MAX,
                            0.30000000000000004,
                            100000,
                            1e15,
                            1e16};
  char text[32];
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    double back = -99;
    am_real_to_text(numbers[i], text);
    assert_true(am_text_to_real(text, &back));
    assert_true(back == numbers[i]);
  }
  am_real_to_text(0.1, text);
  assert_string_equal(text, "0.1");
  am_real_to_text(5e-324, text);
  assert_string_equal(text, "5e-324");
  am_real_to_text(-0.0, text);
  assert_string_equal(text, "-0");
  am_real_to_text(NAN, text);
  assert_string_equal(text, ".nan");
  am_real_to_text(-INFINITY, text);
  assert_string_equal(text, "-.inf");
  assert_true(am_float_decimal(0.1f) == 0.1);
  assert_true(am_float_decimal(1.0f / 3) == 0.33333334);
  assert_true(isnan(am_float_decimal(NAN)));
  uint64_t bits = 88172645463325252u; /* xorshift64 of Marsaglia 2003 */
  for (int i = 0; i < 20000; i++) {
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    double x, back = 0;
    memcpy(&x, &bits, sizeof x);
    if (!isfinite(x)) continue;
    am_real_to_text(x, text);
    assert_true(am_text_to_real(text, &back) && back == x);
  }
}

static void reals_read_back_the_same_in_any_locale(void **state) {
  (void)state;
  check_round_trips();
  const char *comma[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "pl_PL.UTF-8"};
  for (int i = 0; i < 4; i++) {
    if (!setlocale(LC_ALL, comma[i])) continue;
    check_round_trips();
    setlocale(LC_ALL, "C");
    return;
  }
  print_message("# no locale with a decimal comma here: only the C locale was tried\n");
}

static void flow_reads_defaults(void **state) {
  fixture *f = *state;
  am_tree *t = f->tree;
  assert_int_equal(am_value_flow(t, "")->kind, AM_NULL);
  assert_string_equal(am_value_flow(t, " 0.1 ")->text, "0.1");
  assert_string_equal(am_value_flow(t, "two words")->text, "two words");
  am_value *list = am_value_flow(t, "[1, same , \"a, b\", 'c]']");
  assert_int_equal(list->count, 4);
  assert_string_equal(list->first->next->text, "same");
  assert_string_equal(list->first->next->next->text, "a, b");
  assert_true(list->last->quoted);
  assert_int_equal(am_value_flow(t, "[]")->count, 0);
  const char *bad[] = {"[1", "[1,", "[1,]", "[,1]", "\"open", "[1] x", "[[1]]"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_null(am_value_flow(t, bad[i]));
}

static void trees_hold_large_pieces(void **state) {
  fixture *f = *state;
  char *big = am_tree_take(f->tree, 100000, 3);
  assert_non_null(big);
  assert_int_equal((uintptr_t)big % 16, 0);
  memset(big, 1, 300000);
  assert_null(am_tree_take(f->tree, SIZE_MAX / 2, 3));
  for (int i = 0; i < 10000; i++) assert_non_null(am_value_int(f->tree, i));
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_tree *t;
    am_error err = AM_ERROR_INIT;
    am_status status = am_tree_create(ctx, &t, &err);
    if (!status) {
      am_value *root = am_value_new(t, AM_LIST);
      am_tree_set_root(t, root);
      for (int i = 0; i < 300 && !status; i++) status = am_value_add(t, root, NULL, am_value_int(t, i), &err);
      am_value *copy = status ? NULL : am_value_copy(t, root);
      if (!status && !copy) status = am_no_memory(&err);
      if (!status) status = am_value_set(t, "0", am_value_flow(t, "[1, 2, 3]"), &err);
    }
    bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    assert_int_equal(err.status, status);
    am_tree_free(t);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(values_are_found_by_path, begin, end),
      cmocka_unit_test_setup_teardown(values_are_set_by_path, begin, end),
      cmocka_unit_test_setup_teardown(set_makes_a_root, begin, end),
      cmocka_unit_test_setup_teardown(copies_are_deep_and_equal, begin, end),
      cmocka_unit_test_setup_teardown(messages_say_the_place, begin, end),
      cmocka_unit_test_setup_teardown(scalars_are_read_whole_or_not_at_all, begin, end),
      cmocka_unit_test(reals_read_back_the_same_in_any_locale),
      cmocka_unit_test_setup_teardown(flow_reads_defaults, begin, end),
      cmocka_unit_test_setup_teardown(trees_hold_large_pieces, begin, end),
      cmocka_unit_test(every_failed_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
