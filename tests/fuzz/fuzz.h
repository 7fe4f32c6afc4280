/* SPDX-License-Identifier: MIT */
/* tests/fuzz/fuzz.h - what the fuzz targets share.
 *
 * A target is one file with LLVMFuzzerTestOneInput.  With `-Dfuzz=true` (clang) it is linked with libFuzzer,
 * otherwise with replay.c, which runs it over its seeds and over variants of them in the ordinary suite. */
#ifndef AM_FUZZ_H
#define AM_FUZZ_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* What is allowed to live at one time while an input of `bytes` is read. */
enum { FUZZ_BASE = 8 << 20, FUZZ_FACTOR = 200 };

/* The context of this input: one thread, plain kernels, silent.  `strict`: more than the input's size justifies ends the
 * program; else the allocator refuses it, for inputs that may rightly ask for much (a config). */
am_context *fuzz_begin(size_t bytes, bool strict);
/* From here on `bytes` more may live, and what is beyond is refused: for what an input in good order may rightly ask for. */
void fuzz_allow(size_t bytes);
/* Everything must have been freed, down to the last byte of the context's allocator. */
void fuzz_end(void);

/* A folder of this process, in memory where there is /dev/shm; removed at the end. */
const char *fuzz_folder(void);
/* "<folder>/<name>" with this content, in a turning buffer; the folder of a name with '/' is made. */
const char *fuzz_file(const char *name, const void *data, size_t bytes);
/* Where the size of a file that an input only says how to make is noted, for replay.c; NULL: nowhere. */
extern size_t *fuzz_made;
/* Removes "<folder>/<name>" with all that is in it. */
void fuzz_remove(const char *name);
/* The input as text without NUL (cut at the first), in memory that ends with it. free(). */
char *fuzz_text(const uint8_t *data, size_t bytes);

/* A call may fail, but then says why; success leaves the message empty.  With AM_FUZZ_SAY set, standard error gets it. */
void fuzz_check(am_status status, const am_error *err);
#define fuzz_require(what) \
  do { \
    if (!(what)) { \
      fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #what); \
      abort(); \
    } \
  } while (0)

#endif
