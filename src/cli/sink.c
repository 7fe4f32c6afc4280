/* SPDX-License-Identifier: MIT */
/* cli/sink.c - log lines and the progress line, on stderr.
 *
 * On a terminal one line is redrawn in place and goes when its task ends; piped,
 * a plain line is printed every half minute.  The context calls sinks
 * one at a time, so the state here needs no lock. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"

enum { MOST_WARNINGS = 4096 };

static struct {
  bool quiet, verbose, terminal, color, follows;
  bool line_open;
  double drawn_at;
  uint64_t warned[MOST_WARNINGS]; /* hashes of what was printed */
  size_t n_warned;
} sink;

void cli_sink_init(bool quiet, bool verbose) {
  const char *no_color = getenv("NO_COLOR");
  const char *term = getenv("TERM");
  sink.quiet = quiet;
  sink.verbose = verbose;
  sink.terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
  sink.color = sink.terminal && !(no_color && *no_color);
}

void cli_sink_follow(bool follows) { sink.follows = follows; }

void cli_sink_clear(void) {
  if (sink.line_open) cli_fprint(stderr, "\r\033[K");
  sink.line_open = false;
}

void cli_sink_meter(const char *line) {
  if (!sink.terminal || sink.quiet) return;
  cli_fprint(stderr, "\r\033[K%s", line);
  sink.line_open = true;
}

/* The folds of a cross-validation, the models of --with and the page of a run come upon the same thing once more. */
static bool warned_before(const char *line) {
  uint64_t hash = am_hash64(0, line, strlen(line));
  for (size_t i = 0; i < sink.n_warned; i++)
    if (sink.warned[i] == hash) return true;
  if (sink.n_warned < MOST_WARNINGS) sink.warned[sink.n_warned++] = hash;
  return false;
}

void cli_sink_log(void *user, am_log_level level, const char *line) {
  (void)user;
  if (sink.follows && level > AM_LOG_ERROR) return;
  if ((sink.quiet && level > AM_LOG_WARNING) || (level == AM_LOG_DEBUG && !sink.verbose)) return;
  if (level == AM_LOG_WARNING && warned_before(line)) return;
  cli_sink_clear();
  const char *mark = level == AM_LOG_ERROR ? "error: " : level == AM_LOG_WARNING ? "warning: " : "";
  const int color = level == AM_LOG_ERROR ? 31 : level == AM_LOG_WARNING ? 33 : 0;
  if (sink.color && color) cli_fprint(stderr, "\033[%dm%s\033[0m%s\n", color, mark, line);
  else cli_fprint(stderr, "%s%s\n", mark, line);
}

static void format_time(double seconds, char *out, size_t size) {
  if (seconds < 0) seconds = 0;
  long whole = (long)(seconds + 0.5);
  if (whole >= 3600) snprintf(out, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  else snprintf(out, size, "%ld:%02ld", whole / 60, whole % 60);
}

static void format_line(const am_progress *p, char *out, size_t size) {
  double rate = p->seconds > 0 ? (double)p->done / p->seconds : 0;
  char left[32] = "", spent[32];
  format_time(p->seconds, spent, sizeof spent);
  if (p->total && rate > 0) {
    char t[24];
    format_time((double)(p->total - p->done) / rate, t, sizeof t);
    snprintf(left, sizeof left, ", %s left", t);
  }
  int used = p->total ? snprintf(out, size, "%s  %llu/%llu %s", p->task, (unsigned long long)p->done,
                                 (unsigned long long)p->total, p->unit)
                      : snprintf(out, size, "%s  %llu %s", p->task, (unsigned long long)p->done, p->unit);
  if (used < 0 || (size_t)used >= size) return;
  snprintf(out + used, size - (size_t)used, "  %.*f %s/s  %s%s%s%s", rate < 10 ? 1 : 0, rate, p->unit, spent, left,
           p->note ? "  " : "", p->note ? p->note : "");
}

void cli_sink_progress(void *user, const am_progress *p) {
  (void)user;
  if (sink.quiet || sink.follows) return;
  /* A new task starts its clock again, so a time before the last one drawn is the next task's. */
  double since = p->seconds - sink.drawn_at;
  if (since < 0) since = p->seconds;
  /* What a task came to is said by the log line that follows it. */
  if (p->finished) {
    cli_sink_clear();
    sink.drawn_at = 0;
    return;
  }
  if (since < (sink.terminal ? 0.1 : 30.0)) return;
  sink.drawn_at = p->seconds;
  char line[256];
  format_line(p, line, sizeof line);
  if (!sink.terminal) {
    cli_fprint(stderr, "%s\n", line);
    return;
  }
  cli_fprint(stderr, "\r\033[K%s", line);
  sink.line_open = true;
}
