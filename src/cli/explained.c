/* SPDX-License-Identifier: MIT */
/* cli/explained.c - what moved an answer, as pictures; predict --report: the page of one sound, as a whole with them, or over time. */
#include <math.h>
#include <string.h>

#include "audio/encoder.h"
#include "audio/sound.h"
#include "base/file.h"
#include "cli/explained.h"
#include "cli/recorded.h"
#include "model/ensemble.h"
#include "model/predict.h"
#include "model/why.h"
#include "report/plot.h"

/* Up to so long the sound is in the page, s; and how fine the waveform is, values a second. */
static const double embedded = 600, peaks_a_second = 50;

typedef struct page {
  cli *c;
  const cli_models *team;
  const char *file;
  am_sound sound;
  float *p; /* (K) */
  am_heard heard;
  float *peaks;
  size_t n_peaks;
  cli_whys why;
} page;

static am_status take_peaks(page *x, am_error *err) {
  size_t each = am_size_of(x->sound.rate / peaks_a_second) + 1;
  each = each < 1 ? 1 : each;
  x->n_peaks = (x->sound.n + each - 1) / each;
  if (!(x->peaks = am_alloc(x->c->ctx, x->n_peaks, sizeof *x->peaks))) return am_no_memory(err);
  for (size_t i = 0; i < x->sound.n; i++)
    x->peaks[i / each] = fmaxf(x->peaks[i / each], fminf(1, fabsf(x->sound.samples[i])));
  return AM_OK;
}

/* ---- why ---- */

/* A stretch of sound whose answer, or value, is explained. */
typedef struct stretch {
  const char *name; /* of which one; "": the sound as a whole */
  const float *samples;
  size_t n;
  double rate;
  int class;
} stretch;

/* Where of n the effect is the largest: of a class what speaks for it, of a value what moves it either way. */
static int most_at(const float *effect, int n, bool value) {
  int most = 0;
  for (int i = 1; i < n; i++)
    if ((value ? fabsf(effect[i]) : effect[i]) > (value ? fabsf(effect[most]) : effect[most])) most = i;
  return most;
}

/* The frames and bins that spoke for the answer the most, in words. */
static void describe(const am_why *w, const am_checkpoint *m, const stretch *x, char *out, size_t room) {
  const int t = most_at(w->by_frame, w->t, m->values), f = most_at(w->by_bin, w->f, m->values);
  const double when = w->start + w->seconds * (t + 0.5) / w->t;
  const char *label = m->labels[x->class], *from = *x->name ? " from its start" : "";
  char where[80];
  if (w->hertz) snprintf(where, sizeof where, "around %.0f Hz", w->hertz[f]);
  else if (am_config_feature_name(m->config, f, where, sizeof where, NULL)) snprintf(where, sizeof where, "bin %d", f);
  if (m->values)
    snprintf(
        out, room,
        "%s by this model alone: %.2f. Most is moved by the time around %.2f s%s (%+.2f; without it, %.2f would be "
        "told) and, over the whole sound, by what is %s (%+.2f).",
        label, w->figure, when, from, (double)w->by_frame[t], w->figure - (double)w->by_frame[t], where,
        (double)w->by_bin[f]);
  else
    snprintf(out, room,
             "Log-odds of %s by this model alone: %.2f. Most for it speaks the time around %.2f s%s (%+.2f when all "
             "bins of it are replaced) and, over the whole sound, %s (%+.2f).",
             label, w->figure, when, from, (double)w->by_frame[t], where, (double)w->by_bin[f]);
}

static am_status draw(cli *c, cli_whys *to, const stretch *x, const am_why *w, const am_checkpoint *m, am_error *err) {
  const size_t i = to->n, used = strlen(to->titles[i]);
  const char *label = m->labels[x->class];
  char below[160];
  snprintf(below, sizeof below,
           m->values ? "raises %.100s (red) or lowers it (blue)" : "for %.100s (red) and against it (blue)", label);
  const am_plot_style style = {.image = AM_IMAGE_INLINE};
  const am_why_view view = {.title = "what the net hears",
                            .below = below,
                            .x = w->x,
                            .effect = w->effect,
                            .t = w->t,
                            .f = w->f,
                            .hertz = w->hertz,
                            .start = w->start,
                            .seconds = w->seconds,
                            .whole = (double)x->n / x->rate};
  if (m->values) snprintf(to->titles[i] + used, sizeof to->titles[i] - used, ": %s", label);
  describe(w, m, x, to->notes[i], sizeof to->notes[i]);
  am_status st = am_plot_why(c->ctx, &style, &view, &to->pictures[i], err);
  to->at[i] = (am_recording_why){to->titles[i], to->notes[i], &to->pictures[i]};
  to->n++;
  return st;
}

