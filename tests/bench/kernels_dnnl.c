/* SPDX-License-Identifier: MIT */
/* tests/bench/kernels_dnnl.c - oneDNN 2 for kernels.c.  It chooses layouts and algorithms (`any`, `auto`); converting to its
 * layouts is not counted.  OMP_NUM_THREADS says how many threads. */
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <string.h>

#include "kernels.h"

enum { ARGS = 16 };
/* All that a primitive here may read or write. */
static const int arguments[ARGS] = {DNNL_ARG_SRC,        DNNL_ARG_WEIGHTS,      DNNL_ARG_WEIGHTS_ITER,
                                    DNNL_ARG_BIAS,       DNNL_ARG_DST,          DNNL_ARG_WORKSPACE,
                                    DNNL_ARG_DIFF_SRC,   DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_WEIGHTS_ITER,
                                    DNNL_ARG_DIFF_BIAS,  DNNL_ARG_DIFF_DST,     DNNL_ARG_SRC_ITER,
                                    DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER,     DNNL_ARG_DST_ITER_C,
                                    DNNL_ARG_SCRATCHPAD};

typedef struct part {
  dnnl_primitive_desc_t desc;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[ARGS];
  int n;
} part;

typedef struct opened {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  part parts[3]; /* forward, and in a training the gradients of the input and of the weights, or both in one */
  int n;
  bool backward;
  dnnl_memory_t memory[3 * ARGS]; /* of all parts; `memory_args` says of which argument */
  int memory_args[3 * ARGS], memories;
} opened;

static void must(dnnl_status_t st) {
  if (!st) return;
  fprintf(stderr, "kernels: oneDNN answers %d\n", st);
  exit(1);
}

const char *kernel_library(void) {
  static char text[64];
  const dnnl_version_t *v = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
  return text;
}

/* The memory of an argument: one that another part has, if it is laid out alike (so a backward pass reads what the forward
 * pass wrote), or new, filled with numbers. */
static dnnl_memory_t memory_of(opened *o, int arg, const dnnl_memory_desc_t *md) {
  const dnnl_memory_desc_t *known;
  void *data;
  for (int i = 0; i < o->memories; i++) {
    must(dnnl_memory_get_memory_desc(o->memory[i], &known));
    if (o->memory_args[i] == arg && dnnl_memory_desc_equal(known, md)) return o->memory[i];
  }
  dnnl_memory_t *m = &o->memory[o->memories];
  must(dnnl_memory_create(m, md, o->engine, DNNL_MEMORY_ALLOCATE));
  must(dnnl_memory_get_data_handle(*m, &data));
  const size_t n = dnnl_memory_desc_get_size(md) / sizeof(float);
  float *numbers = kernel_numbers(n);
  memcpy(data, numbers, n * sizeof *numbers);
  free(numbers);
  o->memory_args[o->memories++] = arg;
  return *m;
}

static void add_part(opened *o, const_dnnl_op_desc_t op) {
  part *p = &o->parts[o->n];
  must(dnnl_primitive_desc_create(&p->desc, op, NULL, o->engine, o->n ? o->parts[0].desc : NULL));
  for (int i = 0; i < ARGS; i++) {
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(p->desc, dnnl_query_exec_arg_md, arguments[i]);
    if (!md || md->ndims == 0 || dnnl_memory_desc_get_size(md) == 0) continue;
    p->args[p->n++] = (dnnl_exec_arg_t){arguments[i], memory_of(o, arguments[i], md)};
  }
  must(dnnl_primitive_create(&p->primitive, p->desc));
  o->n++;
}

static dnnl_memory_desc_t any(int n, const dnnl_dim_t *dims) {
  dnnl_memory_desc_t md;
  must(dnnl_memory_desc_init_by_tag(&md, n, dims, dnnl_f32, dnnl_format_tag_any));
  return md;
}

