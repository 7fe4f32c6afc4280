/* SPDX-License-Identifier: MIT */
/* synth/iemocap.h - a synthetic tree in the exact shape of IEMOCAP, whose
 * recordings may not be passed on: five sessions, ten synthetic voices, short
 * dialogues, labels with every oddity that the real release has.
 *
 *   CRLF label files (session 2); bytes that are not UTF-8 in comments; AppleDouble files (session 1);
 *   raters of varying number and number of labels; no e1 file for some dialogues; attributes left out;
 *   turns of one speaker before those of the other; dialogues named ...a and ...1b (session 5);
 *   a label without a sound (session 3) and a sound without a label (session 4). */
#ifndef AM_SYNTH_IEMOCAP_H
#define AM_SYNTH_IEMOCAP_H

#include "audiomood/audio.h"

enum {
  AM_SYNTH_SESSIONS = 5,
  AM_SYNTH_DIALOGUES = 3,
  AM_SYNTH_TURNS = 4, /* of each speaker in a dialogue */
  AM_SYNTH_UTTERANCES = AM_SYNTH_SESSIONS * AM_SYNTH_DIALOGUES * AM_SYNTH_TURNS * 2,
  AM_SYNTH_XXX = 10 /* after neu hap sad ang sur fea dis fru exc oth */
};

/* One utterance of the tree. */
typedef struct am_synth_turn {
  int session;       /* 1..5 */
  const char *scene; /* "F_impro01": of the dialogue Ses01F_impro01 */
  int dialogue;      /* 0..2 in its session */
  char speaker;      /* 'F', 'M' */
  int number;        /* 0..3 of the speaker in the dialogue */
  int label;         /* consensus, 0..10 */
  double start, seconds;
} am_synth_turn;

/* Utterance i of 0..AM_SYNTH_UTTERANCES-1: by session, dialogue, F before M, number. */
am_synth_turn am_synth_turn_at(int i);
/* "Ses01F_impro01_F000" */
void am_synth_turn_name(const am_synth_turn *turn, char out[48]);
/* All text files of a session below `dir`. */
am_status am_synth_iemocap_texts(am_context *ctx, const char *dir, int session, am_error *err);

/* Writes the tree at 16 kHz, about 9 MB, marked by DIR/SYNTHETIC; a folder with other things in it is
 * refused.  The same seed gives the same files. *clips: sounds
 * written, 0 when not all are. */
am_status am_synth_iemocap(am_context *ctx, const char *dir, uint64_t seed, size_t *clips, am_error *err);

#endif
