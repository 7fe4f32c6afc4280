/* SPDX-License-Identifier: MIT */
/* nn/session.c - running a model: one slab, the passes, time per step. */
#include "nn/session.h"

#include "nn/groups.h"
#include "nn/packs.h"

#include <string.h>

typedef enum phase { FRESH, FORWARD, TRAINED, BACKWARD } phase; /* what was done last; TRAINED: forward in training */

struct am_session {
  am_context *ctx;
  const am_model *model;
  am_plan *plan;
  const am_packs *packs;       /* of the model; NULL: each pass makes its own */
  int max_batch, batch, group; /* clips; of a group (groups.h) */
  bool training, want_input, profiling;
  phase phase;
  am_ready_fn ready; /* gradients of weights are told to it, or NULL */
  void *ready_arg;
  const am_real *input; /* of the last forward */
  size_t bytes;
  char *slab;
  /* In the slab: */
  char *memory;        /* what the plan's regions share */
  am_real *gradients;  /* flat, as the weights; NULL in inference */
  int *lengths;        /* (tensors, max_batch) */
  int *most;           /* (tensors) frames in use: the longest of them, or t where clips do not differ */
  uint64_t *draws;     /* (max_batch) 0, 1, 2, ... for callers that give none */
  am_pass *passes;     /* (ops) */
  am_step_time *times; /* (steps) */
};

/* The same code counts and places (base/arena.h). */
static void place(am_session *s, am_arena *arena) {
  size_t batch = (size_t)s->max_batch;
  s->memory = am_arena_take(arena, s->plan->bytes, 1);
  s->gradients = s->training ? am_arena_take(arena, s->model->n_weights, sizeof *s->gradients) : NULL;
  s->lengths = am_arena_take(arena, am_mul(s->plan->n_tensors, batch), sizeof *s->lengths);
  s->most = am_arena_take(arena, s->plan->n_tensors, sizeof *s->most);
  s->draws = am_arena_take(arena, batch, sizeof *s->draws);
  s->passes = am_arena_take(arena, s->plan->n_ops, sizeof *s->passes);
  s->times = am_arena_take(arena, s->model->n_steps, sizeof *s->times);
}

static void *region(const am_session *s, int index) {
  return index == AM_NO_REGION ? NULL : s->memory + s->plan->regions[index].offset;
}

static int *lengths_of(const am_session *s, int tensor) { return s->lengths + (size_t)tensor * (size_t)s->max_batch; }

/* All pointers that stay the same from batch to batch. */
static void prepare_pass(am_session *s, size_t i) {
  const am_op *op = &s->plan->ops[i];
  const am_layer *layer = op->layer;
  am_pass *pass = &s->passes[i];
  pass->size = sizeof *pass;
  for (int k = 0; k < layer->n_in; k++) {
    pass->x[k] = region(s, s->plan->value[op->inputs[k]]);
    pass->x_len[k] = lengths_of(s, op->inputs[k]);
  }
  pass->y = region(s, s->plan->value[op->output]);
  pass->y_len = lengths_of(s, op->output);
  for (int k = 0; k < layer->n_weights; k++) {
    pass->w[k] = s->model->weights + layer->weights[k].offset;
    pass->dw[k] = s->gradients ? s->gradients + layer->weights[k].offset : NULL;
  }
  for (int k = 0; k < layer->n_statistics; k++)
    pass->statistics[k] = s->model->statistics + layer->statistics[k].offset;
  pass->dy = region(s, s->plan->gradient[op->output]);
  pass->cache = region(s, op->cache);
  pass->group = s->group;
}

static int groups_of(int max_batch, int group, bool training) { return training ? (max_batch + group - 1) / group : 0; }

am_status am_session_create(am_model *model, int max_batch, bool training, am_session **out, am_error *err) {
  const int clips = max_batch > 0 ? max_batch : 1;
  return am_session_create_grouped(model, max_batch, am_group_size(clips, AM_GROUPS), training, out, err);
}

