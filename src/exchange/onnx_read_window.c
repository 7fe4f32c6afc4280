/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_window.c - Conv and pooling: windows that slide over frames and bins. */
#include <assert.h>
#include <string.h>

#include "exchange/onnx_read_expression.h"

/* One spatial axis of the node. */
typedef struct slide {
  int64_t size, stride, dilation, before, after;
  int64_t zeros[2];    /* of a Pad before the node, beside its own */
  int64_t lead, trail; /* taps of 0 before and after those of the kernel */
  char along;          /* t, f of our tensor; 0: the axis has one place */
  am_onnx_axis *axis;
  int64_t out[AM_ONNX_PROBES];
} slide;

typedef struct window {
  int n; /* spatial axes of the node */
  slide at[2];
  int tensor;
  slide *t, *f; /* those of our axes; NULL: there is none */
  bool zeros;   /* there was a Pad */
  const char *padding;
  int64_t pad[2];
} window;

static int64_t reach(const slide *s) { return (s->size - 1) * s->dilation + 1; }

static am_status list(am_onnx_reader *r, const char *name, int n, int64_t fallback, int64_t least, int64_t *out) {
  const int64_t *at;
  size_t count;
  for (int i = 0; i < n; i++) out[i] = fallback;
  if (!am_onnx_attribute_find(r->node, name)) return AM_OK;
  if (!am_onnx_attribute_ints(r, name, &at, &count) || count != (size_t)n)
    return am_onnx_refuse(r, AM_E_FORMAT, "attribute %s does not hold %d numbers", name, n);
  for (int i = 0; i < n; i++) {
    if (at[i] < least || at[i] > 65535)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute %s holds %lld; %lld to 65535 can be imported", name,
                            (long long)at[i], (long long)least);
    out[i] = at[i];
  }
  return AM_OK;
}

/* Zeros that `same` of ours puts before n inputs, and after them. */
static void same_pads(const slide *s, int64_t n, int64_t *before, int64_t *after) {
  const int64_t total = ((n + s->stride - 1) / s->stride - 1) * s->stride + reach(s) - n;
  *before = total > 0 ? total / 2 : 0;
  *after = total > 0 ? total - *before : 0;
}

static int64_t places(int64_t n, int64_t pads, const slide *s) {
  const int64_t room = n + pads - reach(s);
  return room < 0 ? 0 : room / s->stride + 1;
}

/* Where its axes lie in our tensor: (B, C, spatial...), which becomes a map or a sequence as they say. */
static am_status find_axes(am_onnx_reader *r, am_onnx_thing *x, window *w) {
  w->tensor = am_onnx_settle(r, x);
  if (w->tensor < 0) return AM_E_UNSUPPORTED;
  const am_onnx_made *made = r->made[w->tensor];
  w->n = x->n_axes - 2;
  if (w->n < 1 || w->n > 2)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its input has %d axes; 3 or 4 can be imported", x->n_axes);
  for (int i = 0; i < 2; i++)
    if (w->zeros && (x->zeros[i][0] || x->zeros[i][1]))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                            "zeros were put around its %s (Pad); only around frames and bins they can be "
                            "imported",
                            i ? "channels" : "clips");
  for (int i = 0; i < w->n; i++) {
    slide *s = &w->at[i];
    s->axis = &x->axes[i + 2];
    am_onnx_whole(r, s->axis);
    if (!s->axis->n) continue;
    s->along = am_onnx_same_factors(r, s->axis, &made->t) ? 't' : 'f';
    if (s->along == 'f' && !am_onnx_same_factors(r, s->axis, &made->f))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                            "its window runs along an axis that is neither frames nor bins of a map%s",
                            made->rank == 2 ? " (a sequence does not become a map again)" : "");
    if (s->along == 't') w->t = s;
    else w->f = s;
  }
  return AM_OK;
}

