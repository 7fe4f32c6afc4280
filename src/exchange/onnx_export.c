/* SPDX-License-Identifier: MIT */
/* exchange/onnx_export.c - checkpoints become one graph of ONNX: inputs, models, what makes one of them, and what is said of
 * it all in its metadata. */
#include "exchange/onnx.h"

#include <math.h>
#include <string.h>

#include "exchange/onnx_write.h"
#include "io/json.h"
#include "model/fusion.h"

enum { MOST_CHECKPOINTS = 256 };

/* What models hear the same features by. */
typedef struct source {
  uint64_t key;
  am_shape shape;
  bool outside; /* normalised by whoever calls */
  const am_checkpoint *of;
  const char *name, *lengths; /* inputs; lengths NULL: there are none */
  const char *features, *frames;
} source;

typedef struct exporter {
  am_context *ctx;
  const am_exchange_options *options;
  am_onnx_model *m;
  am_tree *tree;
  am_checkpoint *all[MOST_CHECKPOINTS];
  const char *const *files;
  size_t n;
  source *sources;
  size_t n_sources, room;
  double rate; /* with features; 0: none yet */
} exporter;

/* ---- inputs ---- */

static void add_input(exporter *e, const char *name, am_onnx_type type, am_shape s, const char *doc) {
  am_onnx_value v = {.name = name, .type = type, .rank = s.rank + 1, .doc = doc};
  for (int i = 0; i < AM_ONNX_RANK; i++) v.dims[i] = -1;
  v.symbols[0] = "batch";
  if (s.rank > 1) v.dims[1] = s.variable ? -1 : s.t;
  if (s.rank > 1 && s.variable)
    v.symbols[1] = am_onnx_text(e->m, "frames%s", strchr(name, '_') ? strchr(name, '_') : "");
  if (s.rank == 3) v.dims[2] = s.f;
  if (s.rank > 0) v.dims[s.rank] = s.c;
  am_onnx_input(e->m, &v);
}

/* Of which models features are the same: options, the longest clip, and who normalises. */
static source *find_source(exporter *e, const am_checkpoint *c, bool outside) {
  const uint64_t key = am_feature_key(&c->config->features);
  for (size_t i = 0; i < e->n_sources; i++) {
    source *s = &e->sources[i];
    if (s->key == key && s->outside == outside && s->shape.t == c->input.t && s->shape.f == c->input.f &&
        s->shape.c == c->input.c && s->shape.rank == c->input.rank)
      return s;
  }
  if (am_grow(e->ctx, &e->sources, &e->room, e->n_sources + 1, sizeof *e->sources, NULL)) {
    e->m->failed = true;
    return NULL;
  }
  source *s = &e->sources[e->n_sources++];
  *s = (source){.key = key, .shape = c->input, .outside = outside, .of = c};
  return s;
}

static bool is_outside(const exporter *e, const am_checkpoint *c) {
  return c->normaliser.kind == AM_NORMALISE_SPEAKER ||
         (!e->options->with_features && e->options->normalise == AM_ONNX_OUTSIDE);
}

/* What of a checkpoint is asked: itself, or its members with a weight. */
typedef am_status member_fn(exporter *e, size_t i, am_checkpoint *c, double weight, am_error *err);

static const am_fusion_set *set_of(const exporter *e, const am_checkpoint *c) {
  return am_checkpoint_set_for(c, e->options->voice == AM_ONNX_KNOWN && c->known);
}

static am_status each_member(exporter *e, size_t i, member_fn *fn, am_error *err) {
  am_checkpoint *c = e->all[i];
  if (!c->n_members) return fn(e, i, c, 1, err);
  am_status status = AM_OK;
  for (size_t k = 0; k < c->n_members && !status; k++)
    if (set_of(e, c)->weights[k] > 0) status = fn(e, i, c->members[k], set_of(e, c)->weights[k], err);
  return status;
}

