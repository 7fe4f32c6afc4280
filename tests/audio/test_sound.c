/* Reading, writing, resampling and trimming sound files. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"

#include <fcntl.h>
#include <sndfile.h>

typedef struct room {
  am_context *ctx;
  char *folder;
} room;

static int enter(void **state) {
  room *r = malloc(sizeof *r);
  assert_non_null(r);
  *r = (room){am_test_context(1, NULL), am_test_folder()};
  *state = r;
  return 0;
}

static int leave(void **state) {
  room *r = *state;
  am_test_folder_remove(r->folder);
  free(r->folder);
  am_context_free(r->ctx);
  free(r);
  return 0;
}

/* n frames of `channels` different sines through libsndfile. */
static const char *write_by_sndfile(const room *r, const char *name, int format, int rate, int channels, size_t n) {
  const char *path = am_test_path(r->folder, name);
  SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  if (!file) return NULL;
  float *x = malloc(n * (size_t)channels * sizeof *x + 1);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++)
    for (int c = 0; c < channels; c++)
      x[i * (size_t)channels + (size_t)c] = 0.4f * (float)sin(2 * 3.14159265358979 * 440 * (c + 1) * (double)i / rate);
  assert_int_equal(sf_writef_float(file, x, (sf_count_t)n), (sf_count_t)n);
  free(x);
  sf_close(file);
  return path;
}

static char *slurp(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  char *data = malloc(*bytes + 1);
  assert_non_null(data);
  assert_int_equal(fread(data, 1, *bytes, file), *bytes);
  fclose(file);
  return data;
}

/* Only `size` is promised to be set; the rest may be what stood on the stack. */
static void test_failed_read_is_empty(void **state) {
  const room *r = *state;
  am_sound s = {.size = sizeof(am_sound), .samples = (float *)r, .n = 3};
  am_error err = AM_ERROR_INIT;
  am_test_fails(am_sound_read(r->ctx, "/nonexistent/x.wav", 0, 0, &s, &err), AM_E_IO, &err, "/nonexistent/x.wav");
  assert_null(s.samples);
  assert_int_equal(s.n, 0);
  am_sound_free(&s);
}

/* Reads `path` and holds it against the mean of the sines, within `bound` (codecs lose some). */
static void check_sines(const room *r, const char *path, int rate, int channels, size_t n, double bound) {
  am_sound s = {.size = sizeof(am_sound)};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_sound_read(r->ctx, path, 0, 0, &s, &err), &err);
  assert_int_equal(s.n, n);
  assert_int_equal(s.file_channels, channels);
  assert_true(s.rate == rate && s.file_rate == rate);
  double square = 0;
  for (size_t i = 0; i < n; i++) {
    double wanted = 0;
    for (int c = 0; c < channels; c++)
      wanted += 0.4 * sin(2 * 3.14159265358979 * 440 * (c + 1) * (double)i / rate) / channels;
    square += (s.samples[i] - wanted) * (s.samples[i] - wanted);
  }
  if (!(sqrt(square / (double)n) <= bound))
    fail_msg("%s: rms difference %g over %g", path, sqrt(square / (double)n), bound);
  am_sound_info info = {.size = sizeof info};
  am_test_ok(am_sound_inspect(r->ctx, path, &info, &err), &err);
  assert_int_equal(info.frames, n);
  assert_int_equal(info.channels, channels);
  assert_true(info.rate == rate && fabs(info.seconds - (double)n / rate) < 1e-9);
  am_sound_free(&s);
}

