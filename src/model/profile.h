/* model/profile.h - what is known of one voice, and the file that keeps it. */
#ifndef AM_PROFILE_H
#define AM_PROFILE_H

#include "audiomood/profile.h"
#include "model/checkpoint.h"

#define AM_PROFILE_FORMAT "audiomood-profile"
enum { AM_PROFILE_MAJOR = 1, AM_PROFILE_MINOR = 0, AM_PROFILE_NAME = 200 };

struct am_profile {
  am_context *ctx;
  am_feature_options options; /* how sounds are heard; what normalises by it is none of its business */
  am_features *fx;            /* made by the first sound */
  am_norm_stats stats;
  double seconds;
  char *name; /* NULL: none */
  char *path; /* of the file that it came from, for messages; NULL: none */
};

am_status am_profile_create(am_context *ctx, const am_feature_options *options, am_profile **out, am_error *err);
/* AM_E_SHAPE unless a profile is of features with the same key; `whose` ("the model") hears `options`. */
am_status am_profile_check(const am_profile *p, const am_feature_options *options, const char *whose, am_error *err);

#endif
