/* SPDX-License-Identifier: MIT */
/* cli/subtitled_voices.c - speakers that cues name are each heard by what all their cues tell of the voice.
 *
 * One pass over the sound learns the voices; then there is a pass for each.  Cues that name nobody are heard without a voice, or, by a
 * model that has to know one, as one speaker's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/subtitled.h"
#include "model/predict.h"

static const double enough = 2, longest = 30; /* s: of a voice that counts as known; of a piece that teaches */
enum { MOST_VOICES = 100 };

typedef struct voice {
  char *name;      /* "": nobody is named */
  am_profile **of; /* one a model; NULL: it uses none */
  size_t first, n; /* its cues */
} voice;

/* A part of a cue that a voice is learned by. */
typedef struct piece {
  size_t first, last; /* samples */
  size_t voice;
  bool taught;
  float *samples; /* while it is open */
  size_t n, room;
} piece;

typedef struct voices {
  cli_subtitled *s;
  voice *at; /* (n) by name */
  size_t n;
  struct cue {
    char *name;
    size_t which;
  } * cues; /* (cues.n) by name, then in order */
  piece *pieces;
  size_t n_pieces, room, next;
  double rate;
  size_t heard; /* samples */
} voices;

static am_context *context(const voices *v) { return v->s->c->ctx; }

/* ---- who speaks ---- */

static int by_name(const void *a, const void *b) {
  const struct cue *x = a, *y = b;
  const int order = strcmp(x->name, y->name);
  return order ? order : (x->which > y->which) - (x->which < y->which);
}

static am_status name_cues(voices *v, am_error *err) {
  const cli_subtitled *s = v->s;
  am_buffer room = {0};
  am_tagger t;
  if (!(v->cues = am_alloc(context(v), s->cues.n + 1, sizeof *v->cues))) return am_no_memory(err);
  am_status st = am_tagger_begin(&t, &v->s->cues, &s->words, err);
  for (size_t i = 0; i < s->cues.n && !st; i++) {
    am_slice name = {0};
    bool several = false;
    st = am_show_cue_speaker(&s->cues, &s->cues.at[i], am_tag_inside(&t, &s->cues.at[i]).text, &room, &name, &several,
                             err);
    v->cues[i].which = i;
    v->cues[i].name =
        am_format(context(v), "%.*s", several ? 0 : (int)(name.n < 1000 ? name.n : 1000), name.n ? name.at : "");
    if (!st && !v->cues[i].name) st = am_no_memory(err);
  }
  am_tagger_end(&t);
  am_buffer_free(context(v), &room);
  if (!st && s->cues.n) qsort(v->cues, s->cues.n, sizeof *v->cues, by_name);
  return st;
}

/* One for each name; with too many of them all are nobody. */
static am_status group(voices *v, am_error *err) {
  const size_t n = v->s->cues.n;
  size_t names = 0;
  for (size_t i = 0; i < n; i++) names += !i || strcmp(v->cues[i].name, v->cues[i - 1].name);
  if (names > MOST_VOICES) {
    am_log(context(v), AM_LOG_WARNING, "%s: names more than %d speakers, so no voice is learned", v->s->given,
           (int)MOST_VOICES);
    for (size_t i = 0; i < n; i++) v->cues[i].name[0] = 0;
    names = 1;
  }
  if (!(v->at = am_alloc(context(v), names + 1, sizeof *v->at))) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) {
    if (!v->n || strcmp(v->cues[i].name, v->at[v->n - 1].name)) v->at[v->n++] = (voice){v->cues[i].name, NULL, i, 0};
    v->at[v->n - 1].n++;
  }
  return AM_OK;
}

/* ---- learning ---- */

static bool any_model(const voices *v, bool (*is)(const am_checkpoint *m)) {
  bool any = false;
  for (size_t i = 0; i < v->s->team.n; i++) any |= is(v->s->team.at[i]);
  return any;
}

static bool learns(const voices *v, const voice *x) { return x->name[0] || any_model(v, am_checkpoint_wants_speaker); }

