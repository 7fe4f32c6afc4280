/* SPDX-License-Identifier: MIT */
/* data/corpora/several.c - several corpora as one: each is loaded with its own
 * settings (its merges bring the labels together), then all clips are in one
 * list.  Names of clips, speakers and groups begin with their corpus's name, so
 * that speaker 03 of one is never speaker 03 of another. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/corpora/corpus.h"
#include "data/credit.h"
#include "data/dimensions.h"
#include "data/names.h"

enum { MOST = 64 };

typedef struct several {
  am_corpus *corpus;
  am_name_set labels; /* of all corpora, in the order of the list */
  size_t n;
  am_dataset *part[MOST];
  const char *prefix[MOST];          /* distinct names */
  int dimension[AM_MOST_DIMENSIONS]; /* of the corpus at hand -> of all */
} several;

/* The corpus's name; a second corpus of one name gets a number. */
static am_status name_part(several *s, size_t i, am_error *err) {
  const char *base = s->part[i]->corpus;
  s->prefix[i] = am_corpus_text(s->corpus, err, "%s", base);
  for (int number = 2; s->prefix[i]; number++) {
    size_t k = 0;
    while (k < i && strcmp(s->prefix[k], s->prefix[i])) k++;
    if (k == i) return AM_OK;
    s->prefix[i] = am_corpus_text(s->corpus, err, "%s-%d", base, number);
  }
  return AM_E_NOMEM;
}

/* What is decided for all corpora at once has no place in the list. */
static am_status check_item(const am_value *item, am_error *err) {
  static const char *const shared[] = {"max_seconds", "skip_unreadable", "unheard",        "merge_alike", "memory",
                                       "target",      "dimensions",      "complete_split", "corpora"};
  for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
    const am_value *v = am_value_get(item, shared[i]);
    if (v)
      return am_fail_at_key(err, v, "data.corpora: %s is not a matter of one corpus%s", shared[i],
                            i < 7 ? "; write it into data itself" : "");
  }
  return AM_OK;
}

/* data.root is where the relative paths of the list start from; without it, as ever, where the command runs. */
static am_status place(several *s, const char *base, const char **path, am_error *err) {
  if (!*base || !**path || **path == '/') return AM_OK;
  const char *joined = am_corpus_text(s->corpus, err, "%s/%s", base, *path);
  if (!joined) return AM_E_NOMEM;
  *path = joined;
  return AM_OK;
}

static am_status load_part(several *s, const am_data_options *all, am_tree *tree, const am_value *item, am_error *err) {
  am_data_options o;
  char section[48];
  snprintf(section, sizeof section, "data.corpora.%zu", s->n);
  if (s->n == MOST) return am_fail_at(err, item, "data.corpora: more than %d corpora", MOST);
  am_status status = check_item(item, err);
  if (!status) status = am_options_read(tree, am_data_table, item, section, &o, err);
  if (status) return status;
  o.merge_alike = all->merge_alike;
  o.target = all->target;
  o.dimensions = all->dimensions;
  if (o.corpus == all->corpus)
    return am_fail_at(err, item, "%s: a list of corpora inside a list of corpora; write them all into one", section);
  status = place(s, all->root, &o.root, err);
  if (!status) status = place(s, all->root, &o.manifest, err);
  if (!status) status = place(s, all->root, &o.description, err);
  if (!status) status = am_dataset_load(s->corpus->ctx, &o, &s->part[s->n], err);
  if (status) return am_error_prefix(err, "%s", section), status;
  status = name_part(s, s->n, err);
  s->n++;
  return status;
}

static am_status load_parts(several *s, const am_data_options *all, am_error *err) {
  am_tree *tree;
  am_status status = am_tree_create(s->corpus->ctx, &tree, err);
  if (status) return status;
  for (const am_value *item = all->corpora->first; item && !status; item = item->next)
    status = load_part(s, all, tree, item, err);
  am_tree_free(tree);
  return status;
}

static am_status copy_labels(several *s, am_error *err) {
  am_corpus *corpus = s->corpus;
  for (size_t i = 0; i < s->n; i++)
    for (int k = 0; k < s->part[i]->n_labels; k++)
      if (am_name_set_add(&s->labels, s->part[i]->labels[k]) < 0) return am_no_memory(err);
  const char **at = am_tree_take(corpus->d->strings, s->labels.n, sizeof *at);
  if (!at) return am_no_memory(err);
  for (size_t k = 0; k < s->labels.n; k++)
    if (!(at[k] = am_corpus_text(corpus, err, "%s", s->labels.at[k]))) return AM_E_NOMEM;
  corpus->labels = at;
  corpus->n_labels = s->labels.n;
  return AM_OK;
}

/* Raters' shares over the labels of all corpora. */
static am_status copy_votes(several *s, const am_dataset *d, const am_clip *clip, am_entry *e, am_error *err) {
  if (clip->soft) {
    double *votes = am_tree_take(s->corpus->d->strings, s->labels.n, sizeof *votes);
    if (!votes) return am_no_memory(err);
    for (int k = 0; k < d->n_labels; k++) votes[am_name_set_find(&s->labels, d->labels[k])] += (double)clip->soft[k];
    e->votes = votes;
  }
  return AM_OK;
}

