/* SPDX-License-Identifier: MIT */
/* tests/nn/test_layers_basic.c - dense, activations, dropout, joins, reshapes and
 * initialisers against plain loops in double. */
#include "nn/initialise.h"
#include "nn/layers/dropout.h"
#include "small.h"

enum { B = 4 };

/* One layer between the input and what makes a model of it, run forward and backward with everything kept. */
typedef struct bench {
  am_context *ctx;
  am_model *model;
  am_session *session;
  am_real *x;
  int lengths[B];
  am_shape in, out;
} bench;

/* `layer` in flow YAML; its tensor is number 1. */
static bench bench_open(const char *cpu, const char *layer, am_shape in) {
  bench b = {.ctx = am_test_context(2, cpu), .in = in};
  char yaml[512];
  const char *tail = in.rank > 1 ? ", global_average_pool, {dense: {}}]" : ", {dense: {}}]";
  snprintf(yaml, sizeof yaml, "[%s%s", layer, tail);
  b.model = net(b.ctx, yaml, in, 3);
  net_shake(b.model, 11);
  am_model_set_keep(b.model, true);
  b.out = am_model_step(b.model, 0)->layer.out;
  b.session = net_session(b.model, B, true);
  am_session_want_input_gradient(b.session, true);
  for (int i = 0; i < B; i++) b.lengths[i] = in.variable ? (in.t * (i + 1) + B - 1) / B : in.t;
  b.x = net_input(in, B, b.lengths, 21);
  return b;
}

static void bench_run(bench *b) {
  am_real *dy = net_numbers(B * 3, 5);
  am_batch data = {.size = sizeof data, .n = B, .x = b->x, .lengths = b->lengths, .seed = 3, .epoch = 1};
  am_session_forward(b->session, &data, true, NULL);
  am_session_zero_gradients(b->session);
  am_session_backward(b->session, dy, NULL);
  free(dy);
}

static void bench_close(bench *b) {
  free(b->x);
  am_session_free(b->session);
  am_model_free(b->model);
  am_context_free(b->ctx);
}

static size_t live_rows(const bench *b, int clip) {
  return b->in.rank == 1 ? 1 : (size_t)b->lengths[clip] * (size_t)b->in.f;
}

/* Dense */

static void check_dense(const char *cpu, const char *layer, am_shape in) {
  bench b = bench_open(cpu, layer, in);
  bench_run(&b);
  size_t ci = (size_t)in.c, co = (size_t)b.out.c, rows = (size_t)in.t * (size_t)in.f;
  const am_layer *dense = &am_model_step(b.model, 0)->layer;
  bool bias = dense->n_weights > 1;
  const am_real *w = am_model_weights(b.model, NULL) + dense->weights[0].offset;
  const am_real *offset = bias ? am_model_weights(b.model, NULL) + dense->weights[1].offset : NULL;
  const am_real *dy = am_session_tensor_gradient(b.session, 1), *g = am_session_gradients(b.session);
  am_real *y = calloc(B * rows * co, sizeof *y), *dx = calloc(B * rows * ci, sizeof *dx);
  am_real *dw = calloc(ci * co, sizeof *dw), *db = calloc(co, sizeof *db);
  double *sum = calloc(ci * co + co, sizeof *sum);
  for (int clip = 0; clip < B; clip++)
    for (size_t r = clip * rows; r < clip * rows + live_rows(&b, clip); r++)
      for (size_t o = 0; o < co; o++) {
        double total = bias ? offset[o] : 0;
        for (size_t i = 0; i < ci; i++) {
          total += (double)b.x[r * ci + i] * w[i * co + o];
          sum[i * co + o] += (double)b.x[r * ci + i] * dy[r * co + o];
        }
        sum[ci * co + o] += dy[r * co + o];
        y[r * co + o] = (am_real)total;
      }
  for (int clip = 0; clip < B; clip++)
    for (size_t r = clip * rows; r < clip * rows + live_rows(&b, clip); r++)
      for (size_t i = 0; i < ci; i++) {
        double total = 0;
        for (size_t o = 0; o < co; o++) total += (double)dy[r * co + o] * w[i * co + o];
        dx[r * ci + i] = (am_real)total;
      }
  for (size_t i = 0; i < ci * co; i++) dw[i] = (am_real)sum[i];
  for (size_t o = 0; o < co; o++) db[o] = (am_real)sum[ci * co + o];
  assert_tensor_f(am_session_tensor(b.session, 1), y, B * rows * co, 3e-6);
  assert_tensor_f(am_session_input_gradient(b.session), dx, B * rows * ci, 3e-6);
  assert_tensor_f(g + dense->weights[0].offset, dw, ci * co, 3e-6);
  if (bias) assert_tensor_f(g + dense->weights[1].offset, db, co, 3e-6);
  free(y);
  free(dx);
  free(dw);
  free(db);
  free(sum);
  bench_close(&b);
}

