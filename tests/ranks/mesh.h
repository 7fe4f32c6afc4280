/* SPDX-License-Identifier: MIT */
/* tests/ranks/mesh.h - ranks that are children of a test, with a link over sockets between each two of them. */
#ifndef AM_TEST_MESH_H
#define AM_TEST_MESH_H

#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/base.h"
#include "ranks/ranks.h"

enum { MESH_MOST = 16, MESH_REQUESTS = 4096, MESH_ABORTED = 42 };

typedef struct mesh_head {
  uint64_t tag, bytes;
} mesh_head;
typedef struct mesh_request {
  struct mesh_request *next;
  bool used, done, sends, copied;
  int peer, tag;
  char *data;
  size_t bytes, moved; /* moved: of the head and the data */
  mesh_head head;
} mesh_request;
typedef struct mesh_message { /* that nobody waited for yet */
  struct mesh_message *next;
  int peer, tag;
  size_t bytes;
  char *data;
} mesh_message;

/* What the ranks of a test share. */
typedef struct mesh_shared {
  pid_t pids[MESH_MOST];
  atomic_int told; /* lines of the log that are errors */
  atomic_int busy; /* for the test: a rank is where it will not hear of anything */
  char line[1024]; /* the last of them */
  atomic_int warned;
  char warning[1024]; /* the last */
  am_status status[MESH_MOST];
  char message[MESH_MOST][1024];
  am_link_end end[MESH_MOST]; /* as the module is told */
} mesh_shared;

typedef struct mesh {
  int rank, size;
  int sockets[MESH_MOST];
  bool dead[MESH_MOST];
  mesh_shared *shared;
  mesh_request requests[MESH_REQUESTS];
  mesh_request *sending[MESH_MOST], *receiving;
  mesh_message *come;
  struct {
    mesh_head head;
    size_t moved;
    char *data;
  } in[MESH_MOST];
} mesh;

static inline void mesh_append(mesh_request **list, mesh_request *r) {
  while (*list) list = &(*list)->next;
  r->next = NULL;
  *list = r;
}
static inline void mesh_remove(mesh_request **list, const mesh_request *r) {
  while (*list && *list != r) list = &(*list)->next;
  if (*list) *list = r->next;
}

static inline void mesh_write(mesh *m, int p) {
  mesh_request *r;
  while ((r = m->sending[p]) && !m->dead[p]) {
    const bool head = r->moved < sizeof r->head;
    const char *from = head ? (const char *)&r->head + r->moved : r->data + (r->moved - sizeof r->head);
    const size_t left = head ? sizeof r->head - r->moved : r->bytes + sizeof r->head - r->moved;
    ssize_t n = left ? send(m->sockets[p], from, left, MSG_NOSIGNAL) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) {
      m->dead[p] = true;
      return;
    }
    r->moved += (size_t)n;
    if (r->moved < sizeof r->head + r->bytes) continue;
    m->sending[p] = r->next;
    r->done = true;
    if (r->copied) {
      free(r->data);
      r->used = false;
    }
  }
}

static inline bool mesh_match(const mesh_request *r, int peer, int tag) {
  return (r->peer == AM_LINK_ANY || r->peer == peer) && r->tag == tag;
}

static inline void mesh_fill(mesh_request *r, const char *data, size_t bytes) {
  if (bytes > r->bytes) abort(); /* what was sent is larger than what was wanted: of other calls */
  if (bytes) memcpy(r->data, data, bytes);
  r->done = true;
}

static inline void mesh_deliver(mesh *m, int peer, int tag, char *data, size_t bytes) {
  for (mesh_request *r = m->receiving; r; r = r->next)
    if (mesh_match(r, peer, tag)) {
      mesh_fill(r, data, bytes);
      mesh_remove(&m->receiving, r);
      free(data);
      return;
    }
  mesh_message *e = calloc(1, sizeof *e), **at = &m->come;
  if (!e) abort();
  *e = (mesh_message){NULL, peer, tag, bytes, data};
  while (*at) at = &(*at)->next;
  *at = e;
}

