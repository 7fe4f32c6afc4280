/* SPDX-License-Identifier: MIT */
/* cli/subtitled_values.c - subtitle with a model of dimensions, which has values of cues in place of an emotion. */
#include <math.h>
#include <string.h>

#include "cli/subtitled.h"

/* What chooses or words a tag, or draws probabilities; and subtitles, in which values would be no words of anybody. */
am_status cli_subtitled_check_values(const cli_subtitled *s, am_error *err) {
  static const char *const of_tags[] = {"style", "language",   "words",         "margin",
                                        "gap",   "per-minute", "neutral-prior", "threshold"};
  am_status st = AM_OK;
  if (!s->team.at[0]->values) return AM_OK;
  for (size_t i = 0; i < sizeof of_tags / sizeof *of_tags && !st; i++) {
    char flag[32];
    snprintf(flag, sizeof flag, "--%s", of_tags[i]);
    if (cli_has(s->c, of_tags[i])) st = cli_models_need_classes(&s->team, flag, err);
  }
  if (!st && cli_has(s->c, "report"))
    st = am_fail(err, AM_E_USAGE,
                 "--report: this model tells values of dimensions (%s, ...), whose page is that of predict --segments "
                 "--report FILE.html",
                 s->team.at[0]->labels[0]);
  if (!st && s->given && cli_subtitled_syntax(s->to))
    st = am_fail(err, AM_E_USAGE,
                 "%s: this model tells values of dimensions (%s, ...), which are no words that a cue could begin with; "
                 "--to csv or --to json has those of each cue",
                 s->given, s->team.at[0]->labels[0]);
  return st;
}

am_status cli_subtitled_hear_steps(cli_subtitled *s, am_error *err) {
  const size_t k = (size_t)s->team.at[0]->classes;
  cli_recorded x = {.c = s->c, .team = &s->team, .media = s->media};
  cli_heard *to = &s->heard;
  am_status st = cli_subtitled_record(s, &x, err);
  if (!st) {
    to->at = am_alloc(s->c->ctx, x.n_segments + 1, sizeof *to->at);
    to->p = am_alloc(s->c->ctx, am_mul(x.n_segments + 1, k), sizeof *to->p);
    if (!to->at || !to->p) st = am_no_memory(err);
  }
  for (; !st && to->n < x.n_segments; to->n++) {
    const am_recording_segment *g = &x.segments[to->n];
    memcpy(to->p + to->n * k, g->p, k * sizeof *to->p);
    to->at[to->n] = (cli_span){.start = g->start, .end = g->end, .measured = isfinite(g->p[0])};
  }
  cli_recorded_free(&x);
  return st;
}
