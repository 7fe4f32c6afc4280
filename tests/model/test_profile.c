/* SPDX-License-Identifier: MIT */
/* tests/model/test_profile.c - what is known of a voice: gathered, kept, added to, used; and files that are no profile. */
#include "made_up.h"

#include "audiomood/profile.h"
#include "base/file.h"
#include "io/h5.h"
#include "model/enrolment.h"
#include "model/evaluate.h"
#include "model/profile.h"

enum { SPEAKERS = 4, TAKES = 2, MOST = SPEAKERS * 3 * TAKES, CLASSES = 3, N = 6000 };

const char *__asan_default_options(void); /* test_checkpoint.c says why */
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "allocator_may_return_null=1"; }

/* A corpus, and a model that was trained on it by speaker. */
typedef struct things {
  char *folder; /* the current one */
  am_context *ctx;
  am_config *config;
  am_checkpoint *c;
  am_dataset *d;
  am_features *fx;
  am_store *store;
  uint32_t clips[MOST];
  float tone[N];
} things;

static int make(void **state) {
  things *t = calloc(1, sizeof *t);
  static const char *const more[] = {"train.max_steps=4", "features.normalise=speaker", "features.shrink=0.48"};
  am_error err = AM_ERROR_INIT;
  am_run_result result = {.size = sizeof result};
  t->folder = am_test_folder();
  assert_int_equal(chdir(t->folder), 0);
  mkdir("corpus", 0777);
  t->ctx = am_test_context(1, "plain");
  made_up_corpus(t->ctx, "corpus", SPEAKERS, TAKES);
  t->config = made_up_config(t->ctx, "corpus", more, 3);
  assert_int_equal(
      am_train_run(t->config, &(am_run_options){.size = sizeof(am_run_options), .out = "run"}, &result, &err),
      AM_E_STOPPED);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_checkpoint_load(t->ctx, "run/last.h5", &t->c, &err), &err);
  am_test_ok(am_dataset_load(t->ctx, &t->config->data, &t->d, &err), &err);
  am_test_ok(am_features_create(t->ctx, &t->config->features, &t->fx, &err), &err);
  am_test_ok(am_store_create(t->ctx, t->d, t->fx, &t->config->data, "", true, &t->store, &err), &err);
  assert_int_equal(t->d->n, MOST);
  for (uint32_t i = 0; i < MOST; i++) t->clips[i] = i;
  for (int i = 0; i < N; i++) t->tone[i] = 0.3f * sinf(0.2f * (float)i) * (float)(1 + i % 3000) / 3000;
  *state = t;
  return 0;
}

static int end(void **state) {
  things *t = *state;
  am_store_free(t->store);
  am_features_free(t->fx);
  am_dataset_free(t->d);
  am_checkpoint_free(t->c);
  am_config_free(t->config);
  am_context_free(t->ctx);
  am_test_folder_remove(t->folder);
  free(t->folder);
  free(t);
  return chdir("/");
}

static am_profile *new_profile(const things *t) {
  am_error err = AM_ERROR_INIT;
  am_profile *p;
  am_test_ok(am_profile_of_model(t->c, &p, &err), &err);
  return p;
}

static void add_clip(const things *t, am_profile *p, uint32_t clip) {
  am_error err = AM_ERROR_INIT;
  size_t n;
  const float *sound = am_store_sound(t->store, clip, &n);
  am_test_ok(am_profile_add(p, sound, n, &err), &err);
}

/* A profile of all clips of a speaker, in the order of the corpus. */
static am_profile *voice_of(const things *t, int speaker) {
  am_profile *p = new_profile(t);
  for (uint32_t i = 0; i < MOST; i++)
    if (t->d->clips[i].speaker == speaker) add_clip(t, p, i);
  return p;
}

