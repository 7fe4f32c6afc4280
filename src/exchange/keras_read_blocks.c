/* SPDX-License-Identifier: MIT */
/* exchange/keras_read_blocks.c - a list of layers and blocks of a Keras model (keras_read_order.c), as entries of our list.
 *
 *   Add of two branches            residual; of more, one inside of another
 *   Concatenate                    parallel
 *   Multiply of x and a gate       squeeze_excite: GlobalAveragePooling, Reshape, Dense relu, Dense sigmoid
 *   Dot of softmax(scores) and x   attention_pool                                                              */
#include <stdio.h>
#include <string.h>

#include "exchange/keras_read.h"

typedef am_keras_reader reader;
typedef am_keras_source source;
typedef am_keras_element element;

/* ---- attention ---- */

/* Over the frames of both. */
static am_status check_axes(const reader *r, const source *dot, am_error *err) {
  const am_value *axes = am_value_get(dot->config, "axes");
  bool pair = axes && axes->kind == AM_LIST && axes->count == 2;
  if (pair ? am_keras_is(axes->first, "1") && am_keras_is(axes->last, "1") : am_keras_is(axes, "1")) return AM_OK;
  return am_keras_refuse(r, dot, "axes", "1, the frames of both,", err);
}

/* What attention consists of must be plain: Dense with this activation, and with a bias or without. */
static am_status check_scorer(reader *r, const source *s, const char *wanted, bool bias, int64_t *units,
                              am_error *err) {
  const char *activation = "";
  bool has;
  am_status status = am_keras_check_keys(r, s, am_keras_options("Dense"), err);
  if (!status) status = am_keras_int(r, s, "units", units, err);
  if (!status) status = am_keras_activation(r, s, &activation, err);
  if (!status && strcmp(activation, wanted) != 0)
    status = am_keras_refuse(r, s, "activation",
                             *wanted ? "tanh, before the scores of attention over frames,"
                                     : "linear, for the scores of attention over frames,",
                             err);
  if (!status) status = am_keras_bool(r, s, "use_bias", true, &has, err);
  if (!status && has != bias)
    status = am_keras_refuse(
        r, s, "use_bias",
        bias ? "true, before the scores of attention over frames," : "false, for the scores of attention over frames,",
        err);
  return status;
}

static am_status read_attention(reader *r, const element *e, const source *dot, am_error *err) {
  const source *hidden = e->hidden ? &e->hidden->s : NULL, *score = &e->score->s, *softmax = &e->softmax->s;
  int64_t units = 0, heads = 0;
  am_keras_layer *l = NULL;
  am_status status = am_keras_need_rank(r, dot, 2, err);
  if (!status) status = am_keras_check_keys(r, softmax, "axis", err);
  if (!status && !am_keras_is(am_value_get(softmax->config, "axis"), "1"))
    status = am_keras_refuse(r, softmax, "axis", "1, the frames,", err);
  if (!status) status = am_keras_check_keys(r, dot, "axes", err);
  if (!status) status = check_axes(r, dot, err);
  if (!status && hidden) status = check_scorer(r, hidden, "tanh", true, &units, err);
  if (!status) status = check_scorer(r, score, "", false, &heads, err);
  if (!status && r->masked)
    status = am_fail(err, AM_E_UNSUPPORTED,
                     "%s: layer %s (Dot) comes after %s (Masking), whose frames it does not leave out in Keras",
                     r->file, dot->name, r->model->masked);
  if (!status && hidden) {
    source as = *hidden;
    as.ours = dot->ours;
    status = am_keras_record(r, &as, NULL, &l, err);
    if (status) return status;
    am_keras_array_add(l, "", "kernel", "kernel", false);
    am_keras_array_add(l, "", "bias", "bias", false);
  }
  source as = *score;
  as.ours = dot->ours;
  if (!status) status = am_keras_record(r, &as, NULL, &l, err);
  if (status) return status;
  am_keras_array_add(l, "", "kernel", "score", false);
  am_keras_begin(r, dot, "attention_pool");
  am_json_int(&r->json, "units", units);
  am_json_int(&r->json, "heads", heads);
  am_keras_end(r);
  am_keras_passes(r, dot, true); /* a weighted mean of the frames */
  r->rank = 1;
  return AM_OK;
}

