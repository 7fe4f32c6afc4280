/* SPDX-License-Identifier: MIT */
/* data/dataset.h - a corpus as a list of clips, and how it is split.
 *
 * Loaders (ravdess.c, manifest.c, ...) find files and read labels; filters,
 * merges and renames follow in one place for all of them.  Order of clips is
 * part of the result: the published splits depend on it. */
#ifndef AM_DATASET_H
#define AM_DATASET_H

#include "audiomood/nn.h"
#include "base/option.h"
#include "data/scale.h"

typedef enum am_part { AM_PART_NONE = -1, AM_PART_TRAIN, AM_PART_VALIDATION, AM_PART_TEST } am_part;
const char *am_part_name(am_part part); /* "train", "validation", "test" */

/* One labelled stretch of sound. Strings are owned by the dataset. */
typedef struct am_clip {
  const char *name;                              /* relative to the root, '/' separated: stable across machines */
  const char *path;                              /* to open */
  const char *source_label;                      /* before merging and renaming */
  int label;                                     /* index into labels */
  int speaker;                                   /* index into speakers, -1 unknown */
  int group;                                     /* session or dialogue, index into groups; -1 none */
  int utterance;                                 /* clips cut from one utterance share it; else the clip's own index */
  double start, seconds;                         /* part of the file; seconds 0: all of it */
  am_part corpus_part;                           /* said by the corpus, AM_PART_NONE when it says nothing */
  am_part part;                                  /* set by am_split_make; AM_PART_NONE: in no part */
  int fold;                                      /* in which the clip is tested; -1 none */
  int corpus;                                    /* index into corpora; 0 unless there are several */
  int intensity, statement, repetition, channel; /* RAVDESS codes, 0 unknown */
  const float *soft;   /* (n_labels) shares of the raters' votes: the training target; NULL: one-hot */
  const float *values; /* (n_dimensions) on the dataset's scale, NaN where not given; NULL: none is */
} am_clip;

enum { AM_LEFT_OUT_MORE = 4 };
typedef struct am_left_out {
  const char *reason;
  size_t count;
  const char *example;
  const char *more[AM_LEFT_OUT_MORE]; /* further examples, NULL where there are none */
} am_left_out;

/* What else is known of the clips, by which their results are told apart: gender, intensity, sentence, session ... */
enum { AM_MOST_TRAITS = 16 };
typedef struct am_trait {
  const char *name;
  int n;
  const char **values; /* (n) in natural order */
  int *of;             /* (clips) index into values, -1: not said */
} am_trait;

/* Counts of clips by reason, without memory of their own: `reason` and `example` outlive the list. */
enum { AM_LEFT_OUT_REASONS = 8 };
typedef struct am_left_outs {
  am_left_out at[AM_LEFT_OUT_REASONS];
  size_t n;
} am_left_outs;
void am_left_outs_add(am_left_outs *list, const char *reason, size_t count, const char *example);
/* Reasons that clips of a part may be left out of its results for. */
#define AM_LEFT_OUT_LABEL "label"           /* no class of the model */
#define AM_LEFT_OUT_UNREADABLE "unreadable" /* data.skip_unreadable */

/* am_target (audiomood/nn.h): what a model is to tell of a clip, one of its classes, or values of dimensions (data/dimensions.h). */
#define AM_TARGETS(X) X(AM_TARGET_EMOTION, "emotion") X(AM_TARGET_DIMENSIONS, "dimensions")
enum { AM_MOST_DIMENSIONS = 8 };
/* The label of a clip that has values and no label. */
#define AM_UNLABELLED "unlabelled"

typedef struct am_dataset {
  am_context *ctx;
  am_tree *strings; /* owns all text */
  const char *corpus, *title, *licence, *citation, *language;
  /* The same as what a model trained on it has to say (credit.h): the licences, each once, and a line for each corpus. */
  const char *licences, *attribution;
  bool synthetic; /* made by `audiomood synth`: results must say so */
  const char *root;
  size_t n;
  am_clip *clips;
  int n_labels, n_speakers, n_groups;
  const char **labels, **speakers, **groups;
  int target;              /* am_target: of AM_TARGET_DIMENSIONS the labels are no classes, but a trait as others are */
  int n_dimensions;        /* that were asked for; 0 none */
  const char **dimensions; /* (n_dimensions) distinct names */
  am_scale scale[AM_MOST_DIMENSIONS]; /* of their values */
  size_t n_traits;
  am_trait *traits;     /* distinct names */
  int n_corpora;        /* 1, or those of corpus several */
  const char **corpora; /* their names, distinct */
  /* Which corpus each is, or is a part of: with the name of a speaker it says who that is (am_clip_person).  NULL: not known. */
  const char **identities;
  const char *identity; /* the only one, set by the loader; identities then leads here */
  int n_known_speakers; /* speakers[n_speakers..n_known_speakers) are the corpus's others, without a clip here */
  am_value *by_name,
      *by_number; /* maps: speakers as they are, and by am_name_plain, to the index (as `count`) of the first */
  size_t n_left_out;
  am_left_out *left_out;    /* what was found and not used, and why */
  size_t n_missing;         /* clips that the corpus should have and the folder has not */
  const char *missing_note; /* e.g. "song part absent: 460 of 1132 clips missing", "" if complete */
  /* For splits drawn over the complete corpus: index of each clip in the complete list, and its length; 
   * n_complete == n and NULL when nothing is missing or the corpus cannot know. */
  size_t n_complete;
  const uint32_t *complete_index;
  const am_value *folds;     /* the corpus's own fixed folds, a list of speakers for each; NULL none */
  const int *complete_label; /* label of each clip of the complete list, for stratified splits; NULL likewise */
} am_dataset;

