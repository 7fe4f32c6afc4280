/* SPDX-License-Identifier: MIT */
/* train/heads.c - see heads.h. */
#include "train/heads.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "nn/loss.h"

/* ---- traits ---- */

/* The index of a clip's value of a trait, -1 where it is not known. */
static int value_of(const am_dataset *d, const char *name, size_t clip) {
  if (!strcmp(name, "speaker")) return d->clips[clip].speaker;
  if (!strcmp(name, "group")) return d->clips[clip].group;
  for (size_t i = 0; i < d->n_traits; i++)
    if (!strcmp(d->traits[i].name, name)) return d->traits[i].of[clip];
  return -1;
}

/* The index of a dimension, -1: it is none, or what the model tells itself. */
static int dimension_of(const am_dataset *d, const char *name) {
  for (int i = 0; i < d->n_dimensions && d->target != AM_TARGET_DIMENSIONS; i++)
    if (!strcmp(d->dimensions[i], name)) return i;
  return -1;
}

/* Their names; the count. */
enum { MOST_NAMES = AM_MOST_TRAITS + AM_MOST_DIMENSIONS + 2 };
static size_t trait_names(const am_dataset *d, const char *names[MOST_NAMES]) {
  size_t n = 0;
  if (d->n_speakers) names[n++] = "speaker";
  if (d->n_groups) names[n++] = "group";
  for (size_t i = 0; i < d->n_traits; i++)
    if (strcmp(d->traits[i].name, "speaker") && strcmp(d->traits[i].name, "group")) names[n++] = d->traits[i].name;
  for (int i = 0; i < d->n_dimensions && d->target != AM_TARGET_DIMENSIONS; i++) names[n++] = d->dimensions[i];
  return n;
}

static am_status check_trait(const am_dataset *d, const am_value *entry, am_error *err) {
  const char *names[MOST_NAMES];
  const size_t n = trait_names(d, names);
  am_buffer list = {0};
  for (size_t i = 0; i < n; i++) {
    if (!strcmp(names[i], entry->key)) {
      am_buffer_free(d->ctx, &list);
      return AM_OK;
    }
    am_buffer_printf(d->ctx, &list, "%s%s", i ? ", " : "", names[i]);
  }
  const am_status status =
      list.failed
          ? am_no_memory(err)
          : am_fail_at_key(err, entry, "train.auxiliary.%s: the corpus does not say this of its clips; it has %s",
                           entry->key, n ? list.data : "nothing else than labels");
  am_buffer_free(d->ctx, &list);
  return status;
}

am_status am_heads_check(const am_config *config, const am_dataset *d, am_error *err) {
  const am_value *list = config->train.auxiliary;
  am_status status = AM_OK;
  for (const am_value *entry = list ? list->first : NULL; entry && !status; entry = entry->next)
    status = check_trait(d, entry, err);
  return status;
}

/* As a head is trained to give it; NaN: not known. */
static float value_at(const struct am_head_task *task, uint32_t clip) {
  return am_dataset_unit(task->d, &task->d->clips[clip], task->dimension);
}

/* The values that clips of the training part have become classes, in the order of their indices. */
static am_status find_classes(const am_dataset *d, const am_split *split, const am_value *entry, int *classes, int *n,
                              am_error *err) {
  int most = 0;
  const size_t trained = split->n[AM_PART_TRAIN];
  const uint32_t *clips = split->at[AM_PART_TRAIN];
  for (size_t i = 0; i < d->n; i++) classes[i] = -1;
  for (size_t i = 0; i < trained; i++) {
    const int value = classes[clips[i]] = value_of(d, entry->key, clips[i]);
    if (most <= value) most = value + 1;
  }
  int *class_of = am_alloc(d->ctx, (size_t)most + 1, sizeof *class_of);
  if (!class_of) return am_no_memory(err);
  for (size_t i = 0; i < trained; i++)
    if (classes[clips[i]] >= 0) class_of[classes[clips[i]]] = 1;
  *n = 0;
  for (int v = 0; v < most; v++)
    if (class_of[v]) class_of[v] = (*n)++;
  for (size_t i = 0; i < trained; i++)
    if (classes[clips[i]] >= 0) classes[clips[i]] = class_of[classes[clips[i]]];
  am_free(d->ctx, class_of);
  if (*n >= 2) return AM_OK;
  return am_fail_at_key(err, entry,
                        "train.auxiliary.%s: the clips of the training part have %s; wanted two or more values",
                        entry->key, *n ? "all the same" : "none");
}

