/* SPDX-License-Identifier: MIT */
/* cli/main.c - finds the subcommand, sets up the context, maps status to exit code. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/cli.h"
#include "model/config.h"
#include "ranks/ranks.h"
#include "run/environment.h"

static int unknown_command(const char *name) {
  const char *names[CLI_MAX_COMMANDS];
  size_t n = 0;
  for (; n < CLI_MAX_COMMANDS && cli_commands[n]; n++) names[n] = cli_commands[n]->name;
  const char *near = am_nearest(name, names, n, sizeof names[0]);
  cli_fprint(stderr, "audiomood: there is no command '%s'", name);
  if (near) cli_fprint(stderr, "; did you mean '%s'?", near);
  cli_fprint(stderr, "\nRun 'audiomood --help' for the list of commands.\n");
  return 2;
}

static int exit_code(am_status status) {
  switch (status) {
    case AM_OK: return 0;
    case AM_E_USAGE:
    case AM_E_CONFIG: return 2;
    default: return 1;
  }
}

/* Where the standard streams are closed, the next files to be opened would get their numbers, and with them the results
 * or the messages of this program.  What replaces them is opened the wrong way round: who writes or reads there is
 * told, and no result is lost without a word. */
static void open_standard_streams(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    int got = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (got < 0) got = open("/", O_RDONLY);
    if (got < 0) return;
  }
}

/* A result that could not be written (a full disk, a closed stream) is a failure too.  What was printed before a failure is
 * written as well: whole lines, as the message counts them. */
static am_status finish_output(am_status st, am_error *err) {
  am_error why = AM_ERROR_INIT;
  am_status output = cli_flush(&why);
  return output && !st ? am_fail(err, output, "%s", why.message) : st;
}

/* Of what prints and does nothing else. */
static int printed(void) {
  am_error err = AM_ERROR_INIT;
  am_status st = finish_output(AM_OK, &err);
  if (st) cli_fprint(stderr, "audiomood: %s\n", err.message);
  return exit_code(st);
}

static int version(bool verbose) {
  am_error err = AM_ERROR_INIT;
  cli_print("audiomood %s\n", am_version());
  am_status st = verbose ? cli_print_parts(&err) : AM_OK;
  if (!st) return printed();
  cli_fprint(stderr, "audiomood: %s\n", err.message);
  return exit_code(st);
}

/* --verbose: what the last bits of a result and its time depend on. */
static void say_environment(cli *c) {
  am_environment e;
  am_environment_get(c->ctx, &e);
  for (int i = 0; i < AM_FACTS; i++) am_log(c->ctx, AM_LOG_DEBUG, "%s: %s", e.facts[i].key, e.facts[i].text);
  am_log(c->ctx, AM_LOG_DEBUG, "threads: %d", am_context_threads(c->ctx));
}

