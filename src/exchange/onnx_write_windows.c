/* SPDX-License-Identifier: MIT */
/* exchange/onnx_write_windows.c - convolution and pooling as nodes of ONNX.
 *
 * Padding `same` is of each clip's own length.  With a stride above 1 it begins at another place in clips of other lengths: these
 * are moved by what they differ (`aligned`), and the windows are then laid without padding in time. */
#include <float.h>
#include <string.h>

#include "exchange/onnx_write.h"

typedef am_onnx_writer writer;
typedef am_onnx_step step;

/* [0] time, [1] frequency; of a sequence frequency is 1 wide. */
typedef struct window {
  bool map;
  am_padding padding;
  int64_t size[2], stride[2], dilation[2], pad[2];
  int64_t before[2], after[2]; /* as the operator gets it */
  bool moves;                  /* clips are moved in time (aligned) */
} window;

static int64_t reach(const window *v, int d) { return (v->size[d] - 1) * v->dilation[d] + 1; }

static window window_of(writer *w, const step *s, const char *size, const char *stride) {
  const am_shape in = s->layer->in[0], out = s->layer->out;
  window v = {.map = in.rank == 3, .dilation = {1, 1}};
  const char *word = am_onnx_option(w, "padding");
  v.padding = (am_padding)am_choice_index(AM_WORDS(AM_PADDINGS_IN_TIME), word);
  am_onnx_option_pair(w, size, NULL, v.size);
  am_onnx_option_pair(w, stride, size, v.stride);
  am_onnx_option_pair(w, "pad", NULL, v.pad);
  if (am_value_get(w->options, "dilation")) am_onnx_option_pair(w, "dilation", NULL, v.dilation);
  if (!v.map) v.size[1] = v.stride[1] = v.dilation[1] = 1, v.pad[1] = 0;
  const int64_t n[2] = {in.t, in.f}, m[2] = {out.t, out.f};
  for (int d = 0; d < 2; d++) {
    if (v.padding == AM_PAD_EXPLICIT) v.before[d] = v.after[d] = v.pad[d];
    if (v.padding == AM_PAD_CAUSAL) v.before[d] = reach(&v, d) - 1;
    if (v.padding != AM_PAD_SAME) continue;
    int64_t total = (m[d] - 1) * v.stride[d] + reach(&v, d) - n[d];
    if (total < 0) total = 0;
    v.before[d] = total / 2;
    v.after[d] = total - total / 2;
  }
  v.moves = v.padding == AM_PAD_SAME && v.stride[0] > 1 && w->at[s->in[0]].times && reach(&v, 0) > 1;
  /* with stride 1 the total is reach - 1, whatever the length; where a window of 1 strides, nothing is padded */
  if (v.padding == AM_PAD_SAME && w->at[s->in[0]].times) {
    v.before[0] = v.moves ? 0 : (reach(&v, 0) - 1) / 2;
    v.after[0] = v.moves ? 0 : reach(&v, 0) - 1 - v.before[0];
  }
  return v;
}

/* Lengths after the windows, of lengths (or of a single T). */
static const char *windows_in(writer *w, const window *v, const char *n) {
  const int64_t stride = v->stride[0], room = 2 * v->pad[0] * (v->padding == AM_PAD_EXPLICIT) - reach(v, 0);
  if (v->padding == AM_PAD_SAME || v->padding == AM_PAD_CAUSAL) {
    if (stride == 1) return n;
    return am_onnx_call(w->m, "Div", am_onnx_call(w->m, "Add", n, am_onnx_k_int(w, stride - 1)),
                        am_onnx_k_int(w, stride));
  }
  if (room == -1 && stride == 1) return n;
  const char *more = am_onnx_call(w->m, "Add", n, am_onnx_k_int(w, room + stride));
  const char *windows = am_onnx_call(w->m, "Max", more, am_onnx_k_int(w, 0));
  if (stride > 1) windows = am_onnx_call(w->m, "Div", windows, am_onnx_k_int(w, stride));
  if (room < 0) return windows;
  return am_onnx_call(w->m, "Where", am_onnx_call(w->m, "Greater", n, am_onnx_k_int(w, 0)), windows,
                      am_onnx_k_int(w, 0));
}

