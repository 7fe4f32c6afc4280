/* SPDX-License-Identifier: MIT */
/* serve/multipart.h - the body of a form that uploads a file (RFC 7578). */
#ifndef AM_MULTIPART_H
#define AM_MULTIPART_H

#include "base/base.h"

enum { AM_MULTIPART_PARTS = 32, AM_MULTIPART_NAME = 64, AM_MULTIPART_FILE = 256 };

typedef struct am_form_part {
  char name[AM_MULTIPART_NAME];     /* of the field; terminated, as all texts here */
  char filename[AM_MULTIPART_FILE]; /* as the client calls it, a path's last part; a label, never opened; "" none */
  const char *data;                 /* (bytes), of the body */
  size_t bytes;
} am_form_part;

typedef struct am_form {
  am_form_part part[AM_MULTIPART_PARTS];
  size_t n;
} am_form;

enum { AM_BOUNDARY = 71 };
/* The boundary that a Content-Type names; false: it is no multipart/form-data, or names none that is allowed. */
bool am_multipart_boundary(const char *content_type, char boundary[AM_BOUNDARY]);
/* The parts of a body, borrowed from it.  AM_E_FORMAT: what is wrong. */
am_status am_multipart_parse(const char *body, size_t bytes, const char *boundary, am_form *out, am_error *err);
/* By its name; NULL: there is none. */
const am_form_part *am_form_find(const am_form *form, const char *name);

#endif
