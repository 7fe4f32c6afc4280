/* SPDX-License-Identifier: MIT */
/* tensor/simd_product.c - products with a packed matrix, and with one too large for any cache.
 *
 * One register tile serves all: up to MOST rows of C by two vectors of columns, C(p, v) += A(p, k) B(k, v), with
 * A broadcast from where it stands and B read in vectors.  Every element of C is one chain of multiply-adds
 * over k, whatever the tile, so it does not depend on the rows around it. */
#include "tensor/simd_tiles.h"

enum {
  TERMS = WIDE_TERMS,  /* of k at a time: A of a tile stays in L1, a block of B in L2 */
  NEAR = TERMS + 16,   /* apart: rows a power of two apart would share few places of L1 */
  FEW_ROWS = 32,       /* up to these the rows all stay in L1 while a block of B meets them */
  AHEAD = 2048,        /* floats of a large matrix: what is read so much later is fetched now */
  WIDE_ROWS = 32,      /* rows that meet WIDE_TERMS of its rows at a time */
  NEAR_COLUMNS = 256,  /* of w whose rows are not far apart */
  NEAR_ROWS = 128,     /* the same of a gradient, in which all rows are summed at once; more rows meet fewer terms */
  WIDE_PART = 1 << 14, /* of w at a time, which meets all rows */
  LEVELS = 16,         /* of a tree over groups */
  SUMMED = 128,        /* rows of an outer product at a time: a block of B stays in L1 */
  ACROSS = 140         /* columns of its A at a time */
};

/* A(p, k) at a + p a_row + k a_step; B(k, columns) at b + k b_step; C(p, columns) at c + p c_row. */
typedef struct tile {
  int k, columns; /* columns that exist, at most BLOCK */
  const float *a;
  ptrdiff_t a_row, a_step;
  const float *b;
  ptrdiff_t b_step;
  float *c;
  ptrdiff_t c_row;
  bool add;
} tile;

/* The sums start at zero and meet C at the end: C in the registers from the start would cost some of them. */
AM_INLINE void run_tile(const int P, const int V, const tile *t) {
  vf sum[MOST][2];
  AM_UNROLL for (int p = 0; p < P; p++) { AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] = (vf){0}; }
  const ptrdiff_t row = t->a_row, step = t->a_step, b_step = t->b_step;
  const float *b = t->b, *at[(MOST + 2) / 3]; /* three rows each: base, base + row, base + 2 row */
  AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) at[p] = t->a + 3 * p * row;
  for (int k = 0; k < t->k; k++, b += b_step) {
    vf column[2];
    AM_UNROLL for (int v = 0; v < V; v++) column[v] = load(b + v * LANES);
    AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) OPAQUE(at[p]);
    AM_UNROLL for (int p = 0; p < P; p++) {
      vf value = splat(at[p / 3][p % 3 * row]);
      AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] += value * column[v];
    }
    AM_UNROLL for (int p = 0; p < (P + 2) / 3; p++) at[p] += step;
  }
  if (t->columns < V * LANES) {
    float whole[MOST * BLOCK];
    AM_UNROLL for (int p = 0; p < P; p++) {
      AM_UNROLL for (int v = 0; v < V; v++) store(whole + p * BLOCK + v * LANES, sum[p][v]);
    }
    for (int p = 0; p < P; p++)
      for (int i = 0; i < t->columns; i++) {
        float *c = t->c + p * t->c_row + i;
        /* cppcheck-suppress uninitvar ; stored above */
        *c = t->add ? *c + whole[p * BLOCK + i] : whole[p * BLOCK + i];
      }
    return;
  }
  AM_UNROLL for (int p = 0; p < P; p++) {
    AM_UNROLL for (int v = 0; v < V; v++) {
      float *c = t->c + p * t->c_row + v * LANES;
      store(c, t->add ? load(c) + sum[p][v] : sum[p][v]);
    }
  }
}

#define TILE_FUNCTION(P, V) \
  static void tile_##P##_##V(const tile *t) { run_tile(P, V, t); }
EACH_TILE(TILE_FUNCTION, 1)
EACH_TILE(TILE_FUNCTION, 2)
#define TILE_NAME(P, V) tile_##P##_##V,
static void (*const tiles[2][MOST])(const tile *t) = {{EACH_TILE(TILE_NAME, 1)}, {EACH_TILE(TILE_NAME, 2)}};

