/* SPDX-License-Identifier: MIT */
/* cli/manual/bash.c - the completion of bash (4.2 or newer), which needs no other file. */
#include <string.h>

#include "cli/manual/manual.h"

/* Readline cuts words at = and :, and replaces what follows the last of them. The line is put together again, and what is offered
 * is cut likewise. */
static const char code[] =
    "# Offers those of the words, files or keys that TOKENS name and that begin with VALUE.\n"
    "_audiomood_offer() { # VALUE \"TOKENS\"\n"
    "  local value=${1//\\\\/} token file key folders= IFS=$' \\t\\n'\n"
    "  local -A seen=()\n"
    "  local -a tokens\n"
    "  value=${value#[\\\"\\']}\n"
    "  matched=$value\n"
    "  read -ra tokens <<<\"$2\"\n"
    "  for token in \"${tokens[@]}\"; do\n"
    "    case $token in\n"
    "      /) folders=1 ;;\n"
    "      =)\n"
    "        if [[ $value == *=* ]]; then\n"
    "          _audiomood_offer \"${value#*=}\" \"${_audiomood_keys[${value%%=*}]-}\"\n"
    "          return\n"
    "        fi\n"
    "        for key in \"${!_audiomood_keys[@]}\"; do [[ $key != \"$value\"* ]] || COMPREPLY+=(\"$key=\"); done\n"
    "        compopt -o nospace 2>/dev/null\n"
    "        ;;\n"
    "      \\**)\n"
    "        folders=1\n"
    "        while IFS= read -r file; do\n"
    "          [[ -d $file || ${file,,} != $token || ${seen[$file]-} ]] || { seen[$file]=1; COMPREPLY+=(\"$file\"); }\n"
    "        done < <(compgen -f -- \"$value\")\n"
    "        ;;\n"
    "      *) [[ $token != \"$value\"* ]] || COMPREPLY+=(\"$token\") ;;\n"
    "    esac\n"
    "  done\n"
    "  [[ $folders ]] || return 0\n"
    "  compopt -o filenames 2>/dev/null\n"
    "  while IFS= read -r file; do COMPREPLY+=(\"$file\"); done < <(compgen -d -- \"$value\")\n"
    "}\n"
    "\n"
    "_audiomood() {\n"
    "  local rest=$COMP_LINE word before command flag value matched= typed=${COMP_WORDS[COMP_CWORD]} i\n"
    "  local -a words=()\n"
    "  COMPREPLY=()\n"
    "  for word in \"${COMP_WORDS[@]:0:COMP_CWORD+1}\"; do\n"
    "    before=${rest%%[![:space:]]*}\n"
    "    rest=${rest#\"$before\"}\n"
    "    rest=${rest#\"$word\"}\n"
    "    if [[ -z $before && ${#words[@]} -gt 0 ]]; then words[-1]+=$word; else words+=(\"$word\"); fi\n"
    "  done\n"
    "  (( ${#words[@]} > 1 )) || return 0\n"
    "  value=${words[-1]} command=${words[1]} flag=${words[-2]}\n"
    "  if (( ${#words[@]} == 2 )); then\n"
    "    _audiomood_offer \"$value\" \"${!_audiomood_flags[*]} help --help --version\"\n"
    "  elif [[ $command == help ]]; then\n"
    "    (( ${#words[@]} > 3 )) || _audiomood_offer \"$value\" \"$_audiomood_help\"\n"
    "  elif [[ $value == --*=* ]]; then\n"
    "    _audiomood_offer \"${value#*=}\" \"${_audiomood_values[\"$command ${value%%=*}\"]-}\"\n"
    "  elif [[ $flag == -* && ${_audiomood_values[\"$command $flag\"]+known} ]]; then\n"
    "    _audiomood_offer \"$value\" \"${_audiomood_values[\"$command $flag\"]}\"\n"
    "  elif [[ $value == -* ]]; then\n"
    "    _audiomood_offer \"$value\" \"${_audiomood_flags[$command]-}\"\n"
    "  else\n"
    "    _audiomood_offer \"$value\" \"${_audiomood_values[$command]-}\"\n"
    "  fi\n"
    "  # What Readline replaces may be less, or more, than what was completed.\n"
    "  [[ $typed != [=:] ]] || typed=\n"
    "  for i in \"${!COMPREPLY[@]}\"; do\n"
    "    if [[ $typed == *\"$matched\" ]]; then COMPREPLY[i]=${typed%\"$matched\"}${COMPREPLY[i]}\n"
    "    elif [[ $matched == *\"$typed\" ]]; then COMPREPLY[i]=${COMPREPLY[i]#\"${matched%\"$typed\"}\"}\n"
    "    fi\n"
    "  done\n"
    "}\n"
    "complete -F _audiomood audiomood\n";

static void print_flag(const cli_flag *flag, void *user) {
  (void)user;
  printf(" --%s", flag->name);
}

static void print_values(const cli_flag *flag, void *user) {
  const cli_command *command = user;
  manual_values v;
  if (!flag->argument) return;
  manual_values_of(flag->argument, &v);
  printf("  [\"%s --%s\"]='%s'\n", command->name, flag->name, v.text);
  if (strcmp(flag->name, "out") == 0) printf("  [\"%s -o\"]='%s'\n", command->name, v.text);
}

static void print_key(const char *key, const manual_values *values, const char *help, void *user) {
  (void)help;
  (void)user;
  printf("  [%s]='%s'\n", key, values->text);
}

void manual_bash(void) {
  manual_values v;
  printf(
      "# Completion of audiomood %s for bash; made by audiomood-manual from the tables of the command.\n\n"
      "# What a command and its flags take: a word, *.h5 a file of that ending, * any, / a folder, = a key of --set.\n"
      "declare -gA _audiomood_flags=(\n",
      am_version());
  for (const cli_command *const *c = cli_commands; *c; c++) {
    printf("  [%s]='", (*c)->name);
    manual_flags(*c, print_flag, NULL);
    printf("'\n");
  }
  printf(")\ndeclare -gA _audiomood_values=(\n");
  for (const cli_command *const *c = cli_commands; *c; c++) {
    manual_values_of_command(*c, &v);
    printf("  [%s]='%s'\n", (*c)->name, v.text);
    manual_flags(*c, print_values, (void *)*c);
  }
  printf(")\ndeclare -gA _audiomood_keys=(\n");
  manual_keys(print_key, NULL);
  manual_values_of_help(&v);
  printf(")\ndeclare -g _audiomood_help='%s'\n\n%s", v.text, code);
}
