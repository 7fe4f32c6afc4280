/* SPDX-License-Identifier: MIT */
/* data/split_parts.c - what came out of a split: clips, speakers and classes of each part, and what is odd about them. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "data/groups.h"
#include "data/split.h"

/* A share that is off by so much was hardly meant; a class counts as one speaker's from so many of its clips on. */
static const double OFF = 0.1, ONE_SPEAKER = 0.5;
enum { FEW_CLIPS = 10, FEW_SPEAKERS = 3, NAMED = 12 };

size_t *am_split_clips(const am_dataset *d, const am_split *s, am_part part) {
  size_t *count = am_alloc(d->ctx, (size_t)d->n_labels + 1, sizeof *count);
  for (size_t i = 0; i < s->n[part] && count; i++) count[d->clips[s->at[part][i]].label]++;
  return count;
}

int am_split_classes(const am_dataset *d, const am_split *s, am_part part) {
  unsigned char *seen = am_alloc(d->ctx, (size_t)d->n_labels + 1, 1);
  int n = 0;
  for (size_t i = 0; i < s->n[part] && seen; i++) {
    const int label = d->clips[s->at[part][i]].label;
    n += !seen[label];
    seen[label] = 1;
  }
  am_free(d->ctx, seen);
  return n;
}

int am_split_part_speakers(const am_dataset *d, const am_split *s, am_part part) {
  unsigned char *seen = am_alloc(d->ctx, (size_t)d->n_speakers + 1, 1);
  int n = 0;
  for (size_t i = 0; i < s->n[part] && seen; i++) {
    int speaker = d->clips[s->at[part][i]].speaker;
    if (speaker < 0 || seen[speaker]) continue;
    seen[speaker] = 1;
    n++;
  }
  am_free(d->ctx, seen);
  return n;
}

double am_split_share(const am_split *s, am_part part) {
  size_t all = s->n[0] + s->n[1] + s->n[2];
  return all ? (double)s->n[part] / (double)all : NAN;
}

void am_split_describe(const am_dataset *d, const am_split *s, am_part part, am_buffer *out) {
  int speakers = am_split_part_speakers(d, s, part);
  am_buffer_printf(d->ctx, out, "%s part: %zu clips (%.1f %%)", am_part_name(part), s->n[part],
                   100 * am_split_share(s, part));
  if (speakers) am_buffer_printf(d->ctx, out, " of %d speaker%s", speakers, speakers == 1 ? "" : "s");
  size_t *count = am_split_clips(d, s, part);
  if (!count) out->failed = true;
  for (int k = 0; k < d->n_labels && k < NAMED && count; k++)
    am_buffer_printf(d->ctx, out, "%s%s %zu", k ? ", " : ": ", d->labels[k], count[k]);
  if (d->n_labels > NAMED) am_buffer_printf(d->ctx, out, ", ...");
  am_free(d->ctx, count);
}

/* ---- doubts ---- */

typedef struct doubts {
  const am_dataset *d;
  const am_split_options *o;
  const am_split *s;
  void (*say)(void *user, const char *line);
  void *user;
  am_buffer line;
} doubts;

static void end(doubts *w) {
  if (w->line.used && !w->line.failed) w->say(w->user, w->line.data);
  w->line.used = 0;
}

/* One line a part; the training part's has no figures, but a class that is not learned. */
static void say_absent(doubts *w, am_part part) {
  int absent = 0, K = w->d->n_labels;
  if (!w->s->n[part]) return;
  size_t *count = am_split_clips(w->d, w->s, part);
  if (!count) w->line.failed = true;
  for (int k = 0; k < K && count; k++) {
    if (count[k]) continue;
    if (absent < NAMED)
      am_buffer_printf(w->d->ctx, &w->line, "%s\"%s\"", absent ? ", " : "the split leaves no clip of ",
                       w->d->labels[k]);
    absent++;
  }
  am_free(w->d->ctx, count);
  if (!absent) return;
  if (absent > NAMED) am_buffer_printf(w->d->ctx, &w->line, ", ...");
  am_buffer_printf(w->d->ctx, &w->line, " in the %s part: ", am_part_name(part));
  if (part == AM_PART_TRAIN) am_buffer_printf(w->d->ctx, &w->line, "%d of %d classes are trained on", K - absent, K);
  else
    am_buffer_printf(w->d->ctx, &w->line, "its average recall is over %d of %d classes%s", K - absent, K,
                     part == AM_PART_VALIDATION ? ", also where it chooses the epoch" : "");
  end(w);
}

/* The share of a part that the options ask for; NaN where they say nothing. */
static double asked(const doubts *w, am_part part) {
  const am_split_options *o = w->o;
  if (o->kind <= AM_SPLIT_SPEAKER)
    return part == AM_PART_TEST ? o->test : part == AM_PART_VALIDATION ? o->validation : NAN;
  return o->kind == AM_SPLIT_KFOLD && part == AM_PART_TEST ? 1.0 / w->s->n_folds : NAN;
}

