/* SPDX-License-Identifier: MIT */
/* tests/model/checkpoint_copy.h - a copy of the golden checkpoint to be changed, and speakers that it can be said to know. */
#ifndef AM_TEST_CHECKPOINT_COPY_H
#define AM_TEST_CHECKPOINT_COPY_H

#include "testing.h"

#include "base/file.h"
#include "io/h5.h"
#include "made_up.h"
#include "model/checkpoint.h"
#include "model/origin.h"

static const char GOLDEN[] = "tests/model/golden/checkpoint-1.0.h5";

/* A copy of the golden file in a folder of its own, to be changed. */
typedef struct copy {
  am_context *ctx;
  char *folder, *path;
} copy;

static inline copy copy_make(void) {
  copy c = {.ctx = am_test_context(1, NULL), .folder = am_test_folder()};
  am_error err = AM_ERROR_INIT;
  char *data;
  size_t bytes;
  c.path = strdup(am_test_path(c.folder, "copy.h5"));
  am_test_ok(am_file_read(c.ctx, am_test_source(GOLDEN), 1 << 20, &data, &bytes, &err), &err);
  am_test_file(c.path, data, bytes);
  am_free(c.ctx, data);
  return c;
}

static inline void copy_free(copy *c) {
  am_test_folder_remove(c->folder);
  free(c->folder);
  free(c->path);
  am_context_free(c->ctx);
}

static inline am_h5 *change(copy *c) {
  am_h5 *file;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_h5_open(c->ctx, c->path, AM_H5_UPDATE, &file, &err), &err);
  return file;
}

static inline void refused(copy *c, am_status status, const char *words) {
  am_checkpoint *none;
  am_error err;
  am_test_fails(am_checkpoint_load(c->ctx, c->path, &none, &err), status, &err, words);
  assert_non_null(strstr(err.message, "copy.h5"));
  assert_null(none);
}

/* Corpora "a" (known), "b" (nobody named) and one that is not known, as several. */
enum { A_ANN, A_BOB, A_CY, B_SOME, NO_CORPUS };
static const char *speakers[] = {"a/ann", "a/02", "a/cy", "none/dan"}, *corpora[] = {"a", "b", "none"},
                  *identities[] = {"a", "b", NULL};
static am_clip clips[] = {{.name = "1", .speaker = 0},
                          {.name = "2", .speaker = 1},
                          {.name = "3", .speaker = 2},
                          {.name = "4", .speaker = -1, .corpus = 1},
                          {.name = "5", .speaker = 3, .corpus = 2}};
static const am_dataset people = {.corpus = "several",
                                  .n = 5,
                                  .clips = clips,
                                  .n_speakers = 4,
                                  .speakers = speakers,
                                  .n_corpora = 3,
                                  .corpora = corpora,
                                  .identities = identities};

/* Trained on ann and 02, the epoch chosen on cy. */
static inline void save_with_speakers(copy *c, am_checkpoint *read, const am_optimiser *o,
                                      const am_training_state *state) {
  am_error err = AM_ERROR_INIT;
  am_split split = {
      .note = "none", .n = {2, 1, 1}, .at = {(uint32_t[]){A_ANN, A_BOB}, (uint32_t[]){A_CY}, (uint32_t[]){NO_CORPUS}}};
  am_names before = {(char *[]){"x\tone", "x\ttwo"}, 2};
  am_save save = {.config = read->config,
                  .model = read->model,
                  .labels = read->labels,
                  .classes = read->classes,
                  .normaliser = &read->normaliser,
                  .dataset = &people,
                  .split = &split,
                  .before = &before,
                  .epoch = read->epoch,
                  .optimiser = o,
                  .state = state};
  am_test_ok(am_checkpoint_save(c->ctx, c->path, NULL, &save, &err), &err);
}

/* Writes the copy anew: the golden file is older than the checksums over what describes a file, and than the speakers that a
 * model knows. */
static inline void write_again(copy *c) {
  am_error err = AM_ERROR_INIT;
  am_checkpoint *read;
  am_optimiser *o;
  am_training_state state;
  am_test_ok(am_checkpoint_load(c->ctx, c->path, &read, &err), &err);
  am_test_ok(am_optimiser_create(c->ctx, &read->config->optimiser, read->config->train.ema, read->model, &o, &err),
             &err);
  am_test_ok(made_up_resume(c->ctx, c->path, read->model, o, &state, &err), &err);
  save_with_speakers(c, read, o, &state);
  am_free(c->ctx, state.history);
  am_optimiser_free(o);
  am_checkpoint_free(read);
}

#endif
