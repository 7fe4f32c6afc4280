/* SPDX-License-Identifier: MIT */
/* tests/nn/harness.h - the golden cases of tools/golden-nn.py, and one layer
 * run by itself on them.  Compiles for float (test_golden.c) and double
 * (test_grad.c). */
#ifndef AM_TESTS_HARNESS_H
#define AM_TESTS_HARNESS_H

#include "flow.h"
#include "nn/layer.h"
#include "nn/registry.h"

enum { RUNNER_GROUP = 2 }; /* clips of a group (nn/groups.h) */
enum { MAX_CLIPS = 32, MAX_TENSORS = 64, MAX_TEXT = 1024, MAX_CASES = 512 };

/* Numbers that Python draws as well (numbers() in tools/nn_reference.py). */
static inline uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/* Uniform on [-1,1) in steps of 2^-23, exact in float. */
static inline void numbers(uint64_t seed, uint64_t stream, size_t n, am_real *out) {
  const uint64_t key = splitmix64(seed * 256 + stream);
  for (size_t i = 0; i < n; i++) out[i] = (am_real)(((double)(splitmix64(key + i) >> 40) - 8388608.0) / 8388608.0);
}

/* Half of that; scales and variances around 1, and a batch norm has seen three batches. */
static inline void array_numbers(uint64_t seed, uint64_t stream, const char *name, size_t n, am_real *out) {
  const char *last = strrchr(name, '/');
  last = last ? last + 1 : name;
  const bool around_one = !strcmp(last, "gamma") || !strcmp(last, "variance");
  numbers(seed, stream, n, out);
  for (size_t i = 0; i < n; i++) out[i] = out[i] / 2 + (around_one ? 1 : 0);
  for (size_t i = 0; i < n && !strcmp(last, "updates"); i++) out[i] = 3;
}

typedef struct golden_tensor {
  char name[24];
  size_t count;
  const float *data;
} golden_tensor;

typedef struct golden_case {
  char name[64], type[32], text[MAX_TEXT]; /* text: options, or the layers of a net */
  int n_in, clips, classes;
  am_shape in[AM_MAX_INPUTS];
  bool masked, training;
  int lengths[MAX_CLIPS];
  uint64_t seed;
  int n_weights, n_tensors;
  char weights[MAX_TENSORS][64];
  size_t weight_counts[MAX_TENSORS];
  double scales[MAX_TENSORS], rate; /* nets */
  golden_tensor tensors[MAX_TENSORS];
} golden_case;

typedef struct golden_file {
  size_t n;
  golden_case *cases;
  float *data;
} golden_file;

static inline char *read_all(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  const long size = ftell(file);
  rewind(file);
  char *data = calloc((size_t)size + 1, 1);
  *bytes = fread(data, 1, (size_t)size, file);
  fclose(file);
  return data;
}

static inline void golden_line(golden_case *c, const char *key, const char *rest, const float **data) {
  int used = 0, t, f, ch, rank;
  if (!strcmp(key, "layer")) {
    sscanf(rest, "%31s %n", c->type, &used);
    snprintf(c->text, sizeof c->text, "%s", rest + used);
  } else if (!strcmp(key, "net")) {
    snprintf(c->text, sizeof c->text, "%s", rest);
  } else if (!strcmp(key, "input") && sscanf(rest, "%d %d %d %d", &rank, &t, &f, &ch) == 4) {
    c->in[c->n_in++] = (am_shape){rank, t, f, ch, false};
  } else if (!strcmp(key, "clips")) {
    c->clips = (int)strtol(rest, (char **)&rest, 10);
    for (int b = 0; b < c->clips && *rest; b++) {
      c->lengths[b] = (int)strtol(rest, (char **)&rest, 10);
      c->masked = true;
    }
  } else if (!strcmp(key, "classes")) {
    c->classes = atoi(rest);
  } else if (!strcmp(key, "mode")) {
    c->training = !strcmp(rest, "training");
  } else if (!strcmp(key, "seed")) {
    c->seed = strtoull(rest, NULL, 10);
  } else if (!strcmp(key, "rate")) {
    c->rate = atof(rest);
  } else if (!strcmp(key, "weight") || !strcmp(key, "array")) {
    size_t count = 1;
    sscanf(rest, "%63s%n", c->weights[c->n_weights], &used);
    rest += used;
    if (*key == 'a') c->scales[c->n_weights] = strtod(rest, (char **)&rest);
    while (*rest) count *= (size_t)strtol(rest, (char **)&rest, 10);
    c->weight_counts[c->n_weights++] = count;
  } else if (!strcmp(key, "tensor")) {
    golden_tensor *tensor = &c->tensors[c->n_tensors++];
    sscanf(rest, "%23s %zu", tensor->name, &tensor->count);
    tensor->data = *data;
    *data += tensor->count;
  }
}

