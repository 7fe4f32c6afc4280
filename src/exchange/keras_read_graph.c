/* SPDX-License-Identifier: MIT */
/* exchange/keras_read_graph.c - the layers of a Keras model, and what each is called with.
 *
 * A Sequential model lists them in order; a Functional one says of each layer what it is called with.  A model may be a layer of
 * another one.  Names here are of all layers, so that those of models inside may stand beside the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/keras_file.h"
#include "exchange/keras_read.h"

enum {
  CALL_DEPTH = 16,
  MODEL_DEPTH = 16,
  MOST = 4000,  /* layers: more than our own models may have */
  LONGEST = 150 /* of a name of ours, before a number is put behind it */
};

typedef am_keras_node node;
typedef am_keras_graph graph;

/* All layers, of all models. */
typedef struct census {
  am_keras_reader *r;
  am_tree *tree;
  node *all[MOST];
  size_t n;
} census;

/* ---- names ---- */

static int by_ours(const void *a, const void *b) {
  const node *x = *(node *const *)a, *y = *(node *const *)b;
  int order = strcmp(x->s.ours, y->s.ours);
  return order ? order : x->s.place < y->s.place ? -1 : 1;
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
static am_status name_ours(census *c, am_error *err) {
  static const char *const own[] = {"flatten_input", "log_probabilities"};
  const char **final = am_tree_take(c->tree, c->n, sizeof *final);
  if (!final) return am_no_memory(err);
  for (size_t i = 0; i < c->n; i++)
    if (!(c->all[i]->s.ours = our_name(c->tree, c->all[i]->s.name))) return am_no_memory(err);
  qsort(c->all, c->n, sizeof *c->all, by_ours);
  for (size_t i = 0; i < c->n; i++) {
    const char *name = c->all[i]->s.ours;
    bool same = i && !strcmp(name, c->all[i - 1]->s.ours);
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) same |= !strcmp(name, own[k]);
    final[i] = name;
    if (!same) continue;
    char *other = am_tree_take(c->tree, strlen(name) + 64, 1);
    if (!other) return am_no_memory(err);
    snprintf(other, strlen(name) + 32, "%s_%zu", name, c->all[i]->s.place + 1);
    for (int more = 0; more < 8 && is_ours(c->all, c->n, other); more++) strcat(other, "_");
    final[i] = other;
    am_log(c->r->ctx, AM_LOG_INFO, "%s: layer %s is called %s here", c->r->file, c->all[i]->s.name, other);
  }
  for (size_t i = 0; i < c->n; i++) c->all[i]->s.ours = final[i];
  return AM_OK;
}

/* Its place among those of its class in the list. */
static char *store_name(am_tree *tree, const char *before, const graph *g, size_t i) {
  size_t n = 0;
  for (size_t k = 0; k < i; k++) n += !strcmp(g->nodes[k].s.type, g->nodes[i].s.type);
  return am_keras_store_name(tree, before, g->nodes[i].s.type, n);
}

/* ---- the layers of a model ---- */

static bool is_functional(const char *type) { return !strcmp(type, "Functional") || !strcmp(type, "Model"); }

static bool is_plus(const am_keras_source *s) {
  return am_keras_is(am_value_get(s->config, "function"), "__operators__.add");
}

static bool is_model(const char *type) { return is_functional(type) || !strcmp(type, "Sequential"); }

static am_status read_graph(census *c, const char *type, const am_keras_source *whole, int depth, graph **out,
                            am_error *err);

static int by_name(const void *a, const void *b) {
  return strcmp((*(node *const *)a)->s.name, (*(node *const *)b)->s.name);
}

