/* SPDX-License-Identifier: MIT */
/* cli/exchange.c - the formats of other programs on the command line: which one, and the options that it alone has. */
#include <string.h>

#include "cli/cli.h"

/* NULL: a switch. */
static const char *argument_of(const am_option *o) {
  return o->type == AM_OPT_BOOL ? NULL : o->type == AM_OPT_CHOICE ? "WORD" : o->type == AM_OPT_TEXT ? "FILE" : "N";
}

bool cli_exchange_flag(const cli_command *command, const char *name, size_t length, cli_flag *out) {
  for (const am_variant *const *f = am_exchanges; command->own && *f; f++)
    for (const am_option *o = command->own(am_exchange_find((*f)->name)); o && o->name; o++) {
      if (strlen(o->name) != length || memcmp(o->name, name, length)) continue;
      *out = (cli_flag){o->name, argument_of(o), o->help};
      return true;
    }
  return false;
}

/* "keras", "keras or onnx" from "keras|onnx". */
static am_status fail_word(const char *flag, const char *found, const char *choices, am_error *err) {
  char wanted[256] = "", word[64];
  size_t used = 0;
  int n = 1;
  for (const char *c = choices; *c; c++) n += *c == '|';
  for (int i = 0; i < n && used < sizeof wanted; i++)
    used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%s",
                             !i          ? ""
                             : i + 1 < n ? ", "
                                         : " or ",
                             am_choice_name(choices, i, word, sizeof word));
  return am_fail(err, AM_E_USAGE, "--%s %s: wanted %s", flag, found, wanted);
}

am_status cli_exchange_find(const cli *c, const char *flag, const char *file, const am_exchange **out, am_error *err) {
  const char *name = cli_value(c, flag, file ? am_exchange_of_file(file)->is.name : am_exchanges[0]->name);
  char names[256] = "";
  size_t used = 0;
  if ((*out = am_exchange_find(name))) return AM_OK;
  for (const am_variant *const *f = am_exchanges; *f && used < sizeof names; f++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? "|" : "", (*f)->name);
  return fail_word(flag, name, names, err);
}

static am_status read_option(const cli *c, const am_option *o, void *member, am_error *err) {
  const char *text = cli_value(c, o->name, NULL);
  int64_t fallback = 0;
  if (o->type == AM_OPT_BOOL) {
    *(bool *)member = cli_has(c, o->name);
    return AM_OK;
  }
  if (o->type == AM_OPT_CHOICE) {
    *(int *)member = am_choice_index(o->choices, text ? text : o->fallback);
    return *(int *)member >= 0 ? AM_OK : fail_word(o->name, text, o->choices, err);
  }
  if (o->type == AM_OPT_TEXT) {
    *(const char **)member = text ? text : o->fallback;
    return AM_OK;
  }
  am_text_to_int(o->fallback, &fallback);
  return cli_int(c, o->name, (int64_t)o->min, (int64_t)o->max, fallback, member, err);
}

am_status cli_exchange_options(const cli *c, const am_exchange *format, am_exchange_options *out, am_error *err) {
  const am_option *own = c->command->own(format);
  am_status st = AM_OK;
  *out = (am_exchange_options){0};
  for (const am_option *o = own; o && o->name && !st; o++) st = read_option(c, o, (char *)out + o->offset, err);
  for (int i = 0; i < c->n_given && !st; i++) {
    cli_flag flag;
    const am_option *o = own;
    while (o && o->name && strcmp(o->name, c->given[i].name)) o++;
    if ((!o || !o->name) && cli_exchange_flag(c->command, c->given[i].name, strlen(c->given[i].name), &flag))
      st = am_fail(err, AM_E_USAGE, "--%s: the format %s has no such option; leave it out", flag.name, format->is.name);
  }
  return st;
}

void cli_exchange_print(FILE *to, const cli_command *command) {
  for (const am_variant *const *f = am_exchanges; command->own && *f; f++) {
    cli_fprint(to, "\nFormat %s: %s. Its options:\n", (*f)->name, (*f)->help);
    for (const am_option *o = command->own(am_exchange_find((*f)->name)); o && o->name; o++) {
      char left[64];
      const char *argument = argument_of(o);
      snprintf(left, sizeof left, "--%s%s%s", o->name, argument ? " " : "", argument ? argument : "");
      cli_fprint(to, "  %-24s %s\n", left, o->help);
    }
  }
}
