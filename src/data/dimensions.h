/* SPDX-License-Identifier: MIT */
/* data/dimensions.h - dimensions of emotion (valence, arousal, dominance ...): which a corpus has, which are wanted, and their scale.
 *
 * A corpus offers dimensions (am_corpus_dimension) and says its entries' values of them, on a scale that it knows or that
 * data.scale names.  Those that are wanted become the dataset's, each on its scale: that of data.scales, of data.scale, or else the
 * corpus's own.  Between two scales values are moved linearly, end to end.  "activation" is another word for arousal. */
#ifndef AM_DIMENSIONS_H
#define AM_DIMENSIONS_H

#include "data/corpora/corpus.h"

/* Whether `name` is a dimension that the options want: one that they list, or, where they list none and a model is to tell
 * dimensions, one of valence, arousal and dominance. */
bool am_dimension_wanted(const am_data_options *o, const char *name);
/* The scale that the options set for a dimension, by data.scales or else data.scale; not known: they set none. */
am_scale am_dimension_scale(const am_data_options *o, const char *name);
/* A field of a list as a value of the dimension: of "" NaN.  NULL, or what was wanted in its place: a number, on the scale where that
 * is set. */
const char *am_dimension_read(const am_data_options *o, const char *name, const char *text, double *out);
/* Sets those of the dataset, and which of the corpus's they are. */
am_status am_corpus_choose_dimensions(am_corpus *corpus, const am_data_options *o, am_error *err);
/* The values of an entry, into out (n_dimensions of the dataset); false: it has none of them. */
bool am_corpus_values(const am_corpus *corpus, const am_entry *entry, float *out);
/* AM_E_CONFIG where data.scale, or one of data.scales, is no scale. */
am_status am_dimension_check_scale(const am_data_options *o, am_error *err);

#endif
