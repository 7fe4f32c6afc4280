/* data/cache.h - features on disk, never stale.
 *
 * A cache folder holds immutable HDF5 shards, each written aside and renamed.
 * An entry's key is a hash of the file's identity (size, mtime, inode, device, path; or its content where the
 * file system's identities cannot be trusted), the part of the file, and the feature settings
 * with AM_FEATURES_VERSION.  Several runs may use one folder at once: they
 * only ever add shards.  A damaged entry (crc32c) is noticed, said, and
 * computed again. */
#ifndef AM_CACHE_H
#define AM_CACHE_H

#include "base/base.h"

typedef struct am_cache am_cache;
/* Opens (creates) the folder and reads the index of every shard. Unreadable shards are named and ignored. */
am_status am_cache_open(am_context *ctx, const char *dir, am_cache **out, am_error *err);
void am_cache_close(am_cache *cache);
/* Finds an entry: rows and columns, or false. */
bool am_cache_find(const am_cache *cache, uint64_t key, int64_t *rows, int64_t *columns);
/* Reads it into out (rows*columns floats). AM_E_FORMAT when damaged: compute it again. */
am_status am_cache_read(am_cache *cache, uint64_t key, float *out, am_error *err);
/* Collects entries for one new shard (copied), and writes it: all or nothing. */
am_status am_cache_add(am_cache *cache, uint64_t key, int64_t rows, int64_t columns, const float *data, am_error *err);
am_status am_cache_flush(am_cache *cache, am_error *err);

#endif
