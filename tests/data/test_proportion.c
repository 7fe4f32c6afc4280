/* SPDX-License-Identifier: MIT */
/* Time in proportion.  Each reader takes twice as much input in about twice as many operations: branches of our own code, which
 * is compiled a second time for that, so that the count is exact.  And it takes four times as much input in about four times
 * as much time of the processor, which what the libraries do for us is part of.  Where each of n things is compared with
 * each other it is four times and sixteen times; the sizes are such that this shows.
 * Other work on the machine only makes times longer, so the least of several tries counts. */
#include "testing.h"

#include <time.h>

#include "data/corpora/iemocap.h"
#include "data/dataset.h"
#include "data/order.h"
#include "data/split.h"
#include "io/csv.h"
#include "io/h5.h"
#include "io/json.h"
#include "io/yaml.h"
#include "nn/model.h"

enum { TRIES = 6 };
static const double most = 9;              /* between 4, with its logarithm, and 16 */
static const double most_operations = 2.5; /* between 2, with its logarithm, and 4 */

/* Called by the compiler's own doing at each branch of the code that is counted. */
static unsigned long long operations;
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) { operations++; }

typedef struct fixture {
  am_context *ctx;
  char *folder;
  am_buffer text;
  size_t n;
} fixture;

static int begin(void **state) {
  fixture *f = calloc(1, sizeof *f);
  f->ctx = am_test_context(1, NULL);
  f->folder = am_test_folder();
  *state = f;
  return 0;
}

static int end(void **state) {
  fixture *f = *state;
  am_buffer_free(f->ctx, &f->text);
  am_test_folder_remove(f->folder);
  am_context_free(f->ctx);
  free(f->folder);
  free(f);
  return 0;
}

static double processor(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define put(f, ...) am_buffer_printf((f)->ctx, &(f)->text, __VA_ARGS__)

/* Operations of reading n things. */
static double count(fixture *f, size_t n, void (*make)(fixture *), void (*read)(fixture *)) {
  f->n = n;
  f->text.used = 0;
  make(f);
  const unsigned long long before = operations;
  read(f);
  return (double)(operations - before);
}

/* `make` writes input of f->n things, `read` reads it. */
static void check(void **state, size_t n, void (*make)(fixture *), void (*read)(fixture *)) {
  fixture *f = *state;
  const double once = count(f, n, make, read), twice = count(f, 2 * n, make, read);
  print_message("# %zu things: %.0f operations; twice as many: %.2f times\n", n, once, twice / once);
  if (!(once > 0) || twice / once > most_operations)
    fail_msg("%zu things took %.0f operations, twice as many %.2f times as many", n, once, twice / once);
  double ratio = INFINITY, least[2] = {INFINITY, INFINITY};
  for (int k = 0; k < TRIES && ratio > most; k++) {
    for (int large = 0; large < 2; large++) {
      f->n = large ? 4 * n : n;
      f->text.used = 0;
      make(f);
      double began = processor();
      read(f);
      double took = processor() - began;
      if (took < least[large]) least[large] = took;
    }
    if (k) ratio = least[1] / fmax(least[0], 1e-4); /* the first try also loads what is read for the first time */
  }
  if (ratio > most)
    fail_msg("%zu things took %.4f s, four times as many %.4f s: %.1f times", n, least[0], least[1], ratio);
}

/* ---- YAML and JSON ---- */

static void read_yaml(fixture *f) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree;
  am_value *v;
  am_test_ok(am_tree_create(f->ctx, &tree, &err), &err);
  am_test_ok(am_yaml_read_text(tree, f->text.data, f->text.used, "x.yaml", &v, &err), &err);
  for (const am_value *child = v->first; v->kind == AM_MAP && child; child = child->next)
    assert_ptr_equal(am_value_get(v, child->key), child);
  assert_true(am_value_equal(v, v));
  am_tree_free(tree);
}

static void read_json(fixture *f) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree;
  am_value *v;
  am_test_ok(am_tree_create(f->ctx, &tree, &err), &err);
  am_test_ok(am_json_read_text(tree, f->text.data, f->text.used, "x.json", &v, &err), &err);
  for (const am_value *child = v->first; child; child = child->next)
    assert_ptr_equal(am_value_get(v, child->key), child);
  am_tree_free(tree);
}

