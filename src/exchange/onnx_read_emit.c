/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_emit.c - steps over tensors become our list of layers, with blocks where paths part and meet again. */
#include <stdio.h>
#include <string.h>

#include "exchange/onnx_read.h"

enum { MOST_DEPTH = 15 /* of blocks in blocks (nn/item.c) */ };

typedef struct emitter {
  am_onnx_reader *r;
  uint64_t *dominators; /* (tensors, words) bits: tensors through which every path from the input leads */
  size_t words;
  int depth;
} emitter;

static uint64_t *row(const emitter *e, int tensor) { return &e->dominators[(size_t)tensor * e->words]; }

static am_status find_dominators(emitter *e) {
  am_onnx_reader *r = e->r;
  const size_t n = r->n_steps + 1;
  e->words = (n + 63) / 64;
  e->dominators = am_tree_take(r->tree, am_mul(n, e->words), sizeof *e->dominators);
  if (!e->dominators) return am_onnx_no_memory(r);
  e->dominators[0] = 1;
  for (size_t i = 0; i < r->n_steps; i++) {
    const am_onnx_step *s = r->steps[i];
    uint64_t *own = row(e, s->out);
    memcpy(own, row(e, s->in[0]), e->words * sizeof *own);
    for (int k = 1; k < s->n_in; k++)
      for (size_t w = 0; w < e->words; w++) own[w] &= row(e, s->in[k])[w];
    own[s->out / 64] |= (uint64_t)1 << s->out % 64;
  }
  return AM_OK;
}

/* The last tensor through which all inputs of a join lead. */
static int meeting(const emitter *e, const am_onnx_step *s) {
  for (int t = s->out - 1; t > 0; t--) {
    bool all = true;
    for (int k = 0; k < s->n_in && all; k++) all = row(e, s->in[k])[t / 64] >> (t % 64) & 1;
    if (all) return t;
  }
  return 0;
}

static bool is_join(const am_onnx_step *s) {
  return !strcmp(s->type, "add") || !strcmp(s->type, "concat") || !strcmp(s->type, "scale");
}

/* ---- items ---- */

typedef struct items {
  am_value *at[AM_ONNX_STEPS];
  size_t n;
} items;

/* {type: options} of a step; names are put in when all is there. */
static am_value *make_item(emitter *e, am_onnx_step *s, const char *type, const am_value *options) {
  am_tree *tree = e->r->tree;
  am_value *item = s->item = am_value_new(tree, AM_MAP), *map = am_value_new(tree, AM_MAP);
  am_status status = item && map ? AM_OK : am_onnx_no_memory(e->r);
  for (const am_value *o = options ? options->first : NULL; o && !status; o = o->next)
    status = am_value_add(tree, map, o->key, am_value_copy(tree, o), e->r->err);
  if (!status) status = am_value_add(tree, item, type, map, e->r->err);
  return status ? NULL : item;
}

static am_status set_in(emitter *e, am_value *item, const char *key, am_value *value) {
  return am_value_add(e->r->tree, item->first, key, value, e->r->err);
}

static am_status once(emitter *e, am_onnx_step *s) {
  e->r->node = s->by;
  if (s->written)
    return am_onnx_refuse(
        e->r, AM_E_UNSUPPORTED,
        "what it gives is read in more than one place, beyond a block that adds, concatenates or scales; "
        "only paths that part and meet again as blocks do can be imported");
  s->written = true;
  return AM_OK;
}

static bool has_array(const am_onnx_step *s, const char *name) {
  for (int i = 0; i < s->n_arrays; i++)
    if (!strcmp(s->arrays[i].name, name)) return true;
  return false;
}

static am_value *layer_item(emitter *e, am_onnx_step *s) {
  am_value *item = once(e, s) ? NULL : make_item(e, s, s->type, s->options);
  const bool linear = !strcmp(s->type, "dense") || !strncmp(s->type, "conv", 4);
  if (item && linear && !has_array(s, "bias") && set_in(e, item, "bias", am_value_bool(e->r->tree, false))) return NULL;
  return item;
}

