/* SPDX-License-Identifier: MIT */
/* The option table: reading, refusing, writing back, explaining. */
#include "testing.h"

#include "base/bytes.h"
#include "base/option.h"

typedef struct section {
  bool flag;
  int64_t count, patience;
  double rate, free_real;
  const char *name;
  int mode;
  am_ints sizes;
  am_reals weights;
  am_texts words;
  uint64_t kinds;
  const am_value *map, *list;
} section;

#define AT(member) offsetof(section, member)
static const am_option table[] = {
    {"flag", AM_OPT_BOOL, AT(flag), "no", 0, 0, NULL, "a switch"},
    {"count", AM_OPT_INT, AT(count), "3", 1, 10, NULL, "how many"},
    {"patience", AM_OPT_INT, AT(patience), "-1", 1, INFINITY, NULL, "epochs; -1: no early stopping"},
    {"rate", AM_OPT_REAL, AT(rate), "1e-3", 0, 1, NULL, "learning rate"},
    {"free_real", AM_OPT_REAL, AT(free_real), "0", 0, 0, NULL, "any number"},
    {"name", AM_OPT_TEXT, AT(name), "", 0, 0, NULL, "a name"},
    {"mode", AM_OPT_CHOICE, AT(mode), "same", 0, 0, "valid|same|explicit", "padding"},
    {"sizes", AM_OPT_INTS, AT(sizes), "[3, 3]", 1, 99, NULL, "sizes"},
    {"weights", AM_OPT_REALS, AT(weights), "[]", 0, 0, NULL, "weights"},
    {"words", AM_OPT_TEXTS, AT(words), "[a, b]", 0, 0, NULL, "words"},
    {"kinds", AM_OPT_CHOICES, AT(kinds), "[sad]", 0, 0, "happy|sad|angry", "emotions"},
    {"map", AM_OPT_MAP, AT(map), "", 0, 0, NULL, "a map"},
    {"list", AM_OPT_LIST, AT(list), "", 0, 0, NULL, "a list"},
    AM_OPTION_END};

typedef struct fixture {
  am_context *ctx;
  am_tree *tree;
  am_value *map;
  int line;
} fixture;

static int begin(void **state) {
  fixture *f = calloc(1, sizeof *f);
  am_error err = AM_ERROR_INIT;
  f->ctx = am_test_context(1, NULL);
  am_test_ok(am_tree_create(f->ctx, &f->tree, &err), &err);
  f->map = am_value_new(f->tree, AM_MAP);
  f->map->source = "x.yaml";
  f->map->line = f->map->column = 1;
  *state = f;
  return 0;
}

static int end(void **state) {
  fixture *f = *state;
  am_tree_free(f->tree);
  am_context_free(f->ctx);
  free(f);
  return 0;
}

/* "key: value" in the next line, the value in column 20. */
static am_value *put(fixture *f, const char *key, am_value *v) {
  am_error err = AM_ERROR_INIT;
  v->source = "x.yaml";
  v->line = v->key_line = ++f->line;
  v->column = 20;
  am_test_ok(am_value_add(f->tree, f->map, key, v, &err), &err);
  v->key_column = 5;
  return v;
}

static void put_flow(fixture *f, const char *key, const char *text) { put(f, key, am_value_flow(f->tree, text)); }

static void defaults_fill_the_section(void **state) {
  fixture *f = *state;
  section s;
  am_error err = AM_ERROR_INIT;
  am_value nothing = {.kind = AM_NULL};
  const am_value *maps[] = {NULL, &nothing, f->map};
  for (int i = 0; i < 3; i++) {
    memset(&s, 0xee, sizeof s);
    am_test_ok(am_options_read(f->tree, table, maps[i], "model.conv2d", &s, &err), &err);
    assert_false(s.flag);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.patience, -1);
    assert_true(s.rate == 1e-3);
    assert_string_equal(s.name, "");
    assert_int_equal(s.mode, 1);
    assert_int_equal(s.sizes.n, 2);
    assert_int_equal(s.sizes.at[1], 3);
    assert_int_equal(s.weights.n, 0);
    assert_int_equal(s.words.n, 2);
    assert_string_equal(s.words.at[1], "b");
    assert_int_equal(s.kinds, 2);
    assert_null(s.map);
    assert_null(s.list);
  }
}

