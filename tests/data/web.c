/* SPDX-License-Identifier: MIT */
/* tests/data/web.c - helper of test_get_ravdess.sh and test_get_corpora.sh: makes zip archives and serves them.
 *
 *   web zip FILE FOLDER NAME...   a zip of small files FOLDER/NAME (stored, not compressed); what is in one is its
 *                                 NAME, or what follows in NAME=TEXT
 *   web serve DIR PORT_FILE LOG   one request after another on a free port of 127.0.0.1, with Range
 *
 * Below /cut/ a file breaks off in the middle, below /whole/ ranges are not
 * understood, below /damaged/ a byte is wrong, below /page/ there is always a web
 * page.  LOG gets "path first-byte" a request. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t crc32_of(const char *data, size_t n) {
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < n; i++) {
    crc ^= (unsigned char)data[i];
    for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

/* Little-endian numbers by a format of widths: "424" writes 4, 2 and 4 bytes. */
static void put(FILE *out, const char *widths, const uint32_t *values) {
  for (; *widths; widths++, values++)
    for (int i = 0; i < *widths - '0'; i++) fputc((int)(*values >> 8 * i & 255), out);
}

typedef struct member {
  char name[512];
  const char *text;
  uint32_t name_bytes, bytes, crc;
} member;

static member member_of(const char *folder, const char *word) {
  member m = {.text = strchr(word, '=') ? strchr(word, '=') + 1 : word};
  int n = strchr(word, '=') ? (int)(m.text - word) - 1 : (int)strlen(word);
  m.name_bytes = (uint32_t)snprintf(m.name, sizeof m.name, "%s/%.*s", folder, n, word);
  m.bytes = (uint32_t)strlen(m.text);
  m.crc = crc32_of(m.text, m.bytes);
  return m;
}

static int make_zip(const char *path, const char *folder, char **names, int n) {
  FILE *out = fopen(path, "wb");
  uint32_t *at = calloc((size_t)n + 1, sizeof *at);
  if (!out || !at) return 1;
  for (int i = 0; i < n; i++) {
    member m = member_of(folder, names[i]);
    at[i] = (uint32_t)ftell(out);
    put(out, "42222244422", (uint32_t[]){0x04034b50, 10, 0, 0, 0, 0x21, m.crc, m.bytes, m.bytes, m.name_bytes, 0});
    fputs(m.name, out);
    fputs(m.text, out);
  }
  uint32_t start = (uint32_t)ftell(out);
  for (int i = 0; i < n; i++) {
    member m = member_of(folder, names[i]);
    put(out, "42222224442222244",
        (uint32_t[]){0x02014b50, 10, 10, 0, 0, 0, 0x21, m.crc, m.bytes, m.bytes, m.name_bytes, 0, 0, 0, 0, 0, at[i]});
    fputs(m.name, out);
  }
  uint32_t end = (uint32_t)ftell(out);
  put(out, "42222442", (uint32_t[]){0x06054b50, 0, 0, (uint32_t)n, (uint32_t)n, end - start, start, 0});
  free(at);
  return fclose(out) != 0;
}

static void send_all(int fd, const char *data, size_t n) {
  while (n) {
    ssize_t sent = write(fd, data, n);
    if (sent <= 0) return;
    data += sent;
    n -= (size_t)sent;
  }
}

static char *read_file(const char *dir, const char *name, size_t *n) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *n = (size_t)ftell(file);
  rewind(file);
  char *data = malloc(*n + 1);
  if (data && fread(data, 1, *n, file) != *n) *n = 0;
  fclose(file);
  return data;
}

static void answer(int fd, const char *dir, const char *log_path) {
  char request[4096] = "", path[512] = "", head[256];
  size_t used = 0, n = 0, first = 0;
  while (used < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
    ssize_t got = read(fd, request + used, sizeof request - 1 - used);
    if (got <= 0) return;
    request[used += (size_t)got] = '\0';
  }
  if (sscanf(request, "GET %511s", path) != 1) return;
  const char *range = strstr(request, "ange: bytes="), *base = strrchr(path, '/');
  int whole = !strncmp(path, "/whole/", 7);
  if (range && !whole) first = strtoul(range + 12, NULL, 10);
  FILE *log = fopen(log_path, "a");
  if (log) {
    fprintf(log, "%s %zu\n", path, first);
    fclose(log);
  }
  if (!strncmp(path, "/page/", 6)) {
    static const char page[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 44\r\n"
        "Connection: close\r\n\r\n<!DOCTYPE html><html><p>Sign in first</html>";
    send_all(fd, page, sizeof page - 1);
    return;
  }
  char *data = read_file(dir, base ? base + 1 : path, &n);
  if (!data) {
    send_all(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 64);
    return;
  }
  if (first >= n && range && !whole) {
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */%zu\r\n"
                          "Content-Length: 0\r\nConnection: close\r\n\r\n",
                          n);
    send_all(fd, head, (size_t)length);
    free(data);
    return;
  }
  size_t left = n - first;
  if (!strncmp(path, "/damaged/", 9) && n) data[n / 2] ^= 1;
  int length = range && !whole ? snprintf(head, sizeof head,
                                          "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
                                          "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                                          first, n - 1, n, left)
                               : snprintf(head, sizeof head,
                                          "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", left);
  send_all(fd, head, (size_t)length);
  if (!strncmp(path, "/cut/", 5)) left = first < n / 2 ? n / 2 - first : 0;
  send_all(fd, data + first, left);
  free(data);
}

static int serve(const char *dir, const char *port_file, const char *log_path) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int door = socket(AF_INET, SOCK_STREAM, 0);
  if (door < 0 || bind(door, (struct sockaddr *)&at, sizeof at) || listen(door, 8) ||
      getsockname(door, (struct sockaddr *)&at, &size))
    return 1;
  FILE *port = fopen(port_file, "w");
  if (!port) return 1;
  fprintf(port, "%d\n", ntohs(at.sin_port));
  fclose(port);
  signal(SIGPIPE, SIG_IGN);
  alarm(120); /* never outlives a test that forgot it */
  for (;;) {
    int fd = accept(door, NULL, NULL);
    if (fd < 0) return 1;
    answer(fd, dir, log_path);
    shutdown(fd, SHUT_WR);
    close(fd);
  }
}

int main(int argc, char **argv) {
  if (argc > 3 && !strcmp(argv[1], "zip")) return make_zip(argv[2], argv[3], argv + 4, argc - 4);
  if (argc == 5 && !strcmp(argv[1], "serve")) return serve(argv[2], argv[3], argv[4]);
  fprintf(stderr, "usage: web zip FILE FOLDER NAME... | web serve DIR PORT_FILE LOG\n");
  return 2;
}
