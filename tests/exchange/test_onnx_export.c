/* SPDX-License-Identifier: MIT */
/* Export to ONNX without ONNX: the graphs of nets of every layer are in order, and hold what they should.  What they answer is
 * compared by tools/compare-onnx, in ONNX Runtime. */
#include "testing.h"

#include "base/file.h"
#include "exchange/onnx.h"
#include "exchange/onnx_import.h"
#include "exchange/onnx_model.h"
#include "exchange/onnx_write.h"
#include "model/fusion.h"
#include "nn/registry.h"
#include "onnx_nets.h"

#include "folder_fixture.h"

static const net *find_net(const char *name) {
  for (size_t i = 0; i < NETS; i++)
    if (!strcmp(nets[i].name, name)) return &nets[i];
  fail_msg("no net %s", name);
  return NULL;
}

static const char *saved(const char *name) {
  static char path[600];
  snprintf(path, sizeof path, "%s", in_folder("net.h5"));
  am_test_ok(net_save(ctx, find_net(name), 1.7, path, &err), &err);
  return path;
}

static am_status export_of(const char *const *files, size_t n, const am_exchange_options *o) {
  return am_onnx_export(ctx, files, n, o, in_folder("out.onnx"), &err);
}

static am_onnx_model *exported(const char *file, const am_exchange_options *o) {
  am_onnx_model *m;
  am_test_ok(export_of(&file, 1, o), &err);
  am_test_ok(am_onnx_read(ctx, in_folder("out.onnx"), &m, &err), &err);
  return m;
}

/* ---- a graph that is in order ---- */

static const am_onnx_node *maker_of(const am_onnx_graph *g, const char *value, size_t before) {
  for (size_t i = 0; i < before; i++)
    for (size_t k = 0; k < g->nodes[i].n_outputs; k++)
      if (!strcmp(g->nodes[i].outputs[k], value)) return &g->nodes[i];
  return NULL;
}

static bool is_input(const am_onnx_graph *g, const char *value) {
  for (size_t i = 0; i < g->n_inputs; i++)
    if (!strcmp(g->inputs[i].name, value)) return true;
  return false;
}

static size_t count_of(const am_onnx_graph *g, const char *op) {
  size_t n = 0;
  for (size_t i = 0; i < g->n_nodes; i++) n += !strcmp(g->nodes[i].op, op);
  return n;
}

/* Of opset 17, and what docs/onnx.md names. */
static const char *const operators[] = {"Add",
                                        "ArgMax",
                                        "AveragePool",
                                        "BatchNormalization",
                                        "Cast",
                                        "Concat",
                                        "Conv",
                                        "Div",
                                        "Equal",
                                        "Erf",
                                        "Flatten",
                                        "GRU",
                                        "GatherElements",
                                        "GatherND",
                                        "Gemm",
                                        "Greater",
                                        "GreaterOrEqual",
                                        "Identity",
                                        "LSTM",
                                        "LayerNormalization",
                                        "LeakyRelu",
                                        "Less",
                                        "Log",
                                        "LogSoftmax",
                                        "MatMul",
                                        "Max",
                                        "MaxPool",
                                        "Min",
                                        "Mod",
                                        "Mul",
                                        "Pad",
                                        "Range",
                                        "ReduceMax",
                                        "ReduceMean",
                                        "ReduceSum",
                                        "Relu",
                                        "Reshape",
                                        "Shape",
                                        "Sigmoid",
                                        "Slice",
                                        "Softmax",
                                        "Split",
                                        "Sqrt",
                                        "Squeeze",
                                        "Sub",
                                        "Tanh",
                                        "Transpose",
                                        "Unsqueeze",
                                        "Where"};

