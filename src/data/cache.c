/* SPDX-License-Identifier: MIT */
/* data/cache.c - immutable shards of features in a folder.
 *
 * features-<name>.h5: attributes format, version; arrays key, rows, columns,
 * crc32c, unheard, digest (int64, one an entry), seconds, file_rate (float64), values
 * (float32, all entries one after another).  Shards of another version are
 * ignored: version 1 had neither unheard nor file_rate, version 2 no digest.  Shards are read in the order of their names; of two
 * entries with one key the later is tried first, the other when it is damaged. */
#include "data/cache.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio/sound.h"
#include "io/h5.h"

#define PREFIX "features-"
#define FORMAT "audiomood features"
enum { VERSION = 3, WHOLE = 6, COLUMNS = 8 };
#define EVEN (~(uint64_t)1) /* all keys are: older programs gave odd ones to files that they knew by content */
/* The first WHOLE are int64, the others float64. */
static const char *const columns_of[COLUMNS] = {"key",     "rows",   "columns", "crc32c",
                                                "unheard", "digest", "seconds", "file_rate"};

typedef struct entry {
  uint64_t key;
  int64_t rows, columns;
  am_cache_facts facts;
  size_t first; /* float of the shard's values */
  uint32_t crc;
  int shard;
  int64_t older; /* entry of the same key, -1 none */
} entry;

typedef struct pending {
  uint64_t key;
  int64_t rows, columns;
  am_cache_facts facts;
  const float *data;
} pending;

struct am_cache {
  am_context *ctx;
  char *dir;
  am_cache_files *files; /* the shards */
  am_names known;        /* names in the folder when it was last read */
  entry *entries;
  size_t n, room;
  uint32_t *slots; /* hash of key -> newest entry + 1 */
  size_t n_slots;
  pending *waiting;
  size_t n_waiting, waiting_room, waiting_bytes;
  char *last; /* path of the shard written last; NULL: none */
};

/* The index */

static size_t slot_of(const am_cache *c, uint64_t key) {
  size_t mask = c->n_slots - 1, i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & mask;
  while (c->slots[i] && c->entries[c->slots[i] - 1].key != key) i = (i + 1) & mask;
  return i;
}

static bool grow_slots(am_cache *c) {
  if (2 * (c->n + 1) <= c->n_slots) return true;
  size_t n_slots = c->n_slots ? 2 * c->n_slots : 1024;
  uint32_t *slots = am_alloc(c->ctx, n_slots, sizeof *slots);
  if (!slots) return false;
  am_free(c->ctx, c->slots);
  c->slots = slots;
  c->n_slots = n_slots;
  for (size_t i = 0; i < c->n; i++) slots[slot_of(c, c->entries[i].key)] = (uint32_t)i + 1;
  return true;
}

static am_status add_entry(am_cache *c, entry e, am_error *err) {
  if (am_grow(c->ctx, &c->entries, &c->room, c->n + 1, sizeof *c->entries, err)) return AM_E_NOMEM;
  if (!grow_slots(c)) return am_no_memory(err);
  size_t slot = slot_of(c, e.key);
  e.older = (int64_t)c->slots[slot] - 1;
  c->entries[c->n++] = e;
  c->slots[slot] = (uint32_t)c->n;
  return AM_OK;
}

static const entry *newest(const am_cache *c, uint64_t key) {
  uint32_t at = c->n ? c->slots[slot_of(c, key)] : 0;
  return at ? &c->entries[at - 1] : NULL;
}

/* Reading shards */

typedef struct shard_table {
  size_t n;
  void *at[COLUMNS];
} shard_table;

static am_status read_columns(am_h5 *file, shard_table *t, am_error *err) {
  for (int i = 0; i < COLUMNS; i++) {
    am_h5_info info;
    am_status status = am_h5_read_new(file, columns_of[i], i < WHOLE ? AM_H5_I64 : AM_H5_F64, &info, &t->at[i], err);
    if (status) return status;
    if (!i) t->n = info.count;
    if (info.count != t->n)
      return am_fail(err, AM_E_FORMAT, "%s: %zu keys and %zu of %s", am_h5_path(file), t->n, info.count, columns_of[i]);
  }
  return AM_OK;
}

