/* SPDX-License-Identifier: MIT */
/* tests/train/test_targets.c - what other models say, as targets: the numbers by hand, and what is refused. */
#include "../model/made_up.h"

#include <math.h>

#include "train/targets.h"

typedef struct world {
  am_context *ctx;
  char *folder, *file;
  am_config *config;
  am_dataset *d;
  am_split *split;
} world;

static const char *class_of(const am_clip *clip) {
  return strstr(clip->name, "low") ? "low" : strstr(clip->name, "middle") ? "middle" : "high";
}

/* Each clip of the corpus, 0.5 for high, 0.3 for low, 0.2 for middle; but for row `changed` the text. */
static void write_table(const world *w, size_t changed, const char *text) {
  FILE *f = fopen(w->file, "w");
  assert_non_null(f);
  fprintf(f, "clip,speaker,true,predicted,p_low,p_high,p_middle\n");
  for (size_t i = 0; i < w->d->n; i++)
    if (i == changed) fprintf(f, "%s", text);
    else fprintf(f, "%s,x,%s,high,0.3,0.5,0.2\n", w->d->clips[i].name, class_of(&w->d->clips[i]));
  fclose(f);
}

static world begin(double share, double temperature) {
  world w = {.ctx = am_test_context(1, NULL), .folder = am_test_folder()};
  am_error err = AM_ERROR_INIT;
  char at[600], part[64], warm[64];
  w.file = strdup(am_test_path(w.folder, "said.csv"));
  snprintf(at, sizeof at, "train.targets=%s", w.file);
  snprintf(part, sizeof part, "train.targets_share=%g", share);
  snprintf(warm, sizeof warm, "train.targets_temperature=%g", temperature);
  made_up_corpus(w.ctx, w.folder, 4, 1);
  w.config = made_up_config(w.ctx, w.folder, (const char *const[]){at, part, warm}, 3);
  am_test_ok(am_dataset_load(w.ctx, &w.config->data, &w.d, &err), &err);
  am_test_ok(am_split_make(w.ctx, w.d, &w.config->split, &w.split, &err), &err);
  write_table(&w, SIZE_MAX, "");
  return w;
}

static am_status load(world *w, am_error *err) {
  static char digest[AM_TARGETS_DIGEST];
  *err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_targets_digest(w->ctx, w->file, digest, err), err);
  w->config->train.targets_digest = digest;
  return am_targets_load(w->config, w->d, w->split->at[AM_PART_TRAIN], w->split->n[AM_PART_TRAIN], err);
}

static void end(world *w) {
  am_split_free(w->ctx, w->split);
  am_dataset_free(w->d);
  am_config_free(w->config);
  am_test_folder_remove(w->folder);
  free(w->folder), free(w->file);
  am_context_free(w->ctx);
}

static void targets_by_hand(void **state) {
  (void)state;
  world w = begin(0.75, 2);
  am_error err;
  am_test_ok(load(&w, &err), &err);
  const double all = sqrt(0.5) + sqrt(0.3) + sqrt(0.2), said[] = {sqrt(0.5) / all, sqrt(0.3) / all, sqrt(0.2) / all};
  size_t given = 0;
  assert_string_equal(w.d->labels[0], "high"); /* the columns are in another order */
  for (size_t i = 0; i < w.d->n; i++) {
    const am_clip *c = &w.d->clips[i];
    assert_true((c->soft != NULL) == (c->part == AM_PART_TRAIN)); /* what is held out is not taught */
    for (int k = 0; k < 3 && c->soft; k++) {
      const double wanted = 0.75 * said[k] + 0.25 * (k == c->label);
      assert_true(fabs((double)c->soft[k] - wanted) < 1e-6);
    }
    given += c->soft != NULL;
  }
  assert_int_equal(given, w.split->n[AM_PART_TRAIN]);
  end(&w);
}

static void refusals(void **state) {
  (void)state;
  world w = begin(0.5, 1);
  am_error err;
  const size_t clip = w.split->at[AM_PART_TRAIN][1];
  const char *name = w.d->clips[clip].name;
  char row[200];
  write_table(&w, clip, "");
  am_test_fails(load(&w, &err), AM_E_DATA, &err, "says nothing of clip");
  assert_non_null(strstr(err.message, name));
  snprintf(row, sizeof row, "%s,x,%s,high,0.3,0.5,0.2\n", name, strstr(name, "low") ? "high" : "low");
  write_table(&w, clip, row);
  am_test_fails(load(&w, &err), AM_E_FORMAT, &err, "in the corpus");
  snprintf(row, sizeof row, "%s,x,%s,high,0.3,0.5,0.9\n", name, class_of(&w.d->clips[clip]));
  write_table(&w, clip, row);
  am_test_fails(load(&w, &err), AM_E_FORMAT, &err, "sum to 1.7");
  write_table(&w, SIZE_MAX, "");
  am_test_ok(load(&w, &err), &err);
  write_table(&w, clip, row);
  am_test_fails(am_targets_load(w.config, w.d, w.split->at[AM_PART_TRAIN], 1, &err), AM_E_CONFIG, &err,
                "has the digest");
  w.config->train.targets = ""; /* nothing is asked for */
  am_test_ok(am_targets_load(w.config, w.d, w.split->at[AM_PART_TRAIN], 1, &err), &err);
  end(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(targets_by_hand), cmocka_unit_test(refusals)};
  return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
