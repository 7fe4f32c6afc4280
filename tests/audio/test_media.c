/* SPDX-License-Identifier: MIT */
/* tests/audio/test_media.c - the sound of films and the like, made by ffmpeg, against what ffmpeg decodes. */
#include "audio/sound_fixture.h"

#include "audio/decoder_media.h"
#include "audio/sound.h"

#define SOUND "-f lavfi -i 'aevalsrc=0.4*sin(2*PI*440*t)|0.3*sin(2*PI*900*t+50*t*t):s=44100:d=3.3' "
#define FILM "-f lavfi -i testsrc=s=64x48:r=10:d=3.3 " SOUND "-map 0:v -map 1:a "

/* Makes X by `ffmpeg options X`; whether it could. */
static bool make(const room *r, const char *name, const char *options) {
  char line[2000];
  snprintf(line, sizeof line, "ffmpeg -v error -nostdin -y %s '%s/%s' 2>/dev/null", options, r->folder, name);
  return system(line) == 0;
}

static void need_ffmpeg(const room *r) {
  if (!am_media_is_there(NULL)) printf("# skipped: built without libavformat, or it is not on this machine\n");
  else if (!make(r, "try.wav", SOUND)) printf("# skipped: there is no ffmpeg\n");
  else return;
  skip();
}

/* What ffmpeg decodes, as the mean of `channels`. */
static float *by_ffmpeg(const char *path, int track, int channels, size_t *n) {
  char line[2000], name[600];
  size_t bytes;
  snprintf(name, sizeof name, "%s.f32", path);
  snprintf(line, sizeof line, "ffmpeg -v error -nostdin -y -i '%s' -map 0:a:%d -c:a pcm_f32le -f f32le '%s'", path,
           track, name);
  assert_int_equal(system(line), 0);
  float *x = (float *)(void *)slurp(name, &bytes);
  *n = bytes / sizeof *x / (size_t)channels;
  for (size_t i = 0; i < *n; i++) {
    float sum = 0;
    for (int c = 0; c < channels; c++) sum += x[i * (size_t)channels + (size_t)c];
    x[i] = sum / (float)channels;
  }
  unlink(name);
  return x;
}

/* Track `track` of a film, or (0) what is heard if none is asked for; `same` counts from 0 as ffmpeg does. */
static void check_same(const room *r, const char *path, int track, int same) {
  am_sound s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  const am_sound_want want = {.max_seconds = 100, .track = track};
  am_test_ok(am_sound_stream(r->ctx, path, &want, &s, &err), &err);
  size_t n;
  float *x = by_ffmpeg(path, same, s.file_channels, &n);
  if (s.n != n) fail_msg("%s: %zu samples, and %zu by ffmpeg", path, s.n, n);
  for (size_t i = 0; i < n; i++)
    if (s.samples[i] != x[i])
      fail_msg("%s: sample %zu is %.9g, and %.9g by ffmpeg", path, i, (double)s.samples[i], (double)x[i]);
  free(x);
  am_sound_free(&s);
}

static const struct {
  const char *name, *options;
} kinds[] = {
    {"aac.m4a", SOUND "-c:a aac"},
    {"alac.m4a", SOUND "-c:a alac"},
    {"six.m4a", SOUND "-ac 6 -c:a aac"},
    {"film.mp4", FILM "-c:v mpeg4 -c:a aac"},
    {"fast.mp4", FILM "-c:v mpeg4 -c:a aac -movflags +faststart"},
    {"parts.mp4", FILM "-c:v mpeg4 -c:a aac -movflags +frag_keyframe+empty_moov"},
    {"late.mp4", SOUND "-f lavfi -i testsrc=s=64x48:r=10:d=3.3 -map 0:a -map 1:v -c:v mpeg4 -c:a libmp3lame"},
    {"opus.mkv", FILM "-c:v mpeg4 -c:a libopus"},
    {"flac.mkv", FILM "-c:v mpeg4 -c:a flac"},
    {"mp3.mkv", FILM "-c:v mpeg4 -c:a libmp3lame"},
    {"vorbis.webm", FILM "-c:v libvpx -c:a libvorbis"},
    {"opus.webm", SOUND "-c:a libopus"},
    {"s16.mov", FILM "-c:v mpeg4 -c:a pcm_s16le"},
    {"s24.mov", SOUND "-c:a pcm_s24le"},
    {"u8.mkv", SOUND "-c:a pcm_u8"},
    {"f64.mkv", SOUND "-c:a pcm_f64le"},
    {"mp3.avi", FILM "-c:v mpeg4 -c:a libmp3lame"},
    {"mp2.ts", FILM "-r 25 -c:v mpeg2video -c:a mp2"},
    {"x.wma", SOUND "-c:a wmav2"},
    {"x.ac3", SOUND "-c:a ac3"},
    {"x.aac", SOUND "-c:a aac"},
    {"x.wv", SOUND "-c:a wavpack"},
    {"x.tta", SOUND "-c:a tta"},
    {"g722.wav", SOUND "-ar 16000 -ac 1 -c:a g722"},
    {"speex.spx", SOUND "-ar 16000 -ac 1 -c:a libspeex"},
};

