/* SPDX-License-Identifier: MIT */
/* tests/audio/sound_fixture.h - a folder with sound files that libsndfile wrote, and what reading them gives. */
#ifndef AM_TEST_SOUND_FIXTURE_H
#define AM_TEST_SOUND_FIXTURE_H

#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"

#include <sndfile.h>

typedef struct room {
  am_context *ctx;
  char *folder;
} room;

static inline int enter(void **state) {
  room *r = malloc(sizeof *r);
  assert_non_null(r);
  *r = (room){am_test_context(1, NULL), am_test_folder()};
  *state = r;
  return 0;
}

static inline int leave(void **state) {
  room *r = *state;
  am_test_folder_remove(r->folder);
  free(r->folder);
  am_context_free(r->ctx);
  free(r);
  return 0;
}

/* n frames of `channels` different sines through libsndfile. */
static inline const char *write_by_sndfile(const room *r, const char *name, int format, int rate, int channels,
                                           size_t n) {
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

static inline char *slurp(const char *path, size_t *bytes) {
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

/* Reads `path` and holds it against the mean of the sines, within `bound` (codecs lose some). */
static inline void check_sines(const room *r, const char *path, int rate, int channels, size_t n, double bound) {
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

static inline am_status read_status(const room *r, const char *path, double max_seconds, am_error *err) {
  am_sound s = {.size = sizeof(am_sound)};
  am_status status = am_sound_read(r->ctx, path, 0, max_seconds, &s, err);
  assert_true(!status == (s.samples != NULL));
  am_sound_free(&s);
  return status;
}

static inline am_status read_bytes(const room *r, const char *name, const void *data, size_t bytes, am_error *err) {
  const char *path = am_test_path(r->folder, name);
  am_test_file(path, data, bytes);
  return read_status(r, path, 0, err);
}

static inline void put32(char *at, uint32_t x) {
  for (int i = 0; i < 4; i++) at[i] = (char)(x >> 8 * i);
}

#define IN_ROOM(f) cmocka_unit_test_setup_teardown(f, enter, leave)

#endif
