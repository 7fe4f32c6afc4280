/* SPDX-License-Identifier: MIT */
/* serve/http.c - requests: where they go, what they bring, what is sent back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve/guard.h"
#include "serve/page.h"
#include "serve/server.h"

enum { PIECE = 16384, SLOWEST = 16384 }; /* bytes of a write; bytes a second that a client has to manage */

/* ---- sending ---- */

static const char *const headers[][2] = {
    {"x-content-type-options:", "nosniff"},
    {"x-frame-options:", "DENY"},
    {"referrer-policy:", "no-referrer"},
    {"cache-control:", "no-store"},
    {"cross-origin-resource-policy:", "same-origin"},
    {"cross-origin-opener-policy:", "same-origin"},
    {"permissions-policy:", "microphone=(self), camera=(), geolocation=()"},
    {"content-security-policy:",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src blob:; connect-src "
     "'self'; "
     "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
};

static int put_header(struct lws *wsi, const char *name, const char *value, unsigned char **p, unsigned char *end) {
  return am_network.lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
                                                (int)strlen(value), p, end);
}

static int send_header(am_conn *c) {
  unsigned char room[LWS_PRE + 2048], *start = room + LWS_PRE, *p = start, *end = room + sizeof room - 1;
  const am_reply *r = c->ready;
  char number[16];
  c->headed = true;
  if (am_network.lws_add_http_common_headers(c->wsi, (unsigned)r->status, r->type, (lws_filepos_t)r->body.used, &p,
                                             end))
    return -1;
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
    if (put_header(c->wsi, headers[i][0], headers[i][1], &p, end)) return -1;
  snprintf(number, sizeof number, "%d", r->retry_after);
  if (r->retry_after && put_header(c->wsi, "retry-after:", number, &p, end)) return -1;
  if (r->allow && put_header(c->wsi, "allow:", r->allow, &p, end)) return -1;
  if (c->close_after && put_header(c->wsi, "connection:", "close", &p, end)) return -1;
  return am_network.lws_finalize_write_http_header(c->wsi, start, &p, end);
}

/* Its body is heard, or never will be. */
static void settle(am_conn *c) {
  c->server->reserved -= c->reserved;
  c->reserved = 0;
  if (c->counted) c->server->counts.uploads--;
  c->counted = false;
}

static void forget_request(am_conn *c) {
  settle(c);
  am_upload_release(c->upload);
  c->upload = NULL;
  am_buffer_free(c->server->ctx, &c->body);
  am_reply_free(c->server->ctx, &c->reply);
  c->ready = NULL;
  c->receiving = c->headed = false;
  c->sent = c->expected = 0;
  c->deadline = 0;
}

static int finish(am_conn *c) {
  const bool close = c->close_after;
  forget_request(c);
  if (close) return -1;
  return am_network.lws_http_transaction_completed(c->wsi) ? -1 : 0;
}

static void begin_deadline(am_conn *c) {
  c->began = am_now();
  c->deadline = c->began + c->server->options.deadline;
}

/* Its reply is there: it is sent as the client takes it. */
static void ready(am_conn *c, const am_reply *reply) {
  am_server *s = c->server;
  c->ready = reply;
  c->sent = 0;
  settle(c);
  s->counts.seconds += reply->seconds;
  am_counts_answered(&s->counts, reply->status);
  am_network.lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
  begin_deadline(c);
  am_network.lws_callback_on_writable(c->wsi);
}

int am_http_writable(am_conn *c) {
  unsigned char room[LWS_PRE + PIECE];
  const am_reply *made = c->upload && !c->ready ? am_upload_reply(c->upload) : NULL;
  if (made) ready(c, made);
  if (!c->ready) return 0;
  if (!c->headed) {
    if (send_header(c)) return -1;
    if (c->head || !c->ready->body.used) return finish(c);
    am_network.lws_callback_on_writable(c->wsi);
    return 0;
  }
  const size_t left = c->ready->body.used - c->sent, n = left < PIECE ? left : PIECE;
  memcpy(room + LWS_PRE, c->ready->body.data + c->sent, n);
  if (am_network.lws_write(c->wsi, room + LWS_PRE, n, n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)n)
    return -1;
  c->sent += n;
  c->deadline = c->began + c->server->options.deadline + (double)c->sent / SLOWEST;
  if (n == left) return finish(c);
  am_network.lws_callback_on_writable(c->wsi);
  return 0;
}