/* A dimension is one output; a class only says whether a clip of the training part has its value (0) or not (-1). */
static am_status find_values(const am_dataset *d, const am_split *split, const am_value *entry,
                             struct am_head_task *task, int *n, am_error *err) {
  size_t known = 0;
  *n = 1;
  for (size_t i = 0; i < d->n; i++) task->classes[i] = -1;
  for (size_t i = 0; i < split->n[AM_PART_TRAIN]; i++) {
    const uint32_t clip = split->at[AM_PART_TRAIN][i];
    if (isnan(value_at(task, clip))) continue;
    task->classes[clip] = 0;
    known++;
  }
  if (known >= 2) return AM_OK;
  return am_fail_at_key(err, entry, "train.auxiliary.%s: it is known of %zu clip%s of the training part; wanted more",
                        entry->key, known, am_count(known, "", "s"));
}

/* ---- making them ---- */

/* The patterns of the options are of the net's arrays. */
static am_status make_optimiser(am_heads *h, const am_config *config, am_model *model, am_optimiser **out,
                                am_error *err) {
  am_optimiser_options options = config->optimiser;
  options.rates = NULL;
  options.freeze.n = 0;
  return am_optimiser_create(h->ctx, &options, 0, model, out, err);
}

static am_status make_head(am_heads *h, const am_config *config, const am_dataset *d, const am_split *split, int width,
                           const am_value *entry, am_error *err) {
  struct am_head_task *task = &h->task[h->n];
  am_head_state *state = &h->state[h->n];
  int n = 0;
  am_value_to_real(entry, &task->weight); /* as config.c has seen */
  task->classes = am_alloc(h->ctx, d->n, sizeof *task->classes);
  if (!task->classes) return am_no_memory(err);
  h->n++; /* freed with the others from here on */
  task->d = d;
  task->dimension = dimension_of(d, entry->key);
  am_status status = task->dimension < 0 ? find_classes(d, split, entry, task->classes, &n, err)
                                         : find_values(d, split, entry, task, &n, err);
  if (!status)
    status = am_head_create(h->ctx, entry->key, width, n, (int)config->train.batch, config->seed, &task->head, err);
  if (!status && task->dimension >= 0) task->head.loss = AM_LOSS_CCC;
  if (!status) status = make_optimiser(h, config, task->head.model, &state->optimiser, err);
  if (status) return status;
  state->trait = entry->key;
  state->model = task->head.model;
  for (size_t i = 0; i < split->n[AM_PART_TRAIN]; i++) {
    const int *which = &task->classes[split->at[AM_PART_TRAIN][i]];
    state->digest = am_hash64(state->digest, which, sizeof *which);
    if (task->dimension < 0) continue;
    const float value = value_at(task, split->at[AM_PART_TRAIN][i]);
    state->digest = am_hash64(state->digest, &value, sizeof value);
  }
  return AM_OK;
}

am_status am_heads_create(am_context *ctx, const am_config *config, const am_dataset *d, const am_split *split,
                          am_model *model, am_heads *out, am_error *err) {
  const am_value *list = config->train.auxiliary;
  const size_t n = list ? list->count : 0;
  int width = 0;
  *out = (am_heads){0};
  if (!n) return AM_OK;
  am_status status = am_model_embedding(model, &width, err);
  if (status) return am_error_prefix(err, "train.auxiliary");
  am_head_state *state = am_alloc(ctx, n, sizeof *state);
  struct am_head_task *task = am_alloc(ctx, n, sizeof *task);
  if (!state || !task) {
    am_free(ctx, state);
    am_free(ctx, task);
    return am_no_memory(err);
  }
  *out = (am_heads){.ctx = ctx, .state = state, .task = task};
  for (const am_value *entry = list->first; entry && !status; entry = entry->next)
    status = make_head(out, config, d, split, width, entry, err);
  if (status) am_heads_free(out);
  return status;
}

