/* SPDX-License-Identifier: MIT */
/* tests/model/test_fusion.c - several models in one checkpoint: the product by hand, the file, and a voice that is known. */
#include "testing.h"

#include <math.h>

#include "audio/resample.h"
#include "audiomood/profile.h"
#include "io/h5.h"
#include "made_up.h"
#include "model/ensemble.h"
#include "model/fusion.h"
#include "model/origin.h"
#include "model/predict.h"

/* Of checkpoint-1.0.h5 and lstm-clip.h5, 0.6 and 0.4 at 1.25 (audiomood fuse --weights). */
static const char GOLDEN[] = "tests/model/golden/fused-1.4.h5";
/* The file of make_two_sets, of the first version that had two sets. */
static const char TWO_SETS[] = "tests/model/golden/fused-1.5.h5";
static const char *const members[] = {"tests/model/golden/checkpoint-1.0.h5", "tests/model/golden/lstm-clip.h5"};

/* ---- the file ---- */

static am_checkpoint *load(am_context *ctx, const char *path) {
  am_checkpoint *c;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_checkpoint_load(ctx, path, &c, &err), &err);
  return c;
}

static float tone[16000];
static void make_tone(double rate, int n) {
  for (int i = 0; i < n; i++) tone[i] = (float)(0.3 * sin(6.283185307179586 * 700 * i / rate));
}

static void predict(am_checkpoint *c, int n, float p[3]) {
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_predict_sound(c, tone, (size_t)n, p, &err), &err);
}

/* p is proportional to a^(w1/T) b^(w2/T). */
static void assert_product(const float *p, const float *a, const float *b, double w, double temperature) {
  double by_hand[3], all = 0;
  for (int k = 0; k < 3; k++)
    all += by_hand[k] = pow((double)a[k], w / temperature) * pow((double)b[k], (1 - w) / temperature);
  for (int k = 0; k < 3; k++)
    if (!(fabs(p[k] - by_hand[k] / all) < 1e-6))
      fail_msg("class %d: %.9g, by hand %.9g", k, (double)p[k], by_hand[k] / all);
}

static void a_fused_file_is_the_product_of_its_members(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c = load(ctx, am_test_source(GOLDEN)), *one = load(ctx, am_test_source(members[0])),
                *two = load(ctx, am_test_source(members[1]));
  float p[3], a[3], b[3], again[3];
  make_tone(16000, 4000);
  predict(c, 4000, p), predict(one, 4000, a), predict(two, 4000, b);
  assert_product(p, a, b, 0.6, 1.25);
  assert_int_equal(am_checkpoint_members(c), 2);
  assert_int_equal(am_checkpoint_members(one), 1);
  assert_int_equal(am_checkpoint_members(NULL), 0);
  assert_ptr_equal(am_checkpoint_member(one, 0), one);
  assert_null(am_checkpoint_member(c, 2));
  assert_true(am_checkpoint_weight(c, 0) == 0.6 && am_checkpoint_weight(c, 2) == 0 &&
              am_checkpoint_weight(one, 0) == 1);
  assert_true(am_checkpoint_temperature(c) == 1.25);
  assert_null(am_checkpoint_model(c));
  predict(am_checkpoint_member(c, 1), 4000, again);
  assert_memory_equal(again, b, sizeof b);
  assert_true(c->speaker_independent && !c->synthetic && !c->resumable);
  assert_string_equal(c->corpus, "manifest");
  int t, f;
  am_test_fails(am_checkpoint_features(c, tone, 4000, NULL, 0, &t, &f, &err), AM_E_USAGE, &err, "ask a member");

  char *data; /* from memory, and beside another model */
  size_t bytes;
  am_checkpoint *memory;
  am_ensemble *e;
  am_test_ok(am_file_read(ctx, am_test_source(GOLDEN), 1 << 20, &data, &bytes, &err), &err);
  am_test_ok(am_checkpoint_from_memory(ctx, data, bytes, NULL, &memory, &err), &err);
  am_test_ok(am_ensemble_create(ctx, &e, &err), &err);
  am_test_ok(am_ensemble_add(e, memory, "fused", &err), &err);
  am_test_ok(am_ensemble_add(e, two, "two", &err), &err);
  am_test_ok(am_ensemble_predict(e, tone, 4000, again, NULL, &err), &err);
  for (int k = 0; k < 3; k++) assert_true(again[k] == (p[k] + b[k]) / 2);
  am_ensemble_free(e);
  am_checkpoint_free(memory);
  am_free(ctx, data);

  am_heard heard = {.size = sizeof heard}; /* nothing to hear: none of it */
  am_test_ok(am_predict_heard(c, (float[2000]){0}, 2000, p, &heard, &err), &err);
  assert_int_equal(heard.unheard, AM_UNHEARD_SILENT);
  assert_true(isnan(p[0]));
  am_checkpoint_free(c), am_checkpoint_free(one), am_checkpoint_free(two);
  am_context_free(ctx);
}

