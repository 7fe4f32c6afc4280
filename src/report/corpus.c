/* SPDX-License-Identifier: MIT */
/* report/corpus.c - counting the clips of a run, and showing one. */
#include "report/corpus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/features.h"
#include "audio/mel.h"
#include "audio/sound.h"
#include "base/number.h"
#include "data/names.h"

enum { MOST_FRAMES = 1500 };

/* ---- counts ---- */

static am_status make_room(am_context *ctx, am_tally *t, am_error *err) {
  size_t K = (size_t)t->n_labels, S = (size_t)t->n_speakers;
  t->labels = am_alloc(ctx, K + 1, sizeof *t->labels);
  t->speakers = am_alloc(ctx, S + 1, sizeof *t->speakers);
  t->cells = am_alloc(ctx, am_mul(S, K) + 1, sizeof *t->cells);
  t->parts = am_alloc(ctx, 4 * K + 1, sizeof *t->parts);
  t->speaker_parts = am_alloc(ctx, 4 * S + 1, sizeof *t->speaker_parts);
  t->label_seconds = am_alloc(ctx, K + 1, sizeof *t->label_seconds);
  t->seconds = am_alloc(ctx, t->n + 1, sizeof *t->seconds);
  bool all = t->labels && t->speakers && t->cells && t->parts && t->speaker_parts && t->label_seconds && t->seconds;
  return all ? AM_OK : am_no_memory(err);
}

static void add(am_tally *t, int label, int speaker, am_part part, double seconds) {
  size_t at = part == AM_PART_NONE ? 3 : (size_t)part;
  t->parts[4 * (size_t)label + at]++;
  t->n_counted++;
  if (speaker >= 0) {
    t->cells[(size_t)speaker * (size_t)t->n_labels + (size_t)label]++;
    t->speaker_parts[4 * (size_t)speaker + at]++;
  }
  if (!(seconds > 0)) return;
  t->seconds[t->n_seconds++] = seconds;
  t->label_seconds[label] += seconds;
}

/* A file that cannot be read has no length. */
static double clip_seconds(am_context *ctx, const am_clip *clip) {
  am_sound_info info = {.size = sizeof info};
  if (clip->seconds > 0) return clip->seconds;
  return am_sound_inspect_clip(ctx, clip->path, &info, NULL) ? NAN : info.seconds - clip->start;
}

static am_status count_dataset(am_context *ctx, am_tally *t, am_error *err) {
  const am_dataset *d = t->dataset;
  t->n = d->n;
  t->n_labels = d->n_labels;
  t->n_speakers = d->n_speakers;
  am_status st = make_room(ctx, t, err);
  if (st) return st;
  for (int k = 0; k < d->n_labels; k++) t->labels[k] = d->labels[k];
  for (int s = 0; s < d->n_speakers; s++) t->speakers[s] = d->speakers[s];
  for (size_t i = 0; i < d->n; i++) {
    const am_clip *clip = &d->clips[i];
    if (am_context_stopping(ctx)) return am_fail(err, AM_E_STOPPED, "stopped");
    add(t, clip->label, clip->speaker, clip->part, clip_seconds(ctx, clip));
  }
  if (t->n_seconds) qsort(t->seconds, t->n_seconds, sizeof *t->seconds, am_rising);
  return AM_OK;
}

static int by_name(const void *a, const void *b) {
  return am_natural_compare(*(const char *const *)a, *(const char *const *)b);
}

/* Adds a speaker that was not yet seen, where somebody is named. */
static am_status see_speaker(am_tally *t, am_name_set *seen, const char *name, am_error *err) {
  int s = *name ? am_name_set_add(seen, name) : -1;
  if (s < 0 && *name) return am_no_memory(err);
  if (s >= t->n_speakers) t->speakers[t->n_speakers++] = name;
  return AM_OK;
}