static void assert_same(const am_profile *a, const am_profile *b) {
  const size_t bytes = (size_t)a->stats.f * sizeof(double);
  assert_true(a->stats.f == b->stats.f && a->stats.count == b->stats.count && a->seconds == b->seconds);
  assert_memory_equal(a->stats.mean, b->stats.mean, bytes);
  assert_memory_equal(a->stats.m2, b->stats.m2, bytes);
}

/* Every clip by the model that was told of its speaker's voice by all of his clips. */
static void predict_all(const things *t, float *p) {
  am_error err = AM_ERROR_INIT;
  for (int s = 0; s < t->d->n_speakers; s++) {
    am_profile *voice = voice_of(t, s);
    am_test_ok(am_checkpoint_enrol(t->c, voice, &err), &err);
    am_profile_free(voice);
    for (uint32_t i = 0; i < MOST; i++) {
      size_t n;
      const float *sound = am_store_sound(t->store, i, &n);
      if (t->d->clips[i].speaker == s)
        am_test_ok(am_predict_sound(t->c, sound, n, p + (size_t)i * CLASSES, &err), &err);
    }
  }
}

static void prediction_is_evaluation(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  float alone[MOST * CLASSES], shrunk[MOST * CLASSES], wanted[MOST * CLASSES];
  assert_true(t->c->normaliser.training.f > 0);
  t->c->config->train.batch = 1; /* as prediction: products of several rows are summed in another order */
  predict_all(t, shrunk);
  am_test_ok(am_evaluate_enrolled(t->ctx, t->c, t->d, t->store, t->clips, MOST, t->clips, MOST, wanted, &err), &err);
  assert_memory_equal(shrunk, wanted, sizeof wanted);
  t->c->config->features.shrink = 0;
  predict_all(t, alone);
  am_test_ok(am_evaluate(t->ctx, t->c, t->d, t->store, t->clips, MOST, wanted, &err), &err);
  assert_memory_equal(alone, wanted, sizeof wanted);
  assert_memory_not_equal(alone, shrunk, sizeof alone);
  /* Shrinkage is of enrolment alone: what a speaker's own clips are measured by stays as it was. */
  t->c->config->features.shrink = 1000;
  am_test_ok(am_evaluate(t->ctx, t->c, t->d, t->store, t->clips, MOST, shrunk, &err), &err);
  assert_memory_equal(alone, shrunk, sizeof alone);
}

/* Few frames are near the training part, many near the voice. */
static void shrinkage_is_frames_of_the_prior(void **state) {
  (void)state;
  double mean[2] = {1, -3}, m2[2] = {20, 5}, prior_mean[2] = {2, 4}, prior_m2[2] = {9, 0.25};
  const am_norm_stats s = {.f = 2, .count = 10, .mean = mean, .m2 = m2};
  const am_norm_stats prior = {.f = 2, .count = 1, .mean = prior_mean, .m2 = prior_m2};
  double many_m2[2] = {9 * 30, 0.25 * 30}, sum_mean[2] = {1, -3}, sum_m2[2] = {20, 5};
  const am_norm_stats thirty = {.f = 2, .count = 30, .mean = prior_mean, .m2 = many_m2};
  am_norm_stats sum = {.f = 2, .count = 10, .mean = sum_mean, .m2 = sum_m2};
  am_norm_merge(&sum, &thirty);
  for (int by_all = 0; by_all < 2; by_all++) {
    float a[2], b[2], x[2], y[2];
    am_norm_finish(&sum, by_all, a, b);
    am_norm_shrink(&s, &prior, 30, by_all, x, y);
    for (int j = 0; j < 2; j++) assert_true(fabsf(a[j] - x[j]) < 1e-6f && fabsf(b[j] - y[j]) < 1e-6f);
    am_norm_finish(&s, by_all, a, b);
    am_norm_shrink(&s, &prior, 0, by_all, x, y);
    assert_memory_equal(a, x, sizeof a);
    assert_memory_equal(b, y, sizeof b);
    am_norm_shrink(&(am_norm_stats){.f = 2, .mean = (double[2]){0}, .m2 = (double[2]){0}}, &prior, 30, by_all, x, y);
    assert_true(x[0] == (by_all ? 3.0f : 2.0f) && (by_all || y[1] == 2.0f)); /* nothing heard: the prior */
  }
}