static const uint32_t no_clips[1];
static const am_dataset nobody = {.corpus = "manifest"};
static const am_split nothing = {.note = "none",
                                 .at = {(uint32_t *)no_clips, (uint32_t *)no_clips, (uint32_t *)no_clips}};

/* The golden model with other settings of its features. */
static void write_other(am_context *ctx, const char *path, const char *const *settings, size_t n, int kind) {
  am_checkpoint *c = load(ctx, am_test_source(members[1]));
  am_config *config;
  am_buffer text = {0};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_config_text(c->config, &text, &err), &err);
  am_test_ok(am_config_from_stored(ctx, text.data, "other", settings, n, &config, &err), &err);
  am_normaliser nz = {.kind = kind, .f = c->normaliser.f};
  am_save save = {.config = config,
                  .model = c->model,
                  .labels = c->labels,
                  .classes = c->classes,
                  .normaliser = &nz,
                  .dataset = &nobody,
                  .split = &nothing};
  am_test_ok(am_checkpoint_save(ctx, path, NULL, &save, &err), &err);
  am_buffer_free(ctx, &text);
  am_config_free(config);
  am_checkpoint_free(c);
}

/* With one set, or with another for a voice that is known. */
static am_status fuse_sets(am_context *ctx, const char *path, const char *a, const char *b, const am_fusion_set *any,
                           const am_fusion_set *known, am_error *err) {
  const char *files[] = {a, b};
  am_names speakers = {(char *[]){"manifest\tann"}, 1};
  am_fusion f = {.files = files,
                 .any = *any,
                 .known = known,
                 .n = 2,
                 .labels = (char *[]){"high", "low", "middle"},
                 .classes = 3,
                 .title = "two tones",
                 .by = "validation",
                 .speakers = &speakers};
  return am_fusion_save(ctx, path, &f, err);
}

static am_status fuse(am_context *ctx, const char *path, const char *a, const char *b, double w, am_error *err) {
  const am_fusion_set set = {.weights = (double[]){w, 1 - w}, .temperature = 0.8};
  return fuse_sets(ctx, path, a, b, &set, NULL, err);
}

