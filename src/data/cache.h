/* SPDX-License-Identifier: MIT */
/* data/cache.h - features on disk, never stale.
 *
 * A cache folder holds immutable HDF5 shards, each written aside and renamed.
 * An entry's key is a hash of the file's identity (size, times of change in nanoseconds, inode, device, path), the part
 * of the file, and the feature settings with AM_FEATURES_VERSION.  Several runs may use one folder at once: they
 * only ever add shards.  Those that want the same features take turns by a lock (store.c), so that they are computed once.  A damaged entry (crc32c) is noticed, with a
 * warning, and computed again. */
#ifndef AM_CACHE_H
#define AM_CACHE_H

#include "base/file.h"
#include "data/cache_files.h"

typedef struct am_cache am_cache;
/* What is known of a clip beside its numbers. */
typedef struct am_cache_facts {
  double seconds;   /* decoded */
  double file_rate; /* Hz of its file */
  int64_t unheard;  /* am_unheard */
  uint64_t digest;  /* am_store_digest */
} am_cache_facts;
/* Opens (creates) the folder and reads the index of every shard. Unreadable shards are named and ignored. */
am_status am_cache_open(am_context *ctx, const char *dir, am_cache **out, am_error *err);
void am_cache_close(am_cache *cache);
/* Reads what others have added since.  Before the first flush. */
am_status am_cache_refresh(am_cache *cache, am_error *err);
int am_cache_count(const am_cache *cache); /* of the shards that were read or written */
/* Finds an entry: its shape, and the facts of its clip; or false. */
bool am_cache_find(const am_cache *cache, uint64_t key, int64_t *rows, int64_t *columns, am_cache_facts *facts);
/* Reads it into out (rows*columns floats), from *place. AM_E_FORMAT when damaged: compute it again. */
am_status am_cache_read(am_cache *cache, uint64_t key, float *out, am_cache_place *place, am_error *err);
/* Collects entries for one new shard, whose data stay where they are until then, and writes it: all or nothing. */
am_status am_cache_add(am_cache *cache, uint64_t key, int64_t rows, int64_t columns, const am_cache_facts *facts,
                       const float *data, am_error *err);
size_t am_cache_pending(const am_cache *cache); /* bytes collected and not yet written */
am_status am_cache_flush(am_cache *cache, am_error *err);
/* Where the last flush, or one before, put the entry; false: it is not there. */
bool am_cache_written(const am_cache *cache, uint64_t key, am_cache_place *place);
/* The name of the shard that the last flush wrote, for am_cache_take of other processes; "": none yet. */
const char *am_cache_last(const am_cache *cache);
/* Reads the index of a shard of this name. */
am_status am_cache_take(am_cache *cache, const char *name, am_error *err);
const am_cache_files *am_cache_get_files(const am_cache *cache); /* what its places are of */
/* What its places are of: the caller's, who frees them, also after a failure; the cache can then be closed and no more. */
am_cache_files *am_cache_take_files(am_cache *cache);

/* The folder of the last file, and what it is without links: most files are in the folder of the one before. */
typedef struct am_cache_folder {
  am_context *ctx;
  char *name, *real; /* NULL: none yet */
} am_cache_folder;
void am_cache_folder_end(am_cache_folder *folder);
/* The key of a file, for am_cache_entry_key; false: its times do not tell yet whether it changes again.  Whoever reads the
 * file after this call, and finds the same `id` after that, has what the key stands for. */
bool am_cache_file_key(am_cache_folder *last, const char *path, const am_file_id *id, uint64_t *key);
uint64_t am_cache_entry_key(uint64_t file, double start, double seconds, uint64_t features);

#endif
