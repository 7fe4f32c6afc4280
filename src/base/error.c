/* SPDX-License-Identifier: MIT */
/* base/error.c - filling in am_error. */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *am_status_name(am_status status) {
  switch (status) {
    case AM_OK: return "ok";
    case AM_E_USAGE: return "wrong usage";
    case AM_E_CONFIG: return "wrong configuration";
    case AM_E_NOMEM: return "out of memory";
    case AM_E_IO: return "input or output failed";
    case AM_E_FORMAT: return "damaged or unexpected file";
    case AM_E_SHAPE: return "shapes do not fit";
    case AM_E_DATA: return "missing data";
    case AM_E_NUMERIC: return "not a finite number";
    case AM_E_STOPPED: return "stopped";
    case AM_E_UNSUPPORTED: return "not supported by this build";
  }
  return "unknown status";
}

/* Room for the message: a caller compiled against an older header says so by `size`. */
static size_t message_capacity(const am_error *err) {
  size_t before = offsetof(am_error, message);
  return err->size > before && err->size < sizeof *err ? err->size - before : sizeof err->message;
}

/* Messages are one line and valid UTF-8 up to the end even when cut: drops a character of which only the first bytes
 * fitted. */
static void drop_half(char *text) {
  size_t n = strlen(text), tail = 0;
  while (tail < n && tail < 4 && ((unsigned char)text[n - 1 - tail] & 0xc0) == 0x80) tail++;
  if (tail == n) return;
  unsigned char lead = (unsigned char)text[n - 1 - tail];
  size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (tail < wanted) text[n - 1 - tail] = '\0';
}

static void make_line(char *text, bool cut) {
  if (cut) drop_half(text);
  am_text_one_line(text);
}

static void fill(am_error *err, const char *format, va_list args, const char *suffix) {
  size_t capacity = message_capacity(err);
  int n = vsnprintf(err->message, capacity, format, args);
  if (n < 0) { /* only a broken multibyte conversion gets here */
    n = 0;
    err->message[0] = '\0';
  }
  size_t used = (size_t)n < capacity ? (size_t)n : capacity - 1;
  int m = snprintf(err->message + used, capacity - used, "%s", suffix);
  make_line(err->message, (size_t)n + (size_t)m >= capacity);
}

am_status(am_fail)(am_error *err, am_status status, const char *format, ...) {
  if (!err || err->status != AM_OK) return status;
  va_list args;
  va_start(args, format);
  fill(err, format, args, "");
  va_end(args);
  err->status = status;
  return status;
}

am_status(am_fail_errno)(am_error *err, int errno_value, const char *format, ...) {
  am_status status = errno_value == ENOMEM ? AM_E_NOMEM : AM_E_IO;
  if (!err || err->status != AM_OK) return status;
  char reason[256], suffix[384];
  if (strerror_r(errno_value, reason, sizeof reason)) snprintf(reason, sizeof reason, "error %d", errno_value);
  const char *advice = "";
  if (errno_value == ENOSPC) advice = " (the disk is full: free some space or write elsewhere)";
  if (errno_value == EDQUOT) advice = " (your quota is used up: free some space or write elsewhere)";
  snprintf(suffix, sizeof suffix, ": %s%s", reason, advice);
  va_list args;
  va_start(args, format);
  fill(err, format, args, suffix);
  va_end(args);
  err->status = status;
  return status;
}

am_status am_error_prefix(am_error *err, const char *format, ...) {
  if (!err) return AM_E_FORMAT;
  if (err->status == AM_OK) return AM_OK;
  char old[sizeof err->message], suffix[sizeof err->message + 2];
  snprintf(old, sizeof old, "%s", err->message);
  snprintf(suffix, sizeof suffix, ": %s", old);
  va_list args;
  va_start(args, format);
  fill(err, format, args, suffix);
  va_end(args);
  return err->status;
}

am_status(am_no_memory)(am_error *err) {
  return am_fail(err, AM_E_NOMEM,
                 "out of memory: the system granted no more; close other programs or use a "
                 "smaller batch");
}
