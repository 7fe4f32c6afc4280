/* SPDX-License-Identifier: MIT */
/* data/check.c - decodes a corpus once and compares its sounds. */
#include "data/check.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audio/sound.h"

enum { AT_ONCE = 128 };                /* clips between two looks at the stop flag */
static const double same_ratio = 1e-4; /* -40 dB as a ratio of energies */

typedef struct work {
  am_context *ctx;
  const am_dataset *d;
  am_check *check;
  size_t first;
  double max_seconds;
  atomic_bool no_memory;
} work;

static void measure(const am_sound *sound, am_check_clip *c) {
  double sum[AM_CHECK_BANDS] = {0};
  size_t count[AM_CHECK_BANDS] = {0};
  for (size_t i = 0; i < sound->n; i++) {
    size_t band = i * AM_CHECK_BANDS / sound->n;
    float x = sound->samples[i];
    sum[band] += (double)x * (double)x;
    count[band]++;
  }
  for (int k = 0; k < AM_CHECK_BANDS; k++) c->level[k] = count[k] ? (float)sqrt(sum[k] / (double)count[k]) : 0;
}

static am_unheard part_unheard(const am_sound *sound, const am_clip *clip) {
  size_t from = am_size_of(fmin(clip->start * sound->rate, (double)sound->n)), left = sound->n - from;
  size_t n = clip->seconds > 0 ? am_size_of(fmin(clip->seconds * sound->rate, (double)left)) : left;
  return am_sound_unheard(sound->samples + from, n, sound->rate);
}

static void check_clip(void *arg, size_t piece, int worker) {
  work *w = arg;
  am_check_clip *c = &w->check->clips[w->first + piece];
  am_sound sound = {.size = sizeof sound};
  am_error why = AM_ERROR_INIT;
  (void)worker;
  am_status status = am_sound_read_clip(w->ctx, w->d->clips[w->first + piece].path, 0, w->max_seconds, &sound, &why);
  if (status) {
    c->problem = am_strdup(w->ctx, why.message);
    if (status == AM_E_NOMEM || !c->problem) atomic_store(&w->no_memory, true);
    return;
  }
  c->rate = sound.file_rate;
  c->channels = sound.file_channels;
  c->samples = sound.n;
  c->seconds = (double)sound.n / sound.rate;
  c->unheard = part_unheard(&sound, &w->d->clips[w->first + piece]);
  c->file_unheard = am_sound_unheard(sound.samples, sound.n, sound.rate);
  measure(&sound, c);
  am_sound_free(&sound);
}

static am_status listen(work *w, am_error *err) {
  size_t n = w->check->n;
  double began = am_now();
  for (w->first = 0; w->first < n;) {
    size_t some = n - w->first < AT_ONCE ? n - w->first : AT_ONCE;
    am_parallel_for(w->ctx, some, check_clip, w);
    if (atomic_load(&w->no_memory)) return am_no_memory(err);
    w->first += some;
    am_progress p = {.size = sizeof p,
                     .task = "listening",
                     .unit = "clips",
                     .done = w->first,
                     .total = n,
                     .seconds = am_now() - began,
                     .finished = w->first == n};
    am_progress_emit(w->ctx, &p);
    if (am_context_stopping(w->ctx)) return am_fail(err, AM_E_STOPPED, "stopped while listening to the clips");
  }
  return AM_OK;
}

typedef struct order {
  double rate;
  size_t samples;
  uint32_t clip;
} order;

static int by_length(const void *a, const void *b) {
  const order *x = a, *y = b;
  if (x->rate != y->rate) return x->rate < y->rate ? -1 : 1;
  if (x->samples != y->samples) return x->samples < y->samples ? -1 : 1;
  return x->clip < y->clip ? -1 : x->clip > y->clip;
}

/* Could they be the same?  Levels within the tolerance of the whole: others go without decoding. */
static bool alike(const am_check_clip *a, const am_check_clip *b) {
  double difference = 0, energy = 0;
  for (int k = 0; k < AM_CHECK_BANDS; k++) {
    double d = (double)a->level[k] - (double)b->level[k];
    difference += d * d;
    energy += (double)a->level[k] * (double)a->level[k];
  }
  return difference <= same_ratio * energy * 1.01; /* a band's levels differ by no more than the samples do */
}

