/* SPDX-License-Identifier: MIT */
/* cli/priors.c - --neutral-prior: how often speech is without emotion, where it is heard. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "data/vocabulary.h"
#include "subtitle/timeline.h"

static bool is_emotion(const char *label) {
  char room[64];
  snprintf(room, sizeof room, "%s", label);
  for (char *at = room; *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at += 'a' - 'A';
  const char *common = am_vocabulary_common(room);
  return am_timeline_is_emotion(common ? common : room);
}

am_status cli_priors_get(const cli *c, const am_checkpoint *m, float **out, am_error *err) {
  double prior;
  int plain = 0;
  *out = NULL;
  if (!cli_has(c, "neutral-prior")) return AM_OK;
  am_status st = cli_real(c, "neutral-prior", 0.001, 0.999, 0.5, &prior, err);
  if (!st) st = am_checkpoint_need_classes(m, "--neutral-prior", err);
  for (int k = 0; k < m->classes; k++) plain += !is_emotion(m->labels[k]);
  if (!st && (!plain || plain == m->classes))
    st = am_fail(err, AM_E_USAGE, "--neutral-prior: the model has no class %s",
                 plain ? "but neutral and calm" : "neutral or calm");
  if (!st && !(*out = am_alloc(c->ctx, (size_t)m->classes, sizeof **out))) st = am_no_memory(err);
  for (int k = 0; k < m->classes && !st; k++)
    (*out)[k] =
        (float)(is_emotion(m->labels[k]) ? (1 - prior) / (m->classes - plain) : prior / plain) * (float)m->classes;
  return st;
}

void cli_priors_apply(const float *priors, int classes, const float *p, float *out) {
  double sum = 0;
  for (int k = 0; k < classes; k++) sum += (double)(out[k] = priors ? p[k] * priors[k] : p[k]);
  for (int k = 0; k < classes && priors && sum > 0; k++) out[k] = (float)((double)out[k] / sum);
}
