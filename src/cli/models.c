/* cli/models.c - models that are asked together: the one given first, and those of --with. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "run/folder.h"

static am_status add_file(cli *c, cli_models *team, const char *given, const char *path, am_error *err) {
  size_t i = team->n;
  if (i == CLI_MAX_FLAGS + 1) return am_fail(err, AM_E_USAGE, "more than %d models", CLI_MAX_FLAGS + 1);
  team->n++;
  team->given[i] = given;
  team->path[i] = am_strdup(c->ctx, path);
  am_status st = team->path[i] ? am_checkpoint_load(c->ctx, path, &team->at[i], err) : am_no_memory(err);
  char *name = st ? NULL : am_format(c->ctx, "--with %s", given);
  if (!st) st = name ? am_ensemble_add(team->ensemble, team->at[i], name, err) : am_no_memory(err);
  am_free(c->ctx, name);
  return st;
}

/* The runs of a cross-validation that have a model: fold-K, or seed-S/fold-K. */
static am_status add_folds(cli *c, cli_models *team, const char *given, const char *folder, int depth, am_error *err) {
  am_names names;
  am_status st = am_folder_list(c->ctx, folder, &names, err);
  if (st) return st;
  for (size_t i = 0; i < names.n && !st; i++) {
    bool fold = !strncmp(names.at[i], "fold-", 5), seed = !depth && !strncmp(names.at[i], "seed-", 5);
    char *path = fold || seed ? am_path_join(c->ctx, folder, names.at[i]) : NULL;
    char *best = fold && path ? am_run_file_path(c->ctx, path, AM_FILE_BEST) : NULL;
    if ((fold || seed) && (!path || (fold && !best))) st = am_no_memory(err);
    else if (seed && am_folder_exists(path)) st = add_folds(c, team, given, path, 1, err);
    else if (fold && am_file_exists(best)) st = add_file(c, team, given, best, err);
    am_free(c->ctx, best);
    am_free(c->ctx, path);
  }
  am_names_free(c->ctx, &names);
  return st;
}

/* A run, a file, or a cross-validation, which is all of its models together. */
static am_status add_models(cli *c, cli_models *team, const char *given, am_error *err) {
  if (cli_is_crossval(c, given)) {
    size_t before = team->n;
    am_status st = add_folds(c, team, given, given, 0, err);
    if (!st && team->n == before)
      st = am_fail(err, AM_E_IO, "%s: none of the folds of this cross-validation has a best.h5 yet", given);
    if (!st) am_log(c->ctx, AM_LOG_INFO, "%s: the mean of the models of its %zu runs", given, team->n - before);
    return st;
  }
  char *path = NULL;
  am_status st = cli_checkpoint_path(c, given, &path, err);
  if (!st) st = add_file(c, team, given, path, err);
  am_free(c->ctx, path);
  return st;
}

bool cli_is_crossval(cli *c, const char *path) {
  return am_folder_exists(path) && am_crossval_folder_holds(c->ctx, path) && !am_run_folder_holds(c->ctx, path);
}

am_status cli_models_load(cli *c, cli_models *team, am_error *err) {
  const char *with[CLI_MAX_FLAGS];
  size_t n = cli_values(c, "with", with);
  *team = (cli_models){0};
  am_status st = am_ensemble_create(c->ctx, &team->ensemble, err);
  if (!st) st = add_models(c, team, c->arguments[0], err);
  for (size_t i = 0; i < n && !st; i++) st = add_models(c, team, with[i], err);
  return st;
}

void cli_models_free(cli *c, cli_models *team) {
  for (size_t i = 0; i < team->n; i++) {
    am_checkpoint_free(team->at[i]);
    am_free(c->ctx, team->path[i]);
  }
  team->n = 0;
  am_ensemble_free(team->ensemble);
  team->ensemble = NULL;
}
