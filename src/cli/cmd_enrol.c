/* SPDX-License-Identifier: MIT */
/* cli/cmd_enrol.c - audiomood enrol: keeps what is known of a voice in a file. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "model/profile.h"
#include "run/folder.h"

static bool is_config(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"));
}

static am_status of_config(cli *c, const char *path, am_profile **out, am_error *err) {
  am_config *config = NULL;
  am_status st = am_config_load(c->ctx, path, NULL, 0, &config, err);
  if (!st) st = am_profile_of_config(config, out, err);
  if (!st && config->features.normalise != AM_NORMALISE_SPEAKER)
    am_log(c->ctx, AM_LOG_WARNING,
           "%s does not normalise by speaker: the profile is for other models of its features, and changes nothing of "
           "what "
           "this one hears",
           path);
  am_config_free(config);
  return st;
}

/* NULL: of the model that comes with AudioMood. */
static am_status of_model(cli *c, const char *given, am_profile **out, am_error *err) {
  cli_models one = {0};
  am_status st = cli_models_load(c, given, &one, err);
  if (!st && !am_checkpoint_uses_speaker(one.at[0]))
    st = am_fail(err, AM_E_USAGE, "%s does not normalise by speaker, so a voice changes nothing", one.given[0]);
  if (!st) st = am_profile_of_model(one.at[0], out, err);
  cli_models_free(c, &one);
  return st;
}

static am_status of_source(cli *c, const char *source, am_profile **out, am_error *err) {
  return source && is_config(source) ? of_config(c, source, out, err) : of_model(c, source, out, err);
}

/* With --add the profile itself says which features it is of; a model or config may be there to compare. */
static am_status load(cli *c, const char *path, const char *source, am_profile **out, am_error *err) {
  am_profile *wanted = NULL;
  if (!am_file_exists(path))
    return am_fail(err, AM_E_IO, "%s: there is no such profile to add to; leave --add out", path);
  am_status st = am_profile_load(c->ctx, path, out, err);
  if (!st && source) st = of_source(c, source, &wanted, err);
  if (!st && wanted) st = am_profile_check_all(*out, wanted, source, err);
  am_profile_free(wanted);
  return st;
}

static am_status open_profile(cli *c, const char *path, const char *source, am_profile **out, am_error *err) {
  if (cli_has(c, "add")) return load(c, path, source, out, err);
  if (am_file_exists(path))
    return am_fail(err, AM_E_USAGE, "%s: is there already; --add adds to the profile, or give another name", path);
  return of_source(c, source, out, err);
}

static am_status keep(cli *c, const char *path, am_profile *p, am_error *err) {
  am_status st = cli_has(c, "name") ? am_profile_rename(p, cli_value(c, "name", ""), err) : AM_OK;
  if (!st) st = am_profile_save(p, path, err);
  if (st) return st;
  cli_voice_say_short(c, p);
  cli_print("%s: %.1f s of %s\n", path, am_profile_seconds(p), *am_profile_name(p) ? am_profile_name(p) : "one voice");
  return AM_OK;
}

static am_status run(cli *c, am_error *err) {
  const char *path = cli_value(c, "out", NULL), *first = c->arguments[0];
  const char *source = is_config(first) || cli_names_model(c, first) ? first : NULL;
  const size_t skipped = source ? 1 : 0;
  am_profile *p = NULL;
  cli_sounds sounds = {0};
  double window;
  if (!path) return am_fail(err, AM_E_USAGE, "the profile needs a file: --out voice.h5");
  if ((size_t)c->n_arguments == skipped) return am_fail(err, AM_E_USAGE, "no sound of the voice is given");
  am_status st = cli_real(c, "window", 0.1, cli_longest_sound, 0, &window, err);
  if (!st) st = open_profile(c, path, source, &p, err);
  if (!st) st = cli_sounds_list(c, c->arguments + skipped, (size_t)c->n_arguments - skipped, &sounds, err);
  const cli_voice voice = {.sounds = &sounds, .window = window, .skip = cli_has(c, "skip-unreadable")};
  if (!st) st = cli_voice_add(c, &voice, p, err);
  if (!st) st = keep(c, path, p, err);
  cli_sounds_free(c, &sounds);
  am_profile_free(p);
  return st;
}

static const cli_flag flags[] = {
    {"out", "VOICE.h5", "the file of the profile"},
    {"add", NULL, "add to the profile that is there"},
    {"name", "NAME", "keep this name in it; without, it has none"},
    {"window", "SECONDS", "hear long sounds in pieces of so long; as predict --window"},
    {"skip-unreadable", NULL, "name and skip sounds that cannot be read, instead of stopping"},
    {0},
};

const cli_command cli_enrol = {
    .name = "enrol",
    .summary = "keeps the statistics of a voice, for models that normalise per speaker",
    .usage =
        "[RUN|FILE.h5|CONFIG.yaml] AUDIO|DIR... --out VOICE.h5 [--add] [--name NAME] [--window SECONDS] "
        "[--skip-unreadable]",
    .details =
        "Without a model or config it is made for the model that comes with AudioMood.\n"
        "The profile holds the mean and the spread of each feature over all frames heard, and no sound; about a minute "
        "of the voice,\nin any emotions, is enough. predict --enrol VOICE.h5 uses it.\n"
        "It is personal data: a local file that its owner alone may read, which nothing sends anywhere. Deleting the "
        "file\ndeletes all that is known of the voice.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run,
};
