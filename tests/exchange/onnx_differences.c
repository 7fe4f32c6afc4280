/* SPDX-License-Identifier: MIT */
/* What a checkpoint answers to given inputs, compared with what another program answers: the C side of tools/golden-onnx.py.
 *
 *   onnx_differences CHECKPOINT FILE.f32      prints the largest difference of probabilities
 *
 * The file is float32 numbers: records of clips, frames, bins, labels, then the clips (clips, frames, bins) and their
 * probabilities (clips, labels). */
#include "onnx_import_fixture.h"

int main(int argc, char **argv) {
  am_context *ctx = NULL;
  am_checkpoint *c = NULL;
  am_error err = AM_ERROR_INIT;
  double worst = 0;
  if (argc != 3) {
    fprintf(stderr, "usage: onnx_differences CHECKPOINT FILE.f32\n");
    return 2;
  }
  am_status status = am_context_create(NULL, &ctx, &err);
  if (!status) status = am_checkpoint_load(ctx, argv[1], &c, &err);
  if (!status) status = compare_with(ctx, c, argv[2], &worst, &err);
  if (status) fprintf(stderr, "%s\n", err.message);
  else printf("%.9g\n", worst);
  if (c) am_checkpoint_free(c);
  am_context_free(ctx);
  return status != AM_OK;
}