static am_status read_window(am_onnx_reader *r, am_onnx_thing *x, window *w, const int64_t *kernel) {
  int64_t sizes[2] = {0}, strides[2] = {0}, dilations[2] = {0}, pads[4] = {0};
  w->zeros = x->is == AM_ONNX_IS_PADDED;
  if (w->zeros) x->is = AM_ONNX_IS_CLIP;
  am_status status = find_axes(r, x, w);
  if (!status) status = list(r, "kernel_shape", w->n, 0, 1, sizes);
  if (!status) status = list(r, "strides", w->n, 1, 1, strides);
  if (!status) status = list(r, "dilations", w->n, 1, 1, dilations);
  if (!status) status = list(r, "pads", 2 * w->n, 0, 0, pads);
  for (int i = 0; i < w->n && !status; i++) {
    if (!sizes[i] && kernel) sizes[i] = kernel[i];
    if (sizes[i] < 1 || (kernel && kernel[i] != sizes[i]))
      status = am_onnx_refuse(r, AM_E_FORMAT, "attribute kernel_shape is not that of its weights");
    slide *s = &w->at[i];
    s->size = sizes[i];
    s->stride = strides[i];
    s->dilation = dilations[i];
    for (int k = 0; k < 2 && w->zeros; k++) s->zeros[k] = x->zeros[i + 2][k];
    s->before = pads[i] + s->zeros[0];
    s->after = pads[w->n + i] + s->zeros[1];
  }
  return status;
}

static am_status refuse_pads(am_onnx_reader *r, const window *w) {
  return am_onnx_refuse(
      r, AM_E_UNSUPPORTED,
      "attribute pads is [%lld, ...] before and [%lld, ...] after (with those of a Pad before it); only as "
      "much at both ends, padding like Keras's `same`, and of Conv all of a window but one before the frames, or one "
      "end with at most as many more as its kernel has taps, can be imported",
      (long long)w->at[0].before, (long long)w->at[0].after);
}

/* All before, so that nothing comes of later frames.  Of a map frequency would have to be padded as well. */
static bool is_causal(const window *w) { return w->t && !w->f && !w->t->after && w->t->before == reach(w->t) - 1; }

/* As much at both ends, where one end of a kernel gets taps of 0 instead: those of the last (or first) window lie on what is
 * padded too much.  They are at most as many as the kernel has. */
static am_status widen(am_onnx_reader *r, window *w) {
  for (int i = 0; i < w->n; i++) {
    slide *s = &w->at[i];
    const int64_t more = s->before - s->after, extra = (more < 0 ? -more : more) / s->dilation;
    if (!more || !s->along) continue;
    if (more % s->dilation || extra > s->size) return refuse_pads(r, w);
    *(more > 0 ? &s->trail : &s->lead) = extra;
  }
  for (int i = 0; i < w->n; i++)
    if (w->at[i].lead) w->at[i].before = w->at[i].after;
  w->padding = "explicit";
  return AM_OK;
}

/* Padding of the whole node in our words: valid, same, causal, or explicit with as much at both ends. */
static am_status choose_padding(am_onnx_reader *r, window *w, bool kernel) {
  const char *automatic = am_onnx_attribute_text(r, "auto_pad", "NOTSET");
  bool same = !strcmp(automatic, "SAME_UPPER"), valid = !strcmp(automatic, "VALID"), none = true, both = true,
       fits = true;
  if (!same && !valid && strcmp(automatic, "NOTSET") != 0)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute auto_pad is %s; NOTSET, VALID and SAME_UPPER can be imported",
                          automatic);
  for (int i = 0; i < w->n; i++) {
    slide *s = &w->at[i];
    if (valid) s->before = s->zeros[0], s->after = s->zeros[1];
    bool even = true, differs = false;
    for (int p = 1; p < AM_ONNX_PROBES; p++)
      differs = differs || (s->stride > 1 && am_onnx_size(r, s->axis, p) != am_onnx_size(r, s->axis, 0));
    for (int p = 0; p < AM_ONNX_PROBES; p++) {
      const int64_t n = am_onnx_size(r, s->axis, p);
      int64_t before, after;
      same_pads(s, n, &before, &after);
      if (same) s->before = before, s->after = after;
      /* By strides, what is `same`, and what at the end is out of reach of the last window, depend on the length. */
      fits = fits && before == s->before && after == s->after && (same || !differs);
      even = even &&
             (s->before == s->after || (!differs && places(n, s->before + s->after, s) == places(n, 2 * s->before, s)));
      s->out[p] = places(n, s->before + s->after, s);
      if (s->out[p] < 1)
        return am_onnx_refuse(r, AM_E_SHAPE, "its window reaches over %lld places, and a clip has %lld there",
                              (long long)reach(s), (long long)n);
    }
    none = none && !s->before && !s->after;
    both = both && even;
  }
  if (same && w->zeros)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute auto_pad is %s behind a Pad; wanted NOTSET or VALID",
                          automatic);
  w->padding = same ? "same" : none ? "valid" : both ? "explicit" : fits ? "same" : NULL;
  if (!w->padding && kernel && is_causal(w)) w->padding = "causal";
  return w->padding ? AM_OK : kernel ? widen(r, w) : refuse_pads(r, w);
}

