/* SPDX-License-Identifier: MIT */
/* YAML read within limits, refused with line and column, written so that it reads back. */
#include "tree_fixture.h"

#include "base/option.h"
#include "io/yaml.h"

static am_value *parse(fixture *f, const char *text) {
  am_value *v;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_yaml_read_text(f->tree, text, strlen(text), "c.yaml", &v, &err), &err);
  return v;
}

static void documents_become_trees(void **state) {
  fixture *f = *state;
  am_value *root = parse(f,
                         "# a comment\n"
                         "train:\n"
                         "  epochs: 15\n"
                         "  name: \"no\"\n"
                         "model: [conv2d, {units: 8}]\n"
                         "empty:\n"
                         "tilde: ~\n"
                         "text: |\n"
                         "  two\n"
                         "  lines\n");
  am_value *epochs = am_value_find(root, "train.epochs");
  assert_string_equal(epochs->text, "15");
  assert_int_equal(epochs->line, 3);
  assert_int_equal(epochs->column, 11);
  assert_int_equal(epochs->key_line, 3);
  assert_int_equal(epochs->key_column, 3);
  assert_string_equal(epochs->source, "c.yaml");
  assert_false(epochs->quoted);
  assert_true(am_value_find(root, "train.name")->quoted);
  assert_string_equal(am_value_find(root, "model.1.units")->text, "8");
  assert_int_equal(am_value_get(root, "empty")->kind, AM_NULL);
  assert_int_equal(am_value_get(root, "tilde")->kind, AM_NULL);
  assert_string_equal(am_value_get(root, "text")->text, "two\nlines\n");
  assert_int_equal(am_value_get(root, "text")->line, 8);
}

static void single_values_serve_set(void **state) {
  fixture *f = *state;
  assert_string_equal(parse(f, "0.5")->text, "0.5");
  assert_int_equal(parse(f, "")->kind, AM_NULL);
  assert_int_equal(parse(f, "# only a comment\n")->kind, AM_NULL);
  assert_int_equal(parse(f, "[1, 2]")->count, 2);
  assert_int_equal(parse(f, "--- {a: 1}\n...\n")->count, 1);
  assert_int_equal(parse(f, "{\"a\": 1, \"b\": [true]}")->count, 2);
}

static void anchors_are_copied(void **state) {
  fixture *f = *state;
  am_value *root = parse(f, "a: &x {k: 1}\nb: *x\nc: &y 5\nd: [*y, *y]\n");
  assert_string_equal(am_value_find(root, "b.k")->text, "1");
  assert_true(am_value_find(root, "b.k") != am_value_find(root, "a.k"));
  assert_string_equal(am_value_find(root, "d.1")->text, "5");
  root = parse(f, "a: &x 1\nb: &x 2\nc: *x\n"); /* the last definition wins */
  assert_string_equal(am_value_get(root, "c")->text, "2");
}

static void mistakes_are_refused_with_their_place(void **state) {
  fixture *f = *state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"a: 1\nb: 2\na: 3\n", "c.yaml:3:1: key \"a\" is given twice (first in line 1)"},
      {"m:\n  x: 1\n  y: 1\n  x: 2\n  y: 2\n", "c.yaml:4:3: key \"x\" is given twice (first in line 2)"},
      {"a: 1\n---\nb: 2\n", "c.yaml:2:1: a second document"},
      {"a: !!int 5\n", "c.yaml:1:4: tags"},
      {"a: !mine [1]\n", "c.yaml:1:4: tags"},
      {"? [a, b]\n: 1\n", "a key has to be a word"},
      {"base: &b {x: 1}\nc:\n  <<: *b\n", "c.yaml:3:3: merge keys"},
      {"a: *nowhere\n", "c.yaml:1:4: this alias"},
      {"a: &x [*x]\n", "this alias (*name) has no finished anchor"},
      {"a: [1, 2\nb: 3\n", "c.yaml:2:"},
      {"a:\n\t- 1\n", "c.yaml:2:1: found character that cannot start any token"},
      {"a: \"open\n", "c.yaml:2:1: found unexpected end of stream"},
      {"a: b: c\n", "c.yaml:1:5: mapping values are not allowed"},
      {"a: \"x\\0y\"\n", "may not hold \\0"},
      {"a: \xff\xfe\n", "c.yaml: byte 3: invalid"},
      {"a: \x01\n", "control characters are not allowed"},
      {"~: 1\n", "a key has to be a word"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_value *v = NULL;
    am_error err;
    am_test_fails(am_yaml_read_text(f->tree, cases[i].text, strlen(cases[i].text), "c.yaml", &v, &err), AM_E_CONFIG,
                  &err, cases[i].message);
    assert_null(v);
  }
}

