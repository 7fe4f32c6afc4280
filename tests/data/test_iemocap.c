/* SPDX-License-Identifier: MIT */
/* IEMOCAP: labels, speakers, chunks, soft labels and splits of the made-up tree. */
#include "iemocap_tree.h"

#include "data/loader.h"
#include "model/config.h"
#include "model/metrics.h"

/* The made-up tree */

static void consensus_labels(void **state) {
  (void)state;
  am_dataset *d = load_made_up("");
  static const char *const labels[] = {"neutral", "happy",   "sad",        "angry",   "surprised",
                                       "fearful", "disgust", "frustrated", "excited", "other"};
  static const size_t counts[] = {29, 10, 20, 20, 2, 3, 2, 10, 10, 2};
  assert_int_equal(d->n, 108); /* of 120: 11 without agreement, 1 without sound */
  assert_int_equal(d->n_labels, 10);
  for (int k = 0; k < 10; k++) {
    assert_string_equal(d->labels[k], labels[k]);
    assert_int_equal(count(d, labels[k]), counts[k]);
  }
  assert_int_equal(left_out(d, "no agreement of the raters (xxx)"), 11);
  assert_int_equal(left_out(d, "a label and no sound file"), 1);
  assert_int_equal(left_out(d, "a sound file and no label"), 1);
  assert_int_equal(left_out(d, "AppleDouble file (._*), not a label file"), 1);
  assert_int_equal(left_out(d, "AppleDouble file (._*), not a sound"), 1);
  assert_int_equal(d->n_left_out, 5);
  assert_true(d->synthetic);
  assert_string_equal(d->corpus, "synthetic");
  assert_int_equal(log_kept.lines, 0);
  am_dataset_free(d);
}

/* The last letter speaks: in a dialogue both letters occur, whoever wore the markers. */
static void speakers_and_sessions(void **state) {
  (void)state;
  am_dataset *d = load_made_up("");
  static const char *const names[] = {"Ses01F", "Ses01M", "Ses02F", "Ses02M", "Ses03F",
                                      "Ses03M", "Ses04F", "Ses04M", "Ses05F", "Ses05M"};
  size_t others = 0;
  assert_int_equal(d->n_speakers, 10);
  assert_int_equal(d->n_groups, 5);
  for (int i = 0; i < 10; i++) assert_string_equal(d->speakers[i], names[i]);
  for (size_t i = 0; i < d->n; i++) {
    const am_clip *c = &d->clips[i];
    const char *base = am_path_base(c->name), *speaker = d->speakers[c->speaker];
    assert_int_equal(speaker[5], strrchr(base, '_')[1]);
    assert_memory_equal(speaker, base, 5);
    assert_int_equal(d->groups[c->group][7], base[4]);
    assert_memory_equal(d->groups[c->group], c->name, 8);
    others += speaker[5] != base[5];
    assert_int_equal(c->utterance, (int)i);
  }
  assert_int_equal(others, 54);
  assert_string_equal(d->speakers[find(d, "Ses05M_script01_1b_F000.wav")->speaker], "Ses05F");
  assert_string_equal(d->speakers[find(d, "Ses05F_impro05a_M001.wav")->speaker], "Ses05M");
  am_dataset_free(d);
}

static void attributes_are_kept(void **state) {
  (void)state;
  am_dataset *d = load_made_up("dimensions: [valence, activation, dominance]");
  const am_clip *c = find(d, "Ses01F_impro01_F002.wav"); /* one rater left dominance out */
  assert_non_null(c->values);
  assert_true(c->values[0] == 2 && c->values[1] == 2 && c->values[2] == 1.5F);
  c = find(d, "Ses02F_impro01_F001.wav"); /* a CRLF file */
  assert_true(c->values[0] == 2 && c->values[1] == 4 && c->values[2] == 4);
  for (int k = 0; k < 3; k++) assert_true(d->scale[k].low == 1 && d->scale[k].high == 5);
  assert_string_equal(d->dimensions[1], "activation");
  am_dataset_free(d);
}

