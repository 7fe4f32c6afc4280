/* SPDX-License-Identifier: MIT */
/* serve/page.c - see page.h. */
#include "serve/page.h"

#include <string.h>

static const am_page_file *find(const char *path) {
  for (const am_page_file *f = am_page_files; f->path; f++)
    if (!strcmp(f->path, path)) return f;
  return NULL;
}

bool am_page_has(const char *path) { return find(path) != NULL; }

bool am_page_find(am_context *ctx, const char *path, am_reply *out) {
  const am_page_file *f = find(path);
  if (!f) return false;
  *out = (am_reply){.status = 200, .type = f->type};
  am_buffer_append(ctx, &out->body, f->data, f->bytes);
  return !out->body.failed;
}
