/* SPDX-License-Identifier: MIT */
/* ranks/ over sockets: trees, sums, words between ranks. */
#include "mesh.h"

#include "ranks/plan.h"

/* ---- the tree, and who has what ---- */

/* A number of leaf `leaf`: of many magnitudes, so that another order of adding gives other bits. */
static double number(size_t leaf, size_t i, unsigned salt) {
  uint64_t x = (leaf + 1) * 0x9e3779b97f4a7c15u + (i + 1) * 0xbf58476d1ce4e5b9u + salt * 0x94d049bb133111ebu;
  x ^= x >> 31;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 29;
  return ldexp((double)(int64_t)x, (int)(x % 13) - 66);
}

/* Plainly: node (k, i), in am_real or in double. */
static float reference(unsigned k, size_t node, size_t leaves, size_t i, unsigned salt) {
  if (k == 0) return (float)number(node, i, salt);
  float sum = reference(k - 1, 2 * node, leaves, i, salt);
  if ((2 * node + 1) << (k - 1) < leaves) sum += reference(k - 1, 2 * node + 1, leaves, i, salt);
  return sum;
}
static double reference_double(unsigned k, size_t node, size_t leaves, size_t i, unsigned salt) {
  if (k == 0) return number(node, i, salt);
  double sum = reference_double(k - 1, 2 * node, leaves, i, salt);
  if ((2 * node + 1) << (k - 1) < leaves) sum += reference_double(k - 1, 2 * node + 1, leaves, i, salt);
  return sum;
}
static unsigned height(size_t leaves) {
  unsigned k = 0;
  while ((size_t)1 << k < leaves) k++;
  return k;
}

static void plan_gives_each_a_node(void **state) {
  (void)state;
  for (size_t leaves = 1; leaves <= 70; leaves++)
    for (int ranks = 1; ranks <= 72; ranks++) {
      size_t first[80];
      am_ranks_merge merges[80];
      const bool can = am_ranks_plan(leaves, ranks, first, merges);
      assert_int_equal(can, (size_t)ranks <= leaves);
      if (!can) continue;
      assert_int_equal(first[0], 0);
      assert_int_equal(first[ranks], leaves);
      size_t most = 0;
      for (int r = 0; r < ranks; r++) {
        assert_true(first[r] < first[r + 1]);
        size_t count = first[r + 1] - first[r], wide = 1;
        while (wide < count) wide *= 2;
        assert_int_equal(first[r] % wide, 0);
        assert_true(count == wide || first[r + 1] == leaves); /* a node is whole, or the last one of its height */
        if (count > most) most = count;
      }
      if (ranks == 1) assert_int_equal(most, leaves);
      if (leaves % (size_t)ranks == 0 && (ranks & (ranks - 1)) == 0 && (leaves & (leaves - 1)) == 0)
        assert_int_equal(most, leaves / (size_t)ranks);
      /* Merged in their order, nodes become the whole one. */
      size_t end[80];
      for (int r = 0; r < ranks; r++) end[r] = first[r + 1];
      for (int m = 0; m < ranks - 1; m++) {
        assert_int_equal(end[merges[m].to], first[merges[m].from]);
        end[merges[m].to] = end[merges[m].from];
      }
      assert_int_equal(end[0], leaves);
    }
}

/* ---- sums of ranks ---- */

