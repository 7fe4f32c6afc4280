/* SPDX-License-Identifier: MIT */
/* tests/nn/test_session.c - plans and sessions: equal numbers whatever the threads, memory and padding. */
#include "small.h"

/* Outputs, gradients of all weights and of the input, from one training step. */
typedef struct run {
  size_t outputs, weights, inputs;
  am_real *y, *dw, *dx;
} run;

static void run_free(run *r) {
  free(r->y);
  free(r->dw);
  free(r->dx);
}

/* A step whose numbers are all NaN, over every frame: what the session's memory then holds. */
static void leave_nan(am_session *s, am_model *m, int batch) {
  const am_shape shape = am_model_input(m);
  size_t in = (size_t)batch * (size_t)shape.t * (size_t)shape.f * (size_t)shape.c, n;
  size_t out = (size_t)batch * (size_t)am_model_output(m).c;
  am_real *statistics = am_model_statistics(m, &n), *before = malloc(n * sizeof *before + 1);
  am_real *nan = malloc((in > out ? in : out) * sizeof *nan);
  for (size_t i = 0; i < in || i < out; i++) nan[i] = (am_real)NAN;
  memcpy(before, statistics, n * sizeof *before);
  am_batch data = {.size = sizeof data, .n = batch, .x = nan};
  am_session_forward(s, &data, true, NULL);
  am_session_backward(s, nan, NULL);
  for (size_t i = 0; i < out; i++) assert_true(isnan((double)am_session_output(s)[i]));
  memcpy(statistics, before, n * sizeof *before);
  free(before);
  free(nan);
}

/* dy: (B,K) */
static run train_step_after(am_model *m, int batch, const int *lengths, const am_real *x, const am_real *dy,
                            bool nan_before) {
  am_shape in = am_model_input(m);
  size_t k = (size_t)am_model_output(m).c, n;
  uint64_t draws[64];
  for (int b = 0; b < batch; b++) draws[b] = 100 + (uint64_t)b;
  am_session *s = net_session(m, batch, true);
  am_session_want_input_gradient(s, true);
  if (nan_before) leave_nan(s, m, batch);
  am_batch data = {.size = sizeof data, .n = batch, .x = x, .lengths = lengths, .seed = 5, .epoch = 2, .draws = draws};
  am_session_forward(s, &data, true, NULL);
  run r = {.outputs = (size_t)batch * k, .inputs = (size_t)batch * am_shape_count(in)};
  r.y = malloc(r.outputs * sizeof *r.y);
  memcpy(r.y, am_session_output(s), r.outputs * sizeof *r.y);
  am_session_zero_gradients(s);
  am_session_backward(s, dy, NULL);
  am_model_weights(m, &n);
  r.weights = n;
  r.dw = malloc(n * sizeof *r.dw);
  r.dx = malloc(r.inputs * sizeof *r.dx);
  memcpy(r.dw, am_session_gradients(s), n * sizeof *r.dw);
  memcpy(r.dx, am_session_input_gradient(s), r.inputs * sizeof *r.dx);
  am_session_free(s);
  return r;
}

static run train_step(am_model *m, int batch, const int *lengths, const am_real *x, const am_real *dy) {
  return train_step_after(m, batch, lengths, x, dy, false);
}

static const int lengths5[5] = {16, 3, 9, 16, 1}, short5[5] = {5, 3, 10, 0, 1};

static void equal_runs(const run *a, const run *b) {
  assert_memory_equal(a->y, b->y, a->outputs * sizeof *a->y);
  assert_memory_equal(a->dw, b->dw, a->weights * sizeof *a->dw);
  assert_memory_equal(a->dx, b->dx, a->inputs * sizeof *a->dx);
  double sum = 0;
  for (size_t i = 0; i < a->weights; i++) sum += fabs((double)a->dw[i]);
  assert_true(sum > 0);
}

