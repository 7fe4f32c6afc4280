/* SPDX-License-Identifier: MIT */
/* exchange/onnx_import.c - an ONNX model and a features config become a checkpoint. */
#include "exchange/onnx_import.h"

#include <ctype.h>
#include <string.h>

#include "exchange/onnx_import_own.h"
#include "exchange/onnx_read_expression.h"
#include "io/json.h"
#include "nn/doubt.h"

typedef struct job {
  am_import is;
  am_onnx_model *model;
  am_onnx_reader reader;
  int layout;
  int fixed, bins;         /* of the features */
  const am_onnx_value *in; /* the features' input */
  int batch, time, mel;    /* its axes; mel -1: frames and bins are one axis */
  bool mel_outside;        /* of one axis: bins before frames */
} job;

/* ---- the input ---- */

static bool is_initialiser(const am_onnx_graph *g, const char *name) {
  return am_onnx_initialiser_find(g, name) != NULL;
}

static bool is_real(int type) {
  return type == AM_ONNX_FLOAT || type == AM_ONNX_DOUBLE || type == AM_ONNX_FLOAT16 || type == AM_ONNX_BFLOAT16;
}

static am_status find_input(job *j, am_error *err) {
  const am_onnx_graph *g = &j->model->graph;
  for (size_t i = 0; i < g->n_inputs; i++) {
    const am_onnx_value *v = &g->inputs[i];
    if (is_initialiser(g, v->name) || !is_real(v->type)) continue;
    if (j->in)
      return am_fail(
          err, AM_E_UNSUPPORTED,
          "%s: it has several inputs of floating-point numbers (\"%.100s\", \"%.100s\"); only models of one input can "
          "be imported, beside the lengths of clips",
          j->is.file, j->in->name, v->name);
    j->in = v;
  }
  if (!j->in) return am_fail(err, AM_E_UNSUPPORTED, "%s: it has no input of floating-point numbers", j->is.file);
  if (j->in->rank >= 2 && j->in->rank <= 4) return AM_OK;
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: its input \"%.100s\" has %d axes; wanted 2 to 4: batch, frames and bins in any order, and one channel",
      j->is.file, j->in->name, j->in->rank);
}

/* "batch", "batch_size", "N": names that exporters and people give the batch. */
static bool says_batch(const char *symbol) {
  if (!symbol) return false;
  for (const char *at = symbol; *at; at++)
    if (!strncasecmp(at, "batch", 5)) return true;
  return !strcmp(symbol, "N") || !strcmp(symbol, "B");
}

static am_status ask_layout(const job *j, am_error *err) {
  return am_fail(
      err, AM_E_CONFIG,
      "%s: which axes of its input \"%.100s\" are frames and bins (%d) cannot be told; set the option layout to "
      "mel_time, time_mel or frames_first",
      j->is.file, j->in->name, j->bins);
}

/* Two axes of which one is bins: by the option, by which is not fixed, by size. */
static am_status tell_apart(job *j, int first, int second, am_error *err) {
  const int64_t a = j->in->dims[first], b = j->in->dims[second];
  const bool a_fits = a < 0 || a == j->bins, b_fits = b < 0 || b == j->bins;
  bool mel_first;
  if (j->layout == AM_ONNX_MEL_TIME) mel_first = true;
  else if (j->layout == AM_ONNX_TIME_MEL || j->layout == AM_ONNX_FRAMES_FIRST) mel_first = false;
  else if ((a < 0) != (b < 0) && (a < 0 ? b_fits : a_fits)) mel_first = b < 0;
  else if ((a < 0) == (b < 0) && a_fits != b_fits) mel_first = a_fits;
  else if (a_fits && b_fits) return ask_layout(j, err);
  else
    return am_fail(err, AM_E_SHAPE,
                   "%s: its input \"%.100s\" has axes of %lld and %lld, and the features of %s have %d bins",
                   j->is.file, j->in->name, (long long)a, (long long)b, j->is.source->config, j->bins);
  j->mel = mel_first ? first : second;
  j->time = mel_first ? second : first;
  if (j->in->dims[j->mel] < 0 || j->in->dims[j->mel] == j->bins) return AM_OK;
  return am_fail(err, AM_E_SHAPE, "%s wants %lld bins a frame, the features of %s have %d; is the option layout right?",
                 j->is.file, (long long)j->in->dims[j->mel], j->is.source->config, j->bins);
}

