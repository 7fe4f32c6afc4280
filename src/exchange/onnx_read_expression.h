/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_expression.h - expressions over one tensor (onnx_read_expression.c), for the operators that build them. */
#ifndef AM_ONNX_READ_EXPRESSION_H
#define AM_ONNX_READ_EXPRESSION_H

#include "exchange/onnx_read.h"

enum {
  AM_E_TENSOR,
  AM_E_CONSTANT,
  AM_E_RELU,
  AM_E_SIGMOID,
  AM_E_TANH,
  AM_E_ERF,
  AM_E_EXP,
  AM_E_LOG,
  AM_E_SQRT,
  AM_E_NEG,
  AM_E_ABS,
  AM_E_RECIPROCAL,
  AM_E_GELU,
  AM_E_SOFTPLUS,
  AM_E_LAST_SINGLE = AM_E_SOFTPLUS,
  AM_E_ADD,
  AM_E_SUB,
  AM_E_MUL,
  AM_E_DIV,
  AM_E_POW,
  AM_E_MIN,
  AM_E_MAX,
  AM_E_ROW_MEAN, /* and what follows: one number of all channels */
  AM_E_ROW_SUM,
  AM_E_ROW_MAX,
  AM_E_ROW_MIN
};

/* New expressions; -1: r->err. */
int am_onnx_expression_of(am_onnx_reader *r, int tensor);
int am_onnx_constant_of(am_onnx_reader *r, const double value[AM_ONNX_PROBES]);
int am_onnx_number_of(am_onnx_reader *r, double value);
int am_onnx_combine(am_onnx_reader *r, int op, int a, int b); /* of two that are over the same tensor */
int am_onnx_reduce(am_onnx_reader *r, int op, int a, const am_onnx_axis *row);
/* The tensor that it is, by layers where it needs them; -1: r->err. */
int am_onnx_settle_expression(am_onnx_reader *r, int expression);

/* Is it a softmax, or a mean of such? */
bool am_onnx_makes_probabilities(const am_onnx_reader *r, int tensor);

#endif