/* ---- blocks ---- */

static am_status emit_path(emitter *e, int to, int from, am_value *list);

/* The list of layers of a branch inside a block. */
static am_value *branch(emitter *e, int to, int from) {
  emitter inner = *e;
  am_value *list = am_value_new(e->r->tree, AM_LIST);
  if (!list) am_onnx_no_memory(e->r);
  if (++inner.depth > MOST_DEPTH) {
    am_onnx_refuse(e->r, AM_E_UNSUPPORTED, "blocks are nested deeper than %d", MOST_DEPTH);
    return NULL;
  }
  return !list || emit_path(&inner, to, from, list) ? NULL : list;
}

static const am_onnx_step *step_of(const emitter *e, int tensor) {
  return e->r->made[tensor]->step < 0 ? NULL : e->r->steps[e->r->made[tensor]->step];
}

/* One 1x1 convolution or dense layer from `from` to `to`: what a block puts on its shortcut by itself. */
static am_onnx_step *projection(const emitter *e, int to, int from) {
  const am_onnx_step *s = to == from ? NULL : step_of(e, to);
  if (!s || s->in[0] != from || s->n_arrays < 1) return NULL;
  const am_onnx_array *kernel = &s->arrays[0];
  const bool flat = !strcmp(s->type, "dense") && kernel->rank == 2 && e->r->made[to]->rank == 1;
  const bool one = (!strcmp(s->type, "conv2d") && kernel->dims[0] == 1 && kernel->dims[1] == 1) ||
                   (!strcmp(s->type, "conv1d") && kernel->dims[0] == 1);
  return flat || one ? e->r->steps[e->r->made[to]->step] : NULL;
}

static bool same_shape(const emitter *e, int a, int b) {
  const am_onnx_made *x = e->r->made[a], *y = e->r->made[b];
  return x->rank == y->rank && am_onnx_equal_sizes(e->r, &x->t, &y->t) && am_onnx_equal_sizes(e->r, &x->f, &y->f) &&
         am_onnx_equal_sizes(e->r, &x->c, &y->c);
}

static am_value *residual_item(emitter *e, am_onnx_step *s, int from) {
  int body = s->in[0], side = s->in[1];
  if (body == from || (side != from && projection(e, body, from) && !projection(e, side, from)))
    body = s->in[1], side = s->in[0];
  am_onnx_step *p = side == from ? NULL : projection(e, side, from);
  e->r->node = s->by;
  if (body == from || (side != from && (!p || same_shape(e, from, s->out)))) {
    am_onnx_refuse(e->r, AM_E_UNSUPPORTED,
                   body == from
                       ? "it adds a result to itself"
                       : "it adds two paths that both have layers; one of them must be the input of the block, or "
                         "a 1x1 convolution of it that changes its shape");
    return NULL;
  }
  am_value *list = branch(e, body, from);
  am_value *item = list ? make_item(e, s, "residual", NULL) : NULL;
  if (!item || set_in(e, item, "layers", list) ||
      set_in(e, item, "activation", am_value_text(e->r->tree, "none", false)))
    return NULL;
  if (!p) return set_in(e, item, "projection", am_value_text(e->r->tree, "none", false)) ? NULL : item;
  s->inside[0] = p;
  return once(e, p) ? NULL : item;
}

static am_value *parallel_item(emitter *e, am_onnx_step *s, int from) {
  am_value *branches = am_value_new(e->r->tree, AM_LIST);
  if (!branches) am_onnx_no_memory(e->r);
  for (int k = 0; branches && k < s->n_in; k++) {
    am_value *list = branch(e, s->in[k], from);
    if (!list || am_value_add(e->r->tree, branches, NULL, list, e->r->err)) return NULL;
  }
  am_value *item = branches ? make_item(e, s, "parallel", NULL) : NULL;
  return item && !set_in(e, item, "branches", branches) ? item : NULL;
}

