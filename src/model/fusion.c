/* SPDX-License-Identifier: MIT */
/* model/fusion.c - several models as one by the product of their probabilities, and the weights that suit clips best. */
#include "model/fusion.h"

#include <math.h>
#include <string.h>

#include "model/calibration.h"

enum { MOST_STEPS = 500, MOST_HALVINGS = 60 };
static const double LEAST = 1e-30; /* a probability below counts as this */
static const double PULL = 1e-6;

/* ---- asking ---- */

double am_fusion_log(double p) { return log(p < LEAST ? LEAST : p); }

void am_fusion_softmax(const double *sum, size_t rows, int classes, double temperature, float *probabilities) {
  for (size_t r = 0; r < rows; r++) {
    const double *z = sum + r * (size_t)classes;
    float *p = probabilities + r * (size_t)classes;
    double most = z[0], all = 0;
    for (int k = 1; k < classes; k++)
      if (z[k] > most) most = z[k];
    for (int k = 0; k < classes; k++) all += exp((z[k] - most) / temperature);
    for (int k = 0; k < classes; k++) p[k] = (float)(exp((z[k] - most) / temperature) / all);
  }
}

static am_status ask_members(am_checkpoint *c, size_t i, size_t numbers, am_ask_fn ask, void *user, float *out,
                             double *sum, am_error *err) {
  const am_fusion_set *set = am_checkpoint_set(c);
  am_status status = AM_OK;
  for (size_t j = 0; j < c->n_members && !status; j++) {
    if (!(set->weights[j] > 0)) continue;
    status = ask(user, i, c->members[j], out, err);
    for (size_t k = 0; k < numbers && !status; k++)
      sum[k] += set->weights[j] * (c->values ? (double)out[k] : am_fusion_log((double)out[k]));
  }
  for (size_t k = 0; k < numbers && c->values; k++) out[k] = (float)sum[k];
  if (!status && !c->values) am_fusion_softmax(sum, numbers / (size_t)c->classes, c->classes, set->temperature, out);
  for (size_t k = 0; k < numbers && status; k++) out[k] = NAN;
  return status;
}

am_status am_fusion_ask(am_checkpoint *c, size_t i, size_t numbers, am_ask_fn ask, void *user, float *out,
                        am_error *err) {
  if (!c->n_members) return ask(user, i, c, out, err);
  double *sum = am_alloc(c->ctx, numbers, sizeof *sum);
  if (!sum) return am_no_memory(err);
  am_status status = ask_members(c, i, numbers, ask, user, out, sum, err);
  am_free(c->ctx, sum);
  return status;
}

/* ---- fitting ---- */

/* The problem, in b = w / T. */
typedef struct problem {
  const double *logs;
  const int *truth;
  size_t members, n;
  int classes;
  double *gradient, *hessian; /* (members), (members,members) */
  double *mean;               /* (members) of a clip */
  double *p;                  /* (K) of a clip */
} problem;

static const double *row(const problem *q, size_t member, size_t clip) {
  return q->logs + (member * q->n + clip) * (size_t)q->classes;
}

/* Into p: probabilities; its loss. */
static double clip_loss(const problem *q, const double *b, size_t i, double *p) {
  double most = -HUGE_VAL, all = 0;
  for (int k = 0; k < q->classes; k++) {
    p[k] = 0;
    for (size_t m = 0; m < q->members; m++) p[k] += b[m] * row(q, m, i)[k];
    most = fmax(most, p[k]);
  }
  const double of_truth = p[q->truth[i]] - most;
  for (int k = 0; k < q->classes; k++) all += p[k] = exp(p[k] - most);
  for (int k = 0; k < q->classes; k++) p[k] /= all;
  return log(fmax(all, 1)) - of_truth; /* the largest term is 1 */
}

static double loss_at(const problem *q, const double *b) {
  double sum = 0, pull = 0;
  for (size_t i = 0; i < q->n; i++) sum += clip_loss(q, b, i, q->p);
  for (size_t m = 0; m < q->members; m++) pull += (b[m] - 1 / (double)q->members) * (b[m] - 1 / (double)q->members);
  return sum / (double)q->n + 0.5 * PULL * pull;
}

/* Of a clip: E[L_m] - L_m(truth), and the covariance of L under p. */
static void add_clip(const problem *q, size_t i, const double *p) {
  const size_t M = q->members;
  for (size_t m = 0; m < M; m++) {
    q->mean[m] = 0;
    for (int k = 0; k < q->classes; k++) q->mean[m] += p[k] * row(q, m, i)[k];
    q->gradient[m] += q->mean[m] - row(q, m, i)[q->truth[i]];
  }
  for (int k = 0; k < q->classes; k++)
    for (size_t a = 0; a < M; a++) {
      const double d = p[k] * (row(q, a, i)[k] - q->mean[a]);
      for (size_t c = 0; c <= a; c++) q->hessian[a * M + c] += d * (row(q, c, i)[k] - q->mean[c]);
    }
}

static double look(const problem *q, const double *b) {
  const size_t M = q->members;
  memset(q->gradient, 0, M * sizeof *q->gradient);
  memset(q->hessian, 0, M * M * sizeof *q->hessian);
  for (size_t i = 0; i < q->n; i++) {
    clip_loss(q, b, i, q->p);
    add_clip(q, i, q->p);
  }
  for (size_t a = 0; a < M; a++) {
    q->gradient[a] = q->gradient[a] / (double)q->n + PULL * (b[a] - 1 / (double)M);
    for (size_t c = 0; c <= a; c++)
      q->hessian[a * M + c] = q->hessian[c * M + a] = q->hessian[a * M + c] / (double)q->n;
    q->hessian[a * M + a] += PULL;
  }
  return loss_at(q, b);
}

