/* SPDX-License-Identifier: MIT */
/* What the tests of ONNX models share, and tools/golden-onnx.py's program. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "exchange/onnx_import.h"
#include "model/checkpoint.h"
#include "nn/loss.h"

/* The largest difference between the probabilities of a checkpoint and those of a file (onnx_differences.c). */
static inline am_status compare_with(am_context *ctx, am_checkpoint *c, const char *path, double *worst,
                                     am_error *err) {
  char *data = NULL;
  size_t bytes = 0;
  am_session *session = NULL;
  const size_t clip = am_shape_count(c->input);
  am_status status = am_file_read(ctx, path, 64 << 20, &data, &bytes, err);
  float *x = calloc(16 * clip, sizeof *x), *y = calloc(16 * (size_t)c->classes, sizeof *y);
  if (!status) status = am_session_create(c->model, 16, false, &session, err);
  const float *at = (const float *)(void *)data, *end = at + bytes / sizeof *at;
  *worst = 0;
  while (!status && at + 4 <= end) {
    const int n = (int)at[0], frames = (int)at[1], bins = (int)at[2], k = (int)at[3];
    if (n > 16 || frames > c->input.t || (size_t)bins != clip / (size_t)c->input.t || k != c->classes ||
        at + 4 + (size_t)n * (size_t)(frames * bins + k) > end)
      status = am_fail(err, AM_E_SHAPE, "%s: a record of %d clips of (%d,%d) and %d labels does not fit", path, n,
                       frames, bins, k);
    if (status) break;
    int lengths[16];
    at += 4;
    for (int i = 0; i < n; i++, at += frames * bins) {
      memset(x + (size_t)i * clip + frames * bins, 0, (clip - (size_t)(frames * bins)) * sizeof *x);
      memcpy(x + (size_t)i * clip, at, (size_t)(frames * bins) * sizeof *x);
      lengths[i] = frames;
    }
    am_batch batch = {.size = sizeof batch, .n = n, .x = x, .lengths = c->input.variable ? lengths : NULL};
    am_session_forward(session, &batch, false, NULL);
    const am_real *z = am_session_output(session);
    for (int i = 0; i < n * k; i++) y[i] = (float)((double)z[i] / c->any.temperature);
    am_softmax_rows(y, n, k, y);
    for (int i = 0; i < n * k; i++, at++) {
      const double difference = fabs((double)y[i] - (double)*at);
      *worst = difference <= *worst ? *worst : difference; /* NaN stays */
    }
  }
  if (session) am_session_free(session);
  free(x);
  free(y);
  am_free(ctx, data);
  return status;
}