/* What a voice is measured by is what evaluation finds in the same clips. */
static void statistics_are_those_of_evaluation(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_normaliser all, enrolled;
  const size_t f = (size_t)am_store_bins(t->store), bytes = f * sizeof(float);
  for (int by_all = 0; by_all < 2; by_all++) {
    am_feature_options *o = &t->c->config->features;
    o->normalise_by = by_all ? AM_NORMALISE_BY_ALL : AM_NORMALISE_BY_BIN;
    t->c->normaliser.by_all = by_all;
    am_test_ok(am_normaliser_fit(t->ctx, t->store, t->d, o, NULL, 0, &all, &err), &err);
    am_test_ok(
        am_normaliser_enrol(t->ctx, t->store, t->d, o, &t->c->normaliser.training, t->clips, MOST, &enrolled, &err),
        &err);
    for (int s = 0; s < SPEAKERS; s++) {
      am_profile *voice = voice_of(t, s);
      am_test_ok(am_checkpoint_enrol(t->c, voice, &err), &err);
      assert_memory_equal(t->c->normaliser.speaker_mean, enrolled.speaker_mean + (size_t)s * f, bytes);
      assert_memory_equal(t->c->normaliser.speaker_inverse, enrolled.speaker_inverse + (size_t)s * f, bytes);
      o->shrink = 0;
      am_test_ok(am_checkpoint_enrol(t->c, voice, &err), &err);
      assert_memory_equal(t->c->normaliser.speaker_mean, all.speaker_mean + (size_t)s * f, bytes);
      assert_memory_equal(t->c->normaliser.speaker_inverse, all.speaker_inverse + (size_t)s * f, bytes);
      o->shrink = 0.48; /* 30 frames */
      am_profile_free(voice);
    }
    am_normaliser_free(t->ctx, &all);
    am_normaliser_free(t->ctx, &enrolled);
  }
}

static mode_t mode_of(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  return info.st_mode & 0777;
}

static void a_file_is_what_was_heard(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_profile *all = voice_of(t, 1), *kept, *more = new_profile(t), *empty = new_profile(t);
  am_test_ok(am_profile_rename(all, "Zo\xc3\xab", &err), &err);
  umask(0);
  am_test_ok(am_profile_save(all, "voice.h5", &err), &err);
  assert_int_equal(mode_of("voice.h5"), 0600);
  am_test_ok(am_profile_load(t->ctx, "voice.h5", &kept, &err), &err);
  assert_same(all, kept);
  assert_string_equal(am_profile_name(kept), "Zo\xc3\xab");
  assert_true(am_profile_rate(kept) == 16000 && am_profile_seconds(kept) > 1.2 && am_profile_seconds(kept) < 1.6);
  /* Half, kept, read and added to is all; and so is what goes through an empty one. */
  for (uint32_t i = 0, n = 0; i < MOST; i++)
    if (t->d->clips[i].speaker == 1 && n++ < 3) add_clip(t, more, i);
  assert_true(am_profile_seconds(more) < am_profile_seconds(all));
  assert_int_equal(chmod("voice.h5", 0640), 0);
  am_test_ok(am_profile_save(more, "voice.h5", &err), &err);
  assert_int_equal(mode_of("voice.h5"), 0640);
  umask(022);
  am_profile_free(kept);
  am_test_ok(am_profile_load(t->ctx, "voice.h5", &kept, &err), &err);
  assert_string_equal(am_profile_name(kept), "");
  for (uint32_t i = 0, n = 0; i < MOST; i++)
    if (t->d->clips[i].speaker == 1 && n++ >= 3) add_clip(t, kept, i);
  assert_same(all, kept);
  am_test_ok(am_profile_merge(empty, all, &err), &err);
  assert_same(all, empty);
  am_test_ok(am_profile_merge(empty, all, &err), &err);
  assert_true(empty->stats.count == 2 * all->stats.count && empty->seconds == 2 * all->seconds);
  /* The same sounds make the same bytes. */
  char *a, *b;
  size_t n, m;
  am_test_ok(am_profile_save(all, "a.h5", &err), &err);
  am_test_ok(am_profile_rename(kept, "Zo\xc3\xab", &err), &err);
  am_test_ok(am_profile_save(kept, "b.h5", &err), &err);
  am_test_ok(am_file_read(t->ctx, "a.h5", 1 << 20, &a, &n, &err), &err);
  am_test_ok(am_file_read(t->ctx, "b.h5", 1 << 20, &b, &m, &err), &err);
  assert_int_equal(n, m);
  assert_memory_equal(a, b, n);
  am_free(t->ctx, a), am_free(t->ctx, b);
  am_profile_free(all), am_profile_free(kept), am_profile_free(more), am_profile_free(empty);
}

