/* SPDX-License-Identifier: MIT */
/* study/fuse.h - trained models become one checkpoint (model/fusion.h), with weights from clips that none was trained on. */
#ifndef AM_FUSE_H
#define AM_FUSE_H

#include "base/file.h"
#include "model/fusion.h"

/* Models that share a weight, such as the seeds of one config: each has an equal part of it. */
typedef struct am_fuse_group {
  const char *given; /* what messages call it */
  size_t n;
  const char *files[AM_MOST_MEMBERS]; /* checkpoints */
  const char *runs[AM_MOST_MEMBERS];  /* their folders; NULL: a file alone */
  const char *crossval; /* folder with what models like these say of clips held out; NULL: the runs say it */
  /* The result, or given: */
  double weight;       /* of the whole group */
  double known_weight; /* likewise for a voice that is known, with two sets */
  /* The result: */
  bool by_speaker;  /* one of its models normalises by speaker */
  double loss, uar; /* of the group by itself; NaN where the weights are given */
} am_fuse_group;

typedef struct am_fuse_job {
  am_fuse_group *groups;
  size_t n;
  bool given;                            /* the groups have weights, and these are the temperatures */
  bool two_sets;                         /* given: the groups have known_weights, too; else the result */
  double temperature, known_temperature; /* else the result */
  const char *out;                       /* the file */
  bool values;                           /* the result: they tell dimensions, of which they are the mean */
  double precision;                      /* wanted of the answers; 0: no thresholds (calibration.h) */
  /* The result, where weights are fitted: */
  size_t clips;
  double loss, uar;
  double known_loss, known_uar; /* with two sets; those of voices that are not known are above */
} am_fuse_job;

/* Where some groups normalise by speaker and others do not, and nothing is given, the file gets two sets of weights (fusion.h): those
 * of the others alone, and those of all, both fitted to the same clips.  It has one where knowing the voice turns out to be of no use. */
/* Of models of dimensions weights are given, or equal; nothing is fitted, and `given` becomes true. */
am_status am_fuse(am_context *ctx, am_fuse_job *job, am_error *err);

#endif
