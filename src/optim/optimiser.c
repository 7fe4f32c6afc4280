/* SPDX-License-Identifier: MIT */
/* optim/optimiser.c - see optimiser.h for the formulas. */
#include "optim/optimiser.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "optim/registry.h"

#define OPTIMISER(member) offsetof(am_optimiser_options, member)
const am_option am_optimiser_table[] = {
    {"kind", AM_OPT_CHOICE, OPTIMISER(kind), "adam", .variants = am_optimisers,
     .help = "how weights follow the gradient"},
    {"learning_rate", AM_OPT_REAL, OPTIMISER(learning_rate), "0.001", 0, 1e38, NULL,
     "step size, before the schedule's factor"},
    {"weight_decay", AM_OPT_REAL, OPTIMISER(weight_decay), "0", 0, 1e6, NULL,
     "of kernels; adamw: times the learning rate, else part of the gradient"},
    {"clip_norm", AM_OPT_REAL, OPTIMISER(clip_norm), "0", 0, 1e30, NULL, "largest norm of the whole gradient; 0 off"},
    {"rates", AM_OPT_MAP, OPTIMISER(rates), "", 0, 0, NULL,
     "name pattern -> factor on the learning rate, as in \"conv*/kernel\": 0.1"},
    {"freeze", AM_OPT_TEXTS, OPTIMISER(freeze), "[]", 0, 0, NULL, "name patterns of arrays that keep their values"},
    AM_OPTION_END};

/* Weights, gradient and two slots of a piece fit the second-level cache, so zeroing the gradient and
 * averaging find them there. */
enum { PIECE = 16384 };

typedef struct am_piece {
  size_t offset, count, array;
  bool decay;
} am_piece;

am_status am_optimiser_check(const am_optimiser_options *o, const am_value *section, am_error *err) {
  const am_optimiser_class *cls = am_optimiser_class_of(o);
  return cls->check ? cls->check(o, section, err) : AM_OK;
}

/* ---- creation ---- */

static bool glob(const char *pattern, const char *name) { return fnmatch(pattern, name, 0) == 0; }

static am_status no_match(am_error *err, const am_value *at, const char *section, const char *pattern,
                          am_model *model) {
  const char *first = am_model_weight_count(model) ? am_model_weight_info(model, 0)->name : "none";
  const char *format = "%s: \"%s\" matches no weight array of the model; names look like \"%s\"";
  if (at) return am_fail_at_key(err, at, format, section, pattern, first);
  return am_fail(err, AM_E_CONFIG, format, section, pattern, first);
}

/* The factor of each array; among several patterns of `rates` the last that matches counts. */
static am_status read_factors(am_optimiser *o, am_model *model, am_error *err) {
  for (size_t i = 0; i < o->n_arrays; i++) o->factors[i] = 1;
  const am_value *rates = o->options.rates;
  for (const am_value *rate = rates ? rates->first : NULL; rate; rate = rate->next) {
    double factor;
    if (!am_value_to_real(rate, &factor) || !(factor >= 0) || !isfinite(factor))
      return am_fail_at(err, rate, "train.optimiser.rates: \"%s\" needs a factor of at least 0 on the learning rate",
                        rate->key);
    size_t matched = 0;
    for (size_t i = 0; i < o->n_arrays; i++) {
      if (!glob(rate->key, am_model_weight_info(model, i)->name)) continue;
      o->factors[i] = factor;
      matched++;
    }
    if (!matched) return no_match(err, rate, "train.optimiser.rates", rate->key, model);
  }
  for (size_t k = 0; k < o->options.freeze.n; k++) {
    size_t matched = 0;
    for (size_t i = 0; i < o->n_arrays; i++) {
      if (!glob(o->options.freeze.at[k], am_model_weight_info(model, i)->name)) continue;
      o->factors[i] = 0;
      matched++;
    }
    if (!matched) return no_match(err, NULL, "train.optimiser.freeze", o->options.freeze.at[k], model);
  }
  for (size_t i = 0; i < o->n_arrays; i++) o->n_frozen += o->factors[i] == 0;
  return AM_OK;
}

static void cut_pieces(am_optimiser *o, am_model *model) {
  size_t n = 0;
  for (size_t i = 0; i < o->n_arrays; i++) {
    am_array_info info = *am_model_weight_info(model, i);
    for (size_t at = 0; at < info.count; at += PIECE) {
      size_t count = info.count - at < PIECE ? info.count - at : PIECE;
      if (o->pieces) o->pieces[n] = (am_piece){info.offset + at, count, i, info.decay};
      n++;
    }
    if (o->array < info.count) o->array = info.count;
  }
  o->n_pieces = n;
}

