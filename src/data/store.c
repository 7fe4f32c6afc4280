/* data/store.c - features (and sound) of every clip in memory: from the cache
 * where it has them, else decoded and computed on all cores and added to it.
 *
 *   plan      which arrays each clip needs, and their cache keys
 *   recall    what the cache has, read in clip order
 *   compute   the rest, in pieces of one clip; the first bad clip in clip order is the one named */
#include "data/loader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/sound.h"
#include "base/file.h"
#include "data/cache.h"
#include "data/store_inside.h"

enum { CHUNK = 32, FLUSH_BYTES = 64 << 20, NAMED = 5 };

/* What filling needs beside the store. */
typedef struct job {
  am_store *store;
  const am_dataset *d;
  const am_features *fx;
  const am_data_options *data;
  bool keep_sound;
  const am_condition *under;         /* NULL: as they are */
  const am_augment_options *augment; /* of the copies `number`; NULL: none */
  int number;
  am_cache *cache; /* NULL: none, or given up after a failure */
  uint32_t *todo;  /* clips that are wanted, then those of them not in the cache, in order */
  size_t n_todo;
  double began;
  size_t first;            /* of the chunk, in todo */
  am_status status[CHUNK]; /* of its pieces */
  am_error *errors;        /* (CHUNK) */
} job;

/* The cache failing is no reason to stop: features are computed and kept in memory. */
static void give_up_cache(job *j, const char *message) {
  am_log(j->store->ctx, AM_LOG_WARNING, "feature cache: %s; continuing without it", message);
  am_cache_close(j->cache);
  j->cache = NULL;
}

static bool is_part(const am_clip *c) { return c->start > 0 || c->seconds > 0; }

/* Whole files have their length in the cache, for too_long.  Parts do not have that of their file: their entries are for
 * the limit under which it was decoded. */
static uint64_t entry_key(const job *j, uint32_t clip, uint64_t features) {
  const am_clip *c = &j->d->clips[clip];
  double limit = j->data->max_seconds;
  if (is_part(c)) features = am_hash64(features, &limit, sizeof limit);
  return am_cache_entry_key(j->store->items[clip].file, c->start, c->seconds, features);
}

static uint64_t x_key(const job *j, uint32_t clip) {
  const uint64_t key = am_features_key(j->fx);
  return entry_key(j, clip, j->augment ? am_augment_copy_key(j->augment, j->number, key) : key);
}

static uint64_t sound_key(const job *j, uint32_t clip) { return entry_key(j, clip, am_features_audio_key(j->fx)); }

/* Of a whole file with so many seconds after resampling, which rounds up: by less than a sample this may say so of a
 * file within the limit. */
static bool too_long(const job *j, uint32_t clip, double seconds) {
  return !is_part(&j->d->clips[clip]) && seconds > j->data->max_seconds;
}

/* Recall */

/* One array of the cache: true when it is there and whole. */
static bool recall(job *j, uint64_t key, const char *name, float **out, int64_t *rows, int64_t *columns,
                   am_cache_facts *facts) {
  if (!am_cache_find(j->cache, key, rows, columns, facts)) return false;
  float *data = am_alloc(j->store->ctx, am_mul((size_t)*rows, (size_t)*columns), sizeof *data);
  am_error why = AM_ERROR_INIT;
  if (!data) return false;
  if (am_cache_read(j->cache, key, data, &why)) {
    am_log(j->store->ctx, AM_LOG_WARNING, "feature cache: %s; computing %s again", why.message, name);
    am_free(j->store->ctx, data);
    return false;
  }
  *out = data;
  return true;
}

/* All that is wanted of a clip; nothing is kept when a part is missing.  What is too long is left to
 * the decoder, which refuses it as it would without a cache. */
static bool recall_clip(job *j, uint32_t clip) {
  am_store *s = j->store;
  item *it = &s->items[clip];
  int64_t rows, columns;
  am_cache_facts facts;
  const char *name = j->d->clips[clip].name;
  uint64_t key = x_key(j, clip);
  if (am_cache_find(j->cache, key, &rows, &columns, &facts) && too_long(j, clip, facts.seconds)) return false;
  if (!recall(j, key, name, &it->x, &rows, &columns, &facts)) return false;
  bool fits = columns == s->bins && rows < INT32_MAX;
  it->t = (int)rows;
  it->facts = facts;
  if (fits && (!j->keep_sound || recall(j, sound_key(j, clip), name, &it->sound, &rows, &columns, &facts))) {
    it->n_sound = j->keep_sound ? (size_t)rows : 0;
    it->ok = true;
    return true;
  }
  am_free(s->ctx, it->x);
  it->x = NULL;
  return false;
}

