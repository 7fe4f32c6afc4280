/* model/shipped.c - the model that comes with AudioMood: a file of its own, beside what is installed, for its licence is not
 * that of the program. */
#include "model/shipped.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* As seen from the running program: where it is installed, and in the folder where it was built. */
static const char *const beside[] = {"../share/audiomood/" AM_SHIPPED_MODEL, "../../checkpoints/" AM_SHIPPED_MODEL};
/* Where meson was told to install it. */
static const char installed[] = AM_DATADIR "/audiomood/" AM_SHIPPED_MODEL;

static am_status found(am_context *ctx, const char *path, char **out, am_error *err) {
  *out = am_strdup(ctx, path);
  return *out ? AM_OK : am_no_memory(err);
}

static am_status none(am_error *err, const char *what, const char *why) {
  return am_fail(
      err, AM_E_IO,
      "no model came with this AudioMood (%s %s): name one, a run's folder or a checkpoint; or put the path of a "
      "checkpoint into the environment variable AUDIOMOOD_MODEL",
      what, why);
}

am_status am_shipped_find(am_context *ctx, char **out, am_error *err) {
  const char *named = getenv("AUDIOMOOD_MODEL");
  *out = NULL;
  if (named && !*named) return none(err, "AUDIOMOOD_MODEL", "is empty");
  if (named) {
    if (am_file_exists(named)) return found(ctx, named, out, err);
    return am_fail(err, AM_E_IO, "%s: no such file; the environment variable AUDIOMOOD_MODEL names it as the model",
                   named);
  }
  for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
    char *path = am_path_from_program(ctx, beside[i]);
    if (path) return *out = path, AM_OK;
  }
  if (am_file_exists(installed)) return found(ctx, installed, out, err);
  return none(err, installed, "is not there");
}

am_status am_checkpoint_shipped_path(am_context *ctx, char *path, size_t room, am_error *err) {
  char *at = NULL;
  am_status status = AM_NEED(err, path);
  if (!status && room) *path = '\0';
  if (!status) status = AM_NEED(err, ctx);
  if (!status) status = am_shipped_find(ctx, &at, err);
  if (status) return status;
  if (strlen(at) < room) memcpy(path, at, strlen(at) + 1);
  else
    status = am_fail(err, AM_E_USAGE, "%s: its path needs room for %zu bytes, and there is room for %zu", at,
                     strlen(at) + 1, room);
  am_free(ctx, at);
  return status;
}

am_status am_checkpoint_shipped(am_context *ctx, am_checkpoint **out, am_error *err) {
  char *at = NULL;
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = am_shipped_find(ctx, &at, err);
  if (!status) status = am_checkpoint_load(ctx, at, out, err);
  am_free(ctx, at);
  return status;
}
