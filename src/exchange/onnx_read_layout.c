/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_layout.c - operators that move what comes from the clip, or take a part of it, and compute nothing. */
#include <string.h>

#include "exchange/onnx_read_expression.h"

static am_status read_same(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  (void)r, (void)n;
  *out = *in[0];
  return AM_OK;
}

static am_status read_cast(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  const int64_t to = am_onnx_attribute_int(r, "to", AM_ONNX_FLOAT);
  if (to != AM_ONNX_FLOAT && to != AM_ONNX_DOUBLE && to != AM_ONNX_FLOAT16 && to != AM_ONNX_BFLOAT16)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "it makes whole numbers of what comes from the clip (attribute to is %lld)", (long long)to);
  return read_same(r, in, n, out);
}

static am_status need_clip(am_onnx_reader *r, const am_onnx_thing *x) {
  if (x->is == AM_ONNX_IS_CLIP || x->is == AM_ONNX_IS_WEIGHTS || x->is == AM_ONNX_IS_WEIGHTED) return AM_OK;
  if (x->is == AM_ONNX_IS_PADDED) return am_onnx_alone(r, &(am_onnx_thing){.is = AM_ONNX_IS_PADDED});
  return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                        "its input are the states of several layers side by side; take one of them "
                        "by Gather or Slice");
}

/* Zeros around them go along where whole axes move. */
static am_status need_axes(am_onnx_reader *r, const am_onnx_thing *x) {
  return x->is == AM_ONNX_IS_PADDED ? AM_OK : need_clip(r, x);
}

static am_status read_reshape(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  int64_t dims[AM_ONNX_RANK][AM_ONNX_PROBES], plain[AM_ONNX_RANK];
  const int64_t *given;
  size_t rank = 0;
  int rest = -1;
  am_status status = need_clip(r, in[0]);
  if (status) return status;
  *out = *in[0];
  am_onnx_known *k = n > 1 && in[1]->is == AM_ONNX_IS_KNOWN ? in[1]->known : NULL;
  if (!k && !am_onnx_attribute_ints(r, "shape", &given, &rank))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its shape is not known before the clip is");
  if (k) rank = k->count[0];
  if (rank > AM_ONNX_RANK) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it gives more than %d axes", AM_ONNX_RANK);
  for (int p = 0; p < AM_ONNX_PROBES; p++) {
    const double *at = k ? am_onnx_numbers(r, k, p) : NULL;
    if (k && (!at || k->count[am_onnx_probe(k, p)] != rank))
      return at ? am_onnx_refuse(r, AM_E_FORMAT, "its shape cannot be") : AM_E_FORMAT;
    for (size_t i = 0; i < rank; i++) {
      plain[i] = k ? am_onnx_whole_of(at[i]) : given[i];
      if (!plain[i] && (int)i < in[0]->n_axes && !am_onnx_attribute_int(r, "allowzero", 0))
        plain[i] = am_onnx_size(r, &in[0]->axes[i], p);
      if (plain[i] == -1 && (rest < 0 || rest == (int)i)) rest = (int)i;
      else if (plain[i] < 1) return am_onnx_refuse(r, AM_E_FORMAT, "its shape cannot be");
      dims[i][p] = plain[i];
    }
  }
  return am_onnx_reshape(r, out, (int)rank, dims, rest);
}

static am_status read_flatten(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  (void)n;
  int64_t axis = am_onnx_attribute_int(r, "axis", 1);
  am_onnx_axis axes[2] = {{0}, {0}};
  am_status status = need_clip(r, in[0]);
  if (status) return status;
  if (axis < 0) axis += in[0]->n_axes;
  *out = *in[0];
  bool good = axis >= 0 && axis <= out->n_axes;
  for (int i = 0; i < out->n_axes && good; i++) good = am_onnx_axis_add(&axes[i >= axis], &out->axes[i]);
  if (!good) return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its axes cannot be put together");
  memcpy(out->axes, axes, sizeof axes);
  out->n_axes = 2;
  return AM_OK;
}

