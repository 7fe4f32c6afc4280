/* SPDX-License-Identifier: MIT */
/* Splits: scikit-learn's numbers, and who is on which side. */
#include "corpora.h"

#include "data/sklearn.h"
#include "data/split.h"
#include "data/split_balance.h"
#include "golden_split.h"

static am_context *ctx;
static kept_log log_kept;
static am_error err;

static int setup(void **state) {
  (void)state;
  ctx = logging_context(&log_kept, 1);
  err = (am_error)AM_ERROR_INIT;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  am_context_free(ctx);
  return 0;
}

/* The same rule stands in tools/golden-split.py. */
static int label_of(unsigned i, int classes, int kind) {
  return (int)((kind == 1 ? i : (i * i + 3 * i) / 7) % (unsigned)classes);
}

static uint32_t digest(const uint32_t *at, size_t n) {
  uint32_t h = 0;
  for (size_t i = 0; i < n; i++) h = h * 31 + at[i];
  return h;
}

static void scikit_learn_gives_the_same_indices(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof golden_splits / sizeof *golden_splits; c++) {
    unsigned n = golden_splits[c].n;
    uint32_t *train = calloc(n, sizeof *train), *test = calloc(n, sizeof *test);
    int *labels = calloc(n, sizeof *labels);
    size_t n_test = am_share_count(golden_splits[c].test_size, n), n_train = n - n_test;
    for (unsigned i = 0; i < n; i++) labels[i] = label_of(i, golden_splits[c].classes, golden_splits[c].kind);
    am_test_ok(
        am_draw_test(ctx, n, n_test, golden_splits[c].seed, golden_splits[c].kind ? labels : NULL, train, test, &err),
        &err);
    assert_int_equal(n_train, golden_splits[c].n_train);
    assert_int_equal(n_test, golden_splits[c].n_test);
    assert_int_equal(train[0], golden_splits[c].train_first[0]);
    assert_int_equal(test[0], golden_splits[c].test_first[0]);
    assert_int_equal(digest(train, n_train), golden_splits[c].train_digest);
    assert_int_equal(digest(test, n_test), golden_splits[c].test_digest);
    free(train);
    free(test);
    free(labels);
  }
}

/* The same rule stands in tools/golden-split.py. */
static void item(int kind, int i, int groups, int classes, int *group, int *label) {
  int h = (int)((uint32_t)i * 2654435761u >> 8), k = h / 7 % classes, a = h % groups, b = h / groups % groups;
  *group = kind == 0 ? i / 60 : kind == 1 ? i % groups : i < groups ? i : a < b ? a : b;
  *label = kind == 0 ? (i % 60 < 4 ? 0 : 1 + (i % 60 - 4) / 8) : kind == 1 ? h % classes : k * k / classes;
}

/* Classes without an item leave the table; how many stay. */
static int drop_empty(uint32_t *table, int groups, int classes) {
  uint32_t *kept = calloc((size_t)(groups * classes), sizeof *kept);
  int n = 0;
  for (int k = 0; k < classes; k++) {
    uint32_t all = 0;
    for (int g = 0; g < groups; g++) all += table[g * classes + k];
    for (int g = 0; g < groups && all; g++) kept[g * classes + n] = table[g * classes + k];
    n += all > 0;
  }
  for (int g = 0; g < groups; g++)
    for (int k = 0; k < n; k++) table[g * n + k] = kept[g * classes + k];
  free(kept);
  return n;
}

static void scikit_learn_gives_the_same_stratified_folds(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof golden_folds / sizeof *golden_folds; c++) {
    int groups = golden_folds[c].groups, classes = golden_folds[c].classes, group, label;
    uint32_t *table = calloc((size_t)(groups * classes), sizeof *table);
    int *fold_of = calloc((size_t)groups, sizeof *fold_of);
    char *digits = calloc((size_t)groups + 1, 1);
    for (int i = 0; i < golden_folds[c].n; i++) {
      item(golden_folds[c].kind, i, groups, classes, &group, &label);
      table[group * classes + label]++;
    }
    classes = drop_empty(table, groups, classes);
    am_test_ok(am_stratified_folds(ctx, table, (size_t)groups, (size_t)classes, (size_t)golden_folds[c].folds,
                                   golden_folds[c].seed, fold_of, &err),
               &err);
    for (int i = 0; i < groups; i++) digits[i] = (char)('0' + fold_of[i]);
    assert_string_equal(digits, golden_folds[c].fold_of);
    free(digits);
    free(fold_of);
    free(table);
  }
}