/* golden/profile-1.0.h5, by `audiomood enrol checkpoint-1.0.h5` of two synthetic sounds: every later version reads it. */
static void reads_version_1(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_profile *p;
  am_test_ok(am_profile_load(t->ctx, am_test_source("tests/model/golden/profile-1.0.h5"), &p, &err), &err);
  assert_string_equal(am_profile_name(p), "made-up");
  assert_true(p->stats.f == 20 && p->stats.count == 266 && fabs(p->seconds - 4.236) < 1e-9);
  assert_true(fabs(p->stats.mean[0] + 0.66682263833463618) < 1e-9 && fabs(p->stats.m2[19] - 18.208049082023042) < 1e-9);
  am_profile_free(p);
}

static void nothing_is_not_a_voice(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  static float silence[N], broken[N];
  char name[AM_PROFILE_NAME + 2];
  am_profile *p = new_profile(t);
  for (int i = 0; i < N; i++) broken[i] = i == 4321 ? NAN : 0.1f * sinf((float)i);
  am_test_fails(am_profile_add(p, silence, N, &err), AM_E_DATA, &err, "it is silent");
  am_test_fails(am_profile_add(p, t->tone, 100, &err), AM_E_DATA, &err, "it is too short");
  am_test_fails(am_profile_add(p, t->tone, 0, &err), AM_E_USAGE, &err, "0 samples");
  am_test_fails(am_profile_add(p, broken, N, &err), AM_E_NUMERIC, &err, "sample 4321");
  silence[123] = NAN;
  am_test_fails(am_profile_add(p, silence, N, &err), AM_E_NUMERIC, &err, "sample 123");
  am_test_fails(am_checkpoint_add_speaker(t->c, silence, N, &err), AM_E_NUMERIC, &err, "sample 123");
  am_test_fails(am_profile_save(p, "none.h5", &err), AM_E_DATA, &err, "nothing has been heard");
  am_test_fails(am_checkpoint_enrol(t->c, p, &err), AM_E_DATA, &err, "nothing has been heard");
  assert_false(am_file_exists("none.h5"));
  assert_true(p->stats.count == 0 && am_profile_seconds(p) == 0);
  memset(name, 'x', sizeof name), name[sizeof name - 1] = '\0';
  am_test_fails(am_profile_rename(p, name, &err), AM_E_USAGE, &err, "at most 200");
  am_test_fails(am_profile_rename(p, "\xff", &err), AM_E_USAGE, &err, "not UTF-8");
  assert_string_equal(am_profile_name(p), "");
  am_profile_free(p);
}

