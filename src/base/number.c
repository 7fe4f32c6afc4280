/* SPDX-License-Identifier: MIT */
/* base/number.c - numbers from text and back, whatever the program's locale says. */
#define _GNU_SOURCE /* newlocale, uselocale */
#include "base/value.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool am_text_to_int(const char *text, int64_t *out) {
  const char *c = text;
  if (*c == '+' || *c == '-') c++;
  if (!*c || c[strspn(c, "0123456789")]) return false;
  errno = 0;
  long long number = strtoll(text, NULL, 10);
  if (errno) return false;
  *out = number;
  return true;
}

/* .inf and .nan are YAML's spelling; the bare words are strtod's. */
static bool special(const char *text, double *out) {
  double sign = *text == '-' ? -1 : 1;
  if (*text == '+' || *text == '-') text++;
  if (*text == '.') text++;
  if (!strcasecmp(text, "inf") || !strcasecmp(text, "infinity")) *out = sign * INFINITY;
  else if (!strcasecmp(text, "nan")) *out = NAN;
  else return false;
  return true;
}

/* [sign] digits [. digits] [e [sign] digits], with a digit before or after the point. */
static bool is_decimal(const char *c) {
  if (*c == '+' || *c == '-') c++;
  size_t whole = strspn(c, "0123456789"), part = 0;
  c += whole;
  if (*c == '.') {
    part = strspn(++c, "0123456789");
    c += part;
  }
  if (!whole && !part) return false;
  if (*c == 'e' || *c == 'E') {
    c++;
    if (*c == '+' || *c == '-') c++;
    size_t digits = strspn(c, "0123456789");
    if (!digits) return false;
    c += digits;
  }
  return *c == '\0';
}

bool am_text_to_real(const char *text, double *out) {
  if (special(text, out)) return true;
  if (!is_decimal(text)) return false;
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc's own constant object: never fails */
  locale_t old = uselocale(c);
  double number = strtod(text, NULL);
  uselocale(old);
  freelocale(c);
  if (isinf(number)) return false; /* 1e999 is a slip, not infinity */
  *out = number;
  return true;
}

void am_real_to_text(double number, char out[32]) {
  if (isnan(number)) strcpy(out, ".nan");
  else if (isinf(number)) strcpy(out, number < 0 ? "-.inf" : ".inf");
  if (!isfinite(number)) return;
  char text[48] = "";
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t old = uselocale(c);
  /* %.15g gives back any decimal of up to 15 digits; only subnormals need fewer to be exact. */
  for (int digits = fabs(number) < 2.3e-308 ? 1 : 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  memcpy(out, text, 32); /* at most 24 characters */
  uselocale(old);
  freelocale(c);
}

double am_float_decimal(float number) {
  double shortest = (double)number;
  char text[32], *end;
  for (int digits = 6; isfinite(number) && digits <= 9; digits++) { /* 9 always suffice (IEEE 754) */
    snprintf(text, sizeof text, "%.*e", digits - 1, (double)number);
    for (end = text; *end; end++)
      if (*end == ',') *end = '.'; /* a locale's decimal point */
    if (am_text_to_real(text, &shortest) && (float)shortest == number) break;
  }
  return shortest;
}

int am_largest(const float *x, int n) {
  int best = 0;
  for (int i = 1; i < n; i++)
    if (x[i] > x[best]) best = i;
  return best;
}

int am_rising(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
