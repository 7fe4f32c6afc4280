/* exchange/keras_read_graph.c - the layers of a Keras model in the order of the way from input to output.
 *
 * A Sequential model lists them so.  A Functional one says of each layer what it is called with; it must be a chain, but
 * for attention over frames, which Keras has no layer for (docs/keras.md):
 *
 *   x -> [Dense tanh] -> Dense -> Softmax(axis=1) -> Dot(axes=1) with x -> Flatten                                      */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/keras_read.h"

enum { MOST_INPUTS = 2, DEPTH = 16, LONGEST = 150 /* of a name of ours, before a number is put behind it */ };

/* A layer and the layers that it is called with. */
typedef struct node {
  am_keras_source s;
  const char *inputs[MOST_INPUTS];
  int n_in;
  size_t place; /* in the list */
  bool seen;
} node;

/* One element of the chain: a layer, or attention, whose product is `at`. */
typedef struct element {
  const node *at, *hidden, *score, *softmax;
} element;

typedef struct graph {
  am_keras_reader *r;
  am_tree *tree;
  node *nodes;
  node **sorted;  /* by name */
  element *chain; /* output first in a Functional model, turned round at the end */
  size_t n, length;
} graph;

/* ---- names ---- */

static int by_name(const void *a, const void *b) {
  return strcmp((*(node *const *)a)->s.name, (*(node *const *)b)->s.name);
}

static int by_ours(const void *a, const void *b) {
  const node *x = *(node *const *)a, *y = *(node *const *)b;
  int order = strcmp(x->s.ours, y->s.ours);
  return order ? order : x->place < y->place ? -1 : 1;
}

static node *find(const graph *g, const char *name) {
  node wanted = {.s.name = name}, *key = &wanted, **found = NULL;
  if (name) found = bsearch(&key, g->sorted, g->n, sizeof *g->sorted, by_name);
  return found ? *found : NULL;
}

/* Letters, digits, '_' and '-' stay. */
static char *our_name(am_tree *tree, const char *name) {
  size_t n = strlen(name) < LONGEST ? strlen(name) : LONGEST;
  char *copy = am_tree_take(tree, n + 32, 1);
  for (size_t i = 0; copy && i < n; i++) {
    bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z');
    copy[i] = letter || (name[i] >= '0' && name[i] <= '9') || name[i] == '-' ? name[i] : '_';
  }
  return copy;
}

static bool is_ours(node *const *sorted, size_t n, const char *name) {
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, sorted[middle]->s.ours);
    if (!order) return true;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return false;
}

/* Names that are one name here ("rnn.1" and "rnn 1") are told apart by the place in the list; so are those that this
 * reader uses itself. */
static am_status name_ours(graph *g, am_error *err) {
  static const char *const own[] = {"flatten_input", "log_probabilities"};
  node **sorted = am_tree_take(g->tree, g->n, sizeof *sorted);
  const char **final = am_tree_take(g->tree, g->n, sizeof *final);
  if (!sorted || !final) return am_no_memory(err);
  for (size_t i = 0; i < g->n; i++) {
    sorted[i] = &g->nodes[i];
    if (!(sorted[i]->s.ours = our_name(g->tree, sorted[i]->s.name))) return am_no_memory(err);
  }
  qsort(sorted, g->n, sizeof *sorted, by_ours);
  for (size_t i = 0; i < g->n; i++) {
    const char *name = sorted[i]->s.ours;
    bool same = i && !strcmp(name, sorted[i - 1]->s.ours);
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) same |= !strcmp(name, own[k]);
    final[i] = name;
    if (!same) continue;
    char *other = am_tree_take(g->tree, strlen(name) + 64, 1);
    if (!other) return am_no_memory(err);
    snprintf(other, strlen(name) + 32, "%s_%zu", name, sorted[i]->place + 1);
    for (int more = 0; more < 8 && is_ours(sorted, g->n, other); more++) strcat(other, "_");
    final[i] = other;
    am_log(g->r->ctx, AM_LOG_INFO, "%s: layer %s is called %s here", g->r->file, sorted[i]->s.name, other);
  }
  for (size_t i = 0; i < g->n; i++) sorted[i]->s.ours = final[i];
  return AM_OK;
}