/* All speakers by name, as a dataset has them, not in the order in which the folds tested them. */
static am_status list_speakers(const am_results *r, am_tally *t, am_name_set *listed, am_error *err) {
  am_name_set seen = {.ctx = r->ctx};
  am_status st = AM_OK;
  for (int i = 0; i < r->n_parts && !st; i++)
    for (size_t j = 0; j < r->parts[i].metrics->n && !st; j++)
      st = see_speaker(t, &seen, r->parts[i].predictions.at[j].speaker, err);
  am_name_set_free(&seen);
  if (t->n_speakers) qsort(t->speakers, (size_t)t->n_speakers, sizeof *t->speakers, by_name);
  for (int s = 0; s < t->n_speakers && !st; s++)
    if (am_name_set_add(listed, t->speakers[s]) < 0) st = am_no_memory(err);
  return st;
}

static am_status count_predictions(const am_results *r, am_tally *t, am_error *err) {
  for (int i = 0; i < r->n_parts; i++) t->n += r->parts[i].metrics->n;
  const bool values = r->n_parts && r->parts[0].predictions.values; /* of which labels are not said */
  t->n_labels = values ? 1 : r->n_parts ? r->parts[0].metrics->classes : 0;
  t->n_speakers = (int)t->n; /* room for as many as there may be */
  am_status st = make_room(r->ctx, t, err);
  t->n_speakers = 0;
  am_name_set listed = {.ctx = r->ctx};
  for (int k = 0; k < t->n_labels && !st; k++) t->labels[k] = values ? "any" : r->parts[0].metrics->labels[k];
  if (!st) st = list_speakers(r, t, &listed, err);
  for (int i = 0; i < r->n_parts && !st; i++) {
    const am_part_results *p = &r->parts[i];
    am_part part = strcmp(p->name, "test") == 0 ? AM_PART_TEST : AM_PART_VALIDATION;
    for (size_t j = 0; j < p->metrics->n && !st; j++) {
      const am_prediction *one = &p->predictions.at[j];
      if (one->truth >= t->n_labels || one->seed != p->predictions.at[0].seed) continue;
      int s = *one->speaker ? am_name_set_add(&listed, one->speaker) : -1;
      if (s < 0 && *one->speaker) st = am_no_memory(err);
      else add(t, values ? 0 : one->truth, s, part, NAN);
    }
  }
  am_name_set_free(&listed);
  return st;
}

am_status am_tally_make(const am_results *r, am_tally *t, am_error *err) {
  *t = (am_tally){0};
  am_error why = AM_ERROR_INIT;
  am_split *split = NULL;
  if (r->crossval) { /* its page does not need the corpus */
    am_status counted = count_predictions(r, t, err);
    if (counted) am_tally_free(r->ctx, t);
    return counted;
  }
  am_status st = am_dataset_load(r->ctx, &r->config->data, &t->dataset, &why);
  if (!st) st = am_split_make(r->ctx, t->dataset, &r->config->split, &split, &why);
  am_split_free(r->ctx, split);
  if (st) {
    am_dataset_free(t->dataset);
    t->dataset = NULL;
  }
  if (st == AM_E_NOMEM) return am_no_memory(err);
  if (st) {
    snprintf(t->note, sizeof t->note, "%s", why.message);
    st = count_predictions(r, t, err);
  } else {
    double then = am_results_number(r->facts, "data.clips");
    if (isfinite(then) && then != (double)t->dataset->n)
      snprintf(t->note, sizeof t->note, "the corpus holds %zu clips now; it held %.0f when the run was made",
               t->dataset->n, then);
    st = count_dataset(r->ctx, t, err);
  }
  if (st) am_tally_free(r->ctx, t);
  return st;
}

void am_tally_free(am_context *ctx, am_tally *t) {
  am_free(ctx, t->labels);
  am_free(ctx, t->speakers);
  am_free(ctx, t->cells);
  am_free(ctx, t->parts);
  am_free(ctx, t->speaker_parts);
  am_free(ctx, t->label_seconds);
  am_free(ctx, t->seconds);
  am_dataset_free(t->dataset);
  *t = (am_tally){0};
}

/* ---- one clip ---- */

/* The clip that the model was surest of, rightly; else the first. */
static const am_clip *choose(const am_results *r, const am_dataset *d, am_example *e) {
  const am_prediction *best = NULL;
  for (size_t i = 0; r->n_parts && i < r->parts[0].metrics->n; i++) {
    const am_prediction *p = &r->parts[0].predictions.at[i];
    if (p->truth >= 0 && p->truth == p->predicted && (!best || p->confidence > best->confidence)) best = p;
  }
  for (size_t i = 0; best && i < d->n; i++)
    if (strcmp(d->clips[i].name, best->clip) == 0) {
      e->prediction = best;
      return &d->clips[i];
    }
  return d->n ? &d->clips[0] : NULL;
}

