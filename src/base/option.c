/* base/option.c - sections read, written back and explained by their table. */
#include "base/option.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Words in "a|b|c" */

static size_t word_length(const char *at) { return strcspn(at, "|"); }

int am_choice_index(const char *choices, const char *word) {
  size_t n = strlen(word);
  int index = 0;
  for (const char *at = choices; *at; index++) {
    size_t length = word_length(at);
    if (length == n && !memcmp(at, word, n)) return index;
    at += length;
    if (*at) at++;
  }
  return -1;
}

const char *am_choice_name(const char *choices, int index, char *buffer, size_t size) {
  const char *at = choices;
  while (index-- > 0 && *at) {
    at += word_length(at);
    if (*at) at++;
  }
  snprintf(buffer, size, "%.*s", (int)word_length(at), at);
  return buffer;
}

/* Reading */

/* What one value is read with: where messages point, and whose memory lists take. */
typedef struct reader {
  am_tree *tree;
  const am_option *option;
  const char *section;
  am_error *err;
} reader;

/* How a list or map looks in "found ...". */
static const char *kind_name(const am_value *v) {
  return v->kind == AM_MAP ? "a map" : v->kind == AM_LIST ? "a list" : v->kind == AM_NULL ? "nothing" : v->text;
}

static am_status fail_type(const reader *r, const am_value *v, const char *wanted) {
  const char *quote = v->kind == AM_SCALAR ? "\"" : "";
  return am_fail_at(r->err, v, "%s.%s: found %s%s%s, wanted %s", r->section, r->option->name, quote, kind_name(v),
                    quote, wanted);
}

static bool has_range(const am_option *o) { return o->min != 0 || o->max != 0; }

/* "1 to 10", "at least 1", "at most 10"; numbers as short as they are exact. */
static const char *range_text(const am_option *o, char out[96]) {
  char low[32], high[32];
  am_real_to_text(o->min, low);
  am_real_to_text(o->max, high);
  if (isinf(o->max) || o->max >= 9.2e18) snprintf(out, 96, "at least %s", low);
  else if (isinf(o->min) || o->min <= -9.2e18) snprintf(out, 96, "at most %s", high);
  else snprintf(out, 96, "%s to %s", low, high);
  return out;
}

/* A default may lie outside the range, meaning "not set"; the effective config holds it, so it reads back. */
static am_status check_range(const reader *r, const am_value *v, double number) {
  const am_option *o = r->option;
  double fallback;
  if (!has_range(o) || (number >= o->min && number <= o->max)) return AM_OK;
  if (o->fallback && am_text_to_real(o->fallback, &fallback) && number == fallback) return AM_OK;
  char range[96];
  return am_fail_at(r->err, v, "%s.%s: %s is out of range, wanted %s", r->section, o->name, v->text,
                    range_text(o, range));
}

static am_status read_int(const reader *r, const am_value *v, int64_t *out) {
  if (!am_value_to_int(v, out)) return fail_type(r, v, "a whole number");
  return check_range(r, v, (double)*out);
}

static am_status read_real(const reader *r, const am_value *v, double *out) {
  if (!am_value_to_real(v, out) || isnan(*out)) return fail_type(r, v, "a number");
  return check_range(r, v, *out);
}

static am_status read_text(const reader *r, const am_value *v, const char **out) {
  if (v->kind != AM_SCALAR) return fail_type(r, v, "a text");
  *out = v->text;
  return AM_OK;
}

/* The nearest of "a|b|c" into a buffer, or NULL. */
static const char *nearest_choice(const char *choices, const char *word, char buffer[64]) {
  char words[64][64];
  const char *names[64];
  size_t n = 0;
  for (const char *at = choices; *at && n < 64; n++) {
    size_t length = word_length(at);
    snprintf(words[n], sizeof words[n], "%.*s", (int)length, at);
    names[n] = words[n];
    at += length;
    if (*at) at++;
  }
  const char *found = am_nearest(word, names, n, sizeof *names);
  if (!found) return NULL;
  snprintf(buffer, 64, "%s", found);
  return buffer;
}

