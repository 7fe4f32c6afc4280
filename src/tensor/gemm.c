/* SPDX-License-Identifier: MIT */
/* tensor/gemm.c - matrix products by OpenBLAS, which runs one thread inside
 * our pieces: the pieces are cut by shape, so results do not depend on the
 * number of threads. */
#include <cblas.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>

#include "tensor/tensor.h"

/* A product takes one of OpenBLAS's buffers: 128 MiB of address space each (BUFFER_SIZE of x86-64), mapped when more
 * products run at once than ever before, and kept.  Where one cannot be mapped OpenBLAS tries again for ever.  So no
 * product begins without a buffer that is there, or that there is room for: the semaphore counts those that are mapped
 * and free.  The process has one set of these buffers, so these are globals. */
enum {
  BUFFER_BYTES = 132 << 20, /* with what else a product may take */
  MOST_BUFFERS = 48         /* OpenBLAS keeps 50 at least, and prints a warning when it runs out of them */
};
static sem_t buffers;
static int mapped; /* under the lock */
static pthread_mutex_t mapping = PTHREAD_MUTEX_INITIALIZER;

static void one_product(bool trans_a, bool trans_b, int m, int n, int k, am_real alpha, const am_real *a, int lda,
                        const am_real *b, int ldb, am_real beta, am_real *c, int ldc) {
  CBLAS_TRANSPOSE ta = trans_a ? CblasTrans : CblasNoTrans, tb = trans_b ? CblasTrans : CblasNoTrans;
#ifdef AM_REAL_DOUBLE
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#else
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#endif
}

static bool there_is_room(void) {
  void *probe = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return probe != MAP_FAILED && munmap(probe, BUFFER_BYTES) == 0;
}

/* Called with the lock, and all mapped buffers in use: a product that is large enough to take one more. */
static void map_buffer(void) {
  enum { SIDE = 128 };
  am_real zeros[SIDE * SIDE], product[SIDE * SIDE];
  memset(zeros, 0, sizeof zeros);
  one_product(false, false, SIDE, SIDE, SIDE, 1, zeros, SIDE, zeros, SIDE, 0, product, SIDE);
  mapped++;
}

am_status am_gemm_begin(am_error *err) {
  pthread_mutex_lock(&mapping);
  bool room = mapped || there_is_room();
  if (room && !mapped) {
    openblas_set_num_threads(1); /* in case it is not the build for one thread */
    sem_init(&buffers, 0, 1);
    map_buffer();
  }
  pthread_mutex_unlock(&mapping);
  if (room) return AM_OK;
  return am_fail(err, AM_E_NOMEM,
                 "out of memory: a matrix product takes %d MB of address space, which are not there (is there a limit, "
                 "ulimit -v?)",
                 (int)BUFFER_BYTES >> 20);
}

/* Without room for one more buffer, products wait for each other. */
static void take_buffer(void) {
  if (sem_trywait(&buffers) == 0) return;
  pthread_mutex_lock(&mapping);
  bool taken = sem_trywait(&buffers) == 0; /* given back meanwhile */
  if (!taken && mapped < MOST_BUFFERS && there_is_room()) {
    map_buffer();
    taken = true;
  }
  pthread_mutex_unlock(&mapping);
  while (!taken) taken = sem_wait(&buffers) == 0 || errno != EINTR;
}

const char *am_gemm_library(void) { return openblas_get_config(); }

void am_gemm_one(bool trans_a, bool trans_b, int m, int n, int k, am_real alpha, const am_real *a, int lda,
                 const am_real *b, int ldb, am_real beta, am_real *c, int ldc) {
  if (m <= 0 || n <= 0) return;
  take_buffer();
  one_product(trans_a, trans_b, m, n, k < 0 ? 0 : k, alpha, a, lda, b, ldb, beta, c, ldc);
  sem_post(&buffers);
}

enum {
  PIECE_WORK = 1 << 20, /* multiply-adds worth handing to another thread */
  PIECE_SIDE = 512,     /* of C: OpenBLAS copies a piece of A and of B first, which small pieces do not repay */
  LEAST_SIDE = 64,
  ENOUGH_PIECES = 8,
  MOST_PIECES = 64,
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
  int rows, columns, terms; /* of a piece */
  am_real *partial;
} product;

