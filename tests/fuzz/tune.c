/* SPDX-License-Identifier: MIT */
/* tests/fuzz/tune.c - the plan and results of a search (tune.json), beside its config and the finished run of a trial.  What is read
 * says who goes on, is written and read again to the same text, and becomes a page. */
#include "study/tune.h"
#include "fuzz/fuzz.h"
#include "report/report.h"

static const char config[] =
    "name: searched\nseed: 3\ndata: {corpus: manifest, root: no/such/corpus}\nsplit: {kind: corpus}\n"
    "features: {kind: mfcc, sample_rate: 8000, n_fft: 256, hop: 128, mels: 20, mfcc: 13, mean_over_time: true}\n"
    "model: {layers: [{dense: {}}]}\ntrain: {epochs: 4, monitor: validation_uar}\n";
static const char metrics[] =
    "{\"name\": \"x\", \"epochs\": 4, \"steps\": 8, \"best_epoch\": 2, \"seconds\": 62, \"split_note\": \"\",\n"
    "\"speaker_independent\": true, \"synthetic\": false, \"validation\": null, \"test\":\n"
    "{\"n\": 1, \"labels\": [\"calm\", \"sad\"], \"accuracy\": 1, \"uar\": 1, \"macro_f1\": 1, \"loss\": 0.75, "
    "\"ece\": 0.1,\n"
    "\"interval\": {\"kind\": \"Wilson\", \"level\": 0.95, \"accuracy\": [0.25, 1], \"uar\": [0.25, 1]},\n"
    "\"per_class\": {\"calm\": {\"precision\": 1, \"recall\": 1, \"f1\": 1, \"support\": 1},\n"
    "\"sad\": {\"precision\": null, \"recall\": null, \"f1\": null, \"support\": 0}},\n"
    "\"confusion\": [[1, 0], [0, 0]], \"split\": \"test\", \"speaker_independent\": true}}\n";
static const char history[] =
    "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,validation_uar,learning_rate,seconds,"
    "clips_per_second\n1,1.5,0.25,1,0.5,0.25,0.01,0.5,100\n2,1.25,0.5,1,0.5,0.5,0.001,0.5,100\n";

static void put(const char *name, const char *text) { fuzz_file(name, text, strlen(text)); }

/* The winner's run, of the trials that a small file may name. */
static void put_runs(void) {
  static const char *const files[][2] = {{"config.yaml", config},
                                         {"metrics.json", metrics},
                                         {"history.csv", history},
                                         {"run.json", "{\"name\": \"x\", \"state\": \"finished\"}"},
                                         {"predictions.csv",
                                          "clip,speaker,fold,true,predicted,p_calm,p_sad\n"
                                          "a.wav,s1,,calm,calm,0.75,0.25\n"}};
  char name[64];
  for (int trial = 1; trial <= 2; trial++)
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
      snprintf(name, sizeof name, "trial-%03d/%s", trial, files[i][0]);
      put(name, files[i][1]);
    }
}

/* Who goes on: each trial once, fewer from rung to rung. */
static void climb(const am_tune *t) {
  size_t *alive = calloc(t->n_trials, sizeof *alive), n = 0, before = t->n_trials;
  bool *seen = calloc(t->n_trials, sizeof *seen);
  fuzz_require(alive && seen);
  for (size_t r = 0; r <= t->n_rungs; r++, before = n) {
    n = am_tune_alive(t, r, alive);
    fuzz_require(n && n <= before);
    memset(seen, 0, t->n_trials * sizeof *seen);
    for (size_t k = 0; k < n; k++) {
      fuzz_require(alive[k] < t->n_trials && !seen[alive[k]]);
      seen[alive[k]] = true;
    }
  }
  fuzz_require(am_tune_at(t, alive, &n) <= t->n_rungs);
  for (size_t i = 0; i < t->n_trials; i++) fuzz_require(*am_tune_state(t, i, alive, n));
  am_tune_order(t, alive);
  for (size_t i = 0; i < t->n_trials; i++) fuzz_require(alive[i] < t->n_trials);
  free(alive);
  free(seen);
}

static am_status load(am_context *ctx, am_tune **t, am_error *err) {
  const am_status status = am_tune_load(ctx, fuzz_folder(), t, err);
  fuzz_check(status, err);
  fuzz_require(!status == (*t != NULL));
  return status;
}

/* tune.json and tune.csv as a search writes them. */
static void write_again(am_context *ctx, am_tune *t) {
  am_error err = AM_ERROR_INIT;
  am_buffer one = {0}, two = {0};
  am_tune *again = NULL;
  char path[300];
  snprintf(path, sizeof path, "%s/lock", fuzz_folder());
  am_status status = am_tune_json(t, &one, &err);
  if (!status) status = am_lock_take(ctx, path, &t->lock, &err);
  if (!status) status = am_tune_write(t, &err);
  fuzz_check(status, &err);
  if (!status && !load(ctx, &again, &err) && !am_tune_json(again, &two, &err))
    fuzz_require(!strcmp(one.data, two.data));
  am_tune_free(again);
  am_buffer_free(ctx, &one);
  am_buffer_free(ctx, &two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  static bool begun;
  if (!begun) put_runs();
  begun = true;
  put("tune.yaml", config);
  fuzz_file("tune.json", data, bytes);
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT;
  am_tune *t;
  if (!load(ctx, &t, &err)) {
    fuzz_allow(64 << 20); /* a picture a setting */
    climb(t);
    write_again(ctx, t);
    am_error why = AM_ERROR_INIT;
    if (bytes % 4 == 0) fuzz_check(am_report_write(ctx, fuzz_folder(), NULL, &why), &why); /* it takes long */
  }
  am_tune_free(t);
  fuzz_end();
  return 0;
}
