/* SPDX-License-Identifier: MIT */
/* tests/bench/kernels.h - one layer of one library, timed: what kernels.c asks of ours (kernels_ours.c) and of each peer. */
#ifndef AM_KERNELS_H
#define AM_KERNELS_H

#include <stdbool.h>
#include <stdlib.h>

typedef enum kernel_kind {
  KERNEL_CONV,  /* b maps (t,f,ci) to (t,f,co), k x k taps, `same` padding, bias */
  KERNEL_DENSE, /* b rows of ci to co: y = x w + bias */
  KERNEL_LSTM   /* b sequences of t frames of ci, both directions, co units each */
} kernel_kind;

typedef struct kernel_shape {
  kernel_kind kind;
  bool backward; /* gradients of input, weights and bias, after a forward pass that is not counted; else inference */
  int b, t, f, ci, co, k;
} kernel_shape;

/* Name and version, and how it was set up. */
const char *kernel_library(void);
/* Weights in the order that the library likes, inputs made up.  NULL: the library does not offer this. */
void *kernel_open(const kernel_shape *shape);
/* Seconds of one pass. */
double kernel_pass(void *opened);
void kernel_close(void *opened);

/* kernels.c */
double kernel_now(void);
/* n numbers between -0.1 and 0.1; ends the program when there is no memory. */
float *kernel_numbers(size_t n);

#endif
