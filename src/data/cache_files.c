/* SPDX-License-Identifier: MIT */
/* data/cache_files.c - see cache_files.h. */
#include "data/cache_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"

enum { MOST_OPEN = 256 }; /* of the 1024 files that a process may commonly have open */

typedef struct shard {
  char *path;
  uint64_t offset; /* of its values */
  int descriptor;  /* -1: opened for each reading */
} shard;

struct am_cache_files {
  am_context *ctx;
  shard *at;
  size_t n, room;
};

am_status am_cache_files_create(am_context *ctx, am_cache_files **out, am_error *err) {
  *out = am_alloc(ctx, 1, sizeof **out);
  if (!*out) return am_no_memory(err);
  (*out)->ctx = ctx;
  return AM_OK;
}

void am_cache_files_free(am_cache_files *f) {
  if (!f) return;
  for (size_t i = 0; i < f->n; i++) {
    if (f->at[i].descriptor >= 0) close(f->at[i].descriptor);
    am_free(f->ctx, f->at[i].path);
  }
  am_free(f->ctx, f->at);
  am_free(f->ctx, f);
}

static int open_file(const char *path) { return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); }

am_status am_cache_files_add(am_cache_files *f, const char *path, uint64_t offset, int *file, am_error *err) {
  if (am_grow(f->ctx, &f->at, &f->room, f->n + 1, sizeof *f->at, err)) return AM_E_NOMEM;
  shard *s = &f->at[f->n];
  *s = (shard){.path = am_strdup(f->ctx, path), .offset = offset, .descriptor = -1};
  if (!s->path) return am_no_memory(err);
  if (f->n < MOST_OPEN) s->descriptor = open_file(path);
  *file = (int)f->n++;
  return AM_OK;
}

int am_cache_files_count(const am_cache_files *f) { return (int)f->n; }
const char *am_cache_files_path(const am_cache_files *f, int file) { return f->at[file].path; }

am_cache_place am_cache_files_place(const am_cache_files *f, int file, size_t first, uint32_t crc) {
  return (am_cache_place){f->at[file].offset + first * sizeof(float), crc, file};
}

/* errno, -1: the file ends, or 0. */
static int read_all(int descriptor, uint64_t at, char *to, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = pread(descriptor, to + done, bytes - done, (off_t)(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : -1;
    done += (size_t)got;
  }
  return 0;
}

am_status am_cache_files_read(const am_cache_files *f, const am_cache_place *place, float *out, size_t count,
                              am_error *err) {
  const shard *s = &f->at[place->file];
  const size_t bytes = count * sizeof *out;
  const int descriptor = s->descriptor >= 0 ? s->descriptor : open_file(s->path);
  if (descriptor < 0) return am_fail_errno(err, errno, "cannot open %s", s->path);
  const int code = read_all(descriptor, place->at, (char *)out, bytes);
  if (s->descriptor < 0) close(descriptor);
  if (code > 0) return am_fail_errno(err, code, "cannot read %s", s->path);
  if (code) return am_fail(err, AM_E_FORMAT, "%s: an entry is cut off: the file ends inside it", s->path);
  if (am_crc32c(0, out, bytes) == place->crc) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s: an entry is damaged (crc32c differs)", s->path);
}

void am_cache_files_expect(const am_cache_files *f, const am_cache_place *place, size_t count) {
  const shard *s = &f->at[place->file];
  if (s->descriptor >= 0)
    (void)posix_fadvise(s->descriptor, (off_t)place->at, (off_t)(count * sizeof(float)), POSIX_FADV_WILLNEED);
}
