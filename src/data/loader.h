/* SPDX-License-Identifier: MIT */
/* data/loader.h - features of a dataset, and batches from them.
 *
 * am_store holds what every clip needs ready in memory: features (T,F), or
 * sound when augmentation changes the waveform.  It is filled from the cache, and what the cache
 * lacks is decoded on all cores and added to it. */
#ifndef AM_LOADER_H
#define AM_LOADER_H

#include "audio/augment.h"
#include "audio/features.h"
#include "audiomood/nn.h"
#include "data/dataset.h"
#include "data/normaliser.h"
#include "data/split.h"
#include "data/store.h"

/* One batch, owned by the loader until the next call of am_loader_next. */
typedef struct am_loader_batch {
  int n;
  const float *x;        /* (n, T_max, F), zero past lengths; of am_loader_options.share the rows that are wanted */
  const int *lengths;    /* frames */
  const float *targets;  /* (n, K): one-hot or am_clip.soft, mixed by mixup */
  const float *weights;  /* (n): class weights (mixed alike), or NULL */
  const uint64_t *draws; /* (n) position in the epoch's order */
  const uint32_t *clips; /* (n) dataset index */
  /* With mixup row i is shares[i] of clips[i], and the rest of partners[i]; else NULL. */
  const uint32_t *partners;
  const float *shares;
} am_loader_batch;

/* What an epoch has equally often; a set. */
#define AM_BALANCES(X) X(AM_BALANCED_LABEL, "label") X(AM_BALANCED_CORPUS, "corpus")
typedef enum am_balanced { AM_BALANCES(AM_WORD_NAME) } am_balanced;
#define AM_BALANCE_LABEL (UINT64_C(1) << AM_BALANCED_LABEL)
#define AM_BALANCE_CORPUS (UINT64_C(1) << AM_BALANCED_CORPUS)

typedef struct am_loader_options {
  int batch;
  int max_frames; /* T of the model input; longer clips are cut (evaluation: from the start) */
  bool shuffle;   /* epoch order: Philox keyed by seed and epoch */
  uint64_t
      balance; /* set of am_balanced: clips are drawn so that each of these is equally likely, the classes within a corpus */
  bool augment;
  uint64_t seed;
  const double *class_weights; /* (K) or NULL */
  /* Rows of a batch of n that are wanted, the others being somebody else's; NULL: all.  The rest of a batch is whole. */
  void (*share)(const void *arg, int n, int *first, int *count);
  const void *share_arg;
  bool bucket; /* sort clips of similar length into batches (variable length), still seeded */
} am_loader_options;

typedef struct am_loader am_loader;
/* Reads ahead one batch in a thread of its own. All referenced objects must outlive it. */
am_status am_loader_create(am_context *ctx, const am_store *store, const am_dataset *d, const am_normaliser *nz,
                           const am_features *fx, const am_augment_options *augment, const uint32_t *clips, size_t n,
                           const am_loader_options *options, am_loader **out, am_error *err);
/* Starts epoch `epoch` at batch `first` (resume). */
am_status am_loader_start(am_loader *loader, uint64_t epoch, size_t first, am_error *err);
size_t am_loader_batches(const am_loader *loader); /* per epoch; the last one may be short */
/* *batch NULL at the epoch's end. */
am_status am_loader_next(am_loader *loader, const am_loader_batch **batch, am_error *err);
void am_loader_free(am_loader *loader);

#endif
