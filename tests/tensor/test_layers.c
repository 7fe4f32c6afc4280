/* SPDX-License-Identifier: MIT */
/* Convolution and pooling layers: against loops, alone and in a padded batch, fused
 * and not, with any number of threads.  Values by PyTorch are in tests/nn. */
#include "nn/harness.h"

#include "nn/layers/conv.h"

/* A case of `clips` clips with these lengths (NULL: full) for the harness. */
static golden_case make(const char *type, const char *options, am_shape in, int clips, const int *lengths) {
  golden_case c = {.n_in = 1, .clips = clips, .masked = lengths != NULL, .training = true, .seed = 5};
  snprintf(c.name, sizeof c.name, "%s_1", type);
  snprintf(c.type, sizeof c.type, "%s", type);
  snprintf(c.text, sizeof c.text, "%s", options);
  c.in[0] = in;
  for (int b = 0; lengths && b < clips; b++) c.lengths[b] = lengths[b];
  return c;
}

static am_shape map(int t, int f, int c) { return (am_shape){3, t, f, c, false}; }
static am_shape sequence(int t, int c) { return (am_shape){2, t, 1, c, false}; }

static void run(runner *r) {
  r->layer.cls->forward(&r->layer, &r->pass);
  r->layer.cls->backward(&r->layer, &r->pass);
}

/* y, dx, dw by loops over one clip at a time, from the definition at the top of nn/conv.c. */

typedef struct loops {
  int kt, kf, st, sf, dt, df;
  am_padding padding;
  int pad;
} loops;

static void loop_clip(const runner *r, const loops *w, size_t b, int frames, double *y, double *dx, double *dk,
                      double *db) {
  am_shape in = r->layer.in[0], out = r->layer.out;
  int ci = in.c, co = out.c, to = am_window_length(frames, w->kt, w->st, w->dt, w->padding, w->pad);
  int pt = am_window_before(frames, w->kt, w->st, w->dt, w->padding, w->pad);
  int pf = am_window_before(in.f, w->kf, w->sf, w->df, w->padding, w->pad);
  const am_real *x = r->x[0] + b * am_shape_count(in), *dy = r->dy + b * am_shape_count(out);
  for (int t = 0; t < to; t++)
    for (int f = 0; f < out.f; f++)
      for (int o = 0; o < co; o++) {
        size_t at = ((size_t)t * (size_t)out.f + (size_t)f) * (size_t)co + (size_t)o;
        double sum = (double)r->w[1][o], g = (double)dy[at];
        db[o] += g;
        for (int kt = 0; kt < w->kt; kt++)
          for (int kf = 0; kf < w->kf; kf++)
            for (int i = 0; i < ci; i++) {
              int row = t * w->st + kt * w->dt - pt, bin = f * w->sf + kf * w->df - pf;
              if (row < 0 || row >= frames || bin < 0 || bin >= in.f) continue;
              size_t xi = ((size_t)row * (size_t)in.f + (size_t)bin) * (size_t)ci + (size_t)i;
              size_t ki = ((size_t)(kt * w->kf + kf) * (size_t)ci + (size_t)i) * (size_t)co + (size_t)o;
              sum += (double)x[xi] * (double)r->w[0][ki];
              dx[xi] += g * (double)r->w[0][ki];
              dk[ki] += g * (double)x[xi];
            }
        y[at] = sum;
      }
}

static void check_close(const char *what, const char *type, const am_real *got, const double *wanted, size_t n) {
  double largest = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(wanted[i]));
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)got[i] - wanted[i]) <= 3e-6 * largest))
      fail_msg("%s of %s: [%zu] is %.9g, wanted %.9g", what, type, i, (double)got[i], wanted[i]);
}

static void check_loops(am_context *ctx, const golden_case *c, const loops *w) {
  runner r;
  runner_create(&r, ctx, c);
  size_t nx = am_shape_count(r.layer.in[0]), ny = am_shape_count(r.layer.out), clips = (size_t)c->clips;
  size_t nk = r.layer.weights[0].count, nb = r.layer.weights[1].count;
  double *y = calloc(ny * clips, sizeof *y), *dx = calloc(nx * clips, sizeof *dx);
  double *dk = calloc(nk, sizeof *dk), *db = calloc(nb, sizeof *db);
  for (size_t b = 0; b < clips; b++) loop_clip(&r, w, b, r.x_len[0][b], y + b * ny, dx + b * nx, dk, db);
  run(&r);
  check_close("y", c->text, r.pass.y, y, ny * clips);
  check_close("dx", c->text, r.pass.dx[0], dx, nx * clips);
  check_close("dkernel", c->text, r.pass.dw[0], dk, nk);
  check_close("dbias", c->text, r.pass.dw[1], db, nb);
  free(y), free(dx), free(dk), free(db);
  runner_free(&r);
}

