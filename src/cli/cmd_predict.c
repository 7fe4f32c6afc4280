/* SPDX-License-Identifier: MIT */
/* cli/cmd_predict.c - audiomood predict: every emotion's probability for each sound. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "cli/explained.h"
#include "cli/predicting.h"
#include "model/ensemble.h"
#include "subtitle/segments.h"

static am_status add_to_statistics(cli *c, am_checkpoint *m, const char *path, am_error *err) {
  am_sound sound;
  am_status st = cli_sound_read_track(c, path, am_checkpoint_rate(m), &sound, err);
  if (st) return st;
  st = am_checkpoint_add_speaker(m, sound.samples, sound.n, err);
  am_sound_free(&sound);
  return st ? am_error_prefix(err, "%s", path) : AM_OK;
}

/* What --enrol names: other recordings of the one speaker of all sounds. */
static am_status enrol(cli *c, am_checkpoint *m, const cli_sounds *voice, const cli_hearing *how, am_error *err) {
  const cli_voice heard = {.sounds = voice, .window = how->window, .skip = how->skip, .profiles = true};
  am_profile *p = NULL;
  am_status st = am_profile_of_model(m, &p, err);
  if (!st) st = cli_voice_add(c, &heard, p, err);
  if (!st) st = am_checkpoint_enrol(m, p, err);
  if (!st) cli_voice_say_short(c, p);
  am_profile_free(p);
  return st;
}

/* All given sounds are one speaker's: their statistics normalise each of them.  What is skipped is named later. */
static am_status fit_speaker(cli *c, am_checkpoint *m, const cli_sounds *s, bool skip, am_error *err) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->at[i], "-") == 0)
      return am_fail(err, AM_E_USAGE, "this model normalises per speaker; give files or a folder, not standard input");
  am_status st = AM_OK;
  size_t added = 0;
  for (size_t i = 0; i < s->n && !st; i++) {
    am_error why = AM_ERROR_INIT;
    st = add_to_statistics(c, m, s->at[i], &why);
    added += !st;
    if (skip && cli_sound_is_bad(st)) st = AM_OK;
    else if (st) st = am_fail(err, st, "%s", why.message);
  }
  return !st && !added ? am_fail(err, AM_E_DATA, "no sound could be read") : st;
}

/* What must hold, or be made ready, before a model hears the sounds. */
static am_status prepare(cli *c, const cli_models *team, size_t i, const cli_sounds *s, const cli_sounds *voice,
                         const cli_hearing *how, am_error *err) {
  am_checkpoint *m = team->at[i];
  am_status st = am_ensemble_check_rate(team->ensemble, i, err);
  if (st) return st;
  if (m->synthetic)
    am_log(c->ctx, AM_LOG_WARNING, "this model was trained on synthetic speech; it knows nothing about real voices");
  if (!am_checkpoint_uses_speaker(m)) return AM_OK;
  if (cli_has(c, "speaker")) return fit_speaker(c, m, s, how->skip, err);
  if (voice->n) return enrol(c, m, voice, how, err);
  if (how->segmented && cli_segments_learn(&how->segments)) return AM_OK;
  if (!am_checkpoint_wants_speaker(m)) return AM_OK;
  return am_fail(
      err, AM_E_USAGE,
      "this model normalises per speaker: add --enrol FILE with other recordings of the one speaker of these "
      "sounds, about a minute, or --speaker NAME and give all recordings of that one speaker in one call");
}