am_status am_check_same(am_context *ctx, const char *a, const char *b, double max_seconds, bool *same, am_error *err) {
  am_sound x = {.size = sizeof x}, y = {.size = sizeof y};
  am_status status = am_sound_read_clip(ctx, a, 0, max_seconds, &x, err);
  if (!status) status = am_sound_read_clip(ctx, b, 0, max_seconds, &y, err);
  double difference = 0, energy = 0;
  for (size_t i = 0; !status && i < x.n && i < y.n; i++) {
    double d = (double)x.samples[i] - (double)y.samples[i];
    difference += d * d;
    energy += (double)x.samples[i] * (double)x.samples[i];
  }
  *same = !status && x.rate == y.rate && x.n == y.n && difference <= same_ratio * energy;
  am_sound_free(&x);
  am_sound_free(&y);
  return status;
}

static am_status compare(const work *w, uint32_t a, uint32_t b, bool *same, am_error *err) {
  return am_check_same(w->ctx, w->d->clips[a].path, w->d->clips[b].path, w->max_seconds, same, err);
}

static am_status add_pair(am_check *check, uint32_t a, uint32_t b, am_error *err) {
  if (am_grow(check->ctx, &check->pairs, &check->pairs_room, check->n_pairs + 1, sizeof *check->pairs, err))
    return AM_E_NOMEM;
  check->pairs[check->n_pairs++] = (am_check_pair){a, b};
  return AM_OK;
}

/* The sounds at[0..n) are as long as each other: each is paired with the first that it repeats. */
static am_status pair_up(const work *w, const order *at, size_t n, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 1; i < n && !status; i++) {
    bool same = false;
    for (size_t k = 0; k < i && !same && !status; k++) {
      if (!alike(&w->check->clips[at[k].clip], &w->check->clips[at[i].clip])) continue;
      status = compare(w, at[k].clip, at[i].clip, &same, err);
      if (same) status = add_pair(w->check, at[k].clip, at[i].clip, err);
    }
    if (!status && am_context_stopping(w->ctx))
      status = am_fail(err, AM_E_STOPPED, "stopped while comparing the clips");
  }
  return status;
}

/* Clips cut from one file by start and seconds would all be the same: one of them stands for the file. */
static bool is_first_of_file(const am_dataset *d, size_t i) {
  return d->clips[i].start <= 0 && (!i || strcmp(d->clips[i - 1].path, d->clips[i].path) != 0);
}

static am_status find_pairs(const work *w, am_error *err) {
  order *at = am_alloc(w->ctx, w->check->n ? w->check->n : 1, sizeof *at);
  if (!at) return am_no_memory(err);
  size_t n = 0;
  for (size_t i = 0; i < w->check->n; i++) {
    const am_check_clip *c = &w->check->clips[i];
    if (c->problem || c->file_unheard || !is_first_of_file(w->d, i)) continue;
    at[n++] = (order){c->rate, c->samples, (uint32_t)i};
  }
  qsort(at, n, sizeof *at, by_length);
  am_status status = AM_OK;
  for (size_t i = 0, end; i < n && !status; i = end) {
    for (end = i + 1; end < n && at[end].rate == at[i].rate && at[end].samples == at[i].samples; end++) {}
    status = pair_up(w, at + i, end - i, err);
  }
  am_free(w->ctx, at);
  return status;
}

am_status am_check_run(am_context *ctx, const am_dataset *d, double max_seconds, am_check *out, am_error *err) {
  *out = (am_check){.ctx = ctx, .n = d->n};
  out->clips = am_alloc(ctx, d->n ? d->n : 1, sizeof *out->clips);
  work w = {.ctx = ctx, .d = d, .check = out, .max_seconds = max_seconds};
  atomic_init(&w.no_memory, false);
  am_status status = out->clips ? listen(&w, err) : am_no_memory(err);
  if (!status) status = find_pairs(&w, err);
  if (status) am_check_free(out);
  return status;
}

void am_check_free(am_check *check) {
  for (size_t i = 0; check->clips && i < check->n; i++) am_free(check->ctx, check->clips[i].problem);
  am_free(check->ctx, check->clips);
  am_free(check->ctx, check->pairs);
  *check = (am_check){0};
}
