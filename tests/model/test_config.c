/* SPDX-License-Identifier: MIT */
/* tests/model/test_config.c - the configuration file: what it says, what it refuses, what it means in full. */
#include "testing.h"

#include "made_up.h"
#include "optim/registry.h"
#include "optim/schedule.h"

static const char MINIMAL[] =
    "data: {corpus: manifest, root: corpus}\nmodel: {layers: [flatten, {dense: {units: 0}}]}\n";

static am_config *load(am_context *ctx, const char *yaml, const char *const *more, size_t n) {
  am_config *c;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_config_from_text(ctx, yaml, "folder/my.config.yaml", more, n, &c, &err), &err);
  return c;
}

static void fills_defaults(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_config *c = load(ctx, MINIMAL, NULL, 0);
  assert_string_equal(c->name, "my.config");
  assert_int_equal(c->seed, 42);
  assert_string_equal(c->cache, "cache");
  assert_int_equal(c->train.epochs, 15);
  assert_int_equal(c->train.batch, 32);
  assert_string_equal(am_optimisers[c->optimiser.kind]->name, "adam");
  assert_true(c->optimiser.learning_rate == 0.001);
  assert_true(c->optimiser.epsilon == 1e-7);
  assert_int_equal(c->optimiser.epsilon_mode, AM_EPSILON_KERAS);
  assert_int_equal(c->schedule.kind, AM_SCHEDULE_CONSTANT);
  assert_int_equal(c->features.mels, 128);
  assert_int_equal(c->layers->count, 2);
  am_config_free(c);
  am_context_free(ctx);
}

static void effective_reads_back_the_same(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const char *const more[] = {
      "name=\"yes: \\\"no\\\"\"",
      "description=\"two\\nlines # no comment\"",
      "data.merge={surprised: disgust, calm: neutral}",
      "data.labels=[happy, sad]",
      "train.optimiser.rates={\"conv*/kernel\": 0.1}",
      "train.optimiser.freeze=[\"a*\", \"[bc]*\"]",
      "train.schedule={kind: cosine, warmup_epochs: 0.1}",
      "augment.noise_snr=[5, 20.5]",
      "model.layers=[{residual: {layers: [{conv2d: {filters: 4}}], activation: relu}}, flatten]"};
  am_config *a = load(ctx, MINIMAL, more, sizeof more / sizeof *more);
  am_error err = AM_ERROR_INIT;
  am_buffer first = {0}, second = {0};
  am_test_ok(am_config_text(a, &first, &err), &err);
  am_config *b = load(ctx, first.data, NULL, 0);
  am_test_ok(am_config_text(b, &second, &err), &err);
  assert_string_equal(first.data, second.data);
  assert_string_equal(a->name, "yes: \"no\"");
  assert_string_equal(b->name, a->name);
  assert_string_equal(b->description, "two\nlines # no comment");
  assert_true(am_value_equal(am_value_find(am_tree_root(a->effective), "model.layers"), b->layers));
  assert_true(am_value_equal(a->optimiser.rates, b->optimiser.rates));
  assert_int_equal(b->optimiser.freeze.n, 2);
  assert_true(b->schedule.warmup_epochs == 0.1);
  assert_true(b->augment.noise_snr.at[1] == 20.5);
  am_buffer_free(ctx, &first);
  am_buffer_free(ctx, &second);
  am_config_free(a);
  am_config_free(b);
  am_context_free(ctx);
}

/* So that a checkpoint means the same when the default of a layer's option has changed. */
static void effective_names_every_option_of_layers(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  const char *const more[] = {"model.layers=[flatten, {batch_norm: {activation: relu}}, dense]"};
  am_config *c = load(ctx, MINIMAL, more, 1);
  const am_value *layers = am_value_find(am_tree_root(c->effective), "model.layers");
  assert_string_equal(am_value_find(layers, "0.flatten.name")->text, "flatten_1");
  assert_string_equal(am_value_find(layers, "1.batch_norm.epsilon")->text, "0.001");
  assert_string_equal(am_value_find(layers, "1.batch_norm.activation")->text, "relu");
  assert_string_equal(am_value_find(layers, "2.dense.units")->text, "0");
  assert_int_equal(c->layers->last->kind, AM_SCALAR); /* as written: messages point at its lines */
  am_config_free(c);
  const char *const bad[] = {"model.layers=[flatten, {dense: {unit: 3}}]"};
  am_test_fails(am_config_from_text(ctx, MINIMAL, "c.yaml", bad, 1, &c, &err), AM_E_CONFIG, &err,
                "did you mean \"units\"");
  am_context_free(ctx);
}

