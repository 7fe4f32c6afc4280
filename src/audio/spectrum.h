/* SPDX-License-Identifier: MIT */
/* audio/spectrum.h - descriptors of the shape of one power spectrum. */
#ifndef AM_SPECTRUM_H
#define AM_SPECTRUM_H

/* In the order in which am_spectrum_describe writes them. */
typedef enum am_spectral {
  AM_SPECTRAL_BAND_LOW,   /* dB of the power from 250 to 650 Hz */
  AM_SPECTRAL_BAND_HIGH,  /* dB of the power from 1 to 4 kHz */
  AM_SPECTRAL_ROLLOFF_25, /* kHz below which a quarter of the power lies */
  AM_SPECTRAL_ROLLOFF_50,
  AM_SPECTRAL_ROLLOFF_75,
  AM_SPECTRAL_ROLLOFF_90,
  AM_SPECTRAL_FLUX,     /* distance of the magnitudes, at unit length, from those of the frame before */
  AM_SPECTRAL_CENTROID, /* kHz, mean of the frequencies weighted by power */
  AM_SPECTRAL_ENTROPY,  /* bits, of the power as a distribution */
  AM_SPECTRAL_VARIANCE, /* kHz squared, around the centroid */
  AM_SPECTRAL_SKEWNESS,
  AM_SPECTRAL_KURTOSIS,
  AM_SPECTRAL_SLOPE,       /* dB a kHz, of the least-squares line through the levels */
  AM_SPECTRAL_SLOPE_LOW,   /* the same from 0 to 500 Hz */
  AM_SPECTRAL_SLOPE_MID,   /* from 500 to 1500 Hz */
  AM_SPECTRAL_HARMONICITY, /* dB, mean rise from a valley of the levels to the peak next to it, below 4 kHz */
  AM_SPECTRAL_ALPHA,       /* dB, power from 50 Hz to 1 kHz over that from 1 to 5 kHz */
  AM_SPECTRAL_HAMMARBERG,  /* dB, strongest bin below 2 kHz over the strongest from 2 to 5 kHz */
  AM_SPECTRALS
} am_spectral;

/* power (bins), of full scale 1, bin k at k * hertz; before: that of the frame before, or the same.  level (bins) is work: the
 * levels in dB, -100 at least.  Descriptor d into out[d * stride]. */
void am_spectrum_describe(const float *power, const float *before, int bins, double hertz, float *level, float *out,
                          int stride);

#endif