static void impossible_draws_are_refused(void **state) {
  (void)state;
  uint32_t train[8], test[8];
  const int labels[8] = {0, 0, 0, 0, 0, 0, 0, 1};
  am_test_fails(am_draw_test(ctx, 1, 1, 0, NULL, train, test, &err), AM_E_CONFIG, &err, "one side empty");
  am_test_fails(am_draw_test(ctx, 8, 0, 0, NULL, train, test, &err), AM_E_CONFIG, &err,
                "8 into 8 and 0 leaves one side empty");
  am_test_fails(am_draw_test(ctx, 8, 12, 0, NULL, train, test, &err), AM_E_CONFIG, &err, "one side empty");
  am_test_fails(am_draw_test(ctx, 8, 4, 0, labels, train, test, &err), AM_E_DATA, &err, "at least 2 clips");
  const int eight[8] = {0, 0, 1, 1, 2, 2, 3, 3};
  am_test_fails(am_draw_test(ctx, 8, 2, 0, eight, train, test, &err), AM_E_CONFIG, &err,
                "of 4 classes needs as many clips on each side, found 6 and 2");
}

/* A corpus of `speakers` with `each` clips, without files. Speaker -1 when `known` is false. */
static am_dataset *make_dataset(int speakers, int each, int classes, bool known) {
  am_dataset *d = calloc(1, sizeof *d);
  d->ctx = ctx;
  d->root = "made-up";
  d->n = d->n_complete = (size_t)(speakers * each);
  d->clips = calloc(d->n, sizeof *d->clips);
  d->n_labels = classes;
  d->labels = calloc((size_t)classes, sizeof *d->labels);
  for (int k = 0; k < classes; k++) d->labels[k] = &"abcdefgh"[k];
  d->n_speakers = d->n_known_speakers = known ? speakers : 0;
  d->speakers = calloc((size_t)speakers, sizeof *d->speakers);
  for (int i = 0; i < speakers; i++) {
    char *name = malloc(16);
    snprintf(name, 16, "%02d", i + 1);
    d->speakers[i] = name;
  }
  for (size_t i = 0; i < d->n; i++)
    d->clips[i] = (am_clip){.name = "clip",
                            .path = "clip",
                            .label = (int)(i % (size_t)classes),
                            .group = -1,
                            .speaker = known ? (int)i / each : -1,
                            .utterance = (int)i,
                            .corpus_part = AM_PART_NONE,
                            .part = AM_PART_NONE,
                            .fold = -1};
  return d;
}

static void free_dataset(am_dataset *d, int speakers) {
  for (int i = 0; i < speakers; i++) free((void *)(uintptr_t)d->speakers[i]);
  free(d->speakers);
  free(d->labels);
  free(d->clips);
  free(d);
}

static am_split *split(am_dataset *d, const char *yaml) {
  am_split_options o;
  am_tree *tree = read_section(ctx, am_split_table, yaml, &o);
  am_split *s = NULL;
  am_test_ok(am_split_make(ctx, d, &o, &s, &err), &err);
  am_tree_free(tree);
  return s;
}

static void split_fails(am_dataset *d, const char *yaml, am_status status, const char *words) {
  am_split_options o;
  am_tree *tree = read_section(ctx, am_split_table, yaml, &o);
  am_split *s = NULL;
  am_test_fails(am_split_make(ctx, d, &o, &s, &err), status, &err, words);
  assert_null(s);
  am_tree_free(tree);
}

/* Every clip is in the part that the lists say, and in one only. */
static void check_parts(const am_dataset *d, const am_split *s) {
  unsigned char *seen = calloc(d->n, 1);
  for (int p = 0; p < 3; p++)
    for (size_t i = 0; i < s->n[p]; i++) {
      assert_int_equal(d->clips[s->at[p][i]].part, p);
      assert_int_equal(seen[s->at[p][i]]++, 0);
    }
  for (size_t i = 0; i < d->n; i++) assert_true(seen[i] || d->clips[i].part == AM_PART_NONE);
  free(seen);
}