/* A number of each slide along our axes: [t, f] of a map, t of a sequence. */
static int pair_of(const window *w, int rank, int64_t (*of)(const slide *), int64_t other, int64_t out[2]) {
  out[0] = w->t ? of(w->t) : other;
  out[1] = w->f ? of(w->f) : other;
  return rank == 3 ? 2 : 1;
}

static int64_t stride_of(const slide *s) { return s->stride; }
static int64_t size_of(const slide *s) { return s->lead + s->size + s->trail; }
static int64_t dilation_of(const slide *s) { return s->dilation; }
static int64_t before_of(const slide *s) { return s->before; }

static am_status set_window(am_onnx_reader *r, am_onnx_step *s, const window *w, int rank, bool pool) {
  int64_t pair[2];
  int n = pair_of(w, rank, size_of, 1, pair);
  am_status status = am_onnx_set_pair(r, s, pool ? "size" : "kernel", pair, n);
  pair_of(w, rank, stride_of, 1, pair);
  if (!status) status = am_onnx_set_pair(r, s, "stride", pair, n);
  pair_of(w, rank, dilation_of, 1, pair);
  if (!status && !pool) status = am_onnx_set_pair(r, s, "dilation", pair, n);
  if (!status) status = am_onnx_set(r, s, "padding", am_value_text(r->tree, w->padding, false));
  assert(w->padding);
  if (status || strcmp(w->padding, "explicit") != 0) return status;
  pair_of(w, rank, before_of, 0, pair);
  return am_onnx_set_pair(r, s, "pad", pair, n);
}

/* New frames and bins of what the step makes, and the axes of the thing. */
static am_status finish_window(am_onnx_reader *r, am_onnx_step *s, const window *w, am_onnx_thing *x) {
  am_onnx_made *y = am_onnx_step_makes(r, s);
  if (!y) return AM_E_NOMEM;
  for (int i = 0; i < w->n; i++) {
    const slide *at = &w->at[i];
    bool same = true;
    for (int p = 0; p < AM_ONNX_PROBES; p++) same = same && at->out[p] == am_onnx_size(r, at->axis, p);
    if (!same && !am_onnx_axis_of(r, at->out, at->axis)) return am_onnx_no_memory(r);
    if (at == w->t) y->t = *at->axis;
    if (at == w->f) y->f = *at->axis;
  }
  x->frame = AM_ONNX_FRAMES_ALL;
  x->picked = -1;
  x->expression = am_onnx_expression_of(r, s->out);
  return x->expression < 0 ? AM_E_NOMEM : AM_OK;
}

/* A map where both axes slide, or where the tensor is one; else a sequence. */
static am_status choose_rank(am_onnx_reader *r, window *w, const am_onnx_axis *channels, int *rank) {
  am_onnx_made *made = r->made[w->tensor];
  const bool all = am_onnx_same_factors(r, channels, &made->c);
  if (w->f || (made->rank == 3 && all && !made->f.n)) {
    am_onnx_as_map(r, w->tensor);
    *rank = made->rank;
    if (*rank == 3 && all) return AM_OK;
  } else {
    w->tensor = am_onnx_over(r, w->tensor, channels, "its window over the frames");
    if (w->tensor < 0) return AM_E_UNSUPPORTED;
    *rank = r->made[w->tensor]->rank;
    if (*rank == 1) return AM_OK;
    w->tensor = am_onnx_as_sequence(r, w->tensor);
    *rank = 2;
    return w->tensor < 0 ? AM_E_UNSUPPORTED : AM_OK;
  }
  return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its channels are not those of a map of frames and bins");
}