static void label_sets(void **state) {
  (void)state;
  static const struct {
    const char *set;
    size_t n;
    int classes;
    size_t happy;
  } sets[] = {{"4", 89, 4, 20},  {"5", 99, 5, 20},  {"6", 99, 6, 10},
              {"7", 102, 7, 10}, {"9", 106, 9, 10}, {"10", 108, 10, 10}};
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    char yaml[64];
    snprintf(yaml, sizeof yaml, "label_set: %s", sets[i].set);
    am_dataset *d = load_made_up(yaml);
    assert_int_equal(d->n, sets[i].n);
    assert_int_equal(d->n_labels, sets[i].classes);
    assert_int_equal(count(d, "happy"), sets[i].happy);
    assert_string_equal(d->labels[0], "neutral");
    am_dataset_free(d);
  }
  am_dataset *d = load_made_up("label_set: 4");
  assert_int_equal(left_out(d, "label \"frustrated\""), 10);
  assert_string_equal(find(d, "Ses01F_impro01_F003.wav")->source_label, "excited");
  am_dataset_free(d);
  am_test_fails(load_from(made_up, "label_set: 4, labels: [sad, angry]", &d), AM_E_CONFIG, &err,
                "leave out one or the other");
  am_test_fails(load_from(made_up, "label_set: 5, merge: {sad: angry}", &d), AM_E_CONFIG, &err,
                "leave out one or the other");
  am_test_fails(load_from(made_up, "labels: [neutral, exited]", &d), AM_E_DATA, &err, "did you mean \"excited\"");
}

static void styles(void **state) {
  (void)state;
  am_dataset *d = load_made_up("style: improvised");
  assert_int_equal(d->n, 70);
  assert_int_equal(left_out(d, "scripted (data.style)"), 40);
  for (size_t i = 0; i < d->n; i++) assert_non_null(strstr(d->clips[i].name, "_impro"));
  am_dataset_free(d);
  d = load_made_up("style: scripted");
  assert_int_equal(d->n, 38);
  assert_int_equal(left_out(d, "improvised (data.style)"), 80);
  am_dataset_free(d);
}

/* The first file of each dialogue, the first label of each line. */
static void one_rater(void **state) {
  (void)state;
  am_dataset *d = load_made_up("labels_from: rater");
  assert_int_equal(d->n, 119);
  assert_int_equal(left_out(d, "label file of a further rater"), 35);
  assert_int_equal(left_out(d, "a label and no sound file"), 1);
  assert_string_equal(d->labels[find(d, "Ses01F_impro01_F000.wav")->label], "sad"); /* "Sadness; Neutral state;" */
  assert_string_equal(d->labels[find(d, "Ses01F_impro01_F003.wav")->label], "excited");
  assert_string_equal(d->labels[find(d, "Ses01M_impro02_F002.wav")->label], "neutral"); /* from e2: there is no e1 */
  assert_string_equal(d->labels[find(d, "Ses01M_impro02_F003.wav")->label], "neutral"); /* no agreement, but a rater */
  assert_int_equal(d->n_dimensions, 0);
  assert_string_equal(d->clips[0].name, "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav");
  am_dataset_free(d);
}

/* n < 1.25 c: whole; and floor(n / c) full chunks. */
static void chunks_as_published(void **state) {
  (void)state;
  am_dataset *d = load_made_up("labels_from: rater, chunk_seconds: 2");
  size_t wanted = 0;
  for (int i = 0; i < AM_SYNTH_UTTERANCES; i++) {
    am_synth_turn t = am_synth_turn_at(i);
    char id[48], name[64];
    am_synth_turn_name(&t, id);
    if (!strcmp(id, "Ses03F_script01_1_F003")) continue; /* no sound */
    int full = t.seconds >= 4 ? 2 : t.seconds >= 2 ? 1 : 0;
    bool whole = t.seconds < 2.5;
    wanted += (size_t)full + whole;
    snprintf(name, sizeof name, "%s.wav", id);
    assert_int_equal(has(d, name), whole);
    if (whole) assert_true(find(d, name)->start == 0 && find(d, name)->seconds == 0);
    for (int k = 0; k < 3; k++) {
      snprintf(name, sizeof name, "%s.wav#%d", id, k + 1);
      assert_int_equal(has(d, name), k < full);
      if (k < full) assert_true(find(d, name)->start == 2 * k && find(d, name)->seconds == 2);
    }
  }
  assert_int_equal(d->n, wanted);
  assert_int_equal(d->n, 164);
  const am_clip *twice = find(d, "Ses01F_impro01_F000.wav"); /* 2.2 s */
  assert_int_equal(find(d, "Ses01F_impro01_F000.wav#1")->utterance, twice->utterance);
  assert_ptr_equal(twice + 1, find(d, "Ses01F_impro01_F000.wav#1"));
  assert_int_equal(find(d, "Ses01F_impro01_F003.wav#2")->utterance, find(d, "Ses01F_impro01_F003.wav#1")->utterance);
  assert_int_not_equal(find(d, "Ses01F_impro01_F001.wav#1")->utterance, twice->utterance);
  am_dataset_free(d);
}