/* In a child a failed assertion cannot be told by cmocka. */
#define need(condition) \
  do { \
    if (!(condition)) return am_fail(err, AM_E_DATA, "%s:%d: not %s", __FILE__, __LINE__, #condition); \
  } while (0)
#define ok(call) \
  do { \
    const am_status ok_status = (call); \
    if (ok_status) return ok_status; \
  } while (0)

enum { MOST_GROUPS = 16, LARGE = 9000 };
static const size_t sizes[] = {1, 5, 1000, LARGE, 0, 1030};
enum { ARRAYS = sizeof sizes / sizeof *sizes };

/* What this rank has of an array: its leaves' sum, or a NaN where it has none. */
static void fill(float *values, double *doubles, size_t n, size_t first, size_t count, unsigned salt) {
  const unsigned k = height(count);
  for (size_t i = 0; i < n; i++) {
    values[i] = count ? reference(k, first >> k, first + count, i, salt) : NAN;
    doubles[i] = count ? reference_double(k, first >> k, first + count, i, salt) : NAN;
  }
}

static am_status sum_all(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  static float values[ARRAYS][LARGE];
  static double doubles[ARRAYS][LARGE];
  const size_t groups = *(size_t *)arg;
  (void)ctx, (void)shared;
  size_t mine, mine_count;
  ok(am_ranks_leaves(ranks, groups, &mine, &mine_count, err));
  for (size_t leaves = groups; leaves >= 1; leaves = leaves > 4 ? leaves - 3 : leaves - 1) {
    size_t first, count;
    ok(am_ranks_batch(ranks, groups, leaves, &first, &count, err));
    need(first + count <= leaves && count <= mine_count && (!count || first == mine));
    for (size_t a = 0; a < ARRAYS; a++) fill(values[a], doubles[a], sizes[a], first, count, (unsigned)a);
    for (size_t a = 0; a < ARRAYS; a++) {
      ok(am_ranks_sum(ranks, values[a], sizes[a], err));
      if (a % 2) ok(am_ranks_sum_doubles(ranks, doubles[a], sizes[a], err));
    }
    ok(am_ranks_finish(ranks, err));
    const unsigned k = height(leaves);
    for (size_t a = 0; a < ARRAYS; a++)
      for (size_t i = 0; i < sizes[a]; i++) {
        const float want = reference(k, 0, leaves, i, (unsigned)a);
        const double want_double = reference_double(k, 0, leaves, i, (unsigned)a);
        need(!memcmp(&want, &values[a][i], sizeof want));
        need(a % 2 == 0 || !memcmp(&want_double, &doubles[a][i], sizeof want_double));
      }
  }
  const am_ranks_count counts = am_ranks_counts(ranks);
  need(am_ranks_size(ranks) == 1 ||
       (counts.bytes > 0 && counts.messages > 0 && counts.waited >= 0 && counts.hidden >= 0));
  return AM_OK;
}

static void all_well(int size, mesh_work work, void *arg) {
  int codes[MESH_MOST];
  mesh_shared *shared = mesh_run(size, work, arg, codes);
  for (int r = 0; r < size; r++)
    if (codes[r] || shared->status[r] || shared->end[r] != AM_LINK_DONE)
      fail_msg("rank %d of %d: %d, %s", r, size, codes[r], shared->message[r]);
  assert_int_equal(atomic_load(&shared->told), 0);
  mesh_end(shared);
}

static void sums_are_the_trees(void **state) {
  (void)state;
  for (int size = 1; size <= 8; size++)
    for (size_t groups = (size_t)size; groups <= MOST_GROUPS; groups += groups < 9 ? 1 : 3)
      all_well(size, sum_all, &groups);
}

static void one_alone_is_no_rank(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  float value = 3;
  double number_of = 4;
  size_t first = 9, count = 9, end = 9;
  void *all;
  bool any = true;
  assert_int_equal(am_ranks_rank(NULL), 0);
  assert_int_equal(am_ranks_size(NULL), 1);
  assert_true(am_ranks_first(NULL));
  assert_string_equal(am_ranks_host(NULL, 0), "");
  assert_string_equal(am_ranks_library(NULL), "");
  am_test_ok(am_ranks_leaves(NULL, 7, &first, &count, &err), &err);
  assert_int_equal(first, 0);
  assert_int_equal(count, 7);
  am_test_ok(am_ranks_batch(NULL, 7, 5, &first, &count, &err), &err);
  assert_int_equal(count, 5);
  am_test_ok(am_ranks_sum(NULL, &value, 1, &err), &err);
  am_test_ok(am_ranks_sum_doubles(NULL, &number_of, 1, &err), &err);
  am_test_ok(am_ranks_finish(NULL, &err), &err);
  am_test_ok(am_ranks_broadcast(NULL, &value, sizeof value, &err), &err);
  am_test_ok(am_ranks_gather(NULL, ctx, "abc", 3, &all, &end, &err), &err);
  assert_int_equal(end, 3);
  assert_memory_equal(all, "abc", 3);
  am_free(ctx, all);
  assert_int_equal(am_ranks_agree(NULL, AM_E_DATA, &err), AM_E_DATA);
  am_test_ok(am_ranks_any(NULL, &any, &err), &err);
  assert_true(any);
  am_test_ok(am_ranks_same(NULL, "program", "x", &err), &err);
  am_test_ok(am_ranks_barrier(NULL, &err), &err);
  assert_int_equal(am_ranks_leave(NULL, AM_OK, &err), AM_OK);
  am_ranks_free(NULL);
  assert_true(value == 3 && number_of == 4 && am_ranks_counts(NULL).bytes == 0);
  am_context_free(ctx);
}

/* ---- other words ---- */

static am_status talk(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  const int me = am_ranks_rank(ranks), n = am_ranks_size(ranks);
  (void)shared, (void)arg;
  size_t ends[MESH_MOST];
  for (size_t bytes = 0; bytes < 300000; bytes = bytes * 9 + 1) {
    char *data = am_alloc(ctx, bytes + 1, 1);
    if (!data) return am_no_memory(err);
    for (size_t i = 0; i < bytes && !me; i++) data[i] = (char)(i * 7);
    ok(am_ranks_broadcast(ranks, data, bytes, err));
    for (size_t i = 0; i < bytes; i++) need(data[i] == (char)(i * 7));
    memset(data, 'a' + me, bytes);
    char *all = NULL;
    const size_t own = me % 3 == 1 ? 0 : bytes / (size_t)(me + 1);
    ok(am_ranks_gather(ranks, ctx, data, own, (void **)&all, ends, err));
    for (int r = 0; r < n; r++) {
      const size_t begin = r ? ends[r - 1] : 0, wanted = r % 3 == 1 ? 0 : bytes / (size_t)(r + 1);
      need(ends[r] - begin == wanted);
      for (size_t i = begin; i < ends[r]; i++) need(all[i] == 'a' + r);
    }
    am_free(ctx, all);
    am_free(ctx, data);
  }
  for (int who = -1; who < n; who++) {
    bool any = me == who;
    ok(am_ranks_any(ranks, &any, err));
    need(any == (who >= 0));
  }
  ok(am_ranks_same(ranks, "program", "the same", err));
  ok(am_ranks_barrier(ranks, err));
  return am_ranks_agree(ranks, AM_OK, err);
}

static void words_reach_all(void **state) {
  (void)state;
  for (int size = 1; size <= 8; size++) all_well(size, talk, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plan_gives_each_a_node),
      cmocka_unit_test(one_alone_is_no_rank),
      cmocka_unit_test(sums_are_the_trees),
      cmocka_unit_test(words_reach_all),
  };
  return cmocka_run_group_tests_name("ranks", tests, NULL, NULL);
}
