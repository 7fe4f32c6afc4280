/* SPDX-License-Identifier: MIT */
/* audio/cepstrum.h - from spectra to cepstra, and their differences in time; librosa-equal. */
#ifndef AM_CEPSTRUM_H
#define AM_CEPSTRUM_H

#include <stddef.h>

/* The first `keep` coefficients of in (n); table holds n*keep doubles, filled by am_dct2_table. */
void am_dct2_ortho(const float *in, int n, int keep, const double *table, float *out);
void am_dct2_table(double *table, int n, int keep);
/* librosa.feature.delta(width 9, mode "interp") of order 1 or 2 over frames: x, out (T,F). T below 9 uses the
 * nearest odd width >= 3, else zeros. */
void am_delta(const float *x, int t, int f, int order, float *out);

#endif
