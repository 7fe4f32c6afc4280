/* SPDX-License-Identifier: MIT */
/* synth/mixture.c - clips, pauses and a noise. */
#include "synth/mixture.h"

#include <math.h>
#include <string.h>

#include "audio/sound.h"

enum { SMOOTHED = 3, SHORTEST_PAUSE = 10, SHORTEST_SPEECH = 5 }; /* steps */
static const double below_loudest = 35;                          /* dB */
static const double corner = 100;                                /* Hz: rumble below is no speech */
static const double fade = 0.01, kept = 0.3;           /* s at the ends of a clip, of what is no speech there */
static const double least_gain = -48, most_gain = -14; /* dB of full scale */
static const double in_silence =
    0.15; /* share of recordings that begin, or end, in digital silence: a line that opens */

void am_mixture_free(am_context *ctx, am_mixture *m) {
  am_free(ctx, m->samples);
  am_free(ctx, m->speech);
  *m = (am_mixture){0};
}

/* ---- where the speech is ---- */

/* Power of each step of x above the corner. */
static void step_powers(const float *x, size_t n, double rate, double *power, size_t steps) {
  const double pole = exp(-6.283185307179586 * corner / rate);
  double before = 0, y = 0;
  for (size_t k = 0, i = 0; k < steps; k++) {
    const size_t from = i, to = (size_t)llround((double)(k + 1) * rate / AM_MIXTURE_STEPS);
    double sum = 0;
    for (; i < to && i < n; i++) {
      y = pole * y + x[i] - before;
      before = x[i];
      sum += y * y;
    }
    power[k] = i > from ? sum / (double)(i - from) : 0;
  }
}

/* Runs of `what` that are shorter than `shortest` become the other thing; those at the ends stay if `ends` is false. */
static void join_short(uint8_t *speech, size_t steps, uint8_t what, size_t shortest, bool ends) {
  for (size_t from = 0, to; from < steps; from = to) {
    for (to = from; to < steps && speech[to] == speech[from]; to++) {}
    const bool inside = from > 0 && to < steps;
    if (speech[from] == what && to - from < shortest && (inside || ends)) memset(speech + from, !what, to - from);
  }
}

am_status am_mixture_mark(am_context *ctx, const float *x, size_t n, double rate, uint8_t *speech, size_t steps,
                          am_error *err) {
  double *power = am_alloc(ctx, steps + 1, sizeof *power), most = 0;
  if (!power) return am_no_memory(err);
  step_powers(x, n, rate, power, steps);
  for (size_t k = 0; k < steps; k++) most = fmax(most, power[k]);
  for (size_t k = 0; k < steps; k++) {
    double sum = 0;
    const size_t from = k >= SMOOTHED / 2 ? k - SMOOTHED / 2 : 0, to = k + SMOOTHED / 2 + 1;
    for (size_t i = from; i < to && i < steps; i++) sum += power[i] / SMOOTHED;
    speech[k] = most > 0 && sum > most * pow(10, -below_loudest / 10);
  }
  am_free(ctx, power);
  join_short(speech, steps, 0, SHORTEST_PAUSE, false);
  join_short(speech, steps, 1, SHORTEST_SPEECH, true);
  return AM_OK;
}

/* ---- speech ---- */

typedef struct maker {
  am_context *ctx;
  const am_dataset *d;
  const uint32_t *clips; /* (n) */
  size_t n;
  int *speakers; /* (n_speakers) who has some of them */
  size_t n_speakers;
  const am_mixture_options *o;
  am_rng rng;
} maker;

/* One clip at one level, of which at most `kept` at both ends is no speech. */
static am_status read_clip(maker *m, uint32_t which, float **out, size_t *n, uint8_t **speech, size_t *steps,
                           am_error *err) {
  const am_clip *clip = &m->d->clips[which];
  const double rate = m->o->rate, step = rate / AM_MIXTURE_STEPS;
  am_sound sound = {.size = sizeof sound};
  am_status status = am_sound_read_clip(m->ctx, clip->path, rate, m->o->max_seconds, &sound, err);
  if (status) return status;
  size_t from = am_size_of(clip->start * rate), length = sound.n;
  from = from < length ? from : length;
  length -= from;
  if (clip->seconds > 0 && am_size_of(clip->seconds * rate) < length) length = am_size_of(clip->seconds * rate);
  *steps = (size_t)((double)length / step);
  *speech = am_alloc(m->ctx, *steps + 1, 1);
  *out = am_alloc(m->ctx, length + 1, sizeof **out);
  if (!*speech || !*out) status = am_no_memory(err);
  if (!status) status = am_mixture_mark(m->ctx, sound.samples + from, length, rate, *speech, *steps, err);
  size_t first = 0, last = status ? 0 : *steps;
  while (first < last && !(*speech)[first]) first++;
  while (last > first && !(*speech)[last - 1]) last--;
  const size_t more = (size_t)(am_rng_range(&m->rng, 0, kept) * AM_MIXTURE_STEPS);
  first = first > more ? first - more : 0;
  last = last + more < *steps ? last + more : *steps;
  if (!status) {
    const size_t begin = (size_t)((double)first * step);
    *n = (size_t)((double)last * step) - begin;
    memcpy(*out, sound.samples + from + begin, *n * sizeof **out);
    memmove(*speech, *speech + first, *steps = last - first);
  }
  am_sound_free(&sound);
  return status;
}

