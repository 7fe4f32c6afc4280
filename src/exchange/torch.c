/* SPDX-License-Identifier: MIT */
/* exchange/torch.c - see torch.h. */
#include "exchange/torch.h"

#include <stdio.h>
#include <string.h>

#include "nn/layers/recurrent.h"

const char *am_torch_kind_name(am_torch_kind kind) {
  static const char *const names[] = {"Conv2d", "Conv1d", "Linear", "BatchNorm", "LayerNorm", "LSTM or GRU"};
  return names[kind];
}

/* ---- orders ---- */

static am_status refuse(const am_torch *t, const am_layer *l, const char *why, am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s): %s", t->file, l->name, l->cls->type, why);
}

static am_status make_order(am_torch *t, int n, int **out, am_error *err) {
  *out = am_alloc(t->ctx, (size_t)n, sizeof **out);
  return *out ? AM_OK : am_no_memory(err);
}

/* Frames of F*C numbers. */
static am_status order_of_frames(am_torch *t, am_shape in, int **out, am_error *err) {
  if (in.rank != 3 || in.f == 1 || in.c == 1 || !t->channels_first) return AM_OK;
  am_status status = make_order(t, in.f * in.c, out, err);
  for (int f = 0; f < in.f && !status; f++)
    for (int c = 0; c < in.c; c++) (*out)[f * in.c + c] = c * in.f + f;
  return status;
}

static am_status order_of_picture(am_torch *t, am_shape in, int **out, am_error *err) {
  am_status status = make_order(t, in.t * in.f * in.c, out, err);
  for (int i = 0; i < in.t && !status; i++)
    for (int f = 0; f < in.f; f++)
      for (int c = 0; c < in.c; c++)
        (*out)[(i * in.f + f) * in.c + c] = t->turned ? (c * in.f + f) * in.t + i : (c * in.t + i) * in.f + f;
  return status;
}

static am_status copy_order(am_torch *t, const int *from, int n, int **out, am_error *err) {
  if (!from) return AM_OK;
  am_status status = make_order(t, n, out, err);
  if (!status) memcpy(*out, from, (size_t)n * sizeof **out);
  return status;
}

/* `times` copies of an order of n, behind each other. */
static am_status repeat_order(am_torch *t, const int *from, int n, int times, int **out, am_error *err) {
  if (!from) return AM_OK;
  am_status status = make_order(t, n * times, out, err);
  for (int k = 0; k < times && !status; k++)
    for (int i = 0; i < n; i++) (*out)[k * n + i] = k * n + from[i];
  return status;
}

static bool same_order(const int *a, const int *b, int n) {
  for (int i = 0; i < n; i++)
    if ((a ? a[i] : i) != (b ? b[i] : i)) return false;
  return true;
}

static am_status join_orders(am_torch *t, const am_step *s, int **out, am_error *err) {
  const am_layer *l = &s->layer;
  bool any = false;
  int at = 0;
  for (int i = 0; i < l->n_in; i++) any |= t->orders[s->inputs[i]] != NULL;
  if (!any) return AM_OK;
  am_status status = make_order(t, l->out.c, out, err);
  for (int i = 0; i < l->n_in && !status; at += l->in[i++].c)
    for (int k = 0; k < l->in[i].c; k++) {
      const int *from = t->orders[s->inputs[i]];
      (*out)[at + k] = at + (from ? from[k] : k);
    }
  return status;
}

static bool mixes(const am_layer *l) {
  return l->cls == &am_dense || l->cls == &am_conv1d || l->cls == &am_conv2d || l->cls == &am_lstm || l->cls == &am_gru;
}

