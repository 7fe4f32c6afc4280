/* SPDX-License-Identifier: MIT */
/* nn/plan.c - which ops run, and where everything they touch is in memory. */
#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

/* What building a plan needs beside the result. */
typedef struct planner {
  const am_model *model;
  am_plan *plan;
  int batch, groups; /* clips; their groups, with a backward pass alone */
  bool training;
  int end;       /* time after everything */
  int *producer; /* (tensors) op that writes it, -1 for the input and inside fused ops */
  int *death;    /* (tensors) last time its value is needed */
  int *readers;  /* (tensors) how many steps read it */
  bool failed;   /* out of memory */
} planner;

static int backward_time(const planner *p, size_t op) { return 2 * (int)p->plan->n_ops - 1 - (int)op; }

static size_t tensor_bytes(const planner *p, int number) {
  am_shape s = am_tensor_shape(p->model, number);
  return am_mul(am_mul(am_shape_count(s), sizeof(am_real)), (size_t)p->batch);
}

static size_t scaled(const planner *p, size_t per_clip, size_t once) {
  return am_add(am_mul(per_clip, (size_t)p->batch), once);
}

static int new_region(planner *p, size_t bytes, int birth, int death) {
  am_plan *plan = p->plan;
  if (!bytes) return AM_NO_REGION;
  if (am_grow(plan->ctx, &plan->regions, &plan->capacity, plan->n_regions + 1, sizeof *plan->regions, NULL)) {
    p->failed = true;
    return AM_NO_REGION;
  }
  size_t rounded = am_add(bytes, 63) / 64 * 64;
  plan->regions[plan->n_regions] = (am_region){.bytes = rounded, .birth = birth, .death = death};
  return (int)plan->n_regions++;
}

/* Ops */

/* A copy of a layer that the plan may change. */
static am_layer *copy_layer(planner *p, const am_layer *layer) {
  size_t head = (sizeof *layer + 15) / 16 * 16;
  am_layer *copy = am_alloc(p->plan->ctx, 1, am_add(head, layer->cls->options_size));
  if (!copy) {
    p->failed = true;
    return NULL;
  }
  *copy = *layer;
  copy->options = (char *)copy + head;
  memcpy(copy->options, layer->options, layer->cls->options_size);
  return copy;
}

/* Is tensor i + 1 read by step i + 1 alone, and not the output? */
static bool flows_on(const planner *p, size_t i) {
  const am_model *m = p->model;
  return i + 1 < m->n_steps && p->readers[i + 1] == 1 && m->steps[i + 1].inputs[0] == (int)i + 1;
}

/* Fuses what follows a step into it; returns how many steps it took. */
static size_t fuse(planner *p, size_t i, am_op *op) {
  const am_model *m = p->model;
  size_t n = 1;
  const am_layer_class *cls = m->steps[i].layer.cls;
  if (!m->fusion || m->keep || !cls->fuse || !flows_on(p, i)) return n;
  op->fused = copy_layer(p, &m->steps[i].layer);
  if (!op->fused) return n;
  while (flows_on(p, i + n - 1) && cls->fuse(op->fused, &m->steps[i + n].layer, p->training)) n++;
  if (n > 1) op->layer = op->fused;
  op->output = (int)(i + n);
  return n;
}

static void make_ops(planner *p) {
  const am_model *m = p->model;
  am_plan *plan = p->plan;
  for (size_t i = 0; i < m->n_steps;) {
    const am_step *step = &m->steps[i];
    am_op *op = &plan->ops[plan->n_ops++];
    *op = (am_op){.layer = &step->layer, .step = (int)i, .output = step->output};
    memcpy(op->inputs, step->inputs, sizeof op->inputs);
    i += fuse(p, i, op);
    p->producer[op->output] = (int)plan->n_ops - 1;
    bool needed = op->layer->n_weights > 0;
    for (int k = 0; k < op->layer->n_in; k++) needed |= plan->needed[op->inputs[k]];
    plan->needed[op->output] = needed;
  }
  p->end = 2 * (int)plan->n_ops;
}

/* Values */