static void fails(fixture *f, const am_buffer *b, const char *message) {
  am_value *v;
  am_error err;
  assert_false(b->failed);
  am_test_fails(am_yaml_read_text(f->tree, b->data, b->used, "c.yaml", &v, &err), AM_E_CONFIG, &err, message);
}

static void growth_is_bounded(void **state) {
  fixture *f = *state;
  am_buffer b = {0};
  am_buffer_printf(f->ctx, &b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
  for (int i = 1; i < 12; i++) { /* a billion laughs */
    am_buffer_printf(f->ctx, &b, "a%d: &a%d [", i, i);
    for (int k = 0; k < 10; k++) am_buffer_printf(f->ctx, &b, "%s*a%d", k ? "," : "", i - 1);
    am_buffer_printf(f->ctx, &b, "]\n");
  }
  fails(f, &b, "too many values for a text of this size, counting what aliases (*name) repeat");
  b.used = 0;
  am_buffer_printf(f->ctx, &b, "a0: &a0 [x]\n");
  for (int i = 1; i < 100; i++) am_buffer_printf(f->ctx, &b, "a%d: &a%d [*a%d]\n", i, i, i - 1);
  fails(f, &b, "nested deeper than 64 levels");
  b.used = 0;
  for (int i = 0; i < 65; i++) am_buffer_printf(f->ctx, &b, "[");
  for (int i = 0; i < 65; i++) am_buffer_printf(f->ctx, &b, "]");
  fails(f, &b, "c.yaml:1:65: nested deeper than 64 levels");
  b.used = 0;
  for (int i = 0; i < 100000; i++) am_buffer_printf(f->ctx, &b, "k%d: 1\n", i);
  am_buffer_printf(f->ctx, &b, "k77: 1\n");
  double start = am_now();
  fails(f, &b, "c.yaml:100001:1: key \"k77\" is given twice (first in line 78)");
  assert_true(am_now() - start < 20); /* not a comparison of each with each: that is minutes */
  am_buffer_free(f->ctx, &b);
}

static void files_are_read(void **state) {
  fixture *f = *state;
  char *folder = am_test_folder();
  const char *path = am_test_path(folder, "x.yaml");
  am_tree *tree;
  am_error err = AM_ERROR_INIT;
  am_test_file(path, "a: [1]\n", 7);
  am_test_ok(am_yaml_read_file(f->ctx, path, &tree, &err), &err);
  assert_string_equal(am_value_find(am_tree_root(tree), "a.0")->source, path);
  am_tree_free(tree);
  am_test_file(path, "a: [1\n", 6);
  am_test_fails(am_yaml_read_file(f->ctx, path, &tree, &err), AM_E_CONFIG, &err, "x.yaml:2:1");
  assert_null(tree);
  am_test_fails(am_yaml_read_file(f->ctx, folder, &tree, &err), AM_E_IO, &err, "directory");
  am_test_folder_remove(folder);
  free(folder);
}

static void check_round_trip(fixture *f, const am_value *v) {
  am_buffer b = {0};
  am_yaml_write(f->ctx, v, &b);
  assert_false(b.failed);
  am_value *again = parse(f, b.data);
  if (!am_value_equal(v, again)) fail_msg("not the same after writing:\n%s", b.data);
  am_buffer_free(f->ctx, &b);
}

static void written_trees_read_back(void **state) {
  fixture *f = *state;
  static const char *const documents[] = {"5",
                                          "~",
                                          "[]",
                                          "{}",
                                          "[1, [2, [3]], {a: 1}, [], {}]",
                                          "a: {}\nb: []\nc:\nd: [[1], [2, x]]\n",
                                          "a:\n- b: 1\n  c:\n    d: [1, 2]\n- - 1\n  - x: y\n- e\n",
                                          "\"key: odd\": 1\n\"\": 2\n\"null\": 3\n\"<<\": 4\n\"1\": 5\n",
                                          "- {a: {b: {c: d}}}\n- {e: [{f: g}]}\n"};
  for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) check_round_trip(f, parse(f, documents[i]));
  static const char *const texts[] = {"",
                                      " ",
                                      "a ",
                                      " a",
                                      "null",
                                      "~",
                                      "true",
                                      "no",
                                      "12",
                                      "1e3",
                                      "-",
                                      "- a",
                                      "--- x",
                                      "---",
                                      "...",
                                      "a: b",
                                      "a:",
                                      ":a",
                                      "a #b",
                                      "#a",
                                      "a#b",
                                      "[a",
                                      "a]",
                                      "{",
                                      "a, b",
                                      "&a",
                                      "*a",
                                      "!a",
                                      "|",
                                      ">",
                                      "'",
                                      "\"",
                                      "%",
                                      "@",
                                      "`",
                                      "\\",
                                      "\n",
                                      "a\nb\n",
                                      "\t",
                                      "\x01",
                                      "\x7f",
                                      "\xc3\xa4",
                                      "\xc2\x85",
                                      "\xe2\x80\xa8",
                                      "\xef\xbb\xbf",
                                      "\xe4\xb8\xad",
                                      "\xf0\x9f\x98\x80",
                                      "?",
                                      "? a",
                                      "-5",
                                      "-x",
                                      "--",
                                      "=",
                                      "y",
                                      "<<",
                                      "a = b",
                                      "../x/y_z.wav",
                                      "0o17",
                                      "1:30",
                                      "2001-01-01",
                                      ".nan",
                                      "Null"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    am_error err = AM_ERROR_INIT;
    am_value *map = am_value_new(f->tree, AM_MAP), *list = am_value_new(f->tree, AM_LIST);
    am_value *text = am_value_text(f->tree, texts[i], true);
    am_test_ok(am_value_add(f->tree, list, NULL, am_value_text(f->tree, texts[i], true), &err), &err);
    am_test_ok(am_value_add(f->tree, list, NULL, am_value_text(f->tree, "z", true), &err), &err);
    am_test_ok(am_value_add(f->tree, map, texts[i], list, &err), &err);
    am_test_ok(am_value_add(f->tree, map, "other", text, &err), &err);
    check_round_trip(f, map);
  }
}