static double speech_power(const float *x, size_t n, const uint8_t *speech, size_t steps, double rate) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < n; i++) {
    const size_t k = (size_t)((double)i * AM_MIXTURE_STEPS / rate);
    if (k < steps && speech[k]) sum += (double)x[i] * x[i], count++;
  }
  return count > 0 ? sum / count : 0;
}

/* Puts a clip at sample `at` of x (n), its speech at about -20 dB; *at moves behind it. */
static am_status put_clip(maker *m, uint32_t which, float *x, size_t n, uint8_t *speech, size_t steps, size_t *at,
                          am_error *err) {
  const double rate = m->o->rate;
  float *clip = NULL;
  uint8_t *marks = NULL;
  size_t length = 0, marked = 0;
  const double wanted = pow(10, (-20 + am_rng_range(&m->rng, -4, 4)) / 20);
  am_status status = read_clip(m, which, &clip, &length, &marks, &marked, err);
  const double power = status ? 0 : speech_power(clip, length, marks, marked, rate), edge = fade * rate;
  const double scale = power > 0 ? wanted / sqrt(power) : 0;
  const size_t first = (size_t)((double)*at * AM_MIXTURE_STEPS / rate);
  for (size_t i = 0; i < length && *at + i < n && !status; i++)
    x[*at + i] += (float)(scale * fmin(1, fmin((double)i, (double)(length - 1 - i)) / edge) * clip[i]);
  for (size_t k = 0; k < marked && first + k < steps && speech && !status; k++) speech[first + k] = marks[k];
  *at += length;
  am_free(m->ctx, clip);
  am_free(m->ctx, marks);
  return status;
}

static uint32_t any_clip(maker *m, int speaker) {
  for (;;) {
    const uint32_t which = m->clips[am_rng_below(&m->rng, m->n)];
    if (m->d->clips[which].speaker == speaker) return which;
  }
}

/* One speaker's clips and pauses in a row. */
static am_status talk(maker *m, int speaker, double least_pause, double most_pause, float *x, size_t n, uint8_t *speech,
                      size_t steps, am_error *err) {
  am_status status = AM_OK;
  for (size_t at = 0; at < n && !status;) {
    const size_t step = (size_t)(m->o->rate / AM_MIXTURE_STEPS);
    at += (size_t)(am_rng_octaves(&m->rng, least_pause, most_pause) * AM_MIXTURE_STEPS) * step;
    if (at < n) status = put_clip(m, any_clip(m, speaker), x, n, speech, steps, &at, err);
    at = (at + step - 1) / step * step;
  }
  return status;
}

static int any_speaker(maker *m) { return m->speakers[am_rng_below(&m->rng, m->n_speakers)]; }

static am_status find_speakers(maker *m, am_error *err) {
  m->speakers = am_alloc(m->ctx, (size_t)m->d->n_speakers + 1, sizeof *m->speakers);
  if (!m->speakers) return am_no_memory(err);
  for (int s = 0; s < m->d->n_speakers; s++)
    for (size_t i = 0; i < m->n; i++) {
      if (m->d->clips[m->clips[i]].speaker != s) continue;
      m->speakers[m->n_speakers++] = s;
      break;
    }
  return m->n_speakers ? AM_OK
                       : am_fail(err, AM_E_DATA, "none of these clips has a known speaker; recordings are of one each");
}

/* ---- a recording ---- */

static am_status babble(maker *m, float *x, size_t n, am_error *err) {
  am_status status = AM_OK;
  for (size_t voices = 4 + (size_t)am_rng_below(&m->rng, 6); voices && !status; voices--)
    status = talk(m, any_speaker(m), 0.05, 0.4, x, n, NULL, 0, err);
  return status;
}

static double power_of(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
  return n ? sum / (double)n : 0;
}

/* A zero at low or high frequencies: what a cheap microphone or a wall does to the whole. */
static void colour(am_rng *rng, float *x, size_t n) {
  const double c = am_rng_range(rng, -0.6, 0.6);
  double before = 0;
  for (size_t i = 0; i < n; i++) {
    const double y = x[i] + c * before;
    before = x[i];
    x[i] = (float)y;
  }
}

