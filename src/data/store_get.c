/* data/store_get.c - what is in a store. */
#include "data/store_inside.h"

void am_store_free_copies(am_store *s) {
  for (int i = 0; i < s->n_copies; i++) am_store_free(s->copies[i]);
  am_free(s->ctx, s->copies);
  s->copies = NULL;
  s->n_copies = 0;
}

void am_store_free(am_store *s) {
  if (!s) return;
  am_store_free_copies(s);
  for (size_t i = 0; s->items && i < s->n; i++) {
    am_free(s->ctx, s->items[i].x);
    am_free(s->ctx, s->items[i].sound);
  }
  am_free(s->ctx, s->items);
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
const float *am_store_features(const am_store *s, uint32_t clip) { return s->items[clip].x; }
double am_store_seconds(const am_store *s, uint32_t clip) { return s->items[clip].facts.seconds; }
am_unheard am_store_unheard(const am_store *s, uint32_t clip) { return (am_unheard)s->items[clip].facts.unheard; }
const char *am_store_reason(const am_store *s, uint32_t clip) {
  am_unheard unheard = am_store_unheard(s, clip);
  return unheard ? am_unheard_name(unheard) : AM_LEFT_OUT_UNREADABLE;
}
bool am_store_readable(const am_store *s, uint32_t clip) { return s->items[clip].ok || s->items[clip].facts.unheard; }
uint64_t am_store_digest(const am_store *s, uint32_t clip) { return s->items[clip].facts.digest; }
double am_store_file_rate(const am_store *s, uint32_t clip) { return s->items[clip].facts.file_rate; }
am_store_counts am_store_counted(const am_store *s) { return s->counts; }
am_store_counts am_store_counted_copies(const am_store *s) {
  am_store_counts all = {0};
  for (int i = 0; i < s->n_copies; i++) {
    all.from_cache += s->copies[i]->counts.from_cache;
    all.computed += s->copies[i]->counts.computed;
    all.seconds += s->copies[i]->counts.seconds;
  }
  return all;
}

const float *am_store_sound(const am_store *s, uint32_t clip, size_t *n) {
  *n = s->items[clip].n_sound;
  return s->items[clip].sound;
}
