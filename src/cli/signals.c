/* cli/signals.c - Ctrl-C and SIGTERM: finish the step, save, report. */
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

/* A handler can reach only globals; these two are written before it is installed and by it. */
static am_context *volatile stop_context;
static volatile sig_atomic_t received;

static void on_signal(int number) {
  if (received) {
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  received = number;
  static const char text[] = "\nstopping after this step; once more to stop at once\n";
  ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  (void)ignored;
  am_context_stop(stop_context);
}

void cli_signals_install(am_context *ctx) {
  stop_context = ctx;
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  /* A closed pipe and a file size limit are errors of a write, not deaths without words. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

int cli_signal_received(void) { return received; }
