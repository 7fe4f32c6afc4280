/* SPDX-License-Identifier: MIT */
/* serve/server.c - the loop: connections, deadlines, and the way to an end. */
#include "serve/server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/ensemble.h"
#include "serve/guard.h"

enum { TICK = 200000 }; /* us */

const am_serve_options am_serve_defaults = {.host = "127.0.0.1",
                                            .port = 8080,
                                            .threads = 1,
                                            .max_body = (size_t)64 << 20,
                                            .max_seconds = 3600,
                                            .sessions = 64,
                                            .per_client = 8,
                                            .deadline = 20,
                                            .work = 300,
                                            .grace = 10};

/* ---- connections ---- */

am_conn *am_server_conn(am_server *s, struct lws *wsi, am_conn **at) {
  am_conn *c = *at;
  if (c) return c;
  if (!(c = *at = am_alloc(s->ctx, 1, sizeof *c))) return NULL;
  c->server = s;
  c->wsi = wsi;
  am_network.lws_get_peer_simple(wsi, c->address, sizeof c->address);
  c->next = s->conns;
  if (s->conns) s->conns->before = c;
  s->conns = c;
  s->counts.connections++;
  return c;
}

void am_server_close(am_conn **at) {
  am_conn *c = *at;
  if (!c) return;
  am_server *s = c->server;
  if (c->before) c->before->next = c->next;
  else s->conns = c->next;
  if (c->next) c->next->before = c->before;
  s->counts.connections--;
  s->reserved -= c->reserved;
  if (c->live) s->counts.seconds += am_live_seconds(c->live);
  if (c->counted && c->live) s->counts.sessions--;
  else if (c->counted) s->counts.uploads--;
  am_live_release(c->live);
  am_upload_release(c->upload);
  am_buffer_free(s->ctx, &c->body);
  am_reply_free(s->ctx, &c->reply);
  am_free(s->ctx, c);
  *at = NULL;
}

size_t am_server_of_client(const am_server *s, const char *address, bool live) {
  size_t n = 0;
  for (const am_conn *c = s->conns; c; c = c->next)
    n += !strcmp(c->address, address) && (live ? c->live != NULL : c->receiving || (c->upload && !c->ready));
  return n;
}

void am_server_wake(void *server) { am_network.lws_cancel_service(((am_server *)server)->lws); }

static void look_at_all(am_server *s) {
  for (am_conn *c = s->conns; c; c = c->next) {
    if (c->live) am_socket_wake(c);
    else if (c->upload && !c->ready && am_upload_reply(c->upload)) am_network.lws_callback_on_writable(c->wsi);
  }
}

static void tick(lws_sorted_usec_list_t *sul) {
  am_server *s = lws_container_of(sul, am_server, tick);
  const double now = am_now();
  for (am_conn *c = s->conns, *next; c; c = next) {
    next = c->next;
    if (c->live) am_socket_tick(c, now);
    else (void)am_http_tick(c, now);
  }
  am_network.lws_sul_schedule(s->lws, 0, &s->tick, tick, TICK);
}

/* ---- the library's events ---- */

static int on_http(am_server *s, struct lws *wsi, enum lws_callback_reasons reason, am_conn **at, void *in,
                   size_t bytes) {
  switch (reason) {
    case LWS_CALLBACK_HTTP: return am_server_conn(s, wsi, at) ? am_http_begin(*at, in) : -1;
    case LWS_CALLBACK_HTTP_BODY: return *at ? am_http_body(*at, in, bytes) : -1;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return *at ? am_http_complete(*at) : -1;
    case LWS_CALLBACK_HTTP_WRITEABLE: return *at ? am_http_writable(*at) : 0;
    default: return 0;
  }
}

static int on_socket(am_server *s, struct lws *wsi, enum lws_callback_reasons reason, am_conn **at, void *in,
                     size_t bytes) {
  switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return am_socket_filter(s, wsi);
    case LWS_CALLBACK_ESTABLISHED: return am_server_conn(s, wsi, at) ? am_socket_begin(*at) : -1;
    case LWS_CALLBACK_RECEIVE: return *at ? am_socket_receive(*at, in, bytes) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE: return *at ? am_socket_writable(*at) : 0;
    default: return 0;
  }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t bytes) {
  am_server *s = am_network.lws_context_user(am_network.lws_get_context(wsi));
  am_conn **at = user;
  switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED: look_at_all(s); return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
      if (at) am_server_close(at);
      return 0;
    default: break;
  }
  const int result = on_http(s, wsi, reason, at, in, bytes);
  return result ? result : on_socket(s, wsi, reason, at, in, bytes);
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = on_event, .per_session_data_size = sizeof(am_conn *), .rx_buffer_size = 16384},
    {0},
};

/* ---- listening ---- */

bool am_serve_is_local(const char *host) { return !strcmp(host, "localhost") || am_guard_loopback(host); }

