/* SPDX-License-Identifier: MIT */
/* cli/cmd_serve.c - audiomood serve: emotion over HTTP and WebSocket, and a page. */
#include <string.h>

#include "cli/cli.h"
#include "model/ensemble.h"
#include "serve/serve.h"

static void listening(void *user, const char *url) {
  (void)user;
  cli_print("listening on %s\n", url);
  (void)cli_flush(NULL);
}

static bool stop(void *user) {
  const cli *c = user;
  return am_context_stopping(c->ctx);
}

static am_status whole(const cli *c, const char *flag, int64_t low, int64_t high, int *out, am_error *err) {
  int64_t n;
  am_status st = cli_int(c, flag, low, high, *out, &n, err);
  if (!st) *out = (int)n;
  return st;
}

static am_status get_options(cli *c, const char **names, am_serve_options *o, am_error *err) {
  double megabytes;
  *o = am_serve_defaults;
  o->host = cli_value(c, "host", o->host);
  o->threads = am_context_threads(c->ctx);
  o->learn_voice = cli_has(c, "learn-voice");
  o->names = names;
  o->n_names = cli_values(c, "name", names);
  am_status st = whole(c, "port", 0, 65535, &o->port, err);
  if (!st) st = whole(c, "sessions", 1, 10000, &o->sessions, err);
  if (!st) st = whole(c, "per-client", 1, 10000, &o->per_client, err);
  if (!st) st = cli_real(c, "max-body", 0.001, 1000, 64, &megabytes, err);
  if (!st) o->max_body = (size_t)(megabytes * 1048576);
  if (!st) st = cli_real(c, "max-seconds", 1, cli_longest_sound, 3600, &o->max_seconds, err);
  if (!st) st = cli_real(c, "deadline", 1, 3600, 20, &o->deadline, err);
  if (!st) st = cli_real(c, "work", 1, 86400, 300, &o->work, err);
  if (!st) st = cli_real(c, "grace", 0, 3600, 10, &o->grace, err);
  return st;
}

/* The model's context is the server's alone: one thread, as each of the server's works by itself, and no stop by a signal, which
 * would cut requests that may finish. */
static am_status make_context(am_context **out, am_error *err) {
  const am_settings settings = {
      .size = sizeof settings, .threads = 1, .log = cli_sink_log, .progress = cli_sink_progress, .read_in_child = true};
  return am_context_create(&settings, out, err);
}

static am_status find_model(const cli *c, const char **out, am_error *err) {
  const char *flag = cli_value(c, "model", NULL);
  if (flag && c->n_arguments)
    return am_fail(err, AM_E_USAGE, "%s and --model %s; wanted one model", c->arguments[0], flag);
  *out = flag ? flag : c->n_arguments ? c->arguments[0] : NULL;
  return AM_OK;
}

static am_status prepare(cli *c, const cli_models *team, am_serve_options *o, am_error *err) {
  am_status st = AM_OK;
  for (size_t i = 0; i < team->n && !st; i++) {
    st = am_ensemble_check_rate(team->ensemble, i, err);
    if (team->at[i]->synthetic)
      am_log(c->ctx, AM_LOG_WARNING, "this model was trained on synthetic speech; it knows nothing about real voices");
    if (!st && am_checkpoint_wants_speaker(team->at[i]) && !o->learn_voice)
      st = am_fail(
          err, AM_E_USAGE,
          "this model normalises per speaker; with --learn-voice each stream and recording is taken for one voice");
  }
  if (!st && !am_serve_is_local(o->host))
    am_log(c->ctx, AM_LOG_WARNING,
           "%s is reached from other machines: whoever reaches it may use it, and what they say is not encrypted; "
           "docs/serve.md says how to put a proxy before it",
           o->host);
  return st;
}

static am_status run(cli *c, am_error *err) {
  cli inner = *c;
  cli_models team = {0};
  am_serve_options o;
  const char *names[CLI_MAX_FLAGS], *model = NULL;
  const am_serve_caller caller = {listening, stop, c};
  am_status st = get_options(c, names, &o, err);
  if (!st) st = find_model(c, &model, err);
  if (!st) st = make_context(&inner.ctx, err);
  if (st) return st;
  st = cli_vad_check(c, false, err);
  if (!st) st = cli_models_load(&inner, model, &team, err);
  if (!st) st = cli_detector_load(&inner, &team, "model", err);
  if (!st) am_ensemble_set_detector(team.ensemble, team.detector);
  if (!st) st = prepare(&inner, &team, &o, err);
  /* Looked at twice, so that a signal stops the server and does not kill it (signals.c). */
  if (!st && (stop(c) || stop(c))) st = am_fail(err, AM_E_STOPPED, "stopped before it listened");
  if (!st) st = am_serve(team.ensemble, &o, &caller, err);
  cli_models_free(&inner, &team);
  am_context_free(inner.ctx);
  return st;
}

static const cli_flag flags[] = {
    {"host", "NAME", "where to listen (127.0.0.1, which only this machine reaches; 0.0.0.0: all addresses)"},
    {"port", "N", "of 1 to 65535, or 0: any that is free (8080)"},
    {"model", "RUN|FILE.h5", "the model (default: the one that comes with AudioMood)"},
    {"with", "RUN|FILE.h5", "another model of the same classes: the mean is taken (repeatable)"},
    CLI_STORAGE_FLAG,
    {"vad", "model|energy|FILE.h5",
     "what finds speech where a client does not say: a detector (model: the one that comes with AudioMood, if it is "
     "there), or what is clearly louder than the noise around it"},
    {"name", "HOST", "a further name that clients call it by, as behind a proxy (repeatable)"},
    {"sessions", "N", "streams at a time (64)"},
    {"per-client", "N", "streams, and uploads, of one address at a time (8)"},
    {"max-body", "MB", "the largest upload (64)"},
    {"max-seconds", "SECONDS", "the longest sound of an upload (3600)"},
    {"deadline", "SECONDS", "that a client may take for what is due (20)"},
    {"work", "SECONDS", "that an upload may take to be heard (300)"},
    {"grace", "SECONDS", "that requests have to finish when the server stops (10)"},
    {"learn-voice", NULL, "each stream and recording is of one speaker, whose voice becomes known while it is heard"},
    {0},
};

const cli_command cli_serve = {
    .name = "serve",
    .summary = "emotion over HTTP and WebSocket, and a page for browsers",
    .usage =
        "[RUN|FILE.h5] [--host NAME] [--port N] [--model RUN|FILE.h5] [--with RUN|FILE.h5]... [--vad "
        "model|energy|FILE.h5] [--name HOST]... "
        "[--sessions N] [--per-client N] [--max-body MB] [--max-seconds SECONDS] [--deadline SECONDS] [--work SECONDS] "
        "[--grace SECONDS] [--learn-voice]",
    .details =
        "The page is at /; POST /v1/predict takes a recording, the WebSocket /v1/stream takes samples. It hears\n"
        "with as many threads as --threads says. Ctrl-C ends it: what is under way may finish first.",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run,
};
