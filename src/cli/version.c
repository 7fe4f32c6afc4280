/* SPDX-License-Identifier: MIT */
/* cli/version.c - audiomood --version --verbose: what a report of a mistake, or of a result, should say of the program. */
#include <string.h>

#include "audio/decoder_media.h"
#include "cli/cli.h"
#include "cli/microphone.h"
#include "data/corpora/pattern.h"
#include "data/spelling.h"
#include "io/json.h"
#include "io/yaml.h"
#include "model/shipped.h"
#include "ranks/ranks.h"
#include "report/report.h"
#include "run/environment.h"
#include "serve/serve.h"
#include "subtitle/xml.h"
#include "tensor/tensor.h"

enum { ROOM = 200 };

static void say(const char *key, const char *text) { cli_print("%-13s %s\n", key, text); }

static void say_processor(const am_context *ctx) {
  const char *name;
  bool runs;
  cli_print("%-13s %s in use", "processor", am_context_cpu(ctx));
  for (size_t i = 0; (name = am_cpu_path(i, &runs)); i++)
    cli_print("%s %s%s", i ? "," : "; of", name, runs ? "" : " (not on this machine)");
  cli_print("\n%-13s %s\n", "bfloat16", am_bf16_by_processor(ctx) ? "by the processor" : "computed");
  cli_print("%-13s %d\n", "threads", am_context_threads(ctx));
}

/* ---- libraries that are linked ---- */

static void say_linked(const am_environment *e) {
  static const char *const told[] = {"openblas", "fftw", "libsoxr", "libsndfile", "hdf5"};
  char pcre2[64];
  am_pattern_library(pcre2);
  const char *const more[][2] = {{"libmpg123", AM_MPG123},           {"libvorbisfile", AM_VORBISFILE},
                                 {"libopusfile", AM_OPUSFILE},       {"libyaml", am_yaml_library()},
                                 {"jansson", am_json_library()},     {"pcre2", pcre2},
                                 {"utf8proc", am_spelling_library()}};
  cli_print("\nlibraries\n");
  for (size_t i = 0; i < AM_FACTS; i++)
    for (size_t k = 0; k < sizeof told / sizeof *told; k++)
      if (!strcmp(e->facts[i].key, told[k])) cli_print("  %-13s %s\n", told[k], e->facts[i].text);
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) cli_print("  %-13s %s\n", more[i][0], more[i][1]);
}

/* ---- optional parts ---- */

static void say_part(const char *part, const char *library, const char *version) {
  cli_print("  %-28s yes  %s %s\n", part, library, version);
}

static void say_missing(const char *part, const char *why) { cli_print("  %-28s no   %s\n", part, why); }

static void say_loaded(void) {
  static const struct {
    const char *part, *library;
    am_status (*version)(char *out, size_t room, am_error *err);
  } rows[] = {{"pages and pictures", "Cairo", am_report_library},
              {"the sound of films", "FFmpeg", am_media_library},
              {"microphones (live)", "", cli_microphone_library},
              {"the server (serve)", "libwebsockets", am_serve_library}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char version[ROOM];
    am_error why = AM_ERROR_INIT;
    if (rows[i].version(version, sizeof version, &why)) say_missing(rows[i].part, why.message);
    else if (*rows[i].library) say_part(rows[i].part, rows[i].library, version);
    else cli_print("  %-28s yes  %s\n", rows[i].part, version);
  }
}

static void say_mpi(am_context *ctx) {
  const char *library;
  char *path;
  for (size_t i = 0; (library = am_ranks_module(ctx, i, &path)); i++) {
    char part[64];
    snprintf(part, sizeof part, "several processes, %s", library);
    if (path) cli_print("  %-28s yes  %s\n", part, path);
    else say_missing(part, "this build has no module for it (option mpi, docs/cluster.md)");
    am_free(ctx, path);
  }
}

typedef am_status (*find_fn)(am_context *ctx, am_shipped *out, am_error *err);

static void say_model(am_context *ctx, const char *part, find_fn find) {
  am_shipped found = {0};
  am_error why = AM_ERROR_INIT;
  if (find(ctx, &found, &why)) say_missing(part, why.message);
  else cli_print("  %-28s yes  %s\n", part, found.path);
  am_free(ctx, found.path);
}

am_status cli_print_parts(am_error *err) {
  const am_settings settings = {.size = sizeof settings};
  am_context *ctx = NULL;
  am_environment e;
  am_status st = am_context_create(&settings, &ctx, err);
  if (st) return st;
  say("compiler", __VERSION__);
  say_processor(ctx);
  am_environment_get(ctx, &e);
  say_linked(&e);
  cli_print("\noptional parts\n");
  say_loaded();
  const char *xml = am_xml_library();
  if (xml) cli_print("  %-28s yes  %s\n", "TTML and ELAN (XML)", xml);
  else say_missing("TTML and ELAN (XML)", "expat was not there when it was built (option xml)");
  if (*AM_PROTOBUF_C) say_part("ONNX", "protobuf-c", AM_PROTOBUF_C);
  else say_missing("ONNX", "protobuf-c was not there when it was built (option onnx)");
  say_mpi(ctx);
  say_model(ctx, "a model", am_shipped_find);
  say_model(ctx, "a speech detector", am_shipped_detector_find);
  am_context_free(ctx);
  return AM_OK;
}
