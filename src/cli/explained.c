/* cli/explained.c - predict --report: the page of one sound, with what moved the answer. */
#include <math.h>
#include <string.h>

#include "audio/encoder.h"
#include "audio/sound.h"
#include "base/file.h"
#include "cli/explained.h"
#include "model/ensemble.h"
#include "model/predict.h"
#include "model/why.h"
#include "report/plot.h"
#include "report/recording.h"

/* Up to so long the sound is in the page, s; and how fine the waveform is, values a second. */
static const double embedded = 600, peaks_a_second = 50;
enum { MOST_PICTURES = 8 };

typedef struct page {
  cli *c;
  const cli_models *team;
  const char *file;
  am_sound sound;
  float *p; /* (K) */
  am_heard heard;
  float *peaks;
  size_t n_peaks;
  am_recording_why why[MOST_PICTURES];
  am_buffer pictures[MOST_PICTURES];
  char titles[MOST_PICTURES][200], notes[MOST_PICTURES][400];
  size_t n_why;
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

/* The frames and bins that spoke for the answer the most, in words. */
static void describe(const am_why *w, const am_config *config, const char *label, char *out, size_t room) {
  int t = 0, f = 0;
  for (int i = 1; i < w->t; i++)
    if (w->by_frame[i] > w->by_frame[t]) t = i;
  for (int j = 1; j < w->f; j++)
    if (w->by_bin[j] > w->by_bin[f]) f = j;
  char where[80];
  if (w->hertz) snprintf(where, sizeof where, "around %.0f Hz", w->hertz[f]);
  else if (am_config_feature_name(config, f, where, sizeof where, NULL)) snprintf(where, sizeof where, "bin %d", f);
  snprintf(out, room,
           "Log-odds of %s by this model alone: %.2f. Most for it speaks the time around %.2f s (%+.2f when all bins "
           "of it are "
           "replaced) and, over the whole sound, %s (%+.2f).",
           label, w->log_odds, w->start + w->seconds * (t + 0.5) / w->t, (double)w->by_frame[t], where,
           (double)w->by_bin[f]);
}

static am_status draw(page *x, const am_why *w, const am_config *config, const char *name, const char *label,
                      am_error *err) {
  const size_t i = x->n_why;
  char below[160];
  snprintf(below, sizeof below, "for %s (red) and against it (blue)", label);
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
                            .whole = (double)x->sound.n / x->sound.rate};
  snprintf(x->titles[i], sizeof x->titles[i], "%s", name);
  describe(w, config, label, x->notes[i], sizeof x->notes[i]);
  am_status st = am_plot_why(x->c->ctx, &style, &view, &x->pictures[i], err);
  x->why[i] = (am_recording_why){x->titles[i], x->notes[i], &x->pictures[i]};
  x->n_why++;
  return st;
}

/* A model of one vector for the whole sound has a line in place of a picture. */
static am_status explain(page *x, am_checkpoint *m, const char *name, int class, am_error *err) {
  float *made = NULL;
  const float *samples;
  size_t n = x->sound.n;
  am_why w;
  am_error why = AM_ERROR_INIT;
  am_status st =
      am_sound_for(x->c->ctx, x->sound.samples, x->sound.rate, am_checkpoint_rate(m), &made, &samples, &n, err);
  if (!st) {
    st = am_why_sound(m, samples, n, class, &w, &why);
    if (!st) {
      st = draw(x, &w, m->config, name, m->labels[class], err);
      am_why_free(x->c->ctx, &w);
    } else if (st == AM_E_UNSUPPORTED) {
      const size_t i = x->n_why++;
      snprintf(x->titles[i], sizeof x->titles[i], "%s", name);
      snprintf(x->notes[i], sizeof x->notes[i], "No picture: %.360s.", why.message);
      x->why[i] = (am_recording_why){x->titles[i], x->notes[i], NULL};
      st = AM_OK;
    } else {
      st = am_fail(err, st, "%s", why.message);
    }
  }
  am_free(x->c->ctx, made);
  return st;
}

static am_status explain_all(page *x, int class, am_error *err) {
  am_status st = AM_OK;
  for (size_t i = 0; i < x->team->n && !st; i++)
    for (size_t j = 0; j < am_checkpoint_members(x->team->at[i]) && x->n_why < MOST_PICTURES && !st; j++) {
      am_checkpoint *m = am_checkpoint_member(x->team->at[i], j);
      const double weight = am_checkpoint_weight(x->team->at[i], j);
      char name[160];
      if (!(weight > 0)) continue;
      if (weight < 1) snprintf(name, sizeof name, "%s, with a weight of %.2f", m->config->name, weight);
      else snprintf(name, sizeof name, "%s", m->config->name);
      st = explain(x, m, name, class, err);
    }
  return st;
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
                                        top};
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
                          .why = x->why,
                          .n_why = x->n_why};
  if (!st) st = am_recording_page(x->c->ctx, &r, &html, err);
  if (!st) st = am_file_write(x->c->ctx, path, html.data, html.used, err);
  am_buffer_free(x->c->ctx, &sound);
  am_buffer_free(x->c->ctx, &html);
  return st;
}

am_status cli_predict_page(cli *c, const cli_models *team, const cli_sounds *sounds, const cli_hearing *how,
                           const char *path, am_error *err) {
  page x = {.c = c, .team = team, .file = sounds->at[0], .sound = {.size = sizeof(am_sound)}};
  const size_t classes = (size_t)team->at[0]->classes;
  x.heard.size = sizeof x.heard;
  am_status st = cli_sound_read_track(c, x.file, am_checkpoint_rate(team->at[0]), &x.sound, err);
  if (!st && !(x.p = am_alloc(c->ctx, classes, sizeof *x.p))) st = am_no_memory(err);
  if (!st) st = am_ensemble_predict(team->ensemble, x.sound.samples, x.sound.n, x.p, &x.heard, err);
  if (!st) st = take_peaks(&x, err);
  if (!st && !x.heard.unheard) st = explain_all(&x, am_largest(x.p, (int)classes), err);
  if (!st) st = write_page(&x, how, path, err);
  for (size_t i = 0; i < x.n_why; i++) am_buffer_free(c->ctx, &x.pictures[i]);
  am_free(c->ctx, x.p);
  am_free(c->ctx, x.peaks);
  am_sound_free(&x.sound);
  return st;
}
