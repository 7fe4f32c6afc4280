/* SPDX-License-Identifier: MIT */
/* serve/facts.h - what the server says of itself: /v1/model, /health, /metrics. */
#ifndef AM_FACTS_OF_SERVER_H
#define AM_FACTS_OF_SERVER_H

#include "model/share.h"
#include "serve/reply.h"

enum { AM_COUNT_STATUS = 16 };

/* Counted by the loop alone. */
typedef struct am_counts {
  struct {
    int status;
    uint64_t n;
  } answered[AM_COUNT_STATUS];      /* by HTTP status */
  uint64_t streams, streams_failed; /* that began; that ended with an error */
  uint64_t bytes_in;
  double seconds; /* of sound heard */
  /* now */
  size_t uploads, waiting, sessions, connections;
  bool stopping;
  double began; /* am_now */
} am_counts;

void am_counts_answered(am_counts *c, int status);
void am_facts_model(const am_ensemble *model, am_reply *out);
void am_facts_health(am_context *ctx, const am_counts *c, am_reply *out);
void am_facts_metrics(am_context *ctx, const am_counts *c, am_reply *out);

#endif