static inline void mesh_read(mesh *m, int p) {
  while (!m->dead[p]) {
    const bool head = m->in[p].moved < sizeof(mesh_head);
    const size_t whole = sizeof(mesh_head) + (head ? 0 : m->in[p].head.bytes);
    char *to = head ? (char *)&m->in[p].head + m->in[p].moved : m->in[p].data + (m->in[p].moved - sizeof(mesh_head));
    const size_t left = whole - m->in[p].moved;
    ssize_t n = left ? recv(m->sockets[p], to, left, 0) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0 || (n == 0 && left)) {
      m->dead[p] = true;
      return;
    }
    m->in[p].moved += (size_t)n;
    if (m->in[p].moved < whole) continue;
    if (head) {
      m->in[p].data = malloc(m->in[p].head.bytes + 1);
      if (!m->in[p].data) abort();
      if (m->in[p].head.bytes) continue;
    }
    mesh_deliver(m, p, (int)m->in[p].head.tag, m->in[p].data, m->in[p].head.bytes);
    m->in[p].moved = 0;
    m->in[p].data = NULL;
  }
}

static inline void mesh_move(mesh *m) {
  for (int p = 0; p < m->size; p++)
    if (p != m->rank) {
      mesh_write(m, p);
      mesh_read(m, p);
    }
}

static inline mesh_request *mesh_new(mesh *m, uint64_t *request) {
  for (int i = 0; i < MESH_REQUESTS; i++)
    if (!m->requests[i].used) {
      m->requests[i] = (mesh_request){.used = true};
      *request = (uint64_t)i + 1;
      return &m->requests[i];
    }
  abort();
}

static inline int mesh_isend(am_link *link, const void *data, size_t bytes, int to, int tag, uint64_t *request) {
  mesh *m = link->user;
  mesh_request *r = mesh_new(m, request);
  r->sends = true;
  r->peer = to;
  r->tag = tag;
  r->data = (char *)data;
  r->bytes = bytes;
  r->head = (mesh_head){(uint64_t)tag, bytes};
  mesh_append(&m->sending[to], r);
  return 0;
}

static inline int mesh_irecv(am_link *link, void *data, size_t room, int from, int tag, uint64_t *request) {
  mesh *m = link->user;
  mesh_request *r = mesh_new(m, request);
  r->peer = from;
  r->tag = tag;
  r->data = data;
  r->bytes = room;
  for (mesh_message **at = &m->come; *at; at = &(*at)->next)
    if (mesh_match(r, (*at)->peer, (*at)->tag)) {
      mesh_message *e = *at;
      mesh_fill(r, e->data, e->bytes);
      *at = e->next;
      free(e->data);
      free(e);
      return 0;
    }
  mesh_append(&m->receiving, r);
  return 0;
}

static inline int mesh_test(am_link *link, uint64_t *request, bool *done) {
  mesh *m = link->user;
  mesh_request *r = &m->requests[*request - 1];
  if (!*request || !r->used) abort(); /* no such request */
  if (!r->done) mesh_move(m);
  *done = r->done;
  if (!r->done) return r->peer != AM_LINK_ANY && m->dead[r->peer] ? 1 : 0;
  *r = (mesh_request){0};
  *request = 0;
  return 0;
}

static inline void mesh_cancel(am_link *link, uint64_t *request) {
  mesh *m = link->user;
  mesh_request *r = &m->requests[*request - 1];
  *request = 0;
  if (r->sends && r->moved && !r->done) { /* half of it is out */
    char *copy = malloc(r->bytes + 1);
    if (!copy) abort();
    if (r->bytes) memcpy(copy, r->data, r->bytes);
    r->data = copy;
    r->copied = true;
    return;
  }
  mesh_remove(r->sends ? &m->sending[r->peer] : &m->receiving, r);
  *r = (mesh_request){0};
}

static inline void mesh_why(am_link *link, int code, char *out, size_t room) {
  (void)link;
  snprintf(out, room, "code %d", code);
}

static inline void mesh_abort(am_link *link, int code) {
  mesh *m = link->user;
  (void)code;
  for (int p = 0; p < m->size; p++)
    if (p != m->rank && m->shared->pids[p] > 0) kill(m->shared->pids[p], SIGKILL);
  _exit(MESH_ABORTED);
}

