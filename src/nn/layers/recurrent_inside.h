/* SPDX-License-Identifier: MIT */
/* nn/layers/recurrent_inside.h - one call of a recurrent layer: what forward (recurrent.c) and backward (recurrent_back.c)
 * share.
 *
 * Clips are sorted by length, longest first, and cut into groups of GROUP.  In
 * the cache a group of R clips is time-major, frame t holding its R rows side
 * by side, so that the recurrent product of a step is one contiguous matrix
 * product; clips that have ended are a suffix of the rows and are left out.
 * Rows are in frame order for both directions: the backward one walks down
 * from the longest clip's last frame, and a shorter clip joins, from zeros, at
 * its own.
 *
 * Weights of each level and direction: kernel (C,G*H), recurrent_kernel (H,G*H),
 * bias (G*H) or (2,G*H).  A level above the first reads the sequence of the one
 * below, both directions side by side (T,2H).  A clip without frames gives zeros. */
#ifndef AM_RECURRENT_INSIDE_H
#define AM_RECURRENT_INSIDE_H

#include <string.h>

#include "nn/groups.h"
#include "nn/layers/recurrent.h"

enum {
  GROUP = 16,    /* clips side by side in the recurrence */
  COLUMNS = 256, /* of a weight gradient in a piece */
  BLOCK = 8,     /* frames of a group whose gates stay in the cache between input product and recurrence */
  MAX_LEVELS = 5
};

/* Everything a call needs, by level where it has one. */
typedef struct run {
  const am_layer *layer;
  const am_pass *pass;
  const am_cell *cell;
  size_t T, H, G, D; /* frames, units, gates, directions */
  size_t levels, batch, groups;
  /* cache */
  int *order, *length;           /* (B): clip and frames at each sorted place */
  am_real *x[MAX_LEVELS];        /* (groups: T,R,width): the input side by side, zero where a clip has ended */
  am_real *gates[MAX_LEVELS][2]; /* (groups: T,R,G*H) */
  am_real *extra[MAX_LEVELS][2]; /* (groups: T,R,H) */
  am_real *h[MAX_LEVELS][2];     /* (groups: T,R,H) */
  am_real *sequence[MAX_LEVELS]; /* (B,T,D*H), of every level that another one reads */
  /* scratch */
  am_real *dgates[2];                   /* (groups: T,R,4H) */
  am_real *work[2], *dh[2], *dstate[2]; /* (B,H) each */
  am_real *sums[2];                     /* (B,4H): of dgates over a clip's frames */
  am_real *trees;                     /* backward, a part per worker: sums of weight gradients over groups (groups.h) */
  am_real *packed_w[2], *packed_u[2]; /* of the level at work; backward: transposed, by runs of gates and parts */
  size_t second_part;                 /* backward: where the second part of packed_u starts */
  am_real *dsequence;                 /* (B,T,D*H): gradient of a level's output */
  /* the level at work */
  size_t level, width;       /* width: channels of its input */
  const am_real *input, *dy; /* (B,T,width), (B,T,D*H) or (B,D*H) */
  bool together;             /* input products within the recurrence */
  bool whole;                /* the gates of all frames are kept */
  bool dy_last;              /* dy is of the last states */
  am_real *dinput;
} run;

/* A group: its first place, its rows R, and the row of frame t in the cache. */
typedef struct group {
  size_t first, rows, frames; /* frames of the longest clip */
} group;

static inline group group_of(const run *r, size_t q) {
  const size_t first = q * GROUP, rows = r->batch - first < GROUP ? r->batch - first : GROUP;
  return (group){first, rows, (size_t)r->length[first]};
}

static inline size_t row_of(const run *r, const group *g, size_t t) { return g->first * r->T + t * g->rows; }

/* Clips of the group that have a frame t: a prefix. */
static inline size_t active_rows(const run *r, const group *g, size_t t) {
  if (t >= g->frames) return 0; /* also for t = -1, which is beyond */
  size_t n = g->rows;
  while (n > 0 && (size_t)r->length[g->first + n - 1] <= t) n--;
  return n;
}

static inline const am_real *weight_of(const run *r, size_t d, int part) {
  return r->pass->w[(r->level * r->D + d) * 3 + (size_t)part];
}

static inline am_real *dweight_of(const run *r, size_t d, int part) {
  return r->pass->dw[(r->level * r->D + d) * 3 + (size_t)part];
}

static inline bool last_level(const run *r) { return r->level + 1 == r->levels; }

static inline size_t most_frames(const run *r) { return (size_t)r->pass->x_most[0]; }

/* Of a part of `trees`: columns of W or U, and of the bias. */
static inline size_t tree_reals(const run *r, size_t width) {
  return AM_PAIR_LEVELS * ((width > r->H ? width : r->H) + 1) * COLUMNS;
}

/* The memory of a call, and a level of it. */
run am_recurrent_prepare(const am_layer *layer, const am_pass *pass, const am_cell *cell);
void am_recurrent_enter(run *r, size_t level);

#endif
