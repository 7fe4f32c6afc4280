/* SPDX-License-Identifier: MIT */
/* tests/nn/test_packs.c - what inference keeps of frozen weights gives the bits of what each pass makes anew. */
#include <pthread.h>

#include "small.h"

static const int lengths3[3] = {16, 3, 9};

/* A convolution alone; with a norm, and with and without bias before it; a residual block; recurrence. */
static const char *const nets[] = {
    CNN, CRNN,
    "[{conv2d: {filters: 17, padding: same, bias: false}}, {batch_norm: {activation: relu}}, {max_pool2d: {size: 2}}, "
    "global_average_pool, {dense: {}}]",
    "[to_sequence, {conv1d: {filters: 5, kernel: 4}}, {batch_norm: {}}, {gru: {units: 3, layers: 2}}, "
    "global_average_pool, {dense: {}}]"};
enum { NETS = sizeof nets / sizeof *nets, CLIPS = 3, CLASSES = 3 };

/* Norms that change something. */
static void shake_statistics(am_model *m) {
  size_t n;
  am_real *s = am_model_statistics(m, &n);
  for (size_t i = 0; i < n; i++) s[i] += (am_real)(0.1 + 0.01 * (double)(i % 7));
}

static am_model *shaken(am_context *ctx, int i, bool variable) {
  am_model *m = net(ctx, nets[i], net_map(16, 8, 1, variable), CLASSES);
  net_shake(m, 3);
  shake_statistics(m);
  return m;
}

/* y (CLIPS, CLASSES) */
static void outputs(am_session *s, const am_real *x, bool variable, am_real *y) {
  am_batch data = {.size = sizeof data, .n = CLIPS, .x = x, .lengths = variable ? lengths3 : NULL};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_session_forward(s, &data, false, &err), &err);
  memcpy(y, am_session_output(s), CLIPS * CLASSES * sizeof *y);
}

static void frozen_weights_give_the_same_bits(void **state) {
  (void)state;
  for (int i = 0; i < NETS; i++)
    for (int fusion = 0; fusion < 2; fusion++) {
      const bool variable = i == 1;
      world w = begin(2);
      am_model *m = shaken(w.ctx, i, variable);
      am_model_set_fusion(m, fusion);
      am_real *x = net_input(net_map(16, 8, 1, variable), CLIPS, variable ? lengths3 : NULL, 1);
      am_real before[CLIPS * CLASSES], after[CLIPS * CLASSES], second[CLIPS * CLASSES];
      am_session *s = net_session(m, CLIPS, false);
      outputs(s, x, variable, before);
      am_model_freeze(m);
      am_session *a = net_session(m, CLIPS, false), *b = net_session(m, CLIPS + 2, false);
      outputs(a, x, variable, after);
      assert_memory_equal(after, before, sizeof before);
      outputs(b, x, variable, second);
      assert_memory_equal(second, before, sizeof before);
      outputs(s, x, variable, second); /* made before the freeze */
      assert_memory_equal(second, before, sizeof before);
      am_session_free(s);
      am_session_free(a);
      am_session_free(b);
      free(x);
      am_model_free(m);
      am_context_free(w.ctx);
    }
}

/* Whoever asks for the weights, statistics or a session in training may change them: what was packed counts no more. */
static void changed_weights_are_heard(void **state) {
  (void)state;
  for (int way = 0; way < 3; way++) {
    world w = begin(1);
    am_model *m = shaken(w.ctx, 2, false);
    am_real *x = net_input(net_map(16, 8, 1, false), CLIPS, NULL, 1);
    am_real old[CLIPS * CLASSES], new[CLIPS * CLASSES], again[CLIPS * CLASSES];
    am_model_freeze(m);
    am_session *s = net_session(m, CLIPS, false);
    outputs(s, x, false, old);
    if (way == 0) net_shake(m, 4);
    else if (way == 1) shake_statistics(m);
    else am_model_initialise(m, 9);
    outputs(s, x, false, new);
    assert_memory_not_equal(new, old, sizeof old);
    am_session *unpacked = net_session(m, CLIPS, false);
    outputs(unpacked, x, false, again);
    assert_memory_equal(again, new, sizeof new);
    am_model_freeze(m);
    am_session *packed = net_session(m, CLIPS, false);
    outputs(packed, x, false, again);
    assert_memory_equal(again, new, sizeof new);
    outputs(s, x, false, again); /* of the first freeze */
    assert_memory_equal(again, new, sizeof new);
    am_session_free(packed);
    am_session_free(unpacked);
    am_session_free(s);
    free(x);
    am_model_free(m);
    am_context_free(w.ctx);
  }
}