/* An axis of one place takes one tap of the kernel; this is its index, -1: more than one place comes out. */
static int64_t single_tap(const slide *s) {
  if (s->out[0] != 1 || s->before % s->dilation) return -1;
  return s->before / s->dilation < s->size ? s->before / s->dilation : -1;
}

/* ---- Conv ---- */

/* ONNX (O, I, spatial) to ours (kt, kf, I, O). */
static am_status turn_kernel(am_onnx_reader *r, const window *w, const am_onnx_thing *x, am_onnx_known *weights,
                             int rank, am_onnx_step *s) {
  const int64_t *dims = weights->dims[0];
  const int64_t kt = w->t ? size_of(w->t) : 1, kf = w->f ? size_of(w->f) : 1, I = dims[1], O = dims[0];
  const float *from = am_onnx_floats_of(r, weights, "weights");
  const int64_t *at = from ? am_onnx_places(r, &r->made[w->tensor]->c, &x->axes[1]) : NULL;
  if (!at) return AM_E_UNSUPPORTED;
  const int64_t map[4] = {kt, kf, I, O}, sequence[3] = {kt, I, O}, vector[2] = {I, O};
  float *to = am_onnx_step_array(r, s, "kernel", false,
                                 rank == 3   ? 4
                                 : rank == 2 ? 3
                                             : 2,
                                 rank == 3   ? map
                                 : rank == 2 ? sequence
                                             : vector);
  if (!to) return AM_E_NOMEM;
  for (int64_t t = 0; t < kt; t++)
    for (int64_t f = 0; f < kf; f++)
      for (int64_t i = 0; i < I; i++)
        for (int64_t o = 0; o < O; o++) {
          int64_t tap = 0;
          bool inside = true;
          for (int k = 0; k < w->n; k++) {
            const slide *one = &w->at[k];
            const int64_t here = one == w->t ? t - one->lead : one == w->f ? f - one->lead : single_tap(one);
            inside = inside && here >= 0 && here < one->size;
            tap = tap * one->size + here;
          }
          const int64_t taps = (w->n > 1 ? w->at[1].size : 1) * w->at[0].size;
          *to++ = inside ? from[(o * I + at[i]) * taps + tap] : 0;
        }
  return AM_OK;
}

static am_status add_bias(am_onnx_reader *r, am_onnx_step *s, am_onnx_thing *bias, int64_t n) {
  if (bias->is == AM_ONNX_IS_NOTHING) return AM_OK;
  if (bias->is != AM_ONNX_IS_KNOWN || bias->known->count[0] != (size_t)n)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its bias is not %lld constants", (long long)n);
  const float *from = am_onnx_floats_of(r, bias->known, "bias");
  float *to = from ? am_onnx_step_array(r, s, "bias", false, 1, &n) : NULL;
  if (!to) return AM_E_UNSUPPORTED;
  memcpy(to, from, (size_t)n * sizeof *to);
  return AM_OK;
}