static am_status find_axes(job *j, am_error *err) {
  const am_onnx_value *in = j->in;
  int others[AM_ONNX_RANK], n = 0;
  const bool frames_first =
      j->layout == AM_ONNX_FRAMES_FIRST || (j->layout == AM_ONNX_AUTO && in->rank == 3 && says_batch(in->symbols[1]) &&
                                            in->dims[1] < 0 && !says_batch(in->symbols[0]));
  j->batch = frames_first ? 1 : 0;
  if (frames_first && in->rank != 3) return ask_layout(j, err);
  for (int i = 0; i < in->rank; i++)
    if (i != j->batch && (in->dims[i] != 1 || in->rank < 4)) others[n++] = i;
  if (in->rank == 2) {
    j->time = 1;
    j->mel = -1;
    j->mel_outside = j->layout == AM_ONNX_MEL_TIME;
    return AM_OK;
  }
  if (n == 2)
    return frames_first ? (j->layout = AM_ONNX_FRAMES_FIRST, tell_apart(j, others[0], others[1], err))
                        : tell_apart(j, others[0], others[1], err);
  if (n != 3)
    return am_fail(err, AM_E_UNSUPPORTED, "%s: its input \"%.100s\" has %d axes of size 1; wanted frames and bins",
                   j->is.file, in->name, in->rank - n - 1);
  if (in->dims[1] < 0 && in->dims[2] > 0 && in->dims[3] > 0)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: its input \"%.100s\" has channels beside frames and bins; features have one", j->is.file,
                   in->name);
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: its input \"%.100s\" has %lld channels beside frames and bins; features have one", j->is.file,
                 in->name, (long long)in->dims[in->dims[3] > 0 && in->dims[3] < in->dims[1] ? 3 : 1]);
}

static am_status choose_frames(job *j, am_error *err) {
  int64_t wanted = j->in->dims[j->time];
  if (j->mel < 0) {
    if (wanted < 0 || !j->fixed || wanted != (int64_t)j->fixed * j->bins)
      return am_fail(err, AM_E_SHAPE, "%s wants %lld numbers a clip, the features of %s have %d frames of %d",
                     j->is.file, (long long)wanted, j->is.source->config, j->fixed, j->bins);
    wanted = j->fixed;
  }
  if (wanted == 0 || wanted > INT32_MAX)
    return am_fail(err, AM_E_FORMAT, "%s: its input \"%.100s\" has an axis of %lld", j->is.file, j->in->name,
                   (long long)wanted);
  return am_import_frames(&j->is, wanted, j->fixed, err);
}

/* Sizes for which shapes are computed. */
static am_status give_input(job *j) {
  static const int64_t batches[AM_ONNX_PROBES] = {3, 5, 7};
  am_onnx_reader *r = &j->reader;
  const int64_t t = j->is.input.t, given = j->in->dims[j->batch];
  int64_t frames[AM_ONNX_PROBES] = {t, t > 1 ? t - 1 : 1, t - t / 3}, batch[AM_ONNX_PROBES];
  am_onnx_thing x = {.is = AM_ONNX_IS_CLIP, .n_axes = j->in->rank, .picked = -1};
  am_onnx_axis b, time, mel;
  for (int p = 0; p < AM_ONNX_PROBES; p++) {
    batch[p] = given > 0 ? given : batches[p];
    if (!j->is.input.variable) frames[p] = t;
  }
  am_onnx_made *made = am_tree_take(r->tree, 1, sizeof *made);
  if (!made || !am_onnx_axis_of(r, batch, &b) || !am_onnx_axis_of(r, frames, &time) ||
      !am_onnx_axis_fixed(r, j->bins, &mel))
    return am_onnx_no_memory(r);
  r->batch = b.n ? b.at[0] : -1;
  *made = (am_onnx_made){.step = -1, .t = time, .f = mel};
  r->made[0] = made;
  x.axes[j->batch] = b;
  x.axes[j->time] = time;
  if (j->mel >= 0) x.axes[j->mel] = mel;
  else {
    x.axes[1] = j->mel_outside ? mel : time;
    if (!am_onnx_axis_add(&x.axes[1], j->mel_outside ? &time : &mel)) return am_onnx_no_memory(r);
  }
  x.expression = am_onnx_expression_of(r, 0);
  return x.expression < 0 ? AM_E_NOMEM : am_onnx_give(r, j->in->name, &x);
}

