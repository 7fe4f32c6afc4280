/* Speed of the convolution kernels beside sgemm's, in GFLOP/s: of one thread by its
 * processor time, which other work on the machine disturbs less, then of all threads by the clock.
 * Not a test: bench_conv [plain|avx2|avx512] [layer, from 0, or -] [1 (thread only)] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tensor/tensor.h"

typedef struct layer {
  const char *name;
  int t, f, ci, co, kt, kf, st, sf;
} layer;

/* Published nets of the README and the sizes that deeper ones use. */
static const layer layers[] = {
    {"RAVDESS CNN 1 first", 549, 128, 1, 32, 3, 3, 1, 1},
    {"RAVDESS CNN 1 second", 274, 64, 32, 64, 3, 3, 1, 1},
    {"64 to 128", 137, 32, 64, 128, 3, 3, 1, 1},
    {"128 to 128", 68, 16, 128, 128, 3, 3, 1, 1},
    {"256 to 256", 34, 8, 256, 256, 3, 3, 1, 1},
    {"32 to 32", 137, 64, 32, 32, 3, 3, 1, 1},
    {"48 to 40", 137, 64, 48, 40, 3, 3, 1, 1},
    {"1x1 128 to 64", 137, 32, 128, 64, 1, 1, 1, 1},
    {"64 to 128, stride 2", 137, 32, 64, 128, 3, 3, 2, 2},
    {"conv1d 5 40 to 128", 500, 1, 40, 128, 5, 1, 1, 1},
    {"1 to 24", 270, 64, 1, 24, 3, 3, 1, 1},
    {"24 to 48", 135, 32, 24, 48, 3, 3, 1, 1},
    {"48 to 48", 135, 32, 48, 48, 3, 3, 1, 1},
    {"96 to 96", 67, 16, 96, 96, 3, 3, 1, 1},
    {"128 to 128, 8 bins", 67, 8, 128, 128, 3, 3, 1, 1},
    {"conv1d 5 1 to 32", 40, 1, 1, 32, 5, 1, 1, 1},
    {"conv1d 5 32 to 64", 10, 1, 32, 64, 5, 1, 1, 1},
};

enum { FORWARD, BACK_X, BACK_W, KINDS };

typedef struct job {
  const am_kernels *k;
  am_conv c;
  int kind, clips, rows; /* a piece makes `rows` rows of one clip */
  float *x, *y, *w, *packed, *packed_back, *dw, *scratch;
} job;

static void piece(void *arg, size_t i, int worker) {
  job *j = arg;
  const am_conv *c = &j->c;
  int rows = j->kind == BACK_X ? c->ti : c->to, blocks = (rows + j->rows - 1) / j->rows;
  size_t b = i / (size_t)blocks;
  int t0 = (int)(i % (size_t)blocks) * j->rows, t1 = t0 + j->rows < rows ? t0 + j->rows : rows;
  float *x = j->x + b * (size_t)c->ti * (size_t)c->fi * (size_t)c->ci;
  float *y = j->y + b * (size_t)c->to * (size_t)c->fo * (size_t)c->co;
  size_t count = (size_t)c->kt * (size_t)c->kf * (size_t)c->ci * (size_t)c->co;
  float *scratch = j->scratch + (size_t)worker * j->k->conv_scratch_count(c);
  if (j->kind == FORWARD) j->k->conv_forward(c, x, j->packed, NULL, AM_EPILOGUE_NONE, t0, t1, y, scratch);
  else if (j->kind == BACK_X) j->k->conv_backward_x(c, y, j->packed_back, t0, t1, x, scratch);
  else j->k->conv_backward_w(c, x, y, t0, t1, j->dw + (size_t)worker * count, scratch);
}

