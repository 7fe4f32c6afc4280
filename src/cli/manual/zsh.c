/* SPDX-License-Identifier: MIT */
/* cli/manual/zsh.c - the completion of zsh, by its own functions. */
#include <string.h>

#include "cli/manual/manual.h"

static const char before[] =
    "# What a value may be: a word, *.h5 a file of that ending, * any, / a folder, = a key of --set.\n"
    "_audiomood_offer() {\n"
    "  local token folders any\n"
    "  local -a offered endings ways\n"
    "  for token; do\n"
    "    case $token in\n"
    "      /) folders=1 ;;\n"
    "      =) ways+=('keys:key:_audiomood_keys') ;;\n"
    "      \\*) any=1 ;;\n"
    "      \\*.*) endings+=${token#\\*.} ;;\n"
    "      *) offered+=$token ;;\n"
    "    esac\n"
    "  done\n"
    "  (( $#offered )) && ways+=(\"words:word:($offered)\")\n"
    "  if [[ -n $any ]]; then\n"
    "    ways+=('files:file:_files')\n"
    "  elif (( $#endings )); then\n"
    "    ways+=(\"files:file:_files -g '(#i)*.(${(j:|:)endings})(-.)'\")\n"
    "  elif [[ -n $folders ]]; then\n"
    "    ways+=('folders:folder:_files -/')\n"
    "  fi\n"
    "  (( $#ways )) && _alternative $ways\n"
    "}\n"
    "\n"
    "_audiomood_keys() {\n"
    "  if compset -P 1 '*='; then\n"
    "    _audiomood_offer ${=_audiomood_of_key[${${IPREFIX%=}##*=}]-}\n"
    "  else\n"
    "    _describe -t keys key _audiomood_described -S =\n"
    "  fi\n"
    "}\n"
    "\n"
    "_audiomood() {\n"
    "  local curcontext=$curcontext state line ret=1\n"
    "  _arguments -C '(- *)'{-h,--help}'[list the commands]' '(- *)--version[print the version]' '1: :->command' '*:: "
    ":->rest' && ret=0\n"
    "  case $state in\n"
    "    command) _describe -t commands command _audiomood_commands && ret=0 ;;\n"
    "    rest)\n"
    "      case $words[1] in\n";
static const char behind[] =
    "      esac\n"
    "      ;;\n"
    "  esac\n"
    "  return ret\n"
    "}\n"
    "\n"
    "_audiomood \"$@\"\n";

/* Within single quotes; those of `special` with a backslash before them. */
static void put(const char *text, const char *special) {
  for (; *text; text++) {
    if (*text == '\n' || (*text == ' ' && text[1] == ' ')) continue;
    if (strchr(special, *text)) putchar('\\');
    printf(*text == '\'' ? "'\\''" : "%.1s", text);
  }
}

static void put_values(const manual_values *v) {
  printf(" _audiomood_offer");
  for (const char *at = v->text; *at;) {
    const size_t n = strcspn(at, " ");
    printf(" \"%.*s\"", (int)n, at);
    at += n + (at[n] == ' ');
  }
}

static void put_flag(const cli_flag *flag, const char *dashed, const char *after) {
  manual_values v;
  printf(" \\\n            '%s%s%s[", strstr(flag->help, "(repeatable") ? "*" : "", dashed,
         flag->argument ? after : "");
  put(flag->help, "[]:\\");
  printf("]");
  if (flag->argument) {
    manual_values_of(flag->argument, &v);
    printf(":");
    put(flag->argument, ":\\");
    printf(":");
    if (*v.text) put_values(&v);
    else printf(" ");
  }
  printf("'");
}

static void each_flag(const cli_flag *flag, void *user) {
  char dashed[64];
  (void)user;
  snprintf(dashed, sizeof dashed, "--%s", flag->name);
  put_flag(flag, dashed, "=");
  if (strcmp(flag->name, "out") == 0) put_flag(flag, "-o", "");
}

static void each_key(const char *key, const manual_values *values, const char *help, void *user) {
  const bool described = *(const bool *)user;
  printf(described ? "  '%s:" : "  %s '", key);
  if (described) put(help, "\\");
  else printf("%s", values->text);
  printf("'\n");
}

void manual_zsh(void) {
  manual_values v;
  bool described = true;
  printf(
      "#compdef audiomood\n# Completion of audiomood %s for zsh; made by audiomood-manual from the tables of the "
      "command.\n\n"
      "typeset -ga _audiomood_commands _audiomood_described\ntypeset -gA _audiomood_of_key\n_audiomood_commands=(\n",
      am_version());
  for (const cli_command *const *c = cli_commands; *c; c++) {
    printf("  '%s:", (*c)->name);
    put((*c)->summary, "\\");
    printf("'\n");
  }
  printf("  'help:explains a command, a section of a config, or a layer'\n)\n_audiomood_described=(\n");
  manual_keys(each_key, &described);
  described = false;
  printf(")\n_audiomood_of_key=(\n");
  manual_keys(each_key, &described);
  printf(")\n\n%s", before);
  for (const cli_command *const *c = cli_commands; *c; c++) {
    printf("        %s)\n          _arguments", (*c)->name);
    manual_flags(*c, each_flag, NULL);
    manual_values_of_command(*c, &v);
    printf(" \\\n            '*: :");
    if (*v.text) put_values(&v);
    else printf(" ");
    printf("' && ret=0\n          ;;\n");
  }
  manual_values_of_help(&v);
  printf("        help) _arguments '1: :");
  put_values(&v);
  printf("' && ret=0 ;;\n%s", behind);
}