static void dense_equals_plain_loops(void **state) {
  (void)state;
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  for (size_t i = 0; i < n; i++) {
    check_dense(cpus[i], "{dense: {units: 5}}", net_vector(7));
    check_dense(cpus[i], "{dense: {units: 1, bias: false}}", net_vector(1));
    check_dense(cpus[i], "{dense: {units: 33}}", net_vector(700));
    check_dense(cpus[i], "{dense: {units: 17}}", net_vector(8192)); /* sliced */
    check_dense(cpus[i], "{dense: {units: 3, bias: false}}", net_vector(9001));
    check_dense(cpus[i], "{dense: {units: 5}}", net_sequence(13, 7, true));
    check_dense(cpus[i], "{dense: {units: 6}}", net_sequence(700, 3, true)); /* several pieces a clip */
    check_dense(cpus[i], "{dense: {units: 5, bias: false}}", net_map(9, 4, 3, true));
    check_dense(cpus[i], "{dense: {units: 600}}", net_sequence(3, 500, true)); /* no partial gradients */
  }
}

/* Groups of more rows than one chain sums, and a batch of more than meet W in place: against plain loops, and by
 * any number of threads.  On plain and fast paths. */
static void dense_of_many_clips(void **state) {
  (void)state;
  enum { CLIPS = 450, IN = 150, OUT = 270 };
  const char *cpus[AM_TEST_CPUS];
  const size_t n = am_test_cpus(cpus);
  am_real *x = net_numbers(CLIPS * IN, 3), *dy = net_numbers(CLIPS * OUT, 4);
  for (size_t i = 0; i < n; i++) {
    am_real *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
      am_context *ctx = am_test_context(threads, cpus[i]);
      am_model *model = net(ctx, "[dense]", net_vector(IN), OUT);
      am_session *session;
      am_error err = AM_ERROR_INIT;
      net_shake(model, 11);
      am_test_ok(am_session_create_grouped(model, CLIPS, 200, true, &session, &err), &err);
      am_session_want_input_gradient(session, true);
      const am_batch data = {.size = sizeof data, .n = CLIPS, .x = x};
      am_test_ok(am_session_forward(session, &data, true, &err), &err);
      am_session_zero_gradients(session);
      am_test_ok(am_session_backward(session, dy, &err), &err);
      const size_t bias = am_model_step(model, 0)->layer.weights[1].offset;
      const am_real *w = am_model_weights(model, NULL), *y = am_session_output(session);
      const am_real *g = am_session_gradients(session), *dx = am_session_input_gradient(session);
      double worst = 0;
      for (size_t r = 0; r < CLIPS; r += 7) {
        for (size_t o = 0; o < OUT; o++) {
          double sum = w[bias + o];
          for (size_t c = 0; c < IN; c++) sum += (double)x[r * IN + c] * w[c * OUT + o];
          worst = fmax(worst, fabs(sum - y[r * OUT + o]));
        }
        for (size_t c = 0; c < IN; c++) {
          double sum = 0;
          for (size_t o = 0; o < OUT; o++) sum += (double)dy[r * OUT + o] * w[c * OUT + o];
          worst = fmax(worst, fabs(sum - dx[r * IN + c]));
        }
      }
      for (size_t c = 0; c <= IN; c++) /* the last: the bias */
        for (size_t o = 0; o < OUT; o += 3) {
          double sum = 0;
          for (size_t r = 0; r < CLIPS; r++) sum += (double)(c < IN ? x[r * IN + c] : 1) * dy[r * OUT + o];
          worst = fmax(worst, fabs(sum - g[c < IN ? c * OUT + o : bias + o]));
        }
      if (!(worst < 1e-4)) fail_msg("%s: off by %g", cpus[i], worst);
      if (!first) first = memcpy(calloc(bias + OUT, sizeof *first), g, (bias + OUT) * sizeof *first);
      assert_memory_equal(g, first, (bias + OUT) * sizeof *first);
      am_session_free(session);
      am_model_free(model);
      am_context_free(ctx);
    }
    free(first);
  }
  free(x);
  free(dy);
}

