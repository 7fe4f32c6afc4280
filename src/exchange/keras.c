/* SPDX-License-Identifier: MIT */
/* exchange/keras.c - the row of Keras among the formats. */
#include "exchange/keras.h"

#define LAYOUT \
  { \
    "layout", AM_OPT_CHOICE, offsetof(am_exchange_options, layout), "mel_time", 0, 0, AM_WORDS(AM_KERAS_LAYOUTS), \
        "of 2-D inputs: mel_time (mel, frames, 1) or time_mel (frames, mel, 1); default mel_time" \
  }

static const am_option import_table[] = {LAYOUT, AM_OPTION_END};
static const am_option export_table[] = {
    LAYOUT,
    {"frames", AM_OPT_INT, offsetof(am_exchange_options, frames), "0", 1, INT32_MAX, NULL,
     "of a model for clips of any length: export it for clips of N frames"},
    AM_OPTION_END};

static am_status export_one(am_context *ctx, const char *const *checkpoints, size_t n,
                            const am_exchange_options *options, const char *out, am_error *err) {
  if (n != 1) return am_fail(err, AM_E_USAGE, "%zu models; a Keras model is made of one", n);
  return am_keras_export(ctx, checkpoints[0], options, out, err);
}

const am_exchange am_exchange_keras = {
    .is = {"keras", "archives (.keras) and HDF5 that Keras 2 and 3 load", export_table},
    .import_own = import_table,
    .export_to = export_one,
    .import_from = am_keras_import,
    .is_of = am_keras_is_of,
    .describe = am_keras_describe,
};
