/* SPDX-License-Identifier: MIT */
#include "audio/part.h"

#include <assert.h>
#include <string.h>

void am_part_copy(const am_part *part, size_t at, void *to, size_t n) {
  assert(at <= part->bytes && n <= part->bytes - at);
  if (n) memcpy(to, part->data + at, n);
  if (n) am_pass(part->passing, part->data + at + n);
  for (int i = 0; i < part->patches; i++) {
    const am_patch *p = &part->patch[i];
    for (int k = 0; k < p->n; k++)
      if (p->at + (size_t)k >= at && p->at + (size_t)k < at + n)
        ((unsigned char *)to)[p->at + (size_t)k - at] = p->to[k];
  }
}

void am_part_patch(am_part *part, size_t at, uint64_t value, int n, bool big) {
  assert(part->patches < AM_PATCHES && n <= 8);
  am_patch *p = &part->patch[part->patches++];
  *p = (am_patch){.at = at, .n = n};
  for (int i = 0; i < n; i++) p->to[big ? n - 1 - i : i] = (unsigned char)(value >> 8 * i);
}