static am_status read_choice(const reader *r, const am_value *v, int *out) {
  const char *choices = r->option->choices;
  if (v->kind == AM_SCALAR && (*out = am_choice_index(choices, v->text)) >= 0) return AM_OK;
  char wanted[512] = "one of ", near[64];
  size_t used = strlen(wanted);
  for (const char *c = choices; *c && used + 3 < sizeof wanted; c++) {
    if (*c == '|') wanted[used++] = ',';
    wanted[used++] = *c == '|' ? ' ' : *c;
  }
  wanted[used] = '\0';
  const char *meant = v->kind == AM_SCALAR ? nearest_choice(choices, v->text, near) : NULL;
  if (!meant) return fail_type(r, v, wanted);
  return am_fail_at(r->err, v, "%s.%s: found \"%s\", wanted %s; did you mean \"%s\"?", r->section, r->option->name,
                    v->text, wanted, meant);
}

/* A single scalar stands for a list of one; null stands for an empty list in defaults. */
static const am_value *first_item(const am_value *v) { return v->kind == AM_LIST ? v->first : v; }
static size_t item_count(const am_value *v) { return v->kind == AM_LIST ? v->count : v->kind == AM_NULL ? 0 : 1; }

static am_status read_list(const reader *r, const am_value *v, void *out) {
  size_t n = item_count(v), i = 0;
  /* Every element type has 8 bytes (int64_t, double, pointer). */
  void *at = am_tree_take(r->tree, n + 1, 8);
  if (!at) return am_no_memory(r->err);
  am_status status = AM_OK;
  for (const am_value *item = first_item(v); i < n && !status; item = item->next, i++) {
    if (r->option->type == AM_OPT_INTS) status = read_int(r, item, (int64_t *)at + i);
    else if (r->option->type == AM_OPT_REALS) status = read_real(r, item, (double *)at + i);
    else status = read_text(r, item, (const char **)at + i);
  }
  if (status) return status;
  if (r->option->type == AM_OPT_INTS) *(am_ints *)out = (am_ints){n, at};
  else if (r->option->type == AM_OPT_REALS) *(am_reals *)out = (am_reals){n, at};
  else *(am_texts *)out = (am_texts){n, at};
  return AM_OK;
}

static am_status read_choices(const reader *r, const am_value *v, uint64_t *out) {
  size_t n = item_count(v);
  *out = 0;
  const am_value *item = first_item(v);
  for (size_t i = 0; i < n; item = item->next, i++) {
    int index = 0;
    am_status status = read_choice(r, item, &index);
    if (status) return status;
    *out |= (uint64_t)1 << index;
  }
  return AM_OK;
}

/* `out` is the section's struct. */
static am_status read_value(const reader *r, const am_value *v, void *out) {
  const am_option *o = r->option;
  void *member = (char *)out + o->offset;
  switch (o->type) {
    case AM_OPT_BOOL: return am_value_to_bool(v, member) ? AM_OK : fail_type(r, v, "true or false");
    case AM_OPT_INT: return read_int(r, v, member);
    case AM_OPT_REAL: return read_real(r, v, member);
    case AM_OPT_TEXT: return read_text(r, v, member);
    case AM_OPT_CHOICE: return read_choice(r, v, member);
    case AM_OPT_INTS:
    case AM_OPT_REALS:
    case AM_OPT_TEXTS: return read_list(r, v, member);
    case AM_OPT_CHOICES: return read_choices(r, v, member);
    case AM_OPT_MAP:
    case AM_OPT_LIST: break;
  }
  am_kind wanted = o->type == AM_OPT_MAP ? AM_MAP : AM_LIST;
  if (v->kind != AM_NULL && v->kind != wanted) return fail_type(r, v, wanted == AM_MAP ? "a map" : "a list");
  *(const am_value **)member = v->kind == AM_NULL ? NULL : v;
  return AM_OK;
}

static am_status read_default(const reader *r, const am_value *map, void *out) {
  const am_option *o = r->option;
  if (!o->fallback)
    return am_fail_at(r->err, map, "%s: the key \"%s\" is missing (%s)", r->section, o->name, o->help ? o->help : "");
  const char *text = o->before && am_tree_stored(r->tree) ? o->before : o->fallback;
  const am_value *v = o->type == AM_OPT_TEXT || o->type == AM_OPT_CHOICE ? am_value_text(r->tree, text, true)
                                                                         : am_value_flow(r->tree, text);
  if (!v) return am_no_memory(r->err);
  return read_value(r, v, out);
}

