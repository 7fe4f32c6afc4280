/* SPDX-License-Identifier: MIT */
/* exchange/onnx_read_join.c - operators that bring two tensors together. */
#include <math.h>
#include <string.h>

#include "exchange/onnx_read_expression.h"

/* ---- a thing as a tensor ---- */

/* The recurrent layer that gives its last frame alone, of one that gives all. */
static int last_of(const am_onnx_reader *r, int tensor) { return r->made[tensor]->last; }

static am_status refuse_thing(am_onnx_reader *r, const am_onnx_thing *x) {
  static const char *const words[] = {
      [AM_ONNX_IS_NOTHING] = "its input is left out",
      [AM_ONNX_IS_KNOWN] = "its input does not depend on the clip",
      [AM_ONNX_IS_WEIGHTS] =
          "softmax over the frames was applied to its input; such "
          "weights are only imported for attention over frames",
      [AM_ONNX_IS_WEIGHTED] = "its input are frames times weights; only their sum over the frames is imported",
      [AM_ONNX_IS_PARTS] =
          "its input are the states of several layers side by side; "
          "only one of them can be used at a time",
      [AM_ONNX_IS_PADDED] = "zeros were put around its input (Pad), which only Conv and pooling right behind can take"};
  return am_onnx_refuse(r, AM_E_UNSUPPORTED, "%s", words[x->is]);
}

static bool has_both(const am_onnx_reader *r, const am_onnx_thing *x) {
  return r->made[r->expressions[x->expression].tensor]->both;
}

/* One half of the channels, or the sigmoid of it, as an expression over a tensor of its own. */
static int half_of(am_onnx_reader *r, const am_onnx_thing *x) {
  const am_onnx_expression e = r->expressions[x->expression];
  am_onnx_thing all = *x;
  all.picked = -1;
  if (e.op == AM_E_SIGMOID) all.expression = e.a;
  const int whole = am_onnx_settle(r, &all), half = whole < 0 ? -1 : am_onnx_half(r, whole, x->pick);
  const int own = half < 0 ? -1 : am_onnx_expression_of(r, half);
  return own < 0 || e.op != AM_E_SIGMOID ? own : am_onnx_combine(r, AM_E_SIGMOID, own, -1);
}

int am_onnx_settle(am_onnx_reader *r, const am_onnx_thing *x) {
  if (x->is != AM_ONNX_IS_CLIP) return refuse_thing(r, x), -1;
  if (x->picked >= 0 && !has_both(r, x)) {
    const int half = half_of(r, x);
    return half < 0 ? -1 : am_onnx_settle_expression(r, half);
  }
  if (x->picked >= 0) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED, "it takes one of two directions; both, side by side, can be imported");
    return -1;
  }
  if (x->frame == AM_ONNX_FRAMES_ALL) return am_onnx_settle_expression(r, x->expression);
  const int tensor = r->expressions[x->expression].tensor, last = last_of(r, tensor);
  if (x->frame == AM_ONNX_FRAME_LAST && last && r->expressions[x->expression].op == AM_E_TENSOR &&
      !r->made[tensor]->both)
    return last;
  am_onnx_refuse(r, AM_E_UNSUPPORTED,
                 "it takes one frame of the clip; only the last one of an LSTM or GRU of one direction, or the last "
                 "states of both directions, can be imported");
  return -1;
}

/* ---- forms: how the axes of a thing lie in our tensor ---- */

typedef struct form {
  int n;
  struct {
    char letter; /* t, f, c */
    int index;
    int64_t size[AM_ONNX_PROBES];
  } at[AM_ONNX_FACTORS];
} form;

static bool find_in(const am_onnx_reader *r, const am_onnx_axis *list, int factor, int *index) {
  am_onnx_axis all = *list;
  am_onnx_whole(r, &all);
  for (*index = 0; *index < all.n; ++*index)
    if (all.at[*index] == factor) return true;
  return false;
}