/* Each corpus has a scale of its own: values are moved from end to end to that of the list. */
static am_status copy_values(several *s, const am_dataset *d, const am_clip *clip, am_entry *e, am_error *err) {
  if (!clip->values) return AM_OK;
  double *values = am_tree_take(s->corpus->d->strings, AM_MOST_DIMENSIONS, sizeof *values);
  if (!values) return am_no_memory(err);
  for (int i = 0; i < AM_MOST_DIMENSIONS; i++) values[i] = NAN;
  for (int i = 0; i < d->n_dimensions; i++) {
    const int to = s->dimension[i];
    values[to] = am_scale_move((double)clip->values[i], d->scale[i], s->corpus->scale[to]);
  }
  e->values = values;
  return AM_OK;
}

/* The dimensions of one corpus among those of the list, and of each the scale of the first that has it, unless data.scale or data.scales sets it. */
static am_status offer_dimensions(several *s, const am_dataset *d, const am_data_options *o, am_error *err) {
  am_corpus *corpus = s->corpus;
  for (int i = 0; i < d->n_dimensions; i++) {
    const char *name = am_corpus_text(corpus, err, "%s", d->dimensions[i]);
    if (!name) return AM_E_NOMEM;
    s->dimension[i] = am_corpus_dimension(corpus, name);
    if (s->dimension[i] < 0)
      return am_fail(err, AM_E_CONFIG, "data.corpora: they have more than %d dimensions", (int)AM_MOST_DIMENSIONS);
    am_scale *scale = &corpus->scale[s->dimension[i]];
    if (!am_scale_good(*scale)) *scale = am_dimension_scale(o, name);
    if (!am_scale_good(*scale)) *scale = d->scale[i];
  }
  return AM_OK;
}

/* The corpus is a trait, too; those of one name are one. */
static am_status copy_traits(several *s, size_t i, const am_clip *clip, am_entry *e, am_error *err) {
  const am_dataset *d = s->part[i];
  am_corpus *corpus = s->corpus;
  e->traits[am_corpus_trait(corpus, "corpus")] = s->prefix[i];
  for (size_t k = 0; k < d->n_traits; k++) {
    int value = d->traits[k].of[clip - d->clips], at = -1;
    if (value < 0) continue;
    for (size_t t = 0; t < corpus->n_traits && at < 0; t++)
      if (!strcmp(corpus->traits[t], d->traits[k].name)) at = (int)t;
    if (at < 0) {
      const char *name = am_corpus_text(corpus, err, "%s", d->traits[k].name);
      if (!name) return AM_E_NOMEM;
      at = am_corpus_trait(corpus, name);
    }
    if (at >= 0 && !(e->traits[at] = am_corpus_text(corpus, err, "%s", d->traits[k].values[value]))) return AM_E_NOMEM;
  }
  return AM_OK;
}

static am_status copy_clip(several *s, size_t i, const am_clip *clip, am_error *err) {
  am_corpus *corpus = s->corpus;
  const am_dataset *d = s->part[i];
  const char *prefix = s->prefix[i];
  am_entry e = {.name = am_corpus_text(corpus, err, "%s/%s", prefix, clip->name),
                .path = am_corpus_text(corpus, err, "%s", clip->path),
                .label = corpus->labels[am_name_set_find(&s->labels, d->labels[clip->label])],
                .utterance = am_corpus_text(corpus, err, "%s/%d", prefix, clip->utterance),
                .start = clip->start,
                .seconds = clip->seconds,
                .part = clip->corpus_part,
                .corpus = (int)i,
                .intensity = clip->intensity,
                .statement = clip->statement,
                .repetition = clip->repetition,
                .channel = clip->channel};
  am_status status = copy_traits(s, i, clip, &e, err);
  if (status) return status;
  if (clip->speaker >= 0) e.speaker = am_corpus_text(corpus, err, "%s/%s", prefix, d->speakers[clip->speaker]);
  if (clip->group >= 0) e.group = am_corpus_text(corpus, err, "%s/%s", prefix, d->groups[clip->group]);
  if (!e.name || !e.path || !e.utterance || (clip->speaker >= 0 && !e.speaker) || (clip->group >= 0 && !e.group))
    return AM_E_NOMEM;
  status = copy_votes(s, d, clip, &e, err);
  if (!status) status = copy_values(s, d, clip, &e, err);
  return status ? status : am_corpus_add(corpus, &e, err);
}

