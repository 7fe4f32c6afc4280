/* SPDX-License-Identifier: MIT */
/* exchange/onnx_write_recurrent.c - LSTM, GRU and attention over frames as nodes of ONNX.
 *
 * ONNX's recurrent operators want (T,B,C) and lengths of at least 1, as int32; the second direction then begins at each clip's
 * last frame, and Y_h is the state after it, or before the first one. */
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "exchange/onnx_write.h"

typedef am_onnx_writer writer;
typedef am_onnx_step step;

/* A kind of cell: gate g of ONNX is gate from[g] of ours. */
typedef struct cell {
  const char *op;
  int gates, from[4];
  bool second_bias; /* ours has one of the recurrent product, too */
} cell;

/* (in, gates*H) of ours, of each direction, as (D, gates*H, in). */
static const char *kernels_of(writer *w, const cell *c, int first, int step_of, int directions, int64_t in, int64_t h,
                              const char *name) {
  const int64_t wide = c->gates * h, dims[3] = {directions, wide, in};
  float *all = am_onnx_room(w, am_mul(am_mul((size_t)directions, (size_t)wide), (size_t)in));
  for (int d = 0; all && d < directions; d++) {
    const am_real *from = am_onnx_weight(w, first + d * step_of);
    for (int g = 0; g < c->gates; g++)
      for (int64_t k = 0; k < h; k++)
        for (int64_t i = 0; i < in; i++)
          all[((d * wide) + g * h + k) * in + i] = (float)from[i * wide + c->from[g] * h + k];
  }
  return am_onnx_array_put(w, name, 3, dims, all);
}

/* (D, 2*gates*H): of the input, then of the recurrent product. */
static const char *biases_of(writer *w, const cell *c, int first, int step_of, int directions, int64_t h,
                             const char *name) {
  const int64_t wide = c->gates * h, dims[2] = {directions, 2 * wide};
  float *all = am_onnx_room(w, (size_t)(directions * 2 * wide));
  for (int d = 0; all && d < directions; d++) {
    const am_real *from = am_onnx_weight(w, first + d * step_of);
    for (int part = 0; part < (c->second_bias ? 2 : 1); part++)
      for (int g = 0; g < c->gates; g++)
        for (int64_t k = 0; k < h; k++)
          all[(d * 2 + part) * wide + g * h + k] = (float)from[part * wide + c->from[g] * h + k];
  }
  return am_onnx_array_put(w, name, 2, dims, all);
}

static const char *transpose(writer *w, const char *x, size_t n, const int64_t *order) {
  const char *y = am_onnx_call(w->m, "Transpose", x);
  am_onnx_set_ints(w->m, "perm", n, order);
  return y;
}

/* At least 1, int32. */
static const char *lengths_of(writer *w, const am_onnx_times *times) {
  if (!times) return "";
  const char *n = am_onnx_call(w->m, "Cast", am_onnx_call(w->m, "Max", times->lengths, am_onnx_k_int(w, 1)));
  am_onnx_set_int(w->m, "to", AM_ONNX_INT32);
  return n;
}

static void recurrent(writer *w, const step *s, const cell *c) {
  const int64_t h = am_onnx_option_int(w, "units"), levels = am_onnx_option_int(w, "layers");
  const int directions = am_onnx_option_yes(w, "bidirectional") ? 2 : 1;
  am_onnx_times *times = w->at[s->in[0]].times;
  const char *x = transpose(w, am_onnx_in(w, s->in[0], AM_ONNX_LAST, false), 3, (int64_t[]){1, 0, 2});
  const char *lengths = lengths_of(w, times), *out[2] = {"", ""};
  for (int64_t level = 0; level < levels; level++) {
    static const char *const part[] = {"kernel", "recurrent_kernel", "bias"};
    const char *a[3];
    char name[3][32];
    const int first = (int)(level * directions * 3);
    const int64_t in = level ? directions * h : s->layer->in[0].c;
    for (int k = 0; k < 3; k++) snprintf(name[k], sizeof name[k], level ? "%s_%d" : "%s", part[k], (int)level + 1);
    a[0] = kernels_of(w, c, first, 3, directions, in, h, name[0]);
    a[1] = kernels_of(w, c, first + 1, 3, directions, h, h, name[1]);
    a[2] = biases_of(w, c, first + 2, 3, directions, h, name[2]);
    am_onnx_node_many(w->m, c->op, (const char *const[]){x, a[0], a[1], a[2], lengths, NULL}, 2, out);
    am_onnx_set_int(w->m, "hidden_size", h);
    am_onnx_set_text(w->m, "direction", directions == 2 ? "bidirectional" : "forward");
    if (c->second_bias || !strcmp(c->op, "GRU")) am_onnx_set_int(w->m, "linear_before_reset", c->second_bias);
    if (level + 1 == levels) break;
    x = am_onnx_call(w->m, "Reshape", transpose(w, out[0], 4, (int64_t[]){0, 2, 1, 3}),
                     am_onnx_k(w, 0, 0, directions * h));
  }
  if (s->layer->out.rank == 1) { /* (D,B,H) */
    const char *y =
        am_onnx_call(w->m, "Reshape", transpose(w, out[1], 3, (int64_t[]){1, 0, 2}), am_onnx_k(w, 0, directions * h));
    if (times) y = am_onnx_call(w->m, "Where", am_onnx_some(w, times), y, am_onnx_k_float(w, 0));
    am_onnx_out(w, s->out, AM_ONNX_LAST, y, true);
    return;
  }
  /* (T,D,B,H) to (B,T,D*H) */
  const char *y = am_onnx_call(w->m, "Reshape", transpose(w, out[0], 4, (int64_t[]){2, 0, 1, 3}),
                               am_onnx_k(w, 0, 0, directions * h));
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, false);
}