void am_heads_free(am_heads *h) {
  for (size_t i = 0; i < h->n; i++) {
    am_optimiser_free(h->state[i].optimiser);
    am_head_free(&h->task[i].head);
    am_free(h->ctx, h->task[i].classes);
  }
  am_free(h->ctx, h->state);
  am_free(h->ctx, h->task);
  *h = (am_heads){0};
}

/* ---- training them ---- */

/* What is mixed of a value that is not known is not known. */
static uint64_t set_values(struct am_head_task *task, const am_loader_batch *b) {
  uint64_t n = 0;
  for (int i = 0; i < b->n; i++) {
    const am_real share = b->shares ? b->shares[i] : 1;
    am_real *target = &task->head.targets[i];
    *target = share * value_at(task, b->clips[i]);
    if (b->partners) *target += (1 - share) * value_at(task, b->partners[i]);
    n += !isnan(*target);
  }
  return n;
}

/* Mixed clips have a share of both classes.  The number of clips whose trait is known. */
static uint64_t set_targets(struct am_head_task *task, const am_loader_batch *b) {
  const size_t K = (size_t)task->head.classes;
  uint64_t known = 0;
  memset(task->head.targets, 0, (size_t)b->n * K * sizeof *task->head.targets);
  for (int i = 0; i < b->n; i++) {
    am_real *target = task->head.targets + (size_t)i * K;
    const int first = task->classes[b->clips[i]], second = b->partners ? task->classes[b->partners[i]] : -1;
    const am_real share = b->shares ? b->shares[i] : 1;
    if (first >= 0) target[first] += share;
    if (second >= 0) target[second] += 1 - share;
    known += first >= 0 || second >= 0;
  }
  return known;
}

static uint64_t count_right(const am_head *head, const am_loader_batch *b) {
  const int K = head->classes;
  const am_real *logits = am_session_output(head->session);
  uint64_t right = 0;
  for (int i = 0; i < b->n; i++) {
    const size_t at = (size_t)i * (size_t)K;
    const int wanted = am_largest(head->targets + at, K);
    right += head->targets[at + (size_t)wanted] > 0 && am_largest(logits + at, K) == wanted;
  }
  return right;
}

double am_heads_ramp(double part) { return 2 / (1 + exp(-10 * part)) - 1; }

double am_heads_loss(am_heads *h, const am_loader_batch *b, const am_real *x, double reversed, am_real *dx) {
  double total = 0;
  for (size_t i = 0; i < h->n; i++) {
    const bool values = h->task[i].dimension >= 0;
    const uint64_t known = values ? set_values(&h->task[i], b) : set_targets(&h->task[i], b);
    const double weight = h->task[i].weight;
    const double sum = am_head_loss(&h->task[i].head, x, b->n, weight < 0 ? weight * reversed : weight, dx);
    h->state[i].loss_sum += sum;
    h->state[i].clips += values ? (uint64_t)b->n : known; /* concordance is a loss of the whole batch */
    if (!values) h->state[i].correct += count_right(&h->task[i].head, b);
    total += sum;
  }
  return total;
}

const char *am_heads_step(am_heads *h, double divisor, double rate) {
  for (size_t i = 0; i < h->n; i++) {
    am_optimiser *o = h->state[i].optimiser;
    am_optimiser_step(o, am_model_weights(h->state[i].model, NULL), am_session_gradients(h->task[i].head.session),
                      divisor, rate);
    if (o->bad_array >= 0) return h->state[i].trait;
  }
  return NULL;
}

void am_heads_say(am_heads *h, am_buffer *out) {
  for (size_t i = 0; i < h->n; i++) {
    am_head_state *s = &h->state[i];
    const double clips = s->clips ? (double)s->clips : 1;
    am_buffer_printf(h->ctx, out, "%s%s%s loss %.4f", i ? ", " : "", s->trait,
                     h->task[i].weight < 0 ? " (reversed)" : "", s->loss_sum / clips);
    if (h->task[i].dimension < 0) am_buffer_printf(h->ctx, out, " acc %.3f", (double)s->correct / clips);
    s->loss_sum = 0;
    s->correct = s->clips = 0;
  }
}
