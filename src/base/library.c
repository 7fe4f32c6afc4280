/* SPDX-License-Identifier: MIT */
/* base/library.c - see library.h. */
#include "base/library.h"

#include <assert.h>
#include <dlfcn.h>
#include <string.h>

typedef void (*function)(void);

/* Debian's package of libcairo.so.2 is libcairo2. */
static am_status fail_absent(const char *file, am_error *err) {
  const char *why = dlerror(), *so = strstr(file, ".so.");
  if (!so) so = file + strlen(file);
  return am_fail(err, AM_E_UNSUPPORTED, "%s cannot be loaded; install it (Debian: %.*s%s): %s", file, (int)(so - file),
                 file, *so ? so + strlen(".so.") : "", why ? why : "no reason is given");
}

am_status am_library_load(const am_library *libraries, size_t n, void *table, size_t bytes, am_error *err) {
  char *to = table, *const end = to + bytes;
  am_status status = AM_OK;
  for (size_t i = 0; i < n && !status; i++) {
    void *library = dlopen(libraries[i].file, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) return fail_absent(libraries[i].file, err);
    for (const char *const *name = libraries[i].names; *name && !status; name++) {
      void *at = dlsym(library, *name); /* POSIX: the address of a function, as one of an object */
      assert(to + sizeof(function) <= end && sizeof at == sizeof(function));
      if (at) memcpy(to, &at, sizeof at);
      else status = fail_absent(libraries[i].file, err);
      to += sizeof at;
    }
    dlclose(library);
  }
  assert(status || to == end);
  (void)end;
  return status;
}