static void results_do_not_depend_on_threads(void **state) {
  (void)state;
  static const char *const nets[] = {CNN, CRNN};
  for (int n = 0; n < 2; n++) {
    run first = {0};
    for (int threads = 1; threads <= 4; threads *= 2) {
      world w = begin(threads);
      am_shape in = net_map(16, 8, 1, n == 1);
      am_model *m = net(w.ctx, nets[n], in, 3);
      const int *lengths = n ? lengths5 : NULL;
      am_real *x = net_input(in, 5, lengths, 1), *dy = net_numbers(5 * 3, 2);
      run r = train_step(m, 5, lengths, x, dy);
      if (threads == 1) first = r;
      else {
        equal_runs(&r, &first);
        run_free(&r);
      }
      free(x);
      free(dy);
      am_model_free(m);
      am_context_free(w.ctx);
    }
    run_free(&first);
  }
}

/* Memory that is shared by time must not change a number, nor must fusing. */
static void keeping_or_unfusing_changes_nothing(void **state) {
  (void)state;
  static const char *const nets[] = {CNN, CRNN};
  for (int n = 0; n < 2; n++) {
    run first = {0};
    for (int mode = 0; mode < 3; mode++) {
      world w = begin(2);
      am_shape in = net_map(16, 8, 1, n == 1);
      am_model *m = net(w.ctx, nets[n], in, 3);
      am_model_set_fusion(m, mode == 0);
      am_model_set_keep(m, mode == 2);
      const int *lengths = n ? lengths5 : NULL;
      am_real *x = net_input(in, 5, lengths, 1), *dy = net_numbers(5 * 3, 2);
      run r = train_step(m, 5, lengths, x, dy);
      if (mode == 0) first = r;
      else {
        /* Fused, the sums of a kernel's gradient may be cut elsewhere: rounding only. */
        assert_tensor_f(r.y, first.y, r.outputs, 2e-6);
        assert_tensor_f(r.dw, first.dw, r.weights, 5e-6);
        assert_tensor_f(r.dx, first.dx, r.inputs, 5e-6);
        run_free(&r);
      }
      free(x);
      free(dy);
      am_model_free(m);
      am_context_free(w.ctx);
    }
    run_free(&first);
  }
}

/* What follows a layer and is taken into it gives the very bits that it gives alone: outputs and the input's
 * gradient.  (Kernel gradients are sums that may be cut elsewhere.)  Maps of several blocks, and rows that do not
 * begin at a multiple of four elements, where dropout's words come in fours. */
static void fusing_changes_no_bit(void **state) {
  (void)state;
#define POOLED "global_average_pool, {dense: {}}]"
  static const char *const nets[] = {
      "[{conv2d: {filters: 3, padding: same, activation: relu}}, {dropout: {rate: 0.3}}, max_pool2d, " POOLED,
      "[{conv2d: {filters: 3, activation: relu}}, {dropout: {rate: 0.3}}, {dropout: {rate: 0.2}}, " POOLED,
      "[{conv2d: {filters: 3, padding: same}}, {batch_norm: {activation: relu}}, max_pool2d, " POOLED,
      "[{residual: {layers: [{conv2d: {filters: 3, padding: same}}, batch_norm]}}, {residual: {layers: "
      "[{conv2d: {filters: 3, padding: same}}]}}, " POOLED,
  };
  static const int lengths[5] = {610, 3, 599, 0, 307};
  am_shape in = net_map(620, 37, 1, true);
  am_real *x = net_input(in, 5, lengths, 1), *dy = net_numbers(5 * 3, 2);
  const char *cpus[AM_TEST_CPUS];
  size_t n_cpus = am_test_cpus(cpus);
  for (size_t k = 0; k < n_cpus * 4; k++) {
    run both[2];
    am_context *ctx = am_test_context(2, cpus[k / 4]);
    for (int fused = 0; fused < 2; fused++) {
      am_model *m = net(ctx, nets[k % 4], in, 3);
      net_shake(m, 3);
      am_model_set_fusion(m, fused);
      both[fused] = train_step(m, 5, lengths, x, dy);
      am_model_free(m);
    }
    assert_memory_equal(both[0].y, both[1].y, both[0].outputs * sizeof(am_real));
    for (size_t b = 0; b < 5; b++)
      assert_memory_equal(both[0].dx + b * 620 * 37, both[1].dx + b * 620 * 37, 610 * 37 * sizeof(am_real));
    assert_tensor_f(both[1].dw, both[0].dw, both[0].weights, 5e-6);
    run_free(&both[0]);
    run_free(&both[1]);
    am_context_free(ctx);
  }
  free(x);
  free(dy);
}

