/* SPDX-License-Identifier: MIT */
/* tests/fuzz/request.c - what clients send to the server.  By its first letter an input is
 *   F  a Content-Type, a newline and the body of a form, which is parsed, written anew and parsed to the same parts
 *   U  the same, heard by a small model
 *   S  the settings of a stream
 *   H  a Host and an Origin
 *   W  the messages of a stream: for each a letter (t, b: text, binary; T, B: not the last part), its length in two bytes, and that many */
#include <math.h>
#include <strings.h>

#include "fuzz/fuzz.h"
#include "model/ensemble.h"
#include "serve/guard.h"
#include "serve/live.h"
#include "serve/settings.h"
#include "serve/upload.h"

/* ---- forms ---- */

static void put_part(am_context *ctx, am_buffer *out, const am_form_part *p) {
  am_buffer_printf(ctx, out, "--\"\r\nContent-Disposition: form-data; name=\"");
  for (const char *at = p->name; *at; at++) am_buffer_printf(ctx, out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
  am_buffer_printf(ctx, out, "\"; filename=\"");
  for (const char *at = p->filename; *at; at++)
    am_buffer_printf(ctx, out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
  am_buffer_printf(ctx, out, "\"\r\n\r\n");
  am_buffer_append(ctx, out, p->data, p->bytes);
  am_buffer_append(ctx, out, "\r\n", 2);
}

/* Whether a text may be written in a header again, and data not be taken for a boundary. */
static bool is_plain(const am_form *form) {
  for (size_t i = 0; i < form->n; i++) {
    const am_form_part *p = &form->part[i];
    for (const char *at = p->name; *at; at++)
      if (*at == '\r' || *at == '\n') return false;
    for (const char *at = p->filename; *at; at++)
      if (*at == '\r' || *at == '\n') return false;
    if (p->bytes > 2 && !memcmp(p->data, "--\"", 3)) return false; /* after the blank line it is a boundary, too */
    for (size_t k = 0; k + 4 < p->bytes; k++)
      if (!memcmp(p->data + k, "\r\n--\"", 5)) return false;
  }
  return true;
}

static void form_again(am_context *ctx, const am_form *form) {
  am_form *again = am_alloc(ctx, 1, sizeof *again);
  am_buffer out = {0};
  am_error err = AM_ERROR_INIT;
  fuzz_require(again);
  for (size_t i = 0; i < form->n; i++) put_part(ctx, &out, &form->part[i]);
  am_buffer_printf(ctx, &out, "--\"--");
  fuzz_require(!out.failed && !am_multipart_parse(out.data, out.used, "\"", again, &err) && again->n == form->n);
  for (size_t i = 0; i < form->n; i++) {
    const am_form_part *a = &form->part[i], *b = &again->part[i];
    fuzz_require(!strcmp(a->name, b->name) && !strcmp(a->filename, b->filename) && a->bytes == b->bytes &&
                 (!a->bytes || !memcmp(a->data, b->data, a->bytes)));
  }
  am_buffer_free(ctx, &out);
  am_free(ctx, again);
}

/* The two halves of an input; the first one is terminated.  false: there is no newline. */
static bool halves(const uint8_t **data, size_t *bytes, char first[200]) {
  const uint8_t *end = *bytes ? memchr(*data, '\n', *bytes) : NULL;
  if (!end || end - *data >= 200) return false;
  const size_t n = (size_t)(end - *data);
  memcpy(first, *data, n);
  first[n] = '\0';
  *bytes -= n + 1;
  *data = end + 1;
  return true;
}

static void use_form(am_context *ctx, const uint8_t *data, size_t bytes) {
  char type[200], boundary[AM_BOUNDARY];
  am_error err = AM_ERROR_INIT;
  if (!halves(&data, &bytes, type) || !am_multipart_boundary(type, boundary)) return;
  am_form *form = am_alloc(ctx, 1, sizeof *form);
  fuzz_require(form && *boundary);
  am_status st = am_multipart_parse((const char *)data, bytes, boundary, form, &err);
  fuzz_check(st, &err);
  for (size_t i = 0; i < form->n && !st; i++) {
    const am_form_part *p = &form->part[i];
    fuzz_require(p->data >= (const char *)data && p->bytes <= bytes &&
                 p->data + p->bytes <= (const char *)data + bytes);
    fuzz_require(!strchr(p->filename, '/') && am_form_find(form, p->name));
  }
  if (!st && is_plain(form)) form_again(ctx, form);
  am_free(ctx, form);
}

/* ---- a model, which lives as long as the program ---- */

static am_context *model_context;
static am_ensemble *model;
static am_ears *ears;
static am_crew *crew;

static void load_model(void) {
  static am_checkpoint *c;
  am_error err = AM_ERROR_INIT;
  const am_settings settings = {.size = sizeof settings, .threads = 1};
  if (model) return;
  fuzz_require(!am_context_create(&settings, &model_context, &err));
  am_context_set_apart(model_context);
  fuzz_require(!am_checkpoint_load(model_context, AM_SOURCE_ROOT "/tests/model/golden/checkpoint-1.0.h5", &c, &err));
  fuzz_require(!am_ensemble_create(model_context, &model, &err) && !am_ensemble_add(model, c, NULL, &err));
  fuzz_require(!am_ears_create(model, &ears, &err) && !am_crew_create(model_context, model, 0, &crew, &err));
}

static void use_upload(const uint8_t *data, size_t bytes) {
  char type[200], boundary[AM_BOUNDARY];
  if (!halves(&data, &bytes, type) || !am_multipart_boundary(type, boundary)) return;
  const am_upload_limits limits = {.max_seconds = 10, .deadline = 30};
  am_reply reply;
  load_model();
  am_upload_answer(model, ears, (const char *)data, bytes, boundary, &limits, NULL, &reply);
  fuzz_require(reply.status == 200 || reply.status == 400 || reply.status == 422 || reply.status == 503);
  fuzz_require(reply.type && !reply.body.failed);
  am_reply_free(model_context, &reply);
}

static void changed(void *unused) { (void)unused; }

/* Lines, each an object, up to the close. */
static int drain(am_live *l) {
  am_buffer line = {0};
  while (am_live_next(l, 2, &line))
    fuzz_require(line.used > 4 && line.data[2] == '{' && line.data[line.used - 1] == '}' &&
                 !memchr(line.data + 2, '\n', line.used - 2));
  am_buffer_free(model_context, &line);
  return am_live_closing(l);
}

static void use_stream(const uint8_t *data, size_t bytes) {
  const am_live_options o = {.changed = changed};
  am_error err = AM_ERROR_INIT;
  am_live *l;
  int close = 0;
  load_model();
  fuzz_require(!am_live_create(model, crew, &o, &l, &err));
  while (bytes >= 3 && !close) {
    const uint8_t kind = data[0];
    size_t n = (size_t)data[1] | (size_t)data[2] << 8;
    data += 3, bytes -= 3;
    if (n > bytes) n = bytes;
    (void)am_live_receive(l, (const char *)data, n, kind == 'b' || kind == 'B', kind == 't' || kind == 'b');
    data += n, bytes -= n;
    am_crew_help(crew, ears);
    close = drain(l);
  }
  if (!close) am_live_finish(l);
  am_crew_help(crew, ears);
  close = drain(l);
  fuzz_require(close >= 1000 && close <= 1013);
  am_live_release(l);
}

static void use_settings(am_context *ctx, const uint8_t *data, size_t bytes) {
  am_hear_settings s;
  am_error err = AM_ERROR_INIT;
  am_status st = am_hear_settings_read(ctx, (const char *)data, bytes, &s, &err);
  fuzz_check(st, &err);
  if (!st)
    fuzz_require(s.rate >= 4000 && s.rate <= 384000 && s.window >= 0.5 && s.window <= 10 && s.hop >= 0.1 &&
                 s.hop <= s.window && s.threshold >= -1 && s.threshold <= 1 && isfinite(s.switch_penalty));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  if (!bytes) return 0;
  const uint8_t kind = *data++;
  char host[200];
  am_context *ctx = fuzz_begin(bytes--, true);
  if (kind == 'F') use_form(ctx, data, bytes);
  if (kind == 'S') use_settings(ctx, data, bytes);
  if (kind == 'U') use_upload(data, bytes);
  if (kind == 'W') use_stream(data, bytes);
  if (kind == 'H' && halves(&data, &bytes, host)) {
    char *origin = fuzz_text(data, bytes);
    if (am_guard_host(host, "own", NULL, 0)) fuzz_require(*host);
    if (am_guard_origin(origin, host)) fuzz_require(!strncasecmp(origin, "http", 4));
    free(origin);
  }
  fuzz_end();
  return 0;
}
