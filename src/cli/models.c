/* SPDX-License-Identifier: MIT */
/* cli/models.c - models that are asked together: the one given first, or that which comes with AudioMood, and those of --with. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "model/shipped.h"
#include "run/folder.h"

/* --storage, of the commands that have it. */
static am_status store(const cli *c, am_checkpoint *model, am_error *err) {
  static const char *const names[] = {"float32", "float16"};
  const char *wanted = cli_value(c, "storage", names[AM_STORE_FLOAT32]);
  for (int i = AM_STORE_FLOAT32; i <= AM_STORE_FLOAT16; i++)
    if (!strcmp(wanted, names[i])) return am_checkpoint_set_storage(model, (am_storage)i, err);
  return am_fail(err, AM_E_USAGE, "--storage %s: wanted float32 or float16", wanted);
}

static am_status add_file(cli *c, cli_models *team, const char *given, const am_shipped *file, am_error *err) {
  size_t i = team->n;
  if (i == CLI_MAX_FLAGS + 1) return am_fail(err, AM_E_USAGE, "more than %d models", CLI_MAX_FLAGS + 1);
  team->n++;
  team->given[i] = given;
  team->path[i] = am_strdup(c->ctx, file->path);
  am_status st = team->path[i] ? am_shipped_load(c->ctx, file, &team->at[i], err) : am_no_memory(err);
  if (!st) st = store(c, team->at[i], err);
  char *name = st ? NULL : am_format(c->ctx, "--with %s", given);
  if (!st) st = name ? am_ensemble_add(team->ensemble, team->at[i], name, err) : am_no_memory(err);
  am_free(c->ctx, name);
  return st;
}

static am_status add_path(cli *c, cli_paths *paths, char *path, am_error *err) {
  if (path && paths->n < CLI_MAX_FLAGS + 1) {
    paths->at[paths->n++] = path;
    return AM_OK;
  }
  am_free(c->ctx, path);
  return path ? am_fail(err, AM_E_USAGE, "more than %d models", CLI_MAX_FLAGS + 1) : am_no_memory(err);
}

/* The runs of a cross-validation that have a model: fold-K, or seed-S/fold-K. */
static am_status add_folds(cli *c, cli_paths *paths, const char *folder, int depth, am_error *err) {
  am_names names;
  am_status st = am_folder_list(c->ctx, folder, &names, err);
  if (st) return st;
  for (size_t i = 0; i < names.n && !st; i++) {
    bool fold = !strncmp(names.at[i], "fold-", 5), seed = !depth && !strncmp(names.at[i], "seed-", 5);
    char *path = fold || seed ? am_path_join(c->ctx, folder, names.at[i]) : NULL;
    char *best = fold && path ? am_run_file_path(c->ctx, path, AM_FILE_BEST) : NULL;
    if ((fold || seed) && (!path || (fold && !best))) st = am_no_memory(err);
    else if (seed && am_folder_exists(path)) st = add_folds(c, paths, path, 1, err);
    else if (fold && am_file_exists(best)) {
      st = add_path(c, paths, best, err);
      best = NULL;
    }
    am_free(c->ctx, best);
    am_free(c->ctx, path);
  }
  am_names_free(c->ctx, &names);
  return st;
}

am_status cli_paths_add(cli *c, const char *given, cli_paths *paths, am_error *err) {
  if (cli_is_crossval(c, given)) {
    size_t before = paths->n;
    am_status st = add_folds(c, paths, given, 0, err);
    if (!st && paths->n == before)
      st = am_fail(err, AM_E_IO, "%s: none of the folds of this cross-validation has a best.h5 yet", given);
    if (!st) am_log(c->ctx, AM_LOG_INFO, "%s: the mean of the models of its %zu runs", given, paths->n - before);
    return st;
  }
  char *path = NULL;
  am_status st = cli_checkpoint_path(c, given, &path, err);
  return st ? st : add_path(c, paths, path, err);
}

void cli_paths_free(cli *c, cli_paths *paths) {
  for (size_t i = 0; i < paths->n; i++) am_free(c->ctx, paths->at[i]);
  paths->n = 0;
}

