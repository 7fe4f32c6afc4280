/* SPDX-License-Identifier: MIT */
/* Norms, recurrent layers, attention and global pools: what the goldens do not say.  Results do not depend on
 * the number of threads; NaN passes through; wrong shapes are refused with one clear line; the forget gate's
 * bias. */
#include "harness.h"
#include "nn/layers/norm.h"

/* A case larger than the goldens', so that there are several pieces of every kind. */
static golden_case large(const char *type, const char *text) {
  golden_case c = {.n_in = 1, .clips = 21, .masked = true, .training = true, .seed = 9};
  snprintf(c.name, sizeof c.name, "%s", type);
  snprintf(c.type, sizeof c.type, "%s", type);
  snprintf(c.text, sizeof c.text, "%s", text);
  c.in[0] = (am_shape){2, 40, 1, 37, true};
  for (int b = 0; b < c.clips; b++) c.lengths[b] = (b * 17 + 5) % 41;
  return c;
}

static const char *const layers[][2] = {
    {"lstm", "{units: 33, bidirectional: true, layers: 2}"},
    {"lstm", "{units: 20, return: last}"},
    {"gru", "{units: 33, bidirectional: true, layers: 2}"},
    {"gru", "{units: 19, reset_after: false, bidirectional: true}"},
    {"batch_norm", "{}"},
    {"batch_norm", "{statistics: plain}"},
    {"layer_norm", "{}"},
    {"attention_pool", "{units: 24, heads: 2, statistics: mean_std}"},
    {"attention_pool", "{}"},
    {"global_average_pool", "{}"},
    {"global_max_pool", "{over: time}"},
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* Everything a step leaves behind, one after another. */
static am_real *step_of(const golden_case *c, int threads, const char *cpu, size_t *n) {
  am_context *ctx = am_test_context(threads, cpu);
  runner r;
  runner_create(&r, ctx, c);
  r.layer.cls->forward(&r.layer, &r.pass);
  r.layer.cls->backward(&r.layer, &r.pass);
  clear_unused(r.layer.out, r.pass.y_most, c->clips, r.pass.y);
  clear_unused(r.layer.in[0], r.pass.x_most[0], c->clips, r.pass.dx[0]);
  *n = r.y_count + r.x_count[0];
  for (int i = 0; i < r.layer.n_weights; i++) *n += r.layer.weights[i].count;
  for (int i = 0; i < r.layer.n_statistics; i++) *n += r.layer.statistics[i].count;
  am_real *all = calloc(*n, sizeof *all), *at = all;
  memcpy(at, r.pass.y, r.y_count * sizeof *at);
  at += r.y_count;
  memcpy(at, r.pass.dx[0], r.x_count[0] * sizeof *at);
  at += r.x_count[0];
  for (int i = 0; i < r.layer.n_weights; at += r.layer.weights[i++].count)
    memcpy(at, r.pass.dw[i], r.layer.weights[i].count * sizeof *at);
  for (int i = 0; i < r.layer.n_statistics; at += r.layer.statistics[i++].count)
    memcpy(at, r.statistics[i], r.layer.statistics[i].count * sizeof *at);
  runner_free(&r);
  am_context_free(ctx);
  return all;
}

static void test_threads(void **state) {
  (void)state;
  const char *cpus[AM_TEST_CPUS];
  const size_t n_cpus = am_test_cpus(cpus);
  for (size_t i = 0; i < LAYERS; i++)
    for (size_t k = 0; k < n_cpus; k++) {
      const golden_case c = large(layers[i][0], layers[i][1]);
      size_t n, m;
      am_real *one = step_of(&c, 1, cpus[k], &n);
      for (int threads = 2; threads <= 4; threads += 2) {
        am_real *more = step_of(&c, threads, cpus[k], &m);
        assert_int_equal(n, m);
        if (memcmp(one, more, n * sizeof *one)) fail_msg("%s %s: other bits with %d threads", c.type, c.text, threads);
        free(more);
      }
      for (size_t e = 0; e < n; e++)
        if (!isfinite((double)one[e])) fail_msg("%s %s: not finite at %zu", c.type, c.text, e);
      free(one);
    }
}

/* One NaN in the first frame of clip 1 reaches that clip's last output, or its pooled one, and (but for batch
 * norm) no other clip. */
static void test_nan(void **state) {
  (void)state;
  am_context *ctx = am_test_context(2, NULL);
  for (size_t i = 0; i < LAYERS; i++) {
    const golden_case c = large(layers[i][0], layers[i][1]);
    runner r;
    runner_create(&r, ctx, &c);
    const am_layer *layer = &r.layer;
    const size_t clip = am_shape_count(layer->in[0]), out = am_shape_count(layer->out);
    const size_t used = am_frames_count(layer->out, r.pass.y_most);
    for (int k = 0; k < layer->in[0].c; k++) r.x[0][clip + (size_t)k] = (am_real)NAN;
    layer->cls->forward(layer, &r.pass);
    size_t here = 0, elsewhere = 0;
    for (size_t e = 0; e < r.y_count; e++)
      if (e % out < used && isnan((double)r.pass.y[e])) *(e / out == 1 ? &here : &elsewhere) += 1;
    if (!here) fail_msg("%s %s: NaN was lost", c.type, c.text);
    if (elsewhere && strcmp(c.type, "batch_norm"))
      fail_msg("%s %s: NaN in %zu other places", c.type, c.text, elsewhere);
    runner_free(&r);
  }
  am_context_free(ctx);
}

static am_status build_of(am_context *ctx, const char *type, const char *text, am_shape in, am_error *err) {
  am_tree *tree = NULL;
  am_layer layer = {.cls = am_layer_find(NULL, type), .ctx = ctx, .name = "it", .n_in = 1};
  am_test_ok(am_tree_create(ctx, &tree, NULL), &(am_error){0});
  layer.options = calloc(1, layer.cls->options_size + 1);
  layer.in[0] = in;
  am_status status = am_options_read(tree, layer.cls->table, flow_parse(tree, text), type, layer.options, err);
  if (!status) status = layer.cls->build(&layer, err);
  free(layer.options);
  am_tree_free(tree);
  return status;
}

static void test_refused(void **state) {
  (void)state;
  const am_shape vector = {1, 1, 1, 8, false}, sequence = {2, 9, 1, 8, true}, map = {3, 9, 4, 2, true};
  am_context *ctx = am_test_context(1, "plain");
  am_error err = AM_ERROR_INIT;
  am_test_fails(build_of(ctx, "lstm", "{units: 4}", map, &err), AM_E_SHAPE, &err, "to_sequence");
  am_test_fails(build_of(ctx, "gru", "{units: 4}", vector, &err), AM_E_SHAPE, &err, "layer it, input (8)");
  am_test_fails(build_of(ctx, "lstm", "{}", sequence, &err), AM_E_CONFIG, &err, "units");
  am_test_fails(build_of(ctx, "lstm", "{units: 0}", sequence, &err), AM_E_CONFIG, &err, "units");
  am_test_fails(build_of(ctx, "lstm", "{units: 4, layers: 3, bidirectional: true}", sequence, &err), AM_E_CONFIG, &err,
                "at most 2");
  am_test_fails(build_of(ctx, "lstm", "{units: 4, reset_after: true}", sequence, &err), AM_E_CONFIG, &err,
                "reset_after");
  am_test_fails(build_of(ctx, "attention_pool", "{}", map, &err), AM_E_SHAPE, &err, "to_sequence");
  am_test_fails(build_of(ctx, "attention_pool", "{heads: 0}", sequence, &err), AM_E_CONFIG, &err, "heads");
  am_test_fails(build_of(ctx, "global_max_pool", "{}", vector, &err), AM_E_SHAPE, &err, "flatten");
  am_test_fails(build_of(ctx, "global_average_pool", "{over: al}", map, &err), AM_E_CONFIG, &err, "all");
  am_test_fails(build_of(ctx, "layer_norm", "{}", (am_shape){2, 9, 1, 1, true}, &err), AM_E_SHAPE, &err, "at least 2");
  am_test_fails(build_of(ctx, "batch_norm", "{momentum: 1.5}", map, &err), AM_E_CONFIG, &err, "momentum");
  am_context_free(ctx);
}

static void test_forget_bias(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, "plain");
  for (int on = 0; on < 2; on++) {
    const golden_case c = large(
        "lstm", on ? "{units: 3, bidirectional: true}" : "{units: 3, bidirectional: true, unit_forget_bias: false}");
    runner r;
    runner_create(&r, ctx, &c);
    for (int i = 0; i < r.layer.n_weights; i++) memset(r.w[i], 0, r.layer.weights[i].count * sizeof(am_real));
    r.layer.cls->initialise(&r.layer, r.w, 1);
    for (int i = 0; i < r.layer.n_weights; i++)
      for (size_t k = 0; k < r.layer.weights[i].count; k++) {
        const bool forget = on && (i == 2 || i == 5) && k >= 3 && k < 6;
        assert_true(r.w[i][k] == (forget ? 1 : 0));
      }
    runner_free(&r);
  }
  am_context_free(ctx);
}