static void identify(job *j) {
  for (uint32_t i = 0; i < j->store->n; i++) {
    item *it = &j->store->items[i];
    const char *path = j->d->clips[i].path;
    if (i && !strcmp(path, j->d->clips[i - 1].path)) { /* parts of one file stand together */
      it->id = it[-1].id;
      it->file = it[-1].file;
    } else if (am_file_identify(path, &it->id, NULL) || !am_cache_file_key(path, &it->id, &it->file)) {
      it->file = 0;
    }
  }
}

static void recall_all(job *j) {
  size_t left = 0;
  if (j->under) return;
  for (size_t i = 0; i < j->n_todo; i++) {
    const uint32_t clip = j->todo[i];
    if (!j->cache || !j->store->items[clip].file || !recall_clip(j, clip)) j->todo[left++] = clip;
  }
  j->store->counts.from_cache = j->n_todo - left;
  j->n_todo = left;
}

/* Compute */

/* The stretch of the file that is the clip: sound->samples[*from .. *from + *n). */
static am_status cut_part(const am_clip *c, const am_sound *sound, size_t *from, size_t *n, am_error *err) {
  double length = (double)sound->n / sound->rate, slack = 0.01;
  if (c->start + c->seconds > length + slack || (c->start > 0 && c->start >= length))
    return am_fail(err, AM_E_DATA, "%s: the clip from %g s to %g s lies outside the file, which has %.3f s", c->path,
                   c->start, c->start + c->seconds, length);
  *from = am_size_of(round(c->start * sound->rate));
  if (*from >= sound->n) *from = sound->n - 1;
  *n = sound->n - *from;
  size_t wanted = am_size_of(round(c->seconds * sound->rate));
  if (c->seconds > 0 && wanted < *n) *n = wanted ? wanted : 1;
  return AM_OK;
}

static am_status compute_warped(job *j, const float *samples, size_t n, double warp, item *it, am_error *err) {
  am_context *ctx = j->store->ctx;
  int t, f;
  am_features_shape(j->fx, n, &t, &f);
  float *x = am_alloc(ctx, am_mul((size_t)t, (size_t)f), sizeof *x);
  if (!x) return am_no_memory(err);
  int bound = t;
  am_status status = am_features_compute(j->fx, samples, n, warp, x, &t, err);
  if (status) {
    am_free(ctx, x);
    return status;
  }
  if (t < bound) { /* trimmed: give back what is not used */
    float *less = am_resize(ctx, x, (size_t)t * (size_t)f, sizeof *x);
    if (less) x = less;
  }
  it->x = x;
  it->t = t;
  return AM_OK;
}

static am_status compute_features(job *j, const float *samples, size_t n, item *it, am_error *err) {
  return compute_warped(j, samples, n, 1, it, err);
}

static am_status compute_copy(job *j, const float *samples, size_t n, item *it, am_error *err) {
  am_context *ctx = j->store->ctx;
  float *changed;
  size_t n_changed;
  double warp;
  am_status status =
      am_augment_copy(ctx, j->augment, it->facts.digest, j->number, am_features_options(j->fx)->sample_rate, samples, n,
                      &changed, &n_changed, &warp, err);
  if (!status) {
    status = compute_warped(j, changed, n_changed, warp, it, err);
    am_free(ctx, changed);
  }
  return status ? am_error_prefix(err, "copy %d", j->number) : AM_OK;
}

/* By the digest, so that a clip becomes the same in every corpus. */
static am_status compute_under(job *j, const float *samples, size_t n, item *it, am_error *err) {
  float *changed;
  size_t n_changed;
  am_status status = am_condition_apply(j->store->ctx, j->under, it->facts.digest,
                                        am_features_options(j->fx)->sample_rate, samples, n, &changed, &n_changed, err);
  if (status) return status;
  status = compute_features(j, changed, n_changed, it, err);
  am_free(j->store->ctx, changed);
  return status;
}