/* Members at two rates, both of which normalise by speaker, by features that differ: one profile serves both. */
static void members_hear_their_own_features(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  char *folder = am_test_folder(), *a = strdup(am_test_path(folder, "a.h5")), *b = strdup(am_test_path(folder, "b.h5")),
       *file = strdup(am_test_path(folder, "f.h5")), *kept = strdup(am_test_path(folder, "voice.h5"));
  const char *const by_speaker[] = {"features.normalise=speaker"};
  const char *const slow[] = {"features.normalise=speaker", "features.sample_rate=8000"};
  write_other(ctx, a, slow, 2, AM_NORMALISE_SPEAKER);
  write_other(ctx, b, by_speaker, 1, AM_NORMALISE_SPEAKER);
  am_test_ok(fuse(ctx, file, a, b, 0.3, &err), &err);
  am_checkpoint *c = load(ctx, file), *one = load(ctx, a), *two = load(ctx, b);
  float p[3], q[3], pa[3], pb[3];
  assert_true(am_checkpoint_rate(c) == 16000);
  assert_true(am_checkpoint_wants_speaker(c));
  assert_int_equal(c->seen.n, 2); /* whose clips the weights are of, and somebody of the members */
  assert_string_equal(c->seen.at[0], "manifest\tann");
  assert_string_equal(c->title, "two tones");
  make_tone(16000, 8000);
  for (int i = 0; i < 8000; i++) tone[i] *= (float)(0.6 + 0.4 * sin(0.002 * i));
  am_test_fails(am_predict_sound(c, tone, 4000, p, &err), AM_E_USAGE, &err, "normalises by speaker");

  float *low;
  size_t n;
  am_test_ok(am_resample(ctx, tone, 4000, 16000, 8000, &low, &n, &err), &err);
  am_test_ok(am_checkpoint_add_speaker(c, tone, 4000, &err), &err);
  am_test_ok(am_checkpoint_add_speaker(one, low, n, &err), &err);
  am_test_ok(am_checkpoint_add_speaker(two, tone, 4000, &err), &err);
  predict(c, 4000, p), predict(two, 4000, pb);
  am_test_ok(am_predict_sound(one, low, n, pa, &err), &err);
  assert_product(p, pa, pb, 0.3, 0.8);
  am_free(ctx, low);
  am_checkpoint_forget_speaker(c);
  am_test_fails(am_predict_sound(c, tone, 4000, p, &err), AM_E_USAGE, &err, "normalises by speaker");

  am_profile *voice, *read, *narrow;
  am_test_ok(am_profile_of_model(c, &voice, &err), &err);
  assert_true(am_profile_rate(voice) == 16000);
  am_test_ok(am_profile_add(voice, tone + 4000, 4000, &err), &err);
  am_test_ok(am_checkpoint_enrol(c, voice, &err), &err);
  predict(c, 4000, p);
  am_test_ok(am_profile_save(voice, kept, &err), &err);
  am_test_ok(am_profile_load(ctx, kept, &read, &err), &err);
  am_checkpoint_forget_speaker(c);
  am_test_ok(am_checkpoint_enrol(c, read, &err), &err);
  predict(c, 4000, q);
  assert_memory_equal(q, p, sizeof p);
  am_test_ok(am_checkpoint_enrol(one, read, &err), &err); /* and a member by itself */
  am_test_ok(am_profile_merge(voice, read, &err), &err);
  am_test_ok(am_profile_of_model(two, &narrow, &err), &err);
  am_test_ok(am_profile_merge(narrow, read, &err), &err);
  am_test_fails(am_profile_merge(read, narrow, &err), AM_E_SHAPE, &err, "sample_rate");
  am_test_fails(am_checkpoint_enrol(c, narrow, &err), AM_E_SHAPE, &err, "sample_rate 16000, and the model has 8000");
  predict(c, 4000, q); /* the voice that was known stays */
  assert_memory_equal(q, p, sizeof p);
  am_profile_free(voice), am_profile_free(read), am_profile_free(narrow);
  am_checkpoint_free(c), am_checkpoint_free(one), am_checkpoint_free(two);
  am_test_folder_remove(folder);
  free(folder), free(a), free(b), free(file), free(kept);
  am_context_free(ctx);
}

/* ---- one set of weights for a voice that is not known, one for a voice that is ---- */

static const am_fusion_set first = {.weights = (double[]){1, 0}, .temperature = 1.5, .thresholds = {0.5, {0.25, 0, 0}}};
static const am_fusion_set second = {
    .weights = (double[]){0.4, 0.6}, .temperature = 0.8, .thresholds = {0.9, {AM_NEVER, AM_NEVER, AM_NEVER}}};

/* The members in `folder`, and the file; free them. */
static void make_two_sets(am_context *ctx, const char *folder, char **speaker, char **file) {
  am_error err = AM_ERROR_INIT;
  const char *const by_speaker[] = {"features.normalise=speaker"};
  *speaker = strdup(am_test_path(folder, "speaker.h5")), *file = strdup(am_test_path(folder, "two.h5"));
  write_other(ctx, *speaker, by_speaker, 1, AM_NORMALISE_SPEAKER);
  am_test_ok(fuse_sets(ctx, *file, am_test_source(members[0]), *speaker, &first, &second, &err), &err);
}

static void assert_unknown(am_checkpoint *c, am_checkpoint *one) {
  float p[3], a[3];
  predict(c, 4000, p), predict(one, 4000, a);
  assert_product(p, a, a, 1, 1.5);
  assert_false(am_checkpoint_knows_speaker(c));
  assert_true(am_checkpoint_weight(c, 0) == 1 && am_checkpoint_weight(c, 1) == 0);
  assert_true(am_checkpoint_temperature(c) == 1.5);
  assert_true(am_checkpoint_threshold(c, 0) == 0.25);
  assert_int_equal(am_checkpoint_decide(c, (float[]){0.1f, 0.8f, 0.1f}), 1);
}

