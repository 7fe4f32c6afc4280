/* SPDX-License-Identifier: MIT */
/* run/predictions.h - predictions.csv: a row a clip, written and read. */
#ifndef AM_PREDICTIONS_H
#define AM_PREDICTIONS_H

#include "base/file.h"
#include "data/dataset.h"
#include "io/csv.h"

/* What is written of clips of a dataset; all borrowed. */
typedef struct am_predicted_rows {
  const am_dataset *d;
  const uint32_t *clips; /* (n) */
  const int64_t *seeds;  /* (n), or NULL: no column `seed` */
  size_t n;
  char *const *names; /* (K) labels, or dimensions */
  int classes;        /* K */
  const float *told;  /* (n,K) probabilities, or values */
  const float *truth; /* (n,K) true values, NaN not known, of dimensions; NULL: of labels */
} am_predicted_rows;
/* predictions.csv: clip, speaker, fold, true, predicted, p_<label>..., and the corpus's traits (gender, ...).  Of dimensions clip,
 * speaker, fold, true_<dimension>..., predicted_<dimension>..., and the traits; a true value that is not known is empty. */
am_status am_predictions_write(am_context *ctx, am_whose whose, const char *path, const am_predicted_rows *rows,
                               am_error *err);

struct am_metrics;

typedef struct am_prediction {
  const char *clip, *speaker, *fold; /* borrowed from the table; speaker and fold "" when unknown */
  int64_t seed;                      /* 0 where the table has none */
  int truth, predicted;              /* classes; -1 of dimensions */
  double confidence, of_truth; /* probability of `predicted`, and of `truth`, as the file has them; NaN of dimensions */
} am_prediction;

/* A table read back. */
typedef struct am_predictions {
  am_context *ctx;
  am_csv *table;
  bool seeded; /* it has a column `seed` */
  int classes;
  const char **labels; /* (K) of the columns p_<label>, or predicted_<dimension>, borrowed from the table */
  size_t n;
  am_prediction *at;    /* (n) in the file's order */
  float *probabilities; /* (n,K), or values of dimensions */
  float *values;        /* (n,K) true values of dimensions, NaN not known; NULL: it is a table of labels */
} am_predictions;

/* Labels that no column has and what is no probability from 0 to 1 are AM_E_FORMAT, with file and line.  So is a table of
 * dimensions, but for am_predictions_read_any.  On failure *out is empty. */
am_status am_predictions_read(am_context *ctx, const char *path, am_predictions *out, am_error *err);
am_status am_predictions_read_any(am_context *ctx, const char *path, am_predictions *out, am_error *err);
/* The same predictions with the classes `labels` (K, borrowed) in this order: probabilities of others are dropped.  A label
 * without a column, and a row of a class that is not among them, are AM_E_FORMAT; `whose` says whose labels they are ("the
 * corpus"). */
am_status am_predictions_order(am_predictions *p, const char *const *labels, int classes, const char *whose,
                               am_error *err);
/* The name of the trait in a column after the probabilities: without the "group_" that told it from another column. */
const char *am_predictions_trait(const am_predictions *p, const char *column);
/* predictions_figures.c: the figures of all rows, with groups, speakers and what stands out; chunks are not put together.  On
 * failure *out is NULL. */
am_status am_predictions_metrics(const am_predictions *p, uint64_t seed, struct am_metrics **out, am_error *err);
/* Only the speakers (m->n rows). */
am_status am_predictions_add_speakers(const am_predictions *p, struct am_metrics *m, am_error *err);
/* The class of a label; -1: none. */
int am_predictions_class(const am_predictions *p, const char *label);
/* With {0} nothing is done. */
void am_predictions_free(am_predictions *p);

#endif
