#include "audio/container.h"

#include <string.h>

/* How a format lays out its chunks: an id, a size, content.  In Sony's W64 ids are GUIDs that begin with
 * the RIFF letters, and the size counts the id and itself. */
typedef struct layout {
  size_t first;      /* where the first chunk begins */
  size_t id, size;   /* bytes of the id and of the size */
  size_t align;      /* chunks begin at multiples of this */
  bool big;          /* endian */
  bool whole;        /* the size counts the chunk's own header */
  const char *sound; /* the chunk that holds the sound */
  uint64_t wide;     /* RF64: size of the sound, whose chunk says 0xffffffff; else 0 */
} layout;

static uint64_t read_number(const unsigned char *p, size_t bytes, bool big) {
  uint64_t x = 0;
  for (size_t i = 0; i < bytes; i++) x = x << 8 | p[big ? i : bytes - 1 - i];
  return x;
}

/* Programs that write to a pipe cannot know the length: ffmpeg leaves 0xffffffff, sox 0x7ffff000, CAF has -1.
 * From there on a size means "until the end". */
static bool unknown_length(uint64_t size, size_t bytes) {
  return bytes == 4 ? size >= 0x7ffff000 && size <= UINT32_MAX : size >= (uint64_t)1 << 62;
}

static am_status fail_truncated(const char *name, const char *what, uint64_t promised, uint64_t found,
                                am_error *err) {
  return am_fail(err, AM_E_FORMAT,
                 "%s: truncated: its '%s' header promises %llu bytes of sound and %llu are there; copy or "
                 "download it again",
                 name, what, (unsigned long long)promised, (unsigned long long)found);
}

static am_status check_chunks(const unsigned char *data, size_t bytes, const layout *l, const char *name,
                              am_error *err) {
  size_t at = l->first, head = l->id + l->size;
  while (at < bytes && bytes - at >= head) {
    uint64_t size = read_number(data + at + l->id, l->size, l->big), left = bytes - at - head;
    bool sound = memcmp(data + at, l->sound, 4) == 0;
    if (sound && l->wide && size == UINT32_MAX)
      size = l->wide;
    else if (sound && unknown_length(size, l->size))
      return AM_OK;
    if (l->whole) size = size > head ? size - head : 0;
    if (sound && size <= left) return AM_OK;
    if (sound) return fail_truncated(name, l->sound, size, left, err);
    if (size > left)
      return am_fail(
          err, AM_E_FORMAT,
          "%s: truncated: the file ends inside its '%.4s' chunk, before any sound; copy or download it again",
          name, (const char *)data + at);
    at += head + (size_t)size;
    at += (l->align - at % l->align) % l->align;
  }
  return am_fail(err, AM_E_FORMAT, "%s: has no '%s' chunk, so no sound; it ends after %zu bytes", name,
                 l->sound, bytes);
}

/* RF64 begins with a chunk ds64: the sizes of the file and of its sound, 64 bits each. */
static uint64_t rf64_size(const unsigned char *data, size_t bytes) {
  if (bytes < 36 || memcmp(data + 12, "ds64", 4) != 0) return 0;
  return read_number(data + 28, 8, false);
}

/* Ogg is a row of pages: 27 bytes, a table of segment lengths, the segments. */
static am_status check_ogg(const unsigned char *data, size_t bytes, const char *name, am_error *err) {
  size_t at = 0;
  while (bytes - at >= 4 && memcmp(data + at, "OggS", 4) == 0) {
    size_t left = bytes - at, size = 27;
    if (left >= 27) size += data[at + 26];
    if (left >= 27 && left >= size)
      for (size_t i = 0, segments = data[at + 26]; i < segments; i++) size += data[at + 27 + i];
    if (size > left)
      return am_fail(
          err, AM_E_FORMAT,
          "%s: truncated: its last Ogg page has %zu of at least %zu bytes; copy or download it again", name,
          left, size);
    at += size;
  }
  return AM_OK;
}

/* AU: ".snd", where the sound begins, its size. */
static am_status check_au(const unsigned char *data, size_t bytes, bool big, const char *name,
                          am_error *err) {
  uint64_t from = read_number(data + 4, 4, big), size = read_number(data + 8, 4, big),
           left = bytes > from ? bytes - from : 0;
  if (size <= left || unknown_length(size, 4)) return AM_OK;
  return fail_truncated(name, big ? ".snd" : "dns.", size, left, err);
}

/* MP3: the first frame may hold a table of contents ("Xing", "Info" when the bit rate is constant) with the
 * bytes of the whole stream.  A shorter stream would also make libsndfile's decoder print a warning. */
