/* SPDX-License-Identifier: MIT */
/* cli/over_time_tags.c - how often a tag that subtitles would show is right. */
#include <math.h>
#include <string.h>

#include "cli/over_time.h"
#include "subtitle/show.h"

void cli_tags_free(cli_tags *t) {
  am_free(t->c->ctx, t->at);
  am_free(t->c->ctx, t->p);
  t->at = NULL;
  t->p = NULL;
}

am_status cli_tags_add(cli_tags *t, const cli_models *team, const char *path, const am_stretch *truth, size_t n,
                       double seconds, am_error *err) {
  cli_heard heard = {0};
  am_context *ctx = t->c->ctx;
  const int classes = t->model->classes;
  const size_t k = (size_t)classes;
  cli_span *spans = am_alloc(ctx, n + 1, sizeof *spans);
  am_status st = spans ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !st; i++) spans[i] = (cli_span){.start = truth[i].start, .end = truth[i].end};
  if (!st) st = cli_spans_hear(t->c, team, path, spans, n, &heard, err);
  if (!st) st = am_grow(ctx, &t->at, &t->room, t->n + n, sizeof *t->at, err);
  if (!st) st = am_grow(ctx, &t->p, &t->room_p, t->n + n, am_mul(k, sizeof *t->p), err);
  for (size_t i = 0; i < n && !st; i++, t->n++) {
    t->at[t->n] = (struct cli_tags_cue){truth[i].start, t->recordings, truth[i].label, heard.at[i].measured};
    cli_priors_apply(t->priors, classes, heard.p + i * k, t->p + t->n * k);
  }
  t->recordings++;
  t->seconds += seconds;
  cli_heard_free(t->c, &heard);
  am_free(ctx, spans);
  return st;
}

/* What is counted of each class, and of all. */
typedef struct counted {
  size_t *shown, *right; /* (K) */
  size_t all_shown, all_right;
  size_t moods, found; /* rows of cues of one emotion; those of which a right tag was shown */
} counted;

static int largest(const float *p, int classes, double *margin) {
  double next = 0;
  const int top = am_largest(p, classes);
  for (int k = 0; k < classes; k++)
    if (k != top) next = fmax(next, (double)p[k]);
  *margin = (double)p[top] - next;
  return top;
}

/* By the thresholds, or by one for all classes. */
static am_status count(const cli_tags *t, const am_thresholds *thresholds, double one, counted *x, am_error *err) {
  const int classes = t->model->classes;
  am_show show;
  am_status st = AM_OK;
  bool open = false, hit = false;
  am_show_begin(&show, t->c->ctx, &am_show_defaults);
  for (size_t i = 0; i < t->n && !st; i++) {
    const struct cli_tags_cue *cue = &t->at[i];
    const float *p = t->p + i * (size_t)classes;
    const bool new = !i || cue[-1].recording != cue->recording;
    am_shown shown = {.start = cue->start, .label = -1, .fits = true};
    bool told = false;
    if (new) {
      am_show_end(&show);
      am_show_begin(&show, t->c->ctx, &am_show_defaults);
    }
    if (new || strcmp(cue[-1].truth, cue->truth)) {
      open = am_timeline_is_emotion(cue->truth);
      hit = false;
      x->moods += open;
    }
    if (cue->measured) {
      const int top = largest(p, classes, &shown.margin);
      shown.label = (double)p[top] >= (thresholds ? thresholds->at[top] : one) ? top : -1;
      shown.quiet = shown.label >= 0 && !am_timeline_is_emotion(t->model->labels[top]);
    }
    st = am_show_cue(&show, &shown, &told, err);
    if (!told) continue;
    const bool right = !strcmp(t->model->labels[shown.label], cue->truth);
    x->all_shown++;
    x->all_right += right;
    if (x->shown) x->shown[shown.label]++, x->right[shown.label] += right;
    x->found += right && open && !hit;
    hit |= right;
  }
  am_show_end(&show);
  return st;
}

static double share(size_t part, size_t whole) { return whole ? (double)part / (double)whole : NAN; }

static double a_minute(const cli_tags *t, const counted *x) { return 60 * (double)x->all_shown / t->seconds; }

