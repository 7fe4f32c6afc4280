/* SPDX-License-Identifier: MIT */
/* custom_loop.c SOUND... - a training loop of one's own: plain gradient descent that tells the sounds apart, a class each.
 * Model, features and gradients are the library's; the loss and the step are here. */
#include <audiomood/audiomood.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8, FRAMES = 60, BINS = 24, STEPS = 300 };

static const char yaml[] =
    "name: loop\n"
    "data: {corpus: ravdess, root: none}\n"
    "features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24}\n"
    "model:\n"
    "  layers:\n"
    "    - conv2d: {filters: 8, kernel: 3, activation: relu}\n"
    "    - global_average_pool\n"
    "    - dense\n";

/* The features of each sound, one after the other as the session wants them: (B,T,F), zero past each length. */
static am_status load(am_context *ctx, const am_config *config, char **files, int n, float *x, int *lengths,
                      am_error *err) {
  am_status status = AM_OK;
  for (int b = 0; b < n && !status; b++) {
    am_sound sound = AM_SOUND_INIT;
    int t = 0, f = 0;
    status = am_sound_read(ctx, files[b], 16000, 0, &sound, err);
    if (!status && sound.n > FRAMES * 256 - 256) sound.n = FRAMES * 256 - 256;
    float *clip = x + (size_t)b * FRAMES * BINS;
    if (!status) status = am_config_features(config, sound.samples, sound.n, clip, FRAMES * BINS, &t, &f, err);
    for (int i = 0; i < t * f && !status; i++)
      clip[i] = clip[i] / 20 + 2; /* decibels below the loudest: about -2 to 2 */
    lengths[b] = status ? 0 : t;
    am_sound_free(&sound);
  }
  return status;
}

/* Cross-entropy of clip b being of class b, and its gradient by the logits. */
static double loss(const float *logits, float *gradient, int n) {
  double sum = 0;
  for (int b = 0; b < n; b++, logits += n, gradient += n) {
    double top = logits[0], all = 0;
    for (int k = 1; k < n; k++) top = fmax(top, logits[k]);
    for (int k = 0; k < n; k++) all += exp(logits[k] - top);
    for (int k = 0; k < n; k++) gradient[k] = (float)((exp(logits[k] - top) / all - (k == b)) / n);
    sum += log(all) + top - logits[b];
  }
  return sum / n;
}

static am_status train(am_model *model, am_session *session, const am_batch *given, float *gradient, am_error *err) {
  size_t count;
  am_batch batch = *given;
  am_real *weights = am_model_weights(model, &count), *slopes = am_session_gradients(session);
  am_status status = AM_OK;
  for (int step = 0; step <= STEPS && !status; step++) {
    batch.epoch = (uint64_t)step;
    am_session_zero_gradients(session);
    status = am_session_forward(session, &batch, true, err);
    if (status) break;
    const double now = loss(am_session_output(session), gradient, batch.n);
    if (step % 100 == 0) printf("step %d loss %.4f\n", step, now);
    status = am_session_backward(session, gradient, err);
    for (size_t i = 0; i < count && !status; i++) weights[i] -= 0.1f * slopes[i];
  }
  return status;
}

int main(int argc, char **argv) {
  static float x[MOST * FRAMES * BINS], gradient[MOST * MOST];
  int lengths[MOST], n = argc - 1;
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  am_config *config = NULL;
  am_model *model = NULL;
  am_session *session = NULL;
  if (n < 2 || n > MOST) return fprintf(stderr, "usage: custom_loop SOUND SOUND...\n"), 2;
  am_status status = am_context_create(NULL, &ctx, &err);
  if (!status) status = am_config_from_text(ctx, yaml, "custom_loop", NULL, 0, &config, &err);
  if (!status) status = load(ctx, config, argv + 1, n, x, lengths, &err);
  if (!status) status = am_config_model(config, FRAMES, BINS, true, n, &model, &err);
  if (!status) am_model_initialise(model, 1);
  if (!status) status = am_session_create(model, n, true, &session, &err);
  am_batch batch = {.size = sizeof batch, .n = n, .x = x, .lengths = lengths, .seed = 1};
  if (!status) status = train(model, session, &batch, gradient, &err);
  if (status) fprintf(stderr, "custom_loop: %s\n", err.message);
  am_session_free(session);
  am_model_free(model);
  am_config_free(config);
  am_context_free(ctx);
  return status ? 1 : 0;
}
