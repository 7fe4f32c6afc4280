/* SPDX-License-Identifier: MIT */
/* Every layer, forward and backward, against PyTorch in float64 (tools/golden-nn.py), on every processor
 * path: largest difference over largest value of each tensor at most 1e-5. */
#include "golden.h"

static double check_backward(runner *r, const golden_case *c, const char *cpu) {
  const am_layer *layer = &r->layer;
  double worst = 0;
  char name[24];
  layer->cls->backward(layer, &r->pass);
  for (int i = 0; i < layer->n_in; i++) {
    snprintf(name, sizeof name, "dx%d", i);
    check_padding(name, layer->in[i], r->x_len[i], c->clips, r->pass.dx[i]);
    worst = fmax(worst, check_tensor(c, cpu, name, r->pass.dx[i], r->x_count[i], 1));
  }
  /* once more without the gradient of the input: weight gradients are added to */
  for (int i = 0; i < layer->n_in; i++) {
    free(r->pass.dx[i]);
    r->pass.dx[i] = NULL;
  }
  for (int times = 1; times <= 2; times++) {
    for (int i = 0; i < layer->n_weights; i++) {
      snprintf(name, sizeof name, "dw%d", i);
      worst = fmax(worst, check_tensor(c, cpu, name, r->pass.dw[i], layer->weights[i].count, times));
    }
    if (times == 1) layer->cls->backward(layer, &r->pass);
  }
  return worst;
}

static double check_case(const golden_case *c, const char *cpu) {
  am_context *ctx = am_test_context(2, cpu);
  runner r;
  runner_create(&r, ctx, c);
  const am_layer *layer = &r.layer;
  assert_int_equal(layer->n_weights, c->n_weights);
  for (int i = 0; i < c->n_weights; i++) {
    assert_string_equal(layer->weights[i].name, c->weights[i]);
    assert_int_equal(layer->weights[i].count, c->weight_counts[i]);
  }
  layer->cls->forward(layer, &r.pass);
  check_padding("y", layer->out, r.y_len, c->clips, r.pass.y);
  double worst = check_tensor(c, cpu, "y", r.pass.y, r.y_count, 1);
  for (int i = 0, at = 0; i < c->n_tensors; i++)
    if (!strcmp(c->tensors[i].name, "statistic")) {
      golden_case one = {.n_tensors = 1};
      one.tensors[0] = c->tensors[i];
      worst = fmax(worst, check_tensor(&one, cpu, "statistic", r.statistics[at], layer->statistics[at].count, 1));
      at++;
    }
  if (c->training) worst = fmax(worst, check_backward(&r, c, cpu));
  runner_free(&r);
  am_context_free(ctx);
  return worst;
}

static void test_layer(void **state) {
  const golden_case *c = *state;
  const char *cpus[AM_TEST_CPUS];
  const size_t n = am_test_cpus(cpus);
  for (size_t i = 0; i < n; i++) {
    const double worst = check_case(c, cpus[i]);
    if (getenv("AM_FIGURES")) print_message("# %s on %s: error %.2g\n", c->name, cpus[i], worst);
  }
}

static bool any(const golden_case *c) { return c != NULL; }

int main(void) {
  static const golden_group groups[] = {{"layers", test_layer, any}};
  return golden_main("golden layers", groups, 1);
}
