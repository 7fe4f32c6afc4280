/* SPDX-License-Identifier: MIT */
/* model/stream.h - the streaming engine (audiomood/stream.h), for what is checked already. */
#ifndef AM_STREAM_H
#define AM_STREAM_H

#include "audiomood/stream.h"

/* As am_stream_create, of options that are all set: any window and hop of at least a sample. */
am_status am_stream_open(am_ensemble *ensemble, const am_stream_options *options, am_stream_fn each, void *user,
                         am_stream **out, am_error *err);

/* ---- stream_voice.c: what the models of an ensemble know of one voice ---- */

typedef struct am_stream_voice am_stream_voice;
/* For those that use it; *out NULL: none does. */
am_status am_stream_voice_create(am_ensemble *ensemble, double seconds, am_stream_voice **out, am_error *err);
void am_stream_voice_free(am_stream_voice *v);
/* n samples at the ensemble's rate were of the voice. */
am_status am_stream_voice_add(am_stream_voice *v, const float *samples, size_t n, am_error *err);
/* The models are about to hear a stretch. */
am_status am_stream_voice_use(am_stream_voice *v, const float *samples, size_t n, am_error *err);

#endif
