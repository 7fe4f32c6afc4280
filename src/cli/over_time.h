/* SPDX-License-Identifier: MIT */
/* cli/over_time.h - what evaluate --over-time is made of. */
#ifndef AM_CLI_OVER_TIME_H
#define AM_CLI_OVER_TIME_H

#include "cli/cli.h"
#include "io/json.h"
#include "subtitle/timeline.h"

/* The reference of a sound that is of the same name, in any format; where there is none, as RTTM would be called.  am_free; NULL: no
 * memory. */
char *cli_reference_beside(cli *c, const char *path);
/* over_time_tags.c: the tags that `subtitle` would show of recordings whose cues are the stretches of their reference. */
typedef struct cli_tags {
  cli *c;
  const am_checkpoint *model;
  const am_thresholds *thresholds; /* NULL: none */
  const float *priors;             /* cli_priors_get; NULL: none */
  struct cli_tags_cue {
    double start;
    size_t recording;
    const char *truth; /* borrowed */
    bool measured;
  } * at;   /* (n) by recording and time */
  float *p; /* (n, K) */
  size_t n, room, room_p, recordings;
  double seconds;
} cli_tags;

am_status cli_tags_add(cli_tags *t, const cli_models *models, const char *path, const am_stretch *truth, size_t n,
                       double seconds, am_error *err);
am_status cli_tags_tell(const cli_tags *t, am_error *err);
am_status cli_tags_json(const cli_tags *t, am_json *j, am_error *err);
void cli_tags_free(cli_tags *t);

#endif