static void given_values_win(void **state) {
  fixture *f = *state;
  put_flow(f, "flag", "yes");
  put_flow(f, "count", "10");
  put_flow(f, "patience", "1000000");
  put_flow(f, "rate", "0.5");
  put_flow(f, "free_real", "-1e10");
  put_flow(f, "name", "007");
  put_flow(f, "mode", "explicit");
  put_flow(f, "sizes", "5");
  put_flow(f, "weights", "[0.5, 1e3]");
  put_flow(f, "words", "alone");
  put_flow(f, "kinds", "[happy, angry]");
  put(f, "map", am_value_new(f->tree, AM_MAP));
  put_flow(f, "list", "[1]");
  section s;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_options_read(f->tree, table, f->map, "s", &s, &err), &err);
  assert_true(s.flag);
  assert_int_equal(s.count, 10);
  assert_int_equal(s.patience, 1000000);
  assert_true(s.free_real == -1e10);
  assert_string_equal(s.name, "007");
  assert_int_equal(s.mode, 2);
  assert_int_equal(s.sizes.n, 1);
  assert_int_equal(s.sizes.at[0], 5);
  assert_true(s.weights.at[1] == 1000);
  assert_string_equal(s.words.at[0], "alone");
  assert_int_equal(s.kinds, 5);
  assert_int_equal(s.map->kind, AM_MAP);
  assert_int_equal(s.list->count, 1);
}

typedef struct refusal {
  const char *key, *value, *message;
} refusal;

