/* SPDX-License-Identifier: MIT */
/* study/tune_results.c - tune.json and tune.csv, written and read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/csv.h"
#include "io/json.h"
#include "run/folder.h"
#include "study/tune_inside.h"

static bool finished(const am_tune *t) { return t->results.ctx != NULL; }

const char *am_tune_state(const am_tune *t, size_t i, const size_t *alive, size_t n) {
  if (t->trials[i].failed) return "failed";
  if (finished(t)) return i == t->winner ? "winner" : "left behind";
  for (size_t k = 0; k < n; k++)
    if (alive[k] == i) return "going on";
  return "left behind";
}

size_t am_tune_at(const am_tune *t, size_t *alive, size_t *n) {
  size_t r = 0;
  for (;; r++) {
    *n = am_tune_alive(t, r, alive);
    if (r == t->n_rungs) return r;
    for (size_t k = 0; k < *n; k++)
      if (!t->trials[alive[k]].failed && t->trials[alive[k]].rungs <= r) return r;
  }
}

double am_tune_last(const am_trial *x) { return x->rungs ? x->values[x->rungs - 1] : NAN; }

const am_part_results *am_tune_part(const am_tune *t, const char *name) {
  for (int p = 0; p < t->results.n_parts; p++)
    if (!strcmp(t->results.parts[p].name, name)) return &t->results.parts[p];
  return NULL;
}

/* Whether a stands above b: who got further, and then who was better there. */
static bool above(const am_tune *t, size_t a, size_t b) {
  const am_trial *x = &t->trials[a], *y = &t->trials[b];
  if (!x->failed != !y->failed) return !x->failed;
  if (x->rungs != y->rungs) return x->rungs > y->rungs;
  return am_tune_better(t, am_tune_last(x), am_tune_last(y));
}

void am_tune_order(const am_tune *t, size_t *out) {
  for (size_t i = 0; i < t->n_trials; i++) {
    size_t at = i;
    for (; at && above(t, i, out[at - 1]); at--) out[at] = out[at - 1];
    out[at] = i;
  }
}

static void put_figures(am_json *j, const char *key, const am_part_results *part) {
  am_json_open(j, key, '{');
  am_json_int(j, "clips", (int64_t)part->metrics->n);
  if (part->metrics->dimensions) {
    am_json_real(j, "ccc", part->metrics->ccc);
  } else {
    am_json_real(j, "accuracy", part->metrics->accuracy);
    am_json_real(j, "uar", part->metrics->uar);
    am_json_real(j, "macro_f1", part->metrics->macro_f1);
  }
  am_json_close(j);
}

static void put_trial(am_json *j, const am_tune *t, size_t i) {
  const am_trial *x = &t->trials[i];
  am_json_open(j, NULL, '{');
  am_json_int(j, "trial", (int64_t)i + 1);
  am_json_text(j, "folder", x->folder + strlen(t->folder) + 1);
  am_json_open(j, "settings", '{');
  for (size_t k = 0; k < t->n_keys; k++) am_json_text(j, t->keys[k], x->settings[k]);
  am_json_close(j);
  am_json_int(j, "epochs", (int64_t)x->epochs);
  am_json_int(j, "best_epoch", (int64_t)x->best_epoch);
  am_json_reals(j, "values", x->values, x->rungs);
  am_json_real(j, "seconds", x->seconds);
  am_json_text(j, "failed", x->failed);
  am_json_close(j);
}

am_status am_tune_json(const am_tune *t, am_buffer *out, am_error *err) {
  am_json j = am_json_begin(t->ctx, out, 2);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "version", am_version());
  am_json_text(&j, "monitor", am_tune_monitor(t));
  am_json_int(&j, "seed", (int64_t)t->seed);
  am_json_int(&j, "reduction", t->reduction);
  am_json_ints(&j, "rungs", (const int64_t *)t->rungs, t->n_rungs);
  am_json_open(&j, "trials", '[');
  for (size_t i = 0; i < t->n_trials; i++) put_trial(&j, t, i);
  am_json_close(&j);
  if (finished(t)) {
    am_json_int(&j, "winner", (int64_t)t->winner + 1);
    for (int p = t->results.n_parts; p-- > 0;) put_figures(&j, t->results.parts[p].name, &t->results.parts[p]);
  } else {
    am_json_null(&j, "winner");
  }
  am_json_close(&j);
  am_buffer_append(t->ctx, out, "\n", 1);
  return out->failed ? am_no_memory(err) : AM_OK;
}

