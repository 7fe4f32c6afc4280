/* tensor/simd_product.c - products with a packed matrix, and with one too large for any cache.
 *
 * One register tile serves all: up to MOST rows of C by two vectors of columns, C(p, v) += A(p, k) B(k, v), with
 * A broadcast from where it stands and B read in vectors.  Every element of C is one chain of multiply-adds
 * over k, whatever the tile, so it does not depend on the rows around it. */
#include "tensor/simd_tiles.h"

enum {
  TERMS = 256,       /* of k at a time: A of a tile stays in L1, a block of B in L2 */
  NEAR = TERMS + 16, /* apart: rows a power of two apart would share few places of L1 */
  FEW_ROWS = 32,     /* up to these the rows all stay in L1 while a block of B meets them */
  WIDE_TERMS = 128,  /* rows of a large matrix at a time: they stay in L2 */
  WIDE_ROWS = 32     /* rows that meet them at a time */
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
static void run_row(const tile *t, ptrdiff_t b_block) {
  vf sum[FOUR][2];
  AM_UNROLL for (int j = 0; j < FOUR; j++) { AM_UNROLL for (int v = 0; v < 2; v++) sum[j][v] = (vf){0}; }
  const float *a = t->a, *b = t->b;
  for (int k = 0; k < t->k; k++, a += t->a_step, b += t->b_step) {
    vf value = splat(*a);
    AM_UNROLL for (int j = 0; j < FOUR; j++) {
      AM_UNROLL for (int v = 0; v < 2; v++) sum[j][v] += value * load(b + j * b_block + v * LANES);
    }
  }
  AM_UNROLL for (int j = 0; j < FOUR; j++) {
    AM_UNROLL for (int v = 0; v < 2; v++) {
      float *c = t->c + j * BLOCK + v * LANES;
      store(c, t->add ? load(c) + sum[j][v] : sum[j][v]);
    }
  }
}

AM_INLINE int least(int a, int b) { return a < b ? a : b; }
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
    for (; j + FOUR * BLOCK <= n; j += FOUR * BLOCK, t.b += FOUR * b_block, t.c += FOUR * BLOCK) run_row(&t, b_block);
  for (; j < n; j += BLOCK, t.b += b_block, t.c += BLOCK) {
    t.columns = least(n - j, BLOCK);
    run_rows(t, rows);
  }
}

/* Packed: blocks of columns one after another, each (k, BLOCK) with zeros past column n. */

size_t AM_SIMD(am_packed_count)(int k, int n) { return (size_t)k * (size_t)blocks_of(n) * BLOCK; }

void AM_SIMD(am_pack)(bool trans, int k, int n, const float *b, int ldb, float *packed) {
  for (int j = 0; j < n; j += BLOCK) {
    const int columns = least(n - j, BLOCK);
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
  for (int r = 0; r < rows; r++) copy_floats(to + r * WIDE_TERMS, x + (ptrdiff_t)r * ldx, terms);
}

/* y(rows,n) += x(rows,k) w, w read in place once; whole vectors, but for the last columns of each row. */
void AM_SIMD(am_wide_product)(int rows, int k, int n, const float *x, int ldx, const float *w, float *y, int ldy) {
  float near[WIDE_ROWS * WIDE_TERMS], last[WIDE_TERMS * BLOCK];
  const int whole = n / LANES * LANES;
  for (int at = 0; at < k; at += WIDE_TERMS, w += (ptrdiff_t)WIDE_TERMS * n) {
    const int terms = least(k - at, WIDE_TERMS);
    if (whole < n) AM_SIMD(am_pack)(false, terms, n - whole, w + whole, n, last);
    for (int r = 0; r < rows; r += WIDE_ROWS) {
      const int some = least(rows - r, WIDE_ROWS);
      gather(some, terms, x + (ptrdiff_t)r * ldx + at, ldx, near);
      tile t = {.k = terms,
                .columns = BLOCK,
                .a = near,
                .a_row = WIDE_TERMS,
                .a_step = 1,
                .b = w,
                .b_step = n,
                .c = y + (ptrdiff_t)r * ldy,
                .c_row = ldy,
                .add = true};
      run_blocks(t, some, whole, BLOCK);
      t.b = last;
      t.b_step = BLOCK;
      t.c += whole;
      run_blocks(t, some, n - whole, BLOCK);
    }
  }
}

/* dx(rows, terms) = dy w^T, made as its transpose (terms, rows): then w is broadcast from where it stands. */
static void wide_dx(int rows, int terms, int n, const float *w, const float *dy_across, float *dx, int lddx) {
  float across[WIDE_TERMS * WIDE_ROWS];
  for (int r = 0; r < rows; r += BLOCK, dy_across += (ptrdiff_t)n * BLOCK) {
    const int some = least(rows - r, BLOCK);
    const tile t = {.k = n,
                    .columns = BLOCK,
                    .a = w,
                    .a_row = n,
                    .a_step = 1,
                    .b = dy_across,
                    .b_step = BLOCK,
                    .c = across,
                    .c_row = BLOCK};
    run_rows(t, terms);
    for (int i = 0; i < some; i++)
      for (int l = 0; l < terms; l++) {
        /* cppcheck-suppress uninitvar ; run_rows has filled it */
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) ; likewise */
        dx[(ptrdiff_t)(r + i) * lddx + l] = across[l * BLOCK + i];
      }
  }
}

void AM_SIMD(am_wide_back)(int rows, int k, int n, const float *x, int ldx, const float *w, const float *dy_packed,
                           const float *dy_across, float *dw, float *dx, int lddx) {
  float near[WIDE_ROWS * WIDE_TERMS];
  for (int at = 0; at < k; at += WIDE_TERMS, w += (ptrdiff_t)WIDE_TERMS * n, dw += (ptrdiff_t)WIDE_TERMS * n) {
    const int terms = least(k - at, WIDE_TERMS);
    if (dx) wide_dx(rows, terms, n, w, dy_across, dx + at, lddx);
    for (int r = 0; r < rows; r += WIDE_ROWS) {
      const int some = least(rows - r, WIDE_ROWS);
      gather(some, terms, x + (ptrdiff_t)r * ldx + at, ldx, near);
      const tile t = {.k = some,
                      .columns = BLOCK,
                      .a = near,
                      .a_row = 1,
                      .a_step = WIDE_TERMS,
                      .b = dy_packed + (ptrdiff_t)r * BLOCK,
                      .b_step = BLOCK,
                      .c = dw,
                      .c_row = n,
                      .add = true};
      run_blocks(t, terms, n, (ptrdiff_t)rows * BLOCK);
    }
  }
}
