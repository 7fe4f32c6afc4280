/* SPDX-License-Identifier: MIT */
/* cli/manual/manual.c - audiomood-manual FORMAT [WORD]. */
#include <stdio.h>
#include <string.h>

#include "cli/manual/manual.h"

static const char usage[] =
    "audiomood-manual FORMAT [WORD] writes to standard output:\n"
    "  man WORD       the man page of audiomood, of a command, or of config\n"
    "  markdown WORD  the same as Markdown; commands: all of them on one page\n"
    "  bash           the completion of that shell\n"
    "  zsh, fish      likewise\n"
    "  list           the words of the man pages, each with the name of its file\n"
    "With SOURCE_DATE_EPOCH in the environment, man pages bear that day; without, none.\n";

int main(int argc, char **argv) {
  const char *format = argc > 1 ? argv[1] : "", *word = argc > 2 ? argv[2] : "";
  bool known = true;
  cli_start_end();
  if (strcmp(format, "man") == 0) known = manual_page(&manual_roff, word);
  else if (strcmp(format, "markdown") == 0) known = manual_page(&manual_markdown, word);
  else if (strcmp(format, "bash") == 0) manual_bash();
  else if (strcmp(format, "zsh") == 0) manual_zsh();
  else if (strcmp(format, "fish") == 0) manual_fish();
  else if (strcmp(format, "list") == 0) manual_list();
  else known = false;
  if (!known) {
    fprintf(stderr, "audiomood-manual %s %s: there is no such page\n%s", format, word, usage);
    return 2;
  }
  if (fflush(stdout) || ferror(stdout)) {
    perror("audiomood-manual");
    return 1;
  }
  return 0;
}
