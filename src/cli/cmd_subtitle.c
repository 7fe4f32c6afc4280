/* SPDX-License-Identifier: MIT */
/* cli/cmd_subtitle.c - audiomood subtitle: says in subtitles how something is said. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "cli/subtitled.h"
#include "model/ensemble.h"
#include "subtitle/convert.h"
#include "subtitle/transcript.h"

/* ---- what is wanted ---- */

static am_status find_name(const char *flag, const char *name, const char *const *names, int n, int *out,
                           am_error *err) {
  char all[120] = "";
  for (int i = 0; i < n; i++) {
    if (!strcmp(name, names[i])) return *out = i, AM_OK;
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", names[i]);
  }
  return am_fail(err, AM_E_USAGE, "--%s %s: wanted one of %s", flag, name, all);
}

/* The flags that give subtitles, and how each is read; NULL: what a recogniser wrote, which becomes WebVTT. */
static const struct {
  const char *flag;
  const am_cue_syntax *syntax;
  cli_subtitle_format to;
} givens[] = {{"srt", &am_srt, CLI_TO_SRT},
              {"vtt", &am_vtt, CLI_TO_VTT},
              {"ass", &am_ass, CLI_TO_ASS},
              {"ttml", &am_ttml, CLI_TO_TTML},
              {"transcript", NULL, CLI_TO_SRT}};
enum { GIVENS = sizeof givens / sizeof *givens };

/* Which of them is given; GIVENS: none. */
static int which(const cli *c) {
  int i = 0;
  while (i < GIVENS && !cli_has(c, givens[i].flag)) i++;
  return i;
}

static am_status get_given(const cli *c, cli_subtitled *s, am_error *err) {
  const int first = which(c);
  for (int i = first + 1; i < GIVENS; i++)
    if (cli_has(c, givens[i].flag))
      return am_fail(err, AM_E_USAGE, "--%s or --%s, not both", givens[first].flag, givens[i].flag);
  s->given = first < GIVENS ? cli_value(c, givens[first].flag, NULL) : NULL;
  return AM_OK;
}

/* --to, or the ending of --out, or the format of the subtitles. */
static am_status get_format(const cli *c, cli_subtitled *s, am_error *err) {
  const char *to = cli_value(c, "to", NULL), *out = cli_value(c, "out", "");
  char ending[8];
  int found = which(c) < GIVENS ? (int)givens[which(c)].to : CLI_TO_SRT;
  for (int i = 0; i < CLI_TO_FORMATS && !to; i++) {
    snprintf(ending, sizeof ending, ".%s", cli_subtitle_formats[i]);
    if (am_text_ends(out, ending)) found = i;
  }
  am_status st = to ? find_name("to", to, cli_subtitle_formats, CLI_TO_FORMATS, &found, err) : AM_OK;
  s->to = (cli_subtitle_format)found;
  return st;
}

static am_status get_words(const cli *c, cli_subtitled *s, am_error *err) {
  s->language = cli_value(c, "language", "en");
  am_status st = am_emotion_words_load(c->ctx, cli_value(c, "words", NULL), &s->words, err);
  if (st || am_emotion_words_speak(&s->words, s->language)) return st;
  am_buffer all = {0};
  am_emotion_words_languages(&s->words, &all);
  st = all.failed
           ? am_no_memory(err)
           : am_fail(err, AM_E_USAGE, "--language %s: no words of it; there are %s, and --words FILE adds others",
                     s->language, all.data);
  am_buffer_free(c->ctx, &all);
  return st;
}

static am_status get_show(const cli *c, cli_subtitled *s, am_error *err) {
  int64_t a_minute;
  s->show = am_show_defaults;
  am_status st = cli_real(c, "margin", 0, 1, s->show.margin, &s->show.margin, err);
  if (!st) st = cli_real(c, "gap", 0, 3600, s->show.gap, &s->show.gap, err);
  if (!st) st = cli_int(c, "per-minute", 0, AM_SHOW_MOST, s->show.a_minute, &a_minute, err);
  if (!st) s->show.a_minute = (int)a_minute;
  return st;
}