static void make_aliases(fixture *f) {
  put(f, "- [");
  for (size_t i = 0; i < f->n; i++) put(f, "&a%zu 1, ", i);
  put(f, "]\n- [");
  for (size_t i = 0; i < f->n; i++) put(f, "*a0, ");
  put(f, "]\n");
}

static void make_keys(fixture *f) {
  for (size_t i = 0; i < f->n; i++) put(f, "key%zu: %zu\n", i, i);
}

static void make_members(fixture *f) {
  put(f, "{\"first\": 1");
  for (size_t i = 0; i < f->n; i++) put(f, ",\n\"key%zu\": %zu", i, i);
  put(f, "}");
}

static void aliases(void **state) { check(state, 4000, make_aliases, read_yaml); }
static void keys(void **state) { check(state, 4000, make_keys, read_yaml); }
static void members(void **state) { check(state, 4000, make_members, read_json); }

/* libyaml compares each of these lines with all before it. */
static void directives(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_tree *tree;
  am_value *v;
  for (int i = 0; i < 20; i++) put(f, "%%TAG !a%d! b\n", i);
  put(f, "--- 1\n");
  am_test_ok(am_tree_create(f->ctx, &tree, &err), &err);
  am_test_fails(am_yaml_read_text(tree, f->text.data, f->text.used, "x.yaml", &v, &err), AM_E_CONFIG, &err,
                "x.yaml:17:1: more than 16 lines that begin with %");
  am_tree_free(tree);
}

/* ---- layers ---- */

static void make_layers(fixture *f) {
  put(f, "- {relu: {name: a}}\n");
  for (size_t i = 0; i < f->n / 2; i++) put(f, "- relu: {}\n- {dropout: {name: dropout_%zu}}\n- dropout: {}\n", i + 1);
}

static void read_layers(fixture *f) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree;
  am_value *v, *filled;
  am_test_ok(am_tree_create(f->ctx, &tree, &err), &err);
  am_test_ok(am_yaml_read_text(tree, f->text.data, f->text.used, "x.yaml", &v, &err), &err);
  am_test_ok(am_layers_fill(tree, v, &filled, &err), &err);
  assert_int_equal(filled->count, v->count);
  am_tree_free(tree);
}

static void layers(void **state) { check(state, 1000, make_layers, read_layers); }

/* A plan compares all pairs of pieces of memory; so many layers has no model. */
static void layers_are_counted(void **state) {
  fixture *f = *state;
  am_error err = AM_ERROR_INIT;
  am_tree *tree;
  am_value *v;
  am_model *model;
  for (int i = 0; i < 2001; i++) put(f, "- relu\n");
  am_test_ok(am_tree_create(f->ctx, &tree, &err), &err);
  am_test_ok(am_yaml_read_text(tree, f->text.data, f->text.used, "x.yaml", &v, &err), &err);
  am_test_fails(am_model_create(f->ctx, v, (am_shape){2, 8, 1, 4, false}, 4, &model, &err), AM_E_CONFIG, &err,
                "x.yaml:2001:3: more than 2000 layers");
  am_tree_free(tree);
}

/* ---- tables ---- */

static void make_columns(fixture *f) {
  for (size_t i = 0; i < f->n; i++) put(f, "%scolumn%zu", i ? "," : "", i);
  put(f, "\n");
}

static void read_columns(fixture *f) {
  am_error err = AM_ERROR_INIT;
  am_csv *csv;
  am_test_ok(am_csv_read_text(f->ctx, f->text.data, f->text.used, "x.csv", 0, &csv, &err), &err);
  for (size_t i = 0; i < am_csv_columns(csv); i++) assert_int_equal(am_csv_column(csv, am_csv_name(csv, i)), (int)i);
  am_csv_free(csv);
}

static void columns(void **state) { check(state, 2400, make_columns, read_columns); }

/* ---- corpora ---- */

static void ignore(void *user, const char *line) { (void)user, (void)line; }

