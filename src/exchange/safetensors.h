/* SPDX-License-Identifier: MIT */
/* exchange/safetensors.h - models in safetensors files (docs/safetensors.md): our own arrays with everything that a
 * prediction needs, or a state dict of PyTorch, which holds weights alone. */
#ifndef AM_EXCHANGE_SAFETENSORS_H
#define AM_EXCHANGE_SAFETENSORS_H

#include "exchange/import.h"
#include "exchange/torch.h"
#include "io/safetensors.h"

#define AM_TENSOR_NAMES(X) X(AM_NAMES_AUDIOMOOD, "audiomood") X(AM_NAMES_PYTORCH, "pytorch")
typedef enum am_tensor_names { AM_TENSOR_NAMES(AM_WORD_NAME) } am_tensor_names;

/* The row (format.h).  Of import, options->map is a file that says which module of PyTorch is which layer; "": none.  What a file
 * of ours says of its own names, layout and sequence counts, not the options. */
am_status am_safetensors_import(am_context *ctx, const char *file, const am_import_source *source,
                                const am_exchange_options *options, const char *out, am_error *err);
am_status am_safetensors_export(am_context *ctx, const char *checkpoint, const am_exchange_options *options,
                                const char *out, am_error *err);

/* The row's `describe` (format.h). */
am_status am_safetensors_describe(am_context *ctx, const char *path, am_described *d, am_error *err);

/* Texts of the file. */
#define AM_TEXT_NAMES "audiomood_names"
#define AM_TEXT_LAYOUT "audiomood_layout"
#define AM_TEXT_SEQUENCE "audiomood_sequence"
#define AM_TEXT_FRAMES "audiomood_frames" /* the longest clip */
#define AM_TEXT_CONFIG "audiomood_config"
#define AM_TEXT_LABELS "audiomood_labels"
#define AM_TEXT_SCALE "audiomood_scale"   /* "[1, 5]": the labels are dimensions */
#define AM_TEXT_SCALES "audiomood_scales" /* of each, where they differ: {"valence": [-3, 3], ...} */
#define AM_TEXT_TEMPERATURE "audiomood_temperature"
#define AM_TEXT_SYNTHETIC "synthetic"
#define AM_TEXT_LICENCE "audiomood_licence"
#define AM_TEXT_ATTRIBUTION "audiomood_attribution"
/* Tensors of a file of ours that belong to no layer: how features are normalised. */
#define AM_TENSOR_MEAN "normaliser/mean"
#define AM_TENSOR_INVERSE "normaliser/inverse"

#endif
