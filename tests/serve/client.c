/* SPDX-License-Identifier: MIT */
/* tests/serve/client.c - see client.h. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int client_connect(int port, double seconds) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  const struct timeval limit = {(time_t)seconds, 0};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof to)) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

bool client_send(int fd, const void *data, size_t bytes) {
  const char *at = data;
  while (bytes) {
    const ssize_t n = send(fd, at, bytes, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= (size_t)n;
  }
  return true;
}

static bool more(int fd, client_answer *a, size_t *room) {
  if (a->bytes + 4096 > *room) {
    *room = *room * 2 + 8192;
    a->text = realloc(a->text, *room);
  }
  const ssize_t n = recv(fd, a->text + a->bytes, *room - a->bytes - 1, 0);
  if (n <= 0) return false;
  a->bytes += (size_t)n;
  a->text[a->bytes] = '\0';
  return true;
}

client_answer client_read(int fd, bool head) {
  client_answer a = {0};
  size_t room = 0, length = SIZE_MAX;
  while (!a.body || a.n_body < length) {
    if (!more(fd, &a, &room)) break;
    if (!strncmp(a.text, "HTTP/1.1 100", 12)) { /* continue */
      char *next = strstr(a.text, "\r\n\r\n");
      if (!next) continue;
      a.bytes -= (size_t)(next + 4 - a.text);
      memmove(a.text, next + 4, a.bytes + 1);
    }
    char *blank = a.body ? NULL : strstr(a.text, "\r\n\r\n");
    const char *announced = strcasestr(a.text, "\r\ncontent-length:");
    a.body = strstr(a.text, "\r\n\r\n");
    if (!a.body) continue;
    if (blank && announced && announced < blank) length = strtoul(announced + 17, NULL, 10);
    if (head) length = 0;
    a.body += 4;
    a.n_body = a.bytes - (size_t)(a.body - a.text);
  }
  if (a.text && !strncmp(a.text, "HTTP/1.", 7)) a.status = atoi(a.text + 9);
  return a;
}

client_answer client_ask(int port, const char *method, const char *path, const char *lines, const void *body,
                         size_t bytes) {
  char header[4096];
  const int fd = client_connect(port, 60);
  int n = snprintf(header, sizeof header, "%s %s HTTP/1.1\r\n%s%s", method, path,
                   lines && strcasestr(lines, "host:") ? "" : "Host: localhost\r\n", lines ? lines : "");
  if (body) n += snprintf(header + n, sizeof header - (size_t)n, "Content-Length: %zu\r\n", bytes);
  n += snprintf(header + n, sizeof header - (size_t)n, "\r\n");
  if (fd < 0) return (client_answer){0};
  /* What is refused early is answered before all of it is sent. */
  if (client_send(fd, header, (size_t)n) && body) (void)client_send(fd, body, bytes);
  client_answer a = client_read(fd, !strcmp(method, "HEAD"));
  close(fd);
  return a;
}

client_answer client_post(int port, const char *path, const char *filename, const void *data, size_t bytes,
                          const char *const *fields, size_t n) {
  char *body = malloc(bytes + 4096 + 256 * n);
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    const char *value = strchr(fields[i], '=');
    used += (size_t)sprintf(body + used, "--xYx\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n%s\r\n",
                            (int)(value - fields[i]), fields[i], value + 1);
  }
  if (filename) {
    used += (size_t)sprintf(body + used,
                            "--xYx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"
                            "Content-Type: application/octet-stream\r\n\r\n",
                            filename);
    if (bytes) memcpy(body + used, data, bytes);
    used += bytes;
    used += (size_t)sprintf(body + used, "\r\n");
  }
  used += (size_t)sprintf(body + used, "--xYx--\r\n");
  client_answer a = client_ask(port, "POST", path, "Content-Type: multipart/form-data; boundary=xYx\r\n", body, used);
  free(body);
  return a;
}

