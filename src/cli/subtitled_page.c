/* SPDX-License-Identifier: MIT */
/* cli/subtitled_page.c - subtitle --report: the sound is heard once more, as segments, for a page to look at. */
#include <math.h>
#include <string.h>

#include "audio/sound.h"
#include "cli/explained.h"
#include "cli/recorded.h"
#include "cli/subtitled.h"
#include "subtitle/convert.h"

typedef struct page {
  cli_subtitled *s;
  am_context *ctx;
  cli_recorded heard;
  am_recording_cue *cues;
  size_t n_cues;
  cli_whys why;
} page;

am_status cli_subtitled_record(const cli_subtitled *s, cli_recorded *heard, am_error *err) {
  am_stream_options o = {.size = sizeof o, .window = 3, .hop = 1, .first = 1};
  o.speech = s->team.detector ? AM_SPEECH_BY_MODEL : AM_SPEECH_BY_LEVEL;
  o.detector = s->team.detector;
  const am_segment_options segments = {.size = sizeof segments};
  for (size_t i = 0; i < s->team.n && s->learns; i++) {
    am_checkpoint_forget_speaker(s->team.at[i]); /* the last speaker's */
    o.learn_voice |= am_checkpoint_wants_speaker(s->team.at[i]);
  }
  return cli_recorded_hear(heard, &o, &segments, err);
}

/* ---- cues ---- */

static am_recording_segment told_of(const cli_subtitled *s, size_t i) {
  const cli_told *t = &s->told[i];
  const am_checkpoint *m = s->team.at[0];
  am_recording_segment g = {s->heard.at[i].start, s->heard.at[i].end, t->label, "silent", NAN, t->margin, t->top, NULL};
  g.end = fmax(g.start, g.end);
  if (t->top >= 0) g.shown = t->label < 0 ? "uncertain" : m->labels[t->label];
  if (t->top >= 0) g.probability = (double)s->heard.p[i * (size_t)m->classes + (size_t)t->top];
  return g;
}

static char *copy(am_context *ctx, const am_buffer *b) {
  return b->failed ? NULL : am_format(ctx, "%.*s", (int)b->used, b->used ? b->data : "");
}

/* Texts without tags, and without what was put into them. */
static am_status take_cues(page *x, am_error *err) {
  const cli_subtitled *s = x->s;
  am_tagger t;
  am_buffer text = {0};
  if (!s->given) return AM_OK;
  if (!(x->cues = am_alloc(x->ctx, s->cues.n + 1, sizeof *x->cues))) return am_no_memory(err);
  am_status st = am_tagger_begin(&t, &x->s->cues, &s->words, err);
  for (size_t i = 0; i < s->cues.n && !st; i++) {
    am_recording_cue *to = &x->cues[x->n_cues++];
    text.used = 0;
    am_cues_put_plain(&s->cues, am_tag_inside(&t, &s->cues.at[i]).text, &text);
    *to = (am_recording_cue){told_of(s, i), s->cues.at[i].speaker, copy(x->ctx, &text), s->told[i].shown};
    if (!to->text) st = am_no_memory(err);
  }
  am_tagger_end(&t);
  am_buffer_free(x->ctx, &text);
  return st;
}

/* ---- why ---- */

/* So many cues, or segments, are explained: each takes some hundred predictions. */
enum { MOST_EXPLAINED = 4 };
static const double longest_explained = 15; /* s of it that are kept */

/* What is explained, and its samples as the sound goes by. */
typedef struct explained {
  const am_recording_segment *of;
  float *samples;
  size_t from, n, room; /* samples of the sound; n of them are there */
} explained;
typedef struct explaining {
  const page *x;
  explained at[MOST_EXPLAINED];
  size_t n, seen;
} explaining;

/* The surest ones, the surest first. */
static void choose(explaining *e, const am_recording_segment *s) {
  size_t at = e->n;
  if (s->top < 0 || !isfinite(s->margin)) return;
  while (at && e->at[at - 1].of->margin < s->margin) at--;
  if (at == MOST_EXPLAINED) return;
  if (e->n < MOST_EXPLAINED) e->n++;
  for (size_t i = e->n - 1; i > at; i--) e->at[i].of = e->at[i - 1].of;
  e->at[at].of = s;
}

