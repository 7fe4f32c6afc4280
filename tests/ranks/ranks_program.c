/* SPDX-License-Identifier: MIT */
/* tests/ranks/ranks_program.c - what test_mpi.sh starts by mpirun: sums, and ranks that end in all ways.
 *
 * ranks_program sums GROUPS: the sums of many batches as digests, which are the same for any number of ranks
 * ranks_program WHAT RANK: that rank fails alone (fail), has another text (text), ends without a word (quit), or waits to be killed or
 * stopped while the others wait for it (wait), or is stopped before it joins them (late) */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/hash.h"
#include "ranks/ranks.h"

static void log_errors(void *user, am_log_level level, const char *line) {
  (void)user;
  if (level == AM_LOG_ERROR) fprintf(stderr, "told: %s\n", line);
}

static float number(size_t leaf, size_t i) {
  return (float)((leaf * 7919 + i * 104729) % 1000003) / (float)(1 + (leaf * 31 + i) % 977);
}

enum { N = 300000, LAYERS = 5, SMALL = 64 };

/* Of leaves `from` to `end` - 1, in pairs; from is a multiple of the next power of two. */
static float node(size_t from, size_t end, size_t i) {
  size_t half = 1;
  if (end - from == 1) return number(from, i);
  while (2 * half < end - from) half *= 2;
  return node(from, from + half, i) + node(from + half, end, i);
}
static double node_double(size_t from, size_t end, size_t i) {
  size_t half = 1;
  if (end - from == 1) return (double)number(from, i) / 3;
  while (2 * half < end - from) half *= 2;
  return node_double(from, from + half, i) + node_double(from + half, end, i);
}

static am_status sums(am_context *ctx, am_ranks *ranks, size_t groups, am_error *err) {
  am_status status = AM_OK;
  float *values[LAYERS] = {0};
  uint32_t digest = 0;
  for (int l = 0; l < LAYERS; l++) values[l] = am_alloc_aligned(ctx, sizeof(float) * N);
  for (size_t leaves = groups; leaves >= 1 && !status; leaves--) {
    size_t first = 0, count = 0;
    status = am_ranks_batch(ranks, groups, leaves, &first, &count, err);
    for (size_t l = 0; l < LAYERS && !status; l++) {
      double few[SMALL];
      const size_t n = l ? N >> (4 * l) : N;
      for (size_t i = 0; i < n && count; i++) values[l][i] = node(first, first + count, i + l);
      for (size_t i = 0; i < SMALL; i++) few[i] = count ? node_double(first, first + count, i + l) : 0;
      status = am_ranks_sum(ranks, values[l], n, err);
      if (!status) status = am_ranks_sum_doubles(ranks, few, SMALL, err);
      digest = am_crc32c(digest, few, sizeof few);
    }
    if (!status) status = am_ranks_finish(ranks, err);
    for (size_t l = 0; l < LAYERS && !status; l++)
      digest = am_crc32c(digest, values[l], sizeof(float) * (l ? N >> (4 * l) : N));
  }
  char text[16];
  snprintf(text, sizeof text, "%08x", digest);
  if (!status) status = am_ranks_same(ranks, "digest", text, err);
  if (!status && am_ranks_first(ranks)) printf("%zu groups: %s\n", groups, text);
  const am_ranks_count c = am_ranks_counts(ranks);
  if (!status && am_ranks_first(ranks) && getenv("AM_RANKS_COUNTS"))
    printf("%s: %.1f MB, %llu messages, waited %.3f s, hidden %.3f s\n", am_ranks_library(ranks), (double)c.bytes / 1e6,
           (unsigned long long)c.messages, c.waited, c.hidden);
  for (int l = 0; l < LAYERS; l++) am_free_aligned(ctx, values[l]);
  return status;
}

static am_status end_in(const char *how, am_ranks *ranks, int who, am_error *err) {
  const bool me = am_ranks_rank(ranks) == who;
  am_status status = am_ranks_same(ranks, "text", me && !strcmp(how, "text") ? "mine" : "theirs", err);
  if (status) return status;
  if (me && !strcmp(how, "fail")) return am_fail(err, AM_E_DATA, "no clip of the class calm");
  if (me && !strcmp(how, "quit")) _exit(3); /* mpirun of MPICH may call an end by 0 a success */
  if (me && !strcmp(how, "wait")) {
    fprintf(stderr, "rank %d is process %d\n", who, (int)getpid());
    for (;;) pause();
  }
  if (!strcmp(how, "agree"))
    return am_ranks_agree(ranks, me ? am_fail(err, AM_E_NUMERIC, "the loss is not a number") : AM_OK, err);
  if (!strcmp(how, "well")) return AM_OK;
  return am_ranks_barrier(ranks, err);
}

int main(int n, char **arguments) {
  if (n != 3) return 2;
  am_settings settings = {.size = sizeof settings, .threads = 1, .log = log_errors};
  am_context *ctx = NULL;
  am_ranks *ranks = NULL;
  am_error err = AM_ERROR_INIT;
  const char *rank = getenv("PMI_RANK") ? getenv("PMI_RANK") : getenv("OMPI_COMM_WORLD_RANK");
  if (!strcmp(arguments[1], "late") && rank && !strcmp(rank, arguments[2])) raise(SIGSTOP);
  am_status status = am_context_create(&settings, &ctx, &err);
  if (!status) status = am_ranks_join(ctx, &ranks, &err);
  const bool joined = !status;
  const int number_of = (int)strtol(arguments[2], NULL, 10);
  if (joined)
    status = !strcmp(arguments[1], "sums") ? sums(ctx, ranks, (size_t)number_of, &err)
                                           : end_in(arguments[1], ranks, number_of, &err);
  status = am_ranks_leave(ranks, status, &err);
  if (status && (joined ? am_ranks_first(ranks) : am_ranks_started_first())) fprintf(stderr, "told: %s\n", err.message);
  am_ranks_free(ranks);
  am_context_free(ctx);
  return status ? 1 : 0;
}
