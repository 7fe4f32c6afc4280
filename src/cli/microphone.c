/* SPDX-License-Identifier: MIT */
/* cli/microphone.c - PortAudio, the only file that knows it; it is loaded when a microphone is asked for.  Its callback, which may
 * wait for nothing, puts samples into a ring of some seconds; whoever hears them takes them out.  What finds no room is lost, and
 * counted. */
#include "cli/microphone.h"

#include <fcntl.h>
#include <portaudio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/library.h"
#include "base/soname_portaudio.h"

enum { RING = 1 << 19, WAIT_MS = 20 }; /* samples: 11 s at 48 kHz */

#define PORTAUDIO_CALLS(X) \
  X(Pa_AbortStream) \
  X(Pa_CloseStream) \
  X(Pa_GetDefaultInputDevice) \
  X(Pa_GetDeviceCount) \
  X(Pa_GetDeviceInfo) \
  X(Pa_GetErrorText) \
  X(Pa_GetHostApiInfo) \
  X(Pa_GetVersionText) \
  X(Pa_Initialize) \
  X(Pa_IsStreamActive) \
  X(Pa_OpenStream) \
  X(Pa_StartStream) \
  X(Pa_Terminate)
typedef struct calls {
  PORTAUDIO_CALLS(AM_LIBRARY_MEMBER)
} calls;

struct cli_microphone {
  am_context *ctx;
  calls f;
  PaStream *stream;
  char name[200];
  bool begun;
  atomic_size_t put, taken; /* samples so far; the first is the callback's, the second the reader's */
  atomic_uint_fast64_t lost, overruns;
  int16_t ring[RING]; /* 16 bits, as recordings have: those are heard as the microphone was */
};

static am_status fail_portaudio(const calls *f, const char *what, PaError code, am_error *err) {
  return am_fail(err, AM_E_IO, "%s: %s", what, f->Pa_GetErrorText(code));
}

static am_status load(calls *f, am_error *err) {
  static const char *const names[] = {PORTAUDIO_CALLS(AM_LIBRARY_NAME) NULL};
  static const am_library portaudio = {AM_SONAME_PORTAUDIO, names};
  const am_status status = am_library_load(&portaudio, 1, f, sizeof *f, err);
  return status ? am_error_prefix(err, "microphones are heard through PortAudio") : AM_OK;
}

am_status cli_microphone_library(char *out, size_t room, am_error *err) {
  calls f;
  const am_status status = load(&f, err);
  if (!status) snprintf(out, room, "%s", f.Pa_GetVersionText());
  return status;
}

/* The libraries beneath say on standard error what they look for and do not find. */
static am_status begin(calls *f, am_error *err) {
  const am_status status = load(f, err);
  if (status) return status;
  const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC), before = dup(STDERR_FILENO);
  if (quiet >= 0 && before >= 0) dup2(quiet, STDERR_FILENO);
  const PaError code = f->Pa_Initialize();
  if (before >= 0) dup2(before, STDERR_FILENO);
  if (before >= 0) close(before);
  if (quiet >= 0) close(quiet);
  return code == paNoError ? AM_OK : fail_portaudio(f, "PortAudio", code, err);
}

static const PaDeviceInfo *recorder(const calls *f, PaDeviceIndex i) {
  const PaDeviceInfo *d = f->Pa_GetDeviceInfo(i);
  return d && d->maxInputChannels > 0 ? d : NULL;
}

am_status cli_microphone_list(am_error *err) {
  calls table, *f = &table;
  const am_status status = begin(f, err);
  if (status) return status;
  const PaDeviceIndex chosen = f->Pa_GetDefaultInputDevice();
  int n = 0;
  for (PaDeviceIndex i = 0; i < f->Pa_GetDeviceCount(); i++) {
    const PaDeviceInfo *d = recorder(f, i);
    if (!d) continue;
    n++;
    cli_print("%3d  %s (%s, %.0f Hz)%s\n", i, d->name, f->Pa_GetHostApiInfo(d->hostApi)->name, d->defaultSampleRate,
              i == chosen ? "  the default" : "");
  }
  f->Pa_Terminate();
  return n ? cli_flush(err) : am_fail(err, AM_E_IO, "there is no device that records");
}