/* Activations */

static double relu(double x) { return x > 0 ? x : 0; }
static double relu_slope(double x) { return x > 0; }
static double leaky(double x) { return x > 0 ? x : 0.2 * x; }
static double leaky_slope(double x) { return x > 0 ? 1 : 0.2; }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double sigmoid_slope(double x) { return sigmoid(x) * (1 - sigmoid(x)); }
static double tanh_slope(double x) { return 1 - tanh(x) * tanh(x); }
static double gelu(double x) { return 0.5 * x * erfc(-x / sqrt(2)); }
static double gelu_slope(double x) {
  return 0.5 * erfc(-x / sqrt(2)) + x * exp(-x * x / 2) / sqrt(2 * 3.14159265358979323846);
}
static double silu(double x) { return x * sigmoid(x); }
static double silu_slope(double x) { return sigmoid(x) + x * sigmoid_slope(x); }

static void check_activation(const char *cpu, const char *layer, am_shape in, double (*f)(double),
                             double (*slope)(double)) {
  bench b = bench_open(cpu, layer, in);
  bench_run(&b);
  size_t clip = am_shape_count(in);
  const am_real *dy = am_session_tensor_gradient(b.session, 1);
  am_real *y = calloc(B * clip, sizeof *y), *dx = calloc(B * clip, sizeof *dx);
  for (int c = 0; c < B; c++)
    for (size_t i = (size_t)c * clip; i < (size_t)c * clip + live_rows(&b, c) * (size_t)in.c; i++) {
      y[i] = (am_real)f(b.x[i]);
      dx[i] = (am_real)(dy[i] * slope(b.x[i]));
    }
  assert_tensor_f(am_session_tensor(b.session, 1), y, B * clip, 1e-6);
  assert_tensor_f(am_session_input_gradient(b.session), dx, B * clip, 1e-6);
  for (int c = 0; c < B && in.rank > 1; c++)
    for (size_t i = (size_t)c * clip + live_rows(&b, c) * (size_t)in.c; i < (size_t)(c + 1) * clip; i++)
      assert_true(am_session_tensor(b.session, 1)[i] == 0 && am_session_input_gradient(b.session)[i] == 0);
  free(y);
  free(dx);
  bench_close(&b);
}

static void activations_equal_the_definitions(void **state) {
  (void)state;
  static const struct {
    const char *yaml;
    double (*f)(double), (*slope)(double);
  } all[] = {{"relu", relu, relu_slope},          {"{leaky_relu: {alpha: 0.2}}", leaky, leaky_slope},
             {"sigmoid", sigmoid, sigmoid_slope}, {"tanh", tanh, tanh_slope},
             {"gelu", gelu, gelu_slope},          {"silu", silu, silu_slope}};
  const am_shape shapes[] = {net_vector(37), net_sequence(21, 5, true), net_map(7, 3, 5, true),
                             net_map(67, 64, 16, true)};
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  for (size_t i = 0; i < n; i++)
    for (size_t a = 0; a < sizeof all / sizeof *all; a++)
      for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        check_activation(cpus[i], all[a].yaml, shapes[s], all[a].f, all[a].slope);
}

