/* SPDX-License-Identifier: MIT */
/* audio/container_describe.c - what a file that is no sound for us really is, and what to do. */
#include "audio/container.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "audio/endings.h"
#include "base/file.h"

static bool has(const unsigned char *data, size_t bytes, size_t at, const char *letters, size_t n) {
  return bytes >= at + n && memcmp(data + at, letters, n) == 0;
}

/* ISO media: a size, "ftyp", a brand. */
static const char *iso_media(const unsigned char *data, size_t bytes) {
  if (has(data, bytes, 8, "M4A", 3) || has(data, bytes, 8, "M4B", 3)) return "MPEG-4 audio (M4A)";
  if (has(data, bytes, 8, "3g", 2)) return "a 3GPP film or sound (3GP)";
  if (has(data, bytes, 8, "qt  ", 4)) return "a QuickTime film or sound (MOV)";
  if (has(data, bytes, 8, "avi", 3) || has(data, bytes, 8, "heic", 4) || has(data, bytes, 8, "mif1", 4))
    return "a picture (HEIF)";
  return "an MPEG-4 film or sound (MP4)";
}

/* Raw AAC in frames of their own header (ADTS): the first one must lead to a second one, or to the end. */
static bool is_adts(const unsigned char *data, size_t bytes) {
  if (bytes < 7 || data[0] != 0xff || (data[1] & 0xf6) != 0xf0) return false;
  size_t frame = (size_t)(data[3] & 3) << 11 | (size_t)data[4] << 3 | data[5] >> 5;
  if (frame < 7) return false;
  return frame >= bytes || (bytes - frame >= 2 && data[frame] == 0xff && (data[frame + 1] & 0xf6) == 0xf0);
}

static bool is_transport_stream(const unsigned char *data, size_t bytes) {
  return bytes >= 3 * 188 && data[0] == 0x47 && data[188] == 0x47 && data[376] == 0x47;
}

static const char *matroska(const unsigned char *data, size_t bytes) {
  for (size_t i = 4; i < 64 && i + 4 <= bytes; i++)
    if (memcmp(data + i, "webm", 4) == 0) return "WebM";
  return "Matroska (MKA, MKV)";
}