/* --json, --csv, or by the end of --out. */
static am_status get_format(const cli *c, cli_hearing *how, am_error *err) {
  const bool json = cli_has(c, "json"), csv = cli_has(c, "csv");
  const char *out = how->out = cli_value(c, "out", NULL);
  if (json && csv) return am_fail(err, AM_E_USAGE, "--json or --csv, not both");
  how->shape.format = json ? CLI_JSON : csv ? CLI_CSV : CLI_TEXT;
  how->review = cli_has(c, "uncertain-first");
  if (how->review && (json || cli_has(c, "segments") || cli_has(c, "window")))
    return am_fail(err, AM_E_USAGE, "--uncertain-first is a CSV table of sounds as a whole; leave out --%s",
                   json                     ? "json"
                   : cli_has(c, "segments") ? "segments"
                                            : "window");
  if (!out || how->review) return AM_OK;
  how->shape.errors = true;
  const char *format = cli_has(c, "segments") ? cli_value(c, "format", NULL) : NULL;
  if (format && strcmp(format, "csv") && strcmp(format, "json"))
    return am_fail(err, AM_E_USAGE, "--out is of rows as csv or json; --format %s goes to standard output", format);
  if (format) how->shape.format = strcmp(format, "csv") ? CLI_JSON : CLI_CSV;
  if (format || json || csv) return AM_OK;
  if (am_text_ends(out, ".csv")) how->shape.format = CLI_CSV;
  else if (am_text_ends(out, ".json") || am_text_ends(out, ".jsonl")) how->shape.format = CLI_JSON;
  else return am_fail(err, AM_E_USAGE, "--out %s: add --csv or --json, or let its name end in .csv or .jsonl", out);
  return AM_OK;
}

static am_status hearing_get(const cli *c, cli_hearing *how, am_error *err) {
  *how = (cli_hearing){.skip = cli_has(c, "skip-unreadable")};
  am_status st = get_format(c, how, err);
  if (st) return st;
  static const char *const of_segments[] = {"format", "vad",      "min-silence", "switch-penalty",
                                            "rttm",   "channels", "learn-voice", "neutral-prior"};
  how->segmented = cli_has(c, "segments");
  if (how->segmented) {
    st = cli_segmenting_get(c, &how->segments, err);
    if (!st && how->out) /* the name of the file may say which */
      how->segments.format =
          am_segment_format_noted(am_segment_format_find(how->shape.format == CLI_CSV ? "csv" : "json"));
    return st;
  }
  for (size_t i = 0; i < sizeof of_segments / sizeof *of_segments; i++)
    if (cli_has(c, of_segments[i]))
      return am_fail(err, AM_E_USAGE, "--%s is of --segments, which is missing", of_segments[i]);
  if (cli_has(c, "hop") && !cli_has(c, "window"))
    return am_fail(err, AM_E_USAGE, "--hop is the time from one window to the next; give --window SECONDS, too");
  st = cli_real(c, "window", 0.1, cli_longest_sound, 0, &how->window, err);
  how->shape.windows = how->window > 0;
  return st ? st : cli_real(c, "hop", 0.01, how->window, how->window, &how->hop, err);
}

static am_status voice_list(cli *c, cli_sounds *voice, am_error *err) {
  const char *at[CLI_MAX_FLAGS];
  const size_t n = cli_values(c, "enrol", at);
  if (n && cli_has(c, "speaker"))
    return am_fail(
        err, AM_E_USAGE,
        "--enrol or --speaker, not both: the voice is known by other recordings, or by the sounds themselves");
  for (size_t i = 0; i < n; i++)
    if (!strcmp(at[i], "-")) return am_fail(err, AM_E_USAGE, "--enrol -: wanted a file or a folder");
  return cli_sounds_list(c, at, n, voice, err);
}

static bool uses_voice(const cli_models *team) {
  for (size_t i = 0; i < team->n; i++)
    if (am_checkpoint_uses_speaker(team->at[i])) return true;
  return false;
}

/* The model, if the first argument is one (else *model is NULL), and the sounds. */
static am_status tell_apart(cli *c, const char **model, cli_sounds *s, am_error *err) {
  const char *first = c->arguments[0];
  const bool is_model = cli_names_model(c, first);
  const int before = is_model ? 1 : 0;
  *model = is_model ? first : NULL;
  if (!is_model && strcmp(first, "-") && !am_file_exists(first) && !am_folder_exists(first))
    return am_fail(err, AM_E_IO,
                   "%s: no such file or folder; wanted a model (a run folder or a checkpoint, .h5) or a sound", first);
  if (before == c->n_arguments)
    return am_fail(err, AM_E_USAGE, "%s: is a model; the sounds that it is to hear are missing", first);
  for (int i = 1; i < c->n_arguments; i++)
    if (cli_names_model(c, c->arguments[i]))
      return am_fail(err, AM_E_USAGE, "%s: is a model, not a sound; a model is named first, others with --with",
                     c->arguments[i]);
  return cli_sounds_list(c, c->arguments + before, (size_t)(c->n_arguments - before), s, err);
}

