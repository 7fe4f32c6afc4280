/* SPDX-License-Identifier: MIT */
/* cli/ranks.c - a command that several processes run as one. */
#include <limits.h>
#include <stdio.h>

#include "ranks/ranks.h"

#include "cli/cli.h"

/* Of what all say alike one is enough. */
am_status cli_ranks_join(cli *c, const char *doing, am_error *err) {
  am_ranks *ranks;
  am_status st = am_ranks_join(c->ctx, &ranks, err);
  if (st && !am_ranks_started_first()) c->silent = true;
  if (st || !ranks) return st;
  am_context_set_ranks(c->ctx, ranks);
  cli_sink_follow(!am_ranks_first(ranks));
  if (am_ranks_first(ranks))
    am_log(c->ctx, AM_LOG_INFO, "%d processes %s (%s)", am_ranks_size(ranks), doing, am_ranks_library(ranks));
  return AM_OK;
}

am_status cli_ranks_folder_make(cli *c, const char *name, const char *kind, cli_run_folder *made, char **path,
                                am_error *err) {
  am_ranks *ranks = am_context_ranks(c->ctx);
  am_status st = am_ranks_first(ranks) ? cli_run_folder_make(c, name, kind, made, err) : AM_OK;
  if (st) return st;
  char text[PATH_MAX] = "";
  if (made->path) snprintf(text, sizeof text, "%s", made->path);
  st = am_ranks_broadcast(ranks, text, sizeof text, err);
  if (!st && !(*path = am_format(c->ctx, "%s", text))) st = am_no_memory(err);
  return st;
}

am_status cli_ranks_leave(cli *c, am_status st, am_error *err) {
  am_ranks *ranks = am_context_ranks(c->ctx);
  if (!ranks) return st;
  am_error own = *err; /* of a stop: what this process says of what it saved */
  c->silent = !am_ranks_first(ranks);
  am_status all = am_ranks_leave(ranks, st, err);
  if (st == AM_E_STOPPED && all == AM_E_STOPPED) *err = own;
  c->ranks = ranks;
  am_context_set_ranks(c->ctx, NULL);
  return all;
}
