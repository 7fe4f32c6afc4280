/* SPDX-License-Identifier: MIT */
/* Descriptions whose labels are in tables beside the sounds: several of them, JSON, paths put together, scores, stretches, people. */
#include "described.h"

static void write_text(const char *name, const char *text) { am_test_file(in(name), text, strlen(text)); }

static const char *trait(const am_dataset *d, const am_clip *clip, const char *name) {
  for (size_t t = 0; t < d->n_traits; t++)
    if (!strcmp(d->traits[t].name, name))
      return d->traits[t].of[clip - d->clips] < 0 ? "" : d->traits[t].values[d->traits[t].of[clip - d->clips]];
  return "";
}

/* As MELD has them: a table for each part, numbers that make the name, films. */
static void test_several(void **state) {
  (void)state;
  am_dataset *d;
  put_all((const char *const[]){"train/dia0_utt1.mp4", "train/dia0_utt2.wav", "dev/dia0_utt1.mp4", "dev/dia7_utt7.mp4",
                                "dev/dia8_utt8.wav", NULL});
  write_text("train.csv", "Speaker,Emotion,Dialogue_ID,Utterance_ID\nRoss,joy,0,1\nMonica,anger,0,2\n");
  write_text("dev.csv", "Utterance_ID,Dialogue_ID,Emotion,Speaker,Season\n1,0,fear,Ross,3\n2,0,joy,Ross,\n");
  const char *text =
      "name: m\nlicence: own\nspeakers: {Monica: ~}\ntables:\n"
      "  - {file: train.csv, path: 'train/dia{Dialogue_ID}_utt{Utterance_ID}', label: Emotion, speaker: Speaker, "
      "group: Dialogue_ID, all: train}\n"
      "  - {file: dev.csv, path: 'dev/dia{Dialogue_ID}_utt{Utterance_ID}', label: Emotion, speaker: Speaker, all: "
      "validation, columns: [Season]}\n";
  written(text, &d);
  assert_int_equal(d->n, 3);
  says(d, "train/dia0_utt1.mp4", "joy", "Ross");
  says(d, "train/dia0_utt2.wav", "anger", "nobody"); /* ~: nobody knows who */
  says(d, "dev/dia0_utt1.mp4", "fear", "Ross");
  assert_int_equal(clip(d, "train/dia0_utt1.mp4")->corpus_part, AM_PART_TRAIN);
  assert_int_equal(clip(d, "dev/dia0_utt1.mp4")->corpus_part, AM_PART_VALIDATION);
  assert_string_equal(trait(d, clip(d, "dev/dia0_utt1.mp4"), "Season"), "3");
  assert_int_equal(left_out(d, "row of the table without a file"), 1);
  assert_int_equal(left_out(d, "not in the table"), 1); /* a film that no row names is nobody's clip */
  am_dataset_free(d);
  write_text("dev.csv", "Utterance_ID,Dialogue_ID,Emotion,Speaker,Season\n,0,fear,Ross,3\n");
  fails(text, AM_E_FORMAT, "dev.csv:2: Utterance_ID is empty");
  write_text("dev.csv", "Utterance_ID,Emotion,Speaker,Season\n1,fear,Ross,3\n");
  fails(text, AM_E_FORMAT, "dev.csv:1: no column \"Dialogue_ID\"");
}

