/* SPDX-License-Identifier: MIT */
/* tests/model/test_origin.c - whom the weights of a checkpoint know, and whom they owe. */
#include "testing.h"

#include "checkpoint_copy.h"

static void assert_names(const am_names *names, const char *expected) {
  char text[1024] = "";
  for (size_t i = 0; i < names->n; i++) {
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", names->at[i]);
  }
  assert_string_equal(text, expected);
}

static void assert_before(am_context *ctx, const am_origin *from, uint64_t digest, const char *expected) {
  am_error err = AM_ERROR_INIT;
  am_names before = {0};
  am_test_ok(am_origin_before(ctx, from, digest, &before, &err), &err);
  assert_names(&before, expected);
  am_names_free(ctx, &before);
}

static void add_speakers(am_context *ctx, am_names *names, const uint32_t *at, size_t n) {
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_speakers_add(ctx, names, &people, at, n, &err), &err);
}

static void a_file_names_whom_it_owes(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  am_checkpoint *old, *m;
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &old, &err), &err);
  const am_dataset d = {
      .corpus = "two", .licences = "CC0 1.0; CC BY 4.0", .attribution = "One (CC0 1.0)\nTwo (CC BY 4.0): B (2026)"};
  const am_split split = {.note = "none"};
  am_credit before = {0};
  am_test_ok(
      am_credit_join(c.ctx, &before, "CC BY-NC-SA 4.0; CC BY 4.0", "Three (CC BY-NC-SA 4.0)\nOne (CC0 1.0)", &err),
      &err);
  const am_save save = {.config = old->config,
                        .model = old->model,
                        .labels = old->labels,
                        .classes = old->classes,
                        .normaliser = &old->normaliser,
                        .dataset = &d,
                        .split = &split,
                        .credit_before = &before};
  am_test_ok(am_checkpoint_save(c.ctx, c.path, NULL, &save, &err), &err);
  am_credit_free(c.ctx, &before);
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &m, &err), &err);
  assert_string_equal(am_checkpoint_licence(m), "CC0 1.0; CC BY 4.0; CC BY-NC-SA 4.0");
  assert_string_equal(am_checkpoint_attribution(m),
                      "One (CC0 1.0)\nTwo (CC BY 4.0): B (2026)\nThree (CC BY-NC-SA 4.0)");
  assert_true(am_checkpoint_noncommercial(m));
  assert_false(am_checkpoint_noncommercial(old));
  assert_true(!am_checkpoint_title(NULL) && !am_checkpoint_licence(NULL) && !am_checkpoint_attribution(NULL));
  assert_false(am_checkpoint_noncommercial(NULL));
  am_checkpoint_free(m);
  am_checkpoint_free(old);
  copy_free(&c);
}

static void a_file_names_the_speakers_it_knows(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  am_origin o;
  am_test_ok(made_up_origin(c.ctx, c.path, &o, &err), &err); /* version 1.0 names nobody */
  assert_names(&o.seen, AM_PERSON_UNKNOWN);
  assert_names(&o.before, "");
  o.digest = 7;
  assert_before(c.ctx, &o, 7, ""); /* the same clips in the same parts */
  assert_before(c.ctx, &o, 8, AM_PERSON_UNKNOWN);
  o.digest = 0;
  assert_before(c.ctx, &o, 0, AM_PERSON_UNKNOWN);
  am_origin_free(c.ctx, &o);
  am_h5 *file = change(&c); /* 1.1 named the corpora of before */
  am_test_ok(am_h5_set_texts(file, "data", "before", (const char *const[]){"second.yaml", "first"}, 2, &err), &err);
  am_h5_close(file);
  am_test_ok(made_up_origin(c.ctx, c.path, &o, &err), &err);
  assert_names(&o.seen, AM_PERSON_UNKNOWN);
  assert_names(&o.before, "first, second.yaml");
  am_origin_free(c.ctx, &o);

  write_again(&c);
  am_test_ok(made_up_origin(c.ctx, c.path, &o, &err), &err);
  assert_names(&o.seen, "a\t2, a\tann, a\tcy"); /* cy chose the epoch */
  assert_names(&o.before, "x\tone, x\ttwo");
  o.speaker_independent = true;
  assert_before(c.ctx, &o, o.digest, "x\tone, x\ttwo");
  assert_before(c.ctx, &o, 8, "a\t2, a\tann, a\tcy, x\tone, x\ttwo");
  o.speaker_independent = false;
  assert_before(c.ctx, &o, o.digest, "a\t2, a\tann, a\tcy, x\tone, x\ttwo");
  am_origin_free(c.ctx, &o);
  copy_free(&c);
}

static void only_what_chose_the_epoch_counts_of_the_validation_part(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  am_checkpoint *read;
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  read->config->train.monitor = AM_MONITOR_TRAIN_LOSS;
  save_with_speakers(&c, read, NULL, NULL);
  am_checkpoint_free(read);
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  assert_names(&read->seen, "a\t2, a\tann");
  read->config->train.monitor = AM_MONITOR_TRAIN_LOSS;
  read->config->train.calibrate = AM_CALIBRATE_TEMPERATURE; /* which the validation part is for */
  save_with_speakers(&c, read, NULL, NULL);
  am_checkpoint_free(read);
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  assert_names(&read->seen, "a\t2, a\tann, a\tcy");
  read->config->train.calibrate = AM_CALIBRATE_NONE;
  read->config->train.wanted_precision = 0.8; /* and so are thresholds */
  save_with_speakers(&c, read, NULL, NULL);
  am_checkpoint_free(read);
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  assert_names(&read->seen, "a\t2, a\tann, a\tcy");
  am_checkpoint_free(read);
  copy_free(&c);
}

