/* SPDX-License-Identifier: MIT */
/* tests/bench/kernels_xsmm.c - LIBXSMM 1 for kernels.c: convolutions alone (its dense and recurrent cells want their own
 * blocked weights and one direction), in its own layouts.  OMP_NUM_THREADS says how many threads. */
#include <libxsmm.h>
#include <omp.h>
#include <stdio.h>

#include "kernels.h"

enum { BUFFERS = 7 };
static const libxsmm_dnn_tensor_type forward_types[] = {LIBXSMM_DNN_REGULAR_INPUT, LIBXSMM_DNN_REGULAR_OUTPUT,
                                                        LIBXSMM_DNN_REGULAR_FILTER};
static const libxsmm_dnn_tensor_type backward_types[] = {LIBXSMM_DNN_GRADIENT_INPUT, LIBXSMM_DNN_GRADIENT_OUTPUT,
                                                         LIBXSMM_DNN_GRADIENT_FILTER, LIBXSMM_DNN_REGULAR_FILTER_TRANS};

typedef struct opened {
  libxsmm_dnn_layer *layer;
  bool backward;
  float *buffers[BUFFERS];
  libxsmm_dnn_tensor *tensors[BUFFERS];
  void *scratch;
  int n;
} opened;

static void must(libxsmm_dnn_err_t st) {
  if (st == LIBXSMM_DNN_SUCCESS) return;
  fprintf(stderr, "kernels: LIBXSMM says %s\n", libxsmm_dnn_get_error(st));
  exit(1);
}

const char *kernel_library(void) { return LIBXSMM_VERSION; }

static void bind(opened *o, libxsmm_dnn_tensor_type type) {
  libxsmm_dnn_err_t st;
  libxsmm_dnn_tensor_datalayout *layout = libxsmm_dnn_create_tensor_datalayout(o->layer, type, &st);
  must(st);
  o->buffers[o->n] = kernel_numbers(libxsmm_dnn_get_tensor_elements(layout, &st));
  must(st);
  o->tensors[o->n] = libxsmm_dnn_link_tensor(layout, o->buffers[o->n], &st);
  must(st);
  libxsmm_dnn_destroy_tensor_datalayout(layout);
  must(libxsmm_dnn_bind_tensor(o->layer, o->tensors[o->n], type));
  o->n++;
}

void *kernel_open(const kernel_shape *s) {
  if (s->kind != KERNEL_CONV || s->k % 2 == 0) return NULL;
  libxsmm_dnn_err_t st;
  const int pad = s->k / 2;
  libxsmm_dnn_conv_desc d = {.N = s->b,
                             .C = s->ci,
                             .H = s->t,
                             .W = s->f,
                             .K = s->co,
                             .R = s->k,
                             .S = s->k,
                             .u = 1,
                             .v = 1,
                             .pad_h = pad,
                             .pad_w = pad,
                             .threads = omp_get_max_threads(),
                             .datatype_in = LIBXSMM_DNN_DATATYPE_F32,
                             .datatype_out = LIBXSMM_DNN_DATATYPE_F32,
                             .buffer_format = LIBXSMM_DNN_TENSOR_FORMAT_LIBXSMM,
                             .filter_format = LIBXSMM_DNN_TENSOR_FORMAT_LIBXSMM,
                             .algo = LIBXSMM_DNN_CONV_ALGO_AUTO,
                             .options = LIBXSMM_DNN_CONV_OPTION_OVERWRITE,
                             .fuse_ops = LIBXSMM_DNN_CONV_FUSE_NONE};
  opened *o = calloc(1, sizeof *o);
  if (!o) exit(1);
  o->backward = s->backward;
  o->layer = libxsmm_dnn_create_conv_layer(d, &st);
  if (st != LIBXSMM_DNN_SUCCESS || !o->layer) {
    free(o);
    return NULL;
  }
  for (size_t i = 0; i < sizeof forward_types / sizeof *forward_types; i++) bind(o, forward_types[i]);
  for (size_t i = 0; s->backward && i < sizeof backward_types / sizeof *backward_types; i++) bind(o, backward_types[i]);
  const size_t bytes = libxsmm_dnn_get_scratch_size(o->layer, LIBXSMM_DNN_COMPUTE_KIND_ALL, &st);
  must(st);
  o->scratch = kernel_numbers(bytes / sizeof(float) + 64);
  must(libxsmm_dnn_bind_scratch(o->layer, LIBXSMM_DNN_COMPUTE_KIND_ALL, o->scratch));
  return o;
}

static void run(const opened *o, libxsmm_dnn_compute_kind kind) {
#pragma omp parallel
  must(libxsmm_dnn_execute_st(o->layer, kind, 0, omp_get_thread_num()));
}

double kernel_pass(void *opened_) {
  const opened *o = opened_;
  const double begun = kernel_now();
  if (o->backward) {
    run(o, LIBXSMM_DNN_COMPUTE_KIND_BWD);
    run(o, LIBXSMM_DNN_COMPUTE_KIND_UPD);
  } else {
    run(o, LIBXSMM_DNN_COMPUTE_KIND_FWD);
  }
  return kernel_now() - begun;
}

void kernel_close(void *opened_) {
  opened *o = opened_;
  for (int i = 0; i < o->n; i++) {
    libxsmm_dnn_destroy_tensor(o->tensors[i]);
    free(o->buffers[i]);
  }
  libxsmm_dnn_destroy_conv_layer(o->layer);
  free(o->scratch);
  free(o);
}