static am_status get(const cli *c, cli_subtitled *s, am_error *err) {
  static const char *const of_cues[] = {"style", "margin", "gap", "per-minute"};
  int style = 0;
  am_status st = get_given(c, s, err);
  if (!st) st = get_format(c, s, err);
  if (!st) st = find_name("style", cli_value(c, "style", "sdh"), am_tag_names, AM_TAG_STYLES, &style, err);
  s->style = (am_tag_style)style;
  for (size_t i = 0; i < sizeof of_cues / sizeof *of_cues && !st; i++)
    if (!s->given && cli_has(c, of_cues[i]))
      st = am_fail(err, AM_E_USAGE,
                   "--%s is for subtitles, which are given by --srt, --vtt, --ass, --ttml or --transcript", of_cues[i]);
  if (!st && s->style == AM_TAG_CLASS && s->to != CLI_TO_VTT)
    st = am_fail(err, AM_E_USAGE, "--style class is of WebVTT; add --to vtt");
  if (!st) st = get_show(c, s, err);
  return st ? st : get_words(c, s, err);
}

/* ---- subtitles in, and out ---- */

static am_status read_cues(cli *c, cli_subtitled *s, am_error *err) {
  const am_cue_syntax *syntax = givens[which(c)].syntax, *to = cli_subtitled_syntax(s->to);
  am_status st = syntax ? am_cues_read(c->ctx, s->given, syntax, &s->cues, err)
                        : am_transcript_read(c->ctx, s->given, &s->cues, err);
  if (st) return st;
  if (s->cues.latin1)
    am_log(c->ctx, AM_LOG_WARNING, "%s: is not UTF-8; it is taken for Latin-1 and %s", s->given,
           to == syntax ? "stays so" : "becomes UTF-8");
  if (!to || to == s->cues.syntax) return AM_OK;
  am_cues from = s->cues;
  st = am_cues_convert(&from, to, s->given, &s->cues, err);
  am_cues_free(&from);
  return st;
}

static am_status put_out(cli *c, const am_buffer *all, am_error *err) {
  const char *out = cli_value(c, "out", NULL);
  if (out) return am_file_write(c->ctx, out, all->data ? all->data : "", all->used, err);
  cli_put_data(all->data ? all->data : "", all->used);
  return cli_flush(err);
}

static am_status strip(cli *c, cli_subtitled *s, am_error *err) {
  static const char *const not [] = {"style", "margin",    "gap",   "per-minute", "language", "model",
                                     "with",  "threshold", "enrol", "to",         "report"};
  for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
    if (cli_has(c, not [i])) return am_fail(err, AM_E_USAGE, "--%s does not go with --strip", not [i]);
  if (!s->given || !givens[which(c)].syntax)
    return am_fail(err, AM_E_USAGE, "--strip wants subtitles: --srt, --vtt, --ass or --ttml FILE");
  if (c->n_arguments) return am_fail(err, AM_E_USAGE, "--strip hears no sound; leave %s out", c->arguments[0]);
  am_tagger t;
  am_buffer all = {0};
  size_t n = 0;
  s->to = givens[which(c)].to;
  am_status st = read_cues(c, s, err);
  if (st) return st;
  st = am_tagger_begin(&t, &s->cues, &s->words, err);
  if (!st) st = am_tag_strip(&t, &n, err);
  am_tagger_end(&t);
  if (!st) am_cues_write(&s->cues, &all);
  if (!st && all.failed) st = am_no_memory(err);
  if (!st) st = put_out(c, &all, err);
  if (!st) am_log(c->ctx, AM_LOG_INFO, "%zu of %zu cues had an emotion, which was taken off", n, s->cues.n);
  am_buffer_free(c->ctx, &all);
  return st;
}

/* ---- hearing ---- */

