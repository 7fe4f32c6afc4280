/* SPDX-License-Identifier: MIT */
/* data/alike.c - see alike.h. */
#include "data/alike.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/spelling.h"
#include "data/vocabulary.h"

/* The distinct names in one member of the entries, and what each counts as. */
typedef struct names {
  am_corpus *corpus;
  const char *what;
  size_t member; /* of am_entry */
  am_name_set all;
  const char **as;
} names;

static const char **name_of(const names *n, size_t entry) {
  return (const char **)((char *)&n->corpus->at[entry] + n->member);
}

static void names_free(names *n) {
  am_free(n->corpus->ctx, n->as);
  am_name_set_free(&n->all);
}

/* Where a name was read: the line of its list, or else the clip. */
static const char *place_of(am_corpus *c, const am_entry *e, am_error *err) {
  if (e->line && c->list) return am_corpus_text(c, err, "%s:%d", c->list, e->line);
  return e->name;
}

static am_status collect(names *n, am_error *err) {
  am_corpus *c = n->corpus;
  for (size_t i = 0; n->member == offsetof(am_entry, label) && i < c->n_labels; i++)
    if (am_name_set_add(&n->all, c->labels[i]) < 0) return am_no_memory(err);
  for (size_t i = 0; i < c->n; i++)
    if (*name_of(n, i) && am_name_set_add(&n->all, *name_of(n, i)) < 0) return am_no_memory(err);
  n->as = am_alloc(c->ctx, n->all.n + 1, sizeof *n->as);
  return n->as ? AM_OK : am_no_memory(err);
}

static am_status join(names *n, am_alike alike, const am_name_set *preferred, am_error *err) {
  am_corpus *c = n->corpus;
  size_t *count = am_alloc(c->ctx, n->all.n + 1, sizeof *count);
  const char **place = am_alloc(c->ctx, n->all.n + 1, sizeof *place);
  am_status status = count && place ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < c->n && !status; i++) {
    const int k = *name_of(n, i) ? am_name_set_find(&n->all, *name_of(n, i)) : -1;
    if (k < 0) continue;
    if (!place[k] && !(place[k] = place_of(c, &c->at[i], err))) status = AM_E_NOMEM;
    count[k] += c->at[i].path != NULL;
  }
  for (size_t k = 0; k < n->all.n && !status; k++)
    if (!place[k]) place[k] = "the list of the corpus's labels";
  const am_spelled s = {.ctx = c->ctx,
                        .tree = c->d->strings,
                        .what = n->what,
                        .n = n->all.n,
                        .at = n->all.at,
                        .count = count,
                        .place = place,
                        .preferred = preferred};
  if (!status) status = am_spelling_join(&s, alike, n->as, err);
  am_free(c->ctx, count);
  am_free(c->ctx, place);
  return status;
}

static void rewrite(const names *n) {
  for (size_t i = 0; i < n->corpus->n; i++)
    if (*name_of(n, i)) *name_of(n, i) = n->as[am_name_set_find(&n->all, *name_of(n, i))];
}

static am_status join_others(am_corpus *c, am_alike alike, am_error *err) {
  const struct {
    const char *what;
    size_t member;
  } kinds[] = {{"speaker", offsetof(am_entry, speaker)}, {"group", offsetof(am_entry, group)}};
  am_status status = AM_OK;
  for (size_t i = 0; i < 2 && !status; i++) {
    names n = {.corpus = c, .what = kinds[i].what, .member = kinds[i].member, .all = {.ctx = c->ctx}};
    status = collect(&n, err);
    if (!status) status = join(&n, alike, NULL, err);
    if (!status) rewrite(&n);
    names_free(&n);
  }
  return status;
}

/* Labels */

/* *common NULL: the label is none of the vocabulary's. */
static am_status common_word(am_tree *tree, const char *label, const char **common, am_error *err) {
  const char *fold = am_spelling_fold(tree, label);
  *common = fold ? am_vocabulary_common(fold) : NULL;
  return fold ? AM_OK : am_no_memory(err);
}

/* What a label in the config counts as: as in the corpus. */
typedef struct own_labels {
  am_corpus *corpus;
  const am_data_options *o;
  const names *labels;
  am_name_set folds; /* of what they count as, for merge_alike: case */
  const char **as;
} own_labels;

static const char *own(const own_labels *w, const char *label, am_error *err) {
  am_tree *tree = w->corpus->d->strings;
  const char *out = w->o->merge_alike == AM_ALIKE_NONE ? label : am_spelling_clean(tree, label);
  if (out && w->o->merge_alike == AM_ALIKE_CASE) {
    const char *fold = am_spelling_fold(tree, out);
    const int k = fold ? am_name_set_find(&w->folds, fold) : -1;
    if (k >= 0) out = w->as[k];
    if (!fold) out = NULL;
  }
  const char *common = NULL;
  if (!out) am_no_memory(err);
  if (out && w->o->vocabulary == AM_VOCABULARY_COMMON && common_word(tree, out, &common, err)) return NULL;
  return common ? common : out;
}

