/* SPDX-License-Identifier: MIT */
/* model/shipped.h - the models that come with AudioMood. */
#ifndef AM_SHIPPED_H
#define AM_SHIPPED_H

#include "audiomood/predict.h"

typedef struct am_shipped {
  char *path; /* am_free; NULL on failure */
  bool ours;  /* it is in its place beside the program, and no variable of the environment named it */
} am_shipped;

/* Its file (am_checkpoint_shipped_path says where it is looked for). */
am_status am_shipped_find(am_context *ctx, am_shipped *out, am_error *err);
/* The same of the speech detector: AUDIOMOOD_DETECTOR, speech_detector.h5. */
am_status am_shipped_detector_find(am_context *ctx, am_shipped *out, am_error *err);
/* Reads either. */
am_status am_shipped_load(am_context *ctx, const am_shipped *of, am_checkpoint **out, am_error *err);

#endif
