/* SPDX-License-Identifier: MIT */
/* exchange/onnx_model_absent.c - what is said of files of ONNX in a build without protobuf-c (option `onnx`). */
#include "exchange/onnx_model.h"

static am_status absent(const char *path, am_error *err) {
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: files of ONNX are written in Protocol Buffers, which were left out when this program was built; "
      "with protobuf-c installed (in Debian: libprotobuf-c-dev and protobuf-c-compiler), build it again with "
      "the option onnx enabled",
      path);
}

am_status am_onnx_write(const am_onnx_model *m, const char *path, am_error *err) {
  (void)m;
  return absent(path, err);
}

am_status am_onnx_read(am_context *ctx, const char *path, am_onnx_model **out, am_error *err) {
  (void)ctx;
  *out = NULL;
  return absent(path, err);
}

am_status am_onnx_subgraph(am_onnx_model *m, const am_onnx_graph *within, const am_onnx_attribute *attribute,
                           const char *path, am_onnx_graph **out, am_error *err) {
  (void)m, (void)within, (void)attribute;
  *out = NULL;
  return absent(path, err);
}