static void say_cost(cli *c, double began) {
  struct rusage used;
  if (!c->ctx || !cli_has(c, "verbose") || getrusage(RUSAGE_SELF, &used)) return;
  am_log(c->ctx, AM_LOG_DEBUG, "%s took %.2f s, %.2f s of processor time, and %.0f MB at most", c->command->name,
         am_now() - began,
         (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
             ((double)used.ru_utime.tv_usec + (double)used.ru_stime.tv_usec) / 1e6,
         (double)used.ru_maxrss * 1024 / 1e6);
}

static am_status run_command(cli *c, am_error *err) {
  int64_t threads;
  am_status st = cli_int(c, "threads", 1, 1024, 0, &threads, err);
  if (st) return st;
  cli_sink_init(cli_has(c, "quiet"), cli_has(c, "verbose"));
  am_settings settings = {.size = sizeof settings,
                          .threads = (int)threads,
                          .log = cli_sink_log,
                          .progress = cli_sink_progress,
                          .read_in_child = true};
  st = am_context_create(&settings, &c->ctx, err);
  if (st) return st;
  cli_signals_install(c->ctx, c->command->resumes);
  if (cli_has(c, "verbose")) say_environment(c);
  return c->command->run(c, err);
}

/* Every clip takes and frees blocks of some hundred kB. glibc would give each back to the kernel, which clears
 * it again for the next clip: a tenth of the time of `features`. */
static void keep_freed_memory(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

static int help(int argc, char **argv) {
  int code = cli_help(argc > 2 ? argv[2] : NULL, cli_commands);
  return code ? code : printed();
}

/* The library names options of its calls, which are flags here: "(option init)" becomes "(--init)".  What no command has as
 * a flag stays: an option of a Keras layer, "an option that". */
static void name_flags(const char *message, char *out, size_t room) {
  static const char word[] = "option ";
  size_t used = 0;
  while (*message && used + 1 < room) {
    const char *name = message + sizeof word - 1;
    const size_t n = strncmp(message, word, sizeof word - 1) ? 0 : strspn(name, "abcdefghijklmnopqrstuvwxyz_-");
    if (n && cli_flag_known(cli_commands, name, n)) {
      used += (size_t)snprintf(out + used, room - used, "--%.*s", (int)n, name);
      if (used >= room) used = room - 1;
      message = name + n;
    } else {
      out[used++] = *message++;
    }
  }
  out[used] = '\0';
}

/* The library speaks of an override where the user of the command wrote --set. */
static void say_error(const cli_command *command, am_status status, const char *message) {
  char text[sizeof((am_error *)0)->message];
  name_flags(message, text, sizeof text);
  message = text;
  const size_t n = strlen(AM_CONFIG_OVERRIDE ": ");
  const bool override = !strncmp(message, AM_CONFIG_OVERRIDE ": ", n);
  if (!*message) message = am_status_name(status);
  cli_fprint(stderr, "audiomood %s: %s%s\n", command->name, override ? "--set: " : "",
             override ? message + n : message);
}

static int execute(cli *c, const cli_command *command, int argc, char **argv) {
  am_error err = AM_ERROR_INIT;
  am_status st = cli_parse(c, command, argc - 2, argv + 2, &err);
  if (!st && cli_has(c, "version")) return version(cli_has(c, "verbose"));
  if (!st && cli_has(c, "help")) {
    cli_print_help(stdout, command);
    return printed();
  }
  const double began = am_now();
  if (!st) st = run_command(c, &err);
  say_cost(c, began);
  cli_sink_clear();
  const bool no_other = !st || cli_nobody_reads(); /* to be told */
  st = finish_output(st, &err);
  const bool unread =
      no_other && cli_nobody_reads() && cli_signals_pipe(); /* as other programs end then: without a word */
  if (st && !unread && !c->silent) say_error(command, st, err.message);
  if (st == AM_E_USAGE && !c->silent) cli_fprint(stderr, "Run 'audiomood %s --help' for its usage.\n", command->name);
  const bool together = c->ranks != NULL; /* of which a launcher hears by the exit code */
  am_ranks_free(c->ranks);
  int number = cli_signal_received();
  cli_signals_forget();
  am_context_free(c->ctx);
  if (number == SIGUSR1) return st == AM_E_STOPPED ? CLI_EXIT_AGAIN : exit_code(st);
  if (number && together && st == AM_E_STOPPED) return CLI_EXIT_SIGNAL + number;
  if (number && !together && (st == AM_E_STOPPED || st == AM_OK)) cli_signals_end(number);
  if (unread) cli_signals_end(SIGPIPE);
  return exit_code(st);
}

int main(int argc, char **argv) {
  cli_start_end();
  open_standard_streams();
  keep_freed_memory();
  setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* what is put together of parts is one write, not one for each character */
  if (argc < 2) {
    cli_print_overview(stderr, cli_commands);
    return 2;
  }
  const bool verbose = argc > 2 && !strcmp(argv[1], "--verbose") != !strcmp(argv[2], "--verbose");
  if (!strcmp(argv[1], "--version") || (verbose && !strcmp(argv[2], "--version"))) return version(verbose);
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
    return help(argc, argv);
  const cli_command *command = cli_command_find(argv[1], cli_commands);
  if (!command) return unknown_command(argv[1]);
  cli c = {.arguments = calloc((size_t)argc, sizeof *c.arguments)};
  if (!c.arguments) {
    cli_fprint(stderr, "audiomood: out of memory\n");
    return 1;
  }
  int code = execute(&c, command, argc, argv);
  free(c.arguments);
  return code;
}
