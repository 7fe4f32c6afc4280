/* IEMOCAP: the made-up tree with every oddity, and label files with every mistake. */
#include "corpora.h"

#include "audio/synth_iemocap.h"
#include "data/iemocap.h"
#include "data/loader.h"
#include "train/train.h"

static char *made_up; /* the tree of `synth --layout iemocap`, seed 1 */
static am_context *ctx;
static kept_log log_kept;
static am_error err;
static char *folder; /* for trees of a test's own */

static int setup_all(void **state) {
  (void)state;
  am_context *own = am_test_context(2, NULL);
  am_error why = AM_ERROR_INIT;
  size_t clips;
  made_up = am_test_folder();
  am_test_ok(am_synth_iemocap(own, made_up, 1, &clips, &why), &why);
  am_context_free(own);
  return 0;
}

static int teardown_all(void **state) {
  (void)state;
  am_test_folder_remove(made_up);
  free(made_up);
  return 0;
}

static int setup(void **state) {
  (void)state;
  ctx = logging_context(&log_kept, 1);
  err = (am_error)AM_ERROR_INIT;
  folder = am_test_folder();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  am_test_folder_remove(folder);
  free(folder);
  am_context_free(ctx);
  return 0;
}

static const char *in(const char *name) { return am_test_path(folder, name); }

static am_status load_from(const char *root, const char *yaml, am_dataset **d) {
  am_data_options o;
  char text[512];
  snprintf(text, sizeof text, "{corpus: iemocap%s%s}", *yaml ? ", " : "", yaml);
  am_tree *tree = read_section(ctx, am_data_table, text, &o);
  o.root = root;
  *d = NULL;
  am_status status = am_dataset_load(ctx, &o, d, &err);
  am_tree_free(tree);
  return status;
}

static am_dataset *load_made_up(const char *yaml) {
  am_dataset *d;
  am_test_ok(load_from(made_up, yaml, &d), &err);
  return d;
}

static am_dataset *load_ok(const char *yaml) {
  am_dataset *d;
  am_test_ok(load_from(folder, yaml, &d), &err);
  return d;
}

static void load_fails(const char *yaml, am_status status, const char *words) {
  am_dataset *d;
  am_test_fails(load_from(folder, yaml, &d), status, &err, words);
  assert_null(d);
}

static size_t count(const am_dataset *d, const char *label) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++) n += !strcmp(d->labels[d->clips[i].label], label);
  return n;
}

static size_t left_out(const am_dataset *d, const char *words) {
  for (size_t i = 0; i < d->n_left_out; i++)
    if (strstr(d->left_out[i].reason, words)) return d->left_out[i].count;
  return 0;
}

/* The clip whose file is <id>.wav, or chunk "<id>.wav#1". */
static const am_clip *find(const am_dataset *d, const char *name) {
  for (size_t i = 0; i < d->n; i++)
    if (!strcmp(am_path_base(d->clips[i].name), name)) return &d->clips[i];
  fail_msg("no clip %s", name);
  return NULL;
}

