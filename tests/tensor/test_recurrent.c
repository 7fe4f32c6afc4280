/* SPDX-License-Identifier: MIT */
/* The recurrences of LSTM and GRU: every path against loops in double; backward cells against the plain ones. */
#include "compare.h"

enum { MOST_FRAMES = 6, MOST_ROWS = 20 };

/* Clips side by side, some of whose rows exist in each frame. */
typedef struct recurrence_case {
  int gates, h, frames, clips, known; /* known: clips of the frame before the first */
  bool backwards;
  int rows[MOST_FRAMES];
  float *u, *bias;
  float *input, *extra, *out; /* one frame more than `frames`: the first, in the direction's order, is the one before */
} recurrence_case;

static size_t count_of(const recurrence_case *c, int wide) { return (size_t)((c->frames + 1) * c->clips * wide); }

static recurrence_case random_case(am_rng *rng, int gates, int h, int clips) {
  recurrence_case c = {.gates = gates, .h = h, .frames = draw(rng, 1, MOST_FRAMES), .clips = clips};
  c.backwards = draw(rng, 0, 1);
  c.known = draw(rng, 0, 2) ? draw(rng, 0, clips) : 0;
  for (int s = 0, most = clips; s < c.frames; s++) {
    if (!c.backwards) most = c.rows[s] = draw(rng, 0, most);
    else c.rows[s] = s ? draw(rng, c.rows[s - 1], clips) : draw(rng, c.known, clips);
  }
  const size_t H = (size_t)h, wide = (size_t)gates * H;
  c.u = random_reals(rng, H * wide);
  for (size_t i = 0; i < H * wide; i++) c.u[i] /= sqrtf((float)h);
  c.bias = random_reals(rng, 2 * wide);
  c.input = random_reals(rng, count_of(&c, gates * h));
  c.extra = random_reals(rng, count_of(&c, h));
  c.out = random_reals(rng, count_of(&c, h));
  return c;
}

static void free_case(recurrence_case *c) { free(c->u), free(c->bias), free(c->input), free(c->extra), free(c->out); }

/* Where frame s is, in rows; -1 is the one before the first. */
static int place_of(const recurrence_case *c, int s) { return (c->backwards ? c->frames - 1 - s : s + 1) * c->clips; }

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* One gate of one unit in double: input, bias and product. */
static double product_of(const recurrence_case *c, const float *before, int column) {
  double sum = 0;
  const int wide = c->gates * c->h;
  for (int k = 0; before && k < c->h; k++) sum += (double)before[k] * (double)c->u[k * wide + column];
  return sum;
}

/* Frame s of row `row`, from what stands in gates, extra and out of the frame before: what it should be. */
static void check_row(const recurrence_case *c, const float *input, const float *gates, const float *extra,
                      const float *out, int s, int row, bool known) {
  const int h = c->h, wide = c->gates * h, at = place_of(c, s) + row, back = place_of(c, s - 1) + row;
  const float *before = known ? out + (ptrdiff_t)back * h : NULL, *in = input + (ptrdiff_t)at * wide;
  for (int j = 0; j < h; j++) {
    double sums[4], wanted[4], more, y;
    for (int g = 0; g < c->gates; g++) sums[g] = product_of(c, before, g * h + j);
    if (c->gates == 4) {
      for (int g = 0; g < 4; g++) wanted[g] = (double)in[g * h + j] + (double)c->bias[g * h + j] + sums[g];
      for (int g = 0; g < 4; g++) wanted[g] = g == 2 ? tanh(wanted[g]) : sigmoid(wanted[g]);
      more = wanted[0] * wanted[2] + (known ? wanted[1] * (double)extra[(ptrdiff_t)back * h + j] : 0);
      y = wanted[3] * tanh(more);
    } else {
      const float *second = c->bias + wide;
      for (int g = 0; g < 2; g++)
        wanted[g] = sigmoid((double)in[g * h + j] + (double)c->bias[g * h + j] + (double)second[g * h + j] + sums[g]);
      more = sums[2] + (double)second[2 * h + j];
      wanted[2] = tanh((double)in[2 * h + j] + (double)c->bias[2 * h + j] + wanted[1] * more);
      y = (known ? wanted[0] * (double)before[j] : 0) + (1 - wanted[0]) * wanted[2];
    }
    for (int g = 0; g < c->gates && gates; g++)
      assert_true(fabs((double)gates[(ptrdiff_t)at * wide + g * h + j] - wanted[g]) < 2e-6);
    if (gates || c->gates == 4) assert_true(fabs((double)extra[(ptrdiff_t)at * h + j] - more) < 4e-6);
    assert_true(fabs((double)out[(ptrdiff_t)at * h + j] - y) < 3e-6);
  }
}

