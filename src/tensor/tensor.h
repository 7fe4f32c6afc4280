/* SPDX-License-Identifier: MIT */
/* tensor/tensor.h - matrix products, convolution kernels and vector maths.
 *
 * Everything works on am_real (float, or double in the gradient tests, plain
 * path only).  Functions that take a context run in parallel pieces cut by shape; the
 * others are one thread's work.  None of them allocates or fails, but for am_gemm_begin.
 *
 * The fast kernels exist once in source and are compiled once per processor
 * path; am_kernels_of picks the table.  The plain table is straightforward C,
 * the reference the fast ones are held against. */
#ifndef AM_TENSOR_H
#define AM_TENSOR_H

#include "audiomood/nn.h"
#include "base/base.h"
#include "base/words.h"

/* Before the first product of the process: makes sure that OpenBLAS has memory for one.  AM_E_NOMEM: there is none.  May
 * be called again, by any thread.  (More products than there is memory for at a time wait for each other, and so do more
 * than 48.) */
am_status am_gemm_begin(am_error *err);
/* C(m,n) = alpha op(A) op(B) + beta C, row-major, leading dimensions in elements.
 * OpenBLAS single-threaded inside pieces of fixed size. */
void am_gemm(am_context *ctx, bool trans_a, bool trans_b, int m, int n, int k, am_real alpha, const am_real *a, int lda,
             const am_real *b, int ldb, am_real beta, am_real *c, int ldc);
/* The same in the calling thread (from inside a piece). */
void am_gemm_one(bool trans_a, bool trans_b, int m, int n, int k, am_real alpha, const am_real *a, int lda,
                 const am_real *b, int ldb, am_real beta, am_real *c, int ldc);

/* IEEE 754 binary16: 11 bits of mantissa, 6.1e-5 to 65504, below that down to 6e-8 with fewer bits.  To the nearest, of two
 * the even one; beyond 65504 infinite.  Every half is a float. */
uint16_t am_half_of(float x);
float am_half_to(uint16_t half);

/* Whether none of n numbers is NaN or infinite. */
bool am_all_finite(const am_real *x, size_t n);

/* OpenBLAS's version and the processor it was made for or chose. */
const char *am_gemm_library(void);

/* One clip's convolution, channels last. x (ti,fi,ci), y (to,fo,co),
 * kernel (kt,kf,ci,co).  Input row of output row t and tap k: t*st + k*dt - pt.
 * Rows and bins outside x are zero.  conv1d is the case fi = fo = kf = 1. */
typedef struct am_conv {
  int ti, fi, ci, to, fo, co;
  int kt, kf, st, sf, dt, df, pt, pf;
} am_conv;

/* The convolution that takes dy to dx, with the kernel flipped and transposed; where c has a stride, there are st - 1 rows and
 * sf - 1 bins of zeros between the elements of dy. */
am_conv am_conv_backward(const am_conv *c);

/* What a fast convolution may do to its result before it is stored. */
typedef enum am_epilogue { AM_EPILOGUE_NONE, AM_EPILOGUE_RELU } am_epilogue;

/* Batch norm of the columns of x (rows, columns): y = x scale + shift, and then max(y, 0) where relu. */
typedef struct am_norm {
  const double *mean, *scale, *shift; /* (columns); mean of what backward differentiates: forward ignores it */
  bool relu;
} am_norm;

/* The recurrence of an LSTM (G = 4 gates) or GRU (3) in one direction over some frames, for clips side by side, the longest
 * first.  Frame s, in the direction's order, is s * step rows away from the first.  Its first rows[s] clips exist; those
 * that exist in the frame before, too, go on from it, the others start from zeros. */
