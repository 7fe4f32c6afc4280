/* cli/provenance.c - whether a model may have been trained on the speakers it is scored on (train/origin.h).
 *
 * What its checkpoint cannot show is said to be not known, and never counts as speaker-independent. */
#include <string.h>

#include "cli/cli.h"
#include "model/checkpoint.h"
#include "model/origin.h"

/* The corpora of the clips against those of the model, or those its training began from. */
static am_status compare_names(cli *c, const am_checkpoint *m, const char *path, const cli_scored *s,
                               const char **doubt, am_error *err) {
  am_names scored = {0}, trained = {0};
  am_status st = am_corpora_add(c->ctx, &scored, s->data, s->dataset->corpus, s->dataset->synthetic, err);
  if (!st) st = am_corpora_add(c->ctx, &trained, &m->config->data, m->corpus, m->synthetic, err);
  const char *shared = !st && s->other_corpus ? am_corpora_shared(&scored, &trained) : NULL;
  const char *before = st ? NULL : am_corpora_shared(&m->before, &scored);
  if (shared) {
    am_log(c->ctx, AM_LOG_WARNING,
           "%s: it was trained on a corpus of the same name (%s); speakers and clips of this one may be "
           "among those it was trained on",
           path, shared);
    *doubt = "not known: the model was trained on a corpus of the same name";
  } else if (before) {
    am_log(c->ctx, AM_LOG_WARNING,
           "%s: its training began from a model that had been trained on a corpus of the same name, or "
           "one that is not known (%s)",
           path, before);
    *doubt = "not known: the training began from a model that may have been trained on these speakers";
  }
  am_names_free(c->ctx, &trained);
  am_names_free(c->ctx, &scored);
  return st;
}

am_status cli_speakers_known(cli *c, const am_checkpoint *m, const char *path, const cli_scored *s, const char **doubt,
                             am_error *err) {
  *doubt = NULL;
  am_status st = compare_names(c, m, path, s, doubt, err);
  if (st || s->other_corpus) return st;
  if (m->digest && m->digest != am_data_digest(s->dataset, s->split)) {
    am_log(c->ctx, AM_LOG_WARNING,
           "%s: the clips found, their labels or parts are not those it was trained with; clips of this "
           "part may be among those it was trained on",
           path);
    *doubt = "not known: clips, labels or parts are not those of the training";
  } else if (!m->digest) {
    *doubt = "not known: the file does not say which clips it was trained on";
    return AM_OK;
  }
  if (!s->split->speaker_independent || s->part <= AM_PART_TRAIN)
    *doubt = "no: the same speakers are in the training part";
  else if (!m->speaker_independent && !*doubt)
    *doubt = "no: its training found sounds of the held-out parts in the training part";
  return AM_OK;
}
