/* SPDX-License-Identifier: MIT */
/* tests/data/test_dimensions_read.c - values of dimensions from lists, tables and several corpora; clips are empty files. */
#include "corpus_folder.h"

static void list_of(const char *file, const char *text) {
  am_test_file(in(file), text, strlen(text));
  for (int i = 0; i < 4; i++) {
    char name[8] = {(char)('a' + i), '.', 'w', 'a', 'v', '\0'};
    am_test_file(in(name), "", 0);
  }
}

static am_status load(const char *yaml, am_dataset **out) {
  char text[1024];
  am_data_options o;
  am_tree *tree;
  am_value *root;
  snprintf(text, sizeof text, "{corpus: manifest, root: \"%s\"%s%s}", folder, *yaml ? ", " : "", yaml);
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  am_test_ok(am_yaml_read_text(tree, text, strlen(text), "test", &root, &err), &err);
  am_status status = am_options_read(tree, am_data_table, root, "data", &o, &err);
  if (!status) status = am_dataset_load(ctx, &o, out, &err);
  am_tree_free(tree);
  return status;
}

static am_dataset *load_ok(const char *yaml) {
  am_dataset *d = NULL;
  am_test_ok(load(yaml, &d), &err);
  return d;
}

static void load_fails(const char *yaml, am_status status, const char *words) {
  am_dataset *d = NULL;
  am_test_fails(load(yaml, &d), status, &err, words);
  err = (am_error)AM_ERROR_INIT;
}

static const char rows[] =
    "path,label,speaker,valence,activation,mood\n"
    "a.wav,glad,1,4.5,2,5\n"
    "b.wav,,1,,3.25,\n"
    "c.wav,sad,2,,,1\n"
    "d.wav,sad,2,1,5,2\n";

static void a_list_with_dimensions(void **state) {
  (void)state;
  list_of("manifest.csv", rows);
  am_dataset *d = load_ok("target: dimensions, scale: [1, 5]");
  assert_int_equal(d->target, AM_TARGET_DIMENSIONS);
  assert_int_equal(d->n, 3); /* nothing is said of c */
  assert_int_equal(d->n_dimensions, 2);
  assert_int_equal(am_dataset_outputs(d), 2);
  assert_string_equal(am_dataset_output_names(d)[0], "valence");
  assert_string_equal(d->dimensions[1], "activation"); /* as the list calls it */
  assert_true(d->clips[0].values[0] == 4.5F && d->clips[0].values[1] == 2);
  assert_true(isnan(d->clips[1].values[0]) && d->clips[1].values[1] == 3.25F);
  assert_true(am_dataset_unit(d, &d->clips[0], 0) == 0.75F && am_dataset_unit(d, &d->clips[2], 0) == -1);
  assert_true(isnan(am_dataset_unit(d, &d->clips[1], 0)));
  bool mood = false, emotion = false,
       valence = false; /* a column that was not asked for is a trait, and so is the label */
  for (size_t i = 0; i < d->n_traits; i++) {
    mood |= !strcmp(d->traits[i].name, "mood");
    emotion |= !strcmp(d->traits[i].name, "emotion");
    valence |= !strcmp(d->traits[i].name, "valence");
  }
  assert_true(mood && emotion && !valence);
  am_dataset_free(d);
}

/* Without being asked for, such a column is what any other is: models of emotions are as they were. */
static void nothing_changes_where_emotions_are_told(void **state) {
  (void)state;
  list_of("manifest.csv",
          "path,label,speaker,valence\na.wav,glad,1,4\nb.wav,glad,1,\nc.wav,sad,2,1\nd.wav,sad,2,much\n");
  am_dataset *d = load_ok("");
  assert_int_equal(d->n, 4);
  assert_int_equal(d->n_dimensions, 0);
  assert_null(d->clips[0].values);
  assert_int_equal(am_dataset_outputs(d), 2);
  assert_string_equal(d->traits[0].name, "valence");
  am_dataset_free(d);
}

