/* SPDX-License-Identifier: MIT */
/* cli/manual/fish.c - the completion of fish (3.4 or newer). */
#include <string.h>

#include "cli/manual/manual.h"

static const char functions[] =
    "\n"
    "function __audiomood_first\n"
    "    test (count (commandline -opc)) -eq 1\n"
    "end\n"
    "\n"
    "function __audiomood_in # COMMAND\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -ge 2; and test $words[2] = $argv[1]\n"
    "end\n"
    "\n"
    "function __audiomood_files # VALUE PATTERNS...\n"
    "    for line in (complete -C \"__fish_command_without_completions $argv[1]\")\n"
    "        set -l name (string split -m 1 \\t -- $line)[1]\n"
    "        if string match -q -- '*/' $name\n"
    "            echo $name\n"
    "            continue\n"
    "        end\n"
    "        for pattern in $argv[2..]\n"
    "            if string match -qi -- $pattern $name\n"
    "                echo $name\n"
    "                break\n"
    "            end\n"
    "        end\n"
    "    end\n"
    "end\n"
    "\n"
    "# What a value may be: a word, *.h5 a file of that ending, * any, / a folder, = a key of --set.\n"
    "function __audiomood_offer # TOKENS...\n"
    "    set -l value (commandline -ct | string replace -r -- '^--[a-z-]+=' '')\n"
    "    set -l key (string split -m 1 = -- $value)\n"
    "    set -l patterns\n"
    "    for token in $argv\n"
    "        switch $token\n"
    "            case =\n"
    "                if test (count $key) -eq 2\n"
    "                    for word in (__audiomood_of_key $key[1])\n"
    "                        echo $key[1]=$word\n"
    "                    end\n"
    "                else\n"
    "                    __audiomood_keys\n"
    "                end\n"
    "            case /\n"
    "                set -a patterns /\n"
    "            case '\\**'\n"
    "                set -a patterns $token\n"
    "            case '*'\n"
    "                echo $token\n"
    "        end\n"
    "    end\n"
    "    test (count $patterns) -eq 0; or __audiomood_files \"$value\" $patterns\n"
    "end\n"
    "\n";

/* Within single quotes. */
static void put(const char *text) {
  for (; *text; text++) {
    if (*text == '\n' || (*text == ' ' && text[1] == ' ')) continue;
    if (strchr("'\\", *text)) putchar('\\');
    putchar(*text);
  }
}

static void put_offer(const manual_values *v) {
  printf("'(__audiomood_offer");
  for (const char *at = v->text; *at;) {
    const size_t n = strcspn(at, " ");
    printf(" \"%.*s\"", (int)n, at);
    at += n + (at[n] == ' ');
  }
  printf(")'");
}

static void each_flag(const cli_flag *flag, void *user) {
  const cli_command *command = user;
  manual_values v;
  printf("complete -c audiomood -n '__audiomood_in %s' -l %s%s", command->name, flag->name,
         strcmp(flag->name, "out") ? "" : " -s o");
  if (flag->argument) {
    manual_values_of(flag->argument, &v);
    printf(" -x");
    if (*v.text) printf(" -a "), put_offer(&v);
  }
  printf(" -d '");
  put(flag->help);
  printf("'\n");
}

/* A line for `--set`: the key and what it means. */
static void each_key(const char *key, const manual_values *values, const char *help, void *user) {
  (void)values;
  (void)user;
  printf("    printf '%%s\\t%%s\\n' %s= '", key);
  put(help);
  printf("'\n");
}

static void each_words(const char *key, const manual_values *values, const char *help, void *user) {
  (void)help;
  (void)user;
  if (!*values->text || strcmp(values->text, "*") == 0) return;
  printf("        case %s\n            printf '%%s\\n' %s\n", key, values->text);
}

void manual_fish(void) {
  manual_values v;
  printf("# Completion of audiomood %s for fish; made by audiomood-manual from the tables of the command.\n%s",
         am_version(), functions);
  printf("function __audiomood_keys\n");
  manual_keys(each_key, NULL);
  printf("end\n\nfunction __audiomood_of_key # KEY\n    switch $argv[1]\n");
  manual_keys(each_words, NULL);
  printf(
      "    end\nend\n\ncomplete -c audiomood -f\n"
      "complete -c audiomood -n __audiomood_first -l help -s h -d 'list the commands'\n"
      "complete -c audiomood -n __audiomood_first -l version -d 'print the version'\n"
      "complete -c audiomood -n __audiomood_first -a help -d 'explains a command, a section of a config, or a "
      "layer'\n");
  for (const cli_command *const *c = cli_commands; *c; c++) {
    printf("complete -c audiomood -n __audiomood_first -a %s -d '", (*c)->name);
    put((*c)->summary);
    printf("'\n");
  }
  for (const cli_command *const *c = cli_commands; *c; c++) {
    manual_flags(*c, each_flag, (void *)*c);
    manual_values_of_command(*c, &v);
    if (!*v.text) continue;
    printf("complete -c audiomood -n '__audiomood_in %s' -a ", (*c)->name);
    put_offer(&v);
    printf("\n");
  }
  manual_values_of_help(&v);
  printf("complete -c audiomood -n '__audiomood_in help' -a ");
  put_offer(&v);
  printf("\n");
}
