/* SPDX-License-Identifier: MIT */
/* serve/serve.h - the server: HTTP and WebSocket over the streaming engine (docs/serve.md). */
#ifndef AM_SERVE_H
#define AM_SERVE_H

#include "audiomood/stream.h"

typedef struct am_serve_options {
  const char *host;         /* a name or an address */
  int port;                 /* 0: any that is free */
  const char *const *names; /* (n_names) further names that clients may call it by */
  size_t n_names;
  int threads;        /* that hear, for streams and for uploads each */
  size_t max_body;    /* bytes of a request */
  double max_seconds; /* of sound in an upload */
  int sessions;       /* streams at a time */
  int per_client;     /* streams, and uploads, of one address at a time */
  double deadline;    /* s that a client may take for what is due */
  double work;        /* s that an upload may take to be heard */
  double grace;       /* s that requests under way have when the server stops */
  bool learn_voice;   /* where a client does not say */
} am_serve_options;
extern const am_serve_options am_serve_defaults;

typedef struct am_serve_caller {
  void (*listening)(void *user, const char *url);
  bool (*stop)(void *user); /* asked several times a second */
  void *user;
} am_serve_caller;

/* Whether an address, or localhost, is reached from this machine alone. */
bool am_serve_is_local(const char *host);
/* Serves until it is asked to stop.  The ensemble's context is the server's alone: its threads use it side by side.
 * AM_E_IO: it cannot listen there; AM_E_UNSUPPORTED: a build without the library. */
am_status am_serve(am_ensemble *model, const am_serve_options *options, const am_serve_caller *caller, am_error *err);

/* Version of libwebsockets, which is loaded by this. AM_E_UNSUPPORTED: it is missing, here or in the build. */
am_status am_serve_library(char *out, size_t room, am_error *err);

#endif