/* For a head beside classes. */
static void dimensions_beside_emotions(void **state) {
  (void)state;
  list_of("manifest.csv", "path,label,speaker,valence\na.wav,glad,1,4\nb.wav,glad,1,\nc.wav,sad,2,1\nd.wav,sad,2,2\n");
  am_dataset *d = load_ok("dimensions: [valence], scale: [1, 5]");
  assert_int_equal(d->n, 4);
  assert_int_equal(am_dataset_outputs(d), 2);
  assert_int_equal(d->n_dimensions, 1);
  assert_null(d->clips[1].values);
  assert_int_equal(d->n_traits, 0);
  am_dataset_free(d);
}

static void what_is_wrong_is_named(void **state) {
  (void)state;
  list_of("manifest.csv", rows);
  load_fails("target: dimensions", AM_E_CONFIG,
             "data.scale is not set: wanted the lowest and the highest value of valence");
  load_fails("target: dimensions, scale: [5, 1]", AM_E_CONFIG, "data.scale: wanted [lowest, highest]");
  load_fails("target: dimensions, scale: [1]", AM_E_CONFIG, "data.scale: wanted [lowest, highest]");
  load_fails("target: dimensions, scale: [1, 4]", AM_E_FORMAT,
             "manifest.csv:2: valence is \"4.5\", wanted a number on data.scale");
  load_fails("target: dimensions, scales: {valence: [1, 5]}", AM_E_CONFIG,
             "data.scale is not set: wanted the lowest and the highest value of activation, such as");
  load_fails("target: dimensions, scales: {valence: [5, 1]}", AM_E_CONFIG,
             "data.scales.valence: wanted [lowest, highest], such as [-3, 3]");
  load_fails("target: dimensions, scales: {valence: 5}", AM_E_CONFIG, "data.scales.valence: wanted [lowest, highest]");
  load_fails("target: dimensions, scales: {arousal: [1, 5], activation: [1, 5]}", AM_E_CONFIG,
             "data.scales: activation is listed twice");
  load_fails("target: dimensions, scale: [1, 5], scales: {valense: [-3, 3]}", AM_E_CONFIG,
             "data.scales: valense is none of the dimensions (valence, ...)");
  load_fails("target: dimensions, scale: [1, 5], scales: {valence: [1, 4]}", AM_E_FORMAT,
             "manifest.csv:2: valence is \"4.5\", wanted a number on its scale in data.scales");
  load_fails("target: dimensions, dimensions: [valence, liking], scale: [1, 5]", AM_E_CONFIG,
             "does not say liking of its clips; it has valence");
  load_fails("target: dimensions, dimensions: [arousal, activation], scale: [1, 5]", AM_E_CONFIG, "listed twice");
  list_of("manifest.csv", "path,label,valence\na.wav,glad,much\n");
  load_fails("target: dimensions, scale: [1, 5]", AM_E_FORMAT, "valence is \"much\", wanted a number, or nothing");
  list_of("manifest.csv", "path,label\na.wav,glad\n");
  load_fails("target: dimensions, scale: [1, 5]", AM_E_CONFIG, "it has no dimensions");
}

/* data.scale is that of the others, and arousal is activation. */
static void each_dimension_on_its_scale(void **state) {
  (void)state;
  list_of("manifest.csv",
          "path,label,valence,activation,mood\na.wav,glad,-3,2,5\nb.wav,glad,1.5,3,1\nc.wav,sad,3,5,1\n");
  am_dataset *d = load_ok(
      "target: dimensions, dimensions: [valence, activation, mood], scale: [1, 5], scales: {valence: [-3, 3], arousal: "
      "[0, 10]}");
  assert_true(am_scale_equal(d->scale[0], (am_scale){-3, 3}) && am_scale_equal(d->scale[1], (am_scale){0, 10}) &&
              am_scale_equal(d->scale[2], (am_scale){1, 5}));
  assert_true(d->clips[0].values[0] == -3 && d->clips[0].values[1] == 2 && d->clips[0].values[2] == 5);
  assert_true(am_dataset_unit(d, &d->clips[0], 0) == -1 && am_dataset_unit(d, &d->clips[1], 0) == 0.5F);
  assert_true(am_dataset_unit(d, &d->clips[2], 1) == 0 && am_dataset_unit(d, &d->clips[0], 2) == 1);
  am_dataset_free(d);
  d = load_ok(
      "target: dimensions, scales: {valence: [-3, 3], arousal: [0, 10], dominance: [1, 7]}"); /* all that there are */
  assert_int_equal(d->n_dimensions, 2);
  am_dataset_free(d);
}