static am_status begin_voice(voices *v, voice *x, am_error *err) {
  const cli_models *team = &v->s->team;
  am_status st = AM_OK;
  if (!learns(v, x)) return AM_OK;
  if (!(x->of = am_alloc(context(v), team->n, sizeof(am_profile *)))) return am_no_memory(err);
  for (size_t i = 0; i < team->n && !st; i++)
    if (am_checkpoint_uses_speaker(team->at[i])) st = am_profile_of_model(team->at[i], &x->of[i], err);
  for (size_t i = x->first; i < x->first + x->n && !st; i++) {
    const am_cue *cue = &v->s->cues.at[v->cues[i].which];
    const double seconds = fmin(cue->stop - cue->start, 60);
    const size_t parts = seconds > 0 ? (size_t)ceil(seconds / longest) : 0;
    st = am_grow(context(v), &v->pieces, &v->room, v->n_pieces + parts, sizeof *v->pieces, err);
    for (size_t k = 0; k < parts && !st; k++)
      v->pieces[v->n_pieces++] =
          (piece){.first = am_size_of((cue->start + seconds * (double)k / (double)parts) * v->rate + 0.5),
                  .last = am_size_of((cue->start + seconds * (double)(k + 1) / (double)parts) * v->rate + 0.5),
                  .voice = (size_t)(x - v->at)};
  }
  return st;
}

static int by_start(const void *a, const void *b) {
  const piece *x = a, *y = b;
  return (x->first > y->first) - (x->first < y->first);
}

/* What has nothing to hear in it teaches nothing. */
static am_status teach(voices *v, piece *p, am_error *err) {
  const voice *x = &v->at[p->voice];
  am_status st = AM_OK;
  for (size_t i = 0; i < v->s->team.n && !st && p->n; i++) {
    float *made = NULL;
    const float *samples;
    size_t n = p->n;
    am_error why = AM_ERROR_INIT;
    if (!x->of[i]) continue;
    st =
        am_sound_for(context(v), p->samples, v->rate, am_profile_rate(x->of[i]), &made, &samples, (n = p->n, &n), &why);
    if (!st) st = am_profile_add(x->of[i], samples, n, &why);
    am_free(context(v), made);
    if (st == AM_E_DATA) st = AM_OK;
    if (st) st = am_fail(err, st, "%s", why.message);
  }
  am_free(context(v), p->samples);
  p->samples = NULL;
  p->n = p->room = 0;
  p->taught = true;
  return st;
}

/* Pieces that began before these samples and have not ended: they are among those from `next` on. */
static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  voices *v = user;
  const size_t from = v->heard, to = from + n;
  am_status st = AM_OK;
  while (v->next < v->n_pieces && v->pieces[v->next].taught) v->next++;
  for (size_t i = v->next; i < v->n_pieces && v->pieces[i].first < to && !st; i++) {
    piece *p = &v->pieces[i];
    const size_t first = p->first > from ? p->first : from, last = p->last < to ? p->last : to;
    if (last > first && !p->taught) {
      st = am_grow(context(v), &p->samples, &p->room, p->n + last - first, sizeof *p->samples, err);
      if (!st) memcpy(p->samples + p->n, samples + (first - from), (last - first) * sizeof *samples);
      if (!st) p->n += last - first;
    }
    if (!st && p->last <= to && !p->taught) st = teach(v, p, err);
  }
  v->heard += n;
  return st;
}

static am_status learn(voices *v, am_error *err) {
  am_sound sound = {.size = sizeof sound};
  am_status st = AM_OK;
  v->rate = am_checkpoint_rate(v->s->team.at[0]);
  for (size_t i = 0; i < v->n && !st; i++) st = begin_voice(v, &v->at[i], err);
  if (st || !v->n_pieces) return st;
  qsort(v->pieces, v->n_pieces, sizeof *v->pieces, by_start);
  st = cli_sound_feed(v->s->c, v->s->media, v->rate, 0, push, v, &sound, err);
  for (size_t i = v->next; i < v->n_pieces && !st; i++) st = teach(v, &v->pieces[i], err);
  am_sound_free(&sound);
  return st;
}

/* ---- hearing ---- */

/* *deaf: a model has to know the voice, and nothing was heard of it. */
static am_status use_voice(const voices *v, const voice *x, bool *deaf, am_error *err) {
  am_status st = AM_OK;
  *deaf = false;
  for (size_t i = 0; i < v->s->team.n && !st; i++) {
    am_checkpoint *m = v->s->team.at[i];
    const double seconds = x->of && x->of[i] ? am_profile_seconds(x->of[i]) : 0;
    const bool wants = am_checkpoint_wants_speaker(m);
    am_checkpoint_forget_speaker(m);
    if (seconds >= enough || (seconds > 0 && wants)) st = am_checkpoint_enrol(m, x->of[i], err);
    else *deaf |= wants;
  }
  return st;
}

