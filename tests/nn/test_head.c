/* SPDX-License-Identifier: MIT */
/* Losses of a model's embedding: their gradients, and the model's with them, against finite differences in double. */
#include "flow.h"
#include "nn/head.h"
#include "nn/loss.h"

enum { B = 4, T = 6, F = 4, K = 3, WIDTH = 5, HEADS = 2 };
static const double step = 1e-4, bound = 1e-8;

static const char net[] =
    "[{conv2d: {filters: 3, padding: same, activation: tanh}}, to_sequence, global_average_pool, {dense: {units: 5, "
    "activation: tanh}}, {dropout: {rate: 0.25}}, {dense: {}}]";

typedef struct world {
  am_context *ctx;
  am_model *model;
  am_session *session;
  am_head heads[HEADS];
  double factors[HEADS], sums[HEADS]; /* of the last forward */
  am_real x[B * T * F], targets[B * K], dlogits[B * K], dembedding[B * WIDTH];
  int lengths[B];
} world;

static am_model *model_of(am_context *ctx, const char *layers, am_shape in, am_status *status, am_error *err) {
  am_tree *tree = NULL;
  am_model *model = NULL;
  am_test_ok(am_tree_create(ctx, &tree, err), err);
  *status = am_model_create(ctx, flow_parse(tree, layers), in, K, &model, err);
  am_tree_free(tree);
  return model;
}

static world begin(double first, double second) {
  const am_shape in = {.rank = 3, .t = T, .f = F, .c = 1, .variable = true};
  static const int classes[HEADS] = {2, 3};
  am_error err = AM_ERROR_INIT;
  am_status status;
  world w = {.ctx = am_test_context(2, "plain"), .factors = {first, second}, .lengths = {T, 3, T, 4}};
  w.model = model_of(w.ctx, net, in, &status, &err);
  am_test_ok(status, &err);
  am_model_initialise(w.model, 5);
  am_test_ok(am_session_create(w.model, B, true, &w.session, &err), &err);
  for (int h = 0; h < HEADS; h++)
    am_test_ok(am_head_create(w.ctx, h ? "speaker" : "gender", WIDTH, classes[h], B, 5, &w.heads[h], &err), &err);
  for (int i = 0; i < B * T * F; i++) w.x[i] = i % (T * F) < F * w.lengths[i / (T * F)] ? sin(1.7 * i + 0.3) : 0;
  for (int b = 0; b < B; b++) w.targets[b * K + b % K] = 1;
  am_session_want_input_gradient(w.session, true);
  return w;
}

static void end(world *w) {
  for (int h = 0; h < HEADS; h++) am_head_free(&w->heads[h]);
  am_session_free(w->session);
  am_model_free(w->model);
  am_context_free(w->ctx);
}

/* What the net is to make small: the loss of its logits, and those of the heads times their factors. */
static double run(world *w) {
  static const am_loss_options options = {.kind = AM_LOSS_CROSS_ENTROPY};
  const am_batch batch = {.size = sizeof batch, .n = B, .x = w->x, .lengths = w->lengths, .seed = 3};
  assert_int_equal(am_session_forward(w->session, &batch, true, NULL), AM_OK);
  double sum = am_loss(&options, am_session_output(w->session), w->targets, NULL, B, K, w->dlogits, NULL);
  memset(w->dembedding, 0, sizeof w->dembedding);
  for (int h = 0; h < HEADS; h++) {
    am_head *head = &w->heads[h];
    memset(head->targets, 0, (size_t)(B * head->classes) * sizeof *head->targets);
    for (int b = 0; b + h < B; b++)
      head->targets[b * head->classes + b % 2] = 1; /* of the second the last clip has none */
    head->targets[0] = 0.75;                        /* and one is mixed */
    head->targets[1] = 0.25;
    w->sums[h] = am_head_loss(head, am_session_embedding(w->session), B, w->factors[h], w->dembedding);
    sum += w->factors[h] * w->sums[h];
  }
  return sum;
}

/* Of run, or with `head` >= 0 of that head's loss alone. */
static double slope(world *w, am_real *value, int head) {
  const am_real kept = *value;
  double at[4];
  for (int i = 0; i < 4; i++) {
    *value = kept + (i < 2 ? i - 2 : i - 1) * step;
    const double sum = run(w);
    at[i] = head < 0 ? sum : w->sums[head];
  }
  *value = kept;
  return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step);
}

static double worst; /* of all that is checked */

static void check(world *w, const char *what, am_real *values, const am_real *gradient, size_t n, int head) {
  double largest = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(gradient[i]));
  assert_true(largest > 1e-4);
  for (size_t i = 0; i < n; i++) {
    const double wanted = slope(w, &values[i], head), error = fabs(wanted - gradient[i]) / largest;
    worst = fmax(worst, error);
    if (!(error <= bound)) fail_msg("%s[%zu] is %.12g, by differences %.12g", what, i, gradient[i], wanted);
  }
}

static am_real *copy_of(const am_real *x, size_t n) {
  am_real *copy = malloc(n * sizeof *copy);
  return memcpy(copy, x, n * sizeof *copy);
}

