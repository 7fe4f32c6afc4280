/* SPDX-License-Identifier: MIT */
/* model/coverage.h - of many answers the surest ones alone: how many they are (coverage), and how many of them are wrong (risk).
 *
 * El-Yaniv & Wiener 2010, On the foundations of noise-free selective classification; Geifman & El-Yaniv 2017, Selective
 * classification for deep neural networks. */
#ifndef AM_COVERAGE_H
#define AM_COVERAGE_H

#include "base/base.h"

/* The most probable class of a clip. */
typedef struct am_answer {
  double p;
  int class;
  bool right;
} am_answer;

/* Of probabilities (K) and the true class. */
am_answer am_answer_of(const float *probabilities, int classes, int label);
/* Surest first; the functions below want it so. */
void am_answers_sort(am_answer *at, size_t n);
/* Risk of the first 1, 2, ... n answers, into out (n).  Equally sure ones have no order: each time as many of them are wrong as of
 * all of them. */
void am_answers_risk(const am_answer *at, size_t n, double *out);
/* The mean of these: the area under the curve of risk over coverage.  NaN without answers. */
double am_answers_area(const am_answer *at, size_t n);
/* The largest share of the answers of which a share of at least `precision` is right, and the probability from which on these are
 * (NaN: none, the share is 0).  Whoever chooses it by these answers hopes too much for others. */
double am_answers_coverage(const am_answer *at, size_t n, double precision, double *threshold);

#endif
