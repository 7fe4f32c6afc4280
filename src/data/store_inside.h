/* data/store_inside.h - what a store is made of; for store.c, which fills it, and store_get.c, which says what is in it. */
#ifndef AM_STORE_INSIDE_H
#define AM_STORE_INSIDE_H

#include "data/cache.h"
#include "data/store.h"

typedef struct item {
  float *x;     /* (T,F) */
  float *sound; /* when wanted */
  size_t n_sound;
  int t;
  am_cache_facts facts;
  uint64_t file; /* key of the file, 0: not known */
  am_file_id id;
  bool ok;
} item;

struct am_store {
  am_context *ctx;
  size_t n;
  item *items;
  int bins, max_frames;
  am_store_counts counts;
  am_store **copies; /* (n_copies) */
  int n_copies;
};

void am_store_free_copies(am_store *store);

#endif