/* As MSP-Podcast and ShEMO have them: a map of names and records, parts with names of their own. */
static void test_json(void **state) {
  (void)state;
  am_dataset *d;
  put_all((const char *const[]){"Audios/P_1.wav", "Audios/P_2.wav", "Audios/P_3.wav", NULL});
  write_text("labels.json",
             "{\"P_1.wav\": {\"EmoClass\": \"A\", \"SpkrID\": 127, \"Split_Set\": \"Train\", \"Gender\": \"Male\"},\n"
             "\"P_2.wav\": {\"EmoClass\": \"H\", \"SpkrID\": \"Unknown\", \"Split_Set\": \"Test1\"},\n"
             "\"P_3.wav\": {\"EmoClass\": \"X\", \"SpkrID\": 3, \"Split_Set\": \"Test2\"}}");
  written(
      "name: p\nlicence: own\nlabels: {A: anger, H: joy, X: ~}\nspeakers: {Unknown: ~}\n"
      "parts: {Train: train, Test1: test, Test2: ~}\n"
      "table: {file: labels.json, path: (name), label: EmoClass, speaker: SpkrID, part: Split_Set, columns: "
      "[Gender]}\n",
      &d);
  assert_int_equal(d->n, 2);
  says(d, "Audios/P_1.wav", "anger", "127");
  says(d, "Audios/P_2.wav", "joy", "nobody");
  assert_int_equal(clip(d, "Audios/P_1.wav")->corpus_part, AM_PART_TRAIN);
  assert_int_equal(clip(d, "Audios/P_2.wav")->corpus_part, AM_PART_TEST);
  assert_string_equal(trait(d, clip(d, "Audios/P_1.wav"), "Gender"), "Male");
  am_dataset_free(d);
  write_text("labels.json", "{\"P_1.wav\": {\"EmoClass\": \"\"}}");
  fails("name: p\nlicence: own\ntable: {file: labels.json, path: (name), label: EmoClass}\n", AM_E_FORMAT,
        "labels.json, record 1: the label of Audios/P_1 is empty");
}

/* As CMU-MOSEI has them: stretches of long files, and a number for each emotion. */
static void test_scores(void **state) {
  (void)state;
  am_dataset *d;
  put_all((const char *const[]){"Full/a.wav", "Full/b.wav", NULL});
  write_text("x.csv",
             "file,start,end,happy,sad,fear\na,-0.45,1.5,0,0.66,0.33\na,2.25,4,1,0,0\na,4,5,0,0,0\nb,0.5,2,1,1,0\n"
             "b,2,3,0,0,2\n");
  written(
      "name: s\nlicence: own\nlabels: {happy: joy, sad: sadness, fear: fear, none: neutral, tie: ~}\n"
      "table: {file: x.csv, path: file, scores: [happy, sad, fear], start: start, end: end, group: file}\n",
      &d);
  assert_int_equal(d->n, 4);
  assert_int_equal(left_out(d, "\"tie\" is left out"), 1);
  assert_string_equal(d->labels[d->clips[0].label], "sadness");
  assert_true(d->clips[0].start == 0 && d->clips[0].seconds == 1.5); /* what begins before the file begins with it */
  assert_string_equal(d->labels[d->clips[1].label], "joy");
  assert_true(d->clips[1].start == 2.25 && d->clips[1].seconds == 1.75);
  assert_string_equal(d->labels[d->clips[2].label], "neutral");
  assert_string_equal(d->labels[d->clips[3].label], "fear");
  assert_int_equal(d->n_groups, 2);
  am_dataset_free(d);
  const char *text =
      "name: s\nlicence: own\ntable: {file: x.csv, path: file, scores: [happy, sad], start: start, end: end}\n";
  write_text("x.csv", "file,start,end,happy,sad\na,3,2,1,0\n");
  fails(text, AM_E_FORMAT, "x.csv:2: ends at 2 s, and begins at 3 s");
  write_text("x.csv", "file,start,end,happy,sad\na,3,4,1,\n");
  fails(text, AM_E_FORMAT, "x.csv:2: sad is empty; wanted a number");
  write_text("x.csv", "file,start,end,happy,sad\na,3,4,1,much\n");
  fails(text, AM_E_FORMAT, "x.csv:2: sad is 'much', wanted a number");
}

static void test_people(void **state) {
  (void)state;
  am_dataset *d;
  put_all((const char *const[]){"u1_joy.wav", "u2_joy.wav", "u3_anger.wav", NULL});
  write_text("users.csv", "username,gender,age,town\nu1,f,31,Rome\nu2,m,40,Turin\n");
  written(
      "name: p\nlicence: own\nfiles: '(?<speaker>u\\d)_(?<label>[a-z]+)'\ngroups: {gender: {f: female, m: male}}\n"
      "people: {file: users.csv, speaker: username, columns: [gender, age]}\n",
      &d);
  assert_string_equal(trait(d, clip(d, "u1_joy.wav"), "gender"), "female");
  assert_string_equal(trait(d, clip(d, "u2_joy.wav"), "age"), "40");
  assert_string_equal(trait(d, clip(d, "u3_anger.wav"), "gender"), ""); /* of whom nobody says anything */
  assert_int_equal(d->n_traits, 2);
  am_dataset_free(d);
  const char *text =
      "name: p\nlicence: own\nfiles: '(?<speaker>u\\d)_(?<label>[a-z]+)'\n"
      "people: {file: users.csv, speaker: username, columns: [gender]}\n";
  write_text("users.csv", "username,gender\nu1,f\nu1,m\n");
  fails(text, AM_E_FORMAT, "users.csv:3: u1 is listed twice");
  write_text("users.csv", "username,sex\nu1,f\n");
  fails(text, AM_E_FORMAT, "no column \"gender\"");
  unlink(in("users.csv"));
  fails(text, AM_E_DATA, "users.csv: no such file; wanted the table of people");
}

