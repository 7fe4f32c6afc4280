/* SPDX-License-Identifier: MIT */
/* tests/optim/test_optimiser.c - optimisers and schedules against PyTorch and Keras's formulas. */
#include "testing.h"

#include "golden_optimiser.h"
#include "io/yaml.h"
#include "optim/registry.h"
#include "optim/schedule.h"

enum { STEPS = 10, KERNEL = 8, ALL = 10 };

typedef struct bench {
  am_context *ctx;
  am_tree *tree;
  am_model *model;
  am_optimiser_options options;
} bench;

/* A dense layer (4, 2): 8 weights with decay and 2 without, as in the script. */
static bench bench_make(const char *cpu, const char *optimiser) {
  bench b = {.ctx = am_test_context(1, cpu)};
  am_error err = AM_ERROR_INIT;
  am_value *layers, *section;
  am_shape input = {.rank = 1, .t = 1, .f = 1, .c = 4};
  const char *text = "[{dense: {units: 2, name: out}}]";
  am_test_ok(am_tree_create(b.ctx, &b.tree, &err), &err);
  am_test_ok(am_yaml_read_text(b.tree, text, strlen(text), "layers", &layers, &err), &err);
  am_test_ok(am_model_create(b.ctx, layers, input, 2, &b.model, &err), &err);
  am_test_ok(am_yaml_read_text(b.tree, optimiser, strlen(optimiser), "optimiser", &section, &err), &err);
  am_test_ok(am_options_read(b.tree, am_optimiser_table, section, "train.optimiser", &b.options, &err), &err);
  return b;
}

static void bench_free(bench *b) {
  am_model_free(b->model);
  am_tree_free(b->tree);
  am_context_free(b->ctx);
}

/* From the ten numbers of the script to the padded flat buffer, and back. */
static void scatter(am_model *model, const double *from, am_real *flat) {
  am_array_info kernel = *am_model_weight_info(model, 0), bias = *am_model_weight_info(model, 1);
  for (int i = 0; i < ALL; i++) {
    size_t at = i < KERNEL ? kernel.offset + (size_t)i : bias.offset + (size_t)(i - KERNEL);
    flat[at] = (am_real)from[i];
  }
}

static void gather(am_model *model, const am_real *flat, double *to) {
  am_array_info kernel = *am_model_weight_info(model, 0), bias = *am_model_weight_info(model, 1);
  for (int i = 0; i < ALL; i++)
    to[i] = flat[i < KERNEL ? kernel.offset + (size_t)i : bias.offset + (size_t)(i - KERNEL)];
}

/* Ten steps with gradients given `divisor` times too large; the weights, or their average, go to `out`. */
static void run(bench *b, double ema, double divisor, double *out) {
  am_error err = AM_ERROR_INIT;
  am_optimiser *o;
  size_t n;
  am_test_ok(am_optimiser_create(b->ctx, &b->options, ema, b->model, &o, &err), &err);
  am_real *w = am_model_weights(b->model, &n), *g = am_alloc_aligned(b->ctx, n * sizeof *g);
  scatter(b->model, golden_start, w);
  for (int t = 0; t < STEPS; t++) {
    double scaled[ALL];
    for (int i = 0; i < ALL; i++) scaled[i] = golden_gradients[t * ALL + i] * divisor;
    scatter(b->model, scaled, g);
    am_optimiser_step(o, w, g, divisor, b->options.learning_rate);
    assert_int_equal(o->bad_array, -1);
    for (size_t i = 0; i < n; i++) assert_true(g[i] == 0);
  }
  if (ema > 0) am_test_ok(am_optimiser_swap_average(o, w, &err), &err);
  gather(b->model, w, out);
  am_free_aligned(b->ctx, g);
  am_optimiser_free(o);
}

static void check(const char *optimiser, double ema, double divisor, const double *wanted) {
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  for (size_t i = 0; i < n; i++) {
    bench b = bench_make(cpus[i], optimiser);
    double got[ALL];
    run(&b, ema, divisor, got);
    assert_allclose_d(got, wanted, ALL, 2e-6, 2e-6);
    bench_free(&b);
  }
}

/* Checkpoints keep slots by their names, beside `average`. */
static void the_registry_is_whole(void **state) {
  (void)state;
  for (int k = 0; am_optimisers[k]; k++) {
    am_optimiser_options o = {.kind = k};
    const am_optimiser_class *cls = am_optimiser_class_of(&o);
    assert_ptr_equal(&cls->is, am_optimisers[k]);
    assert_non_null(cls->is.help);
    assert_non_null(cls->step);
    int n = 0;
    for (; cls->slots[n]; n++) {
      assert_string_not_equal(cls->slots[n], "average");
      for (int i = 0; i < n; i++) assert_string_not_equal(cls->slots[n], cls->slots[i]);
    }
    assert_in_range(n, 0, AM_MOST_SLOTS);
    for (int i = 0; i < k; i++) assert_string_not_equal(am_optimisers[i]->name, am_optimisers[k]->name);
  }
}

