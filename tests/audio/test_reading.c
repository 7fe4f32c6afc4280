/* SPDX-License-Identifier: MIT */
/* All of a sound is heard: lengths that were never filled in, tags, joined files, against ffmpeg; in bounded
 * memory. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"

#include <fcntl.h>
#include <sndfile.h>

/* The context of a test: what was warned of, and how much memory lives. */
typedef struct room {
  am_context *ctx;
  char *folder;
  char said[4000];
  size_t live, most;
} room;

typedef struct head {
  size_t bytes;
  max_align_t data[];
} head;

static void *count_resize(void *user, void *pointer, size_t bytes) {
  room *r = user;
  head *old = pointer ? (head *)((char *)pointer - offsetof(head, data)) : NULL;
  r->live -= old ? old->bytes : 0;
  if (!bytes) return free(old), NULL;
  head *moved = realloc(old, offsetof(head, data) + bytes);
  assert_non_null(moved);
  moved->bytes = bytes;
  r->live += bytes;
  if (r->live > r->most) r->most = r->live;
  return moved->data;
}

static void hear(void *user, am_log_level level, const char *line) {
  room *r = user;
  if (level > AM_LOG_WARNING) return;
  assert_int_equal(level, AM_LOG_WARNING);
  strncat(r->said, line, sizeof r->said - strlen(r->said) - 2);
  strcat(r->said, "\n");
}

static int enter(void **state) {
  room *r = calloc(1, sizeof *r);
  assert_non_null(r);
  r->folder = am_test_folder();
  am_settings settings = {
      .size = sizeof settings, .threads = 1, .resize = count_resize, .memory_user = r, .log = hear, .user = r};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_context_create(&settings, &r->ctx, &err), &err);
  *state = r;
  return 0;
}

static int leave(void **state) {
  room *r = *state;
  am_context_free(r->ctx);
  assert_int_equal(r->live, 0);
  am_test_folder_remove(r->folder);
  free(r->folder);
  free(r);
  return 0;
}

/* Bytes that are put together. */
typedef struct bytes {
  unsigned char *at;
  size_t n;
} bytes;

static void add(bytes *b, const void *more, size_t n) {
  b->at = realloc(b->at, b->n + n + 1);
  assert_non_null(b->at);
  memcpy(b->at + b->n, more, n);
  b->n += n;
}

static bytes slurp(const char *path) {
  bytes b = {0};
  unsigned char block[4096];
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("%s", path);
  for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) add(&b, block, n);
  fclose(file);
  return b;
}

static void put(bytes *b, size_t at, uint64_t x, int n, bool big) {
  for (int i = 0; i < n; i++) b->at[at + (size_t)(big ? n - 1 - i : i)] = (unsigned char)(x >> 8 * i);
}

static size_t place(const bytes *b, const char *letters) {
  for (size_t i = 0; i + 4 <= b->n; i++)
    if (!memcmp(b->at + i, letters, 4)) return i;
  fail_msg("no %s", letters);
  return 0;
}

static bytes tag(size_t content) {
  bytes b = {0};
  unsigned char first[10] = "ID3\4";
  for (int i = 0; i < 4; i++) first[9 - i] = content >> 7 * i & 127;
  add(&b, first, 10);
  b.at = realloc(b.at, 10 + content + 1);
  assert_non_null(b.at);
  memset(b.at + 10, 0, content);
  b.n = 10 + content;
  return b;
}

enum { N = 4000, RATE = 16000 };

/* Two channels of n frames, which differ. */
static bytes written(const room *r, int format, int rate, int channels, size_t n) {
  const char *path = am_test_path(r->folder, "written");
  SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  if (!file) fail_msg("libsndfile does not write %x", (unsigned)format);
  for (size_t i = 0; i < n; i++) {
    float x[2] = {(float)(0.4 * sin(0.05 * (double)i)), (float)(0.3 * sin(0.033 * (double)i))};
    assert_int_equal(sf_writef_float(file, x, 1), 1);
  }
  sf_close(file);
  return slurp(path);
}

static am_sound decoded(room *r, const bytes *b, double rate) {
  am_sound s = {.size = sizeof(am_sound)};
  am_error err = AM_ERROR_INIT;
  *r->said = 0;
  am_test_ok(am_sound_decode(r->ctx, b->at, b->n, "it", rate, 0, &s, &err), &err);
  return s;
}

