/* SPDX-License-Identifier: MIT */
/* subtitle/show.c - see show.h. */
#include "subtitle/show.h"

#include <string.h>

const am_show_options am_show_defaults = {.margin = 0.2, .gap = 10, .a_minute = 3};

enum { NOTHING = -1, LONGEST_NAME = 30 };

/* What viewers take a speaker to feel. */
typedef struct am_show_speaker {
  char *name;
  size_t n;
  int label;
} am_show_speaker;

void am_show_begin(am_show *s, am_context *ctx, const am_show_options *options) {
  *s = (am_show){.ctx = ctx, .options = *options};
}

void am_show_end(am_show *s) {
  for (size_t i = 0; i < s->n_speakers; i++) am_free(s->ctx, s->speakers[i].name);
  am_free(s->ctx, s->speakers);
  s->speakers = NULL;
  s->n_speakers = s->room = 0;
}

static am_show_speaker *find(am_show *s, am_slice name, am_error *err) {
  const char *at = name.at ? name.at : "";
  if (s->n_speakers == AM_SHOW_SPEAKERS) name.n = 0;
  for (size_t i = 0; i < s->n_speakers; i++) {
    am_show_speaker *known = &s->speakers[i];
    if (known->n == name.n && !memcmp(known->name, at, name.n)) return known;
  }
  if (s->n_speakers == AM_SHOW_SPEAKERS) return &s->speakers[0];
  if (am_grow(s->ctx, &s->speakers, &s->room, s->n_speakers + 1, sizeof *s->speakers, err)) return NULL;
  am_show_speaker *new = &s->speakers[s->n_speakers];
  *new = (am_show_speaker){.name = am_alloc(s->ctx, name.n + 1, 1), .n = name.n, .label = NOTHING};
  if (!new->name) {
    (void)am_no_memory(err);
    return NULL;
  }
  if (name.n) memcpy(new->name, at, name.n);
  s->n_speakers++;
  return new;
}

static bool due(const am_show *s, double start) {
  const size_t most = (size_t)s->options.a_minute;
  if (!most) return false;
  if (!s->n_told) return true;
  if (start - s->told[(s->n_told - 1) % AM_SHOW_MOST] < s->options.gap) return false;
  return s->n_told < most || start - s->told[(s->n_told - most) % AM_SHOW_MOST] >= 60;
}

am_status am_show_cue(am_show *s, const am_shown *c, bool *yes, am_error *err) {
  *yes = false;
  if (c->label < 0 || !(c->margin >= s->options.margin)) return AM_OK; /* also a margin that is no number */
  am_show_speaker *who = find(s, c->speaker, err);
  if (!who) return AM_E_NOMEM;
  if (c->quiet) who->label = NOTHING;
  if (c->quiet || who->label == c->label || !c->fits || !due(s, c->start)) return AM_OK;
  who->label = c->label;
  s->told[s->n_told++ % AM_SHOW_MOST] = c->start;
  *yes = true;
  return AM_OK;
}

/* ---- who speaks ---- */

/* "ANN: ": without letters in lower case (of ASCII), and with one in upper case or beyond ASCII. */
static am_slice name_of(am_slice text) {
  bool letter = false;
  for (size_t i = 0; i < text.n && i <= LONGEST_NAME; i++) {
    const char c = text.at[i];
    if (c == ':')
      return letter && i + 1 < text.n && (text.at[i + 1] == ' ' || am_slice_newline(am_slice_from(text.at + i + 1, 1)))
                 ? am_slice_from(text.at, i)
                 : (am_slice){0};
    if ((c >= 'a' && c <= 'z') || c == '\n' || c == '\r' || c == '[' || c == '(') break;
    letter |= (c >= 'A' && c <= 'Z') || (c & 0x80);
  }
  return (am_slice){0};
}

am_slice am_show_speaker_of(am_slice text, bool *several) {
  am_slice rest = text, line, name = {0};
  int dashes = 0;
  while (am_slice_line(&rest, &line)) dashes += line.n > 1 && line.at[0] == '-' && line.at[1] != '-';
  *several = dashes > 1;
  if (text.n) name = am_cue_voice(text);
  for (; text.n > 1 && !name.n && (text.at[0] == '-' || text.at[0] == ' '); text.at++) text.n--;
  return name.n || !text.n ? name : name_of(text);
}

am_status am_show_cue_speaker(const am_cues *c, const am_cue *cue, am_slice text, am_buffer *room, am_slice *speaker,
                              bool *several, am_error *err) {
  room->used = 0;
  if (c->syntax->plain) c->syntax->plain(c, text, room);
  else am_buffer_append(c->ctx, room, text.at, text.n);
  if (room->failed) return am_no_memory(err);
  *speaker = am_show_speaker_of(am_slice_from(room->data, room->used), several);
  if (cue->speaker) *speaker = am_slice_from(cue->speaker, strlen(cue->speaker));
  return AM_OK;
}