static am_status read_nodes(graph *g, const am_value *layers, am_error *err) {
  g->n = layers->count;
  g->nodes = am_tree_take(g->tree, g->n, sizeof *g->nodes);
  g->sorted = am_tree_take(g->tree, g->n, sizeof *g->sorted);
  g->chain = am_tree_take(g->tree, g->n, sizeof *g->chain);
  if (!g->nodes || !g->sorted || !g->chain) return am_no_memory(err);
  size_t i = 0;
  for (const am_value *layer = layers->first; layer; layer = layer->next, i++) {
    am_keras_source *s = &g->nodes[i].s;
    s->type = am_keras_text(am_value_get(layer, "class_name"));
    s->config = am_value_get(layer, "config");
    s->name = am_keras_text(am_value_get(s->config, "name"));
    if (!s->name)
      s->name = am_keras_text(am_value_get(layer, "name")); /* an operation, as Cast, has none in its config */
    if (!s->type || !s->name || !*s->name)
      return am_fail(err, AM_E_FORMAT, "%s: model_config: a layer without class_name or name", g->r->file);
    g->nodes[i].place = i;
    g->sorted[i] = &g->nodes[i];
  }
  qsort(g->sorted, g->n, sizeof *g->sorted, by_name);
  for (i = 1; i < g->n; i++)
    if (!strcmp(g->sorted[i - 1]->s.name, g->sorted[i]->s.name))
      return am_fail(
          err, AM_E_FORMAT,
          "%s: two layers are called \"%s\" (a %s and a %s), so their weights cannot be told apart; give them "
          "names of their own in Keras and save the model again",
          g->r->file, g->sorted[i]->s.name, g->sorted[i - 1]->s.type, g->sorted[i]->s.type);
  return name_ours(g, err);
}

/* ---- what a layer is called with ---- */

static am_status refuse_call(const graph *g, const node *n, const char *what, am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: layer %s (%s) %s; only a chain of layers can be imported, and "
                 "attention over frames as docs/keras.md shows it",
                 g->r->file, n->s.name, n->s.type, what);
}

/* The options of a call change nothing when they are off. */
static am_status check_call(const graph *g, const node *n, const am_value *options, am_error *err) {
  for (const am_value *v = options ? options->first : NULL; v; v = v->next)
    if (v->kind != AM_NULL && !am_keras_is(v, "false"))
      return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s) is called with %s, which cannot be imported", g->r->file,
                     n->s.name, n->s.type, v->key ? v->key : "more than its input");
  return AM_OK;
}

/* [name, 0, 0]: the first output of the first call of a layer. */
static am_status add_input(const graph *g, node *n, const am_value *history, am_error *err) {
  const char *name = am_keras_text(history->first);
  if (!name || !am_keras_is(history->first->next, "0") || !am_keras_is(history->first->next->next, "0"))
    return refuse_call(g, n, "is called with another output than a layer's first", err);
  if (n->n_in == MOST_INPUTS) return refuse_call(g, n, "has more than two inputs", err);
  n->inputs[n->n_in++] = name;
  return AM_OK;
}

/* Keras 3 writes a map with keras_history for a tensor, Keras 2 [name, node, tensor, {options}]. */
static am_status add_inputs(const graph *g, node *n, const am_value *v, int depth, am_error *err) {
  const am_value *history = am_value_find(v, "config.keras_history");
  bool keras2 = v->kind == AM_LIST && v->count >= 3 && v->first->kind == AM_SCALAR;
  if (history && history->kind == AM_LIST && history->count == 3) return add_input(g, n, history, err);
  if (keras2) {
    am_status status = add_input(g, n, v, err);
    return status ? status : check_call(g, n, v->first->next->next->next, err);
  }
  if (v->kind == AM_NULL) return AM_OK;
  if (v->kind != AM_LIST || depth == DEPTH) return refuse_call(g, n, "is called with what is no layer", err);
  am_status status = AM_OK;
  for (v = v->first; v && !status; v = v->next) status = add_inputs(g, n, v, depth + 1, err);
  return status;
}

