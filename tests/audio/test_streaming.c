/* SPDX-License-Identifier: MIT */
/* tests/audio/test_streaming.c - a sound that a child reads and hands on: the same bits, in the same memory for any length, and
 * whatever becomes of the child is a message. */
#include "audio/sound_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "audio/sound_inside.h"

typedef struct fed {
  float *x;
  size_t n, room;
  int signal;       /* for the child, at the first samples */
  const char *path; /* cut at the first samples */
} fed;

/* The child of this process, which has one thread and one child. */
static pid_t child_of_this(void) {
  char path[64], line[64] = "";
  snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  const bool there = fgets(line, sizeof line, f) != NULL;
  fclose(f);
  return there ? (pid_t)strtol(line, NULL, 10) : 0;
}

static am_status collect(void *user, const float *samples, size_t n, am_error *err) {
  fed *f = user;
  (void)err;
  if (f->signal && !f->n) {
    const pid_t child = child_of_this();
    if (!child) fail_msg("no child is there");
    kill(child, f->signal);
  }
  if (f->path && !f->n) assert_int_equal(truncate(f->path, 100000), 0);
  if (f->n + n > f->room) f->x = realloc(f->x, (f->room = 2 * (f->n + n)) * sizeof *f->x);
  assert_non_null(f->x);
  memcpy(f->x + f->n, samples, n * sizeof *samples);
  f->n += n;
  return AM_OK;
}

static am_sound_want to_collect(fed *f, double rate) {
  return (am_sound_want){.rate = rate, .max_seconds = 1e5, .check = true, .each = collect, .user = f};
}

/* `path` by a child against all of it at once. */
static void same_bits(const room *r, const char *path, double rate) {
  am_sound whole = {.size = sizeof whole}, s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  fed f = {0};
  const am_sound_want want = to_collect(&f, rate);
  am_test_ok(am_sound_read(r->ctx, path, rate, 0, &whole, &err), &err);
  am_test_ok(am_sound_stream(r->ctx, path, &want, &s, &err), &err);
  if (f.n != whole.n) fail_msg("%s: %zu samples, and %zu at once", path, f.n, whole.n);
  assert_memory_equal(f.x, whole.samples, whole.n * sizeof(float));
  assert_true(s.n == whole.n && s.rate == whole.rate && s.file_rate == whole.file_rate);
  assert_true(s.digest == whole.digest && s.file_channels == whole.file_channels && !s.samples);
  am_sound_free(&whole);
  free(f.x);
}

static const char *joined(const room *r, const char *name, const char *const *parts) {
  char *all = NULL;
  size_t n = 0;
  for (; *parts; parts++) {
    char path[512];
    size_t more;
    snprintf(path, sizeof path, "%s/tests/audio/sounds/%s", AM_SOURCE_ROOT, *parts);
    char *data = slurp(path, &more);
    all = realloc(all, n + more);
    assert_non_null(all);
    memcpy(all + n, data, more);
    n += more;
    free(data);
  }
  const char *path = am_test_path(r->folder, name);
  am_test_file(path, all, n);
  free(all);
  return path;
}

static void what_is_streamed_are_the_bits_that_are_read(void **state) {
  const room *r = *state;
  static const int kinds[] = {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_FLOAT,
                              SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
                              SF_FORMAT_AIFF | SF_FORMAT_PCM_24};
  static const char *const small[] = {"adpcm.wav",   "alac.caf",   "cbr-bare.mp3", "flac.oga",
                                      "float.w64",   "layer2.mp2", "music.ogg",    "layer3.wav",
                                      "speech.opus", "table.mp3",  "vbr-bare.mp3"};
  for (int wanted = 0; wanted <= 16000; wanted += 16000) {
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
      same_bits(r, write_by_sndfile(r, "long", kinds[k], 48000, 2, 2000001), wanted);
    for (size_t k = 0; k < sizeof small / sizeof *small; k++)
      same_bits(r, joined(r, "small", (const char *const[]){small[k], NULL}), wanted);
    /* gapless parts, and another rate after the first */
    same_bits(r, joined(r, "chain", (const char *const[]){"music.ogg", "music.ogg", "speech.opus", NULL}), wanted);
    same_bits(r, joined(r, "joined", (const char *const[]){"table.mp3", "table.mp3", "vbr-bare.mp3", NULL}), wanted);
  }
}

