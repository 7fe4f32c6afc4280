/* SPDX-License-Identifier: MIT */
/* cli/manual/manual.h - audiomood-manual, a program of the build: man pages, their Markdown and the completion of shells, from the
 * tables by which the command reads its flags and configs.
 *
 * All is written to standard output, whose failure main sees at the end. */
#ifndef AM_MANUAL_H
#define AM_MANUAL_H

#include "cli/cli.h"

/* How a page is written; roff.c and markdown.c. */
typedef struct manual_style {
  void (*title)(const char *page, int chapter, const char *summary); /* "audiomood-train", 1, "trains a model" */
  void (*heading)(int level, const char *text);                      /* level 1 is below the title */
  void (*text)(const char *text);                     /* paragraphs; a line that begins with a space stands as it is */
  void (*usage)(const char *name, const char *usage); /* "audiomood train", "CONFIG [--out DIR]" */
  void (*code)(const char *lines);                    /* ends with a newline */
  /* One of a list: a word or flag, what stands for its value (or NULL), and what it means. */
  void (*item)(const char *name, const char *argument, const char *help);
  void (*end_items)(void);
  void (*options)(const am_option *table); /* keys with type, default, range and help */
} manual_style;
extern const manual_style manual_roff, manual_markdown;

/* pages.c: a page by its word: "audiomood", a command, "config", and of Markdown also "commands", all commands on one page.  False:
 * there is none such. */
bool manual_page(const manual_style *style, const char *word);
void manual_list(void); /* the words of the man pages, each with its file's name */

/* The length of the first of several ways to call a command, which a bar outside brackets parts: "CONFIG [--seed N] | --resume RUN". */
size_t manual_way(const char *usage);

/* values.c: what may stand at a place of the command line, by the word that --help has for it, as tokens with a space between
 * them: a word as it is, "*.h5" a file of that ending, "*" any, "/" a folder, "=" a key of --set. */
typedef struct manual_values {
  char text[2048];
} manual_values;
void manual_values_of(const char *argument, manual_values *out);               /* of a flag: "RUN|FILE.h5" */
void manual_values_of_command(const cli_command *command, manual_values *out); /* of what is no flag */
void manual_values_of_help(manual_values *out);                                /* of `audiomood help` */
/* All flags of a command: its own, those of formats, and the common ones. */
void manual_flags(const cli_command *command, void (*each)(const cli_flag *flag, void *user), void *user);
/* All keys of --set, each with what its value may be and its help. */
void manual_keys(void (*each)(const char *key, const manual_values *values, const char *help, void *user), void *user);

/* bash.c, zsh.c, fish.c */
void manual_bash(void);
void manual_zsh(void);
void manual_fish(void);

#endif
