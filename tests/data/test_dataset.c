/* SPDX-License-Identifier: MIT */
/* Corpora: RAVDESS in its layouts, filters and labels, manifests. Clips are empty files: nothing is decoded. */
#include "corpus_folder.h"

#include "data/corpora/corpus.h"
#include "data/sklearn.h"
#include "data/split.h"

/* Options outlive the call only as strings of the tree, which is freed: the dataset must not lean on them. */
static am_status load(const char *yaml, am_dataset **d) {
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table, yaml, &o);
  if (!*o.root && !*o.manifest) o.root = folder;
  am_status status = am_dataset_load(ctx, &o, d, &err);
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
  assert_null(d);
}

static size_t count_label(const am_dataset *d, int label) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++) n += d->clips[i].label == label;
  return n;
}

static size_t left_out(const am_dataset *d, const char *words) {
  for (size_t i = 0; i < d->n_left_out; i++)
    if (strstr(d->left_out[i].reason, words)) return d->left_out[i].count;
  return 0;
}

#define PUBLISHED \
  "{corpus: ravdess, intensity: strong, merge: {surprised: disgust}, " \
  "labels: [calm, happy, sad, angry, fearful, disgust]}"

static am_split *published_split(am_dataset *d) {
  am_split_options o;
  am_tree *tree = read_section(ctx, am_split_table, "{kind: random, test: 0, validation: 0.25, seed: 42}", &o);
  am_split *s;
  am_test_ok(am_split_make(ctx, d, &o, &s, &err), &err);
  am_tree_free(tree);
  return s;
}

/* The first of RandomState(42).permutation(1132): 783 is a speech clip, 460 songs before it. */
static void the_complete_corpus(void **state) {
  (void)state;
  assert_int_equal(touch_part(ctx, in("Audio_Speech_Actors_01-24"), 1, 24, "wav"), 1440);
  assert_int_equal(touch_part(ctx, in("Audio_Song_Actors_01-24"), 2, 24, "wav"), 1012);
  am_dataset *d = load_ok("{corpus: ravdess}");
  const char *labels[] = {"neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"};
  const size_t counts[] = {96 + 92, 192 + 184, 192 + 184, 192 + 184, 192 + 184, 192 + 184, 192, 192};
  assert_int_equal(d->n, 2452);
  assert_int_equal(d->n_labels, 8);
  for (int k = 0; k < 8; k++) {
    assert_string_equal(d->labels[k], labels[k]);
    assert_int_equal(count_label(d, k), counts[k]);
  }
  assert_int_equal(d->n_missing, 0);
  assert_null(d->complete_index);
  assert_int_equal(d->n_complete, 2452);
  assert_string_equal(d->missing_note, "");
  assert_string_equal(d->licence, "CC BY-NC-SA 4.0");
  assert_non_null(strstr(d->citation, "10.1371/journal.pone.0196391"));
  assert_int_equal(d->n_speakers, 24);
  assert_string_equal(d->speakers[17], "18");
  assert_string_equal(d->clips[0].name, "Audio_Song_Actors_01-24/Actor_01/03-02-01-01-01-01-01.wav");
  assert_string_equal(d->clips[1012].name, "Audio_Speech_Actors_01-24/Actor_01/03-01-01-01-01-01-01.wav");
  for (size_t i = 1; i < d->n; i++) /* the published order is the alphabetical walk */
    assert_true(strcmp(d->clips[i - 1].name, d->clips[i].name) < 0);
  am_dataset_free(d);
  d = load_ok(PUBLISHED);
  assert_int_equal(d->n, 1132);
  assert_int_equal(count_label(d, 5), 192);
  am_split *s = published_split(d);
  assert_int_equal(s->n[AM_PART_TRAIN], 849);
  assert_int_equal(s->n[AM_PART_VALIDATION], 283);
  assert_int_equal(s->at[AM_PART_VALIDATION][0], 783);
  assert_int_equal(s->at[AM_PART_TRAIN][0], 404);
  am_split_free(ctx, s);
  am_dataset_free(d);
}