/* Rows of values are single floats: of an array with more dimensions, a row would be larger than its entry says. */
static am_status check_values(am_h5 *file, am_h5_info *info, am_error *err) {
  am_status status = am_h5_get_info(file, "values", info, err);
  if (status || (info->type == AM_H5_F32 && info->rank == 1)) return status;
  return am_fail(err, AM_E_FORMAT, "%s: values are not one row of float32", am_h5_path(file));
}

/* Entries whose sizes do not add up to the values are refused as a whole. */
static am_status check_columns(am_h5 *file, const shard_table *t, uint64_t *offset, am_error *err) {
  am_h5_info info;
  am_status status = check_values(file, &info, err);
  if (status) return status;
  *offset = info.offset;
  const int64_t *rows = t->at[1], *cols = t->at[2], *unheard = t->at[4];
  uint64_t sum = 0;
  for (size_t i = 0; i < t->n; i++) {
    if (unheard[i] < AM_HEARD || unheard[i] > AM_UNHEARD_TOO_SHORT)
      return am_fail(err, AM_E_FORMAT, "%s: entry %zu: unheard is %" PRId64, am_h5_path(file), i, unheard[i]);
    if (rows[i] < 1 || cols[i] < 1 || (uint64_t)rows[i] > info.count || (uint64_t)cols[i] > info.count ||
        (sum = am_add(sum, am_mul((size_t)rows[i], (size_t)cols[i]))) > info.count)
      return am_fail(err, AM_E_FORMAT, "%s: entry %zu is larger than the file", am_h5_path(file), i);
  }
  if (sum == info.count) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: %zu values, its entries want %" PRIu64, am_h5_path(file), info.count, sum);
}

static am_status index_columns(am_cache *c, const shard_table *t, const char *path, uint64_t offset, am_error *err) {
  int shard = -1;
  size_t first = 0;
  am_status status = am_cache_files_add(c->files, path, offset, &shard, err);
  for (size_t i = 0; i < t->n && !status; i++) {
    am_cache_facts facts = {.unheard = ((int64_t *)t->at[4])[i],
                            .digest = (uint64_t)((int64_t *)t->at[5])[i],
                            .seconds = ((double *)t->at[WHOLE])[i],
                            .file_rate = ((double *)t->at[WHOLE + 1])[i]};
    entry e = {.key = (uint64_t)((int64_t *)t->at[0])[i],
               .rows = ((int64_t *)t->at[1])[i],
               .columns = ((int64_t *)t->at[2])[i],
               .crc = (uint32_t)((int64_t *)t->at[3])[i],
               .facts = facts,
               .first = first,
               .shard = shard};
    status = add_entry(c, e, err);
    first += (size_t)(e.rows * e.columns);
  }
  return status;
}

static am_status index_shard(am_cache *c, const char *path, am_error *err) {
  am_h5 *file;
  int64_t version = 0;
  uint64_t offset = 0;
  shard_table t = {0};
  am_status status = am_h5_open(c->ctx, path, AM_H5_READ, &file, err);
  if (status) return status;
  status = am_h5_get_int(file, "/", "version", &version, err);
  if (!status && version == VERSION) {
    status = read_columns(file, &t, err);
    if (!status) status = check_columns(file, &t, &offset, err);
    if (!status) status = index_columns(c, &t, path, offset, err);
  }
  for (int i = 0; i < COLUMNS; i++) am_free_aligned(c->ctx, t.at[i]);
  am_h5_close(file);
  return status;
}

static bool is_shard(const char *name) {
  size_t n = strlen(name);
  return n > 3 && !strncmp(name, PREFIX, strlen(PREFIX)) && !strcmp(name + n - 3, ".h5");
}

/* Both lists are in the order of the names. */
static bool is_known(const am_cache *c, const char *name, size_t *at) {
  while (*at < c->known.n && strcmp(c->known.at[*at], name) < 0) ++*at;
  return *at < c->known.n && !strcmp(c->known.at[*at], name);
}