static am_status fail_unknown(const am_option *table, const am_value *entry, const char *section, am_error *err) {
  size_t n = 0;
  while (table[n].name) n++;
  const char *meant = n ? am_nearest(entry->key, &table[0].name, n, sizeof table[0]) : NULL;
  if (meant)
    return am_fail_at_key(err, entry, "unknown key \"%s\" in %s; did you mean \"%s\"?", entry->key, section, meant);
  char known[512] = "";
  for (size_t i = 0; i < n && strlen(known) + strlen(table[i].name) + 3 < sizeof known; i++) {
    if (i) strcat(known, ", ");
    strcat(known, table[i].name);
  }
  return am_fail_at_key(err, entry, "unknown key \"%s\" in %s; known are %s", entry->key, section, known);
}

/* Every key known and given once. */
static am_status check_keys(const am_option *table, const am_value *map, const char *section, am_error *err) {
  for (const am_value *entry = map->first; entry; entry = entry->next) {
    const am_option *o = table;
    while (o->name && strcmp(o->name, entry->key)) o++;
    if (!o->name) return fail_unknown(table, entry, section, err);
    const am_value *before = am_value_get(map, entry->key);
    if (before != entry)
      return am_fail_at_key(err, entry, "key \"%s\" in %s is given twice (first in line %d)", entry->key, section,
                            before->key_line);
  }
  return AM_OK;
}

am_status am_options_read(am_tree *tree, const am_option *table, const am_value *map, const char *section, void *out,
                          am_error *err) {
  if (map && map->kind != AM_NULL && map->kind != AM_MAP) {
    const char *found = kind_name(map);
    return am_fail_at(err, map, "%s: found %s, wanted a map of keys and values", section, found);
  }
  bool given = map && map->kind == AM_MAP;
  am_status status = given ? check_keys(table, map, section, err) : AM_OK;
  for (const am_option *o = table; o->name && !status; o++) {
    reader r = {tree, o, section, err};
    const am_value *v = given ? am_value_get(map, o->name) : NULL;
    bool holds_tree = o->type == AM_OPT_MAP || o->type == AM_OPT_LIST;
    if (v && v->kind == AM_NULL && !(holds_tree && o->fallback))
      status = am_fail_at_key(err, v, "%s.%s has no value; write one or leave the key out", section, o->name);
    else status = v ? read_value(&r, v, out) : read_default(&r, map, out);
  }
  return status;
}

/* Writing */

static am_value *emit_choices(am_tree *tree, const am_option *o, uint64_t set) {
  am_value *list = am_value_new(tree, AM_LIST);
  char word[64];
  for (int i = 0; list && i < 64; i++) {
    if (!(set >> i & 1)) continue;
    if (am_value_add(tree, list, NULL, am_value_text(tree, am_choice_name(o->choices, i, word, sizeof word), true),
                     NULL))
      return NULL;
  }
  return list;
}

static am_value *emit_list(am_tree *tree, const am_option *o, const void *member) {
  am_value *list = am_value_new(tree, AM_LIST);
  if (!list) return NULL;
  size_t n = o->type == AM_OPT_INTS    ? ((const am_ints *)member)->n
             : o->type == AM_OPT_REALS ? ((const am_reals *)member)->n
                                       : ((const am_texts *)member)->n;
  for (size_t i = 0; i < n; i++) {
    am_value *item = o->type == AM_OPT_INTS    ? am_value_int(tree, ((const am_ints *)member)->at[i])
                     : o->type == AM_OPT_REALS ? am_value_real(tree, ((const am_reals *)member)->at[i])
                                               : am_value_text(tree, ((const am_texts *)member)->at[i], true);
    if (am_value_add(tree, list, NULL, item, NULL)) return NULL;
  }
  return list;
}

