/* SPDX-License-Identifier: MIT */
/* base/option.h - the typed option table: one table per section drives
 * reading, checking, --help, the effective config and the copy in checkpoints. */
#ifndef AM_OPTION_H
#define AM_OPTION_H

#include "base/value.h"
#include "base/words.h"

typedef enum am_option_type {
  AM_OPT_BOOL,    /* bool */
  AM_OPT_INT,     /* int64_t, min..max */
  AM_OPT_REAL,    /* double, min..max */
  AM_OPT_TEXT,    /* const char *, owned by the tree; "" when the default is "" */
  AM_OPT_CHOICE,  /* int: index into `choices`; of an enumeration AM_WORDS (base/words.h) */
  AM_OPT_INTS,    /* am_ints: a number or a list of numbers */
  AM_OPT_REALS,   /* am_reals: the same */
  AM_OPT_TEXTS,   /* am_texts: a text or a list of texts */
  AM_OPT_CHOICES, /* uint64_t bit set over `choices`: a word or a list of words */
  AM_OPT_MAP,     /* const am_value *: a map left to the section's own code; NULL when absent */
  AM_OPT_LIST,    /* const am_value *: a list likewise */
  AM_OPT_BYTES    /* int64_t, min..max: an amount of memory, "400MB" (base/bytes.h) */
} am_option_type;

typedef struct am_ints {
  size_t n;
  const int64_t *at;
} am_ints;
typedef struct am_reals {
  size_t n;
  const double *at;
} am_reals;
typedef struct am_texts {
  size_t n;
  const char *const *at;
} am_texts;

struct am_option;
/* The head of a row of a registry (corpora, optimisers, exporters).  A registry is a const list of pointers to heads that NULL
 * ends; a head is the first member of its row. */
typedef struct am_variant {
  const char *name, *help;     /* one line */
  const struct am_option *own; /* options that this variant alone has, of the section's struct; NULL: none */
} am_variant;

typedef struct am_option {
  const char *name;
  am_option_type type;
  size_t offset;        /* of the member in the section's struct */
  const char *fallback; /* default as YAML flow text ("0.1", "[1, 2]", "same"); NULL: required
                           (for AM_OPT_MAP and AM_OPT_LIST "" means absent is fine) */
  double min, max;      /* of numbers, each element of a list; both 0: no range */
  const char *choices;  /* "a|b|c" for AM_OPT_CHOICE(S) */
  const char *help;     /* one line, with units */
  const char *before;   /* of an option that changed what is done by default: what a stored config without it means
                           (am_tree_set_stored); NULL: the default */
  const am_variant *const
      *variants; /* of an AM_OPT_CHOICE in place of `choices`: a registry, whose names are the words and whose
                           index is the value.  The own options of the variant that is chosen are options of the section, too,
                           and those of the others are errors, but for one that a file has at its default; a table has one such
                           option */
} am_option;

/* Ends every table. */
#define AM_OPTION_END \
  { 0 }

/* Reads `map` (NULL or AM_NULL: all defaults) into the struct `out` by `table`.  Unknown and
 * duplicate keys, wrong types, values out of range and missing required keys
 * fail with line, column and, for keys and choices, a "did you mean".
 * `section` names it in messages ("train.optimiser").  Strings and lists are
 * owned by `tree`.  Members of variants that were not chosen get their defaults. */
am_status am_options_read(am_tree *tree, const am_option *table, const am_value *map, const char *section, void *out,
                          am_error *err);
/* Takes out of `map` what am_options_read would refuse because another variant has it, but for what --set gave: stored configs of
 * before variants had options of their own hold those of all, which meant nothing. */
void am_options_drop_others(const am_option *table, am_value *map);
/* The whole section back as a map with every option present: the effective config. */
am_status am_options_emit(am_tree *tree, const am_option *table, const void *in, am_value **out, am_error *err);
/* A table for `audiomood help`, at most 100 columns wide: a line "  name  type  default  range or choices" for each
 * option, and its help indented below. */
void am_options_help(am_context *ctx, const am_option *table, am_buffer *out);
/* The parts of such a line: "int"; "required" or "-" where there is no default; "1 to 10", "at least 1", or "" without a range; numbers
 * are as short as they are exact. */
const char *am_option_type_name(const am_option *option);
const char *am_option_default(const am_option *option);
const char *am_option_range(const am_option *option, char out[96]);
/* "a|b|c" of a choice, put together in `buffer` for a registry; NULL of other types. */
const char *am_option_words(const am_option *option, char buffer[512]);
/* The value of a flag, number or word (its index); NAN of other types. */
double am_option_number(const am_option *option, const void *in);
/* A key of what is computed by such an option, from one of what was computed before there was the option: the same where its value
 * is what was done then (`before`, or the default), else another one. */
uint64_t am_option_mix(uint64_t key, const am_option *option, const void *in);
/* Index of a word in "a|b|c", -1 when absent; and the i-th word into a buffer. */
int am_choice_index(const char *choices, const char *word);
const char *am_choice_name(const char *choices, int index, char *buffer, size_t size);

#endif
