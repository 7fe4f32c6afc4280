/* SPDX-License-Identifier: MIT */
/* study/compare.h - runs side by side, and whether one is better than another on the same clips. */
#ifndef AM_COMPARE_H
#define AM_COMPARE_H

#include "model/config.h"
#include "model/metrics.h"
#include "run/predictions.h"

/* ---- compare.c: statistics ---- */

/* McNemar's test of two classifiers on the same clips (McNemar 1947): of the clips that only one of them has
 * right, how probable is a split at least this uneven if both were equally good?  `exact` is the two-sided
 * binomial test; `mid` counts the observed split half (Fagerland, Lydersen & Laake 2013), less conservative
 * and the one to quote.  With b and c clips, m = min(b,c) and X ~ Binomial(b + c, 1/2):
 * exact = min(1, 2 P(X <= m)), mid = 2 P(X <= m) - P(X = m). */
typedef struct am_mcnemar {
  uint64_t only_a, only_b;
  double exact, mid;
} am_mcnemar;
am_mcnemar am_mcnemar_test(uint64_t only_a, uint64_t only_b);

/* B minus A with 95 % percentile intervals of the paired bootstrap: speakers (with all their clips, for A and
 * B alike) are drawn with replacement, 10000 times; clips, where a speaker is unknown or alone. */
typedef struct am_paired {
  double accuracy, accuracy_low, accuracy_high;
  double uar, uar_low, uar_high;
  int scored;   /* classes that occur among the clips, which the UAR is a mean over */
  size_t units; /* speakers, or clips */
  bool by_speaker;
} am_paired;
/* The same of dimensions: the difference of the mean concordance (mean), and of each dimension's. */
typedef struct am_paired_values {
  int dimensions; /* 0: classes were told */
  struct am_paired_value {
    double a, b, difference, low, high; /* NaN where it is not defined */
  } mean, of[AM_MOST_DIMENSIONS];
  size_t units;
  bool by_speaker;
} am_paired_values;
/* truth, a, b (n,K): true values, NaN not known, and what each says. */
am_status am_paired_concordance(am_context *ctx, const float *truth, const float *a, const float *b,
                                const int *speakers, size_t n, int dimensions, uint64_t seed, am_paired_values *out,
                                am_error *err);

/* right_a, right_b (n): 1 right, 0 wrong, shares of several seeds between.  labels (n).  speakers (n): -1
 * unknown. */
am_status am_paired_bootstrap(am_context *ctx, const int *labels, const int *speakers, const double *right_a,
                              const double *right_b, size_t n, int classes, uint64_t seed, am_paired *out,
                              am_error *err);

/* ---- compare_runs.c, compare_settings.c: run folders ---- */

/* One clip as one run predicts it. Strings are borrowed from the run's table. */
typedef struct am_verdict {
  const char *clip, *speaker, *truth;
  int copy;     /* of clips with one name (overlapping chunks): 0, 1 ... */
  double right; /* over its seeds */
  bool first;   /* right with the first seed */
  size_t row;   /* of dimensions: its values, in am_compared.values and .truths */
} am_verdict;

typedef struct am_compared {
  am_context *ctx;
  const char *folder; /* borrowed; or the table */
  const char *name;   /* of the config; of a table its file's */
  am_config *config;  /* NULL: a table, which has no settings */
  am_predictions predictions;
  size_t n_seeds;                     /* 1 without a column `seed` */
  bool crossval, synthetic, complete; /* complete false: a cross-validation whose runs are not all finished */
  bool speaker_independent;           /* false also where the folder does not say */
  const char *part;                   /* "test", "validation", "all folds", "table" */
  bool transductive;                  /* of a cross-validation, as its crossval.json says */
  char *corpus;                       /* likewise; NULL: not said */
  am_metrics *metrics;                /* of all rows; of a cross-validation what the command `crossval` tells */
  am_verdict *verdicts;               /* (n) by clip, copy */
  float *values, *truths; /* (rows,K) of dimensions: the mean over the seeds, and the true values; else NULL */
  size_t n;
} am_compared;

/* The folder of a finished run or of a cross-validation, or a table of predictions as am_predictions_write has it.  On failure *out is empty. */
am_status am_compared_read(am_context *ctx, const char *folder, am_compared *out, am_error *err);
void am_compared_free(am_compared *c);

/* B against A on the clips that both have with the same true label. */
typedef struct am_comparison {
  size_t common, only_a, only_b, relabelled; /* clips; relabelled: in both, with different true labels */
  am_mcnemar mcnemar;                        /* first seeds */
  am_paired paired;
  am_paired_values values;    /* of dimensions, in place of both; of those of A that B tells, too */
  int of[AM_MOST_DIMENSIONS]; /* which of A's these are */
} am_comparison;
/* No clip in common is no failure: common is 0 and the tests are empty. */
am_status am_compare(const am_compared *a, const am_compared *b, uint64_t seed, am_comparison *out, am_error *err);

/* A setting that is not the same in all runs: its path and, for each run, its text ("-": absent). */
typedef struct am_setting {
  char *path;
  char **text;
} am_setting;
typedef struct am_settings_table {
  am_context *ctx;
  size_t n, runs;
  am_setting *at;
} am_settings_table;
/* Name, description and cache aside.  Nothing where a run is a table. */
am_status am_compare_settings(am_context *ctx, const am_compared *runs, size_t n, am_settings_table *out,
                              am_error *err);
void am_settings_table_free(am_settings_table *t);

#endif
