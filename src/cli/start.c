/* SPDX-License-Identifier: MIT */
/* cli/start.c - what has to be done before libraries are loaded.
 *
 * OpenBLAS starts a thread for each processor when it is loaded, also for --version, each with 128 MB of address space,
 * and tries for ever if it cannot get them.  The pool is ours, and one thread a product is all that we use.
 * OpenBLAS counts the processors that it may run on; so until main begins this process may run on one.  That needs no
 * variable of the environment, which would go on to whatever the program starts, and holds for every build of OpenBLAS. */
#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

#ifdef __linux__

#include <sys/syscall.h>
#include <unistd.h>

/* Where there are more processors than these, the calls fail and nothing is changed. */
static unsigned long all[1024 / (8 * sizeof(unsigned long))];
static long size; /* bytes of it that the kernel uses; 0: nothing was changed */

/* The loader calls this before any library is initialised, so it uses bare system calls and nothing of a sanitizer. */
__attribute__((no_sanitize("address", "undefined", "thread"))) static void begin(void) {
  unsigned long one[sizeof all / sizeof *all];
  bool found = false;
  long n = syscall(SYS_sched_getaffinity, 0, sizeof all, all);
  if (n <= 0) return;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    one[i] = found ? 0 : all[i] & -all[i];
    found = found || one[i];
  }
  if (found && syscall(SYS_sched_setaffinity, 0, (size_t)n, one) == 0) size = n;
}

__attribute__((section(".preinit_array"), used)) static void (*const before_all)(void) = begin;

void cli_start_end(void) {
  if (size > 0) (void)syscall(SYS_sched_setaffinity, 0, (size_t)size, all);
  size = 0;
}

#else
void cli_start_end(void) {}
#endif