/* The cases of a text; their tensors follow each other from `data` on. Returns where the data end, NULL: not
 * a file of cases. */
static inline const float *golden_parse(const char *path, const float *data, golden_file *out) {
  size_t bytes = 0;
  char *text = read_all(path, &bytes), *save = NULL;
  out->n = 0;
  out->cases = calloc(MAX_CASES, sizeof *out->cases);
  if (!text) return NULL;
  golden_case *c = out->cases;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    char *rest = strchr(line, ' ');
    if (rest) *rest++ = 0;
    if (!strcmp(line, "case")) snprintf(c->name, sizeof c->name, "%s", rest);
    else if (!strcmp(line, "end")) c++;
    else golden_line(c, line, rest, &data);
    if (c == out->cases + MAX_CASES) return NULL;
  }
  out->n = (size_t)(c - out->cases);
  free(text);
  return data;
}

/* "layers": layers.txt and layers.bin beside each other. False where they are absent or do not fit. */
static inline bool golden_read(const char *name, golden_file *out) {
  char path[1024];
  size_t bytes = 0;
  snprintf(path, sizeof path, "%s/tests/nn/golden/%s.bin", AM_SOURCE_ROOT, name);
  out->data = (float *)(void *)read_all(path, &bytes);
  snprintf(path, sizeof path, "%s/tests/nn/golden/%s.txt", AM_SOURCE_ROOT, name);
  const float *end = golden_parse(path, out->data, out);
  return end && out->data && (size_t)(end - out->data) * sizeof(float) == bytes;
}

static inline void golden_free(golden_file *file) {
  free(file->cases);
  free(file->data);
}

/* NULL where the case has no such tensor. */
static inline const golden_tensor *golden_find(const golden_case *c, const char *name) {
  for (int i = 0; i < c->n_tensors; i++)
    if (!strcmp(c->tensors[i].name, name)) return &c->tensors[i];
  return NULL;
}

/* The frames of clip b in a tensor of this shape with these lengths (NULL: full). */
static inline size_t valid_count(am_shape s, const int *lengths, int b) {
  if (s.rank < 2 || !lengths) return am_shape_count(s);
  return (size_t)lengths[b] * (size_t)s.f * (size_t)s.c;
}

/* Frames in use: the longest clip's. */
static inline int longest(am_shape s, const int *lengths, int clips) {
  int most = 0;
  for (int b = 0; lengths && s.rank > 1 && b < clips; b++)
    if (most < lengths[b]) most = lengths[b];
  return lengths && s.rank > 1 ? most : s.t;
}

/* Zeros past each clip's end; NaN past the longest clip's, where nobody may read. */
static inline void mask_tensor(am_shape s, const int *lengths, int clips, am_real *values) {
  const size_t all = am_shape_count(s), most = am_frames_count(s, longest(s, lengths, clips));
  for (int b = 0; b < clips; b++)
    for (size_t i = valid_count(s, lengths, b); i < all; i++) values[(size_t)b * all + i] = i < most ? 0 : (am_real)NAN;
}