/* The samples of `b`, which are those of `as`; `word` is in what is warned of, or nothing is when it is NULL.
 * inspect counts the same. */
static void same_sound(room *r, const char *what, const bytes *b, const am_sound *as, const char *word) {
  am_sound s = decoded(r, b, 0);
  if (s.n != as->n || memcmp(s.samples, as->samples, s.n * sizeof *s.samples) || s.rate != as->rate)
    fail_msg("%s: %zu samples, wanted %zu, or others", what, s.n, as->n);
  if (word ? !strstr(r->said, word) : *r->said) fail_msg("%s: said \"%s\"", what, r->said);
  am_sound_free(&s);
  const char *path = am_test_path(r->folder, "it");
  am_test_file(path, b->at, b->n);
  am_sound_info info = {.size = sizeof info};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_sound_inspect(r->ctx, path, &info, &err), &err);
  assert_int_equal(info.frames, as->n);
}

static void lengths_that_were_never_filled_in(void **state) {
  room *r = *state;
  const struct {
    const char *name;
    int format;
    const char *chunk;
    int id, size;
    bool big, whole;
  } formats[] = {{"wav", SF_FORMAT_WAV, "data", 4, 4, false, false},
                 {"wavex", SF_FORMAT_WAVEX, "data", 4, 4, false, false},
                 {"rifx", SF_FORMAT_WAV | SF_ENDIAN_BIG, "data", 4, 4, true, false},
                 {"aiff", SF_FORMAT_AIFF, "SSND", 4, 4, true, false},
                 {"caf", SF_FORMAT_CAF, "data", 4, 8, true, false},
                 {"w64", SF_FORMAT_W64, "data", 16, 8, false, true},
                 {"au", SF_FORMAT_AU, ".snd", 4, 0, true, false},
                 {"rf64", SF_FORMAT_RF64, "data", 4, 4, false, false}};
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
    for (int ones = 0; ones < 2; ones++) {
      bytes b = written(r, formats[f].format | SF_FORMAT_PCM_16, RATE, 2, N);
      am_sound whole = decoded(r, &b, 0);
      assert_int_equal(whole.n, N);
      uint64_t length = ones ? UINT64_MAX : 0;
      size_t at = place(&b, formats[f].chunk);
      bool big = formats[f].big, aiff = !strcmp(formats[f].name, "aiff"), rf64 = !strcmp(formats[f].name, "rf64");
      if (formats[f].size) put(&b, at + (size_t)formats[f].id, length, formats[f].size, big);
      else put(&b, 8, length, 4, true);
      if (aiff) put(&b, place(&b, "COMM") + 10, length, 4, true);
      if (rf64) put(&b, at + 4, UINT32_MAX, 4, false), put(&b, 20, length, 8, false), put(&b, 28, length, 8, false);
      else if (formats[f].size == 4) put(&b, 4, length, 4, big);
      if (formats[f].whole) put(&b, 16, length, 8, false);
      char what[40];
      snprintf(what, sizeof what, "%s, %s", formats[f].name, ones ? "ones" : "0");
      same_sound(r, what, &b, &whole, ones ? NULL : "its header says 0 bytes of sound; all ");
      am_sound_free(&whole);
      free(b.at);
    }
}

/* A header that says 0 and chunks behind it are an empty sound. */
static void an_empty_sound_stays_empty(void **state) {
  room *r = *state;
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof(am_sound)};
  bytes b = written(r, SF_FORMAT_WAV | SF_FORMAT_PCM_16, RATE, 1, 0);
  add(&b, "LIST\x10\0\0\0INFOIART\4\0\0\0abcd", 24);
  am_test_fails(am_sound_decode(r->ctx, b.at, b.n, "it", 0, 0, &s, &err), AM_E_FORMAT, &err, "it: holds no samples");
  free(b.at);
}

