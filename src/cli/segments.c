/* SPDX-License-Identifier: MIT */
/* cli/segments.c - predict --segments: a sound goes through the streaming engine, and its segments are printed. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "model/ensemble.h"
#include "subtitle/event.h"
#include "subtitle/rttm.h"
#include "subtitle/segments.h"

static am_status find_format(const cli *c, const am_segment_format **out, am_error *err) {
  const char *name = cli_has(c, "json") ? "json" : cli_has(c, "csv") ? "csv" : cli_value(c, "format", "text");
  am_buffer all = {0};
  if ((*out = am_segment_format_find(name))) return AM_OK;
  for (size_t i = 0; am_segment_format_at(i); i++)
    am_buffer_printf(c->ctx, &all, "%s%s", i ? ", " : "", am_segment_format_at(i)->name);
  am_status st = all.failed ? am_no_memory(err)
                            : am_fail(err, AM_E_USAGE, "--format %s: no such format; wanted one of %s", name, all.data);
  am_buffer_free(c->ctx, &all);
  return st;
}

/* Who speaks. */
static am_status get_voices(const cli *c, cli_segmenting *how, am_error *err) {
  const char *channels = cli_value(c, "channels", "mix");
  how->rttm = cli_value(c, "rttm", NULL);
  how->split = !strcmp(channels, "split");
  how->one_voice = cli_has(c, "learn-voice");
  if (!how->split && strcmp(channels, "mix"))
    return am_fail(err, AM_E_USAGE, "--channels %s: wanted mix or split", channels);
  if (how->rttm && (how->split || cli_has(c, "vad") || cli_has(c, "min-silence")))
    return am_fail(err, AM_E_USAGE, "--rttm says who speaks when; --%s does not go with it",
                   how->split          ? "channels split"
                   : cli_has(c, "vad") ? "vad"
                                       : "min-silence");
  if (!cli_segments_learn(how)) return AM_OK;
  if (cli_has(c, "enrol") || cli_has(c, "speaker"))
    return am_fail(err, AM_E_USAGE, "--%s: the voice is known already; --%s learns it",
                   cli_has(c, "enrol") ? "enrol" : "speaker",
                   how->rttm    ? "rttm"
                   : how->split ? "channels split"
                                : "learn-voice");
  if (!how->rttm && how->stream.speech == AM_SPEECH_ALL)
    return am_fail(err, AM_E_USAGE, "--vad none finds no utterances, by which a voice is learned");
  how->stream.learn_voice = true;
  return AM_OK;
}

am_status cli_segmenting_get(const cli *c, cli_segmenting *how, am_error *err) {
  *how = (cli_segmenting){.stream = {.size = sizeof how->stream}, .options = {.size = sizeof how->options}};
  am_stream_options *o = &how->stream;
  const char *way = cli_value(c, "vad", "energy");
  am_status st = find_format(c, &how->format, err);
  if (!st) st = cli_vad_check(c, true, err);
  o->speech = strcmp(way, "none") ? AM_SPEECH_BY_LEVEL : AM_SPEECH_ALL;
  if (!st && o->speech == AM_SPEECH_ALL && cli_has(c, "min-silence"))
    st = am_fail(err, AM_E_USAGE, "--min-silence ends speech that is looked for; it does not go with --vad none");
  if (!st) st = cli_real(c, "window", 0.1, 600, 3, &o->window, err);
  if (!st) st = cli_real(c, "hop", 0.01, o->window, fmin(1, o->window), &o->hop, err);
  if (!st) st = cli_real(c, "min-silence", 0.01, 10, 0.4, &o->min_silence, err);
  if (!st) st = cli_real(c, "switch-penalty", 0, 1000, 1, &how->options.switch_penalty, err);
  if (how->options.switch_penalty == 0) how->options.switch_penalty = -1; /* nothing */
  o->first = fmin(o->window, 1);
  return st ? st : get_voices(c, how, err);
}

bool cli_segments_learn(const cli_segmenting *how) { return how->rttm || how->split || how->one_voice; }

bool cli_segments_of_one(const cli_segmenting *how) { return how->format->document; }

/* From samples to the page: stream, segmenter, writer. */
typedef struct line {
  cli *c;
  const am_checkpoint *model;
  const am_thresholds *thresholds;
  bool own_thresholds; /* those of the model's set in force, which changes when a voice becomes known */
  am_stream *stream;
  am_segmenter *segmenter;
  am_segment_writer writer;
  cli_segmented *told;
  const float *priors;
  float *changed; /* (K) by them */
  const char *file;
  double rate;
  cli_segment_fn each; /* gets segments in place of the writer; NULL: they are printed */
  void *user;
  am_buffer *to; /* gets rows in place of standard output; NULL */
  bool ended;    /* by what prints, whose message is not of the sound */
} line;

