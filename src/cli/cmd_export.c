/* SPDX-License-Identifier: MIT */
/* cli/cmd_export.c - audiomood export: a checkpoint becomes a model of another program. */
#include "base/file.h"
#include "cli/cli.h"

/* The model that is given, and those of --with. */
static am_status find_models(cli *c, const am_exchange *format, const char *out, cli_paths *paths, am_error *err) {
  const char *with[CLI_MAX_FLAGS];
  const size_t n = cli_values(c, "with", with);
  am_status st;
  if (n && !format->several)
    return am_fail(err, AM_E_USAGE, "--with %s: a file of the format %s holds one model", with[0], format->is.name);
  if (format->several) st = cli_paths_add(c, c->arguments[0], paths, err);
  else if (!(st = cli_checkpoint_path(c, c->arguments[0], &paths->at[0], err))) paths->n = 1;
  for (size_t i = 0; i < n && !st; i++) st = cli_paths_add(c, with[i], paths, err);
  for (size_t i = 0; i < paths->n && !st; i++) st = cli_keep_input(out, paths->at[i], err);
  return st;
}

static am_status run(cli *c, am_error *err) {
  const char *out = cli_value(c, "out", NULL);
  const am_exchange *format;
  am_exchange_options options;
  cli_paths paths = {.n = 0};
  am_status st = cli_exchange_find(c, "to", out, &format, err);
  if (st) return st;
  if (!out) return am_fail(err, AM_E_USAGE, "wanted --out FILE, where the %s model goes", format->is.name);
  if (!format->export_to) return am_fail(err, AM_E_USAGE, "--to %s: only import reads it", format->is.name);
  st = cli_exchange_options(c, format, &options, err);
  if (!st) st = find_models(c, format, out, &paths, err);
  if (!st) am_file_clean_beside(c->ctx, out);
  if (!st) st = format->export_to(c->ctx, (const char *const *)paths.at, paths.n, &options, out, err);
  if (!st) cli_print("%s\n", out);
  cli_paths_free(c, &paths);
  return st;
}

static const am_option *own(const am_exchange *format) { return format->is.own; }

static const cli_flag flags[] = {
    {"to", "FORMAT", "one of the formats below; default: by the ending of FILE, else keras"},
    {"out", "FILE", "where the model goes; of Keras, NAME.keras is an archive and any other name HDF5"},
    {"with", "RUN|FILE.h5", "also this model (repeatable): the mean of all, where the format holds several"},
    {0},
};

const cli_command cli_export = {
    .name = "export",
    .summary = "turns a checkpoint into a model of Keras or ONNX, or into safetensors",
    .usage =
        "RUN|FILE.h5|CROSSVAL --to keras|onnx|safetensors --out MODEL [--with RUN|FILE.h5]... [--with-features] "
        "[--layout mel_time|time_mel] [--frames N] [--names audiomood|pytorch]",
    .details =
        "keras: an archive (.keras) or HDF5 file whose last layer is a softmax; the labels of its outputs are in the\n"
        "attribute audiomood_labels, licence and attribution in audiomood_licence and\n"
        "audiomood_attribution. Features, normalisation and thresholds are not part of it.\n"
        "onnx: a graph with normalisation, calibration and the fusion of several models, for clips of\n"
        "any length; with --with-features from samples on. Labels, thresholds, licence and what the\n"
        "features are stand in its metadata.\n"
        "safetensors: our own arrays with config, labels and normalisation, to be imported again, or with\n"
        "--names pytorch a state dict.\n"
        "Layers and features that a format lacks are refused by name.",
    .flags = flags,
    .own = own,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