static void assert_known(am_checkpoint *c, am_checkpoint *one, am_checkpoint *speaker) {
  float p[3], a[3], b[3];
  predict(c, 4000, p), predict(one, 4000, a), predict(speaker, 4000, b);
  assert_product(p, a, b, 0.4, 0.8);
  assert_true(am_checkpoint_knows_speaker(c));
  assert_true(am_checkpoint_weight(c, 0) == 0.4 && am_checkpoint_weight(c, 1) == 0.6);
  assert_true(am_checkpoint_temperature(c) == 0.8);
  assert_true(am_checkpoint_threshold(c, 0) == AM_NEVER);
  assert_int_equal(am_checkpoint_decide(c, (float[]){0.1f, 0.8f, 0.1f}), AM_UNCERTAIN);
}

static void a_voice_that_is_known_has_weights_of_its_own(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  char *folder = am_test_folder(), *path, *file;
  make_two_sets(ctx, folder, &path, &file);
  am_checkpoint *c = load(ctx, file), *one = load(ctx, am_test_source(members[0])), *speaker = load(ctx, path);
  make_tone(16000, 8000);
  for (int i = 0; i < 8000; i++) tone[i] *= (float)(0.6 + 0.4 * sin(0.002 * i));
  assert_true(am_checkpoint_uses_speaker(c) && am_checkpoint_uses_speaker(speaker) && !am_checkpoint_uses_speaker(one));
  assert_true(!am_checkpoint_wants_speaker(c) && am_checkpoint_wants_speaker(speaker));
  assert_false(am_checkpoint_uses_speaker(NULL) || am_checkpoint_knows_speaker(NULL));
  assert_unknown(c, one);
  am_test_ok(am_checkpoint_add_speaker(c, (float[4000]){0}, 4000, &err), &err); /* silence tells nothing of a voice */
  assert_unknown(c, one);

  am_test_ok(am_checkpoint_add_speaker(c, tone + 4000, 4000, &err), &err);
  am_test_ok(am_checkpoint_add_speaker(speaker, tone + 4000, 4000, &err), &err);
  assert_known(c, one, speaker);
  am_checkpoint_forget_speaker(c), am_checkpoint_forget_speaker(speaker);
  assert_unknown(c, one);

  am_profile *voice; /* of the member that has a use for it alone */
  am_test_ok(am_profile_of_model(c, &voice, &err), &err);
  am_test_fails(am_checkpoint_enrol(c, voice, &err), AM_E_DATA, &err, "nothing has been heard");
  assert_unknown(c, one);
  am_test_ok(am_profile_add(voice, tone + 4000, 4000, &err), &err);
  am_test_ok(am_checkpoint_enrol(c, voice, &err), &err);
  am_test_ok(am_checkpoint_enrol(speaker, voice, &err), &err);
  assert_known(c, one, speaker);
  am_profile_free(voice);
  am_checkpoint_free(c), am_checkpoint_free(one), am_checkpoint_free(speaker);
  am_test_folder_remove(folder);
  free(folder), free(path), free(file);
  am_context_free(ctx);
}

/* Files of version 1.5 and of 1.4, as they were written then. */
static void earlier_files_are_read(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c = load(ctx, am_test_source(TWO_SETS)), *one = load(ctx, am_test_source(members[0])),
                *old = load(ctx, am_test_source(GOLDEN));
  make_tone(16000, 4000);
  assert_unknown(c, one);
  am_test_ok(am_checkpoint_add_speaker(c, tone, 4000, &err), &err);
  assert_known(c, one, am_checkpoint_member(c, 1));
  assert_null(old->known);
  assert_false(am_checkpoint_uses_speaker(old));
  assert_true(am_checkpoint_weight(old, 1) == 0.4);
  am_checkpoint_free(c), am_checkpoint_free(one), am_checkpoint_free(old);
  am_context_free(ctx);
}

static am_status note(void *user, size_t i, am_checkpoint *m, float *out, am_error *err) {
  (void)i, (void)err;
  am_checkpoint **asked = user;
  asked[asked[0] ? 1 : 0] = m;
  for (int k = 0; k < 3; k++) out[k] = 1.0f / 3;
  return AM_OK;
}

