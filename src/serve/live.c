/* SPDX-License-Identifier: MIT */
/* serve/live.c - see live.h. */
#include "serve/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "io/json.h"
#include "model/ensemble.h"
#include "serve/listener.h"

enum { CHUNK = 4096 };

struct am_live {
  am_task task; /* first: a task is its live */
  am_context *ctx;
  const am_ensemble *model;
  am_crew *crew;
  am_live_options options;
  atomic_bool gone;
  atomic_int holders; /* the loop, and the crew while it has work */

  /* the loop's alone */
  am_buffer text; /* of a message that is not complete */
  size_t message; /* bytes of it so far */
  bool within, told_settings;

  /* the thread's that runs it */
  am_listener *listener;
  double rate;

  pthread_mutex_t lock; /* guards what follows */
  bool busy;            /* a task of the crew */
  bool ending, ended;   /* the client has said so; all is told */
  int close_when_ended;
  am_hear_settings settings;
  am_buffer inbox, outbox; /* samples; lines */
  size_t sent;             /* bytes of the outbox */
  double seconds;
  int close; /* code, once it is over; 0: it goes on */
};

/* ---- what is told ---- */

/* With the lock. */
static void put_line(am_live *l, const char *line, size_t n) {
  if (l->sent == l->outbox.used) l->sent = l->outbox.used = 0;
  am_buffer_append(l->ctx, &l->outbox, line, n);
  am_buffer_append(l->ctx, &l->outbox, "\n", 1);
}

static void put_error(am_live *l, int close, const char *code, const char *message) {
  am_buffer line = {0};
  if (l->close) return;
  am_json j = am_json_begin(l->ctx, &line, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "event", "error");
  am_json_text(&j, "code", code);
  am_json_text(&j, "message", message);
  am_json_close(&j);
  put_line(l, line.data ? line.data : "", line.used);
  am_buffer_free(l->ctx, &line);
  l->close = close;
}

void am_live_fail(am_live *l, int close, const char *code, const char *message) {
  pthread_mutex_lock(&l->lock);
  put_error(l, close, code, message);
  pthread_mutex_unlock(&l->lock);
}

/* By the thread that runs it. */
static void tell(am_live *l, am_buffer *line) {
  pthread_mutex_lock(&l->lock);
  if (!l->close && !line->failed) put_line(l, line->data, line->used);
  if (line->failed || l->outbox.failed)
    put_error(l, AM_CLOSE_FAILED, "out_of_memory", "there is no memory for the answer");
  if (l->outbox.used - l->sent > AM_LIVE_OUTBOX)
    put_error(l, AM_CLOSE_POLICY, "too_slow", "events are not read as fast as they come");
  pthread_mutex_unlock(&l->lock);
  am_buffer_free(l->ctx, line);
}

static void on_event(void *user, const am_event_teller *teller, const am_stream_event *e) {
  am_live *l = user;
  am_buffer line = {0};
  if (e->kind == AM_STREAM_MEASURED && !l->settings.measurements) return;
  am_event_json(l->ctx, teller, e, &line);
  tell(l, &line);
}

static void on_segment(void *user, const am_segment_row *row) {
  am_live *l = user;
  const am_checkpoint *m = am_ensemble_model(l->model, 0);
  am_buffer line = {0};
  am_json j = am_json_begin(l->ctx, &line, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "event", "segment");
  am_segment_json(&j, (const char *const *)m->labels, m->classes, m->scale, row);
  am_json_close(&j);
  tell(l, &line);
}

static void tell_ready(am_live *l) {
  const am_checkpoint *m = am_ensemble_model(l->model, 0);
  am_buffer line = {0};
  am_json j = am_json_begin(l->ctx, &line, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "event", "ready");
  am_json_real(&j, "rate", l->settings.rate);
  am_json_open(&j, "labels", '[');
  for (int k = 0; k < m->classes; k++) am_json_text(&j, NULL, m->labels[k]);
  am_json_close(&j);
  if (m->values) am_scales_put(&j, (const char *const *)m->labels, m->scale, m->classes);
  am_json_close(&j);
  tell(l, &line);
}

static void tell_end(am_live *l) {
  am_buffer line = {0};
  am_json j = am_json_begin(l->ctx, &line, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "event", "end");
  am_json_real(&j, "seconds", am_listener_seconds(l->listener));
  am_json_close(&j);
  tell(l, &line);
}

/* ---- hearing: by a thread of the crew ---- */

static float sample_of(const unsigned char *p) {
  const int x = p[0] | p[1] << 8;
  return (float)(x < 32768 ? x : x - 65536) / 32768;
}

static am_status hear(am_live *l, am_ears *ears, const am_buffer *bytes, am_error *err) {
  float x[CHUNK];
  const unsigned char *at = (const unsigned char *)bytes->data;
  am_status st = AM_OK;
  for (size_t left = bytes->used / 2, n; left && !st && !atomic_load(&l->gone); left -= n, at += 2 * n) {
    n = left < CHUNK ? left : CHUNK;
    for (size_t i = 0; i < n; i++) x[i] = sample_of(at + 2 * i);
    st = am_listener_push(l->listener, ears, x, n, l->rate, err);
  }
  return st;
}