static am_status check_report(const cli_sounds *s, const cli_hearing *how, const char *report, am_error *err) {
  const bool windows = how->window > 0 && !how->segmented, voices = how->segments.rttm || how->segments.split;
  if (windows || voices || how->review || s->n != 1)
    return am_fail(err, AM_E_USAGE,
                   "--report is the page of one sound as a whole, or with --segments over time; leave out %s",
                   windows              ? "--window"
                   : how->segments.rttm ? "--rttm"
                   : voices             ? "--channels split"
                   : how->review        ? "--uncertain-first"
                                        : "all sounds but one");
  if (!strcmp(s->at[0], "-"))
    return am_fail(err, AM_E_USAGE, "--report hears the sound once more, and standard input is read once; give a file");
  return cli_keep_input(report, s->at[0], NULL)
             ? am_fail(err, AM_E_USAGE, "--report %s is a file that is read; give another name", report)
             : AM_OK;
}

static am_status run(cli *c, am_error *err) {
  cli_models team = {0};
  cli_sounds s = {0}, voice = {0};
  const char *model = NULL, *report = cli_value(c, "report", NULL);
  am_thresholds thresholds;
  cli_hearing how;
  bool decides = false;
  am_status st = hearing_get(c, &how, err);
  if (!st) st = tell_apart(c, &model, &s, err);
  if (!st) st = voice_list(c, &voice, err);
  if (!st) st = cli_models_load(c, model, &team, err);
  if (!st && cli_has(c, "switch-penalty")) st = cli_models_need_classes(&team, "--switch-penalty", err);
  if (!st && cli_has(c, "shrink") && !voice.n)
    st = am_fail(err, AM_E_USAGE, "--shrink is of --enrol, which is missing");
  if (!st) st = cli_shrink(c, &team, err);
  for (size_t i = 0; i < team.n && !st; i++) st = prepare(c, &team, i, &s, &voice, &how, err);
  if (!st && voice.n && !uses_voice(&team))
    st = am_fail(err, AM_E_USAGE, "--enrol: this model does not normalise per speaker, so a voice changes nothing");
  if (!st && how.segmented && s.n > 1 && cli_segments_of_one(&how.segments))
    st = am_fail(err, AM_E_USAGE, "--format %s is a document of one sound, and there are %zu",
                 cli_value(c, "format", ""), s.n);
  if (!st) st = cli_thresholds(c, &team, am_checkpoint_knows_speaker(team.at[0]), &thresholds, &decides, err);
  if (!st && decides) how.shape.thresholds = &thresholds;
  if (!st && how.segmented && !how.segments.rttm) st = cli_detector_load(c, &team, "model", err);
  if (!st && how.segmented) st = cli_priors_get(c, team.at[0], &how.segments.priors, err);
  if (!st && report) st = check_report(&s, &how, report, err);
  if (!st && report) st = am_file_can_be_made(c->ctx, report, err);
  if (!st) st = cli_predict_all(c, &team, &s, &how, err);
  if (!st && report) st = cli_predict_page(c, &team, &s, &how, report, err);
  am_free(c->ctx, how.segments.priors);
  cli_sounds_free(c, &voice);
  cli_sounds_free(c, &s);
  cli_models_free(c, &team);
  return st;
}

