/* SPDX-License-Identifier: MIT */
/* cli/subtitled.c - see subtitled.h. */
#include "cli/subtitled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/vocabulary.h"
#include "io/csv.h"
#include "io/json.h"
#include "subtitle/convert.h"
#include "subtitle/segments.h"

const char *const cli_subtitle_formats[CLI_TO_FORMATS] = {"srt", "vtt", "ass", "ttml", "csv", "json"};

const am_cue_syntax *cli_subtitled_syntax(cli_subtitle_format format) {
  static const am_cue_syntax *const all[CLI_TO_FORMATS] = {&am_srt, &am_vtt, &am_ass, &am_ttml};
  return all[format];
}

/* ---- what classes are called ---- */

/* Whether subtitles are written, in which a text may have no room. */
static bool in_text(const cli_subtitled *s) { return s->given && cli_subtitled_syntax(s->to); }

/* The common word of a label, in `room` where it is none that is known. */
static const char *emotion_of(const char *label, char *room, size_t bytes) {
  snprintf(room, bytes, "%s", label);
  for (char *at = room; *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at += 'a' - 'A';
  const char *common = am_vocabulary_common(room);
  return common ? common : room;
}

am_status cli_subtitled_name(cli_subtitled *s, am_error *err) {
  const am_checkpoint *m = s->team.at[0];
  char room[64];
  am_status st = AM_OK;
  s->word = am_alloc(s->c->ctx, (size_t)m->classes, sizeof *s->word);
  s->quiet = am_alloc(s->c->ctx, (size_t)m->classes, sizeof *s->quiet);
  if (!s->word || !s->quiet) return am_no_memory(err);
  for (int k = 0; k < m->classes && !st; k++) {
    const char *emotion = emotion_of(m->labels[k], room, sizeof room);
    s->quiet[k] = !strcmp(emotion, "neutral") || !strcmp(emotion, "calm");
    s->word[k] = am_emotion_words_find(&s->words, s->language, emotion);
    if (s->word[k] && !s->quiet[k] && in_text(s)) st = am_tag_check(&s->cues, s->style, s->word[k], err);
    if (!s->word[k] && !s->quiet[k] && s->given)
      am_log(s->c->ctx, AM_LOG_WARNING,
             "there is no word for '%s' in '%s', so it is never shown; --words FILE adds one", m->labels[k],
             s->language);
  }
  return st == AM_E_DATA ? am_error_prefix(err, "%s", s->given) : st;
}

/* ---- what is shown ---- */

static cli_told judge(const cli_subtitled *s, size_t i) {
  const int classes = s->team.at[0]->classes;
  const float *p = s->heard.p + i * (size_t)classes;
  cli_told t = {-1, -1, NAN, false};
  if (!s->heard.at[i].measured) return t;
  double next = 0;
  t.top = am_largest(p, classes);
  for (int k = 0; k < classes; k++)
    if (k != t.top) next = fmax(next, (double)p[k]);
  t.margin = (double)p[t.top] - next;
  const bool known = s->known ? s->known[i] : s->enrolled;
  t.label = s->decides[known] ? am_thresholds_decide(&s->thresholds[known], p, classes) : t.top;
  return t;
}

typedef struct order {
  double start;
  size_t which;
} order;

static int by_start(const void *a, const void *b) {
  const order *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return (x->which > y->which) - (x->which < y->which);
}

static am_status decide_cue(cli_subtitled *s, am_tagger *t, am_show *show, size_t i, am_buffer *room, am_error *err) {
  am_cue *cue = &s->cues.at[i];
  cli_told *told = &s->told[i];
  bool several, fits = !in_text(s);
  am_shown shown = {.start = cue->start, .label = told->label, .margin = told->margin};
  am_status st = am_show_cue_speaker(&s->cues, cue, am_tag_inside(t, cue).text, room, &shown.speaker, &several, err);
  const am_emotion_word *word = told->label >= 0 ? s->word[told->label] : NULL;
  shown.quiet = told->label >= 0 && s->quiet[told->label];
  if (st || several || (told->label >= 0 && !word && !shown.quiet)) return st;
  if (word && !shown.quiet && in_text(s)) st = am_tag_put(t, cue, s->style, word, true, &fits, err);
  shown.fits = fits;
  if (!st) st = am_show_cue(show, &shown, &told->shown, err);
  if (!st && told->shown && in_text(s)) st = am_tag_put(t, cue, s->style, word, false, &fits, err);
  if (!st && told->shown && in_text(s) && s->style == AM_TAG_CLASS) st = am_tag_style_block(t, err);
  return st;
}

static am_status decide_cues(cli_subtitled *s, am_error *err) {
  am_tagger t;
  am_show show;
  am_show_begin(&show, s->c->ctx, &s->show);
  order *all = am_alloc(s->c->ctx, s->cues.n + 1, sizeof *all);
  am_status st = am_tagger_begin(&t, &s->cues, &s->words, err);
  if (!st && !all) st = am_no_memory(err);
  for (size_t i = 0; i < s->cues.n && !st; i++) all[i] = (order){s->cues.at[i].start, i};
  if (!st) qsort(all, s->cues.n, sizeof *all, by_start);
  am_buffer room = {0};
  for (size_t i = 0; i < s->cues.n && !st; i++) st = decide_cue(s, &t, &show, all[i].which, &room, err);
  am_buffer_free(s->c->ctx, &room);
  am_free(s->c->ctx, all);
  am_tagger_end(&t);
  am_show_end(&show);
  return st;
}

am_status cli_subtitled_decide(cli_subtitled *s, am_error *err) {
  if (!(s->told = am_alloc(s->c->ctx, s->heard.n + 1, sizeof *s->told))) return am_no_memory(err);
  const bool values = s->team.at[0]->values;
  for (size_t i = 0; i < s->heard.n && !values; i++) s->told[i] = judge(s, i);
  return s->given && !values ? decide_cues(s, err) : AM_OK;
}

/* ---- tables ---- */

static const char *label_of(const cli_subtitled *s, const cli_told *t) {
  return t->top < 0 ? "silent" : t->label < 0 ? "uncertain" : s->team.at[0]->labels[t->label];
}

/* The text of a cue in UTF-8, its lines with '\n' between them; and who speaks. */
static void text_of(const cli_subtitled *s, size_t i, am_buffer *text, am_buffer *speaker) {
  bool several;
  am_context *ctx = s->c->ctx;
  const am_cues *c = &s->cues;
  const am_cue *cue = &c->at[i];
  am_slice rest = am_cue_text(c, cue), line;
  text->used = speaker->used = 0;
  if (c->syntax->plain) am_cues_put_plain(c, rest, text);
  for (bool more = false; !c->syntax->plain && am_slice_line(&rest, &line); more = true) {
    if (more) am_buffer_append(ctx, text, "\n", 1);
    am_cues_put_utf8(c, line, text);
  }
  am_buffer_append(ctx, text, "", 0);
  if (cue->speaker) am_buffer_append(ctx, speaker, cue->speaker, strlen(cue->speaker));
  else if (c->syntax->plain) am_buffer_append(ctx, speaker, "", 0);
  else am_cues_put_utf8(c, am_show_speaker_of(am_cue_text(c, cue), &several), speaker);
  am_buffer_append(ctx, speaker, "", 0);
}

static void write_csv(const cli_subtitled *s, am_buffer *out) {
  static const char *const names[] = {"cue",   "start", "end",         "speaker", "text",
                                      "label", "top",   "probability", "margin",  "shown"};
  enum { OF_BOTH = 5 }; /* columns that values have, too */
  const am_checkpoint *m = s->team.at[0];
  am_context *ctx = s->c->ctx;
  am_csv_writer w = {.ctx = ctx, .out = out};
  am_buffer text = {0}, speaker = {0}, name = {0};
  for (size_t i = 0; i < (m->values ? OF_BOTH : sizeof names / sizeof *names); i++) am_csv_put(&w, names[i]);
  for (int k = 0; k < m->classes; k++) {
    name.used = 0;
    am_buffer_printf(ctx, &name, "%s%s", m->values ? "" : "p_", m->labels[k]);
    am_csv_put(&w, name.failed ? "" : name.data);
  }
  am_csv_end_row(&w);
  for (size_t i = 0; i < s->heard.n; i++) {
    const cli_told *t = &s->told[i];
    const float *p = s->heard.p + i * (size_t)m->classes;
    if (s->given) text_of(s, i, &text, &speaker);
    am_csv_put_int(&w, (int64_t)i + 1);
    am_csv_put_real(&w, s->heard.at[i].start);
    am_csv_put_real(&w, s->heard.at[i].end);
    am_csv_put(&w, speaker.data ? speaker.data : "");
    am_csv_put(&w, text.data ? text.data : "");
    if (!m->values) {
      am_csv_put(&w, label_of(s, t));
      am_csv_put(&w, t->top < 0 ? "" : m->labels[t->top]);
      am_csv_put_real(&w, t->top < 0 ? NAN : am_float_decimal(p[t->top]));
      am_csv_put_real(&w, am_float_decimal((float)t->margin));
      am_csv_put(&w, t->shown ? "true" : "false");
    }
    for (int k = 0; k < m->classes; k++) am_csv_put_real(&w, am_float_decimal(p[k]));
    am_csv_end_row(&w);
  }
  out->failed |= text.failed || speaker.failed || name.failed;
  am_buffer_free(ctx, &text);
  am_buffer_free(ctx, &speaker);
  am_buffer_free(ctx, &name);
}

static void write_json(const cli_subtitled *s, am_buffer *out) {
  const am_checkpoint *m = s->team.at[0];
  am_context *ctx = s->c->ctx;
  am_buffer text = {0}, speaker = {0};
  am_json j = am_json_begin(ctx, out, 2);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "file", cli_sound_shown(s->media));
  am_json_text(&j, "subtitles", s->given);
  if (m->values) am_scales_put(&j, (const char *const *)m->labels, m->scale, m->classes);
  am_json_open(&j, "cues", '[');
  for (size_t i = 0; i < s->heard.n; i++) {
    const cli_told *t = &s->told[i];
    const float *p = s->heard.p + i * (size_t)m->classes;
    if (s->given) text_of(s, i, &text, &speaker);
    am_json_open(&j, NULL, '{');
    am_json_real(&j, "start", s->heard.at[i].start);
    am_json_real(&j, "end", s->heard.at[i].end);
    am_json_text(&j, "speaker", speaker.used ? speaker.data : NULL);
    am_json_text(&j, "text", s->given ? text.data : NULL);
    if (!m->values) {
      am_json_text(&j, "label", label_of(s, t));
      am_json_text(&j, "top", t->top < 0 ? NULL : m->labels[t->top]);
      am_json_float(&j, "probability", t->top < 0 ? NAN : p[t->top]);
      am_json_float(&j, "margin", (float)t->margin);
      am_json_bool(&j, "shown", t->shown);
    }
    am_json_open(&j, m->values ? "dimensions" : "probabilities", '{'); /* of values not a number is null */
    for (int k = 0; k < m->classes && (m->values || t->top >= 0); k++) am_json_float(&j, m->labels[k], p[k]);
    am_json_close(&j);
    am_json_close(&j);
  }
  am_json_close(&j);
  am_json_close(&j);
  am_buffer_append(ctx, out, "\n", 1);
  out->failed |= text.failed || speaker.failed;
  am_buffer_free(ctx, &text);
  am_buffer_free(ctx, &speaker);
}

