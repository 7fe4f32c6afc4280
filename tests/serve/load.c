/* SPDX-License-Identifier: MIT */
/* tests/serve/load.c - many clients at once, for tools/loadtest and tests:
 *   load streams PORT PID FILE.raw STREAMS SECONDS    streams paced in real time, of 16 kHz; how late measurements come
 *   load requests PORT PID FILE REQUESTS CLIENTS      uploads, each answered as the first; the server's memory over time
 *   load hostile PORT PID FILE.raw SECONDS SEED       broken clients, while a stream that behaves loses nothing
 * Exit code 1: something that must hold does not. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

enum { MOST = 1024, RATE = 16000, CHUNK = RATE / 10 * 2 }; /* bytes of a tenth of a second */

static int port, pid;
static char *sound;
static size_t sound_bytes;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void wait_until(double when) {
  const double left = when - now();
  if (left <= 0) return;
  const struct timespec t = {(time_t)left, (long)(1e9 * (left - floor(left)))};
  nanosleep(&t, NULL);
}

static double memory(void) {
  char path[64], line[256];
  double kb = 0;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, "VmRSS:", 6)) kb = atof(line + 6);
  if (f) fclose(f);
  return kb / 1024;
}

static double processor(void) {
  char path[64];
  unsigned long user = 0, system = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *f = fopen(path, "re");
  if (f && fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    user = system = 0;
  if (f) fclose(f);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- streams in real time ---- */

typedef struct voice {
  pthread_t reader, writer;
  int fd, index;
  double began, seconds;
  double late[4096]; /* s, from when the last sample of a measurement was sent to its event */
  size_t measured, segments;
  bool ended;
} voice;

static void *speak(void *of) {
  voice *v = of;
  const size_t all = (size_t)(v->seconds * 10);
  size_t at = (size_t)v->index * 7919 * 2 % (sound_bytes - CHUNK); /* each elsewhere in the sound */
  wait_until(v->began);
  for (size_t i = 0; i < all; i++, at = (at + CHUNK) % (sound_bytes - CHUNK)) {
    wait_until(v->began + 0.1 * (double)(i + 1));
    if (!client_frame(v->fd, WS_BINARY, true, sound + (at & ~(size_t)1), CHUNK)) return NULL;
  }
  client_frame(v->fd, WS_TEXT, true, "{\"end\": true}", 13);
  return NULL;
}

static void *listen_to(void *of) {
  voice *v = of;
  char *text = NULL;
  size_t room = 0;
  int code;
  while (client_message(v->fd, &text, &room, &code)) {
    const double at = now();
    const char *end = strstr(text, "\"end\": ");
    if (strstr(text, "\"event\": \"measured\"") && end && v->measured < 4096) {
      /* The chunk that holds its last sample was sent at the next tenth of a second. */
      const double sent = v->began + 0.1 * ceil(10 * atof(end + 7) - 1e-6);
      v->late[v->measured++] = at - sent;
    }
    v->segments += strstr(text, "\"event\": \"segment\"") != NULL;
    if (strstr(text, "\"event\": \"error\"")) fprintf(stderr, "stream %d: %s\n", v->index, text);
    if (strstr(text, "\"event\": \"end\"")) v->ended = true;
  }
  free(text);
  return NULL;
}

static int up(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int streams(int n, double seconds) {
  voice *all = calloc((size_t)n, sizeof *all);
  const double began = now() + 0.5, spent = processor();
  int status, ended = 0;
  size_t measured = 0, segments = 0;
  for (int i = 0; i < n; i++) {
    voice *v = &all[i];
    v->index = i;
    v->seconds = seconds;
    v->began = began + 0.1 * i / n; /* not all at the same moment */
    v->fd = client_socket(port, "/v1/stream", NULL, &status);
    if (v->fd < 0 || !client_frame(v->fd, WS_TEXT, true, "{\"rate\": 16000}", 15)) {
      fprintf(stderr, "stream %d: refused, %d\n", i, status);
      return 1;
    }
    pthread_create(&v->reader, NULL, listen_to, v);
    pthread_create(&v->writer, NULL, speak, v);
  }
  wait_until(began + seconds / 2);
  const double half = memory();
  for (int i = 0; i < n; i++) {
    pthread_join(all[i].writer, NULL);
    pthread_join(all[i].reader, NULL);
    close(all[i].fd);
    ended += all[i].ended;
    measured += all[i].measured;
    segments += all[i].segments;
  }
  double *late = malloc((measured + 1) * sizeof *late);
  size_t k = 0;
  for (int i = 0; i < n; i++)
    for (size_t j = 0; j < all[i].measured; j++) late[k++] = all[i].late[j];
  qsort(late, k, sizeof *late, up);
  late[k] = NAN;
  const double took = now() - began;
  printf("%d streams of %.0f s: %d ended well, %zu measurements, %zu segments\n", n, seconds, ended, measured,
         segments);
  printf(
      "late by %.0f ms (median), %.0f ms (99 of 100), %.0f ms (most); %.2f cores; %.1f MB half way, %.1f MB at the "
      "end\n",
      1e3 * late[k / 2], 1e3 * late[k * 99 / 100], 1e3 * late[k ? k - 1 : 0], (processor() - spent) / took, half,
      memory());
  /* An answer waits for the pause that ends an utterance, 0.4 s, beside the work. */
  const bool good = ended == n && measured > (size_t)n && late[k * 99 / 100] < 1.5;
  free(late);
  free(all);
  return good ? 0 : 1;
}

/* ---- requests ---- */

static atomic_int left, wrong, done, again;
static char *first_answer;
static pthread_mutex_t first_lock = PTHREAD_MUTEX_INITIALIZER;

static void check_answer(const client_answer *a) {
  pthread_mutex_lock(&first_lock);
  if (!first_answer) first_answer = strdup(a->body);
  else if (strcmp(first_answer, a->body)) atomic_fetch_add(&wrong, 1);
  pthread_mutex_unlock(&first_lock);
}

static void *ask(void *unused) {
  while (atomic_fetch_sub(&left, 1) > 0) {
    for (int tries = 0; tries < 100; tries++) {
      client_answer a = client_post(port, "/v1/predict", "x.wav", sound, sound_bytes, NULL, 0);
      const int status = a.body ? a.status : 0; /* 0: the server has gone */
      const bool busy = status == 429 || status == 503;
      if (status == 200) check_answer(&a);
      else if (!busy) {
        fprintf(stderr, "an upload was answered by %d: %s\n", status, a.body ? a.body : "");
        atomic_fetch_add(&wrong, 1);
      }
      client_free(&a);
      if (!busy) break;
      atomic_fetch_add(&again, 1);
      usleep(20000);
    }
    atomic_fetch_add(&done, 1);
  }
  return unused;
}

static int requests(int n, int clients) {
  pthread_t threads[MOST];
  const double began = now();
  double tenth = 0;
  atomic_store(&left, n);
  for (int i = 0; i < clients; i++) pthread_create(&threads[i], NULL, ask, NULL);
  while (atomic_load(&done) < n) {
    usleep(50000);
    if (!(tenth > 0) && atomic_load(&done) >= n / 10) tenth = memory();
  }
  for (int i = 0; i < clients; i++) pthread_join(threads[i], NULL);
  const double end = memory();
  printf(
      "%d uploads by %d clients: %d wrong, %d had to come again, %.0f a second; %.1f MB after a tenth, %.1f MB at the "
      "end\n",
      n, clients, atomic_load(&wrong), atomic_load(&again), n / (now() - began), tenth, end);
  free(first_answer);
  return atomic_load(&wrong) || end > tenth + 4;
}

/* ---- clients that do harm ---- */

static atomic_bool over;

static unsigned draw(unsigned *seed, unsigned below) {
  *seed = *seed * 1664525u + 1013904223u;
  return (*seed >> 8) % below;
}

static void send_noise(int fd, unsigned *seed, size_t n) {
  char noise[4096];
  for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)draw(seed, 256);
  for (size_t some; n; n -= some) {
    some = n < sizeof noise ? n : sizeof noise;
    if (!client_send(fd, noise, some)) return;
  }
}

/* What is left half done: the connection is cut by a reset, a close, or a half close. */
static void leave(int fd, unsigned *seed) {
  char back[512];
  const struct linger hard = {1, 0};
  switch (draw(seed, 4)) {
    case 0: setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard); break;
    case 1:
      shutdown(fd, SHUT_WR);
      (void)!recv(fd, back, sizeof back, 0);
      break;
    case 2: usleep(draw(seed, 200000)); break;
    default: break;
  }
  close(fd);
}

static void harm_http(unsigned *seed) {
  static const char *const openings[] = {
      "GET / HTTP/1.1\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n",
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; "
      "boundary=x\r\nContent-Length: 5000\r\n\r\n--x\r\n",
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; "
      "boundary=x\r\nContent-Length: 5\r\n\r\n--x--GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /metrics "
      "HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /%00%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "\r\n\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: "
      "multipart/form-data; boundary=x\r\n\r\nffffffff\r\n",
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\nContent-Type: "
      "multipart/form-data; boundary=x\r\n\r\n--x--a",
      "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
      "x\r\nSec-WebSocket-Version: 99\r\n\r\n"};
  const int fd = client_connect(port, 3);
  if (fd < 0) return;
  const unsigned which = draw(seed, sizeof openings / sizeof *openings + 3);
  if (which < sizeof openings / sizeof *openings) client_send(fd, openings[which], strlen(openings[which]));
  if (which % 3 == 0) send_noise(fd, seed, draw(seed, 20000));
  if (which == 16)
    for (int i = 0;
         i < 200 && client_send(fd, "X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n", 62);)
      i++;
  leave(fd, seed);
}

/* An upload that is right up to where it is cut, or whose sound is damaged. */
static void harm_upload(unsigned *seed) {
  char *copy = malloc(sound_bytes + 44);
  size_t n = 44 + draw(seed, (unsigned)(sound_bytes < 400000 ? sound_bytes : 400000));
  memcpy(copy, "RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\20\0data\xff\xff\xff\x7f", 44);
  memcpy(copy + 44, sound, n - 44);
  for (unsigned i = draw(seed, 30); i; i--) copy[draw(seed, 60) % n] = (char)draw(seed, 256);
  if (draw(seed, 2)) {
    client_answer a = client_post(port, "/inference", "../../x\"y\r\n.wav", copy, n, NULL, 0);
    client_free(&a);
  } else {
    char header[256];
    const int fd = client_connect(port, 3);
    const int h =
        snprintf(header, sizeof header,
                 "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                 "Content-Length: %zu\r\n\r\n--x\r\nContent-Disposition: form-data; name=file\r\n\r\n",
                 n + 54);
    if (fd >= 0) {
      client_send(fd, header, (size_t)h);
      client_send(fd, copy, draw(seed, 2) ? n : n / 2);
      if (draw(seed, 2)) client_send(fd, "\r\n--x--", 7); /* and hangs up while it is heard */
      leave(fd, seed);
    }
  }
  free(copy);
}

static void harm_stream(unsigned *seed) {
  static const char *const texts[] = {"{}",
                                      "{\"rate\": 1e99}",
                                      "{\"rate\": 16000",
                                      "[[[[[[[[[[[[",
                                      "{\"end\": true}",
                                      "\xff\xfe",
                                      "{\"hop\": 0.1, \"window\": 10}"};
  int status;
  const int fd = client_socket(port, "/v1/stream", NULL, &status);
  if (fd < 0) return;
  const char *text = texts[draw(seed, 7)];
  client_frame(fd, WS_TEXT, draw(seed, 8) > 0, text, strlen(text));
  for (unsigned i = draw(seed, 40); i; i--) {
    const size_t n = draw(seed, 30) ? 2 * (size_t)draw(seed, 8000) : 1500000;
    static const int codes[] = {WS_BINARY,   WS_BINARY, WS_BINARY, WS_BINARY, WS_TEXT,
                                WS_CONTINUE, WS_CLOSE,  WS_PING,   3,         11};
    if (n > sound_bytes) break;
    if (!client_frame(fd, codes[draw(seed, draw(seed, 3) ? 4 : 10)], draw(seed, 10) > 0, sound, n)) break;
  }
  if (!draw(seed, 4)) send_noise(fd, seed, 3000);
  leave(fd, seed);
}

static void *harm(void *of) {
  unsigned seed = *(unsigned *)of;
  while (!atomic_load(&over)) {
    switch (draw(&seed, 3)) {
      case 0: harm_http(&seed); break;
      case 1: harm_upload(&seed); break;
      default: harm_stream(&seed); break;
    }
  }
  return NULL;
}

/* Some hold on to what they have for as long as they may: a byte of a header at a time, an answer that is not read. */
static void *be_slow(void *of) {
  unsigned seed = *(unsigned *)of;
  static const char text[] = "GET /page.js HTTP/1.1\r\nHost: localhost\r\nX: ";
  while (!atomic_load(&over)) {
    const int fd = client_connect(port, 3), little = 1024;
    if (fd < 0) continue;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    client_send(fd, text, sizeof text - 1);
    for (int i = 0; i < 60 && !atomic_load(&over) && client_send(fd, "x", 1); i++) usleep(100000);
    leave(fd, &seed);
  }
  return NULL;
}

/* All events of a stream in one text. */
static char *told(void) {
  char *text = NULL, *all = calloc(1, 1);
  size_t room = 0, used = 0;
  int status, code;
  const int fd = client_socket(port, "/v1/stream", NULL, &status);
  if (fd < 0) return all;
  client_frame(fd, WS_TEXT, true, "{}", 2);
  for (size_t at = 0, n; at < sound_bytes; at += n) {
    n = sound_bytes - at < CHUNK ? sound_bytes - at : CHUNK;
    client_frame(fd, WS_BINARY, true, sound + at, n & ~(size_t)1);
  }
  client_frame(fd, WS_TEXT, true, "{\"end\": true}", 13);
  while (client_message(fd, &text, &room, &code)) {
    const size_t n = strlen(text);
    char *more = realloc(all, used + n + 2);
    if (!more) break;
    all = more;
    used += (size_t)sprintf(all + used, "%s\n", text);
  }
  close(fd);
  free(text);
  return all;
}

static int hostile(double seconds, unsigned seed) {
  enum { HARMFUL = 8, SLOW = 8 };
  pthread_t threads[HARMFUL + SLOW];
  unsigned seeds[HARMFUL + SLOW];
  char *wanted = told();
  const double until = now() + seconds, before = memory();
  int same = 0, other = 0, bad = 0;
  if (!strstr(wanted, "\"event\": \"end\"")) return fprintf(stderr, "no end of a stream: %s\n", wanted), 1;
  for (int i = 0; i < HARMFUL + SLOW; i++) {
    seeds[i] = seed * 1000 + (unsigned)i;
    pthread_create(&threads[i], NULL, i < HARMFUL ? harm : be_slow, &seeds[i]);
  }
  while (now() < until) {
    char *got = told();
    const bool full = strstr(got, "too_many_sessions") != NULL;
    if (!strcmp(got, wanted)) same++;
    else if (!full) other++, fprintf(stderr, "wanted %s\ngot %s\n", wanted, got);
    free(got);
    client_answer a = client_ask(port, "GET", "/health", NULL, NULL, 0);
    bad += a.status != 200;
    client_free(&a);
  }
  atomic_store(&over, true);
  for (int i = 0; i < HARMFUL + SLOW; i++) pthread_join(threads[i], NULL);
  printf(
      "%.0f s of broken clients: %d streams beside them were right, %d not; %d of as many looks at its health failed; "
      "%.1f MB before, %.1f MB after\n",
      seconds, same, other, bad, before, memory());
  free(wanted);
  return other || bad || !same;
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  port = atoi(argv[2]);
  pid = atoi(argv[3]);
  sound = client_file(argv[4], &sound_bytes);
  if (!sound || sound_bytes < 4 * CHUNK) return 2;
  if (!strcmp(argv[1], "streams")) return streams(atoi(argv[5]), atof(argv[6]));
  if (!strcmp(argv[1], "requests")) return requests(atoi(argv[5]), atoi(argv[6]) < MOST ? atoi(argv[6]) : MOST);
  if (!strcmp(argv[1], "hostile")) return hostile(atof(argv[5]), (unsigned)atoi(argv[6]));
  return 2;
}