static const cli_flag flags[] = {
    {"with", "RUN|FILE.h5", "another model of the same classes: the mean of the probabilities is given (repeatable)"},
    CLI_STORAGE_FLAG,
    {"window", "SECONDS", "predict from windows of so long, one after the other, and say from when to when each is"},
    {"hop", "SECONDS", "time from the start of one window to that of the next (default: --window)"},
    {"segments", NULL, "tell when somebody speaks, and cut speech into segments of one emotion"},
    {"format", "text|json|csv|rttm|audacity|textgrid|elan", "of --segments; textgrid is Praat's (text)"},
    {"vad", "model|energy|none|FILE.h5",
     "of --segments: speech is what a detector says (model: the one that comes with AudioMood, if it is there), what "
     "is clearly "
     "louder than the noise (energy), or all there is"},
    {"neutral-prior", "P",
     "of --segments: so often speech is neutral or calm (0 to 1), where each class was as likely as another before"},
    {"switch-penalty", "P", "of --segments: what a change of emotion within an utterance costs; 0: nothing (1)"},
    {"rttm", "FILE", "of --segments: who speaks when, as a diariser says it; each voice is learned by itself"},
    {"channels", "mix|split",
     "of --segments: the mean of all (mix), or a speaker on each channel, whose voice is learned by itself"},
    {"track", "N", "of a film with several tracks of sound: which one, from 1 on"},
    {"learn-voice", NULL, "of --segments: all speech is of one speaker, whose voice becomes known while it is heard"},
    {"min-silence", "SECONDS", "of --segments: a shorter pause does not end an utterance (0.4)"},
    {"threshold", "P",
     "the answer is uncertain below this probability, in place of the model's thresholds; 0: one is always given"},
    {"json", NULL, "one line of JSON a sound, a window or a segment"},
    {"csv", NULL, "a header and one line a sound, a window or a segment"},
    {"enrol", "FILE|DIR",
     "other recordings, or a profile, of the one speaker of all sounds (repeatable; for models that "
     "normalise per speaker, or do better once they know a voice)"},
    {"shrink", "SECONDS", "of --enrol: in place of the model's features.shrink"},
    {"speaker", "NAME", "all sounds are of this one speaker, whose voice is known by them (for the same models)"},
    {"out", "FILE",
     "rows are added to this file (-o), CSV or JSON lines; a second call goes on after the last one. A sound that "
     "cannot be "
     "read has a row, too"},
    {"report", "FILE.html",
     "also a page of the sound, to look at and to listen to, with which time and frequency moved the answer, or with "
     "--segments how the emotion goes over time"},
    {"uncertain-first", NULL,
     "a CSV table for a person to correct, which training reads as a manifest (-o): the sounds of which the model is "
     "least "
     "sure come first"},
    {"skip-unreadable", NULL, "sounds that cannot be read are no failure: they are named and skipped"},
    {0},
};

const cli_command cli_predict = {
    .name = "predict",
    .summary = "gives every emotion's probability for sounds",
    .usage =
        "[RUN|FILE.h5] AUDIO|DIR|-... [--with RUN|FILE.h5]... [--window SECONDS [--hop SECONDS]] [--threshold P] "
        "[--segments [--format NAME] [--vad model|energy|none|FILE.h5] [--min-silence SECONDS] [--switch-penalty P] "
        "[--neutral-prior P] "
        "[--rttm FILE] "
        "[--channels mix|split] "
        "[--learn-voice]] [--json|--csv|--uncertain-first] [-o FILE] [--report FILE.html] [--enrol FILE|DIR]... "
        "[--shrink SECONDS] [--speaker NAME] [--track N] [--skip-unreadable]",
    .details =
        "Without a model (RUN or FILE.h5) the one that comes with AudioMood is taken, and it is said which that is.\n"
        "RUN may be the folder of a cross-validation: the mean of its models.\n"
        "AUDIO is any sound file or film, DIR is searched for sounds at any depth, - is standard input. Rows have the "
        "order of\n"
        "the arguments, and below DIR that of the names. A sound that cannot be read does not keep the others from "
        "being\n"
        "heard; the exit code is then 1.\n"
        "Of a recording with more than one thing said in it, --window tells how the emotion goes; windows as long as "
        "the\n"
        "clips that were trained on suit a model best. The last one ends with the sound.\n"
        "What is silent or shorter than 0.1 s gets no label, but a reason. Noise and music get a label. A model with\n"
        "thresholds (train.wanted_precision) says uncertain where the most probable emotion is not probable enough.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run,
};