static void random_split_says_it_is_not_speaker_independent(void **state) {
  (void)state;
  am_dataset *d = make_dataset(10, 12, 4, true);
  am_split *s = split(d, "{kind: random, validation: 0.25}");
  check_parts(d, s);
  assert_int_equal(s->n[AM_PART_VALIDATION], 30);
  assert_int_equal(s->n[AM_PART_TRAIN], 90);
  assert_false(s->speaker_independent);
  assert_true(s->speakers_known);
  assert_string_equal(s->note, "random split: the same speakers are on both sides; not speaker-independent");
  am_split_free(ctx, s);
  s = split(d, "{kind: random, test: 0.2, validation: 0.1}");
  check_parts(d, s);
  assert_int_equal(s->n[AM_PART_TEST], 24);
  assert_int_equal(s->n[AM_PART_VALIDATION], 12);
  assert_int_equal(s->n[AM_PART_TRAIN], 84);
  am_split_free(ctx, s);
  free_dataset(d, 10);
}

/* There is nothing that could be speaker-independent, or not be. */
static void nothing_held_out_is_said(void **state) {
  (void)state;
  for (int known = 0; known < 2; known++) {
    am_dataset *d = make_dataset(2, 2, 2, known);
    am_split *s = split(d, "{kind: random, validation: 0}");
    check_parts(d, s);
    assert_int_equal(s->n[AM_PART_TRAIN], 4);
    assert_false(s->speaker_independent);
    assert_string_equal(s->note, "random split: nothing is held out");
    am_split_free(ctx, s);
    free_dataset(d, 2);
  }
}

/* Speakers "one/1", "one/2", "two/1", "two/2" of parts of one corpus, or of two. */
static void parts_of_one_corpus_share_their_speakers(void **state) {
  (void)state;
  static const char *const names[] = {"one/1", "one/2", "two/1", "two/2"};
  static const char *corpora[] = {"one", "two"}, *same[] = {"whole", "whole"}, *apart[] = {"one", "two"};
  static const struct {
    const char **identities;
    const char *split;
    bool independent;
  } cases[] = {{same, "{kind: fixed, test_speakers: [one/1]}", false},
               {same, "{kind: fixed, test_speakers: [one/1, two/1]}", true},
               {same, "{kind: fixed, test_speakers: [one/1], validation_speakers: [two/1]}", true}, /* held out both */
               {apart, "{kind: fixed, test_speakers: [one/1]}", true},
               {NULL, "{kind: fixed, test_speakers: [one/1]}", true}};
  am_dataset *d = make_dataset(4, 10, 2, true);
  d->n_corpora = 2;
  d->corpora = corpora;
  for (int i = 0; i < 4; i++) strcpy((char *)(uintptr_t)d->speakers[i], names[i]);
  for (size_t i = 0; i < d->n; i++) d->clips[i].corpus = d->clips[i].speaker / 2;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    d->identities = cases[i].identities;
    am_split *s = split(d, cases[i].split);
    if (s->speaker_independent != cases[i].independent) fail_msg("case %zu: %s", i, s->note);
    am_split_free(ctx, s);
  }
  free_dataset(d, 4);
}

static void unknown_speakers_are_said(void **state) {
  (void)state;
  am_dataset *d = make_dataset(4, 10, 2, false);
  am_split *s = split(d, "{kind: stratified, validation: 0.5}");
  assert_false(s->speakers_known);
  assert_false(s->speaker_independent);
  assert_non_null(strstr(s->note, "not every speaker is known"));
  am_split_free(ctx, s);
  split_fails(d, "{kind: speaker}", AM_E_DATA, "does not say who speaks");
  split_fails(d, "{kind: kfold}", AM_E_DATA, "does not say who speaks");
  free_dataset(d, 4);
}

static void stratified_keeps_class_shares_and_utterances(void **state) {
  (void)state;
  am_dataset *d = make_dataset(10, 12, 4, true);
  for (size_t i = 0; i < d->n; i++) { /* three clips an utterance, of one class */
    d->clips[i].utterance = (int)(i / 3 * 3);
    d->clips[i].label = (int)(i / 3 % 4);
  }
  am_split *s = split(d, "{kind: stratified, test: 0.25, validation: 0.25}");
  check_parts(d, s);
  int count[3][4] = {{0}};
  for (size_t i = 0; i < d->n; i++) {
    assert_int_equal(d->clips[i].part, d->clips[d->clips[i].utterance].part);
    count[d->clips[i].part][d->clips[i].label]++;
  }
  for (int k = 0; k < 4; k++) {
    assert_in_range(count[AM_PART_TEST][k], 6, 9);
    assert_in_range(count[AM_PART_VALIDATION][k], 6, 9);
  }
  am_split_free(ctx, s);
  free_dataset(d, 10);
}