void client_free(client_answer *a) {
  free(a->text);
  *a = (client_answer){0};
}

/* ---- WebSocket ---- */

int client_socket(int port, const char *path, const char *lines, int *status) {
  char request[1024];
  const int fd = client_connect(port, 60);
  char answer[4096];
  size_t used = 0;
  *status = 0;
  if (fd < 0) return -1;
  const int n = snprintf(request, sizeof request,
                         "GET %s HTTP/1.1\r\n%s%sUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                         path, lines && strcasestr(lines, "host:") ? "" : "Host: localhost\r\n", lines ? lines : "");
  bool sent = client_send(fd, request, (size_t)n);
  /* A byte at a time: what follows the header is a frame. */
  while (sent && used + 1 < sizeof answer && recv(fd, answer + used, 1, 0) == 1) {
    answer[++used] = '\0';
    if (used >= 4 && !strcmp(answer + used - 4, "\r\n\r\n")) break;
  }
  answer[used] = '\0';
  if (!strncmp(answer, "HTTP/1.1 ", 9)) *status = atoi(answer + 9);
  if (*status == 101 && strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) return fd;
  close(fd);
  return -1;
}

bool client_frame(int fd, int opcode, bool final, const void *data, size_t bytes) {
  static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
  const unsigned char *from = data;
  unsigned char *frame = malloc(bytes + 14);
  size_t n = 0;
  frame[n++] = (unsigned char)(opcode | (final ? 0x80 : 0));
  if (bytes < 126) {
    frame[n++] = (unsigned char)(0x80 | bytes);
  } else if (bytes < 65536) {
    frame[n++] = 0x80 | 126;
    frame[n++] = (unsigned char)(bytes >> 8);
    frame[n++] = (unsigned char)bytes;
  } else {
    frame[n++] = 0x80 | 127;
    for (int i = 7; i >= 0; i--) frame[n++] = (unsigned char)((uint64_t)bytes >> 8 * i);
  }
  memcpy(frame + n, mask, 4);
  n += 4;
  for (size_t i = 0; i < bytes; i++) frame[n++] = from[i] ^ mask[i % 4];
  const bool sent = client_send(fd, frame, n);
  free(frame);
  return sent;
}

static bool take(int fd, void *to, size_t bytes) {
  char *at = to;
  while (bytes) {
    const ssize_t n = recv(fd, at, bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= (size_t)n;
  }
  return true;
}

bool client_message(int fd, char **text, size_t *room, int *code) {
  size_t used = 0;
  *code = 0;
  for (;;) {
    unsigned char h[10];
    if (!take(fd, h, 2)) return false;
    size_t n = h[1] & 127;
    if (n == 126) {
      if (!take(fd, h + 2, 2)) return false;
      n = (size_t)h[2] << 8 | h[3];
    } else if (n == 127) {
      if (!take(fd, h + 2, 8)) return false;
      n = 0;
      for (int i = 2; i < 10; i++) n = n << 8 | h[i];
    }
    if (n > 1 << 24) return false;
    if (used + n + 1 > *room) *text = realloc(*text, *room = used + n + 1);
    if (!take(fd, *text + used, n)) return false;
    const int opcode = h[0] & 15;
    if (opcode == WS_CLOSE) {
      if (n >= 2) *code = (unsigned char)(*text)[used] << 8 | (unsigned char)(*text)[used + 1];
      return false;
    }
    if (opcode > 2) continue; /* ping, pong */
    used += n;
    (*text)[used] = '\0';
    if (h[0] & 0x80) return true;
  }
}

char *client_file(const char *path, size_t *bytes) {
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  fseek(f, 0, SEEK_END);
  const long n = ftell(f);
  rewind(f);
  char *data = malloc((size_t)n + 1);
  *bytes = fread(data, 1, (size_t)n, f);
  data[*bytes] = '\0';
  fclose(f);
  return data;
}