static am_status check_mp3(const unsigned char *data, size_t bytes, const char *name, am_error *err) {
  size_t at = 0;
  if (memcmp(data, "ID3", 3) == 0) /* a tag whose size has 7 bits a byte */
    at = 10 + ((size_t)(data[6] & 127) << 21 | (size_t)(data[7] & 127) << 14 | (size_t)(data[8] & 127) << 7 |
               (size_t)(data[9] & 127));
  if (at > bytes || bytes - at < 64)
    return am_fail(err, AM_E_FORMAT, "%s: truncated: an MP3 file that ends before its first frame", name);
  if (data[at] != 0xff || (data[at + 1] & 0xe0) != 0xe0) return AM_OK;
  bool mpeg1 = (data[at + 1] & 0x18) == 0x18, mono = data[at + 3] >> 6 == 3;
  const unsigned char *table = data + at + 4 + (mpeg1 ? (mono ? 17 : 32) : (mono ? 9 : 17));
  if (memcmp(table, "Xing", 4) != 0 && memcmp(table, "Info", 4) != 0) return AM_OK;
  bool has_frames = table[7] & 1, has_bytes = table[7] & 2;
  uint64_t size = has_bytes ? read_number(table + (has_frames ? 12 : 8), 4, true) : 0;
  return size <= bytes - at ? AM_OK : fail_truncated(name, "Xing", size, bytes - at, err);
}

am_status am_container_check(const unsigned char *data, size_t bytes, const char *name, am_error *err) {
  layout l = {.first = 12, .id = 4, .size = 4, .align = 2, .sound = "data"};
  if (bytes >= 2 && data[0] == 0xf0 && data[1] == 0x7e) /* what samplers play, not speech */
    return am_fail(err, AM_E_FORMAT, "%s: is a MIDI sample dump (SDS), which is not read; convert it to WAV or FLAC", name);
  if (bytes < 12) return AM_OK;
  bool wave = memcmp(data + 8, "WAVE", 4) == 0;
  if (wave && memcmp(data, "RF64", 4) == 0)
    l.wide = rf64_size(data, bytes);
  else if (wave && memcmp(data, "RIFX", 4) == 0)
    l.big = true;
  else if (memcmp(data, "FORM", 4) == 0 && memcmp(data + 8, "AIF", 3) == 0)
    l.big = true, l.sound = "SSND";
  else if (memcmp(data, "caff", 4) == 0)
    l = (layout){.first = 8, .id = 4, .size = 8, .align = 1, .big = true, .sound = "data"};
  else if (memcmp(data, "riff\x2e\x91\xcf\x11", 8) == 0)
    l = (layout){.first = 40, .id = 16, .size = 8, .align = 8, .whole = true, .sound = "data"};
  else if (memcmp(data, ".snd", 4) == 0 || memcmp(data, "dns.", 4) == 0)
    return check_au(data, bytes, data[0] == '.', name, err);
  else if (memcmp(data, "OggS", 4) == 0)
    return check_ogg(data, bytes, name, err);
  else if (memcmp(data, "ID3", 3) == 0 || (data[0] == 0xff && (data[1] & 0xe0) == 0xe0))
    return check_mp3(data, bytes, name, err);
  else if (!wave || memcmp(data, "RIFF", 4) != 0)
    return AM_OK; /* lengths are the decoder's business */
  return check_chunks(data, bytes, &l, name, err);
}

/* The first line as printable ASCII, others as '.'; whether it looked like text. */
static bool first_line(const unsigned char *data, size_t bytes, char *line, size_t room) {
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
                                am_error *err) {
  static const char lfs[] = "version https://git-lfs";
  char line[49];
  if (bytes == 0) return am_fail(err, AM_E_FORMAT, "%s: is empty (0 bytes), not a sound file", name);
  bool text = first_line(data, bytes, line, sizeof line);
  if (bytes >= sizeof lfs - 1 && memcmp(data, lfs, sizeof lfs - 1) == 0)
    return am_fail(
        err, AM_E_FORMAT,
        "%s: is a git-lfs pointer of %zu bytes, not the sound itself; run 'git lfs pull' where it was cloned",
        name, bytes);
  if (text && strlen(line) >= 4)
    return am_fail(err, AM_E_FORMAT, "%s: is a text file, not a sound; it begins \"%s\"", name, line);
  return am_fail(
      err, AM_E_FORMAT,
      "%s: not a sound file that libsndfile reads (%s); its first bytes are %02x %02x %02x %02x \"%.12s\"",
      name, reason, data[0], bytes > 1 ? data[1] : 0, bytes > 2 ? data[2] : 0, bytes > 3 ? data[3] : 0, line);
}
