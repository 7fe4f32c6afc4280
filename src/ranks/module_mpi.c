/* SPDX-License-Identifier: MIT */
/* ranks/module_mpi.c - the table of link.h over MPI; built once by each MPI that is there, and loaded by ranks_join.c. */
#include "ranks/link.h"

#include <mpi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(MPI_Request) <= sizeof(uint64_t), "a request has room");

static MPI_Request request_of(const uint64_t *request) {
  MPI_Request r;
  memcpy(&r, request, sizeof r);
  return r;
}
static void put_request(uint64_t *request, MPI_Request r) {
  *request = 0;
  memcpy(request, &r, sizeof r);
}

static int module_isend(am_link *link, const void *data, size_t bytes, int to, int tag, uint64_t *request) {
  (void)link;
  MPI_Request r = MPI_REQUEST_NULL;
  const int code = MPI_Isend(data, (int)bytes, MPI_BYTE, to, tag, MPI_COMM_WORLD, &r);
  put_request(request, r);
  return code;
}

static int module_irecv(am_link *link, void *data, size_t room, int from, int tag, uint64_t *request) {
  (void)link;
  MPI_Request r = MPI_REQUEST_NULL;
  const int code =
      MPI_Irecv(data, (int)room, MPI_BYTE, from == AM_LINK_ANY ? MPI_ANY_SOURCE : from, tag, MPI_COMM_WORLD, &r);
  put_request(request, r);
  return code;
}

static int module_test(am_link *link, uint64_t *request, bool *done) {
  (void)link;
  MPI_Request r = request_of(request);
  int flag = 0;
  const int code = MPI_Test(&r, &flag, MPI_STATUS_IGNORE);
  put_request(request, r);
  *done = flag != 0;
  return code;
}

static void module_cancel(am_link *link, uint64_t *request) {
  (void)link;
  MPI_Request r = request_of(request);
  if (r == MPI_REQUEST_NULL) return;
  MPI_Cancel(&r);
  MPI_Request_free(&r);
  put_request(request, r);
}

static void module_why(am_link *link, int code, char *out, size_t room) {
  (void)link;
  char text[MPI_MAX_ERROR_STRING + 1] = "";
  int length = 0;
  if (MPI_Error_string(code, text, &length)) snprintf(text, sizeof text, "MPI's error %d", code);
  snprintf(out, room, "%s", text);
}

static void module_abort(am_link *link, int code) {
  (void)link;
  /* If MPI cannot end the job, it ends at least this process, by which the launcher sees to the others. */
  signal(SIGALRM, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  alarm(5);
  nanosleep(&(struct timespec){.tv_nsec = 300000000},
            NULL); /* the launcher passes on what was said last, before it ends all */
  MPI_Abort(MPI_COMM_WORLD, code);
  _exit(code);
}

/* ---- the end ----
 *
 * MPI_Finalize of MPICH 4.0 over TCP (UCX) may never return though all ranks are in it: a rank closes its connections and then
 * waits for the launcher, deaf; one that closes a moment later waits for its answer for ever.  By now all is done, and what is
 * left is that the launcher hears that this was no failure.  So it is told that alone (by a line of PMI 1, MPICH's protocol for Hydra
 * and Slurm), and the process ends by its exit code, without what libraries do at exit, as they are in use.  A launcher that
 * does not answer, or that of another MPI, hears it of MPI_Finalize. */

static void leave_at_once(int code, void *arg) {
  (void)arg;
  fflush(NULL);
  _exit(code);
}

static bool tell_launcher(void) {
  enum { PATIENCE = 3000 }; /* ms */
  static const char word[] = "cmd=finalize\n";
  const char *text = getenv("PMI_FD");
  struct pollfd launcher = {.fd = text ? (int)strtol(text, NULL, 10) : -1, .events = POLLIN};
  if (!text || write(launcher.fd, word, sizeof word - 1) != (ssize_t)(sizeof word - 1)) return false;
  for (char c = 0; c != '\n';)
    if (poll(&launcher, 1, PATIENCE) != 1 || read(launcher.fd, &c, 1) != 1) return false;
  return true;
}

/* After a failure the launcher is told as well, when all ranks are here to end: Hydra may else see that a process is gone before
 * it has its exit code, and takes 1 for it.  If one is lost, it is not told, and ends what is left of the job. */
static void module_finish(am_link *link, am_link_end end) {
  (void)link;
  if (end == AM_LINK_LOST) return;
  if (tell_launcher()) on_exit(leave_at_once, NULL);
  else if (end == AM_LINK_DONE) MPI_Finalize();
}

static void put_name(char *out, size_t room) {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
#if defined(OMPI_MAJOR_VERSION)
  snprintf(out, room, "Open MPI %d.%d.%d", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION);
  text[strcspn(text, ",\n")] = '\0';
  if (!strncmp(text, "Open MPI v", 10)) snprintf(out, room, "Open MPI %.100s", text + 10);
#else
  text[strcspn(text, "\n")] = '\0';
  char *version = strpbrk(text, "0123456789");
  snprintf(out, room, "MPICH %.100s", version ? version : "");
#endif
}

/* ---- the start ---- */

typedef struct starting {
  const am_link_start *start;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool done;
} starting;

static void *wait_for_start(void *arg) {
  starting *s = arg;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  const double end = s->start->patience + (double)until.tv_nsec / 1e9;
  until.tv_sec += (time_t)end;
  until.tv_nsec = (long)((end - (double)(time_t)end) * 1e9);
  pthread_mutex_lock(&s->lock);
  while (!s->done)
    if (pthread_cond_timedwait(&s->wake, &s->lock, &until)) break;
  const bool late = !s->done;
  pthread_mutex_unlock(&s->lock);
  if (late) {
    s->start->late(s->start->arg);
    leave_at_once(1, NULL);
  }
  return NULL;
}

/* MPI_Init returns when all processes are in it. */
static int start_mpi(const am_link_start *start, int *provided) {
  starting s = {.start = start, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
  pthread_t watch;
  sigset_t all, before;
  sigfillset(&all); /* signals are for the threads of the program */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool watched = start->patience > 0 && !pthread_create(&watch, NULL, wait_for_start, &s);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  const int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, provided);
  pthread_mutex_lock(&s.lock);
  s.done = true;
  pthread_cond_signal(&s.wake);
  pthread_mutex_unlock(&s.lock);
  if (watched) pthread_join(watch, NULL);
  return code;
}

bool am_link_open(am_link *out, const am_link_start *start, char *why, size_t room) {
  int there = 0, provided = 0;
  MPI_Initialized(&there);
  if (!there && start_mpi(start, &provided)) {
    snprintf(why, room, "MPI_Init_thread failed");
    return false;
  }
  if (there) MPI_Query_thread(&provided);
  if (provided < MPI_THREAD_SERIALIZED) {
    snprintf(why, room, "it was built without threads");
    return false;
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  memset(out, 0, sizeof *out);
  out->abi = AM_LINK_ABI;
  MPI_Comm_rank(MPI_COMM_WORLD, &out->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &out->size);
  put_name(out->name, sizeof out->name);
  out->isend = module_isend;
  out->irecv = module_irecv;
  out->test = module_test;
  out->cancel = module_cancel;
  out->why = module_why;
  out->abort = module_abort;
  out->finish = module_finish;
  return true;
}
