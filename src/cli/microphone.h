/* SPDX-License-Identifier: MIT */
/* cli/microphone.h - sound of a device, through PortAudio. */
#ifndef AM_CLI_MICROPHONE_H
#define AM_CLI_MICROPHONE_H

#include "cli/cli.h"

typedef struct cli_microphone cli_microphone;

/* Prints the devices that record, a line each. */
am_status cli_microphone_list(am_error *err);
/* `device`: a number of that list, or a part of a name; NULL: the default one.  *rate: Hz, 0: that of the device, which is put
 * there. */
am_status cli_microphone_open(cli *c, const char *device, double *rate, cli_microphone **out, am_error *err);
/* What has come since, at most `room` samples; waits a moment when that is nothing (*n 0). */
am_status cli_microphone_read(cli_microphone *m, float *x, size_t room, size_t *n, am_error *err);
/* Samples that were not fetched in time, and those that the system says it has lost, so far. */
void cli_microphone_lost(const cli_microphone *m, uint64_t *samples, uint64_t *overruns);
void cli_microphone_close(cli_microphone *m);

/* Version of PortAudio, which is loaded by this and not begun. */
am_status cli_microphone_library(char *out, size_t room, am_error *err);

#endif
