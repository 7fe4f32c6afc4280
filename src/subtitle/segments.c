/* SPDX-License-Identifier: MIT */
/* subtitle/segments.c - the formats that have a row for each segment, and the table of all. */
#include "subtitle/segments.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "io/csv.h"
#include "io/json.h"

static float most(const char *const *labels, int classes, const am_segment_row *r) {
  float best = NAN;
  for (int k = 0; k < classes && r->p; k++)
    if (r->top && !strcmp(labels[k], r->top)) best = r->p[k];
  return best;
}

/* What is shown of a row in one field: "angry", "valence 2.10, arousal 3.40"; NULL: no memory. */
static const char *shown(am_segment_writer *w, const am_segment_row *r, am_buffer *room) {
  if (!w->scale || !r->p) return r->label;
  for (int k = 0; k < w->classes; k++)
    am_buffer_printf(w->ctx, room, "%s%s %.2f", k ? ", " : "", w->labels[k], (double)r->p[k]);
  if (!room->failed) return room->data;
  w->out.failed = true;
  am_buffer_free(w->ctx, room);
  return NULL;
}

static void text_row(am_segment_writer *w, const am_segment_row *r) {
  if (w->channel) am_buffer_printf(w->ctx, &w->out, "%-10s ", w->channel);
  if (w->scale) {
    am_buffer_printf(w->ctx, &w->out, "%9.2f %9.2f", r->start, r->end);
    for (int k = 0; k < w->classes && r->p; k++)
      am_buffer_printf(w->ctx, &w->out, "  %s %.2f", w->labels[k], (double)r->p[k]);
    am_buffer_printf(w->ctx, &w->out, r->p ? "\n" : "  %s\n", r->label);
    return;
  }
  am_buffer_printf(w->ctx, &w->out, "%9.2f %9.2f  %-12s", r->start, r->end, r->label);
  if (r->top)
    am_buffer_printf(w->ctx, &w->out, " %5.1f %%  margin %5.1f %%  share %3.0f %%",
                     100 * (double)most(w->labels, w->classes, r), 100 * r->margin, 100 * r->share);
  if (r->top && strcmp(r->top, r->label)) am_buffer_printf(w->ctx, &w->out, "  (%s)", r->top);
  am_buffer_printf(w->ctx, &w->out, "\n");
}

void am_segment_cue_text(am_context *ctx, const char *const *labels, int classes, const float *values, am_buffer *out) {
  out->used = 0;
  for (int k = 0; k < classes; k++) am_buffer_printf(ctx, out, "%s%s %.2f", k ? " " : "", labels[k], (double)values[k]);
}

/* As predict tells windows; p NULL: nothing was heard. */
static void json_values(am_json *j, const char *const *labels, int classes, const am_scale *scale, const float *p) {
  am_json_open(j, "dimensions", '{');
  for (int k = 0; k < classes; k++) am_json_float(j, labels[k], p ? p[k] : NAN);
  am_json_close(j);
  am_scales_put(j, labels, scale, classes);
}

void am_segment_json(am_json *j, const char *const *labels, int classes, const am_scale *scale,
                     const am_segment_row *r) {
  am_json_real(j, "start", r->start);
  am_json_real(j, "end", r->end);
  if (scale) {
    json_values(j, labels, classes, scale, r->p);
    am_json_text(j, "reason", r->p ? NULL : r->label);
    am_json_int(j, "utterance", (int64_t)r->utterance);
    return;
  }
  am_json_text(j, "label", r->label);
  am_json_text(j, "top", r->top);
  am_json_float(j, "probability", most(labels, classes, r));
  am_json_real(j, "margin", r->top ? r->margin : NAN);
  am_json_real(j, "share", r->top ? r->share : NAN);
  am_json_int(j, "utterance", (int64_t)r->utterance);
  am_json_open(j, "probabilities", '{');
  for (int k = 0; k < classes && r->p; k++) am_json_float(j, labels[k], r->p[k]);
  am_json_close(j);
}

static bool is_noted(const am_segment_writer *w);