/* Either way they are named and counted.  Those that are left out are in no part, as with skip_unreadable; those that are kept
 * are trained on and scored as any other. */
#define AM_DATA_UNHEARDS(X) X(AM_UNHEARD_LEAVE_OUT, "leave_out") X(AM_UNHEARD_KEEP, "keep")
typedef enum am_data_unheard { AM_DATA_UNHEARDS(AM_WORD_NAME) } am_data_unheard;

/* Names that differ in nothing else are one (data/spelling.h). */
#define AM_ALIKES(X) X(AM_ALIKE_NONE, "none") X(AM_ALIKE_INVISIBLE, "invisible") X(AM_ALIKE_CASE, "case")
typedef enum am_alike { AM_ALIKES(AM_WORD_NAME) } am_alike;
/* Labels as the corpus says, or one word for one emotion (data/vocabulary.h). */
#define AM_VOCABULARIES(X) X(AM_VOCABULARY_OWN, "own") X(AM_VOCABULARY_COMMON, "common")
typedef enum am_vocabulary { AM_VOCABULARIES(AM_WORD_NAME) } am_vocabulary;

/* RAVDESS; both are sets. */
#define AM_RAVDESS_PARTS(X) X(AM_RAVDESS_SPEECH, "speech") X(AM_RAVDESS_SONG, "song")
typedef enum am_ravdess_part { AM_RAVDESS_PARTS(AM_WORD_NAME) } am_ravdess_part;
#define AM_RAVDESS_INTENSITIES(X) X(AM_RAVDESS_NORMAL, "normal") X(AM_RAVDESS_STRONG, "strong")
typedef enum am_ravdess_intensity { AM_RAVDESS_INTENSITIES(AM_WORD_NAME) } am_ravdess_intensity;

/* IEMOCAP; the styles are a set. */
#define AM_IEMOCAP_SOURCES(X) X(AM_IEMOCAP_CONSENSUS, "consensus") X(AM_IEMOCAP_RATER, "rater")
typedef enum am_iemocap_source { AM_IEMOCAP_SOURCES(AM_WORD_NAME) } am_iemocap_source;
#define AM_IEMOCAP_SETS(X) \
  X(AM_IEMOCAP_ALL, "all") \
  X(AM_IEMOCAP_4, "4") \
  X(AM_IEMOCAP_5, "5") \
  X(AM_IEMOCAP_6, "6") \
  X(AM_IEMOCAP_7, "7") \
  X(AM_IEMOCAP_9, "9") \
  X(AM_IEMOCAP_10, "10")
typedef enum am_iemocap_set { AM_IEMOCAP_SETS(AM_WORD_NAME) } am_iemocap_set;
#define AM_IEMOCAP_STYLES(X) X(AM_IEMOCAP_IMPROVISED, "improvised") X(AM_IEMOCAP_SCRIPTED, "scripted")
typedef enum am_iemocap_style { AM_IEMOCAP_STYLES(AM_WORD_NAME) } am_iemocap_style;

/* Lists of clips (data/corpora/list.h). */
#define AM_LIST_FORMATS(X) \
  X(AM_LIST_AUTO, "auto") \
  X(AM_LIST_CSV, "csv") \
  X(AM_LIST_AUDFORMAT, "audformat") \
  X(AM_LIST_KALDI, "kaldi") \
  X(AM_LIST_AUDIOFOLDER, "audiofolder") \
  X(AM_LIST_EMOBOX, "emobox") \
  X(AM_LIST_NKULULEKO, "nkululeko") \
  X(AM_LIST_SPEECHBRAIN, "speechbrain")
typedef enum am_list_format { AM_LIST_FORMATS(AM_WORD_NAME) } am_list_format;