static void a_member_without_weight_is_not_asked(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  char *folder = am_test_folder(), *path, *file;
  make_two_sets(ctx, folder, &path, &file);
  am_checkpoint *c = load(ctx, file), *asked[2] = {0};
  float p[3];
  am_test_ok(am_fusion_ask(c, 0, 3, note, asked, p, &err), &err);
  assert_true(asked[0] == c->members[0] && !asked[1]);
  make_tone(16000, 4000);
  am_test_ok(am_checkpoint_add_speaker(c, tone, 4000, &err), &err);
  asked[0] = NULL;
  am_test_ok(am_fusion_ask(c, 0, 3, note, asked, p, &err), &err);
  assert_true(asked[0] == c->members[0] && asked[1] == c->members[1]);
  am_checkpoint_free(c);
  am_test_folder_remove(folder);
  free(folder), free(path), free(file);
  am_context_free(ctx);
}

/* ---- refusals ---- */

typedef struct copy {
  am_context *ctx;
  char *folder, *path;
} copy;

static am_h5 *change(copy *c) {
  am_h5 *file;
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(c->ctx, am_test_source(GOLDEN), 1 << 20, &data, &bytes, &err), &err);
  am_test_file(c->path, data, bytes);
  am_free(c->ctx, data);
  am_test_ok(am_h5_open(c->ctx, c->path, AM_H5_UPDATE, &file, &err), &err);
  return file;
}

static void refused(copy *c, am_h5 *changed, const char *words) {
  am_checkpoint *none;
  am_error err;
  am_h5_close(changed);
  am_test_fails(am_checkpoint_load(c->ctx, c->path, &none, &err), AM_E_FORMAT, &err, words);
  assert_non_null(strstr(err.message, "copy.h5"));
  assert_null(none);
}

static void damaged_files_are_refused(void **state) {
  (void)state;
  copy c = {.ctx = am_test_context(1, NULL), .folder = am_test_folder()};
  c.path = strdup(am_test_path(c.folder, "copy.h5"));
  am_error err = AM_ERROR_INIT;
  static const struct {
    double weights[3];
    size_t n;
    const char *words;
  } weights[] = {{{0.6, 0.5}, 2, "its weights sum to 1.1"},
                 {{1.2, -0.2}, 2, "member 1 has the weight 1.2"},
                 {{1, 0}, 2, "member 2 has the weight 0"},
                 {{NAN, 1}, 2, "member 1 has the weight nan"},
                 {{0.2, 0.2, 0.6}, 3, "not one row of 2"}};
  for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
    am_h5 *file = change(&c);
    am_test_ok(am_h5_write(file, "fusion/weights", AM_H5_F64, 1, &weights[i].n, weights[i].weights, &err), &err);
    refused(&c, file, weights[i].words);
  }
  static const char *const lost[] = {"fusion", "members/0", "members/1/weights", "members/0/config"};
  static const char *const words[] = {"fusion/weights", "members/0", "weights", "member 1: "};
  for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
    am_h5 *file = change(&c);
    am_test_ok(am_h5_delete(file, lost[i], &err), &err);
    refused(&c, file, words[i]);
  }
  am_h5 *file = change(&c);
  am_test_ok(am_h5_set_real(file, "/", "temperature", 0, &err), &err);
  refused(&c, file, "its temperature is 0");
  file = change(&c);
  am_test_ok(am_h5_set_texts(file, "/", "labels", (const char *const[]){"high", "middle", "low"}, 3, &err), &err);
  refused(&c, file, "member 1 has other classes");
  file = change(&c);
  am_test_ok(am_h5_group(file, "members/1/members", &err), &err);
  refused(&c, file, "member 2: ");
  file = change(&c);
  am_test_ok(am_h5_set_text(file, "members/0", "version", "4.0", &err), &err);
  refused(&c, file, "member 1: ");
  am_h5_close(change(&c)); /* as it was */
  am_h5 *open;
  am_test_fails(am_checkpoint_open(c.ctx, c.path, &open, &err), AM_E_USAGE, &err, "several models, fused");
  assert_null(open);
  am_test_fails(fuse(c.ctx, am_test_path(c.folder, "new.h5"), c.path, c.path, 0.5, &err), AM_E_USAGE, &err, "fused");
  assert_false(am_file_exists(am_test_path(c.folder, "new.h5")));
  am_test_folder_remove(c.folder);
  free(c.folder), free(c.path);
  am_context_free(c.ctx);
}