/* Each rank has the pieces that begin in its even share of the numbers. */
static void split_pieces(am_optimiser *o) {
  const size_t n = (size_t)am_ranks_size(o->ranks), me = (size_t)am_ranks_rank(o->ranks);
  o->end = o->n;
  o->n_own = o->n_pieces;
  if (!o->ranks) return;
  for (size_t r = 0, i = 0; r < n; r++) {
    while (i < o->n_pieces && o->pieces[i].offset < o->n / n * (r + 1)) i++;
    if (r + 1 == n) i = o->n_pieces;
    o->bounds[r] = i < o->n_pieces ? o->pieces[i].offset : o->n;
    if (r + 1 == me) o->first_piece = i;
    if (r == me) o->n_own = i - o->first_piece;
  }
  o->begin = me ? o->bounds[me - 1] : 0;
  o->end = o->bounds[me];
}

static am_status take_ranks(am_optimiser *o, am_ranks *ranks, am_error *err) {
  const size_t n = (size_t)am_ranks_size(ranks);
  if (n == 1) return AM_OK;
  o->ranks = ranks;
  o->bounds = am_alloc(o->ctx, n, sizeof *o->bounds);
  o->ends = am_alloc(o->ctx, n, sizeof *o->ends);
  return o->bounds && o->ends ? AM_OK : am_no_memory(err);
}

static am_status make_slots(am_optimiser *o, am_error *err) {
  const size_t bytes = am_mul(o->end - o->begin, sizeof(am_real)), room = bytes ? bytes : sizeof(am_real);
  bool all = true;
  for (int i = 0; i < AM_MOST_SLOTS && o->cls->slots[i]; i++) {
    if (o->cls->slots_used && i >= o->cls->slots_used(&o->options)) break;
    all &= (o->slots[i] = am_alloc_aligned(o->ctx, room)) != NULL;
  }
  if (o->ema_decay > 0) all &= (o->ema = am_alloc_aligned(o->ctx, room)) != NULL;
  return all ? AM_OK : am_no_memory(err);
}

am_status am_optimiser_create_split(am_context *ctx, const am_optimiser_options *options, double ema_decay,
                                    am_model *model, am_ranks *ranks, am_optimiser **out, am_error *err) {
  *out = NULL;
  am_optimiser *o = am_alloc(ctx, 1, sizeof *o);
  if (!o) return am_no_memory(err);
  o->ctx = ctx;
  o->options = *options;
  o->cls = am_optimiser_class_of(options);
  o->kernels = am_kernels_of(ctx);
  o->ema_decay = ema_decay;
  am_model_weights(model, &o->n);
  o->n_arrays = am_model_weight_count(model);
  o->factors = am_alloc(ctx, o->n_arrays + 1, sizeof *o->factors);
  cut_pieces(o, model);
  o->pieces = am_alloc(ctx, o->n_pieces + 1, sizeof *o->pieces);
  o->sums = am_alloc(ctx, o->n_pieces + 1, sizeof *o->sums);
  o->bad = am_alloc(ctx, o->n_pieces + 1, sizeof *o->bad);
  o->bad_array = -1;
  am_status status = o->factors && o->pieces && o->sums && o->bad ? take_ranks(o, ranks, err) : am_no_memory(err);
  if (!status) {
    cut_pieces(o, model);
    split_pieces(o);
    status = make_slots(o, err);
  }
  if (!status) status = read_factors(o, model, err);
  if (status) {
    am_optimiser_free(o);
    return status;
  }
  *out = o;
  return AM_OK;
}

am_status am_optimiser_create(am_context *ctx, const am_optimiser_options *options, double ema_decay, am_model *model,
                              am_optimiser **out, am_error *err) {
  return am_optimiser_create_split(ctx, options, ema_decay, model, NULL, out, err);
}

void am_optimiser_free(am_optimiser *o) {
  if (!o) return;
  for (int i = 0; i < AM_MOST_SLOTS; i++) am_free_aligned(o->ctx, o->slots[i]);
  am_free_aligned(o->ctx, o->ema);
  am_free(o->ctx, o->factors);
  am_free(o->ctx, o->pieces);
  am_free(o->ctx, o->sums);
  am_free(o->ctx, o->bad);
  am_free(o->ctx, o->bounds);
  am_free(o->ctx, o->ends);
  am_free(o->ctx, o);
}

/* ---- one step ---- */

typedef struct sweep {
  am_optimiser *o;
  am_real *w, *g;
  am_step_rates rates;
  double ema;
} sweep;

static void square_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  sweep *s = arg;
  const am_piece *p = &s->o->pieces[piece];
  bool frozen = s->o->factors[p->array] == 0;
  s->o->sums[piece] = frozen ? 0 : s->o->kernels->sum_squares(p->count, s->g + p->offset);
}