static am_json json_open(am_segment_writer *w) {
  am_json j = am_json_begin(w->ctx, &w->out, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "file", w->file);
  if (w->channel) am_json_text(&j, "channel", w->channel);
  return j;
}

static void json_end(am_segment_writer *w, am_json *j) {
  am_json_close(j);
  am_buffer_append(w->ctx, &w->out, "\n", 1);
}

static void json_row(am_segment_writer *w, const am_segment_row *r) {
  am_json j = json_open(w);
  am_segment_json(&j, w->labels, w->classes, w->scale, r);
  if (is_noted(w) && !w->scale) am_json_null(&j, "reason"); /* values have theirs */
  if (is_noted(w)) am_json_null(&j, "error");
  json_end(w, &j);
}

/* What a row says that is of no segment. */
static am_segment_row no_segment(void) {
  return (am_segment_row){.start = NAN, .end = NAN, .margin = NAN, .share = NAN};
}

static void json_note(am_segment_writer *w, const char *reason, const char *error) {
  am_json j = json_open(w);
  am_json_null(&j, "start");
  am_json_null(&j, "end");
  if (w->scale) json_values(&j, w->labels, w->classes, w->scale, NULL);
  else am_json_null(&j, "label");
  am_json_text(&j, "reason", reason);
  am_json_text(&j, "error", error);
  json_end(w, &j);
}

static void csv_head(am_segment_writer *w) {
  static const char *const names[] = {"file", "channel", "start", "end", "label", "top", "margin", "share"};
  enum { OF_BOTH = 4 }; /* columns that values have, too */
  am_csv_writer c = {.ctx = w->ctx, .out = &w->out};
  am_buffer name = {0};
  for (size_t i = 0; i < (w->scale ? OF_BOTH : sizeof names / sizeof *names); i++) am_csv_put(&c, names[i]);
  for (int k = 0; k < w->classes; k++) {
    name.used = 0;
    am_buffer_printf(w->ctx, &name, "%s%s", w->scale ? "" : "p_", w->labels[k]);
    if (name.failed) w->out.failed = true;
    else am_csv_put(&c, name.data);
  }
  if (w->scale || is_noted(w)) am_csv_put(&c, "reason");
  if (is_noted(w)) am_csv_put(&c, "error");
  am_csv_end_row(&c);
  am_buffer_free(w->ctx, &name);
}

static void csv_said(am_segment_writer *w, const am_segment_row *r, const char *reason, const char *error) {
  am_csv_writer c = {.ctx = w->ctx, .out = &w->out};
  am_csv_put(&c, w->file);
  am_csv_put(&c, w->channel ? w->channel : "");
  am_csv_put_real(&c, r->start);
  am_csv_put_real(&c, r->end);
  if (!w->scale) {
    am_csv_put(&c, r->label ? r->label : "");
    am_csv_put(&c, r->top ? r->top : "");
    am_csv_put_real(&c, r->top ? r->margin : NAN);
    am_csv_put_real(&c, r->top ? r->share : NAN);
  }
  for (int k = 0; k < w->classes; k++) am_csv_put_real(&c, r->p ? am_float_decimal(r->p[k]) : NAN);
  if (w->scale || is_noted(w)) am_csv_put(&c, reason);
  if (is_noted(w)) am_csv_put(&c, error);
  am_csv_end_row(&c);
}

static void csv_row(am_segment_writer *w, const am_segment_row *r) {
  csv_said(w, r, w->scale && !r->p ? r->label : "", "");
}

static void csv_note(am_segment_writer *w, const char *reason, const char *error) {
  const am_segment_row none = no_segment();
  csv_said(w, &none, reason, error ? error : "");
}

/* A field of RTTM holds no space, and is not empty. */
static void rttm_field(am_segment_writer *w, const char *text) {
  for (const char *at = *text ? text : "_"; *at; at++) {
    const bool blank = (unsigned char)*at <= ' ';
    am_buffer_append(w->ctx, &w->out, blank ? "_" : at, 1);
  }
}