static bool has(const am_dataset *d, const char *name) {
  for (size_t i = 0; i < d->n; i++)
    if (!strcmp(am_path_base(d->clips[i].name), name)) return true;
  return false;
}

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
  am_dataset *d = load_made_up("");
  const am_clip *c = find(d, "Ses01F_impro01_F002.wav"); /* one rater left dominance out */
  assert_non_null(c->vad);
  assert_true(c->vad[0] == 2 && c->vad[1] == 2 && c->vad[2] == 1.5);
  c = find(d, "Ses02F_impro01_F001.wav"); /* a CRLF file */
  assert_true(c->vad[0] == 2 && c->vad[1] == 4 && c->vad[2] == 4);
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
  am_test_fails(load_from(made_up, "label_set: 4, labels: [sad, angry]", &d), AM_E_CONFIG, &err, "not both");
  am_test_fails(load_from(made_up, "label_set: 5, merge: {sad: angry}", &d), AM_E_CONFIG, &err, "not both");
  am_test_fails(load_from(made_up, "labels: [neutral, exited]", &d), AM_E_DATA, &err,
                "did you mean \"excited\"");
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table, "{corpus: manifest, label_set: 4}", &o);
  am_test_file(in("manifest.csv"), "path,label\nmanifest.csv,x\n", 26);
  o.root = folder;
  am_test_fails(am_dataset_load(ctx, &o, &d, &err), AM_E_CONFIG, &err,
                "data.label_set: the corpus manifest has no label sets");
  am_tree_free(tree);
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
  assert_string_equal(d->labels[find(d, "Ses01F_impro01_F000.wav")->label],
                      "sad"); /* "Sadness; Neutral state;" */
  assert_string_equal(d->labels[find(d, "Ses01F_impro01_F003.wav")->label], "excited");
  assert_string_equal(d->labels[find(d, "Ses01M_impro02_F002.wav")->label],
                      "neutral"); /* from e2: there is no e1 */
  assert_string_equal(d->labels[find(d, "Ses01M_impro02_F003.wav")->label],
                      "neutral"); /* no agreement, but a rater */
  assert_null(find(d, "Ses01F_impro01_F000.wav")->vad);
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
  assert_int_equal(find(d, "Ses01F_impro01_F003.wav#2")->utterance,
                   find(d, "Ses01F_impro01_F003.wav#1")->utterance);
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
  am_dataset *d =
      load_made_up("labels_from: rater, chunk_seconds: 2, exclude: ['Ses01F_impro01_F000.wav#1']");
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
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "[0.0 - 1.0]\tSes01F_impro01_F00%d\tneu\t[2, 2, 2]\n\n", i);
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

static void is_near(const float *got, const double *wanted, int n) {
  for (int k = 0; k < n; k++) assert_true(fabs((double)got[k] - wanted[k]) < 1e-6);
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
  d = load_made_up(
      "soft_labels: true"); /* ..., angry 3, disgust 6, frustrated 7: angry; angry; fru, dis, ang */
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
  am_tree *trees[] = {
      read_section(ctx, am_feature_table, "{sample_rate: 16000, n_fft: 512, hop: 512, mels: 12}", &fo),
      read_section(ctx, am_augment_table, "{}", &augment[0]),
      read_section(ctx, am_augment_table, "{mixup: 0.4}", &augment[1])};
  am_data_options o;
  am_tree *tree = read_section(ctx, am_data_table,
                               "{corpus: iemocap, soft_labels: true, label_set: 4, style: improvised}", &o);
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
    am_test_ok(am_loader_create(ctx, store, d, &nz, fx, &augment[mix], clips, d->n, &lo, &loader, &err),
               &err);
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
  am_test_fails(split_status(d, "{kind: leave_one_group_out, fold: 5}", &s), AM_E_CONFIG, &err,
                "wanted 0 to 4");
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
  static const char *const kinds[] = {
      "{kind: random, validation: 0.25}", "{kind: stratified, validation: 0.25}",
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
  am_test_fails(split_status(&d, "{kind: leave_one_group_out}", &s), AM_E_DATA, &err,
                "c: the corpus gives no group");
  clips[2].group = 0;
  am_test_fails(split_status(&d, "{kind: leave_one_speaker_out, validation_same_group: true}", &s), AM_E_DATA,
                &err, "speaker anna is alone in monday");
  for (int i = 0; i < 4; i++) clips[i].group = 0;
  d.n_groups = 1;
  am_test_fails(split_status(&d, "{kind: leave_one_group_out}", &s), AM_E_DATA, &err,
                "all of one group, monday");
}

/* Label files */

static void write_labels(const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "Session1/dialog/EmoEvaluation/%s", name);
  touch(ctx, folder, path);
  am_test_file(in(path), text, strlen(text));
}

static void sound(const char *id) {
  char path[256];
  int dialogue = (int)(strrchr(id, '_') - id);
  snprintf(path, sizeof path, "Session%c/sentences/wav/%.*s/%s.wav", id[4], dialogue, id, id);
  touch(ctx, folder, path);
}

