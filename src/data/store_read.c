/* SPDX-License-Identifier: MIT */
/* data/store_read.c - features and samples, wherever they are: in memory, or in a file of the cache.
 *
 * What is read from a file is checked each time.  A clip whose entry is damaged, or whose file is gone, is computed from its
 * sound again, as it would be when the store is filled. */
#include <string.h>

#include "data/store_inside.h"

enum { NAMED = 5 };

static size_t cells_of(const am_store *s, uint32_t clip) { return (size_t)s->items[clip].t * (size_t)s->bins; }

static void say(const am_store *s, uint32_t clip, const char *why) {
  const char *name = s->how.d->clips[clip].name;
  pthread_mutex_lock(&s->mending->lock);
  const size_t said = s->mending->said++;
  pthread_mutex_unlock(&s->mending->lock);
  if (said < NAMED) am_log(s->ctx, AM_LOG_WARNING, "feature cache: %s; computing %s again", why, name);
  else if (said == NAMED)
    am_log(s->ctx, AM_LOG_WARNING, "feature cache: %s, and others like it; computing %s and others again", why, name);
}

/* Into memory for good, where that has room.  Called with the lock. */
static void install(am_store *s, numbers *at, float **x, size_t count) {
  const size_t bytes = count * sizeof **x;
  if (!at->file || !*x || am_add(s->held, bytes) > s->limit) return;
  s->held += bytes;
  *at = (numbers){.is.x = *x};
  *x = NULL;
}

static am_status mend(const am_store *store, uint32_t clip, bool sound, float *out, const char *why, am_error *err) {
  am_store *s = (am_store *)store; /* what is changed has a lock */
  item *it = &s->items[clip];
  computed c;
  am_error own = AM_ERROR_INIT;
  say(s, clip, why);
  am_status status = am_store_compute(s->ctx, &s->how, clip, &c, &own);
  if (status) return am_fail(err, status, "%s; and %s", why, own.message);
  const size_t n = s->sounds ? s->sounds[clip].n : 0;
  if (c.t == it->t && c.n == n && c.facts.digest == it->digest) {
    if (sound) memcpy(out, c.sound, n * sizeof *out);
    else memcpy(out, c.x, cells_of(s, clip) * sizeof *out);
    pthread_mutex_lock(&s->mending->lock);
    install(s, &it->x, &c.x, cells_of(s, clip));
    if (s->sounds) install(s, &s->sounds[clip].x, &c.sound, n);
    pthread_mutex_unlock(&s->mending->lock);
  } else {
    status = am_fail(err, AM_E_DATA, "%s; and %s is another recording than when this began", why,
                     s->how.d->clips[clip].path);
  }
  am_free(s->ctx, c.x);
  am_free(s->ctx, c.sound);
  return status;
}

static am_status read_numbers(const am_store *s, const numbers *at, uint32_t clip, bool sound, float *out, size_t count,
                              am_error *err) {
  numbers here;
  if (s->files) pthread_mutex_lock(&s->mending->lock);
  here = *at;
  if (s->files) pthread_mutex_unlock(&s->mending->lock);
  if (!here.file) {
    if (count) memcpy(out, here.is.x, count * sizeof *out);
    return AM_OK;
  }
  am_error why = AM_ERROR_INIT;
  const am_cache_place place = {here.is.at, here.crc, here.file - 1};
  am_status status = am_cache_files_read(s->files, &place, out, count, &why);
  return status ? mend(s, clip, sound, out, why.message, err) : AM_OK;
}

am_status am_store_read(const am_store *s, uint32_t clip, float *out, am_error *err) {
  return read_numbers(s, &s->items[clip].x, clip, false, out, cells_of(s, clip), err);
}

am_status am_store_read_sound(const am_store *s, uint32_t clip, float *out, am_error *err) {
  return read_numbers(s, &s->sounds[clip].x, clip, true, out, s->sounds[clip].n, err);
}

static void expect(const am_store *s, const numbers *at, size_t count) {
  pthread_mutex_lock(&s->mending->lock);
  const numbers here = *at;
  pthread_mutex_unlock(&s->mending->lock);
  const am_cache_place place = {here.is.at, here.crc, here.file - 1};
  if (here.file) am_cache_files_expect(s->files, &place, count);
}

void am_store_expect(const am_store *s, uint32_t clip, bool sound) {
  if (!s->files) return;
  if (sound && s->sounds) expect(s, &s->sounds[clip].x, s->sounds[clip].n);
  else expect(s, &s->items[clip].x, cells_of(s, clip));
}
