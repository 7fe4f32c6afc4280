/* SPDX-License-Identifier: MIT */
/* train/targets.h - what other models say of the training clips, learned beside their labels: distillation (Hinton, Vinyals & Dean
 * 2015, Distilling the knowledge in a neural network).
 *
 * With p what the file says of a clip, its target is  share * p ^ (1 / temperature), of sum 1, + (1 - share) * label.  Where dimensions
 * are told it is  share * p + (1 - share) * value,  or p where the value is not known. */
#ifndef AM_TARGETS_H
#define AM_TARGETS_H

#include "model/config.h"

/* Of a file's bytes, as train.targets_digest has it. */
enum { AM_TARGETS_DIGEST = 17 };
am_status am_targets_digest(am_context *ctx, const char *path, char out[AM_TARGETS_DIGEST], am_error *err);

/* Gives the clips (n) of the training part the soft targets (am_clip.soft), or the values, that train.targets asks for; without that nothing is
 * done.  The file is a table like predictions.csv, its clips of one name in the order of the corpus.  AM_E_DATA: a clip is not in
 * it, or has another label there; AM_E_CONFIG: it is not the file that targets_digest is of. */
am_status am_targets_load(const am_config *config, am_dataset *d, const uint32_t *clips, size_t n, am_error *err);

#endif