static void speaker_split_is_group_shuffle_split(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof golden_groups / sizeof *golden_groups; c++) {
    int n = golden_groups[c].n, at = 0;
    char yaml[128];
    am_dataset *d = make_dataset(n, 3, 3, true);
    snprintf(yaml, sizeof yaml, "{kind: speaker, test: %g, validation: 0, seed: %u}", golden_groups[c].test_size,
             golden_groups[c].seed);
    am_split *s = split(d, yaml);
    check_parts(d, s);
    assert_true(s->speaker_independent);
    for (int i = 0; i < n; i++)
      if (d->clips[3 * i].part == AM_PART_TEST) assert_int_equal(golden_groups[c].test[at++], i);
    assert_int_equal(at, golden_groups[c].n_test);
    am_split_free(ctx, s);
    free_dataset(d, n);
  }
}

static void sexes_are_balanced_when_asked(void **state) {
  (void)state;
  am_dataset *d = make_dataset(24, 4, 4, true);
  for (int seed = 0; seed < 20; seed++) {
    char yaml[160];
    int odd[3] = {0}, all[3] = {0};
    snprintf(yaml, sizeof yaml,
             "{kind: speaker, test: 0.25, validation: 0.25, seed: %d, stratify_by_speaker_sex: true}", seed);
    am_split *s = split(d, yaml);
    for (int i = 0; i < 24; i++) {
      all[d->clips[4 * i].part]++;
      odd[d->clips[4 * i].part] += i % 2;
    }
    for (int p = 0; p < 3; p++) assert_int_equal(all[p], 2 * odd[p]);
    assert_int_equal(all[AM_PART_TEST], 6);
    am_split_free(ctx, s);
    snprintf(yaml, sizeof yaml,
             "{kind: kfold, folds: 6, fold: 2, seed: %d, stratify_by_speaker_sex: true, "
             "validation_speakers_count: 4}",
             seed);
    s = split(d, yaml);
    memset(odd, 0, sizeof odd);
    for (int i = 0; i < 24; i++) odd[d->clips[4 * i].part] += i % 2;
    assert_int_equal(odd[AM_PART_TEST], 2);
    assert_int_equal(odd[AM_PART_VALIDATION], 2);
    am_split_free(ctx, s);
  }
  free_dataset(d, 24);
}

static void folds_cover_every_speaker_once_and_are_even(void **state) {
  (void)state;
  am_dataset *d = make_dataset(24, 5, 5, true);
  d->clips[0].speaker = d->clips[1].speaker = 23; /* uneven speakers: 3 and 7 clips */
  int tested[24] = {0};
  for (int fold = 0; fold < 5; fold++) {
    char yaml[128];
    snprintf(yaml, sizeof yaml, "{kind: kfold, folds: 5, fold: %d, validation_speakers_count: 3}", fold);
    am_split *s = split(d, yaml);
    check_parts(d, s);
    assert_true(s->speaker_independent);
    assert_int_equal(s->n_folds, 5);
    assert_int_equal(s->fold, fold);
    assert_in_range(s->n[AM_PART_TEST], 18, 28);
    bool in_test[24] = {false};
    for (size_t i = 0; i < d->n; i++) {
      if (d->clips[i].part == AM_PART_TEST) in_test[d->clips[i].speaker] = true;
      assert_int_equal(d->clips[i].fold == fold, d->clips[i].part == AM_PART_TEST);
    }
    for (int i = 0; i < 24; i++) tested[i] += in_test[i];
    am_split_free(ctx, s);
  }
  for (int i = 0; i < 24; i++) assert_int_equal(tested[i], 1);
  split_fails(d, "{kind: kfold, folds: 5, fold: 5}", AM_E_CONFIG, "wanted 0 to 4");
  split_fails(d, "{kind: kfold, folds: 25}", AM_E_CONFIG, "24 speakers");
  split_fails(d, "{kind: kfold, folds: 2, validation_speakers_count: 12}", AM_E_CONFIG, "wanted fewer");
  free_dataset(d, 24);
}