/* ---- branches ---- */

/* What is known of the tensor between two layers. */
typedef struct place {
  bool turned, masked;
  int rank;
  const char *flat, *activation, *made, *behind, *spoiled;
} place;

static place here(const reader *r) {
  return (place){r->turned, r->masked, r->rank, r->flat, r->activation, r->made, r->behind, r->spoiled};
}

static void go(reader *r, const place *to) {
  r->turned = to->turned;
  r->masked = to->masked;
  r->rank = to->rank;
  r->flat = to->flat;
  r->activation = to->activation;
  r->made = to->made;
  r->behind = to->behind;
  r->spoiled = to->spoiled;
}

/* A list of layers inside of a block, under `prefix`, from `from` on. */
static am_status read_branch(reader *r, const char *key, const element *list, const char *prefix, const place *from,
                             int depth, am_error *err) {
  const char *before = r->prefix;
  if (!prefix) return am_no_memory(err);
  go(r, from);
  r->prefix = prefix;
  am_json_open(&r->json, key, '[');
  am_status status = am_keras_read_list(r, list, depth + 1, err);
  if (!status) status = am_keras_check_padded(r, "a join", "the end of its branch", err);
  am_json_close(&r->json);
  r->prefix = before;
  return status;
}

static const char *prefix_of(const reader *r, const char *block, const char *more) {
  const char *name = am_keras_join(r->model->tree, r->prefix, block, "/");
  return name ? am_keras_join(r->model->tree, name, more, "") : NULL;
}

/* Both ends of a join must be tensors of one kind. */
static am_status check_same(const reader *r, const source *s, const place *a, am_error *err) {
  const place b = here(r);
  const bool same = a->rank == b.rank && (a->rank < 3 || a->turned == b.turned) && a->masked == b.masked &&
                    (a->flat == b.flat || (a->flat && b.flat && !strcmp(a->flat, b.flat)));
  if (same) return AM_OK;
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s): its branches end in tensors of different kinds", r->file,
                 s->name, s->type);
}

/* What a join makes is nothing that the loss knows. */
static void joined(reader *r, const source *s) {
  am_keras_made(r, s, "");
  r->model->units = 0;
}

/* `n` branches of an Add: the last one is the shortcut, of which the others are the body. */
static am_status read_sum(reader *r, const source *s, element *const *branches, int n, const place *from, int depth,
                          am_error *err) {
  const element *body = branches[0], *shortcut = branches[n - 1];
  if (n == 2 && !body) body = shortcut, shortcut = NULL; /* a sum is the same either way */
  if (n == 2 && !body)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (Add) adds a tensor to itself, which cannot be imported",
                   r->file, s->name);
  am_keras_begin(r, s, "residual");
  am_json_text(&r->json, "activation", "none");
  am_json_text(&r->json, "projection", "none");
  am_status status;
  if (n == 2) {
    status = read_branch(r, "layers", body, prefix_of(r, s->ours, ""), from, depth, err);
  } else {
    const char *before = r->prefix;
    if (!(r->prefix = prefix_of(r, s->ours, ""))) return am_no_memory(err);
    source inner = *s;
    inner.ours = "sum";
    am_json_open(&r->json, "layers", '[');
    status = read_sum(r, &inner, branches, n - 1, from, depth + 1, err);
    am_json_close(&r->json);
    r->prefix = before;
  }
  const place end = here(r);
  if (!status && shortcut)
    status = read_branch(r, "shortcut", shortcut, prefix_of(r, s->ours, "shortcut/"), from, depth, err);
  else if (!status) go(r, from);
  if (!status) status = check_same(r, s, &end, err);
  am_keras_end(r);
  joined(r, s);
  return status;
}