static am_status own_map(const own_labels *w, const am_value **map, bool values, am_error *err) {
  if (!*map) return AM_OK;
  am_value *copy = am_value_copy(w->corpus->d->strings, *map);
  if (!copy) return am_no_memory(err);
  for (am_value *v = copy->first; v; v = v->next) {
    if (!(v->key = own(w, v->key, err))) return AM_E_NOMEM;
    if (values && v->kind == AM_SCALAR && *v->text && !(v->text = own(w, v->text, err))) return AM_E_NOMEM;
  }
  *map = copy;
  return AM_OK;
}

static am_status own_options(own_labels *w, am_data_options *o, am_error *err) {
  const char **at = am_tree_take(w->corpus->d->strings, o->labels.n + 1, sizeof *at);
  if (!at) return am_no_memory(err);
  for (size_t k = 0; k < o->labels.n; k++)
    if (!(at[k] = own(w, o->labels.at[k], err))) return AM_E_NOMEM;
  o->labels.at = at;
  am_status status = own_map(w, &o->merge, true, err);
  return status ? status : own_map(w, &o->rename, false, err);
}

static am_status find_folds(own_labels *w, am_error *err) {
  const names *n = w->labels;
  w->as = am_alloc(w->corpus->ctx, n->all.n + 1, sizeof *w->as);
  if (!w->as) return am_no_memory(err);
  for (size_t k = 0; k < n->all.n && w->o->merge_alike == AM_ALIKE_CASE; k++) {
    const char *fold = am_spelling_fold(w->corpus->d->strings, n->as[k]);
    const int at = fold ? am_name_set_add(&w->folds, fold) : -1;
    if (at < 0) return am_no_memory(err);
    w->as[at] = n->as[k];
  }
  return AM_OK;
}

/* Labels of two vocabularies side by side are said, or become one. */
static am_status use_vocabulary(names *n, const am_data_options *o, am_error *err) {
  am_corpus *c = n->corpus;
  am_name_set words = {.ctx = c->ctx};
  const char **first = am_alloc(c->ctx, n->all.n + 1, sizeof *first);
  am_status status = first ? AM_OK : am_no_memory(err);
  for (size_t k = 0; k < n->all.n && !status; k++) {
    const char *common;
    status = common_word(c->d->strings, n->as[k], &common, err);
    const int at = !status && common ? am_name_set_add(&words, common) : 0;
    if (at < 0) status = am_no_memory(err);
    else if (common && o->vocabulary == AM_VOCABULARY_COMMON) n->as[k] = common;
    else if (common && !first[at]) first[at] = n->as[k];
    else if (common && strcmp(first[at], n->as[k]) && !am_value_get(o->merge, first[at]) &&
             !am_value_get(o->merge, n->as[k]))
      am_log(c->ctx, AM_LOG_WARNING,
             "labels \"%s\" and \"%s\" mean the same emotion and are two; set data.vocabulary: common, "
             "or data.merge: {%s: %s}",
             first[at], n->as[k], n->as[k], first[at]);
  }
  am_free(c->ctx, first);
  am_name_set_free(&words);
  return status;
}

static am_status rewrite_labels(const names *n, am_error *err) {
  am_corpus *c = n->corpus;
  const char **labels = am_tree_take(c->d->strings, c->n_labels + 1, sizeof *labels);
  if (!labels) return am_no_memory(err);
  for (size_t k = 0; k < c->n_labels; k++) labels[k] = n->as[am_name_set_find(&n->all, c->labels[k])];
  if (c->labels) c->labels = labels;
  rewrite(n);
  return AM_OK;
}

static am_status join_labels(am_corpus *c, am_data_options *o, am_error *err) {
  names n = {.corpus = c, .what = "label", .member = offsetof(am_entry, label), .all = {.ctx = c->ctx}};
  am_name_set preferred = {.ctx = c->ctx};
  own_labels w = {.corpus = c, .o = o, .labels = &n, .folds = {.ctx = c->ctx}};
  am_status status = collect(&n, err);
  for (size_t k = 0; k < o->labels.n && !status; k++) {
    const char *clean = am_spelling_clean(c->d->strings, o->labels.at[k]);
    if (!clean || am_name_set_add(&preferred, clean) < 0) status = am_no_memory(err);
  }
  if (!status) status = join(&n, (am_alike)o->merge_alike, &preferred, err);
  if (!status) status = find_folds(&w, err);
  if (!status) status = own_options(&w, o, err);
  if (!status) status = use_vocabulary(&n, o, err);
  if (!status) status = rewrite_labels(&n, err);
  am_free(c->ctx, w.as);
  am_name_set_free(&w.folds);
  am_name_set_free(&preferred);
  names_free(&n);
  return status;
}

am_status am_corpus_join_alike(am_corpus *corpus, am_data_options *options, am_error *err) {
  am_status status = join_labels(corpus, options, err);
  return status ? status : join_others(corpus, (am_alike)options->merge_alike, err);
}