static bool form_of(const am_onnx_reader *r, int tensor, const am_onnx_axis *axis, form *out) {
  const am_onnx_made *x = r->made[tensor];
  am_onnx_axis all = *axis;
  am_onnx_whole(r, &all);
  out->n = 0;
  for (int i = 0; i < all.n; i++) {
    if (all.at[i] == r->batch) continue;
    int index;
    const char letter = find_in(r, &x->t, all.at[i], &index)   ? 't'
                        : find_in(r, &x->f, all.at[i], &index) ? 'f'
                        : find_in(r, &x->c, all.at[i], &index) ? 'c'
                                                               : 0;
    if (!letter) return false;
    out->at[out->n].letter = letter;
    out->at[out->n].index = index;
    memcpy(out->at[out->n++].size, r->factors[all.at[i]].size, sizeof out->at[0].size);
  }
  return true;
}

static bool same_form(const form *a, const form *b) {
  bool same = a->n == b->n;
  for (int i = 0; i < a->n && same; i++)
    same = a->at[i].letter == b->at[i].letter && a->at[i].index == b->at[i].index &&
           !memcmp(a->at[i].size, b->at[i].size, sizeof a->at[i].size);
  return same;
}

/* Do the axis of a and that of b run over the same of our axes, in the same order? */
static bool same_axis(am_onnx_reader *r, int a, const am_onnx_axis *x, int b, const am_onnx_axis *y) {
  form f, g;
  if (!am_onnx_equal_sizes(r, x, y) || !form_of(r, a, x, &f) || !form_of(r, b, y, &g)) return false;
  if (same_form(&f, &g)) return true;
  /* cut in other parts, but each whole and in order */
  for (int i = 1; i < f.n; i++)
    if (f.at[i].letter != f.at[0].letter || f.at[i].index != f.at[i - 1].index + 1) return false;
  for (int i = 1; i < g.n; i++)
    if (g.at[i].letter != g.at[0].letter || g.at[i].index != g.at[i - 1].index + 1) return false;
  return f.n && g.n && f.at[0].letter == g.at[0].letter && !f.at[0].index && !g.at[0].index;
}

/* Both as sequences where one of them is. */
static bool same_rank(am_onnx_reader *r, int *a, int *b) {
  if (r->made[*a]->rank == r->made[*b]->rank && r->made[*a]->rank) return true;
  if (r->made[*a]->rank == 1 || r->made[*b]->rank == 1) return false;
  *a = am_onnx_as_sequence(r, *a);
  *b = *a < 0 ? -1 : am_onnx_as_sequence(r, *b);
  return *b >= 0;
}

/* ---- two tensors ---- */

int am_onnx_join_add(am_onnx_reader *r, int a, int b) {
  if (!same_rank(r, &a, &b)) {
    if (a >= 0 && b >= 0) am_onnx_refuse(r, AM_E_UNSUPPORTED, "it adds a vector and frames");
    return -1;
  }
  am_onnx_step *s = am_onnx_step_new(r, "add", a);
  if (!s) return -1;
  s->in[s->n_in++] = b;
  return am_onnx_step_makes(r, s) ? s->out : -1;
}

/* x times a number for each of its channels. */
static int join_scale(am_onnx_reader *r, int x, int gate) {
  if (r->made[x]->rank == 1) {
    const int other = x;
    x = gate;
    gate = other;
  }
  if (r->made[x]->rank < 2 || r->made[gate]->rank != 1 || !am_onnx_equal_sizes(r, &r->made[x]->c, &r->made[gate]->c)) {
    am_onnx_refuse(r, AM_E_UNSUPPORTED,
                   "it multiplies two results; only a map or sequence times a gate for each of its channels "
                   "(squeeze_excite), and attention over frames, can be imported");
    return -1;
  }
  am_onnx_step *s = am_onnx_step_new(r, "scale", x);
  if (!s) return -1;
  s->in[s->n_in++] = gate;
  return am_onnx_step_makes(r, s) ? s->out : -1;
}

/* The tensor of both directions, or halves: all of its frames, or the states that both directions end in; -1: neither. */
static int both_of(const am_onnx_reader *r, const am_onnx_thing *first, const am_onnx_thing *second) {
  const int tensor = r->expressions[first->expression].tensor, last = last_of(r, tensor);
  if (!first->frame && !second->frame) return tensor;
  const bool ends = first->frame == AM_ONNX_FRAME_LAST && second->frame == AM_ONNX_FRAME_FIRST;
  return ends && has_both(r, first) && last ? last : -1; /* the second direction ends in the first frame */
}

