/* SPDX-License-Identifier: MIT */
/* tensor/bf16_conv.c - convolution of numbers rounded to bfloat16, summed in float.
 *
 * x and the kernel (and in backward dy) are rounded where they are read; y, dx and dkernel are float.  A patch of x,
 * all terms of an output (kt,kf,ci), is copied together in bfloat16, zeros where it meets the padding; MOST patches are
 * the rows of a product with the packed kernel.  Backward to x is the same over dy with the kernel flipped and transposed; a
 * stride then means zeros between the elements of dy.  The kernel's gradient sums over outputs, so there pairs are of
 * neighbouring outputs.
 *
 * Every result is one chain in a fixed order (bf16_tile.h), whatever rows are asked for. */
#include <stdbool.h>

#include "tensor/bf16_tile.h"

enum { SUMMED = 32 }; /* outputs at a time of the kernel's gradient; even */

static int terms_of(const am_conv *c) { return c->kt * c->kf * c->ci; }
static int pairs_of(const am_conv *c) { return (terms_of(c) + 1) / 2; }
static int blocks_of(const am_conv *c) { return (c->co + BLOCK - 1) / BLOCK; }
static int columns_of(const am_conv *c, int block) {
  return c->co - block * BLOCK < BLOCK ? c->co - block * BLOCK : BLOCK;
}

/* The element that tap k of an output meets, or -1: padding, or between two elements. */
static int element_of(int output, int stride, int k, int dilation, int before, int up, int n) {
  int at = output * stride + k * dilation - before;
  return at < 0 || at % up || at / up >= n ? -1 : at / up;
}

/* All terms of output (t, f) of c, of which x has every ut-th row and uf-th bin. */
static void copy_patch(const am_conv *c, int ut, int uf, const float *x, int t, int f, uint16_t *to) {
  const bool together = c->df == 1 && uf == 1; /* the taps of a row are neighbours in x */
  for (int kt = 0; kt < c->kt; kt++) {
    const int row = element_of(t, c->st, kt, c->dt, c->pt, ut, c->ti);
    for (int kf = 0, n; kf < c->kf; kf += n, to += n * c->ci) {
      const int bin = row < 0 ? -1 : element_of(f, c->sf, kf, c->df, c->pf, uf, c->fi);
      n = 1;
      if (bin < 0) memset(to, 0, (size_t)c->ci * sizeof *to);
      else {
        if (together) n = c->kf - kf < c->fi - bin ? c->kf - kf : c->fi - bin;
        round_numbers(to, x + ((ptrdiff_t)row * c->fi + bin) * c->ci, n * c->ci);
      }
    }
  }
  if (terms_of(c) % 2) *to = 0;
}

/* Packed: a block of output channels after the other, each (pairs, BLOCK), with zeros past the last term and channel.
 * Weight (tap, i, o) at kernel[tap * tap_step + i * i_step + o * o_step]. */
static void pack(const am_conv *c, const float *kernel, ptrdiff_t tap_step, ptrdiff_t i_step, ptrdiff_t o_step,
                 float *packed) {
  uint16_t *to = (uint16_t *)(void *)packed;
  for (int b = 0; b < blocks_of(c); b++)
    for (int k = 0; k < pairs_of(c); k++)
      for (int o = b * BLOCK; o < (b + 1) * BLOCK; o++)
        for (int half = 0; half < 2; half++, to++) {
          const int term = 2 * k + half;
          const bool exists = term < terms_of(c) && o < c->co;
          const float w = exists ? kernel[term / c->ci * tap_step + term % c->ci * i_step + o * o_step] : 0;
          round_numbers(to, &w, 1);
        }
}

static size_t packed_count(const am_conv *c) { return (size_t)pairs_of(c) * (size_t)blocks_of(c) * BLOCK; }

static size_t packed_back_count(const am_conv *c) {
  am_conv back = am_conv_backward(c);
  return packed_count(&back);
}
static void pack_forward(const am_conv *c, const float *kernel, float *packed) {
  pack(c, kernel, (ptrdiff_t)c->ci * c->co, c->co, 1, packed);
}
static void pack_back(const am_conv *c, const float *kernel, float *packed) {
  const am_conv back = am_conv_backward(c);
  const ptrdiff_t tap = (ptrdiff_t)c->ci * c->co; /* flipped: from the last on */
  pack(&back, kernel + (c->kt * c->kf - 1) * tap, -tap, 1, c->co, packed);
}

/* Patches of MOST outputs; or of SUMMED outputs one by one, then two by two, and dy of them. */
static size_t scratch_count(const am_conv *c) {
  const am_conv back = am_conv_backward(c);
  const size_t there = (size_t)MOST * (size_t)pairs_of(c), and_back = (size_t)MOST * (size_t)pairs_of(&back);
  const size_t kernel = (size_t)SUMMED * (size_t)pairs_of(c) + (size_t)SUMMED / 2 * (size_t)terms_of(c) +
                        (size_t)SUMMED / 2 * (size_t)blocks_of(c) * BLOCK;
  const size_t most = there > and_back ? there : and_back;
  return most > kernel ? most : kernel;
}

static void finish_rows(float *y, int rows, int co, const float *bias, bool relu) {
  for (int r = 0; r < rows && (bias || relu); r++, y += co)
    for (int o = 0; o < co; o++) {
      const float v = bias ? y[o] + bias[o] : y[o];
      y[o] = relu && v < 0 ? 0 : v;
    }
}

