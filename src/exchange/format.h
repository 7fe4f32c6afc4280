/* SPDX-License-Identifier: MIT */
/* exchange/format.h - what a format of models of other programs is.  A new one is one file and one line of registry.c. */
#ifndef AM_FORMAT_H
#define AM_FORMAT_H

#include "base/file.h"
#include "base/option.h"
#include "exchange/describe.h"

/* Options of all formats; which of them a format has, its tables say. */
typedef struct am_exchange_options {
  int layout;         /* of 2-D inputs, a word of the format's */
  int64_t frames;     /* of a model for clips of any length: export it for clips of so many; 0: not said */
  bool with_features; /* the features are part of what is exported */
  int normalise;      /* who normalises features, a word of the format's */
  int voice;          /* which set of weights, likewise */
  int names;          /* of tensors, likewise */
  int sequence;       /* of frames that are made of a picture, likewise */
  const char *map;    /* a file that says what is called how; "": none */
} am_exchange_options;

/* What a file of another program does not hold. */
typedef struct am_import_source {
  const char *config; /* file with data and features; its model.layers, if any, are replaced by those of a file
                                 * that says its layers.  NULL: what the file itself has (am_exchange.config_inside) */
  const char *const *overrides; /* "key=value" */
  size_t n_overrides;
  const char *labels;     /* "calm,happy,...", the order of the model's outputs; NULL: data.labels */
  am_buffer *config_text; /* gets the effective config, with the imported layers; NULL: not wanted */
} am_import_source;

/* A row of the registry (registry.h). */
typedef struct am_exchange {
  am_variant is;               /* name; help; options of export_to, members of am_exchange_options */
  const am_option *import_own; /* and those of import_from */
  const char *ending;          /* of its files (".onnx"): those are of this format; NULL: none is its own */
  bool config_inside;          /* a file may hold a config */
  /* Checkpoints, mostly one, become the file `out`, which on failure is as it was; NULL: cannot.  Of several the mean of
   * their probabilities is meant, as predict takes it. */
  bool several; /* whether n may be more than 1 */
  am_status (*export_to)(am_context *ctx, const char *const *checkpoints, size_t n, const am_exchange_options *options,
                         const char *out, am_error *err);
  /* And `file` the checkpoint `out`, likewise. */
  am_status (*import_from)(am_context *ctx, const char *file, const am_import_source *source,
                           const am_exchange_options *options, const char *out, am_error *err);
  /* Whether a file is of this format, by its content; NULL: by its ending alone. */
  bool (*is_of)(am_context *ctx, const char *path);
  /* What a file holds, added to `d`, whether it can be imported or not. */
  am_status (*describe)(am_context *ctx, const char *path, am_described *d, am_error *err);
} am_exchange;

#endif