static void softmax_rows_sum_to_one_and_stop_at_the_end(void **state) {
  (void)state;
  bench b = bench_open(NULL, "softmax", net_map(6, 2, 5, true));
  bench_run(&b);
  const am_real *y = am_session_tensor(b.session, 1), *dy = am_session_tensor_gradient(b.session, 1);
  const am_real *dx = am_session_input_gradient(b.session);
  for (int c = 0; c < B; c++)
    for (size_t r = 0; r < 12; r++) {
      size_t at = ((size_t)c * 12 + r) * 5;
      double total = 0, sum = 0, dot = 0;
      for (int k = 0; k < 5; k++) {
        sum += y[at + k];
        total += exp((double)b.x[at + k]);
        dot += (double)y[at + k] * dy[at + k];
      }
      if (r >= live_rows(&b, c)) {
        for (int k = 0; k < 5; k++) assert_true(y[at + k] == 0 && dx[at + k] == 0);
        continue;
      }
      assert_true(fabs(sum - 1) < 1e-6);
      for (int k = 0; k < 5; k++) {
        assert_true(fabs(y[at + k] - exp((double)b.x[at + k]) / total) < 1e-6);
        assert_true(fabs(dx[at + k] - y[at + k] * (dy[at + k] - dot)) < 1e-7);
      }
    }
  bench_close(&b);
}

static void nan_passes_through(void **state) {
  (void)state;
  static const char *const layers[] = {"relu",
                                       "leaky_relu",
                                       "sigmoid",
                                       "tanh",
                                       "gelu",
                                       "silu",
                                       "softmax",
                                       "{dropout: {rate: 0.9}}",
                                       "{dense: {units: 4}}"};
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  for (size_t c = 0; c < n; c++)
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
      bench b = bench_open(cpus[c], layers[i], net_sequence(3, 4, false));
      for (int k = 0; k < 4; k++) b.x[k] = NAN; /* the first frame of the first clip */
      bench_run(&b);
      const am_real *y = am_session_tensor(b.session, 1);
      for (int k = 0; k < 4; k++)
        if (!isnan(y[k])) fail_msg("%s on %s: NaN became %g", layers[i], cpus[c], (double)y[k]);
      assert_false(isnan(y[4]));
      assert_true(isnan(am_session_output(b.session)[0]));
      assert_false(isnan(am_session_output(b.session)[3]));
      bench_close(&b);
    }
}

/* Dropout */

static void dropout_draws_words_of_its_stream(void **state) {
  (void)state;
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  for (size_t c = 0; c < n; c++) {
    am_context *ctx = am_test_context(1, cpus[c]);
    am_model *m = net(ctx, "[{dropout: {rate: 0.3}}, dense]", net_vector(5000), 3);
    const am_layer *layer = &am_model_step(m, 0)->layer;
    static const size_t sizes[] = {1, 3, 4, 15, 16, 17, 31, 1000, 5000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      uint8_t keep[5001] = {0};
      keep[sizes[s]] = 7;
      am_dropout_mask(layer, 42, 3, 99, sizes[s], keep);
      assert_int_equal(keep[sizes[s]], 7);
      am_rng rng = am_rng_stream(42, AM_FOR_DROPOUT, layer->id, 3, 99);
      for (size_t i = 0; i < sizes[s]; i++)
        assert_int_equal(keep[i], am_rng_u32(&rng) >= (uint32_t)(0.3 * 4294967296.0));
    }
    am_model_free(m);
    am_context_free(ctx);
  }
}