/* ---- several threads make sessions of one model at once ---- */

typedef struct listener {
  am_model *model;
  const am_real *x;
  am_real y[CLIPS * CLASSES];
} listener;

static void *listen_once(void *arg) {
  listener *l = arg;
  am_session *s = NULL;
  am_batch data = {.size = sizeof data, .n = CLIPS, .x = l->x};
  if (am_session_create(l->model, CLIPS, false, &s, NULL)) return NULL;
  (void)am_session_forward(s, &data, false, NULL);
  memcpy(l->y, am_session_output(s), sizeof l->y);
  am_session_free(s);
  return NULL;
}

static void threads_share_what_is_packed(void **state) {
  (void)state;
  enum { THREADS = 4 };
  world w = begin(2);
  am_model *m = shaken(w.ctx, 2, false);
  am_real *x = net_input(net_map(16, 8, 1, false), CLIPS, NULL, 1);
  am_model_freeze(m);
  listener l[THREADS];
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) l[i] = (listener){.model = m, .x = x};
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, listen_once, &l[i]), 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  am_real y[CLIPS * CLASSES];
  am_session *s = net_session(m, CLIPS, false);
  outputs(s, x, false, y);
  for (int i = 0; i < THREADS; i++) assert_memory_equal(l[i].y, y, sizeof y);
  am_session_free(s);
  free(x);
  am_model_free(m);
  am_context_free(w.ctx);
}

/* ---- float16 ---- */

#define WIDE "[{dense: {units: 130}}, {dense: {}}]"

static am_model *wide_model(am_context *ctx) {
  am_model *m = net(ctx, WIDE, (am_shape){.rank = 1, .t = 1, .f = 1, .c = 9000}, CLASSES);
  net_shake(m, 5);
  return m;
}

/* The results of float16 are the bits of a model whose large kernel was rounded; the small one stays. */
static void halves_are_a_rounded_kernel(void **state) {
  (void)state;
  for (int threads = 1; threads <= 2; threads++) {
    world w = begin(threads);
    am_model *m = wide_model(w.ctx), *rounded = wide_model(w.ctx);
    am_real *x = net_numbers(CLIPS * 9000, 3), y[CLIPS * CLASSES], z[CLIPS * CLASSES], full[CLIPS * CLASSES];
    am_real *at = am_model_weights(rounded, NULL) + am_model_weight_info(rounded, 0)->offset;
    for (size_t i = 0; i < am_model_weight_info(rounded, 0)->count; i++) at[i] = am_half_to(am_half_of(at[i]));
    am_session *s = net_session(m, CLIPS, false);
    outputs(s, x, false, full);
    am_test_ok(am_model_set_half(m, true, &w.err), &w.err);
    am_model_freeze(m);
    am_session *half = net_session(m, CLIPS, false), *r = net_session(rounded, CLIPS, false);
    outputs(half, x, false, y);
    outputs(r, x, false, z);
    assert_memory_equal(y, z, sizeof y);
    assert_memory_not_equal(y, full, sizeof y);
    am_test_ok(am_model_set_half(m, false, &w.err), &w.err);
    am_model_freeze(m);
    am_session *again = net_session(m, CLIPS, false);
    outputs(again, x, false, y);
    assert_memory_equal(y, full, sizeof y);
    am_session_free(s);
    am_session_free(half);
    am_session_free(r);
    am_session_free(again);
    free(x);
    am_model_free(m);
    am_model_free(rounded);
    am_context_free(w.ctx);
  }
}

static void what_float16_cannot_hold_is_refused(void **state) {
  (void)state;
  world w = begin(1);
  am_model *m = wide_model(w.ctx);
  am_model_weights(m, NULL)[17] = 65505;
  am_test_fails(am_model_set_half(m, true, &w.err), AM_E_NUMERIC, &w.err, "layer dense_1: a weight of 65505");
  am_model_free(m);
  am_context_free(w.ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frozen_weights_give_the_same_bits),   cmocka_unit_test(changed_weights_are_heard),
      cmocka_unit_test(threads_share_what_is_packed),        cmocka_unit_test(halves_are_a_rounded_kernel),
      cmocka_unit_test(what_float16_cannot_hold_is_refused),
  };
  return cmocka_run_group_tests_name("nn packs", tests, NULL, NULL);
}
