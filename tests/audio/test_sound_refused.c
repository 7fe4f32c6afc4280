/* SPDX-License-Identifier: MIT */
/* Sound files that are damaged, odd, empty, or too long: refused with a message, or read for what they hold. */
#include "audio/sound_fixture.h"

#include <fcntl.h>

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

int main(void) {
  setenv("AM_MEDIA", "none", 1); /* as in a build that knows no films */
  const struct CMUnitTest tests[] = {
      IN_ROOM(test_not_files),         IN_ROOM(test_unreadable),
      IN_ROOM(test_not_sounds),        IN_ROOM(test_truncated),
      IN_ROOM(test_truncated_says_so), IN_ROOM(test_sample_dumps),
      IN_ROOM(test_long_silence),      IN_ROOM(test_damaged_flac),
      IN_ROOM(test_length_of_pipes),   IN_ROOM(test_odd_chunks),
      IN_ROOM(test_no_samples),        IN_ROOM(test_not_finite),
      IN_ROOM(test_too_long),          IN_ROOM(a_flac_of_unknown_length_is_held_to_the_limit),
      IN_ROOM(test_absurd_headers),
  };
  return cmocka_run_group_tests_name("sound refused", tests, NULL, NULL);
}