static am_status add_models(cli *c, cli_models *team, const char *given, am_error *err) {
  cli_paths paths = {.n = 0};
  am_status st = cli_paths_add(c, given, &paths, err);
  for (size_t i = 0; i < paths.n && !st; i++) st = add_file(c, team, given, &(am_shipped){.path = paths.at[i]}, err);
  cli_paths_free(c, &paths);
  return st;
}

bool cli_is_crossval(cli *c, const char *path) {
  return am_folder_exists(path) && am_crossval_folder_holds(c->ctx, path) && !am_run_folder_holds(c->ctx, path);
}

bool cli_names_model(cli *c, const char *path) {
  if (am_folder_exists(path)) return am_run_folder_holds(c->ctx, path) || am_crossval_folder_holds(c->ctx, path);
  return cli_is_hdf5(path) || am_text_ends(path, ".h5"); /* which no sound is called, damaged as it may be */
}

/* "RAVDESS, nEMO": of the lines of an attribution the short forms of the titles. */
static void short_titles(cli *c, const char *lines, am_buffer *out) {
  for (size_t n; *lines; lines += n + (lines[n] != '\0')) {
    n = strcspn(lines, "\n");
    const char *licence = strstr(lines, " (");
    size_t end = strcspn(lines, ":\n");
    if (licence && (size_t)(licence - lines) < end) end = (size_t)(licence - lines);
    am_buffer_printf(c->ctx, out, "%s%.*s", out->used ? ", " : "", (int)end, lines);
  }
}

bool cli_knows_voices(const cli *c) {
  static const char *const flags[] = {"enrol", "speaker", "enrol-seconds", "known-voices"};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
    if (cli_has(c, flags[i])) return true;
  return false;
}

/* What whoever gave no model should know of the one that is taken. */
static am_status say_shipped(cli *c, const am_checkpoint *m, const char *path, am_error *err) {
  const char *base = am_path_base(path);
  char *card = am_format(c->ctx, "%.*sMODEL_CARD.md", (int)(base - path), path);
  const bool known = m->known && cli_knows_voices(c);
  am_buffer data = {0};
  short_titles(c, am_checkpoint_attribution(m), &data);
  am_status st = card && !data.failed ? AM_OK : am_no_memory(err);
  if (!st)
    am_log(c->ctx, AM_LOG_INFO, "no model given: %s (%s)%s, trained on %s; licence %s%s%s%s", base,
           am_checkpoint_title(m), known ? ", by its weights for a voice that it knows" : "",
           data.used ? data.data : "what is not known",
           *am_checkpoint_licence(m) ? am_checkpoint_licence(m) : "not known",
           am_checkpoint_noncommercial(m) ? ", not for commercial use" : "", am_file_exists(card) ? "; about it: " : "",
           am_file_exists(card) ? card : "");
  am_buffer_free(c->ctx, &data);
  am_free(c->ctx, card);
  return st;
}

static am_status add_shipped(cli *c, cli_models *team, am_error *err) {
  am_shipped file = {0};
  am_status st = am_shipped_find(c->ctx, &file, err);
  if (!st) st = add_file(c, team, "the model that comes with AudioMood", &file, err);
  if (!st) st = say_shipped(c, team->at[0], file.path, err);
  am_free(c->ctx, file.path);
  return st;
}

am_status cli_models_load(cli *c, const char *first, cli_models *team, am_error *err) {
  const char *with[CLI_MAX_FLAGS];
  size_t n = cli_values(c, "with", with);
  *team = (cli_models){0};
  am_status st = am_ensemble_create(c->ctx, &team->ensemble, err);
  if (!st) st = first ? add_models(c, team, first, err) : add_shipped(c, team, err);
  for (size_t i = 0; i < n && !st; i++) st = add_models(c, team, with[i], err);
  return st;
}

void cli_models_free(cli *c, cli_models *team) {
  for (size_t i = 0; i < team->n; i++) {
    am_checkpoint_free(team->at[i]);
    am_free(c->ctx, team->path[i]);
  }
  am_checkpoint_free(team->detector);
  team->detector = NULL;
  team->n = 0;
  am_ensemble_free(team->ensemble);
  team->ensemble = NULL;
}

am_status cli_models_need_classes(const cli_models *models, const char *what, am_error *err) {
  return models->n ? am_checkpoint_need_classes(models->at[0], what, err) : AM_OK;
}
