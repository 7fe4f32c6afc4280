/* SPDX-License-Identifier: MIT */
/* data/store_inside.h - what a store is made of; for store.c, which fills it, store_share.c, by which several processes fill theirs
 * together, store_compute.c, which knows how a clip becomes features, store_read.c, which reads what is not in memory, and
 * store_get.c, which says what is in it. */
#ifndef AM_STORE_INSIDE_H
#define AM_STORE_INSIDE_H

#include <pthread.h>

#include "data/cache.h"
#include "data/store.h"
#include "ranks/ranks.h"

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

/* ---- filling ---- */

/* What a file was when its key was made. */
typedef struct known {
  uint64_t file;  /* key of the file, 0: not known */
  uint64_t stamp; /* of its am_file_id */
} known;

/* Of a clip that is wanted: which process has it in its cache, or will compute it; of one process alone that is itself. */
typedef struct giver {
  int32_t rank;
  bool has;    /* in its cache */
  bool lacked; /* by some process: it is computed, or given by the one that has it */
} giver;

/* How it went with a clip of the chunk. */
typedef struct outcome {
  am_status status;
  bool came; /* computed here or given by another; else it was here before */
  am_error err;
} outcome;

/* What filling needs beside the store. */
typedef struct job {
  am_store *store;
  const am_data_options *data;
  am_cache *cache;           /* NULL: none, or given up after a failure */
  am_lock *turn;             /* held while features are computed for the cache; NULL: none */
  uint64_t x_key, sound_key; /* of the features, whatever they are of */
  known *known;              /* (clips) */
  uint64_t files;            /* digest of the files' identities, the same on every host that sees the same files */
  am_ranks *ranks;           /* processes that fill their stores together; NULL: this one does alone */
  uint32_t *todo;            /* clips that are wanted, then those of them that are lacked, in order */
  giver *givers;             /* (todo) */
  size_t n_todo, settled;    /* of those how many are written, or never will be */
  size_t missing, done;      /* clips that no cache has; how many of them are computed */
  size_t shard;              /* bytes that are written together */
  size_t room;               /* bytes of numbers that may stay in memory */
  bool on_disk;              /* some do not */
  bool said;                 /* that they do all the same */
  float *scratch;
  size_t scratch_room;
  double began;
  size_t first, end, chunk; /* of the clips at hand, in todo; the most there are of them */
  outcome *outcomes;        /* (chunk) */
  size_t *mine, n_mine;     /* (chunk) in todo: those to be computed here */
} job;

/* store.c */
uint64_t am_store_x_key(const job *j, uint32_t clip);
uint64_t am_store_sound_key(const job *j, uint32_t clip);

/* store_share.c; of a job without ranks they do what one process alone needs. */

/* Whether the stores are filled together: where all see the same files.  Then all look for what rank 0 calls them in the cache. */
am_status am_store_share_begin(job *j, am_error *err);
/* Fills in givers and missing, by what each has; a collective call. */
am_status am_store_survey(job *j, am_error *err);
/* What the chunk's clips have become goes to all that lack them. */
am_status am_store_exchange(job *j, am_error *err);
/* A shard that rank 0 has *written the others index as well, and then have *written it, too: what is in it may go from memory. */
am_status am_store_share_shard(job *j, bool *written, am_error *err);

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