static void other_features_are_refused(void **state) {
  const things *t = *state;
  static const struct {
    const char *setting, *words;
  } others[] = {{"features.mels=21", "features.mels 21, and the model has 20"},
                {"features.mel_scale=htk", "features.mel_scale htk, and the model has slaney"},
                {"features.sample_rate=8000", "features.sample_rate 8000, and the model has 16000"}};
  am_error err = AM_ERROR_INIT;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    am_config *config = made_up_config(t->ctx, "corpus", &others[i].setting, 1);
    am_profile *p, *kept, *mine = voice_of(t, 0);
    am_test_ok(am_profile_of_config(config, &p, &err), &err);
    am_test_ok(am_profile_add(p, t->tone, N, &err), &err);
    am_test_fails(am_checkpoint_enrol(t->c, p, &err), AM_E_SHAPE, &err, others[i].words);
    am_test_fails(am_profile_merge(mine, p, &err), AM_E_SHAPE, &err, "and the other one has");
    err = (am_error)AM_ERROR_INIT;
    am_test_ok(am_profile_save(p, "other.h5", &err), &err);
    am_test_ok(am_profile_load(t->ctx, "other.h5", &kept, &err), &err);
    am_test_fails(am_checkpoint_enrol(t->c, kept, &err), AM_E_SHAPE, &err, "other.h5: made with features.");
    am_profile_free(p), am_profile_free(kept), am_profile_free(mine);
    am_config_free(config);
    err = (am_error)AM_ERROR_INIT;
  }
  /* How it is normalised is none of a profile's business. */
  const char *const same = "features.normalise=clip";
  am_config *config = made_up_config(t->ctx, "corpus", &same, 1);
  am_profile *p;
  am_test_ok(am_profile_of_config(config, &p, &err), &err);
  am_test_ok(am_profile_add(p, t->tone, N, &err), &err);
  am_test_ok(am_checkpoint_enrol(t->c, p, &err), &err);
  am_profile_free(p);
  am_config_free(config);
}

/* ---- files that are none ---- */

static am_h5 *change(const things *t, const char *path) {
  am_error err = AM_ERROR_INIT;
  am_h5 *file;
  am_profile *p = voice_of(t, 0);
  am_test_ok(am_profile_save(p, path, &err), &err);
  am_profile_free(p);
  am_test_ok(am_h5_open(t->ctx, path, AM_H5_UPDATE, &file, &err), &err);
  return file;
}

static void refused(const things *t, am_h5 *file, am_status wanted, const char *words) {
  am_error err = AM_ERROR_INIT;
  am_profile *p = (am_profile *)&err;
  am_h5_close(file);
  am_test_fails(am_profile_load(t->ctx, "bad.h5", &p, &err), wanted, &err, words);
  assert_non_null(strstr(err.message, "bad.h5"));
  assert_null(p);
}

static void set_numbers(am_h5 *file, const char *name, size_t f, double first) {
  am_error err = AM_ERROR_INIT;
  double x[64] = {0};
  x[0] = first;
  am_test_ok(am_h5_write(file, name, AM_H5_F64, 1, &f, x, &err), &err);
}

static void set_text(am_h5 *file, const char *name, const char *text) {
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_set_text(file, "/", name, text, &err), &err);
}

static void set_int(am_h5 *file, const char *object, const char *name, int64_t x) {
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_set_int(file, object, name, x, &err), &err);
}

