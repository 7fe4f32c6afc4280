/* SPDX-License-Identifier: MIT */
/* audio/augment.h - seeded augmentation of training clips, after the cache; of copies (am_augment_copy), before it.
 *
 * Waveform operations run on samples before the features; frame operations
 * on the matrix (T,F).  Every random number comes from an am_rng the caller
 * keys by seed, epoch and draw, so a clip's augmentation does not depend on
 * threads, the batch or resuming. */
#ifndef AM_AUGMENT_H
#define AM_AUGMENT_H

#include "audio/features.h"
#include "base/rng.h"

/* Raise when what an operation on sound does changes: copies that are in a cache were made by it. */
#define AM_AUGMENT_VERSION 1

#define AM_MASK_VALUES(X) X(AM_MASK_MEAN, "mean") X(AM_MASK_MIN, "min") X(AM_MASK_ZERO, "zero")
typedef enum am_mask_value { AM_MASK_VALUES(AM_WORD_NAME) } am_mask_value;

/* The config section `augment`: all off by default. */
typedef struct am_augment_options {
  double probability;             /* that a clip is changed at all, per operation; 1 */
  am_reals noise_snr;             /* [low, high] dB of white-to-pink noise; [] off */
  am_reals gain;                  /* [low, high] dB */
  am_reals shift;                 /* [low, high] seconds; moves the clip in time, zeros enter */
  am_reals speed;                 /* [low, high] factor, tempo and pitch together (resampling) */
  am_reals pitch;                 /* [low, high] semitones, duration kept (phase vocoder) */
  am_reals stretch;               /* [low, high] factor, tempo alone, pitch kept (phase vocoder) */
  am_reals vtlp;                  /* [low, high] warp factor, Jaitly & Hinton 2013 */
  int64_t crop_frames;            /* random window of this many frames; shorter clips stay whole; 0 off */
  int64_t freq_masks, freq_width; /* SpecAugment (Park et al. 2019): number, largest width in bins */
  int64_t time_masks, time_width; /* number, largest width in frames */
  double time_fraction;           /* a time mask is never wider than this share of the clip; 1 */
  int mask_value;                 /* am_mask_value */
  double mixup;                   /* alpha of Beta(alpha, alpha), Zhang et al. 2018; 0 off */
  am_reals room;                  /* [low, high] s: T60 of a room (audio/channel.h) */
  double telephone;               /* chance that a clip comes over a telephone line; 0 off */
  int64_t copies;                 /* changed copies of each clip, made once; 0: it is changed anew in each epoch */
  double copies_probability;      /* of them, in place of probability, which is that of masks and mixup then */
  int64_t copies_seed;            /* draws them, so that runs of several seeds have the same ones */
} am_augment_options;

extern const am_option am_augment_table[];

/* Whether any operation needs the waveform; and whether it does in each epoch (then the cache must hold sound), for there are no
 * copies. */
bool am_augment_needs_sound(const am_augment_options *o);
bool am_augment_in_epochs(const am_augment_options *o);
bool am_augment_any(const am_augment_options *o);
/* Range checks that a table cannot say (pairs in order, ...). */
am_status am_augment_check(const am_augment_options *o, am_error *err);
/* Changes *samples (am_resize'd when the length changes). *warp gets the VTLP factor. */
am_status am_augment_sound(am_context *ctx, const am_augment_options *o, am_rng *rng, double rate, float **samples,
                           size_t *n, double *warp, am_error *err);
/* The x (n) of a clip as its copy `number`, from 1: *out (am_free it), as long as *out_n.  By copies_seed, digest and number
 * alone, so that a clip has the same copies in every corpus, part and run. */
am_status am_augment_copy(am_context *ctx, const am_augment_options *o, uint64_t digest, int number, double rate,
                          const float *x, size_t n, float **out, size_t *out_n, double *warp, am_error *err);
/* From the key of what is computed of a clip, that of the same of its copy: of all that am_augment_copy depends on. */
uint64_t am_augment_copy_key(const am_augment_options *o, int number, uint64_t key);
/* Crops and masks x (T,F) in place; *t may shrink. */
void am_augment_frames(const am_augment_options *o, am_rng *rng, float *x, int *t, int f);
/* lambda ~ Beta(alpha, alpha) folded to [0.5, 1]. */
double am_augment_mixup(const am_augment_options *o, am_rng *rng);

#endif