static void leave_one_speaker_out(void **state) {
  (void)state;
  am_dataset *d = make_dataset(4, 6, 3, true);
  am_split *s = split(d, "{kind: leave_one_speaker_out, fold: 2, validation_speakers_count: 1}");
  check_parts(d, s);
  assert_int_equal(s->n_folds, 4);
  assert_int_equal(s->n[AM_PART_TEST], 6);
  assert_int_equal(d->clips[s->at[AM_PART_TEST][0]].speaker, 2);
  assert_int_equal(s->n[AM_PART_VALIDATION], 6);
  assert_int_equal(s->n[AM_PART_TRAIN], 12);
  assert_non_null(strstr(s->note, "speaker 03 left out (fold 2 of 4): 2 speakers train, 1 validate, 1 test"));
  am_split_free(ctx, s);
  free_dataset(d, 4);
}

static void fixed_lists(void **state) {
  (void)state;
  am_dataset *d = make_dataset(24, 2, 2, true);
  am_split *s = split(d, "{kind: fixed, test_speakers: [1, 02], validation_speakers: 24}");
  check_parts(d, s);
  assert_int_equal(s->n[AM_PART_TEST], 4);
  assert_int_equal(d->clips[0].part, AM_PART_TEST);
  assert_int_equal(d->clips[3].part, AM_PART_TEST);
  assert_int_equal(d->clips[47].part, AM_PART_VALIDATION);
  am_split_free(ctx, s);
  s = split(
      d,
      "kind: fixed\nfold: 4\nfold_lists:\n  - [2, 5, 14, 15, 16]\n  - [3, 6, 7, 13, 18]\n  - [10, 11, 12, 19, 20]\n"
      "  - [8, 17, 21, 23, 24]\n  - [1, 4, 9, 22]\n");
  assert_int_equal(s->n_folds, 5);
  assert_int_equal(s->n[AM_PART_TEST], 8);
  assert_int_equal(d->clips[0].part, AM_PART_TEST);
  assert_int_equal(d->clips[2].fold, 0);
  assert_int_equal(log_kept.lines, 0);
  am_split_free(ctx, s);
  s = split(d, "kind: fixed\nfold_lists: [[1, 2], [3]]\nvalidation_speakers_count: 2\n");
  assert_int_equal(s->n[AM_PART_VALIDATION], 4);
  assert_int_equal(log_kept.lines, 21); /* each speaker in no fold is named */
  am_split_free(ctx, s);
  split_fails(d, "{kind: fixed}", AM_E_CONFIG, "needs split.test_speakers");
  split_fails(d, "{kind: fixed, test_speakers: [25]}", AM_E_CONFIG, "no speaker \"25\"; it has 24, from 01 to 24");
  split_fails(d, "{kind: fixed, test_speakers: [1], validation_speakers: [1]}", AM_E_CONFIG,
              "in the test part already");
  split_fails(d, "kind: fixed\nfold_lists:\n  - [1, 2]\n  - [2]\n", AM_E_CONFIG, "test.yaml:4:6");
  split_fails(d, "kind: fixed\nfold_lists: [3]\n", AM_E_CONFIG, "list of lists");
  free_dataset(d, 24);
}

static void the_corpus_says(void **state) {
  (void)state;
  am_dataset *d = make_dataset(4, 6, 3, true);
  split_fails(d, "{kind: corpus}", AM_E_DATA, "split column");
  for (size_t i = 0; i < d->n; i++)
    d->clips[i].corpus_part = i < 6 ? AM_PART_TEST : i < 20 ? AM_PART_TRAIN : AM_PART_NONE;
  am_split *s = split(d, "{kind: corpus}");
  check_parts(d, s);
  assert_int_equal(s->n[AM_PART_TEST], 6);
  assert_int_equal(s->n[AM_PART_TRAIN], 14);
  assert_true(s->speaker_independent);
  assert_non_null(strstr(s->note, "4 clips in no part"));
  am_split_free(ctx, s);
  s = split(d, "{kind: random}"); /* and the corpus's own parts are still known after another split */
  am_split_free(ctx, s);
  s = split(d, "{kind: corpus}");
  assert_int_equal(s->n[AM_PART_TEST], 6);
  am_split_free(ctx, s);
  free_dataset(d, 4);
}