/* Tags, joined parts, and lengths that lie or were never filled in: what is refused is refused in the same words. */
static void odd_files_are_read_alike(void **state) {
  const room *r = *state;
  const char *folder = AM_SOURCE_ROOT "/tests/fuzz/seeds/sound";
  DIR *seeds = opendir(folder);
  assert_non_null(seeds);
  size_t n = 0, read = 0;
  for (struct dirent *e; (e = readdir(seeds));) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (e->d_name[0] == '.') continue;
    n++;
    am_sound whole = {.size = sizeof whole}, s = {.size = sizeof s};
    am_error err = AM_ERROR_INIT, other = AM_ERROR_INIT;
    fed f = {0};
    const am_sound_want want = to_collect(&f, 16000);
    const am_status at_once = am_sound_read(r->ctx, path, 16000, 0, &whole, &err),
                    fed_on = am_sound_stream(r->ctx, path, &want, &s, &other);
    if (at_once != fed_on || strcmp(err.message, other.message) || f.n != whole.n)
      fail_msg("%s: \"%s\", and \"%s\" at once", path, other.message, err.message);
    if (f.n) assert_memory_equal(f.x, whole.samples, f.n * sizeof *f.x);
    read += !at_once;
    am_sound_free(&whole);
    free(f.x);
  }
  closedir(seeds);
  assert_true(n >= 25 && read >= 20);
}

