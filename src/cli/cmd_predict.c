/* cli/cmd_predict.c - audiomood predict: every emotion's probability for each sound. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "model/ensemble.h"

/* How the sounds are heard and told. */
typedef struct hearing {
  cli_format format;
  const am_thresholds *thresholds; /* below which the answer is uncertain; NULL: always one is given */
  double window, hop;              /* s; window 0: each sound as a whole */
  bool skip;                       /* --skip-unreadable */
  bool segmented;                  /* --segments, by: */
  cli_segmenting segments;
  /* Sounds of which something has to be said at the end, once. */
  cli_tally silent, too_short, cut, low, speechless;
  double whole_in; /* s: windows of so long hear all of those that were cut */
} hearing;

static am_status add_to_statistics(cli *c, am_checkpoint *m, const char *path, am_error *err) {
  am_sound sound;
  am_status st = cli_sound_read_track(c, path, am_checkpoint_rate(m), &sound, err);
  if (st) return st;
  st = am_checkpoint_add_speaker(m, sound.samples, sound.n, err);
  am_sound_free(&sound);
  return st ? am_error_prefix(err, "%s", path) : AM_OK;
}

/* What --enrol names: other recordings of the one speaker of all sounds. */
static am_status enrol(cli *c, am_checkpoint *m, const cli_sounds *voice, const hearing *how, am_error *err) {
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

/* What has to be said of a sound: its windows (one: the sound as a whole), and how many of them had no label. */
typedef struct windows {
  size_t n, silent, too_short;
  bool cut;
  double seconds, least_heard;
} windows;

static void tell(cli *c, cli_tally *tally, const char *file, size_t some, const windows *w, const am_sound *sound) {
  if (!some) return;
  if (w->n > 1) cli_tally_add(c, tally, "%s (%zu of its %zu windows)", file, some, w->n);
  else if (sound->file_channels < 2) cli_tally_add(c, tally, "%s", file);
  else cli_tally_add(c, tally, "%s (the mean of its %d channels)", file, sound->file_channels);
}

static void tell_all(cli *c, const cli_models *team, hearing *how, const char *file, const windows *w,
                     const am_sound *sound) {
  double needed = 0;
  for (size_t i = 0; i < team->n; i++)
    for (size_t j = 0; j < am_checkpoint_members(team->at[i]); j++)
      if (am_checkpoint_weight(team->at[i], j) > 0)
        needed = fmax(needed, am_features_rate_needed(&am_checkpoint_member(team->at[i], j)->config->features));
  tell(c, &how->silent, file, w->silent, w, sound);
  tell(c, &how->too_short, file, w->too_short, w, sound);
  if (sound->file_rate > 0 && sound->file_rate < needed)
    cli_tally_add(c, &how->low, "%s (%g Hz)", file, sound->file_rate);
  if (!w->cut) return;
  how->whole_in = how->cut.n ? fmin(how->whole_in, w->least_heard) : w->least_heard;
  cli_tally_add(c, &how->cut, "%s (%.2f of %.2f s)", file, w->least_heard, w->seconds);
}

static void count(windows *w, const am_heard *heard, double seconds) {
  w->n++;
  w->silent += heard->unheard == AM_UNHEARD_SILENT;
  w->too_short += heard->unheard == AM_UNHEARD_TOO_SHORT;
  if (!heard->cut || (w->cut && heard->seconds >= w->least_heard)) return;
  w->cut = true;
  w->least_heard = heard->seconds;
  w->seconds = seconds;
}

typedef struct hearer {
  cli *c;
  const am_checkpoint *first;
  const hearing *how;
  const char *file;
  windows windows;
  bool ended; /* by each(), whose message names the file */
} hearer;

static am_status each(void *user, const am_window *w, am_error *err) {
  hearer *h = user;
  cli_predicted row = {.file = h->file,
                       .p = w->probabilities,
                       .unheard = w->heard.unheard,
                       .seconds = w->seconds,
                       .seconds_heard = w->heard.seconds,
                       .window = h->how->window > 0,
                       .start = w->start,
                       .end = w->end,
                       .thresholds = h->how->thresholds};
  count(&h->windows, &w->heard, w->seconds);
  am_status st = cli_predicted_row(h->c, h->first, h->how->format, &row, err);
  if (!st && !w->last && am_context_stopping(h->c->ctx))
    st = am_fail(err, AM_E_STOPPED, "stopped after %.2f s of %s", w->end, h->file);
  h->ended = st != AM_OK;
  return st;
}

/* Samples on their way to windows. */
typedef struct pushed {
  am_stream *stream;
  double rate;
  bool failed; /* the stream, not the sound */
} pushed;

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  pushed *p = user;
  am_status st = am_stream_push(p->stream, samples, n, p->rate, err);
  p->failed = st != AM_OK;
  return st;
}