static am_status hear_voice(voices *v, const voice *x, am_error *err) {
  cli_subtitled *s = v->s;
  am_context *ctx = context(v);
  cli_heard own = {0};
  const size_t k = (size_t)s->team.at[0]->classes;
  bool deaf = false;
  cli_span *spans = am_alloc(ctx, x->n + 1, sizeof *spans);
  am_status st = spans ? use_voice(v, x, &deaf, err) : am_no_memory(err);
  for (size_t i = 0; i < x->n && !st; i++) {
    const am_cue *cue = &s->cues.at[v->cues[x->first + i].which];
    spans[i] = (cli_span){.start = cue->start, .end = cue->stop};
  }
  const bool known = !st && am_checkpoint_knows_speaker(s->team.at[0]);
  if (!st && !deaf) st = cli_spans_hear(s->c, &s->team, s->media, spans, x->n, &own, err);
  for (size_t i = 0; i < x->n && !st; i++) {
    const size_t to = v->cues[x->first + i].which;
    s->heard.at[to] = deaf ? spans[i] : own.at[i];
    s->known[to] = known;
    if (!deaf) memcpy(s->heard.p + to * k, own.p + i * k, k * sizeof *own.p);
  }
  cli_heard_free(s->c, &own);
  am_free(ctx, spans);
  return st;
}

static am_status hear_all(voices *v, am_error *err) {
  cli_subtitled *s = v->s;
  const size_t n = s->cues.n, k = (size_t)s->team.at[0]->classes;
  size_t known = 0, named = 0;
  s->heard = (cli_heard){.at = am_alloc(context(v), n + 1, sizeof *s->heard.at),
                         .p = am_alloc(context(v), am_add(am_mul(n, k), 1), sizeof *s->heard.p),
                         .n = n};
  s->known = am_alloc(context(v), n + 1, sizeof *s->known);
  if (!s->heard.at || !s->heard.p || !s->known) return am_no_memory(err);
  for (size_t i = 0; i < n * k; i++) s->heard.p[i] = NAN;
  am_status st = AM_OK;
  for (size_t i = 0; i < v->n && !st; i++) {
    st = hear_voice(v, &v->at[i], err);
    if (!v->at[i].name[0]) continue;
    named++;
    known += !st && am_checkpoint_knows_speaker(s->team.at[0]);
  }
  if (!st && named)
    am_log(context(v), AM_LOG_INFO, "%zu of %zu speakers are heard by their voice, which their cues tell", known,
           named);
  return st;
}

bool cli_subtitled_knows_voices(const cli_subtitled *s) {
  bool uses = false, named = false;
  for (size_t i = 0; i < s->team.n; i++) uses |= am_checkpoint_uses_speaker(s->team.at[i]);
  for (size_t i = 0; i < s->cues.n && !named; i++) {
    bool several;
    const am_cue *cue = &s->cues.at[i];
    named = cue->speaker || (!s->cues.syntax->plain && am_show_speaker_of(am_cue_text(&s->cues, cue), &several).n);
  }
  return uses && named && strcmp(s->media, "-") != 0;
}

am_status cli_subtitled_hear_voices(cli_subtitled *s, am_error *err) {
  voices v = {.s = s};
  am_status st = name_cues(&v, err);
  if (!st) st = group(&v, err);
  if (!st) st = learn(&v, err);
  if (!st) st = hear_all(&v, err);
  for (size_t i = 0; i < v.n; i++) {
    for (size_t k = 0; k < s->team.n && v.at[i].of; k++) am_profile_free(v.at[i].of[k]);
    am_free(s->c->ctx, v.at[i].of);
  }
  for (size_t i = 0; i < v.n_pieces; i++) am_free(s->c->ctx, v.pieces[i].samples);
  for (size_t i = 0; i < s->cues.n && v.cues; i++) am_free(s->c->ctx, v.cues[i].name);
  am_free(s->c->ctx, v.pieces);
  am_free(s->c->ctx, v.cues);
  am_free(s->c->ctx, v.at);
  return st;
}