static void sgd(void **state) {
  (void)state;
  check("{kind: sgd, learning_rate: 0.05}", 0, 1, golden_sgd);
  check("{kind: sgd, learning_rate: 0.05, momentum: 0.9, weight_decay: 0.1}", 0, 1, golden_momentum);
  check("{kind: sgd, learning_rate: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.1}", 0, 1, golden_nesterov);
}

static void adam(void **state) {
  (void)state;
  check("{kind: adam, learning_rate: 0.01, beta2: 0.99, epsilon: 0.01, epsilon_mode: pytorch, weight_decay: 0.1}", 0, 1,
        golden_adam_pytorch);
  check("{kind: adam, learning_rate: 0.01, beta2: 0.99, epsilon: 0.01, epsilon_mode: keras}", 0, 1, golden_adam_keras);
  check("{kind: adamw, learning_rate: 0.01, beta2: 0.99, epsilon: 1e-8, epsilon_mode: pytorch, weight_decay: 0.1}", 0,
        1, golden_adamw);
}

static void divides_and_clips_once(void **state) {
  (void)state;
  check("{kind: sgd, learning_rate: 0.05}", 0, 32, golden_sgd);
  check("{kind: sgd, learning_rate: 0.05, clip_norm: 2}", 0, 32, golden_clipped);
}

static void averages(void **state) {
  (void)state;
  check("{kind: sgd, learning_rate: 0.05}", 0.5, 1, golden_average);
}

/* The first steps of a slow average: at step t its decay is (1+t)/(10+t), and after ten its start is nearly gone. */
static void an_average_forgets_its_start(void **state) {
  (void)state;
  double w[ALL], wanted[ALL], left = 1;
  memcpy(w, golden_start, sizeof w);
  memcpy(wanted, golden_start, sizeof wanted);
  for (int t = 1; t <= STEPS; t++) {
    const double decay = (1.0 + t) / (10.0 + t);
    left *= decay;
    for (int i = 0; i < ALL; i++) {
      w[i] -= 0.05 * golden_gradients[(t - 1) * ALL + i];
      wanted[i] = decay * wanted[i] + (1 - decay) * w[i];
    }
  }
  assert_true(left < 1e-4); /* of a constant 0.999: 0.99 */
  check("{kind: sgd, learning_rate: 0.05}", 0.999, 1, wanted);
}

static void freezes_and_scales_by_name(void **state) {
  (void)state;
  double got[ALL];
  bench b = bench_make(NULL, "{kind: adamw, learning_rate: 0.1, weight_decay: 0.1, freeze: [\"*/kernel\"]}");
  run(&b, 0, 1, got);
  for (int i = 0; i < ALL; i++)
    if (i < KERNEL) assert_true(got[i] == golden_start[i]);
    else assert_true(fabs(got[i] - golden_start[i]) > 0.01);
  bench_free(&b);

  b = bench_make(NULL, "{kind: sgd, learning_rate: 0.5, rates: {\"out/*\": 0, \"*/bias\": 0.1}}");
  run(&b, 0, 1, got);
  for (int i = 0; i < KERNEL; i++) assert_true(got[i] == golden_start[i]);
  assert_allclose_d(got + KERNEL, golden_sgd + KERNEL, 2, 2e-6, 2e-6); /* 0.5 times 0.1 */
  bench_free(&b);
}

static void patterns_must_match(void **state) {
  (void)state;
  am_error err;
  am_optimiser *o;
  bench b = bench_make(NULL, "{freeze: [\"conv*\"]}");
  am_test_fails(
      am_optimiser_create(b.ctx, &b.options, 0, b.model, &o, &err), AM_E_CONFIG, &err,
      "train.optimiser.freeze: \"conv*\" matches no weight array of the model; names look like \"out/kernel\"");
  bench_free(&b);
  b = bench_make(NULL, "{rates: {\"dense*\": 0.5}}");
  am_test_fails(am_optimiser_create(b.ctx, &b.options, 0, b.model, &o, &err), AM_E_CONFIG, &err,
                "optimiser:1:10: train.optimiser.rates: \"dense*\" matches no weight");
  bench_free(&b);
  b = bench_make(NULL, "{rates: {\"out*\": fast}}");
  am_test_fails(am_optimiser_create(b.ctx, &b.options, 0, b.model, &o, &err), AM_E_CONFIG, &err, "needs a factor");
  bench_free(&b);
}