#define GOOD \
  "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n" \
  "[6.2 - 8.2]\tSes01F_impro01_F000\tneu\t[2.5, 2.5, 2.5]\n"

static void malformed_lines_name_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *line, *words;
  } bad[] = {
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tnue\t[2.5, 2.5, 2.5]", "found \"nue\"; wanted an emotion code"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\t\t[2.5, 2.5, 2.5]", "wanted an emotion code"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneutral\t[2.5, 2.5, 2.5]", "found \"neutral\""},
      {"[6.2 - 8.2]\tSes01F_impro01_X001\tneu\t[2.5, 2.5, 2.5]",
       "wanted [start - end] utterance emotion [V, A, D]"},
      {"[6.2 - 8.2]\tSes01F_../../x_F001\tneu\t[2.5, 2.5, 2.5]", "wanted [start - end]"},
      {"[6.2 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "wanted [start - end]"},
      {"[6.2.1 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, x, 2.5]", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5] more", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu", "wanted [start - end]"},
      {"Ses01F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "times in brackets"},
      {"C-E4:\tNeutrl;\t()", "found \"Neutrl\"; wanted an emotion"},
      {"C-E4\tNeutral;\t()", "such as C-E2: Neutral; ()"},
      {"[6.2 - 8.2]\tSes02F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "Ses02F_impro01_F001 in Session1"},
  };
  sound("Ses01F_impro01_F000");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[512];
    snprintf(text, sizeof text, "%s%s\n", GOOD, bad[i].line);
    write_labels("Ses01F_impro01.txt", text);
    load_fails("soft_labels: true", AM_E_DATA, bad[i].words);
    if (!strstr(err.message, "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:4:"))
      fail_msg("no place in: %s", err.message);
  }
  write_labels("Ses01F_impro01.txt", GOOD "C-E4:\tNeutrl;\t()\n");
  am_dataset *d = load_ok(""); /* nobody asked the raters */
  assert_int_equal(d->n, 1);
  am_dataset_free(d);
  am_test_file(in("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"), "[\0", 2);
  load_fails("", AM_E_DATA, "Ses01F_impro01.txt: holds NUL bytes");
}

static void malformed_rater_lines(void **state) {
  (void)state;
  static const struct {
    const char *line, *words;
  } bad[] = {{"Ses01F_impro01_F001 Sadness; ()", "such as Ses01F_impro02_F005 :Sadness; ()"},
             {"Ses01F_impro01 :Sadness; ()", "such as Ses01F_impro02_F005 :Sadness; ()"},
             {"Ses01F_impro01_F001 :Sad; ()", "found \"Sad\"; wanted an emotion"}};
  sound("Ses01F_impro01_F000");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[512];
    snprintf(text, sizeof text, "Ses01F_impro01_F000 :Anger; ()\r\n%s\r\n", bad[i].line);
    write_labels("Categorical/Ses01F_impro01_e1_cat.txt", text);
    load_fails("labels_from: rater", AM_E_DATA, bad[i].words);
    assert_non_null(strstr(err.message, "Categorical/Ses01F_impro01_e1_cat.txt:2:"));
  }
}

static am_status take_line(void *user, const am_iemocap_line *line, am_error *why) {
  (void)why;
  const char *last = strrchr(line->utterance, '_');
  assert_true(line->label >= -1 && line->label < AM_IEMOCAP_LABELS);
  assert_true(last && last[1] == line->speaker && !strchr(line->utterance, '/'));
  assert_int_equal(line->dialogue, last - line->utterance);
  ++*(int *)user;
  return AM_OK;
}

static am_status take_strange(void *user, int number, am_error *why) {
  (void)user;
  (void)why;
  assert_true(number > 0);
  return AM_OK;
}

