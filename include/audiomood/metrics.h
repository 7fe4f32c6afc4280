/* SPDX-License-Identifier: MIT */
/** @file audiomood/metrics.h
 * how good predictions are.
 *
 * am_metrics_compute makes them from probabilities and true classes; am_train_run returns them too.  Shares are from 0
 * to 1.  A share of no clips is NaN, and so is every figure of NULL and of a class that is not there.  Any thread may
 * read an object.
 */
#ifndef AUDIOMOOD_METRICS_H
#define AUDIOMOOD_METRICS_H

#include "audiomood/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The figures of clips whose classes are known. */
typedef struct am_metrics am_metrics;

/** Scores n clips.
 * @param ctx            gives memory and threads
 * @param probabilities  (n,K), a row a clip
 * @param truth          (n) true classes, 0 to K - 1
 * @param speakers       (n) numbers of the clips' speakers, -1 unknown, for intervals by speaker; or NULL
 * @param n              clips; 0 gives figures that are NaN
 * @param labels         (K) names of the classes, copied
 * @param classes        K, at least 1
 * @param seed           seed of the bootstrap for the intervals
 * @param[out] out       the figures; am_metrics_free; NULL on failure
 * @param[out] err       the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: a NULL; AM_E_DATA: a true class out of range; AM_E_NUMERIC: a probability that is not
 *         finite; AM_E_NOMEM */
AM_API am_status am_metrics_compute(am_context *ctx, const float *probabilities, const int *truth, const int *speakers,
                                    size_t n, const char *const *labels, int classes, uint64_t seed, am_metrics **out,
                                    am_error *err);
/** Scores values of dimensions (valence, arousal, dominance ...) in place of classes.  Every figure of classes is then NaN, and
 * am_metrics_classes is 0.
 *
 * With population moments over the clips whose true value is known, the concordance correlation coefficient (Lin 1989) is
 * 2 cov / (var + var + (difference of the means)^2).  Intervals are percentiles of 2000 bootstrap draws of whole speakers;
 * of clips, where a speaker is not known or alone.
 * @param ctx         gives memory and threads
 * @param predicted   (n,K), a row a clip
 * @param truth       (n,K) true values; NaN: not known, and left out
 * @param speakers    (n) numbers of the clips' speakers, -1 unknown, for intervals by speaker; or NULL
 * @param n           clips; 0 gives figures that are NaN
 * @param names       (K) names of the dimensions, copied
 * @param dimensions  K, at least 1
 * @param seed        seed of the bootstrap
 * @param[out] out    the figures; am_metrics_free; NULL on failure
 * @param[out] err    the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: a NULL; AM_E_NUMERIC: a predicted value that is not finite; AM_E_NOMEM */
AM_API am_status am_metrics_compute_dimensions(am_context *ctx, const float *predicted, const float *truth,
                                               const int *speakers, size_t n, const char *const *names, int dimensions,
                                               uint64_t seed, am_metrics **out, am_error *err);
/** Frees them.  Those of an am_run_result are freed by am_run_result_free.
 * @param metrics  the figures; NULL is allowed */
AM_API void am_metrics_free(am_metrics *metrics);

/** Clips that were scored.
 * @param metrics  the figures
 * @return how many */
AM_API size_t am_metrics_clips(const am_metrics *metrics);
/** Classes, K.
 * @param metrics  the figures
 * @return how many */
AM_API int am_metrics_classes(const am_metrics *metrics);
/** Name of a class.
 * @param metrics  the figures
 * @param k        class, 0 to K - 1
 * @return the name, owned by the metrics; NULL where there is none */
AM_API const char *am_metrics_label(const am_metrics *metrics, int k);
/** Accuracy.
 * @param metrics  the figures
 * @return share of clips whose class of highest probability is the true one */
AM_API double am_metrics_accuracy(const am_metrics *metrics);
/** Unweighted average recall.
 * @param metrics  the figures
 * @return the mean recall of the classes that occur */
AM_API double am_metrics_uar(const am_metrics *metrics);
/** Macro F1.
 * @param metrics  the figures
 * @return mean F1 of the classes that occur */
AM_API double am_metrics_macro_f1(const am_metrics *metrics);
/** Cross-entropy.
 * @param metrics  the figures
 * @return mean cross-entropy, in nats */
AM_API double am_metrics_loss(const am_metrics *metrics);
/** Expected calibration error.
 * @param metrics  the figures
 * @return expected calibration error over 15 equal bins of confidence */
AM_API double am_metrics_calibration_error(const am_metrics *metrics);
/** Area under the risk-coverage curve: the error rate of the surest clips, as a mean over how many of them are taken.
 * @param metrics  the figures
 * @return 0: no clip is wrong; the error rate: how sure the model is says nothing */
