/* SPDX-License-Identifier: MIT */
/* tests/bench/kernels_ours.c - AudioMood's layers for kernels.c: a model of the layer and of what has to follow it, of which the
 * times of the layer's own step are taken.  Packing of weights is counted, as in every pass of a training. */
#include <stdio.h>
#include <string.h>

#include "io/yaml.h"
#include "kernels.h"
#include "nn/model.h"

typedef struct ours {
  bool backward;
  int b;
  am_model *model;
  am_session *session;
  float *x, *dlogits;
  uint64_t *draws;
} ours;

enum { CLASSES = 2 };
static am_context *ctx;

static void must(am_status st, const am_error *err) {
  if (!st) return;
  fprintf(stderr, "kernels: %s\n", err->message);
  exit(1);
}

const char *kernel_library(void) {
  static char text[64];
  am_error err = AM_ERROR_INIT;
  must(am_context_create(NULL, &ctx, &err), &err);
  must(am_gemm_begin(&err), &err);
  snprintf(text, sizeof text, "%s, %s path, %d threads", am_version(), am_context_cpu(ctx), am_context_threads(ctx));
  return text;
}

static am_model *model_of(const kernel_shape *s) {
  am_error err = AM_ERROR_INIT;
  char text[256];
  am_tree *tree;
  am_value *layers;
  am_model *model;
  am_shape in = {.rank = 1, .t = 1, .f = 1, .c = s->ci};
  if (s->kind == KERNEL_CONV) {
    in = (am_shape){.rank = 3, .t = s->t, .f = s->f, .c = s->ci};
    snprintf(text, sizeof text, "[conv2d: {filters: %d, kernel: %d, padding: same}, global_average_pool, dense: {}]",
             s->co, s->k);
  } else if (s->kind == KERNEL_DENSE) {
    snprintf(text, sizeof text, "[dense: {units: %d}, dense: {}]", s->co);
  } else {
    in = (am_shape){.rank = 2, .t = s->t, .f = 1, .c = s->ci};
    snprintf(text, sizeof text,
             "[lstm: {units: %d, bidirectional: true, return: sequence}, global_average_pool, dense: {}]", s->co);
  }
  must(am_tree_create(ctx, &tree, &err), &err);
  must(am_yaml_read_text(tree, text, strlen(text), "kernels", &layers, &err), &err);
  must(am_model_create(ctx, layers, in, CLASSES, &model, &err), &err);
  am_tree_free(tree);
  am_model_initialise(model, 1);
  return model;
}

void *kernel_open(const kernel_shape *s) {
  am_error err = AM_ERROR_INIT;
  ours *o = calloc(1, sizeof *o);
  if (!o) exit(1);
  *o = (ours){.backward = s->backward, .b = s->b, .model = model_of(s)};
  o->x = kernel_numbers((size_t)s->b * am_shape_count(am_model_input(o->model)));
  o->dlogits = kernel_numbers((size_t)s->b * CLASSES);
  o->draws = calloc((size_t)s->b, sizeof *o->draws);
  must(am_session_create(o->model, s->b, s->backward, &o->session, &err), &err);
  if (s->backward) {
    am_session_want_input_gradient(o->session, true);
    am_session_zero_gradients(o->session);
  }
  return o;
}

double kernel_pass(void *opened) {
  ours *o = opened;
  am_error err = AM_ERROR_INIT;
  const am_batch batch = {.size = sizeof batch, .n = o->b, .x = o->x, .seed = 1, .epoch = 1, .draws = o->draws};
  am_session_profile(o->session, true);
  must(am_session_forward(o->session, &batch, o->backward, &err), &err);
  if (o->backward) must(am_session_backward(o->session, o->dlogits, &err), &err);
  const am_step_time *times = am_session_times(o->session);
  return o->backward ? times[0].backward : times[0].forward;
}

void kernel_close(void *opened) {
  ours *o = opened;
  am_session_free(o->session);
  am_model_free(o->model);
  free(o->x);
  free(o->dlogits);
  free(o->draws);
  free(o);
}