static am_status read_parallel(reader *r, const source *s, const element *e, const place *from, int depth,
                               am_error *err) {
  const am_value *axis = am_value_get(s->config, "axis");
  int64_t number = -1;
  if (axis && (!am_value_to_int(axis, &number) || (number != -1 && number != r->rank)))
    return am_keras_refuse(r, s, "axis", "-1, the channels,", err);
  place end = {0};
  am_status status = AM_OK;
  am_keras_begin(r, s, "parallel");
  am_json_open(&r->json, "branches", '[');
  for (int i = 0; i < e->n_branches && !status; i++) {
    char more[32];
    snprintf(more, sizeof more, "branch_%d/", i + 1);
    status = read_branch(r, NULL, e->branches[i], prefix_of(r, s->ours, more), from, depth, err);
    if (!i) end = here(r);
    else if (!status) status = check_same(r, s, &end, err);
  }
  am_json_close(&r->json);
  am_keras_end(r);
  if (!status && r->flat)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: there is no Dense layer between %s (Flatten) and %s (%s)", r->file,
                   r->flat, s->name, s->type);
  if (!status && number != -1 && number != r->rank) status = am_keras_refuse(r, s, "axis", "-1, the channels,", err);
  joined(r, s);
  return status;
}

/* ---- squeeze and excite ---- */

/* One of the two dense layers of the gate: its units, and its weights as those of the block. */
static am_status read_gate(reader *r, const source *s, const source *dense, const char *activation, const char *part,
                           int64_t *units, am_error *err) {
  const char *found = "";
  bool bias;
  am_keras_layer *l = NULL;
  am_status status = am_keras_check_keys(r, dense, am_keras_options("Dense"), err);
  if (!status) status = am_keras_int(r, dense, "units", units, err);
  if (!status) status = am_keras_activation(r, dense, &found, err);
  if (!status && strcmp(found, activation) != 0)
    status = am_keras_refuse(r, dense, "activation",
                             !strcmp(activation, "relu") ? "relu, in the gate of a Multiply,"
                                                         : "sigmoid, at the end of the gate of a Multiply,",
                             err);
  if (!status) status = am_keras_bool(r, dense, "use_bias", true, &bias, err);
  source as = *dense;
  as.ours = s->ours;
  if (!status) status = am_keras_record(r, &as, part, &l, err);
  if (status) return status;
  am_keras_array_add(l, "", "kernel", "kernel", false);
  if (bias) am_keras_array_add(l, "", "bias", "bias", false);
  l->flat = NULL;
  return AM_OK;
}

static bool is_type(const element *e, const char *type) { return e && !strcmp(e->at->s.type, type); }

/* A gate is one number for each channel: Reshape only puts axes of one before them, and keepdims leaves them there. */
static am_status check_mean(reader *r, const source *pool, am_error *err) {
  am_status status = am_keras_need_rank(r, pool, strstr(pool->type, "2D") ? 3 : 2, err);
  return status ? status : am_keras_check_keys(r, pool, "keepdims", err);
}

static am_status check_ones(reader *r, const source *reshape, am_error *err) {
  const am_value *to = am_value_get(reshape->config, "target_shape");
  bool good = to && to->kind == AM_LIST && to->count == (size_t)r->rank;
  for (const am_value *v = good ? to->first : NULL; v && v->next; v = v->next) good = good && am_keras_is(v, "1");
  am_status status = am_keras_check_keys(r, reshape, "target_shape", err);
  return status || good ? status : am_keras_refuse(r, reshape, "target_shape", "1 and the channels", err);
}

