/* audio/decibel.c - logarithms of power (librosa.power_to_db). */
#include "audio/decibel.h"

#include "audio/features.h"

#include <math.h>
#include <string.h>

/* ln(x) = exponent * ln 2 + mantissa, for normal positive x; the mantissa part by the polynomial of
 * Cephes' logf (Moshier), error below 1e-7.  Written without branches so that compilers vectorise it. */
static inline float ln_split(float x, float *exponent) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23; /* of sqrt(1/2): mantissa in [sqrt(1/2), sqrt 2) */
  bits -= (uint32_t)e << 23;
  float m;
  memcpy(&m, &bits, sizeof m);
  m -= 1.0f;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  *exponent = (float)e;
  return m + (p * m * m * m - 0.5f * m * m);
}

void am_ln_floor(float *x, size_t n, double amin) {
  const float least = (float)amin;
  for (size_t i = 0; i < n; i++) {
    float e, m = ln_split(x[i] < least ? least : x[i], &e);
    x[i] = e * 0.69314718056f + m;
  }
}

static float decibel(float x) {
  float e, m = ln_split(x, &e);
  return e * 3.0102999566f + m * 4.3429448190f;
}

void am_power_to_db(float *x, size_t n, bool ref_max, double amin, double top_db) {
  const float least = (float)amin;
  float peak = least;
  for (size_t i = 0; i < n; i++) peak = x[i] > peak ? x[i] : peak;
  const float top = decibel(peak), ref = ref_max ? top : 0;
  const float floor_db = top_db > 0 ? top - ref - (float)top_db : -HUGE_VALF;
  for (size_t i = 0; i < n; i++) {
    float db = decibel(x[i] < least ? least : x[i]) - ref;
    x[i] = db < floor_db ? floor_db : db;
  }
}