/* x times sigmoid(dense(relu(dense(mean of x)))) */
static am_value *squeeze_item(emitter *e, am_onnx_step *s, int from) {
  static const char *const wanted[] = {"sigmoid", "dense", "relu", "dense", "global_average_pool"};
  am_onnx_step *at[5] = {NULL};
  int tensor = s->in[1];
  bool good = s->in[0] == from;
  for (int i = 0; i < 5 && good; i++) {
    const am_onnx_step *here = step_of(e, tensor);
    good = here && !strcmp(here->type, wanted[i]);
    if (!good) break;
    at[i] = e->r->steps[e->r->made[tensor]->step];
    tensor = here->in[0];
  }
  e->r->node = s->by;
  const int64_t channels = am_onnx_size(e->r, &e->r->made[from]->c, 0);
  const int64_t hidden = good && tensor == from ? at[3]->arrays[0].dims[1] : 0;
  int64_t reduction = hidden ? channels / hidden : 1;
  if (reduction < 1) reduction = 1;
  while (hidden && channels / reduction > hidden) reduction++;
  good = hidden && tensor == from && !am_value_get(at[4]->options, "over") &&
         (channels / reduction == hidden || (!(channels / reduction) && hidden == 1));
  if (!good) {
    am_onnx_refuse(
        e->r, AM_E_UNSUPPORTED,
        "it multiplies a map by a gate that is not sigmoid(dense(relu(dense(mean over frames and bins)))) of it; only "
        "that (squeeze_excite) can be imported");
    return NULL;
  }
  am_value *item = make_item(e, s, "squeeze_excite", NULL);
  for (int i = 0; i < 5 && item; i++)
    if (once(e, at[i])) return NULL;
  s->inside[0] = at[3];
  s->inside[1] = at[1];
  return item && !set_in(e, item, "reduction", am_value_int(e->r->tree, reduction)) ? item : NULL;
}

static am_value *block_item(emitter *e, am_onnx_step *s, int from) {
  if (once(e, s)) return NULL;
  if (!strcmp(s->type, "add")) return residual_item(e, s, from);
  return !strcmp(s->type, "concat") ? parallel_item(e, s, from) : squeeze_item(e, s, from);
}

/* ---- paths ---- */

/* Layers that lead from tensor `from` to `to`, found from the end. */
static am_status emit_path(emitter *e, int to, int from, am_value *list) {
  am_onnx_reader *r = e->r;
  items *found = am_alloc(r->import->ctx, 1, sizeof *found);
  if (!found) return am_onnx_no_memory(r);
  am_status status = AM_OK;
  while (to != from && !status) {
    am_onnx_step *s = r->steps[r->made[to]->step];
    const int before = is_join(s) ? meeting(e, s) : s->in[0];
    r->node = s->by;
    if (before < from) {
      status =
          am_onnx_refuse(r, AM_E_UNSUPPORTED, "it brings together paths that cross each other, which blocks cannot");
      break;
    }
    am_value *item = is_join(s) ? block_item(e, s, before) : layer_item(e, s);
    if (!item) status = r->err->status ? r->err->status : AM_E_NOMEM;
    else found->at[found->n++] = item;
    to = before;
  }
  while (found->n && !status) status = am_value_add(r->tree, list, NULL, found->at[--found->n], r->err);
  am_free(r->import->ctx, found);
  return status;
}

/* ---- names ---- */

typedef struct namer {
  am_onnx_reader *r;
  am_value *taken, *given; /* maps: names in use; names that layers want */
} namer;