/* Both halves of the channels of a tensor, or both directions, the second one through a sigmoid or not; 0: they are not. */
static int join_halves(am_onnx_reader *r, const am_onnx_thing *a, const am_onnx_thing *b) {
  if (a->picked < 0 || a->picked != b->picked || a->pick == b->pick) return 0;
  const am_onnx_thing *first = a->pick ? b : a, *second = a->pick ? a : b;
  const am_onnx_expression *x = &r->expressions[first->expression], *gate = &r->expressions[second->expression];
  const bool gated = gate->op == AM_E_SIGMOID && r->expressions[gate->a].op == AM_E_TENSOR;
  if (x->op != AM_E_TENSOR || x->tensor != gate->tensor || (!gated && gate->op != AM_E_TENSOR)) return 0;
  const int tensor = both_of(r, first, second);
  if (tensor < 0) return 0;
  for (int i = 0; i < a->n_axes; i++)
    if (!same_axis(r, tensor, &a->axes[i], tensor, &b->axes[i])) return 0;
  am_onnx_step *s = am_onnx_step_new(r, "glu", tensor);
  if (!s || (!gated && am_onnx_set(r, s, "gate", am_value_text(r->tree, "none", false)))) return -1;
  am_onnx_made *made = am_onnx_step_makes(r, s);
  if (!made) return -1;
  am_onnx_whole(r, &made->c);
  made->c.n--;
  memmove(made->c.at, &made->c.at[1], (size_t)made->c.n * sizeof *made->c.at);
  return s->out;
}

/* The axes of a and b, the shorter one filled up in front. */
static am_status align(am_onnx_reader *r, am_onnx_thing *a, int rank) {
  const int64_t front[AM_ONNX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
  return a->n_axes >= rank ? AM_OK : am_onnx_unsqueeze(r, a, front, (size_t)(rank - a->n_axes));
}

static am_status result(am_onnx_reader *r, int tensor, const am_onnx_thing *like, am_onnx_thing *out) {
  if (tensor < 0) return AM_E_UNSUPPORTED;
  *out = *like;
  out->is = AM_ONNX_IS_CLIP;
  out->frame = AM_ONNX_FRAMES_ALL;
  out->picked = -1;
  out->expression = am_onnx_expression_of(r, tensor);
  return out->expression < 0 ? AM_E_NOMEM : AM_OK;
}

am_status am_onnx_alone(am_onnx_reader *r, am_onnx_thing *x) {
  if (x->is != AM_ONNX_IS_CLIP) return refuse_thing(r, x);
  if (!x->frame && x->picked < 0) return AM_OK;
  if (x->picked < 0 || has_both(r, x)) return result(r, am_onnx_settle(r, x), x, x);
  x->expression = half_of(r, x);
  x->frame = AM_ONNX_FRAMES_ALL;
  x->picked = -1;
  return x->expression < 0 ? AM_E_UNSUPPORTED : AM_OK;
}

static int op_of(const char *name) {
  static const char *const names[] = {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"};
  if (!strcmp(name, "Sum")) return AM_E_ADD;
  for (int i = 0; i < 7; i++)
    if (!strcmp(names[i], name)) return AM_E_ADD + i;
  return -1;
}

/* One of the two is reduced, or both run along the same. */
static bool same_places(am_onnx_reader *r, const am_onnx_thing *a, const am_onnx_thing *b) {
  for (int i = 0; i < a->n_axes; i++)
    if (a->axes[i].n && b->axes[i].n && !am_onnx_same_factors(r, &a->axes[i], &b->axes[i])) return false;
  return true;
}

/* Attention: frames times their weights. */
static am_status weigh(am_onnx_reader *r, const am_onnx_thing *weights, const am_onnx_thing *x, am_onnx_thing *out) {
  const int frames = am_onnx_settle(r, x), tensor = frames < 0 ? -1 : am_onnx_as_sequence(r, frames);
  if (tensor < 0) return AM_E_UNSUPPORTED;
  *out = *x;
  out->is = AM_ONNX_IS_WEIGHTED;
  out->frame = AM_ONNX_FRAMES_ALL;
  out->picked = -1;
  out->scores = weights->scores;
  out->frames = tensor;
  bool good = r->made[weights->scores]->c.n == 0; /* one head */
  for (int i = 0; i < x->n_axes; i++)
    good = good && (!weights->axes[i].n || am_onnx_equal_sizes(r, &weights->axes[i], &x->axes[i]));
  return good ? AM_OK
              : am_onnx_refuse(r, AM_E_UNSUPPORTED,
                               "it multiplies frames by weights of another shape than one for each frame");
}

static am_status two_tensors(am_onnx_reader *r, int op, am_onnx_thing *a, am_onnx_thing *b, am_onnx_thing *out) {
  int x = am_onnx_settle(r, a), y = x < 0 ? -1 : am_onnx_settle(r, b);
  if (y < 0) return AM_E_UNSUPPORTED;
  if (op == AM_E_MUL) return result(r, join_scale(r, x, y), r->made[x]->rank == 1 ? b : a, out);
  if (op != AM_E_ADD && op != AM_E_SUB)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "it takes two results of the clip; only Add, and Mul by a gate, can be "
                          "imported");
  if (!same_rank(r, &x, &y)) {
    if (x < 0 || y < 0) return AM_E_UNSUPPORTED;
    return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it adds a vector and frames");
  }
  for (int i = 0; i < a->n_axes; i++)
    if (!same_axis(r, x, &a->axes[i], y, &b->axes[i]))
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "it adds two results along other axes (axis %d)", i);
  if (op == AM_E_SUB) {
    const size_t n = (size_t)am_onnx_size(r, &r->made[y]->c, 0);
    float *minus = am_tree_take(r->tree, n, sizeof *minus);
    if (!minus) return am_onnx_no_memory(r);
    for (size_t i = 0; i < n; i++) minus[i] = -1;
    if ((y = am_onnx_affine(r, y, minus, NULL)) < 0) return AM_E_UNSUPPORTED;
  }
  return result(r, am_onnx_join_add(r, x, y), a, out);
}

