/* SPDX-License-Identifier: MIT */
/* Speed of the convolution kernels beside sgemm's, in GFLOP/s of direct convolution and in percent of sgemm: of one
 * thread by its processor time, which other work on the machine disturbs less, then of all threads by the clock.
 * `errors` instead: their rounding errors, largest and root mean square, in parts of the result's root mean square,
 * against sums in double, on maps as ReLU leaves them and kernels as He draws them.
 * `bf16`: the speed of convolutions in bfloat16 over the path's own, both in turn, minima of 15 turns of one thread.
 * Not a test: bench_conv [plain|avx2|avx512|neon] [layer, from 0, or -] [1 (thread only) | errors | bf16] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tensor/tensor.h"

typedef struct layer {
  const char *name;
  int t, f, ci, co, kt, kf, st, sf;
} layer;

/* Convolutions of configs/, at the frames that tests/bench has, and what others use. */
static const layer layers[] = {
    {"RAVDESS CNN 1: first", 549, 128, 1, 32, 3, 3, 1, 1},
    {"  second", 274, 64, 32, 64, 3, 3, 1, 1},
    {"IEMOCAP CNN 2: first", 156, 128, 1, 32, 3, 3, 1, 1},
    {"  second", 78, 64, 32, 64, 3, 3, 1, 1},
    {"CNN+LSTM: first", 330, 64, 1, 24, 3, 3, 1, 1},
    {"  24 to 48", 165, 32, 24, 48, 3, 3, 1, 1},
    {"  48 to 48", 165, 32, 48, 48, 3, 3, 1, 1},
    {"  projection 24 to 48", 165, 32, 24, 48, 1, 1, 1, 1},
    {"  48 to 96", 82, 16, 48, 96, 3, 3, 1, 1},
    {"  96 to 96", 82, 16, 96, 96, 3, 3, 1, 1},
    {"  projection 48 to 96", 82, 16, 48, 96, 1, 1, 1, 1},
    {"  96 to 128", 82, 8, 96, 128, 3, 3, 1, 1},
    {"  128 to 128", 82, 8, 128, 128, 3, 3, 1, 1},
    {"  projection 96 to 128", 82, 8, 96, 128, 1, 1, 1, 1},
    {"RAVDESS model 2: first", 40, 1, 1, 32, 5, 1, 1, 1},
    {"  second", 10, 1, 32, 64, 5, 1, 1, 1},
    {"others: 64 to 128", 137, 32, 64, 128, 3, 3, 1, 1},
    {"  256 to 256", 34, 8, 256, 256, 3, 3, 1, 1},
    {"  32 to 32", 137, 64, 32, 32, 3, 3, 1, 1},
    {"  48 to 40", 137, 64, 48, 40, 3, 3, 1, 1},
    {"  1x1, 128 to 64", 137, 32, 128, 64, 1, 1, 1, 1},
    {"  1x1, stride 2, 64 to 128", 137, 32, 64, 128, 1, 1, 2, 2},
    {"  stride 2, 64 to 128", 137, 32, 64, 128, 3, 3, 2, 2},
    {"  conv1d 5, 40 to 128", 500, 1, 40, 128, 5, 1, 1, 1},
};

/* The last four with a max pooling of 2 x 2: the map made and pooled, or both together. */
enum { FORWARD, BACK_X, BACK_W, KINDS, APART = KINDS, APART_W, POOLED, POOLED_W };

typedef struct job {
  const am_kernels *k;
  am_conv c;
  int kind, clips, rows; /* a piece makes `rows` rows of one clip */
  float *x, *y, *w, *packed, *packed_back, *dw, *scratch;
  float *map; /* of a piece, by worker */
  uint8_t *index;
} job;