/* The kernel over the case, or over row `only` of it alone (a copy of that row's memory, side by side with nothing). */
static void run_case(const am_kernels *k, const recurrence_case *c, bool keep, int clips, const int *rows, int known,
                     float *gates, float *extra, float *out) {
  float *packed = malloc(k->recurrent_count(c->gates, c->h) * sizeof *packed + 1);
  assert_non_null(packed);
  k->recurrent_pack(c->gates, c->h, c->u, packed);
  const ptrdiff_t first = place_of(c, 0) / c->clips * clips;
  const am_recurrence r = {.h = c->h,
                           .frames = c->frames,
                           .rows = rows,
                           .rows_before = known,
                           .step = c->backwards ? -clips : clips,
                           .u = packed,
                           .bias = c->bias,
                           .gates = gates + first * c->gates * c->h,
                           .extra = extra + first * c->h,
                           .out = out + first * c->h,
                           .keep = keep};
  (c->gates == 4 ? k->lstm : k->gru)(&r);
  free(packed);
}

static float *row_alone(const recurrence_case *c, const float *of, int wide, int row) {
  float *alone = malloc((size_t)((c->frames + 1) * wide) * sizeof *alone + 1);
  assert_non_null(alone);
  for (int f = 0; f <= c->frames; f++)
    memcpy(alone + (ptrdiff_t)f * wide, of + (ptrdiff_t)(f * c->clips + row) * wide, (size_t)wide * sizeof *alone);
  return alone;
}

/* A clip alone has the bits it has beside others. */
static void check_alone(const am_kernels *k, am_rng *rng, const recurrence_case *c, const float *out) {
  const int row = draw(rng, 0, c->clips - 1);
  int rows[MOST_FRAMES];
  for (int s = 0; s < c->frames; s++) rows[s] = row < c->rows[s];
  float *gates = row_alone(c, c->input, c->gates * c->h, row), *extra = row_alone(c, c->extra, c->h, row);
  float *alone = row_alone(c, c->out, c->h, row);
  run_case(k, c, false, 1, rows, row < c->known, gates, extra, alone);
  for (int f = 0; f <= c->frames; f++)
    assert_memory_equal(alone + (ptrdiff_t)f * c->h, out + (ptrdiff_t)(f * c->clips + row) * c->h,
                        (size_t)c->h * sizeof *out);
  free(gates), free(extra), free(alone);
}

static void check_case(const am_kernels *k, am_rng *rng, int gates, int h, int clips) {
  recurrence_case c = random_case(rng, gates, h, clips);
  float *out[2];
  for (int keep = 0; keep < 2; keep++) {
    float *activations = copy_reals(c.input, count_of(&c, gates * h)), *extra = copy_reals(c.extra, count_of(&c, h));
    out[keep] = copy_reals(c.out, count_of(&c, h));
    run_case(k, &c, keep, clips, c.rows, c.known, activations, extra, out[keep]);
    for (int s = 0, before = c.known; s < c.frames; before = c.rows[s++])
      for (int row = 0; row < clips; row++) {
        const size_t at = (size_t)((place_of(&c, s) + row) * h);
        if (row < c.rows[s]) check_row(&c, c.input, keep ? activations : NULL, extra, out[keep], s, row, row < before);
        else assert_memory_equal(out[keep] + at, c.out + at, (size_t)h * sizeof(float)); /* not touched */
      }
    free(activations), free(extra);
  }
  assert_memory_equal(out[0], out[1], count_of(&c, h) * sizeof(float));
  check_alone(k, rng, &c, out[0]);
  free(out[0]), free(out[1]);
  free_case(&c);
}