/* Several blocks of rows (a block is 32768 / (F Cout) rows), every kind of padding, clips of all lengths. */
static void test_conv_against_loops(void **state) {
  (void)state;
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  const int lengths[] = {150, 1, 0, 67, 2, 149}, frames[] = {90, 7, 90, 45, 1, 0};
  for (size_t i = 0; i < n; i++) {
    am_context *ctx = am_test_context(2, cpus[i]);
    golden_case c = make("conv2d", "{filters: 24, kernel: 3, padding: same}", map(150, 20, 3), 6, lengths);
    check_loops(ctx, &c, &(loops){3, 3, 1, 1, 1, 1, AM_PAD_SAME, 0});
    c = make("conv2d", "{filters: 24, kernel: [3, 4], stride: [2, 3], padding: same}", map(150, 33, 9), 6, lengths);
    check_loops(ctx, &c, &(loops){3, 4, 2, 3, 1, 1, AM_PAD_SAME, 0});
    c = make("conv2d", "{filters: 40, kernel: [4, 2], stride: [3, 1], dilation: [2, 3]}", map(150, 33, 2), 6, lengths);
    check_loops(ctx, &c, &(loops){4, 2, 3, 1, 2, 3, AM_PAD_VALID, 0});
    c = make("conv2d", "{filters: 5, kernel: 2, padding: explicit, pad: 3}", map(90, 6, 4), 6, frames);
    check_loops(ctx, &c, &(loops){2, 2, 1, 1, 1, 1, AM_PAD_EXPLICIT, 3});
    c = make("conv1d", "{filters: 700, kernel: 5, padding: same}", sequence(90, 6), 6, frames);
    check_loops(ctx, &c, &(loops){5, 1, 1, 1, 1, 1, AM_PAD_SAME, 0});
    c = make("conv1d", "{filters: 700, kernel: 4, dilation: 9, padding: causal}", sequence(90, 6), 6, frames);
    check_loops(ctx, &c, &(loops){4, 1, 1, 1, 9, 1, AM_PAD_CAUSAL, 0});
    c = make("conv1d", "{filters: 40, kernel: 5, stride: 3, padding: causal}", sequence(150, 24), 6, lengths);
    check_loops(ctx, &c, &(loops){5, 1, 3, 1, 1, 1, AM_PAD_CAUSAL, 0});
    c = make("conv1d", "{filters: 33, kernel: 3, stride: 4, dilation: 3}", sequence(90, 16), 6, NULL);
    check_loops(ctx, &c, &(loops){3, 1, 4, 1, 3, 1, AM_PAD_VALID, 0});
    am_context_free(ctx);
  }
}

/* Layers for the tests below, with what may be fused behind them. */
typedef struct stack {
  const char *type, *options, *pool, *pool_options; /* pool NULL: ReLU alone */
  am_shape in;
} stack;

static const stack stacks[] = {
    {"conv2d", "{filters: 20, kernel: 3, padding: same}", NULL, NULL, {3, 161, 24, 5, false}},
    {"conv2d", "{filters: 20, kernel: 3, padding: same}", "max_pool2d", "{}", {3, 161, 25, 5, false}},
    {"conv2d", "{filters: 20, kernel: [5, 2]}", "max_pool2d", "{size: [3, 2]}", {3, 161, 24, 5, false}},
    {"conv2d",
     "{filters: 20, kernel: 3, stride: 2, padding: same}",
     "max_pool2d",
     "{padding: same}",
     {3, 161, 61, 5, false}},
    {"conv2d",
     "{filters: 7, kernel: 3, padding: explicit, pad: 2}",
     "max_pool2d",
     "{size: 2, stride: 3}",
     {3, 161, 30, 5, false}},
    {"conv1d", "{filters: 300, kernel: 5, padding: same}", "max_pool1d", "{size: 4}", {2, 161, 1, 6, false}},
};
static const int stack_lengths[] = {161, 160, 3, 0, 87, 1, 2};
enum { STACK_CLIPS = sizeof stack_lengths / sizeof *stack_lengths };

static golden_case stack_case(const stack *s) { return make(s->type, s->options, s->in, STACK_CLIPS, stack_lengths); }