/* Rows of the map of one piece and their pooling. */
static void pooled_piece(const job *j, const float *x, float *y, uint8_t *index, float *dw, int t0, int t1,
                         float *map) {
  am_conv c = j->c, pool = {.fi = c.fo, .ci = c.co, .fo = c.fo / 2, .co = c.co};
  c.pt -= t0, c.to = pool.ti = t1 - t0, pool.to = pool.ti / 2;
  pool.kt = pool.kf = pool.st = pool.sf = 2, pool.dt = pool.df = 1;
  size_t from = (size_t)(t0 / 2 * pool.fo * pool.co);
  y += from, index += from;
  if (j->kind == POOLED) {
    j->k->conv_pool_forward(&c, &pool, x, j->packed, NULL, AM_EPILOGUE_RELU, y, index);
  } else if (j->kind == POOLED_W) {
    j->k->conv_pool_backward_w(&c, &pool, x, y, index, dw);
  } else if (j->kind == APART) {
    j->k->conv_forward(&c, x, j->packed, NULL, AM_EPILOGUE_RELU, 0, c.to, map, j->scratch);
    j->k->max_pool(&pool, map, y, index);
  } else {
    j->k->max_pool_back(&pool, y, index, map);
    j->k->conv_backward_w(&c, x, map, 0, c.to, dw, j->scratch);
  }
}

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
  if (j->kind >= APART)
    pooled_piece(j, x, y, j->index + b * (size_t)c->to * (size_t)c->fo * (size_t)c->co, j->dw + (size_t)worker * count,
                 t0, t1, j->map + (size_t)worker * (size_t)j->rows * (size_t)c->fo * (size_t)c->co);
  else if (j->kind == FORWARD) j->k->conv_forward(c, x, j->packed, NULL, AM_EPILOGUE_NONE, t0, t1, y, scratch);
  else if (j->kind == BACK_X) j->k->conv_backward_x(c, y, j->packed_back, t0, t1, x, scratch);
  else j->k->conv_backward_w(c, x, y, t0, t1, j->dw + (size_t)worker * count, scratch);
}

