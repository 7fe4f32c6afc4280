/* SPDX-License-Identifier: MIT */
/* audio: the demo voice synthesiser and its corpus. */
#include "testing.h"

#include <errno.h>

#include "audiomood/audio.h"
#include "base/base.h"
#include "base/file.h"
#include "base/system.h"
#include "synth/parts.h"
#include "synth/prosody.h"
#include "synth/voice.h"

static const am_synth_options small = {.seed = 7, .actors = 2, .repetitions = 1, .rate = 16000};

static float *voice(am_context *ctx, uint64_t seed, am_synth_clip clip, double rate, size_t *n) {
  am_error err = AM_ERROR_INIT;
  float *samples;
  am_test_ok(am_synth_voice(ctx, seed, &clip, rate, &samples, n, &err), &err);
  return samples;
}

/* Every emotion of a man and a woman is finite, within full scale, neither silent nor endless, and
 * has quiet ends. */
static void test_clips_sound_right(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  for (int emotion = 1; emotion <= 8; emotion++)
    for (int intensity = 1; intensity <= (emotion == 1 ? 1 : 2); intensity++)
      for (int actor = 1; actor <= 24; actor += 11) {
        size_t n, edge = 16000 / 20;
        am_synth_clip clip = {emotion, intensity, 1 + actor % 2, 1, actor};
        float *x = voice(ctx, 3, clip, 16000, &n);
        assert_in_range(n, 16000, 56000);
        double sum = 0, ends = 0;
        float peak = 0;
        for (size_t i = 0; i < n; i++) {
          assert_true(isfinite(x[i]));
          peak = fmaxf(peak, fabsf(x[i]));
          sum += (double)x[i] * x[i];
          ends += i < edge || i >= n - edge ? (double)x[i] * x[i] : 0;
        }
        assert_true(peak <= 0.98f + 1e-6f);
        double level = 10 * log10(sum / (double)n);
        assert_true(level > -65 && level < -8);
        assert_true(10 * log10(ends / (2.0 * (double)edge)) < level - 10);
        am_free(ctx, x);
      }
  am_context_free(ctx);
}

static void test_same_seed_same_sound(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_synth_clip clip = {5, 2, 1, 1, 4};
  size_t n, again, other;
  float *x = voice(ctx, 42, clip, 16000, &n), *y = voice(ctx, 42, clip, 16000, &again);
  assert_int_equal(n, again);
  assert_memory_equal(x, y, n * sizeof *x);
  am_free(ctx, y);
  y = voice(ctx, 43, clip, 16000, &other);
  assert_true(other != n || memcmp(x, y, n * sizeof *x) != 0);
  am_free(ctx, y);
  clip.repetition = 2;
  y = voice(ctx, 42, clip, 16000, &other);
  assert_true(other != n || memcmp(x, y, n * sizeof *x) != 0);
  am_free(ctx, y);
  am_free(ctx, x);
  am_context_free(ctx);
}

/* The same utterance at other rates lasts as long and is as loud: the voice does not depend on the rate. */
static void test_rates(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  double rates[] = {8000, 16000, 22050, 48000}, seconds[4];
  for (int k = 0; k < 4; k++) {
    am_synth_clip clip = {3, 1, 2, 1, 2};
    size_t n;
    float *x = voice(ctx, 1, clip, rates[k], &n);
    seconds[k] = (double)n / rates[k];
    for (size_t i = 0; i < n; i++) assert_true(isfinite(x[i]));
    am_free(ctx, x);
    assert_true(fabs(seconds[k] - seconds[0]) < 0.001);
  }
  am_context_free(ctx);
}