/* Of the samples that are the clip. */
static uint64_t digest_of(const am_clip *c, const am_sound *sound) {
  const double part[2] = {c->start, c->seconds};
  return is_part(c) ? am_hash64(sound->digest, part, sizeof part) : sound->digest;
}

static am_status compute_clip(job *j, uint32_t clip, am_error *err) {
  am_context *ctx = j->store->ctx;
  const am_clip *c = &j->d->clips[clip];
  item *it = &j->store->items[clip];
  am_sound sound = {.size = sizeof sound};
  size_t from = 0, n = 0;
  am_status status =
      am_sound_read_clip(ctx, c->path, am_features_options(j->fx)->sample_rate, j->data->max_seconds, &sound, err);
  if (status) return status;
  status = cut_part(c, &sound, &from, &n, err);
  it->facts.digest = digest_of(c, &sound);
  if (!status) {
    am_status (*const compute)(job *, const float *, size_t, item *, am_error *) = j->under     ? compute_under
                                                                                   : j->augment ? compute_copy
                                                                                                : compute_features;
    status = compute(j, sound.samples + from, n, it, err);
    if (status && err) am_error_prefix(err, "%s", c->path);
  }
  if (!status && j->keep_sound) {
    it->sound = am_alloc(ctx, n, sizeof *it->sound);
    if (it->sound) memcpy(it->sound, sound.samples + from, n * sizeof *it->sound);
    else status = am_no_memory(err);
    it->n_sound = n;
  }
  it->facts = (am_cache_facts){.seconds = (double)n / sound.rate,
                               .file_rate = sound.file_rate,
                               .digest = it->facts.digest,
                               .unheard = status ? AM_HEARD : am_sound_unheard(sound.samples + from, n, sound.rate)};
  it->ok = !status;
  am_sound_free(&sound);
  return status;
}

static void compute_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  job *j = arg;
  uint32_t clip = j->todo[j->first + piece];
  item *it = &j->store->items[clip];
  am_error *err = &j->errors[piece];
  *err = (am_error)AM_ERROR_INIT;
  j->status[piece] = compute_clip(j, clip, err);
  am_file_id now;
  if (it->file && (am_file_identify(j->d->clips[clip].path, &now, NULL) || memcmp(&now, &it->id, sizeof now)))
    it->file = 0; /* changed under our hands: not for the cache */
}

static void remember(job *j, uint32_t clip) {
  item *it = &j->store->items[clip];
  if (!j->cache || !it->file || !it->ok || too_long(j, clip, it->facts.seconds)) return; /* the last: never recalled */
  am_error why = AM_ERROR_INIT;
  am_status status = am_cache_add(j->cache, x_key(j, clip), it->t, j->store->bins, &it->facts, it->x, &why);
  if (!status && j->keep_sound)
    status = am_cache_add(j->cache, sound_key(j, clip), (int64_t)it->n_sound, 1, &it->facts, it->sound, &why);
  if (!status && am_cache_pending(j->cache) > FLUSH_BYTES) status = am_cache_flush(j->cache, &why);
  if (status) give_up_cache(j, why.message);
}

static void report(const job *j, size_t done, bool finished) {
  const am_store *s = j->store;
  char copies[32];
  snprintf(copies, sizeof copies, "copies %d/%d", j->number, j->augment ? (int)j->augment->copies : 0);
  am_progress p = {.size = sizeof p,
                   .task = j->augment ? copies : "features",
                   .unit = "clips",
                   .done = s->counts.from_cache + done,
                   .total = s->counts.from_cache + j->n_todo,
                   .seconds = am_now() - j->began,
                   .finished = finished,
                   .note = s->counts.from_cache && !j->n_todo ? "from the cache" : NULL};
  am_progress_emit(s->ctx, &p);
}

static am_status skip(job *j, uint32_t clip, am_status status, const am_error *why, am_error *err) {
  am_store *s = j->store;
  bool file_is_bad = status == AM_E_IO || status == AM_E_FORMAT || status == AM_E_NUMERIC || status == AM_E_DATA;
  if (j->augment) return am_fail(err, status, "%s", why->message); /* the clip itself could be read */
  if (!j->data->skip_unreadable || !file_is_bad) {
    am_status failed = am_fail(err, status, "%s", why->message);
    if (err && strstr(why->message, "the limit of") &&
        strlen(err->message) < 800) /* of what is too long (audio/sound.c) */
      strcat(err->message, ", or raise data.max_seconds");
    if (err && file_is_bad && strlen(err->message) < 900)
      strcat(err->message, " (data.skip_unreadable: true leaves such files out)");
    return failed;
  }
  am_log(s->ctx, AM_LOG_WARNING, "left out %s: %s", j->d->clips[clip].name, why->message);
  s->counts.skipped++;
  return AM_OK;
}

