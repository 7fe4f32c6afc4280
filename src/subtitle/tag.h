/* SPDX-License-Identifier: MIT */
/* subtitle/tag.h - an emotion in the text of a cue, and out of it again.
 *
 * What is written can be told from the text: the words of the table in the form of a style, at the start of the text.  Stripping
 * takes off that and what was written with it, so strip(tag(x)) is x, byte for byte, where x has no such words there. */
#ifndef AM_TAG_H
#define AM_TAG_H

#include "subtitle/cue.h"
#include "subtitle/words.h"

typedef enum am_tag_style {
  AM_TAG_SDH,   /* [angrily] text */
  AM_TAG_BBC,   /* ANGRILY: text */
  AM_TAG_TAG,   /* (angry) text */
  AM_TAG_CLASS, /* <c.angry>text</c>, and a STYLE block; WebVTT alone */
  AM_TAG_EMOJI, /* a face before the text */
  AM_TAG_STYLES
} am_tag_style;
extern const char *const am_tag_names[AM_TAG_STYLES];

enum { AM_TAG_WIDTH = 42 }; /* characters of a line */

typedef struct am_tagger {
  am_cues *cues;
  const am_emotion_words *words;
  char **marks; /* (n_marks) of all words and styles but AM_TAG_CLASS, in the encoding of the cues */
  size_t n_marks;
  bool styled; /* the file has our STYLE block */
  size_t styled_at, styled_n;
} am_tagger;

/* Borrows both; am_tagger_end, also after a failure.  AM_E_NOMEM. */
am_status am_tagger_begin(am_tagger *t, am_cues *cues, const am_emotion_words *words, am_error *err);
void am_tagger_end(am_tagger *t);
/* What says the emotion of a word in a style, in UTF-8, appended; false: the style has none for it. */
bool am_tag_mark(am_context *ctx, am_tag_style style, const am_emotion_word *word, am_buffer *out);
/* The text as it was before one was put, which is `lead` and `text`; own: there is one, between them. */
typedef struct am_tagged {
  am_slice lead; /* markup that the text begins with, where the format has it so: overrides of ASS, spans of TTML */
  am_slice text;
  bool own;
} am_tagged;
am_tagged am_tag_inside(const am_tagger *t, const am_cue *cue);
/* AM_E_DATA: the encoding of the cues lacks a character of what says the emotion. */
am_status am_tag_check(const am_cues *cues, am_tag_style style, const am_emotion_word *word, am_error *err);
/* Puts one.  *fits: there was room (or the text has one); else nothing is done.  With `only_ask` nothing is done in any case.
 * AM_E_DATA as am_tag_check. */
am_status am_tag_put(am_tagger *t, am_cue *cue, am_tag_style style, const am_emotion_word *word, bool only_ask,
                     bool *fits, am_error *err);
/* The STYLE block, once a cue has a class. */
am_status am_tag_style_block(am_tagger *t, am_error *err);
/* Takes off all; *n: of how many cues. */
am_status am_tag_strip(am_tagger *t, size_t *n, am_error *err);

#endif