static am_status read_transpose(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  int64_t reversed[AM_ONNX_RANK];
  const int64_t *order;
  size_t count;
  (void)n;
  am_status status = need_axes(r, in[0]);
  if (status) return status;
  *out = *in[0];
  if (!am_onnx_attribute_ints(r, "perm", &order, &count)) {
    for (int i = 0; i < out->n_axes; i++) reversed[i] = out->n_axes - 1 - i;
    order = reversed;
    count = (size_t)out->n_axes;
  }
  return am_onnx_transpose(r, out, order, count);
}

static am_status read_squeeze(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  int64_t axes[AM_ONNX_RANK];
  size_t count;
  bool given;
  am_status status = need_axes(r, in[0]);
  if (!status) status = am_onnx_axes_of(r, in, n, 1, in[0]->n_axes, axes, &count, &given);
  if (status) return status;
  *out = *in[0];
  if (!given)
    for (int i = count = 0; i < out->n_axes; i++) {
      am_onnx_whole(r, &out->axes[i]);
      if (!out->axes[i].n) axes[count++] = i;
    }
  return am_onnx_squeeze(r, out, axes, count);
}

static am_status read_unsqueeze(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  int64_t axes[AM_ONNX_RANK];
  size_t count;
  bool given;
  am_status status = need_axes(r, in[0]);
  if (!status) status = am_onnx_axes_of(r, in, n, 1, 0, axes, &count, &given);
  if (status) return status;
  *out = *in[0];
  return am_onnx_unsqueeze(r, out, axes, count);
}

static am_status read_shape(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  (void)n;
  const am_onnx_thing *x = in[0];
  int64_t first = am_onnx_attribute_int(r, "start", 0), last = am_onnx_attribute_int(r, "end", x->n_axes);
  am_status status = need_clip(r, x);
  if (status) return status;
  if (first < 0) first += x->n_axes;
  if (last < 0) last += x->n_axes;
  first = first < 0 ? 0 : first > x->n_axes ? x->n_axes : first;
  last = last < first ? first : last > x->n_axes ? x->n_axes : last;
  const bool size = !strcmp(r->node->op, "Size");
  am_onnx_known *k = am_onnx_known_new(r, AM_KNOWN_INT, size ? 0 : 1, false);
  for (int p = 0; k && p < AM_ONNX_PROBES; p++) {
    if (!size) k->dims[p][0] = last - first;
    if (am_onnx_known_room(r, k, p)) return AM_E_UNSUPPORTED;
    if (size) k->at[p][0] = 1;
    for (int64_t i = first; i < last; i++)
      if (size) k->at[p][0] *= (double)am_onnx_size(r, &x->axes[i], p);
      else k->at[p][i - first] = (double)am_onnx_size(r, &x->axes[i], p);
  }
  if (!k) return AM_E_NOMEM;
  *out = (am_onnx_thing){.is = AM_ONNX_IS_KNOWN, .known = k};
  return AM_OK;
}

/* To the shape that it has already. */
static am_status read_expand(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  am_onnx_known *k = n > 1 && in[1]->is == AM_ONNX_IS_KNOWN ? in[1]->known : NULL;
  am_status status = need_clip(r, in[0]);
  if (status) return status;
  bool same = k != NULL;
  for (int p = 0; p < AM_ONNX_PROBES && same; p++) {
    const double *at = am_onnx_numbers(r, k, p);
    const int m = (int)k->count[am_onnx_probe(k, p)];
    if (!at) return AM_E_FORMAT;
    same = m <= in[0]->n_axes;
    for (int i = 0; i < m && same; i++)
      same = at[i] == 1 || at[i] == (double)am_onnx_size(r, &in[0]->axes[in[0]->n_axes - m + i], p);
  }
  *out = *in[0];
  return same ? AM_OK : am_onnx_refuse(r, AM_E_UNSUPPORTED, "it repeats what it is given along an axis");
}

/* ---- parts ---- */

typedef struct range {
  int axis;
  int64_t first[AM_ONNX_PROBES], n[AM_ONNX_PROBES]; /* along it */
  bool drop;                                        /* and the axis goes: one place of it */
} range;

