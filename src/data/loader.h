/* data/loader.h - features of a dataset, and batches from them.
 *
 * am_store holds what every clip needs ready in memory: features (T,F), or
 * sound when augmentation changes the waveform.  It is filled from the cache, and what the cache
 * lacks is decoded on all cores and added to it. */
#ifndef AM_LOADER_H
#define AM_LOADER_H

#include "audio/augment.h"
#include "audio/features.h"
#include "data/dataset.h"
#include "audiomood/nn.h"

typedef struct am_store am_store;

/* cache_dir NULL or "": no cache on disk.  keep_sound: hold waveforms too. Clips that cannot be
 * read fail the call, or with skip_unreadable are marked: am_store_ok. Progress is reported as "features". */
am_status am_store_create(am_context *ctx, const am_dataset *d, const am_features *fx, const am_data_options *data,
                          const char *cache_dir, bool keep_sound, am_store **out, am_error *err);
void am_store_free(am_store *store);
bool am_store_ok(const am_store *store, uint32_t clip);
bool am_store_readable(const am_store *store, uint32_t clip); /* am_store_ok, or put aside by data.unheard */
/* Whether there is nothing to hear in the clip (AM_HEARD also of what could not be read).  With data.unheard leave_out it is
 * not am_store_ok, either. */
am_unheard am_store_unheard(const am_store *store, uint32_t clip);
/* Why a clip that is not am_store_ok was left out: "silent", "too short" or AM_LEFT_OUT_UNREADABLE. */
const char *am_store_reason(const am_store *store, uint32_t clip);
/* Of the clip's samples as they were decoded (mean of the channels, at the file's rate; of a part: of its file and where it
 * is): the same on every mount, of every copy and every lossless form, whatever the features are.  0: it could not be read. */
uint64_t am_store_digest(const am_store *store, uint32_t clip);
double am_store_file_rate(const am_store *store, uint32_t clip); /* Hz of its file; 0 when it could not be read */
int am_store_frames(const am_store *store, uint32_t clip); /* T of the clip's features */
int am_store_bins(const am_store *store);                  /* F */
int am_store_max_frames(const am_store *store);
const float *am_store_features(const am_store *store, uint32_t clip); /* (T,F), not normalised */
const float *am_store_sound(const am_store *store, uint32_t clip, size_t *n);
double am_store_seconds(const am_store *store, uint32_t clip); /* decoded duration */
/* `unheard` are among those from the cache or computed. */
typedef struct am_store_counts { size_t from_cache, computed, skipped, unheard; double seconds; } am_store_counts;
am_store_counts am_store_counted(const am_store *store);

/* Normalisation of one run: how x (T,F) becomes what the model sees. */
typedef struct am_normaliser {
  int kind; /* am_normalise */
  bool by_all;
  int f;
  float *mean, *inverse;         /* train: (F) */
  int n_speakers;
  float *speaker_mean, *speaker_inverse; /* speaker: (n_speakers,F) */
} am_normaliser;
/* Statistics from the given clips (the training part) for kind train; from all clips of each speaker for kind speaker. */
am_status am_normaliser_fit(am_context *ctx, const am_store *store, const am_dataset *d, const am_feature_options *o,
                            const uint32_t *train, size_t n_train, am_normaliser *out, am_error *err);
void am_normaliser_apply(const am_normaliser *nz, int speaker, float *x, int t);
void am_normaliser_free(am_context *ctx, am_normaliser *nz);

/* One batch, owned by the loader until the next call of am_loader_next. */
typedef struct am_loader_batch {
  int n;
  const float *x;       /* (n, T_max, F), zero past lengths */
  const int *lengths;   /* frames */
  const float *targets; /* (n, K): one-hot or am_clip.soft, mixed by mixup */
  const float *weights; /* (n): class weights (mixed alike), or NULL */
  const uint64_t *draws; /* (n) position in the epoch's order */
  const uint32_t *clips; /* (n) dataset index */
} am_loader_batch;

typedef struct am_loader_options {
  int batch;
  int max_frames;  /* T of the model input; longer clips are cut (evaluation: from the start) */
  bool shuffle;    /* epoch order: Philox keyed by seed and epoch */
  bool balanced;   /* balanced sampler: clips drawn so that every class is equally likely */
  bool augment;
  uint64_t seed;
  const double *class_weights; /* (K) or NULL */
  bool bucket;     /* sort clips of similar length into batches (variable length), still seeded */
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
