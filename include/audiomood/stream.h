/* SPDX-License-Identifier: MIT */
/** @file audiomood/stream.h
 * emotion over time: sound goes in as it comes, events come out.
 *
 * One engine serves recordings of any length, windows, segments and live sound.  It keeps the last seconds alone, so an hour takes
 * as much memory as a minute.  Where somebody speaks it measures stretches of the sound: each as if it were a recording of its own,
 * by am_ensemble_predict.  What it says of a stretch does not depend on how the sound was cut into chunks.
 *
 * @code
 *   am_stream_options options = {.size = sizeof options, .window = 3, .hop = 1};
 *   am_stream *stream;
 *   am_status st = am_stream_create(ensemble, &options, on_event, NULL, &stream, &err);
 *   while (!st && (n = next_chunk(samples))) st = am_stream_push(stream, samples, n, 48000, &err);
 *   if (!st) st = am_stream_end(stream, &err);
 *   am_stream_free(stream);
 * @endcode
 *
 * Delay: speech is told of when it has lasted min_speech, its end when the silence has lasted min_silence; a measurement comes at
 * the end of its stretch (one that would end in a pause waits until the pause is over).  A detector (AM_SPEECH_BY_MODEL) says in
 * steps of 0.03 s what was 0.12 s before, so all of this comes up to 0.15 s later.  Resampling adds the length of libsoxr's filter,
 * some 10 ms.  The models themselves look no further than the stretch.
 *
 * A stream belongs to one thread at a time; so do the models that it asks.
 */
#ifndef AUDIOMOOD_STREAM_H
#define AUDIOMOOD_STREAM_H

#include "audiomood/profile.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The engine for one channel of sound. */
typedef struct am_stream am_stream;

/** How speech is found. */
typedef enum am_stream_speech {
  AM_SPEECH_BY_LEVEL, /**< what is clearly louder than the noise around it; needs no model, and takes music for speech, too */
  AM_SPEECH_ALL,     /**< nothing is looked for: all of the sound is one utterance */
  AM_SPEECH_GIVEN,   /**< the utterances are `turns` */
  AM_SPEECH_BY_MODEL /**< what `detector` takes for speech */
} am_stream_speech;

/** A stretch that somebody is known to speak in, as a diariser says it. */
typedef struct am_stream_turn {
  double start; /**< s */
  double end;   /**< s, later than start */
} am_stream_turn;

/** How a stream listens.  Zero in any member means its default. */
typedef struct am_stream_options {
  size_t size;   /**< sizeof(am_stream_options) */
  double window; /**< s, longest stretch that is measured while somebody speaks; 3 */
  double hop;    /**< s, from one measurement to the next; 1 */
  double first;  /**< s of speech before the first measurement, at most `window`; `window` */
  double whole;  /**< s, utterances up to so long are measured as a whole at their end, longer ones by their last
                              `window`; `window` */
  am_stream_speech speech; /**< how speech is found */
  double threshold;        /**< how sure it has to be, 0 to 1; 0.5 */
  double min_speech;       /**< s, what is shorter is no speech; 0.25 */
  double
      min_silence; /**< s, a shorter pause is part of the utterance; 0.4.  (Detectors that feed recognisers usually have
                              0.1, which cuts sentences into words.) */
  double padding;  /**< s added to both ends of an utterance; 0.03 */
  double longest;  /**< s, a longer utterance is cut at its longest pause; 30 */
  const am_stream_turn
      *turns;     /**< (n_turns) of AM_SPEECH_GIVEN, in order and not overlapping; copied.  One longer than `longest` is
                                  cut into equal parts */
  size_t n_turns; /**< how many */
  bool learn_voice; /**< all speech is one speaker's: each utterance that is over is added to what is known of the voice
                                  (audiomood/profile.h), and models that use it (am_checkpoint_uses_speaker) hear what follows by
                                  it.  The models' own speaker is replaced.  Not with AM_SPEECH_ALL */
  double voice_seconds; /**< s of speech from which on a voice counts as known; 2.  A model that has to know a voice
                                  (am_checkpoint_wants_speaker) hears by less, and at first by the stretch itself */
  am_checkpoint
      *detector; /**< of AM_SPEECH_BY_MODEL: a model that detects speech (am_checkpoint_shipped_detector, or trained by
                                  configs/speech_detector.yaml): one of the two classes "other" and "speech", whose
                                  features.samples says how much it hears.  Borrowed, and belongs to the stream's thread; it may
                                  serve several streams by turns, and have another rate than the models */
} am_stream_options;