/* Strongest lag of the autocorrelation of frame x (N) between 70 and 500 Hz. */
static double pitch_of(const float *x, size_t n, double rate) {
  double best = 0, hz = 0;
  for (size_t lag = (size_t)(rate / 500); lag < (size_t)(rate / 70); lag++) {
    double dot = 0, a = 1e-9, b = 1e-9;
    for (size_t i = 0; i + lag < n; i++) {
      dot += (double)x[i] * x[i + lag];
      a += (double)x[i] * x[i];
      b += (double)x[i + lag] * x[i + lag];
    }
    double r = dot / sqrt(a * b) - 0.0005 * (double)lag; /* the shortest of equals */
    if (r > best) best = r, hz = rate / (double)lag;
  }
  return hz;
}

/* The source vibrates at the pitch asked for: a held vowel at 120 and 240 Hz. */
static void test_pitch(void **state) {
  (void)state;
  enum { FRAMES = 250, RATE = 16000 };
  static am_synth_frame frames[FRAMES];
  static float out[FRAMES * RATE / 500];
  am_synth_source source = {.open = 0.6, .tilt_db = 6, .jitter = 0, .shimmer_db = 0, .higher = 1000, .damping = 1};
  for (double hz = 120; hz <= 240; hz += 60) {
    for (int i = 0; i < FRAMES; i++)
      frames[i] = (am_synth_frame){
          .pitch_hz = (float)hz, .voice = 1, .hiss_hz = 2000, .hiss_width = 500, .formant = {500, 1500, 2500}};
    size_t n = am_synth_length(FRAMES, RATE);
    assert_int_equal(n, FRAMES * RATE / 500);
    am_synth_voice_run(am_rng_stream(1, AM_FOR_SYNTH, 0, 0, 0), frames, FRAMES, &source, RATE, out, n);
    double got = pitch_of(out + n / 2, 2048, RATE);
    assert_true(fabs(got / hz - 1) < 0.02);
  }
}

/* One cue never gives an emotion away: over all clips, the best threshold on any cue of the delivery
 * separates no emotion from the others with more than 90 % balanced accuracy. */
enum { CLIPS = 24 * 60 };
static double cue_table[CLIPS][AM_CUES];
static int emotion_table[CLIPS];
static int by_cue;

static int compare_cue(const void *a, const void *b) {
  double x = cue_table[*(const int *)a][by_cue], y = cue_table[*(const int *)b][by_cue];
  return (x > y) - (x < y);
}

static void test_no_cue_decides(void **state) {
  (void)state;
  int n = 0, order[CLIPS];
  for (int actor = 1; actor <= 24; actor++) {
    am_synth_speaker speaker = am_synth_speaker_draw(42, actor);
    for (int k = 0; k < 64; k++) {
      am_synth_clip clip = {k / 8 + 1, k / 4 % 2 + 1, k / 2 % 2 + 1, k % 2 + 1, actor};
      if (clip.emotion == 1 && clip.intensity == 2) continue;
      emotion_table[n] = clip.emotion;
      am_synth_delivery_draw(42, &clip, &speaker, cue_table[n++]);
    }
  }
  assert_int_equal(n, CLIPS);
  for (by_cue = 0; by_cue < AM_CUES; by_cue++) {
    for (int i = 0; i < n; i++) order[i] = i;
    qsort(order, CLIPS, sizeof order[0], compare_cue);
    for (int emotion = 1; emotion <= 8; emotion++) {
      double in = emotion == 1 ? 96 : 192, hit = 0, miss = 0, best = 0;
      for (int i = 0; i < n; i++) {
        if (emotion_table[order[i]] == emotion) hit++;
        else miss++;
        double below = 0.5 * (hit / in + 1 - miss / (CLIPS - in)); /* "low values are the emotion" */
        best = fmax(best, fmax(below, 1 - below));
      }
      if (best > 0.9) fail_msg("cue %d alone finds emotion %d with %.3f", by_cue, emotion, best);
    }
  }
}

