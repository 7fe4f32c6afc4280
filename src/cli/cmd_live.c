/* cli/cmd_live.c - audiomood live: sound as it comes, from a recorder that writes samples to a pipe. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/json.h"
#include "model/ensemble.h"

enum { CHUNK = 1024, BAR = 20, LEVELS = 10 };

typedef struct live {
  cli *c;
  const am_checkpoint *model;
  const am_thresholds *thresholds;
  bool own_thresholds; /* those of the model's set in force */
  am_stream *stream;
  bool speech;
  double level;     /* of the last chunk, dB of full scale */
  am_buffer latest; /* of the last measurement, for the meter */
} live;

/* ---- what is told ---- */

static int answer_of(const live *l, const float *p) {
  if (!l->thresholds) return am_largest(p, l->model->classes);
  return l->own_thresholds ? am_checkpoint_decide(l->model, p)
                           : am_thresholds_decide(l->thresholds, p, l->model->classes);
}

static void tell_json(const live *l, const am_stream_event *e, am_buffer *out) {
  static const char *const names[] = {"speech_begins", "measured", "speech_ends", "notice"};
  const am_checkpoint *m = l->model;
  am_json j = am_json_begin(l->c->ctx, out, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "event", names[e->kind]);
  am_json_real(&j, "start", e->start);
  if (e->kind == AM_STREAM_MEASURED || e->kind == AM_STREAM_SPEECH_ENDS) am_json_real(&j, "end", e->end);
  if (e->kind == AM_STREAM_NOTICE) am_json_text(&j, "text", e->text);
  else am_json_int(&j, "utterance", (int64_t)e->utterance);
  if (e->kind == AM_STREAM_MEASURED) {
    const bool heard = !e->heard.unheard;
    const int answer = heard ? answer_of(l, e->probabilities) : AM_UNCERTAIN;
    am_json_bool(&j, "last", e->last);
    am_json_text(&j, "label", answer >= 0 ? m->labels[answer] : NULL);
    am_json_text(&j, "top", heard ? m->labels[am_largest(e->probabilities, m->classes)] : NULL);
    am_json_open(&j, "probabilities", '{');
    for (int k = 0; k < m->classes && heard; k++) am_json_float(&j, m->labels[k], e->probabilities[k]);
    am_json_close(&j);
  }
  am_json_close(&j);
  am_buffer_append(l->c->ctx, out, "\n", 1);
}

static void tell_text(const live *l, const am_stream_event *e, am_buffer *out) {
  const am_checkpoint *m = l->model;
  if (e->kind == AM_STREAM_SPEECH_BEGINS) am_buffer_printf(l->c->ctx, out, "%9.2f            speech\n", e->start);
  if (e->kind == AM_STREAM_SPEECH_ENDS)
    am_buffer_printf(l->c->ctx, out, "%9.2f %9.2f  end of speech\n", e->start, e->end);
  if (e->kind != AM_STREAM_MEASURED) return;
  am_buffer_printf(l->c->ctx, out, "%9.2f %9.2f  ", e->start, e->end);
  if (e->heard.unheard) {
    am_buffer_printf(l->c->ctx, out, "%s\n", am_unheard_name(e->heard.unheard));
    return;
  }
  const int top = am_largest(e->probabilities, m->classes), answer = answer_of(l, e->probabilities);
  am_buffer_printf(l->c->ctx, out, "%-12s %5.1f %%", answer >= 0 ? m->labels[answer] : "uncertain",
                   100 * (double)e->probabilities[top]);
  if (answer != top) am_buffer_printf(l->c->ctx, out, "  (%s)", m->labels[top]);
  am_buffer_printf(l->c->ctx, out, "%s\n", e->last ? "  all of it" : "");
}

/* ---- the meter ---- */

