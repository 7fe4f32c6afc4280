/* SPDX-License-Identifier: MIT */
/* data/filter.c - merges, filters, class order and renames, the same for
 * every corpus.  Entries that the folder lacks go through the same filters,
 * so the complete list of the selection is known. */
#include "data/filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/sound.h"
#include "base/file.h"
#include "data/dimensions.h"
#include "data/names.h"
#include "data/vocabulary.h"

typedef struct filter {
  am_corpus *corpus;
  am_dataset *d;
  const am_data_options *o;
  const char **label;  /* per entry: after merging */
  bool *keep;          /* per entry: in the selection */
  am_name_set all;     /* labels of the corpus, before merging */
  am_name_set merged;  /* labels after merging, in the corpus's order */
  am_name_set classes; /* labels of the dataset, then those of missing clips only */
  am_name_set speakers, groups;
  am_name_set plain;  /* of the speakers that are wanted, without leading zeros */
  am_name_set wanted; /* labels */
  bool *has;          /* per merged label: a clip in the selection has it */
} filter;

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static am_status add_name(am_name_set *set, const char *name, am_error *err) {
  return am_name_set_add(set, name) < 0 ? am_no_memory(err) : AM_OK;
}

/* "anger 12, fear 3": what there is, for messages. */
static void list_labels(const filter *f, am_buffer *out) {
  size_t *count = am_alloc(f->corpus->ctx, f->merged.n ? f->merged.n : 1, sizeof *count);
  if (!count) {
    out->failed = true;
    return;
  }
  for (size_t i = 0; i < f->corpus->n; i++)
    if (f->corpus->at[i].path && f->keep[i]) count[am_name_set_find(&f->merged, f->label[i])]++;
  bool any = false;
  for (size_t i = 0; i < f->merged.n; i++)
    if (count[i]) {
      am_buffer_printf(f->corpus->ctx, out, "%s%s %zu", any ? ", " : "", f->merged.at[i], count[i]);
      any = true;
    }
  if (!any) am_buffer_printf(f->corpus->ctx, out, "none");
  am_free(f->corpus->ctx, count);
}

/* Labels */