/* Exponent bits all set: infinity or NaN.  In integers, so that the compiler may do many at once. */
static bool not_finite(const am_real *w, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &w[i], sizeof bits);
    bad |= (bits & 0x7f800000u) == 0x7f800000u;
  }
  return bad != 0;
}

static void average(am_real *a, const am_real *w, size_t n, am_real d) {
  am_real rest = 1 - d;
  for (size_t i = 0; i < n; i++) a[i] = d * a[i] + rest * w[i];
}

static void step_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  sweep *s = arg;
  am_optimiser *o = s->o;
  const am_piece *p = &o->pieces[piece];
  am_real *w = s->w + p->offset, *g = s->g + p->offset, *slots[AM_MOST_SLOTS];
  if (piece - o->first_piece < o->n_own) {
    const size_t at = p->offset - o->begin;
    double factor = o->factors[p->array];
    for (int i = 0; i < AM_MOST_SLOTS; i++) slots[i] = o->slots[i] ? o->slots[i] + at : NULL;
    const am_step_piece piece_of = {p->count, w, g, slots, factor, p->decay};
    if (factor != 0) o->cls->step(&o->options, o->kernels, &s->rates, &piece_of);
    o->bad[piece] = not_finite(w, p->count);
    if (o->ema) average(o->ema + at, w, p->count, (am_real)s->ema);
  }
  memset(g, 0, p->count * sizeof *g);
}

static void find_bad(am_optimiser *o) {
  size_t i = 0;
  while (i < o->n_pieces && !o->bad[i]) i++;
  o->bad_array = i < o->n_pieces ? (long)o->pieces[i].array : -1;
}

double am_optimiser_step(am_optimiser *o, am_real *w, am_real *g, double divisor, double rate) {
  const am_optimiser_options *k = &o->options;
  double t = (double)o->step + 1, norm = 0;
  sweep s = {
      .o = o, .w = w, .g = g, .rates = {.scale = 1 / divisor, .rate = rate, .plain_rate = rate, .epsilon = k->epsilon}};
  if (k->clip_norm > 0) {
    am_parallel_for(o->ctx, o->n_pieces, square_piece, &s);
    for (size_t i = 0; i < o->n_pieces; i++) norm += o->sums[i];
    norm = sqrt(norm) / divisor;
    if (!isfinite(norm)) {
      for (size_t i = 0; i < o->n_pieces; i++) o->bad[i] = !isfinite(o->sums[i]);
      find_bad(o);
      return norm;
    }
    if (norm > k->clip_norm) s.rates.scale *= k->clip_norm / norm;
  }
  if (o->cls->begin) o->cls->begin(k, o->step + 1, &s.rates);
  double early = (1 + t) / (10 + t);
  s.ema = early < o->ema_decay ? early : o->ema_decay;
  if (o->ema && !o->step) memcpy(o->ema, w + o->begin, (o->end - o->begin) * sizeof *w);
  am_parallel_for(o->ctx, o->n_pieces, step_piece, &s);
  o->owes = o->ranks != NULL;
  if (!o->owes) find_bad(o);
  o->step++;
  return norm;
}

/* ---- of several processes ---- */

static am_status exchange(am_optimiser *o, am_real *w, am_error *err) {
  if (!o->ranks) return AM_OK;
  for (int r = 0; r < am_ranks_size(o->ranks); r++) o->ends[r] = o->bounds[r] * sizeof *w;
  return am_ranks_collect(o->ranks, w + o->begin, w, o->ends, AM_RANKS_ALL, err);
}

static void look_at_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  const sweep *s = arg;
  const am_piece *p = &s->o->pieces[piece];
  if (piece - s->o->first_piece >= s->o->n_own) s->o->bad[piece] = not_finite(s->w + p->offset, p->count);
}

am_status am_optimiser_exchange(am_optimiser *o, am_real *w, am_error *err) {
  if (!o->owes) return AM_OK;
  o->owes = false;
  const am_status status = exchange(o, w, err);
  sweep s = {.o = o, .w = w};
  if (status) return status;
  am_parallel_for(o->ctx, o->n_pieces, look_at_piece, &s);
  find_bad(o);
  return AM_OK;
}

am_status am_optimiser_swap_average(am_optimiser *o, am_real *w, am_error *err) {
  if (!o->ema || !o->step) return AM_OK;
  for (size_t i = o->begin; i < o->end; i++) {
    am_real kept = w[i];
    w[i] = o->ema[i - o->begin];
    o->ema[i - o->begin] = kept;
  }
  return exchange(o, w, err);
}