/* The run's own window, hop and filters, but always decibels over time, on the frequencies as they are. */
static am_feature_options plain_options(const am_feature_options *of_run) {
  am_feature_options o = *of_run;
  o.kind = AM_FEATURE_LOG_MEL;
  o.mel_rate = 0;
  if (o.f_max > o.sample_rate / 2) o.f_max = 0;
  o.log = AM_DECIBEL;
  o.ref = AM_REF_MAX;
  o.top_db = 80;
  o.amin = 1e-10;
  o.deltas = AM_DELTAS_NONE;
  o.mean_over_time = false;
  o.samples = o.max_frames = 0;
  o.trim_db = o.pre_emphasis = 0;
  o.divide = 1;
  return o;
}

/* To the clip within its file, and to what a picture can show. */
static void cut(const am_clip *clip, int64_t hop, am_sound *sound) {
  size_t from = am_size_of(clip->start * sound->rate), n = am_size_of(clip->seconds * sound->rate);
  if (from >= sound->n) from = 0;
  if (!n || n > sound->n - from) n = sound->n - from;
  size_t most = (size_t)hop * MOST_FRAMES;
  if (n > most) n = most;
  memmove(sound->samples, sound->samples + from, n * sizeof *sound->samples);
  sound->n = n;
}

static am_status spectrogram(am_context *ctx, const am_feature_options *o, am_example *e, am_error *err) {
  am_features *fx = NULL;
  int t;
  am_status st = am_features_create(ctx, o, &fx, err);
  if (st) return st;
  am_features_shape(fx, e->sound.n, &t, &e->f);
  e->x = am_alloc(ctx, am_mul((size_t)t, (size_t)e->f), sizeof *e->x);
  e->hertz = am_alloc(ctx, (size_t)e->f, sizeof *e->hertz);
  st =
      e->x && e->hertz ? am_features_compute(fx, e->sound.samples, e->sound.n, 1, e->x, &e->t, err) : am_no_memory(err);
  am_features_free(fx);
  e->seconds = (double)e->t * (double)o->hop / o->sample_rate;
  am_mel_options mel = {.rate = o->sample_rate,
                        .n_fft = (int)o->n_fft,
                        .mels = (int)o->mels,
                        .f_min = o->f_min,
                        .f_max = o->f_max > 0 ? o->f_max : o->sample_rate / 2,
                        .htk = o->mel_scale == AM_MEL_HTK};
  if (!st) am_mel_centres(&mel, e->hertz);
  return st;
}

am_status am_example_make(const am_results *r, const am_tally *t, am_example *e, am_error *err) {
  *e = (am_example){.sound = {.size = sizeof(am_sound)}};
  const am_clip *clip = t->dataset ? choose(r, t->dataset, e) : NULL;
  if (!clip) {
    snprintf(e->note, sizeof e->note, "%s", t->note);
    return AM_OK;
  }
  am_error why = AM_ERROR_INIT;
  am_feature_options o = plain_options(&r->config->features);
  am_status st = am_sound_read_clip(r->ctx, clip->path, o.sample_rate, r->config->data.max_seconds, &e->sound, &why);
  if (!st) {
    cut(clip, o.hop, &e->sound);
    st = spectrogram(r->ctx, &o, e, &why);
  }
  if (!st) {
    e->name = clip->name;
    e->truth = t->dataset->labels[clip->label];
    return AM_OK;
  }
  am_example_free(r->ctx, e);
  if (st == AM_E_NOMEM) return am_no_memory(err);
  snprintf(e->note, sizeof e->note, "%s", why.message);
  return AM_OK;
}

void am_example_free(am_context *ctx, am_example *e) {
  am_sound_free(&e->sound);
  am_free(ctx, e->x);
  am_free(ctx, e->hertz);
  *e = (am_example){.sound = {.size = sizeof(am_sound)}};
}