static bool equal_all(const int64_t *a, int64_t b) {
  for (int p = 0; p < AM_ONNX_PROBES; p++)
    if (a[p] != b) return false;
  return true;
}

static void drop_axis(am_onnx_thing *x, int axis) {
  memmove(&x->axes[axis], &x->axes[axis + 1], (size_t)(x->n_axes - axis - 1) * sizeof *x->axes);
  x->n_axes--;
}

static am_status refuse_part(am_onnx_reader *r) {
  return am_onnx_refuse(
      r, AM_E_UNSUPPORTED,
      "it takes a part of an axis; only the last frame of an LSTM or GRU, one of its directions, bins "
      "of a map, channels of a sequence, and a half of the channels that is multiplied by the other "
      "(glu) can be taken");
}

/* The step that takes some bins of a map, or channels of a sequence; NULL: r->err. */
static am_onnx_step *add_bins(am_onnx_reader *r, int tensor, int64_t first, int64_t n) {
  am_onnx_step *s = am_onnx_step_new(r, "bins", tensor);
  const bool good = s && !am_onnx_set(r, s, "first", am_value_int(r->tree, first)) &&
                    !am_onnx_set(r, s, "count", am_value_int(r->tree, n)) && am_onnx_step_makes(r, s);
  return good ? s : NULL;
}

static am_status take_bins(am_onnx_reader *r, am_onnx_thing *x, const range *at, int tensor) {
  am_onnx_axis *axis = &x->axes[at->axis];
  if (r->made[tensor]->rank == 0 && am_onnx_same_factors(r, axis, &r->made[tensor]->f)) am_onnx_as_map(r, tensor);
  const am_onnx_made *made = r->made[tensor];
  am_onnx_axis ours = made->rank == 3 ? made->f : made->c;
  am_onnx_whole(r, &ours);
  bool good = made->rank > 1 && axis->n == ours.n && equal_all(at->n, at->n[0]) && equal_all(at->first, at->first[0]);
  for (int i = 0; i < axis->n && good; i++) good = axis->at[i] == ours.at[i];
  if (!good) return refuse_part(r);
  const am_onnx_step *s = add_bins(r, tensor, at->first[0], at->n[0]);
  am_onnx_made *y = s ? r->made[s->out] : NULL;
  if (!y || !am_onnx_axis_fixed(r, at->n[0], y->rank == 3 ? &y->f : &y->c)) return AM_E_NOMEM;
  *axis = y->rank == 3 ? y->f : y->c;
  x->expression = am_onnx_expression_of(r, s->out);
  return x->expression < 0 ? AM_E_NOMEM : AM_OK;
}

/* ---- halves of the channels ---- */

/* The outermost factor of the channels then is the two.  Whether a layer can have one of them is seen where it is read: by
 * itself (am_onnx_half), or multiplied by the other. */
static bool take_half(am_onnx_reader *r, am_onnx_thing *x, const range *at, int tensor) {
  am_onnx_axis *axis = &x->axes[at->axis], channels = r->made[tensor]->c;
  const int64_t n = am_onnx_size(r, axis, 0);
  int64_t two[2][AM_ONNX_PROBES];
  am_onnx_whole(r, &channels);
  bool good = r->made[tensor]->rank && n % 2 == 0 && equal_all(at->n, n / 2) && equal_all(at->first, at->first[0]) &&
              at->first[0] % (n / 2) == 0 && channels.n == axis->n && r->factors[axis->at[0]].size[0] % 2 == 0;
  for (int i = 0; i < axis->n && good; i++) good = channels.at[i] == axis->at[i];
  for (int p = 0; p < AM_ONNX_PROBES; p++) two[0][p] = 2, two[1][p] = n / 2;
  am_onnx_thing cut = {.is = AM_ONNX_IS_CLIP, .n_axes = 1, .axes = {*axis}};
  if (!good || am_onnx_reshape(r, &cut, 2, two, 1)) return false;
  x->picked = cut.axes[0].at[0];
  x->pick = (int)(at->first[0] / (n / 2));
  *axis = cut.axes[1];
  return true;
}