static double now(const am_context *ctx) {
  struct timespec t;
  if (am_context_threads(ctx) > 1) return am_now();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(am_context *ctx, job *j) {
  int rows = j->kind == BACK_X ? j->c.ti : j->c.to;
  double best = 1e9, total = 0;
  for (int n = 0; n < 1000 && (n < 3 || total < 0.2); n++) {
    double start = now(ctx);
    am_parallel_for(ctx, (size_t)j->clips * (size_t)((rows + j->rows - 1) / j->rows), piece, j);
    double took = now(ctx) - start;
    total += took;
    if (took < best) best = took;
  }
  return best;
}

static float *fill(size_t n) {
  float *values = malloc(n * sizeof *values);
  for (size_t i = 0; values && i < n; i++) values[i] = (float)(i * 2654435761u % 1000) / 1000 - 0.5f;
  return values;
}

static void bench_layer(am_context *ctx, const layer *l) {
  am_conv c = {l->t,
               l->f,
               l->ci,
               am_window_length(l->t, l->kt, l->st, 1, AM_PAD_SAME, 0),
               am_window_length(l->f, l->kf, l->sf, 1, AM_PAD_SAME, 0),
               l->co,
               l->kt,
               l->kf,
               l->st,
               l->sf,
               1,
               1,
               am_window_before(l->t, l->kt, l->st, 1, AM_PAD_SAME, 0),
               am_window_before(l->f, l->kf, l->sf, 1, AM_PAD_SAME, 0)};
  size_t x = (size_t)c.ti * (size_t)c.fi * (size_t)c.ci, y = (size_t)c.to * (size_t)c.fo * (size_t)c.co;
  size_t w = (size_t)c.kt * (size_t)c.kf * (size_t)c.ci * (size_t)c.co, workers = (size_t)am_context_threads(ctx);
  job j = {am_kernels_of(ctx),
           c,
           0,
           2,
           32768 / (c.fo * c.co) > 0 ? 32768 / (c.fo * c.co) : 1,
           NULL,
           NULL,
           NULL,
           NULL,
           NULL,
           NULL,
           NULL};
  j.x = fill(x * (size_t)j.clips);
  j.y = fill(y * (size_t)j.clips);
  j.w = fill(w);
  j.dw = fill(w * workers);
  j.scratch = fill(j.k->conv_scratch_count(&c) * workers + 1);
  j.packed = malloc(j.k->conv_packed_count(&c) * sizeof(float));
  j.packed_back = malloc(j.k->conv_packed_back_count(&c) * sizeof(float));
  j.k->conv_pack(&c, j.w, j.packed);
  j.k->conv_pack_back(&c, j.w, j.packed_back);
  double flops = 2.0 * (double)w * c.to * c.fo * j.clips;
  printf("%-24s", l->name);
  for (j.kind = 0; j.kind < KINDS; j.kind++) printf(" %8.1f", flops / seconds(ctx, &j) * 1e-9);
  printf("\n");
  free(j.x), free(j.y), free(j.w), free(j.dw), free(j.packed), free(j.packed_back), free(j.scratch);
}

static double bench_gemm(am_context *ctx, int m, int n, int k, bool trans_a, bool trans_b) {
  float *a = fill((size_t)m * (size_t)k), *b = fill((size_t)k * (size_t)n), *c = fill((size_t)m * (size_t)n);
  double best = 1e9, total = 0;
  for (int i = 0; i < 1000 && (i < 3 || total < 0.2); i++) {
    double start = now(ctx);
    am_gemm(ctx, trans_a, trans_b, m, n, k, 1, a, trans_a ? m : k, b, trans_b ? k : n, 0, c, n);
    double took = now(ctx) - start;
    total += took;
    if (took < best) best = took;
  }
  free(a), free(b), free(c);
  return 2.0 * m * n * k / best * 1e-9;
}

int main(int argc, char **argv) {
  for (int threads = 1; threads >= (argc > 3 ? 1 : 0); threads--) {
    am_settings settings = {.size = sizeof settings, .threads = threads, .cpu = argc > 1 ? argv[1] : NULL};
    am_error err = AM_ERROR_INIT;
    am_context *ctx;
    if (am_gemm_begin(&err) || am_context_create(&settings, &ctx, &err)) {
      fprintf(stderr, "%s\n", err.message);
      return 1;
    }
    printf("%s, %d threads, GFLOP/s\n", am_kernels_of(ctx)->name, am_context_threads(ctx));
    printf("sgemm 1024: %.1f; dense 32 x 280576 x 128: forward %.1f, to weights %.1f, to x %.1f\n",
           bench_gemm(ctx, 1024, 1024, 1024, false, false), bench_gemm(ctx, 32, 128, 280576, false, false),
           bench_gemm(ctx, 280576, 128, 32, true, false), bench_gemm(ctx, 32, 280576, 128, false, true));
    printf("%-24s %8s %8s %8s\n", "", "forward", "to x", "to w");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
      if (argc < 3 || argv[2][0] == '-' || (size_t)atoi(argv[2]) == i) bench_layer(ctx, &layers[i]);
    am_context_free(ctx);
  }
  return 0;
}
