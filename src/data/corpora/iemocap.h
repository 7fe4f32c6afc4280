/* SPDX-License-Identifier: MIT */
/* data/corpora/iemocap.h - label files of IEMOCAP (Busso et al. 2008); for data/ only. */
#ifndef AM_IEMOCAP_H
#define AM_IEMOCAP_H

#include "base/base.h"

enum {
  AM_IEMOCAP_NEUTRAL,
  AM_IEMOCAP_HAPPY,
  AM_IEMOCAP_SAD,
  AM_IEMOCAP_ANGRY,
  AM_IEMOCAP_SURPRISED,
  AM_IEMOCAP_FEARFUL,
  AM_IEMOCAP_DISGUST,
  AM_IEMOCAP_FRUSTRATED,
  AM_IEMOCAP_EXCITED,
  AM_IEMOCAP_OTHER,
  AM_IEMOCAP_LABELS
};
/* "neutral", "happy", ...: named as RAVDESS's where both have them. */
extern const char *const am_iemocap_labels[AM_IEMOCAP_LABELS];

/* What the file says of one utterance. */
typedef struct am_iemocap_line {
  char utterance[48];              /* "Ses01F_impro01_F000" */
  size_t dialogue;                 /* length of "Ses01F_impro01" in it */
  int session;                     /* 1 */
  char speaker;                    /* 'F' or 'M': of the last group of letters; the first tells who wore the markers */
  int label;                       /* -1: no agreement, or no label given */
  double vad[3];                   /* NaN: not given */
  double votes[AM_IEMOCAP_LABELS]; /* of the external raters, one for each label that one gave */
  int number;                      /* of the line, from 1 */
} am_iemocap_line;

typedef struct am_iemocap_reader {
  am_context *ctx;
  const char *file;
  bool votes; /* consensus: read the raters' lines too; else what they say does not matter */
  void *user;
  am_status (*utterance)(void *user, const am_iemocap_line *line, am_error *err);
  am_status (*strange)(void *user, int number, am_error *err); /* a line that is none of the format */
} am_iemocap_reader;

/* dialog/EmoEvaluation/<dialogue>.txt: a block an utterance, in any order. */
am_status am_iemocap_read_consensus(const am_iemocap_reader *reader, am_error *err);
/* dialog/EmoEvaluation/Categorical/<dialogue>_e?_cat.txt: a line an utterance; the first label counts. */
am_status am_iemocap_read_rater(const am_iemocap_reader *reader, am_error *err);

#endif