/* The order of what a step gives. */
static am_status order_of(am_torch *t, const am_step *s, int **out, am_error *err) {
  const am_layer *l = &s->layer;
  const am_shape in = l->in[0];
  const int *from = t->orders[s->inputs[0]];
  if (l->cls->custom && l->n_weights) return refuse(t, l, "a layer of a program's own", err);
  if (mixes(l)) return AM_OK;
  if (l->cls == &am_flatten && in.rank == 3) return order_of_picture(t, in, out, err);
  if (l->cls == &am_flatten && in.rank == 2 && in.t > 1 && in.c > 1)
    return refuse(
        t, l, "of a sequence PyTorch has frames or channels first, after an LSTM or a Conv1d; which is not known", err);
  if (l->cls == &am_join_concat && l->out.rank < 3) return join_orders(t, s, out, err);
  for (int i = 1; i < l->n_in; i++) /* sums and products of numbers that must lie in the same places */
    if (!same_order(from, t->orders[s->inputs[i]], l->in[i].c))
      return refuse(t, l, "its inputs have another order in PyTorch, each its own", err);
  if (in.rank == 3 && l->out.rank == 3) return AM_OK;
  if (in.rank == 3) /* to_sequence, or a pooling: of each bin, or over all */
    return l->out.c == in.f * in.c ? order_of_frames(t, in, out, err) : AM_OK;
  if (l->out.c != in.c && l->out.c % in.c == 0 && l->cls == &am_attention_pool)
    return repeat_order(t, from, in.c, l->out.c / in.c, out, err);
  if (from && l->out.c != in.c)
    return refuse(t, l, "which of its inputs it takes is not known in PyTorch's order", err);
  return copy_order(t, from, in.c, out, err);
}

am_status am_torch_begin(am_torch *t, am_error *err) {
  const size_t n = am_model_steps(t->model);
  am_status status = AM_OK;
  for (size_t i = 0; i < n; i++)
    if ((size_t)am_model_step(t->model, i)->output >= t->n_orders)
      t->n_orders = (size_t)am_model_step(t->model, i)->output + 1;
  t->orders = am_alloc(t->ctx, t->n_orders + 1, sizeof *t->orders);
  if (!t->orders) return am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) {
    const am_step *s = am_model_step(t->model, i);
    int *order = NULL;
    status = order_of(t, s, &order, err);
    am_free(t->ctx, t->orders[s->output]); /* a step may write where another did */
    t->orders[s->output] = order;
  }
  return status;
}

void am_torch_end(am_torch *t) {
  for (size_t i = 0; i < t->n_orders && t->orders; i++) am_free(t->ctx, t->orders[i]);
  for (size_t i = 0; i < t->n_gates; i++) am_free(t->ctx, t->gates[i].theirs);
  am_free(t->ctx, t->orders);
  am_free(t->ctx, t->gates);
}

/* ---- modules ---- */

static const am_array *array_of(const am_layer *l, bool statistic, const char *name) {
  const am_array *at = statistic ? l->statistics : l->weights;
  for (int i = 0; i < (statistic ? l->n_statistics : l->n_weights); i++)
    if (!strcmp(at[i].name, name)) return &at[i];
  return NULL;
}

static am_torch_tensor *add(am_torch_module *m, const char *name, const am_array *array, bool optional) {
  am_torch_tensor *x = &m->at[m->n++];
  *x = (am_torch_tensor){.array = array, .optional = optional, .rank = array->rank};
  snprintf(x->name, sizeof x->name, "%s", name);
  for (int i = 0; i < array->rank; i++) x->ours[i] = array->dims[i], x->axis[i] = i;
  return x;
}

/* Theirs has our axes in this order. */
static void turn(am_torch_tensor *x, const int axes[4]) {
  for (int i = 0; i < x->rank; i++) x->axis[i] = axes[i];
}

static void add_vector(am_torch_module *m, const char *name, const am_array *array, bool statistic, const int *order) {
  if (!array) return;
  am_torch_tensor *x = add(m, name, array, !statistic);
  x->statistic = statistic;
  x->theirs[0] = order;
}

static void add_matrix(am_torch_module *m, const char *name, const am_array *array, const int *of_rows) {
  am_torch_tensor *x = add(m, name, array, false);
  turn(x, (const int[4]){1, 0});
  x->theirs[0] = of_rows;
}

static void add_conv(const am_torch *t, am_torch_module *m, const am_layer *l, const int *order) {
  am_torch_tensor *x = add(m, "weight", array_of(l, false, "kernel"), false);
  if (l->cls == &am_conv2d) turn(x, t->turned ? (const int[]){3, 2, 1, 0} : (const int[]){3, 2, 0, 1});
  else {
    turn(x, (const int[4]){2, 1, 0});
    x->theirs[1] = order;
  }
  add_vector(m, "bias", array_of(l, false, "bias"), false, NULL);
}

