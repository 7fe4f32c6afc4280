/* SPDX-License-Identifier: MIT */
/* nn/layers/window.c - see window.h. */
#include "nn/layers/window.h"

am_status am_window_pair(const am_layer *layer, const char *name, am_ints list, const int fallback[2], int other,
                         int out[2], am_error *err) {
  bool map = layer->in[0].rank == 3;
  if (list.n > (map ? 2u : 1u))
    return am_layer_fail(layer, err, AM_E_CONFIG, "%s holds %zu numbers: wanted %s", name, list.n,
                         map ? "one, or [time, frequency]" : "one, over time");
  out[0] = list.n ? (int)list.at[0] : fallback[0];
  out[1] = !map ? other : list.n ? (int)list.at[list.n - 1] : fallback[1];
  return AM_OK;
}

int am_window_frames(const am_window *w, int frames) {
  return am_window_length(frames, w->size[0], w->stride[0], w->dilation[0], w->padding, w->pad[0]);
}

static int bins_of(const am_window *w, int bins) {
  return am_window_length(bins, w->size[1], w->stride[1], w->dilation[1], w->padding, w->pad[1]);
}

am_status am_window_shape(const am_layer *layer, const am_window *w, int rank, am_shape *out, am_error *err) {
  am_shape in = layer->in[0];
  if (in.rank != rank)
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         rank == 3      ? "the input has rank %d: wanted a map (T,F,C) of rank 3"
                         : in.rank == 3 ? "the input is a map of rank %d: wanted a sequence (T,C); put to_sequence "
                                          "before it, or use the 2d layer"
                                        : "the input has rank %d: wanted a sequence (T,C) of rank 2",
                         in.rank);
  *out = in;
  out->t = am_window_frames(w, in.t);
  out->f = bins_of(w, in.f);
  for (int d = 0; d < rank - 1; d++) {
    if ((d ? out->f : out->t) > 0) continue;
    return am_layer_fail(layer, err, AM_E_SHAPE,
                         "its window reaches over %lld %s and the input has %d: make the window, its dilation or an "
                         "earlier stride smaller, or set padding to same",
                         (long long)(w->size[d] - 1) * w->dilation[d] + 1, d ? "bins" : "frames", d ? in.f : in.t);
  }
  return AM_OK;
}

am_conv am_window_clip(const am_window *w, am_shape in, int co, int frames) {
  return (am_conv){.ti = frames,
                   .fi = in.f,
                   .ci = in.c,
                   .to = am_window_frames(w, frames),
                   .fo = bins_of(w, in.f),
                   .co = co,
                   .kt = w->size[0],
                   .kf = w->size[1],
                   .st = w->stride[0],
                   .sf = w->stride[1],
                   .dt = w->dilation[0],
                   .df = w->dilation[1],
                   .pt = am_window_before(frames, w->size[0], w->stride[0], w->dilation[0], w->padding, w->pad[0]),
                   .pf = am_window_before(in.f, w->size[1], w->stride[1], w->dilation[1], w->padding, w->pad[1])};
}
