/* SPDX-License-Identifier: MIT */
/* exchange/keras_read_recurrent.c - LSTM and GRU of a Keras model, in one direction or in both. */
#include <stdio.h>
#include <string.h>

#include "exchange/keras_read.h"

typedef am_keras_reader reader;
typedef am_keras_source source;

/* CuDNNLSTM and CuDNNGRU have no options but those of the kernels that they are named after. */
static bool is_cudnn(const source *cell) { return !strncmp(cell->type, "CuDNN", 5); }

static bool is_gru(const source *cell) { return strstr(cell->type, "GRU") != NULL; }

/* The arrays of one direction, which the layer or, of an archive, a part of it has. */
static void add_arrays(am_keras_layer *l, const char *part, bool back, bool bias) {
  am_keras_array_add(l, part, "kernel", back ? "backward_kernel" : "kernel", false);
  am_keras_array_add(l, part, "recurrent_kernel", back ? "backward_recurrent_kernel" : "recurrent_kernel", false);
  if (bias) am_keras_array_add(l, part, "bias", back ? "backward_bias" : "bias", false);
}

/* tanh and sigmoid, as our kernels have them. */
static am_status check_activations(reader *r, const source *cell, am_error *err) {
  const char *activation = "tanh", *gate = am_keras_text(am_value_get(cell->config, "recurrent_activation"));
  am_status status = AM_OK;
  if (am_value_get(cell->config, "activation")) status = am_keras_activation(r, cell, &activation, err);
  if (!status && strcmp(activation, "tanh")) status = am_keras_refuse(r, cell, "activation", "tanh", err);
  if (!status && gate && strcmp(gate, "sigmoid"))
    status = am_keras_refuse(r, cell, "recurrent_activation", "sigmoid", err);
  return status;
}

static am_status read_as(reader *r, const source *s, const source *cell, bool both, am_error *err) {
  /* what a GRU was before it had the option, of Keras 2.1 and earlier */
  bool gru = is_gru(cell), sequence, bias, after = is_cudnn(cell);
  int64_t units = 0;
  am_keras_layer *l = NULL;
  am_status status = am_keras_need_rank(r, s, 2, err);
  if (!status) status = am_keras_int(r, cell, "units", &units, err);
  if (!status) status = am_keras_bool(r, cell, "return_sequences", false, &sequence, err);
  if (!status) status = am_keras_bool(r, cell, "use_bias", true, &bias, err);
  if (!status && gru) status = am_keras_bool(r, cell, "reset_after", after, &after, err);
  if (!status) status = check_activations(r, cell, err);
  if (!status) status = am_keras_record(r, s, NULL, &l, err);
  if (status) return status;
  l->cudnn = is_cudnn(cell);
  add_arrays(l, both ? "forward_layer/cell/" : "cell/", false, bias);
  if (both) add_arrays(l, "backward_layer/cell/", true, bias);
  am_keras_begin(r, s, gru ? "gru" : "lstm");
  am_json_int(&r->json, "units", units);
  am_json_bool(&r->json, "bidirectional", both);
  am_json_text(&r->json, "return", sequence ? "sequence" : "last");
  if (gru) am_json_bool(&r->json, "reset_after", after);
  am_keras_end(r);
  am_keras_made(r, s, "");
  r->rank = sequence ? 2 : 1;
  return AM_OK;
}

am_status am_keras_read_recurrent(reader *r, const source *s, am_error *err) { return read_as(r, s, s, false, err); }

/* The layer inside a Bidirectional. */
static am_status find_cell(reader *r, const source *s, const char *key, source *cell, am_error *err) {
  const am_value *layer = am_value_get(s->config, key);
  *cell = (source){.type = am_keras_text(am_value_get(layer, "class_name")),
                   .name = s->name,
                   .ours = s->ours,
                   .config = am_value_get(layer, "config")};
  if (cell->type && am_choice_index("LSTM|GRU|CuDNNLSTM|CuDNNGRU", cell->type) >= 0) return AM_OK;
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (Bidirectional) holds %s; only LSTM and GRU can be imported",
                 r->file, s->name, cell->type ? cell->type : "no layer");
}

/* Keras 3 writes the layer that runs backward, too: the same but for its direction, or another one that its user chose. */
static am_status check_backward(reader *r, const source *s, const source *cell, am_error *err) {
  static const char *const same[] = {"units",    "activation",       "recurrent_activation",
                                     "use_bias", "return_sequences", "reset_after"};
  source backward;
  am_status status = find_cell(r, s, "backward_layer", &backward, err);
  if (status) return status;
  const char *differs = strcmp(backward.type, cell->type) != 0 ? "class_name" : NULL;
  if (!am_keras_is(am_value_get(backward.config, "go_backwards"), "true")) differs = "go_backwards";
  for (size_t i = 0; i < sizeof same / sizeof *same && !differs; i++) {
    const am_value *a = am_value_get(cell->config, same[i]), *b = am_value_get(backward.config, same[i]);
    if (a && b ? !am_value_equal(a, b) : a != b) differs = same[i];
  }
  if (differs)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (Bidirectional): option backward_layer is not its layer run backward (%s differs)",
                   r->file, s->name, differs);
  char options[256];
  snprintf(options, sizeof options, "%s|go_backwards", am_keras_options(backward.type));
  return am_keras_check_keys(r, &backward, options, err);
}

/* Our two directions stand side by side.  Their sum or mean is a product with two unit matrices, in which nothing is rounded. */
static am_status merge_directions(reader *r, const source *s, const source *cell, float weight, am_error *err) {
  am_keras_layer *l = NULL;
  int64_t units = 0;
  source dense = *s;
  dense.ours = am_keras_join(r->model->tree, s->ours, "_merge", "");
  am_status status = dense.ours ? am_keras_int(r, cell, "units", &units, err) : am_no_memory(err);
  if (!status) status = am_keras_record(r, &dense, NULL, &l, err);
  if (status) return status;
  l->merge = weight;
  am_keras_begin(r, &dense, "dense");
  am_json_int(&r->json, "units", units);
  am_json_bool(&r->json, "bias", false);
  am_keras_end(r);
  return AM_OK;
}

/* Their product is that of the two halves of the channels. */
static am_status multiply_directions(reader *r, const source *s, am_error *err) {
  source glu = *s;
  glu.ours = am_keras_join(r->model->tree, s->ours, "_merge", "");
  if (!glu.ours) return am_no_memory(err);
  am_keras_begin(r, &glu, "glu");
  am_json_text(&r->json, "gate", "none");
  am_keras_end(r);
  return AM_OK;
}

am_status am_keras_read_bidirectional(reader *r, const source *s, am_error *err) {
  source cell;
  const am_value *backward = am_value_get(s->config, "backward_layer"), *merge = am_value_get(s->config, "merge_mode");
  am_status status = find_cell(r, s, "layer", &cell, err);
  if (!status) status = am_keras_check_keys(r, &cell, am_keras_options(cell.type), err);
  if (!status && backward && backward->kind != AM_NULL) status = check_backward(r, s, &cell, err);
  const bool sum = am_keras_is(merge, "sum"), mean = am_keras_is(merge, "ave"), product = am_keras_is(merge, "mul");
  if (!status && merge && !sum && !mean && !product && !am_keras_is(merge, "concat"))
    status = am_keras_refuse(r, s, "merge_mode", "concat, sum, mul or ave", err);
  if (!status) status = read_as(r, s, &cell, true, err);
  if (!status && product) return multiply_directions(r, s, err);
  return status || (!sum && !mean) ? status : merge_directions(r, s, &cell, sum ? 1 : 0.5f, err);
}