static am_status enrol(cli *c, am_checkpoint *m, const cli_sounds *voice, am_error *err) {
  const cli_voice heard = {.sounds = voice, .profiles = true};
  am_profile *p = NULL;
  am_status st = am_profile_of_model(m, &p, err);
  if (!st) st = cli_voice_add(c, &heard, p, err);
  if (!st) st = am_checkpoint_enrol(m, p, err);
  if (!st) cli_voice_say_short(c, p);
  am_profile_free(p);
  return st;
}

static am_status prepare(cli *c, const cli_subtitled *s, size_t i, const cli_sounds *voice, am_error *err) {
  am_checkpoint *m = s->team.at[i];
  am_status st = am_ensemble_check_rate(s->team.ensemble, i, err);
  if (st) return st;
  if (m->synthetic)
    am_log(c->ctx, AM_LOG_WARNING, "this model was trained on synthetic speech; it knows nothing about real voices");
  if (voice->n && am_checkpoint_uses_speaker(m)) return enrol(c, m, voice, err);
  if (voice->n)
    return am_fail(err, AM_E_USAGE, "--enrol: this model does not normalise per speaker, so a voice changes nothing");
  if (!am_checkpoint_wants_speaker(m) || cli_subtitled_knows_voices(s)) return AM_OK;
  return am_fail(
      err, AM_E_USAGE,
      "this model normalises per speaker: add --enrol FILE with other recordings of the one speaker, or give a "
      "file whose cues name theirs");
}

/* How sure a tag has to be: as the user says, or by thresholds for at least as many right as viewers should get; where a model has
 * none of these, by a probability besides its own.  Chosen on actors that the models did not know (docs/over-time.md). */
static const double WANTED = 0.8, SURE = 0.8;

static am_status decide_when(cli *c, cli_subtitled *s, bool known, am_error *err) {
  am_thresholds *t = &s->thresholds[known];
  am_status st = cli_thresholds(c, &s->team, known, t, &s->decides[known], err);
  if (st || cli_has(c, "threshold") || (s->decides[known] && t->precision >= WANTED)) return st;
  for (int k = 0; k < s->team.at[0]->classes; k++) t->at[k] = s->decides[known] ? fmax(t->at[k], SURE) : SURE;
  s->decides[known] = true;
  return AM_OK;
}

static am_status load(cli *c, cli_subtitled *s, am_error *err) {
  cli_sounds voice = {0};
  const char *at[CLI_MAX_FLAGS];
  am_status st = cli_models_load(c, cli_value(c, "model", NULL), &s->team, err);
  if (!st) st = cli_subtitled_check_values(s, err);
  if (!st) st = cli_sounds_list(c, at, cli_values(c, "enrol", at), &voice, err);
  for (size_t i = 0; i < s->team.n && !st; i++) st = prepare(c, s, i, &voice, err);
  s->enrolled = !st && am_checkpoint_knows_speaker(s->team.at[0]);
  s->learns = !st && !voice.n && s->given && cli_subtitled_knows_voices(s);
  cli_sounds_free(c, &voice);
  if (st || s->team.at[0]->values) return st;
  for (int known = 0; known < 2 && !st; known++)
    if (s->learns || known == s->enrolled) st = decide_when(c, s, known, err);
  if (!st && !cli_has(c, "threshold") && s->team.n == 1 &&
      !(am_checkpoint_set_for(s->team.at[0], s->enrolled)->thresholds.precision > 0))
    am_log(c->ctx, AM_LOG_WARNING,
           "the model has no thresholds (train.wanted_precision), so that from a probability of %g on a tag is shown; "
           "--threshold P "
           "sets another",
           SURE);
  return st ? st : cli_subtitled_name(s, err);
}

