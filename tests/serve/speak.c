/* SPDX-License-Identifier: MIT */
/* tests/serve/speak.c - the client as a command, for scripts:
 *   speak PORT METHOD PATH [LINE]...           a request, with header lines; prints status and body
 *   speak PORT post PATH FILE|- [NAME=VALUE]...   a form; -: without a file; prints status and body
 *   speak PORT stream SETTINGS FILE.raw [CHUNK]   prints the events, and the close code
 *   speak PORT raw FILE                        bytes as they are; prints what comes back */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

static int print_answer(client_answer a) {
  printf("%d\n", a.status);
  if (a.body) fwrite(a.body, 1, a.n_body, stdout);
  client_free(&a);
  return 0;
}

static int request(int port, int argc, char **argv) {
  char lines[4096] = "";
  for (int i = 4; i < argc; i++) {
    strcat(lines, argv[i]);
    strcat(lines, "\r\n");
  }
  return print_answer(client_ask(port, argv[2], argv[3], lines, NULL, 0));
}

static int post(int port, int argc, char **argv) {
  size_t bytes = 0;
  const char *name = strrchr(argv[4], '/');
  char *data = strcmp(argv[4], "-") ? client_file(argv[4], &bytes) : calloc(1, 1);
  if (!data) return 1;
  const char *shown = strcmp(argv[4], "-") ? name ? name + 1 : argv[4] : NULL;
  const int failed =
      print_answer(client_post(port, argv[3], shown, data, bytes, (const char *const *)argv + 5, (size_t)argc - 5));
  free(data);
  return failed;
}

static int stream(int port, int argc, char **argv) {
  size_t bytes, room = 0;
  char *data = client_file(argv[4], &bytes), *text = NULL;
  const size_t chunk = argc > 5 ? (size_t)atoi(argv[5]) : 3200;
  int status, code;
  const int fd = data ? client_socket(port, "/v1/stream", NULL, &status) : -1;
  if (fd < 0) return 1;
  bool sent = client_frame(fd, WS_TEXT, true, argv[3], strlen(argv[3]));
  for (size_t at = 0, n; at < bytes && sent; at += n) {
    n = bytes - at < chunk ? bytes - at : chunk;
    sent = client_frame(fd, WS_BINARY, true, data + at, n);
  }
  if (sent) client_frame(fd, WS_TEXT, true, "{\"end\": true}", 13);
  while (client_message(fd, &text, &room, &code)) puts(text);
  printf("closed %d\n", code);
  close(fd);
  free(text);
  free(data);
  return 0;
}

static int raw(int port, char **argv) {
  size_t bytes, n;
  char *data = client_file(argv[3], &bytes), back[4096];
  const int fd = client_connect(port, 5);
  if (!data || fd < 0) return 1;
  (void)client_send(fd, data, bytes);
  while ((ssize_t)(n = (size_t)read(fd, back, sizeof back)) > 0) fwrite(back, 1, n, stdout);
  close(fd);
  free(data);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const int port = atoi(argv[1]);
  if (!strcmp(argv[2], "raw")) return raw(port, argv);
  if (argc > 4 && !strcmp(argv[2], "post")) return post(port, argc, argv);
  if (argc > 4 && !strcmp(argv[2], "stream")) return stream(port, argc, argv);
  return request(port, argc, argv);
}