static void speech_alone_keeps_the_published_split(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 24, "flac");
  am_dataset *d = load_ok(PUBLISHED);
  assert_int_equal(d->n, 672);
  assert_int_equal(d->n_complete, 1132);
  assert_int_equal(d->n_missing, 460);
  assert_string_equal(d->missing_note, "song part absent: 460 of 1132 clips missing");
  assert_int_equal(d->complete_index[0], 460);
  assert_int_equal(left_out(d, "normal intensity"), 768);
  am_split *s = published_split(d);
  assert_int_equal(s->n[AM_PART_TRAIN], 518);
  assert_int_equal(s->n[AM_PART_VALIDATION], 154);
  assert_int_equal(s->at[AM_PART_VALIDATION][0], 783 - 460);
  assert_false(s->speaker_independent);
  assert_int_equal(strncmp(s->note,
                           "random split of the complete corpus, restricted to the clips here: the same speakers "
                           "are on both sides",
                           100),
                   0);
  am_split_free(ctx, s);
  am_dataset_free(d);
  d = load_ok("{corpus: ravdess, intensity: strong, complete_split: false}");
  assert_null(d->complete_index);
  assert_int_equal(d->n_complete, 672);
  s = published_split(d);
  assert_int_equal(s->n[AM_PART_VALIDATION], 168);
  am_split_free(ctx, s);
  am_dataset_free(d);
  d = load_ok("{corpus: ravdess, parts: speech}"); /* nothing of what was asked for is missing */
  assert_int_equal(d->n, 1440);
  assert_int_equal(d->n_missing, 0);
  am_dataset_free(d);
  load_fails("{corpus: ravdess, parts: song}", AM_E_DATA, "no clip is left");
}

/* A stratified draw over the complete list needs the labels of clips that are not here. */
static void stratified_over_the_complete_corpus(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 24, "wav");
  am_dataset *d = load_ok(PUBLISHED);
  am_split_options o;
  am_tree *tree = read_section(ctx, am_split_table, "{kind: stratified, validation: 0.25}", &o);
  am_split *s;
  am_test_ok(am_split_make(ctx, d, &o, &s, &err), &err);
  am_tree_free(tree);
  uint32_t train[1132], test[1132];
  int labels[1132];
  size_t n_test = am_share_count(0.25, 1132), at = 0;
  for (int i = 0; i < 1132; i++) { /* 20 songs and 28 speech clips of an actor, in the order of their names */
    if (i < 460) labels[i] = i % 20 / 4;
    else labels[i] = (i - 460) % 28 / 4 > 5 ? 5 : (i - 460) % 28 / 4;
    assert_int_equal(d->complete_label[i], labels[i]);
  }
  am_test_ok(am_draw_test(ctx, 1132, n_test, 42, labels, train, test, &err), &err);
  for (size_t i = 0; i < n_test; i++)
    if (test[i] >= 460) assert_int_equal(s->at[AM_PART_VALIDATION][at++], test[i] - 460);
  assert_int_equal(at, s->n[AM_PART_VALIDATION]);
  am_split_free(ctx, s);
  am_dataset_free(d);
}

static void every_layout_gives_the_same_clips(void **state) {
  (void)state;
  touch(ctx, folder, "flat/03-01-06-01-02-01-12.wav");
  touch(ctx, folder, "flat/03-01-05-02-01-01-02.WAV");
  touch(ctx, folder, "flat/._03-01-05-02-01-01-02.wav");
  touch(ctx, folder, "flat/02-01-05-02-01-01-02.mp4");
  touch(ctx, folder, "flat/01-01-05-02-01-01-02.wav");
  touch(ctx, folder, "flat/03-01-01-02-01-01-02.wav"); /* neutral is never strong */
  touch(ctx, folder, "flat/03-02-08-01-01-01-02.wav"); /* no surprised song */
  touch(ctx, folder, "flat/03-02-02-01-01-01-18.wav"); /* actor 18 does not sing */
  touch(ctx, folder, "flat/my recording.wav");
  touch(ctx, folder, "flat/notes.txt");
  touch(ctx, folder, "flat/03-01-06-01-02-01-12.txt");
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table, "{corpus: ravdess}", &o);
  am_dataset *d;
  o.root = in("flat");
  am_test_ok(am_dataset_load(ctx, &o, &d, &err), &err);
  assert_int_equal(d->n, 2);
  assert_string_equal(d->clips[0].name, "03-01-05-02-01-01-02.WAV");
  assert_string_equal(d->clips[0].source_label, "angry");
  assert_int_equal(d->clips[0].intensity, 2);
  assert_int_equal(d->clips[0].channel, 1);
  assert_int_equal(d->clips[1].statement, 2);
  assert_int_equal(d->clips[1].fold, -1);
  assert_int_equal(left_out(d, "AppleDouble"), 1);
  assert_int_equal(left_out(d, "videos (modality 01 or 02)"), 2);
  assert_int_equal(left_out(d, "no clip of RAVDESS has such a name"), 3);
  assert_int_equal(left_out(d, "name is not RAVDESS's"), 1);
  assert_int_equal(d->n_missing, 2450);
  am_dataset_free(d);
  am_tree_free(tree);
}