static am_value *emit_value(am_tree *tree, const am_option *o, const void *in) {
  const void *member = (const char *)in + o->offset;
  char word[64];
  switch (o->type) {
    case AM_OPT_BOOL: return am_value_bool(tree, *(const bool *)member);
    case AM_OPT_INT: return am_value_int(tree, *(const int64_t *)member);
    case AM_OPT_REAL: return am_value_real(tree, *(const double *)member);
    case AM_OPT_TEXT: return am_value_text(tree, *(const char *const *)member, true);
    case AM_OPT_CHOICE:
      return am_value_text(tree, am_choice_name(o->choices, *(const int *)member, word, sizeof word), true);
    case AM_OPT_INTS:
    case AM_OPT_REALS:
    case AM_OPT_TEXTS: return emit_list(tree, o, member);
    case AM_OPT_CHOICES: return emit_choices(tree, o, *(const uint64_t *)member);
    case AM_OPT_MAP:
    case AM_OPT_LIST: break;
  }
  const am_value *held = *(const am_value *const *)member;
  return held ? am_value_copy(tree, held) : am_value_new(tree, AM_NULL);
}

am_status am_options_emit(am_tree *tree, const am_option *table, const void *in, am_value **out, am_error *err) {
  *out = am_value_new(tree, AM_MAP);
  am_status status = *out ? AM_OK : am_no_memory(err);
  for (const am_option *o = table; o->name && !status; o++)
    status = am_value_add(tree, *out, o->name, emit_value(tree, o, in), err);
  if (status) *out = NULL;
  return status;
}

/* Explaining */

static const char *const type_names[] = {
    [AM_OPT_BOOL] = "bool",   [AM_OPT_INT] = "int",     [AM_OPT_REAL] = "real",       [AM_OPT_TEXT] = "text",
    [AM_OPT_CHOICE] = "word", [AM_OPT_INTS] = "ints",   [AM_OPT_REALS] = "reals",     [AM_OPT_TEXTS] = "texts",
    [AM_OPT_CHOICES] = "words", [AM_OPT_MAP] = "map",   [AM_OPT_LIST] = "list"};

enum { HELP_WIDTH = 100, WIDEST_DEFAULT = 16 };

static const char *default_text(const am_option *o) {
  return !o->fallback ? "required" : *o->fallback ? o->fallback : "-";
}

/* `text` from `column` on, further lines from `indent` on, all of which fit a terminal.  It breaks at spaces; where bar is
 * set it is "a|b|c", written "a, b, c". */
static void wrap(am_context *ctx, am_buffer *out, const char *text, bool bar, int column, int indent) {
  const char *space = "";
  while (*text) {
    int n = (int)strcspn(text, bar ? "|" : " ");
    bool last = !text[n], comma = bar && !last;
    if (*space && column + 1 + n + comma > HELP_WIDTH) {
      am_buffer_printf(ctx, out, "\n%*s", indent, "");
      column = indent;
      space = "";
    }
    am_buffer_printf(ctx, out, "%s%.*s%s", space, n, text, comma ? "," : "");
    column += (int)strlen(space) + n + comma;
    text += last ? n : n + 1;
    space = " ";
  }
}

void am_options_help(am_context *ctx, const am_option *table, am_buffer *out) {
  int name = 3, fallback = 7; /* as wide as the words above the columns */
  for (const am_option *o = table; o->name; o++) {
    int n = (int)strlen(o->name), m = (int)strlen(default_text(o));
    if (n > name) name = n;
    if (m > fallback) fallback = m < WIDEST_DEFAULT ? m : WIDEST_DEFAULT;
  }
  am_buffer_printf(ctx, out, "  %-*s  %-5s  %-*s  %s\n", name, "key", "type", fallback, "default", "range or choices");
  for (const am_option *o = table; o->name; o++) {
    char range[96] = "";
    const int indent = name + 4, values = indent + 5 + 2 + fallback + 2;
    const char *text = default_text(o);
    if (has_range(o)) range_text(o, range);
    am_buffer_printf(ctx, out, "  %-*s  %-5s  %s", name, o->name, type_names[o->type], text);
    if (o->choices || *range) {
      int wide = (int)strlen(text) > fallback ? (int)strlen(text) : fallback;
      am_buffer_printf(ctx, out, "%*s", wide - (int)strlen(text) + 2, "");
      wrap(ctx, out, o->choices ? o->choices : range, o->choices != NULL, values - fallback + wide, values);
    }
    if (o->help) {
      am_buffer_printf(ctx, out, "\n%*s", indent, "");
      wrap(ctx, out, o->help, false, indent, indent);
    }
    am_buffer_append(ctx, out, "\n", 1);
  }
}
