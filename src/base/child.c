/* SPDX-License-Identifier: MIT */
/* base/child.c - see child.h. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/context.h"

/* From now on `bytes` more may be taken, by brk or mmap: what the process has is the sixth number of statm, in pages.
 * Where there is none (another kernel than Linux) there is no limit. */
static void limit_data(uint64_t bytes) {
  char line[256] = "", *at = line;
  struct rlimit limit;
  FILE *statm = fopen("/proc/self/statm", "re");
  if (!statm) return;
  const bool read = fgets(line, sizeof line, statm) != NULL;
  fclose(statm);
  uint64_t pages = 0;
  for (int number = 1; number <= 6; number++) pages = strtoull(at, &at, 10);
  if (!read || !pages || getrlimit(RLIMIT_DATA, &limit)) return;
  uint64_t most = pages * (uint64_t)sysconf(_SC_PAGESIZE) + bytes;
  if (most < bytes || most >= limit.rlim_cur) return;
  limit.rlim_cur = (rlim_t)most;
  setrlimit(RLIMIT_DATA, &limit);
}

void am_child_become(am_context *ctx, const am_child_limits *limits) {
  struct rlimit none = {0, 0}, seconds = {(rlim_t)limits->seconds, (rlim_t)limits->seconds + 1};
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGXCPU, SIGTERM, SIGHUP, SIGPIPE};
  const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (quiet >= 0) dup2(quiet, STDERR_FILENO); /* the dying words of an allocator or a sanitizer */
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], SIG_DFL);
  signal(SIGINT, SIG_IGN);  /* Ctrl-C reaches both; the parent decides */
  signal(SIGUSR1, SIG_IGN); /* so does Slurm's warning */
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  sigset_t open_to_all;
  sigemptyset(&open_to_all);
  sigprocmask(SIG_SETMASK, &open_to_all, NULL);
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_CPU, &seconds);
  ctx->settings.resize = NULL;
  pthread_mutex_init(&ctx->sink_lock, NULL); /* another thread may have held it */
  limit_data(limits->bytes);
}

void am_child_log(am_context *ctx, void (*log)(void *user, am_log_level level, const char *line), void *user) {
  ctx->settings.log = log;
  ctx->settings.progress = NULL;
  ctx->settings.user = user;
}

void am_child_close_all_but(int keep) {
  enum { MOST = 4096 };
  const long open_most = sysconf(_SC_OPEN_MAX);
  const int end = open_most > 0 && open_most < MOST ? (int)open_most : MOST;
  for (int fd = STDERR_FILENO + 1; fd < end; fd++)
    if (fd != keep) close(fd);
}

int am_child_pipe(int ends[2]) {
  if (pipe(ends)) return -1;
  int moved = fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1), code = errno;
  close(ends[1]);
  ends[1] = moved;
  if (moved < 0) close(ends[0]);
  errno = code;
  return moved < 0 ? -1 : 0;
}

long long am_child_nanoseconds(pid_t child) {
  clockid_t clock;
  struct timespec t;
  if (clock_getcpuclockid(child, &clock) || clock_gettime(clock, &t)) return -1;
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