/* Bytes changed, doubled and lost anywhere: read, or refused with the file's name. */
static void damaged_files(void **state) {
  (void)state;
  static const char *const texts[] = {
      GOOD "C-E1:\tNeutral; Anger;\t()\r\nA-E1:\tval 3; act 2; dom  2;\t()\n\n[1 - "
           "2]\tSes01F_impro01_M000\thap\t[, 1, ]",
      "Ses01F_impro01_F000 :Anger; Neutral state; (free; text)\nSes01F_impro01_M000 :; ()\n"};
  static const char swaps[] = "\n\t\r []();:_-.,0FMSx\xff";
  uint32_t seed = 1;
  int lines = 0, refused = 0;
  for (int i = 0; i < 4000; i++) {
    char text[512];
    size_t n = strlen(texts[i % 2]);
    memcpy(text, texts[i % 2], n + 1);
    for (int change = 0; change < 1 + i % 5; change++) {
      seed = seed * 1664525 + 1013904223;
      size_t at = (seed >> 8) % n;
      if (seed >> 30 == 0) memmove(text + at, text + at + 1, n-- - at);
      else text[at] = swaps[(seed >> 20) % (sizeof swaps - 1)];
    }
    am_test_file(in("damaged.txt"), text, n);
    am_iemocap_reader reader = {.ctx = ctx,
                                .file = in("damaged.txt"),
                                .votes = true,
                                .user = &lines,
                                .utterance = take_line,
                                .strange = take_strange};
    err = (am_error)AM_ERROR_INIT;
    am_status status =
        i % 2 ? am_iemocap_read_rater(&reader, &err) : am_iemocap_read_consensus(&reader, &err);
    assert_true(status == AM_OK || status == AM_E_DATA);
    if (status) assert_non_null(strstr(err.message, "damaged.txt:"));
    refused += status != AM_OK;
  }
  assert_true(lines > 1000 && refused > 500);
}

/* Odd, and no reason to stop. */
static void odd_lines(void **state) {
  (void)state;
  write_labels(
      "Ses01F_impro01.txt",
      "\xef\xbb\xbf% header\r\n\r\n"
      "[6.2 - 8.2]  Ses01F_impro01_F000  ang  [, , ]\r\nC-E2:\tAnger\t(a comment\r\nthat goes on; \xe9)\r\n"
      "A-E3:\tval ; act 2; dom  ;\t()\r\nC-F1:\tJoyful;\t()\r\n"
      "[1.0 - 2.0]\tSes01F_impro01_M000\thap\t[]\n[3.0 - 4.0]\tSes01F_impro01_F000\tsad\t[1, 2, 3]\n"
      "[5 - 6]\tSes01F_other01_F000\tsad\t[1, 2, 3]\n[5 - 6]\tSes01F_impro01_F002\txxx\t[1, 2, 3]");
  write_labels("notes.txt", "not labels");
  write_labels("Ses01F_impro01.anvil", "not labels");
  sound("Ses01F_impro01_F000");
  sound("Ses01F_impro01_M000");
  sound("Ses01F_impro01_F002");
  am_dataset *d = load_ok("soft_labels: true");
  assert_int_equal(d->n, 2);
  assert_string_equal(d->labels[find(d, "Ses01F_impro01_F000.wav")->label], "angry"); /* the first line */
  assert_true(isnan(find(d, "Ses01F_impro01_F000.wav")->vad[0]) &&
              isnan(find(d, "Ses01F_impro01_M000.wav")->vad[2]));
  is_near(find(d, "Ses01F_impro01_F000.wav")->soft, (double[]){0, 1}, 2);
  assert_null(find(d, "Ses01F_impro01_M000.wav")->soft); /* no rater stands there */
  assert_int_equal(left_out(d, "line that is none of the label format"), 1);
  assert_int_equal(left_out(d, "a second label line"), 1);
  assert_int_equal(left_out(d, "neither impro nor script"), 1);
  assert_int_equal(left_out(d, "label file whose name is no dialogue's"), 1);
  assert_int_equal(left_out(d, "no agreement"), 1);
  for (size_t i = 0; i < d->n_left_out; i++)
    if (strstr(d->left_out[i].reason, "none of the label format"))
      assert_string_equal(d->left_out[i].example, "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:5");
  assert_non_null(strstr(log_kept.text, "1 of the 5 sessions"));
  am_dataset_free(d);
  write_labels("Categorical/Ses01F_impro01_e2_cat.txt",
               "Ses01F_impro01_F000 :; ()\nSes01F_impro01_M000:neutral state (hm)\n");
  d = load_ok("labels_from: rater");
  assert_int_equal(d->n, 1);
  assert_int_equal(left_out(d, "the rater gave no label"), 1);
  am_dataset_free(d);
}

