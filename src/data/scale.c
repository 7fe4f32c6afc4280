/* SPDX-License-Identifier: MIT */
/* data/scale.c - see scale.h. */
#include "data/scale.h"

#include <math.h>

bool am_scale_good(am_scale s) {
  return fabs(s.low) <= AM_SCALE_MOST && fabs(s.high) <= AM_SCALE_MOST && s.low < s.high;
}

bool am_scale_equal(am_scale a, am_scale b) { return a.low == b.low && a.high == b.high; }

bool am_scales_equal(const am_scale *a, const am_scale *b, int n) {
  for (int k = 0; k < n; k++)
    if (!am_scale_equal(a[k], b[k])) return false;
  return true;
}

bool am_scales_one(const am_scale *s, int n) {
  for (int k = 1; k < n; k++)
    if (!am_scale_equal(s[0], s[k])) return false;
  return true;
}

static double middle(am_scale s) { return (s.low + s.high) / 2; }
static double half(am_scale s) { return (s.high - s.low) / 2; }

double am_scale_unit(am_scale s, double value) { return (value - middle(s)) / half(s); }

double am_scale_value(am_scale s, double unit) { return middle(s) + half(s) * unit; }

double am_scale_move(double value, am_scale from, am_scale to) {
  if (am_scale_equal(from, to)) return value;
  return to.low + (value - from.low) * (to.high - to.low) / (from.high - from.low);
}

bool am_scale_read(const am_value *list, am_scale *out) {
  *out = (am_scale){0};
  if (!list || list->kind != AM_LIST || list->count != 2) return false;
  return am_value_to_real(list->first, &out->low) && am_value_to_real(list->first->next, &out->high) &&
         am_scale_good(*out);
}

static void put_one(am_json *j, const char *key, am_scale s) {
  am_json_reals(j, key, (const double[]){s.low, s.high}, 2);
}

static void put(am_json *j, const char *one, const char *several, const char *const *names, const am_scale *s, int n) {
  if (am_scales_one(s, n)) {
    put_one(j, one, s[0]);
    return;
  }
  am_json_open(j, several, '{');
  for (int k = 0; k < n; k++) put_one(j, names[k], s[k]);
  am_json_close(j);
}

void am_scales_put(am_json *j, const char *const *names, const am_scale *s, int n) {
  put(j, "scale", "scales", names, s, n);
}

void am_scales_put_value(am_json *j, const char *const *names, const am_scale *s, int n) {
  put(j, NULL, NULL, names, s, n);
}

void am_scales_print(am_context *ctx, am_buffer *out, const char *const *names, const am_scale *s, int n) {
  const bool one = am_scales_one(s, n);
  for (int k = 0; k < (one ? 1 : n); k++)
    am_buffer_printf(ctx, out, "%s%s%s%g to %g", k ? ", " : "", one ? "" : names[k], one ? "" : " ", s[k].low,
                     s[k].high);
}