/* NIST's Rich Transcription Time Marked: the label, or the values, are where a diariser puts the speaker. */
static void rttm_row(am_segment_writer *w, const am_segment_row *r) {
  const char *slash = strrchr(w->file, '/');
  am_buffer room = {0};
  const char *text = r->top || r->p ? shown(w, r, &room) : NULL;
  if (!text) return;
  am_buffer_printf(w->ctx, &w->out, "SPEAKER ");
  rttm_field(w, slash ? slash + 1 : w->file);
  am_buffer_printf(w->ctx, &w->out, " %d %.3f %.3f <NA> <NA> ", w->number ? w->number : 1, r->start, r->end - r->start);
  rttm_field(w, text);
  am_buffer_printf(w->ctx, &w->out, " <NA> <NA>\n");
  am_buffer_free(w->ctx, &room);
}

static void audacity_row(am_segment_writer *w, const am_segment_row *r) {
  am_buffer room = {0};
  const char *text = shown(w, r, &room);
  if (!text) return;
  am_buffer_printf(w->ctx, &w->out, "%.6f\t%.6f\t%s%s%s\n", r->start, r->end, w->channel ? w->channel : "",
                   w->channel ? ": " : "", text);
  am_buffer_free(w->ctx, &room);
}

static const am_segment_format formats[] = {
    {"text", "a line a segment", false, NULL, text_row, NULL},
    {"json", "a line of JSON a segment", false, NULL, json_row, NULL},
    {"csv", "a header, and a line a segment", false, csv_head, csv_row, NULL},
    {"rttm", "Rich Transcription Time Marked, the label in place of the speaker", false, NULL, rttm_row, NULL},
    {"audacity", "a label track of Audacity", false, NULL, audacity_row, NULL},
    {"textgrid", "an interval tier of Praat, of one sound", true, NULL, am_segment_keep, am_segment_textgrid},
    {"elan", "an annotation file of ELAN (EAF), of one sound", true, NULL, am_segment_keep, am_segment_elan},
};

/* By the names of those that they are like. */
static const am_segment_format noted[] = {
    {"json", "", false, NULL, json_row, NULL},
    {"csv", "", false, csv_head, csv_row, NULL},
};

static bool is_noted(const am_segment_writer *w) { return w->format == &noted[0] || w->format == &noted[1]; }

const am_segment_format *am_segment_format_noted(const am_segment_format *format) {
  for (size_t i = 0; i < sizeof noted / sizeof *noted; i++)
    if (!strcmp(noted[i].name, format->name)) return &noted[i];
  return NULL;
}

const am_segment_format *am_segment_format_at(size_t i) {
  return i < sizeof formats / sizeof *formats ? &formats[i] : NULL;
}

const am_segment_format *am_segment_format_find(const char *name) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (!strcmp(formats[i].name, name)) return &formats[i];
  return NULL;
}

static am_status made(const am_segment_writer *w, am_error *err) { return w->out.failed ? am_no_memory(err) : AM_OK; }

am_status am_segment_writer_begin(am_segment_writer *w, am_context *ctx, const am_segment_format *format,
                                  const char *const *labels, int classes, const am_scale *scale, am_error *err) {
  *w = (am_segment_writer){
      .ctx = ctx, .format = format, .labels = labels, .classes = classes, .scale = scale, .file = ""};
  if (format->head) format->head(w);
  return made(w, err);
}

am_status am_segment_writer_put(am_segment_writer *w, const am_segment_row *row, am_error *err) {
  w->format->row(w, row);
  return made(w, err);
}

am_status am_segment_writer_note(am_segment_writer *w, const char *reason, const char *error, am_error *err) {
  if (w->format == &noted[0]) json_note(w, reason, error);
  else csv_note(w, reason, error);
  return made(w, err);
}

am_status am_segment_writer_end(am_segment_writer *w, double seconds, am_error *err) {
  if (w->format->end) w->format->end(w, seconds);
  return made(w, err);
}

void am_segment_writer_free(am_segment_writer *w) {
  for (size_t i = 0; i < w->n_kept; i++) {
    am_free(w->ctx, w->kept[i].label);
    am_free(w->ctx, w->kept[i].channel);
  }
  am_free(w->ctx, w->kept);
  am_buffer_free(w->ctx, &w->out);
}