static void overrides_win_and_are_typed(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  const char *const more[] = {
      "train.epochs=3", "train.epochs=4", "train.optimiser.kind=sgd", "model.layers.1.dense.units=7",
      "data.root=a=b",  "cache="};
  am_config *c = load(
      ctx, "train: {epochs: 2}\ndata: {corpus: manifest, root: x}\nmodel: {layers: [flatten, {dense: {units: 0}}]}\n",
      more, 6);
  assert_int_equal(c->train.epochs, 4);
  assert_string_equal(am_optimisers[c->optimiser.kind]->name, "sgd");
  assert_string_equal(am_value_find(c->layers, "1.dense.units")->text, "7");
  assert_string_equal(c->data.root, "a=b");
  assert_string_equal(c->cache, "");
  am_config_free(c);
  am_context_free(ctx);
}

static void refuse(const char *yaml, const char *more, am_status status, const char *words) {
  am_context *ctx = am_test_context(1, NULL);
  am_config *c;
  am_error err;
  am_test_fails(am_config_from_text(ctx, yaml, "x.yaml", &more, more ? 1 : 0, &c, &err), status, &err, words);
  assert_null(c);
  am_context_free(ctx);
}

#define DATA "data: {corpus: ravdess}\n"

static void says_what_is_wrong_and_where(void **state) {
  (void)state;
  refuse("modle: {layers: []}\n", NULL, AM_E_CONFIG,
         "x.yaml:1:1: unknown key \"modle\" in the config; did you mean \"model\"?");
  refuse("name: a\n", NULL, AM_E_CONFIG, "the key \"model\" is missing");
  refuse("model: {layers: [flatten]}\ntrain:\n  epoch: 3\n" DATA, NULL, AM_E_CONFIG,
         "x.yaml:3:3: unknown key \"epoch\" in train; did you mean \"epochs\"?");
  refuse("model: {layers: [flatten]}\ntrain:\n  epochs: 3 weeks\n" DATA, NULL, AM_E_CONFIG,
         "x.yaml:3:11: train.epochs: found \"3 weeks\", wanted a whole number");
  refuse("model: {layers: [flatten]}\ntrain: {epochs: 0}\n" DATA, NULL, AM_E_CONFIG, "train.epochs: 0 is out of range");
  refuse("model: {layers: [flatten]}\ntrain:\n  optimiser:\n    kind: adamm\n" DATA, NULL, AM_E_CONFIG,
         "x.yaml:4:11: train.optimiser.kind: found \"adamm\"");
  refuse("model: {layers: [flatten]}\ntrain: {epochs: 1, epochs: 2}\n" DATA, NULL, AM_E_CONFIG, "x.yaml:2:");
  refuse("model: {layers: [flatten]\n", NULL, AM_E_CONFIG, "x.yaml:");
  refuse("- a\n", NULL, AM_E_CONFIG, "wanted a map of keys and values");
}

static void overrides_are_checked_alike(void **state) {
  (void)state;
  refuse(MINIMAL, "train.epoch=3", AM_E_CONFIG, "override: unknown key \"epoch\" in train; did you mean \"epochs\"?");
  refuse(MINIMAL, "train.epochs=many", AM_E_CONFIG, "override: train.epochs: found \"many\", wanted a whole number");
  refuse(MINIMAL, "nothing", AM_E_USAGE, "override: \"nothing\" is not of the form key=value");
  refuse(MINIMAL, "=3", AM_E_USAGE, "override: \"=3\" is not of the form key=value");
  refuse(MINIMAL, "train..epochs=3", AM_E_CONFIG, "override: \"train..epochs\" is no dotted path");
  refuse(MINIMAL, "model.layers.9=relu", AM_E_CONFIG, "override: model.layers.9: no such item");
}