/* The bits of a clip's outputs do not depend on the batch around it. */
static void test_alone_and_in_a_batch(void **state) {
  (void)state;
  am_context *ctx = am_test_context(2, NULL);
  for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
    golden_case c = stack_case(&stacks[i]);
    runner all;
    runner_create(&all, ctx, &c);
    run(&all);
    size_t nx = am_shape_count(all.layer.in[0]), ny = am_shape_count(all.layer.out);
    for (int b = 0; b < STACK_CLIPS; b++) {
      int n = stack_lengths[b], m = all.y_len[b];
      if (m == 0) continue; /* a layer for that length would be refused */
      golden_case one = make(c.type, c.text, c.in[0], 1, NULL);
      one.in[0].t = n;
      runner r;
      runner_create(&r, ctx, &one);
      assert_int_equal(r.layer.out.t, m);
      memcpy(r.x[0], all.x[0] + (size_t)b * nx, r.x_count[0] * sizeof(am_real));
      memcpy(r.dy, all.dy + (size_t)b * ny, r.y_count * sizeof(am_real));
      run(&r);
      assert_memory_equal(r.pass.y, all.pass.y + (size_t)b * ny, r.y_count * sizeof(am_real));
      assert_memory_equal(r.pass.dx[0], all.pass.dx[0] + (size_t)b * nx, r.x_count[0] * sizeof(am_real));
      runner_free(&r);
    }
    runner_free(&all);
  }
  am_context_free(ctx);
}

/* ReLU and pooling as layers of their own over r's output; their gradients into r->dy. */
static void run_unfused(am_context *ctx, runner *r, const stack *s, runner *relu, runner *pool) {
  golden_case next = make("relu", "{}", r->layer.out, STACK_CLIPS, r->y_len);
  r->layer.cls->forward(&r->layer, &r->pass);
  runner_create(relu, ctx, &next);
  memcpy(relu->x[0], r->pass.y, r->y_count * sizeof(am_real));
  relu->layer.cls->forward(&relu->layer, &relu->pass);
  if (s->pool) {
    next = make(s->pool, s->pool_options, r->layer.out, STACK_CLIPS, r->y_len);
    runner_create(pool, ctx, &next);
    memcpy(pool->x[0], relu->pass.y, r->y_count * sizeof(am_real));
    run(pool);
    memcpy(relu->dy, pool->pass.dx[0], r->y_count * sizeof(am_real));
  }
  relu->layer.cls->backward(&relu->layer, &relu->pass);
  memcpy(r->dy, relu->pass.dx[0], r->y_count * sizeof(am_real));
  r->layer.cls->backward(&r->layer, &r->pass);
}

static void check_fused(am_context *ctx, const stack *s) {
  golden_case c = stack_case(s);
  runner plain, relu, pool = {0}, fused;
  runner_create(&plain, ctx, &c);
  run_unfused(ctx, &plain, s, &relu, &pool);
  runner *last = s->pool ? &pool : &relu;
  /* The harness sizes memory at build, so the fused layer gets its own afterwards. */
  runner_create(&fused, ctx, &c);
  assert_true(am_conv_fuse_relu(&fused.layer));
  assert_false(am_conv_fuse_relu(&fused.layer));
  if (s->pool) assert_true(am_conv_fuse_max_pool(&fused.layer, &pool.layer));
  assert_memory_equal(&fused.layer.out, &last->layer.out, sizeof(am_shape));
  free(fused.pass.y), free(fused.dy), free(fused.y_len);
  runner_output(&fused, &c);
  memcpy(fused.dy, last->dy, fused.y_count * sizeof(am_real));
  assert_memory_equal(fused.y_len, last->y_len, STACK_CLIPS * sizeof(int));
  runner_memory(&fused);
  run(&fused);
  assert_memory_equal(fused.pass.y, last->pass.y, fused.y_count * sizeof(am_real));
  assert_memory_equal(fused.pass.dx[0], plain.pass.dx[0], plain.x_count[0] * sizeof(am_real));
  for (int i = 0; i < 2; i++) assert_tensor_f(fused.pass.dw[i], plain.pass.dw[i], plain.layer.weights[i].count, 1e-6);
  /* Inference gives the same and does not need the cache. */
  free(fused.pass.cache);
  fused.pass.cache = NULL;
  fused.pass.training = false;
  memset(fused.pass.y, 0xFF, fused.y_count * sizeof(am_real));
  fused.layer.cls->forward(&fused.layer, &fused.pass);
  assert_memory_equal(fused.pass.y, last->pass.y, fused.y_count * sizeof(am_real));
  runner_free(&plain), runner_free(&relu), runner_free(&fused);
  if (s->pool) runner_free(&pool);
}