static void bad_values_are_refused_with_their_place(void **state) {
  (void)state;
  static const refusal cases[] = {
      {"filers", "1", "x.yaml:1:5: unknown key \"filers\" in model.conv2d; known are flag, count"},
      {"cuont", "1", "x.yaml:1:5: unknown key \"cuont\" in model.conv2d; did you mean \"count\"?"},
      {"flag", "1", "x.yaml:1:20: model.conv2d.flag: found \"1\", wanted true or false"},
      {"flag", "\"yes\"", "wanted true or false"},
      {"count", "11", "x.yaml:1:20: model.conv2d.count: 11 is out of range, wanted 1 to 10"},
      {"count", "0", "0 is out of range"},
      {"count", "3x", "found \"3x\", wanted a whole number"},
      {"count", "3.0", "wanted a whole number"},
      {"count", "[1]", "found a list, wanted a whole number"},
      {"count", "\"3\"", "wanted a whole number"},
      {"patience", "0", "0 is out of range, wanted at least 1"},
      {"rate", "1.5", "1.5 is out of range, wanted 0 to 1"},
      {"rate", "nan", "wanted a number"},
      {"rate", "0.1 per step", "wanted a number"},
      {"free_real", "1e999", "wanted a number"},
      {"name", "[a]", "found a list, wanted a text"},
      {"mode", "smae", "found \"smae\", wanted one of valid, same, explicit; did you mean \"same\"?"},
      {"mode", "causal", "found \"causal\", wanted one of valid, same, explicit"},
      {"mode", "", "model.conv2d.mode has no value"},
      {"sizes", "[3, 100]", "100 is out of range, wanted 1 to 99"},
      {"sizes", "[3, x]", "found \"x\", wanted a whole number"},
      {"kinds", "[sad, hapy]", "did you mean \"happy\"?"},
      {"map", "3", "found \"3\", wanted a map"},
      {"list", "3", "found \"3\", wanted a list"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    void *fresh;
    begin(&fresh);
    fixture *f = fresh;
    put_flow(f, cases[i].key, cases[i].value);
    section s;
    am_error err;
    am_test_fails(am_options_read(f->tree, table, f->map, "model.conv2d", &s, &err), AM_E_CONFIG, &err,
                  cases[i].message);
    end(&fresh);
  }
}

static void duplicate_and_missing_keys_are_refused(void **state) {
  fixture *f = *state;
  section s;
  am_error err;
  put_flow(f, "count", "1");
  put_flow(f, "rate", "1");
  put_flow(f, "count", "2");
  am_test_fails(am_options_read(f->tree, table, f->map, "s", &s, &err), AM_E_CONFIG, &err,
                "x.yaml:3:5: key \"count\" in s is given twice (first in line 1)");
  static const am_option needed[] = {{"root", AM_OPT_TEXT, AT(name), NULL, 0, 0, NULL, "folder of the corpus"},
                                     AM_OPTION_END};
  am_value empty = {.kind = AM_MAP, .source = "y.yaml", .line = 4, .column = 3};
  am_test_fails(am_options_read(f->tree, needed, &empty, "data", &s, &err), AM_E_CONFIG, &err,
                "y.yaml:4:3: data: the key \"root\" is missing (folder of the corpus)");
  am_test_fails(am_options_read(f->tree, needed, NULL, "data", &s, &err), AM_E_CONFIG, &err, "\"root\" is missing");
  am_test_fails(am_options_read(f->tree, table, am_value_flow(f->tree, "[1]"), "s", &s, &err), AM_E_CONFIG, &err,
                "s: found a list, wanted a map");
}

static void what_is_written_reads_back(void **state) {
  fixture *f = *state;
  put_flow(f, "rate", "0.1");
  put_flow(f, "kinds", "[]");
  put_flow(f, "list", "[x, y]");
  put_flow(f, "name", "\"12\"");
  section s, again;
  am_error err = AM_ERROR_INIT;
  am_value *out, *twice;
  am_test_ok(am_options_read(f->tree, table, f->map, "s", &s, &err), &err);
  am_test_ok(am_options_emit(f->tree, table, &s, &out, &err), &err);
  assert_int_equal(out->count, 13);
  assert_string_equal(am_value_get(out, "rate")->text, "0.1");
  assert_string_equal(am_value_get(out, "mode")->text, "same");
  assert_true(am_value_get(out, "name")->quoted);
  assert_int_equal(am_value_get(out, "kinds")->count, 0);
  assert_int_equal(am_value_get(out, "map")->kind, AM_NULL);
  am_test_ok(am_options_read(f->tree, table, out, "s", &again, &err), &err); /* patience -1 too */
  am_test_ok(am_options_emit(f->tree, table, &again, &twice, &err), &err);
  assert_true(am_value_equal(out, twice));
  assert_int_equal(again.patience, -1);
}

static void help_names_type_default_and_range(void **state) {
  fixture *f = *state;
  am_buffer b = {0};
  am_options_help(f->ctx, table, &b);
  assert_false(b.failed);
  assert_true(!strncmp(b.data, "  key        type   default  range or choices\n", 46));
  assert_non_null(strstr(b.data, "\n  count      int    3        1 to 10\n             how many\n"));
  assert_non_null(strstr(b.data, "  valid, same, explicit\n             padding\n"));
  assert_non_null(strstr(b.data, "at least 1"));
  am_buffer_free(f->ctx, &b);
}

static void help_fits_a_terminal(void **state) {
  fixture *f = *state;
  static const am_option wide[] = {
      {"an_option", AM_OPT_CHOICES, 0, "[first_choice, second_choice]",
       .choices = "first_choice|second_choice|third_choice|fourth_choice|fifth_choice|sixth_choice",
       .help = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"},
      AM_OPTION_END};
  am_buffer b = {0};
  am_options_help(f->ctx, wide, &b);
  assert_string_equal(b.data,
                      "  key        type   default           range or choices\n"
                      "  an_option  words  [first_choice, second_choice]  first_choice, second_choice, "
                      "third_choice,\n"
                      "                                      fourth_choice, fifth_choice, sixth_choice\n"
                      "             one two three four five six seven eight nine ten eleven twelve thirteen "
                      "fourteen\n"
                      "             fifteen sixteen\n");
  am_buffer_free(f->ctx, &b);
}

#define SHAPES(X) X(SHAPE_ROUND, "round") X(SHAPE_SQUARE, "square") X(SHAPE_FLAT, "flat")
typedef enum shape { SHAPES(AM_WORD_NAME) } shape;

static void an_enumeration_is_written_once(void **state) {
  (void)state;
  static const char *const words[] = {SHAPES(AM_WORD_ITEM)};
  char word[8];
  assert_string_equal(AM_WORDS(SHAPES), "round|square|flat");
  for (int i = SHAPE_ROUND; i <= SHAPE_FLAT; i++) {
    assert_int_equal(am_choice_index(AM_WORDS(SHAPES), words[i]), i);
    assert_string_equal(am_choice_name(AM_WORDS(SHAPES), i, word, sizeof word), words[i]);
  }
}

/* Variants: animals, of which a bird and a bat have wings, and a fish has fins of its own. */
typedef struct animal {
  int kind;
  int64_t legs, fins;
  double wings;
} animal;
static const am_option winged_table[] = {{"wings", AM_OPT_REAL, offsetof(animal, wings), "0.5", 0, 9, NULL, "span, m"},
                                         AM_OPTION_END};
static const am_option fish_table[] = {{"fins", AM_OPT_INT, offsetof(animal, fins), "7", 1, 9, NULL, "how many"},
                                       AM_OPTION_END};
static const am_variant worm = {"worm", "has nothing", NULL}, bird = {"bird", "flies", winged_table},
                        bat = {"bat", "flies at night", winged_table}, fish = {"fish", "swims", fish_table};
static const am_variant *const animals[] = {&worm, &bird, &bat, &fish, NULL};
static const am_option animal_table[] = {
    {"kind", AM_OPT_CHOICE, offsetof(animal, kind), "worm", .variants = animals, .help = "which"},
    {"legs", AM_OPT_INT, offsetof(animal, legs), "2", 0, 99, NULL, "how many"},
    AM_OPTION_END};

static void a_variant_has_options_of_its_own(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  animal a;
  am_value *out;
  memset(&a, 0xff, sizeof a);
  am_test_ok(am_options_read(f->tree, animal_table, NULL, "zoo", &a, &err), &err);
  assert_int_equal(a.kind, 0);
  assert_int_equal(a.fins, 7); /* of another: by default */
  assert_true(a.wings == 0.5);
  am_test_ok(am_options_emit(f->tree, animal_table, &a, &out, &err), &err);
  assert_int_equal(out->count, 2);
  put(f, "wings", am_value_real(f->tree, 3));
  put(f, "kind", am_value_text(f->tree, "bat", false));
  am_test_ok(am_options_read(f->tree, animal_table, f->map, "zoo", &a, &err), &err);
  assert_ptr_equal(animals[a.kind], &bat);
  assert_true(a.wings == 3);
  am_test_ok(am_options_emit(f->tree, animal_table, &a, &out, &err), &err);
  assert_int_equal(out->count, 3);
  assert_string_equal(am_value_get(out, "kind")->text, "bat");
  assert_string_equal(am_value_get(out, "wings")->text, "3");
}

static void an_option_of_another_variant_is_refused(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  animal a;
  put(f, "kind", am_value_text(f->tree, "fish", false));
  put(f, "wings", am_value_real(f->tree, 3));
  am_test_fails(am_options_read(f->tree, animal_table, f->map, "zoo", &a, &err), AM_E_CONFIG, &err,
                "zoo.wings: kind is fish, and this is a setting of bird and bat; leave it out");
  am_options_drop_others(animal_table, f->map);
  assert_null(am_value_get(f->map, "wings"));
  assert_int_equal(f->map->count, 1);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_options_read(f->tree, animal_table, f->map, "zoo", &a, &err), &err);
  put(f, "fin", am_value_int(f->tree, 3));
  am_test_fails(am_options_read(f->tree, animal_table, f->map, "zoo", &a, &err), AM_E_CONFIG, &err,
                "did you mean \"fins\"?");
  am_value_get(f->map, "kind")->text = "fly";
  am_value_get(f->map, "fin")->key = "wings"; /* of a kind that is none, any of all will do */
  am_test_fails(am_options_read(f->tree, animal_table, f->map, "zoo", &a, &err), AM_E_CONFIG, &err,
                "zoo.kind: found \"fly\", wanted one of worm, bird, bat, fish");
}

static void what_set_gave_is_not_dropped(void **state) {
  fixture *f = *state;
  put(f, "wings", am_value_real(f->tree, 3));
  put(f, "fins", am_value_int(f->tree, 3));
  am_value_get(f->map, "fins")->key_line = 0;
  am_options_drop_others(animal_table, f->map);
  assert_null(am_value_get(f->map, "wings"));
  assert_non_null(am_value_get(f->map, "fins"));
}

static void help_shows_each_variant(void **state) {
  fixture *f = *state;
  am_buffer b = {0};
  am_options_help(f->ctx, animal_table, &b);
  assert_string_equal(b.data,
                      "  key   type   default  range or choices\n"
                      "  kind  word   worm     worm, bird, bat, fish\n        which\n"
                      "  legs  int    2        0 to 99\n        how many\n"
                      "\nkind worm: has nothing\n"
                      "\nkind bird: flies\n"
                      "  key    type   default  range or choices\n"
                      "  wings  real   0.5      0 to 9\n         span, m\n"
                      "\nkind bat: flies at night; settings of its own as with bird\n"
                      "\nkind fish: swims\n"
                      "  key   type   default  range or choices\n"
                      "  fins  int    7        1 to 9\n        how many\n");
  am_buffer_free(f->ctx, &b);
}

static void choices_have_an_index(void **state) {
  (void)state;
  char word[8];
  assert_int_equal(am_choice_index("a|bb|c", "bb"), 1);
  assert_int_equal(am_choice_index("a|bb|c", "b"), -1);
  assert_int_equal(am_choice_index("a|bb|c", ""), -1);
  assert_int_equal(am_choice_index("a|bb|c", "a|bb"), -1);
  assert_string_equal(am_choice_name("a|bb|c", 2, word, sizeof word), "c");
  assert_string_equal(am_choice_name("a|bb|c", 1, word, sizeof word), "bb");
  assert_string_equal(am_choice_name("a|bb|c", 9, word, sizeof word), "");
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  for (long n = 1;; n++) {
    am_test_memory m;
    fixture f = {.ctx = am_test_memory_context(&m, 1)};
    am_error err = AM_ERROR_INIT;
    am_test_ok(am_tree_create(f.ctx, &f.tree, &err), &err);
    f.map = am_value_new(f.tree, AM_MAP);
    am_value *many = am_value_new(f.tree, AM_LIST);
    for (int i = 0; i < 600; i++) am_value_add(f.tree, many, NULL, am_value_int(f.tree, 1 + i % 9), NULL);
    put(&f, "sizes", many);
    am_test_memory_arm(&m, n);
    section s;
    am_value *out = NULL;
    am_buffer help = {0};
    am_status status = am_options_read(f.tree, table, f.map, "s", &s, &err);
    if (!status) status = am_options_emit(f.tree, table, &s, &out, &err);
    am_options_help(f.ctx, table, &help);
    bool fired = am_test_memory_fired(&m);
    if (fired) assert_true(status == AM_E_NOMEM || help.failed);
    else assert_true(status == AM_OK && !help.failed);
    am_buffer_free(f.ctx, &help);
    am_tree_free(f.tree);
    am_context_free(f.ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

/* As people write amounts of memory; what is written back reads the same. */
static void amounts_have_units(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t bytes;
  } good[] = {{"65536", 65536},
              {"400MB", 400000000},
              {"400 MB", 400000000},
              {"400mb", 400000000},
              {"400M", 400000000},
              {"1.5GB", 1500000000},
              {"2g", 2000000000},
              {"512MiB", 512 << 20},
              {"1KiB", 1024},
              {"3k", 3000},
              {"1B", 1},
              {"0", 0},
              {"1TB", 1000000000000},
              {"0.5TiB", INT64_C(1) << 39},
              {"9000000000000000001", INT64_C(9000000000000000001)}};
  static const char *const bad[] = {"",        "MB",    "-1MB",       "4XB", "400MBs",
                                    "1.2.3MB", "1e3MB", "10000000TB", "1iB", "99999999999999999999"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    int64_t bytes = -1, again = -1;
    char text[32];
    if (!am_text_to_bytes(good[i].text, &bytes) || bytes != good[i].bytes) fail_msg("%s", good[i].text);
    am_bytes_to_text(bytes, text);
    assert_true(am_text_to_bytes(text, &again));
    assert_int_equal(again, bytes);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int64_t bytes;
    if (am_text_to_bytes(bad[i], &bytes)) fail_msg("%s", bad[i]);
  }
  char text[32];
  am_bytes_to_text(400000000, text);
  assert_string_equal(text, "400MB");
  am_bytes_to_text(1234, text);
  assert_string_equal(text, "1234");
  assert_in_range(am_machine_memory(), 1 << 20, UINT64_MAX);
}

static void an_amount_is_an_option(void **state) {
  fixture *f = *state;
  static const am_option one[] = {{"memory", AM_OPT_BYTES, 0, "0", 1, 9.2e18, NULL, "how much"}, AM_OPTION_END};
  int64_t bytes = -1;
  am_value *out;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_options_read(f->tree, one, NULL, "s", &bytes, &err), &err);
  assert_int_equal(bytes, 0);
  put_flow(f, "memory", "1.5GB");
  am_test_ok(am_options_read(f->tree, one, f->map, "s", &bytes, &err), &err);
  assert_int_equal(bytes, 1500000000);
  am_test_ok(am_options_emit(f->tree, one, &bytes, &out, &err), &err);
  assert_string_equal(am_value_get(out, "memory")->text, "1500MB");
  static const char *const bad[] = {"much", "-5MB"};
  for (int i = 0; i < 2; i++) {
    f->map = am_value_new(f->tree, AM_MAP);
    put_flow(f, "memory", bad[i]);
    am_test_fails(am_options_read(f->tree, one, f->map, "s", &bytes, &err), AM_E_CONFIG, &err,
                  "wanted an amount such as 400MB or 2GB");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(defaults_fill_the_section, begin, end),
      cmocka_unit_test_setup_teardown(given_values_win, begin, end),
      cmocka_unit_test(bad_values_are_refused_with_their_place),
      cmocka_unit_test_setup_teardown(duplicate_and_missing_keys_are_refused, begin, end),
      cmocka_unit_test_setup_teardown(what_is_written_reads_back, begin, end),
      cmocka_unit_test_setup_teardown(help_names_type_default_and_range, begin, end),
      cmocka_unit_test_setup_teardown(help_fits_a_terminal, begin, end),
      cmocka_unit_test_setup_teardown(a_variant_has_options_of_its_own, begin, end),
      cmocka_unit_test_setup_teardown(an_option_of_another_variant_is_refused, begin, end),
      cmocka_unit_test_setup_teardown(what_set_gave_is_not_dropped, begin, end),
      cmocka_unit_test_setup_teardown(help_shows_each_variant, begin, end),
      cmocka_unit_test(choices_have_an_index),
      cmocka_unit_test(an_enumeration_is_written_once),
      cmocka_unit_test(every_failed_allocation_is_survived),
      cmocka_unit_test(amounts_have_units),
      cmocka_unit_test_setup_teardown(an_amount_is_an_option, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
