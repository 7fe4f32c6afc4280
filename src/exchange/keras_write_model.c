/* SPDX-License-Identifier: MIT */
/* exchange/keras_write_model.c - all layers of a model of ours as those of a Keras model, in Keras's order.
 *
 * Keras takes weights by the place of a layer, and sorts the layers of a Functional model: those from which the longest way to the
 * output is longest come first; of equal ones the first that a walk from the output meets, which goes down the inputs of each
 * layer in their order before it looks at the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "exchange/keras_write.h"
#include "nn/doubt.h"

typedef am_keras_writer writer;

/* ---- the order ---- */

static void find_depths(writer *w) {
  for (size_t i = w->n_out; i-- > 0;) /* a layer comes after its inputs */
    for (int k = 0; k < w->out[i].n_in; k++) {
      am_keras_out *in = &w->out[w->out[i].inputs[k]];
      if (in->depth <= w->out[i].depth) in->depth = w->out[i].depth + 1;
    }
}

static am_status find_visits(writer *w, am_error *err) {
  typedef struct visit {
    size_t at;
    int next;
  } visit;
  visit *stack = am_tree_take(w->tree, w->n_out, sizeof *stack);
  size_t depth = 0, count = 0;
  if (!stack) return am_no_memory(err);
  stack[depth++] = (visit){w->n_out - 1, 0};
  w->out[w->n_out - 1].visit = ++count;
  while (depth) {
    visit *v = &stack[depth - 1];
    if (v->next == w->out[v->at].n_in) {
      depth--;
      continue;
    }
    const size_t in = w->out[v->at].inputs[v->next++];
    if (w->out[in].visit) continue;
    w->out[in].visit = ++count;
    stack[depth++] = (visit){in, 0};
  }
  return AM_OK;
}

static int by_depth(const void *a, const void *b) {
  const am_keras_out *x = *(am_keras_out *const *)a, *y = *(am_keras_out *const *)b;
  if (x->depth != y->depth) return x->depth > y->depth ? -1 : 1;
  return x->visit < y->visit ? -1 : x->visit > y->visit;
}

/* Sorts the layers, and what their inputs say of them. */
static am_status sort(writer *w, am_error *err) {
  find_depths(w);
  am_status status = find_visits(w, err);
  am_keras_out **sorted = am_tree_take(w->tree, w->n_out, sizeof *sorted);
  am_keras_out *copy = am_tree_take(w->tree, w->n_out, sizeof *copy);
  size_t *place = am_tree_take(w->tree, w->n_out, sizeof *place);
  if (!status && (!sorted || !copy || !place)) status = am_no_memory(err);
  if (status) return status;
  for (size_t i = 0; i < w->n_out; i++) sorted[i] = &w->out[i];
  qsort(sorted, w->n_out, sizeof *sorted, by_depth);
  for (size_t i = 0; i < w->n_out; i++) {
    copy[i] = *sorted[i];
    place[sorted[i] - w->out] = i;
  }
  memcpy(w->out, copy, w->n_out * sizeof *copy);
  for (size_t i = 0; i < w->n_out; i++)
    for (int k = 0; k < w->out[i].n_in; k++) w->out[i].inputs[k] = place[w->out[i].inputs[k]];
  return AM_OK;
}

static am_status name_stores(writer *w, am_error *err) {
  for (size_t i = 0; i < w->n_out; i++) {
    size_t n = 0;
    for (size_t k = 0; k < i; k++) n += !strcmp(w->out[k].class, w->out[i].class);
    w->out[i].store = am_keras_store_name(w->tree, "", w->out[i].class, n);
    if (!w->out[i].store) return am_no_memory(err);
  }
  return AM_OK;
}

/* ---- all layers ---- */