static void test_bad_clips(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  float *x;
  size_t n;
  const am_synth_clip bad[] = {{0, 1, 1, 1, 1}, {9, 1, 1, 1, 1}, {2, 3, 1, 1, 1},
                               {2, 1, 3, 1, 1}, {2, 1, 1, 0, 1}, {2, 1, 1, 1, 25}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    am_test_fails(am_synth_voice(ctx, 1, &bad[i], 16000, &x, &n, &err), AM_E_USAGE, &err, "wanted emotion 1-8");
  am_synth_clip strong = {1, 2, 1, 1, 1}, good = {2, 1, 1, 1, 1};
  am_test_fails(am_synth_voice(ctx, 1, &strong, 16000, &x, &n, &err), AM_E_USAGE, &err, "no strong intensity");
  am_test_fails(am_synth_voice(ctx, 1, &good, 4000, &x, &n, &err), AM_E_USAGE, &err, "8000");
  am_test_fails(am_synth_voice(ctx, 1, &good, NAN, &x, &n, &err), AM_E_USAGE, &err, "8000");
  assert_null(x);
  am_synth_options options = small;
  options.actors = 25;
  am_test_fails(am_synth_corpus(ctx, "unused", &options, &n, &err), AM_E_USAGE, &err, "actors is 25");
  options = small;
  options.repetitions = 3;
  am_test_fails(am_synth_corpus(ctx, "unused", &options, &n, &err), AM_E_USAGE, &err, "repetitions is 3");
  options = small;
  options.rate = 1e6;
  am_test_fails(am_synth_corpus(ctx, "unused", &options, &n, &err), AM_E_USAGE, &err, "8000");
  assert_false(am_folder_exists("unused"));
  am_context_free(ctx);
}

/* Counts the .wav files and everything else in DIR/Actor_NN. */
static void count_files(am_context *ctx, const char *dir, int *wavs, int *others) {
  *wavs = *others = 0;
  for (int actor = 1; actor <= 24; actor++) {
    char name[32];
    snprintf(name, sizeof name, "Actor_%02d", actor);
    const char *folder = am_test_path(dir, name);
    if (!am_folder_exists(folder)) continue;
    am_names names;
    am_error err = AM_ERROR_INIT;
    am_test_ok(am_folder_list(ctx, folder, &names, &err), &err);
    for (size_t i = 0; i < names.n; i++) {
      int a, e, in, s, r, used = 0;
      int fields = sscanf(names.at[i], "03-01-%2d-%2d-%2d-%2d-%2d.wav%n", &e, &in, &s, &r, &a, &used);
      if (fields == 5 && names.at[i][used] == 0 && strlen(names.at[i]) == 24 && a == actor) ++*wavs;
      else ++*others;
    }
    am_names_free(ctx, &names);
  }
}

/* Not waiting for the disk: these tests write thousands of files. */
static int no_sync(int fd) {
  (void)fd;
  return 0;
}

static void corpus(const char *dir, int threads, const am_synth_options *options, size_t wanted) {
  am_context *ctx = am_test_context(threads, NULL);
  am_system disk = am_system_real;
  disk.fsync = no_sync;
  am_context_set_system(ctx, &disk);
  am_error err = AM_ERROR_INIT;
  size_t clips = 0;
  am_test_ok(am_synth_corpus(ctx, dir, options, &clips, &err), &err);
  assert_int_equal(clips, wanted);
  int wavs, others;
  count_files(ctx, dir, &wavs, &others);
  assert_int_equal(wavs, wanted);
  assert_int_equal(others, 0);
  assert_true(am_file_exists(am_test_path(dir, "SYNTHETIC")));
  assert_true(am_file_exists(am_test_path(dir, "README.txt")));
  am_context_free(ctx);
}

static void same_file(am_context *ctx, const char *a, const char *b) {
  char *x, *y;
  size_t n, m;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_file_read(ctx, a, 1 << 24, &x, &n, &err), &err);
  am_test_ok(am_file_read(ctx, b, 1 << 24, &y, &m, &err), &err);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n);
  am_free(ctx, x);
  am_free(ctx, y);
}