static void what_is_in_memory_too(void **state) {
  const room *r = *state;
  size_t bytes;
  char *data = slurp(write_by_sndfile(r, "x.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, 300001), &bytes);
  am_sound whole = {.size = sizeof whole}, s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  fed f = {0};
  const am_sound_want want = to_collect(&f, 16000);
  am_test_ok(am_sound_decode(r->ctx, data, bytes, "it", 16000, 0, &whole, &err), &err);
  am_test_ok(am_sound_stream_decoded(r->ctx, data, bytes, "it", &want, &s, &err), &err);
  assert_int_equal(f.n, whole.n);
  assert_memory_equal(f.x, whole.samples, whole.n * sizeof(float));
  am_sound_free(&whole);
  free(f.x);
  free(data);
}

/* ---- damage ---- */

static const char *long_wav(const room *r) {
  return write_by_sndfile(r, "long.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 16000, 2, 4000000);
}

static void of_a_damaged_file_nothing_is_handed_on(void **state) {
  const room *r = *state;
  const char *path = write_by_sndfile(r, "x.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 48000, 1, 2000000);
  struct stat about;
  assert_int_equal(stat(path, &about), 0);
  assert_int_equal(truncate(path, about.st_size * 3 / 4), 0);
  am_sound s = {.size = sizeof s};
  am_sound_info info = {.size = sizeof info};
  am_error err = AM_ERROR_INIT, other = AM_ERROR_INIT;
  fed f = {0};
  am_sound_want want = to_collect(&f, 16000);
  am_test_fails(am_sound_stream(r->ctx, path, &want, &s, &err), AM_E_FORMAT, &err, "x.flac: ");
  assert_int_equal(f.n, 0);
  am_test_fails(am_sound_inspect_clip(r->ctx, path, &info, &other), AM_E_FORMAT, &other, err.message);
  want.check = false; /* else some of it */
  am_test_fails(am_sound_stream(r->ctx, path, &want, &s, &err), AM_E_FORMAT, &err, other.message);
  assert_true(f.n > 100000);
  free(f.x);
  am_test_fails(am_sound_stream(r->ctx, "/nonexistent/x.wav", &want, &s, &err), AM_E_IO, &err, "x.wav");
}

static void check_end(const room *r, int patience, fed f, am_status wanted, const char *text) {
  const char *path = long_wav(r);
  am_sound s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  if (f.path) f.path = path;
  am_sound_want want = to_collect(&f, 0);
  want.patience = patience;
  am_test_fails(am_sound_stream(r->ctx, path, &want, &s, &err), wanted, &err, text);
  assert_null(s.samples);
  free(f.x);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left of it */
}

static void the_end_of_a_child_is_a_message(void **state) {
  const room *r = *state;
  if (access("/proc/self/task", R_OK)) skip();
  check_end(r, 0, (fed){.signal = SIGSEGV}, AM_E_FORMAT, "its decoder crashed (signal 11)");
  check_end(r, 0, (fed){.signal = SIGKILL}, AM_E_FORMAT, "its decoder was ended, after more than");
  check_end(r, 0, (fed){.signal = SIGXCPU}, AM_E_FORMAT, "of processor time");
  check_end(r, 0, (fed){.path = ""}, AM_E_IO, "was cut, or could not be read any more");
}

static void a_child_that_says_nothing_is_not_waited_for(void **state) {
  const room *r = *state;
  if (access("/proc/self/task", R_OK)) skip();
  check_end(r, 500, (fed){.signal = SIGSTOP}, AM_E_FORMAT, "its decoder gave nothing for 0.5 s");
}

static am_status refuse(void *user, const float *samples, size_t n, am_error *err) {
  (void)user, (void)samples, (void)n;
  snprintf(err->message, sizeof err->message, "enough");
  return err->status = AM_E_STOPPED;
}

static void whoever_hears_may_end_it(void **state) {
  const room *r = *state;
  am_sound s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  const am_sound_want want = {.max_seconds = 1e5, .each = refuse};
  am_test_fails(am_sound_stream(r->ctx, long_wav(r), &want, &s, &err), AM_E_STOPPED, &err, "enough");
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* ---- memory ---- */

/* Of zeros, which take no room on the disk. */
static const char *silent_wav(const room *r, size_t seconds) {
  const uint32_t bytes = (uint32_t)(seconds * 192000);
  char head[44] = "RIFF....WAVEfmt \20\0\0\0\1\0\2\0\200\273\0\0\0\356\2\0\4\0\20\0data";
  put32(head + 4, bytes + 36);
  put32(head + 40, bytes);
  const char *path = am_test_path(r->folder, "silent.wav");
  am_test_file(path, head, sizeof head);
  assert_int_equal(truncate(path, (off_t)bytes + 44), 0);
  return path;
}

static am_status count_them(void *user, const float *samples, size_t n, am_error *err) {
  (void)samples, (void)err;
  *(size_t *)user += n;
  return AM_OK;
}

/* kB, of this process or the largest child so far */
static long most_memory(const room *r, size_t seconds, int whose) {
  struct rusage usage;
  am_sound s = {.size = sizeof s};
  am_error err = AM_ERROR_INIT;
  size_t n = 0;
  const am_sound_want want = {.rate = 16000, .max_seconds = 1e5, .check = true, .each = count_them, .user = &n};
  am_test_ok(am_sound_stream(r->ctx, silent_wav(r, seconds), &want, &s, &err), &err);
  assert_int_equal(n, seconds * 16000);
  getrusage(whose, &usage);
  return usage.ru_maxrss;
}

/* kB.  Sanitizers keep freed memory for a while. */
#if defined(__SANITIZE_ADDRESS__) || AM_UNDER_TSAN
enum { ALLOWED = 8192 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { ALLOWED = 8192 };
#else
enum { ALLOWED = 1024 };
#endif
#else
enum { ALLOWED = 1024 };
#endif

static void longer_sounds_take_no_more_memory(void **state) {
  const room *r = *state;
  static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
  for (size_t i = 0; i < 2; i++) {
    const long minute = most_memory(r, 60, whose[i]), ten = most_memory(r, 600, whose[i]);
    if (ten - minute > ALLOWED) fail_msg("%ld kB more for 115 MB of sound than for 12", ten - minute);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_ROOM(longer_sounds_take_no_more_memory),
      IN_ROOM(what_is_streamed_are_the_bits_that_are_read),
      IN_ROOM(odd_files_are_read_alike),
      IN_ROOM(what_is_in_memory_too),
      IN_ROOM(of_a_damaged_file_nothing_is_handed_on),
      IN_ROOM(the_end_of_a_child_is_a_message),
      IN_ROOM(a_child_that_says_nothing_is_not_waited_for),
      IN_ROOM(whoever_hears_may_end_it),
  };
  return cmocka_run_group_tests_name("streaming", tests, NULL, NULL);
}