static am_status read_calls(const graph *g, node *n, const am_value *layer, am_error *err) {
  const am_value *calls = am_value_get(layer, "inbound_nodes");
  size_t count = calls && calls->kind == AM_LIST ? calls->count : 0;
  if (!strcmp(n->s.type, "InputLayer") && !count) return AM_OK;
  if (count != 1) return refuse_call(g, n, count ? "is used more than once" : "is not called", err);
  const am_value *args = am_value_get(calls->first, "args");
  am_status status = add_inputs(g, n, args ? args : calls->first, 0, err);
  return status ? status : check_call(g, n, am_value_get(calls->first, "kwargs"), err);
}

/* ---- the chain ---- */

static node *input_of(const graph *g, const node *n, int i) { return n && i < n->n_in ? find(g, n->inputs[i]) : NULL; }

static bool is_a(const node *n, const char *type, int inputs) {
  return n && !strcmp(n->s.type, type) && n->n_in == inputs;
}

/* The attention that ends in `dot`; *next is the layer that gives the frames. */
static am_status add_attention(graph *g, node *dot, node **next, am_error *err) {
  node *softmax = input_of(g, dot, 0), *frames = input_of(g, dot, 1), *score = input_of(g, softmax, 0);
  node *hidden = input_of(g, score, 0);
  bool good = frames && is_a(softmax, "Softmax", 1) && is_a(score, "Dense", 1) && hidden;
  if (good && hidden != frames) good = is_a(hidden, "Dense", 1) && input_of(g, hidden, 0) == frames;
  if (!good) return refuse_call(g, dot, "is not the product of frames and their weights", err);
  if (hidden == frames) hidden = NULL;
  g->chain[g->length++] = (element){dot, hidden, score, softmax};
  dot->seen = softmax->seen = score->seen = true;
  if (hidden) hidden->seen = true;
  *next = frames;
  return AM_OK;
}

/* From `at`, an element of the chain, to the layer before it. */
static am_status walk(graph *g, node *at, node **next, am_error *err) {
  if (at->seen) return refuse_call(g, at, "comes after itself", err);
  at->seen = true;
  node *before = input_of(g, at, 0);
  if (at->n_in != 1) return refuse_call(g, at, "has two inputs", err);
  if (!before)
    return am_fail(err, AM_E_FORMAT, "%s: model_config: layer %s is called with %s, which is not there", g->r->file,
                   at->s.name, at->inputs[0]);
  *next = before;
  if (!strcmp(at->s.type, "Flatten") && is_a(before, "Dot", 2)) return add_attention(g, before, next, err);
  g->chain[g->length++] = (element){.at = at};
  return AM_OK;
}

/* "input_layers" and "output_layers": [name, 0, 0], or a list of one such. */
static const char *end_name(const am_value *config, const char *key) {
  const am_value *v = am_value_get(config, key);
  if (v && v->kind == AM_LIST && v->count == 1) v = v->first;
  return v && v->kind == AM_LIST && v->count == 3 ? am_keras_text(v->first) : NULL;
}

static am_status order_functional(graph *g, const am_value *config, const am_value *layers, am_error *err) {
  node *at = find(g, end_name(config, "output_layers")), *first = find(g, end_name(config, "input_layers"));
  if (!at || !first || strcmp(first->s.type, "InputLayer") != 0)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: the model does not have one input and one output", g->r->file);
  am_status status = AM_OK;
  size_t i = 0;
  for (const am_value *layer = layers->first; layer && !status; layer = layer->next, i++)
    status = read_calls(g, &g->nodes[i], layer, err);
  while (!status && at != first) status = walk(g, at, &at, err);
  if (status) return status;
  first->seen = true;
  g->chain[g->length++] = (element){.at = first};
  for (i = 0; i < g->n; i++)
    if (!g->nodes[i].seen) return refuse_call(g, &g->nodes[i], "is not on the way from input to output", err);
  for (i = 0; i < g->length / 2; i++) {
    element other = g->chain[i];
    g->chain[i] = g->chain[g->length - 1 - i];
    g->chain[g->length - 1 - i] = other;
  }
  return AM_OK;
}

/* ---- the model ---- */

