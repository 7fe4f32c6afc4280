/* SPDX-License-Identifier: MIT */
/* cli/rows.c - where the rows of predictions go: standard output, or the file of --out, which a second call goes on with.
 *
 * What the file holds of an earlier call is read once, in blocks, and nothing of it is kept but which sounds have rows, and the rows
 * of the last one.  That sound is heard again: its rows may be cut off in the middle (windows), and they tell whether the same model
 * speaks. */
#include <string.h>

#include "base/append.h"
#include "base/hash.h"
#include "cli/cli.h"
#include "io/rows.h"

enum { BLOCK = 1 << 16, LONGEST_ROW = 1 << 20 };
static const double other_machine = 1e-3; /* a probability on another processor differs by less */

struct cli_rows {
  cli *c;
  const cli_sounds *sounds;
  am_append *file; /* NULL: standard output */
  const char *path;
  cli_format format;
  am_rows_kind kind;
  bool *done; /* (sounds->n) */
  size_t n_done, unreadable, next;
  size_t last; /* the sound of the last rows; SIZE_MAX: none */
  bool again;  /* it is to be heard next */
  uint64_t last_at;
  am_buffer last_rows, pending, name;
  uint32_t *slots; /* of sounds by the names in their rows; a power of two */
  size_t n_slots;
};

void cli_rows_free(cli_rows *r) {
  if (!r) return;
  am_context *ctx = r->c->ctx;
  am_append_close(r->file);
  am_buffer_free(ctx, &r->last_rows);
  am_buffer_free(ctx, &r->pending);
  am_buffer_free(ctx, &r->name);
  am_free(ctx, r->slots);
  am_free(ctx, r->done);
  am_free(ctx, r);
}

/* ---- what is there already ---- */

static bool is_name(cli_rows *r, size_t i, const char *name, size_t bytes) {
  r->name.used = 0;
  cli_predicted_name(r->c, r->format, cli_sound_shown(r->sounds->at[i]), &r->name);
  return !r->name.failed && r->name.used == bytes && !memcmp(r->name.data, name, bytes);
}

static uint64_t hash(const cli_rows *r, const char *name, size_t bytes) {
  return am_hash64((uintptr_t)r->c->ctx, name, bytes);
}

/* A sound that is given twice has its row once. */
static am_status index_sounds(cli_rows *r, am_error *err) {
  for (r->n_slots = 64; r->n_slots < 2 * r->sounds->n;) r->n_slots *= 2;
  if (!(r->slots = am_alloc(r->c->ctx, r->n_slots, sizeof *r->slots))) return am_no_memory(err);
  for (size_t i = 0; i < r->sounds->n; i++) {
    r->name.used = 0;
    cli_predicted_name(r->c, r->format, cli_sound_shown(r->sounds->at[i]), &r->name);
    if (r->name.failed) return am_no_memory(err);
    size_t at = (size_t)hash(r, r->name.data, r->name.used) & (r->n_slots - 1);
    while (r->slots[at]) at = (at + 1) & (r->n_slots - 1);
    r->slots[at] = (uint32_t)i + 1;
  }
  return AM_OK;
}

/* Marks all sounds of that name; the first of them, or SIZE_MAX. */
static size_t mark(cli_rows *r, const char *name, size_t bytes) {
  size_t found = SIZE_MAX;
  for (size_t at = (size_t)hash(r, name, bytes) & (r->n_slots - 1); r->slots[at]; at = (at + 1) & (r->n_slots - 1)) {
    const size_t i = r->slots[at] - 1;
    if (!is_name(r, i, name, bytes)) continue;
    if (!r->done[i]) r->done[i] = true, r->n_done++;
    if (i < found) found = i;
  }
  return found;
}

static bool tells_unreadable(const cli_rows *r, const char *rest, size_t bytes) {
  const char *word = r->kind == AM_ROWS_CSV ? "," CLI_UNREADABLE "," : "\"reason\": \"" CLI_UNREADABLE "\"";
  const size_t n = strlen(word);
  for (size_t i = 0; i + n <= bytes; i++)
    if (rest[i] == *word && !memcmp(rest + i, word, n)) return true;
  return false;
}

