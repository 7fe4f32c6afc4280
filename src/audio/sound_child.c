/* SPDX-License-Identifier: MIT */
/* audio/sound_child.c - a sound is read by a child process, so that no file can crash the program or take its memory, and so that
 * of a file of hours some megabytes are in memory.  What the child says comes through a pipe: messages of a kind and a size. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audio/mapping.h"
#include "audio/sound_inside.h"
#include "base/child.h"

/* What it may take beyond what the process has: the index of a film of ten hours is some 50 MB.  FLAC is taken out of Ogg's pages
 * as a whole. */
enum { MOST_MB = 512 };
/* Of processor: as much as 20 s of sound for each, and a minute.  The slowest decoder has 100. */
static double most_seconds(const am_sound_want *want) { return 60 + fmin(want->max_seconds, 48 * 3600) / 20; }
/* How long it may say nothing, ms. */
static int patience(const am_sound_want *want) { return want->patience ? want->patience : 60000; }

typedef enum kind { HELLO = 1, AT_WORK, SAMPLES, LOG, END } kind;
typedef struct head {
  uint32_t kind, bytes;
} head;
enum { MOST_BYTES = 1 << 20 };

/* The last message. */
typedef struct ending {
  am_status status;
  am_sound sound;
  am_sound_info info;
  char message[sizeof((am_error *)0)->message];
} ending;

/* ---- in the child ---- */

static void put(int to, const void *data, size_t n) {
  const char *at = data;
  while (n) {
    const ssize_t done = write(to, at, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) _exit(1); /* nobody listens any more */
    at += done;
    n -= (size_t)done;
  }
}

static void say(int to, kind what, const void *data, size_t n) {
  const head h = {what, (uint32_t)n};
  put(to, &h, sizeof h);
  put(to, data, n);
}

static am_status say_samples(void *user, const float *samples, size_t n, am_error *err) {
  (void)err;
  say(*(int *)user, SAMPLES, samples, n * sizeof *samples);
  return AM_OK;
}

static void say_line(void *user, am_log_level level, const char *line) {
  char text[4096];
  text[0] = (char)level;
  const size_t n = strnlen(line, sizeof text - 1);
  memcpy(text + 1, line, n);
  say(*(int *)user, LOG, text, n + 1);
}

static void say_at_work(void *user) { say(*(int *)user, AT_WORK, NULL, 0); }

/* Of bytes that are in memory. */
typedef struct ticker {
  am_passing passing;
  const unsigned char *from;
  int *to;
} ticker;

static void tick(am_passing *p, const unsigned char *upto) {
  ticker *t = (ticker *)p;
  if ((uintptr_t)upto - (uintptr_t)t->from < 1 << 20) return;
  t->from = upto;
  say_at_work(t->to);
}

static am_status look(const am_container *from, const am_sound_want *want, bool count, int *to, ending *e) {
  am_container c = *from;
  am_sound_want mine = *want;
  am_error why = AM_ERROR_INIT;
  mine.count |= count;
  mine.each = say_samples;
  mine.user = to;
  c.quiet |= count;
  c.may_be_media = true;
  e->status = am_sound_hear(&c, &mine, &e->sound, &e->info, &why);
  memcpy(e->message, why.message, sizeof e->message);
  return e->status;
}

static uint64_t most_bytes(const am_container *c, int file, size_t bytes) {
  char first[4] = "";
  if (file >= 0 && pread(file, first, sizeof first, 0) < 0) first[0] = 0;
  if (file < 0 && bytes >= sizeof first) memcpy(first, c->data, sizeof first);
  return ((uint64_t)MOST_MB << 20) + (memcmp(first, "OggS", 4) ? 0 : bytes);
}