/* ONNX: i o f c; ours: i f g o. */
void am_onnx_lstm(writer *w, const step *s) {
  recurrent(w, s, &(cell){.op = "LSTM", .gates = 4, .from = {0, 3, 1, 2}});
}

/* Both: z r n. */
void am_onnx_gru(writer *w, const step *s) {
  recurrent(w, s,
            &(cell){.op = "GRU", .gates = 3, .from = {0, 1, 2}, .second_bias = am_onnx_option_yes(w, "reset_after")});
}

/* sqrt of the mean of (x - mean)^2 under the attention (B,heads,T); mean (B,heads,C). */
static const char *deviations_of(writer *w, const char *x, const char *attention, const char *mean) {
  const char *apart = am_onnx_call(w->m, "Sub", am_onnx_call(w->m, "Unsqueeze", x, am_onnx_k(w, 1)),
                                   am_onnx_call(w->m, "Unsqueeze", mean, am_onnx_k(w, 2))); /* (B,heads,T,C) */
  const char *row = am_onnx_call(w->m, "Unsqueeze", attention, am_onnx_k(w, 2));            /* (B,heads,1,T) */
  const char *variance = am_onnx_call(
      w->m, "Squeeze", am_onnx_call(w->m, "MatMul", row, am_onnx_call(w->m, "Mul", apart, apart)), am_onnx_k(w, 2));
  return am_onnx_call(w->m, "Sqrt",
                      am_onnx_call(w->m, "Add", variance, am_onnx_k_float(w, am_onnx_option_real(w, "epsilon"))));
}

void am_onnx_attention(writer *w, const step *s) {
  am_onnx_times *times = w->at[s->in[0]].times;
  const bool hidden = am_onnx_option_int(w, "units") > 0;
  const char *x = am_onnx_in(w, s->in[0], AM_ONNX_LAST, true), *scored = x;
  if (hidden) {
    scored = am_onnx_call(w->m, "Add", am_onnx_call(w->m, "MatMul", x, am_onnx_weight_put(w, 0, NULL)),
                          am_onnx_weight_put(w, 1, NULL));
    scored = am_onnx_call(w->m, "Tanh", scored);
  }
  const char *score =
      am_onnx_call(w->m, "MatMul", scored, am_onnx_weight_put(w, hidden ? 2 : 0, NULL)); /* (B,T,heads) */
  if (times)
    score = am_onnx_call(w->m, "Where", am_onnx_mask(w, s->in[0], AM_ONNX_LAST), score, am_onnx_k_float(w, -FLT_MAX));
  const char *attention = am_onnx_call(w->m, "Softmax", transpose(w, score, 3, (int64_t[]){0, 2, 1}));
  am_onnx_set_int(w->m, "axis", -1);
  const char *y = am_onnx_call(w->m, "MatMul", attention, x); /* (B,heads,C) */
  const bool deviations = !strcmp(am_onnx_option(w, "statistics"), "mean_std");
  if (deviations) {
    y = am_onnx_call(w->m, "Concat", y, deviations_of(w, x, attention, y));
    am_onnx_set_int(w->m, "axis", 2);
  }
  y = am_onnx_call(w->m, "Flatten", y);
  if (times && deviations) y = am_onnx_call(w->m, "Where", am_onnx_some(w, times), y, am_onnx_k_float(w, 0));
  am_onnx_out(w, s->out, AM_ONNX_LAST, y, true);
}
