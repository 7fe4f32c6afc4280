/* SPDX-License-Identifier: MIT */
/* base/option.c - sections read, written back and explained by their table. */
#include "base/option.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

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

/* Variants */

static const am_option *chooser_of(const am_option *table) {
  for (const am_option *o = table; o->name; o++)
    if (o->variants) return o;
  return NULL;
}

const char *am_option_words(const am_option *o, char buffer[512]) {
  size_t used = 0;
  if (!o->variants) return o->choices;
  buffer[0] = '\0';
  for (const am_variant *const *v = o->variants; *v && used < 512; v++)
    used += (size_t)snprintf(buffer + used, 512 - used, "%s%s", used ? "|" : "", (*v)->name);
  return buffer;
}

static const am_variant *find_variant(const am_option *chooser, const char *name) {
  for (const am_variant *const *v = chooser->variants; *v; v++)
    if (!strcmp((*v)->name, name)) return *v;
  return NULL;
}

/* The variant that a section chooses; NULL where it has none, or a word that is none. */
static const am_variant *variant_of(const am_option *table, const am_value *map) {
  const am_option *chooser = chooser_of(table);
  if (!chooser) return NULL;
  const am_value *v = map && map->kind == AM_MAP ? am_value_get(map, chooser->name) : NULL;
  const char *word = !v ? chooser->fallback : v->kind == AM_SCALAR ? v->text : NULL;
  return word ? find_variant(chooser, word) : NULL;
}

static const am_option *find_option(const am_option *table, const char *name) {
  for (const am_option *o = table; o && o->name; o++)
    if (!strcmp(o->name, name)) return o;
  return NULL;
}

/* Reading */

static am_value *emit_value(am_tree *tree, const am_option *o, const void *in);

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

const char *am_option_range(const am_option *o, char out[96]) {
  char low[32], high[32];
  out[0] = '\0';
  if (!has_range(o)) return out;
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
                    am_option_range(o, range));
}

static am_status read_int(const reader *r, const am_value *v, int64_t *out) {
  if (!am_value_to_int(v, out)) return fail_type(r, v, "a whole number");
  return check_range(r, v, (double)*out);
}

static am_status read_real(const reader *r, const am_value *v, double *out) {
  if (!am_value_to_real(v, out) || isnan(*out)) return fail_type(r, v, "a number");
  return check_range(r, v, *out);
}