/* Lengths of clips: that of a clip alone. */
static am_status give_lengths(job *j, const am_onnx_value *v) {
  am_onnx_reader *r = &j->reader;
  am_onnx_known *k = am_onnx_known_new(r, AM_KNOWN_INT, v->rank, false);
  const am_onnx_axis *time = &r->made[0]->t;
  for (int p = 0; k && p < AM_ONNX_PROBES; p++) {
    am_onnx_axis b = {.n = r->batch >= 0, .at = {r->batch}};
    if (v->rank > 0) k->dims[p][0] = am_onnx_size(r, &b, p);
    am_status status = am_onnx_known_room(r, k, p);
    if (status) return status;
    for (size_t i = 0; i < k->count[p]; i++) k->at[p][i] = (double)am_onnx_size(r, time, p);
  }
  if (!k) return AM_E_NOMEM;
  am_onnx_thing thing = {.is = AM_ONNX_IS_KNOWN, .known = k};
  return am_onnx_give(r, v->name, &thing);
}

static am_status give_inputs(job *j) {
  const am_onnx_graph *g = &j->model->graph;
  am_status status = give_input(j);
  for (size_t i = 0; i < g->n_inputs && !status; i++) {
    const am_onnx_value *v = &g->inputs[i];
    const bool lengths = (v->type == AM_ONNX_INT64 || v->type == AM_ONNX_INT32) && v->rank >= 0 && v->rank <= 1;
    if (v != j->in && lengths && !is_initialiser(g, v->name)) status = give_lengths(j, v);
  }
  return status;
}

/* ---- the output ---- */

/* The first output of numbers: others are left out. */
static const am_onnx_value *find_output(const job *j) {
  const am_onnx_graph *g = &j->model->graph;
  const am_onnx_value *first = NULL;
  for (size_t i = 0; i < g->n_outputs; i++) {
    const am_onnx_value *v = &g->outputs[i];
    if (v->type && !is_real(v->type)) continue;
    if (!first || (first->rank != 2 && v->rank == 2)) first = v;
  }
  for (size_t i = 0; first && i < g->n_outputs; i++)
    if (&g->outputs[i] != first)
      am_log(j->is.ctx, AM_LOG_INFO, "%s: its output \"%.100s\" is left out; \"%.100s\" is taken for the answer",
             j->is.file, g->outputs[i].name, first->name);
  return first;
}

/* The vector of the labels, in the model's order. */
static int settle_output(am_onnx_reader *r, const am_onnx_thing *out) {
  int tensor = am_onnx_settle(r, out);
  am_onnx_axis all = {0};
  for (int i = 0; i < out->n_axes && tensor >= 0; i++) {
    am_onnx_axis own = out->axes[i];
    am_onnx_whole(r, &own);
    if (own.n == 1 && own.at[0] == r->batch) continue;
    if (am_onnx_has(&own, r->batch) || !am_onnx_axis_add(&all, &own)) tensor = -2;
  }
  if (tensor >= 0 && r->made[tensor]->rank != 1) {
    if (r->made[tensor]->t.n) tensor = -2;
    else tensor = am_onnx_as_flat(r, tensor);
  }
  if (tensor >= 0 && !am_onnx_same_factors(r, &all, &r->made[tensor]->c)) tensor = -2;
  if (tensor == -2)
    am_onnx_refuse(r, AM_E_UNSUPPORTED, "the model's output is not one number for each label of a clip");
  if (tensor < 0) return -1;
  const int64_t *at = am_onnx_places(r, &r->made[tensor]->c, &all), n = am_onnx_size(r, &all, 0);
  for (int64_t i = 0; at && i < n; i++)
    if (at[i] != i) {
      am_onnx_refuse(r, AM_E_UNSUPPORTED, "the model's output is not one number for each label of a clip");
      return -1;
    }
  return at ? tensor : -1;
}