/* In training, near to float32's numbers, and the same for any number of threads; in inference float32's own. */
static void training_alone_rounds_to_bfloat16(void **state) {
  (void)state;
#define WIDE \
  "[{conv2d: {filters: 16, padding: same, activation: relu}}, {residual: {layers: [{conv2d: {filters: 24, padding: " \
  "same}}, batch_norm]}}, max_pool2d, {conv2d: {filters: 17, stride: [2, 1]}}, {batch_norm: {activation: " \
  "relu}}, " POOLED
  am_shape in = net_map(16, 8, 1, true);
  am_real *x = net_input(in, 5, lengths5, 1), *dy = net_numbers(5 * 3, 2);
  const char *cpus[AM_TEST_CPUS];
  size_t n_cpus = am_test_cpus(cpus);
  for (size_t i = 0; i < n_cpus; i++) {
    run of[4];
    am_real *inferred[4];
    for (int k = 0; k < 4; k++) { /* float32; bfloat16 by 1, 2 and 4 threads */
      am_context *ctx = am_test_context(k ? 1 << (k - 1) : 2, cpus[i]);
      am_error err = AM_ERROR_INIT;
      am_model *m;
      am_test_ok(net_precise(ctx, WIDE, in, 3, k ? AM_PRECISION_BF16 : AM_PRECISION_FLOAT32, &m, &err), &err);
      am_model_initialise(m, 7);
      net_shake(m, 3);
      am_session *s = net_session(m, 5, false);
      am_batch data = {.size = sizeof data, .n = 5, .x = x, .lengths = lengths5};
      am_session_forward(s, &data, false, NULL);
      inferred[k] = malloc(5 * 3 * sizeof(am_real));
      memcpy(inferred[k], am_session_output(s), 5 * 3 * sizeof(am_real));
      am_session_free(s);
      of[k] = train_step(m, 5, lengths5, x, dy);
      am_model_free(m);
      am_context_free(ctx);
    }
    equal_runs(&of[2], &of[1]);
    equal_runs(&of[3], &of[1]);
    assert_memory_not_equal(of[1].y, of[0].y, of[0].outputs * sizeof(am_real));
    assert_tensor_f(of[1].y, of[0].y, of[0].outputs, 0.02);
    assert_tensor_f(of[1].dw, of[0].dw, of[0].weights, 0.05);
    assert_tensor_f(of[1].dx, of[0].dx, of[0].inputs, 0.1);
    for (int k = 1; k < 4; k++) assert_memory_equal(inferred[k], inferred[0], 5 * 3 * sizeof(am_real));
    for (int k = 0; k < 4; k++) run_free(&of[k]), free(inferred[k]);
  }
  free(x);
  free(dy);
}

/* In inference a batch norm is part of the convolution before it, whatever its weights and statistics are now. */
static void batch_norm_is_folded_in_inference(void **state) {
  (void)state;
  static const char *const nets[] = {
      CRNN,
      "[{conv2d: {filters: 5, bias: false, padding: same}}, {batch_norm: {activation: relu}}, max_pool2d, "
      "to_sequence, {conv1d: {filters: 17, kernel: 5}}, {batch_norm: {epsilon: 0.1}}, " POOLED,
  };
  world w = begin(2);
  am_shape in = net_map(16, 8, 1, true);
  am_real *x = net_input(in, 5, lengths5, 1);
  am_batch data = {.size = sizeof data, .n = 5, .x = x, .lengths = lengths5};
  for (int n = 0; n < 2; n++) {
    am_model *m = net(w.ctx, nets[n], in, 3);
    am_session *folded = net_session(m, 5, false);
    am_model_set_fusion(m, false);
    am_session *alone = net_session(m, 5, false);
    am_session_profile(folded, true);
    for (int round = 0; round < 3; round++) {
      net_shake(m, 10 + (uint64_t)round);
      for (size_t i = 0; i < am_model_statistic_count(m); i++) {
        am_array_info info = *am_model_statistic_info(m, i);
        am_real *noise = net_numbers(info.count, 20 + i + (size_t)round), *to = am_model_statistics(m, NULL);
        for (size_t k = 0; k < info.count; k++) to[info.offset + k] = (am_real)exp((double)noise[k]);
        free(noise);
      }
      am_session_forward(folded, &data, false, NULL);
      am_session_forward(alone, &data, false, NULL);
      assert_tensor_f(am_session_output(folded), am_session_output(alone), 5 * 3, 2e-6);
    }
    assert_string_equal(am_model_step(m, 1)->layer.cls->type, "batch_norm");
    assert_int_equal(am_session_times(folded)[0].calls, 3);
    assert_int_equal(am_session_times(folded)[1].calls, 0);
    am_session_free(folded);
    am_session_free(alone);
    am_model_free(m);
  }
  free(x);
  am_context_free(w.ctx);
}