static const struct {
  size_t at;
  const char *letters;
  size_t n;
  const char *what;
} foreign[] = {
    {0, "#!AMR-WB", 8, "AMR-WB speech"},
    {0, "#!AMR", 5, "AMR speech"},
    {0, "#!SILK", 6, "SILK speech"},
    {1, "#!SILK", 6, "SILK speech"},
    {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", 8, "Windows Media (WMA, WMV, ASF)"},
    {0, "ADIF", 4, "AAC (ADIF)"},
    {0, "FLV\1", 4, "a Flash film (FLV)"},
    {8, "AVI ", 4, "an AVI film"},
    {0, "\0\0\1\xba", 4, "an MPEG film (MPG, VOB)"},
    {0, "\0\0\1\xb3", 4, "an MPEG film"},
    {0, "MAC ", 4, "Monkey's Audio (APE)"},
    {0, "wvpk", 4, "WavPack"},
    {0, "TTA1", 4, "True Audio (TTA)"},
    {0, "tBaK", 4, "TAK"},
    {0, "MPCK", 4, "Musepack"},
    {0, "MP+", 3, "Musepack"},
    {0, "\x0b\x77", 2, "AC-3 sound"},
    {0, "\x7f\xfe\x80\x01", 4, "DTS sound"},
    {0, ".RMF", 4, "RealMedia"},
    {0, ".ra\xfd", 4, "RealAudio"},
    {0, "DSD ", 4, "DSD sound (DSF)"},
    {0, "FRM8", 4, "DSD sound (DFF)"},
    {0, "ajkg", 4, "Shorten"},
};

/* What holds no sound at all, so that there is nothing to convert. */
static const struct {
  const char *letters;
  size_t n;
  const char *what;
} silent[] = {
    {"\x89PNG", 4, "a picture (PNG)"},
    {"\xff\xd8\xff", 3, "a picture (JPEG)"},
    {"GIF8", 4, "a picture (GIF)"},
    {"PK\3\4", 4, "a ZIP archive"},
    {"\x1f\x8b", 2, "a gzip archive"},
    {"%PDF", 4, "a PDF document"},
    {"7z\xbc\xaf", 4, "a 7-Zip archive"},
    {"Rar!", 4, "a RAR archive"},
    {"\x89HDF", 4, "an HDF5 file"},
    {"MThd", 4, "notes for instruments (MIDI)"},
    {"\xfd"
     "7zXZ",
     5, "an XZ archive"},
    {"\0\5\x16\7", 4, "an AppleDouble file (._*)"},
};

static const char *no_sound(const unsigned char *data, size_t bytes) {
  for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
    if (has(data, bytes, 0, silent[i].letters, silent[i].n)) return silent[i].what;
  return NULL;
}

const char *am_container_foreign(const unsigned char *data, size_t bytes) {
  if (has(data, bytes, 4, "ftyp", 4)) return iso_media(data, bytes);
  if (has(data, bytes, 4, "moov", 4) || has(data, bytes, 4, "mdat", 4)) return "a QuickTime film or sound (MOV)";
  if (has(data, bytes, 0, "\x1a\x45\xdf\xa3", 4)) return matroska(data, bytes);
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
    if (has(data, bytes, foreign[i].at, foreign[i].letters, foreign[i].n)) return foreign[i].what;
  if (is_adts(data, bytes)) return "AAC (ADTS)";
  if (is_transport_stream(data, bytes)) return "an MPEG film (TS)";
  return no_sound(data, bytes);
}

/* Codecs in a WAV, by the number in its fmt chunk, that libsndfile does not read. */
static const char *wave_codec(const unsigned char *data, size_t bytes) {
  static const struct {
    unsigned tag;
    const char *name;
  } known[] = {{0x16, "G.723"},          {0x22, "TrueSpeech"},     {0x28, "G.722"},          {0x38, "AMR-NB"},
               {0x42, "G.723.1"},        {0x45, "G.726"},          {0x57, "AMR-NB"},         {0x58, "AMR-WB"},
               {0x61, "Duck ADPCM"},     {0x62, "Yamaha ADPCM"},   {0x64, "G.726"},          {0x65, "G.722"},
               {0x69, "Xbox ADPCM"},     {0x75, "MetaVoice"},      {0x83, "G.729"},          {0xff, "AAC"},
               {0x130, "Sipro ACELP"},   {0x160, "Windows Media"}, {0x161, "Windows Media"}, {0x162, "Windows Media"},
               {0x163, "Windows Media"}, {0x28f, "G.722"},         {0x566, "Vorbis"},        {0x674f, "Vorbis"},
               {0x6750, "Vorbis"},       {0x6751, "Vorbis"},       {0x704f, "Opus"},         {0x1600, "AAC"},
               {0x1602, "AAC"},          {0x1610, "AAC"},          {0x2000, "AC-3"},         {0x2001, "DTS"},
               {0xa106, "AAC"},          {0xa109, "Speex"},        {0xf1ac, "FLAC"}};
  if (!has(data, bytes, 0, "RIFF", 4) || !has(data, bytes, 8, "WAVEfmt ", 8) || bytes < 22) return NULL;
  unsigned tag = data[20] | (unsigned)data[21] << 8;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].tag == tag) return known[i].name;
  return NULL;
}

bool am_container_unread(const unsigned char *data, size_t bytes) {
  return (am_container_foreign(data, bytes) && !no_sound(data, bytes)) || wave_codec(data, bytes);
}

/* A word that a shell takes for this one, whatever is in it; "./" keeps ffmpeg from taking it for an option
 * or an address. */