/* One row by FOUR whole blocks, for a batch of one: two sums alone would wait for each other.  Blocks of B stand
 * b_block apart. */
enum { FOUR = 4 };
AM_INLINE void run_row(const tile *t, ptrdiff_t b_block, const bool far) {
  const ptrdiff_t ahead = far ? (AHEAD / t->b_step + 1) * t->b_step : 0;
  vf sum[FOUR][2];
  AM_UNROLL for (int j = 0; j < FOUR; j++) { AM_UNROLL for (int v = 0; v < 2; v++) sum[j][v] = (vf){0}; }
  const float *a = t->a, *b = t->b;
  for (int k = 0; k < t->k; k++, a += t->a_step, b += t->b_step) {
    vf value = splat(*a);
    AM_UNROLL for (int j = 0; j < FOUR; j++) {
      AM_UNROLL for (int v = 0; v < 2; v++) {
        const float *at = b + j * b_block + v * LANES;
        if (far && v * LANES % 16 == 0) __builtin_prefetch(at + ahead); /* a line of 16 floats */
        sum[j][v] += value * load(at);
      }
    }
  }
  AM_UNROLL for (int j = 0; j < FOUR; j++) {
    AM_UNROLL for (int v = 0; v < 2; v++) {
      float *c = t->c + j * BLOCK + v * LANES;
      store(c, t->add ? load(c) + sum[j][v] : sum[j][v]);
    }
  }
}

static void run_row_near(const tile *t, ptrdiff_t b_block) { run_row(t, b_block, false); }
static void run_row_far(const tile *t, ptrdiff_t b_block) { run_row(t, b_block, true); }

AM_INLINE int least(int a, int b) { return a < b ? a : b; }
AM_INLINE int larger(int a, int b) { return a > b ? a : b; }
AM_INLINE int blocks_of(int n) { return n / BLOCK + (n % BLOCK != 0); } /* n may be near INT_MAX */

/* All `rows` of one block of columns, in tiles of even size. */
static void run_rows(tile t, int rows) {
  const float *a = t.a;
  float *c = t.c;
  const int count = (rows + MOST - 1) / MOST, v = t.columns > LANES ? 1 : 0;
  for (int i = 0; i < count; i++) {
    int from = rows * i / count, to = rows * (i + 1) / count;
    t.a = a + from * t.a_row;
    t.c = c + from * t.c_row;
    tiles[v][to - from - 1](&t);
  }
}

/* C(rows, n) from A(rows, t.k) and blocks of B that stand b_block apart. */
static void run_blocks(tile t, int rows, int n, ptrdiff_t b_block) {
  int j = 0;
  if (rows == 1)
    for (; j + FOUR * BLOCK <= n; j += FOUR * BLOCK, t.b += FOUR * b_block, t.c += FOUR * BLOCK)
      run_row_near(&t, b_block);
  for (; j < n; j += BLOCK, t.b += b_block, t.c += BLOCK) {
    t.columns = least(n - j, BLOCK);
    run_rows(t, rows);
  }
}

/* One row by n columns of a B in place that no cache holds. */
static void run_far(tile t, int n) {
  int j = 0;
  for (; j + FOUR * BLOCK <= n; j += FOUR * BLOCK, t.b += FOUR * BLOCK, t.c += FOUR * BLOCK) run_row_far(&t, BLOCK);
  run_blocks(t, 1, n - j, BLOCK);
}

/* Packed: blocks of columns one after another, each (k, BLOCK) with zeros past column n. */

size_t AM_SIMD(am_packed_count)(int k, int n) { return (size_t)k * (size_t)blocks_of(n) * BLOCK; }

void AM_SIMD(am_pack)(bool trans, int k, int n, const float *b, int ldb, float *packed) {
  for (int j = 0; j < n; j += BLOCK) {
    const int columns = least(n - j, BLOCK);
    if (!trans && columns == BLOCK) {
      const float *from = b + j;
      for (int i = 0; i < k; i++, packed += BLOCK, from += ldb) {
        __builtin_prefetch(from + BLOCK); /* rows are pages apart: the processor does not foresee the next block */
        AM_UNROLL for (int v = 0; v < 2; v++) store(packed + v * LANES, load(from + v * LANES));
      }
      continue;
    }
    for (int i = 0; i < k; i++, packed += BLOCK) {
      if (trans)
        for (int c = 0; c < columns; c++) packed[c] = b[(ptrdiff_t)(j + c) * ldb + i];
      else copy_floats(packed, b + (ptrdiff_t)i * ldb + j, columns);
      zero_floats(packed + columns, BLOCK - columns);
    }
  }
}

