/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_axes.c - what the axes of the graph's tensors consist of (onnx_read.h). */
#include <string.h>

#include "exchange/onnx_read.h"

int am_onnx_factor_new(am_onnx_reader *r, const int64_t size[AM_ONNX_PROBES]) {
  if (am_grow(r->import->ctx, &r->factors, &r->room_factors, r->n_factors + 1, sizeof *r->factors, r->err)) return -1;
  am_onnx_factor *f = &r->factors[r->n_factors];
  *f = (am_onnx_factor){{0}, {0}};
  memcpy(f->size, size, sizeof f->size);
  return (int)r->n_factors++;
}

static bool all_equal(const int64_t *size, int64_t to) {
  for (int p = 0; p < AM_ONNX_PROBES; p++)
    if (size[p] != to) return false;
  return true;
}

bool am_onnx_axis_of(am_onnx_reader *r, const int64_t size[AM_ONNX_PROBES], am_onnx_axis *out) {
  *out = (am_onnx_axis){0};
  if (all_equal(size, 1)) return true;
  out->at[0] = am_onnx_factor_new(r, size);
  out->n = 1;
  return out->at[0] >= 0;
}

bool am_onnx_axis_fixed(am_onnx_reader *r, int64_t size, am_onnx_axis *out) {
  int64_t all[AM_ONNX_PROBES];
  for (int p = 0; p < AM_ONNX_PROBES; p++) all[p] = size;
  return am_onnx_axis_of(r, all, out);
}

void am_onnx_whole(const am_onnx_reader *r, am_onnx_axis *axis) {
  for (int i = 0; i < axis->n;) {
    const int *parts = r->factors[axis->at[i]].parts;
    if (!parts[0] || axis->n == AM_ONNX_FACTORS) {
      i++;
      continue;
    }
    memmove(&axis->at[i + 2], &axis->at[i + 1], (size_t)(axis->n - i - 1) * sizeof *axis->at);
    axis->at[i] = parts[0];
    axis->at[i + 1] = parts[1];
    axis->n++;
  }
}

int64_t am_onnx_size(const am_onnx_reader *r, const am_onnx_axis *axis, int probe) {
  int64_t size = 1; /* factors are of sizes below INT32_MAX, and their products of the model's */
  for (int i = 0; i < axis->n; i++)
    if (__builtin_mul_overflow(size, r->factors[axis->at[i]].size[probe], &size)) return INT64_MAX;
  return size;
}

bool am_onnx_axis_add(am_onnx_axis *axis, const am_onnx_axis *more) {
  if (axis->n + more->n > AM_ONNX_FACTORS) return false;
  memcpy(&axis->at[axis->n], more->at, (size_t)more->n * sizeof *axis->at);
  axis->n += more->n;
  return true;
}

bool am_onnx_has(const am_onnx_axis *axis, int factor) {
  for (int i = 0; i < axis->n; i++)
    if (axis->at[i] == factor) return true;
  return false;
}

bool am_onnx_within(am_onnx_reader *r, const am_onnx_axis *few, const am_onnx_axis *many) {
  am_onnx_axis a = *few, b = *many;
  am_onnx_whole(r, &a);
  am_onnx_whole(r, &b);
  for (int i = 0; i < a.n; i++)
    if (!am_onnx_has(&b, a.at[i])) return false;
  return true;
}

bool am_onnx_same_factors(am_onnx_reader *r, const am_onnx_axis *a, const am_onnx_axis *b) {
  return am_onnx_within(r, a, b) && am_onnx_within(r, b, a);
}

bool am_onnx_equal_sizes(am_onnx_reader *r, const am_onnx_axis *a, const am_onnx_axis *b) {
  for (int p = 0; p < AM_ONNX_PROBES; p++)
    if (am_onnx_size(r, a, p) != am_onnx_size(r, b, p)) return false;
  return true;
}

int64_t *am_onnx_places(am_onnx_reader *r, const am_onnx_axis *ours, const am_onnx_axis *theirs) {
  am_onnx_axis o = *ours, t = *theirs;
  am_onnx_whole(r, &o);
  am_onnx_whole(r, &t);
  int64_t step[AM_ONNX_FACTORS] = {0}, by = 1;
  for (int i = t.n - 1; i >= 0; i--) {
    for (int k = 0; k < o.n; k++)
      if (o.at[k] == t.at[i]) step[k] = by;
    by *= r->factors[t.at[i]].size[0];
  }
  const int64_t n = am_onnx_size(r, &o, 0);
  int64_t *at = n > INT32_MAX ? NULL : am_tree_take(r->tree, (size_t)n, sizeof *at);
  if (!at) {
    am_onnx_no_memory(r);
    return NULL;
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t rest = i;
    for (int k = o.n - 1; k >= 0; k--) {
      const int64_t size = r->factors[o.at[k]].size[0];
      at[i] += rest % size * step[k];
      rest /= size;
    }
  }
  return at;
}

/* ---- shapes that change ---- */

static void whole(am_onnx_reader *r, am_onnx_thing *x) {
  for (int i = 0; i < x->n_axes; i++) am_onnx_whole(r, &x->axes[i]);
}

/* Cuts a factor so that its outer (or inner) part has the size `wanted`. */
static bool cut_factor(am_onnx_reader *r, int factor, const int64_t *wanted, bool inner) {
  int64_t other[AM_ONNX_PROBES];
  const am_onnx_factor whole = r->factors[factor];
  if (factor == r->batch || whole.parts[0] || !all_equal(whole.size, whole.size[0])) return false;
  for (int p = 0; p < AM_ONNX_PROBES; p++) {
    if (wanted[p] < 1 || whole.size[p] % wanted[p]) return false;
    other[p] = whole.size[p] / wanted[p];
  }
  const int a = am_onnx_factor_new(r, inner ? other : wanted), b = am_onnx_factor_new(r, inner ? wanted : other);
  if (a < 0 || b < 0) return false;
  r->factors[factor].parts[0] = a;
  r->factors[factor].parts[1] = b;
  return true;
}

