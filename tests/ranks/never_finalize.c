/* SPDX-License-Identifier: MIT */
/* tests/ranks/never_finalize.c - loaded before an MPI (LD_PRELOAD): its MPI_Finalize never returns, as that of MPICH over TCP may. */
#include <unistd.h>

int MPI_Finalize(void);
int MPI_Finalize(void) {
  for (;;) pause();
}
