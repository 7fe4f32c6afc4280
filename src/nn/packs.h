/* SPDX-License-Identifier: MIT */
/* nn/packs.h - what inference makes of weights that no longer change, once for all sessions of a model.
 *
 * A layer may want its weights in another order, or norms folded into them (am_layer_class.pack).  In training that is done in
 * each pass, since the weights change between them.  Of a frozen model (am_model_freeze) it is done by the first session
 * for inference; all that come later share it. */
#ifndef AM_PACKS_H
#define AM_PACKS_H

#include "nn/plan.h"

typedef struct am_packs am_packs;

/* Those of a frozen model for a plan for inference, owned by the model; NULL, which is no error, where the weights may still
 * change.  From any thread. */
am_status am_packs_get(am_model *model, const am_plan *plan, const am_packs **out, am_error *err);
/* What was made for an op of the plan; NULL: nothing, or the weights may have changed since. */
const void *am_packs_of(const am_packs *packs, const am_model *model, size_t op);
/* All of a model. */
void am_packs_free(am_model *model);

#endif