/* Also counts: `times` files went for one reason. */
static am_status copy_left_out(several *s, size_t i, const am_left_out *out, am_error *err) {
  am_buffer reason = {0};
  am_context *ctx = s->corpus->ctx;
  am_buffer_printf(ctx, &reason, "%s: %s", s->prefix[i], out->reason);
  am_status status = reason.failed ? am_no_memory(err) : AM_OK;
  for (size_t k = 0; k < out->count && !status; k++) {
    const char *example = k == 0 ? out->example : k <= AM_LEFT_OUT_MORE ? out->more[k - 1] : "";
    status = am_corpus_leave_out(s->corpus, reason.data, example, err);
  }
  am_buffer_free(ctx, &reason);
  return status;
}

static am_status copy_part(several *s, size_t i, const am_data_options *o, am_error *err) {
  const am_dataset *d = s->part[i];
  am_status status = offer_dimensions(s, d, o, err);
  for (size_t k = 0; k < d->n && !status; k++) status = copy_clip(s, i, &d->clips[k], err);
  for (size_t k = 0; k < d->n_left_out && !status; k++) status = copy_left_out(s, i, &d->left_out[k], err);
  if (d->n_missing) am_log(s->corpus->ctx, AM_LOG_WARNING, "%s: %s", s->prefix[i], d->missing_note);
  s->corpus->d->synthetic |= d->synthetic;
  return status;
}

/* "ravdess: CC BY-NC-SA 4.0; emodb: CC0": every corpus's own, or NULL. */
static const char *join(several *s, size_t member, bool named, const char *between, am_error *err) {
  am_buffer text = {0};
  am_context *ctx = s->corpus->ctx;
  for (size_t i = 0; i < s->n; i++) {
    const char *own = *(const char *const *)((const char *)s->part[i] + member);
    am_buffer_printf(ctx, &text, "%s%s%s%s", i ? between : "", named ? s->prefix[i] : "", named ? ": " : "",
                     *own ? own : "not known");
  }
  const char *out = text.failed ? NULL : am_corpus_text(s->corpus, err, "%s", text.data);
  am_buffer_free(ctx, &text);
  if (!out) am_no_memory(err);
  return out;
}

/* What a model that is trained on them says, each once. */
static const char *join_once(several *s, size_t member, const char *gap, am_error *err) {
  am_buffer text = {0};
  am_context *ctx = s->corpus->ctx;
  am_status status = AM_OK;
  for (size_t i = 0; i < s->n && !status; i++)
    status = am_credit_add(ctx, &text, *(const char *const *)((const char *)s->part[i] + member), gap, err);
  const char *out = status ? NULL : am_corpus_text(s->corpus, err, "%s", text.data);
  am_buffer_free(ctx, &text);
  return out;
}

static am_status describe(several *s, am_error *err) {
  am_dataset *d = s->corpus->d;
  d->corpora = am_tree_take(d->strings, s->n, sizeof *d->corpora);
  d->identities = am_tree_take(d->strings, s->n, sizeof *d->identities);
  if (!d->corpora || !d->identities) return am_no_memory(err);
  d->n_corpora = (int)s->n;
  for (size_t i = 0; i < s->n; i++) {
    const char *identity = s->part[i]->identity;
    d->corpora[i] = s->prefix[i];
    if (identity && !(d->identities[i] = am_tree_string(d->strings, identity))) return am_no_memory(err);
  }
  d->root = am_corpus_text(s->corpus, err, "data.corpora");
  d->title = join(s, offsetof(am_dataset, title), false, " + ", err);
  d->licence = join(s, offsetof(am_dataset, licence), true, "; ", err);
  d->citation = join(s, offsetof(am_dataset, citation), true, "; ", err);
  d->language = join(s, offsetof(am_dataset, language), false, "; ", err);
  d->licences = join_once(s, offsetof(am_dataset, licences), AM_LICENCE_GAP, err);
  d->attribution = join_once(s, offsetof(am_dataset, attribution), AM_ATTRIBUTION_GAP, err);
  return d->root && d->title && d->licence && d->citation && d->language && d->licences && d->attribution ? AM_OK
                                                                                                          : AM_E_NOMEM;
}

static am_status load_several(am_corpus *corpus, const am_data_options *o, am_error *err) {
  several s = {.corpus = corpus, .labels = {.ctx = corpus->ctx}};
  if (!o->corpora || !o->corpora->first)
    return am_fail(err, AM_E_CONFIG, "data.corpora is empty: wanted a list of data sections, one a corpus");
  am_status status = load_parts(&s, o, err);
  if (!status) status = copy_labels(&s, err);
  for (size_t i = 0; i < s.n && !status; i++) status = copy_part(&s, i, o, err);
  if (!status) status = describe(&s, err);
  for (size_t i = 0; i < s.n; i++) am_dataset_free(s.part[i]);
  am_name_set_free(&s.labels);
  return status;
}

#define AT(member) offsetof(am_data_options, member)
static const am_option own_table[] = {
    {"corpora", AM_OPT_LIST, AT(corpora), "", 0, 0, NULL, "data sections of corpora that are used together"},
    AM_OPTION_END};
#undef AT

const am_corpus_class am_corpus_several = {
    .is = {"several", "several corpora together (data.corpora)", own_table},
    .load = load_several,
};
