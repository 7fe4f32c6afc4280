/* SPDX-License-Identifier: MIT */
/* cli/cmd_import.c - audiomood import: a model of another program becomes a checkpoint. */
#include "base/file.h"
#include "cli/cli.h"

static am_status run(cli *c, am_error *err) {
  const char *out = cli_value(c, "out", NULL), *config_out = cli_value(c, "save-config", NULL);
  am_import_source source = {.config = cli_value(c, "config", NULL), .labels = cli_value(c, "labels", NULL)};
  const am_exchange *format;
  am_exchange_options options;
  am_status st = cli_exchange_find(c, "from", c->arguments[0], &format, err);
  if (st) return st;
  if (!source.config && !format->config_inside)
    return am_fail(err, AM_E_USAGE,
                   "wanted --config FEATURES.yaml: models of other programs do not hold their features and labels");
  if (!out) return am_fail(err, AM_E_USAGE, "wanted --out FILE.h5, where the checkpoint goes");
  cli_overrides over;
  st = cli_overrides_get(c, &over, err);
  if (!st && !format->import_from) st = am_fail(err, AM_E_USAGE, "--from %s: only export writes it", format->is.name);
  if (!st) st = cli_exchange_options(c, format, &options, err);
  if (st) return st;
  st = cli_keep_input(out, c->arguments[0], err);
  if (st) return st;
  am_file_clean_beside(c->ctx, out);
  source.overrides = over.at;
  source.n_overrides = over.n;
  am_buffer text = {0};
  if (config_out) source.config_text = &text; /* to train on with --init */
  st = format->import_from(c->ctx, c->arguments[0], &source, &options, out, err);
  if (!st && config_out) st = am_file_write(c->ctx, config_out, text.data, text.used, err);
  am_buffer_free(c->ctx, &text);
  if (!st) cli_print("%s\n", out);
  return st;
}

static const am_option *own(const am_exchange *format) { return format->import_own; }

static const cli_flag flags[] = {
    {"config", "FEATURES.yaml",
     "data, split, features and training; its model.layers are replaced by the file's, if it has some"},
    {"out", "FILE.h5", "where the checkpoint goes"},
    {"labels", "A,B,...", "the model's outputs in order (default: data.labels of the config)"},
    {"from", "FORMAT", "one of the formats below; default by the ending of the file, else keras"},
    {"save-config", "FILE.yaml", "also writes the config with the imported layers, for train --init"},
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {0},
};

const cli_command cli_import = {
    .name = "import",
    .summary = "turns a model of Keras (.keras or .h5), ONNX or PyTorch (safetensors) into a checkpoint",
    .usage =
        "MODEL.keras|MODEL.h5|MODEL.onnx|MODEL.safetensors --config FEATURES.yaml --out FILE.h5 [--labels A,B,...] "
        "[--layout WORD] [--map NAMES.yaml]",
    .details =
        "Reads a Sequential model, or a Functional one that is a chain with branches, that Keras saved as an archive "
        "or as HDF5;\n"
        "models that PyTorch, tf2onnx and others wrote as ONNX; and state dicts of PyTorch as safetensors, into the "
        "layers of the\n"
        "config. Layers and options that cannot be carried over exactly are refused by name. The safetensors that "
        "export wrote\n"
        "need no config. The checkpoint evaluates, predicts, and starts\n"
        "trainings (train --init).",
    .flags = flags,
    .own = own,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
