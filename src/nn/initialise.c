/* SPDX-License-Identifier: MIT */
/* nn/initialise.c - first values of weights.
 *
 * Definitions are Keras's: glorot/he "normal" is a normal truncated at two
 * standard deviations and widened by 1/0.87962566 so that its variance is the
 * one named (PyTorch's is not truncated); "uniform_fan_in" is PyTorch's
 * default.  Element i takes word i of its array's stream, so values depend on
 * the seed, the layer's name and the array alone. */
#include "nn/initialise.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 1024, BLOCK = 256 };

/* The words of the option are in the order of the enumeration, which is public. */
#define PLACE(name, word) PLACE_OF_##name,
#define IN_PLACE(name, word) _Static_assert((int)name == PLACE_OF_##name, "the order of AM_INITIALISERS");
enum { AM_INITIALISERS(PLACE) };
AM_INITIALISERS(IN_PLACE)

/* Quantile of the normal distribution for 1e-11 < p < 1 - 1e-11: Wichura 1988, AS 241, PPND16, without
 * its far tail. */
static double normal_quantile(double p) {
  static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                              1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                              3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static const double b[8] = {1,
                              4.2313330701600911252e+1,
                              6.8718700749205790830e+2,
                              5.3941960214247511077e+3,
                              2.1213794301586595867e+4,
                              3.9307895800092710610e+4,
                              2.8729085735721942674e+4,
                              5.2264952788528545610e+3};
  static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                              3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                              2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static const double d[8] = {1,
                              2.05319162663775882187e0,
                              1.67638483018380384940e0,
                              6.89767334985100004550e-1,
                              1.48103976427480074590e-1,
                              1.51986665636164571966e-2,
                              5.47593808499534494600e-4,
                              1.05075007164441684324e-9};
  double q = p - 0.5, above = 0, below = 0;
  bool middle = fabs(q) <= 0.425;
  double r = middle ? 0.180625 - q * q : sqrt(-log(q < 0 ? p : 1 - p)) - 1.6;
  for (int i = 7; i >= 0; i--) {
    above = above * r + (middle ? a[i] : c[i]);
    below = below * r + (middle ? b[i] : d[i]);
  }
  return middle ? q * above / below : q < 0 ? -above / below : above / below;
}

/* Share of the normal distribution below -2. */
#define BELOW_MINUS_2 0.022750131948179207200

typedef enum shape { UNIFORM, NORMAL, TRUNCATED } shape;

static void fill(am_rng *rng, shape kind, double scale, am_real *w, size_t n) {
  uint32_t words[CHUNK];
  for (size_t at = 0; at < n; at += CHUNK) {
    size_t some = n - at < CHUNK ? n - at : CHUNK;
    am_rng_fill(rng, words, some);
    for (size_t i = 0; i < some; i++) {
      double u = (words[i] + 0.5) * 0x1p-32; /* inside (0, 1) */
      double x = kind == UNIFORM  ? 2 * u - 1
                 : kind == NORMAL ? normal_quantile(u)
                                  : normal_quantile(BELOW_MINUS_2 + u * (1 - 2 * BELOW_MINUS_2));
      w[at + i] = (am_real)(scale * x);
    }
  }
}

/* Modified Gram-Schmidt, sums in double.  Vectors are the rows where there are
 * fewer of them; each is scaled to 1 and then taken out of those after it. */
static void orthogonalise_rows(am_real *w, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++) {
    am_real *v = w + i * columns;
    double norm = 0;
    for (size_t k = 0; k < columns; k++) norm += (double)v[k] * v[k];
    norm = sqrt(norm);
    for (size_t k = 0; k < columns; k++) v[k] = (am_real)(v[k] / norm);
    for (size_t j = i + 1; j < rows; j++) {
      am_real *u = w + j * columns;
      double dot = 0;
      for (size_t k = 0; k < columns; k++) dot += (double)v[k] * u[k];
      for (size_t k = 0; k < columns; k++) u[k] = (am_real)(u[k] - dot * v[k]);
    }
  }
}

/* The same for columns, walking along rows: BLOCK columns are cleaned at a time. */
static void orthogonalise_columns(am_real *w, size_t rows, size_t columns) {
  for (size_t j = 0; j < columns; j++) {
    double norm = 0, dots[BLOCK];
    for (size_t r = 0; r < rows; r++) norm += (double)w[r * columns + j] * w[r * columns + j];
    norm = sqrt(norm);
    for (size_t r = 0; r < rows; r++) w[r * columns + j] = (am_real)(w[r * columns + j] / norm);
    for (size_t k0 = j + 1; k0 < columns; k0 += BLOCK) {
      size_t n = columns - k0 < BLOCK ? columns - k0 : BLOCK;
      memset(dots, 0, n * sizeof *dots);
      for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++) dots[k] += (double)w[r * columns + j] * w[r * columns + k0 + k];
      for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++)
          w[r * columns + k0 + k] = (am_real)(w[r * columns + k0 + k] - dots[k] * w[r * columns + j]);
    }
  }
}

/* The array as a matrix of its last dimension's columns; orthonormal rows or columns, whichever are fewer. */
static void fill_orthogonal(am_rng *rng, const am_array *array, am_real *w) {
  size_t columns = (size_t)array->dims[array->rank - 1], rows = array->count / columns;
  fill(rng, NORMAL, 1, w, array->count);
  /* Twice: the second pass removes what rounding to am_real left in the first. */
  for (int pass = 0; pass < 2; pass++) {
    if (rows < columns) orthogonalise_rows(w, rows, columns);
    else orthogonalise_columns(w, rows, columns);
  }
}

void am_array_initialise(const am_array *array, am_real *w, uint64_t seed, uint32_t layer_id, int index) {
  am_rng rng = am_rng_stream(seed, AM_FOR_INIT, layer_id, (uint64_t)index, 0);
  double in = array->fan_in > 0 ? array->fan_in : 1, both = in + (array->fan_out > 0 ? array->fan_out : 1);
  const double widen = 1 / 0.87962566103423978;
  size_t n = array->count;
  switch (array->init) {
    case AM_INIT_ZERO: memset(w, 0, n * sizeof *w); break;
    case AM_INIT_ONE:
      for (size_t i = 0; i < n; i++) w[i] = 1;
      break;
    case AM_INIT_GLOROT_UNIFORM: fill(&rng, UNIFORM, sqrt(6 / both), w, n); break;
    case AM_INIT_GLOROT_NORMAL: fill(&rng, TRUNCATED, sqrt(2 / both) * widen, w, n); break;
    case AM_INIT_HE_UNIFORM: fill(&rng, UNIFORM, sqrt(6 / in), w, n); break;
    case AM_INIT_HE_NORMAL: fill(&rng, TRUNCATED, sqrt(2 / in) * widen, w, n); break;
    case AM_INIT_ORTHOGONAL: fill_orthogonal(&rng, array, w); break;
    case AM_INIT_UNIFORM_FAN_IN: fill(&rng, UNIFORM, 1 / sqrt(in), w, n); break;
  }
}