int am_http_send(am_conn *c, am_reply *reply) {
  am_reply_free(c->server->ctx, &c->reply);
  c->reply = *reply;
  c->close_after = true;
  ready(c, &c->reply);
  return 0;
}

/* ---- who asks ---- */

static bool header(struct lws *wsi, enum lws_token_indexes which, char *out, size_t room) {
  out[0] = '\0';
  return am_network.lws_hdr_copy(wsi, out, (int)room, which) > 0;
}

bool am_http_allowed(am_server *s, struct lws *wsi, am_reply *out) {
  char host[300], origin[300];
  if (!header(wsi, WSI_TOKEN_HOST, host, sizeof host) ||
      !am_guard_host(host, s->options.host, s->options.names, s->options.n_names)) {
    am_reply_fail(s->ctx, out, 421, "unknown_host", "this server is not called \"%s\"; option name adds a name", host);
    return false;
  }
  if (am_network.lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0 &&
      (!header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof origin) || !am_guard_origin(origin, host))) {
    am_reply_fail(s->ctx, out, 403, "other_origin", "pages of other sites may not ask this server");
    return false;
  }
  return true;
}

/* ---- routes ---- */

typedef enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER } method;

static method method_of(struct lws *wsi) {
  if (am_network.lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0) return METHOD_GET;
  if (am_network.lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0) return METHOD_HEAD;
  return am_network.lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0 ? METHOD_POST : METHOD_OTHER;
}

static bool is_upload(const char *path) { return !strcmp(path, "/v1/predict") || !strcmp(path, "/inference"); }

static bool answer_get(am_server *s, const char *path, am_reply *out) {
  s->counts.waiting = am_crew_waiting(s->uploads);
  if (!strcmp(path, "/v1/model")) am_facts_model(s->model, out);
  else if (!strcmp(path, "/health")) am_facts_health(s->ctx, &s->counts, out);
  else if (!strcmp(path, "/metrics")) am_facts_metrics(s->ctx, &s->counts, out);
  else return am_page_find(s->ctx, path, out);
  return true;
}

static bool is_get(const char *path) {
  return !strcmp(path, "/v1/model") || !strcmp(path, "/health") || !strcmp(path, "/metrics") || am_page_has(path);
}

/* Whether the body that is announced may come; else *out is filled. */
static bool admit(am_conn *c, am_reply *out) {
  am_server *s = c->server;
  char text[300];
  if (!header(c->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, text, sizeof text) || !am_multipart_boundary(text, c->boundary)) {
    am_reply_fail(s->ctx, out, 415, "bad_type", "wanted multipart/form-data with a boundary");
    return false;
  }
  char *end = text;
  unsigned long long length = 0;
  if (am_network.lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
      !header(c->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, 20) ||
      (length = strtoull(text, &end, 10), end == text || *end || *text == '-')) {
    am_reply_fail(s->ctx, out, 411, "no_length", "wanted Content-Length, and no Transfer-Encoding");
    return false;
  }
  if (length > s->options.max_body) {
    am_reply_fail(s->ctx, out, 413, "too_large", "the body is of %llu bytes; the most are %zu", length,
                  s->options.max_body);
    return false;
  }
  const size_t crowd = (size_t)s->options.threads * 8;
  if (am_server_of_client(s, c->address, false) >= (size_t)s->options.per_client) {
    am_reply_fail(s->ctx, out, 429, "too_many_uploads", "%d uploads of this client are under way; try again later",
                  s->options.per_client);
    return false;
  }
  if (s->counts.uploads >= crowd || s->reserved + length > 4 * s->options.max_body) {
    am_reply_fail(s->ctx, out, 503, "busy", "too many uploads are under way; try again later");
    return false;
  }
  c->expected = c->reserved = (size_t)length;
  s->reserved += c->reserved;
  return true;
}