int am_onnx_half(am_onnx_reader *r, int tensor, int pick) {
  am_onnx_made *x = r->made[tensor];
  if (x->half[pick]) return x->half[pick];
  if (x->rank != 2) return refuse_part(r), -1;
  const int64_t n = am_onnx_size(r, &x->c, 0) / 2;
  const am_onnx_step *s = add_bins(r, tensor, pick * n, n);
  if (!s) return -1;
  am_onnx_axis channels = x->c;
  am_onnx_whole(r, &channels);
  r->made[s->out]->c = (am_onnx_axis){.n = channels.n - 1};
  memcpy(r->made[s->out]->c.at, &channels.at[1], (size_t)(channels.n - 1) * sizeof *channels.at);
  return x->half[pick] = s->out;
}

static am_status take_range(am_onnx_reader *r, am_onnx_thing *x, const range *at);

/* Of things side by side: one of them, or a part of one. */
static am_status take_part(am_onnx_reader *r, const am_onnx_thing *x, const range *at, am_onnx_thing *out) {
  int64_t before[AM_ONNX_PROBES] = {0};
  for (size_t i = 0; i < x->n_parts && at->axis == x->along; i++) {
    const am_onnx_thing *part = &x->parts[i];
    bool inside = true;
    range within = *at;
    for (int p = 0; p < AM_ONNX_PROBES; p++) {
      const int64_t size = am_onnx_size(r, &part->axes[x->along], p);
      within.first[p] = at->first[p] - before[p];
      inside = inside && within.first[p] >= 0 && at->n[p] <= size - within.first[p];
      before[p] += size;
    }
    if (!inside) continue;
    *out = *part;
    return take_range(r, out, &within);
  }
  return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                        "it takes a part of the states of several layers; only those of one layer can be "
                        "taken");
}

static am_status take_range(am_onnx_reader *r, am_onnx_thing *x, const range *at) {
  if (x->is == AM_ONNX_IS_PARTS) {
    const am_onnx_thing all = *x;
    return take_part(r, &all, at, x);
  }
  am_onnx_axis *axis = &x->axes[at->axis];
  bool whole = true;
  am_onnx_whole(r, axis);
  for (int p = 0; p < AM_ONNX_PROBES; p++) whole = whole && !at->first[p] && at->n[p] == am_onnx_size(r, axis, p);
  if (whole) {
    if (at->drop) drop_axis(x, at->axis);
    return AM_OK;
  }
  am_status status = x->is == AM_ONNX_IS_CLIP     ? AM_OK
                     : x->is == AM_ONNX_IS_PADDED ? am_onnx_alone(r, x)
                                                  : need_clip(r, &(am_onnx_thing){.is = AM_ONNX_IS_PARTS});
  if (status) return status;
  const am_onnx_expression *e = &r->expressions[x->expression];
  const am_onnx_made *made = r->made[e->tensor < 0 ? 0 : e->tensor];
  const bool recurrent = e->op == AM_E_TENSOR && made->last;
  if (recurrent && equal_all(at->n, 1) && axis->n && am_onnx_same_factors(r, axis, &made->t)) {
    bool last = true;
    for (int p = 0; p < AM_ONNX_PROBES; p++) last = last && at->first[p] == am_onnx_size(r, axis, p) - 1;
    if (last || equal_all(at->first, 0)) {
      x->frame = last ? AM_ONNX_FRAME_LAST : AM_ONNX_FRAME_FIRST;
      *axis = (am_onnx_axis){0};
      if (at->drop) drop_axis(x, at->axis);
      return AM_OK;
    }
  }
  /* one direction: the outermost factor of the channels */
  if (e->op == AM_E_TENSOR && made->both && axis->n && x->picked < 0 && axis->at[0] == made->c.at[0]) {
    const int64_t size = r->factors[axis->at[0]].size[0], each = am_onnx_size(r, axis, 0) / size;
    if (equal_all(at->n, each) && equal_all(at->first, at->first[0]) && at->first[0] % each == 0) {
      x->picked = axis->at[0];
      x->pick = (int)(at->first[0] / each);
      memmove(axis->at, &axis->at[1], (size_t)(axis->n - 1) * sizeof *axis->at);
      axis->n--;
      if (at->drop) drop_axis(x, at->axis);
      return AM_OK;
    }
  }
  const int tensor = am_onnx_settle(r, x);
  if (tensor < 0) return AM_E_UNSUPPORTED;
  x->frame = AM_ONNX_FRAMES_ALL;
  x->picked = -1;
  x->expression = am_onnx_expression_of(r, tensor);
  if (x->expression < 0) return AM_E_NOMEM;
  if (!axis->n || !take_half(r, x, at, tensor)) status = take_bins(r, x, at, tensor);
  if (!status && at->drop) drop_axis(x, at->axis);
  return status;
}

