/* SPDX-License-Identifier: MIT */
/* cli/predicted.c - what predict prints: a row a sound, or a row a window of it. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "cli/cli.h"
#include "io/csv.h"
#include "io/json.h"

void cli_predicted_head(cli *c, const am_checkpoint *m, const cli_shape *shape, am_buffer *out) {
  if (shape->format != CLI_CSV) return;
  am_buffer name = {0};
  am_csv_writer w = {.ctx = c->ctx, .out = out};
  am_csv_put(&w, "file");
  if (shape->windows) {
    am_csv_put(&w, "start");
    am_csv_put(&w, "end");
  }
  if (!m->values) am_csv_put(&w, "label");
  for (int k = 0; k < m->classes; k++) {
    name.used = 0;
    am_buffer_printf(c->ctx, &name, "%s%s", m->values ? "" : "p_", m->labels[k]);
    if (!name.failed) am_csv_put(&w, name.data);
    else out->failed = true;
  }
  am_csv_put(&w, "reason");
  am_csv_put(&w, "seconds");
  am_csv_put(&w, "seconds_heard");
  if (shape->thresholds) am_csv_put(&w, "top");
  if (shape->errors) am_csv_put(&w, "error");
  am_csv_end_row(&w);
  am_buffer_free(c->ctx, &name);
}

void cli_predicted_name(cli *c, cli_format format, const char *file, am_buffer *out) {
  if (format == CLI_CSV) {
    am_csv_writer w = {.ctx = c->ctx, .out = out};
    am_csv_put(&w, file);
    return;
  }
  am_json j = am_json_begin(c->ctx, out, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "file", file);
}

/* The answer, or why there is none; and the most probable class where there is one. */
typedef struct said {
  const char *label, *reason, *top;
} said;

static void put_csv(cli *c, const am_checkpoint *m, const cli_shape *shape, const cli_predicted *row, const said *as,
                    am_buffer *out) {
  am_csv_writer w = {.ctx = c->ctx, .out = out};
  am_csv_put(&w, row->file);
  if (shape->windows) {
    am_csv_put_real(&w, row->start);
    am_csv_put_real(&w, row->end);
  }
  if (!m->values) am_csv_put(&w, as->label ? as->label : "");
  for (int k = 0; k < m->classes; k++) {
    if (!as->top) am_csv_put(&w, "");
    else am_csv_put_real(&w, am_float_decimal(row->p[k]));
  }
  am_csv_put(&w, as->reason ? as->reason : "");
  am_csv_put_real(&w, row->seconds);
  am_csv_put_real(&w, row->seconds_heard);
  if (shape->thresholds) am_csv_put(&w, as->top ? as->top : "");
  if (shape->errors) am_csv_put(&w, row->error ? row->error : "");
  am_csv_end_row(&w);
}

static void put_json(cli *c, const am_checkpoint *m, const cli_shape *shape, const cli_predicted *row, const said *as,
                     am_buffer *out) {
  am_json j = am_json_begin(c->ctx, out, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "file", row->file);
  if (shape->windows) {
    am_json_real(&j, "start", row->start);
    am_json_real(&j, "end", row->end);
  }
  if (!m->values) am_json_text(&j, "label", as->label);
  am_json_open(&j, m->values ? "dimensions" : "probabilities", '{'); /* not a number is null */
  for (int k = 0; k < m->classes; k++) am_json_float(&j, m->labels[k], as->top ? row->p[k] : NAN);
  am_json_close(&j);
  if (m->values) am_scales_put(&j, (const char *const *)m->labels, m->scale, m->classes);
  am_json_text(&j, "reason", as->reason);
  am_json_real(&j, "seconds", row->seconds);
  am_json_real(&j, "seconds_heard", row->seconds_heard);
  if (shape->thresholds) am_json_text(&j, "top", as->top);
  if (shape->errors) am_json_text(&j, "error", row->error);
  am_json_close(&j);
  am_buffer_append(c->ctx, out, "\n", 1);
}

static void put_text(cli *c, const am_checkpoint *m, const cli_shape *shape, const cli_predicted *row, const said *as,
                     am_buffer *out) {
  am_buffer line = {0};
  am_buffer_printf(c->ctx, &line, "%s", row->file);
  if (shape->windows) am_buffer_printf(c->ctx, &line, " %.2f-%.2f s", row->start, row->end);
  if (!as->top) am_buffer_printf(c->ctx, &line, ": no %s (%s)", m->values ? "values" : "label", as->reason);
  else if (m->values) am_buffer_printf(c->ctx, &line, ":");
  else am_buffer_printf(c->ctx, &line, ": %s", as->label ? as->label : as->reason);
  for (int k = 0; k < m->classes && as->top; k++) {
    if (m->values) am_buffer_printf(c->ctx, &line, "  %s %.2f", m->labels[k], (double)row->p[k]);
    else am_buffer_printf(c->ctx, &line, "  %s %.1f%%", m->labels[k], 100 * (double)row->p[k]);
  }
  if (!line.failed) {
    am_text_one_line(line.data);
    am_buffer_append(c->ctx, out, line.data, strlen(line.data));
  } else {
    out->failed = true;
  }
  am_buffer_append(c->ctx, out, "\n", 1);
  am_buffer_free(c->ctx, &line);
}

void cli_predicted_row(cli *c, const am_checkpoint *m, const cli_shape *shape, const cli_predicted *row,
                       am_buffer *out) {
  said as = {0};
  if (row->error) {
    as.reason = CLI_UNREADABLE;
  } else if (row->unheard) {
    as.reason = am_unheard_name(row->unheard);
  } else {
    as.top = m->labels[am_largest(row->p, m->classes)];
    if (shape->thresholds && am_thresholds_decide(shape->thresholds, row->p, m->classes) == AM_UNCERTAIN)
      as.reason = "uncertain";
  }
  if (!as.reason) as.label = as.top;
  if (shape->format == CLI_JSON) put_json(c, m, shape, row, &as, out);
  else if (shape->format == CLI_CSV) put_csv(c, m, shape, row, &as, out);
  else put_text(c, m, shape, row, &as, out);
}