static am_status note_source(exporter *e, size_t i, am_checkpoint *c, double weight, am_error *err) {
  const am_feature_options *o = &c->config->features;
  (void)weight;
  if (e->options->with_features) {
    const char *why = am_onnx_features_refused(o);
    if (!why && c->normaliser.kind == AM_NORMALISE_SPEAKER)
      why = "normalise is speaker, whose statistics are of a voice that the file does not know";
    if (why)
      return am_fail(err, AM_E_UNSUPPORTED,
                     "%s: %s: its features have no place in a graph: %s; export it without them (option "
                     "with-features), and compute them beforehand",
                     e->files[i], c->config->name, why);
    if (e->rate > 0 && e->rate != o->sample_rate)
      return am_fail(err, AM_E_UNSUPPORTED,
                     "%s: its models hear sounds at %g and %g Hz, and a graph with features has one input; export it "
                     "without them (option with-features)",
                     e->files[i], e->rate, o->sample_rate);
    e->rate = o->sample_rate;
  }
  find_source(e, c, is_outside(e, c));
  return e->m->failed ? am_no_memory(err) : AM_OK;
}

/* One source has the plain name, several are numbered. */
static void name_inputs(exporter *e) {
  for (size_t i = 0; i < e->n_sources; i++) {
    source *s = &e->sources[i];
    const char *number = e->n_sources > 1 ? am_onnx_text(e->m, "_%zu", i + 1) : "";
    s->name = am_onnx_text(e->m, "features%s", number);
    s->features = s->name;
    add_input(e, s->name, AM_ONNX_FLOAT, s->shape,
              s->outside ? "features of sounds, normalised" : "features of sounds, before they are normalised");
    if (!s->shape.variable) continue;
    s->frames = s->lengths = am_onnx_text(e->m, "lengths%s", number);
    add_input(e, s->lengths, AM_ONNX_INT64, (am_shape){0}, "frames of each sound; what follows is not looked at");
  }
}

static am_onnx_writer writer_of(exporter *e, const char *file, const char *prefix) {
  return (am_onnx_writer){.ctx = e->ctx, .file = file, .m = e->m, .tree = e->tree, .prefix = prefix};
}

static am_status make_features(exporter *e, am_error *err) {
  am_onnx_value samples = {.name = "samples",
                           .type = AM_ONNX_FLOAT,
                           .rank = 2,
                           .dims = {-1, -1},
                           .symbols = {"batch", "samples"},
                           .doc = "mono, full scale 1, at the rate sample_rate"};
  am_onnx_input(e->m, &samples);
  add_input(e, "lengths", AM_ONNX_INT64, (am_shape){0}, "samples of each sound; what follows is not looked at");
  am_status status = AM_OK;
  for (size_t i = 0; i < e->n_sources && !status; i++) {
    source *s = &e->sources[i];
    am_onnx_writer w = writer_of(e, e->files[0], e->n_sources > 1 ? am_onnx_text(e->m, "sound_%zu/", i + 1) : "");
    const char *frames;
    status = am_onnx_write_features(&w, &s->of->config->features, "samples", "lengths", s->shape.t, &s->features,
                                    &frames, err);
    if (s->shape.variable) s->frames = frames;
  }
  return status;
}

/* ---- models ---- */

typedef struct team {
  const char *sum; /* of weighted logarithms; NULL: none yet */
  const char *one; /* logits of a checkpoint of one model */
  size_t k;        /* of the members */
} team;

/* (B,T,F) of a map with one channel. */
static const char *as_input(am_onnx_writer *w, am_shape s, const char *x) {
  if (s.rank == 3) return am_onnx_call(w->m, "Unsqueeze", x, am_onnx_k(w, 3));
  return s.rank == 1 ? am_onnx_call(w->m, "Flatten", x) : x;
}

static const char *divided(am_onnx_writer *w, const char *x, double temperature) {
  return temperature == 1 ? x : am_onnx_call(w->m, "Div", x, am_onnx_k_float(w, temperature));
}

