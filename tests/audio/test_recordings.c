/* SPDX-License-Identifier: MIT */
/* The real recordings of the shared folder, where there is one: the 48 kHz RAVDESS originals, with their
 * extra chunks and two in stereo, against the 22,050 Hz FLAC made from them. */
#include "testing.h"
#include "testing_npy.h"

#include "audio/sounds.h"

/* Actor and name, frames at 48 kHz, channels. */
static const struct {
  const char *name;
  int channels;
} originals[] = {{"Actor_01/03-01-01-01-01-01-01", 1}, {"Actor_01/03-01-02-01-01-02-01", 2},
                 {"Actor_05/03-01-05-02-01-01-05", 1}, {"Actor_12/03-01-06-02-02-01-12", 1},
                 {"Actor_20/03-01-03-01-02-01-20", 2}, {"Actor_24/03-01-08-02-02-02-24", 1}};
enum { ORIGINALS = sizeof originals / sizeof *originals };

static const char *path_of(const char *folder, size_t i, const char *ending) {
  char name[128];
  snprintf(name, sizeof name, "%s.%s", originals[i].name, ending);
  return am_test_path(folder, name);
}

static void test_originals_are_read(void **state) {
  (void)state;
  const char *folder;
  am_test_need_shared(folder, "data/ravdess-original");
  char *root = strdup(folder);
  am_context *ctx = am_test_context(1, NULL);
  for (size_t i = 0; i < ORIGINALS; i++) {
    am_error err = AM_ERROR_INIT;
    am_sound s = {.size = sizeof(am_sound)};
    am_test_ok(am_sound_read(ctx, path_of(root, i, "wav"), 0, 0, &s, &err), &err);
    assert_true(s.rate == 48000);
    assert_int_equal(s.file_channels, originals[i].channels);
    assert_true(s.n > 48000 * 2.9 && s.n < 48000 * 5.3); /* the corpus: 2.94 to 5.27 s */
    am_sound_info info = {.size = sizeof info};
    am_test_ok(am_sound_inspect(ctx, path_of(root, i, "wav"), &info, &err), &err);
    assert_int_equal(info.frames, s.n);
    am_sound_free(&s);
  }
  am_context_free(ctx);
  free(root);
}

/* Resampled, they are the FLAC files up to the 16 bits of those.  These were dithered: triangular noise of
 * one step and rounding have a deviation of 0.5 steps and reach 1.5; the loudest clip adds the difference
 * between two versions of the same resampler. Measured: deviations 0.499 to 0.509, largest difference 2.81
 * steps. On the louder clips other resampling qualities are 10 steps off and more; on the quiet ones they are too
 * close for this bound to tell them apart, which the goldens of resampled sounds do. */
static void test_originals_equal_flac(void **state) {
  (void)state;
  const char *originals_folder, *flac_folder;
  am_test_need_shared(originals_folder, "data/ravdess-original");
  char *root = strdup(originals_folder);
  am_test_need_shared(flac_folder, "data/ravdess");
  char *flac = strdup(flac_folder);
  am_context *ctx = am_test_context(1, NULL);
  double worst = 0, widest = 0;
  for (size_t i = 0; i < ORIGINALS; i++) {
    am_error err = AM_ERROR_INIT;
    am_sound a = {.size = sizeof(am_sound)}, b = {.size = sizeof(am_sound)};
    am_test_ok(am_sound_read(ctx, path_of(root, i, "wav"), 22050, 0, &a, &err), &err);
    am_test_ok(am_sound_read(ctx, path_of(flac, i, "flac"), 22050, 0, &b, &err), &err);
    assert_true(b.n == a.n || b.n + 1 == a.n); /* whoever made them rounded n * 22050 / 48000, we take the ceiling */
    double square = 0;
    for (size_t k = 0; k < b.n; k++) {
      double steps = 32768 * ((double)a.samples[k] - b.samples[k]);
      worst = fmax(worst, fabs(steps));
      square += steps * steps;
    }
    widest = fmax(widest, sqrt(square / (double)b.n));
    am_sound_free(&a);
    am_sound_free(&b);
  }
  print_message("# from the FLAC files: deviation %.3f, largest difference %.2f steps of 16 bits\n", widest, worst);
  assert_true(widest <= 0.52);
  assert_true(worst <= 3);
  am_context_free(ctx);
  free(root);
  free(flac);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_originals_are_read),
                                     cmocka_unit_test(test_originals_equal_flac)};
  return cmocka_run_group_tests_name("recordings", tests, NULL, NULL);
}
