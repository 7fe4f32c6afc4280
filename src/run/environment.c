/* SPDX-License-Identifier: MIT */
/* run/environment.c - see environment.h. */
#include "run/environment.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "audio/decoder.h"
#include "audio/fft.h"
#include "audio/resample.h"
#include "io/h5.h"
#include "tensor/tensor.h"

static void fact(am_environment *e, size_t i, const char *key, const char *text) {
  e->facts[i].key = key;
  snprintf(e->facts[i].text, sizeof e->facts[i].text, "%s", text);
}

void am_environment_get(am_context *ctx, am_environment *out) {
  struct utsname system;
  char hdf5[32];
  am_h5_library(hdf5);
  fact(out, 0, "version", am_version());
  fact(out, 1, "compiler", __VERSION__);
  fact(out, 2, "cpu", am_context_cpu(ctx));
  fact(out, 3, "machine", uname(&system) == 0 ? system.machine : "unknown");
  fact(out, 4, "openblas", am_gemm_library());
  fact(out, 5, "fftw", am_fft_library());
  fact(out, 6, "libsoxr", am_resample_library());
  fact(out, 7, "libsndfile", am_sound_library());
  fact(out, 8, "hdf5", hdf5);
  fact(out, 9, "sums", "in groups of clips and in pairs"); /* nn/groups.h */
}

static const char *text_of(const am_value *environment, const char *key) {
  const am_value *v = am_value_get(environment, key);
  if (v && v->kind == AM_SCALAR) return v->text;
  return environment && !strcmp(key, "sums") ? "over whole batches"
                                             : "unknown"; /* as it was before there was a word for it */
}

static bool same(const am_value *environment, const am_environment *now) {
  for (size_t i = 0; i < AM_FACTS; i++)
    if (strcmp(text_of(environment, now->facts[i].key), now->facts[i].text)) return false;
  return true;
}

static uint64_t begun_at(const am_value *environment) {
  int64_t step;
  const am_value *v = am_value_get(environment, "from_step");
  return v && am_value_to_int(v, &step) && step > 0 ? (uint64_t)step : 0;
}

static const am_value *first_of(const am_value *list) { return list && list->kind == AM_LIST ? list->first : NULL; }

/* Begins the list `name` with what earlier processes wrote there; returns the last of it.  Steps that were lost and are
 * trained again are this process's. */
static const am_value *begin_list(const am_tree *before, uint64_t step, am_json *j, const char *name) {
  const am_value *last = NULL;
  am_json_open(j, name, '[');
  for (const am_value *e = before ? first_of(am_value_get(am_tree_root((am_tree *)before), name)) : NULL; e;
       e = e->next) {
    if (e->kind != AM_MAP || begun_at(e) >= step) continue;
    am_json_value(j, NULL, e);
    last = e;
  }
  return last;
}

void am_environment_write(am_context *ctx, const am_tree *before, uint64_t step, am_json *j) {
  am_environment now;
  am_environment_get(ctx, &now);
  const am_value *last = begin_list(before, step, j, "environments");
  if (!last || !same(last, &now)) {
    am_json_open(j, NULL, '{');
    am_json_int(j, "from_step", (int64_t)step);
    for (size_t i = 0; i < AM_FACTS; i++) am_json_text(j, now.facts[i].key, now.facts[i].text);
    am_json_close(j);
  }
  am_json_close(j);
}

void am_environment_compare(am_context *ctx, const am_value *facts, uint64_t step, am_buffer *out) {
  const am_value *then = NULL;
  am_environment now;
  am_environment_get(ctx, &now);
  for (const am_value *e = first_of(am_value_get(facts, "environments")); e; e = e->next)
    if (!then || begun_at(e) < step) then = e;
  for (size_t i = 0; i < AM_FACTS; i++) {
    const char *key = now.facts[i].key, *before = text_of(then, key);
    if (strcmp(before, now.facts[i].text))
      am_buffer_printf(ctx, out, "%s: %s then, %s now\n", key, before, now.facts[i].text);
  }
}

/* ---- train.epochs ---- */

/* 0: none that a config may have. */
static int64_t epochs_of(const am_value *entry) {
  int64_t epochs;
  const am_value *v = am_value_get(entry, "epochs");
  return v && am_value_to_int(v, &epochs) && epochs > 0 ? epochs : 0;
}

void am_epochs_write(const am_tree *before, uint64_t step, int64_t epochs, am_json *j) {
  const am_value *last = begin_list(before, step, j, "train_epochs");
  if (!last || epochs_of(last) != epochs) {
    am_json_open(j, NULL, '{');
    am_json_int(j, "from_step", (int64_t)step);
    am_json_int(j, "epochs", epochs);
    am_json_close(j);
  }
  am_json_close(j);
}

int64_t am_epochs_at(const am_value *list, uint64_t step) {
  int64_t epochs = 0;
  for (const am_value *e = first_of(list); e; e = e->next)
    if (begun_at(e) <= step) epochs = epochs_of(e);
  return epochs;
}