/* Trees */

static void wrong_trees_say_what_they_hold(void **state) {
  (void)state;
  am_dataset *d;
  am_test_fails(load_from("", "", &d), AM_E_CONFIG, &err, "data.root is not set");
  am_test_fails(load_from(in("none"), "", &d), AM_E_DATA, &err,
                "does not exist; wanted the folder IEMOCAP_full_release");
  am_test_file(in("file"), "x", 1);
  am_test_fails(load_from(in("file"), "", &d), AM_E_DATA, &err, "is a file; wanted");
  unlink(in("file"));
  load_fails("", AM_E_DATA, "looked for Session1 to Session5 here and in the folders below, found 0 names");
  touch(ctx, folder, "Actor_01/03-01-05-01-01-01-01.wav");
  load_fails("", AM_E_DATA, "found 1 names: Actor_01");
  touch(ctx, folder, "IEMOCAP_full_release.tar.gz");
  load_fails("", AM_E_DATA, "unpack the archive first");
  make_folder(ctx, in("Session2/dialog"));
  load_fails(
      "", AM_E_DATA,
      "Session2/dialog/EmoEvaluation: no label file of IEMOCAP: looked for Ses01F_impro01.txt and the like");
  assert_non_null(strstr(err.message, "found no such folder"));
  am_test_fails(load_from(in("Session2"), "", &d), AM_E_DATA, &err,
                "this is one session: give the folder above it");
  touch(ctx, folder, "Session2/dialog/EmoEvaluation/Attribute/x.txt");
  touch(ctx, folder, "Session2/dialog/EmoEvaluation/readme.txt");
  load_fails("", AM_E_DATA, "found 2 names: Attribute, readme.txt");
  load_fails("labels_from: rater", AM_E_DATA,
             "looked for Ses01F_impro01_e1_cat.txt and the like (data.labels_from: rater)");
  write_labels("Ses01F_impro01.txt", GOOD);
  am_test_folder_remove(in("Session2"));
  load_fails("", AM_E_DATA,
             "labels of 1 utterances and the sound of none: looked for "
             "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav");
}

static void the_folder_above(void **state) {
  (void)state;
  char *kept = folder;
  char inner[1024];
  snprintf(inner, sizeof inner, "%s/IEMOCAP_full_release", kept);
  folder = inner;
  write_labels("Ses01F_impro01.txt", GOOD);
  sound("Ses01F_impro01_F000");
  folder = kept;
  am_dataset *d = load_ok("");
  assert_int_equal(d->n, 1);
  assert_string_equal(d->clips[0].name,
                      "IEMOCAP_full_release/Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav");
  assert_true(am_file_exists(d->clips[0].path));
  assert_false(d->synthetic);
  assert_non_null(strstr(d->licence, "never to be redistributed"));
  assert_int_equal(d->n_known_speakers, 10);
  am_dataset_free(d);
}

