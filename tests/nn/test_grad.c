/* SPDX-License-Identifier: MIT */
/* Gradients of every layer, block and loss against finite differences, in double with the plain kernels and
 * unfused: central five-point differences with steps of 2e-5 of the sum of y * dy; largest difference over
 * largest value of each tensor at most 1e-8.  The cases are those of the goldens, masked batches among them;
 * their inputs lie off the kinks, and dropout's masks are fixed by its key. */
#include "harness.h"
#include "net.h"

enum { CHECKED = 300 }; /* elements of a tensor, spread evenly */
static const double step = 2e-5, bound = 1e-8;

/* A function of everything `state` holds. */
typedef struct function {
  void (*run)(void *state, am_real *y); /* y (n) */
  void *state;
  size_t n;
  const am_real *dy; /* (n) */
  am_real *plus, *minus;
} function;

static function function_of(void (*run)(void *state, am_real *y), void *state, size_t n, const am_real *dy) {
  return (function){run, state, n, dy, aligned(n * sizeof(am_real)), aligned(n * sizeof(am_real))};
}

static void function_free(function *f) {
  free(f->plus);
  free(f->minus);
}

/* sum(y dy) at value + h less that at value - h: outputs are differenced before they are summed, which keeps
 * the rounding small. */
static double rise(function *f, am_real *value, double h) {
  const am_real kept = *value;
  double sum = 0;
  *value = kept + h;
  f->run(f->state, f->plus);
  *value = kept - h;
  f->run(f->state, f->minus);
  *value = kept;
  for (size_t i = 0; i < f->n; i++) sum += (f->plus[i] - f->minus[i]) * f->dy[i];
  return sum;
}

/* Five-point: the term in h^2 of the plain difference is 3e-8 where a layer norm meets nearly equal channels.
 */
static double slope(function *f, am_real *value) {
  return (8 * rise(f, value, step) - rise(f, value, 2 * step)) / (12 * step);
}

/* `valid` (clips) leading numbers of each `all`, of which `most` are in use; or NULL: every one. */
static double check(function *f, const char *name, int index, am_real *values, const am_real *gradient, size_t n,
                    const size_t *valid, size_t most, size_t all) {
  double largest = 0, worst = 0, wanted = 0;
  size_t at = 0;
  const size_t stride = n > CHECKED ? n / CHECKED : 1;
  for (size_t i = 0; i < n; i++)
    if (!valid || i % all < valid[i / all]) largest = fmax(largest, fabs(gradient[i]));
  for (size_t i = 0; i < n; i += stride) {
    if (valid && i % all >= most) continue;
    if (valid && i % all >= valid[i / all]) {
      if (gradient[i] != 0) fail_msg("%s%d[%zu] is %g past the clip's end, wanted 0", name, index, i, gradient[i]);
      continue;
    }
    const double s = slope(f, &values[i]), difference = fabs(s - gradient[i]);
    if (difference <= worst) continue;
    worst = difference;
    at = i;
    wanted = s;
    if (isnan(difference)) break;
  }
  const double error = largest > 0 ? worst / largest : worst;
  if (!(error <= bound))
    fail_msg("%s%d[%zu] is %.12g, by differences %.12g: error %.3g of the largest value %.3g, allowed %.0e", name,
             index, at, gradient[at], wanted, error, largest, bound);
  return error;
}

static double check_input(function *f, int index, am_shape s, const int *lengths, int clips, am_real *x,
                          const am_real *dx) {
  size_t valid[MAX_CLIPS];
  for (int b = 0; b < clips; b++) valid[b] = valid_count(s, lengths, b);
  const size_t most = am_frames_count(s, longest(s, lengths, clips));
  return check(f, "dx", index, x, dx, (size_t)clips * am_shape_count(s), valid, most, am_shape_count(s));
}

static void figure(const golden_case *c, double worst) {
  if (getenv("AM_FIGURES")) print_message("# %s: error %.2g\n", c->name, worst);
}

static void run_layer(void *state, am_real *y) {
  runner *r = state;
  r->layer.cls->forward(&r->layer, &r->pass);
  memcpy(y, r->pass.y, r->y_count * sizeof *y);
}

