/* SPDX-License-Identifier: MIT */
/* cli/provenance.c - whether a model knows the speakers it is scored on (model/origin.h).
 *
 * What its checkpoint cannot show is said to be not known, and never counts as speaker-independent. */
#include <stdio.h>

#include "cli/cli.h"
#include "model/checkpoint.h"
#include "model/origin.h"

static const char other_clips[] = "not known: clips, labels or parts are not those of the training";

static const char *why_unknown(const am_checkpoint *m, const cli_scored *s) {
  if (!m->digest) return "not known: the file does not say which clips it was trained on";
  return s->other_corpus ? "not known: the model or the corpus does not say who its speakers are" : other_clips;
}

am_status cli_speakers_known(cli *c, const am_checkpoint *m, const char *path, const cli_scored *s,
                             char doubt[CLI_DOUBT], am_error *err) {
  /* Then the split says it, whether speakers have names or not. */
  const bool same = !s->other_corpus && m->digest && m->digest == am_data_digest(s->dataset, s->split);
  am_names own = {0};
  am_status st = am_speakers_add(c->ctx, &own, s->dataset, s->clips, s->n, err);
  const am_shared seen = am_speakers_shared(&own, &m->seen), before = am_speakers_shared(&own, &m->before);
  am_names_free(c->ctx, &own);
  const char *reason = "";
  bool surprise = false;
  *doubt = '\0';
  if (same && (!s->split->speaker_independent || s->part <= AM_PART_TRAIN)) {
    reason = "no: the same speakers are in the training part";
  } else if ((!same && seen.n) || before.n) {
    const bool itself = !same && seen.n;
    const am_shared *known = itself ? &seen : &before;
    snprintf(doubt, CLI_DOUBT, "no: %s knows %zu of the %zu speakers, e.g. %s",
             itself ? "the model" : "the training began from a model that", known->n, known->of, known->first);
    surprise = true;
  } else if (before.unknown) {
    reason = "not known: the training began from a model that may know these speakers";
    surprise = true;
  } else if (!same && seen.unknown) {
    reason = why_unknown(m, s);
    surprise = m->digest != 0;
  } else if (!s->other_corpus && !m->speaker_independent) {
    reason = same ? "no: its training found sounds of the held-out parts in the training part" : other_clips;
  }
  if (*reason) snprintf(doubt, CLI_DOUBT, "%s", reason);
  if (!st && surprise) am_log(c->ctx, AM_LOG_WARNING, "%s: speaker-independent: %s", path, doubt);
  return st;
}