static void tags_before_and_behind_change_nothing(void **state) {
  room *r = *state;
  const int formats[] = {
      SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_AIFF | SF_FORMAT_PCM_16, SF_FORMAT_AU | SF_FORMAT_PCM_16,
      SF_FORMAT_CAF | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
      SF_FORMAT_OGG | SF_FORMAT_OPUS,   SF_FORMAT_W64 | SF_FORMAT_FLOAT,   SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III};
  static const char apes[] = "APETAGEX\xd0\7\0\0\x20\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0";
  char old[128] = "TAG a title";
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
    bytes b = written(r, formats[f], RATE, 2, N), first = tag(20000), second = tag(300);
    am_sound whole = decoded(r, &b, 0);
    char what[40];
    snprintf(what, sizeof what, "format %x", (unsigned)formats[f]);
    add(&first, second.at, second.n);
    add(&first, b.at, b.n);
    add(&first, apes, 32);
    add(&first, old, sizeof old);
    same_sound(r, what, &first, &whole, NULL);
    am_sound_free(&whole);
    free(b.at), free(first.at), free(second.at);
  }
}

/* The same clip twice, and then once more of another rate and fewer channels, which is resampled to the first
 * one's. */
static void joined_files_are_heard_to_their_end(void **state) {
  room *r = *state;
  const struct {
    int format;
    size_t slack; /* frames: a codec's end at another rate */
  } formats[] = {{SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1},
                 {SF_FORMAT_OGG | SF_FORMAT_OPUS, 1},
                 {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1},
                 {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 1}};
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
    bytes one = written(r, formats[f].format, RATE, 2, N), other = written(r, formats[f].format, 24000, 1, 6000),
          b = {0};
    am_sound alone = decoded(r, &one, 0), last = decoded(r, &other, alone.rate);
    if (labs((long)alone.n - (long)(N * alone.rate / RATE)) > (f == 3 ? 2000 : 0)) fail_msg("%zu of %d", alone.n, N);
    add(&b, one.at, one.n), add(&b, one.at, one.n), add(&b, other.at, other.n);
    am_sound all = decoded(r, &b, 0);
    if (*r->said) fail_msg("said \"%s\"", r->said);
    assert_int_equal(all.n, 2 * alone.n + last.n);
    assert_true(all.file_channels == 2 && all.file_rate == alone.rate);
    assert_memory_equal(all.samples, alone.samples, alone.n * sizeof *all.samples);
    assert_memory_equal(all.samples + alone.n, alone.samples, alone.n * sizeof *all.samples);
    assert_memory_equal(all.samples + 2 * alone.n, last.samples, last.n * sizeof *all.samples);
    am_sound_free(&all), am_sound_free(&alone), am_sound_free(&last);
    free(one.at), free(other.at), free(b.at);
  }
}

static void what_is_left_out_is_warned_of(void **state) {
  room *r = *state;
  bytes wav = written(r, SF_FORMAT_WAV | SF_FORMAT_PCM_16, RATE, 2, N),
        flac = written(r, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, RATE, 2, N);
  bytes ogg = written(r, SF_FORMAT_OGG | SF_FORMAT_VORBIS, RATE, 1, N),
        mp3 = slurp(am_test_source("tests/audio/sounds/vbr-bare.mp3"));
  am_sound w = decoded(r, &wav, 0), f = decoded(r, &flac, 0), o = decoded(r, &ogg, 0), m = decoded(r, &mp3, 0);
  unsigned char junk[300];
  for (size_t i = 0; i < sizeof junk; i++) junk[i] = (unsigned char)(i * 7 + 1);
  const struct {
    const bytes *file;
    const am_sound *sound;
    const void *more;
    size_t n;
    const char *word;
  } cases[] = {
      {&wav, &w, wav.at, wav.n, "it: another sound file begins at its byte 16044"},
      {&wav, &w, "data\x10\0\0\0abcdefghijklmnop", 24, "it: a second 'data' chunk of 16 bytes follows the first"},
      {&wav, &w, junk, sizeof junk, "it: 300 bytes follow the sound that its header tells of"},
      {&flac, &f, junk, sizeof junk, "it: what follows its 4000 samples is no sound"},
      {&ogg, &o, junk, sizeof junk, "it: 300 bytes that are no Ogg pages"},
      {&mp3, &m, mp3.at, 100, "it: its last MPEG frame has 100 of "}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bytes b = {0};
    add(&b, cases[i].file->at, cases[i].file->n);
    add(&b, cases[i].more, cases[i].n);
    same_sound(r, cases[i].word, &b, cases[i].sound, cases[i].word);
    free(b.at);
  }
  put(&flac, 22, 1000, 4, true); /* a header that promises fewer than there are */
  same_sound(r, "less", &flac, &f, "it: its header promises 1000 samples and 4000 are there; all are read");
  am_sound_free(&w), am_sound_free(&f), am_sound_free(&o), am_sound_free(&m);
  free(wav.at), free(flac.at), free(ogg.at), free(mp3.at);
}