static am_status table(const am_tune *t, am_buffer *out, am_error *err) {
  size_t *alive = am_alloc(t->ctx, t->n_trials, sizeof *alive);
  if (!alive) return am_no_memory(err);
  size_t n;
  (void)am_tune_at(t, alive, &n);
  am_csv_writer w = {.ctx = t->ctx, .out = out};
  const char *const columns[] = {"trial", "state", "epochs", "best_epoch", am_tune_monitor(t)};
  for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) am_csv_put(&w, columns[c]);
  for (size_t k = 0; k < t->n_keys; k++) am_csv_put(&w, t->keys[k]);
  am_csv_put(&w, "seconds");
  am_csv_put(&w, "failed");
  am_csv_end_row(&w);
  for (size_t i = 0; i < t->n_trials; i++) {
    const am_trial *x = &t->trials[i];
    am_csv_put_int(&w, (int64_t)i + 1);
    am_csv_put(&w, am_tune_state(t, i, alive, n));
    am_csv_put_int(&w, (int64_t)x->epochs);
    am_csv_put_int(&w, (int64_t)x->best_epoch);
    am_csv_put_real(&w, am_tune_last(x));
    for (size_t k = 0; k < t->n_keys; k++) am_csv_put(&w, x->settings[k]);
    am_csv_put_real(&w, x->seconds);
    am_csv_put(&w, x->failed ? x->failed : "");
    am_csv_end_row(&w);
  }
  am_free(t->ctx, alive);
  return out->failed ? am_no_memory(err) : AM_OK;
}

static am_status write(am_tune *t, am_run_file file, am_buffer *text, am_status made, am_error *err) {
  char *path = am_run_file_path(t->ctx, t->folder, file);
  am_status status = made ? made : path ? am_lock_check(t->lock, err) : am_no_memory(err);
  if (!status) status = am_file_write_own(t->ctx, path, NULL, text->data, text->used, err);
  am_buffer_free(t->ctx, text);
  am_free(t->ctx, path);
  return status;
}

am_status am_tune_write(am_tune *t, am_error *err) {
  am_buffer json = {0}, csv = {0};
  am_status status = write(t, AM_FILE_TUNE_RESULTS, &json, am_tune_json(t, &json, err), err);
  return status ? status : write(t, AM_FILE_TUNE_TABLE, &csv, table(t, &csv, err), err);
}

/* ---- read ---- */

enum { MOST_TRIALS = 10000, MOST_KEYS = 64, MOST_RUNGS = 64 };

static bool take_int(const am_value *map, const char *key, int64_t low, int64_t high, int64_t *out) {
  const am_value *v = am_value_get(map, key);
  return v && am_value_to_int(v, out) && *out >= low && *out <= high;
}

static bool take_rungs(am_tune *t, const am_value *list) {
  int64_t epochs, before = 0;
  if (!list || list->kind != AM_LIST || !list->count || list->count > MOST_RUNGS) return false;
  if (!(t->rungs = am_tree_take(t->texts, list->count, sizeof *t->rungs))) return false;
  for (const am_value *v = list->first; v; v = v->next, before = epochs) {
    if (!am_value_to_int(v, &epochs) || epochs <= before) return false;
    t->rungs[t->n_rungs++] = (uint64_t)epochs;
  }
  return before == t->config->train.epochs;
}

/* All trials have the settings of the first one. */
static bool take_settings(am_tune *t, am_trial *x, const am_value *map) {
  if (!map || map->kind != AM_MAP || !map->count || map->count > MOST_KEYS) return false;
  if (!t->keys) {
    t->n_keys = map->count;
    t->keys = am_tree_take(t->texts, t->n_keys, sizeof *t->keys);
    size_t k = 0;
    for (const am_value *v = map->first; v && t->keys; v = v->next)
      if (!(t->keys[k++] = am_tree_string(t->texts, v->key))) return false;
  }
  x->settings = am_tree_take(t->texts, t->n_keys, sizeof *x->settings);
  if (!t->keys || !x->settings || map->count != t->n_keys) return false;
  size_t k = 0;
  for (const am_value *v = map->first; v; v = v->next, k++) {
    if (v->kind != AM_SCALAR || strcmp(v->key, t->keys[k])) return false;
    if (!(x->settings[k] = am_tree_string(t->texts, v->text))) return false;
  }
  return true;
}

