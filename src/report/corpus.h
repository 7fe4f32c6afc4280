/* SPDX-License-Identifier: MIT */
/* report/corpus.h - the sounds of a run: how many, how long, and one of them to look at.
 *
 * For report/ only. The corpus may be gone since; a run folder alone then gives the held-out clips. */
#ifndef AM_REPORT_CORPUS_H
#define AM_REPORT_CORPUS_H

#include "run/results.h"

/* K labels, S speakers; names are borrowed from the dataset or the results. */
typedef struct am_tally {
  am_dataset *dataset; /* NULL: counted from predictions, so without the training part and without lengths */
  char note[1024];     /* why it is NULL, or what does not fit; "" */
  size_t n, n_counted; /* room for n; of several seeds only the first one's clips are counted */
  int n_labels, n_speakers;
  const char **labels, **speakers;
  uint64_t *cells;         /* (S,K) clips */
  uint64_t *parts;         /* (K,4): train, validation, test, none */
  uint64_t *speaker_parts; /* (S,4) */
  double *label_seconds;   /* (K) */
  size_t n_seconds;        /* clips whose length is known */
  double *seconds;         /* (n_seconds) rising */
} am_tally;
/* A corpus that is not there is no error. */
am_status am_tally_make(const am_results *r, am_tally *out, am_error *err);
void am_tally_free(am_context *ctx, am_tally *t);

/* One clip's waveform and log-mel spectrogram with the run's own window, hop and bins. */
typedef struct am_example {
  const char *name; /* NULL: none, and `note` says why */
  const char *truth;
  const am_prediction *prediction; /* or NULL */
  char note[1024];
  am_sound sound; /* at the features' rate */
  int t, f;
  float *x;       /* (T,F) decibels below the clip's maximum */
  double *hertz;  /* (F) */
  double seconds; /* of the T frames */
} am_example;
am_status am_example_make(const am_results *r, const am_tally *t, am_example *out, am_error *err);
void am_example_free(am_context *ctx, am_example *e);

#endif