static void dropout_scales_what_its_mask_keeps(void **state) {
  (void)state;
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  for (size_t c = 0; c < n; c++) {
    am_shape in = net_map(300, 9, 13, true); /* two pieces a clip, with a rest */
    bench b = bench_open(cpus[c], "{dropout: {rate: 0.25}}", in);
    const am_layer *layer = &am_model_step(b.model, 0)->layer;
    size_t clip = am_shape_count(in), kept = 0, seen = 0;
    uint8_t *keep = malloc(clip);
    uint64_t draws[B] = {5, 6, 7, 1000000};
    am_real *dy3 = net_numbers(B * 3, 5);
    am_batch data = {
        .size = sizeof data, .n = B, .x = b.x, .lengths = b.lengths, .seed = 8, .epoch = 4, .draws = draws};
    am_session_forward(b.session, &data, true, NULL);
    am_session_backward(b.session, dy3, NULL);
    const am_real *y = am_session_tensor(b.session, 1), *dy = am_session_tensor_gradient(b.session, 1);
    const am_real *dx = am_session_input_gradient(b.session);
    for (int k = 0; k < B; k++) {
      am_dropout_mask(layer, 8, 4, draws[k], clip, keep);
      for (size_t i = 0; i < clip; i++) {
        size_t at = (size_t)k * clip + i;
        assert_true(y[at] == (keep[i] ? b.x[at] * (am_real)(1 / 0.75) : 0));
        assert_true(dx[at] == (keep[i] ? dy[at] * (am_real)(1 / 0.75) : 0));
        kept += keep[i];
        seen++;
      }
    }
    assert_true(fabs((double)kept / (double)seen - 0.75) < 0.005); /* 140400 draws: 4 deviations */
    data.seed = 9;
    am_session_forward(b.session, &data, false, NULL);
    assert_memory_equal(am_session_tensor(b.session, 1), b.x, B * clip * sizeof *b.x);
    free(dy3);
    free(keep);
    bench_close(&b);
  }
}

static void dropout_masks_differ_by_every_part_of_the_key(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_model *m = net(ctx, "[{dropout: {rate: 0.5}}, {dropout: {rate: 0.5}}, dense]", net_vector(256), 3);
  uint8_t keep[5][256];
  const am_layer *first = &am_model_step(m, 0)->layer;
  am_dropout_mask(first, 1, 1, 1, 256, keep[0]);
  am_dropout_mask(first, 2, 1, 1, 256, keep[1]);
  am_dropout_mask(first, 1, 2, 1, 256, keep[2]);
  am_dropout_mask(first, 1, 1, 2, 256, keep[3]);
  am_dropout_mask(&am_model_step(m, 1)->layer, 1, 1, 1, 256, keep[4]);
  for (int a = 0; a < 5; a++)
    for (int b = a + 1; b < 5; b++) assert_memory_not_equal(keep[a], keep[b], 256);
  am_model_free(m);
  am_context_free(ctx);
}

/* Joins and reshapes */