/* The loss and predictions lay a softmax over the output: logarithms of a softmax at the end are that softmax, and a softmax further in
 * is taken back by its logarithm. */
static int finish(am_onnx_reader *r, int tensor) {
  const am_onnx_step *last = tensor ? r->steps[r->made[tensor]->step] : NULL;
  if (last && !strcmp(last->type, "log_probabilities")) {
    const am_onnx_step *before = last->in[0] ? r->steps[r->made[last->in[0]]->step] : NULL;
    return before && !strcmp(before->type, "softmax") ? last->in[0] : tensor;
  }
  if (!last || !strcmp(last->type, "softmax") || !am_onnx_makes_probabilities(r, tensor)) return tensor;
  am_onnx_step *s = am_onnx_step_new(r, "log_probabilities", tensor);
  return s && am_onnx_step_makes(r, s) ? s->out : -1;
}

static am_status read_layers(job *j, am_value **layers, int64_t *units, am_error *err) {
  am_onnx_reader *r = &j->reader;
  am_onnx_thing out = {0};
  const am_onnx_value *output = find_output(j);
  if (!output) return am_fail(err, AM_E_UNSUPPORTED, "%s: it has no output of floating-point numbers", j->is.file);
  am_status status = am_onnx_begin_graph(r);
  if (!status) status = give_inputs(j);
  if (!status) status = am_onnx_read_graph(r, output->name, &out);
  if (status) return status;
  int tensor = settle_output(r, &out);
  if (tensor >= 0) tensor = finish(r, tensor);
  if (tensor < 0) return err->status ? err->status : AM_E_NOMEM;
  *units = am_onnx_size(r, &r->made[tensor]->c, 0);
  return am_onnx_emit(r, tensor, layers);
}

/* ---- the model ---- */

static am_status take_weights(job *j, am_error *err) {
  const am_onnx_reader *r = &j->reader;
  am_import_begin_weights(&j->is);
  for (size_t i = 0; i < r->n_steps; i++) {
    const am_onnx_step *s = r->steps[i];
    for (int k = 0; k < s->n_arrays && s->written && s->path; k++) {
      const am_onnx_array *a = &s->arrays[k];
      const bool side = !strcmp(a->name, "kernel") && strstr(s->path, "/projection");
      am_array_info info;
      am_real *to;
      bool fits = am_import_array(&j->is, s->path, a->name, a->statistic, &info, &to) && info.count == a->count;
      for (int d = 0; d < a->rank && fits && !side; d++) fits = info.rank == a->rank && info.dims[d] == a->dims[d];
      if (!fits)
        return am_fail(err, AM_E_SHAPE, "%s: layer %s has no %s of this shape here", j->is.file, s->path, a->name);
      for (size_t n = 0; n < a->count; n++) to[n] = (am_real)a->at[n];
    }
  }
  return AM_OK;
}

static am_status make_model(job *j, am_error *err) {
  am_error why = AM_ERROR_INIT;
  size_t numbers = 65536;
  bool distribution;
  for (size_t i = 0; i < j->reader.n_steps; i++)
    for (int k = 0; k < j->reader.steps[i]->n_arrays && j->reader.steps[i]->written; k++)
      numbers = am_add(numbers, am_mul(2, j->reader.steps[i]->arrays[k].count));
  am_status status = am_model_create_within(j->is.ctx, j->is.config->layers, j->is.input, (int)j->is.classes, numbers,
                                            &j->is.model, &why);
  if (status) return am_fail(err, status, "%s: %s", j->is.file, why.message);
  const am_layer *by = am_model_limited(j->is.model, &distribution);
  if (by && !am_model_ends_in_log(j->is.model))
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: the model ends in %s (layer %s); wanted softmax, or logits without an activation", j->is.file,
                   by->cls->type, by->name);
  if (by && !distribution)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s makes probabilities (softmax), and after it they no longer sum to 1 over the labels",
                   j->is.file, by->name);
  am_status taken = take_weights(j, err);
  return taken || !am_import_tells_values(&j->is) ? taken : am_import_from_scale(&j->is, err);
}

static am_status layers_text(job *j, const am_value *layers, am_buffer *text) {
  am_json json = am_json_begin(j->is.ctx, text, 0);
  am_json_value(&json, NULL, layers);
  return text->failed ? am_no_memory(j->reader.err) : AM_OK;
}