am_status am_session_create_grouped(am_model *model, int max_batch, int group, bool training, am_session **out,
                                    am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  if ((status = AM_NEED(err, model))) return status;
  if (max_batch < 1) return am_fail(err, AM_E_USAGE, "a session for %d clips; wanted at least 1", max_batch);
  status = am_gemm_begin(err);
  if (status) return status;
  am_session *s = am_alloc(model->ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  *s = (am_session){.ctx = model->ctx, .model = model, .max_batch = max_batch, .group = group, .training = training};
  status = am_plan_create(model, max_batch, groups_of(max_batch, group, training), &s->plan, err);
  if (status) goto failed;
  am_arena count = {0};
  place(s, &count);
  if (count.used > AM_LARGEST_BYTES) {
    status = am_fail(err, AM_E_SHAPE,
                     "a batch of %d clips would take %zu bytes, more than anything this runs on has; "
                     "use a smaller batch or model",
                     max_batch, count.used);
    goto failed;
  }
  s->bytes = count.used;
  s->slab = am_alloc_aligned(s->ctx, count.used);
  if (!s->slab) {
    status = am_fail(err, AM_E_NOMEM, "out of memory: a batch of %d clips takes %zu bytes; use a smaller batch",
                     max_batch, count.used);
    goto failed;
  }
  am_arena real = {s->slab, count.used, 0};
  place(s, &real);
  if (training) model->frozen = 0;
  else if ((status = am_packs_get(model, s->plan, &s->packs, err))) goto failed;
  for (size_t i = 0; i < s->plan->n_ops; i++) prepare_pass(s, i);
  for (int b = 0; b < max_batch; b++) s->draws[b] = (uint64_t)b;
  *out = s;
  return AM_OK;
failed:
  am_session_free(s);
  return status;
}

void am_session_free(am_session *s) {
  if (!s) return;
  am_free_aligned(s->ctx, s->slab);
  am_plan_free(s->plan);
  am_free(s->ctx, s);
}

size_t am_session_bytes(const am_model *model, int max_batch, bool training) {
  am_session s = {.model = model, .max_batch = max_batch, .training = training};
  if (!model || max_batch < 1) return SIZE_MAX;
  const int groups = groups_of(max_batch, am_group_size(max_batch, AM_GROUPS), training);
  if (am_plan_create(model, max_batch, groups, &s.plan, NULL)) return SIZE_MAX;
  am_arena count = {0};
  place(&s, &count);
  am_plan_free(s.plan);
  return count.used;
}

/* Running */

static void find_lengths(am_session *s, const int *given) {
  const am_model *m = s->model;
  for (int b = 0; b < s->batch; b++) {
    int n = given ? given[b] : m->input.t;
    lengths_of(s, 0)[b] = n < 0 ? 0 : n > m->input.t ? m->input.t : n;
  }
  for (size_t i = 0; i < m->n_steps; i++) {
    const am_step *step = &m->steps[i];
    const int *from = lengths_of(s, step->inputs[0]);
    int *to = lengths_of(s, step->output);
    for (int b = 0; b < s->batch; b++) {
      if (step->layer.out.rank == 1) to[b] = 1;
      else to[b] = step->layer.cls->length ? step->layer.cls->length(&step->layer, from[b]) : from[b];
    }
  }
  for (int t = 0; t < (int)s->plan->n_tensors; t++) {
    am_shape shape = am_tensor_shape(m, t);
    s->most[t] = shape.variable ? 0 : shape.t;
    for (int b = 0; b < s->batch && shape.variable; b++)
      if (s->most[t] < lengths_of(s, t)[b]) s->most[t] = lengths_of(s, t)[b];
  }
}

static am_status check_batch(const am_session *s, const am_batch *batch, bool training, am_error *err) {
  if (batch->n < 0 || batch->n > s->max_batch)
    return am_fail(err, AM_E_USAGE, "a batch of %d clips in a session for 0 to %d", batch->n, s->max_batch);
  if (batch->n && !batch->x)
    return am_fail(err, AM_E_USAGE, "a batch of %d clips without any input: am_batch.x is NULL", batch->n);
  if (training && !s->training) return am_fail(err, AM_E_USAGE, "training in a session that was made for inference");
  return AM_OK;
}

/* Without a clip, too, it waits for the sums of others. */
static bool joins(const am_session *s, const am_op *op) { return s->passes[0].join && op->layer->cls->joins; }

static void forward(am_session *s, const am_batch *batch, bool training) {
  s->batch = batch->n;
  s->input = batch->x;
  s->phase = training ? TRAINED : FORWARD;
  find_lengths(s, batch->lengths);
  for (size_t i = 0; i < s->plan->n_ops; i++) {
    const am_op *op = &s->plan->ops[i];
    am_pass *pass = &s->passes[i];
    pass->batch = batch->n;
    pass->training = training;
    pass->seed = batch->seed;
    pass->epoch = batch->epoch;
    pass->draws = batch->draws ? batch->draws : s->draws;
    pass->scratch = region(s, op->scratch_forward);
    pass->packed = am_packs_of(s->packs, s->model, i);
    pass->y_most = s->most[op->output];
    for (int k = 0; k < op->layer->n_in; k++) {
      pass->x_most[k] = s->most[op->inputs[k]];
      if (op->inputs[k] == 0) pass->x[k] = s->input;
    }
    double start = s->profiling ? am_now() : 0;
    if (batch->n || joins(s, op)) op->layer->cls->forward(op->layer, pass);
    if (s->profiling) {
      s->times[op->step].forward += am_now() - start;
      s->times[op->step].calls++;
    }
  }
}

am_status am_session_forward(am_session *s, const am_batch *given, bool training, am_error *err) {
  am_batch batch;
  am_status status = AM_NEED(err, s);
  if (!status) status = am_size_take(&batch, sizeof batch, given, sizeof batch, "am_batch", err);
  if (!status) status = check_batch(s, &batch, training, err);
  if (!status) forward(s, &batch, training);
  return status;
}

const am_real *am_session_output(const am_session *s) {
  return !s ? NULL : region(s, s->plan->value[s->model->n_steps]);
}

/* y += x in pieces of fixed size. */
typedef struct sum_job {
  const am_kernels *kernels;
  const am_real *x;
  am_real *y;
  size_t n;           /* of a clip */
  size_t all, pieces; /* from clip to clip, and in one */
} sum_job;
enum { SUM_PIECE = 1 << 15 };

static void sum_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const sum_job *j = arg;
  size_t first = piece % j->pieces * SUM_PIECE, n = j->n - first < SUM_PIECE ? j->n - first : SUM_PIECE;
  size_t at = piece / j->pieces * j->all + first;
  j->kernels->add(n, j->x + at, j->y + at);
}