/* tools/compare-ffmpeg --golden. */
static void small_files_are_what_ffmpeg_hears(void **state) {
  room *r = *state;
  const struct {
    const char *name;
    double bound;
    size_t more; /* samples that ffmpeg leaves at the end */
  } files[] = {{"vbr-bare.mp3", 1e-4, 0}, {"cbr-bare.mp3", 1e-4, 0}, {"table.mp3", 1e-4, 0},    {"layer2.mp2", 1e-4, 0},
               {"layer3.wav", 1e-4, 0},   {"speech.opus", 1e-4, 0},  {"music.ogg", 1e-4, 2048}, {"flac.oga", 0, 0},
               {"alac.caf", 0, 0},        {"float.w64", 0, 0},       {"adpcm.wav", 1e-6, 0}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[200], name[200];
    snprintf(path, sizeof path, "tests/audio/sounds/%s", files[i].name);
    snprintf(name, sizeof name, "ffmpeg-%s", files[i].name);
    am_npy wanted = golden(name, "f4");
    const float *x = wanted.data;
    am_sound s = {.size = sizeof(am_sound)};
    am_error err = AM_ERROR_INIT;
    am_test_ok(am_sound_read(r->ctx, am_test_source(path), 0, 0, &s, &err), &err);
    if (s.rate != (double)x[0] || s.n > (size_t)x[1] || s.n + files[i].more < (size_t)x[1])
      fail_msg("%s: %zu samples at %g Hz, wanted %g at %g", files[i].name, s.n, s.rate, (double)x[1], (double)x[0]);
    for (size_t k = 0; 8 * k < s.n; k++)
      if (!(fabs((double)s.samples[8 * k] - (double)x[2 + k]) <= files[i].bound))
        fail_msg("%s: sample %zu is %g, wanted %g", files[i].name, 8 * k, (double)s.samples[8 * k], (double)x[2 + k]);
    if (*r->said) fail_msg("%s: said \"%s\"", files[i].name, r->said);
    am_sound_free(&s);
    am_npy_free(&wanted);
  }
}

/* The features of before: a sound that is resampled as it comes has the bits of one that is resampled at
 * once. */
static void blocks_give_the_bits_of_the_whole(void **state) {
  room *r = *state;
  const int from[] = {8000, 44100, 48000, 96000}, to[] = {16000, 22050, 24000};
  for (size_t f = 0; f < 4; f++)
    for (size_t t = 0; t < 3; t++)
      for (size_t n = 1; n < 300000; n = n * 37 + 3) {
        bytes b = written(r, SF_FORMAT_WAV | SF_FORMAT_FLOAT, from[f], 1, n > 40000 ? n + 100000 : n);
        am_sound blocks = decoded(r, &b, to[t]), whole = decoded(r, &b, 0);
        am_error err = AM_ERROR_INIT;
        am_test_ok(am_sound_resample(r->ctx, &whole, to[t], &err), &err);
        assert_int_equal(blocks.n, whole.n);
        assert_memory_equal(blocks.samples, whole.samples, whole.n * sizeof(float));
        am_sound_free(&blocks), am_sound_free(&whole);
        free(b.at);
      }
}

typedef struct fed {
  float *x;
  size_t n, room, most_at_once, until; /* ends after so many samples; 0: never */
} fed;

static am_status collect(void *user, const float *samples, size_t n, am_error *err) {
  fed *f = user;
  assert_true(n > 0);
  if (f->until && f->n + n > f->until) {
    snprintf(err->message, sizeof err->message, "enough");
    return err->status = AM_E_STOPPED;
  }
  if (f->n + n > f->room) f->x = realloc(f->x, (f->room = 2 * (f->n + n)) * sizeof *f->x);
  memcpy(f->x + f->n, samples, n * sizeof *samples);
  f->n += n;
  if (n > f->most_at_once) f->most_at_once = n;
  return AM_OK;
}

