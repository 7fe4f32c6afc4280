/* SPDX-License-Identifier: MIT */
/* serve/network.c - libwebsockets is loaded when there is something to serve. */
#include <pthread.h>
#include <stdio.h>

#include "base/soname_websockets.h"
#include "serve/serve.h"
#include "serve/server.h"

am_lws am_network;

am_status am_network_load(am_error *err) {
  static const char *const names[] = {LWS_CALLS(AM_LIBRARY_NAME) NULL};
  static const am_library websockets = {AM_SONAME_WEBSOCKETS, names};
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static bool there; /* then it is only read, by servers of any thread */
  pthread_mutex_lock(&lock);
  const am_status status = there ? AM_OK : am_library_load(&websockets, 1, &am_network, sizeof am_network, err);
  there = !status;
  pthread_mutex_unlock(&lock);
  return status ? am_error_prefix(err, "the server needs libwebsockets") : AM_OK;
}

am_status am_serve_library(char *out, size_t room, am_error *err) {
  const am_status status = am_network_load(err);
  if (!status) snprintf(out, room, "%s", am_network.lws_get_library_version());
  return status;
}
