/* SPDX-License-Identifier: MIT */
/* tests/nn/test_model.c - configs to steps. */
#include "small.h"

#include "nn/doubt.h"

/* Shapes, names, blocks */

static void cnn_has_the_expected_steps(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m = net(w.ctx, CNN, net_map(13, 8, 1, false), 5);
  static const struct {
    const char *name;
    am_shape out;
  } wanted[] = {
      {"conv2d_1", {3, 13, 8, 4, 0}},    {"conv2d_1/relu", {3, 13, 8, 4, 0}}, {"max_pool2d_1", {3, 6, 4, 4, 0}},
      {"conv2d_2", {3, 6, 4, 6, 0}},     {"conv2d_2/relu", {3, 6, 4, 6, 0}},  {"dropout_1", {3, 6, 4, 6, 0}},
      {"max_pool2d_2", {3, 3, 2, 6, 0}}, {"flatten_1", {1, 1, 1, 36, 0}},     {"dense_1", {1, 1, 1, 9, 0}},
      {"dense_1/relu", {1, 1, 1, 9, 0}}, {"dropout_2", {1, 1, 1, 9, 0}},      {"dense_2", {1, 1, 1, 5, 0}}};
  assert_int_equal(am_model_steps(m), sizeof wanted / sizeof *wanted);
  for (size_t i = 0; i < am_model_steps(m); i++) {
    const am_step *s = am_model_step(m, i);
    char got[AM_SHAPE_TEXT], shape[AM_SHAPE_TEXT];
    assert_string_equal(s->layer.name, wanted[i].name);
    assert_string_equal(am_shape_text(s->layer.out, got), am_shape_text(wanted[i].out, shape));
    assert_int_equal(s->inputs[0], i);
    assert_int_equal(s->output, i + 1);
  }
  assert_true(am_model_had_softmax(m));
  assert_int_equal(am_model_output(m).c, 5);
  assert_int_equal(am_step_weights(am_model_step(m, 0)), 9 * 4 + 4);
  assert_true(am_step_operations(am_model_step(m, 0)) == 13.0 * 8 * 36);
  assert_true(am_step_operations(am_model_step(m, 8)) == 36.0 * 9);
  am_model_free(m);
  am_context_free(w.ctx);
}

static void weights_are_named_aligned_and_padded_with_zeros(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m = net(w.ctx, CNN, net_map(13, 8, 1, false), 5);
  size_t count, used = 0;
  am_real *weights = am_model_weights(m, &count);
  assert_int_equal((uintptr_t)weights % 64, 0);
  static const char *const names[] = {"conv2d_1/kernel", "conv2d_1/bias", "conv2d_2/kernel", "conv2d_2/bias",
                                      "dense_1/kernel",  "dense_1/bias",  "dense_2/kernel",  "dense_2/bias"};
  assert_int_equal(am_model_weight_count(m), 8);
  for (size_t i = 0; i < 8; i++) {
    am_array_info info = *am_model_weight_info(m, i);
    assert_string_equal(info.name, names[i]);
    assert_int_equal(info.offset % 16, 0);
    assert_int_equal(info.offset, (used + 15) / 16 * 16);
    for (size_t k = used; k < info.offset; k++) assert_true(weights[k] == 0);
    used = info.offset + info.count;
    assert_int_equal(info.decay, i % 2 == 0);
  }
  assert_int_equal(count, (used + 15) / 16 * 16);
  assert_int_equal(am_model_weight_info(m, 0)->rank, 4);
  assert_int_equal(am_model_weight_info(m, 0)->dims[3], 4);
  am_model_free(m);
  am_context_free(w.ctx);
}

