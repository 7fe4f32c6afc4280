/* SPDX-License-Identifier: MIT */
/* cli/recording.h - what live hears and tells, on disk: FILE.wav, and FILE.csv of events beside it. */
#ifndef AM_CLI_RECORDING_H
#define AM_CLI_RECORDING_H

#include "cli/cli.h"
#include "subtitle/event.h"

typedef struct cli_recording cli_recording;

/* Of one channel, 16 bits.  Both files are new, and for their owner alone: a voice is in them.  What is there already is AM_E_USAGE. */
am_status cli_recording_open(cli *c, const char *path, double rate, const am_event_teller *teller, cli_recording **out,
                             am_error *err);
am_status cli_recording_sound(cli_recording *r, const float *x, size_t n, am_error *err);
am_status cli_recording_event(cli_recording *r, const am_stream_event *e, am_error *err);
/* The header says the right length once a second, and after this. */
am_status cli_recording_close(cli_recording *r, am_error *err);

#endif
