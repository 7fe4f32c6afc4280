/* tensor/tables.h - the kernel tables of the processor paths. */
#ifndef AM_TENSOR_TABLES_H
#define AM_TENSOR_TABLES_H

#include "tensor/tensor.h"

extern const am_kernels am_kernels_table_plain;
#ifdef AM_HAVE_X86
extern const am_kernels am_kernels_table_avx2, am_kernels_table_avx512;
#endif

#endif
