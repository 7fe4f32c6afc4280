/* SPDX-License-Identifier: MIT */
/* tests/data/test_several.c - several corpora as one: what each gives, their speakers, and one of them left out. */
#include "described.h"

#include "data/split.h"

static am_status load_several(const char *more, am_dataset **d) {
  char yaml[2048];
  snprintf(yaml, sizeof yaml,
           "{corpus: several, corpora: ["
           "{corpus: described, description: %s/datasets/emodb.yaml, root: %s/emodb, merge: {happiness: joy}},"
           "{corpus: described, description: %s/datasets/savee.yaml, root: %s/savee, merge: {happiness: joy}},"
           "{corpus: ravdess, root: %s/ravdess, labels: [happy, angry], rename: {happy: joy, angry: anger}}]%s}",
           AM_SOURCE_ROOT, folder, AM_SOURCE_ROOT, folder, folder, more);
  return load(yaml, d);
}

static void test_several(void **state) {
  (void)state;
  put_all((const char *const[]){"emodb/wav/03a01Fa.wav", "emodb/wav/08a01Wa.wav", "emodb/wav/08a01La.wav",
                                "emodb/bad.wav", "savee/DC/h01.wav", "savee/DC/a01.wav",
                                "ravdess/Actor_03/03-01-03-01-01-01-03.wav",
                                "ravdess/Actor_03/03-01-05-01-01-01-03.wav", NULL});
  am_dataset *d;
  am_test_ok(load_several("", &d), &err);
  assert_int_equal(d->n, 7);
  says(d, "emodb/wav/03a01Fa.wav", "joy", "emodb/03");
  says(d, "savee/DC/h01.wav", "joy", "savee/DC");
  says(d, "ravdess/Actor_03/03-01-03-01-01-01-03.wav", "joy", "ravdess/03"); /* not EMO-DB's 03 */
  assert_int_equal(d->n_speakers, 4);
  assert_int_equal(d->n_labels, 3); /* joy, anger, boredom */
  assert_int_equal(left_out(d, "emodb: name matches no pattern"), 1);
  assert_non_null(strstr(d->licence, "ravdess: CC BY-NC-SA 4.0"));
  assert_non_null(strstr(d->licence, "emodb: free"));
  assert_non_null(strstr(d->citation, "Livingstone"));
  assert_non_null(strstr(d->citation, "Burkhardt"));
  assert_true(warned("ravdess: "));
  speaks(d, "emodb/wav/03a01Fa.wav", "emodb\t3");
  speaks(d, "savee/DC/h01.wav", "savee\tDC");
  speaks(d, "ravdess/Actor_03/03-01-03-01-01-01-03.wav", "ravdess\t3");
  for (size_t i = 0; i < d->n; i++) assert_true(am_file_exists(d->clips[i].path));
  am_dataset_free(d);
  am_test_ok(load_several(", labels: [joy, anger], merge: {boredom: joy}", &d), &err); /* once more, for all */
  assert_int_equal(d->n_labels, 2);
  says(d, "emodb/wav/08a01La.wav", "joy", "emodb/08");
  am_dataset_free(d);
}

static void test_several_twice(void **state) {
  (void)state;
  char yaml[1024];
  put("one/wav/03a01Fa.wav");
  put("two/wav/03a01Fa.wav");
  snprintf(yaml, sizeof yaml,
           "{corpus: several, corpora: [{corpus: described, description: %s/datasets/emodb.yaml, root: %s/one},"
           "{corpus: described, description: %s/datasets/emodb.yaml, root: %s/two}]}",
           AM_SOURCE_ROOT, folder, AM_SOURCE_ROOT, folder);
  am_dataset *d;
  am_test_ok(load(yaml, &d), &err);
  says(d, "emodb/wav/03a01Fa.wav", "happiness", "emodb/03");
  says(d, "emodb-2/wav/03a01Fa.wav", "happiness", "emodb-2/03");
  speaks(d, "emodb-2/wav/03a01Fa.wav", "emodb\t3"); /* the same man */
  am_split *s;
  am_test_fails(am_split_make(ctx, d, &(am_split_options){.kind = AM_SPLIT_LOCO}, &s, &err), AM_E_DATA, &err,
                "the clips are all of one corpus"); /* of which both are parts */
  am_dataset_free(d);
}

static am_split *left_out_corpus(am_dataset *d, int fold) {
  am_split *s;
  const am_split_options o = {.kind = AM_SPLIT_LOCO, .fold = fold};
  am_test_ok(am_split_make(ctx, d, &o, &s, &err), &err);
  return s;
}

