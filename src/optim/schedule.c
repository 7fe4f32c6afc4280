/* SPDX-License-Identifier: MIT */
/* optim/schedule.c - see schedule.h for the formulas. */
#include "optim/schedule.h"

#include <math.h>

#define SCHEDULE(member) offsetof(am_schedule_options, member)
const am_option am_schedule_table[] = {
    {"kind", AM_OPT_CHOICE, SCHEDULE(kind), "constant", 0, 0, AM_WORDS(AM_SCHEDULES),
     "how a factor on the learning rate goes over the run"},
    {"warmup_epochs", AM_OPT_REAL, SCHEDULE(warmup_epochs), "0", 0, 1e6, NULL, "linear rise; not with one_cycle"},
    {"minimum", AM_OPT_REAL, SCHEDULE(minimum), "0", 0, 1, NULL,
     "smallest factor: end of cosine and one_cycle, floor of plateau"},
    {"step_epochs", AM_OPT_INT, SCHEDULE(step_epochs), "10", 1, 1e9, NULL, "of step: epochs between drops"},
    {"factor", AM_OPT_REAL, SCHEDULE(factor), "0.1", 1e-9, 1, NULL, "of step and plateau: each drop"},
    {"patience", AM_OPT_INT, SCHEDULE(patience), "5", 1, 1e9, NULL, "of plateau: epochs without a better monitor"},
    {"peak_at", AM_OPT_REAL, SCHEDULE(peak_at), "0.3", 0, 1, NULL, "of one_cycle: share of the run at the peak"},
    AM_OPTION_END};

static const double PI = 3.14159265358979323846;
static const double ONE_CYCLE_START = 1.0 / 25; /* PyTorch's div_factor */
static const double PLATEAU_DELTA = 1e-4;       /* Keras's min_delta */

am_schedule_state am_schedule_begin(void) {
  return (am_schedule_state){.plateau_factor = 1, .plateau_best = NAN, .best = NAN};
}

/* From `a` at p = 0 to `b` at p = 1. */
static double cosine(double a, double b, double p) { return b + (a - b) / 2 * (1 + cos(PI * p)); }

static double one_cycle(const am_schedule_options *o, double step, double total) {
  double peak = o->peak_at * total - 1, end = total - 1;
  if (step > end) step = end;
  if (peak > 0 && step <= peak) return cosine(ONE_CYCLE_START, 1, step / peak);
  return end > peak ? cosine(1, o->minimum, (step - peak) / (end - peak)) : 1;
}

double am_schedule_factor(const am_schedule_options *o, const am_schedule_state *state, uint64_t step,
                          uint64_t per_epoch, uint64_t epochs) {
  double s = (double)step, total = (double)per_epoch * (double)epochs;
  double warm = floor(o->warmup_epochs * (double)per_epoch + 0.5);
  if (o->kind == AM_SCHEDULE_ONE_CYCLE) return one_cycle(o, s, total);
  double factor = 1;
  if (o->kind == AM_SCHEDULE_STEP) factor = pow(o->factor, (double)(step / per_epoch / (uint64_t)o->step_epochs));
  if (o->kind == AM_SCHEDULE_PLATEAU) factor = state->plateau_factor;
  if (s < warm) return factor * (s + 1) / warm;
  if (o->kind == AM_SCHEDULE_COSINE) {
    double p = total > warm ? (s - warm) / (total - warm) : 1;
    factor = cosine(1, o->minimum, p < 1 ? p : 1);
  }
  return factor;
}

/* By how much a value is better than the best so far; infinite when there is none. */
static double gain(am_monitor monitor, double best, double value) {
  if (isnan(best)) return INFINITY;
  bool higher = monitor == AM_MONITOR_VALIDATION_ACCURACY || monitor == AM_MONITOR_VALIDATION_UAR ||
                monitor == AM_MONITOR_VALIDATION_CCC;
  return higher ? value - best : best - value;
}

bool am_schedule_epoch(const am_schedule_options *o, am_schedule_state *state, am_monitor monitor, uint64_t epoch,
                       double value) {
  if (gain(monitor, state->plateau_best, value) > PLATEAU_DELTA) {
    state->plateau_best = value;
    state->plateau_wait = 0;
  } else if (++state->plateau_wait >= (uint64_t)o->patience) {
    state->plateau_wait = 0;
    state->plateau_factor *= o->factor;
    if (state->plateau_factor < o->minimum) state->plateau_factor = o->minimum;
  }
  if (monitor == AM_MONITOR_LAST || gain(monitor, state->best, value) > 0) {
    state->best = value;
    state->best_epoch = epoch;
    state->wait = 0;
    return true;
  }
  state->wait++;
  return false;
}

bool am_schedule_should_stop(const am_schedule_state *state, int64_t patience) {
  return patience > 0 && state->wait >= (uint64_t)patience;
}
