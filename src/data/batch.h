/* SPDX-License-Identifier: MIT */
/* data/batch.h - the rows of a batch: the one way from a sound, or its features, to what a model is given, for training, evaluation,
 * prediction and inspect --augment. */
#ifndef AM_BATCH_H
#define AM_BATCH_H

#include "data/loader.h"

/* What a batch is made from: fixed for the life of a loader, `epoch` between starts.  A row of a sound that is in no store needs
 * ctx, nz, fx, t and f alone. */
typedef struct am_batch_source {
  am_context *ctx;
  const am_store *store;
  const am_dataset *d;
  const am_normaliser *nz;
  const am_features *fx;
  const am_augment_options *augment; /* NULL: none */
  bool needs_sound;
  const double *class_weights;
  uint64_t seed, epoch;
  int batch, t, f, k; /* rows, frames, bins, classes */
} am_batch_source;

/* The memory of one batch; raw and mixed are the same without mixup. */
typedef struct am_batch_memory {
  int n;
  float *raw, *mixed; /* (batch,t,f) */
  int first, count;   /* rows that are wanted: [first, first + count); targets and weights are of all */
  bool *made;         /* rows that these are made of */
  int *raw_lengths, *lengths;
  float *targets, *weights;
  uint64_t *draws;
  uint32_t *clips, *partners; /* of mixup the other clip, and the first one's share */
  float *shares;
} am_batch_memory;

am_status am_batch_alloc(const am_batch_source *s, am_batch_memory *m, am_error *err);
void am_batch_free(am_context *ctx, am_batch_memory *m);
/* A clip as the store has it, all borrowed: features (T,F) where the augmentation leaves the sound alone, else the sound.  Without
 * features they are computed from the sound. */
typedef struct am_batch_clip {
  const char *name;
  int whose;             /* statistics normalise it (am_normaliser_whose) */
  const float *features; /* (t,F) */
  int t;
  const float *sound; /* (n) */
  size_t n;
} am_batch_clip;
/* What training makes of it: am_free x and sound. */
typedef struct am_batch_made {
  float *x; /* (t,F) augmented and normalised, not yet truncated to the model's input */
  int t;
  float *sound; /* (n) augmented; NULL where only features are */
  size_t n;
} am_batch_made;
/* What becomes of the clip in the epoch of `s`, at position `draw` of its order.  On failure there is nothing to free. */
am_status am_batch_make(const am_batch_source *s, const am_batch_clip *clip, uint64_t draw, am_batch_made *out,
                        am_error *err);

/* The same as a row (t,F) of a model's input: cut to s->t frames, or followed by zeros.  *length gets its frames. */
am_status am_batch_put(const am_batch_source *s, const am_batch_clip *clip, uint64_t draw, float *row, int *length,
                       am_error *err);
/* Row i of `raw`: features, augmented and normalised. Rows may be made by several threads at once. */
am_status am_batch_row(const am_batch_source *s, am_batch_memory *m, int i, am_error *err);
/* Before: which rows are made, m->n, clips, draws, first and count being known. */
void am_batch_choose(const am_batch_source *s, am_batch_memory *m);
/* After all rows: mixup, targets, weights. */
void am_batch_finish(const am_batch_source *s, am_batch_memory *m);

#endif
