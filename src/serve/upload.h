/* SPDX-License-Identifier: MIT */
/* serve/upload.h - a recording that a client posted: from the body of its form to the answer. */
#ifndef AM_UPLOAD_H
#define AM_UPLOAD_H

#include <stdatomic.h>

#include "serve/crew.h"
#include "serve/multipart.h"
#include "serve/reply.h"

/* What bounds the work for one. */
typedef struct am_upload_limits {
  double max_seconds; /* of sound */
  double deadline;    /* s of work */
  bool learn_voice;   /* the default */
} am_upload_limits;

/* The answer to a body, by this thread's ears.  `cancelled` (or NULL) ends the work soon after it becomes true. */
void am_upload_answer(const am_ensemble *model, am_ears *ears, const char *body, size_t bytes, const char *boundary,
                      const am_upload_limits *limits, const atomic_bool *cancelled, am_reply *out);

/* The same as a task of a crew.  The body's memory (of the model's context) is the upload's, also after a failure.  `done` is called by
 * the thread of the crew when the reply is there. */
typedef struct am_upload am_upload;
typedef struct am_upload_notice {
  void (*done)(void *user);
  void *user;
} am_upload_notice;
am_status am_upload_create(const am_ensemble *model, am_buffer *body, const char boundary[AM_BOUNDARY],
                           const am_upload_limits *limits, am_upload_notice notice, am_upload **out, am_error *err);
void am_upload_begin(am_upload *u, am_crew *crew);
/* NULL while it is being made; then it stays the upload's. */
am_reply *am_upload_reply(am_upload *u);
/* By whoever created it; work that goes on ends soon. */
void am_upload_release(am_upload *u);

#endif
