/* SPDX-License-Identifier: MIT */
#include "audio/container.h"

#include "audio/chunks.h"
#include "audio/mpeg.h"
#include "audio/ogg.h"
#include "audio/tags.h"

#include <stdio.h>
#include <string.h>

static bool begins(const am_container *c, size_t at, const char *letters, size_t n) {
  return c->bytes - at >= n && memcmp(c->data + at, letters, n) == 0;
}

/* A tag in front, which belongs to no format: the file really begins after it. */
static void skip_tags(am_container *c) {
  size_t at = 0, tag;
  while ((tag = am_tag_at(c->data + at, c->bytes - at)) > 0 && begins(c, at, "ID3", 3) && tag < c->bytes - at)
    at += tag;
  c->at = at;
}

static am_status refuse(am_container *c, const char *what, am_error *err) {
  char line[600];
  c->unread = true;
  return am_fail(err, AM_E_FORMAT, "%s: is %s, which is not read%s", c->name, what,
                 am_container_advice(c, line, sizeof line));
}

enum { LOOK = 65536 };

/* Where another FLAC stream begins after the first byte, or the end: its letters, and a block with the
 * stream's facts. */
static size_t flac_end(const unsigned char *data, size_t bytes, am_passing *passing) {
  for (size_t at = 42; bytes - at >= 42; at++) {
    /* in stretches, for what comes after may be hours away */
    const size_t left = bytes - at - 41, some = left < LOOK ? left : LOOK;
    const unsigned char *p = memchr(data + at, 'f', some);
    am_pass(passing, data + at);
    at = p ? (size_t)(p - data) : at + some - 1;
    if (!p) continue;
    if (memcmp(p, "fLaC", 4) == 0 && (p[4] & 127) == 0 && p[5] == 0 && p[6] == 0 && p[7] == 34) return at;
  }
  return bytes;
}

/* The header's count of samples is taken out of libFLAC's sight, which would stop there. */
static void count_flac(am_part *part) {
  const unsigned char *data = part->data;
  if (part->bytes < 42 || (data[4] & 127) != 0) return;
  part->promised = data[21] & 15;
  for (int i = 22; i < 26; i++) part->promised = part->promised << 8 | data[i];
  am_part_patch(part, 21, data[21] & 0xf0, 1, true);
  am_part_patch(part, 22, 0, 4, true);
}

static void next_flac(am_container *c, am_part *part) {
  const unsigned char *data = c->data + c->at;
  size_t left = c->bytes - c->at, to = left < 42 ? left : flac_end(data, left, c->passing);
  *part = (am_part){.codec = AM_DECODE_SNDFILE, .data = data, .bytes = to};
  c->at += to;
  if (to == left) part->bytes -= am_tags_behind(data, left);
  count_flac(part);
}

/* FLAC taken out of its pages: libsndfile reads few Ogg files with it.  Nine bytes stand before what a FLAC
 * file begins with. */
static am_status unpack_flac(am_context *ctx, const am_ogg_link *l, am_part *part, am_error *err) {
  enum { MAPPING = 9 };
  unsigned char *own = am_alloc(ctx, l->to, 1);
  if (!own) return am_no_memory(err);
  size_t n = am_ogg_unpack(part->data, l, own);
  *part = (am_part){.codec = AM_DECODE_SNDFILE,
                    .data = n > MAPPING ? own + MAPPING : own,
                    .bytes = n > MAPPING ? n - MAPPING : n,
                    .own = own};
  count_flac(part);
  if (!part->promised) part->promised = l->last;
  return AM_OK;
}

static am_status next_ogg(am_container *c, am_part *part, am_error *err) {
  am_ogg_link l;
  am_ogg_read(c->data + c->at, c->bytes - c->at, c->passing, &l);
  if (l.cut_of)
    return am_fail(err, AM_E_FORMAT,
                   "%s: truncated: its last Ogg page has %zu of at least %zu bytes; copy or download it again", c->name,
                   l.cut, l.cut_of);
  *part = (am_part){.data = c->data + c->at, .bytes = l.to};
  size_t behind = c->bytes - c->at - l.to;
  c->at += l.to;
  if (l.kind == AM_OGG_SPEEX) return refuse(c, "an Ogg file of Speex sound", err);
  if (l.kind == AM_OGG_FILM) return refuse(c, "an Ogg file of a film without sound that is known", err);
  if (l.kind == AM_OGG_OTHER) {
    char what[80];
    snprintf(what, sizeof what, "an Ogg file of a stream that begins \"%s\"", l.first);
    return refuse(c, what, err);
  }
  part->codec = l.kind == AM_OGG_VORBIS ? AM_DECODE_VORBIS : AM_DECODE_OPUS;
  am_status status = l.kind == AM_OGG_FLAC ? unpack_flac(c->ctx, &l, part, err) : AM_OK;
  /* a page of another part, or nothing that is known */
  bool more = behind > 0 && begins(c, c->at, "OggS", 4);
  size_t odd = l.odd + (more ? 0 : behind - am_tags_behind(c->data + c->at, behind));
  if (!more) c->at = c->bytes;
  if (status || c->quiet) return status;
  if (l.others)
    am_log(c->ctx, AM_LOG_WARNING, "%s: %d more stream%s of sound beside the first %s left out", c->name, l.others,
           l.others == 1 ? "" : "s", l.others == 1 ? "is" : "are");
  if (odd) am_log(c->ctx, AM_LOG_WARNING, "%s: %zu bytes that are no Ogg pages are left out", c->name, odd);
  if (!l.ended)
    am_log(c->ctx, AM_LOG_WARNING,
           "%s: its last Ogg page is not marked as the last; the end of the sound may be missing", c->name);
  return AM_OK;
}

