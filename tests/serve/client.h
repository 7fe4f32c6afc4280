/* SPDX-License-Identifier: MIT */
/* tests/serve/client.h - a client of its own for the tests of the server: HTTP and WebSocket over plain sockets, also broken ones. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* A connection to the loopback address, with a limit on every wait; -1. */
int client_connect(int port, double seconds);
bool client_send(int fd, const void *data, size_t bytes);

typedef struct client_answer {
  int status;   /* 0: there was none */
  char *text;   /* header and body, terminated; free */
  size_t bytes; /* of both */
  char *body;   /* within text */
  size_t n_body;
} client_answer;
/* One answer, by its Content-Length or up to the end of the connection. */
client_answer client_read(int fd, bool head);
/* Any request on a connection of its own: METHOD PATH, further header lines ("X: y\r\n", or NULL), a body or NULL. */
client_answer client_ask(int port, const char *method, const char *path, const char *lines, const void *body,
                         size_t bytes);
/* A form of a file and fields ("name=value"). */
client_answer client_post(int port, const char *path, const char *filename, const void *data, size_t bytes,
                          const char *const *fields, size_t n);
void client_free(client_answer *a);

/* A WebSocket; -1 where it is refused, with the HTTP status. */
int client_socket(int port, const char *path, const char *lines, int *status);
enum { WS_CONTINUE = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9 };
bool client_frame(int fd, int opcode, bool final, const void *data, size_t bytes);
/* The next message of text, terminated, into a buffer that grows (free); false: it is closed, by *code (0: without one). */
bool client_message(int fd, char **text, size_t *room, int *code);

/* A whole file; NULL. */
char *client_file(const char *path, size_t *bytes);

#endif
