/* SPDX-License-Identifier: MIT */
/* optim/adam.c - Adam, and AdamW, which takes weight decay apart from the gradient; see optimiser.h for the formulas. */
#include "optim/optimiser.h"

#include <math.h>

#define OPTIMISER(member) offsetof(am_optimiser_options, member)
static const am_option own_table[] = {
    {"beta1", AM_OPT_REAL, OPTIMISER(beta1), "0.9", 0, 0.9999999, NULL, "decay of the mean"},
    {"beta2", AM_OPT_REAL, OPTIMISER(beta2), "0.999", 0, 0.9999999, NULL, "decay of the mean square"},
    {"epsilon", AM_OPT_REAL, OPTIMISER(epsilon), "1e-7", 1e-30, 1, NULL, "Keras 1e-7, PyTorch 1e-8"},
    {"epsilon_mode", AM_OPT_CHOICE, OPTIMISER(epsilon_mode), "keras", 0, 0, AM_WORDS(AM_EPSILON_MODES),
     "added before or after the bias correction"},
    AM_OPTION_END};

static const char *const slots[] = {"m", "v", NULL}; /* mean, mean square */

static void begin(const am_optimiser_options *o, uint64_t step, am_step_rates *rates) {
  double t = (double)step, root = sqrt(1 - pow(o->beta2, t));
  rates->rate = rates->rate * root / (1 - pow(o->beta1, t));
  if (o->epsilon_mode == AM_EPSILON_PYTORCH) rates->epsilon *= root;
}

static void step(const am_optimiser_options *o, const am_kernels *kernels, const am_step_rates *rates,
                 const am_step_piece *p, bool decoupled) {
  am_real decay =
      !p->decay ? 0 : (am_real)(decoupled ? rates->plain_rate * p->factor * o->weight_decay : o->weight_decay);
  kernels->adam(p->n, p->w, p->g, p->slots[0], p->slots[1], (am_real)rates->scale, (am_real)(rates->rate * p->factor),
                (am_real)o->beta1, (am_real)o->beta2, (am_real)rates->epsilon, decay, decoupled);
}

static void step_adam(const am_optimiser_options *o, const am_kernels *kernels, const am_step_rates *rates,
                      const am_step_piece *p) {
  step(o, kernels, rates, p, false);
}

static void step_adamw(const am_optimiser_options *o, const am_kernels *kernels, const am_step_rates *rates,
                       const am_step_piece *p) {
  step(o, kernels, rates, p, true);
}

const am_optimiser_class am_adam = {
    .is = {"adam", "Adam", own_table}, .slots = slots, .begin = begin, .step = step_adam};

const am_optimiser_class am_adamw = {.is = {"adamw", "Adam with weight decay apart from the gradient", own_table},
                                     .slots = slots,
                                     .begin = begin,
                                     .step = step_adamw};
