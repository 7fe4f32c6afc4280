/* SPDX-License-Identifier: MIT */
/* cli/spans.c - what is heard at the times of cues, or at each utterance, in one pass over a sound.
 *
 * A stream takes turns that do not overlap, and cues may: they go to as few streams as there are cues at one moment. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const double shortest = 1.5, longest = 60; /* s, of what is measured */
enum { MOST_AT_ONCE = 32 };

void cli_heard_free(cli *c, cli_heard *h) {
  am_free(c->ctx, h->at);
  am_free(c->ctx, h->p);
  *h = (cli_heard){0};
}

/* A part of the cues, in order, none of which overlap. */
typedef struct row {
  struct hearer *of;
  am_stream *stream;
  am_stream_turn *turns; /* (n) */
  size_t *which;         /* (n) the place of each in `heard` */
  size_t n, room, room_which;
} row;

typedef struct hearer {
  cli *c;
  const char *file;
  double rate;
  int classes;
  cli_heard *heard;
  size_t room, room_p;
  row rows[MOST_AT_ONCE];
  size_t n_rows;
} hearer;

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  hearer *h = user;
  am_status st = AM_OK;
  for (size_t i = 0; i < h->n_rows && !st; i++) st = am_stream_push(h->rows[i].stream, samples, n, h->rate, err);
  return st;
}

static void say_notice(const hearer *h, const am_stream_event *e) {
  if (e->kind == AM_STREAM_NOTICE) am_log(h->c->ctx, AM_LOG_WARNING, "%s, %.2f s: %s", h->file, e->start, e->text);
}

/* Of a cue: its place is known. */
static am_status on_turn(void *user, const am_stream_event *e, am_error *err) {
  row *r = user;
  hearer *h = r->of;
  (void)err;
  if (r == h->rows) say_notice(h, e); /* the others hear the same */
  if (e->kind != AM_STREAM_MEASURED || !e->last || e->utterance >= r->n) return AM_OK;
  const size_t i = r->which[e->utterance];
  h->heard->at[i].measured = e->heard.unheard == AM_HEARD;
  memcpy(h->heard->p + i * (size_t)h->classes, e->probabilities, (size_t)h->classes * sizeof *e->probabilities);
  return AM_OK;
}

/* Of an utterance: it is added. */
static am_status on_utterance(void *user, const am_stream_event *e, am_error *err) {
  row *r = user;
  hearer *h = r->of;
  cli_heard *to = h->heard;
  const size_t k = (size_t)h->classes;
  say_notice(h, e);
  if (e->kind != AM_STREAM_MEASURED || !e->last) return AM_OK;
  am_status st = am_grow(h->c->ctx, &to->at, &h->room, to->n + 1, sizeof *to->at, err);
  if (!st) st = am_grow(h->c->ctx, &to->p, &h->room_p, to->n + 1, am_mul(k, sizeof *to->p), err);
  if (st) return st;
  to->at[to->n] = (cli_span){.start = e->start, .end = e->end, .measured = e->heard.unheard == AM_HEARD};
  memcpy(to->p + to->n++ * k, e->probabilities, k * sizeof *to->p);
  return AM_OK;
}

static am_status hear(hearer *h, const cli_models *team, am_stream_fn each, double window, am_error *err) {
  am_sound sound = {.size = sizeof sound};
  am_status st = AM_OK;
  for (size_t i = 0; i < h->n_rows && !st; i++) {
    row *r = &h->rows[i];
    am_stream_options o = {.size = sizeof o, .window = window, .hop = window, .whole = window, .longest = window};
    o.speech = r->n ? AM_SPEECH_GIVEN : team->detector ? AM_SPEECH_BY_MODEL : AM_SPEECH_BY_LEVEL;
    if (!r->n) o.detector = team->detector;
    o.turns = r->turns;
    o.n_turns = r->n;
    st = am_stream_create(team->ensemble, &o, each, r, &r->stream, err);
  }
  if (!st && h->n_rows) st = cli_sound_feed(h->c, h->file, h->rate, 0, push, h, &sound, err);
  for (size_t i = 0; i < h->n_rows && !st; i++) st = am_stream_end(h->rows[i].stream, err);
  am_sound_free(&sound);
  for (size_t i = 0; i < h->n_rows; i++) am_stream_free(h->rows[i].stream);
  return st;
}