static void balanced_class_weights(void **state) {
  (void)state;
  am_dataset *d = make_dataset(2, 6, 3, true);
  const uint32_t clips[] = {0, 3, 6, 9, 1, 4, 2, 5}; /* labels 0 0 0 0 1 1 2 2 */
  double w[3];
  am_class_weights(d, clips, 8, w);
  const double wanted[] = {8.0 / 12, 8.0 / 6, 8.0 / 6};
  assert_allclose_d(w, wanted, 3, 1e-15, 0);
  am_class_weights(d, clips, 6, w); /* class 2 is absent */
  assert_true(w[2] == 0);
  free_dataset(d, 2);
}

static void gather(void *user, const char *line) {
  char *text = user;
  assert_true(strlen(text) + strlen(line) + 2 < 4096);
  strcat(strcat(text, line), "\n");
}

/* Splits by `yaml`; what is odd about it, a line each, "" when nothing is. */
static const char *doubts_of(am_dataset *d, const char *yaml) {
  static char text[4096];
  am_split_options o;
  am_tree *tree = read_section(ctx, am_split_table, yaml, &o);
  am_split *s = NULL;
  text[0] = '\0';
  am_test_ok(am_split_make(ctx, d, &o, &s, &err), &err);
  check_parts(d, s);
  am_test_ok(am_split_doubts(d, &o, s, gather, text, &err), &err);
  am_split_free(ctx, s);
  am_tree_free(tree);
  return text;
}

static void classes_that_a_part_lacks_are_named(void **state) {
  (void)state;
  am_dataset *d = make_dataset(4, 4, 2, true);
  for (size_t i = 0; i < d->n; i++) d->clips[i].label = d->clips[i].speaker == 0;
  const char *text = doubts_of(d, "{kind: leave_one_speaker_out, fold: 0}");
  assert_non_null(strstr(text, "no clip of \"bcdefgh\" in the train part: 1 of 2 classes are trained on\n"));
  assert_non_null(
      strstr(text, "no clip of \"abcdefgh\" in the test part: its average recall is over 1 of 2 classes\n"));
  text = doubts_of(d, "{kind: fixed, validation_speakers: [2], test_speakers: [3]}");
  assert_non_null(
      strstr(text,
             "no clip of \"bcdefgh\" in the validation part: its average recall is over 1 of 2 classes, also "
             "where it chooses the epoch\n"));
  assert_null(strstr(text, "train part"));
  free_dataset(d, 4);
  d = make_dataset(5, 4, 2, true);
  assert_string_equal(doubts_of(d, "{kind: speaker, validation: 0.2, test: 0.2}"), "");
  free_dataset(d, 5);
}

static void shares_that_were_not_asked_for_are_said(void **state) {
  (void)state;
  am_dataset *d = make_dataset(6, 8, 4, true);
  const char *text = doubts_of(d, "{kind: speaker, validation: 0.2, test: 0.2}"); /* 2, 2, 2: as scikit-learn rounds */
  assert_non_null(strstr(text,
                         "the validation part has 33.3 % of the clips, and split.validation asks for 20.0 %: it is a "
                         "share of the speakers (6), rounded up"));
  assert_non_null(strstr(text, "the test part has 33.3 % of the clips, and split.test asks for 20.0 %"));
  assert_non_null(strstr(text, "only 33.3 % of the clips are trained on\n"));
  assert_string_equal(doubts_of(d, "{kind: speaker, validation: 0.2, test: 0.2, stratify_by_label: true}"), "");
  for (size_t i = 0; i < d->n; i++)
    if (i % 3) d->clips[i].speaker = 5; /* one speaker has two of three clips */
  text = doubts_of(d, "{kind: kfold, folds: 3, fold: 0}");
  assert_non_null(strstr(text, "the test part has 70.8 % of the clips, where one of 3 folds would have 33.3 %"));
  free_dataset(d, 6);
}

static void a_class_of_one_speaker_is_said(void **state) {
  (void)state;
  am_dataset *d = make_dataset(5, 20, 2, true);
  for (size_t i = 0; i < d->n; i++) d->clips[i].label = d->clips[i].speaker == 2 || i % 10 == 0;
  const char *text = doubts_of(d, "{kind: leave_one_speaker_out, fold: 4}");
  assert_string_equal(
      text, "20 of the 26 training clips of \"bcdefgh\" are speaker 03's: the voice may be learned for the label\n");
  free_dataset(d, 5);
}