static am_status take_row(cli_rows *r, const char *row, size_t bytes, uint64_t offset, am_error *err) {
  const size_t n = am_row_key(r->kind, row, bytes);
  if (!n)
    return am_fail(err, AM_E_FORMAT, "%s: the row at byte %llu is none of these predictions; name another file",
                   r->path, (unsigned long long)offset);
  const bool same = r->last_rows.used >= n && r->last_rows.data && !memcmp(r->last_rows.data, row, n) &&
                    am_row_key(r->kind, r->last_rows.data, r->last_rows.used) == n;
  if (!same) {
    r->last = mark(r, row, n);
    r->last_at = offset;
    r->last_rows.used = 0;
    r->unreadable += tells_unreadable(r, row + n, bytes - n);
  }
  am_buffer_append(r->c->ctx, &r->last_rows, row, bytes);
  return r->last_rows.failed ? am_no_memory(err) : AM_OK;
}

static am_status check_head(const cli_rows *r, const am_buffer *head, const char *row, size_t bytes, am_error *err) {
  if (bytes == head->used && !memcmp(row, head->data, bytes)) return AM_OK;
  return am_fail(err, AM_E_USAGE,
                 "%s: is there already, and its first line is not that of these predictions (another model, or other "
                 "options); name another file, or remove it",
                 r->path);
}

/* Rows of the file one after another; *whole: bytes up to the end of the last whole one. */
static am_status scan(cli_rows *r, const am_buffer *head, char *block, uint64_t *whole, am_error *err) {
  bool headless = !head->used;
  size_t held = 0, got = 1;
  *whole = 0;
  for (am_status st; got;) {
    if ((st = am_append_read(r->file, *whole + held, block + held, LONGEST_ROW + BLOCK - held, &got, err))) return st;
    held += got;
    size_t at = 0, n;
    while ((n = am_row_whole(r->kind, block + at, held - at))) {
      st = headless ? take_row(r, block + at, n, *whole + at, err) : check_head(r, head, block + at, n, err);
      if (st) return st;
      headless = true;
      at += n;
    }
    if (!at && held > LONGEST_ROW && got)
      return am_fail(err, AM_E_FORMAT, "%s: a row of more than %d bytes; it is none of these predictions", r->path,
                     (int)LONGEST_ROW);
    if (!at) break; /* the rest is no whole row */
    memmove(block, block + at, held - at);
    held -= at;
    *whole += at;
  }
  return AM_OK;
}

/* Nothing is whole in it: is what there is what is left of our own first line?  It might be any file, named by mistake. */
static am_status check_torn(const cli_rows *r, const am_buffer *head, const char *found, size_t n, am_error *err) {
  static const char line[] = "{\"file\"";
  const char *begins = head->used ? head->data : line;
  const size_t most = head->used ? head->used : sizeof line - 1, known = n < most ? n : most;
  if ((head->used ? n <= most : true) && !memcmp(found, begins, known)) return AM_OK;
  return am_fail(err, AM_E_USAGE, "%s: is there already, and is no table of predictions; name another file", r->path);
}

static am_status go_on(cli_rows *r, uint64_t whole, am_error *err) {
  const uint64_t torn = am_append_bytes(r->file) - whole;
  if (torn) {
    am_log(r->c->ctx, AM_LOG_WARNING, "%s: its last %llu bytes are no whole row, and are cut off", r->path,
           (unsigned long long)torn);
    am_status st = am_append_cut(r->file, whole, err);
    if (st) return st;
  }
  if (!r->last_rows.used) return AM_OK;
  if (r->last == SIZE_MAX)
    return am_fail(err, AM_E_USAGE,
                   "%s: is there already, and its last row is of a sound that is none of these; name another file, or "
                   "remove it",
                   r->path);
  r->unreadable -= tells_unreadable(r, r->last_rows.data, r->last_rows.used);
  r->again = true;
  r->done[r->last] = false;
  r->n_done--;
  am_log(r->c->ctx, AM_LOG_INFO, "%s has %zu of %zu sounds; going on from %s, which is heard again", r->path,
         r->n_done + 1, r->sounds->n, cli_sound_shown(r->sounds->at[r->last]));
  return AM_OK;
}

