/* SPDX-License-Identifier: MIT */
/* audio/condition.c - the registry of conditions. */
#include "audio/condition.h"

#include "audio/channel.h"
#include "audio/noise.h"
#include "audio/resample.h"

#include <math.h>
#include <string.h>

#define CHANGE(name) \
  static am_status name(am_context *ctx, const am_condition *c, am_rng *rng, double rate, float **samples, size_t *n, \
                        am_error *err)

/* As 16 bits hold it. */
CHANGE(level) {
  (void)ctx, (void)rng, (void)rate, (void)err;
  const float factor = (float)pow(10, c->value / 20);
  for (size_t i = 0; i < *n; i++) (*samples)[i] = rintf((*samples)[i] * factor * 32768) / 32768;
  return AM_OK;
}

CHANGE(white) {
  (void)rate;
  return am_noise_add(ctx, rng, 0, c->value, *samples, *n, err);
}

CHANGE(pink) {
  (void)rate;
  return am_noise_add(ctx, rng, 1, c->value, *samples, *n, err);
}

CHANGE(telephone) {
  (void)c, (void)rng;
  return am_telephone(ctx, rate, *samples, *n, err);
}

CHANGE(mp3) {
  (void)rng;
  return am_mp3(ctx, (int)c->value, rate, *samples, *n, err);
}

CHANGE(room) { return am_room(ctx, rng, c->value, rate, *samples, *n, err); }

CHANGE(speed) {
  (void)rng;
  float *y = NULL;
  size_t n_y = 0;
  am_status status = am_resample(ctx, *samples, *n, rate * c->value, rate, &y, &n_y, err);
  if (status) return status;
  am_free(ctx, *samples);
  *samples = y;
  *n = n_y;
  return AM_OK;
}

static const am_condition conditions[] = {
    {"level-30", "30 dB softer, at 16 bits", -30, level},
    {"level-20", "20 dB softer, at 16 bits", -20, level},
    {"level-10", "10 dB softer, at 16 bits", -10, level},
    {"level+10", "10 dB louder, cut off at full scale", 10, level},
    {"white20", "white noise, 20 dB below the clip", 20, white},
    {"white10", "white noise, 10 dB below the clip", 10, white},
    {"white5", "white noise, 5 dB below the clip", 5, white},
    {"pink20", "pink noise, 20 dB below the clip", 20, pink},
    {"pink10", "pink noise, 10 dB below the clip", 10, pink},
    {"pink5", "pink noise, 5 dB below the clip", 5, pink},
    {"telephone", "300 to 3400 Hz at 8 kHz, mu-law", 0, telephone},
    {"mp3", "MP3 at 32 kbit/s", 32, mp3},
    {"room", "a room of T60 0.5 s, as loud as the voice", 0.5, room},
    {"speed0.9", "10 % slower, and lower", 0.9, speed},
    {"speed1.1", "10 % faster, and higher", 1.1, speed},
};
enum { CONDITIONS = sizeof conditions / sizeof *conditions };

const am_condition *am_condition_all(size_t *n) {
  *n = CONDITIONS;
  return conditions;
}

am_status am_condition_find(const char *name, const am_condition **out, am_error *err) {
  char all[256] = "";
  for (size_t i = 0; i < CONDITIONS; i++) {
    *out = &conditions[i];
    if (!strcmp(name, conditions[i].name)) return AM_OK;
    if (i) strncat(all, ", ", sizeof all - strlen(all) - 1);
    strncat(all, conditions[i].name, sizeof all - strlen(all) - 1);
  }
  *out = NULL;
  return am_fail(err, AM_E_USAGE, "unknown condition \"%.40s\"; wanted one of %s", name, all);
}

am_status am_condition_apply(am_context *ctx, const am_condition *c, uint64_t seed, double rate, const float *x,
                             size_t n, float **out, size_t *out_n, am_error *err) {
  am_rng rng = am_rng_stream(seed, AM_FOR_CONDITION, 0, 0, 0);
  *out = am_alloc(ctx, n ? n : 1, sizeof **out);
  if (!*out) return am_no_memory(err);
  if (n) memcpy(*out, x, n * sizeof *x);
  *out_n = n;
  am_status status = n ? c->change(ctx, c, &rng, rate, out, out_n, err) : AM_OK;
  for (size_t i = 0; !status && i < *out_n; i++) (*out)[i] = fmaxf(-1, fminf(1, (*out)[i]));
  if (!status) return AM_OK;
  am_free(ctx, *out);
  *out = NULL;
  return status;
}