static am_status read_bytes(const reader *r, const am_value *v, int64_t *out) {
  if (v->kind != AM_SCALAR || !am_text_to_bytes(v->text, out)) return fail_type(r, v, "an amount such as 400MB or 2GB");
  return check_range(r, v, (double)*out);
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
  char words[512];
  const char *choices = am_option_words(r->option, words);
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

/* A single scalar is a list of one; null is an empty list in defaults. */
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
    case AM_OPT_BYTES: return read_bytes(r, v, member);
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

enum { MOST_OPTIONS = 128 };

/* The names a section knows: of the table, and of the variant chosen, or where none is of all. */
static size_t known_names(const am_option *table, const am_variant *chosen, const char **names) {
  const am_option *chooser = chooser_of(table);
  size_t n = 0;
  for (const am_option *o = table; o->name && n < MOST_OPTIONS; o++) names[n++] = o->name;
  for (const am_variant *const *v = chooser ? chooser->variants : NULL; v && *v; v++)
    for (const am_option *o = !chosen || *v == chosen ? (*v)->own : NULL; o && o->name && n < MOST_OPTIONS; o++)
      names[n++] = o->name;
  return n;
}

static am_status fail_unknown(const am_option *table, const am_variant *chosen, const am_value *entry,
                              const char *section, am_error *err) {
  const char *names[MOST_OPTIONS];
  size_t n = known_names(table, chosen, names);
  const char *meant = n ? am_nearest(entry->key, names, n, sizeof *names) : NULL;
  if (meant)
    return am_fail_at_key(err, entry, "unknown key \"%s\" in %s; did you mean \"%s\"?", entry->key, section, meant);
  char known[512] = "";
  for (size_t i = 0; i < n && strlen(known) + strlen(names[i]) + 3 < sizeof known; i++) {
    if (i) strcat(known, ", ");
    strcat(known, names[i]);
  }
  return am_fail_at_key(err, entry, "unknown key \"%s\" in %s; known are %s", entry->key, section, known);
}

/* The option of another variant than the one chosen, or NULL; who has it into `owners`. */
static const am_option *find_others(const am_option *table, const am_variant *chosen, const char *key,
                                    char owners[128]) {
  const am_option *chooser = chooser_of(table), *found = NULL;
  owners[0] = '\0';
  if (!chosen || find_option(table, key) || find_option(chosen->own, key)) return NULL;
  for (const am_variant *const *v = chooser->variants; *v; v++) {
    const am_option *o = find_option((*v)->own, key);
    if (!o) continue;
    size_t used = strlen(owners);
    snprintf(owners + used, 128 - used, "%s%s", used ? " and " : "", (*v)->name);
    found = o;
  }
  return found;
}

/* At its default it says nothing: the config.yaml of runs of before has the settings of all variants.  What --set gave was
 * meant to. */
static am_status says_nothing(am_tree *tree, const am_option *option, const am_value *entry, bool *nothing,
                              am_error *err) {
  union {
    am_texts texts;
    uint64_t set;
    double real;
  } given = {{0, NULL}}, fallback = {{0, NULL}};
  am_option alone = *option;
  alone.offset = 0;
  const reader r = {tree, &alone, "", NULL};
  *nothing = false;
  if (entry->key_line <= 0 || !option->fallback) return AM_OK;
  am_status status = read_value(&r, entry, &given);
  if (!status) status = read_default(&r, NULL, &fallback);
  if (status) return status == AM_E_NOMEM ? am_no_memory(err) : AM_OK;
  const am_value *a = emit_value(tree, &alone, &given), *b = emit_value(tree, &alone, &fallback);
  if (!a || !b) return am_no_memory(err);
  *nothing = am_value_equal(a, b);
  return AM_OK;
}

/* Every key known, given once, and of the variant chosen. */
static am_status check_keys(am_tree *tree, const am_option *table, const am_variant *chosen, const am_value *map,
                            const char *section, am_error *err) {
  char owners[128];
  for (const am_value *entry = map->first; entry; entry = entry->next) {
    const am_option *other = find_others(table, chosen, entry->key, owners);
    bool nothing = false;
    am_status status = other ? says_nothing(tree, other, entry, &nothing, err) : AM_OK;
    if (status) return status;
    if (nothing) continue;
    if (other)
      return am_fail_at_key(err, entry, "%s.%s: %s is %s, and this is a setting of %s; leave it out", section,
                            entry->key, chooser_of(table)->name, chosen->name, owners);
    const char *names[MOST_OPTIONS];
    size_t n = known_names(table, chosen, names), i = 0;
    while (i < n && strcmp(names[i], entry->key)) i++;
    if (i == n) return fail_unknown(table, chosen, entry, section, err);
    const am_value *before = am_value_get(map, entry->key);
    if (before != entry)
      return am_fail_at_key(err, entry, "key \"%s\" in %s is given twice (first in line %d)", entry->key, section,
                            before->key_line);
  }
  return AM_OK;
}

void am_options_drop_others(const am_option *table, am_value *map) {
  const am_variant *chosen = variant_of(table, map);
  char owners[128];
  if (!chosen || !map || map->kind != AM_MAP) return;
  for (am_value *entry = map->first, *next; entry; entry = next) {
    next = entry->next;
    if (entry->key_line > 0 && find_others(table, chosen, entry->key, owners)) am_value_remove(map, entry);
  }
}

/* The options of one table, from the map or by default. */
static am_status read_table(am_tree *tree, const am_option *table, const am_value *map, const char *section, void *out,
                            am_error *err) {
  bool given = map && map->kind == AM_MAP;
  am_status status = AM_OK;
  for (const am_option *o = table; o && o->name && !status; o++) {
    reader r = {tree, o, section, err};
    const am_value *v = given ? am_value_get(map, o->name) : NULL;
    bool holds_tree = o->type == AM_OPT_MAP || o->type == AM_OPT_LIST;
    if (v && v->kind == AM_NULL && !(holds_tree && o->fallback))
      status = am_fail_at_key(err, v, "%s.%s has no value; write one or leave the key out", section, o->name);
    else status = v ? read_value(&r, v, out) : read_default(&r, map, out);
  }
  return status;
}

am_status am_options_read(am_tree *tree, const am_option *table, const am_value *map, const char *section, void *out,
                          am_error *err) {
  if (map && map->kind != AM_NULL && map->kind != AM_MAP) {
    const char *found = kind_name(map);
    return am_fail_at(err, map, "%s: found %s, wanted a map of keys and values", section, found);
  }
  const am_option *chooser = chooser_of(table);
  const am_variant *chosen = variant_of(table, map);
  am_status status = map && map->kind == AM_MAP ? check_keys(tree, table, chosen, map, section, err) : AM_OK;
  for (const am_variant *const *v = chooser ? chooser->variants : NULL; v && *v && !status; v++)
    if (*v != chosen) status = read_table(tree, (*v)->own, NULL, section, out, err);
  if (!status) status = read_table(tree, table, map, section, out, err);
  if (!status && chosen) status = read_table(tree, chosen->own, map, section, out, err);
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

static am_value *emit_bytes(am_tree *tree, int64_t bytes) {
  char text[32];
  am_bytes_to_text(bytes, text);
  return am_value_text(tree, text, false);
}

static am_value *emit_value(am_tree *tree, const am_option *o, const void *in) {
  const void *member = (const char *)in + o->offset;
  char word[64], words[512];
  switch (o->type) {
    case AM_OPT_BOOL: return am_value_bool(tree, *(const bool *)member);
    case AM_OPT_INT: return am_value_int(tree, *(const int64_t *)member);
    case AM_OPT_REAL: return am_value_real(tree, *(const double *)member);
    case AM_OPT_BYTES: return emit_bytes(tree, *(const int64_t *)member);
    case AM_OPT_TEXT: return am_value_text(tree, *(const char *const *)member, true);
    case AM_OPT_CHOICE:
      return am_value_text(tree, am_choice_name(am_option_words(o, words), *(const int *)member, word, sizeof word),
                           true);
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

static am_status emit_table(am_tree *tree, const am_option *table, const void *in, am_value *map, am_error *err) {
  am_status status = AM_OK;
  for (const am_option *o = table; o && o->name && !status; o++)
    status = am_value_add(tree, map, o->name, emit_value(tree, o, in), err);
  return status;
}

am_status am_options_emit(am_tree *tree, const am_option *table, const void *in, am_value **out, am_error *err) {
  const am_option *chooser = chooser_of(table);
  *out = am_value_new(tree, AM_MAP);
  am_status status = *out ? emit_table(tree, table, in, *out, err) : am_no_memory(err);
  if (!status && chooser)
    status =
        emit_table(tree, chooser->variants[*(const int *)((const char *)in + chooser->offset)]->own, in, *out, err);
  if (status) *out = NULL;
  return status;
}

/* Explaining */

static const char *const type_names[] = {
    [AM_OPT_BOOL] = "bool",     [AM_OPT_INT] = "int",   [AM_OPT_REAL] = "real",   [AM_OPT_TEXT] = "text",
    [AM_OPT_CHOICE] = "word",   [AM_OPT_INTS] = "ints", [AM_OPT_REALS] = "reals", [AM_OPT_TEXTS] = "texts",
    [AM_OPT_CHOICES] = "words", [AM_OPT_MAP] = "map",   [AM_OPT_LIST] = "list",   [AM_OPT_BYTES] = "bytes"};

enum { HELP_WIDTH = 100, WIDEST_DEFAULT = 16 };

const char *am_option_type_name(const am_option *o) { return type_names[o->type]; }

const char *am_option_default(const am_option *o) {
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

static void help_table(am_context *ctx, const am_option *table, am_buffer *out) {
  int name = 3, fallback = 7; /* as wide as the words above the columns */
  char words[512];
  for (const am_option *o = table; o->name; o++) {
    int n = (int)strlen(o->name), m = (int)strlen(am_option_default(o));
    if (n > name) name = n;
    if (m > fallback) fallback = m < WIDEST_DEFAULT ? m : WIDEST_DEFAULT;
  }
  am_buffer_printf(ctx, out, "  %-*s  %-5s  %-*s  %s\n", name, "key", "type", fallback, "default", "range or choices");
  for (const am_option *o = table; o->name; o++) {
    char range[96] = "";
    const int indent = name + 4, values = indent + 5 + 2 + fallback + 2;
    const char *text = am_option_default(o);
    am_option_range(o, range);
    am_buffer_printf(ctx, out, "  %-*s  %-5s  %s", name, o->name, am_option_type_name(o), text);
    if (o->choices || o->variants || *range) {
      int wide = (int)strlen(text) > fallback ? (int)strlen(text) : fallback;
      am_buffer_printf(ctx, out, "%*s", wide - (int)strlen(text) + 2, "");
      const char *choices = am_option_words(o, words);
      wrap(ctx, out, choices ? choices : range, choices != NULL, values - fallback + wide, values);
    }
    if (o->help) {
      am_buffer_printf(ctx, out, "\n%*s", indent, "");
      wrap(ctx, out, o->help, false, indent, indent);
    }
    am_buffer_append(ctx, out, "\n", 1);
  }
}

/* The first variant with the same own options as variant i. */
static size_t first_with(const am_variant *const *all, size_t i) {
  size_t k = 0;
  while (all[k]->own != all[i]->own) k++;
  return k;
}

void am_options_help(am_context *ctx, const am_option *table, am_buffer *out) {
  const am_option *chooser = chooser_of(table);
  help_table(ctx, table, out);
  for (size_t i = 0; chooser && chooser->variants[i]; i++) {
    const am_variant *v = chooser->variants[i];
    size_t first = first_with(chooser->variants, i);
    am_buffer_printf(ctx, out, "\n%s %s: %s%s%s\n", chooser->name, v->name, v->help,
                     v->own && first < i ? "; settings of its own as with " : "",
                     v->own && first < i ? chooser->variants[first]->name : "");
    if (v->own && first == i) help_table(ctx, v->own, out);
  }
}