static am_status compute_all(job *j, am_error *err) {
  am_context *ctx = j->store->ctx;
  report(j, 0, !j->n_todo);
  am_status status = AM_OK;
  for (j->first = 0; j->first < j->n_todo && !status; j->first += CHUNK) {
    if (am_context_stopping(ctx)) return am_fail(err, AM_E_STOPPED, "stopped while computing features");
    size_t n = j->n_todo - j->first < CHUNK ? j->n_todo - j->first : CHUNK;
    am_parallel_for(ctx, n, compute_piece, j);
    for (size_t i = 0; i < n && !status; i++) {
      uint32_t clip = j->todo[j->first + i];
      if (j->status[i]) status = skip(j, clip, j->status[i], &j->errors[i], err);
      else remember(j, clip);
    }
    report(j, j->first + n, status || j->first + n == j->n_todo);
  }
  return status;
}

/* What is done is kept, also when the rest failed or was stopped. */
static void keep_cache(job *j) {
  if (!j->cache) return;
  am_error why = AM_ERROR_INIT;
  if (am_cache_flush(j->cache, &why)) give_up_cache(j, why.message);
  am_cache_close(j->cache);
  j->cache = NULL;
}

/* Clips with nothing to hear: named, and with data.unheard leave_out put aside. */
static void judge_unheard(job *j) {
  am_store *s = j->store;
  bool keep = j->data->unheard == AM_UNHEARD_KEEP;
  for (uint32_t i = 0; i < s->n; i++) {
    item *it = &s->items[i];
    if (!it->ok || !it->facts.unheard) continue;
    if (s->counts.unheard++ < NAMED)
      am_log(s->ctx, AM_LOG_WARNING, "%s %s: it is %s", keep ? "kept" : "left out", j->d->clips[i].name,
             am_unheard_name((am_unheard)it->facts.unheard));
    if (keep) continue;
    it->ok = false;
    am_free(s->ctx, it->x);
    am_free(s->ctx, it->sound);
    it->x = it->sound = NULL;
    it->t = 0;
    it->n_sound = 0;
  }
  if (s->counts.unheard > NAMED)
    am_log(s->ctx, AM_LOG_WARNING, "%s %zu clips in all that are silent or shorter than 0.1 s",
           keep ? "kept" : "left out", s->counts.unheard);
}

/* Sounds of a lower rate than the features are made for lack their upper frequencies: a model hears them as another kind of
 * recording. */
static void say_low_rates(job *j) {
  const am_store *s = j->store;
  const double needed = am_features_rate_needed(am_features_options(j->fx));
  size_t n = 0;
  uint32_t example = 0;
  for (uint32_t i = (uint32_t)s->n; i-- > 0;)
    if (s->items[i].ok && s->items[i].facts.file_rate > 0 && s->items[i].facts.file_rate < needed) n++, example = i;
  if (n)
    am_log(s->ctx, AM_LOG_WARNING,
           "%zu of %zu clips %s a lower rate than the %g Hz that features.sample_rate makes use of, "
           "e.g. %s (%g Hz): what is missing in %s costs accuracy",
           n, s->n, am_count(n, "has", "have"), needed, j->d->clips[example].name, s->items[example].facts.file_rate,
           am_count(n, "it", "them"));
}

static void find_longest(am_store *s) {
  s->max_frames = 0;
  for (size_t i = 0; i < s->n; i++)
    if (s->items[i].ok && s->items[i].t > s->max_frames) s->max_frames = s->items[i].t;
}

