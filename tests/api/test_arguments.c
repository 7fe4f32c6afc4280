/* SPDX-License-Identifier: MIT */
/* tests/api/test_arguments.c - public calls with arguments that are wrong, by the release build, too: each refuses them with
 * AM_E_USAGE and does nothing; and structs of callers with older and newer headers. */
#include "testing.h"

#include <math.h>

#include "audiomood/audiomood.h"

static const char yaml[] =
    "name: tiny\ndata: {corpus: ravdess, root: nowhere}\n"
    "features: {kind: log_mel, sample_rate: 8000, n_fft: 256, hop: 128, mels: 8}\n"
    "model: {layers: [global_average_pool, dense]}\n";

typedef struct things {
  am_context *ctx;
  am_config *config;
  am_model *model;
} things;

static int make(void **state) {
  things *t = calloc(1, sizeof *t);
  am_error err = AM_ERROR_INIT;
  t->ctx = am_test_context(1, NULL);
  am_test_ok(am_config_from_text(t->ctx, yaml, NULL, NULL, 0, &t->config, &err), &err);
  am_test_ok(am_config_model(t->config, 5, 8, true, 3, &t->model, &err), &err);
  am_model_initialise(t->model, 1);
  *state = t;
  return 0;
}

static int end(void **state) {
  things *t = *state;
  am_model_free(t->model);
  am_config_free(t->config);
  am_context_free(t->ctx);
  free(t);
  return 0;
}

/* The message names what is missing. */
#define REFUSED(call, words) \
  do { \
    am_error why = AM_ERROR_INIT; \
    am_test_fails((call), AM_E_USAGE, &why, words); \
  } while (0)

static void null_is_refused(void **state) {
  const things *t = *state;
  am_config *config;
  am_checkpoint *checkpoint;
  am_model *model;
  am_session *session;
  am_sound sound = AM_SOUND_INIT;
  am_sound_info info = {.size = sizeof info};
  am_run_options options = {.size = sizeof options};
  am_run_result result = {.size = sizeof result};
  char path[64];
  const char *const none[] = {NULL};
  REFUSED(am_context_create(NULL, NULL, &why), "out may not be NULL");
  REFUSED(am_sound_read(NULL, "x", 0, 0, &sound, &why), "ctx may not be NULL");
  REFUSED(am_sound_read(t->ctx, NULL, 0, 0, &sound, &why), "path may not be NULL");
  REFUSED(am_sound_read(t->ctx, "x", 0, 0, NULL, &why), "am_sound may not be NULL");
  REFUSED(am_sound_read(t->ctx, "x", NAN, 0, &sound, &why), "at nan Hz");
  REFUSED(am_sound_decode(t->ctx, NULL, 5, "x", 0, 0, &sound, &why), "data may not be NULL");
  REFUSED(am_sound_inspect(t->ctx, NULL, &info, &why), "path may not be NULL");
  REFUSED(am_sound_inspect(t->ctx, "x", NULL, &why), "am_sound_info may not be NULL");
  REFUSED(am_sound_write(t->ctx, NULL, NULL, 0, 8000, true, &why), "path may not be NULL");
  REFUSED(am_sound_write(t->ctx, "x.wav", NULL, 3, 8000, true, &why), "samples may not be NULL");
  REFUSED(am_sound_resample(t->ctx, NULL, 8000, &why), "am_sound may not be NULL");
  REFUSED(am_sound_trim(t->ctx, NULL, 60, &why), "am_sound may not be NULL");
  REFUSED(am_config_load(t->ctx, NULL, NULL, 0, &config, &why), "may not be NULL");
  REFUSED(am_config_load(t->ctx, "x.yaml", none, 1, &config, &why), "overrides[i] may not be NULL");
  REFUSED(am_config_from_text(NULL, yaml, "x", NULL, 0, &config, &why), "ctx may not be NULL");
  REFUSED(am_config_from_text(t->ctx, yaml, "x", NULL, 0, NULL, &why), "out may not be NULL");
  REFUSED(am_config_model(NULL, 5, 8, true, 3, &model, &why), "config may not be NULL");
  assert_null(model);
  REFUSED(am_checkpoint_load(t->ctx, NULL, &checkpoint, &why), "path may not be NULL");
  REFUSED(am_checkpoint_load(NULL, "x.h5", &checkpoint, &why), "ctx may not be NULL");
  REFUSED(am_checkpoint_load(t->ctx, "x.h5", NULL, &why), "out may not be NULL");
  REFUSED(am_checkpoint_shipped(NULL, &checkpoint, &why), "ctx may not be NULL");
  REFUSED(am_checkpoint_shipped(t->ctx, NULL, &why), "out may not be NULL");
  REFUSED(am_checkpoint_shipped_detector(NULL, &checkpoint, &why), "ctx may not be NULL");
  REFUSED(am_checkpoint_shipped_detector(t->ctx, NULL, &why), "out may not be NULL");
  REFUSED(am_checkpoint_shipped_path(NULL, path, sizeof path, &why), "ctx may not be NULL");
  REFUSED(am_checkpoint_shipped_path(t->ctx, NULL, 9, &why), "path may not be NULL");
  am_profile *profile;
  float samples[10] = {0};
  REFUSED(am_profile_of_model(NULL, &profile, &why), "model may not be NULL");
  assert_null(profile);
  REFUSED(am_profile_of_config(t->config, NULL, &why), "out may not be NULL");
  REFUSED(am_profile_of_config(NULL, &profile, &why), "config may not be NULL");
  REFUSED(am_profile_load(NULL, "x.h5", &profile, &why), "ctx may not be NULL");
  REFUSED(am_profile_load(t->ctx, NULL, &profile, &why), "path may not be NULL");
  REFUSED(am_profile_load(t->ctx, "x.h5", NULL, &why), "out may not be NULL");
  am_error fine = AM_ERROR_INIT;
  am_test_ok(am_profile_of_config(t->config, &profile, &fine), &fine);
  REFUSED(am_profile_add(NULL, samples, 10, &why), "profile may not be NULL");
  REFUSED(am_profile_add(profile, NULL, 10, &why), "samples may not be NULL");
  REFUSED(am_profile_add(profile, samples, 0, &why), "0 samples");
  REFUSED(am_profile_merge(NULL, profile, &why), "into may not be NULL");
  REFUSED(am_profile_merge(profile, NULL, &why), "from may not be NULL");
  REFUSED(am_profile_rename(NULL, "x", &why), "p may not be NULL");
  REFUSED(am_profile_save(NULL, "x.h5", &why), "p may not be NULL");
  REFUSED(am_profile_save(profile, NULL, &why), "path may not be NULL");
  REFUSED(am_checkpoint_enrol(NULL, profile, &why), "c may not be NULL");
  assert_true(am_profile_rate(profile) == 8000 && am_profile_rate(NULL) == 0 && am_profile_seconds(NULL) == 0);
  assert_string_equal(am_profile_name(NULL), "");
  am_profile_free(profile);
  am_profile_free(NULL);
  REFUSED(am_session_create(NULL, 1, false, &session, &why), "model may not be NULL");
  REFUSED(am_session_create(t->model, 1, false, NULL, &why), "out may not be NULL");
  REFUSED(am_session_create(t->model, 0, false, &session, &why), "0 clips");
  REFUSED(am_train_run(NULL, &options, &result, &why), "config may not be NULL");
  REFUSED(am_train_run(t->config, NULL, &result, &why), "am_run_options may not be NULL");
  REFUSED(am_train_run(t->config, &options, NULL, &why), "am_run_result may not be NULL");
  REFUSED(am_train_run(t->config, &options, &result, &why), "am_run_options.out");
}