/* Most layers, and no batch norm: it mixes clips. */
#define TAIL \
  " to_sequence, {lstm: {units: 6, bidirectional: true}}, {layer_norm: {}}, " \
  "{dropout: {rate: 0.3}}, {parallel: {branches: [[{dense: {units: 4, activation: tanh}}], " \
  "[{conv1d: {filters: 3, padding: same}}], []]}}, attention_pool, {dense: {}}]"
static const char *const mixed[] = {
    "[{conv2d: {filters: 4, padding: same, activation: relu}}, {dropout: {rate: 0.3}},"
    " {max_pool2d: {size: [1, 2]}},"
    " {residual: {layers: [{conv2d: {filters: 5, padding: same, stride: [2, 1], activation: gelu}}]}},"
    " {squeeze_excite: {reduction: 2}}," TAIL,
    "[{conv2d: {filters: 4, padding: same, activation: sigmoid}}, {average_pool2d: {size: [1, 2]}},"
    " {dense: {units: 3, activation: softmax}}," TAIL};

/* A padded batch against each clip alone, in a model as long as the clip. */
static void a_clip_alone_equals_the_clip_in_a_padded_batch(void **state) {
  (void)state;
  world w = begin(2);
  for (int n = 0; n < 2; n++) {
    am_shape in = net_map(16, 8, 1, true);
    am_model *m = net(w.ctx, mixed[n], in, 3);
    net_shake(m, 3);
    am_real *x = net_input(in, 5, lengths5, 1), *dy = net_numbers(5 * 3, 2);
    run all = train_step(m, 5, lengths5, x, dy);
    am_real *sum = calloc(all.weights, sizeof *sum);
    for (int b = 0; b < 5; b++) {
      am_shape short_in = net_map(lengths5[b], 8, 1, true);
      am_model *alone = net(w.ctx, mixed[n], short_in, 3);
      net_shake(alone, 3);
      am_session *s = net_session(alone, 1, true);
      am_session_want_input_gradient(s, true);
      uint64_t draw = 100 + (uint64_t)b;
      am_batch data = {.size = sizeof data, .n = 1, .x = x + b * 16 * 8, .seed = 5, .epoch = 2, .draws = &draw};
      am_session_forward(s, &data, true, NULL);
      assert_tensor_f(am_session_output(s), all.y + b * 3, 3, 1e-6);
      am_session_backward(s, dy + b * 3, NULL);
      assert_tensor_f(am_session_input_gradient(s), all.dx + b * 16 * 8, (size_t)lengths5[b] * 8, 2e-6);
      for (int i = lengths5[b] * 8; i < 16 * 8; i++) assert_true(all.dx[b * 16 * 8 + i] == 0);
      for (size_t i = 0; i < all.weights; i++) sum[i] += am_session_gradients(s)[i];
      am_session_free(s);
      am_model_free(alone);
    }
    assert_tensor_f(all.dw, sum, all.weights, 5e-6);
    free(sum);
    run_free(&all);
    free(x);
    free(dy);
    am_model_free(m);
  }
  am_context_free(w.ctx);
}