/* A batch of clips without frames leaves the moving statistics alone, and one position has no variance. */
static void test_batch_norm_little(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, "plain");
  for (int frames = 0; frames < 2; frames++) {
    golden_case c = large("batch_norm", "{unbiased: true, momentum: 0.5, statistics: plain}");
    for (int b = 0; b < c.clips; b++) c.lengths[b] = b == 4 ? frames : 0;
    runner r;
    runner_create(&r, ctx, &c);
    am_real before[37];
    memcpy(before, r.statistics[1], sizeof before);
    r.layer.cls->forward(&r.layer, &r.pass);
    r.layer.cls->backward(&r.layer, &r.pass);
    for (size_t i = 0; i < r.y_count; i++)
      if (i % (size_t)(40 * 37) < (size_t)(frames * 37))
        assert_true(isfinite((double)r.pass.y[i]) && r.pass.dx[0][i] == 0);
    for (int k = 0; k < 37; k++) assert_true(r.statistics[1][k] == (frames ? before[k] / 2 : before[k]));
    runner_free(&r);
  }
  am_context_free(ctx);
}

/* A batch norm of a few channels whose batches differ from one to the next. */
typedef struct drift {
  runner r;
  int t; /* batches so far */
} drift;

static void drift_begin(drift *d, am_context *ctx, const char *options) {
  golden_case c = large("batch_norm", options);
  c.masked = false;
  c.clips = 3;
  c.in[0] = (am_shape){1, 1, 1, 5, false};
  *d = (drift){0};
  runner_create(&d->r, ctx, &c);
  for (int k = 0; k < 5; k++) d->r.statistics[0][k] = 0, d->r.statistics[1][k] = 1;
  for (int k = 0; k < 5 && d->r.layer.n_statistics == 3; k++) d->r.statistics[2][k] = 0;
}

