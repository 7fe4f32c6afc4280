/* SPDX-License-Identifier: MIT */
/* cli/manual/roff.c - pages in roff, with the macros of man(7). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/manual/manual.h"

enum { WIDTH = 78, FIXED = '\1' }; /* of lines; stands for a space at which no line is broken */

/* A dash that is typed stays one: a hyphen would be copied as another character. */
static const char *escape(char c, char alone[2]) {
  switch (c) {
    case '\\': return "\\e";
    case '-': return "\\-";
    case '\'': return "\\(aq";
    case '`': return "\\(ga";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    case '"': return "\\(dq";
    case FIXED: return "\\ ";
    default:
      alone[0] = c;
      alone[1] = '\0';
      return alone;
  }
}

static void put(const char *text, size_t n) {
  char alone[2];
  for (size_t i = 0; i < n; i++) printf("%s", escape(text[i], alone));
}

static size_t width(const char *text, size_t n) {
  char alone[2];
  size_t all = 0;
  for (size_t i = 0; i < n; i++) all += strlen(escape(text[i], alone));
  return all;
}

/* Text in lines of at most WIDTH, a new one for each sentence.  None begins with a dot, which would make it a request. */
static void fill(const char *text) {
  size_t column = 0;
  while (*(text += strspn(text, " \n"))) {
    const size_t n = strcspn(text, " \n"), wide = width(text, n);
    if (column && column + 1 + wide > WIDTH) putchar('\n'), column = 0;
    if (column) putchar(' ');
    if (!column && *text == '.') printf("\\&");
    put(text, n);
    column += wide + (column > 0);
    const bool ends = n > 1 && strchr(".?!", text[n - 1]) && text[n - 2] != '.';
    text += n;
    if (ends && isupper((unsigned char)text[strspn(text, " \n")])) putchar('\n'), column = 0;
  }
  if (column) putchar('\n');
}

static void put_upper(const char *text) {
  for (; *text; text++) {
    const char c = (char)toupper((unsigned char)*text);
    put(&c, 1);
  }
}

/* The day of SOURCE_DATE_EPOCH, which a build that can be repeated sets; there is none otherwise. */
static const char *day(char out[16]) {
  const char *text = getenv("SOURCE_DATE_EPOCH");
  const time_t when = text ? (time_t)strtoll(text, NULL, 10) : 0;
  struct tm t;
  out[0] = '\0';
  if (text && gmtime_r(&when, &t)) strftime(out, 16, "%Y-%m-%d", &t);
  return out;
}

static bool first_usage, fresh; /* of the page; below a heading, where no paragraph begins */

static void paragraph(void) {
  if (!fresh) printf(".PP\n");
  fresh = false;
}

static void title(const char *page, int chapter, const char *summary) {
  char date[16];
  printf(".\\\" Made by audiomood-manual from the tables of the command.\n.TH ");
  put_upper(page);
  printf(" %d \"%s\" \"AudioMood %s\" \"%s\"\n", chapter, day(date), am_version(),
         chapter == 1 ? "User Commands" : "File Formats");
  printf(".\\\" Left-aligned, without hyphens: words are commands and keys.\n.nh\n.ad l\n.SH NAME\n");
  char line[256];
  snprintf(line, sizeof line, "%s - %s", page, summary);
  fill(line);
  first_usage = true;
}

static void heading(int level, const char *text) {
  fresh = level < 3;
  if (level == 1) {
    printf(".SH ");
    put_upper(text);
  } else if (level == 2) {
    printf(".SS ");
    put(text, strlen(text));
  } else {
    printf(".PP\n\\fB");
    put(text, strlen(text));
    printf("\\fR");
  }
  putchar('\n');
}

/* One after the other: a paragraph, or lines that begin with a space. */
static bool asis; /* whether such lines are open */
static void code_line(const char *line, size_t n) {
  if (!asis) paragraph(), printf(".in +4n\n.nf\n");
  asis = true;
  if (n && (*line == '.' || *line == '\'')) printf("\\&");
  put(line, n);
  putchar('\n');
}
static void end_code(void) {
  if (asis) printf(".fi\n.in\n");
  asis = false;
}