/* The loss lays a softmax over what the model gives: is there one, or what it does, already? */
static void what_limits_the_output(void **state) {
  (void)state;
  static const struct {
    const char *layers, *by; /* the layer; NULL: logits */
    bool distribution;
  } cases[] = {
      {"[{dense: {activation: relu}}, global_average_pool, dense]", NULL, false},
      {"[global_average_pool, dense, softmax]", NULL, false}, /* taken into the loss */
      {"[{dense: {activation: softmax}}, global_average_pool]", "dense_1/softmax", true},
      {"[{dense: {activation: softmax}}, global_average_pool, log_probabilities]", "dense_1/softmax", true},
      {"[{dense: {activation: softmax}}, {average_pool1d: {size: 2}}, {dropout: {rate: 0.5}}, attention_pool]",
       "dense_1/softmax", true},
      {"[{dense: {activation: softmax}}, global_max_pool]", "dense_1/softmax", false},
      {"[{dense: {units: 2, activation: softmax}}, {average_pool1d: {size: 3}}, flatten]", "dense_1/softmax", false},
      {"[global_average_pool, dense, softmax, softmax]", "softmax_1", true},
      {"[{dense: {activation: sigmoid}}, global_average_pool]", "dense_1/sigmoid", false},
      {"[global_average_pool, dense, relu]", "relu_1", false},
      {"[{dense: {activation: softmax}}, global_average_pool, batch_norm]", NULL, false}};
  world w = begin(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bool distribution;
    am_model *m = net(w.ctx, cases[i].layers, (am_shape){.rank = 2, .t = 6, .f = 1, .c = 3}, 4);
    const am_layer *layer = am_model_limited(m, &distribution);
    if (!cases[i].by) assert_null(layer);
    else assert_string_equal(layer->name, cases[i].by);
    assert_int_equal(distribution, cases[i].distribution);
    char doubt[512] = "";
    assert_int_equal(am_model_output_doubt(m, doubt, sizeof doubt),
                     layer && !strstr(cases[i].layers, "log_probabilities"));
    if (*doubt) assert_non_null(strstr(doubt, cases[i].by));
    if (*doubt) assert_int_equal(strstr(doubt, "log_probabilities") != NULL, distribution);
    am_model_free(m);
  }
  am_context_free(w.ctx);
}

static void blocks_expand_to_steps(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m = net(w.ctx, CRNN, net_map(16, 8, 1, true), 3);
  static const struct {
    const char *name;
    int a, b, c;
  } wanted[] = {{"conv2d_1", 0, 0, 0},
                {"batch_norm_1", 1, 0, 0},
                {"batch_norm_1/relu", 2, 0, 0},
                {"max_pool2d_1", 3, 0, 0},
                {"residual_1/conv2d_1", 4, 0, 0},
                {"residual_1/conv2d_1/gelu", 5, 0, 0},
                {"residual_1/conv2d_2", 6, 0, 0},
                {"residual_1/projection", 4, 0, 0},
                {"residual_1/add", 7, 8, 0},
                {"residual_1/relu", 9, 0, 0},
                {"squeeze_excite_1/squeeze", 10, 0, 0},
                {"squeeze_excite_1/reduce", 11, 0, 0},
                {"squeeze_excite_1/reduce/relu", 12, 0, 0},
                {"squeeze_excite_1/expand", 13, 0, 0},
                {"squeeze_excite_1/expand/sigmoid", 14, 0, 0},
                {"squeeze_excite_1/scale", 10, 15, 0},
                {"to_sequence_1", 16, 0, 0},
                {"lstm_1", 17, 0, 0},
                {"layer_norm_1", 18, 0, 0},
                {"parallel_1/branch_1/dense_1", 19, 0, 0},
                {"parallel_1/branch_1/dense_1/tanh", 20, 0, 0},
                {"parallel_1/branch_2/conv1d_1", 19, 0, 0},
                {"parallel_1/concat", 21, 22, 19},
                {"attention_pool_1", 23, 0, 0},
                {"dense_1", 24, 0, 0}};
  assert_int_equal(am_model_steps(m), sizeof wanted / sizeof *wanted);
  for (size_t i = 0; i < am_model_steps(m); i++) {
    const am_step *s = am_model_step(m, i);
    assert_string_equal(s->layer.name, wanted[i].name);
    assert_int_equal(s->inputs[0], wanted[i].a);
    if (s->layer.n_in > 1) assert_int_equal(s->inputs[1], wanted[i].b);
    if (s->layer.n_in > 2) assert_int_equal(s->inputs[2], wanted[i].c);
  }
  assert_int_equal(am_model_step(m, 11)->layer.out.c, 2); /* 5 channels / 2 */
  assert_int_equal(am_model_step(m, 22)->layer.out.c, 4 + 3 + 12);
  char text[AM_SHAPE_TEXT];
  assert_string_equal(am_shape_text(am_model_step(m, 7)->layer.out, text), "(T<=4, 4, 5)");
  assert_false(am_model_had_softmax(m));
  am_model_free(m);
  am_context_free(w.ctx);
}