static void the_samples_are_those_of_ffmpeg(void **state) {
  const room *r = *state;
  size_t made = 0;
  need_ffmpeg(r);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!make(r, kinds[i].name, kinds[i].options)) {
      printf("# this ffmpeg does not make %s\n", kinds[i].name);
      continue;
    }
    made++;
    check_same(r, am_test_path(r->folder, kinds[i].name), 0, 0);
  }
  printf("# %zu of %zu kinds\n", made, sizeof kinds / sizeof *kinds);
  assert_true(made >= 10);
}

typedef struct fed {
  float *x;
  size_t n;
} fed;

static am_status collect(void *user, const float *samples, size_t n, am_error *err) {
  fed *f = user;
  (void)err;
  f->x = realloc(f->x, (f->n + n) * sizeof *f->x);
  assert_non_null(f->x);
  memcpy(f->x + f->n, samples, n * sizeof *samples);
  f->n += n;
  return AM_OK;
}

static void streamed_from_memory_and_counted_they_are_the_same(void **state) {
  const room *r = *state;
  need_ffmpeg(r);
  assert_true(make(r, "film.mkv", FILM "-c:v mpeg4 -c:a flac"));
  const char *path = am_test_path(r->folder, "film.mkv");
  am_sound whole = {.size = sizeof whole}, s = {.size = sizeof s};
  am_sound_info info = {.size = sizeof info}, clip = {.size = sizeof clip};
  am_error err = AM_ERROR_INIT;
  fed f = {0};
  const am_sound_want want = {.rate = 16000, .max_seconds = 100, .check = true, .each = collect, .user = &f};
  am_test_ok(am_sound_read(r->ctx, path, 16000, 0, &whole, &err), &err);
  am_test_ok(am_sound_stream(r->ctx, path, &want, &s, &err), &err);
  assert_true(f.n == whole.n && !memcmp(f.x, whole.samples, f.n * sizeof *f.x));
  am_sound_free(&whole);
  size_t bytes;
  char *data = slurp(path, &bytes);
  am_test_ok(am_sound_decode(r->ctx, data, bytes, "it", 16000, 0, &whole, &err), &err);
  assert_true(f.n == whole.n && !memcmp(f.x, whole.samples, f.n * sizeof *f.x));
  am_sound_free(&whole);
  am_test_ok(am_sound_inspect(r->ctx, path, &info, &err), &err);
  am_test_ok(am_sound_inspect_clip(r->ctx, path, &clip, &err), &err);
  assert_true(info.frames == 145530 && info.channels == 2 && info.rate == 44100);
  assert_memory_equal(&info, &clip, sizeof info);
  free(data);
  free(f.x);
}

static void tracks_are_chosen_by_number(void **state) {
  const room *r = *state;
  need_ffmpeg(r);
  assert_true(make(r, "two.mp4",
                   SOUND "-f lavfi -i sine=300:r=48000:d=2 -f lavfi -i testsrc=s=64x48:r=10:d=3 -map 2:v -map 0:a "
                         "-map 1:a -c:v mpeg4 -c:a aac"));
  const char *path = am_test_path(r->folder, "two.mp4");
  check_same(r, path, 0, 0);
  check_same(r, path, 1, 0);
  check_same(r, path, 2, 1);
  am_sound s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  am_sound_want want = {.max_seconds = 100, .track = 3};
  am_test_fails(am_sound_stream(r->ctx, path, &want, &s, &err), AM_E_USAGE, &err,
                "two.mp4: has 2 tracks of sound; there is no track 3");
  want.track = 1; /* of an ordinary sound */
  am_test_ok(am_sound_stream(r->ctx, am_test_path(r->folder, "try.wav"), &want, &s, &err), &err);
  assert_int_equal(s.n, 145530);
  am_sound_free(&s);
}

/* ---- what is wrong with a film ---- */