/* The nodes of a model by name. */
static am_status sort_nodes(const census *c, const graph *g, node ***out, am_error *err) {
  node **sorted = *out = am_tree_take(c->tree, g->n, sizeof *sorted);
  if (!sorted) return am_no_memory(err);
  for (size_t i = 0; i < g->n; i++) sorted[i] = &g->nodes[i];
  qsort(sorted, g->n, sizeof *sorted, by_name);
  for (size_t i = 1; i < g->n; i++)
    if (!strcmp(sorted[i - 1]->s.name, sorted[i]->s.name))
      return am_fail(
          err, AM_E_FORMAT,
          "%s: two layers are called \"%s\" (a %s and a %s), so their weights cannot be told apart; give them "
          "names of their own in Keras and save the model again",
          c->r->file, sorted[i]->s.name, sorted[i - 1]->s.type, sorted[i]->s.type);
  return AM_OK;
}

static am_status read_node(census *c, const graph *g, size_t i, const am_value *layer, const am_keras_source *whole,
                           int depth, am_error *err) {
  node *n = &g->nodes[i];
  am_keras_source *s = &n->s;
  bool trainable = true;
  s->type = am_keras_text(am_value_get(layer, "class_name"));
  s->config = am_value_get(layer, "config");
  s->name = am_keras_text(am_value_get(s->config, "name"));
  s->build = am_value_find(layer, "build_config.input_shape");
  if (!s->name)
    s->name = am_keras_text(am_value_get(layer, "name")); /* an operation, as Cast, has none in its config; nor has a
                                                             Sequential of Keras 2.2, which is a list */
  if (!s->type || !s->name || !*s->name)
    return am_fail(err, AM_E_FORMAT, "%s: model_config: a layer without class_name or name", c->r->file);
  const am_value *said = am_value_get(s->config, "trainable");
  if (said) am_value_to_bool(said, &trainable);
  s->frozen = whole->frozen || !trainable;
  s->holder = whole->holder ? whole->holder : s->name;
  s->place = c->n;
  s->store = store_name(c->tree, whole->store, g, i);
  if (!s->store) return am_no_memory(err);
  if (c->n == MOST) return am_fail(err, AM_E_UNSUPPORTED, "%s: the model has more than %d layers", c->r->file, MOST);
  c->all[c->n++] = n;
  if (!strcmp(s->type, "TFOpLambda") && is_plus(s)) s->type = "Add";
  if (!is_model(s->type)) return AM_OK;
  am_keras_source inside = *s;
  inside.store = am_keras_join(c->tree, s->store, "/", "");
  return inside.store ? read_graph(c, s->type, &inside, depth + 1, &n->inner, err) : am_no_memory(err);
}

/* ---- what a layer is called with ---- */

static am_status refuse_call(const census *c, const node *n, const char *what, am_error *err) {
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: layer %s (%s) %s; what can be imported is a chain of layers, with the branches that docs/keras.md "
      "lists",
      c->r->file, n->s.name, n->s.type, what);
}

/* What the calls of one layer are read by. */
typedef struct call {
  const census *c;
  node **sorted;
  size_t n;
  node *at;
} call;

/* [name, 0, 0]: the first output of the first call of a layer; Keras 2 counts from 1 where that is a model. */
static am_status add_input(const call *a, const am_value *history, am_error *err) {
  node wanted = {.s.name = am_keras_text(history->first)}, *key = &wanted, **found = NULL, *n = a->at;
  const am_value *number = history->first->next;
  if (wanted.s.name) found = bsearch(&key, a->sorted, a->n, sizeof *a->sorted, by_name);
  bool first = am_keras_is(number, "0") || (found && (*found)->inner && am_keras_is(number, "1"));
  if (!wanted.s.name || !am_keras_is(number->next, "0") || (found && !first))
    return refuse_call(a->c, n, "is called with another output than a layer's first", err);
  if (!found)
    return am_fail(err, AM_E_FORMAT, "%s: model_config: layer %s is called with %s, which is not there", a->c->r->file,
                   n->s.name, wanted.s.name);
  if (n->n_in == AM_MAX_INPUTS) return refuse_call(a->c, n, "has too many inputs", err);
  n->in[n->n_in++] = *found;
  return AM_OK;
}