static am_status print_out(line *l, am_error *err) {
  if (l->to) {
    if (l->writer.out.used) am_buffer_append(l->c->ctx, l->to, l->writer.out.data, l->writer.out.used);
    l->writer.out.used = 0;
    return l->to->failed ? am_no_memory(err) : AM_OK;
  }
  cli_put_data(l->writer.out.data ? l->writer.out.data : "", l->writer.out.used);
  l->writer.out.used = 0;
  am_status st = cli_flush(err);
  l->ended = st != AM_OK;
  return st;
}

static am_status on_segment(void *user, const am_segment *s, am_error *err) {
  line *l = user;
  const am_event_teller t = {.model = l->model, .thresholds = l->thresholds, .own = l->own_thresholds};
  const am_segment_row row = am_event_row(&t, s);
  if (l->each) l->each(l->user, s, row.label);
  if (l->each) return AM_OK;
  am_status st = am_segment_writer_put(&l->writer, &row, err);
  return st ? st : print_out(l, err);
}

static am_status on_event(void *user, const am_stream_event *e, am_error *err) {
  line *l = user;
  cli_segmented *t = l->told;
  if (e->kind == AM_STREAM_NOTICE) am_log(l->c->ctx, AM_LOG_WARNING, "%s, %.2f s: %s", l->file, e->start, e->text);
  if (e->kind == AM_STREAM_MEASURED) {
    t->measured++;
    t->silent += e->heard.unheard == AM_UNHEARD_SILENT;
    t->too_short += e->heard.unheard == AM_UNHEARD_TOO_SHORT;
  }
  if (e->kind == AM_STREAM_SPEECH_ENDS) {
    t->utterances++;
    t->speech += e->end - e->start;
  }
  if (e->kind != AM_STREAM_MEASURED || !l->priors) return am_segmenter_take(l->segmenter, e, err);
  am_stream_event changed = *e;
  cli_priors_apply(l->priors, l->model->classes, e->probabilities, l->changed);
  changed.probabilities = l->changed;
  return am_segmenter_take(l->segmenter, &changed, err);
}

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  line *l = user;
  return am_stream_push(l->stream, samples, n, l->rate, err);
}

am_status cli_segments_head(cli *c, const am_checkpoint *m, const cli_segmenting *how, am_buffer *out, am_error *err) {
  am_segment_writer w;
  am_status st =
      am_segment_writer_begin(&w, c->ctx, how->format, (const char *const *)m->labels, m->classes, m->scale, err);
  if (!st && w.out.used) am_buffer_append(c->ctx, out, w.out.data, w.out.used);
  am_segment_writer_free(&w);
  return st;
}

am_status cli_segments_note(cli *c, const am_checkpoint *m, const cli_segmenting *how, const char *file,
                            const char *reason, const char *error, am_buffer *out, am_error *err) {
  am_segment_writer w;
  am_status st =
      am_segment_writer_begin(&w, c->ctx, how->format, (const char *const *)m->labels, m->classes, m->scale, err);
  w.file = file;
  w.out.used = 0; /* the header */
  if (!st) st = am_segment_writer_note(&w, reason, error, err);
  if (!st) am_buffer_append(c->ctx, out, w.out.data, w.out.used);
  am_segment_writer_free(&w);
  return st;
}

/* One speaker's part of a sound: a channel, given turns, or all of it. */
typedef struct pass {
  int channel;
  am_stream_options stream;
} pass;

static am_status hear_pass(line *l, const cli_models *team, const cli_segmenting *how, const pass *p, const char *path,
                           am_sound *sound, double *seconds, am_error *err) {
  for (size_t i = 0; i < team->n && cli_segments_learn(how); i++) am_checkpoint_forget_speaker(team->at[i]);
  am_segment_options options = how->options;
  options.values = l->model->values;
  am_status st = am_segmenter_create(l->c->ctx, l->model->classes, &options, on_segment, l, &l->segmenter, err);
  am_stream_options o = p->stream;
  l->priors = how->priors;
  if (!st && how->priors && !(l->changed = am_alloc(l->c->ctx, (size_t)l->model->classes, sizeof *l->changed)))
    st = am_no_memory(err);
  if (o.speech == AM_SPEECH_BY_LEVEL && team->detector) o.speech = AM_SPEECH_BY_MODEL;
  if (o.speech == AM_SPEECH_BY_MODEL) o.detector = team->detector;
  if (!st) st = am_stream_create(team->ensemble, &o, on_event, l, &l->stream, err);
  if (!st) st = cli_sound_feed(l->c, path, l->rate, p->channel, push, l, sound, err);
  if (!st) st = am_stream_end(l->stream, err);
  if (!st) *seconds = am_stream_seconds(l->stream);
  am_stream_free(l->stream);
  am_segmenter_free(l->segmenter);
  am_free(l->c->ctx, l->changed);
  l->stream = NULL;
  l->segmenter = NULL;
  l->changed = NULL;
  return st;
}