static void foreign_files_are_refused(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_h5 *file = change(t, "bad.h5");
  set_text(file, "version", "2.0");
  refused(t, file, AM_E_FORMAT, "a profile of version 2.0");
  file = change(t, "bad.h5");
  set_text(file, "version", "new");
  refused(t, file, AM_E_FORMAT, "not of the form 1.0");
  file = change(t, "bad.h5");
  set_text(file, "name", "\xff");
  refused(t, file, AM_E_FORMAT, "its name is not UTF-8");
  file = change(t, "bad.h5");
  set_text(file, "format", "keras"), refused(t, file, AM_E_FORMAT, "its format is \"keras\"");
  file = change(t, "bad.h5");
  set_numbers(file, "statistics/mean", 20, NAN), refused(t, file, AM_E_FORMAT, "the mean nan");
  file = change(t, "bad.h5");
  set_numbers(file, "statistics/squares", 20, HUGE_VAL);
  refused(t, file, AM_E_FORMAT, "sum of squares inf");
  file = change(t, "bad.h5");
  set_numbers(file, "statistics/squares", 20, -1), refused(t, file, AM_E_FORMAT, "at least 0");
  file = change(t, "bad.h5");
  set_numbers(file, "statistics/mean", 21, 0), refused(t, file, AM_E_FORMAT, "one row of 20");
  file = change(t, "bad.h5");
  set_int(file, "statistics", "bins", 21);
  refused(t, file, AM_E_FORMAT, "it has 21 bins");
  file = change(t, "bad.h5");
  set_int(file, "statistics", "frames", 0);
  refused(t, file, AM_E_FORMAT, "0 frames in");
  file = change(t, "bad.h5");
  set_int(file, "features", "key", 1), refused(t, file, AM_E_FORMAT, "make the profile anew");
  file = change(t, "bad.h5");
  am_test_ok(am_h5_set_real(file, "/", "seconds", NAN, &err), &err);
  refused(t, file, AM_E_FORMAT, "in nan s");
  file = change(t, "bad.h5");
  am_test_ok(am_h5_write_text(file, "features", "mels: many\n", &err), &err);
  refused(t, file, AM_E_FORMAT, "features.mels");
  file = change(t, "bad.h5");
  am_test_ok(am_h5_delete(file, "statistics/squares", &err), &err);
  refused(t, file, AM_E_FORMAT, "statistics/squares is missing");
  am_profile *p = NULL;
  am_test_fails(am_profile_load(t->ctx, "run/best.h5", &p, &err), AM_E_FORMAT, &err, "wanted \"audiomood-profile\"");
  am_test_fails(am_profile_load(t->ctx, "corpus/manifest.csv", &p, &err), AM_E_FORMAT, &err, "manifest.csv");
  am_test_fails(am_profile_load(t->ctx, "nowhere.h5", &p, &err), AM_E_IO, &err, "nowhere.h5");
  am_checkpoint *c = NULL;
  am_h5_close(change(t, "good.h5"));
  am_test_fails(am_checkpoint_load(t->ctx, "good.h5", &c, &err), AM_E_FORMAT, &err, "audiomood-profile");
}

/* A damaged file is refused, or nothing that it says is touched. */
static void survives_any_damage(void **state) {
  const things *t = *state;
  if (AM_UNDER_TSAN) { /* docs/reliability.md, what a child cannot see */
    printf("# this sanitizer's allocator ends the program where libhdf5 1.10.8 frees what it never set\n");
    skip();
  }
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_profile *p, *whole = voice_of(t, 0);
  am_test_ok(am_profile_save(whole, "bad.h5", &err), &err);
  am_test_ok(am_file_read(t->ctx, "bad.h5", 1 << 20, &data, &bytes, &err), &err);
  for (size_t at = 0; at < bytes; at += 31) {
    char kept = data[at];
    data[at] = (char)(kept ^ 0x41);
    am_test_file("bad.h5", data, bytes);
    if (!am_profile_load(t->ctx, "bad.h5", &p, NULL)) assert_same(p, whole);
    am_profile_free(p);
    data[at] = kept;
  }
  for (size_t cut = 0; cut < bytes; cut += 199) {
    am_test_file("bad.h5", data, cut);
    assert_int_equal(am_profile_load(t->ctx, "bad.h5", &p, NULL), AM_E_FORMAT);
    assert_null(p);
  }
  am_free(t->ctx, data);
  am_profile_free(whole);
}

/* ---- checkpoints ---- */

