/* cli/explained.h - predict --report: the page of one sound, with what moved the answer. */
#ifndef AM_EXPLAINED_H
#define AM_EXPLAINED_H

#include "cli/predicting.h"

am_status cli_predict_page(cli *c, const cli_models *team, const cli_sounds *sounds, const cli_hearing *how,
                           const char *path, am_error *err);

#endif
