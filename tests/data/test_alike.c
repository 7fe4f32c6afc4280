/* SPDX-License-Identifier: MIT */
/* Labels, speakers and groups that look alike or mean the same. Clips are empty files: nothing is decoded. */
#include "corpus_folder.h"

#include "data/alike.h"
#include "data/spelling.h"
#include "data/vocabulary.h"

/* A manifest of clips 0.wav, 1.wav ... with a row "label,speaker" each. */
static void write_list(const char *const *rows, size_t n) {
  char text[4096] = "path,label,speaker\n", name[32];
  for (size_t i = 0; i < n; i++) {
    snprintf(name, sizeof name, "%zu.wav", i);
    touch(ctx, folder, name);
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s,%s\n", name, rows[i]);
  }
  am_test_file(am_test_path(folder, "manifest.csv"), text, strlen(text));
}

static am_status load_as(const char *yaml, bool stored, am_dataset **d) {
  am_data_options o;
  am_tree *tree;
  am_value *map;
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  if (stored) am_tree_set_stored(tree);
  am_test_ok(am_yaml_read_text(tree, yaml, strlen(yaml), "test.yaml", &map, &err), &err);
  am_test_ok(am_options_read(tree, am_data_table, map, "data", &o, &err), &err);
  o.root = folder;
  am_status status = am_dataset_load(ctx, &o, d, &err);
  am_tree_free(tree);
  return status;
}