am_status am_cache_refresh(am_cache *c, am_error *err) {
  am_names names;
  size_t at = 0;
  am_status status = am_folder_list(c->ctx, c->dir, &names, err);
  for (size_t i = 0; !status && i < names.n; i++) {
    if (!is_shard(names.at[i]) || is_known(c, names.at[i], &at)) continue;
    char *path = am_path_join(c->ctx, c->dir, names.at[i]);
    am_error why = AM_ERROR_INIT;
    am_status read = path ? index_shard(c, path, &why) : AM_E_NOMEM;
    if (read == AM_E_NOMEM) status = am_no_memory(err);
    else if (read)
      am_log(c->ctx, AM_LOG_WARNING, "feature cache: %s; the shard is ignored%s", why.message,
             read == AM_E_FORMAT ? " and may be deleted" : "");
    am_free(c->ctx, path);
  }
  am_names_free(c->ctx, status ? &names : &c->known);
  if (!status) c->known = names;
  return status;
}

am_status am_cache_open(am_context *ctx, const char *dir, am_cache **out, am_error *err) {
  *out = NULL;
  am_cache *c = am_alloc(ctx, 1, sizeof *c);
  if (!c) return am_no_memory(err);
  c->ctx = ctx;
  c->dir = am_strdup(ctx, dir);
  am_status status = c->dir ? am_folder_create(ctx, dir, err) : am_no_memory(err);
  if (!status) status = am_cache_files_create(ctx, &c->files, err);
  if (!status) am_folder_clean(ctx, dir, AM_OLD_ASIDE); /* what killed processes left half-written */
  if (!status) status = am_cache_refresh(c, err);
  if (status) am_cache_close(c);
  else *out = c;
  return status;
}

static void drop_waiting(am_cache *c) { c->n_waiting = c->waiting_bytes = 0; }

int am_cache_count(const am_cache *c) { return am_cache_files_count(c->files); }

am_cache_files *am_cache_take_files(am_cache *c) {
  am_cache_files *files = c->files;
  c->files = NULL;
  return files;
}

void am_cache_close(am_cache *c) {
  if (!c) return;
  am_cache_files_free(c->files);
  am_names_free(c->ctx, &c->known);
  am_free(c->ctx, c->waiting);
  am_free(c->ctx, c->last);
  am_free(c->ctx, c->slots);
  am_free(c->ctx, c->entries);
  am_free(c->ctx, c->dir);
  am_free(c->ctx, c);
}

bool am_cache_find(const am_cache *c, uint64_t key, int64_t *rows, int64_t *columns, am_cache_facts *facts) {
  const entry *e = newest(c, key);
  if (!e) return false;
  *rows = e->rows;
  *columns = e->columns;
  *facts = e->facts;
  return true;
}

am_status am_cache_read(am_cache *c, uint64_t key, float *out, am_cache_place *place, am_error *err) {
  const entry *first = newest(c, key);
  if (!first) return am_fail(err, AM_E_USAGE, "feature cache: no entry %016" PRIx64, key);
  am_error why = AM_ERROR_INIT;
  am_status status = AM_E_FORMAT;
  for (const entry *e = first; e && status; e = e->older >= 0 ? &c->entries[e->older] : NULL) {
    if (e->rows != first->rows || e->columns != first->columns) continue;
    *place = am_cache_files_place(c->files, e->shard, e->first, e->crc);
    status = am_cache_files_read(c->files, place, out, (size_t)(e->rows * e->columns), &why);
  }
  return status ? am_fail(err, status, "%s", why.message) : AM_OK;
}

bool am_cache_written(const am_cache *c, uint64_t key, am_cache_place *place) {
  const entry *e = newest(c, key);
  if (e) *place = am_cache_files_place(c->files, e->shard, e->first, e->crc);
  return e != NULL;
}

const char *am_cache_last(const am_cache *c) { return c->last ? am_path_base(c->last) : ""; }
const am_cache_files *am_cache_get_files(const am_cache *c) { return c->files; }

am_status am_cache_take(am_cache *c, const char *name, am_error *err) {
  char *path = am_path_join(c->ctx, c->dir, name);
  am_status status = path ? index_shard(c, path, err) : am_no_memory(err);
  am_free(c->ctx, path);
  return status;
}

/* Writing */