static void getters_of_nothing_give_nothing(void **state) {
  const things *t = *state;
  size_t count = 7;
  assert_int_equal(am_context_threads(NULL), 0);
  assert_string_equal(am_context_cpu(NULL), "");
  assert_false(am_context_stopping(NULL));
  am_context_stop(NULL);
  am_context_resume(NULL);
  assert_int_equal(am_sound_unheard(NULL, 5, 8000), AM_UNHEARD_TOO_SHORT);
  assert_int_equal(am_model_input(NULL).rank, 0);
  assert_int_equal(am_model_output(NULL).rank, 0);
  assert_null(am_model_weights(NULL, &count));
  assert_int_equal(count, 0);
  assert_null(am_model_weight_info(NULL, 0));
  assert_non_null(am_model_weight_info(t->model, 0));
  assert_null(am_model_weight_info(t->model, am_model_weight_count(t->model)));
  assert_null(am_model_statistic_info(t->model, am_model_statistic_count(t->model)));
  assert_int_equal(am_session_bytes(NULL, 1, false), SIZE_MAX);
  assert_null(am_session_output(NULL));
  assert_null(am_session_gradients(NULL));
  am_session_zero_gradients(NULL);
  assert_int_equal(am_checkpoint_classes(NULL), 0);
  assert_null(am_checkpoint_label(NULL, 0));
  assert_null(am_checkpoint_model(NULL));
  assert_true(isnan(am_metrics_accuracy(NULL)));
  am_model_free(NULL), am_config_free(NULL), am_session_free(NULL), am_checkpoint_free(NULL), am_sound_free(NULL);
  am_run_result_free(NULL), am_context_free(NULL);
}