/* Clips of a list whose labels a model gave, and a person did not correct (predict --uncertain-first). */
#define AM_UNCORRECTED(X) X(AM_UNCORRECTED_KEEP, "keep") X(AM_UNCORRECTED_LEAVE_OUT, "leave_out")
typedef enum am_uncorrected { AM_UNCORRECTED(AM_WORD_NAME) } am_uncorrected;

/* The config section `data`, common part. */
typedef struct am_data_options {
  int corpus;              /* which of the registry of corpora */
  const char *root;        /* folder */
  const char *manifest;    /* file or folder of a list, for corpus manifest; default <root>/manifest.csv */
  int format;              /* am_list_format, for corpus manifest */
  const am_value *columns; /* our name -> the list's, for corpus manifest */
  am_texts tables;         /* of an audformat database, for corpus manifest */
  int uncorrected;         /* am_uncorrected, for corpus manifest */
  const char *title, *licence, *citation; /* what a manifest's clips are, for corpus manifest; "" or NULL: not said */
  const char *description;                /* YAML file, for corpus described */
  const am_value *corpora;                /* list of data sections, for corpus several */
  uint64_t parts;                         /* ravdess: set of am_ravdess_part */
  uint64_t intensity;                     /* ravdess: set of am_ravdess_intensity */
  int target;                             /* am_target */
  am_texts dimensions;                    /* which; [] those of valence, arousal and dominance that there are */
  am_reals scale;                         /* lowest and highest value of all of them; [] the corpus knows */
  const am_value *scales;                 /* map: dimension -> its own, in place of that; NULL: none */
  am_texts labels;                        /* classes in order; [] = the corpus's own order */
  int merge_alike;                        /* am_alike */
  int vocabulary;                         /* am_vocabulary */
  const am_value *merge;                  /* map: from -> to, applied before `labels` */
  const am_value *rename;                 /* map: for display */
  am_texts speakers;                      /* keep only these; [] all */
  am_texts exclude;                       /* clip names (or base names) to leave out */
  double max_seconds;                     /* cap on decoded length; 600 */
  double min_seconds;                     /* shorter clips are left out; 0 */
  bool skip_unreadable;                   /* false: a bad file ends the run; true: it is named, counted and left out */
  int unheard;                            /* am_data_unheard: clips with nothing to hear (am_sound_unheard) */
  int64_t memory;       /* bytes of features and sounds that are kept; 0: a quarter of the machine's */
  bool complete_split;  /* ravdess: draw random splits over the full naming grid, then restrict; true */
  int labels_from;      /* iemocap: am_iemocap_source */
  int label_set;        /* iemocap: am_iemocap_set: stands for labels and merge */
  uint64_t style;       /* iemocap: set of am_iemocap_style */
  double chunk_seconds; /* iemocap: cut utterances into chunks of this; 0 whole utterances */
  bool soft_labels;     /* iemocap: train on the raters' votes */
} am_data_options;
extern const am_option am_data_table[]; /* with the registry of corpora (data/corpora/registry.c) */

/* More classes than any task has, and few enough to go through all of them for each clip. */
enum { AM_MAX_CLASSES = 1024 };

/* Finds the corpus. Relative roots are taken from the current folder. Errors say what was looked for and found.
 * A label without a clip is AM_E_DATA; so is a folder without a corpus. */
am_status am_dataset_load(am_context *ctx, const am_data_options *options, am_dataset **out, am_error *err);
void am_dataset_free(am_dataset *d);
/* Index of a speaker by name, -1 when the corpus has none such.  Numbers match by value: "2" finds "02". */
int am_dataset_speaker(const am_dataset *d, const char *name);
/* Of each of d->corpora (n_corpora) which whole corpus its clips are of, numbered in the order of the clips: parts of one corpus
 * are one.  -1: it has no clip. */
am_status am_dataset_corpora(am_context *ctx, const am_dataset *d, int *whole, int *n, am_error *err);

/* How many numbers a model gives of a clip, and what they are: classes, or dimensions. */
int am_dataset_outputs(const am_dataset *d);
const char *const *am_dataset_output_names(const am_dataset *d);
/* A clip's value as a model is trained to give it: -1 the lowest of the scale, 1 the highest; NaN: it is not known. */
float am_dataset_unit(const am_dataset *d, const am_clip *clip, int dimension);

/* Who speaks a clip, as a text that is the same whichever way the corpus was read: "CORPUS TAB SPEAKER", the name clean
 * (data/spelling.h), of a number the value, without controls.  "CORPUS TAB": someone of that corpus.  Lives in `memory`, or
 * is AM_PERSON_UNKNOWN: anybody.  NULL when memory is out. */
#define AM_PERSON_UNKNOWN "not known"
const char *am_clip_person(const am_dataset *d, const am_clip *clip, am_tree *memory);

#endif