static void add_norm(am_torch_module *m, const am_layer *l, const int *order) {
  add_vector(m, "weight", array_of(l, false, "gamma"), false, order);
  m->at[0].optional = m->kind == AM_TORCH_BATCH_NORM; /* one without them has its statistics to be known by */
  add_vector(m, "bias", array_of(l, false, "beta"), false, order);
  if (m->kind != AM_TORCH_BATCH_NORM) return;
  add_vector(m, "running_mean", array_of(l, true, "mean"), true, order);
  add_vector(m, "running_var", array_of(l, true, "variance"), true, order);
}

/* One level of one direction: "_l0", "_l1_reverse". */
static void add_level(am_torch_module *m, const am_array *w, const char *end, const int *gates, const int *order) {
  const bool two = w[2].rank == 2; /* a GRU keeps both biases */
  char name[40];
  snprintf(name, sizeof name, "weight_ih%s", end);
  add_matrix(m, name, &w[0], order);
  m->at[m->n - 1].theirs[1] = gates;
  snprintf(name, sizeof name, "weight_hh%s", end);
  add_matrix(m, name, &w[1], NULL);
  m->at[m->n - 1].theirs[1] = gates;
  for (int i = 0; i < 2; i++) {
    snprintf(name, sizeof name, "bias_%s%s", i ? "hh" : "ih", end);
    am_torch_tensor *x = add(m, name, &w[2], true);
    x->rank = 1;
    x->ours[0] = w[2].dims[w[2].rank - 1];
    x->axis[0] = 0;
    x->offset = two && i ? (size_t)x->ours[0] : 0;
    x->added = !two && i;
    x->theirs[0] = gates;
  }
}

static am_status order_of_gates(am_torch *t, int units, const int **out, am_error *err) {
  size_t k = 0;
  while (k < t->n_gates && t->gates[k].units != units) k++;
  if (k == t->n_gates) {
    am_status status = am_grow(t->ctx, &t->gates, &t->gate_room, k + 1, sizeof *t->gates, err);
    if (!status) status = make_order(t, 3 * units, &t->gates[k].theirs, err);
    if (status) return status;
    t->gates[t->n_gates++].units = units;
    for (int i = 0; i < 3 * units; i++) t->gates[k].theirs[i] = i < units ? i + units : i < 2 * units ? i - units : i;
  }
  *out = t->gates[k].theirs;
  return AM_OK;
}

static am_status add_recurrent(am_torch *t, am_torch_module *m, const am_layer *l, const int *order, am_error *err) {
  const am_recurrent_options *o = l->options;
  const int h = (int)o->units, directions = o->bidirectional ? 2 : 1;
  const int *gates = NULL;
  if (l->cls == &am_gru) {
    if (!o->reset_after)
      return refuse(t, l, "PyTorch's GRU resets after the recurrent product; this one has reset_after: false", err);
    am_status status = order_of_gates(t, h, &gates, err);
    if (status) return status;
  }
  for (int i = 0; i < l->n_weights / 3; i++) {
    char end[24];
    snprintf(end, sizeof end, "_l%d%s", (unsigned char)(i / directions), i % directions ? "_reverse" : "");
    add_level(m, l->weights + 3 * i, end, gates, i / directions ? NULL : order);
  }
  return AM_OK;
}

/* Two linear layers: one that makes a hidden layer of a frame, one that scores it. */
static int add_attention(const am_layer *l, const int *order, am_torch_module *out) {
  const am_array *hidden = array_of(l, false, "kernel"), *score = array_of(l, false, "score");
  int n = 0;
  if (hidden) {
    out[n] = (am_torch_module){.layer = l, .sub = "hidden", .kind = AM_TORCH_LINEAR};
    add_matrix(&out[n], "weight", hidden, order);
    add_vector(&out[n++], "bias", array_of(l, false, "bias"), false, NULL);
  }
  out[n] = (am_torch_module){.layer = l, .sub = "score", .kind = AM_TORCH_LINEAR};
  add_matrix(&out[n++], "weight", score, hidden ? NULL : order);
  return n;
}

