/* SPDX-License-Identifier: MIT */
/* model/metrics.h - how good predictions are, what stands out in them, and the same as JSON. */
#ifndef AM_METRICS_H
#define AM_METRICS_H

#include "audiomood/train.h"
#include "data/dataset.h"
#include "io/json.h"
#include "model/agreement.h"
#include "model/calibration.h"

/* The clips with one value of a trait (gender: female). */
typedef struct am_group {
  char *trait, *value;
  size_t n;
  double accuracy, uar;
  int scored;       /* classes that occur among them, which uar is a mean over */
  am_agreement *of; /* (dimensions) of a model of dimensions, else NULL */
} am_group;

/* The clips of one speaker. */
typedef struct am_speaker {
  char *name;
  size_t n;
  double accuracy, uar;
  int scored;       /* classes that occur among them, which uar is a mean over */
  am_agreement *of; /* (dimensions) of a model of dimensions, else NULL */
} am_speaker;

/* What a person would notice, in one sentence with its figure. */
typedef struct am_diagnosis {
  const char *kind; /* "below_chance", "one_answer", "exchanged_labels", "one_speaker", "narrow", "reversed" */
  char *text;
  double figure; /* average recall; share of the answers; average recall with the names exchanged; share of the class */
} am_diagnosis;

/* The surest answers alone, so many of them that the share of them that is right is still `precision`. */
typedef struct am_coverage {
  double precision;
  double share;     /* of the clips */
  double threshold; /* the probability from which on; NaN: there are none */
} am_coverage;
enum { AM_COVERAGES = 2 }; /* of a precision of 0.8 and 0.9 */

/* What was answered where thresholds leave answers out. */
typedef struct am_answered {
  bool known;    /* there were thresholds */
  double wanted; /* the precision they were chosen for; 0: it was not said */
  size_t given, right;
} am_answered;

/* Of one dimension, with 95 % intervals; NaN what is not defined. */
typedef struct am_dimension {
  char *name;
  am_scale scale;             /* of the values; not known: not said */
  am_agreement is, low, high; /* n of the intervals: 0 */
  double mean, deviation;     /* of the predicted values */
  double true_mean, true_deviation;
} am_dimension;

/* Figures of classes, or of dimensions: then classes is 0, and what is of classes is NaN. */
struct am_metrics {
  am_context *ctx;
  int dimensions;          /* of a model of dimensions, else 0 */
  am_dimension *dimension; /* (dimensions) */
  double ccc;              /* the mean of theirs */
  double ccc_low, ccc_high;
  int classes;
  char **labels; /* (K) owned */
  int scored;    /* classes that occur among the clips: those that uar and macro_f1 are means over */
  size_t n;
  double loss, accuracy, uar, macro_f1;
  double ece;  /* expected calibration error, 15 equal-width bins of confidence */
  double aurc; /* area under risk over coverage (coverage.h) */
  am_coverage coverage[AM_COVERAGES];
  am_answered answered;            /* by am_metrics_set_answered */
  double *precision, *recall, *f1; /* (K); NaN where undefined (no support / never predicted counts 0 precision) */
  uint64_t *support;               /* (K) */
  uint64_t *confusion;             /* (K,K) rows true */
  double low, high;                /* 95 % interval of the accuracy */
  double uar_low, uar_high;
  const char *interval; /* "bootstrap over 24 speakers" or "Wilson" ; text owned */
  char interval_text[64];
  am_group *groups; /* those of one trait together, two or more */
  size_t n_groups;
  am_speaker *speakers; /* those that are known, the worst first by uar, or by the mean rmse of the dimensions */
  size_t n_speakers;
  am_diagnosis *diagnoses;
  size_t n_diagnoses;
  struct am_metrics *per_utterance; /* owned; NULL: each clip is an utterance of its own */
};
/* With room for the figures of these classes, all zero: n, loss and the others are the caller's to fill. */
am_status am_metrics_create(am_context *ctx, const char *const *labels, int classes, am_metrics **out, am_error *err);
/* The figures that follow from the confusion alone: of logits as well as of probabilities, whose largest is the answer. */
am_status am_metrics_score(am_context *ctx, const float *scores, const int *truth, size_t n, const char *const *labels,
                           int classes, am_metrics **out, am_error *err);
/* Numbers the speakers (m->n) that occur from 0 in order of their index: slot (largest + 1), am_free; *found is 0 if one is
 * unknown. */
am_status am_metrics_number_speakers(const am_metrics *m, const int *speakers, size_t **slot, size_t *found,
                                     am_error *err);
/* Sets m->answered, of probabilities (m->n,K) and labels as above. */
void am_metrics_set_answered(am_metrics *m, const float *probabilities, const int *labels, const am_thresholds *t);
/* The 95 % interval of n > 0 bootstrap draws: their 2.5 and 97.5 percentiles.  Sorts them. */
void am_metrics_percentiles(double *values, size_t n, double *low, double *high);
/* metrics_utterances.c: sets m->per_utterance when clips (m->n of them, with their probabilities and labels as above) are chunks of
 * utterances: the mean probability of an utterance's chunks in the list decides. */
