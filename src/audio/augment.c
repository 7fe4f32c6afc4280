/* SPDX-License-Identifier: MIT */
/* audio/augment.c - what the caller's generator is asked for:
 *
 *   am_augment_sound   18 words, two for each of its 9 operations
 *   am_augment_frames   6 words, two for each of its 3 operations
 *   am_augment_mixup    2 words
 *
 * whichever operations are on.  The two words key a stream of the operation's
 * own, so switching one on or off leaves the draws of the others as they were.
 * Each stream begins with the draw that decides whether the operation happens. */
#include "audio/augment.h"

#include "audio/channel.h"
#include "audio/noise.h"
#include "audio/resample.h"
#include "audio/vocoder.h"
#include "base/hash.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define AT(member) offsetof(am_augment_options, member)
const am_option am_augment_table[] = {
    {"probability", AM_OPT_REAL, AT(probability), "1", 0, 1, NULL,
     "chance that an operation changes a clip, drawn for each"},
    {"noise_snr", AM_OPT_REALS, AT(noise_snr), "[]", -20, 100, NULL,
     "[low, high] dB, noise from white to pink; [] off"},
    {"gain", AM_OPT_REALS, AT(gain), "[]", -60, 60, NULL, "[low, high] dB"},
    {"shift", AM_OPT_REALS, AT(shift), "[]", -60, 60, NULL, "[low, high] s later (negative: earlier), zeros enter"},
    {"speed", AM_OPT_REALS, AT(speed), "[]", 0.5, 2, NULL, "[low, high] factor, tempo and pitch together"},
    {"pitch", AM_OPT_REALS, AT(pitch), "[]", -12, 12, NULL, "[low, high] semitones, length kept"},
    {"stretch", AM_OPT_REALS, AT(stretch), "[]", 0.5, 2, NULL, "[low, high] factor, tempo alone"},
    {"vtlp", AM_OPT_REALS, AT(vtlp), "[]", 0.5, 2, NULL, "[low, high] warp of the mel filters; usual: [0.9, 1.1]"},
    {"crop_frames", AM_OPT_INT, AT(crop_frames), "0", 0, 1000000, NULL, "random window of this many frames; 0 off"},
    {"freq_masks", AM_OPT_INT, AT(freq_masks), "0", 0, 100, NULL, "SpecAugment: masks over bins"},
    {"freq_width", AM_OPT_INT, AT(freq_width), "0", 0, 1024, NULL, "SpecAugment: largest width in bins"},
    {"time_masks", AM_OPT_INT, AT(time_masks), "0", 0, 100, NULL, "SpecAugment: masks over frames"},
    {"time_width", AM_OPT_INT, AT(time_width), "0", 0, 100000, NULL, "SpecAugment: largest width in frames"},
    {"time_fraction", AM_OPT_REAL, AT(time_fraction), "1", 0, 1, NULL, "widest time mask as a share of the clip"},
    {"mask_value", AM_OPT_CHOICE, AT(mask_value), "mean", 0, 0, AM_WORDS(AM_MASK_VALUES), "what masked values become"},
    {"mixup", AM_OPT_REAL, AT(mixup), "0", 0, 100, NULL, "alpha of Beta(alpha, alpha), mixing clips in pairs; 0 off"},
    {"room", AM_OPT_REALS, AT(room), "[]", 0.05, 2, NULL, "[low, high] s, T60 of a room; [] off"},
    {"telephone", AM_OPT_REAL, AT(telephone), "0", 0, 1, NULL,
     "chance that a clip comes over a telephone line, in place of probability; 0 off"},
    {"copies", AM_OPT_INT, AT(copies), "0", 0, 100, NULL,
     "changed copies of each clip, whose features are computed once and cached: an epoch draws the clip or one of "
     "them; "
     "0: the sound is changed anew in each epoch"},
    {"copies_probability", AM_OPT_REAL, AT(copies_probability), "0.5", 0, 1, NULL,
     "chance that an operation changes a copy, in place of probability, which is then of masks and mixup"},
    {"copies_seed", AM_OPT_INT, AT(copies_seed), "1", 0, 9.2e18, NULL,
     "of the copies, so that runs of several seeds share them"},
    AM_OPTION_END};
#undef AT