/* ---- what our own export says ---- */

static am_status read_own(job *j, am_error *err) {
  const char *licence = am_onnx_prop_find(j->model, "licence"), *credit = am_onnx_prop_find(j->model, "attribution");
  if (strcmp(j->model->producer, "audiomood") != 0) return AM_OK;
  if (licence && !(j->is.credit.licence = am_strdup(j->is.ctx, licence))) return am_no_memory(err);
  if (credit && !(j->is.credit.attribution = am_strdup(j->is.ctx, credit))) return am_no_memory(err);
  const char *is = am_onnx_prop_find(j->model, "input_is");
  if (is && !strcmp(is, "samples"))
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: its input are samples, and the features are made by the graph; import a model that was exported "
        "without features",
        j->is.file);
  return AM_OK;
}

/* ---- all ---- */

static am_status begin_graph(job *j, am_error *err) {
  am_onnx_reader *r = &j->reader;
  am_status status = am_tree_create(j->is.ctx, &r->tree, err);
  if (!status) status = am_import_config(&j->is, "[{\"dense\": {\"units\": 2}}]", err); /* for its features */
  if (!status) status = am_import_features(&j->is, &j->fixed, &j->bins, err);
  if (!status) status = find_input(j, err);
  if (!status) status = find_axes(j, err);
  if (!status) status = choose_frames(j, err);
  if (status) return status;
  r->import = &j->is;
  r->model = j->model;
  r->err = err;
  size_t numbers = 0;
  for (size_t i = 0; i < j->model->graph.n_initialisers; i++)
    if (j->model->graph.initialisers[i].data) numbers = am_add(numbers, j->model->graph.initialisers[i].count);
  r->budget = am_add((size_t)1 << 18, am_mul(4, numbers));
  r->made = am_tree_take(r->tree, AM_ONNX_STEPS + 1, sizeof *r->made);
  r->steps = am_tree_take(r->tree, AM_ONNX_STEPS, sizeof *r->steps);
  return r->made && r->steps ? AM_OK : am_no_memory(err);
}

static am_status read_any(job *j, am_error *err) {
  am_value *layers = NULL;
  am_buffer text = {0};
  int64_t units = 0;
  am_status status = begin_graph(j, err);
  if (!status) status = read_layers(j, &layers, &units, err);
  if (!status) status = layers_text(j, layers, &text);
  if (!status) status = am_import_config(&j->is, text.data, err);
  am_buffer_free(j->is.ctx, &text);
  if (!status) status = am_import_labels(&j->is, units, err);
  if (status) return status;
  const bool map = j->reader.made[0]->rank == 3;
  j->is.input.rank = map ? 3 : 2;
  j->is.input.f = map ? j->bins : 1;
  j->is.input.c = map ? 1 : j->bins;
  return make_model(j, err);
}

static am_status convert(job *j, const char *out, am_error *err) {
  am_status status = am_onnx_read(j->is.ctx, j->is.file, &j->model, err);
  if (!status) status = read_own(j, err);
  if (!status) status = am_onnx_is_own(j->model) ? am_onnx_import_own(&j->is, j->model, err) : read_any(j, err);
  return status ? status : am_import_save(&j->is, out, err);
}

am_status am_onnx_import(am_context *ctx, const char *file, const am_import_source *source,
                         const am_exchange_options *options, const char *out, am_error *err) {
  am_error own = AM_ERROR_INIT;
  job *j = am_alloc(ctx, 1, sizeof *j);
  if (!j) return am_no_memory(err);
  *j = (job){.is = {.ctx = ctx, .file = file, .program = "ONNX", .source = source}, .layout = options->layout};
  am_error *why = err ? err : &own;
  am_status status = convert(j, out, why);
  /* The graph's own functions say where it ended; why is in the error. */
  if (status) status = why->status ? why->status : am_no_memory(why);
  am_free(ctx, j->reader.factors);
  am_free(ctx, j->reader.expressions);
  am_free(ctx, j->reader.outside);
  am_tree_free(j->reader.tree);
  am_onnx_free(j->model);
  am_import_free(&j->is);
  am_free(ctx, j);
  return status;
}