static size_t quote(const char *text, char *to, size_t room) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-./,=@%";
  bool quoted = text[strspn(text, plain)] != 0;
  size_t n = 0;
  const char *front = *text == '-' || (*text != '/' && strchr(text, ':')) ? "./" : "";
  n += (size_t)snprintf(to, room, "%s%s", quoted ? "'" : "", front);
  for (; *text && n + 6 < room; text++) {
    if (*text == '\'') n += (size_t)snprintf(to + n, room - n, "'\\''");
    else to[n++] = *text;
  }
  to[n] = 0;
  if (*text) return room; /* too long to be typed */
  if (quoted) n += (size_t)snprintf(to + n, room - n, "'");
  return n;
}

const char *am_container_advice(const am_container *c, char *line, size_t room) {
  static const char plain[] = "; to convert it: ffmpeg -i FILE -ac 1 FILE.wav";
  char name[256], in[300], out[300];
  const char *base = am_path_base(c->name), *dot = strrchr(base, '.');
  size_t stem = dot && dot != base ? (size_t)(dot - c->name) : strlen(c->name);
  bool wav = dot && strcasecmp(dot, ".wav") == 0;
  snprintf(line, room, "%s", plain);
  if (!c->is_path || strlen(c->name) + 16 > sizeof name) return line;
  snprintf(name, sizeof name, "%.*s%s.wav", (int)stem, c->name, wav ? "-read" : "");
  if (quote(c->name, in, sizeof in) < sizeof in && quote(name, out, sizeof out) < sizeof out)
    snprintf(line, room, "; to convert it: ffmpeg -i %s -ac 1 %s", in, out);
  return line;
}

/* What its name says and its content does not. */
static const char *lying_ending(const char *name) {
  return am_sound_ending_known(name) ? strrchr(am_path_base(name), '.') : NULL;
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

static am_status fail_foreign(const am_container *c, const char *what, bool sound, am_error *err) {
  char line[700];
  const char *ending = c->is_path ? lying_ending(c->name) : NULL;
  return am_fail(err, AM_E_FORMAT, "%s: is %s%s%s%s, which is not read%s", c->name, what,
                 ending ? ", whatever the ending " : "", ending ? ending : "", ending ? " says" : "",
                 sound ? am_container_advice(c, line, sizeof line) : "");
}

am_status am_container_describe(const am_container *c, const char *reason, am_error *err) {
  static const char lfs[] = "version https://git-lfs";
  const unsigned char *data = c->data + (c->at < c->bytes ? c->at : 0);
  const size_t bytes = c->bytes - (c->at < c->bytes ? c->at : 0);
  const char *name = c->name, *what, *codec;
  char line[49], advice[700];
  if (bytes == 0) return am_fail(err, AM_E_FORMAT, "%s: is empty (0 bytes), not a sound file", name);
  if ((what = am_container_foreign(data, bytes))) return fail_foreign(c, what, what != no_sound(data, bytes), err);
  if ((codec = wave_codec(data, bytes)))
    return am_fail(err, AM_E_FORMAT, "%s: is a WAV file with %s in it, which is not read%s", name, codec,
                   am_container_advice(c, advice, sizeof advice));
  bool text = first_line(data, bytes, line, sizeof line);
  if (bytes >= sizeof lfs - 1 && memcmp(data, lfs, sizeof lfs - 1) == 0)
    return am_fail(
        err, AM_E_FORMAT,
        "%s: is a git-lfs pointer of %zu bytes, not the sound itself; run 'git lfs pull' where it was cloned", name,
        bytes);
  if (text && strlen(line) >= 4)
    return am_fail(err, AM_E_FORMAT, "%s: is a text file, not a sound; it begins \"%s\"", name, line);
  return am_fail(err, AM_E_FORMAT,
                 "%s: not a sound file that libsndfile reads (%s); its first bytes are %02x %02x %02x %02x \"%.12s\"",
                 name, reason, data[0], bytes > 1 ? data[1] : 0, bytes > 2 ? data[2] : 0, bytes > 3 ? data[3] : 0,
                 line);
}
