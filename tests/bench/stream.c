/* SPDX-License-Identifier: MIT */
/* tests/bench/stream.c - the streaming engine by the model that comes with AudioMood, for tools/bench.  Not a test.
 *
 *   stream THREADS level|model SECONDS FILE...
 *
 * The files, again and again, are pushed in tenths of a second as fast as they are taken, speech found by its level or by the
 * detector.  Prints: seconds of sound, of the clock and of the processor in the engine; the delay of each measurement, from
 * the push of its last chunk to its event; the process's peak memory.  Reading a file is not counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "audiomood/stream.h"
#include "base/base.h"

enum { MOST = 100000 };

typedef struct told {
  double pushed; /* when the chunk was */
  double delays[MOST];
  size_t n;
} told;

static void must(am_status st, const am_error *err) {
  if (!st) return;
  fprintf(stderr, "stream: %s\n", err->message);
  exit(1);
}

static double processor(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static am_status note(void *user, const am_stream_event *e, am_error *err) {
  told *all = user;
  (void)err;
  if (e->kind == AM_STREAM_MEASURED && all->n < MOST) all->delays[all->n++] = am_now() - all->pushed;
  return AM_OK;
}

static void print(const told *all, double sound, double wall, double cpu) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"sound\": %.3f, \"wall\": %.6f, \"processor\": %.6f, \"peak_kb\": %ld, \"delays\": [", sound, wall, cpu,
         usage.ru_maxrss);
  for (size_t i = 0; i < all->n; i++) printf("%s%.6f", i ? ", " : "", all->delays[i]);
  printf("]}\n");
}

int main(int argc, char **argv) {
  static told all;
  am_error err = AM_ERROR_INIT;
  am_context *ctx;
  am_checkpoint *model, *detector = NULL;
  am_ensemble *ensemble;
  am_stream *stream;
  if (argc < 5 || (strcmp(argv[2], "level") != 0 && strcmp(argv[2], "model") != 0)) {
    fprintf(stderr, "stream THREADS level|model SECONDS FILE...\n");
    return 2;
  }
  const am_settings settings = {.size = sizeof settings, .threads = (int)strtol(argv[1], NULL, 10)};
  am_stream_options options = {.size = sizeof options};
  must(am_context_create(&settings, &ctx, &err), &err);
  must(am_checkpoint_shipped(ctx, &model, &err), &err);
  must(am_ensemble_create(ctx, &ensemble, &err), &err);
  must(am_ensemble_add(ensemble, model, NULL, &err), &err);
  if (strcmp(argv[2], "model") == 0) {
    must(am_checkpoint_shipped_detector(ctx, &detector, &err), &err);
    options.speech = AM_SPEECH_BY_MODEL;
    options.detector = detector;
  }
  must(am_stream_create(ensemble, &options, note, &all, &stream, &err), &err);
  const double wanted = strtod(argv[3], NULL);
  double sound = 0, wall = 0, cpu = 0;
  for (int file = 0; sound < wanted; file = (file + 1) % (argc - 4)) {
    am_sound x = AM_SOUND_INIT;
    must(am_sound_read(ctx, argv[4 + file], 0, 0, &x, &err), &err);
    const size_t chunk = (size_t)(x.rate / 10);
    for (size_t at = 0, n; at < x.n; at += n) {
      n = x.n - at < chunk ? x.n - at : chunk;
      const double spent = processor();
      all.pushed = am_now();
      must(am_stream_push(stream, x.samples + at, n, x.rate, &err), &err);
      wall += am_now() - all.pushed;
      cpu += processor() - spent;
    }
    sound += (double)x.n / x.rate;
    am_sound_free(&x);
  }
  print(&all, sound, wall, cpu);
  am_stream_free(stream);
  am_ensemble_free(ensemble);
  am_checkpoint_free(detector);
  am_checkpoint_free(model);
  am_context_free(ctx);
  return 0;
}