static am_status read_gather(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  range at = {.axis = am_onnx_axis_number(r, am_onnx_attribute_int(r, "axis", 0), in[0]->n_axes)};
  double index[AM_ONNX_PROBES];
  if (at.axis < 0) return AM_E_FORMAT;
  am_onnx_known *k = n > 1 && in[1]->is == AM_ONNX_IS_KNOWN ? in[1]->known : NULL;
  if (!k || k->rank > 1 || k->count[0] != 1 || !am_onnx_is_scalar(r, k, index))
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it does not take one known place of an axis");
  at.drop = !k->rank;
  *out = *in[0];
  for (int p = 0; p < AM_ONNX_PROBES; p++) {
    int64_t size = 0;
    if (out->is == AM_ONNX_IS_PARTS)
      for (size_t i = 0; i < out->n_parts; i++) size += am_onnx_size(r, &out->parts[i].axes[at.axis], p);
    else size = am_onnx_size(r, &out->axes[at.axis], p);
    at.first[p] = am_onnx_whole_of(index[p]);
    if (at.first[p] < 0) at.first[p] += size;
    if (at.first[p] < 0 || at.first[p] >= size)
      return am_onnx_refuse(r, AM_E_FORMAT, "its index %lld is not on the axis", (long long)index[p]);
    at.n[p] = 1;
  }
  return take_range(r, out, &at);
}

/* One number of a list at a probe; false: there is none. */
static bool number_at(am_onnx_reader *r, am_onnx_thing **in, size_t n, size_t input, const char *name, size_t i, int p,
                      int64_t *out) {
  const int64_t *ints;
  size_t count;
  if (name && am_onnx_attribute_ints(r, name, &ints, &count)) {
    *out = i < count ? ints[i] : 0;
    return i < count;
  }
  if (input >= n || in[input]->is != AM_ONNX_IS_KNOWN) return false;
  am_onnx_known *k = in[input]->known;
  const double *at = am_onnx_numbers(r, k, p);
  if (!at || i >= k->count[am_onnx_probe(k, p)]) return false;
  *out = am_onnx_whole_of(at[i]);
  return true;
}

static int64_t clamp(int64_t at, int64_t size) {
  if (at < 0) at += size;
  return at < 0 ? 0 : at > size ? size : at;
}

