/* nn/output.h - what is doubtful about the end of a model. */
#ifndef AM_OUTPUT_H
#define AM_OUTPUT_H

#include "nn/model.h"

/* am_model_limited as a sentence for whoever wrote the config; false when there is nothing to say. */
bool am_model_output_doubt(const am_model *model, char *text, size_t size);

#endif