/* Loads and holds the labels, joined by "|", and the number of speakers. */
static void labels_are(const char *yaml, bool stored, const char *labels, int speakers) {
  am_dataset *d = NULL;
  char text[512] = "";
  log_kept = (kept_log){0};
  am_test_ok(load_as(yaml, stored, &d), &err);
  for (int k = 0; k < d->n_labels; k++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", k ? "|" : "", d->labels[k]);
  if (strcmp(text, labels)) fail_msg("%s: labels %s, wanted %s", yaml, text, labels);
  assert_int_equal(d->n_speakers, speakers);
  am_dataset_free(d);
}

static void said(const char *words) {
  if (!strstr(log_kept.text, words)) fail_msg("not said: %s\nsaid: %s", words, log_kept.text);
}

#define COMPOSED "fr\xc3\xb6hlich"
#define APART "fro\xcc\x88hlich"

static void what_nobody_sees_is_one(void **state) {
  (void)state;
  static const char *const rows[] = {"happy,anna",
                                     "happy ,anna\t",
                                     " happy,\xc2\xa0"
                                     "anna",
                                     APART ",ben",
                                     COMPOSED ",ben",
                                     "sad,ben"};
  write_list(rows, 6);
  labels_are("{corpus: manifest}", false, COMPOSED "|happy|sad", 2);
  said("label \"happy \" (1 clip, first in ");
  said("manifest.csv:3) counts as \"happy\": they differ in blanks at the ends");
  said("manifest.csv:5) counts as \"" COMPOSED "\": they differ in the Unicode form of their letters");
  said("speaker \"anna \" (1 clip, first in ");
  /* a config may name a label either way */
  labels_are("{corpus: manifest, labels: [\"happy \", " APART "]}", false, "happy|" COMPOSED, 2);
  labels_are("{corpus: manifest, merge: {\"sad \": happy}}", false, COMPOSED "|happy", 2);
  labels_are("{corpus: manifest, rename: {" APART ": glad}}", false, "glad|happy|sad", 2);
  /* apart where one says so, and in a config that a run kept before there was a choice */
  labels_are("{corpus: manifest, merge_alike: none}", false, " happy|" APART "|" COMPOSED "|happy|happy |sad", 4);
  labels_are("{corpus: manifest}", true, " happy|" APART "|" COMPOSED "|happy|happy |sad", 4);
  assert_null(strstr(log_kept.text, "counts as"));
}

static void case_is_said_and_joined_on_demand(void **state) {
  (void)state;
  static const char *const rows[] = {"Happy,a",
                                     "HAPPY,A",
                                     "Happy,a",
                                     "sad,b",
                                     ("Stra\xc3\x9f"
                                      "e,b"),
                                     "STRASSE,b",
                                     "\xef\xbd\x93\xef\xbd\x81\xef\xbd\x84,b"}; /* sad in full-width letters */
  write_list(rows, 7);
  labels_are("{corpus: manifest}", false,
             "HAPPY|Happy|STRASSE|Stra\xc3\x9f"
             "e|sad|\xef\xbd\x93\xef\xbd\x81\xef\xbd\x84",
             3);
  said("labels \"Happy\" (2 clips, first in ");
  said(
      "manifest.csv:3) differ in case or width alone and are two; set data.merge_alike: case to join them, or "
      "data.merge: {\"HAPPY\": \"Happy\"}");
  said("speakers \"a\" (2 clips, ");
  labels_are("{corpus: manifest, merge_alike: case}", false,
             "Happy|Stra\xc3\x9f"
             "e|sad",
             2);
  said("label \"HAPPY\" (1 clip, first in ");
  labels_are("{corpus: manifest, merge_alike: case, labels: [SAD, happy]}", false, "sad|Happy",
             2); /* in the corpus's spelling */
  labels_are("{corpus: manifest, merge_alike: case, merge: {SAD: happy}, labels: [HAPPY]}", false, "HAPPY", 2);
}

static void one_word_for_one_emotion(void **state) {
  (void)state;
  static const char *const rows[] = {"joy,a", "happiness,a", "Anger,b", "angry,b", "bliss,b"};
  write_list(rows, 5);
  labels_are("{corpus: manifest}", false, "Anger|angry|bliss|happiness|joy", 2);
  said(
      "labels \"joy\" and \"happiness\" mean the same emotion and are two; set data.vocabulary: common, or data.merge: "
      "{happiness: joy}");
  labels_are("{corpus: manifest, merge: {happiness: joy, Anger: angry}}", false, "angry|bliss|joy", 2);
  assert_int_equal(log_kept.lines, 0);
  labels_are("{corpus: manifest, vocabulary: common}", false, "angry|bliss|happy", 2);
  labels_are("{corpus: manifest, vocabulary: common, labels: [joy, anger], merge: {bliss: happiness}}", false,
             "happy|angry", 2);
  am_dataset *d = NULL;
  am_test_fails(load_as("{corpus: manifest, labels: [happy]}", false, &d), AM_E_DATA, &err,
                "\"happy\" (did you mean \"happiness\"?)");
  am_test_fails(load_as("{corpus: manifest, merge: {mad: joy, sorrow: joy}}", false, &d), AM_E_CONFIG, &err,
                "no label \"mad\"");
}

/* The shipped descriptions and the loaders together have one word for each emotion. */
static void the_shipped_labels_are_known(void **state) {
  (void)state;
  static const char *const labels[] = {"anger",   "disgust", "fear",      "happiness",  "neutral", "sadness",
                                       "boredom", "joy",     "surprise",  "calm",       "happy",   "sad",
                                       "angry",   "fearful", "surprised", "frustrated", "excited"};
  for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
    if (!am_vocabulary_common(labels[i])) fail_msg("%s is not known", labels[i]);
  assert_string_equal(am_vocabulary_common("anger"), "angry");
  assert_null(am_vocabulary_common("other"));
}

static void allocations_fail(void **state) {
  (void)state;
  static const char *const rows[] = {"happy,anna", "Happy ,anna ", "joy,ben", "sad,ben"};
  write_list(rows, 4);
  am_data_options o;
  am_tree *tree =
      read_section(ctx, am_data_table,
                   "{corpus: manifest, vocabulary: common, merge_alike: case, labels: [joy], merge: {sad: joy}}", &o);
  o.root = folder;
  for (long n = 1;; n++) {
    am_test_memory m;
    am_dataset *d = NULL;
    am_context *small = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_status status = am_dataset_load(small, &o, &d, &err);
    const bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_dataset_free(d);
    am_context_free(small);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  am_tree_free(tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_nobody_sees_is_one, setup, teardown),
      cmocka_unit_test_setup_teardown(case_is_said_and_joined_on_demand, setup, teardown),
      cmocka_unit_test_setup_teardown(one_word_for_one_emotion, setup, teardown),
      cmocka_unit_test_setup_teardown(the_shipped_labels_are_known, setup, teardown),
      cmocka_unit_test_setup_teardown(allocations_fail, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
