/* SPDX-License-Identifier: MIT */
/** @file audiomood/segment.h
 * from measurements that overlap to segments of one emotion.
 *
 * A segmenter takes the events of a stream (audiomood/stream.h).  At the end of each utterance it gives each moment the mean of the
 * measurements that cover it, and finds the row of labels with the greatest
 *     sum over moments of seconds * log p(label)  -  switch_penalty * changes of the label
 * (Viterbi's algorithm).  Segments shorter than `shortest` then go to the neighbour that suits them better.  No segment goes beyond
 * its utterance.
 *
 * Of values of dimensions (`values`) there is nothing to choose from: an utterance becomes steps of at least `shortest`, each with the
 * mean of the measurements that cover it.
 */
#ifndef AUDIOMOOD_SEGMENT_H
#define AUDIOMOOD_SEGMENT_H

#include "audiomood/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What makes segments of events. */
typedef struct am_segmenter am_segmenter;

/** How segments are made.  Zero in any member means its default. */
typedef struct am_segment_options {
  size_t size; /**< sizeof(am_segment_options) */
  double
      switch_penalty; /**< what a change of the label costs; 1: one that is e times as probable must last a second for each of its
                            two changes; negative: nothing */
  double shortest; /**< s, of a segment, where its utterance is not shorter; 0.5; negative: no limit */
  bool values;     /**< measurements are values of dimensions, and segments steps */
} am_segment_options;

/** A stretch of one label; valid during the call of am_segment_fn. */
typedef struct am_segment {
  size_t size;      /**< sizeof(am_segment) of the library */
  size_t index;     /**< which segment of the stream, from 0 */
  size_t utterance; /**< which utterance */
  double start;     /**< s since the stream began */
  double end;       /**< s */
  int label;        /**< the class, 0 to K - 1; of values 0; -1: there was nothing to hear */
  const float *
      probabilities; /**< (K) the mean over the segment, weighed by time, of probabilities or values; NaN where there was nothing to hear */
  double
      margin; /**< that of the label above the next most probable; negative where the label is not the most probable; of values 0 */
  double share; /**< how much of its time the label was the most probable one, 0 to 1; of values 0 */
} am_segment;

/** Receives each segment in order.
 * @param user      what am_segmenter_create was given
 * @param segment   the segment
 * @param[out] err  for the message of a failure
 * @return AM_OK to continue; any other status ends the call that was made, which returns it */
typedef am_status (*am_segment_fn)(void *user, const am_segment *segment, am_error *err);

/** Makes a segmenter.
 * @param ctx       gives memory, and outlives it
 * @param classes   K, at least 1
 * @param options   how; NULL: all defaults
 * @param each      called for each segment
 * @param user      passed to it
 * @param[out] out  the segmenter; am_segmenter_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_segmenter_create(am_context *ctx, int classes, const am_segment_options *options,
                                     am_segment_fn each, void *user, am_segmenter **out, am_error *err);
/** Frees it.
 * @param segmenter  the segmenter; NULL is allowed */
AM_API void am_segmenter_free(am_segmenter *segmenter);
/** Takes an event; at the end of an utterance its segments are told.  An am_stream_fn may call it with what it receives.
 * @param segmenter  the segmenter
 * @param event      an event of one stream, in order
 * @param[out] err   the message of a failure, or NULL
 * @return AM_OK; what `each` returned; AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_segmenter_take(am_segmenter *segmenter, const am_stream_event *event, am_error *err);

#ifdef __cplusplus
}
#endif
#endif
