/* bench_step CONFIG FRAMES BINS CLASSES BATCH STEPS - seconds of training steps and forward passes of
 * a config's model on made-up clips of full length; prints "train S S S ..." and "forward S S S ...".
 * tools/bench-step.py runs it in turn with PyTorch. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "train/optimiser.h"

typedef struct bench {
  am_context *ctx;
  am_config *config;
  am_model *model;
  am_optimiser *optimiser;
  am_session *session;
  int batch, classes;
  float *x, *targets, *dlogits;
  uint64_t *draws;
} bench;

static void stop(const am_error *err) {
  fprintf(stderr, "bench_step: %s\n", err->message);
  exit(1);
}

static void fill(bench *b, size_t clip) {
  am_rng rng = am_rng_stream(1, AM_FOR_INIT, 0, 0, 0);
  b->x = am_alloc_aligned(b->ctx, (size_t)b->batch * clip * sizeof *b->x);
  b->targets = am_alloc(b->ctx, (size_t)(b->batch * b->classes), sizeof *b->targets);
  b->dlogits = am_alloc(b->ctx, (size_t)(b->batch * b->classes), sizeof *b->dlogits);
  b->draws = am_alloc(b->ctx, (size_t)b->batch, sizeof *b->draws);
  if (!b->x || !b->targets || !b->dlogits || !b->draws) exit(1);
  for (size_t i = 0; i < (size_t)b->batch * clip; i++) b->x[i] = (float)am_rng_range(&rng, -0.3, 0);
  for (int i = 0; i < b->batch; i++) {
    b->targets[i * b->classes + i % b->classes] = 1;
    b->draws[i] = (uint64_t)i;
  }
}

static double step(bench *b, bool training) {
  double begun = am_now();
  size_t n;
  am_batch batch = {.size = sizeof batch, .n = b->batch, .x = b->x, .seed = 1, .epoch = 1, .draws = b->draws};
  am_session_forward(b->session, &batch, training);
  if (training) {
    am_loss(&b->config->loss, am_session_output(b->session), b->targets, NULL, b->batch, b->classes, b->dlogits, NULL);
    am_session_backward(b->session, b->dlogits);
    am_optimiser_step(b->optimiser, am_model_weights(b->model, &n), am_session_gradients(b->session), b->batch, 1e-4);
  }
  return am_now() - begun;
}

static void run(bench *b, bool training, int steps, am_error *err) {
  if (am_session_create(b->model, b->batch, training, &b->session, err)) stop(err);
  if (training) am_session_zero_gradients(b->session);
  step(b, training); /* the first one touches fresh memory */
  printf(training ? "train" : "forward");
  for (int i = 0; i < steps; i++) printf(" %.5f", step(b, training));
  putchar('\n');
  am_session_free(b->session);
}

int main(int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_settings settings = {.size = sizeof settings};
  bench b = {0};
  if (argc != 7) {
    fprintf(stderr, "bench_step CONFIG FRAMES BINS CLASSES BATCH STEPS\n");
    return 2;
  }
  int frames = atoi(argv[2]), bins = atoi(argv[3]), steps = atoi(argv[6]);
  b.classes = atoi(argv[4]);
  b.batch = atoi(argv[5]);
  if (am_context_create(&settings, &b.ctx, &err) || am_config_load(b.ctx, argv[1], NULL, 0, &b.config, &err) ||
      am_config_model(b.config, frames, bins, false, b.classes, &b.model, &err) ||
      am_optimiser_create(b.ctx, &b.config->optimiser, 0, b.model, &b.optimiser, &err))
    stop(&err);
  am_model_initialise(b.model, 1);
  am_shape input = am_model_input(b.model);
  fill(&b, (size_t)input.t * (size_t)input.f * (size_t)input.c);
  run(&b, true, steps, &err);
  run(&b, false, steps, &err);
  am_optimiser_free(b.optimiser);
  am_model_free(b.model);
  am_config_free(b.config);
  am_free_aligned(b.ctx, b.x);
  am_free(b.ctx, b.targets);
  am_free(b.ctx, b.dlogits);
  am_free(b.ctx, b.draws);
  am_context_free(b.ctx);
  return 0;
}