static void test_formats(void **state) {
  const struct {
    const char *name;
    int format;
    double bound;
  } formats[] = {{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2e-5},
                 {"b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1e-7},
                 {"c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 1e-7},
                 {"c.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 2e-5},
                 {"d.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 2e-5},
                 {"e.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 2e-2},
                 {"f.au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 2e-5},
                 {"g.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 2e-5},
                 {"h.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 2e-5},
                 {"i.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 2e-5},
                 {"j.wav", SF_FORMAT_WAV | SF_ENDIAN_BIG | SF_FORMAT_PCM_16, 2e-5},
                 {"k.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 5e-3}};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    for (int channels = 1; channels <= 3; channels++) {
      const char *path = write_by_sndfile(*state, formats[i].name, formats[i].format, 22050, channels, 7001);
      if (!path) fail_msg("libsndfile cannot write %s", formats[i].name);
      check_sines(*state, path, 22050, channels, 7001, formats[i].bound);
    }
}

/* MP3 pads and delays by an encoder's frame, so only length and loudness can be held. */
static void test_mp3(void **state) {
  const room *r = *state;
  const char *path = write_by_sndfile(r, "a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 22050, 1, 22050);
  if (!path) {
    print_message("# skipped: this libsndfile does not write MP3\n");
    skip();
  }
  am_sound s = {.size = sizeof(am_sound)};
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_sound_read(r->ctx, path, 0, 0, &s, &err), &err);
  assert_true(s.n >= 22050 && s.n < 22050 + 3 * 1152);
  double square = 0;
  for (size_t i = 4000; i < 20000; i++) square += (double)s.samples[i] * s.samples[i];
  assert_true(fabs(sqrt(square / 16000) - 0.4 / sqrt(2)) < 0.01);
  am_sound_free(&s);
}

static am_status read_status(const room *r, const char *path, double max_seconds, am_error *err) {
  am_sound s = {.size = sizeof(am_sound)};
  am_status status = am_sound_read(r->ctx, path, 0, max_seconds, &s, err);
  assert_true(!status == (s.samples != NULL));
  am_sound_free(&s);
  return status;
}

static am_status read_bytes(const room *r, const char *name, const void *data, size_t bytes, am_error *err) {
  const char *path = am_test_path(r->folder, name);
  am_test_file(path, data, bytes);
  return read_status(r, path, 0, err);
}

static void test_not_files(void **state) {
  const room *r = *state;
  am_error err;
  am_test_fails(read_status(r, am_test_path(r->folder, "gone.wav"), 0, &err), AM_E_IO, &err, "gone.wav");
  am_test_fails(read_status(r, r->folder, 0, &err), AM_E_IO, &err, r->folder);
}

/* Root reads without permission, so somebody else tries: in the folder itself, whatever the ones above it allow. */
static void test_unreadable(void **state) {
  const room *r = *state;
  enum { NOBODY = 65534 };
  am_error err = AM_ERROR_INIT;
  const bool root = geteuid() == 0;
  char *before = getcwd(NULL, 0);
  const char *path = write_by_sndfile(r, "secret.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 100);
  assert_int_equal(chmod(r->folder, 0755) | chmod(path, 0644) | chdir(r->folder), 0);
  if (root) assert_int_equal(seteuid(NOBODY), 0);
  am_test_ok(read_status(r, "secret.wav", 0, &err), &err);
  if (root) assert_int_equal(seteuid(0), 0);
  chmod("secret.wav", 0);
  if (root) assert_int_equal(seteuid(NOBODY), 0);
  am_test_fails(read_status(r, "secret.wav", 0, &err), AM_E_IO, &err, "secret.wav: Permission denied");
  if (root) assert_int_equal(seteuid(0), 0);
  assert_int_equal(chdir(before), 0);
  free(before);
}

static void test_not_sounds(void **state) {
  const room *r = *state;
  am_error err;
  static const char lfs[] = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 96044\n";
  static const char html[] = "<!DOCTYPE html>\n<html>Not found</html>";
  unsigned char noise[500];
  for (size_t i = 0; i < sizeof noise; i++) noise[i] = (unsigned char)(i * 197 + 13);
  am_test_fails(read_bytes(r, "empty.wav", "", 0, &err), AM_E_FORMAT, &err, "empty.wav: is empty (0 bytes)");
  am_test_fails(read_bytes(r, "stub.wav", lfs, sizeof lfs - 1, &err), AM_E_FORMAT, &err, "git-lfs pointer");
  am_test_fails(read_bytes(r, "page.wav", html, sizeof html - 1, &err), AM_E_FORMAT, &err,
                "begins \"<!DOCTYPE html>\"");
  am_test_fails(read_bytes(r, "noise.wav", noise, sizeof noise, &err), AM_E_FORMAT, &err,
                "noise.wav: not a sound file");
  am_test_fails(read_bytes(r, "one.wav", "R", 1, &err), AM_E_FORMAT, &err, "not a sound file");
  am_test_fails(read_bytes(r, "riff.wav", "RIFF\x04\0\0\0WAVE", 12, &err), AM_E_FORMAT, &err, "no 'data' chunk");
}

/* Every length of a WAV, AIFF, FLAC and Ogg file cut short is refused, with a message naming the file. */
static void test_truncated(void **state) {
  const room *r = *state;
  const struct {
    const char *name;
    int format;
  } formats[] = {{"t.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},         {"t.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
                 {"t.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},       {"t.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                 {"t.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16},       {"t.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
                 {"t.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},         {"t.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16},
                 {"t.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    size_t bytes;
    char *data = slurp(write_by_sndfile(r, formats[i].name, formats[i].format, 22050, 1, 9000), &bytes);
    for (size_t keep = bytes - 1; keep > 0; keep = keep > bytes - 40 ? keep - 1 : keep * 2 / 3) {
      am_error err = AM_ERROR_INIT;
      am_status status = read_bytes(r, formats[i].name, data, keep, &err);
      if (status != AM_E_FORMAT || !strstr(err.message, formats[i].name))
        fail_msg("%s cut to %zu of %zu bytes: status %d, \"%s\"", formats[i].name, keep, bytes, (int)status,
                 err.message);
    }
    free(data);
  }
}

static void test_truncated_says_so(void **state) {
  const room *r = *state;
  am_error err;
  size_t bytes;
  char *data = slurp(write_by_sndfile(r, "t.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 22050, 1, 9000), &bytes);
  am_test_fails(read_bytes(r, "t.wav", data, 10044, &err), AM_E_FORMAT, &err,
                "promises 18000 bytes of sound and 10000 are there");
  am_sound_info info = {.size = sizeof info};
  am_test_fails(am_sound_inspect(r->ctx, am_test_path(r->folder, "t.wav"), &info, &err), AM_E_FORMAT, &err,
                "truncated");
  free(data);
}

/* A FLAC frame with wrong bits inside: the decoder must not pass it off as sound. */
static void test_damaged_flac(void **state) {
  const room *r = *state;
  am_error err;
  size_t bytes;
  char *data = slurp(write_by_sndfile(r, "d.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 22050, 1, 30000), &bytes);
  memset(data + bytes / 2, 0x55, 64);
  am_test_fails(read_bytes(r, "d.flac", data, bytes, &err), AM_E_FORMAT, &err, "d.flac: ");
  free(data);
}

static void put32(char *at, uint32_t x) {
  for (int i = 0; i < 4; i++) at[i] = (char)(x >> 8 * i);
}

/* Lengths that programs writing to a pipe leave behind mean "until the end". */
static void test_length_of_pipes(void **state) {
  const room *r = *state;
  size_t bytes;
  char *data = slurp(write_by_sndfile(r, "p.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 22050, 1, 9000), &bytes);
  assert_memory_equal(data + 36, "data", 4);
  const uint32_t lengths[] = {0xffffffffu, 0x7ffff000u};
  for (int i = 0; i < 2; i++) {
    put32(data + 4, lengths[i] == 0x7ffff000u ? lengths[i] + 36 : lengths[i]);
    put32(data + 40, lengths[i]);
    const char *path = am_test_path(r->folder, "p.wav");
    am_test_file(path, data, bytes);
    check_sines(r, path, 22050, 1, 9000, 2e-5);
  }
  free(data);
}

/* Chunks before and after the data, of odd and even length. */
static void test_odd_chunks(void **state) {
  const room *r = *state;
  size_t bytes;
  char *data = slurp(write_by_sndfile(r, "c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 22050, 1, 9000), &bytes);
  for (int odd = 0; odd <= 1; odd++) {
    char *big = calloc(1, bytes + 100);
    assert_non_null(big);
    size_t at = 36;
    memcpy(big, data, at);
    memcpy(big + at, odd ? "_PMX\x07\0\0\0abcdefg" : "_PMX\x08\0\0\0abcdefgh", 16);
    at += 16;
    memcpy(big + at, data + 36, bytes - 36);
    at += bytes - 36;
    memcpy(big + at, "LIST\x04\0\0\0INFO", 12);
    at += 12;
    put32(big + 4, (uint32_t)at - 8);
    const char *path = am_test_path(r->folder, "odd.wav");
    am_test_file(path, big, at);
    check_sines(r, path, 22050, 1, 9000, 2e-5);
    free(big);
  }
  free(data);
}

/* What is printed on standard output meanwhile goes to a file; the number of the stream to give back. */
static int catch_output(const char *path) {
  fflush(stdout);
  int report = dup(STDOUT_FILENO), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  assert_true(report >= 0 && file >= 0);
  dup2(file, STDOUT_FILENO);
  close(file);
  return report;
}

static void give_back_output(int report) {
  fflush(stdout);
  dup2(report, STDOUT_FILENO);
  close(report);
}

/* A sample dump, as a file and from memory: refused before libsndfile can print a word. */
static void dump_is_refused(const room *r, const char *name, const void *data, size_t bytes) {
  am_error err, why = AM_ERROR_INIT, too = AM_ERROR_INIT;
  am_sound_info info = {.size = sizeof info};
  am_sound s = {.size = sizeof(am_sound)};
  const char *path = am_test_path(r->folder, name), *words = "is a MIDI sample dump (SDS)";
  am_test_file(path, data, bytes);
  int report = catch_output(am_test_path(r->folder, "printed"));
  am_status status[] = {read_status(r, path, 0, &why), am_sound_inspect(r->ctx, path, &info, &too),
                        am_sound_decode(r->ctx, data, bytes, name, 0, 0, &s, NULL)};
  give_back_output(report);
  am_test_fails((err = why, status[0]), AM_E_FORMAT, &err, words);
  am_test_fails((err = too, status[1]), AM_E_FORMAT, &err, words);
  assert_int_equal(status[2], AM_E_FORMAT);
  size_t printed;
  char *text = slurp(am_test_path(r->folder, "printed"), &printed);
  if (printed) fail_msg("%s: printed \"%.*s\"", name, (int)printed, text);
  free(text);
}

/* Whole, damaged, the beginning alone, and from the fuzzer, with endless silence in 28 bytes. */
static void test_sample_dumps(void **state) {
  const room *r = *state;
  size_t bytes;
  char *whole = slurp(write_by_sndfile(r, "a.sds", SF_FORMAT_SDS | SF_FORMAT_PCM_16, 16000, 1, 400), &bytes);
  assert_true(bytes > 400);
  dump_is_refused(r, "whole.sds", whole, bytes);
  whole[21] ^= 1;  /* where the first block begins */
  whole[200] ^= 1; /* in the second one */
  dump_is_refused(r, "damaged.sds", whole, bytes);
  dump_is_refused(r, "begun.sds", whole, 2);
  free(whole);
  whole = slurp(am_test_source("tests/fuzz/seeds/sound/endless.sds"), &bytes);
  dump_is_refused(r, "endless.sds", whole, bytes);
  free(whole);
}

/* More samples than bytes can hold are refused: not so half a minute of real silence, in any format that libsndfile writes. */
static void test_long_silence(void **state) {
  const room *r = *state;
  enum { N = 300000 };
  float *zeros = calloc(N, sizeof *zeros);
  assert_non_null(zeros);
  int majors, minors, read = 0;
  sf_command(NULL, SFC_GET_FORMAT_MAJOR_COUNT, &majors, sizeof majors);
  sf_command(NULL, SFC_GET_FORMAT_SUBTYPE_COUNT, &minors, sizeof minors);
  for (int i = 0; i < majors * minors; i++) {
    SF_FORMAT_INFO major = {.format = i / minors}, minor = {.format = i % minors};
    sf_command(NULL, SFC_GET_FORMAT_MAJOR, &major, sizeof major);
    sf_command(NULL, SFC_GET_FORMAT_SUBTYPE, &minor, sizeof minor);
    SF_INFO info = {.samplerate = 8000, .channels = 1, .format = major.format | minor.format};
    if (!sf_format_check(&info)) continue;
    const char *path = am_test_path(r->folder, "silence");
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (!file) continue;
    sf_count_t written = sf_writef_float(file, zeros, N);
    sf_close(file);
    if (written != N) continue; /* a few are refused only now */
    am_sound s = {.size = sizeof(am_sound)};
    am_error err = AM_ERROR_INIT;
    if (!am_sound_read(r->ctx, path, 0, 0, &s, &err)) {
      read++;
      size_t n = minor.format == SF_FORMAT_OPUS ? s.n / 6 : s.n; /* which comes at 48 kHz */
      if (n < N || n > N + N / 100) fail_msg("%s, %s: %zu samples", major.name, minor.name, s.n);
    } else if (strstr(err.message, "come out of")) {
      fail_msg("%s, %s: %s", major.name, minor.name, err.message);
    }
    am_sound_free(&s);
  }
  if (read < 50) fail_msg("only %d formats could be read", read);
  free(zeros);
}

static void test_no_samples(void **state) {
  const room *r = *state;
  am_error err;
  const char *wav = write_by_sndfile(r, "zero.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2, 0);
  am_test_fails(read_status(r, wav, 0, &err), AM_E_FORMAT, &err, "zero.wav: holds no samples");
  const char *flac = write_by_sndfile(r, "zero.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, 0);
  am_test_fails(read_status(r, flac, 0, &err), AM_E_FORMAT, &err, "zero.flac: ");
}

static void test_not_finite(void **state) {
  const room *r = *state;
  am_error err;
  float x[2000] = {0};
  const char *path = am_test_path(r->folder, "nan.wav");
  x[1234] = NAN;
  am_test_ok(am_sound_write(r->ctx, path, x, 2000, 1000, false, &err), &err);
  am_test_fails(read_status(r, path, 0, &err), AM_E_NUMERIC, &err,
                "nan.wav: sample 1234 (1.2340 s), channel 1 of 1, is NaN");
  x[1234] = -INFINITY;
  am_test_ok(am_sound_write(r->ctx, path, x, 2000, 1000, false, &err), &err);
  am_test_fails(read_status(r, path, 0, &err), AM_E_NUMERIC, &err, "is infinite");
}

static void test_too_long(void **state) {
  const room *r = *state;
  am_error err;
  const char *path = write_by_sndfile(r, "long.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 16001);
  am_test_fails(read_status(r, path, 2, &err), AM_E_FORMAT, &err, "more than the limit of 2 s");
  am_test_ok(read_status(r, path, 2.001, &err), &err);
  size_t bytes; /* a length that the header does not tell is held to the limit as well */
  char *data = slurp(path, &bytes);
  put32(data + 4, 0xffffffffu);
  put32(data + 40, 0xffffffffu);
  am_test_fails((am_test_file(path, data, bytes), read_status(r, path, 2, &err)), AM_E_FORMAT, &err, "limit of 2 s");
  free(data);
}

/* A FLAC stream may leave its length out of its header: 36 bits, from the middle of byte 21 on. */
static void a_flac_of_unknown_length_is_held_to_the_limit(void **state) {
  const room *r = *state;
  am_error err = AM_ERROR_INIT;
  size_t bytes;
  const char *path = write_by_sndfile(r, "long.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8000, 1, 16001);
  char *data = slurp(path, &bytes);
  data[21] = (char)(data[21] & 0xf0);
  memset(data + 22, 0, 4);
  am_test_file(path, data, bytes);
  am_test_fails(read_status(r, path, 2, &err), AM_E_FORMAT, &err, "long.flac: longer than the limit of 2 s");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(read_status(r, path, 2.001, &err), &err);
  am_sound_info info = {.size = sizeof info};
  am_test_ok(am_sound_inspect(r->ctx, path, &info, &err), &err);
  assert_int_equal(info.frames, 16001); /* counted */
  free(data);
}

/* A header that claims 4 billion Hz or samples costs no memory. */
static void test_absurd_headers(void **state) {
  const room *r = *state;
  am_error err;
  size_t bytes;
  char *data = slurp(write_by_sndfile(r, "h.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 100), &bytes);
  put32(data + 24, 5);
  am_test_fails(read_bytes(r, "h.wav", data, bytes, &err), AM_E_FORMAT, &err, "h.wav");
  put32(data + 24, 2000000000u);
  am_test_fails(read_bytes(r, "h.wav", data, bytes, &err), AM_E_FORMAT, &err, "h.wav");
  for (size_t i = 0; i < bytes; i++) { /* any damaged header byte: an answer, never a crash */
    char old = data[i];
    for (int x = 0; x < 4 && i < 60; x++) {
      data[i] = (char)(old ^ (x == 0 ? 0xff : 1 << (2 * x)));
      am_error ignored = AM_ERROR_INIT;
      am_status status = read_bytes(r, "h.wav", data, bytes, &ignored);
      assert_true(status == AM_OK || (ignored.status == status && ignored.message[0]));
    }
    data[i] = old;
  }
  free(data);
}

static uint64_t digest_of(room *r, const float *x, size_t n, double file_rate, bool pcm16, double rate) {
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof(am_sound)};
  const char *path = am_test_path(r->folder, "d.wav");
  am_test_ok(am_sound_write(r->ctx, path, x, n, file_rate, pcm16, &err), &err);
  am_test_ok(am_sound_read(r->ctx, path, rate, 0, &s, &err), &err);
  uint64_t digest = s.digest;
  am_sound_free(&s);
  return digest;
}

/* The same samples in 16 bits or as floats, heard at any rate, have one digest; any other sample, length or rate another. */
static void test_digest(void **state) {
  room *r = *state;
  float x[3000];
  for (int i = 0; i < 3000; i++) x[i] = (float)((i * 7919) % 65536 - 32768) / 32768;
  const uint64_t whole = digest_of(r, x, 3000, 16000, true, 0);
  assert_true(whole != 0);
  assert_true(digest_of(r, x, 3000, 16000, false, 0) == whole);
  assert_true(digest_of(r, x, 3000, 16000, true, 8000) == whole);
  assert_true(digest_of(r, x, 3000, 8000, true, 0) != whole);
  assert_true(digest_of(r, x, 2999, 16000, true, 0) != whole);
  x[1234] += 1.0f / 32768;
  assert_true(digest_of(r, x, 3000, 16000, true, 0) != whole);
}

static void test_write_and_read(void **state) {
  const room *r = *state;
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof(am_sound)};
  const float x[] = {0, 0.5f, -1, 1, 1.5f, -2, 1.0f / 32768, -0.25f};
  const float pcm[] = {0, 0.5f, -1, 32767.0f / 32768, 32767.0f / 32768, -1, 1.0f / 32768, -0.25f};
  const char *path = am_test_path(r->folder, "w.wav");
  am_test_ok(am_sound_write(r->ctx, path, x, 8, 16000, true, &err), &err);
  am_test_ok(am_sound_read(r->ctx, path, 0, 0, &s, &err), &err);
  assert_int_equal(s.n, 8);
  assert_memory_equal(s.samples, pcm, sizeof pcm);
  am_sound_free(&s);
  am_test_ok(am_sound_write(r->ctx, path, x, 8, 16000, false, &err), &err);
  am_test_ok(am_sound_read(r->ctx, path, 0, 0, &s, &err), &err);
  assert_memory_equal(s.samples, x, sizeof x);
  am_sound_free(&s);
  am_test_fails(am_sound_write(r->ctx, am_test_path(r->folder, "no/such/folder.wav"), x, 8, 16000, true, &err), AM_E_IO,
                &err, "no/such");
  am_test_fails(am_sound_write(r->ctx, path, x, 8, 0, true, &err), AM_E_USAGE, &err, "0 Hz");
  const size_t many = 600000000; /* a WAV file counts its bytes in 32 bits */
  am_test_fails(am_sound_write(r->ctx, path, x, many, 16000, false, &err), AM_E_USAGE, &err,
                "w.wav: 600000000 samples are too many for a WAV file");
  am_sound_info info = {.size = 0};
  am_test_fails(am_sound_inspect(r->ctx, path, &info, &err), AM_E_USAGE, &err, "set it to sizeof(am_sound_info)");
}

/* From memory, resampled on the way. */
static void test_decode_resamples(void **state) {
  const room *r = *state;
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof(am_sound)};
  size_t bytes;
  char *data = slurp(write_by_sndfile(r, "m.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, 1, 48001), &bytes);
  am_test_ok(am_sound_decode(r->ctx, data, bytes, "-", 22050, 0, &s, &err), &err);
  assert_int_equal(s.n, 22051); /* ceil(48001 * 22050 / 48000) */
  assert_true(s.rate == 22050 && s.file_rate == 48000);
  for (size_t i = 200; i < 21800; i++) /* away from the ends, the same sine at the new rate */
    assert_true(fabs(s.samples[i] - 0.4 * sin(2 * 3.14159265358979 * 440 * (double)i / 22050)) < 1e-4);
  am_sound_free(&s);
  am_test_fails(am_sound_decode(r->ctx, data, 5000, "standard input", 0, 0, &s, &err), AM_E_FORMAT, &err,
                "standard input: truncated");
  s.size = 0;
  am_test_fails(am_sound_decode(r->ctx, data, bytes, "-", 0, 0, &s, &err), AM_E_USAGE, &err, "sizeof(am_sound)");
  free(data);
}

static void check_resample(const room *r, int from, int to, size_t n) {
  am_error err = AM_ERROR_INIT;
  char name[64];
  size_t all;
  float *x = golden_sound(&all);
  snprintf(name, sizeof name, "resample-%d-%d", from, to);
  am_npy wanted = golden(name, "f4");
  am_sound s = {
      .size = sizeof(am_sound), .n = n, .rate = from, .context = r->ctx, .samples = am_alloc(r->ctx, n, sizeof *x)};
  memcpy(s.samples, x, n * sizeof *x);
  am_test_ok(am_sound_resample(r->ctx, &s, to, &err), &err);
  assert_int_equal(s.n, wanted.n);
  assert_true(s.rate == to);
  assert_allclose_f(s.samples, (float *)wanted.data, wanted.n, 0, 1e-5);
  am_sound_free(&s);
  am_npy_free(&wanted);
  free(x);
}

static void test_resample_equals_librosa(void **state) {
  check_resample(*state, 48000, 22050, 12000);
  check_resample(*state, 16000, 22050, 4001);
  check_resample(*state, 44100, 16000, 11999);
}

static void test_resample_lengths(void **state) {
  const room *r = *state;
  am_error err = AM_ERROR_INIT;
  for (size_t n = 1; n < 3000; n += n < 40 ? 1 : 331) {
    am_sound s = {.size = sizeof(am_sound),
                  .n = n,
                  .rate = 48000,
                  .context = r->ctx,
                  .samples = am_alloc(r->ctx, n, sizeof(float))};
    for (size_t i = 0; i < n; i++) s.samples[i] = 0.5f;
    am_test_ok(am_sound_resample(r->ctx, &s, 22050, &err), &err);
    assert_int_equal(s.n, (n * 22050 + 47999) / 48000);
    am_test_fails(am_sound_resample(r->ctx, &s, -1, &err), AM_E_USAGE, &err, "-1 Hz");
    assert_true(s.samples != NULL);
    am_sound_free(&s);
  }
  am_sound s = {.size = sizeof(am_sound),
                .n = 2000,
                .rate = 1,
                .context = r->ctx,
                .samples = am_alloc(r->ctx, 2000, sizeof(float))};
  am_test_fails(am_sound_resample(r->ctx, &s, 1e7, &err), AM_E_USAGE, &err,
                "2000 samples from 1 Hz to 1e+07 Hz would give 2e+10 samples");
  assert_true(s.samples != NULL && s.n == 2000 && s.rate == 1);
  s.n = 100;
  am_test_fails(am_sound_resample(r->ctx, &s, 1001, &err), AM_E_USAGE, &err,
                "from 1 Hz to 1001 Hz: one is more than 1000 times the other");
  s.rate = 1001;
  am_test_fails(am_sound_resample(r->ctx, &s, 1, &err), AM_E_USAGE, &err,
                "from 1001 Hz to 1 Hz: one is more than 1000 times the other");
  s.rate = 1;
  am_test_ok(am_sound_resample(r->ctx, &s, 1000, &err), &err);
  assert_int_equal(s.n, 100000);
  am_sound_free(&s);
}

static void test_trim(void **state) {
  const room *r = *state;
  am_error err = AM_ERROR_INIT;
  size_t n;
  float *x = golden_sound(&n);
  am_npy wanted = golden("trim", "i4"); /* rows of top_db, first sample, end */
  const int32_t *row = wanted.data;
  for (size_t i = 0; i < wanted.shape[0]; i++, row += 3) {
    am_sound s = {
        .size = sizeof(am_sound), .n = n, .rate = 22050, .context = r->ctx, .samples = am_alloc(r->ctx, n, sizeof *x)};
    memcpy(s.samples, x, n * sizeof *x);
    am_test_ok(am_sound_trim(r->ctx, &s, row[0], &err), &err);
    assert_int_equal(s.n, row[2] - row[1]);
    assert_memory_equal(s.samples, x + row[1], s.n * sizeof *x);
    am_test_fails(am_sound_trim(r->ctx, &s, 0, &err), AM_E_USAGE, &err, "leave nothing");
    am_sound_free(&s);
  }
  am_sound silent = {.size = sizeof(am_sound),
                     .n = 3000,
                     .rate = 22050,
                     .context = r->ctx,
                     .samples = am_alloc(r->ctx, 3000, sizeof *x)};
  am_test_ok(am_sound_trim(r->ctx, &silent, 60, &err), &err);
  assert_int_equal(silent.n, 3000); /* all as loud as the peak, as in librosa */
  am_sound_free(&silent);
  am_npy_free(&wanted);
  free(x);
}

/* Half a second of what is asked for at 16 kHz. */
static am_unheard unheard_of(double level, double offset, size_t n) {
  static float x[8000];
  for (size_t i = 0; i < 8000; i++) x[i] = (float)(offset + level * sin(0.3 * (double)i));
  return am_sound_unheard(x, n, 16000);
}

static void test_unheard(void **state) {
  (void)state;
  assert_int_equal(unheard_of(0, 0, 8000), AM_UNHEARD_SILENT);
  assert_int_equal(unheard_of(0, 0.5, 8000), AM_UNHEARD_SILENT);    /* an offset is no sound */
  assert_int_equal(unheard_of(0.9e-4, 0, 8000), AM_UNHEARD_SILENT); /* two steps of 16 bits up and down */
  assert_int_equal(unheard_of(1.1e-4, 0, 8000), AM_HEARD);
  assert_int_equal(unheard_of(1.1e-4, -0.25, 8000), AM_HEARD);
  assert_int_equal(unheard_of(0, 1e30, 8000), AM_HEARD); /* not silence, but a damaged file */
  assert_int_equal(unheard_of(0.5, 0, 1600), AM_HEARD);
  assert_int_equal(unheard_of(0.5, 0, 1599), AM_UNHEARD_TOO_SHORT);
  assert_int_equal(unheard_of(0, 0, 320), AM_UNHEARD_TOO_SHORT); /* silent, too */
  assert_int_equal(unheard_of(0.5, 0, 1), AM_UNHEARD_TOO_SHORT);
  assert_int_equal(am_sound_unheard(NULL, 0, 16000), AM_UNHEARD_TOO_SHORT);
  static float x[1103] = {1};
  assert_int_equal(am_sound_unheard(x, 1102, 11025), AM_HEARD); /* 1102.5 samples are 0.1 s */
  assert_int_equal(am_sound_unheard(x, 1101, 11025), AM_UNHEARD_TOO_SHORT);
  assert_string_equal(am_unheard_name(AM_UNHEARD_SILENT), "silent");
  assert_string_equal(am_unheard_name(AM_UNHEARD_TOO_SHORT), "too short");
  assert_string_equal(am_unheard_name(AM_HEARD), "");
}

/* Speech left and its negative right: their mean is silence. */
static void test_channels_that_cancel(void **state) {
  const room *r = *state;
  short x[2 * 4000];
  for (int i = 0; i < 4000; i++) {
    x[2 * i] = (short)(9000 * sin(0.2 * i));
    x[2 * i + 1] = (short)-x[2 * i];
  }
  const char *path = am_test_path(r->folder, "opposite.wav");
  SF_INFO info = {.samplerate = 16000, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
  SNDFILE *file = sf_open(path, SFM_WRITE, &info);
  assert_non_null(file);
  assert_int_equal(sf_writef_short(file, x, 4000), 4000);
  sf_close(file);
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof(am_sound)};
  am_test_ok(am_sound_read(r->ctx, path, 0, 0, &s, &err), &err);
  assert_int_equal(am_sound_unheard(s.samples, s.n, s.rate), AM_UNHEARD_SILENT);
  am_sound_free(&s);
}

static void test_allocation_failures(void **state) {
  const room *r = *state;
  const char *path = write_by_sndfile(r, "alloc.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2, 90000);
  const char *copy = am_test_path(r->folder, "copy.wav");
  bool fired = true;
  for (long n = 1; fired; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_error err = AM_ERROR_INIT;
    am_sound s = {.size = sizeof(am_sound)};
    am_test_memory_arm(&m, n);
    am_status status = am_sound_read(ctx, path, 22050, 0, &s, &err);
    if (!status) status = am_sound_write(ctx, copy, s.samples, s.n, 22050, true, &err);
    fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_test_memory_arm(&m, 0);
    am_sound_free(&s);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
  }
}

#define IN_ROOM(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_ROOM(test_failed_read_is_empty),
      IN_ROOM(test_formats),
      IN_ROOM(test_mp3),
      IN_ROOM(test_not_files),
      IN_ROOM(test_unreadable),
      IN_ROOM(test_not_sounds),
      IN_ROOM(test_truncated),
      IN_ROOM(test_truncated_says_so),
      IN_ROOM(test_sample_dumps),
      IN_ROOM(test_long_silence),
      IN_ROOM(test_damaged_flac),
      IN_ROOM(test_length_of_pipes),
      IN_ROOM(test_odd_chunks),
      IN_ROOM(test_no_samples),
      IN_ROOM(test_not_finite),
      IN_ROOM(test_too_long),
      IN_ROOM(a_flac_of_unknown_length_is_held_to_the_limit),
      IN_ROOM(test_absurd_headers),
      IN_ROOM(test_digest),
      IN_ROOM(test_write_and_read),
      IN_ROOM(test_decode_resamples),
      IN_ROOM(test_resample_equals_librosa),
      IN_ROOM(test_resample_lengths),
      IN_ROOM(test_trim),
      cmocka_unit_test(test_unheard),
      IN_ROOM(test_channels_that_cancel),
      IN_ROOM(test_allocation_failures),
  };
  return cmocka_run_group_tests_name("sound", tests, NULL, NULL);
}
