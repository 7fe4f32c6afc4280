/* cli/segments.c - predict --segments: a sound goes through the streaming engine, and its segments are printed. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "model/ensemble.h"
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

am_status cli_segmenting_get(const cli *c, cli_segmenting *how, am_error *err) {
  *how = (cli_segmenting){.stream = {.size = sizeof how->stream}, .options = {.size = sizeof how->options}};
  am_stream_options *o = &how->stream;
  const char *way = cli_value(c, "vad", "energy");
  am_status st = find_format(c, &how->format, err);
  if (!st && strcmp(way, "energy") && strcmp(way, "none"))
    st = am_fail(err, AM_E_USAGE, "--vad %s: wanted energy or none", way);
  o->speech = strcmp(way, "none") ? AM_SPEECH_BY_LEVEL : AM_SPEECH_ALL;
  if (!st && o->speech == AM_SPEECH_ALL && cli_has(c, "min-silence"))
    st = am_fail(err, AM_E_USAGE, "--min-silence ends speech that is looked for; it does not go with --vad none");
  if (!st) st = cli_real(c, "window", 0.1, 600, 3, &o->window, err);
  if (!st) st = cli_real(c, "hop", 0.01, o->window, fmin(1, o->window), &o->hop, err);
  if (!st) st = cli_real(c, "min-silence", 0.01, 10, 0.5, &o->min_silence, err);
  o->first = fmin(o->window, 1);
  return st;
}

bool cli_segments_of_one(const cli_segmenting *how) { return how->format->document; }

/* From samples to the page: stream, segmenter, writer. */
typedef struct line {
  cli *c;
  const am_checkpoint *model;
  const am_thresholds *thresholds;
  am_stream *stream;
  am_segmenter *segmenter;
  am_segment_writer writer;
  cli_segmented *told;
  const char *file;
  double rate;
  bool ended; /* by what prints, whose message is not of the sound */
} line;

static am_status print_out(line *l, am_error *err) {
  cli_put_data(l->writer.out.data ? l->writer.out.data : "", l->writer.out.used);
  l->writer.out.used = 0;
  am_status st = cli_flush(err);
  l->ended = st != AM_OK;
  return st;
}

static am_status on_segment(void *user, const am_segment *s, am_error *err) {
  line *l = user;
  const am_checkpoint *m = l->model;
  am_segment_row row = {.start = s->start,
                        .end = s->end,
                        .margin = s->margin,
                        .share = s->share,
                        .utterance = s->utterance,
                        .label = "silent"};
  if (s->label >= 0) {
    const bool sure =
        !l->thresholds || am_thresholds_decide(l->thresholds, s->probabilities, m->classes) != AM_UNCERTAIN;
    row.top = m->labels[s->label];
    row.label = sure ? row.top : "uncertain";
    row.p = s->probabilities;
  }
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
  return am_segmenter_take(l->segmenter, e, err);
}

static am_status push(void *user, const float *samples, size_t n, am_error *err) {
  line *l = user;
  return am_stream_push(l->stream, samples, n, l->rate, err);
}

am_status cli_segments_head(cli *c, const am_checkpoint *m, const cli_segmenting *how, am_error *err) {
  am_segment_writer w;
  am_status st = am_segment_writer_begin(&w, c->ctx, how->format, (const char *const *)m->labels, m->classes, err);
  if (!st && w.out.used) cli_put_data(w.out.data, w.out.used);
  am_segment_writer_free(&w);
  return st ? st : cli_flush(err);
}

am_status cli_segments_print(cli *c, const cli_models *team, const cli_segmenting *how, const am_thresholds *thresholds,
                             const char *path, cli_segmented *out, am_sound *sound, bool *at_fault, am_error *err) {
  const am_checkpoint *m = team->at[0];
  line l = {.c = c, .model = m, .thresholds = thresholds, .told = out, .file = cli_sound_shown(path)};
  *out = (cli_segmented){0};
  *at_fault = false;
  l.rate = am_checkpoint_rate(m);
  am_status st =
      am_segment_writer_begin(&l.writer, c->ctx, how->format, (const char *const *)m->labels, m->classes, err);
  l.writer.file = l.file;
  l.writer.out.used = 0; /* the header was printed before the first sound */
  if (!st && how->format == am_segment_format_find("text")) cli_print("%s\n", l.file);
  if (!st) st = am_segmenter_create(c->ctx, m->classes, &how->options, on_segment, &l, &l.segmenter, err);
  if (!st) st = am_stream_create(team->ensemble, &how->stream, on_event, &l, &l.stream, err);
  if (!st) {
    st = cli_sound_feed(c, path, l.rate, push, &l, sound, err);
    if (!st) st = am_stream_end(l.stream, err);
    if (!st) st = am_segment_writer_end(&l.writer, am_stream_seconds(l.stream), err);
    if (!st) st = print_out(&l, err);
    *at_fault = cli_sound_is_bad(st) && !l.ended;
  }
  am_stream_free(l.stream);
  am_segmenter_free(l.segmenter);
  am_segment_writer_free(&l.writer);
  return st;
}
