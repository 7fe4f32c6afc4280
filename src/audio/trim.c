/* SPDX-License-Identifier: MIT */
#include "audio/trim.h"

#include "audiomood/audio.h"
#include "base/base.h"

#include <math.h>
#include <string.h>

enum { FRAME = 2048, HOP = 512 };

/* Mean square of frame t, centred, zeros outside x. */
static double frame_power(const float *x, size_t n, size_t t) {
  size_t centre = t * HOP, from = centre < FRAME / 2 ? 0 : centre - FRAME / 2, to = centre + FRAME / 2;
  double sum = 0;
  for (size_t i = from; i < to && i < n; i++) sum += (double)x[i] * x[i];
  return sum / FRAME;
}

void am_trim_range(const float *x, size_t n, double top_db, size_t *from, size_t *to) {
  const double least = 1e-10; /* amplitude_to_db's amin 1e-5, squared */
  size_t frames = 1 + n / HOP, first = frames, last = 0;
  double peak = least;
  for (size_t t = 0; t < frames; t++) peak = fmax(peak, frame_power(x, n, t));
  double threshold = peak * pow(10, -top_db / 10);
  for (size_t t = 0; t < frames; t++)
    if (fmax(least, frame_power(x, n, t)) > threshold) {
      first = first < t ? first : t;
      last = t;
    }
  *from = first * HOP < n ? first * HOP : n;
  *to = (last + 1) * HOP < n ? (last + 1) * HOP : n;
}

am_status am_sound_trim(am_context *ctx, am_sound *sound, double top_db, am_error *err) {
  am_status status = AM_NEED(err, ctx);
  if (!status) status = am_size_check(sound, SIZE_MAX, offsetof(am_sound, file_rate), "am_sound", err);
  if (status) return status;
  if (!(top_db > 0))
    return am_fail(err, AM_E_USAGE,
                   "trim: %g dB below the peak would leave nothing; give a positive number (librosa: 60)", top_db);
  size_t from, to;
  am_trim_range(sound->samples, sound->n, top_db, &from, &to);
  memmove(sound->samples, sound->samples + from, (to - from) * sizeof *sound->samples);
  sound->n = to - from;
  return AM_OK;
}
