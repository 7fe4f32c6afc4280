/* SPDX-License-Identifier: MIT */
/* base/size.c - structs that say their own size: one policy for callers compiled against older and newer headers. */
#include <string.h>

#include "base/base.h"

static size_t size_of(const void *given) {
  size_t size;
  memcpy(&size, given, sizeof size);
  return size;
}

am_status am_size_check(const void *given, size_t known, size_t least, const char *name, am_error *err) {
  if (!given) return am_fail(err, AM_E_USAGE, "%s may not be NULL", name);
  const size_t size = size_of(given);
  if (size < least)
    return am_fail(err, AM_E_USAGE, "%s.size is %zu, wanted at least %zu; set it to sizeof(%s)", name, size, least,
                   name);
  for (size_t i = known; i < size; i++)
    if (((const unsigned char *)given)[i])
      return am_fail(err, AM_E_USAGE,
                     "%s: this program sets members that libaudiomood %s does not know; it wants a newer one", name,
                     am_version());
  return AM_OK;
}

am_status am_size_take(void *mine, size_t known, const void *given, size_t least, const char *name, am_error *err) {
  am_status status = am_size_check(given, known, least, name, err);
  if (status) return status;
  const size_t size = size_of(given);
  memset(mine, 0, known);
  memcpy(mine, given, size < known ? size : known);
  memcpy(mine, &known, sizeof known);
  return AM_OK;
}

void am_size_give(void *given, const void *mine, size_t known) {
  const size_t size = size_of(given), kept = size < known ? size : known;
  memcpy((char *)given + sizeof size, (const char *)mine + sizeof size, kept - sizeof size);
  if (size > known) memset((char *)given + known, 0, size - known);
}