static am_status fail_label(am_tree *tree, const am_value *at, const char *key, const am_name_set *known,
                            am_error *err) {
  const char *near = am_vocabulary_synonym(tree, at->key, known);
  if (!near) near = am_nearest(at->key, known->at, known->n, sizeof *known->at);
  return am_fail_at_key(err, at, "data.%s: the corpus has no label \"%s\"%s%s%s", key, at->key,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Keys must be known labels and values texts. */
static am_status check_map(am_tree *tree, const am_value *map, const char *key, const am_name_set *known,
                           am_error *err) {
  for (const am_value *v = map ? map->first : NULL; v; v = v->next) {
    if (v->kind != AM_SCALAR || !*v->text)
      return am_fail_at(err, v, "data.%s.%s: wanted the name of a label", key, v->key);
    if (am_name_set_find(known, v->key) < 0) return fail_label(tree, v, key, known, err);
  }
  return AM_OK;
}

static const char *mapped(const am_value *map, const char *label) {
  const am_value *v = am_value_get(map, label);
  return v ? v->text : label;
}

static am_status read_labels(filter *f, am_error *err) {
  am_corpus *c = f->corpus;
  am_status status = AM_OK;
  for (size_t i = 0; i < c->n_labels && !status; i++) status = add_name(&f->all, c->labels[i], err);
  for (size_t i = 0; i < c->n && !status; i++) status = add_name(&f->all, c->at[i].label, err);
  if (!status && !c->labels) status = am_name_set_sort(&f->all, by_bytes, err);
  if (!status) status = check_map(f->d->strings, f->o->merge, "merge", &f->all, err);
  for (size_t i = 0; i < f->all.n && !status; i++)
    status = add_name(&f->merged, mapped(f->o->merge, f->all.at[i]), err);
  if (!status) status = check_map(f->d->strings, f->o->rename, "rename", &f->merged, err);
  for (size_t i = 0; i < c->n && !status; i++) f->label[i] = mapped(f->o->merge, c->at[i].label);
  return status;
}

/* Filters */

/* Which of the names of data.exclude is the clip's, -1: none.  By path or base name, with or without extension; "x.wav"
 * stands for its chunks "x.wav#1" ... too. */
static am_status find_excluded(filter *f, const am_name_set *names, const char *name, int *out, am_error *err) {
  const char *base = am_path_base(name), *dot = strrchr(base, '.'), *mark = strrchr(base, '#');
  if (!mark || mark[1 + strspn(mark + 1, "0123456789")] || !mark[1]) mark = base + strlen(base);
  const char *stretches[][2] = {
      {name, name + strlen(name)}, {name, mark}, {base, base + strlen(base)}, {base, mark}, {base, dot ? dot : mark}};
  *out = -1;
  for (size_t i = 0; i < sizeof stretches / sizeof *stretches && *out < 0; i++) {
    char *text = am_format(f->corpus->ctx, "%.*s", (int)(stretches[i][1] - stretches[i][0]), stretches[i][0]);
    if (!text) return am_no_memory(err);
    *out = am_name_set_find(names, text);
    am_free(f->corpus->ctx, text);
  }
  return AM_OK;
}

/* Takes an entry out of the selection; only those that are there are counted. */
static am_status drop(filter *f, size_t i, const char *reason, am_error *err) {
  f->keep[i] = false;
  return f->corpus->at[i].path ? am_corpus_leave_out(f->corpus, reason, f->corpus->at[i].name, err) : AM_OK;
}

static am_status exclude_clips(filter *f, const am_name_set *names, bool *found, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < f->corpus->n && !status; i++) {
    int k;
    status = find_excluded(f, names, f->corpus->at[i].name, &k, err);
    if (status || k < 0) continue;
    found[k] = true;
    if (f->keep[i]) status = drop(f, i, "excluded by data.exclude", err);
  }
  for (size_t k = 0; k < names->n && !status; k++)
    if (!found[k]) am_log(f->corpus->ctx, AM_LOG_WARNING, "data.exclude: the corpus has no clip %s", names->at[k]);
  return status;
}

static am_status apply_exclude(filter *f, am_error *err) {
  am_context *ctx = f->corpus->ctx;
  am_name_set names = {.ctx = ctx};
  am_status status = AM_OK;
  if (!f->o->exclude.n) return AM_OK;
  for (size_t k = 0; k < f->o->exclude.n && !status; k++) status = add_name(&names, f->o->exclude.at[k], err);
  bool *found = am_alloc(ctx, names.n + 1, sizeof *found);
  if (!status) status = found ? exclude_clips(f, &names, found, err) : am_no_memory(err);
  am_free(ctx, found);
  am_name_set_free(&names);
  return status;
}

static am_status check_speakers(filter *f, am_error *err) {
  const am_name_set *known = &f->speakers;
  am_name_set plain = {.ctx = f->corpus->ctx};
  am_status status = AM_OK;
  for (size_t i = 0; i < known->n && f->o->speakers.n && !status; i++)
    status = add_name(&plain, am_name_plain(known->at[i]), err);
  for (size_t k = 0; k < f->o->speakers.n && !status; k++) {
    const char *wanted = f->o->speakers.at[k];
    status = add_name(&f->plain, am_name_plain(wanted), err);
    if (status || am_name_set_find(&plain, am_name_plain(wanted)) >= 0) continue;
    if (!known->n)
      status = am_fail(err, AM_E_CONFIG, "data.speakers: this corpus does not say who speaks; leave it out");
    else
      status = am_fail(err, AM_E_CONFIG, "data.speakers: the corpus has no speaker \"%s\"; it has %zu, from %s to %s",
                       wanted, known->n, known->at[0], known->at[known->n - 1]);
  }
  am_name_set_free(&plain);
  return status;
}

static bool speaker_wanted(const filter *f, const char *speaker) {
  return !f->o->speakers.n || (speaker && am_name_set_find(&f->plain, am_name_plain(speaker)) >= 0);
}

static bool label_wanted(const filter *f, const char *label) {
  return !f->o->labels.n || am_name_set_find(&f->wanted, label) >= 0;
}

/* Length by what the manifest or the file's header says; a file without a readable header is left to the decoder. */
static bool too_short(filter *f, const am_entry *e) {
  if (e->seconds > 0) return e->seconds < f->o->min_seconds;
  am_sound_info info = {.size = sizeof info};
  return am_sound_inspect_clip(f->corpus->ctx, e->path, &info, NULL) == AM_OK &&
         info.seconds - e->start < f->o->min_seconds;
}

static am_status apply_filters(filter *f, am_error *err) {
  am_status status = check_speakers(f, err);
  for (size_t k = 0; k < f->o->labels.n && !status; k++) status = add_name(&f->wanted, f->o->labels.at[k], err);
  if (!status) status = apply_exclude(f, err);
  for (size_t i = 0; i < f->corpus->n && !status; i++) {
    const am_entry *e = &f->corpus->at[i];
    char reason[256];
    float values[AM_MOST_DIMENSIONS];
    if (!f->keep[i]) continue;
    if (!speaker_wanted(f, e->speaker)) {
      status = drop(f, i, "speaker not among data.speakers", err);
    } else if (!label_wanted(f, f->label[i])) {
      snprintf(reason, sizeof reason, "label \"%s\" not among data.labels", f->label[i]);
      status = drop(f, i, reason, err);
    } else if (f->d->target == AM_TARGET_DIMENSIONS && !am_corpus_values(f->corpus, e, values)) {
      status = drop(f, i, "no value of data.dimensions", err);
    } else if (f->o->min_seconds > 0 && e->path && too_short(f, e)) {
      snprintf(reason, sizeof reason, "shorter than data.min_seconds (%g s)", f->o->min_seconds);
      status = drop(f, i, reason, err);
    }
  }
  return status;
}

/* Classes */

static am_status fail_empty(filter *f, am_error *err) {
  am_context *ctx = f->corpus->ctx;
  am_buffer why = {0};
  for (size_t i = 0; i < f->corpus->n_left_out; i++) {
    const am_left_out *out = &f->corpus->left_out[i];
    am_buffer_printf(ctx, &why, "%s%zu %s", i ? "; " : "", out->count, out->reason);
  }
  am_status status = am_fail(err, AM_E_DATA, "%s: no clip is left after the filters of the data section (left out: %s)",
                             f->d->root, why.data ? why.data : "nothing");
  am_buffer_free(ctx, &why);
  return status;
}

static am_status fail_class(filter *f, const char *label, am_error *err) {
  am_context *ctx = f->corpus->ctx;
  am_buffer found = {0};
  for (size_t i = 0; i < f->corpus->n; i++) f->keep[i] = true; /* what the folder has, filters aside */
  list_labels(f, &found);
  const bool known = am_name_set_find(&f->merged, label) >= 0;
  const char *near = known ? NULL : am_vocabulary_synonym(f->d->strings, label, &f->merged);
  if (!near && !known) near = am_nearest(label, f->merged.at, f->merged.n, sizeof *f->merged.at);
  am_status status = am_fail(
      err, AM_E_DATA, "data.labels: no clip in the selection has the label \"%s\"%s%s%s; labels in %s: %s", label,
      near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "", f->d->root, found.data ? found.data : "?");
  am_buffer_free(ctx, &found);
  return status;
}

static am_status find_labels(filter *f, am_error *err) {
  f->has = am_alloc(f->corpus->ctx, f->merged.n + 1, sizeof *f->has);
  if (!f->has) return am_no_memory(err);
  for (size_t i = 0; i < f->corpus->n; i++)
    if (f->keep[i] && f->corpus->at[i].path) f->has[am_name_set_find(&f->merged, f->label[i])] = true;
  return AM_OK;
}

static bool has_clip(const filter *f, const char *label) {
  int k = am_name_set_find(&f->merged, label);
  return k >= 0 && f->has[k];
}

/* More emotions than anyone tells apart: most likely names, paths or whole sentences were read as emotions. */
static am_status check_number(const filter *f, am_error *err) {
  if (f->classes.n <= AM_MAX_CLASSES) return AM_OK;
  return am_fail(err, AM_E_DATA,
                 "the clips have %zu different labels (%.60s, ...), at most %d can be told apart; is the "
                 "column or pattern the label is taken from the right one?",
                 f->classes.n, f->classes.at[0], (int)AM_MAX_CLASSES);
}

static am_status order_classes(filter *f, am_error *err) {
  size_t n = 0;
  for (size_t i = 0; i < f->corpus->n; i++) n += f->keep[i] && f->corpus->at[i].path;
  if (!n && !f->o->labels.n) return fail_empty(f, err);
  am_status status = find_labels(f, err);
  for (size_t k = 0; k < f->o->labels.n && !status; k++) {
    if (!has_clip(f, f->o->labels.at[k])) return fail_class(f, f->o->labels.at[k], err);
    if (am_name_set_find(&f->classes, f->o->labels.at[k]) >= 0)
      return am_fail(err, AM_E_CONFIG, "data.labels: \"%s\" is listed twice", f->o->labels.at[k]);
    status = add_name(&f->classes, f->o->labels.at[k], err);
  }
  for (size_t k = 0; k < f->merged.n && !status && !f->o->labels.n; k++)
    if (has_clip(f, f->merged.at[k])) status = add_name(&f->classes, f->merged.at[k], err);
  f->d->n_labels = (int)f->classes.n;
  if (!status) status = check_number(f, err);
  for (size_t i = 0; i < f->corpus->n && !status; i++) /* labels of missing clips only come last */
    if (f->keep[i]) status = add_name(&f->classes, f->label[i], err);
  return status;
}

static am_status name_classes(filter *f, am_error *err) {
  am_dataset *d = f->d;
  d->labels = am_tree_take(d->strings, (size_t)d->n_labels, sizeof *d->labels);
  if (!d->labels) return am_no_memory(err);
  for (int i = 0; i < d->n_labels; i++) {
    d->labels[i] = am_tree_string(d->strings, mapped(f->o->rename, f->classes.at[i]));
    if (!d->labels[i]) return am_no_memory(err);
    for (int k = 0; k < i; k++)
      if (!strcmp(d->labels[i], d->labels[k]))
        return am_fail(err, AM_E_CONFIG, "data.rename: \"%s\" and \"%s\" are both renamed to \"%s\"; use data.merge",
                       f->classes.at[k], f->classes.at[i], d->labels[i]);
  }
  return AM_OK;
}

/* Speakers and groups: those with clips first, each lot in natural order. */

static am_status order_speakers(filter *f, am_error *err) {
  am_dataset *d = f->d;
  am_name_set with = {.ctx = d->ctx};
  am_status status = AM_OK;
  for (size_t i = 0; i < f->corpus->n && !status; i++)
    if (f->keep[i] && f->corpus->at[i].path && f->corpus->at[i].speaker)
      status = add_name(&with, f->corpus->at[i].speaker, err);
  if (!status) status = am_name_set_sort(&with, am_natural_order, err);
  d->n_speakers = (int)with.n;
  for (size_t i = 0; i < f->speakers.n && !status; i++) status = add_name(&with, f->speakers.at[i], err);
  am_name_set_free(&f->speakers);
  f->speakers = with;
  d->n_known_speakers = (int)with.n;
  return status;
}

static am_status read_speakers(filter *f, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < f->corpus->n_speakers && !status; i++)
    status = add_name(&f->speakers, f->corpus->speakers[i], err);
  for (size_t i = 0; i < f->corpus->n && !status; i++)
    if (f->corpus->at[i].speaker) status = add_name(&f->speakers, f->corpus->at[i].speaker, err);
  return status ? status : am_name_set_sort(&f->speakers, am_natural_order, err);
}

