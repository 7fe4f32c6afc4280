/* SPDX-License-Identifier: MIT */
#include "audio/mapping.h"

#include <stdint.h>
#include <sys/mman.h>

static const uintptr_t step = 1 << 20;

/* Private pages of a file that nobody wrote to: they are read again when they are asked for again. */
static void passed(am_passing *p, const unsigned char *upto) {
  am_mapping *m = (am_mapping *)p;
  const uintptr_t from = (uintptr_t)m->from, to = (uintptr_t)upto;
  if (to >= from && to - from < step) return;
  madvise((void *)(uintptr_t)m->data, m->bytes, MADV_DONTNEED);
  m->from = upto;
  if (m->tick) m->tick(m->user);
}

bool am_mapping_open(int fd, size_t bytes, am_mapping *out) {
  *out = (am_mapping){.passing.passed = passed, .bytes = bytes};
  void *at = bytes ? mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
  if (at == MAP_FAILED) return false;
  out->data = out->from = at;
  return true;
}

void am_mapping_close(am_mapping *m) {
  if (m->data) munmap((void *)(uintptr_t)m->data, m->bytes);
  m->data = NULL;
}
