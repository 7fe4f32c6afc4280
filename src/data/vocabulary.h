/* data/vocabulary.h - one word for one emotion: the English names that corpora give them. */
#ifndef AM_VOCABULARY_H
#define AM_VOCABULARY_H

/* The common word (RAVDESS's and IEMOCAP's: "angry") of a name in lower case ("anger", "angry"); NULL: it is not among those
 * known.  A literal. */
const char *am_vocabulary_common(const char *folded);

#endif