static am_status hear(cli *c, cli_subtitled *s, am_error *err) {
  am_status found = !s->given || cli_has(c, "report") ? cli_detector_load(c, &s->team, "model", err) : AM_OK;
  if (!found && !s->given && s->team.at[0]->values) return cli_subtitled_hear_steps(s, err);
  if (found || !s->given) return found ? found : cli_utterances_hear(c, &s->team, s->media, &s->heard, err);
  if (s->learns) return cli_subtitled_hear_voices(s, err);
  cli_span *spans = am_alloc(c->ctx, s->cues.n + 1, sizeof *spans);
  if (!spans) return am_no_memory(err);
  for (size_t i = 0; i < s->cues.n; i++) spans[i] = (cli_span){.start = s->cues.at[i].start, .end = s->cues.at[i].stop};
  am_status st = cli_spans_hear(c, &s->team, s->media, spans, s->cues.n, &s->heard, err);
  am_free(c->ctx, spans);
  return st;
}

static void say(cli *c, const cli_subtitled *s) {
  size_t unheard = 0, shown = 0;
  for (size_t i = 0; i < s->heard.n; i++) unheard += !s->heard.at[i].measured, shown += s->told[i].shown;
  if (!s->given && !s->heard.n)
    am_log(c->ctx, AM_LOG_WARNING, "%s: nobody was found to speak", cli_sound_shown(s->media));
  if (!s->given) return;
  if (unheard)
    am_log(c->ctx, AM_LOG_WARNING, "at %zu of %zu cues there is nothing to hear: silence, or the sound has ended",
           unheard, s->heard.n);
  if (!s->team.at[0]->values) am_log(c->ctx, AM_LOG_INFO, "%zu of %zu cues say how", shown, s->heard.n);
}

static am_status check_report(const cli_subtitled *s, const char *report, const char *out, am_error *err) {
  if (!strcmp(s->media, "-"))
    return am_fail(err, AM_E_USAGE, "--report hears the sound once more, and standard input is read once; give a file");
  if (cli_keep_input(report, s->media, NULL) || (s->given && cli_keep_input(report, s->given, NULL)))
    return am_fail(err, AM_E_USAGE, "--report %s is a file that is read; give another name", report);
  if (out && !strcmp(report, out)) return am_fail(err, AM_E_USAGE, "--report and --out are the same file: %s", out);
  return AM_OK;
}

static am_status work(cli *c, cli_subtitled *s, am_error *err) {
  const char *out = cli_value(c, "out", NULL), *report = cli_value(c, "report", NULL);
  am_buffer all = {0};
  s->media = c->n_arguments ? c->arguments[0] : NULL;
  if (!s->media) return am_fail(err, AM_E_USAGE, "wanted the sound that the subtitles are of");
  if (cli_names_model(c, s->media))
    return am_fail(err, AM_E_USAGE, "%s: is a model, not a sound; a model is named by --model", s->media);
  am_status st = s->given ? read_cues(c, s, err) : AM_OK;
  if (!st && report) st = check_report(s, report, out, err);
  if (!st && report) st = am_file_can_be_made(c->ctx, report, err);
  if (!st && out) st = cli_keep_input(out, s->media, err);
  if (!st && out) st = am_file_can_be_made(c->ctx, out, err);
  if (!st) st = load(c, s, err);
  if (!st && !s->team.at[0]->values) st = cli_priors_get(c, s->team.at[0], &s->priors, err);
  if (!st) st = hear(c, s, err);
  for (size_t i = 0, k = s->priors && !st ? (size_t)s->team.at[0]->classes : 0; k && i < s->heard.n; i++)
    cli_priors_apply(s->priors, (int)k, s->heard.p + i * k, s->heard.p + i * k);
  if (!st) st = cli_subtitled_decide(s, err);
  if (!st) st = cli_subtitled_write(s, &all, err);
  if (!st && report) st = cli_subtitled_page(s, report, err);
  if (!st) st = put_out(c, &all, err);
  if (!st) say(c, s);
  am_buffer_free(c->ctx, &all);
  return st;
}

