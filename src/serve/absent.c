/* SPDX-License-Identifier: MIT */
/* serve/absent.c - what the command says of serving in a build without it (option `serve`). */
#include <string.h>

#include "base/base.h"
#include "serve/serve.h"

const am_serve_options am_serve_defaults = {.host = "127.0.0.1", .port = 8080, .threads = 1};

bool am_serve_is_local(const char *host) { return !strcmp(host, "localhost"); }

static am_status left_out(am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED,
                 "the server was left out when this program was built; with libwebsockets installed (Debian: "
                 "libwebsockets-dev), build it again after: meson setup --reconfigure -Dserve=enabled BUILD-FOLDER");
}

am_status am_serve_library(char *out, size_t room, am_error *err) {
  (void)out, (void)room;
  return left_out(err);
}

am_status am_serve(am_ensemble *model, const am_serve_options *options, const am_serve_caller *caller, am_error *err) {
  (void)model, (void)options, (void)caller;
  return left_out(err);
}
