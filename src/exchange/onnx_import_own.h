/* SPDX-License-Identifier: MIT */
/* exchange/onnx_import_own.h - graphs that AudioMood exported. */
#ifndef AM_ONNX_IMPORT_OWN_H
#define AM_ONNX_IMPORT_OWN_H

#include "exchange/import.h"
#include "exchange/onnx.h"
#include "exchange/onnx_model.h"

/* Does the file say its layers?  It is then of one model of ours. */
bool am_onnx_is_own(const am_onnx_model *m);
/* Config, labels, input, model and temperature of such a file. */
am_status am_onnx_import_own(am_import *j, const am_onnx_model *m, am_error *err);

#endif