/* Zeros past the longest clip's end, where memory is undefined: for comparing whole tensors. */
static inline void clear_unused(am_shape s, int most, int clips, am_real *values) {
  const size_t all = am_shape_count(s), used = am_frames_count(s, most);
  for (size_t b = 0; b < (size_t)clips; b++) memset(values + b * all + used, 0, (all - used) * sizeof *values);
}

static inline void *aligned(size_t bytes) {
  const size_t whole = (bytes + 63) / 64 * 64 + 64;
  void *memory = aligned_alloc(64, whole);
  if (!memory) fail_msg("no memory for %zu bytes", bytes);
  return memset(memory, 0xFF, whole); /* NaN: what a layer forgets to write shows */
}

/* One layer with its memory and one batch. */
typedef struct runner {
  am_tree *tree;
  am_layer layer;
  am_pass pass;
  am_real *x[AM_MAX_INPUTS], *w[AM_MAX_ARRAYS], *statistics[4], *dy;
  int *x_len[AM_MAX_INPUTS], *y_len;
  uint64_t draws[MAX_CLIPS];
  size_t y_count, x_count[AM_MAX_INPUTS];
} runner;

static inline void runner_inputs(runner *r, const golden_case *c) {
  for (int i = 0; i < c->n_in; i++) {
    const am_shape s = r->layer.in[i];
    r->x_count[i] = (size_t)c->clips * am_shape_count(s);
    r->x[i] = aligned(r->x_count[i] * sizeof(am_real));
    numbers(c->seed, (uint64_t)i, r->x_count[i], r->x[i]);
    r->pass.x[i] = r->x[i];
    r->pass.dx[i] = aligned(r->x_count[i] * sizeof(am_real));
    if (s.rank < 2) continue;
    r->x_len[i] = calloc(MAX_CLIPS, sizeof(int));
    for (int b = 0; b < c->clips; b++) r->x_len[i][b] = c->masked ? c->lengths[b] : s.t;
    mask_tensor(s, r->x_len[i], c->clips, r->x[i]);
    r->pass.x_len[i] = r->x_len[i];
    r->pass.x_most[i] = longest(s, r->x_len[i], c->clips);
  }
}

static inline void runner_output(runner *r, const golden_case *c) {
  const am_layer *layer = &r->layer;
  r->y_count = (size_t)c->clips * am_shape_count(layer->out);
  r->pass.y = aligned(r->y_count * sizeof(am_real));
  r->dy = aligned(r->y_count * sizeof(am_real));
  numbers(c->seed, 8, r->y_count, r->dy);
  if (layer->out.rank >= 2) {
    r->y_len = calloc(MAX_CLIPS, sizeof(int));
    for (int b = 0; b < c->clips; b++)
      r->y_len[b] = layer->cls->length ? layer->cls->length(layer, r->x_len[0][b]) : r->x_len[0][b];
    mask_tensor(layer->out, r->y_len, c->clips, r->dy);
    r->pass.y_len = r->y_len;
    r->pass.y_most = longest(layer->out, r->y_len, c->clips);
  }
  r->pass.dy = r->dy;
}

/* Cache and scratch for the layer as it is now. */
static inline void runner_memory(runner *r) {
  const size_t clips = (size_t)r->pass.batch, groups = (clips + RUNNER_GROUP - 1) / RUNNER_GROUP;
  const am_layer *layer = &r->layer;
  free(r->pass.cache);
  free(r->pass.scratch);
  r->pass.cache = aligned(layer->cache_once + clips * layer->cache_per_clip);
  r->pass.scratch = aligned(layer->scratch_once + clips * layer->scratch_per_clip + groups * layer->scratch_per_group);
}

