/* SPDX-License-Identifier: MIT */
/* serve/upload.c - see upload.h. */
#include "serve/upload.h"

#include <math.h>
#include <string.h>

#include "audiomood/audio.h"
#include "io/json.h"
#include "model/ensemble.h"
#include "serve/listener.h"
#include "subtitle/convert.h"
#include "subtitle/segments.h"

/* ---- formats ---- */

typedef enum response { AS_JSON, AS_TEXT, AS_SRT, AS_VTT, AS_VERBOSE, AS_CSV } response;
static const char response_words[] = "json|text|srt|vtt|verbose_json|csv";
static const char *const types[] = {"application/json",        "text/plain; charset=utf-8", "application/x-subrip",
                                    "text/vtt; charset=utf-8", "application/json",          "text/csv; charset=utf-8"};

/* A recording's results while it is heard. */
typedef struct answer {
  am_context *ctx;
  const am_ensemble *model;
  const am_listener *listener;
  response as;
  const char *file;         /* as the client calls it */
  am_segment_writer rows;   /* text and CSV */
  am_buffer events, cues;   /* of JSON: values with commas between them */
  am_buffer segments, said; /* likewise; the labels in order */
  am_cue_writer cue;        /* of SRT and VTT, into cues */
  am_error failed;          /* of a writer */
} answer;

static void note(am_context *ctx, am_buffer *list, const am_buffer *value) {
  if (list->used) am_buffer_append(ctx, list, ", ", 2);
  am_buffer_append(ctx, list, value->data ? value->data : "", value->used);
  list->failed |= value->failed;
}

static void on_event(void *user, const am_event_teller *teller, const am_stream_event *e) {
  answer *a = user;
  am_buffer one = {0};
  if (a->as != AS_VERBOSE) return;
  am_event_json(a->ctx, teller, e, &one);
  note(a->ctx, &a->events, &one);
  am_buffer_free(a->ctx, &one);
}

static bool is_told(const am_segment_row *row) { return row->top && !strcmp(row->top, row->label); }

/* What is not sure, or was not heard, is no cue. */
static void put_cue(answer *a, const am_segment_row *row) {
  const am_checkpoint *m = am_ensemble_model(a->model, 0);
  am_buffer text = {0};
  if (m->values && row->p) {
    am_segment_cue_text(a->ctx, (const char *const *)m->labels, m->classes, row->p, &text);
    if (text.failed) a->cues.failed = true;
    else am_cue_writer_put(&a->cue, row->start, row->end, NULL, am_slice_from(text.data, text.used));
  } else if (is_told(row)) {
    am_cue_writer_put(&a->cue, row->start, row->end, NULL, am_slice_from(row->label, strlen(row->label)));
  }
  am_buffer_free(a->ctx, &text);
}

static void on_segment(void *user, const am_segment_row *row) {
  answer *a = user;
  am_buffer one = {0};
  if (a->as == AS_TEXT || a->as == AS_CSV) {
    (void)am_segment_writer_put(&a->rows, row, &a->failed);
  } else if (a->as == AS_SRT || a->as == AS_VTT) {
    put_cue(a, row);
  } else {
    const am_checkpoint *m = am_ensemble_model(a->model, 0);
    am_json j = am_json_begin(a->ctx, &one, 0);
    am_json_open(&j, NULL, '{');
    am_json_text(&j, "file", a->file);
    am_segment_json(&j, (const char *const *)m->labels, m->classes, m->scale, row);
    am_json_close(&j);
    note(a->ctx, &a->segments, &one);
    am_buffer_free(a->ctx, &one);
    if (is_told(row)) am_buffer_printf(a->ctx, &a->said, "%s%s", a->said.used ? ", " : "", row->label);
  }
}

static void put_list(am_context *ctx, am_buffer *out, const char *key, const am_buffer *list) {
  am_buffer_printf(ctx, out, ", \"%s\": [%s]", key, list->data ? list->data : "");
  out->failed |= list->failed;
}