static size_t clips_of(const am_dataset *d, int part, int label, int corpus) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++)
    n += (int)d->clips[i].part == part && (label < 0 || d->clips[i].label == label) &&
         (corpus < 0 || d->clips[i].corpus == corpus);
  return n;
}

/* 12 speakers of whom three alone have the last label: by chance a part often lacks it, balanced by label none ever does. */
static void balanced_parts_have_every_label(void **state) {
  (void)state;
  am_dataset *d = make_dataset(12, 24, 4, true);
  int lacking = 0;
  for (size_t i = 0; i < d->n; i++) d->clips[i].label = d->clips[i].speaker % 4 == 3 ? (int)(i % 4) : (int)(i % 3);
  for (int seed = 0; seed < 20; seed++) {
    char yaml[128];
    snprintf(yaml, sizeof yaml, "{kind: speaker, validation: 0.2, test: 0.2, seed: %d}", seed);
    lacking += *doubts_of(d, yaml) != '\0';
    snprintf(yaml, sizeof yaml, "{kind: speaker, validation: 0.2, test: 0.2, seed: %d, stratify_by_label: true}", seed);
    assert_string_equal(doubts_of(d, yaml), "");
    for (int part = 0; part < 3; part++) assert_int_equal(clips_of(d, part, 3, -1), 6); /* one of the three */
    snprintf(yaml, sizeof yaml,
             "{kind: leave_one_speaker_out, fold: 3, seed: %d, validation_speakers_count: 2, "
             "stratify_by_label: true}",
             seed);
    doubts_of(d, yaml);
    assert_int_equal(clips_of(d, AM_PART_VALIDATION, 3, -1), 6);
    assert_int_equal(clips_of(d, AM_PART_VALIDATION, -1, -1), 48);
  }
  assert_true(lacking > 10);
  am_split *a = split(d, "{kind: speaker, test: 0.25, seed: 1, stratify_by_label: true}");
  am_split *b = split(d, "{kind: speaker, test: 0.25, seed: 1, stratify_by_label: true}");
  assert_int_equal(a->n[2], b->n[2]);
  assert_memory_equal(a->at[2], b->at[2], a->n[2] * sizeof *a->at[2]);
  assert_true(a->speaker_independent);
  assert_non_null(strstr(a->note, "balanced by label"));
  am_split_free(ctx, a);
  am_split_free(ctx, b);
  free_dataset(d, 12);
}

/* Two corpora of unlike size and labels: every fold, and every part, has its share of both. */
static void balanced_parts_have_every_corpus(void **state) {
  (void)state;
  am_dataset *d = make_dataset(20, 12, 3, true);
  d->n_corpora = 2;
  for (size_t i = 0; i < d->n; i++) d->clips[i].corpus = d->clips[i].speaker >= 15;
  for (int fold = 0; fold < 5; fold++) {
    char yaml[128];
    snprintf(yaml, sizeof yaml, "{kind: kfold, folds: 5, fold: %d, stratify_by_label: true}", fold);
    doubts_of(d, yaml);
    assert_int_equal(clips_of(d, AM_PART_TEST, -1, 0), 36);
    assert_int_equal(clips_of(d, AM_PART_TEST, -1, 1), 12);
  }
  doubts_of(d, "{kind: speaker, validation: 0.2, test: 0.2, stratify_by_label: true}");
  for (int part = 1; part < 3; part++) {
    assert_int_equal(clips_of(d, part, -1, 0), 36);
    assert_int_equal(clips_of(d, part, -1, 1), 12);
  }
  doubts_of(d, "{kind: speaker, validation: 0.2, test: 0.2, stratify_by_label: true, stratify_by_speaker_sex: true}");
  free_dataset(d, 20);
  d = make_dataset(2, 12, 3, true);
  split_fails(d, "{kind: speaker, validation: 0.2, test: 0.2, stratify_by_label: true}", AM_E_CONFIG,
              "2 speakers are too few for 3 parts");
  split_fails(d, "{kind: kfold, folds: 3, stratify_by_label: true}", AM_E_CONFIG,
              "split.folds is 3 and the corpus has 2 speakers");
  split_fails(d, "{kind: random, stratify_by_label: true}", AM_E_CONFIG, "for kinds that divide speakers");
  free_dataset(d, 2);
}