static void writing_keeps_texts_texts(void **state) {
  fixture *f = *state;
  am_buffer b = {0};
  am_value *map = am_value_new(f->tree, AM_MAP);
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_value_add(f->tree, map, "a", am_value_text(f->tree, "12", true), &err), &err);
  am_test_ok(am_value_add(f->tree, map, "b", am_value_text(f->tree, "12", false), &err), &err);
  am_test_ok(am_value_add(f->tree, map, "c", am_value_text(f->tree, "same", true), &err), &err);
  am_test_ok(am_value_add(f->tree, map, "d", am_value_text(f->tree, "no", true), &err), &err);
  am_test_ok(am_value_add(f->tree, map, "e", am_value_text(f->tree, "\xff", true), &err), &err);
  am_yaml_write(f->ctx, map, &b);
  assert_string_equal(b.data, "a: \"12\"\nb: 12\nc: same\nd: \"no\"\ne: \"\\uFFFD\"\n");
  am_buffer_free(f->ctx, &b);
}

typedef struct section {
  int64_t epochs;
  const char *kind;
} section;

static void options_point_into_the_file(void **state) {
  fixture *f = *state;
  static const am_option table[] = {
      {"filters", AM_OPT_INT, offsetof(section, epochs), "8", 1, 4096, NULL, "output channels"},
      {"kind", AM_OPT_TEXT, offsetof(section, kind), "x", 0, 0, NULL, "kind"},
      AM_OPTION_END};
  am_value *root = parse(f, "model:\n  - kind: conv2d\n    filers: 32\n");
  section s;
  am_error err;
  am_test_fails(am_options_read(f->tree, table, am_value_find(root, "model.0"), "model.conv2d", &s, &err), AM_E_CONFIG,
                &err, "c.yaml:3:5: unknown key \"filers\" in model.conv2d; did you mean \"filters\"?");
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  am_buffer text = {0};
  am_context *own = am_test_context(1, NULL);
  am_buffer_printf(own, &text, "a: &x {k: [1, 2, {z: \"q\"}]}\nb: *x\n");
  for (int i = 0; i < 100; i++) am_buffer_printf(own, &text, "key%d: [value %d, {n: %d}]\n", i, i, i);
  char *folder = am_test_folder();
  const char *path = am_test_path(folder, "x.yaml");
  am_test_file(path, text.data, text.used);
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_tree *tree;
    am_buffer out = {0};
    am_error err = AM_ERROR_INIT;
    am_status status = am_yaml_read_file(ctx, path, &tree, &err);
    if (!status) am_yaml_write(ctx, am_tree_root(tree), &out);
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
  am_buffer_free(own, &text);
  am_context_free(own);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(documents_become_trees, begin, end),
      cmocka_unit_test_setup_teardown(single_values_serve_set, begin, end),
      cmocka_unit_test_setup_teardown(anchors_are_copied, begin, end),
      cmocka_unit_test_setup_teardown(mistakes_are_refused_with_their_place, begin, end),
      cmocka_unit_test_setup_teardown(growth_is_bounded, begin, end),
      cmocka_unit_test_setup_teardown(files_are_read, begin, end),
      cmocka_unit_test_setup_teardown(written_trees_read_back, begin, end),
      cmocka_unit_test_setup_teardown(writing_keeps_texts_texts, begin, end),
      cmocka_unit_test_setup_teardown(options_point_into_the_file, begin, end),
      cmocka_unit_test(every_failed_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
