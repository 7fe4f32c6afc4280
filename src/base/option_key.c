/* SPDX-License-Identifier: MIT */
/* base/option_key.c - options in the keys of what was computed by them. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/number.h"
#include "base/option.h"

double am_option_number(const am_option *o, const void *in) {
  const void *member = (const char *)in + o->offset;
  switch (o->type) {
    case AM_OPT_BOOL: return *(const bool *)member;
    case AM_OPT_INT: return (double)*(const int64_t *)member;
    case AM_OPT_REAL: return *(const double *)member;
    case AM_OPT_CHOICE: return *(const int *)member;
    default: return NAN;
  }
}

/* What programs did that did not have the option. */
static double number_before(const am_option *o) {
  const char *text = o->before ? o->before : o->fallback;
  double number = NAN;
  if (o->type == AM_OPT_BOOL) return strcmp(text, "true") == 0;
  if (o->type == AM_OPT_CHOICE) return am_choice_index(o->choices, text);
  return am_text_to_real(text, &number) ? number : NAN;
}

uint64_t am_option_mix(uint64_t key, const am_option *o, const void *in) {
  double number = am_option_number(o, in);
  char word[64];
  if (number == number_before(o)) return key;
  key = am_hash64(key, o->name, strlen(o->name) + 1);
  if (o->type != AM_OPT_CHOICE) return am_hash64(key, &number, sizeof number);
  am_choice_name(o->choices, (int)number, word, sizeof word); /* whose place in the list may change */
  return am_hash64(key, word, strlen(word) + 1);
}