static void joins_equal_plain_loops(void **state) {
  (void)state;
  am_context *ctx = am_test_context(2, NULL);
  am_shape in = net_map(5, 3, 4, true);
  am_model *m = net(ctx,
                    "[{parallel: {branches: [[{dense: {units: 2}}], [], [{dense: {units: 4, activation: tanh}}]]}}, "
                    "{squeeze_excite: {reduction: 3}}, {residual: {layers: [{dense: {units: 10}}], activation: none}}, "
                    "to_sequence, global_average_pool, dense]",
                    in, 3);
  net_shake(m, 2);
  am_model_set_keep(m, true);
  const int lengths[2] = {5, 2};
  am_real *x = net_input(in, 2, lengths, 1), *dy = net_numbers(6, 2);
  am_session *s = net_session(m, 2, true);
  am_session_want_input_gradient(s, true);
  am_batch data = {.size = sizeof data, .n = 2, .x = x, .lengths = lengths};
  am_session_forward(s, &data, true, NULL);
  am_session_backward(s, dy, NULL);
  /* Tensors: 1 dense, 2 dense, 3 tanh, 4 concat, 5..9 the gate, 10 scale, 11 dense, 12 add, 13 sequence. */
  const am_real *a = am_session_tensor(s, 1), *c = am_session_tensor(s, 3), *joined = am_session_tensor(s, 4);
  const am_real *gate = am_session_tensor(s, 9), *scaled = am_session_tensor(s, 10), *body = am_session_tensor(s, 11);
  const am_real *sum = am_session_tensor(s, 12), *sequence = am_session_tensor(s, 13);
  const am_real *d_joined = am_session_tensor_gradient(s, 4), *d_scaled = am_session_tensor_gradient(s, 10);
  const am_real *d_gate = am_session_tensor_gradient(s, 9), *d_c = am_session_tensor_gradient(s, 3);
  assert_string_equal(am_model_step(m, 9)->layer.name, "squeeze_excite_1/scale");
  assert_int_equal(am_model_step(m, 12)->layer.out.c, 30);
  for (size_t r = 0; r < 2 * 15; r++) {
    for (size_t k = 0; k < 10; k++) {
      am_real wanted = k < 2 ? a[r * 2 + k] : k < 6 ? x[r * 4 + k - 2] : c[r * 4 + k - 6];
      assert_true(joined[r * 10 + k] == wanted);
      assert_true(scaled[r * 10 + k] == joined[r * 10 + k] * gate[r / 15 * 10 + k]);
      assert_true(sum[r * 10 + k] == body[r * 10 + k] + scaled[r * 10 + k]);
      if (k >= 6) assert_true(d_c[r * 4 + k - 6] == d_joined[r * 10 + k]);
    }
  }
  assert_memory_equal(sum, sequence, 300 * sizeof *sum);
  for (size_t b = 0; b < 2; b++)
    for (size_t k = 0; k < 10; k++) {
      double wanted = 0;
      for (size_t r = 0; r < 15; r++) wanted += (double)d_scaled[(b * 15 + r) * 10 + k] * joined[(b * 15 + r) * 10 + k];
      assert_true(fabs(d_gate[b * 10 + k] - wanted) < 1e-6);
    }
  free(x);
  free(dy);
  am_session_free(s);
  am_model_free(m);
  am_context_free(ctx);
}

/* Initialisers */

typedef struct moments {
  double mean, deviation, largest;
} moments;

static moments measure(const am_real *w, size_t n) {
  moments m = {0};
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) {
    sum += w[i];
    squares += (double)w[i] * w[i];
    if (fabs((double)w[i]) > m.largest) m.largest = fabs((double)w[i]);
  }
  m.mean = sum / (double)n;
  m.deviation = sqrt(squares / (double)n - m.mean * m.mean);
  return m;
}

static void initialisers_have_their_moments(void **state) {
  (void)state;
  enum { N = 200000 };
  static const struct {
    am_initialiser init;
    double deviation, largest;
  } all[] = {
      {AM_INIT_GLOROT_UNIFORM, 0.1, 0.1732050808}, /* sqrt(6/200), over sqrt(3) */
      {AM_INIT_GLOROT_NORMAL, 0.1, 0.2273695},     /* 2 * 0.1 / 0.87962566 */
      {AM_INIT_HE_UNIFORM, 0.2, 0.3464101615},
      {AM_INIT_HE_NORMAL, 0.2, 0.454739},
      {AM_INIT_UNIFORM_FAN_IN, 0.0816496581, 0.1414213562},
  };
  am_real *w = malloc(N * sizeof *w), *again = malloc(N * sizeof *again);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    am_array array = {.rank = 1, .dims = {N, 1, 1, 1}, .init = all[i].init, .fan_in = 50, .fan_out = 150, .count = N};
    am_array_initialise(&array, w, 1, 2, 3);
    moments m = measure(w, N);
    assert_true(fabs(m.mean) < 0.002 * (all[i].deviation / 0.1));
    assert_true(fabs(m.deviation / all[i].deviation - 1) < 0.01);
    assert_true(m.largest <= all[i].largest * 1.0001 && m.largest > all[i].largest * 0.995);
    am_array_initialise(&array, again, 1, 2, 3);
    assert_memory_equal(w, again, N * sizeof *w);
    am_array_initialise(&array, again, 1, 2, 4);
    assert_memory_not_equal(w, again, N * sizeof *w);
  }
  am_array array = {.rank = 1, .dims = {N, 1, 1, 1}, .init = AM_INIT_ONE, .count = N};
  am_array_initialise(&array, w, 1, 2, 3);
  assert_true(w[0] == 1 && w[N - 1] == 1);
  array.init = AM_INIT_ZERO;
  am_array_initialise(&array, w, 1, 2, 3);
  assert_true(w[0] == 0 && w[N - 1] == 0);
  free(w);
  free(again);
}

