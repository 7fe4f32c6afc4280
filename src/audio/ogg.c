/* SPDX-License-Identifier: MIT */
#include "audio/ogg.h"

#include <string.h>

enum { PAGE_HEAD = 27, FIRST = 2, LAST = 4 };

typedef struct page {
  size_t bytes, have;
  const unsigned char *content;
  size_t length;
  uint64_t position; /* all ones: no packet ends on it */
  uint32_t stream;
  int flags;
} page;

static uint64_t little(const unsigned char *p, int n) {
  uint64_t x = 0;
  for (int i = n; i-- > 0;) x = x << 8 | p[i];
  return x;
}

/* RFC 3533: 27 bytes, a table of segment lengths, the segments.  A page that is cut has fewer bytes than it
 * says. */
static bool read_page(const unsigned char *p, size_t bytes, page *out) {
  if (bytes < 4 || memcmp(p, "OggS", 4) != 0) return false;
  *out = (page){.have = bytes, .bytes = PAGE_HEAD};
  if (bytes < PAGE_HEAD) return true;
  size_t segments = p[26];
  out->bytes += segments;
  if (bytes < out->bytes) return true;
  for (size_t i = 0; i < segments; i++) out->length += p[PAGE_HEAD + i];
  out->bytes += out->length;
  out->content = p + PAGE_HEAD + segments;
  out->flags = p[5], out->position = little(p + 6, 8), out->stream = (uint32_t)little(p + 14, 4);
  return true;
}

static am_ogg_kind kind_of(const page *p) {
  static const struct {
    const char *letters;
    size_t n;
    am_ogg_kind kind;
  } known[] = {{"\1vorbis", 7, AM_OGG_VORBIS}, {"OpusHead", 8, AM_OGG_OPUS},   {"\177FLAC", 5, AM_OGG_FLAC},
               {"Speex   ", 8, AM_OGG_SPEEX},  {"\200theora", 7, AM_OGG_FILM}, {"\200daala", 6, AM_OGG_FILM}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (p->length >= known[i].n && memcmp(p->content, known[i].letters, known[i].n) == 0) return known[i].kind;
  return AM_OGG_OTHER;
}

static bool is_sound(am_ogg_kind kind) { return kind != AM_OGG_OTHER && kind != AM_OGG_FILM; }
static bool is_read(am_ogg_kind kind) { return is_sound(kind) && kind != AM_OGG_SPEEX; }

/* A stream that begins: the first one of sound that is read is the link's. */
static void add_stream(am_ogg_link *l, const page *p, int streams) {
  am_ogg_kind kind = kind_of(p);
  if (streams && is_sound(kind) && is_sound(l->kind)) l->others++;
  if (streams && !(is_read(kind) && !is_read(l->kind))) return;
  l->kind = kind;
  l->stream = p->stream;
  for (size_t i = 0; i < 8; i++) {
    unsigned char c = i < p->length ? p->content[i] : 0;
    l->first[i] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
  }
}

static const unsigned char *next_page(const unsigned char *p, size_t bytes) {
  for (const unsigned char *end = p + bytes; end - p >= 4; p++) {
    p = memchr(p, 'O', (size_t)(end - p) - 3);
    if (!p) return NULL;
    if (memcmp(p, "OggS", 4) == 0) return p;
  }
  return NULL;
}

bool am_ogg_read(const unsigned char *data, size_t bytes, am_passing *passing, am_ogg_link *out) {
  *out = (am_ogg_link){0};
  int streams = 0;
  bool begun = false; /* a page that begins no stream was there */
  page p;
  size_t at = 0;
  while (at < bytes) {
    am_pass(passing, data + at);
    if (!read_page(data + at, bytes - at, &p)) {
      const unsigned char *next = at ? next_page(data + at, bytes - at) : NULL;
      if (!next) break;
      out->odd += (size_t)(next - data) - at;
      at = (size_t)(next - data);
      continue;
    }
    if (p.bytes > p.have) {
      out->cut = p.have, out->cut_of = p.bytes;
      at = bytes;
      break;
    }
    if (p.flags & FIRST) {
      if (begun) break; /* of the next link */
      add_stream(out, &p, streams++);
    } else {
      begun = true;
    }
    if (p.stream == out->stream && p.position != UINT64_MAX) out->last = p.position;
    if (p.stream == out->stream) out->ended = p.flags & LAST;
    at += p.bytes;
  }
  out->to = at;
  return at > 0;
}

size_t am_ogg_unpack(const unsigned char *data, const am_ogg_link *link, unsigned char *to) {
  size_t n = 0;
  page p;
  for (size_t at = 0; at < link->to;) {
    if (!read_page(data + at, link->to - at, &p)) {
      const unsigned char *next = next_page(data + at, link->to - at);
      if (!next) break;
      at = (size_t)(next - data);
      continue;
    }
    if (p.bytes > p.have) break;
    if (p.stream == link->stream) {
      memcpy(to + n, p.content, p.length);
      n += p.length;
    }
    at += p.bytes;
  }
  return n;
}
