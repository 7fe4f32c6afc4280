/* SPDX-License-Identifier: MIT */
/* tests/optim/test_split_slots.c - slots that several processes split: weights, slots and average have the bits of one process alone. */
#include "../ranks/mesh.h"

#include "base/hash.h"
#include "io/yaml.h"
#include "optim/registry.h"

enum { IN = 150, BEFORE = 4, AFTER = 2 };

typedef struct wanted {
  const char *optimiser;
  double ema;
  char text[256]; /* of one process; "": this is the one */
} wanted;

typedef struct bench {
  am_tree *tree;
  am_optimiser_options options;
  am_model *model;
  am_optimiser *optimiser;
  am_real *g;
  size_t n;
} bench;

/* Arrays of several pieces and of one number more, one that is frozen, and one with a rate of its own. */
static am_status make(am_context *ctx, const wanted *w, bench *b, am_error *err) {
  static const char layers_text[] =
      "[{dense: {units: 300, name: wide}}, {dense: {units: 55, name: narrow}}, {dense: {units: 2, name: out}}]";
  am_value *layers, *section;
  const am_shape input = {.rank = 1, .t = 1, .f = 1, .c = IN};
  am_status status = am_tree_create(ctx, &b->tree, err);
  if (!status) status = am_yaml_read_text(b->tree, layers_text, strlen(layers_text), "layers", &layers, err);
  if (!status) status = am_model_create(ctx, layers, input, 2, &b->model, err);
  if (!status) status = am_yaml_read_text(b->tree, w->optimiser, strlen(w->optimiser), "optimiser", &section, err);
  if (!status) status = am_options_read(b->tree, am_optimiser_table, section, "train.optimiser", &b->options, err);
  if (status) return status;
  am_model_initialise(b->model, 7);
  am_model_weights(b->model, &b->n);
  b->g = am_alloc_aligned(ctx, b->n * sizeof *b->g);
  return b->g ? AM_OK : am_no_memory(err);
}

static am_status step(bench *b, am_optimiser *o, int t, am_error *err) {
  uint32_t x = 77u + (uint32_t)t;
  for (size_t a = 0; a < am_model_weight_count(b->model); a++) {
    const am_array_info info = *am_model_weight_info(b->model, a);
    for (size_t i = 0; i < info.count; i++) {
      x = x * 1664525u + 1013904223u;
      b->g[info.offset + i] = (am_real)((double)(x >> 8) / (1 << 23) - 1);
    }
  }
  am_optimiser_step(o, am_model_weights(b->model, NULL), b->g, 3, 0.01);
  for (size_t i = 0; i < b->n; i++)
    if (b->g[i] != 0) return am_fail(err, AM_E_NUMERIC, "a gradient is not zero after the step");
  return am_optimiser_exchange(o, am_model_weights(b->model, NULL), err);
}

static uint32_t digest(const bench *b) {
  return am_crc32c(0, am_model_weights(b->model, NULL), b->n * sizeof(am_real));
}

/* Rank 0 has each slot whole, as a checkpoint would, and another optimiser takes it; the digest of all. */
static am_status copy_slots(am_context *ctx, am_ranks *ranks, bench *b, am_optimiser *to, uint32_t *crc,
                            am_error *err) {
  am_status status = AM_OK;
  *crc = 0;
  for (int slot = 0; am_optimiser_slot_name(b->optimiser, slot) && !status; slot++)
    for (size_t i = 0; i < am_model_weight_count(b->model) && !status; i++) {
      const am_array_info info = *am_model_weight_info(b->model, i);
      const am_real *from;
      am_real *room = am_alloc_aligned(ctx, info.count * sizeof *room), *place;
      if (!room) return am_no_memory(err);
      status = am_optimiser_slot(b->optimiser, slot, info.offset, info.count, room, &from, err);
      if (!status && from && from != room) memcpy(room, from, info.count * sizeof *room);
      if (!status) status = am_ranks_broadcast(ranks, room, info.count * sizeof *room, err);
      if (!status) {
        place = am_optimiser_slot_place(to, slot, &info, room);
        if (place != room) memcpy(place, room, info.count * sizeof *room);
        am_optimiser_slot_take(to, slot, &info, room);
        *crc = am_crc32c(*crc, room, info.count * sizeof *room);
      }
      am_free_aligned(ctx, room);
    }
  to->step = b->optimiser->step;
  return status;
}

