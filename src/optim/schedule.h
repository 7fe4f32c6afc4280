/* SPDX-License-Identifier: MIT */
/* optim/schedule.h - the learning rate over a run, and when to stop.
 *
 * The factor on the learning rate is a function of the step alone, except for
 * plateau, whose state is in am_schedule_state and saved with the run.
 *   warm-up    the first W = warmup_epochs of steps: (s+1)/W, then the kind's own
 *   constant   1
 *   step       factor^(epoch / step_epochs)
 *   cosine     minimum + (1-minimum)(1 + cos(pi p))/2, p from 0 to 1 after the warm-up (Loshchilov & Hutter 2017)
 *   one_cycle  1/25 up to 1 at peak_at of the run, down to minimum, both by cosine: PyTorch's OneCycleLR
 *   plateau    times `factor` after `patience` epochs whose monitor is not better by 1e-4, never below
 *              minimum: Keras's ReduceLROnPlateau
 */
#ifndef AM_SCHEDULE_H
#define AM_SCHEDULE_H

#include "base/option.h"

#define AM_SCHEDULES(X) \
  X(AM_SCHEDULE_CONSTANT, "constant") \
  X(AM_SCHEDULE_STEP, "step") \
  X(AM_SCHEDULE_COSINE, "cosine") \
  X(AM_SCHEDULE_ONE_CYCLE, "one_cycle") \
  X(AM_SCHEDULE_PLATEAU, "plateau")
typedef enum am_schedule_kind { AM_SCHEDULES(AM_WORD_NAME) } am_schedule_kind;

/* last: every epoch is better than the one before */
#define AM_MONITORS(X) \
  X(AM_MONITOR_VALIDATION_LOSS, "validation_loss") \
  X(AM_MONITOR_VALIDATION_ACCURACY, "validation_accuracy") \
  X(AM_MONITOR_VALIDATION_UAR, "validation_uar") \
  X(AM_MONITOR_TRAIN_LOSS, "train_loss") \
  X(AM_MONITOR_LAST, "last") \
  X(AM_MONITOR_VALIDATION_CCC, "validation_ccc")
typedef enum am_monitor { AM_MONITORS(AM_WORD_NAME) } am_monitor;

/* The config section train.schedule. */
typedef struct am_schedule_options {
  int kind;             /* am_schedule_kind */
  double warmup_epochs; /* linear from 0 */
  double minimum;       /* factor of the learning rate at the end: cosine, one_cycle, plateau floor */
  int64_t step_epochs;  /* step */
  double factor;        /* step, plateau */
  int64_t patience;     /* plateau, epochs */
  double peak_at;       /* one_cycle: share of the run at the peak; 0.3 */
} am_schedule_options;
extern const am_option am_schedule_table[];

/* What epochs change, for the plateau, early stopping and the choice of the best epoch. */
typedef struct am_schedule_state {
  double plateau_factor; /* 1 at first */
  double plateau_best;   /* NaN: none yet */
  uint64_t plateau_wait;
  double best;         /* monitor of the best epoch; NaN: none yet */
  uint64_t best_epoch; /* from 1; 0 none */
  uint64_t wait;       /* epochs since the best */
} am_schedule_state;

am_schedule_state am_schedule_begin(void);
/* Factor for step `step` (from 0) of a run of `epochs` epochs of `per_epoch` steps. */
double am_schedule_factor(const am_schedule_options *o, const am_schedule_state *state, uint64_t step,
                          uint64_t per_epoch, uint64_t epochs);
/* Takes the monitor of a finished epoch (AM_MONITOR_LAST: its training loss, which only the plateau looks at).
 * Returns whether it is the best so far. */
bool am_schedule_epoch(const am_schedule_options *o, am_schedule_state *state, am_monitor monitor, uint64_t epoch,
                       double value);
/* Early stopping: whether `patience` epochs passed without a better one (0: never). */
bool am_schedule_should_stop(const am_schedule_state *state, int64_t patience);

#endif