static void what_is_fed_are_the_bits_that_are_read(void **state) {
  room *r = *state;
  const int kinds[] = {SF_FORMAT_WAV | SF_FORMAT_FLOAT, SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
  const double rates[] = {0, 16000};
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < 2; i++)
      for (int channels = 1; channels <= 2; channels++) {
        bytes b = written(r, kinds[k], 44100, channels, 400001);
        am_sound whole = decoded(r, &b, rates[i]), s = {.size = sizeof(am_sound)};
        am_error err = AM_ERROR_INIT;
        fed f = {0};
        am_test_ok(am_sound_feed_decoded(r->ctx, b.at, b.n, NULL, rates[i], 0, 0, collect, &f, &s, &err), &err);
        assert_null(s.samples);
        assert_true(s.n == whole.n && s.rate == whole.rate && s.file_rate == 44100 && s.file_channels == channels);
        assert_true(s.digest == whole.digest);
        assert_int_equal(f.n, whole.n);
        assert_memory_equal(f.x, whole.samples, whole.n * sizeof(float));
        assert_true(f.most_at_once <= 65536);
        f.n = 0;
        f.until = 70000;
        am_test_fails(am_sound_feed_decoded(r->ctx, b.at, b.n, "it", rates[i], 0, 0, collect, &f, &s, &err),
                      AM_E_STOPPED, &err, "enough");
        assert_true(f.n > 0 && f.n <= 70000);
        am_sound_free(&whole);
        free(f.x);
        free(b.at);
      }
  am_sound s = {.size = sizeof(am_sound)};
  am_error err = AM_ERROR_INIT;
  am_test_fails(am_sound_feed(r->ctx, "/nonexistent/x.wav", 0, 0, 0, collect, NULL, &s, &err), AM_E_IO, &err, "x.wav");
  am_test_fails(am_sound_feed(r->ctx, "/nonexistent/x.wav", 0, 0, 0, NULL, NULL, &s, &err), AM_E_USAGE, &err, "each");
}

/* Numbers of which a sum overflows are as damaged as infinite ones. */
static void samples_that_overflow(void **state) {
  room *r = *state;
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof(am_sound)};
  bytes b = written(r, SF_FORMAT_WAV | SF_FORMAT_FLOAT, RATE, 1, N);
  const float large = -3.4e38f, sign[2] = {large, -large};
  size_t at = place(&b, "data") + 8;
  for (size_t i = 0; i < N; i++) memcpy(b.at + at + 4 * i, &sign[i / 7 % 2], 4);
  am_test_fails(am_sound_decode(r->ctx, b.at, b.n, "it", 12000, 0, &s, &err), AM_E_NUMERIC, &err,
                "it: its samples are too large");
  assert_null(s.samples);
  free(b.at);
}

static uint16_t crc(const unsigned char *p, size_t n, int bits, unsigned polynomial) {
  unsigned c = 0, top = 1u << (bits - 1);
  for (size_t i = 0; i < n; i++) {
    c ^= (unsigned)p[i] << (bits - 8);
    for (int k = 0; k < 8; k++) c = c & top ? c << 1 ^ polynomial : c << 1;
  }
  return (uint16_t)(c & (2 * top - 1));
}

/* Silence in FLAC: `frames` of 65,535 samples in some 14 bytes each, of unknown number, at any rate up to
 * 655,350 Hz. */
static bytes silent_flac(size_t frames, unsigned rate) {
  bytes b = {0};
  unsigned char first[42] = {'f', 'L', 'a', 'C', 0x80, 0, 0, 34, 0xff, 0xff, 0xff, 0xff};
  first[18] = (unsigned char)(rate >> 12), first[19] = (unsigned char)(rate >> 4),
  first[20] = (unsigned char)(rate << 4), first[21] = 15 << 4;
  add(&b, first, sizeof first);
  for (size_t i = 0; i < frames; i++) {
    unsigned char f[20] = {0xff, 0xf8, 0x70, 8};
    size_t n = 4;
    if (i < 0x80) f[n++] = (unsigned char)i;
    else if (i < 0x800) f[n++] = (unsigned char)(0xc0 | i >> 6), f[n++] = (unsigned char)(0x80 | (i & 63));
    else
      f[n++] = (unsigned char)(0xe0 | i >> 12), f[n++] = (unsigned char)(0x80 | (i >> 6 & 63)),
      f[n++] = (unsigned char)(0x80 | (i & 63));
    f[n++] = 0xff, f[n++] = 0xfe;
    f[n] = (unsigned char)crc(f, n, 8, 7), n++;
    f[n++] = 0, f[n++] = 0, f[n++] = 0;
    uint16_t sum = crc(f, n, 16, 0x8005);
    f[n++] = (unsigned char)(sum >> 8), f[n++] = (unsigned char)sum;
    add(&b, f, n);
  }
  return b;
}

