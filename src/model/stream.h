/* model/stream.h - the streaming engine (audiomood/stream.h), for what is checked already. */
#ifndef AM_STREAM_H
#define AM_STREAM_H

#include "audiomood/stream.h"

/* As am_stream_create, of options that are all set: any window and hop of at least a sample. */
am_status am_stream_open(am_ensemble *ensemble, const am_stream_options *options, am_stream_fn each, void *user,
                         am_stream **out, am_error *err);

#endif