am_status cli_segments_of(cli *c, const cli_models *team, const cli_segmenting *how, const am_thresholds *thresholds,
                          const char *path, cli_segment_fn each, void *user, double *seconds, am_error *err) {
  const pass all = {.stream = how->stream};
  cli_segmented told = {0};
  am_sound sound = {.size = sizeof sound};
  line l = {
      .c = c, .model = team->at[0], .thresholds = thresholds, .told = &told, .file = path, .each = each, .user = user};
  l.rate = am_checkpoint_rate(l.model);
  l.own_thresholds = cli_segments_learn(how) && team->n == 1 && !cli_has(c, "threshold");
  am_status st = hear_pass(&l, team, how, &all, path, &sound, seconds, err);
  am_sound_free(&sound);
  return st;
}

static am_status by_channels(line *l, const cli_models *team, const cli_segmenting *how, const char *path,
                             am_sound *sound, double *seconds, am_error *err) {
  char name[32];
  am_status st = AM_OK;
  for (int channel = 1, channels = 1; channel <= channels && !st; channel++) {
    const pass p = {.channel = channel, .stream = how->stream};
    snprintf(name, sizeof name, "channel %d", channel);
    l->writer.channel = name;
    l->writer.number = channel;
    st = hear_pass(l, team, how, &p, path, sound, seconds, err);
    if (!st) channels = sound->file_channels;
  }
  l->writer.channel = NULL;
  return st;
}

static am_status by_speakers(line *l, const cli_models *team, const cli_segmenting *how, const char *path,
                             am_sound *sound, double *seconds, am_error *err) {
  am_rttm r;
  am_stream_turn *turns = NULL;
  if (!strcmp(path, "-")) return am_fail(err, AM_E_USAGE, "standard input is read once; --rttm wants a file");
  am_status st = am_rttm_read(l->c->ctx, how->rttm, &r, err);
  if (!st) st = am_rttm_choose(&r, how->rttm, path, err);
  if (!st && !(turns = am_alloc(l->c->ctx, r.n, sizeof *turns))) st = am_no_memory(err);
  for (size_t first = 0, end; first < r.n && !st; first = end) {
    pass p = {.stream = how->stream};
    for (end = first; end < r.n && !strcmp(r.turns[end].speaker, r.turns[first].speaker); end++)
      turns[end - first] = (am_stream_turn){r.turns[end].start, r.turns[end].end};
    p.stream.speech = AM_SPEECH_GIVEN;
    p.stream.turns = turns;
    p.stream.n_turns = end - first;
    l->writer.channel = r.turns[first].speaker;
    st = hear_pass(l, team, how, &p, path, sound, seconds, err);
    am_sound_free(sound);
  }
  l->writer.channel = NULL;
  am_free(l->c->ctx, turns);
  am_rttm_free(&r);
  return st;
}

am_status cli_segments_print(cli *c, const cli_models *team, const cli_segmenting *how, const am_thresholds *thresholds,
                             const char *path, am_buffer *to, cli_segmented *out, am_sound *sound, bool *at_fault,
                             am_error *err) {
  const am_checkpoint *m = team->at[0];
  const pass all = {.stream = how->stream};
  line l = {.c = c, .model = m, .thresholds = thresholds, .told = out, .to = to, .file = cli_sound_shown(path)};
  double seconds = 0;
  *out = (cli_segmented){0};
  *at_fault = false;
  l.rate = am_checkpoint_rate(m);
  l.own_thresholds = cli_segments_learn(how) && team->n == 1 && !cli_has(c, "threshold");
  am_status st = am_segment_writer_begin(&l.writer, c->ctx, how->format, (const char *const *)m->labels, m->classes,
                                         m->scale, err);
  l.writer.file = l.file;
  l.writer.out.used = 0; /* the header was printed before the first sound */
  if (!st && how->format == am_segment_format_find("text")) cli_print("%s\n", l.file);
  if (!st) {
    st = how->rttm    ? by_speakers(&l, team, how, path, sound, &seconds, err)
         : how->split ? by_channels(&l, team, how, path, sound, &seconds, err)
                      : hear_pass(&l, team, how, &all, path, sound, &seconds, err);
    if (!st) st = am_segment_writer_end(&l.writer, seconds, err);
    if (!st) st = print_out(&l, err);
    *at_fault = cli_sound_is_bad(st) && !l.ended;
  }
  am_segment_writer_free(&l.writer);
  return st;
}