static void route(am_conn *c, const char *path, am_reply *out) {
  am_server *s = c->server;
  const method m = method_of(c->wsi);
  c->head = m == METHOD_HEAD;
  if (!am_http_allowed(s, c->wsi, out)) return;
  if (is_get(path)) {
    if ((m == METHOD_GET || m == METHOD_HEAD) && answer_get(s, path, out)) return;
    am_reply_fail(s->ctx, out, m == METHOD_GET || m == METHOD_HEAD ? 503 : 405, "wrong_method", "wanted GET");
    if (out->status == 405) out->allow = "GET, HEAD";
    return;
  }
  if (is_upload(path)) {
    if (s->counts.stopping) {
      am_reply_fail(s->ctx, out, 503, "shutting_down", "the server stops");
    } else if (m != METHOD_POST) {
      am_reply_fail(s->ctx, out, 405, "wrong_method", "wanted POST");
      out->allow = "POST";
    } else if (admit(c, out)) {
      c->receiving = true;
    }
    return;
  }
  if (!strcmp(path, "/v1/stream")) am_reply_fail(s->ctx, out, 426, "not_a_websocket", "wanted a WebSocket handshake");
  else am_reply_fail(s->ctx, out, 404, "not_found", "there is nothing here");
}

/* curl waits a second for it. */
static int say_continue(am_conn *c) {
  static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
  unsigned char room[LWS_PRE + sizeof text];
  char expect[32];
  if (!header(c->wsi, WSI_TOKEN_HTTP_EXPECT, expect, sizeof expect) || strcasecmp(expect, "100-continue")) return 0;
  memcpy(room + LWS_PRE, text, sizeof text - 1);
  return am_network.lws_write(c->wsi, room + LWS_PRE, sizeof text - 1, LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

int am_http_begin(am_conn *c, const char *path) {
  am_reply reply = {0};
  forget_request(c);
  c->close_after = c->head = false;
  route(c, path, &reply);
  if (c->receiving) {
    c->server->counts.uploads++;
    c->counted = true;
    begin_deadline(c);
    return say_continue(c);
  }
  c->reply = reply;
  /* What a client goes on sending is not read as a request. */
  c->close_after = method_of(c->wsi) != METHOD_GET && method_of(c->wsi) != METHOD_HEAD;
  ready(c, &c->reply);
  return 0;
}

/* ---- bodies ---- */

static int refuse(am_conn *c, int status, const char *code, const char *message) {
  am_reply reply = {0};
  am_reply_fail(c->server->ctx, &reply, status, code, "%s", message);
  c->receiving = false;
  am_buffer_free(c->server->ctx, &c->body);
  return am_http_send(c, &reply);
}

int am_http_body(am_conn *c, const char *data, size_t bytes) {
  am_server *s = c->server;
  s->counts.bytes_in += bytes;
  if (!c->receiving) return 0; /* of what was refused */
  if (bytes > c->expected - c->body.used)
    return refuse(c, 400, "bad_form", "the body is longer than its Content-Length");
  am_buffer_append(s->ctx, &c->body, data, bytes);
  c->deadline = c->began + s->options.deadline + (double)c->body.used / SLOWEST;
  return c->body.failed ? refuse(c, 503, "out_of_memory", "there is no memory for the body") : 0;
}

int am_http_complete(am_conn *c) {
  am_server *s = c->server;
  am_error err = AM_ERROR_INIT;
  if (!c->receiving) return 0;
  c->receiving = false;
  c->deadline = 0;
  am_network.lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
  if (c->body.used < c->expected) return refuse(c, 400, "bad_form", "the body is shorter than its Content-Length");
  const am_upload_limits limits = {
      .max_seconds = s->options.max_seconds, .deadline = s->options.work, .learn_voice = s->options.learn_voice};
  const am_upload_notice notice = {am_server_wake, s};
  if (am_upload_create(s->model, &c->body, c->boundary, &limits, notice, &c->upload, &err))
    return refuse(c, 503, "out_of_memory", err.message);
  am_upload_begin(c->upload, s->uploads);
  return 0;
}

int am_http_tick(am_conn *c, double now) {
  if (!(c->deadline > 0) || now < c->deadline) return 0;
  c->deadline = 0;
  if (c->receiving) return refuse(c, 408, "too_slow", "the body did not come in time");
  am_network.lws_set_timeout(c->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
  return 0;
}
