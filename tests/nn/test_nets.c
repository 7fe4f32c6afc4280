/* SPDX-License-Identifier: MIT */
/* Blocks, losses and whole nets against PyTorch in float64 (tools/golden-nn.py): logits and all gradients of
 * a batch, with and without fusion, on every processor path; and 20 steps of Adam, whose losses must agree to
 * 1e-4. */
#include "golden.h"
#include "net.h"

static double check_net(const golden_case *c, const char *cpu, bool fusion) {
  am_context *ctx = am_test_context(2, cpu);
  net n;
  net_create(&n, ctx, c, fusion);
  am_real dy[MAX_CLIPS * 16];
  const size_t logits = (size_t)(c->clips * c->classes);
  double worst = 0;
  char name[24];
  numbers(c->seed, 8, logits, dy);
  am_session_want_input_gradient(n.session, true);
  for (int times = 1; times <= 2; times++) { /* gradients are added to */
    am_session_forward(n.session, &n.batch, true, NULL);
    worst = fmax(worst, check_tensor(c, cpu, "y", am_session_output(n.session), logits, 1));
    am_session_backward(n.session, dy, NULL);
    am_real *dx = am_session_input_gradient(n.session);
    assert_non_null(dx);
    check_padding("dx", c->in[0], n.batch.lengths, c->clips, dx);
    worst = fmax(worst, check_tensor(c, cpu, "dx0", dx, n.x_count, 1));
    for (int i = 0; i < c->n_weights; i++) {
      const am_array_info info = *am_model_weight_info(n.model, (size_t)i);
      snprintf(name, sizeof name, "dw%d", i);
      worst = fmax(worst, check_tensor(c, cpu, name, n.gradients + info.offset, info.count, times));
    }
  }
  net_free(&n);
  am_context_free(ctx);
  return worst;
}

static void test_net(void **state) {
  const golden_case *c = *state;
  const char *cpus[AM_TEST_CPUS];
  const size_t n = am_test_cpus(cpus);
  for (size_t i = 0; i < n; i++) {
    const double fused = check_net(c, cpus[i], true), plain = check_net(c, cpus[i], false);
    if (getenv("AM_FIGURES")) print_message("# %s on %s: error %.2g, unfused %.2g\n", c->name, cpus[i], fused, plain);
  }
}

static void test_loss(void **state) {
  const golden_case *c = *state;
  am_context *ctx = am_test_context(1, "plain");
  loss_case l;
  loss_read(&l, ctx, c);
  am_real dy[64], each[16];
  const double total = loss_run(&l, dy, each), wanted = (double)golden_find(c, "loss")->data[0];
  if (!(fabs(total - wanted) <= 1e-6 * fmax(1, fabs(wanted)))) fail_msg("loss %.9g, wanted %.9g", total, wanted);
  check_tensor(c, "plain", "each", each, (size_t)l.batch, 1);
  check_tensor(c, "plain", "dy", dy, (size_t)(l.batch * l.classes), 1);
  assert_true(loss_run(&l, NULL, NULL) == total);
  am_context_free(ctx);
}

static void test_contrastive(void **state) {
  const golden_case *c = *state;
  am_context *ctx = am_test_context(1, "plain");
  contrastive_case l;
  contrastive_read(&l, ctx, c);
  am_real dx[128] = {0}, more[128];
  const size_t n = (size_t)(l.batch * l.width);
  const double total = contrastive_run(&l, 1, dx), wanted = (double)golden_find(c, "loss")->data[0];
  if (!(fabs(total - wanted) <= 1e-6 * fmax(1, fabs(wanted)))) fail_msg("loss %.9g, wanted %.9g", total, wanted);
  check_tensor(c, "plain", "dx", dx, n, 1);
  assert_true(contrastive_run(&l, 1, NULL) == total);
  for (size_t i = 0; i < n; i++) more[i] = 2; /* added to, times the factor */
  contrastive_run(&l, 0.5, more);
  for (size_t i = 0; i < n; i++) assert_true(fabs((double)more[i] - 2 - 0.5 * (double)dx[i]) < 1e-5);
  am_context_free(ctx);
}

static double check_curve(const golden_case *c, const char *cpu) {
  am_context *ctx = am_test_context(2, cpu);
  const golden_tensor *wanted = golden_find(c, "curve");
  double worst = 0;
  curve u;
  curve_create(&u, ctx, c);
  assert_int_equal(wanted->count, STEPS);
  for (int step = 0; step < STEPS; step++) {
    const double loss = curve_step(&u, ctx, c), difference = fabs(loss - (double)wanted->data[step]);
    worst = fmax(worst, difference);
    if (!(difference <= 1e-4))
      fail_msg("%s on %s: step %d: loss %.6f, wanted %.6f", c->name, cpu, step, loss, (double)wanted->data[step]);
  }
  const float *losses = wanted->data; /* it must have learnt something */
  assert_true(losses[STEPS - 2] + losses[STEPS - 1] < (losses[0] + losses[1]) / 2);
  curve_free(&u);
  am_context_free(ctx);
  return worst;
}

static void test_curve(void **state) {
  const golden_case *c = *state;
  const char *cpus[AM_TEST_CPUS];
  const size_t n = am_test_cpus(cpus);
  for (size_t i = 0; i < n; i++) {
    const double worst = check_curve(c, cpus[i]);
    if (getenv("AM_FIGURES")) print_message("# %s on %s: difference %.2g\n", c->name, cpus[i], worst);
  }
}

static bool any(const golden_case *c) { return c != NULL; }

int main(void) {
  static const golden_group groups[] = {{"nets", test_net, any},
                                        {"losses", test_loss, any},
                                        {"contrastive", test_contrastive, any},
                                        {"curves", test_curve, any}};
  return golden_main("nets", groups, 4);
}
