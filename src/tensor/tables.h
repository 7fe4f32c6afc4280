/* SPDX-License-Identifier: MIT */
/* tensor/tables.h - the kernel tables of the processor paths. */
#ifndef AM_TENSOR_TABLES_H
#define AM_TENSOR_TABLES_H

#include "tensor/tensor.h"

extern const am_kernels am_kernels_table_plain;
#ifdef AM_HAVE_X86
extern const am_kernels am_kernels_table_avx2, am_kernels_table_avx512;
#endif
#ifdef AM_HAVE_NEON
extern const am_kernels am_kernels_table_neon;
#endif

/* bf16_conv.c, by the instruction and by plain C: members of am_kernels; and for tests the product of pairs, C(rows, columns)
 * += A(rows, pairs) B(pairs, 32), rows <= 14 and columns <= 32, and the rounding. */
typedef struct am_bf16_kernels {
  size_t (*packed_count)(const am_conv *c), (*packed_back_count)(const am_conv *c), (*scratch_count)(const am_conv *c);
  void (*pack)(const am_conv *c, const am_real *kernel, am_real *packed);
  void (*pack_back)(const am_conv *c, const am_real *kernel, am_real *packed);
  void (*forward)(const am_conv *c, const am_real *x, const am_real *packed, const am_real *bias, am_epilogue epilogue,
                  int t0, int t1, am_real *y, am_real *scratch);
  void (*backward_x)(const am_conv *c, const am_real *dy, const am_real *packed_back, int t0, int t1, am_real *dx,
                     am_real *scratch);
  void (*backward_w)(const am_conv *c, const am_real *x, const am_real *dy, int t0, int t1, am_real *dkernel,
                     am_real *scratch);
  void (*dot_pairs)(int rows, int columns, int pairs, const uint32_t *a, const uint32_t *b, am_real *c);
  void (*round)(size_t n, const am_real *x, uint16_t *y);
} am_bf16_kernels;
extern const am_bf16_kernels am_bf16_twin;
#ifdef AM_HAVE_BF16
extern const am_bf16_kernels am_bf16_instruction;
#endif

/* half.c */
void am_half_product_plain(int rows, int k, int n, const am_real *x, int ldx, const uint16_t *w, am_real *y, int ldy);
void am_halve_plain(size_t n, const am_real *x, uint16_t *half);
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

/* plain_recurrent.c */
size_t am_recurrent_count_plain(int gates, int h);
void am_recurrent_pack_plain(int gates, int h, const am_real *u, am_real *packed);
void am_lstm_plain(const am_recurrence *r);
void am_gru_plain(const am_recurrence *r);
void am_lstm_cell_back_plain(int h, const am_real *gates, const am_real *c_prev, const am_real *c, const am_real *dh,
                             am_real *dc, am_real *dgates);

#endif
