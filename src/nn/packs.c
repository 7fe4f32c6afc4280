/* SPDX-License-Identifier: MIT */
/* nn/packs.c - see packs.h. */
#include "nn/packs.h"

#include <string.h>

struct am_packs {
  am_packs *next;    /* older */
  unsigned frozen;   /* the freeze they are of */
  bool fusion, keep; /* that the plan was made with: its ops are others without */
  size_t n;          /* ops */
  size_t *offsets;   /* (n) into the memory; SIZE_MAX: nothing */
  char *memory;
};

static void free_one(am_context *ctx, am_packs *p) {
  am_free(ctx, p->offsets);
  am_free_aligned(ctx, p->memory);
  am_free(ctx, p);
}

static size_t bytes_of(const am_layer *layer) { return layer->cls->packed_bytes ? layer->cls->packed_bytes(layer) : 0; }

static size_t scratch_of(const am_layer *layer) { return am_add(layer->scratch_per_clip, layer->scratch_once); }

static void pack(const am_model *model, const am_layer *layer, void *scratch, void *to) {
  am_pass pass = {.size = sizeof pass, .scratch = scratch};
  for (int k = 0; k < layer->n_weights; k++) pass.w[k] = model->weights + layer->weights[k].offset;
  for (int k = 0; k < layer->n_statistics; k++) pass.statistics[k] = model->statistics + layer->statistics[k].offset;
  layer->cls->pack(layer, &pass, to);
}

static am_status make(am_model *model, const am_plan *plan, am_packs **out, am_error *err) {
  am_context *ctx = model->ctx;
  am_packs *p = am_alloc(ctx, 1, sizeof *p);
  if (!p) return am_no_memory(err);
  *p = (am_packs){.frozen = model->frozen, .fusion = model->fusion, .keep = model->keep, .n = plan->n_ops};
  p->offsets = am_alloc(ctx, plan->n_ops, sizeof *p->offsets);
  size_t used = 0, most = 0;
  for (size_t i = 0; p->offsets && i < plan->n_ops; i++) {
    const size_t bytes = bytes_of(plan->ops[i].layer);
    p->offsets[i] = bytes ? used : SIZE_MAX;
    used = am_add(used, am_add(bytes, 63) / 64 * 64);
    if (bytes && most < scratch_of(plan->ops[i].layer)) most = scratch_of(plan->ops[i].layer);
  }
  if (p->offsets && used) p->memory = am_alloc_aligned(ctx, used);
  void *scratch = p->memory ? am_alloc_aligned(ctx, most) : NULL;
  if (!p->offsets || (used && !scratch)) {
    free_one(ctx, p);
    return am_no_memory(err);
  }
  for (size_t i = 0; i < plan->n_ops; i++)
    if (p->offsets[i] != SIZE_MAX) pack(model, plan->ops[i].layer, scratch, p->memory + p->offsets[i]);
  am_free_aligned(ctx, scratch);
  *out = p;
  return AM_OK;
}

static bool alike(const am_packs *p, const am_model *model, const am_plan *plan) {
  return p->frozen == model->frozen && p->fusion == model->fusion && p->keep == model->keep && p->n == plan->n_ops;
}

am_status am_packs_get(am_model *model, const am_plan *plan, const am_packs **out, am_error *err) {
  am_status status = AM_OK;
  *out = NULL;
  if (!model->frozen) return AM_OK;
  pthread_mutex_lock(&model->packing);
  am_packs *p = model->packs;
  while (p && !alike(p, model, plan)) p = p->next;
  if (!p && !(status = make(model, plan, &p, err))) {
    p->next = model->packs;
    model->packs = p;
  }
  pthread_mutex_unlock(&model->packing);
  *out = p;
  return status;
}

const void *am_packs_of(const am_packs *p, const am_model *model, size_t op) {
  return p && p->frozen == model->frozen && p->offsets[op] != SIZE_MAX ? p->memory + p->offsets[op] : NULL;
}

void am_packs_free(am_model *model) {
  for (am_packs *p = model->packs, *next; p; p = next) {
    next = p->next;
    free_one(model->ctx, p);
  }
  model->packs = NULL;
}