/* The counts of the real release: neu hap sad ang sur fea dis fru exc oth xxx. */
static void a_full_release_is_counted(void **state) {
  (void)state;
  static const char *const codes[] = {"neu", "hap", "sad", "ang", "sur", "fea",
                                      "dis", "fru", "exc", "oth", "xxx"};
  static const int counts[] = {1708, 595, 1084, 1103, 107, 40, 2, 1849, 1041, 3, 2507};
  am_buffer text[5] = {{0}};
  int n = 0;
  for (int k = 0; k < 11; k++)
    for (int i = 0; i < counts[k]; i++, n++) {
      char path[256];
      int s = n % 5 + 1;
      am_buffer_printf(ctx, &text[s - 1], "[0 - 1]\tSes0%dF_impro01_F%04d\t%s\t[2, 2, 2]\n\n", s, n,
                       codes[k]);
      snprintf(path, sizeof path, "Session%d/sentences/wav/Ses0%dF_impro01/Ses0%dF_impro01_F%04d.wav", s, s,
               s, n);
      if (i == 0 || n < 5) touch(ctx, folder, path);
      else am_test_file(in(path), "", 0);
    }
  for (int s = 1; s <= 5; s++) {
    char path[256];
    snprintf(path, sizeof path, "Session%d/dialog/EmoEvaluation/Ses0%dF_impro01.txt", s, s);
    touch(ctx, folder, path);
    am_test_file(in(path), text[s - 1].data, text[s - 1].used);
    am_buffer_free(ctx, &text[s - 1]);
  }
  assert_int_equal(n, 10039);
  am_dataset *d = load_ok("label_set: 4");
  assert_int_equal(d->n, 5531);
  assert_int_equal(count(d, "neutral"), 1708);
  assert_int_equal(count(d, "happy"), 1636);
  assert_int_equal(left_out(d, "no agreement"), 2507);
  assert_int_equal(log_kept.lines, 0);
  am_dataset_free(d);
  d = load_ok("label_set: 5");
  assert_int_equal(d->n, 7380);
  am_dataset_free(d);
  static const char further[] = "[0 - 1]\tSes05F_impro02_F000\tdis\t[2, 2, 2]\n";
  am_test_file(in("Session5/dialog/EmoEvaluation/Ses05F_impro02.txt"), further, sizeof further - 1);
  d = load_ok("label_set: 4");
  assert_int_equal(log_kept.lines, 1);
  assert_non_null(strstr(log_kept.text,
                         "10040 labelled utterances; the full release has 10039; different, with the known "
                         "count: disgust 3 (2)\n"));
  am_dataset_free(d);
}

/* The maker of the tree */

static void the_maker(void **state) {
  (void)state;
  size_t clips;
  touch(ctx, folder, "mine/thesis.doc");
  am_test_fails(am_synth_iemocap(ctx, in("mine"), 1, &clips, &err), AM_E_USAGE, &err, "nothing was written");
  touch(ctx, folder, "other/Actor_01/x.wav");
  am_test_file(in("other/SYNTHETIC"), "audiomood synthetic corpus 1\nseed 1\n", 36);
  am_test_fails(am_synth_iemocap(ctx, in("other"), 1, &clips, &err), AM_E_USAGE, &err,
                "no SYNTHETIC mark of this layout");
  am_sound_info info = {.size = sizeof info};
  am_test_ok(am_sound_inspect(
                 ctx, am_test_path(made_up, "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"),
                 &info, &err),
             &err);
  assert_int_equal(info.frames, 35200); /* 2.2 s */
  assert_true(info.rate == 16000 && info.channels == 1);
  char *text;
  size_t bytes;
  am_test_ok(am_file_read(ctx, am_test_path(made_up, "Session2/dialog/EmoEvaluation/Ses02M_impro02.txt"),
                          1 << 20, &text, &bytes, &err),
             &err);
  assert_non_null(strstr(text, "\r\n"));
  assert_non_null(strstr(text, "dom  "));
  assert_non_null(memchr(text, '\xe9', bytes));
  assert_true(strstr(text, "_F003") < strstr(text, "_M000")); /* all turns of one, then of the other */
  am_free(ctx, text);
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
  const float p[] = {0.2f, 0.8f, 0.4f, 0.6f,
                     0.4f, 0.6f, 0.9f, 0.1f}; /* two of three chunks wrong, their mean right */
  const int labels[] = {1, 0, 0, 0}, speakers[] = {1, 0, 0, 0};
  am_metrics *m;
  am_test_ok(am_metrics_compute(ctx, p, labels, speakers, 4, 2, 1, &m, &err), &err);
  assert_true(m->accuracy == 0.5);
  assert_null(m->per_utterance);
  am_test_ok(am_metrics_add_utterances(m, &d, at, p, labels, 1, &err), &err);
  assert_non_null(m->per_utterance);
  assert_int_equal(m->per_utterance->n, 2);
  assert_true(m->per_utterance->accuracy == 1);
  char *names[] = {"a", "b"};
  am_buffer json = {0};
  am_test_ok(am_metrics_json(ctx, m, names, "test", true, false, &json, &err), &err);
  assert_non_null(strstr(json.data, "\"per_utterance\""));
  am_buffer_free(ctx, &json);
  am_metrics_free(m);
  for (int i = 0; i < 4; i++) clips[i].utterance = i;
  am_test_ok(am_metrics_compute(ctx, p, labels, speakers, 4, 2, 1, &m, &err), &err);
  am_test_ok(am_metrics_add_utterances(m, &d, at, p, labels, 1, &err), &err);
  assert_null(m->per_utterance); /* clips are utterances */
  am_metrics_free(m);
}