static void check_node(const am_onnx_graph *g, size_t i) {
  const am_onnx_node *n = &g->nodes[i];
  bool known = false;
  for (size_t k = 0; k < sizeof operators / sizeof *operators; k++) known |= !strcmp(operators[k], n->op);
  if (!known) fail_msg("operator %s", n->op);
  assert_true(*n->name);
  for (size_t k = 0; k < n->n_inputs; k++) {
    const char *from = n->inputs[k];
    if (*from && !is_input(g, from) && !am_onnx_initialiser_find(g, from) && !maker_of(g, from, i))
      fail_msg("node %s reads %s, which nothing before it makes", n->name, from);
  }
  for (size_t k = 0; k < n->n_outputs; k++)
    if (maker_of(g, n->outputs[k], i) || is_input(g, n->outputs[k]) || am_onnx_initialiser_find(g, n->outputs[k]))
      fail_msg("%s is made twice", n->outputs[k]);
}

static bool is_read(const am_onnx_graph *g, const char *value) {
  for (size_t i = 0; i < g->n_nodes; i++)
    for (size_t k = 0; k < g->nodes[i].n_inputs; k++)
      if (!strcmp(g->nodes[i].inputs[k], value)) return true;
  return false;
}

static void check_graph(const am_onnx_model *m) {
  const am_onnx_graph *g = &m->graph;
  assert_int_equal(m->ir, 8);
  assert_int_equal(m->opset, 17);
  for (size_t i = 0; i < g->n_nodes; i++) check_node(g, i);
  for (size_t i = 0; i < g->n_initialisers; i++) {
    const char *name = g->initialisers[i].name;
    if (!is_read(g, name)) fail_msg("nobody reads the constant %s", name);
    for (size_t k = 0; k < i; k++) assert_string_not_equal(g->initialisers[k].name, name);
  }
  assert_int_equal(g->n_outputs, 2);
  assert_string_equal(g->outputs[0].name, "probabilities");
  assert_string_equal(g->outputs[1].name, "logits");
  for (int k = 0; k < 2; k++) {
    assert_non_null(maker_of(g, g->outputs[k].name, g->n_nodes));
    assert_int_equal(g->outputs[k].rank, 2);
    assert_string_equal(g->outputs[k].symbols[0], "batch");
    assert_int_equal(g->outputs[k].dims[1], NET_CLASSES);
  }
  assert_string_equal(am_onnx_prop_find(m, "labels"), "[\"calm\", \"happy\", \"sad\", \"angry\"]");
}

static void every_layer(void **state) {
  (void)state;
  for (size_t i = 0; i < NETS; i += getenv("AM_VALGRIND") ? 9 : 1) {
    const net *n = &nets[i];
    am_onnx_model *m = exported(saved(n->name), &(am_exchange_options){0});
    check_graph(m);
    const am_onnx_value *in = m->graph.inputs;
    assert_int_equal(m->graph.n_inputs, n->fixed ? 1 : 2);
    assert_string_equal(in[0].name, "features");
    assert_int_equal(in[0].rank, 4);
    assert_int_equal(in[0].dims[1], n->fixed ? NET_FRAMES : -1);
    assert_int_equal(in[0].dims[2], NET_BINS);
    assert_int_equal(in[0].dims[3], 1);
    if (!n->fixed) {
      assert_string_equal(in[0].symbols[1], "frames");
      assert_string_equal(in[1].name, "lengths");
      assert_int_equal(in[1].type, AM_ONNX_INT64);
    }
    am_onnx_free(m);
  }
}

/* A layer that is new has operators, and a net that holds it. */
static void all_of_the_registry(void **state) {
  (void)state;
  size_t n;
  const am_layer_class *const *all = am_layer_all(&n);
  for (size_t i = 0; i < n; i++) {
    bool held = am_onnx_layer_of(all[i]) != NULL;
    if (!held) fail_msg("layer %s has no operators (onnx_write_layers.c)", all[i]->type);
    held = !strcmp(all[i]->type, "add") || !strcmp(all[i]->type, "concat") || !strcmp(all[i]->type, "scale");
    for (size_t k = 0; k < NETS && !held; k++) held = strstr(nets[k].layers, all[i]->type) != NULL;
    if (!held) fail_msg("no net of onnx_nets.h has a layer %s", all[i]->type);
  }
}