/* The options of a call change nothing when they are off.  One of a sum that is no layer, x + y in Keras 2, is y. */
static am_status check_call(const call *a, const am_value *options, am_error *err) {
  am_status status = AM_OK;
  for (const am_value *v = options ? options->first : NULL; v && !status; v = v->next) {
    if (v->kind == AM_NULL || am_keras_is(v, "false")) continue;
    if (v->key && is_plus(&a->at->s) && !strcmp(v->key, "y") && v->kind == AM_LIST && v->count >= 3)
      status = add_input(a, v, err);
    else
      status = am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s) is called with %s, which cannot be imported",
                       a->c->r->file, a->at->s.name, a->at->s.type, v->key ? v->key : "more than its input");
  }
  return status;
}

/* Keras 3 writes a map with keras_history for a tensor, Keras 2 [name, node, tensor, {options}]. */
static am_status add_inputs(const call *a, const am_value *v, int depth, am_error *err) {
  const am_value *history = am_value_find(v, "config.keras_history");
  bool keras2 = v->kind == AM_LIST && v->count >= 3 && v->first->kind == AM_SCALAR;
  if (history && history->kind == AM_LIST && history->count == 3) return add_input(a, history, err);
  if (keras2) {
    am_status status = add_input(a, v, err);
    return status ? status : check_call(a, v->first->next->next->next, err);
  }
  if (v->kind == AM_NULL) return AM_OK;
  if (v->kind != AM_LIST || depth == CALL_DEPTH)
    return refuse_call(a->c, a->at, "is called with what is no layer", err);
  am_status status = AM_OK;
  for (v = v->first; v && !status; v = v->next) status = add_inputs(a, v, depth + 1, err);
  return status;
}

static am_status read_calls(const call *a, const am_value *layer, am_error *err) {
  const am_value *calls = am_value_get(layer, "inbound_nodes");
  size_t count = calls && calls->kind == AM_LIST ? calls->count : 0;
  if (!strcmp(a->at->s.type, "InputLayer") && !count) return AM_OK;
  if (count != 1) return refuse_call(a->c, a->at, count ? "is used more than once" : "is not called", err);
  if (!(a->at->in = am_tree_take(a->c->tree, AM_MAX_INPUTS, sizeof(node *)))) return am_no_memory(err);
  const am_value *args = am_value_get(calls->first, "args");
  am_status status = add_inputs(a, args ? args : calls->first, 0, err);
  return status ? status : check_call(a, am_value_get(calls->first, "kwargs"), err);
}

/* "input_layers" and "output_layers": [name, 0, 0], or a list of one such. */
static node *end_of(const call *a, const am_value *config, const char *key) {
  const am_value *v = am_value_get(config, key);
  if (v && v->kind == AM_LIST && v->count == 1) v = v->first;
  const char *name = v && v->kind == AM_LIST && v->count == 3 ? am_keras_text(v->first) : NULL;
  node wanted = {.s.name = name}, *at = &wanted, **found = NULL;
  if (name) found = bsearch(&at, a->sorted, a->n, sizeof *a->sorted, by_name);
  return found ? *found : NULL;
}

static am_status read_functional(const census *c, graph *g, node **sorted, const am_value *layers, am_error *err) {
  call a = {c, sorted, g->n, NULL};
  g->last = end_of(&a, g->config, "output_layers");
  g->first = end_of(&a, g->config, "input_layers");
  if (!g->first || !g->last || strcmp(g->first->s.type, "InputLayer") != 0)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: the model%s%s does not have one input and one output", c->r->file,
                   g->name ? " " : "", g->name ? g->name : "");
  am_status status = AM_OK;
  size_t i = 0;
  for (const am_value *layer = layers->first; layer && !status; layer = layer->next, i++) {
    a.at = &g->nodes[i];
    status = read_calls(&a, layer, err);
  }
  return status;
}

