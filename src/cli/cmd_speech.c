/* SPDX-License-Identifier: MIT */
/* cli/cmd_speech.c - audiomood speech: where somebody speaks. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "io/csv.h"
#include "io/json.h"
#include "model/detector.h"
#include "model/span.h"

typedef struct finding {
  cli *c;
  cli_models models;
  double rate, threshold, min_speech, min_silence, padding, longest;
  bool scores;
  cli_format format;
  const char *file;
  am_detector *detector;
  am_spans spans;
  uint64_t heard, came; /* up to where it is told; samples */
  size_t n;             /* stretches of this sound */
  double start;         /* of the one under way */
} finding;

static double seconds_at(const finding *f, uint64_t at) { return (double)at / f->rate; }

static am_status put(finding *f, am_buffer *out, am_error *err) {
  am_status st = out->failed ? am_no_memory(err) : AM_OK;
  if (!st) cli_put_data(out->data, out->used);
  am_buffer_free(f->c->ctx, out);
  return st ? st : cli_flush(err);
}

static am_status tell(finding *f, double start, double end, am_error *err) {
  am_buffer out = {0};
  f->n++;
  if (f->format == CLI_JSON) {
    am_json j = am_json_begin(f->c->ctx, &out, 0);
    am_json_open(&j, NULL, '{');
    am_json_text(&j, "file", f->file);
    am_json_real(&j, "start", start);
    am_json_real(&j, "end", end);
    am_json_close(&j);
    am_buffer_append(f->c->ctx, &out, "\n", 1);
  } else if (f->format == CLI_CSV) {
    am_csv_writer w = {.ctx = f->c->ctx, .out = &out};
    am_csv_put(&w, f->file);
    am_csv_put_real(&w, start);
    am_csv_put_real(&w, end);
    am_csv_end_row(&w);
  } else {
    am_buffer_printf(f->c->ctx, &out, "%9.2f %9.2f\n", start, end);
  }
  return put(f, &out, err);
}

static am_status tell_score(finding *f, uint64_t to, float score, am_error *err) {
  am_buffer out = {0};
  am_csv_writer w = {.ctx = f->c->ctx, .out = &out};
  am_csv_put(&w, f->file);
  am_csv_put_real(&w, seconds_at(f, f->heard));
  am_csv_put_real(&w, seconds_at(f, to));
  am_csv_put_real(&w, round(1e5 * (double)score) / 1e5);
  am_csv_end_row(&w);
  return put(f, &out, err);
}

static am_status hear_steps(finding *f, am_error *err) {
  uint64_t to;
  float score;
  am_status st = AM_OK;
  while (!st && am_detector_due(f->detector, &to)) {
    if ((st = am_detector_next(f->detector, &score, err))) break;
    if (f->scores) st = tell_score(f, to, score, err);
    const am_span_news news = am_spans_hear(&f->spans, f->heard, to, score);
    f->heard = to;
    if (news == AM_SPAN_BEGINS) f->start = seconds_at(f, f->spans.start);
    if (!st && !f->scores && (news == AM_SPAN_ENDS || news == AM_SPAN_CUT))
      st = tell(f, f->start, seconds_at(f, f->spans.end), err);
    if (news == AM_SPAN_CUT) f->start = seconds_at(f, f->spans.next);
  }
  if (!st && am_context_stopping(f->c->ctx))
    st = am_fail(err, AM_E_STOPPED, "stopped after %.2f s of a sound", seconds_at(f, f->heard));
  return st;
}

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  finding *f = user;
  f->came += n;
  am_status st = am_detector_push(f->detector, samples, n, err);
  return st ? st : hear_steps(f, err);
}

static uint64_t samples_of(const finding *f, double seconds) { return (uint64_t)llround(seconds * f->rate); }

