/* SPDX-License-Identifier: MIT */
/* model/shipped.c - the models that come with AudioMood: files of their own, beside what is installed, for their licence is
 * not that of the program. */
#include "model/shipped.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/checkpoint.h"

typedef struct kind {
  const char *what, *variable; /* in messages; of the environment */
  const char
      *beside[2]; /* as seen from the running program: where it is installed, and in the folder where it was built */
  const char *installed; /* where meson was told to install it */
  const char *otherwise;
} kind;

#define PLACES(file) \
  .beside = {"../share/audiomood/" file, "../../checkpoints/" file}, .installed = AM_DATADIR "/audiomood/" file
static const kind emotions = {
    .what = "model",
    .variable = "AUDIOMOOD_MODEL",
    PLACES(AM_SHIPPED_MODEL),
    .otherwise =
        ": name one, a run's folder or a checkpoint; or put the path of a checkpoint into the environment "
        "variable AUDIOMOOD_MODEL"};
static const kind speech = {
    .what = "speech detector", .variable = "AUDIOMOOD_DETECTOR", PLACES(AM_SHIPPED_DETECTOR), .otherwise = ""};

static am_status found(am_context *ctx, const char *path, char **out, am_error *err) {
  *out = am_strdup(ctx, path);
  return *out ? AM_OK : am_no_memory(err);
}

static am_status none(am_error *err, const kind *s, const char *what, const char *why) {
  return am_fail(err, AM_E_IO, "no %s came with this AudioMood (%s %s)%s", s->what, what, why, s->otherwise);
}

static am_status find(am_context *ctx, const kind *s, am_shipped *out, am_error *err) {
  const char *named = getenv(s->variable);
  *out = (am_shipped){.ours = !named};
  if (named && !*named) return none(err, s, s->variable, "is empty");
  if (named) {
    if (am_file_exists(named)) return found(ctx, named, &out->path, err);
    return am_fail(err, AM_E_IO, "%s: no such file; the environment variable %s names it as the %s", named, s->variable,
                   s->what);
  }
  for (size_t i = 0; i < sizeof s->beside / sizeof *s->beside; i++) {
    char *path = am_path_from_program(ctx, s->beside[i]);
    if (path) return out->path = path, AM_OK;
  }
  if (am_file_exists(s->installed)) return found(ctx, s->installed, &out->path, err);
  return none(err, s, s->installed, "is not there" AM_MODEL_FROM);
}

am_status am_shipped_find(am_context *ctx, am_shipped *out, am_error *err) { return find(ctx, &emotions, out, err); }
am_status am_shipped_detector_find(am_context *ctx, am_shipped *out, am_error *err) {
  return find(ctx, &speech, out, err);
}

/* Whoever could change a file of the installation could change the program in it: no child process reads it first. */
am_status am_shipped_load(am_context *ctx, const am_shipped *of, am_checkpoint **out, am_error *err) {
  return of->ours ? am_checkpoint_load_ours(ctx, of->path, out, err) : am_checkpoint_load(ctx, of->path, out, err);
}

am_status am_checkpoint_shipped_path(am_context *ctx, char *path, size_t room, am_error *err) {
  am_shipped found = {0};
  am_status status = AM_NEED(err, path);
  if (!status && room) *path = '\0';
  if (!status) status = AM_NEED(err, ctx);
  if (!status) status = am_shipped_find(ctx, &found, err);
  if (status) return status;
  char *at = found.path;
  if (strlen(at) < room) memcpy(path, at, strlen(at) + 1);
  else
    status = am_fail(err, AM_E_USAGE, "%s: its path needs room for %zu bytes, and there is room for %zu", at,
                     strlen(at) + 1, room);
  am_free(ctx, at);
  return status;
}

static am_status find_and_load(am_context *ctx, const kind *which, am_checkpoint **out, am_error *err) {
  am_shipped found = {0};
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status) status = find(ctx, which, &found, err);
  if (!status) status = am_shipped_load(ctx, &found, out, err);
  am_free(ctx, found.path);
  return status;
}

am_status am_checkpoint_shipped(am_context *ctx, am_checkpoint **out, am_error *err) {
  return find_and_load(ctx, &emotions, out, err);
}

am_status am_checkpoint_shipped_detector(am_context *ctx, am_checkpoint **out, am_error *err) {
  return find_and_load(ctx, &speech, out, err);
}