/* A model of one vector for the whole sound has a line in place of a picture, as one has that hears nothing there. */
static am_status explain(cli *c, cli_whys *to, const stretch *x, am_checkpoint *m, am_error *err) {
  float *made = NULL;
  const float *samples;
  size_t n = x->n;
  am_why w;
  am_error why = AM_ERROR_INIT;
  am_status st = am_sound_for(c->ctx, x->samples, x->rate, am_checkpoint_rate(m), &made, &samples, &n, err);
  if (!st) {
    st = am_why_sound(m, samples, n, x->class, &w, &why);
    if (!st) {
      st = draw(c, to, x, &w, m, err);
      am_why_free(c->ctx, &w);
    } else if (st == AM_E_UNSUPPORTED || (st == AM_E_DATA && *x->name)) {
      const size_t i = to->n++;
      snprintf(to->notes[i], sizeof to->notes[i], "No picture: %.360s.", why.message);
      to->at[i] = (am_recording_why){to->titles[i], to->notes[i], NULL};
      st = AM_OK;
    } else {
      st = am_fail(err, st, "%s", why.message);
    }
  }
  am_free(c->ctx, made);
  return st;
}

static am_status explain_all(cli *c, cli_whys *to, const cli_models *team, const stretch *x, am_error *err) {
  am_status st = AM_OK;
  for (size_t i = 0; i < team->n && !st; i++)
    for (size_t j = 0; j < am_checkpoint_members(team->at[i]) && to->n < CLI_MOST_WHYS && !st; j++) {
      am_checkpoint *m = am_checkpoint_member(team->at[i], j);
      const double weight = am_checkpoint_weight(team->at[i], j);
      char *title = to->titles[to->n], part[40] = "";
      if (!(weight > 0)) continue;
      if (weight < 1) snprintf(part, sizeof part, ", with a weight of %.2f", weight);
      snprintf(title, sizeof to->titles[0], "%s%s%.120s%s", x->name, *x->name ? ", by " : "", m->config->name, part);
      st = explain(c, to, x, m, err);
    }
  return st;
}

am_status cli_whys_add(cli *c, cli_whys *to, const cli_models *team, const char *name, const float *samples, size_t n,
                       int class, am_error *err) {
  const stretch x = {.name = name, .samples = samples, .n = n, .rate = am_checkpoint_rate(team->at[0]), .class = class};
  return explain_all(c, to, team, &x, err);
}

void cli_whys_note(cli_whys *to, const char *title, const char *note) {
  const size_t i = to->n++;
  snprintf(to->titles[i], sizeof to->titles[i], "%s", title);
  snprintf(to->notes[i], sizeof to->notes[i], "%s", note);
  to->at[i] = (am_recording_why){to->titles[i], to->notes[i], NULL};
}

void cli_whys_free(cli *c, cli_whys *whys) {
  for (size_t i = 0; i < whys->n; i++) am_buffer_free(c->ctx, &whys->pictures[i]);
}

/* ---- the page ---- */

static am_status write_page(page *x, const cli_hearing *how, const char *path, am_error *err) {
  const am_checkpoint *m = x->team->at[0];
  const double seconds = (double)x->sound.n / x->sound.rate;
  const bool heard = !x->heard.unheard, inside = seconds <= embedded;
  const int top = heard ? am_largest(x->p, m->classes) : -1;
  const bool sure = heard && (!how->shape.thresholds ||
                              am_thresholds_decide(how->shape.thresholds, x->p, m->classes) != AM_UNCERTAIN);
  double next = 0;
  for (int k = 0; k < m->classes && heard; k++)
    if (k != top) next = fmax(next, (double)x->p[k]);
  const am_recording_measure measure = {0, seconds, 0, x->p};
  const am_recording_segment segment = {0,
                                        seconds,
                                        sure ? top : -1,
                                        !heard ? am_unheard_name(x->heard.unheard)
                                        : sure ? m->labels[top]
                                               : "uncertain",
                                        heard ? (double)x->p[top] : NAN,
                                        heard ? (double)x->p[top] - next : NAN,
                                        top,
                                        NULL};
  am_buffer sound = {0}, html = {0};
  am_status st = inside ? am_encode_flac(x->c->ctx, x->sound.samples, x->sound.n, x->sound.rate, &sound, err) : AM_OK;
  const am_recording r = {.file = x->file,
                          .model = am_path_base(x->team->path[0]),
                          .media = am_path_base(x->file),
                          .sound = inside ? &sound : NULL,
                          .seconds = seconds,
                          .labels = (const char *const *)m->labels,
                          .classes = m->classes,
                          .peaks = x->peaks,
                          .n_peaks = x->n_peaks,
                          .measures = &measure,
                          .n_measures = heard,
                          .segments = &segment,
                          .n_segments = 1,
                          .why = x->why.at,
                          .n_why = x->why.n};
  if (!st) st = am_recording_page(x->c->ctx, &r, &html, err);
  if (!st) st = am_file_write(x->c->ctx, path, html.data, html.used, err);
  am_buffer_free(x->c->ctx, &sound);
  am_buffer_free(x->c->ctx, &html);
  return st;
}