am_status am_cache_add(am_cache *c, uint64_t key, int64_t rows, int64_t columns, const am_cache_facts *facts,
                       const float *data, am_error *err) {
  if (am_grow(c->ctx, &c->waiting, &c->waiting_room, c->n_waiting + 1, sizeof *c->waiting, err)) return AM_E_NOMEM;
  c->waiting[c->n_waiting++] = (pending){key, rows, columns, *facts, data};
  c->waiting_bytes += (size_t)(rows * columns) * sizeof *data;
  return AM_OK;
}

size_t am_cache_pending(const am_cache *c) { return c->waiting_bytes; }

static am_status write_values(am_cache *c, am_h5 *file, am_error *err) {
  size_t count = c->waiting_bytes / sizeof(float);
  am_h5_rows *rows;
  am_status status = am_h5_rows_begin(file, "values", AM_H5_F32, 1, &count, &rows, err);
  if (status) return status;
  for (size_t i = 0; i < c->n_waiting && !status; i++)
    status = am_h5_rows_append(rows, c->waiting[i].data, (size_t)(c->waiting[i].rows * c->waiting[i].columns), err);
  am_status ended = am_h5_rows_end(rows, status ? NULL : err);
  return status ? status : ended;
}

static int64_t whole_column(const pending *p, int k) {
  const int64_t crc = k == 3 ? am_crc32c(0, p->data, (size_t)(p->rows * p->columns) * sizeof(float)) : 0;
  const int64_t at[WHOLE] = {(int64_t)p->key, p->rows, p->columns, crc, p->facts.unheard, (int64_t)p->facts.digest};
  return at[k];
}

static am_status write_columns(am_cache *c, am_h5 *file, am_error *err) {
  size_t n = c->n_waiting;
  int64_t *whole = am_alloc(c->ctx, n, sizeof *whole);
  double *real = am_alloc(c->ctx, n, sizeof *real);
  am_status status = whole && real ? AM_OK : am_no_memory(err);
  for (int k = 0; k < COLUMNS && !status; k++) {
    for (size_t i = 0; i < n; i++) {
      const am_cache_facts *facts = &c->waiting[i].facts;
      if (k < WHOLE) whole[i] = whole_column(&c->waiting[i], k);
      else real[i] = k == WHOLE ? facts->seconds : facts->file_rate;
    }
    status = am_h5_write(file, columns_of[k], k < WHOLE ? AM_H5_I64 : AM_H5_F64, 1, &n,
                         k < WHOLE ? (const void *)whole : (const void *)real, err);
  }
  am_free(c->ctx, real);
  am_free(c->ctx, whole);
  return status;
}

/* A name that no other run gives: keys, time and process. */
static char *shard_name(const am_cache *c) {
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t hash = am_hash64((uint64_t)getpid(), &now.tv_sec, sizeof now.tv_sec);
  hash = am_hash64(hash, &now.tv_nsec, sizeof now.tv_nsec);
  for (size_t i = 0; i < c->n_waiting; i++) hash = am_hash64(hash, &c->waiting[i].key, sizeof c->waiting[i].key);
  return am_format(c->ctx, "%s/" PREFIX "%016" PRIx64 ".h5", c->dir, hash);
}

/* Where the values stand in a shard. */
static am_status find_values(am_cache *c, const char *path, uint64_t *offset, am_error *err) {
  am_h5 *file;
  am_h5_info info;
  am_status status = am_h5_open(c->ctx, path, AM_H5_READ, &file, err);
  if (status) return status;
  status = check_values(file, &info, err);
  *offset = info.offset;
  am_h5_close(file);
  return status;
}

static am_status index_waiting(am_cache *c, const char *path, am_error *err) {
  int shard = -1;
  uint64_t offset = 0;
  size_t first = 0;
  am_status status = find_values(c, path, &offset, err);
  if (!status) status = am_cache_files_add(c->files, path, offset, &shard, err);
  for (size_t i = 0; i < c->n_waiting && !status; i++) {
    const pending *p = &c->waiting[i];
    size_t count = (size_t)(p->rows * p->columns);
    entry e = {.key = p->key,
               .rows = p->rows,
               .columns = p->columns,
               .facts = p->facts,
               .first = first,
               .crc = am_crc32c(0, p->data, count * sizeof(float)),
               .shard = shard};
    status = add_entry(c, e, err);
    first += count;
  }
  return status;
}

