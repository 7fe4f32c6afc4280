/* SPDX-License-Identifier: MIT */
/* cli/manual/markdown.c - pages in Markdown, with tables as GitHub and most generators of sites read them. */
#include <ctype.h>
#include <string.h>

#include "cli/manual/manual.h"

/* Prose: what would mean something stays what it is, but for spans of code, which help texts have. */
static void put(const char *text, size_t n) {
  bool span = false;
  for (size_t i = 0; i < n; i++) {
    span ^= text[i] == '`';
    if (text[i] == '|' || (!span && strchr("\\*_<[#", text[i]))) putchar('\\');
    putchar(text[i]);
  }
}

/* A span of code; in a table a bar still ends the cell. */
static void put_code(const char *text, bool in_table) {
  const char *fence = strchr(text, '`') ? "``" : "`";
  printf("%s", fence);
  for (; *text; text++) {
    if (in_table && *text == '|') putchar('\\');
    putchar(*text);
  }
  printf("%s", fence);
}

static void title(const char *page, int chapter, const char *summary) {
  (void)chapter;
  printf("# %s\n\n", page);
  putchar(toupper((unsigned char)*summary));
  put(summary + 1, strlen(summary + 1));
  printf(".\n\n");
}

/* "SEE ALSO" of man pages is "See also" here. */
static void heading(int level, const char *text) {
  bool shouted = true;
  for (const char *c = text; *c; c++) shouted = shouted && !islower((unsigned char)*c);
  for (int i = 0; i <= level; i++) putchar('#');
  putchar(' ');
  for (const char *c = text; *c; c++) {
    const char shown = (char)(shouted && c > text ? tolower((unsigned char)*c) : *c);
    put(&shown, 1);
  }
  printf("\n\n");
}

static bool asis; /* a block of code is open */
static void code_line(const char *line, size_t n) {
  if (!asis) printf("```text\n");
  asis = true;
  printf("%.*s\n", (int)n, line);
}
static void end_code(void) {
  if (asis) printf("```\n\n");
  asis = false;
}

static void text(const char *at) {
  bool open = false;
  for (; *at; at += strcspn(at, "\n"), at += *at == '\n') {
    const size_t n = strcspn(at, "\n");
    if (n && *at == ' ') {
      if (open) printf("\n");
      open = false;
      code_line(at + strspn(at, " "), n - strspn(at, " "));
      continue;
    }
    end_code();
    put(at, n);
    open = n > 0;
    if (open || at[n]) putchar('\n');
  }
  end_code();
  printf("\n");
}

static void usage(const char *name, const char *lines) {
  printf("```text\n");
  for (size_t n; *lines; lines += n) {
    n = manual_way(lines);
    printf("%s %.*s\n", name, (int)n, lines);
    n += strspn(lines + n, " |");
  }
  printf("```\n\n");
}

static void code(const char *lines) {
  for (; *lines; lines += strcspn(lines, "\n") + 1) code_line(lines, strcspn(lines, "\n"));
  end_code();
}

static void item(const char *name, const char *argument, const char *help) {
  char left[256];
  snprintf(left, sizeof left, "%s%s%s", name, argument ? " " : "", argument ? argument : "");
  printf("- ");
  put_code(left, false);
  printf(": ");
  for (size_t n; *(help += strspn(help, " \n")); help += n) {
    n = strcspn(help, " \n");
    put(help, n);
    if (help[n]) putchar(' ');
  }
  putchar('\n');
}

static void end_items(void) { putchar('\n'); }

static void options(const am_option *table) {
  printf("| key | type | default | range or choices | meaning |\n|---|---|---|---|---|\n");
  for (const am_option *o = table; o->name; o++) {
    char words[512], range[96];
    const char *choices = am_option_words(o, words);
    printf("| ");
    put_code(o->name, true);
    printf(" | %s | ", am_option_type_name(o));
    if (!o->fallback) printf("required");
    else if (*o->fallback) put_code(o->fallback, true);
    printf(" | ");
    for (size_t n; choices && *choices; choices += n + (choices[n] == '|')) {
      char word[64];
      n = strcspn(choices, "|");
      snprintf(word, sizeof word, "%.*s", (int)n, choices);
      put_code(word, true);
      if (choices[n]) printf(", ");
    }
    if (!am_option_words(o, words)) printf("%s", am_option_range(o, range));
    printf(" | ");
    put(o->help ? o->help : "", strlen(o->help ? o->help : ""));
    printf(" |\n");
  }
  putchar('\n');
}

const manual_style manual_markdown = {title, heading, text, usage, code, item, end_items, options};