/* A name that no other has: the wanted one, with a number where it is taken; else the type and a number. */
static const char *name_for(const namer *n, const char *wanted, const char *type) {
  const char *stem = wanted ? wanted : type;
  char text[128];
  int i = 1;
  snprintf(text, sizeof text, wanted ? "%.100s" : "%.100s_1", stem);
  while (am_value_get(n->taken, text) || (!wanted && am_value_get(n->given, text)))
    snprintf(text, sizeof text, "%.100s_%d", stem, ++i);
  if (am_value_add(n->r->tree, n->taken, text, am_value_new(n->r->tree, AM_NULL), n->r->err)) return NULL;
  const char *kept = am_tree_string(n->r->tree, text);
  if (!kept) am_onnx_no_memory(n->r);
  return kept;
}

static const char *joined(const namer *n, const char *before, const char *name) {
  char *text = am_tree_take(n->r->tree, strlen(before) + strlen(name) + 1, 1);
  if (!text) {
    am_onnx_no_memory(n->r);
    return NULL;
  }
  return strcat(strcpy(text, before), name);
}

static am_onnx_step *step_for(const namer *n, const am_value *item) {
  for (size_t i = 0; i < n->r->n_steps; i++)
    if (n->r->steps[i]->item == item) return n->r->steps[i];
  return NULL; /* not reached: each item is of a step */
}

static am_status name_list(const namer *n, am_value *list, const char *prefix);

static am_status name_inside(const namer *n, am_onnx_step *s, const am_value *options, const char *own) {
  static const char *const squeeze[2] = {"/reduce", "/expand"};
  am_value *layers = am_value_get(options, "layers"), *branches = am_value_get(options, "branches");
  const char *inner = joined(n, own, "/");
  am_status status = inner ? AM_OK : AM_E_NOMEM;
  int k = 1;
  for (int i = 0; i < 2 && !status; i++)
    if (s->inside[i] && !(s->inside[i]->path = joined(n, own, layers ? "/projection" : squeeze[i])))
      status = AM_E_NOMEM;
  if (!status && layers) status = name_list(n, layers, inner);
  for (am_value *b = branches ? branches->first : NULL; b && !status; b = b->next, k++) {
    char more[32];
    snprintf(more, sizeof more, "branch_%d/", k);
    const char *deeper = joined(n, inner, more);
    status = deeper ? name_list(n, b, deeper) : AM_E_NOMEM;
  }
  return status;
}

static am_status name_list(const namer *n, am_value *list, const char *prefix) {
  am_status status = AM_OK;
  for (am_value *item = list->first; item && !status; item = item->next) {
    am_value *options = item->first;
    am_onnx_step *s = step_for(n, item);
    const char *name = s ? name_for(n, s->name, options->key) : NULL;
    if (!name || !(s->path = joined(n, prefix, name))) return AM_E_NOMEM;
    status = am_value_add(n->r->tree, options, "name", am_value_text(n->r->tree, name, true), n->r->err);
    if (!status) status = name_inside(n, s, options, s->path);
  }
  return status;
}

static am_status name_all(am_onnx_reader *r, am_value *layers) {
  namer n = {r, am_value_new(r->tree, AM_MAP), am_value_new(r->tree, AM_MAP)};
  am_status status = n.taken && n.given ? AM_OK : am_onnx_no_memory(r);
  for (size_t i = 0; i < r->n_steps && !status; i++)
    if (r->steps[i]->item && r->steps[i]->name && !am_value_get(n.given, r->steps[i]->name))
      status = am_value_add(r->tree, n.given, r->steps[i]->name, am_value_new(r->tree, AM_NULL), r->err);
  return status ? status : name_list(&n, layers, "");
}

am_status am_onnx_emit(am_onnx_reader *r, int output, am_value **layers) {
  emitter e = {.r = r};
  *layers = am_value_new(r->tree, AM_LIST);
  if (!*layers) return am_onnx_no_memory(r);
  am_status status = find_dominators(&e);
  if (!status) status = emit_path(&e, output, 0, *layers);
  return status ? status : name_all(r, *layers);
}
