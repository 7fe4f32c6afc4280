/* SPDX-License-Identifier: MIT */
/* exchange/keras_read_order.c - the layers on the way from a model's input to its output, as a list in which branches that part
 * and come together again are one element.
 *
 * All ways to a layer pass some last layer before it, its fork.  A layer with several inputs ends branches that begin at its
 * fork; each of them is such a list again.  What belongs to two branches is refused, so that the lists hold each layer once.
 *
 * Attention over frames, which Keras has no layer for, is one element as well (docs/keras.md):
 *
 *   x -> [Dense tanh] -> Dense -> Softmax(axis=1) -> Dot(axes=1) with x -> Flatten                                      */
#include <string.h>

#include "exchange/keras_read.h"

enum { BRANCH_DEPTH = 16 };

typedef am_keras_node node;
typedef am_keras_graph graph;
typedef am_keras_element element;

static am_status refuse(const am_keras_reader *r, const node *n, const char *what, am_error *err) {
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: layer %s (%s) %s; what can be imported is a chain of layers, with the branches that docs/keras.md "
      "lists",
      r->file, n->s.name, n->s.type, what);
}

/* ---- the order ---- */

typedef struct visit {
  node *at;
  int next; /* input to be looked at */
} visit;

/* Each node that the output needs, behind all that it is called with, into `sorted`. */
static am_status sort(am_keras_reader *r, const graph *g, node **sorted, size_t *n, am_error *err) {
  visit *stack = am_tree_take(r->model->tree, g->n, sizeof *stack);
  size_t depth = 0;
  if (!stack) return am_no_memory(err);
  stack[depth++] = (visit){g->last, 0};
  g->last->reached = true;
  while (depth) {
    visit *v = &stack[depth - 1];
    if (v->next == v->at->n_in) {
      v->at->order = ++*n; /* 0: not done */
      sorted[*n - 1] = v->at;
      depth--;
      continue;
    }
    node *in = v->at->in[v->next++];
    if (in->reached && !in->order) return refuse(r, in, "comes after itself", err);
    if (in->reached) continue;
    in->reached = true;
    stack[depth++] = (visit){in, 0};
  }
  return AM_OK;
}

/* Cooper, Harvey and Kennedy's dominators; of a graph without circles one pass is enough. */
static void find_forks(node **sorted, size_t n) {
  for (size_t i = 0; i < n; i++) {
    node *fork = NULL;
    for (int k = 0; k < sorted[i]->n_in; k++) {
      node *other = sorted[i]->in[k];
      if (!k) fork = other;
      while (fork && other && fork != other) {
        if (fork->order > other->order) fork = fork->fork;
        else other = other->fork;
      }
      if (!other) fork = NULL;
    }
    sorted[i]->fork = fork;
  }
}

/* ---- the list ---- */

static bool is_a(const node *n, const char *type, int inputs) {
  return n && !strcmp(n->s.type, type) && n->n_in == inputs;
}

static node *input_of(const node *n, int i) { return n && i < n->n_in ? n->in[i] : NULL; }

static am_status take(am_keras_reader *r, node *n, am_error *err) {
  if (n->seen) return refuse(r, n, "belongs to two branches", err);
  n->seen = true;
  return AM_OK;
}

static am_status list_of(am_keras_reader *r, node *from, node *to, int depth, element **out, am_error *err);

/* The attention that ends in `dot`; *next is the layer that gives the frames. */
static am_status add_attention(am_keras_reader *r, node *dot, element *e, node **next, am_error *err) {
  node *softmax = input_of(dot, 0), *frames = input_of(dot, 1), *score = input_of(softmax, 0);
  node *hidden = input_of(score, 0);
  bool good = frames && is_a(softmax, "Softmax", 1) && is_a(score, "Dense", 1) && hidden;
  if (good && hidden != frames) good = is_a(hidden, "Dense", 1) && input_of(hidden, 0) == frames;
  if (!good) return refuse(r, dot, "is not the product of frames and their weights", err);
  if (hidden == frames) hidden = NULL;
  e->at = dot;
  e->hidden = hidden;
  e->score = score;
  e->softmax = softmax;
  am_status status = take(r, dot, err);
  if (!status) status = take(r, softmax, err);
  if (!status) status = take(r, score, err);
  if (!status && hidden) status = take(r, hidden, err);
  *next = frames;
  return status;
}

static am_status add_branches(am_keras_reader *r, node *join, int depth, element *e, am_error *err) {
  if (!join->fork) return refuse(r, join, "has inputs that nothing before it has in common", err);
  if (depth == BRANCH_DEPTH) return refuse(r, join, "ends branches inside of too many others", err);
  e->n_branches = join->n_in;
  e->branches = am_tree_take(r->model->tree, (size_t)join->n_in, sizeof *e->branches);
  am_status status = e->branches ? AM_OK : am_no_memory(err);
  for (int i = 0; i < join->n_in && !status; i++)
    status = list_of(r, join->fork, join->in[i], depth + 1, &e->branches[i], err);
  return status;
}

/* From behind `from` to `to`, backward. */
static am_status list_of(am_keras_reader *r, node *from, node *to, int depth, element **out, am_error *err) {
  am_status status = AM_OK;
  *out = NULL;
  for (node *at = to, *next = NULL; at != from && !status; at = next) {
    element *e = am_tree_take(r->model->tree, 1, sizeof *e);
    if (!e) return am_no_memory(err);
    e->at = at;
    e->next = *out;
    *out = e;
    status = take(r, at, err);
    if (status) return status;
    if (!at->n_in) return refuse(r, at, "is another input", err);
    next = at->in[0];
    if (!strcmp(at->s.type, "Flatten") && is_a(next, "Dot", 2)) status = add_attention(r, next, e, &next, err);
    else if (at->n_in > 1) status = add_branches(r, at, depth, e, err), next = at->fork;
    else if (at->inner) status = am_keras_order(r, at->inner, &e->inner, err);
  }
  return status;
}

static am_status order_functional(am_keras_reader *r, const graph *g, element **out, am_error *err) {
  size_t n = 0;
  node **sorted = am_tree_take(r->model->tree, g->n, sizeof *sorted);
  am_status status = sorted ? sort(r, g, sorted, &n, err) : am_no_memory(err);
  if (!status) find_forks(sorted, n);
  if (!status) status = list_of(r, g->first, g->last, 0, out, err);
  if (status) return status;
  g->first->seen = true;
  element *input = am_tree_take(r->model->tree, 1, sizeof *input);
  if (!input) return am_no_memory(err);
  *input = (element){.at = g->first, .next = *out};
  *out = input;
  for (size_t i = 0; i < g->n; i++)
    if (!g->nodes[i].seen) return refuse(r, &g->nodes[i], "is not on the way from input to output", err);
  return AM_OK;
}

am_status am_keras_order(am_keras_reader *r, am_keras_graph *g, element **out, am_error *err) {
  *out = NULL;
  if (g->functional) return order_functional(r, g, out, err);
  am_status status = AM_OK;
  for (size_t i = g->n; i-- > 0 && !status;) {
    element *e = am_tree_take(r->model->tree, 1, sizeof *e);
    if (!e) return am_no_memory(err);
    *e = (element){.at = &g->nodes[i], .next = *out};
    *out = e;
    if (e->at->inner) status = am_keras_order(r, e->at->inner, &e->inner, err);
  }
  return status;
}
