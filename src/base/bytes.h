/* SPDX-License-Identifier: MIT */
/* base/bytes.h - amounts of memory as people write them, and what the machine has. */
#ifndef AM_BYTES_H
#define AM_BYTES_H

#include "base/base.h"

/* "400MB", "1.5 GB", "512MiB", "2g", "65536": k, m, g, t count thousands, with "i" times 1024; "B" may follow.  false: no such amount,
 * or more than an int64_t holds. */
bool am_text_to_bytes(const char *text, int64_t *out);
/* The shortest that reads back the same: "400MB", "65536". */
void am_bytes_to_text(int64_t bytes, char out[32]);

/* Bytes of memory that this process may use: of the machine, or of its control group where that has less.  0: not known. */
uint64_t am_machine_memory(void);

#endif