/* The files are the same bytes whatever the number of threads. */
static void test_threads(void **state) {
  (void)state;
  char *dirs[3] = {am_test_folder(), am_test_folder(), am_test_folder()};
  int threads[3] = {1, 2, 4};
  for (int k = 0; k < 3; k++) corpus(dirs[k], threads[k], &small, 60);
  am_context *ctx = am_test_context(1, NULL);
  for (int actor = 1; actor <= 2; actor++) {
    char name[32];
    snprintf(name, sizeof name, "Actor_%02d", actor);
    am_names names;
    am_error err = AM_ERROR_INIT;
    am_test_ok(am_folder_list(ctx, am_test_path(dirs[0], name), &names, &err), &err);
    for (size_t i = 0; i < names.n; i++)
      for (int k = 1; k < 3; k++) {
        char file[300];
        snprintf(file, sizeof file, "%s/%s", name, names.at[i]);
        same_file(ctx, am_test_path(dirs[0], file), am_test_path(dirs[k], file));
      }
    am_names_free(ctx, &names);
  }
  am_context_free(ctx);
  for (int k = 0; k < 3; k++) {
    am_test_folder_remove(dirs[k]);
    free(dirs[k]);
  }
}

/* All of it: 24 actors x 60 clips, names as in RAVDESS, readable sound. */
static void test_full_corpus(void **state) {
  (void)state;
  char *dir = am_test_folder();
  am_synth_options all = {.seed = 1, .actors = 24, .repetitions = 2, .rate = 8000};
  char inner[1100];
  snprintf(inner, sizeof inner, "%s/new/folder", dir);
  corpus(inner, 2, &all, 1440);
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_sound sound = {.size = sizeof sound};
  const char *path = am_test_path(inner, "Actor_24/03-01-08-02-02-02-24.wav");
  am_test_ok(am_sound_read(ctx, path, 0, 0, &sound, &err), &err);
  assert_true(sound.rate == 8000);
  assert_in_range(sound.n, 8000, 28000);
  am_sound_free(&sound);
  am_context_free(ctx);
  am_test_folder_remove(dir);
  free(dir);
}

/* A smaller corpus over a larger one leaves no clip of the larger; a foreign folder is left alone. */
static void test_overwriting(void **state) {
  (void)state;
  char *dir = am_test_folder();
  corpus(dir, 2, &small, 60);
  am_synth_options smaller = small;
  smaller.actors = 1;
  corpus(dir, 2, &smaller, 30);
  assert_false(am_folder_exists(am_test_path(dir, "Actor_02")));
  unlink(am_test_path(dir, "SYNTHETIC"));
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  size_t clips;
  am_test_fails(am_synth_corpus(ctx, dir, &small, &clips, &err), AM_E_USAGE, &err, "nothing was written");
  assert_false(am_folder_exists(am_test_path(dir, "Actor_02")));
  am_test_file(am_test_path(dir, "SYNTHETIC"), "mine", 4); /* another's file of that name is no mark */
  am_test_fails(am_synth_corpus(ctx, dir, &small, &clips, &err), AM_E_USAGE, &err, "nothing was written");
  am_test_file(am_test_path(dir, "file"), "x", 1);
  assert_int_not_equal(am_synth_corpus(ctx, am_test_path(dir, "file"), &small, &clips, &err), AM_OK);
  am_context_free(ctx);
  am_test_folder_remove(dir);
  free(dir);
}

static int writes_left;
static ssize_t full_write(int fd, const void *data, size_t bytes) {
  if (writes_left-- > 0) return am_system_real.write(fd, data, bytes);
  if (writes_left == -1) /* the last few bytes still fit */
    return am_system_real.write(fd, data, bytes / 2);
  errno = ENOSPC;
  return -1;
}

