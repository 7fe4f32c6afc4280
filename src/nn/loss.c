/* SPDX-License-Identifier: MIT */
/* nn/loss.c - losses, in double. */
#include "nn/loss.h"

#include <math.h>

const am_option am_loss_table[] = {
    {"kind", AM_OPT_CHOICE, offsetof(am_loss_options, kind), "cross_entropy", .choices = AM_WORDS(AM_LOSSES),
     .help = "cross-entropy or focal on logits; mean squared error or 1 - concordance on values. Where data.target is "
             "dimensions the default is ccc"},
    {"label_smoothing", AM_OPT_REAL, offsetof(am_loss_options, label_smoothing), "0", 0, 0.999,
     .help = "s: targets become (1-s) q + s/K"},
    {"gamma", AM_OPT_REAL, offsetof(am_loss_options, gamma), "2", 0, 100, .help = "focal: exponent of (1 - p)"},
    {"divide_by", AM_OPT_CHOICE, offsetof(am_loss_options, divide_by), "batch", .choices = AM_WORDS(AM_LOSS_DIVISORS),
     .help = "what the summed loss is divided by: clips (Keras) or the sum of their weights (PyTorch)"},
    {"prior_adjust", AM_OPT_REAL, offsetof(am_loss_options, prior_adjust), "0", 0, 10,
     .help = "training adds this many times the log of each class's share to the logits, so that rare classes are "
             "predicted as often as frequent ones; 1 corrects fully, 0 not at all"},
    {"contrastive", AM_OPT_REAL, offsetof(am_loss_options, contrastive), "0", 0, 1000,
     .help = "training adds this many times the supervised contrastive loss of what the last layer reads, which brings "
             "clips "
             "of one class into one direction; 0 off"},
    {"contrastive_temperature", AM_OPT_REAL, offsetof(am_loss_options, contrastive_temperature), "0.1", 0.001, 1000,
     .help = "of that loss: cosines are divided by it; the lower, the more the nearest clips count"},
    AM_OPTION_END};

/* Largest logit and log of the sum of exp(z - largest); NaN where any is NaN. */
static double log_sum(const am_real *z, int classes, double *largest) {
  double most = z[0], sum = 0;
  for (int k = 1; k < classes; k++)
    if (z[k] > most || isnan(z[k])) most = z[k];
  for (int k = 0; k < classes; k++) sum += exp(z[k] - most);
  *largest = most;
  /* cppcheck-suppress invalidFunctionArg ; the largest logit adds 1 */
  return log(sum);
}

static double smoothed(double target, double smoothing, int classes) {
  return (1 - smoothing) * target + smoothing / classes;
}

/* -sum_k t_k log p_k; dz = p sum(t) - t */
static double cross_entropy(const am_loss_options *o, const am_real *z, const am_real *target, double weight,
                            int classes, am_real *dz) {
  double most, log_total = log_sum(z, classes, &most), loss = 0, total = 0;
  for (int k = 0; k < classes; k++) {
    double t = smoothed(target[k], o->label_smoothing, classes);
    total += t;
    if (t != 0) loss -= t * (z[k] - most - log_total); /* a class of no weight may have logit -inf */
  }
  for (int k = 0; dz && k < classes; k++) {
    double p = exp(z[k] - most - log_total);
    dz[k] = (am_real)(weight * (p * total - smoothed(target[k], o->label_smoothing, classes)));
  }
  return log_total != log_total ? NAN : loss;
}

/* sum_k t_k (1-p_k)^gamma (-log p_k)   (Lin et al. 2017).  With g_k = p_k d/dp_k of the term,
 * dz_j = t_j g_j - p_j sum_k t_k g_k, and g = gamma (1-p)^(gamma-1) p log p - (1-p)^gamma. */
static double focal(const am_loss_options *o, const am_real *z, const am_real *target, double weight, int classes,
                    am_real *dz) {
  double most, log_total = log_sum(z, classes, &most), loss = 0, sum_g = 0;
  for (int pass = 0; pass < (dz ? 2 : 1); pass++) {
    for (int k = 0; k < classes; k++) {
      double t = smoothed(target[k], o->label_smoothing, classes);
      double log_p = z[k] - most - log_total, p = exp(log_p), rest = -expm1(log_p), g = 0; /* rest: 1 - p */
      if (rest < 0) rest = 0; /* p just above 1 by rounding */
      if (t != 0) {
        if (pass == 0) loss -= t * pow(rest, o->gamma) * log_p;
        if (o->gamma > 0 && rest > 0) g = o->gamma * pow(rest, o->gamma - 1) * p * log_p;
        g -= pow(rest, o->gamma);
      }
      if (pass == 0) sum_g += t * g;
      else dz[k] = (am_real)(weight * (t * g - p * sum_g));
    }
  }
  return log_total != log_total ? NAN : loss;
}

/* mean_k (y - t)^2; a target that is not known adds nothing, so that each known value counts alike */
static double squared_error(const am_real *y, const am_real *target, double weight, int classes, am_real *dy) {
  double loss = 0;
  for (int k = 0; k < classes; k++) {
    double error = isnan(target[k]) ? 0 * (double)y[k] : (double)y[k] - target[k]; /* an output that is lost is told */
    loss += error * error / classes;
    if (dy) dy[k] = (am_real)(weight * 2 * error / classes);
  }
  return loss;
}

