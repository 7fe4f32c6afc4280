/* cli/team.c - models that are asked together: the one given first, and those of --with. */
#include <string.h>

#include "cli/cli.h"

/* They must name the same emotions in the same order. */
static am_status check_classes(const am_checkpoint *first, const am_checkpoint *m, const char *path, am_error *err) {
  bool same = m->classes == first->classes;
  for (int k = 0; k < m->classes && same; k++) same = strcmp(m->labels[k], first->labels[k]) == 0;
  if (same) return AM_OK;
  return am_fail(err, AM_E_USAGE, "--with %s: it has other classes (%s, ... of %d) than the first model (%s, ... of %d)", path,
                 m->labels[0], m->classes, first->labels[0], first->classes);
}

static am_status add_model(cli *c, cli_team *team, const char *run_or_file, am_error *err) {
  size_t i = team->n++;
  team->given[i] = run_or_file;
  am_status st = cli_checkpoint_path(c, run_or_file, &team->path[i], err);
  if (!st) st = am_checkpoint_load(c->ctx, team->path[i], &team->at[i], err);
  return st ? st : check_classes(team->at[0], team->at[i], run_or_file, err);
}

am_status cli_team_load(cli *c, cli_team *team, am_error *err) {
  const char *with[CLI_MAX_FLAGS];
  size_t n = cli_values(c, "with", with);
  *team = (cli_team){0};
  am_status st = add_model(c, team, c->arguments[0], err);
  for (size_t i = 0; i < n && !st; i++) st = add_model(c, team, with[i], err);
  return st;
}

void cli_team_free(cli *c, cli_team *team) {
  for (size_t i = 0; i < team->n; i++) {
    am_checkpoint_free(c->ctx, team->at[i]);
    am_free(c->ctx, team->path[i]);
  }
  team->n = 0;
}