/* Of cues those that say how, or, where none does, of all; without cues, of segments. */
static am_status choose_all(page *x, explaining *e, am_error *err) {
  for (size_t i = 0; i < x->n_cues; i++)
    if (x->cues[i].told) choose(e, &x->cues[i].heard);
  for (size_t i = 0, told = e->n; i < x->n_cues && !told; i++) choose(e, &x->cues[i].heard);
  for (size_t i = 0; i < x->heard.n_segments && !x->n_cues; i++) choose(e, &x->heard.segments[i]);
  for (size_t i = 0; i < e->n; i++) {
    explained *o = &e->at[i];
    o->from = am_size_of(o->of->start * x->heard.rate);
    o->room = am_size_of(fmin(o->of->end - o->of->start, longest_explained) * x->heard.rate);
    if (!(o->samples = am_alloc(x->ctx, o->room + 1, sizeof *o->samples))) return am_no_memory(err);
  }
  return AM_OK;
}

static am_status keep(void *user, const float *samples, size_t n, am_error *err) {
  explaining *e = user;
  (void)err;
  for (size_t i = 0; i < e->n; i++) {
    explained *o = &e->at[i];
    const size_t end = e->seen + n, from = o->from > e->seen ? o->from : e->seen,
                 to = o->from + o->room < end ? o->from + o->room : end;
    if (from >= to) continue;
    memcpy(o->samples + o->n, samples + (from - e->seen), (to - from) * sizeof *samples);
    o->n += to - from;
  }
  e->seen += n;
  return AM_OK;
}

static am_status explain_one(page *x, const explained *o, am_error *err) {
  char name[100];
  snprintf(name, sizeof name, "%.1f to %.1f s, %s%.40s", o->of->start, o->of->end,
           o->of->label < 0 ? "uncertain: " : "", x->s->team.at[0]->labels[o->of->top]);
  return cli_whys_add(x->s->c, &x->why, &x->s->team, name, o->samples, o->n, o->of->top, err);
}

/* A voice that is learned by the cues is another one for each, and is not that of the models any more. */
static am_status explain_all(page *x, am_error *err) {
  const cli_subtitled *s = x->s;
  explaining e = {.x = x};
  am_sound sound = {.size = sizeof sound};
  if (s->learns) {
    cli_whys_note(&x->why, "No pictures",
                  "Each cue was heard by the voice of its speaker, which the models know no more when all are heard. "
                  "predict --report --enrol FILE explains a sound by a voice.");
    return AM_OK;
  }
  am_status st = choose_all(x, &e, err);
  if (!st && e.n && x->heard.n_kept == x->heard.n_samples) st = keep(&e, x->heard.samples, x->heard.n_kept, err);
  else if (!st && e.n) st = cli_sound_feed(s->c, s->media, x->heard.rate, 0, keep, &e, &sound, err);
  for (size_t i = 0; i < e.n && !st; i++) st = explain_one(x, &e.at[i], err);
  for (size_t i = 0; i < e.n; i++) am_free(x->ctx, e.at[i].samples);
  am_sound_free(&sound);
  return st;
}

/* ---- the page ---- */

am_status cli_subtitled_page(cli_subtitled *s, const char *path, am_error *err) {
  const int known = s->enrolled;
  page x = {.s = s,
            .ctx = s->c->ctx,
            .heard = {.c = s->c,
                      .team = &s->team,
                      .media = s->media,
                      .thresholds = s->decides[known] ? &s->thresholds[known] : NULL,
                      .priors = s->priors}};
  am_status st = cli_subtitled_record(s, &x.heard, err);
  if (!st) st = take_cues(&x, err);
  if (!st) st = explain_all(&x, err);
  am_recording r = {.subtitles = s->given, .cues = x.cues, .n_cues = x.n_cues, .why = x.why.at, .n_why = x.why.n};
  if (!st) st = cli_recorded_save(&x.heard, &r, path, err);
  cli_whys_free(s->c, &x.why);
  for (size_t i = 0; i < x.n_cues; i++) am_free(x.ctx, (void *)x.cues[i].text);
  am_free(x.ctx, x.cues);
  cli_recorded_free(&x.heard);
  return st;
}