/* Weights are those of the model: a dense kernel as it is, a gate of an LSTM at its place in ONNX's order (i o f c). */
static void weights(void **state) {
  (void)state;
  const char *file = saved("lstm");
  am_onnx_model *m = exported(file, &(am_exchange_options){0});
  am_checkpoint *c;
  am_test_ok(am_checkpoint_load(ctx, file, &c, &err), &err);
  const am_layer *lstm = &am_model_step(c->model, 1)->layer, *dense = &am_model_step(c->model, 3)->layer;
  const float *w = am_model_weights(c->model, NULL);
  const am_onnx_tensor *kernel = am_onnx_initialiser_find(&m->graph, "lstm_1/kernel");
  assert_int_equal(kernel->dims[1], 20);
  assert_int_equal(kernel->dims[2], 7);
  for (int gate = 0; gate < 4; gate++) {
    static const int ours[] = {0, 3, 1, 2};
    for (int i = 0; i < 7; i++)
      assert_true(((const float *)kernel->data)[(gate * 5 + 2) * 7 + i] ==
                  w[lstm->weights[0].offset + (size_t)(i * 20 + ours[gate] * 5 + 2)]);
  }
  const am_onnx_tensor *last = am_onnx_initialiser_find(&m->graph, "dense_1/kernel");
  assert_memory_equal(last->data, w + dense->weights[0].offset, last->count * sizeof(float));
  am_checkpoint_free(c);
  am_onnx_free(m);
}

/* No clip of a fixed length is masked, and where lengths do not matter nothing is. */
static void no_more_than_needed(void **state) {
  (void)state;
  am_onnx_model *m = exported(saved("conv2d_fixed"), &(am_exchange_options){0});
  assert_int_equal(count_of(&m->graph, "Where"), 0);
  am_onnx_free(m);
  m = exported(saved("conv2d_valid"), &(am_exchange_options){0});
  assert_int_equal(count_of(&m->graph, "Where"), 1);     /* before the mean */
  assert_int_equal(count_of(&m->graph, "Transpose"), 2); /* into the order of Conv and back */
  am_onnx_free(m);
}

static void calibration(void **state) {
  (void)state;
  am_onnx_model *m = exported(saved("dense_fixed"), &(am_exchange_options){0});
  const am_onnx_node *identity = maker_of(&m->graph, "logits", m->graph.n_nodes);
  const am_onnx_node *divide = maker_of(&m->graph, identity->inputs[0], m->graph.n_nodes);
  assert_string_equal(divide->op, "Div");
  assert_true(fabsf(*(const float *)am_onnx_initialiser_find(&m->graph, divide->inputs[1])->data - 1.7F) < 1e-6F);
  am_onnx_free(m);
}

static void same_bytes(void **state) {
  (void)state;
  const char *file = saved("parallel");
  char *data[2];
  size_t n[2];
  for (int i = 0; i < 2; i++) {
    am_test_ok(export_of(&file, 1, &(am_exchange_options){0}), &err);
    am_test_ok(am_file_read(ctx, in_folder("out.onnx"), 1 << 20, &data[i], &n[i], &err), &err);
  }
  assert_int_equal(n[0], n[1]);
  assert_memory_equal(data[0], data[1], n[0]);
  am_free(ctx, data[0]);
  am_free(ctx, data[1]);
}

/* ---- and back ---- */

/* Some of those whose graphs the import can read without what the metadata say of layers, so that what the operators compute is
 * looked at without ONNX Runtime.  It refuses graphs that move clips (`same` with strides), and other operators that
 * docs/onnx.md names. */
static const char *const both_ways[] = {
    "conv1d_valid", "parallel",       "conv1d_same",   "conv2d_same", "conv2d_fixed", "max_pool2d_explicit",
    "global_max",   "norms",          "lstm_both",     "lstm_fixed",  "gru_before",   "gru_both",
    "attention",    "residual_ranks", "parallel_maps", "glu",         "glu_product",  "by_clip"};

static void logits_of(const char *file, const float *x, bool fixed, float *out) {
  am_checkpoint *c;
  am_session *session;
  am_test_ok(am_checkpoint_load(ctx, file, &c, &err), &err);
  am_test_ok(am_session_create(c->model, NET_CLIPS, false, &session, &err), &err);
  const am_batch batch = {.size = sizeof batch, .n = NET_CLIPS, .x = x, .lengths = fixed ? NULL : net_lengths};
  am_test_ok(am_session_forward(session, &batch, false, &err), &err);
  memcpy(out, am_session_output(session), NET_CLIPS * NET_CLASSES * sizeof *out);
  for (size_t i = 0; i < NET_CLIPS * NET_CLASSES; i++) out[i] /= (float)c->any.temperature;
  am_session_free(session);
  am_checkpoint_free(c);
}

