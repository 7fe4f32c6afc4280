/* SPDX-License-Identifier: MIT */
/* serve/reply.c - see reply.h. */
#include "serve/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "io/json.h"

void am_reply_fail(am_context *ctx, am_reply *r, int status, const char *code, const char *format, ...) {
  char text[sizeof((am_error *)0)->message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  am_buffer_free(ctx, &r->body);
  *r = (am_reply){.status = status, .type = "application/json", .retry_after = status == 429 || status == 503 ? 2 : 0};
  am_json j = am_json_begin(ctx, &r->body, 0);
  am_json_open(&j, NULL, '{');
  am_json_open(&j, "error", '{');
  am_json_text(&j, "code", code);
  am_json_text(&j, "message", text);
  am_json_close(&j);
  am_json_close(&j);
  am_buffer_append(ctx, &r->body, "\n", 1);
}

void am_reply_free(am_context *ctx, am_reply *r) {
  am_buffer_free(ctx, &r->body);
  *r = (am_reply){0};
}
