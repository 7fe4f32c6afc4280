/* SPDX-License-Identifier: MIT */
/* data/credit.c - licences and attributions of several corpora, each once. */
#include "data/credit.h"

#include <string.h>

/* Up to the next gap, or the end. */
static size_t piece_length(const char *text, const char *gap) {
  const char *end = strstr(text, gap);
  return end ? (size_t)(end - text) : strlen(text);
}

static const char *after(const char *piece, size_t length, const char *gap) {
  return piece[length] ? piece + length + strlen(gap) : piece + length;
}

static bool has(const char *list, const char *piece, size_t length, const char *gap) {
  for (size_t n; *list; list = after(list, n, gap)) {
    n = piece_length(list, gap);
    if (n == length && !strncmp(list, piece, n)) return true;
  }
  return false;
}

am_status am_credit_add(am_context *ctx, am_buffer *list, const char *more, const char *gap, am_error *err) {
  if (!more) more = "";
  for (size_t n; *more; more = after(more, n, gap)) {
    n = piece_length(more, gap);
    if (!n || has(list->data ? list->data : "", more, n, gap)) continue;
    am_buffer_printf(ctx, list, "%s%.*s", list->used ? gap : "", (int)n, more);
    if (list->failed) return am_no_memory(err);
  }
  return AM_OK;
}

am_status am_credit_line(am_context *ctx, const char *title, const char *licence, const char *citation, char **out,
                         am_error *err) {
  *out =
      am_format(ctx, "%s (%s)%s%s", title, *licence ? licence : "licence not known", *citation ? ": " : "", citation);
  if (!*out) return am_no_memory(err);
  for (char *c = *out; *c; c++)
    if ((unsigned char)*c < ' ') *c = ' ';
  return AM_OK;
}

/* *text, with what `more` has beyond it. */
static am_status join(am_context *ctx, char **text, const char *more, const char *gap, am_error *err) {
  am_buffer list = {0};
  am_status status = am_credit_add(ctx, &list, *text, gap, err);
  if (!status) status = am_credit_add(ctx, &list, more, gap, err);
  if (!status) {
    am_free(ctx, *text);
    *text = am_format(ctx, "%s", list.data ? list.data : "");
    if (!*text) status = am_no_memory(err);
  }
  am_buffer_free(ctx, &list);
  return status;
}

am_status am_credit_join(am_context *ctx, am_credit *credit, const char *licence, const char *attribution,
                         am_error *err) {
  am_status status = join(ctx, &credit->licence, licence, AM_LICENCE_GAP, err);
  return status ? status : join(ctx, &credit->attribution, attribution, AM_ATTRIBUTION_GAP, err);
}

bool am_credit_noncommercial(const char *licence) { return strstr(licence, "-NC") || strstr(licence, "BY NC"); }

void am_credit_free(am_context *ctx, am_credit *credit) {
  am_free(ctx, credit->licence);
  am_free(ctx, credit->attribution);
  *credit = (am_credit){0};
}
