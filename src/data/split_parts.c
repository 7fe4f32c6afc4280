/* data/split_parts.c - what came out of a split: clips, speakers and classes of each part, and what is odd about them. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "data/split.h"

/* A share that is off by so much was hardly meant; a class counts as one speaker's from so many of its clips on. */
static const double OFF = 0.1, ONE_SPEAKER = 0.5;
enum { FEW_CLIPS = 10, FEW_SPEAKERS = 3, NAMED = 12 };

size_t am_split_clips(const am_dataset *d, const am_split *s, am_part part, int label) {
  size_t n = 0;
  for (size_t i = 0; i < s->n[part]; i++) n += label < 0 || d->clips[s->at[part][i]].label == label;
  return n;
}

int am_split_classes(const am_dataset *d, const am_split *s, am_part part) {
  int n = 0;
  for (int k = 0; k < d->n_labels; k++) {
    size_t i = 0;
    while (i < s->n[part] && d->clips[s->at[part][i]].label != k) i++;
    n += i < s->n[part];
  }
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
  for (int k = 0; k < d->n_labels && k < NAMED; k++)
    am_buffer_printf(d->ctx, out, "%s%s %zu", k ? ", " : ": ", d->labels[k], am_split_clips(d, s, part, k));
  if (d->n_labels > NAMED) am_buffer_printf(d->ctx, out, ", ...");
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
  for (int k = 0; k < K; k++) {
    if (am_split_clips(w->d, w->s, part, k)) continue;
    if (absent < NAMED)
      am_buffer_printf(w->d->ctx, &w->line, "%s\"%s\"", absent ? ", " : "the split leaves no clip of ",
                       w->d->labels[k]);
    absent++;
  }
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

/* A speaker with most clips of a class in the training part teaches the model a voice along with the class. */
static am_status say_one_speaker(doubts *w, am_error *err) {
  const am_dataset *d = w->d;
  int speakers = am_split_part_speakers(d, w->s, AM_PART_TRAIN);
  if (speakers < FEW_SPEAKERS) return AM_OK;
  size_t *count = am_alloc(d->ctx, (size_t)d->n_speakers + 1, sizeof *count);
  if (!count) return am_no_memory(err);
  for (int k = 0; k < d->n_labels; k++) {
    size_t all = 0;
    int most = 0;
    memset(count, 0, (size_t)d->n_speakers * sizeof *count);
    for (size_t i = 0; i < w->s->n[AM_PART_TRAIN]; i++) {
      const am_clip *clip = &d->clips[w->s->at[AM_PART_TRAIN][i]];
      if (clip->label != k || clip->speaker < 0) continue;
      all++;
      if (++count[clip->speaker] > count[most]) most = clip->speaker;
    }
    if (all < FEW_CLIPS || (double)count[most] < ONE_SPEAKER * (double)all) continue;
    am_buffer_printf(d->ctx, &w->line,
                     "%zu of the %zu training clips of \"%s\" are speaker %s's: the voice may be learned for "
                     "the label",
                     count[most], all, d->labels[k], d->speakers[most]);
    end(w);
  }
  am_free(d->ctx, count);
  return AM_OK;
}

am_status am_split_doubts(const am_dataset *d, const am_split_options *o, const am_split *s,
                          void (*say)(void *user, const char *line), void *user, am_error *err) {
  doubts w = {.d = d, .o = o, .s = s, .say = say, .user = user};
  for (int part = 0; part < 3; part++) say_absent(&w, (am_part)part);
  for (int part = AM_PART_VALIDATION; part < 3; part++) say_share(&w, (am_part)part);
  say_little(&w);
  am_status status = say_one_speaker(&w, err);
  if (!status && w.line.failed) status = am_no_memory(err);
  am_buffer_free(d->ctx, &w.line);
  return status;
}
