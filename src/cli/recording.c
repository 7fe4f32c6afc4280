/* SPDX-License-Identifier: MIT */
/* cli/recording.c - see recording.h.  Files that grow while they are written: sound with a right header at any time, and its events. */
#include "cli/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "io/csv.h"

enum { HEAD = 44, BLOCK = 4096 };
static const uint64_t most_bytes = 0xffffffffu - HEAD; /* of WAV: 37 hours at 16 kHz */

struct cli_recording {
  am_context *ctx;
  am_event_teller teller;
  char *wav, *csv; /* names */
  int sound, events;
  uint32_t rate;
  uint64_t samples, written_length; /* of them the header tells */
};

static am_status put(int fd, const char *path, const void *data, size_t n, am_error *err) {
  for (const char *at = data; n;) {
    const ssize_t done = write(fd, at, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return am_fail_errno(err, done ? errno : ENOSPC, "cannot write %s", path);
    at += done;
    n -= (size_t)done;
  }
  return AM_OK;
}

static void put32(unsigned char *at, uint32_t x) {
  for (int i = 0; i < 4; i++) at[i] = (unsigned char)(x >> 8 * i);
}

static am_status write_head(cli_recording *r, am_error *err) {
  unsigned char head[HEAD] = "RIFF....WAVEfmt \20\0\0\0\1\0\1\0........\2\0\20\0data";
  const uint32_t bytes = (uint32_t)(2 * r->samples);
  put32(head + 4, bytes + HEAD - 8);
  put32(head + 24, r->rate);
  put32(head + 28, 2 * r->rate);
  put32(head + 40, bytes);
  r->written_length = r->samples;
  if (pwrite(r->sound, head, HEAD, 0) == HEAD) return AM_OK;
  return am_fail_errno(err, errno ? errno : ENOSPC, "cannot write %s", r->wav);
}

static am_status create(const char *path, int *fd, am_error *err) {
  *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (*fd >= 0) return AM_OK;
  if (errno == EEXIST) return am_fail(err, AM_E_USAGE, "--record: %s is there already; give another name", path);
  return am_fail_errno(err, errno, "cannot create %s", path);
}

static am_status write_row(cli_recording *r, am_buffer *row, am_error *err) {
  am_status st = row->failed ? am_no_memory(err) : put(r->events, r->csv, row->data, row->used, err);
  am_buffer_free(r->ctx, row);
  return st;
}

static am_status begin_table(cli_recording *r, am_error *err) {
  am_buffer row = {0};
  am_csv_writer w = {.ctx = r->ctx, .out = &row};
  static const char *const names[] = {"event", "start", "end", "utterance", "last"};
  const am_checkpoint *m = r->teller.model;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) am_csv_put(&w, names[i]);
  am_csv_put(&w, m->values ? "text" : "label");
  if (!m->values) am_csv_put(&w, "top");
  for (int k = 0; k < m->classes; k++) {
    char *name = am_format(r->ctx, "%s%s", m->values ? "" : "p_", m->labels[k]);
    am_csv_put(&w, name ? name : "");
    am_free(r->ctx, name);
  }
  am_csv_end_row(&w);
  return write_row(r, &row, err);
}

am_status cli_recording_open(cli *c, const char *path, double rate, const am_event_teller *teller, cli_recording **out,
                             am_error *err) {
  *out = NULL;
  if (!am_text_ends(path, ".wav"))
    return am_fail(err, AM_E_USAGE, "--record %s: wanted a name that ends in .wav", path);
  cli_recording *r = am_alloc(c->ctx, 1, sizeof *r);
  if (!r) return am_no_memory(err);
  *r = (cli_recording){.ctx = c->ctx, .teller = *teller, .sound = -1, .events = -1, .rate = (uint32_t)lround(rate)};
  r->wav = am_strdup(c->ctx, path);
  r->csv = am_format(c->ctx, "%.*s.csv", (int)strlen(path) - 4, path);
  am_status st = r->wav && r->csv ? create(r->wav, &r->sound, err) : am_no_memory(err);
  if (!st && (st = create(r->csv, &r->events, err))) unlink(r->wav);
  if (!st) st = write_head(r, err);
  if (!st && lseek(r->sound, HEAD, SEEK_SET) < 0) st = am_fail_errno(err, errno, "cannot write %s", r->wav);
  if (!st) st = begin_table(r, err);
  if (st) return (void)cli_recording_close(r, NULL), st;
  *out = r;
  return AM_OK;
}

am_status cli_recording_sound(cli_recording *r, const float *x, size_t n, am_error *err) {
  unsigned char bytes[2 * BLOCK];
  am_status st = AM_OK;
  if (2 * (r->samples + n) > most_bytes)
    return am_fail(err, AM_E_IO, "%s: a WAV file holds no more than 4 GiB", r->wav);
  for (size_t some; n && !st; x += some, n -= some) {
    some = n < BLOCK ? n : BLOCK;
    for (size_t i = 0; i < some; i++) {
      const float at = fmaxf(-32768, fminf(32767, x[i] * 32768));
      const unsigned value = (unsigned)(isfinite(at) ? lrintf(at) : 0);
      bytes[2 * i] = (unsigned char)value;
      bytes[2 * i + 1] = (unsigned char)(value >> 8);
    }
    st = put(r->sound, r->wav, bytes, 2 * some, err);
    r->samples += some;
  }
  return !st && r->samples - r->written_length >= r->rate ? write_head(r, err) : st;
}

am_status cli_recording_event(cli_recording *r, const am_stream_event *e, am_error *err) {
  const am_checkpoint *m = r->teller.model;
  const bool measured = e->kind == AM_STREAM_MEASURED, heard = measured && !e->heard.unheard;
  const int answer = heard && !m->values ? am_event_answer(&r->teller, e->probabilities) : AM_UNCERTAIN;
  am_buffer row = {0};
  am_csv_writer w = {.ctx = r->ctx, .out = &row};
  am_csv_put(&w, am_event_name(e->kind));
  am_csv_put_real(&w, e->start);
  am_csv_put_real(&w, measured || e->kind == AM_STREAM_SPEECH_ENDS ? e->end : NAN);
  am_csv_put_int(&w, (int64_t)e->utterance);
  am_csv_put(&w, measured && e->last ? "true" : "");
  am_csv_put(&w, e->text ? e->text : answer >= 0 ? m->labels[answer] : "");
  if (!m->values) am_csv_put(&w, heard ? m->labels[am_largest(e->probabilities, m->classes)] : "");
  for (int k = 0; k < m->classes; k++) am_csv_put_real(&w, heard ? (double)e->probabilities[k] : NAN);
  am_csv_end_row(&w);
  return write_row(r, &row, err);
}

am_status cli_recording_close(cli_recording *r, am_error *err) {
  if (!r) return AM_OK;
  am_status st = AM_OK;
  if (r->sound >= 0 && r->events >= 0) st = write_head(r, err);
  if (!st && r->events >= 0 && (fsync(r->sound) || fsync(r->events)))
    st = am_fail_errno(err, errno, "cannot write %s", r->wav);
  if (r->sound >= 0) close(r->sound);
  if (r->events >= 0) close(r->events);
  am_free(r->ctx, r->wav);
  am_free(r->ctx, r->csv);
  am_free(r->ctx, r);
  return st;
}
