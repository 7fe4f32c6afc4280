/* SPDX-License-Identifier: MIT */
/* io/h5_inside.h - what the files h5*.c share; the only place that includes hdf5.h. */
#ifndef AM_H5_INSIDE_H
#define AM_H5_INSIDE_H

#define H5_USE_110_API 1 /* in newer ones H5O_info_t is another struct, which goes with other calls */
#include <hdf5.h>
#include <sys/types.h>

#include "io/h5.h"

/* What was found last, which is mostly asked for again, and its group, whose members are found without the way from the root. */
typedef struct am_h5_near {
  hid_t group; /* -1: none */
  size_t n;    /* characters of its name */
  char name[1024], found[1024];
  am_h5_kind kind; /* of `found`; AM_H5_NOTHING: none */
} am_h5_near;

struct am_h5 {
  am_context *ctx;
  am_h5_near *near;  /* of names taken from `at` */
  char *path;        /* the name in messages: where the file is, or will be */
  char *aside;       /* of a new file, built in memory under this name; NULL when it was opened */
  am_whose whose;    /* of a new file: am_file_write_as */
  char *like;        /* of one of ours: the file whose mode it takes; NULL: of the one that it replaces */
  const void *image; /* the whole file in memory, borrowed; NULL: it is at `path` */
  hid_t id;          /* the file */
  hid_t at;          /* what names are taken from: the file, or a group of it (am_h5_within), which is closed with it */
  unsigned flags;
  uint64_t bytes; /* of the file when it was opened; see am_h5_size */
  uint64_t given; /* bytes read from it so far, of an untrusted file */
  bool lost;      /* am_h5_found_lost */
  pid_t child;    /* that has read it and is about to end; 0: none */
};

/* Bytes that the child process may take to read a file of `bytes` bytes; all that is given to the caller is at most half
 * of it.  With what a program has besides, that is within the 64 MB and 20 times the size that docs/reliability.md
 * promises. */
uint64_t am_h5_most(uint64_t bytes);
/* Books `bytes` more, before memory is taken for them. */
am_status am_h5_charge(am_h5 *file, const char *name, size_t bytes, am_error *err);

/* HDF5 prints its errors unless told not to; the host program's wish is put back afterwards. */
typedef struct am_h5_quiet {
  H5E_auto2_t print;
  void *data;
} am_h5_quiet;

/* Around every use of HDF5: takes the process's lock and silences the printing. */
am_h5_quiet am_h5_enter(void);
void am_h5_leave(am_h5_quiet q);
/* In a child process that was forked between enter and leave: the parent's lock is none of the child's. */
void am_h5_unlock_child(void);
/* Whether HDF5 has been refused memory; `again` forgets it.  For the child, which has a limit. */
bool am_h5_starved(bool again);

/* h5_untrusted.c, before a file is opened and outside of enter and leave: the superblock against the file's size;
 * and everything in the file, read by a child process first. */
am_status am_h5_check_head(const am_h5 *file, am_error *err);
am_status am_h5_check_in_child(am_h5 *file, am_error *err);
void am_h5_end_child(am_h5 *file);

/* All below is called between enter and leave. */

/* "path: what name: HDF5 says: the outermost line of its error stack: the innermost". */
am_status am_h5_fail(const am_h5 *file, am_error *err, am_status status, const char *what, const char *name);
#ifdef __clang_analyzer__ /* see base.h */
#define am_h5_fail(file, err, status, ...) (am_h5_fail(file, err, status, __VA_ARGS__), (status))
#endif
bool am_h5_is_root(const char *name);
/* Bytes of the file, which nothing in it can exceed: when it was opened, or now when it is being written. */
uint64_t am_h5_size(const am_h5 *file);
/* What a path leads to by hard links only: soft and external links could lead anywhere. */
am_h5_kind am_h5_lookup(const am_h5 *file, const char *name);
/* Before a link is deleted, which they may be behind. */
void am_h5_forget_near(const am_h5 *file);
/* A UTF-8 string type of `size` bytes, or of variable length (H5T_VARIABLE). */
hid_t am_h5_text_type(size_t size);
/* Groups down to the first `n` characters of a name. */
am_status am_h5_make_groups(const am_h5 *file, const char *name, size_t n, am_error *err);
/* An array of fewer bytes is not worth more threads than one. */
#define AM_H5_PLAIN_FROM ((size_t)8 << 20)
/* h5_plain.c: whether these bytes are large and are stored in the file as they are; gives the file's descriptor. */
bool am_h5_is_plain(const am_h5 *file, const am_h5_info *info, size_t bytes, int *descriptor);
/* Reads them, and their checksum; float32: whether some are no finite numbers is noted.  Called after leave: threads of the
 * pool may be waiting to enter. */
am_status am_h5_read_plain(am_h5 *file, int descriptor, uint64_t offset, const char *name, am_h5_type type, void *to,
                           size_t bytes, uint32_t *crc, am_error *err);
/* h5_array.c: whether am_h5_read, asked for the type that is stored, would read this array so. */
bool am_h5_read_is_plain(am_h5 *file, const char *name);

#endif