/* One of before version 1.2 has nothing to shrink towards. */
static void an_older_checkpoint_takes_the_voice_as_it_is(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  float p[CLASSES], q[CLASSES], r[CLASSES];
  am_h5 *file;
  am_checkpoint *old;
  am_profile *voice = voice_of(t, 0);
  am_test_ok(am_h5_open(t->ctx, "run/last.h5", AM_H5_UPDATE, &file, &err), &err);
  am_test_ok(am_h5_delete(file, "normaliser/training_mean", &err), &err);
  am_test_ok(am_h5_delete(file, "normaliser/training_deviation", &err), &err);
  am_h5_close(file);
  am_test_ok(am_checkpoint_load(t->ctx, "run/last.h5", &old, &err), &err);
  assert_int_equal(old->normaliser.training.f, 0);
  am_test_ok(am_checkpoint_enrol(old, voice, &err), &err);
  am_test_ok(am_checkpoint_enrol(t->c, voice, &err), &err);
  am_test_ok(am_predict_sound(old, t->tone, N, p, &err), &err);
  am_test_ok(am_predict_sound(t->c, t->tone, N, q, &err), &err);
  assert_memory_not_equal(p, q, sizeof p);
  t->c->config->features.shrink = 0;
  am_test_ok(am_checkpoint_enrol(t->c, voice, &err), &err);
  am_test_ok(am_predict_sound(t->c, t->tone, N, r, &err), &err);
  assert_memory_equal(p, r, sizeof p);
  am_checkpoint_forget_speaker(t->c);
  am_test_fails(am_predict_sound(t->c, t->tone, N, r, &err), AM_E_USAGE, &err, "normalises by speaker");
  am_checkpoint_free(old);
  am_profile_free(voice);
}

static void bad_means_of_the_training_part_are_refused(void **state) {
  const things *t = *state;
  static const char *const names[] = {"normaliser/training_mean", "normaliser/training_deviation"};
  for (int i = 0; i < 2; i++)
    for (int bins = 20; bins < 22; bins++) {
      am_error err = AM_ERROR_INIT;
      am_h5 *file;
      am_checkpoint *c = NULL;
      am_test_ok(am_h5_open(t->ctx, "run/last.h5", AM_H5_UPDATE, &file, &err), &err);
      set_numbers(file, names[i], (size_t)bins, bins == 20 ? NAN : 0);
      am_h5_close(file);
      am_test_fails(am_checkpoint_load(t->ctx, "run/last.h5", &c, &err), bins == 20 ? AM_E_FORMAT : AM_E_SHAPE, &err,
                    bins == 20 ? "training part" : names[i]);
      assert_null(c);
      am_test_ok(am_h5_open(t->ctx, "run/last.h5", AM_H5_UPDATE, &file, &err), &err);
      set_numbers(file, names[i], 20, 1);
      am_h5_close(file);
    }
}

/* ---- the draw of evaluation ---- */

static void clips_of_a_voice_are_not_scored(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  uint32_t scored[2][MOST], other[MOST];
  const double wanted[2] = {0.3, HUGE_VAL};
  am_enrolment e[2];
  size_t n[2];
  for (int k = 0; k < 2; k++) {
    e[k] = (am_enrolment){.wanted = wanted[k], .seed = 5};
    memcpy(scored[k], t->clips, sizeof t->clips);
    n[k] = MOST;
    am_test_ok(am_enrolment_draw(t->ctx, t->d, t->store, scored[k], &n[k], &e[k], &err), &err);
    assert_int_equal(e[k].speakers, SPEAKERS);
    for (size_t i = 0; i < n[k]; i++)
      for (size_t h = 0; h < e[k].n_heard; h++) assert_true(scored[k][i] != e[k].heard[h]);
  }
  /* The same are scored however much is heard, and the few that are heard are among the many. */
  assert_int_equal(n[0], n[1]);
  assert_int_equal(n[0], MOST / 2);
  assert_memory_equal(scored[0], scored[1], n[0] * sizeof **scored);
  assert_int_equal(e[1].n_heard, MOST / 2);
  assert_int_equal(e[0].n_heard, 2 * SPEAKERS); /* a quarter second each, at most */
  assert_true(e[0].least >= 0.3 && e[0].most <= 0.5 && e[1].least > e[0].most);
  for (size_t h = 0; h < e[0].n_heard; h++) {
    bool found = false;
    for (size_t i = 0; i < e[1].n_heard; i++) found |= e[1].heard[i] == e[0].heard[h];
    assert_true(found);
  }
  am_enrolment third = {.wanted = 0.3, .seed = 6};
  size_t m = MOST;
  memcpy(other, t->clips, sizeof other);
  am_test_ok(am_enrolment_draw(t->ctx, t->d, t->store, other, &m, &third, &err), &err);
  assert_memory_not_equal(other, scored[0], m * sizeof *other);
  am_enrolment_free(t->ctx, &e[0]), am_enrolment_free(t->ctx, &e[1]), am_enrolment_free(t->ctx, &third);
}

