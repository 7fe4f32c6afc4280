/* SPDX-License-Identifier: MIT */
/* data/store_get.c - what is in a store. */
#include "data/store_inside.h"

void am_numbers_free(am_context *ctx, numbers *x) {
  if (!x->file) am_free(ctx, x->is.x);
  *x = (numbers){0};
}

void am_store_free_copies(am_store *s) {
  for (int i = 0; i < s->n_copies; i++) am_store_free(s->copies[i]);
  am_free(s->ctx, s->copies);
  s->copies = NULL;
  s->n_copies = 0;
}

void am_store_free(am_store *s) {
  if (!s) return;
  am_store_free_copies(s);
  for (size_t i = 0; s->items && i < s->n; i++) am_numbers_free(s->ctx, &s->items[i].x);
  for (size_t i = 0; s->sounds && i < s->n; i++) am_numbers_free(s->ctx, &s->sounds[i].x);
  if (s->mending) pthread_mutex_destroy(&s->mending->lock);
  am_cache_files_free(s->files);
  am_free(s->ctx, s->mending);
  am_free(s->ctx, s->items);
  am_free(s->ctx, s->sounds);
  am_free(s->ctx, s);
}

bool am_store_ok(const am_store *s, uint32_t clip) { return s->items[clip].ok; }
int am_store_frames(const am_store *s, uint32_t clip) { return s->items[clip].t; }
int am_store_bins(const am_store *s) { return s->bins; }
int am_store_copies(const am_store *s) { return s->n_copies; }
const am_store *am_store_copy(const am_store *s, int number) { return number ? s->copies[number - 1] : s; }
int am_store_max_frames(const am_store *s) {
  int most = s->max_frames;
  for (int i = 0; i < s->n_copies; i++)
    if (s->copies[i]->max_frames > most) most = s->copies[i]->max_frames;
  return most;
}
static const float *in_memory(const numbers *x) { return x->file ? NULL : x->is.x; }
const float *am_store_features(const am_store *s, uint32_t clip) { return in_memory(&s->items[clip].x); }
double am_store_seconds(const am_store *s, uint32_t clip) { return s->items[clip].seconds; }
am_unheard am_store_unheard(const am_store *s, uint32_t clip) { return (am_unheard)s->items[clip].unheard; }
const char *am_store_reason(const am_store *s, uint32_t clip) {
  am_unheard unheard = am_store_unheard(s, clip);
  return unheard ? am_unheard_name(unheard) : AM_LEFT_OUT_UNREADABLE;
}
bool am_store_readable(const am_store *s, uint32_t clip) { return s->items[clip].ok || s->items[clip].unheard; }
uint64_t am_store_digest(const am_store *s, uint32_t clip) { return s->items[clip].digest; }
double am_store_file_rate(const am_store *s, uint32_t clip) { return s->items[clip].file_rate; }
am_store_counts am_store_counted(const am_store *s) { return s->counts; }
am_store_counts am_store_counted_copies(const am_store *s) {
  am_store_counts all = {0};
  for (int i = 0; i < s->n_copies; i++) {
    all.from_cache += s->copies[i]->counts.from_cache;
    all.computed += s->copies[i]->counts.computed;
    all.here += s->copies[i]->counts.here;
    all.seconds += s->copies[i]->counts.seconds;
  }
  return all;
}

bool am_store_has_sound(const am_store *s) { return s->sounds != NULL; }
size_t am_store_samples(const am_store *s, uint32_t clip) { return s->sounds ? s->sounds[clip].n : 0; }
const float *am_store_sound(const am_store *s, uint32_t clip, size_t *n) {
  *n = am_store_samples(s, clip);
  return s->sounds ? in_memory(&s->sounds[clip].x) : NULL;
}
size_t am_store_held(const am_store *s) {
  size_t held = s->held;
  for (int i = 0; i < s->n_copies; i++) held += s->copies[i]->held;
  return held;
}