static am_status read_squeeze(reader *r, const source *s, const element *e, am_error *err) {
  const element *gate = e->n_branches == 2 ? e->branches[e->branches[0] ? 0 : 1] : NULL;
  const bool plain = gate && (!e->branches[0] || !e->branches[1]);
  const source *pool = NULL;
  if (gate && (is_type(gate, "GlobalAveragePooling1D") || is_type(gate, "GlobalAveragePooling2D"))) pool = &gate->at->s;
  if (!plain || !pool)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Multiply) is not the product of its input and a gate for each channel "
                   "(squeeze and excite), which alone can be imported",
                   r->file, s->name);
  am_status status = check_mean(r, pool, err);
  const source *dense[2] = {NULL, NULL};
  int n = 0;
  for (const element *at = gate->next; at && !status; at = at->next) {
    if (is_type(at, "Reshape")) status = check_ones(r, &at->at->s, err);
    else if (is_type(at, "Dense") && n < 2) dense[n++] = &at->at->s;
    else n = 3;
  }
  if (!status && n != 2)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Multiply): its gate is not GlobalAveragePooling, Dense relu and Dense sigmoid",
                   r->file, s->name);
  int64_t hidden = 0, channels = 0;
  if (!status) status = read_gate(r, s, dense[0], "relu", "/reduce", &hidden, err);
  if (!status) status = read_gate(r, s, dense[1], "sigmoid", "/expand", &channels, err);
  if (status) return status;
  const int64_t reduction = channels / hidden > 0 ? channels / hidden : 1;
  const int64_t ours = channels / reduction > 0 ? channels / reduction : 1;
  if (ours != hidden)
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: layer %s (Dense): %lld units for %lld channels are no whole reduction, as squeeze_excite has it", r->file,
        dense[0]->name, (long long)hidden, (long long)channels);
  am_keras_begin(r, s, "squeeze_excite");
  am_json_int(&r->json, "reduction", reduction);
  am_keras_end(r);
  joined(r, s);
  return AM_OK;
}

static am_status read_join(reader *r, const source *s, const element *e, int depth, am_error *err) {
  const place from = here(r);
  const bool add = !strcmp(s->type, "Add"), concat = !strcmp(s->type, "Concatenate");
  if (!add && !concat && strcmp(s->type, "Multiply") != 0)
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: layer %s (%s) has %d inputs; of layers that join branches only Add, Concatenate, Multiply (squeeze "
        "and excite) and Dot (attention) can be imported",
        r->file, s->name, s->type, e->n_branches);
  am_status status = am_keras_check_keys(r, s, concat ? "axis" : add ? "function" : "", err);
  if (status) return status;
  if (add) return read_sum(r, s, e->branches, e->n_branches, &from, depth, err);
  return concat ? read_parallel(r, s, e, &from, depth, err) : read_squeeze(r, s, e, err);
}

/* ---- a list ---- */

/* Inside a block "add" of ours a layer need not be called "add_conv" again, as export has to call it in Keras, where all names
 * are of one list. */
static const char *inside_name(const reader *r, const char *name) {
  for (size_t n = strlen(r->prefix); n; n--) {
    if (r->prefix[n - 1] != '/') continue;
    size_t i = 0;
    while (i < n && name[i] == (r->prefix[i] == '/' ? '_' : r->prefix[i])) i++;
    if (i == n && name[n]) return name + n;
  }
  return name;
}

/* Unless another one here has that name. */
static const char *name_in(const reader *r, const element *list, const element *of) {
  const char *name = inside_name(r, of->at->s.ours);
  if (name == of->at->s.ours) return name;
  for (const element *e = list; e; e = e->next)
    if (!strcmp(e->at->s.ours, name)) return of->at->s.ours;
  return name;
}

am_status am_keras_read_list(reader *r, const element *list, int depth, am_error *err) {
  am_status status = AM_OK;
  for (const element *e = list; e && !status; e = e->next) {
    source s = e->at->s;
    s.ours = name_in(r, list, e);
    if (e->score || e->n_branches) status = am_keras_check_padded(r, s.type, s.name, err);
    if (status) break;
    if (e->score) status = read_attention(r, e, &s, err);
    else if (e->n_branches) status = read_join(r, &s, e, depth, err);
    else if (e->at->inner) status = am_keras_read_list(r, e->inner, depth, err);
    else status = am_keras_read_layer(r, &s, err);
  }
  return status;
}