static am_status two_clips(am_onnx_reader *r, int op, am_onnx_thing *a, am_onnx_thing *b, am_onnx_thing *out) {
  const int rank = a->n_axes > b->n_axes ? a->n_axes : b->n_axes;
  am_status status = align(r, a, rank);
  if (!status) status = align(r, b, rank);
  if (status) return status;
  if (op == AM_E_MUL && a->is == AM_ONNX_IS_WEIGHTS && b->is == AM_ONNX_IS_CLIP) return weigh(r, a, b, out);
  if (op == AM_E_MUL && b->is == AM_ONNX_IS_WEIGHTS && a->is == AM_ONNX_IS_CLIP) return weigh(r, b, a, out);
  if (a->is != AM_ONNX_IS_CLIP) return refuse_thing(r, a);
  if (b->is != AM_ONNX_IS_CLIP) return refuse_thing(r, b);
  const int product = op == AM_E_MUL ? join_halves(r, a, b) : 0;
  if (product) return result(r, product, a, out);
  status = am_onnx_alone(r, a);
  if (!status) status = am_onnx_alone(r, b);
  if (status) return status;
  const am_onnx_expression *x = &r->expressions[a->expression], *y = &r->expressions[b->expression];
  const bool row = !x->rows || !y->rows || am_onnx_same_factors(r, &x->row, &y->row);
  if (x->tensor != y->tensor || !row || !same_places(r, a, b)) return two_tensors(r, op, a, b, out);
  am_onnx_thing made = *a;
  for (int i = 0; i < rank; i++)
    if (!a->axes[i].n) made.axes[i] = b->axes[i];
  made.expression = am_onnx_combine(r, op, a->expression, b->expression);
  *out = made;
  return made.expression < 0 ? AM_E_UNSUPPORTED : AM_OK;
}

/* ---- a tensor and numbers that are known ---- */

