/* SPDX-License-Identifier: MIT */
/* cli/explained.h - what moved an answer, as pictures; and predict --report, the page of one sound, which has them. */
#ifndef AM_EXPLAINED_H
#define AM_EXPLAINED_H

#include "cli/predicting.h"
#include "report/recording.h"

/* Pictures, each with its title and a note; zeros to begin with.  It is borrowed by the page of a recording, so it stays where it is. */
enum { CLI_MOST_WHYS = 8 };
typedef struct cli_whys {
  size_t n;
  am_recording_why at[CLI_MOST_WHYS];
  am_buffer pictures[CLI_MOST_WHYS];
  char titles[CLI_MOST_WHYS][240], notes[CLI_MOST_WHYS][400];
} cli_whys;
/* What moved the answer `class` for n samples at the rate of the first model: a picture for each model that hears frames, as long as
 * there is room. `name` says which part of a sound it is; "": it is the whole. */
am_status cli_whys_add(cli *c, cli_whys *whys, const cli_models *team, const char *name, const float *samples, size_t n,
                       int class, am_error *err);
/* A line in place of a picture; there must be room. */
void cli_whys_note(cli_whys *whys, const char *title, const char *note);
void cli_whys_free(cli *c, cli_whys *whys);

am_status cli_predict_page(cli *c, const cli_models *team, const cli_sounds *sounds, const cli_hearing *how,
                           const char *path, am_error *err);

#endif