/* Named by its file an utterance goes with all its chunks; a chunk alone by its own name. */
static void chunks_can_be_excluded(void **state) {
  (void)state;
  static const char *const names[] = {"Ses01F_impro01_F000", "Ses01F_impro01_F000.wav",
                                      "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"};
  for (int i = 0; i < 3; i++) {
    char yaml[160];
    snprintf(yaml, sizeof yaml, "labels_from: rater, chunk_seconds: 2, exclude: [%s]", names[i]);
    am_dataset *d = load_made_up(yaml);
    assert_int_equal(d->n, 162);
    assert_int_equal(left_out(d, "data.exclude"), 2);
    am_dataset_free(d);
  }
  am_dataset *d = load_made_up("labels_from: rater, chunk_seconds: 2, exclude: ['Ses01F_impro01_F000.wav#1']");
  assert_int_equal(d->n, 163);
  assert_true(has(d, "Ses01F_impro01_F000.wav"));
  am_dataset_free(d);
}

/* Exactly c and 1.25 c, one sample to each side. */
static void chunk_edges(void **state) {
  (void)state;
  static const size_t samples[] = {31999, 32000, 39999, 40000, 63999, 64000};
  static const int clips[] = {1, 2, 2, 1, 1, 2};
  char text[1024] = "";
  make_folder(ctx, in("Session1/sentences/wav/Ses01F_impro01"));
  make_folder(ctx, in("Session1/dialog/EmoEvaluation"));
  for (int i = 0; i < 6; i++) {
    char name[96];
    snprintf(text + strlen(text), sizeof text - strlen(text), "[0.0 - 1.0]\tSes01F_impro01_F00%d\tneu\t[2, 2, 2]\n\n",
             i);
    snprintf(name, sizeof name, "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F00%d.wav", i);
    write_tone(ctx, in(name), 300, ((double)samples[i] + 0.5) / 16000, 16000);
  }
  am_test_file(in("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"), text, strlen(text));
  am_dataset *d = load_ok("chunk_seconds: 2");
  int found[6] = {0};
  for (size_t i = 0; i < d->n; i++) found[strrchr(d->clips[i].name, '_')[4] - '0']++;
  assert_memory_equal(found, clips, sizeof clips);
  am_dataset_free(d);
}