static void settings_that_do_not_go_together(void **state) {
  (void)state;
  refuse(MINIMAL, "train.schedule={kind: one_cycle, warmup_epochs: 1}", AM_E_CONFIG, "one_cycle rises by itself");
  refuse(MINIMAL, "train.schedule.warmup_epochs=99", AM_E_CONFIG, "99 is more than the 15 epochs");
  refuse(MINIMAL, "train.optimiser.nesterov=true", AM_E_CONFIG, "nesterov: kind is adam, and this is a setting of sgd");
  refuse(MINIMAL, "train.optimiser.momentum=0.9", AM_E_CONFIG, "momentum: kind is adam, and this is a setting of sgd");
  refuse(MINIMAL, "train.optimiser={kind: sgd, nesterov: true}", AM_E_CONFIG, "nesterov: needs a momentum above 0");
  refuse(MINIMAL, "train={monitor: last, early_stopping: 3}", AM_E_CONFIG, "train.early_stopping: with monitor last");
  refuse(MINIMAL, "train={balanced_sampler: true, class_weights: balanced}", AM_E_CONFIG, "would correct twice");
  refuse(MINIMAL, "train={balance: [corpus, label], class_weights: balanced}", AM_E_CONFIG, "would correct twice");
  refuse(MINIMAL, "train={balance: corpus, loss: {prior_adjust: 1}}", AM_E_CONFIG, "balance corpus draws others");
  refuse(MINIMAL, "train={class_weights: balanced, loss: {prior_adjust: 1}}", AM_E_CONFIG, "would correct twice");
  refuse(MINIMAL, "train={loss: {kind: mse, prior_adjust: 1}}", AM_E_CONFIG, "compare logits with classes");
  refuse(MINIMAL, "train={batch: 1, loss: {contrastive: 1}}", AM_E_CONFIG, "compares the clips of a batch");
  refuse(MINIMAL, "train.loss.contrastive_temperature=0", AM_E_CONFIG, "out of range, wanted 0.001 to 1000");
  refuse(MINIMAL, "train.auxiliary.gender=much", AM_E_CONFIG, "train.auxiliary.gender: wanted a weight, a number");
  refuse(MINIMAL, "train.auxiliary.gender=nan", AM_E_CONFIG, "train.auxiliary.gender: wanted a weight, a number");
  refuse(MINIMAL, "train.auxiliary={gender: 1, gender: 2}", AM_E_CONFIG, "twice");
  refuse(MINIMAL, "augment.gain=[5, -5]", AM_E_CONFIG, "gain");
  refuse(MINIMAL, "augment.copies=2", AM_E_CONFIG, "augment.copies: nothing changes the sound");
  refuse(MINIMAL, "augment={copies: 2, mixup: 0.2, freq_masks: 1, freq_width: 3}", AM_E_CONFIG, "nothing changes");
  refuse(MINIMAL, "augment={copies: -1, gain: [0, 3]}", AM_E_CONFIG, "copies");
}

static void settings_of_one_corpus_are_of_no_other(void **state) {
  (void)state;
  refuse("data:\n  corpus: manifest\n  parts: [speech]\nmodel: {layers: [flatten]}\n", NULL, AM_E_CONFIG,
         "x.yaml:3:3: data.parts: corpus is manifest, and this is a setting of ravdess; leave it out");
  refuse(MINIMAL, "data.label_set=4", AM_E_CONFIG,
         "override: data.label_set: corpus is manifest, and this is a setting of iemocap; leave it out");
  refuse(MINIMAL, "data.part=[speech]", AM_E_CONFIG,
         "known are corpus, root, target, dimensions, scale, scales, labels");
}

/* The config.yaml of a run is a config, too, also where a program before wrote it. */
static void settings_of_others_at_their_defaults_say_nothing(void **state) {
  (void)state;
  static const char before[] =
      "data: {corpus: manifest, root: a, manifest: \"\", description: \"\", corpora: null, parts: [speech, song],\n"
      "  intensity: [normal, strong], soft_labels: false}\nmodel: {layers: [flatten]}\n"
      "train: {optimiser: {kind: sgd, momentum: 0.5, beta1: 0.9, epsilon: 1e-7}}\n";
  am_context *ctx = am_test_context(1, NULL);
  am_config *c = load(ctx, before, NULL, 0);
  assert_null(am_value_find(am_tree_root(c->effective), "data.parts"));
  assert_null(am_value_find(am_tree_root(c->effective), "train.optimiser.beta1"));
  am_config_free(c);
  am_context_free(ctx);
  refuse(before, "data.parts=[speech, song]", AM_E_CONFIG,
         "data.parts: corpus is manifest, and this is a setting of ravdess");
  refuse("data: {corpus: manifest}\nmodel: {layers: [flatten]}\ntrain: {optimiser: {kind: sgd, beta1: 0.8}}\n", NULL,
         AM_E_CONFIG, "train.optimiser.beta1: kind is sgd, and this is a setting of adam");
}

