/* SPDX-License-Identifier: MIT */
/* tests/bench/kernels.c - answers requests for timed passes of single layers, for tools/bench.  Not a test.
 *
 * Linked with one of kernels_*.c, each over one library.  A line "forward conv/B/T/F/CI/CO/K N", "backward dense/B/CI/CO N" or
 * "forward lstm/B/T/CI/H N" on stdin makes N passes and prints their seconds; the end of stdin ends it. */
#include "kernels.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double kernel_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

float *kernel_numbers(size_t n) {
  float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
  if (!x) {
    fprintf(stderr, "kernels: no memory\n");
    exit(1);
  }
  for (size_t i = 0; i < n; i++) x[i] = (float)((uint32_t)(i * 2654435761u) >> 8) / (1 << 24) * 0.2f - 0.1f;
  return x;
}

/* "forward conv/B/T/F/CI/CO/K"; false: no such request. */
static bool parse(const char *way, const char *what, kernel_shape *s) {
  *s = (kernel_shape){.backward = strcmp(way, "backward") == 0, .t = 1, .f = 1, .k = 1};
  if (sscanf(what, "conv/%d/%d/%d/%d/%d/%d", &s->b, &s->t, &s->f, &s->ci, &s->co, &s->k) == 6) return true;
  s->kind = KERNEL_DENSE;
  if (sscanf(what, "dense/%d/%d/%d", &s->b, &s->ci, &s->co) == 3) return true;
  s->kind = KERNEL_LSTM;
  return sscanf(what, "lstm/%d/%d/%d/%d", &s->b, &s->t, &s->ci, &s->co) == 4;
}

int main(void) {
  char line[128], way[16], what[64], open_way[16] = "", open_what[64] = "";
  kernel_shape shape;
  void *opened = NULL;
  int passes;
  printf("{\"version\": \"%s\"}\n", kernel_library());
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    struct rusage usage;
    if (sscanf(line, "%15s %63s %d", way, what, &passes) != 3 || !parse(way, what, &shape)) return 2;
    if (!opened || strcmp(way, open_way) != 0 || strcmp(what, open_what) != 0) {
      if (opened) kernel_close(opened);
      strcpy(open_way, way);
      strcpy(open_what, what);
      opened = kernel_open(&shape);
      if (opened) kernel_pass(opened); /* touches fresh memory, makes code */
    }
    if (!opened) {
      printf("{\"error\": \"not offered\"}\n");
    } else {
      printf("{\"seconds\": [");
      for (int i = 0; i < passes; i++) printf("%s%.7f", i ? ", " : "", kernel_pass(opened));
      getrusage(RUSAGE_SELF, &usage);
      printf("], \"peak_kb\": %ld}\n", usage.ru_maxrss);
    }
    fflush(stdout);
  }
  if (opened) kernel_close(opened);
  return 0;
}