am_status am_cache_flush(am_cache *c, am_error *err) {
  if (!c->n_waiting) return AM_OK;
  char *path = shard_name(c);
  am_h5 *file = NULL;
  am_status status = path ? am_h5_create_aside(c->ctx, path, &file, err) : am_no_memory(err);
  if (!status) status = am_h5_set_text(file, "/", "format", FORMAT, err);
  if (!status) status = am_h5_set_int(file, "/", "version", VERSION, err);
  if (!status) status = write_columns(c, file, err);
  if (!status) status = write_values(c, file, err);
  if (!status) status = am_h5_commit(file, err);
  else am_h5_close(file);
  if (!status) status = index_waiting(c, path, err);
  drop_waiting(c);
  am_free(c->ctx, c->last);
  c->last = path;
  return status;
}

/* Keys */

void am_cache_folder_end(am_cache_folder *f) {
  am_free(f->ctx, f->name);
  am_free(f->ctx, f->real);
  *f = (am_cache_folder){.ctx = f->ctx};
}

/* Into a folder, given with the '/' at its end. */
static bool enter(am_cache_folder *f, const char *path, size_t n) {
  if (f->name && strlen(f->name) == n && !memcmp(f->name, path, n)) return true;
  am_cache_folder_end(f);
  f->name = am_format(f->ctx, "%.*s", (int)n, path);
  char *real = f->name ? realpath(n ? f->name : ".", NULL) : NULL;
  f->real = real ? am_strdup(f->ctx, real) : NULL;
  free(real);
  if (!f->real) am_cache_folder_end(f);
  return f->real != NULL;
}

/* Of the path without links.  Of all but the last name the folder's are known. */
static bool hash_path(am_cache_folder *f, const char *path, uint64_t *hash) {
  const char *base = am_path_base(path);
  char *full = NULL;
  if (*base && strcmp(base, ".") != 0 && strcmp(base, "..") != 0 && !am_file_is_link(path)) {
    if (!enter(f, path, (size_t)(base - path))) return false;
    full = am_format(f->ctx, "%s%s%s", f->real, strcmp(f->real, "/") != 0 ? "/" : "", base);
    if (full) *hash = am_hash64(0, full, strlen(full));
    am_free(f->ctx, full);
    return full != NULL;
  }
  full = realpath(path, NULL);
  if (full) *hash = am_hash64(0, full, strlen(full));
  free(full);
  return full != NULL;
}

/* A stamp tells one content from the next only when the clock behind it has moved on between the two.  Kernels stamp in
 * ticks of up to 10 ms: of a file stamped just now, the next tick is waited for.  Stamps of whole seconds are those of a
 * file system that keeps no finer ones, in steps of up to 2 s (FAT): a file so young is not cached. */
bool am_cache_file_key(am_cache_folder *last, const char *path, const am_file_id *id, uint64_t *key) {
  const uint64_t second = 1000000000, tick = second / 50;
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t now_ns = (uint64_t)now.tv_sec * second + (uint64_t)now.tv_nsec;
  uint64_t latest = id->mtime_ns > id->ctime_ns ? id->mtime_ns : id->ctime_ns;
  if (id->mtime_ns % second == 0 && id->ctime_ns % second == 0 && latest + 3 * second > now_ns) return false;
  if (latest <= now_ns && latest + tick > now_ns) nanosleep(&(struct timespec){.tv_nsec = (long)tick}, NULL);
  uint64_t hash;
  if (!hash_path(last, path, &hash)) return false;
  uint64_t words[] = {id->size, id->mtime_ns, id->ctime_ns, id->inode, id->device};
  *key = am_hash64(hash, words, sizeof words) & EVEN;
  return true;
}

uint64_t am_cache_entry_key(uint64_t file, double start, double seconds, uint64_t features) {
  double part[] = {start + 0.0, seconds + 0.0};
  uint64_t hash = am_hash64(file, part, sizeof part);
  return am_hash64(hash, &features, sizeof features) & EVEN;
}
