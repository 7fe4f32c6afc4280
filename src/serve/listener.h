/* SPDX-License-Identifier: MIT */
/* serve/listener.h - a client's sound on its way through the engine: stream, segmenter, and what is shown of them. */
#ifndef AM_LISTENER_H
#define AM_LISTENER_H

#include "model/share.h"
#include "serve/settings.h"
#include "subtitle/event.h"

/* Both may be NULL.  Called within push and end. */
typedef struct am_listener_tell {
  void (*event)(void *user, const am_event_teller *teller, const am_stream_event *event);
  void (*segment)(void *user, const am_segment_row *row);
  void *user;
} am_listener_tell;

typedef struct am_listener am_listener;
/* `model` outlives it and is shared (am_ensemble_share); from any thread. */
am_status am_listener_create(const am_ensemble *model, const am_hear_settings *settings, const am_listener_tell *tell,
                             am_listener **out, am_error *err);
void am_listener_free(am_listener *l); /* NULL is allowed */
/* One thread at a time, with its ears; as am_stream_push and _end. */
am_status am_listener_push(am_listener *l, am_ears *ears, const float *samples, size_t n, double rate, am_error *err);
am_status am_listener_end(am_listener *l, am_ears *ears, am_error *err);
double am_listener_seconds(const am_listener *l);

#endif