AM_API double am_metrics_aurc(const am_metrics *metrics);
/** What a model with thresholds (am_checkpoint_decide) answered.
 * @param metrics         the figures
 * @param[out] coverage   share of the clips that were answered, or NULL; NaN: there were no thresholds
 * @param[out] precision  share of these whose answer is right, or NULL; NaN as well where none was answered */
AM_API void am_metrics_answered(const am_metrics *metrics, double *coverage, double *precision);
/** The 95 % interval of the accuracy, by speakers where they are known (bootstrap), else Wilson's.
 * @param metrics    the figures
 * @param[out] low   its lower end, or NULL
 * @param[out] high  its upper end, or NULL */
AM_API void am_metrics_interval(const am_metrics *metrics, double *low, double *high);
/** Precision of a class.
 * @param metrics  the figures
 * @param k        class, 0 to K - 1
 * @return share of the clips predicted as k whose true class is k */
AM_API double am_metrics_precision(const am_metrics *metrics, int k);
/** Recall of a class.
 * @param metrics  the figures
 * @param k        class, 0 to K - 1
 * @return share of the clips of class k that were predicted as k */
AM_API double am_metrics_recall(const am_metrics *metrics, int k);
/** F1 of a class.
 * @param metrics  the figures
 * @param k        class, 0 to K - 1
 * @return harmonic mean of precision and recall */
AM_API double am_metrics_f1(const am_metrics *metrics, int k);
/** Support of a class.
 * @param metrics  the figures
 * @param k        class, 0 to K - 1
 * @return number of clips whose true class is k */
AM_API uint64_t am_metrics_support(const am_metrics *metrics, int k);
/** A cell of the confusion matrix.
 * @param metrics    the figures
 * @param truth      the true class
 * @param predicted  the predicted class
 * @return number of clips of class `truth` that were predicted as `predicted` */
AM_API uint64_t am_metrics_confusion(const am_metrics *metrics, int truth, int predicted);

/** Dimensions, K.
 * @param metrics  the figures
 * @return how many; 0 of figures of classes */
AM_API int am_metrics_dimensions(const am_metrics *metrics);
/** Name of a dimension.
 * @param metrics  the figures
 * @param k        dimension, 0 to K - 1
 * @return the name, owned by the metrics; NULL where there is none */
AM_API const char *am_metrics_dimension(const am_metrics *metrics, int k);
/** The mean concordance of the dimensions.
 * @param metrics    the figures
 * @param[out] low   the lower end of its 95 % interval, or NULL
 * @param[out] high  the upper end, or NULL
 * @return -1 to 1; NaN of classes */
AM_API double am_metrics_ccc(const am_metrics *metrics, double *low, double *high);
/** Concordance correlation coefficient of a dimension.
 * @param metrics    the figures
 * @param k          dimension, 0 to K - 1
 * @param[out] low   the lower end of its 95 % interval, or NULL
 * @param[out] high  the upper end, or NULL
 * @return -1 to 1; NaN: of fewer than two clips, or all of one value */
AM_API double am_metrics_dimension_ccc(const am_metrics *metrics, int k, double *low, double *high);
/** Pearson's correlation of a dimension.
 * @param metrics    the figures
 * @param k          dimension, 0 to K - 1
 * @param[out] low   the lower end of its 95 % interval, or NULL
 * @param[out] high  the upper end, or NULL
 * @return -1 to 1; NaN where true or predicted values are all the same */
AM_API double am_metrics_dimension_pearson(const am_metrics *metrics, int k, double *low, double *high);
/** Root mean square error of a dimension, on the scale of the corpus.
 * @param metrics    the figures
 * @param k          dimension, 0 to K - 1
 * @param[out] low   the lower end of its 95 % interval, or NULL
 * @param[out] high  the upper end, or NULL
 * @return from 0 */
AM_API double am_metrics_dimension_rmse(const am_metrics *metrics, int k, double *low, double *high);
/** Mean absolute error of a dimension, on the scale of the corpus.
 * @param metrics    the figures
 * @param k          dimension, 0 to K - 1
 * @param[out] low   the lower end of its 95 % interval, or NULL
 * @param[out] high  the upper end, or NULL
 * @return from 0 */
AM_API double am_metrics_dimension_mae(const am_metrics *metrics, int k, double *low, double *high);
/** Clips whose true value of a dimension is known.
 * @param metrics  the figures
 * @param k        dimension, 0 to K - 1
 * @return how many */
AM_API size_t am_metrics_dimension_clips(const am_metrics *metrics, int k);

#ifdef __cplusplus
}
#endif
#endif