typedef struct am_recurrence {
  int h, frames;        /* H units */
  const int *rows;      /* (frames) */
  int rows_before;      /* clips of the frame before the first; 0: there is none */
  ptrdiff_t step;       /* negative: backwards in time */
  const am_real *u;     /* packed */
  const am_real *bias;  /* (G*H), GRU: (2,G*H), of the input and of the recurrent product */
  am_real *gates;       /* of the first frame (rows,G*H): product of the input, becomes the activations */
  am_real *extra, *out; /* of the first frame (rows,H): c of an LSTM, h Un + cn of a GRU (reset after); and h */
  bool keep;            /* gates, and a GRU's extra, are wanted; else they may hold anything */
} am_recurrence;

typedef struct am_kernels {
  const char *name;
  /* Packed copy of a kernel for `conv_forward` (and, transposed and flipped, for `conv_backward_x`). */
  size_t (*conv_packed_count)(const am_conv *c);
  void (*conv_pack)(const am_conv *c, const am_real *kernel, am_real *packed);
  size_t (*conv_packed_back_count)(const am_conv *c);
  void (*conv_pack_back)(const am_conv *c, const am_real *kernel, am_real *packed);
  /* Reals of scratch, a thread, that the convolutions below need. */
  size_t (*conv_scratch_count)(const am_conv *c);
  /* y rows [t0,t1) = conv(x) + bias (bias NULL: none). */
  void (*conv_forward)(const am_conv *c, const am_real *x, const am_real *packed, const am_real *bias,
                       am_epilogue epilogue, int t0, int t1, am_real *y, am_real *scratch);
  /* dx rows [t0,t1) (written). */
  void (*conv_backward_x)(const am_conv *c, const am_real *dy, const am_real *packed_back, int t0, int t1, am_real *dx,
                          am_real *scratch);
  /* dkernel (kt,kf,ci,co) += over output rows [t0,t1). */
  void (*conv_backward_w)(const am_conv *c, const am_real *x, const am_real *dy, int t0, int t1, am_real *dkernel,
                          am_real *scratch);
  /* Whether a convolution and the max pooling of its map (rows [0,to) of it) go together, without the map; then: */
  bool (*conv_pools)(const am_conv *c, const am_conv *pool);
  /* y, index = max_pool(conv_forward(x)), the same bits (index NULL: not wanted). */
  void (*conv_pool_forward)(const am_conv *c, const am_conv *pool, const am_real *x, const am_real *packed,
                            const am_real *bias, am_epilogue epilogue, am_real *y, uint8_t *index);
  /* dkernel += conv_backward_w(x, max_pool_back(dy, index)) */
  void (*conv_pool_backward_w)(const am_conv *c, const am_conv *pool, const am_real *x, const am_real *dy,
                               const uint8_t *index, am_real *dkernel);

  /* C(rows,n) = A(rows,k) op(B), or += with `add`, where op(B) (k,n) is packed once and met often; `trans`: B is
   * (n,k).  A row of C does not depend on the rows beside it. */
  size_t (*packed_count)(int k, int n);
  void (*pack)(bool trans, int k, int n, const am_real *b, int ldb, am_real *packed);
  void (*product)(int rows, int k, int n, const am_real *a, int lda, const am_real *packed, bool add, am_real *c,
                  int ldc);
  /* w (k,n) too large for any cache, met by few rows, is read in place once.  The bits of `product` on y.
   * y(rows,n) += x(rows,k) w */
  void (*wide_product)(int rows, int k, int n, const am_real *x, int ldx, const am_real *w, int ldw, am_real *y,
                       int ldy);
  /* The same of a contiguous w of float16 (am_half): the bits of wide_product with the numbers that w stands for. */
  void (*half_product)(int rows, int k, int n, const am_real *x, int ldx, const uint16_t *w, am_real *y, int ldy);
  void (*halve)(size_t n, const am_real *x, uint16_t *half); /* rounded as am_half_of does */
  /* dw(k,n) += x^T dy, summed over each `group` rows by itself and then in pairs (nn/groups.h), at most 2^15 groups; and
   * dx(rows,k) = dy w^T, the bits of `product`, unless dx is NULL.  w and dw are contiguous.  dy (rows,n) comes packed, and
   * (`dy_across`, for dx) packed with `trans` as (n,rows). */
  void (*wide_back)(int rows, int k, int n, int group, const am_real *x, int ldx, const am_real *w,
                    const am_real *dy_packed, const am_real *dy_across, am_real *dw, am_real *dx, int lddx);
  /* C(m,n) += A^T B, the outer products of each row of A (rows,m) and its row of B (rows,n): a gradient of weights,
   * summed over rows in pieces of fixed size. */
  void (*outer_product)(int rows, int m, int n, const am_real *a, int lda, const am_real *b, int ldb, am_real *c,
                        int ldc);

  /* Elementwise over n. y may equal x. d* : dx = dy * f'(x), from what is named. */
  void (*relu)(size_t n, const am_real *x, am_real *y);
  void (*relu_back)(size_t n, const am_real *y, const am_real *dy,
                    am_real *dx); /* from y: dx = y > 0 ? dy : 0, NaN y passes NaN */
  void (*sigmoid)(size_t n, const am_real *x, am_real *y);
  void (*tanh)(size_t n, const am_real *x, am_real *y);
  void (*exp)(size_t n, const am_real *x, am_real *y);
  void (*gelu)(size_t n, const am_real *x, am_real *y);
  void (*gelu_back)(size_t n, const am_real *x, const am_real *dy, am_real *dx);
  void (*silu)(size_t n, const am_real *x, am_real *y);
  void (*silu_back)(size_t n, const am_real *x, const am_real *dy, am_real *dx);
  void (*add)(size_t n, const am_real *x, am_real *y);                        /* y += x */
  void (*sum)(size_t n, const am_real *x, const am_real *z, am_real *y);      /* y = x + z; y may be either */
  void (*add_relu)(size_t n, const am_real *x, const am_real *z, am_real *y); /* y = max(x + z, 0) */
  void (*scale_add)(size_t n, am_real a, const am_real *x, am_real *y);       /* y += a x */
  double (*sum_squares)(size_t n, const am_real *x);                          /* fixed order */
  /* column sums: out(c) += sum over rows of x(rows,c) */
  void (*column_sums)(size_t rows, size_t columns, const am_real *x, am_real *out);

  /* Normalisation, in double. Mean of each column of x (rows,columns) and sum of its squared deviations. */
  void (*column_moments)(size_t rows, size_t columns, const am_real *x, double *mean, double *squares);
  void (*norm_forward)(size_t rows, size_t columns, const am_norm *norm, const am_real *x, am_real *y);
  /* Written: per column the sum of dy, and of dy (x - mean), of the dy that pass the ReLU. */
  void (*norm_back_sums)(size_t rows, size_t columns, const am_norm *norm, const am_real *x, const am_real *dy,
                         double *sum, double *product);
  /* dx = dy scale + x of_x + constant, of the dy that pass the ReLU. */
  void (*norm_back)(size_t rows, size_t columns, const am_norm *norm, const double *of_x, const double *constant,
                    const am_real *x, const am_real *dy, am_real *dx);
  /* Layer norm: each row by its own moments (rows,2), mean and 1/sqrt(variance + epsilon), which are kept. */
  void (*norm_rows)(size_t rows, size_t columns, const am_real *gamma, const am_real *beta, double epsilon,
                    const am_real *x, double *moments, am_real *y);
  /* dgamma, dbeta (columns) += ; dx is written (NULL: not wanted). */
  void (*norm_rows_back)(size_t rows, size_t columns, const am_real *gamma, const double *moments, const am_real *x,
                         const am_real *dy, double *dgamma, double *dbeta, am_real *dx);

  /* Max pooling of one clip, channels last, window (pt,pf), stride (st,sf), padding (at,af); index gets the
   * flat tap number of the maximum per output (NULL: not wanted). First maximum wins; NaN wins over all. */
  void (*max_pool)(const am_conv *c, const am_real *x, am_real *y, uint8_t *index);
  void (*max_pool_back)(const am_conv *c, const am_real *dy, const uint8_t *index, am_real *dx); /* writes dx */

  /* Recurrence: U (H,gates*H) packed, and some frames of it.  Gates i, f, g, o and z, r, n.  A clip does not depend on
   * those beside it. */
  size_t (*recurrent_count)(int gates, int h);
  void (*recurrent_pack)(int gates, int h, const am_real *u, am_real *packed);
  void (*lstm)(const am_recurrence *r);
  void (*gru)(const am_recurrence *r);
  /* LSTM cell backward, H units of one clip at one frame, gates (4H) as activations i,f,g,o; c_prev may be NULL (zeros).
   * dgates (4H) from dh, dc_in (from the later frame; updated in place to dc for the earlier one). */
  void (*lstm_cell_back)(int h, const am_real *gates, const am_real *c_prev, const am_real *c, const am_real *dh,
                         am_real *dc, am_real *dgates);

  /* Optimiser sweeps over n elements; see train/optimiser.h for the definitions. */
  void (*sgd)(size_t n, am_real *w, const am_real *g, am_real *velocity, am_real scale, am_real rate, am_real momentum,
              bool nesterov, am_real decay);
  void (*adam)(size_t n, am_real *w, const am_real *g, am_real *m, am_real *v, am_real scale, am_real rate,
               am_real beta1, am_real beta2, am_real epsilon, am_real decay, bool decoupled);
} am_kernels;