static am_status read_conv(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  window w = {0};
  int rank;
  *out = *in[0];
  const int64_t group = am_onnx_attribute_int(r, "group", 1);
  if (group != 1)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute group is %lld; only 1 can be imported", (long long)group);
  if (n < 2 || in[1]->is != AM_ONNX_IS_KNOWN || in[1]->known->rank != in[0]->n_axes)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its weights are not constants of as many axes as its input");
  const int64_t *dims = in[1]->known->dims[0];
  am_status status = read_window(r, out, &w, &dims[2]);
  if (!status) status = choose_padding(r, &w, true);
  if (!status) status = choose_rank(r, &w, &out->axes[1], &rank);
  if (!status && rank == 3 && !strcmp(w.padding, "causal")) status = widen(r, &w); /* a map of one bin */
  if (status) return status;
  if (dims[0] < 1 || dims[1] != am_onnx_size(r, &out->axes[1], 0))
    return am_onnx_refuse(r, AM_E_SHAPE, "its weights want %lld channels, and its input has %lld", (long long)dims[1],
                          (long long)am_onnx_size(r, &out->axes[1], 0));
  for (int i = 0; i < w.n; i++)
    if (&w.at[i] != w.t && &w.at[i] != w.f && single_tap(&w.at[i]) < 0)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it makes several places of an axis that has one");
  am_onnx_step *s = am_onnx_step_new(r, rank == 3 ? "conv2d" : rank == 2 ? "conv1d" : "dense", w.tensor);
  if (!s) return AM_E_NOMEM;
  am_onnx_step_named(r, s, r->node->inputs[1]);
  status = am_onnx_set(r, s, rank == 1 ? "units" : "filters", am_value_int(r->tree, dims[0]));
  if (!status && rank > 1) status = set_window(r, s, &w, rank, false);
  if (!status) status = turn_kernel(r, &w, out, in[1]->known, rank, s);
  if (!status && n > 2) status = add_bias(r, s, in[2], dims[0]);
  if (!status) status = finish_window(r, s, &w, out);
  if (status) return status;
  if (!am_onnx_axis_fixed(r, dims[0], &r->made[s->out]->c)) return am_onnx_no_memory(r);
  out->axes[1] = r->made[s->out]->c;
  return AM_OK;
}

/* ---- pooling ---- */

/* Are its numbers 0 or more, so that zeros around it change no maximum?  Of what follows a relu, as far as this is seen. */
static bool never_negative(const am_onnx_reader *r, int tensor) {
  static const char *const keeps = "max_pool1d|max_pool2d|average_pool1d|average_pool2d|to_sequence|bins|dropout";
  while (r->made[tensor]->step >= 0) {
    const am_onnx_step *s = r->steps[r->made[tensor]->step];
    if (am_choice_index("relu|sigmoid|softmax", s->type) >= 0) return true;
    if (am_choice_index(keeps, s->type) < 0) return false;
    tensor = s->in[0];
  }
  return false;
}

/* What a Pad puts around a map takes part: in means always, and padding of the node itself only where it says so. */
static am_status check_zeros(am_onnx_reader *r, const window *w, bool max, bool *all) {
  bool own = false;
  for (int i = 0; i < w->n; i++) own = own || w->at[i].before > w->at[i].zeros[0] || w->at[i].after > w->at[i].zeros[1];
  if (max && !never_negative(r, w->tensor))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "zeros were put around its input (Pad), which are no part of our maxima; they "
                          "can only be imported behind a Relu");
  if (!max && own && !*all)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "zeros were put around its input (Pad), which count, and padding of its own, "
                          "which does not (count_include_pad 0)");
  *all = true;
  return AM_OK;
}

static am_status read_pool(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  const bool max = !strcmp(r->node->op, "MaxPool");
  window w = {0};
  int rank;
  (void)n;
  *out = *in[0];
  am_status status = read_window(r, out, &w, NULL);
  if (!status) status = choose_padding(r, &w, false);
  if (!status) status = choose_rank(r, &w, &out->axes[1], &rank);
  if (status) return status;
  const bool up = am_onnx_attribute_int(r, "ceil_mode", 0) != 0;
  bool all = am_onnx_attribute_int(r, "count_include_pad", 0);
  if (w.zeros && (status = check_zeros(r, &w, max, &all))) return status;
  for (int i = 0; i < w.n; i++) {
    const slide *s = &w.at[i];
    if (s->dilation != 1) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "attribute dilations is not 1");
    if (&w.at[i] != w.t && &w.at[i] != w.f && (s->out[0] != 1 || (s->size > 1 && all && !max)))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its window runs along an axis that has one place");
    for (int p = 0; p < AM_ONNX_PROBES && up; p++)
      if ((am_onnx_size(r, s->axis, p) + s->before + s->after - s->size) % s->stride)
        return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                              "attribute ceil_mode is 1 where windows do not fit; only whole windows "
                              "(0) can be imported");
  }
  if (rank == 1) return AM_OK; /* of single places nothing is pooled */
  am_onnx_step *s = am_onnx_step_new(r,
                                     rank == 3 ? max ? "max_pool2d" : "average_pool2d"
                                     : max     ? "max_pool1d"
                                               : "average_pool1d",
                                     w.tensor);
  if (!s) return AM_E_NOMEM;
  assert(w.padding); /* choose_padding has set it, or failed */
  status = set_window(r, s, &w, rank, true);
  if (!status && !max && all && strcmp(w.padding, "valid") != 0)
    status = am_onnx_set(r, s, "count_include_pad", am_value_bool(r->tree, true));
  return status ? status : finish_window(r, s, &w, out);
}