static void memory_is_in_proportion(void **state) {
  room *r = *state;
  enum { FRAMES = 700 };
  bytes b = silent_flac(FRAMES, 655350); /* 10 kB, 70 s, 183 MB as they stand */
  const size_t before = r->live;
  r->most = 0;
  am_sound s = decoded(r, &b, 16000);
  assert_int_equal(s.n, (size_t)ceil(65535.0 * FRAMES * (16000.0 / 655350)));
  assert_true(s.file_rate == 655350);
  const size_t size = s.n * sizeof(float);
  if (r->most - before > size + size / 2 + (2 << 20)) fail_msg("%zu bytes for a sound of %zu", r->most - before, size);
  if (r->live - before > size + size / 8) fail_msg("%zu bytes are kept for a sound of %zu", r->live - before, size);
  am_sound_free(&s);
  r->most = 0; /* at its own rate it may be no larger than the limit of seconds at 48 kHz, or 64 MB */
  am_error err = AM_ERROR_INIT;
  am_test_fails(am_sound_decode(r->ctx, b.at, b.n, "bomb", 0, 100, &s, &err), AM_E_FORMAT, &err, "bomb: more than 8");
  if (r->most - before > 64 << 20) fail_msg("%zu bytes", r->most - before);
  am_sound_free(&s);
  free(b.at);
}

/* By libsndfile, frames as they stand. */
static void one_channel_is_that_channel(void **state) {
  room *r = *state;
  enum { FRAMES = 9000, CHANNELS = 2 };
  bytes b = written(r, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 16000, CHANNELS, FRAMES);
  const size_t at = place(&b, "data") + 8;
  for (int c = 1; c <= CHANNELS; c++) {
    am_sound s = {.size = sizeof(am_sound)};
    am_error err = AM_ERROR_INIT;
    fed f = {0};
    for (size_t i = 0; i < FRAMES; i++) {
      const float x = (float)c + (float)i / FRAMES;
      memcpy(b.at + at + 4 * (i * CHANNELS + (size_t)c - 1), &x, 4);
    }
    am_test_ok(am_sound_feed_decoded(r->ctx, b.at, b.n, NULL, 0, 0, c, collect, &f, &s, &err), &err);
    assert_int_equal(f.n, FRAMES);
    for (size_t i = 0; i < FRAMES; i++) assert_true(f.x[i] == (float)c + (float)i / FRAMES);
    free(f.x);
  }
  am_sound s = {.size = sizeof(am_sound)};
  am_error err = AM_ERROR_INIT;
  am_test_fails(am_sound_feed_decoded(r->ctx, b.at, b.n, "it", 0, 0, 3, collect, NULL, &s, &err), AM_E_USAGE, &err,
                "it: has 2 channels; there is no channel 3");
  am_test_fails(am_sound_feed_decoded(r->ctx, b.at, b.n, "it", 0, 0, -1, collect, NULL, &s, &err), AM_E_USAGE, &err,
                "channel -1");
  free(b.at);
}

static am_status pass_over(void *user, const float *samples, size_t n, am_error *err) {
  (void)samples, (void)err;
  *(size_t *)user += n;
  return AM_OK;
}

static void feeding_takes_no_more_memory_for_longer_sounds(void **state) {
  room *r = *state;
  size_t most[2];
  for (size_t i = 0; i < 2; i++) {
    bytes b = silent_flac(i ? 1500 : 100, 96000);
    am_sound s = {.size = sizeof(am_sound)};
    am_error err = AM_ERROR_INIT;
    size_t n = 0;
    const size_t before = r->live;
    r->most = 0;
    am_test_ok(am_sound_feed_decoded(r->ctx, b.at, b.n, NULL, 16000, 1e5, 0, pass_over, &n, &s, &err), &err);
    assert_int_equal(n, s.n);
    most[i] = r->most - before;
    free(b.at);
  }
  assert_int_equal(most[0], most[1]);
}

