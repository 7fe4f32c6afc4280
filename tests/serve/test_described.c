/* SPDX-License-Identifier: MIT */
/* tests/serve/test_described.c PORT PID OPENAPI ASYNCAPI SOUND.raw - a server against its descriptions: each answer that they name is asked
 * for (x-ask says how) and held against its schema, and nothing else comes (TAP).  The server allows two uploads and two streams of a client, and
 * 2 s for what is due; it is stopped at the end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "client.h"
#include "io/json.h"
#include "io/yaml.h"
#include "schema.h"
#include "serve/settings.h"

static am_context *ctx;
static int port, cases, failed;
static pid_t server;
static char *raw, *wav;
static size_t raw_bytes, wav_bytes;

static void result(bool good, const char *name, const char *why) {
  printf("%s %d - %s\n", good ? "ok" : "not ok", ++cases, name);
  if (!good) printf("#   %s\n", why);
  failed += !good;
}

static const char *text_of(const am_value *map, const char *key, const char *otherwise) {
  const am_value *v = am_value_get(map, key);
  return v && v->kind == AM_SCALAR ? v->text : otherwise;
}
static bool is_set(const am_value *map, const char *key) { return !strcmp(text_of(map, key, "false"), "true"); }

/* JSON against a schema. */
static bool json_holds(schema *s, const am_value *is, const char *text, size_t bytes, const char *where) {
  am_error err = AM_ERROR_INIT;
  am_tree *tree;
  am_value *root = NULL;
  s->why[0] = '\0';
  am_status st = am_tree_create(ctx, &tree, &err);
  if (!st) st = am_json_read_text(tree, text, bytes, where, &root, &err);
  if (st) snprintf(s->why, sizeof s->why, "%.300s", err.message);
  const bool holds = !st && schema_holds(s, is, root, where);
  am_tree_free(tree);
  return holds;
}

/* ---- HTTP ---- */

/* Uploads of this client that do not end, as long as they are open. */
static void open_crowd(int *fds, int n) {
  static const char half[] =
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; "
      "boundary=x\r\nContent-Length: 99\r\n\r\n--x";
  for (int i = 0; i < n; i++) {
    fds[i] = client_connect(port, 10);
    client_send(fds[i], half, sizeof half - 1);
  }
  if (n) usleep(200000);
}

static client_answer ask_for(const char *method, const char *path, const am_value *how) {
  const am_value *lines = am_value_get(how, "headers"), *fields = am_value_get(how, "fields");
  const char *given[8];
  size_t n = 0;
  char header[1000] = "";
  client_answer a = {0};
  for (const am_value *l = lines ? lines->first : NULL; l; l = l->next) {
    strcat(header, l->text);
    strcat(header, "\r\n");
  }
  for (const am_value *f = fields ? fields->first : NULL; f; f = f->next) given[n++] = f->text;
  if (is_set(how, "websocket")) {
    const int fd = client_socket(port, path, header, &a.status);
    if (fd >= 0) close(fd);
    return a;
  }
  int crowd[8];
  const int others = atoi(text_of(how, "crowd", "0"));
  open_crowd(crowd, others);
  if (is_set(how, "sound")) a = client_post(port, path, "talk.wav", wav, wav_bytes, given, n);
  else if (is_set(how, "noise")) a = client_post(port, path, "noise.wav", "no sound at all", 15, given, n);
  else a = client_ask(port, text_of(how, "method", method), path, header, NULL, 0);
  for (int i = 0; i < others; i++) close(crowd[i]);
  return a;
}

