/* SPDX-License-Identifier: MIT */
/* data/names.c - distinct names by open addressing; comparing names. */
#include "data/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* A file cannot know the address of the context: none can choose names that fall on each other. */
static size_t slot_of(const am_name_set *set, const char *name) {
  size_t mask = set->n_slots - 1, i = (size_t)am_hash64((uintptr_t)set->ctx, name, strlen(name)) & mask;
  while (set->slots[i] && strcmp(set->at[set->slots[i] - 1], name)) i = (i + 1) & mask;
  return i;
}

/* Keeps the table at most half full. */
static bool grow(am_name_set *set) {
  if (am_grow(set->ctx, &set->at, &set->room, set->n + 1, sizeof *set->at, NULL)) return false;
  if (2 * (set->n + 1) <= set->n_slots) return true;
  size_t n_slots = set->n_slots ? 2 * set->n_slots : 64;
  uint32_t *slots = am_alloc(set->ctx, n_slots, sizeof *slots);
  if (!slots) return false;
  am_free(set->ctx, set->slots);
  set->slots = slots;
  set->n_slots = n_slots;
  for (size_t i = 0; i < set->n; i++) slots[slot_of(set, set->at[i])] = (uint32_t)i + 1;
  return true;
}

int am_name_set_add(am_name_set *set, const char *name) {
  int found = am_name_set_find(set, name);
  if (found >= 0) return found;
  if (!grow(set)) return -1;
  set->slots[slot_of(set, name)] = (uint32_t)set->n + 1;
  set->at[set->n] = name;
  return (int)set->n++;
}

int am_name_set_find(const am_name_set *set, const char *name) {
  return set->n ? (int)set->slots[slot_of(set, name)] - 1 : -1;
}

void am_name_set_free(am_name_set *set) {
  am_free(set->ctx, set->at);
  am_free(set->ctx, set->slots);
  *set = (am_name_set){.ctx = set->ctx};
}

static bool digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits(const char *text) {
  size_t n = 0;
  while (digit(text[n])) n++;
  return n;
}

int am_natural_compare(const char *a, const char *b) {
  const char *x = a, *y = b;
  while (*x && *y) {
    if (digit(*x) && digit(*y)) {
      while (*x == '0' && digit(x[1])) x++;
      while (*y == '0' && digit(y[1])) y++;
      size_t n = digits(x), m = digits(y);
      int order = n != m ? (n < m ? -1 : 1) : strncmp(x, y, n);
      if (order) return order;
      x += n;
      y += m;
    } else if (*x != *y) {
      return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
    } else {
      x++;
      y++;
    }
  }
  if (*x || *y) return *x ? 1 : -1;
  return strcmp(a, b);
}

const char *am_name_plain(const char *name) {
  if (!*name || name[digits(name)]) return name;
  while (*name == '0' && name[1]) name++;
  return name;
}

bool am_name_matches(const char *a, const char *b) { return !strcmp(am_name_plain(a), am_name_plain(b)); }

int am_natural_order(const void *a, const void *b) {
  return am_natural_compare(*(const char *const *)a, *(const char *const *)b);
}

/* Sorting moves names, so the set is made again from the sorted list. */
am_status am_name_set_sort(am_name_set *set, int (*order)(const void *, const void *), am_error *err) {
  am_name_set sorted = {.ctx = set->ctx};
  if (set->n) qsort(set->at, set->n, sizeof *set->at, order);
  for (size_t i = 0; i < set->n; i++)
    if (am_name_set_add(&sorted, set->at[i]) < 0) {
      am_name_set_free(&sorted);
      return am_no_memory(err);
    }
  am_name_set_free(set);
  *set = sorted;
  return AM_OK;
}