static am_status read_slice(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  *out = *in[0];
  int64_t first, last, axis, step;
  for (size_t i = 0; number_at(r, in, n, 1, "starts", i, 0, &first); i++) {
    range at = {.axis = -1};
    for (int p = 0; p < AM_ONNX_PROBES; p++) {
      if (!number_at(r, in, n, 1, "starts", i, p, &first) || !number_at(r, in, n, 2, "ends", i, p, &last))
        return am_onnx_refuse(r, AM_E_UNSUPPORTED, "what it takes is not known before the clip is");
      if (!number_at(r, in, n, 3, "axes", i, p, &axis)) axis = (int64_t)i;
      if (!number_at(r, in, n, 4, NULL, i, p, &step)) step = 1;
      if ((at.axis = am_onnx_axis_number(r, axis, out->n_axes)) < 0) return AM_E_FORMAT;
      if (step != 1)
        return am_onnx_refuse(r, AM_E_UNSUPPORTED, "its step is %lld; only 1 can be imported", (long long)step);
      int64_t size = 0;
      if (out->is == AM_ONNX_IS_PARTS && at.axis == out->along)
        for (size_t k = 0; k < out->n_parts; k++) size += am_onnx_size(r, &out->parts[k].axes[at.axis], p);
      else size = am_onnx_size(r, &out->axes[at.axis], p);
      at.first[p] = clamp(first, size);
      at.n[p] = clamp(last, size) - at.first[p];
      if (at.n[p] < 1) return am_onnx_refuse(r, AM_E_FORMAT, "it takes nothing");
    }
    am_status status = take_range(r, out, &at);
    if (status) return status;
  }
  return AM_OK;
}

/* Sizes of all parts, as attribute or as input; else equal parts, of which the last may be smaller. */
static am_status read_split(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  const size_t parts = r->node->n_outputs;
  range at = {.axis = am_onnx_axis_number(r, am_onnx_attribute_int(r, "axis", 0), in[0]->n_axes)};
  int64_t given;
  if (at.axis < 0) return AM_E_FORMAT;
  am_status status = in[0]->is == AM_ONNX_IS_PARTS ? need_clip(r, in[0]) : AM_OK;
  if (!status && (parts < 1 || parts > AM_ONNX_MOST_OUT))
    status =
        am_onnx_refuse(r, AM_E_UNSUPPORTED, "it has %zu outputs; 1 to %d can be imported", parts, AM_ONNX_MOST_OUT);
  const bool sizes = n > 1 && in[1]->is != AM_ONNX_IS_NOTHING;
  for (size_t i = 0; i < parts && !status; i++) {
    for (int p = 0; p < AM_ONNX_PROBES && !status; p++) {
      const int64_t size = am_onnx_size(r, &in[0]->axes[at.axis], p),
                    each = size / (int64_t)parts + (size % (int64_t)parts != 0);
      at.first[p] += i ? at.n[p] : 0;
      if (number_at(r, in, n, 1, "split", i, p, &given)) at.n[p] = given;
      else if (sizes) status = am_onnx_refuse(r, AM_E_UNSUPPORTED, "its sizes are not known before the clip is");
      else at.n[p] = each < size - at.first[p] ? each : size - at.first[p];
      if (!status && (at.n[p] < 1 || at.n[p] > size - at.first[p]))
        status = am_onnx_refuse(r, AM_E_FORMAT, "its parts are not those of an axis of %lld", (long long)size);
    }
    out[i] = *in[0];
    if (!status && *r->node->outputs[i]) status = take_range(r, &out[i], &at);
  }
  return status;
}

const am_onnx_operator am_onnx_shape_operators[] = {{"Reshape", read_reshape, "|shape|allowzero|", 1, 2},
                                                    {"Flatten", read_flatten, "|axis|", 1, 1},
                                                    {"Transpose", read_transpose, "|perm|", 1, 1},
                                                    {"Squeeze", read_squeeze, "|axes|", 1, 2},
                                                    {"Unsqueeze", read_unsqueeze, "|axes|", 1, 2},
                                                    {"Identity", read_same, "|", 1, 1},
                                                    {"Dropout", read_same, "|ratio|seed|", 1, 3},
                                                    {"Cast", read_cast, "|to|saturate|", 1, 1},
                                                    {"CastLike", read_same, "|saturate|", 1, 2},
                                                    {"Shape", read_shape, "|start|end|", 1, 1},
                                                    {"Size", read_shape, "|", 1, 1},
                                                    {"Expand", read_expand, "|", 1, 2},
                                                    {"Gather", read_gather, "|axis|", 1, 2},
                                                    {"Slice", read_slice, "|starts|ends|axes|", 1, 5},
                                                    {"Split", read_split, "|axis|num_outputs|split|", 1, 2},
                                                    {0}};
