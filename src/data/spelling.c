/* SPDX-License-Identifier: MIT */
/* data/spelling.c - the one file that knows utf8proc. */
#include "data/spelling.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

enum { SAID = 5 }; /* warnings of one kind */

/* Bytes of the blank at `at`: ASCII's, no-break and ideographic space, and those without width; 0: it is none. */
static size_t blank(const char *at) {
  static const char *const wide[] = {"\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xe2\x80\x89"};
  if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') return 1;
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    if (!strncmp(at, wide[i], strlen(wide[i]))) return strlen(wide[i]);
  return 0;
}

/* `text` mapped by utf8proc, blanks at the ends cut and, `runs`, those within made one each. */
static const char *map(am_tree *tree, const char *text, int options, bool runs) {
  utf8proc_uint8_t *mapped = NULL;
  utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, 0, &mapped, (utf8proc_option_t)options);
  if (n == UTF8PROC_ERROR_NOMEM) return NULL;
  const char *from = n < 0 ? text : (const char *)mapped; /* what is not UTF-8 stays as it is */
  char *out = am_tree_take(tree, strlen(from) + 1, 1);
  size_t used = 0, kept = 0; /* kept: up to the last that is no blank */
  for (const char *at = from; out && *at;) {
    const size_t width = blank(at);
    if (width && (!used || (runs && used > kept))) {
      at += width;
      continue;
    }
    if (width && runs) out[used++] = ' ', at += width;
    else if (width) memcpy(out + used, at, width), used += width, at += width;
    else out[used++] = *at++, kept = used;
  }
  if (out) out[kept] = '\0';
  free(mapped);
  return out;
}

const char *am_spelling_clean(am_tree *tree, const char *text) {
  const char *out = map(tree, text, UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE, false);
  return !out ? NULL : !strcmp(out, text) ? text : *out ? out : text; /* blanks alone are a name, too */
}

const char *am_spelling_fold(am_tree *tree, const char *text) {
  const int options =
      UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
  return map(tree, text, options, true);
}

static void say_joined(const am_spelled *s, size_t i, const char *as, const char *difference) {
  am_log(s->ctx, AM_LOG_WARNING,
         "%s \"%s\" (%zu clip%s, first in %s) counts as \"%s\": they differ in %s; mend it there, or set "
         "data.merge_alike: none to keep them apart",
         s->what, s->at[i], s->count[i], am_count(s->count[i], "", "s"), s->place[i], as, difference);
}

static void say_apart(const am_spelled *s, size_t i, size_t k, const char *a, const char *b) {
  const bool label = !strcmp(s->what, "label");
  am_log(s->ctx, AM_LOG_WARNING,
         "%ss \"%s\" (%zu clip%s, first in %s) and \"%s\" (%zu, %s) differ in case or width alone and are two; "
         "set data.merge_alike: case to join them%s%s%s%s%s",
         s->what, a, s->count[i], am_count(s->count[i], "", "s"), s->place[i], b, s->count[k], s->place[k],
         label ? ", or data.merge: {\"" : "", label ? b : "", label ? "\": \"" : "", label ? a : "",
         label ? "\"}" : "");
}

static am_status clean_all(const am_spelled *s, const char **as, am_error *err) {
  size_t said = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (!(as[i] = am_spelling_clean(s->tree, s->at[i]))) return am_no_memory(err);
    if (strcmp(as[i], s->at[i]) && said++ < SAID)
      say_joined(s, i, as[i], strstr(s->at[i], as[i]) ? "blanks at the ends" : "the Unicode form of their letters");
  }
  if (said > SAID) am_log(s->ctx, AM_LOG_WARNING, "and %zu %ss more of that kind", said - SAID, s->what);
  return AM_OK;
}

/* Names with one fold: the config's own spelling, or that of most clips, or the first stands for all. */
static am_status fold_all(const am_spelled *s, am_alike alike, const char **as, am_error *err) {
  am_name_set folds = {.ctx = s->ctx};
  size_t *best = am_alloc(s->ctx, s->n + 1, sizeof *best), said = 0;
  bool *own = am_alloc(s->ctx, s->n + 1, sizeof *own);
  int *of = am_alloc(s->ctx, s->n + 1, sizeof *of);
  am_status status = best && own && of ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < s->n && !status; i++) {
    const size_t before = folds.n;
    const char *fold = am_spelling_fold(s->tree, as[i]);
    if (!fold || (of[i] = am_name_set_add(&folds, fold)) < 0) {
      status = am_no_memory(err);
      break;
    }
    const size_t k = (size_t)of[i];
    const bool mine = s->preferred && am_name_set_find(s->preferred, as[i]) >= 0;
    if (folds.n > before || (mine && !own[k]) || (mine == own[k] && s->count[i] > s->count[best[k]])) {
      best[k] = i;
      own[k] = mine;
    }
  }
  for (size_t i = 0; i < s->n && !status; i++) {
    const size_t b = best[of[i]];
    if (!strcmp(as[i], as[b])) continue;
    if (said++ < SAID) {
      if (alike == AM_ALIKE_CASE) say_joined(s, i, as[b], "case or width");
      else say_apart(s, b, i, as[b], as[i]);
    }
    if (alike == AM_ALIKE_CASE) as[i] = as[b];
  }
  if (said > SAID) am_log(s->ctx, AM_LOG_WARNING, "and %zu %ss more of that kind", said - SAID, s->what);
  am_name_set_free(&folds);
  am_free(s->ctx, best);
  am_free(s->ctx, own);
  am_free(s->ctx, of);
  return status;
}

am_status am_spelling_join(const am_spelled *s, am_alike alike, const char **as, am_error *err) {
  for (size_t i = 0; i < s->n; i++) as[i] = s->at[i];
  if (alike == AM_ALIKE_NONE) return AM_OK;
  am_status status = clean_all(s, as, err);
  return status ? status : fold_all(s, alike, as, err);
}

const char *am_spelling_library(void) { return utf8proc_version(); }
