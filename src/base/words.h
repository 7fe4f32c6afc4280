/* SPDX-License-Identifier: MIT */
/* base/words.h - an enumeration whose values are words outside of the code: in configs, files and messages.
 *
 * It is written once, as a list of its names and words in order,
 *   #define AM_MEL_SCALES(X) X(AM_MEL_SLANEY, "slaney") X(AM_MEL_HTK, "htk")
 *   typedef enum am_mel_scale { AM_MEL_SCALES(AM_WORD_NAME) } am_mel_scale;
 * and AM_WORDS(AM_MEL_SCALES) is "slaney|htk", for am_option.choices, am_choice_index and am_choice_name. */
#ifndef AM_WORDS_H
#define AM_WORDS_H

#define AM_WORD_NAME(name, word) name,
#define AM_WORD_TEXT(name, word) "|" word
#define AM_WORDS(list) (&(list(AM_WORD_TEXT))[1])
/* The words one by one: static const char *const names[] = {list(AM_WORD_ITEM)}; */
#define AM_WORD_ITEM(name, word) word,

#endif
