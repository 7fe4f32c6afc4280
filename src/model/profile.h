/* SPDX-License-Identifier: MIT */
/* model/profile.h - what is known of one voice, and the file that keeps it. */
#ifndef AM_PROFILE_H
#define AM_PROFILE_H

#include "audiomood/profile.h"
#include "model/checkpoint.h"

#define AM_PROFILE_FORMAT "audiomood-profile"
enum { AM_PROFILE_MAJOR = 1, AM_PROFILE_MINOR = 1, AM_PROFILE_NAME = 200, AM_PROFILE_PARTS = 63 };

struct am_profile {
  am_context *ctx;
  am_feature_options options; /* how sounds are heard; what normalises by it is none of its business */
  am_features *fx;            /* made by the first sound */
  am_norm_stats stats;
  double seconds;
  char *name;       /* NULL: none */
  char *path;       /* of the file that it came from, for messages; NULL: none */
  am_profile *more; /* the same voice by other features, which members of a fused model hear; NULL: by no others */
};

/* Whether a file is HDF5 that calls itself a profile; whether it can be read is found when it is loaded. */
bool am_profile_is(am_context *ctx, const char *path);
am_status am_profile_create(am_context *ctx, const am_feature_options *options, am_profile **out, am_error *err);
/* The part of a profile that is of features with the same key; NULL: none is. */
const am_profile *am_profile_find(const am_profile *p, const am_feature_options *options);
/* AM_E_SHAPE where there is none; `whose` ("the model") hears `options`. */
am_status am_profile_check(const am_profile *p, const am_feature_options *options, const char *whose, am_error *err);
/* The same of all that another profile is of. */
am_status am_profile_check_all(const am_profile *p, const am_profile *wanted, const char *whose, am_error *err);

#endif
