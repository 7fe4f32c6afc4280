/* SPDX-License-Identifier: MIT */
/* Batches in groups (nn/groups.h): the sums, and every layer on a part of a batch, which must give the bits that it gives
 * on the whole: y and dx of each clip, and gradients of weights that add up, in pairs. */
#include "golden.h"
#include "nn/groups.h"

static double unit(size_t i) { return (double)(splitmix64(i) >> 11) / 9007199254740992.0 - 0.5; }

/* ---- the sums ---- */

enum { MOST = 21, WIDE = 5 };

static double node(const double *parts, size_t level, size_t i, size_t groups) {
  if (level == 0) return parts[i * WIDE];
  const size_t right = (2 * i + 1) << (level - 1);
  const double left = node(parts, level - 1, 2 * i, groups);
  return right < groups ? left + node(parts, level - 1, 2 * i + 1, groups) : left;
}

static void test_sums_in_pairs(void **state) {
  (void)state;
  const am_kernels *k = am_kernels_plain();
  for (size_t groups = 1; groups <= MOST; groups++) {
    double doubles[MOST * WIDE], wanted[WIDE];
    am_real folded[MOST * WIDE], memory[AM_PAIR_LEVELS * WIDE];
    for (size_t i = 0; i < groups * WIDE; i++) {
      folded[i] = (am_real)(unit(i) * (i % 7 ? 1 : 1e6));
      doubles[i] = unit(i + 1000) * (i % 7 ? 1 : 1e12);
    }
    am_pair_sum sum = am_pair_begin(k, WIDE, memory);
    assert_null(am_pair_root(&sum));
    for (size_t g = 0; g < groups; g++) {
      memcpy(am_pair_next(&sum), folded + g * WIDE, WIDE * sizeof(am_real));
      am_pair_add(&sum);
    }
    am_groups_fold(k, groups, WIDE, WIDE, folded);
    assert_memory_equal(am_pair_root(&sum), folded, WIDE * sizeof(am_real));
    for (size_t i = 0; i < WIDE; i++) wanted[i] = node(doubles + i, 5, 0, groups);
    am_groups_fold_doubles(groups, WIDE, WIDE, doubles);
    assert_memory_equal(doubles, wanted, sizeof wanted);
  }
}

/* ---- layers ---- */

/* `whole` of some clips alone, from `first` on. */
static golden_case part_of(const golden_case *whole, int first, int clips) {
  golden_case c = *whole;
  c.clips = clips;
  for (int b = 0; b < clips; b++) c.lengths[b] = whole->lengths[first + b];
  return c;
}

static void copy_clips(am_shape s, const am_real *from, int first, int clips, am_real *to) {
  const size_t n = am_shape_count(s);
  memcpy(to, from + (size_t)first * n, (size_t)clips * n * sizeof *to);
}

static void run_part(const golden_case *c, am_context *ctx, const runner *all, int first, int clips, runner *part) {
  const golden_case mine = part_of(c, first, clips);
  runner_create(part, ctx, &mine);
  for (int i = 0; i < c->n_in; i++) copy_clips(part->layer.in[i], all->x[i], first, clips, part->x[i]);
  copy_clips(part->layer.out, all->dy, first, clips, part->dy);
  for (int b = 0; b < clips; b++) part->draws[b] = all->draws[first + b];
  part->layer.cls->forward(&part->layer, &part->pass);
  part->layer.cls->backward(&part->layer, &part->pass);
}

/* Frames of each clip, as far as they count. */
static void same_clips(const char *what, am_shape s, const int *lengths, const am_real *all, int first, int clips,
                       const am_real *part) {
  for (int b = 0; b < clips; b++) {
    const size_t n = valid_count(s, lengths, b), at = (size_t)b * am_shape_count(s);
    if (memcmp(all + (size_t)first * am_shape_count(s) + at, part + at, n * sizeof *part))
      fail_msg("%s of clip %d differs when it is in a batch of %d", what, first + b, clips);
  }
}

