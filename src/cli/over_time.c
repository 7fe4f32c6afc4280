/* SPDX-License-Identifier: MIT */
/* cli/over_time.c - evaluate --over-time: segments against a reference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/over_time.h"
#include "subtitle/reference.h"

/* What was said of one recording. */
typedef struct said {
  cli *c;
  const am_checkpoint *model;
  am_stretch *at;
  size_t n, room;
  bool failed;
} said;

static void note(void *user, const am_segment *s, const char *label) {
  said *x = user;
  am_error err = AM_ERROR_INIT;
  if (am_grow(x->c->ctx, &x->at, &x->room, x->n + 1, sizeof *x->at, &err)) x->failed = true;
  else x->at[x->n++] = (am_stretch){s->start, s->end, label};
}

/* "talk.wav" and "talk.rttm", or another reference that is there. */
char *cli_reference_beside(cli *c, const char *path) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
  const size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
  for (size_t i = 0; am_reference_endings[i]; i++) {
    char *name = am_format(c->ctx, "%.*s.%s", (int)stem, path, am_reference_endings[i]);
    if (!name || am_file_exists(name)) return name;
    am_free(c->ctx, name);
  }
  return am_format(c->ctx, "%.*s.%s", (int)stem, path, am_reference_endings[0]);
}

/* Labels of all speakers of the reference in one row, by time. */
static int by_start(const void *a, const void *b) {
  const am_stretch *x = a, *y = b;
  return (x->start > y->start) - (x->start < y->start);
}

static am_status truth_of(cli *c, const am_rttm *r, const char *source, am_stretch **out, am_error *err) {
  am_stretch *x = am_alloc(c->ctx, r->n, sizeof *x);
  if (!(*out = x)) return am_no_memory(err);
  for (size_t i = 0; i < r->n; i++) x[i] = (am_stretch){r->turns[i].start, r->turns[i].end, r->turns[i].speaker};
  qsort(x, r->n, sizeof *x, by_start);
  for (size_t i = 1; i < r->n; i++)
    if (x[i].start < x[i - 1].end - 1e-6)
      return am_fail(err, AM_E_DATA, "%s: '%s' and '%s' overlap at %.3f s; wanted one emotion at a time", source,
                     x[i - 1].label, x[i].label, x[i].start);
  return AM_OK;
}

/* References, whose labels the figures borrow, live as long as these. */
typedef struct scores {
  am_timeline all;
  bool tagged; /* --tags */
  cli_tags tags;
  am_rttm *references;
  size_t n;
  am_stretch *truth;
} scores;

static am_status score_one(cli *c, const cli_models *team, const cli_segmenting *how, const am_thresholds *thresholds,
                           const char *path, scores *s, am_error *err) {
  const char *given = cli_value(c, "reference", NULL);
  char *source = given ? am_strdup(c->ctx, given) : cli_reference_beside(c, path);
  said x = {.c = c, .model = team->at[0]};
  am_rttm *r = &s->references[s->n];
  double seconds = 0;
  *r = (am_rttm){.ctx = c->ctx};
  am_status st = source ? am_reference_read(c->ctx, source, r, err) : am_no_memory(err);
  s->n++;
  if (!st) st = am_rttm_choose(r, source, path, err);
  if (!st) st = truth_of(c, r, source, &s->truth, err);
  if (!st) st = cli_segments_of(c, team, how, thresholds, path, note, &x, &seconds, err);
  if (!st && x.failed) st = am_no_memory(err);
  if (!st) st = am_timeline_add(&s->all, s->truth, r->n, x.at, x.n, seconds, err);
  if (!st && s->tagged) st = cli_tags_add(&s->tags, team, path, s->truth, r->n, seconds, err);
  am_free(c->ctx, s->truth);
  s->truth = NULL;
  am_free(c->ctx, x.at);
  am_free(c->ctx, source);
  return st;
}

/* ---- telling ---- */

static double share(double part, double whole) { return whole > 0 ? part / whole : NAN; }

