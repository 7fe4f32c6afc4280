/* SPDX-License-Identifier: MIT */
/* exchange/onnx.c - the row of ONNX among the formats. */
#include "exchange/onnx.h"
#include "exchange/onnx_import.h"

static const am_option export_table[] = {
    {"with-features", AM_OPT_BOOL, offsetof(am_exchange_options, with_features), "false", 0, 0, NULL,
     "the input is samples at the model's rate; the features are made by the graph"},
    {"normalise", AM_OPT_CHOICE, offsetof(am_exchange_options, normalise), "inside", 0, 0, AM_WORDS(AM_ONNX_NORMALISES),
     "of features as input: inside (the graph normalises them), outside; default inside"},
    {"voice", AM_OPT_CHOICE, offsetof(am_exchange_options, voice), "any", 0, 0, AM_WORDS(AM_ONNX_VOICES),
     "of a fused file with two sets of weights: that for any voice, or for a known one; default any"},
    AM_OPTION_END};

static const am_option import_table[] = {
    {"layout", AM_OPT_CHOICE, offsetof(am_exchange_options, layout), "auto", 0, 0, AM_WORDS(AM_ONNX_LAYOUTS),
     "axes of the input beside the batch: mel_time, time_mel, frames_first (frames, batch, mel); default auto"},
    AM_OPTION_END};

const am_exchange am_exchange_onnx = {
    .is = {"onnx", "a graph of operators (opset 17) for ONNX Runtime and others", export_table},
    .several = true,
    .import_own = import_table,
    .ending = ".onnx",
    .export_to = am_onnx_export,
    .import_from = am_onnx_import,
    .describe = am_onnx_describe,
};
