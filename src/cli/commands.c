/* SPDX-License-Identifier: MIT */
/* cli/commands.c - the registry of subcommands. */
#include "cli/cli.h"

/* Every command, in the order of help.  A new one adds one line here. */
#define COMMANDS(X) \
  X(cli_train) \
  X(cli_evaluate) \
  X(cli_predict) \
  X(cli_subtitle) \
  X(cli_enrol) \
  X(cli_features) \
  X(cli_inspect) \
  X(cli_report) \
  X(cli_synth) \
  X(cli_import) \
  X(cli_export) \
  X(cli_crossval) \
  X(cli_compare) \
  X(cli_fuse) \
  X(cli_distil) \
  X(cli_tune) \
  X(cli_stitch) \
  X(cli_manifest) \
  X(cli_mix) \
  X(cli_speech) \
  X(cli_live) \
  X(cli_serve) \
  X(cli_verify)

#define DECLARE(command) extern const cli_command command;
#define POINTER(command) &(command),
COMMANDS(DECLARE)

const cli_command *const cli_commands[] = {COMMANDS(POINTER) NULL};
