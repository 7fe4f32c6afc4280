/* cli/inspect.h - what the parts of `audiomood inspect` share. */
#ifndef AM_CLI_INSPECT_H
#define AM_CLI_INSPECT_H

#include "cli/cli.h"

/* cmd_inspect.c: clips by speaker and label */
void inspect_print_speakers(const am_dataset *d);
/* inspect_augment.c: what training makes of a sound.  `nz`: that of the run; NULL: there is none yet. */
am_status inspect_augment(cli *c, const am_config *config, const am_normaliser *nz, const char *file, am_error *err);
/* inspect_dataset.c: does the file describe a corpus? Then inspect_dataset is for it. */
am_status inspect_is_description(cli *c, const char *path, bool *yes, am_error *err);
am_status inspect_dataset(cli *c, const char *path, am_error *err);

#endif
