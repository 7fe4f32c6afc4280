/* SPDX-License-Identifier: MIT */
/* model/origin.c - the speakers that weights were trained on. */
#include "model/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static int by_byte(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void am_speakers_sort(am_context *ctx, am_names *speakers) {
  size_t kept = 0;
  if (!speakers->n) return;
  qsort(speakers->at, speakers->n, sizeof *speakers->at, by_byte);
  for (size_t i = 1; i < speakers->n; i++)
    if (strcmp(speakers->at[kept], speakers->at[i])) speakers->at[++kept] = speakers->at[i];
    else am_free(ctx, speakers->at[i]);
  speakers->n = kept + 1;
}

/* Unsorted; *room is that of speakers->at. */
static am_status put(am_context *ctx, am_names *speakers, size_t *room, const char *name, size_t length,
                     am_error *err) {
  if (am_grow(ctx, &speakers->at, room, speakers->n + 1, sizeof *speakers->at, err)) return AM_E_NOMEM;
  char *copy = am_format(ctx, "%.*s", (int)length, name);
  if (!copy) return am_no_memory(err);
  speakers->at[speakers->n++] = copy;
  return AM_OK;
}

am_status am_speakers_add(am_context *ctx, am_names *speakers, const am_dataset *d, const uint32_t *clips, size_t n,
                          am_error *err) {
  const size_t width = (size_t)d->n_speakers + 1;
  size_t room = speakers->n;
  am_tree *memory = NULL;
  bool *known = am_alloc(ctx, am_mul(width, (size_t)d->n_corpora + 1), sizeof *known);
  am_status status = known ? am_tree_create(ctx, &memory, err) : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) {
    const am_clip *clip = &d->clips[clips[i]];
    bool *before = &known[(size_t)clip->corpus * width + (size_t)(clip->speaker + 1)];
    if (*before) continue;
    *before = true;
    const char *person = am_clip_person(d, clip, memory);
    status = person ? put(ctx, speakers, &room, person, strlen(person), err) : am_no_memory(err);
  }
  am_speakers_sort(ctx, speakers);
  am_tree_free(memory);
  am_free(ctx, known);
  return status;
}

am_status am_speakers_read(am_context *ctx, am_names *speakers, const char *text, am_error *err) {
  size_t room = speakers->n;
  am_status status = AM_OK;
  for (const char *end = text + strlen(text); text < end && !status; text++) {
    const char *line = memchr(text, '\n', (size_t)(end - text));
    const size_t length = (size_t)((line ? line : end) - text);
    if (length) status = put(ctx, speakers, &room, text, length, err);
    text += length;
  }
  am_speakers_sort(ctx, speakers);
  return status;
}

am_status am_speakers_join(am_context *ctx, am_names *speakers, const am_names *more, am_error *err) {
  size_t room = speakers->n;
  am_status status = AM_OK;
  for (size_t i = 0; i < more->n && !status; i++)
    status = put(ctx, speakers, &room, more->at[i], strlen(more->at[i]), err);
  am_speakers_sort(ctx, speakers);
  return status;
}

/* Index of the first that is not before `name`; n: none. */
static size_t not_before(const am_names *speakers, const char *name) {
  size_t low = 0, high = speakers->n;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (strcmp(speakers->at[mid], name) < 0) low = mid + 1;
    else high = mid;
  }
  return low;
}

/* Whether the name says who it is, and not only of which corpus, or nothing. */
static bool named(const char *name) {
  const char *tab = strchr(name, '\t');
  return tab && tab[1];
}

/* Whether somebody whom `a` does not name may be one of `b`. */
static bool may_share(const am_names *a, const am_names *b) {
  for (size_t i = 0; i < a->n && b->n; i++) {
    if (named(a->at[i])) continue;
    if (!strchr(a->at[i], '\t')) return true;
    const size_t near = not_before(b, a->at[i]); /* all of that corpus stand together */
    if (near < b->n && !strncmp(b->at[near], a->at[i], strlen(a->at[i]))) return true;
  }
  return false;
}

am_shared am_speakers_shared(const am_names *a, const am_names *b) {
  am_shared s = {.unknown = may_share(a, b) || may_share(b, a)};
  for (size_t i = 0; i < a->n; i++) {
    const char *name = a->at[i];
    if (!named(name)) continue;
    s.of++;
    const size_t near = not_before(b, name);
    if (near == b->n || strcmp(b->at[near], name) != 0) continue;
    if (!s.n++) snprintf(s.first, sizeof s.first, "%.*s/%s", (int)strcspn(name, "\t"), name, strchr(name, '\t') + 1);
  }
  return s;
}

am_status am_origin_before(am_context *ctx, const am_origin *from, uint64_t digest, am_names *before, am_error *err) {
  am_status status = am_speakers_join(ctx, before, &from->before, err);
  /* The very same clips and parts, with speakers kept apart: what is held out now was so then. */
  const bool same = from->digest && from->digest == digest && from->speaker_independent;
  return status || same ? status : am_speakers_join(ctx, before, &from->seen, err);
}

void am_origin_free(am_context *ctx, am_origin *origin) {
  am_free(ctx, origin->config);
  am_names_free(ctx, &origin->seen);
  am_names_free(ctx, &origin->before);
  am_credit_free(ctx, &origin->credit);
  *origin = (am_origin){0};
}
