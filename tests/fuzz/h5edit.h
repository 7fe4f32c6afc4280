/* SPDX-License-Identifier: MIT */
/* tests/fuzz/h5edit.h - inputs that change an HDF5 file by its structure.
 *
 * An input is a text: a line that names a good file, then edits of a copy of it, made by HDF5 itself, with checksums
 * (crc32c) made to fit.  A place is an object, "weights/dense_1/kernel", or an attribute of one, "normaliser@bins",
 * "/@labels".
 *
 *     seed NAME                     a file of tests/model/golden, or keras/NAME: of tests/exchange/golden
 *     del PLACE
 *     int PLACE V | real PLACE V    a scalar (V as strtod reads it)
 *     text PLACE TEXT               one text, to the end of the line; \n is a line feed
 *     array PLACE TYPE DIMS FILL    TYPE: f16 f32 f64 be32 i8 i32 i64 u8 u32 text vlen pair; DIMS: 3x4, or - for a scalar;
 *                                   FILL: a number, or ramp
 *     chunk PLACE TYPE DIMS FILL N  the same in compressed chunks of N in each dimension
 *     set PLACE I V                 one element of an array of numbers
 *     sub PLACE I TEXT              the I-th word or number of a text
 *     group PLACE
 *     soft PLACE TARGET | hard PLACE TARGET | ext PLACE FILE TARGET      links
 *     copy PLACE FROM | move PLACE FROM
 *
 * Lines that cannot be done, or mean nothing, are passed over, so that every text is an input.  A target that is linked
 * with h5edit.c has libFuzzer, and the replay, change such inputs line by line and all others byte by byte. */
#ifndef AM_FUZZ_H5EDIT_H
#define AM_FUZZ_H5EDIT_H

#include "fuzz/fuzz.h"

/* Whether an input is such a text. */
bool h5edit_is(const uint8_t *data, size_t bytes);
/* Writes the edited copy as <folder>/<name>; its path as of fuzz_file, or NULL when there is no such seed.  *bytes gets its
 * size. */
const char *h5edit_apply(const uint8_t *data, size_t bytes, const char *name, size_t *size);
/* The input as a file: by h5edit_apply, or as it is. */
const char *h5edit_file(const uint8_t *data, size_t bytes, const char *name, size_t *size);

#endif