/* Many rows: the rows of a tile are copied together, stay in L1 and meet all of B, which stays in L2. */
static void product_tiles(int rows, const tile *all, int n, ptrdiff_t b_block) {
  float near[MOST * NEAR];
  const int count = (rows + MOST - 1) / MOST;
  for (int i = 0; i < count; i++) {
    const int from = (int)((int64_t)rows * i / count), to = (int)((int64_t)rows * (i + 1) / count);
    tile t = *all;
    for (int r = from; r < to; r++) copy_floats(near + (r - from) * NEAR, t.a + r * t.a_row, t.k);
    t.a = near;
    t.a_row = NEAR;
    t.c += from * t.c_row;
    run_blocks(t, to - from, n, b_block);
  }
}

void AM_SIMD(am_product)(int rows, int k, int n, const float *a, int lda, const float *packed, bool add, float *c,
                         int ldc) {
  if (k == 0 && !add)
    for (int r = 0; r < rows; r++) zero_floats(c + (ptrdiff_t)r * ldc, n);
  for (int at = 0; at < k; at += TERMS) {
    const tile t = {.k = least(k - at, TERMS),
                    .columns = BLOCK,
                    .a = a + at,
                    .a_row = lda,
                    .a_step = 1,
                    .b = packed + (ptrdiff_t)at * BLOCK,
                    .b_step = BLOCK,
                    .c = c,
                    .c_row = ldc,
                    .add = add || at};
    if (rows <= FEW_ROWS) run_blocks(t, rows, n, (ptrdiff_t)k * BLOCK);
    else product_tiles(rows, &t, n, (ptrdiff_t)k * BLOCK);
  }
}

/* x(rows, terms) copied together: rows of a wide x may stand a multiple of 4096 bytes apart, which a cache
 * cannot hold side by side. */
static void gather(int rows, int terms, const float *x, int ldx, float *to) {
  for (int r = 0; r < rows; r++) copy_floats(to + r * terms, x + (ptrdiff_t)r * ldx, terms);
}

/* y(rows,n) += x(rows,k) w, w read once: in place, whole vectors, but for the last columns of each row; or, where its rows
 * stand far apart and several tiles meet a block of it, block by block copied.  The chains are those of am_product. */
void AM_SIMD(am_wide_product)(int rows, int k, int n, const float *x, int ldx, const float *w, int ldw, float *y,
                              int ldy) {
  float near[WIDE_ROWS * WIDE_TERMS], block[WIDE_TERMS * BLOCK];
  const int whole = rows > MOST && ldw > NEAR_COLUMNS ? 0 : n / LANES * LANES;
  for (int at = 0; at < k; at += WIDE_TERMS, w += (ptrdiff_t)WIDE_TERMS * ldw) {
    const int terms = least(k - at, WIDE_TERMS);
    for (int r = 0; r < rows; r += WIDE_ROWS) {
      const int some = least(rows - r, WIDE_ROWS);
      gather(some, terms, x + (ptrdiff_t)r * ldx + at, ldx, near);
      tile t = {.k = terms,
                .columns = BLOCK,
                .a = near,
                .a_row = terms,
                .a_step = 1,
                .b = w,
                .b_step = ldw,
                .c = y + (ptrdiff_t)r * ldy,
                .c_row = ldy,
                .add = true};
      if (rows == 1) run_far(t, whole);
      else run_blocks(t, some, whole, BLOCK);
      t.b = block;
      t.b_step = BLOCK;
      t.c += whole;
      for (int j = whole; j < n; j += BLOCK, t.c += BLOCK) {
        t.columns = least(n - j, BLOCK);
        AM_SIMD(am_pack)(false, terms, t.columns, w + j, ldw, block);
        run_rows(t, some);
      }
    }
  }
}

/* dx(rows, terms) = dy w^T, made as its transpose (terms, rows): then w is broadcast from where it stands.  The chains
 * over n are those of am_product. */