/* By its number, its name, or a part of that. */
static PaDeviceIndex find(const calls *f, const char *wanted) {
  if (!wanted) return f->Pa_GetDefaultInputDevice();
  char *end;
  const long number = strtol(wanted, &end, 10);
  if (end != wanted && !*end)
    return number >= 0 && number < f->Pa_GetDeviceCount() ? (PaDeviceIndex)number : paNoDevice;
  PaDeviceIndex part = paNoDevice;
  for (PaDeviceIndex i = 0; i < f->Pa_GetDeviceCount(); i++) {
    const PaDeviceInfo *d = recorder(f, i);
    if (d && !strcasecmp(d->name, wanted)) return i;
    for (const char *at = d ? d->name : ""; *at && part == paNoDevice; at++)
      if (!strncasecmp(at, wanted, strlen(wanted))) part = i;
  }
  return part;
}

static int on_samples(const void *in, void *out, unsigned long n, const PaStreamCallbackTimeInfo *times,
                      PaStreamCallbackFlags flags, void *user) {
  (void)out, (void)times;
  cli_microphone *m = user;
  const int16_t *x = in;
  const size_t put = atomic_load_explicit(&m->put, memory_order_relaxed);
  const size_t room = RING - (put - atomic_load_explicit(&m->taken, memory_order_acquire));
  const size_t some = !x ? 0 : n < room ? n : room;
  for (size_t i = 0; i < some; i++) m->ring[(put + i) % RING] = x[i];
  atomic_store_explicit(&m->put, put + some, memory_order_release);
  if (some < n) atomic_fetch_add_explicit(&m->lost, n - some, memory_order_relaxed);
  if (flags & paInputOverflow) atomic_fetch_add_explicit(&m->overruns, 1, memory_order_relaxed);
  return paContinue;
}

static am_status open_device(cli_microphone *m, const char *device, double *rate, am_error *err) {
  const calls *f = &m->f;
  const PaDeviceIndex index = find(f, device);
  const PaDeviceInfo *d = index == paNoDevice ? NULL : recorder(f, index);
  if (!d && !device) return am_fail(err, AM_E_IO, "there is no device that records; - hears standard input");
  if (!d)
    return am_fail(err, AM_E_USAGE, "--device %s: no such device records; --list-devices names those that do", device);
  snprintf(m->name, sizeof m->name, "%s", d->name);
  if (*rate <= 0) *rate = d->defaultSampleRate;
  const PaStreamParameters in = {index, 1, paInt16, d->defaultHighInputLatency, NULL};
  PaError code =
      f->Pa_OpenStream(&m->stream, &in, NULL, *rate, paFramesPerBufferUnspecified, paDitherOff, on_samples, m);
  if (code == paNoError) code = f->Pa_StartStream(m->stream);
  return code == paNoError ? AM_OK : fail_portaudio(f, m->name, code, err);
}

am_status cli_microphone_open(cli *c, const char *device, double *rate, cli_microphone **out, am_error *err) {
  *out = NULL;
  cli_microphone *m = am_alloc(c->ctx, 1, sizeof *m);
  if (!m) return am_no_memory(err);
  m->ctx = c->ctx;
  am_status st = begin(&m->f, err);
  m->begun = !st;
  if (!st) st = open_device(m, device, rate, err);
  if (st) return cli_microphone_close(m), st;
  am_log(c->ctx, AM_LOG_INFO, "hearing %s at %.0f Hz; Ctrl-C ends it", m->name, *rate);
  *out = m;
  return AM_OK;
}

am_status cli_microphone_read(cli_microphone *m, float *x, size_t room, size_t *n, am_error *err) {
  const size_t taken = atomic_load_explicit(&m->taken, memory_order_relaxed);
  size_t there = atomic_load_explicit(&m->put, memory_order_acquire) - taken;
  if (there > room) there = room;
  for (size_t i = 0; i < there; i++) x[i] = (float)m->ring[(taken + i) % RING] / 32768;
  atomic_store_explicit(&m->taken, taken + there, memory_order_release);
  *n = there;
  if (there) return AM_OK;
  if (m->f.Pa_IsStreamActive(m->stream) != 1) return am_fail(err, AM_E_IO, "%s: gives no more sound", m->name);
  nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
  return AM_OK;
}

void cli_microphone_lost(const cli_microphone *m, uint64_t *samples, uint64_t *overruns) {
  *samples = atomic_load_explicit(&m->lost, memory_order_relaxed);
  *overruns = atomic_load_explicit(&m->overruns, memory_order_relaxed);
}

void cli_microphone_close(cli_microphone *m) {
  if (!m) return;
  if (m->stream) m->f.Pa_AbortStream(m->stream);
  if (m->stream) m->f.Pa_CloseStream(m->stream);
  if (m->begun) m->f.Pa_Terminate();
  am_free(m->ctx, m);
}
