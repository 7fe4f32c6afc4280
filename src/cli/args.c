/* SPDX-License-Identifier: MIT */
/* cli/args.c - flags and help texts, by table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "cli/cli.h"

const cli_flag cli_common_flags[] = {
    {"threads", "N", "worker threads (default: one per processor it may use); results do not depend on it"},
    {"quiet", NULL, "print warnings, errors and results only"},
    {"verbose", NULL, "print details"},
    {"help", NULL, "print this help"},
    {"version", NULL, "print the version"},
    {0},
};

const cli_command *cli_command_find(const char *name, const cli_command *const *commands) {
  for (; *commands; commands++)
    if (strcmp((*commands)->name, name) == 0) return *commands;
  return NULL;
}

static const cli_flag *find_in(const cli_flag *flags, const char *name, size_t length) {
  for (; flags && flags->name; flags++)
    if (strlen(flags->name) == length && memcmp(flags->name, name, length) == 0) return flags;
  return NULL;
}

bool cli_flag_known(const cli_command *const *commands, const char *name, size_t length) {
  cli_flag own;
  for (; *commands; commands++)
    if (find_in((*commands)->flags, name, length) || cli_exchange_flag(*commands, name, length, &own)) return true;
  return false;
}

static size_t collect(const cli_flag *flags, const char **names, size_t n, size_t most) {
  for (; flags && flags->name && n < most; flags++) names[n++] = flags->name;
  return n;
}

static am_status unknown_flag(const cli_command *command, const char *given, size_t length, am_error *err) {
  const char *names[CLI_MAX_FLAGS];
  size_t n = collect(command->flags, names, 0, CLI_MAX_FLAGS);
  n = collect(cli_common_flags, names, n, CLI_MAX_FLAGS);
  for (const am_variant *const *f = am_exchanges; command->own && *f; f++)
    for (const am_option *o = command->own(am_exchange_find((*f)->name)); o && o->name && n < CLI_MAX_FLAGS; o++)
      names[n++] = o->name;
  char word[64];
  if (length >= sizeof word) length = sizeof word - 1;
  memcpy(word, given, length);
  word[length] = 0;
  const char *near = am_nearest(word, names, n, sizeof names[0]);
  if (near) return am_fail(err, AM_E_USAGE, "unknown option --%s; did you mean --%s?", word, near);
  return am_fail(err, AM_E_USAGE, "unknown option --%s", word);
}

static am_status take_flag(cli *c, int argc, char **argv, int *i, am_error *err) {
  const char *text = argv[*i] + 2;
  const char *equals = strchr(text, '=');
  size_t length = equals ? (size_t)(equals - text) : strlen(text);
  cli_flag own;
  const cli_flag *flag = find_in(c->command->flags, text, length);
  if (!flag) flag = find_in(cli_common_flags, text, length);
  if (!flag && cli_exchange_flag(c->command, text, length, &own)) flag = &own;
  if (!flag) return unknown_flag(c->command, text, length, err);
  const char *value = NULL;
  if (flag->argument) {
    if (equals) value = equals + 1;
    else if (*i + 1 < argc) value = argv[++*i];
    else return am_fail(err, AM_E_USAGE, "--%s needs a value: --%s %s", flag->name, flag->name, flag->argument);
  } else if (equals) {
    return am_fail(err, AM_E_USAGE, "--%s takes no value", flag->name);
  }
  if (c->n_given == CLI_MAX_FLAGS) return am_fail(err, AM_E_USAGE, "more than %d options", CLI_MAX_FLAGS);
  c->given[c->n_given].name = flag->name;
  c->given[c->n_given++].value = value;
  return AM_OK;
}

/* -h and -o as what they stand for; NULL: there is no such flag. */
static char *short_flag(const char *given, const cli_command *command) {
  static char help[] = "--help", out[] = "--out";
  if (strcmp(given, "-h") == 0) return help;
  return strcmp(given, "-o") == 0 && find_in(command->flags, "out", 3) ? out : NULL;
}

am_status cli_parse(cli *c, const cli_command *command, int argc, char **argv, am_error *err) {
  c->command = command;
  bool only_arguments = false;
  for (int i = 0; i < argc; i++) {
    if (only_arguments || argv[i][0] != '-' || argv[i][1] == 0) {
      c->arguments[c->n_arguments++] = argv[i];
    } else if (strcmp(argv[i], "--") == 0) {
      only_arguments = true;
    } else if (argv[i][1] == '-' || short_flag(argv[i], command)) {
      if (argv[i][1] != '-') argv[i] = short_flag(argv[i], command);
      am_status st = take_flag(c, argc, argv, &i, err);
      if (st) return st;
    } else {
      return am_fail(err, AM_E_USAGE, "unknown option %s; options begin with two dashes", argv[i]);
    }
  }
  if (cli_has(c, "help") || cli_has(c, "version")) return AM_OK;
  if (c->n_arguments < command->min_arguments)
    return am_fail(err, AM_E_USAGE, "something is missing: audiomood %s %s", command->name, command->usage);
  if (command->max_arguments >= 0 && c->n_arguments > command->max_arguments)
    return am_fail(err, AM_E_USAGE, "'%s' is one argument too many: audiomood %s %s",
                   c->arguments[command->max_arguments], command->name, command->usage);
  return AM_OK;
}