static void add_piece_of(am_session *s, const am_op *op, int k) {
  am_shape in = op->layer->in[k];
  size_t n = am_frames_count(in, s->most[op->inputs[k]]);
  sum_job j = {am_kernels_of(s->ctx), region(s, op->dx[k]),           region(s, s->plan->gradient[op->inputs[k]]), n,
               am_shape_count(in),    (n + SUM_PIECE - 1) / SUM_PIECE};
  am_parallel_for(s->ctx, (size_t)s->batch * j.pieces, sum_piece, &j);
}

/* What another loss than the logits' adds to the gradient by what the last op reads. */
static void add_beside(am_session *s, const am_op *op, const am_real *dembedding) {
  am_kernels_of(s->ctx)->add((size_t)s->batch * (size_t)op->layer->in[0].c, dembedding, region(s, op->dx[0]));
}

/* The weights of an op follow one another, with what aligns them. */
static void tell_ready(const am_session *s, const am_layer *layer) {
  const am_array *first = &layer->weights[0], *last = &layer->weights[layer->n_weights - 1];
  s->ready(s->ready_arg, s->gradients + first->offset, last->offset + last->count - first->offset);
}

static void backward(am_session *s, const am_real *dlogits, const am_real *dembedding) {
  s->phase = BACKWARD;
  for (size_t i = s->plan->n_ops; i-- > 0;) {
    const am_op *op = &s->plan->ops[i];
    am_pass *pass = &s->passes[i];
    bool runs = op->layer->n_weights > 0;
    for (int k = 0; k < op->layer->n_in; k++) {
      bool wanted = s->plan->needed[op->inputs[k]] || s->want_input;
      pass->dx[k] = wanted ? region(s, op->dx[k]) : NULL;
      runs |= wanted;
    }
    if (!runs) continue;
    if (!s->batch && !joins(s, op)) {
      if (s->ready && op->layer->n_weights) tell_ready(s, op->layer);
      continue;
    }
    if (op->output == (int)s->model->n_steps) pass->dy = dlogits;
    pass->scratch = region(s, op->scratch_backward);
    double start = s->profiling ? am_now() : 0;
    op->layer->cls->backward(op->layer, pass);
    for (int k = 0; k < op->layer->n_in; k++)
      if (op->adds[k] && pass->dx[k]) add_piece_of(s, op, k);
    if (dembedding && s->batch && i + 1 == s->plan->n_ops) add_beside(s, op, dembedding);
    if (s->profiling) s->times[op->step].backward += am_now() - start;
    if (s->ready && op->layer->n_weights) tell_ready(s, op->layer);
  }
}