/* Normalisation is of (B,T,F). */
static const char *normalised(exporter *e, am_onnx_writer *w, const am_checkpoint *c, const source *s) {
  const am_normaliser *nz = &c->normaliser;
  const bool inside = !s->outside && nz->kind != AM_NORMALISE_NONE, made = e->options->with_features;
  const am_shape in = s->shape;
  const char *x = s->features;
  if (inside) {
    if (!made && in.rank != 2) x = am_onnx_call(w->m, "Reshape", x, am_onnx_k(w, 0, in.rank == 3 ? 0 : 1, in.f * in.c));
    x = am_onnx_write_normalise(w, nz, x, s->frames);
  }
  return inside || made ? as_input(w, in, x) : x;
}

static am_status write_member(exporter *e, size_t i, const char *prefix, am_checkpoint *c, const char **logits,
                              am_error *err) {
  am_onnx_writer w = writer_of(e, e->files[i], prefix);
  const source *s = find_source(e, c, is_outside(e, c));
  if (!s) return am_no_memory(err);
  am_onnx_scope(e->m, am_onnx_text(e->m, "%snormalise", prefix));
  const char *x = normalised(e, &w, c, s);
  w.model = c->model;
  am_status status = am_onnx_write_model(&w, x, s->frames, logits, err);
  if (status) return status;
  am_onnx_scope(e->m, am_onnx_text(e->m, "%scalibrate", prefix));
  *logits = divided(&w, *logits, c->any.temperature);
  return AM_OK;
}

/* Of a fused file: sum of weight * log p, divided by its temperature; of values sum of weight * output. */
static am_status write_fused(exporter *e, size_t i, const char *prefix, const char **logits, am_error *err) {
  am_checkpoint *c = e->all[i];
  const am_fusion_set *set = set_of(e, c);
  am_onnx_writer w = writer_of(e, e->files[i], prefix);
  const char *sum = NULL;
  for (size_t k = 0; k < c->n_members; k++) {
    if (!(set->weights[k] > 0)) continue;
    const char *member;
    am_status status =
        write_member(e, i, am_onnx_text(e->m, "%smember_%zu/", prefix, k + 1), c->members[k], &member, err);
    if (status) return status;
    am_onnx_scope(e->m, am_onnx_text(e->m, "%sfuse_%zu", prefix, k + 1));
    const char *log = c->values ? member : am_onnx_call(e->m, "LogSoftmax", member);
    if (!c->values) am_onnx_set_int(e->m, "axis", 1);
    if (!c->values) log = am_onnx_call(e->m, "Max", log, am_onnx_k_float(&w, am_fusion_log(0)));
    log = am_onnx_call(e->m, "Mul", log, am_onnx_k_float(&w, set->weights[k]));
    sum = sum ? am_onnx_call(e->m, "Add", sum, log) : log;
  }
  *logits = divided(&w, sum, set->temperature);
  return AM_OK;
}

static void add_output(exporter *e, const char *name, const char *doc) {
  am_onnx_output(e->m, &(am_onnx_value){.name = name,
                                        .type = AM_ONNX_FLOAT,
                                        .rank = 2,
                                        .dims = {-1, e->all[0]->classes},
                                        .symbols = {"batch"},
                                        .doc = doc});
}

/* What outputs, from -1 to 1, are multiplied by, or what is added to them then: a number of each dimension. */
static const char *of_scales(exporter *e, const char *name, bool middle) {
  am_onnx_writer w = writer_of(e, e->files[0], "");
  const am_checkpoint *c = e->all[0];
  const int64_t K = c->classes;
  float *at = am_onnx_room(&w, (size_t)K);
  for (int64_t k = 0; k < K && at; k++) {
    const double half = (c->scale[k].high - c->scale[k].low) / 2;
    at[k] = (float)(middle ? c->scale[k].low + half : half);
  }
  return at ? am_onnx_floats(e->m, am_onnx_text(e->m, "scale/%s", name), 1, &K, at) : "";
}

