/* SPDX-License-Identifier: MIT */
/* audio/spectrum.c - descriptors of spectra, as the ComParE set (Weninger, Eyben, Schuller, Mortillaro & Scherer, "On the
 * acoustics of emotion in audio", Frontiers in Psychology 4:292, 2013) and the GeMAPS (Eyben et al., "The Geneva minimalistic
 * acoustic parameter set", IEEE Trans. Affective Computing 7(2), 2016) name them. */
#include "audio/spectrum.h"

#include <math.h>
#include <stdbool.h>

static const double least_power = 1e-10; /* -100 dB */

typedef struct spectrum {
  const float *power, *level;
  int bins;
  double hertz;
} spectrum;

static double decibels(double power) { return 10 * log10(fmax(power, least_power)); }

static int bin_of(const spectrum *s, double hertz) {
  double bin = ceil(hertz / s->hertz);
  return bin < s->bins ? (int)bin : s->bins;
}

static double power_between(const spectrum *s, double from, double to) {
  double sum = 0;
  for (int k = bin_of(s, from), end = bin_of(s, to); k < end; k++) sum += s->power[k];
  return sum;
}

static double peak_between(const spectrum *s, double from, double to) {
  double peak = -100;
  for (int k = bin_of(s, from), end = bin_of(s, to); k < end; k++) peak = fmax(peak, s->level[k]);
  return peak;
}

/* dB a kHz of the line through the levels. */
static double slope_between(const spectrum *s, double from, double to) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (int k = bin_of(s, from), end = bin_of(s, to); k < end; k++) {
    double f = k * s->hertz / 1000, l = s->level[k];
    n++;
    x += f;
    y += l;
    xx += f * f;
    xy += f * l;
  }
  double spread = n * xx - x * x;
  return n > 1 && spread > 0 ? (n * xy - x * y) / spread : 0;
}

static double harmonicity(const spectrum *s) {
  double sum = 0, valley = s->level[0];
  int peaks = 0;
  for (int k = 1, end = bin_of(s, 4000) - 1; k < end; k++) {
    double l = s->level[k];
    valley = fmin(valley, l);
    if (!(l > s->level[k - 1] && l >= s->level[k + 1])) continue;
    sum += l - valley;
    valley = l;
    peaks++;
  }
  return peaks ? sum / peaks : 0;
}

static double flux(const float *power, const float *before, int bins) {
  double now = 0, then = 0, both = 0;
  for (int k = 0; k < bins; k++) {
    now += power[k];
    then += before[k];
    both += sqrtf(power[k] * before[k]);
  }
  if (!(now > 0 && then > 0)) return 0;
  /* |a - b|^2 of two vectors of length 1 */
  return sqrt(fmax(0, 2 - 2 * both / sqrt(now * then)));
}

static void rolloffs(const spectrum *s, double total, double out[4]) {
  static const double part[4] = {0.25, 0.5, 0.75, 0.9};
  double sum = 0;
  int found = 0;
  for (int k = 0; k < s->bins && found < 4; k++) {
    sum += s->power[k];
    while (found < 4 && sum >= part[found] * total) out[found++] = k * s->hertz / 1000;
  }
  while (found < 4) out[found++] = (s->bins - 1) * s->hertz / 1000;
}

/* Centroid, variance, skewness, kurtosis and entropy of the power as a distribution over frequency. */
static void moments(const spectrum *s, double total, double out[5]) {
  double mean = 0, m2 = 0, m3 = 0, m4 = 0, entropy = 0;
  for (int k = 0; k < s->bins; k++) mean += k * s->hertz / 1000 * s->power[k] / total;
  for (int k = 0; k < s->bins; k++) {
    double p = s->power[k] / total, d = k * s->hertz / 1000 - mean, d2 = d * d;
    m2 += p * d2;
    m3 += p * d2 * d;
    m4 += p * d2 * d2;
    if (p > 0) entropy -= p * log2(p);
  }
  double deviation = sqrt(m2);
  out[0] = mean;
  out[1] = entropy;
  out[2] = m2;
  out[3] = m2 > 0 ? m3 / (m2 * deviation) : 0;
  out[4] = m2 > 0 ? m4 / (m2 * m2) : 0;
}

void am_spectrum_describe(const float *power, const float *before, int bins, double hertz, float *level, float *out,
                          int stride) {
  const spectrum s = {.power = power, .level = level, .bins = bins, .hertz = hertz};
  double d[AM_SPECTRALS] = {0}, total = 0;
  for (int k = 0; k < bins; k++) {
    total += power[k];
    level[k] = (float)decibels(power[k]);
  }
  d[AM_SPECTRAL_BAND_LOW] = decibels(power_between(&s, 250, 650));
  d[AM_SPECTRAL_BAND_HIGH] = decibels(power_between(&s, 1000, 4000));
  if (total > 0) {
    rolloffs(&s, total, d + AM_SPECTRAL_ROLLOFF_25);
    moments(&s, total, d + AM_SPECTRAL_CENTROID);
  }
  d[AM_SPECTRAL_FLUX] = flux(power, before, bins);
  d[AM_SPECTRAL_SLOPE] = slope_between(&s, 0, hertz * bins);
  d[AM_SPECTRAL_SLOPE_LOW] = slope_between(&s, 0, 500);
  d[AM_SPECTRAL_SLOPE_MID] = slope_between(&s, 500, 1500);
  d[AM_SPECTRAL_HARMONICITY] = harmonicity(&s);
  d[AM_SPECTRAL_ALPHA] = decibels(power_between(&s, 50, 1000)) - decibels(power_between(&s, 1000, 5000));
  d[AM_SPECTRAL_HAMMARBERG] = peak_between(&s, 0, 2000) - peak_between(&s, 2000, 5000);
  for (int i = 0; i < AM_SPECTRALS; i++) out[(long)i * stride] = (float)d[i];
}