/* Segments are the very objects that predict --segments --json prints. */
static void write_json(const answer *a, const am_sound *sound, am_buffer *out) {
  am_json j = am_json_begin(a->ctx, out, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "file", a->file);
  am_json_real(&j, "duration", am_listener_seconds(a->listener));
  am_json_text(&j, "text", a->said.used ? a->said.data : "");
  if (a->as == AS_VERBOSE) {
    am_json_text(&j, "task", "emotion");
    am_json_text(&j, "model", am_checkpoint_title(am_ensemble_model(a->model, 0)));
    am_json_real(&j, "file_rate", sound->file_rate);
    am_json_int(&j, "file_channels", sound->file_channels);
  }
  put_list(a->ctx, out, "segments", &a->segments);
  if (a->as == AS_VERBOSE) put_list(a->ctx, out, "events", &a->events);
  am_json_close(&j);
  am_buffer_append(a->ctx, out, "\n", 1);
  out->failed |= a->said.failed;
}

static am_status begin(answer *a, am_error *err) {
  const am_checkpoint *m = am_ensemble_model(a->model, 0);
  const char *name = a->as == AS_CSV ? "csv" : "text";
  am_status st = am_segment_writer_begin(&a->rows, a->ctx, am_segment_format_find(name), (const char *const *)m->labels,
                                         m->classes, m->scale, err);
  a->rows.file = a->file;
  if (!st && (a->as == AS_SRT || a->as == AS_VTT))
    st = am_cue_writer_begin(&a->cue, a->ctx, a->as == AS_VTT ? &am_vtt : &am_srt, NULL, &a->cues, err);
  return st;
}

static void finish(answer *a, const am_sound *sound, am_reply *out) {
  am_buffer made = {0};
  if (a->as == AS_TEXT || a->as == AS_CSV) made = a->rows.out, a->rows.out = (am_buffer){0};
  else if (a->as == AS_SRT || a->as == AS_VTT) made = a->cues, a->cues = (am_buffer){0};
  else write_json(a, sound, &made);
  if (made.failed || a->failed.status) {
    am_buffer_free(a->ctx, &made);
    am_reply_fail(a->ctx, out, 503, "out_of_memory", "there is no memory for the answer");
    return;
  }
  *out = (am_reply){.status = 200, .type = types[a->as], .body = made, .seconds = am_listener_seconds(a->listener)};
}

static void answer_free(answer *a) {
  am_cue_writer_end(&a->cue);
  am_segment_writer_free(&a->rows);
  am_buffer_free(a->ctx, &a->events);
  am_buffer_free(a->ctx, &a->cues);
  am_buffer_free(a->ctx, &a->segments);
  am_buffer_free(a->ctx, &a->said);
}

/* ---- hearing ---- */

typedef struct feeding {
  am_listener *listener;
  am_ears *ears;
  double rate, until; /* Hz; when it is to be over, by am_now */
  double deadline;
  const atomic_bool *cancelled;
  bool late;
} feeding;

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  feeding *f = user;
  if (f->cancelled && atomic_load(f->cancelled)) return am_fail(err, AM_E_STOPPED, "nobody waits for it any more");
  f->late = am_now() > f->until;
  if (f->late) return am_fail(err, AM_E_STOPPED, "the recording took longer than %g s", f->deadline);
  return am_listener_push(f->listener, f->ears, samples, n, f->rate, err);
}

/* The one place where a client's sound is decoded: from memory, and never by a name. */
static am_status decode(am_context *ctx, const am_form_part *file, double max_seconds, feeding *f, am_sound *sound,
                        am_error *err) {
  return am_sound_feed_decoded(ctx, file->data, file->bytes, "the upload", f->rate, max_seconds, 0, push, f, sound,
                               err);
}

