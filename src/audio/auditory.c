/* SPDX-License-Identifier: MIT */
/* audio/auditory.c - auditory spectra, RASTA, loudness, sharpness, cepstra. */
#include "audio/auditory.h"

#include "audio/cepstrum.h"

#include <math.h>

static const double pi = 3.14159265358979323846;
static const double least_power = 1e-10; /* of full scale 1 */
static const double compression = 1.0 / 3;
static const double rasta_pole = 0.94;
enum { LIFTER = 22 };

/* Hermansky 1990, eq. 7, for hertz below 5 kHz; above that it is nearly flat as well. */
static double equal_loudness(double hertz) {
  double w2 = pow(2 * pi * hertz, 2);
  return (w2 + 56.8e6) * w2 * w2 / (pow(w2 + 6.3e6, 2) * (w2 + 0.38e9));
}

/* Zwicker & Fastl, Psychoacoustics (1999): critical-band rate in Bark, and the weight of high ones in sharpness. */
static double bark(double hertz) { return 13 * atan(0.00076 * hertz) + 3.5 * atan(pow(hertz / 7500, 2)); }
static double sharpness_weight(double z) { return z <= 16 ? 1 : 0.066 * exp(0.171 * z); }

am_status am_auditory_init(am_context *ctx, am_auditory *a, double rate, int n_fft, am_error *err) {
  *a = (am_auditory){0};
  const am_mel_options o = {.rate = rate,
                            .n_fft = n_fft,
                            .mels = AM_AUDITORY_BANDS,
                            .f_min = 20,
                            .f_max = fmin(8000, rate / 2),
                            .htk = true,
                            .slaney_norm = false};
  double centre[AM_AUDITORY_BANDS];
  am_mel_centres(&o, centre);
  for (int i = 0; i < AM_AUDITORY_BANDS; i++) {
    double z = bark(centre[i]);
    a->equal_loudness[i] = equal_loudness(centre[i]);
    a->sharpness[i] = 0.11 * sharpness_weight(z) * z;
  }
  am_dct2_table(a->cosines, AM_AUDITORY_BANDS, AM_AUDITORY_CEPSTRA + 1);
  for (int i = 0; i <= AM_AUDITORY_CEPSTRA; i++) a->lifter[i] = 1 + LIFTER / 2.0 * sin(pi * i / LIFTER);
  am_status status = am_mel_check(&o, 1, err);
  return status ? status : am_mel_init(ctx, &a->mel, &o, 1, err);
}

void am_auditory_free(am_auditory *a) { am_mel_free(&a->mel); }

void am_rasta(const float *x, size_t n, float *y) {
  double before = 0;
  for (size_t t = 0; t < n; t++) {
    double one = x[t + 1 < n ? t + 1 : n - 1], two = x[t + 2 < n ? t + 2 : n - 1];
    double back = x[t >= 1 ? t - 1 : 0], back2 = x[t >= 2 ? t - 2 : 0];
    before = rasta_pole * before + 0.1 * (2 * two + one - back - 2 * back2);
    y[t] = (float)before;
  }
}

/* Specific loudness of a band. */
static double compress(const am_auditory *a, int band, double power) {
  return pow(a->equal_loudness[band] * power, compression);
}

static void cepstra(const am_auditory *a, const float *logs, size_t frames, float *mfcc) {
  float in[AM_AUDITORY_BANDS], out[AM_AUDITORY_CEPSTRA + 1];
  for (size_t t = 0; t < frames; t++) {
    for (int i = 0; i < AM_AUDITORY_BANDS; i++) in[i] = logs[(size_t)i * frames + t];
    am_dct2_ortho(in, AM_AUDITORY_BANDS, AM_AUDITORY_CEPSTRA + 1, a->cosines, out);
    for (int k = 1; k <= AM_AUDITORY_CEPSTRA; k++) mfcc[(size_t)(k - 1) * frames + t] = (float)(out[k] * a->lifter[k]);
  }
}

void am_auditory_describe(const am_auditory *a, float *bands, size_t frames, const am_auditory_out *out) {
  for (size_t t = 0; t < frames; t++) {
    double sum = 0, sharp = 0;
    for (int i = 0; i < AM_AUDITORY_BANDS; i++) {
      double l = compress(a, i, fmax(bands[(size_t)i * frames + t], least_power));
      sum += l;
      sharp += a->sharpness[i] * l;
    }
    out->loudness[t] = (float)sum;
    out->sharpness[t] = (float)(sum > 0 ? sharp / sum : 0);
    out->loudness_rasta[t] = 0;
  }
  for (int i = 0; i < AM_AUDITORY_BANDS; i++) {
    float *band = bands + (size_t)i * frames, *rasta = out->rasta + (size_t)i * frames;
    for (size_t t = 0; t < frames; t++) band[t] = logf(fmaxf(band[t], (float)least_power));
    am_rasta(band, frames, rasta);
    for (size_t t = 0; t < frames; t++) {
      rasta[t] = (float)compress(a, i, exp(rasta[t]));
      out->loudness_rasta[t] += rasta[t];
    }
  }
  cepstra(a, bands, frames, out->mfcc);
}