/* The largest difference of logits, as a part of the largest. */
static double difference(const char *a, const char *b, bool fixed) {
  static float x[NET_CLIPS * NET_FRAMES * NET_BINS];
  float one[NET_CLIPS * NET_CLASSES], two[NET_CLIPS * NET_CLASSES];
  uint32_t state = 5;
  double most = 0, largest = 1;
  memset(x, 0, sizeof x);
  for (int b_ = 0; b_ < NET_CLIPS; b_++)
    for (int i = 0; i < (fixed ? NET_FRAMES : net_lengths[b_]) * NET_BINS; i++)
      x[b_ * NET_FRAMES * NET_BINS + i] = net_number(&state);
  logits_of(a, x, fixed, one);
  logits_of(b, x, fixed, two);
  for (int b_ = 0; b_ < NET_CLIPS; b_++)
    for (int k = 0; k < NET_CLASSES; k++) { /* but for a constant, which softmax takes out */
      const double d = (double)one[b_ * NET_CLASSES + k] - (double)one[b_ * NET_CLASSES];
      const double e = (double)two[b_ * NET_CLASSES + k] - (double)two[b_ * NET_CLASSES];
      most = fmax(most, fabs(d - e));
      largest = fmax(largest, fabs(d));
    }
  return most / largest;
}

/* So that the import sees a graph of nobody's. */
static void forget_layers(const char *path) {
  am_onnx_model *m;
  bool found = false;
  am_test_ok(am_onnx_read(ctx, path, &m, &err), &err);
  for (size_t i = 0; i < m->n_props; i++)
    if (!strcmp(m->props[i].key, "layers")) m->props[i].key = "forgotten", found = true;
  assert_true(found);
  am_test_ok(am_onnx_write(m, path, &err), &err);
  am_onnx_free(m);
}

static void read_again(void **state) {
  (void)state;
  char file[600], back[600], out[600];
  snprintf(file, sizeof file, "%s", in_folder("net.h5"));
  snprintf(back, sizeof back, "%s", in_folder("back.h5"));
  snprintf(out, sizeof out, "%s", in_folder("out.onnx"));
  for (size_t i = 0; i < sizeof both_ways / sizeof *both_ways; i++) {
    const net *n = find_net(both_ways[i]);
    am_test_ok(net_save(ctx, n, 0, file, &err), &err);
    am_test_ok(export_of((const char *const[]){file}, 1, &(am_exchange_options){.normalise = AM_ONNX_OUTSIDE}), &err);
    const char *set[] = {n->fixed ? "features.samples=704" : "features.samples=0",
                         n->fixed ? "features.max_frames=0" : "features.max_frames=23"};
    const am_import_source source = {
        .config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = set, .n_overrides = 2};
    forget_layers(out);
    const am_status status = am_onnx_import(ctx, out, &source, &(am_exchange_options){0}, back, &err);
    if (status) fail_msg("%s: %s", n->name, err.message);
    const double d = difference(file, back, n->fixed);
    if (!(d < 1e-5)) fail_msg("%s: logits differ by %g", n->name, d);
  }
}

/* ---- normalisation and features ---- */

static void normalisation(void **state) {
  (void)state;
  am_onnx_model *m = exported(saved("by_clip"), &(am_exchange_options){0});
  check_graph(m);
  assert_int_equal(count_of(&m->graph, "Sqrt"), 1);
  assert_non_null(strstr(am_onnx_prop_find(m, "inputs"), "\"normalise\": \"inside\""));
  am_onnx_free(m);
  m = exported(saved("by_clip"), &(am_exchange_options){.normalise = AM_ONNX_OUTSIDE});
  check_graph(m);
  assert_int_equal(count_of(&m->graph, "Sqrt"), 0);
  assert_non_null(strstr(am_onnx_prop_find(m, "inputs"), "\"normalise\": \"outside\""));
  am_onnx_free(m);
}

