/* SPDX-License-Identifier: MIT */
/* base/library.h - libraries that are loaded when they are wanted.  Linked, they and all that they use would be part of every
 * start of the program, of those that never ask for them, too.
 *
 * What is used of a library is one list, which gives a struct of pointers to functions and their names:
 *
 *     #define DRAWING(X) X(cairo_fill) X(cairo_stroke)
 *     typedef struct drawing { DRAWING(AM_LIBRARY_MEMBER) } drawing;
 *     static const char *const names[] = {DRAWING(AM_LIBRARY_NAME) NULL};
 *
 * The types are those of the library's header.  base/soname_*.h, which the build makes, have the name by which a library with
 * such functions is loaded: another number in it would be another interface. */
#ifndef AM_LIBRARY_H
#define AM_LIBRARY_H

#include "base/base.h"

#define AM_LIBRARY_MEMBER(name) __typeof__(&name) name;
#define AM_LIBRARY_NAME(name) #name,

typedef struct am_library {
  const char *file;         /* libcairo.so.2 */
  const char *const *names; /* up to NULL */
} am_library;

/* Fills `table`, of `bytes` bytes: the functions of all n libraries, one list after the other.  They are never unloaded, since
 * some leave threads or addresses of theirs behind.  AM_E_UNSUPPORTED: one is not there; the message names it and the package
 * that Debian has it in.  Any thread. */
am_status am_library_load(const am_library *libraries, size_t n, void *table, size_t bytes, am_error *err);

#endif