static am_status find(finding *f, const char *path, am_error *err) {
  am_sound sound = {.size = sizeof sound};
  f->file = cli_sound_shown(path);
  f->heard = f->came = 0;
  f->n = 0;
  am_spans_init(&f->spans, &(am_span_options){.threshold = (float)f->threshold,
                                              .min_speech = samples_of(f, f->min_speech),
                                              .min_silence = samples_of(f, f->min_silence),
                                              .padding = samples_of(f, f->padding),
                                              .longest = samples_of(f, f->longest)});
  if (f->format == CLI_TEXT && !f->scores) cli_print("%s\n", f->file);
  am_status st = am_detector_create(f->c->ctx, f->models.detector, f->rate, &f->detector, err);
  if (!st) st = cli_sound_feed(f->c, path, f->rate, 0, push, f, &sound, err);
  if (!st) st = am_detector_end(f->detector, err);
  if (!st) st = hear_steps(f, err);
  if (!st && am_spans_end(&f->spans, f->came) && !f->scores) st = tell(f, f->start, seconds_at(f, f->spans.end), err);
  if (!st && !f->n && !f->scores) am_log(f->c->ctx, AM_LOG_INFO, "%s: nobody was found to speak", f->file);
  am_detector_free(f->detector);
  f->detector = NULL;
  am_sound_free(&sound);
  return st;
}

static am_status get_options(finding *f, am_error *err) {
  const cli *c = f->c;
  f->scores = cli_has(c, "scores");
  f->format = cli_has(c, "json") ? CLI_JSON : cli_has(c, "csv") ? CLI_CSV : CLI_TEXT;
  if (cli_has(c, "json") && (cli_has(c, "csv") || f->scores))
    return am_fail(err, AM_E_USAGE, "--json or --%s, not both", f->scores ? "scores" : "csv");
  am_status st = cli_vad_check(c, false, err);
  if (!st) st = cli_real(c, "threshold", 0.01, 0.99, 0.5, &f->threshold, err);
  if (!st) st = cli_real(c, "min-speech", 0.01, 10, 0.25, &f->min_speech, err);
  if (!st) st = cli_real(c, "min-silence", 0.01, 10, 0.4, &f->min_silence, err);
  if (!st) st = cli_real(c, "padding", 0, 1, 0.03, &f->padding, err);
  return st ? st : cli_real(c, "longest", 1, 600, 30, &f->longest, err);
}

static am_status run(cli *c, am_error *err) {
  finding f = {.c = c};
  cli_sounds s = {0};
  am_status st = get_options(&f, err);
  if (!st) st = cli_sounds_list(c, c->arguments, (size_t)c->n_arguments, &s, err);
  if (!st) st = cli_detector_load(c, &f.models, "model", err);
  f.rate = f.models.detector ? am_checkpoint_rate(f.models.detector) : 16000;
  if (!st && (f.scores || f.format == CLI_CSV)) cli_print("file,start,end%s\n", f.scores ? ",score" : "");
  for (size_t i = 0; i < s.n && !st; i++) st = find(&f, s.at[i], err);
  cli_sounds_free(c, &s);
  cli_models_free(c, &f.models);
  return st;
}

static const cli_flag flags[] = {
    {"vad", "model|energy|FILE.h5",
     "speech is what a detector says (model: the one that comes with AudioMood, if it is there), or what is clearly "
     "louder than "
     "the noise (energy)"},
    {"threshold", "P", "how sure it has to be, 0.01 to 0.99 (0.5)"},
    {"min-speech", "SECONDS", "what is shorter is no speech (0.25)"},
    {"min-silence", "SECONDS", "a shorter pause is part of the speech (0.4)"},
    {"padding", "SECONDS", "added to both ends (0.03)"},
    {"longest", "SECONDS", "longer speech is cut at its longest pause (30)"},
    {"scores", NULL, "a table of what the detector says of each step instead"},
    {"json", NULL, "one line of JSON a stretch"},
    {"csv", NULL, "a table"},
    {0},
};

const cli_command cli_speech = {
    .name = "speech",
    .summary = "says where somebody speaks in sounds",
    .usage =
        "SOUND... [--vad model|energy|FILE.h5] [--threshold P] [--min-speech SECONDS] [--min-silence SECONDS] "
        "[--padding SECONDS] [--longest SECONDS] [--scores] [--json|--csv]",
    .details =
        "Prints start and end of each stretch, in seconds. A sound may be -, standard input. It is what predict "
        "--segments, live\n"
        "and subtitle find speech by. A detector is a checkpoint with the classes other and speech.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run,
};