/* Values of dimensions on their scale, of several models the mean. */
static void write_values(exporter *e, const char *sum) {
  am_onnx_writer w = writer_of(e, e->files[0], "");
  const am_scale *scale = e->all[0]->scale;
  const int64_t K = e->all[0]->classes;
  const char *x = e->n == 1 ? sum : am_onnx_call(e->m, "Div", sum, am_onnx_k_float(&w, (double)e->n));
  const bool one = am_scales_one(scale, (int)K);
  const char *half = one ? am_onnx_k_float(&w, (scale[0].high - scale[0].low) / 2) : of_scales(e, "half", false),
             *middle = one ? am_onnx_k_float(&w, scale[0].low + (scale[0].high - scale[0].low) / 2)
                           : of_scales(e, "middle", true);
  x = am_onnx_call(e->m, "Mul", x, half);
  am_onnx_node_named(e->m, "Add", (const char *const[]){x, middle, NULL}, "values");
  add_output(e, "values", "of each dimension, in the order of the metadata's dimensions, on the metadata's scale");
}

static void write_classes(exporter *e, const char *sum) {
  am_onnx_writer w = writer_of(e, e->files[0], "");
  if (e->n == 1) {
    am_onnx_node_named(e->m, "Identity", (const char *const[]){sum, NULL}, "logits");
    am_onnx_node_named(e->m, "Softmax", (const char *const[]){"logits", NULL}, "probabilities");
    am_onnx_set_int(e->m, "axis", 1);
  } else {
    am_onnx_node_named(e->m, "Div", (const char *const[]){sum, am_onnx_k_float(&w, (double)e->n), NULL},
                       "probabilities");
    am_onnx_node_named(e->m, "Log", (const char *const[]){"probabilities", NULL}, "logits");
  }
  add_output(e, "probabilities", "of each label, in the order of the metadata's labels; calibrated");
  add_output(e, "logits", "of which probabilities are the softmax");
}

/* Each checkpoint gives probabilities, or values; several are their mean, whose logits are its logarithm. */
static am_status write_all(exporter *e, am_error *err) {
  const char *sum = NULL, *told = "";
  const bool values = e->all[0]->values;
  for (size_t i = 0; i < e->n; i++) {
    const char *prefix = e->n > 1 ? am_onnx_text(e->m, "model_%zu/", i + 1) : "";
    am_status status = e->all[i]->n_members ? write_fused(e, i, prefix, &told, err)
                                            : write_member(e, i, prefix, e->all[i], &told, err);
    if (status) return status;
    if (e->n == 1) break;
    am_onnx_scope(e->m, am_onnx_text(e->m, "%smean", prefix));
    if (!values) {
      told = am_onnx_call(e->m, "Softmax", told);
      am_onnx_set_int(e->m, "axis", 1);
    }
    sum = sum ? am_onnx_call(e->m, "Add", sum, told) : told;
  }
  am_onnx_scope(e->m, "output");
  if (values) write_values(e, e->n == 1 ? told : sum);
  else write_classes(e, e->n == 1 ? told : sum);
  return e->m->failed ? am_no_memory(err) : AM_OK;
}

/* ---- metadata ---- */

static void put_text(exporter *e, const char *key, am_buffer *text) {
  if (text->failed) e->m->failed = true;
  else am_onnx_prop(e->m, key, text->data);
  am_buffer_free(e->ctx, text);
}

static void put_labels(exporter *e) {
  am_buffer text = {0};
  am_json j = am_json_begin(e->ctx, &text, 0);
  am_json_open(&j, NULL, '[');
  for (int k = 0; k < e->all[0]->classes; k++) am_json_text(&j, NULL, e->all[0]->labels[k]);
  am_json_close(&j);
  put_text(e, e->all[0]->values ? AM_ONNX_DIMENSIONS : "labels", &text);
}

