/* SPDX-License-Identifier: MIT */
/* data/vocabulary.c - see vocabulary.h.  Only words that name the same thing: being excited is not being happy, and calm
 * is not neutral; that is for data.merge to say. */
#include "data/vocabulary.h"

#include <stddef.h>
#include <string.h>

#include "data/spelling.h"

enum { MOST = 6 };
static const char *const words[][MOST] = {
    /* the common word first */
    {"neutral", "neu"},
    {"calm", "calmness"},
    {"happy", "happiness", "joy", "joyful", "hap"},
    {"sad", "sadness", "sorrow"},
    {"angry", "anger", "ang"},
    {"fearful", "fear", "afraid", "scared", "fea"},
    {"disgust", "disgusted", "dis"},
    {"surprised", "surprise", "sur"},
    {"bored", "boredom"},
    {"excited", "excitement", "exc"},
    {"frustrated", "frustration", "fru"},
    {"contempt", "contemptuous"},
};

const char *am_vocabulary_common(const char *folded) {
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    for (size_t k = 0; k < MOST && words[i][k]; k++)
      if (!strcmp(words[i][k], folded)) return words[i][0];
  return NULL;
}

const char *am_vocabulary_synonym(am_tree *tree, const char *label, const am_name_set *known) {
  const char *fold = am_spelling_fold(tree, label), *common = fold ? am_vocabulary_common(fold) : NULL;
  for (size_t i = 0; i < known->n && common; i++) {
    const char *other = am_spelling_fold(tree, known->at[i]);
    if (other && am_vocabulary_common(other) == common) return known->at[i];
  }
  return NULL;
}
