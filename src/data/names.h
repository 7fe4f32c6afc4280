/* SPDX-License-Identifier: MIT */
/* data/names.h - distinct names, numbered in the order they came. */
#ifndef AM_NAMES_H
#define AM_NAMES_H

#include "base/base.h"

typedef struct am_name_set {
  am_context *ctx;
  const char **at; /* n names, borrowed */
  size_t n, room;
  uint32_t *slots; /* hash table of index + 1; a power of two */
  size_t n_slots;
} am_name_set;

/* Starts empty with {.ctx = ctx}.  Index of `name`, added when new; -1: no memory. */
int am_name_set_add(am_name_set *set, const char *name);
int am_name_set_find(const am_name_set *set, const char *name); /* -1: absent */
/* Numbers them anew in this order, as of qsort over texts. */
am_status am_name_set_sort(am_name_set *set, int (*order)(const void *, const void *), am_error *err);
void am_name_set_free(am_name_set *set);

/* Order of names with numbers in them: "2" before "10", "f2" before "f10"; equal only when the texts are. */
int am_natural_compare(const char *a, const char *b);
int am_natural_order(const void *a, const void *b); /* the same of two texts that are pointed to */
/* The end of a whole number that begins after its leading zeros, any other name as it is: "02" is "2". */
const char *am_name_plain(const char *name);
/* The same text, or the same whole number: "2" and "02". */
bool am_name_matches(const char *a, const char *b);

#endif
