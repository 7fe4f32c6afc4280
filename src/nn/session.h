/* SPDX-License-Identifier: MIT */
/* nn/session.h - inside of a session: times, tensors and gradients, for profiles, tests and to find the first layer that went
 * NaN; and the embedding, for further losses. */
#ifndef AM_SESSION_H
#define AM_SESSION_H

#include "nn/layer.h"

/* am_session_create, where groups (groups.h) have `group` clips: a part of a batch has the groups of the whole. */
am_status am_session_create_grouped(am_model *model, int max_batch, int group, bool training, am_session **out,
                                    am_error *err);

/* The clips of a batch are shared with other processes: layers that sum over all of them have `join` add those of the others
 * to n numbers of theirs, in training.  A part of a batch may be empty. */
typedef void (*am_join_fn)(void *arg, double *values, size_t n);
/* In a backward pass: these gradients of weights, next to one another in am_session_gradients, are all that the pass adds. */
typedef void (*am_ready_fn)(void *arg, am_real *gradients, size_t n);
void am_session_share(am_session *session, am_join_fn join, am_ready_fn ready, void *arg);

/* Per-step time, for --profile: seconds and calls since profiling was turned on. Fused steps are booked at
 * the first of them. */
typedef struct am_step_time {
  double forward, backward;
  uint64_t calls;
} am_step_time;
void am_session_profile(am_session *session, bool on);
const am_step_time *am_session_times(const am_session *session);
/* Value and gradient of tensor `number` in a training session after forward/backward
 * (tests, and to find the first layer that went NaN). NULL where the plan does not keep it. */
const am_real *am_session_tensor(const am_session *session, int number);
const int *am_session_lengths(const am_session *session, int number);
const am_real *am_session_tensor_gradient(const am_session *session, int number);
am_real *am_session_input_gradient(am_session *session); /* (B, input), only after am_session_want_input_gradient */
void am_session_want_input_gradient(am_session *session, bool on);

/* ---- losses beside that of the logits, on the embedding (am_model_embedding) ---- */

/* It, of the last forward in training: (B, width), until its backward. */
const am_real *am_session_embedding(const am_session *session);
/* am_session_backward, of a loss that reads the embedding as well: dembedding (B, width) is its gradient by that; NULL: none. */
am_status am_session_backward_with(am_session *session, const am_real *dlogits, const am_real *dembedding,
                                   am_error *err);

#endif