static void fail_by(am_context *ctx, am_reply *out, const feeding *f, am_status st, const am_error *err) {
  if (st == AM_E_STOPPED && f->late) am_reply_fail(ctx, out, 503, "too_slow", "%s", err->message);
  else if (st == AM_E_STOPPED) am_reply_fail(ctx, out, 503, "stopped", "%s", err->message);
  else if (st == AM_E_NOMEM) am_reply_fail(ctx, out, 503, "out_of_memory", "%s", err->message);
  else if (st == AM_E_CONFIG) am_reply_fail(ctx, out, 400, "bad_settings", "%s", err->message);
  else am_reply_fail(ctx, out, 422, "unreadable", "%s", err->message);
}

/* Fields of other servers, which mean nothing here, and the file. */
static bool is_ignored(const char *name) {
  static const char *const ignored[] = {"file", "model", "language", "temperature", "prompt"};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
    if (!strcmp(name, ignored[i])) return true;
  return false;
}

/* The value of a field as a text of its own; am_free. */
static am_status copy_value(am_context *ctx, const am_form_part *p, char **out, am_error *err) {
  enum { LONGEST = 200 };
  if (p->bytes > LONGEST || memchr(p->data, 0, p->bytes))
    return am_fail(err, AM_E_CONFIG, "settings: the value of %s is no short text", p->name);
  if (!(*out = am_alloc(ctx, p->bytes + 1, 1))) return am_no_memory(err);
  memcpy(*out, p->data, p->bytes);
  return AM_OK;
}

static am_status read_response(const char *text, response *as, am_error *err) {
  const int found = am_choice_index(response_words, text);
  if (found < 0)
    return am_fail(err, AM_E_CONFIG, "settings: response_format is \"%s\"; wanted one of %s", text, response_words);
  *as = (response)found;
  return AM_OK;
}

/* What the form asks for, besides its file. */
static am_status read_fields(am_context *ctx, const am_form *form, const am_upload_limits *limits, response *as,
                             am_hear_settings *s, am_error *err) {
  am_hear_field fields[AM_MULTIPART_PARTS];
  char *values[AM_MULTIPART_PARTS] = {NULL};
  size_t n = 0;
  am_status st = AM_OK;
  *as = AS_JSON;
  for (size_t i = 0; i < form->n && !st; i++) {
    const am_form_part *p = &form->part[i];
    if (is_ignored(p->name)) continue;
    st = copy_value(ctx, p, &values[i], err);
    if (!st && !strcmp(p->name, "response_format")) st = read_response(values[i], as, err);
    else if (!st) fields[n++] = (am_hear_field){p->name, values[i]};
  }
  if (!st) st = am_hear_settings_of(ctx, fields, n, s, err);
  if (!st && limits->learn_voice && s->vad != AM_VAD_NONE) s->learn_voice = true;
  for (size_t i = 0; i < form->n; i++) am_free(ctx, values[i]);
  return st;
}

static void hear(const am_ensemble *model, am_ears *ears, const am_form_part *file, const am_hear_settings *s,
                 const am_upload_limits *limits, const atomic_bool *cancelled, answer *a, am_reply *out) {
  am_context *ctx = a->ctx;
  am_error err = AM_ERROR_INIT;
  am_sound sound = {.size = sizeof sound};
  const am_listener_tell tell = {on_event, on_segment, a};
  feeding f = {.ears = ears,
               .rate = am_checkpoint_rate(am_ensemble_model(model, 0)),
               .until = am_now() + limits->deadline,
               .deadline = limits->deadline,
               .cancelled = cancelled};
  am_status st = begin(a, &err);
  if (!st) st = am_listener_create(model, s, &tell, &f.listener, &err);
  a->listener = f.listener;
  if (!st) st = decode(ctx, file, limits->max_seconds, &f, &sound, &err);
  if (!st) st = am_listener_end(f.listener, ears, &err);
  if (st) fail_by(ctx, out, &f, st, &err);
  else finish(a, &sound, out);
  am_listener_free(f.listener);
  am_sound_free(&sound);
}

