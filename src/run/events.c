/* SPDX-License-Identifier: MIT */
/* run/events.c - see events.h. */
#include "run/events.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"

enum { EVENTS_LIMIT = 256 << 20, MESSAGE = 12 /* bytes of a record before its message */ };

/* ---- protocol buffers and records ---- */

/* Numbers of fields, and how a field is stored. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2 };
enum { VARINT = 0, EIGHT_BYTES = 1, SIZED = 2, FOUR_BYTES = 5 };

/* What is put together: no record is as long. */
typedef struct message {
  size_t n;
  unsigned char at[1024];
} message;

static void put_number(message *m, uint64_t value, int bytes) { /* low byte first */
  for (int i = 0; i < bytes; i++) m->at[m->n++] = (unsigned char)(value >> 8 * i);
}

static void put_varint(message *m, uint64_t value) { /* seven bits a byte, low ones first */
  for (; value > 127; value >>= 7) m->at[m->n++] = (unsigned char)(value | 128);
  m->at[m->n++] = (unsigned char)value;
}

static void put_field(message *m, int field, int kind) { put_varint(m, (uint64_t)(field << 3 | kind)); }

static void put_sized(message *m, int field, const void *data, size_t bytes) {
  put_field(m, field, SIZED);
  put_varint(m, bytes);
  memcpy(m->at + m->n, data, bytes);
  m->n += bytes;
}

static void put_double(message *m, int field, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_field(m, field, EIGHT_BYTES);
  put_number(m, bits, 8);
}

static void put_float(message *m, int field, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_field(m, field, FOUR_BYTES);
  put_number(m, bits, 4);
}

/* A checksum of what has checksums in it would be weak, so records have them rotated and shifted. */
static uint32_t masked_crc(const unsigned char *data, size_t n) {
  const uint32_t crc = am_crc32c(0, data, n);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_record(am_context *ctx, am_buffer *out, const message *event) {
  message head = {0}, tail = {0};
  put_number(&head, event->n, 8);
  put_number(&head, masked_crc(head.at, 8), 4);
  put_number(&tail, masked_crc(event->at, event->n), 4);
  am_buffer_append(ctx, out, head.at, head.n);
  am_buffer_append(ctx, out, event->at, event->n);
  am_buffer_append(ctx, out, tail.at, tail.n);
}

/* ---- what an epoch says ---- */

/* Of one kind in a group: TensorBoard draws what has the same words before the stroke side by side. */
static const struct {
  const char *tag;
  size_t member;
} scalars[] = {{"loss/train", offsetof(am_epoch, train_loss)},
               {"loss/validation", offsetof(am_epoch, validation_loss)},
               {"accuracy/train", offsetof(am_epoch, train_accuracy)},
               {"accuracy/validation", offsetof(am_epoch, validation_accuracy)},
               {"uar/validation", offsetof(am_epoch, validation_uar)},
               {"ccc/validation", offsetof(am_epoch, validation_ccc)},
               {"learning_rate", offsetof(am_epoch, learning_rate)},
               {"time/seconds", offsetof(am_epoch, seconds)},
               {"time/clips_per_second", offsetof(am_epoch, clips_per_second)}};

static void put_summary(message *event, const am_epoch *epoch) {
  message summary = {0};
  for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
    const double value = *(const double *)(const void *)((const char *)epoch + scalars[i].member);
    message scalar = {0};
    if (isnan(value)) continue; /* not taken */
    put_sized(&scalar, VALUE_TAG, scalars[i].tag, strlen(scalars[i].tag));
    put_float(&scalar, VALUE_SIMPLE, (float)value);
    put_sized(&summary, SUMMARY_VALUE, scalar.at, scalar.n);
  }
  put_sized(event, EVENT_SUMMARY, summary.at, summary.n);
}

