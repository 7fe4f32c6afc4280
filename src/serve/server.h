/* SPDX-License-Identifier: MIT */
/* serve/server.h - what the files that know the network library share: the server, and its connections.
 *
 * One thread, the loop, has all connections; nothing in it waits.  What is heard is heard by two crews, one for streams and one for
 * uploads, so that a long recording does not hold up who speaks. */
#ifndef AM_SERVER_H
#define AM_SERVER_H

#include <libwebsockets.h>

#include "base/library.h"
#include "serve/crew.h"
#include "serve/facts.h"
#include "serve/live.h"
#include "serve/serve.h"
#include "serve/upload.h"

/* network.c: the functions of libwebsockets.  The process has one table of them: an event brings only objects of the library,
 * and it takes its functions to get from those to ours. */
#define LWS_CALLS(X) \
  X(lws_add_http_common_headers) \
  X(lws_add_http_header_by_name) \
  X(lws_callback_on_writable) \
  X(lws_cancel_service) \
  X(lws_close_reason) \
  X(lws_context_destroy) \
  X(lws_get_library_version) \
  X(lws_context_user) \
  X(lws_create_context) \
  X(lws_finalize_write_http_header) \
  X(lws_frame_is_binary) \
  X(lws_get_context) \
  X(lws_get_peer_simple) \
  X(lws_get_vhost_by_name) \
  X(lws_get_vhost_listen_port) \
  X(lws_hdr_copy) \
  X(lws_hdr_total_length) \
  X(lws_http_transaction_completed) \
  X(lws_is_final_fragment) \
  X(lws_remaining_packet_payload) \
  X(lws_rx_flow_control) \
  X(lws_service) \
  X(lws_set_log_level) \
  X(lws_set_timeout) \
  X(lws_sul_schedule) \
  X(lws_write)
typedef struct am_lws {
  LWS_CALLS(AM_LIBRARY_MEMBER)
} am_lws;
extern am_lws am_network; /* filled by: */
am_status am_network_load(am_error *err);

typedef struct am_server am_server;

typedef struct am_conn {
  am_server *server;
  struct lws *wsi;
  struct am_conn *next, *before;
  char address[64];
  double deadline; /* am_now when it is cut; 0: never */
  double began;    /* of what the deadline is for */

  /* a request */
  bool receiving, head, close_after;
  size_t expected, reserved; /* bytes of its body, and those of it that count for the server's limit */
  am_buffer body;
  char boundary[AM_BOUNDARY];
  am_upload *upload;
  am_reply reply;        /* of what is answered at once */
  const am_reply *ready; /* that is being sent; NULL: none yet */
  bool headed;           /* its header is sent */
  size_t sent;

  /* a stream */
  am_live *live;
  bool paused, counted, failing;
} am_conn;

struct am_server {
  am_context *ctx;
  am_ensemble *model;
  am_serve_options options;
  am_crew *streams, *uploads;
  struct lws_context *lws;
  am_conn *conns;
  am_counts counts;
  size_t reserved; /* bytes of bodies that are, or will be, in memory */
  am_buffer line;  /* the message that is being sent */
  lws_sorted_usec_list_t tick;
  double stops_at; /* 0: it goes on */
};

/* server.c */
am_conn *am_server_conn(am_server *s, struct lws *wsi, am_conn **at); /* made where *at is NULL; NULL: no memory */
void am_server_close(am_conn **at);                                   /* NULL in *at is allowed */
void am_server_wake(void *server);                                    /* from any thread */
/* Streams, or uploads, of an address. */
size_t am_server_of_client(const am_server *s, const char *address, bool live);

/* http.c: events of the library; what is not 0 closes the connection. */
int am_http_begin(am_conn *c, const char *path);
int am_http_body(am_conn *c, const char *data, size_t bytes);
int am_http_complete(am_conn *c);
int am_http_writable(am_conn *c);
int am_http_tick(am_conn *c, double now); /* a deadline may have passed */
/* Whether a request may come from where it says; else *out is filled. */
bool am_http_allowed(am_server *s, struct lws *wsi, am_reply *out);
int am_http_send(am_conn *c, am_reply *reply); /* at once, and closes; a request that is not heard further */

/* socket.c: the same of streams. */
int am_socket_filter(am_server *s, struct lws *wsi);
int am_socket_begin(am_conn *c);
int am_socket_receive(am_conn *c, const char *data, size_t bytes);
int am_socket_writable(am_conn *c);
void am_socket_tick(am_conn *c, double now);
void am_socket_wake(am_conn *c); /* something may be there to send, or room to read */

#endif
