/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_single.c - operators of single numbers. */
#include <math.h>
#include <string.h>

#include "exchange/onnx_read_expression.h"

static am_status read_single(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  static const struct {
    const char *name;
    int op;
  } known[] = {{"Relu", AM_E_RELU},        {"Sigmoid", AM_E_SIGMOID},
               {"Tanh", AM_E_TANH},        {"Erf", AM_E_ERF},
               {"Exp", AM_E_EXP},          {"Log", AM_E_LOG},
               {"Sqrt", AM_E_SQRT},        {"Neg", AM_E_NEG},
               {"Abs", AM_E_ABS},          {"Reciprocal", AM_E_RECIPROCAL},
               {"Softplus", AM_E_SOFTPLUS}};
  (void)n;
  am_onnx_thing x = *in[0];
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i].name, r->node->op)) return am_onnx_one(r, known[i].op, &x, out);
  return AM_E_UNSUPPORTED; /* not reached: the table has no other */
}

static am_status read_gelu(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  const char *how = am_onnx_attribute_text(r, "approximate", "none");
  (void)n;
  am_onnx_thing x = *in[0];
  if (strcmp(how, "none") != 0)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute approximate is %s; only the exact GELU can be imported", how);
  return am_onnx_one(r, AM_E_GELU, &x, out);
}

/* max(x, a x) */
static am_status read_leaky(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  double slope[AM_ONNX_PROBES];
  am_onnx_thing x = *in[0];
  if (!strcmp(r->node->op, "PRelu")) {
    if (n < 2 || in[1]->is != AM_ONNX_IS_KNOWN || !am_onnx_is_scalar(r, in[1]->known, slope))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                            "its slopes differ from channel to channel; only one for all can be "
                            "imported");
  } else
    for (int p = 0; p < AM_ONNX_PROBES; p++) slope[p] = am_onnx_attribute_real(r, "alpha", 0.01);
  if (!(slope[0] >= 0 && slope[0] <= 1))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its slope is %g; only 0 to 1 can be imported", slope[0]);
  am_status status = am_onnx_one(r, AM_E_RELU, &x, out); /* checks it */
  if (status) return status;
  const int c = am_onnx_constant_of(r, slope), scaled = c < 0 ? -1 : am_onnx_combine(r, AM_E_MUL, x.expression, c);
  *out = x;
  out->expression = scaled < 0 ? -1 : am_onnx_combine(r, AM_E_MAX, x.expression, scaled);
  return out->expression < 0 ? AM_E_NOMEM : AM_OK;
}

static am_status read_clip(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  static const char *const names[] = {"min", "max"};
  am_onnx_thing x = *in[0];
  am_status status = am_onnx_alone(r, &x);
  for (size_t i = 0; i < 2 && !status; i++) {
    double value[AM_ONNX_PROBES];
    if (i + 1 < n && in[i + 1]->is == AM_ONNX_IS_KNOWN) {
      if (!am_onnx_is_scalar(r, in[i + 1]->known, value))
        return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its bounds are not one number");
    } else if (am_onnx_attribute_find(r->node, names[i]))
      for (int p = 0; p < AM_ONNX_PROBES; p++) value[p] = am_onnx_attribute_real(r, names[i], 0);
    else continue;
    if (fabs(value[0]) > 1e30) continue;
    const int c = am_onnx_constant_of(r, value);
    x.expression = c < 0 ? -1 : am_onnx_combine(r, i ? AM_E_MIN : AM_E_MAX, x.expression, c);
    if (x.expression < 0) return AM_E_UNSUPPORTED;
  }
  *out = x;
  return status;
}

const am_onnx_operator am_onnx_single_operators[] = {{"Relu", read_single, "|", 1, 1},
                                                     {"Sigmoid", read_single, "|", 1, 1},
                                                     {"Tanh", read_single, "|", 1, 1},
                                                     {"Erf", read_single, "|", 1, 1},
                                                     {"Exp", read_single, "|", 1, 1},
                                                     {"Log", read_single, "|", 1, 1},
                                                     {"Sqrt", read_single, "|", 1, 1},
                                                     {"Neg", read_single, "|", 1, 1},
                                                     {"Abs", read_single, "|", 1, 1},
                                                     {"Reciprocal", read_single, "|", 1, 1},
                                                     {"Softplus", read_single, "|", 1, 1},
                                                     {"Gelu", read_gelu, "|approximate|", 1, 1},
                                                     {"LeakyRelu", read_leaky, "|alpha|", 1, 1},
                                                     {"PRelu", read_leaky, "|", 2, 2},
                                                     {"Clip", read_clip, "|min|max|", 1, 3},
                                                     {0}};
