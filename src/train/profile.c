/* SPDX-License-Identifier: MIT */
/* train/profile.c - where the time of training went: layer by layer, and the rest. */
#include <stdlib.h>
#include <sys/resource.h>

#include "nn/flops.h"
#include "train/trainer.h"

void am_trainer_profile_step(am_trainer *t, const am_loader_batch *b) {
  am_shape in = am_model_input(t->model);
  t->profile.steps++;
  if (!in.variable) t->profile.clips += b->n;
  for (int i = 0; in.variable && i < b->n; i++)
    t->profile.clips += (double)(b->lengths[i] < in.t ? b->lengths[i] : in.t) / in.t;
}

/* Where there is no memory for it, a step is left out. */
void am_trainer_profile_took(am_trainer *t, double seconds) {
  am_profile *p = &t->profile;
  if (!t->options->profile) return;
  if (am_grow(t->ctx, &p->took, &p->room, p->n_took + 1, sizeof *p->took, NULL)) return;
  p->took[p->n_took++] = (float)seconds;
}

/* A layer of no multiply-adds has no rate; one fused into the layer before it has no time of its own. */
static double rate(double flops, double seconds) { return seconds > 0 ? flops / seconds * 1e-9 : 0; }

static void say_layers(am_trainer *t, double whole) {
  const am_profile *p = &t->profile;
  const am_step_time *times = am_session_times(t->session);
  double steps = p->steps > 0 ? p->steps : 1;
  am_run_log(&t->folder, AM_LOG_INFO, "%-28s %10s %8s %9s %10s %8s %9s %7s", "layer", "forward s", "GFLOP/s", "MB/step",
             "backward s", "GFLOP/s", "MB/step", "share");
  for (size_t i = 0; i < am_model_steps(t->model); i++) {
    am_flops w = am_flops_of_step(t->model, i, p->clips, p->steps, true);
    const am_step_time *s = &times[i];
    am_run_log(&t->folder, AM_LOG_INFO, "%-28s %10.3f %8.1f %9.2f %10.3f %8.1f %9.2f %6.1f%%",
               am_model_step(t->model, i)->layer.name, s->forward, rate(w.forward_flops, s->forward),
               w.forward_bytes * 1e-6 / steps, s->backward, rate(w.backward_flops, s->backward),
               w.backward_bytes * 1e-6 / steps, whole > 0 ? 100 * (s->forward + s->backward) / whole : 0);
  }
}

static int by_size(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void say_steps(am_trainer *t) {
  am_profile *p = &t->profile;
  const size_t n = p->n_took;
  if (!n) return;
  qsort(p->took, n, sizeof *p->took, by_size);
  const double median = ((double)p->took[(n - 1) / 2] + (double)p->took[n / 2]) / 2;
  am_run_log(&t->folder, AM_LOG_INFO, "a step took %.3f ms (median of %zu), %.3f ms at least, %.3f ms at most",
             1e3 * median, n, 1e3 * (double)p->took[0], 1e3 * (double)p->took[n - 1]);
}

/* Of this process among others; the waiting is a part of the rows above it. */
static void say_ranks(am_trainer *t, double whole) {
  if (!t->share.ranks) return;
  const am_ranks_count n = am_ranks_counts(t->share.ranks);
  am_run_log(
      &t->folder, AM_LOG_INFO,
      "%d processes: %.2f MB a step sent by this one, %.3f s waited for the others (%.1f%%), %.3f s of sums hidden "
      "behind computing",
      am_ranks_size(t->share.ranks), (double)n.bytes * 1e-6 / (t->profile.steps > 0 ? t->profile.steps : 1), n.waited,
      whole > 0 ? 100 * n.waited / whole : 0, n.hidden);
}

/* Of each process, since it began. */
static void say_memory(am_trainer *t) {
  am_ranks *ranks = t->share.ranks;
  struct rusage used;
  if (!ranks || getrusage(RUSAGE_SELF, &used)) return;
  size_t *ends = am_alloc(t->ctx, (size_t)am_ranks_size(ranks), sizeof *ends);
  const double mine = (double)used.ru_maxrss * 1024e-6;
  double *all = NULL;
  if (ends && !am_ranks_gather(ranks, t->ctx, &mine, sizeof mine, (void **)&all, ends, NULL))
    for (int r = 0; r < am_ranks_size(ranks); r++)
      am_run_log(&t->folder, AM_LOG_INFO, "rank %d on %s: %.0f MB at most", r, am_ranks_host(ranks, r), all[r]);
  am_free(t->ctx, all);
  am_free(t->ctx, ends);
}

void am_trainer_profile(am_trainer *t, bool all_well) {
  const am_profile *p = &t->profile;
  const am_step_time *times = am_session_times(t->session);
  double whole = am_now() - t->began, layers = 0;
  for (size_t i = 0; i < am_model_steps(t->model); i++) layers += times[i].forward + times[i].backward;
  double other = whole - layers - p->optimiser - p->data - p->validation - p->checkpoint;
  const struct {
    const char *name;
    double seconds;
  } rows[] = {{"all layers", layers},
              {"optimiser", p->optimiser},
              {"data (waiting for batches)", p->data},
              {"validation and test", p->validation},
              {"checkpoint", p->checkpoint},
              {"other (loss, log)", other},
              {"whole", whole}};
  am_run_log(&t->folder, AM_LOG_INFO, "profile of %.0f steps; MB: arrays read or written once each, before fusing",
             p->steps);
  say_layers(t, whole);
  am_run_log(&t->folder, AM_LOG_INFO, "%-28s %10s %7s", "all", "seconds", "share");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    am_run_log(&t->folder, AM_LOG_INFO, "%-28s %10.3f %6.1f%%", rows[i].name, rows[i].seconds,
               whole > 0 ? 100 * rows[i].seconds / whole : 0);
  say_steps(t);
  say_ranks(t, whole);
  if (all_well) say_memory(t);
}
