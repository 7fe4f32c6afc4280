/* SPDX-License-Identifier: MIT */
/* subtitle/rttm.c - reading a diariser's turns. */
#include "subtitle/rttm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FIELDS = 8, LARGEST = 64 << 20 };

void am_rttm_free(am_rttm *r) {
  for (size_t i = 0; i < r->n; i++) {
    am_free(r->ctx, r->turns[i].file);
    am_free(r->ctx, r->turns[i].speaker);
  }
  am_free(r->ctx, r->turns);
  *r = (am_rttm){.ctx = r->ctx};
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

am_status am_rttm_add(am_rttm *r, size_t *room, const char *file, const char *speaker, double start, double end,
                      int line, am_error *err) {
  while (blank(*speaker)) speaker++;
  size_t n = strlen(speaker);
  while (n && blank(speaker[n - 1])) n--;
  if (!n || !(end > start)) return AM_OK;
  am_status status = am_grow(r->ctx, &r->turns, room, r->n + 1, sizeof *r->turns, err);
  if (status) return status;
  am_rttm_turn *t = &r->turns[r->n];
  *t = (am_rttm_turn){am_strdup(r->ctx, file), am_format(r->ctx, "%.*s", (int)n, speaker), start, end, line};
  r->n++;
  return t->file && t->speaker ? AM_OK : am_no_memory(err);
}

/* ---- lines ---- */

typedef struct reader {
  am_rttm *to;
  const char *source;
  size_t room;
  int line;
} reader;

static am_status seconds_of(const reader *r, const char *text, const char *what, double *out, am_error *err) {
  char *end;
  *out = strtod(text, &end);
  if (end != text && !*end && *out >= 0 && *out < 1e9) return AM_OK;
  return am_fail(err, AM_E_FORMAT, "%s:%d: %s is '%s'; wanted seconds", r->source, r->line, what, text);
}

/* A line, which is cut up in place. */
static am_status take_line(reader *r, char *line, am_error *err) {
  char *field[FIELDS], *rest = NULL;
  int n = 0;
  for (char *word = strtok_r(line, " \t\r", &rest); word && n < FIELDS; word = strtok_r(NULL, " \t\r", &rest))
    field[n++] = word;
  if (!n || strcmp(field[0], "SPEAKER")) return AM_OK;
  if (n < FIELDS)
    return am_fail(err, AM_E_FORMAT,
                   "%s:%d: a SPEAKER line of %d fields; wanted 8 or more: type, file, channel, start, "
                   "duration, <NA>, <NA>, speaker",
                   r->source, r->line, n);
  double start = 0, length = 0;
  am_status status = seconds_of(r, field[3], "the start", &start, err);
  if (!status) status = seconds_of(r, field[4], "the duration", &length, err);
  if (status || !(length > 0)) return status;
  return am_rttm_add(r->to, &r->room, field[1], field[7], start, start + length, r->line, err);
}

/* ---- order ---- */

static int by_speaker_and_time(const void *a, const void *b) {
  const am_rttm_turn *x = a, *y = b;
  const int file = strcmp(x->file, y->file), speaker = strcmp(x->speaker, y->speaker);
  if (file) return file;
  if (speaker) return speaker;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return (x->line > y->line) - (x->line < y->line);
}

static void join(am_rttm *r) {
  size_t n = 0;
  for (size_t i = 0; i < r->n; i++) {
    am_rttm_turn *t = &r->turns[i], *last = n ? &r->turns[n - 1] : NULL;
    if (last && !strcmp(last->file, t->file) && !strcmp(last->speaker, t->speaker) && t->start <= last->end) {
      last->end = fmax(last->end, t->end);
      am_free(r->ctx, t->file);
      am_free(r->ctx, t->speaker);
    } else {
      r->turns[n++] = *t;
    }
  }
  r->n = n;
}

void am_rttm_sort(am_rttm *r) {
  if (r->n) qsort(r->turns, r->n, sizeof *r->turns, by_speaker_and_time);
  join(r);
}

am_status am_rttm_parse(am_context *ctx, const char *text, size_t bytes, const char *source, am_rttm *out,
                        am_error *err) {
  *out = (am_rttm){.ctx = ctx};
  reader r = {.to = out, .source = source};
  char *copy = am_alloc(ctx, bytes + 1, 1);
  if (!copy) return am_no_memory(err);
  memcpy(copy, text, bytes);
  am_status status = AM_OK;
  if (memchr(copy, 0, bytes))
    status = am_fail(err, AM_E_FORMAT, "%s: holds a zero byte; wanted RTTM, which is text", source);
  for (char *at = copy, *next; at && !status; at = next) {
    next = strchr(at, '\n');
    if (next) *next++ = 0;
    r.line++;
    status = take_line(&r, at, err);
  }
  am_free(ctx, copy);
  if (!status && !out->n)
    status = am_fail(err, AM_E_FORMAT, "%s: has no line of type SPEAKER; wanted RTTM, as diarisers write it", source);
  if (status) am_rttm_free(out);
  else am_rttm_sort(out);
  return status;
}

am_status am_rttm_read(am_context *ctx, const char *path, am_rttm *out, am_error *err) {
  char *text;
  size_t bytes;
  *out = (am_rttm){.ctx = ctx};
  am_status status = am_file_read(ctx, path, LARGEST, &text, &bytes, err);
  if (status) return status;
  status = am_rttm_parse(ctx, text, bytes, path, out, err);
  am_free(ctx, text);
  return status;
}

static bool names(const char *file, const char *sound) {
  const char *slash = strrchr(sound, '/'), *name = slash ? slash + 1 : sound, *dot = strrchr(name, '.');
  const size_t stem = dot && dot > name ? (size_t)(dot - name) : strlen(name);
  return !strcmp(file, name) || (strlen(file) == stem && !strncmp(file, name, stem));
}

am_status am_rttm_choose(am_rttm *r, const char *source, const char *sound, am_error *err) {
  bool several = false;
  size_t n = 0;
  for (size_t i = 1; i < r->n; i++) several |= strcmp(r->turns[i].file, r->turns[0].file) != 0;
  for (size_t i = 0; i < r->n && several; i++) n += names(r->turns[i].file, sound);
  if (!several) return AM_OK;
  if (!n)
    return am_fail(err, AM_E_DATA, "%s: its turns are of several files (%s, ...), and of none that is named as %s",
                   source, r->turns[0].file, sound);
  n = 0;
  for (size_t i = 0; i < r->n; i++) {
    am_rttm_turn *t = &r->turns[i];
    if (names(t->file, sound)) {
      r->turns[n++] = *t;
    } else {
      am_free(r->ctx, t->file);
      am_free(r->ctx, t->speaker);
    }
  }
  r->n = n;
  return AM_OK;
}