/* The number of an operation is in the key of its stream: a new one goes to the end. */
typedef enum operation {
  SPEED,
  STRETCH,
  PITCH,
  SHIFT,
  GAIN,
  NOISE,
  VTLP,
  CROP,
  FREQ,
  TIME,
  MIXUP,
  ROOM,
  TELEPHONE,
  OPERATIONS
} operation;
/* Those on sound, as their words are drawn, and as they happen. */
static const operation drawn[] = {SPEED, STRETCH, PITCH, SHIFT, GAIN, NOISE, VTLP, ROOM, TELEPHONE};
static const operation happening[] = {SPEED, STRETCH, PITCH, SHIFT, GAIN, ROOM, NOISE, TELEPHONE, VTLP};
enum { ON_SOUND = sizeof drawn / sizeof *drawn };

static am_rng own_stream(am_rng *rng, operation op) {
  uint64_t high = am_rng_u32(rng), low = am_rng_u32(rng);
  return am_rng_stream(high << 32 | low, op == MIXUP ? AM_FOR_MIXUP : AM_FOR_AUGMENT, (uint64_t)op, 0, 0);
}

bool am_augment_needs_sound(const am_augment_options *o) {
  return o->noise_snr.n || o->gain.n || o->shift.n || o->speed.n || o->pitch.n || o->stretch.n || o->vtlp.n ||
         o->room.n || o->telephone > 0;
}

bool am_augment_in_epochs(const am_augment_options *o) { return !o->copies && am_augment_needs_sound(o); }

bool am_augment_any(const am_augment_options *o) {
  return am_augment_needs_sound(o) || o->crop_frames || o->freq_masks || o->time_masks || o->mixup > 0;
}

static am_status check_pair(const char *name, am_reals pair, am_error *err) {
  if (pair.n > 2)
    return am_fail(err, AM_E_CONFIG, "augment.%s: has %zu numbers; wanted [low, high], one number, or [] for off", name,
                   pair.n);
  if (pair.n == 2 && !(pair.at[0] <= pair.at[1]))
    return am_fail(err, AM_E_CONFIG, "augment.%s: [%g, %g] must be in order, low before high", name, pair.at[0],
                   pair.at[1]);
  return AM_OK;
}

enum { PAIRS = 8 };
typedef struct named_pair {
  const char *name;
  am_reals pair;
} named_pair;

/* Their order is in the keys of copies: a new one goes to the end. */
static void pairs_of(const am_augment_options *o, named_pair pairs[PAIRS]) {
  const named_pair all[PAIRS] = {{"noise_snr", o->noise_snr}, {"gain", o->gain},   {"shift", o->shift},
                                 {"speed", o->speed},         {"pitch", o->pitch}, {"stretch", o->stretch},
                                 {"vtlp", o->vtlp},           {"room", o->room}};
  memcpy(pairs, all, sizeof all);
}

am_status am_augment_check(const am_augment_options *o, am_error *err) {
  named_pair pairs[PAIRS];
  pairs_of(o, pairs);
  for (size_t i = 0; i < PAIRS; i++) {
    am_status status = check_pair(pairs[i].name, pairs[i].pair, err);
    if (status) return status;
  }
  if (o->copies > 0 && !am_augment_needs_sound(o))
    return am_fail(err, AM_E_CONFIG,
                   "augment.copies: nothing changes the sound, so the copies would be the clip itself; set noise_snr, "
                   "gain, shift, speed, pitch, stretch, vtlp, room or telephone, or leave copies out");
  if (o->freq_masks > 0 && o->freq_width < 1)
    return am_fail(err, AM_E_CONFIG, "augment.freq_width: %lld freq_masks need a width of at least 1 bin",
                   (long long)o->freq_masks);
  if (o->time_masks > 0 && o->time_width < 1)
    return am_fail(err, AM_E_CONFIG, "augment.time_width: %lld time_masks need a width of at least 1 frame",
                   (long long)o->time_masks);
  return AM_OK;
}

/* Whether the operation happens, and with which value. */
static bool draw(am_rng *rng, const am_augment_options *o, am_reals range, double *value) {
  if (range.n == 0 || am_rng_uniform(rng) >= o->probability) return false;
  *value = am_rng_range(rng, range.at[0], range.at[range.n - 1]);
  return true;
}