static void say_share(doubts *w, am_part part) {
  double is = am_split_share(w->s, part), wanted = asked(w, part);
  if (!w->s->n[part] || isnan(wanted) || fabs(is - wanted) <= OFF) return;
  if (w->o->kind == AM_SPLIT_KFOLD)
    am_buffer_printf(w->d->ctx, &w->line,
                     "the %s part has %.1f %% of the clips, where one of %d folds would have %.1f %%",
                     am_part_name(part), 100 * is, w->s->n_folds, 100 * wanted);
  else
    am_buffer_printf(w->d->ctx, &w->line, "the %s part has %.1f %% of the clips, and split.%s asks for %.1f %%",
                     am_part_name(part), 100 * is, am_part_name(part), 100 * wanted);
  if (w->o->kind == AM_SPLIT_SPEAKER && !w->o->stratify_by_label)
    am_buffer_printf(w->d->ctx, &w->line,
                     ": it is a share of the speakers (%d), rounded up; split.stratify_by_label: true looks at "
                     "their clips",
                     w->d->n_speakers);
  end(w);
}

static void say_little(doubts *w) {
  double is = am_split_share(w->s, AM_PART_TRAIN);
  if (is >= 0.5 || isnan(is)) return;
  am_buffer_printf(w->d->ctx, &w->line, "only %.1f %% of the clips are trained on", 100 * is);
  end(w);
}

/* The training part's clips, those of a class side by side. */
static am_status group_labels(const doubts *w, am_groups *out, am_error *err) {
  const size_t n = w->s->n[AM_PART_TRAIN];
  const uint32_t *clips = w->s->at[AM_PART_TRAIN];
  int *label = am_alloc(w->d->ctx, n + 1, sizeof *label);
  for (size_t i = 0; i < n && label; i++) label[i] = w->d->clips[clips[i]].label;
  am_status status = label ? am_groups_make(w->d->ctx, label, n, (size_t)w->d->n_labels, out, err) : am_no_memory(err);
  am_free(w->d->ctx, label);
  for (size_t i = 0; i < n && !status; i++) out->members[i] = clips[out->members[i]];
  return status;
}

/* Of n clips of a class; `count` (speakers) is zero before and after. */
static void say_one(doubts *w, int label, const uint32_t *clips, size_t n, size_t *count) {
  const am_dataset *d = w->d;
  size_t all = 0;
  int most = 0;
  for (size_t i = 0; i < n; i++) {
    const int speaker = d->clips[clips[i]].speaker;
    if (speaker < 0) continue;
    all++;
    if (++count[speaker] > count[most]) most = speaker;
  }
  if (all >= FEW_CLIPS && (double)count[most] >= ONE_SPEAKER * (double)all) {
    am_buffer_printf(d->ctx, &w->line,
                     "%zu of the %zu training clips of \"%s\" are speaker %s's: the voice may be learned for "
                     "the label",
                     count[most], all, d->labels[label], d->speakers[most]);
    end(w);
  }
  for (size_t i = 0; i < n; i++)
    if (d->clips[clips[i]].speaker >= 0) count[d->clips[clips[i]].speaker] = 0;
}

/* A speaker with most clips of a class in the training part teaches the model a voice along with the class. */
static am_status say_one_speaker(doubts *w, am_error *err) {
  const am_dataset *d = w->d;
  int speakers = am_split_part_speakers(d, w->s, AM_PART_TRAIN);
  if (speakers < FEW_SPEAKERS) return AM_OK;
  am_groups of_label;
  size_t *count = am_alloc(d->ctx, (size_t)d->n_speakers + 1, sizeof *count);
  am_status status = count ? group_labels(w, &of_label, err) : am_no_memory(err);
  for (int k = 0; k < d->n_labels && !status; k++) {
    const uint32_t *at = of_label.members + of_label.first[k];
    say_one(w, k, at, of_label.first[k + 1] - of_label.first[k], count);
  }
  if (!status) am_groups_free(d->ctx, &of_label);
  am_free(d->ctx, count);
  return status;
}

am_status am_split_doubts(const am_dataset *d, const am_split_options *o, const am_split *s,
                          void (*say)(void *user, const char *line), void *user, am_error *err) {
  doubts w = {.d = d, .o = o, .s = s, .say = say, .user = user};
  const bool classes = d->target != AM_TARGET_DIMENSIONS; /* else labels decide nothing */
  for (int part = 0; part < 3 && classes; part++) say_absent(&w, (am_part)part);
  for (int part = AM_PART_VALIDATION; part < 3; part++) say_share(&w, (am_part)part);
  say_little(&w);
  am_status status = classes ? say_one_speaker(&w, err) : AM_OK;
  if (!status && w.line.failed) status = am_no_memory(err);
  am_buffer_free(d->ctx, &w.line);
  return status;
}