static void be_child(const am_container *of, int file, size_t bytes, const am_sound_want *want, int to) {
  static ending e;
  am_container mine = *of, *c = &mine;
  am_mapping m;
  ticker t = {.passing.passed = tick, .from = c->data, .to = &to};
  am_child_become(c->ctx,
                  &(am_child_limits){.seconds = (uint64_t)most_seconds(want), .bytes = most_bytes(c, file, bytes)});
  am_child_log(c->ctx, say_line, &to);
  free(malloc(1)); /* whether memory can be had at all in this copy (base/child.h) */
  say(to, HELLO, NULL, 0);
  c->passing = &t.passing;
  if (file >= 0) {
    if (!am_mapping_open(file, bytes, &m)) {
      am_error why = AM_ERROR_INIT;
      e.status = am_fail_errno(&why, errno, "cannot read %s", c->name);
      memcpy(e.message, why.message, sizeof e.message);
    }
    m.tick = say_at_work;
    m.user = &to;
    c->data = m.data;
    c->bytes = m.bytes;
    c->passing = &m.passing;
  }
  if (!e.status && (!want->check || !look(c, want, true, &to, &e))) look(c, want, false, &to, &e);
  e.sound.context = NULL;
  e.sound.samples = NULL;
  say(to, END, &e, sizeof e);
  _exit(0);
}

/* ---- in the parent ---- */

/* More than the longest sound cannot come but from a child that a file has taken over. */
static double most_samples(const am_sound_want *want) {
  enum { FASTEST = 1000000 }; /* Hz, where the sound's own rate is wanted */
  return want->max_seconds * (want->rate > 0 ? want->rate : FASTEST) + MOST_BYTES;
}

typedef enum trouble { NONE, DEAD, SILENT, STILL, STOPPED } trouble;
enum { LOOK_MS = 100, STILL_LOOKS = 15, TRIES = 6 };

typedef struct reader {
  am_container *c;
  const am_sound_want *want;
  am_sound *out;
  ending *end;
  size_t room;  /* of out->samples, where they are kept */
  uint64_t got; /* samples */
  pid_t child;
  int from;
  bool heard; /* it has said something */
  trouble trouble;
  float block[MOST_BYTES / sizeof(float)];
} reader;

/* Waits until there is something to read.  Time in which the program itself is stopped does not count. */
static trouble wait_for(reader *r) {
  struct pollfd end = {.fd = r->from, .events = POLLIN};
  long long used = -1;
  int still = 0;
  for (int waited = 0; waited < patience(r->want); waited += LOOK_MS) {
    const int ready = poll(&end, 1, LOOK_MS);
    if (ready > 0) return NONE;
    if (am_context_stopping(r->c->ctx)) return STOPPED;
    const long long now = r->heard ? -1 : am_child_nanoseconds(r->child);
    if (r->heard || ready < 0 || now != used) still = 0;
    else if (++still == STILL_LOOKS) return STILL;
    used = now;
    /* another child may hold the other end of the pipe */
    siginfo_t about = {0};
    const bool over = waitid(P_PID, (id_t)r->child, &about, WEXITED | WNOHANG | WNOWAIT) || about.si_pid;
    if (over) return poll(&end, 1, 0) > 0 ? NONE : DEAD;
  }
  return SILENT;
}

static bool get(reader *r, void *to, size_t n) {
  for (char *at = to; n && !r->trouble;) {
    r->trouble = wait_for(r);
    if (r->trouble) break;
    const ssize_t got = read(r->from, at, n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) r->trouble = DEAD;
    if (got > 0) at += got, n -= (size_t)got;
  }
  return !r->trouble;
}

static am_status keep(reader *r, const float *x, size_t n, am_error *err) {
  am_sound *s = r->out;
  am_status status = am_grow(r->c->ctx, &s->samples, &r->room, s->n + n, sizeof *x, err);
  if (status) return status;
  memcpy(s->samples + s->n, x, n * sizeof *x);
  s->n += n;
  return AM_OK;
}

/* The next message; *more false: it was the last, or there is trouble. */
static am_status take(reader *r, bool *more, am_error *err) {
  head h;
  *more = get(r, &h, sizeof h);
  if (!*more) return AM_OK;
  r->heard = true;
  void *to = h.kind == END ? (void *)r->end : (void *)r->block;
  if (h.bytes > (h.kind == END ? sizeof *r->end : sizeof r->block - 1)) r->trouble = DEAD; /* it has lost its mind */
  *more = !r->trouble && get(r, to, h.bytes) && h.kind != END;
  if (!*more) return AM_OK;
  const size_t n = h.bytes / sizeof(float);
  char *text = (char *)r->block;
  if (h.kind == LOG && h.bytes > 1) {
    text[h.bytes] = 0;
    am_log(r->c->ctx, (am_log_level)text[0], "%s", text + 1);
  }
  if (h.kind == SAMPLES && am_context_stopping(r->c->ctx)) r->trouble = STOPPED, *more = false;
  if (h.kind != SAMPLES || !n || !*more) return AM_OK;
  r->got += n;
  if ((double)r->got > most_samples(r->want)) return r->trouble = DEAD, *more = false, AM_OK;
  return r->want->each ? r->want->each(r->want->user, r->block, n, err) : keep(r, r->block, n, err);
}

