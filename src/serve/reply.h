/* SPDX-License-Identifier: MIT */
/* serve/reply.h - what a request is answered with: a status, a type and a body in memory. */
#ifndef AM_REPLY_H
#define AM_REPLY_H

#include "base/base.h"

typedef struct am_reply {
  int status;        /* of HTTP */
  const char *type;  /* of its content */
  int retry_after;   /* s; 0: not told */
  const char *allow; /* of 405 */
  double seconds;    /* of sound that was heard for it */
  am_buffer body;
} am_reply;

/* Its body becomes {"error": {"code": ..., "message": ...}}; what it held is gone. */
void am_reply_fail(am_context *ctx, am_reply *reply, int status, const char *code, const char *format, ...)
    AM_PRINTF(5, 6);
void am_reply_free(am_context *ctx, am_reply *reply);

#endif