/* One more batch; its mean and variance of channel k by definition. */
static void drift_step(drift *d, double mean[5], double variance[5]) {
  d->t++;
  for (int i = 0; i < 15; i++)
    d->r.x[0][i] = (am_real)(3 + sin(1.3 * i * i + 0.7 * d->t) * (1 + 0.5 * cos(0.01 * d->t)));
  for (int k = 0; k < 5; k++) {
    const double x[3] = {(double)d->r.x[0][k], (double)d->r.x[0][5 + k], (double)d->r.x[0][10 + k]};
    mean[k] = (x[0] + x[1] + x[2]) / 3;
    variance[k] = 0;
    for (int b = 0; b < 3; b++) variance[k] += (x[b] - mean[k]) * (x[b] - mean[k]) / 3;
  }
  d->r.layer.cls->forward(&d->r.layer, &d->r.pass);
}

/* Of the batches alone, by the weights (1-m) m^(t-i), whatever stood there before; all alike where m is 1. */
static void test_batch_norm_corrected(void **state) {
  (void)state;
  static const double momenta[] = {0.99, 0.5, 1};
  enum { STEPS = 40 };
  am_context *ctx = am_test_context(1, "plain");
  for (int i = 0; i < 3; i++) {
    char options[64];
    drift d;
    double mean[STEPS][5], variance[STEPS][5];
    snprintf(options, sizeof options, "{momentum: %g}", momenta[i]);
    drift_begin(&d, ctx, options);
    for (int k = 0; k < 5; k++) d.r.statistics[0][k] = 1000, d.r.statistics[1][k] = 1000; /* no matter what */
    for (int t = 0; t < STEPS; t++) {
      drift_step(&d, mean[t], variance[t]);
      double weights = 0, m[5] = {0}, v[5] = {0};
      for (int s = 0; s <= t; s++) {
        const double weight = pow(momenta[i], t - s);
        weights += weight;
        for (int k = 0; k < 5; k++) m[k] += weight * mean[s][k], v[k] += weight * variance[s][k];
      }
      for (int k = 0; k < 5; k++) {
        assert_true(d.r.statistics[2][k] == t + 1);
        assert_true(fabs((double)d.r.statistics[0][k] - m[k] / weights) < 2e-6);
        assert_true(fabs((double)d.r.statistics[1][k] - v[k] / weights) < 2e-6);
      }
    }
    runner_free(&d.r);
  }
  am_context_free(ctx);
}

/* After few steps the start is most of the plain statistics; after 2500, those of configs/ravdess_cnn_lstm.yaml, the two
 * kinds agree to rounding: what is left of the start is 0.99^2500 = 1e-11. */
static void test_batch_norm_start(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, "plain");
  drift plain, corrected;
  double mean[5], variance[5];
  drift_begin(&plain, ctx, "{statistics: plain}");
  drift_begin(&corrected, ctx, "{}");
  while (plain.t < 2500) {
    drift_step(&plain, mean, variance);
    drift_step(&corrected, mean, variance);
    const double start = am_batch_norm_start(&plain.r.layer, (uint64_t)plain.t);
    assert_true(fabs(start - pow(0.99, plain.t)) < 1e-12 && am_batch_norm_start(&corrected.r.layer, 7) == 0);
    for (int k = 0; k < 5; k++) {
      const double p = (double)plain.r.statistics[0][k], c = (double)corrected.r.statistics[0][k];
      const double pv = (double)plain.r.statistics[1][k], cv = (double)corrected.r.statistics[1][k];
      /* plain = start * (what it began with) + (1 - start) * corrected */
      assert_true(fabs(p - (1 - start) * c) < 2e-5);
      assert_true(fabs(pv - start - (1 - start) * cv) < 2e-5);
      if (plain.t == 2500) assert_true(fabs(p - c) < 3e-6 * fabs(c) && fabs(pv - cv) < 3e-6 * cv);
    }
  }
  runner_free(&plain.r);
  runner_free(&corrected.r);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_threads),           cmocka_unit_test(test_nan),
      cmocka_unit_test(test_refused),           cmocka_unit_test(test_forget_bias),
      cmocka_unit_test(test_batch_norm_little), cmocka_unit_test(test_batch_norm_corrected),
      cmocka_unit_test(test_batch_norm_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
