/* SPDX-License-Identifier: MIT */
/* tests/fuzz/h5edit_inside.h - what h5edit.c and h5edit_mutate.c share. */
#ifndef AM_FUZZ_H5EDIT_INSIDE_H
#define AM_FUZZ_H5EDIT_INSIDE_H

#define H5_USE_110_API 1 /* in newer ones H5O_info_t is another struct, which goes with other calls */
#include <hdf5.h>

#include "fuzz/h5edit.h"

/* The file that the first line of a text names, for reading; -1: none. */
hid_t h5edit_seed(const char *text);
/* A text at a place, NULL where there is none. free() */
char *h5edit_text_at(hid_t file, const char *place);
/* How many words and numbers a text has; where the `wanted`-th of them is. */
size_t h5edit_words(const char *text, size_t wanted, size_t *at, size_t *length);
hid_t h5edit_open(const char *path, bool write);

#endif