/* A batch's column, as concordance has it: the clips whose target is known, and no others. */
typedef struct column {
  const am_real *y, *target, *weights; /* of clip 0 */
  int batch, stride;
} column;

static bool known(const column *c, int b) { return !isnan(c->target[b * c->stride]); }

/* That weigh something. */
static double known_weight(const column *c) {
  double total = 0;
  for (int b = 0; b < c->batch; b++)
    if (known(c, b)) total += c->weights ? c->weights[b] : 1;
  return total;
}

/* Concordance of a column (Lin 1989, population moments, weighted), one of `columns` that count:
 *   c = 2 s_yt / (s_yy + s_tt + (m_y - m_t)^2),  dc/dy_b = 2 w_b ((t_b - m_t) - c (y_b - m_t)) / (W D)
 * A column that is constant and right has D = 0 and counts as concordant. */
static double concordance(const column *col, double total, double columns, am_real *dy) {
  const int batch = col->batch, K = col->stride;
  const am_real *y = col->y, *target = col->target, *weights = col->weights;
  double my = 0, mt = 0, syt = 0, both = 0;
  for (int b = 0; b < batch; b++) {
    if (!known(col, b)) continue;
    double w = weights ? weights[b] : 1;
    my += w * y[b * K];
    mt += w * target[b * K];
  }
  my /= total;
  mt /= total;
  for (int b = 0; b < batch; b++) {
    if (!known(col, b)) continue;
    double w = weights ? weights[b] : 1, a = y[b * K] - my, t = target[b * K] - mt;
    syt += w * a * t / total;
    both += w * (a * a + t * t) / total;
  }
  double d = both + (my - mt) * (my - mt), c = d == 0 ? 1 : 2 * syt / d;
  for (int b = 0; dy && b < batch; b++) {
    if (!known(col, b)) continue;
    double w = weights ? weights[b] : 1, t = target[b * K] - mt, a = y[b * K] - mt;
    dy[b * K] = (am_real)(d == 0 ? 0 : -2 * w * (t - c * a) / (d * columns));
  }
  return c;
}

static double concordance_loss(const am_real *y, const am_real *target, const am_real *weights, int batch, int classes,
                               am_real *dy, am_real *per_clip) {
  double loss = 0, total = 0;
  int columns = 0; /* that have a known target of some weight */
  for (int b = 0; b < batch; b++) total += weights ? weights[b] : 1;
  for (int i = 0; dy && i < batch * classes; i++) dy[i] = 0;
  for (int k = 0; k < classes; k++) {
    const column c = {y + k, target + k, weights, batch, classes};
    columns += known_weight(&c) > 0;
  }
  for (int k = 0; k < classes && columns; k++) {
    const column c = {y + k, target + k, weights, batch, classes};
    const double weight = known_weight(&c);
    /* The loss is of all clips, the gradient of its mean falls on the known ones alone. */
    if (weight > 0) loss += (1 - concordance(&c, weight, columns * (weight / total), dy ? dy + k : NULL)) / columns;
  }
  for (int b = 0; per_clip && b < batch; b++) per_clip[b] = (am_real)loss;
  return loss * total;
}

double am_loss(const am_loss_options *options, const am_real *logits, const am_real *targets, const am_real *weights,
               int batch, int classes, am_real *dlogits, am_real *per_clip) {
  if (options->kind == AM_LOSS_CCC)
    return concordance_loss(logits, targets, weights, batch, classes, dlogits, per_clip);
  double sum = 0;
  for (int b = 0; b < batch; b++) {
    const am_real *z = logits + (size_t)b * (size_t)classes, *t = targets + (size_t)b * (size_t)classes;
    am_real *dz = dlogits ? dlogits + (size_t)b * (size_t)classes : NULL;
    double w = weights ? weights[b] : 1;
    double loss = options->kind == AM_LOSS_CROSS_ENTROPY ? cross_entropy(options, z, t, w, classes, dz)
                  : options->kind == AM_LOSS_FOCAL       ? focal(options, z, t, w, classes, dz)
                                                         : squared_error(z, t, w, classes, dz);
    if (per_clip) per_clip[b] = (am_real)loss;
    sum += w * loss;
  }
  return sum;
}

am_real am_loss_prior(double tau, size_t count, size_t total) {
  return (am_real)(tau * log((double)(count ? count : 1) / (double)(total ? total : 1)));
}

void am_loss_adjusted(const am_real *logits, const am_real *shift, int batch, int classes, am_real *adjusted) {
  for (int b = 0; b < batch; b++)
    for (int k = 0; k < classes; k++) adjusted[b * classes + k] = logits[b * classes + k] + shift[k];
}

void am_softmax_rows(const am_real *logits, int rows, int classes, am_real *probabilities) {
  for (int r = 0; r < rows; r++) {
    const am_real *z = logits + (size_t)r * (size_t)classes;
    am_real *p = probabilities + (size_t)r * (size_t)classes;
    double most, log_total = log_sum(z, classes, &most);
    for (int k = 0; k < classes; k++) p[k] = (am_real)exp(z[k] - most - log_total);
  }
}