static void note_latest(live *l, const am_stream_event *e) {
  const am_checkpoint *m = l->model;
  l->latest.used = 0;
  for (int k = 0; k < m->classes && !e->heard.unheard; k++) {
    const int n = (int)lround((double)e->probabilities[k] * BAR);
    if (n) am_buffer_printf(l->c->ctx, &l->latest, " %s %.*s", m->labels[k], n, "####################");
  }
}

static void draw(live *l) {
  const int n = (int)fmax(0, fmin(LEVELS, (l->level + 60) / 6));
  am_buffer line = {0};
  am_buffer_printf(l->c->ctx, &line, "%8.1f s [%-10.*s] %s%s", am_stream_seconds(l->stream), n, "||||||||||",
                   l->speech ? "speech " : "       ", l->latest.used ? l->latest.data : "");
  if (!line.failed) cli_sink_meter(line.data);
  am_buffer_free(l->c->ctx, &line);
}

static am_status on_event(void *user, const am_stream_event *e, am_error *err) {
  live *l = user;
  am_buffer out = {0};
  if (e->kind == AM_STREAM_SPEECH_BEGINS) l->speech = true;
  if (e->kind == AM_STREAM_SPEECH_ENDS) l->speech = false;
  if (e->kind == AM_STREAM_MEASURED) note_latest(l, e);
  if (cli_has(l->c, "json")) tell_json(l, e, &out);
  else if (e->kind == AM_STREAM_NOTICE) am_log(l->c->ctx, AM_LOG_WARNING, "%.2f s: %s", e->start, e->text);
  else tell_text(l, e, &out);
  am_status st = out.failed ? am_no_memory(err) : AM_OK;
  if (!st && out.used) {
    cli_sink_clear();
    cli_put_data(out.data, out.used);
    st = cli_flush(err);
  }
  am_buffer_free(l->c->ctx, &out);
  return st;
}

/* ---- hearing ---- */

static float sample_of(const unsigned char *p) {
  const int x = p[0] | p[1] << 8;
  return (float)(x < 32768 ? x : x - 65536) / 32768;
}

/* Whatever a read gives is heard at once; the byte of a sample that was cut waits for its other half. */
static am_status hear(live *l, double rate, am_error *err) {
  unsigned char bytes[2 * CHUNK + 1];
  float x[CHUNK];
  size_t left = 0;
  am_status st = AM_OK;
  while (!st && !am_context_stopping(l->c->ctx)) {
    const ssize_t got = read(STDIN_FILENO, bytes + left, sizeof bytes - 1 - left);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return am_fail_errno(err, errno, "standard input");
    if (got == 0) break;
    const size_t all = left + (size_t)got, n = all / 2;
    double power = 0;
    for (size_t i = 0; i < n; i++) {
      x[i] = sample_of(bytes + 2 * i);
      power += (double)x[i] * (double)x[i];
    }
    left = all % 2;
    if (left) bytes[0] = bytes[all - 1];
    l->level = 10 * log10(power / (double)(n ? n : 1) + 1e-12);
    st = am_stream_push(l->stream, x, n, rate, err);
    if (!st) draw(l);
  }
  return st;
}

static am_status check_input(const cli *c, am_error *err) {
  if (strcmp(c->arguments[0], "-"))
    return am_fail(
        err, AM_E_USAGE,
        "%s: wanted -, standard input: raw samples of 16 bits, one channel, as 'arecord -q -t raw -f S16_LE -c 1 "
        "-r 16000' writes them; a recording is for 'predict --segments'",
        c->arguments[0]);
  return isatty(STDIN_FILENO)
             ? am_fail(err, AM_E_USAGE,
                       "standard input is a terminal; wanted raw samples: arecord -q -t raw -f S16_LE -c 1 "
                       "-r 16000 | audiomood live -")
             : AM_OK;
}