/* Memory past the longest clip of a batch is never read: whatever it holds, results are the same bits. */
static void frames_beyond_the_longest_clip_are_not_read(void **state) {
  (void)state;
  const char *const nets[] = {CRNN, mixed[0], mixed[1],
                              "[{conv2d: {filters: 4, padding: same, activation: relu}}, {dropout: {rate: 0.2}}, "
                              "max_pool2d, {batch_norm: {activation: relu}}, {average_pool2d: {size: [3, 2]}}, "
                              "{parallel: {branches: [[global_max_pool], [{global_average_pool: {over: time}}], "
                              "[to_sequence, {gru: {units: 5, return: last}}]]}}, dense]"};
  world w = begin(2);
  am_shape in = net_map(16, 8, 1, true);
  size_t frame = 8, clip = 16 * frame, used = 10 * frame;
  am_real *x = net_input(in, 5, short5, 1), *bad = net_input(in, 5, short5, 1), *dy = net_numbers(5 * 3, 2);
  for (size_t i = 0; i < 5 * clip; i++)
    if (i % clip >= used) bad[i] = (am_real)NAN;
  for (int n = 0; n < 4 * 3; n++) {
    am_model *m = net(w.ctx, nets[n / 3], in, 3);
    net_shake(m, 3);
    am_model_set_fusion(m, n % 3 == 0);
    am_model_set_keep(m, n % 3 == 2);
    run fresh = train_step(m, 5, short5, x, dy);
    am_model_initialise(m, 7); /* statistics */
    net_shake(m, 3);
    run dirty = train_step_after(m, 5, short5, bad, dy, true);
    for (size_t b = 0; b < 5; b++) {
      for (size_t i = used; i < clip; i++) fresh.dx[b * clip + i] = dirty.dx[b * clip + i] = 0; /* undefined */
      for (size_t i = (size_t)short5[b] * frame; i < used; i++) assert_true(dirty.dx[b * clip + i] == 0);
    }
    equal_runs(&fresh, &dirty);
    run_free(&fresh);
    run_free(&dirty);
    am_model_free(m);
  }
  free(x);
  free(bad);
  free(dy);
  am_context_free(w.ctx);
}

static int max_of(const int lengths[5]) {
  int most = 0;
  for (int b = 0; b < 5; b++) most = lengths[b] > most ? lengths[b] : most;
  return most;
}

/* Between a clip's end and the longest clip's every tensor and gradient is zero. */
static void check_zeros(const int *given) {
  world w = begin(2);
  am_shape in = net_map(16, 8, 1, true);
  am_model *m = net(w.ctx, CRNN, in, 3);
  net_shake(m, 4);
  am_model_set_keep(m, true);
  am_session *s = net_session(m, 5, true);
  am_real *x = net_input(in, 5, given, 1), *dy = net_numbers(5 * 3, 2);
  am_batch data = {.size = sizeof data, .n = 5, .x = x, .lengths = given};
  assert_null(am_session_tensor(s, 1));
  am_session_forward(s, &data, true, NULL);
  am_session_backward(s, dy, NULL);
  for (size_t i = 0; i < am_model_steps(m); i++) {
    const am_step *step = am_model_step(m, i);
    const am_real *y = am_session_tensor(s, step->output), *g = am_session_tensor_gradient(s, step->output);
    const int *lengths = am_session_lengths(s, step->output);
    am_shape out = step->layer.out;
    size_t frame = (size_t)out.f * (size_t)out.c, clip = am_shape_count(out);
    assert_non_null(y);
    if (i + 1 < am_model_steps(m)) assert_non_null(g);
    for (int b = 0; b < 5 && out.rank > 1; b++) {
      int wanted = i < 3 ? given[b] : i < 4 ? given[b] / 2 : (given[b] / 2 + 1) / 2;
      assert_int_equal(lengths[b], wanted);
      for (size_t k = (size_t)lengths[b] * frame; k < (size_t)max_of(lengths) * frame; k++)
        if (y[(size_t)b * clip + k] != 0 || (g && g[(size_t)b * clip + k] != 0))
          fail_msg("%s: clip %d of %d frames is not zero at %zu", step->layer.name, b, lengths[b], k);
    }
  }
  free(x);
  free(dy);
  am_session_free(s);
  am_model_free(m);
  am_context_free(w.ctx);
}

static void lengths_and_zeros_pass_through_every_step(void **state) {
  (void)state;
  check_zeros(lengths5);
  check_zeros(short5);
}