am_status am_keras_write_model(writer *w, am_error *err) {
  bool inside;
  inside = am_model_limited(w->model, &inside) && inside && am_model_ends_in_log(w->model);
  const size_t steps = am_model_steps(w->model), n = steps - inside;
  /* a step gives at most five layers; the input and softmax are none */
  w->most = 5 * steps + 2;
  w->out = am_alloc(w->ctx, w->most, sizeof *w->out);
  am_status status = w->out ? am_tree_create(w->ctx, &w->tree, err) : am_no_memory(err);
  if (status) return status;
  w->at = am_tree_take(w->tree, steps + 1, sizeof *w->at);
  w->flats = am_tree_take(w->tree, steps + 1, sizeof *w->flats);
  if (!w->at || !w->flats) return am_no_memory(err);
  status = am_keras_write_input(w, err);
  for (size_t i = 0; i < n && !status; i++) status = am_keras_write_step(w, &i, err);
  if (!status && w->flat.t > 1 && w->flat.f > 1)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: there is no dense layer after its flatten", w->file);
  if (!status && !inside && !w->values) status = am_keras_write_softmax(w, err);
  if (!status) status = sort(w, err);
  return status ? status : name_stores(w, err);
}

void am_keras_write_free(writer *w) {
  for (size_t i = 0; i < w->n_out; i++) am_buffer_free(w->ctx, &w->out[i].config);
  if (w->out && w->n_out < w->most) am_buffer_free(w->ctx, &w->out[w->n_out].config); /* one that failed */
  am_free(w->ctx, w->out);
  am_tree_free(w->tree);
}

/* ---- the config ---- */

/* [["name", 0, 0, {}], ...]: what a layer is called with, as Keras 2 writes it and Keras 3 still reads it. */
static void write_calls(const writer *w, const am_keras_out *out, am_buffer *to) {
  am_buffer_printf(w->ctx, to, ", \"name\": \"%s\", \"inbound_nodes\": [", out->name);
  for (int i = 0; i < out->n_in; i++)
    am_buffer_printf(w->ctx, to, "%s[\"%s\", 0, 0, {}]", i ? ", " : "[", w->out[out->inputs[i]].name);
  am_buffer_printf(w->ctx, to, "%s]", out->n_in ? "]" : "");
}

/* Names have no letters that JSON would escape.  Model is the one name that a Functional model has in Keras 2.3 to 3; an archive
 * says as well where Keras has its class. */
am_status am_keras_write_config(writer *w, bool archive, am_buffer *to, am_error *err) {
  bool functional = false;
  for (size_t i = 1; i < w->n_out; i++) functional |= w->out[i].n_in != 1;
  am_buffer_printf(w->ctx, to, "{%s\"class_name\": \"%s\", \"config\": {\"name\": \"audiomood\", \"layers\": [",
                   archive ? "\"module\": \"keras\", \"registered_name\": null, " : "",
                   functional ? "Model" : "Sequential");
  for (size_t i = 0; i < w->n_out; i++) {
    const am_keras_out *out = &w->out[i];
    am_buffer_printf(w->ctx, to,
                     "%s{\"module\": \"keras.layers\", \"class_name\": \"%s\", \"registered_name\": null, "
                     "\"config\": %s",
                     i ? ", " : "", out->class, out->config.data);
    if (functional) write_calls(w, out, to);
    am_buffer_printf(w->ctx, to, "}");
  }
  am_buffer_printf(w->ctx, to, "]");
  if (functional)
    am_buffer_printf(w->ctx, to, ", \"input_layers\": [[\"%s\", 0, 0]], \"output_layers\": [[\"%s\", 0, 0]]",
                     w->out[0].name, w->out[w->n_out - 1].name);
  am_buffer_printf(w->ctx, to, "}}");
  return to->failed ? am_no_memory(err) : AM_OK;
}

/* ---- weights ---- */

static bool find_array(const writer *w, const am_layer *layer, const am_keras_array *a, am_array_info *info,
                       const am_real **at) {
  size_t n = strlen(layer->name);
  size_t count = a->statistic ? am_model_statistic_count(w->model) : am_model_weight_count(w->model);
  for (size_t i = 0; i < count; i++) {
    *info = a->statistic ? *am_model_statistic_info(w->model, i) : *am_model_weight_info(w->model, i);
    if (strncmp(info->name, layer->name, n) || info->name[n] != '/' || strcmp(info->name + n + 1, a->ours)) continue;
    *at = (a->statistic ? am_model_statistics(w->model, NULL) : am_model_weights(w->model, NULL)) + info->offset;
    return true;
  }
  return false;
}

