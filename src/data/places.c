/* SPDX-License-Identifier: MIT */
/* data/places.c - see places.h; a set by open addressing. */
#include "data/places.h"

am_place am_place_in(const am_file_id *file, double start, double seconds) {
  return (am_place){file->device, file->inode, file->size, file->mtime_ns, start + 0.0, seconds + 0.0}; /* -0 is 0 */
}

bool am_place_of(const char *path, double start, double seconds, am_place *out) {
  am_file_id id;
  if (am_file_identify(path, &id, NULL)) return false;
  *out = am_place_in(&id, start, seconds);
  return true;
}

int am_place_compare(const am_place *a, const am_place *b) {
  if (a->device != b->device) return a->device < b->device ? -1 : 1;
  if (a->inode != b->inode) return a->inode < b->inode ? -1 : 1;
  if (a->size != b->size) return a->size < b->size ? -1 : 1;
  if (a->mtime != b->mtime) return a->mtime < b->mtime ? -1 : 1;
  if (a->start < b->start || a->start > b->start) return a->start < b->start ? -1 : 1;
  if (a->seconds < b->seconds || a->seconds > b->seconds) return a->seconds < b->seconds ? -1 : 1;
  return 0;
}

/* A list cannot know the address of the context: none can choose places that fall on each other. */
static size_t slot_of(const am_place_set *set, const am_place *place) {
  size_t mask = set->n_slots - 1, i = (size_t)am_hash64((uintptr_t)set->ctx, place, sizeof *place) & mask;
  while (set->slots[i] && am_place_compare(&set->at[set->slots[i] - 1].place, place) != 0) i = (i + 1) & mask;
  return i;
}

/* Keeps the table at most half full. */
static bool grow(am_place_set *set) {
  if (am_grow(set->ctx, &set->at, &set->room, set->n + 1, sizeof *set->at, NULL)) return false;
  if (2 * (set->n + 1) <= set->n_slots) return true;
  size_t n_slots = set->n_slots ? 2 * set->n_slots : 64;
  uint32_t *slots = am_alloc(set->ctx, n_slots, sizeof *slots);
  if (!slots) return false;
  am_free(set->ctx, set->slots);
  set->slots = slots;
  set->n_slots = n_slots;
  for (size_t i = 0; i < set->n; i++) slots[slot_of(set, &set->at[i].place)] = (uint32_t)i + 1;
  return true;
}

am_status am_place_set_add(am_place_set *set, const am_place *place, size_t number, size_t *before, am_error *err) {
  if (!grow(set)) return am_no_memory(err);
  uint32_t *slot = &set->slots[slot_of(set, place)];
  if (!*slot) {
    set->at[set->n++] = (struct am_place_numbered){*place, number};
    *slot = (uint32_t)set->n;
  }
  *before = set->at[*slot - 1].number;
  return AM_OK;
}

void am_place_set_free(am_place_set *set) {
  am_free(set->ctx, set->at);
  am_free(set->ctx, set->slots);
  *set = (am_place_set){.ctx = set->ctx};
}