/** What is told. */
typedef enum am_stream_kind {
  AM_STREAM_SPEECH_BEGINS, /**< an utterance begins, at `start` */
  AM_STREAM_MEASURED,      /**< probabilities of `start` to `end` */
  AM_STREAM_SPEECH_ENDS,   /**< the utterance from `start` to `end` is over; its last measurement was told */
  AM_STREAM_NOTICE         /**< something is wrong with the sound: `text` says what, at `start` */
} am_stream_kind;

/** One event; valid during the call of am_stream_fn. */
typedef struct am_stream_event {
  size_t size;                /**< sizeof(am_stream_event) of the library */
  am_stream_kind kind;        /**< what is told */
  size_t utterance;           /**< which utterance, from 0 */
  size_t index;               /**< which measurement of the stream, from 0 */
  double start;               /**< s since the stream began */
  double end;                 /**< s */
  bool last;                  /**< the measurement is the last of its utterance */
  bool whole;                 /**< the measurement is of its whole utterance */
  const float *probabilities; /**< (K) of a measurement; NaN where there is nothing to hear; else NULL */
  am_heard heard;             /**< how much of the stretch was used */
  const char *text;           /**< of a notice; else NULL */
} am_stream_event;

/** Receives each event in order.
 * @param user      what am_stream_create was given
 * @param event     the event
 * @param[out] err  for the message of a failure
 * @return AM_OK to continue; any other status ends the call that was made, which returns it */
typedef am_status (*am_stream_fn)(void *user, const am_stream_event *event, am_error *err);

/** Makes a stream.
 * @param ensemble  one model or several of one rate, borrowed; outlives the stream
 * @param options   how it listens; NULL: all defaults
 * @param each      called for each event
 * @param user      passed to it
 * @param[out] out  the stream; am_stream_free; NULL on failure
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: an option out of range, no model, models of several rates; AM_E_NOMEM */
AM_API am_status am_stream_create(am_ensemble *ensemble, const am_stream_options *options, am_stream_fn each,
                                  void *user, am_stream **out, am_error *err);
/** Frees it.  What was not ended is not told of.
 * @param stream  the stream; NULL is allowed */
AM_API void am_stream_free(am_stream *stream);
/** Hears the next samples.  Samples that are not finite are heard as silence, and a notice is given once for each run of them; so
 * is one when the rate changes, and one for an utterance of which more than 1 % of the samples are at full scale.  Notices of what
 * comes in are told when it is taken, and may be told before events that are of earlier sound.  After a failure the stream can only be freed.  AM_E_STOPPED is none: samples
 * after the stop are not heard, and after am_context_resume the stream may go on, or end and tell what is open.
 * @param stream    the stream
 * @param samples   (n) mono samples, full scale 1, borrowed for the call
 * @param n         how many; 0 is allowed
 * @param rate      Hz; it may change from call to call
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_STOPPED: am_context_stop; what `each` returned; AM_E_USAGE: a rate that cannot be resampled, or a stream that
 * has ended or failed; else as am_ensemble_predict */
AM_API am_status am_stream_push(am_stream *stream, const float *samples, size_t n, double rate, am_error *err);
/** Tells of sound that was lost: silence takes its place, so that times stay right, and a notice is given.
 * @param stream    the stream
 * @param seconds   how much, 0 to 86400
 * @param[out] err  the message of a failure, or NULL
 * @return as am_stream_push */
AM_API am_status am_stream_lost(am_stream *stream, double seconds, am_error *err);
/** The sound is over: what is open is measured and told.
 * @param stream    the stream
 * @param[out] err  the message of a failure, or NULL
 * @return as am_stream_push */
AM_API am_status am_stream_end(am_stream *stream, am_error *err);
/** How much was heard.
 * @param stream  the stream
 * @return s at the models' rate; 0 of NULL */
AM_API double am_stream_seconds(const am_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
