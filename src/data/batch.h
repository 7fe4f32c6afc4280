/* data/batch.h - making the clips of one batch; for data/ only. */
#ifndef AM_BATCH_H
#define AM_BATCH_H

#include "data/loader.h"

/* What a batch is made from: fixed for the life of a loader, `epoch` between starts. */
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
  int *raw_lengths, *lengths;
  float *targets, *weights;
  uint64_t *draws;
  uint32_t *clips;
} am_batch_memory;

am_status am_batch_alloc(const am_batch_source *s, am_batch_memory *m, am_error *err);
void am_batch_free(am_context *ctx, am_batch_memory *m);
/* A clip as the store has it, all borrowed: features (T,F) where the augmentation leaves the sound alone, else the sound. */
typedef struct am_batch_clip {
  const char *name;
  int speaker;
  const float *features; /* (t,F) */
  int t;
  const float *sound;    /* (n) */
  size_t n;
} am_batch_clip;
/* What training makes of it: am_free x and sound. */
typedef struct am_batch_made {
  float *x;     /* (t,F) augmented and normalised, not yet cut to the model's input */
  int t;
  float *sound; /* (n) augmented; NULL where only features are */
  size_t n;
} am_batch_made;
/* The one way from a clip to what a model is trained on, for rows and for who wants to see one (inspect --augment): of the
 * epoch of `s`, at position `draw` of its order.  On failure there is nothing to free. */
am_status am_batch_make(const am_batch_source *s, const am_batch_clip *clip, uint64_t draw, am_batch_made *out, am_error *err);

/* Row i of `raw`: features, augmented and normalised. Rows may be made by several threads at once. */
am_status am_batch_row(const am_batch_source *s, am_batch_memory *m, int i, am_error *err);
/* After all rows: mixup, targets, weights. */
void am_batch_finish(const am_batch_source *s, am_batch_memory *m);

#endif