static void orthogonal_matrices_are_orthogonal(void **state) {
  (void)state;
  static const int shapes[][2] = {{64, 64}, {300, 40}, {40, 300}, {5, 1}, {1, 5}, {30, 600}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    size_t rows = (size_t)shapes[i][0], columns = (size_t)shapes[i][1], fewer = rows < columns ? rows : columns;
    am_array array = {
        .rank = 2, .dims = {shapes[i][0], shapes[i][1], 1, 1}, .init = AM_INIT_ORTHOGONAL, .count = rows * columns};
    am_real *w = malloc(array.count * sizeof *w);
    am_array_initialise(&array, w, 1, 2, 3);
    for (size_t a = 0; a < fewer; a++)
      for (size_t b = 0; b <= a; b++) {
        double dot = 0;
        for (size_t k = 0; k < (rows < columns ? columns : rows); k++)
          dot += rows < columns ? (double)w[a * columns + k] * w[b * columns + k]
                                : (double)w[k * columns + a] * w[k * columns + b];
        if (fabs(dot - (a == b)) > 1e-6) fail_msg("%zu x %zu: vectors %zu and %zu give %.9g", rows, columns, a, b, dot);
      }
    free(w);
  }
}

static void a_model_starts_from_its_seed_alone(void **state) {
  (void)state;
  static const char yaml[] = "[{lstm: {units: 4}}, global_average_pool, {dense: {initialiser: orthogonal}}]";
  am_context *one = am_test_context(1, "plain"), *two = am_test_context(2, NULL);
  am_model *a = net(one, yaml, net_sequence(5, 3, true), 3), *b = net(two, yaml, net_sequence(9, 3, true), 3);
  size_t n;
  am_real *x = am_model_weights(a, &n), *y = am_model_weights(b, NULL);
  assert_memory_equal(x, y, n * sizeof *x);
  am_model_initialise(b, 8);
  assert_memory_not_equal(x, y, n * sizeof *x);
  am_model_free(a);
  am_model_free(b);
  am_context_free(one);
  am_context_free(two);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dense_equals_plain_loops),
      cmocka_unit_test(dense_of_many_clips),
      cmocka_unit_test(activations_equal_the_definitions),
      cmocka_unit_test(softmax_rows_sum_to_one_and_stop_at_the_end),
      cmocka_unit_test(nan_passes_through),
      cmocka_unit_test(dropout_draws_words_of_its_stream),
      cmocka_unit_test(dropout_scales_what_its_mask_keeps),
      cmocka_unit_test(dropout_masks_differ_by_every_part_of_the_key),
      cmocka_unit_test(joins_equal_plain_loops),
      cmocka_unit_test(initialisers_have_their_moments),
      cmocka_unit_test(orthogonal_matrices_are_orthogonal),
      cmocka_unit_test(a_model_starts_from_its_seed_alone),
  };
  return cmocka_run_group_tests_name("nn basic layers", tests, NULL, NULL);
}