/* For each channel of a tensor over which the numbers vary, its number. */
static float *spread(am_onnx_reader *r, am_onnx_thing *x, am_onnx_known *k, int *tensor) {
  am_onnx_axis varies = {0}, along = {0};
  float *values = am_onnx_floats_of(r, k, "constants"), *out = NULL;
  if (!values) return NULL;
  bool good = true;
  for (int i = 0; i < k->rank && good; i++) {
    const am_onnx_axis *axis = &x->axes[x->n_axes - k->rank + i];
    if (k->dims[0][i] == 1) continue;
    for (int p = 0; p < AM_ONNX_PROBES; p++) good = good && k->dims[0][i] == am_onnx_size(r, axis, p);
    good = good && am_onnx_axis_add(&varies, axis);
  }
  if (!good) {
    am_onnx_refuse(r, AM_E_SHAPE, "its constants do not have the shape of its input");
    return NULL;
  }
  if ((*tensor = am_onnx_settle(r, x)) < 0) return NULL;
  if (!r->made[*tensor]->rank && am_onnx_within(r, &varies, &r->made[*tensor]->f))
    *tensor = am_onnx_as_sequence(r, *tensor);
  if (*tensor >= 0 && !am_onnx_within(r, &varies, &r->made[*tensor]->c)) {
    const am_onnx_made *made = r->made[*tensor];
    along = made->c;
    am_onnx_axis_add(&along, &made->f);
    if (!am_onnx_within(r, &varies, &along)) {
      along = varies;
      if (made->rank == 1 || !am_onnx_axis_add(&along, &made->t)) along = varies;
    }
    *tensor = am_onnx_over(r, *tensor, &along, "a constant that is not the same everywhere");
  }
  if (*tensor < 0) return NULL;
  int64_t *at = am_onnx_places(r, &r->made[*tensor]->c, &varies);
  const int64_t n = am_onnx_size(r, &r->made[*tensor]->c, 0);
  if (at) out = am_tree_take(r->tree, (size_t)n, sizeof *out);
  if (at && !out) am_onnx_no_memory(r);
  for (int64_t i = 0; out && i < n; i++) out[i] = values[at[i]];
  return out;
}

static am_status with_vector(am_onnx_reader *r, int op, am_onnx_thing *x, am_onnx_known *k, bool first,
                             am_onnx_thing *out) {
  int tensor;
  if ((op == AM_E_DIV && first) || op > AM_E_DIV)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "its constants differ from channel to channel, which can only be "
                          "imported where they are added or multiplied");
  float *values = spread(r, x, k, &tensor);
  if (!values) return AM_E_UNSUPPORTED;
  const size_t n = (size_t)am_onnx_size(r, &r->made[tensor]->c, 0);
  float *scale = am_tree_take(r->tree, n, sizeof *scale);
  if (!scale) return am_onnx_no_memory(r);
  for (size_t i = 0; i < n; i++) {
    scale[i] = op == AM_E_MUL ? values[i] : op == AM_E_DIV ? 1 / values[i] : op == AM_E_SUB && first ? -1 : 1;
    if (op == AM_E_SUB && !first) values[i] = -values[i];
    if (!isfinite(scale[i])) return am_onnx_refuse(r, AM_E_NUMERIC, "it divides by a constant of 0");
  }
  return result(r, am_onnx_affine(r, tensor, scale, op == AM_E_ADD || op == AM_E_SUB ? values : NULL), x, out);
}

static am_status with_known(am_onnx_reader *r, int op, am_onnx_thing *x, am_onnx_known *k, bool first,
                            am_onnx_thing *out) {
  double value[AM_ONNX_PROBES];
  am_status status = align(r, x, k->rank);
  if (status) return status;
  const bool scalar = am_onnx_is_scalar(r, k, value);
  bool one = scalar && !first;
  for (int p = 0; p < AM_ONNX_PROBES && one; p++) one = value[p] == (op == AM_E_MUL || op == AM_E_DIV ? 1 : 0);
  if (one && op <= AM_E_DIV) { /* nothing is changed, whatever it is */
    *out = *x;
    return AM_OK;
  }
  if (x->is != AM_ONNX_IS_CLIP) return refuse_thing(r, x);
  if (!scalar) return with_vector(r, op, x, k, first, out);
  status = am_onnx_alone(r, x);
  if (status) return status;
  const int c = am_onnx_constant_of(r, value);
  if (c < 0) return AM_E_NOMEM;
  *out = *x;
  out->expression = first ? am_onnx_combine(r, op, c, x->expression) : am_onnx_combine(r, op, x->expression, c);
  return out->expression < 0 ? AM_E_UNSUPPORTED : AM_OK;
}