static am_status write_array(const writer *w, const am_keras_out *out, const am_keras_array *a, am_h5 *h5,
                             const char *path, am_error *err) {
  am_array_info info;
  const am_real *from;
  if (!find_array(w, out->layer, a, &info, &from))
    return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s): an array of its is missing", w->file, out->layer->name,
                   out->layer->cls->type);
  size_t dims[4] = {0};
  for (int i = 0; i < info.rank; i++) dims[i] = (size_t)info.dims[i];
  int t = 1, f = 1;
  if (info.rank == 4 && w->turned) {
    t = info.dims[0], f = info.dims[1];
    dims[0] = (size_t)f, dims[1] = (size_t)t;
  } else if (out->flat.t && strcmp(a->keras, "bias")) {
    t = out->flat.t, f = out->flat.f;
  }
  float *turned = am_alloc_aligned(w->ctx, am_mul(info.count, sizeof *turned));
  am_status status = turned ? AM_OK : am_no_memory(err);
  if (!status) {
    am_keras_turn(from, t, f, info.count / ((size_t)t * (size_t)f), turned);
    status = am_h5_write(h5, path, AM_H5_F32, info.rank, dims, turned, err);
  }
  am_free_aligned(w->ctx, turned);
  return status;
}

/* Each part of a layer has a group of variables, be there any or none. */
static am_status write_groups(const writer *w, const am_keras_out *out, const char *part, am_h5 *h5, am_error *err) {
  am_status status = AM_OK;
  for (size_t n = 0; n <= strlen(part) && !status; n++) {
    if (n && part[n - 1] != '/') continue;
    char *group = am_format(w->ctx, "%s/%.*svars", out->store, (int)n, part);
    status = group ? am_h5_group(h5, group, err) : am_no_memory(err);
    am_free(w->ctx, group);
  }
  return status;
}

static am_status write_stored(const writer *w, const am_keras_out *out, am_h5 *h5, am_error *err) {
  am_status status = out->n_arrays ? AM_OK : write_groups(w, out, "", h5, err);
  for (int i = 0; i < out->n_arrays && !status; i++) {
    const am_keras_array *a = &out->arrays[i];
    char *path = am_format(w->ctx, "%s/%svars/%d", out->store, a->part, a->number);
    status = path ? write_groups(w, out, a->part, h5, err) : am_no_memory(err);
    if (!status) status = write_array(w, out, a, h5, path, err);
    am_free(w->ctx, path);
  }
  return status;
}

/* The arrays of a layer and their names, all "<layer>/<cell><array>:0". */
static am_status write_named(const writer *w, const am_keras_out *out, am_h5 *h5, am_error *err) {
  char *saved[AM_KERAS_ARRAYS] = {NULL}, *group = am_format(w->ctx, "model_weights/%s", out->name);
  const int n = out->n_arrays;
  am_status status = group ? am_h5_group(h5, group, err) : am_no_memory(err);
  for (int i = 0; i < n && !status; i++) {
    const am_keras_array *a = &out->arrays[i];
    saved[i] = am_format(w->ctx, "%s/%s%s:0", out->name, out->cells ? out->cells[2 * i / n] : "", a->keras);
    char *path = saved[i] ? am_format(w->ctx, "%s/%s", group, saved[i]) : NULL;
    status = path ? write_array(w, out, a, h5, path, err) : am_no_memory(err);
    am_free(w->ctx, path);
  }
  if (!status) status = am_h5_set_texts(h5, group, "weight_names", (const char *const *)saved, (size_t)n, err);
  for (int i = 0; i < n; i++) am_free(w->ctx, saved[i]);
  am_free(w->ctx, group);
  return status;
}

am_status am_keras_write_weights(writer *w, am_h5 *h5, bool archive, am_error *err) {
  const char **names = am_tree_take(w->tree, w->n_out, sizeof *names);
  am_status status = names ? AM_OK : am_no_memory(err);
  if (!status) status = am_h5_group(h5, archive ? "vars" : "model_weights", err);
  for (size_t i = 0; i < w->n_out && !status; i++) {
    names[i] = w->out[i].name;
    status = archive ? write_stored(w, &w->out[i], h5, err) : write_named(w, &w->out[i], h5, err);
  }
  if (status || archive) return status;
  /* an InputLayer has no weights, and Keras 2 leaves it out as well as not */
  return am_h5_set_texts(h5, "model_weights", "layer_names", names + 1, w->n_out - 1, err);
}
