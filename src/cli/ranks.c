/* cli/ranks.c - a command that several processes run as one. */
#include "ranks/ranks.h"

#include "cli/cli.h"

/* Of what all say alike one is enough. */
am_status cli_ranks_join(cli *c, am_error *err) {
  am_ranks *ranks;
  am_status st = am_ranks_join(c->ctx, &ranks, err);
  if (st && !am_ranks_started_first()) c->silent = true;
  if (st || !ranks) return st;
  am_context_set_ranks(c->ctx, ranks);
  cli_sink_follow(!am_ranks_first(ranks));
  if (am_ranks_first(ranks))
    am_log(c->ctx, AM_LOG_INFO, "%d processes train together (%s)", am_ranks_size(ranks), am_ranks_library(ranks));
  return AM_OK;
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