static am_status open_file(cli_rows *r, const am_buffer *head, am_error *err) {
  uint64_t whole = 0;
  am_status st = am_append_open(r->c->ctx, r->path, &r->file, err);
  if (!st && am_append_bytes(r->file)) {
    char *block = am_alloc(r->c->ctx, LONGEST_ROW + BLOCK, 1);
    st = block ? index_sounds(r, err) : am_no_memory(err);
    if (!st) st = scan(r, head, block, &whole, err);
    if (!st && !whole) st = check_torn(r, head, block, (size_t)am_append_bytes(r->file), err);
    am_free(r->c->ctx, block);
    if (!st) st = go_on(r, whole, err);
    am_free(r->c->ctx, r->slots);
    r->slots = NULL;
  }
  if (!st && !whole && head->used) st = am_append_put(r->file, head->data, head->used, err);
  return st;
}

am_status cli_rows_open(cli *c, const char *path, cli_format format, const am_buffer *head, const cli_sounds *sounds,
                        cli_rows **out, am_error *err) {
  *out = NULL;
  if (head->failed) return am_no_memory(err);
  cli_rows *r = *out = am_alloc(c->ctx, 1, sizeof *r);
  if (!r) return am_no_memory(err);
  *r = (cli_rows){.c = c,
                  .sounds = sounds,
                  .path = path,
                  .format = format,
                  .kind = format == CLI_JSON ? AM_ROWS_JSON : AM_ROWS_CSV,
                  .last = SIZE_MAX,
                  .done = am_alloc(c->ctx, sounds->n, sizeof *r->done)};
  if (!r->done) return am_no_memory(err);
  if (path) return open_file(r, head, err);
  if (head->used) cli_put_data(head->data, head->used);
  return cli_flush(err);
}

/* ---- new ones ---- */

size_t cli_rows_next(cli_rows *r) {
  if (r->again) {
    r->again = false;
    return r->last;
  }
  while (r->next < r->sounds->n && (r->done[r->next] || r->next == r->last)) r->next++;
  return r->next < r->sounds->n ? r->next++ : SIZE_MAX;
}

size_t cli_rows_left(const cli_rows *r) { return r->sounds->n - r->n_done; }
size_t cli_rows_unreadable(const cli_rows *r) { return r->unreadable; }

/* What is said of the last sound of an earlier call now, and was then, as far as its rows go. */
static am_status compare(cli_rows *r, const am_buffer *text, am_error *err) {
  const am_buffer *before = &r->last_rows;
  size_t then = 0, now = 0;
  while (then < before->used) {
    const size_t a = am_row_whole(r->kind, before->data + then, before->used - then),
                 b = am_row_whole(r->kind, text->data + now, text->used - now);
    if (!a || !b) break;
    then += a;
    now += b;
  }
  if (then == before->used && am_rows_agree(before->data, then, text->data, now, other_machine))
    return am_append_cut(r->file, r->last_at, err);
  return am_fail(
      err, AM_E_USAGE,
      "%s: is there already, and says something else of %s than is said now: it is of another model, of other "
      "options, or the sound has changed; name another file, or remove it",
      r->path, cli_sound_shown(r->sounds->at[r->last]));
}

am_status cli_rows_put(cli_rows *r, size_t i, am_buffer *text, am_error *err) {
  am_status st = text->failed ? am_no_memory(err) : AM_OK;
  if (!st && r->file && i == r->last && r->last_rows.used) {
    st = compare(r, text, err);
    r->last_rows.used = 0;
  }
  if (!st && r->file) {
    if (text->used) am_buffer_append(r->c->ctx, &r->pending, text->data, text->used);
    if (r->pending.failed) st = am_no_memory(err);
  } else if (!st) {
    if (text->used) cli_put_data(text->data, text->used);
    st = cli_flush(err);
  }
  am_buffer_free(r->c->ctx, text);
  return st;
}

am_status cli_rows_flush(cli_rows *r, am_error *err) {
  if (!r->file || !r->pending.used) return AM_OK;
  am_status st = am_append_put(r->file, r->pending.data, r->pending.used, err);
  r->pending.used = 0;
  return st;
}

am_status cli_rows_end(cli_rows *r, am_error *err) {
  am_status st = cli_rows_flush(r, err);
  return st || !r->file ? st : am_append_sync(r->file, err);
}
