/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_recurrent.c - LSTM and GRU.
 *
 * ONNX: W (directions, G*H, I), R (directions, G*H, H), B (directions, 2*G*H), gates i, o, f, c of LSTM and z, r, h of GRU.
 * Ours: kernel (I, G*H), recurrent_kernel (H, G*H), bias (G*H), of GRU with reset_after (2, 3*H); gates i, f, c, o and z, r, h. */
#include <math.h>
#include <string.h>

#include "exchange/onnx_read_expression.h"

typedef struct cell {
  bool gru, both, after, batch_first;
  int64_t gates, units, inputs, directions;
  int tensor;
  am_onnx_axis t;
} cell;

static bool zero(am_onnx_reader *r, am_onnx_thing *x) {
  double value[AM_ONNX_PROBES];
  if (x->is != AM_ONNX_IS_KNOWN || !am_onnx_is_scalar(r, x->known, value)) return false;
  for (int p = 0; p < AM_ONNX_PROBES; p++)
    if (value[p] != 0) return false;
  return true;
}

static am_status check_activations(am_onnx_reader *r, const cell *c) {
  static const char *const wanted[] = {"Sigmoid", "Tanh", "Tanh"};
  const am_onnx_attribute *a = am_onnx_attribute_find(r->node, "activations");
  const size_t each = c->gru ? 2 : 3;
  for (size_t i = 0; a && a->kind == AM_ONNX_KIND_TEXTS && i < a->n; i++)
    if (strcmp(a->texts[i], wanted[i % each]) != 0)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                            "attribute activations holds %s; only Sigmoid for gates and Tanh for the "
                            "rest can be imported",
                            a->texts[i]);
  return AM_OK;
}

static am_status check_options(am_onnx_reader *r, am_onnx_thing **in, size_t n, cell *c) {
  const char *direction = am_onnx_attribute_text(r, "direction", "forward");
  c->both = !strcmp(direction, "bidirectional");
  if (!c->both && strcmp(direction, "forward") != 0)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute direction is %s; forward and bidirectional can be imported",
                          direction);
  if (am_onnx_attribute_find(r->node, "clip"))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute clip is set; only a layer without it can be imported");
  if (am_onnx_attribute_int(r, "input_forget", 0))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute input_forget is 1; only 0 can be imported");
  if (n > 4 && in[4]->is == AM_ONNX_IS_KNOWN) { /* of a clip alone, all of its frames */
    double value[AM_ONNX_PROBES];
    bool whole = am_onnx_is_scalar(r, in[4]->known, value);
    for (int p = 0; p < AM_ONNX_PROBES && whole; p++) whole = value[p] == (double)am_onnx_size(r, &c->t, p);
    if (!whole) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its sequence_lens are not the lengths of the clips");
  } else if (n > 4 && in[4]->is) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its sequence_lens depend on the clip");
  for (size_t i = 5; i < n && i < 7; i++)
    if (in[i]->is && !zero(r, in[i])) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it does not begin with states of 0");
  if (n > 7 && in[7]->is && !zero(r, in[7]))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it has peepholes, which cannot be imported");
  return check_activations(r, c);
}

/* Input (frames, batch, channels): the tensor as a sequence. */
static am_status read_input(am_onnx_reader *r, const am_onnx_thing *x, cell *c) {
  c->batch_first = am_onnx_attribute_int(r, "layout", 0) == 1;
  if (x->n_axes != 3) return am_onnx_refuse(r, AM_E_SHAPE, "its input has %d axes; wanted 3", x->n_axes);
  int tensor = am_onnx_settle(r, x);
  if (tensor < 0) return AM_E_UNSUPPORTED;
  c->t = x->axes[c->batch_first ? 1 : 0];
  if (!am_onnx_same_factors(r, &c->t, &r->made[tensor]->t) || r->made[tensor]->rank == 1)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it does not run along the frames");
  tensor = am_onnx_over(r, tensor, &x->axes[2], "its input");
  if (tensor >= 0) tensor = am_onnx_as_sequence(r, tensor);
  c->tensor = tensor;
  c->inputs = am_onnx_size(r, &x->axes[2], 0);
  return tensor < 0 ? AM_E_UNSUPPORTED : AM_OK;
}