/* A full disk fails with the file's name; whole clips and nothing half-written remain; the next try works. */
static void test_full_disk(void **state) {
  (void)state;
  char *dir = am_test_folder();
  am_context *ctx = am_test_context(1, NULL);
  am_system disk = am_system_real;
  disk.write = full_write;
  am_context_set_system(ctx, &disk);
  writes_left = 12;
  am_error err = AM_ERROR_INIT;
  size_t clips;
  am_test_fails(am_synth_corpus(ctx, dir, &small, &clips, &err), AM_E_IO, &err, "Actor_01/03-01-");
  assert_non_null(strstr(err.message, strerror(ENOSPC)));
  int wavs, others;
  count_files(ctx, dir, &wavs, &others);
  assert_int_equal(others, 0);
  assert_int_equal(wavs, clips);
  assert_in_range(wavs, 5, 12);
  am_context_free(ctx);
  corpus(dir, 2, &small, 60);
  am_test_folder_remove(dir);
  free(dir);
}

/* Stopped by the user: says so, and keeps whole clips only. */
static void test_stop(void **state) {
  (void)state;
  char *dir = am_test_folder();
  am_context *ctx = am_test_context(2, NULL);
  am_context_stop(ctx);
  am_error err = AM_ERROR_INIT;
  size_t clips;
  am_test_fails(am_synth_corpus(ctx, dir, &small, &clips, &err), AM_E_STOPPED, &err, "run synth again");
  assert_int_equal(clips, 0);
  am_context_free(ctx);
  corpus(dir, 2, &small, 60);
  am_test_folder_remove(dir);
  free(dir);
}

static int no_unlink(const char *path) {
  (void)path;
  errno = EACCES;
  return -1;
}

static void a_clip_that_cannot_be_removed_is_named(void **state) {
  (void)state;
  char *dir = am_test_folder();
  am_context *ctx = am_test_context(1, NULL);
  am_system disk = am_system_real;
  disk.unlink = no_unlink;
  am_context_set_system(ctx, &disk);
  am_error err = AM_ERROR_INIT;
  size_t clips;
  am_test_fails(am_synth_corpus(ctx, dir, &small, &clips, &err), AM_E_IO, &err,
                "Actor_01/03-01-01-01-01-02-01.wav: cannot remove a clip of an earlier corpus: Permission denied");
  am_context_free(ctx);
  am_test_folder_remove(dir);
  free(dir);
}

/* Up to the first clip, since the context is stopped; a corpus of one actor less than all has leftovers to look for.
 * In the second round the folder is known by its mark, which takes memory to read. */
static void memory_runs_out_cleanly_before_the_first_clip(void **state) {
  (void)state;
  char *dir = am_test_folder();
  am_synth_options options = {.seed = 7, .actors = 23, .repetitions = 2, .rate = 8000};
  am_system disk = am_system_real;
  disk.fsync = no_sync;
  int rounds = 0;
  for (long n = 1; rounds < 2; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_context_set_system(ctx, &disk);
    am_context_stop(ctx);
    am_test_memory_arm(&m, n);
    am_error err = AM_ERROR_INIT;
    size_t clips;
    am_status status = am_synth_corpus(ctx, dir, &options, &clips, &err);
    bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_E_STOPPED);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) rounds++, n = 0;
  }
  am_test_folder_remove(dir);
  free(dir);
}

/* Every allocation may fail: an error, no leak. */
static void test_no_memory(void **state) {
  (void)state;
  am_synth_clip clip = {4, 1, 1, 1, 1};
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    float *x = NULL;
    size_t length;
    am_status status = am_synth_voice(ctx, 1, &clip, 8000, &x, &length, NULL);
    bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_free(ctx, x);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_clips_sound_right),
      cmocka_unit_test(test_same_seed_same_sound),
      cmocka_unit_test(test_rates),
      cmocka_unit_test(test_pitch),
      cmocka_unit_test(test_no_cue_decides),
      cmocka_unit_test(test_bad_clips),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_full_corpus),
      cmocka_unit_test(test_overwriting),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_stop),
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(a_clip_that_cannot_be_removed_is_named),
      cmocka_unit_test(memory_runs_out_cleanly_before_the_first_clip),
  };
  return cmocka_run_group_tests_name("synth", tests, NULL, NULL);
}
