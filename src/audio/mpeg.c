/* SPDX-License-Identifier: MIT */
#include "audio/mpeg.h"

#include "audio/tags.h"

#include <string.h>

typedef struct header {
  int version; /* 0: MPEG 2.5, 2: MPEG 2, 3: MPEG 1 */
  int layer, rate, channels, samples;
  size_t bytes; /* 0: free format */
} header;

/* kbit/s by the header's four bits, from 1 to 14. */
static const short bit_rates[5][14] = {
    {32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448}, /* MPEG 1, layers I to III */
    {32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
    {32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
    {32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256}, /* MPEG 2 and 2.5, layer I */
    {8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},      /* layers II and III */
};

/* Of a frame that begins here (ISO/IEC 11172-3, 13818-3). */
static bool read_header(const unsigned char *p, size_t bytes, header *h) {
  static const int rates[3] = {44100, 48000, 32000};
  if (bytes < 4 || p[0] != 0xff || (p[1] & 0xe0) != 0xe0) return false;
  int version = p[1] >> 3 & 3, layer = 4 - (p[1] >> 1 & 3), bits = p[2] >> 4, rate = p[2] >> 2 & 3, pad = p[2] >> 1 & 1;
  if (version == 1 || layer == 4 || bits == 15 || rate == 3) return false;
  *h = (header){.version = version, .layer = layer, .channels = p[3] >> 6 == 3 ? 1 : 2};
  h->rate = rates[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
  h->samples = layer == 1 ? 384 : layer == 2 || version == 3 ? 1152 : 576;
  if (bits == 0) return true;
  int kbit = bit_rates[version == 3 ? layer - 1 : layer == 1 ? 3 : 4][bits - 1];
  h->bytes =
      layer == 1 ? (size_t)(12000 * kbit / h->rate + pad) * 4 : (size_t)(h->samples / 8 * 1000 * kbit / h->rate + pad);
  return true;
}

static bool alike(const header *a, const header *b) {
  return a->version == b->version && a->layer == b->layer && a->rate == b->rate && a->channels == b->channels;
}

/* A frame at `at` with another of its kind after it, or a tag, or the end of the file. */
static bool confirmed(const unsigned char *data, size_t bytes, size_t at, header *h) {
  header next;
  if (!read_header(data + at, bytes - at, h)) return false;
  if (h->bytes == 0) return false;
  if (h->bytes >= bytes - at) return h->bytes == bytes - at;
  size_t behind = at + h->bytes;
  if (am_tag_at(data + behind, bytes - behind)) return true;
  return read_header(data + behind, bytes - behind, &next) && next.version == h->version && next.layer == h->layer &&
         next.rate == h->rate;
}

/* The table in a stretch's first frame: its side information, which would be zeros, then the name. */
static bool read_table(const unsigned char *data, size_t bytes, const header *h, am_mpeg_stretch *out) {
  if (h->layer != 3 || bytes < 64) return false;
  const unsigned char *p = data + 4 + (h->version == 3 ? (h->channels == 1 ? 17 : 32) : (h->channels == 1 ? 9 : 17));
  const unsigned char *v = data + 36;
  bool xing = memcmp(p, "Xing", 4) == 0 || memcmp(p, "Info", 4) == 0, vbri = memcmp(v, "VBRI", 4) == 0;
  if (!xing && !vbri) return false;
  if (!out) return true;
  const unsigned char *frames = xing && p[7] & 1 ? p + 8 : vbri ? v + 14 : NULL;
  const unsigned char *size = xing && p[7] & 2 ? p + (p[7] & 1 ? 12 : 8) : vbri ? v + 10 : NULL;
  for (int i = 0; i < 4; i++) {
    if (frames) out->table_frames = out->table_frames << 8 | frames[i];
    if (size) out->table_bytes = out->table_bytes << 8 | size[i];
  }
  return out->table = true;
}

/* The first confirmed frame from `at` on; passes over tags and counts what is no tag in *odd. */
static bool find_frame(const unsigned char *data, size_t bytes, size_t *at, header *h, size_t *odd) {
  for (size_t p = *at, passed = 0; p < bytes;) {
    size_t tag = am_tag_at(data + p, bytes - p);
    if (tag && tag <= bytes - p) {
      p += tag;
    } else if (confirmed(data, bytes, p, h)) {
      *odd += passed;
      *at = p;
      return true;
    } else {
      do passed += data[p++] != 0;
      while (p < bytes && data[p] != 0xff && !am_tag_at(data + p, bytes - p));
    }
  }
  return false;
}

bool am_mpeg_next(const unsigned char *data, size_t bytes, am_passing *passing, size_t *at, am_mpeg_stretch *out) {
  header first, h;
  size_t p = *at;
  *out = (am_mpeg_stretch){0};
  if (!find_frame(data, bytes, &p, &first, &out->odd)) {
    /* free format has no chain to confirm it by */
    if (!read_header(data + *at, bytes - *at, &first) || first.bytes) return false;
    *out = (am_mpeg_stretch){
        .from = *at, .to = bytes, .rate = first.rate, .channels = first.channels, .samples = first.samples};
    *at = bytes;
    return true;
  }
  out->from = p;
  out->rate = first.rate, out->channels = first.channels, out->samples = first.samples;
  if (read_table(data + p, bytes - p, &first, out)) p += first.bytes;
  for (;;) {
    am_pass(passing, data + p);
    size_t next = p, odd = 0;
    bool frame = read_header(data + p, bytes - p, &h) && h.bytes && alike(&h, &first);
    if (!frame && !(find_frame(data, bytes, &next, &h, &odd) && alike(&h, &first))) break;
    if (read_table(data + next, bytes - next, &h, NULL)) break; /* another file's beginning */
    p = next;
    out->odd += odd;
    if (h.bytes > bytes - p) {
      out->cut = bytes - p, out->cut_of = h.bytes;
      p = bytes;
      break;
    }
    out->frames++;
    p += h.bytes;
  }
  *at = out->to = p;
  return true;
}

bool am_mpeg_begins(const unsigned char *data, size_t bytes) {
  header h;
  for (size_t at = 0; at < bytes && at < 65536; at++) {
    if (data[at] != 0xff) continue;
    size_t p = at;
    int row = 0;
    for (; row < 4 && p < bytes && confirmed(data, bytes, p, &h); row++) p += h.bytes;
    if (row == 4 || (row && at == 0) || (row > 1 && p == bytes)) return true;
    /* one that is cut, or of free format; a text in UTF-16 begins like layer I */
    if (at == 0 && read_header(data, bytes, &h) && h.layer != 1) return true;
  }
  return false;
}