static void gradients_agree(double first, double second) {
  world w = begin(first, second);
  size_t n;
  am_real *weights = am_model_weights(w.model, &n), *own[HEADS];
  am_session_zero_gradients(w.session);
  for (int h = 0; h < HEADS; h++) am_session_zero_gradients(w.heads[h].session);
  run(&w);
  assert_int_equal(am_session_backward_with(w.session, w.dlogits, w.dembedding, NULL), AM_OK);
  am_real *of_model = copy_of(am_session_gradients(w.session), n);
  am_real *of_input = copy_of(am_session_input_gradient(w.session), B * T * F);
  for (int h = 0; h < HEADS; h++) {
    size_t all;
    am_model_weights(w.heads[h].model, &all);
    own[h] = copy_of(am_session_gradients(w.heads[h].session), all);
  }
  for (size_t i = 0; i < am_model_weight_count(w.model); i++) {
    const am_array_info *a = am_model_weight_info(w.model, i);
    check(&w, a->name, weights + a->offset, of_model + a->offset, a->count, -1);
  }
  check(&w, "input", w.x, of_input, 3 * F, -1); /* the frames that all clips have */
  for (int h = 0; h < HEADS; h++) {
    for (size_t i = 0; i < am_model_weight_count(w.heads[h].model); i++) {
      const am_array_info *a = am_model_weight_info(w.heads[h].model, i);
      check(&w, a->name, am_model_weights(w.heads[h].model, NULL) + a->offset, own[h] + a->offset, a->count, h);
    }
    free(own[h]);
  }
  free(of_model);
  free(of_input);
  end(&w);
}

static void heads_add_to_the_gradient(void **state) {
  (void)state;
  gradients_agree(0.7, 0.2);
}

/* The head still learns its own loss, and the net unlearns it. */
static void reversed_heads_take_from_it(void **state) {
  (void)state;
  gradients_agree(-0.7, -1.3);
  gradients_agree(0.5, -0.5);
}

static void a_head_that_looks_changes_nothing(void **state) {
  (void)state;
  world w = begin(0, 0);
  size_t n;
  am_model_weights(w.model, &n);
  am_session_zero_gradients(w.session);
  run(&w);
  am_session_backward_with(w.session, w.dlogits, w.dembedding, NULL);
  am_real *with = copy_of(am_session_gradients(w.session), n);
  am_session_zero_gradients(w.session);
  run(&w);
  am_session_backward(w.session, w.dlogits, NULL);
  assert_memory_equal(with, am_session_gradients(w.session), n * sizeof *with);
  free(with);
  end(&w);
}

static void heads_of_other_names_begin_otherwise(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  am_context *ctx = am_test_context(1, "plain");
  am_head h[3];
  static const char *const names[3] = {"gender", "intensity", "gender"};
  for (int i = 0; i < 3; i++) am_test_ok(am_head_create(ctx, names[i], WIDTH, 2, B, 1, &h[i], &err), &err);
  const am_real *w[3];
  for (int i = 0; i < 3; i++) w[i] = am_model_weights(h[i].model, NULL);
  assert_memory_equal(w[0], w[2], WIDTH * 2 * sizeof(am_real));
  assert_memory_not_equal(w[0], w[1], WIDTH * 2 * sizeof(am_real));
  for (int i = 0; i < 3; i++) am_head_free(&h[i]);
  am_context_free(ctx);
}

static void not_every_model_has_an_embedding(void **state) {
  (void)state;
  static const struct {
    const char *layers, *why;
    bool has;
  } all[] = {{"[flatten, {dense: {units: 5}}, {dense: {}}, softmax]", NULL, true},
             {"[flatten, {dense: {}}]", "no layer before the last one, dense_1, has weights", false},
             {"[{conv2d: {filters: 3, padding: same}}, global_average_pool]",
              "global_average_pool_1, is not a dense one", false},
             {"[flatten, {dense: {units: 5}}, {dense: {}}, log_probabilities]", "is not a dense one", false}};
  const am_shape in = {.rank = 3, .t = T, .f = F, .c = 1};
  am_context *ctx = am_test_context(1, "plain");
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    am_error err = AM_ERROR_INIT;
    am_status status;
    int width = 0;
    am_model *model = model_of(ctx, all[i].layers, in, &status, &err);
    am_test_ok(status, &err);
    if (all[i].has) am_test_ok(am_model_embedding(model, &width, &err), &err);
    else am_test_fails(am_model_embedding(model, NULL, &err), AM_E_CONFIG, &err, all[i].why);
    assert_int_equal(width, all[i].has ? 5 : 0);
    am_model_free(model);
  }
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(heads_add_to_the_gradient),         cmocka_unit_test(reversed_heads_take_from_it),
      cmocka_unit_test(a_head_that_looks_changes_nothing), cmocka_unit_test(heads_of_other_names_begin_otherwise),
      cmocka_unit_test(not_every_model_has_an_embedding),
  };
  const int failed = cmocka_run_group_tests_name("heads", tests, NULL, NULL);
  if (getenv("AM_FIGURES")) print_message("# largest error %.2g of the largest value\n", worst);
  return failed;
}