static void automatic_names_avoid_given_ones(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m =
      net(w.ctx, "[{dense: {units: 3}}, {dense: {units: 3, name: dense_1}}, {dense: {name: out}}, {dense: {}}]",
          net_vector(4), 2);
  assert_string_equal(am_model_step(m, 0)->layer.name, "dense_2");
  assert_string_equal(am_model_step(m, 1)->layer.name, "dense_1");
  assert_string_equal(am_model_step(m, 2)->layer.name, "out");
  assert_string_equal(am_model_step(m, 3)->layer.name, "dense_3");
  am_model_free(m);
  am_context_free(w.ctx);
}

static void activations_take_options_and_none(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m = net(w.ctx,
                    "[{dense: {units: 3, activation: {leaky_relu: {alpha: 0.1}}}}, "
                    "{dense: {activation: none}}, {dense: {activation: softmax}}]",
                    net_vector(4), 2);
  assert_int_equal(am_model_steps(m), 4);
  assert_string_equal(am_model_step(m, 1)->layer.cls->type, "leaky_relu");
  assert_true(am_model_had_softmax(m));
  am_model_free(m);
  am_context_free(w.ctx);
}

/* The config's list, parsed and filled. */
static am_value *fill(world *w, am_tree *tree, const char *yaml) {
  am_value *given, *filled;
  am_test_ok(am_yaml_read_text(tree, yaml, strlen(yaml), "net.yaml", &given, &w->err), &w->err);
  am_test_ok(am_layers_fill(tree, given, &filled, &w->err), &w->err);
  return filled;
}

static void filled_layers_make_the_same_model(void **state) {
  (void)state;
  world w = begin(1);
  static const char *const nets[] = {CNN, CRNN, "[flatten, {dense: {activation: {leaky_relu: {alpha: 0.1}}}}]"};
  for (int n = 0; n < 3; n++) {
    am_shape input = net_map(16, 8, 1, n == 1);
    am_model *a = net(w.ctx, nets[n], input, 3), *b = NULL;
    am_tree *tree = NULL;
    am_value *layers, *again;
    am_test_ok(am_tree_create(w.ctx, &tree, &w.err), &w.err);
    layers = fill(&w, tree, nets[n]);
    am_test_ok(am_model_create(w.ctx, layers, input, 3, &b, &w.err), &w.err);
    am_test_ok(am_layers_fill(tree, layers, &again, &w.err), &w.err);
    assert_true(am_value_equal(layers, again));
    assert_int_equal(am_model_steps(a), am_model_steps(b));
    for (size_t i = 0; i < am_model_steps(a); i++)
      assert_string_equal(am_model_step(a, i)->layer.name, am_model_step(b, i)->layer.name);
    assert_true(am_model_had_softmax(a) == am_model_had_softmax(b));
    size_t size_a, size_b;
    am_model_initialise(b, 7);
    am_real *wa = am_model_weights(a, &size_a), *wb = am_model_weights(b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(wa, wb, size_a * sizeof *wa);
    am_tree_free(tree);
    am_model_free(b);
    am_model_free(a);
  }
  am_context_free(w.ctx);
}

/* Layers of its own stand in place of a projection, and are named after their list. */
static void a_shortcut_has_layers(void **state) {
  (void)state;
  static const char text[] =
      "[{residual: {layers: [{conv2d: {filters: 3, padding: same}}], shortcut: [{conv2d: {filters: 3, "
      "kernel: 1}}, batch_norm], activation: none}}, {global_average_pool: {}}, {dense: {}}]";
  static const struct {
    const char *name;
    int a, b;
  } wanted[] = {{"residual_1/conv2d_1", 0, 0},
                {"residual_1/shortcut/conv2d_1", 0, 0},
                {"residual_1/shortcut/batch_norm_1", 2, 0},
                {"residual_1/add", 1, 3},
                {"global_average_pool_1", 4, 0}};
  world w = begin(1);
  am_tree *tree = NULL;
  am_model *m = net(w.ctx, text, net_map(16, 8, 1, true), 3);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    const am_step *step = am_model_step(m, i);
    assert_string_equal(step->layer.name, wanted[i].name);
    assert_int_equal(step->inputs[0], wanted[i].a);
    if (step->layer.n_in > 1) assert_int_equal(step->inputs[1], wanted[i].b);
  }
  am_model_free(m);
  am_test_ok(am_tree_create(w.ctx, &tree, &w.err), &w.err);
  am_value *layers = fill(&w, tree, text);
  assert_string_equal(am_value_find(layers, "0.residual.shortcut.0.conv2d.name")->text, "conv2d_1");
  assert_null(am_value_find(fill(&w, tree, CRNN), "3.residual.shortcut.0"));
  am_tree_free(tree);
  am_context_free(w.ctx);
}