/* ---- subtitles ---- */

/* A step of an utterance is a cue, whose text is its values. */
static am_status write_values(const cli_subtitled *s, am_buffer *out, am_error *err) {
  const am_checkpoint *m = s->team.at[0];
  am_cue_writer w;
  am_buffer text = {0};
  am_status st = am_cue_writer_begin(&w, s->c->ctx, cli_subtitled_syntax(s->to), NULL, out, err);
  for (size_t i = 0; i < s->heard.n && !st; i++) {
    if (!s->heard.at[i].measured) continue;
    am_segment_cue_text(s->c->ctx, (const char *const *)m->labels, m->classes, s->heard.p + i * (size_t)m->classes,
                        &text);
    if (text.failed) st = am_no_memory(err);
    else am_cue_writer_put(&w, s->heard.at[i].start, s->heard.at[i].end, NULL, am_slice_from(text.data, text.used));
  }
  am_cue_writer_end(&w);
  am_buffer_free(s->c->ctx, &text);
  return st;
}

/* An utterance is a cue, whose text is its label. */
static am_status write_labels(const cli_subtitled *s, am_buffer *out, am_error *err) {
  am_cue_writer w;
  am_status st = am_cue_writer_begin(&w, s->c->ctx, cli_subtitled_syntax(s->to), NULL, out, err);
  for (size_t i = 0; i < s->heard.n && !st; i++) {
    const int k = s->told[i].label;
    if (k < 0) continue;
    const char *text = s->word[k] ? s->word[k]->what : s->team.at[0]->labels[k];
    am_cue_writer_put(&w, s->heard.at[i].start, s->heard.at[i].end, NULL, am_slice_from(text, strlen(text)));
  }
  am_cue_writer_end(&w);
  return st;
}

am_status cli_subtitled_write(const cli_subtitled *s, am_buffer *out, am_error *err) {
  am_status st = AM_OK;
  if (s->to == CLI_TO_CSV) write_csv(s, out);
  else if (s->to == CLI_TO_JSON) write_json(s, out);
  else if (s->given) am_cues_write(&s->cues, out);
  else st = s->team.at[0]->values ? write_values(s, out, err) : write_labels(s, out, err);
  return st ? st : out->failed ? am_no_memory(err) : AM_OK;
}
