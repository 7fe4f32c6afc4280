/* SPDX-License-Identifier: MIT */
/* tests/bench/kernels_blis.c - BLIS for kernels.c: dense layers alone, by its sgemm.  BLIS_NUM_THREADS says how many threads. */
#include <blis.h>
#include <stdio.h>

#include "kernels.h"

typedef struct dense {
  kernel_shape s;
  float *x, *w, *y, *dx, *dw;
} dense;

const char *kernel_library(void) { return bli_info_get_version_str(); }

void *kernel_open(const kernel_shape *s) {
  if (s->kind != KERNEL_DENSE) return NULL;
  dense *d = malloc(sizeof *d);
  if (!d) exit(1);
  const size_t in = (size_t)s->b * (size_t)s->ci, weights = (size_t)s->ci * (size_t)s->co;
  *d = (dense){*s,
               kernel_numbers(in),
               kernel_numbers(weights),
               kernel_numbers((size_t)s->b * (size_t)s->co),
               kernel_numbers(in),
               kernel_numbers(weights)};
  return d;
}

double kernel_pass(void *opened) {
  const dense *d = opened;
  const dim_t b = d->s.b, ci = d->s.ci, co = d->s.co;
  float one = 1, zero = 0;
  const double begun = kernel_now();
  if (!d->s.backward) {
    bli_sgemm(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, b, co, ci, &one, d->x, ci, 1, d->w, co, 1, &zero, d->y, co, 1);
  } else {
    bli_sgemm(BLIS_TRANSPOSE, BLIS_NO_TRANSPOSE, ci, co, b, &one, d->x, ci, 1, d->y, co, 1, &zero, d->dw, co, 1);
    bli_sgemm(BLIS_NO_TRANSPOSE, BLIS_TRANSPOSE, b, ci, co, &one, d->y, co, 1, d->w, co, 1, &zero, d->dx, ci, 1);
  }
  return kernel_now() - begun;
}

void kernel_close(void *opened) {
  dense *d = opened;
  free(d->x);
  free(d->w);
  free(d->y);
  free(d->dx);
  free(d->dw);
  free(d);
}