static am_h5 *change_two_sets(copy *c, const char *from) {
  am_h5 *file;
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(c->ctx, from, 1 << 20, &data, &bytes, &err), &err);
  am_test_file(c->path, data, bytes);
  am_free(c->ctx, data);
  am_test_ok(am_h5_open(c->ctx, c->path, AM_H5_UPDATE, &file, &err), &err);
  return file;
}

static void damaged_second_sets_are_refused(void **state) {
  (void)state;
  copy c = {.ctx = am_test_context(1, NULL), .folder = am_test_folder()};
  char *speaker, *two;
  am_error err = AM_ERROR_INIT;
  make_two_sets(c.ctx, c.folder, &speaker, &two);
  c.path = strdup(am_test_path(c.folder, "copy.h5"));
  static const struct {
    double first[2], known[2];
    const char *words;
  } bad[] = {
      {{0.5, 0.5}, {0.4, 0.6}, "member 2 normalises by speaker, and has the weight 0.5 where the voice is not known"},
      {{1, 0}, {1, 0}, "member 2 has the weight 0"},
      {{1, 0}, {0.4, 0.5}, "its weights sum to 0.9"},
      {{1, 0}, {1.4, -0.4}, "member 1 has the weight 1.4"}};
  const size_t n = 2;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    am_h5 *file = change_two_sets(&c, two);
    am_test_ok(am_h5_write(file, "fusion/weights", AM_H5_F64, 1, &n, bad[i].first, &err), &err);
    am_test_ok(am_h5_write(file, "fusion/known_weights", AM_H5_F64, 1, &n, bad[i].known, &err), &err);
    refused(&c, file, bad[i].words);
  }
  am_h5 *file = change_two_sets(&c, two);
  am_test_ok(am_h5_set_real(file, "fusion", "known_temperature", 1000, &err), &err);
  refused(&c, file, "its temperature is 1000");
  file = change(&c); /* no member of this one normalises by speaker */
  am_test_ok(am_h5_write(file, "fusion/known_weights", AM_H5_F64, 1, &n, (double[]){0.5, 0.5}, &err), &err);
  am_test_ok(am_h5_set_real(file, "fusion", "known_temperature", 1, &err), &err);
  refused(&c, file, "no member normalises by speaker");
  am_test_fails(fuse_sets(c.ctx, am_test_path(c.folder, "new.h5"), speaker, speaker, &first, &second, &err),
                AM_E_FORMAT, &err, "member 1 normalises by speaker");
  am_test_folder_remove(c.folder);
  free(c.folder), free(c.path), free(speaker), free(two);
  am_context_free(c.ctx);
}

/* A member of weight 0 is not kept; what resuming needs is not either. */
static void what_counts_is_kept(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  char *folder = am_test_folder(), *path = strdup(am_test_path(folder, "f.h5"));
  am_h5 *file;
  am_test_ok(fuse(ctx, path, am_test_source(members[0]), am_test_source(members[1]), 0, &err), &err);
  am_checkpoint *c = load(ctx, path);
  assert_int_equal(am_checkpoint_members(c), 1);
  assert_true(am_checkpoint_weight(c, 0) == 1);
  assert_int_equal(c->members[0]->normaliser.kind, AM_NORMALISE_CLIP);
  am_checkpoint_free(c);
  am_test_ok(am_h5_open(ctx, path, AM_H5_READ, &file, &err), &err);
  assert_int_equal(am_h5_find(file, "members/0/weights"), AM_H5_GROUP);
  assert_int_equal(am_h5_find(file, "members/0/training"), AM_H5_NOTHING);
  am_h5_close(file);
  am_test_folder_remove(folder);
  free(folder), free(path);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fused_file_is_the_product_of_its_members),
      cmocka_unit_test(members_hear_their_own_features),
      cmocka_unit_test(a_voice_that_is_known_has_weights_of_its_own),
      cmocka_unit_test(earlier_files_are_read),
      cmocka_unit_test(a_member_without_weight_is_not_asked),
      cmocka_unit_test(damaged_files_are_refused),
      cmocka_unit_test(damaged_second_sets_are_refused),
      cmocka_unit_test(what_counts_is_kept),
  };
  return cmocka_run_group_tests_name("fusion", tests, NULL, NULL);
}
