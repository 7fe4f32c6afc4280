/* SPDX-License-Identifier: MIT */
/* nn/layer.c - what the build() of every layer uses. */
#include "nn/layer.h"

#include <stdio.h>
#include <string.h>

const char *am_shape_text(am_shape shape, char buffer[AM_SHAPE_TEXT]) {
  const char *most = shape.variable ? "T<=" : "";
  if (shape.rank == 1) snprintf(buffer, AM_SHAPE_TEXT, "(%d)", shape.c);
  else if (shape.rank == 2) snprintf(buffer, AM_SHAPE_TEXT, "(%s%d, %d)", most, shape.t, shape.c);
  else snprintf(buffer, AM_SHAPE_TEXT, "(%s%d, %d, %d)", most, shape.t, shape.f, shape.c);
  return buffer;
}

/* What is wrong with the declaration of an array; NULL: nothing. */
static const char *fault_of(const am_array *others, int n, int most, const char *name, am_initialiser init, int rank,
                            const int *dims) {
  if (n >= most) return "more arrays than a layer may have";
  if (!name || !*name || strlen(name) > 60 || strpbrk(name, "/."))
    return "an array without a name, or with one longer than 60 characters or with / or . in it";
  for (int i = 0; i < n; i++)
    if (!strcmp(others[i].name, name)) return "two arrays of one name";
  if ((int)init < AM_INIT_ZERO || init > AM_INIT_UNIFORM_FAN_IN) return "an array with an initialiser that is none";
  if (rank < 1 || rank > AM_MAX_DIMS || !dims) return "an array of a rank that is not 1 to 4";
  for (int i = 0; i < rank; i++)
    if (dims[i] < 1) return "an array with a size below 1";
  return NULL;
}

static am_array *declare(am_layer *layer, am_array *arrays, int *n, int most, const am_array *wanted, const int *dims) {
  const char *fault = fault_of(arrays, *n, most, wanted->name, wanted->init, wanted->rank, dims);
  if (fault) {
    if (!layer->refused) layer->refused = fault;
    return NULL;
  }
  am_array *array = &arrays[(*n)++];
  *array = *wanted;
  array->count = 1;
  for (int i = 0; i < AM_MAX_DIMS; i++) {
    array->dims[i] = i < array->rank ? dims[i] : 1;
    array->count = am_mul(array->count, (size_t)array->dims[i]);
  }
  return array;
}

am_array *am_layer_weight(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims, int fan_in,
                          int fan_out, bool decay) {
  const am_array wanted = {
      .name = name, .init = init, .rank = rank, .fan_in = fan_in, .fan_out = fan_out, .decay = decay};
  return layer ? declare(layer, layer->weights, &layer->n_weights, AM_MAX_ARRAYS, &wanted, dims) : NULL;
}

am_array *am_layer_statistic(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims) {
  const am_array wanted = {.name = name, .init = init, .rank = rank};
  return layer ? declare(layer, layer->statistics, &layer->n_statistics, AM_MAX_STATISTICS, &wanted, dims) : NULL;
}

am_status am_layer_fail(const am_layer *layer, am_error *err, am_status status, const char *format, ...) {
  char shapes[AM_MAX_INPUTS * AM_SHAPE_TEXT] = "", one[AM_SHAPE_TEXT], text[512];
  if (!layer || !format) return am_fail(err, status, "a layer failed without saying why");
  for (int i = 0; i < layer->n_in; i++) {
    size_t used = strlen(shapes);
    snprintf(shapes + used, sizeof shapes - used, "%s%s", i ? " and " : "", am_shape_text(layer->in[i], one));
  }
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return am_fail(err, status, "layer %s, input %s: %s", layer->name, shapes, text);
}