/* ---- operators ---- */

am_status am_onnx_two(am_onnx_reader *r, int op, am_onnx_thing *a, am_onnx_thing *b, am_onnx_thing *out) {
  if (!a->is || !b->is) return refuse_thing(r, a->is ? b : a);
  if (b->is == AM_ONNX_IS_KNOWN) return with_known(r, op, a, b->known, false, out);
  if (a->is == AM_ONNX_IS_KNOWN) return with_known(r, op, b, a->known, true, out);
  return two_clips(r, op, a, b, out);
}

static am_status read_pair(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  am_onnx_thing sum = *in[0];
  if (n < 2) return am_onnx_refuse(r, AM_E_FORMAT, "it has %zu inputs; wanted two", n);
  for (size_t i = 1; i < n; i++) {
    am_onnx_thing a = sum, b = *in[i];
    am_status status = am_onnx_two(r, op_of(r->node->op), &a, &b, &sum);
    if (status) return status;
  }
  *out = sum;
  return AM_OK;
}

am_status am_onnx_one(am_onnx_reader *r, int op, am_onnx_thing *x, am_onnx_thing *out) {
  const bool gate =
      op == AM_E_SIGMOID && x->is == AM_ONNX_IS_CLIP && !x->frame && r->expressions[x->expression].op == AM_E_TENSOR;
  am_status status = gate ? AM_OK : am_onnx_alone(r, x);
  if (status) return status;
  *out = *x;
  out->expression = am_onnx_combine(r, op, x->expression, -1);
  return out->expression < 0 ? AM_E_UNSUPPORTED : AM_OK;
}

/* Of masks, which are all true where a clip is alone. */
static am_status read_where(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  double value[AM_ONNX_PROBES];
  const bool known = n == 3 && in[0]->is == AM_ONNX_IS_KNOWN && am_onnx_is_scalar(r, in[0]->known, value);
  bool same = known;
  for (int p = 1; p < AM_ONNX_PROBES && same; p++) same = (value[p] != 0) == (value[0] != 0);
  if (!same)
    return am_onnx_refuse(r, AM_E_UNSUPPORTED,
                          "its condition depends on the clip, or is not the same everywhere in a clip "
                          "without padding");
  am_onnx_thing x = *in[value[0] != 0 ? 1 : 2];
  am_status status = x.is == AM_ONNX_IS_KNOWN ? AM_OK : align(r, &x, in[0]->known->rank);
  *out = x;
  return status;
}

/* ---- side by side ---- */

/* Both directions of one recurrent layer, one after the other, are the layer's output again. */
static bool both_directions(am_onnx_reader *r, am_onnx_thing **in, size_t n, int axis, am_onnx_thing *out) {
  const am_onnx_thing *first = in[0];
  if (first->is != AM_ONNX_IS_CLIP || first->picked < 0 || n != (size_t)r->factors[first->picked].size[0]) return false;
  for (size_t i = 0; i < n; i++)
    if (in[i]->is != AM_ONNX_IS_CLIP || in[i]->picked != first->picked || in[i]->pick != (int)i ||
        r->expressions[in[i]->expression].op != AM_E_TENSOR ||
        r->expressions[in[i]->expression].tensor != r->expressions[first->expression].tensor)
      return false;
  *out = *first;
  out->picked = -1;
  out->frame = AM_ONNX_FRAMES_ALL;
  am_onnx_axis list = {.n = 1, .at = {first->picked}};
  if (!am_onnx_axis_add(&list, &first->axes[axis])) return false;
  out->axes[axis] = list;
  const int tensor = both_of(r, first, in[1]); /* there are two */
  if (tensor < 0) return false;
  out->expression = am_onnx_expression_of(r, tensor);
  return out->expression >= 0;
}

