/* SPDX-License-Identifier: MIT */
/* serve/page.h - the files of the page, which are in the program (page_files.c is made by embed.c from page/). */
#ifndef AM_PAGE_OF_SERVER_H
#define AM_PAGE_OF_SERVER_H

#include "serve/reply.h"

typedef struct am_page_file {
  const char *path; /* of a request; NULL ends the table */
  const char *type;
  const unsigned char *data;
  size_t bytes;
} am_page_file;
extern const am_page_file am_page_files[];

bool am_page_has(const char *path);
bool am_page_find(am_context *ctx, const char *path, am_reply *out); /* false: no memory, or not there */

#endif
