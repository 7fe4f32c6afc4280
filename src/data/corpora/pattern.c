/* SPDX-License-Identifier: MIT */
/* data/corpora/pattern.c - PCRE2, and nothing else knows it. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/utf8.h"
#include "data/corpora/pattern.h"

enum { DEPTH = 1000, HEAP_KIB = 20000, ENTRY_NUMBER = 2 /* bytes of the number that begins an entry */ };

struct am_pattern {
  am_context *ctx;
  pcre2_general_context *memory;
  pcre2_code *code;
  pcre2_match_context *limits;
  pcre2_match_data *match;
  PCRE2_SPTR names; /* PCRE2's table: number (2 bytes), name, NUL; entries of one size */
  uint32_t n_names, entry;
};

static void *take(size_t bytes, void *ctx) { return am_alloc(ctx, bytes, 1); }
static void give(void *pointer, void *ctx) { am_free(ctx, pointer); }

static am_status compile(am_pattern *p, const char *text, am_error *err) {
  int code = 0;
  PCRE2_SIZE at = 0;
  PCRE2_UCHAR why[160];
  uint32_t flags = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
  pcre2_compile_context *settings = pcre2_compile_context_create(p->memory);
  if (!settings) return am_no_memory(err);
  pcre2_set_max_pattern_length(settings, AM_PATTERN_BYTES);
  p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, flags, &code, &at, settings);
  pcre2_compile_context_free(settings);
  if (p->code) return AM_OK;
  if (code == PCRE2_ERROR_HEAP_FAILED) return am_no_memory(err);
  if (pcre2_get_error_message(code, why, sizeof why) < 0) why[0] = 0;
  size_t n = strlen(text);
  if (at > n) at = n;
  size_t from = at > 24 ? at - 24 : 0; /* the end of what was read so far is where to look */
  while (from < at && (text[from] & 0xC0) == 0x80) from++;
  return am_fail(err, AM_E_CONFIG, "%s at character %zu of the pattern, after \"%s%.*s\"", (const char *)why, at + 1,
                 from ? "..." : "", (int)(at - from), text + from);
}

am_status am_pattern_create(am_context *ctx, const char *text, am_pattern **out, am_error *err) {
  *out = NULL;
  am_pattern *p = am_alloc(ctx, 1, sizeof *p);
  if (!p) return am_no_memory(err);
  p->ctx = ctx;
  p->memory = pcre2_general_context_create(take, give, ctx);
  am_status status = p->memory ? compile(p, text, err) : am_no_memory(err);
  if (!status) {
    p->limits = pcre2_match_context_create(p->memory);
    p->match = pcre2_match_data_create_from_pattern(p->code, p->memory);
    if (!p->limits || !p->match) status = am_no_memory(err);
  }
  if (status) {
    am_pattern_free(p);
    return status;
  }
  pcre2_set_match_limit(p->limits, AM_PATTERN_STEPS);
  pcre2_set_depth_limit(p->limits, DEPTH);
  pcre2_set_heap_limit(p->limits, HEAP_KIB);
  pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &p->n_names);
  pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &p->entry);
  pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &p->names);
  *out = p;
  return AM_OK;
}

void am_pattern_free(am_pattern *p) {
  if (!p) return;
  pcre2_match_data_free(p->match);
  pcre2_match_context_free(p->limits);
  pcre2_code_free(p->code);
  pcre2_general_context_free(p->memory);
  am_free(p->ctx, p);
}

const char *am_pattern_group(const am_pattern *p, size_t i) {
  return i < p->n_names ? (const char *)p->names + i * p->entry + ENTRY_NUMBER : NULL;
}

am_status am_pattern_match(am_pattern *p, const char *path, bool *matched, size_t *start, am_error *err) {
  size_t n = strlen(path);
  *matched = false;
  if (am_utf8_wrong(path)) return AM_OK;
  for (const char *from = path; from; from = strchr(from, '/') ? strchr(from, '/') + 1 : NULL) {
    *start = (size_t)(from - path);
    int got =
        pcre2_match(p->code, (PCRE2_SPTR)path, n, *start, PCRE2_ANCHORED | PCRE2_ENDANCHORED, p->match, p->limits);
    if (got == PCRE2_ERROR_NOMATCH || got == PCRE2_ERROR_PARTIAL) continue;
    if (got == PCRE2_ERROR_NOMEMORY) return am_no_memory(err);
    if (got == PCRE2_ERROR_MATCHLIMIT || got == PCRE2_ERROR_DEPTHLIMIT || got == PCRE2_ERROR_HEAPLIMIT)
      return am_fail(err, AM_E_CONFIG,
                     "the pattern takes too many steps on %s; repeats inside repeats, as in (a+)+, "
                     "are the usual cause",
                     path);
    if (got < 0) return am_fail(err, AM_E_CONFIG, "the pattern fails on %s (PCRE2 error %d)", path, got);
    *matched = true;
    return AM_OK;
  }
  return AM_OK;
}

bool am_pattern_caught(const am_pattern *p, size_t i, size_t *start, size_t *length) {
  PCRE2_SPTR entry = p->names + i * p->entry;
  size_t number = (size_t)entry[0] << 8 | entry[1];
  const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
  if (number >= pcre2_get_ovector_count(p->match) || at[2 * number] == PCRE2_UNSET) return false;
  *start = at[2 * number];
  *length = at[2 * number + 1] - at[2 * number];
  return true;
}

void am_pattern_library(char out[64]) {
  const int n = pcre2_config(PCRE2_CONFIG_VERSION, NULL);
  if (n <= 0 || n > 64 || pcre2_config(PCRE2_CONFIG_VERSION, out) < 0) *out = '\0';
}