/* Every allocation fails once: an error each time, and nothing leaks. */
static void memory_runs_out_cleanly(void **state) {
  (void)state;
  write_labels("Ses01F_impro01.txt",
               GOOD "C-E1:\tNeutral;\t()\n\nstray\n[6.2 - 8.2]\tSes01F_impro01_M000\thap\t[2, 2, 2]\n");
  write_labels("Categorical/Ses01F_impro01_e1_cat.txt",
               "Ses01F_impro01_F000 :Neutral; ()\nSes01F_impro01_M000 :Excited; ()\n");
  make_folder(ctx, in("Session1/sentences/wav/Ses01F_impro01"));
  write_tone(ctx, in("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"), 300, 0.3, 8000);
  write_tone(ctx, in("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav"), 300, 0.2, 8000);
  sound("Ses01F_impro01_M009");
  for (int rater = 0; rater < 2; rater++)
    for (long n = 1;; n++) {
      am_test_memory m;
      am_context *small = am_test_memory_context(&m, 1);
      am_data_options o;
      am_tree *tree = read_section(
          ctx, am_data_table, "{corpus: iemocap, soft_labels: true, chunk_seconds: 0.1, label_set: 4}", &o);
      am_dataset *d = NULL;
      o.label_set = 0;
      o.labels_from = rater;
      o.root = folder;
      err = (am_error)AM_ERROR_INIT;
      am_test_memory_arm(&m, n);
      am_status status = am_dataset_load(small, &o, &d, &err);
      bool fired = am_test_memory_fired(&m);
      am_test_memory_arm(&m, 0);
      if (status != (fired ? AM_E_NOMEM : AM_OK))
        fail_msg("allocation %ld: %d %s", n, (int)status, err.message);
      am_dataset_free(d);
      am_tree_free(tree);
      am_context_free(small);
      assert_int_equal(atomic_load(&m.alive), 0);
      if (!fired) break;
    }
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
      cmocka_unit_test_setup_teardown(malformed_lines_name_file_and_line, setup, teardown),
      cmocka_unit_test_setup_teardown(malformed_rater_lines, setup, teardown),
      cmocka_unit_test_setup_teardown(damaged_files, setup, teardown),
      cmocka_unit_test_setup_teardown(odd_lines, setup, teardown),
      cmocka_unit_test_setup_teardown(wrong_trees_say_what_they_hold, setup, teardown),
      cmocka_unit_test_setup_teardown(the_folder_above, setup, teardown),
      cmocka_unit_test_setup_teardown(a_full_release_is_counted, setup, teardown),
      cmocka_unit_test_setup_teardown(the_maker, setup, teardown),
      cmocka_unit_test_setup_teardown(utterances_by_mean_probability, setup, teardown),
      cmocka_unit_test_setup_teardown(memory_runs_out_cleanly, setup, teardown),
  };
  return cmocka_run_group_tests_name("iemocap", tests, setup_all, teardown_all);
}
