/* SPDX-License-Identifier: MIT */
/* cli/manual/values.c - what a shell can complete at a place of the command line. */
#include <ctype.h>
#include <string.h>

#include "audio/condition.h"
#include "audio/decoder_media.h"
#include "audio/endings.h"
#include "cli/manual/manual.h"
#include "nn/block.h"
#include "nn/registry.h"

/* Once, however often it is added. */
static void add(manual_values *v, const char *format, const char *text) {
  char token[80], padded[84], all[sizeof v->text + 4];
  snprintf(token, sizeof token, format, text);
  snprintf(padded, sizeof padded, " %s ", token);
  snprintf(all, sizeof all, " %s ", v->text);
  if (strstr(all, padded)) return;
  size_t used = strlen(v->text);
  snprintf(v->text + used, sizeof v->text - used, "%s%s", used ? " " : "", token);
}

static void add_sounds(manual_values *v) {
  for (const char *const *e = am_sound_endings; *e; e++) add(v, "*.%s", *e);
  for (const char *const *e = am_sound_endings_unread; am_media_is_built() && *e; e++) add(v, "*.%s", *e);
}

static void add_conditions(manual_values *v) {
  size_t n;
  const am_condition *all = am_condition_all(&n);
  for (size_t i = 0; i < n; i++) add(v, "%s", all[i].name);
}

static void add_formats(manual_values *v) {
  for (const am_variant *const *f = am_exchanges; *f; f++) add(v, "%s", (*f)->name);
}

/* One word of --help; what stands for a number, a name or a host has nothing to be completed by. */
static void add_word(manual_values *v, const char *word) {
  static const char *const folders[] = {"DIR", "RUN", "CROSSVAL"}, *const configs[] = {"CONFIG", "DESCRIPTION",
                                                                                       "DATASET"};
  const char *dot = strchr(word, '.');
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    if (strcmp(word, folders[i]) == 0) add(v, "%s", "/");
  for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
    if (strcmp(word, configs[i]) == 0) add(v, "*.%s", "yaml"), add(v, "*.%s", "yml"), add(v, "*.%s", "json");
  if (strcmp(word, "AUDIO") == 0 || strcmp(word, "SOUND") == 0) add_sounds(v);
  else if (strcmp(word, "KEY=VALUE") == 0) add(v, "%s", "=");
  else if (strcmp(word, "FORMAT") == 0) add_formats(v);
  else if (strcmp(word, "CONDITION") == 0) add_conditions(v);
  else if (strcmp(word, "FILE") == 0) add(v, "%s", "*");
  else if (isupper((unsigned char)*word) && dot && dot[1]) add(v, "*%s", dot);
  else if (islower((unsigned char)*word)) add(v, "%s", word);
}

void manual_values_of(const char *argument, manual_values *out) {
  char word[64];
  out->text[0] = '\0';
  for (const char *at = argument ? argument : ""; *at;) {
    size_t n = strcspn(at, "|");
    snprintf(word, sizeof word, "%.*s", (int)n, at);
    if (strstr(word, "...")) *strstr(word, "...") = '\0';
    add_word(out, word);
    at += n + (at[n] == '|');
  }
}

/* The words of the usage line that are neither flags nor the values of flags: "[RUN|FILE.h5] AUDIO|DIR|-... [--with RUN]". */
void manual_values_of_command(const cli_command *command, manual_values *out) {
  static const char between[] = " []";
  char word[128];
  bool of_flag = false;
  out->text[0] = '\0';
  for (const char *at = command->usage; *at;) {
    size_t n = strcspn(at, between);
    snprintf(word, sizeof word, "%.*s", (int)n, at);
    const bool flag = word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1])); /* "-o FILE", not "-" */
    if (n && !of_flag && !flag && strcmp(word, "|") && strcmp(word, "...")) {
      manual_values some;
      manual_values_of(word, &some);
      char *token = some.text;
      for (size_t length; *token; token += length + (token[length] == ' ')) {
        length = strcspn(token, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, token);
        add(out, "%s", word);
      }
    }
    if (n) of_flag = flag && at[n] == ' '; /* "--json]" has none */
    at += n + (at[n] != '\0');
  }
}

void manual_values_of_help(manual_values *out) {
  size_t layers, blocks;
  const am_layer_class *const *all = am_layer_all(&layers);
  const am_block *block = am_block_all(&blocks);
  out->text[0] = '\0';
  add(out, "%s", "layers");
  add(out, "%s", "conditions");
  add(out, "%s", "licences");
  for (const cli_command *const *c = cli_commands; *c; c++) add(out, "%s", (*c)->name);
  for (const cli_section *s = cli_sections; s->name; s++) add(out, "%s", s->name);
  for (size_t i = 0; i < layers; i++) add(out, "%s", all[i]->type);
  for (size_t i = 0; i < blocks; i++) add(out, "%s", block[i].type);
}

void manual_flags(const cli_command *command, void (*each)(const cli_flag *flag, void *user), void *user) {
  for (const cli_flag *f = command->flags; f && f->name; f++) each(f, user);
  for (const am_variant *const *v = am_exchanges; command->own && *v; v++)
    for (const am_option *o = command->own(am_exchange_find((*v)->name)); o && o->name; o++) {
      char words[512];
      const char *choices = am_option_words(o, words);
      const cli_flag flag = {o->name, choices ? choices : "N", o->help};
      each(&flag, user);
    }
  for (const cli_flag *f = cli_common_flags; f->name; f++) each(f, user);
}

/* Which texts are paths no table says; a file's name is what can be completed. */
static void values_of_option(const am_option *o, manual_values *out) {
  char words[512];
  const char *choices = am_option_words(o, words);
  manual_values_of(choices, out);
  if (o->type == AM_OPT_BOOL) manual_values_of("true|false", out);
  if (o->type == AM_OPT_TEXT) add(out, "%s", "*");
}

static bool is_section(const char *name) {
  for (const cli_section *s = cli_sections; s->name; s++)
    if (strcmp(s->name, name) == 0) return true;
  return false;
}

typedef struct keys {
  void (*each)(const char *key, const manual_values *values, const char *help, void *user);
  void *user;
  const am_option *seen[64]; /* tables that several variants share */
  size_t n_seen;
} keys;

static void keys_of(keys *k, const char *section, const am_option *table) {
  char key[128];
  for (size_t i = 0; i < k->n_seen; i++)
    if (k->seen[i] == table) return;
  if (k->n_seen < sizeof k->seen / sizeof *k->seen) k->seen[k->n_seen++] = table;
  for (const am_option *o = table; o && o->name; o++) {
    manual_values values;
    snprintf(key, sizeof key, "%s%s%s", section, *section ? "." : "", o->name);
    for (const am_variant *const *v = o->variants; v && *v; v++)
      if ((*v)->own) keys_of(k, section, (*v)->own);
    if (is_section(key)) continue; /* its keys are named one by one */
    values_of_option(o, &values);
    k->each(key, &values, o->help ? o->help : "", k->user);
  }
}

void manual_keys(void (*each)(const char *key, const manual_values *values, const char *help, void *user), void *user) {
  keys k = {.each = each, .user = user};
  for (const cli_section *s = cli_sections; s->name; s++) keys_of(&k, s == cli_sections ? "" : s->name, s->table);
}