static void test_fused_is_the_same(void **state) {
  (void)state;
  const char *cpus[AM_TEST_CPUS];
  size_t n = am_test_cpus(cpus);
  for (size_t j = 0; j < n; j++) {
    am_context *ctx = am_test_context(2, cpus[j]);
    for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) check_fused(ctx, &stacks[i]);
    am_context_free(ctx);
  }
}

static void test_what_is_not_fused(void **state) {
  (void)state;
  static const char *const pools[] = {"{size: 3, stride: 2}", "{size: [1, 3], stride: [1, 2]}",
                                      "{size: 3, padding: same}", "{size: 2, padding: explicit, pad: 1}"};
  am_context *ctx = am_test_context(1, NULL);
  golden_case c = make("conv2d", "{filters: 4}", map(20, 10, 2), 1, NULL);
  runner conv, pool;
  runner_create(&conv, ctx, &c);
  for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
    golden_case p = make("max_pool2d", pools[i], conv.layer.out, 1, NULL);
    runner_create(&pool, ctx, &p);
    assert_false(am_conv_fuse_max_pool(&conv.layer, &pool.layer));
    assert_false(am_conv_fuse_relu(&pool.layer));
    runner_free(&pool);
  }
  golden_case a = make("average_pool2d", "{}", conv.layer.out, 1, NULL);
  runner_create(&pool, ctx, &a);
  assert_false(am_conv_fuse_max_pool(&conv.layer, &pool.layer));
  runner_free(&pool);
  runner_free(&conv);
  am_context_free(ctx);
}

static void test_threads_do_not_matter(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
    golden_case c = stack_case(&stacks[i]);
    am_context *one = am_test_context(1, NULL);
    runner first;
    runner_create(&first, one, &c);
    run(&first);
    for (int threads = 2; threads <= 5; threads += 3) {
      am_context *ctx = am_test_context(threads, NULL);
      runner r;
      runner_create(&r, ctx, &c);
      run(&r);
      assert_memory_equal(r.pass.y, first.pass.y, r.y_count * sizeof(am_real));
      assert_memory_equal(r.pass.dx[0], first.pass.dx[0], r.x_count[0] * sizeof(am_real));
      for (int k = 0; k < r.layer.n_weights; k++)
        assert_memory_equal(r.pass.dw[k], first.pass.dw[k], r.layer.weights[k].count * sizeof(am_real));
      runner_free(&r);
      am_context_free(ctx);
    }
    runner_free(&first);
    am_context_free(one);
  }
}

/* backward adds to dw, and asks nothing of dx when it is not wanted. */
static void test_backward_adds(void **state) {
  (void)state;
  am_context *ctx = am_test_context(2, NULL);
  golden_case c = make("conv2d", "{filters: 20, kernel: 3, padding: same}", map(40, 20, 3), 3, NULL);
  runner r;
  runner_create(&r, ctx, &c);
  run(&r);
  size_t n = r.layer.weights[0].count;
  am_real *once = malloc(n * sizeof *once), *dx = r.pass.dx[0];
  memcpy(once, r.pass.dw[0], n * sizeof *once);
  r.pass.dx[0] = NULL;
  r.layer.cls->backward(&r.layer, &r.pass);
  for (size_t i = 0; i < n; i++) once[i] *= 2;
  assert_tensor_f(r.pass.dw[0], once, n, 1e-6);
  r.pass.dx[0] = dx;
  free(once);
  runner_free(&r);
  am_context_free(ctx);
}

