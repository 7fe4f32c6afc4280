/* SPDX-License-Identifier: MIT */
/* windows.c SECONDS SOUND MODEL.h5... - how the emotion goes in a sound, by the mean of the models.  Valid C and C++. */
#include <audiomood/audiomood.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 16 };

static am_status show(void *user, const am_window *w, am_error *err) {
  const am_checkpoint *model = (const am_checkpoint *)user;
  int best = 0;
  (void)err; /* what is returned other than AM_OK ends am_ensemble_windows, with this message */
  for (int k = 1; k < am_checkpoint_classes(model); k++)
    if (w->probabilities[k] > w->probabilities[best]) best = k;
  printf("%.2f-%.2f %s\n", w->start, w->end,
         w->heard.unheard ? am_unheard_name(w->heard.unheard) : am_checkpoint_label(model, best));
  return AM_OK;
}

int main(int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  am_ensemble *ensemble = NULL;
  am_checkpoint *models[MOST] = {NULL};
  am_sound sound = AM_SOUND_INIT;
  const int n = argc - 3;
  if (n < 1 || n > MOST) return fprintf(stderr, "usage: windows SECONDS SOUND MODEL.h5...\n"), 2;
  const double seconds = atof(argv[1]);
  am_status status = am_context_create(NULL, &ctx, &err);
  if (!status) status = am_ensemble_create(ctx, &ensemble, &err);
  for (int i = 0; i < n && !status; i++) {
    status = am_checkpoint_load(ctx, argv[3 + i], &models[i], &err);
    if (!status) status = am_ensemble_add(ensemble, models[i], argv[3 + i], &err);
  }
  if (!status) status = am_sound_read(ctx, argv[2], am_checkpoint_rate(models[0]), 0, &sound, &err);
  if (!status)
    status = am_ensemble_windows(ensemble, sound.samples, sound.n, seconds, seconds / 2, show, models[0], &err);
  if (status) fprintf(stderr, "windows: %s\n", err.message);
  am_sound_free(&sound);
  am_ensemble_free(ensemble);
  for (int i = 0; i < MOST; i++) am_checkpoint_free(models[i]);
  am_context_free(ctx);
  return status ? 1 : 0;
}