static am_status read_groups(filter *f, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < f->corpus->n && !status; i++)
    if (f->keep[i] && f->corpus->at[i].path && f->corpus->at[i].group)
      status = add_name(&f->groups, f->corpus->at[i].group, err);
  return status ? status : am_name_set_sort(&f->groups, am_natural_order, err);
}

/* Copies a set's names into the dataset's memory. */
static const char **copy_names(filter *f, const am_name_set *set) {
  const char **at = am_tree_take(f->d->strings, set->n ? set->n : 1, sizeof *at);
  for (size_t i = 0; at && i < set->n; i++)
    if (!(at[i] = am_tree_string(f->d->strings, set->at[i]))) return NULL;
  return at;
}

/* Traits: those that say something of a clip that is here. */

static am_status read_trait(filter *f, size_t which, am_error *err) {
  am_dataset *d = f->d;
  am_corpus *c = f->corpus;
  am_trait *trait = &d->traits[d->n_traits];
  am_name_set values = {.ctx = d->ctx};
  am_status status = AM_OK;
  size_t at = 0;
  for (size_t i = 0; i < c->n && !status; i++)
    if (f->keep[i] && c->at[i].path && c->at[i].traits[which]) status = add_name(&values, c->at[i].traits[which], err);
  if (!status && values.n) status = am_name_set_sort(&values, am_natural_order, err);
  if (!status && values.n) {
    trait->name = am_tree_string(d->strings, c->traits[which]);
    trait->n = (int)values.n;
    trait->values = copy_names(f, &values);
    trait->of = am_tree_take(d->strings, d->n, sizeof *trait->of);
    if (trait->name && trait->values && trait->of) d->n_traits++;
    else status = am_no_memory(err);
  }
  for (size_t i = 0; i < c->n && !status && values.n; i++)
    if (f->keep[i] && c->at[i].path)
      trait->of[at++] = c->at[i].traits[which] ? am_name_set_find(&values, c->at[i].traits[which]) : -1;
  am_name_set_free(&values);
  return status;
}