/* VOC is a row of blocks: a type, 24 bits of size, content; 1, 2 and 9 are of sound, 0 is the last.
 * libsndfile would take all from the first one on for sound, the heads of the others too. */
static am_status check_voc(am_container *c, am_error *err) {
  const unsigned char *data = c->data + c->at;
  size_t bytes = c->bytes - c->at, at = data[20] | (size_t)data[21] << 8;
  int sounds = 0;
  while (at < bytes && data[at] != 0 && bytes - at >= 4) {
    size_t size = data[at + 1] | (size_t)data[at + 2] << 8 | (size_t)data[at + 3] << 16, left = bytes - at - 4;
    bool sound = data[at] == 1 || data[at] == 2 || data[at] == 9;
    if (size > left && sound && !sounds)
      return am_fail(err, AM_E_FORMAT,
                     "%s: truncated: its VOC block promises %zu bytes and %zu are there; copy or download it again",
                     c->name, size, left);
    if (size > left) return AM_OK; /* sox counts 8 bytes too few: what seems a block is sound */
    sounds += sound;
    at += 4 + size;
  }
  return sounds > 1 ? refuse(c, "a VOC file with its sound in several blocks", err) : AM_OK;
}

static am_status rest_of(am_container *c, am_codec codec, am_part *part) {
  *part = (am_part){.codec = codec, .data = c->data + c->at, .bytes = c->bytes - c->at};
  if (codec == AM_DECODE_MPEG) part->bytes -= am_tags_behind(part->data, part->bytes);
  c->at = c->bytes;
  return AM_OK;
}

static am_status describe(am_container *c, const char *reason, am_error *err) {
  c->unread = am_container_unread(c->data + c->at, c->bytes - c->at);
  return am_container_describe(c, reason, err);
}

static am_status next_part(am_container *c, am_part *part, am_error *err) {
  if (c->parts++ == 0) {
    if (c->bytes == 0) return am_container_describe(c, "", err);
    if (c->media) return rest_of(c, AM_DECODE_MEDIA, part);
    skip_tags(c);
  }
  const unsigned char *data = c->data + c->at;
  const size_t bytes = c->bytes - c->at;
  if (begins(c, c->at, "\xf0\x7e", 2)) /* what samplers play, not speech; and libsndfile prints what is wrong in one */
    return am_fail(err, AM_E_FORMAT, "%s: is a MIDI sample dump (SDS), which is not read; convert it to WAV or FLAC",
                   c->name);
  if (am_chunks_begin(data, bytes)) {
    am_status status = am_chunks_read(c, part, err);
    c->at = c->bytes;
    return status;
  }
  if (begins(c, c->at, "OggS", 4)) return next_ogg(c, part, err);
  if (begins(c, c->at, "fLaC", 4)) return next_flac(c, part), AM_OK;
  if (begins(c, c->at, "Creative Voice File\x1a", 20) && bytes >= 26) {
    am_status status = check_voc(c, err);
    if (status) return status;
  }
  if (am_container_foreign(data, bytes)) return describe(c, "", err);
  if (am_mpeg_begins(data, bytes)) return rest_of(c, AM_DECODE_MPEG, part);
  /* libsndfile would take it for MPEG as well, and its libmpg123 says on standard error what is wrong */
  if (begins(c, c->at, "ID3", 3) || (bytes >= 2 && data[0] == 0xff && (data[1] & 0xe0) == 0xe0))
    return am_container_describe(c, "No two MPEG frames in a row", err);
  return rest_of(c, AM_DECODE_SNDFILE, part);
}

am_status am_container_next(am_container *c, am_part *part, bool *more, am_error *err) {
  *more = c->parts == 0 || c->at < c->bytes;
  if (!*more) return AM_OK;
  am_status status = next_part(c, part, err);
  if (status) return status;
  part->track = c->track;
  if (!part->own) part->passing = c->passing;
  return AM_OK;
}

am_status am_container_refused(am_container *c, const am_part *part, const char *reason, am_error *err) {
  if (!part->own) c->at = (size_t)(part->data - c->data);
  return describe(c, reason, err);
}
