/* SPDX-License-Identifier: MIT */
/* tests/train/test_heads.c - what is trained beside the model's own loss (train.auxiliary, train.loss.contrastive), and what a run
 * keeps of it. */
#include "testing.h"

#include "io/h5.h"
#include "run_world.h"
#include "train/heads.h"
#include "train/verify.h"

/* The corpus with a trait that one clip in four lacks: its own take, by the end of the name. */
static world takes_world(int threads) {
  world w = world_make(threads);
  char line[256], *path = strdup(am_test_path(w.corpus, "manifest.csv"));
  am_buffer text = {0};
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  for (int i = 0; fgets(line, sizeof line, file); i++) {
    line[strcspn(line, "\n")] = '\0';
    const char take = *(strstr(line, ".wav") ? strstr(line, ".wav") - 1 : "0");
    am_buffer_printf(w.ctx, &text, "%s,%s\n", line, !i ? "take" : i % 4 == 3 ? "" : (char[]){'t', take, '\0'});
  }
  fclose(file);
  am_test_file(path, text.data, text.used);
  am_buffer_free(w.ctx, &text);
  free(path);
  return w;
}

static const char heads[] = "train.auxiliary={speaker: -0.2, take: 0.3}", contrast[] = "train.loss.contrastive=0.3";

static void resuming_goes_on_with_them(void **state) {
  (void)state;
  world w = takes_world(2);
  train_ok(&w, "whole", with(everything, heads));
  train_ok(&w, "without", everything);
  assert_int_not_equal(digest(&w, "whole", "last.h5"), digest(&w, "without", "last.h5"));
  static const int cuts[] = {1, 5}; /* 4 steps an epoch */
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    char name[32], steps[32];
    am_run_result r = {.size = sizeof r};
    am_error err;
    snprintf(name, sizeof name, "cut%d", cuts[i]);
    snprintf(steps, sizeof steps, "train.max_steps=%d", cuts[i]);
    const overrides with_heads = with(everything, heads);
    am_test_fails(train_with(&w, name, (am_run_options){0}, with(with_heads, steps), &r, &err), AM_E_STOPPED, &err,
                  "--resume");
    am_test_ok(train_with(&w, name, (am_run_options){.resume = true}, with_heads, &r, &err), &err);
    am_run_result_free(&r);
    same_run(&w, "whole", name);
  }
  world_free(&w);
}

/* The last line of the log that holds `words`, to be freed. */
static char *log_line(world *w, const char *run, const char *words) {
  char *text, *found = NULL;
  size_t bytes;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(w->ctx, file_in(w, run, "log.txt"), 1 << 20, &text, &bytes, &err), &err);
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    if (strstr(line, words)) found = strstr(line, words);
  if (!found) fail_msg("%s has no line with \"%s\"", run, words);
  found = strdup(found);
  am_free(w->ctx, text);
  return found;
}

/* Neither do threads matter, nor where an epoch was cut: the sums that the log tells are kept. */
static void threads_and_cuts_do_not_matter(void **state) {
  (void)state;
  world w = takes_world(1), two = w;
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  two.ctx = am_test_context(2, NULL);
  const overrides s = {{heads, contrast, "train.epochs=2"}};
  train_ok(&w, "one", s);
  train_ok(&two, "two", s);
  same_run(&w, "one", "two");
  am_test_fails(train_with(&w, "cut", (am_run_options){0}, with(s, "train.max_steps=6"), &r, &err), AM_E_STOPPED, &err,
                "after step 6");
  am_test_ok(train_with(&w, "cut", (am_run_options){.resume = true}, s, &r, &err), &err);
  am_run_result_free(&r);
  char *one = log_line(&w, "one", "heads: "), *cut = log_line(&w, "cut", "heads: ");
  assert_non_null(strstr(one, "speaker (reversed) loss "));
  assert_string_equal(one, cut);
  free(one);
  free(cut);
  one = log_line(&w, "one", "contrastive: loss ");
  cut = log_line(&w, "cut", "contrastive: loss ");
  assert_string_equal(one, cut);
  free(one);
  free(cut);
  am_context_free(two.ctx);
  world_free(&w);
}

static void runs_with_them_verify(void **state) {
  (void)state;
  world w = takes_world(2);
  am_error err = AM_ERROR_INIT;
  am_verify_report report;
  train_ok(&w, "run", (overrides){{heads, contrast, "train.ema=0.9"}});
  am_test_ok(am_run_verify(w.ctx, w.run, NULL, 0, 3, &report, &err), &err);
  assert_int_equal(report.n, 5); /* step 0, the ends of three epochs, step 10 */
  assert_int_equal(report.n_equal, 5);
  am_verify_report_free(w.ctx, &report);
  world_free(&w);
}