/* SGD as the kernel does it: g' = scale*g + decay*w; v = momentum*v + g' (velocity NULL: v is g');
 * w -= rate * (nesterov ? g' + momentum*v : v), PyTorch's convention (the rate is not in the velocity). */

/* Adam as the kernel does it: g' = scale*g (+ decay*w when not decoupled); m, v as usual;
 * w -= rate * m / (sqrt(v) + epsilon)  with rate already bias-corrected (Keras: rate*sqrt(1-b2^t)/(1-b1^t));
 * decoupled: w -= decay*w first (decay already multiplied by the learning rate). PyTorch's convention is
 * reached by epsilon*sqrt(1-b2^t). */

const am_kernels *am_kernels_of(const am_context *ctx);
const am_kernels *am_kernels_plain(void);
const am_kernels *am_kernels_by(am_cpu cpu); /* NULL when not built */

/* Convolutions of numbers rounded to bfloat16 and summed in float (bf16_conv.c): x and the kernel, and in backward dy, are
 * rounded; y, dx and dkernel are float, and so is everything else.  The processor's instruction does it where the path
 * has one, and plain C elsewhere, with the same bits.  Not in the double build. */
#define AM_PRECISIONS(X) X(AM_PRECISION_FLOAT32, "float32") X(AM_PRECISION_BF16, "bf16")
typedef enum am_precision { AM_PRECISIONS(AM_WORD_NAME) } am_precision;
#ifndef AM_REAL_DOUBLE
bool am_bf16_by_processor(const am_context *ctx);
/* The kernels of the context's path with those of convolutions exchanged. */
am_kernels am_kernels_bf16(const am_context *ctx);
#endif
/* Whether a convolution has the channels for it: those of few, the first of a net, are no product worth rounding. */
bool am_conv_takes_bf16(const am_conv *c);

/* Output length of a window over n: `same` and `causal` are ceil(n/stride), valid floor((n-reach)/stride)+1 (0 if negative),
 * explicit with pad at both sides; and the padding before the first element (Keras: total/2 rounded down; causal all of it). */
#define AM_PADDINGS(X) X(AM_PAD_VALID, "valid") X(AM_PAD_SAME, "same") X(AM_PAD_EXPLICIT, "explicit")
#define AM_PADDINGS_IN_TIME(X) AM_PADDINGS(X) X(AM_PAD_CAUSAL, "causal") /* of convolutions over time alone */
typedef enum am_padding { AM_PADDINGS_IN_TIME(AM_WORD_NAME) } am_padding;
int am_window_length(int n, int kernel, int stride, int dilation, am_padding padding, int pad);
int am_window_before(int n, int kernel, int stride, int dilation, am_padding padding, int pad);

#endif
