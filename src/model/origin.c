/* model/origin.c - the corpora that weights were trained on. */
#include "model/origin.h"

#include <string.h>

#include "base/file.h"
#include "data/names.h"
#include "model/config.h"

/* Names to be added to a list once each: a file may have many. */
typedef struct adding {
  am_context *ctx;
  am_names *names;
  size_t room;       /* of names->at */
  am_name_set known; /* all of them */
} adding;

static am_status put(adding *a, const char *name, am_error *err) {
  am_names *names = a->names;
  if (am_name_set_find(&a->known, name) >= 0) return AM_OK;
  if (am_grow(a->ctx, &names->at, &a->room, names->n + 1, sizeof *names->at, err)) return AM_E_NOMEM;
  char *copy = am_strdup(a->ctx, name);
  if (!copy) return am_no_memory(err);
  names->at[names->n++] = copy;
  return am_name_set_add(&a->known, copy) < 0 ? am_no_memory(err) : AM_OK;
}

/* The list may come from elsewhere, with room for no more. */
static am_status begin(am_context *ctx, am_names *names, adding *a, am_error *err) {
  *a = (adding){.ctx = ctx, .names = names, .room = names->n, .known = {.ctx = ctx}};
  for (size_t i = 0; i < names->n; i++)
    if (am_name_set_add(&a->known, names->at[i]) < 0) return am_no_memory(err);
  return AM_OK;
}

static am_status add_all(am_context *ctx, am_names *names, const am_names *more, am_error *err) {
  adding a;
  am_status status = begin(ctx, names, &a, err);
  for (size_t i = 0; i < more->n && !status; i++) status = put(&a, more->at[i], err);
  am_name_set_free(&a.known);
  return status;
}

static am_status add(am_context *ctx, am_names *names, const char *name, am_error *err) {
  char *at[] = {(char *)(uintptr_t)name};
  return add_all(ctx, names, &(am_names){at, 1}, err);
}

static const char *corpus_name(const am_value *item) {
  const am_value *description = am_value_get(item, "description"), *kind = am_value_get(item, "corpus");
  if (description && description->text) return am_path_base(description->text);
  return kind && kind->text ? kind->text : "ravdess";
}

am_status am_corpora_add(am_context *ctx, am_names *names, const am_data_options *data, const char *corpus,
                         bool synthetic, am_error *err) {
  adding a;
  am_status status = begin(ctx, names, &a, err);
  if (!status && synthetic) status = put(&a, "synthetic", err);
  const am_value *item = data->corpora ? data->corpora->first : NULL;
  if (!status && !item) status = put(&a, corpus, err);
  for (; item && !status; item = item->next) status = put(&a, corpus_name(item), err);
  am_name_set_free(&a.known);
  return status;
}

static bool ends(char c) { return c == '\0' || c == '_' || c == '.'; }

static bool same_corpus(const char *a, const char *b) {
  size_t n = 0;
  while (a[n] && a[n] == b[n]) n++;
  return n && ends(a[n]) && ends(b[n]);
}

/* One of the two is of corpora that have just been read, and short. */
const char *am_corpora_shared(const am_names *a, const am_names *b) {
  bool any = false;
  for (size_t k = 0; k < b->n; k++) any |= !strcmp(b->at[k], AM_CORPUS_UNKNOWN);
  for (size_t i = 0; i < a->n && b->n; i++) {
    if (any || !strcmp(a->at[i], AM_CORPUS_UNKNOWN)) return a->at[i];
    for (size_t k = 0; k < b->n; k++)
      if (*a->at[i] == *b->at[k] && same_corpus(a->at[i], b->at[k])) return a->at[i];
  }
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