static double now(const am_context *ctx) {
  struct timespec t;
  if (am_context_threads(ctx) > 1) return am_now();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double once(am_context *ctx, job *j) {
  int rows = j->kind == BACK_X ? j->c.ti : j->c.to;
  double start = now(ctx);
  am_parallel_for(ctx, (size_t)j->clips * (size_t)((rows + j->rows - 1) / j->rows), piece, j);
  return now(ctx) - start;
}

static double seconds(am_context *ctx, job *j) {
  double best = 1e9, total = 0;
  for (int n = 0; n < 1000 && (n < 3 || total < 0.2); n++) {
    double took = once(ctx, j);
    total += took;
    if (took < best) best = took;
  }
  return best;
}

static float *fill(size_t n) {
  float *values = malloc(n * sizeof *values);
  if (!values) exit(1);
  for (size_t i = 0; i < n; i++) values[i] = (float)(i * 2654435761u % 1000) / 1000 - 0.5f;
  return values;
}

static job job_of(am_context *ctx, const layer *l, const am_kernels *k) {
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
  job j = {.k = k, .c = c, .clips = 2, .rows = (32768 / (c.fo * c.co) + 3) / 4 * 4}; /* as conv.c cuts them */
  j.map = fill((size_t)(j.rows * c.fo * c.co) * workers);
  j.index = calloc(y * (size_t)j.clips, 1);
  if (!j.index) exit(1);
  j.x = fill(x * (size_t)j.clips);
  j.y = fill(y * (size_t)j.clips);
  j.w = fill(w);
  j.dw = fill(w * workers);
  j.scratch = fill(j.k->conv_scratch_count(&c) * workers + 1);
  j.packed = malloc(j.k->conv_packed_count(&c) * sizeof(float));
  j.packed_back = malloc(j.k->conv_packed_back_count(&c) * sizeof(float));
  j.k->conv_pack(&c, j.w, j.packed);
  j.k->conv_pack_back(&c, j.w, j.packed_back);
  return j;
}

static void free_job(job *j) {
  free(j->x), free(j->y), free(j->w), free(j->dw), free(j->packed), free(j->packed_back), free(j->scratch);
  free(j->map), free(j->index);
}

static size_t kernel_count(const am_conv *c) { return (size_t)c->kt * (size_t)c->kf * (size_t)c->ci * (size_t)c->co; }

static void bench_layer(am_context *ctx, const layer *l, double sgemm) {
  job j = job_of(ctx, l, am_kernels_of(ctx));
  double flops = 2.0 * (double)kernel_count(&j.c) * j.c.to * j.c.fo * j.clips * 1e-9;
  printf("%-26s", l->name);
  for (j.kind = 0; j.kind < KINDS; j.kind++) {
    double rate = flops / seconds(ctx, &j);
    printf("  %7.1f %4.0f%%", rate, 100 * rate / sgemm);
  }
  printf("\n");
  am_conv pool = {
      .ti = 2, .fi = j.c.fo, .to = 1, .fo = j.c.fo / 2, .kt = 2, .kf = 2, .st = 2, .sf = 2, .dt = 1, .df = 1};
  if (j.k->conv_pools(&j.c, &pool))
    for (int together = 0; together < 2; together++) {
      static const int kinds[2][2] = {{APART, APART_W}, {POOLED, POOLED_W}};
      double rates[2];
      for (int i = 0; i < 2; i++) {
        j.kind = kinds[together][i];
        rates[i] = flops / seconds(ctx, &j);
      }
      printf("    pooled%-16s  %7.1f %4.0f%%  %13s  %7.1f %4.0f%%\n", together ? " in registers" : " from the map",
             rates[0], 100 * rates[0] / sgemm, "", rates[1], 100 * rates[1] / sgemm);
    }
  free_job(&j);
}

static void bench_bf16(am_context *ctx, const layer *l) {
  const am_kernels rounded = am_kernels_bf16(ctx);
  job both[2] = {job_of(ctx, l, am_kernels_of(ctx)), job_of(ctx, l, &rounded)};
  if (am_conv_takes_bf16(&both[0].c)) printf("%-26s", l->name);
  for (int kind = 0; kind < KINDS && am_conv_takes_bf16(&both[0].c); kind++) {
    double best[2] = {1e9, 1e9};
    for (int n = 0; n < 15; n++)
      for (int i = 0; i < 2; i++) {
        both[i].kind = kind;
        double took = once(ctx, &both[i]);
        if (took < best[i]) best[i] = took;
      }
    printf("  %13.2f%s", best[0] / best[1], kind == KINDS - 1 ? "\n" : "");
  }
  free_job(&both[0]), free_job(&both[1]);
}

/* Errors */

static double normal(void) { /* Irwin and Hall: near enough */
  double sum = -6;
  for (int i = 0; i < 12; i++) sum += (double)rand() / RAND_MAX;
  return sum;
}

/* What the job's kind makes of its first clip, in double. */
static void exact(const job *j, double *out) {
  const am_conv *c = &j->c;
  for (int t = 0; t < c->to; t++)
    for (int f = 0; f < c->fo; f++)
      for (int kt = 0; kt < c->kt; kt++)
        for (int kf = 0; kf < c->kf; kf++) {
          int r = t * c->st + kt - c->pt, b = f * c->sf + kf - c->pf;
          if (r < 0 || r >= c->ti || b < 0 || b >= c->fi) continue;
          size_t x = (size_t)(r * c->fi + b) * (size_t)c->ci, y = (size_t)(t * c->fo + f) * (size_t)c->co;
          size_t w = (size_t)(kt * c->kf + kf) * (size_t)c->ci * (size_t)c->co;
          for (size_t i = 0; i < (size_t)c->ci; i++)
            for (size_t o = 0; o < (size_t)c->co; o++, w++) {
              if (j->kind == FORWARD) out[y + o] += (double)j->x[x + i] * (double)j->w[w];
              else if (j->kind == BACK_X) out[x + i] += (double)j->y[y + o] * (double)j->w[w];
              else out[w] += (double)j->x[x + i] * (double)j->y[y + o];
            }
        }
}

static void layer_errors(am_context *ctx, layer l) {
  if (l.t > 40) l.t = 40;
  job j = job_of(ctx, &l, am_kernels_of(ctx));
  const am_conv *c = &j.c;
  size_t counts[KINDS] = {(size_t)c->to * (size_t)c->fo * (size_t)c->co, (size_t)c->ti * (size_t)c->fi * (size_t)c->ci,
                          kernel_count(c)};
  double scale = sqrt(2.0 / (c->kt * c->kf * c->ci));
  printf("%-26s", l.name);
  for (j.kind = 0; j.kind < KINDS; j.kind++) {
    for (size_t i = 0; i < counts[BACK_X]; i++) j.x[i] = (float)fmax(0, normal());
    for (size_t i = 0; i < counts[FORWARD]; i++) j.y[i] = (float)normal();
    for (size_t i = 0; i < counts[BACK_W]; i++) j.w[i] = (float)(scale * normal());
    memset(j.dw, 0, counts[BACK_W] * sizeof *j.dw);
    j.k->conv_pack(c, j.w, j.packed);
    j.k->conv_pack_back(c, j.w, j.packed_back);
    double *wanted = calloc(counts[j.kind], sizeof *wanted), squares = 0, error = 0, most = 0;
    if (!wanted) exit(1);
    exact(&j, wanted);
    const float *got = j.kind == FORWARD ? j.y : j.kind == BACK_X ? j.x : j.dw;
    if (j.kind == FORWARD) j.k->conv_forward(c, j.x, j.packed, NULL, AM_EPILOGUE_NONE, 0, c->to, j.y, j.scratch);
    else if (j.kind == BACK_X) j.k->conv_backward_x(c, j.y, j.packed_back, 0, c->ti, j.x, j.scratch);
    else j.k->conv_backward_w(c, j.x, j.y, 0, c->to, j.dw, j.scratch);
    for (size_t i = 0; i < counts[j.kind]; i++) {
      double e = fabs((double)got[i] - wanted[i]);
      squares += wanted[i] * wanted[i];
      error += e * e;
      if (e > most) most = e;
    }
    printf("  %.1e %.1e", most / sqrt(squares / (double)counts[j.kind]), sqrt(error / squares));
    free(wanted);
  }
  printf("\n");
  free_job(&j);
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
    bool errors = argc > 3 && strcmp(argv[3], "errors") == 0;
    bool bf16 = argc > 3 && strcmp(argv[3], "bf16") == 0;
    double sgemm = errors || bf16 ? 0 : bench_gemm(ctx, 1024, 1024, 1024, false, false);
    if (bf16) {
      printf("%s path, bf16 by %s: speed over float32\n%-26s  %13s  %13s  %13s\n", am_kernels_of(ctx)->name,
             am_bf16_by_processor(ctx) ? "the processor" : "plain code", "", "forward", "to x", "to w");
    } else if (errors) {
      printf("%s path: largest and root mean square error\n%-26s  %15s  %15s  %15s\n", am_kernels_of(ctx)->name, "",
             "forward", "to x", "to w");
    } else {
      printf("%s path, %d threads, GFLOP/s\n", am_kernels_of(ctx)->name, am_context_threads(ctx));
      printf("sgemm 1024: %.1f; dense 32 x 280576 x 128: forward %.1f, to weights %.1f, to x %.1f\n", sgemm,
             bench_gemm(ctx, 32, 128, 280576, false, false), bench_gemm(ctx, 280576, 128, 32, true, false),
             bench_gemm(ctx, 32, 280576, 128, false, true));
      printf("%-26s  %13s  %13s  %13s\n", "", "forward", "to x", "to w");
    }
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
      if (argc > 2 && argv[2][0] != '-' && (size_t)atoi(argv[2]) != i) continue;
      if (bf16) bench_bf16(ctx, &layers[i]);
      else if (errors) layer_errors(ctx, layers[i]);
      else bench_layer(ctx, &layers[i], sgemm);
    }
    am_context_free(ctx);
  }
  return 0;
}