/* Pooling of one clip by loops; `share` as nn/pool.c defines it. */
static void test_pools_against_loops(void **state) {
  (void)state;
  static const struct {
    const char *type, *options;
    loops w;
    bool all;
  } cases[] = {
      {"max_pool2d", "{size: [3, 2], stride: [2, 1]}", {3, 2, 2, 1, 1, 1, AM_PAD_VALID, 0}, false},
      {"max_pool2d", "{size: 3, stride: 2, padding: same}", {3, 3, 2, 2, 1, 1, AM_PAD_SAME, 0}, false},
      {"average_pool2d", "{size: 3, stride: 2, padding: same}", {3, 3, 2, 2, 1, 1, AM_PAD_SAME, 0}, false},
      {"average_pool2d",
       "{size: 3, stride: 2, padding: same, count_include_pad: true}",
       {3, 3, 2, 2, 1, 1, AM_PAD_SAME, 0},
       true},
      {"average_pool2d", "{size: 2, padding: explicit, pad: 1}", {2, 2, 2, 2, 1, 1, AM_PAD_EXPLICIT, 1}, false},
      {"average_pool2d",
       "{size: 2, padding: explicit, pad: 1, count_include_pad: true}",
       {2, 2, 2, 2, 1, 1, AM_PAD_EXPLICIT, 1},
       true},
  };
  const int lengths[] = {11, 4, 0, 1};
  am_context *ctx = am_test_context(2, NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    golden_case c = make(cases[i].type, cases[i].options, map(11, 7, 18), 4, lengths);
    const loops *w = &cases[i].w;
    runner r;
    runner_create(&r, ctx, &c);
    run(&r);
    am_shape out = r.layer.out;
    for (size_t n = 0; n < r.y_count; n++) {
      int ch = (int)(n % 18), f = (int)(n / 18) % out.f, t = (int)(n / 18) / out.f % out.t;
      size_t b = n / am_shape_count(out);
      int frames = lengths[b], pt = am_window_before(frames, w->kt, w->st, 1, w->padding, w->pad);
      int pf = am_window_before(7, w->kf, w->sf, 1, w->padding, w->pad), count = 0;
      double sum = 0, most = -INFINITY;
      for (int kt = 0; kt < w->kt; kt++)
        for (int kf = 0; kf < w->kf; kf++) {
          int row = t * w->st + kt - pt, bin = f * w->sf + kf - pf;
          if (row < 0 || row >= frames || bin < 0 || bin >= 7) continue;
          double v = (double)r.x[0][b * 11 * 7 * 18 + ((size_t)row * 7 + (size_t)bin) * 18 + (size_t)ch];
          sum += v;
          most = fmax(most, v);
          count++;
        }
      double mean = sum / (cases[i].all ? w->kt * w->kf : count);
      double wanted = t >= r.y_len[b] ? 0 : cases[i].type[0] == 'm' ? most : mean;
      if (!(fabs((double)r.pass.y[n] - wanted) < 1e-6))
        fail_msg("%s %s [%zu] is %g, wanted %g", c.type, c.text, n, (double)r.pass.y[n], wanted);
    }
    runner_free(&r);
  }
  am_context_free(ctx);
}

static void refuses(const char *type, const char *options, am_shape in, am_status status, const char *words) {
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_tree *tree = NULL;
  am_layer layer = {.cls = am_layer_find(NULL, type), .ctx = ctx, .name = "named", .n_in = 1, .in = {in}};
  assert_non_null(layer.cls);
  am_test_ok(am_tree_create(ctx, &tree, &err), &err);
  layer.options = calloc(1, layer.cls->options_size);
  am_test_ok(am_options_read(tree, layer.cls->table, flow_parse(tree, options), type, layer.options, &err), &err);
  am_test_fails(layer.cls->build(&layer, &err), status, &err, words);
  assert_non_null(strstr(err.message, "named"));
  free(layer.options);
  am_tree_free(tree);
  am_context_free(ctx);
}

static void test_refusals(void **state) {
  (void)state;
  refuses("conv1d", "{filters: 4}", map(9, 9, 1), AM_E_SHAPE, "to_sequence");
  refuses("conv2d", "{filters: 4}", sequence(9, 9), AM_E_SHAPE, "wanted a map");
  refuses("conv2d", "{filters: 4, kernel: [3, 5]}", map(9, 4, 1), AM_E_SHAPE, "5 bins and the input has 4");
  refuses("conv1d", "{filters: 4, kernel: 3, dilation: 4}", sequence(8, 1), AM_E_SHAPE, "9 frames and the input has 8");
  refuses("conv2d", "{filters: 4, kernel: [3, 3, 3]}", map(9, 9, 1), AM_E_CONFIG, "kernel holds 3 numbers");
  refuses("conv1d", "{filters: 4, stride: [1, 2]}", sequence(9, 1), AM_E_CONFIG, "stride holds 2 numbers");
  refuses("max_pool2d", "{size: 4}", map(9, 3, 1), AM_E_SHAPE, "4 bins and the input has 3");
  refuses("max_pool1d", "{size: 300, padding: same}", sequence(400, 1), AM_E_UNSUPPORTED, "global_max_pool");
  refuses("average_pool1d", "{size: 3, padding: explicit, pad: 2}", sequence(9, 1), AM_E_CONFIG, "pad 2");
  refuses("max_pool1d", "{}", map(9, 9, 1), AM_E_SHAPE, "to_sequence");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_conv_against_loops),    cmocka_unit_test(test_alone_and_in_a_batch),
      cmocka_unit_test(test_fused_is_the_same),     cmocka_unit_test(test_what_is_not_fused),
      cmocka_unit_test(test_threads_do_not_matter), cmocka_unit_test(test_backward_adds),
      cmocka_unit_test(test_pools_against_loops),   cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests_name("tensor_layers", tests, NULL, NULL);
}
