/* tensor/gemm.c - matrix products by OpenBLAS, which runs one thread inside
 * our pieces: the pieces are cut by shape, so results do not depend on the
 * number of threads. */
#include <cblas.h>
#include <stdatomic.h>
#include <string.h>

#include "tensor/tensor.h"

/* OpenBLAS must be told once, before its first product; who comes second waits. */
static void one_blas_thread(void) {
  static atomic_int state; /* 0 untold, 1 being told, 2 told */
  int untold = 0;
  if (atomic_load_explicit(&state, memory_order_acquire) == 2) return;
  if (atomic_compare_exchange_strong(&state, &untold, 1)) {
    openblas_set_num_threads(1);
    atomic_store_explicit(&state, 2, memory_order_release);
  }
  while (atomic_load_explicit(&state, memory_order_acquire) != 2) continue;
}

void am_gemm_one(bool trans_a, bool trans_b, int m, int n, int k, am_real alpha, const am_real *a, int lda,
                 const am_real *b, int ldb, am_real beta, am_real *c, int ldc) {
  if (m <= 0 || n <= 0) return;
  one_blas_thread();
  CBLAS_TRANSPOSE ta = trans_a ? CblasTrans : CblasNoTrans, tb = trans_b ? CblasTrans : CblasNoTrans;
  if (k < 0) k = 0;
#ifdef AM_REAL_DOUBLE
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#else
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#endif
}

enum {
  PIECE_WORK = 1 << 20, /* multiply-adds worth handing to another thread */
  MOST_PIECES = 32,
  SPLIT_K = 8,           /* pieces of a long sum over k, each with its own C */
  SPLIT_K_COUNT = 8192,  /* largest C for that: the partial sums are on the stack */
  SPLIT_K_LENGTH = 16384 /* shortest k for that */
};

typedef struct product {
  bool trans_a, trans_b;
  int m, n, k, lda, ldb, ldc;
  am_real alpha, beta;
  const am_real *a, *b;
  am_real *c;
  int step; /* rows, columns or terms of a piece */
  am_real *partial;
} product;

static void rows_piece(void *arg, size_t piece, int worker) {
  const product *p = arg;
  (void)worker;
  int i = (int)piece * p->step, rows = p->m - i < p->step ? p->m - i : p->step;
  const am_real *a = p->a + (p->trans_a ? (size_t)i : (size_t)i * (size_t)p->lda);
  am_gemm_one(p->trans_a, p->trans_b, rows, p->n, p->k, p->alpha, a, p->lda, p->b, p->ldb, p->beta,
              p->c + (size_t)i * (size_t)p->ldc, p->ldc);
}

static void columns_piece(void *arg, size_t piece, int worker) {
  const product *p = arg;
  (void)worker;
  int j = (int)piece * p->step, columns = p->n - j < p->step ? p->n - j : p->step;
  const am_real *b = p->b + (p->trans_b ? (size_t)j * (size_t)p->ldb : (size_t)j);
  am_gemm_one(p->trans_a, p->trans_b, p->m, columns, p->k, p->alpha, p->a, p->lda, b, p->ldb, p->beta, p->c + j,
              p->ldc);
}

static void terms_piece(void *arg, size_t piece, int worker) {
  const product *p = arg;
  (void)worker;
  int l = (int)piece * p->step, terms = p->k - l < p->step ? p->k - l : p->step;
  const am_real *a = p->a + (p->trans_a ? (size_t)l * (size_t)p->lda : (size_t)l);
  const am_real *b = p->b + (p->trans_b ? (size_t)l : (size_t)l * (size_t)p->ldb);
  am_gemm_one(p->trans_a, p->trans_b, p->m, p->n, terms, p->alpha, a, p->lda, b, p->ldb, 0,
              p->partial + piece * SPLIT_K_COUNT, p->n);
}

/* A small C with a long sum, e.g. dense after flatten: (32,280576) x (280576,128). */
static void split_terms(am_context *ctx, product *p) {
  am_real partial[SPLIT_K * SPLIT_K_COUNT];
  p->partial = partial;
  p->step = (p->k + SPLIT_K - 1) / SPLIT_K;
  am_parallel_for(ctx, SPLIT_K, terms_piece, p);
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->n; j++) {
      am_real sum = 0, *c = p->c + (size_t)i * (size_t)p->ldc + j;
      for (size_t s = 0; s < SPLIT_K; s++) sum += partial[s * SPLIT_K_COUNT + (size_t)i * (size_t)p->n + (size_t)j];
      *c = p->beta == 0 ? sum : sum + p->beta * *c;
    }
}

void am_gemm(am_context *ctx, bool trans_a, bool trans_b, int m, int n, int k, am_real alpha, const am_real *a, int lda,
             const am_real *b, int ldb, am_real beta, am_real *c, int ldc) {
  if (m <= 0 || n <= 0) return;
  product p = {trans_a, trans_b, m, n, k, lda, ldb, ldc, alpha, beta, a, b, c, 0, NULL};
  double work = (double)m * n * (k > 0 ? k : 1);
  double wanted = work / PIECE_WORK;
  int pieces = wanted < 1 ? 1 : wanted > MOST_PIECES ? MOST_PIECES : (int)wanted;
  if (pieces > 1 && (double)m * n <= SPLIT_K_COUNT && k >= SPLIT_K_LENGTH) {
    split_terms(ctx, &p);
    return;
  }
  /* Pieces along the longer side, whole register tiles each. */
  bool by_rows = m >= n;
  int side = by_rows ? m : n, tile = 32;
  p.step = ((side + pieces - 1) / pieces + tile - 1) / tile * tile;
  am_parallel_for(ctx, (size_t)((side + p.step - 1) / p.step), by_rows ? rows_piece : columns_piece, &p);
}