/* One child.  *again: it never moved, and another may. */
static am_status ask(reader *r, int file, size_t bytes, am_error *err) {
  int ends[2];
  am_status status = AM_OK;
  if (am_child_pipe(ends)) return am_fail_errno(err, errno, "%s: cannot start a process to read it", r->c->name);
  r->heard = false;
  r->got = 0;
  r->trouble = NONE;
  r->from = ends[0];
  r->child = fork();
  const int code = errno;
  if (!r->child) {
    if (file >= 0) file = dup2(file, STDIN_FILENO); /* which it does not read otherwise */
    am_child_close_all_but(ends[1]);
    be_child(r->c, file, bytes, r->want, ends[1]);
  }
  close(ends[1]);
  if (r->child < 0) {
    status = am_fail_errno(err, code, "%s: cannot start a process to read it", r->c->name);
  } else {
    for (bool more = true; more && !status;) status = take(r, &more, err);
    if (status || r->trouble) kill(r->child, SIGKILL);
  }
  close(ends[0]);
  return status;
}

/* What became of the child, in words. */
static am_status explain(const reader *r, int how, am_error *err) {
  const char *name = r->c->name;
  const int number = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
  if (r->trouble == STOPPED) return am_fail(err, AM_E_STOPPED, "stopped while %s was read", name);
  if (r->trouble == SILENT || r->trouble == STILL)
    return am_fail(err, AM_E_FORMAT, "%s: damaged, or made to do harm: its decoder gave nothing for %g s", name,
                   patience(r->want) / 1000.0);
  if (number == SIGXCPU || number == SIGKILL)
    return am_fail(
        err, AM_E_FORMAT,
        "%s: damaged, or made to do harm: its decoder was ended, after more than %.0f s of processor time or "
        "by the system",
        name, most_seconds(r->want));
  if (number == SIGBUS)
    return am_fail(err, AM_E_IO, "%s: was cut, or could not be read any more, while it was heard", name);
  if (r->trouble)
    return am_fail(err, AM_E_FORMAT, "%s: damaged, or made to do harm: its decoder crashed (signal %d)", name, number);
  if (r->end->status == AM_E_NOMEM)
    return am_fail(err, AM_E_FORMAT, "%s: its decoder wanted more than %d MB of memory", name, MOST_MB);
  r->end->message[sizeof r->end->message - 1] = 0;
  return r->end->status ? am_fail(err, r->end->status, "%s", r->end->message) : AM_OK;
}

static am_status listen_to(reader *r, int file, size_t bytes, am_error *err) {
  am_status status = AM_OK;
  int how = 0;
  r->trouble = STILL;
  for (int i = 0; i < TRIES && r->trouble == STILL && !status; i++) {
    how = 0;
    status = ask(r, file, bytes, err);
    while (r->child > 0 && waitpid(r->child, &how, 0) < 0 && errno == EINTR) continue;
  }
  return status ? status : explain(r, how, err);
}

am_status am_sound_hear_in_child(am_container *c, int file, size_t bytes, const am_sound_want *want, am_sound *out,
                                 am_sound_info *info, am_error *err) {
  reader *r = am_alloc(c->ctx, 1, sizeof *r);
  ending *end = am_alloc(c->ctx, 1, sizeof *end);
  am_status status = r && end ? AM_OK : am_no_memory(err);
  *out = (am_sound){.size = sizeof *out, .context = c->ctx};
  if (!status) {
    *r = (reader){.c = c, .want = want, .out = out, .end = end};
    status = listen_to(r, file, bytes, err);
    const size_t n = out->n;
    float *samples = out->samples;
    *out = end->sound;
    out->size = sizeof *out;
    out->context = c->ctx;
    out->samples = samples;
    if (samples) out->n = n;
    *info = end->info;
  }
  if (status) am_sound_free(out);
  am_free(c->ctx, end);
  am_free(c->ctx, r);
  return status;
}
