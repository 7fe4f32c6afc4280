/* SPDX-License-Identifier: MIT */
/* JSON read into the tree, and written. */
#include "tree_fixture.h"

#include "io/json.h"

static am_value *parse(fixture *f, const char *text) {
  am_value *v;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_json_read_text(f->tree, text, strlen(text), "c.json", &v, &err), &err);
  return v;
}

static void documents_become_trees(void **state) {
  fixture *f = *state;
  am_value *root = parse(f, "{\"z\": 1, \"a\": [true, false, null, -2.5e-3, \"x\\n\\u00e4\"], \"m\": {}}");
  assert_string_equal(root->first->key, "z"); /* in the order of the file */
  assert_string_equal(am_value_find(root, "a.0")->text, "true");
  assert_int_equal(am_value_find(root, "a.2")->kind, AM_NULL);
  double x;
  assert_true(am_value_to_real(am_value_find(root, "a.3"), &x) && x == -2.5e-3);
  assert_string_equal(am_value_find(root, "a.4")->text, "x\n\xc3\xa4");
  assert_true(am_value_find(root, "a.4")->quoted);
  assert_int_equal(am_value_get(root, "m")->count, 0);
  assert_string_equal(parse(f, "\"alone\"")->text, "alone");
}

static void mistakes_are_refused_with_their_place(void **state) {
  fixture *f = *state;
  static const struct {
    const char *text, *message;
  } cases[] = {{"", "c.json:1:"},
               {"{\n \"a\": }", "c.json:2:"},
               {"{\"a\": 1, \"a\": 2}", "duplicate"},
               {"[1] 2", "c.json:1:"},
               {"{\"a\": 01}", "c.json:1:"},
               {"[\"\\u0000\"]", "\\u0000"},
               {"[\"\xff\"]", "unable to decode"},
               {"[99999999999999999999]", "too big"},
               {"[NaN]", "c.json:1:"}};
  am_error err;
  am_value *v;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    am_test_fails(am_json_read_text(f->tree, cases[i].text, strlen(cases[i].text), "c.json", &v, &err), AM_E_CONFIG,
                  &err, cases[i].message);
  char deep[401];
  memset(deep, '[', 200);
  memset(deep + 200, ']', 200);
  am_test_fails(am_json_read_text(f->tree, deep, 400, "c.json", &v, &err), AM_E_CONFIG, &err, "nested deeper than 64");
}

static void values_are_written(void **state) {
  fixture *f = *state;
  am_buffer b = {0};
  am_json j = am_json_begin(f->ctx, &b, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "file", "a \"b\"\\\n\t\x01\xc3\xa4\xff/\x7f");
  am_json_text(&j, "shown", "\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6\xe2\x82\xac");
  am_json_text(&j, "none", NULL);
  am_json_int(&j, "n", INT64_MIN);
  am_json_real(&j, "p", 0.1);
  am_json_real(&j, "nan", NAN);
  am_json_real(&j, "inf", -INFINITY);
  am_json_float(&j, "f", 0.1f);
  am_json_float(&j, "g", 16777217.0f);
  am_json_float(&j, "h", NAN);
  am_json_bool(&j, "yes", true);
  am_json_null(&j, "null");
  am_json_open(&j, "list", '[');
  am_json_int(&j, NULL, 1);
  am_json_open(&j, NULL, '[');
  am_json_close(&j);
  am_json_close(&j);
  am_json_reals(&j, "r", (double[]){1, NAN, 0.25}, 3);
  am_json_ints(&j, "i", (int64_t[]){3, -4}, 2);
  am_json_close(&j);
  assert_false(b.failed);
  assert_string_equal(b.data,
                      "{\"file\": \"a \\\"b\\\"\\\\\\n\\t\\u0001\xc3\xa4\\ufffd/\\u007f\", "
                      "\"shown\": \"\\u009b\\u202e\\u2028\\u2066\xe2\x82\xac\", \"none\": null, "
                      "\"n\": -9223372036854775808, \"p\": 0.1, \"nan\": null, \"inf\": null, \"f\": 0.1, "
                      "\"g\": 16777216, \"h\": null, \"yes\": true, \"null\": null, \"list\": [1, []], "
                      "\"r\": [1, null, 0.25], \"i\": [3, -4]}");
  am_value *back = parse(f, b.data);
  assert_string_equal(am_value_get(back, "file")->text, "a \"b\"\\\n\t\x01\xc3\xa4\xef\xbf\xbd/\x7f");
  am_buffer_free(f->ctx, &b);
}