/* A batch cut after `first` clips, a node of the tree. */
static void check_cut(const golden_case *c, const char *cpu, int threads, int first) {
  am_context *ctx = am_test_context(threads, cpu);
  runner all, part[2];
  runner_create(&all, ctx, c);
  const am_layer *layer = &all.layer;
  layer->cls->forward(layer, &all.pass);
  layer->cls->backward(layer, &all.pass);
  const int clips[2] = {first, c->clips - first};
  for (int p = 0; p < 2; p++) {
    const int from = p ? first : 0;
    run_part(c, ctx, &all, from, clips[p], &part[p]);
    same_clips("y", layer->out, part[p].y_len, all.pass.y, from, clips[p], part[p].pass.y);
    for (int i = 0; i < layer->n_in; i++)
      same_clips("dx", layer->in[i], part[p].x_len[i], all.pass.dx[i], from, clips[p], part[p].pass.dx[i]);
  }
  for (int i = 0; i < layer->n_weights; i++)
    for (size_t k = 0; k < layer->weights[i].count; k++) {
      const am_real sum = part[0].pass.dw[i][k] + part[1].pass.dw[i][k];
      if (sum != all.pass.dw[i][k])
        fail_msg("%s, %s, cut after %d of %d: %s[%zu] is %.9g of parts and %.9g of the whole", c->name, cpu, first,
                 c->clips, layer->weights[i].name, k, (double)sum, (double)all.pass.dw[i][k]);
    }
  runner_free(&all), runner_free(&part[0]), runner_free(&part[1]);
  am_context_free(ctx);
}

/* Cut where the tree is. */
static void check_everywhere(const golden_case *c, int threads) {
  const char *cpus[AM_TEST_CPUS];
  const size_t n = am_test_cpus(cpus);
  for (size_t i = 0; i < n; i++)
    for (int first = RUNNER_GROUP; first < c->clips; first *= 2)
      if (first * 2 >= c->clips) check_cut(c, cpus[i], threads, first);
}

/* valgrind takes a hundred times as long, and sees enough in every fourth. */
static size_t step(void) { return getenv("AM_VALGRIND") ? 4 : 1; }

/* But batch norm, whose moments are of all clips. */
static void test_golden_cases(void **state) {
  (void)state;
  golden_file file;
  assert_true(golden_read("layers", &file));
  int checked = 0;
  for (size_t i = 0; i < file.n; i += step()) {
    const golden_case *c = &file.cases[i];
    if (!c->training || c->clips <= RUNNER_GROUP || !strcmp(c->type, "batch_norm")) continue;
    check_everywhere(c, 2);
    checked++;
  }
  assert_true((size_t)checked * step() > 20);
  golden_free(&file);
}

/* Sizes at which other kernels are chosen than for the golden cases. */
typedef struct sized {
  const char *type, *options;
  int rank, t, f, c, clips;
} sized;

static const sized sizes[] = {
    {"conv2d", "{filters: 32, kernel: 3, padding: same}", 3, 37, 41, 1, 7},
    {"conv2d", "{filters: 24, kernel: [3, 3], padding: same}", 3, 29, 33, 32, 5},
    {"conv2d", "{filters: 64, kernel: 3, padding: same}", 3, 20, 18, 64, 6},
    {"conv2d", "{filters: 48, kernel: 1, stride: 2}", 3, 21, 19, 32, 5},
    {"conv1d", "{filters: 64, kernel: 5, padding: same}", 2, 90, 1, 40, 9},
    {"dense", "{units: 96}", 2, 77, 1, 64, 5},
    {"dense", "{units: 640}", 2, 33, 1, 512, 5},
    {"dense", "{units: 40}", 1, 1, 1, 300, 19},
    {"dense", "{units: 300}", 1, 1, 1, 70, 32},
    {"dense", "{units: 33}", 1, 1, 1, 9000, 13},
    {"dense", "{units: 160}", 1, 1, 1, 8200, 21},
    {"lstm", "{units: 48, bidirectional: true, layers: 2}", 2, 31, 1, 40, 19},
    {"lstm", "{units: 96}", 2, 23, 1, 64, 32},
    {"gru", "{units: 48, bidirectional: true}", 2, 31, 1, 40, 19},
    {"gru", "{units: 40, reset_after: false}", 2, 31, 1, 33, 19},
    {"attention_pool", "{units: 32, heads: 2}", 2, 40, 1, 64, 7},
    {"layer_norm", "{}", 2, 40, 1, 96, 7},
};

static void test_sizes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i += step()) {
    const sized *s = &sizes[i];
    golden_case c = {.n_in = 1, .clips = s->clips, .in = {{s->rank, s->t, s->f, s->c, false}}, .training = true};
    snprintf(c.name, sizeof c.name, "%s %s", s->type, s->options);
    snprintf(c.type, sizeof c.type, "%s", s->type);
    snprintf(c.text, sizeof c.text, "%s", s->options);
    c.seed = 100 + i;
    c.masked = s->rank > 1;
    for (int b = 0; b < c.clips; b++) c.lengths[b] = s->t - (b * 5 + 3) % (s->t / 2 + 1);
    for (int threads = 1; threads <= 3; threads += 2) check_everywhere(&c, threads);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sums_in_pairs), cmocka_unit_test(test_golden_cases),
                                     cmocka_unit_test(test_sizes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
