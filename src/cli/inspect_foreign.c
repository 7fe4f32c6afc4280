/* SPDX-License-Identifier: MIT */
/* cli/inspect_foreign.c - what a model file of another program holds, before it is imported. */
#include <string.h>

#include "cli/inspect.h"

enum { WIDEST = 72 /* of a column; longer names push the rest of their row */ };

static int width_of(const am_described_table *t, int column) {
  int width = cli_width(t->heads[column]);
  for (const am_described_row *r = t->first; r; r = r->next) {
    const int wide = r->cells[column] ? cli_width(r->cells[column]) : 0;
    if (wide > width && wide <= WIDEST) width = wide;
  }
  return width;
}

static void print_row(const am_described_table *t, const int *widths, const char *const *cells, const char *count) {
  int last = 0;
  while (last + 1 < AM_DESCRIBED_COLUMNS && t->heads[last + 1]) last++;
  for (int k = 0; k <= last; k++) {
    const char *cell = cells[k] ? cells[k] : "";
    if (k == last && !count) cli_print("%s", cell);
    else cli_print("%-*s ", widths[k], cell);
  }
  if (count) cli_print(" %14s", count);
  cli_print("\n");
}

static void print_table(const am_described_table *t) {
  int widths[AM_DESCRIBED_COLUMNS] = {0};
  static const char *const all[AM_DESCRIBED_COLUMNS] = {"all"};
  char number[32];
  double sum = 0;
  for (int k = 0; k < AM_DESCRIBED_COLUMNS && t->heads[k]; k++) widths[k] = width_of(t, k);
  cli_print("\n");
  print_row(t, widths, t->heads, t->counted);
  for (const am_described_row *r = t->first; r; r = r->next) {
    print_row(t, widths, r->cells, t->counted ? inspect_grouped(r->count, number, sizeof number) : NULL);
    sum += r->count;
  }
  if (t->counted) print_row(t, widths, all, inspect_grouped(sum, number, sizeof number));
}

static void print_import(const am_described *d, const char *path, int width) {
  static const char *const more[] = {[AM_IMPORT_ALONE] = "",
                                     [AM_IMPORT_FEATURES] = " --config FEATURES.yaml",
                                     [AM_IMPORT_LAYERS] = " --config WITH-LAYERS.yaml"};
  cli_print("import:%*s ", width > 6 ? width - 6 : 0, "");
  if (d->import == AM_IMPORT_REFUSED) cli_print("not possible: %s\n", d->refused);
  else cli_print("audiomood import %s%s -o OUT.h5\n", path, more[d->import]);
}

am_status inspect_foreign(cli *c, const am_exchange *format, const char *path, am_error *err) {
  am_described d;
  if (cli_has(c, "augment") || cli_has(c, "effective"))
    return am_fail(err, AM_E_USAGE,
                   "%s: is a model of another program (%s); --augment and --effective are of configs and models that "
                   "were imported",
                   path, format->is.name);
  am_status st = am_describe_begin(c->ctx, &d, err);
  if (!st) st = format->describe(c->ctx, path, &d, err);
  st = am_describe_end(&d, st, err);
  if (!st) {
    int width = 0;
    for (const am_described_fact *f = d.facts; f; f = f->next)
      if (cli_width(f->name) > width && cli_width(f->name) <= WIDEST) width = cli_width(f->name);
    cli_print("%s\n", path);
    for (const am_described_fact *f = d.facts; f; f = f->next)
      cli_print("%s:%*s %s\n", f->name, width > cli_width(f->name) ? width - cli_width(f->name) : 0, "", f->text);
    print_import(&d, path, width);
    for (const am_described_table *t = d.tables; t; t = t->next) print_table(t);
  }
  am_described_free(&d);
  return st;
}
