/* SPDX-License-Identifier: MIT */
/* cli/signals.c - Ctrl-C and SIGTERM: finish the step, save, report.  Where no step has ended yet there is nothing to
 * save, and perhaps no code that asks whether to stop: a config or a model is read, or the first product runs.
 *
 * SIGUSR1 is the warning of a batch system that the time is nearly up (sbatch --signal).  What can go on later does the same
 * then, and ends with a status of its own, by which a script knows to queue the job again. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

/* A handler can reach only globals; these two are written before it is installed and by it. */
static am_context *volatile stop_context; /* NULL: there is nothing (any more) to stop */
static volatile sig_atomic_t received;
static bool pipe_ends; /* SIGPIPE was not ignored when the program was started */

/* A program stopped by a signal should end by that signal, so that shells and schedulers see it.  The kernel keeps the first
 * process of a container from that: it ends by the exit code that a shell gives such an end. */
void cli_signals_end(int number) {
  sigset_t one;
  signal(number, SIG_DFL);
  raise(number);
  sigemptyset(&one);
  sigaddset(&one, number);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL); /* in its handler it waits for the return */
  _exit(CLI_EXIT_SIGNAL + number);
}

static void on_signal(int number) {
  int before = errno; /* of the call that was interrupted, which has yet to be looked at */
  am_context *ctx = stop_context;
  if (received || !ctx || am_context_asked(ctx) < 2) {
    cli_signals_end(number);
  } else {
    received = number;
    static const char text[] = "\nstopping after this step; once more to stop at once\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    am_context_stop(ctx);
  }
  errno = before;
}

/* A batch system may warn more than once; that is no wish to stop at once. */
static void on_warning(int number) {
  static const char text[] = "\nwarned that the time is nearly up (SIGUSR1): stopping after this step\n";
  int before = errno;
  am_context *ctx = stop_context;
  if (ctx && !received) {
    received = number;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    if (am_context_asked(ctx) < 2) _exit(CLI_EXIT_AGAIN); /* nothing to save, and nobody who asks */
    am_context_stop(ctx);
  }
  errno = before;
}

/* Whoever started us with a signal ignored (nohup, a script's job in the background) means us not to hear it. */
static void handle(int number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler}, before;
  if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

void cli_signals_install(am_context *ctx, bool resumes) {
  stop_context = ctx;
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  handle(SIGHUP, on_signal);
  if (resumes) handle(SIGUSR1, on_warning);
  /* A closed pipe and a file size limit are errors of a write, not deaths in the middle of a training: whoever reads the
   * messages may leave.  That nobody reads the results ends the program at its end (main.c). */
  void (*before)(int) = signal(SIGPIPE, SIG_IGN);
  pipe_ends = before != SIG_IGN && before != SIG_ERR;
  signal(SIGXFSZ, SIG_IGN);
}

void cli_signals_forget(void) { stop_context = NULL; }

bool cli_signals_pipe(void) { return pipe_ends; }

int cli_signal_received(void) { return received; }
