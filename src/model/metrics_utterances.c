/* SPDX-License-Identifier: MIT */
/* model/metrics_utterances.c - results per utterance where clips are chunks of them. */
#include <string.h>

#include "model/metrics.h"

/* Sums of what belongs to one utterance, one row after the other. */
typedef struct pool {
  float *p; /* (n,K) mean probabilities */
  int *labels, *speakers;
  uint32_t *slot; /* (clips of the dataset) utterance -> row + 1 */
  uint32_t *count;
  size_t n;
} pool;

static void fill(pool *u, const am_dataset *d, const uint32_t *clips, size_t n, size_t K, const float *probabilities,
                 const int *labels) {
  for (size_t i = 0; i < n; i++) {
    const am_clip *clip = &d->clips[clips[i]];
    uint32_t *slot = &u->slot[clip->utterance];
    if (!*slot) {
      *slot = (uint32_t)++u->n;
      u->labels[u->n - 1] = labels[i];
      u->speakers[u->n - 1] = clip->speaker;
    }
    u->count[*slot - 1]++;
    for (size_t k = 0; k < K; k++) u->p[(*slot - 1) * K + k] += probabilities[i * K + k];
  }
  for (size_t i = 0; i < u->n; i++)
    for (size_t k = 0; k < K; k++) u->p[i * K + k] /= (float)u->count[i];
}

am_status am_metrics_add_utterances(am_metrics *m, const am_dataset *d, const uint32_t *clips,
                                    const float *probabilities, const int *labels, uint64_t seed, am_error *err) {
  am_context *ctx = m->ctx;
  size_t n = m->n, K = (size_t)m->classes;
  pool u = {.p = am_alloc(ctx, am_mul(n + 1, K), sizeof *u.p),
            .labels = am_alloc(ctx, n + 1, sizeof *u.labels),
            .speakers = am_alloc(ctx, n + 1, sizeof *u.speakers),
            .slot = am_alloc(ctx, d->n + 1, sizeof *u.slot),
            .count = am_alloc(ctx, n + 1, sizeof *u.count)};
  am_status status = u.p && u.labels && u.speakers && u.slot && u.count ? AM_OK : am_no_memory(err);
  if (!status) fill(&u, d, clips, n, K, probabilities, labels);
  if (!status && u.n < n)
    status = am_metrics_compute(ctx, u.p, u.labels, u.speakers, u.n, (const char *const *)m->labels, m->classes, seed,
                                &m->per_utterance, err);
  am_free(ctx, u.p);
  am_free(ctx, u.labels);
  am_free(ctx, u.speakers);
  am_free(ctx, u.slot);
  am_free(ctx, u.count);
  return status;
}