static void soft_labels_from_votes(void **state) {
  (void)state;
  am_dataset *d = load_made_up("");
  for (size_t i = 0; i < d->n; i++) assert_null(d->clips[i].soft);
  am_dataset_free(d);
  d = load_made_up("soft_labels: true, label_set: 4"); /* neutral, happy, sad, angry */
  is_near(find(d, "Ses01F_impro01_F000.wav")->soft, (double[]){0.75, 0, 0.25, 0},
          4); /* sad and neutral; neutral; neutral */
  is_near(find(d, "Ses01F_impro01_F001.wav")->soft, (double[]){0, 0, 0, 1},
          4); /* frustration and disgust are no class */
  is_near(find(d, "Ses01F_impro01_F003.wav")->soft, (double[]){0, 1, 0, 0}, 4); /* excited counts as happy */
  am_dataset_free(d);
  d = load_made_up("soft_labels: true"); /* ..., angry 3, disgust 6, frustrated 7: angry; angry; fru, dis, ang */
  is_near(find(d, "Ses01F_impro01_F001.wav")->soft, (double[]){0, 0, 0, 0.6, 0, 0, 0.2, 0.2, 0, 0}, 10);
  for (size_t i = 0; i < d->n; i++) {
    const am_clip *c = &d->clips[i];
    double sum = 0;
    for (int k = 0; k < 10; k++) {
      sum += (double)c->soft[k];
      assert_true(k == c->label || c->soft[k] < c->soft[c->label]); /* the consensus has most votes */
    }
    assert_true(fabs(sum - 1) < 1e-6);
  }
  am_dataset_free(d);
  d = load_made_up("soft_labels: true, labels_from: rater");
  is_near(find(d, "Ses01F_impro01_F000.wav")->soft, (double[]){0.5, 0, 0.5, 0, 0, 0, 0, 0, 0, 0}, 10);
  am_dataset_free(d);
}

/* What the trainer sees: soft targets in batches, mixed ones too. */
static void batches_carry_soft_targets(void **state) {
  (void)state;
  am_feature_options fo;
  am_augment_options augment[2];
  am_tree *trees[] = {read_section(ctx, am_feature_table, "{sample_rate: 16000, n_fft: 512, hop: 512, mels: 12}", &fo),
                      read_section(ctx, am_augment_table, "{}", &augment[0]),
                      read_section(ctx, am_augment_table, "{mixup: 0.4}", &augment[1])};
  am_data_options o;
  am_tree *tree =
      read_section(ctx, am_data_table, "{corpus: iemocap, soft_labels: true, label_set: 4, style: improvised}", &o);
  am_dataset *d;
  am_features *fx;
  am_store *store;
  am_normaliser nz = {0};
  o.root = made_up;
  am_test_ok(am_dataset_load(ctx, &o, &d, &err), &err);
  am_test_ok(am_features_create(ctx, &fo, &fx, &err), &err);
  am_test_ok(am_store_create(ctx, d, fx, &o, NULL, false, &store, &err), &err);
  uint32_t *clips = malloc(d->n * sizeof *clips);
  assert_non_null(clips);
  for (uint32_t i = 0; i < d->n; i++) clips[i] = i;
  am_test_ok(am_normaliser_fit(ctx, store, d, &fo, clips, d->n, &nz, &err), &err);
  for (int mix = 0; mix < 2; mix++) {
    am_loader_options lo = {.batch = (int)d->n, .max_frames = am_store_max_frames(store), .augment = mix};
    am_loader *loader;
    const am_loader_batch *b;
    am_test_ok(am_loader_create(ctx, store, d, &nz, fx, &augment[mix], clips, d->n, &lo, &loader, &err), &err);
    am_test_ok(am_loader_start(loader, 0, 0, &err), &err);
    am_test_ok(am_loader_next(loader, &b, &err), &err);
    size_t between = 0;
    for (int i = 0; i < b->n; i++) {
      const float *row = b->targets + 4 * i, *soft = d->clips[b->clips[i]].soft;
      assert_true(fabs((double)(row[0] + row[1] + row[2] + row[3]) - 1) < 1e-6);
      if (!mix) assert_memory_equal(row, soft, 4 * sizeof *row);
      for (int k = 0; k < 4; k++) between += soft[k] > 0 && soft[k] < 1;
    }
    assert_true(between > 0);
    am_loader_free(loader);
  }
  free(clips);
  am_normaliser_free(ctx, &nz);
  am_store_free(store);
  am_features_free(fx);
  am_dataset_free(d);
  am_tree_free(tree);
  for (int i = 0; i < 3; i++) am_tree_free(trees[i]);
}

/* Splits */

static am_status split_status(am_dataset *d, const char *yaml, am_split **s) {
  am_split_options o;
  am_tree *tree = read_section(ctx, am_split_table, yaml, &o);
  am_status status = am_split_make(ctx, d, &o, s, &err);
  am_tree_free(tree);
  return status;
}