static void filling_names_every_option(void **state) {
  (void)state;
  world w = begin(1);
  am_tree *tree = NULL;
  am_test_ok(am_tree_create(w.ctx, &tree, &w.err), &w.err);
  static const struct {
    const char *path, *text;
  } wanted[] = {{"0.conv2d.name", "conv2d_1"},
                {"0.conv2d.padding", "same"},
                {"0.conv2d.kernel.0", "3"},
                {"0.conv2d.initialiser", "glorot_uniform"},
                {"1.batch_norm.epsilon", "0.001"},
                {"1.batch_norm.momentum", "0.99"},
                {"1.batch_norm.activation", "relu"},
                {"3.residual.projection", "auto"},
                {"3.residual.activation", "relu"},
                {"3.residual.layers.0.conv2d.name", "conv2d_1"},
                {"3.residual.layers.0.conv2d.bias", "true"},
                {"3.residual.layers.1.conv2d.name", "conv2d_2"},
                {"5.to_sequence.name", "to_sequence_1"},
                {"8.parallel.branches.0.0.dense.activation", "tanh"},
                {"8.parallel.branches.1.0.conv1d.dilation.0", "1"},
                {"9.attention_pool.heads", "1"},
                {"10.dense.units", "0"},
                {"10.dense.name", "dense_1"}};
  am_value *layers = fill(&w, tree, CRNN);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    const am_value *v = am_value_find(layers, wanted[i].path);
    if (!v) fail_msg("%s is missing", wanted[i].path);
    assert_string_equal(v->text, wanted[i].text);
  }
  assert_int_equal(am_value_find(layers, "8.parallel.branches.2")->count, 0);
  layers = fill(&w, tree, "[{dense: {activation: leaky_relu}}, {dense: {activation: none, name: last}}]");
  assert_string_equal(am_value_find(layers, "0.dense.activation.leaky_relu.alpha")->text, "0.01");
  assert_string_equal(am_value_find(layers, "1.dense.activation")->text, "none");
  assert_string_equal(am_value_find(layers, "1.dense.name")->text, "last");
  am_tree_free(tree);
  am_context_free(w.ctx);
}

