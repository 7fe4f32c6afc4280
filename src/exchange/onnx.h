/* SPDX-License-Identifier: MIT */
/* exchange/onnx.h - ONNX models in and out (docs/onnx.md). */
#ifndef AM_ONNX_H
#define AM_ONNX_H

#include "exchange/format.h"

/* Whether the normalisation of features is among the operators. */
#define AM_ONNX_NORMALISES(X) X(AM_ONNX_INSIDE, "inside") X(AM_ONNX_OUTSIDE, "outside")
typedef enum am_onnx_normalise { AM_ONNX_NORMALISES(AM_WORD_NAME) } am_onnx_normalise;
/* Of a fused file with two sets of weights: which of them. */
#define AM_ONNX_VOICES(X) X(AM_ONNX_ANY, "any") X(AM_ONNX_KNOWN, "known")
typedef enum am_onnx_voice { AM_ONNX_VOICES(AM_WORD_NAME) } am_onnx_voice;

/* Keys of the metadata by which import reads a graph of one model back: its layers, as in a config (JSON), and what logits are divided
 * by. */
#define AM_ONNX_LAYERS "layers"
#define AM_ONNX_DIMENSIONS "dimensions" /* a list, in place of labels; and their scale, "[1, 5]" */
#define AM_ONNX_SCALE "scale"
#define AM_ONNX_SCALES "scales" /* of each, where they differ: {"valence": [-3, 3], ...} */
#define AM_ONNX_TEMPERATURE "temperature"

/* One graph of n checkpoints, the mean of whose probabilities it gives.  AM_E_UNSUPPORTED: what has no operators, by name. */
am_status am_onnx_export(am_context *ctx, const char *const *checkpoints, size_t n, const am_exchange_options *options,
                         const char *out, am_error *err);
/* The row's `describe` (format.h): any ONNX model, whether it can be imported or not. */
am_status am_onnx_describe(am_context *ctx, const char *path, am_described *d, am_error *err);

#endif