/* A row for each window, as the sound is read. */
static am_status predict_windows(cli *c, const cli_models *team, hearing *how, const char *path, hearer *h,
                                 am_sound *sound, bool *at_fault, am_error *err) {
  const am_window_teller teller = {each, h};
  pushed p = {.rate = am_checkpoint_rate(team->at[0])};
  am_status st = am_ensemble_windows_open(team->ensemble, how->window, how->hop, &teller, &p.stream, err);
  if (st) return st;
  st = cli_sound_feed(c, path, p.rate, 0, push, &p, sound, err);
  *at_fault = cli_sound_is_bad(st) && !p.failed;
  if (!st) p.failed = true, st = am_stream_end(p.stream, err);
  am_stream_free(p.stream);
  if (!st || *at_fault || h->ended) return st;
  *at_fault = st == AM_E_NUMERIC || st == AM_E_DATA;
  return am_error_prefix(err, "%s", h->file);
}

/* One row. */
static am_status predict_whole(cli *c, const cli_models *team, const char *path, hearer *h, am_sound *sound,
                               bool *at_fault, am_error *err) {
  am_status st = cli_sound_read_track(c, path, am_checkpoint_rate(team->at[0]), sound, err);
  *at_fault = cli_sound_is_bad(st);
  if (st) return st;
  st = am_ensemble_windows(team->ensemble, sound->samples, sound->n, 0, 0, each, h, err);
  *at_fault = st == AM_E_NUMERIC || st == AM_E_DATA;
  return st && !h->ended ? am_error_prefix(err, "%s", h->file) : st;
}

static am_status predict_segments(cli *c, const cli_models *team, hearing *how, const char *path, hearer *h,
                                  am_sound *sound, bool *at_fault, am_error *err) {
  cli_segmented told;
  am_status st = cli_segments_print(c, team, &how->segments, how->thresholds, path, &told, sound, at_fault, err);
  h->windows = (windows){.n = told.measured, .silent = told.silent, .too_short = told.too_short};
  if (!st && !told.utterances) cli_tally_add(c, &how->speechless, "%s", h->file);
  return st;
}

/* *at_fault: the failure is of the sound alone. */
static am_status predict_file(cli *c, const cli_models *team, hearing *how, const char *path, bool *at_fault,
                              am_error *err) {
  am_sound sound = {.size = sizeof sound};
  hearer h = {.c = c, .first = team->at[0], .how = how, .file = cli_sound_shown(path)};
  const double began = am_now();
  am_status st = how->segmented    ? predict_segments(c, team, how, path, &h, &sound, at_fault, err)
                 : how->window > 0 ? predict_windows(c, team, how, path, &h, &sound, at_fault, err)
                                   : predict_whole(c, team, path, &h, &sound, at_fault, err);
  if (!st || h.ended) tell_all(c, team, how, h.file, &h.windows, &sound);
  if (!st)
    am_log(c->ctx, AM_LOG_DEBUG, "%s: %.2f s at %g Hz in %d channel(s), predicted in %.3f s", cli_sound_shown(path),
           (double)sound.n / sound.rate, sound.file_rate, sound.file_channels, am_now() - began);
  am_sound_free(&sound);
  return st;
}

/* What was noticed, once for all sounds. */
static void say_noticed(cli *c, hearing *how, size_t sounds, double rate) {
  const bool part = how->window > 0;
  size_t n = how->silent.n;
  if (n)
    am_log(c->ctx, AM_LOG_WARNING, "%zu of %zu sounds %s silent%s and %s no label%s: %s", n, sounds,
           am_count(n, "is", "are"), part ? ", at least in part," : "", am_count(n, "has", "have"),
           part ? " there" : "", cli_tally_names(c, &how->silent));
  if ((n = how->too_short.n))
    am_log(c->ctx, AM_LOG_WARNING, "%zu of %zu sounds %s shorter than 0.1 s and %s no label: %s", n, sounds,
           am_count(n, "is", "are"), am_count(n, "has", "have"), cli_tally_names(c, &how->too_short));
  if ((n = how->low.n))
    am_log(c->ctx, AM_LOG_WARNING,
           "%zu of %zu sounds %s a lower rate than the %g Hz this model hears; what is missing in "
           "%s costs accuracy: %s",
           n, sounds, am_count(n, "has", "have"), rate, am_count(n, "it", "them"), cli_tally_names(c, &how->low));
  if ((n = how->cut.n))
    am_log(c->ctx, AM_LOG_WARNING,
           "%zu of %zu sounds %s longer than what this model hears; only %s start is heard: %s; "
           "with --window %.2f all of it is heard, a window after the other",
           n, sounds, am_count(n, "is", "are"), am_count(n, "its", "their"), cli_tally_names(c, &how->cut),
           floor(100 * how->whole_in) / 100);
  if ((n = how->speechless.n))
    am_log(c->ctx, AM_LOG_WARNING,
           "in %zu of %zu sounds nobody was found to speak: %s; --vad none takes all of a sound", n, sounds,
           cli_tally_names(c, &how->speechless));
  cli_tally_free(c, &how->speechless);
  cli_tally_free(c, &how->silent);
  cli_tally_free(c, &how->too_short);
  cli_tally_free(c, &how->low);
  cli_tally_free(c, &how->cut);
}

