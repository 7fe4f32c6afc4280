/* SPDX-License-Identifier: MIT */
/* tests/audio/dump_sound.c - what our reader makes of a sound file, for tools/compare-ffmpeg.
 *
 *   dump_sound FILE|- [RATE]
 *
 * Standard output: the float32 samples.  Standard error: warnings, one a line, then "ok HZ CHANNELS SAMPLES",
 * or "failed: MESSAGE" (and exit code 1).  - reads standard input, as `predict -` does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audiomood/audio.h"

static void say(void *user, am_log_level level, const char *text) {
  (void)user;
  if (level > AM_LOG_WARNING) return;
  fprintf(stderr, "warning: %s\n", text);
}

static char *read_all(size_t *bytes) {
  char *data = NULL;
  size_t room = 0, got;
  *bytes = 0;
  do {
    if (*bytes == room) data = realloc(data, room = room ? 2 * room : 65536);
    if (!data) exit(2);
    got = fread(data + *bytes, 1, room - *bytes, stdin);
    *bytes += got;
  } while (got);
  return data;
}

int main(int n, char **arguments) {
  if (n < 2) return 2;
  double rate = n > 2 ? atof(arguments[2]) : 0;
  am_settings settings = {.size = sizeof settings, .threads = 1, .log = say};
  am_error err = AM_ERROR_INIT;
  am_context *ctx;
  am_sound sound = {.size = sizeof(am_sound)};
  if (am_context_create(&settings, &ctx, &err)) return 2;
  am_status status;
  if (strcmp(arguments[1], "-") == 0) {
    size_t bytes;
    char *data = read_all(&bytes);
    status = am_sound_decode(ctx, data, bytes, "standard input", rate, 0, &sound, &err);
    free(data);
  } else {
    status = am_sound_read(ctx, arguments[1], rate, 0, &sound, &err);
  }
  if (status) fprintf(stderr, "failed: %s\n", err.message);
  else fprintf(stderr, "ok %.0f %d %zu\n", sound.file_rate, sound.file_channels, sound.n);
  if (!status) fwrite(sound.samples, sizeof *sound.samples, sound.n, stdout);
  am_sound_free(&sound);
  am_context_free(ctx);
  return status ? 1 : 0;
}
