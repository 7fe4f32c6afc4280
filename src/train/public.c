/* train/public.c - what callers outside see of checkpoints and metrics. */
#include <math.h>

#include "train/train.h"

int am_checkpoint_classes(const am_checkpoint *c) { return c->classes; }
const char *am_checkpoint_label(const am_checkpoint *c, int k) { return c->labels[k]; }
double am_checkpoint_rate(const am_checkpoint *c) { return c->config->features.sample_rate; }
bool am_checkpoint_synthetic(const am_checkpoint *c) { return c->synthetic; }
am_model *am_checkpoint_model(am_checkpoint *c) { return c->model; }

double am_metrics_accuracy(const am_metrics *m) { return m ? m->accuracy : NAN; }
double am_metrics_chance(const am_metrics *m) { return m && m->scored ? 1.0 / m->scored : NAN; }
double am_metrics_uar(const am_metrics *m) { return m ? m->uar : NAN; }