static am_status prepare(cli *c, const cli_models *team, bool learns, am_error *err) {
  am_status st = AM_OK;
  for (size_t i = 0; i < team->n && !st; i++) {
    if (team->at[i]->synthetic)
      am_log(c->ctx, AM_LOG_WARNING, "this model was trained on synthetic speech; it knows nothing about real voices");
    if (am_checkpoint_wants_speaker(team->at[i]) && !learns)
      st = am_fail(err, AM_E_USAGE, "this model normalises per speaker; --learn-voice lets it learn the voice");
  }
  return st;
}

static am_status run(cli *c, am_error *err) {
  live l = {.c = c, .level = -120};
  cli_models team = {0};
  am_thresholds thresholds;
  am_stream_options o = {.size = sizeof o, .first = 1, .learn_voice = cli_has(c, "learn-voice")};
  double rate;
  bool decides = false;
  am_status st = check_input(c, err);
  if (!st) st = cli_real(c, "rate", 4000, 384000, 16000, &rate, err);
  if (!st) st = cli_real(c, "window", 1, 600, 3, &o.window, err);
  if (!st) st = cli_real(c, "hop", 0.1, o.window, 1, &o.hop, err);
  if (!st) st = cli_real(c, "min-silence", 0.01, 10, 0.4, &o.min_silence, err);
  if (!st) st = cli_models_load(c, cli_value(c, "model", NULL), &team, err);
  if (!st) st = prepare(c, &team, o.learn_voice, err);
  if (!st) st = cli_thresholds(c, &team, false, &thresholds, &decides, err);
  if (!st) {
    l.model = team.at[0];
    l.thresholds = decides ? &thresholds : NULL;
    l.own_thresholds = team.n == 1 && !cli_has(c, "threshold");
    st = am_stream_create(team.ensemble, &o, on_event, &l, &l.stream, err);
  }
  if (!st) st = hear(&l, rate, err);
  const bool stopped = am_context_stopping(c->ctx); /* Ctrl-C is how it ends */
  if (stopped) am_context_resume(c->ctx);
  if (!st) st = am_stream_end(l.stream, err);
  if (!st && stopped) st = am_fail(err, AM_E_STOPPED, "stopped after %.2f s", am_stream_seconds(l.stream));
  cli_sink_clear();
  am_stream_free(l.stream);
  am_buffer_free(c->ctx, &l.latest);
  cli_models_free(c, &team);
  return st;
}

static const cli_flag flags[] = {
    {"model", "RUN|FILE.h5", "the model (default: the one that comes with AudioMood)"},
    {"with", "RUN|FILE.h5", "another model of the same classes: the mean is taken (repeatable)"},
    {"rate", "HZ", "of the samples (16000)"},
    {"window", "SECONDS", "the longest stretch that is measured while somebody speaks (3)"},
    {"hop", "SECONDS", "time from one measurement to the next (1)"},
    {"min-silence", "SECONDS", "a shorter pause does not end an utterance (0.4)"},
    {"learn-voice", NULL, "all speech is of one speaker, whose voice becomes known while it is heard"},
    {"threshold", "P",
     "the answer is uncertain below this probability, in place of the model's thresholds; 0: one is always given"},
    {"json", NULL, "one line of JSON an event"},
    {0},
};

const cli_command cli_live = {
    .name = "live",
    .summary = "tells emotions while somebody speaks, from a recorder's samples on standard input",
    .usage =
        "- [--model RUN|FILE.h5] [--with RUN|FILE.h5]... [--rate HZ] [--window SECONDS] [--hop SECONDS] [--min-silence "
        "SECONDS] "
        "[--learn-voice] [--threshold P] [--json]",
    .details =
        "Standard input is raw samples, signed, 16 bits, little-endian, one channel:\n"
        "  arecord -q -t raw -f S16_LE -c 1 -r 16000 | audiomood live -\n"
        "The first measurement comes a second after speech began, more every --hop seconds, one of all of it at the\n"
        "end. On a terminal a meter shows level, speech and the last probabilities. Ctrl-C ends it.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