static void copies_count_once_and_the_shallow_one_is_taken(void **state) {
  (void)state;
  char inside[1024];
  touch_part(ctx, folder, 1, 24, "wav");
  snprintf(inside, sizeof inside, "%s", in("audio_speech_actors_01-24"));
  touch_part(ctx, inside, 1, 24, "wav");
  touch(ctx, folder, "Actor_01/03-01-01-01-01-01-01.flac"); /* another format is a copy as well */
  am_dataset *d = load_ok("{corpus: ravdess, parts: speech}");
  assert_int_equal(d->n, 1440);
  assert_int_equal(left_out(d, "copy of a clip"), 1441);
  for (size_t i = 0; i < d->n; i++) assert_int_equal(strncmp(d->clips[i].name, "Actor_", 6), 0);
  am_dataset_free(d);
}

static void roots_that_are_nearly_right(void **state) {
  (void)state;
  touch_part(ctx, in("x/ravdess"), 1, 3, "wav");
  am_dataset *d = load_ok("{corpus: ravdess, parts: speech}"); /* two levels too high */
  assert_int_equal(d->n, 180);
  assert_string_equal(d->clips[0].name, "x/ravdess/Actor_01/03-01-01-01-01-01-01.wav");
  assert_non_null(
      strstr(d->missing_note, "1260 of 1440 clips missing, the first is Actor_04/03-01-01-01-01-01-04.wav"));
  assert_int_equal(d->n_speakers, 3);
  assert_int_equal(d->n_known_speakers, 24);
  assert_int_equal(am_dataset_speaker(d, "3"), 2);
  assert_int_equal(am_dataset_speaker(d, "25"), -1);
  assert_true(am_dataset_speaker(d, "24") >= 3);
  am_dataset_free(d);
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table, "{corpus: ravdess, parts: speech}", &o);
  char low[1024];
  snprintf(low, sizeof low, "%s/", in("x/ravdess/Actor_02")); /* one too low: works, and a word about it */
  o.root = low;
  am_test_ok(am_dataset_load(ctx, &o, &d, &err), &err);
  assert_int_equal(d->n, 60);
  assert_non_null(strstr(log_kept.text, "folder of one actor"));
  am_dataset_free(d);
  am_tree_free(tree);
}

static void folders_without_the_corpus_say_what_they_hold(void **state) {
  (void)state;
  load_fails("{corpus: ravdess, root: /no/such/folder}", AM_E_DATA, "/no/such/folder does not exist");
  load_fails("{corpus: ravdess}", AM_E_DATA, "found an empty folder");
  touch(ctx, folder, "papers/one.pdf");
  load_fails("{corpus: ravdess}", AM_E_DATA, "found 1 file such as papers/one.pdf in 1 folder");
  touch(ctx, folder, "Audio_Speech_Actors_01-24.zip");
  load_fails("{corpus: ravdess}", AM_E_DATA, "unpack Audio_Speech_Actors_01-24.zip first");
  unlink(in("Audio_Speech_Actors_01-24.zip"));
  touch(ctx, folder, "03-01-05.wav");
  load_fails("{corpus: ravdess}", AM_E_DATA, "name is not RAVDESS's");
}

static void corpora_without_a_place_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *yaml, *words;
  } cases[] = {{"{corpus: ravdess}", "data.root is not set: wanted the folder that holds RAVDESS"},
               {"{corpus: manifest}", "data.manifest is not set: wanted a CSV file"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_data_options o;
    am_dataset *d;
    am_tree *tree = read_section(ctx, am_data_table, cases[i].yaml, &o);
    am_test_fails(am_dataset_load(ctx, &o, &d, &err), AM_E_CONFIG, &err, cases[i].words);
    am_tree_free(tree);
  }
}