static void filling_survives_every_failed_allocation(void **state) {
  (void)state;
  for (long n = 1;; n++) {
    am_test_memory m;
    world w = {.ctx = am_test_memory_context(&m, 1), .err = AM_ERROR_INIT};
    am_tree *tree = NULL;
    am_value *given, *filled = NULL;
    am_test_ok(am_tree_create(w.ctx, &tree, &w.err), &w.err);
    am_test_ok(am_yaml_read_text(tree, CRNN, strlen(CRNN), "net.yaml", &given, &w.err), &w.err);
    am_test_memory_arm(&m, n);
    am_status status = am_layers_fill(tree, given, &filled, &w.err);
    bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_tree_free(tree);
    am_context_free(w.ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

/* Thousands of layers without names, as a file made to hurt might have, get theirs in time that grows as their square. */
static void many_layers_are_named(void **state) {
  (void)state;
  world w = begin(1);
  am_tree *tree = NULL;
  am_test_ok(am_tree_create(w.ctx, &tree, &w.err), &w.err);
  char *yaml = calloc(1, 5 * 2000 + 40);
  strcpy(yaml, "[{relu: {name: relu_7}},relu");
  for (int i = 1; i < 2000; i++) strcat(yaml, ",relu");
  strcat(yaml, "]");
  am_value *layers = fill(&w, tree, yaml);
  assert_string_equal(am_value_find(layers, "6.relu.name")->text, "relu_6");
  assert_string_equal(am_value_find(layers, "7.relu.name")->text, "relu_8");
  assert_string_equal(am_value_find(layers, "2000.relu.name")->text, "relu_2001");
  free(yaml);
  am_tree_free(tree);
  am_context_free(w.ctx);
}

/* Bad configs */

/* What filling refuses, it refuses with the model's words; the rest only a model can know. */
static void fills_or_refuses_alike(world *w, const char *yaml, const char *words) {
  am_tree *tree = NULL;
  am_value *given, *filled;
  am_test_ok(am_tree_create(w->ctx, &tree, &w->err), &w->err);
  am_test_ok(am_yaml_read_text(tree, yaml, strlen(yaml), "net.yaml", &given, &w->err), &w->err);
  am_error err = AM_ERROR_INIT;
  if (given->kind == AM_LIST && am_layers_fill(tree, given, &filled, &err) && !strstr(err.message, words))
    fail_msg("filled: %s\nwanted: %s", err.message, words);
  am_tree_free(tree);
}

static void bad_configs_say_what_and_where(void **state) {
  (void)state;
  static const struct {
    const char *yaml;
    am_shape input;
    am_status status;
    const char *words;
  } cases[] = {
      {"[{conv2x: {filters: 3}}]",
       {3, 8, 8, 1, 0},
       AM_E_CONFIG,
       "net.yaml:1:2: unknown layer \"conv2x\"; did you mean \"conv2d\"?"},
      {"[{zebra: {}}]", {3, 8, 8, 1, 0}, AM_E_CONFIG, "known are residual, squeeze_excite"},
      {"- flatten\n- dense: {unit: 3}",
       {3, 8, 8, 1, 0},
       AM_E_CONFIG,
       "net.yaml:2:11: unknown key \"unit\" in dense_1; did you mean \"units\"?"},
      {"- flatten\n- dense:\n  units: 3", {3, 8, 8, 1, 0}, AM_E_CONFIG, "net.yaml:2:3: a layer is one entry"},
      {"- flatten\n- dense: 3", {3, 8, 8, 1, 0}, AM_E_CONFIG, "net.yaml:2:10: the options of dense are a map"},
      {"- [flatten]", {3, 8, 8, 1, 0}, AM_E_CONFIG, "found a list in the list of layers"},
      {"flatten: {}", {3, 8, 8, 1, 0}, AM_E_CONFIG, "found a map"},
      {"[]", {3, 8, 8, 1, 0}, AM_E_CONFIG, "no layers"},
      {"- {dense: {name: a}}\n- {dense: {name: a}}",
       {1, 1, 1, 8, 0},
       AM_E_CONFIG,
       "net.yaml:2:18: two layers are called \"a\" (the first in line 1)"},
      {"- {dense: {name: a/b}}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "a layer's name is made of letters"},
      {"- {dense: {name: ''}}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "a layer's name is made of letters"},
      {"- {dense: {activation: rellu}}",
       {1, 1, 1, 8, 0},
       AM_E_CONFIG,
       "net.yaml:1:24: activation of dense_1: found \"rellu\"; did you mean \"relu\"?"},
      {"- {dense: {activation: lstm}}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "activation of dense_1: found \"lstm\""},
      {"- {dense: {activation: [relu]}}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "activation of dense_1: wanted a word"},
      {"- {add: {}}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "is allowed only inside a block"},
      {"- flatten\n- dense",
       {3, 8, 8, 1, 1},
       AM_E_SHAPE,
       "net.yaml:1:3: layer flatten_1, input (T<=8, 8, 1): clips differ in length"},
      {"- lstm: {units: 4}\n- dense", {3, 8, 8, 1, 0}, AM_E_SHAPE, "layer lstm_1, input (8, 8, 1)"},
      {"- dense", {3, 8, 8, 1, 0}, AM_E_CONFIG, "the last layer, dense_1, gives (8, 8, 3), wanted (3)"},
      {"- flatten\n- dense: {units: 4}", {3, 8, 8, 1, 0}, AM_E_CONFIG, "gives (4), wanted (3)"},
      {"- residual: {}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "layers"},
      {"- residual: {layers: []}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "has no layers"},
      {"- residual: {layers: [{dense: {units: 3}}], projection: none}",
       {1, 1, 1, 8, 0},
       AM_E_SHAPE,
       "layer residual_1/add, input (3) and (8): wanted equal shapes"},
      {"- residual: {layers: [{conv2d: {filters: 3}}]}\n- flatten\n- dense",
       {3, 8, 8, 1, 0},
       AM_E_CONFIG,
       "which no 1x1 convolution"},
      {"- residual: {layers: [{dense: {unitz: 3}}]}",
       {1, 1, 1, 8, 0},
       AM_E_CONFIG,
       "net.yaml:1:32: unknown key \"unitz\" in residual_1/dense_1"},
      {"- parallel: {branches: []}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "has 0 branches"},
      {"- parallel: {branches: [dense]}", {1, 1, 1, 8, 0}, AM_E_CONFIG, "branch 1 of parallel_1 is not a list"},
      {"- parallel: {branches: [[{conv2d: {filters: 3}}], []]}\n- flatten\n- dense",
       {3, 8, 8, 1, 0},
       AM_E_SHAPE,
       "differ in channels only"},
      {"- squeeze_excite: {}\n- dense", {1, 1, 1, 8, 0}, AM_E_CONFIG, "squeeze_excite_1: its input is (8)"},
      {"- dropout: {rate: 1.5}", {1, 1, 1, 3, 0}, AM_E_CONFIG, "dropout_1.rate: 1.5 is out of range"},
      {"- dropout: {rate: 1}", {1, 1, 1, 3, 0}, AM_E_CONFIG, "out of range"},
      {"- {max_pool2d: {size: 9}}\n- flatten\n- dense", {3, 8, 8, 1, 0}, AM_E_SHAPE, "max_pool2d_1"},
      {"- to_sequence\n- {conv1d: {filters: 2, kernel: 3, dilation: 40000, padding: causal}}\n- flatten\n- dense",
       {3, 8, 8, 1, 0},
       AM_E_SHAPE,
       "kernel 3 and dilation 40000 reach 80000 frames back, wanted at most 65536"},
      {"- {conv2d: {filters: 2, padding: causal}}\n- flatten\n- dense", {3, 8, 8, 1, 0}, AM_E_CONFIG, "causal"},
      {"- dense", {0, 1, 1, 1, 0}, AM_E_SHAPE, "rank 0"},
      {"- dense", {3, 0, 1, 1, 0}, AM_E_SHAPE, "shape (0, 1, 1)"},
      {"- dense", {3, 65536, 65536, 1, 0}, AM_E_SHAPE, "too large"},
      {"- dense: {units: 2147483647}\n- dense", {1, 1, 1, 2147483647, 0}, AM_E_SHAPE, "EiB"},
      {"- dense: {units: 2147483647}\n- dense", {1, 1, 1, 1000, 0}, AM_E_SHAPE, "TiB"},
      {"- dense: {units: 2147483647}\n- dense", {2, 1000, 1, 1000, 0}, AM_E_SHAPE, "bytes a clip"},
  };
  world w = begin(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_model *m = NULL;
    am_test_fails(net_try(w.ctx, cases[i].yaml, cases[i].input, 3, &m, &w.err), cases[i].status, &w.err,
                  cases[i].words);
    assert_null(m);
    assert_int_not_equal(net_try(w.ctx, cases[i].yaml, cases[i].input, 3, &m, NULL), AM_OK);
    fills_or_refuses_alike(&w, cases[i].yaml, cases[i].words);
  }
  am_context_free(w.ctx);
}

static void ways_of_different_stride_are_refused(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m = NULL;
  /* Both branches make 4 of 8 frames, but 1 and 2 of 3. */
  am_test_fails(net_try(w.ctx,
                        "[{parallel: {branches: [[{conv1d: {filters: 2, kernel: 1, stride: 2}}], "
                        "[{max_pool1d: {size: 2}}]]}}, global_average_pool, dense]",
                        net_sequence(8, 3, true), 3, &m, &w.err),
                AM_E_SHAPE, &w.err, "must shorten a clip alike");
  am_context_free(w.ctx);
}

static void deep_nesting_is_refused(void **state) {
  (void)state;
  world w = begin(1);
  char yaml[2048] = "";
  for (int depth = 0; depth < 18; depth++) strcat(yaml, "[{residual: {layers: ");
  strcat(yaml, "[{dense: {units: 8}}]");
  for (int depth = 0; depth < 18; depth++) strcat(yaml, "}}]");
  am_model *m = NULL;
  am_test_fails(net_try(w.ctx, yaml, net_vector(8), 8, &m, &w.err), AM_E_CONFIG, &w.err, "nested deeper than 16");
  fills_or_refuses_alike(&w, yaml, "nested deeper than 16");
  am_context_free(w.ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cnn_has_the_expected_steps),
      cmocka_unit_test(weights_are_named_aligned_and_padded_with_zeros),
      cmocka_unit_test(what_limits_the_output),
      cmocka_unit_test(blocks_expand_to_steps),
      cmocka_unit_test(automatic_names_avoid_given_ones),
      cmocka_unit_test(activations_take_options_and_none),
      cmocka_unit_test(filled_layers_make_the_same_model),
      cmocka_unit_test(a_shortcut_has_layers),
      cmocka_unit_test(filling_names_every_option),
      cmocka_unit_test(filling_survives_every_failed_allocation),
      cmocka_unit_test(many_layers_are_named),
      cmocka_unit_test(bad_configs_say_what_and_where),
      cmocka_unit_test(ways_of_different_stride_are_refused),
      cmocka_unit_test(deep_nesting_is_refused),
  };
  return cmocka_run_group_tests_name("nn model", tests, NULL, NULL);
}