static hearer begin(cli *c, const cli_models *team, const char *path, cli_heard *heard) {
  return (hearer){.c = c,
                  .file = path,
                  .rate = am_checkpoint_rate(team->at[0]),
                  .classes = am_checkpoint_classes(team->at[0]),
                  .heard = heard};
}

am_status cli_utterances_hear(cli *c, const cli_models *team, const char *path, cli_heard *heard, am_error *err) {
  *heard = (cli_heard){0};
  hearer h = begin(c, team, path, heard);
  h.n_rows = 1;
  h.rows[0].of = &h;
  return hear(&h, team, on_utterance, 30, err);
}

/* ---- cues ---- */

/* Evenly wider where it is short, within the sound's beginning; of a long one the first minute. */
static am_stream_turn widened(const cli_span *s) {
  am_stream_turn t = {s->start, fmax(s->end, s->start)};
  const double more = (shortest - (t.end - t.start)) / 2;
  if (more > 0) t = (am_stream_turn){t.start - more, t.end + more};
  if (t.start < 0) t = (am_stream_turn){0, fmax(shortest, t.end)};
  if (t.end - t.start > longest) t.end = t.start + longest;
  return t;
}

typedef struct order {
  am_stream_turn turn;
  size_t which;
} order;

static int by_start(const void *a, const void *b) {
  const order *x = a, *y = b;
  if (x->turn.start != y->turn.start) return x->turn.start < y->turn.start ? -1 : 1;
  return (x->which > y->which) - (x->which < y->which);
}

static am_status put_turn(hearer *h, const order *o, am_error *err) {
  size_t i = 0;
  while (i < h->n_rows && h->rows[i].turns[h->rows[i].n - 1].end > o->turn.start) i++;
  if (i == MOST_AT_ONCE)
    return am_fail(err, AM_E_DATA, "at %.2f s there are more than %d cues at one moment", o->turn.start, MOST_AT_ONCE);
  row *r = &h->rows[i];
  if (i == h->n_rows) *r = (row){.of = h}, h->n_rows++;
  am_status st = am_grow(h->c->ctx, &r->turns, &r->room, r->n + 1, sizeof *r->turns, err);
  if (!st) st = am_grow(h->c->ctx, &r->which, &r->room_which, r->n + 1, sizeof *r->which, err);
  if (st) {
    if (!r->n) h->n_rows--, am_free(h->c->ctx, r->turns);
    return st;
  }
  r->turns[r->n] = o->turn;
  r->which[r->n++] = o->which;
  return AM_OK;
}

am_status cli_spans_hear(cli *c, const cli_models *team, const char *path, const cli_span *spans, size_t n,
                         cli_heard *heard, am_error *err) {
  hearer h = begin(c, team, path, heard);
  double window = shortest;
  const size_t k = (size_t)h.classes;
  *heard = (cli_heard){.at = am_alloc(c->ctx, n + 1, sizeof *heard->at),
                       .p = am_alloc(c->ctx, am_add(am_mul(n, k), 1), sizeof *heard->p),
                       .n = n};
  order *all = am_alloc(c->ctx, n + 1, sizeof *all);
  am_status st = all && heard->at && heard->p ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !st; i++) {
    heard->at[i] = (cli_span){.start = spans[i].start, .end = spans[i].end};
    all[i] = (order){widened(&spans[i]), i};
    window = fmax(window, all[i].turn.end - all[i].turn.start);
  }
  for (size_t i = 0; i < n * k && !st; i++) heard->p[i] = NAN;
  if (!st) qsort(all, n, sizeof *all, by_start);
  for (size_t i = 0; i < n && !st; i++) st = put_turn(&h, &all[i], err);
  if (!st) st = hear(&h, team, on_turn, window + 0.1, err); /* so that rounding cuts none */
  for (size_t i = 0; i < h.n_rows; i++) {
    am_free(c->ctx, h.rows[i].turns);
    am_free(c->ctx, h.rows[i].which);
  }
  am_free(c->ctx, all);
  return st;
}