static void sessions_left_out(void **state) {
  (void)state;
  am_dataset *d = load_made_up("label_set: 4, chunk_seconds: 2");
  size_t tested = 0;
  for (int fold = 0; fold < 5; fold++) {
    char yaml[128];
    am_split *s;
    snprintf(yaml, sizeof yaml, "{kind: leave_one_group_out, fold: %d, validation_speakers_count: 2}", fold);
    am_test_ok(split_status(d, yaml, &s), &err);
    tested += s->n[AM_PART_TEST];
    assert_int_equal(s->n_folds, 5);
    assert_true(s->speaker_independent);
    assert_non_null(strstr(s->note, "6 speakers train, 2 validate, 2 test"));
    assert_int_equal(s->n[0] + s->n[1] + s->n[2], d->n);
    for (size_t i = 0; i < d->n; i++) {
      assert_int_equal(d->clips[i].fold, d->clips[i].group);
      assert_int_equal(d->clips[i].part == AM_PART_TEST, d->clips[i].group == fold);
    }
    am_split_free(ctx, s);
  }
  assert_int_equal(tested, d->n);
  am_split *s;
  am_test_fails(split_status(d, "{kind: leave_one_group_out, fold: 5}", &s), AM_E_CONFIG, &err, "wanted 0 to 4");
  am_dataset_free(d);
}

static void the_partner_validates(void **state) {
  (void)state;
  am_dataset *d = load_made_up("label_set: 4");
  for (int fold = 0; fold < 10; fold++) {
    char yaml[128];
    am_split *s;
    snprintf(yaml, sizeof yaml, "{kind: leave_one_speaker_out, fold: %d, validation_same_group: true}", fold);
    am_test_ok(split_status(d, yaml, &s), &err);
    for (size_t i = 0; i < d->n; i++) {
      int speaker = d->clips[i].speaker, partner = fold ^ 1; /* F and M of a session stand side by side */
      assert_int_equal(d->clips[i].part, speaker == fold      ? AM_PART_TEST
                                         : speaker == partner ? AM_PART_VALIDATION
                                                              : AM_PART_TRAIN);
    }
    am_split_free(ctx, s);
  }
  am_dataset_free(d);
}

/* Chunks of an utterance stay together, except in the published split. */
static void chunks_and_sides(void **state) {
  (void)state;
  am_dataset *d = load_made_up("labels: [neutral, sad, angry], chunk_seconds: 0.5");
  static const char *const kinds[] = {"{kind: random, validation: 0.25}", "{kind: stratified, validation: 0.25}",
                                      "{kind: speaker, validation: 0.25}", "{kind: leave_one_group_out, fold: 1}"};
  for (int k = 0; k < 4; k++) {
    am_split *s;
    size_t apart = 0;
    am_test_ok(split_status(d, kinds[k], &s), &err);
    for (size_t i = 0; i < d->n; i++) apart += d->clips[i].part != d->clips[d->clips[i].utterance].part;
    if (k) assert_int_equal(apart, 0);
    else assert_true(apart > d->n / 8);
    am_split_free(ctx, s);
  }
  am_dataset_free(d);
}

static void groups_that_cannot_be_left_out(void **state) {
  (void)state;
  am_clip clips[4] = {{.name = "a", .speaker = 0, .group = 0},
                      {.name = "b", .speaker = 1, .group = 1},
                      {.name = "c", .speaker = 0, .group = 1},
                      {.name = "d", .speaker = 1, .group = 1}};
  const char *names[] = {"anna", "ben"}, *groups[] = {"monday", "tuesday"}, *labels[] = {"x"};
  am_dataset d = {.ctx = ctx,
                  .root = "r",
                  .n = 4,
                  .clips = clips,
                  .n_labels = 1,
                  .n_speakers = 2,
                  .n_groups = 2,
                  .labels = labels,
                  .speakers = names,
                  .groups = groups,
                  .n_known_speakers = 2,
                  .n_complete = 4};
  am_split *s;
  am_test_fails(split_status(&d, "{kind: leave_one_group_out}", &s), AM_E_DATA, &err,
                "anna is in the groups monday and tuesday");
  clips[2].group = -1;
  am_test_fails(split_status(&d, "{kind: leave_one_group_out}", &s), AM_E_DATA, &err, "c: the corpus gives no group");
  clips[2].group = 0;
  am_test_fails(split_status(&d, "{kind: leave_one_speaker_out, validation_same_group: true}", &s), AM_E_DATA, &err,
                "speaker anna is alone in monday");
  for (int i = 0; i < 4; i++) clips[i].group = 0;
  d.n_groups = 1;
  am_test_fails(split_status(&d, "{kind: leave_one_group_out}", &s), AM_E_DATA, &err, "all of one group, monday");
}