bool cli_has(const cli *c, const char *flag) {
  for (int i = 0; i < c->n_given; i++)
    if (strcmp(c->given[i].name, flag) == 0) return true;
  return false;
}

const char *cli_value(const cli *c, const char *flag, const char *fallback) {
  for (int i = c->n_given; i-- > 0;)
    if (strcmp(c->given[i].name, flag) == 0) return c->given[i].value;
  return fallback;
}

size_t cli_values(const cli *c, const char *flag, const char **at) {
  size_t n = 0;
  for (int i = 0; i < c->n_given; i++)
    if (strcmp(c->given[i].name, flag) == 0) at[n++] = c->given[i].value;
  return n;
}

am_status cli_int(const cli *c, const char *flag, int64_t low, int64_t high, int64_t fallback, int64_t *out,
                  am_error *err) {
  const char *text = cli_value(c, flag, NULL);
  *out = fallback;
  if (!text) return AM_OK;
  char *end;
  errno = 0;
  long long v = strtoll(text, &end, 10);
  if (errno || end == text || *end || v < low || v > high)
    return am_fail(err, AM_E_USAGE, "--%s %s: wanted a whole number from %lld to %lld", flag, text, (long long)low,
                   (long long)high);
  *out = v;
  return AM_OK;
}

am_status cli_real(const cli *c, const char *flag, double low, double high, double fallback, double *out,
                   am_error *err) {
  const char *text = cli_value(c, flag, NULL);
  *out = fallback;
  if (!text || (am_text_to_real(text, out) && *out >= low && *out <= high)) return AM_OK;
  return am_fail(err, AM_E_USAGE, "--%s %s: wanted a number from %g to %g", flag, text, low, high);
}

am_status cli_overrides_get(const cli *c, cli_overrides *out, am_error *err) {
  out->n = cli_values(c, "set", out->at);
  int64_t seed;
  am_status st = cli_int(c, "seed", 0, INT64_MAX, -1, &seed, err);
  if (st) return st;
  if (seed >= 0) {
    snprintf(out->seed, sizeof out->seed, "seed=%lld", (long long)seed);
    out->at[out->n++] = out->seed;
  }
  return AM_OK;
}

static void print_flags(FILE *to, const cli_flag *flags) {
  for (; flags && flags->name; flags++) {
    char left[64];
    const char *also = strcmp(flags->name, "out") == 0 ? ", -o" : ""; /* as cli_parse takes it */
    snprintf(left, sizeof left, "--%s%s%s%s", flags->name, also, flags->argument ? " " : "",
             flags->argument ? flags->argument : "");
    cli_fprint(to, "  %-24s %s\n", left, flags->help);
  }
}

void cli_print_help(FILE *to, const cli_command *command) {
  cli_fprint(to, "audiomood %s %s\n\n%s.\n", command->name, command->usage, command->summary);
  if (command->details) {
    cli_fprint(to, "\n");
    cli_put_lines(to, command->details);
    cli_fprint(to, "\n");
  }
  cli_fprint(to, "\nOptions:\n");
  print_flags(to, command->flags);
  print_flags(to, cli_common_flags);
  cli_exchange_print(to, command);
}

void cli_print_overview(FILE *to, const cli_command *const *commands) {
  cli_fprint(to, "audiomood - emotion in speech: train, evaluate, predict\n\nUsage: audiomood COMMAND ...\n\n");
  for (; *commands; commands++) cli_fprint(to, "  %-10s %s\n", (*commands)->name, (*commands)->summary);
  cli_fprint(
      to,
      "\n'audiomood COMMAND --help' explains one command; 'audiomood --version' prints the version.\n"
      "'audiomood help SECTION' lists the keys of a section of the config: config (its top), data, split,\n"
      "features, augment, model, train, train.loss, train.optimiser, train.schedule. 'audiomood help layers'\n"
      "lists the layers a model is made of, 'audiomood help LAYER' the options of one, 'audiomood help licences'\n"
      "what the program is made of.\n"
      "Exit codes: 0 done, 1 failed, 2 bad usage or config, or the signal that ended it.\n");
}