static void replace(am_context *ctx, float **samples, size_t *n, float *by, size_t by_n) {
  am_free(ctx, *samples);
  *samples = by;
  *n = by_n;
}

/* Moves x by d samples, later when positive. */
static void shift(float *x, size_t n, double d) {
  size_t by = fabs(d) < (double)n ? (size_t)fabs(d) : n;
  memmove(d > 0 ? x + by : x, d > 0 ? x : x + by, (n - by) * sizeof *x);
  memset(d > 0 ? x : x + (n - by), 0, by * sizeof *x);
}

/* The operations that change the number of samples, or all of them through the vocoder. */
static am_status change_time(am_context *ctx, operation op, double value, double rate, float **samples, size_t *n,
                             am_error *err) {
  float *y = NULL;
  size_t y_n = *n;
  am_status status;
  if (op == SPEED) status = am_resample(ctx, *samples, *n, rate * value, rate, &y, &y_n, err);
  else if (op == STRETCH) status = am_time_stretch(ctx, *samples, *n, value, &y, &y_n, err);
  else status = am_pitch_shift(ctx, *samples, *n, rate, value, &y, err);
  if (!status) replace(ctx, samples, n, y, y_n);
  return status;
}

static am_status change(am_context *ctx, operation op, double value, am_rng *rng, double rate, float **samples,
                        size_t *n, double *warp, am_error *err) {
  switch (op) {
    case SHIFT: shift(*samples, *n, nearbyint(value * rate)); return AM_OK;
    case GAIN:
      for (size_t i = 0; i < *n; i++) (*samples)[i] *= (float)pow(10, value / 20);
      return AM_OK;
    case ROOM: return am_room(ctx, rng, value, rate, *samples, *n, err);
    case NOISE: return am_noise_add(ctx, rng, am_rng_uniform(rng), value, *samples, *n, err);
    case TELEPHONE: return am_telephone(ctx, rate, *samples, *n, err);
    case VTLP: *warp = value; return AM_OK;
    default: return change_time(ctx, op, value, rate, samples, n, err);
  }
}

am_status am_augment_sound(am_context *ctx, const am_augment_options *o, am_rng *rng, double rate, float **samples,
                           size_t *n, double *warp, am_error *err) {
  const am_reals ranges[] = {
      [SPEED] = o->speed,     [STRETCH] = o->stretch, [PITCH] = o->pitch, [SHIFT] = o->shift, [GAIN] = o->gain,
      [NOISE] = o->noise_snr, [VTLP] = o->vtlp,       [ROOM] = o->room,   [TELEPHONE] = {0}};
  am_rng own[OPERATIONS] = {{.position = 0}};
  am_status status = AM_OK;
  *warp = 1;
  for (size_t i = 0; i < ON_SOUND; i++) own[drawn[i]] = own_stream(rng, drawn[i]);
  for (size_t i = 0; i < ON_SOUND && !status; i++) {
    const operation op = happening[i];
    double value = 0;
    const bool happens =
        op == TELEPHONE ? am_rng_uniform(&own[op]) < o->telephone : draw(&own[op], o, ranges[op], &value);
    if (happens && *n > 0) status = change(ctx, op, value, &own[op], rate, samples, n, warp, err);
  }
  return status;
}

am_status am_augment_copy(am_context *ctx, const am_augment_options *o, uint64_t digest, int number, double rate,
                          const float *x, size_t n, float **out, size_t *out_n, double *warp, am_error *err) {
  am_rng rng = am_rng_stream((uint64_t)o->copies_seed, AM_FOR_COPY, digest, (uint64_t)number, 0);
  *out_n = n;
  *out = am_alloc(ctx, n ? n : 1, sizeof **out);
  if (!*out) return am_no_memory(err);
  if (n) memcpy(*out, x, n * sizeof *x);
  am_augment_options own = *o;
  own.probability = o->copies_probability;
  am_status status = am_augment_sound(ctx, &own, &rng, rate, out, out_n, warp, err);
  if (!status) return AM_OK;
  am_free(ctx, *out);
  *out = NULL;
  return status;
}