static void inference_equals_training_without_dropout(void **state) {
  (void)state;
  world w = begin(2);
  am_shape in = net_map(16, 8, 1, false);
  am_model *m = net(w.ctx,
                    "[{conv2d: {filters: 4, padding: same, activation: relu}}, {max_pool2d: {size: 2}}, "
                    "{residual: {layers: [{conv2d: {filters: 4, padding: same}}]}}, flatten, {dense: {units: 7, "
                    "activation: silu}}, {dense: {}}]",
                    in, 3);
  am_session *a = net_session(m, 4, true), *b = net_session(m, 9, false);
  am_real *x = net_input(in, 4, NULL, 1);
  am_batch data = {.size = sizeof data, .n = 4, .x = x};
  am_session_forward(a, &data, true, NULL);
  am_session_forward(b, &data, false, NULL);
  assert_memory_equal(am_session_output(a), am_session_output(b), 12 * sizeof(am_real));
  assert_null(am_session_gradients(b));
  data.n = 0;
  am_session_forward(b, &data, false, NULL);
  free(x);
  am_session_free(a);
  am_session_free(b);
  am_model_free(m);
  am_context_free(w.ctx);
}

static void gradients_add_up_over_calls(void **state) {
  (void)state;
  world w = begin(2);
  am_shape in = net_map(16, 8, 1, true);
  am_model *m = net(w.ctx, CRNN, in, 3);
  am_session *s = net_session(m, 5, true);
  am_real *x = net_input(in, 5, lengths5, 1), *dy = net_numbers(5 * 3, 2);
  am_batch data = {.size = sizeof data, .n = 5, .x = x, .lengths = lengths5};
  size_t n;
  am_model_weights(m, &n);
  am_real *once = malloc(n * sizeof *once), *g = am_session_gradients(s);
  am_session_forward(s, &data, true, NULL);
  am_session_backward(s, dy, NULL);
  memcpy(once, g, n * sizeof *once);
  assert_null(am_session_input_gradient(s));
  am_session_forward(s, &data, true, NULL);
  am_session_backward(s, dy, NULL);
  for (size_t i = 0; i < n; i++) once[i] *= 2;
  assert_tensor_f(g, once, n, 1e-6);
  am_session_zero_gradients(s);
  for (size_t i = 0; i < n; i++) assert_true(g[i] == 0);
  free(once);
  free(x);
  free(dy);
  am_session_free(s);
  am_model_free(m);
  am_context_free(w.ctx);
}

static void profile_counts_every_step(void **state) {
  (void)state;
  world w = begin(1);
  am_shape in = net_map(16, 8, 1, false);
  am_model *m = net(w.ctx, CNN, in, 3);
  am_model_set_fusion(m, false);
  am_session *s = net_session(m, 2, true);
  am_real *x = net_input(in, 2, NULL, 1), *dy = net_numbers(6, 2);
  am_batch data = {.size = sizeof data, .n = 2, .x = x};
  am_session_forward(s, &data, true, NULL);
  assert_int_equal(am_session_times(s)[0].calls, 0);
  am_session_profile(s, true);
  for (int i = 0; i < 3; i++) {
    am_session_forward(s, &data, true, NULL);
    am_session_backward(s, dy, NULL);
  }
  for (size_t i = 0; i < am_model_steps(m); i++) assert_int_equal(am_session_times(s)[i].calls, 3);
  assert_true(am_session_times(s)[0].forward > 0 && am_session_times(s)[0].backward > 0);
  free(x);
  free(dy);
  am_session_free(s);
  am_model_free(m);
  am_context_free(w.ctx);
}

/* Memory */

static void sessions_reuse_dead_memory(void **state) {
  (void)state;
  world w = begin(2);
  /* Four maps of 64x32x8 and nothing else of size. */
  am_model *m = net(w.ctx,
                    "[{conv2d: {filters: 8, padding: same}}, {conv2d: {filters: 8, padding: same, activation: gelu}}, "
                    "{conv2d: {filters: 8, padding: same}}, {conv2d: {filters: 8, padding: same}}, "
                    "global_average_pool, dense]",
                    net_map(64, 32, 1, false), 3);
  size_t map = (size_t)8 * 64 * 32 * 8 * sizeof(am_real);
  size_t once_1 = am_session_bytes(m, 8, false), once_2 = am_session_bytes(m, 16, false);
  assert_true(once_2 - once_1 < 2 * map + map / 4); /* input and output of one layer at a time */
  am_session *s = net_session(m, 8, false);
  am_session_free(s);
  am_model_set_keep(m, true);
  assert_true(am_session_bytes(m, 16, false) - am_session_bytes(m, 8, false) >= 5 * map);
  assert_int_equal(am_session_bytes(m, 0, false), SIZE_MAX);
  am_model_free(m);
  am_context_free(w.ctx);
}

