/* nn/layer.c - what the build() of every layer uses. */
#include "nn/layer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *am_shape_text(am_shape shape, char buffer[AM_SHAPE_TEXT]) {
  const char *most = shape.variable ? "T<=" : "";
  if (shape.rank == 1) snprintf(buffer, AM_SHAPE_TEXT, "(%d)", shape.c);
  else if (shape.rank == 2) snprintf(buffer, AM_SHAPE_TEXT, "(%s%d, %d)", most, shape.t, shape.c);
  else snprintf(buffer, AM_SHAPE_TEXT, "(%s%d, %d, %d)", most, shape.t, shape.f, shape.c);
  return buffer;
}

static am_array *declare(am_array *array, const char *name, am_initialiser init, int rank, const int *dims) {
  *array = (am_array){.name = name, .rank = rank, .init = init, .count = 1};
  for (int i = 0; i < 4; i++) {
    array->dims[i] = i < rank ? dims[i] : 1;
    array->count = am_mul(array->count, (size_t)array->dims[i]);
  }
  return array;
}

am_array *am_layer_weight(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims, int fan_in,
                          int fan_out, bool decay) {
  assert(layer->n_weights < AM_MAX_ARRAYS);
  if (layer->n_weights >= AM_MAX_ARRAYS) return NULL;
  am_array *array = declare(&layer->weights[layer->n_weights++], name, init, rank, dims);
  array->fan_in = fan_in;
  array->fan_out = fan_out;
  array->decay = decay;
  return array;
}

am_array *am_layer_statistic(am_layer *layer, const char *name, am_initialiser init, int rank, const int *dims) {
  int most = (int)(sizeof layer->statistics / sizeof *layer->statistics);
  assert(layer->n_statistics < most);
  if (layer->n_statistics >= most) return NULL;
  return declare(&layer->statistics[layer->n_statistics++], name, init, rank, dims);
}

am_status am_layer_fail(const am_layer *layer, am_error *err, am_status status, const char *format, ...) {
  char shapes[AM_MAX_INPUTS * AM_SHAPE_TEXT] = "", one[AM_SHAPE_TEXT], text[512];
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