/* Are these the whole channels of tensors that are otherwise alike? */
static bool channels(am_onnx_reader *r, am_onnx_thing **in, size_t n, int axis, int tensors[AM_ONNX_JOIN]) {
  if (n > AM_ONNX_JOIN) return false;
  for (size_t i = 0; i < n; i++) {
    const bool direction = in[i]->is == AM_ONNX_IS_CLIP && in[i]->picked >= 0 && has_both(r, in[i]);
    if (in[i]->is != AM_ONNX_IS_CLIP || direction || in[i]->n_axes != in[0]->n_axes) return false;
    if ((tensors[i] = am_onnx_settle(r, in[i])) < 0) return false;
    if (i && !same_rank(r, &tensors[0], &tensors[i])) return false;
  }
  for (size_t i = 0; i < n; i++) {
    if (!same_rank(r, &tensors[0], &tensors[i])) return false;
    form f;
    if (!form_of(r, tensors[i], &in[i]->axes[axis], &f) ||
        !am_onnx_equal_sizes(r, &in[i]->axes[axis], &r->made[tensors[i]]->c))
      return false;
    for (int k = 0; k < f.n; k++)
      if (f.at[k].letter != 'c' || f.at[k].index != k) return false;
    for (int k = 0; k < in[0]->n_axes; k++)
      if (k != axis && !same_axis(r, tensors[0], &in[0]->axes[k], tensors[i], &in[i]->axes[k])) return false;
  }
  return true;
}

static am_status join_channels(am_onnx_reader *r, am_onnx_thing **in, size_t n, int axis, const int *tensors,
                               am_onnx_thing *out) {
  am_onnx_step *s = am_onnx_step_new(r, "concat", tensors[0]);
  if (!s) return AM_E_NOMEM;
  int64_t sum = am_onnx_size(r, &r->made[tensors[0]]->c, 0);
  for (size_t i = 1; i < n; i++) {
    s->in[s->n_in++] = tensors[i];
    sum += am_onnx_size(r, &r->made[tensors[i]]->c, 0);
  }
  am_onnx_made *made = am_onnx_step_makes(r, s);
  if (!made || !am_onnx_axis_fixed(r, sum, &made->c)) return am_onnx_no_memory(r);
  am_status status = result(r, s->out, in[0], out);
  out->axes[axis] = made->c;
  return status;
}

static am_status read_concat(am_onnx_reader *r, am_onnx_thing **in, size_t n, am_onnx_thing *out) {
  int tensors[AM_ONNX_JOIN] = {0};
  const int axis = am_onnx_axis_number(r, am_onnx_attribute_int(r, "axis", 0), in[0]->n_axes);
  if (axis < 0) return AM_E_FORMAT;
  if (n == 1) {
    *out = *in[0];
    return AM_OK;
  }
  for (size_t i = 0; i < n; i++)
    if (in[i]->is != AM_ONNX_IS_CLIP || in[i]->n_axes != in[0]->n_axes)
      return am_onnx_refuse(r, AM_E_UNSUPPORTED, "input %zu is no result of the clip like the others", i + 1);
  if (both_directions(r, in, n, axis, out)) return AM_OK;
  /* What are no channels may still be the states of several layers: why not is then of no interest. */
  am_error quiet = AM_ERROR_INIT, *err = r->err;
  r->err = &quiet;
  const bool whole = channels(r, in, n, axis, tensors);
  r->err = err;
  if (quiet.status == AM_E_NOMEM) return am_onnx_no_memory(r);
  if (whole) return join_channels(r, in, n, axis, tensors, out);
  am_onnx_thing *parts = am_tree_take(r->tree, n, sizeof *parts);
  if (!parts) return am_onnx_no_memory(r);
  for (size_t i = 0; i < n; i++) parts[i] = *in[i];
  *out = (am_onnx_thing){.is = AM_ONNX_IS_PARTS, .n_axes = in[0]->n_axes, .n_parts = n, .parts = parts, .along = axis};
  return AM_OK;
}

const am_onnx_operator am_onnx_join_operators[] = {{"Add", read_pair, "|", 1, 2},
                                                   {"Sub", read_pair, "|", 1, 2},
                                                   {"Mul", read_pair, "|", 1, 2},
                                                   {"Div", read_pair, "|", 1, 2},
                                                   {"Pow", read_pair, "|", 1, 2},
                                                   {"Min", read_pair, "|", 1, 8},
                                                   {"Max", read_pair, "|", 1, 8},
                                                   {"Sum", read_pair, "|", 1, 8},
                                                   {"Where", read_where, "|", 3, 3},
                                                   {"Concat", read_concat, "|axis|", 1, 64},
                                                   {0}};