/* What a training does with its parts before it looks at a sound. */
static void use_split(fixture *f, const am_dataset *d, const am_split_options *o, const am_split *s) {
  const size_t n = s->n[AM_PART_TRAIN];
  const am_loader_options balanced = {.batch = 32, .balance = AM_BALANCE_LABEL, .seed = 1};
  double *weights = calloc((size_t)d->n_labels, sizeof *weights);
  uint32_t *order = calloc(n + 1, sizeof *order);
  am_buffer line = {0};
  am_error err = AM_ERROR_INIT;
  for (int part = 0; part < 3; part++) am_split_describe(d, s, (am_part)part, &line);
  am_test_ok(am_split_doubts(d, o, s, ignore, NULL, &err), &err);
  am_class_weights(d, s->at[AM_PART_TRAIN], n, weights);
  if (n) am_test_ok(am_order_make(f->ctx, NULL, d, s->at[AM_PART_TRAIN], n, &balanced, 1, order, &err), &err);
  am_buffer_free(f->ctx, &line);
  free(order);
  free(weights);
}

/* The corpus that `section` describes is loaded and split, or refused with these words. */
static void load(fixture *f, const char *section, const char *split, const char *refused) {
  am_data_options o;
  am_tree *tree;
  am_value *v;
  am_dataset *d;
  am_split_options so;
  am_split *s;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_tree_create(f->ctx, &tree, &err), &err);
  am_test_ok(am_yaml_read_text(tree, section, strlen(section), "data", &v, &err), &err);
  am_test_ok(am_options_read(tree, am_data_table, v, "data", &o, &err), &err);
  if (refused) {
    am_test_fails(am_dataset_load(f->ctx, &o, &d, &err), AM_E_DATA, &err, refused);
  } else {
    am_test_ok(am_dataset_load(f->ctx, &o, &d, &err), &err);
    am_test_ok(am_yaml_read_text(tree, split, strlen(split), "split", &v, &err), &err);
    am_test_ok(am_options_read(tree, am_split_table, v, "split", &so, &err), &err);
    am_test_ok(am_split_make(f->ctx, d, &so, &s, &err), &err);
    use_split(f, d, &so, s);
    am_split_free(f->ctx, s);
    am_dataset_free(d);
  }
  am_tree_free(tree);
}

/* Every row has a speaker, a group and an utterance of its own, and a label that is left out or merged. */
static void make_manifest(fixture *f) {
  char path[1024];
  snprintf(path, sizeof path, "%s/x.wav", f->folder);
  am_test_file(path, "x", 1);
  put(f, "path,label,speaker,group,utterance,start\n");
  for (size_t i = 0; i < f->n; i++)
    put(f, "x.wav,%c%zu,s%zu,g%zu,u%zu,%zu\n", i % 2 ? 'm' : 'o', i % 4 < 2 ? i : 0, i, i, i, i);
  put(f, "x.wav,happy,t,g,u,0.5\n");
  snprintf(path, sizeof path, "%s/manifest.csv", f->folder);
  am_test_file(path, f->text.data, f->text.used);
}

static void read_manifest(fixture *f) {
  am_buffer text = {0}, split = {0};
  am_context *ctx = f->ctx;
  am_buffer_printf(ctx, &text, "corpus: manifest\nroot: %s\nlabels: [happy]\nmerge: {", f->folder);
  for (size_t i = 0; i < f->n; i++)
    if (i % 2 && i % 4 < 2) am_buffer_printf(ctx, &text, "m%zu: happy, ", i);
  am_buffer_printf(ctx, &text, "m0: happy}\nexclude: [");
  for (size_t i = 0; i < f->n; i++) am_buffer_printf(ctx, &text, "none%zu, ", i);
  am_buffer_printf(ctx, &text, "]\nspeakers: [t");
  for (size_t i = 0; i < f->n; i++) am_buffer_printf(ctx, &text, ", s%zu", i);
  am_buffer_printf(ctx, &text, "]\n");
  am_buffer_printf(ctx, &split, "kind: fixed\nvalidation_speakers_count: %zu\nfold_lists: [[t], [", f->n / 8);
  for (size_t i = 0; i < f->n; i += 4) am_buffer_printf(ctx, &split, "%ss%zu", i ? ", " : "", i + 1);
  am_buffer_printf(ctx, &split, "]]\n");
  load(f, text.data, split.data, NULL);
  am_buffer_free(ctx, &split);
  am_buffer_free(ctx, &text);
}