static am_status tell_json(cli *c, const scores *s, size_t n, am_error *err) {
  const am_timeline *t = &s->all;
  am_buffer text = {0};
  am_json j = am_json_begin(c->ctx, &text, 2);
  am_json_open(&j, NULL, '{');
  am_json_int(&j, "recordings", (int64_t)n);
  am_json_real(&j, "seconds", t->seconds);
  am_json_real(&j, "emotion_seconds", t->emotion);
  am_json_real(&j, "error_rate", am_timeline_rate(t));
  am_json_real(&j, "missed", share(t->missed, t->emotion));
  am_json_real(&j, "false_alarm", share(t->false_alarm, t->emotion));
  am_json_real(&j, "confused", share(t->confused, t->emotion));
  am_json_real(&j, "segments_a_minute", 60 * share((double)t->tags, t->seconds));
  am_json_open(&j, "per_class", '{');
  for (size_t i = 0; i < t->n_labels; i++) {
    const am_timeline_label *l = &t->labels[i];
    am_json_open(&j, l->name, '{');
    am_json_real(&j, "precision", share(l->both, l->said));
    am_json_real(&j, "recall", share(l->both, l->truth));
    am_json_real(&j, "seconds", l->truth);
    am_json_close(&j);
  }
  am_json_close(&j);
  am_status st = s->tagged ? cli_tags_json(&s->tags, &j, err) : AM_OK;
  am_json_close(&j);
  am_buffer_append(c->ctx, &text, "\n", 1);
  if (!st && text.failed) st = am_no_memory(err);
  if (!st) cli_put_data(text.data, text.used);
  am_buffer_free(c->ctx, &text);
  return st;
}

static void tell_share(const char *name, double part, double whole) {
  if (whole > 0) cli_print("%-28s %5.1f %%\n", name, 100 * part / whole);
  else cli_print("%-28s     -\n", name);
}

static void tell_text(const am_timeline *t, size_t n) {
  cli_print("%zu recording%s of %.1f s together, %.1f s of them with an emotion\n\n", n, am_count(n, "", "s"),
            t->seconds, t->emotion);
  cli_print("%-12s %10s %8s %9s\n", "emotion", "precision", "recall", "seconds");
  for (size_t i = 0; i < t->n_labels; i++) {
    const am_timeline_label *l = &t->labels[i];
    cli_print("%-12s ", l->name);
    if (l->said > 0) cli_print("%10.1f ", 100 * l->both / l->said);
    else cli_print("%10s ", "-");
    if (l->truth > 0) cli_print("%8.1f ", 100 * l->both / l->truth);
    else cli_print("%8s ", "-");
    cli_print("%9.1f\n", l->truth);
  }
  cli_print("\n");
  tell_share("emotion diarisation error", t->missed + t->false_alarm + t->confused, t->emotion);
  tell_share("  missed", t->missed, t->emotion);
  tell_share("  said where there is none", t->false_alarm, t->emotion);
  tell_share("  mistaken for another", t->confused, t->emotion);
  cli_print("%-28s %5.1f\n", "segments of emotion a minute", 60 * share((double)t->tags, t->seconds));
}

am_status cli_over_time(cli *c, cli_models *team, const am_thresholds *thresholds, am_error *err) {
  const char *path = cli_value(c, "over-time", NULL);
  cli_sounds sounds = {0};
  cli_segmenting how;
  scores s = {0};
  am_status st = cli_segmenting_get(c, &how, err);
  if (!st) st = cli_priors_get(c, team->at[0], &how.priors, err);
  s.tagged = cli_has(c, "tags");
  s.tags = (cli_tags){.c = c, .model = team->at[0], .thresholds = thresholds, .priors = how.priors};
  if (!st) st = cli_detector_load(c, team, "energy", err);
  if (!st) st = cli_sounds_list(c, &path, 1, &sounds, err);
  if (!st && cli_has(c, "reference") && sounds.n != 1)
    st = am_fail(err, AM_E_USAGE, "--reference is of one recording, and there are %zu", sounds.n);
  for (size_t i = 0; i < team->n && !st; i++)
    if (am_checkpoint_wants_speaker(team->at[i]) && !cli_segments_learn(&how))
      st = am_fail(err, AM_E_USAGE,
                   "this model normalises per speaker; --learn-voice lets it learn each recording's voice");
  if (!st && !(s.references = am_alloc(c->ctx, sounds.n + 1, sizeof *s.references))) st = am_no_memory(err);
  for (size_t i = 0; i < sounds.n && !st; i++) {
    if (am_context_stopping(c->ctx))
      st = am_fail(err, AM_E_STOPPED, "stopped after %zu of %zu recordings", i, sounds.n);
    if (!st) st = score_one(c, team, &how, thresholds, sounds.at[i], &s, err);
  }
  if (!st && cli_has(c, "json")) st = tell_json(c, &s, sounds.n, err);
  else if (!st) tell_text(&s.all, sounds.n);
  if (!st && s.tagged && !cli_has(c, "json")) st = cli_tags_tell(&s.tags, err);
  cli_tags_free(&s.tags);
  am_free(c->ctx, how.priors);
  for (size_t i = 0; i < s.n; i++) am_rttm_free(&s.references[i]);
  am_free(c->ctx, s.references);
  cli_sounds_free(c, &sounds);
  return st;
}