/* Where labels are no classes, results are told apart by them. */
static am_status add_emotion(filter *f) {
  am_dataset *d = f->d;
  const int unlabelled = d->target == AM_TARGET_DIMENSIONS ? am_name_set_find(&f->classes, AM_UNLABELLED) : -1;
  bool taken = d->target != AM_TARGET_DIMENSIONS || d->n_labels < 2 || d->n_traits == AM_MOST_TRAITS;
  for (size_t i = 0; i < d->n_traits; i++) taken |= !strcmp(d->traits[i].name, "emotion");
  if (taken) return AM_OK;
  am_trait *trait = &d->traits[d->n_traits];
  *trait = (am_trait){.name = "emotion",
                      .n = d->n_labels,
                      .values = d->labels,
                      .of = am_tree_take(d->strings, d->n, sizeof *trait->of)};
  if (!trait->of) return AM_E_NOMEM;
  for (size_t i = 0; i < d->n; i++) trait->of[i] = d->clips[i].label == unlabelled ? -1 : d->clips[i].label;
  d->n_traits++;
  return AM_OK;
}

static am_status read_traits(filter *f, am_error *err) {
  am_status status = AM_OK;
  f->d->traits = am_tree_take(f->d->strings, AM_MOST_TRAITS, sizeof *f->d->traits);
  if (!f->d->traits) return am_no_memory(err);
  for (size_t k = 0; k < f->corpus->n_traits && !status; k++) status = read_trait(f, k, err);
  return status || !add_emotion(f) ? status : am_no_memory(err);
}