static inline void mesh_finish(am_link *link, am_link_end end) {
  mesh *m = link->user;
  m->shared->end[m->rank] = end;
  if (end == AM_LINK_DONE)
    for (int i = 0; i < MESH_REQUESTS; i++)
      if (m->requests[i].used) abort(); /* something was left over */
}

static inline void mesh_log(void *user, am_log_level level, const char *line) {
  mesh_shared *shared = user;
  if (level == AM_LOG_WARNING) {
    snprintf(shared->warning, sizeof shared->warning, "%s", line);
    atomic_fetch_add(&shared->warned, 1);
  }
  if (level != AM_LOG_ERROR) return;
  snprintf(shared->line, sizeof shared->line, "%s", line);
  atomic_fetch_add(&shared->told, 1);
}

/* What a rank does; its status and message are kept for the test. */
typedef am_status (*mesh_work)(am_context *ctx, am_ranks *ranks, mesh_shared *shared, void *arg, am_error *err);

static am_test_memory *mesh_memory; /* of this rank */

static inline void mesh_child(mesh *m, mesh_work work, void *arg) {
  am_test_memory memory;
  mesh_memory = &memory;
  atomic_init(&memory.count, 0);
  atomic_init(&memory.fail_at, 0);
  atomic_init(&memory.alive, 0);
  am_settings settings = {.size = sizeof settings,
                          .threads = 1,
                          .log = mesh_log,
                          .user = m->shared,
                          .resize = am_test_resize,
                          .memory_user = &memory};
  am_error err = AM_ERROR_INIT;
  am_context *ctx = NULL;
  am_ranks *ranks = NULL;
  const am_link link = {.abi = AM_LINK_ABI,
                        .rank = m->rank,
                        .size = m->size,
                        .name = "a mesh",
                        .user = m,
                        .isend = mesh_isend,
                        .irecv = mesh_irecv,
                        .test = mesh_test,
                        .cancel = mesh_cancel,
                        .why = mesh_why,
                        .abort = mesh_abort,
                        .finish = mesh_finish};
  am_status status = am_context_create(&settings, &ctx, &err);
  if (!status) status = am_ranks_join_over(ctx, &link, &ranks, &err);
  if (!status) status = work(ctx, ranks, m->shared, arg, &err);
  if (ranks) status = am_ranks_leave(ranks, status, &err);
  m->shared->status[m->rank] = status;
  snprintf(m->shared->message[m->rank], sizeof m->shared->message[m->rank], "%s", err.message);
  am_ranks_free(ranks);
  am_context_free(ctx);
  if (atomic_load(&memory.alive)) {
    fprintf(stderr, "# rank %d: %ld pieces of memory are left\n", m->rank, atomic_load(&memory.alive));
    _exit(99);
  }
  _exit(status ? 1 : 0);
}

/* Runs so many ranks and waits for them; codes[r] is how rank r ended, as waitpid has it. */
static inline mesh_shared *mesh_run(int size, mesh_work work, void *arg, int *codes) {
  int pairs[MESH_MOST][MESH_MOST];
  mesh_shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(shared != MAP_FAILED);
  for (int a = 0; a < size; a++)
    for (int b = a + 1; b < size; b++) {
      int two[2];
      assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, two), 0);
      pairs[a][b] = two[0];
      pairs[b][a] = two[1];
    }
  fflush(NULL);
  for (int r = 0; r < size; r++) {
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      mesh *m = calloc(1, sizeof *m);
      if (!m) _exit(98);
      m->rank = r;
      m->size = size;
      m->shared = shared;
      shared->pids[r] = getpid();
      for (int a = 0; a < size; a++)
        for (int b = 0; b < size; b++)
          if (a != b && a == r) m->sockets[b] = pairs[a][b];
          else if (a != b) close(pairs[a][b]);
      mesh_child(m, work, arg);
    }
    shared->pids[r] = pid;
  }
  for (int a = 0; a < size; a++)
    for (int b = 0; b < size; b++)
      if (a != b) close(pairs[a][b]);
  for (int r = 0; r < size; r++) assert_int_equal(waitpid(shared->pids[r], &codes[r], 0), shared->pids[r]);
  return shared;
}

static inline void mesh_end(mesh_shared *shared) { munmap(shared, sizeof *shared); }

#endif
