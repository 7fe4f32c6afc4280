/* SPDX-License-Identifier: MIT */
/* model/segment.c - measurements that overlap become segments of one label.
 *
 * An utterance is cut into cells at every start and end of its measurements: within a cell the same measurements hold. */
#include "audiomood/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/fusion.h"

typedef struct measurement {
  double start, end;
  size_t p; /* (K) from here on */
} measurement;

/* A row of neighbouring cells, in the end those of one segment. */
typedef struct piece {
  size_t first, end; /* cells */
  int label;         /* -1: nothing was heard */
} piece;

struct am_segmenter {
  am_context *ctx;
  size_t classes;
  double penalty, shortest;
  bool values;
  am_segment_fn each;
  void *user;
  size_t index;
  measurement *at;
  size_t n, room;
  float *p; /* (n,K) */
  size_t p_room;
  /* Of one utterance. */
  double *edges; /* (cells + 1) */
  size_t edge_room;
  float *cells; /* (cells,K) mean probabilities; NaN: not heard */
  size_t cell_room;
  double *score; /* (2,K) */
  int *from;     /* (cells,K) the label before, on the best way */
  size_t from_room;
  int *labels; /* (cells) */
  size_t label_room;
  piece *pieces;
  size_t n_pieces, piece_room;
  float *mean; /* (K) */
};

static am_status check(const am_segment_options *o, am_error *err) {
  if (!(o->switch_penalty <= 1e6))
    return am_fail(err, AM_E_USAGE, "am_segment_options.switch_penalty is %g; wanted at most 1e6", o->switch_penalty);
  if (!(o->shortest <= 600))
    return am_fail(err, AM_E_USAGE, "am_segment_options.shortest is %g; wanted at most 600", o->shortest);
  return AM_OK;
}

am_status am_segmenter_create(am_context *ctx, int classes, const am_segment_options *options, am_segment_fn each,
                              void *user, am_segmenter **out, am_error *err) {
  am_segment_options o = {.size = sizeof o};
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = AM_NEED(err, each);
  if (!status && classes < 1) status = am_fail(err, AM_E_USAGE, "%d classes; wanted at least 1", classes);
  if (!status && options) status = am_size_take(&o, sizeof o, options, sizeof o, "am_segment_options", err);
  if (!status) status = check(&o, err);
  if (status) return status;
  am_segmenter *s = am_alloc(ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  *s = (am_segmenter){.ctx = ctx, .classes = (size_t)classes, .each = each, .user = user, .values = o.values};
  s->penalty = o.switch_penalty == 0 ? 1 : fmax(0, o.switch_penalty);
  s->shortest = o.shortest == 0 ? 0.5 : fmax(0, o.shortest);
  s->score = am_alloc(ctx, 2 * s->classes, sizeof *s->score);
  s->mean = am_alloc(ctx, s->classes, sizeof *s->mean);
  if (!s->score || !s->mean) {
    am_segmenter_free(s);
    return am_no_memory(err);
  }
  *out = s;
  return AM_OK;
}

void am_segmenter_free(am_segmenter *s) {
  if (!s) return;
  void *const all[] = {s->at, s->p, s->edges, s->cells, s->score, s->from, s->labels, s->pieces, s->mean};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) am_free(s->ctx, all[i]);
  am_free(s->ctx, s);
}

static am_status keep(am_segmenter *s, const am_stream_event *e, am_error *err) {
  const size_t K = s->classes;
  am_status status = AM_NEED(err, e->probabilities);
  if (!status) status = am_grow(s->ctx, &s->at, &s->room, s->n + 1, sizeof *s->at, err);
  if (!status) status = am_grow(s->ctx, &s->p, &s->p_room, am_mul(s->n + 1, K), sizeof *s->p, err);
  if (status) return status;
  memcpy(s->p + s->n * K, e->probabilities, K * sizeof *s->p);
  s->at[s->n] = (measurement){e->start, e->end, s->n * K};
  s->n++;
  return AM_OK;
}

