/* SPDX-License-Identifier: MIT */
/* io/json_write.c - JSON text built into a buffer. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "io/json.h"

static void put(am_json *j, const char *text) { am_buffer_append(j->ctx, j->out, text, strlen(text)); }

/* A character that a terminal or an editor may take for a command; of valid UTF-8 up to three bytes. */
static unsigned code_of(const char *text, size_t n) {
  const unsigned char *c = (const unsigned char *)text;
  return n == 1   ? c[0]
         : n == 2 ? (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu)
                  : (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
}

/* All that may not be shown is written by its number: the same text for whoever reads JSON. */
static void put_string(am_json *j, const char *text) {
  put(j, "\"");
  while (*text) {
    size_t n = am_utf8_length(text), bytes;
    unsigned char c = (unsigned char)*text;
    if (!n) put(j, "\\ufffd");
    else if (c == '"' || c == '\\') am_buffer_printf(j->ctx, j->out, "\\%c", c);
    else if (c == '\n') put(j, "\\n");
    else if (c == '\r') put(j, "\\r");
    else if (c == '\t') put(j, "\\t");
    else if (am_text_stand_in(text, &bytes)) am_buffer_printf(j->ctx, j->out, "\\u%04x", code_of(text, n));
    else am_buffer_append(j->ctx, j->out, text, n);
    text += n ? n : 1;
  }
  put(j, "\"");
}

am_json am_json_begin(am_context *ctx, am_buffer *out, int indent) {
  return (am_json){.ctx = ctx, .out = out, .indent = indent};
}

static void new_line(am_json *j) {
  if (j->indent) am_buffer_printf(j->ctx, j->out, "\n%*s", j->indent * j->depth, "");
}

/* What stands before a value: the comma, the line, the key. */
static void lead(am_json *j, const char *key) {
  if (j->depth) {
    assert((key != NULL) == (j->closer[j->depth - 1] == '}') && "keys belong to objects");
    if (j->filled[j->depth - 1]) put(j, j->indent ? "," : ", ");
    j->filled[j->depth - 1] = true;
    new_line(j);
  }
  if (key) {
    put_string(j, key);
    put(j, ": ");
  }
}

void am_json_open(am_json *j, const char *key, char kind) {
  assert(j->depth < AM_JSON_DEPTH);
  lead(j, key);
  put(j, kind == '{' ? "{" : "[");
  j->filled[j->depth] = false;
  j->closer[j->depth++] = kind == '{' ? '}' : ']';
}

void am_json_close(am_json *j) {
  assert(j->depth > 0);
  j->depth--;
  if (j->filled[j->depth]) new_line(j);
  am_buffer_append(j->ctx, j->out, &j->closer[j->depth], 1);
  if (!j->depth && j->indent) put(j, "\n");
}

void am_json_null(am_json *j, const char *key) {
  lead(j, key);
  put(j, "null");
}

void am_json_text(am_json *j, const char *key, const char *text) {
  lead(j, key);
  if (text) put_string(j, text);
  else put(j, "null");
}

void am_json_int(am_json *j, const char *key, int64_t number) {
  lead(j, key);
  am_buffer_printf(j->ctx, j->out, "%" PRId64, number);
}

static void put_real(am_json *j, double number) {
  char text[32] = "null";
  if (isfinite(number)) am_real_to_text(number, text);
  put(j, text);
}

void am_json_real(am_json *j, const char *key, double number) {
  lead(j, key);
  put_real(j, number);
}

void am_json_float(am_json *j, const char *key, float number) {
  lead(j, key);
  put_real(j, am_float_decimal(number));
}

void am_json_bool(am_json *j, const char *key, bool truth) {
  lead(j, key);
  put(j, truth ? "true" : "false");
}

void am_json_reals(am_json *j, const char *key, const double *numbers, size_t n) {
  lead(j, key);
  put(j, "[");
  for (size_t i = 0; i < n; i++) {
    if (i) put(j, ", ");
    put_real(j, numbers[i]);
  }
  put(j, "]");
}

void am_json_ints(am_json *j, const char *key, const int64_t *numbers, size_t n) {
  lead(j, key);
  put(j, "[");
  for (size_t i = 0; i < n; i++) am_buffer_printf(j->ctx, j->out, "%s%" PRId64, i ? ", " : "", numbers[i]);
  put(j, "]");
}

static void put_scalar(am_json *j, const char *key, const am_value *v) {
  int64_t integer;
  double real;
  if (am_value_to_int(v, &integer)) am_json_int(j, key, integer);
  else if (am_value_to_real(v, &real)) am_json_real(j, key, real);
  else if (!v->quoted && (!strcmp(v->text, "true") || !strcmp(v->text, "false"))) am_json_bool(j, key, *v->text == 't');
  else am_json_text(j, key, v->text);
}

void am_json_value(am_json *j, const char *key, const am_value *value) {
  if (!value || value->kind == AM_NULL) {
    am_json_null(j, key);
  } else if (value->kind == AM_SCALAR) {
    put_scalar(j, key, value);
  } else {
    am_json_open(j, key, value->kind == AM_MAP ? '{' : '[');
    for (const am_value *child = value->first; child; child = child->next)
      am_json_value(j, value->kind == AM_MAP ? child->key : NULL, child);
    am_json_close(j);
  }
}