am_status am_session_backward(am_session *s, const am_real *dlogits, am_error *err) {
  return am_session_backward_with(s, dlogits, NULL, err);
}

am_status am_session_backward_with(am_session *s, const am_real *dlogits, const am_real *dembedding, am_error *err) {
  am_status status = AM_NEED(err, s);
  if (!status && (!s->training || s->phase != TRAINED))
    status = am_fail(err, AM_E_USAGE, "a backward pass without a forward pass in training before it");
  if (!status && s->batch) status = AM_NEED(err, dlogits);
  if (!status && dembedding) status = am_model_embedding(s->model, NULL, err);
  if (!status) backward(s, dlogits, dembedding);
  return status;
}

void am_session_share(am_session *s, am_join_fn join, am_ready_fn ready, void *arg) {
  s->ready = ready;
  s->ready_arg = arg;
  for (size_t i = 0; i < s->plan->n_ops; i++) {
    s->passes[i].join = join;
    s->passes[i].join_arg = arg;
  }
}

am_real *am_session_gradients(am_session *s) { return s ? s->gradients : NULL; }

static void zero_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const sum_job *j = arg;
  size_t at = piece * SUM_PIECE, n = j->n - at < SUM_PIECE ? j->n - at : SUM_PIECE;
  memset(j->y + at, 0, n * sizeof *j->y);
}

void am_session_zero_gradients(am_session *s) {
  if (!s) return;
  sum_job j = {.y = s->gradients, .n = s->gradients ? s->model->n_weights : 0};
  am_parallel_for(s->ctx, (j.n + SUM_PIECE - 1) / SUM_PIECE, zero_piece, &j);
}

/* Looking inside */

void am_session_profile(am_session *s, bool on) {
  s->profiling = on;
  memset(s->times, 0, s->model->n_steps * sizeof *s->times);
}

const am_step_time *am_session_times(const am_session *s) { return s->times; }

/* The time that the plan's clock shows after what was run last. */
static int time_now(const am_session *s) { return (int)(s->phase == BACKWARD ? 2 : 1) * (int)s->plan->n_ops; }

const am_real *am_session_tensor(const am_session *s, int number) {
  if (s->phase == FRESH || number < 0 || number >= (int)s->plan->n_tensors) return NULL;
  if (number == 0) return s->input;
  bool there = s->plan->value[number] != AM_NO_REGION && s->plan->valid[number] >= time_now(s);
  return there ? region(s, s->plan->value[number]) : NULL;
}

const am_real *am_session_embedding(const am_session *s) {
  return s->phase == TRAINED ? am_session_tensor(s, s->model->steps[s->model->n_steps - 1].inputs[0]) : NULL;
}

const int *am_session_lengths(const am_session *s, int number) {
  bool there = s->phase != FRESH && number >= 0 && number < (int)s->plan->n_tensors;
  return there ? lengths_of(s, number) : NULL;
}

const am_real *am_session_tensor_gradient(const am_session *s, int number) {
  if (s->phase != BACKWARD || number < 0 || number >= (int)s->plan->n_tensors) return NULL;
  int r = s->plan->gradient[number];
  if (r == AM_NO_REGION || !(s->plan->needed[number] || s->want_input)) return NULL;
  return number == 0 || s->model->keep ? region(s, r) : NULL;
}

am_real *am_session_input_gradient(am_session *s) {
  bool there = s->training && s->want_input && s->phase == BACKWARD;
  return there ? region(s, s->plan->gradient[0]) : NULL;
}

void am_session_want_input_gradient(am_session *s, bool on) { s->want_input = on; }
