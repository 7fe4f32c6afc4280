/* data/store_inside.h - what a store is made of; for store.c, which fills it, store_compute.c, which knows how a clip becomes features,
 * store_read.c, which reads what is not in memory, and store_get.c, which says what is in it. */
#ifndef AM_STORE_INSIDE_H
#define AM_STORE_INSIDE_H

#include <pthread.h>

#include "data/cache.h"
#include "data/store.h"

/* Features or samples: in memory, or in a file of the cache.  16 bytes, for there is one for each clip of a corpus. */
typedef struct numbers {
  union {
    float *x;    /* NULL: none */
    uint64_t at; /* byte of the file */
  } is;
  uint32_t crc;
  int32_t file; /* of the store's files, from 1; 0: in memory */
} numbers;

typedef struct item {
  numbers x; /* (T,F) */
  double seconds, file_rate;
  uint64_t digest;
  int32_t t;
  uint8_t unheard; /* am_unheard */
  bool ok;
} item;

typedef struct waveform {
  numbers x;
  size_t n;
} waveform;

/* How a clip becomes features. */
typedef struct recipe {
  const am_dataset *d;
  const am_features *fx;
  double max_seconds;
  bool keep_sound;
  const am_condition *under;         /* NULL: as they are; not after the store was made */
  const am_augment_options *augment; /* of the copies `number`; NULL: none */
  int number;
} recipe;

/* What changes while a store is read: clips that are computed again. */
typedef struct mending {
  pthread_mutex_t lock; /* guards this, am_store.held, and numbers where a store has files */
  size_t said;
} mending;

struct am_store {
  am_context *ctx;
  size_t n;
  item *items;
  waveform *sounds; /* (n), or NULL: not kept */
  recipe how;
  am_augment_options augment; /* how.augment of copies */
  am_cache_files *files;      /* NULL: all is in memory */
  mending *mending;
  size_t limit, held; /* bytes of numbers that may be, and are, in memory */
  int bins, max_frames;
  am_store_counts counts;
  am_store **copies; /* (n_copies) */
  int n_copies;
};

/* store_compute.c */
typedef struct computed {
  float *x; /* (t,F) */
  int t;
  float *sound; /* (n) when wanted */
  size_t n;
  am_cache_facts facts; /* of what could be read, also after a failure */
} computed;
bool am_clip_is_part(const am_clip *c);
/* Decodes a clip; what is in `out` is the caller's, who frees x and sound.  On failure there is only the facts.  Any thread. */
am_status am_store_compute(am_context *ctx, const recipe *how, uint32_t clip, computed *out, am_error *err);

/* Frees what is in memory of some numbers; how many bytes that were is the caller's to know. */
void am_numbers_free(am_context *ctx, numbers *x);
void am_store_free_copies(am_store *store);

#endif