static void wide_dx(int rows, int terms, int n, const float *w, const float *dy_across, float *dx, int lddx) {
  float across[WIDE_TERMS * BLOCK];
  for (int r = 0; r < rows; r += BLOCK, dy_across += (ptrdiff_t)n * BLOCK) {
    const int some = least(rows - r, BLOCK);
    for (int at = 0; at < n; at += TERMS) {
      const tile t = {.k = least(n - at, TERMS),
                      .columns = BLOCK,
                      .a = w + at,
                      .a_row = n,
                      .a_step = 1,
                      .b = dy_across + (ptrdiff_t)at * BLOCK,
                      .b_step = BLOCK,
                      .c = across,
                      .c_row = BLOCK,
                      .add = at > 0};
      run_rows(t, terms);
    }
    for (int i = 0; i < some; i++)
      for (int l = 0; l < terms; l++) {
        /* cppcheck-suppress uninitvar ; run_rows has filled it */
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) ; likewise */
        dx[(ptrdiff_t)(r + i) * lddx + l] = across[l * BLOCK + i];
      }
  }
}

/* dw(P, v) += the tree over groups (nn/groups.h) of x^T dy.  Two groups at a time are summed in registers, each by itself;
 * their sum, node 0 of its level, waits in `nodes` until its neighbour is made, as a counter carries. */
typedef struct tree_tile {
  int rows, group, columns;
  const float *x;
  ptrdiff_t x_step; /* from row to row */
  const float *dy;  /* (rows, BLOCK) */
  float *dw;
  ptrdiff_t dw_row;
} tree_tile;

enum { HALF = MOST / 2 };
#if AM_LANES == 16
#define EACH_TREE(M, V) M(1, V) M(2, V) M(3, V) M(4, V) M(5, V) M(6, V) M(7, V)
#elif AM_LANES == 4
#define EACH_TREE(M, V) M(1, V) M(2, V) M(3, V) M(4, V) M(5, V)
#else
#define EACH_TREE(M, V) M(1, V) M(2, V) M(3, V)
#endif

AM_INLINE void add_row(const int P, const int V, const float *x, const float *dy, vf sum[MOST][2]) {
  vf column[2];
  AM_UNROLL for (int v = 0; v < V; v++) column[v] = load(dy + v * LANES);
  AM_UNROLL for (int p = 0; p < P; p++) {
    vf value = splat(x[p]);
    AM_UNROLL for (int v = 0; v < V; v++) sum[p][v] += value * column[v];
  }
}

AM_INLINE void run_tree(const int P, const int V, const tree_tile *t) {
  vf nodes[LEVELS][MOST][2];
  const float *x = t->x, *dy = t->dy;
  const ptrdiff_t x_group = t->group * t->x_step, dy_group = (ptrdiff_t)t->group * BLOCK;
  int left = t->rows;
  for (unsigned pair = 0;; pair++) {
    const int first = least(left, t->group), second = least(left - first, t->group);
    vf one[MOST][2], two[MOST][2];
    AM_UNROLL for (int p = 0; p < P; p++) { AM_UNROLL for (int v = 0; v < V; v++) one[p][v] = two[p][v] = (vf){0}; }
    for (int r = 0; r < second; r++, x += t->x_step, dy += BLOCK) {
      add_row(P, V, x, dy, one);
      add_row(P, V, x + x_group, dy + dy_group, two);
    }
    for (int r = second; r < first; r++, x += t->x_step, dy += BLOCK) add_row(P, V, x, dy, one);
    x += x_group;
    dy += dy_group;
    left -= first + second;
    if (second) {
      AM_UNROLL for (int p = 0; p < P; p++) { AM_UNROLL for (int v = 0; v < V; v++) one[p][v] += two[p][v]; }
    }
    int level = 0;
    for (unsigned there = pair; left > 0 ? there & 1 : there > 0; there >>= 1, level++) {
      if (!(there & 1)) continue; /* of the last pair: alone on this level */
      AM_UNROLL for (int p = 0; p < P; p++) { AM_UNROLL for (int v = 0; v < V; v++) one[p][v] += nodes[level][p][v]; }
    }
    AM_UNROLL for (int p = 0; p < P; p++) {
      AM_UNROLL for (int v = 0; v < V; v++) {
        float *dw = t->dw + p * t->dw_row;
        if (left > 0) nodes[level][p][v] = one[p][v];
        else store_columns(dw, load_columns(dw, t->columns, v) + one[p][v], t->columns, v);
      }
    }
    if (left == 0) return;
  }
}