/* A weight of 0 is a look at what the model knows: it trains to the bits that it has without. */
static void looking_changes_nothing(void **state) {
  (void)state;
  world w = takes_world(2);
  train_ok(&w, "without", everything);
  train_ok(&w, "looking", with(everything, "train.auxiliary={speaker: 0, take: 0}"));
  same_run(&w, "without", "looking");
  free(log_line(&w, "looking", "heads: speaker loss "));
  world_free(&w);
}

/* What the log says of a loss in the last epoch of a run with such a weight. */
static double last_loss(world *w, const char *name, const char *weight, const char *what) {
  train_ok(w, name, (overrides){{"train.epochs=25", "model.layers.3.dropout.rate=0", weight}});
  char *line = log_line(w, name, what);
  const double loss = strtod(strstr(line, "loss ") + 5, NULL);
  free(line);
  return loss;
}

static void a_reversed_gradient_makes_it_forget(void **state) {
  (void)state;
  world w = takes_world(2);
  const double learns = last_loss(&w, "learns", "train.auxiliary.speaker=1", "speaker ");
  const double looks = last_loss(&w, "looks", "train.auxiliary.speaker=0", "speaker ");
  const double forgets = last_loss(&w, "forgets", "train.auxiliary.speaker=-1", "speaker ");
  assert_true(learns < looks && looks < forgets);
  world_free(&w);
}

/* What the net has after so many steps. */
static uint32_t after(world *w, const char *name, const char *steps, const char *auxiliary, const char *ramp) {
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_test_fails(
      train_with(w, name, (am_run_options){0}, (overrides){{"train.epochs=2", steps, auxiliary, ramp}}, &r, &err),
      AM_E_STOPPED, &err, "--resume");
  return digest(w, name, "last.h5");
}

/* A ramp begins at 0: the first step is that of a head that only looks, later ones are not.  Other heads have none. */
static void a_ramp_begins_at_nothing(void **state) {
  (void)state;
  static const char looks[] = "train.auxiliary={speaker: 0, take: 0.3}", one[] = "train.max_steps=1",
                    two[] = "train.max_steps=2", ramp[] = "train.auxiliary_ramp=reversed";
  assert_true(am_heads_ramp(0) == 0 && fabs(am_heads_ramp(0.5) - 0.98661429815143029) < 1e-15);
  assert_true(fabs(am_heads_ramp(1) - 0.99990920426259511) < 1e-15);
  world w = takes_world(2);
  assert_int_equal(after(&w, "ramped", one, heads, ramp), after(&w, "looks", one, looks, NULL));
  assert_int_not_equal(after(&w, "whole", one, heads, NULL), digest(&w, "looks", "last.h5"));
  assert_int_not_equal(after(&w, "ramped2", two, heads, ramp), after(&w, "looks2", two, looks, NULL));
  assert_int_not_equal(after(&w, "whole2", two, heads, NULL), digest(&w, "ramped2", "last.h5"));
  assert_int_equal(after(&w, "forwards", two, "train.auxiliary={speaker: 0.2}", ramp),
                   after(&w, "forwards2", two, "train.auxiliary={speaker: 0.2}", NULL));
  world_free(&w);
}

static void clips_of_a_class_come_together(void **state) {
  (void)state;
  world w = takes_world(2);
  const double hardly = last_loss(&w, "hardly", "train.loss.contrastive=0.000001", "contrastive: ");
  const double well = last_loss(&w, "well", "train.loss.contrastive=1", "contrastive: ");
  assert_true(well < 0.9 * hardly);
  world_free(&w);
}

/* last.h5 of a run that is not finished has them, what users get has not. */
static bool has_heads(world *w, const char *run, const char *name) {
  am_h5 *file;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_open(w->ctx, file_in(w, run, name), AM_H5_READ, &file, &err), &err);
  const bool has = am_h5_find(file, "training/heads/1/slots/v/dense_1") == AM_H5_GROUP;
  am_h5_close(file);
  return has;
}

