/* SPDX-License-Identifier: MIT */
#include "audio/tags.h"

#include <string.h>

enum { ID3_HEAD = 10, ID3_OLD = 128, APE_HEAD = 32, LYRICS_FOOT = 15 };

static size_t little(const unsigned char *p) {
  return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

/* ID3v2 has 7 bits a byte. */
static size_t id3_bytes(const unsigned char *p) {
  return (size_t)(p[6] & 127) << 21 | (size_t)(p[7] & 127) << 14 | (size_t)(p[8] & 127) << 7 | (size_t)(p[9] & 127);
}

static bool starts(const unsigned char *data, size_t bytes, const char *text) {
  return bytes >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

size_t am_tag_at(const unsigned char *data, size_t bytes) {
  if (bytes >= ID3_HEAD && starts(data, bytes, "ID3") && data[3] < 0x10)
    return ID3_HEAD + id3_bytes(data) + (data[5] & 0x10 ? ID3_HEAD : 0);
  if (bytes >= APE_HEAD && starts(data, bytes, "APETAGEX")) return APE_HEAD + little(data + 12);
  if (bytes == ID3_OLD && starts(data, bytes, "TAG")) return ID3_OLD;
  if (bytes > ID3_OLD && starts(data, bytes, "TAG") &&
      (data[ID3_OLD] == 0xff || starts(data + ID3_OLD, bytes - ID3_OLD, "ID3")))
    return ID3_OLD; /* of the first of two joined files */
  return 0;
}

/* Bytes of the one tag that ends with the file. */
static size_t tag_behind(const unsigned char *data, size_t bytes) {
  const unsigned char *end = data + bytes;
  if (bytes >= ID3_OLD && starts(end - ID3_OLD, ID3_OLD, "TAG")) return ID3_OLD;
  if (bytes >= APE_HEAD && starts(end - APE_HEAD, APE_HEAD, "APETAGEX")) {
    const unsigned char *foot = end - APE_HEAD;
    size_t size = little(foot + 12),
           all = size + APE_HEAD; /* it may, or may only say that it does, have a head as well */
    return foot[23] & 0x80 && all <= bytes && starts(end - all, APE_HEAD, "APETAGEX") ? all : size;
  }
  if (bytes >= ID3_HEAD && starts(end - ID3_HEAD, ID3_HEAD, "3DI")) return id3_bytes(end - ID3_HEAD) + 2 * ID3_HEAD;
  if (bytes >= LYRICS_FOOT && starts(end - 9, 9, "LYRICS200")) {
    size_t size = 0;
    for (const unsigned char *p = end - LYRICS_FOOT; p < end - 9; p++)
      size = 10 * size + (size_t)(*p >= '0' && *p <= '9' ? *p - '0' : 0);
    return size + LYRICS_FOOT;
  }
  return 0;
}

size_t am_tags_behind(const unsigned char *data, size_t bytes) {
  size_t all = 0, one;
  while ((one = tag_behind(data, bytes - all)) > 0 && one <= bytes - all) all += one;
  return all;
}