static am_status follow(am_context *ctx, am_ranks *ranks, wanted *w, bench *b, am_optimiser *again, am_error *err) {
  uint32_t steps, slots = 0, average;
  am_status status = AM_OK;
  for (int t = 0; t < BEFORE && !status; t++) status = step(b, b->optimiser, t, err);
  steps = digest(b);
  if (!status) status = copy_slots(ctx, ranks, b, again, &slots, err);
  for (int t = 0; t < AFTER && !status; t++) status = step(b, again, BEFORE + t, err);
  if (!status) status = am_optimiser_swap_average(again, am_model_weights(b->model, NULL), err);
  average = digest(b);
  if (!status) status = am_optimiser_swap_average(again, am_model_weights(b->model, NULL), err);
  const uint32_t all = digest(b);
  /* What is no number is found by all, whoever has it. */
  if (!status) {
    am_model_weights(b->model, NULL)[am_model_weight_info(b->model, 4)->offset] = INFINITY;
    status = step(b, again, 0, err);
  }
  char text[sizeof w->text];
  snprintf(text, sizeof text, "weights %08x, slots %08x, average %08x, in the end %08x, bad array %ld", steps, slots,
           average, all, again->bad_array);
  if (status || !*w->text) return snprintf(w->text, sizeof w->text, "%s", text), status;
  return strcmp(text, w->text) == 0 ? AM_OK : am_fail(err, AM_E_NUMERIC, "%s; alone: %s", text, w->text);
}

static am_status work(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err) {
  wanted *w = arg;
  bench b = {0};
  am_optimiser *again = NULL;
  (void)shared;
  am_status status = make(ctx, w, &b, err);
  if (!status) status = am_optimiser_create_split(ctx, &b.options, w->ema, b.model, ranks, &b.optimiser, err);
  if (!status) status = am_optimiser_create_split(ctx, &b.options, w->ema, b.model, ranks, &again, err);
  if (!status && ranks && b.optimiser->end - b.optimiser->begin > b.n / (size_t)am_ranks_size(ranks) + 16384)
    status = am_fail(err, AM_E_USAGE, "it keeps more than its share");
  if (!status) status = follow(ctx, ranks, w, &b, again, err);
  status = am_ranks_leave(ranks, status, err); /* before what it sends is freed */
  am_optimiser_free(b.optimiser);
  am_optimiser_free(again);
  am_free_aligned(ctx, b.g);
  if (b.model) am_model_free(b.model);
  if (b.tree) am_tree_free(b.tree);
  return status;
}

static void several_have_the_bits_of_one(void **state) {
  (void)state;
  static const char *const optimisers[] = {
      "{kind: sgd}", "{kind: sgd, momentum: 0.9, nesterov: true, weight_decay: 0.01}",
      "{kind: adam, clip_norm: 0.5, freeze: [\"narrow/kernel\"], rates: {\"out/*\": 0.1}}",
      "{kind: adamw, weight_decay: 0.1, epsilon_mode: pytorch}"};
  for (size_t i = 0; i < sizeof optimisers / sizeof *optimisers; i++) {
    wanted w = {.optimiser = optimisers[i], .ema = i % 2 ? 0.9 : 0};
    am_context *ctx = am_test_context(2, NULL);
    am_error err = AM_ERROR_INIT;
    am_test_ok(work(ctx, NULL, NULL, &w, &err), &err);
    am_context_free(ctx);
    assert_non_null(strstr(w.text, "bad array 4"));
    for (int size = 2; size <= 5; size++) {
      int codes[MESH_MOST];
      mesh_shared *shared = mesh_run(size, work, &w, codes);
      for (int r = 0; r < size; r++)
        if (codes[r]) fail_msg("%s, rank %d of %d: %s", w.optimiser, r, size, shared->message[r]);
      mesh_end(shared);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(several_have_the_bits_of_one)};
  return cmocka_run_group_tests_name("split_slots", tests, NULL, NULL);
}