void am_events_record(am_context *ctx, am_buffer *out, const am_epoch *epoch, double when) {
  static const char version[] = "brain.Event:2";
  message event = {0};
  put_double(&event, EVENT_WALL_TIME, when);
  if (epoch) {
    put_field(&event, EVENT_STEP, VARINT);
    put_varint(&event, epoch->epoch);
    put_summary(&event, epoch);
  } else {
    put_sized(&event, EVENT_FILE_VERSION, version, sizeof version - 1);
  }
  put_record(ctx, out, &event);
}

/* ---- the file ---- */

/* The time in a record that may be of ours: its message begins with it, behind a byte for the field. */
static double time_of(const char *record) {
  uint64_t bits = 0;
  double when;
  for (int i = 0; i < 8; i++) bits |= (uint64_t)(unsigned char)record[MESSAGE + 1 + i] << 8 * i;
  memcpy(&when, &bits, sizeof when);
  return when;
}

/* What is kept of a file: its first records, of the epochs wanted. */
typedef struct kept {
  size_t bytes, records;
  double when; /* of the last one */
} kept;

/* The first records, as far as they are those that would be written.  All but their times is known, so nothing has to be
 * understood of a file that may be anything. */
static am_status records_there(am_context *ctx, const char *text, size_t bytes, const am_epoch *epochs, size_t n,
                               kept *k, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i <= n && !status && bytes - k->bytes > MESSAGE + 9; i++) {
    am_buffer record = {0};
    const double when = time_of(text + k->bytes);
    am_events_record(ctx, &record, i ? &epochs[i - 1] : NULL, when);
    if (record.failed) status = am_no_memory(err);
    const size_t size = record.used;
    const bool same = !status && size <= bytes - k->bytes && !memcmp(record.data, text + k->bytes, size);
    am_buffer_free(ctx, &record);
    if (!same) break;
    *k = (kept){k->bytes + size, i + 1, when};
  }
  return status;
}

/* The others.  They are written some time after their epochs ended, which lie behind each other; time never runs backwards. */
static void put_rest(am_context *ctx, am_buffer *out, const am_epoch *epochs, size_t n, const kept *k) {
  const size_t first = k->records ? k->records - 1 : 0;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  double when = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
  for (size_t i = first; i < n; i++)
    if (epochs[i].seconds > 0) when -= epochs[i].seconds;
  if (k->records && k->when > when) when = k->when;
  if (!k->records) am_events_record(ctx, out, NULL, when);
  for (size_t i = first; i < n; i++) {
    if (epochs[i].seconds > 0) when += epochs[i].seconds;
    am_events_record(ctx, out, &epochs[i], when);
  }
}

am_status am_events_write(am_run_folder *f, const am_epoch *epochs, size_t n, am_error *err) {
  if (!f->ready) return AM_OK;
  char *path = am_run_file_path(f->ctx, f->path, AM_FILE_EVENTS), *text = NULL;
  size_t bytes = 0;
  kept k = {0};
  am_buffer rest = {0};
  am_status status = path ? am_lock_check(f->lock, err) : am_no_memory(err);
  if (!status && am_file_exists(path)) {
    am_error why = AM_ERROR_INIT;
    status = am_file_read_own(f->ctx, path, EVENTS_LIMIT, &text, &bytes, &why);
    /* What is not an ordinary file of that size is none of ours. */
    if (status) status = status == AM_E_FORMAT ? AM_OK : am_fail(err, status, "%s", why.message);
  }
  if (!status && text) status = records_there(f->ctx, text, bytes, epochs, n, &k, err);
  if (!status) {
    put_rest(f->ctx, &rest, epochs, n, &k);
    if (rest.failed) status = am_no_memory(err);
  }
  if (!status && !k.records) status = am_run_folder_write(f, AM_FILE_EVENTS, &rest, err);
  else if (!status && (rest.used || k.bytes < bytes))
    status = am_file_append_own(f->ctx, path, k.bytes, rest.data, rest.used, err);
  am_buffer_free(f->ctx, &rest);
  am_free(f->ctx, text);
  am_free(f->ctx, path);
  return status;
}