static am_status check_weights(am_onnx_reader *r, am_onnx_thing **in, size_t n, cell *c) {
  c->gates = c->gru ? 3 : 4;
  c->directions = c->both ? 2 : 1;
  c->units = am_onnx_attribute_int(r, "hidden_size", 0);
  for (size_t i = 1; i < 3; i++) {
    if (i >= n || in[i]->is != AM_ONNX_IS_KNOWN || in[i]->known->rank != 3)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its weights are not constants of three axes");
    const int64_t *dims = in[i]->known->dims[0];
    if (!c->units) c->units = dims[1] / c->gates;
    if (c->units < 1 || c->units > 65536 || dims[0] != c->directions || dims[1] != c->gates * c->units ||
        dims[2] != (i == 1 ? c->inputs : c->units))
      return am_onnx_refuse(r, AM_E_SHAPE, "its weights are (%lld, %lld, %lld); wanted (%lld, %lld, %lld)",
                            (long long)dims[0], (long long)dims[1], (long long)dims[2], (long long)c->directions,
                            (long long)(c->gates * c->units), (long long)(i == 1 ? c->inputs : c->units));
  }
  if (n > 3 && in[3]->is &&
      (in[3]->is != AM_ONNX_IS_KNOWN || in[3]->known->count[0] != (size_t)(c->directions * 2 * c->gates * c->units)))
    return am_onnx_refuse(r, AM_E_SHAPE, "its bias does not have %lld numbers",
                          (long long)(c->directions * 2 * c->gates * c->units));
  return AM_OK;
}

/* Where gate g of ours is among those of ONNX. */
static int64_t gate_of(const cell *c, int64_t g) {
  static const int64_t lstm[4] = {0, 2, 3, 1};
  return c->gru ? g : lstm[g];
}

/* (G*H, width) to (width, G*H); `at`: which of theirs each of our inputs is, NULL: the same. */
static void turn(const cell *c, const float *from, int64_t width, const int64_t *at, float *to) {
  for (int64_t i = 0; i < width; i++)
    for (int64_t g = 0; g < c->gates; g++)
      for (int64_t h = 0; h < c->units; h++) *to++ = from[(gate_of(c, g) * c->units + h) * width + (at ? at[i] : i)];
}

static am_status put_weights(am_onnx_reader *r, am_onnx_thing **in, size_t n, const cell *c,
                             const am_onnx_axis *channels, am_onnx_step *s) {
  static const char *const names[2][3] = {{"kernel", "recurrent_kernel", "bias"},
                                          {"backward_kernel", "backward_recurrent_kernel", "backward_bias"}};
  const int64_t all = c->gates * c->units, *at = am_onnx_places(r, &r->made[c->tensor]->c, channels);
  const float *w = at ? am_onnx_floats_of(r, in[1]->known, "weights") : NULL;
  const float *u = w ? am_onnx_floats_of(r, in[2]->known, "recurrent weights") : NULL, *b = NULL;
  if (!u) return AM_E_UNSUPPORTED;
  const bool biased = n > 3 && in[3]->is;
  if (biased && !(b = am_onnx_floats_of(r, in[3]->known, "bias"))) return AM_E_UNSUPPORTED;
  for (int64_t d = 0; d < c->directions; d++) {
    float *to = am_onnx_step_array(r, s, names[d][0], false, 2, (int64_t[]){c->inputs, all});
    if (!to) return AM_E_NOMEM;
    turn(c, w + d * all * c->inputs, c->inputs, at, to);
    to = am_onnx_step_array(r, s, names[d][1], false, 2, (int64_t[]){c->units, all});
    if (!to) return AM_E_NOMEM;
    turn(c, u + d * all * c->units, c->units, NULL, to);
    const bool two = c->gru && c->after;
    to = am_onnx_step_array(r, s, names[d][2], false, two ? 2 : 1, two ? (int64_t[]){2, all} : (int64_t[]){all, 1});
    if (!to) return AM_E_NOMEM;
    for (int64_t i = 0; b && i < 2 * all; i++) {
      const int64_t k = i % all, from = gate_of(c, k / c->units) * c->units + k % c->units;
      to[two ? i : k] += b[d * 2 * all + i / all * all + from];
    }
  }
  return AM_OK;
}