/* The shape of a clip is in the first layer, or, of a model built later, beside the layers. */
static am_status find_shape(am_keras_reader *r, const am_value *config, const am_value *first, am_error *err) {
  am_keras_model *m = r->model;
  const am_value *shape = am_value_get(first, "batch_input_shape");
  if (!shape) shape = am_value_get(first, "batch_shape");
  if (!shape) shape = am_value_get(config, "build_input_shape");
  if (!shape || shape->kind != AM_LIST || shape->count < 2 || shape->count > 4)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: its first layer has no batch_input_shape of one to three dimensions and the "
                   "batch; build the model with an input shape and save it again",
                   r->file);
  m->rank = r->rank = (int)shape->count - 1;
  int i = 0;
  for (const am_value *v = shape->first->next; v; v = v->next, i++) {
    m->dims[i] = -1;
    if (v->kind == AM_NULL || (am_value_to_int(v, &m->dims[i]) && m->dims[i] >= 1 && m->dims[i] <= INT32_MAX)) continue;
    return am_fail(err, AM_E_FORMAT, "%s: dimension %d of the input shape is %s", r->file, i + 1,
                   am_keras_text(v) ? am_keras_text(v) : "no number");
  }
  return AM_OK;
}

/* Ours lays a softmax over the model's output.  Where Keras's own stands further in, the logarithm of what it became
 * takes it back; only, it must still be probabilities. */
static am_status finish_output(am_keras_reader *r, am_error *err) {
  if (*r->activation && strcmp(r->activation, "softmax") != 0)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: the model ends in %s (layer %s); wanted softmax, or logits without an "
                   "activation",
                   r->file, r->activation, r->made);
  if (!*r->activation || !r->behind) return AM_OK;
  if (r->spoiled)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s makes probabilities (softmax), and after %s they "
                   "no longer sum to 1; only averages, Flatten and Dropout can follow a softmax",
                   r->file, r->made, r->spoiled);
  r->model->inside = r->made;
  am_keras_add(r, "log_probabilities", "log_probabilities");
  return AM_OK;
}

static am_status read_chain(const graph *g, am_error *err) {
  static const am_keras_source none;
  am_keras_reader *r = g->r;
  am_status status = AM_OK;
  r->json = am_json_begin(r->ctx, &r->model->layers, 0);
  am_json_open(&r->json, NULL, '[');
  if (r->rank == 1) am_keras_add(r, "flatten", "flatten_input"); /* features have frames */
  for (size_t i = 0; i < g->length && !status; i++) {
    const element *e = &g->chain[i];
    status = e->score ? am_keras_read_attention(r, e->hidden ? &e->hidden->s : &none, &e->score->s, &e->softmax->s,
                                                &e->at->s, err)
                      : am_keras_read_layer(r, &e->at->s, err);
  }
  if (!status) status = finish_output(r, err);
  am_json_close(&r->json);
  if (status) return status;
  if (r->flat)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: there is no Dense layer after %s (Flatten)", r->file, r->flat);
  return r->model->layers.failed ? am_no_memory(err) : AM_OK;
}

am_status am_keras_read_model(am_keras_reader *r, const am_value *root, am_error *err) {
  graph g = {.r = r, .tree = r->model->tree};
  const char *type = am_keras_text(am_value_get(root, "class_name"));
  const am_value *config = am_value_get(root, "config");
  const am_value *layers = config && config->kind == AM_LIST ? config : am_value_get(config, "layers");
  bool functional = type && (!strcmp(type, "Functional") || !strcmp(type, "Model"));
  if (!type || (!functional && strcmp(type, "Sequential") != 0))
    return am_fail(err, AM_E_UNSUPPORTED, "%s: the model is a %s; only Sequential and Functional ones can be imported",
                   r->file, type ? type : "thing without class_name");
  if (!layers || layers->kind != AM_LIST || !layers->count)
    return am_fail(err, AM_E_FORMAT, "%s: model_config: the model has no layers", r->file);
  am_status status = read_nodes(&g, layers, err);
  if (!status && functional) status = order_functional(&g, config, layers, err);
  for (; !functional && !status && g.length < g.n; g.length++) g.chain[g.length].at = &g.nodes[g.length];
  if (!status) status = find_shape(r, config, g.chain[0].at->s.config, err);
  return status ? status : read_chain(&g, err);
}
