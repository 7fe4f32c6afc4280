/* cli/subtitled_page.c - subtitle --report: the sound is heard once more, as segments, for a page to look at. */
#include <math.h>
#include <string.h>

#include "audio/encoder.h"
#include "audio/sound.h"
#include "base/file.h"
#include "cli/subtitled.h"
#include "report/recording.h"
#include "subtitle/convert.h"

/* Up to so long the sound is in the page, s; and how fine the waveform is, values a second. */
static const double embedded = 600, peaks_a_second = 50;

typedef struct page {
  cli_subtitled *s;
  am_context *ctx;
  am_stream *stream;
  am_segmenter *segmenter;
  double rate;
  size_t n_samples, in_peak;
  float *peaks, peak;
  float *samples; /* (n_kept) until it is too long */
  am_recording_speech *speech;
  am_recording_measure *measures;
  float *p; /* (n_measures, K) */
  am_recording_segment *segments;
  am_recording_cue *cues;
  size_t n_peaks, n_kept, n_speech, n_measures, n_segments, n_cues;
  size_t room_peaks, room_kept, room_speech, room_measures, room_p, room_segments;
} page;

static size_t classes_of(const page *x) { return (size_t)x->s->team.at[0]->classes; }

static am_status on_segment(void *user, const am_segment *s, am_error *err) {
  page *x = user;
  const am_checkpoint *m = x->s->team.at[0];
  am_status st = am_grow(x->ctx, &x->segments, &x->room_segments, x->n_segments + 1, sizeof *x->segments, err);
  if (st) return st;
  am_recording_segment g = {s->start, s->end, -1, "silent", NAN, NAN, -1};
  const int known = x->s->enrolled;
  if (s->label >= 0) {
    const bool sure = !x->s->decides[known] ||
                      am_thresholds_decide(&x->s->thresholds[known], s->probabilities, m->classes) != AM_UNCERTAIN;
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
  page *x = user;
  const size_t k = classes_of(x);
  am_status st = AM_OK;
  am_stream_event changed = *e;
  if (e->kind == AM_STREAM_MEASURED) {
    st = am_grow(x->ctx, &x->measures, &x->room_measures, x->n_measures + 1, sizeof *x->measures, err);
    if (!st) st = am_grow(x->ctx, &x->p, &x->room_p, x->n_measures + 1, am_mul(k, sizeof *x->p), err);
    if (st) return st;
    changed.probabilities = x->p + x->n_measures * k;
    cli_priors_apply(x->s->priors, (int)k, e->probabilities, x->p + x->n_measures * k);
    x->measures[x->n_measures++] = (am_recording_measure){e->start, e->end, e->utterance, NULL};
  }
  if (e->kind == AM_STREAM_SPEECH_ENDS) {
    st = am_grow(x->ctx, &x->speech, &x->room_speech, x->n_speech + 1, sizeof *x->speech, err);
    if (!st) x->speech[x->n_speech++] = (am_recording_speech){e->start, e->end};
  }
  return st ? st : am_segmenter_take(x->segmenter, &changed, err);
}

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  page *x = user;
  am_status st = AM_OK;
  for (size_t i = 0; i < n && !st; i++) {
    x->peak = fmaxf(x->peak, fminf(1, fabsf(samples[i])));
    if (++x->in_peak * peaks_a_second < x->rate) continue;
    st = am_grow(x->ctx, &x->peaks, &x->room_peaks, x->n_peaks + 1, sizeof *x->peaks, err);
    if (!st) x->peaks[x->n_peaks++] = x->peak;
    x->peak = 0;
    x->in_peak = 0;
  }
  x->n_samples += n;
  if (!st && (double)x->n_samples <= embedded * x->rate) {
    st = am_grow(x->ctx, &x->samples, &x->room_kept, x->n_kept + n, sizeof *x->samples, err);
    if (!st && n) memcpy(x->samples + x->n_kept, samples, n * sizeof *samples);
    if (!st) x->n_kept += n;
  }
  return st ? st : am_stream_push(x->stream, samples, n, x->rate, err);
}

