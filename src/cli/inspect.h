/* SPDX-License-Identifier: MIT */
/* cli/inspect.h - what the parts of `audiomood inspect` share. */
#ifndef AM_CLI_INSPECT_H
#define AM_CLI_INSPECT_H

#include "cli/cli.h"

/* cmd_inspect.c: clips by speaker and label */
void inspect_print_speakers(const am_dataset *d);
/* "12,345" */
const char *inspect_grouped(double value, char *out, size_t size);
/* inspect_foreign.c: a model file of another program. */
am_status inspect_foreign(cli *c, const am_exchange *format, const char *path, am_error *err);
/* inspect_augment.c: what training makes of a sound.  `nz`: that of the run; NULL: there is none yet. */
am_status inspect_augment(cli *c, const am_config *config, const am_normaliser *nz, const char *file, am_error *err);
/* inspect_dataset.c: what a file or a folder says of a corpus. */
typedef enum inspect_kind { INSPECT_CONFIG, INSPECT_DESCRIPTION, INSPECT_LIST } inspect_kind;
am_status inspect_kind_of(cli *c, const char *path, inspect_kind *out, am_error *err);
am_status inspect_dataset(cli *c, const char *path, am_error *err); /* INSPECT_DESCRIPTION */
/* Whether it is a list, and not the folder of a run, of which the tables are results. */
am_status inspect_is_list(cli *c, const char *path, bool *yes, am_error *err);
am_status inspect_list(cli *c, const char *path, am_error *err);

#endif