void am_upload_answer(const am_ensemble *model, am_ears *ears, const char *body, size_t bytes, const char *boundary,
                      const am_upload_limits *limits, const atomic_bool *cancelled, am_reply *out) {
  am_context *ctx = am_ensemble_context(model);
  am_error err = AM_ERROR_INIT;
  am_hear_settings s;
  answer a = {.ctx = ctx, .model = model, .failed = AM_ERROR_INIT};
  *out = (am_reply){0};
  am_form *form = am_alloc(ctx, 1, sizeof *form);
  am_status st = form ? am_multipart_parse(body, bytes, boundary, form, &err) : am_no_memory(&err);
  const am_form_part *file = st ? NULL : am_form_find(form, "file");
  if (!st && !file) st = am_fail(&err, AM_E_FORMAT, "multipart body: there is no field \"file\"");
  if (!st) st = read_fields(ctx, form, limits, &a.as, &s, &err);
  if (st == AM_E_NOMEM) am_reply_fail(ctx, out, 503, "out_of_memory", "%s", err.message);
  else if (st) am_reply_fail(ctx, out, 400, st == AM_E_FORMAT ? "bad_form" : "bad_settings", "%s", err.message);
  if (!st) {
    a.file = file->filename;
    hear(model, ears, file, &s, limits, cancelled, &a, out);
  }
  answer_free(&a);
  am_free(ctx, form);
}

/* ---- as a task ---- */

struct am_upload {
  am_task task;
  am_context *ctx;
  const am_ensemble *model;
  am_buffer body;
  char boundary[AM_BOUNDARY];
  am_upload_limits limits;
  am_upload_notice notice;
  atomic_bool cancelled, done;
  atomic_int holders; /* its creator, and the crew */
  am_reply reply;
};

static void let_go(am_upload *u) {
  if (atomic_fetch_sub(&u->holders, 1) > 1) return;
  am_buffer_free(u->ctx, &u->body);
  am_reply_free(u->ctx, &u->reply);
  am_free(u->ctx, u);
}

static void run(am_task *task, am_ears *ears) {
  am_upload *u = (am_upload *)task; /* its first member */
  if (!atomic_load(&u->cancelled))
    am_upload_answer(u->model, ears, u->body.data, u->body.used, u->boundary, &u->limits, &u->cancelled, &u->reply);
  am_buffer_free(u->ctx, &u->body);
  u->body = (am_buffer){0};
  if (!atomic_load(&u->cancelled)) {
    atomic_store(&u->done, true);
    u->notice.done(u->notice.user);
  }
  let_go(u);
}

am_status am_upload_create(const am_ensemble *model, am_buffer *body, const char boundary[AM_BOUNDARY],
                           const am_upload_limits *limits, am_upload_notice notice, am_upload **out, am_error *err) {
  am_context *ctx = am_ensemble_context(model);
  am_upload *u = *out = am_alloc(ctx, 1, sizeof *u);
  if (u)
    *u = (am_upload){.task.run = run, .ctx = ctx, .model = model, .body = *body, .limits = *limits, .notice = notice};
  else am_buffer_free(ctx, body);
  *body = (am_buffer){0};
  if (!u) return am_no_memory(err);
  memcpy(u->boundary, boundary, AM_BOUNDARY);
  atomic_init(&u->holders, 1);
  return AM_OK;
}

void am_upload_begin(am_upload *u, am_crew *crew) {
  atomic_fetch_add(&u->holders, 1);
  am_crew_add(crew, &u->task);
}

am_reply *am_upload_reply(am_upload *u) { return atomic_load(&u->done) ? &u->reply : NULL; }

void am_upload_release(am_upload *u) {
  if (!u) return;
  atomic_store(&u->cancelled, true);
  let_go(u);
}
