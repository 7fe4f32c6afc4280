/* SPDX-License-Identifier: MIT */
/* data/places.h - which stretch of which file a clip is, whatever it is called; for data/ only. */
#ifndef AM_PLACES_H
#define AM_PLACES_H

#include "base/file.h"

/* Size and time go with the inode, whose number is no more than a hash on some network file systems. */
typedef struct am_place {
  uint64_t device, inode, size, mtime;
  double start, seconds;
} am_place;
am_place am_place_in(const am_file_id *file, double start, double seconds);
/* false: there is no such file. */
bool am_place_of(const char *path, double start, double seconds, am_place *out);
int am_place_compare(const am_place *a, const am_place *b);

/* Distinct places, each with a number that its owner gave it. */
typedef struct am_place_set {
  am_context *ctx;
  struct am_place_numbered {
    am_place place;
    size_t number;
  } * at;
  size_t n, room;
  uint32_t *slots; /* index + 1 */
  size_t n_slots;
} am_place_set;
/* *before: the number of that very place where it is there already, else the one it has now. */
am_status am_place_set_add(am_place_set *set, const am_place *place, size_t number, size_t *before, am_error *err);
void am_place_set_free(am_place_set *set);

#endif