/* What is off adds nothing: the key stays what it is when there are more operations. */
uint64_t am_augment_copy_key(const am_augment_options *o, int number, uint64_t key) {
  named_pair pairs[PAIRS];
  const int64_t whole[] = {AM_AUGMENT_VERSION, o->copies_seed, number};
  const double chances[] = {o->copies_probability, o->telephone};
  pairs_of(o, pairs);
  key = am_hash64(key, whole, sizeof whole);
  key = am_hash64(key, chances, sizeof chances);
  for (size_t i = 0; i < PAIRS; i++) {
    const am_reals pair = pairs[i].pair;
    if (!pair.n) continue;
    const double range[2] = {pair.at[0], pair.at[pair.n - 1]};
    key = am_hash64(key, pairs[i].name, strlen(pairs[i].name) + 1);
    key = am_hash64(key, range, sizeof range);
  }
  return key;
}

static float mask_value(const am_augment_options *o, const float *x, size_t count) {
  double sum = 0;
  float least = count ? x[0] : 0;
  for (size_t i = 0; i < count; i++) {
    sum += x[i];
    least = x[i] < least ? x[i] : least;
  }
  return o->mask_value == AM_MASK_ZERO ? 0 : o->mask_value == AM_MASK_MIN ? least : (float)(sum / (double)count);
}

/* A run of at most `widest` of `n`, Park et al. 2019: width uniform from 0, then the start. */
static void draw_run(am_rng *rng, int64_t widest, int n, int *from, int *width) {
  *width = (int)am_rng_below(rng, (uint64_t)(widest < n ? widest : n) + 1);
  *from = (int)am_rng_below(rng, (uint64_t)(n - *width) + 1);
}

void am_augment_frames(const am_augment_options *o, am_rng *rng, float *x, int *t, int f) {
  am_rng crop = own_stream(rng, CROP), freq = own_stream(rng, FREQ), time = own_stream(rng, TIME);
  if (o->crop_frames > 0 && *t > o->crop_frames) { /* always: the length must not depend on chance */
    size_t from = (size_t)am_rng_below(&crop, (uint64_t)(*t - o->crop_frames) + 1);
    *t = (int)o->crop_frames;
    memmove(x, x + from * (size_t)f, (size_t)*t * (size_t)f * sizeof *x);
  }
  bool mask_freq = o->freq_masks > 0 && am_rng_uniform(&freq) < o->probability;
  bool mask_time = o->time_masks > 0 && am_rng_uniform(&time) < o->probability;
  if (*t < 1 || (!mask_freq && !mask_time)) return;
  float value = mask_value(o, x, (size_t)*t * (size_t)f);
  int from, width;
  for (int64_t m = 0; mask_freq && m < o->freq_masks; m++) {
    draw_run(&freq, o->freq_width, f, &from, &width);
    for (int i = 0; i < *t; i++)
      for (int j = from; j < from + width; j++) x[(size_t)i * (size_t)f + (size_t)j] = value;
  }
  int64_t widest = (int64_t)(o->time_fraction * *t);
  widest = widest < o->time_width ? widest : o->time_width;
  for (int64_t m = 0; mask_time && m < o->time_masks; m++) {
    draw_run(&time, widest, *t, &from, &width);
    for (size_t i = (size_t)from * (size_t)f; i < (size_t)(from + width) * (size_t)f; i++) x[i] = value;
  }
}

/* ln of a Gamma(alpha) variate: Marsaglia & Tsang 2000, with U^(1/alpha) for alpha below 1, in logarithms so
 * that a small alpha does not underflow. */
static double log_gamma_variate(am_rng *rng, double alpha) {
  double boost = 0, u;
  if (alpha < 1) {
    boost = log(1 - am_rng_uniform(rng)) / alpha;
    alpha += 1;
  }
  double d = alpha - 1.0 / 3, c = 1 / sqrt(9 * d), z, v;
  do {
    do {
      z = am_rng_normal(rng);
      v = 1 + c * z;
    } while (v <= 0);
    v = v * v * v;
    u = 1 - am_rng_uniform(rng);
  } while (log(u) >= 0.5 * z * z + d - d * v + d * log(v));
  return boost + log(d * v);
}

double am_augment_mixup(const am_augment_options *o, am_rng *rng) {
  am_rng own = own_stream(rng, MIXUP);
  if (!(o->mixup > 0) || am_rng_uniform(&own) >= o->probability) return 1;
  double a = log_gamma_variate(&own, o->mixup), b = log_gamma_variate(&own, o->mixup);
  return 1 / (1 + exp(-fabs(a - b)));
}