static am_status count_file(void *user, const char *name, am_error *why) {
  (void)name, (void)why;
  ++*(int *)user;
  return AM_OK;
}

/* All but one of the files that a walk may see are counted already: half a million would take seconds to make. */
static void a_walk_over_too_many_files_ends(void **state) {
  (void)state;
  int seen = 0;
  touch(ctx, folder, "1.wav");
  touch(ctx, folder, "below/2.wav");
  am_walk walk = {.ctx = ctx, .root = folder, .file = count_file, .user = &seen, .files = AM_WALK_FILES - 1};
  am_test_fails(am_walk_run(&walk, &err), AM_E_DATA, &err, "more than 500000 files below this folder");
  assert_int_equal(seen, 1);
}

/* Links to the folder they are in, to those above it, also above the root, and to each other. */
static void links_in_a_circle_are_not_followed(void **state) {
  (void)state;
  int seen = 0;
  touch(ctx, folder, "top/1.wav");
  touch(ctx, folder, "top/a/2.wav");
  touch(ctx, folder, "top/b/3.wav");
  touch(ctx, folder, "outside.wav");
  assert_int_equal(symlink(".", in("top/again")), 0);
  assert_int_equal(symlink("..", in("top/up")), 0);
  assert_int_equal(symlink("..", in("top/a/up")), 0);
  assert_int_equal(symlink("../..", in("top/a/higher")), 0);
  assert_int_equal(symlink(in("top/b"), in("top/b/self")), 0);
  am_walk walk = {.ctx = ctx, .root = in("top"), .file = count_file, .user = &seen};
  am_test_ok(am_walk_run(&walk, &err), &err);
  assert_int_equal(seen, 3);
  assert_int_equal(walk.folders, 2);
}

typedef struct name_list {
  char text[512];
} name_list;

static am_status list_file(void *user, const char *name, am_error *why) {
  (void)why;
  name_list *list = user;
  size_t used = strlen(list->text);
  snprintf(list->text + used, sizeof list->text - used, "%s ", name);
  return AM_OK;
}

static void assert_walked(const char *root, const char *names, size_t folders) {
  name_list list = {""};
  am_walk walk = {.ctx = ctx, .root = root, .file = list_file, .user = &list};
  am_test_ok(am_walk_run(&walk, &err), &err);
  assert_string_equal(list.text, names);
  assert_int_equal(walk.folders, folders);
}

/* Under its own name, whatever the names and places of the links to it; what lies outside, by the first link. */
static void a_folder_counts_once(void **state) {
  (void)state;
  touch(ctx, folder, "top/1.wav");
  touch(ctx, folder, "top/a/2.wav");
  touch(ctx, folder, "top/b/3.wav");
  touch(ctx, folder, "outside/4.wav");
  touch(ctx, folder, "outside/c/5.wav");
  assert_int_equal(symlink("b", in("top/0")), 0);
  assert_int_equal(symlink("../b", in("top/a/b")), 0);
  assert_int_equal(symlink("../outside", in("top/x")), 0);
  assert_int_equal(symlink("../outside", in("top/y")), 0);
  assert_int_equal(symlink("../../outside/c", in("top/b/c")), 0);
  assert_int_equal(symlink("../top/b", in("outside/b")), 0);
  assert_walked(in("top"), "1.wav a/2.wav b/3.wav b/c/5.wav x/4.wav ", 4);
}

/* A link to a folder so deep that not all below it was searched: the rest is found by the link, and only the rest. */
static void a_link_leads_deeper(void **state) {
  (void)state;
  touch(ctx, folder, "a/b/c/d/e/1.wav");
  touch(ctx, folder, "a/b/c/d/e/f/2.wav");
  touch(ctx, folder, "a/b/c/d/e/f/g/3.wav");
  assert_walked(folder, "a/b/c/d/e/1.wav a/b/c/d/e/f/2.wav ", 6);
  assert_int_equal(symlink("a/b/c/d/e", in("0")), 0);
  assert_walked(folder, "a/b/c/d/e/1.wav a/b/c/d/e/f/2.wav 0/f/g/3.wav ", 7);
}