static am_status run(cli *c, am_error *err) {
  cli_subtitled s = {.c = c, .words.ctx = c->ctx, .cues.ctx = c->ctx};
  am_status st = get(c, &s, err);
  if (!st) st = cli_has(c, "strip") ? strip(c, &s, err) : work(c, &s, err);
  am_free(c->ctx, s.priors);
  am_free(c->ctx, s.told);
  am_free(c->ctx, s.known);
  am_free(c->ctx, s.quiet);
  am_free(c->ctx, (void *)s.word);
  cli_heard_free(c, &s.heard);
  am_cues_free(&s.cues);
  am_emotion_words_free(&s.words);
  cli_models_free(c, &s.team);
  return st;
}

static const cli_flag flags[] = {
    {"srt", "FILE",
     "the subtitles of the sound, as SRT; without, each utterance becomes a cue with its emotion as text, or, of a "
     "model of dimensions, cues with its values"},
    {"vtt", "FILE", "the same as WebVTT"},
    {"ass", "FILE", "the same as Advanced SubStation Alpha"},
    {"ttml", "FILE", "the same as TTML"},
    {"transcript", "FILE.json",
     "what a recogniser wrote: whisper, whisper.cpp, faster-whisper, WhisperX or Vosk, whose words may have times"},
    {"out", "FILE", "where to write; may be the subtitles themselves (default: standard output)"},
    {"to", "srt|vtt|ass|ttml|csv|json",
     "the format to write (default: by the ending of --out, else that of the subtitles)"},
    {"style", "sdh|bbc|tag|class|emoji",
     "sdh: [angrily] text; bbc: ANGRILY: text; tag: (angry) text; class: <c.angry> and a STYLE block; emoji"},
    {"language", "en|de|fr|es|it|pl|pt|nl|zh|ja|CODE", "language of the words; others by --words (en)"},
    {"words", "FILE.yaml", "words of other languages, or in place of ours: {sv: {angry: [argt, arg]}}"},
    {"margin", "P", "an emotion is shown where it leads the next by so much (default 0.2)"},
    {"gap", "SECONDS", "at least so long from one shown emotion to the next (default 10)"},
    {"per-minute", "N", "at most so many are shown in any minute (default 3)"},
    {"neutral-prior", "P",
     "so often speech is neutral or calm (0 to 1), where each class was as likely as another before"},
    {"threshold", "P", "shown from this probability on, in place of the model's thresholds and of 0.8; 0: none"},
    {"track", "N", "of a film with several tracks of sound: which one, from 1 on"},
    {"model", "RUN|FILE.h5", "the model (default: the one that comes with AudioMood)"},
    CLI_STORAGE_FLAG,
    {"with", "RUN|FILE.h5", "another model of the same classes: the mean is taken (repeatable)"},
    {"enrol", "FILE|DIR", "other recordings, or a profile, of the one speaker (repeatable)"},
    {"report", "FILE.html",
     "also a page with waveform, speech, probabilities, segments and cues over time, which can be played"},
    {"strip", NULL, "take off what this command has written, and nothing else; without a sound"},
    {0},
};

const cli_command cli_subtitle = {
    .name = "subtitle",
    .summary = "says in subtitles how something is said",
    .usage =
        "AUDIO|- [--srt|--vtt|--ass|--ttml FILE | --transcript FILE.json] [--out FILE] [--to "
        "srt|vtt|ass|ttml|csv|json] [--style NAME] [--language CODE] "
        "[--words FILE.yaml] [--margin P] [--gap SECONDS] [--per-minute N] [--neutral-prior P] [--threshold P] "
        "[--model RUN|FILE.h5] [--with RUN|FILE.h5]... [--enrol FILE|DIR]... [--report FILE.html] [--track N] | "
        "--strip "
        "--srt|--vtt|--ass|--ttml FILE "
        "[--out FILE]",
    .details =
        "Each cue is heard by itself, a short one with what is around it, up to 1.5 s. Few cues say how: those of "
        "which the\n"
        "model is sure, that are neither neutral nor calm, where the emotion of the speaker changes, and not too "
        "often. All "
        "else in\nthe file stays as it is, byte for byte. CSV and JSON have every cue with its probabilities.\n"
        "The models were trained on acted speech; how often they are right in films has not been measured.",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run,
};
