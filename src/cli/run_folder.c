/* cli/run_folder.c - the folder that a run gets when none is named. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/system.h"
#include "cli/cli.h"

/* After a power cut the name must be there if what was synced below it is to be found. */
static am_status sync_parent(cli *c, const char *parent, am_error *err) {
  const am_system *sys = am_context_system(c->ctx);
  int fd = sys->open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open folder %s to sync it", parent);
  /* Some file systems cannot sync folders and say EINVAL; there is nothing more to do there. */
  int code = sys->fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP ? errno : 0;
  sys->close(fd);
  return code ? am_fail_errno(err, code, "cannot sync folder %s", parent) : AM_OK;
}

/* folder->made stays false when the name is taken. */
static am_status make(cli *c, cli_run_folder *folder, am_error *err) {
  const am_system *sys = am_context_system(c->ctx);
  /* Again when the folder above is gone: another process made it, failed, and tidied up after itself. */
  for (int tries = 1;; tries++) {
    bool there = am_folder_exists(folder->parent);
    am_status st = am_folder_create(c->ctx, folder->parent, err);
    if (st) return st;
    folder->made_parent |= !there;
    if (sys->mkdir(folder->path, 0777) == 0) break;
    if (errno == EEXIST) return AM_OK;
    if (errno != ENOENT || tries == 10) return am_fail_errno(err, errno, "cannot create folder %s", folder->path);
  }
  folder->made = true;
  return sync_parent(c, folder->parent, err);
}

static am_status name_it(cli *c, const char *name, const char *kind, const char *stamp, int number, cli_run_folder *folder,
                         am_error *err) {
  am_free(c->ctx, folder->path);
  am_free(c->ctx, folder->parent);
  folder->path = number == 1 ? am_format(c->ctx, "runs/%s%s-%s", name, kind, stamp)
                             : am_format(c->ctx, "runs/%s%s-%s-%d", name, kind, stamp, number);
  folder->parent = folder->path ? am_format(c->ctx, "%.*s", (int)(strrchr(folder->path, '/') - folder->path), folder->path)
                                : NULL;
  return folder->parent ? AM_OK : am_no_memory(err);
}

am_status cli_run_folder_make(cli *c, const char *name, const char *kind, cli_run_folder *folder, am_error *err) {
  char stamp[32];
  time_t now = time(NULL);
  struct tm local;
  localtime_r(&now, &local);
  strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local);
  am_status st = AM_OK;
  for (int number = 1; !folder->made && !st; number++) {
    st = name_it(c, name, kind, stamp, number, folder, err);
    if (!st) st = make(c, folder, err);
  }
  return st;
}

void cli_run_folder_end(cli *c, cli_run_folder *folder) {
  /* A run that did not begin leaves nothing behind; one that did is in there, and rmdir refuses. */
  if (folder->made && rmdir(folder->path) == 0 && folder->made_parent) rmdir(folder->parent);
  am_free(c->ctx, folder->path);
  am_free(c->ctx, folder->parent);
  *folder = (cli_run_folder){0};
}