/* A pipe that nobody writes into, under the name of a clip, and the same by a link. */
static void pipes_are_left_out(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 1, "wav");
  unlink(in("Actor_01/03-01-02-01-01-01-01.wav"));
  assert_int_equal(mkfifo(in("Actor_01/03-01-02-01-01-01-01.wav"), 0666), 0);
  unlink(in("Actor_01/03-01-03-01-01-01-01.wav"));
  assert_int_equal(symlink("/dev/zero", in("Actor_01/03-01-03-01-01-01-01.wav")), 0);
  am_dataset *d = load_ok("{corpus: ravdess}");
  assert_int_equal(left_out(d, "a pipe or a device"), 2);
  assert_int_equal(d->n, 58);
  am_dataset_free(d);
}

static void names_that_are_not_utf8_are_left_out(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 1, "wav");
  touch(ctx, folder, "b\xfc/Actor_02/03-01-02-01-01-01-02.wav");
  am_dataset *d = load_ok("{corpus: ravdess}");
  assert_int_equal(left_out(d, "name is not UTF-8"), 1);
  assert_int_equal(d->n, 60);
  am_dataset_free(d);
}

static void synthetic_corpora_are_called_so(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 2, "wav");
  touch(ctx, folder, "SYNTHETIC");
  am_dataset *d = load_ok("{corpus: ravdess}");
  assert_true(d->synthetic);
  assert_non_null(strstr(d->title, "synthetic"));
  assert_string_equal(d->corpus, "synthetic");
  assert_int_equal(d->n, 120);
  assert_int_equal(d->n_missing, 0); /* it is complete as it is */
  am_dataset_free(d);
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table, "{corpus: ravdess}", &o);
  o.root = in("Actor_01");
  am_test_ok(am_dataset_load(ctx, &o, &d, &err), &err);
  assert_true(d->synthetic);
  am_dataset_free(d);
  am_tree_free(tree);
}

/* Voices are drawn by seed and number: those of one seed are the same people. */
static void synthetic_voices_are_told_by_their_seed(void **state) {
  (void)state;
  static const struct {
    const char *file, *mark, *identity;
  } cases[] = {
      {"SYNTHETIC", "audiomood synthetic corpus 1\nseed 7\nactors 2\n", "synthetic seed 7"},
      {"SYNTHETIC", "audiomood synthetic corpus 1\nseed 18446744073709551615\n", "synthetic seed 18446744073709551615"},
      {"SYNTHETIC", "", NULL},
      {"SYNTHETIC", "who knows\nseed of doubt\n", NULL}};
  touch_part(ctx, folder, 1, 2, "wav");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_test_file(in(cases[i].file), cases[i].mark, strlen(cases[i].mark));
    am_dataset *d = load_ok("{corpus: ravdess}");
    assert_true(d->synthetic);
    if (cases[i].identity) assert_string_equal(d->identity, cases[i].identity);
    else assert_null(d->identity);
    am_dataset_free(d);
  }
  remove(in("SYNTHETIC"));
  touch(ctx, folder, "Actor_01/SYNTHETIC"); /* below: of perhaps several */
  am_dataset *d = load_ok("{corpus: ravdess}");
  assert_true(d->synthetic);
  assert_null(d->identity);
  am_dataset_free(d);
}

static void labels_merges_renames(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 2, "wav");
  am_dataset *d = load_ok(
      "{corpus: ravdess, parts: speech, merge: {calm: neutral, angry: upset, disgust: upset}, "
      "rename: {upset: Cross}}");
  const char *labels[] = {"neutral", "happy", "sad", "Cross", "fearful", "surprised"};
  assert_int_equal(d->n_labels, 6);
  for (int k = 0; k < 6; k++) assert_string_equal(d->labels[k], labels[k]);
  assert_int_equal(count_label(d, 0), 24);
  assert_int_equal(count_label(d, 3), 32);
  am_dataset_free(d);
  d = load_ok(
      "{corpus: ravdess, parts: speech, labels: [sad, happy], speakers: 2, exclude: [03-01-04-01-01-01-02, "
      "Actor_02/03-01-03-01-01-01-02.wav, 03-01-03-02-01-01-02.wav, nothing.wav]}");
  assert_int_equal(d->n_labels, 2);
  assert_string_equal(d->labels[0], "sad");
  assert_int_equal(count_label(d, 0), 7);
  assert_int_equal(count_label(d, 1), 6);
  assert_int_equal(d->n_speakers, 1);
  assert_int_equal(left_out(d, "data.exclude"), 3);
  assert_int_equal(left_out(d, "data.speakers"), 60);
  assert_int_equal(left_out(d, "label \"angry\""), 8);
  assert_non_null(strstr(log_kept.text, "no clip nothing.wav"));
  am_dataset_free(d);
}