static void convolve(const am_conv *c, int ut, int uf, const float *x, const float *packed, const float *bias,
                     bool relu, int t0, int t1, float *y, float *scratch) {
  uint32_t *patches = (uint32_t *)(void *)scratch;
  const int pairs = pairs_of(c), outputs = (t1 - t0) * c->fo;
  y += (ptrdiff_t)t0 * c->fo * c->co;
  for (int at = 0; at < outputs; at += MOST, y += (ptrdiff_t)MOST * c->co) {
    const int n = outputs - at < MOST ? outputs - at : MOST;
    for (int i = 0; i < n; i++)
      copy_patch(c, ut, uf, x, t0 + (at + i) / c->fo, (at + i) % c->fo, (uint16_t *)(patches + (ptrdiff_t)i * pairs));
    for (int b = 0; b < blocks_of(c); b++) {
      const dot_tile t = {.pairs = pairs,
                          .columns = columns_of(c, b),
                          .a = patches,
                          .a_row = pairs,
                          .a_step = 1,
                          .b = (const uint32_t *)(const void *)packed + (ptrdiff_t)b * pairs * BLOCK,
                          .c = y + b * BLOCK,
                          .c_row = c->co};
      sum_tile_rows(&t, n);
    }
    finish_rows(y, n, c->co, bias, relu);
  }
}

static void forward(const am_conv *c, const float *x, const float *packed, const float *bias, am_epilogue epilogue,
                    int t0, int t1, float *y, float *scratch) {
  convolve(c, 1, 1, x, packed, bias, epilogue == AM_EPILOGUE_RELU, t0, t1, y, scratch);
}

static void backward_x(const am_conv *c, const float *dy, const float *packed_back, int t0, int t1, float *dx,
                       float *scratch) {
  const am_conv back = am_conv_backward(c);
  convolve(&back, c->st, c->sf, dy, packed_back, NULL, false, t0, t1, dx, scratch);
}

/* Rows 2i and 2i + 1 of `rows` become row i of pairs; rows past `n` are zero. */
static void pair_rows(const uint16_t *rows, int n, int width, uint32_t *to) {
  for (int i = 0; i < n; i += 2, to += width) {
    const uint16_t *first = rows + (ptrdiff_t)i * width, *second = first + width;
    for (int k = 0; k < width; k++) to[k] = first[k] | (i + 1 < n ? (uint32_t)second[k] << 16 : 0);
  }
}

/* dy of n outputs as blocks of (pairs of outputs, BLOCK). */
static void pair_dy(const am_conv *c, const float *dy, int n, uint32_t *to) {
  for (int b = 0; b < blocks_of(c); b++)
    for (int i = 0; i < n; i += 2, to += BLOCK) {
      uint16_t halves[2][BLOCK] = {{0}};
      for (int half = 0; half < 2 && i + half < n; half++)
        round_numbers(halves[half], dy + (ptrdiff_t)(i + half) * c->co + b * BLOCK, columns_of(c, b));
      for (int o = 0; o < BLOCK; o++) to[o] = halves[0][o] | (uint32_t)halves[1][o] << 16;
    }
}

static void backward_w(const am_conv *c, const float *x, const float *dy, int t0, int t1, float *dkernel,
                       float *scratch) {
  const int terms = terms_of(c), outputs = (t1 - t0) * c->fo;
  uint16_t *patches = (uint16_t *)(void *)scratch;
  uint32_t *paired = (uint32_t *)(void *)scratch + (ptrdiff_t)SUMMED * pairs_of(c);
  uint32_t *grads = paired + (ptrdiff_t)SUMMED / 2 * terms;
  dy += (ptrdiff_t)t0 * c->fo * c->co;
  for (int at = 0; at < outputs; at += SUMMED, dy += (ptrdiff_t)SUMMED * c->co) {
    const int n = outputs - at < SUMMED ? outputs - at : SUMMED, pairs = (n + 1) / 2;
    for (int i = 0; i < n; i++) /* a patch of an odd number of terms has a zero more, where the next one begins */
      copy_patch(c, 1, 1, x, t0 + (at + i) / c->fo, (at + i) % c->fo, patches + (ptrdiff_t)i * terms);
    pair_rows(patches, n, terms, paired);
    pair_dy(c, dy, n, grads);
    for (int b = 0; b < blocks_of(c); b++)
      for (int k = 0; k < terms; k += MOST) {
        const dot_tile t = {.pairs = pairs,
                            .columns = columns_of(c, b),
                            .a = paired + k,
                            .a_row = 1,
                            .a_step = terms,
                            .b = grads + (ptrdiff_t)b * pairs * BLOCK,
                            .c = dkernel + (ptrdiff_t)k * c->co + b * BLOCK,
                            .c_row = c->co,
                            .add = true};
        sum_tile_rows(&t, terms - k < MOST ? terms - k : MOST);
      }
  }
}

static void dot_pairs(int rows, int columns, int pairs, const uint32_t *a, const uint32_t *b, float *c) {
  const dot_tile t = {pairs, columns, a, b, pairs, 1, c, columns, true};
  sum_tile_rows(&t, rows);
}
static void round_all(size_t n, const float *x, uint16_t *y) { round_numbers(y, x, (int)n); }

#ifdef __AVX512BF16__
const am_bf16_kernels am_bf16_instruction = {
#else
const am_bf16_kernels am_bf16_twin = {
#endif
    .packed_count = packed_count,
    .packed_back_count = packed_back_count,
    .scratch_count = scratch_count,
    .pack = pack_forward,
    .pack_back = pack_back,
    .forward = forward,
    .backward_x = backward_x,
    .backward_w = backward_w,
    .dot_pairs = dot_pairs,
    .round = round_all,
};
