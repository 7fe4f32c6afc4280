/* SPDX-License-Identifier: MIT */
/* cli/microphone_absent.c - in place of microphone.c where PortAudio was not there to build with. */
#include "cli/microphone.h"

static am_status fail_absent(am_error *err) {
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "microphones are heard through PortAudio, which this build is without (docs/build.md); a recorder can write to - "
      "instead: arecord -q -t raw -f S16_LE -c 1 -r 16000 | audiomood live -");
}

am_status cli_microphone_list(am_error *err) { return fail_absent(err); }

am_status cli_microphone_open(cli *c, const char *device, double *rate, cli_microphone **out, am_error *err) {
  (void)c, (void)device, (void)rate;
  *out = NULL;
  return fail_absent(err);
}

am_status cli_microphone_read(cli_microphone *m, float *x, size_t room, size_t *n, am_error *err) {
  (void)m, (void)x, (void)room;
  *n = 0;
  return fail_absent(err);
}

void cli_microphone_lost(const cli_microphone *m, uint64_t *samples, uint64_t *overruns) {
  (void)m;
  *samples = *overruns = 0;
}

void cli_microphone_close(cli_microphone *m) { (void)m; }

am_status cli_microphone_library(char *out, size_t room, am_error *err) {
  (void)out, (void)room;
  return fail_absent(err);
}