/* What libsndfile and libmpg123 would print goes nowhere: a packet table of ALAC that does not end, joined
 * MP3 with a table. */
static void nobody_else_prints(void **state) {
  room *r = *state;
  const char *path = am_test_path(r->folder, "printed");
  bytes alac = written(r, SF_FORMAT_CAF | SF_FORMAT_ALAC_16, RATE, 1, N),
        mp3 = slurp(am_test_source("tests/audio/sounds/table.mp3")), b = {0};
  size_t pakt = place(&alac, "pakt");
  memset(alac.at + pakt + 12 + 24, 0xff, 4);
  add(&b, mp3.at, mp3.n), add(&b, mp3.at, mp3.n);
  am_sound s = {.size = sizeof(am_sound)}, t = s;
  am_error err = AM_ERROR_INIT, why = AM_ERROR_INIT;
  fflush(NULL);
  int out = dup(STDOUT_FILENO), other = dup(STDERR_FILENO), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  assert_true(out >= 0 && other >= 0 && file >= 0);
  dup2(file, STDOUT_FILENO), dup2(file, STDERR_FILENO);
  am_status refused = am_sound_decode(r->ctx, alac.at, alac.n, "it", 0, 0, &s, &why);
  am_status read = am_sound_decode(r->ctx, b.at, b.n, "it", 0, 0, &t, NULL);
  fflush(NULL);
  dup2(out, STDOUT_FILENO), dup2(other, STDERR_FILENO);
  close(out), close(other), close(file);
  am_test_fails((err = why, refused), AM_E_FORMAT, &err,
                "it: damaged: its ALAC sound has no complete table of packets");
  assert_int_equal(read, AM_OK);
  am_sound_free(&t);
  bytes printed = slurp(path);
  assert_int_equal(printed.n, 0);
  free(alac.at), free(mp3.at), free(b.at), free(printed.at);
}

static void allocations_that_fail(void **state) {
  room *r = *state;
  static const char *const names[] = {"table.mp3", "speech.opus", "music.ogg", "flac.oga"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[200];
    snprintf(path, sizeof path, "tests/audio/sounds/%s", names[i]);
    bytes one = slurp(am_test_source(path)), b = {0};
    add(&b, one.at, one.n), add(&b, one.at, one.n);
    bool fired = true;
    for (long n = 1; fired; n++) {
      am_test_memory m;
      am_context *ctx = am_test_memory_context(&m, 1);
      am_error err = AM_ERROR_INIT;
      am_sound s = {.size = sizeof(am_sound)};
      am_test_memory_arm(&m, n);
      am_status status = am_sound_decode(ctx, b.at, b.n, "it", 12000, 0, &s, &err);
      fired = am_test_memory_fired(&m);
      assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
      am_test_memory_arm(&m, 0);
      am_sound_free(&s);
      am_context_free(ctx);
      assert_int_equal(atomic_load(&m.alive), 0);
    }
    free(one.at), free(b.at);
  }
  (void)r;
}

#define IN_ROOM(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_ROOM(lengths_that_were_never_filled_in),
      IN_ROOM(an_empty_sound_stays_empty),
      IN_ROOM(tags_before_and_behind_change_nothing),
      IN_ROOM(joined_files_are_heard_to_their_end),
      IN_ROOM(what_is_left_out_is_warned_of),
      IN_ROOM(small_files_are_what_ffmpeg_hears),
      IN_ROOM(blocks_give_the_bits_of_the_whole),
      IN_ROOM(what_is_fed_are_the_bits_that_are_read),
      IN_ROOM(one_channel_is_that_channel),
      IN_ROOM(samples_that_overflow),
      IN_ROOM(memory_is_in_proportion),
      IN_ROOM(feeding_takes_no_more_memory_for_longer_sounds),
      IN_ROOM(nobody_else_prints),
      IN_ROOM(allocations_that_fail),
  };
  return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
