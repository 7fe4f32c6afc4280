/* SPDX-License-Identifier: MIT */
/* custom_layer.c CONFIG FOLDER SOUND - a layer of one's own, `swish`: y = x sigmoid(beta x), with a beta for each channel that
 * is learned.  The program checks its gradients in CONFIG's model, trains in FOLDER, and says what the trained model hears in
 * SOUND.  Valid C and C++. */
#include <audiomood/audiomood.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 100, FRAMES = 20 };

typedef struct swish_options {
  double start;
} swish_options;

static const am_layer_option swish_table[] = {
    {"start", AM_LAYER_REAL, offsetof(swish_options, start), "1", 0, 100, NULL, "beta before training"},
    AM_LAYER_OPTION_END,
};

/* Any shape in, the same out. */
static am_status build(am_layer *layer, am_error *err) {
  const int channels = layer->in[0].c;
  if (channels > 4096)
    return am_layer_fail(layer, err, AM_E_SHAPE, "more than 4096 channels; pool or project before it");
  layer->out = layer->in[0];
  layer->backward_needs_x = true;
  layer->scratch_per_clip = (size_t)channels * sizeof(double);
  am_layer_weight(layer, "beta", AM_INIT_ONE, 1, &channels, channels, channels, false);
  return AM_OK;
}

static void initialise(const am_layer *layer, am_real *const *w, uint64_t seed) {
  const swish_options *o = (const swish_options *)layer->options;
  (void)seed;
  for (int c = 0; c < layer->in[0].c; c++) w[0][c] = (am_real)o->start;
}

typedef struct job {
  const am_pass *pass;
  size_t channels, clip, used; /* numbers of a clip, and those up to the longest of the batch */
} job;

static job job_of(const am_layer *layer, const am_pass *pass) {
  const am_shape in = layer->in[0];
  const size_t frame = (size_t)in.f * (size_t)in.c;
  const job j = {pass, (size_t)in.c, (size_t)in.t * frame, (size_t)pass->x_most[0] * frame};
  return j;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* A clip is a piece, so the result is the same for any number of threads.  Where x is 0 past a clip's end, y is, too. */
static void forward_clip(void *arg, size_t b, int worker) {
  const job *j = (const job *)arg;
  const am_real *x = j->pass->x[0] + b * j->clip, *beta = j->pass->w[0];
  am_real *y = j->pass->y + b * j->clip;
  (void)worker;
  for (size_t i = 0; i < j->used; i++) y[i] = (am_real)(x[i] * sigmoid((double)beta[i % j->channels] * x[i]));
}

static void forward(const am_layer *layer, const am_pass *pass) {
  job j = job_of(layer, pass);
  am_parallel_for(layer->ctx, (size_t)pass->batch, forward_clip, &j);
}

/* With s = sigmoid(beta x): dy/dx = s + beta x s (1 - s), dy/dbeta = x x s (1 - s). */
static void backward_clip(void *arg, size_t b, int worker) {
  const job *j = (const job *)arg;
  const am_real *x = j->pass->x[0] + b * j->clip, *dy = j->pass->dy + b * j->clip, *beta = j->pass->w[0];
  am_real *dx = j->pass->dx[0] ? j->pass->dx[0] + b * j->clip : NULL; /* NULL: nothing before this layer learns */
  double *sums = (double *)j->pass->scratch + b * j->channels;
  (void)worker;
  for (size_t c = 0; c < j->channels; c++) sums[c] = 0;
  for (size_t i = 0; i < j->used; i++) {
    const size_t c = i % j->channels;
    const double s = sigmoid((double)beta[c] * x[i]), slope = x[i] * s * (1 - s);
    if (dx) dx[i] = (am_real)(dy[i] * (s + beta[c] * slope));
    sums[c] += dy[i] * x[i] * slope;
  }
}

static void backward(const am_layer *layer, const am_pass *pass) {
  job j = job_of(layer, pass);
  const double *sums = (const double *)pass->scratch;
  am_parallel_for(layer->ctx, (size_t)pass->batch, backward_clip, &j);
  for (size_t b = 0; b < (size_t)pass->batch; b++) /* in the order of the clips: added, not written */
    for (size_t c = 0; c < j.channels; c++) pass->dw[0][c] += (am_real)sums[b * j.channels + c];
}

static am_status register_swish(am_context *ctx, am_error *err) {
  static am_custom_layer swish; /* static: what is not set is 0 */
  swish.size = sizeof swish;
  swish.type = "swish";
  swish.help = "x sigmoid(beta x), beta learned";
  swish.options = swish_table;
  swish.options_size = sizeof(swish_options);
  swish.build = build;
  swish.initialise = initialise;
  swish.forward = forward;
  swish.backward = backward;
  return am_layer_register(ctx, &swish, err);
}

/* A mistake in `backward` trains badly without a word; this finds it. */
static am_status check(const am_config *config, am_error *err) {
  static am_gradient_report report;
  am_model *model = NULL;
  report.size = sizeof report;
  am_status status = am_config_model(config, FRAMES, 24, true, 3, &model, err);
  if (!status) {
    am_model_initialise(model, 1);
    status = am_model_check_gradients(model, 1, &report, err);
  }
  if (!status) printf("gradients: worst %.5f, of %s\n", report.worst, report.array);
  am_model_free(model);
  return status;
}

static am_status hear(am_context *ctx, const char *folder, const char *file, am_error *err) {
  char path[4096];
  float p[MOST];
  am_checkpoint *trained = NULL;
  am_sound sound = AM_SOUND_INIT;
  snprintf(path, sizeof path, "%s/best.h5", folder);
  am_status status = am_checkpoint_load(ctx, path, &trained, err);
  const int classes = status ? 0 : am_checkpoint_classes(trained);
  if (!status) status = am_sound_read(ctx, file, am_checkpoint_rate(trained), 0, &sound, err);
  if (!status && classes <= MOST) status = am_predict_sound(trained, sound.samples, sound.n, p, err);
  for (int k = 0; !status && k < classes && classes <= MOST; k++)
    printf("%s %.4f\n", am_checkpoint_label(trained, k), (double)p[k]);
  am_sound_free(&sound);
  am_checkpoint_free(trained);
  return status;
}

int main(int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  am_config *config = NULL;
  static am_run_options options;
  static am_run_result result;
  if (argc != 4) return fprintf(stderr, "usage: custom_layer CONFIG FOLDER SOUND\n"), 2;
  options.size = sizeof options;
  options.out = argv[2];
  result.size = sizeof result;
  am_status status = am_context_create(NULL, &ctx, &err);
  if (!status) status = register_swish(ctx, &err); /* before anything names it */
  if (!status) status = am_config_load(ctx, argv[1], NULL, 0, &config, &err);
  if (!status) status = check(config, &err);
  if (!status) status = am_train_run(config, &options, &result, &err);
  if (!status) status = hear(ctx, argv[2], argv[3], &err);
  if (status) fprintf(stderr, "custom_layer: %s\n", err.message);
  am_run_result_free(&result);
  am_config_free(config);
  am_context_free(ctx);
  return status ? 1 : 0;
}