static void open_conv(opened *o, const kernel_shape *s) {
  const dnnl_dims_t strides = {1, 1}, left = {(s->k - 1) / 2, (s->k - 1) / 2}, right = {s->k / 2, s->k / 2};
  const dnnl_memory_desc_t x = any(4, (dnnl_dims_t){s->b, s->ci, s->t, s->f}),
                           y = any(4, (dnnl_dims_t){s->b, s->co, s->t, s->f}),
                           w = any(4, (dnnl_dims_t){s->co, s->ci, s->k, s->k}), bias = any(1, (dnnl_dims_t){s->co});
  const dnnl_prop_kind_t way = s->backward ? dnnl_forward_training : dnnl_forward_inference;
  dnnl_convolution_desc_t d;
  must(dnnl_convolution_forward_desc_init(&d, way, dnnl_convolution_auto, &x, &w, &bias, &y, strides, left, right));
  add_part(o, &d);
  if (!s->backward) return;
  must(dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_auto, &x, &w, &y, strides, left, right));
  add_part(o, &d);
  must(dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_auto, &x, &w, &bias, &y, strides, left, right));
  add_part(o, &d);
}

static void open_dense(opened *o, const kernel_shape *s) {
  const dnnl_memory_desc_t x = any(2, (dnnl_dims_t){s->b, s->ci}), y = any(2, (dnnl_dims_t){s->b, s->co}),
                           w = any(2, (dnnl_dims_t){s->co, s->ci}), bias = any(1, (dnnl_dims_t){s->co});
  dnnl_inner_product_desc_t d;
  must(dnnl_inner_product_forward_desc_init(&d, s->backward ? dnnl_forward_training : dnnl_forward_inference, &x, &w,
                                            &bias, &y));
  add_part(o, &d);
  if (!s->backward) return;
  must(dnnl_inner_product_backward_data_desc_init(&d, &x, &w, &y));
  add_part(o, &d);
  must(dnnl_inner_product_backward_weights_desc_init(&d, &x, &w, &bias, &y));
  add_part(o, &d);
}

static void open_lstm(opened *o, const kernel_shape *s) {
  const dnnl_dim_t h = s->co;
  const dnnl_memory_desc_t x = any(3, (dnnl_dims_t){s->t, s->b, s->ci}), y = any(3, (dnnl_dims_t){s->t, s->b, 2 * h}),
                           w = any(5, (dnnl_dims_t){1, 2, s->ci, 4, h}), u = any(5, (dnnl_dims_t){1, 2, h, 4, h}),
                           bias = any(4, (dnnl_dims_t){1, 2, 4, h});
  const dnnl_prop_kind_t way = s->backward ? dnnl_forward_training : dnnl_forward_inference;
  dnnl_rnn_desc_t d;
  must(dnnl_lstm_forward_desc_init(&d, way, dnnl_bidirectional_concat, &x, NULL, NULL, &w, &u, &bias, &y, NULL, NULL,
                                   0));
  add_part(o, &d);
  if (!s->backward) return;
  must(dnnl_lstm_backward_desc_init(&d, dnnl_backward, dnnl_bidirectional_concat, &x, NULL, NULL, &w, &u, &bias, &y,
                                    NULL, NULL, &x, NULL, NULL, &w, &u, &bias, &y, NULL, NULL, 0));
  add_part(o, &d);
}

void *kernel_open(const kernel_shape *s) {
  opened *o = calloc(1, sizeof *o);
  if (!o) exit(1);
  o->backward = s->backward;
  must(dnnl_engine_create(&o->engine, dnnl_cpu, 0));
  must(dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags));
  if (s->kind == KERNEL_CONV) open_conv(o, s);
  else if (s->kind == KERNEL_DENSE) open_dense(o, s);
  else open_lstm(o, s);
  return o;
}

static void run(const opened *o, int from, int to) {
  for (int i = from; i < to; i++)
    must(dnnl_primitive_execute(o->parts[i].primitive, o->stream, o->parts[i].n, o->parts[i].args));
  must(dnnl_stream_wait(o->stream));
}

double kernel_pass(void *opened_) {
  const opened *o = opened_;
  if (o->backward) run(o, 0, 1); /* not counted */
  const double begun = kernel_now();
  run(o, o->backward ? 1 : 0, o->n);
  return kernel_now() - begun;
}

void kernel_close(void *opened_) {
  opened *o = opened_;
  for (int i = 0; i < o->n; i++) {
    dnnl_primitive_destroy(o->parts[i].primitive);
    dnnl_primitive_desc_destroy(o->parts[i].desc);
  }
  for (int i = 0; i < o->memories; i++) dnnl_memory_destroy(o->memory[i]);
  dnnl_stream_destroy(o->stream);
  dnnl_engine_destroy(o->engine);
  free(o);
}