static inline void runner_create(runner *r, am_context *ctx, const golden_case *c) {
  am_error err = AM_ERROR_INIT;
  *r = (runner){0};
  assert_int_equal(am_gemm_begin(NULL), AM_OK);
  am_layer *layer = &r->layer;
  *layer = (am_layer){.cls = am_layer_find(NULL, c->type), .ctx = ctx, .name = c->name, .id = 77, .n_in = c->n_in};
  if (!layer->cls) fail_msg("no layer of type %s", c->type);
  assert_in_range(c->n_in, layer->cls->min_inputs, layer->cls->max_inputs);
  am_test_ok(am_tree_create(ctx, &r->tree, &err), &err);
  am_value *options = flow_parse(r->tree, c->text);
  layer->options = calloc(1, layer->cls->options_size + 1);
  if (layer->cls->table)
    am_test_ok(am_options_read(r->tree, layer->cls->table, options, c->type, layer->options, &err), &err);
  for (int i = 0; i < c->n_in; i++) {
    layer->in[i] = c->in[i];
    layer->in[i].variable = c->masked && c->in[i].rank > 1;
  }
  am_test_ok(layer->cls->build(layer, &err), &err);
  r->pass = (am_pass){.batch = c->clips,
                      .training = c->training,
                      .seed = c->seed,
                      .epoch = 3,
                      .draws = r->draws,
                      .group = RUNNER_GROUP};
  for (int b = 0; b < c->clips; b++) r->draws[b] = 11 + 2 * (uint64_t)b;
  runner_inputs(r, c);
  runner_output(r, c);
  for (int i = 0; i < layer->n_weights; i++) {
    const am_array *a = &layer->weights[i];
    r->w[i] = aligned(a->count * sizeof(am_real));
    array_numbers(c->seed, 16 + (uint64_t)i, a->name, a->count, r->w[i]);
    r->pass.w[i] = r->w[i];
    r->pass.dw[i] = memset(aligned(a->count * sizeof(am_real)), 0, a->count * sizeof(am_real));
  }
  for (int i = 0; i < layer->n_statistics; i++) {
    const am_array *a = &layer->statistics[i];
    r->statistics[i] = r->pass.statistics[i] = aligned(a->count * sizeof(am_real));
    array_numbers(c->seed, 48 + (uint64_t)i, a->name, a->count, r->statistics[i]);
  }
  runner_memory(r);
}

static inline void runner_free(runner *r) {
  for (int i = 0; i < AM_MAX_INPUTS; i++) {
    free(r->x[i]);
    free(r->pass.dx[i]);
    free(r->x_len[i]);
  }
  for (int i = 0; i < AM_MAX_ARRAYS; i++) {
    free(r->w[i]);
    free(r->pass.dw[i]);
  }
  for (int i = 0; i < 4; i++) free(r->statistics[i]);
  free(r->y_len);
  free(r->dy);
  free(r->pass.y);
  free(r->pass.cache);
  free(r->pass.scratch);
  free(r->layer.options);
  am_tree_free(r->tree);
}

/* The cases of a golden file that `wanted` takes, each a test. */
typedef struct golden_group {
  const char *file;
  CMUnitTestFunction run;
  bool (*wanted)(const golden_case *c);
} golden_group;

static inline int golden_main(const char *name, const golden_group *groups, size_t n_groups) {
  golden_file files[4];
  struct CMUnitTest *tests = calloc(n_groups * MAX_CASES, sizeof *tests);
  size_t n = 0;
  for (size_t g = 0; g < n_groups; g++) {
    const bool there = golden_read(groups[g].file, &files[g]);
    for (size_t i = 0; i < files[g].n; i++)
      if (groups[g].wanted(&files[g].cases[i]))
        tests[n++] = (struct CMUnitTest){files[g].cases[i].name, groups[g].run, NULL, NULL, &files[g].cases[i]};
    if (there && files[g].n) continue;
    fprintf(stderr, "tests/nn/golden/%s.txt and .bin are absent or do not fit: run tools/golden-nn.py\n",
            groups[g].file);
    return 1;
  }
  const int failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
  for (size_t g = 0; g < n_groups; g++) golden_free(&files[g]);
  free(tests);
  return failed;
}

#endif
