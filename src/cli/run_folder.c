/* SPDX-License-Identifier: MIT */
/* cli/run_folder.c - the folder that a run gets when none is named. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"

/* folder->made stays false when the name is taken. */
static am_status make(cli *c, cli_run_folder *folder, am_error *err) {
  /* Again when the folder above is gone: another process made it, failed, and tidied up after itself. */
  for (int tries = 1;; tries++) {
    bool there = am_folder_exists(folder->parent);
    am_error why = AM_ERROR_INIT;
    am_status st = am_folder_create(c->ctx, folder->parent, err);
    if (st) return st;
    folder->made_parent |= !there;
    st = am_folder_claim(c->ctx, folder->path, &folder->made, &why);
    if (!st) return AM_OK;
    if (tries == 10 || am_folder_exists(folder->parent)) return am_fail(err, st, "%s", why.message);
  }
}

/* A name of any kind as that of a folder in runs/. */
static am_status folder_name(cli *c, const char *name, char **out, am_error *err) {
  *out = am_strdup(c->ctx, name);
  if (!*out) return am_no_memory(err);
  am_text_one_line(*out);
  for (char *at = *out; *at; at++)
    if (*at == '/') *at = '-';
  return AM_OK;
}

static am_status name_it(cli *c, const char *name, const char *kind, const char *stamp, int number,
                         cli_run_folder *folder, am_error *err) {
  am_free(c->ctx, folder->path);
  am_free(c->ctx, folder->parent);
  folder->path = number == 1 ? am_format(c->ctx, "runs/%s%s-%s", name, kind, stamp)
                             : am_format(c->ctx, "runs/%s%s-%s-%d", name, kind, stamp, number);
  folder->parent =
      folder->path ? am_format(c->ctx, "%.*s", (int)(strrchr(folder->path, '/') - folder->path), folder->path) : NULL;
  return folder->parent ? AM_OK : am_no_memory(err);
}

am_status cli_run_folder_make(cli *c, const char *name, const char *kind, cli_run_folder *folder, am_error *err) {
  char stamp[32];
  time_t now = time(NULL);
  struct tm local;
  localtime_r(&now, &local);
  strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local);
  char *safe;
  am_status st = folder_name(c, name, &safe, err);
  for (int number = 1; !folder->made && !st; number++) {
    st = name_it(c, safe, kind, stamp, number, folder, err);
    if (!st) st = make(c, folder, err);
  }
  am_free(c->ctx, safe);
  return st;
}

void cli_run_folder_end(cli *c, cli_run_folder *folder) {
  /* A run that did not begin leaves nothing behind; one that did is in there, and rmdir refuses. */
  if (folder->made && rmdir(folder->path) == 0 && folder->made_parent) rmdir(folder->parent);
  am_free(c->ctx, folder->path);
  am_free(c->ctx, folder->parent);
  *folder = (cli_run_folder){0};
}
