/* SPDX-License-Identifier: MIT */
/* audio/mapping.h - a file as memory that the system fills from it and takes back: of hours of sound only some megabytes are
 * there at a time.  A file that is cut while it is read ends the process (SIGBUS), so only a child maps one (base/child.h). */
#ifndef AM_MAPPING_H
#define AM_MAPPING_H

#include "audio/passing.h"

typedef struct am_mapping {
  am_passing passing; /* first: gives back what was passed, every few megabytes */
  const unsigned char *data;
  size_t bytes;
  const unsigned char *from; /* what was given back */
  void (*tick)(void *user);  /* called each time; NULL: nobody is */
  void *user;
} am_mapping;

/* Of an open file; false: this one cannot be, and errno says why. */
bool am_mapping_open(int fd, size_t bytes, am_mapping *out);
void am_mapping_close(am_mapping *m);

#endif
