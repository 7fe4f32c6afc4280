/* SPDX-License-Identifier: MIT */
/* tests/fuzz/profile.c - a profile of a voice, or edits of one (h5edit.h).  Whatever is loaded is merged with itself, hears a sound,
 * is saved and read again to the same numbers, and is told to a model. */
#include <math.h>

#include "fuzz/h5edit.h"
#include "fuzz/h5use.h"
#include "model/profile.h"

enum { SAMPLES = 1600 };

/* A model that normalises by speaker; most profiles are of other features than its. */
static void enrol(am_context *ctx, const am_profile *p) {
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c = NULL;
  am_status status = am_checkpoint_load(ctx, AM_SOURCE_ROOT "/tests/model/golden/checkpoint-1.0.h5", &c, &err);
  if (!status) {
    am_norm_free(ctx, &c->normaliser.training);
    c->normaliser.kind = AM_NORMALISE_SPEAKER;
    status = am_checkpoint_enrol(c, p, &err);
  }
  fuzz_check(status, &err);
  if (!status) h5use_predict(ctx, c);
  am_checkpoint_free(c);
}

static void save(am_context *ctx, const am_profile *p) {
  am_error err = AM_ERROR_INIT;
  am_profile *again = NULL;
  char path[300];
  snprintf(path, sizeof path, "%s/again.h5", fuzz_folder());
  am_status status = am_profile_save(p, path, &err);
  if (!status) {
    status = am_profile_load(ctx, path, &again, &err);
    fuzz_require(status || (again->stats.count == p->stats.count && again->seconds == p->seconds &&
                            !memcmp(again->stats.m2, p->stats.m2, (size_t)p->stats.f * sizeof *p->stats.m2)));
  }
  fuzz_check(status, &err);
  am_profile_free(again);
}

static void hear(am_profile *p) {
  am_error err = AM_ERROR_INIT, other = AM_ERROR_INIT;
  float samples[SAMPLES];
  for (int i = 0; i < SAMPLES; i++) samples[i] = 0.3f * sinf(0.4f * (float)i);
  if (!h5use_takes_long(&p->options)) fuzz_check(am_profile_add(p, samples, SAMPLES, &err), &err);
  fuzz_check(am_profile_merge(p, p, &other), &other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  size_t size;
  char path[300];
  snprintf(path, sizeof path, "%s", h5edit_file(data, bytes, "profile.h5", &size));
  am_context *ctx = fuzz_begin(size, true);
  am_error err = AM_ERROR_INIT;
  am_profile *p = NULL;
  am_status status = am_profile_load(ctx, path, &p, &err);
  fuzz_check(status, &err);
  fuzz_require(!status == (p != NULL));
  if (p) {
    fuzz_allow(64 << 20); /* its features may be wide */
    enrol(ctx, p);
    save(ctx, p);
    hear(p);
    save(ctx, p);
  }
  am_profile_free(p);
  fuzz_end();
  return 0;
}