/* "[1, 5]", or those of each dimension. */
static void put_scale(exporter *e) {
  am_buffer text = {0};
  am_json j = am_json_begin(e->ctx, &text, 0);
  if (!e->all[0]->values) return;
  const am_checkpoint *c = e->all[0];
  am_scales_put_value(&j, (const char *const *)c->labels, c->scale, c->classes);
  put_text(e, am_scales_one(c->scale, c->classes) ? AM_ONNX_SCALE : AM_ONNX_SCALES, &text);
}

/* {"calm": 0.61, "sad": null}: null is never an answer. */
static void put_thresholds(exporter *e) {
  const am_checkpoint *c = e->all[0];
  const am_thresholds *t = &set_of(e, c)->thresholds;
  if (e->n > 1 || !(t->precision > 0)) return;
  am_buffer text = {0};
  am_json j = am_json_begin(e->ctx, &text, 0);
  am_json_open(&j, NULL, '{');
  for (int k = 0; k < c->classes; k++)
    if (t->at[k] < AM_NEVER) am_json_real(&j, c->labels[k], t->at[k]);
    else am_json_null(&j, c->labels[k]);
  am_json_close(&j);
  put_text(e, "thresholds", &text);
  am_onnx_prop(e->m, "wanted_precision", am_onnx_text(e->m, "%g", t->precision));
}

/* What each input is made by. */
static void put_inputs(exporter *e) {
  am_buffer text = {0};
  am_json j = am_json_begin(e->ctx, &text, 0);
  am_json_open(&j, NULL, '[');
  for (size_t i = 0; i < e->n_sources; i++) {
    const source *s = &e->sources[i];
    const am_config *config = s->of->config;
    am_json_open(&j, NULL, '{');
    am_json_text(&j, "input", e->options->with_features ? "samples" : s->name);
    am_json_text(&j, "lengths", e->options->with_features ? "lengths" : s->lengths);
    am_json_real(&j, "sample_rate", config->features.sample_rate);
    if (s->shape.variable) am_json_int(&j, "most_frames", s->shape.t);
    am_json_text(&j, "normalise", s->outside ? "outside" : "inside");
    am_json_value(&j, "features", am_value_get(am_tree_root(config->effective), "features"));
    am_json_close(&j);
  }
  am_json_close(&j);
  put_text(e, "inputs", &text);
}

/* What import reads the model back by. */
static void put_layers(exporter *e) {
  const am_checkpoint *c = e->all[0];
  if (e->n > 1 || c->n_members || e->options->with_features) return;
  am_buffer text = {0};
  am_json j = am_json_begin(e->ctx, &text, 0);
  am_json_value(&j, NULL, am_value_find(am_tree_root(c->config->effective), "model.layers"));
  put_text(e, AM_ONNX_LAYERS, &text);
  if (c->any.temperature != 1) am_onnx_prop(e->m, AM_ONNX_TEMPERATURE, am_onnx_text(e->m, "%.17g", c->any.temperature));
}

static am_status put_credit(exporter *e, am_error *err) {
  am_credit credit = {0};
  am_status status = AM_OK;
  for (size_t i = 0; i < e->n && !status; i++)
    status = am_credit_join(e->ctx, &credit, e->all[i]->licence, e->all[i]->attribution, err);
  if (!status && credit.licence && *credit.licence) am_onnx_prop(e->m, "licence", credit.licence);
  if (!status && credit.attribution && *credit.attribution) am_onnx_prop(e->m, "attribution", credit.attribution);
  am_credit_free(e->ctx, &credit);
  return status;
}