#define RAVDESS \
  "[{conv2d: {filters: 32, padding: same, activation: relu}}, {max_pool2d: {size: 2}}, " \
  "{conv2d: {filters: 64, padding: same, activation: relu}}, {dropout: {rate: 0.1}}, " \
  "{max_pool2d: {size: 2}}, flatten, {dense: {units: 128, activation: relu}}, " \
  "{dropout: {rate: 0.2}}, {dense: {}}, softmax]"

static void ravdess_cnn_1_has_its_published_size(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m = NULL;
  am_test_ok(net_try(w.ctx, RAVDESS, net_map(549, 128, 1, false), 6, &m, &w.err), &w.err);
  size_t weights = 0;
  for (size_t i = 0; i < am_model_steps(m); i++) weights += am_step_weights(am_model_step(m, i));
  assert_int_equal(weights, 35933446);
  /* A training step of 32 clips, without weights: PyTorch keeps 288 MB of the first map alone. */
  size_t bytes = am_session_bytes(m, 32, true) - 35933446 * sizeof(am_real);
  print_message("# RAVDESS CNN 1, batch 32: %zu MiB beside weights and gradients\n", bytes >> 20);
  assert_true(bytes < (size_t)800 << 20);
  am_session *s = NULL;
  am_test_fails(am_session_create(m, 2000000, true, &s, &w.err), AM_E_SHAPE, &w.err, "bytes");
  am_test_fails(am_session_create(m, 0, true, &s, &w.err), AM_E_USAGE, &w.err, "0 clips");
  am_model_free(m);
  am_context_free(w.ctx);
}

static void every_failed_allocation_is_clean(void **state) {
  (void)state;
  long n = 1;
  for (;; n++) {
    am_test_memory memory;
    am_context *ctx = am_test_memory_context(&memory, 1);
    am_error err = AM_ERROR_INIT;
    am_model *m = NULL;
    am_session *s = NULL;
    am_tree *tree = NULL;
    am_value *layers = NULL;
    am_test_ok(am_tree_create(ctx, &tree, &err), &err);
    am_test_ok(am_yaml_read_text(tree, CRNN, strlen(CRNN), "net.yaml", &layers, &err), &err);
    am_test_memory_arm(&memory, n);
    am_status status = am_model_create(ctx, layers, net_map(16, 8, 1, true), 3, &m, &err);
    if (!status) status = am_session_create(m, 4, true, &s, &err);
    if (!status) {
      am_session_free(s); /* and of one for inference, with what it packs (nn/packs.h) */
      am_model_freeze(m);
      status = am_session_create(m, 4, false, &s, &err);
    }
    bool fired = am_test_memory_fired(&memory);
    if (status) {
      assert_int_equal(status, AM_E_NOMEM);
      assert_non_null(strstr(err.message, "memory"));
      assert_null(s);
    }
    if (fired != (status != AM_OK)) fail_msg("allocation %ld: failed %d, status %d", n, fired, (int)status);
    am_session_free(s);
    am_model_free(m);
    am_tree_free(tree);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&memory.alive), 0);
    if (!fired) break;
  }
  assert_true(n > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_do_not_depend_on_threads),
      cmocka_unit_test(keeping_or_unfusing_changes_nothing),
      cmocka_unit_test(fusing_changes_no_bit),
      cmocka_unit_test(training_alone_rounds_to_bfloat16),
      cmocka_unit_test(batch_norm_is_folded_in_inference),
      cmocka_unit_test(a_clip_alone_equals_the_clip_in_a_padded_batch),
      cmocka_unit_test(frames_beyond_the_longest_clip_are_not_read),
      cmocka_unit_test(lengths_and_zeros_pass_through_every_step),
      cmocka_unit_test(inference_equals_training_without_dropout),
      cmocka_unit_test(gradients_add_up_over_calls),
      cmocka_unit_test(profile_counts_every_step),
      cmocka_unit_test(sessions_reuse_dead_memory),
      cmocka_unit_test(ravdess_cnn_1_has_its_published_size),
      cmocka_unit_test(every_failed_allocation_is_clean),
  };
  return cmocka_run_group_tests_name("nn session", tests, NULL, NULL);
}
