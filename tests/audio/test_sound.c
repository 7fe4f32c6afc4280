/* SPDX-License-Identifier: MIT */
/* Reading whole sounds, writing, resampling and trimming them. */
#include "audio/sound_fixture.h"

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
  static float still[8000];
  static const float odd[] = {NAN, INFINITY, -INFINITY};
  static const size_t places[] = {0, 1, 1025, 7999};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
      still[places[k]] = odd[i];
      assert_int_equal(am_sound_unheard(still, 8000, 16000), AM_HEARD); /* not silence, but what features refuse */
      still[places[k]] = 0;
    }
  assert_int_equal(am_sound_unheard(still, 8000, 16000), AM_UNHEARD_SILENT);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_ROOM(test_failed_read_is_empty),
      IN_ROOM(test_formats),
      IN_ROOM(test_mp3),
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
