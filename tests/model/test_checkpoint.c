/* SPDX-License-Identifier: MIT */
/* tests/model/test_checkpoint.c - the file format: version 1 for ever, and what is refused. */
#include "testing.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "checkpoint_copy.h"

/* libhdf5 itself asks for absurd sizes when a file's own structure is damaged (1.10.8, in H5C_protect and beneath);
 * sanitizers are told to let it, in this program only. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "allocator_may_return_null=1"; }

/* ---- version 1 for ever ---- */

static void reads_version_1(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, "plain");
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c;
  am_test_ok(am_checkpoint_load(ctx, am_test_source(GOLDEN), &c, &err), &err);
  assert_int_equal(c->classes, 3);
  assert_string_equal(c->labels[0], "high");
  assert_string_equal(c->labels[2], "middle");
  assert_string_equal(c->config->name, "made-up");
  assert_string_equal(c->corpus, "manifest");
  assert_string_equal(am_checkpoint_title(c), "made-up"); /* newer than the file */
  assert_string_equal(am_checkpoint_attribution(c), "manifest.csv (licence not known)");
  assert_int_equal(c->input.rank, 3);
  assert_int_equal(c->input.t, 16);
  assert_int_equal(c->input.f, 20);
  assert_true(c->input.variable);
  assert_true(c->resumable);
  assert_true(c->speaker_independent);
  assert_false(c->synthetic);
  assert_int_equal(c->epoch, 1);
  assert_int_equal(c->normaliser.kind, AM_NORMALISE_TRAIN);
  assert_int_equal(am_checkpoint_digest(c->model), 0xfb75ee0cu);

  /* What it says about a tone of 900 Hz, the class "middle". */
  static float tone[4000];
  float p[3];
  static const float wanted[3] = {0.0006110563f, 0.0001068667f, 0.9992821f};
  for (int i = 0; i < 4000; i++) tone[i] = (float)(0.3 * sin(6.283185307179586 * 900 * i / 16000));
  am_test_ok(am_predict_sound(c, tone, 4000, p, &err), &err);
  assert_allclose_f(p, wanted, 3, 1e-4, 1e-5);
  am_checkpoint_free(c);
  am_context_free(ctx);
}

static void resumes_version_1(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c;
  am_optimiser *o;
  am_training_state s;
  am_test_ok(am_checkpoint_load(ctx, am_test_source(GOLDEN), &c, &err), &err);
  am_test_ok(am_optimiser_create(ctx, &c->config->optimiser, c->config->train.ema, c->model, &o, &err), &err);
  am_test_ok(made_up_resume(ctx, am_test_source(GOLDEN), c->model, o, &s, &err), &err);
  assert_int_equal(s.step, 5);
  assert_int_equal(o->step, 5);
  assert_int_equal(s.epoch, 1);
  assert_int_equal(s.position, 1);
  assert_int_equal(s.clips, 5);
  assert_int_equal(s.n_history, 1);
  assert_int_equal(s.history[0].epoch, 1);
  assert_true(s.history[0].learning_rate == 0.02);
  assert_int_equal(s.schedule.best_epoch, 1);
  assert_true(s.schedule.best == s.history[0].validation_loss);
  assert_false(s.finished);
  /* The slots are those of five steps: gradients were seen everywhere. */
  am_array_info dense = *am_model_weight_info(c->model, am_model_weight_count(c->model) - 1);
  for (size_t i = 0; i < dense.count; i++)
    assert_true(o->slots[1][dense.offset + i] > 0 && o->slots[0][dense.offset + i] != 0);
  am_free(ctx, s.history);
  am_optimiser_free(o);
  am_checkpoint_free(c);
  am_context_free(ctx);
}