/* Speech x, noise: together as loud as is drawn, without clipping. */
static void join(maker *m, am_mixture *out, const float *noise, double speech) {
  am_rng *rng = &m->rng;
  const double of_noise = power_of(noise, out->n), wanted = am_rng_range(rng, least_gain, most_gain);
  double scale = 0, most = 0;
  if (speech > 0 && of_noise > 0) scale = sqrt(speech / of_noise / pow(10, out->snr / 10));
  else if (of_noise > 0) scale = 1;
  for (size_t i = 0; i < out->n; i++) out->samples[i] += (float)(scale * noise[i]);
  colour(rng, out->samples, out->n);
  const double all = speech > 0 ? speech : power_of(out->samples, out->n);
  double gain = all > 0 ? pow(10, wanted / 20) / sqrt(all) : 1;
  for (size_t i = 0; i < out->n; i++) most = fmax(most, fabs((double)out->samples[i]));
  if (gain * most > 0.98) gain = 0.98 / most;
  for (size_t i = 0; i < out->n; i++) out->samples[i] *= (float)gain;
  out->gain = all > 0 ? 10 * log10(all * gain * gain) : -INFINITY;
  for (int end = 0; end < 2; end++) {
    const size_t cut = am_rng_uniform(rng) < in_silence ? (size_t)(am_rng_range(rng, 0.1, 1) * m->o->rate) : 0;
    for (size_t i = 0; i < cut && i < out->n; i++) {
      const size_t at = end ? out->n - 1 - i : i, k = (size_t)((double)at * AM_MIXTURE_STEPS / m->o->rate);
      out->samples[at] = 0;
      if (k < out->steps) out->speech[k] = 0;
    }
  }
}

static am_status fill(maker *m, const am_noise_family *family, float *x, size_t n, am_error *err) {
  if (!family->fill) return babble(m, x, n, err);
  family->fill(&m->rng, m->o->rate, x, n);
  return AM_OK;
}

/* Some family's, up to 15 dB below what is there. */
static am_status add_second(maker *m, float *noise, size_t n, am_error *err) {
  float *x = am_alloc(m->ctx, n + 1, sizeof *x);
  if (!x) return am_no_memory(err);
  am_status status = fill(m, m->o->families[am_rng_below(&m->rng, m->o->n_families)], x, n, err);
  const double first = power_of(noise, n), second = power_of(x, n), below = am_rng_range(&m->rng, 0, 15);
  const double scale = first > 0 && second > 0 ? sqrt(first / second / pow(10, below / 10)) : 0;
  for (size_t i = 0; i < n && !status; i++) noise[i] += (float)(scale * x[i]);
  am_free(m->ctx, x);
  return status;
}

static am_status mix(maker *m, am_mixture *out, float *noise, am_error *err) {
  am_status status = fill(m, out->family, noise, out->n, err);
  if (!status && am_rng_uniform(&m->rng) < m->o->two) status = add_second(m, noise, out->n, err);
  if (!status && out->speaker >= 0)
    status = talk(m, out->speaker, 0.2, 3, out->samples, out->n, out->speech, out->steps, err);
  if (status) return status;
  const double speech = speech_power(out->samples, out->n, out->speech, out->steps, m->o->rate);
  if (speech == 0 || power_of(noise, out->n) == 0) out->snr = NAN;
  join(m, out, noise, speech);
  return AM_OK;
}

static am_status make(maker *m, am_mixture *out, am_error *err) {
  out->snr = m->o->snr[am_rng_below(&m->rng, m->o->n_snr)];
  if (am_rng_uniform(&m->rng) >= m->o->empty) out->speaker = any_speaker(m);
  float *noise = am_alloc(m->ctx, out->n + 1, sizeof *noise);
  out->samples = am_alloc(m->ctx, out->n + 1, sizeof *out->samples);
  out->speech = am_alloc(m->ctx, out->steps + 1, 1);
  am_status status = noise && out->samples && out->speech ? AM_OK : am_no_memory(err);
  if (!status) status = mix(m, out, noise, err);
  am_free(m->ctx, noise);
  return status;
}

am_status am_mixture_make(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n,
                          const am_mixture_options *o, size_t number, am_mixture *out, am_error *err) {
  maker m = {.ctx = ctx, .d = d, .clips = clips, .n = n, .o = o};
  m.rng = am_rng_stream(o->seed, AM_FOR_SYNTH, number, 1, 0);
  *out = (am_mixture){.n = (size_t)(o->seconds * o->rate),
                      .steps = (size_t)(o->seconds * AM_MIXTURE_STEPS),
                      .speaker = -1,
                      .family = o->families[number % o->n_families]};
  am_status status = find_speakers(&m, err);
  if (!status) status = make(&m, out, err);
  am_free(ctx, m.speakers);
  if (status) am_mixture_free(ctx, out);
  return status;
}
