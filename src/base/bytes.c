/* SPDX-License-Identifier: MIT */
/* base/bytes.c - see bytes.h. */
#include "base/bytes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"

static const char units[] = "kmgt";

/* What follows the number: the factor, 0 when it is no unit. */
static double factor_of(const char *unit) {
  double base = 1000, factor = 1;
  unit += strspn(unit, " ");
  char letter = (char)(*unit >= 'A' && *unit <= 'Z' ? *unit + ('a' - 'A') : *unit);
  const char *at = letter ? strchr(units, letter) : NULL;
  if (at) {
    unit++;
    if (*unit == 'i') {
      base = 1024;
      unit++;
    }
    for (const char *u = units; u <= at; u++) factor *= base;
  }
  if (*unit == 'B' || *unit == 'b') unit++;
  return *unit ? 0 : factor;
}

bool am_text_to_bytes(const char *text, int64_t *out) {
  char number[32];
  const size_t n = strspn(text, "0123456789.");
  if (!n || n >= sizeof number) return false;
  memcpy(number, text, n);
  number[n] = '\0';
  int64_t whole;
  double real, factor = factor_of(text + n);
  if (factor == 1 && am_text_to_int(number, &whole)) { /* exact also where a double is not */
    *out = whole;
    return true;
  }
  if (!(factor > 0) || !am_text_to_real(number, &real)) return false;
  real = floor(real * factor + 0.5);
  if (!(real < 9.2e18)) return false;
  *out = (int64_t)real;
  return true;
}

void am_bytes_to_text(int64_t bytes, char out[32]) {
  int64_t count = bytes;
  size_t unit = 0;
  while (count && count % 1000 == 0 && unit < sizeof units - 1) {
    count /= 1000;
    unit++;
  }
  if (unit) snprintf(out, 32, "%" PRId64 "%cB", count, unit == 1 ? 'k' : (char)(units[unit - 1] - ('a' - 'A')));
  else snprintf(out, 32, "%" PRId64, bytes);
}

/* A file that holds one number, as Linux tells the limits of a control group; 0: none is told. */
static uint64_t limit_in(const char *path) {
  char text[32] = "";
  int64_t bytes;
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  const bool read = fgets(text, sizeof text, file) != NULL;
  fclose(file);
  text[strcspn(text, "\n")] = '\0';
  return read && am_text_to_int(text, &bytes) && bytes > 0 ? (uint64_t)bytes : 0;
}

uint64_t am_machine_memory(void) {
  static const char *const groups[] = {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  uint64_t memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    const uint64_t limit = limit_in(groups[i]);
    if (limit && (!memory || limit < memory)) memory = limit;
  }
  return memory;
}
