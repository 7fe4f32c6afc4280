/* SPDX-License-Identifier: MIT */
/* optim/registry.h - all optimisers there are. */
#ifndef AM_OPTIMISER_REGISTRY_H
#define AM_OPTIMISER_REGISTRY_H

#include "optim/optimiser.h"

/* The heads of their rows, in the order of am_optimiser_options.kind; NULL ends. */
extern const am_variant *const am_optimisers[];
const am_optimiser_class *am_optimiser_class_of(const am_optimiser_options *options);

#endif