static am_status add_index(am_tree *tree, am_value *map, const char *key, size_t index, am_error *err) {
  am_value *entry = am_value_get(map, key) ? NULL : am_value_new(tree, AM_NULL);
  if (!entry) return am_value_get(map, key) ? AM_OK : am_no_memory(err);
  entry->count = index;
  return am_value_add(tree, map, key, entry, err);
}

static am_status index_speakers(am_dataset *d, am_error *err) {
  d->by_name = am_value_new(d->strings, AM_MAP);
  d->by_number = am_value_new(d->strings, AM_MAP);
  am_status status = d->by_name && d->by_number ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < (size_t)d->n_known_speakers && !status; i++) {
    status = add_index(d->strings, d->by_name, d->speakers[i], i, err);
    if (!status) status = add_index(d->strings, d->by_number, am_name_plain(d->speakers[i]), i, err);
  }
  return status;
}

/* The dataset */

static am_clip make_clip(const filter *f, size_t i, size_t index) {
  const am_entry *e = &f->corpus->at[i];
  return (am_clip){.name = e->name,
                   .path = e->path,
                   .source_label = e->label,
                   .label = am_name_set_find(&f->classes, f->label[i]),
                   .speaker = e->speaker ? am_name_set_find(&f->speakers, e->speaker) : -1,
                   .group = e->group ? am_name_set_find(&f->groups, e->group) : -1,
                   .utterance = (int)index,
                   .start = e->start,
                   .seconds = e->seconds,
                   .corpus_part = e->part,
                   .part = AM_PART_NONE,
                   .fold = -1,
                   .corpus = e->corpus,
                   .intensity = e->intensity,
                   .statement = e->statement,
                   .repetition = e->repetition,
                   .channel = e->channel};
}