static void indented_writing_is_readable(void **state) {
  fixture *f = *state;
  am_buffer b = {0};
  am_json j = am_json_begin(f->ctx, &b, 2);
  am_json_open(&j, NULL, '{');
  am_json_open(&j, "a", '[');
  am_json_int(&j, NULL, 1);
  am_json_int(&j, NULL, 2);
  am_json_close(&j);
  am_json_open(&j, "e", '{');
  am_json_close(&j);
  am_json_close(&j);
  assert_string_equal(b.data, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"e\": {}\n}\n");
  am_buffer_free(f->ctx, &b);
}

static void floats_read_back_the_same(void **state) {
  fixture *f = *state;
  uint32_t bits = 2463534242u; /* xorshift32 of Marsaglia 2003 */
  for (int i = 0; i < 5000; i++) {
    bits ^= bits << 13;
    bits ^= bits >> 17;
    bits ^= bits << 5;
    float x;
    double back = 0;
    memcpy(&x, &bits, sizeof x);
    if (!isfinite(x)) continue;
    am_buffer b = {0};
    am_json j = am_json_begin(f->ctx, &b, 0);
    am_json_float(&j, NULL, x);
    assert_true(am_text_to_real(b.data, &back) && (float)back == x);
    assert_true(strlen(b.data) <= 16);
    am_buffer_free(f->ctx, &b);
  }
}

static void trees_are_written_by_kind(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_value *map = am_value_new(f->tree, AM_MAP);
  static const struct {
    const char *text;
    bool quoted;
  } items[] = {{"12", false},  {"12", true},  {"007", false},  {".5", false},  {"true", false},
               {"true", true}, {"no", false}, {".nan", false}, {"same", false}};
  am_value *list = am_value_new(f->tree, AM_LIST);
  for (size_t i = 0; i < sizeof items / sizeof *items; i++)
    am_test_ok(am_value_add(f->tree, list, NULL, am_value_text(f->tree, items[i].text, items[i].quoted), &err), &err);
  am_test_ok(am_value_add(f->tree, map, "k", list, &err), &err);
  am_test_ok(am_value_add(f->tree, map, "n", am_value_new(f->tree, AM_NULL), &err), &err);
  am_buffer b = {0};
  am_json j = am_json_begin(f->ctx, &b, 0);
  am_json_value(&j, NULL, map);
  assert_string_equal(b.data, "{\"k\": [12, \"12\", 7, 0.5, true, \"true\", \"no\", null, \"same\"], \"n\": null}");
  am_buffer_free(f->ctx, &b);
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  char *folder = am_test_folder();
  const char *path = am_test_path(folder, "x.json");
  const char *text =
      "{\"a\": [1, 2.5, \"x\", null, {\"b\": [true, false]}], \"c\": \"a long text that fills the buffer\"}";
  am_test_file(path, text, strlen(text));
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_tree *tree;
    am_buffer out = {0};
    am_error err = AM_ERROR_INIT;
    am_status status = am_json_read_file(ctx, path, &tree, &err);
    if (!status) {
      am_json j = am_json_begin(ctx, &out, 2);
      am_json_value(&j, NULL, am_tree_root(tree));
    }
    bool fired = am_test_memory_fired(&m);
    if (fired) assert_true(status == AM_E_NOMEM || (status == AM_OK && out.failed));
    else assert_true(status == AM_OK && !out.failed);
    am_buffer_free(ctx, &out);
    am_tree_free(tree);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  am_test_folder_remove(folder);
  free(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(documents_become_trees, begin, end),
      cmocka_unit_test_setup_teardown(mistakes_are_refused_with_their_place, begin, end),
      cmocka_unit_test_setup_teardown(values_are_written, begin, end),
      cmocka_unit_test_setup_teardown(indented_writing_is_readable, begin, end),
      cmocka_unit_test_setup_teardown(floats_read_back_the_same, begin, end),
      cmocka_unit_test_setup_teardown(trees_are_written_by_kind, begin, end),
      cmocka_unit_test(every_failed_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