static void find_deaths(planner *p) {
  const am_plan *plan = p->plan;
  int output = (int)p->model->n_steps;
  for (size_t i = 0; i < plan->n_ops; i++) {
    const am_op *op = &plan->ops[i];
    int back = backward_time(p, i);
    int *mine = &p->death[op->output];
    if (*mine < (int)i) *mine = (int)i;
    if (p->training && op->layer->backward_needs_y && *mine < back) *mine = back;
    for (int k = 0; k < op->layer->n_in; k++) {
      int *death = &p->death[op->inputs[k]];
      if (*death < (int)i) *death = (int)i;
      if (p->training && op->layer->backward_needs_x && *death < back) *death = back;
    }
  }
  p->death[output] = p->end;
  for (int t = 0; p->model->keep && t <= output; t++) p->death[t] = p->end;
}

/* May op i write its output over its first input? */
static bool can_overwrite(const planner *p, size_t i) {
  const am_plan *plan = p->plan;
  const am_op *op = &plan->ops[i];
  int x = op->inputs[0];
  if (!op->layer->in_place || p->model->keep || plan->value[x] == AM_NO_REGION) return false;
  return op->layer->view || plan->regions[plan->value[x]].death <= (int)i;
}

static void place_values(planner *p) {
  am_plan *plan = p->plan;
  for (size_t i = 0; i < plan->n_ops; i++) {
    const am_op *op = &plan->ops[i];
    int x = op->inputs[0], y = op->output;
    if (can_overwrite(p, i)) {
      plan->value[y] = plan->value[x];
      am_region *shared = &plan->regions[plan->value[x]];
      if (shared->death < p->death[y]) shared->death = p->death[y];
      /* What was there is overwritten now, unless y is the same numbers. */
      for (int t = 1; t < y && !op->layer->view; t++)
        if (plan->value[t] == plan->value[y] && plan->valid[t] > (int)i) plan->valid[t] = (int)i;
    } else {
      plan->value[y] = new_region(p, tensor_bytes(p, y), (int)i, p->death[y]);
    }
    plan->valid[y] = p->end;
  }
  for (size_t t = 0; t < plan->n_tensors; t++)
    if (plan->value[t] != AM_NO_REGION && plan->regions[plan->value[t]].death < plan->valid[t])
      plan->valid[t] = plan->regions[plan->value[t]].death;
}

/* Gradients: of a tensor's readers the last writes its gradient, each earlier
 * one (in backward order) a piece of its own that is then added. */

static void place_gradients(planner *p) {
  am_plan *plan = p->plan;
  for (size_t i = plan->n_ops; i-- > 0;) {
    am_op *op = &plan->ops[i];
    int now = backward_time(p, i);
    for (int k = 0; k < op->layer->n_in; k++) {
      int x = op->inputs[k], dy = plan->gradient[op->output];
      if (plan->gradient[x] != AM_NO_REGION) {
        op->dx[k] = new_region(p, tensor_bytes(p, x), now, now);
        op->adds[k] = true;
        continue;
      }
      int until = x == 0 || p->model->keep ? p->end : backward_time(p, (size_t)p->producer[x]);
      bool over = k == 0 && op->layer->in_place && !p->model->keep && dy != AM_NO_REGION;
      if (over && plan->regions[dy].death < until) plan->regions[dy].death = until;
      plan->gradient[x] = over ? dy : new_region(p, tensor_bytes(p, x), now, until);
      op->dx[k] = plan->gradient[x];
    }
  }
}

static void place_working_memory(planner *p) {
  for (size_t i = 0; i < p->plan->n_ops; i++) {
    am_op *op = &p->plan->ops[i];
    const am_layer *layer = op->layer;
    int now = (int)i, back = backward_time(p, i);
    op->cache = new_region(p, scaled(p, layer->cache_per_clip, layer->cache_once), now, p->training ? back : now);
    size_t scratch = scaled(p, layer->scratch_per_clip, layer->scratch_once);
    op->scratch_forward = new_region(p, scratch, now, now);
    scratch = am_add(scratch, am_mul(layer->scratch_per_group, (size_t)p->groups));
    op->scratch_backward = p->training ? new_region(p, scratch, back, back) : AM_NO_REGION;
  }
}

/* Offsets: largest first, each in the smallest gap between those placed that live at the same time. */

static int larger_first(const void *a, const void *b) {
  const am_region *const *x = a, *const *y = b;
  if ((*x)->bytes != (*y)->bytes) return (*x)->bytes < (*y)->bytes ? 1 : -1;
  return *x < *y ? -1 : *x > *y; /* a fixed order, since they are in one array */
}