static void test_layer(void **state) {
  const golden_case *c = *state;
  am_context *ctx = am_test_context(1, "plain");
  runner r;
  runner_create(&r, ctx, c);
  const am_layer *layer = &r.layer;
  layer->cls->forward(layer, &r.pass);
  layer->cls->backward(layer, &r.pass);
  function f = function_of(run_layer, &r, r.y_count, r.dy);
  double worst = 0;
  for (int i = 0; i < layer->n_in; i++)
    worst = fmax(worst, check_input(&f, i, layer->in[i], r.x_len[i], c->clips, r.x[i], r.pass.dx[i]));
  for (int i = 0; i < layer->n_weights; i++)
    worst = fmax(worst, check(&f, "dw", i, r.w[i], r.pass.dw[i], layer->weights[i].count, NULL, 0, 0));
  figure(c, worst);
  function_free(&f);
  runner_free(&r);
  am_context_free(ctx);
}

static void run_net(void *state, am_real *y) {
  net *n = state;
  am_session_forward(n->session, &n->batch, true, NULL);
  memcpy(y, am_session_output(n->session), (size_t)n->batch.n * (size_t)am_model_output(n->model).c * sizeof *y);
}

static void test_net(void **state) {
  const golden_case *c = *state;
  am_context *ctx = am_test_context(1, "plain");
  net n;
  net_create(&n, ctx, c, false);
  am_real dy[MAX_CLIPS * 16];
  numbers(c->seed, 8, (size_t)(c->clips * c->classes), dy);
  am_session_want_input_gradient(n.session, true);
  am_session_forward(n.session, &n.batch, true, NULL);
  am_session_backward(n.session, dy, NULL);
  am_real *dx = aligned(n.x_count * sizeof *dx); /* the next forward takes the session's back */
  memcpy(dx, am_session_input_gradient(n.session), n.x_count * sizeof *dx);
  function f = function_of(run_net, &n, (size_t)(c->clips * c->classes), dy);
  double worst = check_input(&f, 0, c->in[0], n.batch.lengths, c->clips, n.x, dx);
  for (int i = 0; i < c->n_weights; i++) {
    const am_array_info info = *am_model_weight_info(n.model, (size_t)i);
    worst = fmax(worst,
                 check(&f, info.name, i, n.weights + info.offset, n.gradients + info.offset, info.count, NULL, 0, 0));
  }
  figure(c, worst);
  function_free(&f);
  free(dx);
  net_free(&n);
  am_context_free(ctx);
}

static void run_loss(void *state, am_real *y) { *y = loss_run(state, NULL, NULL); }

static void test_loss(void **state) {
  const golden_case *c = *state;
  am_context *ctx = am_test_context(1, "plain");
  loss_case l;
  loss_read(&l, ctx, c);
  am_real dy[64];
  static const am_real one = 1;
  loss_run(&l, dy, NULL);
  function f = function_of(run_loss, &l, 1, &one);
  figure(c, check(&f, "dy", 0, l.y, dy, (size_t)(l.batch * l.classes), NULL, 0, 0));
  function_free(&f);
  am_context_free(ctx);
}

static void run_contrastive(void *state, am_real *y) { *y = contrastive_run(state, 1, NULL); }

/* An embedding of zero is no place to differentiate at. */
static void test_contrastive(void **state) {
  const golden_case *c = *state;
  am_context *ctx = am_test_context(1, "plain");
  contrastive_case l;
  contrastive_read(&l, ctx, c);
  am_real dx[128] = {0};
  static const am_real one = 1;
  contrastive_run(&l, 1, dx);
  function f = function_of(run_contrastive, &l, 1, &one);
  const size_t rows = !strcmp(c->type, "zero") ? 2 : (size_t)l.batch;
  figure(c, check(&f, "dx", 0, l.x, dx, rows * (size_t)l.width, NULL, 0, 0));
  function_free(&f);
  am_context_free(ctx);
}

static bool trains(const golden_case *c) { return c->training; }
static bool any(const golden_case *c) { return c != NULL; }

int main(void) {
  static const golden_group groups[] = {{"layers", test_layer, trains},
                                        {"nets", test_net, any},
                                        {"losses", test_loss, any},
                                        {"contrastive", test_contrastive, any}};
  return golden_main("gradients", groups, 4);
}
