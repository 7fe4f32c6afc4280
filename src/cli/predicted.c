/* cli/predicted.c - what predict prints: a row a sound, or a row a window of it. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "cli/cli.h"
#include "io/csv.h"
#include "io/json.h"

/* At once, for whoever reads along.  Where nobody does any more, or nothing fits, the sounds still to come need not be
 * heard either.  CSV is the data as it is, JSON and text hold nothing that steers a terminal. */
static am_status print_buffer(cli *c, am_buffer *text, am_error *err) {
  am_status st = text->failed ? am_no_memory(err) : AM_OK;
  if (!st) cli_put_data(text->data, text->used);
  am_buffer_free(c->ctx, text);
  return st ? st : cli_flush(err);
}

am_status cli_predicted_head(cli *c, const am_checkpoint *m, cli_format format, bool windows, bool thresholds,
                             am_error *err) {
  if (format != CLI_CSV) return AM_OK;
  am_buffer line = {0}, name = {0};
  am_csv_writer w = {.ctx = c->ctx, .out = &line};
  am_csv_put(&w, "file");
  if (windows) {
    am_csv_put(&w, "start");
    am_csv_put(&w, "end");
  }
  am_csv_put(&w, "label");
  for (int k = 0; k < m->classes; k++) {
    name.used = 0;
    am_buffer_printf(c->ctx, &name, "p_%s", m->labels[k]);
    if (!name.failed) am_csv_put(&w, name.data);
    else line.failed = true;
  }
  am_csv_put(&w, "reason");
  am_csv_put(&w, "seconds");
  am_csv_put(&w, "seconds_heard");
  if (thresholds) am_csv_put(&w, "top");
  am_csv_end_row(&w);
  am_buffer_free(c->ctx, &name);
  return print_buffer(c, &line, err);
}

/* The answer, or why there is none; and the most probable class where there is one. */
typedef struct said {
  const char *label, *reason, *top;
} said;

static am_status print_csv(cli *c, const am_checkpoint *m, const cli_predicted *row, const said *as, am_error *err) {
  am_buffer line = {0};
  am_csv_writer w = {.ctx = c->ctx, .out = &line};
  am_csv_put(&w, row->file);
  if (row->window) {
    am_csv_put_real(&w, row->start);
    am_csv_put_real(&w, row->end);
  }
  am_csv_put(&w, as->label ? as->label : "");
  for (int k = 0; k < m->classes; k++) {
    if (row->unheard) am_csv_put(&w, "");
    else am_csv_put_real(&w, am_float_decimal(row->p[k]));
  }
  am_csv_put(&w, as->reason ? as->reason : "");
  am_csv_put_real(&w, row->seconds);
  am_csv_put_real(&w, row->seconds_heard);
  if (row->thresholds) am_csv_put(&w, as->top ? as->top : "");
  am_csv_end_row(&w);
  return print_buffer(c, &line, err);
}

static am_status print_json(cli *c, const am_checkpoint *m, const cli_predicted *row, const said *as, am_error *err) {
  am_buffer line = {0};
  am_json j = am_json_begin(c->ctx, &line, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "file", row->file);
  if (row->window) {
    am_json_real(&j, "start", row->start);
    am_json_real(&j, "end", row->end);
  }
  am_json_text(&j, "label", as->label);
  am_json_open(&j, "probabilities", '{'); /* not a number is null */
  for (int k = 0; k < m->classes; k++) am_json_float(&j, m->labels[k], row->unheard ? NAN : row->p[k]);
  am_json_close(&j);
  am_json_text(&j, "reason", as->reason);
  am_json_real(&j, "seconds", row->seconds);
  am_json_real(&j, "seconds_heard", row->seconds_heard);
  if (row->thresholds) am_json_text(&j, "top", as->top);
  am_json_close(&j);
  am_buffer_append(c->ctx, &line, "\n", 1);
  return print_buffer(c, &line, err);
}

static am_status print_text(cli *c, const am_checkpoint *m, const cli_predicted *row, const said *as, am_error *err) {
  am_buffer line = {0};
  am_buffer_printf(c->ctx, &line, "%s", row->file);
  if (row->window) am_buffer_printf(c->ctx, &line, " %.2f-%.2f s", row->start, row->end);
  if (row->unheard) am_buffer_printf(c->ctx, &line, ": no label (%s)", as->reason);
  else am_buffer_printf(c->ctx, &line, ": %s", as->label ? as->label : as->reason);
  for (int k = 0; k < m->classes && !row->unheard; k++)
    am_buffer_printf(c->ctx, &line, "  %s %.1f%%", m->labels[k], 100 * (double)row->p[k]);
  if (!line.failed) {
    am_text_one_line(line.data);
    line.used = strlen(line.data);
  }
  am_buffer_append(c->ctx, &line, "\n", 1);
  return print_buffer(c, &line, err);
}

am_status cli_predicted_row(cli *c, const am_checkpoint *m, cli_format format, const cli_predicted *row,
                            am_error *err) {
  const bool sure = !row->thresholds || am_thresholds_decide(row->thresholds, row->p, m->classes) != AM_UNCERTAIN;
  said as = {.reason = row->unheard ? am_unheard_name(row->unheard) : sure ? NULL : "uncertain"};
  if (!row->unheard) as.top = m->labels[am_largest(row->p, m->classes)];
  if (!as.reason) as.label = as.top;
  if (format == CLI_JSON) return print_json(c, m, row, &as, err);
  if (format == CLI_CSV) return print_csv(c, m, row, &as, err);
  return print_text(c, m, row, &as, err);
}