/* Members at 0 that would go below it stay there: no row or column of the step is theirs. */
static bool is_held(const problem *q, const double *b, size_t m) { return !(b[m] > 0) && q->gradient[m] > 0; }

/* Newton's step among those that are free, by Cholesky's method in place of the Hessian. */
static void newton_step(const problem *q, const double *b, double *step) {
  const size_t M = q->members;
  double *h = q->hessian;
  for (size_t a = 0; a < M; a++)
    if (is_held(q, b, a)) {
      for (size_t c = 0; c < M; c++) h[a * M + c] = h[c * M + a] = 0;
      h[a * M + a] = 1;
    }
  for (size_t a = 0; a < M; a++)
    for (size_t c = 0; c <= a; c++) {
      double sum = h[a * M + c];
      for (size_t k = 0; k < c; k++) sum -= h[a * M + k] * h[c * M + k];
      h[a * M + c] = a == c ? sqrt(fmax(sum, 1e-300)) : sum / h[c * M + c];
    }
  for (size_t a = 0; a < M; a++) {
    double sum = is_held(q, b, a) ? 0 : -q->gradient[a];
    for (size_t k = 0; k < a; k++) sum -= h[a * M + k] * step[k];
    step[a] = sum / h[a * M + a];
  }
  for (size_t a = M; a-- > 0;) {
    double sum = step[a];
    for (size_t k = a + 1; k < M; k++) sum -= h[k * M + a] * step[k];
    step[a] = sum / h[a * M + a];
  }
}

/* b + t step, none below 0, nor all together above what the lowest temperature allows. */
static void move(const problem *q, const double *b, const double *step, double t, double *to) {
  double sum = 0;
  for (size_t m = 0; m < q->members; m++) sum += to[m] = fmax(0, b[m] + t * step[m]);
  const double most = 1 / AM_LOWEST_TEMPERATURE;
  for (size_t m = 0; m < q->members && sum > most; m++) to[m] *= most / sum;
}

/* The longest of the halved steps that lowers the loss as much as its slope promises; false: none does. */
static bool search(const problem *q, double *b, double loss, const double *step, double *next) {
  double t = 1;
  for (int i = 0; i < MOST_HALVINGS; i++, t /= 2) {
    double promised = 0;
    move(q, b, step, t, next);
    for (size_t m = 0; m < q->members; m++) promised += q->gradient[m] * (next[m] - b[m]);
    if (promised < 0 && loss_at(q, next) <= loss + 1e-4 * promised) {
      memcpy(b, next, q->members * sizeof *b);
      return true;
    }
  }
  return false;
}

/* Projected Newton's method (Bertsekas 1982); where its step does not lower the loss, the gradient's is tried. */
static void minimise(const problem *q, double *b, double *step, double *next) {
  for (int i = 0; i < MOST_STEPS; i++) {
    const double loss = look(q, b);
    double most = 0;
    for (size_t m = 0; m < q->members; m++)
      if (!is_held(q, b, m)) most = fmax(most, fabs(q->gradient[m]));
    if (most < 1e-12) return;
    newton_step(q, b, step);
    if (search(q, b, loss, step, next)) continue;
    for (size_t m = 0; m < q->members; m++) step[m] = -q->gradient[m];
    if (!search(q, b, loss, step, next)) return;
  }
}

static bool all_finite(const double *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(x[i])) return false;
  return true;
}

bool am_fusion_fit(am_context *ctx, const double *logs, const int *truth, size_t members, size_t n, int classes,
                   double *weights, double *temperature) {
  const size_t M = members;
  problem q = {.logs = logs, .truth = truth, .members = M, .n = n, .classes = classes};
  double *room = am_alloc(ctx, M * M + 4 * M + (size_t)classes, sizeof *room), sum = 0;
  bool good = room && n && all_finite(logs, M * n * (size_t)classes);
  if (good) {
    q.hessian = room, q.gradient = room + M * M, q.mean = q.gradient + M, q.p = q.gradient + 4 * M;
    for (size_t m = 0; m < M; m++) weights[m] = 1 / (double)M;
    minimise(&q, weights, q.gradient + 2 * M, q.gradient + 3 * M);
    for (size_t m = 0; m < M; m++) sum += weights[m];
    good = sum > 1 / AM_HIGHEST_TEMPERATURE;
  }
  for (size_t m = 0; m < M && good; m++) weights[m] /= sum;
  if (good) *temperature = fmax(1 / sum, AM_LOWEST_TEMPERATURE);
  am_free(ctx, room);
  return good;
}

double am_fusion_loss(const double *logs, const int *truth, size_t members, size_t n, int classes,
                      const double *weights, double temperature) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double most = -HUGE_VAL, all = 0, of_truth = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int k = 0; k < classes; k++) {
        double z = 0;
        for (size_t m = 0; m < members; m++) z += weights[m] * logs[(m * n + i) * (size_t)classes + (size_t)k];
        z /= temperature;
        if (!pass) most = fmax(most, z);
        else all += exp(z - most);
        if (k == truth[i]) of_truth = z;
      }
    sum += log(fmax(all, 1)) - (of_truth - most);
  }
  return sum / (double)n;
}