static void names_what_went_bad(void **state) {
  (void)state;
  for (int clip = 0; clip < 2; clip++) {
    bench b = bench_make(NULL, clip ? "{kind: sgd, clip_norm: 1}" : "{kind: sgd}");
    am_error err = AM_ERROR_INIT;
    am_optimiser *o;
    size_t n;
    am_test_ok(am_optimiser_create(b.ctx, &b.options, 0, b.model, &o, &err), &err);
    am_real *w = am_model_weights(b.model, &n), *g = am_alloc_aligned(b.ctx, n * sizeof *g);
    double gradient[ALL] = {0}, before[ALL], after[ALL];
    gradient[KERNEL + 1] = clip ? INFINITY : NAN;
    scatter(b.model, golden_start, w);
    scatter(b.model, gradient, g);
    gather(b.model, w, before);
    am_optimiser_step(o, w, g, 1, 0.1);
    assert_int_equal(o->bad_array, 1);
    gather(b.model, w, after);
    if (clip) assert_memory_equal(before, after, sizeof before); /* seen before the weights were touched */
    am_free_aligned(b.ctx, g);
    am_optimiser_free(o);
    bench_free(&b);
  }
}

/* ---- schedules ---- */

static void follow(am_schedule_options o, const double *wanted) {
  am_schedule_state s = am_schedule_begin();
  double got[20];
  for (int i = 0; i < 20; i++) got[i] = am_schedule_factor(&o, &s, (uint64_t)i, 4, 5);
  assert_allclose_d(got, wanted, 20, 1e-12, 1e-12);
}

static void schedules_follow_pytorch(void **state) {
  (void)state;
  follow((am_schedule_options){.kind = AM_SCHEDULE_ONE_CYCLE, .peak_at = 0.3, .minimum = 0.01}, golden_one_cycle);
  follow((am_schedule_options){.kind = AM_SCHEDULE_COSINE, .minimum = 0.1}, golden_cosine);
  follow((am_schedule_options){.kind = AM_SCHEDULE_STEP, .step_epochs = 2, .factor = 0.3}, golden_step);
}

static void warms_up(void **state) {
  (void)state;
  am_schedule_options o = {.kind = AM_SCHEDULE_COSINE, .warmup_epochs = 2.5};
  am_schedule_state s = am_schedule_begin();
  for (uint64_t i = 0; i < 10; i++) /* 2.5 epochs of 4 steps */
    assert_true(fabs(am_schedule_factor(&o, &s, i, 4, 5) - (double)(i + 1) / 10) < 1e-15);
  assert_true(am_schedule_factor(&o, &s, 10, 4, 5) == 1);
  assert_true(fabs(am_schedule_factor(&o, &s, 15, 4, 5) - 0.5) < 1e-15);
}

static void plateau_and_early_stopping(void **state) {
  (void)state;
  am_schedule_options o = {.kind = AM_SCHEDULE_PLATEAU, .patience = 2, .factor = 0.5, .minimum = 0.3};
  am_schedule_state s = am_schedule_begin();
  static const double losses[] = {1, 0.9, 0.89995, 0.95, 0.9, 0.9};
  static const bool best[] = {true, true, true, false, false, false};
  static const double factors[] = {1, 1, 1, 0.5, 0.5, 0.3};
  for (int i = 0; i < 6; i++) {
    assert_int_equal(am_schedule_epoch(&o, &s, AM_MONITOR_VALIDATION_LOSS, (uint64_t)i + 1, losses[i]), best[i]);
    assert_true(am_schedule_factor(&o, &s, 0, 1, 9) == factors[i]);
    assert_int_equal(am_schedule_should_stop(&s, 3), i == 5);
    assert_false(am_schedule_should_stop(&s, 0));
  }
  assert_int_equal(s.best_epoch, 3);

  s = am_schedule_begin(); /* of accuracy, higher is better */
  assert_true(am_schedule_epoch(&o, &s, AM_MONITOR_VALIDATION_UAR, 1, 0.5));
  assert_true(am_schedule_epoch(&o, &s, AM_MONITOR_VALIDATION_UAR, 2, 0.6));
  assert_false(am_schedule_epoch(&o, &s, AM_MONITOR_VALIDATION_UAR, 3, 0.55));

  s = am_schedule_begin(); /* the last epoch counts, whatever its loss */
  for (uint64_t epoch = 1; epoch <= 3; epoch++)
    assert_true(am_schedule_epoch(&o, &s, AM_MONITOR_LAST, epoch, (double)epoch));
  assert_int_equal(s.best_epoch, 3);
  assert_true(am_schedule_factor(&o, &s, 0, 1, 9) == 0.5); /* the plateau looks at the loss all the same */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sgd),
      cmocka_unit_test(the_registry_is_whole),
      cmocka_unit_test(adam),
      cmocka_unit_test(divides_and_clips_once),
      cmocka_unit_test(averages),
      cmocka_unit_test(an_average_forgets_its_start),
      cmocka_unit_test(freezes_and_scales_by_name),
      cmocka_unit_test(patterns_must_match),
      cmocka_unit_test(names_what_went_bad),
      cmocka_unit_test(schedules_follow_pytorch),
      cmocka_unit_test(warms_up),
      cmocka_unit_test(plateau_and_early_stopping),
  };
  return cmocka_run_group_tests_name("optimiser", tests, NULL, NULL);
}
