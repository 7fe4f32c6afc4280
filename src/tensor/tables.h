/* tensor/tables.h - the kernel tables of the processor paths. */
#ifndef AM_TENSOR_TABLES_H
#define AM_TENSOR_TABLES_H

#include "tensor/tensor.h"

extern const am_kernels am_kernels_table_plain;
#ifdef AM_HAVE_X86
extern const am_kernels am_kernels_table_avx2, am_kernels_table_avx512;
#endif

/* plain_norm.c */
void am_column_moments_plain(size_t rows, size_t columns, const am_real *x, double *mean, double *squares);
void am_norm_forward_plain(size_t rows, size_t columns, const am_norm *n, const am_real *x, am_real *y);
void am_norm_back_sums_plain(size_t rows, size_t columns, const am_norm *n, const am_real *x, const am_real *dy,
                             double *sum, double *product);
void am_norm_back_plain(size_t rows, size_t columns, const am_norm *n, const double *of_x, const double *constant,
                        const am_real *x, const am_real *dy, am_real *dx);
void am_norm_rows_plain(size_t rows, size_t columns, const am_real *gamma, const am_real *beta, double epsilon,
                        const am_real *x, double *moments, am_real *y);
void am_norm_rows_back_plain(size_t rows, size_t columns, const am_real *gamma, const double *moments, const am_real *x,
                             const am_real *dy, double *dgamma, double *dbeta, am_real *dx);

#endif
