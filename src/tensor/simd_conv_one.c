/* SPDX-License-Identifier: MIT */
/* tensor/simd_conv_one.c - convolution of one input channel, the first layer of most nets.
 *
 * An output has so few terms that loops over them, and tiles cut at the padding, cost
 * more than the sums.  Here the compiler knows the taps, and x, small beside y, is
 * copied into a buffer with its padding, so that every output meets every tap. */
#include "tensor/simd_one.h"

bool AM_SIMD(am_conv_is_one)(const geometry *g) {
  const am_conv *c = &g->c;
  return c->ci == 1 && ((c->kt == 3 && c->kf == 3) || (c->kt == 1 && c->kf == 5)) && c->st == 1 && c->sf == 1 &&
         c->dt == 1 && c->df == 1 && g->ut == 1 && g->uf == 1 && g->f1 - g->f0 >= MOST;
}

/* Forward */

typedef struct one_job {
  const geometry *g;
  const float *packed, *bias, *dy;
  float *y, *dkernel;
  bool relu;
} one_job;

/* MOST outputs of a row by a block of output channels. */
AM_INLINE void run_one(const int KT, const int KF, const int V, const float *x, ptrdiff_t line, const float *weights,
                       const float *bias, bool relu, float *y, ptrdiff_t y_step, int columns) {
  vf sum[MOST][2];
  AM_UNROLL for (int v = 0; v < V; v++) {
    vf first = bias ? load_columns(bias, columns, v) : (vf){0};
    AM_UNROLL for (int p = 0; p < MOST; p++) sum[p][v] = first;
  }
  AM_UNROLL for (int kt = 0; kt < KT; kt++, x += line) {
    AM_UNROLL for (int kf = 0; kf < KF; kf++, weights += V * LANES) {
      AM_UNROLL for (int p = 0; p < MOST; p++) {
        vf value = splat(x[p + kf]);
        AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] += value * load(weights + v * LANES);
      }
    }
  }
  AM_UNROLL for (int p = 0; p < MOST; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) {
      vf out = sum[p][v];
      if (relu) out = positive(out);
      store_columns(y + p * y_step, out, columns, v);
    }
  }
}

/* The last tile of a row makes some outputs again. */
AM_INLINE void forward_part(const int KT, const int KF, const padded *p, const one_job *j) {
  const am_conv *c = &j->g->c;
  for (int t = p->t0; t < p->t1; t++)
    for (int f = p->f0; f < p->f1; f += MOST) {
      if (f > p->f1 - MOST) f = p->f1 - MOST;
      const float *x = p->x + (t - p->t0) * p->line + f - p->f0;
      for (int b = 0; b < block_count(c); b++) {
        const float *weights = j->packed + b * BLOCK * KT * KF, *bias = j->bias ? j->bias + b * BLOCK : NULL;
        float *y = j->y + ((ptrdiff_t)t * c->fo + f) * c->co + b * BLOCK;
        if (block_vectors(c, b) == 2)
          run_one(KT, KF, 2, x, p->line, weights, bias, j->relu, y, c->co, block_columns(c, b));
        else run_one(KT, KF, 1, x, p->line, weights, bias, j->relu, y, c->co, block_columns(c, b));
      }
    }
}

static void forward_3_3(const padded *p, const void *job) { forward_part(3, 3, p, job); }
static void forward_1_5(const padded *p, const void *job) { forward_part(1, 5, p, job); }

void AM_SIMD(am_conv_one_forward)(const geometry *g, const float *x, const float *packed, const float *bias, bool relu,
                                  float *y) {
  one_job j = {.g = g, .packed = packed, .bias = bias, .relu = relu, .y = y};
  each_part(g, 1, x, g->c.kt == 3 ? forward_3_3 : forward_1_5, &j);
}

/* The kernel's gradient: the sums of all taps by V vectors of output channels stay in registers. */

AM_INLINE void sum_one(const int KT, const int KF, const int V, const padded *p, const one_job *j, int o) {
  const am_conv *c = &j->g->c;
  const int columns = c->co - o < V * LANES ? c->co - o : V * LANES;
  float *dkernel = j->dkernel + o;
  vf sum[9][2];
  AM_UNROLL for (int k = 0; k < KT * KF; k++) {
    AM_UNROLL for (int v = 0; v < V; v++) sum[k][v] = load_columns(dkernel + (ptrdiff_t)k * c->co, columns, v);
  }
  for (int t = p->t0; t < p->t1; t++) {
    const float *x = p->x + (t - p->t0) * p->line, *dy = j->dy + ((ptrdiff_t)t * c->fo + p->f0) * c->co + o;
    for (int f = p->f0; f < p->f1; f++, x++, dy += c->co) {
      vf grad[2];
      AM_UNROLL for (int v = 0; v < V; v++) grad[v] = load_columns(dy, columns, v);
      AM_UNROLL for (int k = 0; k < KT * KF; k++) {
        vf value = splat(x[k / KF * p->line + k % KF]);
        AM_UNROLL for (int v = 0; v < V; v++) sum[k][v] += value * grad[v];
      }
    }
  }
  AM_UNROLL for (int k = 0; k < KT * KF; k++) {
    AM_UNROLL for (int v = 0; v < V; v++) store_columns(dkernel + (ptrdiff_t)k * c->co, sum[k][v], columns, v);
  }
}

AM_INLINE void sum_part(const int KT, const int KF, const padded *p, const one_job *j) {
  const int co = j->g->c.co, V = LANES == 8 ? 1 : 2; /* of 16 or 32 registers */
  int o = 0;
  for (; o + LANES < co; o += V * LANES) sum_one(KT, KF, V, p, j, o);
  if (o < co) sum_one(KT, KF, 1, p, j, o);
}

static void sum_3_3(const padded *p, const void *job) { sum_part(3, 3, p, job); }
static void sum_1_5(const padded *p, const void *job) { sum_part(1, 5, p, job); }

void AM_SIMD(am_conv_one_backward_w)(const geometry *g, const float *x, const float *dy, float *dkernel) {
  one_job j = {.g = g, .dy = dy, .dkernel = dkernel};
  each_part(g, 1, x, g->c.kt == 3 ? sum_3_3 : sum_1_5, &j);
}
