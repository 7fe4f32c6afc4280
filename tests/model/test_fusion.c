/* tests/model/test_fusion.c - several models in one checkpoint: the weights that suit clips best, the product by hand, the file. */
#include "testing.h"

#include <math.h>

#include "audio/resample.h"
#include "audiomood/profile.h"
#include "base/rng.h"
#include "io/h5.h"
#include "made_up.h"
#include "model/calibration.h"
#include "model/ensemble.h"
#include "model/fusion.h"
#include "model/origin.h"
#include "model/predict.h"

/* Of checkpoint-1.0.h5 and lstm-clip.h5, 0.6 and 0.4 at 1.25 (audiomood fuse --weights). */
static const char GOLDEN[] = "tests/model/golden/fused-1.4.h5";
static const char *const members[] = {"tests/model/golden/checkpoint-1.0.h5", "tests/model/golden/lstm-clip.h5"};

/* ---- weights ---- */

enum { CLIPS = 3000, K = 4, MOST = 3 };
static double logs[MOST * CLIPS * K];
static int truth[CLIPS];

/* Log-probabilities that have nothing to do with each other, and labels drawn by their weighted sum. */
static void make_up(size_t n_members, const double *b, uint64_t seed) {
  am_rng rng = am_rng_stream(seed, AM_FOR_BOOTSTRAP, 0, 0, 0);
  for (size_t i = 0; i < n_members * CLIPS; i++) {
    double all = 0;
    for (int k = 0; k < K; k++) all += exp(logs[i * K + (size_t)k] = 2 * am_rng_normal(&rng));
    for (int k = 0; k < K; k++) logs[i * K + (size_t)k] -= log(all);
  }
  for (size_t i = 0; i < CLIPS; i++) {
    double p[K], all = 0, draw = am_rng_uniform(&rng);
    for (size_t k = 0; k < K; k++) {
      double z = 0;
      for (size_t m = 0; m < n_members; m++) z += b[m] * logs[(m * CLIPS + i) * K + k];
      all += p[k] = exp(z);
    }
    truth[i] = K - 1;
    for (int k = K - 1; k >= 0; k--)
      if ((draw -= p[k] / all) < 0) truth[i] = k, k = -1;
  }
}

static void weights_are_found_again(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b[3] = {0.75, 0.45, 0};
  double w[3], temperature;
  make_up(3, b, 5);
  assert_true(am_fusion_fit(ctx, logs, truth, 3, CLIPS, K, w, &temperature));
  assert_true(fabs(w[0] + w[1] + w[2] - 1) < 1e-12);
  assert_true(fabs(w[0] - 0.625) < 0.03 && fabs(w[1] - 0.375) < 0.03 && w[2] < 0.03);
  assert_true(fabs(temperature - 1 / 1.2) < 0.05);
  /* Nothing near is better, whatever is changed. */
  const double best = am_fusion_loss(logs, truth, 3, CLIPS, K, w, temperature);
  for (int m = 0; m < 4; m++)
    for (int sign = -1; sign < 2; sign += 2) {
      double near[3] = {w[0], w[1], w[2]}, t = temperature;
      if (m < 3) near[m] = fmax(0, near[m] + 0.01 * sign);
      else t *= 1 + 0.01 * sign;
      if (m < 3 && near[m] == w[m]) continue;
      assert_true(am_fusion_loss(logs, truth, 3, CLIPS, K, near, t) > best);
    }
  am_context_free(ctx);
}

static void a_member_that_misleads_has_no_weight(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b[2] = {1, -0.5};
  double w[2], temperature;
  make_up(2, b, 6);
  assert_true(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  assert_true(w[0] == 1 && w[1] == 0);
  am_context_free(ctx);
}

/* One member alone is temperature scaling. */
static void one_member_is_calibrated(void **state) {
  (void)state;
  static float z[CLIPS * K];
  am_context *ctx = am_test_context(1, NULL);
  const double b = 0.4;
  double w, temperature, other;
  make_up(1, &b, 7);
  for (size_t i = 0; i < CLIPS * K; i++) z[i] = (float)logs[i];
  assert_true(am_fusion_fit(ctx, logs, truth, 1, CLIPS, K, &w, &temperature));
  assert_true(am_calibration_fit(z, truth, CLIPS, K, &other));
  assert_true(w == 1);
  assert_true(fabs(temperature - other) < 1e-4 * other);
  am_context_free(ctx);
}

static void members_that_say_the_same_share(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b = 1;
  double w[2], temperature;
  make_up(1, &b, 8);
  memcpy(logs + CLIPS * K, logs, CLIPS * K * sizeof *logs);
  assert_true(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  assert_true(fabs(w[0] - 0.5) < 1e-6);
  am_context_free(ctx);
}

/* All right, at whatever temperature: the lowest.  Worse than guessing, or no numbers: nothing. */
static void ends_of_the_scale(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const double b[2] = {1, 1};
  double w[2], temperature;
  make_up(2, b, 9);
  for (size_t i = 0; i < CLIPS; i++)
    for (int k = 0; k < K; k++) logs[i * K + (size_t)k] = log(k == truth[i] ? 0.97 : 0.01);
  assert_true(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  assert_true(temperature >= AM_LOWEST_TEMPERATURE && temperature < 0.5 && w[0] > 0.9);
  for (size_t i = 0; i < CLIPS * K; i++) logs[i] = -logs[i];
  for (size_t i = 0; i < CLIPS * K; i++) logs[CLIPS * K + i] = -logs[CLIPS * K + i];
  assert_false(am_fusion_fit(ctx, logs, truth, 2, CLIPS, K, w, &temperature));
  logs[7] = NAN;
  assert_false(am_fusion_fit(ctx, logs, truth, 1, CLIPS, K, w, &temperature));
  assert_false(am_fusion_fit(ctx, logs, truth, 1, 0, K, w, &temperature));
  am_context_free(ctx);
}

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

static am_status fuse(am_context *ctx, const char *path, const char *a, const char *b, double w, am_error *err) {
  const char *files[] = {a, b};
  double weights[] = {w, 1 - w};
  am_names speakers = {(char *[]){"manifest\tann"}, 1};
  am_fusion f = {.files = files,
                 .weights = weights,
                 .n = 2,
                 .temperature = 0.8,
                 .labels = (char *[]){"high", "low", "middle"},
                 .classes = 3,
                 .title = "two tones",
                 .by = "validation",
                 .speakers = &speakers};
  return am_fusion_save(ctx, path, &f, err);
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
  am_test_ok(am_h5_set_text(file, "members/0", "version", "2.0", &err), &err);
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
      cmocka_unit_test(weights_are_found_again),
      cmocka_unit_test(a_member_that_misleads_has_no_weight),
      cmocka_unit_test(one_member_is_calibrated),
      cmocka_unit_test(members_that_say_the_same_share),
      cmocka_unit_test(ends_of_the_scale),
      cmocka_unit_test(a_fused_file_is_the_product_of_its_members),
      cmocka_unit_test(members_hear_their_own_features),
      cmocka_unit_test(damaged_files_are_refused),
      cmocka_unit_test(what_counts_is_kept),
  };
  return cmocka_run_group_tests_name("fusion", tests, NULL, NULL);
}
