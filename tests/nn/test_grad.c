/* Every layer's gradients against finite differences, in double with the plain kernels: central differences
 * with steps of 1e-5 of the sum of y * dy; largest difference over largest value at most 1e-8.  The cases are
 * those of the goldens, masked batches among them; their inputs lie off the kinks. */
#include "harness.h"

enum { CHECKED = 300 }; /* elements of a tensor, spread evenly */
static const double step = 1e-5, bound = 1e-8;

/* y at value + at and at value - at, differenced before they are summed, which keeps the rounding small. */
static double slope(runner *r, am_real *value, am_real *plus) {
  const am_real kept = *value;
  double sum = 0;
  *value = kept + step;
  r->layer.cls->forward(&r->layer, &r->pass);
  memcpy(plus, r->pass.y, r->y_count * sizeof *plus);
  *value = kept - step;
  r->layer.cls->forward(&r->layer, &r->pass);
  *value = kept;
  for (size_t i = 0; i < r->y_count; i++) sum += (plus[i] - r->pass.y[i]) * r->dy[i];
  return sum / (2 * step);
}

static double check(const golden_case *c, runner *r, const char *name, size_t index, am_real *values,
                    const am_real *gradient, size_t n, const bool *valid) {
  am_real *plus = aligned(r->y_count * sizeof *plus);
  double largest = 0, worst = 0, wanted = 0;
  size_t at = 0;
  const size_t stride = n > CHECKED ? n / CHECKED : 1;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(gradient[i]));
  for (size_t i = 0; i < n; i += stride) {
    if (valid && !valid[i]) continue;
    const double s = slope(r, &values[i], plus), difference = fabs(s - gradient[i]);
    if (difference > worst || isnan(difference)) {
      worst = difference;
      at = i;
      wanted = s;
      if (isnan(difference)) break;
    }
  }
  free(plus);
  const double error = largest > 0 ? worst / largest : worst;
  if (!(error <= bound))
    fail_msg("%s: %s%zu[%zu] is %.12g, by differences %.12g: error %.3g of the largest value %.3g, allowed %.0e",
             c->name, name, index, at, gradient[at], wanted, error, largest, bound);
  return error;
}

static void test_layer(void **state) {
  const golden_case *c = *state;
  am_context *ctx = am_test_context(1, "plain");
  runner r;
  runner_create(&r, ctx, c);
  const am_layer *layer = &r.layer;
  layer->cls->forward(layer, &r.pass);
  layer->cls->backward(layer, &r.pass);
  double worst = 0;
  for (int i = 0; i < layer->n_in; i++) {
    const am_shape s = layer->in[i];
    const size_t all = am_shape_count(s);
    bool *valid = calloc(r.x_count[i] + 1, sizeof *valid);
    for (int b = 0; b < c->clips; b++)
      for (size_t k = 0; k < valid_count(s, r.x_len[i], b); k++) valid[(size_t)b * all + k] = true;
    worst = fmax(worst, check(c, &r, "dx", (size_t)i, r.x[i], r.pass.dx[i], r.x_count[i], valid));
    free(valid);
  }
  for (int i = 0; i < layer->n_weights; i++)
    worst = fmax(worst, check(c, &r, "dw", (size_t)i, r.w[i], r.pass.dw[i], layer->weights[i].count, NULL));
  if (getenv("AM_FIGURES")) print_message("# %s: error %.2g\n", c->name, worst);
  runner_free(&r);
  am_context_free(ctx);
}

static bool trains(const golden_case *c) { return c->training; }

int main(void) {
  golden_file file;
  size_t n;
  if (!golden_read("layers", &file) || !file.n) {
    fprintf(stderr, "no golden cases in tests/nn/golden: run tools/golden-nn.py\n");
    return 1;
  }
  struct CMUnitTest *tests = golden_tests(&file, test_layer, trains, &n);
  const int failed = _cmocka_run_group_tests("gradients", tests, n, NULL, NULL);
  free(tests);
  golden_free(&file);
  return failed;
}
