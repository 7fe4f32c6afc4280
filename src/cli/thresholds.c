/* SPDX-License-Identifier: MIT */
/* cli/thresholds.c - below which probability predict and evaluate call an answer uncertain. */
#include "cli/cli.h"

am_status cli_thresholds(cli *c, const cli_models *models, bool known, am_thresholds *out, bool *some, am_error *err) {
  const am_thresholds *own = &am_checkpoint_set_for(models->at[0], known)->thresholds;
  *out = *own;
  *some = models->n == 1 && own->precision > 0;
  if (cli_has(c, "threshold")) {
    double threshold;
    if (models->at[0]->values) return cli_models_need_classes(models, "--threshold", err);
    am_status st = cli_real(c, "threshold", 0, 1, 0, &threshold, err);
    *out = (am_thresholds){0};
    for (int k = 0; k < models->at[0]->classes && !st; k++) out->at[k] = threshold;
    *some = threshold > 0;
    return st;
  }
  for (size_t i = 0; i < models->n && models->n > 1; i++)
    if (am_checkpoint_set_for(models->at[i], known)->thresholds.precision > 0) {
      am_log(c->ctx, AM_LOG_WARNING,
             "the thresholds of a model are of that model alone, so the mean of several always gives an answer; with "
             "--threshold P it is uncertain below the probability P");
      break;
    }
  return AM_OK;
}
