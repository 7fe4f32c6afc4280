/* SPDX-License-Identifier: MIT */
/* exchange/onnx_import.h - an ONNX model and a features config become a checkpoint (docs/onnx.md). */
#ifndef AM_ONNX_IMPORT_H
#define AM_ONNX_IMPORT_H

#include "exchange/format.h"

/* Axes of the model's input beside the batch. */
#define AM_ONNX_LAYOUTS(X) \
  X(AM_ONNX_AUTO, "auto") \
  X(AM_ONNX_MEL_TIME, "mel_time") \
  X(AM_ONNX_TIME_MEL, "time_mel") \
  X(AM_ONNX_FRAMES_FIRST, "frames_first")
typedef enum am_onnx_layout { AM_ONNX_LAYOUTS(AM_WORD_NAME) } am_onnx_layout;

/* `options->layout` is an am_onnx_layout.  What cannot be carried over exactly is AM_E_UNSUPPORTED, naming node and operator.  On
 * failure `out` is as it was. */
am_status am_onnx_import(am_context *ctx, const char *file, const am_import_source *source,
                         const am_exchange_options *options, const char *out, am_error *err);

#endif
