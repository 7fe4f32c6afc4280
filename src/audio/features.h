/* SPDX-License-Identifier: MIT */
/* audio/features.h - from mono samples to the matrix (T,F) a model sees.
 *
 * The same code makes features for training and for prediction.  Order:
 * trim (option) -> level (option) -> zero-pad or truncate to `samples` (option) -> STFT -> power mel
 * -> decibels -> (DCT) -> bins of prosody (option) -> deltas -> mean over time (option) -> scale.
 * Normalisation (per clip, speaker, training set) comes after, in
 * am_norm_*: it needs statistics that the features alone do not have. */
#ifndef AM_FEATURES_H
#define AM_FEATURES_H

#include "audio/cepstrum.h"
#include "audio/decibel.h"
#include "audio/mel.h"
#include "audio/normalise.h"
#include "audio/stft.h"
#include "audiomood/audio.h"
#include "base/option.h"

/* Raise when any output of this code changes by more than rounding; the golden test in
 * tests/audio pins a digest of features to this number.  Rounding alone: am_features_key. */
#define AM_FEATURES_VERSION 1

#define AM_FEATURE_KINDS(X) \
  X(AM_FEATURE_LOG_MEL, "log_mel") \
  X(AM_FEATURE_MEL, "mel") X(AM_FEATURE_MFCC, "mfcc") X(AM_FEATURE_FUNCTIONALS, "functionals")
#define AM_MEL_SCALES(X) X(AM_MEL_SLANEY, "slaney") X(AM_MEL_HTK, "htk")
#define AM_MEL_NORMS(X) X(AM_MEL_NORM_SLANEY, "slaney") X(AM_MEL_NORM_NONE, "none")
#define AM_FEATURE_LOGS(X) X(AM_DECIBEL, "decibel") X(AM_NATURAL_LOG, "natural") X(AM_NO_LOG, "none")
#define AM_FEATURE_REFS(X) X(AM_REF_MAX, "max") X(AM_REF_ONE, "one")
#define AM_FEATURE_DELTAS(X) X(AM_DELTAS_NONE, "none") X(AM_DELTAS_FIRST, "delta") X(AM_DELTAS_SECOND, "delta_delta")
#define AM_NORMALISES(X) \
  X(AM_NORMALISE_NONE, "none") \
  X(AM_NORMALISE_CLIP, "clip") \
  X(AM_NORMALISE_SPEAKER, "speaker") \
  X(AM_NORMALISE_TRAIN, "train") \
  X(AM_NORMALISE_CORPUS, "corpus")
#define AM_NORMALISE_BYS(X) X(AM_NORMALISE_BY_BIN, "bin") X(AM_NORMALISE_BY_ALL, "all")

typedef enum am_feature_kind {
  AM_FEATURE_KINDS(AM_WORD_NAME) AM_FEATURE_WAVEFORM /* no option has it */
} am_feature_kind;
typedef enum am_mel_scale { AM_MEL_SCALES(AM_WORD_NAME) } am_mel_scale;
typedef enum am_mel_norm { AM_MEL_NORMS(AM_WORD_NAME) } am_mel_norm;
typedef enum am_feature_log { AM_FEATURE_LOGS(AM_WORD_NAME) } am_feature_log;
typedef enum am_feature_ref { AM_FEATURE_REFS(AM_WORD_NAME) } am_feature_ref;
typedef enum am_feature_deltas { AM_FEATURE_DELTAS(AM_WORD_NAME) } am_feature_deltas; /* as many orders are appended */
typedef enum am_normalise { AM_NORMALISES(AM_WORD_NAME) } am_normalise;
typedef enum am_normalise_by { AM_NORMALISE_BYS(AM_WORD_NAME) } am_normalise_by;