/* The address of a host; and whether somebody could listen there, which the library does not say why not. */
static am_status try_to_listen(const am_serve_options *o, char *address, size_t room, bool *v6, am_error *err) {
  char port[16];
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
  snprintf(port, sizeof port, "%d", o->port);
  if (!strcmp(o->host, "localhost")) hints.ai_family = AF_INET;
  const int failed = getaddrinfo(o->host, port, &hints, &found);
  if (failed) return am_fail(err, AM_E_IO, "host %s: %s", o->host, gai_strerror(failed));
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, why = errno;
  *v6 = found->ai_family == AF_INET6;
  if (fd >= 0) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    why = bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 1) ? errno : 0;
    close(fd);
  }
  getnameinfo(found->ai_addr, found->ai_addrlen, address, (socklen_t)room, NULL, 0, NI_NUMERICHOST);
  freeaddrinfo(found);
  return fd < 0 || why ? am_fail_errno(err, why, "cannot listen on %s, port %d", o->host, o->port) : AM_OK;
}

static am_status open_network(am_server *s, const char *address, bool v6, am_error *err) {
  am_network.lws_set_log_level(0, NULL);
  struct lws_context_creation_info info = {
      .port = s->options.port,
      .iface = address,
      .protocols = protocols,
      .user = s,
      .gid = -1,
      .uid = -1,
      .server_string = "audiomood",
      .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | (v6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
      .timeout_secs = (unsigned)s->options.deadline + 5, /* ours come first, with a word */
      .timeout_secs_ah_idle = (unsigned)s->options.deadline,
      .keepalive_timeout = (int)s->options.deadline,
      .pt_serv_buf_size = 16384,
      .max_http_header_data = 8192,
  };
  s->lws = am_network.lws_create_context(&info);
  if (!s->lws) return am_fail(err, AM_E_IO, "cannot listen on %s, port %d", s->options.host, s->options.port);
  return AM_OK;
}

static void tell_where(am_server *s, const am_serve_caller *caller, const char *address, bool v6) {
  char url[160];
  struct lws_vhost *vhost = am_network.lws_get_vhost_by_name(s->lws, "default");
  snprintf(url, sizeof url, v6 ? "http://[%s]:%d/" : "http://%s:%d/", address,
           vhost ? am_network.lws_get_vhost_listen_port(vhost) : s->options.port);
  caller->listening(caller->user, url);
}

/* ---- the loop ---- */

static void begin_to_stop(am_server *s) {
  s->counts.stopping = true;
  s->stops_at = am_now() + s->options.grace;
  for (am_conn *c = s->conns; c; c = c->next) {
    if (!c->live) continue;
    am_live_finish(c->live);
    am_network.lws_callback_on_writable(c->wsi);
  }
}

/* Whether something is under way that has a little time left. */
static bool has_more(const am_server *s) {
  if (am_now() >= s->stops_at) return false;
  for (const am_conn *c = s->conns; c; c = c->next)
    if (c->live || c->upload || c->ready || c->receiving) return true;
  return false;
}

static am_status loop(am_server *s, const am_serve_caller *caller, am_error *err) {
  am_network.lws_sul_schedule(s->lws, 0, &s->tick, tick, TICK);
  for (;;) {
    if (am_network.lws_service(s->lws, 0) < 0 && !caller->stop(caller->user))
      return am_fail(err, AM_E_IO, "the network library gave up");
    if (!s->counts.stopping && caller->stop(caller->user)) begin_to_stop(s);
    if (s->counts.stopping && !has_more(s)) return AM_OK;
  }
}

/* Uploads first: the threads of a crew end when their work does, and connections hold on to none of it. */
static void end(am_server *s) {
  for (am_conn *c = s->conns; c; c = c->next) {
    am_upload_release(c->upload);
    am_live_release(c->live);
    c->upload = NULL;
    c->live = NULL;
    c->ready = NULL;
  }
  am_crew_free(s->streams);
  am_crew_free(s->uploads);
  if (s->lws) am_network.lws_context_destroy(s->lws);
  am_buffer_free(s->ctx, &s->line);
}

am_status am_serve(am_ensemble *model, const am_serve_options *options, const am_serve_caller *caller, am_error *err) {
  am_server s = {.ctx = am_ensemble_context(model), .model = model, .options = *options, .counts.began = am_now()};
  char address[128];
  bool v6 = false;
  am_context_set_apart(s.ctx);
  am_status st = am_ensemble_check(model, err);
  if (!st) st = am_network_load(err);
  if (!st) st = try_to_listen(options, address, sizeof address, &v6, err);
  if (!st) st = am_crew_create(s.ctx, model, options->threads, &s.streams, err);
  if (!st) st = am_crew_create(s.ctx, model, options->threads, &s.uploads, err);
  if (!st) st = open_network(&s, address, v6, err);
  if (!st) tell_where(&s, caller, address, v6);
  if (!st) st = loop(&s, caller, err);
  end(&s);
  return st;
}
