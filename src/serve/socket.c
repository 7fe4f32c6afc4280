/* SPDX-License-Identifier: MIT */
/* serve/socket.c - /v1/stream: the WebSocket side of a stream. */
#include <stdio.h>
#include <string.h>

#include "serve/server.h"

enum { LAST_WORDS = 5 }; /* s that a client has to take the end of a stream */

/* By hand: what the library would answer waits for its turn to write, which a connection that is closed does not get. */
static void refuse(struct lws *wsi, int status) {
  unsigned char room[LWS_PRE + 128];
  const int n = snprintf((char *)room + LWS_PRE, 128,
                         "HTTP/1.1 %d Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", status);
  (void)!am_network.lws_write(wsi, room + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_HEADERS);
}

int am_socket_filter(am_server *s, struct lws *wsi) {
  char path[64] = "";
  am_reply refused = {0};
  (void)am_network.lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
  int status = strcmp(path, "/v1/stream") ? 404 : 0;
  if (!status && !am_http_allowed(s, wsi, &refused)) status = refused.status;
  am_reply_free(s->ctx, &refused);
  if (!status && s->counts.stopping) status = 503;
  if (!status) return 0;
  am_counts_answered(&s->counts, status);
  refuse(wsi, status);
  return -1;
}

int am_socket_begin(am_conn *c) {
  am_server *s = c->server;
  am_error err = AM_ERROR_INIT;
  const am_live_options o = {s->options.learn_voice, am_server_wake, s};
  if (am_live_create(s->model, s->streams, &o, &c->live, &err)) return -1;
  s->counts.streams++;
  am_counts_answered(&s->counts, 101);
  c->deadline = am_now() + s->options.deadline;
  if (s->counts.sessions >= (size_t)s->options.sessions) {
    am_live_fail(c->live, AM_CLOSE_LATER, "too_many_sessions",
                 "the server hears as many streams as it may; try again later");
  } else if (am_server_of_client(s, c->address, true) > (size_t)s->options.per_client) {
    am_live_fail(c->live, AM_CLOSE_LATER, "too_many_sessions",
                 "this client has as many streams as it may; try again later");
  } else {
    s->counts.sessions++;
    c->counted = true;
  }
  am_network.lws_callback_on_writable(c->wsi);
  return 0;
}

int am_socket_receive(am_conn *c, const char *data, size_t bytes) {
  const bool binary = am_network.lws_frame_is_binary(c->wsi);
  const bool final = am_network.lws_is_final_fragment(c->wsi) && !am_network.lws_remaining_packet_payload(c->wsi);
  c->server->counts.bytes_in += bytes;
  if (!c->failing) c->deadline = am_now() + c->server->options.deadline;
  if (!am_live_receive(c->live, data, bytes, binary, final)) {
    c->paused = true;
    c->deadline = 0; /* it is ours to go on */
    am_network.lws_rx_flow_control(c->wsi, 0);
  }
  am_socket_wake(c);
  return 0;
}

void am_socket_wake(am_conn *c) {
  if (c->paused && am_live_hungry(c->live)) {
    c->paused = false;
    c->deadline = am_now() + c->server->options.deadline;
    am_network.lws_rx_flow_control(c->wsi, 1);
  }
  am_network.lws_callback_on_writable(c->wsi);
}

int am_socket_writable(am_conn *c) {
  am_server *s = c->server;
  if (am_live_next(c->live, LWS_PRE, &s->line)) {
    const size_t n = s->line.used - LWS_PRE;
    if (am_network.lws_write(c->wsi, (unsigned char *)s->line.data + LWS_PRE, n, LWS_WRITE_TEXT) < (int)n) return -1;
    am_network.lws_callback_on_writable(c->wsi);
    return 0;
  }
  const int close = am_live_closing(c->live);
  if (!close) return 0;
  if (close != AM_CLOSE_DONE && close != AM_CLOSE_AWAY) s->counts.streams_failed++;
  am_network.lws_close_reason(c->wsi, (enum lws_close_status)close, NULL, 0);
  return -1;
}

void am_socket_tick(am_conn *c, double now) {
  if (!(c->deadline > 0) || now < c->deadline) return;
  if (c->failing) { /* and does not read it */
    am_network.lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
    return;
  }
  if (am_live_works(c->live)) {
    c->deadline = now + c->server->options.deadline;
    return;
  }
  c->failing = true;
  c->deadline = now + LAST_WORDS;
  am_live_fail(c->live, AM_CLOSE_POLICY, "idle", "nothing came for too long");
  am_network.lws_callback_on_writable(c->wsi);
}
