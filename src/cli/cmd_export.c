/* cli/cmd_export.c - audiomood export: a checkpoint becomes a model of another program. */
#include "base/file.h"
#include "cli/cli.h"

static am_status run(cli *c, am_error *err) {
  const char *out = cli_value(c, "out", NULL);
  const am_exchange *format;
  am_exchange_options options;
  char *path = NULL;
  am_status st = cli_exchange_find(c, "to", &format, err);
  if (st) return st;
  if (!out) return am_fail(err, AM_E_USAGE, "wanted --out FILE, where the %s model goes", format->is.name);
  if (!format->export_to) return am_fail(err, AM_E_USAGE, "--to %s: only import reads it", format->is.name);
  st = cli_exchange_options(c, format, &options, err);
  if (!st) st = cli_checkpoint_path(c, c->arguments[0], &path, err);
  if (!st) st = cli_keep_input(out, path, err);
  if (!st) am_file_clean_beside(c->ctx, out);
  if (!st) st = format->export_to(c->ctx, path, &options, out, err);
  if (!st) cli_print("%s\n", out);
  am_free(c->ctx, path);
  return st;
}

static const am_option *own(const am_exchange *format) { return format->is.own; }

static const cli_flag flags[] = {
    {"to", "FORMAT", "one of the formats below; default keras"},
    {"out", "FILE.h5", "where the model goes"},
    {0},
};

const cli_command cli_export = {
    .name = "export",
    .summary = "turns a checkpoint into a Keras model (HDF5)",
    .usage = "RUN|FILE.h5 --to keras --out MODEL.h5 [--layout mel_time|time_mel] [--frames N]",
    .details =
        "Its last layer is a softmax; the labels of its outputs are in the attribute\n"
        "audiomood_labels, licence and attribution in audiomood_licence and audiomood_attribution.\n"
        "Features, normalisation and thresholds are not part of it. Layers that Keras lacks are\n"
        "refused by name.",
    .flags = flags,
    .own = own,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
