/* SPDX-License-Identifier: MIT */
/* cli/recorded.c - see recorded.h. */
#include "cli/recorded.h"

#include <math.h>
#include <string.h>

#include "audio/encoder.h"
#include "base/file.h"

/* Up to so long the sound is in the page, s; and how fine the waveform is, values a second. */
static const double embedded = 600, peaks_a_second = 50;

static size_t classes_of(const cli_recorded *x) { return (size_t)x->team->at[0]->classes; }

static am_status on_segment(void *user, const am_segment *s, am_error *err) {
  cli_recorded *x = user;
  am_context *ctx = x->c->ctx;
  const am_checkpoint *m = x->team->at[0];
  const size_t k = classes_of(x);
  am_status st = am_grow(ctx, &x->segments, &x->room_segments, x->n_segments + 1, sizeof *x->segments, err);
  if (!st) st = am_grow(ctx, &x->q, &x->room_q, x->n_segments + 1, am_mul(k, sizeof *x->q), err);
  if (st) return st;
  memcpy(x->q + x->n_segments * k, s->probabilities, k * sizeof *x->q);
  am_recording_segment g = {s->start, s->end, -1, "silent", NAN, NAN, -1, NULL};
  if (s->label >= 0 && !m->values) {
    const bool sure =
        !x->thresholds || am_thresholds_decide(x->thresholds, s->probabilities, m->classes) != AM_UNCERTAIN;
    g.top = s->label;
    g.label = sure ? s->label : -1;
    g.shown = sure ? m->labels[s->label] : "uncertain";
    g.probability = (double)s->probabilities[s->label];
    g.margin = s->margin;
  }
  x->segments[x->n_segments++] = g;
  return AM_OK;
}

static am_status on_event(void *user, const am_stream_event *e, am_error *err) {
  cli_recorded *x = user;
  am_context *ctx = x->c->ctx;
  const size_t k = classes_of(x);
  am_status st = AM_OK;
  am_stream_event changed = *e;
  if (e->kind == AM_STREAM_MEASURED) {
    st = am_grow(ctx, &x->measures, &x->room_measures, x->n_measures + 1, sizeof *x->measures, err);
    if (!st) st = am_grow(ctx, &x->p, &x->room_p, x->n_measures + 1, am_mul(k, sizeof *x->p), err);
    if (st) return st;
    float *to = x->p + x->n_measures * k;
    changed.probabilities = to;
    if (x->priors) cli_priors_apply(x->priors, (int)k, e->probabilities, to);
    else memcpy(to, e->probabilities, k * sizeof *to);
    x->measures[x->n_measures++] = (am_recording_measure){e->start, e->end, e->utterance, NULL};
  }
  if (e->kind == AM_STREAM_SPEECH_ENDS) {
    st = am_grow(ctx, &x->speech, &x->room_speech, x->n_speech + 1, sizeof *x->speech, err);
    if (!st) x->speech[x->n_speech++] = (am_recording_speech){e->start, e->end};
  }
  return st ? st : am_segmenter_take(x->segmenter, &changed, err);
}

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  cli_recorded *x = user;
  am_context *ctx = x->c->ctx;
  am_status st = AM_OK;
  for (size_t i = 0; i < n && !st; i++) {
    x->peak = fmaxf(x->peak, fminf(1, fabsf(samples[i])));
    if ((double)++x->in_peak * peaks_a_second < x->rate) continue;
    st = am_grow(ctx, &x->peaks, &x->room_peaks, x->n_peaks + 1, sizeof *x->peaks, err);
    if (!st) x->peaks[x->n_peaks++] = x->peak;
    x->peak = 0;
    x->in_peak = 0;
  }
  x->n_samples += n;
  if (!st && (double)x->n_samples <= embedded * x->rate) {
    st = am_grow(ctx, &x->samples, &x->room_kept, x->n_kept + n, sizeof *x->samples, err);
    if (!st && n) memcpy(x->samples + x->n_kept, samples, n * sizeof *samples);
    if (!st) x->n_kept += n;
  }
  return st ? st : am_stream_push(x->stream, samples, n, x->rate, err);
}

am_status cli_recorded_hear(cli_recorded *x, const am_stream_options *how, const am_segment_options *segments,
                            am_error *err) {
  const am_checkpoint *m = x->team->at[0];
  const size_t k = classes_of(x);
  am_sound sound = {.size = sizeof sound};
  am_segment_options options = *segments;
  options.values = m->values;
  x->rate = am_checkpoint_rate(m);
  am_status st = am_segmenter_create(x->c->ctx, m->classes, &options, on_segment, x, &x->segmenter, err);
  if (!st) st = am_stream_create(x->team->ensemble, how, on_event, x, &x->stream, err);
  if (!st) st = cli_sound_feed(x->c, x->media, x->rate, 0, push, x, &sound, err);
  if (!st) st = am_stream_end(x->stream, err);
  am_stream_free(x->stream);
  am_segmenter_free(x->segmenter);
  am_sound_free(&sound);
  for (size_t i = 0; i < x->n_measures; i++) x->measures[i].p = x->p + i * k;
  for (size_t i = 0; i < x->n_segments; i++) x->segments[i].p = x->q + i * k;
  return st;
}

am_status cli_recorded_save(const cli_recorded *x, am_recording *page, const char *path, am_error *err) {
  am_context *ctx = x->c->ctx;
  const am_checkpoint *m = x->team->at[0];
  const bool whole = x->n_kept == x->n_samples && x->n_kept;
  am_buffer sound = {0}, html = {0};
  am_status st = whole ? am_encode_flac(ctx, x->samples, x->n_kept, x->rate, &sound, err) : AM_OK;
  page->file = cli_sound_shown(x->media);
  page->model = am_path_base(x->team->path[0]);
  page->media = am_path_base(x->media);
  page->sound = whole ? &sound : NULL;
  page->seconds = (double)x->n_samples / x->rate;
  page->labels = (const char *const *)m->labels;
  page->classes = m->classes;
  page->scale = m->scale;
  page->peaks = x->peaks;
  page->n_peaks = x->n_peaks;
  page->speech = x->speech;
  page->n_speech = x->n_speech;
  page->measures = x->measures;
  page->n_measures = x->n_measures;
  page->segments = x->segments;
  page->n_segments = x->n_segments;
  if (!st) st = am_recording_page(ctx, page, &html, err);
  page->sound = NULL;
  if (!st) st = am_file_write(ctx, path, html.data, html.used, err);
  am_buffer_free(ctx, &sound);
  am_buffer_free(ctx, &html);
  return st;
}

void cli_recorded_free(cli_recorded *x) {
  void *const all[] = {x->peaks, x->samples, x->speech, x->measures, x->p, x->segments, x->q};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) am_free(x->c->ctx, all[i]);
}