static bool take_values(am_tune *t, am_trial *x, const am_value *list) {
  if (!list || list->kind != AM_LIST || list->count > t->n_rungs) return false;
  x->values = am_tree_take(t->texts, t->n_rungs, sizeof *x->values);
  if (!x->values) return false;
  for (size_t r = 0; r < t->n_rungs; r++) x->values[r] = NAN;
  for (const am_value *v = list->first; v; v = v->next, x->rungs++)
    if (v->kind != AM_NULL && !am_value_to_real(v, &x->values[x->rungs])) return false;
  return true;
}

static bool take_trial(am_tune *t, am_trial *x, const am_value *v) {
  int64_t epochs, best;
  const am_value *failed = am_value_get(v, "failed"), *seconds = am_value_get(v, "seconds");
  if (!take_settings(t, x, am_value_get(v, "settings")) || !take_values(t, x, am_value_get(v, "values"))) return false;
  if (!take_int(v, "epochs", 0, INT64_MAX, &epochs) || !take_int(v, "best_epoch", 0, epochs, &best)) return false;
  if (!seconds || !am_value_to_real(seconds, &x->seconds)) return false;
  x->epochs = (uint64_t)epochs;
  x->best_epoch = (uint64_t)best;
  if (failed && failed->kind == AM_SCALAR && !(x->failed = am_tree_string(t->texts, failed->text))) return false;
  return true;
}

/* 1, 2, ... n; null, or not said: there is none yet. */
static bool take_winner(am_tune *t, const am_value *v) {
  int64_t winner;
  t->winner = SIZE_MAX;
  if (!v || v->kind == AM_NULL) return true;
  if (!am_value_to_int(v, &winner) || winner < 1 || (uint64_t)winner > t->n_trials) return false;
  t->winner = (size_t)winner - 1;
  return true;
}

static bool take_all(am_tune *t, const am_value *root) {
  const am_value *monitor = am_value_get(root, "monitor"), *trials = am_value_get(root, "trials");
  int64_t seed;
  if (!monitor || monitor->kind != AM_SCALAR || strcmp(monitor->text, am_tune_monitor(t))) return false;
  if (!take_int(root, "seed", 0, INT64_MAX, &seed) || (uint64_t)seed != t->config->seed) return false;
  if (!take_int(root, "reduction", 2, 100, &t->reduction) || !take_rungs(t, am_value_get(root, "rungs"))) return false;
  if (!trials || trials->kind != AM_LIST || !trials->count || trials->count > MOST_TRIALS) return false;
  t->seed = (uint64_t)seed;
  if (!(t->trials = am_tree_take(t->texts, trials->count, sizeof *t->trials))) return false;
  for (const am_value *v = trials->first; v; v = v->next, t->n_trials++)
    if (!take_trial(t, &t->trials[t->n_trials], v)) return false;
  return take_winner(t, am_value_get(root, "winner"));
}

am_status am_tune_read(am_tune *t, am_error *err) {
  char *path = am_run_file_path(t->ctx, t->folder, AM_FILE_TUNE_RESULTS);
  am_tree *tree = NULL;
  am_status status = path ? am_json_read_file(t->ctx, path, &tree, err) : am_no_memory(err);
  if (!status && !take_all(t, am_tree_root(tree)))
    status = am_fail(err, AM_E_FORMAT,
                     "%s: is damaged, or not of the search in %s: wanted its seed, monitor, rungs and trials", path,
                     am_run_file_name(AM_FILE_TUNE));
  am_tree_free(tree);
  am_free(t->ctx, path);
  return status;
}

static am_status load(am_tune *t, am_error *err) {
  char *yaml = am_run_file_path(t->ctx, t->folder, AM_FILE_TUNE);
  am_status status = yaml ? am_config_load_stored(t->ctx, yaml, NULL, 0, &t->own, err) : am_no_memory(err);
  am_free(t->ctx, yaml);
  if (status) return status;
  t->config = t->own;
  status = am_tree_create(t->ctx, &t->texts, err);
  if (!status) status = am_tune_read(t, err);
  if (!status) status = am_tune_make_room(t, err);
  if (status || t->winner == SIZE_MAX) return status;
  return am_results_read(t->ctx, t->trials[t->winner].folder, &t->results, err);
}

am_status am_tune_load(am_context *ctx, const char *folder, am_tune **out, am_error *err) {
  am_tune *t = *out = am_alloc(ctx, 1, sizeof *t);
  if (!t) return am_no_memory(err);
  *t = (am_tune){.ctx = ctx, .folder = folder, .winner = SIZE_MAX};
  const am_status status = load(t, err);
  if (!status) return AM_OK;
  am_tune_free(t);
  *out = NULL;
  return status;
}
