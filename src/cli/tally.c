/* SPDX-License-Identifier: MIT */
/* cli/tally.c - names and counts of what would be too many warnings one by one. */
#include "cli/cli.h"

enum { NAMED = 5 };

void cli_tally_add(cli *c, cli_tally *t, const char *format, ...) {
  char text[512];
  va_list args;
  if (t->n++ >= NAMED) return;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  am_buffer_printf(c->ctx, &t->names, "%s%s", t->n > 1 ? ", " : "", text);
}

const char *cli_tally_names(cli *c, cli_tally *t) {
  if (t->n > NAMED) am_buffer_printf(c->ctx, &t->names, " and %zu more", t->n - NAMED);
  return t->names.failed || !t->names.data ? "..." : t->names.data;
}

void cli_tally_free(cli *c, cli_tally *t) {
  am_buffer_free(c->ctx, &t->names);
  *t = (cli_tally){0};
}
