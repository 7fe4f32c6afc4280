/* train/origin.c - the corpora that weights were trained on. */
#include "train/origin.h"

#include <string.h>

#include "base/file.h"

static am_status add(am_context *ctx, am_names *names, const char *name, am_error *err) {
  for (size_t i = 0; i < names->n; i++)
    if (!strcmp(names->at[i], name)) return AM_OK;
  char **grown = am_resize(ctx, names->at, names->n + 1, sizeof *grown);
  if (!grown) return am_no_memory(err);
  names->at = grown;
  grown[names->n] = am_strdup(ctx, name);
  if (!grown[names->n]) return am_no_memory(err);
  names->n++;
  return AM_OK;
}

static am_status add_all(am_context *ctx, am_names *names, const am_names *more, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < more->n && !status; i++) status = add(ctx, names, more->at[i], err);
  return status;
}

static const char *corpus_name(const am_value *item) {
  const am_value *description = am_value_get(item, "description"), *kind = am_value_get(item, "corpus");
  if (description && description->text) return am_path_base(description->text);
  return kind && kind->text ? kind->text : "ravdess";
}

am_status am_corpora_add(am_context *ctx, am_names *names, const am_data_options *data, const char *corpus, bool synthetic,
                         am_error *err) {
  am_status status = synthetic ? add(ctx, names, "synthetic", err) : AM_OK;
  if (!data->corpora || !data->corpora->first) return status ? status : add(ctx, names, corpus, err);
  for (const am_value *item = data->corpora->first; item && !status; item = item->next)
    status = add(ctx, names, corpus_name(item), err);
  return status;
}

static bool ends(char c) { return c == '\0' || c == '_' || c == '.'; }

static bool same_corpus(const char *a, const char *b) {
  size_t n = 0;
  while (a[n] && a[n] == b[n]) n++;
  return n && ends(a[n]) && ends(b[n]);
}

const char *am_corpora_shared(const am_names *a, const am_names *b) {
  for (size_t i = 0; i < a->n; i++)
    for (size_t k = 0; k < b->n; k++)
      if (!strcmp(a->at[i], AM_CORPUS_UNKNOWN) || !strcmp(b->at[k], AM_CORPUS_UNKNOWN) || same_corpus(a->at[i], b->at[k]))
        return a->at[i];
  return NULL;
}

/* A checkpoint keeps the names in one attribute, each as long as the longest; where they do not fit, any may be among them. */
static am_status fit(am_context *ctx, am_names *names, am_error *err) {
  size_t longest = 0;
  for (size_t i = 0; i < names->n; i++)
    if (strlen(names->at[i]) > longest) longest = strlen(names->at[i]);
  if (am_mul(names->n, longest + 1) <= AM_MAX_LABEL_BYTES) return AM_OK;
  am_names_free(ctx, names);
  return add(ctx, names, AM_CORPUS_UNKNOWN, err);
}

am_status am_origin_before(am_context *ctx, const am_origin *from, uint64_t digest, am_names *before, am_error *err) {
  am_status status = add_all(ctx, before, &from->before, err);
  /* The very same clips and parts, with speakers kept apart: what is held out now was so then. */
  const bool same = from->digest == digest && from->speaker_independent;
  if (!status && !same) status = add_all(ctx, before, &from->corpora, err);
  if (!status && !from->digest) status = add(ctx, before, AM_CORPUS_UNKNOWN, err);
  return status ? status : fit(ctx, before, err);
}

void am_origin_free(am_context *ctx, am_origin *origin) {
  am_free(ctx, origin->config);
  am_names_free(ctx, &origin->corpora);
  am_names_free(ctx, &origin->before);
  *origin = (am_origin){0};
}
