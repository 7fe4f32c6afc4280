/* SPDX-License-Identifier: MIT */
/* optim/registry.c - every optimiser there is.  A new one adds one line here. */
#include "optim/registry.h"

#define OPTIMISERS(X) \
  X(am_sgd) \
  X(am_adam) \
  X(am_adamw)

#define DECLARE(optimiser) extern const am_optimiser_class optimiser;
#define HEAD(optimiser) &(optimiser).is,
OPTIMISERS(DECLARE)

const am_variant *const am_optimisers[] = {OPTIMISERS(HEAD) NULL};

const am_optimiser_class *am_optimiser_class_of(const am_optimiser_options *o) {
  return (const am_optimiser_class *)am_optimisers[o->kind]; /* a head is the first member of its row */
}
