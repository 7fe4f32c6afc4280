/* SPDX-License-Identifier: MIT */
/* base/processors.h - how many threads this process may keep busy. */
#ifndef AM_PROCESSORS_H
#define AM_PROCESSORS_H

/* The least of: the processors it may run on, what its control group (or one above it) may use, rounded up, and inside a job of
 * Slurm what a task was given.  At least 1. */
int am_processors(void);

/* The same of what is given, for tests: `affinity` processors, the files of control groups below `root` ("" is the real
 * ones), and what Slurm says (NULL: nothing, or no job). */
int am_processors_of(int affinity, const char *root, const char *slurm);

#endif
