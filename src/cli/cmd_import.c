/* cli/cmd_import.c - audiomood import: a Keras model becomes a checkpoint. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "exchange/keras.h"
#include "model/origin.h"

/* --save-config: the effective config, with the imported layers, to train on with --init. */
static am_status save_config(cli *c, const char *checkpoint, const char *path, am_error *err) {
  am_origin origin;
  am_status st = am_checkpoint_origin(c->ctx, checkpoint, &origin, err);
  if (!st) st = am_file_write(c->ctx, path, origin.config, strlen(origin.config), err);
  am_origin_free(c->ctx, &origin);
  return st;
}

am_status cli_keras_layout(const cli *c, int *out, am_error *err) {
  const char *word = cli_value(c, "layout", "mel_time");
  *out = am_choice_index(AM_WORDS(AM_KERAS_LAYOUTS), word);
  if (*out >= 0) return AM_OK;
  return am_fail(err, AM_E_USAGE, "--layout %s: wanted mel_time or time_mel", word);
}

static am_status run(cli *c, am_error *err) {
  const char *out = cli_value(c, "out", NULL), *config_out = cli_value(c, "save-config", NULL);
  am_keras_import_options options = {.config = cli_value(c, "config", NULL),
                                     .labels = cli_value(c, "labels", NULL)};
  if (!options.config)
    return am_fail(err, AM_E_USAGE,
                   "wanted --config FEATURES.yaml: a Keras model does not hold its features and labels");
  if (!out) return am_fail(err, AM_E_USAGE, "wanted --out FILE.h5, where the checkpoint goes");
  cli_overrides over;
  am_status st = cli_overrides_get(c, &over, err);
  if (!st) st = cli_keras_layout(c, &options.layout, err);
  if (st) return st;
  st = cli_keep_input(out, c->arguments[0], err);
  if (st) return st;
  am_file_clean_beside(c->ctx, out);
  options.overrides = over.at;
  options.n_overrides = over.n;
  st = am_keras_import(c->ctx, c->arguments[0], &options, out, err);
  if (!st && config_out) st = save_config(c, out, config_out, err);
  if (!st) cli_print("%s\n", out);
  return st;
}

static const cli_flag flags[] = {
    {"config", "FEATURES.yaml",
     "data, split, features and training; its model.layers are replaced by the file's"},
    {"out", "FILE.h5", "where the checkpoint goes"},
    {"labels", "A,B,...", "the model's outputs in order (default: data.labels of the config)"},
    {"layout", "LAYOUT",
     "of 2-D inputs: mel_time (mel, frames, 1) or time_mel (frames, mel, 1); default mel_time"},
    {"save-config", "FILE.yaml", "also writes the config with the imported layers, for train --init"},
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {0},
};

const cli_command cli_import = {
    .name = "import",
    .summary = "turns a Keras model (HDF5) into a checkpoint",
    .usage = "MODEL.h5 --config FEATURES.yaml --out FILE.h5 [--labels A,B,...] [--layout mel_time|time_mel]",
    .details = "Reads a Sequential model, or a Functional one that is a chain, that Keras saved as HDF5. Layers and options that cannot be\n"
               "carried over exactly are refused by name. The checkpoint evaluates, predicts, and starts\n"
               "trainings (train --init).",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