static void refused(const room *r, const char *name, const char *text) {
  am_sound s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  fed f = {0};
  const am_sound_want want = {.max_seconds = 100, .check = true, .each = collect, .user = &f};
  am_test_fails(am_sound_stream(r->ctx, am_test_path(r->folder, name), &want, &s, &err), AM_E_FORMAT, &err, text);
  assert_int_equal(f.n, 0);
  am_test_fails(am_sound_read(r->ctx, am_test_path(r->folder, name), 0, 0, &s, &err), AM_E_FORMAT, &err, text);
}

static void cut(const room *r, const char *name) {
  struct stat about;
  const char *path = am_test_path(r->folder, name);
  assert_int_equal(stat(path, &about), 0);
  assert_int_equal(truncate(path, about.st_size * 6 / 10), 0);
}

static void cut_films_are_refused(void **state) {
  const room *r = *state;
  need_ffmpeg(r);
  assert_true(make(r, "fast.mp4", FILM "-c:v mpeg4 -c:a aac -movflags +faststart"));
  assert_true(make(r, "film.mp4", FILM "-c:v mpeg4 -c:a aac"));
  assert_true(make(r, "film.mkv", FILM "-c:v mpeg4 -c:a flac"));
  cut(r, "fast.mp4"), cut(r, "film.mp4"), cut(r, "film.mkv");
  refused(r, "fast.mp4", "its header promises 3.30 s of sound; copy or download it again");
  refused(r, "film.mp4", "film.mp4: damaged or truncated: it has no complete header (");
  refused(r, "film.mkv", "film.mkv: damaged after ");
}

static void a_film_without_sound_is_refused(void **state) {
  const room *r = *state;
  need_ffmpeg(r);
  assert_true(make(r, "mute.mp4", "-f lavfi -i testsrc=s=64x48:r=10:d=1 -c:v mpeg4"));
  refused(r, "mute.mp4", "mute.mp4: is an MPEG-4 film or sound (MP4) without a track of sound");
}

static void note(void *user, am_log_level level, const char *line) {
  (void)level;
  strncat(user, line, 900 - strlen(user));
}

/* Times of cues are those of the film, samples those of the track. */
static void sound_that_begins_later_is_told(void **state) {
  const room *r = *state;
  am_context *ctx;
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof s};
  need_ffmpeg(r);
  assert_true(make(r, "late.mkv",
                   "-f lavfi -i testsrc=s=64x48:r=10:d=3 -itsoffset 1 -f lavfi -i sine=300:d=2 -map 0:v -map 1:a "
                   "-c:v mpeg4 -c:a flac"));
  static char said[1000];
  *said = 0;
  const am_settings settings = {
      .size = sizeof settings, .threads = 1, .read_in_child = true, .log = note, .user = said};
  am_test_ok(am_context_create(&settings, &ctx, &err), &err);
  am_test_ok(am_sound_read(ctx, am_test_path(r->folder, "late.mkv"), 0, 0, &s, &err), &err);
  am_sound_free(&s);
  am_context_free(ctx);
  if (!strstr(said, "late.mkv: its sound begins 1.00 s after the film")) fail_msg("said: %s", said);
}

/* A program that did not allow children does not get them. */
static void without_a_child_films_are_refused(void **state) {
  const room *r = *state;
  const am_settings settings = {.size = sizeof settings, .threads = 1};
  am_context *ctx;
  am_error err = AM_ERROR_INIT;
  am_sound s = {.size = sizeof s};
  need_ffmpeg(r);
  assert_true(make(r, "x.m4a", SOUND "-c:a aac"));
  am_test_ok(am_context_create(&settings, &ctx, &err), &err);
  am_test_fails(am_sound_read(ctx, am_test_path(r->folder, "x.m4a"), 0, 0, &s, &err), AM_E_FORMAT, &err,
                "is MPEG-4 audio (M4A), which is not read");
  const am_sound_want want = {.max_seconds = 100, .track = 1};
  am_test_fails(am_sound_stream(ctx, am_test_path(r->folder, "x.m4a"), &want, &s, &err), AM_E_UNSUPPORTED, &err,
                "am_settings.read_in_child");
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_ROOM(the_samples_are_those_of_ffmpeg),   IN_ROOM(streamed_from_memory_and_counted_they_are_the_same),
      IN_ROOM(tracks_are_chosen_by_number),       IN_ROOM(cut_films_are_refused),
      IN_ROOM(a_film_without_sound_is_refused),   IN_ROOM(sound_that_begins_later_is_told),
      IN_ROOM(without_a_child_films_are_refused),
  };
  return cmocka_run_group_tests_name("media", tests, NULL, NULL);
}