/* ---- Pad ---- */

static am_status check_pad(am_onnx_reader *r, am_onnx_thing **in, size_t n) {
  const char *mode = am_onnx_attribute_text(r, "mode", "constant");
  double value[AM_ONNX_PROBES] = {am_onnx_attribute_real(r, "value", 0)};
  if (strcmp(mode, "constant") != 0)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "attribute mode is %s; there is no layer that puts anything but zeros around frames and bins",
                          mode);
  const bool given = n > 2 && in[2]->is != AM_ONNX_IS_NOTHING;
  const bool known = !given || (in[2]->is == AM_ONNX_IS_KNOWN && am_onnx_is_scalar(r, in[2]->known, value));
  if (known && value[0] == 0) return AM_OK;
  return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it puts %s around frames and bins; only zeros can be imported",
                        known ? "another constant" : "what is not known before the clip is");
}

/* Zeros wait for the window that takes them. */
static am_status read_pad(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  int64_t pads[2 * AM_ONNX_RANK] = {0}, axes[AM_ONNX_RANK] = {0};
  const int64_t *given;
  size_t count = 0, n_axes = (size_t)in[0]->n_axes;
  *out = *in[0];
  am_status status = check_pad(r, in, n);
  if (!status && out->is != AM_ONNX_IS_PADDED) {
    status = am_onnx_alone(r, out);
    memset(out->zeros, 0, sizeof out->zeros);
  }
  if (status) return status;
  for (size_t i = 0; i < n_axes; i++) axes[i] = (int64_t)i;
  if (am_onnx_attribute_ints(r, "pads", &given, &count)) memcpy(pads, given, count * sizeof *pads);
  else if (n < 2 || in[1]->is != AM_ONNX_IS_KNOWN)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "how much it puts around is not known before the clip is");
  else if (!am_onnx_ints_of(r, in[1]->known, "pads", pads, 2 * AM_ONNX_RANK, &count)) return AM_E_UNSUPPORTED;
  if (n > 3 && in[3]->is == AM_ONNX_IS_KNOWN && !am_onnx_ints_of(r, in[3]->known, "axes", axes, AM_ONNX_RANK, &n_axes))
    return AM_E_UNSUPPORTED;
  if (count != 2 * n_axes) return am_onnx_refuse(r, AM_E_FORMAT, "it has %zu numbers for %zu axes", count, n_axes);
  for (size_t i = 0; i < count; i++) {
    const int axis = am_onnx_axis_number(r, axes[i % n_axes], out->n_axes);
    if (axis < 0) return AM_E_FORMAT;
    int64_t *zeros = &out->zeros[axis][i / n_axes];
    if (pads[i] < 0 || pads[i] > 65535 || (*zeros += pads[i]) > 65535)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it puts %lld places around an axis; 0 to 65535 can be imported",
                            (long long)pads[i]);
    if (*zeros) out->is = AM_ONNX_IS_PADDED;
  }
  return AM_OK;
}

const am_onnx_operator am_onnx_window_operators[] = {
    {"Conv", read_conv, "|auto_pad|dilations|group|kernel_shape|pads|strides|", 2, 3},
    {"MaxPool", read_pool, "|auto_pad|ceil_mode|dilations|kernel_shape|pads|storage_order|strides|", 1, 1},
    {"AveragePool", read_pool, "|auto_pad|ceil_mode|count_include_pad|dilations|kernel_shape|pads|strides|", 1, 1},
    {"Pad", read_pad, "|mode|pads|value|", 1, 4},
    {0}};