static int in_time(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Into s->edges; *cells of them less one. */
static am_status cut(am_segmenter *s, double start, double end, size_t *cells, am_error *err) {
  am_status status = am_grow(s->ctx, &s->edges, &s->edge_room, 2 * s->n + 2, sizeof *s->edges, err);
  if (status) return status;
  size_t n = 0, kept = 1;
  s->edges[n++] = start;
  s->edges[n++] = end;
  for (size_t i = 0; i < s->n; i++) {
    s->edges[n++] = fmin(end, fmax(start, s->at[i].start));
    s->edges[n++] = fmin(end, fmax(start, s->at[i].end));
  }
  qsort(s->edges, n, sizeof *s->edges, in_time);
  for (size_t i = 1; i < n; i++)
    if (s->edges[i] > s->edges[kept - 1]) s->edges[kept++] = s->edges[i];
  *cells = kept - 1;
  return AM_OK;
}

static void average(am_segmenter *s, size_t cells) {
  const size_t K = s->classes;
  for (size_t c = 0; c < cells; c++) {
    float *p = s->cells + c * K;
    const double middle = (s->edges[c] + s->edges[c + 1]) / 2;
    size_t heard = 0;
    memset(p, 0, K * sizeof *p);
    for (size_t i = 0; i < s->n; i++) {
      const float *q = s->p + s->at[i].p;
      if (middle < s->at[i].start || middle > s->at[i].end || isnan(q[0])) continue;
      for (size_t k = 0; k < K; k++) p[k] += q[k];
      heard++;
    }
    for (size_t k = 0; k < K; k++) p[k] = heard ? p[k] / (float)heard : NAN;
  }
}

static size_t best_of(const double *x, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (x[i] > x[best]) best = i;
  return best;
}

/* What a cell adds to the sum under a label; one that was not heard goes with its neighbours. */
static double cell_score(const am_segmenter *s, size_t c, size_t label) {
  const float p = s->cells[c * s->classes + label];
  return isnan(p) ? 0 : (s->edges[c + 1] - s->edges[c]) * am_fusion_log((double)p);
}

/* Viterbi's algorithm, into s->labels. */
static void find_labels(am_segmenter *s, size_t cells) {
  const size_t K = s->classes;
  double *before = s->score, *now = s->score + K;
  for (size_t k = 0; k < K; k++) before[k] = cell_score(s, 0, k);
  for (size_t c = 1; c < cells; c++) {
    const size_t best = best_of(before, K);
    for (size_t k = 0; k < K; k++) {
      const bool change = before[best] - s->penalty > before[k];
      s->from[c * K + k] = (int)(change ? best : k);
      now[k] = (change ? before[best] - s->penalty : before[k]) + cell_score(s, c, k);
    }
    double *other = before;
    before = now;
    now = other;
  }
  size_t label = best_of(before, K);
  for (size_t c = cells; c-- > 0;) {
    s->labels[c] = (int)label;
    if (c) label = (size_t)s->from[c * K + label];
  }
}

static void join(am_segmenter *s, size_t cells) {
  s->n_pieces = 0;
  for (size_t c = 0; c < cells; c++) {
    piece *last = s->n_pieces ? &s->pieces[s->n_pieces - 1] : NULL;
    if (last && last->label == s->labels[c]) last->end = c + 1;
    else s->pieces[s->n_pieces++] = (piece){c, c + 1, s->labels[c]};
  }
}

static double seconds_of(const am_segmenter *s, const piece *p) { return s->edges[p->end] - s->edges[p->first]; }

static double suits(const am_segmenter *s, const piece *p, int label) {
  double sum = 0;
  for (size_t c = p->first; c < p->end; c++) sum += cell_score(s, c, (size_t)label);
  return sum;
}

/* The shortest piece below the limit takes the label of a neighbour, until none is left. */
static void drop_short(am_segmenter *s, size_t cells) {
  while (s->n_pieces > 1) {
    size_t least = 0;
    for (size_t i = 1; i < s->n_pieces; i++)
      if (seconds_of(s, &s->pieces[i]) < seconds_of(s, &s->pieces[least])) least = i;
    const piece *p = &s->pieces[least];
    if (seconds_of(s, p) >= s->shortest) return;
    const piece *left = least ? p - 1 : NULL, *right = least + 1 < s->n_pieces ? p + 1 : NULL;
    const int label =
        !left || (right && suits(s, p, right->label) > suits(s, p, left->label)) ? right->label : left->label;
    for (size_t c = p->first; c < p->end; c++) s->labels[c] = label;
    join(s, cells);
  }
}

/* Of values: steps, as long as the limit wants; what is left at the end goes with the last one. */
static void step(am_segmenter *s, size_t cells) {
  s->n_pieces = 0;
  for (size_t c = 0; c < cells; c++) {
    piece *last = s->n_pieces ? &s->pieces[s->n_pieces - 1] : NULL;
    if (last && (seconds_of(s, last) < s->shortest || s->edges[cells] - s->edges[c] < s->shortest)) last->end = c + 1;
    else s->pieces[s->n_pieces++] = (piece){c, c + 1, 0};
  }
}

static am_status tell(am_segmenter *s, const piece *p, size_t utterance, am_error *err) {
  const size_t K = s->classes;
  double heard = 0, right = 0, sum[2] = {0};
  memset(s->mean, 0, K * sizeof *s->mean);
  for (size_t c = p->first; c < p->end; c++) {
    const float *q = s->cells + c * K;
    const double seconds = s->edges[c + 1] - s->edges[c];
    size_t best = 0;
    if (isnan(q[0])) continue;
    for (size_t k = 0; k < K; k++) {
      s->mean[k] += (float)(seconds * (double)q[k]);
      if (q[k] > q[best]) best = k;
    }
    heard += seconds;
    right += (int)best == p->label ? seconds : 0;
  }
  for (size_t k = 0; k < K; k++) {
    s->mean[k] = heard > 0 ? (float)((double)s->mean[k] / heard) : NAN;
    if ((int)k == p->label) sum[0] = (double)s->mean[k];
    else sum[1] = fmax(sum[1], (double)s->mean[k]);
  }
  const am_segment segment = {.size = sizeof segment,
                              .index = s->index++,
                              .utterance = utterance,
                              .start = s->edges[p->first],
                              .end = s->edges[p->end],
                              .label = heard > 0 ? p->label : -1,
                              .probabilities = s->mean,
                              .margin = heard > 0 && !s->values ? sum[0] - sum[1] : 0,
                              .share = heard > 0 && !s->values ? right / heard : 0};
  return s->each(s->user, &segment, err);
}

static am_status finish(am_segmenter *s, const am_stream_event *e, am_error *err) {
  size_t cells = 0;
  am_status status = cut(s, e->start, e->end, &cells, err);
  if (!status) status = am_grow(s->ctx, &s->cells, &s->cell_room, am_mul(cells, s->classes), sizeof *s->cells, err);
  if (!status) status = am_grow(s->ctx, &s->from, &s->from_room, am_mul(cells, s->classes), sizeof *s->from, err);
  if (!status) status = am_grow(s->ctx, &s->labels, &s->label_room, cells, sizeof *s->labels, err);
  if (!status) status = am_grow(s->ctx, &s->pieces, &s->piece_room, cells, sizeof *s->pieces, err);
  if (status || !cells) return status;
  average(s, cells);
  if (s->values) {
    step(s, cells);
  } else {
    find_labels(s, cells);
    join(s, cells);
    drop_short(s, cells);
  }
  for (size_t i = 0; i < s->n_pieces && !status; i++) status = tell(s, &s->pieces[i], e->utterance, err);
  return status;
}

am_status am_segmenter_take(am_segmenter *s, const am_stream_event *event, am_error *err) {
  am_status status = AM_NEED(err, s);
  if (!status) status = AM_NEED(err, event);
  if (status) return status;
  switch (event->kind) {
    case AM_STREAM_SPEECH_BEGINS: s->n = 0; return AM_OK;
    case AM_STREAM_MEASURED: return keep(s, event, err);
    case AM_STREAM_SPEECH_ENDS: return finish(s, event, err);
    case AM_STREAM_NOTICE: return AM_OK;
  }
  return am_fail(err, AM_E_USAGE, "an event of kind %d; there is no such", (int)event->kind);
}