static void a_session_refuses_what_it_has_no_room_for(void **state) {
  const things *t = *state;
  am_error err = AM_ERROR_INIT;
  am_session *s;
  am_real x[3 * 5 * 8] = {0}, dy[3] = {0};
  am_batch batch = {.size = sizeof batch, .n = 3, .x = x};
  am_test_ok(am_session_create(t->model, 2, false, &s, &err), &err);
  am_test_fails(am_session_forward(s, &batch, false, &err), AM_E_USAGE, &err,
                "a batch of 3 clips in a session for 0 to 2");
  batch.n = -1;
  REFUSED(am_session_forward(s, &batch, false, &why), "a batch of -1 clips");
  batch.n = 2;
  REFUSED(am_session_forward(s, &batch, true, &why), "made for inference");
  REFUSED(am_session_backward(s, dy, &why), "without a forward pass in training");
  REFUSED(am_session_forward(NULL, &batch, false, &why), "s may not be NULL");
  REFUSED(am_session_forward(s, NULL, false, &why), "am_batch may not be NULL");
  batch.x = NULL;
  REFUSED(am_session_forward(s, &batch, false, &why), "x is NULL");
  batch.x = x;
  am_test_ok(am_session_forward(s, &batch, false, NULL), &err);
  am_session_free(s);
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_session_create(t->model, 1, true, &s, &err), &err);
  batch.n = 1;
  REFUSED(am_session_backward(s, dy, &why), "without a forward pass in training");
  am_test_ok(am_session_forward(s, &batch, true, &err), &err);
  REFUSED(am_session_backward(s, NULL, &why), "dlogits may not be NULL");
  am_test_ok(am_session_backward(s, dy, &err), &err);
  REFUSED(am_session_backward(s, dy, &why), "without a forward pass in training");
  am_session_free(s);
}

/* A struct of a caller with other headers: its size is shorter or longer than the one known here. */
typedef struct longer_settings {
  am_settings known;
  int more;
} longer_settings;
typedef struct longer_result {
  am_run_result known;
  char more[16];
} longer_result;

static void structs_of_other_headers(void **state) {
  const things *t = *state;
  am_context *ctx;
  am_error err = AM_ERROR_INIT;
  longer_settings s = {.known = {.size = sizeof s, .threads = 2}};
  am_test_ok(am_context_create(&s.known, &ctx, &err), &err); /* longer, and wants nothing that is not known */
  assert_int_equal(am_context_threads(ctx), 2);
  am_context_free(ctx);
  s.more = 1;
  am_test_fails(am_context_create(&s.known, &ctx, &err), AM_E_USAGE, &err,
                "am_settings: this program sets members that libaudiomood");

  err = (am_error)AM_ERROR_INIT;
  s.known =
      (am_settings){.size = offsetof(am_settings, cpu), .threads = 3, .cpu = "not looked at"}; /* older and shorter */
  am_test_ok(am_context_create(&s.known, &ctx, &err), &err);
  assert_int_equal(am_context_threads(ctx), 3);
  am_context_free(ctx);

  am_sound sound = {.size = offsetof(am_sound, digest), .digest = 0x1234};
  REFUSED(am_sound_read(t->ctx, "/nonexistent", 0, 0, &(am_sound){.size = 3}, &why), "am_sound.size is 3");
  am_test_fails(am_sound_read(t->ctx, "/nonexistent", 0, 0, &sound, &err), AM_E_IO, &err, "nonexistent");
  assert_true(sound.digest == 0x1234); /* beyond what it has */
  assert_int_equal(sound.size, offsetof(am_sound, digest));

  longer_result r = {.known = {.size = sizeof r}};
  memset(r.more, 'x', sizeof r.more);
  am_run_options options = {.size = sizeof options, .dry_run = true};
  err = (am_error)AM_ERROR_INIT;
  assert_int_not_equal(am_train_run(t->config, &options, &r.known, &err), AM_OK); /* there is no corpus */
  assert_int_equal(r.known.size, sizeof r);
  for (size_t i = 0; i < sizeof r.more; i++) assert_int_equal(r.more[i], 0);
  am_run_result shorter = {.size = offsetof(am_run_result, synthetic),
                           .synthetic = true}; /* older: it ended with seconds */
  err = (am_error)AM_ERROR_INIT;
  am_status status = am_train_run(t->config, &options, &shorter, &err);
  assert_int_not_equal(status, AM_OK);
  assert_null(strstr(err.message, "am_run_result"));
  assert_true(shorter.synthetic); /* beyond what it has */
  options.size = 3;
  REFUSED(am_train_run(t->config, &options, &r.known, &why), "am_run_options.size is 3");
  am_run_result none = {0};
  options.size = sizeof options;
  REFUSED(am_train_run(t->config, &options, &none, &why), "am_run_result.size is 0");
}

static void stopping_is_taken_back(void **state) {
  const things *t = *state;
  am_context_stop(t->ctx);
  assert_true(am_context_stopping(t->ctx));
  am_context_resume(t->ctx);
  assert_false(am_context_stopping(t->ctx));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(null_is_refused, make, end),
      cmocka_unit_test_setup_teardown(getters_of_nothing_give_nothing, make, end),
      cmocka_unit_test_setup_teardown(a_session_refuses_what_it_has_no_room_for, make, end),
      cmocka_unit_test_setup_teardown(structs_of_other_headers, make, end),
      cmocka_unit_test_setup_teardown(stopping_is_taken_back, make, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
