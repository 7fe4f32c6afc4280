/* SPDX-License-Identifier: MIT */
/* data/scale.h - the scale of a dimension of emotion: its lowest and its highest value.
 *
 * Each dimension has one.  A model is trained on -1 for the lowest and 1 for the highest value (am_scale_unit).  Where all scales are
 * one, files and results say it once, as they did when there was one scale for all dimensions. */
#ifndef AM_DATA_SCALE_H
#define AM_DATA_SCALE_H

#include "base/value.h"
#include "io/json.h"

typedef struct am_scale {
  double low, high; /* both 0: it is not known */
} am_scale;

enum { AM_SCALE_MOST = 1000000 }; /* farther from 0 no end of a scale is */

/* Both ends are numbers, at most AM_SCALE_MOST from 0, and the lowest is the lower one. */
bool am_scale_good(am_scale s);
bool am_scale_equal(am_scale a, am_scale b);
/* The scales of n dimensions: whether they are those of others, and whether they are one. */
bool am_scales_equal(const am_scale *a, const am_scale *b, int n);
bool am_scales_one(const am_scale *s, int n);

/* -1 for the lowest value, 1 for the highest, and back; values beyond the scale stay beyond it. */
double am_scale_unit(am_scale s, double value);
double am_scale_value(am_scale s, double unit);
/* From one scale to the same place of another, end to end. */
double am_scale_move(double value, am_scale from, am_scale to);

/* [lowest, highest] of a config or of JSON; false: it is no good scale. */
bool am_scale_read(const am_value *list, am_scale *out);
/* "scale": [1, 5] into an object that is open; where they differ "scales": {"valence": [-3, 3], "arousal": [1, 5]}. */
void am_scales_put(am_json *j, const char *const *names, const am_scale *s, int n);
/* The same value alone. */
void am_scales_put_value(am_json *j, const char *const *names, const am_scale *s, int n);
/* "1 to 5"; where they differ "valence -3 to 3, arousal 1 to 5". */
void am_scales_print(am_context *ctx, am_buffer *out, const char *const *names, const am_scale *s, int n);

#endif