static void set_dims(am_torch_module *m) {
  for (int k = 0; k < m->n; k++)
    for (int i = 0; i < m->at[k].rank; i++) m->at[k].dims[i] = (size_t)m->at[k].ours[m->at[k].axis[i]];
}

am_status am_torch_modules(am_torch *t, const am_step *s, am_torch_module out[2], int *n, am_error *err) {
  const am_layer *l = &s->layer;
  const int *order = t->orders[s->inputs[0]];
  am_status status = AM_OK;
  *n = 0;
  if (!l->n_weights && !l->n_statistics) return AM_OK;
  out[0] = (am_torch_module){.layer = l};
  if (l->cls == &am_attention_pool) {
    *n = add_attention(l, order, out);
  } else if (l->cls == &am_conv2d || l->cls == &am_conv1d) {
    out[(*n)++].kind = l->cls == &am_conv2d ? AM_TORCH_CONV2D : AM_TORCH_CONV1D;
    add_conv(t, out, l, order);
  } else if (l->cls == &am_dense) {
    out[(*n)++].kind = AM_TORCH_LINEAR;
    add_matrix(out, "weight", array_of(l, false, "kernel"), order);
    add_vector(out, "bias", array_of(l, false, "bias"), false, NULL);
  } else if (l->cls == &am_batch_norm || l->cls == &am_layer_norm) {
    out[(*n)++].kind = l->cls == &am_batch_norm ? AM_TORCH_BATCH_NORM : AM_TORCH_LAYER_NORM;
    add_norm(out, l, order);
  } else if (l->cls == &am_lstm || l->cls == &am_gru) {
    out[(*n)++].kind = AM_TORCH_RECURRENT;
    status = add_recurrent(t, out, l, order, err);
  } else {
    status = refuse(t, l, "there is no module of PyTorch for it", err);
  }
  for (int i = 0; i < *n; i++) set_dims(&out[i]);
  return status;
}

char *am_torch_name(am_context *ctx, const am_torch_module *m) {
  char *name = am_format(ctx, "%s%s%s", m->layer->name, m->sub ? "." : "", m->sub ? m->sub : "");
  for (char *c = name; c && *c; c++)
    if (*c == '/') *c = '.'; /* what is inside of a block */
  return name;
}

/* ---- numbers ---- */

static am_real *ours_of(const am_torch *t, const am_torch_tensor *x) {
  am_real *all = x->statistic ? am_model_statistics(t->model, NULL) : am_model_weights(t->model, NULL);
  return all + x->array->offset + x->offset;
}

/* Where each of our numbers is in theirs, one after another. */
typedef struct walk {
  const am_torch_tensor *x;
  size_t stride[4]; /* of our axes, in theirs */
  int at[4];
} walk;

static walk walk_of(const am_torch_tensor *x) {
  walk w = {.x = x};
  size_t stride = 1;
  for (int k = x->rank - 1; k >= 0; k--) {
    w.stride[x->axis[k]] = stride;
    stride *= x->dims[k];
  }
  return w;
}

static size_t walk_on(walk *w) {
  const am_torch_tensor *x = w->x;
  size_t place = 0;
  for (int a = 0; a < x->rank; a++) place += w->stride[a] * (size_t)(x->theirs[a] ? x->theirs[a][w->at[a]] : w->at[a]);
  for (int a = x->rank - 1; a >= 0 && ++w->at[a] == x->ours[a]; a--) w->at[a] = 0;
  return place;
}

void am_torch_take(const am_torch *t, const am_torch_tensor *x, const float *theirs) {
  am_real *ours = ours_of(t, x);
  walk w = walk_of(x);
  for (size_t i = 0, n = am_product(x->rank, x->dims); i < n; i++) {
    const am_real number = theirs[walk_on(&w)];
    ours[i] = x->added ? ours[i] + number : number;
  }
}

void am_torch_give(const am_torch *t, const am_torch_tensor *x, float *theirs) {
  const am_real *ours = ours_of(t, x);
  walk w = walk_of(x);
  for (size_t i = 0, n = am_product(x->rank, x->dims); i < n; i++) {
    const size_t place = walk_on(&w);
    theirs[place] = x->added ? 0 : (float)ours[i]; /* the first bias has the sum */
  }
}