/* ---- memory ---- */

static am_status work(am_context *ctx, const things *t, am_error *err) {
  am_checkpoint *c = NULL;
  am_profile *p = NULL, *kept = NULL;
  am_status status = am_checkpoint_load(ctx, "run/last.h5", &c, err);
  if (!status) status = am_profile_of_model(c, &p, err);
  if (!status) status = am_profile_add(p, t->tone, N, err);
  if (!status) status = am_profile_rename(p, "someone", err);
  if (!status) status = am_profile_save(p, "mine.h5", err);
  if (!status) status = am_profile_load(ctx, "mine.h5", &kept, err);
  if (!status) status = am_profile_merge(kept, p, err);
  if (!status) status = am_checkpoint_enrol(c, kept, err);
  am_profile_free(p);
  am_profile_free(kept);
  am_checkpoint_free(c);
  return status;
}

static void memory_may_run_out(void **state) {
  const things *t = *state;
  bool fired = true;
  for (long n = 1; fired; n = made_up_next_failure(n)) {
    am_test_memory memory;
    am_settings settings = {.size = sizeof settings, .threads = 1, .resize = am_test_resize, .memory_user = &memory};
    am_context *ctx;
    am_error err = AM_ERROR_INIT;
    atomic_init(&memory.count, 0), atomic_init(&memory.fail_at, 0), atomic_init(&memory.alive, 0);
    am_test_ok(am_context_create(&settings, &ctx, &err), &err);
    const long before = atomic_load(&memory.alive);
    am_test_memory_arm(&memory, n);
    const am_status status = work(ctx, t, &err);
    fired = am_test_memory_fired(&memory);
    am_test_memory_arm(&memory, 0);
    assert_true(status == (fired ? AM_E_NOMEM : AM_OK));
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(ctx);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(prediction_is_evaluation, make, end),
      cmocka_unit_test_setup_teardown(statistics_are_those_of_evaluation, make, end),
      cmocka_unit_test(shrinkage_is_frames_of_the_prior),
      cmocka_unit_test_setup_teardown(a_file_is_what_was_heard, make, end),
      cmocka_unit_test_setup_teardown(reads_version_1, make, end),
      cmocka_unit_test_setup_teardown(nothing_is_not_a_voice, make, end),
      cmocka_unit_test_setup_teardown(other_features_are_refused, make, end),
      cmocka_unit_test_setup_teardown(foreign_files_are_refused, make, end),
      cmocka_unit_test_setup_teardown(survives_any_damage, make, end),
      cmocka_unit_test_setup_teardown(an_older_checkpoint_takes_the_voice_as_it_is, make, end),
      cmocka_unit_test_setup_teardown(bad_means_of_the_training_part_are_refused, make, end),
      cmocka_unit_test_setup_teardown(clips_of_a_voice_are_not_scored, make, end),
      cmocka_unit_test_setup_teardown(memory_may_run_out, make, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
