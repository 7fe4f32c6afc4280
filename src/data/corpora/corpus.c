/* SPDX-License-Identifier: MIT */
/* data/corpora/corpus.c - what the loaders share. */
#include "data/corpora/corpus.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

am_status am_corpus_add(am_corpus *corpus, const am_entry *entry, am_error *err) {
  if (am_grow(corpus->ctx, &corpus->at, &corpus->room, corpus->n + 1, sizeof *corpus->at, err)) return AM_E_NOMEM;
  corpus->at[corpus->n++] = *entry;
  return AM_OK;
}

am_status am_corpus_leave_out(am_corpus *corpus, const char *reason, const char *example, am_error *err) {
  int before = am_name_set_find(&corpus->reasons, reason);
  if (before >= 0) {
    am_left_out *old = &corpus->left_out[before];
    size_t k = old->count++ - 1; /* which of the further examples this would be */
    if (k < AM_LEFT_OUT_MORE && !(old->more[k] = am_tree_string(corpus->d->strings, example))) return am_no_memory(err);
    return AM_OK;
  }
  if (am_grow(corpus->ctx, &corpus->left_out, &corpus->left_out_room, corpus->n_left_out + 1, sizeof *corpus->left_out,
              err))
    return AM_E_NOMEM;
  am_left_out out = {.reason = am_tree_string(corpus->d->strings, reason),
                     .count = 1,
                     .example = am_tree_string(corpus->d->strings, example)};
  if (!out.reason || !out.example || am_name_set_add(&corpus->reasons, out.reason) < 0) return am_no_memory(err);
  corpus->left_out[corpus->n_left_out++] = out;
  return AM_OK;
}

int am_corpus_trait(am_corpus *corpus, const char *name) {
  for (size_t i = 0; i < corpus->n_traits; i++)
    if (!strcmp(corpus->traits[i], name)) return (int)i;
  if (corpus->n_traits == AM_MOST_TRAITS) return -1;
  corpus->traits[corpus->n_traits] = name;
  return (int)corpus->n_traits++;
}

const char *am_corpus_text(am_corpus *corpus, am_error *err, const char *format, ...) {
  char small[512];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(small, sizeof small, format, args);
  va_end(args);
  const char *text = NULL;
  if (n >= 0 && (size_t)n < sizeof small) {
    text = am_tree_string(corpus->d->strings, small);
  } else if (n >= 0) {
    char *large = am_tree_take(corpus->d->strings, (size_t)n + 1, 1);
    va_start(args, format);
    if (large) vsnprintf(large, (size_t)n + 1, format, args);
    va_end(args);
    text = large;
  }
  if (!text) am_no_memory(err);
  return text;
}

am_status am_corpus_root(am_corpus *corpus, const char *root, const char *wanted, const char *more, am_error *err) {
  if (!*root) return am_fail(err, AM_E_CONFIG, "data.root is not set: wanted the folder %s", wanted);
  size_t n = strlen(root);
  while (n > 1 && root[n - 1] == '/') n--;
  corpus->d->root = am_corpus_text(corpus, err, "%.*s", (int)n, root);
  if (!corpus->d->root) return AM_E_NOMEM;
  if (am_folder_exists(root)) return AM_OK;
  return am_fail(err, AM_E_DATA, "data.root: %s %s; wanted the folder %s%s", root,
                 am_file_exists(root) ? "is a file" : "does not exist", wanted, more);
}

am_status am_corpus_find_mark(am_corpus *corpus, am_error *err) {
  static const char *const marks[] = {"SYNTHETIC", "../SYNTHETIC"};
  for (int i = 0; i < 2; i++) {
    char *mark = am_path_join(corpus->ctx, corpus->d->root, marks[i]);
    if (!mark) return am_no_memory(err);
    if (am_file_exists(mark)) corpus->d->synthetic = true;
    am_free(corpus->ctx, mark);
  }
  return AM_OK;
}
