#include "audio/container.h"

#include <string.h>

/* Programs that write to a pipe cannot know the length: ffmpeg leaves 0xffffffff, sox 0x7ffff000.
 * From there on a size means "until the end". */
static const uint64_t unknown_length = 0x7ffff000;

static uint64_t read_u32(const unsigned char *p, bool big)
{
  uint32_t little = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  uint32_t wide = (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
  return big ? wide : little;
}

static am_status fail_truncated(const char *name, const char *what, uint64_t promised, uint64_t found, am_error *err)
{
  return am_fail(err, AM_E_FORMAT,
                 "%s: truncated: its %s chunk promises %llu bytes of sound and %llu are there; copy or download it again", name,
                 what, (unsigned long long)promised, (unsigned long long)found);
}

/* RIFF and FORM files are a list of chunks: 4 letters, size, content, padded to even length. */
static am_status check_chunks(const unsigned char *data, size_t bytes, bool big, const char *sound_chunk,
                              const char *name, am_error *err)
{
  size_t at = 12;
  while (bytes - at >= 8) {
    uint64_t size = read_u32(data + at + 4, big), left = bytes - at - 8;
    if (memcmp(data + at, sound_chunk, 4) == 0) {
      if (size <= left || size >= unknown_length)
        return AM_OK;
      return fail_truncated(name, sound_chunk, size, left, err);
    }
    if (size > left)
      return am_fail(err, AM_E_FORMAT,
                     "%s: truncated: the file ends inside its '%.4s' chunk, before any sound; copy or download it again",
                     name, (const char *)data + at);
    at += 8 + (size_t)size;
    if ((size & 1) && at < bytes && data[at] == 0) /* some writers forget the padding */
      at++;
  }
  return am_fail(err, AM_E_FORMAT, "%s: has no '%s' chunk, so no sound; it ends after %zu bytes", name, sound_chunk, bytes);
}

/* RF64 keeps the size of its data in the first chunk, ds64: riff size, data size, 64 bits each. */
static am_status check_rf64(const unsigned char *data, size_t bytes, const char *name, am_error *err)
{
  if (bytes < 36 || memcmp(data + 12, "ds64", 4) != 0)
    return AM_OK;
  uint64_t size = read_u32(data + 28, false) | read_u32(data + 32, false) << 32;
  if (size > bytes && size != UINT64_MAX)
    return fail_truncated(name, "ds64", size, bytes, err);
  return AM_OK;
}

/* Ogg is a row of pages: 27 bytes, a table of segment lengths, the segments. */
static am_status check_ogg(const unsigned char *data, size_t bytes, const char *name, am_error *err)
{
  size_t at = 0;
  while (bytes - at >= 4 && memcmp(data + at, "OggS", 4) == 0) {
    size_t left = bytes - at, size = 27;
    if (left >= 27)
      size += data[at + 26];
    if (left >= 27 && left >= size)
      for (size_t i = 0, segments = data[at + 26]; i < segments; i++)
        size += data[at + 27 + i];
    if (size > left)
      return am_fail(err, AM_E_FORMAT, "%s: truncated: its last Ogg page has %zu of at least %zu bytes; copy or download it again",
                     name, left, size);
    at += size;
  }
  return AM_OK;
}

am_status am_container_check(const unsigned char *data, size_t bytes, const char *name, am_error *err)
{
  if (bytes >= 12 && memcmp(data + 8, "WAVE", 4) == 0) {
    if (memcmp(data, "RIFF", 4) == 0)
      return check_chunks(data, bytes, false, "data", name, err);
    if (memcmp(data, "RIFX", 4) == 0)
      return check_chunks(data, bytes, true, "data", name, err);
    if (memcmp(data, "RF64", 4) == 0)
      return check_rf64(data, bytes, name, err);
  }
  if (bytes >= 12 && memcmp(data, "FORM", 4) == 0 && memcmp(data + 8, "AIF", 3) == 0)
    return check_chunks(data, bytes, true, "SSND", name, err);
  if (bytes >= 4 && memcmp(data, "OggS", 4) == 0)
    return check_ogg(data, bytes, name, err);
  return AM_OK;
}

/* The first line as printable ASCII, others as '.'; whether it looked like text. */
static bool first_line(const unsigned char *data, size_t bytes, char *line, size_t room)
{
  size_t n = 0;
  bool text = true;
  for (; n < bytes && n + 1 < room && data[n] != '\n' && data[n] != '\r'; n++) {
    bool printable = data[n] >= 0x20 && data[n] < 0x7f;
    text = text && (printable || data[n] == '\t' || data[n] >= 0x80);
    line[n] = printable ? (char)data[n] : '.';
  }
  line[n] = 0;
  return text;
}

am_status am_container_describe(const unsigned char *data, size_t bytes, const char *name, const char *reason,
                                am_error *err)
{
  static const char lfs[] = "version https://git-lfs";
  char line[49];
  if (bytes == 0)
    return am_fail(err, AM_E_FORMAT, "%s: is empty (0 bytes), not a sound file", name);
  bool text = first_line(data, bytes, line, sizeof line);
  if (bytes >= sizeof lfs - 1 && memcmp(data, lfs, sizeof lfs - 1) == 0)
    return am_fail(err, AM_E_FORMAT,
                   "%s: is a git-lfs pointer of %zu bytes, not the sound itself; run 'git lfs pull' where it was cloned", name,
                   bytes);
  if (text && strlen(line) >= 4)
    return am_fail(err, AM_E_FORMAT, "%s: is a text file, not a sound; it begins \"%s\"", name, line);
  return am_fail(err, AM_E_FORMAT, "%s: not a sound file that libsndfile reads (%s); its first bytes are %02x %02x %02x %02x \"%.12s\"",
                 name, reason, data[0], bytes > 1 ? data[1] : 0, bytes > 2 ? data[2] : 0, bytes > 3 ? data[3] : 0, line);
}