static am_status give_values(const filter *f, size_t i, am_clip *clip, am_error *err) {
  am_dataset *d = f->d;
  float values[AM_MOST_DIMENSIONS];
  if (!d->n_dimensions || !am_corpus_values(f->corpus, &f->corpus->at[i], values)) return AM_OK;
  float *kept = am_tree_take(d->strings, (size_t)d->n_dimensions, sizeof *kept);
  if (!kept) return am_no_memory(err);
  memcpy(kept, values, (size_t)d->n_dimensions * sizeof *kept);
  clip->values = kept;
  return AM_OK;
}

/* Votes for labels that are no class here are dropped; the rest, merged, sums to 1. */
static am_status soften(filter *f, size_t i, am_clip *clip, am_error *err) {
  const am_entry *e = &f->corpus->at[i];
  if (!e->votes) return AM_OK;
  float *soft = am_tree_take(f->d->strings, (size_t)f->d->n_labels, sizeof *soft);
  if (!soft) return am_no_memory(err);
  double sum = 0;
  for (size_t k = 0; k < f->corpus->n_labels; k++) {
    int class = am_name_set_find(&f->classes, mapped(f->o->merge, f->corpus->labels[k]));
    if (class < 0 || class >= f->d->n_labels) continue;
    soft[class] += (float)e->votes[k];
    sum += e->votes[k];
  }
  for (int k = 0; k < f->d->n_labels && sum > 0; k++) soft[k] /= (float)sum;
  if (sum > 0) clip->soft = soft; /* else there is no vote for a class that is left */
  return AM_OK;
}

/* Clips cut from one utterance share the index of its first clip. */
static am_status share_utterance(filter *f, am_name_set *seen, int *first, size_t i, am_clip *clip, am_error *err) {
  if (!f->corpus->at[i].utterance) return AM_OK;
  size_t before = seen->n;
  int at = am_name_set_add(seen, f->corpus->at[i].utterance);
  if (at < 0) return am_no_memory(err);
  if (seen->n > before) first[at] = clip->utterance;
  else clip->utterance = first[at];
  return AM_OK;
}

static am_status fill_clips(filter *f, size_t n, size_t n_complete, am_error *err) {
  am_dataset *d = f->d;
  d->clips = am_tree_take(d->strings, n, sizeof *d->clips);
  uint32_t *index = am_tree_take(d->strings, n, sizeof *index);
  int *labels = am_tree_take(d->strings, n_complete, sizeof *labels);
  int *first = am_alloc(d->ctx, n, sizeof *first);
  am_name_set seen = {.ctx = d->ctx};
  am_status status = d->clips && index && labels && first ? AM_OK : am_no_memory(err);
  size_t at = 0;
  for (size_t i = 0; i < f->corpus->n && !status; i++) {
    if (!f->keep[i]) continue;
    labels[at] = am_name_set_find(&f->classes, f->label[i]);
    if (f->corpus->at[i].path) {
      index[d->n] = (uint32_t)at;
      d->clips[d->n] = make_clip(f, i, d->n);
      status = share_utterance(f, &seen, first, i, &d->clips[d->n], err);
      if (!status) status = soften(f, i, &d->clips[d->n], err);
      if (!status) status = give_values(f, i, &d->clips[d->n], err);
      d->n++;
    }
    at++;
  }
  am_name_set_free(&seen);
  am_free(d->ctx, first);
  d->n_complete = n;
  if (f->o->complete_split && n_complete > n) {
    d->n_complete = n_complete;
    d->complete_index = index;
    d->complete_label = labels;
  }
  return status;
}