static size_t find_gap(am_region *const *placed, size_t n, const am_region *r) {
  size_t at = 0, best = SIZE_MAX, best_size = SIZE_MAX;
  for (size_t i = 0; i < n; i++) { /* ordered by offset */
    const am_region *other = placed[i];
    if (other->death < r->birth || other->birth > r->death) continue;
    size_t gap = other->offset > at ? other->offset - at : 0;
    if (gap >= r->bytes && gap < best_size) {
      best = at;
      best_size = gap;
    }
    size_t end = am_add(other->offset, other->bytes);
    if (end > at) at = end;
  }
  return best == SIZE_MAX ? at : best;
}

static am_status assign_offsets(am_plan *plan, am_error *err) {
  size_t n = plan->n_regions;
  am_region **order = am_alloc(plan->ctx, 2 * n + 1, sizeof *order);
  if (!order) return am_no_memory(err);
  am_region **placed = order + n;
  for (size_t i = 0; i < n; i++) order[i] = &plan->regions[i];
  qsort(order, n, sizeof *order, larger_first);
  for (size_t i = 0; i < n; i++) {
    order[i]->offset = find_gap(placed, i, order[i]);
    size_t at = i, end = am_add(order[i]->offset, order[i]->bytes);
    for (; at > 0 && placed[at - 1]->offset > order[i]->offset; at--) placed[at] = placed[at - 1];
    placed[at] = order[i];
    if (end > plan->bytes) plan->bytes = end;
  }
  am_free(plan->ctx, order);
  return AM_OK;
}

/* The whole */

static am_status allocate(planner *p, am_error *err) {
  am_plan *plan = p->plan;
  size_t tensors = plan->n_tensors;
  plan->ops = am_alloc(plan->ctx, p->model->n_steps, sizeof *plan->ops);
  plan->value = am_alloc(plan->ctx, 6 * tensors, sizeof(int));
  plan->needed = am_alloc(plan->ctx, tensors, sizeof *plan->needed);
  if (!plan->ops || !plan->value || !plan->needed) return am_no_memory(err);
  plan->valid = plan->value + tensors;
  plan->gradient = plan->valid + tensors;
  p->producer = plan->gradient + tensors;
  p->death = p->producer + tensors;
  p->readers = p->death + tensors;
  for (size_t t = 0; t < tensors; t++) {
    plan->value[t] = plan->gradient[t] = AM_NO_REGION;
    p->producer[t] = -1;
    p->death[t] = -1;
  }
  for (size_t i = 0; i < p->model->n_steps; i++)
    for (int k = 0; k < p->model->steps[i].layer.n_in; k++) p->readers[p->model->steps[i].inputs[k]]++;
  p->readers[p->model->n_steps]++; /* the caller */
  return AM_OK;
}

am_status am_plan_create(const am_model *model, int max_batch, int groups, am_plan **out, am_error *err) {
  const bool training = groups > 0;
  *out = NULL;
  am_plan *plan = am_alloc(model->ctx, 1, sizeof *plan);
  if (!plan) return am_no_memory(err);
  *plan = (am_plan){.ctx = model->ctx, .n_tensors = model->n_steps + 1};
  planner p = {.model = model, .plan = plan, .batch = max_batch, .groups = groups, .training = training};
  am_status status = allocate(&p, err);
  if (!status) {
    make_ops(&p);
    find_deaths(&p);
    place_values(&p);
    for (size_t i = 0; i < plan->n_ops; i++)
      for (int k = 0; k < AM_MAX_INPUTS; k++) plan->ops[i].dx[k] = AM_NO_REGION;
    if (training) place_gradients(&p);
    place_working_memory(&p);
    status = p.failed ? am_no_memory(err) : assign_offsets(plan, err);
  }
  if (status) {
    am_plan_free(plan);
    return status;
  }
  *out = plan;
  return AM_OK;
}

void am_plan_free(am_plan *plan) {
  if (!plan) return;
  for (size_t i = 0; i < plan->n_ops; i++) am_free(plan->ctx, plan->ops[i].fused);
  am_free(plan->ctx, plan->ops);
  am_free(plan->ctx, plan->value);
  am_free(plan->ctx, plan->needed);
  am_free(plan->ctx, plan->regions);
  am_free(plan->ctx, plan);
}