static am_status hear(page *x, am_error *err) {
  const cli_subtitled *s = x->s;
  am_sound sound = {.size = sizeof sound};
  am_stream_options o = {.size = sizeof o, .window = 3, .hop = 1, .first = 1};
  o.speech = s->team.detector ? AM_SPEECH_BY_MODEL : AM_SPEECH_BY_LEVEL;
  o.detector = s->team.detector;
  const am_segment_options segments = {.size = sizeof segments};
  for (size_t i = 0; i < s->team.n && s->learns; i++) {
    am_checkpoint_forget_speaker(s->team.at[i]); /* the last speaker's */
    o.learn_voice |= am_checkpoint_wants_speaker(s->team.at[i]);
  }
  x->rate = am_checkpoint_rate(s->team.at[0]);
  am_status st = am_segmenter_create(x->ctx, s->team.at[0]->classes, &segments, on_segment, x, &x->segmenter, err);
  if (!st) st = am_stream_create(s->team.ensemble, &o, on_event, x, &x->stream, err);
  if (!st) st = cli_sound_feed(s->c, s->media, x->rate, 0, push, x, &sound, err);
  if (!st) st = am_stream_end(x->stream, err);
  am_stream_free(x->stream);
  am_segmenter_free(x->segmenter);
  am_sound_free(&sound);
  for (size_t i = 0; i < x->n_measures; i++) x->measures[i].p = x->p + i * classes_of(x);
  return st;
}

/* ---- cues ---- */

static am_recording_segment told_of(const cli_subtitled *s, size_t i) {
  const cli_told *t = &s->told[i];
  const am_checkpoint *m = s->team.at[0];
  am_recording_segment g = {s->heard.at[i].start, s->heard.at[i].end, t->label, "silent", NAN, t->margin, t->top};
  g.end = fmax(g.start, g.end);
  if (t->top >= 0) g.shown = t->label < 0 ? "uncertain" : m->labels[t->label];
  if (t->top >= 0) g.probability = (double)s->heard.p[i * (size_t)m->classes + (size_t)t->top];
  return g;
}

static char *copy(am_context *ctx, const am_buffer *b) {
  return b->failed ? NULL : am_format(ctx, "%.*s", (int)b->used, b->used ? b->data : "");
}

/* Texts without tags, and without what was put into them. */
static am_status take_cues(page *x, am_error *err) {
  const cli_subtitled *s = x->s;
  am_tagger t;
  am_buffer text = {0};
  if (!s->given) return AM_OK;
  if (!(x->cues = am_alloc(x->ctx, s->cues.n + 1, sizeof *x->cues))) return am_no_memory(err);
  am_status st = am_tagger_begin(&t, &x->s->cues, &s->words, err);
  for (size_t i = 0; i < s->cues.n && !st; i++) {
    am_recording_cue *to = &x->cues[x->n_cues++];
    text.used = 0;
    am_cues_put_plain(&s->cues, am_tag_inside(&t, &s->cues.at[i]).text, &text);
    *to = (am_recording_cue){told_of(s, i), s->cues.at[i].speaker, copy(x->ctx, &text), s->told[i].shown};
    if (!to->text) st = am_no_memory(err);
  }
  am_tagger_end(&t);
  am_buffer_free(x->ctx, &text);
  return st;
}

/* ---- the page ---- */

static am_status save(page *x, const char *path, am_error *err) {
  const cli_subtitled *s = x->s;
  const bool whole = x->n_kept == x->n_samples && x->n_kept;
  am_buffer sound = {0}, html = {0};
  am_status st = whole ? am_encode_flac(x->ctx, x->samples, x->n_kept, x->rate, &sound, err) : AM_OK;
  const am_recording r = {.file = cli_sound_shown(s->media),
                          .model = am_path_base(s->team.path[0]),
                          .subtitles = s->given,
                          .media = am_path_base(s->media),
                          .sound = whole ? &sound : NULL,
                          .seconds = (double)x->n_samples / x->rate,
                          .labels = (const char *const *)s->team.at[0]->labels,
                          .classes = s->team.at[0]->classes,
                          .peaks = x->peaks,
                          .n_peaks = x->n_peaks,
                          .speech = x->speech,
                          .measures = x->measures,
                          .segments = x->segments,
                          .cues = x->cues,
                          .n_speech = x->n_speech,
                          .n_measures = x->n_measures,
                          .n_segments = x->n_segments,
                          .n_cues = x->n_cues};
  if (!st) st = am_recording_page(x->ctx, &r, &html, err);
  if (!st) st = am_file_write(x->ctx, path, html.data, html.used, err);
  am_buffer_free(x->ctx, &sound);
  am_buffer_free(x->ctx, &html);
  return st;
}

am_status cli_subtitled_page(cli_subtitled *s, const char *path, am_error *err) {
  page x = {.s = s, .ctx = s->c->ctx};
  am_status st = hear(&x, err);
  if (!st) st = take_cues(&x, err);
  if (!st) st = save(&x, path, err);
  for (size_t i = 0; i < x.n_cues; i++) am_free(x.ctx, (void *)x.cues[i].text);
  void *const all[] = {x.peaks, x.samples, x.speech, x.measures, x.p, x.segments, x.cues};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) am_free(x.ctx, all[i]);
  return st;
}
