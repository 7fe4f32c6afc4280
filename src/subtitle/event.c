/* SPDX-License-Identifier: MIT */
/* subtitle/event.c - see event.h. */
#include "subtitle/event.h"

#include "base/number.h"
#include "model/checkpoint.h"

int am_event_answer(const am_event_teller *t, const float *p) {
  if (!t->thresholds) return am_largest(p, t->model->classes);
  return t->own ? am_checkpoint_decide(t->model, p) : am_thresholds_decide(t->thresholds, p, t->model->classes);
}

const char *am_event_name(am_stream_kind kind) {
  static const char *const names[] = {"speech_begins", "measured", "speech_ends", "notice"};
  return names[kind];
}

void am_event_json(am_context *ctx, const am_event_teller *t, const am_stream_event *e, am_buffer *out) {
  const am_checkpoint *m = t->model;
  am_json j = am_json_begin(ctx, out, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "event", am_event_name(e->kind));
  am_json_real(&j, "start", e->start);
  if (e->kind == AM_STREAM_MEASURED || e->kind == AM_STREAM_SPEECH_ENDS) am_json_real(&j, "end", e->end);
  if (e->kind == AM_STREAM_NOTICE) am_json_text(&j, "text", e->text);
  else am_json_int(&j, "utterance", (int64_t)e->utterance);
  if (e->kind == AM_STREAM_MEASURED && m->values) {
    am_json_bool(&j, "last", e->last);
    am_json_open(&j, "dimensions", '{'); /* not a number is null */
    for (int k = 0; k < m->classes; k++) am_json_float(&j, m->labels[k], e->probabilities[k]);
    am_json_close(&j);
  } else if (e->kind == AM_STREAM_MEASURED) {
    const bool heard = !e->heard.unheard;
    const int answer = heard ? am_event_answer(t, e->probabilities) : AM_UNCERTAIN;
    am_json_bool(&j, "last", e->last);
    am_json_text(&j, "label", answer >= 0 ? m->labels[answer] : NULL);
    am_json_text(&j, "top", heard ? m->labels[am_largest(e->probabilities, m->classes)] : NULL);
    am_json_open(&j, "probabilities", '{');
    for (int k = 0; k < m->classes && heard; k++) am_json_float(&j, m->labels[k], e->probabilities[k]);
    am_json_close(&j);
  }
  am_json_close(&j);
}

am_segment_row am_event_row(const am_event_teller *t, const am_segment *s) {
  am_segment_row row = {.start = s->start,
                        .end = s->end,
                        .margin = s->margin,
                        .share = s->share,
                        .utterance = s->utterance,
                        .label = "silent"};
  if (s->label < 0) return row;
  row.p = s->probabilities;
  row.label = "";
  if (t->model->values) return row;
  row.top = t->model->labels[s->label];
  row.label = !t->thresholds || am_event_answer(t, s->probabilities) != AM_UNCERTAIN ? row.top : "uncertain";
  return row;
}
