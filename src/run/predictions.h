/* run/predictions.h - predictions.csv: a row a clip. */
#ifndef AM_PREDICTIONS_H
#define AM_PREDICTIONS_H

#include "base/file.h"
#include "data/dataset.h"

/* predictions.csv: clip, speaker, fold, true, predicted, p_<label>..., and the corpus's traits (gender, ...) */
am_status am_predictions_write(am_context *ctx, am_whose whose, const char *path, const am_dataset *d,
                               const uint32_t *clips, size_t n, char *const *labels, int classes, const float *probabilities, am_error *err);
/* The same with a column `seed` after `fold`; seeds (n) or NULL for none. */
am_status am_predictions_write_seeds(am_context *ctx, am_whose whose, const char *path, const am_dataset *d,
                                     const uint32_t *clips, const int64_t *seeds, size_t n,
                                     char *const *labels, int classes, const float *probabilities,
                                     am_error *err);

#endif
