/* cli/cmd_export.c - audiomood export: a checkpoint becomes a Keras model. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "exchange/keras.h"

static am_status run(cli *c, am_error *err) {
  const char *out = cli_value(c, "out", NULL), *to = cli_value(c, "to", "keras");
  if (strcmp(to, "keras")) return am_fail(err, AM_E_USAGE, "--to %s: wanted keras", to);
  if (!out) return am_fail(err, AM_E_USAGE, "wanted --out FILE.h5, where the Keras model goes");
  am_keras_export_options options = {0};
  int64_t frames;
  char *path = NULL;
  am_status st = cli_keras_layout(c, &options.layout, err);
  if (!st) st = cli_int(c, "frames", 1, INT32_MAX, 0, &frames, err);
  if (!st) st = cli_checkpoint_path(c, c->arguments[0], &path, err);
  if (!st) st = cli_keep_input(out, path, err);
  if (!st) am_file_clean_beside(c->ctx, out);
  if (!st) {
    options.frames = (int)frames;
    st = am_keras_export(c->ctx, path, &options, out, err);
  }
  if (!st) cli_print("%s\n", out);
  am_free(c->ctx, path);
  return st;
}

static const cli_flag flags[] = {
    {"to", "FORMAT", "keras: HDF5 that Keras 2 and 3 load"},
    {"out", "FILE.h5", "where the model goes"},
    {"layout", "LAYOUT",
     "of 2-D inputs: mel_time (mel, frames, 1) or time_mel (frames, mel, 1); default mel_time"},
    {"frames", "N", "of a model for clips of any length: export it for clips of N frames"},
    {0},
};

const cli_command cli_export = {
    .name = "export",
    .summary = "turns a checkpoint into a Keras model (HDF5)",
    .usage = "RUN|FILE.h5 --to keras --out MODEL.h5 [--layout mel_time|time_mel] [--frames N]",
    .details = "Its last layer is a softmax; the labels of its outputs stand in the attribute\n"
               "audiomood_labels. Features and normalisation are not part of it. Layers that Keras lacks are refused\n"
               "by name.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