/* The same layer that gives all frames, and that gives the last. */
static am_status make(am_onnx_reader *r, const am_onnx_step *like, const cell *c, bool last, const am_onnx_axis *dir,
                      const am_onnx_axis *hidden, am_onnx_step **out) {
  am_onnx_step *s = *out = am_onnx_step_new(r, c->gru ? "gru" : "lstm", c->tensor);
  if (!s) return AM_E_NOMEM;
  s->n_arrays = like->n_arrays;
  memcpy(s->arrays, like->arrays, sizeof s->arrays);
  s->name = like->name;
  am_status status = am_onnx_set(r, s, "units", am_value_int(r->tree, c->units));
  if (!status) status = am_onnx_set(r, s, "bidirectional", am_value_bool(r->tree, c->both));
  if (!status) status = am_onnx_set(r, s, "return", am_value_text(r->tree, last ? "last" : "sequence", false));
  if (!status && c->gru) status = am_onnx_set(r, s, "reset_after", am_value_bool(r->tree, c->after));
  am_onnx_made *made = status ? NULL : am_onnx_step_makes(r, s);
  if (!made) return status ? status : AM_E_NOMEM;
  made->c = *dir;
  am_onnx_axis_add(&made->c, hidden);
  made->both = c->both;
  if (last) {
    made->rank = 1;
    made->t = (am_onnx_axis){0};
  }
  return AM_OK;
}

static am_status read_recurrent(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  cell c = {.gru = !strcmp(r->node->op, "GRU")};
  am_onnx_step weights = {0}, *all, *last;
  am_onnx_axis dir, hidden;
  c.after = am_onnx_attribute_int(r, "linear_before_reset", 0) != 0;
  am_status status = read_input(r, in[0], &c);
  if (!status) status = check_options(r, in, n, &c);
  if (!status) status = check_weights(r, in, n, &c);
  if (!status) status = put_weights(r, in, n, &c, &in[0]->axes[2], &weights);
  if (status) return status;
  weights.by = r->node;
  am_onnx_step_named(r, &weights, r->node->inputs[1]);
  if (!am_onnx_axis_fixed(r, c.directions, &dir) || !am_onnx_axis_fixed(r, c.units, &hidden))
    return am_onnx_no_memory(r);
  status = make(r, &weights, &c, false, &dir, &hidden, &all);
  if (!status) status = make(r, &weights, &c, true, &dir, &hidden, &last);
  if (status) return status;
  r->made[all->out]->last = last->out;
  am_onnx_axis batch = in[0]->axes[c.batch_first ? 0 : 1];
  const am_onnx_axis y[2][4] = {{c.t, dir, batch, hidden}, {batch, c.t, dir, hidden}};
  const am_onnx_axis h[2][3] = {{dir, batch, hidden}, {batch, dir, hidden}};
  out[0] = (am_onnx_thing){.is = AM_ONNX_IS_CLIP, .n_axes = 4, .picked = -1};
  out[1] = (am_onnx_thing){.is = AM_ONNX_IS_CLIP, .n_axes = 3, .picked = -1};
  memcpy(out[0].axes, y[c.batch_first], sizeof y[0]);
  memcpy(out[1].axes, h[c.batch_first], sizeof h[0]);
  out[0].expression = am_onnx_expression_of(r, all->out);
  out[1].expression = am_onnx_expression_of(r, last->out);
  return out[0].expression < 0 || out[1].expression < 0 ? AM_E_NOMEM : AM_OK;
}

const am_onnx_operator am_onnx_recurrent_operators[] = {
    {"LSTM", read_recurrent,
     "|activation_alpha|activation_beta|activations|clip|direction|hidden_size|input_forget|layout|output_sequence|", 3,
     8},
    {"GRU", read_recurrent,
     "|activation_alpha|activation_beta|activations|clip|direction|hidden_size|layout|linear_before_reset|output_"
     "sequence|",
     3, 6},
    {0}};