static am_status predict_all(cli *c, const cli_models *team, const cli_sounds *s, hearing *how, am_error *err) {
  const am_checkpoint *m = team->at[0];
  size_t skipped = 0;
  am_status st = how->segmented ? cli_segments_head(c, m, &how->segments, err)
                                : cli_predicted_head(c, m, how->format, how->window > 0, how->thresholds != NULL, err);
  for (size_t i = 0; i < s->n && !st; i++) {
    bool at_fault = false;
    if (am_context_stopping(c->ctx)) st = am_fail(err, AM_E_STOPPED, "stopped after %zu of %zu sounds", i, s->n);
    else st = predict_file(c, team, how, s->at[i], &at_fault, err);
    if (!st || !at_fault || !how->skip) continue;
    am_log(c->ctx, AM_LOG_WARNING, "skipped: %s", err->message);
    *err = (am_error)AM_ERROR_INIT;
    st = AM_OK;
    skipped++;
  }
  say_noticed(c, how, s->n, am_checkpoint_rate(m));
  if (skipped) am_log(c->ctx, AM_LOG_WARNING, "%zu of %zu sounds skipped", skipped, s->n);
  if (!st && skipped == s->n) st = am_fail(err, AM_E_DATA, "no sound could be read");
  return st;
}

/* What must hold, or be made ready, before a model hears the sounds. */
static am_status prepare(cli *c, const cli_models *team, size_t i, const cli_sounds *s, const cli_sounds *voice,
                         const hearing *how, am_error *err) {
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

static am_status hearing_get(const cli *c, hearing *how, am_error *err) {
  *how = (hearing){.skip = cli_has(c, "skip-unreadable")};
  how->format = cli_has(c, "json") ? CLI_JSON : cli_has(c, "csv") ? CLI_CSV : CLI_TEXT;
  if (cli_has(c, "json") && cli_has(c, "csv")) return am_fail(err, AM_E_USAGE, "--json or --csv, not both");
  static const char *const of_segments[] = {"format", "vad",      "min-silence", "switch-penalty",
                                            "rttm",   "channels", "learn-voice", "neutral-prior"};
  how->segmented = cli_has(c, "segments");
  if (how->segmented) return cli_segmenting_get(c, &how->segments, err);
  for (size_t i = 0; i < sizeof of_segments / sizeof *of_segments; i++)
    if (cli_has(c, of_segments[i]))
      return am_fail(err, AM_E_USAGE, "--%s is of --segments, which is missing", of_segments[i]);
  if (cli_has(c, "hop") && !cli_has(c, "window"))
    return am_fail(err, AM_E_USAGE, "--hop is the time from one window to the next; give --window SECONDS, too");
  am_status st = cli_real(c, "window", 0.1, cli_longest_sound, 0, &how->window, err);
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

static am_status run(cli *c, am_error *err) {
  cli_models team = {0};
  cli_sounds s = {0}, voice = {0};
  const char *model = NULL;
  am_thresholds thresholds;
  hearing how;
  bool decides = false;
  am_status st = hearing_get(c, &how, err);
  if (!st) st = tell_apart(c, &model, &s, err);
  if (!st) st = voice_list(c, &voice, err);
  if (!st) st = cli_models_load(c, model, &team, err);
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
  if (!st && decides) how.thresholds = &thresholds;
  if (!st && how.segmented && !how.segments.rttm) st = cli_detector_load(c, &team, "model", err);
  if (!st && how.segmented) st = cli_priors_get(c, team.at[0], &how.segments.priors, err);
  if (!st) st = predict_all(c, &team, &s, &how, err);
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
    {"json", NULL, "one line of JSON a sound, or a window"},
    {"csv", NULL, "a header and one line a sound, or a window"},
    {"enrol", "FILE|DIR",
     "other recordings, or a profile, of the one speaker of all sounds (repeatable; for models that "
     "normalise per speaker, or do better once they know a voice)"},
    {"shrink", "SECONDS", "of --enrol: in place of the model's features.shrink"},
    {"speaker", "NAME", "all sounds are of this one speaker, whose voice is known by them (for the same models)"},
    {"skip-unreadable", NULL, "name and skip sounds that cannot be read, instead of stopping"},
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
        "[--learn-voice]] [--json|--csv] [--enrol FILE|DIR]... "
        "[--shrink SECONDS] [--speaker NAME] [--track N] [--skip-unreadable]",
    .details =
        "Without a model (RUN or FILE.h5) the one that comes with AudioMood is taken, and it is said which that is.\n"
        "RUN may be the folder of a cross-validation: the mean of its models.\n"
        "AUDIO is any sound file or film, DIR is searched for sounds, - is standard input.\n"
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