static net of_sounds(const char *set) {
  return (net){"sounds", "[" SEQUENCE "{gru: {units: 5, return: last}}, dense]", false, set};
}

#define FEATURES "sample_rate: 16000, n_fft: 64, hop: 32, mels: 7, max_frames: 23"

static am_status export_sounds(const char *set) {
  const net n = of_sounds(set);
  const char *path = in_folder("sounds.h5");
  am_test_ok(net_save(ctx, &n, 0, path, &err), &err);
  return export_of(&path, 1, &(am_exchange_options){.with_features = true});
}

static void features(void **state) {
  (void)state;
  static const struct {
    const char *set;
    size_t convolutions;
  } cases[] = {
      {"features={kind: log_mel, " FEATURES "}", 1},
      {"features={kind: log_mel, trim_db: 30, pre_emphasis: 0.97, normalise: clip, " FEATURES "}", 1},
      {"features={kind: log_mel, log: natural, divide: 255, ref: one, center: false, window: 48, " FEATURES "}", 1},
      {"features={kind: log_mel, level: -25, top_db: 60, " FEATURES "}", 1},
      {"features={kind: mfcc, mfcc: 7, ref: one, top_db: 0, " FEATURES "}", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_onnx_model *m;
    am_test_ok(export_sounds(cases[i].set), &err);
    am_test_ok(am_onnx_read(ctx, in_folder("out.onnx"), &m, &err), &err);
    check_graph(m);
    assert_int_equal(m->graph.n_inputs, 2);
    assert_string_equal(m->graph.inputs[0].name, "samples");
    assert_string_equal(m->graph.inputs[0].symbols[1], "samples");
    assert_string_equal(m->graph.inputs[1].name, "lengths");
    assert_string_equal(am_onnx_prop_find(m, "sample_rate"), "16000");
    assert_string_equal(am_onnx_prop_find(m, "input_is"), "samples");
    assert_int_equal(count_of(&m->graph, "Conv"), cases[i].convolutions);
    am_onnx_free(m);
  }
}

static void features_refused(void **state) {
  (void)state;
  am_test_fails(
      export_sounds(
          "features={kind: log_mel, sample_rate: 16000, n_fft: 64, hop: 32, mels: 2, prosody: true, max_frames: 23}"),
      AM_E_UNSUPPORTED, &err, "prosody is true, and the path of F0");
  am_test_fails(export_sounds("features={kind: log_mel, normalise: speaker, " FEATURES "}"), AM_E_UNSUPPORTED, &err,
                "normalise is speaker");
}

/* ---- several models ---- */

static void several(void **state) {
  (void)state;
  char one[600], two[600];
  snprintf(one, sizeof one, "%s", in_folder("one.h5"));
  snprintf(two, sizeof two, "%s", in_folder("two.h5"));
  am_test_ok(net_save(ctx, find_net("gru"), 1.7, one, &err), &err);
  am_test_ok(net_save(ctx, find_net("attention"), 0, two, &err), &err);
  am_onnx_model *m;
  am_test_ok(export_of((const char *const[]){one, two}, 2, &(am_exchange_options){0}), &err);
  am_test_ok(am_onnx_read(ctx, in_folder("out.onnx"), &m, &err), &err);
  check_graph(m);
  assert_int_equal(m->graph.n_inputs, 2);              /* both hear the same */
  assert_int_equal(count_of(&m->graph, "Softmax"), 3); /* of each, and of the frames */
  assert_string_equal(maker_of(&m->graph, "probabilities", m->graph.n_nodes)->op, "Div");
  assert_string_equal(am_onnx_prop_find(m, "models"), "2");
  am_onnx_free(m);
  am_test_ok(net_save(ctx, find_net("by_clip"), 0, two, &err), &err); /* normalised, but of the same features */
  am_test_ok(export_of((const char *const[]){one, two}, 2, &(am_exchange_options){0}), &err);
  am_test_ok(net_save(ctx, find_net("dense_fixed"), 0, two, &err), &err);
  am_test_ok(export_of((const char *const[]){one, two}, 2, &(am_exchange_options){0}), &err);
  am_test_ok(am_onnx_read(ctx, in_folder("out.onnx"), &m, &err), &err);
  check_graph(m);
  assert_int_equal(m->graph.n_inputs, 3);
  assert_string_equal(m->graph.inputs[0].name, "features_1");
  assert_string_equal(m->graph.inputs[1].name, "lengths_1");
  assert_string_equal(m->graph.inputs[2].name, "features_2");
  am_onnx_free(m);
  am_test_fails(export_of((const char *const[]){one}, 1, &(am_exchange_options){.voice = AM_ONNX_KNOWN}), AM_E_USAGE,
                &err, "it has one set of weights, for all voices");
}

static void fused(void **state) {
  (void)state;
  char one[600], two[600], both[600];
  snprintf(one, sizeof one, "%s", in_folder("one.h5"));
  snprintf(two, sizeof two, "%s", in_folder("two.h5"));
  snprintf(both, sizeof both, "%s", in_folder("both.h5"));
  am_test_ok(net_save(ctx, find_net("gru"), 1.7, one, &err), &err);
  am_test_ok(net_save(ctx, find_net("attention"), 0, two, &err), &err);
  static char *labels[] = {"calm", "happy", "sad", "angry"};
  am_fusion f = {.files = (const char *const[]){one, two},
                 .n = 2,
                 .labels = labels,
                 .classes = NET_CLASSES,
                 .title = "two",
                 .by = "given"};
  f.any.weights = (double[]){0.25, 0.75};
  f.any.temperature = 1.25;
  f.any.thresholds.precision = 0.7;
  for (int k = 0; k < NET_CLASSES; k++) f.any.thresholds.at[k] = k ? 0.5 : AM_NEVER;
  am_test_ok(am_fusion_save(ctx, both, &f, &err), &err);
  am_onnx_model *m = exported(both, &(am_exchange_options){0});
  check_graph(m);
  assert_int_equal(count_of(&m->graph, "LogSoftmax"), 2);
  assert_string_equal(am_onnx_prop_find(m, "thresholds"),
                      "{\"calm\": null, \"happy\": 0.5, \"sad\": 0.5, \"angry\": 0.5}");
  assert_string_equal(am_onnx_prop_find(m, "wanted_precision"), "0.7");
  assert_non_null(am_onnx_initialiser_find(&m->graph, "float/1.25"));
  assert_non_null(am_onnx_initialiser_find(&m->graph, "float/0.75"));
  am_onnx_free(m);
}

/* ---- failures ---- */

static char small[600];

static am_status work(am_context *own, am_error *why) {
  const char *file = small;
  return am_onnx_export(own, &file, 1, &(am_exchange_options){.with_features = true}, in_folder("out.onnx"), why);
}

static void allocations_fail(void **state) {
  (void)state;
  const net n = of_sounds("features={kind: mfcc, mfcc: 7, normalise: clip, trim_db: 30, level: -25, " FEATURES "}");
  snprintf(small, sizeof small, "%s", in_folder("small.h5"));
  am_test_ok(net_save(ctx, &n, 1.7, small, &err), &err);
  am_test_each_allocation(work);
}

static void nothing_is_left(void **state) {
  (void)state;
  const char *file = saved("gru"), *out = in_folder("no-such-folder/x.onnx");
  assert_int_not_equal(am_onnx_export(ctx, &file, 1, &(am_exchange_options){0}, out, &err), AM_OK);
  assert_false(am_file_exists(out));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_layer),
      cmocka_unit_test(all_of_the_registry),
      cmocka_unit_test(weights),
      cmocka_unit_test(read_again),
      cmocka_unit_test(no_more_than_needed),
      cmocka_unit_test(calibration),
      cmocka_unit_test(same_bytes),
      cmocka_unit_test(normalisation),
      cmocka_unit_test(features),
      cmocka_unit_test(features_refused),
      cmocka_unit_test(several),
      cmocka_unit_test(fused),
      cmocka_unit_test(allocations_fail),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests_name("onnx_export", tests, begin, end);
}
