/* SPDX-License-Identifier: MIT */
/* serve/guard.h - who may ask: names that the server answers to, and pages of other sites. */
#ifndef AM_GUARD_H
#define AM_GUARD_H

#include "base/base.h"

/* Whether a Host header names this server: an address, localhost, the machine's name, `own`, or one of `names`.  A page of another
 * site whose name was pointed at this address (DNS rebinding) has none of these. */
bool am_guard_host(const char *host, const char *own, const char *const *names, size_t n);
/* Whether an Origin header is of a page of this server: the same name and port as the Host header. */
bool am_guard_origin(const char *origin, const char *host);
/* Whether an address is reached from this machine alone. */
bool am_guard_loopback(const char *address);

#endif