static const double steps[] = {0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98};
enum { STEPS = sizeof steps / sizeof *steps };

static am_status count_all(const cli_tags *t, counted *x, counted *by, am_error *err) {
  const size_t k = (size_t)t->model->classes;
  *x = (counted){.shown = am_alloc(t->c->ctx, k, sizeof *x->shown), .right = am_alloc(t->c->ctx, k, sizeof *x->right)};
  if (!x->shown || !x->right) return am_no_memory(err);
  am_status st = count(t, t->thresholds, 0, x, err);
  for (int i = 0; i < STEPS && !st; i++) {
    by[i] = (counted){0};
    st = count(t, NULL, steps[i], &by[i], err);
  }
  return st;
}

static void tell_share(int width, size_t part, size_t whole) {
  if (whole) cli_print(" %*.1f", width, 100 * share(part, whole));
  else cli_print(" %*s", width, "-");
}

am_status cli_tags_tell(const cli_tags *t, am_error *err) {
  counted x, by[STEPS];
  am_status st = count_all(t, &x, by, err);
  if (!st) {
    cli_print("\ntags as subtitle would show them, a cue a stretch of the reference%s\n\n",
              t->thresholds ? "" : " (without thresholds)");
    cli_print("%-12s %8s %8s %10s\n", "emotion", "shown", "right", "precision");
    for (int k = 0; k < t->model->classes; k++) {
      if (!am_timeline_is_emotion(t->model->labels[k])) continue;
      cli_print("%-12s %8zu %8zu", t->model->labels[k], x.shown[k], x.right[k]);
      tell_share(10, x.right[k], x.shown[k]);
      cli_print("\n");
    }
    cli_print("%-12s %8zu %8zu", "all", x.all_shown, x.all_right);
    tell_share(10, x.all_right, x.all_shown);
    cli_print("\n\n%zu of %zu moods are told, %.2f tags a minute\n\n", x.found, x.moods, a_minute(t, &x));
    cli_print("%-12s %8s %10s %8s %9s\n", "threshold", "shown", "precision", "moods", "a minute");
    for (int i = 0; i < STEPS; i++) {
      cli_print("%-12.2f %8zu", steps[i], by[i].all_shown);
      tell_share(10, by[i].all_right, by[i].all_shown);
      tell_share(8, by[i].found, by[i].moods);
      cli_print(" %9.2f\n", a_minute(t, &by[i]));
    }
  }
  am_free(t->c->ctx, x.shown);
  am_free(t->c->ctx, x.right);
  return st;
}

static void put(am_json *j, const cli_tags *t, const counted *x) {
  am_json_int(j, "shown", (int64_t)x->all_shown);
  am_json_int(j, "right", (int64_t)x->all_right);
  am_json_real(j, "precision", share(x->all_right, x->all_shown));
  am_json_int(j, "moods", (int64_t)x->moods);
  am_json_int(j, "moods_told", (int64_t)x->found);
  am_json_real(j, "a_minute", a_minute(t, x));
}

am_status cli_tags_json(const cli_tags *t, am_json *j, am_error *err) {
  counted x, by[STEPS];
  am_status st = count_all(t, &x, by, err);
  if (!st) {
    am_json_open(j, "tags", '{');
    put(j, t, &x);
    am_json_open(j, "per_class", '{');
    for (int k = 0; k < t->model->classes; k++) {
      if (!am_timeline_is_emotion(t->model->labels[k])) continue;
      am_json_open(j, t->model->labels[k], '{');
      am_json_int(j, "shown", (int64_t)x.shown[k]);
      am_json_int(j, "right", (int64_t)x.right[k]);
      am_json_real(j, "precision", share(x.right[k], x.shown[k]));
      am_json_close(j);
    }
    am_json_close(j);
    am_json_open(j, "by_threshold", '[');
    for (int i = 0; i < STEPS; i++) {
      am_json_open(j, NULL, '{');
      am_json_real(j, "threshold", steps[i]);
      put(j, t, &by[i]);
      am_json_close(j);
    }
    am_json_close(j);
    am_json_close(j);
  }
  am_free(t->c->ctx, x.shown);
  am_free(t->c->ctx, x.right);
  return st;
}