/* "song part absent: 460 of 1132 clips missing". */
static am_status note_missing(filter *f, size_t n_complete, am_error *err) {
  am_corpus *c = f->corpus;
  am_buffer note = {0};
  const char *example = NULL;
  size_t absent = 0;
  am_name_set sections = {.ctx = c->ctx};
  for (size_t i = 0; i < c->n; i++)
    if (f->keep[i] && c->at[i].section && am_name_set_add(&sections, c->at[i].section) < 0) note.failed = true;
  for (size_t s = 0; s < sections.n; s++) {
    size_t there = 0, gone = 0;
    for (size_t i = 0; i < c->n; i++)
      if (f->keep[i] && c->at[i].section && !strcmp(c->at[i].section, sections.at[s])) {
        there += c->at[i].path != NULL;
        gone += c->at[i].path == NULL;
        if (!c->at[i].path && !example) example = c->at[i].name;
      }
    if (there) continue;
    am_buffer_printf(c->ctx, &note, "%s%s absent", absent ? ", " : "", sections.at[s]);
    absent += gone;
  }
  size_t missing = f->d->n_missing;
  am_buffer_printf(c->ctx, &note, "%s%zu of %zu clips missing", absent ? ": " : "", missing, n_complete);
  if (missing > absent && example) am_buffer_printf(c->ctx, &note, ", the first is %s", example);
  f->d->missing_note = note.failed ? NULL : am_tree_string(f->d->strings, note.data);
  am_buffer_free(c->ctx, &note);
  am_name_set_free(&sections);
  return f->d->missing_note ? AM_OK : am_no_memory(err);
}

static am_status fill_dataset(filter *f, am_error *err) {
  am_dataset *d = f->d;
  size_t n = 0, n_complete = 0;
  for (size_t i = 0; i < f->corpus->n; i++) {
    n_complete += f->keep[i];
    n += f->keep[i] && f->corpus->at[i].path;
  }
  d->n_groups = (int)f->groups.n;
  d->speakers = copy_names(f, &f->speakers);
  if (d->speakers && index_speakers(d, err)) return AM_E_NOMEM;
  d->groups = copy_names(f, &f->groups);
  d->left_out = am_tree_take(d->strings, f->corpus->n_left_out + 1, sizeof *d->left_out);
  if (!d->speakers || !d->groups || !d->left_out) return am_no_memory(err);
  if (f->corpus->n_left_out) memcpy(d->left_out, f->corpus->left_out, f->corpus->n_left_out * sizeof *d->left_out);
  d->n_left_out = f->corpus->n_left_out;
  d->n_missing = n_complete - n;
  am_status status = fill_clips(f, n, n_complete, err);
  if (!status) status = read_traits(f, err);
  if (!status && d->n_missing) status = note_missing(f, n_complete, err);
  return status;
}

am_status am_corpus_finish(am_corpus *corpus, const am_data_options *options, am_error *err) {
  am_context *ctx = corpus->ctx;
  filter f = {.corpus = corpus,
              .d = corpus->d,
              .o = options,
              .all = {.ctx = ctx},
              .merged = {.ctx = ctx},
              .classes = {.ctx = ctx},
              .speakers = {.ctx = ctx},
              .groups = {.ctx = ctx},
              .plain = {.ctx = ctx},
              .wanted = {.ctx = ctx}};
  f.label = am_alloc(ctx, corpus->n + 1, sizeof *f.label);
  f.keep = am_alloc(ctx, corpus->n + 1, sizeof *f.keep);
  am_status status = f.label && f.keep ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < corpus->n && !status; i++) f.keep[i] = true;
  if (!status) status = am_corpus_choose_dimensions(corpus, options, err);
  if (!status) status = read_labels(&f, err);
  if (!status) status = read_speakers(&f, err);
  if (!status) status = apply_filters(&f, err);
  if (!status) status = order_classes(&f, err);
  if (!status) status = name_classes(&f, err);
  if (!status) status = order_speakers(&f, err);
  if (!status) status = read_groups(&f, err);
  if (!status) status = fill_dataset(&f, err);
  am_name_set *sets[] = {&f.all, &f.merged, &f.classes, &f.speakers, &f.groups, &f.plain, &f.wanted};
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) am_name_set_free(sets[i]);
  am_free(ctx, f.has);
  am_free(ctx, f.label);
  am_free(ctx, f.keep);
  return status;
}
