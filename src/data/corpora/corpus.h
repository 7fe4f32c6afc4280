/* SPDX-License-Identifier: MIT */
/* data/corpora/corpus.h - what a corpus loader is; for data/ only.
 *
 * A loader lists the clips of its corpus in the corpus's order.  A corpus
 * whose complete list follows from a rule (RAVDESS) lists the clips that are
 * missing as well, with path NULL.  Filters, merges and renames come after,
 * in dataset.c, the same for all.  A new corpus is one file and one line of
 * registry.c. */
#ifndef AM_CORPUS_H
#define AM_CORPUS_H

#include "base/trail.h"
#include "data/dataset.h"
#include "data/names.h"

/* One clip as the loader found it. Texts live in corpus->d->strings; NULL: unknown. */
typedef struct am_entry {
  const char *name; /* relative to the root */
  const char *path; /* NULL: belongs to the corpus and is missing */
  const char *label;
  const char *speaker, *group, *utterance;
  int line;            /* of the list that names it (am_corpus.list), from 1; 0: none does */
  const char *section; /* "song part": missing clips are told by section; may be NULL */
  double start, seconds;
  am_part part;
  int corpus;                         /* of several: which of the list */
  const char *traits[AM_MOST_TRAITS]; /* values of the corpus's traits; NULL: not said */
  int intensity, statement, repetition, channel;
  const double *votes;  /* (n_labels of the corpus) raters' votes for soft targets, or NULL */
  const double *values; /* (n_dimensions of the corpus) on its scale, NaN where not said, or NULL */
} am_entry;

typedef struct am_corpus {
  am_context *ctx;
  am_dataset *d; /* the loader fills corpus, identity, title, licence, citation, language, synthetic, root */
  size_t n, room;
  am_entry *at;
  const char *list;          /* file whose lines name the clips; NULL: none */
  const char *const *labels; /* the corpus's own order; NULL: sorted */
  size_t n_labels;
  const char *const *speakers; /* speakers that the corpus is known to have, beside those of its clips */
  size_t n_speakers;
  am_texts classes;                   /* a label set that the corpus knows by name: takes the place of data.labels */
  const am_value *merge;              /* and of data.merge */
  const char *traits[AM_MOST_TRAITS]; /* names (am_corpus_trait) */
  size_t n_traits;
  const char *dimensions[AM_MOST_DIMENSIONS]; /* names (am_corpus_dimension) */
  size_t n_dimensions;
  am_scale scale[AM_MOST_DIMENSIONS]; /* of their values; not known: that of data.scale */
  int chosen[AM_MOST_DIMENSIONS];     /* which of them those of the dataset are */
  size_t n_left_out, left_out_room;
  am_left_out *left_out;
  am_name_set reasons; /* of left_out, in its order */
  bool distinct;       /* the loader made sure that no two entries are the same stretch of one file */
} am_corpus;

/* A row of the registry (registry.h). */
typedef struct am_corpus_class {
  am_variant is; /* name; help; the settings that this corpus alone has, members of am_data_options */
  am_status (*load)(am_corpus *corpus, const am_data_options *options, am_error *err);
} am_corpus_class;

am_status am_corpus_add(am_corpus *corpus, const am_entry *entry, am_error *err);
/* Counts a file or clip that is not used; the first of each reason is the example. Texts are copied when new. */
am_status am_corpus_leave_out(am_corpus *corpus, const char *reason, const char *example, am_error *err);
/* A text copied into the dataset's memory; NULL and a message when memory is out. */
const char *am_corpus_text(am_corpus *corpus, am_error *err, const char *format, ...) AM_PRINTF(3, 4);

/* Which of the traits has this name, added when new; -1 where there are AM_MOST_TRAITS already.  The name is borrowed. */
int am_corpus_trait(am_corpus *corpus, const char *name);

/* The same of a dimension of emotion, of which there are at most AM_MOST_DIMENSIONS (data/dimensions.c). */
int am_corpus_dimension(am_corpus *corpus, const char *name);

/* Sets d->root; one that is not set, or is no folder, is an error that says what was `wanted`, and `more` of it. */
am_status am_corpus_root(am_corpus *corpus, const char *root, const char *wanted, const char *more, am_error *err);

/* Sets d->synthetic when the corpus or the folder above it has the mark of `audiomood synth`. */
am_status am_corpus_find_mark(am_corpus *corpus, am_error *err);

/* All files below a folder to a fixed depth, in a fixed order, folders after files.  Links are followed; those to folders
 * come last, and lead into no folder that was searched already: the files of each folder are seen once. */
typedef struct am_walk {
  am_context *ctx;
  const char *root;
  am_status (*file)(void *user, const char *name, am_error *err);    /* name relative to the root */
  am_status (*special)(void *user, const char *name, am_error *err); /* a pipe or a device; NULL: they do not matter */
  void *user;
  am_trail trail;
  struct am_walk_link *links; /* to folders, for later */
  size_t n_links, links_room;
  size_t files, folders;                   /* counted */
  char first_file[128], first_folder[128]; /* for "found ..." */
} am_walk;
enum { AM_WALK_DEPTH = 6, AM_WALK_FILES = 500000 };
am_status am_walk_run(am_walk *walk, am_error *err);

#endif