/* What programs before kept: the settings of all corpora and optimisers, which meant nothing but for the one chosen. */
static void stored_settings_of_others_are_passed_over(void **state) {
  (void)state;
  static const char before[] =
      "data: {corpus: several, corpora: [{corpus: manifest, root: a, parts: [song]}], root: \"\", manifest: \"\", "
      "description: \"\",\n"
      "  parts: [speech, song], intensity: [strong], complete_split: true, labels_from: rater, label_set: all, "
      "soft_labels: false}\n"
      "model: {layers: [flatten]}\n"
      "train: {optimiser: {kind: sgd, momentum: 0.5, beta1: 0.8, beta2: 0.999, epsilon: 1e-7, epsilon_mode: keras}}\n";
  static const char now[] =
      "data: {corpus: several, corpora: [{corpus: manifest, root: a}]}\nmodel: {layers: [flatten]}\n"
      "train: {optimiser: {kind: sgd, momentum: 0.5}}\n";
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_config *c, *same = load(ctx, now, NULL, 0);
  const char *set = "data.parts=[speech]";
  am_test_ok(am_config_from_stored(ctx, before, "x.yaml", NULL, 0, &c, &err), &err);
  assert_null(am_value_find(am_tree_root(c->effective), "data.parts"));
  assert_null(am_value_find(am_tree_root(c->effective), "train.optimiser.beta1"));
  assert_non_null(am_value_find(am_tree_root(c->effective), "data.corpora"));
  assert_null(am_value_find(am_tree_root(c->effective), "data.corpora.0.parts"));
  assert_true(am_value_equal(am_value_find(am_tree_root(c->effective), "train"),
                             am_value_find(am_tree_root(same->effective), "train")));
  assert_true(am_value_equal(am_value_find(am_tree_root(c->effective), "data.corpora"),
                             am_value_find(am_tree_root(same->effective), "data.corpora")));
  am_config_free(c);
  am_test_fails(am_config_from_stored(ctx, before, "x.yaml", &set, 1, &c, &err), AM_E_CONFIG, &err,
                "data.parts: corpus is several, and this is a setting of ravdess");
  am_test_fails(am_config_from_text(ctx, before, "x.yaml", NULL, 0, &c, &err), AM_E_CONFIG, &err,
                "x.yaml:2:26: data.intensity");
  am_config_free(same);
  am_context_free(ctx);
}

/* A first layer that wants a sequence gets one. */
static void model_input_follows_the_first_layer(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_model *model;
  static const struct {
    const char *layers;
    int rank;
  } cases[] = {{"model.layers=[{conv2d: {filters: 2}}, global_average_pool, {dense: {units: 0}}]", 3},
               {"model.layers=[{lstm: {units: 2}}, global_average_pool, {dense: {units: 0}}]", 2}};
  for (size_t i = 0; i < 2; i++) {
    am_config *c = load(ctx, MINIMAL, &cases[i].layers, 1);
    am_test_ok(am_config_model(c, 30, 20, true, 3, &model, &err), &err);
    am_shape in = am_model_input(model);
    assert_int_equal(in.rank, cases[i].rank);
    assert_int_equal(in.t, 30);
    assert_int_equal(in.f * in.c, 20);
    assert_int_equal(am_model_output(model).c, 3);
    am_model_free(model);
    am_config_free(c);
  }
  am_context_free(ctx);
}

static void survives_every_failed_allocation(void **state) {
  (void)state;
  for (long n = 1;; n++) {
    am_test_memory memory;
    am_context *ctx = am_test_memory_context(&memory, 1);
    long before = atomic_load(&memory.alive);
    am_config *c = NULL;
    am_error err = AM_ERROR_INIT;
    const char *more = "train.epochs=3";
    am_test_memory_arm(&memory, n);
    am_status status = am_config_from_text(ctx, MINIMAL, "x.yaml", &more, 1, &c, &err);
    bool fired = am_test_memory_fired(&memory);
    am_test_memory_arm(&memory, 0);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_config_free(c);
    assert_int_equal(atomic_load(&memory.alive), before);
    am_context_free(ctx);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fills_defaults),
      cmocka_unit_test(effective_reads_back_the_same),
      cmocka_unit_test(effective_names_every_option_of_layers),
      cmocka_unit_test(overrides_win_and_are_typed),
      cmocka_unit_test(says_what_is_wrong_and_where),
      cmocka_unit_test(overrides_are_checked_alike),
      cmocka_unit_test(settings_that_do_not_go_together),
      cmocka_unit_test(settings_of_one_corpus_are_of_no_other),
      cmocka_unit_test(settings_of_others_at_their_defaults_say_nothing),
      cmocka_unit_test(stored_settings_of_others_are_passed_over),
      cmocka_unit_test(model_input_follows_the_first_layer),
      cmocka_unit_test(survives_every_failed_allocation),
  };
  return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