static am_status put_metadata(exporter *e, am_error *err) {
  const am_checkpoint *c = e->all[0];
  e->m->producer = "audiomood";
  e->m->version = AM_VERSION;
  e->m->graph.name = "audiomood";
  am_onnx_prop(e->m, "creator", "audiomood " AM_VERSION);
  if (c->title && *c->title) am_onnx_prop(e->m, "title", c->title);
  if (c->corpus && *c->corpus) am_onnx_prop(e->m, "corpus", c->corpus);
  am_status status = put_credit(e, err);
  if (status) return status;
  put_labels(e);
  put_scale(e);
  am_onnx_prop(e->m, "sample_rate", am_onnx_text(e->m, "%g", am_checkpoint_rate(c)));
  am_onnx_prop(e->m, "input_is", e->options->with_features ? "samples" : "features");
  put_inputs(e);
  put_layers(e);
  put_thresholds(e);
  if (c->known) am_onnx_prop(e->m, "voice", e->options->voice == AM_ONNX_KNOWN ? "known" : "any");
  am_onnx_prop(e->m, "models", am_onnx_text(e->m, "%zu", e->n));
  bool apart = true;
  for (size_t i = 0; i < e->n; i++) apart = apart && e->all[i]->speaker_independent;
  am_onnx_prop(e->m, "speaker_independent", apart ? "true" : "false");
  return e->m->failed ? am_no_memory(err) : AM_OK;
}

/* ---- all ---- */

static am_status load(exporter *e, am_error *err) {
  if (!e->n || e->n > MOST_CHECKPOINTS)
    return am_fail(err, AM_E_USAGE, "%zu models; one graph has 1 to %d", e->n, MOST_CHECKPOINTS);
  for (size_t i = 0; i < e->n; i++) {
    am_status status = am_checkpoint_load(e->ctx, e->files[i], &e->all[i], err);
    if (status) return status;
    const am_checkpoint *a = e->all[0], *b = e->all[i];
    bool same = a->classes == b->classes;
    for (int k = 0; same && k < a->classes; k++) same = !strcmp(a->labels[k], b->labels[k]);
    if (a->values != b->values || (same && a->values && !am_scales_equal(a->scale, b->scale, a->classes)))
      return am_fail(err, AM_E_USAGE,
                     "%s: what it tells, or its scale, is not that of %s; models in one graph tell the same",
                     e->files[i], e->files[0]);
    if (!same)
      return am_fail(err, AM_E_USAGE,
                     "%s: its labels are not those of %s; models in one graph have the same ones, in the same order",
                     e->files[i], e->files[0]);
    if (e->options->voice == AM_ONNX_KNOWN && !b->known)
      return am_fail(err, AM_E_USAGE,
                     "%s: it has one set of weights, for all voices, and option voice is of a fused file with two",
                     e->files[i]);
  }
  return AM_OK;
}

static am_status make(exporter *e, const char *out, am_error *err) {
  am_status status = load(e, err);
  if (!status) status = am_tree_create(e->ctx, &e->tree, err);
  if (!status) status = am_onnx_create(e->ctx, &e->m, err);
  for (size_t i = 0; i < e->n && !status; i++) status = each_member(e, i, note_source, err);
  if (status) return status;
  if (e->options->with_features) status = make_features(e, err);
  else name_inputs(e);
  if (!status) status = write_all(e, err);
  if (!status) status = put_metadata(e, err);
  return status ? status : am_onnx_write(e->m, out, err);
}

am_status am_onnx_export(am_context *ctx, const char *const *checkpoints, size_t n, const am_exchange_options *options,
                         const char *out, am_error *err) {
  exporter *e = am_alloc(ctx, 1, sizeof *e);
  if (!e) return am_no_memory(err);
  *e = (exporter){.ctx = ctx, .options = options, .files = checkpoints, .n = n};
  am_status status = make(e, out, err);
  for (size_t i = 0; i < n && i < MOST_CHECKPOINTS; i++) am_checkpoint_free(e->all[i]);
  am_onnx_free(e->m);
  am_tree_free(e->tree);
  am_free(ctx, e->sources);
  am_free(ctx, e);
  return status;
}