static void test_mistakes(void **state) {
  (void)state;
  put("a.wav");
  write_text("t.csv", "path,label\na.wav,joy\n");
#define HEAD "name: x\nlicence: y\n"
  fails(HEAD "tables: [{file: t.csv, label: label}, {file: t.csv}]\n", AM_E_CONFIG, "table.label is missing");
  fails(HEAD "tables: [t.csv]\n", AM_E_CONFIG, "tables: wanted a map, such as {file: labels.csv}");
  fails(HEAD "table: {file: t.csv, label: label, scores: [a]}\n", AM_E_CONFIG, "label or scores gives the label");
  fails(HEAD "table: {file: t.csv, label: label, part: p, all: test}\n", AM_E_CONFIG, "part or all says the part");
  fails(HEAD "table: {file: t.csv, label: label, end: e, seconds: s}\n", AM_E_CONFIG, "end or seconds says how long");
  fails(HEAD "parts: {A: training}\ntable: {file: t.csv, label: label}\n", AM_E_CONFIG,
        "parts.A: wanted train, validation or test, or ~");
  fails(HEAD "tables: [{file: t.csv, label: label}, {file: t.csv, label: label}]\n", AM_E_FORMAT,
        "t.csv:2: a.wav is listed already, in line 2");
  char many[2048] = HEAD "tables: [";
  for (int i = 0; i < 17; i++) strcat(many, "{file: t.csv, label: label}, ");
  fails(strcat(many, "]\n"), AM_E_CONFIG, "tables: more than 16");
}

/* Every allocation fails once: an error each time, and nothing leaks. */
static void memory_runs_out_cleanly(void **state) {
  (void)state;
  put_all((const char *const[]){"u1/a.wav", "u1/b.mp4", NULL});
  write_text("users.csv", "username,gender\nu1,f\n");
  write_text("t.csv", "who,what,start,happy,sad\nu1,a,0,1,0\nu1,a,2,0,1\n");
  write_text("t.json", "[{\"who\": \"u1\", \"what\": \"b\", \"label\": \"sad\"}]");
  const char *text =
      "name: p\nlicence: own\ntable: {file: t.csv, path: '{who}/{what}', scores: [happy, sad], start: start, "
      "speaker: who}\ntables: [{file: t.json, path: '{who}/{what}', label: label}]\nunique: true\n"
      "people: {file: users.csv, speaker: username, columns: [gender]}\n";
  write_text("x.yaml", text);
  for (long n = 1;; n++) {
    char yaml[512];
    am_data_options o;
    am_test_memory m;
    am_dataset *d = NULL;
    snprintf(yaml, sizeof yaml, "{corpus: described, description: %s}", in("x.yaml"));
    am_tree *tree = read_section(ctx, am_data_table, yaml, &o);
    am_context *small = am_test_memory_context(&m, 1);
    o.root = folder;
    err = (am_error)AM_ERROR_INIT;
    am_test_memory_arm(&m, n);
    am_status status = am_dataset_load(small, &o, &d, &err);
    bool fired = am_test_memory_fired(&m);
    am_test_memory_arm(&m, 0);
    if (status != (fired ? AM_E_NOMEM : AM_OK)) fail_msg("%ld: %d %s", n, (int)status, err.message);
    if (d) assert_int_equal(d->n, 3);
    am_dataset_free(d);
    am_context_free(small);
    am_tree_free(tree);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {CASE(test_several), CASE(test_json),     CASE(test_scores),
                                     CASE(test_people),  CASE(test_mistakes), CASE(memory_runs_out_cleanly)};
  return cmocka_run_group_tests_name("described-table", tests, NULL, NULL);
}
