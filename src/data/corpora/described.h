/* SPDX-License-Identifier: MIT */
/* data/corpora/described.h - a corpus that carries its labels in its names, described by a YAML file.
 *
 * The file gives patterns for the names (or names a table beside the files),
 * what the codes in them mean, and what is known of the corpus: excluded
 * files, expected counts, fixed folds, licence and citation. datasets/README.md
 * is its manual; every section has an option table here. */
#ifndef AM_DESCRIBED_H
#define AM_DESCRIBED_H

#include "base/option.h"
#include "data/corpora/pattern.h"
#include "data/dataset.h"

/* What a group of a pattern, or a column of the table, may say. */
typedef enum am_field {
  AM_FIELD_LABEL,
  AM_FIELD_SPEAKER,
  AM_FIELD_GROUP,
  AM_FIELD_SESSION, /* session: another word for group */
  AM_FIELD_TEXT,
  AM_FIELD_TAKE,
  AM_FIELD_INTENSITY,
  AM_FIELD_UTTERANCE,
  AM_FIELD_PART,
  AM_FIELDS
} am_field;

/* A CSV, TSV, JSON or JSON Lines file below the root; the other members are names of columns. */
typedef struct am_description_table {
  const char *file, *path; /* `path` may have columns in braces: dia{D}_utt{U} */
  const char *label, *speaker, *group, *part, *start, *end, *seconds; /* "" none */
  const char *all;                                                    /* the part of all its rows; "" not said */
  am_texts scores;                                                    /* of these the highest is the label */
  am_texts columns;                                                   /* further ones: traits of the clips */
} am_description_table;
enum { AM_DESCRIPTION_TABLES = 16 };

/* Who the speakers are: a file such as those, and the column of their codes. */
typedef struct am_description_people {
  const char *file, *speaker;
  am_texts columns; /* traits of the clips */
} am_description_people;

typedef struct am_description_expected {
  int64_t clips, speakers; /* 0 not said */
  const am_value *labels;  /* label -> clips, NULL not said */
} am_description_expected;

/* What inspect holds the files against. */
typedef struct am_description_sound {
  double rate;      /* Hz, 0 not said */
  int64_t channels; /* 0 not said */
  am_reals seconds; /* [shortest, longest] or none */
} am_description_sound;

typedef struct am_description {
  const char *name, *part_of, *title, *language, *licence, *citation, *home, *speaker_prefix;
  am_texts files;              /* patterns, tried in order */
  const am_value *labels;      /* code -> label, ~: leave out; NULL: codes are labels */
  const am_value *speakers;    /* code -> speaker, ~: nobody knows who; NULL or absent code: the code itself */
  const am_value *parts;       /* code -> train, validation or test, ~: none; NULL or absent code: the code itself */
  const am_value *intensities; /* code -> number */
  const am_value *traits;      /* trait -> (code -> text), or ~; NULL or absent code: the code itself */
  const am_value *exclude;     /* name -> reason */
  const am_value *table_map, *table_list, *people_map, *expected_map, *sound_map;
  const am_value *dimensions;   /* dimension -> column of a table; NULL: none */
  am_reals scale;               /* [lowest, highest] of their values, or none */
  const am_value *scales;       /* dimension -> its own, in place of that, or NULL */
  const am_value *folds;        /* list of lists of speakers */
  bool unique;                  /* of files whose names match alike only the first counts */
  am_description_table *tables; /* n_tables: that of table_map, then those of table_list */
  size_t n_tables;
  am_description_people people; /* of people_map, when that is not NULL */
  am_description_expected expected;
  am_description_sound sound;
  am_context *ctx;
  am_tree *tree;                     /* owns all text */
  am_pattern **patterns;             /* files.n */
  int (*fields)[32];                 /* of each pattern's groups: an am_field, or AM_FIELDS + the index of a trait */
  const char *names[AM_MOST_TRAITS]; /* of the traits: groups of the patterns' own, columns of the table */
  size_t n_names;
} am_description;

extern const am_option am_description_table_options[], am_description_people_options[],
    am_description_expected_options[], am_description_sound_options[], am_description_options[];

/* AM_E_CONFIG with line and column for whatever is wrong in the file. */
am_status am_description_load(am_context *ctx, const char *path, am_description **out, am_error *err);
void am_description_free(am_description *description);
/* Is this the document of a description (and not of a config)? */
bool am_description_is(const am_value *root);

#endif
