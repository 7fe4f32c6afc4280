/* SPDX-License-Identifier: MIT */
/* serve/live.h - a stream of one client: messages in, events out, the work done by a crew.
 *
 * The loop gives it pieces of messages and takes lines of JSON; it never waits for the engine.  First comes a text, the settings; then
 * samples (16 bits, signed, little-endian, mono) in binary messages of any length; then {"end": true}.  What goes wrong is told as an
 * event with a name, and ends it. */
#ifndef AM_LIVE_H
#define AM_LIVE_H

#include "serve/crew.h"

enum {
  AM_LIVE_TEXT = 4096,       /* bytes of a text message */
  AM_LIVE_MESSAGE = 1 << 20, /* and of samples */
  AM_LIVE_INBOX = 1 << 20,   /* unheard bytes from which on no more is read for a while */
  AM_LIVE_OUTBOX = 1 << 20   /* unsent bytes from which on a client is too slow */
};

/* Close codes of RFC 6455. */
enum {
  AM_CLOSE_DONE = 1000,
  AM_CLOSE_AWAY = 1001,
  AM_CLOSE_KIND = 1003,
  AM_CLOSE_POLICY = 1008,
  AM_CLOSE_LARGE = 1009,
  AM_CLOSE_FAILED = 1011,
  AM_CLOSE_LATER = 1013
};

typedef struct am_live am_live;
typedef struct am_live_options {
  bool learn_voice;            /* the default */
  void (*changed)(void *user); /* called by threads of the crew when there is something to send */
  void *user;
} am_live_options;

am_status am_live_create(const am_ensemble *model, am_crew *crew, const am_live_options *options, am_live **out,
                         am_error *err);
/* By the loop; work that goes on ends soon.  NULL is allowed. */
void am_live_release(am_live *l);

/* A piece of a message, in order.  false: read no more until am_live_hungry. */
bool am_live_receive(am_live *l, const char *data, size_t bytes, bool binary, bool final);
bool am_live_hungry(am_live *l);
/* Ends it for a reason of the loop's: an event, and a close code. */
void am_live_fail(am_live *l, int close, const char *code, const char *message);
/* As if the client had sent {"end": true}, of a server that stops: what is open is told first. */
void am_live_finish(am_live *l);
/* The next line, without its newline, behind `before` bytes in out (which is emptied first); false: there is none now. */
bool am_live_next(am_live *l, size_t before, am_buffer *out);
/* Not 0: all is sent, and it is to be closed by this code. */
int am_live_closing(am_live *l);
/* Samples heard so far, s; and whether some are being heard: then it is not the client who keeps others waiting. */
double am_live_seconds(am_live *l);
bool am_live_works(am_live *l);

#endif
