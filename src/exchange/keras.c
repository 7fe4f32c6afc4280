/* exchange/keras.c - the row of Keras among the formats. */
#include "exchange/keras.h"

#include "exchange/format.h"

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

static am_status export_model(am_context *ctx, const char *checkpoint, const am_exchange_options *o, const char *out,
                              am_error *err) {
  const am_keras_export_options keras = {.layout = o->layout, .frames = (int)o->frames};
  return am_keras_export(ctx, checkpoint, &keras, out, err);
}

static am_status import_model(am_context *ctx, const char *file, const am_import_source *s,
                              const am_exchange_options *o, const char *out, am_error *err) {
  const am_keras_import_options keras = {.config = s->config,
                                         .overrides = s->overrides,
                                         .n_overrides = s->n_overrides,
                                         .labels = s->labels,
                                         .layout = o->layout,
                                         .config_text = s->config_text};
  return am_keras_import(ctx, file, &keras, out, err);
}

const am_exchange am_exchange_keras = {
    .is = {"keras", "HDF5 that Keras 2 and 3 load", export_table},
    .import_own = import_table,
    .export_to = export_model,
    .import_from = import_model,
};