static size_t all_kernels(const am_kernels *kernels[AM_TEST_CPUS]) {
  kernels[0] = am_kernels_plain();
  return 1 + fast_kernels(kernels + 1);
}

static void test_recurrences(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(1, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  const size_t count = all_kernels(kernels);
  for (size_t i = 0; i < count; i++)
    for (int gates = 3; gates <= 4; gates++) {
      for (int h = 1; h < 50; h++) check_case(kernels[i], &rng, gates, h, 1 + h % MOST_ROWS);
      for (int clips = 1; clips <= MOST_ROWS; clips++) check_case(kernels[i], &rng, gates, draw(&rng, 1, 70), clips);
      check_case(kernels[i], &rng, gates, 128, 1);
      check_case(kernels[i], &rng, gates, 128, 16);
    }
}

/* NaN in one clip reaches no other. */
static void test_nan(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(2, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  const size_t count = all_kernels(kernels);
  for (size_t i = 0; i < count; i++)
    for (int gates = 3; gates <= 4; gates++) {
      recurrence_case c = random_case(&rng, gates, 21, 9);
      for (int s = 0; s < c.frames; s++) c.rows[s] = 9;
      c.known = 9;
      c.out[(place_of(&c, -1) + 4) * c.h + 20] = NAN;
      run_case(kernels[i], &c, true, 9, c.rows, 9, c.input, c.extra, c.out);
      for (int s = 0; s < c.frames; s++)
        for (int row = 0; row < 9; row++)
          for (int j = 0; j < c.h; j++)
            assert_true((row == 4) == (isnan(c.out[(place_of(&c, s) + row) * c.h + j]) != 0));
      free_case(&c);
    }
}

static void check_cell_back(const am_kernels *k, am_rng *rng, int h, bool first) {
  const size_t n = (size_t)h;
  float *gates = random_reals(rng, 4 * n), *before = random_reals(rng, n), *c = random_reals(rng, n);
  am_kernels_plain()->sigmoid(4 * n, gates, gates);
  const float *c_prev = first ? NULL : before;
  float *dh = random_reals(rng, n), *dc = random_reals(rng, n), *plain_dc = copy_reals(dc, n);
  float *dgates = random_reals(rng, 4 * n), *plain_dgates = random_reals(rng, 4 * n);
  am_kernels_plain()->lstm_cell_back(h, gates, c_prev, c, dh, plain_dc, plain_dgates);
  k->lstm_cell_back(h, gates, c_prev, c, dh, dc, dgates);
  assert_allclose_f(dgates, plain_dgates, 4 * n, 1e-6, 1e-6);
  assert_allclose_f(dc, plain_dc, n, 1e-6, 1e-6);
  free(gates), free(before), free(c), free(dh), free(dc), free(plain_dc), free(dgates), free(plain_dgates);
}

static void test_lstm_cell_back(void **state) {
  (void)state;
  am_rng rng = am_rng_stream(3, AM_FOR_SYNTH, 0, 0, 0);
  const am_kernels *kernels[AM_TEST_CPUS];
  const size_t count = fast_kernels(kernels);
  for (size_t i = 0; i < count; i++)
    for (int h = 1; h < 50; h++) check_cell_back(kernels[i], &rng, h, h % 3 == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_recurrences), cmocka_unit_test(test_nan),
                                     cmocka_unit_test(test_lstm_cell_back)};
  return cmocka_run_group_tests_name("tensor_recurrent", tests, NULL, NULL);
}