static void wrong_labels_are_named(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 2, "wav");
  load_fails("{corpus: ravdess, labels: [calm, hapy]}", AM_E_DATA, "\"hapy\" (did you mean \"happy\"?)");
  load_fails("{corpus: ravdess, intensity: strong, labels: [calm, neutral]}", AM_E_DATA,
             "has the label \"neutral\"; labels in");
  load_fails("{corpus: ravdess, intensity: strong, labels: [calm, neutral]}", AM_E_DATA, "calm 8");
  load_fails("{corpus: ravdess, labels: [calm, calm]}", AM_E_CONFIG, "twice");
  load_fails("{corpus: ravdess, merge: {surprise: calm}}", AM_E_CONFIG, "did you mean \"surprised\"");
  load_fails("{corpus: ravdess,\n merge: {surprise: calm}}", AM_E_CONFIG, "test.yaml:2:10");
  load_fails("{corpus: ravdess, merge: {calm: [happy]}}", AM_E_CONFIG, "data.merge.calm: wanted the name of a label");
  load_fails("{corpus: ravdess, rename: {sad: x, calm: x}}", AM_E_CONFIG, "use data.merge");
  load_fails("{corpus: ravdess, speakers: [3, 99]}", AM_E_CONFIG, "no speaker \"99\"");
}

static void write_manifest(const char *text) { am_test_file(in("manifest.csv"), text, strlen(text)); }

static void a_manifest(void **state) {
  (void)state;
  touch(ctx, folder, "wav/a.wav");
  touch(ctx, folder, "wav/b.wav");
  touch(ctx, folder, "wav/c, d.wav");
  write_manifest(
      "path,label,speaker,split,group,start,seconds,utterance\r\n"
      "wav/a.wav,joie,f10,train,s1,,,\r\n"
      "wav/b.wav,col\xc3\xa8re,f2,dev,s1,0.5,1.25,u\r\n"
      "wav/b.wav,col\xc3\xa8re,f2,dev,s1,2,1,u\r\n"
      "\"wav/c, d.wav\",joie,,,,,,\r\n");
  am_dataset *d = load_ok("{corpus: manifest}");
  assert_int_equal(d->n, 4);
  assert_int_equal(d->n_labels, 2);
  assert_string_equal(d->labels[0], "col\xc3\xa8re"); /* sorted */
  assert_int_equal(d->n_speakers, 2);
  assert_string_equal(d->speakers[0], "f2");
  assert_int_equal(d->clips[3].speaker, -1);
  assert_int_equal(d->clips[3].group, -1);
  assert_int_equal(d->clips[0].group, 0);
  assert_int_equal(d->clips[0].corpus_part, AM_PART_TRAIN);
  assert_int_equal(d->clips[1].corpus_part, AM_PART_VALIDATION);
  assert_int_equal(d->clips[3].corpus_part, AM_PART_NONE);
  assert_int_equal(d->clips[1].utterance, 1);
  assert_int_equal(d->clips[2].utterance, 1);
  assert_int_equal(d->clips[3].utterance, 3);
  assert_true(d->clips[1].start == 0.5 && d->clips[1].seconds == 1.25);
  assert_string_equal(d->clips[3].name, "wav/c, d.wav");
  am_dataset_free(d);
  make_folder(ctx, in("lists"));
  char yaml[2048];
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: \"%s\", manifest: \"%s\"}", folder, in("lists/x.csv"));
  am_test_file(in("lists/x.csv"), "label,path\nx,wav/a.wav\n", 23); /* relative to the root as well */
  d = load_ok(yaml);
  assert_int_equal(d->n, 1);
  assert_string_equal(d->title, "x.csv");
  assert_int_equal(d->n_speakers, 0);
  am_dataset_free(d);
}

