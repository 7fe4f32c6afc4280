/* SPDX-License-Identifier: MIT */
/* exchange/describe.c - see describe.h. */
#include "exchange/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

am_status am_describe_begin(am_context *ctx, am_described *d, am_error *err) {
  *d = (am_described){.ctx = ctx};
  return am_tree_create(ctx, &d->tree, err);
}

void am_described_free(am_described *d) {
  am_tree_free(d->tree);
  *d = (am_described){.ctx = d->ctx};
}

static void *take(am_described *d, size_t bytes) {
  void *piece = d->failed ? NULL : am_tree_take(d->tree, 1, bytes);
  if (!piece) d->failed = true;
  return piece;
}

static const char *copy(am_described *d, const char *text) {
  const char *kept = d->failed || !text ? NULL : am_tree_string(d->tree, text);
  if (!kept && text) d->failed = true;
  return kept;
}

/* In one line, and cut where it is long: config and layers of a model are texts of many thousand bytes.  A cut character is
 * shown as what it is. */
static const char *line(am_described *d, const char *text) {
  const size_t n = strlen(text), most = n > AM_DESCRIBED_TEXT ? AM_DESCRIBED_TEXT : n;
  char *out = take(d, 2 * most + 64);
  size_t used = 0;
  if (!out) return NULL;
  for (size_t i = 0; i < most; i++) {
    if (text[i] != '\n') out[used++] = text[i];
    else if (text[i + 1]) out[used++] = ';', out[used++] = ' ';
  }
  out[used] = 0;
  if (most < n) snprintf(out + used, 64, "... (%zu bytes)", n);
  return out;
}

void am_describe_text(am_described *d, const char *name, const char *text) {
  if (!text || !*text) return;
  am_described_fact *f = take(d, sizeof *f);
  if (!f) return;
  *f = (am_described_fact){.name = copy(d, name), .text = line(d, text)};
  if (d->failed) return;
  if (d->last_fact) d->last_fact->next = f;
  else d->facts = f;
  d->last_fact = f;
}

void am_describe_fact(am_described *d, const char *name, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  am_describe_text(d, name, text);
}

void am_describe_table(am_described *d, const char *first, const char *second, const char *third, const char *counted) {
  am_described_table *t = take(d, sizeof *t);
  if (!t) return;
  *t = (am_described_table){.heads = {first, second, third}, .counted = counted};
  if (d->last_table) d->last_table->next = t;
  else d->tables = t;
  d->last_table = t;
}

void am_describe_row(am_described *d, const char *first, const char *second, const char *third, double count) {
  am_described_row *r = take(d, sizeof *r);
  if (!r) return;
  *r = (am_described_row){.cells = {copy(d, first), copy(d, second), copy(d, third)}, .count = count};
  if (d->failed) return;
  am_described_table *t = d->last_table;
  if (t->last) t->last->next = r;
  else t->first = r;
  t->last = r;
}

am_status am_describe_end(const am_described *d, am_status status, am_error *err) {
  return status || !d->failed ? status : am_no_memory(err);
}