am_status am_metrics_add_utterances(am_metrics *m, const am_dataset *d, const uint32_t *clips,
                                    const float *probabilities, const int *labels, uint64_t seed, am_error *err);
/* metrics_groups.c: sets m->groups, for each trait of which the clips (m->n) have 2 to 12 values. */
am_status am_metrics_add_groups(am_metrics *m, const am_dataset *d, const uint32_t *clips, const float *probabilities,
                                const int *labels, am_error *err);
/* metrics_speakers.c: sets m->speakers, of truth and speakers (m->n, -1 unknown) as above, and the names of the speakers. */
am_status am_metrics_add_speakers(am_metrics *m, const float *probabilities, const int *truth, const int *speakers,
                                  const char *const *names, am_error *err);
/* The average recall of the speaker in the middle; of two, their mean; NaN without speakers. */
double am_metrics_median_speaker(const am_metrics *m);
/* metrics_diagnose.c: sets m->diagnoses, of truth and speakers (m->n, -1 unknown) as above, and the names of the speakers. */
am_status am_metrics_diagnose(am_metrics *m, const int *truth, const int *speakers, const char *const *names,
                              am_error *err);
/* Clips that were scored; all arrays are borrowed. */
typedef struct am_scored_clips {
  const uint32_t *clips;      /* (n) in the dataset */
  const float *probabilities; /* (n,K); of a model of dimensions values */
  const float *truth;    /* (n,K) true values, NaN not known, of a model of dimensions; NULL: it is one of classes */
  const am_scale *scale; /* (K) of the values; NULL: of classes */
  const int *labels, *speakers;
  size_t n;
  const char *const *names; /* (K) of the classes, or dimensions */
  int classes;
} am_scored_clips;
/* metrics_speakers.c: all of the above but `answered`; whatever is said of clips of a corpus is by this.  utterances false: chunks
 * are not put together.  Of `d` the speakers and traits are used, and with utterances the clips.  On failure *out is NULL. */
am_status am_metrics_of_clips(const am_dataset *d, const am_scored_clips *of, bool utterances, uint64_t seed,
                              am_metrics **out, am_error *err);
/* metrics_dimensions.c: the same of a model of dimensions. */
am_status am_metrics_of_values(const am_dataset *d, const am_scored_clips *of, bool utterances, uint64_t seed,
                               am_metrics **out, am_error *err);
/* Only the speakers, by their names. */
am_status am_metrics_add_value_speakers(am_metrics *m, const am_scored_clips *of, const char *const *names,
                                        am_error *err);
/* The mean concordance alone, of values (n,K). */
double am_metrics_concordance(const float *values, const float *truth, size_t n, int dimensions, double from);
/* With room for the figures of these dimensions, NaN but for n; on failure *out is NULL. */
am_status am_metrics_create_dimensions(am_context *ctx, const char *const *names, int dimensions, am_metrics **out,
                                       am_error *err);
/* The scales of all dimensions, and their names, into arrays of AM_MAX_CLASSES; false: they were not said. */
bool am_metrics_scales(const am_metrics *m, const char **names, am_scale *scales);
/* The mean of the dimensions' rmse, of a group or a speaker. */
double am_metrics_mean_rmse(const am_agreement *of, int dimensions);
/* The average recall of guessing among the classes that occur, which is also that of one answer for all; NaN without clips. */
double am_metrics_chance(const am_metrics *m);

/* ---- metrics_json.c ---- */

/* How clips were held out and what they are: what a reader must know beside the figures. */
typedef struct am_protocol {
  const char *split;            /* "test" */
  const char *corpus;           /* of these clips; NULL: not said */
  const am_left_outs *left_out; /* clips of the part that were not scored, by reason; NULL: none */
  int models;                   /* whose mean probability is scored; 0 is 1 */
  bool speaker_independent;     /* no speaker of these clips was trained on; false also when that is not known */
  bool synthetic;               /* computed speech */
  bool
      transductive; /* normalised by statistics of all clips of a speaker or corpus, those that are scored among them */
  const char *voices; /* of a model with weights for either: "known" or "not known"; NULL: of no such model */
  const char *under;  /* what the sounds had become; NULL: as they are */
  const struct am_enrolment *enrolment; /* normalised by those of other clips of the speaker; NULL: not so */
} am_protocol;
/* The JSON object of `evaluate --json`: n, labels, accuracy, uar, macro_f1, per_class, confusion, ... */
am_status am_metrics_json(am_context *ctx, const am_metrics *m, const am_protocol *protocol, am_buffer *out,
                          am_error *err);
/* am_metrics_json's object as a value of a larger one. */
void am_metrics_write(am_json *j, const char *key, const am_metrics *m, const am_protocol *protocol);

#endif