static am_status begin(am_live *l, am_error *err) {
  const am_listener_tell tell_to = {on_event, on_segment, l};
  if (l->listener) return AM_OK;
  l->rate = l->settings.rate;
  am_status st = am_listener_create(l->model, &l->settings, &tell_to, &l->listener, err);
  if (!st) tell_ready(l);
  return st;
}

/* Whole samples that have come, and whether that was all. */
static void take(am_live *l, am_buffer *bytes, bool *last) {
  pthread_mutex_lock(&l->lock);
  *bytes = l->inbox;
  l->inbox = (am_buffer){0};
  *last = l->ending;
  if (bytes->used % 2) /* a message is still coming */
    am_buffer_append(l->ctx, &l->inbox, bytes->data + bytes->used - 1, 1);
  pthread_mutex_unlock(&l->lock);
}

static void let_go(am_live *l) {
  if (atomic_fetch_sub(&l->holders, 1) > 1) return;
  am_listener_free(l->listener);
  am_buffer_free(l->ctx, &l->text);
  am_buffer_free(l->ctx, &l->inbox);
  am_buffer_free(l->ctx, &l->outbox);
  pthread_mutex_destroy(&l->lock);
  am_free(l->ctx, l);
}

/* Whether there is more to do; with the lock. */
static bool has_work(const am_live *l) { return !l->close && (l->inbox.used > 1 || (l->ending && !l->ended)); }

static void run(am_task *task, am_ears *ears) {
  am_live *l = (am_live *)task;
  am_error err = AM_ERROR_INIT;
  am_buffer bytes;
  bool last, more;
  take(l, &bytes, &last);
  am_status st = atomic_load(&l->gone) ? AM_E_STOPPED : begin(l, &err);
  if (!st) st = hear(l, ears, &bytes, &err);
  if (!st && last && !atomic_load(&l->gone)) {
    st = am_listener_end(l->listener, ears, &err);
    if (!st) tell_end(l);
  }
  am_buffer_free(l->ctx, &bytes);
  pthread_mutex_lock(&l->lock);
  if (l->listener) l->seconds = am_listener_seconds(l->listener);
  if (st == AM_E_CONFIG) put_error(l, AM_CLOSE_POLICY, "bad_settings", err.message);
  else if (st) put_error(l, AM_CLOSE_FAILED, "failed", err.message);
  if (!st && last) l->ended = true;
  if (l->ended && !l->close) l->close = l->close_when_ended;
  more = l->busy = has_work(l) && !atomic_load(&l->gone);
  pthread_mutex_unlock(&l->lock);
  if (!atomic_load(&l->gone)) l->options.changed(l->options.user);
  if (more) am_crew_add(l->crew, &l->task);
  else let_go(l);
}

/* With the lock. */
static void begin_work(am_live *l) {
  if (l->busy) return;
  l->busy = true;
  atomic_fetch_add(&l->holders, 1);
  am_crew_add(l->crew, &l->task);
}

/* ---- messages: by the loop ---- */

/* {"end": true}, after the settings. */
static am_status read_end(am_live *l, am_error *err) {
  static const am_option table[] = {
      {"end", AM_OPT_BOOL, 0, NULL, 0, 0, NULL, "that was all", NULL, NULL},
      AM_OPTION_END,
  };
  am_tree *tree;
  am_value *root = NULL;
  bool end = false;
  am_status st = am_tree_create(l->ctx, &tree, err);
  if (st) return st;
  st = am_json_read_text(tree, l->text.data, l->text.used, "message", &root, err);
  if (!st && root->kind != AM_MAP) st = am_fail(err, AM_E_CONFIG, "message: wanted a JSON object");
  if (!st) st = am_options_read(tree, table, root, "message", &end, err);
  am_tree_free(tree);
  if (st || !end) return st;
  pthread_mutex_lock(&l->lock);
  l->ending = true;
  begin_work(l);
  pthread_mutex_unlock(&l->lock);
  return AM_OK;
}

static am_status read_settings(am_live *l, am_error *err) {
  am_hear_settings s;
  am_status st = am_hear_settings_read(l->ctx, l->text.data, l->text.used, &s, err);
  if (st) return st;
  if (l->options.learn_voice && s.vad != AM_VAD_NONE) s.learn_voice = true;
  l->told_settings = true;
  pthread_mutex_lock(&l->lock);
  l->settings = s;
  begin_work(l);
  pthread_mutex_unlock(&l->lock);
  return AM_OK;
}

static void receive_text(am_live *l, const char *data, size_t bytes, bool final) {
  am_error err = AM_ERROR_INIT;
  if (l->message > AM_LIVE_TEXT) {
    am_live_fail(l, AM_CLOSE_LARGE, "too_large", "a text message of more than 4096 bytes");
    return;
  }
  am_buffer_append(l->ctx, &l->text, data, bytes);
  if (l->text.failed) am_live_fail(l, AM_CLOSE_FAILED, "out_of_memory", "there is no memory for the message");
  if (!final || l->text.failed) return;
  const bool first = !l->told_settings;
  const am_status st = first ? read_settings(l, &err) : read_end(l, &err);
  if (st) am_live_fail(l, AM_CLOSE_POLICY, first ? "bad_settings" : "bad_frame", err.message);
  l->text.used = 0;
}