/* How a sound goes over time: its windows, or what of it is speech. */
static am_status hear_over_time(cli_recorded *x, const cli_hearing *how, am_error *err) {
  am_stream_options o = {.size = sizeof o, .speech = AM_SPEECH_ALL, .window = 3, .hop = 1, .first = 1};
  const am_segment_options steps = {.size = sizeof steps};
  if (!how->segmented) return cli_recorded_hear(x, &o, &steps, err);
  o = how->segments.stream;
  if (o.speech == AM_SPEECH_BY_LEVEL && x->team->detector) o.speech = AM_SPEECH_BY_MODEL;
  if (o.speech == AM_SPEECH_BY_MODEL) o.detector = x->team->detector;
  for (size_t i = 0; i < x->team->n && cli_segments_learn(&how->segments); i++)
    am_checkpoint_forget_speaker(x->team->at[i]);
  return cli_recorded_hear(x, &o, &how->segments.options, err);
}

static am_status page_over_time(page *x, const cli_hearing *how, const char *path, am_error *err) {
  cli_recorded heard = {.c = x->c,
                        .team = x->team,
                        .media = x->file,
                        .thresholds = how->shape.thresholds,
                        .priors = how->segments.priors};
  am_recording r = {.why = x->why.at, .n_why = x->why.n};
  am_status st = hear_over_time(&heard, how, err);
  if (!st) st = cli_recorded_save(&heard, &r, path, err);
  cli_recorded_free(&heard);
  return st;
}

/* Of a class, the answer; of dimensions each, where the model hears all of the sound at once. */
static am_status take_whys(page *x, am_error *err) {
  const am_checkpoint *m = x->team->at[0];
  if (x->heard.unheard || (m->values && x->heard.cut)) return AM_OK;
  const int first = m->values ? 0 : am_largest(x->p, m->classes), end = m->values ? m->classes : first + 1;
  am_status st = AM_OK;
  for (int k = first; k < end && !st; k++)
    st = cli_whys_add(x->c, &x->why, x->team, "", x->sound.samples, x->sound.n, k, err);
  return st;
}

am_status cli_predict_page(cli *c, const cli_models *team, const cli_sounds *sounds, const cli_hearing *how,
                           const char *path, am_error *err) {
  page x = {.c = c, .team = team, .file = sounds->at[0], .sound = {.size = sizeof(am_sound)}};
  const am_checkpoint *m = team->at[0];
  x.heard.size = sizeof x.heard;
  if (how->segmented) return page_over_time(&x, how, path, err);
  am_status st = cli_sound_read_track(c, x.file, am_checkpoint_rate(m), &x.sound, err);
  if (!st && !(x.p = am_alloc(c->ctx, (size_t)m->classes, sizeof *x.p))) st = am_no_memory(err);
  if (!st) st = am_ensemble_predict(team->ensemble, x.sound.samples, x.sound.n, x.p, &x.heard, err);
  if (!st) st = take_whys(&x, err);
  if (!st && m->values) {
    st = page_over_time(&x, how, path, err);
  } else {
    if (!st) st = take_peaks(&x, err);
    if (!st) st = write_page(&x, how, path, err);
  }
  cli_whys_free(c, &x.why);
  am_free(c->ctx, x.p);
  am_free(c->ctx, x.peaks);
  am_sound_free(&x.sound);
  return st;
}