static am_status fill(job *j, const char *cache_dir, am_error *err) {
  am_store *s = j->store;
  am_error why = AM_ERROR_INIT;
  if (cache_dir && *cache_dir && am_cache_open(s->ctx, cache_dir, &j->cache, &why)) give_up_cache(j, why.message);
  if (j->cache) identify(j);
  recall_all(j);
  am_status status = compute_all(j, err);
  keep_cache(j);
  if (status) return status;
  s->counts.computed = j->n_todo - s->counts.skipped;
  s->counts.seconds = am_now() - j->began;
  find_longest(s);
  if (j->augment) return AM_OK; /* the rest was said of the clips themselves */
  am_log(s->ctx, AM_LOG_DEBUG, "features of %zu clips: %zu from the cache (%s), %zu computed, in %.2f s", s->n,
         s->counts.from_cache, cache_dir && *cache_dir ? cache_dir : "none", s->counts.computed, s->counts.seconds);
  if (s->counts.skipped == s->n)
    return am_fail(err, AM_E_DATA, "%s: none of the %zu files could be read", j->d->root, s->n);
  judge_unheard(j);
  if (s->counts.skipped + s->counts.unheard == s->n && j->data->unheard == AM_UNHEARD_LEAVE_OUT)
    return s->n == 1 ? am_fail(err, AM_E_DATA, "%s: its only clip is silent or shorter than 0.1 s", j->d->root)
                     : am_fail(err, AM_E_DATA,
                               "%s: none of the %zu clips has anything to hear: %zu %s silent or shorter "
                               "than 0.1 s",
                               j->d->root, s->n, s->counts.unheard, am_count(s->counts.unheard, "is", "are"));
  find_longest(s);
  say_low_rates(j);
  return AM_OK;
}

/* Fills what j holds by then. */
static am_status create(am_context *ctx, job *j, const char *cache_dir, am_store **out, am_error *err) {
  *out = NULL;
  am_store *s = j->store = am_alloc(ctx, 1, sizeof *s);
  if (!s) {
    am_free(ctx, j->todo);
    return am_no_memory(err);
  }
  s->ctx = ctx;
  s->n = j->d->n;
  int t;
  am_features_shape(j->fx, 1, &t, &s->bins);
  j->began = am_now();
  s->items = am_alloc(ctx, s->n + 1, sizeof *s->items);
  j->errors = am_alloc(ctx, CHUNK, sizeof *j->errors);
  am_status status = s->items && j->todo && j->errors ? fill(j, cache_dir, err) : am_no_memory(err);
  am_free(ctx, j->errors);
  am_free(ctx, j->todo);
  if (status) am_store_free(s);
  else *out = s;
  return status;
}

/* The clips that j is about: n of them, or with NULL all. */
static am_status create_of(am_context *ctx, job *j, const uint32_t *clips, size_t n, const char *cache_dir,
                           am_store **out, am_error *err) {
  j->todo = am_alloc(ctx, n + 1, sizeof *j->todo);
  j->n_todo = n;
  for (size_t i = 0; j->todo && i < n; i++) j->todo[i] = clips ? clips[i] : (uint32_t)i;
  return create(ctx, j, cache_dir, out, err);
}

am_status am_store_create(am_context *ctx, const am_dataset *d, const am_features *fx, const am_data_options *data,
                          const char *cache_dir, bool keep_sound, am_store **out, am_error *err) {
  job j = {.d = d, .fx = fx, .data = data, .keep_sound = keep_sound};
  return create_of(ctx, &j, NULL, d->n, cache_dir, out, err);
}

am_status am_store_create_under(am_context *ctx, const am_dataset *d, const am_features *fx,
                                const am_data_options *data, const am_condition *under, const uint32_t *clips, size_t n,
                                am_store **out, am_error *err) {
  job j = {.d = d, .fx = fx, .data = data, .under = under};
  return create_of(ctx, &j, clips, n, NULL, out, err);
}

am_status am_store_add_copies(am_store *s, const am_dataset *d, const am_features *fx, const am_data_options *data,
                              const char *cache_dir, const am_augment_options *o, const uint32_t *clips, size_t n,
                              am_error *err) {
  if (o->copies < 1) return AM_OK;
  am_status status = AM_OK;
  s->copies = am_alloc(s->ctx, (size_t)o->copies, sizeof *s->copies);
  if (!s->copies) return am_no_memory(err);
  for (int number = 1; number <= o->copies && !status; number++) {
    job j = {.d = d, .fx = fx, .data = data, .augment = o, .number = number};
    am_store *copy;
    status = create_of(s->ctx, &j, clips, n, cache_dir, &copy, err);
    if (!status) s->copies[s->n_copies++] = copy;
  }
  if (status) am_store_free_copies(s);
  return status;
}