static void receive_samples(am_live *l, const char *data, size_t bytes, bool final) {
  if (!l->told_settings) {
    am_live_fail(l, AM_CLOSE_POLICY, "settings_first", "samples before the settings, which are the first message");
  } else if (l->message > AM_LIVE_MESSAGE) {
    am_live_fail(l, AM_CLOSE_LARGE, "too_large", "a binary message of more than 1 MiB");
  } else if (final && l->message % 2) {
    am_live_fail(l, AM_CLOSE_KIND, "bad_frame",
                 "a binary message of an odd number of bytes; wanted samples of 16 bits");
  } else {
    pthread_mutex_lock(&l->lock);
    /* Whom the server ends may not know of it yet. */
    if (l->ending && l->close_when_ended == AM_CLOSE_DONE)
      put_error(l, AM_CLOSE_POLICY, "bad_frame", "samples after the end");
    else if (!l->ending) am_buffer_append(l->ctx, &l->inbox, data, bytes);
    if (l->inbox.failed) put_error(l, AM_CLOSE_FAILED, "out_of_memory", "there is no memory for the samples");
    if (has_work(l)) begin_work(l);
    pthread_mutex_unlock(&l->lock);
  }
}

bool am_live_receive(am_live *l, const char *data, size_t bytes, bool binary, bool final) {
  pthread_mutex_lock(&l->lock);
  const bool over = l->close != 0;
  pthread_mutex_unlock(&l->lock);
  if (over) return true; /* it is read, so that the close is */
  if (!l->within) l->message = 0;
  l->message += bytes;
  l->within = !final;
  if (binary) receive_samples(l, data, bytes, final);
  else receive_text(l, data, bytes, final);
  pthread_mutex_lock(&l->lock);
  const bool full = !l->close && l->inbox.used > AM_LIVE_INBOX;
  pthread_mutex_unlock(&l->lock);
  return !full;
}

void am_live_finish(am_live *l) {
  if (!l->told_settings) {
    am_live_fail(l, AM_CLOSE_AWAY, "shutting_down", "the server stops");
    return;
  }
  pthread_mutex_lock(&l->lock);
  l->ending = true;
  l->close_when_ended = AM_CLOSE_AWAY;
  if (has_work(l)) begin_work(l);
  pthread_mutex_unlock(&l->lock);
}

bool am_live_hungry(am_live *l) {
  pthread_mutex_lock(&l->lock);
  const bool hungry = l->close || l->inbox.used <= AM_LIVE_INBOX / 2;
  pthread_mutex_unlock(&l->lock);
  return hungry;
}

bool am_live_next(am_live *l, size_t before, am_buffer *out) {
  static const char room[64];
  out->used = 0;
  for (size_t left = before, n; left; left -= n) {
    n = left < sizeof room ? left : sizeof room;
    am_buffer_append(l->ctx, out, room, n);
  }
  pthread_mutex_lock(&l->lock);
  const bool some = l->sent < l->outbox.used;
  if (some) {
    const char *at = l->outbox.data + l->sent;
    const char *end = memchr(at, '\n', l->outbox.used - l->sent);
    const size_t n = end ? (size_t)(end - at) : l->outbox.used - l->sent;
    am_buffer_append(l->ctx, out, at, n);
    l->sent += n + (end ? 1 : 0);
  }
  pthread_mutex_unlock(&l->lock);
  return some && !out->failed;
}

int am_live_closing(am_live *l) {
  pthread_mutex_lock(&l->lock);
  const int close = l->sent < l->outbox.used ? 0 : l->close;
  pthread_mutex_unlock(&l->lock);
  return close;
}

double am_live_seconds(am_live *l) {
  pthread_mutex_lock(&l->lock);
  const double seconds = l->seconds;
  pthread_mutex_unlock(&l->lock);
  return seconds;
}

bool am_live_works(am_live *l) {
  pthread_mutex_lock(&l->lock);
  const bool works = l->busy && !l->close;
  pthread_mutex_unlock(&l->lock);
  return works;
}

am_status am_live_create(const am_ensemble *model, am_crew *crew, const am_live_options *options, am_live **out,
                         am_error *err) {
  am_context *ctx = am_ensemble_context(model);
  am_live *l = *out = am_alloc(ctx, 1, sizeof *l);
  if (!l) return am_no_memory(err);
  *l = (am_live){.task.run = run, .ctx = ctx, .model = model, .crew = crew, .options = *options};
  l->close_when_ended = AM_CLOSE_DONE;
  atomic_init(&l->holders, 1);
  pthread_mutex_init(&l->lock, NULL);
  return AM_OK;
}

void am_live_release(am_live *l) {
  if (!l) return;
  atomic_store(&l->gone, true);
  let_go(l);
}