static void set_times(writer *w, const step *s, const window *v) {
  am_onnx_times *before = w->at[s->in[0]].times;
  if (!before) return;
  const char *lengths = windows_in(w, v, before->lengths);
  w->at[s->out].times = lengths == before->lengths ? before : am_onnx_times_new(w, lengths);
}

/* x (B,T,..), in which `value` stands past the lengths, each clip moved so that its first window begins at 0, for `windows`
 * windows, in the order of channels first. */
static const char *aligned(writer *w, const step *s, const window *v, const char *x, const char *value) {
  const am_onnx_times *times = w->at[s->in[0]].times;
  const int rank = s->layer->in[0].rank;
  const int64_t most = (reach(v, 0) - 1) / 2, stride = v->stride[0];
  int64_t pads[8] = {0};
  pads[1] = most;
  pads[rank + 2] = reach(v, 0) + stride;
  const char *extent = am_onnx_extent(w, x, 1);
  const char *padded = am_onnx_call(w->m, "Pad", x, am_onnx_k_ints(w, 2 * (size_t)rank + 2, pads), value);
  /* before = max(reach - 1 - (n - 1) mod stride, 0) / 2 */
  const char *rest = am_onnx_call(w->m, "Mod", am_onnx_call(w->m, "Sub", times->lengths, am_onnx_k_int(w, 1)),
                                  am_onnx_k_int(w, stride));
  const char *total = am_onnx_call(w->m, "Max", am_onnx_call(w->m, "Sub", am_onnx_k_int(w, reach(v, 0) - 1), rest),
                                   am_onnx_k_int(w, 0));
  const char *before = am_onnx_call(w->m, "Div", total, am_onnx_k_int(w, 2));
  const char *first = am_onnx_call(w->m, "Sub", am_onnx_k_int(w, most), before);
  /* frames in use: (windows - 1) stride + reach */
  const char *used = am_onnx_call(w->m, "Mul", windows_in(w, v, extent), am_onnx_k_int(w, stride));
  used = am_onnx_call(w->m, "Add", used, am_onnx_k_int(w, reach(v, 0) - stride));
  const char *range = am_onnx_call(w->m, "Range", am_onnx_k_int(w, 0), used, am_onnx_k_int(w, 1));
  const char *index = am_onnx_call(w->m, "Add", am_onnx_call(w->m, "Unsqueeze", range, am_onnx_k(w, 0)),
                                   am_onnx_call(w->m, "Unsqueeze", first, am_onnx_k(w, 1)));
  const char *moved = am_onnx_call(w->m, "GatherND", padded, am_onnx_call(w->m, "Unsqueeze", index, am_onnx_k(w, 2)));
  am_onnx_set_int(w->m, "batch_dims", 1);
  const char *turned = am_onnx_call(w->m, "Transpose", moved);
  am_onnx_set_ints(w->m, "perm", (size_t)rank + 1, rank == 3 ? (int64_t[]){0, 3, 1, 2} : (int64_t[]){0, 2, 1});
  return turned;
}

/* The input of an operator: (B,C,T,F), with zeros, or the lowest number, wherever a window meets no clip, but for `pads`. */
static const char *input_of(writer *w, const step *s, const window *v, bool lowest) {
  const bool within = v->padding == AM_PAD_VALID || v->padding == AM_PAD_CAUSAL || reach(v, 0) < 2;
  if (!w->at[s->in[0]].times || within) return am_onnx_in(w, s->in[0], AM_ONNX_FIRST, false);
  const am_onnx_order order = v->moves ? AM_ONNX_LAST : AM_ONNX_FIRST;
  const char *value = lowest || v->moves ? am_onnx_k_float(w, lowest ? -FLT_MAX : 0) : NULL;
  const char *x = lowest ? am_onnx_fill(w, s->in[0], order, value) : am_onnx_in(w, s->in[0], order, true);
  return v->moves ? aligned(w, s, v, x, value) : x;
}