/* What a later minor version may add is passed over. */
static void passes_over_unknown_fields(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  am_h5 *file = change(&c);
  float one = 1;
  am_test_ok(am_h5_set_text(file, "/", "version", "1.7", &err), &err);
  am_test_ok(am_h5_set_text(file, "/", "mood", "good", &err), &err);
  am_test_ok(am_h5_write(file, "extras/number", AM_H5_F32, 0, NULL, &one, &err), &err);
  am_test_ok(am_h5_set_int(file, "training", "moons", 2, &err), &err);
  am_h5_close(file);
  am_checkpoint *read;
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  am_checkpoint_free(read);
  copy_free(&c);
}

/* ---- refusals ---- */

static void refuses_other_versions_and_files(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  am_h5 *file = change(&c);
  am_test_ok(am_h5_set_text(file, "/", "version", "4.0", &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "a checkpoint of version 4.0; audiomood " AM_VERSION " reads versions 1 to 3");
  file = change(&c);
  am_test_ok(am_h5_set_text(file, "/", "version", "new", &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "its version \"new\" is not of the form 1.0");
  file = change(&c);
  am_test_ok(am_h5_set_text(file, "/", "format", "keras", &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "its format is \"keras\"");
  am_test_ok(am_h5_create_aside(c.ctx, c.path, &file, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  refused(&c, AM_E_FORMAT, "no audiomood checkpoint");
  am_test_file(c.path, "a text", 6);
  refused(&c, AM_E_FORMAT, "copy.h5");
  am_test_file(c.path, "", 0);
  refused(&c, AM_E_FORMAT, "copy.h5");
  unlink(c.path);
  refused(&c, AM_E_IO, "copy.h5");
  copy_free(&c);
}

static void refuses_shapes_that_do_not_fit(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  float numbers[64] = {0};
  size_t dims[] = {3, 3, 1, 5};
  copy c = copy_make();
  am_h5 *file = change(&c);
  am_test_ok(am_h5_write(file, "weights/conv2d_1/kernel", AM_H5_F32, 4, dims, numbers, &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_SHAPE, "array weights/conv2d_1/kernel is (3, 3, 1, 5), the model wants (3, 3, 1, 4)");
  copy_free(&c);

  c = copy_make();
  file = change(&c);
  am_test_ok(am_h5_delete(file, "statistics/batch_norm_1/mean", &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "the array statistics/batch_norm_1/mean is missing");
  copy_free(&c);

  c = copy_make();
  file = change(&c);
  am_test_ok(am_h5_write(file, "weights/dense_2/bias", AM_H5_F32, 1, dims, numbers, &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_SHAPE, "7 arrays in weights, the model wants 6");
  copy_free(&c);

  c = copy_make();
  file = change(&c);
  am_test_ok(am_h5_set_int(file, "input", "bins", -3, &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "attribute bins of input is -3");
  copy_free(&c);
}

/* Every byte of a file may be wrong: it is read as it was, or refused, and nothing is leaked or touched outside. */
/* All that loading and resuming take from a file, as a text (am_free); NULL where one of them refuses it. */
static char *all_of(am_context *ctx, const char *path) {
  am_checkpoint *c = NULL;
  am_optimiser *o = NULL;
  am_training_state s = {0};
  am_buffer text = {0};
  am_error err = AM_ERROR_INIT;
  size_t n;
  am_status status = am_checkpoint_load(ctx, path, &c, &err);
  if (!status) {
    am_test_ok(am_config_text(c->config, &text, &err), &err);
    for (int k = 0; k < c->classes; k++) am_buffer_printf(ctx, &text, "%s ", c->labels[k]);
    const am_normaliser *nz = &c->normaliser;
    am_buffer_printf(ctx, &text, "%s epoch %d resumable %d digest %08x normaliser %d %d %08x\n", c->corpus,
                     (int)c->epoch, c->resumable, am_checkpoint_digest(c->model), (int)nz->kind, nz->f,
                     nz->mean ? am_crc32c(0, nz->mean, (size_t)nz->f * sizeof *nz->mean) : 0);
    for (size_t i = 0; i < c->seen.n; i++) am_buffer_printf(ctx, &text, "knows %s\n", c->seen.at[i]);
    for (size_t i = 0; i < c->before.n; i++) am_buffer_printf(ctx, &text, "before %s\n", c->before.at[i]);
    am_test_ok(am_optimiser_create(ctx, &c->config->optimiser, c->config->train.ema, c->model, &o, &err), &err);
    status = made_up_resume(ctx, path, c->model, o, &s, &err);
  }
  if (!status) {
    (void)am_model_weights(c->model, &n);
    am_buffer_printf(ctx, &text, "step %d at %d history %d %08x slots %08x %08x\n", (int)s.step, (int)s.position,
                     (int)s.n_history, am_crc32c(0, s.history, s.n_history * sizeof *s.history),
                     am_crc32c(0, o->slots[0], n * sizeof **o->slots),
                     am_crc32c(0, o->slots[1], n * sizeof **o->slots));
  }
  am_free(ctx, s.history);
  am_optimiser_free(o);
  am_checkpoint_free(c);
  if (!status) return text.data;
  am_buffer_free(ctx, &text);
  return NULL;
}

/* A damaged file is refused, or nothing that it says is touched. */
static void survives_any_damage(void **state) {
  (void)state;
  if (AM_UNDER_TSAN) { /* docs/reliability.md, what a child cannot see */
    printf("# this sanitizer's allocator ends the program where libhdf5 1.10.8 frees what it never set\n");
    skip();
  }
  copy c = copy_make();
  char *data;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  write_again(&c);
  am_test_ok(am_file_read(c.ctx, c.path, 1 << 20, &data, &bytes, &err), &err);
  char *whole = all_of(c.ctx, c.path);
  assert_non_null(whole);
  for (size_t at = 0; at < bytes; at += 97) {
    char kept = data[at];
    data[at] = (char)(kept ^ 0x41);
    am_test_file(c.path, data, bytes);
    char *said = all_of(c.ctx, c.path);
    if (said && strcmp(said, whole)) {
      size_t same = 0;
      while (said[same] && said[same] == whole[same]) same++;
      fail_msg("byte %zu damaged, and it says \"%.200s\" instead of \"%.200s\"", at, said + same, whole + same);
    }
    am_free(c.ctx, said);
    data[at] = kept;
  }
  am_free(c.ctx, whole);
  for (size_t cut = 0; cut < bytes; cut += 997) {
    am_checkpoint *read = NULL;
    am_test_file(c.path, data, cut);
    assert_true(am_checkpoint_load(c.ctx, c.path, &read, NULL) != AM_OK);
    assert_null(read);
  }
  am_free(c.ctx, data);
  copy_free(&c);
}

/* ---- a disk that is full while HDF5 writes ---- */

static void full_disk_fails_the_save_only(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  am_checkpoint *read;
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  am_dataset d = {.corpus = "corpus"};
  am_split split = {.note = "none"};
  am_save save = {.config = read->config,
                  .model = read->model,
                  .labels = read->labels,
                  .classes = read->classes,
                  .normaliser = &read->normaliser,
                  .dataset = &d,
                  .split = &split};
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  small.rlim_cur = 4096; /* no file may grow beyond: write() gives EFBIG as a full disk gives ENOSPC */
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  am_error failure = AM_ERROR_INIT;
  am_status status = am_checkpoint_save(c.ctx, c.path, NULL, &save, &failure);
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, handler);
  assert_int_equal(status, AM_E_IO);
  assert_true(failure.message[0] != '\0');
  am_test_ok(am_checkpoint_verify(c.ctx, c.path, &err), &err);
  am_names left;
  am_test_ok(am_folder_list(c.ctx, c.folder, &left, &err), &err);
  assert_int_equal(left.n, 1); /* nothing half-written stays */
  am_names_free(c.ctx, &left);

  am_test_ok(am_checkpoint_save(c.ctx, c.path, NULL, &save, &err), &err);
  am_checkpoint *again;
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &again, &err), &err);
  assert_int_equal(am_checkpoint_digest(again->model), am_checkpoint_digest(read->model));
  assert_false(again->resumable);
  am_checkpoint_free(again);
  am_checkpoint_free(read);
  copy_free(&c);
}

/* A config that asks for more weights than the file holds is refused before they are allocated. */
static void a_model_beyond_the_file_is_refused(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  char *text;
  am_h5 *file = change(&c);
  am_test_ok(am_h5_read_text(file, "config", &text, &err), &err);
  char *at = strstr(text, "filters: ");
  assert_non_null(at);
  at += strlen("filters: ");
  size_t digits = strspn(at, "0123456789");
  char *larger = am_format(c.ctx, "%.*s%s%s", (int)(at - text), text, "1000000", at + digits);
  assert_non_null(larger);
  am_test_ok(am_h5_write_text(file, "config", larger, &err), &err);
  am_test_ok(am_h5_commit(file, &err), &err);
  am_free(c.ctx, larger);
  am_free(c.ctx, text);
  refused(&c, AM_E_SHAPE, "the file that should hold them has");
  copy_free(&c);
}

/* ---- what belongs together ---- */

/* One change of the golden file, or two: an attribute (text or number) or an array of float32 of so many elements, all of
 * them `value`; n 0: it is deleted. */
typedef struct edit {
  const char *object, *attribute, *text;
  double value;
  size_t n;
} edit;

static void apply(am_h5 *file, const edit *e) {
  static float numbers[100000];
  static double history[18];
  am_error err = AM_ERROR_INIT;
  const size_t dims[2] = {e->n / 9, 9};
  if (e->attribute && e->text) am_test_ok(am_h5_set_text(file, e->object, e->attribute, e->text, &err), &err);
  else if (e->attribute && e->value == floor(e->value) && fabs(e->value) < 1e15)
    am_test_ok(am_h5_set_int(file, e->object, e->attribute, (int64_t)e->value, &err), &err);
  else if (e->attribute) am_test_ok(am_h5_set_real(file, e->object, e->attribute, e->value, &err), &err);
  else if (!e->n) am_test_ok(am_h5_delete(file, e->object, &err), &err);
  else if (!strcmp(e->object, "training/history")) {
    for (size_t i = 0; i < e->n; i++) history[i] = i % 9 ? 0.5 : e->value + (double)(i / 9);
    am_test_ok(am_h5_write(file, e->object, AM_H5_F64, 2, dims, history, &err), &err);
  } else {
    for (size_t i = 0; i < e->n; i++) numbers[i] = (float)e->value;
    am_test_ok(am_h5_write(file, e->object, AM_H5_F32, 1, &e->n, numbers, &err), &err);
  }
}

static copy edited(const edit edits[3]) {
  copy c = copy_make();
  am_h5 *file = change(&c);
  for (int i = 0; i < 3 && edits[i].object; i++) apply(file, &edits[i]);
  am_h5_close(file);
  return c;
}

static void what_is_used_together_is_held_together(void **state) {
  (void)state;
  static const struct {
    edit edits[3];
    am_status status;
    const char *words;
  } cases[] = {
      /* With more bins than the features have, a prediction would write behind them. */
      {{{"normaliser", "bins", NULL, 2000000000, 0}},
       AM_E_SHAPE,
       "its normaliser has 2000000000 bins, and the features of its "
       "model have 20"},
      {{{"normaliser", "bins", NULL, 100000, 0},
        {"normaliser/mean", NULL, NULL, 5, 100000},
        {"normaliser/inverse", NULL, NULL, 1, 100000}},
       AM_E_SHAPE,
       "its normaliser has 100000 bins"},
      {{{"normaliser", "bins", NULL, 19, 0},
        {"normaliser/mean", NULL, NULL, 5, 19},
        {"normaliser/inverse", NULL, NULL, 1, 19}},
       AM_E_SHAPE,
       "its normaliser has 19 bins"},
      {{{"normaliser/mean", NULL, NULL, 0, 0}}, AM_E_FORMAT, "the array normaliser/mean is missing"},
      {{{"normaliser/inverse", NULL, NULL, 0, 0}}, AM_E_FORMAT, "the array normaliser/inverse is missing"},
      {{{"normaliser/inverse", NULL, NULL, 1, 21}},
       AM_E_SHAPE,
       "normaliser/inverse has 1 dimensions and 21 elements, wanted 1 and 20"},
      {{{"normaliser/mean", NULL, NULL, NAN, 20}}, AM_E_FORMAT, "bin 0 of its normaliser has the mean nan"},
      {{{"normaliser/inverse", NULL, NULL, INFINITY, 20}}, AM_E_FORMAT, "and the factor inf"},
      {{{"normaliser", "kind", "clip", 0, 0}},
       AM_E_FORMAT,
       "its normaliser is of kind clip, and features.normalise of its config is train"},
      {{{"normaliser", "by_all", NULL, 1, 0}},
       AM_E_FORMAT,
       "its normaliser takes all bins together, and features.normalise_by of its "
       "config is bin"},
      /* 2^24 * 268369936 * 4097 is 2^64 and a little. */
      {{{"input", "frames", NULL, 16777216, 0},
        {"input", "bins", NULL, 268369936, 0},
        {"input", "channels", NULL, 4097, 0}},
       AM_E_FORMAT,
       "no model has the input shape (16777216, 268369936, 4097)"},
      {{{"input", "bins", NULL, 65536, 0}, {"input", "channels", NULL, 65536, 0}},
       AM_E_FORMAT,
       "no model has the input shape"},
      {{{"input", "bins", NULL, 10, 0}},
       AM_E_SHAPE,
       "its model hears 10 bins a frame, and its config's features have 20"},
      {{{"input", "frames", NULL, 0, 0}}, AM_E_FORMAT, "no model has the input shape (0, 20, 1)"},
      {{{"input", "rank", NULL, 4, 0}}, AM_E_FORMAT, "no model has the input shape"},
      {{{"weights/conv2d_1/kernel", NULL, NULL, 1, 36}}, AM_E_SHAPE, "array weights/conv2d_1/kernel is (36)"},
      {{{"statistics/batch_norm_1/mean", NULL, NULL, 1, 5}}, AM_E_SHAPE, "array statistics/batch_norm_1/mean is (5)"},
      {{{"weights/dense_1/bias", NULL, NULL, NAN, 3}},
       AM_E_NUMERIC,
       "weights/dense_1/bias: number 1 of 3 is not a number; a model"},
      {{{"statistics/batch_norm_1/variance", NULL, NULL, INFINITY, 4}},
       AM_E_NUMERIC,
       "statistics/batch_norm_1/variance: number 1 "
       "of 4 is infinite"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    copy c = edited(cases[i].edits);
    refused(&c, cases[i].status, cases[i].words);
    copy_free(&c);
  }
}

static void two_classes_of_a_name_are_refused(void **state) {
  (void)state;
  static const char *const twins[] = {"high", "low", "high"};
  static char names[AM_MAX_CLASSES + 1][8];
  static const char *many[AM_MAX_CLASSES + 1];
  am_error err = AM_ERROR_INIT;
  copy c = copy_make();
  am_h5 *file = change(&c);
  am_test_ok(am_h5_set_texts(file, "/", "labels", twins, 3, &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "two of its classes are called \"high\"");
  for (int i = 0; i <= AM_MAX_CLASSES; i++) {
    snprintf(names[i], sizeof names[i], "%d", i);
    many[i] = names[i];
  }
  file = change(&c);
  am_test_ok(am_h5_set_texts(file, "/", "labels", many, AM_MAX_CLASSES + 1, &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "it has 1025 labels, wanted at most 1024");
  copy_free(&c);
}

/* What a run goes on from; such files load for prediction, which needs none of it. */
static void a_state_that_cannot_be_is_refused(void **state) {
  (void)state;
  static const struct {
    edit edits[3];
    const char *words;
  } cases[] = {
      {{{"training/history", NULL, NULL, NAN, 9}}, "row 1 of training/history says epoch nan"},
      {{{"training/history", NULL, NULL, -1, 9}}, "row 1 of training/history says epoch -1"},
      {{{"training/history", NULL, NULL, 1e300, 9}}, "row 1 of training/history says epoch 1e+300"},
      {{{"training/history", NULL, NULL, 2, 9}}, "row 1 of training/history says epoch 2"},
      {{{"training/history", NULL, NULL, 1, 18}}, "9 columns and a row for each of 1 epochs"},
      {{{"training/history", NULL, NULL, 0, 0}}, "9 columns and a row for each of 1 epochs"},
      {{{"training", "best_digest", NULL, 4294967296.0, 0}}, "attribute best_digest of training is 4294967296"},
      {{{"training", "best_epoch", NULL, 2, 0}}, "epoch 2 the best"},
      {{{"training", "plateau_factor", NULL, NAN, 0}}, "a factor of nan"},
      {{{"training", "correct", NULL, 6, 0}}, "6 of 5 clips right"},
      {{{"training", "loss_sum", NULL, NAN, 0}}, "a loss of nan"},
      {{{"training", "run_seconds", NULL, -1.5, 0}}, "cannot be"},
      {{{"training", "position", NULL, 6, 0}}, "6 batches"},
      {{{"training", "position", NULL, 0, 0}}, "0 batches"},
      {{{"training/slots/m/dense_1/bias", NULL, NULL, 1, 4}}, "array training/slots/m/dense_1/bias is (4)"},
      {{{"training/slots/average/dense_1/bias", NULL, NULL, 0, 0}},
       "the array training/slots/average/dense_1/bias is missing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    copy c = edited(cases[i].edits);
    am_error err = AM_ERROR_INIT;
    am_checkpoint *read;
    am_optimiser *o;
    am_training_state s;
    am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
    am_test_ok(am_optimiser_create(c.ctx, &read->config->optimiser, read->config->train.ema, read->model, &o, &err),
               &err);
    am_status status = made_up_resume(c.ctx, c.path, read->model, o, &s, &err);
    assert_true(status == AM_E_FORMAT || status == AM_E_SHAPE);
    if (!strstr(err.message, cases[i].words))
      fail_msg("case %zu: \"%s\" has no \"%s\"", i, err.message, cases[i].words);
    assert_null(s.history);
    am_optimiser_free(o);
    am_checkpoint_free(read);
    copy_free(&c);
  }
}

static void reading_survives_failed_allocations(void **state) {
  (void)state;
  copy made = copy_make();
  write_again(&made);
  for (long n = 1;; n = made_up_next_failure(n)) {
    am_test_memory memory;
    am_context *ctx = am_test_memory_context(&memory, 1);
    am_error err = AM_ERROR_INIT;
    am_checkpoint *c = NULL;
    am_origin origin = {0};
    am_test_memory_arm(&memory, n);
    am_status status = am_checkpoint_load(ctx, made.path, &c, &err);
    if (!status) status = made_up_origin(ctx, made.path, &origin, &err);
    bool fired = am_test_memory_fired(&memory);
    if (fired) assert_int_equal(status, AM_E_NOMEM);
    else am_test_ok(status, &err);
    am_checkpoint_free(c);
    am_origin_free(ctx, &origin);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&memory.alive), 0);
    if (!fired) break;
  }
  copy_free(&made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_version_1),
      cmocka_unit_test(resumes_version_1),
      cmocka_unit_test(passes_over_unknown_fields),
      cmocka_unit_test(refuses_other_versions_and_files),
      cmocka_unit_test(refuses_shapes_that_do_not_fit),
      cmocka_unit_test(survives_any_damage),
      cmocka_unit_test(full_disk_fails_the_save_only),
      cmocka_unit_test(a_model_beyond_the_file_is_refused),
      cmocka_unit_test(what_is_used_together_is_held_together),
      cmocka_unit_test(two_classes_of_a_name_are_refused),
      cmocka_unit_test(a_state_that_cannot_be_is_refused),
      cmocka_unit_test(reading_survives_failed_allocations),
  };
  return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
