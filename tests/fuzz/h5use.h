/* SPDX-License-Identifier: MIT */
/* tests/fuzz/h5use.h - what the targets that read models from HDF5 do with one that loads: it predicts a short sound, evaluates
 * a tiny corpus and goes out to Keras.  Each of these may fail, and then says why (fuzz_check). */
#ifndef AM_FUZZ_H5USE_H
#define AM_FUZZ_H5USE_H

#include "exchange/describe.h"
#include "fuzz/fuzz.h"
#include "model/checkpoint.h"

/* Makes "<folder>/corpus" once a process: short clips of these labels by four speakers, named s<speaker>_<label>_<take>.wav. */
void h5use_corpus(am_context *ctx, const char *const *labels, int n);
/* A config of this kind may rightly ask for minutes of Fourier transforms. */
bool h5use_takes_long(const am_feature_options *o);
/* The checkpoint's config for the corpus that was made, a few steps of it; NULL when that cannot be. am_config_free(). */
am_config *h5use_config(am_context *ctx, const am_checkpoint *c);
void h5use_predict(am_context *ctx, am_checkpoint *c);
/* `config`: of h5use_config. */
void h5use_evaluate(am_context *ctx, am_checkpoint *c, const am_config *config);
/* The checkpoint, which came from this path, as "<folder>/exported.h5"; whether it could be. */
bool h5use_export(am_context *ctx, const am_checkpoint *c, const char *path);
/* What `inspect` does with a model of another program: the row's `describe`. */
void h5use_describe(am_context *ctx,
                    am_status (*describe)(am_context *ctx, const char *path, am_described *d, am_error *err),
                    const char *path);

#endif