static void text(const char *at) {
  char part[8192];
  size_t used = 0;
  bool open = false;
  for (; *at; at += strcspn(at, "\n"), at += *at == '\n') {
    const size_t n = strcspn(at, "\n");
    if (n && *at == ' ') {
      if (used) fill(part);
      used = 0;
      open = false;
      code_line(at + strspn(at, " "), n - strspn(at, " "));
      continue;
    }
    end_code();
    if (!n || !open) {
      if (used) fill(part);
      used = 0;
      open = n > 0;
      if (open) paragraph();
    }
    if (n) used += (size_t)snprintf(part + used, sizeof part - used, "%s%.*s", used ? " " : "", (int)n, at);
    if (used >= sizeof part) used = sizeof part - 1;
  }
  if (used) fill(part);
  end_code();
}

/* One way to call it; a flag stays on a line with its value. */
static void usage_line(const char *name, const char *line, size_t n) {
  char fixed[2048];
  bool flag = false;
  printf(".HP 4\n\\fB");
  put(name, strlen(name));
  printf("\\fR\n");
  snprintf(fixed, sizeof fixed, "%.*s", (int)n, line);
  for (char *c = fixed; *c; c++) {
    if (c[0] == '-' && (c[1] == '-' || isalpha((unsigned char)c[1])) && (c == fixed || strchr(" [|", c[-1])))
      flag = true;
    if (*c == ']') flag = false;
    if (*c == ' ' && flag && c[1] != '[' && c[1] != '|' && c[1] != '-') *c = FIXED;
    if (*c == ' ' || *c == FIXED) flag = false;
  }
  fill(fixed);
}

static void usage(const char *name, const char *lines) {
  if (first_usage) printf(".SH SYNOPSIS\n");
  first_usage = false;
  for (size_t n; *lines; lines += n) {
    n = manual_way(lines);
    usage_line(name, lines, n);
    n += strspn(lines + n, " |");
  }
}

static void code(const char *lines) {
  for (; *lines; lines += strcspn(lines, "\n") + 1) code_line(lines, strcspn(lines, "\n"));
  end_code();
}

static void put_terms(const char *name, const char *argument) {
  printf("\\fB");
  put(name, strlen(name));
  printf("\\fR");
  if (!argument) return;
  printf(" \\fI");
  put(argument, strlen(argument));
  printf("\\fR");
}

static void item(const char *name, const char *argument, const char *help) {
  fresh = false;
  printf(".TP\n");
  put_terms(name, argument);
  putchar('\n');
  fill(help);
}

static void end_items(void) {}

static void options(const am_option *table) {
  for (const am_option *o = table; o->name; o++) {
    char words[512], range[96], all[1024];
    const char *choices = am_option_words(o, words);
    size_t used = 0;
    fresh = false;
    printf(".TP\n");
    put_terms(o->name, am_option_type_name(o));
    putchar('\n');
    fill(o->help ? o->help : "");
    if (o->help) printf(".br\n");
    used += (size_t)snprintf(all, sizeof all, "Default: %s",
                             !o->fallback   ? "none, it is required"
                             : *o->fallback ? o->fallback
                                            : "not set");
    if (choices) {
      used += (size_t)snprintf(all + used, sizeof all - used, "; of: ");
      for (; *choices && used + 3 < sizeof all; choices++) {
        all[used++] = *choices == '|' ? ',' : *choices;
        if (*choices == '|') all[used++] = ' ';
      }
      all[used] = '\0';
    } else if (*am_option_range(o, range)) {
      used += (size_t)snprintf(all + used, sizeof all - used, "; %s", range);
    }
    if (used < sizeof all) snprintf(all + used, sizeof all - used, ".");
    fill(all);
  }
}

const manual_style manual_roff = {title, heading, text, usage, code, item, end_items, options};