/* What is there and names nobody does not say that nobody is known; what is no list of names is refused. */
static void damaged_lists_of_speakers(void **state) {
  (void)state;
  copy c = copy_make();
  am_error err = AM_ERROR_INIT;
  am_checkpoint *read;
  write_again(&c);
  am_h5 *file = change(&c);
  am_test_ok(am_h5_delete(file, "data/speakers", &err), &err);
  am_test_ok(am_h5_write_text(file, "data/speakers", "\n\n", &err), &err);
  am_h5_close(file);
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  assert_names(&read->seen, AM_PERSON_UNKNOWN);
  am_checkpoint_free(read);
  file = change(&c);
  am_test_ok(am_h5_delete(file, "data/speakers", &err), &err);
  am_test_ok(am_h5_write_text(file, "data/speakers", "b\t1\n\na\t1\nb\t1\n", &err), &err); /* any order, twice */
  am_h5_close(file);
  am_test_ok(am_checkpoint_load(c.ctx, c.path, &read, &err), &err);
  assert_names(&read->seen, "a\t1, b\t1");
  am_checkpoint_free(read);
  file = change(&c);
  float one = 1;
  am_test_ok(am_h5_delete(file, "data/speakers", &err), &err);
  am_test_ok(am_h5_write(file, "data/speakers", AM_H5_F32, 0, NULL, &one, &err), &err);
  am_h5_close(file);
  refused(&c, AM_E_FORMAT, "data/speakers is an array, wanted one text");
  copy_free(&c);
}

/* Compared pair by pair these would take minutes. */
static void many_speakers_are_looked_up(void **state) {
  (void)state;
  enum { MANY = 200000 };
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_buffer text = {0};
  for (int i = 0; i < MANY; i++) am_buffer_printf(ctx, &text, "corpus %d\t%s\n", MANY - i, i % 2 ? "ann" : "");
  am_origin from = {.digest = 1};
  am_names other = {0};
  am_test_ok(am_speakers_read(ctx, &from.before, text.data, &err), &err);
  am_test_ok(am_speakers_read(ctx, &from.seen, text.data, &err), &err);
  am_test_ok(am_origin_before(ctx, &from, 2, &other, &err), &err);
  assert_int_equal(other.n, MANY); /* each once */
  am_shared shared = am_speakers_shared(&other, &from.seen);
  assert_int_equal(shared.n, MANY / 2);
  assert_int_equal(shared.of, MANY / 2);
  for (size_t i = 0; i < other.n; i++) other.at[i][0] = 'C'; /* another corpus each */
  shared = am_speakers_shared(&other, &from.seen);
  assert_int_equal(shared.n, 0);
  assert_false(shared.unknown);
  am_names_free(ctx, &other);
  am_origin_free(ctx, &from);
  am_buffer_free(ctx, &text);
  am_context_free(ctx);
}

static void speakers_of_two_lists(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  static const struct {
    const char *a, *b;
    size_t n, of;
    bool unknown;
    const char *first;
  } cases[] = {{"a\t1\na\t2\na\t3", "a\t2\na\t3\nb\t1", 2, 3, false, "a/2"},
               {"a\t1", "b\t1", 0, 1, false, ""}, /* of that name, elsewhere */
               {"ravdess\t1", "ravdess_speech\t1", 0, 1, false, ""},
               {"a\t1", "a\t", 0, 1, true, ""}, /* somebody of that corpus */
               {"a\t", "a\t1", 0, 0, true, ""},
               {"a\t", "a\t", 0, 0, true, ""},
               {"a\t", "b\t\nab\t1", 0, 0, false, ""},
               {"a\t1", AM_PERSON_UNKNOWN, 0, 1, true, ""},
               {AM_PERSON_UNKNOWN, "a\t1", 0, 0, true, ""},
               {AM_PERSON_UNKNOWN, AM_PERSON_UNKNOWN, 0, 0, true, ""},
               {AM_PERSON_UNKNOWN "\na\t1", "a\t1", 1, 1, true, "a/1"},
               {"emodb\t1", "emodb", 0, 1, true, ""}, /* the corpus of an early file */
               {"a\t1", "", 0, 1, false, ""},
               {"", AM_PERSON_UNKNOWN, 0, 0, false, ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_error err = AM_ERROR_INIT;
    am_names a = {0}, b = {0};
    am_test_ok(am_speakers_read(ctx, &a, cases[i].a, &err), &err);
    am_test_ok(am_speakers_read(ctx, &b, cases[i].b, &err), &err);
    const am_shared s = am_speakers_shared(&a, &b);
    if (s.n != cases[i].n || s.of != cases[i].of || s.unknown != cases[i].unknown || strcmp(s.first, cases[i].first))
      fail_msg("case %zu: %zu of %zu, %s, unknown %d", i, s.n, s.of, s.first, s.unknown);
    am_names_free(ctx, &a);
    am_names_free(ctx, &b);
  }
  am_names names = {0};
  add_speakers(ctx, &names, (const uint32_t[]){B_SOME, A_CY, A_BOB, A_CY, NO_CORPUS}, 5);
  add_speakers(ctx, &names, (const uint32_t[]){A_ANN, A_CY}, 2);
  assert_names(&names, "a\t2, a\tann, a\tcy, b\t, " AM_PERSON_UNKNOWN);
  am_names_free(ctx, &names);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_names_whom_it_owes),
      cmocka_unit_test(a_file_names_the_speakers_it_knows),
      cmocka_unit_test(only_what_chose_the_epoch_counts_of_the_validation_part),
      cmocka_unit_test(damaged_lists_of_speakers),
      cmocka_unit_test(many_speakers_are_looked_up),
      cmocka_unit_test(speakers_of_two_lists),
  };
  return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