static void wrong_manifests_name_file_and_line(void **state) {
  (void)state;
  touch(ctx, folder, "a.wav");
  load_fails("{corpus: manifest}", AM_E_DATA, "no list of clips in this folder; looked for manifest.csv");
  write_manifest("path,speaker\na.wav,1\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, "label");
  write_manifest("path,label\n");
  load_fails("{corpus: manifest}", AM_E_DATA, "only a header");
  write_manifest("path,label\na.wav,x\nb.wav,y\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, "manifest.csv:3: no file b.wav");
  write_manifest("path,label\na.wav,\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, "manifest.csv:2: label is empty for a.wav");
  write_manifest("path,label\n,x\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, "manifest.csv:2: path is empty");
  write_manifest("path,label,split\na.wav,x,holdout\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, ":2: split is \"holdout\", wanted train");
  write_manifest("path,label,start\na.wav,x,-1\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, ":2: start is \"-1\"");
  write_manifest("path,label,seconds\na.wav,x,1s\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, ":2: seconds is \"1s\"");
  write_manifest("path,label\na.wav,x\na.wav,y\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, ":3: a.wav is listed already, in line 2");
  write_manifest("path,label\na.wav,x\nb.wav,w\xfctend\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, "manifest.csv:3: not UTF-8; save it as UTF-8");
  write_manifest("path,label\na.wav,x\n");
  load_fails("{corpus: manifest, speakers: [1]}", AM_E_CONFIG, "does not say who speaks");
}

/* Under any name: one recording on both sides of a split is what is to be noticed. */
static void a_manifest_names_a_file_once(void **state) {
  (void)state;
  touch(ctx, folder, "wav/a.wav");
  touch(ctx, folder, "wav/b.wav"); /* as empty as the other, and another file */
  assert_int_equal(symlink("wav", in("sounds")), 0);
  assert_int_equal(symlink("wav/a.wav", in("c.wav")), 0);
  assert_int_equal(link(in("wav/a.wav"), in("d.wav")), 0);
  const char *const names[] = {"wav/a.wav",    "./wav/a.wav", "wav//a.wav", "wav/../wav/a.wav",
                               "sounds/a.wav", "c.wav",       "d.wav",      in("wav/a.wav")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char text[2048], words[2048];
    snprintf(text, sizeof text, "path,label\nwav/b.wav,x\nwav/a.wav,x\n\n%s,y\n", names[i]);
    snprintf(words, sizeof words, "manifest.csv:5: %s is listed already, in line 3%s", names[i],
             i ? ", as wav/a.wav" : "");
    write_manifest(text);
    load_fails("{corpus: manifest}", AM_E_FORMAT, words);
  }
  write_manifest("path,label,start,seconds\nwav/a.wav,x,0,1\n./wav/a.wav,y,1,1\nc.wav,y,,\nd.wav,x,0,2\n");
  am_dataset *d = load_ok("{corpus: manifest}"); /* four stretches of one file */
  assert_int_equal(d->n, 4);
  am_dataset_free(d);
  write_manifest("path,label,start,seconds\nwav/a.wav,x,1,1\nwav/b.wav,x,1,1\nsounds/a.wav,y,1.0,1\n");
  load_fails("{corpus: manifest}", AM_E_FORMAT, ":4: sounds/a.wav is listed already, in line 2, as wav/a.wav");
}

static void short_clips_are_left_out(void **state) {
  (void)state;
  write_tone(ctx, in("a.wav"), 300, 0.5, 8000);
  write_tone(ctx, in("b.wav"), 300, 1.5, 8000);
  write_manifest("path,label\na.wav,x\nb.wav,x\n");
  am_dataset *d = load_ok("{corpus: manifest, min_seconds: 1}");
  assert_int_equal(d->n, 1);
  assert_string_equal(d->clips[0].name, "b.wav");
  assert_int_equal(left_out(d, "min_seconds"), 1);
  am_dataset_free(d);
}

/* Every allocation fails once: an error each time, and nothing leaks. */
static void memory_runs_out_cleanly(void **state) {
  (void)state;
  for (int a = 0; a < 6; a++) {
    char name[64];
    snprintf(name, sizeof name, "Actor_01/03-01-0%d-01-01-01-01.wav", a + 2);
    touch(ctx, folder, name);
  }
  assert_int_equal(symlink("Actor_01", in("again")), 0);
  write_manifest(
      "path,label,speaker,group,utterance\nActor_01/03-01-02-01-01-01-01.wav,a,s,g,u\n"
      "Actor_01/03-01-03-01-01-01-01.wav,b,t,h,u\n");
  for (int kind = 0; kind < 2; kind++)
    for (long n = 1;; n++) {
      am_test_memory m;
      am_context *small = am_test_memory_context(&m, 1);
      am_data_options o = {
          .corpus = kind, .root = folder, .manifest = "", .parts = 1, .intensity = 1, .complete_split = true};
      am_dataset *d = NULL;
      err = (am_error)AM_ERROR_INIT;
      am_test_memory_arm(&m, n);
      am_status status = am_dataset_load(small, &o, &d, &err);
      bool fired = am_test_memory_fired(&m);
      am_test_memory_arm(&m, 0);
      if (fired) assert_int_equal(status, AM_E_NOMEM);
      else assert_int_equal(status, AM_OK);
      am_dataset_free(d);
      am_context_free(small);
      assert_int_equal(atomic_load(&m.alive), 0);
      if (!fired) break;
    }
}

static void the_real_recordings(void **state) {
  (void)state;
  const char *root;
  am_test_need_shared(root, "data/ravdess");
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table, "{corpus: ravdess}", &o);
  am_dataset *d;
  o.root = root;
  am_test_ok(am_dataset_load(ctx, &o, &d, &err), &err);
  assert_int_equal(d->n, 1440);
  for (int k = 0; k < 8; k++) assert_int_equal(count_label(d, k), k ? 192 : 96);
  assert_string_equal(d->missing_note, "song part absent: 1012 of 2452 clips missing");
  am_dataset_free(d);
  am_tree_free(tree);
  tree = read_section(ctx, am_data_table, PUBLISHED, &o);
  o.root = root;
  am_test_ok(am_dataset_load(ctx, &o, &d, &err), &err);
  assert_int_equal(d->n, 672);
  for (int k = 0; k < 6; k++) assert_int_equal(count_label(d, k), k < 5 ? 96 : 192);
  am_split *s = published_split(d);
  assert_int_equal(s->n[AM_PART_TRAIN], 518);
  assert_int_equal(s->n[AM_PART_VALIDATION], 154);
  am_split_free(ctx, s);
  am_dataset_free(d);
  am_tree_free(tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_complete_corpus, setup, teardown),
      cmocka_unit_test_setup_teardown(speech_alone_keeps_the_published_split, setup, teardown),
      cmocka_unit_test_setup_teardown(stratified_over_the_complete_corpus, setup, teardown),
      cmocka_unit_test_setup_teardown(every_layout_gives_the_same_clips, setup, teardown),
      cmocka_unit_test_setup_teardown(copies_count_once_and_the_shallow_one_is_taken, setup, teardown),
      cmocka_unit_test_setup_teardown(roots_that_are_nearly_right, setup, teardown),
      cmocka_unit_test_setup_teardown(folders_without_the_corpus_say_what_they_hold, setup, teardown),
      cmocka_unit_test_setup_teardown(corpora_without_a_place_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(a_walk_over_too_many_files_ends, setup, teardown),
      cmocka_unit_test_setup_teardown(links_in_a_circle_are_not_followed, setup, teardown),
      cmocka_unit_test_setup_teardown(a_folder_counts_once, setup, teardown),
      cmocka_unit_test_setup_teardown(a_link_leads_deeper, setup, teardown),
      cmocka_unit_test_setup_teardown(pipes_are_left_out, setup, teardown),
      cmocka_unit_test_setup_teardown(names_that_are_not_utf8_are_left_out, setup, teardown),
      cmocka_unit_test_setup_teardown(synthetic_corpora_are_called_so, setup, teardown),
      cmocka_unit_test_setup_teardown(synthetic_voices_are_told_by_their_seed, setup, teardown),
      cmocka_unit_test_setup_teardown(labels_merges_renames, setup, teardown),
      cmocka_unit_test_setup_teardown(wrong_labels_are_named, setup, teardown),
      cmocka_unit_test_setup_teardown(a_manifest, setup, teardown),
      cmocka_unit_test_setup_teardown(wrong_manifests_name_file_and_line, setup, teardown),
      cmocka_unit_test_setup_teardown(a_manifest_names_a_file_once, setup, teardown),
      cmocka_unit_test_setup_teardown(short_clips_are_left_out, setup, teardown),
      cmocka_unit_test_setup_teardown(memory_runs_out_cleanly, setup, teardown),
      cmocka_unit_test_setup_teardown(the_real_recordings, setup, teardown),
  };
  return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