static void manifests(void **state) { check(state, 1500, make_manifest, read_manifest); }

static void folds_by_speaker(fixture *f) {
  char text[2048];
  snprintf(text, sizeof text, "{corpus: manifest, root: %s}", f->folder);
  load(f, text, "{kind: kfold, folds: 5}", NULL);
}

static void make_speakers(fixture *f) {
  char path[1024];
  snprintf(path, sizeof path, "%s/x.wav", f->folder);
  am_test_file(path, "x", 1);
  put(f, "path,label,speaker,start\n");
  for (size_t i = 0; i < f->n; i++) put(f, "x.wav,%s,s%zu,%zu\n", i % 2 ? "a" : "b", i * i % (f->n - 1), i);
  snprintf(path, sizeof path, "%s/manifest.csv", f->folder);
  am_test_file(path, f->text.data, f->text.used);
}

static void speakers(void **state) { check(state, 2000, make_speakers, folds_by_speaker); }

/* As many clips of each class, however many there are. */
static void make_classes(fixture *f) {
  char path[1024];
  snprintf(path, sizeof path, "%s/x.wav", f->folder);
  am_test_file(path, "x", 1);
  put(f, "path,label,speaker,start\n");
  for (size_t i = 0; i < f->n; i++) put(f, "x.wav,class%zu,s%zu,%zu\n", i % (f->n / 10), i / 100, i);
  snprintf(path, sizeof path, "%s/manifest.csv", f->folder);
  am_test_file(path, f->text.data, f->text.used);
}

static void split_by_class(fixture *f) {
  char text[2048];
  snprintf(text, sizeof text, "{corpus: manifest, root: %s}", f->folder);
  load(f, text, "{kind: stratified, test: 0.3, validation: 0.3}", NULL);
}

static void classes(void **state) { check(state, 2500, make_classes, split_by_class); }

static void read_several(fixture *f) {
  char text[2048];
  snprintf(text, sizeof text, "{corpus: several, corpora: [{corpus: manifest, root: %s}]}", f->folder);
  load(f, text, "{kind: leave_one_speaker_out, fold: 1}", NULL);
}

static void several(void **state) { check(state, 2000, make_speakers, read_several); }

/* A description: exclusions, labels that are expected, rows of a table, and a file for every eighth row. */
static void make_description(fixture *f) {
  char path[1024];
  am_buffer table = {0};
  am_context *ctx = f->ctx;
  put(f, "{name: x, title: x, licence: x, table: {file: t.csv, label: label, speaker: speaker},\n labels: {");
  for (size_t i = 0; i < f->n; i++) put(f, "c%zu: l%zu, ", i, i);
  put(f, "last: last},\n exclude: {");
  for (size_t i = 0; i < f->n; i++) put(f, "e%zu: gone, ", i);
  put(f, "last: gone},\n expected: {labels: {");
  for (size_t i = 0; i < f->n; i++) put(f, "l%zu: 1, ", i);
  put(f, "last: 0}}}\n");
  am_buffer_printf(ctx, &table, "path,label,speaker\n");
  for (size_t i = 0; i < f->n; i++) {
    am_buffer_printf(ctx, &table, "f%zu.wav,c%zu,s%zu\n", i, i % 4, i);
    snprintf(path, sizeof path, "%s/f%zu.wav", f->folder, i);
    if (i < f->n / 8) am_test_file(path, "x", 1);
  }
  snprintf(path, sizeof path, "%s/t.csv", f->folder);
  am_test_file(path, table.data, table.used);
  snprintf(path, sizeof path, "%s/x.yaml", f->folder);
  am_test_file(path, f->text.data, f->text.used);
  am_buffer_free(ctx, &table);
}

static void read_description(fixture *f) {
  char text[2048];
  snprintf(text, sizeof text, "{corpus: described, root: %s, description: %s/x.yaml}", f->folder, f->folder);
  load(f, text, "{kind: speaker, test: 0.25}", NULL);
}

