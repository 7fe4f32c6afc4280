/* SPDX-License-Identifier: MIT */
/** @file audiomood/evaluate.h
 * how good models are on the clips of a corpus.
 *
 * @code
 *   am_ensemble *ensemble;
 *   am_metrics *figures;
 *   am_evaluate_options validation = {.size = sizeof validation, .part = "validation"};
 *   am_ensemble_create(ctx, &ensemble, &err);
 *   am_ensemble_add(ensemble, checkpoint, "mine", &err);
 *   if (!am_ensemble_evaluate(ensemble, &validation, &figures, &err))
 *     printf("%.3f\n", am_metrics_uar(figures));
 * @endcode
 *
 * The command `evaluate` does the same, and says beside it which speakers the models know.  Objects here belong to one
 * thread at a time.
 */
#ifndef AUDIOMOOD_EVALUATE_H
#define AUDIOMOOD_EVALUATE_H

#include "audiomood/predict.h"
#include "audiomood/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which clips.  Zero or NULL in any member means its default. */
typedef struct am_evaluate_options {
  size_t size;             /**< sizeof(am_evaluate_options) */
  const am_config *config; /**< whose data, split and cache count; NULL: the first model's own, of its training */
  const char *part; /**< "train", "validation", "test" or "all"; NULL: the first there is of test, validation, train */
  bool partial;     /**< scores the rest where labels leave out more than half of the clips; else that is refused */
  double
      enrol_seconds; /**< so much of each speaker is heard before, by models that normalise by speaker: half of the clips are
                             set aside for it and not scored; INFINITY: all of that half; 0: all clips are scored, each heard
                             against all of its speaker (transductive) */
  uint64_t enrol_seed; /**< draws these clips; 0: 1 */
  const char *under;   /**< what the sounds become before: "white10", "telephone" ... ('audiomood help conditions');
                            NULL: they stay */
  bool
      known_voices; /**< a fused model with two sets of weights (am_checkpoint_members) is asked as of voices that are known, each by
                            all of its clips, which are scored, too (transductive); else, and without enrol_seconds, as of voices that
                            are not known */
} am_evaluate_options;

/** Scores one model, or the mean of several, on a part of a corpus.  Each model hears the clips by its own features.
 *
 * Labels of the corpus go to the classes of that name.  Clips of other labels are left out, with a warning in the log.
 * So are those that cannot be read or heard (data.skip_unreadable, data.unheard).  A clip whose speaker a model was
 * trained on counts as any other: for figures of new speakers give the model's own config and a part that was held out,
 * or another corpus.
 * @param ensemble  one model or several
 * @param options   which clips; NULL: all defaults
 * @param[out] out  the figures; am_metrics_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_DATA: the corpus is not where the config says, there is no such part, or nothing to score;
 * AM_E_CONFIG: its labels are not the model's; AM_E_USAGE: an option that cannot be, or enrolment where no model normalises by speaker; AM_E_STOPPED: am_context_stop; AM_E_IO, AM_E_FORMAT, AM_E_SHAPE,
 * AM_E_NUMERIC, AM_E_NOMEM */
AM_API am_status am_ensemble_evaluate(am_ensemble *ensemble, const am_evaluate_options *options, am_metrics **out,
                                      am_error *err);

#ifdef __cplusplus
}
#endif
#endif
