/* SPDX-License-Identifier: MIT */
/* base/number.h - numbers as text and back, whatever the locale is. */
#ifndef AM_NUMBER_H
#define AM_NUMBER_H

#include "base/base.h"

/* false when the text is not wholly such a number; and the shortest text that reads back the same
 * (".nan", ".inf", "-.inf" for what is no finite number).  Independent of the locale. */
bool am_text_to_int(const char *text, int64_t *out);
bool am_text_to_real(const char *text, double *out);
void am_real_to_text(double number, char out[32]);
/* The shortest decimal that reads back as this float (6 to 9 digits), as a double: 0.1f gives 0.1. */
double am_float_decimal(float number);
/* The place of the largest of n numbers, the first of equals: the class that scores, or probabilities, say. */
int am_largest(const float *x, int n);
/* qsort's comparison of doubles, none of them NaN. */
int am_rising(const void *a, const void *b);

#endif