/* What is not as it was written is refused; `text` is the file as it was. */
static void damage(world *w, const char *text, size_t bytes, const char *what, am_status wanted, const char *why) {
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  am_h5 *file;
  am_test_ok(am_file_write(w->ctx, file_in(w, "run", "last.h5"), text, bytes, &err), &err);
  am_test_ok(am_h5_open(w->ctx, file_in(w, "run", "last.h5"), AM_H5_UPDATE, &file, &err), &err);
  if (!strcmp(what, "contrastive_sum")) am_test_ok(am_h5_set_real(file, "training", what, -1, &err), &err);
  else if (!strcmp(what, "trait")) am_test_ok(am_h5_set_text(file, "training/heads/1", what, "gender", &err), &err);
  else if (!strcmp(what, "loss_sum")) am_test_ok(am_h5_set_real(file, "training/heads/1", what, NAN, &err), &err);
  else am_test_ok(am_h5_set_int(file, "training/heads/1", what, 12345, &err), &err);
  am_h5_close(file);
  am_test_fails(
      train_with(w, "run", (am_run_options){.resume = true}, (overrides){{heads, "train.epochs=2"}}, &r, &err), wanted,
      &err, why);
}

static void they_are_kept_while_a_run_goes_on(void **state) {
  (void)state;
  world w = takes_world(2);
  am_run_result r = {.size = sizeof r};
  am_error err = AM_ERROR_INIT;
  const overrides s = {{heads, "train.epochs=2"}};
  am_test_fails(train_with(&w, "run", (am_run_options){0}, with(s, "train.max_steps=6"), &r, &err), AM_E_STOPPED, &err,
                "after step 6");
  assert_true(has_heads(&w, "run", "last.h5"));
  assert_false(has_heads(&w, "run", "best.h5"));
  am_checkpoint_free(load(&w, "run", "last.h5")); /* predicts as any other */
  char *text;
  size_t bytes;
  am_test_ok(am_file_read(w.ctx, file_in(&w, "run", "last.h5"), 1 << 24, &text, &bytes, &err), &err);
  damage(&w, text, bytes, "trait", AM_E_FORMAT, "training/heads/1 is the head of \"gender\", wanted \"take\"");
  damage(&w, text, bytes, "digest", AM_E_DATA,
         "the values of take in the training part are not those that this run began with");
  damage(&w, text, bytes, "correct", AM_E_FORMAT, "of the head take in the epoch that had begun (12345 of ");
  damage(&w, text, bytes, "contrastive_sum", AM_E_FORMAT, "what it says of the epoch that had begun");
  damage(&w, text, bytes, "loss_sum", AM_E_FORMAT, "a loss of nan) cannot be");
  am_test_ok(am_file_write(w.ctx, file_in(&w, "run", "last.h5"), text, bytes, &err), &err);
  am_free(w.ctx, text);
  am_test_ok(train_with(&w, "run", (am_run_options){.resume = true}, s, &r, &err), &err);
  am_run_result_free(&r);
  assert_false(has_heads(&w, "run", "last.h5"));
  world_free(&w);
}

static void what_cannot_be_is_said(void **state) {
  (void)state;
  world w = takes_world(2);
  static const struct {
    const char *more[2], *why;
  } all[] = {{{"train.auxiliary.tak=1"},
              "train.auxiliary.tak: the corpus does not say this of its clips; it has speaker, take"},
             {{"train.auxiliary.speaker=1", "split={kind: fixed, test_speakers: [speaker1, speaker2, speaker3]}"},
              "train.auxiliary.speaker: the clips of the training part have all the same; wanted two or more values"},
             {{"train.auxiliary.speaker=1", "model.layers=[global_average_pool, dense: {}]"},
              "train.auxiliary: no layer before the last one, dense_1, has weights"}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    am_run_result r = {.size = sizeof r};
    am_error err = AM_ERROR_INIT;
    am_test_fails(train_with(&w, "run", (am_run_options){.dry_run = true},
                             (overrides){{all[i].more[0], all[i].more[1]}}, &r, &err),
                  AM_E_CONFIG, &err, all[i].why);
  }
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(resuming_goes_on_with_them),
      cmocka_unit_test(threads_and_cuts_do_not_matter),
      cmocka_unit_test(runs_with_them_verify),
      cmocka_unit_test(looking_changes_nothing),
      cmocka_unit_test(a_reversed_gradient_makes_it_forget),
      cmocka_unit_test(a_ramp_begins_at_nothing),
      cmocka_unit_test(clips_of_a_class_come_together),
      cmocka_unit_test(they_are_kept_while_a_run_goes_on),
      cmocka_unit_test(what_cannot_be_is_said),
  };
  return cmocka_run_group_tests_name("heads", tests, NULL, NULL);
}