static void set_window(writer *w, const window *v) {
  const size_t n = v->map ? 2 : 1;
  am_onnx_set_ints(w->m, "kernel_shape", n, v->size);
  am_onnx_set_ints(w->m, "strides", n, v->stride);
  if (v->dilation[0] > 1 || v->dilation[1] > 1) am_onnx_set_ints(w->m, "dilations", n, v->dilation);
  const int64_t pads[4] = {v->before[0], v->map ? v->before[1] : v->after[0], v->after[0], v->after[1]};
  if (pads[0] || pads[1] || pads[2] || pads[3]) am_onnx_set_ints(w->m, "pads", 2 * n, pads);
}

void am_onnx_conv(writer *w, const step *s) {
  const window v = window_of(w, s, "kernel", "stride");
  const char *x = input_of(w, s, &v, false);
  const char *kernel = am_onnx_weight_put(w, 0, v.map ? (int[]){3, 2, 0, 1} : (int[]){2, 1, 0});
  const char *y =
      am_onnx_call(w->m, "Conv", x, kernel, s->layer->n_weights > 1 ? am_onnx_weight_put(w, 1, NULL) : NULL);
  set_window(w, &v);
  set_times(w, s, &v);
  am_onnx_out(w, s->out, AM_ONNX_FIRST, y, false);
}

void am_onnx_max_pool(writer *w, const step *s) {
  const window v = window_of(w, s, "size", "stride");
  const char *x = input_of(w, s, &v, true);
  const char *y = am_onnx_call(w->m, "MaxPool", x);
  set_window(w, &v);
  set_times(w, s, &v);
  am_onnx_out(w, s->out, AM_ONNX_FIRST, y, false);
}

/* The part of each window that is inside, of 0 to m windows of n elements: of one clip length, or of bins. */
static const char *parts_inside(writer *w, const step *s, const window *v, int d) {
  const am_shape in = s->layer->in[0], out = s->layer->out;
  const int64_t n = d ? in.f : in.t, m = d ? out.f : out.t;
  float *part = am_onnx_room(w, (size_t)m);
  for (int64_t i = 0; part && i < m; i++) {
    int64_t from = i * v->stride[d] - v->before[d], to = from + v->size[d];
    from = from < 0 ? 0 : from;
    to = to > n ? n : to;
    part[i] = (float)(to - from) / (float)v->size[d];
  }
  const int64_t dims[4] = {1, 1, d ? 1 : m, v->map ? d ? m : 1 : 1};
  return am_onnx_array_put(w, d ? "bins_inside" : "frames_inside", v->map ? 4 : 3, dims, part);
}

/* The same in time where clips differ: the mean of the mask. */
static const char *frames_inside(writer *w, const step *s, const window *v) {
  const char *mask = am_onnx_call(w->m, "Cast", am_onnx_mask(w, s->in[0], v->moves ? AM_ONNX_LAST : AM_ONNX_FIRST));
  am_onnx_set_int(w->m, "to", AM_ONNX_FLOAT);
  if (v->moves) mask = aligned(w, s, v, mask, am_onnx_k_float(w, 0));
  const char *part = am_onnx_call(w->m, "AveragePool", mask);
  window time = *v;
  time.size[1] = time.stride[1] = 1;
  time.before[1] = time.after[1] = 0;
  set_window(w, &time);
  am_onnx_set_int(w->m, "count_include_pad", 1);
  return am_onnx_call(w->m, "Max", part, am_onnx_k_float(w, 1e-6)); /* of a window without a frame nobody reads */
}

/* The mean with zeros counted, over the part of the window that is inside. */
void am_onnx_average_pool(writer *w, const step *s) {
  const window v = window_of(w, s, "size", "stride");
  const bool all = am_onnx_option_yes(w, "count_include_pad"), variable = w->at[s->in[0]].times != NULL;
  const char *x = input_of(w, s, &v, false);
  const char *y = am_onnx_call(w->m, "AveragePool", x);
  set_window(w, &v);
  am_onnx_set_int(w->m, "count_include_pad", 1);
  if (v.padding != AM_PAD_VALID && !all) {
    if (reach(&v, 0) > 1)
      y = am_onnx_call(w->m, "Div", y, variable ? frames_inside(w, s, &v) : parts_inside(w, s, &v, 0));
    if (v.before[1] || v.after[1]) y = am_onnx_call(w->m, "Div", y, parts_inside(w, s, &v, 1));
  }
  set_times(w, s, &v);
  am_onnx_out(w, s->out, AM_ONNX_FIRST, y, false);
}
