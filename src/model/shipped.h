/* model/shipped.h - the model that comes with AudioMood. */
#ifndef AM_SHIPPED_H
#define AM_SHIPPED_H

#include "audiomood/predict.h"

/* Its file (am_checkpoint_shipped_path says where it is looked for); am_free. */
am_status am_shipped_find(am_context *ctx, char **out, am_error *err);

#endif