/* The value of a header line, in `out`. */
static const char *header_of(const client_answer *a, const char *name, char out[200]) {
  out[0] = '\0';
  const char *at = a->text ? strcasestr(a->text, name) : NULL;
  if (at && at < a->body) snprintf(out, 200, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
  return out;
}

static bool body_holds(schema *s, const am_value *response, const am_value *how, const char *code,
                       const client_answer *a, char *why, size_t room) {
  const am_value *content = am_value_get(response, "content");
  char found[200], wanted_code[100];
  header_of(a, "\r\ncontent-type: ", found);
  const char *type = text_of(how, "type", content && content->first ? content->first->key : "");
  const am_value *is = am_value_get(am_value_get(content, type), "schema");
  if (!content) return true;
  snprintf(why, room, "its type is \"%s\", wanted \"%s\"", found, type);
  if (strncmp(found, type, strlen(type))) return false;
  if (!strcmp(type, "application/json") && !json_holds(s, is, a->body, a->n_body, "body")) {
    snprintf(why, room, "%.300s", s->why);
    return false;
  }
  snprintf(wanted_code, sizeof wanted_code, "\"code\": \"%s\"", code ? code : "");
  snprintf(why, room, "%s is not in %.200s", wanted_code, a->body);
  if (code && !strstr(a->body, wanted_code)) return false;
  snprintf(why, room, "there is no Retry-After");
  return (a->status != 429 && a->status != 503) || *header_of(a, "\r\nretry-after: ", found);
}

static void try_answer(schema *s, const char *path, const char *method, const am_value *response, const am_value *how) {
  char name[200], why[400] = "";
  const char *status = response->key, *code = text_of(response, "x-code", NULL);
  client_answer a = ask_for(method, path, how);
  snprintf(name, sizeof name, "%s %s: %s%s%s", method, path, status, how && am_value_get(how, "fields") ? " " : "",
           how && am_value_get(how, "fields") ? am_value_get(how, "fields")->first->text : "");
  snprintf(why, sizeof why, "it is %d", a.status);
  bool good = a.status == atoi(status);
  if (good && a.body) good = body_holds(s, schema_follow(s, response), how, code, &a, why, sizeof why);
  result(good, name, why);
  client_free(&a);
}

static bool waits(const am_value *how, bool stopping) { return is_set(how, "stopping") != stopping; }

static void try_response(schema *s, const char *path, const char *method, const am_value *response, bool stopping) {
  const am_value *how = am_value_get(response, "x-ask");
  if (!how || how->kind == AM_MAP) {
    if (!waits(how, stopping)) try_answer(s, path, method, response, how);
    return;
  }
  for (const am_value *one = how->first; one; one = one->next)
    if (!waits(one, stopping)) try_answer(s, path, method, response, one);
}

static void try_paths(schema *s, bool stopping) {
  for (const am_value *path = am_value_get(s->root, "paths")->first; path; path = path->next)
    for (const am_value *m = path->first; m; m = m->next)
      for (const am_value *r = am_value_get(m, "responses")->first; r; r = r->next)
        try_response(s, path->key, !strcmp(m->key, "post") ? "POST" : "GET", r, stopping);
}

/* No status was given that no path describes. */
static void look_at_counts(const schema *s) {
  client_answer a = client_ask(port, "GET", "/metrics", NULL, NULL, 0);
  char why[200] = "";
  int seen = 0;
  for (const char *at = a.body; at && (at = strstr(at, "{code=\"")); at++, seen++) {
    bool described = false;
    char status[4] = "";
    memcpy(status, at + 7, 3);
    for (const am_value *path = am_value_get(s->root, "paths")->first; path; path = path->next)
      described |= am_value_get(am_value_get(path->first, "responses"), status) != NULL;
    if (!described) snprintf(why, sizeof why, "%s is described nowhere", status);
  }
  result(seen > 8 && !*why, "all answers are described", why);
  client_free(&a);
}

/* ---- WebSocket ---- */

static const am_value *payload_of(const schema *s, const char *event) {
  const am_value *m = am_value_get(am_value_get(am_value_get(s->root, "components"), "messages"), event);
  return m ? am_value_get(m, "payload") : NULL;
}

/* Each message until the close: *code; the first fault in s->why, the code of an error in `error`. */
static void hear_all(schema *s, int fd, int *code, char error[64]) {
  char *text = NULL, event[64], fault[sizeof s->why] = "";
  size_t room = 0;
  error[0] = '\0';
  while (client_message(fd, &text, &room, code)) {
    if (sscanf(text, "{\"event\": \"%63[a-z_]", event) != 1) strcpy(event, "?");
    const am_value *is = payload_of(s, event);
    const bool good = is && json_holds(s, is, text, strlen(text), event);
    if (!good && !*fault) snprintf(fault, sizeof fault, "%.150s, %.200s", is ? s->why : "not described", text);
    if (!strcmp(event, "error")) sscanf(strstr(text, "\"code\": \""), "\"code\": \"%63[a-z_]", error);
  }
  memcpy(s->why, fault, sizeof fault);
  free(text);
}

static void send_all(int fd, const am_value *send) {
  static char large[1200000];
  for (const am_value *m = send ? send->first : NULL; m; m = m->next) {
    if (!strcmp(m->text, "samples")) client_frame(fd, WS_BINARY, true, raw, 3200);
    else if (!strcmp(m->text, "odd")) client_frame(fd, WS_BINARY, true, raw, 3201);
    else if (!strcmp(m->text, "large")) client_frame(fd, WS_BINARY, true, large, sizeof large);
    else client_frame(fd, WS_TEXT, true, m->text, strlen(m->text));
  }
}

static int open_stream(void) {
  int status;
  return client_socket(port, "/v1/stream", NULL, &status);
}

static void try_talk(schema *s) {
  int code;
  char error[64];
  const int fd = open_stream();
  client_frame(fd, WS_TEXT, true, "{}", 2);
  for (size_t at = 0; at + 3200 <= raw_bytes; at += 3200) client_frame(fd, WS_BINARY, true, raw + at, 3200);
  client_frame(fd, WS_TEXT, true, "{\"end\": true}", 13);
  hear_all(s, fd, &code, error);
  close(fd);
  result(code == 1000 && !*error && !*s->why, "the events of a stream are described", s->why);
}

static void check_error(schema *s, int fd, const am_value *how) {
  int code;
  char error[64], name[200], why[600];
  hear_all(s, fd, &code, error);
  snprintf(name, sizeof name, "a stream ends by %s, %s", text_of(how, "code", "?"), text_of(how, "close", "?"));
  snprintf(why, sizeof why, "it ended by %s, %d; %s", error, code, s->why);
  result(!strcmp(error, text_of(how, "code", "?")) && code == atoi(text_of(how, "close", "0")) && !*s->why, name, why);
}

static const am_value *errors_of(const schema *s) {
  return am_value_get(am_value_get(am_value_get(am_value_get(s->root, "components"), "messages"), "error"), "x-ask");
}

static void try_errors(schema *s) {
  for (const am_value *how = errors_of(s)->first; how; how = how->next) {
    int crowd[8];
    const int others = atoi(text_of(how, "crowd", "0"));
    if (is_set(how, "stopping")) continue;
    for (int i = 0; i < others; i++) crowd[i] = open_stream();
    const int fd = open_stream();
    send_all(fd, am_value_get(how, "send"));
    check_error(s, fd, how);
    close(fd);
    for (int i = 0; i < others; i++) close(crowd[i]);
    usleep(100000);
  }
}

/* Each code is asked for, or is said not to be. */
static void look_at_codes(const schema *s) {
  const am_value *error = am_value_get(am_value_get(am_value_get(s->root, "components"), "messages"), "error");
  const am_value *codes = am_value_find(error, "payload.properties.code.enum"),
                 *not_asked = am_value_get(error, "x-not-asked");
  char why[200] = "";
  for (const am_value *c = codes->first; c; c = c->next) {
    bool known = false;
    for (const am_value *n = not_asked->first; n; n = n->next) known |= !strcmp(n->text, c->text);
    for (const am_value *how = errors_of(s)->first; how; how = how->next)
      known |= !strcmp(text_of(how, "code", ""), c->text);
    if (!known) snprintf(why, sizeof why, "%s", c->text);
  }
  result(!*why, "each error is asked for", why);
}

/* ---- both ---- */

/* Settings are those of the program, with its defaults. */
static void look_at_settings(const am_value *properties, const char *name, const char *const *besides, size_t n) {
  char why[200] = "";
  size_t known = n;
  for (const am_option *o = am_hear_table; o->name; o++) {
    const am_value *p = am_value_get(properties, o->name);
    bool other = false;
    for (size_t i = 0; i < n; i++) other |= besides[i][0] == '-' && !strcmp(besides[i] + 1, o->name);
    if (other) known--;
    else if (!p) snprintf(why, sizeof why, "%s is missing", o->name);
    else if (strcmp(text_of(p, "default", ""), o->fallback))
      snprintf(why, sizeof why, "%s has another default", o->name);
    known += !other;
  }
  if (properties && properties->count != known)
    snprintf(why, sizeof why, "%zu settings are described, not %zu", properties->count, known);
  result(properties && !*why, name, why);
}

/* Loud enough to be cut off in its second half; and as a file. */
static void make_sound(const char *path) {
  raw = client_file(path, &raw_bytes);
  if (!raw) exit(2);
  int16_t *x = (int16_t *)raw;
  const size_t n = raw_bytes / 2;
  for (size_t i = n / 2; i < n; i++) x[i] = (int16_t)(x[i] > 400 ? 32767 : x[i] < -400 ? -32768 : x[i] * 20);
  wav_bytes = raw_bytes + 44;
  wav = malloc(wav_bytes);
  memcpy(wav, "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data", 40);
  const uint32_t riff = (uint32_t)raw_bytes + 36, data = (uint32_t)raw_bytes;
  memcpy(wav + 4, &riff, 4);
  memcpy(wav + 40, &data, 4);
  memcpy(wav + 44, raw, raw_bytes);
}

/* An upload that does not end keeps the server from being gone at once. */
static void try_end(schema *http, schema *socket) {
  int upload[1];
  const int fd = open_stream();
  open_crowd(upload, 1);
  kill(server, SIGTERM);
  usleep(500000);
  try_paths(http, true);
  for (const am_value *how = errors_of(socket)->first; how; how = how->next)
    if (is_set(how, "stopping")) check_error(socket, fd, how);
  close(fd);
  close(upload[0]);
}

int main(int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_tree *trees[2];
  schema s[2] = {{0}, {0}};
  if (argc < 6) return 2;
  port = atoi(argv[1]);
  server = (pid_t)atoi(argv[2]);
  make_sound(argv[5]);
  if (am_context_create(NULL, &ctx, &err)) return 2;
  for (int i = 0; i < 2; i++) {
    if (am_yaml_read_file(ctx, argv[3 + i], &trees[i], &err)) return printf("Bail out! %s\n", err.message), 2;
    s[i].root = am_tree_root(trees[i]);
  }
  static const char *const of_forms[] = {"file", "response_format", "-rate", "-measurements"};
  look_at_settings(am_value_find(s[1].root, "components.messages.settings.payload.properties"), "a stream's settings",
                   NULL, 0);
  const am_value *form = am_value_get(am_value_get(am_value_get(s[0].root, "paths"), "/v1/predict"), "post");
  look_at_settings(am_value_find(form, "requestBody.content.multipart/form-data.schema.properties"),
                   "a form's settings", of_forms, 4);
  try_paths(&s[0], false);
  try_talk(&s[1]);
  try_errors(&s[1]);
  look_at_codes(&s[1]);
  look_at_counts(&s[0]);
  try_end(&s[0], &s[1]);
  const am_value *messages = am_value_find(s[1].root, "components.messages");
  size_t unseen = schema_unseen(&s[0], am_value_find(s[0].root, "components.schemas"), "openapi");
  for (const am_value *m = messages->first; m; m = m->next)
    if (strcmp(m->key, "settings") && strcmp(m->key, "finish")) unseen += schema_unseen(&s[1], m, m->key);
  result(!unseen, "each field that is described was met", "see above");
  printf("1..%d\n", cases);
  for (int i = 0; i < 2; i++) {
    am_tree_free(trees[i]);
    free((void *)s[i].seen);
  }
  free(raw);
  free(wav);
  am_context_free(ctx);
  return failed != 0;
}