/* Each corpus has a scale of its own; the values of all are on one. */
static am_dataset *load_two(const char *all, const char *one, const char *two) {
  char yaml[1024];
  snprintf(yaml, sizeof yaml,
           "{corpus: several, root: \"%s\", target: dimensions%s, corpora: ["
           "{corpus: manifest, manifest: one.csv, title: one, %s}, "
           "{corpus: manifest, manifest: two.csv, title: two, %s}]}",
           folder, all, one, two);
  am_data_options o;
  am_tree *tree;
  am_value *root;
  am_dataset *d;
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  am_test_ok(am_yaml_read_text(tree, yaml, strlen(yaml), "test", &root, &err), &err);
  am_test_ok(am_options_read(tree, am_data_table, root, "data", &o, &err), &err);
  am_test_ok(am_dataset_load(ctx, &o, &d, &err), &err);
  am_tree_free(tree);
  return d;
}

static void several_corpora_share_a_scale(void **state) {
  (void)state;
  list_of("one.csv", "path,valence,arousal\na.wav,1,5\nb.wav,3,2\n");
  list_of("two.csv", "path,valence\nc.wav,0\nd.wav,75\n");
  am_dataset *d = load_two(", scale: [1, 5]", "scale: [1, 5]", "scale: [0, 100]");
  assert_int_equal(d->n, 4);
  assert_true(am_scale_equal(d->scale[0], (am_scale){1, 5}) && am_scale_equal(d->scale[1], (am_scale){1, 5}));
  assert_true(d->clips[0].values[0] == 1 && d->clips[1].values[1] == 2);
  assert_true(d->clips[2].values[0] == 1 && d->clips[3].values[0] == 4);
  assert_true(isnan(d->clips[2].values[1]));
  am_dataset_free(d);
}

/* Of each dimension that of the first corpus that has it, or what is set for all of them. */
static void several_corpora_with_scales_of_their_own(void **state) {
  (void)state;
  list_of("one.csv", "path,valence\na.wav,-3\nb.wav,3\n");
  list_of("two.csv", "path,valence,arousal\nc.wav,0,1\nd.wav,75,7\n");
  static const char two[] = "scale: [0, 100], scales: {arousal: [1, 7]}";
  am_dataset *d = load_two("", "scale: [-3, 3]", two);
  assert_true(am_scale_equal(d->scale[0], (am_scale){-3, 3}) && am_scale_equal(d->scale[1], (am_scale){1, 7}));
  assert_true(d->clips[0].values[0] == -3 && d->clips[2].values[0] == -3 && d->clips[3].values[0] == 1.5F);
  assert_true(d->clips[2].values[1] == 1 && d->clips[3].values[1] == 7);
  am_dataset_free(d);
  d = load_two(", scales: {arousal: [0, 1]}", "scale: [-3, 3]", two);
  assert_true(am_scale_equal(d->scale[0], (am_scale){-3, 3}) && am_scale_equal(d->scale[1], (am_scale){0, 1}));
  assert_true(d->clips[2].values[1] == 0 && d->clips[3].values[1] == 1);
  am_dataset_free(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_list_with_dimensions, setup, teardown),
      cmocka_unit_test_setup_teardown(nothing_changes_where_emotions_are_told, setup, teardown),
      cmocka_unit_test_setup_teardown(dimensions_beside_emotions, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
      cmocka_unit_test_setup_teardown(each_dimension_on_its_scale, setup, teardown),
      cmocka_unit_test_setup_teardown(several_corpora_share_a_scale, setup, teardown),
      cmocka_unit_test_setup_teardown(several_corpora_with_scales_of_their_own, setup, teardown),
  };
  return cmocka_run_group_tests_name("dimensions_read", tests, NULL, NULL);
}