/* Results per utterance: the mean of its chunks decides. */
static void utterances_by_mean_probability(void **state) {
  (void)state;
  am_clip clips[4] = {{.utterance = 0, .speaker = 0},
                      {.utterance = 0, .speaker = 0},
                      {.utterance = 0, .speaker = 0},
                      {.utterance = 3, .speaker = 1}};
  am_dataset d = {.ctx = ctx, .n = 4, .clips = clips, .n_labels = 2, .n_speakers = 2};
  const uint32_t at[] = {3, 0, 1, 2};
  const float p[] = {0.2f, 0.8f, 0.4f, 0.6f, 0.4f, 0.6f, 0.9f, 0.1f}; /* two of three chunks wrong, their mean right */
  const int labels[] = {1, 0, 0, 0}, speakers[] = {1, 0, 0, 0};
  static const char *const names[] = {"a", "b"};
  am_metrics *m;
  am_test_ok(am_metrics_compute(ctx, p, labels, speakers, 4, names, 2, 1, &m, &err), &err);
  assert_true(m->accuracy == 0.5);
  assert_null(m->per_utterance);
  am_test_ok(am_metrics_add_utterances(m, &d, at, p, labels, 1, &err), &err);
  assert_non_null(m->per_utterance);
  assert_int_equal(m->per_utterance->n, 2);
  assert_true(m->per_utterance->accuracy == 1);
  am_buffer json = {0};
  am_protocol protocol = {.split = "test", .speaker_independent = true};
  am_test_ok(am_metrics_json(ctx, m, &protocol, &json, &err), &err);
  assert_non_null(strstr(json.data, "\"per_utterance\""));
  am_buffer_free(ctx, &json);
  am_metrics_free(m);
  for (int i = 0; i < 4; i++) clips[i].utterance = i;
  am_test_ok(am_metrics_compute(ctx, p, labels, speakers, 4, names, 2, 1, &m, &err), &err);
  am_test_ok(am_metrics_add_utterances(m, &d, at, p, labels, 1, &err), &err);
  assert_null(m->per_utterance); /* clips are utterances */
  am_metrics_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(consensus_labels, setup, teardown),
      cmocka_unit_test_setup_teardown(speakers_and_sessions, setup, teardown),
      cmocka_unit_test_setup_teardown(attributes_are_kept, setup, teardown),
      cmocka_unit_test_setup_teardown(label_sets, setup, teardown),
      cmocka_unit_test_setup_teardown(styles, setup, teardown),
      cmocka_unit_test_setup_teardown(one_rater, setup, teardown),
      cmocka_unit_test_setup_teardown(chunks_as_published, setup, teardown),
      cmocka_unit_test_setup_teardown(chunks_can_be_excluded, setup, teardown),
      cmocka_unit_test_setup_teardown(chunk_edges, setup, teardown),
      cmocka_unit_test_setup_teardown(soft_labels_from_votes, setup, teardown),
      cmocka_unit_test_setup_teardown(batches_carry_soft_targets, setup, teardown),
      cmocka_unit_test_setup_teardown(sessions_left_out, setup, teardown),
      cmocka_unit_test_setup_teardown(the_partner_validates, setup, teardown),
      cmocka_unit_test_setup_teardown(chunks_and_sides, setup, teardown),
      cmocka_unit_test_setup_teardown(groups_that_cannot_be_left_out, setup, teardown),
      cmocka_unit_test_setup_teardown(utterances_by_mean_probability, setup, teardown),
  };
  return cmocka_run_group_tests_name("iemocap", tests, setup_all, teardown_all);
}
