/* SPDX-License-Identifier: MIT */
/* Failures of libsndfile and libsoxr that no file brings about: a function of each stands here in front of the library's
 * own, and fails when asked to. */
#define _GNU_SOURCE
#include "testing.h"

#include "audiomood/audio.h"
#include "base/base.h"

#include <dlfcn.h>
#include <sndfile.h>
#include <soxr.h>

static bool no_channels, no_resampling, endless;

SNDFILE *sf_open_virtual(SF_VIRTUAL_IO *io, int mode, SF_INFO *info, void *user) {
  SNDFILE *(*real)(SF_VIRTUAL_IO *, int, SF_INFO *, void *);
  *(void **)&real = dlsym(RTLD_NEXT, "sf_open_virtual");
  SNDFILE *file = real(io, mode, info, user);
  if (file && no_channels) info->channels = 0;
  return file;
}

sf_count_t sf_readf_float(SNDFILE *file, float *to, sf_count_t frames) {
  sf_count_t (*real)(SNDFILE *, float *, sf_count_t);
  *(void **)&real = dlsym(RTLD_NEXT, "sf_readf_float");
  sf_count_t got = real(file, to, frames);
  if (!endless || got == frames) return got;
  memset(to, 0, (size_t)frames * sizeof *to); /* of one channel */
  return frames;
}

soxr_error_t soxr_oneshot(double from, double to, unsigned channels, soxr_in_t in, size_t n, size_t *used,
                          soxr_out_t out, size_t room, size_t *made, soxr_io_spec_t const *io,
                          soxr_quality_spec_t const *quality, soxr_runtime_spec_t const *runtime) {
  soxr_error_t (*real)(double, double, unsigned, soxr_in_t, size_t, size_t *, soxr_out_t, size_t, size_t *,
                       soxr_io_spec_t const *, soxr_quality_spec_t const *, soxr_runtime_spec_t const *);
  *(void **)&real = dlsym(RTLD_NEXT, "soxr_oneshot");
  if (no_resampling) return "malloc failed";
  return real(from, to, channels, in, n, used, out, room, made, io, quality, runtime);
}

static const float ramp[800] = {0, 0.1f, 0.2f};

static int begin(void **state) {
  *state = am_test_folder();
  return 0;
}

static int end(void **state) {
  no_channels = no_resampling = endless = false;
  am_test_folder_remove(*state);
  free(*state);
  return 0;
}

static void a_sound_without_channels_is_an_error(void **state) {
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  const char *path = am_test_path(*state, "a.wav");
  am_test_ok(am_sound_write(ctx, path, ramp, 800, 8000, true, &err), &err);
  am_sound s = {.size = sizeof(am_sound)};
  no_channels = true;
  am_test_fails(am_sound_read(ctx, path, 0, 0, &s, &err), AM_E_FORMAT, &err, "a.wav: its header says 0 channels");
  assert_null(s.samples);
  no_channels = false;
  am_test_ok(am_sound_read(ctx, path, 0, 0, &s, &err), &err);
  assert_int_equal(s.n, 800);
  am_sound_free(&s);
  am_context_free(ctx);
}

static void more_samples_than_the_bytes_can_hold_are_an_error(void **state) {
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  const char *path = am_test_path(*state, "a.wav");
  am_test_ok(am_sound_write(ctx, path, ramp, 800, 8000, true, &err), &err);
  am_sound s = {.size = sizeof(am_sound)};
  endless = true;
  am_test_fails(am_sound_read(ctx, path, 0, 0, &s, &err), AM_E_FORMAT, &err, "a.wav: damaged: more than");
  assert_null(s.samples);
  am_context_free(ctx);
}

static void a_resampling_that_fails_leaves_the_sound_as_it_was(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_sound s = {
      .size = sizeof(am_sound), .n = 800, .rate = 8000, .context = ctx, .samples = am_alloc(ctx, 800, sizeof *ramp)};
  assert_non_null(s.samples);
  memcpy(s.samples, ramp, sizeof ramp);
  no_resampling = true;
  am_test_fails(am_sound_resample(ctx, &s, 16000, &err), AM_E_NOMEM, &err,
                "resampling 800 samples from 8000 Hz to 16000 Hz failed: malloc failed");
  assert_true(s.n == 800 && s.rate == 8000);
  assert_memory_equal(s.samples, ramp, sizeof ramp);
  no_resampling = false;
  am_test_ok(am_sound_resample(ctx, &s, 16000, &err), &err);
  assert_int_equal(s.n, 1600);
  am_sound_free(&s);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_sound_without_channels_is_an_error, begin, end),
      cmocka_unit_test_setup_teardown(more_samples_than_the_bytes_can_hold_are_an_error, begin, end),
      cmocka_unit_test_setup_teardown(a_resampling_that_fails_leaves_the_sound_as_it_was, begin, end),
  };
  return cmocka_run_group_tests_name("sound_fails", tests, NULL, NULL);
}
