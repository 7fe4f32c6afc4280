/* SPDX-License-Identifier: MIT */
/* cli/detectors.c - --vad: what finds speech. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "model/detector.h"
#include "model/shipped.h"

am_status cli_vad_check(const cli *c, bool none, am_error *err) {
  const char *way = cli_value(c, "vad", "energy");
  if (!strcmp(way, "model") || !strcmp(way, "energy") || (none && !strcmp(way, "none")) || am_file_exists(way))
    return AM_OK;
  return am_fail(err, AM_E_USAGE, "--vad %s: wanted model, energy%s or the file of a speech detector (.h5)", way,
                 none ? ", none" : "");
}

static am_status load(cli *c, const am_shipped *file, am_checkpoint **out, am_error *err) {
  am_status st = am_shipped_load(c->ctx, file, out, err);
  if (!st && (st = am_detector_check(*out, err))) am_error_prefix(err, "%s", file->path);
  if (st) return st;
  am_log(c->ctx, AM_LOG_INFO, "speech is found by %s; licence %s%s", am_path_base(file->path),
         *am_checkpoint_licence(*out) ? am_checkpoint_licence(*out) : "not known",
         am_checkpoint_noncommercial(*out) ? ", not for commercial use" : "");
  return AM_OK;
}

am_status cli_detector_load(cli *c, cli_models *models, const char *usual, am_error *err) {
  const char *given = cli_value(c, "vad", NULL), *way = given ? given : usual;
  am_shipped file = {0};
  am_status st = AM_OK;
  am_error why = AM_ERROR_INIT;
  if (!strcmp(way, "energy") || !strcmp(way, "none")) return AM_OK;
  if (!strcmp(way, "model")) st = am_shipped_detector_find(c->ctx, &file, given ? err : &why);
  else if (!(file.path = am_strdup(c->ctx, way))) st = am_no_memory(err);
  if (!st) st = load(c, &file, &models->detector, err);
  am_free(c->ctx, file.path);
  if (st != AM_E_IO || given || models->detector || !why.status) return st;
  am_log(c->ctx, AM_LOG_INFO, "speech is found by its level: %s", why.message);
  return AM_OK;
}
