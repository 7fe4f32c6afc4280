/* SPDX-License-Identifier: MIT */
/* tensor/kernels.c - which kernels a context uses; lengths of windows; what has no fast form. */
#include "tensor/tables.h"

const am_kernels *am_kernels_plain(void) { return &am_kernels_table_plain; }

const am_kernels *am_kernels_by(am_cpu cpu) {
  switch (cpu) {
    case AM_CPU_PLAIN: return &am_kernels_table_plain;
#ifdef AM_HAVE_X86
    case AM_CPU_AVX2: return &am_kernels_table_avx2;
    case AM_CPU_AVX512: return &am_kernels_table_avx512;
#endif
#ifdef AM_HAVE_NEON
    case AM_CPU_NEON: return &am_kernels_table_neon;
#endif
    default: return NULL;
  }
}

const am_kernels *am_kernels_of(const am_context *ctx) {
  const am_kernels *kernels = am_kernels_by(am_context_cpu_id(ctx));
  return kernels ? kernels : &am_kernels_table_plain;
}

bool am_conv_takes_bf16(const am_conv *c) { return c->ci >= 16 && c->co >= 16; }

#ifndef AM_REAL_DOUBLE
bool am_bf16_by_processor(const am_context *ctx) {
#ifdef AM_HAVE_BF16
  return am_context_cpu_id(ctx) == AM_CPU_AVX512 && am_context_has_bf16();
#else
  (void)ctx;
  return false;
#endif
}

am_kernels am_kernels_bf16(const am_context *ctx) {
  const am_bf16_kernels *b = &am_bf16_twin;
#ifdef AM_HAVE_BF16
  if (am_bf16_by_processor(ctx)) b = &am_bf16_instruction;
#endif
  am_kernels k = *am_kernels_of(ctx);
  k.conv_packed_count = b->packed_count;
  k.conv_pack = b->pack;
  k.conv_packed_back_count = b->packed_back_count;
  k.conv_pack_back = b->pack_back;
  k.conv_scratch_count = b->scratch_count;
  k.conv_forward = b->forward;
  k.conv_backward_x = b->backward_x;
  k.conv_backward_w = b->backward_w;
  return k;
}
#endif

am_conv am_conv_backward(const am_conv *c) {
  return (am_conv){.ti = c->to,
                   .fi = c->fo,
                   .ci = c->co,
                   .to = c->ti,
                   .fo = c->fi,
                   .co = c->ci,
                   .kt = c->kt,
                   .kf = c->kf,
                   .st = 1,
                   .sf = 1,
                   .dt = c->dt,
                   .df = c->df,
                   .pt = (c->kt - 1) * c->dt - c->pt,
                   .pf = (c->kf - 1) * c->df - c->pf};
}

int am_window_length(int n, int kernel, int stride, int dilation, am_padding padding, int pad) {
  if (n <= 0) return 0;
  if (padding == AM_PAD_SAME || padding == AM_PAD_CAUSAL) return (n - 1) / stride + 1;
  int64_t reach = (int64_t)(kernel - 1) * dilation + 1;
  int64_t room = (int64_t)n + (padding == AM_PAD_EXPLICIT ? 2 * (int64_t)pad : 0) - reach;
  return room < 0 ? 0 : (int)(room / stride + 1);
}

int am_window_before(int n, int kernel, int stride, int dilation, am_padding padding, int pad) {
  if (padding == AM_PAD_EXPLICIT) return pad;
  if (padding == AM_PAD_VALID || n <= 0) return 0;
  if (padding == AM_PAD_CAUSAL) return (kernel - 1) * dilation;
  int64_t out = (n - 1) / stride + 1;
  int64_t total = (out - 1) * stride + (int64_t)(kernel - 1) * dilation + 1 - n;
  return total > 0 ? (int)(total / 2) : 0;
}

bool am_all_finite(const am_real *x, size_t n) {
  int bad = 0;
  for (size_t i = 0; i < n; i++) bad |= !(x[i] - x[i] == 0); /* without a branch, so that compilers make it wide */
  return !bad;
}
