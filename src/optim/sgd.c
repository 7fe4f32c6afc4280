/* SPDX-License-Identifier: MIT */
/* optim/sgd.c - gradient descent, with momentum when wanted; see optimiser.h for the formula. */
#include "optim/optimiser.h"

#define OPTIMISER(member) offsetof(am_optimiser_options, member)
static const am_option own_table[] = {
    {"momentum", AM_OPT_REAL, OPTIMISER(momentum), "0", 0, 1, NULL, "share of the step before that is taken again"},
    {"nesterov", AM_OPT_BOOL, OPTIMISER(nesterov), "false", 0, 0, NULL, "look ahead by the momentum (Nesterov)"},
    AM_OPTION_END};

static const char *const slots[] = {"m", NULL}; /* the velocity */

static int slots_used(const am_optimiser_options *o) { return o->momentum > 0; }

static am_status check(const am_optimiser_options *o, const am_value *section, am_error *err) {
  if (!o->nesterov || o->momentum > 0) return AM_OK;
  return am_fail_at(err, am_value_get(section, "nesterov"), "train.optimiser.nesterov: needs a momentum above 0");
}

static void step(const am_optimiser_options *o, const am_kernels *kernels, const am_step_rates *rates,
                 const am_step_piece *p) {
  am_real decay = p->decay ? (am_real)o->weight_decay : 0;
  kernels->sgd(p->n, p->w, p->g, p->slots[0], (am_real)rates->scale, (am_real)(rates->rate * p->factor),
               (am_real)o->momentum, o->nesterov, decay);
}

const am_optimiser_class am_sgd = {
    .is = {"sgd", "gradient descent", own_table},
    .slots = slots,
    .slots_used = slots_used,
    .check = check,
    .step = step,
};