static int pieces_of(int n, int step) { return (n + step - 1) / step; }
static int least(int a, int b) { return a < b ? a : b; }

static void block_piece(void *arg, size_t piece, int worker) {
  const product *p = arg;
  (void)worker;
  size_t across = (size_t)pieces_of(p->n, p->columns);
  int i = (int)(piece / across) * p->rows, j = (int)(piece % across) * p->columns;
  const am_real *a = p->a + (p->trans_a ? (size_t)i : (size_t)i * (size_t)p->lda);
  const am_real *b = p->b + (p->trans_b ? (size_t)j * (size_t)p->ldb : (size_t)j);
  am_gemm_one(p->trans_a, p->trans_b, least(p->m - i, p->rows), least(p->n - j, p->columns), p->k, p->alpha, a, p->lda,
              b, p->ldb, p->beta, p->c + (size_t)i * (size_t)p->ldc + j, p->ldc);
}

/* Blocks of C: squares where C is large, smaller where there would be too few of them. */
static void cut_blocks(product *p) {
  p->rows = least(p->m, PIECE_SIDE);
  p->columns = least(p->n, PIECE_SIDE);
  while ((int64_t)pieces_of(p->m, p->rows) * pieces_of(p->n, p->columns) > MOST_PIECES) {
    if (p->m / p->rows > p->n / p->columns) p->rows *= 2;
    else p->columns *= 2;
  }
  while (pieces_of(p->m, p->rows) * pieces_of(p->n, p->columns) < ENOUGH_PIECES) {
    int *side = p->rows > p->columns ? &p->rows : &p->columns;
    if (*side < 2 * LEAST_SIDE || (double)p->rows * p->columns * p->k < 2.0 * PIECE_WORK) break;
    *side = (*side + 1) / 2;
  }
}

static void terms_piece(void *arg, size_t piece, int worker) {
  const product *p = arg;
  (void)worker;
  int l = (int)piece * p->terms, terms = least(p->k - l, p->terms);
  const am_real *a = p->a + (p->trans_a ? (size_t)l * (size_t)p->lda : (size_t)l);
  const am_real *b = p->b + (p->trans_b ? (size_t)l : (size_t)l * (size_t)p->ldb);
  am_gemm_one(p->trans_a, p->trans_b, p->m, p->n, terms, p->alpha, a, p->lda, b, p->ldb, 0,
              p->partial + piece * SPLIT_K_COUNT, p->n);
}

/* A small C with a long sum, e.g. dense after flatten: (32,280576) x (280576,128). */
static void split_terms(am_context *ctx, product *p) {
  am_real partial[SPLIT_K * SPLIT_K_COUNT];
  p->partial = partial;
  p->terms = pieces_of(p->k, SPLIT_K);
  am_parallel_for(ctx, SPLIT_K, terms_piece, p);
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->n; j++) {
      am_real sum = 0, *c = p->c + (size_t)i * (size_t)p->ldc + j;
      /* cppcheck-suppress uninitvar ; the pieces have filled it */
      for (size_t s = 0; s < SPLIT_K; s++) sum += partial[s * SPLIT_K_COUNT + (size_t)i * (size_t)p->n + (size_t)j];
      *c = p->beta == 0 ? sum : sum + p->beta * *c;
    }
}

void am_gemm(am_context *ctx, bool trans_a, bool trans_b, int m, int n, int k, am_real alpha, const am_real *a, int lda,
             const am_real *b, int ldb, am_real beta, am_real *c, int ldc) {
  if (m <= 0 || n <= 0) return;
  product p = {trans_a, trans_b, m, n, k, lda, ldb, ldc, alpha, beta, a, b, c, 0, 0, 0, NULL};
  if ((double)m * n <= SPLIT_K_COUNT && k >= SPLIT_K_LENGTH) {
    split_terms(ctx, &p);
    return;
  }
  cut_blocks(&p);
  am_parallel_for(ctx, (size_t)pieces_of(m, p.rows) * (size_t)pieces_of(n, p.columns), block_piece, &p);
}