/* `whole`: where the model itself stands, and its config. */
static am_status read_graph(census *c, const char *type, const am_keras_source *whole, int depth, graph **out,
                            am_error *err) {
  const am_value *config = whole->config;
  const am_value *layers = config && config->kind == AM_LIST ? config : am_value_get(config, "layers");
  if (!layers || layers->kind != AM_LIST || !layers->count)
    return am_fail(err, AM_E_FORMAT, "%s: model_config: the model has no layers", c->r->file);
  if (depth > MODEL_DEPTH || layers->count > MOST)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: models of more than %d layers, or more than %d in each other",
                   c->r->file, MOST, MODEL_DEPTH);
  graph *g = am_tree_take(c->tree, 1, sizeof *g);
  if (!g) return am_no_memory(err);
  *g = (graph){.name = whole->name, .config = config, .n = layers->count, .functional = is_functional(type)};
  if (!(g->nodes = am_tree_take(c->tree, g->n, sizeof *g->nodes))) return am_no_memory(err);
  am_status status = AM_OK;
  size_t i = 0;
  for (const am_value *layer = layers->first; layer && !status; layer = layer->next)
    status = read_node(c, g, i++, layer, whole, depth, err);
  node **sorted = NULL;
  if (!status) status = sort_nodes(c, g, &sorted, err);
  *out = g;
  return !status && g->functional ? read_functional(c, g, sorted, layers, err) : status;
}

/* ---- the model ---- */

/* The first layer, in the first model, where that is the first layer itself. */
static const node *first_of(const graph *g) {
  const node *n = g->functional ? g->first : &g->nodes[0];
  return n->inner ? first_of(n->inner) : n;
}

/* The shape of a clip is in the first layer, or, of a model built later, beside the layers. */
static am_status find_shape(am_keras_reader *r, const am_value *root, const graph *g, am_error *err) {
  am_keras_model *m = r->model;
  const am_keras_source *first = &first_of(g)->s;
  const am_value *places[] = {am_value_get(first->config, "batch_input_shape"),
                              am_value_get(first->config, "batch_shape"), am_value_get(g->config, "build_input_shape"),
                              first->build, am_value_find(root, "build_config.input_shape")};
  const am_value *shape = NULL;
  for (size_t i = 0; i < sizeof places / sizeof *places && !shape; i++)
    if (places[i] && places[i]->kind == AM_LIST) shape = places[i];
  if (shape && shape->count == 1 && shape->first->kind == AM_LIST) shape = shape->first; /* a list of inputs */
  if (!shape || shape->count < 2 || shape->count > 4)
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
  if (*r->activation) r->model->softmax = r->made;
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

static am_status write_list(am_keras_reader *r, const am_keras_element *list, am_error *err) {
  r->json = am_json_begin(r->ctx, &r->model->layers, 0);
  am_json_open(&r->json, NULL, '[');
  if (r->rank == 1) am_keras_add(r, "flatten", "flatten_input"); /* features have frames */
  am_status status = am_keras_read_list(r, list, 0, err);
  if (!status) status = am_keras_check_padded(r, "the output", "nothing", err);
  if (!status) status = finish_output(r, err);
  if (status) return status;
  am_json_close(&r->json);
  if (r->flat)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: there is no Dense layer after %s (Flatten)", r->file, r->flat);
  return r->model->layers.failed ? am_no_memory(err) : AM_OK;
}

am_status am_keras_read_model(am_keras_reader *r, const am_value *root, am_error *err) {
  const char *type = am_keras_text(am_value_get(root, "class_name"));
  if (!type || !is_model(type))
    return am_fail(err, AM_E_UNSUPPORTED, "%s: the model is a %s; only Sequential and Functional ones can be imported",
                   r->file, type ? type : "thing without class_name");
  census *c = am_alloc(r->ctx, 1, sizeof *c);
  if (!c) return am_no_memory(err);
  *c = (census){.r = r, .tree = r->model->tree};
  const am_keras_source whole = {.type = type, .config = am_value_get(root, "config"), .store = ""};
  graph *g = NULL;
  am_keras_element *list = NULL;
  am_status status = read_graph(c, type, &whole, 0, &g, err);
  if (!status) status = name_ours(c, err);
  if (!status) status = am_keras_order(r, g, &list, err);
  if (!status) status = find_shape(r, root, g, err);
  am_free(r->ctx, c);
  return status ? status : write_list(r, list, err);
}
