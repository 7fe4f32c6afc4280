/* SPDX-License-Identifier: MIT */
/* cli/print.c - the one way to standard output and to the terminal.
 *
 * Labels, speakers, licences and names of files come from files that somebody else made.  What they hold is never sent to a
 * terminal as it is: each text put in by %s becomes a part of one line (am_text_stand_in).  printf and the like are used
 * nowhere else in this room, which tests/cli/test_printing.sh looks after. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/cli.h"

/* Of standard output: the first failure's errno, and whether cli_flush has made it an error. */
static int failed;
static bool told;

static void put_bytes(FILE *to, const char *data, size_t n) {
  if (fwrite(data, 1, n, to) != n && to == stdout && !failed) failed = errno ? errno : EIO;
}

/* Of what is buffered, to standard output. */
static void flush_results(void) {
  errno = 0;
  if (fflush(stdout) != 0 && !failed) failed = errno ? errno : EIO;
}

static void put_spaces(FILE *to, int n) {
  for (; n > 0; n--) put_bytes(to, " ", 1);
}

/* Bytes of `text` up to the limit (negative: none), without a character that it would cut. */
static size_t length_within(const char *text, int limit) {
  size_t n = limit < 0 ? strlen(text) : strnlen(text, (size_t)limit), used = 0, step;
  for (; used < n; used += step) {
    am_text_stand_in(text + used, &step);
    if (used + step > n) break;
  }
  return used;
}

static int width_of(const char *text, size_t n) {
  int width = 0;
  for (size_t at = 0, step; at < n; at += step, width++) am_text_stand_in(text + at, &step);
  return width;
}

int cli_width(const char *text) { return width_of(text, strlen(text)); }

/* `lines`: ends of lines and tabs are those of the program. */
static void put_text(FILE *to, const char *text, size_t n, bool lines) {
  for (size_t at = 0, step; at < n; at += step) {
    char instead = am_text_stand_in(text + at, &step);
    if (instead && !(lines && (text[at] == '\n' || text[at] == '\t'))) put_bytes(to, &instead, 1);
    else put_bytes(to, text + at, step);
  }
}

/* ---- formats ---- */

typedef struct spec {
  char flags[8];
  int width, precision; /* 0 and -1: not given */
  char length[3], kind;
} spec;

static const char *read_number(const char *at, int *out) {
  char *end;
  *out = (int)strtol(at, &end, 10);
  return end;
}

/* From after '%'. A width or precision of '*' becomes INT_MIN, to be asked for. */
static const char *read_spec(const char *at, spec *s) {
  *s = (spec){.precision = -1};
  size_t n = strspn(at, "-+ 0#");
  memcpy(s->flags, at, n < sizeof s->flags ? n : sizeof s->flags - 1);
  at += n;
  if (*at == '*') s->width = INT32_MIN, at++;
  else at = read_number(at, &s->width);
  if (*at == '.') {
    if (*++at == '*') s->precision = INT32_MIN, at++;
    else at = read_number(at, &s->precision);
  }
  n = strspn(at, "hljzt");
  memcpy(s->length, at, n < sizeof s->length ? n : sizeof s->length - 1);
  at += n;
  s->kind = *at;
  return *at ? at + 1 : at;
}

static void put_string(FILE *to, const spec *s, const char *text) {
  if (!text) text = "(null)";
  size_t n = length_within(text, s->precision);
  int space = s->width - width_of(text, n);
  bool left = strchr(s->flags, '-') != NULL;
  if (!left) put_spaces(to, space);
  put_text(to, text, n, false);
  if (left) put_spaces(to, space);
}

/* A number: as the C library writes it. */
static void put_number(FILE *to, const spec *s, va_list *args) {
  char format[64], precision[16] = "", text[512];
  const char *length = strchr("di", s->kind) || strchr("uxXo", s->kind) ? "j" : "";
  int n;
  if (s->precision >= 0) snprintf(precision, sizeof precision, ".%d", s->precision);
  snprintf(format, sizeof format, "%%%s%.0d%s%s%c", s->flags, s->width, precision, length, s->kind);
  if (strchr("di", s->kind)) {
    intmax_t v = !strcmp(s->length, "ll")  ? va_arg(*args, long long)
                 : !strcmp(s->length, "l") ? va_arg(*args, long)
                 : !strcmp(s->length, "j") ? va_arg(*args, intmax_t)
                 : !strcmp(s->length, "z") ? (intmax_t)va_arg(*args, size_t)
                                           : va_arg(*args, int);
    n = snprintf(text, sizeof text, format, v);
  } else if (strchr("uxXo", s->kind)) {
    uintmax_t v = !strcmp(s->length, "ll")  ? va_arg(*args, unsigned long long)
                  : !strcmp(s->length, "l") ? va_arg(*args, unsigned long)
                  : !strcmp(s->length, "j") ? va_arg(*args, uintmax_t)
                  : !strcmp(s->length, "z") ? va_arg(*args, size_t)
                                            : va_arg(*args, unsigned);
    n = snprintf(text, sizeof text, format, v);
  } else {
    n = snprintf(text, sizeof text, format, va_arg(*args, double));
  }
  if (n > 0) put_bytes(to, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void put_character(FILE *to, const spec *s, int c) {
  const char text[2] = {(char)c, '\0'};
  put_string(to, s, text);
}

static void print(FILE *to, const char *format, va_list *args) {
  while (*format) {
    size_t n = strcspn(format, "%");
    put_bytes(to, format, n);
    format += n;
    if (!*format) break;
    spec s;
    format = read_spec(format + 1, &s);
    if (s.width == INT32_MIN) s.width = va_arg(*args, int);
    if (s.precision == INT32_MIN) s.precision = va_arg(*args, int);
    if (s.width < 0) { /* as C has it: to the left */
      s.width = -s.width;
      strcpy(s.flags, "-");
    }
    if (s.kind == '%') put_bytes(to, "%", 1);
    else if (s.kind == 's') put_string(to, &s, va_arg(*args, const char *));
    else if (s.kind == 'c') put_character(to, &s, va_arg(*args, int));
    else put_number(to, &s, args);
  }
}

void cli_print(const char *format, ...) {
  va_list args;
  va_start(args, format);
  print(stdout, format, &args);
  va_end(args);
}

/* What was printed before it stands before a line on standard error where both go to one file. */
void cli_fprint(FILE *to, const char *format, ...) {
  va_list args;
  if (to == stderr) flush_results();
  va_start(args, format);
  print(to, format, &args);
  va_end(args);
  if (to == stderr) (void)fflush(stderr); /* a line that is not at its end, too: it has a buffer (main.c) */
}

void cli_put_lines(FILE *to, const char *text) { put_text(to, text, strlen(text), true); }

void cli_put_data(const char *data, size_t bytes) { put_bytes(stdout, data, bytes); }

/* ---- the end ---- */

am_status cli_flush(am_error *err) {
  flush_results();
  if (ferror(stdout) && !failed) failed = EIO;
  if (!failed) return AM_OK;
  told = true;
  if (failed == EBADF) return am_fail(err, AM_E_IO, "standard output is closed, and the results are for it");
  return am_fail_errno(err, failed, "standard output could not be written");
}

bool cli_nobody_reads(void) { return failed == EPIPE && told; }