#define TREE_FUNCTION(P, V) \
  static void tree_##P##_##V(const tree_tile *t) { run_tree(P, V, t); }
EACH_TILE(TREE_FUNCTION, 1)
EACH_TREE(TREE_FUNCTION, 2)
#define TREE_NAME(P, V) tree_##P##_##V,
static void (*const trees[2][MOST])(const tree_tile *t) = {{EACH_TILE(TREE_NAME, 1)}, {EACH_TREE(TREE_NAME, 2)}};

AM_INLINE void fetch(const float *block) {
  __builtin_prefetch(block, 1);
  __builtin_prefetch(block + BLOCK - 1, 1);
}

/* dw(terms, n) += x^T dy; dy in blocks of columns. */
static void wide_dw(tree_tile t, int terms, int n) {
  const float *x = t.x;
  for (int j = 0; j < n; j += BLOCK, t.dy += (ptrdiff_t)t.rows * BLOCK) {
    float *dw = t.dw + j;
    t.columns = least(n - j, BLOCK);
    const int most = t.columns > LANES ? HALF : MOST, count = (terms + most - 1) / most;
    tree_tile part = t;
    for (int i = 0; i < count; i++) {
      const int from = terms * i / count, to = terms * (i + 1) / count;
      part.x = x + from;
      part.dw = dw + from * t.dw_row;
      for (int p = to; p < terms && p < to + most; p++) fetch(dw + p * t.dw_row); /* the next tile's */
      trees[t.columns > LANES][to - from - 1](&part);
    }
  }
}

void AM_SIMD(am_wide_back)(int rows, int k, int n, int group, const float *x, int ldx, const float *w,
                           const float *dy_packed, const float *dy_across, float *dw, float *dx, int lddx) {
  float near[NEAR_ROWS * WIDE_TERMS];
  const bool in_place = rows > NEAR_ROWS * WIDE_TERMS / HALF; /* no room for a tile */
  const int apart = n > WIDE_TERMS ? larger(WIDE_PART / n / MOST, 1) * MOST : WIDE_TERMS;
  const int step = least(apart, in_place ? WIDE_TERMS : NEAR_ROWS * WIDE_TERMS / rows);
  for (int at = 0; at < k; at += step, w += (ptrdiff_t)step * n, dw += (ptrdiff_t)step * n) {
    const int some = least(k - at, step);
    if (dx) wide_dx(rows, some, n, w, dy_across, dx + at, lddx);
    if (!in_place) gather(rows, some, x + at, ldx, near);
    wide_dw((tree_tile){.rows = rows,
                        .group = group,
                        .x = in_place ? x + at : near,
                        .x_step = in_place ? ldx : some,
                        .dy = dy_packed,
                        .dw = dw,
                        .dw_row = n},
            some, n);
  }
}

/* A's rows and B's, which may stand a power of two apart, are copied together: a block of B meets ACROSS columns of
 * A from L1. */
void AM_SIMD(am_outer_product)(int rows, int m, int n, const float *a, int lda, const float *b, int ldb, float *c,
                               int ldc) {
  float left[SUMMED * ACROSS], right[SUMMED * BLOCK];
  for (int at = 0; at < rows; at += SUMMED, a += (ptrdiff_t)SUMMED * lda, b += (ptrdiff_t)SUMMED * ldb) {
    const int some = least(rows - at, SUMMED);
    const int count = (m + ACROSS - 1) / ACROSS;
    for (int part = 0; part < count; part++) {
      const int i = m / count * part + least(part, m % count), across = m / count + (part < m % count);
      for (int r = 0; r < some; r++) copy_floats(left + r * ACROSS, a + (ptrdiff_t)r * lda + i, across);
      for (int j = 0; j < n; j += BLOCK) {
        const tile t = {.k = some,
                        .columns = least(n - j, BLOCK),
                        .a = left,
                        .a_row = 1,
                        .a_step = ACROSS,
                        .b = right,
                        .b_step = BLOCK,
                        .c = c + (ptrdiff_t)i * ldc + j,
                        .c_row = ldc,
                        .add = true};
        AM_SIMD(am_pack)(false, some, t.columns, b + j, ldb, right);
        run_rows(t, across);
      }
    }
  }
}
