/* SPDX-License-Identifier: MIT */
/* subtitle/words.h - what emotions are called in the languages of viewers. */
#ifndef AM_WORDS_OF_EMOTION_H
#define AM_WORDS_OF_EMOTION_H

#include "io/yaml.h"

typedef struct am_emotion_word {
  const char *language; /* "en" */
  const char *emotion;  /* the common word: "angry" */
  const char *how;      /* "angrily" */
  const char *what;     /* "angry" */
} am_emotion_word;

/* A table: the built-in one, and before it what a file says. */
typedef struct am_emotion_words {
  am_context *ctx;
  am_tree *tree; /* of the file; NULL: none */
  am_emotion_word *at;
  size_t n;
} am_emotion_words;

/* A file has a map of languages, each a map of emotions to [how, what]: {en: {angry: [angrily, angry]}}.  `path` NULL: the
 * built-in table.  AM_E_CONFIG names the place. */
am_status am_emotion_words_load(am_context *ctx, const char *path, am_emotion_words *out, am_error *err);
void am_emotion_words_free(am_emotion_words *words);
/* NULL: there is none.  A region is passed over where the table has the language alone: "de-AT". */
const am_emotion_word *am_emotion_words_find(const am_emotion_words *words, const char *language, const char *emotion);
bool am_emotion_words_speak(const am_emotion_words *words, const char *language);
/* "en, de, fr", into `out`. */
void am_emotion_words_languages(const am_emotion_words *words, am_buffer *out);
/* A picture of an emotion's face, in UTF-8; NULL: there is none. */
const char *am_emotion_face(const char *emotion);

#endif