static void descriptions(void **state) { check(state, 1000, make_description, read_description); }

/* More labels than anybody tells apart are refused before each is compared with each. */
static void make_labels(fixture *f) {
  char path[1024];
  snprintf(path, sizeof path, "%s/x.wav", f->folder);
  am_test_file(path, "x", 1);
  put(f, "path,label,start\n");
  for (size_t i = 0; i < f->n; i++) put(f, "x.wav,label%zu,%zu\n", i, i);
  snprintf(path, sizeof path, "%s/manifest.csv", f->folder);
  am_test_file(path, f->text.data, f->text.used);
}

static void read_labels(fixture *f) {
  char text[2048];
  snprintf(text, sizeof text, "{corpus: manifest, root: %s}", f->folder);
  load(f, text, NULL, "different labels");
}

static void labels(void **state) { check(state, 2000, make_labels, read_labels); }

static void make_dialogue(fixture *f) {
  for (size_t i = 0; i < f->n; i++)
    put(f, "[%zu.0000 - %zu.5000]\tSes01F_impro01_F%03zu\tneu\t[2.5000, 2.5000, 2.5000]\nC-E2:\tNeutral;\t()\n\n", i, i,
        i);
  char path[1024];
  snprintf(path, sizeof path, "%s/d.txt", f->folder);
  am_test_file(path, f->text.data, f->text.used);
}

static am_status on_utterance(void *user, const am_iemocap_line *line, am_error *err) {
  (void)line, (void)err;
  ++*(size_t *)user;
  return AM_OK;
}

static am_status on_strange(void *user, int number, am_error *err) {
  (void)user, (void)err;
  fail_msg("line %d is strange", number);
  return AM_OK;
}

static void read_dialogue(fixture *f) {
  char path[1024];
  size_t n = 0;
  am_error err = AM_ERROR_INIT;
  snprintf(path, sizeof path, "%s/d.txt", f->folder);
  am_iemocap_reader reader = {f->ctx, path, true, &n, on_utterance, on_strange};
  am_test_ok(am_iemocap_read_consensus(&reader, &err), &err);
  assert_int_equal(n, f->n);
}

static void dialogues(void **state) { check(state, 4000, make_dialogue, read_dialogue); }

/* ---- HDF5 ---- */

static void make_arrays(fixture *f) {
  char path[1024], name[64];
  am_h5 *file;
  am_error err = AM_ERROR_INIT;
  const float x = 1;
  snprintf(path, sizeof path, "%s/x.h5", f->folder);
  am_test_ok(am_h5_create_aside(f->ctx, path, &file, &err), &err);
  for (size_t i = 0; i < f->n; i++) {
    snprintf(name, sizeof name, "weights/layer%zu", i);
    am_test_ok(am_h5_write(file, name, AM_H5_F32, 0, NULL, &x, &err), &err);
  }
  am_test_ok(am_h5_commit(file, &err), &err);
}

static void read_arrays(fixture *f) {
  char path[1024], name[64];
  am_h5 *file;
  am_error err = AM_ERROR_INIT;
  am_names names;
  float x;
  snprintf(path, sizeof path, "%s/x.h5", f->folder);
  am_test_ok(am_h5_open(f->ctx, path, AM_H5_UNTRUSTED, &file, &err), &err);
  am_test_ok(am_h5_children(file, "weights", &names, &err), &err);
  assert_int_equal(names.n, f->n);
  for (size_t i = 0; i < f->n; i++) {
    snprintf(name, sizeof name, "weights/layer%zu", i);
    am_test_ok(am_h5_read(file, name, AM_H5_F32, &x, 1, &err), &err);
  }
  am_names_free(f->ctx, &names);
  am_h5_close(file);
}

static void arrays(void **state) { check(state, 150, make_arrays, read_arrays); }

int main(void) {
#define t(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      t(aliases),  t(keys),    t(members), t(directives),   t(layers), t(layers_are_counted), t(columns), t(manifests),
      t(speakers), t(classes), t(several), t(descriptions), t(labels), t(dialogues),          t(arrays),
  };
  return cmocka_run_group_tests_name("proportion", tests, NULL, NULL);
}