/* The config section `features`. */
typedef struct am_feature_options {
  int kind;            /* am_feature_kind */
  double sample_rate;  /* Hz the sound is resampled to; default 22050 */
  double mel_rate;     /* Hz the mel filters are built for; 0: sample_rate (IEMOCAP quirk: apart) */
  int64_t n_fft, hop;  /* samples; 2048, 512 */
  int64_t window;      /* samples; 0: n_fft */
  int64_t mels;        /* 128 */
  double f_min, f_max; /* Hz; 0: half of mel_rate */
  int mel_scale;       /* am_mel_scale */
  int mel_norm;        /* am_mel_norm */
  bool center;         /* frames centred, zero padding */
  int log;             /* am_feature_log, for log_mel */
  int ref;             /* am_feature_ref: decibels relative to the clip's maximum, or to 1.0 */
  double top_db;       /* floor below the maximum, dB; 0: none; 80 */
  double amin;         /* 1e-10 */
  int64_t mfcc;        /* coefficients; 40 */
  int deltas;          /* am_feature_deltas: appended as more bins F -> 2F, 3F (am_delta) */
  bool mean_over_time; /* one vector of F numbers a clip, given as T = F positions, F = 1 */
  int64_t samples;     /* zero-pad or cut each clip to this many; 0: as long as it is */
  int64_t max_frames;  /* frames kept per clip at most (from the start); 0: all */
  double trim_db;      /* silence trimming before anything; 0: none */
  double pre_emphasis; /* 0: none */
  double divide;       /* every value is divided by this at the end; 1 */
  int normalise;       /* am_normalise: how am_norm_* is applied afterwards */
  int normalise_by;    /* am_normalise_by: one mean and deviation per bin, or one for all bins */
  double shrink; /* of an enrolled voice: seconds of the training part that count beside its own (am_feature_rows) */
  bool prosody;  /* further bins after those of the spectrum and before deltas (audio/prosody.h) */
  int64_t n_fft_also; /* a second spectrum, whose bins follow those of the first; 0: none */
  double level;       /* dB of full scale that each clip is brought to after trimming (am_level); 0: as it is */
} am_feature_options;

extern const am_option am_feature_table[];

/* Bins of a frame, with deltas (of mean_over_time 1), and frames of every clip where the options fix the length (`samples`,
 * mean_over_time), else 0.  For options within the bounds of the table. */
int am_feature_bins(const am_feature_options *options);
int am_feature_fixed_frames(const am_feature_options *options);
/* Rows of features that so many seconds have.  Where a clip is one vector, a clip counts as 3.2 s, the usual length of a
 * sentence in a corpus of acted speech. */
double am_feature_rows(const am_feature_options *options, double seconds);
enum { AM_FEATURE_NAME = 64 };
/* The name of bin i, with deltas and before the mean over time: "mel12", "mfcc3_delta", "loudness_iqr1_3". */
void am_feature_name(const am_feature_options *options, int i, char name[AM_FEATURE_NAME]);

typedef struct am_features am_features;

/* Builds windows, filters and FFT plans. The options are copied. */
am_status am_features_create(am_context *ctx, const am_feature_options *options, am_features **out, am_error *err);
void am_features_free(am_features *fx);
const am_feature_options *am_features_options(const am_features *fx);
/* Frames and bins for a clip of n samples at sample_rate. With trimming on, `*t` is the upper bound. */
void am_features_shape(const am_features *fx, size_t n, int *t, int *f);
int am_features_fixed_frames(const am_features *fx);
/* The rate, Hz, below which a sound lacks frequencies that the features are made of. */
double am_features_rate_needed(const am_feature_options *o);
/* How many of the n samples the first `frames` frames hear: those left by trimming, without the end that `samples` or
 * `max_frames` of the options or `frames` leave out.  *cut: there is such an end. */
size_t am_features_heard(const am_features *fx, const float *samples, size_t n, int frames, bool *cut);
/* Features of `n` samples into out (T,F) with room for am_features_shape; *t gets
 * the frames written.  `warp` is the VTLP factor (1: none) applied to the mel
 * filters' frequencies.  Thread-safe: work memory comes from ctx.  A clip too
 * short for one frame is zero-padded, never refused; samples that are not finite
 * are (AM_E_NUMERIC).  Spectra are single precision: within 1e-3 dB of librosa's
 * down to 60 dB below the clip's maximum, 5e-3 dB down to 80, and less exact
 * further down, where only top_db 0 shows it. */
am_status am_features_compute(const am_features *fx, const float *samples, size_t n, double warp, float *out, int *t,
                              am_error *err);
/* 64-bit key of every option that shapes the numbers, with AM_FEATURES_VERSION. */
uint64_t am_feature_key(const am_feature_options *options);
/* The same for a cache, whose numbers are to be the very bits that would be computed: with what the processor path of the
 * context rounds in a way of its own (am_frame_kernels). */
uint64_t am_features_key(const am_features *fx);
/* The first option by which the keys of two differ; NULL: none. */
const am_option *am_feature_difference(const am_feature_options *a, const am_feature_options *b);
/* That key from `key`, of the sound: `table` is am_feature_table, or what it may become. */
uint64_t am_feature_options_key(const am_option *table, const am_feature_options *options, uint64_t key);
/* Key of what happens before the STFT only: rate and version (for cached sound). */
uint64_t am_features_audio_key(const am_features *fx);

#endif