/* Each corpus is the test part once, and nothing else is. */
static void test_leave_one_corpus_out(void **state) {
  (void)state;
  static const char *const names[] = {"emodb", "savee", "ravdess"};
  static const size_t clips[] = {3, 2, 2};
  put_all((const char *const[]){"emodb/wav/03a01Fa.wav", "emodb/wav/08a01Wa.wav", "emodb/wav/08a01La.wav",
                                "savee/DC/h01.wav", "savee/DC/a01.wav", "ravdess/Actor_03/03-01-03-01-01-01-03.wav",
                                "ravdess/Actor_03/03-01-05-01-01-01-03.wav", NULL});
  am_dataset *d;
  am_test_ok(load_several("", &d), &err);
  for (int fold = 0; fold < 3; fold++) {
    char note[80];
    am_split *s = left_out_corpus(d, fold);
    assert_int_equal(s->n_folds, 3);
    assert_int_equal(s->n[AM_PART_TEST], clips[fold]);
    assert_int_equal(s->n[AM_PART_TRAIN], 7 - clips[fold]);
    for (size_t i = 0; i < clips[fold]; i++)
      assert_int_equal(strncmp(d->clips[s->at[AM_PART_TEST][i]].name, names[fold], strlen(names[fold])), 0);
    assert_true(s->speaker_independent);
    snprintf(note, sizeof note, "%s left out (fold %d of 3)", names[fold], fold);
    assert_non_null(strstr(s->note, note));
    am_split_free(ctx, s);
  }
  am_split *s;
  am_test_fails(am_split_make(ctx, d, &(am_split_options){.kind = AM_SPLIT_LOCO, .fold = 3}, &s, &err), AM_E_CONFIG,
                &err, "split.fold is 3; wanted 0 to 2");
  am_dataset_free(d);
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{corpus: ravdess, root: %s/ravdess}", folder);
  am_test_ok(load(yaml, &d), &err);
  am_test_fails(am_split_make(ctx, d, &(am_split_options){.kind = AM_SPLIT_LOCO}, &s, &err), AM_E_DATA, &err,
                "the clips are all of one corpus");
  am_dataset_free(d);
}

/* Who speaks */

/* A speaker is the same in every way in which a corpus is read, and another than one of that name in another corpus. */
static void test_persons(void **state) {
  (void)state;
  static const char rows[] = "path,label,speaker\nemodb/03a01Fa.wav,joy,03\n";
  static const char actor_3[] = "Actor_03/03-01-03-01-01-01-03.wav";
  am_dataset *d;
  put_all((const char *const[]){actor_3, "emodb/03a01Fa.wav", "emodb/08a01Wa.wav", NULL});
  am_test_ok(load("{corpus: ravdess}", &d), &err);
  speaks(d, actor_3, "ravdess\t3");
  am_dataset_free(d);
  shipped("ravdess_speech", &d);
  speaks(d, actor_3, "ravdess\t3");
  am_dataset_free(d);
  shipped("emodb", &d);
  speaks(d, "emodb/03a01Fa.wav", "emodb\t3");
  am_dataset_free(d);
  written("name: wide\nlicence: own\npart_of: emodb\nfiles: '0*(?<speaker>\\d+)a\\d\\d(?<label>[A-Z])a'\n", &d);
  speaks(d, "emodb/03a01Fa.wav", "emodb\t3");
  am_dataset_free(d);
  written(
      "name: \"my\\tcorpus\"\nlicence: own\nfiles: '(?<label>0)(?<speaker>[38])a.*'\nspeakers: {\"8\": \"An\\na\"}\n",
      &d);
  speaks(d, "emodb/03a01Fa.wav", "my corpus\t3");
  speaks(d, "emodb/08a01Wa.wav", "my corpus\tAn a");
  am_dataset_free(d);
  written("name: mine\nlicence: own\nfiles: '(?<label>0).*'\n", &d);
  speaks(d, "emodb/03a01Fa.wav", "mine\t"); /* one of that corpus */
  am_dataset_free(d);
  am_test_file(in("list.csv"), rows, sizeof rows - 1);
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s}", in("list.csv"));
  am_test_ok(load(yaml, &d), &err);
  speaks(d, "emodb/03a01Fa.wav", AM_PERSON_UNKNOWN);
  am_dataset_free(d);
}

static void test_several_errors(void **state) {
  (void)state;
  am_dataset *d = NULL;
  am_test_fails(load("{corpus: several}", &d), AM_E_CONFIG, &err, "data.corpora is empty");
  am_test_fails(load("{corpus: several, corpora: [{corpus: ravdes}]}", &d), AM_E_CONFIG, &err,
                "did you mean \"ravdess\"");
  am_test_fails(load("{corpus: several, corpora: [{corpus: several}]}", &d), AM_E_CONFIG, &err,
                "inside a list of corpora");
  am_test_fails(load("{corpus: several, corpora: [{corpus: ravdess, max_seconds: 3}]}", &d), AM_E_CONFIG, &err,
                "into data itself");
  am_test_fails(load("{corpus: several, corpora: [{corpus: ravdess, root: /nowhere}]}", &d), AM_E_DATA, &err,
                "data.corpora.0");
  /* Its own root is where their relative ones start, and none itself. */
  am_test_fails(load("{corpus: several, root: /nowhere, corpora: [{corpus: ravdess}]}", &d), AM_E_CONFIG, &err,
                "data.corpora.0: data.root is not set");
  am_test_fails(load("{corpus: several, root: /nowhere, corpora: [{corpus: ravdess, root: here}]}", &d), AM_E_DATA,
                &err, "/nowhere/here does not exist");
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {CASE(test_several), CASE(test_several_twice), CASE(test_leave_one_corpus_out),
                                     CASE(test_persons), CASE(test_several_errors)};
  return cmocka_run_group_tests_name("several", tests, NULL, NULL);
}
