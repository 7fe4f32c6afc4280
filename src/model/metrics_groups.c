/* SPDX-License-Identifier: MIT */
/* model/metrics_groups.c - results of the clips of each gender, session, sentence ... apart. */
#include <math.h>
#include <string.h>

#include "model/metrics.h"

enum { FEWEST = 2, MOST = 12 }; /* values of a trait: one tells nothing apart, and of many none has enough clips */

/* Counts of the clips with one value: right and all, of each class. */
static void score(const am_metrics *m, const am_trait *trait, int value, const uint32_t *clips, const float *p,
                  const int *labels, size_t *table, am_group *out) {
  size_t K = (size_t)m->classes, right = 0;
  memset(table, 0, 2 * K * sizeof *table);
  for (size_t i = 0; i < m->n; i++) {
    size_t best = 0;
    if (trait->of[clips[i]] != value) continue;
    for (size_t k = 1; k < K; k++)
      if (p[i * K + k] > p[i * K + best]) best = k;
    table[K + (size_t)labels[i]]++;
    table[labels[i]] += (int)best == labels[i];
    right += (int)best == labels[i];
    out->n++;
  }
  for (size_t k = 0; k < K; k++)
    if (table[K + k]) out->uar += (double)table[k] / (double)table[K + k], out->scored++;
  out->uar = out->scored ? out->uar / out->scored : NAN;
  out->accuracy = out->n ? (double)right / (double)out->n : NAN;
}

static am_status add_trait(am_metrics *m, const am_trait *trait, const uint32_t *clips, const float *p,
                           const int *labels, size_t *table, am_error *err) {
  size_t first = m->n_groups;
  am_group *moved = am_resize(m->ctx, m->groups, m->n_groups + (size_t)trait->n, sizeof *moved);
  if (!moved) return am_no_memory(err);
  m->groups = moved;
  for (int v = 0; v < trait->n; v++) {
    am_group g = {0};
    score(m, trait, v, clips, p, labels, table, &g);
    if (!g.n) continue;
    g.trait = am_strdup(m->ctx, trait->name);
    g.value = am_strdup(m->ctx, trait->values[v]);
    m->groups[m->n_groups++] = g;
    if (!g.trait || !g.value) return am_no_memory(err);
  }
  if (m->n_groups - first >= FEWEST) return AM_OK;
  while (m->n_groups > first) { /* all of one value here */
    am_free(m->ctx, m->groups[--m->n_groups].trait);
    am_free(m->ctx, m->groups[m->n_groups].value);
  }
  return AM_OK;
}

/* Values that these clips have, at most MOST + 1. */
static int values_here(const am_metrics *m, const am_trait *trait, const uint32_t *clips, unsigned char *seen) {
  int n = 0;
  memset(seen, 0, (size_t)trait->n);
  for (size_t i = 0; i < m->n && n <= MOST; i++) {
    int v = trait->of[clips[i]];
    if (v < 0 || seen[v]) continue;
    seen[v] = 1;
    n++;
  }
  return n;
}

am_status am_metrics_add_groups(am_metrics *m, const am_dataset *d, const uint32_t *clips, const float *probabilities,
                                const int *labels, am_error *err) {
  am_status status = AM_OK;
  size_t *table = am_alloc(m->ctx, am_mul(2, (size_t)m->classes), sizeof *table);
  if (!table) return am_no_memory(err);
  for (size_t t = 0; t < d->n_traits && !status; t++) {
    unsigned char *seen = am_alloc(m->ctx, (size_t)d->traits[t].n + 1, 1);
    int n = seen ? values_here(m, &d->traits[t], clips, seen) : 0;
    if (!seen) status = am_no_memory(err);
    else if (n >= FEWEST && n <= MOST) status = add_trait(m, &d->traits[t], clips, probabilities, labels, table, err);
    am_free(m->ctx, seen);
  }
  am_free(m->ctx, table);
  return status;
}
