/* cli/provenance.c - whether a model may have been trained on the speakers it is scored on.
 *
 * A checkpoint names its corpus and keeps a digest of the clips, labels and parts it was trained with, not the speakers
 * themselves.  What it cannot show is said to be not known, and never counts as speaker-independent. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "train/checkpoint.h"

static bool ends(char c) { return c == '\0' || c == '_' || c == '.'; }

/* Of corpora and of files that describe them: "ravdess" is also "ravdess_speech" and "ravdess_speech.yaml". */
static bool same_corpus(const char *a, const char *b) {
  size_t n = 0;
  while (a[n] && a[n] == b[n]) n++;
  return n && ends(a[n]) && ends(b[n]);
}

/* Name of the i-th corpus of a data section, NULL after the last; `corpus` is the name it has as a whole. */
static const char *corpus_name(const am_data_options *data, const char *corpus, size_t i) {
  if (!data->corpora || !data->corpora->first) return i == 0 ? corpus : NULL;
  const am_value *item = data->corpora->first;
  while (item && i--) item = item->next;
  if (!item) return NULL;
  const am_value *description = am_value_get(item, "description"), *kind = am_value_get(item, "corpus");
  if (description && description->text) return am_path_base(description->text);
  return kind && kind->text ? kind->text : "ravdess";
}

static const char *shared_corpus(const am_checkpoint *m, const cli_scored *s) {
  const char *a, *b;
  if (m->synthetic && s->dataset->synthetic) return "synthetic";
  for (size_t i = 0; (a = corpus_name(&m->config->data, m->corpus, i)); i++)
    for (size_t k = 0; (b = corpus_name(s->data, s->dataset->corpus, k)); k++)
      if (same_corpus(a, b)) return b;
  return NULL;
}

am_status cli_speakers_known(cli *c, const am_checkpoint *m, const char *path, const cli_scored *s, const char **doubt,
                             am_error *err) {
  *doubt = NULL;
  if (s->other_corpus) {
    const char *shared = shared_corpus(m, s);
    if (!shared) return AM_OK;
    am_log(c->ctx, AM_LOG_WARNING, "%s: it was trained on a corpus of the same name (%s); speakers and clips of this one may be "
           "among those it was trained on", path, shared);
    *doubt = "not known: the model was trained on a corpus of the same name";
    return AM_OK;
  }
  char *config = NULL;
  uint64_t digest = 0;
  am_status st = am_checkpoint_origin(c->ctx, path, &config, &digest, err);
  am_free(c->ctx, config);
  if (st) return st;
  if (digest && digest != am_data_digest(s->dataset, s->split)) {
    am_log(c->ctx, AM_LOG_WARNING, "%s: the clips found, their labels or parts are not those it was trained with; clips of this "
           "part may be among those it was trained on", path);
    *doubt = "not known: clips, labels or parts are not those of the training";
  } else if (!digest) {
    *doubt = "not known: the file does not say which clips it was trained on";
  }
  if (!s->split->speaker_independent || s->part <= AM_PART_TRAIN)
    *doubt = "no: the same speakers are in the training part";
  return AM_OK;
}
