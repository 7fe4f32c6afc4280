/* SPDX-License-Identifier: MIT */
/* What a checkpoint answers to given inputs: the C side of tools/golden-keras.py.
 *
 *   keras_outputs CHECKPOINT DATA.h5      reads /x (clips of the model's input shape), writes /y, their probabilities */
#include <stdio.h>
#include <stdlib.h>

#include "io/h5.h"
#include "model/checkpoint.h"
#include "nn/loss.h"

static am_status answer(am_context *ctx, am_checkpoint *c, am_h5 *data, am_error *err) {
  am_h5_info info;
  void *x = NULL;
  am_session *session = NULL;
  am_status status = am_h5_read_new(data, "x", AM_H5_F32, &info, &x, err);
  size_t clip = am_shape_count(c->input), n = status ? 0 : info.count / clip;
  if (!status && (n < 1 || n > 64 || n * clip != info.count))
    status = am_fail(err, AM_E_SHAPE, "x has %zu numbers; wanted up to 64 clips of %zu", info.count, clip);
  if (!status) status = am_session_create(c->model, (int)n, false, &session, err);
  if (!status) {
    float *y = calloc(n * (size_t)c->classes, sizeof *y);
    am_session_forward(session, &(am_batch){.size = sizeof(am_batch), .n = (int)n, .x = x}, false, NULL);
    am_softmax_rows(am_session_output(session), (int)n, c->classes, y);
    status = am_h5_write(data, "y", AM_H5_F32, 2, (size_t[]){n, (size_t)c->classes}, y, err);
    free(y);
  }
  if (session) am_session_free(session);
  am_free_aligned(ctx, x);
  return status;
}

int main(int argc, char **argv) {
  am_context *ctx = NULL;
  am_checkpoint *c = NULL;
  am_h5 *data = NULL;
  am_error err = AM_ERROR_INIT;
  if (argc != 3) {
    fprintf(stderr, "usage: keras_outputs CHECKPOINT DATA.h5\n");
    return 2;
  }
  am_status status = am_context_create(NULL, &ctx, &err);
  if (!status) status = am_checkpoint_load(ctx, argv[1], &c, &err);
  if (!status) status = am_h5_open(ctx, argv[2], AM_H5_FOREIGN | AM_H5_UPDATE, &data, &err);
  if (!status) status = answer(ctx, c, data, &err);
  if (status) fprintf(stderr, "%s\n", err.message);
  am_h5_close(data);
  if (c) am_checkpoint_free(c);
  am_context_free(ctx);
  return status != AM_OK;
}
