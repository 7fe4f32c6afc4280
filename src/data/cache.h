/* data/cache.h - features on disk, never stale.
 *
 * A cache folder holds immutable HDF5 shards, each written aside and renamed.
 * An entry's key is a hash of the file's identity (size, times of change in nanoseconds, inode, device, path), the part
 * of the file, and the feature settings with AM_FEATURES_VERSION.  Several runs may use one folder at once: they
 * only ever add shards.  A damaged entry (crc32c) is noticed, with a
 * warning, and computed again. */
#ifndef AM_CACHE_H
#define AM_CACHE_H

#include "base/file.h"

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
/* Finds an entry: its shape, and the facts of its clip; or false. */
bool am_cache_find(const am_cache *cache, uint64_t key, int64_t *rows, int64_t *columns, am_cache_facts *facts);
/* Reads it into out (rows*columns floats). AM_E_FORMAT when damaged: compute it again. */
am_status am_cache_read(am_cache *cache, uint64_t key, float *out, am_error *err);
/* Collects entries for one new shard (copied), and writes it: all or nothing. */
am_status am_cache_add(am_cache *cache, uint64_t key, int64_t rows, int64_t columns, const am_cache_facts *facts,
                       const float *data, am_error *err);
size_t am_cache_pending(const am_cache *cache); /* bytes collected and not yet written */
am_status am_cache_flush(am_cache *cache, am_error *err);

/* The key of a file, for am_cache_entry_key; false: its times do not tell yet whether it changes again.  Whoever reads the
 * file after this call, and finds the same `id` after that, has what the key stands for. */
bool am_cache_file_key(const char *path, const am_file_id *id, uint64_t *key);
uint64_t am_cache_entry_key(uint64_t file, double start, double seconds, uint64_t features);

#endif