/* Factors of `all` that make up one axis of these sizes, from its front (or its end), taken out of it. */
static bool take_axis(am_onnx_reader *r, am_onnx_axis *all, const int64_t size[AM_ONNX_PROBES], bool end,
                      am_onnx_axis *out) {
  int64_t left[AM_ONNX_PROBES];
  memcpy(left, size, sizeof left);
  *out = (am_onnx_axis){0};
  while (!all_equal(left, 1)) {
    if (!all->n || out->n == AM_ONNX_FACTORS) return false;
    const int factor = all->at[end ? all->n - 1 : 0];
    const int64_t *here = r->factors[factor].size;
    bool fits = true;
    for (int p = 0; p < AM_ONNX_PROBES; p++) fits = fits && here[p] > 0 && left[p] % here[p] == 0;
    if (!fits) {
      if (all->n == AM_ONNX_FACTORS || !cut_factor(r, factor, left, end)) return false;
      am_onnx_whole(r, all);
      continue;
    }
    for (int p = 0; p < AM_ONNX_PROBES; p++) left[p] /= here[p];
    if (end) {
      memmove(&out->at[1], out->at, (size_t)out->n * sizeof *out->at);
      out->at[0] = factor;
    } else {
      out->at[out->n] = factor;
      memmove(all->at, &all->at[1], (size_t)(all->n - 1) * sizeof *all->at);
    }
    out->n++;
    all->n--;
  }
  return true;
}

am_status am_onnx_reshape(am_onnx_reader *r, am_onnx_thing *x, int rank, int64_t dims[][AM_ONNX_PROBES], int rest) {
  am_onnx_axis all = {0}, axes[AM_ONNX_RANK];
  bool good = rank <= AM_ONNX_RANK;
  whole(r, x);
  for (int i = 0; i < x->n_axes && good; i++) good = am_onnx_axis_add(&all, &x->axes[i]);
  for (int i = 0; i < rank && i != rest && good; i++) good = take_axis(r, &all, dims[i], false, &axes[i]);
  for (int i = rank - 1; rest >= 0 && i > rest && good; i--) good = take_axis(r, &all, dims[i], true, &axes[i]);
  if (good && rest >= 0) {
    axes[rest] = all;
    all.n = 0;
  }
  if (!good || all.n)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "it gives a shape that mixes or cuts frames, bins and channels; only shapes that put whole "
                          "axes together or take them apart again can be imported");
  memcpy(x->axes, axes, (size_t)rank * sizeof *axes);
  x->n_axes = rank;
  whole(r, x);
  return AM_OK;
}

/* An axis, and the zeros around it. */
static void move(const am_onnx_thing *from, int axis, am_onnx_thing *to, int place) {
  to->axes[place] = from->axes[axis];
  memmove(to->zeros[place], from->zeros[axis], sizeof to->zeros[place]);
}

am_status am_onnx_transpose(am_onnx_reader *r, am_onnx_thing *x, const int64_t *order, size_t n) {
  const am_onnx_thing from = *x;
  unsigned seen = 0;
  for (size_t i = 0; i < n && n == (size_t)x->n_axes; i++) {
    if (order[i] < 0 || order[i] >= x->n_axes || seen >> order[i] & 1) break;
    seen |= 1u << order[i];
  }
  if (n != (size_t)x->n_axes || seen != (1u << n) - 1)
    return am_onnx_refuse(r, AM_E_FORMAT, "attribute perm is no order of %d axes", x->n_axes);
  for (size_t i = 0; i < n; i++) move(&from, (int)order[i], x, (int)i);
  return AM_OK;
}

am_status am_onnx_squeeze(am_onnx_reader *r, am_onnx_thing *x, const int64_t *axes, size_t n) {
  unsigned out = 0;
  whole(r, x);
  for (size_t k = 0; k < n; k++) {
    const int i = am_onnx_axis_number(r, axes[k], x->n_axes);
    if (i < 0) return AM_E_FORMAT;
    const bool padded = x->is == AM_ONNX_IS_PADDED && (x->zeros[i][0] || x->zeros[i][1]);
    if (x->axes[i].n || padded)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "axis %d does not always have the size 1, so it cannot be left out",
                            i);
    out |= 1u << i;
  }
  int kept = 0;
  for (int i = 0; i < x->n_axes; i++)
    if (!(out >> i & 1)) move(x, i, x, kept++);
  x->n_axes = kept;
  return AM_OK;
}

am_status am_onnx_unsqueeze(am_onnx_reader *r, am_onnx_thing *x, const int64_t *axes, size_t n) {
  const int rank = x->n_axes + (int)n;
  am_onnx_thing made = {0};
  unsigned new = 0;
  if (n > AM_ONNX_RANK || rank > AM_ONNX_RANK)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it gives more than %d axes", AM_ONNX_RANK);
  for (size_t k = 0; k < n; k++) {
    const int i = am_onnx_axis_number(r, axes[k], rank);
    if (i < 0) return AM_E_FORMAT;
    new |= 1u << i;
  }
  int from = 0;
  for (int i = 0; i < rank; i++)
    if (!(new >> i & 1)) {
      if (from == x->n_axes) return am_onnx_refuse(r, AM_E_FORMAT, "an axis is named twice");
      move(x, from++, &made, i);
    }
  memcpy(x->axes, made.axes, sizeof made.axes);
  memcpy(x->zeros, made.zeros, sizeof made.zeros);
  x->n_axes = rank;
  return AM_OK;
}
