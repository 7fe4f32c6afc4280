/* SPDX-License-Identifier: MIT */
/* predict.c MODEL.h5 SOUND - the probability of every emotion in a sound.
 * cc predict.c $(pkg-config --cflags --libs audiomood) -o predict */
#include <audiomood/audiomood.h>
#include <stdio.h>
#include <stdlib.h>

static am_status predict(am_checkpoint *model, const am_sound *sound, am_error *err) {
  const int classes = am_checkpoint_classes(model);
  float *p = calloc((size_t)classes, sizeof *p);
  am_status status = p ? am_predict_sound(model, sound->samples, sound->n, p, err) : AM_E_NOMEM;
  for (int k = 0; k < classes && !status; k++) printf("%s %.4f\n", am_checkpoint_label(model, k), (double)p[k]);
  free(p);
  return status;
}

int main(int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  am_checkpoint *model = NULL;
  am_sound sound = AM_SOUND_INIT;
  if (argc != 3) return fprintf(stderr, "usage: predict MODEL.h5 SOUND\n"), 2;
  am_status status = am_context_create(NULL, &ctx, &err);
  if (!status) status = am_checkpoint_load(ctx, argv[1], &model, &err);
  if (!status) status = am_sound_read(ctx, argv[2], am_checkpoint_rate(model), 0, &sound, &err);
  if (!status) status = predict(model, &sound, &err);
  if (status) fprintf(stderr, "predict: %s\n", err.message[0] ? err.message : am_status_name(status));
  am_sound_free(&sound);
  am_checkpoint_free(model);
  am_context_free(ctx);
  return status ? 1 : 0;
}
