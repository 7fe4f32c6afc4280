/* model/ensemble.h - models that are asked together: the mean of their probabilities. */
#ifndef AM_ENSEMBLE_H
#define AM_ENSEMBLE_H

#include "model/checkpoint.h"

/* AM_E_USAGE unless model i takes sounds at the rate of the first one. */
am_status am_ensemble_check_rate(const am_ensemble *e, size_t i, am_error *err);

#endif