static void balancing_survives_failed_allocations(void **state) {
  (void)state;
  static const char *const yaml[] = {"{kind: kfold, folds: 3, stratify_by_label: true, validation_speakers_count: 1}",
                                     "{kind: speaker, validation: 0.2, test: 0.2, stratify_by_label: true}"};
  for (int k = 0; k < 2; k++)
    for (long n = 1;; n++) {
      am_test_memory memory;
      am_context *own = am_test_memory_context(&memory, 1);
      am_dataset *d = make_dataset(6, 8, 4, true);
      am_split_options o;
      am_tree *tree = read_section(ctx, am_split_table, yaml[k], &o);
      am_split *s = NULL;
      char text[4096] = "";
      d->ctx = own;
      long before = atomic_load(&memory.alive);
      am_test_memory_arm(&memory, n);
      am_status status = am_split_make(own, d, &o, &s, &err);
      if (!status) status = am_split_doubts(d, &o, s, gather, text, &err);
      bool fired = am_test_memory_fired(&memory);
      assert_true(status == AM_OK || (fired && status == AM_E_NOMEM));
      am_split_free(own, s);
      assert_int_equal(atomic_load(&memory.alive), before);
      am_tree_free(tree);
      free_dataset(d, 6);
      am_context_free(own);
      if (!fired) break;
    }
}

static void impossible_splits_are_refused(void **state) {
  (void)state;
  am_dataset *d = make_dataset(4, 4, 2, true);
  split_fails(d, "{kind: random, test: 0.5, validation: 0.5}", AM_E_CONFIG,
              "split.test 0.5 and split.validation 0.5 leave nothing to train on");
  split_fails(d, "{kind: leave_one_speaker_out, validation_same_group: true}", AM_E_CONFIG,
              "gives no group (session) for speaker 01");
  d->n_speakers = 3; /* the corpus has a fourth, whose clips are not here */
  d->n = 12;
  split_fails(d, "{kind: fixed, test_speakers: [1], validation_speakers: [4]}", AM_E_DATA,
              "the validation part of the split has no clip (fixed speakers");
  strcpy((char *)(uintptr_t)d->speakers[1], "anna");
  split_fails(d, "{kind: kfold, folds: 2, stratify_by_speaker_sex: true}", AM_E_CONFIG,
              "speaker \"anna\" does not end in a number");
  free_dataset(d, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(scikit_learn_gives_the_same_indices, setup, teardown),
      cmocka_unit_test_setup_teardown(scikit_learn_gives_the_same_stratified_folds, setup, teardown),
      cmocka_unit_test_setup_teardown(impossible_draws_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(random_split_says_it_is_not_speaker_independent, setup, teardown),
      cmocka_unit_test_setup_teardown(nothing_held_out_is_said, setup, teardown),
      cmocka_unit_test_setup_teardown(parts_of_one_corpus_share_their_speakers, setup, teardown),
      cmocka_unit_test_setup_teardown(unknown_speakers_are_said, setup, teardown),
      cmocka_unit_test_setup_teardown(stratified_keeps_class_shares_and_utterances, setup, teardown),
      cmocka_unit_test_setup_teardown(speaker_split_is_group_shuffle_split, setup, teardown),
      cmocka_unit_test_setup_teardown(sexes_are_balanced_when_asked, setup, teardown),
      cmocka_unit_test_setup_teardown(folds_cover_every_speaker_once_and_are_even, setup, teardown),
      cmocka_unit_test_setup_teardown(leave_one_speaker_out, setup, teardown),
      cmocka_unit_test_setup_teardown(fixed_lists, setup, teardown),
      cmocka_unit_test_setup_teardown(the_corpus_says, setup, teardown),
      cmocka_unit_test_setup_teardown(balanced_class_weights, setup, teardown),
      cmocka_unit_test_setup_teardown(impossible_splits_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(classes_that_a_part_lacks_are_named, setup, teardown),
      cmocka_unit_test_setup_teardown(shares_that_were_not_asked_for_are_said, setup, teardown),
      cmocka_unit_test_setup_teardown(a_class_of_one_speaker_is_said, setup, teardown),
      cmocka_unit_test_setup_teardown(balanced_parts_have_every_label, setup, teardown),
      cmocka_unit_test_setup_teardown(balanced_parts_have_every_corpus, setup, teardown),
      cmocka_unit_test_setup_teardown(balancing_survives_failed_allocations, setup, teardown),
  };
  return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
