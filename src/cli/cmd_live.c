/* SPDX-License-Identifier: MIT */
/* cli/cmd_live.c - audiomood live: sound as it comes, from a microphone, or from a recorder that writes samples to a pipe. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/microphone.h"
#include "cli/recording.h"
#include "model/ensemble.h"
#include "subtitle/event.h"

enum { CHUNK = 1024, BAR = 20, LEVELS = 10 };

typedef struct live {
  cli *c;
  const am_checkpoint *model;
  const am_thresholds *thresholds;
  bool own_thresholds; /* those of the model's set in force */
  am_stream *stream;
  bool speech;
  double level;             /* of the last chunk, dB of full scale */
  am_buffer latest;         /* of the last measurement, for the meter */
  cli_recording *recording; /* NULL: none is made */
} live;

/* ---- what is told ---- */

static am_event_teller teller_of(const live *l) {
  return (am_event_teller){.model = l->model, .thresholds = l->thresholds, .own = l->own_thresholds};
}

static int answer_of(const live *l, const float *p) {
  const am_event_teller t = teller_of(l);
  return am_event_answer(&t, p);
}

static void tell_json(const live *l, const am_stream_event *e, am_buffer *out) {
  const am_event_teller t = teller_of(l);
  am_event_json(l->c->ctx, &t, e, out);
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
  if (m->values) {
    for (int k = 0; k < m->classes; k++)
      am_buffer_printf(l->c->ctx, out, "%s%s %.2f", k ? "  " : "", m->labels[k], (double)e->probabilities[k]);
    am_buffer_printf(l->c->ctx, out, "%s\n", e->last ? "  all of it" : "");
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
  for (int k = 0; k < m->classes && !e->heard.unheard && m->values; k++)
    am_buffer_printf(l->c->ctx, &l->latest, " %s %.1f", m->labels[k], (double)e->probabilities[k]);
  for (int k = 0; k < m->classes && !e->heard.unheard && !m->values; k++) {
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
  if (!st && l->recording) st = cli_recording_event(l->recording, e, err);
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

static am_status take(live *l, const float *x, size_t n, double rate, am_error *err) {
  double power = 0;
  for (size_t i = 0; i < n; i++) power += (double)x[i] * (double)x[i];
  l->level = 10 * log10(power / (double)(n ? n : 1) + 1e-12);
  am_status st = l->recording ? cli_recording_sound(l->recording, x, n, err) : AM_OK;
  if (!st) st = am_stream_push(l->stream, x, n, rate, err);
  if (!st) draw(l);
  return st;
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
    for (size_t i = 0; i < n; i++) x[i] = sample_of(bytes + 2 * i);
    left = all % 2;
    if (left) bytes[0] = bytes[all - 1];
    st = take(l, x, n, rate, err);
  }
  return st;
}

/* Lost sound is told of when it was lost, and all of it at the end. */
static am_status hear_microphone(live *l, cli_microphone *m, double rate, am_error *err) {
  float x[CHUNK];
  uint64_t lost, overruns, told = 0;
  am_status st = AM_OK;
  while (!st && !am_context_stopping(l->c->ctx)) {
    size_t n;
    st = cli_microphone_read(m, x, CHUNK, &n, err);
    if (!st && n) st = take(l, x, n, rate, err);
    cli_microphone_lost(m, &lost, &overruns);
    if (lost + overruns > told && !told)
      am_log(l->c->ctx, AM_LOG_WARNING,
             "%.2f s: sound was lost, as it came faster than it is heard; times are wrong from here on",
             am_stream_seconds(l->stream));
    told = lost + overruns;
  }
  if (told)
    am_log(l->c->ctx, AM_LOG_WARNING, "%llu samples (%.2f s) were lost, and %llu times the system lost some",
           (unsigned long long)lost, (double)lost / rate, (unsigned long long)overruns);
  return st;
}

static am_status check_input(const cli *c, am_error *err) {
  if (!c->n_arguments) return AM_OK;
  if (cli_has(c, "device"))
    return am_fail(err, AM_E_USAGE, "--device is a microphone, and - standard input: one of them");
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

static am_status hear_any(live *l, cli_microphone *m, double rate, am_error *err) {
  const char *path = cli_value(l->c, "record", NULL);
  const am_event_teller t = teller_of(l);
  am_status st = path ? cli_recording_open(l->c, path, rate, &t, &l->recording, err) : AM_OK;
  if (!st) st = m ? hear_microphone(l, m, rate, err) : hear(l, rate, err);
  return st;
}

/* What is open is measured, and what is recorded is whole, however it ended. */
static am_status finish(live *l, am_status st, am_error *err) {
  am_error other = AM_ERROR_INIT;
  const bool stopped = am_context_stopping(l->c->ctx); /* Ctrl-C is how it ends */
  if (stopped) am_context_resume(l->c->ctx);
  if (stopped && st == AM_E_STOPPED) st = AM_OK; /* in the middle of a chunk */
  if (!st) st = am_stream_end(l->stream, err);
  const am_status closed = cli_recording_close(l->recording, st ? &other : err);
  if (!st) st = closed;
  if (!st && stopped) st = am_fail(err, AM_E_STOPPED, "stopped after %.2f s", am_stream_seconds(l->stream));
  return st;
}

static am_status run(cli *c, am_error *err) {
  if (cli_has(c, "list-devices")) return cli_microphone_list(err);
  live l = {.c = c, .level = -120};
  cli_microphone *microphone = NULL;
  cli_models team = {0};
  am_thresholds thresholds;
  am_stream_options o = {.size = sizeof o, .first = 1, .learn_voice = cli_has(c, "learn-voice")};
  double rate;
  bool decides = false;
  am_status st = check_input(c, err);
  if (!st) st = cli_real(c, "rate", 4000, 384000, 16000, &rate, err);
  if (!st && !c->n_arguments && !cli_has(c, "rate")) rate = 0; /* that of the device */
  if (!st) st = cli_real(c, "window", 1, 600, 3, &o.window, err);
  if (!st) st = cli_real(c, "hop", 0.1, o.window, 1, &o.hop, err);
  if (!st) st = cli_real(c, "min-silence", 0.01, 10, 0.4, &o.min_silence, err);
  if (!st) st = cli_vad_check(c, false, err);
  if (!st) st = cli_models_load(c, cli_value(c, "model", NULL), &team, err);
  if (!st) st = cli_detector_load(c, &team, "model", err);
  if (!st) st = prepare(c, &team, o.learn_voice, err);
  if (!st) st = cli_thresholds(c, &team, false, &thresholds, &decides, err);
  if (!st) {
    o.speech = team.detector ? AM_SPEECH_BY_MODEL : AM_SPEECH_BY_LEVEL;
    o.detector = team.detector;
    l.model = team.at[0];
    l.thresholds = decides ? &thresholds : NULL;
    l.own_thresholds = team.n == 1 && !cli_has(c, "threshold");
    st = am_stream_create(team.ensemble, &o, on_event, &l, &l.stream, err);
  }
  if (!st && !c->n_arguments) st = cli_microphone_open(c, cli_value(c, "device", NULL), &rate, &microphone, err);
  if (!st) st = hear_any(&l, microphone, rate, err);
  cli_microphone_close(microphone);
  st = finish(&l, st, err);
  cli_sink_clear();
  am_stream_free(l.stream);
  am_buffer_free(c->ctx, &l.latest);
  cli_models_free(c, &team);
  return st;
}

static const cli_flag flags[] = {
    {"model", "RUN|FILE.h5", "the model (default: the one that comes with AudioMood)"},
    {"with", "RUN|FILE.h5", "another model of the same classes: the mean is taken (repeatable)"},
    CLI_STORAGE_FLAG,
    {"device", "N|NAME",
     "the microphone: a number of --list-devices, or a part of a name (default: that of the system)"},
    {"list-devices", NULL, "names the devices that record, and ends"},
    {"record", "FILE.wav", "writes what is heard to a new file, and its events to FILE.csv"},
    {"rate", "HZ", "of the samples (of -: 16000; of a microphone: its own)"},
    {"window", "SECONDS", "the longest stretch that is measured while somebody speaks (3)"},
    {"hop", "SECONDS", "time from one measurement to the next (1)"},
    {"vad", "model|energy|FILE.h5",
     "speech is what a detector says (model: the one that comes with AudioMood, if it is there), or what is clearly "
     "louder than "
     "the noise (energy)"},
    {"min-silence", "SECONDS", "a shorter pause does not end an utterance (0.4)"},
    {"learn-voice", NULL, "all speech is of one speaker, whose voice becomes known while it is heard"},
    {"threshold", "P",
     "the answer is uncertain below this probability, in place of the model's thresholds; 0: one is always given"},
    {"json", NULL, "one line of JSON an event"},
    {0},
};

const cli_command cli_live = {
    .name = "live",
    .summary = "tells emotions while somebody speaks, into a microphone or as samples on standard input",
    .usage =
        "[-] [--device N|NAME] [--list-devices] [--record FILE.wav] [--model RUN|FILE.h5] [--with RUN|FILE.h5]... "
        "[--rate HZ] [--window SECONDS] [--hop SECONDS] [--vad "
        "model|energy|FILE.h5] [--min-silence SECONDS] "
        "[--learn-voice] [--threshold P] [--json]",
    .details =
        "Without an argument a microphone is heard. - is standard input, raw samples, signed, 16 bits, little-endian,\n"
        "one channel:\n"
        "  arecord -q -t raw -f S16_LE -c 1 -r 16000 | audiomood live -\n"
        "The first measurement comes a second after speech began, more every --hop seconds, one of all of it at the\n"
        "end. On a terminal a meter shows level, speech and the last probabilities. Ctrl-C ends it.",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run,
};
