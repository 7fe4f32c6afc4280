/* SPDX-License-Identifier: MIT */
/* cli/predicting.c - sounds on their way to rows: several at once, and told in order. */
#include "cli/predicting.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/ensemble.h"
#include "model/share.h"

/* Sounds of which something has to be said at the end, once. */
typedef struct noticed {
  cli_tally silent, too_short, cut, low, speechless, bad;
  double whole_in; /* s: windows of so long hear all of those that were cut */
} noticed;

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

static void tell_all(cli *c, const cli_models *team, noticed *seen, const char *file, const windows *w,
                     const am_sound *sound) {
  double needed = 0;
  for (size_t i = 0; i < team->n; i++)
    for (size_t j = 0; j < am_checkpoint_members(team->at[i]); j++)
      if (am_checkpoint_weight(team->at[i], j) > 0)
        needed = fmax(needed, am_features_rate_needed(&am_checkpoint_member(team->at[i], j)->config->features));
  tell(c, &seen->silent, file, w->silent, w, sound);
  tell(c, &seen->too_short, file, w->too_short, w, sound);
  if (sound->file_rate > 0 && sound->file_rate < needed)
    cli_tally_add(c, &seen->low, "%s (%g Hz)", file, sound->file_rate);
  if (!w->cut) return;
  seen->whole_in = seen->cut.n ? fmin(seen->whole_in, w->least_heard) : w->least_heard;
  cli_tally_add(c, &seen->cut, "%s (%.2f of %.2f s)", file, w->least_heard, w->seconds);
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

/* A sound, and what came of it. */
typedef struct heard {
  size_t i; /* of cli_sounds */
  const char *file;
  windows windows;
  am_sound sound; /* without its samples */
  am_buffer text; /* its rows, where they were not printed yet */
  float *p;       /* (K) for the table of --uncertain-first; NULL: nothing was heard */
  size_t utterances;
  am_status status;
  bool at_fault; /* the failure is of the sound alone */
  bool ended;    /* by each(), whose message names the file */
  am_error why;
} heard;

/* All that hears. */
typedef struct hearer {
  cli *c;
  const cli_models *team;
  const cli_hearing *how;
  const cli_sounds *sounds;
  cli_rows *rows;
  cli_review *review; /* in place of rows */
  noticed noticed;
  size_t workers; /* of those below; 0: the team itself hears, one sound after the other */
  am_ears **ears;
  am_ensemble **shares;
  heard *block;
  size_t room;
} hearer;

/* A row, printed at once where rows of one sound are read along. */
typedef struct teller {
  hearer *h;
  heard *of;
  bool at_once;
} teller;

static am_status keep_probabilities(heard *x, cli *c, const am_window *w, size_t classes, am_error *err) {
  if (w->heard.unheard) return AM_OK;
  x->p = am_alloc(c->ctx, classes, sizeof *x->p);
  if (!x->p) return am_no_memory(err);
  memcpy(x->p, w->probabilities, classes * sizeof *x->p);
  return AM_OK;
}

static am_status each(void *user, const am_window *w, am_error *err) {
  teller *t = user;
  cli *c = t->h->c;
  const cli_predicted row = {.file = t->of->file,
                             .p = w->probabilities,
                             .unheard = w->heard.unheard,
                             .seconds = w->seconds,
                             .seconds_heard = w->heard.seconds,
                             .start = w->start,
                             .end = w->end};
  count(&t->of->windows, &w->heard, w->seconds);
  if (t->h->how->review) return keep_probabilities(t->of, c, w, (size_t)t->h->team->at[0]->classes, err);
  cli_predicted_row(c, t->h->team->at[0], &t->h->how->shape, &row, &t->of->text);
  am_status st = t->at_once ? cli_rows_put(t->h->rows, t->of->i, &t->of->text, err) : AM_OK;
  if (!st && !w->last && am_context_stopping(c->ctx))
    st = am_fail(err, AM_E_STOPPED, "stopped after %.2f s of %s", w->end, t->of->file);
  t->of->ended = st != AM_OK;
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
static am_status hear_windows(hearer *h, const char *path, heard *x, am_error *err) {
  teller t = {h, x, !h->how->out};
  const am_window_teller told = {each, &t};
  pushed p = {.rate = am_checkpoint_rate(h->team->at[0])};
  am_status st = am_ensemble_windows_open(h->team->ensemble, h->how->window, h->how->hop, &told, &p.stream, err);
  if (st) return st;
  st = cli_sound_feed(h->c, path, p.rate, 0, push, &p, &x->sound, err);
  x->at_fault = cli_sound_is_bad(st) && !p.failed;
  if (!st) p.failed = true, st = am_stream_end(p.stream, err);
  am_stream_free(p.stream);
  if (!st || x->at_fault || x->ended) return st;
  x->at_fault = st == AM_E_NUMERIC || st == AM_E_DATA;
  return am_error_prefix(err, "%s", x->file);
}

/* One row. */
static am_status hear_whole(hearer *h, am_ensemble *ensemble, const char *path, heard *x, am_error *err) {
  teller t = {h, x, false};
  am_status st = cli_sound_read_track(h->c, path, am_checkpoint_rate(h->team->at[0]), &x->sound, err);
  x->at_fault = cli_sound_is_bad(st);
  if (st) return st;
  st = am_ensemble_windows(ensemble, x->sound.samples, x->sound.n, 0, 0, each, &t, err);
  x->at_fault = st == AM_E_NUMERIC || st == AM_E_DATA;
  return st && !x->ended ? am_error_prefix(err, "%s", x->file) : st;
}

static am_status hear_segments(hearer *h, const char *path, heard *x, am_error *err) {
  cli_segmented told;
  am_status st = cli_segments_print(h->c, h->team, &h->how->segments, h->how->shape.thresholds, path,
                                    h->how->out ? &x->text : NULL, &told, &x->sound, &x->at_fault, err);
  if (!st && h->how->out && !x->text.used) /* a row says that it was heard */
    st = cli_segments_note(h->c, h->team->at[0], &h->how->segments, x->file, "no speech", NULL, &x->text, err);
  x->windows = (windows){.n = told.measured, .silent = told.silent, .too_short = told.too_short};
  x->utterances = told.utterances;
  return st;
}

static void hear(hearer *h, am_ensemble *ensemble, heard *x) {
  const char *path = h->sounds->at[x->i];
  const double began = am_now();
  if (am_context_stopping(h->c->ctx)) {
    x->status = am_fail(&x->why, AM_E_STOPPED, "stopped before %s was read", x->file);
    return;
  }
  x->status = h->how->segmented    ? hear_segments(h, path, x, &x->why)
              : h->how->window > 0 ? hear_windows(h, path, x, &x->why)
                                   : hear_whole(h, ensemble, path, x, &x->why);
  if (!x->status)
    am_log(h->c->ctx, AM_LOG_DEBUG, "%s: %.2f s at %g Hz in %d channel(s), predicted in %.3f s", x->file,
           (double)x->sound.n / x->sound.rate, x->sound.file_rate, x->sound.file_channels, am_now() - began);
  const am_sound had = x->sound;
  am_sound_free(&x->sound);
  x->sound.file_rate = had.file_rate;
  x->sound.file_channels = had.file_channels;
}

/* ---- several at once ---- */

static void hear_piece(void *arg, size_t i, int worker) {
  hearer *h = arg;
  am_ears_lend(h->ears[worker], h->shares[worker]);
  hear(h, h->shares[worker], &h->block[i]);
  am_ears_take(h->ears[worker], h->shares[worker]);
}

/* Each thread gets room to predict by itself, over the same weights.  Windows and segments are printed while they are heard, and a
 * voice is known to the models of the team alone. */
static am_status form_crew(hearer *h, am_error *err) {
  const size_t n = (size_t)am_context_threads(h->c->ctx);
  am_status st = AM_OK;
  bool knows = false;
  for (size_t i = 0; i < h->team->n; i++) knows |= am_checkpoint_knows_speaker(h->team->at[i]);
  h->room = 1;
  if (n > 1 && h->sounds->n > 1 && !knows && !h->how->segmented && !(h->how->window > 0)) {
    h->ears = am_alloc(h->c->ctx, n, sizeof(am_ears *));
    h->shares = am_alloc(h->c->ctx, n, sizeof(am_ensemble *));
    if (!h->ears || !h->shares) return am_no_memory(err);
    for (h->workers = 0; h->workers < n && !st; h->workers++) {
      st = am_ensemble_share(h->team->ensemble, &h->shares[h->workers], err);
      if (!st) st = am_ears_create(h->team->ensemble, &h->ears[h->workers], err);
    }
    h->room = n < 32 ? 16 * n : 512; /* so that no thread waits long for the slowest sound */
  }
  if (!st && !(h->block = am_alloc(h->c->ctx, h->room, sizeof *h->block))) return am_no_memory(err);
  return st;
}

static void dismiss_crew(hearer *h) {
  for (size_t i = 0; i < h->workers; i++) {
    am_ears_free(h->ears[i]);
    am_ensemble_unshare(h->shares[i]);
  }
  am_free(h->c->ctx, h->ears);
  am_free(h->c->ctx, h->shares);
  am_free(h->c->ctx, h->block);
}

/* Up to so many sounds into the block.  A wait for a pipe is ended by a signal in the first thread alone, so what may wait is a block
 * by itself. */
static size_t gather(hearer *h, size_t *ahead) {
  size_t n = 0;
  while (n < h->room) {
    const size_t i = *ahead < SIZE_MAX ? *ahead : cli_rows_next(h->rows);
    *ahead = SIZE_MAX;
    if (i == SIZE_MAX) break;
    const char *path = h->sounds->at[i];
    const bool waits = h->workers && (!strcmp(path, "-") || am_file_is_special(path));
    if (waits && n) {
      *ahead = i;
      break;
    }
    h->block[n++] =
        (heard){.i = i, .file = cli_sound_shown(path), .sound = {.size = sizeof(am_sound)}, .why = AM_ERROR_INIT};
    if (waits) break;
  }
  return n;
}

/* ---- told in order ---- */

/* What was noticed, once for all sounds. */
static void say_noticed(cli *c, const cli_hearing *how, noticed *seen, size_t sounds, double rate) {
  const bool part = how->window > 0;
  size_t n = seen->silent.n;
  if (n)
    am_log(c->ctx, AM_LOG_WARNING, "%zu of %zu sounds %s silent%s and %s no label%s: %s", n, sounds,
           am_count(n, "is", "are"), part ? ", at least in part," : "", am_count(n, "has", "have"),
           part ? " there" : "", cli_tally_names(c, &seen->silent));
  if ((n = seen->too_short.n))
    am_log(c->ctx, AM_LOG_WARNING, "%zu of %zu sounds %s shorter than 0.1 s and %s no label: %s", n, sounds,
           am_count(n, "is", "are"), am_count(n, "has", "have"), cli_tally_names(c, &seen->too_short));
  if ((n = seen->low.n))
    am_log(c->ctx, AM_LOG_WARNING,
           "%zu of %zu sounds %s a lower rate than the %g Hz this model hears; what is missing in "
           "%s costs accuracy: %s",
           n, sounds, am_count(n, "has", "have"), rate, am_count(n, "it", "them"), cli_tally_names(c, &seen->low));
  if ((n = seen->cut.n))
    am_log(c->ctx, AM_LOG_WARNING,
           "%zu of %zu sounds %s longer than what this model hears; only %s start is heard: %s; "
           "with --window %.2f all of it is heard, a window after the other",
           n, sounds, am_count(n, "is", "are"), am_count(n, "its", "their"), cli_tally_names(c, &seen->cut),
           floor(100 * seen->whole_in) / 100);
  if ((n = seen->speechless.n))
    am_log(c->ctx, AM_LOG_WARNING,
           "in %zu of %zu sounds nobody was found to speak: %s; --vad none takes all of a sound", n, sounds,
           cli_tally_names(c, &seen->speechless));
  cli_tally_free(c, &seen->speechless);
  cli_tally_free(c, &seen->silent);
  cli_tally_free(c, &seen->too_short);
  cli_tally_free(c, &seen->low);
  cli_tally_free(c, &seen->cut);
  cli_tally_free(c, &seen->bad);
}

/* A sound that cannot be heard does not keep the others from being heard.  One that is alone is all that was asked for. */
static am_status tell_bad(hearer *h, heard *x, am_error *err) {
  cli *c = h->c;
  const char *table = h->review ? NULL : h->how->out;
  if (h->sounds->n == 1 && !h->how->skip && !table) return am_fail(err, x->status, "%s", x->why.message);
  cli_tally_add(c, &h->noticed.bad, "%s", x->file);
  if (!table) {
    am_log(c->ctx, h->how->skip ? AM_LOG_WARNING : AM_LOG_ERROR, "%s%s", h->how->skip ? "skipped: " : "",
           x->why.message);
    return AM_OK;
  }
  const cli_predicted row = {.file = x->file, .error = x->why.message, .seconds = NAN, .seconds_heard = NAN};
  am_status st = AM_OK;
  x->text.used = 0; /* rows of windows, or segments, before the damage */
  if (h->how->segmented)
    st =
        cli_segments_note(c, h->team->at[0], &h->how->segments, x->file, CLI_UNREADABLE, x->why.message, &x->text, err);
  else cli_predicted_row(c, h->team->at[0], &h->how->shape, &row, &x->text);
  return st ? st : cli_rows_put(h->rows, x->i, &x->text, err);
}

static am_status tell_one(hearer *h, heard *x, am_error *err) {
  if (!x->status || x->ended) tell_all(h->c, h->team, &h->noticed, x->file, &x->windows, &x->sound);
  if (!x->status && h->how->segmented && !x->utterances) cli_tally_add(h->c, &h->noticed.speechless, "%s", x->file);
  if (!x->status && h->review && x->p) return cli_review_add(h->review, x->file, x->p, err);
  if (!x->status) return cli_rows_put(h->rows, x->i, &x->text, err);
  return x->at_fault ? tell_bad(h, x, err) : am_fail(err, x->status, "%s", x->why.message);
}

static am_status tell_block(hearer *h, size_t n, size_t *told, am_error *err) {
  am_status st = AM_OK;
  for (size_t j = 0; j < n; j++) {
    if (!st) st = tell_one(h, &h->block[j], err);
    if (!st) ++*told;
    am_buffer_free(h->c->ctx, &h->block[j].text);
    am_free(h->c->ctx, h->block[j].p);
  }
  am_status flushed = cli_rows_flush(h->rows, st ? NULL : err); /* also what was heard before a failure */
  return st ? st : flushed;
}

/* Only where no rows are between its lines. */
static void say_progress(const hearer *h, size_t told, size_t all, double began, bool finished) {
  if (all < 2 || (!h->how->out && !h->review && isatty(STDOUT_FILENO))) return;
  const am_progress p = {.size = sizeof p,
                         .task = "predicting",
                         .unit = "sounds",
                         .done = told,
                         .total = all,
                         .seconds = am_now() - began,
                         .finished = finished};
  am_progress_emit(h->c->ctx, &p);
}

static am_status stopped(const hearer *h, size_t told, size_t all, am_error *err) {
  return am_fail(err, AM_E_STOPPED, "stopped after %zu of %zu sounds%s", told, all,
                 h->how->out && !h->review ? "; the same call goes on with the others" : "");
}

static am_status hear_all(hearer *h, am_error *err) {
  const size_t all = cli_rows_left(h->rows);
  const double began = am_now();
  size_t told = 0, ahead = SIZE_MAX, n;
  am_status st = AM_OK;
  while (!st && (n = gather(h, &ahead))) {
    if (am_context_stopping(h->c->ctx)) {
      st = stopped(h, told, all, err);
      break;
    }
    if (h->workers && n > 1) am_parallel_for(h->c->ctx, n, hear_piece, h);
    else
      for (size_t j = 0; j < n; j++) hear(h, h->team->ensemble, &h->block[j]);
    st = tell_block(h, n, &told, err);
    if (st == AM_E_STOPPED && all > 1 && h->how->out)
      st = stopped(h, told, all, err); /* not before or in which of them */
    say_progress(h, told, all, began, false);
  }
  say_progress(h, told, all, began, true);
  if (!st && h->how->out && !h->review)
    am_log(h->c->ctx, AM_LOG_INFO, "%zu %s heard in %.1f s (%.0f a second); %s has all %zu", told,
           am_count(told, "sound", "sounds"), am_now() - began, (double)told / fmax(am_now() - began, 1e-3),
           h->how->out, h->sounds->n);
  return st;
}

/* Whether all is well with sounds that could not be heard, when all are told. */
static am_status judge_bad(hearer *h, am_error *err) {
  const size_t bad = h->noticed.bad.n + cli_rows_unreadable(h->rows), all = h->sounds->n;
  if (!bad) return AM_OK;
  if (h->how->skip) am_log(h->c->ctx, AM_LOG_WARNING, "%zu of %zu sounds skipped", bad, all);
  if (bad == all) return am_fail(err, AM_E_DATA, "no sound could be read");
  if (h->how->skip) return AM_OK;
  if (!h->how->out || h->review) return am_fail(err, AM_E_DATA, "%zu of %zu sounds could not be read", bad, all);
  return am_fail(err, AM_E_DATA,
                 "%zu of %zu sounds could not be read; their rows in %s have the reason " CLI_UNREADABLE, bad, all,
                 h->how->out);
}

am_status cli_predict_all(cli *c, const cli_models *team, const cli_sounds *s, const cli_hearing *how, am_error *err) {
  hearer h = {.c = c, .team = team, .how = how, .sounds = s};
  am_buffer head = {0};
  if (!how->segmented && !how->review) cli_predicted_head(c, team->at[0], &how->shape, &head);
  am_status st = how->segmented ? cli_segments_head(c, team->at[0], &how->segments, &head, err) : AM_OK;
  if (how->review) st = cli_review_open(c, how->out, team->at[0], &h.review, err);
  if (!st) st = cli_rows_open(c, how->review ? NULL : how->out, how->shape.format, &head, s, &h.rows, err);
  if (!st) st = form_crew(&h, err);
  if (!st) st = hear_all(&h, err);
  am_status ended = h.rows ? cli_rows_end(h.rows, st ? NULL : err) : AM_OK;
  if (!st) st = ended;
  if (!st && h.review) st = cli_review_end(h.review, err);
  if (!st) st = judge_bad(&h, err);
  say_noticed(c, how, &h.noticed, s->n, am_checkpoint_rate(team->at[0]));
  dismiss_crew(&h);
  cli_review_free(h.review);
  cli_rows_free(h.rows);
  am_buffer_free(c->ctx, &head);
  return st;
}
